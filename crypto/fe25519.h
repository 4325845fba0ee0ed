/* SPDX-License-Identifier: ISC */
/*
 * The field of 2^255 - 19 = p elements: the table of contents.
 *
 * Three representations, one interface; profile.h says which one a machine gets, SVCONN_FE:
 *
 *   51   fe25519_51.h      five unsigned limbs, for 64 x 64 -> 128 bit products
 *   29   fe25519_29.h      nine signed limbs, for 32 x 32 -> 64 bit products
 *   13   fe25519_13.h      twenty signed limbs, for 32 x 32 -> 32 bit products
 *
 * A number has many forms. How large its limbs may be is said with three words; a "unit" is the nominal size of a
 * limb, 2^51 for the unsigned ones, 2^28 or 2^12 for the signed ones, and each representation says how small its "a
 * little" is, and how much a wide limb may have.
 *
 *   tight    every limb is below one unit and a little
 *   loose    every limb is below two units and a little (in 51 bits: three)
 *   wide     what a product takes; every loose number is wide
 *
 *   operation               takes                              gives
 *   fe_from_bytes           any 256 bits (the top one ignored) tight
 *   fe_from_words           the same                           loose
 *   fe_add     f + g        tight, tight                       loose
 *   fe_add2    f + g        loose, tight                       wide
 *   fe_sub     f - g        tight, tight                       loose
 *   fe_sub2    f - g        loose, loose                       wide
 *   fe_both    f + g, f - g tight, tight                       loose, loose
 *   fe_mul, fe_sq, fe_sqn   wide                               tight
 *   fe_small   121665 f     loose                              tight
 *   fe_invert, fe_power     wide                               tight
 *   fe_swap                 any                                the same
 *   fe_negate_if            tight, or out of fe_from_words     loose
 *   fe_to_bytes             tight                              the canonical 32 bytes
 *   fe_is_odd, fe_is_zero   tight                              what they are
 *
 * All of it is constant time. An output may be one of the inputs.
 */
#ifndef SVCONN_FE25519_H
#define SVCONN_FE25519_H

#include "ct.h"
#include "profile.h"
#include "slices.h"

#ifndef SVCONN_SMALL /* it has curve25519_small.c in place of all this */

#if SVCONN_FE == 51
#include "fe25519_51.h"
#else
#define FE_LIMBS (SVCONN_FE == 29 ? 9 : 20)
typedef struct {
    int32_t v[FE_LIMBS];
} fe;
#define fe_from_words svconn_fe_from_words
#define fe_add svconn_fe_add
#define fe_add2 svconn_fe_add2
#define fe_sub svconn_fe_sub
#define fe_sub2 svconn_fe_sub2
#define fe_both svconn_fe_both
#define fe_swap svconn_fe_swap
#define fe_negate_if svconn_fe_negate_if
void fe_from_words(fe *h, const uint64_t w[4]);
void fe_add(fe *h, const fe *f, const fe *g);
void fe_add2(fe *h, const fe *f, const fe *g);
void fe_sub(fe *h, const fe *f, const fe *g);
void fe_sub2(fe *h, const fe *f, const fe *g);
void fe_both(fe *sum, fe *difference, const fe *f, const fe *g);
/* mask: all ones to do it, all zeros not to */
void fe_swap(fe *f, fe *g, uint64_t mask);
void fe_negate_if(fe *f, uint64_t mask);
#endif

#define fe_mul svconn_fe_mul
#define fe_sq svconn_fe_sq
#define fe_sqn svconn_fe_sqn
#define fe_small svconn_fe_small
#define fe_invert svconn_fe_invert
#define fe_from_bytes svconn_fe_from_bytes
#define fe_to_bytes svconn_fe_to_bytes
#define fe_is_odd svconn_fe_is_odd
#define fe_is_zero svconn_fe_is_zero
#define fe_from_small svconn_fe_from_small

void fe_mul(fe *h, const fe *f, const fe *g);
void fe_sq(fe *h, const fe *f);
void fe_sqn(fe *h, const fe *f, unsigned n);  /* f^(2^n), n >= 1 */
void fe_small(fe *h, const fe *f);            /* 121665 f */
void fe_invert(fe *h, const fe *f);           /* f^(p - 2): 1 / f, and 0 for 0 */
void fe_from_bytes(fe *h, const uint8_t in[32]);
void fe_to_bytes(uint8_t out[32], const fe *f);
uint32_t fe_is_odd(const fe *f);              /* the lowest bit of the canonical form of a tight number */
uint32_t fe_is_zero(const fe *f);             /* 1 if a tight number is 0 mod p, else 0 */
void fe_from_small(fe *h, uint8_t n);

/* The powers that take long, in slices: a begin, then `more` until it is 1, then the end. */
typedef struct {
    fe x, y, f;
    uint8_t n, i;
} fe_power;
#define fe_power_begin svconn_fe_power_begin
#define fe_power_more svconn_fe_power_more
#define fe_pow2523_end svconn_fe_pow2523_end
#define fe_invert_end svconn_fe_invert_end
void fe_power_begin(fe_power *p, const fe *f);       /* f: wide */
int fe_power_more(fe_power *p, uint32_t *units);     /* of f^(2^250 - 1) */
void fe_pow2523_end(fe *h, const fe_power *p);       /* f^((p - 5) / 8) = f^(2^252 - 3) */
#if SVCONN_FE == 51                                  /* division steps take no longer than a unit or two */
static inline void fe_invert_begin(fe_power *p, const fe *f) { p->f = *f; }
static inline int fe_invert_more(const fe_power *p, const uint32_t *units) { return (void)p, (void)units, 1; }
static inline void fe_invert_end(fe *h, const fe_power *p) { fe_invert(h, &p->f); }
#else
#define fe_invert_begin fe_power_begin
#define fe_invert_more fe_power_more
void fe_invert_end(fe *h, const fe_power *p);
#endif

#endif
#endif
