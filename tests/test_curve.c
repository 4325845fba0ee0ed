/* SPDX-License-Identifier: ISC */
/*
 * X25519 and Ed25519: published and computed vectors; the field, the scalars and the tables against slow arithmetic
 * that is easy to check by eye.
 */
#include "cpu.h"
#include "crypto.h"
#include "backend.h"
#include "ct.h"
#ifndef SVCONN_SMALL /* else what is below the operations is in test_curve_small.c */
#include "ed25519_table.h"
#include "fe25519.h"
#if defined(SVCONN_CURVE_X86) && !defined(TEST_CURVE_IFMA)
#include "fe25519_avx2.h"
#endif
#include "curve_whole.h"
#include "ge25519.h"
#include "sc25519.h"
#endif
#include "slices.h"
#include "slow25519.h"
#include "test.h"
#include "vectors.h"

#ifndef SVCONN_SMALL
/* ---- the field ------------------------------------------------------------------ */
#define WEIGHT ((uint64_t)1 << SVCONN_FE) /* of a limb, in limbs before it */
#if SVCONN_FE == 51
/* The largest limbs of fe25519_51.h; none is below 0. */
#define MOST_TIGHT (WEIGHT + ((uint64_t)1 << 41) - 1)
#define MOST_LOOSE (3 * WEIGHT + ((uint64_t)3 << 41) - 1)
#define MOST_WIDE (8 * WEIGHT - 1)
typedef uint64_t limb_type;
#else
/* Those of fe25519_29.h and fe25519_13.h, of either sign */
#define MOST_TIGHT (WEIGHT / 2 + (SVCONN_FE == 29 ? 1 << 16 : 4))
#define MOST_LOOSE (2 * MOST_TIGHT)
#define MOST_WIDE (SVCONN_FE == 29 ? 3 * MOST_TIGHT : MOST_LOOSE)
typedef int64_t limb_type;
#endif

static int is_below(const fe *f, uint64_t most) {
    for (unsigned i = 0; i < FE_LIMBS; i++) {
        limb_type x = (limb_type)f->v[i];
        if ((SVCONN_FE != 51 && x < (limb_type)1 ? (uint64_t)0 - (uint64_t)x : (uint64_t)x) > most) return 0;
    }
    return 1;
}
static int is_tight(const fe *f) { return is_below(f, MOST_TIGHT); }

#ifndef TEST_CURVE_IFMA /* from here on: of what there is one form only */
/* The value of any limbs, mod p. */
static void value_of(uint8_t r[32], const fe *f) {
    uint8_t weight[32] = {1}, size[32] = {0};
    store_le64(size, WEIGHT);
    memcpy(r, ZERO, 32);
    for (unsigned i = 0; i < FE_LIMBS; i++) {
        uint8_t limb[32] = {0}, x[32];
        limb_type v = (limb_type)f->v[i];
        int negative = SVCONN_FE != 51 && v < (limb_type)1;
        store_le64(limb, negative ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
        slow_mul(x, limb, weight);
        if (negative) slow_sub(r, r, x);
        else slow_add(r, r, x);
        slow_mul(weight, weight, size);
    }
}

static int is_loose(const fe *f) { return is_below(f, MOST_LOOSE); }
static int is_wide(const fe *f) { return is_below(f, MOST_WIDE); }

enum { TIGHT, LOOSE, WIDE };

/* Limbs at the bounds of their class, or random ones. Which of them: a number from 0 to SHAPES - 1. */
#define SHAPES 12
static void shape(fe *f, unsigned which, int class) {
    for (unsigned i = 0; i < FE_LIMBS; i++) {
        uint64_t most = class == TIGHT ? MOST_TIGHT : class == LOOSE ? MOST_LOOSE : MOST_WIDE, r;
        int minus = 0;
        random_bytes((uint8_t *)&r, sizeof r);
        if (which == 0 || which == 9) r = most, minus = which == 9;
        else if (which == 1) r = WEIGHT / 2 - 1;
        else if (which == 2) r = WEIGHT / 2, minus = 1;
        else if (which == 3) r = 0;
        else if (which == 4 || which == 10) r = (i & 1) || which == 10 ? most : 0, minus = i & 1;
        else if (which == 5) r = (i & 1) ? 0 : most;
        else if (which == 6) minus = (int)(r >> 1 & 1), r = r & 1 ? most : 0;
        else if (which == 7) minus = (int)(r >> 9 & 1), r = r & 1 ? most : most - (r >> 1) % 64;
        else if (which == 11 && SVCONN_FE == 51) r = WEIGHT;
        else if (which == 11) r = most, minus = i == 0;
        else minus = (int)(r >> 63), r %= most + 1;
        if (SVCONN_FE == 51) minus = 0;
        f->v[i] = (__typeof__(f->v[0]))(minus ? (uint64_t)0 - r : r);
    }
}

/* Tight limbs that hold 0 to p - 1, p, p + 1, ...: those that to_bytes must reduce. */
static void field_canonical(void) {
    static const int offset[] = {-20, -19, -2, -1, 0, 1, 2, 17, 18};
    for (unsigned i = 0; i < sizeof offset / sizeof *offset; i++) {
        uint8_t in[32], want[32], got[32];
        fe f;
        memcpy(in, P, 32);
        in[0] = (uint8_t)(in[0] + offset[i]);
        for (unsigned top = 0; top < 2; top++) {
            in[31] = (uint8_t)((in[31] & 0x7f) | top << 7);
            fe_from_bytes(&f, in);
            CHECK(is_tight(&f));
            fe_to_bytes(got, &f);
            in[31] &= 0x7f;
            slow_mod(want, in, 32, P);
            CHECK_BYTES(got, want, 32);
            CHECK(fe_is_zero(&f) == (uint32_t)(offset[i] == 0));
            CHECK(fe_is_odd(&f) == (want[0] & 1u));
        }
    }
    for (unsigned n = 0; n < 256; n++) {
        uint8_t want[32] = {(uint8_t)n}, got[32];
        fe f;
        fe_from_small(&f, (uint8_t)n);
        fe_to_bytes(got, &f);
        CHECK_BYTES(got, want, 32);
    }
    for (unsigned i = 0; i < 40 * SHAPES; i++) {
        uint8_t want[32], got[32];
        fe f;
        shape(&f, i % SHAPES, TIGHT);
        value_of(want, &f);
        fe_to_bytes(got, &f);
        CHECK_BYTES(got, want, 32);
    }
}

/* All products and squares of limbs at their bounds; results must be right and tight. */
static void field_products(void) {
    static const uint8_t n[32] = {0x41, 0xdb, 0x01};
    for (unsigned i = 0; i < 3 * SHAPES * SHAPES; i++) {
        fe f, g, h;
        uint8_t a[32], b[32], want[32], got[32];
        shape(&f, i % SHAPES, WIDE);
        shape(&g, i / SHAPES % SHAPES, WIDE);
        value_of(a, &f);
        value_of(b, &g);
        fe_mul(&h, &f, &g);
        CHECK(is_tight(&h));
        slow_mul(want, a, b);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, want, 32);
        fe_sq(&h, &f);
        CHECK(is_tight(&h));
        slow_mul(want, a, a);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, want, 32);
        h = f;
        fe_mul(&h, &h, &h);
        slow_mul(want, a, a);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, want, 32);
        fe_sqn(&f, &f, 3);
        for (unsigned k = 0; k < 3; k++) slow_mul(a, a, a);
        fe_to_bytes(got, &f);
        CHECK_BYTES(got, a, 32);
        shape(&f, i % SHAPES, LOOSE);
        value_of(a, &f);
        fe_small(&h, &f);
        CHECK(is_tight(&h));
        slow_mul(want, a, n);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, want, 32);
    }
}

