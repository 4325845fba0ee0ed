/* SPDX-License-Identifier: ISC */
/* The real relay and parties that use it as they should, or try to have what is not theirs: tokens (R1, R2), sessions
 * (R4), who is served (R5). (Registration: test_relay_names.c; what the relay passes on, and its limits:
 * test_relay_limits.c; what a party makes of a hostile relay: test_relay_party.c) */
#include "relay_lab.h"

static char directory[] = "/tmp/svconn-test-XXXXXX";

static uint64_t token_of(const svconn_listener *n) {
    uint64_t token = 0;
    const char *at = strrchr(n->address, '/');
    CHECK(at && svconn_token_read(&token, at + 1) == 0);
    return token;
}

/* The address of a token by way of a relay or something in the middle. */
static void address_of(char out[300], const char *relay, uint64_t token) {
    char text[RELAY_TOKEN_LEN + 1];
    svconn_token_write(text, token);
    snprintf(out, 300, "%.200s%s", relay, text);
}

/* ---- R1 ----------------------------------------------------------------------------------------- */

static size_t recorded(uint8_t *bytes, size_t size, const char *name, int n) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s.%d", directory, name, n);
    FILE *f = fopen(path, "rb");
    size_t len = f ? fread(bytes, 1, size, f) : 0;
    if (f) fclose(f);
    unlink(path);
    return len;
}

static int holds(const uint8_t *bytes, size_t len, const void *part, size_t part_len) {
    for (size_t i = 0; i + part_len <= len; i++)
        if (memcmp(bytes + i, part, part_len) == 0) return 1;
    return 0;
}

static int holds_token(const uint8_t *bytes, size_t len, uint64_t token) {
    char plain[RELAY_TOKEN_LEN + 1], dashed[RELAY_TOKEN_LEN + 2], lower[RELAY_TOKEN_LEN + 1];
    uint8_t raw[5];
    svconn_token_write(plain, token);
    snprintf(dashed, sizeof dashed, "%.4s-%s", plain, plain + 4);
    for (int i = 0; i <= RELAY_TOKEN_LEN; i++)
        lower[i] = plain[i] >= 'A' && plain[i] <= 'Z' ? (char)(plain[i] - 'A' + 'a') : plain[i];
    for (int i = 0; i < 5; i++) raw[i] = (uint8_t)(token >> (32 - 8 * i));
    return holds(bytes, len, plain, 8) || holds(bytes, len, dashed, 9) || holds(bytes, len, lower, 8) ||
           holds(bytes, len, raw, 5);
}

static void token_is_not_seen(void) {
    static uint8_t bytes[100000];
    lab_relay r;
    lab_middle m;
    svconn_listener n;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    middle_start(&m, &r, directory);
    CHECK(listens(&n, m.address, NULL));
    uint64_t token = token_of(&n);
    CHECK(meets(&n, n.address)); /* n.address leads through the middle, too */
    svconn_listener_close(&n);
    middle_stop(&m);
    for (int i = 0; i < 2; i++) {
        size_t up = recorded(bytes, sizeof bytes, "up", i);
        CHECK(up > 60 && !holds_token(bytes, up, token));
        CHECK(holds(bytes, up, i == 0 ? "pong" : "ping", 4)); /* all was recorded, to the end */
        size_t down = recorded(bytes, sizeof bytes, "down", i);
        CHECK(down > 150 && !holds_token(bytes, down, token));
        CHECK(holds(bytes, down, r.key, 32)); /* what is not secret is found */
    }
    relay_stop(&r);
}

static void wrong_relay_key(void) {
    lab_relay r;
    svconn_identity other;
    svconn_link_options o = {.owner = &other};
    char address[300], hex[65], key[300];
    if (!lab_has_program()) return;
    lab_identity(&other, 1);
    lab_hex(hex, lab_public(&other), 32);
    CHECK(relay_start(&r, ""));
    snprintf(address, sizeof address, "relay://%s@%s/", hex, r.host);
    key_address(key, address, &other);
    CHECK(listen_fails(address, NULL, SVCONN_FAULT_RELAY_KEY, "not the one of the address"));
    CHECK(listen_fails(key, &o, SVCONN_FAULT_RELAY_KEY, "not the one of the address"));
    CHECK(open_fails(key, NULL, SVCONN_FAULT_RELAY_KEY, "not the one of the address"));
    snprintf(address, sizeof address, "relay://%s@%s/0000-0000", hex, r.host);
    CHECK(open_fails(address, NULL, SVCONN_FAULT_RELAY_KEY, "not the one of the address"));
    relay_stop(&r);
}

