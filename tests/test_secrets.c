/* SPDX-License-Identifier: ISC */
/*
 * Secrets do not outlive their use. The secrets of a session are computed here once more, from both parties' secrets
 * and the bytes on the link, and then looked for: in the session, in its buffers, and on the stack that the calls ran
 * on. Each search has a control that must find something.
 */
#include "aes256.h"
#include "identity.h"
#include "pair.h"
#if defined(__GLIBC__)
#include <ucontext.h>
#endif

typedef struct {
    const char *name;
    uint8_t b[SVCONN_GCM_EXPANDED_WORDS * 8];
    size_t n;
} secret;

enum { SECRETS = 48 };
static secret all[SECRETS];
static size_t count;

static uint8_t *add(const char *name, const void *b, size_t n) {
    secret *s = &all[count < SECRETS ? count++ : SECRETS - 1];
    s->name = name;
    s->n = n;
    memcpy(s->b, b, n);
    return s->b;
}

static int all_zero(const void *b, size_t n) {
    const uint8_t *p = b;
    for (size_t i = 0; i < n; i++)
        if (p[i]) return 0;
    return 1;
}

/* Is a piece of so many bytes of it there? (An expanded key may have words that are zero: they are no secret.) */
static int piece_in(const void *where, size_t size, const secret *s, size_t step) {
    const uint8_t *w = where;
    if (step > s->n) step = s->n;
    for (size_t at_piece = 0; at_piece + step <= s->n; at_piece += step) {
        const uint8_t *p = w, *end = w + size - step + 1;
        if (all_zero(s->b + at_piece, step)) continue;
        while (p < end && (p = memchr(p, s->b[at_piece], (size_t)(end - p))) != NULL) {
            if (memcmp(p, s->b + at_piece, step) == 0) return 1;
            p++;
        }
    }
    return 0;
}

static int found(const party *p, const secret *s) {
    return piece_in(p->s, sizeof *p->s, s, 16) || piece_in(p->rx, sizeof p->rx, s, 16) ||
           piece_in(p->tx, sizeof p->tx, s, 16);
}

static const secret *named(const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0) return &all[i];
    CHECK(!name);
    return &all[0];
}

/* p holds those that are listed (names, each with a space behind it), and none of the others. */
static void holds_only(const party *p, const char *allowed) {
    for (size_t i = 0; i < count; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s ", all[i].name);
        int may = strstr(allowed, name) != NULL, is = found(p, &all[i]);
        if (may != is)
            printf("  %s: %s%s\n", p == &client ? "client" : "server", is ? "still there: " : "not there: ", name);
        CHECK(may == is);
    }
}

/* ---- the secrets of a session ------------------------------------------------------------------- */

#if defined(SVCONN_SMALL_AES)
/* What every text makes of a key on the stack, and leaves nowhere: the key in words, which on big-endian machines are its bytes, and the other
 * round keys */
static void add_expanded(const uint8_t key[32]) {
    uint32_t words[SVCONN_AES256_SMALL_WORDS];
    for (int i = 0; i < 32; i++) words[i / 4] = (i % 4 ? words[i / 4] << 8 : 0) | key[i];
    svconn_aes256_schedule(words);
    if (memcmp(words, key, 32) != 0) add("key in words", words, 32);
    add("expanded", words + 8, 208);
}
#elif defined(SVCONN_SMALL)
/* What every text makes of a key on the stack, and leaves nowhere. (Some backends begin with the key itself, which is in
 * the session.) */
static void add_expanded(const uint8_t key[32]) {
    uint64_t words[SVCONN_GCM_EXPANDED_WORDS] = {0};
    uint32_t cpu = svconn_cpu();
#define EXPAND(name, bit)                                                                                              \
    if (cpu & bit) {                                                                                                   \
        svconn_gcm_##name##_init(words, key);                                                                          \
        cpu = bit;                                                                                                     \
    }
    SVCONN_GCM_BACKENDS(EXPAND)
    if (!(cpu & SVCONN_CPU_GCM)) svconn_gcm_portable_init(words, key);
    for (size_t i = 0; i + 2 <= SVCONN_GCM_EXPANDED_WORDS; i += 2)
        if (memcmp(words + i, key, 16) == 0 || memcmp(words + i, key + 16, 16) == 0) memset(words + i, 0, 16);
    add("expanded", words, sizeof words);
}
#endif

