/* SPDX-License-Identifier: ISC */
/*
 * The group of edwards25519 (RFC 8032 5.1): -x^2 + y^2 = 1 + d x^2 y^2 over the field of fe25519.h.
 * Limbs of a ge are tight (fe25519.h).
 */
#ifndef SVCONN_GE25519_H
#define SVCONN_GE25519_H

#include "backend.h"
#include "ed25519_table.h"
#include "fe25519.h"

#ifndef SVCONN_SMALL /* it has curve25519_small.c in place of all this */

/* Extended coordinates (RFC 8032 5.1.4): x = X / Z, y = Y / Z, x y = T / Z. */
typedef struct {
    fe x, y, z, t;
} ge;

/* What takes long comes in slices (slices.h): a begin, then `more` until it is 1. A point that is made so is the r of its work space,
 * without r.t. */

/* [n]B for the base point B and any n < 2^255, little-endian. Constant time. */
typedef struct {
    ge r;
    uint8_t digit[SVCONN_COMB_STEPS][SVCONN_COMBS]; /* secret */
    uint8_t left;                                   /* digits of each comb */
} ge_base_work;
void svconn_ge_base_begin(ge_base_work *w, const uint8_t n[32] /* secret */, uint32_t units);
int svconn_ge_base_more(ge_base_work *w, uint32_t *units);

/* A point to be added: y + x, y - x, 2 d x y with Z = 1. Limbs are loose at most. */
typedef struct {
    fe plus, minus, t2d;
} ge_niels;

/* The same with its own Z: Y + X, Y - X, 2 d T, Z. */
typedef struct {
    ge_niels n;
    fe z;
} ge_cached;

/* Windows for multiples of P: of this many bits, with so many odd multiples */
#ifdef SVCONN_LARGE_TABLES
#define SVCONN_P_WINDOW 5
#elif SVCONN_FE == 29
#define SVCONN_P_WINDOW 4
#else
#define SVCONN_P_WINDOW 3 /* a point is 320 bytes there */
#endif
#define SVCONN_P_MULTIPLES (1 << (SVCONN_P_WINDOW - 2))

/* A window of a scalar: its digit is for 2^at, the next one begins below the bit low */
typedef struct {
    int8_t digit;
    uint16_t at, low;
} ge_window;

/* [a]P + [b]B; a, b < 2^253, the same in each call. In variable time: for public inputs only. p may be &w->r. */
typedef struct {
    ge r;
    ge_cached multiple[SVCONN_P_MULTIPLES];
#ifdef SVCONN_LARGE_TABLES
    int8_t a[256], b[256];
#else
    ge_window a, b;
#endif
    uint16_t left; /* bits */
} ge_double_work;
void svconn_ge_double_begin(ge_double_work *w, const uint8_t a[32], const ge *p, const uint8_t b[32], uint32_t units);
SVCONN_OWN_FRAME int svconn_ge_double_more(ge_double_work *w, const uint8_t a[32], const uint8_t b[32], uint32_t *units);

/* RFC 8032 5.1.2 with the inverse of Z. Constant time. */
void svconn_ge_encode(uint8_t out[32], const ge *p, const fe *inverse);

/* RFC 8032 5.1.3, strictly: the end is 1 if the bytes are the canonical encoding of a point, which it makes, t too; else 0. In
 * variable time. p may lie over the work space. */
typedef struct {
    fe_power p;
    fe u, v, v3; /* x^2 = u / v; v^3 */
} ge_decode_work;
int svconn_ge_decode_begin(ge_decode_work *w, const uint8_t in[32]); /* 0: no such point */
int svconn_ge_decode_more(ge_decode_work *w, uint32_t *units);
int svconn_ge_decode_end(ge *p, const ge_decode_work *w, const uint8_t in[32]);

/* 1 if [8]P is the identity, else 0. In variable time. */
SVCONN_OWN_FRAME int svconn_ge_has_small_order(const ge *p);

/* ---- what all forms of the code share ---------------------------------------------------------------------------- */
/* The signed digits of n for the comb, see ge25519.c. A bit for each sign: a set one is +, a clear one -. Constant
 * time. */
void svconn_ge_recode(uint8_t digit[SVCONN_COMB_STEPS][SVCONN_COMBS], const uint8_t n[32] /* secret */);

#ifdef SVCONN_LARGE_TABLES
/* The non-adjacent form of width w of n < 2^255: digits are 0 or odd and below 2^(w - 1) in size, n is the sum of
 * digit[i] 2^i. In variable time. */
void svconn_ge_naf(int8_t digit[256], const uint8_t n[32], unsigned w);
#endif

/* ---- other forms: curve25519_vector.h ---------------------------------------------------------------------------- */
#ifdef SVCONN_CURVE_X86
void svconn_ge_base_avx2(ge *r, const uint8_t n[32] /* secret */);
void svconn_ge_base_ifma(ge *r, const uint8_t n[32] /* secret */);
void svconn_ge_double_base_avx2(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]);
void svconn_ge_double_base_ifma(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]);

/* x2 / z2 = X25519(e, x1) for a clamped e; x1 is tight. */
void svconn_x25519_ladder_avx2(fe *x2, fe *z2, const uint8_t e[32] /* secret */, const fe *x1 /* secret */);
void svconn_x25519_ladder_ifma(fe *x2, fe *z2, const uint8_t e[32] /* secret */, const fe *x1 /* secret */);
#endif

#endif
#endif
