/* SPDX-License-Identifier: ISC */
/*
 * Two sessions joined by memory. Everything is deterministic: seeds, secrets and messages follow from small numbers,
 * and the time is the variable `now`.
 *
 * A party holds its session, both buffers and all else in one struct without pointers to other parties, so `saved =
 * client` takes a snapshot and `client = saved` goes back to it (a program must not copy sessions like that; a test
 * that tries 1,000 ways to go on from one point may).
 *
 * Every call of a test reaches a session through at(), which can move the struct first, and which can put a fault
 * before the call.
 */
#ifndef SVCONN_TEST_PAIR_H
#define SVCONN_TEST_PAIR_H

#include "crypto.h"
#include "keys.h"
#include "record.h"
#include "session.h"
#include "svconn.h"
#include "test.h"
#include "wire.h"

enum { PAIR_BUFFER = SVCONN_BUFFER_SIZE(2000), PAIR_TAPE = 6000, PAIR_PROOF = 32, EVERYTHING = 1 << 20 };

typedef struct {
    uint8_t b[PAIR_TAPE];
    size_t n;
} tape;

typedef struct {
    svconn *s; /* one of the two places */
    svconn places[2];
    svconn_config config;
    svconn_identity me;
    uint8_t secret[32];                        /* seed, psk, or key of the custom proofs */
    uint8_t custom[3];                         /* the custom identity */
    uint8_t peer_custom_key[32], peer_psk[32]; /* what we hold of the peer */
    uint8_t seed_number;
    size_t rx_size, tx_size;
    int wanders;                  /* the struct moves before every call */
    int holds;                    /* leaves questions open */
    int leaves;                   /* leaves messages in the session */
    int refuses;                  /* refuses the peer */
    int silent;                   /* nothing goes to the tapes */
    int verdicts;                 /* how often it was asked */
    int ended;                    /* svconn_recv said END */
    size_t messages, sent, taken; /* messages that came; bytes to and from the link */
    tape out, in;                 /* bytes sent; messages taken, each behind its length */
    uint8_t rx[PAIR_BUFFER], tx[PAIR_BUFFER];
} party;

static party client, server;
static uint64_t now;
static uint8_t known_servers[2][32]; /* the second one is right */

/* Called before every call that goes to a session, if it is set. */
static void (*before_call)(party *p);

static inline party *other(const party *p) { return p == &client ? &server : &client; }

static inline void move_struct(party *p) {
    svconn *to = p->s == &p->places[0] ? &p->places[1] : &p->places[0];
    memcpy(to, p->s, sizeof *to);
    memset(p->s, 0xa5, sizeof *p->s);
    p->s = to;
}

static inline svconn *at(party *p) {
    if (before_call) before_call(p);
    if (p->wanders) move_struct(p);
    return p->s;
}

/* The session of a party or of its snapshot, whose pointer still says where it was. */
static inline const svconn *session_of(const party *p) {
    int second = p->s == &p->places[1] || p->s == &client.places[1] || p->s == &server.places[1];
    return &p->places[second];
}

static inline svconn_state state_of(const party *p) { return svconn_status(session_of(p)); }
static inline svconn_err error_of(const party *p) { return svconn_error(session_of(p)); }
static inline int is_failed(const party *p, svconn_err why) {
    return state_of(p) == SVCONN_FAILED && error_of(p) == why;
}

static inline void record_on(tape *t, const uint8_t *b, size_t n) {
    CHECK(n <= sizeof t->b - t->n); /* else make it longer */
    if (n > sizeof t->b - t->n) return;
    if (n) memcpy(t->b + t->n, b, n);
    t->n += n;
}

static inline int same_tape(const tape *a, const tape *b) { return a->n == b->n && memcmp(a->b, b->b, a->n) == 0; }

static inline void fill(uint8_t *b, size_t n, unsigned number) {
    uint32_t x = number * UINT32_C(2654435761) + 1;
    for (size_t i = 0; i < n; i++) {
        x = x * UINT32_C(1664525) + UINT32_C(1013904223);
        b[i] = (uint8_t)(x >> 24);
    }
}

/* The 32 bytes of randomness of session number n */
static inline void make_seed(uint8_t seed[32], const party *p) {
    fill(seed, 32, 100u + p->seed_number * 2u + (p->config.role == SVCONN_SERVER));
}

