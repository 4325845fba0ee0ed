/* SPDX-License-Identifier: ISC */
/*
 * Numbers mod p = 2^255 - 19 in five limbs of 51 bits: f = v[0] + 2^51 v[1] + 2^102 v[2] + 2^153 v[3] + 2^204 v[4].
 * For 64-bit machines with 64 x 64 -> 128 bit products. Included by fe25519.h only; the words tight, loose, wide
 * are explained there. Here:
 *
 *   tight   v[i] < 2^51 + 2^13
 *   loose   v[i] < 3 * 2^51 + 3 * 2^13
 *   wide    v[i] < 2^54
 *
 * Products: 2^255 = 19 mod p, so a limb product of weight 2^(255 + 51 k) goes to limb k, 19-fold.
 */
#ifndef SVCONN_FE25519_64_H
#define SVCONN_FE25519_64_H

#define FE_LIMBS 5

__extension__ typedef unsigned __int128 fe_u128;
typedef struct {
    uint64_t v[FE_LIMBS];
} fe;

#define FE_MASK (((uint64_t)1 << 51) - 1)

/* 2^255 is dropped. Limbs below 2^51: tight. */
static inline void fe_from_words(fe *h, const uint64_t w[4]) {
    h->v[0] = w[0] & FE_MASK;
    h->v[1] = (w[0] >> 51 | w[1] << 13) & FE_MASK;
    h->v[2] = (w[1] >> 38 | w[2] << 26) & FE_MASK;
    h->v[3] = (w[2] >> 25 | w[3] << 39) & FE_MASK;
    h->v[4] = (w[3] >> 12) & FE_MASK;
}

/* A sum of up to three tight numbers is loose by definition. */
static inline void fe_add(fe *h, const fe *f, const fe *g) {
    for (unsigned i = 0; i < 5; i++) h->v[i] = f->v[i] + g->v[i];
}

/* f + 2p - g. The limbs of 2p are 2^52 - 38 and 2^52 - 2: not below a tight limb, so nothing goes below 0. The result
 * is below 2^51 + 2^13 + 2^52: loose. */
static inline void fe_sub(fe *h, const fe *f, const fe *g) {
    h->v[0] = f->v[0] + (2 * FE_MASK - 36) - g->v[0];
    for (unsigned i = 1; i < 5; i++) h->v[i] = f->v[i] + 2 * FE_MASK - g->v[i];
}

/* f + 4p - g. The limbs of 4p are 2^53 - 76 and 2^53 - 4: above a loose limb. The result is below
 * 3 * 2^51 + 3 * 2^13 + 2^53 = 7 * 2^51 + 3 * 2^13 < 2^54: wide. */
static inline void fe_sub2(fe *h, const fe *f, const fe *g) {
    h->v[0] = f->v[0] + (4 * FE_MASK - 72) - g->v[0];
    for (unsigned i = 1; i < 5; i++) h->v[i] = f->v[i] + 4 * FE_MASK - g->v[i];
}

/* mask: all ones or all zeros */
static inline void fe_swap(fe *f, fe *g, uint64_t mask) {
    for (unsigned i = 0; i < 5; i++) {
        uint64_t x = mask & (f->v[i] ^ g->v[i]);
        f->v[i] ^= x;
        g->v[i] ^= x;
    }
}

/* mask ? f : g */
static inline void fe_select(fe *h, uint64_t mask, const fe *f, const fe *g) {
    for (unsigned i = 0; i < 5; i++) h->v[i] = ct_select64(mask, f->v[i], g->v[i]);
}

/* In: each r below 2^115 - 2^64 (so that a carry, r >> 51 with one added, is below 2^64), and r4 below 2^110.5.
 * Carries c0 to c3 are below 2^64. c4 < (2^110.5 + 2^64) / 2^51 < 2^59.6, 19 c4 < 2^63.85, and with the limb it still
 * is below 2^64. The last carry is below 2^13, and v[1] below 2^51 + 2^13: tight. */
static inline void fe_carry_product(fe *h, fe_u128 r0, fe_u128 r1, fe_u128 r2, fe_u128 r3, fe_u128 r4) {
    r1 += (uint64_t)(r0 >> 51);
    r2 += (uint64_t)(r1 >> 51);
    r3 += (uint64_t)(r2 >> 51);
    r4 += (uint64_t)(r3 >> 51);
    uint64_t low = ((uint64_t)r0 & FE_MASK) + 19 * (uint64_t)(r4 >> 51);
    h->v[0] = low & FE_MASK;
    h->v[1] = ((uint64_t)r1 & FE_MASK) + (low >> 51);
    h->v[2] = (uint64_t)r2 & FE_MASK;
    h->v[3] = (uint64_t)r3 & FE_MASK;
    h->v[4] = (uint64_t)r4 & FE_MASK;
}

