/* SPDX-License-Identifier: ISC */
/* AES-256-GCM, bitsliced on AVX2: 16 blocks in eight vectors. See gcm_vector.h. */
#include "backend.h"
#if defined(SVCONN_VECTORS) && defined(SVCONN_X86)
#include "aes256.h"
#include "ct.h"
#include "ghash.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define NAME(x) svconn_gcm_vector256_##x
#define LANES 2

typedef uint64_t svconn_vector256 __attribute__((vector_size(32)));
#define word svconn_vector256

#define w_load(p) ((word)_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define w_store(p, a) _mm256_storeu_si256((__m256i *)(void *)(p), (__m256i)(a))
#define w_spread(p) ((word)_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#define w_shuffle(x, m) ((word)_mm256_shuffle_epi8((__m256i)(x), _mm256_broadcastsi128_si256(m)))
#define w_even(a, b) ((word)_mm256_unpacklo_epi64((__m256i)(a), (__m256i)(b)))
#define w_odd(a, b) ((word)_mm256_unpackhi_epi64((__m256i)(a), (__m256i)(b)))
#define w_mul32(a, b) ((word)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))

#include "gcm_vector.h"
#else
typedef int svconn_no_vector256;
#endif