static void add_key(const char *key_name, const char *words_name, const uint8_t key[32]) {
    uint64_t words[SVCONN_GCM_WORDS];
    svconn_gcm_init(words, key);
    int contained = 0; /* the expanded keys of some backends hold the key itself, or half of it */
    for (size_t i = 0; i + 2 <= SVCONN_GCM_WORDS; i++)
        contained |= memcmp(words + i, key, 16) == 0 || memcmp(words + i, key + 16, 16) == 0;
    if (!contained) add(key_name, key, 32);
    add(words_name, words, sizeof words);
#ifdef SVCONN_SMALL
    add_expanded(key);
#endif
}

static void add_direction(const char *chain, const char *key, const char *words, const char *iv, const uint8_t c[32]) {
    uint8_t key_iv[44];
    svconn_key_and_iv(key_iv, c);
    add(chain, c, 32);
    add_key(key, words, key_iv);
    add(iv, key_iv + 32, 12);
}

static void add_ephemeral(const char *seed_name, const char *name, const party *p) {
    uint8_t seed[32], k[32];
    size_t n;
    svconn_bytes own = {p->secret, svconn_identity_bytes(&p->me, &n)[0] < SVCONN_TYPE_CUSTOM ? 32 : 0};
    make_seed(seed, p);
    svconn_ephemeral(k, seed, own, (svconn_bytes){p->config.context, p->config.context_len});
    add(seed_name, seed, 32);
    add(name, k, 32);
}

static void add_es(const uint8_t X[32]) {
    uint8_t es[32], k[32];
    size_t n;
    uint8_t type = svconn_identity_bytes(&server.me, &n)[0];
    if (type == SVCONN_TYPE_ED25519) {
        svconn_ed25519_seed_to_x25519(k, server.secret);
        CHECK(svconn_x25519(es, k, X));
        add("scalar", k, 32);
    } else if (type == SVCONN_TYPE_PSK) {
        svconn_psk_es(es, server.secret);
        svconn_derive(k, 32, server.secret, LABEL_PSK_PROOF);
        add("psk-proof", k, 32);
    } else return;
    add("es", es, 32);
}

/* After a handshake whose bytes are on the tapes */
static void compute_secrets(void) {
    uint8_t t[32], k[32], km[32], ikm[64];
    svconn_sha256_ctx c;
    svconn_m1 m1;
    size_t id_len, m2_len = 0;
    const uint8_t *M1 = server.out.b, *M2 = client.out.b;
    count = 0;
    CHECK(svconn_m1_parse(&m1, M1, server.out.n) == SVCONN_OK &&
          svconn_m2_parse(&m2_len, M2, client.out.n) == SVCONN_OK);
    add("server-secret", server.secret, 32);
    if (memcmp(server.secret, client.secret, 32) != 0) add("client-secret", client.secret, 32);
    add_ephemeral("server-seed", "y", &server);
    add_ephemeral("client-seed", "x", &client);
    CHECK(svconn_x25519(k, named("x")->b, M1 + M1_Y));
    add("dh", k, 32);
    add_es(M2);

    const uint8_t *id = svconn_identity_bytes(&server.me, &id_len);
    svconn_bytes context = {server.config.context, server.config.context_len};
    svconn_t1(t, context, M1 + M1_Y, (svconn_bytes){M1 + M1_WID, m1.wid_len}, (svconn_bytes){id, id_len});
    svconn_t2_begin(&c, t, (svconn_bytes){M1 + m1.p_at, m1.p_len});
    svconn_t2_end(t, &c, M2);
    memcpy(ikm, named("dh")->b, 32);
    memcpy(ikm + 32, named("es")->b, 32);
    svconn_ck(k, t, (svconn_bytes){ikm, sizeof ikm});
    add("ck", k, 32);
    id = svconn_identity_bytes(&client.me, &id_len);
    svconn_t3(t, t, (svconn_bytes){id, id_len});
    svconn_derive(k, 32, named("ck")->b, LABEL_CLIENT_KEY);
    add_key("client-key", "client-key-words", k);
    svconn_t4(t, t, (svconn_bytes){M2 + M2_E, m2_len - M2_E});
    svconn_master(km, named("ck")->b, t);
    add("K_M", km, 32);
    svconn_derive(k, 32, km, LABEL_C2S);
    add_direction("c2s", "c2s-key", "c2s-words", "c2s-iv", k);
    svconn_derive(k, 32, km, LABEL_S2C);
    add_direction("s2c", "s2c-key", "s2c-words", "s2c-iv", k);
    svconn_derive(k, 32, km, LABEL_EXPORTER);
    add("exporter", k, 32);
}

#define ON "c2s c2s-words c2s-iv s2c s2c-words s2c-iv exporter "

