/* SPDX-License-Identifier: ISC */
/*
 * The group of edwards25519. Sources: RFC 8032, section 5.1; H. Hisil, K. Wong, G. Carter, E. Dawson, "Twisted Edwards
 * Curves Revisited" (ASIACRYPT 2008), sections 3.1 and 3.3, for a = -1: their addition is complete here, because -1 is
 * a square and d is not one; the comb with signed digits: M. Hamburg, "Fast and compact elliptic-curve cryptography"
 * (ePrint 2012/309), section 3.3.
 *
 * svconn_ge_base_* and svconn_ge_encode are constant time. What verification uses is not, and says so.
 *
 * The bounds are those of fe25519.h: each call below takes what the table there allows; (t), (l), (w) on a line say
 * that its result is tight, loose, wide.
 */
#include "ge25519.h"
#include "cpu.h"
#include "ed25519_table.h"
#include "sc25519.h"

#ifndef SVCONN_SMALL /* else: curve25519_small.c */

typedef ge_niels niels;
typedef ge_cached cached;

/* A sum before its last products: X3 = E F, Y3 = G H, Z3 = F G, T3 = E H. All are wide at most. t: work space, here so
 * that one wipe reaches it. */
typedef struct {
    fe e, f, g, h, t;
} parts;

static void set_identity(ge *r) {
    fe_from_small(&r->x, 0);
    fe_from_small(&r->y, 1);
    fe_from_small(&r->z, 1);
    fe_from_small(&r->t, 0);
}

/* Without T: enough for a doubling and for the end. */
static void join(ge *r, const parts *q) {
    fe_mul(&r->x, &q->e, &q->f);
    fe_mul(&r->y, &q->g, &q->h);
    fe_mul(&r->z, &q->f, &q->g);
}

static void join_t(ge *r, const parts *q) {
    join(r, q);
    fe_mul(&r->t, &q->e, &q->h);
}

/* [2]P; its T is not used. Section 3.3 there with the signs of F and H turned, which gives (-X : -Y : -T : -Z). */
static void double_point(parts *r, const ge *p) {
    fe_sq(&r->g, &p->x);           /* A (t) */
    fe_sq(&r->t, &p->y);           /* B (t) */
    fe_sq(&r->f, &p->z);           /* (t) */
    fe_add(&r->f, &r->f, &r->f);   /* C = 2 Z^2 (l) */
    fe_add(&r->e, &p->x, &p->y);   /* (l) */
    fe_sq(&r->e, &r->e);           /* (X + Y)^2 (t) */
    fe_both(&r->h, &r->g, &r->t, &r->g); /* H = B + A, G = B - A (l) */
    fe_sub2(&r->e, &r->e, &r->h);  /* E = (X + Y)^2 - H (w) */
    fe_sub2(&r->f, &r->f, &r->g);  /* F = C - G (w) */
}

/* What all additions share; r->f = D = 2 Z1 Z2 (l) goes in. Section 3.1 there. */
static void add_parts(parts *r, const ge *p, const niels *q) {
    fe_both(&r->t, &r->g, &p->y, &p->x); /* (l) */
    fe_mul(&r->g, &r->g, &q->minus); /* A (t) */
    fe_mul(&r->t, &r->t, &q->plus);  /* B (t) */
    fe_both(&r->h, &r->e, &r->t, &r->g); /* H = B + A, E = B - A (l) */
    fe_mul(&r->t, &p->t, &q->t2d);   /* C = T1 2 d T2 (t) */
    fe_add2(&r->g, &r->f, &r->t);    /* G = D + C (w) */
    fe_sub2(&r->f, &r->f, &r->t);    /* F = D - C (w) */
}

static void add_niels(parts *r, const ge *p, const niels *q) {
    fe_add(&r->f, &p->z, &p->z);
    add_parts(r, p, q);
}

static void add_cached(parts *r, const ge *p, const cached *q) {
    fe_mul(&r->f, &p->z, &q->z);
    fe_add(&r->f, &r->f, &r->f);
    add_parts(r, p, &q->n);
}

