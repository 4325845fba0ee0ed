/* SPDX-License-Identifier: ISC */
/*
 * The listening side at a relay: one control session, and for a registered machine up to DATA_MAX links to callers that
 * are on their way. Nothing here waits when the caller's deadline is now: a program with other sessions in its poll
 * loop must not stand still because somebody rings. (Only proxies on the way are talked to with waiting.)
 */
#include "svconn_posix.h" /* first */
#include "relay_talk.h"
#include "ct.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_MAX (SVCONN_LISTENER_FDS - 1)
#define DATA_MS 15000 /* for the link to a caller: as long as a relay waits, unless it was told otherwise */
#define PACKETS 32    /* of one session, in one accept */

typedef struct {
    svconn_talk *control;
    svconn_talk *data[DATA_MAX]; /* NULL: free */
} relay_listener;

/* ---- listen ------------------------------------------------------------------------------------- */

/* n->address: what the caller needs, the relay's key included. */
static void write_address(svconn_listener *n, const svconn_talk *t, const char *public_name, const char *what) {
    const svconn_address *a = &t->a;
    char hex[65];
    svconn_talk_hex(hex, t->relay_key);
    if (*public_name) snprintf(n->address, sizeof n->address, "relay://%s@%s/%s", hex, public_name, what);
    else
        snprintf(n->address, sizeof n->address, strchr(a->host, ':') ? "relay://%s@[%s]:%s/%s" : "relay://%s@%s:%s/%s",
                 hex, a->host, a->port, what);
}

static int get_token(svconn_listener *n, svconn_talk *t, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    char token[RELAY_TOKEN_LEN + 1], shown[RELAY_TOKEN_LEN + 2], name[RELAY_PUBLIC_NAME_MAX + 1];
    if (svconn_talk_expect(t, RELAY_TOKEN, 3 + RELAY_TOKEN_LEN, msg, &len, why) != 0) return -1;
    memcpy(token, msg + 1, RELAY_TOKEN_LEN);
    token[RELAY_TOKEN_LEN] = 0;
    if (svconn_token_read(&t->a.token, token) != 0)
        return svconn_talk_because(&t->a, SVCONN_FAULT_RELAY_REFUSED, "the relay gives a token that is none", why);
    svconn_token_write(token, t->a.token);
    snprintf(shown, sizeof shown, "%.4s-%.4s", token, token + 4);
    size_t name_len = len - 3 - RELAY_TOKEN_LEN;
    memcpy(name, msg + 3 + RELAY_TOKEN_LEN, name_len);
    name[name_len] = 0;
    if (strlen(name) != name_len || !svconn_relay_is_public_name(name)) name[0] = 0;
    write_address(n, t, name, shown);
    return 0;
}

static int prove_name(svconn_listener *n, svconn_talk *t, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX], proof[1 + 32] = {RELAY_PROOF}, binding[32];
    char hex[65];
    size_t len;
    if (svconn_talk_expect(t, RELAY_CHALLENGE, 33, msg, &len, why) != 0) return -1;
    int bad =
        svconn_export(&t->s, RELAY_BINDING_LABEL, NULL, 0, binding, 32) ||
        svconn_relay_proof(proof + 1, n->options->owner->secret, t->relay_key, t->a.peer_key, msg + 1, binding) != 0 ||
        svconn_send(&t->s, proof, sizeof proof, svconn_now());
    ct_wipe(binding, sizeof binding);
    ct_wipe(proof, sizeof proof);
    if (bad) return svconn_talk_because(&t->a, SVCONN_FAULT_RELAY_REFUSED, "the relay asks what no relay may ask", why);
    if (svconn_talk_expect(t, RELAY_REGISTERED, 1, msg, &len, why) != 0) return -1;
    svconn_talk_hex(hex, t->a.peer_key);
    write_address(n, t, "", hex);
    return 0;
}

