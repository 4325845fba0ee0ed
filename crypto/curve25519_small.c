/* SPDX-License-Identifier: ISC */
/*
 * X25519 (RFC 7748) and Ed25519 (RFC 8032, 5.1) where flash counts most: SVCONN_SMALL. All of it is here, in place of x25519.c, ed25519.c and
 * of the files below them; the contract is the one in crypto.h.
 *
 * A number mod p = 2^255 - 19 is 256 bits in words of 32 bits, or of 16 where there is no 32 x 32 -> 64 bit product; so is a scalar. Sixteen
 * such numbers are the registers of a machine with one instruction, h = f + m g for some small m, or h = f g; each formula is a program for
 * it. A step of X25519 takes a bit of the scalar in the Montgomery ladder; one of Ed25519 doubles a point and adds another one, which is the
 * neutral one if the bit is 0. Both choose by a swap in constant time. On edwards25519 the laws are complete, so that there are no special
 * cases: whatever the scalars and the points are, of small order or with a part of small order, the results are right.
 *
 * Sources: RFC 7748, section 5 (the ladder); H. Hisil, K. Wong, G. Carter, E. Dawson, "Twisted Edwards Curves Revisited" (ASIACRYPT 2008),
 * sections 3.1 and 3.3, for a = -1: complete here, because -1 is a square and d is not one; RFC 8032, 5.1.3 (decoding).
 *
 * Key generation and signing, and X25519, are constant time in what is secret. Verification is of public data, and takes the bits of k as they are.
 */
#include "crypto.h"
#include "ct.h"
#include "slices.h"

#ifdef SVCONN_SMALL

/* ---- numbers ---------------------------------------------------------------------------------------------------------------------- */
#ifdef SVCONN_NARROW_MUL
typedef uint16_t limb;
typedef uint32_t limb_pair;
typedef int32_t limb_sum;
#define LIMB 16
#define TWO(a, b) a, b
#else
typedef uint32_t limb;
typedef uint64_t limb_pair;
typedef int64_t limb_sum;
#define LIMB 32
#define TWO(a, b) (limb)(a) | (limb)(b) << 16
#endif
#define LIMBS (256 / LIMB)
typedef limb number[LIMBS]; /* the lowest first */

/* h = f + m g + c; returns what is carried out, which may be below 0. |m| < 2^14, |c| < 2^24: a sum is below 2^31 or 2^47. h may be f or g. */
static int add_times(limb *h, const limb *f, int m, const limb *g, int c) {
    limb_sum t = c;
    for (unsigned i = 0; i < LIMBS; i++) {
        t += f[i] + (limb_sum)m * g[i];
        h[i] = (limb)t;
        t >>= LIMB;
    }
    return (int)t;
}

/* Returns bit 255 of the 32 bytes, h is the rest. */
static unsigned read_number(limb *h, const uint8_t *in) {
    for (unsigned i = 0; i < LIMBS; i++, in += LIMB / 8) h[i] = (limb)(LIMB == 32 ? load_le32(in) : in[0] | (uint32_t)in[1] << 8);
    unsigned top = h[LIMBS - 1] >> (LIMB - 1);
    h[LIMBS - 1] &= (limb)-1 >> 1;
    return top;
}

static void write_number(uint8_t out[32], const limb *f) {
    for (unsigned i = 0; i < 32; i++) out[i] = (uint8_t)(f[8 * i / LIMB] >> 8 * i % LIMB);
}

/* ---- the machine ------------------------------------------------------------------------------------------------------------------- */
typedef struct {
    number r[16];
    limb product[2 * LIMBS];
    number s, k;          /* the scalars of P1 and of P2 */
    uint16_t left;        /* steps that are still to come: SCALAR of the scalars, then POWER of an inversion */
    uint8_t swap, ladder; /* P0 and P1 are swapped; X25519 */
} SVCONN_MAY_ALIAS curve;
#define SCALAR 255
#define POWER 254

