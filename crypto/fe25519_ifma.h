/* SPDX-License-Identifier: ISC */
/*
 * Four numbers mod p = 2^255 - 19 side by side, for AVX-512 IFMA on vectors of 256 bits: five limbs of 51 bits, as in
 * fe25519_51.h; vector i holds limb i of the four, each in its own 64-bit lane. The instructions multiply the lowest 52
 * bits of two lanes and add bits 0 to 51 (low) or 52 to 103 (high) of the product to a third. Source for the use of
 * both: N. Drucker, S. Gueron, "Fast modular squaring with AVX512IFMA" (ePrint 2018/335). Included by
 * curve25519_ifma.c and the tests only.
 *
 *   tight    every limb < 2^51 + 2^14
 *   loose    every limb < 2^52: what the instructions read
 *
 * Why 51 bits: 2^255 = 19 mod p is the weight of limb 5, and one bit remains for what carries leave behind. That costs
 * a doubling of the high sums (2^52 is twice the weight of the next limb), once per column. With 52 bits there would be
 * no room: limbs would have to be below 2^52 exactly, which takes chains of carries. As twice a tight limb does not fit
 * 52 bits, sums and differences are carried too: one carry out of each limb, all at once.
 *
 *   operation                         takes              gives
 *   fe4_from_rows, fe4_load           any 256 bits       tight (the top bit is ignored)
 *   fe4_add                           tight              tight
 *   fe4_sum_diff, fe4_diff_sum        tight              tight
 *   fe4_mul                           loose, loose       tight
 *   fe4_mul_factor                    loose, loose       tight
 *   fe4_double                        tight              tight
 *   fe4_lanes, fe4_exchange,
 *   fe4_blend, fe4_keep               any                the same
 *   fe4_to_fe                         tight              tight ones of fe25519.h
 *
 * All of it is constant time, in the choice of lanes too. An output may be one of the inputs. work: not used here.
 */
#ifndef SVCONN_FE25519_IFMA_H
#define SVCONN_FE25519_IFMA_H

#ifndef FE4_TARGET /* tests/emulate_ifma.h has its own */
#define FE4_TARGET __attribute__((target("avx2,avx512f,avx512vl,avx512ifma")))
#endif
#define FE4_NAME(x) fe4_ifma_##x
#define FE4_LIMBS 5
#define FE4_NOMINAL(i) (((uint64_t)1 << 51) - 1 + 0 * (i))

#include "fe25519.h"
#include "fe25519_lanes.h"

/* ---- carries -----------------------------------------------------------------------------------------------------
 * Any r: each limb keeps 51 bits and gets what is above them in the limb before, at most 2^13 - 1; limb 0 gets that of
 * limb 4 19-fold. Tight if the carry out of limb 4 is at most 862, r[4] < 863 * 2^51: 19 * 862 < 2^14. */
FE4 void fe4_carry(fe4 *h, __m256i r[5]) {
    const __m256i m51 = _mm256_set1_epi64x((int64_t)FE4_NOMINAL(0)), n = _mm256_set1_epi64x(19);
    __m256i c[5];
    FE4_EACH c[i] = _mm256_srli_epi64(r[i], 51);
    FE4_EACH r[i] = _mm256_and_si256(r[i], m51);
    h->v[0] = _mm256_madd52lo_epu64(r[0], c[4], n);
    _Pragma("GCC unroll 4") for (unsigned i = 1; i < 5; i++) h->v[i] = _mm256_add_epi64(r[i], c[i - 1]);
}

/* Sums and differences of tight numbers are below three units and a little: carries are at most 3. */
FE4 void fe4_settle(fe4 *h, __m256i r[5]) { fe4_carry(h, r); }

FE4 void fe4_add(fe4 *h, const fe4 *f, const fe4 *g) {
    __m256i r[5];
    FE4_EACH r[i] = _mm256_add_epi64(f->v[i], g->v[i]);
    fe4_carry(h, r);
}

/* ---- products ----------------------------------------------------------------------------------------------------
 * Column k has the weight 2^(51 k), k = 0 to 9. A limb product of weight 2^(51 k) has its low half there, and its high
 * half, twice, in column k + 1. Columns 5 to 9 come to 0 to 4 19-fold. */
