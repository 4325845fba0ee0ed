/* SPDX-License-Identifier: ISC */
/* svconn echo-server: sends every message back, on many connections at once. */
#include "cmd.h"
#include "options.h"
#include "codec.h"
#include "entrance.h"
#include "pairing.h"
#include "party.h"
#include "person.h"
#include "signals.h"
#include "svconn_transport.h"
#include "talk.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 64
#define STOP_MS 2000 /* for the peers' CLOSE, once a signal came */

typedef struct {
    party party;
    entrance entrance;
    fdset set;
    int signals;
    talk *talks[CONNECTIONS_MAX]; /* NULL: free */
    person person;
    size_t n_talks;
    unsigned long number; /* of the latest connection, for log lines */
    const char *pairing;
    int once;
    uint64_t stop_at; /* 0: no signal came */
    int last;         /* outcome of the latest connection that ended */
} server;

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
/* A signal came, or a second one: CLOSE to all who are connected, the error packet to the others. */
static void stop(server *v) {
    if (!signals_next()) return;
    int again = v->stop_at != 0;
    v->stop_at = svconn_now() + (again ? 0 : STOP_MS);
    if (!again && v->n_talks) say("ending %zu connection%s", v->n_talks, v->n_talks == 1 ? "" : "s");
    for (size_t i = 0; i < CONNECTIONS_MAX && !again; i++) {
        if (!v->talks[i]) continue;
        svconn *s = &v->talks[i]->s;
        if (svconn_status(s) != SVCONN_CONNECTED || svconn_close(s, svconn_now()) != SVCONN_OK) svconn_abort(s);
    }
}

static void end_what_is_over(server *v) {
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (!v->talks[i]) continue;
        talk_go(v->talks[i], &v->set);
        person_look(&v->person, v->talks[i]);
        if (v->stop_at) talk_drop_messages(v->talks[i]);
        else if (v->talks[i]->confirmed) echo_messages(v->talks[i]);
        if (talk_is_over(v->talks[i])) end_talk(v, i);
    }
}

/* One round of poll. */
static void serve_once(server *v) {
    svconn_link link = SVCONN_LINK_NONE;
    int full = v->n_talks == CONNECTIONS_MAX || (v->once && v->number > 0);
    struct pollfd asked;
    fdset_clear(&v->set);
    if (v->stop_at) fdset_within(&v->set, ms_until(v->stop_at));
    size_t stopped = fdset_add(&v->set, v->signals, POLLIN);
    person_want(&v->person, &asked);
    size_t at_person = fdset_add(&v->set, (int)asked.fd, asked.events);
    v->entrance.n = 0;
    if (!v->stop_at) entrance_want(&v->entrance, full, &v->set);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (v->talks[i]) talk_add(v->talks[i], &v->set);
    fdset_wait(&v->set);
    asked.revents = fdset_got(&v->set, at_person);
    person_ready(&v->person, &asked);
    end_what_is_over(v);
    int came = entrance_ready(&v->entrance, &v->set, &link);
    if (came < 0) v->last = EXIT_LINK;
    if (came > 0 && v->n_talks < CONNECTIONS_MAX && !(v->once && v->number > 0)) add_talk(v, &link);
    else if (came > 0) svconn_link_close(&link);
    if (fdset_got(&v->set, stopped)) stop(v);
}

/* Listeners without a descriptor are asked while no connection is open, and that may wait. */
static int accept_waiting(server *v) {
    svconn_link link = SVCONN_LINK_NONE;
    int came = entrance_wait(&v->entrance, &link);
    if (came > 0) add_talk(v, &link);
    return came > 0 ? -1 : came < 0 ? EXIT_LINK : v->last;
}

static int serve(server *v) {
    for (;;) {
        int gone = v->entrance.listener.fd < 0, can_poll = entrance_can_poll(&v->entrance);
        if (v->once && (v->number > 0 || (gone && can_poll)) && v->n_talks == 0) return v->last;
        if (!can_poll && v->n_talks == 0) {
            int code = accept_waiting(v);
            if (code >= 0) return code;
            continue;
        }
        if (v->stop_at && (v->n_talks == 0 || ms_until(v->stop_at) == 0)) return EXIT_DONE;
        serve_once(v);
    }
}

static int run(server *v, const char *address) {
    v->signals = -1;
    v->person = (person)PERSON_NONE;
    v->entrance.once = v->once;
    v->entrance.verbose = v->party.verbose;
    int code = entrance_open(&v->entrance, address, &v->party.link);
    if (code == EXIT_DONE && v->pairing) code = pairing_write(v->pairing, v->entrance.listener.address, v->party.psk);
    if (code == EXIT_DONE && v->entrance.listener.fd >= 0) {
        say("listening on %s", v->entrance.listener.address);
        v->signals = signals_catch(0);
    }
    if (code == EXIT_DONE) code = serve(v);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (!v->talks[i]) continue;
        talk_close(v->talks[i]);
        free(v->talks[i]);
    }
    entrance_close(&v->entrance);
    fdset_free(&v->set);
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