/* An instruction: what, h, f, g of four bits each; LAST ends a program.
 *
 * Any 256 bits may go in. With K = 8, f + m g - 19 K is 2^255 c + l, with l below 2^255, and c from -5 (m is at least -2) to 16223. Mod p that is
 * l + 19 c, so f + m g is l + 19 (c + K), which is not below 0, and below 2^255 + 2^20. A product is l + 2^256 h = l + 38 h. Of such results,
 * FREEZE makes the numbers below p: with K = -1, x + 19 = 2^255 c + l, c is 1 if x is at least p, else 0, and l + 19 (c - 1) = x - c p.
 * tests/limbs.py computes these bounds. */
#define LAST 0x8000
#define FREEZE 0x0000
#define MUL 0x1000
#define ADD 0x2000
#define SUB 0x3000
#define ADD_2 0x4000
#define SUB_2 0x5000
#define ADD_14 0x6000
#define ADD_8111 0x7000
static const int16_t times[8] = {0, 38, 1, -1, 2, -2, 14, 8111};
#define DO(what, h, f, g) (uint16_t)((what) | (h) << 8 | (f) << 4 | (g))

/* The registers. P0, P1 and P2 are points to be added, in three numbers y + x, y - x, 2 d x y; P0 is the neutral one, or changes places with
 * P1. X, Y, Z, T: extended coordinates (RFC 8032, 5.1.4). All others are for a while only. */
#define P0 0
#define P0_MINUS 1
#define P0_T 2
#define P1 3
#define P1_MINUS 4
#define P1_T 5
#define X 6
#define Y 7
#define Z 8
#define T 9
#define A 10
#define B 11
#define ONE 12
#define P2 13
#define P2_MINUS 14
#define P2_T 15
/* the ladder, which takes P0_T and P1_T along */
#define X2 P0
#define Z2 P0_MINUS
#define X3 P1
#define Z3 P1_MINUS
#define X1 X
#define LA Y
#define LB Z
#define LD T
/* a power of F */
#define F A
#define POW P1_T
/* d, an affine point, and how x is found; at the end */
#define D T
#define PX A
#define PY B
#define U P1
#define V P1_MINUS
#define V3 X
#define ROOT Y
#define ONE_PLUS_Y P1
#define ONE_MINUS_Y P1_MINUS
#define NEUTRAL (1 << P0 | 1 << P0_MINUS | 1 << Y | 1 << Z) /* what is 1 in P0 and (X : Y : Z) */

