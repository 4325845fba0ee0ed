/* SPDX-License-Identifier: ISC */
/*
 * Inside crypto/: GHASH, SP 800-38D section 6.4.
 */
#ifndef SVCONN_GHASH_H
#define SVCONN_GHASH_H

#include <stddef.h>
#include <stdint.h>

#include "word.h"

#ifdef SVCONN_SMALL_AES
/* y times h (ghash_small.c), in big-endian words */
void svconn_ghash_mul(uint32_t y[4], const uint32_t h[4] /* secret */);
#else

#define SVCONN_GHASH_WORDS 2

/* Words of 128 bits, the least significant word first. Holds no pointer; the owner wipes it. */
typedef struct {
    svconn_word y[128 / SVCONN_WORD_BITS];
    svconn_word h[128 / SVCONN_WORD_BITS];
    svconn_word z[256 / SVCONN_WORD_BITS]; /* the product: here to be wiped with the rest */
} svconn_ghash;

void svconn_ghash_key(uint64_t key[SVCONN_GHASH_WORDS], const uint8_t h[16] /* secret */);
void svconn_ghash_init(svconn_ghash *g, const uint64_t key[SVCONN_GHASH_WORDS] /* secret */);

/* data, then zero bytes up to the next block bound. */
void svconn_ghash_update(svconn_ghash *g, const uint8_t *data, size_t len);

/* The block of two bit lengths that ends GCM's input, then the hash (secret). */
void svconn_ghash_final(svconn_ghash *g, uint64_t aad_len, uint64_t len, uint8_t hash[16]);

#if SVCONN_WORD_BITS == 64
/* The 256 bits of a product to the 128 of a field element */
static inline void svconn_ghash_reduce(uint64_t y[2], uint64_t z[4]) {
    for (unsigned i = 0; i < 2; i++) {
        uint64_t v = z[i];
        z[i + 2] ^= v ^ v >> 1 ^ v >> 2 ^ v >> 7;
        z[i + 1] ^= v << 63 ^ v << 62 ^ v << 57;
    }
    y[0] = z[2];
    y[1] = z[3];
}

/* From the last pair of words, H / x as svconn_ghash_key gives it: H^n / x, ..., H^2 / x before it. */
void svconn_ghash_powers(uint64_t *powers, unsigned n);
#endif

#endif
#endif