static void end_listening(svconn_listener *n, int keep_fd) {
    relay_listener *r = n->state;
    svconn_talk_end(r->control, keep_fd);
    for (int i = 0; i < DATA_MAX; i++) svconn_talk_end(r->data[i], 0);
    free(r);
    n->ops = NULL; /* a token is good for one accept; and a lost registration is over */
    n->fd = -1;
    n->spent = 1;
}

static void relay_close(svconn_listener *n) { end_listening(n, 0); }

/* ---- accept ------------------------------------------------------------------------------------- */

/* A caller rang: the data link is a connection of its own, to where the first one leads. */
static void answer_ring(svconn_listener *n, const uint8_t *ticket) {
    relay_listener *r = n->state;
    const svconn_talk *c = r->control;
    svconn_address a = c->a;
    int i = 0;
    while (i < DATA_MAX && r->data[i]) i++;
    if (i == DATA_MAX) return; /* the caller is told by the relay that we did not answer */
    a.relay_known = 1;
    memcpy(a.relay_key, c->relay_key, 32);
    int by_proxy = n->options->via != NULL;
    int fd = by_proxy ? svconn_dial(&a, n->options->via, svconn_deadline(DATA_MS), NULL) : svconn_socket_again(c->fd);
    if (fd < 0) return;
    r->data[i] = svconn_talk_new(fd, &a, n->options, RELAY_DATA, ticket, NULL);
    if (!r->data[i]) return;
    memcpy(r->data[i]->name, c->name, RELAY_NAME_LEN);
    r->data[i]->connecting = !by_proxy;
    r->data[i]->end = svconn_deadline(DATA_MS);
}

/* 1: *l is a link; 0: nobody yet, *next as in relay_talk.h; -1: it is over */
static int look_at_control(svconn_listener *n, svconn_link *l, uint64_t *next, svconn_why *why) {
    relay_listener *r = n->state;
    svconn_talk *t = r->control;
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    for (int i = 0; i < PACKETS; i++) {
        int got = svconn_talk_turn(t, next, why), came = got;
        if (got >= 0) got = svconn_talk_message(t, msg, &len, why);
        if (got < 0) return -1;
        if (got > 0 && msg[0] == RELAY_JOINED && len == 2 && t->a.meet != SVCONN_MEET_KEY)
            return svconn_talk_link(t, msg, SVCONN_SERVER, l, why) == 0 ? 1 : -1;
        if (got > 0 && (msg[0] != RELAY_RING || len != 1 + RELAY_TICKET_LEN || t->a.meet != SVCONN_MEET_KEY))
            return svconn_talk_because(&t->a, SVCONN_FAULT_CUT, "the relay answers out of order", why);
        if (got > 0) answer_ring(n, msg + 1);
        else if (came == 0) return 0;
        if (got > 0 && n->options->via) break; /* that waited */
    }
    *next = 0; /* there may be more */
    return 0;
}

/* As above; -1 concerns this link only. */
static int look_at_data(svconn_talk *t, svconn_link *l, uint64_t *next, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    for (int i = 0, got = 1; i < PACKETS && got > 0; i++) {
        got = svconn_talk_turn(t, next, why);
        if (got < 0) return -1;
        if (got > 0) *next = 0; /* there may be more */
        int message = svconn_talk_message(t, msg, &len, why);
        if (message < 0) return -1;
        if (message > 0 && msg[0] == RELAY_JOINED && len == 2)
            return svconn_talk_link(t, msg, SVCONN_SERVER, l, why) == 0 ? 1 : -1;
    }
    if (t->end < *next) *next = t->end;
    if (svconn_now() < t->end) return 0;
    return svconn_talk_because(&t->a, SVCONN_FAULT_CUT, "the relay did not join a caller with us in time", why);
}