static void field_sums(void) {
    static const uint8_t TWO_255[32] = {[31] = 0x80};
    for (unsigned i = 0; i < 3 * SHAPES * SHAPES; i++) {
        fe f, g, h;
        uint8_t a[32], b[32], want[32], got[32];
        uint64_t w[4];
        shape(&f, i % SHAPES, TIGHT);
        shape(&g, i / SHAPES % SHAPES, TIGHT);
        value_of(a, &f);
        value_of(b, &g);
        fe_add(&h, &f, &g);
        CHECK(is_loose(&h));
        slow_add(want, a, b);
        value_of(got, &h);
        CHECK_BYTES(got, want, 32);
        shape(&h, i % 5, LOOSE);
        value_of(want, &h);
        slow_add(want, want, a);
        fe_add2(&h, &h, &f);
        CHECK(is_wide(&h));
        value_of(got, &h);
        CHECK_BYTES(got, want, 32);
        fe_sub(&h, &f, &g);
        CHECK(is_loose(&h));
        slow_sub(want, a, b);
        value_of(got, &h);
        CHECK_BYTES(got, want, 32);
        shape(&f, i % SHAPES, LOOSE);
        shape(&g, i / SHAPES % SHAPES, LOOSE);
        value_of(a, &f);
        value_of(b, &g);
        fe_sub2(&h, &f, &g);
        CHECK(is_wide(&h));
        slow_sub(want, a, b);
        value_of(got, &h);
        CHECK_BYTES(got, want, 32);
        h = f;
        fe_swap(&f, &g, 0);
        value_of(got, &f);
        CHECK_BYTES(got, a, 32);
        fe_swap(&f, &g, ~(uint64_t)0);
        value_of(got, &f);
        CHECK_BYTES(got, b, 32);
        value_of(got, &g);
        CHECK_BYTES(got, a, 32);
        random_bytes(want, 32);
        for (unsigned k = 0; k < 4; k++) w[k] = load_le64(want + 8 * k);
        fe_from_words(&h, w);
        CHECK(is_loose(&h));
        value_of(a, &h);
        slow_mod(want, want, 32, TWO_255);
        slow_mod(want, want, 32, P);
        CHECK_BYTES(a, want, 32);
        fe_negate_if(&h, 0);
        value_of(got, &h);
        CHECK_BYTES(got, a, 32);
        fe_negate_if(&h, ~(uint64_t)0);
        CHECK(is_loose(&h));
        slow_sub(want, ZERO, a);
        value_of(got, &h);
        CHECK_BYTES(got, want, 32);
    }
}

static void slow_power(uint8_t r[32], const uint8_t a[32], const uint8_t e[32]) {
    uint8_t x[32] = {1};
    for (unsigned bit = 256; bit-- > 0;) {
        slow_mul(x, x, x);
        if (e[bit / 8] >> (bit % 8) & 1) slow_mul(x, x, a);
    }
    memcpy(r, x, 32);
}

static void field_powers(void) {
    uint8_t inverse[32], root[32];
    memcpy(inverse, P, 32);
    inverse[0] = (uint8_t)(inverse[0] - 2);
    memset(root, 0xff, 32);
    root[0] = 0xfd;
    root[31] = 0x0f;
    for (unsigned i = 0; i < 2 * SHAPES; i++) {
        fe f, h;
        uint8_t a[32], want[32], got[32];
        shape(&f, i % SHAPES, WIDE);
        value_of(a, &f);
        fe_invert(&h, &f);
        CHECK(is_tight(&h));
        slow_power(want, a, inverse);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, want, 32);
        fe_mul(&h, &h, &f);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, memcmp(a, ZERO, 32) == 0 ? ZERO : ONE, 32);
        whole_pow2523(&h, &f);
        CHECK(is_tight(&h));
        slow_power(want, a, root);
        fe_to_bytes(got, &h);
        CHECK_BYTES(got, want, 32);
    }
}
#endif

/* ---- the field in four lanes ---------------------------------------------------------- */
#ifdef FE4_LIMBS
/* The same as above for limbs in 64-bit lanes. times: what the largest limb is of the tight one; on IFMA, what is not
 * tight may have all of 52 bits. */
