/* SPDX-License-Identifier: ISC */
/*
 * X25519 and edwards25519 with four field operations at a time: one text for all vector instructions. Sources:
 * H. Hisil, B. Egrice, M. Yassi, "Fast 4 way vectorized ladder for the complete set of Montgomery curves"
 * (ePrint 2020/388); H. Hisil, K. Wong, G. Carter, E. Dawson, "Twisted Edwards Curves Revisited" (ASIACRYPT 2008),
 * section 4: parallel formulas.
 *
 * What the functions compute, and that they are complete, is explained where their scalar forms are: x25519.c and
 * ge25519.c. Capital letters are the names there. A letter in brackets is the class of a result, as the field says it:
 * (t) tight, (l) loose, (w) wide. The ladder and [n]B are constant time.
 *
 * The file that includes this one chooses the field (fe25519_avx2.h or fe25519_ifma.h) and defines NAME(x), the names
 * of this form.
 */
#include "ed25519_table.h"
#include "ge25519.h"

/* Work space, to be wiped once. */
typedef struct {
    fe4 u, v, w, x, t[2];
} NAME(work);

SVCONN_WIPE_FRAME(NAME(wipe_frame), 8192)

/* ---- X25519 ------------------------------------------------------------------------------------------------------ */
/* (x2, z2, x3, z3) goes in and comes out (t). swap: all ones to take (x3, z3, x2, z2) instead. k: 121665 and x1.
 * Three products: z3 = x1 (CB - DA) (CB - DA) shares the second one with 121665 E. */
FE4 void NAME(ladder_step)(NAME(work) *s, fe4 *p, const fe4_factor *k, uint64_t swap) {
    const fe4_choice same = FE4_CHOICE(0, 1, 2, 3), halves = FE4_CHOICE(2, 3, 0, 1);
    const fe4_choice abba = FE4_CHOICE(0, 1, 1, 0), cddc = FE4_CHOICE(2, 3, 3, 2);
    fe4_sum_diff(&s->u, p);                                  /* A, B, C, D (l) */
    fe4_lanes(&s->v, &s->u, fe4_choose(swap, cddc, abba));   /* A, B, B, A (l) */
    fe4_lanes(&s->u, &s->u, fe4_choose(swap, halves, same));
    fe4_mul(&s->u, &s->u, &s->v, s->t);                      /* AA, BB, CB, DA (t) */
    fe4_exchange(&s->v, &s->u);                              /* BB, AA, DA, CB (t) */
    fe4_sum_diff(&s->w, &s->u);                              /* -, E, CB + DA, CB - DA (l) */
    fe4_blend(&s->x, 1, &s->u, &s->w);                       /* AA, E, CB + DA, CB - DA (l) */
    fe4_keep(&s->u, 2, &s->v);                               /* 0, AA, 0, 0 (t) */
    fe4_mul_factor(&s->u, &s->w, k, &s->u);                  /* -, AA + 121665 E, -, x1 (CB - DA) (t) */
    fe4_blend(&s->w, 4, &s->w, &s->v);                       /* BB, -, CB + DA, - (l) */
    fe4_blend(&s->v, 10, &s->u, &s->w);                      /* BB, AA + 121665 E, CB + DA, x1 (CB - DA) (l) */
    fe4_mul(p, &s->x, &s->v, s->t);
}

/* x2 / z2 is the result. x1 is tight. */
__attribute__((noinline)) FE4_TARGET static void NAME(ladder_in_frame)(fe *x2, fe *z2, const uint8_t e[32], const fe *x1) {
    uint64_t w[4][4] = {{1}, {0}, {0}, {1}}, swap = 0;
    fe end[4];
    fe4_factor k;
    fe4 p;
    NAME(work) s;
    fe_to_words(w[2], x1);
    fe4_load(&p, w);
    fe4_prepare_words(&k, 121665, w[2]);
    for (unsigned t = 255; t-- > 0;) {
        uint64_t bit = (uint64_t)(e[t >> 3] >> (t & 7)) & 1;
        NAME(ladder_step)(&s, &p, &k, ct_mask64(swap ^ bit));
        swap = bit;
    }
    fe4_lanes(&p, &p, fe4_choose(ct_mask64(swap), FE4_CHOICE(2, 3, 0, 1), FE4_CHOICE(0, 1, 2, 3)));
    fe4_to_fe(end, &p);
    *x2 = end[0];
    *z2 = end[1];
    ct_wipe(w, sizeof w);
    ct_wipe(end, sizeof end);
    ct_wipe(&k, sizeof k);
    ct_wipe(&p, sizeof p);
    ct_wipe(&s, sizeof s);
}

FE4_TARGET void NAME(x25519_ladder)(fe *x2, fe *z2, const uint8_t e[32], const fe *x1) {
    NAME(ladder_in_frame)(x2, z2, e, x1);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}

