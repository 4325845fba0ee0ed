/* SPDX-License-Identifier: ISC */
/*
 * Ed25519: RFC 8032, section 5.1 (no context, no prehash). Key generation and signing are constant time in the seed.
 * Checking a key and verifying a signature work on public data and are not: they use variable-time group operations.
 * Verification is without the cofactor and strict; the contract in crypto.h says how.
 */
#include "crypto.h"
#include "ct.h"
#include "ge25519.h"
#include "sc25519.h"

#ifndef SVCONN_SMALL /* else: curve25519_small.c */

static void hash(uint8_t digest[64], const svconn_bytes *part, size_t n) {
    svconn_sha512_ctx c;
    svconn_sha512_init(&c);
    for (size_t i = 0; i < n; i++) svconn_sha512_update(&c, part[i].data, part[i].len);
    svconn_sha512_final(&c, digest);
}

/* SHA-512(R || A || M) mod L */
static void challenge(uint8_t k[32], const uint8_t r[32], const uint8_t a[32], const uint8_t *msg, size_t len) {
    uint8_t digest[64];
    const svconn_bytes part[3] = {{r, 32}, {a, 32}, {msg, len}};
    hash(digest, part, 3);
    svconn_sc_reduce(k, digest);
}

/* 5.1.5, steps 1 and 2: the scalar is h[0..32), the prefix h[32..64). */
static void expand_seed(uint8_t h[64], const uint8_t seed[32]) {
    const svconn_bytes part = {seed, 32};
    hash(h, &part, 1);
    h[0] &= 248;
    h[31] &= 127;
    h[31] |= 64;
}

/* A point and the inverse of its Z. r is where the point of ge_base_work and of ge_double_work is, the rest lies over what led to it. */
typedef struct {
    ge r;
    fe_power p;
} encode_work;

typedef struct {
    union {
        ge_base_work multiply;
        encode_work encode;
    } u;
    uint8_t h[64], r[32]; /* scalar || prefix; the nonce */
} SVCONN_MAY_ALIAS sign_work;

static int encode(encode_work *w, uint32_t *units, uint8_t out[32]) {
    if (!fe_invert_more(&w->p, units)) return SVCONN_UNFINISHED;
    fe_invert_end(&w->p.x, &w->p);
    svconn_ge_encode(out, &w->r, &w->p.x);
    return 1;
}

void svconn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]) {
    sign_work v;
    uint32_t units = SVCONN_NO_PAUSE;
    expand_seed(v.h, seed);
    svconn_ge_base_begin(&v.u.multiply, v.h, units);
    (void)svconn_ge_base_more(&v.u.multiply, &units);
    fe_invert_begin(&v.u.encode.p, &v.u.encode.r.z);
    (void)encode(&v.u.encode, &units, public_key);
    ct_wipe(&v, sizeof v);
}

/* 5.1.6 */
static int sign(sign_work *v, uint32_t *phase, uint32_t *units, uint8_t signature[64], const uint8_t seed[32],
                const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    if (*phase == 0) {
        uint8_t digest[64];
        expand_seed(v->h, seed);
        const svconn_bytes part[2] = {{v->h + 32, 32}, {msg, len}};
        hash(digest, part, 2);
        svconn_sc_reduce(v->r, digest);
        ct_wipe(digest, sizeof digest);
        svconn_ge_base_begin(&v->u.multiply, v->r, *units);
        *phase = 1;
    }
    if (*phase == 1) {
        if (!svconn_ge_base_more(&v->u.multiply, units)) return SVCONN_UNFINISHED;
        fe_invert_begin(&v->u.encode.p, &v->u.encode.r.z);
        *phase = 2;
    }
    if (encode(&v->u.encode, units, signature) < 0) return SVCONN_UNFINISHED;
    uint8_t k[32];
    challenge(k, signature, public_key, msg, len);
    svconn_sc_muladd(signature + 32, k, v->h, v->r);
    ct_wipe(v, sizeof *v);
    *phase = 0;
    return 1;
}

void svconn_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    sign_work v;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    (void)sign(&v, &phase, &units, signature, seed, public_key, msg, len);
}

/* ---- verification: all of it public ------------------------------------------------------------- */

/* The encoding of -A, which is that of A with the other sign. If x = 0, one of the two is none, and the other one is refused as well: its
 * point has a small order. */
static void other_sign(uint8_t out[32], const uint8_t public_key[32]) {
    memcpy(out, public_key, 32);
    out[31] ^= 0x80;
}

/* RFC 7748, section 4.1: u = a / b. Only y counts. */
static void montgomery(fe *a, fe *b, const uint8_t public_key[32]) {
    fe y, one;
    fe_from_bytes(&y, public_key);
    fe_from_small(&one, 1);
    fe_both(a, b, &one, &y);
}

