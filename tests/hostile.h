/* SPDX-License-Identifier: ISC */
/*
 * A hostile relay, in memory: two pairs of applications, and somebody in the middle who carries their bytes and knows
 * how packets are framed, but no key.
 *
 *      CLIENT_A ----+            +---- SERVER_A
 *                   | the middle |
 *      CLIENT_B ----+            +---- SERVER_B
 *
 * Everything is in one struct, w, and follows from small numbers. step() carries one packet, or lets the applications
 * go on with their script when nothing is under way; run_to() stops before a packet, and from there a test attacks:
 * take() a packet off the link, give() any bytes to any end, cut(), let time pass, change where somebody's bytes go.
 * A copy of w is a snapshot, and `w = copy` goes back to it, so one stop serves thousands of attacks.
 *
 * what_is_wrong() is the judge after any attack; it holds what must be so whatever the middle did.
 */
#ifndef SVCONN_TEST_HOSTILE_H
#define SVCONN_TEST_HOSTILE_H

#include "svconn_transport.h"
#include "test.h"

enum { CLIENT_A, SERVER_A, CLIENT_B, SERVER_B, ENDS, NOWHERE = ENDS };
enum { END_BUFFER = SVCONN_BUFFER_SIZE(400), TAPE = 1600, ERROR_BYTES = 16 };

/* Who is who: a number stands for a person with a key and a name; two that have the same psk number share a psk. */
enum { ALICE = 1, BOB, CAROL, DAVE, MALLORY, MALLORYS_OTHER_KEY };
enum { PSK_OF_ALICE_AND_BOB = 20, PSK_OF_CAROL_AND_DAVE, PSK_OF_MALLORY };

/* In every message, twice: what a relay must never see, and what makes plaintexts equal. */
#define PATTERN "A PLAIN PATTERN."
#define PATTERN_LEN 16
#define OWN_CONTEXT "the protocol of a test"
#define TOKEN "7KQ3M2XD"
#define OTHER_TOKEN "M4WZ9PLC"

typedef struct {
    const char *name;
    uint8_t server_type, client_type, hidden;
} mode;

static const mode modes[] = {{"open keys", SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519, 0},
                             {"hidden key", SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519, 1},
                             {"psk", SVCONN_TYPE_PSK, SVCONN_TYPE_PSK, 0},
                             {"hidden key, psk", SVCONN_TYPE_ED25519, SVCONN_TYPE_PSK, 1},
                             {"psk, key", SVCONN_TYPE_PSK, SVCONN_TYPE_ED25519, 0}};
enum { MODES = sizeof modes / sizeof *modes, OPEN_KEYS = 0, HIDDEN_KEY = 1, PSK = 2 };

typedef enum { ONLY_WHOM_I_EXPECT, ANYBODY, A_PERSON_COMPARES } trust;

typedef struct {
    uint8_t b[TAPE];
    size_t n;
} tape;

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity me, expected; /* expected: the public part counts */
    uint8_t secret[32], psk[32], seed[32], known[1][32], context[255];
    trust trusts;
    char shown[36];       /* the fingerprint that a person saw */
    int mate;             /* whom this application means to talk to */
    int to;               /* where the middle carries what it sends */
    int stalled, gone;    /* its bytes are held back; its link has ended */
    int waits;            /* the accessed side: touches nothing before a person has confirmed the digits */
    int saw_end, is_told; /* svconn_recv said END; the failure was noted */
    uint64_t failed_at;
    unsigned spoken, packets; /* messages said; packets taken off the link */
    size_t carried;           /* bytes of them */
    tape said, heard;         /* messages, each behind its length */
    tape out;                 /* all bytes that it sent: what the relay saw */
    uint8_t rx[END_BUFFER], tx[END_BUFFER];
} end;

typedef struct {
    end ends[ENDS];
    uint64_t now;
    unsigned stage;
    int joined_b; /* the second pair takes part */
    int relays;   /* the B ends are the middle's own and hand messages on */
} world;

static world w;

/* ---- small things ------------------------------------------------------------------------------- */