/* ---- setting up --------------------------------------------------------------------------------- */

static inline void make_identity(party *p, uint8_t type) {
    int i_serve = p->config.role == SVCONN_SERVER;
    const uint8_t *name = (const uint8_t *)(i_serve ? "server" : "client");
    fill(p->secret, 32, type == SVCONN_TYPE_PSK ? 1u : i_serve ? 2u : 3u);
    fill(p->peer_custom_key, 32, i_serve ? 3u : 2u);
    fill(p->peer_psk, 32, 1);
    p->custom[0] = type;
    p->custom[1] = i_serve ? 's' : 'c';
    if (type == SVCONN_TYPE_ED25519) svconn_identity_ed25519(&p->me, p->secret);
    else if (type == SVCONN_TYPE_PSK) CHECK(svconn_identity_psk(&p->me, p->secret, name, 6) == SVCONN_OK);
    else CHECK(svconn_identity_custom(&p->me, p->custom, sizeof p->custom) == SVCONN_OK);
    p->config.identity = &p->me;
}

static inline void prepare_party(party *p, svconn_role role, uint8_t type) {
    memset(p, 0, sizeof *p);
    p->s = &p->places[0];
    p->rx_size = p->tx_size = PAIR_BUFFER;
    p->config.role = role;
    p->config.peer_types = SVCONN_PEER_ED25519 | SVCONN_PEER_PSK | SVCONN_PEER_CUSTOM;
    make_identity(p, type);
}

/* Both parties with their configuration, but without a session yet. */
static inline void prepare(uint8_t server_type, uint8_t client_type) {
    now = 1000;
    prepare_party(&server, SVCONN_SERVER, server_type);
    prepare_party(&client, SVCONN_CLIENT, client_type);
    if (server_type != SVCONN_TYPE_ED25519) return;
    fill(known_servers[0], 32, 9);
    memcpy(known_servers[1], server.me.built_in + 1, 32);
    client.config.known_servers = (const uint8_t(*)[32])known_servers;
    client.config.known_servers_count = 2;
}

static inline void begin(party *p) {
    uint8_t seed[32];
    make_seed(seed, p);
    CHECK(svconn_init(p->s, &p->config, seed, p->rx, p->rx_size, p->tx, p->tx_size) == SVCONN_OK);
}

static inline void begin_both(void) {
    begin(&server);
    begin(&client);
}

static inline void wipe_both(void) {
    svconn_wipe(client.s);
    svconn_wipe(server.s);
}

/* ---- answers ------------------------------------------------------------------------------------ */

/* A custom proof: HMAC-SHA-256 */
static inline void custom_proof(uint8_t proof[PAIR_PROOF], const uint8_t key[32], const uint8_t *text, size_t len) {
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, key, 32);
    svconn_hmac_update(&c, text, len);
    svconn_hmac_final(&c, proof);
}

static inline void prove(party *p) {
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], proof[PAIR_PROOF];
    size_t n;
    if (svconn_proof_message(at(p), text, &n)) return;
    custom_proof(proof, p->secret, text, n);
    (void)!svconn_prove(at(p), proof, sizeof proof);
}

static inline int peer_is_proven(party *p) {
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], want[PAIR_PROOF];
    const uint8_t *id, *proof;
    size_t id_len, proof_len, n;
    id = svconn_peer(at(p), &id_len);
    if (p->refuses) return 0;
    if (id && id[0] < SVCONN_TYPE_CUSTOM) return 1; /* the session did it */
    if (svconn_peer_proof(at(p), &proof, &proof_len, text, &n)) return 0;
    custom_proof(want, p->peer_custom_key, text, n);
    return proof_len == sizeof want && memcmp(proof, want, sizeof want) == 0;
}

/* Answers what the session asks, as an application does that knows whom to expect. */
static inline void answer(party *p) {
    for (int i = 0; i < 5 && !p->holds; i++) {
        switch (svconn_status(at(p))) {
        case SVCONN_NEEDS_PROOF: prove(p); break;
        case SVCONN_NEEDS_PSK: (void)!svconn_give_psk(at(p), p->peer_psk); break;
        case SVCONN_NEEDS_VERDICT:
            p->verdicts++;
            if (peer_is_proven(p)) (void)!svconn_accept(at(p));
            else (void)!svconn_refuse(at(p));
            break;
        default: return;
        }
    }
}