static uint64_t unit4(unsigned i) { return FE4_NOMINAL(i) + 1; }
static uint64_t most4(unsigned i, unsigned times) {
    return FE4_LIMBS == 5 && times > 1 ? ((uint64_t)1 << 52) - 1 : times * (unit4(i) + 16384) - 1;
}

static void shape4(uint64_t limb[FE4_LIMBS], unsigned which, unsigned times) {
    for (unsigned i = 0; i < FE4_LIMBS; i++) {
        uint64_t one = unit4(i), most = most4(i, times), r;
        random_bytes((uint8_t *)&r, sizeof r);
        if (which == 0) limb[i] = most;
        else if (which == 1) limb[i] = one;
        else if (which == 2) limb[i] = 0;
        else if (which == 3) limb[i] = i & 1 ? most : 0;
        else if (which == 4) limb[i] = i & 1 ? 0 : most;
        else if (which == 5) limb[i] = r & 1 ? most : 0;
        else limb[i] = r % (most + 1);
    }
}

static void value_of4(uint8_t r[32], const uint64_t limb[FE4_LIMBS]) {
    uint8_t weight[32] = {1};
    memcpy(r, ZERO, 32);
    for (unsigned i = 0; i < FE4_LIMBS; i++) {
        uint8_t x[32] = {0}, size[32] = {0};
        store_le64(x, limb[i]);
        store_le64(size, unit4(i));
        slow_muladd(r, x, weight, r, P);
        slow_mul(weight, weight, size);
    }
}

typedef uint64_t lanes[4][FE4_LIMBS];
typedef uint8_t numbers[4][32];

FE4_TARGET static void to_lanes(fe4 *h, lanes x) {
    for (unsigned i = 0; i < FE4_LIMBS; i++) {
        uint64_t w[4] = {x[0][i], x[1][i], x[2][i], x[3][i]};
        h->v[i] = fe4_row(w);
    }
}

/* Are lanes right, and within the bound? */
FE4_TARGET static void check_lanes(const fe4 *h, numbers want, unsigned which, unsigned times) {
    lanes limb;
    uint8_t got[32];
    fe f[4];
    for (unsigned i = 0; i < FE4_LIMBS; i++) {
        uint64_t w[4];
        _mm256_storeu_si256((__m256i *)(void *)w, h->v[i]);
        for (unsigned j = 0; j < 4; j++) limb[j][i] = w[j];
    }
    if (times == 1) fe4_to_fe(f, h);
    for (unsigned j = 0; j < 4; j++) {
        for (unsigned i = 0; i < FE4_LIMBS; i++) CHECK(limb[j][i] <= most4(i, times));
        value_of4(got, limb[j]);
        if (which >> j & 1) CHECK_BYTES(got, want[j], 32);
        if (times == 1) {
            CHECK(is_tight(&f[j]));
            fe_to_bytes(want[j], &f[j]);
            CHECK_BYTES(got, want[j], 32);
        }
    }
}

static void shapes4(lanes x, numbers value, unsigned seed, unsigned times) {
    for (unsigned j = 0; j < 4; j++) {
        shape4(x[j], (seed + j * (seed / 7)) % 7, times);
        value_of4(value[j], x[j]);
    }
}

FE4_TARGET static void lanes_products(void) {
    static const uint8_t n[32] = {0x41, 0xdb, 0x01};
    for (unsigned i = 0; i < 4 * 49; i++) {
        lanes x, y, z;
        numbers a, b, c, d;
        uint64_t w[4];
        uint8_t bytes[32];
        fe4 f, g, h, plus, space[2];
        fe4_factor k;
        shapes4(x, a, i, 4);
        shapes4(y, b, i / 7, 3);
        to_lanes(&f, x);
        to_lanes(&g, y);
        fe4_mul(&h, &f, &g, space);
        for (unsigned j = 0; j < 4; j++) slow_mul(c[j], a[j], b[j]);
        check_lanes(&h, c, 15, 1);

        random_bytes(bytes, 32);
        if (i % 7 == 0) memset(bytes, 255, 32);
        bytes[31] &= 127;
        for (unsigned l = 0; l < 4; l++) w[l] = load_le64(bytes + 8 * l);
        shapes4(z, d, i / 2, 1);
        to_lanes(&plus, z);
        fe4_prepare_words(&k, 121665, w);
        fe4_mul_factor(&h, &g, &k, &plus);
        slow_muladd(c[1], b[1], n, d[1], P);
        slow_muladd(c[3], b[3], bytes, d[3], P);
        check_lanes(&h, c, 10, 1);

        shapes4(x, a, i, 1);
        shape4(x[3], i % 5, FE4_LIMBS == 5 ? 1 : 2);
        value_of4(a[3], x[3]);
        to_lanes(&f, x);
        fe4_double(&h, &f, space);
        for (unsigned j = 0; j < 4; j++) slow_mul(a[j], a[j], a[j]); /* A, B, C, S */
        slow_add(c[0], a[0], a[1]);
        slow_sub(c[1], a[1], a[0]);
        slow_add(c[2], a[2], a[2]);
        slow_sub(c[2], c[2], c[1]);
        slow_sub(c[3], a[3], c[0]);
        check_lanes(&h, c, 15, 1);
    }
}

FE4_TARGET static void lanes_sums(void) {
    const unsigned times = FE4_LIMBS == 5 ? 1 : 3; /* they are carried on IFMA */
    for (unsigned i = 0; i < 49; i++) {
        lanes x, y;
        numbers a, b, c;
        fe4 f, g, h;
        shapes4(x, a, i, 1);
        shapes4(y, b, i / 3, 1);
        to_lanes(&f, x);
        to_lanes(&g, y);
        for (unsigned j = 0; j < 4; j++) slow_add(c[j], a[j], b[j]);
        fe4_add(&h, &f, &g);
        check_lanes(&h, c, 15, times);
        for (unsigned j = 0; j < 4; j += 2) {
            slow_add(c[j], a[j], a[j + 1]);
            slow_sub(c[j + 1], a[j], a[j + 1]);
        }
        fe4_sum_diff(&h, &f);
        check_lanes(&h, c, 15, times);
        for (unsigned j = 0; j < 4; j += 2) slow_sub(c[j + 1], a[j + 1], a[j]);
        fe4_diff_sum(&h, &f);
        check_lanes(&h, c, 15, times);
    }
}

