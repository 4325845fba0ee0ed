/* SPDX-License-Identifier: ISC */
/*
 * What four numbers mod p side by side have in common, however many limbs they have: which lane goes where, sums,
 * words. Vector i holds limb i of the four. The instructions are those of AVX2. Included by fe25519_avx2.h and
 * fe25519_ifma.h only, which say how large limbs may be, and define
 *
 *   FE4_NAME(x)     the names of this field: the two of them may be in one translation unit
 *   FE4_TARGET      what the compiler may use
 *   FE4_LIMBS       limbs of a number
 *   FE4_NOMINAL(i)  the largest nominal limb i: a power of two, less 1
 *   fe4_settle      what is still to be done to sums and differences of two tight numbers
 */
#ifndef SVCONN_FE25519_LANES_H
#define SVCONN_FE25519_LANES_H

#include "backend.h"
#include "ct.h"
#include <immintrin.h>

/* What is static in one field and in the other */
#define fe4 FE4_NAME(number)
#define fe4_add FE4_NAME(add)
#define fe4_carry FE4_NAME(carry)
#define fe4_choose FE4_NAME(choose)
#define fe4_columns FE4_NAME(columns)
#define fe4_diff_sum FE4_NAME(diff_sum)
#define fe4_double FE4_NAME(double)
#define fe4_entry FE4_NAME(entry)
#define fe4_exchange FE4_NAME(exchange)
#define fe4_factor FE4_NAME(factor)
#define fe4_fold FE4_NAME(fold)
#define fe4_from_rows FE4_NAME(from_rows)
#define fe4_hgfe FE4_NAME(hgfe)
#define fe4_lanes FE4_NAME(lanes)
#define fe4_load FE4_NAME(load)
#define fe4_look_up FE4_NAME(look_up)
#define fe4_mul FE4_NAME(mul)
#define fe4_mul_factor FE4_NAME(mul_factor)
#define fe4_mul_plus FE4_NAME(mul_plus)
#define fe4_prepare FE4_NAME(prepare)
#define fe4_prepare_words FE4_NAME(prepare_words)
#define fe4_row FE4_NAME(row)
#define fe4_settle FE4_NAME(settle)
#define fe4_sum_diff FE4_NAME(sum_diff)
#define fe4_to_fe FE4_NAME(to_fe)
#define fe4_two FE4_NAME(two)

/* One piece also with -Os: what a function left on the stack would have to be wiped. */
#if SVCONN_ONE_PIECE
#define FE4 FE4_TARGET __attribute__((always_inline)) static inline
#else
#define FE4 FE4_TARGET __attribute__((noinline, unused)) static
#endif
#define FE4_EACH _Pragma("GCC unroll 10") for (unsigned i = 0; i < FE4_LIMBS; i++)

typedef struct {
    __m256i v[FE4_LIMBS];
} fe4;

FE4 void fe4_settle(fe4 *h, __m256i r[FE4_LIMBS]);

/* ---- lanes ---------------------------------------------------------------------------------------------------------
 * A choice names the lane of the source for each lane of the result. It happens in registers and may be secret. */
typedef __m256i fe4_choice;

#define FE4_CHOICE(a, b, c, d)                                                                                         \
    _mm256_setr_epi32(2 * (a), 2 * (a) + 1, 2 * (b), 2 * (b) + 1, 2 * (c), 2 * (c) + 1, 2 * (d), 2 * (d) + 1)

/* mask ? a : b */
FE4 fe4_choice fe4_choose(uint64_t mask, fe4_choice a, fe4_choice b) {
    return _mm256_blendv_epi8(b, a, _mm256_set1_epi64x((int64_t)mask));
}

FE4 void fe4_lanes(fe4 *h, const fe4 *f, fe4_choice c) {
    FE4_EACH h->v[i] = _mm256_permutevar8x32_epi32(f->v[i], c);
}

/* Lanes of f where which has a bit (1, 2, 4, 8 for lanes 0 to 3), else lanes of g; or else 0. */
#define FE4_BITS(which) (((which)&1) * 3 + ((which) >> 1 & 1) * 12 + ((which) >> 2 & 1) * 48 + ((which) >> 3 & 1) * 192)
#define fe4_blend(h, which, f, g)                                                                                      \
    do {                                                                                                               \
        _Pragma("GCC unroll 10") for (unsigned l = 0; l < FE4_LIMBS; l++)                                              \
            (h)->v[l] = _mm256_blend_epi32((g)->v[l], (f)->v[l], FE4_BITS(which));                                     \
    } while (0)
#define fe4_keep(h, which, f)                                                                                          \
    do {                                                                                                               \
        _Pragma("GCC unroll 10") for (unsigned l = 0; l < FE4_LIMBS; l++)                                              \
            (h)->v[l] = _mm256_blend_epi32(_mm256_setzero_si256(), (f)->v[l], FE4_BITS(which));                        \
    } while (0)

/* (a, b, c, d) -> (b, a, d, c) */
FE4 void fe4_exchange(fe4 *h, const fe4 *f) { FE4_EACH h->v[i] = _mm256_shuffle_epi32(f->v[i], 0x4e); }

/* ---- sums -------------------------------------------------------------------------------------------------------- */
/* Limb i of n p, n times the largest nominal limbs, less 18 n in the lowest one: 2^255 - 1 - 18 = p. In odd lanes or in
 * all. */
#define FE4_P(n, i) (int64_t)((uint64_t)(n) * (FE4_NOMINAL(i) - ((i) == 0 ? 18 : 0)))

/* x is f with lanes 0, 1 and 2, 3 exchanged; -x is its complement and 1, which 2p + 1 contains. Sums are below two
 * units, differences below three: 2p is not below a tight limb.
 * (a, b, c, d) -> (a + b, a - b, c + d, c - d) */