/* ---- messages and bytes ------------------------------------------------------------------------- */

/* Takes what has come. */
static inline void collect(party *p) {
    const uint8_t *m;
    size_t n;
    svconn_err err;
    if (p->leaves) return;
    while ((err = svconn_recv(at(p), &m, &n)) == SVCONN_OK) {
        uint8_t len[2];
        CHECK(m >= p->rx && m + n <= p->rx + p->rx_size);
        wire_put16(len, n);
        p->messages++;
        if (!p->silent) {
            record_on(&p->in, len, 2);
            record_on(&p->in, m, n);
        }
        if (svconn_recv_done(at(p))) return;
    }
    if (err == SVCONN_END) p->ended = 1;
}

/* Hands n bytes to p as one piece; it answers and takes what comes of it. Returns how many the link is rid of: a
 * session that failed reads no more. */
static inline size_t hand(party *p, const uint8_t *b, size_t n) {
    size_t done = 0, used;
    answer(p);
    while (done < n) {
        svconn_err err = svconn_wire_in(at(p), b + done, n - done, &used, now);
        CHECK(used <= n - done);
        done += used;
        answer(p);
        collect(p);
        if (err) return n;
        if (used == 0) break;
    }
    p->taken += done;
    return done;
}

/* Hands it over in pieces of that size. */
static inline size_t hand_in_pieces(party *p, const uint8_t *b, size_t n, size_t piece) {
    size_t done = 0;
    while (done < n) {
        size_t k = n - done < piece ? n - done : piece, used = hand(p, b + done, k);
        done += used;
        if (used < k) break;
    }
    return done;
}

/* The bytes that p has for the link, taken off it. out: PAIR_BUFFER bytes. */
static inline size_t drain(party *p, uint8_t *out) {
    size_t n;
    answer(p);
    const uint8_t *b = svconn_wire_out(at(p), &n);
    CHECK(n <= PAIR_BUFFER && (n == 0) == (b == NULL));
    if (n == 0) return 0;
    memcpy(out, b, n);
    if (!p->silent) record_on(&p->out, out, n);
    p->sent += n;
    CHECK(svconn_wire_sent(at(p), n) == SVCONN_OK);
    return n;
}

/* Carries what `from` has to its peer; returns how many bytes. What the peer does not take yet stays. */
static inline size_t carry(party *from, size_t piece) {
    size_t moved = 0, n;
    answer(from);
    for (;;) {
        const uint8_t *b = svconn_wire_out(at(from), &n);
        if (n > piece) n = piece;
        if (n == 0) break;
        n = hand(other(from), b, n);
        if (n == 0) break;
        if (!from->silent) record_on(&from->out, b, n);
        from->sent += n;
        CHECK(svconn_wire_sent(at(from), n) == SVCONN_OK);
        moved += n;
    }
    return moved;
}

/* Carries in both directions until nothing moves. */
static inline void shuttle(size_t piece) {
    answer(&server);
    answer(&client);
    while (carry(&server, piece) + carry(&client, piece)) {
    }
}

static inline int both_connected(void) {
    return state_of(&client) == SVCONN_CONNECTED && state_of(&server) == SVCONN_CONNECTED;
}

/* Two connected sessions */
static inline void connect_pair(uint8_t server_type, uint8_t client_type) {
    prepare(server_type, client_type);
    begin_both();
    shuttle(EVERYTHING);
    CHECK(both_connected());
}

static inline void forget_tapes(void) { client.out.n = client.in.n = server.out.n = server.in.n = 0; }

/* Message number i of a party: its length and bytes follow from i */
static inline size_t make_message(const party *from, unsigned i, uint8_t *b) {
    size_t n = i * 37 % 120;
    fill(b, n, i * 2 + (from == &server));
    return n;
}

static inline svconn_err say(party *p, unsigned i) {
    uint8_t b[120];
    size_t n = make_message(p, i, b);
    return svconn_send(at(p), b, n, now);
}

/* p took messages first .. last of its peer, and nothing else, since the tapes were forgotten. */
static inline int heard(const party *p, unsigned first, unsigned last) {
    uint8_t b[122];
    size_t read = 0;
    for (unsigned i = first; i <= last; i++) {
        size_t n = make_message(other(p), i, b + 2);
        wire_put16(b, n);
        if (p->in.n - read < n + 2 || memcmp(p->in.b + read, b, n + 2) != 0) return 0;
        read += n + 2;
    }
    return read == p->in.n;
}