/* The point at the end of decoding */
static int decode_end(ge *a, const ge_decode_work *w, const uint8_t code[32]) {
    return svconn_ge_decode_end(a, w, code) && !svconn_ge_has_small_order(a);
}

typedef struct {
    union {
        ge_decode_work decode;
        ge_double_work verify;
        encode_work encode;
    } u;
    uint8_t k[32];
} SVCONN_MAY_ALIAS verify_work;

/* Z and b = 1 - y of the key, neither of them 0, inverted together. */
static void invert_both_begin(encode_work *e, const uint8_t public_key[32]) {
    fe a, b;
    montgomery(&a, &b, public_key);
    fe_mul(&b, &b, &e->r.z);
    fe_invert_begin(&e->p, &b);
}

/* The point encoded, and u */
static void invert_both_end(encode_work *e, uint8_t code[32], uint8_t u[32], const uint8_t public_key[32]) {
    fe a, b;
    fe_invert_end(&e->p.x, &e->p);
    montgomery(&a, &b, public_key);
    fe_mul(&b, &b, &e->p.x);
    svconn_ge_encode(code, &e->r, &b);
    fe_mul(&a, &a, &e->p.x);
    fe_mul(&a, &a, &e->r.z);
    fe_to_bytes(u, &a);
}

/* 5.1.7; variable time. [S]B - [k]A = [S]B + [k](-A) */
static int verify(verify_work *v, uint32_t *phase, uint32_t *units, uint8_t u[32], const uint8_t signature[64],
                  const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    uint8_t code[32];
    other_sign(code, public_key);
    if (*phase == 0) {
        if (!svconn_ge_decode_begin(&v->u.decode, code)) return SVCONN_BAD_KEY;
        *phase = 1;
    }
    if (*phase == 1) {
        if (!svconn_ge_decode_more(&v->u.decode, units)) return SVCONN_UNFINISHED;
        *phase = 0; /* in case of an end here */
        ge *a = &v->u.verify.r;
        if (!decode_end(a, &v->u.decode, code)) return SVCONN_BAD_KEY;
        if (!svconn_sc_is_reduced(signature + 32)) return 0;
        challenge(v->k, signature, public_key, msg, len);
        svconn_ge_double_begin(&v->u.verify, v->k, a, signature + 32, *units);
        *phase = 2;
    }
    if (*phase == 2) {
        if (!svconn_ge_double_more(&v->u.verify, v->k, signature + 32, units)) return SVCONN_UNFINISHED;
        invert_both_begin(&v->u.encode, public_key);
        *phase = 3;
    }
    if (!fe_invert_more(&v->u.encode.p, units)) return SVCONN_UNFINISHED;
    invert_both_end(&v->u.encode, code, u, public_key);
    *phase = 0;
    return (int)ct_eq(code, signature, 32);
}

int svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    verify_work v;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    return verify(&v, &phase, &units, u, signature, public_key, msg, len);
}

int svconn_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    uint8_t u[32];
    return svconn_ed25519_verify_u(u, signature, public_key, msg, len) == 1;
}

int svconn_ed25519_check(const uint8_t public_key[32]) {
    ge_decode_work w;
    ge a;
    uint32_t all = SVCONN_NO_PAUSE;
    if (!svconn_ge_decode_begin(&w, public_key)) return 0;
    (void)svconn_ge_decode_more(&w, &all);
    return decode_end(&a, &w, public_key);
}

void svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]) {
    fe a, b;
    montgomery(&a, &b, public_key);
    fe_invert(&b, &b);
    fe_mul(&a, &a, &b);
    fe_to_bytes(u, &a);
}

void svconn_ed25519_seed_to_x25519(uint8_t scalar[32], const uint8_t seed[32]) {
    uint8_t h[64];
    expand_seed(h, seed);
    memcpy(scalar, h, 32);
    ct_wipe(h, sizeof h);
}

#ifndef SVCONN_NO_SLICES
typedef char sign_work_fits[sizeof(sign_work) <= 8 * SVCONN_CURVE_WORDS ? 1 : -1];
typedef char verify_work_fits[sizeof(verify_work) <= 8 * SVCONN_CURVE_WORDS ? 1 : -1];

int svconn_ed25519_sign_slice(svconn_curve_work *w, uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32],
                              const uint8_t *msg, size_t len) {
    return w->units ? sign((sign_work *)(void *)w->words, &w->phase, &w->units, signature, seed, public_key, msg, len) : SVCONN_UNFINISHED;
}

int svconn_ed25519_verify_u_slice(svconn_curve_work *w, uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32],
                                  const uint8_t *msg, size_t len) {
    return w->units ? verify((verify_work *)(void *)w->words, &w->phase, &w->units, u, signature, public_key, msg, len) : SVCONN_UNFINISHED;
}
#endif
#endif
