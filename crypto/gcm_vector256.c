/* SPDX-License-Identifier: ISC */
/* AES-256-GCM, bitsliced on AVX2: 16 blocks in eight vectors. See gcm_vector.h. */
#include "backend.h"
#ifdef SVCONN_X86
#include "aes256.h"
#include "ct.h"
#include "ghash.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define NAME(x) svconn_gcm_vector256_##x
#define LANES 2

typedef uint64_t word __attribute__((vector_size(32)));

#define w_load(p) ((word)_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define w_store(p, a) _mm256_storeu_si256((__m256i *)(void *)(p), (__m256i)(a))
#define w_spread(p) ((word)_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#define FROM(r, c, i) (char)((((i) + (r)) & 3) | (((i) + 4 * (c)) & 12)) /* where byte i comes from */
#define LANE(r, c)                                                                                                     \
    FROM(r, c, 15), FROM(r, c, 14), FROM(r, c, 13), FROM(r, c, 12), FROM(r, c, 11), FROM(r, c, 10), FROM(r, c, 9),     \
        FROM(r, c, 8), FROM(r, c, 7), FROM(r, c, 6), FROM(r, c, 5), FROM(r, c, 4), FROM(r, c, 3), FROM(r, c, 2),       \
        FROM(r, c, 1), FROM(r, c, 0)
#define w_move(x, r, c) ((word)_mm256_shuffle_epi8((__m256i)(x), _mm256_set_epi8(LANE(r, c), LANE(r, c))))
#define w_swap(x)                                                                                                      \
    ((word)_mm256_shuffle_epi8((__m256i)(x), _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607,                 \
                                                               0x08090a0b0c0d0e0f, 0x0001020304050607)))
#define w_even(a, b) ((word)_mm256_unpacklo_epi64((__m256i)(a), (__m256i)(b)))
#define w_odd(a, b) ((word)_mm256_unpackhi_epi64((__m256i)(a), (__m256i)(b)))
#define w_mul32(a, b) ((word)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))

#include "gcm_vector.h"
#else
typedef int svconn_no_vector256;
#endif
