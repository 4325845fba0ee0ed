/* SPDX-License-Identifier: ISC */
/*
 * A party's side of relay_wire.h. The connection to the relay is itself a session, so nobody on the way sees the token
 * (requirement R1). Packets are read one at a time and to their last byte, because what follows JOINED comes from the
 * other party.
 */
#include "svconn_posix.h" /* first */
#include "relay_wire.h"
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKET_MAX 600 /* M1 has 134 bytes, our messages far fewer than this */
#define DATA_MS 15000  /* for the link to a caller; the relay waits no longer */
#define HEX_KEY_LEN 64

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity identity; /* made for this connection, if the caller gave none */
    int fd;
    int begun; /* M1 is there */
    uint8_t relay_key[32];
    uint8_t packet[PACKET_MAX];
    size_t have;
    uint8_t rx[SVCONN_BUFFER_SIZE(RELAY_MESSAGE_MAX)], tx[SVCONN_BUFFER_SIZE(RELAY_MESSAGE_MAX)];
} talk;

/* ---- words -------------------------------------------------------------------------------------- */

static int refused(const svconn_address *a, uint8_t reason, svconn_why *why) {
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

/* What a failed session with the relay means to its user. */
static int failed(const talk *t, const svconn_address *a, svconn_why *why) {
    svconn_err err = svconn_error(&t->s);
    if (err == SVCONN_E_ABSENT)
        return svconn_because_of(why, SVCONN_FAULT_RELAY_REFUSED,
                                 "%.100s: the relay ended the connection at once; it may be full, or have too many "
                                 "connections from this address",
                                 a->text);
    if (err == SVCONN_E_ABORTED)
        return svconn_because_of(why, SVCONN_FAULT_RELAY_REFUSED,
                                 "%.100s: the relay refused us; does it serve only keys that it knows?", a->text);
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
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: lost the relay: %s", a->text, strerror(errno));
}

static void write_hex(char out[HEX_KEY_LEN + 1], const uint8_t key[32]) {
    for (int i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", key[i]);
}

/* ---- packets ------------------------------------------------------------------------------------ */

static size_t get16(const uint8_t *p) { return (size_t)p[0] << 8 | p[1]; }

/* How long the packet is, as far as its bytes tell (protocol.md 3.2, 5.1, 7.1). */
static size_t packet_length(const talk *t) {
    const uint8_t *p = t->packet;
    if (!t->begun) {
        size_t wid_end = t->have < 35 ? 0 : 35 + get16(p + 33);
        if (t->have > 0 && p[0] == 0) return 16; /* an error packet */
        if (t->have < 35) return 35;
        return t->have < wid_end + 2 || wid_end + 2 > PACKET_MAX ? wid_end + 2 : wid_end + 2 + get16(p + wid_end);
    }
    if (t->have < 4) return 4;
    return (get16(p) & 0x7fff) == 0 ? 16 : 4 + get16(p + 2) + 12;
}

static void take_packet(talk *t) {
    size_t used;
    (void)!svconn_wire_in(&t->s, t->packet, t->have, &used, svconn_now()); /* the session keeps a failure */
    t->have = 0;
    t->begun = 1;
}

/* 1: a packet went into the session; 0: not yet; -1: *why */
static int step(talk *t, const svconn_address *a, svconn_why *why) {
    for (;;) {
        size_t len = packet_length(t);
        int is_ours = t->begun || t->have == 0 || t->packet[0] <= 1;
        if (len > PACKET_MAX || !is_ours)
            return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY, "%.100s: what answers there is no svconn relay",
                                     a->text);
        if (t->have == len) break;
        ssize_t n = recv(t->fd, t->packet + t->have, t->begun || t->have ? len - t->have : 1, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
        if (n <= 0 && t->have > 0) /* the session has none of these bytes: to it nothing would have come */
            return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: lost the relay in the middle of its answer",
                                     a->text);
        if (n <= 0) {
            (void)!svconn_wire_eof(&t->s);
            return failed(t, a, why);
        }
        t->have += (size_t)n;
    }
    take_packet(t);
    return svconn_error(&t->s) ? failed(t, a, why) : 1;
}

static int flush(talk *t, const svconn_address *a, uint64_t end, svconn_why *why) {
    size_t len;
    const uint8_t *bytes = svconn_wire_out(&t->s, &len);
    if (len == 0) return 0;
    if (svconn_send_exact(t->fd, bytes, len, end) != 0) return lost(a, why);
    if (svconn_wire_sent(&t->s, len)) return failed(t, a, why);
    return 0;
}

/* Until a packet has come, keep-alives go out, or time is up: 1, 0 (only if end has come), -1. */
static int wait_packet(talk *t, const svconn_address *a, uint64_t end, svconn_why *why) {
    for (;;) {
        uint64_t next;
        int got = step(t, a, why);
        if (got) return got;
        if (svconn_tick(&t->s, svconn_now(), &next)) return failed(t, a, why);
        if (flush(t, a, end, why) != 0) return -1;
        if (svconn_now() >= end) return 0;
        if (svconn_wait(t->fd, POLLIN, next < end ? next : end) != 0 && errno != ETIMEDOUT) return lost(a, why);
    }
}

/* The next message, of this kind and at least so long; a refusal is *why. As wait_packet. */
static int wait_message(talk *t, const svconn_address *a, uint8_t msg[RELAY_MESSAGE_MAX], size_t *len, uint64_t end,
                        svconn_why *why) {
    const uint8_t *lent;
    for (;;) {
        svconn_err err = svconn_recv(&t->s, &lent, len);
        if (err == SVCONN_OK) break;
        if (err != SVCONN_AGAIN)
            return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: the relay ended the session", a->text);
        int got = wait_packet(t, a, end, why);
        if (got <= 0) return got;
    }
    if (*len == 0 || *len > RELAY_MESSAGE_MAX) return refused(a, RELAY_NO_REQUEST, why);
    memcpy(msg, lent, *len);
    if (svconn_recv_done(&t->s)) return failed(t, a, why);
    return msg[0] == RELAY_NO && *len == 2 ? refused(a, msg[1], why) : 1;
}

/* wait_message, when the end of time is a failure, and only this kind will do. */
static int expect(talk *t, const svconn_address *a, uint8_t kind, size_t least, uint8_t msg[RELAY_MESSAGE_MAX],
                  size_t *len, uint64_t end, svconn_why *why) {
    int got = wait_message(t, a, msg, len, end, why);
    if (got < 0) return -1;
    if (got == 0) {
        errno = ETIMEDOUT;
        return lost(a, why);
    }
    if (msg[0] == kind && *len >= least) return 0;
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: the relay answers out of order", a->text);
}

/* ---- opening ------------------------------------------------------------------------------------ */

static void end_talk(talk *t, int keep_fd) {
    if (!t) return;
    if (!keep_fd && t->fd >= 0) close(t->fd);
    svconn_wipe(&t->s);
    svconn_identity_wipe(&t->identity);
    free(t);
}

/* R1: the relay's key is pinned in the address, or somebody is asked. */
static int check_relay(talk *t, const svconn_address *a, const svconn_link_options *o, svconn_why *why) {
    size_t len;
    char hex[HEX_KEY_LEN + 1], name[SVCONN_HOST_MAX + 10];
    const uint8_t *id = svconn_peer(&t->s, &len);
    if (!id || len != 33) return failed(t, a, why);
    memcpy(t->relay_key, id + 1, 32);
    write_hex(hex, t->relay_key);
    if (a->relay_known && memcmp(a->relay_key, t->relay_key, 32) != 0)
        return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY,
                                 "the relay at %.60s:%s has the key %s, not the one of the address; the address is "
                                 "old, or somebody is in between",
                                 a->host, a->port, hex);
    if (a->relay_known) return 0;
    snprintf(name, sizeof name, strchr(a->host, ':') ? "[%s]:%s" : "%s:%s", a->host, a->port);
    if (o && o->trust && o->trust(o->arg, name, t->relay_key)) return 0;
    return svconn_because_of(why, SVCONN_FAULT_RELAY_KEY,
                             "the key of the relay %.60s is not known here; it shows %s: compare that with what its "
                             "operator says, then write it before the host, with an @ behind it",
                             name, hex);
}

