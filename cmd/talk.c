/* SPDX-License-Identifier: ISC */
#include "talk.h"

#include "cmd.h"
#include "codec.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)
#define BULK 2        /* so many of them: each system call carries more */
#define FLUSH_MS 2000 /* how long the last bytes may take, to a peer that does not read */

int talk_open(talk *t, const party *p, svconn_link *link, const char *who) {
    uint8_t seed[32];
    memset(t, 0, sizeof *t);
    t->party = p;
    t->link = *link;
    t->confirmed = !p->confirm;
    snprintf(t->who, sizeof t->who, "%s", who);
    size_t size = p->bulk ? BULK * BUFFER : BUFFER;
    t->buffers = malloc(2 * size);
    if (!t->buffers || svconn_random(seed, sizeof seed) != 0) {
        say("%s%s", who, t->buffers ? "the system gives no random bytes" : "out of memory");
        talk_close(t);
        return EXIT_LOCAL;
    }
    t->config = p->config;
    t->config.context = t->context;
    svconn_err e =
        svconn_link_context(link, t->context, &t->config.context_len, p->config.context, p->config.context_len);
    if (e == SVCONN_OK) e = svconn_init(&t->s, &t->config, seed, t->buffers, size, t->buffers + size, size);
    if (e != SVCONN_OK) {
        say("%s%s", who, svconn_strerror(e));
        talk_close(t);
        return EXIT_LOCAL;
    }
    return EXIT_DONE;
}

nfds_t talk_want(talk *t, struct pollfd *fds, int *timeout_ms) {
    int wait = -1;
    t->fds = fds;
    t->n = svconn_pump_want(&t->s, &t->link, fds, &wait);
    *timeout_ms = sooner(*timeout_ms, wait);
    if (t->flush_until) *timeout_ms = sooner(*timeout_ms, ms_until(t->flush_until));
    return t->n;
}

void talk_ready(talk *t) {
    svconn_err e = svconn_pump_ready(&t->s, &t->link, t->fds, t->n);
    (void)e; /* a failure stays in the session, where talk_is_over and talk_report find it */
    party_answer(t->party, &t->s, t->who);
    talk_note_keys(t);
    if (!t->told && svconn_status(&t->s) == SVCONN_CONNECTED) {
        t->told = 1;
        if (t->party->verbose) party_say_peer(&t->s, t->who);
        /* Who is to type the digits that the other sees must not be able to copy them from here. */
        if (t->party->verbose && t->confirmed) party_say_digits(&t->s, t->who);
    }
}

void talk_add(talk *t, fdset *set) {
    int wait = -1;
    talk_want(t, t->own, &wait);
    for (nfds_t i = 0; i < t->n; i++) t->place[i] = fdset_add(set, (int)t->own[i].fd, t->own[i].events);
    fdset_within(set, wait);
}

void talk_go(talk *t, const fdset *set) {
    for (nfds_t i = 0; i < t->n; i++) t->own[i].revents = fdset_got(set, t->place[i]);
    talk_ready(t);
}

void talk_flush(talk *t) {
    svconn_err e = svconn_pump_ready(&t->s, &t->link, NULL, 0); /* a message read now would wait for the next event */
    (void)e;                                                    /* as in talk_ready */
}

void talk_drop_messages(talk *t) {
    const uint8_t *msg;
    size_t len;
    while (svconn_recv(&t->s, &msg, &len) == SVCONN_OK && svconn_recv_done(&t->s) == SVCONN_OK) {
    }
}

talk_question talk_asks(const talk *t) {
    svconn_state state = svconn_status(&t->s);
    if (state == SVCONN_NEEDS_VERDICT && t->party->ask) return TALK_ASKS_VERDICT;
    if (state == SVCONN_CONNECTED && t->gate == GATE_ASKS) return TALK_ASKS_GATE;
    if (t->gate == GATE_NO) return TALK_ASKS_NOTHING;
    return state == SVCONN_CONNECTED && !t->confirmed ? TALK_ASKS_DIGITS : TALK_ASKS_NOTHING;
}

void talk_answer(talk *t, int yes) {
    if (svconn_status(&t->s) == SVCONN_NEEDS_VERDICT) {
        if (yes) party_accept(&t->s);
        else party_refuse(t->party, &t->s, t->who);
    } else if (t->gate == GATE_ASKS) {
        t->gate = yes ? GATE_YES : GATE_NO;
    } else if (yes) {
        t->confirmed = 1;
    } else if (t->polite) {
        t->gate = GATE_NO;
    } else {
        svconn_abort(&t->s);
    }
}

int talk_is_over(talk *t) {
    svconn_state state = svconn_status(&t->s);
    if (state != SVCONN_CLOSED && state != SVCONN_FAILED) return 0;
    if (!t->flush_until) t->flush_until = svconn_now() + FLUSH_MS;
    return svconn_pump_is_over(&t->s, &t->link) || svconn_now() >= t->flush_until;
}

void talk_note(talk *t, talk_count *c, size_t len) {
    c->messages++;
    c->bytes += len;
    talk_note_keys(t);
}

/* Key ids run from 1 to 32767 and begin again; between two looks a direction makes few steps. */
static int note_key(talk_count *c, unsigned id) {
    if (id == 0 || id == c->id) return 0;
    unsigned before = c->id;
    c->id = id;
    if (before == 0) return 0;
    c->renewals += (id + 32767 - before) % 32767;
    return 1;
}

void talk_note_keys(talk *t) {
    unsigned sending, receiving;
    svconn_key_ids(&t->s, &sending, &receiving);
    int changed = note_key(&t->sent, sending) | note_key(&t->received, receiving);
    if (changed && t->party->verbose)
        say("%snew key: sending with key %u, receiving with key %u", t->who, t->sent.id, t->received.id);
}

int talk_report(talk *t) {
    svconn_err e = svconn_error(&t->s);
    if (t->party->verbose && t->told) {
        say("%ssent: %llu messages, %llu bytes, %lu new keys", t->who, t->sent.messages, t->sent.bytes,
            t->sent.renewals);
        say("%sreceived: %llu messages, %llu bytes, %lu new keys", t->who, t->received.messages, t->received.bytes,
            t->received.renewals);
    }
    if (e != SVCONN_OK) say("%send: %s: %s", t->who, svconn_reason_name(e), svconn_strerror(e));
    else if (t->party->verbose) say("%send: closed in order", t->who);
    return e == SVCONN_OK ? EXIT_DONE : EXIT_LINK;
}

void talk_close(talk *t) {
    if (t->buffers) svconn_wipe(&t->s); /* wipes the buffers too */
    svconn_link_close(&t->link);
    free(t->buffers);
    memset(t, 0, sizeof *t);
    t->link = (svconn_link)SVCONN_LINK_NONE;
}
