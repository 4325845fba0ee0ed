/* SPDX-License-Identifier: ISC */
/* svconn demo: an echo through a relay that nobody trusts, then attacks by that relay. Every line of its report is
 * taken from what the processes said and left behind, and checked. */
#include "cmd.h"
#include "options.h"
#include "scene.h"
#include "search.h"
#include "stage.h"
#include "stream.h"
#include "svconn_link.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (4u << 20)
#define TEXT_LEN 200000u
#define MESSAGE 4000u /* in the attacks */
#define ATTACKED_LEN                                                                                                   \
    (400 * MESSAGE)   /* more than the client sends without an answer: it cannot have closed before the attack begins */
#define STDIN_MS 1000 /* for the first byte; a pipe that stays silent is not meant for us */
#define STALL_MS 5000 /* for the next one */
#define MESSAGES 50   /* of which the input is made, unless they became too large */
#define SIZE_MOST 16000

typedef struct {
    stage stage;
    scene_keys keys;
    uint8_t *input, *text; /* what is echoed; what the attacks are tried on */
    size_t input_len;
    const char *input_name;
    char input_path[STAGE_PATH], text_path[STAGE_PATH];
    int bad; /* checks that were not true */
    int colour;
} demo;

/* What passed the relay in one direction. */
typedef struct {
    uint8_t *bytes;
    size_t len;
} capture;

/* ---- the report ---- */
static void mark(demo *d, int good) {
    const char *word = good ? "ok" : "WRONG";
    const char *paint = !d->colour ? "" : good ? "\033[32m" : "\033[1;31m";
    printf("  %s%-5s%s ", paint, word, d->colour ? "\033[0m" : "");
    if (!good) d->bad++;
}

static void check(demo *d, int good, const char *format, ...) PRINTF_LIKE(3, 4);
static void check(demo *d, int good, const char *format, ...) {
    va_list args;
    mark(d, good);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static void title(const demo *d, const char *text) {
    printf("\n%s%s%s\n", d->colour ? "\033[1m" : "", text, d->colour ? "\033[0m" : "");
}

/* ---- the input ---- */
/* Lines of words in no order that anybody would guess; the same at each run. */
static void make_text(uint8_t *out, size_t len) {
    static const char *const words[16] = {"river",   "stone",  "lantern",  "harbour", "winter", "copper",
                                          "garden",  "signal", "mountain", "letter",  "bridge", "window",
                                          "morning", "island", "paper",    "clock"};
    uint32_t state = 1;
    size_t used = 0, column = 0;
    while (used + 20 < len) {
        state = state * 1664525u + 1013904223u;
        const char *word = words[state >> 28];
        size_t n = strlen(word);
        memcpy(out + used, word, n);
        used += n;
        column += n + 1;
        out[used++] = column > 70 ? '\n' : ' ';
        if (column > 70) column = 0;
    }
    while (used < len) out[used++] = '\n';
}

/* Up to INPUT_MAX bytes of a pipe or a device. Returns 0, or -1. */
static int read_pipe(demo *d, int in, int patience_ms) {
    while (d->input_len < INPUT_MAX) {
        struct pollfd ready = svconn_pollfd(in, POLLIN);
        int got = svconn_poll(&ready, 1, d->input_len == 0 ? patience_ms : STALL_MS);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0 && d->input_len == 0) return 0;
        if (got <= 0) return -1;
        ssize_t n = stream_read(in, d->input + d->input_len, INPUT_MAX - d->input_len);
        if (n == 0) return 0;
        if (n < 0) return -1;
        d->input_len += (size_t)n;
    }
    return 0;
}

/* The same of a file, for which nobody need wait */
static int read_file(demo *d, int fd) {
    ssize_t n = 1;
    while (d->input_len < INPUT_MAX && (n = read(fd, d->input + d->input_len, INPUT_MAX - d->input_len)) > 0)
        d->input_len += (size_t)n;
    return n < 0 ? -1 : 0;
}

