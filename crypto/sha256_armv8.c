/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 on the Cryptographic Extension of Armv8-A. Sources: Arm Architecture Reference Manual for A-profile,
 * SHA256H, SHA256H2, SHA256SU0, SHA256SU1; Arm C Language Extensions.
 */
#include "backend.h"
#ifdef SVCONN_ARM_SHA
#include <arm_neon.h>

/* gcc 12 wants all of "crypto" for these intrinsics, though "sha2" alone has the instructions (and sets the macro). */
#ifdef __clang__
#define TARGET
#else
#define TARGET __attribute__((target("+crypto")))
#endif

/* Four steps. SHA256H gives the new a, b, c, d; SHA256H2 the new e, f, g, h, from the old a, b, c, d. */
#define STEPS(w, t)                                                                                                    \
    do {                                                                                                               \
        uint32x4_t wk = vaddq_u32(w, vld1q_u32(svconn_sha256_k + (t))), before = abcd;                                 \
        abcd = vsha256hq_u32(abcd, efgh, wk);                                                                          \
        efgh = vsha256h2q_u32(efgh, before, wk);                                                                       \
    } while (0)

/* w0 ... w3 are W(t - 16) ... W(t - 1): W(t) ... W(t + 3) in the place of w0. */
#define SCHEDULE(w0, w1, w2, w3) w0 = vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3)

static inline uint32x4_t load_message(const uint8_t *p) { return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p))); }

TARGET void svconn_sha256_armv8(uint32_t s[8], const uint8_t *p, size_t n) {
    uint32x4_t abcd = vld1q_u32(s), efgh = vld1q_u32(s + 4);
    for (; n > 0; n--, p += 64) {
        uint32x4_t abcd0 = abcd, efgh0 = efgh;
        uint32x4_t w0 = load_message(p), w1 = load_message(p + 16);
        uint32x4_t w2 = load_message(p + 32), w3 = load_message(p + 48);
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
        abcd = vaddq_u32(abcd, abcd0);
        efgh = vaddq_u32(efgh, efgh0);
    }
    vst1q_u32(s, abcd);
    vst1q_u32(s + 4, efgh);
}
#endif