static const struct programs {
    uint16_t ladder[18], ladder_end[2], square[1], times_f[1];
#ifndef SVCONN_SMALL_X25519_ONLY
    uint16_t twice[13], add[13], decode[11], root[8], other_root[1], freeze_x[1], negate[1], point[5], points_end[6], encode[7];
#endif
    uint16_t quotient[2];
} program = {
    /* RFC 7748, section 5, the body of the loop; 121665 = 15 * 8111 */
    {DO(ADD, LA, X2, Z2), DO(SUB, LB, X2, Z2), DO(SUB, LD, X3, Z3), DO(ADD, X3, X3, Z3), DO(MUL, LD, LD, LA), DO(MUL, X3, X3, LB), /* DA, CB */
     DO(MUL, LA, LA, LA), DO(MUL, LB, LB, LB), DO(MUL, X2, LA, LB), DO(SUB, LB, LA, LB),   /* AA, BB, E */
     DO(ADD_14, Z2, LB, LB), DO(ADD_8111, Z2, LA, Z2), DO(MUL, Z2, Z2, LB),                /* AA + a24 E */
     DO(SUB, Z3, LD, X3), DO(ADD, X3, LD, X3), DO(MUL, X3, X3, X3), DO(MUL, Z3, Z3, Z3), DO(LAST | MUL, Z3, Z3, X1)},
    {DO(FREEZE, F, Z2, Z2), DO(LAST | FREEZE, POW, Z2, Z2)},
    {DO(LAST | MUL, POW, POW, POW)},
    {DO(LAST | MUL, POW, POW, F)},
#ifndef SVCONN_SMALL_X25519_ONLY
    /* Hisil and others, 3.3, with E and G of the other sign, which makes (-X : -Y : -Z : -T). T is not used. */
    {DO(MUL, A, X, X), DO(MUL, B, Y, Y), DO(ADD, X, X, Y), DO(MUL, X, X, X), DO(ADD, Y, A, B), DO(SUB, X, Y, X), DO(SUB, A, A, B), /* H, -E, -G */
     DO(MUL, Z, Z, Z), DO(ADD_2, B, A, Z), /* F */
     DO(MUL, T, X, Y), DO(MUL, X, X, B), DO(MUL, Y, Y, A), DO(MUL, Z, B, A)},
    /* which goes on here: 3.1, for P0 */
    {DO(SUB, A, Y, X), DO(MUL, A, A, P0_MINUS), DO(ADD, B, Y, X), DO(MUL, B, B, P0), DO(MUL, T, T, P0_T), /* A, B, C */
     DO(SUB, X, B, A), DO(ADD, Y, B, A), DO(ADD_2, Z, T, Z), DO(SUB_2, A, Z, T),                          /* E, H, G, F */
     DO(MUL, T, X, Y), DO(MUL, X, X, A), DO(MUL, Y, Y, Z), DO(LAST | MUL, Z, Z, A)},
    /* RFC 8032, 5.1.3: u = y^2 - 1, v = d y^2 + 1, v^3, u v^7. And y below p, to be compared */
    {DO(FREEZE, ROOT, PY, PY), DO(MUL, U, PY, PY), DO(MUL, V, U, D), DO(ADD, V, V, ONE), DO(SUB, U, U, ONE), DO(MUL, F, V, V), DO(MUL, V3, F, V),
     DO(MUL, F, V3, V3), DO(MUL, F, F, V), DO(MUL, F, F, U), DO(LAST | FREEZE, POW, F, F)},
    /* The candidate x = u v^3 (u v^7)^((p - 5) / 8); v x^2 - u and v x^2 + u, to be compared with 0 */
    {DO(MUL, PX, POW, V3), DO(MUL, PX, PX, U), DO(MUL, POW, PX, PX), DO(MUL, POW, POW, V), DO(SUB, V, POW, U), DO(FREEZE, V, V, V), DO(ADD, POW, POW, U),
     DO(LAST | FREEZE, POW, POW, POW)},
    {DO(MUL, PX, PX, ROOT)}, /* and on */
    {DO(LAST | FREEZE, PX, PX, PX)},
    {DO(SUB_2, PX, PX, PX)}, /* and on */
    /* P1 */
    {DO(ADD, P1, PY, PX), DO(SUB, P1_MINUS, PY, PX), DO(MUL, P1_T, PX, PY), DO(MUL, P1_T, P1_T, D), DO(LAST | ADD, P1_T, P1_T, P1_T)},
    /* 2 + 2 y, 2 - 2 y for the y of P2: RFC 7748, 4.1. What is to be inverted: Z (2 - 2 y) */
    {DO(ADD, A, P2, P2_MINUS), DO(ADD_2, ONE_PLUS_Y, A, ONE), DO(SUB, B, ONE, A), DO(ADD, ONE_MINUS_Y, B, ONE), DO(MUL, F, ONE_MINUS_Y, Z),
     DO(LAST | FREEZE, POW, F, F)},
    /* r[0], r[1]: X / Z, Y / Z; r[2]: u. */
    {DO(MUL, 0, X, ONE_MINUS_Y), DO(MUL, ONE_MINUS_Y, ONE_MINUS_Y, POW), DO(MUL, 1, Y, ONE_MINUS_Y), DO(FREEZE, 1, 1, 1), DO(MUL, 2, ONE_PLUS_Y, Z),
     DO(MUL, 2, 2, POW), DO(FREEZE, 2, 2, 2)}, /* and on, as for X25519 */
#endif
    {DO(MUL, 0, 0, POW), DO(LAST | FREEZE, 0, 0, 0)},
};
#define AT(name) (offsetof(struct programs, name) / 2)

