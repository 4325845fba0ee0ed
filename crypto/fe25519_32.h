/* SPDX-License-Identifier: ISC */
/*
 * Numbers mod p = 2^255 - 19 in ten limbs of 26 and 25 bits in turn: limb i has the weight 2^ceil(25.5 i), that is
 * 2^0, 2^26, 2^51, 2^77, 2^102, 2^128, 2^153, 2^179, 2^204, 2^230. For machines with 32 x 32 -> 64 bit products (or
 * less, see mul32.h). Included by fe25519.h only; the words tight, loose, wide are explained there. Here:
 *
 *             even limbs                 odd limbs
 *   tight     < 2^26 + 2^14              < 2^25 + 2^14
 *   loose     < 3 * 2^26 + 3 * 2^14      < 3 * 2^25 + 3 * 2^14
 *   wide      the same as loose
 *
 * Products: limb i times limb j has the weight of limb i + j, twofold if i and j are odd; and 2^255 = 19 mod p, so if
 * i + j >= 10 it goes to limb i + j - 10, 19-fold.
 */
#ifndef SVCONN_FE25519_32_H
#define SVCONN_FE25519_32_H

#include "mul32.h"

#define FE_LIMBS 10

typedef struct {
    uint32_t v[FE_LIMBS];
} fe;

#define FE_M26 0x3ffffffu
#define FE_M25 0x1ffffffu

/* 2^255 is dropped. Limbs below 2^26 and 2^25: tight. */
static inline void fe_from_words(fe *h, const uint64_t w[4]) {
    uint32_t s[8];
    for (unsigned i = 0; i < 8; i++) s[i] = (uint32_t)(w[i / 2] >> (32 * (i % 2)));
    h->v[0] = s[0] & FE_M26;
    h->v[1] = (s[0] >> 26 | s[1] << 6) & FE_M25;
    h->v[2] = (s[1] >> 19 | s[2] << 13) & FE_M26;
    h->v[3] = (s[2] >> 13 | s[3] << 19) & FE_M25;
    h->v[4] = s[3] >> 6;
    h->v[5] = s[4] & FE_M25;
    h->v[6] = (s[4] >> 25 | s[5] << 7) & FE_M26;
    h->v[7] = (s[5] >> 19 | s[6] << 13) & FE_M25;
    h->v[8] = (s[6] >> 12 | s[7] << 20) & FE_M26;
    h->v[9] = (s[7] >> 6) & FE_M25;
    ct_wipe(s, sizeof s);
}

/* From limbs in the same form as here */
static inline void fe_from_limbs(fe *h, const uint32_t limb[10]) { memcpy(h->v, limb, sizeof h->v); }

/* A sum of up to three tight numbers is loose by definition. */
static inline void fe_add(fe *h, const fe *f, const fe *g) {
    for (unsigned i = 0; i < 10; i++) h->v[i] = f->v[i] + g->v[i];
}

/* f + 2p - g. The limbs of 2p are 2^27 - 38, 2^26 - 2, 2^27 - 2, 2^26 - 2, ...: not below a tight limb, so nothing
 * goes below 0. The result is below 2^26 + 2^14 + 2^27 (half of it, about, in odd limbs): loose. */
static inline void fe_sub(fe *h, const fe *f, const fe *g) {
    h->v[0] = f->v[0] + (2 * FE_M26 - 36) - g->v[0];
    h->v[1] = f->v[1] + 2 * FE_M25 - g->v[1];
    for (unsigned i = 2; i < 10; i += 2) {
        h->v[i] = f->v[i] + 2 * FE_M26 - g->v[i];
        h->v[i + 1] = f->v[i + 1] + 2 * FE_M25 - g->v[i + 1];
    }
}

/* f + 4p - g, with one pass of carries. The limbs of 4p are 2^28 - 76, 2^27 - 4, 2^28 - 4, ...: above loose limbs.
 * The sums are below 7 * 2^26 + 3 * 2^14 < 2^29 (even) and 2^28 (odd); carries are at most 7; the last one comes back
 * 19-fold, 133 at most, and v[0] < 2^26 + 133: tight. */
