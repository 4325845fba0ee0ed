/* SPDX-License-Identifier: ISC */
/* AES-256-GCM on VAES and VPCLMULQDQ with 256-bit vectors: two blocks to a vector, 16 in flight. See gcm_x86.h. */
#include "backend.h"
#ifdef SVCONN_X86
#include "ct.h"
#include "ghash.h"
#include <immintrin.h>

#define TARGET __attribute__((target("aes,pclmul,avx2,vaes,vpclmulqdq")))
#define NAME(x) svconn_gcm_vaes256_##x
#define LANES 2
#define W 8

#define vec __m256i
#define v_zero _mm256_setzero_si256
#define v_xor _mm256_xor_si256
#define v_enc _mm256_aesenc_epi128
#define v_enclast _mm256_aesenclast_epi128
#define v_clmul _mm256_clmulepi64_epi128
#define v_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define v_store(p, a) _mm256_storeu_si256((__m256i *)(void *)(p), a)
#define v_dup(p) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define v_swap(a)                                                                                                      \
    _mm256_shuffle_epi8(                                                                                               \
        a, _mm256_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f))
#define v_add32(a, n) _mm256_add_epi32(a, _mm256_set_epi32(0, 0, 0, (int)(n), 0, 0, 0, (int)(n)))
#define v_fold(a) _mm_xor_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1))
#define v_first_counters NAME(first_counters)
#define v_load_part NAME(load_part)
#define v_store_part NAME(store_part)
#define v_cut NAME(cut)
#define v_widen(a) _mm256_zextsi128_si256(a)
#define v_first(a) _mm256_castsi256_si128(a)

TARGET static inline vec NAME(first_counters)(const uint8_t j0[16]) {
    return _mm256_add_epi32(v_swap(v_dup(j0)), _mm256_set_epi32(0, 0, 0, 2, 0, 0, 0, 1));
}

TARGET static inline vec NAME(load_part)(const uint8_t *p, size_t n) {
    uint8_t blocks[32] = {0};
    if (n == 32) return v_load(p);
    memcpy(blocks, p, n);
    vec a = v_load(blocks);
    ct_wipe(blocks, sizeof blocks);
    return a;
}

TARGET static inline void NAME(store_part)(uint8_t *p, vec a, size_t n) {
    uint8_t blocks[32];
    if (n == 32) {
        v_store(p, a);
        return;
    }
    v_store(blocks, a);
    memcpy(p, blocks, n);
    ct_wipe(blocks, sizeof blocks);
}

/* The first n bytes, then zeros. */
TARGET static inline vec NAME(cut)(vec a, size_t n) {
    static const uint8_t mask[64] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    return _mm256_and_si256(a, v_load(mask + 32 - n));
}

#include "gcm_x86.h"
#endif
