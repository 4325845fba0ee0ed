/* SPDX-License-Identifier: ISC */
/*
 * Constants of edwards25519 and multiples of its base point B, 26 KB in all: ed25519_table.c, made by
 * tests/gen/ed25519_table.py. Numbers are arrays of 64-bit words, the lowest first; a point (x, y) is y + x, y - x,
 * 2 d x y.
 */
#ifndef SVCONN_ED25519_TABLE_H
#define SVCONN_ED25519_TABLE_H

#include <stdint.h>

extern const uint64_t svconn_ed25519_d[4];    /* d = -121665 / 121666 */
extern const uint64_t svconn_ed25519_2d[4];   /* 2 d */
extern const uint64_t svconn_ed25519_root[4]; /* a square root of -1: 2^((p - 1) / 4) */

/* [j][i]: 2^(20 j) (2^16 + s3 2^12 + s2 2^8 + s1 2^4 + s0) B; s0 to s3 are +1 if bit 0 to 3 of i is set, else -1 */
extern const uint64_t svconn_ed25519_comb[13][16][12];

extern const uint64_t svconn_ed25519_odd[64][12]; /* [i]: (2 i + 1) B */

#endif
