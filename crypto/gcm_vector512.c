/* SPDX-License-Identifier: ISC */
/* AES-256-GCM, bitsliced on AVX-512 F and BW: 32 blocks in eight vectors. See gcm_vector.h. */
#include "backend.h"
#if defined(SVCONN_VECTORS) && defined(SVCONN_X86)
#include "aes256.h"
#include "ct.h"
#include "ghash.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define NAME(x) svconn_gcm_vector512_##x
#define LANES 4

typedef uint64_t svconn_vector512 __attribute__((vector_size(64)));
#define word svconn_vector512

#define w_load(p) ((word)_mm512_loadu_si512((const void *)(p)))
#define w_store(p, a) _mm512_storeu_si512((void *)(p), (__m512i)(a))
#define w_spread(p) ((word)_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#define w_shuffle(x, m) ((word)_mm512_shuffle_epi8((__m512i)(x), _mm512_broadcast_i32x4(m)))
#define w_even(a, b) ((word)_mm512_unpacklo_epi64((__m512i)(a), (__m512i)(b)))
#define w_odd(a, b) ((word)_mm512_unpackhi_epi64((__m512i)(a), (__m512i)(b)))
#define w_mul32(a, b) ((word)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))

#include "gcm_vector.h"
#else
typedef int svconn_no_vector512;
#endif
