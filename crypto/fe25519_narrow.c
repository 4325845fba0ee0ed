/* SPDX-License-Identifier: ISC */
/*
 * Numbers mod p = 2^255 - 19 in signed limbs: f = v[0] + 2^B v[1] + 2^(2 B) v[2] + ..., nine of B = 29 bits or twenty
 * of B = 13. This file has what is the same for both; products and the exact bounds are in fe25519_29.h and fe25519_13.h.
 * The words tight, loose, wide: fe25519.h. Why signed limbs: a sum or a difference of two carried numbers has limbs of
 * B bits and a sign, one bit less than with unsigned ones, and a difference needs no multiple of p to stay above 0.
 *
 * Right shifts of negative numbers carry the sign along, as in all compilers that this is for.
 */
#include "backend.h"
#include "fe25519.h"

#if SVCONN_FE != 51 && !defined(SVCONN_SMALL)

#define FE_BITS SVCONN_FE
#define FE_MASK ((1u << FE_BITS) - 1)
#define FE_HALF (1 << (FE_BITS - 1))
#define FE_TOP (255 - FE_BITS * (FE_LIMBS - 1))             /* bits of the last limb below 2^255 */
#define FE_FOLD (19 << (FE_BITS * FE_LIMBS - 255))          /* 2^(B * limbs) mod p: 1216 or 608 */

/* c = 2^B ((c + FE_HALF) >> B) + low_bits(c): the lowest B bits as a number from -FE_HALF to FE_HALF - 1 */
static inline int32_t low_bits(uint32_t c) { return (int32_t)(c << (32 - FE_BITS)) >> (32 - FE_BITS); }

#if SVCONN_FE == 13
/* For work space that a product has set to 0 on its last way through it, which costs less than ct_wipe each time: the
 * compiler may not leave that out. */
static inline void keep_zeros(void *p, size_t n) {
#ifdef CT_GNU
    (void)n;
    __asm__ __volatile__("" : : "r"(p) : "memory");
#else
    ct_wipe(p, n);
#endif
}
#endif

#if SVCONN_FE == 29
#include "fe25519_29.h"
#else
#include "fe25519_13.h"
#endif

/* n f. The columns are n times wide limbs. */
static void scale(fe *h, const fe *f, int32_t n) {
    fe_column c = 0;
    SVCONN_UNROLL for (unsigned i = 0; i < FE_LIMBS; i++) {
        c += (fe_column)f->v[i] * n;
        h->v[i] = low_bits((uint32_t)c);
        c = (c + FE_HALF) >> FE_BITS;
    }
    last_carry(h, c);
}

void fe_small(fe *h, const fe *f) { scale(h, f, 121665); }

/* Limbs of B bits without a sign: loose. s[8] is no matter. */
static void from_words32(fe *h, uint32_t s[9]) {
    s[7] &= 0x7fffffff;
    s[8] = 0;
    for (unsigned i = 0, bit = 0; i < FE_LIMBS; i++, bit += FE_BITS) {
        uint32_t x = s[bit / 32] >> bit % 32 | s[bit / 32 + 1] << 1 << (31 - bit % 32);
        h->v[i] = (int32_t)(x & FE_MASK);
    }
    ct_wipe(s, 9 * sizeof s[0]);
}

void fe_from_words(fe *h, const uint64_t w[4]) {
    uint32_t s[9];
    for (unsigned i = 0; i < 4; i++) {
        s[2 * i] = (uint32_t)w[i];
        s[2 * i + 1] = (uint32_t)(w[i] >> 32);
    }
    from_words32(h, s);
}

void fe_from_bytes(fe *h, const uint8_t in[32]) {
    uint32_t s[9];
    for (unsigned i = 0; i < 8; i++) s[i] = load_le32(in + 4 * i);
    from_words32(h, s);
    scale(h, h, 1);
}

void fe_add(fe *h, const fe *f, const fe *g) {
    SVCONN_UNROLL for (unsigned i = 0; i < FE_LIMBS; i++) h->v[i] = f->v[i] + g->v[i];
}

void fe_sub(fe *h, const fe *f, const fe *g) {
    SVCONN_UNROLL for (unsigned i = 0; i < FE_LIMBS; i++) h->v[i] = f->v[i] - g->v[i];
}

void fe_both(fe *sum, fe *difference, const fe *f, const fe *g) {
    SVCONN_UNROLL for (unsigned i = 0; i < FE_LIMBS; i++) {
        int32_t x = f->v[i], y = g->v[i];
        sum->v[i] = x + y;
        difference->v[i] = x - y;
    }
}

void fe_add2(fe *h, const fe *f, const fe *g) {
    fe_add(h, f, g);
#if SVCONN_FE == 13
    scale(h, h, 1);
#endif
}

void fe_sub2(fe *h, const fe *f, const fe *g) {
    fe_sub(h, f, g);
    scale(h, h, 1);
}

void fe_negate_if(fe *f, uint64_t mask) {
    int32_t m = (int32_t)(uint32_t)mask;
    SVCONN_UNROLL for (unsigned i = 0; i < FE_LIMBS; i++) f->v[i] = (f->v[i] ^ m) - m;
}

void fe_swap(fe *f, fe *g, uint64_t mask) {
    int32_t m = (int32_t)(uint32_t)mask;
    SVCONN_UNROLL for (unsigned i = 0; i < FE_LIMBS; i++) {
        int32_t x = m & (f->v[i] ^ g->v[i]);
        f->v[i] ^= x;
        g->v[i] ^= x;
    }
}

/* t + c, carried, without what is above 2^255; returns that. Limbs are then not below 0. */
static int32_t carry_up(int32_t t[FE_LIMBS], int32_t c) {
    for (unsigned i = 0; i < FE_LIMBS - 1; i++) {
        c += t[i];
        t[i] = c & (int32_t)FE_MASK;
        c >>= FE_BITS;
    }
    c += t[FE_LIMBS - 1];
    t[FE_LIMBS - 1] = c & ((1 << FE_TOP) - 1);
    return c >> FE_TOP;
}

/* Tight in: in size little more than n / 2 times 2^255, n = FE_FOLD / 19 = 64 or 32. So f + n p is above 0 and below
 * 2 n 2^255. Its part above 2^255 comes back 19-fold, at most 19 * 127, twice: the second time it is 0 or 1, and after
 * that the number is below 2^255. It is p at least if with 19 more it reaches 2^255, and then what is left is the
 * number less p; if not, the 19 are taken off again. */
void fe_to_bytes(uint8_t out[32], const fe *f) {
    int32_t t[FE_LIMBS + 1] = {0}, c;
    memcpy(t, f->v, sizeof f->v);
    t[FE_LIMBS - 1] += 1 << FE_BITS;
    c = carry_up(t, -FE_FOLD);
    c = carry_up(t, 19 * c);
    c = carry_up(t, 19 * c + 19);
    (void)carry_up(t, 19 * c - 19);
    for (unsigned i = 0, limb = 0, bit = 0; i < 32; i++, bit += 8) { /* 8 bits, from `bit` of t[limb] on, and of the next */
        if (bit >= FE_BITS) {
            bit -= FE_BITS;
            limb++;
        }
        out[i] = (uint8_t)((uint32_t)t[limb] >> bit | (uint32_t)t[limb + 1] << (FE_BITS - bit));
    }
    ct_wipe(t, sizeof t);
}

#else
typedef int svconn_fe25519_narrow_is_for_less_than_51_bits;
#endif
