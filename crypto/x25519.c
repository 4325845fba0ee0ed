/* SPDX-License-Identifier: ISC */
/*
 * X25519: RFC 7748, sections 4.1 and 5. The Montgomery ladder with a masked swap, on projective x only; the public
 * key of a scalar by the table of Ed25519's base point and the map of section 4.1, where that is large.
 * Constant time in the scalar, and in u too.
 */
#include "crypto.h"
#include "cpu.h"
#include "fe25519.h"
#include "ge25519.h"

#ifndef SVCONN_SMALL /* else: curve25519_small.c */

/* Tight between steps. x1: the base. left: bits of e that are still to come. */
typedef struct {
    fe x2, z2, x3, z3, x1;
    uint8_t e[32];
    uint8_t left, swap;
} ladder;

/* Of a step: in one place, to be wiped once */
typedef struct {
    fe a, b, c, d;
} step_work;

/* The result is a / p->f. */
typedef struct {
    union {
        ladder l;
        ge_base_work b;
    } u;
    fe a;
    fe_power p;
} SVCONN_MAY_ALIAS x25519_work;

/* The results are x / z and x2 / z2 of the ladder; p is for z z2. */
typedef struct {
    ladder l;
    fe x, z;
    fe_power p;
    uint8_t scalar2[32];
} SVCONN_MAY_ALIAS pair_work;

static void clamp(uint8_t e[32], const uint8_t scalar[32]) {
    memcpy(e, scalar, 32);
    e[0] &= 248;
    e[31] &= 127;
    e[31] |= 64;
}

/* Section 5, the body of the loop; without `both`, (x2 : z2) is doubled and that is all. Capital letters are the names there; (t): tight,
 * (l): loose. */
static void ladder_step(ladder *s, step_work *w, int both) {
    fe_both(&w->a, &w->b, &s->x2, &s->z2); /* A, B (l) */
    if (both) {
        fe_both(&w->c, &w->d, &s->x3, &s->z3); /* C, D (l) */
        fe_mul(&w->d, &w->d, &w->a);    /* DA (t) */
        fe_mul(&w->c, &w->c, &w->b);    /* CB (t) */
        fe_both(&s->x3, &s->z3, &w->d, &w->c); /* DA + CB, DA - CB (l) */
        fe_sq(&s->x3, &s->x3);
        fe_sq(&s->z3, &s->z3);          /* (t) */
        fe_mul(&s->z3, &s->z3, &s->x1);
    }
    fe_sq(&w->a, &w->a);            /* AA (t) */
    fe_sq(&w->b, &w->b);            /* BB (t) */
    fe_mul(&s->x2, &w->a, &w->b);
    fe_sub(&w->b, &w->a, &w->b);    /* E (l) */
    fe_small(&w->d, &w->b);         /* a24 E (t) */
    fe_add(&w->d, &w->d, &w->a);    /* AA + a24 E (l) */
    fe_mul(&s->z2, &w->b, &w->d);
}

static void swap_if(ladder *s, unsigned bit) {
    uint64_t mask = ct_mask64(bit);
    fe_swap(&s->x2, &s->x3, mask);
    fe_swap(&s->z2, &s->z3, mask);
}

static void ladder_begin(ladder *s, const uint8_t scalar[32], const uint8_t u[32]) {
    clamp(s->e, scalar);
    fe_from_bytes(&s->x1, u);
    s->x2 = s->x3 = s->x1;
    fe_from_small(&s->z2, 1);
    s->z3 = s->z2;
    s->left = 255;
    s->swap = 0;
}

/* 1: x2 and z2 are those after all 255 bits of e. The bits 2, 1 and 0 are 0: only doublings are left. The highest one is 1: so is the first step,
 * from (u : 1) to [2] of it, with (u : 1) in (x3 : z3) before and after. */
static int ladder_more(ladder *s, uint32_t *units) {
    step_work w;
    while (s->left && svconn_unit(units)) {
        unsigned t = --s->left, bit = s->e[t >> 3] >> (t & 7) & 1u;
        swap_if(s, s->swap ^ bit);
        s->swap = (uint8_t)bit;
        ladder_step(s, &w, t >= 3 && t < 254);
    }
    ct_wipe(&w, sizeof w);
    if (s->left) return 0;
    swap_if(s, s->swap);
    s->swap = 0;
    return 1;
}

/* All of it at once, where the CPU has something better */
static void ladder_fast(ladder *s, uint32_t units) {
#ifdef SVCONN_CURVE_X86
    unsigned can = units == SVCONN_NO_PAUSE ? svconn_cpu() : 0;
    if (can & SVCONN_CPU_IFMA) svconn_x25519_ladder_ifma(&s->x2, &s->z2, s->e, &s->x1);
    else if (can & SVCONN_CPU_AVX2) svconn_x25519_ladder_avx2(&s->x2, &s->z2, s->e, &s->x1);
    else return;
    s->left = 0;
#else
    (void)s, (void)units;
#endif
}

/* The last phase of both operations: out = a / p->f */
static int divide(x25519_work *v, uint32_t *units, uint8_t out[32]) {
    if (!fe_invert_more(&v->p, units)) return SVCONN_UNFINISHED;
    fe_invert_end(&v->p.x, &v->p); /* 0 for 0: then out is zero, as RFC 7748 section 5 wants it */
    fe_mul(&v->a, &v->a, &v->p.x);
    fe_to_bytes(out, &v->a);
    ct_wipe(v, sizeof *v);
    return 1;
}

