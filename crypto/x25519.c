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

/* The state (tight between steps) and the work space of a step: in one place, to be wiped once. */
typedef struct {
    fe x2, z2, x3, z3;
    fe a, b, aa, bb, e, c, d;
} ladder;

static void clamp(uint8_t e[32], const uint8_t scalar[32]) {
    memcpy(e, scalar, 32);
    e[0] &= 248;
    e[31] &= 127;
    e[31] |= 64;
}

/* Section 5, the body of the loop. Capital letters are the names there; (t): tight, (l): loose. */
static void ladder_step(ladder *s, const fe *x1) {
    fe_add(&s->a, &s->x2, &s->z2);  /* A (l) */
    fe_sub(&s->b, &s->x2, &s->z2);  /* B (l) */
    fe_add(&s->c, &s->x3, &s->z3);  /* C (l) */
    fe_sub(&s->d, &s->x3, &s->z3);  /* D (l) */
    fe_mul(&s->d, &s->d, &s->a);    /* DA (t) */
    fe_mul(&s->c, &s->c, &s->b);    /* CB (t) */
    fe_sq(&s->aa, &s->a);           /* AA (t) */
    fe_sq(&s->bb, &s->b);           /* BB (t) */
    fe_add(&s->a, &s->d, &s->c);    /* DA + CB (l) */
    fe_sub(&s->b, &s->d, &s->c);    /* DA - CB (l) */
    fe_sub(&s->e, &s->aa, &s->bb);  /* E (l) */
    fe_sq(&s->x3, &s->a);
    fe_sq(&s->b, &s->b);            /* (t) */
    fe_mul(&s->x2, &s->aa, &s->bb);
    fe_small(&s->d, &s->e);         /* a24 E (t) */
    fe_add(&s->d, &s->d, &s->aa);   /* AA + a24 E (l) */
    fe_mul(&s->z3, &s->b, x1);
    fe_mul(&s->z2, &s->e, &s->d);
}

/* x2 and z2 after all 255 bits of e. x1 is tight. */
static void run_ladder(ladder *s, const uint8_t e[32], const fe *x1) {
    uint64_t swap = 0;
    fe_from_small(&s->x2, 1);
    fe_from_small(&s->z2, 0);
    s->x3 = *x1;
    fe_from_small(&s->z3, 1);
    for (unsigned t = 255; t-- > 0;) {
        uint64_t bit = (uint64_t)(e[t >> 3] >> (t & 7)) & 1;
        uint64_t mask = ct_mask64(swap ^ bit);
        fe_swap(&s->x2, &s->x3, mask);
        fe_swap(&s->z2, &s->z3, mask);
        swap = bit;
        ladder_step(s, x1);
    }
    fe_swap(&s->x2, &s->x3, ct_mask64(swap));
    fe_swap(&s->z2, &s->z3, ct_mask64(swap));
}

int svconn_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    uint8_t e[32];
    fe x1;
    ladder s;
    clamp(e, scalar);
    fe_from_bytes(&x1, u);
#ifdef SVCONN_CURVE_X86
    if (svconn_cpu() & SVCONN_CPU_IFMA) svconn_x25519_ladder_ifma(&s.x2, &s.z2, e, &x1);
    else if (svconn_cpu() & SVCONN_CPU_AVX2) svconn_x25519_ladder_avx2(&s.x2, &s.z2, e, &x1);
    else
#endif
    run_ladder(&s, e, &x1);
    fe_invert(&s.z2, &s.z2); /* 0 for 0: then out is zero, as section 5 wants it */
    fe_mul(&s.x2, &s.x2, &s.z2);
    fe_to_bytes(out, &s.x2);
    ct_wipe(e, sizeof e);
    ct_wipe(&x1, sizeof x1);
    ct_wipe(&s, sizeof s);
    uint32_t good = ct_all_zero(out, 32) ^ 1;
    CT_RELEASE(&good, sizeof good);
    return (int)good;
}

#ifdef SVCONN_SMALL
/* With few points in the table of Ed25519 that is no faster, and the ladder is here already. 0 is no result of it: see
 * below. */
void svconn_x25519_public(uint8_t out[32], const uint8_t scalar[32]) {
    uint8_t nine[32] = {9};
    if (!svconn_x25519(out, scalar, nine)) memset(out, 0, 32);
}
#else
/* u = (1 + y) / (1 - y) = (Z + Y) / (Z - Y), section 4.1. It maps the base point to u = 9. Z = Y would be the
 * identity, but a clamped scalar is a multiple of 8 in [2^254, 2^255) and no such one is a multiple of L. */
void svconn_x25519_public(uint8_t out[32], const uint8_t scalar[32]) {
    uint8_t e[32];
    ge p;
    fe a, b;
    clamp(e, scalar);
    svconn_ge_base(&p, e);
    fe_add(&a, &p.z, &p.y);
    fe_sub(&b, &p.z, &p.y);
    fe_invert(&b, &b);
    fe_mul(&a, &a, &b);
    fe_to_bytes(out, &a);
    ct_wipe(e, sizeof e);
    ct_wipe(&p, sizeof p);
    ct_wipe(&a, sizeof a);
    ct_wipe(&b, sizeof b);
}
#endif