/* Both still understand each other: a message each way. */
static inline int pair_works(void) {
    size_t c = client.messages, s = server.messages;
    if (!both_connected()) return 0;
    if (say(&client, 3) || say(&server, 5)) return 0;
    shuttle(EVERYTHING);
    return client.messages == c + 1 && server.messages == s + 1 && both_connected();
}

/* What p has for the link ends with the error packet and nothing else is there. */
static inline int only_error_packet(party *p) {
    static const uint8_t zeros[ERROR_PACKET];
    size_t n;
    const uint8_t *b = svconn_wire_out(p->s, &n);
    return n == ERROR_PACKET && memcmp(b, zeros, ERROR_PACKET) == 0;
}

static inline size_t queued(const party *p) {
    size_t n;
    (void)svconn_wire_out(session_of(p), &n);
    return n;
}

/* A record that p seals outside of the rules of section 5.3: a peer that breaks them. Queued behind all else. */
static inline void forge(party *p, unsigned control, const uint8_t *text, size_t len) {
    svconn_record_seal(&p->s->u.on.out, control, p->s->tx + p->s->tx_tail, text, len);
    p->s->tx_tail += (uint32_t)(len + RECORD_OVERHEAD);
}

/* ---- situations: every state, and what matters within it ---------------------------------------- */

typedef enum {
    IN_NONE,
    IN_CLIENT_NEW,       /* HANDSHAKE: nothing came */
    IN_CLIENT_PART_M1,   /* HANDSHAKE: part of M1 came */
    IN_CLIENT_VERDICT,   /* NEEDS_VERDICT */
    IN_CLIENT_PSK,       /* NEEDS_PSK: the SERVER has a psk, we have a key */
    IN_CLIENT_PROOF,     /* NEEDS_PROOF: M2, own custom identity */
    IN_CLIENT_WAITING,   /* CONFIRMING, early records not allowed */
    IN_CLIENT_EARLY,     /* CONFIRMING, early records allowed */
    IN_CLIENT_PART_M3,   /* the same, and part of M3 came */
    IN_CLIENT_VERDICT_2, /* NEEDS_VERDICT: M3 of a custom SERVER */
    IN_SERVER_PROOF,     /* NEEDS_PROOF: M1 */
    IN_SERVER_NEW,       /* HANDSHAKE: M1 is to be sent */
    IN_SERVER_PART_M2,   /* HANDSHAKE: M1 was sent, part of M2 came */
    IN_SERVER_PSK,       /* NEEDS_PSK */
    IN_SERVER_VERDICT,   /* NEEDS_VERDICT */
    IN_SERVER_PROOF_2,   /* NEEDS_PROOF: M3 */
    IN_CONNECTED,        /* nothing under way */
    IN_SENDING,          /* bytes wait for the link */
    IN_PART_RECORD,      /* part of a record came */
    IN_LENT,             /* a message is there */
    IN_LENT_EOF,         /* a message is there, the link has ended */
    IN_CLOSE_SENT,       /* we closed */
    IN_PEER_CLOSED,      /* the peer closed */
    IN_PEER_CLOSED_EOF,  /* the peer closed, the link has ended */
    IN_LENT_LAST,        /* a message is there, and the peer's CLOSE behind it */
    IN_CLOSED,           /* CLOSED, our CLOSE waits for the link */
    IN_FAILED,           /* FAILED, the error packet waits for the link */
    IN_ABORTED,          /* FAILED by the peer's error packet */
    IN_CLIENT_WORK_NEW,  /* WORKING on our own key: nothing came */
    IN_CLIENT_WORK,      /* WORKING on the SERVER's proof */
    IN_CLIENT_WORK_ON,   /* WORKING behind the verdict */
    IN_SERVER_WORK_NEW,  /* WORKING on M1 */
    IN_SERVER_WORK,      /* WORKING on M2 */
    ALL_SITUATIONS,
#ifdef SVCONN_TEST_SLICED_H /* nobody stays WORKING there */
    SITUATIONS = IN_CLIENT_WORK_NEW
#else
    SITUATIONS = ALL_SITUATIONS
#endif
} situation;