FE4_TARGET static void lanes_choices(void) {
    for (unsigned i = 0; i < 256; i++) {
        unsigned from[4] = {i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6};
        uint64_t w[4][4];
        fe end[4];
        numbers a, c;
        fe4 f, h;
        random_bytes((uint8_t *)w, sizeof w);
        fe4_load(&f, w);
        for (unsigned j = 0; j < 4; j++) {
            for (unsigned l = 0; l < 4; l++) store_le64(a[j] + 8 * l, w[j][l]);
            a[j][31] &= 127;
        }
        const fe4_choice yes = FE4_CHOICE((int)from[0], (int)from[1], (int)from[2], (int)from[3]);
        const fe4_choice no = FE4_CHOICE(3, 3, 3, 3);
        for (unsigned j = 0; j < 4; j++) slow_add(c[j], a[from[j]], ZERO);
        fe4_lanes(&h, &f, fe4_choose(~(uint64_t)0, yes, no));
        check_lanes(&h, c, 15, 1);
        fe4_lanes(&h, &f, fe4_choose(0, no, yes));
        check_lanes(&h, c, 15, 1);
        fe4_entry e = fe4_look_up(svconn_ed25519_comb[i % 13], i % 16);
        fe4_from_rows(&h, e.row[0], e.row[1], e.row[2], fe4_two());
        fe4_to_fe(end, &h);
        for (unsigned j = 0; j < 3; j++) {
            uint8_t want[32], got[32];
            fe_to_bytes(got, &end[j]);
            for (unsigned l = 0; l < 4; l++) store_le64(want + 8 * l, svconn_ed25519_comb[i % 13][i % 16][4 * j + l]);
            CHECK_BYTES(got, want, 32);
        }
        fe_from_small(&end[0], 2);
        CHECK(memcmp(&end[3], &end[0], sizeof end[0]) == 0);
    }
}
#endif

#ifndef TEST_CURVE_IFMA
/* ---- scalars ----------------------------------------------------------------------- */
/* x = k L + d, k < 2^256, d from -300 to 300 */
static void near_multiple(uint8_t x[64], const uint8_t k[32], int d) {
    int carry = d;
    memset(x, 0, 64);
    for (int i = 0; i < 32; i++) {
        unsigned c = 0;
        for (int j = 0; i + j < 64; j++) {
            c += x[i + j] + (j < 32 ? (unsigned)k[i] * L[j] : 0);
            x[i + j] = (uint8_t)c;
            c >>= 8;
        }
    }
    for (int i = 0; i < 64; i++) {
        carry += x[i];
        x[i] = (uint8_t)(carry & 255);
        carry = (carry - x[i]) / 256;
    }
}

static void check_reduce(const uint8_t x[64]) {
    uint8_t got[64], want[32];
    slow_mod(want, x, 64, L);
    memcpy(got, x, 64);
    svconn_sc_reduce(got, got);
    CHECK_BYTES(got, want, 32);
    CHECK(svconn_sc_is_reduced(got) == 1);
}

static void scalar_reduce(void) {
    uint8_t x[64], k[32];
    for (unsigned bit = 0; bit < 512; bit++) {
        memset(x, 0, 64);
        x[bit / 8] = (uint8_t)(1 << bit % 8);
        check_reduce(x); /* 2^bit */
        for (unsigned i = 0; i < 64; i++) x[i] = (uint8_t)(i < bit / 8 ? 255 : i > bit / 8 ? 0 : (1 << bit % 8) - 1);
        check_reduce(x); /* 2^bit - 1 */
    }
    memset(x, 255, 64);
    check_reduce(x);
    for (int i = 0; i < 300; i++) {
        random_bytes(x, 64);
        check_reduce(x);
        memset(k, 0, 32);
        if (i < 40) k[0] = (uint8_t)i;
        else if (i < 80) memset(k, 255, (size_t)(i - 40) % 32 + 1);
        else random_bytes(k, 32);
        for (int d = -2; d <= 2; d++) {
            if (i == 0 && d < 0) continue;
            near_multiple(x, k, d);
            check_reduce(x);
        }
    }
}

static void scalar_muladd(void) {
    uint8_t edge[8][32], got[32], want[32];
    memset(edge, 0, sizeof edge);
    edge[1][0] = 1;
    memcpy(edge[2], L, 32);
    memcpy(edge[3], L, 32);
    edge[3][0]--;
    memset(edge[4], 255, 32);
    edge[5][31] = 0x80;
    for (unsigned i = 0; i < 512 + 300; i++) {
        const uint8_t *a = edge[i & 7], *b = edge[i >> 3 & 7], *c = edge[i >> 6 & 7];
        random_bytes(edge[6], 64);
        if (i >= 512) a = edge[6], b = edge[7], c = edge[i & 7];
        slow_muladd(want, a, b, c, L);
        svconn_sc_muladd(got, a, b, c);
        CHECK_BYTES(got, want, 32);
        memcpy(got, c, 32);
        svconn_sc_muladd(got, a, b, got);
        CHECK_BYTES(got, want, 32);
    }
}