static inline void fe_sub2(fe *h, const fe *f, const fe *g) {
    uint32_t c = 0;
    for (unsigned i = 0; i < 10; i += 2) {
        c += f->v[i] + (4 * FE_M26 - (i == 0 ? 72 : 0)) - g->v[i];
        h->v[i] = c & FE_M26;
        c >>= 26;
        c += f->v[i + 1] + 4 * FE_M25 - g->v[i + 1];
        h->v[i + 1] = c & FE_M25;
        c >>= 25;
    }
    h->v[0] += 19 * c;
}

/* mask: all ones or all zeros */
static inline void fe_swap(fe *f, fe *g, uint64_t mask) {
    for (unsigned i = 0; i < 10; i++) {
        uint32_t x = (uint32_t)mask & (f->v[i] ^ g->v[i]);
        f->v[i] ^= x;
        g->v[i] ^= x;
    }
}

/* mask ? f : g */
static inline void fe_select(fe *h, uint64_t mask, const fe *f, const fe *g) {
    for (unsigned i = 0; i < 10; i++) h->v[i] = ct_select32((uint32_t)mask, f->v[i], g->v[i]);
}

/* 19 c without a 64 x 64 bit product: c < 2^59 */
static inline uint64_t fe_times19(uint64_t c) {
    return mul32((uint32_t)c, 19) + ((uint64_t)(19 * (uint32_t)(c >> 32)) << 32);
}

/* In: r[i] < 2^63 and r[9] < 2^58. Each carry is below 2^38 and no sum overflows. The last one, c < 2^33 + 2^13,
 * comes back 19-fold, below 2^37.3, and leaves a carry below 2^11.4 (and a limb below 2^26) for v[1]: tight. */
static inline void fe_carry_product(fe *h, const uint64_t r[10]) {
    uint64_t c = 0;
    for (unsigned i = 0; i < 10; i += 2) {
        c += r[i];
        h->v[i] = (uint32_t)c & FE_M26;
        c >>= 26;
        c += r[i + 1];
        h->v[i + 1] = (uint32_t)c & FE_M25;
        c >>= 25;
    }
    c = fe_times19(c) + h->v[0];
    h->v[0] = (uint32_t)c & FE_M26;
    h->v[1] += (uint32_t)(c >> 26);
}

/* Wide in. Let e = 3 * 2^26 + 3 * 2^14, the bound of even limbs; odd ones are below e / 2 + 2^14.6. 19 e < 2^31.9 and
 * the doubled odd limbs fit 32 bits. The largest sum is h0: five products of even limbs, one plain and four 19-fold,
 * at most 77 e^2, and five of odd limbs, 38-fold, 190 (e / 2)^2 and a little: less than 125 e^2 < 2^62.2. h9 has ten
 * products of an even and an odd limb: less than 5.1 e^2 < 2^57.6. */