static void from_entry(niels *r, const uint64_t w[12]) {
    fe_from_words(&r->plus, w);
    fe_from_words(&r->minus, w + 4);
    fe_from_words(&r->t2d, w + 8);
}

/* The negative: y + x and y - x change places, 2 d x y its sign. mask: all ones to do it, all zeros not to. */
static void negate(niels *r, uint64_t mask) {
    fe_swap(&r->plus, &r->minus, mask);
    fe_negate_if(&r->t2d, mask);
}

/* ---- [n]B in constant time -------------------------------------------------
 * Let m = n if n is odd, else n + L: [m]B = [n]B, m is odd and below 2^256. An odd m < 2^260 is a sum of all 2^i,
 * i = 0 to 259, each with its own sign: the one of 2^259 is +, the one of 2^i is + if bit i + 1 of m is set, else -.
 * (With b_i = 1 for +: sum (2 b_i - 1) 2^i = 2 b - 2^260 + 1, which is m for b = (m - 1) / 2 + 2^259.)
 * So b is m shifted right by one, with bit 259 set.
 *
 * The comb: SVCONN_COMBS teams of STEPS digits of TEETH signs. Bits STEPS (TEETH j + t) + k of b, t = 0 to TEETH - 1,
 * make digit (j, k), which stands for 2^k 2^(STEPS TEETH j) (+-1 +-2^STEPS +-2^(2 STEPS) ...) B. Table j has the cases
 * in which the last sign is +; the others are their negatives. How many additions, doublings, and KB of tables:
 * ed25519_table.h. */
#define TEETH SVCONN_COMB_TEETH
#define STEPS SVCONN_COMB_STEPS

/* 2 b, which is m with bit 260 set and bit 0 no matter */
static void twice_b(uint8_t b[34], const uint8_t n[32]) {
    uint32_t even = ct_mask32((n[0] & 1u) ^ 1u), c = 0;
    for (unsigned i = 0; i < 32; i++) {
        c += n[i] + (svconn_sc_order[i] & even);
        b[i] = (uint8_t)c;
        c >>= 8;
    }
    b[32] = 0x10;
    b[33] = 0;
}

#ifdef SVCONN_LARGE_TABLES
void svconn_ge_recode(uint8_t digit[4][13], const uint8_t n[32]) {
    uint8_t b[34];
    twice_b(b, n);
    for (unsigned j = 0; j < 13; j++) { /* 20 bits: x has one nibble per sign, and bit k of all makes digit k */
        const uint8_t *p = b + 20 * j / 8;
        uint32_t x = ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16) >> (20 * j % 8 + 1);
        if (j & 1) x |= (p[3] & 1u) << 19;
        for (unsigned k = 0; k < 4; k++, x >>= 1) {
            uint32_t y = x & 0x11111; /* bits 0, 4, 8, 12, 16: to 0, 1, 2, 3, 4 */
            y |= y >> 3;
            digit[k][j] = (uint8_t)((y & 3) | (y >> 6 & 12) | (y >> 12 & 16));
        }
    }
    ct_wipe(b, sizeof b);
}
#else
void svconn_ge_recode(uint8_t digit[STEPS][SVCONN_COMBS], const uint8_t n[32]) {
    uint8_t b[34];
    twice_b(b, n);
    for (unsigned k = 0; k < STEPS; k++) {
        for (unsigned j = SVCONN_COMBS, i = STEPS * TEETH * SVCONN_COMBS + k + 1; j-- > 0;) {
            unsigned d = 0;
            for (unsigned t = 0; t < TEETH; t++) {
                i -= STEPS;
                d = 2 * d + ((unsigned)b[i / 8] >> i % 8 & 1);
            }
            digit[k][j] = (uint8_t)d;
        }
    }
    ct_wipe(b, sizeof b);
}
#endif

