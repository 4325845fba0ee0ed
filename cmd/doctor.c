/* SPDX-License-Identifier: ISC */
/* svconn doctor: what a set-up lacks, one check after another. */
#include "doctor.h"

#include "cmd.h"
#include "codec.h"
#include "keyfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEY_MS 120000 /* a command may ask for a passphrase */
#define FILE_MS 20000 /* a file may be on a server */
#define YEAR_2024 1704067200

/* ---- what is told ---- */

static void print_json_field(const char *name, const char *value) {
    char escaped[3 * PROBE_TEXT];
    text_json(escaped, sizeof escaped, value, strlen(value));
    printf(",\"%s\":\"%s\"", name, escaped);
}

void doctor_tell(doctor *d, doctor_state state, int code, const char *check, const char *next, const char *format,
                 ...) {
    static const char *const words[] = {"ok", "note", "FAULT"};
    char text[PROBE_TEXT + 500];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->notes += state == DOCTOR_NOTE;
    d->faults += state == DOCTOR_FAULT;
    if (state == DOCTOR_FAULT && d->code == EXIT_DONE) d->code = code;
    if (d->json) {
        printf("{\"check\":\"%s\",\"state\":\"%s\"", check, state == DOCTOR_FAULT ? "fault" : words[state]);
        print_json_field("text", text);
        if (next) print_json_field("next", next);
        if (state == DOCTOR_FAULT) printf(",\"code\":%d", code);
        printf("}\n");
    } else {
        printf("%-6s %-16s %s\n", words[state], check, text);
        if (next) printf("%23s next: %s\n", "", next);
    }
    fflush(stdout); /* the next check may take a while */
}

/* ---- places ---- */

static void check_places(doctor *d) {
    char path[HOME_PATH];
    if (home_path(path, "", 0) != 0) {
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "directory", doctor_home_next,
                    "there is no place for keys and names, because %s is not set", doctor_home_name);
        return;
    }
    doctor_home(d);
    path[strlen(path) - 1] = 0; /* the slash */
    if (doctor_look(d, "directory", path, "the first key, peer or relay makes it"))
        doctor_tell(d, DOCTOR_OK, 0, "directory", NULL, "%s", path);
}

/* ---- the key ---- */

/* In the child; what it says is the fingerprint, or the fault. */
static int read_key(void *arg) {
    const party_options *o = &((doctor *)arg)->call.party;
    char usual[HOME_PATH], fingerprint[36];
    uint8_t seed[32];
    svconn_identity id;
    size_t len;
    int code = EXIT_LOCAL;
    if (o->key_command) code = keyfile_read_seed_of(o->key_command, seed);
    else if (o->key) code = keyfile_read_seed(o->key, seed);
    else if (home_path(usual, "key", 0) == 0) code = keyfile_read_seed(usual, seed);
    if (code != EXIT_DONE) return code;
    svconn_identity_ed25519(&id, seed);
    const uint8_t *bytes = svconn_identity_bytes(&id, &len);
    svconn_fingerprint(fingerprint, bytes, len);
    wipe(seed, sizeof seed);
    svconn_identity_wipe(&id);
    say("%s", fingerprint);
    return EXIT_DONE;
}

static void check_key(doctor *d) {
    char text[PROBE_TEXT], usual[HOME_PATH] = "";
    const party_options *o = &d->call.party;
    const char *where = o->key_command ? o->key_command : o->key ? o->key : usual;
    if (where == usual && home_path(usual, "key", 0) != 0) return; /* told already */
    int code = probe_run(doctor_probes, PROBE_KEY, d, KEY_MS, text);
    if (code == EXIT_DONE) doctor_tell(d, DOCTOR_OK, 0, "key", NULL, "%s, fingerprint %s", where, text);
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "key", NULL, "%s",
                    code == PROBE_LATE ? "the key was not there within two minutes; look at --key-command" : text);
}

/* ---- the files about peers and relays ---- */

static int read_known(void *arg) {
    known_peer *list;
    size_t n, seen = 0;
    if (known_peers_all(((doctor *)arg)->call.known_peers, &list, &n) != 0) return EXIT_LOCAL;
    for (size_t i = 0; i < n; i++) seen += !list[i].verified;
    say("%zu entr%s", n, n == 1 ? "y" : "ies");
    if (seen) say("of which %zu only seen, not verified", seen);
    free(list);
    return seen ? EXIT_PART : EXIT_DONE;
}

static int read_authorized(void *arg) {
    authorized_peer *list;
    size_t n, over = 0;
    if (authorized_peers_all(((doctor *)arg)->authorized, &list, &n) != 0) return EXIT_LOCAL;
    for (size_t i = 0; i < n; i++) over += list[i].until && (int64_t)time(NULL) >= list[i].until;
    say("%zu entr%s", n, n == 1 ? "y" : "ies");
    if (over) say("of which %zu over (until=)", over);
    free(list);
    return over ? EXIT_PART : EXIT_DONE;
}

/* The file that was named, or the usual one */
static int find_book(char path[HOME_PATH], const char *name, const char *file) {
    if (!file) return home_path(path, name, 0);
    snprintf(path, HOME_PATH, "%s", file);
    return 0;
}