/* 1: a link; 0: nobody yet; -1: one of the links on their way was lost */
static int look_at_all(svconn_listener *n, svconn_link *l, uint64_t *next, svconn_why *why) {
    relay_listener *r = n->state;
    for (int i = 0; i < DATA_MAX; i++) {
        uint64_t then;
        if (!r->data[i]) continue;
        int got = look_at_data(r->data[i], l, &then, why);
        if (got != 0) {
            svconn_talk_end(r->data[i], got > 0);
            r->data[i] = NULL;
            *next = 0; /* the others were not looked at */
            return got;
        }
        if (then < *next) *next = then;
    }
    return 0;
}

static nfds_t relay_want(const svconn_listener *n, struct pollfd fds[SVCONN_LISTENER_FDS], int *timeout_ms) {
    const relay_listener *r = n->state;
    nfds_t count = 0;
    fds[count++] = svconn_talk_poll(r->control);
    for (int i = 0; i < DATA_MAX; i++)
        if (r->data[i]) fds[count++] = svconn_talk_poll(r->data[i]);
    int left = svconn_time_left(n->next);
    if (*timeout_ms < 0 || (left >= 0 && left < *timeout_ms)) *timeout_ms = left;
    return count;
}

static int relay_accept(svconn_listener *n, svconn_link *l, uint64_t end, svconn_why *why) {
    for (;;) {
        struct pollfd fds[SVCONN_LISTENER_FDS];
        int got = look_at_control(n, l, &n->next, why);
        if (got != 0) end_listening(n, got > 0);
        else got = look_at_all(n, l, &n->next, why);
        if (got != 0) return got > 0 ? 0 : -1;
        if (svconn_now() >= end)
            return svconn_because_of(why, SVCONN_FAULT_NOT_THERE, "nobody came to %.200s in time", n->address);
        int timeout = svconn_time_left(end);
        nfds_t count = relay_want(n, fds, &timeout);
        if (svconn_poll(fds, count, timeout) < 0 && errno != EINTR)
            return svconn_talk_because(&((relay_listener *)n->state)->control->a, SVCONN_FAULT_LOCAL,
                                       svconn_errno_text(errno), why);
    }
}

/* ---- listen ------------------------------------------------------------------------------------- */

/* To register, our own key must be the one of the address. */
static int check_owner(const svconn_address *a, const svconn_link_options *o, svconn_why *why) {
    size_t len = 0;
    const uint8_t *id = o && o->owner ? svconn_identity_bytes(o->owner, &len) : NULL;
    if (a->meet == SVCONN_MEET_TOKEN)
        return svconn_talk_because(a, SVCONN_FAULT_LOCAL, "the relay makes the token; to listen, leave it out", why);
    if (a->meet == SVCONN_MEET_NEW) return 0;
    if (len == 33 && id[0] == SVCONN_TYPE_ED25519 && memcmp(id + 1, a->peer_key, 32) == 0) return 0;
    return svconn_talk_because(a, SVCONN_FAULT_LOCAL, "to be registered under a key it must be our own", why);
}

static const svconn_listener_ops relay_ops = {.accept = relay_accept, .want = relay_want, .close = relay_close};

int svconn_relay_listen(svconn_listener *n, const svconn_address *a, uint64_t end, svconn_why *why) {
    if (check_owner(a, n->options, why) != 0) return -1;
    int by_key = a->meet == SVCONN_MEET_KEY;
    relay_listener *r = calloc(1, sizeof *r);
    if (!r) return svconn_talk_because(a, SVCONN_FAULT_LOCAL, "out of memory", why);
    r->control = svconn_talk_open(a, n->options, by_key ? RELAY_REGISTER : RELAY_LISTEN, end, why);
    if (!r->control || (by_key ? prove_name(n, r->control, why) : get_token(n, r->control, why)) != 0) {
        svconn_talk_end(r->control, 0);
        free(r);
        return -1;
    }
    n->ops = &relay_ops;
    n->state = r;
    n->fd = r->control->fd;
    return 0;
}