/* r = the entry of digit in a table: all of it is read. */
static void look_up(niels *r, const uint64_t table[1 << (TEETH - 1)][12], uint32_t digit) {
    uint64_t w[12] = {0};
    uint32_t minus = (digit >> (TEETH - 1)) ^ 1;
    uint32_t index = (digit ^ (0u - minus)) & ((1 << (TEETH - 1)) - 1);
    for (uint32_t i = 0; i < 1 << (TEETH - 1); i++) {
        uint64_t mask = ct_mask64(ct_is_zero32(index ^ i));
        for (unsigned j = 0; j < 12; j++) w[j] |= mask & table[i][j];
    }
    from_entry(r, w);
    negate(r, ct_mask64(minus));
    ct_wipe(w, sizeof w);
}

void svconn_ge_base_begin(ge_base_work *w, const uint8_t n[32], uint32_t units) {
    w->left = 0;
#ifdef SVCONN_CURVE_X86
    unsigned can = units == SVCONN_NO_PAUSE ? svconn_cpu() : 0;
    if (can & SVCONN_CPU_IFMA) {
        svconn_ge_base_ifma(&w->r, n);
        return;
    }
    if (can & SVCONN_CPU_AVX2) {
        svconn_ge_base_avx2(&w->r, n);
        return;
    }
#else
    (void)units;
#endif
    svconn_ge_recode(w->digit, n);
    set_identity(&w->r);
    w->left = STEPS;
}

int svconn_ge_base_more(ge_base_work *w, uint32_t *units) {
    ge *r = &w->r;
    niels q;
    parts s;
    while (w->left && svconn_unit(units)) {
        unsigned k = --w->left;
        if (k < STEPS - 1) {
            double_point(&s, r);
            join_t(r, &s);
        }
        for (unsigned j = 0; j < SVCONN_COMBS; j++) {
            look_up(&q, svconn_ed25519_comb[j], w->digit[k][j]);
            add_niels(&s, r, &q);
            if (j + 1 < SVCONN_COMBS) join_t(r, &s);
            else join(r, &s);
        }
    }
    ct_wipe(&q, sizeof q);
    ct_wipe(&s, sizeof s);
    return w->left == 0;
}

/* ---- encoding -------------------------------------------------------------- */
void svconn_ge_encode(uint8_t out[32], const ge *p, const fe *inverse) {
    fe x, y;
    fe_mul(&x, &p->x, inverse);
    fe_mul(&y, &p->y, inverse);
    fe_to_bytes(out, &y);
    out[31] = (uint8_t)(out[31] | fe_is_odd(&x) << 7);
    ct_wipe(&x, sizeof x);
    ct_wipe(&y, sizeof y);
}

/* ---- from here on in variable time: for public inputs only ------------------ */

/* 5.1.3, steps 2 to 4: x from y. x^2 = u / v with u = y^2 - 1, v = d y^2 + 1; v is not 0, as -1 / d is no square. The
 * candidate is u v^3 (u v^7)^((p - 5) / 8). */
int svconn_ge_decode_begin(ge_decode_work *w, const uint8_t in[32]) {
    uint8_t canonical[32];
    fe y, one, t;
    fe_from_bytes(&y, in);
    fe_to_bytes(canonical, &y);
    canonical[31] |= in[31] & 0x80;
    if (!ct_eq(canonical, in, 32)) return 0; /* not below p */
    fe_from_small(&one, 1);
    fe_sq(&w->u, &y);
    fe_from_words(&t, svconn_ed25519_d);
    fe_mul(&w->v, &w->u, &t);
    fe_add(&w->v, &w->v, &one); /* (l) */
    fe_sub(&w->u, &w->u, &one);
    fe_mul(&w->u, &w->u, &one); /* (t) */
    fe_sq(&t, &w->v);
    fe_mul(&w->v3, &t, &w->v);
    fe_sq(&t, &w->v3);
    fe_mul(&t, &t, &w->v);      /* v^7 */
    fe_mul(&t, &t, &w->u);
    fe_power_begin(&w->p, &t);
    return 1;
}

int svconn_ge_decode_more(ge_decode_work *w, uint32_t *units) { return fe_power_more(&w->p, units); }