/* ---- edwards25519 --------------------------------------------------------------------------------------------------
 * A point is (X, Y, Z, T), tight. A point to be added is (Y + X, Y - X, 2 Z, 2 d T), tight. Both operations come to E,
 * F, G, H, in some order, of which (E F, G H, F G, E H) is the result. */

/* [2]P */
FE4_TARGET static void NAME(double_point)(NAME(work) *__restrict s, fe4 *p) {
    fe4_exchange(&s->v, p);
    fe4_add(&s->v, &s->v, p);
    fe4_lanes(&s->v, &s->v, FE4_CHOICE(0, 0, 0, 0));
    fe4_blend(&s->u, 7, p, &s->v);                   /* X, Y, Z, X + Y (l) */
    fe4_double(&s->u, &s->u, s->t);                  /* H, G, F, E (t) */
    fe4_lanes(&s->v, &s->u, FE4_CHOICE(2, 0, 1, 0)); /* F, H, G, H */
    fe4_lanes(&s->u, &s->u, FE4_CHOICE(3, 1, 2, 3)); /* E, G, F, E */
    fe4_mul(p, &s->u, &s->v, s->t);
}

/* P + Q, or P - Q if minus is all ones. The negative of Q has y + x and y - x exchanged, and its 2 d x y the other
 * sign: so F and G change places. minus may be secret. */
FE4_TARGET static void NAME(add_point)(NAME(work) *__restrict s, fe4 *p, const fe4 *q, uint64_t minus) {
    const fe4_choice q_plus = FE4_CHOICE(0, 1, 2, 3), q_minus = FE4_CHOICE(1, 0, 2, 3);
    const fe4_choice u_plus = FE4_CHOICE(1, 2, 3, 1), u_minus = FE4_CHOICE(1, 3, 2, 1);
    const fe4_choice v_plus = FE4_CHOICE(3, 0, 2, 0), v_minus = FE4_CHOICE(2, 0, 3, 0);
    fe4_diff_sum(&s->u, p);
    fe4_blend(&s->u, 3, &s->u, p);      /* X + Y, Y - X, Z, T (l) */
    fe4_lanes(&s->v, q, fe4_choose(minus, q_minus, q_plus));
    fe4_mul(&s->u, &s->u, &s->v, s->t); /* B, A, D, C (t) */
    fe4_sum_diff(&s->u, &s->u);         /* H, E, G, F, or H, E, F, G (l) */
    fe4_lanes(&s->v, &s->u, fe4_choose(minus, v_minus, v_plus)); /* F, H, G, H */
    fe4_lanes(&s->u, &s->u, fe4_choose(minus, u_minus, u_plus)); /* E, G, F, E */
    fe4_mul(p, &s->u, &s->v, s->t);
}

FE4 void NAME(set_identity)(fe4 *p) {
    uint64_t w[4][4] = {{0}, {1}, {1}, {0}};
    fe4_load(p, w);
}

FE4 void NAME(store)(ge *r, const fe4 *p) {
    fe end[4];
    fe4_to_fe(end, p);
    r->x = end[0];
    r->y = end[1];
    r->z = end[2];
    r->t = end[3];
    ct_wipe(end, sizeof end);
}

FE4 void NAME(from_entry)(fe4 *q, const uint64_t table[12]) {
    fe4_from_rows(q, fe4_row(table), fe4_row(table + 4), fe4_two(), fe4_row(table + 8));
}

__attribute__((noinline)) FE4_TARGET static void NAME(base_in_frame)(ge *r, const uint8_t n[32]) {
    uint8_t digit[4][13];
    fe4 p, q;
    fe4_entry e;
    NAME(work) s;
    svconn_ge_recode(digit, n);
    NAME(set_identity)(&p);
    for (unsigned k = 4; k-- > 0;) {
        if (k < 3) NAME(double_point)(&s, &p);
        for (unsigned j = 0; j < 13; j++) {
            uint32_t minus = (uint32_t)(digit[k][j] >> 4) ^ 1;
            e = fe4_look_up(svconn_ed25519_comb[j], (digit[k][j] ^ (0u - minus)) & 15);
            fe4_from_rows(&q, e.row[0], e.row[1], fe4_two(), e.row[2]);
            NAME(add_point)(&s, &p, &q, ct_mask64(minus));
        }
    }
    NAME(store)(r, &p);
    ct_wipe(digit, sizeof digit);
    ct_wipe(&p, sizeof p);
    ct_wipe(&q, sizeof q);
    ct_wipe(&e, sizeof e);
    ct_wipe(&s, sizeof s);
}

FE4_TARGET void NAME(ge_base)(ge *r, const uint8_t n[32]) {
    NAME(base_in_frame)(r, n);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}