static inline void fill(uint8_t *b, size_t n, unsigned number) {
    uint32_t x = number * UINT32_C(2654435761) + 1;
    for (size_t i = 0; i < n; i++) {
        x = x * UINT32_C(1664525) + UINT32_C(1013904223);
        b[i] = (uint8_t)(x >> 24);
    }
}

static inline size_t get16(const uint8_t *p) { return (size_t)p[0] << 8 | p[1]; }

static inline void record_on(tape *t, const uint8_t *b, size_t n) {
    CHECK(n <= sizeof t->b - t->n); /* else make it longer */
    if (n == 0 || n > sizeof t->b - t->n) return;
    memcpy(t->b + t->n, b, n);
    t->n += n;
}

static inline void record_message(tape *t, const uint8_t *m, size_t n) {
    uint8_t len[2] = {(uint8_t)(n >> 8), (uint8_t)n};
    record_on(t, len, 2);
    record_on(t, m, n);
}

static inline int is_prefix(const tape *a, const tape *whole) {
    return a->n <= whole->n && memcmp(a->b, whole->b, a->n) == 0;
}

static inline int is_zero(const uint8_t *b, size_t n) {
    while (n > 0 && b[n - 1] == 0) n--;
    return n == 0;
}

static inline svconn_state state_of(int i) { return svconn_status(&w.ends[i].s); }
static inline svconn_err error_of(int i) { return svconn_error(&w.ends[i].s); }
static inline int is_server(int i) { return w.ends[i].config.role == SVCONN_SERVER; }

/* Sets of reasons */
#define R(e) (UINT64_C(1) << ((int)(e)-32))
static inline int failed_with(int i, uint64_t reasons) {
    return state_of(i) == SVCONN_FAILED && (R(error_of(i)) & reasons) != 0;
}

/* ---- the applications --------------------------------------------------------------------------- */

static inline void make_identity(svconn_identity *id, uint8_t type, unsigned who, const uint8_t psk[32]) {
    uint8_t secret[32];
    char name[24];
    fill(secret, 32, who);
    int n = snprintf(name, sizeof name, "the name of number %u", who);
    if (type == SVCONN_TYPE_ED25519) svconn_identity_ed25519(id, secret);
    else CHECK(svconn_identity_psk(id, psk, (const uint8_t *)name, (size_t)n) == SVCONN_OK);
}

/* The context as an application makes it behind a relay: the token enters it at each end. */
static inline void use_token(int i, const char *token) {
    end *e = &w.ends[i];
    svconn_link link = SVCONN_LINK_NONE;
    (void)snprintf(link.context, sizeof link.context, "relay token %s", token);
    CHECK(svconn_link_context(&link, e->context, &e->config.context_len, OWN_CONTEXT, strlen(OWN_CONTEXT)) ==
          SVCONN_OK);
    e->config.context = e->context;
}

static inline void make_end(int i, const mode *m, unsigned who, unsigned psk, unsigned whom) {
    end *e = &w.ends[i];
    int serves = i == SERVER_A || i == SERVER_B;
    memset(e, 0, sizeof *e);
    fill(e->psk, 32, psk);
    fill(e->secret, 32, who);
    make_identity(&e->me, serves ? m->server_type : m->client_type, who, e->psk);
    make_identity(&e->expected, serves ? m->client_type : m->server_type, whom, e->psk);
    e->config.role = serves ? SVCONN_SERVER : SVCONN_CLIENT;
    e->config.identity = &e->me;
    e->config.peer_types = SVCONN_PEER_ED25519 | SVCONN_PEER_PSK;
    e->config.hidden = serves && m->hidden;
    e->mate = e->to = i ^ 1;
    if (!serves && m->hidden) {
        size_t n;
        memcpy(e->known[0], svconn_identity_bytes(&e->expected, &n) + 1, 32);
        e->config.known_servers = (const uint8_t(*)[32])e->known;
        e->config.known_servers_count = 1;
    }
    use_token(i, TOKEN);
}