static const uint8_t pairs[][2] = {{SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519},
                                   {SVCONN_TYPE_PSK, SVCONN_TYPE_PSK},
                                   {SVCONN_TYPE_PSK, SVCONN_TYPE_ED25519},
                                   {SVCONN_TYPE_ED25519, SVCONN_TYPE_PSK},
                                   {SVCONN_TYPE_ED25519, SVCONN_TYPE_CUSTOM}};
enum { PAIRS = sizeof pairs / sizeof *pairs };

/* ---- tests -------------------------------------------------------------------------------------- */

static void after_the_handshake_only_keys_chains_and_exporter_remain(void) {
    for (int i = 0; i < PAIRS; i++) {
        connect_pair(pairs[i][0], pairs[i][1]);
        compute_secrets();
        holds_only(&client, ON);
        holds_only(&server, ON);
    }
}

/* The same handshake, looked at on its way. x lives until the shared secret is made, y until M2 is read; then ck until
 * the keys exist. */
static void secrets_of_the_handshake_go_one_by_one(void) {
    for (int i = 0; i < PAIRS; i++) {
        connect_pair(pairs[i][0], pairs[i][1]);
        compute_secrets();
        prepare(pairs[i][0], pairs[i][1]);
        begin_both();
        int ask_psk = pairs[i][0] == SVCONN_TYPE_PSK;
        const char *x = ask_psk ? "x server-secret " : "x "; /* the psk that was given, until it is used */
        holds_only(&client, "x ");
        holds_only(&server, "y ");
        client.holds = 1;
        carry(&server, EVERYTHING);
        if (state_of(&client) == SVCONN_NEEDS_PSK) CHECK(svconn_give_psk(client.s, client.peer_psk) == SVCONN_OK);
        CHECK(state_of(&client) == SVCONN_NEEDS_VERDICT);
        holds_only(&client, x);
        CHECK(svconn_accept(client.s) == SVCONN_OK);
        if (state_of(&client) == SVCONN_NEEDS_PROOF) {
            holds_only(&client, "ck ");
            client.holds = 0;
            answer(&client);
        }
        CHECK(state_of(&client) == SVCONN_CONFIRMING);
        holds_only(&client, ON);
        server.holds = 1;
        carry(&client, EVERYTHING);
        if (state_of(&server) == SVCONN_NEEDS_PSK) {
            holds_only(&server, "ck ");
            CHECK(svconn_give_psk(server.s, server.peer_psk) == SVCONN_OK);
            CHECK(state_of(&server) == SVCONN_NEEDS_VERDICT);
            holds_only(&server, "ck client-secret ");
        } else {
            CHECK(state_of(&server) == SVCONN_NEEDS_VERDICT);
            holds_only(&server,
                       pairs[i][0] == SVCONN_TYPE_PSK && pairs[i][1] == SVCONN_TYPE_PSK ? "ck server-secret " : "ck ");
        }
        CHECK(svconn_accept(server.s) == SVCONN_OK);
        holds_only(&server, ON);
    }
}

