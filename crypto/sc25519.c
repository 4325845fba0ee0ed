/* SPDX-License-Identifier: ISC */
/*
 * Scalars mod L. Reduction after P. Barrett, as in A. Menezes, P. van Oorschot, S. Vanstone, "Handbook of Applied
 * Cryptography" (1996), algorithm 14.42, with b = 2^32 and k = 8. Little-endian arrays of 32-bit words: the same code
 * on all machines. Constant time: no branch, no index depends on a value.
 */
#include "sc25519.h"
#include "ct.h"
#include "mul32.h"

#ifndef SVCONN_SMALL /* else: curve25519_small.c */

const uint8_t svconn_sc_order[33] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10,
};

static const uint32_t order[9] = {
    0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000, 0,
};

/* floor(2^512 / L) */
static const uint32_t mu[9] = {
    0x0a2c131b, 0xed9ce5a3, 0x086329a7, 0x2106215d, 0xffffffeb, 0xffffffff, 0xffffffff, 0xffffffff, 0x0000000f,
};

/* r = a b + r for a of n words, b of m words. r has n + m words; its lower n go in, the others count as zero.
 * t is at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. */
static void add_product(uint32_t *r, const uint32_t *a, unsigned n, const uint32_t *b, unsigned m) {
    for (unsigned i = 0; i < m; i++) {
        uint64_t t = 0;
        for (unsigned j = 0; j < n; j++) {
            t += r[i + j];
            t += mul32(a[j], b[i]);
            r[i + j] = (uint32_t)t;
            t >>= 32;
        }
        r[i + n] = (uint32_t)t;
    }
}

/* d = a - b of 9 words mod 2^288; 1 if a < b, else 0. d may be a or b. */
static uint32_t subtract(uint32_t d[9], const uint32_t a[9], const uint32_t b[9]) {
    uint32_t borrow = 0;
    for (unsigned i = 0; i < 9; i++) {
        uint64_t t = (uint64_t)a[i] - b[i] - borrow;
        d[i] = (uint32_t)t;
        borrow = (uint32_t)(t >> 32) & 1;
    }
    return borrow;
}

/* r - L if r >= L, else r */
static void subtract_order(uint32_t r[9]) {
    uint32_t t[9];
    uint32_t keep = ct_mask32(subtract(t, r, order));
    for (unsigned i = 0; i < 9; i++) r[i] = ct_select32(keep, r[i], t[i]);
    ct_wipe(t, sizeof t);
}

/* x < 2^512. With q = floor(floor(x / b^7) mu / b^9), floor(x / L) - 2 <= q <= floor(x / L), so 0 <= x - q L < 3 L;
 * 3 L < 2^255 < b^9, so it may be computed mod b^9. q < 2^261 and its product with L needs the lower 9 words only;
 * all 18 are made: the time is no matter. */
static void reduce_order(uint8_t out[32], const uint32_t x[16]) {
    uint32_t q[18] = {0}, t[18] = {0}, r[9];
    add_product(q, x + 7, 9, mu, 9);
    add_product(t, q + 9, 9, order, 9);
    (void)subtract(r, x, t);
    subtract_order(r);
    subtract_order(r);
    for (unsigned i = 0; i < 8; i++) store_le32(out + 4 * i, r[i]);
    ct_wipe(q, sizeof q);
    ct_wipe(t, sizeof t);
    ct_wipe(r, sizeof r);
}

static void load_words(uint32_t *w, const uint8_t *p, unsigned n) {
    for (unsigned i = 0; i < n; i++) w[i] = load_le32(p + 4 * i);
}

void svconn_sc_reduce(uint8_t out[32], const uint8_t in[64]) {
    uint32_t x[16];
    load_words(x, in, 16);
    reduce_order(out, x);
    ct_wipe(x, sizeof x);
}

/* (2^256 - 1)^2 + 2^256 - 1 = (2^256 - 1) 2^256 < 2^512 */
void svconn_sc_muladd(uint8_t out[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32]) {
    uint32_t x[16], u[8], v[8];
    load_words(u, a, 8);
    load_words(v, b, 8);
    load_words(x, c, 8);
    add_product(x, u, 8, v, 8);
    reduce_order(out, x);
    ct_wipe(x, sizeof x);
    ct_wipe(u, sizeof u);
    ct_wipe(v, sizeof v);
}

uint32_t svconn_sc_is_reduced(const uint8_t s[32]) {
    uint32_t x[9], t[9];
    load_words(x, s, 8);
    x[8] = 0;
    uint32_t below = subtract(t, x, order);
    ct_wipe(x, sizeof x);
    ct_wipe(t, sizeof t);
    return below;
}
#endif
