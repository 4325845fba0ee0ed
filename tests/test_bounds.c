/* SPDX-License-Identifier: ISC */
/*
 * The limb bounds of the curve code, for all inputs at once: the code itself runs here on an abstract field, in which a
 * limb is the largest value that it can have, or with a sign the largest size. Every operation checks what it takes
 * against fe25519.h (and that no difference of unsigned limbs can go below 0), and says how large its result can be. All
 * representations are followed side by side.
 * What the code branches on (is it zero, is it odd) is random, so that every path is taken.
 *
 * Inside a product all sums grow with the limbs. So it is enough that the largest limbs give the right product:
 * tests/test_curve.c, "products with limbs at their bounds".
 */
#ifdef SVCONN_SMALL /* no limbs with bounds: test_curve_small.c, limbs.py */
#include <stdio.h>
int main(void) {
    puts("skip bounds: small builds have none of this code");
    return 0;
}
#else
#ifndef SVCONN_PORTABLE_ONLY
#define SVCONN_PORTABLE_ONLY
#endif
#include "curve_copy.h"

#define SVCONN_CURVE_WORDS 4096 /* its elements are large */
#include "crypto.h"
#include "ct.h"
#include "ed25519_table.h"
#include "sc25519.h"
#include "slices.h"
#include "test.h"

/* ---- the abstract field, in place of fe25519.h ----------------------------------------------------------------- */
#define SVCONN_FE25519_H

enum { FORMS = 3, MOST_LIMBS = 20 };
typedef struct {
    uint64_t most[FORMS][MOST_LIMBS]; /* of five limbs of 51 bits, nine of 29, twenty of 13 */
    uint8_t bytes[32];                /* what fe_from_bytes read, or noise */
} fe;
typedef enum { TIGHT, LOOSE, WIDE } size_class;

static int violations, operations, inversions;

static uint8_t noise(void) {
    static uint64_t state = 20250713;
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint8_t)(z >> 50);
}
static void fill(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) p[i] = noise();
}

static unsigned limbs(unsigned form) { return form == 0 ? 5 : form == 1 ? 9 : 20; }
static uint64_t unit(unsigned form) { return (uint64_t)1 << (form == 0 ? 51 : form == 1 ? 28 : 12); }

/* Limb i of n p in five limbs, written as n times the largest nominal limbs, less 18 n in the lowest one:
 * 2^255 - 1 - 18 = p */
static uint64_t multiple_of_p(unsigned i, unsigned n) { return n * (unit(0) - 1) - (i == 0 ? n * 18 : 0); }

/* The largest limb of a class, by the definitions in fe25519_51.h, fe25519_29.h and fe25519_13.h */
static uint64_t largest(unsigned form, size_class c) {
    uint64_t tight = unit(form) + (form == 0 ? ((uint64_t)1 << 41) - 1 : form == 1 ? 1 << 16 : 4);
    if (c == TIGHT) return tight;
    if (form == 0) return c == LOOSE ? 3 * (tight + 1) - 1 : ((uint64_t)1 << 54) - 1;
    return c == LOOSE || form == 2 ? 2 * tight : 3 * tight;
}

#define EACH(form, i)                                                                                                  \
    for (unsigned form = 0; form < FORMS; form++)                                                                      \
        for (unsigned i = 0; i < limbs(form); i++)

static void want(const fe *f, size_class c) {
    operations++;
    EACH(form, i) violations += f->most[form][i] > largest(form, c);
}

static void give(fe *h, size_class c) {
    EACH(form, i) h->most[form][i] = largest(form, c);
    fill(h->bytes, 32);
}

/* Limbs of all bits and no sign */
static inline void fe_from_words(fe *h, const uint64_t w[4]) {
    (void)w;
    EACH(form, i) h->most[form][i] = (form == 0 ? 1 : 2) * unit(form) - 1;
    want(h, LOOSE);
    fill(h->bytes, 32);
}

static inline void fe_from_bytes(fe *h, const uint8_t in[32]) {
    give(h, TIGHT);
    memcpy(h->bytes, in, 32);
    h->bytes[31] &= 127;
}

static inline void fe_from_small(fe *h, uint8_t n) {
    EACH(form, i) h->most[form][i] = i == 0 ? n : 0;
    fill(h->bytes, 32);
}

static inline void fe_add(fe *h, const fe *f, const fe *g) {
    want(f, TIGHT);
    want(g, TIGHT);
    EACH(form, i) h->most[form][i] = f->most[form][i] + g->most[form][i];
    want(h, LOOSE);
}

