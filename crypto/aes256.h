/* SPDX-License-Identifier: ISC */
/*
 * Inside crypto/: AES-256 in counter mode, the only use of AES in this library.
 * No CPU backend is here: this is the portable code that every machine can run.
 */
#ifndef SVCONN_AES256_H
#define SVCONN_AES256_H

#include <stddef.h>
#include <stdint.h>

#include "word.h"

#ifdef SVCONN_SMALL_AES
/* The block cipher (aes256_small.c), on big-endian words. 15 round keys of 4 words, then 4 to work in; the owner wipes them.
 * The schedule finds the key in the first 8 words. */
#define SVCONN_AES256_SMALL_WORDS 64
void svconn_aes256_schedule(uint32_t w[SVCONN_AES256_SMALL_WORDS]);
void svconn_aes256_block(uint32_t out[4], const uint32_t in[4], uint32_t w[SVCONN_AES256_SMALL_WORDS]);
#else

/* The expanded key: 15 round keys of 128 bits. */
#define SVCONN_AES256_WORDS 30

/* Blocks that are encrypted together: 4 or 2, and their bytes. */
#define SVCONN_AES256_BLOCKS (SVCONN_WORD_BITS / 16)
#define SVCONN_AES256_BATCH (16 * SVCONN_AES256_BLOCKS)

/* A key stream: holds no pointer; the owner wipes it. */
typedef struct {
    svconn_word rk[15 * 8];
    uint32_t nonce[3]; /* little-endian words of the first 12 bytes of each counter block */
    uint32_t counter;  /* of the next batch */
    uint8_t stream[SVCONN_AES256_BATCH];
    size_t left; /* the last `left` bytes of stream are not used yet */
} svconn_aes256_ctr;

void svconn_aes256_init(uint64_t key[SVCONN_AES256_WORDS], const uint8_t k[32] /* secret */);

/* The 15 round keys as gcm_vector.h wants them. */
void svconn_aes256_displaced_keys(uint8_t keys[240], const uint8_t k[32] /* secret */);

/* The stream E(nonce | counter), E(nonce | counter + 1), ...: the counter is big-endian and wraps
 * at 2^32 (inc32 of SP 800-38D 6.2). Any counter block is possible, so this is also the block cipher. */
void svconn_aes256_ctr_init(svconn_aes256_ctr *c, const uint64_t key[SVCONN_AES256_WORDS], const uint8_t nonce[12],
                            uint32_t counter);

/* out = in ^ the next len bytes of the stream; out may be equal to in. */
void svconn_aes256_ctr_xor(svconn_aes256_ctr *c, uint8_t *out, const uint8_t *in /* secret */, size_t len);

/* SubWord of FIPS 197 5.2. For the key schedule, and for the test that proves the S-box. */
uint32_t svconn_aes256_sub_word(uint32_t w /* secret */);

#endif
#endif