/* What we want of the relay. ticket: of DATA. */
static int send_request(talk *t, const svconn_address *a, uint8_t kind, const uint8_t *ticket, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX] = {kind};
    size_t len = 1;
    char token[RELAY_TOKEN_LEN + 1];
    if (kind == RELAY_CALL) {
        svconn_token_write(token, a->token);
        memcpy(msg + len, token, RELAY_TOKEN_LEN);
        len += RELAY_TOKEN_LEN;
    } else if (kind == RELAY_DATA) {
        memcpy(msg + len, ticket, RELAY_TICKET_LEN);
        len += RELAY_TICKET_LEN;
    } else if (kind != RELAY_LISTEN) {
        if (svconn_relay_name(msg + len, t->relay_key, a->peer_key) != 0)
            return svconn_because(why, "%.150s: that is no public key", a->text);
        len += RELAY_NAME_LEN;
    }
    return svconn_send(&t->s, msg, len, svconn_now()) ? failed(t, a, why) : 0;
}

static int handshake(talk *t, const svconn_address *a, const svconn_link_options *o, uint8_t kind,
                     const uint8_t *ticket, uint64_t end, svconn_why *why) {
    while (svconn_status(&t->s) == SVCONN_HANDSHAKE) {
        int got = wait_packet(t, a, end, why);
        if (got < 0) return -1;
        if (got == 0) return svconn_because_of(why, SVCONN_FAULT_CUT, "%.100s: the relay says nothing", a->text);
    }
    int trusted = check_relay(t, a, o, why);
    if (trusted != 0 || svconn_accept(&t->s)) {
        if (svconn_refuse(&t->s) == SVCONN_OK) (void)flush(t, a, svconn_now(), NULL);
        return -1;
    }
    return send_request(t, a, kind, ticket, why) != 0 ? -1 : flush(t, a, end, why);
}

