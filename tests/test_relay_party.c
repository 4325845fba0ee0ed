/* SPDX-License-Identifier: ISC */
/* A party and a relay that is hostile, broken, or no relay at all: what the party gives away, and what it says. And the
 * spelling of tokens (R3). The relay is a script in a child; the program svconn is not needed. */
#include "relay_lab.h"
#include "svconn_link.h"

#define TOKEN "0123-4567"

static int calls_fail(const char *relay, int timeout_ms, svconn_fault fault, const char *part) {
    svconn_why why = {.text = ""};
    svconn_link l;
    char address[300];
    snprintf(address, sizeof address, "%.200s" TOKEN, relay);
    if (svconn_link_open(&l, address, timeout_ms, &why) != 0) return l.in == -1 && lab_says(&why, fault, part);
    svconn_link_close(&l);
    printf("  it was opened\n");
    return 0;
}

/* ---- R3: spelling ------------------------------------------------------------------------------- */

static int reads(const char *text, uint64_t want) {
    uint64_t token = ~want;
    return svconn_token_read(&token, text) == 0 && token == want;
}

static void spelling(void) {
    CHECK(reads("00000000", 0) && reads("ZZZZ-ZZZZ", 0xffffffffff) && reads("0000-0001", 1));
    CHECK(reads("7KQ3-M2XD", 0x3cee3a0bad) && reads("7kq3m2xd", 0x3cee3a0bad));
    CHECK(reads("01234567", 0x00443214c7) && reads("0123-4567", 0x00443214c7));
    CHECK(reads("0-1-2-3-4-5-6-7", 0x00443214c7) && reads("--01234567--", 0x00443214c7));
    CHECK(reads(" 0123 4567 ", 0x00443214c7) && reads("0 1-2 3-45 67", 0x00443214c7));
    CHECK(reads("o1234567", 0x00443214c7) && reads("OI234567", 0x00443214c7) && reads("ol234567", 0x00443214c7) &&
          reads("0i234567", 0x00443214c7) && reads("OL234567", 0x00443214c7));
    for (const char *p = "ABCDEFGHJKMNPQRSTVWXYZ"; *p; p++) { /* any case */
        char upper[9], lower[9];
        uint64_t a, b;
        for (int i = 0; i < 8; i++) {
            upper[i] = *p;
            lower[i] = (char)(*p - 'A' + 'a');
        }
        upper[8] = lower[8] = 0;
        CHECK(svconn_token_read(&a, upper) == 0 && svconn_token_read(&b, lower) == 0 && a == b);
    }
}

static void bad_spelling(void) {
    static const char *const bad[] = {"",           "-",         "0123456",   "012345678",       "0123-456",
                                      "0123-45678", "0123456U",  "u1234567",  "0123_4567",       "0123.4567",
                                      "0123\t4567", "0123+4567", "0123/4567", "\303\2261234567", "0123456\xff",
                                      "01234567 8"};
    uint64_t token;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(svconn_token_read(&token, bad[i]) == -1);
    for (int c = 1; c < 256; c++) {
        char text[9] = "0123456", *known = strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyzOoIiLl", c);
        text[7] = (char)c;
        CHECK((svconn_token_read(&token, text) == 0) == (known != NULL));
    }
}