/* r += m g; returns what is carried out. A sum is at most (2^n - 1)^2 + 2 (2^n - 1) = 2^(2 n) - 1. */
SVCONN_APART limb add_row(limb *r, limb m, const limb *g) {
    limb c = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
#if LIMB == 32 && defined(CT_GNU) && defined(__ARM_FEATURE_DSP) && __ARM_ARCH >= 6 /* gcc 12 does not see it; ARMv5TE has DSP, not this */
        limb t = r[i];
        __asm__("umaal %0, %1, %2, %3" : "+r"(t), "+r"(c) : "r"(m), "r"(g[i]));
        r[i] = t;
#else
        limb_pair t = (limb_pair)m * g[i] + r[i] + c;
        r[i] = (limb)t;
        c = (limb)(t >> LIMB);
#endif
    }
    return c;
}

static void execute(curve *c, unsigned what) {
    limb *h = c->r[what >> 8 & 15];
    const limb *f = c->r[what >> 4 & 15], *g = c->r[what & 15];
    int m = times[what >> 12 & 7];
    if (m == 38) {
        limb *low = c->product; /* the rest is set by rows */
        memset(low, 0, sizeof(number));
        for (unsigned i = 0; i < LIMBS; i++) c->product[i + LIMBS] = add_row(c->product + i, f[i], g);
        f = c->product;
        g = f + LIMBS;
    }
    int k = m ? 8 : -1, carry = 2 * add_times(h, f, m, g, -19 * k);
    carry += (int)(h[LIMBS - 1] >> (LIMB - 1)) + k;
    h[LIMBS - 1] &= (limb)-1 >> 1;
    limb_sum t = 19 * carry;
    for (unsigned i = 0; i < LIMBS; i++) {
        t += h[i];
        h[i] = (limb)t;
        t >>= LIMB;
    }
}

static void compute(curve *c, size_t at) {
    const uint16_t *p = (const uint16_t *)(const void *)&program + at;
    do execute(c, *p);
    while (!(*p++ & LAST));
}

/* mask: all ones or 0 */
static void swap_points(limb *p, limb *q, uint32_t mask) {
    for (unsigned i = 0; i < 3 * LIMBS; i++) {
        limb x = (limb)((p[i] ^ q[i]) & mask);
        p[i] ^= x;
        q[i] ^= x;
    }
}

/* ---- what all operations share -------------------------------------------------------------------------------------------------------- */
/* RFC 7748, section 5; RFC 8032, 5.1.5. Without the bit 255 */
static void read_secret(limb *h, const uint8_t in[32]) {
    (void)read_number(h, in);
    h[0] &= (limb)~7u;
    h[LIMBS - 1] |= (limb)1 << (LIMB - 2);
}

/* The first n bytes of c are set: to 0, and to 1 those registers whose bits are in ones. */
static void begin(curve *c, size_t n, unsigned ones) {
    memset(c, 0, n);
    for (unsigned i = 0; i < 16; i++) c->r[i][0] |= (limb)(ones >> i & 1);
    c->left = SCALAR + POWER;
    c->swap = 0;
}
#define SECOND (P2 * sizeof(number)) /* not P2, nor what is behind it */

static uint32_t bit_of(const limb *n, unsigned i) { return (uint32_t)n[i / LIMB] >> i % LIMB & 1; }

/* All steps but the last `rest` ones. Those of an inversion: p - 2 = 2^255 - 21 is 250 times the bit 1, then 01011; each is a square and for a 1
 * a product. (p - 5) / 8 = 2^252 - 3 lacks the last three. */
static int more(curve *c, unsigned rest, uint32_t *units) {
    while (c->left > rest) {
        if ((c->left > POWER || c->left % 16 == 0) && !svconn_unit(units)) return 0;
        unsigned t = --c->left;
        if (t >= POWER) {
            t -= POWER;
            uint32_t bit = bit_of(c->s, t);
            swap_points(c->r[P0], c->r[P1], ct_mask32(c->swap ^ bit));
            c->swap = (uint8_t)bit;
#ifdef SVCONN_SMALL_X25519_ONLY
            compute(c, AT(ladder));
            if (t == 0) compute(c, AT(ladder_end));
#else
            compute(c, c->ladder ? AT(ladder) : AT(twice));
            if (bit_of(c->k, t)) {
                swap_points(c->r[P0], c->r[P2], UINT32_MAX);
                compute(c, AT(add));
                swap_points(c->r[P0], c->r[P2], UINT32_MAX);
            }
            if (t == 0) compute(c, c->ladder ? AT(ladder_end) : AT(points_end));
#endif
        } else {
            compute(c, AT(square));
            if (t != 4 && t != 2) compute(c, AT(times_f));
        }
    }
    return 1;
}