static inline void fe_mul_inline(fe *h, const fe *f, const fe *g) {
    uint32_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint32_t f5 = f->v[5], f6 = f->v[6], f7 = f->v[7], f8 = f->v[8], f9 = f->v[9];
    uint32_t g0 = g->v[0], g1 = g->v[1], g2 = g->v[2], g3 = g->v[3], g4 = g->v[4];
    uint32_t g5 = g->v[5], g6 = g->v[6], g7 = g->v[7], g8 = g->v[8], g9 = g->v[9];
    uint32_t f1_2 = 2 * f1, f3_2 = 2 * f3, f5_2 = 2 * f5, f7_2 = 2 * f7, f9_2 = 2 * f9;
    uint32_t g1_19 = 19 * g1, g2_19 = 19 * g2, g3_19 = 19 * g3, g4_19 = 19 * g4, g5_19 = 19 * g5;
    uint32_t g6_19 = 19 * g6, g7_19 = 19 * g7, g8_19 = 19 * g8, g9_19 = 19 * g9;
    uint64_t h0 = mul32(f0, g0) + mul32(f1_2, g9_19) + mul32(f2, g8_19) + mul32(f3_2, g7_19) + mul32(f4, g6_19) +
                  mul32(f5_2, g5_19) + mul32(f6, g4_19) + mul32(f7_2, g3_19) + mul32(f8, g2_19) + mul32(f9_2, g1_19);
    uint64_t h1 = mul32(f0, g1) + mul32(f1, g0) + mul32(f2, g9_19) + mul32(f3, g8_19) + mul32(f4, g7_19) +
                  mul32(f5, g6_19) + mul32(f6, g5_19) + mul32(f7, g4_19) + mul32(f8, g3_19) + mul32(f9, g2_19);
    uint64_t h2 = mul32(f0, g2) + mul32(f1_2, g1) + mul32(f2, g0) + mul32(f3_2, g9_19) + mul32(f4, g8_19) +
                  mul32(f5_2, g7_19) + mul32(f6, g6_19) + mul32(f7_2, g5_19) + mul32(f8, g4_19) + mul32(f9_2, g3_19);
    uint64_t h3 = mul32(f0, g3) + mul32(f1, g2) + mul32(f2, g1) + mul32(f3, g0) + mul32(f4, g9_19) +
                  mul32(f5, g8_19) + mul32(f6, g7_19) + mul32(f7, g6_19) + mul32(f8, g5_19) + mul32(f9, g4_19);
    uint64_t h4 = mul32(f0, g4) + mul32(f1_2, g3) + mul32(f2, g2) + mul32(f3_2, g1) + mul32(f4, g0) +
                  mul32(f5_2, g9_19) + mul32(f6, g8_19) + mul32(f7_2, g7_19) + mul32(f8, g6_19) + mul32(f9_2, g5_19);
    uint64_t h5 = mul32(f0, g5) + mul32(f1, g4) + mul32(f2, g3) + mul32(f3, g2) + mul32(f4, g1) + mul32(f5, g0) +
                  mul32(f6, g9_19) + mul32(f7, g8_19) + mul32(f8, g7_19) + mul32(f9, g6_19);
    uint64_t h6 = mul32(f0, g6) + mul32(f1_2, g5) + mul32(f2, g4) + mul32(f3_2, g3) + mul32(f4, g2) +
                  mul32(f5_2, g1) + mul32(f6, g0) + mul32(f7_2, g9_19) + mul32(f8, g8_19) + mul32(f9_2, g7_19);
    uint64_t h7 = mul32(f0, g7) + mul32(f1, g6) + mul32(f2, g5) + mul32(f3, g4) + mul32(f4, g3) + mul32(f5, g2) +
                  mul32(f6, g1) + mul32(f7, g0) + mul32(f8, g9_19) + mul32(f9, g8_19);
    uint64_t h8 = mul32(f0, g8) + mul32(f1_2, g7) + mul32(f2, g6) + mul32(f3_2, g5) + mul32(f4, g4) +
                  mul32(f5_2, g3) + mul32(f6, g2) + mul32(f7_2, g1) + mul32(f8, g0) + mul32(f9_2, g9_19);
    uint64_t h9 = mul32(f0, g9) + mul32(f1, g8) + mul32(f2, g7) + mul32(f3, g6) + mul32(f4, g5) + mul32(f5, g4) +
                  mul32(f6, g3) + mul32(f7, g2) + mul32(f8, g1) + mul32(f9, g0);
    uint64_t r[10] = {h0, h1, h2, h3, h4, h5, h6, h7, h8, h9};
    fe_carry_product(h, r);
    ct_wipe(r, sizeof r);
}

/* Wide in. The same sums as f * f, equal products taken twice: fourfold odd limbs and doubled even ones are below
 * 2^28.6. */
