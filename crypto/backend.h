/* SPDX-License-Identifier: ISC */
/*
 * Inside crypto/: the backends of each primitive. All of them compute the same; cpu.c decides which may run.
 *
 * -DSVCONN_PORTABLE_ONLY leaves out all that depends on a CPU.
 */
#ifndef SVCONN_BACKEND_H
#define SVCONN_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#if !defined(SVCONN_PORTABLE_ONLY) && defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define SVCONN_X86 1
#endif

/* ---- AES-256-GCM ----------------------------------------------------------------------------------------------------
 * init: expands a key into as many words as the backend says.
 * seal: out is the ciphertext of in, tag its full tag. open: out is the plaintext of in, tag the one that in should have: whoever calls compares them, and
 * erases out if they differ. out is in, or does not overlap it. */
#define SVCONN_GCM_BACKEND(name)                                                                                       \
    void svconn_gcm_##name##_init(uint64_t *key, const uint8_t k[32]);                                                 \
    void svconn_gcm_##name##_seal(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,    \
                                  uint8_t *out, const uint8_t *in, size_t len, uint8_t tag[16]);                       \
    void svconn_gcm_##name##_open(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,    \
                                  uint8_t *out, const uint8_t *in, size_t len, uint8_t tag[16])

#define SVCONN_GCM_PORTABLE_WORDS 32
SVCONN_GCM_BACKEND(portable);

/* Bitsliced on vectors. 30 words of round keys, then powers of H. */
#define SVCONN_GCM_VECTOR_POWERS 16
#define SVCONN_GCM_VECTOR_WORDS (30 + 2 * SVCONN_GCM_VECTOR_POWERS)

#ifdef SVCONN_X86
SVCONN_GCM_BACKEND(vector128);
SVCONN_GCM_BACKEND(vector256);
SVCONN_GCM_BACKEND(vector512);
#define SVCONN_GCM_X86_WORDS 64 /* at most 17 powers of H, 15 round keys */
SVCONN_GCM_BACKEND(aesni);
SVCONN_GCM_BACKEND(vaes256);
SVCONN_GCM_BACKEND(vaes512);
#endif

#endif
