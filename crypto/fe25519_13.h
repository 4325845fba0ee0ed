/* SPDX-License-Identifier: ISC */
/*
 * Products mod p = 2^255 - 19 of numbers in twenty signed limbs of 13 bits, limb i of weight 2^(13 i), for machines
 * whose only product in constant time is 32 x 32 -> 32 bits: ARMv6-M, ARMv8-M baseline, Cortex-M3. Included by
 * fe25519_narrow.c only, which has all the rest; the words tight, loose, wide: fe25519.h. Here:
 *
 *   tight          |v[i]| <= 2^12 + 4
 *   loose, wide    |v[i]| <= 2 (2^12 + 4)
 *
 * (fe_add2 and fe_sub2 carry: what they give is tight.) Limbs of 13 bits were used by T. Pornin for the same reason:
 * BearSSL, ec_c25519_m15.c (2016); his have no sign and 15 bits for the rest.
 *
 * Column k of a product, the sum of all f[i] g[k - i], has the weight 2^(13 k). 2^260 = 19 * 2^5 = 608 mod p, so what
 * has the weight 2^(13 (k + 20)) goes to column k, 608-fold.
 *
 * A column has twenty products at most: 80 (2^12 + 4)^2 < 2^30.4. With 608 times a limb, less than 2^27, and the carry
 * from the column before, less than 2^18, it stays below 2^31. Columns are computed mod 2^32, without a sign, so that
 * nothing on the way to them can overflow, and then read as numbers with one. tests/limbs.py computes all bounds
 * exactly.
 */
typedef int32_t fe_column;

#define M(a, b) ((uint32_t)(a) * (uint32_t)(b))

/* What is carried out of the last column comes back 608-fold: |c| < 2^17.4 becomes 2^26.7, of which v[1] gets less than
 * 2^13.7, and of that v[2] gets 2 at most: tight. */
static inline void last_carry(fe *h, int32_t c) {
    c = c * FE_FOLD + h->v[0];
    h->v[0] = low_bits((uint32_t)c);
    c = ((c + FE_HALF) >> 13) + h->v[1];
    h->v[1] = low_bits((uint32_t)c);
    h->v[2] += (c + FE_HALF) >> 13;
}

/* h = columns 0 to 38, which are zero afterwards. What is carried out of the last one is column 39, below 2^17.4. */
static void from_columns(fe *h, uint32_t r[40]) {
    int32_t c = 0;
    SVCONN_UNROLL for (unsigned k = 20; k < 39; k++) {
        c += (int32_t)r[k];
        r[k] = (uint32_t)low_bits((uint32_t)c);
        c = (c + FE_HALF) >> 13;
    }
    r[39] = (uint32_t)c;
    c = 0;
    SVCONN_UNROLL for (unsigned k = 0; k < 20; k++) {
        c += (int32_t)(r[k] + r[k + 20] * FE_FOLD);
        r[k] = r[k + 20] = 0;
        h->v[k] = low_bits((uint32_t)c);
        c = (c + FE_HALF) >> 13;
    }
    last_carry(h, c);
    keep_zeros(r, 40 * sizeof r[0]);
}

/* Columns 0 to 18 of a product of ten limbs and ten */
static void mul10(uint32_t r[19], const int32_t f[10], const int32_t g[10]) {
    r[0] = M(f[0], g[0]);
    r[1] = M(f[0], g[1]) + M(f[1], g[0]);
    r[2] = M(f[0], g[2]) + M(f[1], g[1]) + M(f[2], g[0]);
    r[3] = M(f[0], g[3]) + M(f[1], g[2]) + M(f[2], g[1]) + M(f[3], g[0]);
    r[4] = M(f[0], g[4]) + M(f[1], g[3]) + M(f[2], g[2]) + M(f[3], g[1]) + M(f[4], g[0]);
    r[5] = M(f[0], g[5]) + M(f[1], g[4]) + M(f[2], g[3]) + M(f[3], g[2]) + M(f[4], g[1]) + M(f[5], g[0]);
    r[6] = M(f[0], g[6]) + M(f[1], g[5]) + M(f[2], g[4]) + M(f[3], g[3]) + M(f[4], g[2]) + M(f[5], g[1]) +
            M(f[6], g[0]);
    r[7] = M(f[0], g[7]) + M(f[1], g[6]) + M(f[2], g[5]) + M(f[3], g[4]) + M(f[4], g[3]) + M(f[5], g[2]) +
            M(f[6], g[1]) + M(f[7], g[0]);
    r[8] = M(f[0], g[8]) + M(f[1], g[7]) + M(f[2], g[6]) + M(f[3], g[5]) + M(f[4], g[4]) + M(f[5], g[3]) +
            M(f[6], g[2]) + M(f[7], g[1]) + M(f[8], g[0]);
    r[9] = M(f[0], g[9]) + M(f[1], g[8]) + M(f[2], g[7]) + M(f[3], g[6]) + M(f[4], g[5]) + M(f[5], g[4]) +
            M(f[6], g[3]) + M(f[7], g[2]) + M(f[8], g[1]) + M(f[9], g[0]);
    r[10] = M(f[1], g[9]) + M(f[2], g[8]) + M(f[3], g[7]) + M(f[4], g[6]) + M(f[5], g[5]) + M(f[6], g[4]) +
             M(f[7], g[3]) + M(f[8], g[2]) + M(f[9], g[1]);
    r[11] = M(f[2], g[9]) + M(f[3], g[8]) + M(f[4], g[7]) + M(f[5], g[6]) + M(f[6], g[5]) + M(f[7], g[4]) +
             M(f[8], g[3]) + M(f[9], g[2]);
    r[12] = M(f[3], g[9]) + M(f[4], g[8]) + M(f[5], g[7]) + M(f[6], g[6]) + M(f[7], g[5]) + M(f[8], g[4]) +
             M(f[9], g[3]);
    r[13] = M(f[4], g[9]) + M(f[5], g[8]) + M(f[6], g[7]) + M(f[7], g[6]) + M(f[8], g[5]) + M(f[9], g[4]);
    r[14] = M(f[5], g[9]) + M(f[6], g[8]) + M(f[7], g[7]) + M(f[8], g[6]) + M(f[9], g[5]);
    r[15] = M(f[6], g[9]) + M(f[7], g[8]) + M(f[8], g[7]) + M(f[9], g[6]);
    r[16] = M(f[7], g[9]) + M(f[8], g[8]) + M(f[9], g[7]);
    r[17] = M(f[8], g[9]) + M(f[9], g[8]);
    r[18] = M(f[9], g[9]);
}

