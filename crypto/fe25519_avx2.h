/* SPDX-License-Identifier: ISC */
/*
 * Four numbers mod p = 2^255 - 19 side by side, for AVX2: ten limbs of 26 and 25 bits in turn, as in fe25519_32.h;
 * vector i holds limb i of the four, each in its own 64-bit lane. A 32 x 32 -> 64 bit vector product makes four limb
 * products. Included by curve25519_avx2.c and the tests only.
 *
 *             even limbs                 odd limbs
 *   tight     < 2^26 + 2^14              < 2^25 + 2^14
 *   loose     < 3 * 2^26 + 3 * 2^14      < 3 * 2^25 + 3 * 2^14
 *   wide      < 4 * 2^26 + 4 * 2^14      < 4 * 2^25 + 4 * 2^14
 *
 *   operation                         takes              gives
 *   fe4_from_rows, fe4_load           any 256 bits       tight (the top bit is ignored)
 *   fe4_add                           a wide sum         wide, or as small as the sum is
 *   fe4_sum_diff, fe4_diff_sum        tight              loose
 *   fe4_mul                           wide, loose        tight
 *   fe4_mul_factor                    loose, tight       tight
 *   fe4_double                        see there          tight
 *   fe4_lanes, fe4_exchange,
 *   fe4_blend, fe4_keep               any                the same
 *   fe4_to_fe                         tight              tight ones of fe25519.h
 *
 * All of it is constant time, in the choice of lanes too. An output may be one of the inputs. work: work space, which
 * the caller wipes.
 */
#ifndef SVCONN_FE25519_AVX2_H
#define SVCONN_FE25519_AVX2_H

#define FE4_TARGET __attribute__((target("avx2")))
#define FE4_NAME(x) fe4_avx2_##x
#define FE4_LIMBS 10
#define FE4_NOMINAL(i) ((i) % 2 ? (uint64_t)0x1ffffff : (uint64_t)0x3ffffff)

#include "fe25519.h"
#include "fe25519_lanes.h"

/* ---- sums -------------------------------------------------------------------------------------------------------- */
FE4 void fe4_add(fe4 *h, const fe4 *f, const fe4 *g) { FE4_EACH h->v[i] = _mm256_add_epi64(f->v[i], g->v[i]); }

/* Sums and differences of tight numbers are loose as they are. */
FE4 void fe4_settle(fe4 *h, __m256i r[10]) { FE4_EACH h->v[i] = r[i]; }

/* ---- products ---------------------------------------------------------------------------------------------------- */
/* In: r[i] < 2^63.2 and r[9] < 2^60.2. Two chains of carries, 0 to 5 and 5 to 0: half the latency of one. Carries are
 * below 2^38.2, and 2^35.2 out of 9, which comes back 19-fold: below 2^39.5. The last two, from 5 into 6 and from 0
 * into 1, are below 2^13.5: tight. */
FE4 void fe4_carry(fe4 *h, __m256i r[10]) {
    const __m256i m26 = _mm256_set1_epi64x(0x3ffffff), m25 = _mm256_set1_epi64x(0x1ffffff);
    __m256i c;
#define FE4_CARRY(i, k, bits)                                                                                          \
    do {                                                                                                               \
        r[k] = _mm256_add_epi64(r[k], _mm256_srli_epi64(r[i], bits));                                                  \
        r[i] = _mm256_and_si256(r[i], bits == 26 ? m26 : m25);                                                         \
    } while (0)
    FE4_CARRY(0, 1, 26);
    FE4_CARRY(5, 6, 25);
    FE4_CARRY(1, 2, 25);
    FE4_CARRY(6, 7, 26);
    FE4_CARRY(2, 3, 26);
    FE4_CARRY(7, 8, 25);
    FE4_CARRY(3, 4, 25);
    FE4_CARRY(8, 9, 26);
    c = _mm256_srli_epi64(r[9], 25);
    r[9] = _mm256_and_si256(r[9], m25);
    FE4_CARRY(4, 5, 26);
    c = _mm256_add_epi64(c, _mm256_add_epi64(_mm256_slli_epi64(c, 1), _mm256_slli_epi64(c, 4)));
    r[0] = _mm256_add_epi64(r[0], c);
    FE4_CARRY(5, 6, 25);
    FE4_CARRY(0, 1, 26);
    FE4_EACH h->v[i] = r[i];
}

#define FE4_TIMES(a, b) _mm256_mul_epu32(a, b)
#define FE4_PLUS(r, a, b) r = _mm256_add_epi64(r, _mm256_mul_epu32(a, b))

/* What a compiler may not look through: ten sums that are to stay in registers between rows of a product. Otherwise gcc
 * makes all products first and the sums later, and has to put most of them on the stack. */