static void scalar_range(void) {
    uint8_t s[32];
    memcpy(s, L, 32);
    CHECK(svconn_sc_is_reduced(s) == 0);
    s[0]--;
    CHECK(svconn_sc_is_reduced(s) == 1);
    s[0] = (uint8_t)(s[0] + 2);
    CHECK(svconn_sc_is_reduced(s) == 0);
    CHECK(svconn_sc_is_reduced(ZERO) == 1);
    memset(s, 255, 32);
    CHECK(svconn_sc_is_reduced(s) == 0);
    for (unsigned bit = 0; bit < 256; bit++) {
        memset(s, 0, 32);
        s[bit / 8] = (uint8_t)(1 << bit % 8);
        CHECK(svconn_sc_is_reduced(s) == (bit <= 252));
    }
    for (unsigned i = 16; i < 32; i++) { /* above L in one byte of the zeros */
        memcpy(s, L, 32);
        s[0] = 0;
        s[i] = (uint8_t)(s[i] + 1);
        CHECK(svconn_sc_is_reduced(s) == 0);
    }
}
#endif

/* ---- the group: affine points, slow ---------------------------------------------------- */
typedef struct {
    uint8_t x[32], y[32];
} point;

static void slow_inverse(uint8_t r[32], const uint8_t a[32]) { /* the field is tested above */
    fe f;
    fe_from_bytes(&f, a);
    fe_invert(&f, &f);
    fe_to_bytes(r, &f);
}

static void words_to_bytes(uint8_t b[32], const uint64_t w[4]) {
    for (int i = 0; i < 4; i++) store_le64(b + 8 * i, w[i]);
}

/* RFC 8032 5.1.4 in its affine form: the law of the curve */
static void slow_point_add(point *r, const point *p, const point *q) {
    uint8_t d[32], xy[32], yx[32], xx[32], yy[32], k[32], t[32], u[32];
    words_to_bytes(d, svconn_ed25519_d);
    slow_mul(xy, p->x, q->y);
    slow_mul(yx, q->x, p->y);
    slow_mul(xx, p->x, q->x);
    slow_mul(yy, p->y, q->y);
    slow_mul(k, xy, yx);
    slow_mul(k, k, d);
    slow_add(t, xy, yx);
    slow_add(u, ONE, k);
    slow_inverse(u, u);
    slow_mul(r->x, t, u);
    slow_add(t, yy, xx);
    slow_sub(u, ONE, k);
    slow_inverse(u, u);
    slow_mul(r->y, t, u);
}

static const point IDENTITY = {{0}, {1}};

static point base_point(void) {
    point b;
    uint8_t four_fifths[32], five[32] = {5};
    ge p;
    slow_inverse(four_fifths, five);
    five[0] = 4;
    slow_mul(four_fifths, four_fifths, five);
    CHECK(whole_decode(&p, four_fifths) == 1);
    fe_to_bytes(b.x, &p.x);
    fe_to_bytes(b.y, &p.y);
    CHECK((b.x[0] & 1) == 0);
    return b;
}

#ifndef TEST_CURVE_IFMA
static void check_entry(const uint64_t w[12], const point *p) {
    uint8_t want[32], got[32], d[32];
    slow_add(want, p->y, p->x);
    words_to_bytes(got, w);
    CHECK_BYTES(got, want, 32);
    slow_sub(want, p->y, p->x);
    words_to_bytes(got, w + 4);
    CHECK_BYTES(got, want, 32);
    words_to_bytes(d, svconn_ed25519_d);
    slow_mul(want, p->x, p->y);
    slow_mul(want, want, d);
    slow_add(want, want, want);
    words_to_bytes(got, w + 8);
    CHECK_BYTES(got, want, 32);
}

static void tables(void) {
    uint8_t a[32], b[32], n[32] = {0x41, 0xdb, 0x01}, m[32] = {0x42, 0xdb, 0x01};
    words_to_bytes(a, svconn_ed25519_d); /* d 121666 = -121665 */
    slow_mul(b, a, m);
    slow_add(b, b, n);
    CHECK_BYTES(b, ZERO, 32);
    slow_add(a, a, a);
    words_to_bytes(b, svconn_ed25519_2d);
    CHECK_BYTES(a, b, 32);
    words_to_bytes(a, svconn_ed25519_root);
    slow_mul(a, a, a);
    slow_add(a, a, ONE);
    CHECK_BYTES(a, ZERO, 32);

    point base = base_point(), p = base, twice;
    slow_point_add(&twice, &base, &base);
    for (unsigned i = 0; i < 1 << (SVCONN_ODD_WINDOW - 2); i++) {
        check_entry(svconn_ed25519_odd[i], &p);
        slow_point_add(&p, &p, &twice);
    }
    p = base;
    for (unsigned j = 0; j < SVCONN_COMBS; j++) {
        enum { TEETH = SVCONN_COMB_TEETH };
        point power[2][TEETH]; /* 2^(STEPS (TEETH j + t)) B and its negative */
        for (unsigned t = 0; t < TEETH; t++) {
            power[1][t] = power[0][t] = p;
            slow_sub(power[0][t].x, ZERO, p.x);
            for (unsigned i = 0; i < SVCONN_COMB_STEPS; i++) slow_point_add(&p, &p, &p);
        }
        for (unsigned i = 0; i < 1 << (TEETH - 1); i++) {
            point s = power[1][TEETH - 1];
            for (unsigned t = 0; t < TEETH - 1; t++) slow_point_add(&s, &s, &power[i >> t & 1][t]);
            check_entry(svconn_ed25519_comb[j][i], &s);
        }
    }
}
#endif

static void slow_encode(uint8_t out[32], const point *p) {
    memcpy(out, p->y, 32);
    out[31] = (uint8_t)(out[31] | p->x[0] << 7);
}

static void slow_times(point *r, const uint8_t n[32], const point *p) {
    point s = IDENTITY;
    for (unsigned bit = 256; bit-- > 0;) {
        slow_point_add(&s, &s, &s);
        if (n[bit / 8] >> (bit % 8) & 1) slow_point_add(&s, &s, p);
    }
    *r = s;
}