static inline int is_whom_we_expect(end *e) {
    size_t n, k;
    const uint8_t *peer = svconn_peer(&e->s, &n), *want = svconn_identity_bytes(&e->expected, &k);
    return peer && n == k && memcmp(peer, want, n) == 0;
}

/* First contact that asks: the person holds the true fingerprint on paper and compares. */
static inline int person_says_yes(end *e) {
    char paper[36];
    size_t n;
    const uint8_t *id = svconn_peer(&e->s, &n);
    svconn_fingerprint(e->shown, id, n);
    id = svconn_identity_bytes(&e->expected, &n);
    svconn_fingerprint(paper, id, n);
    return strcmp(e->shown, paper) == 0;
}

static inline int is_welcome(end *e) {
    if (e->trusts == ANYBODY) return 1;
    return e->trusts == A_PERSON_COMPARES ? person_says_yes(e) : is_whom_we_expect(e);
}

static inline void speak(int i, unsigned count) {
    end *e = &w.ends[i];
    while (count-- > 0 && !e->waits) {
        uint8_t m[2 * PATTERN_LEN + 1];
        memcpy(m, PATTERN PATTERN, 2 * PATTERN_LEN);
        m[2 * PATTERN_LEN] = (uint8_t)e->spoken; /* the last byte tells them apart */
        if (svconn_send(&e->s, m, sizeof m, w.now)) return;
        record_message(&e->said, m, sizeof m);
        e->spoken++;
    }
}

static inline void answer(int i) {
    end *e = &w.ends[i];
    if (svconn_status(&e->s) == SVCONN_NEEDS_PSK) (void)!svconn_give_psk(&e->s, e->psk);
    if (svconn_status(&e->s) != SVCONN_NEEDS_VERDICT) return;
    if (is_welcome(e)) (void)!svconn_accept(&e->s);
    else (void)!svconn_refuse(&e->s);
    if (svconn_status(&e->s) == SVCONN_CONFIRMING) speak(i, 1); /* early, where it may */
}

static inline void collect(int i) {
    end *e = &w.ends[i];
    const uint8_t *m;
    size_t n;
    svconn_err err = SVCONN_AGAIN;
    while (!e->waits && (err = svconn_recv(&e->s, &m, &n)) == SVCONN_OK) {
        record_message(&e->heard, m, n);
        if (w.relays && i >= CLIENT_B && svconn_send(&w.ends[i ^ 1].s, m, n, w.now) == SVCONN_OK)
            record_message(&w.ends[i ^ 1].said, m, n);
        if (svconn_recv_done(&e->s)) break;
    }
    if (err == SVCONN_END) e->saw_end = 1;
}

/* What an application does whenever something came. What it has for the link is seen by the relay from then on. */
static inline void attend(int i) {
    end *e = &w.ends[i];
    size_t n;
    answer(i);
    collect(i);
    if (svconn_status(&e->s) == SVCONN_FAILED && !e->is_told) {
        e->is_told = 1;
        e->failed_at = w.now;
    }
    const uint8_t *b = svconn_wire_out(&e->s, &n);
    record_on(&e->out, b, n);
    CHECK(svconn_wire_sent(&e->s, n) == SVCONN_OK);
}

static inline void attend_all(void) {
    for (int i = 0; i < (w.joined_b ? ENDS : CLIENT_B); i++) attend(i);
}

/* seed_number: another number, another session of the same two */
static inline void begin(int i, unsigned seed_number) {
    end *e = &w.ends[i];
    uint8_t seed[32];
    fill(e->seed, 32, 1000 + 10 * seed_number + (unsigned)i);
    memcpy(seed, e->seed, 32);
    CHECK(svconn_init(&e->s, &e->config, seed, e->rx, sizeof e->rx, e->tx, sizeof e->tx) == SVCONN_OK);
    CHECK(svconn_tick(&e->s, w.now, NULL) == SVCONN_OK);
}

