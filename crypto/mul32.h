/* SPDX-License-Identifier: ISC */
/*
 * The product of two 32-bit numbers, in time that does not depend on them.
 *
 * ARMv6-M and ARMv8-M baseline have no 32 x 32 -> 64 instruction: a compiler calls __aeabi_lmul there, which in
 * some libraries branches on its operands; Cortex-M3 has one that takes longer for larger numbers. On these machines the product is made of four 16 x 16 -> 32 ones. The
 * barriers keep a compiler from putting them together again. profile.h says where: SVCONN_NARROW_MUL.
 */
#ifndef SVCONN_MUL32_H
#define SVCONN_MUL32_H

#include <stdint.h>
#include "ct.h"
#include "profile.h"

#ifdef SVCONN_NARROW_MUL
static inline uint64_t mul32(uint32_t a, uint32_t b) {
    uint32_t al = ct_barrier32(a & 0xffff), ah = ct_barrier32(a >> 16);
    uint32_t bl = ct_barrier32(b & 0xffff), bh = ct_barrier32(b >> 16);
    uint32_t ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh; /* each at most (2^16 - 1)^2 = 2^32 - 2^17 + 1 */
    uint32_t mid = hl + (ll >> 16);                                  /* < 2^32 - 2^17 + 1 + 2^16 < 2^32 */
    uint32_t low = lh + (mid & 0xffff);                              /* the same */
    return (uint64_t)(hh + (mid >> 16) + (low >> 16)) << 32 | (low << 16 | (ll & 0xffff));
}
#else
static inline uint64_t mul32(uint32_t a, uint32_t b) { return (uint64_t)a * b; }
#endif

#endif
