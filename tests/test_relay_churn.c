/* SPDX-License-Identifier: ISC */
/* The relay among parties that do anything at any time: it lives on, serves the next ones, and forgets those who are
 * gone. (Under AddressSanitizer this also says that it touches nothing that it has freed.) */
#include "relay_lab.h"

/* One of the relay's counters; -1: it has none of this name. */
static int value_of(const lab_relay *r, const char *name) {
    char text[10000], line[100];
    int value = -1, fd = lab_dial(atoi(strrchr(r->counters, ':') + 1));
    (void)lab_put(fd, "GET / HTTP/1.0\r\n\r\n", 18);
    text[lab_get(fd, text, sizeof text - 1)] = 0;
    close(fd);
    snprintf(line, sizeof line, "\nsvconn_relay_%s ", name);
    const char *at = strstr(text, line);
    if (at) sscanf(at + strlen(line), "%d", &value);
    return value;
}

static int has(const lab_relay *r, const char *name, int want) {
    int value = value_of(r, name);
    for (uint64_t end = svconn_now() + PATIENCE; value != want && svconn_now() < end; value = value_of(r, name))
        (void)poll(NULL, 0, 20);
    if (value != want) printf("  %s is %d, not %d\n", name, value, want);
    return value == want;
}

/* Nobody is left but who reads the counters; and it still does its work. */
static void is_well(const lab_relay *r, const char *source) {
    static hand a, b;
    CHECK(has(r, "connections", 1) && has(r, "waiting", 0) && has(r, "registered", 0) && has(r, "pairs", 0));
    CHECK(hand_pair_from(&a, &b, r, source, source) && lab_linked(a.fd, b.fd));
    hand_close(&a);
    hand_close(&b);
}

#define METRICS " --metrics tcp://127.0.0.1:0"

/* ---- one party, one fault ----------------------------------------------------------------------- */

/* A party as it should be, but its connection ends behind so many bytes. */
static void cut_anywhere(void) {
    static hand a, b;
    lab_relay r;
    uint64_t token = 0;
    int done = 0;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, METRICS));
    CHECK(hand_open(&a, &r) && hand_listen(&a, &token));
    for (long budget = 0; budget < 400 && !done; budget += 3) {
        hand_init(&b, lab_dial(r.port), SVCONN_CLIENT, NULL);
        b.budget = budget;
        done = hand_connect(&b) && hand_call(&b, token) && hand_is_joined(&b, SVCONN_CLIENT);
        if (!done) hand_close(&b);
    }
    CHECK(done && hand_is_joined(&a, SVCONN_SERVER) && lab_linked(a.fd, b.fd));
    hand_close(&a);
    hand_close(&b);
    is_well(&r, NULL);
    relay_stop(&r);
}

/* Every bit of the party's first message counts; so the relay hears no request. */
static void changed_hello(void) {
    static hand h;
    lab_relay r;
    size_t len = 1;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, METRICS));
    for (size_t at = 0; at < len; at += TEST_UNDER_ASAN ? 3 : 1) {
        uint8_t bytes[1000], msg[HAND_BUFFER];
        const uint8_t *out;
        hand_init(&h, lab_dial(r.port), SVCONN_CLIENT, NULL);
        while (svconn_status(&h.s) != SVCONN_NEEDS_VERDICT && hand_carry(&h)) {
        }
        CHECK(svconn_accept(&h.s) == SVCONN_OK);
        out = svconn_wire_out(&h.s, &len);
        CHECK(len > 100 && len < sizeof bytes);
        if (len == 0 || len >= sizeof bytes) break;
        memcpy(bytes, out, len);
        bytes[at] ^= (uint8_t)(1 << at % 8);
        CHECK(lab_put(h.fd, bytes, len) && svconn_wire_sent(&h.s, len) == SVCONN_OK);
        (void)shutdown(h.fd, SHUT_WR); /* a length may be larger now: there is no more */
        CHECK(hand_hear(&h, msg) == -1 && svconn_status(&h.s) != SVCONN_CONNECTED);
        hand_close(&h);
    }
    is_well(&r, NULL);
    relay_stop(&r);
}

static void random_requests(void) {
    static hand h;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, METRICS));
    for (int i = 0; i < 200; i++) {
        uint8_t body[HAND_BUFFER], kind, say;
        CHECK(hand_open(&h, &r));
        lab_random(&say, 1);
        for (int k = 0; k <= say % 4; k++) {
            static const size_t lengths[] = {0, 8, 16, 32};
            lab_random(body, sizeof body);
            kind = body[0] % 2 ? body[1] : (uint8_t)(1 + body[1] % 6);
            if (!hand_say(&h, kind, body + 3, body[2] % 2 ? lengths[body[2] / 2 % 4] : body[2] / 2u)) break;
        }
        if (say & 64) (void)hand_hear(&h, body); /* there is an answer to everything but a name that nobody has */
        hand_close(&h);
    }
    is_well(&r, NULL);
    relay_stop(&r);
}

/* ---- many parties ------------------------------------------------------------------------------- */

enum { PARTIES = 12, OWNERS = 3, STEPS = TEST_UNDER_ASAN ? 6000 : 30000 };

typedef struct {
    hand h[PARTIES];
    int asked[PARTIES];  /* something: no request may follow */
    int joined[PARTIES]; /* what comes is the other party's */
    uint64_t token[4];
    uint8_t ticket[4][RELAY_TICKET_LEN], name[OWNERS][32];
    svconn_identity owner[OWNERS];
    lab_relay r;
    uint32_t state;
    int last_token, last_ticket;
} crowd;

/* The same each time that it is run, as far as the relay is. */
static uint32_t pick(crowd *c, uint32_t n) {
    c->state = c->state * 1664525 + 1013904223;
    return (c->state >> 8) % n;
}

