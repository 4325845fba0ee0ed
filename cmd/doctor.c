/* SPDX-License-Identifier: ISC */
/* svconn doctor: what a set-up lacks, one check after another. */
#include "doctor.h"

#include "cmd.h"
#include "codec.h"
#include "home.h"
#include "keyfile.h"
#include "probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY_MS 120000 /* a command may ask for a passphrase */
#define FILE_MS 20000 /* a file may be on a server */
#define YEAR_2024 1704067200
#define FEW_DESCRIPTORS 1024

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

/* ---- places and modes ---- */

/* A file or directory of ours that others can change is no place for keys. 1: it is there and good. */
static int look_at_mode(doctor *d, const char *check, const char *path, const char *if_missing) {
    struct stat st;
    char next[HOME_PATH + 40];
    if (stat(path, &st) != 0) {
        doctor_state state = errno == ENOENT ? DOCTOR_NOTE : DOCTOR_FAULT;
        doctor_tell(d, state, EXIT_LOCAL, check, state == DOCTOR_NOTE ? if_missing : "look at its mode and its owner",
                    "%s: %s", path, errno == ENOENT ? "this is not there yet" : strerror(errno));
        return 0;
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, check, "take it over with chown, or name another place",
                    "%s belongs to somebody else (user %lu)", path, (unsigned long)st.st_uid);
        return 0;
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        snprintf(next, sizeof next, "chmod go-w %s", path);
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, check, next, "%s can be changed by others (mode %03o)", path,
                    (unsigned)(st.st_mode & 0777));
        return 0;
    }
    return 1;
}

static void check_places(doctor *d) {
    char path[HOME_PATH];
    const char *home = getenv("HOME");
    if (home_path(path, "", 0) != 0) {
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "directory", "set HOME to your home directory",
                    "there is no place for keys and names, because HOME is not set");
        return;
    }
    if (home && *home && look_at_mode(d, "home", home, "make it, or set HOME"))
        doctor_tell(d, DOCTOR_OK, 0, "home", NULL, "%s", home);
    path[strlen(path) - 1] = 0; /* the slash */
    if (look_at_mode(d, "directory", path, "the first key, peer or relay makes it"))
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
    int code = probe_run(read_key, d, KEY_MS, text);
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

/* HOST:PORT KEY in each line, as known.c writes them. */
static int read_relays(void *arg) {
    const char *path = arg;
    char line[500];
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

static void check_book(doctor *d, const char *name, const char *file, int (*read)(void *), const char *next) {
    char text[PROBE_TEXT], path[HOME_PATH];
    if (file) snprintf(path, sizeof path, "%s", file);
    else if (home_path(path, name, 0) != 0) return;
    if (access(path, F_OK) != 0 && !file) return; /* nobody yet */
    if (!look_at_mode(d, name, path, "make it, or name another file")) return;
    int code = probe_run(read, read == read_relays ? (void *)path : d, FILE_MS, text);
    if (code == EXIT_DONE) doctor_tell(d, DOCTOR_OK, 0, name, NULL, "%s", text);
    else if (code == EXIT_PART) doctor_tell(d, DOCTOR_NOTE, 0, name, next, "%s", text);
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, name, NULL, "%s",
                    code == PROBE_LATE ? "the file could not be read in time; look at its file system" : text);
}

static void check_books(doctor *d) {
    check_book(d, "known_peers", d->call.known_peers, read_known,
               "\"svconn peers\" shows who; compare what \"svconn id\" shows there, then \"svconn peers verify NAME\"");
    check_book(d, "authorized_peers", d->authorized, read_authorized,
               "\"svconn peers\" shows which; \"svconn peers deny NAME\" removes one");
    check_book(d, "known_relays", d->call.party.known_relays, read_relays, NULL);
}

/* ---- the machine ---- */

static void check_random(doctor *d) {
    uint8_t a[32], b[32];
    int good = svconn_random(a, sizeof a) == 0 && svconn_random(b, sizeof b) == 0 && memcmp(a, b, sizeof a) != 0;
    if (good) doctor_tell(d, DOCTOR_OK, 0, "random", NULL, "the system gives random bytes");
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "random", "see that /dev/urandom is there and readable",
                    "the system gives no random bytes, and without them there is no session");
}

static void check_clocks(doctor *d) {
    struct timespec pause = {.tv_nsec = 20000000};
    uint64_t before = svconn_now();
    nanosleep(&pause, NULL);
    uint64_t passed = svconn_now() - before;
    if (passed < 10 || passed > 10000)
        doctor_tell(
            d, DOCTOR_FAULT, EXIT_LOCAL, "clock", "look at the virtual machine, or at the kernel's clock source",
            "20 ms took %llu ms by the monotonic clock, so no time limit can be kept", (unsigned long long)passed);
    else if (time(NULL) < YEAR_2024)
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "clock", "set the clock of this machine",
                    "the date is before 2024, so until= in authorized_peers cannot be kept");
    else doctor_tell(d, DOCTOR_OK, 0, "clock", NULL, "it runs, and the date can be right");
}

static void check_descriptors(doctor *d) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    unsigned long n = limit.rlim_cur > 1000000 ? 1000000 : (unsigned long)limit.rlim_cur;
    if (n >= FEW_DESCRIPTORS)
        doctor_tell(d, DOCTOR_OK, 0, "descriptors", NULL, "%lu open files; a forwarded connection takes one", n);
    else
        doctor_tell(d, DOCTOR_NOTE, 0, "descriptors", "\"ulimit -n 4096\" in the shell that starts svconn",
                    "only %lu open files at once; a forwarded connection takes one", n);
}

static void check_runtime(doctor *d) {
    char path[HOME_PATH];
    if (home_runtime(path) == 0) doctor_tell(d, DOCTOR_OK, 0, "runtime", NULL, "%s", path);
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "runtime",
                    "set XDG_RUNTIME_DIR to a directory that is yours alone (mode 700)",
                    "there is no directory for the sockets of \"svconn sessions\"");
}

/* ---- the command ---- */

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
    check_places(&d);
    check_key(&d);
    check_books(&d);
    check_random(&d);
    check_clocks(&d);
    check_descriptors(&d);
    check_runtime(&d);
    doctor_relay(&d);
    doctor_peer(&d);
    return sum_up(&d);
}
