/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM with 96-bit nonces: NIST SP 800-38D, section 7. Here a key finds its backend; the backends (backend.h)
 * compute the text and the full tag.
 */
#include "backend.h"
#include "cpu.h"
#include "crypto.h"
#include "ct.h"

#ifndef SVCONN_SMALL_AES

/* The last word of an expanded key says who made it. */
#define BACKEND (SVCONN_GCM_EXPANDED_WORDS - 1)

_Static_assert(SVCONN_GCM_PORTABLE_WORDS <= BACKEND, "the expanded key does not fit");
#define FITS(name, bit)                                                                                                \
    _Static_assert(SVCONN_GCM_INSTRUCTION_WORDS <= BACKEND && SVCONN_GCM_VECTOR_WORDS <= BACKEND, "nor does " #name);
SVCONN_GCM_BACKENDS(FITS)

static void expand_key(uint64_t key[SVCONN_GCM_EXPANDED_WORDS], const uint8_t k[32]) {
    uint32_t cpu = svconn_cpu();
    memset(key, 0, SVCONN_GCM_EXPANDED_WORDS * sizeof key[0]);
#define TAKE(name, bit)                                                                                                \
    if (cpu & bit) {                                                                                                   \
        key[BACKEND] = bit;                                                                                            \
        svconn_gcm_##name##_init(key, k);                                                                              \
        return;                                                                                                        \
    }
    SVCONN_GCM_BACKENDS(TAKE)
    (void)cpu;
    svconn_gcm_portable_init(key, k);
}

/* Where the caller's key becomes an expanded one: once for all, or for each text. */
#ifdef SVCONN_SMALL
void svconn_gcm_init(uint64_t key[SVCONN_GCM_WORDS], const uint8_t k[32]) { memcpy(key, k, 32); }
#define BEGIN_TEXT(words, key)                                                                                         \
    uint64_t words[SVCONN_GCM_EXPANDED_WORDS];                                                                         \
    expand_key(words, (const uint8_t *)(key))
#define END_TEXT(words) ct_wipe(words, sizeof words)
#else
void svconn_gcm_init(uint64_t key[SVCONN_GCM_WORDS], const uint8_t k[32]) { expand_key(key, k); }
#define BEGIN_TEXT(words, key) const uint64_t *words = (key)
#define END_TEXT(words) ((void)0)
#endif

void svconn_gcm_seal(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                     uint8_t *out, const uint8_t *in, size_t len, uint8_t *tag, size_t tag_len) {
    uint8_t full[16];
    if (tag_len > sizeof full) tag_len = sizeof full; /* the caller's mistake: not what lies behind it */
    BEGIN_TEXT(words, key);
    switch (words[BACKEND]) {
#define SEAL(name, bit)                                                                                                \
    case bit: svconn_gcm_##name##_seal(words, nonce, aad, aad_len, out, in, len, full); break;
        SVCONN_GCM_BACKENDS(SEAL)
    default: svconn_gcm_portable_seal(words, nonce, aad, aad_len, out, in, len, full);
    }
    END_TEXT(words);
    memcpy(tag, full, tag_len);
    ct_wipe(full, sizeof full);
}

/* A tag length outside 12 to 16 is a mistake of the caller, and no tag at all would be right then: it fails. */
int svconn_gcm_open(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                    uint8_t *out, const uint8_t *in, size_t len, const uint8_t *tag, size_t tag_len) {
    uint8_t full[16], theirs[16];
    uint32_t right = 0;
    if (tag_len < 12 || tag_len > sizeof full) tag_len = 0;
    memcpy(theirs, tag, tag_len); /* it may lie where the plaintext goes */
    BEGIN_TEXT(words, key);
    switch (words[BACKEND]) {
#define OPEN(name, bit)                                                                                                \
    case bit: svconn_gcm_##name##_open(words, nonce, aad, aad_len, out, in, len, full); break;
        SVCONN_GCM_BACKENDS(OPEN)
    default: svconn_gcm_portable_open(words, nonce, aad, aad_len, out, in, len, full);
    }
    END_TEXT(words);
    if (tag_len) right = ct_eq(full, theirs, tag_len);
    CT_RELEASE(&right, sizeof right);
    if (!right && len) ct_wipe(out, len);
    ct_wipe(full, sizeof full);
    return (int)right;
}
#endif
