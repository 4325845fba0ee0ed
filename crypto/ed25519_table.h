/* SPDX-License-Identifier: ISC */
/*
 * Constants of edwards25519 and multiples of its base point B: ed25519_table.c, made by tests/gen/ed25519_table.py.
 * Numbers are arrays of 64-bit words, the lowest first; a point (x, y) is y + x, y - x, 2 d x y. Two sizes of tables:
 *
 *                                          points                     additions and doublings for [n]B
 *   where there is room                    208 + 64, 26 KB            52, 3
 *   32-bit machines                        32 + 8, 3.8 KB             52, 25
 */
#ifndef SVCONN_ED25519_TABLE_H
#define SVCONN_ED25519_TABLE_H

#include <stdint.h>

#include "profile.h"

#if SVCONN_FE != 51
#define SVCONN_COMBS 2
#define SVCONN_COMB_TEETH 5
#define SVCONN_COMB_STEPS 26
#define SVCONN_ODD_WINDOW 5
#else
#define SVCONN_LARGE_TABLES 1
#define SVCONN_COMBS 13
#define SVCONN_COMB_TEETH 5
#define SVCONN_COMB_STEPS 4
#define SVCONN_ODD_WINDOW 8
#endif

extern const uint64_t svconn_ed25519_d[4];    /* d = -121665 / 121666 */
extern const uint64_t svconn_ed25519_2d[4];   /* 2 d */
extern const uint64_t svconn_ed25519_root[4]; /* a square root of -1: 2^((p - 1) / 4) */

/* With s = 2^STEPS, T = TEETH - 1, [j][i]: s^(TEETH j) (s^T + c_(T - 1) s^(T - 1) + ... + c_1 s + c_0) B, where c_t is
 * +1 if bit t of i is set, else -1 */
extern const uint64_t svconn_ed25519_comb[SVCONN_COMBS][1 << (SVCONN_COMB_TEETH - 1)][12];

extern const uint64_t svconn_ed25519_odd[1 << (SVCONN_ODD_WINDOW - 2)][12]; /* [i]: (2 i + 1) B */

#endif
