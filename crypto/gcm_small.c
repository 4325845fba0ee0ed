/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM with 96-bit nonces in little code, for SVCONN_SMALL: one routine for both directions, in place of gcm.c and its
 * backends. Source: NIST SP 800-38D, sections 6 and 7. Words are big-endian, as in aes256_small.c.
 */
#include "aes256.h"
#include "crypto.h"
#include "ct.h"
#include "ghash.h"

#ifdef SVCONN_SMALL_AES

typedef struct {
    uint32_t hash[8]; /* the hash; then a block of key stream */
    uint32_t sealing; /* 0xff: the hash takes what comes out; 0: what goes in */
    uint32_t counter[4], hash_key[4], mask[4];
    uint32_t round_keys[SVCONN_AES256_SMALL_WORDS];
} gcm_text;

SVCONN_APART void load_words(uint32_t *w, const uint8_t *p, unsigned n) {
    do *w++ = load_be32(p), p += 4;
    while (--n > 0);
}

static void next_block(gcm_text *g, uint32_t out[4]) {
    svconn_aes256_block(out, g->counter, g->round_keys);
    g->counter[3]++;
}

/* Hashes len bytes, and zeros up to the next block bound; with out, that is the ciphertext of what is encrypted or decrypted. */
static void take(gcm_text *g, uint8_t *out, const uint8_t *in, size_t len) {
    for (size_t i = 0; i < len;) {
        uint32_t *hash = g->hash;
        unsigned shift = 32;
        if (out) next_block(g, g->hash + 4);
        do {
            uint32_t byte = in[i];
            shift -= 8;
            if (out) {
                uint32_t s = hash[4] >> shift;
                out[i] = (uint8_t)(byte ^ s);
                byte ^= s & g->sealing;
            }
            *hash ^= byte << shift;
            if (shift == 0) shift = 32, hash++;
        } while (++i < len && i % 16 != 0);
        svconn_ghash_mul(g->hash, g->hash_key);
    }
}

static void add_length(uint32_t w[2], size_t len) {
    w[0] ^= (uint32_t)((uint64_t)len >> 29);
    w[1] ^= (uint32_t)len << 3;
}

/* Both directions, so that there is one of each call. SEALING with tag_len: seals, and writes the tag. Without: opens, and is 1 if
 * the tag is right; no tag at all is not. */
#define SEALING 0xff00
static int crypt_text(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                      const uint8_t *in, size_t len, uint8_t *tag, size_t tag_len) {
    gcm_text g;
    uint8_t theirs[16];
    uint32_t sealing = (uint32_t)tag_len >> 8, wrong;
    tag_len &= 31;
    memcpy(theirs, tag, tag_len); /* it may lie where the plaintext goes */
    memset(&g, 0, sizeof g);
    load_words(g.round_keys, (const uint8_t *)key, 8);
    svconn_aes256_schedule(g.round_keys);
    next_block(&g, g.hash_key); /* H = E(0) */
    load_words(g.counter, nonce, 3);
    next_block(&g, g.mask); /* E(J0), J0 = nonce | 1; the text uses what follows */
    take(&g, NULL, aad, aad_len);
    g.sealing = sealing;
    take(&g, out, in, len);
    add_length(g.hash, aad_len);
    add_length(g.hash + 2, len);
    svconn_ghash_mul(g.hash, g.hash_key);
    wrong = tag_len == 0;
    for (unsigned i = 0; i < tag_len; i++) {
        uint8_t t = (uint8_t)((g.hash[i / 4] ^ g.mask[i / 4]) >> 8 * (~i & 3));
        if (sealing) tag[i] = t;
        else wrong |= (uint32_t)(t ^ theirs[i]);
    }
    ct_wipe(&g, sizeof g);
    uint32_t right = ct_is_zero32(wrong);
    CT_RELEASE(&right, sizeof right);
    if (!right && len) ct_wipe(out, len);
    return (int)right;
}

void svconn_gcm_init(uint64_t key[SVCONN_GCM_WORDS], const uint8_t k[32]) { ct_copy(key, k, 32); }

void svconn_gcm_seal(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                     uint8_t *out, const uint8_t *in, size_t len, uint8_t *tag, size_t tag_len) {
    if (tag_len > 16) tag_len = 16; /* the caller's mistake too */
    (void)crypt_text(key, nonce, aad, aad_len, out, in, len, tag, tag_len | SEALING);
}

int svconn_gcm_open(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                    uint8_t *out, const uint8_t *in, size_t len, const uint8_t *tag, size_t tag_len) {
    if (tag_len < 12 || tag_len > 16) tag_len = 0; /* a mistake of the caller, which fails */
    return crypt_text(key, nonce, aad, aad_len, out, in, len, (uint8_t *)(uintptr_t)tag, tag_len);
}

#undef SEALING
#endif