/* Alice calls Bob: the first pair, with sessions that have begun. */
static inline void first_pair(const mode *m, unsigned seed_number) {
    memset(&w, 0, sizeof w);
    w.now = 1000;
    make_end(CLIENT_A, m, ALICE, PSK_OF_ALICE_AND_BOB, BOB);
    make_end(SERVER_A, m, BOB, PSK_OF_ALICE_AND_BOB, ALICE);
    begin(CLIENT_A, seed_number);
    begin(SERVER_A, seed_number);
    attend_all();
}

/* ---- the script --------------------------------------------------------------------------------- */

/* What the two say to each other once the handshake is through; each line goes all the way before the next begins. */
static inline void play(int c, int s, unsigned stage) {
    switch (stage) {
    case 0: speak(c, 1); break;
    case 1: speak(s, 2); break;
    case 2: break; /* time: keep-alives, below */
    case 3:
        (void)!svconn_renew(&w.ends[c].s);
        speak(c, 2);
        break;
    case 4: speak(s, 2); break; /* it follows */
    case 5:
        (void)!svconn_renew(&w.ends[s].s);
        speak(s, 1);
        break;
    case 6:
        speak(c, 2);
        (void)!svconn_close(&w.ends[c].s, w.now);
        break;
    case 7:
        speak(s, 1);
        (void)!svconn_close(&w.ends[s].s, w.now);
        break;
    }
}
enum { STAGES = 8, STAGE_OF_TIME = 2 };

/* The packets that this makes. c2s: M2, early, data, keep-alive | data, data | data, data, CLOSE.
 * s2c: M1, M3, data, data, keep-alive | data, data | data, data, CLOSE. "|": a new key. */
enum { C2S_PACKETS = 9, S2C_PACKETS = 10 };
static inline unsigned packets_of(int i) { return is_server(i) ? S2C_PACKETS : C2S_PACKETS; }

static inline void tick_all(uint64_t ms) {
    w.now += ms;
    for (int i = 0; i < (w.joined_b ? ENDS : CLIENT_B); i++) (void)!svconn_tick(&w.ends[i].s, w.now, NULL);
    attend_all();
}

static inline void next_stage(void) {
    if (w.stage == STAGE_OF_TIME) tick_all(20000);
    play(CLIENT_A, SERVER_A, w.stage);
    if (w.joined_b && !w.relays) play(CLIENT_B, SERVER_B, w.stage);
    w.stage++;
    attend_all();
}

/* ---- the middle --------------------------------------------------------------------------------- */

/* The length of packet `number` at p, or 0 if it is not there in full. The middle knows the framing and nothing else.
 */
static inline size_t packet_length(int from_server, unsigned number, const uint8_t *p, size_t have) {
    size_t len;
    if (have >= ERROR_BYTES && is_zero(p, ERROR_BYTES)) return ERROR_BYTES;
    if (number > 0) {
        len = have < 4 ? have + 1 : 4 + get16(p + 2) + 12;
    } else {
        len = from_server ? 33 : 32;
        for (int field = from_server ? 2 : 1; field > 0; field--) {
            if (have < len + 2) return 0;
            len += 2 + get16(p + len);
        }
    }
    return len <= have ? len : 0;
}

/* The packet of that end which is next on the link; 0: none */
static inline size_t pending(int from) {
    const end *e = &w.ends[from];
    return packet_length(is_server(from), e->packets, e->out.b + e->carried, e->out.n - e->carried);
}

static inline size_t take(int from, uint8_t b[TAPE]) {
    end *e = &w.ends[from];
    size_t n = pending(from);
    memcpy(b, e->out.b + e->carried, n);
    e->carried += n;
    e->packets++;
    return n;
}

static inline void give(int to, const uint8_t *b, size_t n) {
    size_t done = 0, used = 1;
    if (to == NOWHERE || w.ends[to].gone) return;
    while (done < n && used > 0 && !svconn_wire_in(&w.ends[to].s, b + done, n - done, &used, w.now)) {
        done += used;
        attend(to);
    }
    attend(to);
    if (w.relays) attend_all(); /* what one side of the middle heard the other side has for the link */
}

