/* SPDX-License-Identifier: ISC */
/* svconn echo: sends a file to an echo server, writes what comes back, and checks that it is the same. */
#include "cmd.h"
#include "options.h"
#include "codec.h"
#include "pairing.h"
#include "party.h"
#include "person.h"
#include "stream.h"
#include "svconn_transport.h"
#include "talk.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW (1u << 20) /* bytes that may be on their way before we stop to send */
#define OPEN_MS 30000
#define SLICE 4096 /* a pipe that poll calls writable takes so much (PIPE_BUF) without blocking */
#define PROGRESS_MS 200

typedef struct {
    talk t;
    person person;
    int in, out;
    size_t slice;                    /* largest piece for one write */
    size_t size;                     /* of a message */
    uint8_t msg[SVCONN_MESSAGE_MAX]; /* the next one, as far as it was read */
    size_t msg_len;
    int msg_ready; /* it is complete: full, or nothing more is there just now */
    int in_ended;
    uint8_t *window; /* what was sent and has not come back, a ring */
    size_t window_at, window_len;
    const uint8_t *back; /* a message that came back and is being written; NULL: none */
    size_t back_len, back_at;
    int closed; /* we sent CLOSE */
    int code;   /* -1 while all is well, else the exit code of what went wrong on this side of the session */
    int progress;
    uint64_t progress_at;
} echo;

/* Ends the session; the reason was said. */
static void give_up(echo *e, int code) {
    if (e->code < 0) e->code = code;
    svconn_abort(&e->t.s);
}

/* ---- the window: what was sent, to be compared with what comes ---- */
static void window_add(echo *e, const uint8_t *bytes, size_t len) {
    for (size_t done = 0; done < len;) {
        size_t at = (e->window_at + e->window_len) % WINDOW;
        size_t n = len - done < WINDOW - at ? len - done : WINDOW - at;
        memcpy(e->window + at, bytes + done, n);
        e->window_len += n;
        done += n;
    }
}

/* 1 if these bytes are the oldest in the window; takes them out. */
static int window_match(echo *e, const uint8_t *bytes, size_t len) {
    if (len > e->window_len) return 0;
    for (size_t done = 0; done < len;) {
        size_t n = len - done < WINDOW - e->window_at ? len - done : WINDOW - e->window_at;
        if (memcmp(e->window + e->window_at, bytes + done, n) != 0) return 0;
        e->window_at = (e->window_at + n) % WINDOW;
        e->window_len -= n;
        done += n;
    }
    return 1;
}

/* ---- from the input to the peer ---- */
static int may_send(const echo *e) {
    svconn_state state = svconn_status(&e->t.s);
    if (state == SVCONN_CONFIRMING) return e->t.party->config.early != SVCONN_EARLY_NEVER;
    return state == SVCONN_CONNECTED && !e->closed;
}

static int wants_input(const echo *e) {
    svconn_state state = svconn_status(&e->t.s);
    if (state == SVCONN_FAILED || state == SVCONN_CLOSED || e->closed) return 0;
    return !e->in_ended && !e->msg_ready && e->window_len + e->size <= WINDOW;
}

static void read_input(echo *e) {
    ssize_t n = stream_read(e->in, e->msg + e->msg_len, e->size - e->msg_len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n < 0) {
        say("cannot read the input: %s", strerror(errno));
        give_up(e, EXIT_LOCAL);
        return;
    }
    e->in_ended = n == 0;
    e->msg_len += (size_t)n;
    e->msg_ready = e->msg_len == e->size || (e->in_ended && e->msg_len > 0);
}

static void send_message(echo *e) {
    if (e->msg_ready && may_send(e)) {
        if (svconn_send(&e->t.s, e->msg, e->msg_len, svconn_now()) != SVCONN_OK) return; /* no room now, or a failure */
        window_add(e, e->msg, e->msg_len);
        talk_note(&e->t, &e->t.sent, e->msg_len);
        e->msg_len = 0;
        e->msg_ready = 0;
    }
    if (e->in_ended && !e->msg_ready && !e->closed && svconn_status(&e->t.s) == SVCONN_CONNECTED)
        e->closed = svconn_close(&e->t.s, svconn_now()) == SVCONN_OK;
}

