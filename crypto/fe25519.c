/* SPDX-License-Identifier: ISC */
/*
 * The field of 2^255 - 19 elements: what is too large to be inline, and powers. Interface and bounds: fe25519.h.
 * Constant time throughout. Arrays that held secrets are wiped; what the compiler keeps of single limbs in its own
 * stack slots is out of reach of portable C.
 */
#include "fe25519.h"

void fe_mul(fe *h, const fe *f, const fe *g) { fe_mul_inline(h, f, g); }
void fe_sq(fe *h, const fe *f) { fe_sq_inline(h, f); }
void fe_small(fe *h, const fe *f) { fe_small_inline(h, f); }

void fe_sqn(fe *h, const fe *f, unsigned n) {
    fe t = *f;
    for (unsigned i = 0; i < n; i++) fe_sq_inline(&t, &t);
    *h = t;
    ct_wipe(&t, sizeof t);
}

/* a = f^(2^250 - 1) and b = f^11. Written f^[n] for f^(2^n - 1): f^[m + n] = (f^[m])^(2^n) f^[n]. */
static void power_2_250(fe *a, fe *b, const fe *f) {
    fe t, x5, x10, x50;
    fe_sq(&t, f);           /* f^2 */
    fe_sqn(a, &t, 2);       /* f^8 */
    fe_mul(a, a, f);        /* f^9 */
    fe_mul(b, a, &t);       /* f^11 */
    fe_sq(&t, b);           /* f^22 */
    fe_mul(&x5, &t, a);     /* f^31 = f^[5] */
    fe_sqn(&t, &x5, 5);
    fe_mul(&x10, &t, &x5);  /* f^[10] */
    fe_sqn(&t, &x10, 10);
    fe_mul(a, &t, &x10);    /* f^[20] */
    fe_sqn(&t, a, 20);
    fe_mul(&t, &t, a);      /* f^[40] */
    fe_sqn(&t, &t, 10);
    fe_mul(&x50, &t, &x10); /* f^[50] */
    fe_sqn(&t, &x50, 50);
    fe_mul(a, &t, &x50);    /* f^[100] */
    fe_sqn(&t, a, 100);
    fe_mul(&t, &t, a);      /* f^[200] */
    fe_sqn(&t, &t, 50);
    fe_mul(a, &t, &x50);    /* f^[250] */
    ct_wipe(&t, sizeof t);
    ct_wipe(&x5, sizeof x5);
    ct_wipe(&x10, sizeof x10);
    ct_wipe(&x50, sizeof x50);
}

#if FE_LIMBS == 10 /* else see fe25519_invert.c */
/* p - 2 = 2^255 - 21 = 2^5 (2^250 - 1) + 11 */
void fe_invert(fe *h, const fe *f) {
    fe a, b;
    power_2_250(&a, &b, f);
    fe_sqn(&a, &a, 5);
    fe_mul(h, &a, &b);
    ct_wipe(&a, sizeof a);
    ct_wipe(&b, sizeof b);
}
#endif

/* 2^252 - 3 = 2^2 (2^250 - 1) + 1 */
void fe_pow2523(fe *h, const fe *f) {
    fe a, b;
    power_2_250(&a, &b, f);
    fe_sqn(&a, &a, 2);
    fe_mul(h, &a, f);
    ct_wipe(&a, sizeof a);
    ct_wipe(&b, sizeof b);
}

void fe_to_bytes(uint8_t out[32], const fe *f) {
    uint64_t w[4];
    fe_to_words(w, f);
    for (unsigned i = 0; i < 4; i++) store_le64(out + 8 * i, w[i]);
    ct_wipe(w, sizeof w);
}
