/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM with 96-bit nonces. Source: NIST SP 800-38D, sections 6 and 7.
 *
 * This file knows the mode and nothing of how the cipher and the hash are computed; those have one
 * portable implementation. key: [0, 30) round keys, [30, 32) hash key, the rest zero. A backend for a
 * CPU's own instructions would bring its own layout, its own init, and take the places of
 * start() and authenticate() and svconn_aes256_ctr_xor.
 */
#include "aes256.h"
#include "crypto.h"
#include "ct.h"
#include "ghash.h"

#define HASH_KEY SVCONN_AES256_WORDS
#define USED (SVCONN_AES256_WORDS + SVCONN_GHASH_WORDS)

_Static_assert(USED <= SVCONN_GCM_WORDS, "the expanded key does not fit");

static const uint8_t zero[16];

/* H = E(0): 7.1 step 1 */
void svconn_gcm_init(uint64_t key[SVCONN_GCM_WORDS], const uint8_t k[32]) {
    svconn_aes256_ctr c;
    uint8_t h[16];
    svconn_aes256_init(key, k);
    svconn_aes256_ctr_init(&c, key, zero, 0);
    svconn_aes256_ctr_xor(&c, h, zero, sizeof h);
    svconn_ghash_key(key + HASH_KEY, h);
    memset(key + USED, 0, (SVCONN_GCM_WORDS - USED) * sizeof key[0]);
    ct_wipe(h, sizeof h);
    ct_wipe(&c, sizeof c);
}

/* The stream begins at J0 = nonce | 1. Its first block masks the tag; the text uses what follows. */
static void start(svconn_aes256_ctr *c, uint8_t mask[16], const uint64_t *key, const uint8_t nonce[12]) {
    svconn_aes256_ctr_init(c, key, nonce, 1);
    svconn_aes256_ctr_xor(c, mask, zero, 16);
}

/* In: tag is the mask. Out: the full tag of 16 bytes. */
static void authenticate(uint8_t tag[16], const uint64_t *key, const uint8_t *aad, size_t aad_len,
                         const uint8_t *text, size_t len) {
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

void svconn_gcm_seal(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                     uint8_t *out, const uint8_t *in, size_t len, uint8_t *tag, size_t tag_len) {
    svconn_aes256_ctr c;
    uint8_t full[16];
    start(&c, full, key, nonce);
    svconn_aes256_ctr_xor(&c, out, in, len);
    authenticate(full, key, aad, aad_len, out, len);
    memcpy(tag, full, tag_len);
    ct_wipe(full, sizeof full);
    ct_wipe(&c, sizeof c);
}

/* The tag comes first: not one byte is decrypted before it is right. A tag length outside 12 to 16 is
 * a mistake of the caller, and no tag at all would be right then: it fails. */
int svconn_gcm_open(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                    uint8_t *out, const uint8_t *in, size_t len, const uint8_t *tag, size_t tag_len) {
    svconn_aes256_ctr c;
    uint8_t full[16];
    uint32_t right = 0;
    start(&c, full, key, nonce);
    authenticate(full, key, aad, aad_len, in, len);
    if (tag_len >= 12 && tag_len <= sizeof full) right = ct_eq(full, tag, tag_len);
    CT_RELEASE(&right, sizeof right);
    if (right) svconn_aes256_ctr_xor(&c, out, in, len);
    else if (len > 0) memset(out, 0, len);
    ct_wipe(full, sizeof full);
    ct_wipe(&c, sizeof c);
    return (int)right;
}