/* A descriptor that is not standard input is closed. */
static int read_all(demo *d, int fd) {
    struct stat st;
    int is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode), ours = fd != STDIN_FILENO;
    int in = is_file ? fd : stream_in(fd);
    if (in < 0) return -1;
    int bad = is_file ? read_file(d, fd) : read_pipe(d, in, ours ? STALL_MS : STDIN_MS);
    if (ours && is_file) close(fd);
    else if (ours) svconn_fd_close(in);
    return bad;
}

static int read_input(demo *d, const char *file) {
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : isatty(STDIN_FILENO) ? -1 : STDIN_FILENO;
    if (file && fd < 0) {
        say("cannot open %s: %s", file, strerror(errno));
        return EXIT_LOCAL;
    }
    int bad = fd >= 0 && read_all(d, fd) != 0;
    if (bad && file) say("cannot read %s: %s", file, strerror(errno));
    else if (bad) say("standard input did not end; give a FILE, or nothing at all: </dev/null");
    if (bad) return EXIT_LOCAL;
    d->input_name = file ? file : "standard input";
    if (d->input_len == 0 && !file) {
        d->input_name = "a built-in text";
        d->input_len = TEXT_LEN;
        make_text(d->input, TEXT_LEN);
    }
    return EXIT_DONE;
}

static int write_file(const char *path, const uint8_t *bytes, size_t len) {
    FILE *f = fopen(path, "wb");
    int bad = !f || fwrite(bytes, 1, len, f) != len;
    if (f) bad |= fclose(f) != 0;
    if (bad) say("cannot write %s: %s", path, strerror(errno));
    return bad ? EXIT_LOCAL : EXIT_DONE;
}

/* ---- the echo ---- */
static void print_value(const char *label, const char *log, const char *key) {
    char value[200];
    scene_value(value, sizeof value, log, key, "\n");
    printf("    %-18s %s\n", label, *value ? value : "(nothing)");
}

static void print_party(const demo *d, const char *name, const char *log) {
    title(d, name);
    print_value("its own key", log, "own fingerprint:");
    print_value("sees the key", log, "peer fingerprint:");
    print_value("authenticator", log, "authenticator:");
    print_value("sent", log, "sent:");
    print_value("received", log, "received:");
    print_value("end", log, "end:");
}

/* What came from one side, cut into packets as anybody can do it: the first ones, and how many there were. */
static void print_side(const char *name, relay_side from, const capture *c) {
    size_t at = 0, len;
    unsigned n = 0;
    for (; (len = packet_length(from, n, c->bytes + at, c->len - at)) > 0; n++, at += len) {
        if (n >= 3) continue;
        printf("    from the %s %6zu bytes ", name, len);
        for (size_t i = 0; i < 16 && i < len; i++) printf(" %02x", c->bytes[at + i]);
        printf("%s\n", len > 16 ? " ..." : "");
    }
    printf("    from the %s: %u packets in all, %zu bytes\n", name, n, c->len);
}

/* One value must be there at both ends and be the same. */
static int same_value(const char *log_a, const char *key_a, const char *log_b, const char *key_b) {
    char a[120], b[120];
    scene_value(a, sizeof a, log_a, key_a, "\n");
    scene_value(b, sizeof b, log_b, key_b, "\n");
    return *a && strcmp(a, b) == 0;
}

static unsigned long count_of(const char *log, const char *line, const char *unit) {
    char value[120];
    scene_value(value, sizeof value, log, line, "\n");
    const char *at = strstr(value, unit);
    while (at && at > value && at[-1] == ' ') at--;
    while (at && at > value && at[-1] >= '0' && at[-1] <= '9') at--;
    return at ? strtoul(at, NULL, 10) : 0;
}

