/* SPDX-License-Identifier: ISC */
/*
 * The cryptography of SVC-1: its table of contents and its contract.
 *
 * Every function's result depends on its arguments alone: no allocation, nothing
 * but memcpy, memmove, memset and memcmp from outside. The one global is a word
 * that remembers which instructions the CPU has (cpu.h): the first call tries
 * all of them, with 32 KB of stack. -DSVCONN_PORTABLE_ONLY: neither. Lengths
 * are public. "secret" marks what the code must handle in constant time;
 * everything that is not marked may influence time. Temporaries that held
 * secrets are wiped before return. Outputs come first; an output may not
 * overlap an input except where the text says so. No alignment is required.
 */
#ifndef SVCONN_CRYPTO_H
#define SVCONN_CRYPTO_H

#include "profile.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define SVCONN_CHECKED __attribute__((warn_unused_result))
#else
#define SVCONN_CHECKED
#endif

/* A piece of input; several make one message without a copy. data may be NULL if len is 0. */
typedef struct {
    const uint8_t *data;
    size_t len;
} svconn_bytes;

/* ---- SHA-256: FIPS 180-4 (sha256.c) -------------------------------------- */
typedef struct {
    uint32_t h[8];
    uint64_t total;   /* bytes so far */
    uint8_t block[64];
} svconn_sha256_ctx;

void svconn_sha256_init(svconn_sha256_ctx *c);
void svconn_sha256_update(svconn_sha256_ctx *c, const uint8_t *data /* secret */, size_t len);
void svconn_sha256_final(svconn_sha256_ctx *c, uint8_t digest[32]); /* wipes c */

/* ---- SHA-512: FIPS 180-4 (sha512.c); at most 2^61 - 1 bytes -------------- */
typedef struct {
    uint64_t h[8];
    uint64_t total;
    uint8_t block[128];
} svconn_sha512_ctx;

void svconn_sha512_init(svconn_sha512_ctx *c);
void svconn_sha512_update(svconn_sha512_ctx *c, const uint8_t *data /* secret */, size_t len);
void svconn_sha512_final(svconn_sha512_ctx *c, uint8_t digest[64]); /* wipes c */

/* ---- HMAC-SHA-256: RFC 2104; HKDF-SHA-256: RFC 5869 (hkdf.c) ------------- */
typedef struct {
    svconn_sha256_ctx inner, outer;
} svconn_hmac_ctx;

void svconn_hmac_init(svconn_hmac_ctx *c, const uint8_t *key /* secret */, size_t key_len);
void svconn_hmac_update(svconn_hmac_ctx *c, const uint8_t *data /* secret */, size_t len);
void svconn_hmac_final(svconn_hmac_ctx *c, uint8_t mac[32]); /* wipes c */

/* prk may overlap ikm or salt. */
void svconn_hkdf_extract(uint8_t prk[32], const uint8_t *salt, size_t salt_len,
                         const uint8_t *ikm /* secret */, size_t ikm_len);

/* info is the concatenation of the parts. out_len is at most 255 * 32 (the caller's duty).
 * out may overlap prk; it may not overlap info. */
void svconn_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[32] /* secret */,
                        const svconn_bytes *info, size_t parts);

/* ---- AES-256-GCM: FIPS 197, SP 800-38D (aes256.c, ghash.c, gcm.c; gcm_small.c) */
/* A key, expanded: an array of words whose meaning belongs to the code that made it. It holds
 * no pointer and may be moved or copied; whoever owns it wipes it. With SVCONN_SMALL it is the
 * key as it came, and each text expands it on the stack. */
#if defined(__x86_64__) || defined(__aarch64__) || defined(_M_X64) || defined(_M_ARM64) || defined(__wasm_simd128__)
#define SVCONN_GCM_EXPANDED_WORDS 65 /* room for powers of the hash key */
#else
#define SVCONN_GCM_EXPANDED_WORDS 33
#endif
#ifdef SVCONN_SMALL
#define SVCONN_GCM_WORDS 4
#else
#define SVCONN_GCM_WORDS SVCONN_GCM_EXPANDED_WORDS
#endif

void svconn_gcm_init(uint64_t key[SVCONN_GCM_WORDS], const uint8_t k[32] /* secret */);

/* nonce: 96 bits. tag_len: 12 to 16 (SP 800-38D 5.2.1.2). len is below 2^32.
 * out may be equal to in (in place), or not overlap it at all. tag may follow out directly. */
void svconn_gcm_seal(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                     uint8_t *out, const uint8_t *in /* secret */, size_t len, uint8_t *tag, size_t tag_len);

/* 1 if the tag is right and out holds the plaintext; 0 if not, and out is then all zero. */
SVCONN_CHECKED int svconn_gcm_open(const uint64_t key[SVCONN_GCM_WORDS], const uint8_t nonce[12], const uint8_t *aad,
                                   size_t aad_len, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *tag,
                                   size_t tag_len);

/* ---- X25519: RFC 7748 (x25519.c) ----------------------------------------- */
/* The scalar is clamped inside. A non-canonical u is accepted, as the RFC wants; its top bit is
 * ignored. Returns 0 if the result is all zero (a small-order u), tested in constant time; out
 * is then all zero. out may overlap both inputs. */