static void comes(crowd *c, int i) {
    char from[20];
    /* one of a few, who come to their limits, or one of many, who have not yet spoilt it */
    if (pick(c, 2)) snprintf(from, sizeof from, "10.0.0.%u", pick(c, 3));
    else snprintf(from, sizeof from, "10.0.1.%u", pick(c, 256));
    c->joined[i] = 0;
    c->asked[i] = !hand_open_from(&c->h[i], &c->r, from);
    if (c->asked[i]) hand_close(&c->h[i]); /* a limit */
}

static void registers(crowd *c, int i) {
    uint8_t msg[HAND_BUFFER], mac[32], binding[32];
    uint32_t who = pick(c, OWNERS), prover = pick(c, 5) ? who : (who + 1) % OWNERS;
    hand *h = &c->h[i];
    if (!hand_say(h, RELAY_REGISTER, c->name[who], 32) || hand_hear(h, msg) != 33) return;
    if (svconn_export(&h->s, RELAY_BINDING_LABEL, NULL, 0, binding, 32)) return;
    (void)!svconn_relay_proof(mac, c->owner[prover].secret, c->r.key, lab_public(&c->owner[prover]), msg + 1, binding);
    if (pick(c, 8)) (void)hand_say(h, RELAY_PROOF, mac, 32);
}

static void asks(crowd *c, int i) {
    hand *h = &c->h[i];
    uint64_t token = c->token[pick(c, 3) ? (uint32_t)c->last_token : pick(c, 4)];
    c->asked[i] = 1;
    switch (pick(c, 5)) {
    case 0:
        c->last_token = (c->last_token + 1) % 4;
        (void)hand_listen(h, &c->token[c->last_token]);
        break;
    case 1: (void)hand_call(h, pick(c, 6) ? token : token ^ 1); break;
    case 2: registers(c, i); break;
    case 3: (void)hand_say(h, RELAY_CALL_NAME, c->name[pick(c, OWNERS)], 32); break;
    default:
        (void)hand_say(h, RELAY_DATA, c->ticket[pick(c, 3) ? (uint32_t)c->last_ticket : pick(c, 4)], RELAY_TICKET_LEN);
        break;
    }
}

/* What is there for it, without waiting: perhaps a ticket, or that it is joined. */
static void looks(crowd *c, int i) {
    uint8_t msg[HAND_BUFFER];
    struct pollfd p = {.fd = c->h[i].fd, .events = POLLIN};
    if (poll(&p, 1, 0) <= 0 || svconn_error(&c->h[i].s)) return;
    int len = hand_hear(&c->h[i], msg);
    if (len == 2 && msg[0] == RELAY_JOINED) c->joined[i] = 1;
    if (len != 1 + RELAY_TICKET_LEN || msg[0] != RELAY_RING) return;
    c->last_ticket = (c->last_ticket + 1) % 4;
    memcpy(c->ticket[c->last_ticket], msg + 1, RELAY_TICKET_LEN);
}

static void sends_or_takes(crowd *c, int i, int sends) {
    static uint8_t bytes[60000];
    size_t len = pick(c, sizeof bytes);
    if (sends) (void)!send(c->h[i].fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    else (void)!recv(c->h[i].fd, bytes, len, MSG_DONTWAIT);
}

static void goes(crowd *c, int i) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (pick(c, 2)) (void)setsockopt(c->h[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    hand_close(&c->h[i]);
}

static void acts(crowd *c, int i) {
    uint32_t what = pick(c, 40);
    if (c->h[i].fd < 0) comes(c, i);
    else if (what == 0) goes(c, i);
    else if (what == 1) (void)shutdown(c->h[i].fd, SHUT_WR);
    else if (what == 2 || c->joined[i]) sends_or_takes(c, i, what % 2 == 0);
    else if (!c->asked[i]) asks(c, i);
    else looks(c, i);
}

static void churn(const char *options, uint32_t seed) {
    static crowd c;
    if (!lab_has_program()) return;
    memset(&c, 0, sizeof c);
    c.state = seed;
    CHECK(relay_start(&c.r, options));
    for (int i = 0; i < PARTIES; i++) c.h[i].fd = -1;
    for (int i = 0; i < OWNERS; i++) {
        lab_identity(&c.owner[i], (uint8_t)(i + 1));
        CHECK(svconn_relay_name(c.name[i], c.r.key, lab_public(&c.owner[i])) == 0);
    }
    for (int step = 0; step < STEPS; step++) acts(&c, (int)pick(&c, PARTIES));
    for (int i = 0; i < PARTIES; i++)
        if (c.h[i].fd >= 0) goes(&c, i);
    CHECK(value_of(&c.r, "joined_total") > (TEST_UNDER_ASAN ? 0 : 5) &&
          value_of(&c.r, "bytes_total") > 10000); /* it was a crowd */
    is_well(&c.r, "10.1.1.1");
    relay_stop(&c.r);
}

#define TIGHT                                                                                                          \
    "--proxy-protocol --source-open 7 --source-joined 3 --open 10 --joined 3 --hello 1 --token-life 1 --wait 1"
static void churn_epoll(void) { churn(TIGHT METRICS, 1); }
static void churn_poll(void) { churn(TIGHT " --poll" METRICS, 2); }

int main(int argc, char **argv) {
    (void)argc;
    lab_begin(argv[0]);
    TEST("churn_party_cut_at_every_byte", cut_anywhere);
    TEST("churn_party_whose_hello_was_changed", changed_hello);
    TEST("churn_random_requests", random_requests);
    TEST("churn_many_parties_do_anything", churn_epoll);
    TEST("churn_many_parties_do_anything_poll", churn_poll);
    return TEST_EXIT();
}
