/* SPDX-License-Identifier: ISC */
/*
 * The connection to the relay is itself a session, so nobody on the way sees the token (requirement R1). Packets are
 * read one at a time and to their last byte, because what follows JOINED comes from the other party.
 */
#include "svconn_posix.h" /* first */
#include "relay_talk.h"
#include "ct.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 2000    /* for our few bytes, on a connection that is there */
#define PATIENCE_MS 5000 /* of a relay, while a person is asked: half of what ours have */

/* ---- words -------------------------------------------------------------------------------------- */

static int request_refused(const svconn_address *a, uint8_t reason, svconn_why *why) {
    static const struct {
        svconn_fault fault;
        const char *text;
    } reasons[] = {
        [RELAY_NO_REQUEST] = {SVCONN_FAULT_RELAY_REFUSED,
                              "the relay does not understand us; is it of another version?"},
        [RELAY_NO_TOKEN] = {SVCONN_FAULT_TOKEN, "the token is not known there: mistyped, expired, or used already; "
                                                "ask the other party for a new one"},
        [RELAY_NO_SLOWER] = {SVCONN_FAULT_RELAY_REFUSED, "too many wrong tokens came from this address, so the relay "
                                                         "did not look at this one; try again in a minute"},
        [RELAY_NO_ROOM] = {SVCONN_FAULT_RELAY_REFUSED, "the relay is full, or has too many connections from this "
                                                       "address; try again later"},
        [RELAY_NO_PEER] = {SVCONN_FAULT_NOT_THERE, "no machine with this key is registered there; is it running, and "
                                                   "is this its relay?"},
        [RELAY_NO_ANSWER] = {SVCONN_FAULT_NOT_THERE, "the machine is registered there but did not answer in time; try "
                                                     "again, or look at its log"},
        [RELAY_NO_CALLER] = {SVCONN_FAULT_TOKEN, "nobody came with the token while it lived; ask for a new one"},
        [RELAY_NO_WITHDRAWN] = {SVCONN_FAULT_TOKEN, "somebody was guessing at the token, so the relay withdrew it; ask "
                                                    "for a new one"},
        [RELAY_NO_LONGER] = {SVCONN_FAULT_RELAY_REFUSED, "the relay is being shut down; try again later, or elsewhere"},
        [RELAY_NO_OWNER] = {SVCONN_FAULT_RELAY_REFUSED, "the relay does not believe that the key is ours"},
        [RELAY_NO_REPLACED] = {SVCONN_FAULT_CUT, "this machine has registered there again, on another connection; is a "
                                                 "second program running with the same key?"},
    };
    if (reason < sizeof reasons / sizeof reasons[0] && reasons[reason].text)
        return svconn_because_of(why, reasons[reason].fault, "%.100s: %s", a->text, reasons[reason].text);
    return svconn_because_of(why, SVCONN_FAULT_RELAY_REFUSED, "%.100s: the relay refused, for reason %u", a->text,
                             reason);
}

int svconn_talk_because(const svconn_address *a, svconn_fault fault, const char *what, svconn_why *why) {
    return svconn_because_of(why, fault, "%.100s: %s", a->text, what);
}

/* What a failed session with the relay means to its user. */
static int talk_failed(const svconn_talk *t, svconn_why *why) {
    const svconn_address *a = &t->a;
    svconn_err err = svconn_error(&t->s);
    if (err == SVCONN_E_ABSENT)
        return svconn_because_of(why, SVCONN_FAULT_RELAY_REFUSED,
                                 "%.100s: the relay ended the connection without a word; it may be full, or have too "
                                 "many connections from this address (try again in a few seconds), or be something "
                                 "else",
                                 a->text);
    if (err == SVCONN_E_ABORTED)
        return svconn_because_of(
            why, SVCONN_FAULT_RELAY_REFUSED,
            "%.100s: the relay refused us; if it serves listed keys only, it must be shown one (--relay-key)", a->text);
    if (!t->begun || err == SVCONN_E_VERSION || err == SVCONN_E_FORMAT || err == SVCONN_E_PROOF)
        return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY,
                                 "%.100s: what answers there is no svconn relay, or somebody in between changes bytes",
                                 a->text);
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: lost the relay: %.120s", a->text, svconn_strerror(err));
}

static int lost(const svconn_address *a, svconn_why *why) {
    if (errno == ETIMEDOUT)
        return svconn_because_of(why, SVCONN_FAULT_NOT_THERE,
                                 "%.100s: the other party did not come in time; is it there, with the same token?",
                                 a->text);
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: lost the relay: %s", a->text, svconn_errno_text(errno));
}