/* scale() of fe25519_narrow.c: the columns are what a number of 13 bits can have, or one of 29. */
static void settle(fe *h, unsigned form) {
    for (unsigned i = 0; i < limbs(form); i++) {
        violations += h->most[form][i] > 4 * largest(form, TIGHT);
        h->most[form][i] = largest(form, TIGHT);
    }
}

static inline void fe_add2(fe *h, const fe *f, const fe *g) {
    want(f, LOOSE);
    want(g, TIGHT);
    EACH(form, i) h->most[form][i] = f->most[form][i] + g->most[form][i];
    settle(h, 2);
    want(h, WIDE);
}

/* n: of 2p or 4p, which is added where limbs have no sign */
static void difference(fe *h, const fe *f, const fe *g, unsigned n) {
    EACH(form, i) {
        if (form == 0) violations += g->most[0][i] > multiple_of_p(i, n);
        h->most[form][i] = f->most[form][i] + (form == 0 ? multiple_of_p(i, n) : g->most[form][i]);
    }
}

static inline void fe_sub(fe *h, const fe *f, const fe *g) {
    want(f, TIGHT);
    want(g, TIGHT);
    difference(h, f, g, 2);
    want(h, LOOSE);
}

static inline void fe_sub2(fe *h, const fe *f, const fe *g) {
    want(f, LOOSE);
    want(g, LOOSE);
    difference(h, f, g, 4);
    settle(h, 1);
    settle(h, 2);
    want(h, WIDE);
}

/* Where limbs have no sign, 0 - f or f */
static inline void fe_negate_if(fe *f, uint64_t mask) {
    (void)mask;
    want(f, LOOSE);
    for (unsigned i = 0; i < limbs(0); i++) {
        violations += f->most[0][i] > multiple_of_p(i, 2);
        f->most[0][i] = multiple_of_p(i, 2);
    }
    want(f, LOOSE);
}

static inline void fe_both(fe *sum, fe *difference, const fe *f, const fe *g) {
    fe s;
    fe_add(&s, f, g);
    fe_sub(difference, f, g);
    *sum = s;
}

static inline void fe_mul(fe *h, const fe *f, const fe *g) {
    want(f, WIDE);
    want(g, WIDE);
    give(h, TIGHT);
}
static inline void fe_sq(fe *h, const fe *f) { fe_mul(h, f, f); }
static inline void fe_small(fe *h, const fe *f) {
    want(f, LOOSE);
    give(h, TIGHT);
}
static inline void fe_invert(fe *h, const fe *f) {
    inversions++;
    fe_mul(h, f, f);
}
typedef struct {
    fe x, f;
} fe_power;
static inline void fe_power_begin(fe_power *p, const fe *f) { p->f = *f; }
static inline int fe_power_more(fe_power *p, const uint32_t *units) { return (void)p, (void)units, 1; }
static inline void fe_pow2523_end(fe *h, const fe_power *p) { fe_mul(h, &p->f, &p->f); }
static inline void fe_invert_begin(fe_power *p, const fe *f) { p->f = *f; }
static inline int fe_invert_more(fe_power *p, const uint32_t *units) { return fe_power_more(p, units); }
static inline void fe_invert_end(fe *h, const fe_power *p) { fe_invert(h, &p->f); }

/* Either may become the other. */
static inline void fe_swap(fe *f, fe *g, uint64_t mask) {
    (void)mask;
    EACH(form, i) {
        uint64_t a = f->most[form][i], b = g->most[form][i];
        f->most[form][i] = g->most[form][i] = a > b ? a : b;
    }
}

static inline void fe_to_bytes(uint8_t out[32], const fe *f) {
    want(f, TIGHT);
    memcpy(out, f->bytes, 32);
}
static inline uint32_t fe_is_odd(const fe *f) {
    want(f, TIGHT);
    return noise() & 1;
}
static inline uint32_t fe_is_zero(const fe *f) {
    want(f, TIGHT);
    return noise() & 1;
}

static inline void fe_to_words(uint64_t w[4], const fe *f) {
    want(f, TIGHT);
    fill((uint8_t *)w, 32);
    w[3] &= UINT64_MAX >> 1;
}

#ifdef SVCONN_LARGE_TABLES
/* ---- the abstract field in four lanes, in place of fe25519_avx2.h and fe25519_ifma.h ------------------------------
 * Both are followed side by side: ten limbs of 26 and 25 bits; five of 51. */
#define FE4_TARGET
#define FE4 static inline
enum { TEN, FIVE };

