/* SPDX-License-Identifier: ISC */
/*
 * AES-256 encryption in little code, for SVCONN_SMALL: one block at a time, a column of it in a 32-bit word, its four bytes
 * computed side by side. Without tables that a secret could index. Sources:
 *   FIPS 197, sections 4 and 5: the cipher;
 *   L. Lamport, "Multiple byte processing with full-word instructions", CACM 18 (1975): bytes side by side;
 *   T. Itoh, S. Tsujii, "A fast algorithm for computing multiplicative inverses in GF(2^m) using normal bases",
 *   Information and Computation 78 (1988): the inverse by way of the norm in a subfield;
 *   J. Wolkerstorfer, E. Oswald, M. Lamberger, "An ASIC implementation of the AES SBoxes", CT-RSA 2002: GF(2^8) over GF(2^4).
 *
 * A word is big-endian: row 0 is its highest byte. So the counter of GCM is an integer here, and the words of a block are those
 * of ghash_small.c.
 *
 * Everything that depends on a secret is and, xor, shift, and 32-bit products with constants: constant time.
 */
#include "aes256.h"
#include "ct.h"

#ifdef SVCONN_SMALL_AES

#define ROUNDS 14
#define BYTES UINT32_C(0x01010101)
#define NIBBLES UINT32_C(0x11111111)

/* A linear map of bits, on each byte: m[i] is what bit i becomes. */
SVCONN_APART uint32_t byte_map(uint32_t x, const uint8_t m[8]) {
    uint32_t r = 0;
    for (int i = 7; i >= 0; i--) r ^= (x >> i & BYTES) * m[i];
    return r;
}

/* The product in GF(2^4) = GF(2)[w] / (w^4 + w + 1), in each half byte */
static uint32_t nibble_mul(uint32_t a, uint32_t b) {
    uint32_t r = 0;
    for (int i = 3; i >= 0; i--) {
        uint32_t bit = b >> i & NIBBLES;
        r = (r & 7 * NIBBLES) << 1 ^ (r >> 3 & NIBBLES) * 3;
        r ^= a & ct_barrier32((bit << 4) - bit);
    }
    return r;
}

/* SubBytes, on four bytes. A byte is taken as h Y + l with h, l in GF(2^4) (h is its upper half), Y^2 = Y + w^3; its conjugate, its
 * 16th power, is h Y + h + l, and the product of the two, the norm n = w^3 h^2 + l (h + l), is in GF(2^4), where n^14 inverts
 * it. In the field of FIPS 197, w is 0x5c and Y is 0xa2. */
static uint32_t sub_bytes4(uint32_t x) {
    static const uint8_t to_tower[8] = {0x01, 0x20, 0x46, 0x4c, 0x3c, 0xd5, 0x34, 0xe5};
    static const uint8_t from_tower_affine[8] = {0x1f, 0xb2, 0xab, 0x36, 0x52, 0x3e, 0x65, 0x60}; /* with the map of 5.1.1 */
    uint32_t conjugate, n, r;
    x = byte_map(x, to_tower);
    conjugate = x ^ (x >> 4 & 15 * BYTES);
    n = nibble_mul(nibble_mul(x, conjugate), 0x81 * BYTES);
    n = (n ^ n >> 4) & 15 * BYTES;
    n |= n << 4;
    r = n;
    for (unsigned i = 3; i > 0; i--) { /* n^3, n^7, n^14 times the conjugate */
        if (i == 1) n = conjugate;
        r = nibble_mul(nibble_mul(r, r), n);
    }
    return byte_map(r, from_tower_affine) ^ 0x63 * BYTES;
}

/* 5.1.3, on a column */
static uint32_t mix_column(uint32_t a) {
    uint32_t b = a << 8 | a >> 24, t = a ^ b, top = t >> 7 & BYTES; /* b: the row below */
    return b ^ (t << 16 | t >> 16) ^ (t ^ top << 7) << 1 ^ top * 0x1b;
}

/* 5.2 with Nk = 8 */
void svconn_aes256_schedule(uint32_t w[SVCONN_AES256_SMALL_WORDS]) {
    uint32_t rcon = UINT32_C(0x01000000);
    for (unsigned i = 8; i < 4 * (ROUNDS + 1); i++, w++) {
        uint32_t t = w[7];
        if (i % 4 == 0) {
            t = sub_bytes4(t);
            if (i % 8 == 0) {
                t = (t << 8 | t >> 24) ^ rcon;
                rcon <<= 1;
            }
        }
        w[8] = w[0] ^ t;
    }
}

/* 5.1. ShiftRows takes row r of a column from the r-th column further on. */
void svconn_aes256_block(uint32_t out[4], const uint32_t in[4], uint32_t w[SVCONN_AES256_SMALL_WORDS]) {
    uint32_t *t = w + 4 * (ROUNDS + 1);
    for (unsigned c = 0; c < 4; c++) out[c] = in[c] ^ w[c];
    for (unsigned i = 4; i < 4 * (ROUNDS + 1);) {
        for (unsigned c = 0; c < 4; c++) t[c] = sub_bytes4(out[c]);
        do {
            uint32_t x = 0, row = 0xff000000;
            for (unsigned j = i; row; j++, row >>= 8) x ^= t[j % 4] & row;
            if (i < 4 * ROUNDS) x = mix_column(x);
            out[i % 4] = x ^ w[i];
        } while (++i % 4);
    }
}

#undef ROUNDS
#undef BYTES
#undef NIBBLES
#endif