/* Nothing readable and no public key in what passed the relay; and the search is able to find such a thing. */
static void check_secrecy(demo *d, const scene *c, const capture sides[2]) {
    search s;
    if (search_open(&s, d->input_len + 64) != 0) {
        check(d, 0, "the search for readable bytes: out of memory");
        return;
    }
    search_add(&s, d->input, d->input_len);
    search_add(&s, d->keys.client_key, 32);
    search_add(&s, d->keys.server_key, 32);
    size_t found = search_count(&s, sides[0].bytes, sides[0].len) + search_count(&s, sides[1].bytes, sides[1].len);
    check(d, found == 0, "in %zu bytes that passed the relay: no 8 bytes in a row of the", sides[0].len + sides[1].len);
    printf("        input or of either public key\n");
    if (c->output_len >= PIECE) {
        found = search_count(&s, c->output, c->output_len);
        check(d, found == c->output_len - PIECE + 1, "the same search finds all of it in what the client got back");
    }
    search_close(&s);
}

/* protocol.md, sections 3.2 and 5.1. CLOSE is a record of one byte. */
static void check_sizes(demo *d, unsigned long messages, const capture sides[2]) {
    const capture *server = &sides[FROM_LISTEN], *client = &sides[FROM_CALL];
    size_t records = d->input_len + 16 * (size_t)messages + 17;
    check(d,
          packet_length(FROM_LISTEN, 0, server->bytes, server->len) == 117 &&
              packet_length(FROM_CALL, 0, client->bytes, client->len) == 151 && server->len == 117 + 17 + records &&
              client->len == 151 + records,
          "the handshake took 117 + 151 + 17 bytes, and each message 16 more than its length");
}

static void check_echo(demo *d, const scene *c, const capture sides[2]) {
    unsigned long sent = count_of(c->client_log, "sent:", "message"),
                  renewed = count_of(c->client_log, "sent:", "new key");
    unsigned long followed = count_of(c->server_log, "sent:", "new key");
    title(d, "Checked");
    check(d, c->client_code == 0 && c->server_code == 0 && c->relay_code == 0, "both ends closed in order");
    check(d, c->output_len == d->input_len && memcmp(c->output, d->input, d->input_len) == 0,
          "what came back is what was sent: %zu bytes, %lu messages", c->output_len, sent);
    check(d,
          same_value(c->client_log, "own fingerprint:", c->server_log, "peer fingerprint:") &&
              same_value(c->server_log, "own fingerprint:", c->client_log, "peer fingerprint:"),
          "each end knows the other by its key");
    check(d, same_value(c->client_log, "authenticator:", c->server_log, "authenticator:"),
          "the authenticator digits are equal: nobody is in between");
    if (sent > 10)
        check(d, renewed > 0 && followed > 0, "new keys on the way: %lu by the client, %lu by the server that followed",
              renewed, followed);
    check_sizes(d, sent, sides);
    check_secrecy(d, c, sides);
}

static int show_echo(demo *d) {
    static const char *const suffixes[2] = {[FROM_LISTEN] = ".listen", [FROM_CALL] = ".call"};
    unsigned long size = (unsigned long)((d->input_len + MESSAGES - 1) / MESSAGES);
    scene c = {.keys = &d->keys,
               .input = d->input_path,
               .size = size < 1           ? 1
                       : size < SIZE_MOST ? size
                                          : SIZE_MOST,
               .renew_every = 8};
    capture sides[2] = {{0}};
    int code = scene_run(&d->stage, &c);
    for (int i = 0; code == EXIT_DONE && i < 2; i++) {
        sides[i].bytes = stage_read(&d->stage, "capture", suffixes[i], &sides[i].len);
        if (!sides[i].bytes) code = EXIT_LOCAL;
    }
    if (code == EXIT_DONE) {
        print_party(d, "The client", c.client_log);
        print_party(d, "The echo server", c.server_log);
        title(d, "The relay, which has no key to it, sees");
        print_side("server", FROM_LISTEN, &sides[FROM_LISTEN]);
        print_side("client", FROM_CALL, &sides[FROM_CALL]);
        check_echo(d, &c, sides);
    }
    free(sides[0].bytes);
    free(sides[1].bytes);
    scene_free(&c);
    return code;
}