typedef struct {
    uint64_t most[2][4][10];
} fe4;
typedef struct {
    uint8_t from[4]; /* bits for the lanes that may be taken */
} fe4_choice;
typedef struct {
    uint32_t n;
} fe4_factor;
typedef int fe4_row_t;
typedef struct {
    fe4_row_t row[3];
} fe4_entry;
static inline fe4_choice FE4_CHOICE(unsigned a, unsigned b, unsigned c, unsigned d) {
    fe4_choice r = {{(uint8_t)(1 << a), (uint8_t)(1 << b), (uint8_t)(1 << c), (uint8_t)(1 << d)}};
    return r;
}
#define EACH4(w, j, i)                                                                                                 \
    for (unsigned w = 0; w < 2; w++)                                                                                   \
        for (unsigned j = 0; j < 4; j++)                                                                               \
            for (unsigned i = 0; i < (w == TEN ? 10u : 5u); i++)

static uint64_t unit4(unsigned w, unsigned i) { return w == TEN ? (uint64_t)1 << (26 - (i & 1)) : unit(0); }
static uint64_t multiple4(unsigned w, unsigned i, unsigned n) { return n * (unit4(w, i) - 1) - (i == 0 ? n * 18 : 0); }
/* By the definitions in fe25519_avx2.h and fe25519_ifma.h. There, loose is all that a product takes. */
static uint64_t largest4(unsigned w, unsigned i, size_class c) {
    if (w == FIVE && c != TIGHT) return ((uint64_t)1 << 52) - 1;
    return (c == TIGHT ? 1 : c == LOOSE ? 3 : 4) * (unit4(w, i) + 16384) - 1;
}
/* lanes: bits */
static void want4(const fe4 *f, unsigned lanes, size_class c) {
    operations++;
    EACH4(w, j, i) violations += (lanes >> j & 1) && f->most[w][j][i] > largest4(w, i, c);
}
static void give4(fe4 *h, size_class c) {
    EACH4(w, j, i) h->most[w][j][i] = largest4(w, i, c);
}
/* fe4_carry of fe25519_ifma.h: what is above a unit goes to the next limb, from the last one 19-fold to the first. */
static void settle4(fe4 *h) {
    for (unsigned j = 0; j < 4; j++) {
        uint64_t *r = h->most[FIVE][j], c[5];
        for (unsigned i = 0; i < 5; i++) {
            c[i] = r[i] >> 51;
            if (c[i] > 0) r[i] = unit4(FIVE, i) - 1;
        }
        r[0] += 19 * c[4];
        for (unsigned i = 1; i < 5; i++) r[i] += c[i - 1];
    }
    for (unsigned j = 0; j < 4; j++)
        for (unsigned i = 0; i < 5; i++) violations += h->most[FIVE][j][i] > largest4(FIVE, i, TIGHT);
}
/* Either may be taken. */
static inline fe4_choice fe4_choose(uint64_t mask, fe4_choice a, fe4_choice b) {
    (void)mask;
    for (unsigned j = 0; j < 4; j++) a.from[j] |= b.from[j];
    return a;
}
static inline void fe4_lanes(fe4 *h, const fe4 *f, fe4_choice c) {
    fe4 r;
    memset(&r, 0, sizeof r);
    EACH4(w, j, i) {
        for (unsigned k = 0; k < 4; k++) {
            if ((c.from[j] >> k & 1) && f->most[w][k][i] > r.most[w][j][i]) r.most[w][j][i] = f->most[w][k][i];
        }
    }
    *h = r;
}
static inline void fe4_exchange(fe4 *h, const fe4 *f) { fe4_lanes(h, f, FE4_CHOICE(1, 0, 3, 2)); }
static inline void fe4_blend(fe4 *h, unsigned which, const fe4 *f, const fe4 *g) {
    EACH4(w, j, i) h->most[w][j][i] = which >> j & 1 ? f->most[w][j][i] : g->most[w][j][i];
}
static inline void fe4_keep(fe4 *h, unsigned which, const fe4 *f) {
    EACH4(w, j, i) h->most[w][j][i] = which >> j & 1 ? f->most[w][j][i] : 0;
}
static inline void fe4_add(fe4 *h, const fe4 *f, const fe4 *g) {
    want4(f, 15, TIGHT);
    want4(g, 15, TIGHT);
    EACH4(w, j, i) h->most[w][j][i] = f->most[w][j][i] + g->most[w][j][i];
    settle4(h);
    want4(h, 15, LOOSE);
}