static int x25519(x25519_work *v, uint32_t *phase, uint32_t *units, uint8_t out[32], const uint8_t scalar[32],
                  const uint8_t u[32]) {
    if (*phase == 0) {
        ladder_begin(&v->u.l, scalar, u);
        ladder_fast(&v->u.l, *units);
        *phase = 1;
    }
    if (*phase == 1) {
        if (!ladder_more(&v->u.l, units)) return SVCONN_UNFINISHED;
        v->a = v->u.l.x2;
        fe_invert_begin(&v->p, &v->u.l.z2);
        *phase = 2;
    }
    if (divide(v, units, out) < 0) return SVCONN_UNFINISHED;
    *phase = 0;
    uint32_t good = ct_all_zero(out, 32) ^ 1;
    CT_RELEASE(&good, sizeof good);
    return (int)good;
}

int svconn_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    x25519_work v;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    return x25519(&v, &phase, &units, out, scalar, u);
}

/* Two results, and one inversion: 1 / (z z2) */
static int x25519_pair(pair_work *v, uint32_t *phase, uint32_t *units, uint8_t out[64], const uint8_t scalar[32],
                       const uint8_t u[32], const uint8_t scalar2[32], const uint8_t u2[32]) {
    ladder *l = &v->l;
    if (*phase == 0) {
        memcpy(v->scalar2, scalar2, 32);
        ladder_begin(l, scalar, u);
        ladder_fast(l, *units);
        *phase = 1;
    }
    if (*phase == 1) {
        if (!ladder_more(l, units)) return SVCONN_UNFINISHED;
        v->x = l->x2;
        v->z = l->z2;
        ladder_begin(l, v->scalar2, u2);
        ladder_fast(l, *units);
        *phase = 2;
    }
    if (*phase == 2) {
        if (!ladder_more(l, units)) return SVCONN_UNFINISHED;
        fe_mul(&v->p.f, &v->z, &l->z2);
        fe_invert_begin(&v->p, &v->p.f);
        *phase = 3;
    }
    if (!fe_invert_more(&v->p, units)) return SVCONN_UNFINISHED;
    fe_invert_end(&v->p.x, &v->p); /* 0 for 0: then both are zero, and refused */
    fe_mul(&v->x, &v->x, &l->z2);
    fe_mul(&v->x, &v->x, &v->p.x);
    fe_to_bytes(out, &v->x);
    fe_mul(&l->x2, &l->x2, &v->z);
    fe_mul(&l->x2, &l->x2, &v->p.x);
    fe_to_bytes(out + 32, &l->x2);
    ct_wipe(v, sizeof *v);
    *phase = 0;
    uint32_t good = (ct_all_zero(out, 32) | ct_all_zero(out + 32, 32)) ^ 1;
    CT_RELEASE(&good, sizeof good);
    return (int)good;
}

int svconn_x25519_pair(uint8_t out[64], const uint8_t scalar[32], const uint8_t u[32], const uint8_t scalar2[32], const uint8_t u2[32]) {
    pair_work v;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    return x25519_pair(&v, &phase, &units, out, scalar, u, scalar2, u2);
}

/* u = (1 + y) / (1 - y) = (Z + Y) / (Z - Y), section 4.1. It maps the base point to u = 9. Z = Y would be the
 * identity, but a clamped scalar is a multiple of 8 in [2^254, 2^255) and no such one is a multiple of L. */
static int x25519_public(x25519_work *v, uint32_t *phase, uint32_t *units, uint8_t out[32], const uint8_t scalar[32]) {
    if (*phase == 0) {
        uint8_t e[32];
        clamp(e, scalar);
        svconn_ge_base_begin(&v->u.b, e, *units);
        ct_wipe(e, sizeof e);
        *phase = 1;
    }
    if (*phase == 1) {
        const ge *p = &v->u.b.r;
        if (!svconn_ge_base_more(&v->u.b, units)) return SVCONN_UNFINISHED;
        fe_both(&v->a, &v->p.f, &p->z, &p->y);
        fe_invert_begin(&v->p, &v->p.f);
        *phase = 2;
    }
    if (divide(v, units, out) < 0) return SVCONN_UNFINISHED;
    *phase = 0;
    return 1;
}

void svconn_x25519_public(uint8_t out[32], const uint8_t scalar[32]) {
    x25519_work v;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    (void)x25519_public(&v, &phase, &units, out, scalar);
}

#ifndef SVCONN_NO_SLICES
typedef char x25519_work_fits[sizeof(x25519_work) <= 8 * SVCONN_CURVE_WORDS ? 1 : -1];
typedef char pair_work_fits[sizeof(pair_work) <= 8 * SVCONN_CURVE_WORDS ? 1 : -1];

int svconn_x25519_slice(svconn_curve_work *w, uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    return w->units ? x25519((x25519_work *)(void *)w->words, &w->phase, &w->units, out, scalar, u) : SVCONN_UNFINISHED;
}

int svconn_x25519_pair_slice(svconn_curve_work *w, uint8_t out[64], const uint8_t scalar[32], const uint8_t u[32],
                             const uint8_t scalar2[32], const uint8_t u2[32]) {
    return w->units ? x25519_pair((pair_work *)(void *)w->words, &w->phase, &w->units, out, scalar, u, scalar2, u2) : SVCONN_UNFINISHED;
}

int svconn_x25519_public_slice(svconn_curve_work *w, uint8_t out[32], const uint8_t scalar[32]) {
    return w->units ? x25519_public((x25519_work *)(void *)w->words, &w->phase, &w->units, out, scalar) : SVCONN_UNFINISHED;
}
#endif
#endif