void svconn_talk_hex(char out[65], const uint8_t key[32]) {
    for (int i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", key[i]);
}

/* ---- packets ------------------------------------------------------------------------------------ */

static size_t get16(const uint8_t *p) { return (size_t)p[0] << 8 | p[1]; }

/* How long the packet is, as far as its bytes tell (protocol.md 3.2, 5.1, 7.1). */
static size_t packet_length(const svconn_talk *t) {
    const uint8_t *p = t->packet;
    if (!t->begun) {
        size_t wid_end = t->have < 35 ? 0 : 35 + get16(p + 33);
        if (t->have > 0 && p[0] == 0) return 16; /* an error packet */
        if (t->have < 35) return 35;
        if (t->have < wid_end + 2 || wid_end + 2 > sizeof t->packet) return wid_end + 2;
        return wid_end + 2 + get16(p + wid_end);
    }
    if (t->have < 4) return 4;
    return (get16(p) & 0x7fff) == 0 ? 16 : 4 + get16(p + 2) + 12;
}

/* 1: a packet went into the session; 0: not yet; -1 */
static int read_packet(svconn_talk *t, svconn_why *why) {
    for (;;) {
        size_t len = packet_length(t), used;
        int is_ours = t->begun || t->have == 0 || t->packet[0] <= 1;
        if (len > sizeof t->packet || !is_ours)
            return svconn_talk_because(&t->a, SVCONN_FAULT_RELAY_KEY, "what answers there is no svconn relay", why);
        if (t->have == len) {
            (void)!svconn_wire_in(&t->s, t->packet, len, &used, svconn_now()); /* the session keeps a failure */
            t->have = 0;
            t->begun = 1;
            return svconn_error(&t->s) ? talk_failed(t, why) : 1;
        }
        ssize_t n = svconn_fd_read(t->fd, t->packet + t->have, t->begun || t->have ? len - t->have : 1);
        if (n < 0 && svconn_is_later(errno)) return 0;
        if (n <= 0 && t->have > 0) /* the session has none of these bytes: to it nothing would have come */
            return svconn_talk_because(&t->a, SVCONN_FAULT_CUT, "lost the relay in the middle of its answer", why);
        if (n <= 0) {
            (void)!svconn_wire_eof(&t->s);
            return talk_failed(t, why);
        }
        t->have += (size_t)n;
    }
}

static int flush(svconn_talk *t, svconn_why *why) {
    size_t len;
    const uint8_t *bytes = svconn_wire_out(&t->s, &len);
    if (len == 0) return 0;
    if (svconn_send_exact(t->fd, bytes, len, svconn_deadline(FLUSH_MS)) != 0) return lost(&t->a, why);
    return svconn_wire_sent(&t->s, len) ? talk_failed(t, why) : 0;
}

/* ---- the relay's key, the request --------------------------------------------------------------- */

/* R1: it is pinned in the address, or somebody is asked. */
static int check_relay(svconn_talk *t, svconn_why *why) {
    const svconn_address *a = &t->a;
    const svconn_link_options *o = t->options;
    size_t len;
    char hex[65], name[SVCONN_HOST_MAX + 10];
    const uint8_t *id = svconn_peer(&t->s, &len);
    if (!id || len != 33) return talk_failed(t, why);
    memcpy(t->relay_key, id + 1, 32);
    svconn_talk_hex(hex, t->relay_key);
    if (a->relay_known && memcmp(a->relay_key, t->relay_key, 32) != 0)
        return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY,
                                 "the relay at %.60s:%s has the key %s, not the one of the address; the address is "
                                 "old, or somebody is in between",
                                 a->host, a->port, hex);
    if (a->relay_known) return 0;
    snprintf(name, sizeof name, strchr(a->host, ':') ? "[%s]:%s" : "%s:%s", a->host, a->port);
    uint64_t before = svconn_now();
    int trusted = o && o->trust ? o->trust(o->arg, name, t->relay_key) : 0;
    if (trusted) {
        uint64_t took = svconn_now() - before;
        t->slow = took > PATIENCE_MS;
        if (t->end != UINT64_MAX) t->end += took;
        return 0;
    }
    if (o && o->trust) /* who was asked has said why */
        return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY, "the key of the relay %.200s was not accepted", name);
    return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY,
                             "the key of the relay %.60s is not known here; it shows %s: compare that with what its "
                             "operator says, then write it before the host, with an @ behind it",
                             name, hex);
}