/* 0 if there is no x. */
static int recover_x(fe *x, const ge_decode_work *w, unsigned sign) {
    fe one, k, t;
    fe_from_small(&one, 1);
    fe_from_words(&k, svconn_ed25519_root);
    fe_pow2523_end(x, &w->p);
    fe_mul(x, x, &w->v3);
    fe_mul(x, x, &w->u); /* the candidate */
    for (unsigned tries = 0;; tries++) {
        fe_sq(&t, x);
        fe_mul(&t, &t, &w->v); /* v x^2 (t): u, -u or neither; -u comes to u */
        fe_sub(&t, &t, &w->u);
        fe_mul(&t, &t, &one);
        if (fe_is_zero(&t)) break;
        if (tries == 1) return 0;
        fe_mul(x, x, &k);
    }
    if (fe_is_zero(x) && sign) return 0;
    if (fe_is_odd(x) != sign) {
        fe_negate_if(x, ~(uint64_t)0);
        fe_mul(x, x, &one);
    }
    return 1;
}

int svconn_ge_decode_end(ge *p, const ge_decode_work *w, const uint8_t in[32]) {
    fe x;
    if (!recover_x(&x, w, in[31] >> 7)) return 0;
    p->x = x;
    fe_from_bytes(&p->y, in);
    fe_from_small(&p->z, 1);
    fe_mul(&p->t, &p->x, &p->y);
    return 1;
}

/* The order of [8]P is 1 or L, which is odd: x = 0 says that it is the identity, as (0, -1) has order 2. */
int svconn_ge_has_small_order(const ge *p) {
    parts s;
    ge q = *p;
    for (unsigned i = 0; i < 3; i++) {
        double_point(&s, &q);
        join(&q, &s);
    }
    return (int)fe_is_zero(&q.x);
}

static void to_cached(cached *r, const ge *p) {
    fe d2;
    fe_from_words(&d2, svconn_ed25519_2d);
    fe_both(&r->n.plus, &r->n.minus, &p->y, &p->x);
    fe_mul(&r->n.t2d, &p->t, &d2);
    r->z = p->z;
}

#define P_WINDOW SVCONN_P_WINDOW
#define ODD_MULTIPLES SVCONN_P_MULTIPLES

/* t[i] = [2 i + 1]P */
static void odd_multiples(cached t[ODD_MULTIPLES], const ge *p) {
    to_cached(&t[0], p);
    parts s;
    ge q, twice;
    double_point(&s, p);
    join_t(&twice, &s);
    for (unsigned i = 1; i < ODD_MULTIPLES; i++) {
        add_cached(&s, &twice, &t[i - 1]);
        join_t(&q, &s);
        to_cached(&t[i], &q);
    }
}

#ifdef SVCONN_LARGE_TABLES
/* w bits of n from bit i on, w < 32; bits from 256 on are zero */
static unsigned bits_of(const uint64_t n[5], unsigned i, unsigned w) {
    uint64_t x = n[i / 64] >> (i % 64);
    if (i % 64 > 32) x |= n[i / 64 + 1] << (64 - i % 64);
    return (unsigned)x & ((1u << w) - 1);
}

/* A carry means that 2^i is still to be added. It ends before 256: bit 255 of n is 0. */
void svconn_ge_naf(int8_t digit[256], const uint8_t n[32], unsigned w) {
    uint64_t word[5] = {0};
    unsigned carry = 0, i = 0;
    for (unsigned j = 0; j < 4; j++) word[j] = load_le64(n + 8 * j);
    memset(digit, 0, 256);
    while (i < 256) {
        unsigned d = bits_of(word, i, w) + carry;
        if ((d & 1) == 0) {
            i++;
            continue;
        }
        carry = d >> (w - 1);
        digit[i] = (int8_t)((int)d - (int)(carry << w));
        i += w;
    }
}

/* One doubling per bit for both products (Straus). Windows of 5 bits for P, of 8 for B, whose odd multiples [1]B to
 * [127]B are in a table. */
