/* SPDX-License-Identifier: ISC */
/*
 * 1 / f mod p by division steps: D. J. Bernstein, B.-Y. Yang, "Fast constant-time gcd computation and modular
 * inversion" (CHES 2019), sections 8 to 11; with delta beginning at 1/2 instead of 1, for which 590 steps are enough
 * for 256 bits: B. Salling Hvass, D. Aranha, B. Spitters, "High-assurance field inversion for curve-based cryptography"
 * (CSF 2023). For machines with 64 x 64 -> 128 bit products it takes half of the time of the power p - 2; others use
 * that (fe25519.c). Constant time.
 *
 * A step takes delta, f odd, g to
 *      1 - delta, g, (g - f) / 2                   if delta > 0 and g is odd
 *      1 + delta, f, (g + (g mod 2) f) / 2         else
 * After 590 of them from f = p, g = x the number f is 1 or -1 and g is 0 (or, if x = 0, f stays p). d and e are such
 * that d x = f and e x = g mod p, all the time: in the end x has the inverse d f.
 *
 * n steps look at the lower n bits of f and g only, and multiply (f, g) by a matrix [u v; q r] / 2^n, so 59 are made at
 * a time, on one word. Then the whole numbers follow. Right shifts of negative numbers carry the sign along, as in all
 * compilers that have __int128.
 */
#include "fe25519.h"

#if SVCONN_FE == 51 && !defined(SVCONN_SMALL)

__extension__ typedef __int128 i128;

/* Five signed limbs of 62 bits: v[0] to v[3] in [0, 2^62), v[4] has the sign. |value| < 2^257. */
typedef struct {
    int64_t v[5];
} number;

/* [u v; q r], 2^62 / 2^59 = 8 times the one of 59 steps / 2^59. Each row has |u| + |v| <= 2^62. */
typedef struct {
    int64_t u, v, q, r;
} matrix;

#define M62 (((uint64_t)1 << 62) - 1)

/* The state of the steps: minus is -(delta + 1/2), negative if delta > 0; f and g mod 2^64, of which n steps leave 64 -
 * n bits of g right. */
typedef struct {
    uint64_t minus, f, g;
} state;

/* n steps, n <= 30, and their matrix, times 2^n. Its rows are kept as u + 2^32 v and q + 2^32 r mod 2^64 (T. Pornin,
 * "Optimized binary GCD for modular inversion", ePrint 2020/972): they are added, doubled and negated like numbers, and
 * as |u|, |v| <= 2^30 they come apart again.
 * x is f, or -f if a step may be of the first kind: it is added to g if g is odd. Then g - f added to f is g. */
static matrix some_steps(state *s, unsigned n) {
    uint64_t minus = s->minus, f = s->f, g = s->g, uv = 1, qr = (uint64_t)1 << 32;
    for (unsigned i = 0; i < n; i++) {
        uint64_t first = ct_mask64(minus >> 63), odd = ct_mask64(g & 1);
        g += ((f ^ first) - first) & odd;
        qr += ((uv ^ first) - first) & odd;
        first &= odd;
        minus = (minus ^ first) - 1;
        f += g & first;
        uv += qr & first;
        g >>= 1;
        uv <<= 1;
    }
    s->minus = minus;
    s->f = f;
    s->g = g;
    matrix m;
    m.u = (int32_t)(uint32_t)uv;
    m.v = (int64_t)(uv - (uint64_t)m.u) >> 32;
    m.q = (int32_t)(uint32_t)qr;
    m.r = (int64_t)(qr - (uint64_t)m.q) >> 32;
    return m;
}

static matrix steps_59(state *s) {
    matrix a = some_steps(s, 30), b = some_steps(s, 29), m;
    m.u = 8 * (b.u * a.u + b.v * a.q);
    m.v = 8 * (b.u * a.v + b.v * a.r);
    m.q = 8 * (b.q * a.u + b.r * a.q);
    m.r = 8 * (b.q * a.v + b.r * a.r);
    ct_wipe(&a, sizeof a);
    ct_wipe(&b, sizeof b);
    return m;
}

/* (f, g) = [u v; q r] (f, g) / 2^62: the lower 62 bits are zero. Sums are below 2^62 2^62 + 2^64 < 2^125. */
static void update_fg(number *f, number *g, const matrix *m) {
    i128 a = 0, b = 0;
    for (unsigned i = 0; i < 5; i++) {
        int64_t x = f->v[i], y = g->v[i];
        a += (i128)m->u * x + (i128)m->v * y;
        b += (i128)m->q * x + (i128)m->r * y;
        if (i > 0) {
            f->v[i - 1] = (int64_t)((uint64_t)a & M62);
            g->v[i - 1] = (int64_t)((uint64_t)b & M62);
        }
        a >>= 62;
        b >>= 62;
    }
    f->v[4] = (int64_t)a;
    g->v[4] = (int64_t)b;
}