/* Carries one message of `from` (all that it has), and only the first n bytes of it if n is not 0. */
static inline void carry_first(party *from, size_t n) {
    uint8_t b[PAIR_BUFFER];
    size_t all = drain(from, b);
    (void)hand(other(from), b, n ? n : all);
}

static inline party *bring_client(situation to) {
    prepare(to == IN_CLIENT_PSK         ? SVCONN_TYPE_PSK
            : to == IN_CLIENT_VERDICT_2 ? SVCONN_TYPE_CUSTOM
                                        : SVCONN_TYPE_ED25519,
            to == IN_CLIENT_PROOF ? SVCONN_TYPE_CUSTOM : SVCONN_TYPE_ED25519);
    if (to == IN_CLIENT_WAITING) client.config.early = SVCONN_EARLY_NEVER;
    begin_both();
    client.holds = to != IN_CLIENT_VERDICT_2;
    if (to == IN_CLIENT_NEW) return &client;
    carry_first(&server, to == IN_CLIENT_PART_M1 ? 40 : 0);
    if (to == IN_CLIENT_PART_M1 || to == IN_CLIENT_VERDICT || to == IN_CLIENT_PSK) return &client;
    if (to == IN_CLIENT_PROOF || to == IN_CLIENT_WAITING || to == IN_CLIENT_EARLY || to == IN_CLIENT_PART_M3)
        CHECK(svconn_accept(client.s) == SVCONN_OK);
    if (to == IN_CLIENT_PROOF) return &client;
    carry_first(&client, 0);
    if (to == IN_CLIENT_WAITING || to == IN_CLIENT_EARLY) return &client;
    client.holds = 1;
    carry_first(&server, to == IN_CLIENT_PART_M3 ? 10 : 0);
    return &client;
}

static inline party *bring_server(situation to) {
    int custom = to == IN_SERVER_PROOF || to == IN_SERVER_PROOF_2;
    prepare(custom ? SVCONN_TYPE_CUSTOM : SVCONN_TYPE_ED25519,
            to == IN_SERVER_PSK ? SVCONN_TYPE_PSK : SVCONN_TYPE_ED25519);
    begin_both();
    if (to == IN_SERVER_PROOF || to == IN_SERVER_NEW) return &server;
    carry_first(&server, 0);
    server.holds = 1;
    carry_first(&client, to == IN_SERVER_PART_M2 ? 20 : 0);
    if (to == IN_SERVER_PROOF_2) CHECK(svconn_accept(server.s) == SVCONN_OK);
    return &server;
}