static void multiples(void) {
    point base = base_point(), p, q, s;
    for (unsigned i = 0; i < 18; i++) {
        uint8_t n[32], m[32], want[32], got[32];
        ge r, a;
        random_bytes(n, 32);
        random_bytes(m, 32);
        if (i < 12) memset(m + 1, 0, 31); /* the slow side is slow */
        if (i < 8) memset(n, 0, 32), n[0] = (uint8_t)i;
        else if (i < 12) memcpy(n, L, 32), n[0] = (uint8_t)(n[0] + i - 10);
        else if (i < 14) memset(n, i == 12 ? 255 : 0xf8, 32);
        if (i == 6 || i == 15) memset(m, i == 6 ? 0 : 255, 32);
        n[31] &= 127;
        n[31] &= i & 1 ? 127 : 31; /* [n]B takes 255 bits, [m]P + [n]B takes 253 */
        m[31] &= 31;
        slow_times(&p, n, &base);
        slow_encode(want, &p);
        whole_base(&r, n);
        whole_encode(got, &r);
        CHECK_BYTES(got, want, 32);
        CHECK(whole_decode(&a, got) == 1);
        fe_to_bytes(got, &a.x);
        CHECK_BYTES(got, p.x, 32);
        if (n[31] > 31) continue;
        slow_times(&q, m, &p);
        slow_point_add(&s, &q, &p);
        slow_encode(want, &s);
        whole_double_base(&r, m, &a, n); /* [m][n]B + [n]B */
        whole_encode(got, &r);
        CHECK_BYTES(got, want, 32);
    }
}

#endif

/* ---- X25519 ---------------------------------------------------------------------------------- */
static void x25519_rounds(const uint8_t want[32], unsigned long rounds) {
    uint8_t k[32] = {9}, u[32] = {9}, t[32];
    for (unsigned long i = 0; i < rounds; i++) {
        CHECK(svconn_x25519(t, k, u) == 1);
        memcpy(u, k, 32);
        memcpy(k, t, 32);
    }
    CHECK_BYTES(k, want, 32);
}

static void x25519_vectors(void) {
    vec_file f = vec_load("x25519.txt");
    for (const vec_case *c = f.cases; c < f.cases + f.count; c++) {
        const uint8_t *want = vec_get(c, "out").data;
        uint8_t out[32];
        if (vec_has(c, "rounds")) {
            unsigned long rounds = vec_number(c, "rounds");
            if (rounds <= 1000 || getenv("SVCONN_SLOW") != NULL) x25519_rounds(want, rounds);
            continue;
        }
        vec_bytes k = vec_get(c, "scalar"), u = vec_get(c, "u");
        CHECK(k.len == 32 && u.len == 32);
        CHECK(svconn_x25519(out, k.data, u.data) == (memcmp(want, ZERO, 32) != 0));
        CHECK_BYTES(out, want, 32);
        memcpy(out, k.data, 32); /* out is the scalar */
        CHECK(svconn_x25519(out, out, u.data) == (memcmp(want, ZERO, 32) != 0));
        CHECK_BYTES(out, want, 32);
        memcpy(out, u.data, 32); /* out is u */
        CHECK(svconn_x25519(out, k.data, out) == (memcmp(want, ZERO, 32) != 0));
        CHECK_BYTES(out, want, 32);
    }
    vec_free(&f);
}

static void x25519_overlap(void) {
    uint8_t area[80], k[32], u[32], want[32];
    random_bytes(k, 32);
    random_bytes(u, 32);
    CHECK(svconn_x25519(want, k, u) == 1);
    for (size_t out = 0; out <= 48; out++) { /* scalar at 0, u at 40; out anywhere, at any alignment */
        memcpy(area, k, 32);
        memcpy(area + 40, u, 32);
        CHECK(svconn_x25519(area + out, area, area + 40) == 1);
        CHECK_BYTES(area + out, want, 32);
    }
}

static void x25519_together(void) {
    for (unsigned i = 0; i < 40; i++) {
        uint8_t k[2][32], u[2][32], want[64], got[64];
        random_bytes(k[0], sizeof k);
        random_bytes(u[0], sizeof u);
        if (i & 1) memcpy(k[1], k[0], 32);
        if (i & 2) memcpy(u[1], u[0], 32);
        if (i % 10 == 8) memcpy(u[i / 10 & 1], i < 20 ? ZERO : ONE, 32);
        int ok = svconn_x25519(want, k[0], u[0]) & svconn_x25519(want + 32, k[1], u[1]);
        CHECK(svconn_x25519_pair(got, k[0], u[0], k[1], u[1]) == ok && ok == (i % 10 != 8));
        if (ok) CHECK_BYTES(got, want, 64);
    }
}

static void x25519_public_key(void) {
    static const uint8_t nine[32] = {9};
    for (unsigned i = 0; i < 300; i++) {
        uint8_t k[33], want[32], got[33];
        random_bytes(k, 33);
        if (i < 256) memset(k, (int)i, 33);
        if (i >= 256 && i < 264) memcpy(k + 1, L, 32), k[1] = (uint8_t)(k[1] + i - 260);
        if (i == 264) memset(k + 1, 0, 32), k[1] = 8;
        CHECK(svconn_x25519(want, k + 1, nine) == 1);
        svconn_x25519_public(got + 1, k + 1);
        CHECK_BYTES(got + 1, want, 32);
    }
}

/* ---- Ed25519 ----------------------------------------------------------------------------------- */
static void signing_vector(const vec_case *c) {
    vec_bytes seed = vec_get(c, "seed"), key = vec_get(c, "public_key"), msg = vec_get(c, "msg");
    uint8_t out[64];
    svconn_ed25519_public(out, seed.data);
    CHECK_BYTES(out, key.data, 32);
    svconn_ed25519_sign(out, seed.data, key.data, msg.len > 0 ? msg.data : NULL, msg.len);
    CHECK_BYTES(out, vec_get(c, "signature").data, 64);
    CHECK(svconn_ed25519_verify(out, key.data, msg.len > 0 ? msg.data : NULL, msg.len) == 1);
    CHECK(svconn_ed25519_check(key.data) == 1);
    svconn_ed25519_seed_to_x25519(out, seed.data);
    CHECK_BYTES(out, vec_get(c, "scalar").data, 32);
    svconn_ed25519_to_x25519(out, key.data);
    CHECK_BYTES(out, vec_get(c, "u").data, 32);
}

