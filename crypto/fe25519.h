/* SPDX-License-Identifier: ISC */
/*
 * The field of 2^255 - 19 = p elements: the table of contents.
 *
 * Two representations, one interface. fe25519_64.h: five limbs of 51 bits; fe25519_32.h: ten limbs of 26 and 25
 * bits in turn (D. J. Bernstein, "Curve25519: new Diffie-Hellman speed records", 2006, section 3, but with unsigned
 * limbs). -DSVCONN_FORCE_32 selects the second one everywhere.
 *
 * A number has many forms. How large its limbs may be is said with three words; a "unit" is the nominal limb size,
 * 2^51, or 2^26 and 2^25, and each representation says how small its "a little" is:
 *
 *   tight    every limb is below one unit and a little
 *   loose    every limb is below three units and a little
 *   wide     what a product takes; every loose number is wide
 *
 *   operation               takes                              gives
 *   fe_from_words           any 256 bits (the top one ignored) tight
 *   fe_add     f + g        sum of up to three tight ones      loose
 *   fe_sub     f - g        tight, tight                       loose
 *   fe_sub2    f - g        loose, loose                       wide
 *   fe_mul, fe_sq, fe_sqn   wide                               tight
 *   fe_small   121665 f     wide                               tight
 *   fe_invert, fe_pow2523   wide                               tight
 *   fe_swap, fe_select      any                                the same
 *   fe_to_bytes             tight                              the canonical 32 bytes
 *
 * All of it is constant time. An output may be one of the inputs.
 */
#ifndef SVCONN_FE25519_H
#define SVCONN_FE25519_H

#include "ct.h"
#include "word.h"

#if SVCONN_WORD_BITS == 64 && defined(__SIZEOF_INT128__)
#include "fe25519_64.h"
#else
#include "fe25519_32.h"
#endif

#define fe_mul svconn_fe_mul
#define fe_sq svconn_fe_sq
#define fe_sqn svconn_fe_sqn
#define fe_small svconn_fe_small
#define fe_invert svconn_fe_invert
#define fe_pow2523 svconn_fe_pow2523
#define fe_to_bytes svconn_fe_to_bytes

void fe_mul(fe *h, const fe *f, const fe *g);
void fe_sq(fe *h, const fe *f);
void fe_sqn(fe *h, const fe *f, unsigned n);  /* f^(2^n), n >= 1 */
void fe_small(fe *h, const fe *f);            /* 121665 f */
void fe_invert(fe *h, const fe *f);           /* f^(p - 2): 1 / f, and 0 for 0 */
void fe_pow2523(fe *h, const fe *f);          /* f^((p - 5) / 8) = f^(2^252 - 3) */
void fe_to_bytes(uint8_t out[32], const fe *f);

static inline void fe_from_bytes(fe *h, const uint8_t in[32]) {
    uint64_t w[4];
    for (unsigned i = 0; i < 4; i++) w[i] = load_le64(in + 8 * i);
    fe_from_words(h, w);
    ct_wipe(w, sizeof w);
}

static inline void fe_from_small(fe *h, uint8_t n) {
    memset(h, 0, sizeof *h);
    h->v[0] = n;
}

/* The lowest bit of the canonical form of a tight number. */
static inline uint32_t fe_is_odd(const fe *f) {
    uint8_t s[32];
    fe_to_bytes(s, f);
    uint32_t odd = s[0] & 1;
    ct_wipe(s, sizeof s);
    return odd;
}

/* 1 if a tight number is 0 mod p, else 0 */
static inline uint32_t fe_is_zero(const fe *f) {
    uint8_t s[32];
    fe_to_bytes(s, f);
    uint32_t zero = ct_all_zero(s, 32);
    ct_wipe(s, sizeof s);
    return zero;
}

#endif
