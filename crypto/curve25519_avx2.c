/* SPDX-License-Identifier: ISC */
/*
 * X25519 and edwards25519 with four field operations at a time, for AVX2. Sources: H. Hisil, B. Egrice, M. Yassi, "Fast
 * 4 way vectorized ladder for the complete set of Montgomery curves" (ePrint 2020/388); H. Hisil, K. Wong, G. Carter,
 * E. Dawson, "Twisted Edwards Curves Revisited" (ASIACRYPT 2008), section 4: parallel formulas.
 *
 * What the functions compute, and that they are complete, is explained where their scalar forms are: x25519.c and
 * ge25519.c. Capital letters are the names there. A letter in brackets is the class of a result, see fe25519_avx2.h: (t)
 * tight, (l) loose, (w) wide. The ladder and [n]B are constant time.
 */
#include "backend.h"
#ifdef SVCONN_X86
#include "ed25519_table.h"
#include "fe25519_avx2.h"
#include "ge25519.h"

#define TARGET __attribute__((target("avx2")))

/* ---- X25519 -------------------------------------------------------------------------------------------------------- */
/* (x2, z2, x3, z3) goes in and comes out (t). swap: all ones to take (x3, z3, x2, z2) instead. k = (0, 121665, 0, x1).
 * Three products: z3 = x1 (DA - CB) (DA - CB) shares the second one with 121665 E. */
FE4 void ladder_step(fe4 *p, const fe4 *k, const fe4 *k19, uint64_t swap) {
    const fe4_choice same = FE4_CHOICE(0, 1, 2, 3), halves = FE4_CHOICE(2, 3, 0, 1);
    const fe4_choice abba = FE4_CHOICE(0, 1, 1, 0), cddc = FE4_CHOICE(2, 3, 3, 2);
    fe4 u, v, w, x;
    fe4_sum_diff(&u, p);                           /* A, B, C, D (l) */
    fe4_lanes(&v, &u, fe4_choose(swap, cddc, abba)); /* A, B, B, A */
    fe4_lanes(&u, &u, fe4_choose(swap, halves, same));
    fe4_mul(&u, &u, &v);                           /* AA, BB, CB, DA (t) */
    fe4_lanes(&v, &u, FE4_CHOICE(1, 0, 3, 2));     /* BB, AA, DA, CB (t) */
    fe4_sum_diff(&w, &u);                          /* -, E, CB + DA, CB - DA (l) */
    fe4_blend(&x, 1, &u, &w);                      /* AA, E, CB + DA, CB - DA (l) */
    fe4_mul_by(&u, &x, k, k19);                         /* 0, 121665 E, 0, x1 (CB - DA) (t) */
    fe4_blend(&v, 3, &v, &w);                      /* BB, AA, CB + DA, - (l) */
    fe4_keep(&v, 7, &v);
    fe4_add(&v, &v, &u);                           /* BB, AA + 121665 E, CB + DA, x1 (CB - DA) (l) */
    fe4_mul(p, &x, &v);
}

/* x2 / z2 is the result. x1 is tight. */
TARGET void svconn_x25519_ladder_avx2(fe *x2, fe *z2, const uint8_t e[32], const fe *x1) {
    uint64_t w[4][4] = {{1}, {0}, {0}, {1}}, c[4][4] = {{0}, {121665}, {0}, {0}}, swap = 0;
    uint32_t limb[4][10];
    fe4 k, k19;
    fe4 p;
    fe_to_words(w[2], x1);
    memcpy(c[3], w[2], sizeof c[3]);
    fe4_load(&p, c);
    k = p;
    fe4_times_19(&k19, &k);
    fe4_load(&p, w);
    for (unsigned t = 255; t-- > 0;) {
        uint64_t bit = (uint64_t)(e[t >> 3] >> (t & 7)) & 1;
        ladder_step(&p, &k, &k19, ct_mask64(swap ^ bit));
        swap = bit;
    }
    fe4_lanes(&p, &p, fe4_choose(ct_mask64(swap), FE4_CHOICE(2, 3, 0, 1), FE4_CHOICE(0, 1, 2, 3)));
    fe4_to_limbs(limb, &p);
    fe_from_limbs(x2, limb[0]);
    fe_from_limbs(z2, limb[1]);
    ct_wipe(w, sizeof w);
    ct_wipe(c, sizeof c);
    ct_wipe(limb, sizeof limb);
    ct_wipe(&k, sizeof k);
    ct_wipe(&p, sizeof p);
}