static void sq10(uint32_t r[19], const int32_t f[10]) {
    r[0] = M(f[0], f[0]);
    r[1] = 2 * M(f[0], f[1]);
    r[2] = 2 * M(f[0], f[2]) + M(f[1], f[1]);
    r[3] = 2 * (M(f[0], f[3]) + M(f[1], f[2]));
    r[4] = 2 * (M(f[0], f[4]) + M(f[1], f[3])) + M(f[2], f[2]);
    r[5] = 2 * (M(f[0], f[5]) + M(f[1], f[4]) + M(f[2], f[3]));
    r[6] = 2 * (M(f[0], f[6]) + M(f[1], f[5]) + M(f[2], f[4])) + M(f[3], f[3]);
    r[7] = 2 * (M(f[0], f[7]) + M(f[1], f[6]) + M(f[2], f[5]) + M(f[3], f[4]));
    r[8] = 2 * (M(f[0], f[8]) + M(f[1], f[7]) + M(f[2], f[6]) + M(f[3], f[5])) + M(f[4], f[4]);
    r[9] = 2 * (M(f[0], f[9]) + M(f[1], f[8]) + M(f[2], f[7]) + M(f[3], f[6]) + M(f[4], f[5]));
    r[10] = 2 * (M(f[1], f[9]) + M(f[2], f[8]) + M(f[3], f[7]) + M(f[4], f[6])) + M(f[5], f[5]);
    r[11] = 2 * (M(f[2], f[9]) + M(f[3], f[8]) + M(f[4], f[7]) + M(f[5], f[6]));
    r[12] = 2 * (M(f[3], f[9]) + M(f[4], f[8]) + M(f[5], f[7])) + M(f[6], f[6]);
    r[13] = 2 * (M(f[4], f[9]) + M(f[5], f[8]) + M(f[6], f[7]));
    r[14] = 2 * (M(f[5], f[9]) + M(f[6], f[8])) + M(f[7], f[7]);
    r[15] = 2 * (M(f[6], f[9]) + M(f[7], f[8]));
    r[16] = 2 * M(f[7], f[9]) + M(f[8], f[8]);
    r[17] = 2 * M(f[8], f[9]);
    r[18] = M(f[9], f[9]);
}

/* Karatsuba's way: with f = f0 + x f1 and g = g0 + x g1, the middle is (f0 + f1)(g0 + g1) - f0 g0 - f1 g1. In r are the
 * columns of f0 g0, 0, f1 g1, 0, ten and ten: a, b, c, d. */
void fe_mul(fe *h, const fe *f, const fe *g) {
    uint32_t r[40], mid[20];
    int32_t s[10], t[10];
    SVCONN_UNROLL for (unsigned i = 0; i < 10; i++) {
        s[i] = f->v[i] + f->v[i + 10];
        t[i] = g->v[i] + g->v[i + 10];
    }
    mul10(r, f->v, g->v);
    mul10(r + 20, f->v + 10, g->v + 10);
    mul10(mid, s, t);
    r[19] = r[39] = mid[19] = 0;
    SVCONN_UNROLL for (unsigned i = 0; i < 10; i++) {
        uint32_t b_c = r[i + 10] - r[i + 20];
        r[i + 10] = b_c + mid[i] - r[i];
        r[i + 20] = mid[i + 10] - r[i + 30] - b_c;
        mid[i] = mid[i + 10] = 0;
        s[i] = t[i] = 0;
    }
    keep_zeros(mid, sizeof mid);
    keep_zeros(s, sizeof s);
    keep_zeros(t, sizeof t);
    from_columns(h, r);
}

/* Here the middle is 2 f0 f1. */
void fe_sq(fe *h, const fe *f) {
    uint32_t r[40], mid[19];
    int32_t s[10];
    SVCONN_UNROLL for (unsigned i = 0; i < 10; i++) s[i] = 2 * f->v[i];
    sq10(r, f->v);
    sq10(r + 20, f->v + 10);
    mul10(mid, s, f->v + 10);
    r[19] = 0;
    SVCONN_UNROLL for (unsigned i = 0; i < 19; i++) {
        r[i + 10] += mid[i];
        mid[i] = 0;
    }
    SVCONN_UNROLL for (unsigned i = 0; i < 10; i++) s[i] = 0;
    keep_zeros(mid, sizeof mid);
    keep_zeros(s, sizeof s);
    from_columns(h, r);
}
#undef M