/* In all of these p is the CLIENT, connected to a SERVER */
static inline party *bring_on(situation to) {
    connect_pair(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    CHECK(svconn_tick(client.s, now, NULL) == SVCONN_OK && svconn_tick(server.s, now, NULL) == SVCONN_OK);
    client.leaves = 1;
    int lent = to == IN_LENT || to == IN_LENT_EOF || to == IN_LENT_LAST || to == IN_PART_RECORD;
    if (lent) CHECK(svconn_send(server.s, "message", 7, now) == SVCONN_OK);
    if (to == IN_SENDING) CHECK(svconn_send(client.s, "message", 7, now) == SVCONN_OK);
    if (to == IN_PEER_CLOSED || to == IN_PEER_CLOSED_EOF || to == IN_LENT_LAST || to == IN_CLOSED)
        CHECK(svconn_close(server.s, now) == SVCONN_OK);
    if (to == IN_CLOSE_SENT) {
        CHECK(svconn_close(client.s, now) == SVCONN_OK);
        carry_first(&client, 0);
    }
    carry_first(&server, to == IN_PART_RECORD ? 2 : 0);
    if (to == IN_LENT_EOF || to == IN_PEER_CLOSED_EOF) CHECK(svconn_wire_eof(client.s) == SVCONN_OK);
    if (to == IN_CLOSED) CHECK(svconn_close(client.s, now) == SVCONN_OK);
    if (to == IN_FAILED) svconn_abort(client.s);
    if (to == IN_ABORTED) {
        svconn_abort(server.s);
        carry_first(&server, 0);
    }
    return &client;
}

static inline void work_to_the_end(party *p) {
    while (state_of(p) == SVCONN_WORKING) CHECK(svconn_work(at(p), 100) == SVCONN_OK);
}

static svconn_workspace pair_workspace;

/* Its peer does all at once. */
static inline party *bring_working(situation to) {
    uint8_t seed[32];
    party *p = to < IN_SERVER_WORK_NEW ? &client : &server;
    prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    begin(other(p));
    make_seed(seed, p);
    CHECK(svconn_init_sliced(p->s, &pair_workspace, &p->config, seed, p->rx, p->rx_size, p->tx, p->tx_size) == SVCONN_OK);
    p->holds = 1;
    if (to == IN_SERVER_WORK) {
        work_to_the_end(p);
        carry_first(p, 0);
    }
    if (to == IN_CLIENT_WORK || to == IN_CLIENT_WORK_ON) work_to_the_end(p);
    if (to != IN_CLIENT_WORK_NEW && to != IN_SERVER_WORK_NEW) carry_first(other(p), 0);
    if (to == IN_CLIENT_WORK_ON) {
        work_to_the_end(p);
        CHECK(svconn_accept(p->s) == SVCONN_OK);
    }
    CHECK(svconn_work(p->s, 1) == SVCONN_OK && state_of(p) == SVCONN_WORKING);
    return p;
}

/* The party that is in this situation; its peer is at the point that belongs to it. Neither answers by itself from then
 * on. */
static inline party *bring_to(situation to) {
    party *p;
    if (to == IN_NONE) {
        prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
        p = &client;
    } else if (to > IN_ABORTED) p = bring_working(to);
    else if (to < IN_SERVER_PROOF) p = bring_client(to);
    else p = to < IN_CONNECTED ? bring_server(to) : bring_on(to);
    client.holds = server.holds = 1;
    return p;
}

static inline const char *situation_name(situation x) {
    static const char *const names[ALL_SITUATIONS] = {"none",
                                                  "client new",
                                                  "client part of M1",
                                                  "client verdict",
                                                  "client psk",
                                                  "client proof",
                                                  "client waiting",
                                                  "client early",
                                                  "client part of M3",
                                                  "client second verdict",
                                                  "server proof",
                                                  "server new",
                                                  "server part of M2",
                                                  "server psk",
                                                  "server verdict",
                                                  "server second proof",
                                                  "connected",
                                                  "sending",
                                                  "part of a record",
                                                  "lent",
                                                  "lent, eof",
                                                  "close sent",
                                                  "peer closed",
                                                  "peer closed, eof",
                                                  "lent, peer closed",
                                                  "closed",
                                                  "failed",
                                                  "aborted",
                                                  "client working, new",
                                                  "client working",
                                                  "client working on",
                                                  "server working, new",
                                                  "server working"};
    return names[x];
}

static inline svconn_state situation_state(situation x) {
    switch (x) {
    case IN_NONE: return SVCONN_NONE;
    case IN_CLIENT_NEW:
    case IN_CLIENT_PART_M1:
    case IN_SERVER_NEW:
    case IN_SERVER_PART_M2: return SVCONN_HANDSHAKE;
    case IN_CLIENT_VERDICT:
    case IN_CLIENT_VERDICT_2:
    case IN_SERVER_VERDICT: return SVCONN_NEEDS_VERDICT;
    case IN_CLIENT_PSK:
    case IN_SERVER_PSK: return SVCONN_NEEDS_PSK;
    case IN_CLIENT_PROOF:
    case IN_SERVER_PROOF:
    case IN_SERVER_PROOF_2: return SVCONN_NEEDS_PROOF;
    case IN_CLIENT_WAITING:
    case IN_CLIENT_EARLY:
    case IN_CLIENT_PART_M3: return SVCONN_CONFIRMING;
    case IN_CLOSED: return SVCONN_CLOSED;
    case IN_FAILED:
    case IN_ABORTED: return SVCONN_FAILED;
    case IN_CLIENT_WORK_NEW:
    case IN_CLIENT_WORK:
    case IN_CLIENT_WORK_ON:
    case IN_SERVER_WORK_NEW:
    case IN_SERVER_WORK: return SVCONN_WORKING;
    default: return SVCONN_CONNECTED;
    }
}

/* Everything of p that a caller fault must leave alone */
static inline int same_party(const party *a, const party *b) {
    return memcmp(session_of(a), session_of(b), sizeof(svconn)) == 0 && memcmp(a->rx, b->rx, sizeof a->rx) == 0 &&
           memcmp(a->tx, b->tx, sizeof a->tx) == 0;
}

#endif