/* Carries one packet. 0: nothing is under way. */
static inline int carry_one(void) {
    uint8_t b[TAPE];
    for (int i = 0; i < ENDS; i++) {
        if (w.ends[i].stalled || !pending(i)) continue;
        size_t n = take(i, b);
        give(w.ends[i].to, b, n);
        return 1;
    }
    return 0;
}

static inline void carry_all(void) {
    while (carry_one()) {
    }
}

/* Carries one packet, or lets the applications go on. 0: all is said. */
static inline int step(void) {
    if (carry_one()) return 1;
    if (w.stage == STAGES) return 0;
    next_stage();
    return 1;
}

static inline void run(void) {
    while (step()) {
    }
}

/* Until packet `number` of `from` is next on the link. 0: it never comes. */
static inline int run_to(int from, unsigned number) {
    while (w.ends[from].packets < number || !pending(from))
        if (!step()) return 0;
    return w.ends[from].packets == number;
}

/* The link of that end is cut: no more bytes come, and what is under way is lost. */
static inline void cut(int i) {
    end *e = &w.ends[i];
    if (e->gone) return;
    e->gone = 1;
    (void)!svconn_wire_eof(&e->s);
    attend(i);
}

static inline void cut_all(void) {
    for (int i = 0; i < (w.joined_b ? ENDS : CLIENT_B); i++) cut(i);
}

enum { TICK_MS = 5000, LONG_MS = 90000 };

/* Time goes on; the middle goes on carrying, keep-alives too. */
static inline void wait_long(void) {
    for (uint64_t t = 0; t < LONG_MS; t += TICK_MS) {
        tick_all(TICK_MS);
        run();
    }
}

/* ---- the judge ---------------------------------------------------------------------------------- */

static inline int contains(const tape *t, const void *needle, size_t n) {
    const uint8_t *p = t->b, *stop = t->b + t->n;
    while (n > 0 && (size_t)(stop - p) >= n && (p = memchr(p, *(const uint8_t *)needle, (size_t)(stop - p) - n + 1))) {
        if (memcmp(p, needle, n) == 0) return 1;
        p++;
    }
    return 0;
}

/* The identity without its type: a public key or a name */
static inline int shows_identity(const tape *t, const svconn_identity *id) {
    size_t n;
    const uint8_t *b = svconn_identity_bytes(id, &n);
    return contains(t, b + 1, n - 1);
}

/* What a relay saw and may not have seen; NULL: nothing. */
static inline const char *leak_in(const tape *t) {
    if (contains(t, PATTERN, PATTERN_LEN)) return "the relay saw plaintext";
    if (contains(t, TOKEN, strlen(TOKEN)) || contains(t, OTHER_TOKEN, strlen(OTHER_TOKEN)))
        return "the relay saw a token";
    if (contains(t, OWN_CONTEXT, strlen(OWN_CONTEXT))) return "the relay saw the context";
    for (int i = 0; i < (w.joined_b ? ENDS : CLIENT_B); i++) {
        const end *e = &w.ends[i];
        if (!is_server(i) && shows_identity(t, &e->me)) return "the relay saw who the client is";
        if (e->config.hidden && shows_identity(t, &e->me)) return "the relay saw who the hidden server is";
        if (contains(t, e->psk, 32)) return "the relay saw a psk";
        if (contains(t, e->secret, 32)) return "the relay saw a private key";
        if (contains(t, e->seed, 32)) return "the relay saw a seed";
    }
    return NULL;
}

/* Section 7.1: 16 zero bytes, once, as the last thing, whatever the cause was; none if the peer is gone or told us. */
static inline int last_words_are_right(int i) {
    const end *e = &w.ends[i];
    size_t at = 0, n;
    unsigned number = 0, zeros = 0;
    svconn_err err = error_of(i);
    while ((n = packet_length(is_server(i), number, e->out.b + at, e->out.n - at)) > 0) {
        if (zeros) return 0; /* something behind it */
        zeros = n == ERROR_BYTES && is_zero(e->out.b + at, n);
        at += n;
        number++;
    }
    int mute = !err || err == SVCONN_E_ABSENT || err == SVCONN_E_TRUNCATED || err == SVCONN_E_ABORTED;
    return at == e->out.n && zeros == !mute;
}