#define FE4_LOW(r, a, b) r = _mm256_madd52lo_epu64(r, a, b)
#define FE4_HIGH(r, a, b) r = _mm256_madd52hi_epu64(r, a, b)
#define FE4_TWICE(a) _mm256_add_epi64(a, a)

/* r = columns 0 to 4 of z, and 19 times columns 5 to 9. clang may not see that this is a multiplication: it would make
 * one of it, for 64-bit lanes, with more and slower instructions. */
FE4 void fe4_fold(__m256i r[5], const __m256i z[10]) {
    FE4_EACH {
        __m256i n = _mm256_slli_epi64(z[i + 5], 4);
        __asm__("" : "+v"(n));
        r[i] = _mm256_add_epi64(_mm256_add_epi64(z[i], z[i + 5]), _mm256_add_epi64(FE4_TWICE(z[i + 5]), n));
    }
}

/* h = f g + plus; low[0 to 4] is plus. Both halves are below 2^52. With plus below 2^52, column k, k = 0 to 4, has at
 * most k + 2 low halves and k high ones, twice; column k + 5 has 4 - k and 5 - k. So
 * r[k] < 2^52 (k + 2 + 2 k + 19 (4 - k + 10 - 2 k)) = 2^52 (268 - 54 k): below 2^60.1, and r[4] < 2^52 * 52: a carry
 * below 104. */
FE4 void fe4_mul_plus(fe4 *h, const fe4 *f, const fe4 *g, __m256i low[9]) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i high[9], z[10], r[5], x;
    _Pragma("GCC unroll 9") for (unsigned k = 0; k < 9; k++) high[k] = zero;
#define FE4_ROW(k)                                                                                                     \
    do {                                                                                                               \
        x = f->v[k];                                                                                                   \
        FE4_EACH FE4_LOW(low[i + k], x, g->v[i]);                                                                      \
        FE4_EACH FE4_HIGH(high[i + k], x, g->v[i]);                                                                    \
    } while (0)
    FE4_ROW(0);
    FE4_ROW(1);
    FE4_ROW(2);
    FE4_ROW(3);
    FE4_ROW(4);
    z[0] = low[0];
    _Pragma("GCC unroll 8") for (unsigned k = 1; k < 9; k++)
        z[k] = _mm256_add_epi64(low[k], FE4_TWICE(high[k - 1]));
    z[9] = FE4_TWICE(high[8]);
    fe4_fold(r, z);
    fe4_carry(h, r);
}

FE4 void fe4_mul(fe4 *h, const fe4 *f, const fe4 *g, fe4 *__restrict work) {
    __m256i low[9];
    (void)work;
    _Pragma("GCC unroll 9") for (unsigned k = 0; k < 9; k++) low[k] = _mm256_setzero_si256();
    fe4_mul_plus(h, f, g, low);
}

/* ---- one lane by a number that stays the same ----------------------------------------------------------------------
 * (n, n, g, g) for small n and a number g. To share products between two lanes, as on AVX2, does not pay here: five
 * limbs make three rows of six columns, not much less than five of five, and then there are halves to be joined. */
typedef fe4 fe4_factor;

/* n < 2^51; w: the words of a number below 2^255 */
FE4_TARGET static void fe4_prepare_words(fe4_factor *r, uint32_t n, const uint64_t w[4]) {
    __m256i one = _mm256_setr_epi64x((int64_t)n, 0, 0, 0);
    fe4_from_rows(r, one, one, fe4_row(w), fe4_row(w));
}

/* (-, n b, -, g d) + plus. Loose in, lanes 1 and 3; plus is loose. */
FE4 void fe4_mul_factor(fe4 *h, const fe4 *f, const fe4_factor *g, const fe4 *plus) {
    __m256i low[9];
    _Pragma("GCC unroll 9") for (unsigned k = 0; k < 9; k++) low[k] = k < 5 ? plus->v[k] : _mm256_setzero_si256();
    fe4_mul_plus(h, f, g, low);
}