/* ---- X25519 --------------------------------------------------------------------------------------------------------------------------- */
/* Behind it s is to be set, if the first n bytes do not end before it. The bit 0 of s is 0, so that the last step leaves nothing swapped; k is 0. */
static void begin_ladder(curve *c, size_t n, const uint8_t u[32]) {
    begin(c, n, 1 << X2 | 1 << Z3);
    c->ladder = 1;
    (void)read_number(c->r[X3], u);
    ct_copy(c->r[X1], c->r[X3], sizeof(number));
}

/* The inverse of 0 is 0: then out is zero, as RFC 7748 section 5 wants it. */
static uint32_t write_shared(uint8_t out[32], const limb *f) {
    write_number(out, f);
    return ct_all_zero(out, 32) ^ 1;
}

static int x25519(curve *c, uint32_t *phase, uint32_t *units, uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    if (*phase == 0) {
        begin_ladder(c, sizeof *c, u);
        read_secret(c->s, scalar);
        *phase = 1;
    }
    if (!more(c, 0, units)) return SVCONN_UNFINISHED;
    compute(c, AT(quotient));
    uint32_t good = write_shared(out, c->r[0]);
    ct_wipe(c, sizeof *c);
    *phase = 0;
    CT_RELEASE(&good, sizeof good);
    return (int)good;
}

int svconn_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    curve c;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    return x25519(&c, &phase, &units, out, scalar, u);
}

int svconn_x25519_pair(uint8_t out[64], const uint8_t scalar[32], const uint8_t u[32], const uint8_t scalar2[32], const uint8_t u2[32]) {
    return svconn_x25519(out, scalar, u) & svconn_x25519(out + 32, scalar2, u2);
}

/* 0 is no result of it: 9 is the u of the base point, and a clamped scalar is a multiple of 8 in [2^254, 2^255), which no multiple of L is. */
void svconn_x25519_public(uint8_t out[32], const uint8_t scalar[32]) {
    const uint8_t nine[32] = {9};
    (void)!svconn_x25519(out, scalar, nine);
}

/* ---- Ed25519 -------------------------------------------------------------------------------------------------------------------------- */
#ifndef SVCONN_SMALL_X25519_ONLY
/* d, and behind it x of the base point, whose y is 4 / 5; a square root of -1; L */
static const number constant[4] = {
    {TWO(0x78a3, 0x1359), TWO(0x4dca, 0x75eb), TWO(0xd8ab, 0x4141), TWO(0x0a4d, 0x0070),
     TWO(0xe898, 0x7779), TWO(0x4079, 0x8cc7), TWO(0xfe73, 0x2b6f), TWO(0x6cee, 0x5203)},
    {TWO(0xd51a, 0x8f25), TWO(0x2d60, 0xc956), TWO(0xa7b2, 0x9525), TWO(0xc760, 0x692c),
     TWO(0xdc5c, 0xfdd6), TWO(0xe231, 0xc0a4), TWO(0x53fe, 0xcd6e), TWO(0x36d3, 0x2169)},
    {TWO(0xa0b0, 0x4a0e), TWO(0x1b27, 0xc4ee), TWO(0xe478, 0xad2f), TWO(0x1806, 0x2f43),
     TWO(0xd7a7, 0x3dfb), TWO(0x0099, 0x2b4d), TWO(0xdf0b, 0x4fc1), TWO(0x2480, 0x2b83)},
    {TWO(0xd3ed, 0x5cf5), TWO(0x631a, 0x5812), TWO(0x9cd6, 0xa2f7), TWO(0xf9de, 0x14de), TWO(0, 0), TWO(0, 0), TWO(0, 0), TWO(0, 0x1000)},
};
#define ORDER constant[3]