static int send_talk_request(svconn_talk *t, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX] = {t->kind};
    size_t len = 1;
    char token[RELAY_TOKEN_LEN + 1];
    if (t->kind == RELAY_CALL) {
        svconn_token_write(token, t->a.token);
        memcpy(msg + len, token, RELAY_TOKEN_LEN);
        len += RELAY_TOKEN_LEN;
        ct_wipe(token, sizeof token);
    } else if (t->kind == RELAY_DATA) {
        memcpy(msg + len, t->ticket, RELAY_TICKET_LEN);
        len += RELAY_TICKET_LEN;
    } else if (t->kind != RELAY_LISTEN) {
        if (svconn_relay_name(t->name, t->relay_key, t->a.peer_key) != 0)
            return svconn_talk_because(&t->a, SVCONN_FAULT_LOCAL, "what is behind the / is no public key", why);
        memcpy(msg + len, t->name, RELAY_NAME_LEN);
        len += RELAY_NAME_LEN;
    }
    svconn_err err = svconn_send(&t->s, msg, len, svconn_now());
    ct_wipe(msg, sizeof msg);
    t->asked = 1;
    return err ? talk_failed(t, why) : 0;
}

static int answer_verdict(svconn_talk *t, svconn_why *why) {
    if (check_relay(t, why) != 0) {
        if (svconn_refuse(&t->s) == SVCONN_OK) (void)flush(t, NULL);
        return -1;
    }
    svconn_err err = svconn_accept(&t->s);
    if (!err && svconn_status(&t->s) == SVCONN_NEEDS_PROOF) err = svconn_prove(&t->s, NULL, 0); /* nobody has none */
    return err ? talk_failed(t, why) : send_talk_request(t, why);
}

/* ---- steps -------------------------------------------------------------------------------------- */

static int finish_connect(svconn_talk *t, svconn_why *why) {
    struct pollfd p = svconn_pollfd(t->fd, POLLOUT);
    if (svconn_poll(&p, 1, 0) <= 0) return 0;
    int error = svconn_socket_error(t->fd);
    if (error)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "%.100s: cannot connect once more: %s", t->a.text,
                                 svconn_errno_text(error));
    t->connecting = 0;
    return 1;
}

int svconn_talk_turn(svconn_talk *t, uint64_t *next, svconn_why *why) {
    *next = UINT64_MAX;
    if (t->connecting) return finish_connect(t, why);
    int got = read_packet(t, why);
    if (got < 0) return -1;
    if (svconn_status(&t->s) == SVCONN_NEEDS_VERDICT && answer_verdict(t, why) != 0) return -1;
    if (svconn_tick(&t->s, svconn_now(), next)) return talk_failed(t, why);
    return flush(t, why) != 0 ? -1 : got;
}

int svconn_talk_message(svconn_talk *t, uint8_t msg[RELAY_MESSAGE_MAX], size_t *len, svconn_why *why) {
    const uint8_t *lent;
    svconn_err err = svconn_recv(&t->s, &lent, len);
    if (err == SVCONN_AGAIN || err == SVCONN_E_STATE) return 0;
    if (err != SVCONN_OK) return svconn_talk_because(&t->a, SVCONN_FAULT_CUT, "the relay ended the session", why);
    if (*len == 0 || *len > RELAY_MESSAGE_MAX) return request_refused(&t->a, RELAY_NO_REQUEST, why);
    memcpy(msg, lent, *len);
    if (svconn_recv_done(&t->s)) return talk_failed(t, why);
    return msg[0] == RELAY_NO && *len == 2 ? request_refused(&t->a, msg[1], why) : 1;
}

struct pollfd svconn_talk_poll(const svconn_talk *t) {
    return svconn_pollfd(t->fd, t->connecting ? POLLOUT : POLLIN);
}

/* ---- the waiting forms -------------------------------------------------------------------------- */

/* One turn, and if there was nothing to do, a pause: until something comes, or end. A relay that never stops to send
 * does not move the end. */
static int wait_turn(svconn_talk *t, svconn_why *why) {
    uint64_t next;
    int got = svconn_talk_turn(t, &next, why);
    if (got < 0) return -1;
    if (svconn_now() >= t->end) {
        errno = ETIMEDOUT;
        return t->begun ? lost(&t->a, why)
                        : svconn_talk_because(&t->a, SVCONN_FAULT_CUT,
                                              "the relay says nothing; is there a svconn relay at this port?", why);
    }
    if (got == 0 && svconn_wait(t->fd, svconn_talk_poll(t).events, next < t->end ? next : t->end) != 0 &&
        errno != ETIMEDOUT)
        return lost(&t->a, why);
    return 0;
}