/* ---- the attacks ---- */
typedef struct {
    const char *what;
    hostile attack;
    const char *client, *server; /* the reasons that they must give */
    size_t messages;             /* that must come back before */
} attack_row;

/* Packet 10 of the server holds message 9: M1 and M3 come first. Packet 10 of the client holds message 10. */
static const attack_row attacks[] = {
    {"changes a bit of the server's first message",
     {.kind = ATTACK_FLIP, .from = FROM_LISTEN, .at = 0},
     "unknown",
     "aborted",
     0},
    {"changes a bit of the client's first message",
     {.kind = ATTACK_FLIP, .from = FROM_CALL, .at = 0},
     "aborted",
     "seal",
     0},
    {"changes a bit of a record of the client",
     {.kind = ATTACK_FLIP, .from = FROM_CALL, .at = 10},
     "aborted",
     "tag",
     9},
    {"changes a bit of a record of the server",
     {.kind = ATTACK_FLIP, .from = FROM_LISTEN, .at = 10},
     "tag",
     "aborted",
     8},
    {"sends a record twice", {.kind = ATTACK_REPLAY, .from = FROM_LISTEN, .at = 10}, "tag", "aborted", 9},
    {"leaves a record out", {.kind = ATTACK_DROP, .from = FROM_CALL, .at = 10}, "aborted", "tag", 9},
    {"swaps two records", {.kind = ATTACK_REORDER, .from = FROM_LISTEN, .at = 10}, "tag", "aborted", 8},
    {"cuts the link inside a record", {.kind = ATTACK_CUT, .from = FROM_LISTEN, .at = 10}, "truncated", "truncated", 8},
};

static const attack_row gap = {
    "leaves the last record of a key out", {.kind = ATTACK_DROP_LAST, .from = FROM_CALL, .at = 4}, "aborted", "tag", 7};

/* What an attack led to. */
typedef struct {
    char client[40], server[40]; /* the reasons of the two ends */
    size_t delivered;
    int clean; /* both ends failed, and what was delivered is the beginning of what was sent */
} outcome;

static int try_attack(demo *d, const attack_row *row, unsigned long renew_every, outcome *o) {
    scene c = {
        .keys = &d->keys, .input = d->text_path, .size = MESSAGE, .renew_every = renew_every, .attack = &row->attack};
    int code = scene_run(&d->stage, &c);
    if (code == EXIT_DONE) {
        scene_value(o->client, sizeof o->client, c.client_log, "end: ", ":\n");
        scene_value(o->server, sizeof o->server, c.server_log, "#1: end: ", ":\n");
        o->delivered = c.output_len;
        o->clean = c.client_code == EXIT_LINK && c.server_code == EXIT_LINK && c.output_len < ATTACKED_LEN &&
                   memcmp(c.output, d->text, c.output_len) == 0;
    }
    scene_free(&c);
    return code;
}

static void print_attack(demo *d, const attack_row *row, const outcome *o) {
    int good = o->clean && strcmp(o->client, row->client) == 0 && strcmp(o->server, row->server) == 0 &&
               o->delivered == row->messages * MESSAGE;
    mark(d, good);
    printf("%-44s %-10s %-10s %7zu\n", row->what, *o->client ? o->client : "?", *o->server ? o->server : "?",
           o->delivered);
    if (!good && !o->clean) printf("        one end did not fail, or what was delivered is not what was sent\n");
    else if (!good)
        printf("        expected: client %s, server %s, %zu bytes\n", row->client, row->server,
               row->messages * MESSAGE);
}

static int show_attacks(demo *d) {
    int code = EXIT_DONE;
    title(d, "The same relay, hostile");
    printf("  It understands the framing, as any stranger does, and has no key. An end that notices something\n"
           "  keeps the reason to itself; the other one only learns that the connection was aborted. Nothing\n"
           "  wrong is delivered: what the client got back is compared with the beginning of what it sent.\n\n");
    printf("        %-44s %-10s %-10s %s\n", "the relay ...", "client", "server", "bytes delivered");
    for (size_t i = 0; code == EXIT_DONE && i < sizeof attacks / sizeof attacks[0]; i++) {
        fflush(stdout);
        outcome o = {0};
        code = try_attack(d, &attacks[i], 1000, &o); /* all records in question have one key */
        if (code == EXIT_DONE) print_attack(d, &attacks[i], &o);
    }
    return code;
}

