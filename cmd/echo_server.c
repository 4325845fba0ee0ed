/* SPDX-License-Identifier: ISC */
/* svconn echo-server: sends every message back, on many connections at once. */
#include "cmd.h"
#include "options.h"
#include "codec.h"
#include "pairing.h"
#include "party.h"
#include "person.h"
#include "svconn_transport.h"
#include "talk.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define RETRY_MS 1000 /* before a relay is asked again; doubles */
#define RETRY_MAX_MS 60000
#define REST_MS 100  /* after accept failed, for want of descriptors perhaps: else poll returns at once for ever */
#define STOP_MS 2000 /* for the peers' CLOSE, once a signal came */

typedef struct {
    party party;
    svconn_listener listener;
    talk *talks[CONNECTIONS_MAX]; /* NULL: free */
    person person;
    size_t n_talks;
    unsigned long number; /* of the latest connection, for log lines */
    uint64_t rest_until, retry_ms, listening_at;
    const char *address, *pairing;
    int once;
    uint64_t stop_at; /* 0: no signal came */
    int last;         /* outcome of the latest connection that ended */
} server;

/* ---- the end by a signal: the handler writes a byte that wakes poll ---- */
static int stop_pipe[2] = {-1, -1};

static void on_signal(int number) {
    int saved = errno;
    (void)number;
    if (write(stop_pipe[1], "", 1) < 0) { /* full: poll wakes up anyway */
    }
    errno = saved;
}

