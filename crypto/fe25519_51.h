/* SPDX-License-Identifier: ISC */
/*
 * Numbers mod p = 2^255 - 19 in five limbs of 51 bits: f = v[0] + 2^51 v[1] + 2^102 v[2] + 2^153 v[3] + 2^204 v[4].
 * For 64-bit machines with 64 x 64 -> 128 bit products. Included by fe25519.h only; the words tight, loose, wide
 * are explained there. Here:
 *
 *   tight   v[i] < 2^51 + 2^41
 *   loose   v[i] < 3 * 2^51 + 3 * 2^41
 *   wide    v[i] < 2^54
 *
 * Products: 2^255 = 19 mod p, so a limb product of weight 2^(255 + 51 k) goes to limb k, 19-fold.
 */
#ifndef SVCONN_FE25519_51_H
#define SVCONN_FE25519_51_H

#define FE_LIMBS 5

__extension__ typedef unsigned __int128 fe_u128;
typedef struct {
    uint64_t v[FE_LIMBS];
} fe;

#define FE51_MASK (((uint64_t)1 << 51) - 1)

/* 2^255 is dropped. Limbs below 2^51: tight. */
static inline void fe_from_words(fe *h, const uint64_t w[4]) {
    h->v[0] = w[0] & FE51_MASK;
    h->v[1] = (w[0] >> 51 | w[1] << 13) & FE51_MASK;
    h->v[2] = (w[1] >> 38 | w[2] << 26) & FE51_MASK;
    h->v[3] = (w[2] >> 25 | w[3] << 39) & FE51_MASK;
    h->v[4] = (w[3] >> 12) & FE51_MASK;
}

/* From ten limbs of 26 and 25 bits, below 2^26 + 2^14 and 2^25 + 2^14. 2^51 + 2^40 + 2^14: tight. */
static inline void fe_from_limbs(fe *h, const uint32_t limb[10]) {
    for (unsigned i = 0; i < 5; i++) h->v[i] = limb[2 * i] + ((uint64_t)limb[2 * i + 1] << 26);
}

/* A sum of up to three tight numbers is loose by definition. */
static inline void fe_add(fe *h, const fe *f, const fe *g) {
    for (unsigned i = 0; i < 5; i++) h->v[i] = f->v[i] + g->v[i];
}
/* Below four units and a little: wide. */
static inline void fe_add2(fe *h, const fe *f, const fe *g) { fe_add(h, f, g); }

/* f + 2p - g. The limbs of 2p are 2^52 - 38 and 2^52 - 2: not below a tight limb, so nothing goes below 0. The result
 * is below 2^51 + 2^41 + 2^52: loose. */
static inline void fe_sub(fe *h, const fe *f, const fe *g) {
    h->v[0] = f->v[0] + (2 * FE51_MASK - 36) - g->v[0];
    for (unsigned i = 1; i < 5; i++) h->v[i] = f->v[i] + 2 * FE51_MASK - g->v[i];
}

/* Both at once; an output may be an input. */
static inline void fe_both(fe *sum, fe *difference, const fe *f, const fe *g) {
    fe s;
    fe_add(&s, f, g);
    fe_sub(difference, f, g);
    *sum = s;
}

/* f + 4p - g. The limbs of 4p are 2^53 - 76 and 2^53 - 4: above a loose limb. The result is below
 * 3 * 2^51 + 3 * 2^41 + 2^53 = 7 * 2^51 + 3 * 2^41 < 2^54: wide. */
static inline void fe_sub2(fe *h, const fe *f, const fe *g) {
    h->v[0] = f->v[0] + (4 * FE51_MASK - 72) - g->v[0];
    for (unsigned i = 1; i < 5; i++) h->v[i] = f->v[i] + 4 * FE51_MASK - g->v[i];
}

/* mask: all ones or all zeros */
static inline void fe_swap(fe *f, fe *g, uint64_t mask) {
    for (unsigned i = 0; i < 5; i++) {
        uint64_t x = mask & (f->v[i] ^ g->v[i]);
        f->v[i] ^= x;
        g->v[i] ^= x;
    }
}

/* -f if mask is all ones, f if it is all zeros. f is what fe_from_words gives, or tight: loose then. */
static inline void fe_negate_if(fe *f, uint64_t mask) {
    fe zero = {{0}}, minus;
    fe_sub(&minus, &zero, f);
    for (unsigned i = 0; i < 5; i++) f->v[i] = ct_select64(mask, minus.v[i], f->v[i]);
    ct_wipe(&minus, sizeof minus);
}

/* ---- products: column k is the sum of the limb products of weight 2^(51 k) -----------------------------------------
 * A column is summed and carried before the next one is begun: so few numbers are alive that compilers keep them in
 * registers. Two chains of carries run side by side, 3 -> 4 -> 0 -> 1 and 0 -> 1 -> 2 -> 3 -> 4: half the latency of
 * one.
 *
 * Columns 0 to 3 are below 2^114.4 with their carries, column 4 below 2^110.5 (see below). So carries out of 0 to 3 are
 * below 2^63.4, and with a limb of 51 bits still below 2^64; the one out of 4 is below 2^59.5, and 19 times it below
 * 2^63.8. The second carries, from 0 into 1 and from 3 into 4, are below 2^13: tight. */
#define FE_LOW(r) ((uint64_t)(r) & FE51_MASK)
#define FE_CARRY(r) ((uint64_t)((r) >> 51))

static inline void fe_second_carries(fe *h, uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3, uint64_t t4) {
    h->v[0] = t0 & FE51_MASK;
    h->v[1] = t1 + (t0 >> 51);
    h->v[2] = t2;
    h->v[3] = t3 & FE51_MASK;
    h->v[4] = t4 + (t3 >> 51);
}