/* r = ((more + 1) r + m b) mod L, for m, more < 2^8, r < L and b < 2^255. What is to be reduced is below 2^264. With q for what it has from
 * bit 252 on, and L = 2^252 + e, e < 2^125, it is below 2^252 once q L is taken off, and not below -q e > -L. */
static void accumulate(limb *r, int more, int m, const limb *b) {
    int c = add_times(r, r, more, r, 0);
    c += add_times(r, r, m, b, 0);
    c += add_times(r, r, -(16 * c + (int)(r[LIMBS - 1] >> (LIMB - 4))), ORDER, 0);
    (void)add_times(r, r, -c, ORDER, 0); /* c is -1 or 0 */
}

/* h = b times the digest, mod L */
static void reduce(limb *h, const uint8_t digest[64], const limb *b) {
    memset(h, 0, sizeof(number));
    for (unsigned i = 64; i-- > 0;) accumulate(h, 255, digest[i], b);
}

/* P0 and (X : Y : Z) are neutral, P1 is the base point. */
static void begin_points(curve *c, size_t n) {
    begin(c, n, NEUTRAL | 1 << ONE);
    ct_copy(c->r[D], constant, 2 * sizeof(number));
    memset(c->r[PY], 0x66, sizeof(number));
    c->r[PY][0] ^= 0x3e; /* 0x66 ^ 0x58 */
    compute(c, AT(point));
}

#define is_zero_number(f) (int)ct_all_zero((const uint8_t *)(f), sizeof(number))

/* There is room for one while nothing is multiplied. */
static uint8_t *digest_of(curve *c) { return (uint8_t *)c->product; }

/* a, b: of 32 bytes; b may be NULL, or both */
static void hash(uint8_t digest[64], const uint8_t *a, const uint8_t *b, const uint8_t *msg, size_t len) {
    svconn_sha512_ctx h;
    svconn_sha512_init(&h);
    if (a) svconn_sha512_update(&h, a, 32);
    if (b) svconn_sha512_update(&h, b, 32);
    svconn_sha512_update(&h, msg, len);
    svconn_sha512_final(&h, digest);
}

/* RFC 8032, 5.1.5, steps 1 and 2: a is the scalar; the prefix is the second half of the digest. */
static void expand_seed(uint8_t digest[64], limb *a, const uint8_t seed[32]) {
    hash(digest, NULL, NULL, seed, 32);
    read_secret(a, digest);
}

/* (X : Y : Z), by the inverse of Z */
static void encode(curve *c, uint8_t out[32]) {
    compute(c, AT(encode));
    write_number(out, c->r[1]);
    out[31] |= (uint8_t)((c->r[0][0] & 1) << 7);
}

void svconn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]) {
    curve c;
    uint32_t units = SVCONN_NO_PAUSE;
    begin_points(&c, sizeof c);
    expand_seed(digest_of(&c), c.s, seed);
    (void)more(&c, 0, &units);
    encode(&c, public_key);
    ct_wipe(&c, sizeof c);
}

/* 5.1.6; k is 0 */
static int sign(curve *c, uint32_t *phase, uint32_t *units, uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32],
                const uint8_t *msg, size_t len) {
    if (*phase == 0) {
        begin_points(c, sizeof *c);
        expand_seed(digest_of(c), c->s, seed);
        hash(digest_of(c), digest_of(c) + 32, NULL, msg, len);
        reduce(c->s, digest_of(c), c->r[ONE]);
        *phase = 1;
    }
    if (!more(c, 0, units)) return SVCONN_UNFINISHED;
    encode(c, signature);
    expand_seed(digest_of(c), c->k, seed);
    hash(digest_of(c), signature, public_key, msg, len);
    reduce(c->r[0], digest_of(c), c->k);
    accumulate(c->r[0], 0, 1, c->s);
    write_number(signature + 32, c->r[0]);
    ct_wipe(c, sizeof *c);
    *phase = 0;
    return 1;
}

SVCONN_OWN_FRAME void svconn_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    curve c;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    (void)sign(&c, &phase, &units, signature, seed, public_key, msg, len);
}

