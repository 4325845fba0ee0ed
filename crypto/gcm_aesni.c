/* SPDX-License-Identifier: ISC */
/* AES-256-GCM on AES-NI, PCLMULQDQ and AVX: one block to a vector, 8 in flight. See gcm_x86.h. */
#include "backend.h"
#ifdef SVCONN_X86
#include "ct.h"
#include "ghash.h"
#include <immintrin.h>

#define TARGET __attribute__((target("aes,pclmul,avx")))
#define NAME(x) svconn_gcm_aesni_##x
#define LANES 1
#define W 8

#define vec __m128i
#define v_zero _mm_setzero_si128
#define v_xor _mm_xor_si128
#define v_enc _mm_aesenc_si128
#define v_enclast _mm_aesenclast_si128
#define v_clmul _mm_clmulepi64_si128
#define v_load(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define v_store(p, a) _mm_storeu_si128((__m128i *)(void *)(p), a)
#define v_dup v_load
#define v_swap(a) _mm_shuffle_epi8(a, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#define v_add32(a, n) _mm_add_epi32(a, _mm_set_epi32(0, 0, 0, (int)(n)))
#define v_fold(a) (a)
#define v_first_counters NAME(first_counters)
#define v_load_part NAME(load_part)
#define v_store_part NAME(store_part)
#define v_cut NAME(cut)
#define v_widen(a) (a)
#define v_first(a) (a)

TARGET static inline vec NAME(first_counters)(const uint8_t j0[16]) { return v_add32(v_swap(v_load(j0)), 1); }

TARGET static inline vec NAME(load_part)(const uint8_t *p, size_t n) {
    uint8_t block[16] = {0};
    if (n == 16) return v_load(p);
    memcpy(block, p, n);
    vec a = v_load(block);
    ct_wipe(block, sizeof block);
    return a;
}

TARGET static inline void NAME(store_part)(uint8_t *p, vec a, size_t n) {
    uint8_t block[16];
    if (n == 16) {
        v_store(p, a);
        return;
    }
    v_store(block, a);
    memcpy(p, block, n);
    ct_wipe(block, sizeof block);
}

/* The first n bytes, then zeros. */
TARGET static inline vec NAME(cut)(vec a, size_t n) {
    static const uint8_t mask[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return _mm_and_si128(a, v_load(mask + 16 - n));
}

#include "gcm_x86.h"
#endif