FE4 void fe4_sum_diff(fe4 *h, const fe4 *f) {
    const __m256i odd = _mm256_setr_epi64x(0, -1, 0, -1);
    __m256i r[FE4_LIMBS];
    FE4_EACH {
        __m256i x = _mm256_shuffle_epi32(f->v[i], 0x4e);
        __m256i p2 = _mm256_setr_epi64x(0, FE4_P(2, i) + 1, 0, FE4_P(2, i) + 1);
        r[i] = _mm256_add_epi64(_mm256_add_epi64(_mm256_xor_si256(f->v[i], odd), p2), x);
    }
    fe4_settle(h, r);
}

/* (a, b, c, d) -> (a + b, b - a, c + d, d - c) */
FE4 void fe4_diff_sum(fe4 *h, const fe4 *f) {
    const __m256i odd = _mm256_setr_epi64x(0, -1, 0, -1);
    __m256i r[FE4_LIMBS];
    FE4_EACH {
        __m256i x = _mm256_shuffle_epi32(f->v[i], 0x4e);
        __m256i p2 = _mm256_setr_epi64x(0, FE4_P(2, i) + 1, 0, FE4_P(2, i) + 1);
        r[i] = _mm256_add_epi64(_mm256_add_epi64(_mm256_xor_si256(x, odd), p2), f->v[i]);
    }
    fe4_settle(h, r);
}

/* From sums of limb products (A, B, C, S) what a doubling needs: (A + B, B - A, 2 C - (B - A), S - (A + B)). Sums and
 * differences are those of whole squares, before carries, so that one pass of carries is enough. What keeps differences
 * from going below 0 is n p for B - A and 2 n p for the others; -A is its complement and 1. */
FE4 void fe4_hgfe(__m256i r[FE4_LIMBS], const uint64_t n) {
    const __m256i lane1 = _mm256_setr_epi64x(0, -1, 0, 0);
    FE4_EACH {
        __m256i low = _mm256_setr_epi64x(0, FE4_P(n, i) + 1, 0, 0);
        __m256i high = _mm256_setr_epi64x(0, 0, FE4_P(2 * n, i), FE4_P(2 * n, i)), x, y;
        x = _mm256_xor_si256(_mm256_shuffle_epi32(r[i], 0x4e), lane1);
        x = _mm256_add_epi64(_mm256_add_epi64(x, low), r[i]); /* H, G, -, - */
        y = _mm256_blend_epi32(_mm256_setzero_si256(), r[i], FE4_BITS(4));
        y = _mm256_add_epi64(_mm256_add_epi64(r[i], high), y);
        y = _mm256_sub_epi64(y, _mm256_permute4x64_epi64(x, 0x1f)); /* -, -, 2 C - G, S - H */
        r[i] = _mm256_blend_epi32(x, y, FE4_BITS(12));
    }
}

/* ---- words ------------------------------------------------------------------------------------------------------- */
typedef __m256i fe4_row_t; /* a number in four words, the lowest first */

FE4 fe4_row_t fe4_row(const uint64_t w[4]) { return _mm256_loadu_si256((const __m256i *)(const void *)w); }
FE4 fe4_row_t fe4_two(void) { return _mm256_setr_epi64x(2, 0, 0, 0); }

/* The entry of an index below 16 (secret) in a table of three numbers each: all of it is read. */
typedef struct {
    fe4_row_t row[3];
} fe4_entry;

FE4 fe4_entry fe4_look_up(const uint64_t table[16][12], uint32_t index) {
    const __m256i wanted = _mm256_set1_epi32((int)ct_barrier32(index)), one = _mm256_set1_epi32(1);
    __m256i i = _mm256_setzero_si256(), a = i, b = i, c = i;
    _Pragma("GCC unroll 4") for (unsigned k = 0; k < 16; k++) {
        __m256i mask = _mm256_cmpeq_epi32(wanted, i);
        a = _mm256_or_si256(a, _mm256_and_si256(mask, fe4_row(table[k])));
        b = _mm256_or_si256(b, _mm256_and_si256(mask, fe4_row(table[k] + 4)));
        c = _mm256_or_si256(c, _mm256_and_si256(mask, fe4_row(table[k] + 8)));
        i = _mm256_add_epi32(i, one);
    }
    fe4_entry r = {{a, b, c}};
    return r;
}

/* Four rows to four columns: column k has word k of each. */
FE4 void fe4_columns(__m256i s[4], fe4_row_t w0, fe4_row_t w1, fe4_row_t w2, fe4_row_t w3) {
    __m256i a = _mm256_unpacklo_epi64(w0, w1), b = _mm256_unpackhi_epi64(w0, w1);
    __m256i c = _mm256_unpacklo_epi64(w2, w3), d = _mm256_unpackhi_epi64(w2, w3);
    s[0] = _mm256_permute2x128_si256(a, c, 0x20);
    s[1] = _mm256_permute2x128_si256(b, d, 0x20);
    s[2] = _mm256_permute2x128_si256(a, c, 0x31);
    s[3] = _mm256_permute2x128_si256(b, d, 0x31);
}
#define FE4_OF_TWO(low, n, high, m) _mm256_or_si256(_mm256_srli_epi64(low, n), _mm256_slli_epi64(high, m))

FE4 void fe4_from_rows(fe4 *h, fe4_row_t w0, fe4_row_t w1, fe4_row_t w2, fe4_row_t w3);

FE4 void fe4_load(fe4 *h, uint64_t w[4][4]) {
    fe4_from_rows(h, fe4_row(w[0]), fe4_row(w[1]), fe4_row(w[2]), fe4_row(w[3]));
}

#endif
