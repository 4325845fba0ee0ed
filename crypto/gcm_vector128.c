/* SPDX-License-Identifier: ISC */
/* AES-256-GCM, bitsliced on the 128-bit vectors that every x86-64 (SSE2) and every aarch64 (NEON) has, and WebAssembly with
 * -msimd128. See gcm_vector.h. */
#include "backend.h"
#ifdef SVCONN_VECTORS
#include "aes256.h"
#include "ct.h"
#include "ghash.h"
#ifdef SVCONN_X86
#include <emmintrin.h>
#elif defined(SVCONN_WASM)
#include <wasm_simd128.h>
#else
#include <arm_neon.h>
#endif

#define TARGET
#define NAME(x) svconn_gcm_vector128_##x
#define LANES 1

typedef uint64_t svconn_vector128 __attribute__((vector_size(16)));
#define word svconn_vector128
typedef uint32_t word32 __attribute__((vector_size(16)));

#ifdef SVCONN_X86
#define w_load(p) ((word)_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define w_store(p, a) _mm_storeu_si128((__m128i *)(void *)(p), (__m128i)(a))
#define w_spread w_load
#define w_even(a, b) ((word)_mm_unpacklo_epi64((__m128i)(a), (__m128i)(b)))
#define w_odd(a, b) ((word)_mm_unpackhi_epi64((__m128i)(a), (__m128i)(b)))
#define w_mul32(a, b) ((word)_mm_mul_epu32((__m128i)(a), (__m128i)(b)))

/* SSE2 has no shuffle of bytes: rows are bytes of a 32-bit integer, columns are such integers. */
#define w_columns(x, c)                                                                                                \
    ((word)_mm_shuffle_epi32((__m128i)(x), (c) == 1 ? 0x39 : (c) == 2 ? 0x4e : (c) == 3 ? 0x93 : 0xe4))
#define w_move(x, r, c) w_columns(NAME(rows)(x, r), c)
static inline word svconn_gcm_vector128_rows(word x, unsigned r) {
    word32 y = (word32)x;
    return r ? (word)(y >> 8 * r | y << (32 - 8 * r)) : x;
}
static inline word svconn_gcm_vector128_reverse(word x) {
    const word even = {UINT64_C(0x00ff00ff00ff00ff), UINT64_C(0x00ff00ff00ff00ff)};
    x = (x >> 8 & even) | (x & even) << 8;
    return (word)_mm_shufflehi_epi16(_mm_shufflelo_epi16((__m128i)x, 0x1b), 0x1b);
}
#define w_swap NAME(reverse)
#elif defined(SVCONN_WASM)
#define w_load(p) ((word)wasm_v128_load(p))
#define w_store(p, a) wasm_v128_store(p, (v128_t)(a))
#define w_spread w_load
#define w_shuffle(x, m) ((word)wasm_i8x16_swizzle((v128_t)(x), m))
#define w_even(a, b) __builtin_shufflevector(a, b, 0, 2)
#define w_odd(a, b) __builtin_shufflevector(a, b, 1, 3)
#define w_mul32(a, b) (((a)&UINT32_MAX) * ((b)&UINT32_MAX))
#define w_indexes wasm_v128_load
#else
#define w_load(p) ((word)vld1q_u8((const uint8_t *)(p)))
#define w_store(p, a) vst1q_u8((uint8_t *)(p), (uint8x16_t)(a))
#define w_spread w_load
#define w_shuffle(x, m) ((word)vqtbl1q_u8((uint8x16_t)(x), m))
#define w_even(a, b) ((word)vzip1q_u64((uint64x2_t)(a), (uint64x2_t)(b)))
#define w_odd(a, b) ((word)vzip2q_u64((uint64x2_t)(a), (uint64x2_t)(b)))
#define w_mul32(a, b) ((word)vmull_u32(vmovn_u64((uint64x2_t)(a)), vmovn_u64((uint64x2_t)(b))))
#define w_swap(x) ((word)vrev64q_u8((uint8x16_t)(x)))
#define w_indexes vld1q_u8
#endif

#include "gcm_vector.h"
#else
typedef int svconn_no_vector128;
#endif
