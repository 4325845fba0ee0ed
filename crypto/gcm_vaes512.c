/* SPDX-License-Identifier: ISC */
/* AES-256-GCM on VAES and VPCLMULQDQ with 512-bit vectors: four blocks to a vector, 16 in flight. See gcm_x86.h. */
#include "backend.h"
#ifdef SVCONN_X86
#include "ct.h"
#include "ghash.h"
#include <immintrin.h>

#define TARGET __attribute__((target("aes,pclmul,avx512f,avx512bw,vaes,vpclmulqdq")))
#define NAME(x) svconn_gcm_vaes512_##x
#define LANES 4
#define W 4

#define vec __m512i
#define v_zero _mm512_setzero_si512
#define v_xor _mm512_xor_si512
#define v_enc _mm512_aesenc_epi128
#define v_enclast _mm512_aesenclast_epi128
#define v_clmul _mm512_clmulepi64_epi128
#define v_load(p) _mm512_loadu_si512(p)
#define v_store(p, a) _mm512_storeu_si512(p, a)
#define v_dup(p) _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define v_swap(a)                                                                                                      \
    _mm512_shuffle_epi8(a, _mm512_set_epi64(0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607,                \
                                            0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f,                \
                                            0x0001020304050607, 0x08090a0b0c0d0e0f))
#define v_add32(a, n) _mm512_add_epi32(a, _mm512_maskz_set1_epi32(0x1111, (int)(n)))
#define v_first_counters NAME(first_counters)
#define v_fold NAME(fold)
#define v_mask NAME(mask)
#define v_widen(a) _mm512_zextsi128_si512(a)
#define v_first(a) _mm512_castsi512_si128(a)

TARGET static inline __m128i NAME(fold)(vec a) {
    __m256i b = _mm256_xor_si256(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
}

TARGET static inline vec NAME(first_counters)(const uint8_t j0[16]) {
    return _mm512_add_epi32(v_swap(v_dup(j0)), _mm512_set_epi32(0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1));
}

/* The first n bytes, 1 to 64 */
TARGET static inline __mmask64 NAME(mask)(size_t n) { return ~UINT64_C(0) >> (64 - n); }
#define v_load_part(p, n) _mm512_maskz_loadu_epi8(v_mask(n), p)
#define v_store_part(p, a, n) _mm512_mask_storeu_epi8(p, v_mask(n), a)
#define v_cut(a, n) _mm512_maskz_mov_epi8(v_mask(n), a)

#include "gcm_x86.h"
#endif