SVCONN_CHECKED int svconn_x25519(uint8_t out[32], const uint8_t scalar[32] /* secret */, const uint8_t u[32]);

/* X25519(scalar, u) and X25519(scalar2, u2), which together take an inversion less. 0 if one of them is all zero; then out is of
 * no use. out may overlap no input. */
SVCONN_CHECKED int svconn_x25519_pair(uint8_t out[64], const uint8_t scalar[32] /* secret */, const uint8_t u[32],
                                      const uint8_t scalar2[32] /* secret */, const uint8_t u2[32]);

/* The public key of a scalar: X25519(scalar, 9). */
void svconn_x25519_public(uint8_t out[32], const uint8_t scalar[32] /* secret */);

/* ---- Ed25519: RFC 8032 5.1 (ed25519.c) ----------------------------------- */
void svconn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32] /* secret */);

/* public_key must be the one of seed: with another one the signature would give the key away,
 * so it is not an argument that comes from outside; it is compared in no way. */
void svconn_ed25519_sign(uint8_t signature[64], const uint8_t seed[32] /* secret */, const uint8_t public_key[32],
                         const uint8_t *msg, size_t len);

/* All inputs are public. RFC 8032 5.1.7 without the cofactor: 1 only if S < L, public_key passes
 * svconn_ed25519_check, and the encoding of [S]B - [k]A is R, byte for byte. */
SVCONN_CHECKED int svconn_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg,
                                         size_t len);

/* The same, and if it is 1 the u of svconn_ed25519_to_x25519 for the key, which costs little here. SVCONN_BAD_KEY in place of 0
 * if the key does not pass. */
#define SVCONN_BAD_KEY (-2)
SVCONN_CHECKED int svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32],
                                           const uint8_t *msg, size_t len);

/* All inputs are public. 1 if the bytes are a canonical encoding (y < p, no -0) of a point A on
 * the curve with [8]A != identity. */
SVCONN_CHECKED int svconn_ed25519_check(const uint8_t public_key[32]);

/* The Montgomery form of a public key that passed svconn_ed25519_check: u = (1 + y) / (1 - y)
 * (RFC 7748 4.1), and the X25519 scalar of its seed: SHA-512(seed)[0..32), clamped. */
void svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]);
void svconn_ed25519_seed_to_x25519(uint8_t scalar[32], const uint8_t seed[32] /* secret */);

/* ---- The same, in slices (slices.h) --------------------------------------- */
/* What a curve operation needs while it lasts, for those who cannot wait for its end. To begin: phase = 0. Then the same
 * call with the same arguments, and units > 0 before each, until it returns something else than SVCONN_UNFINISHED; the
 * secrets in the workspace are then wiped. One operation at a time; who gives one up wipes it. A unit is at most 100 products of
 * field elements, or a hash of the message. */
#ifdef SVCONN_CURVE_WORDS /* a test, on other elements */
#elif defined(SVCONN_SMALL)
#define SVCONN_CURVE_WORDS 81
#elif SVCONN_FE == 51
#define SVCONN_CURVE_WORDS 264
#else
#define SVCONN_CURVE_WORDS 144
#endif
typedef struct {
    uint32_t units, phase;
    uint64_t words[SVCONN_CURVE_WORDS];
} svconn_curve_work;

#ifndef SVCONN_NO_SLICES
SVCONN_CHECKED int svconn_x25519_slice(svconn_curve_work *w, uint8_t out[32], const uint8_t scalar[32] /* secret */,
                                       const uint8_t u[32]);
SVCONN_CHECKED int svconn_x25519_pair_slice(svconn_curve_work *w, uint8_t out[64], const uint8_t scalar[32] /* secret */,
                                            const uint8_t u[32], const uint8_t scalar2[32] /* secret; only at the begin */,
                                            const uint8_t u2[32]);
SVCONN_CHECKED int svconn_x25519_public_slice(svconn_curve_work *w, uint8_t out[32], const uint8_t scalar[32] /* secret */);
SVCONN_CHECKED int svconn_ed25519_sign_slice(svconn_curve_work *w, uint8_t signature[64], const uint8_t seed[32] /* secret */,
                                             const uint8_t public_key[32], const uint8_t *msg, size_t len);
SVCONN_CHECKED int svconn_ed25519_verify_u_slice(svconn_curve_work *w, uint8_t u[32], const uint8_t signature[64],
                                                 const uint8_t public_key[32], const uint8_t *msg, size_t len);
#else /* the calls stand behind an if that is never true */
#define svconn_x25519_slice(...) SVCONN_UNFINISHED
#define svconn_x25519_pair_slice(...) SVCONN_UNFINISHED
#define svconn_x25519_public_slice(...) SVCONN_UNFINISHED
#define svconn_ed25519_sign_slice(...) SVCONN_UNFINISHED
#define svconn_ed25519_verify_u_slice(...) SVCONN_UNFINISHED
#endif
#define SVCONN_UNFINISHED (-1)

#endif