/* fd is taken over, also if this fails. */
static talk *open_talk(int fd, const svconn_address *a, const svconn_link_options *o, uint8_t kind,
                       const uint8_t *ticket, uint64_t end, svconn_why *why) {
    uint8_t seed[32], key[32];
    talk *t = calloc(1, sizeof *t);
    if (!t || svconn_random(seed, 32) != 0 || svconn_random(key, 32) != 0) {
        svconn_because(why, "%.100s: %s", a->text, t ? "the system gives no random bytes" : "out of memory");
        close(fd);
        free(t);
        return NULL;
    }
    t->fd = fd;
    if (!o || !o->identity) svconn_identity_ed25519(&t->identity, key);
    t->config.role = SVCONN_CLIENT;
    t->config.identity = o && o->identity ? o->identity : &t->identity;
    t->config.context = (const uint8_t *)RELAY_CONTEXT;
    t->config.context_len = sizeof RELAY_CONTEXT - 1;
    t->config.handshake_ms = SVCONN_OFF; /* end is the deadline */
    if (kind != RELAY_REGISTER) t->config.keepalive_ms = SVCONN_OFF;
    svconn_err err = svconn_init(&t->s, &t->config, seed, t->rx, sizeof t->rx, t->tx, sizeof t->tx);
    memset(key, 0, sizeof key);
    if (err) svconn_because(why, "%.100s: %s", a->text, svconn_strerror(err));
    if (!err && handshake(t, a, o, kind, ticket, end, why) == 0) return t;
    end_talk(t, 0);
    return NULL;
}

/* ---- joined ------------------------------------------------------------------------------------- */

static void give_link(svconn_link *l, talk *t) {
    static const svconn_link none = SVCONN_LINK_NONE;
    *l = none;
    l->in = l->out = t->fd;
}

/* The context of the session that follows. */
static void set_context(svconn_link *l, const svconn_address *a, const uint8_t relay_key[32], uint64_t token) {
    uint8_t name[32];
    char text[HEX_KEY_LEN + 1];
    if (a->meet == SVCONN_MEET_KEY) {
        if (svconn_relay_name(name, relay_key, a->peer_key) != 0) return; /* was computed before: cannot fail now */
        write_hex(text, name);
        snprintf(l->context, sizeof l->context, "relay name %s", text);
    } else {
        svconn_token_write(text, token);
        snprintf(l->context, sizeof l->context, "relay token %s", text);
    }
}