/* HOST:PORT KEY in each line, as known.c writes them. */
static int read_relays(void *arg) {
    char line[500], path[HOME_PATH];
    if (find_book(path, "known_relays", ((doctor *)arg)->call.party.known_relays) != 0) return EXIT_LOCAL;
    unsigned n = 0, at = 0;
    uint8_t key[32];
    FILE *f = fopen(path, "re");
    if (!f) say("cannot read %s: %s", path, strerror(errno));
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        at++;
        if (!line[0] || line[0] == '#') continue;
        size_t name = strcspn(line, " ");
        if (line[name] != ' ' || strlen(line + name + 1) != 64 || hex_decode(key, 32, line + name + 1) != 0) {
            say("%s, line %u: HOST:PORT, a blank and 64 hexadecimal digits are wanted; correct the line or remove it",
                path, at);
            fclose(f);
            return EXIT_LOCAL;
        }
        n++;
    }
    if (f) fclose(f);
    if (f) say("%u entr%s", n, n == 1 ? "y" : "ies");
    return f ? EXIT_DONE : EXIT_LOCAL;
}

static void check_book(doctor *d, const char *name, const char *file, int probe, const char *next) {
    char text[PROBE_TEXT], path[HOME_PATH];
    if (find_book(path, name, file) != 0) return;
    if (access(path, F_OK) != 0 && !file) return; /* nobody yet */
    if (!doctor_look(d, name, path, "make it, or name another file")) return;
    int code = probe_run(doctor_probes, probe, d, FILE_MS, text);
    if (code == EXIT_DONE) doctor_tell(d, DOCTOR_OK, 0, name, NULL, "%s", text);
    else if (code == EXIT_PART) doctor_tell(d, DOCTOR_NOTE, 0, name, next, "%s", text);
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, name, NULL, "%s",
                    code == PROBE_LATE ? "the file could not be read in time; look at its file system" : text);
}

static void check_books(doctor *d) {
    check_book(d, "known_peers", d->call.known_peers, PROBE_KNOWN,
               "\"svconn peers\" shows who; compare what \"svconn id\" shows there, then \"svconn peers verify NAME\"");
    check_book(d, "authorized_peers", d->authorized, PROBE_AUTHORIZED,
               "\"svconn peers\" shows which; \"svconn peers deny NAME\" removes one");
    check_book(d, "known_relays", d->call.party.known_relays, PROBE_RELAYS, NULL);
}

/* ---- the machine ---- */

static void check_random(doctor *d) {
    uint8_t a[32], b[32];
    int good = svconn_random(a, sizeof a) == 0 && svconn_random(b, sizeof b) == 0 && memcmp(a, b, sizeof a) != 0;
    if (good) doctor_tell(d, DOCTOR_OK, 0, "random", NULL, "the system gives random bytes");
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "random", doctor_no_random,
                    "the system gives no random bytes, and without them there is no session");
}

static void check_clocks(doctor *d) {
    uint64_t before = svconn_now();
    (void)svconn_poll(NULL, 0, doctor_nap_ms);
    uint64_t passed = svconn_now() - before;
    if (passed < (uint64_t)doctor_nap_ms / 2 || passed > 10000)
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "clock", doctor_no_clock,
                    "%d ms took %llu ms by the monotonic clock, so no time limit can be kept", doctor_nap_ms,
                    (unsigned long long)passed);
    else if (time(NULL) < YEAR_2024)
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "clock", "set the clock of this machine",
                    "the date is before 2024, so until= in authorized_peers cannot be kept");
    else doctor_tell(d, DOCTOR_OK, 0, "clock", NULL, "it runs, and the date can be right");
}

/* ---- the command ---- */

const probe_check doctor_probes[PROBES] = {
    [PROBE_KEY] = read_key,       [PROBE_KNOWN] = read_known,       [PROBE_AUTHORIZED] = read_authorized,
    [PROBE_RELAYS] = read_relays, [PROBE_RELAY] = doctor_try_relay, [PROBE_PEER] = doctor_try_peer,
};

static int sum_up(const doctor *d) {
    if (!d->json) {
        if (d->faults == 0) printf("no fault, %u note%s\n", d->notes, d->notes == 1 ? "" : "s");
        else
            printf("%u fault%s, %u note%s; begin with the first\n", d->faults, d->faults == 1 ? "" : "s", d->notes,
                   d->notes == 1 ? "" : "s");
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? d->code : EXIT_LOCAL;
}

int cmd_doctor(int argc, char **argv) {
    static doctor d;
    const char *operand[2] = {NULL, NULL};
    option rows[CALL_ROWS + 2] = {
        {"json", NULL, "a JSON object in a line for each check", OPTION_FLAG, &d.json, 0, 0},
        {"authorized", "FILE", "default ~/.config/svconn/authorized_peers", OPTION_TEXT, &d.authorized, 0, 0},
    };
    call_rows(rows + 2, &d.call);
    const usage u = {
        .command = "doctor",
        .operands = "[PEER]",
        .about = "Looks for what a set-up lacks: files and their modes, the key, the machine; the relay, if one is\n"
                 "named; and PEER: is it there, and does it let us in? Changes nothing and asks nothing.",
        .more = "Examples:\n"
                "  svconn doctor                 before the first call, or when serve does not start\n"
                "  svconn doctor --relay relay.example.org home\n\n"
                "Lines begin with ok, note, or FAULT. Exit code: 0 without a fault; else that of the first one: 3 on\n"
                "this side, 5 the relay or the peer is not there, 4 a key or a permission is not right.",
        .rows = rows,
        .n_rows = CALL_ROWS + 2,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    d.peer = operand[0];
    code = probe_child(doctor_probes, PROBES, &d);
    if (code >= 0) return code;
    check_places(&d);
    check_key(&d);
    check_books(&d);
    check_random(&d);
    check_clocks(&d);
    doctor_limits(&d);
    doctor_relay(&d);
    doctor_peer(&d);
    return sum_up(&d);
}
