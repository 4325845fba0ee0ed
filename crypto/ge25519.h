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

/* Extended coordinates (RFC 8032 5.1.4): x = X / Z, y = Y / Z, x y = T / Z. */
typedef struct {
    fe x, y, z, t;
} ge;

/* [n]B for the base point B and any n < 2^255, little-endian. Constant time. r->t is not set. */
void svconn_ge_base(ge *r, const uint8_t n[32] /* secret */);

/* [a]P + [b]B; a, b < 2^255. r may be p. In variable time: for public inputs only. r->t is not set. */
void svconn_ge_double_base(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]);

/* RFC 8032 5.1.2. Constant time. */
void svconn_ge_encode(uint8_t out[32], const ge *p);

/* RFC 8032 5.1.3, strictly: 1 if the bytes are the canonical encoding of a point, else 0. In variable time. */
int svconn_ge_decode(ge *p, const uint8_t in[32]);

/* 1 if [8]P is the identity, else 0. In variable time. */
int svconn_ge_has_small_order(const ge *p);

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