int svconn_talk_expect(svconn_talk *t, uint8_t kind, size_t least, uint8_t msg[RELAY_MESSAGE_MAX], size_t *len,
                       svconn_why *why) {
    int got;
    while ((got = svconn_talk_message(t, msg, len, why)) == 0)
        if (wait_turn(t, why) != 0) return -1;
    if (got < 0) return -1;
    if (msg[0] == kind && *len >= least) return 0;
    return svconn_talk_because(&t->a, SVCONN_FAULT_CUT, "the relay answers out of order", why);
}

/* ---- life --------------------------------------------------------------------------------------- */

svconn_talk *svconn_talk_new(int fd, const svconn_address *a, const svconn_link_options *o, uint8_t kind,
                             const uint8_t *ticket, svconn_why *why) {
    static const uint8_t nobody[] = RELAY_NOBODY;
    uint8_t seed[32];
    svconn_talk *t = calloc(1, sizeof *t);
    if (!t || svconn_random(seed, 32) != 0) {
        svconn_because(why, "%.100s: %s", a->text, t ? "the system gives no random bytes" : "out of memory");
        svconn_fd_close(fd);
        free(t);
        return NULL;
    }
    t->fd = fd;
    t->a = *a;
    t->a.text = t->a.where;
    t->options = o;
    t->kind = kind;
    if (ticket) memcpy(t->ticket, ticket, RELAY_TICKET_LEN);
    t->config.role = SVCONN_CLIENT;
    t->config.identity = o && o->identity ? o->identity : &t->nobody;
    t->config.peer_types = SVCONN_PEER_ED25519;
    t->config.context = (const uint8_t *)RELAY_CONTEXT;
    t->config.context_len = sizeof RELAY_CONTEXT - 1;
    t->config.handshake_ms = SVCONN_OFF; /* whoever waits has the deadline */
    if (kind != RELAY_REGISTER) t->config.keepalive_ms = SVCONN_OFF;
    svconn_err err = svconn_identity_custom(&t->nobody, nobody, sizeof nobody - 1);
    if (!err) err = svconn_init(&t->s, &t->config, seed, t->rx, sizeof t->rx, t->tx, sizeof t->tx);
    if (!err) return t;
    svconn_because(why, "%.100s: %s", a->text, svconn_strerror(err));
    svconn_talk_end(t, 0);
    return NULL;
}

void svconn_talk_end(svconn_talk *t, int keep_fd) {
    if (!t) return;
    if (!keep_fd && t->fd >= 0) svconn_fd_close(t->fd);
    svconn_wipe(&t->s);
    ct_wipe(t, sizeof *t);
    free(t);
}

svconn_talk *svconn_talk_open(const svconn_address *a, const svconn_link_options *o, uint8_t kind, uint64_t end,
                              svconn_why *why) {
    int fd = svconn_dial(a, o ? o->via : NULL, end, why);
    svconn_talk *t = fd < 0 ? NULL : svconn_talk_new(fd, a, o, kind, NULL, why);
    int bad = 0;
    if (t) t->end = end;
    while (t && !t->asked && !bad) bad = wait_turn(t, why) != 0;
    if (!t || (!bad && !t->slow)) return t;
    svconn_address known = t->a;
    end = t->end;
    int again = t->slow; /* the key was accepted, but that took its time */
    memcpy(known.relay_key, t->relay_key, 32);
    known.relay_known = 1;
    known.text = known.where;
    svconn_talk_end(t, 0);
    return again ? svconn_talk_open(&known, o, kind, end, why) : NULL;
}

/* ---- joined ------------------------------------------------------------------------------------- */

/* The context of the session that follows. */
static void set_context(svconn_link *l, const svconn_talk *t) {
    char text[65];
    if (t->a.meet == SVCONN_MEET_KEY) {
        svconn_talk_hex(text, t->name);
        snprintf(l->context, sizeof l->context, "relay name %s", text);
    } else {
        svconn_token_write(text, t->a.token);
        snprintf(l->context, sizeof l->context, "relay token %s", text);
    }
}

int svconn_talk_link(svconn_talk *t, const uint8_t *msg, svconn_role role, svconn_link *l, svconn_why *why) {
    static const svconn_link none = SVCONN_LINK_NONE;
    if (msg[1] != (uint8_t)role)
        return svconn_talk_because(&t->a, SVCONN_FAULT_CUT,
                                   "the relay gives us the wrong part; both ends call, or both listen?", why);
    *l = none;
    l->in = l->out = t->fd;
    set_context(l, t);
    return 0;
}