/* Wide in. 19 g < 19 * 2^54 < 2^58.3. A limb product is below 2^108; column 0 has 1 + 4 * 19 = 77 of them (1 to 3
 * less): below 2^114.3. Column 4 has 5: below 2^110.4. */
static inline void fe_mul_inline(fe *h, const fe *f, const fe *g) {
    uint64_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint64_t g0 = g->v[0], g1 = g->v[1], g2 = g->v[2], g3 = g->v[3], g4 = g->v[4];
    uint64_t g1_19 = 19 * g1, g2_19 = 19 * g2, g3_19 = 19 * g3, g4_19 = 19 * g4;
    uint64_t t0, t1, t2, t3, t4, c, d;
    fe_u128 r = (fe_u128)f0 * g3 + (fe_u128)f1 * g2 + (fe_u128)f2 * g1 + (fe_u128)f3 * g0 + (fe_u128)f4 * g4_19;
    t3 = FE_LOW(r);
    d = FE_CARRY(r);
    r = (fe_u128)f0 * g0 + (fe_u128)f1 * g4_19 + (fe_u128)f2 * g3_19 + (fe_u128)f3 * g2_19 + (fe_u128)f4 * g1_19;
    t0 = FE_LOW(r);
    c = FE_CARRY(r);
    r = (fe_u128)f0 * g4 + (fe_u128)f1 * g3 + (fe_u128)f2 * g2 + (fe_u128)f3 * g1 + (fe_u128)f4 * g0 + d;
    t4 = FE_LOW(r);
    t0 += 19 * FE_CARRY(r);
    r = (fe_u128)f0 * g1 + (fe_u128)f1 * g0 + (fe_u128)f2 * g4_19 + (fe_u128)f3 * g3_19 + (fe_u128)f4 * g2_19 + c;
    t1 = FE_LOW(r);
    c = FE_CARRY(r);
    r = (fe_u128)f0 * g2 + (fe_u128)f1 * g1 + (fe_u128)f2 * g0 + (fe_u128)f3 * g4_19 + (fe_u128)f4 * g3_19 + c;
    t2 = FE_LOW(r);
    t3 += FE_CARRY(r);
    fe_second_carries(h, t0, t1, t2, t3, t4);
}

/* Wide in. The same sums as f * f, equal products taken twice: 38 f4 < 2^59.3. */
static inline void fe_sq_inline(fe *h, const fe *f) {
    uint64_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint64_t f0_2 = 2 * f0, f1_2 = 2 * f1, f3_19 = 19 * f3, f4_19 = 19 * f4, f4_38 = 2 * f4_19;
    uint64_t t0, t1, t2, t3, t4, c, d;
    fe_u128 r = (fe_u128)f0_2 * f3 + (fe_u128)f1_2 * f2 + (fe_u128)f4 * f4_19;
    t3 = FE_LOW(r);
    d = FE_CARRY(r);
    r = (fe_u128)f0 * f0 + (fe_u128)f1 * f4_38 + (fe_u128)(2 * f2) * f3_19;
    t0 = FE_LOW(r);
    c = FE_CARRY(r);
    r = (fe_u128)f0_2 * f4 + (fe_u128)f1_2 * f3 + (fe_u128)f2 * f2 + d;
    t4 = FE_LOW(r);
    t0 += 19 * FE_CARRY(r);
    r = (fe_u128)f0_2 * f1 + (fe_u128)f2 * f4_38 + (fe_u128)f3 * f3_19 + c;
    t1 = FE_LOW(r);
    c = FE_CARRY(r);
    r = (fe_u128)f0_2 * f2 + (fe_u128)f1 * f1 + (fe_u128)f3 * f4_38 + c;
    t2 = FE_LOW(r);
    t3 += FE_CARRY(r);
    fe_second_carries(h, t0, t1, t2, t3, t4);
}

/* Wide in. Products are below 2^54 * 2^17 = 2^71; all are carried at once: carries are below 2^20, 19-fold below
 * 2^24.3. */
static inline void fe_small_inline(fe *h, const fe *f) {
    uint64_t c[5];
    for (unsigned i = 0; i < 5; i++) {
        fe_u128 r = (fe_u128)f->v[i] * 121665;
        h->v[i] = FE_LOW(r);
        c[i] = FE_CARRY(r);
    }
    h->v[0] += 19 * c[4];
    for (unsigned i = 1; i < 5; i++) h->v[i] += c[i - 1];
}

/* Tight in: below 2^255 + 2^41 (2^204 + ... + 1) < 2^255 + 2^246 < 2p. q = floor((f + 19) / 2^255) is 1 if f >= p,
 * else 0; all carries are 0 or 1. f - q p = f + 19 q - 2^255 q, so adding 19 q and dropping 2^255 reduces f. */
static inline void fe_to_words(uint64_t w[4], const fe *f) {
    uint64_t t[5], c = 19;
    for (unsigned i = 0; i < 5; i++) c = (f->v[i] + c) >> 51;
    c *= 19;
    for (unsigned i = 0; i < 5; i++) {
        c += f->v[i];
        t[i] = c & FE51_MASK;
        c >>= 51;
    }
    w[0] = t[0] | t[1] << 51;
    w[1] = t[1] >> 13 | t[2] << 38;
    w[2] = t[2] >> 26 | t[3] << 25;
    w[3] = t[3] >> 39 | t[4] << 12;
    ct_wipe(t, sizeof t);
}

#endif