/* ---- from the peer to the output ---- */
static void take_message(echo *e) {
    if (e->back) return;
    svconn_err r = svconn_recv(&e->t.s, &e->back, &e->back_len);
    if (r == SVCONN_OK) {
        e->back_at = 0;
        if (!window_match(e, e->back, e->back_len)) {
            say("what came back is not what was sent, within %zu bytes after byte %llu", e->back_len,
                e->t.received.bytes);
            e->back = NULL;
            give_up(e, EXIT_LINK);
            return;
        }
        talk_note(&e->t, &e->t.received, e->back_len);
        return;
    }
    e->back = NULL;
    if (r == SVCONN_END && !e->closed && svconn_status(&e->t.s) == SVCONN_CONNECTED) {
        say("the peer closed before everything was sent");
        e->code = EXIT_LINK;
        e->closed = svconn_close(&e->t.s, svconn_now()) == SVCONN_OK;
    }
}

static void write_output(echo *e) {
    size_t left = e->back_len - e->back_at;
    ssize_t n = left == 0 ? 0 : stream_write(e->out, e->back + e->back_at, left < e->slice ? left : e->slice);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n < 0) {
        say("cannot write to standard output: %s", strerror(errno));
        e->back = NULL;
        give_up(e, EXIT_LOCAL);
        return;
    }
    e->back_at += (size_t)n;
    if (e->back_at < e->back_len) return;
    e->back = NULL;
    svconn_err r = svconn_recv_done(&e->t.s);
    (void)r; /* a failure stays in the session, which the main loop looks at */
}

/* ---- the loop ---- */
static void show_progress(echo *e, int last) {
    uint64_t now = svconn_now();
    if (!e->progress || (!last && now < e->progress_at + PROGRESS_MS)) return;
    e->progress_at = now;
    if (last) fprintf(stderr, "\r%60s\r", "");
    else
        fprintf(stderr, "\r  sent %.1f MB, back %.1f MB ", (double)e->t.sent.bytes / 1e6,
                (double)e->t.received.bytes / 1e6);
}

static int is_finished(echo *e) { return !e->back && talk_is_over(&e->t); }

static void step(echo *e) {
    struct pollfd fds[5];
    take_message(e); /* it may be in the session already: poll would not tell */
    int timeout = -1, reading = wants_input(e) && e->person.fd < 0, writing = e->back != NULL;
    /* Part of a message is there: is more to be had at once? If not, it goes as it is: a person who types a line wants
     * it back now. */
    int probing = reading && e->msg_len > 0 && may_send(e);
    nfds_t n = 3;
    fds[0] = svconn_pollfd(reading ? e->in : -1, POLLIN);
    fds[1] = svconn_pollfd(writing ? e->out : -1, POLLOUT);
    person_want(&e->person, &fds[2]);
    n += talk_want(&e->t, fds + 3, &timeout);
    if (svconn_poll(fds, n, probing ? 0 : timeout) < 0)
        for (nfds_t i = 0; i < n; i++) fds[i].revents = 0;
    if (probing && !fds[0].revents) e->msg_ready = 1;
    person_ready(&e->person, &fds[2]);
    talk_ready(&e->t);
    person_look(&e->person, &e->t);
    if (fds[0].revents) read_input(e);
    send_message(e);
    if (writing && e->back && (fds[1].revents || e->back_len == 0)) write_output(e);
    show_progress(e, 0);
}

static int run(echo *e) {
    while (!is_finished(e)) step(e);
    show_progress(e, 1);
    int code = talk_report(&e->t);
    if (code == EXIT_DONE && e->code < 0 && e->window_len > 0) {
        say("the peer closed in order, but the last %zu bytes did not come back", e->window_len);
        return EXIT_LINK;
    }
    return e->code >= 0 ? e->code : code;
}

