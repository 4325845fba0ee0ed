/* SPDX-License-Identifier: ISC */
/*
 * Inside crypto/: sums of carry-less products of 128-bit numbers, from integer products, for GHASH over many blocks
 * with powers of H. Whoever includes this defines
 *
 *   word            an integer of 64 bits, or a vector of such: each lane computes its own sum
 *   w_mul32(a, b)   the product of the low 32 bits of a and b, in each lane
 *   TERMS           how many products a sum has
 *   INLINE, UNROLL  how functions and loops are written
 *   NAME(x)         the names of its kind
 *
 * Sources: T. Pornin, "Constant-time crypto" (bearssl.org): carry-less products from integer products with holes; A.
 * Karatsuba, Y. Ofman (1962).
 *
 * Karatsuba's way goes down twice from 128 bits to nine products of 32. There a factor falls apart into four classes of
 * bits that lie four apart, a = a0 + a1 x + a2 x^2 + a3 x^3, each class a polynomial in x^4 with 8 terms; and twice
 * more Karatsuba's way makes nine products of classes. As integers these have at most 8 terms to a sum, in room for 15:
 * no carry reaches the next one, and the lowest of the four bits is the carry-less coefficient. That bit alone counts,
 * so whole sums are added by xor first, and freed of the other bits once at the end.
 */
#define ZERO ((word){0})
#define PARTS 9 /* products of 32 bits */
#define CLASSES 9 /* products of classes in one of these */

/* Nine numbers from four, for Karatsuba's way twice: index 3 i + j is digit i of the outer step, j of the inner; digit
 * 2 is the sum of the others. */
INLINE void NAME(nine)(word z[9], word a0, word a1, word a2, word a3) {
    z[0] = a0;
    z[1] = a1;
    z[2] = a0 ^ a1;
    z[3] = a2;
    z[4] = a3;
    z[5] = a2 ^ a3;
    z[6] = a0 ^ a2;
    z[7] = a1 ^ a3;
    z[8] = z[6] ^ z[7];
}

/* The other way: the coefficients of the product, 0 to 6, from nine products. */
INLINE void NAME(seven)(word z[7], const word c[9]) {
    word e = c[0] ^ c[1] ^ c[2], f = c[3] ^ c[4] ^ c[5], m = c[1] ^ c[3];
    z[0] = c[0];
    z[1] = e;
    z[2] = m ^ c[0] ^ c[6];
    z[3] = e ^ f ^ c[6] ^ c[7] ^ c[8];
    z[4] = m ^ c[4] ^ c[7];
    z[5] = f;
    z[6] = c[4];
}

INLINE void NAME(classes)(word t[CLASSES], word a) {
    const word m = ZERO + UINT64_C(0x11111111);
    NAME(nine)(t, a & m, a >> 1 & m, a >> 2 & m, a >> 3 & m);
}

INLINE void NAME(parts)(word a[PARTS], word hi, word lo) { NAME(nine)(a, lo, lo >> 32, hi, hi >> 32); }

/* A factor that is used again and again */
INLINE void NAME(factor)(word f[PARTS * CLASSES], word hi, word lo) {
    word a[PARTS];
    NAME(parts)(a, hi, lo);
    for (unsigned k = 0; k < PARTS; k++) NAME(classes)(f + CLASSES * k, a[k]);
}

/* z = the sum of a[i] times the number that the i-th factor of f was made of; z[0] is the lowest word. */
INLINE void NAME(sum_of_products)(word z[4], const word hi[TERMS], const word lo[TERMS],
                            const word f[TERMS * PARTS * CLASSES]) {
    const word m0 = ZERO + UINT64_C(0x1111111111111111);
    word a[TERMS][PARTS], r[PARTS];
    UNROLL for (unsigned i = 0; i < TERMS; i++) NAME(parts)(a[i], hi[i], lo[i]);
    for (unsigned k = 0; k < PARTS; k++) {
        word c[CLASSES], t[CLASSES], x[7];
        NAME(classes)(t, a[0][k]);
        UNROLL for (unsigned j = 0; j < CLASSES; j++) c[j] = w_mul32(t[j], f[CLASSES * k + j]);
        UNROLL for (unsigned i = 1; i < TERMS; i++) {
            NAME(classes)(t, a[i][k]);
            UNROLL for (unsigned j = 0; j < CLASSES; j++) c[j] ^= w_mul32(t[j], f[(PARTS * i + k) * CLASSES + j]);
        }
        NAME(seven)(x, c);
        r[k] = ((x[0] ^ x[4] << 4) & m0) ^ ((x[1] ^ x[5] << 4) & m0) << 1 ^ ((x[2] ^ x[6] << 4) & m0) << 2 ^
               (x[3] & m0) << 3;
    }
    word x[7]; /* each of 63 bits, 32 apart */
    NAME(seven)(x, r);
    z[0] = x[0] ^ x[1] << 32;
    z[1] = x[1] >> 32 ^ x[2] ^ x[3] << 32;
    z[2] = x[3] >> 32 ^ x[4] ^ x[5] << 32;
    z[3] = x[5] >> 32 ^ x[6];
}