typedef struct {
    int asked, answer;
    char relay[100];
    uint8_t key[32];
} trust_log;

static int trust(void *arg, const char *relay, const uint8_t key[32]) {
    trust_log *t = arg;
    t->asked++;
    snprintf(t->relay, sizeof t->relay, "%s", relay);
    memcpy(t->key, key, 32);
    return t->answer;
}

static void trust_is_asked(void) {
    lab_relay r;
    trust_log t = {.answer = 1};
    svconn_link_options o = {.trust = trust, .arg = &t}, nobody = {0};
    svconn_listener n;
    svconn_link a = SVCONN_LINK_NONE, b = SVCONN_LINK_NONE;
    char address[300];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    snprintf(address, sizeof address, "relay://%s/", r.host);
    CHECK(listens(&n, address, &o));
    CHECK(t.asked == 1 && strcmp(t.relay, r.host) == 0 && memcmp(t.key, r.key, 32) == 0);
    CHECK(strncmp(n.address, r.address, strlen(r.address)) == 0); /* the caller is given the key */
    snprintf(address, sizeof address, "relay://%s/%s", r.host, strrchr(n.address, '/') + 1);
    CHECK(open_fails(address, NULL, SVCONN_FAULT_RELAY_KEY, "is not known here"));
    CHECK(open_fails(address, &nobody, SVCONN_FAULT_RELAY_KEY, "is not known here"));
    t.answer = 0;
    CHECK(open_fails(address, &o, SVCONN_FAULT_RELAY_KEY, "was not accepted") && t.asked == 2);
    t.answer = 1;
    CHECK(opens(&a, address, &o) && t.asked == 3 && accepts(&n, &b) && lab_linked(a.in, b.in));
    svconn_link_close(&a);
    svconn_link_close(&b);
    CHECK(listens(&n, r.address, &o) && t.asked == 3); /* pinned: nobody is asked */
    svconn_listener_close(&n);
    relay_stop(&r);
}

/* ---- R2 ----------------------------------------------------------------------------------------- */