static void catch_signals(void) {
    struct sigaction action;
    if (pipe(stop_pipe) != 0) return; /* then signals end the process as usual */
    for (int i = 0; i < 2; i++) {
        fcntl(stop_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(stop_pipe[i], F_SETFL, O_NONBLOCK);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- one connection ---- */
/* Sends back what has come, as long as it fits. What does not fit stays lent in the session, which then reads no more
 * from the link: so a peer that does not take its echo is slowed down, and costs us no memory. */
static void echo_messages(talk *t) {
    const uint8_t *msg;
    size_t len;
    svconn_err e;
    while ((e = svconn_recv(&t->s, &msg, &len)) == SVCONN_OK) {
        e = svconn_send(&t->s, msg, len, svconn_now());
        if (e != SVCONN_OK) break;
        talk_note(t, &t->received, len);
        talk_note(t, &t->sent, len);
        if (svconn_recv_done(&t->s) != SVCONN_OK) return;
    }
    if (e == SVCONN_END && svconn_status(&t->s) == SVCONN_CONNECTED) e = svconn_close(&t->s, svconn_now());
    if (e != SVCONN_OK && e != SVCONN_AGAIN && e != SVCONN_END && !svconn_is_failure(e)) svconn_abort(&t->s);
}

/* After our CLOSE, what still comes on the way to the peer's has nobody to go to. */
static void drop_messages(talk *t) {
    const uint8_t *msg;
    size_t len;
    while (svconn_recv(&t->s, &msg, &len) == SVCONN_OK && svconn_recv_done(&t->s) == SVCONN_OK) {
    }
}

static void add_talk(server *v, svconn_link *link) {
    char who[16], peer[100];
    size_t i = 0;
    snprintf(who, sizeof who, "#%lu: ", ++v->number);
    svconn_link_peer(link, peer, sizeof peer);
    while (i < CONNECTIONS_MAX - 1 && v->talks[i]) i++; /* one is free, or we would not have accepted */
    v->talks[i] = malloc(sizeof(talk));
    if (!v->talks[i]) {
        say("%sout of memory", who);
        svconn_link_close(link);
        v->last = EXIT_LOCAL;
        return;
    }
    if (v->party.verbose) say("%sconnection from %s", who, peer);
    if (talk_open(v->talks[i], &v->party, link, who) != EXIT_DONE) {
        free(v->talks[i]);
        v->talks[i] = NULL;
        v->last = EXIT_LOCAL;
        return;
    }
    v->n_talks++;
}

static void end_talk(server *v, size_t i) {
    person_forget(&v->person, v->talks[i]);
    v->last = talk_report(v->talks[i]);
    talk_close(v->talks[i]);
    free(v->talks[i]);
    v->talks[i] = NULL;
    v->n_talks--;
    for (size_t j = 0; j < CONNECTIONS_MAX; j++) /* whoever waited until the person was free */
        if (v->talks[j]) person_look(&v->person, v->talks[j]);
}

/* ---- all of them ---- */
static int at_relay(const server *v) { return strncmp(v->address, "relay://", 8) == 0; }

/* 0, or -1 after it said why. */
static int listen_again(server *v) {
    svconn_why why;
    svconn_listener_close(&v->listener);
    if (svconn_listen_with(&v->listener, v->address, &v->party.link, &why) != 0) {
        say("%s", why.text);
        return -1;
    }
    say("listening on %s", v->listener.address);
    return 0;
}

/* A token was used, or the relay lost: another token, or registration. Others who lost the relay at the same time come
 * back too, so each waits longer than the time before, and not all equally long. */
static void return_to_relay(server *v) {
    uint8_t dice = 0;
    if (svconn_now() < v->rest_until) return;
    if (listen_again(v) == 0) v->listening_at = svconn_now();
    (void)!svconn_random(&dice, 1);
    if (v->listener.fd < 0) v->rest_until = svconn_now() + v->retry_ms + v->retry_ms * dice / 256;
    v->retry_ms = v->retry_ms * 2 < RETRY_MAX_MS ? v->retry_ms * 2 : RETRY_MAX_MS;
}

/* Listeners without a descriptor (a directory, standard input) are asked while no connection is open, and that may
 * wait. Standard input and a child have one link. Returns -1 to go on, or the exit code. */
static int accept_waiting(server *v) {
    svconn_why why;
    svconn_link link = SVCONN_LINK_NONE;
    int may_retry = strncmp(v->address, "wormhole:", 9) == 0 && !v->once;
    if (v->listener.spent && !may_retry) return v->last;
    while (svconn_listener_accept(&v->listener, &link, -1, &why) != 0) {
        say("%s%s", why.text, may_retry ? "; trying again" : "");
        if (!may_retry) return EXIT_LINK;
        poll(NULL, 0, RETRY_MS);
    }
    add_talk(v, &link);
    return -1;
}

static void accept_ready(server *v) {
    svconn_why why;
    svconn_link link = SVCONN_LINK_NONE;
    if (svconn_listener_accept(&v->listener, &link, 0, &why) == 0) {
        v->retry_ms = RETRY_MS;
        if (v->n_talks < CONNECTIONS_MAX && !(v->once && v->number > 0)) add_talk(v, &link);
        else svconn_link_close(&link);
        return;
    }
    int lost = at_relay(v) && v->listener.fd < 0;
    if (lost || (v->party.verbose && why.fault != SVCONN_FAULT_NOT_THERE))
        say("%s", why.text); /* the caller may have gone again */
    if (lost && svconn_now() >= v->listening_at + RETRY_MAX_MS) v->retry_ms = RETRY_MS; /* it had held */
    if (lost && v->once) v->last = EXIT_LINK;
    if (lost || !at_relay(v)) v->rest_until = svconn_now() + (lost ? v->retry_ms : REST_MS);
}

/* What to wait for to get another connection: fds, and a shorter *timeout_ms. A registration at a relay is looked after
 * also while there is no room. */
static nfds_t want_more(const server *v, struct pollfd *fds, int *timeout_ms) {
    int full = v->n_talks == CONNECTIONS_MAX || (v->once && v->number > 0);
    if (v->stop_at || (full && !at_relay(v))) return 0;
    if (svconn_now() >= v->rest_until) return svconn_listener_want(&v->listener, fds, timeout_ms);
    *timeout_ms = sooner(*timeout_ms, ms_until(v->rest_until));
    return 0;
}

/* A signal came, or a second one: CLOSE to all who are connected, the error packet to the others. */
static void stop(server *v) {
    char bytes[16];
    if (read(stop_pipe[0], bytes, sizeof bytes) < 0) return;
    int again = v->stop_at != 0;
    v->stop_at = svconn_now() + (again ? 0 : STOP_MS);
    if (!again && v->n_talks) say("ending %zu connection%s", v->n_talks, v->n_talks == 1 ? "" : "s");
    for (size_t i = 0; i < CONNECTIONS_MAX && !again; i++) {
        if (!v->talks[i]) continue;
        svconn *s = &v->talks[i]->s;
        if (svconn_status(s) != SVCONN_CONNECTED || svconn_close(s, svconn_now()) != SVCONN_OK) svconn_abort(s);
    }
}

/* One round of poll. */
static void serve_once(server *v) {
    struct pollfd fds[2 + SVCONN_LISTENER_FDS + 2 * CONNECTIONS_MAX];
    int timeout = v->stop_at ? ms_until(v->stop_at) : -1;
    if (v->listener.fd < 0 && at_relay(v) && !v->once && !v->stop_at)
        timeout = sooner(timeout, ms_until(v->rest_until));
    fds[0] = (struct pollfd){.fd = stop_pipe[0], .events = POLLIN};
    person_want(&v->person, &fds[1]);
    nfds_t doors = want_more(v, fds + 2, &timeout), n = 2 + doors;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (v->talks[i]) n += talk_want(v->talks[i], fds + n, &timeout);
    if (poll(fds, n, timeout) < 0) {
        for (nfds_t i = 0; i < n; i++) fds[i].revents = 0;
        if (errno != EINTR) say("poll: %s", strerror(errno));
    }
    person_ready(&v->person, &fds[1]);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (!v->talks[i]) continue;
        talk_ready(v->talks[i]);
        person_look(&v->person, v->talks[i]);
        if (v->stop_at) drop_messages(v->talks[i]);
        else if (v->talks[i]->confirmed) echo_messages(v->talks[i]);
        if (talk_is_over(v->talks[i])) end_talk(v, i);
    }
    if (doors && (at_relay(v) || fds[2].revents)) accept_ready(v);
    if (fds[0].revents) stop(v);
}

static int serve(server *v) {
    for (;;) {
        int gone = v->listener.fd < 0;
        if (v->once && (v->number > 0 || (gone && at_relay(v))) && v->n_talks == 0) return v->last;
        if (gone && at_relay(v) && !v->stop_at && !v->once) return_to_relay(v);
        else if (gone && v->n_talks == 0 && !at_relay(v)) {
            int code = accept_waiting(v);
            if (code >= 0) return code;
            continue;
        }
        if (v->stop_at && (v->n_talks == 0 || ms_until(v->stop_at) == 0)) return EXIT_DONE;
        serve_once(v);
    }
}

static int run(server *v, const char *address) {
    svconn_why why;
    v->address = address;
    v->person = (person)PERSON_NONE;
    v->retry_ms = RETRY_MS;
    if (svconn_listen_with(&v->listener, address, &v->party.link, &why) != 0) {
        say("%s", why.text);
        return why.fault == SVCONN_FAULT_LOCAL ? EXIT_LOCAL : EXIT_LINK;
    }
    if (v->pairing) {
        int written = pairing_write(v->pairing, v->listener.address, v->party.psk);
        if (written != EXIT_DONE) return written;
    }
    if (v->listener.fd >= 0) {
        say("listening on %s", v->listener.address);
        catch_signals();
    }
    int code = serve(v);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (!v->talks[i]) continue;
        talk_close(v->talks[i]);
        free(v->talks[i]);
    }
    svconn_listener_close(&v->listener);
    return code;
}

int cmd_echo_server(int argc, char **argv) {
    static server v;
    party_options o = {.command = "echo-server"};
    const char *operand[2] = {NULL, NULL};
    const char *pairing = NULL;
    static uint8_t psk[32];
    option rows[PARTY_ROWS + 4] = {
        {"once", NULL, "serve one connection; the exit code tells how it went", OPTION_FLAG, &v.once, 0, 0},
        {"open", NULL, "show our key at a relay, to callers who do not know it", OPTION_FLAG, &o.open, 0, 0},
        {"confirm", NULL,
         "answer nothing before the person at the terminal has typed the\nauthenticator digits that the caller sees",
         OPTION_FLAG, &o.confirm, 0, 0},
        {"pairing", "FILE",
         "at a relay: write a link for one caller, with a key in it, into FILE; the\ncaller uses pairing:FILE, and "
         "nothing else has to be known",
         OPTION_TEXT, &pairing, 0, 0},
    };
    party_rows(rows + 4, &o, SVCONN_SERVER);
    const usage u = {
        .command = "echo-server",
        .operands = "ADDRESS",
        .about =
            "Sends every message back until the peer closes. Serves up to 64 connections at once (on stdio: one).\n"
            "At a relay, relay://HOST:PORT/ gets a token for one caller, and another one when that was used.\n"
            "Nobody is accepted but the peers of --peer.",
        .more = "Addresses: see \"svconn --help\". SIGINT and SIGTERM close the connections in order, within 2\n"
                "seconds, and end the server; on stdio they end it at once.",
        .rows = rows,
        .n_rows = PARTY_ROWS + 4,
        .least_operands = 1,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (pairing && svconn_random(psk, sizeof psk) != 0) return EXIT_LOCAL;
    if (pairing) o.pairing = psk;
    if (pairing) v.once = 1;
    v.pairing = pairing;
    code = party_open(&v.party, &o, operand[0], SVCONN_SERVER);
    if (code != EXIT_DONE) return code;
    wipe(psk, sizeof psk); /* the party has it */
    if (!o.psk && !pairing && o.peers.n == 0)
        say("no --peer: nobody will be accepted. A peer that tries will be shown here, with the option that allows "
            "it.");
    if (v.party.any && !v.party.confirm) say("--peer any: everybody is accepted");
    party_say_own(&v.party);
    code = run(&v, operand[0]);
    party_close(&v.party);
    return code;
}