/* Even lanes: sums. Odd ones: differences, from either. */
static inline void fe4_sum_diff(fe4 *h, const fe4 *f) {
    fe4 r;
    want4(f, 15, TIGHT);
    EACH4(w, j, i) {
        uint64_t x = f->most[w][j][i], y = f->most[w][j ^ 1][i], p2 = multiple4(w, i, 2);
        violations += x > p2;
        r.most[w][j][i] = !(j & 1) ? x + y : p2 + (x > y ? x : y);
    }
    *h = r;
    settle4(h);
    want4(h, 15, LOOSE);
}
static inline void fe4_diff_sum(fe4 *h, const fe4 *f) { fe4_sum_diff(h, f); }

static inline void fe4_mul(fe4 *h, const fe4 *f, const fe4 *g, fe4 *space) {
    want4(f, 15, WIDE);
    want4(g, 15, LOOSE);
    give4(space, WIDE);
    give4(h, TIGHT);
}
static inline void fe4_prepare_words(fe4_factor *r, uint32_t n, const uint64_t w[4]) {
    violations += n >= 1u << 20 || w[3] >> 63 != 0;
    r->n = n;
}
static inline void fe4_mul_factor(fe4 *h, const fe4 *f, const fe4_factor *g, const fe4 *plus) {
    violations += g->n == 0;
    want4(f, 15, LOOSE);
    want4(plus, 15, TIGHT);
    give4(h, TIGHT);
}
/* Lane 3: X + Y, which is carried in limbs of 51 bits only. */
static inline void fe4_double(fe4 *h, const fe4 *f, fe4 space[2]) {
    fe4 half = *f;
    for (unsigned i = 0; i < 10; i++) half.most[TEN][3][i] /= 2;
    want4(&half, 15, TIGHT);
    give4(&space[1], WIDE);
    give4(h, TIGHT);
}

static inline fe4_row_t fe4_row(const uint64_t w[4]) { return w != NULL; }
static inline fe4_row_t fe4_two(void) { return 1; }
static inline fe4_entry fe4_look_up(const uint64_t table[16][12], uint32_t index) {
    fe4_entry r = {{table != NULL, 1, 1}};
    violations += index >= 16;
    return r;
}
static inline void fe4_from_rows(fe4 *h, fe4_row_t w0, fe4_row_t w1, fe4_row_t w2, fe4_row_t w3) {
    violations += !(w0 && w1 && w2 && w3);
    EACH4(w, j, i) h->most[w][j][i] = unit4(w, i) - 1;
}
static inline void fe4_load(fe4 *h, uint64_t w[4][4]) {
    fe4_from_rows(h, fe4_row(w[0]), fe4_row(w[1]), fe4_row(w[2]), fe4_row(w[3]));
}
/* From ten limbs to five, two and two; from five to five */
static inline void fe4_to_fe(fe h[4], const fe4 *f) {
    want4(f, 15, TIGHT);
    for (unsigned j = 0; j < 4; j++) {
        give(&h[j], TIGHT);
        for (unsigned w = 0; w < 2; w++) {
            const uint64_t *limb = f->most[w][j];
            for (unsigned i = 0; i < 5; i++)
                h[j].most[0][i] = w == TEN ? limb[2 * i] + (limb[2 * i + 1] << 26) : limb[i];
            want(&h[j], TIGHT);
        }
        fill(h[j].bytes, 32);
    }
}
#endif

/* ---- the code --------------------------------------------------------------------------------------------------- */
#include "ge25519.c"
#include "x25519.c"
#include "ed25519.c"

#ifdef SVCONN_LARGE_TABLES
#define NAME(x) lanes_##x
int NAME(curve25519_is_right)(void);
void NAME(ge_base)(ge *r, const uint8_t n[32]);
void NAME(ge_double_base)(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]);
void NAME(x25519_ladder)(fe *x2, fe *z2, const uint8_t e[32], const fe *x1);
#include "curve25519_vector.h"
#endif

/* ---- what it does ----------------------------------------------------------------------------------------------- */
static void none(int operations_at_least) {
    CHECK(violations == 0);
    CHECK(operations >= operations_at_least);
    violations = operations = inversions = 0;
}

/* A check that cannot fail says nothing. */
static void planted(void) {
    fe a, b;
    give(&a, TIGHT);
    fe_add(&b, &a, &a);
    fe_add2(&b, &b, &a);
    fe_sub(&a, &a, &a);
    CHECK(violations == 0);
    fe_add(&b, &a, &a); /* a sum of what is not tight */
    CHECK(violations > 0);
    give(&a, TIGHT);
    give(&b, LOOSE);
    violations = 0;
    fe_sub(&b, &a, &b); /* may go below 0 */
    CHECK(violations > 0);
    give(&a, WIDE);
    violations = 0;
    a.most[0][3]++;
    fe_mul(&b, &a, &a); /* one limb, in one representation */
    CHECK(violations == 2);
    give(&a, LOOSE);
    violations = 0;
    (void)fe_is_zero(&a);
    CHECK(violations > 0);
    violations = operations = 0;
}

