/* SPDX-License-Identifier: ISC */
/*
 * The field of 2^255 - 19 elements: what all representations share, and powers. Interface and bounds: fe25519.h.
 * Constant time throughout. Arrays that held secrets are wiped; what the compiler keeps of single limbs in its own
 * stack slots is out of reach of portable C.
 */
#include "fe25519.h"

#if SVCONN_FE == 51
void fe_mul(fe *h, const fe *f, const fe *g) { fe_mul_inline(h, f, g); }
void fe_sq(fe *h, const fe *f) { fe_sq_inline(h, f); }
void fe_small(fe *h, const fe *f) { fe_small_inline(h, f); }

void fe_from_bytes(fe *h, const uint8_t in[32]) {
    uint64_t w[4];
    for (unsigned i = 0; i < 4; i++) w[i] = load_le64(in + 8 * i);
    fe_from_words(h, w);
    ct_wipe(w, sizeof w);
}

void fe_to_bytes(uint8_t out[32], const fe *f) {
    uint64_t w[4];
    fe_to_words(w, f);
    for (unsigned i = 0; i < 4; i++) store_le64(out + 8 * i, w[i]);
    ct_wipe(w, sizeof w);
}

void fe_sqn(fe *h, const fe *f, unsigned n) {
    fe t = *f;
    for (unsigned i = 0; i < n; i++) fe_sq_inline(&t, &t);
    *h = t;
    ct_wipe(&t, sizeof t);
}
#else
void fe_sqn(fe *h, const fe *f, unsigned n) {
    for (fe_sq(h, f); n > 1; n--) fe_sq(h, h);
}
#endif

/* f^(2^250 - 1). Written f^[n] for f^(2^n - 1): f^[2 n] = (f^[n])^(2^n) f^[n] and f^[n + 1] = (f^[n])^2 f. So n follows
 * the bits of 250 = 0xfa: 1, 3, 7, 15, 31, 62, 125, 250. */
static void power_2_250(fe *h, const fe *f) {
    fe t, x = *f;
    for (unsigned i = 7, n = 1; i-- > 0;) {
        fe_sqn(&t, &x, n);
        fe_mul(&x, &t, &x);
        n = 250u >> i;
        if (n & 1) {
            fe_sq(&x, &x);
            fe_mul(&x, &x, f);
        }
    }
    *h = x;
    ct_wipe(&t, sizeof t);
    ct_wipe(&x, sizeof x);
}

#if SVCONN_FE != 51 /* else see fe25519_invert.c */
/* p - 2 = 2^255 - 21 = 2^5 (2^250 - 1) + 11; 11 = 01011 */
void fe_invert(fe *h, const fe *f) {
    fe x;
    power_2_250(&x, f);
    for (unsigned i = 5; i-- > 0;) {
        fe_sq(&x, &x);
        if (11 >> i & 1) fe_mul(&x, &x, f);
    }
    *h = x;
    ct_wipe(&x, sizeof x);
}
#endif

/* 2^252 - 3 = 2^2 (2^250 - 1) + 1 */
void fe_pow2523(fe *h, const fe *f) {
    fe x;
    power_2_250(&x, f);
    fe_sqn(&x, &x, 2);
    fe_mul(h, &x, f);
    ct_wipe(&x, sizeof x);
}

uint32_t fe_is_odd(const fe *f) {
    uint8_t s[32];
    fe_to_bytes(s, f);
    uint32_t odd = s[0] & 1;
    ct_wipe(s, sizeof s);
    return odd;
}

uint32_t fe_is_zero(const fe *f) {
    uint8_t s[32];
    fe_to_bytes(s, f);
    uint32_t zero = ct_all_zero(s, 32);
    ct_wipe(s, sizeof s);
    return zero;
}

void fe_from_small(fe *h, uint8_t n) {
    memset(h, 0, sizeof *h);
    h->v[0] = n;
}
