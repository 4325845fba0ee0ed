/* SPDX-License-Identifier: ISC */
/*
 * The instructions of VAES and VPCLMULQDQ, lane by lane on AES-NI and PCLMULQDQ: a machine without them can still test
 * the code that uses them. Include it before a backend's .c file.
 */
#ifndef SVCONN_EMULATE_VAES_H
#define SVCONN_EMULATE_VAES_H

#include <immintrin.h>

#define EMULATE(bits, features)                                                                                        \
    typedef union {                                                                                                    \
        __m##bits##i v;                                                                                                \
        __m128i lane[bits / 128];                                                                                      \
    } lanes##bits;                                                                                                     \
    __attribute__((target(features), noinline)) static __m##bits##i aesenc##bits(__m##bits##i a, __m##bits##i k,       \
                                                                                 int last) {                           \
        lanes##bits x = {.v = a}, y = {.v = k};                                                                        \
        for (int i = 0; i < bits / 128; i++)                                                                           \
            x.lane[i] = last ? _mm_aesenclast_si128(x.lane[i], y.lane[i]) : _mm_aesenc_si128(x.lane[i], y.lane[i]);    \
        return x.v;                                                                                                    \
    }                                                                                                                  \
    __attribute__((target(features), noinline)) static __m##bits##i clmul##bits(__m##bits##i a, __m##bits##i b,        \
                                                                                int halves) {                          \
        lanes##bits x = {.v = a}, y = {.v = b};                                                                        \
        for (int i = 0; i < bits / 128; i++) {                                                                         \
            __m128i p = halves & 0x01 ? _mm_unpackhi_epi64(x.lane[i], x.lane[i]) : x.lane[i];                          \
            __m128i q = halves & 0x10 ? _mm_unpackhi_epi64(y.lane[i], y.lane[i]) : y.lane[i];                          \
            x.lane[i] = _mm_clmulepi64_si128(p, q, 0);                                                                 \
        }                                                                                                              \
        return x.v;                                                                                                    \
    }

EMULATE(256, "aes,pclmul,avx2")
EMULATE(512, "aes,pclmul,avx512f,avx512bw")

#undef _mm256_aesenc_epi128
#undef _mm256_aesenclast_epi128
#undef _mm256_clmulepi64_epi128
#undef _mm512_aesenc_epi128
#undef _mm512_aesenclast_epi128
#undef _mm512_clmulepi64_epi128
#define _mm256_aesenc_epi128(a, k) aesenc256(a, k, 0)
#define _mm256_aesenclast_epi128(a, k) aesenc256(a, k, 1)
#define _mm256_clmulepi64_epi128(a, b, halves) clmul256(a, b, halves)
#define _mm512_aesenc_epi128(a, k) aesenc512(a, k, 0)
#define _mm512_aesenclast_epi128(a, k) aesenc512(a, k, 1)
#define _mm512_clmulepi64_epi128(a, b, halves) clmul512(a, b, halves)

#endif