/* ---- edwards25519 --------------------------------------------------------------------------------------------------
 * A point is (X, T, Y, Z), tight. A point to be added is (Y + X, Y - X, 2 Z, 2 d T), tight. Both operations come to
 * (H, E, G, F), of which (E F, E H, G H, F G) is the result. */
FE4 void join(fe4 *r, const fe4 *hegf) {
    fe4 a, b;
    fe4_lanes(&a, hegf, FE4_CHOICE(1, 1, 2, 3));
    fe4_lanes(&b, hegf, FE4_CHOICE(3, 0, 0, 2));
    fe4_mul(r, &a, &b);
}

/* [2]P */
TARGET static void double_point(fe4 *p) {
    fe4 u, v;
    fe4_lanes(&v, p, FE4_CHOICE(2, 2, 2, 2));
    fe4_keep(&v, 2, &v);
    fe4_lanes(&u, p, FE4_CHOICE(0, 0, 2, 3));
    fe4_add(&u, &u, &v);  /* X, X + Y, Y, Z */
    fe4_double(&u, &u);   /* H, E, G, F (t) */
    join(p, &u);
}

/* (X + Y, Y - X, Z, T) (l) */
FE4 void sum_and_difference(fe4 *r, const fe4 *p) {
    fe4 u, v;
    fe4_lanes(&u, p, FE4_CHOICE(0, 2, 3, 1));
    fe4_diff_sum(&v, &u);
    fe4_blend(r, 3, &v, &u);
}

/* P + Q, or P - Q if minus is all ones. The negative of Q has y + x and y - x exchanged, and its 2 d x y the other sign:
 * so F and G change places. minus may be secret. */
TARGET static void add_point(fe4 *p, const fe4 *q, uint64_t minus) {
    fe4 u, v;
    fe4_lanes(&v, q, fe4_choose(minus, FE4_CHOICE(1, 0, 2, 3), FE4_CHOICE(0, 1, 2, 3)));
    sum_and_difference(&u, p);
    fe4_mul(&u, &u, &v);  /* B, A, D, C (t) */
    fe4_sum_diff(&u, &u); /* H, E, G, F, or H, E, F, G (l) */
    fe4_lanes(&u, &u, fe4_choose(minus, FE4_CHOICE(0, 1, 3, 2), FE4_CHOICE(0, 1, 2, 3)));
    join(p, &u);
}

FE4 void set_identity(fe4 *p) {
    uint64_t w[4][4] = {{0}, {0}, {1}, {1}};
    fe4_load(p, w);
}

FE4 void store(ge *r, const fe4 *p) {
    uint32_t limb[4][10];
    fe4_to_limbs(limb, p);
    fe_from_limbs(&r->x, limb[0]);
    fe_from_limbs(&r->t, limb[1]);
    fe_from_limbs(&r->y, limb[2]);
    fe_from_limbs(&r->z, limb[3]);
    ct_wipe(limb, sizeof limb);
}

FE4 void from_entry(fe4 *q, const uint64_t table[12]) {
    fe4_from_rows(q, fe4_row(table), fe4_row(table + 4), fe4_two(), fe4_row(table + 8));
}

/* The entry of an index from 0 to 15: all of the table is read. */
FE4 void look_up(fe4 *q, const uint64_t table[16][12], uint32_t index) {
    fe4_entry r = fe4_nothing();
    for (uint32_t i = 0; i < 16; i++) fe4_take_if_equal(&r, table[i], index, i);
    fe4_from_rows(q, r.row[0], r.row[1], fe4_two(), r.row[2]);
}

TARGET void svconn_ge_base_avx2(ge *r, const uint8_t n[32]) {
    uint8_t digit[4][13];
    fe4 p, q;
    svconn_ge_recode(digit, n);
    set_identity(&p);
    for (unsigned k = 4; k-- > 0;) {
        if (k < 3) double_point(&p);
        for (unsigned j = 0; j < 13; j++) {
            uint32_t minus = (uint32_t)(digit[k][j] >> 4) ^ 1;
            look_up(&q, svconn_ed25519_comb[j], (digit[k][j] ^ (0u - minus)) & 15);
            add_point(&p, &q, ct_mask64(minus));
        }
    }
    store(r, &p);
    ct_wipe(digit, sizeof digit);
    ct_wipe(&p, sizeof p);
    ct_wipe(&q, sizeof q);
}

