/* SPDX-License-Identifier: ISC */
/*
 * The three instructions of the SHA extensions of x86 for SHA-256, in C: a machine without them can still test the code
 * that uses them. Include it before sha256_shani.c. Source: Intel 64 and IA-32 Architectures Software Developer's
 * Manual, volume 2, "Operation" of SHA256RNDS2, SHA256MSG1, SHA256MSG2; the names are the manual's. Element i of an
 * array is bits 32 * i to 32 * i + 31.
 */
#ifndef SVCONN_EMULATE_SHA_H
#define SVCONN_EMULATE_SHA_H

#include <immintrin.h>
#include <stdint.h>

typedef union {
    __m128i v;
    uint32_t at[4];
} sha_vector;

static inline uint32_t sha_ror(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }
static inline uint32_t sha_sigma0(uint32_t x) { return sha_ror(x, 7) ^ sha_ror(x, 18) ^ x >> 3; }
static inline uint32_t sha_sigma1(uint32_t x) { return sha_ror(x, 17) ^ sha_ror(x, 19) ^ x >> 10; }

/* From the highest element down SRC1 holds C, D, G, H, SRC2 A, B, E, F; the result A, B, E, F after two rounds. */
static inline __m128i emulated_sha256rnds2(__m128i dest, __m128i source, __m128i xmm0) {
    sha_vector src1 = {.v = dest}, src2 = {.v = source}, wk = {.v = xmm0}, out;
    uint32_t A = src2.at[3], B = src2.at[2], C = src1.at[3], D = src1.at[2];
    uint32_t E = src2.at[1], F = src2.at[0], G = src1.at[1], H = src1.at[0];
    for (unsigned i = 0; i < 2; i++) {
        uint32_t t = ((E & F) ^ (~E & G)) + (sha_ror(E, 6) ^ sha_ror(E, 11) ^ sha_ror(E, 25)) + wk.at[i] + H;
        uint32_t a = t + ((A & B) ^ (A & C) ^ (B & C)) + (sha_ror(A, 2) ^ sha_ror(A, 13) ^ sha_ror(A, 22));
        uint32_t e = t + D;
        H = G, G = F, F = E, E = e;
        D = C, C = B, B = A, A = a;
    }
    out.at[3] = A, out.at[2] = B, out.at[1] = E, out.at[0] = F;
    return out.v;
}

/* SRC1 holds W3 ... W0 from the highest element down, SRC2 W4 in its lowest. */
static inline __m128i emulated_sha256msg1(__m128i dest, __m128i source) {
    sha_vector src1 = {.v = dest}, src2 = {.v = source}, out;
    for (unsigned i = 0; i < 3; i++) out.at[i] = src1.at[i] + sha_sigma0(src1.at[i + 1]);
    out.at[3] = src1.at[3] + sha_sigma0(src2.at[0]);
    return out.v;
}

/* SRC2 holds W15, W14 in its upper half; the result is W19 ... W16 from the highest element down. */
static inline __m128i emulated_sha256msg2(__m128i dest, __m128i source) {
    sha_vector src1 = {.v = dest}, src2 = {.v = source}, out;
    out.at[0] = src1.at[0] + sha_sigma1(src2.at[2]);
    out.at[1] = src1.at[1] + sha_sigma1(src2.at[3]);
    out.at[2] = src1.at[2] + sha_sigma1(out.at[0]);
    out.at[3] = src1.at[3] + sha_sigma1(out.at[1]);
    return out.v;
}

#undef _mm_sha256rnds2_epu32
#undef _mm_sha256msg1_epu32
#undef _mm_sha256msg2_epu32
#define _mm_sha256rnds2_epu32 emulated_sha256rnds2
#define _mm_sha256msg1_epu32 emulated_sha256msg1
#define _mm_sha256msg2_epu32 emulated_sha256msg2

#endif