/* ---- verification: all of it public --------------------------------------------------------------------------------------------------- */
/* 0 if y is not below p. P0 and Z are as begin_points leaves them. */
static int decode_begin(curve *c, const uint8_t code[32]) {
    begin_points(c, sizeof *c);
    (void)read_number(c->r[PY], code);
    compute(c, AT(decode));
    c->left = POWER;
    return memcmp(c->r[ROOT], c->r[PY], sizeof(number)) == 0;
}

/* The negative of the point, as P1; 0 if there is none, or of small order. (With x = 0 the order is 1 or 2: that -0 is no encoding need not be
 * seen.) The order of [8]P is 1 or L, which is odd: x = 0 says that it is the identity, as (0, -1) has order 2. */
static int decode_end(curve *c, const uint8_t code[32]) {
    ct_copy(c->r[ROOT], constant[2], sizeof(number));
    compute(c, AT(root));
    int direct = is_zero_number(c->r[V]);
    if (!direct && !is_zero_number(c->r[POW])) return 0;
    compute(c, direct ? AT(freeze_x) : AT(other_root));
    compute(c, (c->r[PX][0] & 1) == code[31] >> 7 ? AT(negate) : AT(point));
    ct_copy(c->r[X], c->r[PX], 2 * sizeof(number));
    for (unsigned i = 0; i < 3; i++) compute(c, AT(twice));
    ct_copy(c->r[PX], c->r[X], sizeof(number));
    compute(c, AT(freeze_x));
    return !is_zero_number(c->r[PX]);
}

/* 5.1.7: [S]B - [k]A = [S]B + [k](-A) */
static int verify(curve *c, uint32_t *phase, uint32_t *units, uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32],
                  const uint8_t *msg, size_t len) {
    if (*phase == 0) {
        if (!decode_begin(c, public_key)) return SVCONN_BAD_KEY;
        *phase = 1;
    }
    if (*phase == 1) {
        if (!more(c, 3, units)) return SVCONN_UNFINISHED;
        *phase = 0; /* in case of an end here */
        if (!decode_end(c, public_key)) return SVCONN_BAD_KEY;
        swap_points(c->r[P1], c->r[P2], UINT32_MAX);
        begin_points(c, SECOND);
        if (read_number(c->s, signature + 32) || add_times(c->r[A], c->s, -1, ORDER, 0) == 0) return 0; /* S is L at least */
        hash(digest_of(c), signature, public_key, msg, len);
        reduce(c->k, digest_of(c), c->r[ONE]);
        *phase = 2;
    }
    if (!more(c, 0, units)) return SVCONN_UNFINISHED;
    *phase = 0;
    uint8_t code[32];
    encode(c, code);
    write_number(u, c->r[2]);
    return memcmp(code, signature, 32) == 0;
}

SVCONN_OWN_FRAME int svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    curve c;
    uint32_t phase = 0, units = SVCONN_NO_PAUSE;
    return verify(&c, &phase, &units, u, signature, public_key, msg, len);
}

int svconn_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    uint8_t u[32];
    return svconn_ed25519_verify_u(u, signature, public_key, msg, len) == 1;
}

int svconn_ed25519_check(const uint8_t public_key[32]) {
    curve c;
    uint32_t units = SVCONN_NO_PAUSE;
    if (!decode_begin(&c, public_key)) return 0;
    (void)more(&c, 3, &units);
    return decode_end(&c, public_key);
}

void svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]) {
    curve c;
    uint32_t units = SVCONN_NO_PAUSE;
    begin_points(&c, sizeof c);
    (void)read_number(c.r[P2], public_key);
    memcpy(c.r[P2_MINUS], c.r[P2], sizeof(number));
    compute(&c, AT(points_end));
    c.left = POWER;
    (void)more(&c, 0, &units);
    compute(&c, AT(encode));
    write_number(u, c.r[2]);
}

void svconn_ed25519_seed_to_x25519(uint8_t scalar[32], const uint8_t seed[32]) {
    uint8_t digest[64];
    number a;
    expand_seed(digest, a, seed);
    write_number(scalar, a);
    ct_wipe(digest, sizeof digest);
    ct_wipe(a, sizeof a);
}