/* 3.6 step 3: y serves one M2, whatever comes of it. */
static void a_bad_m2_costs_the_servers_ephemeral(void) {
    connect_pair(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    compute_secrets();
    prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    begin_both();
    carry(&server, EVERYTHING);
    client.s->tx[40] ^= 1;
    carry(&client, EVERYTHING);
    CHECK(is_failed(&server, SVCONN_E_SEAL));
    holds_only(&server, "");
    CHECK(all_zero(&server.s->u, sizeof server.s->u));
}

/* However it ends, and wherever it was: nothing is left in the session, and what was kept before is nowhere in the
 * buffers. */
static void failure_and_close_leave_no_secret(void) {
    for (situation x = IN_CLIENT_NEW; x < SITUATIONS; x++)
        for (int how = 0; how < 5; how++) {
            party *p = bring_to(x);
            uint8_t zeros[32] = {0};
            size_t used;
            count = 0;
            add_ephemeral("seed", "ephemeral", p);
            add("secret", p->secret, 32);
            add("psk", p->peer_psk, 32);
            if (!svconn_is_over(p->s) && !(p->s->flags & FLAG_KEYS)) {
                add("ck", p->s->u.hs.ck, 32);
                if (all_zero(p->s->u.hs.ck, 32)) count--;
            } else if (!svconn_is_over(p->s)) {
                add("chain", p->s->u.on.out.chain, 32);
                add("chain in", p->s->u.on.in.chain, 32);
                add("words", p->s->u.on.out.key, sizeof p->s->u.on.out.key);
                add("words in", p->s->u.on.in.key, sizeof p->s->u.on.in.key);
                add("exporter", p->s->u.on.exporter, 32);
                CHECK(found(p, named("chain")) && found(p, named("words")) && found(p, named("exporter")));
            }
            if (how == 0) svconn_abort(p->s);
            if (how == 1) (void)!svconn_wire_eof(p->s);
            if (how == 2) (void)!svconn_tick(p->s, now + 10000000, NULL);
            if (how == 3) (void)!svconn_wire_in(p->s, zeros, sizeof zeros, &used, now);
            if (how == 4) {
                (void)!svconn_close(p->s, now);
                (void)!svconn_close(other(p)->s, now);
                client.holds = server.holds = client.leaves = 0;
                shuttle(EVERYTHING);
            }
            if (!svconn_is_over(p->s)) continue;
            CHECK(all_zero(&p->s->u, sizeof p->s->u) && p->s->lent == 0);
            holds_only(p, "");
            svconn_wipe(p->s);
            CHECK(all_zero(p->s, sizeof *p->s) && all_zero(p->rx, p->rx_size) && all_zero(p->tx, p->tx_size));
            CHECK(state_of(p) == SVCONN_NONE);
        }
}

static void wipe_erases_the_session_and_both_buffers_in_every_situation(void) {
    for (situation x = IN_NONE; x < SITUATIONS; x++) {
        party *p = bring_to(x);
        if (x == IN_NONE) memset(p->rx, 7, 10); /* not told of any buffer: it is not touched */
        svconn_wipe(p->s);
        CHECK(all_zero(p->s, sizeof *p->s));
        if (x == IN_NONE) CHECK(p->rx[9] == 7);
        else CHECK(all_zero(p->rx, p->rx_size) && all_zero(p->tx, p->tx_size));
        svconn_wipe(p->s);
        CHECK(state_of(p) == SVCONN_NONE && error_of(p) == SVCONN_OK);
    }
}

static void a_renewal_erases_the_old_key(void) {
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    compute_secrets();
    CHECK(say(&client, 1) == SVCONN_OK);
    shuttle(EVERYTHING);
    CHECK(svconn_renew(client.s) == SVCONN_OK && say(&client, 2) == SVCONN_OK);
    uint8_t next[32];
    svconn_derive(next, 32, named("c2s")->b, LABEL_NEXT);
    add_direction("c2s-2", "c2s-2-key", "c2s-2-words", "c2s-2-iv", next);
    holds_only(&client, "c2s-2 c2s-2-words c2s-2-iv s2c s2c-words s2c-iv exporter ");
    holds_only(&server, ON);
    shuttle(EVERYTHING);
    holds_only(&server, "c2s-2 c2s-2-words c2s-2-iv s2c s2c-words s2c-iv exporter ");
    CHECK(say(&server, 1) == SVCONN_OK);
    shuttle(EVERYTHING);
    svconn_derive(next, 32, named("s2c")->b, LABEL_NEXT);
    add_direction("s2c-2", "s2c-2-key", "s2c-2-words", "s2c-2-iv", next);
    holds_only(&client, "c2s-2 c2s-2-words c2s-2-iv s2c-2 s2c-2-words s2c-2-iv exporter ");
    holds_only(&server, "c2s-2 c2s-2-words c2s-2-iv s2c-2 s2c-2-words s2c-2-iv exporter ");
}

static void init_erases_the_seed_and_a_refused_init_does_not(void) {
    uint8_t seed[32], copy[32];
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    make_seed(seed, &client);
    memcpy(copy, seed, 32);
    CHECK(svconn_init(client.s, &client.config, seed, client.rx, 255, client.tx, PAIR_BUFFER) == SVCONN_E_SIZE);
    CHECK_BYTES(seed, copy, 32);
    CHECK(svconn_init(client.s, &client.config, seed, client.rx, 256, client.tx, PAIR_BUFFER) == SVCONN_OK);
    CHECK(all_zero(seed, 32));
}

static void identity_wipe_erases_it(void) {
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_ED25519);
    svconn_identity_wipe(&client.me);
    svconn_identity_wipe(&server.me);
    CHECK(all_zero(&client.me, sizeof client.me) && all_zero(&server.me, sizeof server.me));
}

/* ---- the stack ---------------------------------------------------------------------------------- */

/* The calls run on a stack of their own, which is then searched for pieces of 16 bytes of each secret. What a compiler
 * spills in smaller parts is not seen; what a function forgot to wipe is. On other machines than x86-64 only whole
 * secrets count: gcc for s390x spills half the state of SHA-256 side by side. Not under sanitizers or valgrind, which
 * have their own mind about stacks. */