/* Wide in. 19 g < 19 * 2^54 < 2^58.3. A limb product is below 2^108; r0 has 1 + 4 * 19 = 77 of them (r1 to r3 less):
 * below 2^114.3. r4 has 5: below 2^110.4. */
static inline void fe_mul_inline(fe *h, const fe *f, const fe *g) {
    uint64_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint64_t g0 = g->v[0], g1 = g->v[1], g2 = g->v[2], g3 = g->v[3], g4 = g->v[4];
    uint64_t g1_19 = 19 * g1, g2_19 = 19 * g2, g3_19 = 19 * g3, g4_19 = 19 * g4;
    fe_u128 r0 = (fe_u128)f0 * g0 + (fe_u128)f1 * g4_19 + (fe_u128)f2 * g3_19 + (fe_u128)f3 * g2_19 +
                 (fe_u128)f4 * g1_19;
    fe_u128 r1 = (fe_u128)f0 * g1 + (fe_u128)f1 * g0 + (fe_u128)f2 * g4_19 + (fe_u128)f3 * g3_19 + (fe_u128)f4 * g2_19;
    fe_u128 r2 = (fe_u128)f0 * g2 + (fe_u128)f1 * g1 + (fe_u128)f2 * g0 + (fe_u128)f3 * g4_19 + (fe_u128)f4 * g3_19;
    fe_u128 r3 = (fe_u128)f0 * g3 + (fe_u128)f1 * g2 + (fe_u128)f2 * g1 + (fe_u128)f3 * g0 + (fe_u128)f4 * g4_19;
    fe_u128 r4 = (fe_u128)f0 * g4 + (fe_u128)f1 * g3 + (fe_u128)f2 * g2 + (fe_u128)f3 * g1 + (fe_u128)f4 * g0;
    fe_carry_product(h, r0, r1, r2, r3, r4);
}

/* Wide in. The same sums as f * f, equal products taken twice: doubled factors are below 2^55. */
static inline void fe_sq_inline(fe *h, const fe *f) {
    uint64_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint64_t f0_2 = 2 * f0, f1_2 = 2 * f1, f2_2 = 2 * f2, f3_2 = 2 * f3, f3_19 = 19 * f3, f4_19 = 19 * f4;
    fe_u128 r0 = (fe_u128)f0 * f0 + (fe_u128)f1_2 * f4_19 + (fe_u128)f2_2 * f3_19;
    fe_u128 r1 = (fe_u128)f0_2 * f1 + (fe_u128)f2_2 * f4_19 + (fe_u128)f3 * f3_19;
    fe_u128 r2 = (fe_u128)f0_2 * f2 + (fe_u128)f1 * f1 + (fe_u128)f3_2 * f4_19;
    fe_u128 r3 = (fe_u128)f0_2 * f3 + (fe_u128)f1_2 * f2 + (fe_u128)f4 * f4_19;
    fe_u128 r4 = (fe_u128)f0_2 * f4 + (fe_u128)f1_2 * f3 + (fe_u128)f2 * f2;
    fe_carry_product(h, r0, r1, r2, r3, r4);
}

/* Wide in. Products are below 2^54 * 2^17 = 2^71. */
static inline void fe_small_inline(fe *h, const fe *f) {
    const uint64_t n = 121665;
    fe_carry_product(h, (fe_u128)f->v[0] * n, (fe_u128)f->v[1] * n, (fe_u128)f->v[2] * n, (fe_u128)f->v[3] * n,
                     (fe_u128)f->v[4] * n);
}

/* Tight in: below 2^255 + 2^13 (2^204 + ... + 1) < 2^255 + 2^218 < 2p. q = floor((f + 19) / 2^255) is 1 if f >= p,
 * else 0; all carries are 0 or 1. f - q p = f + 19 q - 2^255 q, so adding 19 q and dropping 2^255 reduces f. */
static inline void fe_to_words(uint64_t w[4], const fe *f) {
    uint64_t t[5], c = 19;
    for (unsigned i = 0; i < 5; i++) c = (f->v[i] + c) >> 51;
    c *= 19;
    for (unsigned i = 0; i < 5; i++) {
        c += f->v[i];
        t[i] = c & FE_MASK;
        c >>= 51;
    }
    w[0] = t[0] | t[1] << 51;
    w[1] = t[1] >> 13 | t[2] << 38;
    w[2] = t[2] >> 26 | t[3] << 25;
    w[3] = t[3] >> 39 | t[4] << 12;
    ct_wipe(t, sizeof t);
}

#endif