static void ed25519_vectors(void) {
    vec_file f = vec_load("ed25519.txt");
    for (const vec_case *c = f.cases; c < f.cases + f.count; c++) {
        int before = test_bad;
        if (vec_has(c, "seed")) signing_vector(c);
        if (vec_has(c, "valid")) {
            vec_bytes sig = vec_get(c, "signature"), key = vec_get(c, "public_key"), msg = vec_get(c, "msg");
            CHECK(sig.len == 64 && key.len == 32);
            int want = strcmp(vec_text(c, "valid"), "yes") == 0;
            CHECK(svconn_ed25519_verify(sig.data, key.data, msg.data, msg.len) == want);
        }
        for (size_t i = 0; vec_has(c, "accept") && i < vec_count(c, "public_key"); i++) {
            int want = strcmp(vec_text(c, "accept"), "yes") == 0;
            CHECK(svconn_ed25519_check(vec_nth(c, "public_key", i).data) == want);
        }
        if (test_bad != before) printf("  case %s\n", c->name);
    }
    vec_free(&f);
}

static void ed25519_flips(void) {
    uint8_t seed[32], key[32], sig[64], msg[100], bad[100];
    for (unsigned i = 0; i < 3; i++) {
        size_t len = i == 0 ? 0 : i == 1 ? 33 : 100;
        random_bytes(seed, 32);
        random_bytes(msg, 100);
        svconn_ed25519_public(key, seed);
        svconn_ed25519_sign(sig, seed, key, msg, len);
        CHECK(svconn_ed25519_verify(sig, key, msg, len) == 1);
        for (size_t at = 0; at < 64 + 32 + len; at++) {
            uint8_t *p = at < 64 ? &sig[at] : at < 96 ? &key[at - 64] : &msg[at - 96];
            uint8_t old = *p;
            for (unsigned k = 0; k < 3; k++) {
                *p = (uint8_t)(old ^ (k == 0 ? 1 : k == 1 ? 0x80 : 0xff));
                CHECK(svconn_ed25519_verify(sig, key, msg, len) == 0);
            }
            *p = old;
        }
        memcpy(bad, msg, len);
        CHECK(svconn_ed25519_verify(sig, key, bad, len) == 1);
        if (len > 0) CHECK(svconn_ed25519_verify(sig, key, msg, len - 1) == 0);
    }
}

static int below_order(const uint8_t s[32]) {
    for (unsigned i = 32; i-- > 0;)
        if (s[i] != L[i]) return s[i] < L[i];
    return 0;
}

static void ed25519_round_trips(void) {
    uint8_t seed[33], key[33], sig[65], msg[201];
    for (size_t i = 0; i < 200; i++) {
        random_bytes(seed, 33);
        random_bytes(msg, 201);
        svconn_ed25519_public(key + 1, seed + 1);
        svconn_ed25519_sign(sig + 1, seed + 1, key + 1, msg + 1, i);
        CHECK(svconn_ed25519_verify(sig + 1, key + 1, msg + 1, i) == 1);
        CHECK(svconn_ed25519_check(key + 1) == 1);
        CHECK(below_order(sig + 33));
    }
}

/* A party with an Ed25519 key pair and one with an X25519 key pair agree. */
static void ed25519_as_x25519(void) {
    for (unsigned i = 0; i < 50; i++) {
        uint8_t seed[32], key[32], s[32], u[32], x[32], xb[32], one[32], two[32];
        random_bytes(seed, 32);
        random_bytes(x, 32);
        svconn_ed25519_public(key, seed);
        svconn_ed25519_seed_to_x25519(s, seed);
        svconn_ed25519_to_x25519(u, key);
        svconn_x25519_public(one, s);
        CHECK_BYTES(one, u, 32);
        svconn_x25519_public(xb, x);
        CHECK(svconn_x25519(one, s, xb) == 1);
        CHECK(svconn_x25519(two, x, u) == 1);
        CHECK_BYTES(one, two, 32);
    }
}

#ifndef SVCONN_NO_SLICES
/* ---- slices ---------------------------------------------------------------------------------- */
static unsigned slices; /* of the last operation */

/* The same operation in slices of so many units, 0: of 1 to 9, by turns. Between them the workspace is moved. */
#define IN_SLICES(size, result, call)                                                                                  \
    do {                                                                                                               \
        static svconn_curve_work work[2];                                                                              \
        svconn_curve_work *w = &work[0];                                                                               \
        w->phase = 0;                                                                                                  \
        slices = 0;                                                                                                    \
        do {                                                                                                           \
            w = memcpy(&work[slices & 1], w, sizeof *w);                                                               \
            slices++;                                                                                                  \
            w->units = (size) ? (size) : slices % 9 + 1;                                                               \
            (result) = (call);                                                                                         \
        } while ((result) == SVCONN_UNFINISHED && slices < 2000);                                                      \
    } while (0)