#if defined(__GLIBC__) && !TEST_UNDER_ASAN
#if !defined(__has_feature)
#define __has_feature(x) 0
#endif

#ifdef __x86_64__
#define STACK_PIECE 16
#else
#define STACK_PIECE 32
#endif
enum { STACK = 1 << 17 };
static uint8_t stack[STACK];
static ucontext_t home, there;
static void (*job)(void);

static void run_job(void) { job(); }

static void on_own_stack(void (*f)(void)) {
    memset(stack, 0x5a, sizeof stack);
    job = f;
    CHECK(getcontext(&there) == 0);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &home;
    makecontext(&there, run_job, 0);
    CHECK(swapcontext(&home, &there) == 0);
}

static void search_stack(const char *when) {
    for (size_t i = 0; i < count; i++) {
        int is = piece_in(stack, sizeof stack, &all[i], STACK_PIECE);
        if (is) printf("  on the stack after %s: %s\n", when, all[i].name);
        CHECK(!is);
    }
}

static uint8_t seeds[2][32];

static void job_init(void) {
    CHECK(svconn_init(server.s, &server.config, seeds[0], server.rx, PAIR_BUFFER, server.tx, PAIR_BUFFER) == SVCONN_OK);
    CHECK(svconn_init(client.s, &client.config, seeds[1], client.rx, PAIR_BUFFER, client.tx, PAIR_BUFFER) == SVCONN_OK);
}
static void job_m1(void) { carry(&server, EVERYTHING); }
static void job_m2(void) { carry(&client, EVERYTHING); }
static void job_records(void) {
    CHECK(svconn_renew(client.s) == SVCONN_OK && say(&client, 1) == SVCONN_OK && say(&client, 2) == SVCONN_OK);
    shuttle(EVERYTHING);
    CHECK(say(&server, 1) == SVCONN_OK && say(&server, 2) == SVCONN_OK);
    shuttle(EVERYTHING);
}
static void job_export(void) {
    uint8_t out[32];
    char digits[24];
    CHECK(svconn_export(client.s, "x", NULL, 0, out, 32) == SVCONN_OK &&
          svconn_authenticator(server.s, digits) == SVCONN_OK);
}
static void job_control(void) {
    volatile uint8_t left[64];
    for (int i = 0; i < 32; i++) left[16 + i] = named("ck")->b[i];
    CHECK(left[16] == named("ck")->b[0]);
}

static int stack_can_be_searched(void) {
    return !__has_feature(memory_sanitizer) && !under_valgrind();
}

static void the_stack_keeps_no_secret(void) {
    if (!stack_can_be_searched()) {
        test_skip = "not under a sanitizer or valgrind";
        return;
    }
    for (int i = 0; i < PAIRS; i++) {
        connect_pair(pairs[i][0], pairs[i][1]);
        compute_secrets();
        uint8_t next[32];
        svconn_derive(next, 32, named("c2s")->b, LABEL_NEXT);
        add_direction("c2s-2", "c2s-2-key", "c2s-2-words", "c2s-2-iv", next);
        prepare(pairs[i][0], pairs[i][1]);
        make_seed(seeds[0], &server);
        make_seed(seeds[1], &client);
        on_own_stack(job_control);
        CHECK(piece_in(stack, sizeof stack, named("ck"), STACK_PIECE));
        on_own_stack(job_init);
        search_stack("svconn_init");
        on_own_stack(job_m1);
        search_stack("M1");
        on_own_stack(job_m2);
        search_stack("M2");
        on_own_stack(job_m1);
        search_stack("M3");
        CHECK(both_connected());
        on_own_stack(job_records);
        search_stack("records");
        on_own_stack(job_export);
        search_stack("export");
    }
}
#else
static void the_stack_keeps_no_secret(void) { test_skip = "not under a sanitizer; needs makecontext of glibc"; }
#endif

#define T(f) TEST(#f, f)

int main(void) {
    T(after_the_handshake_only_keys_chains_and_exporter_remain);
    T(secrets_of_the_handshake_go_one_by_one);
    T(a_bad_m2_costs_the_servers_ephemeral);
    T(failure_and_close_leave_no_secret);
    T(wipe_erases_the_session_and_both_buffers_in_every_situation);
    T(a_renewal_erases_the_old_key);
    T(init_erases_the_seed_and_a_refused_init_does_not);
    T(identity_wipe_erases_it);
    T(the_stack_keeps_no_secret);
    return TEST_EXIT();
}