/* protocol.md, section 14.1. Shown, because a demo that leaves out what is known to be weak would be worth little. Once
 * it is repaired, the session notices. */
static int show_gap(demo *d) {
    outcome o = {0};
    int code = try_attack(d, &gap, 8, &o);
    if (code != EXIT_DONE) return code;
    if (o.clean && strcmp(o.client, "cancelled") == 0) {
        title(d, "A known gap (protocol.md, section 14.1)");
        printf("  If the relay leaves out the last record before a new key, the session does not notice. This client\n"
               "  did, because it compares what comes back; %zu correct bytes were delivered before.\n",
               o.delivered);
    } else {
        print_attack(d, &gap, &o);
    }
    return code;
}

/* ---- all of it ---- */
static int prepare(demo *d) {
    stage_path(&d->stage, d->input_path, "input", "");
    stage_path(&d->stage, d->text_path, "text", "");
    int code = scene_make_keys(&d->stage, &d->keys);
    make_text(d->text, ATTACKED_LEN);
    if (code == EXIT_DONE) code = write_file(d->input_path, d->input, d->input_len);
    if (code == EXIT_DONE) code = write_file(d->text_path, d->text, ATTACKED_LEN);
    return code;
}

static int show(demo *d) {
    int code = prepare(d);
    if (code != EXIT_DONE) return code;
    title(d, "svconn demo: an echo through a relay that nobody trusts");
    printf("\n      client  <------>  relay  <------>  echo server\n\n"
           "  Three processes on this computer, joined by TCP. Hidden mode: not even the public keys pass the\n"
           "  relay. The client sends %s (%zu bytes%s).\n",
           d->input_name, d->input_len, d->input_len == INPUT_MAX ? ", the most that the demo takes" : "");
    fflush(stdout);
    code = show_echo(d);
    if (code == EXIT_DONE) code = show_attacks(d);
    if (code == EXIT_DONE) code = show_gap(d);
    if (code != EXIT_DONE) {
        printf("\ndemo: broken off\n");
        return code;
    }
    if (d->bad) printf("\ndemo: NOT as it should be: %d of the lines above are marked WRONG\n", d->bad);
    else printf("\ndemo: everything is as it should be\n");
    return d->bad ? EXIT_LINK : EXIT_DONE;
}

int cmd_demo(int argc, char **argv) {
    static demo d;
    const char *operand[2] = {NULL, NULL};
    unsigned long seconds = 15;
    const option rows[] = {
        {"seconds", "N", "give up after so long; default 15", OPTION_NUMBER, &seconds, 1, 3600},
    };
    const usage u = {
        .command = "demo",
        .operands = "[FILE]",
        .about = "Runs an echo server, a relay and a client on this computer, shows what each of them sees, and lets\n"
                 "the relay attack. The client sends FILE, or standard input, or else a built-in text; at most 4 MiB.\n"
                 "Ends with exit code 0 if everything is as it should be.",
        .rows = rows,
        .n_rows = 1,
        .most_operands = 1};
    int code = scene_child(argc, argv);
    if (code < 0) code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    d.colour = text_colour(stdout);
    d.input = malloc(INPUT_MAX);
    d.text = malloc(ATTACKED_LEN);
    if (!d.input || !d.text) {
        say("out of memory");
        code = EXIT_LOCAL;
    } else {
        code = read_input(&d, operand[0]);
    }
    if (code < 0 || code == EXIT_DONE) code = stage_open(&d.stage, seconds);
    if (code == EXIT_DONE) {
        code = show(&d);
        stage_close(&d.stage);
    }
    free(d.input);
    free(d.text);
    return fflush(stdout) == 0 ? code : EXIT_LOCAL;
}
