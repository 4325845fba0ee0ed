/* SPDX-License-Identifier: ISC */
/*
 * The library on an instruction set: published vectors of each primitive, then whole sessions (test_sessions.h). One line for each
 * check, as tests/run.sh wants them. What this build leaves out (crypto/profile.h) is not tried.
 */
#include "lab.h"

typedef struct {
    const uint8_t *p;
    size_t n;
} vec_bytes;

typedef struct {
    const char *name;
    vec_bytes f[6]; /* in the order of vectors.py */
} vec_case;

enum { EVENT_RENEW, EVENT_SEND, EVENT_CLOSE, EVENT_TAKE, EVENT_TAKE_CLOSE };
typedef struct {
    int what, from_server;
    vec_bytes message, wire;
} svc_event;

typedef struct {
    const char *name;
    int hidden;
    uint16_t pad_to;
    vec_bytes context, server_identity, server_secret, server_random, client_identity, client_secret, client_random, m1, m2, m3,
        authenticator, exported, known;
    size_t events_count;
    const svc_event *events;
} svc_case;

#include "vectors.h"

static int failed;
static uint8_t work[LAB_MESSAGE];

static void verdict(int good, const char *group, const char *name) {
    board_text(good ? "pass " : "FAIL ");
    board_text(BOARD " ");
    board_text(group);
    board_text(": ");
    board_text(name);
    board_text("\n");
    if (!good) failed = 1;
}

static int is(const uint8_t *got, vec_bytes want) { return memcmp(got, want.p, want.n) == 0; }

#define EACH(table, c)                                                                                                 \
    for (const vec_case *c = table, *c##_end = table + sizeof table / sizeof *table; c < c##_end; c++)

static void hashes(void) {
    EACH(sha256_cases, c) {
        svconn_sha256_ctx x;
        uint8_t whole[32], pieces[32];
        svconn_sha256_init(&x);
        svconn_sha256_update(&x, c->f[0].p, c->f[0].n);
        svconn_sha256_final(&x, whole);
        svconn_sha256_init(&x);
        for (size_t i = 0; i < c->f[0].n; i++) svconn_sha256_update(&x, c->f[0].p + i, 1);
        svconn_sha256_final(&x, pieces);
        verdict(is(whole, c->f[1]) && is(pieces, c->f[1]), "sha256", c->name);
    }
#if HAVE_ED25519
    EACH(sha512_cases, c) {
        svconn_sha512_ctx x;
        uint8_t whole[64], pieces[64];
        svconn_sha512_init(&x);
        svconn_sha512_update(&x, c->f[0].p, c->f[0].n);
        svconn_sha512_final(&x, whole);
        svconn_sha512_init(&x);
        for (size_t i = 0; i < c->f[0].n; i++) svconn_sha512_update(&x, c->f[0].p + i, 1);
        svconn_sha512_final(&x, pieces);
        verdict(is(whole, c->f[1]) && is(pieces, c->f[1]), "sha512", c->name);
    }
#else
    (void)sha512_cases;
#endif
    EACH(hkdf_cases, c) {
        uint8_t prk[32];
        svconn_bytes info = {c->f[2].p, c->f[2].n};
        svconn_hkdf_extract(prk, c->f[0].p, c->f[0].n, c->f[1].p, c->f[1].n);
        svconn_hkdf_expand(work, c->f[4].n, prk, &info, 1);
        verdict(is(prk, c->f[3]) && is(work, c->f[4]), "hkdf", c->name);
    }
}

static int all_zero(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i]) return 0;
    return 1;
}

/* Seal and open beside each other, in place, and with each part changed */
static void gcm(void) {
    EACH(gcm_cases, c) {
        const vec_bytes key = c->f[0], nonce = c->f[1], aad = c->f[2], text = c->f[3], want = c->f[4], tag = c->f[5];
        uint64_t k[SVCONN_GCM_WORDS];
        uint8_t got[16], bad[16];
        svconn_gcm_init(k, key.p);
        svconn_gcm_seal(k, nonce.p, aad.p, aad.n, work, text.p, text.n, got, tag.n);
        int good = is(work, want) && is(got, tag);
        good &= svconn_gcm_open(k, nonce.p, aad.p, aad.n, work, work, text.n, got, tag.n) && is(work, text);
        verdict(good, "aes-256-gcm", c->name);

        memcpy(bad, tag.p, tag.n);
        bad[tag.n - 1] ^= 0x80;
        good = !svconn_gcm_open(k, nonce.p, aad.p, aad.n, work, want.p, want.n, bad, tag.n) && all_zero(work, want.n);
        if (want.n) {
            memcpy(work, want.p, want.n);
            work[want.n - 1] ^= 1;
            good &= !svconn_gcm_open(k, nonce.p, aad.p, aad.n, work, work, want.n, tag.p, tag.n) && all_zero(work, want.n);
        }
        if (aad.n) good &= !svconn_gcm_open(k, nonce.p, aad.p, aad.n - 1, work, want.p, want.n, tag.p, tag.n);
        verdict(good, "aes-256-gcm, changed", c->name);
    }
}

static void curves(void) {
    EACH(x25519_cases, c) {
        uint8_t out[32];
        int ok = svconn_x25519(out, c->f[0].p, c->f[1].p);
        verdict(is(out, c->f[2]) && ok == !all_zero(c->f[2].p, 32), "x25519", c->name);
    }
#if HAVE_ED25519
    EACH(sign_cases, c) {
        uint8_t out[64];
        svconn_ed25519_public(out, c->f[0].p);
        int good = is(out, c->f[1]);
        svconn_ed25519_sign(out, c->f[0].p, c->f[1].p, c->f[2].p, c->f[2].n);
        good &= is(out, c->f[3]) && svconn_ed25519_verify(out, c->f[1].p, c->f[2].p, c->f[2].n);
        out[9] ^= 4;
        good &= !svconn_ed25519_verify(out, c->f[1].p, c->f[2].p, c->f[2].n);
        verdict(good, "ed25519", c->name);
        svconn_ed25519_to_x25519(out, c->f[1].p);
        svconn_ed25519_seed_to_x25519(out + 32, c->f[0].p);
        out[32] &= 248; /* RFC 7748, 5: what the vectors leave to it */
        verdict(is(out, c->f[5]) && memcmp(out + 33, c->f[4].p + 1, 30) == 0, "ed25519 as x25519", c->name);
    }
    EACH(verify_cases, c) {
        int right = c->f[3].n == 3; /* "yes" or "no" */
        verdict(svconn_ed25519_verify(c->f[2].p, c->f[0].p, c->f[1].p, c->f[1].n) == right, "ed25519", c->name);
    }
    EACH(key_cases, c) verdict(svconn_ed25519_check(c->f[0].p) == (c->f[1].n == 3), "ed25519", c->name);
#else
    (void)sign_cases, (void)verify_cases, (void)key_cases;
#endif
}

#include "test_sessions.h"

int image_main(void) {
    uint32_t *limit = board_stack_limit();
    if (limit) stack_paint();
    hashes();
    gcm();
    curves();
    sessions();
    if (limit) verdict(*limit == STACK_PAINT, "memory", "the stack did not reach the variables");
    return failed;
}