static int check_role(const svconn_address *a, const uint8_t *msg, svconn_role role, svconn_why *why) {
    if (msg[1] == (uint8_t)role) return 0;
    return svconn_because_of(why, SVCONN_FAULT_CUT,
                             "%.100s: the relay gives us the wrong part; both ends call, or both "
                             "listen?",
                             a->text);
}

/* Asks, and waits until the relay has joined us. */
static int meet(svconn_link *l, int fd, const svconn_address *a, const svconn_link_options *o, uint8_t kind,
                const uint8_t *ticket, uint64_t end, svconn_why *why) {
    svconn_role role = kind == RELAY_DATA ? SVCONN_SERVER : SVCONN_CLIENT;
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    talk *t = open_talk(fd, a, o, kind, ticket, end, why);
    if (!t) return -1;
    int bad = expect(t, a, RELAY_JOINED, 2, msg, &len, end, why) != 0 || check_role(a, msg, role, why) != 0;
    if (!bad) {
        give_link(l, t);
        set_context(l, a, t->relay_key, a->token);
    }
    end_talk(t, !bad);
    return bad ? -1 : 0;
}

int svconn_relay_call(svconn_link *l, int fd, const svconn_address *a, const svconn_link_options *options, uint64_t end,
                      svconn_why *why) {
    if (a->meet == SVCONN_MEET_NEW) {
        close(fd);
        return svconn_because(why, "%.150s: to call, a token or the public key of a machine is needed behind the /",
                              a->text);
    }
    return meet(l, fd, a, options, a->meet == SVCONN_MEET_KEY ? RELAY_CALL_NAME : RELAY_CALL, NULL, end, why);
}

/* ---- listening ---------------------------------------------------------------------------------- */

/* n->address: what the caller needs, the relay's key included. */
static void write_address(svconn_listener *n, const svconn_address *a, const talk *t, const char *public_name,
                          const char *what) {
    char hex[HEX_KEY_LEN + 1];
    write_hex(hex, t->relay_key);
    if (*public_name) snprintf(n->address, sizeof n->address, "relay://%s@%s/%s", hex, public_name, what);
    else
        snprintf(n->address, sizeof n->address, strchr(a->host, ':') ? "relay://%s@[%s]:%s/%s" : "relay://%s@%s:%s/%s",
                 hex, a->host, a->port, what);
}

/* HOST:PORT that the relay says it is known by; "" if it says none, or something that is no such name. */
static void public_name(char out[RELAY_PUBLIC_NAME_MAX + 1], const uint8_t *text, size_t len) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]";
    memcpy(out, text, len);
    out[len] = 0;
    if (strspn(out, allowed) != len) out[0] = 0;
}

static int get_token(svconn_listener *n, const svconn_address *a, talk *t, uint64_t end, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    char token[RELAY_TOKEN_LEN + 1], shown[RELAY_TOKEN_LEN + 2], name[RELAY_PUBLIC_NAME_MAX + 1];
    if (expect(t, a, RELAY_TOKEN, 3 + RELAY_TOKEN_LEN, msg, &len, end, why) != 0) return -1;
    memcpy(token, msg + 1, RELAY_TOKEN_LEN);
    token[RELAY_TOKEN_LEN] = 0;
    if (svconn_token_read(&n->token, token) != 0) return refused(a, RELAY_NO_REQUEST, why);
    svconn_token_write(token, n->token);
    snprintf(shown, sizeof shown, "%.4s-%.4s", token, token + 4);
    public_name(name, msg + 3 + RELAY_TOKEN_LEN, len - 3 - RELAY_TOKEN_LEN);
    write_address(n, a, t, name, shown);
    return 0;
}

