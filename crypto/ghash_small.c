/* SPDX-License-Identifier: ISC */
/*
 * The product of GHASH in little code, for SVCONN_SMALL: bit by bit. Source: NIST SP 800-38D, section 6.3; from the last bit of
 * y to the first (Horner), so that only the sum moves.
 */
#include "ct.h"
#include "ghash.h"

#ifdef SVCONN_SMALL_AES

/* Words of 32 bits, big-endian: x^0 is the highest bit of word 0. Times x is a shift to the right; x^128 = 1 + x + x^2 + x^7. */
void svconn_ghash_mul(uint32_t y[4], const uint32_t h[4]) {
    uint32_t z0 = 0, z1 = 0, z2 = 0, z3 = 0;
    for (unsigned n = 128; n-- > 0;) {
        uint32_t bit = ct_mask32(y[n / 32] << n % 32 >> 31), carry = ct_mask32(z3 & 1);
        z3 = (z3 >> 1 | z2 << 31) ^ (h[3] & bit);
        z2 = (z2 >> 1 | z1 << 31) ^ (h[2] & bit);
        z1 = (z1 >> 1 | z0 << 31) ^ (h[1] & bit);
        z0 = z0 >> 1 ^ (h[0] & bit) ^ (carry & 0xe1000000);
    }
    y[0] = z0;
    y[1] = z1;
    y[2] = z2;
    y[3] = z3;
}

#endif