static void right_and_used_token(void) {
    lab_relay r;
    svconn_listener n;
    svconn_link a, b;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    CHECK(listens(&n, r.address, NULL));
    CHECK(opens(&a, n.address, NULL));
    CHECK(open_fails(n.address, NULL, SVCONN_FAULT_TOKEN, "not known there")); /* before the accept */
    CHECK(accepts(&n, &b) && lab_linked(a.in, b.in));
    CHECK(open_fails(n.address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    CHECK(lab_linked(a.in, b.in)); /* that did not disturb them */
    CHECK(accept_fails(&n, SVCONN_FAULT_LOCAL, "its only link was given out"));
    svconn_link_close(&a);
    svconn_link_close(&b);
    CHECK(open_fails(n.address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    svconn_listener_close(&n);
    relay_stop(&r);
}

/* Each bit of N, and each of tau: four wrong tau at one listener at most, for the fifth withdraws the token. */
static void every_bit_counts(void) {
    lab_relay r;
    lab_middle m;
    char address[300];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--proxy-protocol"));
    middle_start(&m, &r, NULL);
    for (int first = 0; first < 40; first += 4) {
        svconn_listener n;
        CHECK(listens(&n, m.address, NULL));
        for (int bit = first; bit < first + 4; bit++) {
            address_of(address, m.address, token_of(&n) ^ (uint64_t)1 << bit);
            CHECK(open_fails(address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
        }
        CHECK(meets(&n, n.address));
    }
    middle_stop(&m);
    relay_stop(&r);
}

static void expired_token(void) {
    lab_relay r;
    svconn_listener n;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--token-life 1"));
    uint64_t begin = svconn_now();
    CHECK(listens(&n, r.address, NULL));
    char address[sizeof n.address];
    memcpy(address, n.address, sizeof address);
    CHECK(accept_fails(&n, SVCONN_FAULT_TOKEN, "nobody came with the token while it lived"));
    CHECK(svconn_now() - begin > 900);
    CHECK(open_fails(address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    relay_stop(&r);
}

static void listener_that_hung_up(void) {
    lab_relay r;
    svconn_listener n;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    CHECK(listens(&n, r.address, NULL));
    svconn_listener_close(&n);
    CHECK(open_fails(n.address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    relay_stop(&r);
}

static void guessed_token_is_withdrawn(void) {
    lab_relay r;
    lab_middle m;
    svconn_listener n, other;
    char address[300];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--proxy-protocol"));
    middle_start(&m, &r, NULL); /* five sources: none of them is slowed */
    CHECK(listens(&n, m.address, NULL) && listens(&other, m.address, NULL));
    for (uint64_t i = 1; i <= 5; i++) {
        address_of(address, m.address, token_of(&n) ^ i);
        CHECK(open_fails(address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    }
    CHECK(open_fails(n.address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    CHECK(accept_fails(&n, SVCONN_FAULT_TOKEN, "guessing"));
    CHECK(meets(&other, other.address));
    middle_stop(&m);
    relay_stop(&r);
}

/* It takes ten seconds until the source is heard again: the second half is the last test. */
static lab_relay slow_relay;
static svconn_listener slow_listener;

static void many_wrong_tokens(void) {
    char address[300];
    hand h;
    if (!lab_has_program()) return;
    CHECK(relay_start(&slow_relay, ""));
    CHECK(listens(&slow_listener, slow_relay.address, NULL));
    for (uint64_t i = 1; i <= 5; i++) { /* another N each time: that token is not withdrawn */
        address_of(address, slow_relay.address, token_of(&slow_listener) ^ i << 20);
        CHECK(open_fails(address, NULL, SVCONN_FAULT_TOKEN, "not known there"));
    }
    CHECK(open_fails(slow_listener.address, NULL, SVCONN_FAULT_RELAY_REFUSED, "too many wrong tokens"));
    CHECK(hand_open(&h, &slow_relay) && hand_call(&h, token_of(&slow_listener)));
    CHECK(hand_is_refused(&h, RELAY_NO_SLOWER));
    hand_close(&h);
}

static void slowed_source_is_heard_again(void) {
    uint64_t end = svconn_now() + 2 * PATIENCE;
    svconn_link a, b;
    int open = 0;
    if (!lab_has_program()) return;
    while (!open && svconn_now() < end) {
        open = svconn_link_open(&a, slow_listener.address, PATIENCE, NULL) == 0;
        if (!open) (void)poll(NULL, 0, 500);
    }
    CHECK(open && accepts(&slow_listener, &b) && lab_linked(a.in, b.in));
    svconn_link_close(&a);
    svconn_link_close(&b);
    relay_stop(&slow_relay);
}

static void two_listeners(void) {
    lab_relay r;
    svconn_listener n[2];
    svconn_link a[2], b[2];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    CHECK(listens(&n[0], r.address, NULL) && listens(&n[1], r.address, NULL));
    CHECK(strcmp(n[0].address, n[1].address) != 0);
    CHECK(opens(&a[1], n[1].address, NULL) && opens(&a[0], n[0].address, NULL));
    CHECK(accepts(&n[0], &b[0]) && accepts(&n[1], &b[1]));
    CHECK(lab_linked(a[0].in, b[0].in) && lab_linked(a[1].in, b[1].in) && lab_linked(b[0].in, a[0].in));
    for (int i = 0; i < 2; i++) {
        svconn_link_close(&a[i]);
        svconn_link_close(&b[i]);
    }
    relay_stop(&r);
}

#define MANY 200

/* Every bit of N and of tau is set in 50 to 150 of 200: seven standard deviations. */
static void tokens_look_random(void) {
    static uint64_t token[MANY];
    static int fd[MANY];
    lab_relay r;
    hand h;
    int ascending = 0;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    for (int i = 0; i < MANY; i++) {
        CHECK(hand_open(&h, &r) && hand_listen(&h, &token[i]));
        fd[i] = h.fd;
        for (int k = 0; k < i; k++) CHECK(token[k] >> 20 != token[i] >> 20); /* all of them live */
        ascending += i > 0 && token[i] > token[i - 1];
    }
    CHECK(ascending > MANY / 4 && ascending < 3 * MANY / 4);
    for (int bit = 0; bit < 40; bit++) {
        int ones = 0;
        for (int i = 0; i < MANY; i++) ones += (int)(token[i] >> bit & 1);
        CHECK(ones > MANY / 4 && ones < 3 * MANY / 4);
    }
    for (int i = 0; i < MANY; i++) close(fd[i]);
    relay_stop(&r);
}

/* ---- R3 ----------------------------------------------------------------------------------------- */

static void token_is_shown_in_groups(void) {
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    lab_relay r;
    svconn_listener n;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--name relay.example:443"));
    CHECK(listens(&n, r.address, NULL));
    const char *at = strstr(n.address, "@relay.example:443/"); /* how others reach it */
    CHECK(at != NULL);
    at = strrchr(n.address, '/') + 1;
    CHECK(strlen(at) == 9 && strspn(at, alphabet) == 4 && at[4] == '-' && strspn(at + 5, alphabet) == 4);
    svconn_listener_close(&n);
    relay_stop(&r);
}

/* As somebody may type it. */
static void token_is_read_kindly(void) {
    lab_relay r;
    svconn_listener n;
    char address[300], text[RELAY_TOKEN_LEN + 1];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    for (int turn = 0; turn < 3; turn++) {
        CHECK(listens(&n, r.address, NULL));
        svconn_token_write(text, token_of(&n));
        size_t at = (size_t)snprintf(address, sizeof address, "%s", r.address);
        for (int i = 0; i < RELAY_TOKEN_LEN; i++) {
            char c = text[i];
            if (c == '0') c = turn ? 'o' : 'O';
            else if (c == '1') c = turn == 0 ? 'I' : turn == 1 ? 'l' : 'i';
            else if (turn && c >= 'A') c = (char)(c - 'A' + 'a');
            address[at++] = c;
            if (turn == 1 || (turn == 2 && i == 2)) address[at++] = turn == 1 && i % 2 ? ' ' : '-';
        }
        address[at] = 0;
        CHECK(meets(&n, address));
    }
    relay_stop(&r);
}

/* ---- R4 ----------------------------------------------------------------------------------------- */

static void session_with_pinned_keys(void) {
    static party a, b;
    lab_relay r;
    svconn_listener n;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    CHECK(listens(&n, r.address, NULL) && opens(&a.link, n.address, NULL) && accepts(&n, &b.link));
    lab_identity(&a.me, 1);
    lab_identity(&b.me, 2);
    memcpy(a.peer, lab_public(&b.me), 32);
    memcpy(b.peer, lab_public(&a.me), 32);
    party_context(&a, SVCONN_CLIENT, "test", 1);
    party_context(&b, SVCONN_SERVER, "test", 1);
    CHECK(strncmp((char *)a.context, "test\0relay token ", 17) == 0 && a.config.context_len == 17 + RELAY_TOKEN_LEN);
    party_init(&a);
    party_init(&b);
    CHECK(party_meet(&a, &b) && party_tells(&a, &b, "hello") && party_tells(&b, &a, "hello yourself"));
    party_end(&a);
    party_end(&b);
    relay_stop(&r);
}

static void context_has_the_name(void) {
    lab_relay r;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener n;
    svconn_link l;
    uint8_t name[32], context[255];
    size_t len = 0;
    char address[300], want[100] = "own", hex[65];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, ""));
    key_address(address, r.address, &owner);
    CHECK(svconn_relay_name(name, r.key, lab_public(&owner)) == 0);
    lab_hex(hex, name, 32);
    snprintf(want + 4, sizeof want - 4, "relay name %s", hex);
    CHECK(listens(&n, address, &o) && strcmp(n.address, address) == 0);
    pid_t pid = lab_fork();
    if (pid == 0) {
        CHECK(opens(&l, address, NULL) && strcmp(l.context, want + 4) == 0);
        (void)lab_at_end(l.in);
        lab_exit();
    }
    CHECK(accepts(&n, &l) && strcmp(l.context, want + 4) == 0);
    CHECK(svconn_link_context(&l, context, &len, "own", 3) == SVCONN_OK && len == 3 + 1 + 11 + 64);
    CHECK_BYTES(context, want, len);
    CHECK(svconn_link_context(&l, context, &len, want, 181) == SVCONN_E_SIZE);
    svconn_link_close(&l);
    CHECK(lab_ended_well(pid));
    svconn_listener_close(&n);
    relay_stop(&r);
}

/* ---- R5 ----------------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void only_those_allowed(void) {
    lab_relay r;
    svconn_identity listed, other, stranger;
    svconn_link_options o = {.identity = &listed}, also = {.identity = &other}, no = {.identity = &stranger};
    svconn_listener n;
    svconn_link a, b;
    char path[100], options[200], text[400], hex[2][65], key[300];
    static const char words[] = "if it serves listed keys only";
    if (!lab_has_program()) return;
    lab_identity(&listed, 1);
    lab_identity(&other, 2);
    lab_identity(&stranger, 3);
    lab_hex(hex[0], lab_public(&listed), 32);
    lab_hex(hex[1], lab_public(&other), 32);
    snprintf(path, sizeof path, "%s/allowed", directory);
    snprintf(options, sizeof options, "--allow %s", path);
    snprintf(text, sizeof text, "# who may\n\n%s the first\r\n%s\n", hex[0], hex[1]);
    write_file(path, text);
    CHECK(relay_start(&r, options));
    CHECK(listens(&n, r.address, &o) && opens(&a, n.address, &also) && accepts(&n, &b) && lab_linked(a.in, b.in));
    svconn_link_close(&a);
    svconn_link_close(&b);
    CHECK(listens(&n, r.address, &o));
    CHECK(open_fails(n.address, &no, SVCONN_FAULT_RELAY_REFUSED, words));
    CHECK(open_fails(n.address, NULL, SVCONN_FAULT_RELAY_REFUSED, words)); /* nobody */
    CHECK(listen_fails(r.address, &no, SVCONN_FAULT_RELAY_REFUSED, words));
    CHECK(listen_fails(r.address, NULL, SVCONN_FAULT_RELAY_REFUSED, words));
    key_address(key, r.address, &listed);
    CHECK(open_fails(key, &no, SVCONN_FAULT_RELAY_REFUSED, words));
    CHECK(open_fails(key, &also, SVCONN_FAULT_NOT_THERE, "no machine with this key"));
    CHECK(opens(&a, n.address, &also) && accepts(&n, &b)); /* all that has not used up the token */
    svconn_link_close(&a);
    svconn_link_close(&b);
    relay_stop(&r);
    unlink(path);
}

static void bad_list(void) {
    lab_relay r;
    char path[100], options[200];
    if (!lab_has_program()) return;
    snprintf(path, sizeof path, "%s/allowed", directory);
    snprintf(options, sizeof options, "--allow %s", path);
    relay_spawn(&r, options);
    CHECK(relay_wait(&r) == 3 && strstr(r.said, path)); /* no such file */
    write_file(path, "# one line is cut\n0123456789abcdef\n");
    relay_spawn(&r, options);
    CHECK(relay_wait(&r) == 3 && strstr(r.said, "line 2: a public key has 64 hexadecimal digits"));
    unlink(path);
}

int main(int argc, char **argv) {
    (void)argc;
    lab_begin(argv[0]);
    if (!mkdtemp(directory)) return EXIT_FAILURE;
    TEST("R2_too_many_wrong_tokens_slow_their_source", many_wrong_tokens);
    TEST("R1_a_man_in_the_middle_does_not_see_the_token", token_is_not_seen);
    TEST("R1_a_relay_with_another_key_is_refused", wrong_relay_key);
    TEST("R1_trust_is_asked_once_and_its_word_counts", trust_is_asked);
    TEST("R2_a_right_token_joins_and_is_good_once", right_and_used_token);
    TEST("R2_every_bit_of_a_token_counts", every_bit_counts);
    TEST("R2_an_expired_token_is_refused_and_its_listener_told", expired_token);
    TEST("R2_a_token_ends_with_its_listener", listener_that_hung_up);
    TEST("R2_a_token_that_is_guessed_at_is_withdrawn", guessed_token_is_withdrawn);
    TEST("R2_two_listeners_have_two_tokens", two_listeners);
    TEST("R2_tokens_look_random", tokens_look_random);
    TEST("R3_a_token_is_shown_in_two_groups_of_four", token_is_shown_in_groups);
    TEST("R3_an_address_is_read_kindly", token_is_read_kindly);
    TEST("R4_a_session_through_the_relay", session_with_pinned_keys);
    TEST("R4_the_context_has_the_name", context_has_the_name);
    TEST("R5_only_listed_keys_are_served", only_those_allowed);
    TEST("R5_a_list_with_a_mistake_is_not_used", bad_list);
    TEST("R2_a_slowed_source_is_heard_again_after_a_while", slowed_source_is_heard_again);
    rmdir(directory);
    return TEST_EXIT();
}