static inline const char *wrong_at(int i) {
    const end *e = &w.ends[i], *mate = &w.ends[e->mate];
    svconn_err err = error_of(i);
    if (!is_prefix(&e->heard, &mate->said)) return "a message was delivered that was not sent, or not in its place";
    if (e->saw_end && e->heard.n != mate->said.n) return "an orderly end was told, and data is missing";
    if ((state_of(i) == SVCONN_FAILED) != svconn_is_failure(err)) return "a failure without a reason";
    if (strlen(svconn_strerror(err)) < 10 || strcmp(svconn_reason_name(err), "unknown-result") == 0)
        return "a reason without a sentence";
    if (!last_words_are_right(i)) return "not the one error packet";
    return leak_in(&e->out);
}

/* What must be so whatever the middle did. NULL: all is well. */
static inline const char *what_is_wrong(void) {
    for (int i = 0; i < (w.joined_b ? ENDS : CLIENT_B); i++) {
        const char *text = wrong_at(i);
        if (text) return text;
    }
    return NULL;
}

/* Where a test stands, printed when a check of it fails. */
static char standing[120];
#define STANDS(...) ((void)snprintf(standing, sizeof standing, __VA_ARGS__))

static inline void report(const char *text) {
    if (test_bad++ >= 10) return;
    printf("  %s: %s", standing, text);
    for (int i = 0; i < (w.joined_b ? ENDS : CLIENT_B); i++) printf(" [%s]", svconn_reason_name(error_of(i)));
    printf("\n");
}

/* What an end may say of an attack that the other one noticed: it was told, or the link ended, or nothing came. */
#define HEARSAY                                                                                                        \
    (R(SVCONN_E_ABORTED) | R(SVCONN_E_TRUNCATED) | R(SVCONN_E_ABSENT) | R(SVCONN_E_TIMEOUT) | R(SVCONN_E_SILENT))

/* The receiver fails for one of these reasons; its mate fails too, unless it had closed before; nothing is wrong. */
static inline void expect_noticed(int receiver, uint64_t reasons) {
    const char *text = what_is_wrong();
    int mate = w.ends[receiver].mate;
    if (text) report(text);
    if (!failed_with(receiver, reasons)) report("not noticed, or not for the right reason");
    if (state_of(mate) != SVCONN_CLOSED && !failed_with(mate, HEARSAY)) report("the other end does not know");
}

/* ---- every packet of a conversation ------------------------------------------------------------- */

/* An attack begins with packet k of `from` next on the link. It may go back there as often as it likes: w = saved. */
typedef void (*attack)(const mode *m, int from, unsigned k);
static world saved;

static inline void on_every_packet(const char *what, unsigned seed_number, attack attack_it) {
    for (int i = 0; i < MODES; i++)
        for (int from = CLIENT_A; from <= SERVER_A; from++)
            for (unsigned k = 0; k < packets_of(from); k++) {
                first_pair(&modes[i], seed_number);
                CHECK(run_to(from, k));
                saved = w;
                STANDS("%s, %s, packet %u of the %s", what, modes[i].name, k, is_server(from) ? "server" : "client");
                attack_it(&modes[i], from, k);
            }
}

/* The rest of the conversation, then the end of the link */
static inline void finish(void) {
    run();
    cut_all();
}

/* All that was said was heard, in order, to the end: nothing was attacked, or the attack did nothing. */
static inline int all_is_well(int c, int s) {
    const end *a = &w.ends[c], *b = &w.ends[s];
    return !what_is_wrong() && state_of(c) == SVCONN_CLOSED && state_of(s) == SVCONN_CLOSED && a->saw_end &&
           b->saw_end && a->heard.n == b->said.n && b->heard.n == a->said.n && a->spoken == 6 && b->spoken == 6;
}

#endif