/* In variable time: for public inputs only. */
TARGET void svconn_ge_double_base_avx2(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]) {
    int8_t na[256], nb[256];
    uint64_t w[4][4], k[4][4] = {{1}, {1}, {2}, {0}};
    fe4 s, twice, scale, t[8], m;
    unsigned i = 256;
    svconn_ge_naf(na, a, 5);
    svconn_ge_naf(nb, b, 8);
    fe_to_words(w[0], &p->x);
    fe_to_words(w[1], &p->t);
    fe_to_words(w[2], &p->y);
    fe_to_words(w[3], &p->z);
    fe4_load(&s, w);
    memcpy(k[3], svconn_ed25519_2d, sizeof k[3]);
    fe4_load(&scale, k);
    twice = s;
    double_point(&twice);
    for (unsigned j = 0; j < 8; j++) { /* t[j] = [2 j + 1]P */
        if (j > 0) {
            s = twice;
            add_point(&s, &t[j - 1], 0);
        }
        sum_and_difference(&m, &s);
        fe4_mul(&t[j], &m, &scale);
    }
    set_identity(&s);
    while (i > 0 && na[i - 1] == 0 && nb[i - 1] == 0) i--;
    while (i-- > 0) {
        double_point(&s);
        if (na[i] != 0) add_point(&s, &t[(na[i] < 0 ? -na[i] : na[i]) / 2], ct_mask64(na[i] < 0));
        if (nb[i] != 0) {
            from_entry(&m, svconn_ed25519_odd[(nb[i] < 0 ? -nb[i] : nb[i]) / 2]);
            add_point(&s, &m, ct_mask64(nb[i] < 0));
        }
    }
    store(r, &s);
}

/* ---- known answers -------------------------------------------------------------------------------------------------
 * With n = 0x33...33, m = 0x11...11 and k = 0x22...22: u of [n]B by the ladder is what Python's integers say; [n]B has
 * the same u; and so has [m]B + [k]B. u = (Z + Y) / (Z - Y); fractions are compared by products. */
static int same(const fe *a, const fe *b, const fe *c, const fe *d) { /* a / b = c / d */
    uint8_t x[32], y[32];
    fe ad, bc;
    fe_mul(&ad, a, d);
    fe_mul(&bc, b, c);
    fe_to_bytes(x, &ad);
    fe_to_bytes(y, &bc);
    return (int)ct_eq(x, y, 32);
}

int svconn_curve25519_avx2_is_right(void) {
    static const uint8_t answer[32] = {
        0xa2, 0x49, 0x0e, 0x99, 0x34, 0x4d, 0xc9, 0xea, 0x5a, 0x8f, 0xd3, 0xae, 0xf5, 0xd9, 0x26, 0x40,
        0xf7, 0x7d, 0x74, 0x6a, 0xad, 0x62, 0x5f, 0x5c, 0x93, 0x4c, 0x77, 0x36, 0x73, 0x80, 0x1f, 0x68,
    };
    uint8_t n[32], m[32], k[32], unit[32] = {1};
    fe u, one, x, z, sum, difference;
    ge p, b;
    memset(n, 0x33, 32);
    memset(m, 0x11, 32);
    memset(k, 0x22, 32);
    fe_from_small(&u, 9);
    fe_from_small(&one, 1);
    svconn_x25519_ladder_avx2(&x, &z, n, &u);
    fe_from_bytes(&u, answer);
    int good = same(&x, &z, &u, &one) && !fe_is_zero(&z);
    svconn_ge_base_avx2(&p, n);
    fe_add(&sum, &p.z, &p.y);
    fe_sub(&difference, &p.z, &p.y);
    good = good && same(&x, &z, &sum, &difference);
    svconn_ge_base_avx2(&b, unit);
    svconn_ge_double_base_avx2(&p, m, &b, k);
    fe_add(&sum, &p.z, &p.y);
    fe_sub(&difference, &p.z, &p.y);
    return good && same(&x, &z, &sum, &difference);
}

#endif
