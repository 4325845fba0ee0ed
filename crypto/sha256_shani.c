/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 on the SHA extensions of x86. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
 * SHA256RNDS2, SHA256MSG1 and SHA256MSG2. Element 0 of a vector is its lowest.
 */
#include "backend.h"
#ifdef SVCONN_X86
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* Four steps. SHA256RNDS2 does two: it takes a, b, e, f in one vector and c, d, g, h in the other. As each of the old
 * a, b, e, f is two steps later one of c, d, g, h, the vectors change places by themselves. */
#define STEPS(w, t)                                                                                                    \
    do {                                                                                                               \
        __m128i wk = _mm_add_epi32(w, load128(svconn_sha256_k + (t)));                                                 \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);                                                                  \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));                                         \
    } while (0)

/* w0 ... w3 are W(t - 16) ... W(t - 1): W(t) ... W(t + 3) in the place of w0. */
#define SCHEDULE(w0, w1, w2, w3)                                                                                       \
    w0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3)

TARGET static inline __m128i load128(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

TARGET static inline __m128i load_message(const uint8_t *p) {
    return _mm_shuffle_epi8(load128(p), _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

TARGET void svconn_sha256_shani(uint32_t s[8], const uint8_t *p, size_t n) {
    __m128i badc = _mm_shuffle_epi32(load128(s), 0xb1), hgfe = _mm_shuffle_epi32(load128(s + 4), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xf0); /* a and c are highest */
    for (; n > 0; n--, p += 64) {
        __m128i abef0 = abef, cdgh0 = cdgh;
        __m128i w0 = load_message(p), w1 = load_message(p + 16);
        __m128i w2 = load_message(p + 32), w3 = load_message(p + 48);
        for (unsigned t = 0; t < 48; t += 16) {
            STEPS(w0, t);
            SCHEDULE(w0, w1, w2, w3);
            STEPS(w1, t + 4);
            SCHEDULE(w1, w2, w3, w0);
            STEPS(w2, t + 8);
            SCHEDULE(w2, w3, w0, w1);
            STEPS(w3, t + 12);
            SCHEDULE(w3, w0, w1, w2);
        }
        STEPS(w0, 48);
        STEPS(w1, 52);
        STEPS(w2, 56);
        STEPS(w3, 60);
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }
    __m128i abef_up = _mm_shuffle_epi32(abef, 0x1b), ghcd = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)s, _mm_blend_epi16(abef_up, ghcd, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(s + 4), _mm_alignr_epi8(ghcd, abef_up, 8));
}
#endif
