/* SPDX-License-Identifier: ISC */
/*
 * Inside crypto/: the backends of each primitive. All of them compute the same; cpu.c decides which may run.
 *
 * SVCONN_PORTABLE_ONLY (profile.h) leaves out all that depends on a CPU.
 */
#ifndef SVCONN_BACKEND_H
#define SVCONN_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "profile.h"

/* (not clang-cl, which is no GNU C: its immintrin.h leaves out what the command line did not switch on) */
#if !defined(SVCONN_PORTABLE_ONLY) && defined(__x86_64__) && defined(__GNUC__)
#define SVCONN_X86 1
#endif
#if !defined(SVCONN_PORTABLE_ONLY) && defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__GNUC__)
#define SVCONN_ARM64 1
/* Known when it is compiled (-march=armv8-a+crypto, or a system that always has it): asking the CPU would need the
 * operating system. */
#if defined(__ARM_FEATURE_AES) || defined(__ARM_FEATURE_CRYPTO)
#define SVCONN_ARM64_AES 1
#endif
#endif
/* A module of WebAssembly that has vectors loads only where there are some: nothing is left to be found out. */
#if !defined(SVCONN_PORTABLE_ONLY) && defined(__wasm_simd128__)
#define SVCONN_WASM 1
#endif
#if (defined(SVCONN_X86) || defined(SVCONN_ARM64) || defined(SVCONN_WASM)) && !defined(SVCONN_FORCE_32)
#define SVCONN_VECTORS 1
#endif

#if defined(SVCONN_X86) && SVCONN_FE == 51
#define SVCONN_CURVE_X86 1
#endif

/* How the functions and loops of the backends are written that are fast only as one piece, with their variables in
 * registers. Not where that is of no use: sanitizers would take minutes to compile it. */
#if defined(__SANITIZE_ADDRESS__)
#define SVCONN_ONE_PIECE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SVCONN_ONE_PIECE 0
#endif
#endif
#ifndef SVCONN_ONE_PIECE
#define SVCONN_ONE_PIECE 1
#endif

#if !defined(__GNUC__) || defined(__OPTIMIZE_SIZE__)
#define SVCONN_INLINE static inline
#define SVCONN_UNROLL
#elif !SVCONN_ONE_PIECE
#define SVCONN_INLINE static __attribute__((noinline))
#define SVCONN_UNROLL
#elif defined(__clang__)
#define SVCONN_INLINE static inline __attribute__((always_inline))
#define SVCONN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SVCONN_INLINE static inline __attribute__((always_inline))
#define SVCONN_UNROLL _Pragma("GCC unroll 16")
#endif

/* Compilers spill registers, round keys and limbs among them, into frames that no text can name. So who handles a secret
 * in vectors is a function of its own, called by one that then calls NAME: zeros take the place of that frame and of
 * those below it, BYTES in all (tests/frames.sh compares with what the compiler says). Behind the call stands
 * SVCONN_NO_JUMP, else it becomes a jump, and the zeros begin too high. */
#ifdef _WIN64
#define SVCONN_FRAME_MORE 512 /* there xmm6 to xmm15 are the caller's (160 bytes), and each call leaves 32 to the callee */
#else
#define SVCONN_FRAME_MORE 0
#endif
#define SVCONN_WIPE_FRAME(NAME, BYTES)                                                                                 \
    __attribute__((noinline)) static void NAME(void) {                                                                 \
        uint8_t frame[(BYTES) + SVCONN_FRAME_MORE];                                                                    \
        ct_wipe(frame, sizeof frame);                                                                                  \
        __asm__ volatile("# wipes %c0 bytes" : : "i"(sizeof frame));                                                   \
    }
#define SVCONN_NO_JUMP() __asm__ volatile("" : : : "memory")

/* To ask an Arm CPU what it can do takes the operating system, which the core does not know: there the compiler's flags
 * decide (-march=armv8-a+sha2, or -mcpu=). Every 64-bit CPU of Apple has it. The loads are for little-endian memory. */
#if !defined(SVCONN_PORTABLE_ONLY) && defined(__aarch64__) && !defined(__AARCH64EB__) &&                               \
    (defined(__ARM_FEATURE_SHA2) || defined(__ARM_FEATURE_CRYPTO) || defined(__APPLE__))
#define SVCONN_ARM_SHA 1
#endif

/* ---- AES-256-GCM ----------------------------------------------------------------------------------------------------
 * init: expands a key into as many words as the backend says.
 * seal: out is the ciphertext of in, tag its full tag. open: out is the plaintext of in, tag the one that in should
 * have: whoever calls compares them, and erases out if they differ. out is in, or does not overlap it. */
typedef void svconn_gcm_backend_init(uint64_t *key, const uint8_t k[32]);
typedef void svconn_gcm_backend_text(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                                     const uint8_t *in, size_t len, uint8_t tag[16]);