static void same_in_slices(void) {
    static const uint32_t sizes[] = {1, 2, 7, 100, 0, SVCONN_NO_PAUSE - 1, SVCONN_NO_PAUSE};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t seed[32], key[32], sig[64] = {7}, u[32], want[64], got[64], msg[50];
        int result;
        uint32_t size = sizes[i];
        random_bytes(seed, 32);
        random_bytes(msg, 50);
        svconn_ed25519_public(key, seed);
        svconn_ed25519_to_x25519(u, key);

        svconn_x25519_public(want, seed);
        IN_SLICES(size, result, svconn_x25519_public_slice(w, got, seed));
        CHECK(result == 1);
        CHECK_BYTES(got, want, 32);
        CHECK(svconn_x25519(want, seed, u) == 1);
        IN_SLICES(size, result, svconn_x25519_slice(w, got, seed, u));
        CHECK(result == 1);
        CHECK_BYTES(got, want, 32);
        if (size == 1) CHECK(slices >= 255);
        if (size >= 1000) CHECK(slices == 1);
        IN_SLICES(size, result, svconn_x25519_slice(w, got, seed, ZERO));
        CHECK(result == 0);
        CHECK_BYTES(got, ZERO, 32);

        IN_SLICES(size, result, svconn_x25519_pair_slice(w, got, key, u, seed, sig));
        CHECK(result == svconn_x25519_pair(want, key, u, seed, sig));
        CHECK_BYTES(got, want, 64);

        svconn_ed25519_sign(want, seed, key, msg, 50);
        IN_SLICES(size, result, svconn_ed25519_sign_slice(w, sig, seed, key, msg, 50));
        CHECK(result == 1);
        CHECK_BYTES(sig, want, 64);
        IN_SLICES(size, result, svconn_ed25519_verify_u_slice(w, got, sig, key, msg, 50));
        CHECK(result == 1);
        CHECK_BYTES(got, u, 32);
        if (size == 1) CHECK(slices >= 200);
        sig[i % 32] ^= 1;
        IN_SLICES(size, result, svconn_ed25519_verify_u_slice(w, got, sig, key, msg, 50));
        CHECK(result == 0);
        sig[i % 32] ^= 1;
        sig[63] |= 0x80; /* S is not below L */
        IN_SLICES(size, result, svconn_ed25519_verify_u_slice(w, got, sig, key, msg, 50));
        CHECK(result == 0);
        IN_SLICES(size, result, svconn_ed25519_verify_u_slice(w, got, sig, ONE, msg, 50)); /* the identity */
        CHECK(result == SVCONN_BAD_KEY);
        IN_SLICES(size, result, svconn_ed25519_verify_u_slice(w, got, sig, P, msg, 50)); /* not canonical */
        CHECK(result == SVCONN_BAD_KEY);
    }
}

/* Nothing is done without units; and no secret stays where an operation has ended. */
static void slices_and_secrets(void) {
    static svconn_curve_work w;
    uint8_t seed[32], key[32], sig[64];
    random_bytes(seed, 32);
    svconn_ed25519_public(key, seed);
    memset(&w, 0, sizeof w);
    CHECK(svconn_x25519_slice(&w, sig, seed, key) == SVCONN_UNFINISHED);
    CHECK(svconn_x25519_public_slice(&w, sig, seed) == SVCONN_UNFINISHED);
    CHECK(svconn_ed25519_sign_slice(&w, sig, seed, key, key, 32) == SVCONN_UNFINISHED);
    CHECK(svconn_ed25519_verify_u_slice(&w, seed, sig, key, key, 32) == SVCONN_UNFINISHED);
    for (size_t i = 0; i < SVCONN_CURVE_WORDS; i++) CHECK(w.words[i] == 0);
    for (unsigned i = 0; i < 3; i++) {
        int result = SVCONN_UNFINISHED;
        while (result == SVCONN_UNFINISHED) {
            w.units = 40;
            if (i == 0) result = svconn_x25519_slice(&w, sig, seed, key);
            if (i == 1) result = svconn_x25519_public_slice(&w, sig, seed);
            if (i == 2) result = svconn_ed25519_sign_slice(&w, sig, seed, key, key, 32);
        }
        CHECK(w.phase == 0);
        for (size_t j = 0; j < SVCONN_CURVE_WORDS; j++) CHECK(w.words[j] == 0);
    }
}

#endif

/* All that has more than one form */
static void forms(void) {
#ifndef SVCONN_NO_SLICES
    TEST("slices: the same results in slices of any size", same_in_slices);
    TEST("slices: nothing without units, nothing left behind", slices_and_secrets);
#endif
#ifndef SVCONN_SMALL
    TEST("group: multiples against repeated addition", multiples);
#endif
    TEST("x25519: vectors", x25519_vectors);
    TEST("x25519: out may overlap", x25519_overlap);
    TEST("x25519: two together", x25519_together);
    TEST("x25519: public key is X25519(scalar, 9)", x25519_public_key);
    TEST("ed25519: vectors", ed25519_vectors);
    TEST("ed25519: every changed byte is refused", ed25519_flips);
    TEST("ed25519: sign and verify", ed25519_round_trips);
    TEST("ed25519: key pairs as X25519 key pairs", ed25519_as_x25519);
}

#ifdef FE4_LIMBS
static void test_lanes(void) {
    TEST("field in four lanes: products with limbs at their bounds", lanes_products);
    TEST("field in four lanes: sums and differences with limbs at their bounds", lanes_sums);
    TEST("field in four lanes: choices", lanes_choices);
}
#endif

#ifndef TEST_CURVE_IFMA
int main(void) {
#ifndef SVCONN_SMALL
    TEST("field: canonical form, zero, parity", field_canonical);
    TEST("field: products with limbs at their bounds", field_products);
    TEST("field: sums and differences with limbs at their bounds", field_sums);
    TEST("field: inverse and root power", field_powers);
    TEST("scalars: reduction mod L", scalar_reduce);
    TEST("scalars: a b + c mod L", scalar_muladd);
    TEST("scalars: S < L", scalar_range);
    TEST("group: table entries", tables);
#endif
#ifdef SVCONN_CURVE_X86
    if (svconn_cpu() & SVCONN_CPU_AVX2) test_lanes();
#endif
    forms();
    if (svconn_cpu() & SVCONN_CPU_IFMA) {
        printf("  once more, without IFMA\n");
        (void)svconn_cpu_allow(svconn_cpu() & ~SVCONN_CPU_IFMA);
        forms();
    }
    if (svconn_cpu() & SVCONN_CPU_AVX2) {
        printf("  once more, without AVX2\n");
        (void)svconn_cpu_allow(svconn_cpu() & ~SVCONN_CPU_AVX2);
        forms();
    }
    return TEST_EXIT();
}
#endif
