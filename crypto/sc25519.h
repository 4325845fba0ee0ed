/* SPDX-License-Identifier: ISC */
/*
 * Scalars: numbers mod L = 2^252 + 27742317777372353535851937790883648493, the order of the base point (RFC 8032
 * 5.1), as 32 little-endian bytes. Constant time. An output may be one of the inputs.
 */
#ifndef SVCONN_SC25519_H
#define SVCONN_SC25519_H

#include <stdint.h>

#include "profile.h"

#ifndef SVCONN_SMALL /* it has curve25519_small.c in place of all this */

extern const uint8_t svconn_sc_order[33]; /* L, and a zero byte */

void svconn_sc_reduce(uint8_t out[32], const uint8_t in[64]); /* in mod L */

/* (a b + c) mod L; a b + c must be below 2^512, which all 32-byte numbers satisfy */
void svconn_sc_muladd(uint8_t out[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32]);

uint32_t svconn_sc_is_reduced(const uint8_t s[32]); /* 1 if s < L, else 0 */

#endif
#endif
