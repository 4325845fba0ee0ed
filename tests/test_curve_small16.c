/* SPDX-License-Identifier: ISC */
/* The same with limbs of 16 bits, for machines without a 32 x 32 -> 64 bit product. */
#ifndef SVCONN_NARROW_MUL
#define SVCONN_NARROW_MUL
#endif
#include "test_curve_small.c"