static void round_trip(void) {
    for (int i = 0; i < 10000; i++) {
        uint64_t token = 0, back;
        char text[RELAY_TOKEN_LEN + 1];
        if (i < 40) token = (uint64_t)1 << i;
        else if (i < 80) token = ((uint64_t)1 << (i - 39)) - 1;
        else lab_random((uint8_t *)&token, 5);
        if (i >= 80) token &= 0xffffffffff;
        svconn_token_write(text, token);
        CHECK(strlen(text) == 8 && strspn(text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 8);
        CHECK(svconn_token_read(&back, text) == 0 && back == token);
    }
}

static void spelling_in_addresses(void) {
    static const char *const good[] = {"relay://host/0123-4567", "relay://host/01234567", "relay://host/oi23-4567",
                                       "relay://host:99/0-1-2-3-4-5-6-7", "relay://[::1]:99/ol23 4567"};
    static const char *const bad[] = {"relay://host/0123-456", "relay://host/0123-45678", "relay://host/0123-456U",
                                      "relay://host/0123-4567/", "relay://host/0123-4567?"};
    svconn_address a;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(svconn_address_parse(&a, good[i], NULL) == 0 && a.meet == SVCONN_MEET_TOKEN && a.token == 0x00443214c7);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(svconn_address_parse(&a, bad[i], NULL) == -1);
    CHECK(svconn_address_parse(&a, "relay://host/", NULL) == 0 && a.meet == SVCONN_MEET_NEW &&
          strcmp(a.port, RELAY_PORT) == 0);
}

/* ---- R1: what a relay that is not trusted gets to know ------------------------------------------- */

/* No request reaches it. */
static void gets_nothing(int fd, int turn) {
    static hand h;
    uint8_t msg[HAND_BUFFER];
    (void)turn;
    hand_relay(&h, fd);
    (void)hand_connect(&h);
    CHECK(hand_hear(&h, msg) == -1 && svconn_error(&h.s) == SVCONN_E_ABORTED);
    hand_close(&h);
}

static int no_trust(void *arg, const char *relay, const uint8_t key[32]) {
    (void)relay;
    (void)key;
    ++*(int *)arg;
    return 0;
}

static void untrusted_relay(void) {
    int asked = 0;
    svconn_link_options o = {.trust = no_trust, .arg = &asked};
    svconn_identity other;
    svconn_why why;
    svconn_link l;
    svconn_listener n;
    lab_hostile h;
    char address[300], hex[65];
    hostile_start(&h, gets_nothing, 4);
    snprintf(address, sizeof address, "%s" TOKEN, h.bare);
    CHECK(svconn_link_open_with(&l, address, &o, PATIENCE, &why) == -1 && asked == 1);
    CHECK(lab_says(&why, SVCONN_FAULT_RELAY_KEY, "was not accepted"));
    CHECK(calls_fail(h.bare, PATIENCE, SVCONN_FAULT_RELAY_KEY, "is not known here"));
    CHECK(svconn_listen(&n, h.bare, &why) == -1 && lab_says(&why, SVCONN_FAULT_RELAY_KEY, "is not known here"));
    lab_identity(&other, HOSTILE_SEED + 1);
    lab_hex(hex, lab_public(&other), 32);
    snprintf(address, sizeof address, "relay://%s@127.0.0.1:%d/", hex, h.port);
    CHECK(calls_fail(address, PATIENCE, SVCONN_FAULT_RELAY_KEY, "not the one of the address"));
    hostile_end(&h);
}

/* ---- R5: two connections of one party have nothing in common ------------------------------------- */

static void looks_who_comes(int fd, int turn) {
    static hand h;
    size_t len = 0;
    (void)turn;
    hand_relay(&h, fd);
    CHECK(hand_connect(&h));
    const uint8_t *id = svconn_peer(&h.s, &len);
    CHECK(id && len == sizeof RELAY_NOBODY - 1 && memcmp(id, RELAY_NOBODY, len) == 0);
    CHECK(hand_say(&h, RELAY_NO, "\x04", 1));
    (void)hand_carry(&h);
    hand_close(&h);
}

static void nobody_at_all(void) {
    lab_hostile h;
    svconn_listener n;
    hostile_start(&h, looks_who_comes, 4);
    for (int i = 0; i < 2; i++) {
        CHECK(calls_fail(h.address, PATIENCE, SVCONN_FAULT_RELAY_REFUSED, "the relay is full"));
        CHECK(svconn_listen(&n, h.address, NULL) == -1);
    }
    hostile_end(&h);
}

/* ---- R4: a relay that joins the wrong two ------------------------------------------------------- */

static void pass(int a, int b) {
    struct pollfd p[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
    if (lab_fork() != 0) return;
    for (int open_ends = 2; open_ends > 0 && poll(p, 2, PATIENCE) > 0;) {
        for (int i = 0; i < 2; i++) {
            if (p[i].fd < 0 || !p[i].revents || middle_move(p[i].fd, i ? a : b, -1)) continue;
            p[i].fd = -1;
            open_ends--;
        }
    }
    lab_exit();
}

/* Two listeners, two callers with the tokens of these, joined crosswise. */
static void joins_crosswise(int fd, int turn) {
    static hand h[4];
    uint8_t msg[HAND_BUFFER];
    hand_relay(&h[turn], fd);
    CHECK(hand_connect(&h[turn]));
    if (turn < 2) {
        CHECK(hand_hears(&h[turn], RELAY_LISTEN, 0, NULL));
        CHECK(hand_say(&h[turn], RELAY_TOKEN, turn ? "AAAAAAAA\0\x10" : "BBBBBBBB\0\x10", 10));
        return;
    }
    CHECK(hand_hears(&h[turn], RELAY_CALL, RELAY_TOKEN_LEN, msg));
    CHECK(memcmp(msg, turn == 3 ? "AAAAAAAA" : "BBBBBBBB", 8) == 0); /* the one of listener turn - 2 */
    CHECK(hand_say(&h[turn], RELAY_JOINED, "\1", 1) && hand_say(&h[3 - turn], RELAY_JOINED, "\2", 1));
    pass(h[turn].fd, h[3 - turn].fd);
    hand_close(&h[turn]);
    hand_close(&h[3 - turn]);
}

/* link_counts 0: what would be if the context had nothing of the way. */
static void meet_crosswise(int link_counts) {
    static party listening[2], calling[2];
    lab_hostile h;
    svconn_listener n[2];
    static const uint8_t psk[32] = {1, 2, 3};
    hostile_start(&h, joins_crosswise, 4);
    for (int i = 0; i < 2; i++) CHECK(svconn_listen(&n[i], h.address, NULL) == 0);
    for (int i = 0; i < 2; i++) CHECK(svconn_link_open(&calling[i].link, n[i].address, PATIENCE, NULL) == 0);
    for (int i = 0; i < 2; i++) CHECK(svconn_listener_accept(&n[i], &listening[i].link, PATIENCE, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        party *p[2] = {&listening[i], &calling[i]};
        for (int k = 0; k < 2; k++) {
            memcpy(p[k]->psk, psk, 32);
            p[k]->has_psk = 1;
            CHECK(svconn_identity_psk(&p[k]->me, psk, (const uint8_t *)(k ? "caller" : "listener"), k ? 6 : 8) ==
                  SVCONN_OK);
            party_context(p[k], k ? SVCONN_CLIENT : SVCONN_SERVER, "test", link_counts);
            party_init(p[k]);
        }
    }
    for (int i = 0; i < 2; i++) { /* the relay has joined caller i and listener 1 - i */
        party *a = &calling[i], *b = &listening[1 - i];
        CHECK(party_meet(a, b) == !link_counts);
        if (link_counts) CHECK(svconn_error(&a->s) == SVCONN_E_PROOF || svconn_error(&b->s) == SVCONN_E_PROOF);
        else CHECK(party_tells(a, b, "hello"));
    }
    for (int i = 0; i < 2; i++) {
        party_end(&listening[i]);
        party_end(&calling[i]);
    }
    hostile_end(&h);
}
static void crossed(void) { meet_crosswise(1); }
static void crossed_unnoticed(void) { meet_crosswise(0); }

/* ---- refusals ----------------------------------------------------------------------------------- */

static const struct {
    uint8_t reason;
    svconn_fault fault;
    const char *part;
} refusals[] = {
    {RELAY_NO_REQUEST, SVCONN_FAULT_RELAY_REFUSED, "does not understand us"},
    {RELAY_NO_TOKEN, SVCONN_FAULT_TOKEN, "not known there"},
    {RELAY_NO_SLOWER, SVCONN_FAULT_RELAY_REFUSED, "too many wrong tokens"},
    {RELAY_NO_ROOM, SVCONN_FAULT_RELAY_REFUSED, "the relay is full"},
    {RELAY_NO_PEER, SVCONN_FAULT_NOT_THERE, "no machine with this key"},
    {RELAY_NO_ANSWER, SVCONN_FAULT_NOT_THERE, "did not answer in time"},
    {RELAY_NO_CALLER, SVCONN_FAULT_TOKEN, "nobody came with the token"},
    {RELAY_NO_WITHDRAWN, SVCONN_FAULT_TOKEN, "withdrew it"},
    {RELAY_NO_LONGER, SVCONN_FAULT_RELAY_REFUSED, "being shut down"},
    {RELAY_NO_OWNER, SVCONN_FAULT_RELAY_REFUSED, "does not believe that the key is ours"},
    {RELAY_NO_REPLACED, SVCONN_FAULT_CUT, "registered there again"},
    {0, SVCONN_FAULT_RELAY_REFUSED, "for reason 0"},
    {12, SVCONN_FAULT_RELAY_REFUSED, "for reason 12"},
    {255, SVCONN_FAULT_RELAY_REFUSED, "for reason 255"},
};
enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

static void refuses(int fd, int turn) {
    static hand h;
    uint8_t msg[HAND_BUFFER];
    hand_relay(&h, fd);
    CHECK(hand_connect(&h) && hand_hear(&h, msg) > 0);
    CHECK(hand_say(&h, RELAY_NO, &refusals[turn / 2].reason, 1));
    (void)hand_carry(&h);
    hand_close(&h);
}

static void every_refusal(void) {
    lab_hostile h;
    hostile_start(&h, refuses, 2 * REFUSALS);
    for (int i = 0; i < REFUSALS; i++) {
        svconn_listener n;
        svconn_why why;
        CHECK(calls_fail(h.address, PATIENCE, refusals[i].fault, refusals[i].part));
        CHECK(svconn_listen(&n, h.address, &why) == -1 && lab_says(&why, refusals[i].fault, refusals[i].part));
    }
    hostile_end(&h);
}

/* ---- answers that are none ---------------------------------------------------------------------- */

/* One answer to a request; what comes of it at who calls, and at who listens. */
static const struct {
    const char *answer;
    size_t len;
    svconn_fault call, listen;
} answers[] = {
    {"", 0, SVCONN_FAULT_RELAY_REFUSED, SVCONN_FAULT_RELAY_REFUSED},
    {"\x84", 1, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x84\x02", 2, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT}, /* the wrong part */
    {"\x84\x00", 2, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x8f", 1, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x8f\x02\x02", 3, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x83", 1, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x85 0123456789abcdef", 17, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x82 0123456789abcdef0123456789abcdef", 33, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {"\x81"
     "01234567\0",
     10, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT}, /* too short */
    {"\x81"
     "0123456U\0\x10",
     11, SVCONN_FAULT_CUT, SVCONN_FAULT_RELAY_REFUSED}, /* no token */
    {"\x81"
     "012345\0\0\0\x10",
     11, SVCONN_FAULT_CUT, SVCONN_FAULT_RELAY_REFUSED},
    {"\x01", 1, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},
    {NULL, 112, SVCONN_FAULT_RELAY_REFUSED, SVCONN_FAULT_RELAY_REFUSED}, /* zeros: one more than there may be */
    {NULL, 200, SVCONN_FAULT_RELAY_REFUSED, SVCONN_FAULT_RELAY_REFUSED},
    {NULL, 400, SVCONN_FAULT_CUT, SVCONN_FAULT_CUT},              /* more than the session holds */
    {NULL, 1500, SVCONN_FAULT_RELAY_KEY, SVCONN_FAULT_RELAY_KEY}, /* more than a packet may have */
};
enum { ANSWERS = sizeof answers / sizeof answers[0] };

static void answers_oddly(int fd, int turn) {
    static const uint8_t zeros[2000];
    static hand h;
    uint8_t msg[HAND_BUFFER];
    const void *answer = answers[turn / 2].answer;
    hand_relay(&h, fd);
    CHECK(hand_connect(&h) && hand_hear(&h, msg) > 0);
    CHECK(svconn_send(&h.s, answer ? answer : zeros, answers[turn / 2].len, svconn_now()) == SVCONN_OK &&
          hand_flush(&h));
    while (hand_carry(&h)) {
    }
    hand_close(&h);
}

static void odd_answers(void) {
    lab_hostile h;
    hostile_start(&h, answers_oddly, 2 * ANSWERS);
    for (int i = 0; i < ANSWERS; i++) {
        svconn_listener n;
        svconn_why why;
        CHECK(calls_fail(h.address, PATIENCE, answers[i].call, "") || (printf("  answer %d\n", i), 0));
        int failed = svconn_listen(&n, h.address, &why) == -1;
        CHECK(failed && lab_says(&why, answers[i].listen, ""));
        if (!failed) svconn_listener_close(&n);
    }
    hostile_end(&h);
}

/* The relay's name of itself, behind a token. */
static const struct {
    const char *name, *want; /* NULL: as it was dialled */
} names[] = {{"relay.example:443", "@relay.example:443/"},
             {"[2001:db8::1]:8386", "@[2001:db8::1]:8386/"},
             {"", NULL},
             {"evil/../", NULL},
             {"a b", NULL},
             {"x@y:1", NULL},
             {"\x1b[2J", NULL},
             {"a\nb", NULL},
             {"a\0b", NULL}};
enum { NAMES = sizeof names / sizeof names[0] };

static void names_itself(int fd, int turn) {
    static hand h;
    uint8_t msg[HAND_BUFFER] = "ABCDEFGH\0\x10";
    size_t len = turn == NAMES - 1 ? 3 : strlen(names[turn].name);
    hand_relay(&h, fd);
    memcpy(msg + 10, names[turn].name, len);
    CHECK(hand_connect(&h) && hand_hears(&h, RELAY_LISTEN, 0, NULL) && hand_say(&h, RELAY_TOKEN, msg, 10 + len));
    while (hand_carry(&h)) {
    }
    hand_close(&h);
}

static void odd_names(void) {
    lab_hostile h;
    char dialled[100];
    hostile_start(&h, names_itself, NAMES);
    snprintf(dialled, sizeof dialled, "@127.0.0.1:%d/", h.port);
    for (int i = 0; i < NAMES; i++) {
        svconn_listener n;
        const char *want = names[i].want ? names[i].want : dialled;
        CHECK(svconn_listen(&n, h.address, NULL) == 0);
        const char *at = strstr(n.address, want);
        CHECK(at && strcmp(at + strlen(want), "ABCD-EFGH") == 0);
        svconn_listener_close(&n);
    }
    hostile_end(&h);
}

/* Later, when a listener waits: what is not JOINED, with the right part, ends it. */
static void answers_late(int fd, int turn) {
    static const struct {
        const char *answer;
        size_t len;
    } late[] = {{"\x84\x01", 2},
                {"\x84", 1},
                {"\x81"
                 "ABCDEFGH\0\x10",
                 11},
                {"\x85 0123456789abcdef", 17},
                {"", 0}};
    static hand h;
    hand_relay(&h, fd);
    CHECK(hand_connect(&h) && hand_hears(&h, RELAY_LISTEN, 0, NULL) && hand_say(&h, RELAY_TOKEN, "ABCDEFGH\0\x10", 10));
    if (turn < 5)
        CHECK(svconn_send(&h.s, late[turn].answer, late[turn].len, svconn_now()) == SVCONN_OK && hand_flush(&h));
    if (turn == 5) CHECK(svconn_close(&h.s, svconn_now()) == SVCONN_OK && hand_flush(&h));
    if (turn == 6) svconn_abort(&h.s);
    if (turn == 6) (void)hand_flush(&h);
    if (turn < 7)
        while (hand_carry(&h)) {
        }
    hand_close(&h);
}

static void late_answers(void) {
    lab_hostile h;
    hostile_start(&h, answers_late, 8);
    for (int i = 0; i < 8; i++) {
        svconn_listener n;
        svconn_link l;
        svconn_why why = {.text = ""};
        CHECK(svconn_listen(&n, h.address, NULL) == 0);
        CHECK(svconn_listener_accept(&n, &l, PATIENCE, &why) == -1 && n.fd == -1 && l.in == -1);
        CHECK(why.fault == SVCONN_FAULT_CUT || why.fault == SVCONN_FAULT_RELAY_REFUSED);
        CHECK(svconn_listener_accept(&n, &l, 0, &why) == -1);
        svconn_listener_close(&n);
    }
    hostile_end(&h);
}

/* ---- registration at a hostile relay ------------------------------------------------------------ */

/* Challenges of small order would tell the relay nothing; the owner's key is not used on them all the same. */
enum { LOW = sizeof low_order / sizeof low_order[0] };

static void challenges_badly(int fd, int turn) {
    static hand h;
    uint8_t name[32], want[32], msg[HAND_BUFFER];
    svconn_identity relay, owner;
    lab_identity(&relay, HOSTILE_SEED);
    lab_identity(&owner, 1);
    hand_relay(&h, fd);
    CHECK(svconn_relay_name(want, lab_public(&relay), lab_public(&owner)) == 0);
    CHECK(hand_connect(&h) && hand_hears(&h, RELAY_REGISTER, 32, name) && memcmp(name, want, 32) == 0);
    CHECK(hand_say(&h, RELAY_CHALLENGE, low_order[turn], 32));
    CHECK(hand_hear(&h, msg) == -1); /* no proof */
    hand_close(&h);
}

static void bad_challenges(void) {
    lab_hostile h;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    char address[300];
    lab_identity(&owner, 1);
    hostile_start(&h, challenges_badly, LOW);
    key_address(address, h.address, &owner);
    for (int i = 0; i < LOW; i++) CHECK(listen_fails(address, &o, SVCONN_FAULT_RELAY_REFUSED, ""));
    hostile_end(&h);
}

/* A machine that is told, instead of RING, something else; or rung, and then nobody is there. */
static void rings_oddly(int fd, int turn) {
    static hand h;
    uint8_t secret[32], challenge[32], ticket[16] = {5};
    if (turn == 1) { /* the data link of turn 0 */
        hand_relay(&h, fd);
        CHECK(hand_connect(&h) && hand_hears(&h, RELAY_DATA, 16, secret) && memcmp(secret, ticket, 16) == 0);
        CHECK(hand_say(&h, RELAY_NO, "\x05", 1));
        while (hand_carry(&h)) {
        }
        hand_close(&h);
        return;
    }
    static hand control;
    hand_relay(&control, fd);
    lab_random(secret, 32);
    svconn_relay_challenge(challenge, secret);
    CHECK(hand_connect(&control) && hand_hears(&control, RELAY_REGISTER, 32, NULL));
    CHECK(hand_say(&control, RELAY_CHALLENGE, challenge, 32) && hand_hears(&control, RELAY_PROOF, 32, NULL));
    CHECK(hand_say(&control, RELAY_REGISTERED, NULL, 0));
    if (turn == 0) CHECK(hand_say(&control, RELAY_RING, ticket, 16));
    else CHECK(hand_say(&control, turn == 2 ? RELAY_JOINED : RELAY_RING, "\2", 1));
    if (turn == 0) return; /* goes on as it is */
    while (hand_carry(&control)) {
    }
    hand_close(&control);
}

static void odd_rings(void) {
    lab_hostile h;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener n;
    svconn_link l;
    char address[300];
    lab_identity(&owner, 1);
    hostile_start(&h, rings_oddly, 4);
    key_address(address, h.address, &owner);
    CHECK(listens(&n, address, &o));
    CHECK(accept_fails(&n, SVCONN_FAULT_NOT_THERE, "")); /* that caller is gone; the registration is not */
    CHECK(n.fd >= 0 && svconn_listener_accept(&n, &l, 100, NULL) == -1 && n.fd >= 0);
    svconn_listener_close(&n);
    for (int i = 0; i < 2; i++) {
        CHECK(listens(&n, address, &o) && accept_fails(&n, SVCONN_FAULT_CUT, "out of order") && n.fd == -1);
        svconn_listener_close(&n);
    }
    hostile_end(&h);
}

/* ---- silence, cuts, strangers ------------------------------------------------------------------- */

static void is_silent(int fd, int turn) {
    static hand h;
    uint8_t msg[HAND_BUFFER];
    if (turn > 0) hand_relay(&h, fd);
    if (turn == 1) CHECK(hand_connect(&h) && hand_hear(&h, msg) == 9);
    if (turn == 2) (void)lab_put(fd, "\1\2\3", 3); /* of M1 */
    while (recv(fd, msg, sizeof msg, 0) > 0) {
    }
    close(fd);
}

static void silence(void) {
    lab_hostile h;
    uint64_t begin = svconn_now();
    hostile_start(&h, is_silent, 3);
    CHECK(calls_fail(h.address, 200, SVCONN_FAULT_CUT, "the relay says nothing"));
    CHECK(calls_fail(h.address, 500, SVCONN_FAULT_NOT_THERE, "did not come in time"));
    CHECK(calls_fail(h.address, 200, SVCONN_FAULT_CUT, "the relay says nothing"));
    CHECK(svconn_now() - begin >= 890 && svconn_now() - begin < PATIENCE);
    hostile_end(&h);
}

/* A good relay, as far as so many bytes. */
static void is_cut(int fd, int turn) {
    static hand h;
    uint8_t msg[HAND_BUFFER];
    hand_relay(&h, fd);
    h.budget = turn;
    if (hand_connect(&h) && hand_hear(&h, msg) == 9) (void)hand_say(&h, RELAY_JOINED, "\1", 1);
    if (h.fd >= 0) (void)shutdown(h.fd, SHUT_WR);
    if (h.fd >= 0)
        while (recv(h.fd, msg, sizeof msg, 0) > 0) {
        }
    hand_close(&h);
}

static void cut_anywhere(void) {
    lab_hostile h;
    svconn_link l;
    char address[300];
    int n = 0, opened = 0;
    hostile_start(&h, is_cut, 1000);
    snprintf(address, sizeof address, "%s" TOKEN, h.address);
    for (; n < 1000 && !opened; n++) {
        svconn_why why = {.text = ""};
        opened = svconn_link_open(&l, address, PATIENCE, &why) == 0;
        if (opened) break;
        svconn_fault want = n == 0 ? SVCONN_FAULT_RELAY_REFUSED : SVCONN_FAULT_CUT;
        int as_wanted = lab_says(&why, want, n == 0 ? "ended the connection without a word" : "lost the relay");
        if (!as_wanted) printf("  cut behind %d bytes\n", n);
        CHECK(as_wanted);
    }
    CHECK(opened && n > 150 && n < 300);
    svconn_link_close(&l);
    hostile_kill(&h);
}

static const struct {
    const char *bytes;
    size_t len;
    svconn_fault fault;
} strangers[] = {
    {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", 47, SVCONN_FAULT_RELAY_KEY},
    {"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", 40, SVCONN_FAULT_RELAY_KEY},
    {"ok\n", 3, SVCONN_FAULT_RELAY_KEY},
    {"220 mail.example ESMTP\r\n", 24, SVCONN_FAULT_RELAY_KEY},
    {"\x15\x03\x01\0\x02\x02\x46", 7, SVCONN_FAULT_RELAY_KEY},                  /* TLS */
    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, SVCONN_FAULT_RELAY_REFUSED},       /* the error packet */
    {"\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, SVCONN_FAULT_RELAY_REFUSED},       /* nearly */
    {"\1 123456789abcdef0123456789abcdef\xff\xff", 35, SVCONN_FAULT_RELAY_KEY}, /* absurd lengths */
    {"\1 123456789abcdef0123456789abcdef\0\0\xff\xff", 37, SVCONN_FAULT_RELAY_KEY},
    {"\1 123456789abcdef0123456789abcdef\2\x33\0\0", 37, SVCONN_FAULT_CUT}, /* as long as may be, but */
    {"\1 123456789abcdef0123456789abcdef\2\x34\0\0", 37, SVCONN_FAULT_RELAY_KEY},
    {"\1 123456789abcdef0123456789abcdef\0\0\0\0", 37, SVCONN_FAULT_RELAY_KEY},
    {"\1 123456789abcdef0123456789abcdef\0\1\1\0\0", 38, SVCONN_FAULT_RELAY_KEY},
    {"\1 123456789abcdef0123456789abcdef\0\0\0", 36, SVCONN_FAULT_CUT},
};
enum { STRANGERS = sizeof strangers / sizeof strangers[0] };

static void is_a_stranger(int fd, int turn) {
    uint8_t bytes[600] = {0};
    memcpy(bytes, strangers[turn].bytes, strangers[turn].len);
    CHECK(lab_put(fd, bytes, strangers[turn].len));
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
    close(fd);
}

static void no_relays(void) {
    lab_hostile h;
    hostile_start(&h, is_a_stranger, STRANGERS);
    for (int i = 0; i < STRANGERS; i++)
        CHECK(calls_fail(h.address, PATIENCE, strangers[i].fault, "") || (printf("  stranger %d\n", i), 0));
    hostile_end(&h);
}

/* Bytes that begin like a relay's, and go on at random. */
static void is_random(int fd, int turn) {
    uint8_t bytes[700];
    lab_random(bytes, sizeof bytes);
    bytes[0] = turn % 8 ? 1 : 0;
    if (turn % 3) bytes[33] = bytes[34] = 0;
    if (turn % 3 == 1) bytes[34] = 33;
    if (turn % 2) bytes[33] = bytes[34] = bytes[68] = 0;
    CHECK(lab_put(fd, bytes, (size_t)(turn * 31 % 700)));
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
    close(fd);
}

static void random_bytes(void) {
    lab_hostile h;
    hostile_start(&h, is_random, 300);
    for (int i = 0; i < 300; i++) {
        svconn_link l;
        CHECK(svconn_link_open(&l, h.address, PATIENCE, NULL) == -1 || (svconn_link_close(&l), 0));
    }
    hostile_kill(&h);
}

/* ---- nothing is read ahead ---------------------------------------------------------------------- */

static const size_t behind[] = {1, 12, 16, 134, 1000, 20000};
enum { BEHIND = sizeof behind / sizeof behind[0] };

/* JOINED and the first bytes of the peer in one segment. */
static void joins_with_bytes(int fd, int turn) {
    static hand h;
    static uint8_t bytes[30000];
    uint8_t msg[HAND_BUFFER];
    size_t len, more = behind[turn / 2];
    int listens_there = turn % 2;
    hand_relay(&h, fd);
    CHECK(hand_connect(&h) && hand_hear(&h, msg) > 0);
    if (listens_there)
        CHECK(svconn_send(&h.s,
                          "\x81"
                          "ABCDEFGH\0\x10",
                          11, svconn_now()) == SVCONN_OK);
    CHECK(svconn_send(&h.s, listens_there ? "\x84\2" : "\x84\1", 2, svconn_now()) == SVCONN_OK);
    const uint8_t *out = svconn_wire_out(&h.s, &len);
    memcpy(bytes, out, len);
    for (size_t i = 0; i < more; i++) bytes[len + i] = (uint8_t)(i * 7);
    CHECK(lab_put(fd, bytes, len + more));
    while (recv(fd, msg, sizeof msg, 0) > 0) {
    }
    hand_close(&h);
}

static void nothing_is_read_ahead(void) {
    static uint8_t bytes[30000];
    lab_hostile h;
    char address[300];
    hostile_start(&h, joins_with_bytes, 2 * BEHIND);
    snprintf(address, sizeof address, "%s" TOKEN, h.address);
    for (int turn = 0; turn < 2 * BEHIND; turn++) {
        svconn_listener n;
        svconn_link l = SVCONN_LINK_NONE;
        size_t more = behind[turn / 2], i = 0;
        if (turn % 2)
            CHECK(svconn_listen(&n, h.address, NULL) == 0 && svconn_listener_accept(&n, &l, PATIENCE, NULL) == 0);
        else CHECK(svconn_link_open(&l, address, PATIENCE, NULL) == 0);
        CHECK(lab_get(l.in, bytes, more) == more);
        while (i < more && bytes[i] == (uint8_t)(i * 7)) i++;
        CHECK(i == more);
        svconn_link_close(&l);
    }
    hostile_end(&h);
}

int main(int argc, char **argv) {
    (void)argc;
    lab_begin(argv[0]);
    TEST("R3_a_token_is_understood_however_it_is_written", spelling);
    TEST("R3_what_is_no_token_is_refused", bad_spelling);
    TEST("R3_write_and_read_are_inverse", round_trip);
    TEST("R3_tokens_in_addresses", spelling_in_addresses);
    TEST("R1_a_relay_that_is_not_trusted_gets_no_token", untrusted_relay);
    TEST("R4_a_relay_that_joins_the_wrong_two_is_noticed", crossed);
    TEST("R4_without_the_context_it_would_not_be", crossed_unnoticed);
    TEST("R5_a_party_is_nobody_to_the_relay", nobody_at_all);
    TEST("hostile_every_refusal_has_its_words", every_refusal);
    TEST("hostile_answers_that_are_none", odd_answers);
    TEST("hostile_names_for_the_callers_address", odd_names);
    TEST("hostile_answers_to_who_waits", late_answers);
    TEST("register_challenges_of_small_order_are_not_answered", bad_challenges);
    TEST("register_rings_that_lead_nowhere", odd_rings);
    TEST("hostile_silence_ends_at_the_deadline", silence);
    TEST("hostile_cut_at_every_byte", cut_anywhere);
    TEST("hostile_what_is_no_relay", no_relays);
    TEST("hostile_random_bytes", random_bytes);
    TEST("joined_bytes_of_the_peer_are_left_to_the_session", nothing_is_read_ahead);
    return TEST_EXIT();
}