/* What a doubling needs of (X, Y, Z, X + Y): with A = X^2, B = Y^2, C = Z^2, S = (X + Y)^2,
 * (H, G, F, E) = (A + B, B - A, 2 C - (B - A), S - (A + B)).
 *
 * In squares, products of different limbs count twice: a[k] has what column k needs twice, low halves of such products
 * and high halves of the others; q[k] what it needs four times, their high halves. (No limb can be doubled beforehand:
 * twice a tight one does not fit 52 bits.)
 *
 * Low halves are below 2^52, high ones of tight limbs below 2^50 + 2^15. So squares, see fe4_mul_plus, are below
 * 2^52 (k + 1 + k / 2 + 19 (4 - k + (5 - k) / 2)) + 2^23 = 2^52 (124.5 - 27 k) + 2^23, in limb 4 below 2^52 * 16.5 +
 * 2^23. What is added to keep differences from going below 0 is 2^8 p to G, 2^52 * 128 less 2^13 at most, above A; and
 * twice that to F and E: A + B < 2^52 * 249 + 2^24, G < 2^52 * (124.5 + 128) + 2^23, both below 2^52 * 256 less 2^14.
 * So all are below 2^52 * (249 + 256) + 2^24 < 2^61; limb 4 is below 2^52 * (33 + 256) + 2^24: a carry of at most 578.
 */
FE4 void fe4_double(fe4 *h, const fe4 *f, fe4 *__restrict work) {
    const __m256i *v = f->v, zero = _mm256_setzero_si256();
    __m256i a[10], q[10], z[10], r[5];
    (void)work;
    _Pragma("GCC unroll 10") for (unsigned k = 0; k < 10; k++) a[k] = q[k] = zero;
#define FE4_PAIR(i, j)                                                                                                 \
    FE4_LOW(a[i + j], v[i], v[j]);                                                                                     \
    FE4_HIGH(q[i + j + 1], v[i], v[j])
    FE4_PAIR(0, 1);
    FE4_PAIR(0, 2);
    FE4_PAIR(0, 3);
    FE4_PAIR(0, 4);
    FE4_PAIR(1, 4);
    FE4_PAIR(2, 4);
    FE4_PAIR(3, 4);
    FE4_PAIR(1, 2);
    FE4_PAIR(1, 3);
    FE4_PAIR(2, 3);
    FE4_EACH FE4_HIGH(a[2 * i + 1], v[i], v[i]);
    z[0] = zero;
    z[1] = FE4_TWICE(a[1]);
    _Pragma("GCC unroll 7") for (unsigned k = 2; k < 9; k++)
        z[k] = FE4_TWICE(_mm256_add_epi64(a[k], FE4_TWICE(q[k])));
    z[9] = FE4_TWICE(a[9]);
    FE4_EACH FE4_LOW(z[2 * i], v[i], v[i]);
    fe4_fold(r, z);
    fe4_hgfe(r, (uint64_t)1 << 8);
    fe4_carry(h, r);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */
FE4 void fe4_from_rows(fe4 *h, fe4_row_t w0, fe4_row_t w1, fe4_row_t w2, fe4_row_t w3) {
    const __m256i m51 = _mm256_set1_epi64x((int64_t)FE4_NOMINAL(0));
    __m256i s[4];
    fe4_columns(s, w0, w1, w2, w3);
    h->v[0] = _mm256_and_si256(s[0], m51);
    h->v[1] = _mm256_and_si256(FE4_OF_TWO(s[0], 51, s[1], 13), m51);
    h->v[2] = _mm256_and_si256(FE4_OF_TWO(s[1], 38, s[2], 26), m51);
    h->v[3] = _mm256_and_si256(FE4_OF_TWO(s[2], 25, s[3], 39), m51);
    h->v[4] = _mm256_and_si256(_mm256_srli_epi64(s[3], 12), m51);
}

/* Number j goes to h[j]. */
FE4 void fe4_to_fe(fe h[4], const fe4 *f) {
    uint64_t lane[4];
    for (unsigned i = 0; i < 5; i++) {
        _mm256_storeu_si256((__m256i *)(void *)lane, f->v[i]);
        for (unsigned j = 0; j < 4; j++) h[j].v[i] = lane[j];
    }
    ct_wipe(lane, sizeof lane);
}

#endif
