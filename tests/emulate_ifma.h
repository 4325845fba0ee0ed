/* SPDX-License-Identifier: ISC */
/*
 * The two instructions of AVX-512 IFMA on vectors of 256 bits, in C: a machine without them can still test the code
 * that uses them. Include it before fe25519_ifma.h, whose other instructions are those of AVX2. Source: Intel 64 and
 * IA-32 Architectures Software Developer's Manual, volume 2, "Operation" of VPMADD52LUQ and VPMADD52HUQ.
 */
#ifndef SVCONN_EMULATE_IFMA_H
#define SVCONN_EMULATE_IFMA_H

#include <immintrin.h>
#include <stdint.h>

#define FE4_TARGET __attribute__((target("avx2")))

/* In how many lanes a factor had more than the 52 bits that are read, or a sum more than 64. */
static uint64_t ifma_lost;

typedef union {
    __m256i v;
    uint64_t at[4];
} ifma_vector;

__attribute__((target("avx2"), noinline)) static __m256i emulated_madd52(__m256i sum, __m256i f, __m256i g, int high) {
    ifma_vector r = {.v = sum}, a = {.v = f}, b = {.v = g};
    const uint64_t m52 = ((uint64_t)1 << 52) - 1;
    for (unsigned i = 0; i < 4; i++) {
        __extension__ unsigned __int128 p = (unsigned __int128)(a.at[i] & m52) * (b.at[i] & m52);
        uint64_t half = (uint64_t)(high ? p >> 52 : p) & m52;
        if (a.at[i] > m52 || b.at[i] > m52 || r.at[i] > UINT64_MAX - half) ifma_lost++;
        r.at[i] += half;
    }
    return r.v;
}

#undef _mm256_madd52lo_epu64
#undef _mm256_madd52hi_epu64
#define _mm256_madd52lo_epu64(sum, f, g) emulated_madd52(sum, f, g, 0)
#define _mm256_madd52hi_epu64(sum, f, g) emulated_madd52(sum, f, g, 1)

#endif