#define SVCONN_GCM_PORTABLE_WORDS 32
#ifndef SVCONN_SMALL_AES /* it has gcm.c's functions alone */
svconn_gcm_backend_init svconn_gcm_portable_init;
SVCONN_OWN_FRAME svconn_gcm_backend_text svconn_gcm_portable_seal, svconn_gcm_portable_open;
#endif

/* The others: DO(name, the bit of cpu.h that it needs), the best one first. */
#define SVCONN_GCM_BACKENDS(DO) SVCONN_GCM_INSTRUCTIONS(DO) SVCONN_GCM_VECTORS(DO)

/* On the CPU's own AES and carry-less multiply instructions: at most 17 powers of H, then 15 round keys */
#define SVCONN_GCM_INSTRUCTION_WORDS 64
#if defined(SVCONN_X86)
#define SVCONN_GCM_INSTRUCTIONS(DO)                                                                                    \
    DO(vaes512, SVCONN_CPU_VAES512) DO(vaes256, SVCONN_CPU_VAES256) DO(aesni, SVCONN_CPU_AESNI)
svconn_gcm_backend_init svconn_gcm_aesni_init;
svconn_gcm_backend_text svconn_gcm_aesni_seal, svconn_gcm_aesni_open;
svconn_gcm_backend_init svconn_gcm_vaes256_init;
svconn_gcm_backend_text svconn_gcm_vaes256_seal, svconn_gcm_vaes256_open;
svconn_gcm_backend_init svconn_gcm_vaes512_init;
svconn_gcm_backend_text svconn_gcm_vaes512_seal, svconn_gcm_vaes512_open;
#elif defined(SVCONN_ARM64_AES)
#define SVCONN_GCM_INSTRUCTIONS(DO) DO(armv8, SVCONN_CPU_ARM_AES)
svconn_gcm_backend_init svconn_gcm_armv8_init;
svconn_gcm_backend_text svconn_gcm_armv8_seal, svconn_gcm_armv8_open;
#else
#define SVCONN_GCM_INSTRUCTIONS(DO)
#endif

/* Bitsliced on vectors: 15 round keys, then powers of H */
#define SVCONN_GCM_VECTOR_POWERS 16
#define SVCONN_GCM_VECTOR_WORDS (30 + 2 * SVCONN_GCM_VECTOR_POWERS)
#if defined(SVCONN_VECTORS) && defined(SVCONN_X86)
#define SVCONN_GCM_VECTORS(DO)                                                                                         \
    DO(vector512, SVCONN_CPU_VECTOR512) DO(vector256, SVCONN_CPU_VECTOR256) DO(vector128, SVCONN_CPU_VECTOR128)
svconn_gcm_backend_init svconn_gcm_vector128_init;
svconn_gcm_backend_text svconn_gcm_vector128_seal, svconn_gcm_vector128_open;
svconn_gcm_backend_init svconn_gcm_vector256_init;
svconn_gcm_backend_text svconn_gcm_vector256_seal, svconn_gcm_vector256_open;
svconn_gcm_backend_init svconn_gcm_vector512_init;
svconn_gcm_backend_text svconn_gcm_vector512_seal, svconn_gcm_vector512_open;
#elif defined(SVCONN_VECTORS)
#define SVCONN_GCM_VECTORS(DO) DO(vector128, SVCONN_CPU_VECTOR128)
svconn_gcm_backend_init svconn_gcm_vector128_init;
svconn_gcm_backend_text svconn_gcm_vector128_seal, svconn_gcm_vector128_open;
#else
#define SVCONN_GCM_VECTORS(DO)
#endif

/* ---- SHA-256 --------------------------------------------------------------------------------------------------------
 * The state after n blocks of 64 bytes. The state is the same for all: backends may take turns within a message. */
typedef void svconn_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t n);
SVCONN_OWN_FRAME svconn_sha256_blocks svconn_sha256_portable;
#ifdef SVCONN_X86
svconn_sha256_blocks svconn_sha256_shani;
#endif
#ifdef SVCONN_ARM_SHA
svconn_sha256_blocks svconn_sha256_armv8;
#endif
extern const uint32_t svconn_sha256_k[64]; /* the constants of FIPS 180-4, 4.2.2 */
extern const uint64_t svconn_sha512_k[80]; /* 4.2.3 */
extern const uint64_t svconn_sha512_start[8]; /* 5.3.5 */

/* ---- X25519, edwards25519 (x25519.c, ge25519.c) ---------------------------------------------------------------------
 * The loops alone. They are declared with their types in ge25519.h. */
#ifdef SVCONN_CURVE_X86
int svconn_curve25519_is_right_avx2(void); /* known answers */
int svconn_curve25519_is_right_ifma(void);
#endif

#endif
