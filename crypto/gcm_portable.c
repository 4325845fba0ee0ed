/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM for every machine. Source: NIST SP 800-38D, sections 6 and 7. This file knows the mode and nothing of how
 * the cipher (aes256.c) and the hash (ghash.c) are computed. key: [0, 30) round keys, [30, 32) hash key.
 */
#include "aes256.h"
#include "backend.h"
#include "ct.h"
#include "ghash.h"
#include "profile.h"

#ifndef SVCONN_SMALL_AES

#define HASH_KEY SVCONN_AES256_WORDS

_Static_assert(SVCONN_AES256_WORDS + SVCONN_GHASH_WORDS == SVCONN_GCM_PORTABLE_WORDS, "the parts of the key");

static const uint8_t zero_block[16] = {0};

/* H = E(0): 7.1 step 1. A function of its own, so that its frame does not lie below that of svconn_aes256_init. */
SVCONN_APART void hash_key(uint64_t *key) {
    svconn_aes256_ctr c;
    uint8_t h[16];
    svconn_aes256_ctr_init(&c, key, zero_block, 0);
    svconn_aes256_ctr_xor(&c, h, zero_block, sizeof h);
    svconn_ghash_key(key + HASH_KEY, h);
    ct_wipe(h, sizeof h);
    ct_wipe(&c, sizeof c);
}

void svconn_gcm_portable_init(uint64_t *key, const uint8_t k[32]) {
    svconn_aes256_init(key, k);
    hash_key(key);
}

/* The stream begins at J0 = nonce | 1. Its first block masks the tag; the text uses what follows. */
static void start(svconn_aes256_ctr *c, uint8_t mask[16], const uint64_t *key, const uint8_t nonce[12]) {
    svconn_aes256_ctr_init(c, key, nonce, 1);
    svconn_aes256_ctr_xor(c, mask, zero_block, 16);
}

/* In: tag is the mask. Out: the full tag of 16 bytes. */
static void authenticate(uint8_t tag[16], const uint64_t *key, const uint8_t *aad, size_t aad_len, const uint8_t *text,
                         size_t len) {
    svconn_ghash g;
    uint8_t s[16];
    svconn_ghash_init(&g, key + HASH_KEY);
    svconn_ghash_update(&g, aad, aad_len);
    svconn_ghash_update(&g, text, len);
    svconn_ghash_final(&g, aad_len, len, s);
    for (unsigned i = 0; i < 16; i++) tag[i] ^= s[i];
    ct_wipe(s, sizeof s);
    ct_wipe(&g, sizeof g);
}

void svconn_gcm_portable_seal(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                              uint8_t *out, const uint8_t *in, size_t len, uint8_t tag[16]) {
    svconn_aes256_ctr c;
    start(&c, tag, key, nonce);
    svconn_aes256_ctr_xor(&c, out, in, len);
    authenticate(tag, key, aad, aad_len, out, len);
    ct_wipe(&c, sizeof c);
}

void svconn_gcm_portable_open(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                              uint8_t *out, const uint8_t *in, size_t len, uint8_t tag[16]) {
    svconn_aes256_ctr c;
    start(&c, tag, key, nonce);
    authenticate(tag, key, aad, aad_len, in, len);
    svconn_aes256_ctr_xor(&c, out, in, len);
    ct_wipe(&c, sizeof c);
}
#endif