void svconn_ge_double_begin(ge_double_work *w, const uint8_t a[32], const ge *p, const uint8_t b[32], uint32_t units) {
    w->left = 0;
#ifdef SVCONN_CURVE_X86
    unsigned can = units == SVCONN_NO_PAUSE ? svconn_cpu() : 0;
    if (can & SVCONN_CPU_IFMA) {
        svconn_ge_double_base_ifma(&w->r, a, p, b);
        return;
    }
    if (can & SVCONN_CPU_AVX2) {
        svconn_ge_double_base_avx2(&w->r, a, p, b);
        return;
    }
#else
    (void)units;
#endif
    svconn_ge_naf(w->a, a, P_WINDOW);
    svconn_ge_naf(w->b, b, SVCONN_ODD_WINDOW);
    odd_multiples(w->multiple, p);
    set_identity(&w->r);
    w->left = 256;
    while (w->left && w->a[w->left - 1] == 0 && w->b[w->left - 1] == 0) w->left--;
}

static void digits_at(ge_double_work *w, const uint8_t a[32], const uint8_t b[32], unsigned i, int *da, int *db) {
    (void)a, (void)b;
    *da = w->a[i];
    *db = w->b[i];
}
#else
/* Windows that are found from the top: K. Okeya, K. Schmidt-Samoa, C. Spahn, T. Takagi, "Signed binary representations
 * revisited" (CRYPTO 2004), section 4. n = 2 n - n: the signed digit of 2^i is n_(i - 1) - n_i. From one on that is not
 * 0, w of them are taken together; that is the number in the bits i to i - w + 1 of n, of which the first one counts
 * negative, plus the bit after them. Without its factors 2 it is odd and below 2^(w - 1) in size. Digits are as rare as
 * in the non-adjacent form, one in w + 1, and nobody has to keep them. */

/* 0 above, and below (i = -1) */
static int bit_of(const uint8_t n[32], unsigned i) { return i < 256 ? n[i / 8] >> i % 8 & 1 : 0; }

/* What is to be added at 2^i. i goes down from 253. */
static int digit_at(ge_window *s, const uint8_t n[32], unsigned i, unsigned w) {
    if (i < s->low && bit_of(n, i) != bit_of(n, i - 1)) {
        int digit = -bit_of(n, i);
        s->low = (uint16_t)(i < w ? 0 : i - w + 1);
        for (unsigned j = i; j-- > s->low;) digit = 2 * digit + bit_of(n, j);
        digit += bit_of(n, s->low - 1u);
        for (s->at = s->low; digit % 2 == 0; s->at++) digit >>= 1;
        s->digit = (int8_t)digit;
    }
    return i == s->at ? s->digit : 0;
}

static void digits_at(ge_double_work *w, const uint8_t a[32], const uint8_t b[32], unsigned i, int *da, int *db) {
    *da = digit_at(&w->a, a, i, P_WINDOW);
    *db = digit_at(&w->b, b, i, SVCONN_ODD_WINDOW);
}

void svconn_ge_double_begin(ge_double_work *w, const uint8_t a[32], const ge *p, const uint8_t b[32], uint32_t units) {
    (void)a, (void)b, (void)units;
    odd_multiples(w->multiple, p);
    set_identity(&w->r);
    w->left = w->a.low = w->a.at = w->b.low = w->b.at = 254; /* the digit of 2^253 is the highest that is not 0 */
}
#endif

int svconn_ge_double_more(ge_double_work *w, const uint8_t a[32], const uint8_t b[32], uint32_t *units) {
    ge *r = &w->r;
    cached q;
    parts s;
    while (w->left && svconn_unit(units)) {
        int da, db;
        digits_at(w, a, b, --w->left, &da, &db);
        double_point(&s, r);
        if (da != 0) {
            join_t(r, &s);
            q = w->multiple[(da < 0 ? -da : da) / 2];
            negate(&q.n, ct_mask64(da < 0));
            add_cached(&s, r, &q);
        }
        if (db != 0) {
            join_t(r, &s);
            from_entry(&q.n, svconn_ed25519_odd[(db < 0 ? -db : db) / 2]);
            negate(&q.n, ct_mask64(db < 0));
            add_niels(&s, r, &q.n);
        }
        join(r, &s);
    }
    return w->left == 0;
}
#endif
