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

void svconn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]) {
    uint8_t h[64];
    ge a;
    expand_seed(h, seed);
    svconn_ge_base(&a, h);
    svconn_ge_encode(public_key, &a);
    ct_wipe(h, sizeof h);
    ct_wipe(&a, sizeof a);
}

/* 5.1.6 */
void svconn_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32],
                         const uint8_t *msg, size_t len) {
    uint8_t h[64], digest[64], r[32], k[32];
    ge p;
    expand_seed(h, seed);
    const svconn_bytes part[2] = {{h + 32, 32}, {msg, len}};
    hash(digest, part, 2);
    svconn_sc_reduce(r, digest);
    svconn_ge_base(&p, r);
    svconn_ge_encode(signature, &p);
    challenge(k, signature, public_key, msg, len);
    svconn_sc_muladd(signature + 32, k, h, r);
    ct_wipe(h, sizeof h);
    ct_wipe(digest, sizeof digest);
    ct_wipe(r, sizeof r);
    ct_wipe(&p, sizeof p);
}

/* All of it public. */
static int decode_key(ge *a, const uint8_t public_key[32]) {
    return svconn_ge_decode(a, public_key) && !svconn_ge_has_small_order(a);
}

int svconn_ed25519_check(const uint8_t public_key[32]) {
    ge a;
    return decode_key(&a, public_key);
}

/* 5.1.7; variable time, all of it public. [S]B - [k]A = [S]B + [k](-A), and the encoding of -A is that of A with the
 * other sign. If x = 0, one of the two is none, and the other one is refused as well: its point has a small order. */
int svconn_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    uint8_t k[32], code[32];
    ge a;
    if (!svconn_sc_is_reduced(signature + 32)) return 0;
    memcpy(code, public_key, 32);
    code[31] ^= 0x80;
    if (!decode_key(&a, code)) return 0;
    challenge(k, signature, public_key, msg, len);
    svconn_ge_double_base(&a, k, &a, signature + 32);
    svconn_ge_encode(code, &a);
    return (int)ct_eq(code, signature, 32);
}

/* RFC 7748, section 4.1. Only y counts. */
void svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]) {
    fe y, a, b, one;
    fe_from_bytes(&y, public_key);
    fe_from_small(&one, 1);
    fe_add(&a, &one, &y);
    fe_sub(&b, &one, &y);
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
