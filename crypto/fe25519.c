/* SPDX-License-Identifier: ISC */
/*
 * The field of 2^255 - 19 elements: what all representations share, and powers. Interface and bounds: fe25519.h.
 * Constant time throughout. Arrays that held secrets are wiped; what the compiler keeps of single limbs in its own
 * stack slots is out of reach of portable C.
 */
#include "fe25519.h"

#ifndef SVCONN_SMALL /* else: curve25519_small.c */

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

/* Written f^[n] for f^(2^n - 1): f^[m + n] = (f^[m])^(2^n) f^[n]. With n = 1, then 2, 10 and 50, that leads from 1 to 2, and over 4, 6, 8
 * to 10, over 20, 30, 40 to 50, over 100, 150, 200 to 250. y is f^[n], x is f^[i n]. */
void fe_power_begin(fe_power *p, const fe *f) {
    p->x = p->y = p->f = *f;
    p->n = p->i = 1;
}

int fe_power_more(fe_power *p, uint32_t *units) {
    while (p->n < 250) {
        if (!svconn_unit(units)) return 0;
        fe_sqn(&p->x, &p->x, p->n);
        fe_mul(&p->x, &p->x, &p->y);
        if (++p->i == (p->n == 1 ? 2 : 5)) {
            p->y = p->x;
            p->n = (uint8_t)(p->n * p->i);
            p->i = 1;
        }
    }
    return 1;
}

/* 2^252 - 3 = 2^2 (2^250 - 1) + 1 */
void fe_pow2523_end(fe *h, const fe_power *p) {
    fe_sqn(h, &p->x, 2);
    fe_mul(h, h, &p->f);
}

#if SVCONN_FE != 51 /* else see fe25519_invert.c */
/* p - 2 = 2^255 - 21 = 2^5 (2^250 - 1) + 11; 11 = 01011 */
void fe_invert_end(fe *h, const fe_power *p) {
    *h = p->x;
    for (unsigned i = 5; i-- > 0;) {
        fe_sq(h, h);
        if (11 >> i & 1) fe_mul(h, h, &p->f);
    }
}

void fe_invert(fe *h, const fe *f) {
    fe_power p;
    uint32_t all = SVCONN_NO_PAUSE;
    fe_power_begin(&p, f);
    (void)fe_power_more(&p, &all);
    fe_invert_end(h, &p);
    ct_wipe(&p, sizeof p);
}
#endif

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
#endif