/* In variable time: for public inputs only. */
FE4_TARGET void NAME(ge_double_base)(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]) {
    int8_t na[256], nb[256];
    uint64_t w[4][4], k[4][4] = {{1}, {1}, {2}, {0}};
    NAME(work) s;
    fe4 sum, twice, scale, t[8], m;
    unsigned i = 256;
    svconn_ge_naf(na, a, 5);
    svconn_ge_naf(nb, b, 8);
    fe_to_words(w[0], &p->x);
    fe_to_words(w[1], &p->y);
    fe_to_words(w[2], &p->z);
    fe_to_words(w[3], &p->t);
    fe4_load(&sum, w);
    memcpy(k[3], svconn_ed25519_2d, sizeof k[3]);
    fe4_load(&scale, k);
    twice = sum;
    NAME(double_point)(&s, &twice);
    for (unsigned j = 0; j < 8; j++) { /* t[j] = [2 j + 1]P */
        if (j > 0) {
            sum = twice;
            NAME(add_point)(&s, &sum, &t[j - 1], 0);
        }
        fe4_diff_sum(&m, &sum);
        fe4_blend(&m, 3, &m, &sum); /* Y + X, Y - X, Z, T (l) */
        fe4_mul(&t[j], &m, &scale, s.t);
    }
    NAME(set_identity)(&sum);
    while (i > 0 && na[i - 1] == 0 && nb[i - 1] == 0) i--;
    while (i-- > 0) {
        NAME(double_point)(&s, &sum);
        if (na[i] != 0) NAME(add_point)(&s, &sum, &t[(na[i] < 0 ? -na[i] : na[i]) / 2], ct_mask64(na[i] < 0));
        if (nb[i] != 0) {
            NAME(from_entry)(&m, svconn_ed25519_odd[(nb[i] < 0 ? -nb[i] : nb[i]) / 2]);
            NAME(add_point)(&s, &sum, &m, ct_mask64(nb[i] < 0));
        }
    }
    NAME(store)(r, &sum);
}

/* ---- known answers -------------------------------------------------------------------------------------------------
 * With n = 0x33...33, m = 0x11...11 and k = 0x22...22: u of [n]B by the ladder is what Python's integers say; the
 * encoding of [n]B is so too; and so is that of [m]B + [k]B. Both have the right T. */
static int NAME(is_answer)(const ge *p) {
    static const uint8_t answer[32] = {
        0x65, 0x89, 0x28, 0x14, 0xb0, 0xa9, 0xbe, 0xe7, 0xad, 0xe5, 0xad, 0x67, 0x5c, 0x62, 0x28, 0x4e,
        0xa7, 0xe2, 0x49, 0xfb, 0xa0, 0xfc, 0xd6, 0x5f, 0xaf, 0xa0, 0x07, 0xd3, 0x38, 0x17, 0xd6, 0x6a,
    };
    uint8_t code[32], xy[32], zt[32];
    fe a, inverse;
    fe_invert(&inverse, &p->z);
    svconn_ge_encode(code, p, &inverse);
    fe_mul(&a, &p->x, &p->y);
    fe_to_bytes(xy, &a);
    fe_mul(&a, &p->z, &p->t);
    fe_to_bytes(zt, &a);
    return (int)(ct_eq(code, answer, 32) & ct_eq(xy, zt, 32) & (ct_all_zero(xy, 32) ^ 1));
}

int NAME(curve25519_is_right)(void) {
    static const uint8_t answer[32] = {
        0xa2, 0x49, 0x0e, 0x99, 0x34, 0x4d, 0xc9, 0xea, 0x5a, 0x8f, 0xd3, 0xae, 0xf5, 0xd9, 0x26, 0x40,
        0xf7, 0x7d, 0x74, 0x6a, 0xad, 0x62, 0x5f, 0x5c, 0x93, 0x4c, 0x77, 0x36, 0x73, 0x80, 0x1f, 0x68,
    };
    uint8_t n[32], m[32], k[32], u[32], unit[32] = {1};
    fe x, z;
    ge p, b;
    memset(n, 0x33, 32);
    memset(m, 0x11, 32);
    memset(k, 0x22, 32);
    fe_from_small(&x, 9);
    NAME(x25519_ladder)(&x, &z, n, &x);
    fe_invert(&z, &z);
    fe_mul(&x, &x, &z);
    fe_to_bytes(u, &x);
    int good = memcmp(u, answer, 32) == 0;
    NAME(ge_base)(&p, n);
    good = good && NAME(is_answer)(&p);
    NAME(ge_base)(&b, unit);
    NAME(ge_double_base)(&p, m, &b, k);
    return good && NAME(is_answer)(&p);
}