#else /* crypto.h has them, nobody calls them: none does anything, and none says yes */
void svconn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]) { (void)public_key, (void)seed; }
void svconn_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    (void)signature, (void)seed, (void)public_key, (void)msg, (void)len;
}
int svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    (void)u, (void)signature, (void)public_key, (void)msg, (void)len;
    return SVCONN_BAD_KEY;
}
int svconn_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    (void)signature, (void)public_key, (void)msg, (void)len;
    return 0;
}
int svconn_ed25519_check(const uint8_t public_key[32]) {
    (void)public_key;
    return 0;
}
void svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]) { (void)u, (void)public_key; }
void svconn_ed25519_seed_to_x25519(uint8_t scalar[32], const uint8_t seed[32]) { (void)scalar, (void)seed; }
#endif

/* ---- in slices ------------------------------------------------------------------------------------------------------------------------ */
#ifndef SVCONN_NO_SLICES
typedef char curve_fits[sizeof(curve) <= 8 * SVCONN_CURVE_WORDS ? 1 : -1];

static curve *work_of(svconn_curve_work *w) { return (curve *)(void *)w->words; }

int svconn_x25519_slice(svconn_curve_work *w, uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    return w->units ? x25519(work_of(w), &w->phase, &w->units, out, scalar, u) : SVCONN_UNFINISHED;
}

int svconn_x25519_public_slice(svconn_curve_work *w, uint8_t out[32], const uint8_t scalar[32]) {
    const uint8_t nine[32] = {9};
    return svconn_x25519_slice(w, out, scalar, nine);
}

/* One after the other. The second scalar waits in P2, and then the first result. */
int svconn_x25519_pair_slice(svconn_curve_work *w, uint8_t out[64], const uint8_t scalar[32], const uint8_t u[32], const uint8_t scalar2[32],
                             const uint8_t u2[32]) {
    curve *c = work_of(w);
    if (w->units == 0) return SVCONN_UNFINISHED;
    if (w->phase == 0) {
        begin_ladder(c, sizeof *c, u);
        read_secret(c->s, scalar);
        read_secret(c->r[P2], scalar2);
        w->phase = 1;
    }
    for (;;) {
        if (!more(c, 0, &w->units)) return SVCONN_UNFINISHED;
        compute(c, AT(quotient));
        if (w->phase == 2) break;
        ct_copy(c->s, c->r[P2], sizeof(number));
        ct_copy(c->r[P2], c->r[0], sizeof(number));
        begin_ladder(c, SECOND, u2);
        w->phase = 2;
    }
    uint32_t good = write_shared(out, c->r[P2]) & write_shared(out + 32, c->r[0]);
    ct_wipe(c, sizeof *c);
    w->phase = 0;
    CT_RELEASE(&good, sizeof good);
    return (int)good;
}

#ifndef SVCONN_SMALL_X25519_ONLY
int svconn_ed25519_sign_slice(svconn_curve_work *w, uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32],
                              const uint8_t *msg, size_t len) {
    return w->units ? sign(work_of(w), &w->phase, &w->units, signature, seed, public_key, msg, len) : SVCONN_UNFINISHED;
}

int svconn_ed25519_verify_u_slice(svconn_curve_work *w, uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32],
                                  const uint8_t *msg, size_t len) {
    return w->units ? verify(work_of(w), &w->phase, &w->units, u, signature, public_key, msg, len) : SVCONN_UNFINISHED;
}
#else
int svconn_ed25519_sign_slice(svconn_curve_work *w, uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32],
                              const uint8_t *msg, size_t len) {
    (void)w, (void)signature, (void)seed, (void)public_key, (void)msg, (void)len;
    return SVCONN_BAD_KEY;
}
int svconn_ed25519_verify_u_slice(svconn_curve_work *w, uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32],
                                  const uint8_t *msg, size_t len) {
    (void)w, (void)u, (void)signature, (void)public_key, (void)msg, (void)len;
    return SVCONN_BAD_KEY;
}
#endif
#endif

#else
typedef int svconn_curve25519_small_is_for_small_builds;
#endif