/* ---- setting up ---- */
static int open_files(echo *e, const char *file) {
    struct stat st;
    e->in = STDIN_FILENO;
    e->out = STDOUT_FILENO;
    if (file && strcmp(file, "-") != 0) e->in = open(file, O_RDONLY | O_CLOEXEC);
    if (e->in < 0) {
        say("cannot open %s: %s", file, strerror(errno));
        return EXIT_LOCAL;
    }
    e->slice = fstat(e->out, &st) == 0 && S_ISREG(st.st_mode) ? SVCONN_MESSAGE_MAX : SLICE;
    e->progress = isatty(STDERR_FILENO) && !isatty(e->out);
    e->in = stream_in(e->in);
    e->out = stream_out(e->out);
    if (e->in < 0 || e->out < 0) {
        say("cannot read or write standard input and output: %s", strerror(errno));
        return EXIT_LOCAL;
    }
    e->window = malloc(WINDOW);
    if (e->window) return EXIT_DONE;
    say("out of memory");
    return EXIT_LOCAL;
}

static int connect_and_run(echo *e, const party *p, const char *address) {
    svconn_link link;
    svconn_why why;
    if (svconn_link_open_with(&link, address, &p->link, OPEN_MS, &why) != 0) {
        say("%s", why.text);
        return why.fault == SVCONN_FAULT_LOCAL ? EXIT_LOCAL : EXIT_LINK;
    }
    int code = talk_open(&e->t, p, &link, "");
    if (code != EXIT_DONE) return code;
    code = run(e);
    talk_close(&e->t);
    if (stream_finish(e->out) == 0 || code != EXIT_DONE) return code;
    say("cannot write all of it to standard output");
    return EXIT_LOCAL;
}

static int prepare(echo *e, party *p, const party_options *o, int early, const char *address, const char *file) {
    int code = party_open(p, o, address, SVCONN_CLIENT);
    if (code != EXIT_DONE) return code;
    if (p->any)
        say("--peer any: whoever answers is taken, which is not safe; compare the authenticator digits that both ends "
            "show with --verbose");
    p->config.early = early ? SVCONN_EARLY_IF_SAFE : SVCONN_EARLY_NEVER;
    if (o->verbose) party_say_own(p);
    return open_files(e, file);
}

int cmd_echo(int argc, char **argv) {
    static echo e; /* 64 KB and more: not on the stack */
    static party p;
    party_options o = {.command = "echo"};
    unsigned long size = 16000;
    int early = 0;
    const char *operand[3] = {NULL, NULL, NULL};
    char address[PAIRING_ADDRESS];
    uint8_t psk[32] = {0};
    option rows[PARTY_ROWS + 2] = {
        {"size", "BYTES", "bytes in a message, 1 to 65535; default 16000", OPTION_NUMBER, &size, 1, SVCONN_MESSAGE_MAX},
        {"early", NULL, "send before the server has confirmed (protocol.md, section 3.8)", OPTION_FLAG, &early, 0, 0},
    };
    party_rows(rows + 2, &o, SVCONN_CLIENT);
    const usage u = {
        .command = "echo",
        .operands = "ADDRESS [FILE]",
        .about = "Sends FILE, or standard input, to an echo server; writes what comes back to standard output, and\n"
                 "fails if it is not the same. At most 1 MiB is on its way at any time.",
        .more = "Addresses: see \"svconn --help\"; or pairing:FILE, a pairing link of the listener.",
        .rows = rows,
        .n_rows = PARTY_ROWS + 2,
        .least_operands = 1,
        .most_operands = 2};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (strcmp(operand[0], "stdio:") == 0)
        return options_fault("echo", "stdio: is taken by the data; use fd:IN,OUT with other descriptors");
    if (strncmp(operand[0], "pairing:", 8) == 0) {
        code = pairing_read(operand[0] + 8, address, psk);
        if (code != EXIT_DONE) return code;
        operand[0] = address;
        o.pairing = psk;
    }
    e.size = size;
    e.code = -1;
    e.person = (person)PERSON_NONE;
    code = prepare(&e, &p, &o, early, operand[0], operand[1]);
    if (code == EXIT_DONE) code = connect_and_run(&e, &p, operand[0]);
    wipe(psk, sizeof psk);
    free(e.window);
    party_close(&p);
    return code;
}