static inline void fe_sq_inline(fe *h, const fe *f) {
    uint32_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint32_t f5 = f->v[5], f6 = f->v[6], f7 = f->v[7], f8 = f->v[8], f9 = f->v[9];
    uint32_t f0_2 = 2 * f0, f1_2 = 2 * f1, f2_2 = 2 * f2, f3_2 = 2 * f3, f4_2 = 2 * f4, f5_2 = 2 * f5, f6_2 = 2 * f6;
    uint32_t f7_2 = 2 * f7, f8_2 = 2 * f8, f9_2 = 2 * f9, f1_4 = 4 * f1, f3_4 = 4 * f3, f5_4 = 4 * f5, f7_4 = 4 * f7;
    uint32_t f5_19 = 19 * f5, f6_19 = 19 * f6, f7_19 = 19 * f7, f8_19 = 19 * f8, f9_19 = 19 * f9;
    uint64_t h0 = mul32(f0, f0) + mul32(f1_4, f9_19) + mul32(f2_2, f8_19) + mul32(f3_4, f7_19) + mul32(f4_2, f6_19) +
                  mul32(f5_2, f5_19);
    uint64_t h1 = mul32(f0_2, f1) + mul32(f2_2, f9_19) + mul32(f3_2, f8_19) + mul32(f4_2, f7_19) +
                  mul32(f5_2, f6_19);
    uint64_t h2 = mul32(f0_2, f2) + mul32(f1_2, f1) + mul32(f3_4, f9_19) + mul32(f4_2, f8_19) + mul32(f5_4, f7_19) +
                  mul32(f6, f6_19);
    uint64_t h3 = mul32(f0_2, f3) + mul32(f1_2, f2) + mul32(f4_2, f9_19) + mul32(f5_2, f8_19) + mul32(f6_2, f7_19);
    uint64_t h4 = mul32(f0_2, f4) + mul32(f1_4, f3) + mul32(f2, f2) + mul32(f5_4, f9_19) + mul32(f6_2, f8_19) +
                  mul32(f7_2, f7_19);
    uint64_t h5 = mul32(f0_2, f5) + mul32(f1_2, f4) + mul32(f2_2, f3) + mul32(f6_2, f9_19) + mul32(f7_2, f8_19);
    uint64_t h6 = mul32(f0_2, f6) + mul32(f1_4, f5) + mul32(f2_2, f4) + mul32(f3_2, f3) + mul32(f7_4, f9_19) +
                  mul32(f8, f8_19);
    uint64_t h7 = mul32(f0_2, f7) + mul32(f1_2, f6) + mul32(f2_2, f5) + mul32(f3_2, f4) + mul32(f8_2, f9_19);
    uint64_t h8 = mul32(f0_2, f8) + mul32(f1_4, f7) + mul32(f2_2, f6) + mul32(f3_4, f5) + mul32(f4, f4) +
                  mul32(f9_2, f9_19);
    uint64_t h9 = mul32(f0_2, f9) + mul32(f1_2, f8) + mul32(f2_2, f7) + mul32(f3_2, f6) + mul32(f4_2, f5);
    uint64_t r[10] = {h0, h1, h2, h3, h4, h5, h6, h7, h8, h9};
    fe_carry_product(h, r);
    ct_wipe(r, sizeof r);
}

/* Wide in. Products are below 2^28 * 2^17 = 2^45. */
static inline void fe_small_inline(fe *h, const fe *f) {
    uint64_t r[10];
    for (unsigned i = 0; i < 10; i++) r[i] = mul32(f->v[i], 121665);
    fe_carry_product(h, r);
    ct_wipe(r, sizeof r);
}

/* Tight in: below 2^255 + 2^14 (2^230 + 2^204 + ...) < 2^255 + 2^245 < 2p. q = floor((f + 19) / 2^255) is 1 if
 * f >= p, else 0; carries are 0 or 1. f - q p = f + 19 q - 2^255 q, so adding 19 q and dropping 2^255 reduces f. */
static inline void fe_to_words(uint64_t w[4], const fe *f) {
    uint32_t t[10], s[8], c = 19;
    for (unsigned i = 0; i < 10; i++) c = (f->v[i] + c) >> (26 - (i & 1));
    c *= 19;
    for (unsigned i = 0; i < 10; i++) {
        c += f->v[i];
        t[i] = c & (i & 1 ? FE_M25 : FE_M26);
        c >>= 26 - (i & 1);
    }
    s[0] = t[0] | t[1] << 26;
    s[1] = t[1] >> 6 | t[2] << 19;
    s[2] = t[2] >> 13 | t[3] << 13;
    s[3] = t[3] >> 19 | t[4] << 6;
    s[4] = t[5] | t[6] << 25;
    s[5] = t[6] >> 7 | t[7] << 19;
    s[6] = t[7] >> 13 | t[8] << 12;
    s[7] = t[8] >> 20 | t[9] << 6;
    for (unsigned i = 0; i < 4; i++) w[i] = s[2 * i] | (uint64_t)s[2 * i + 1] << 32;
    ct_wipe(t, sizeof t);
    ct_wipe(s, sizeof s);
}

#endif
