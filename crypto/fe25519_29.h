/* SPDX-License-Identifier: ISC */
/*
 * Products mod p = 2^255 - 19 of numbers in nine signed limbs of 29 bits, limb i of weight 2^(29 i), for machines with
 * 32 x 32 -> 64 bit products in constant time. Included by fe25519_narrow.c only, which has all the rest; the words
 * tight, loose, wide: fe25519.h. Here:
 *
 *   tight   |v[i]| <= 2^28 + 2^16
 *   loose   |v[i]| <= 2 (2^28 + 2^16)
 *   wide    |v[i]| <= 3 (2^28 + 2^16)
 *
 * Column k of a product, the sum of all f[i] g[k - i], has the weight 2^(29 k). 2^261 = 19 * 2^6 = 1216 mod p, so what
 * has the weight 2^(29 (k + 9)) goes to column k, 1216-fold.
 *
 * A column has nine products at most: 81 (2^28 + 2^16)^2 < 2^62.4. With 1216 times a limb, less than 2^41, and the
 * carry from the column before, less than 2^34, it stays below 2^63. tests/limbs.py computes all bounds exactly.
 */
typedef int64_t fe_column;

/* What is carried out of the last column comes back 1216-fold: |c| < 2^34 becomes 2^44.3, and v[1] gets less than
 * 2^15.4 of it: tight. */
static inline void last_carry(fe *h, int64_t c) {
    c = c * FE_FOLD + h->v[0];
    h->v[0] = low_bits((uint32_t)c);
    h->v[1] += (int32_t)((c + FE_HALF) >> 29);
}

#define M(a, b) ((int64_t)(a) * (b))
/* sum: without brackets, so that each product is added to c itself, in one instruction.
 * Columns 9 to 17 first: high[k] is column k + 9, carried, in [0, 2^29). The last one, which is all carry, has a sign
 * and is below 2^30.3. */
#define HIGH(k, sum) c = c + sum, high[k] = (int32_t)(c & FE_MASK), c >>= 29
/* Then columns 0 to 8. What stays of them has a sign. */
#define LOW(k, sum)                                                                                                    \
    c = c + M(high[k], FE_FOLD) + sum, r.v[k] = low_bits((uint32_t)c), c = (c + FE_HALF) >> 29

void fe_mul(fe *h, const fe *f, const fe *g) {
    int32_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4], f5 = f->v[5], f6 = f->v[6];
    int32_t f7 = f->v[7], f8 = f->v[8], g0 = g->v[0], g1 = g->v[1], g2 = g->v[2], g3 = g->v[3], g4 = g->v[4];
    int32_t g5 = g->v[5], g6 = g->v[6], g7 = g->v[7], g8 = g->v[8], high[9];
    int64_t c = 0;
    fe r;
    HIGH(0, M(f1, g8) + M(f2, g7) + M(f3, g6) + M(f4, g5) + M(f5, g4) + M(f6, g3) + M(f7, g2) + M(f8, g1));
    HIGH(1, M(f2, g8) + M(f3, g7) + M(f4, g6) + M(f5, g5) + M(f6, g4) + M(f7, g3) + M(f8, g2));
    HIGH(2, M(f3, g8) + M(f4, g7) + M(f5, g6) + M(f6, g5) + M(f7, g4) + M(f8, g3));
    HIGH(3, M(f4, g8) + M(f5, g7) + M(f6, g6) + M(f7, g5) + M(f8, g4));
    HIGH(4, M(f5, g8) + M(f6, g7) + M(f7, g6) + M(f8, g5));
    HIGH(5, M(f6, g8) + M(f7, g7) + M(f8, g6));
    HIGH(6, M(f7, g8) + M(f8, g7));
    HIGH(7, M(f8, g8));
    high[8] = (int32_t)c;
    c = 0;
    LOW(0, M(f0, g0));
    LOW(1, M(f0, g1) + M(f1, g0));
    LOW(2, M(f0, g2) + M(f1, g1) + M(f2, g0));
    LOW(3, M(f0, g3) + M(f1, g2) + M(f2, g1) + M(f3, g0));
    LOW(4, M(f0, g4) + M(f1, g3) + M(f2, g2) + M(f3, g1) + M(f4, g0));
    LOW(5, M(f0, g5) + M(f1, g4) + M(f2, g3) + M(f3, g2) + M(f4, g1) + M(f5, g0));
    LOW(6, M(f0, g6) + M(f1, g5) + M(f2, g4) + M(f3, g3) + M(f4, g2) + M(f5, g1) + M(f6, g0));
    LOW(7, M(f0, g7) + M(f1, g6) + M(f2, g5) + M(f3, g4) + M(f4, g3) + M(f5, g2) + M(f6, g1) + M(f7, g0));
    LOW(8, M(f0, g8) + M(f1, g7) + M(f2, g6) + M(f3, g5) + M(f4, g4) + M(f5, g3) + M(f6, g2) + M(f7, g1) + M(f8, g0));
    last_carry(&r, c);
    *h = r;
}

/* The same sums as f * f, equal products taken twice: 2 f is below 2^30.6. */
void fe_sq(fe *h, const fe *f) {
    int32_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4], f5 = f->v[5], f6 = f->v[6];
    int32_t f7 = f->v[7], f8 = f->v[8], d0 = 2 * f0, d1 = 2 * f1, d2 = 2 * f2, d3 = 2 * f3, d4 = 2 * f4, d5 = 2 * f5;
    int32_t d6 = 2 * f6, d7 = 2 * f7, high[9];
    int64_t c = 0;
    fe r;
    HIGH(0, M(d1, f8) + M(d2, f7) + M(d3, f6) + M(d4, f5));
    HIGH(1, M(d2, f8) + M(d3, f7) + M(d4, f6) + M(f5, f5));
    HIGH(2, M(d3, f8) + M(d4, f7) + M(d5, f6));
    HIGH(3, M(d4, f8) + M(d5, f7) + M(f6, f6));
    HIGH(4, M(d5, f8) + M(d6, f7));
    HIGH(5, M(d6, f8) + M(f7, f7));
    HIGH(6, M(d7, f8));
    HIGH(7, M(f8, f8));
    high[8] = (int32_t)c;
    c = 0;
    LOW(0, M(f0, f0));
    LOW(1, M(d0, f1));
    LOW(2, M(d0, f2) + M(f1, f1));
    LOW(3, M(d0, f3) + M(d1, f2));
    LOW(4, M(d0, f4) + M(d1, f3) + M(f2, f2));
    LOW(5, M(d0, f5) + M(d1, f4) + M(d2, f3));
    LOW(6, M(d0, f6) + M(d1, f5) + M(d2, f4) + M(f3, f3));
    LOW(7, M(d0, f7) + M(d1, f6) + M(d2, f5) + M(d3, f4));
    LOW(8, M(d0, f8) + M(d1, f7) + M(d2, f6) + M(d3, f5) + M(f4, f4));
    last_carry(&r, c);
    *h = r;
}
#undef M
#undef HIGH
#undef LOW