static void x25519_bounds(void) {
    uint8_t k[32], u[32], out[32];
    for (unsigned i = 0; i < 4; i++) {
        fill(k, 32);
        fill(u, 32);
        int shared = svconn_x25519(out, k, u);
        CHECK(shared == 1); /* out is noise */
        none(255 * 18);
        svconn_x25519_public(out, k);
        none(52 * 13);
    }
}

static void signing_bounds(void) {
    uint8_t seed[32], key[32], sig[64];
    for (unsigned i = 0; i < 4; i++) {
        fill(seed, 32);
        svconn_ed25519_public(key, seed);
        none(52 * 13);
        svconn_ed25519_sign(sig, seed, key, seed, 32);
        none(52 * 13);
    }
}

/* A key is decoded by chance here, one time in three or so; then both scalars are random. */
static void verifying_bounds(void) {
    uint8_t key[32], sig[64], u[32];
    int decoded = 0, deep = 0, good = 0;
    for (unsigned i = 0; i < 200; i++) {
        fill(key, 32);
        fill(sig, 64);
        sig[63] &= 15;
        decoded += svconn_ed25519_check(key);
        none(20);
        good += svconn_ed25519_verify(sig, key, key, i % 33);
        deep += inversions > 0; /* the encoding of [S]B - [k]A */
        none(20);
        svconn_ed25519_to_x25519(u, key);
        none(3);
    }
    CHECK(decoded > 20 && decoded < 180);
    CHECK(deep > 20 && good == 0); /* R is noise */
}

#ifdef SVCONN_LARGE_TABLES
static void lanes_planted(void) {
    fe4 a, b, space;
    give4(&a, TIGHT);
    fe4_diff_sum(&b, &a);
    fe4_mul(&a, &b, &b, &space);
    CHECK(violations == 0);
    EACH4(w, j, i) b.most[w][j][i] = largest4(w, i, LOOSE);
    fe4_diff_sum(&b, &b); /* may go below 0 */
    CHECK(violations > 0);
    for (unsigned w = 0; w < 2; w++) { /* one limb, in one representation */
        give4(&a, LOOSE);
        give4(&b, WIDE);
        violations = 0;
        b.most[w][2][3]++;
        fe4_mul(&a, &b, &a, &space);
        CHECK(violations == 1);
    }
    violations = 0;
    give4(&b, WIDE);
    fe4_mul(&a, &a, &b, &space); /* wide on the wrong side */
    CHECK(violations == 40);
    give4(&a, TIGHT);
    violations = 0;
    EACH4(w, j, i) b.most[w][j][i] = a.most[w][j][i] * 2; /* not carried: only ten limbs have room */
    fe4_mul(&a, &b, &a, &space);
    CHECK(violations == 20);
    give4(&a, TIGHT);
    violations = 0;
    a.most[FIVE][1][4] = (uint64_t)863 << 51; /* a carry that is too large */
    settle4(&a);
    CHECK(violations == 1);
    violations = operations = 0;
}

static void lanes_bounds(void) {
    uint8_t k[32], n[32];
    fe x, z;
    ge p, q;
    for (unsigned i = 0; i < 20; i++) {
        fill(k, 32);
        fill(n, 32);
        k[31] &= 127;
        n[31] &= 127;
        give(&p.x, TIGHT);
        p.t = p.z = p.y = p.x;
        lanes_x25519_ladder(&x, &z, k, &p.x);
        none(255 * 6);
        lanes_ge_base(&q, k);
        none(52 * 4);
        lanes_ge_double_base(&q, k, &p, n);
        none(240 * 4);
    }
    (void)lanes_curve25519_is_right();
    none(255 * 6);
}

#endif

int main(void) {
    TEST("bounds: a wrong bound would be seen", planted);
    TEST("bounds: X25519, all forms of the field, all inputs", x25519_bounds);
    TEST("bounds: Ed25519 keys and signatures", signing_bounds);
    TEST("bounds: Ed25519 checks and verification", verifying_bounds);
#ifdef SVCONN_LARGE_TABLES
    TEST("bounds: a wrong bound in a lane would be seen", lanes_planted);
    TEST("bounds: X25519 and Ed25519 in four lanes, both forms of the field", lanes_bounds);
#endif
    return TEST_EXIT();
}
#endif