#define FE4_ROW_END(r)                                                                                                 \
    __asm__("" : "+x"(r[0]), "+x"(r[1]), "+x"(r[2]), "+x"(r[3]), "+x"(r[4]), "+x"(r[5]), "+x"(r[6]), "+x"(r[7]),       \
            "+x"(r[8]), "+x"(r[9]))

/* f wide, g loose: 19 g < 2^31.9 and 2 f fit 32 bits. The sums are those of fe_mul in fe25519_32.h, made row by row so
 * that the ten of them stay in registers; f may be 4/3 of what it may be there, so they are below
 * 4/3 * 2^62.2 < 2^62.7, and
 * 4/3 * 2^57.7 < 2^58.2 in the last. */
FE4 void fe4_mul(fe4 *h, const fe4 *f, const fe4 *g, fe4 *__restrict work) {
    const __m256i n = _mm256_set1_epi64x(19), *a = g->v, *b = work->v;
    __m256i x = f->v[0], y, r[10];
    FE4_EACH work->v[i] = FE4_TIMES(g->v[i], n);
#define FE4_ROW(e, o, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9)                                                          \
    FE4_PLUS(r[0], e, b0);                                                                                             \
    FE4_PLUS(r[1], o, b1);                                                                                             \
    FE4_PLUS(r[2], e, b2);                                                                                             \
    FE4_PLUS(r[3], o, b3);                                                                                             \
    FE4_PLUS(r[4], e, b4);                                                                                             \
    FE4_PLUS(r[5], o, b5);                                                                                             \
    FE4_PLUS(r[6], e, b6);                                                                                             \
    FE4_PLUS(r[7], o, b7);                                                                                             \
    FE4_PLUS(r[8], e, b8);                                                                                             \
    FE4_PLUS(r[9], o, b9);                                                                                             \
    FE4_ROW_END(r)
#define FE4_NEXT(k) x = f->v[k]
#define FE4_NEXT_ODD(k) FE4_NEXT(k), y = _mm256_add_epi64(x, x)
    FE4_EACH r[i] = FE4_TIMES(x, a[i]);
    FE4_NEXT_ODD(1);
    FE4_ROW(y, x, b[9], a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
    FE4_NEXT(2);
    FE4_ROW(x, x, b[8], b[9], a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    FE4_NEXT_ODD(3);
    FE4_ROW(y, x, b[7], b[8], b[9], a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    FE4_NEXT(4);
    FE4_ROW(x, x, b[6], b[7], b[8], b[9], a[0], a[1], a[2], a[3], a[4], a[5]);
    FE4_NEXT_ODD(5);
    FE4_ROW(y, x, b[5], b[6], b[7], b[8], b[9], a[0], a[1], a[2], a[3], a[4]);
    FE4_NEXT(6);
    FE4_ROW(x, x, b[4], b[5], b[6], b[7], b[8], b[9], a[0], a[1], a[2], a[3]);
    FE4_NEXT_ODD(7);
    FE4_ROW(y, x, b[3], b[4], b[5], b[6], b[7], b[8], b[9], a[0], a[1], a[2]);
    FE4_NEXT(8);
    FE4_ROW(x, x, b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], a[0], a[1]);
    FE4_NEXT_ODD(9);
    FE4_ROW(y, x, b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], a[0]);
    fe4_carry(h, r);
}

/* ---- one lane by a number that stays the same ----------------------------------------------------------------------
 * n b and g d for (a, b, c, d), small n and a number g: half of the products of fe4_mul, with the limbs of d in two
 * lanes.
 * Row m is (n, 0), (0, n) or (0, 0) in columns 2 m, 2 m + 1 and the others, for limbs 2 m and 2 m + 1 of b; and what
 * limbs 2 m and 2 m + 1 of d are to be multiplied by for the column: a limb of g, twofold or 19-fold where the sums of
 * fe25519_32.h have it. */
typedef struct {
    __m256i row[5][10];
} fe4_factor;

/* limb: nominal, at most 2^26 - 1. 38-fold odd ones and 19-fold even ones are below 2^30.3. */
FE4 void fe4_prepare(fe4_factor *r, uint32_t n, const uint32_t limb[10]) {
    for (unsigned m = 0; m < 5; m++) {
        for (unsigned k = 0; k < 10; k++) {
            uint32_t x[2];
            for (unsigned i = 2 * m; i < 2 * m + 2; i++) {
                unsigned j = (k + 10 - i) % 10;
                x[i & 1] = limb[j] * (k < i ? 19u : 1u) << (i & j & 1);
            }
            r->row[m][k] = _mm256_setr_epi64x(k == 2 * m ? n : 0, k == 2 * m + 1 ? n : 0, x[0], x[1]);
        }
    }
}

/* From the words of a number below 2^255 */
FE4_TARGET static void fe4_prepare_words(fe4_factor *r, uint32_t n, const uint64_t w[4]) {
    uint32_t limb[10];
    for (unsigned i = 0, at = 0; i < 10; at += 26 - (i & 1), i++) {
        uint64_t x = w[at / 64] >> (at % 64);
        if (at % 64 > 38) x |= w[at / 64 + 1] << (64 - at % 64);
        limb[i] = (uint32_t)(x & FE4_NOMINAL(i));
    }
    fe4_prepare(r, n, limb);
    ct_wipe(limb, sizeof limb);
}

/* (n b, n b, g d, g d) + plus. Loose in, lanes 1 and 3; plus is tight; n < 2^20. The sums are those of fe4_mul, after
 * their halves in two lanes came together. */
FE4 void fe4_mul_factor(fe4 *h, const fe4 *f, const fe4_factor *g, const fe4 *plus) {
    __m256i r[10];
    FE4_EACH r[i] = _mm256_setzero_si256();
#define FE4_FACTOR_ROW(m)                                                                                              \
    do {                                                                                                               \
        __m256i x = _mm256_unpackhi_epi64(f->v[2 * m], f->v[2 * m + 1]);                                               \
        FE4_EACH FE4_PLUS(r[i], x, g->row[m][i]);                                                                      \
        FE4_ROW_END(r);                                                                                                \
    } while (0)
    FE4_FACTOR_ROW(0);
    FE4_FACTOR_ROW(1);
    FE4_FACTOR_ROW(2);
    FE4_FACTOR_ROW(3);
    FE4_FACTOR_ROW(4);
    FE4_EACH r[i] = _mm256_add_epi64(_mm256_add_epi64(r[i], _mm256_shuffle_epi32(r[i], 0x4e)), plus->v[i]);
    fe4_carry(h, r);
}

/* What a doubling needs of (X, Y, Z, X + Y), X, Y, Z tight: with A = X^2, B = Y^2, C = Z^2, S = (X + Y)^2,
 * (H, G, F, E) = (A + B, B - A, 2 C - (B - A), S - (A + B)).
 *
 * The squares of tight numbers are below 2^59 (limb 0: 1 + 4 * 19 products of even limbs, 5 * 38 of odd ones, in all
 * 124.5 * 2^52 and a little), those of odd limbs below 2^58.3, limb 9 below 2^54.4; S is at most four times that. What
 * is added to keep differences from going below 0 is 2^34 p to G, in even limbs 2^60 (a little less), in odd ones 2^59;
 * and twice that to F and E: G < 2^59.6 and H < 2^59.3 in odd limbs, which are below 2^60. So H < 2^60, G < 2^60.6,
 * F < 2^60 + 2^61, E < 2^61 + 2^61; limb 9 of all is below 2^56.4 + 2^60. */
FE4 void fe4_double(fe4 *h, const fe4 *f, fe4 *__restrict work) {
    const __m256i n = _mm256_set1_epi64x(19);
    __m256i *g = work[0].v, *d = work[1].v, r[10], x, y;
    FE4_EACH g[i] = FE4_TIMES(f->v[i], n);
    FE4_EACH d[i] = _mm256_add_epi64(f->v[i], f->v[i]);
    const __m256i *a = f->v;
    /* row 0, then the others: each product of different limbs once, with one of them doubled */
    x = d[0];
    r[0] = FE4_TIMES(a[0], a[0]);
    r[1] = FE4_TIMES(x, a[1]);
    r[2] = FE4_TIMES(x, a[2]);
    r[3] = FE4_TIMES(x, a[3]);
    r[4] = FE4_TIMES(x, a[4]);
    r[5] = FE4_TIMES(x, a[5]);
    r[6] = FE4_TIMES(x, a[6]);
    r[7] = FE4_TIMES(x, a[7]);
    r[8] = FE4_TIMES(x, a[8]);
    r[9] = FE4_TIMES(x, a[9]);
    x = d[1], y = _mm256_add_epi64(x, x);
    FE4_PLUS(r[2], x, a[1]);
    FE4_PLUS(r[3], x, a[2]);
    FE4_PLUS(r[4], y, a[3]);
    FE4_PLUS(r[5], x, a[4]);
    FE4_PLUS(r[6], y, a[5]);
    FE4_PLUS(r[7], x, a[6]);
    FE4_PLUS(r[8], y, a[7]);
    FE4_PLUS(r[9], x, a[8]);
    FE4_PLUS(r[0], y, g[9]);
    FE4_ROW_END(r);
    x = d[2];
    FE4_PLUS(r[4], a[2], a[2]);
    FE4_PLUS(r[5], x, a[3]);
    FE4_PLUS(r[6], x, a[4]);
    FE4_PLUS(r[7], x, a[5]);
    FE4_PLUS(r[8], x, a[6]);
    FE4_PLUS(r[9], x, a[7]);
    FE4_PLUS(r[0], x, g[8]);
    FE4_PLUS(r[1], x, g[9]);
    FE4_ROW_END(r);
    x = d[3], y = _mm256_add_epi64(x, x);
    FE4_PLUS(r[6], x, a[3]);
    FE4_PLUS(r[7], x, a[4]);
    FE4_PLUS(r[8], y, a[5]);
    FE4_PLUS(r[9], x, a[6]);
    FE4_PLUS(r[0], y, g[7]);
    FE4_PLUS(r[1], x, g[8]);
    FE4_PLUS(r[2], y, g[9]);
    FE4_ROW_END(r);
    x = d[4];
    FE4_PLUS(r[8], a[4], a[4]);
    FE4_PLUS(r[9], x, a[5]);
    FE4_PLUS(r[0], x, g[6]);
    FE4_PLUS(r[1], x, g[7]);
    FE4_PLUS(r[2], x, g[8]);
    FE4_PLUS(r[3], x, g[9]);
    FE4_ROW_END(r);
    x = d[5], y = _mm256_add_epi64(x, x);
    FE4_PLUS(r[0], x, g[5]);
    FE4_PLUS(r[1], x, g[6]);
    FE4_PLUS(r[2], y, g[7]);
    FE4_PLUS(r[3], x, g[8]);
    FE4_PLUS(r[4], y, g[9]);
    FE4_ROW_END(r);
    x = d[6];
    FE4_PLUS(r[2], a[6], g[6]);
    FE4_PLUS(r[3], x, g[7]);
    FE4_PLUS(r[4], x, g[8]);
    FE4_PLUS(r[5], x, g[9]);
    FE4_ROW_END(r);
    x = d[7], y = _mm256_add_epi64(x, x);
    FE4_PLUS(r[4], x, g[7]);
    FE4_PLUS(r[5], x, g[8]);
    FE4_PLUS(r[6], y, g[9]);
    x = d[8];
    FE4_PLUS(r[6], a[8], g[8]);
    FE4_PLUS(r[7], x, g[9]);
    FE4_PLUS(r[8], d[9], g[9]);
    FE4_ROW_END(r);
    fe4_hgfe(r, (uint64_t)1 << 34);
    fe4_carry(h, r);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */
FE4 void fe4_from_rows(fe4 *h, fe4_row_t w0, fe4_row_t w1, fe4_row_t w2, fe4_row_t w3) {
    const __m256i m26 = _mm256_set1_epi64x(0x3ffffff), m25 = _mm256_set1_epi64x(0x1ffffff);
    __m256i s[4];
    fe4_columns(s, w0, w1, w2, w3);
    h->v[0] = _mm256_and_si256(s[0], m26);
    h->v[1] = _mm256_and_si256(_mm256_srli_epi64(s[0], 26), m25);
    h->v[2] = _mm256_and_si256(FE4_OF_TWO(s[0], 51, s[1], 13), m26);
    h->v[3] = _mm256_and_si256(_mm256_srli_epi64(s[1], 13), m25);
    h->v[4] = _mm256_srli_epi64(s[1], 38);
    h->v[5] = _mm256_and_si256(s[2], m25);
    h->v[6] = _mm256_and_si256(_mm256_srli_epi64(s[2], 25), m26);
    h->v[7] = _mm256_and_si256(FE4_OF_TWO(s[2], 51, s[3], 13), m25);
    h->v[8] = _mm256_and_si256(_mm256_srli_epi64(s[3], 12), m26);
    h->v[9] = _mm256_and_si256(_mm256_srli_epi64(s[3], 38), m25);
}

/* Number j goes to h[j]. */
FE4 void fe4_to_fe(fe h[4], const fe4 *f) {
    uint32_t limb[4][10];
    uint64_t lane[4];
    for (unsigned i = 0; i < 10; i++) {
        _mm256_storeu_si256((__m256i *)(void *)lane, f->v[i]);
        for (unsigned j = 0; j < 4; j++) limb[j][i] = (uint32_t)lane[j];
    }
    for (unsigned j = 0; j < 4; j++) fe_from_limbs(&h[j], limb[j]);
    ct_wipe(limb, sizeof limb);
    ct_wipe(lane, sizeof lane);
}

#endif