static int prove_name(svconn_listener *n, const svconn_address *a, talk *t, uint64_t end, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX], proof[1 + 32] = {RELAY_PROOF}, binding[32];
    char hex[HEX_KEY_LEN + 1];
    size_t len;
    if (expect(t, a, RELAY_CHALLENGE, 33, msg, &len, end, why) != 0) return -1;
    if (svconn_export(&t->s, RELAY_BINDING_LABEL, NULL, 0, binding, 32) ||
        svconn_relay_proof(proof + 1, n->options->owner->secret, t->relay_key, a->peer_key, msg + 1, binding) != 0 ||
        svconn_send(&t->s, proof, sizeof proof, svconn_now()))
        return refused(a, RELAY_NO_REQUEST, why);
    if (flush(t, a, end, why) != 0 || expect(t, a, RELAY_REGISTERED, 1, msg, &len, end, why) != 0) return -1;
    write_hex(hex, a->peer_key);
    write_address(n, a, t, "", hex);
    return 0;
}

/* To register, our own key must be the one of the address. */
static int check_owner(const svconn_address *a, const svconn_link_options *o, svconn_why *why) {
    size_t len = 0;
    const uint8_t *id = o && o->owner ? svconn_identity_bytes(o->owner, &len) : NULL;
    if (a->meet == SVCONN_MEET_TOKEN)
        return svconn_because(why, "%.150s: the relay makes the token; to listen, leave it out", a->text);
    if (a->meet == SVCONN_MEET_NEW) return 0;
    if (len == 33 && id[0] == SVCONN_TYPE_ED25519 && memcmp(id + 1, a->peer_key, 32) == 0) return 0;
    return svconn_because(why, "%.150s: to be registered under a key it must be our own", a->text);
}

int svconn_relay_listen(svconn_listener *n, const svconn_address *a, uint64_t end, svconn_why *why) {
    const svconn_link_options *o = n->options;
    if (check_owner(a, o, why) != 0) return -1;
    int by_key = a->meet == SVCONN_MEET_KEY;
    int fd = svconn_dial(a, o ? o->via : NULL, end, why);
    talk *t = fd < 0 ? NULL : open_talk(fd, a, o, by_key ? RELAY_REGISTER : RELAY_LISTEN, NULL, end, why);
    if (!t) return -1;
    if ((by_key ? prove_name(n, a, t, end, why) : get_token(n, a, t, end, why)) != 0) {
        end_talk(t, 0);
        return -1;
    }
    n->relay = t;
    n->fd = fd;
    return 0;
}

void svconn_relay_close(svconn_listener *n) {
    if (!n->relay) return;
    end_talk(n->relay, 0);
    n->relay = NULL;
    n->fd = -1;
}

/* A caller rang: the data link is a connection of its own. */
static int answer_ring(svconn_listener *n, svconn_link *l, const svconn_address *a, const uint8_t *ticket, uint64_t end,
                       svconn_why *why) {
    uint64_t patience = svconn_deadline(DATA_MS);
    if (patience < end) end = patience;
    int fd = svconn_dial(a, n->options->via, end, why);
    return fd < 0 ? -1 : meet(l, fd, a, n->options, RELAY_DATA, ticket, end, why);
}

int svconn_relay_accept(svconn_listener *n, svconn_link *l, uint64_t end, svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    svconn_address a;
    talk *t = n->relay;
    if (svconn_address_parse(&a, n->address, why) != 0) return -1;
    int got = wait_message(t, &a, msg, &len, end, why);
    if (got == 0) return svconn_because_of(why, SVCONN_FAULT_NOT_THERE, "nobody came to %.200s in time", n->address);
    if (got > 0 && msg[0] == RELAY_RING && len == 1 + RELAY_TICKET_LEN && a.meet == SVCONN_MEET_KEY)
        return answer_ring(n, l, &a, msg + 1, svconn_deadline(DATA_MS), why);
    if (got > 0 && msg[0] == RELAY_JOINED && len == 2 && a.meet != SVCONN_MEET_KEY &&
        check_role(&a, msg, SVCONN_SERVER, why) == 0) {
        give_link(l, t);
        set_context(l, &a, t->relay_key, n->token);
        end_talk(t, 1);
    } else {
        if (got > 0) svconn_because_of(why, SVCONN_FAULT_CUT, "%.150s: the relay answers out of order", n->address);
        end_talk(t, 0);
        got = -1;
    }
    n->relay = NULL; /* a token is good for one accept; and a lost registration is over */
    n->fd = -1;
    n->spent = 1;
    return got < 0 ? -1 : 0;
}