/* All ones if x < 0. */
static inline int64_t sign_mask(int64_t x) { return (int64_t)ct_mask64((uint64_t)x >> 63); }

/* (d, e) = [u v; q r] (d, e) / 2^62 mod p, both in (-2p, p). For d: p is added to d and e if they are negative, so that
 * they are in (-p, p) and their sum with u and v in 2^62 (-p, p); then as many p are taken away, fewer than 2^62, that
 * the lower 62 bits are zero. Both together: a times p. p = 128 * 2^248 - 19. */
static void update_de(number *d, number *e, const matrix *m) {
    const uint64_t p_inverse = UINT64_C(0x39435e50d79435e5); /* mod 2^62 */
    int64_t sd = sign_mask(d->v[4]), se = sign_mask(e->v[4]);
    int64_t a = (m->u & sd) + (m->v & se), b = (m->q & sd) + (m->r & se);
    i128 x = (i128)m->u * d->v[0] + (i128)m->v * e->v[0];
    i128 y = (i128)m->q * d->v[0] + (i128)m->r * e->v[0];
    a -= (int64_t)((p_inverse * (uint64_t)x + (uint64_t)a) & M62);
    b -= (int64_t)((p_inverse * (uint64_t)y + (uint64_t)b) & M62);
    x = (x - (i128)19 * a) >> 62;
    y = (y - (i128)19 * b) >> 62;
    for (unsigned i = 1; i < 5; i++) {
        x += (i128)m->u * d->v[i] + (i128)m->v * e->v[i];
        y += (i128)m->q * d->v[i] + (i128)m->r * e->v[i];
        if (i == 4) x += (i128)128 * a, y += (i128)128 * b;
        d->v[i - 1] = (int64_t)((uint64_t)x & M62);
        e->v[i - 1] = (int64_t)((uint64_t)y & M62);
        x >>= 62;
        y >>= 62;
    }
    d->v[4] = (int64_t)x;
    e->v[4] = (int64_t)y;
}

/* d in (-2p, p), negated if sign is all ones, to [0, p) */
static void reduce(uint64_t w[4], const number *d, int64_t sign) {
    int64_t t[5], c;
    for (unsigned pass = 0; pass < 2; pass++) {
        const int64_t *from = pass == 0 ? d->v : t;
        int64_t add = sign_mask(from[4]), minus = pass == 0 ? sign : 0;
        c = 0;
        for (unsigned i = 0; i < 5; i++) {
            c += ((from[i] + ((i == 0 ? -19 : i == 4 ? 128 : 0) & add)) ^ minus) - minus;
            t[i] = i < 4 ? (int64_t)((uint64_t)c & M62) : c;
            c >>= 62;
        }
    }
    w[0] = (uint64_t)t[0] | (uint64_t)t[1] << 62;
    w[1] = (uint64_t)t[1] >> 2 | (uint64_t)t[2] << 60;
    w[2] = (uint64_t)t[2] >> 4 | (uint64_t)t[3] << 58;
    w[3] = (uint64_t)t[3] >> 6 | (uint64_t)t[4] << 56;
    ct_wipe(t, sizeof t);
}

void fe_invert(fe *h, const fe *x) {
    number f = {{-19, 0, 0, 0, 128}}, g, d = {{0}}, e = {{1}};
    uint64_t w[4];
    state s = {~(uint64_t)0, 0, 0}; /* -(1/2 + 1/2) */
    matrix m;
    fe one, t;
    fe_from_small(&one, 1);
    fe_mul(&t, x, &one);
    fe_to_words(w, &t);
    g.v[0] = (int64_t)(w[0] & M62);
    g.v[1] = (int64_t)((w[0] >> 62 | w[1] << 2) & M62);
    g.v[2] = (int64_t)((w[1] >> 60 | w[2] << 4) & M62);
    g.v[3] = (int64_t)((w[2] >> 58 | w[3] << 6) & M62);
    g.v[4] = (int64_t)(w[3] >> 56);
    for (unsigned i = 0; i < 10; i++) {
        s.f = (uint64_t)f.v[0];
        s.g = (uint64_t)g.v[0];
        m = steps_59(&s);
        update_de(&d, &e, &m);
        update_fg(&f, &g, &m);
    }
    reduce(w, &d, sign_mask(f.v[4]));
    fe_from_words(h, w);
    ct_wipe(&f, sizeof f);
    ct_wipe(&g, sizeof g);
    ct_wipe(&d, sizeof d);
    ct_wipe(&e, sizeof e);
    ct_wipe(&s, sizeof s);
    ct_wipe(&m, sizeof m);
    ct_wipe(&t, sizeof t);
    ct_wipe(w, sizeof w);
}

#else
typedef int svconn_fe25519_invert_is_in_fe25519_c;
#endif
