/* SPDX-License-Identifier: ISC */
/*
 * The machine word of the bitsliced and carry-less code: 64 bits where 64-bit
 * shifts and multiplies are single instructions, else 32. -DSVCONN_FORCE_32
 * selects the small word on a big machine, for tests; it must then be given to
 * every file, as structures change size with it.
 */
#ifndef SVCONN_WORD_H
#define SVCONN_WORD_H

#include <stdint.h>

#include "profile.h"

#if !defined(SVCONN_FORCE_32) && (UINTPTR_MAX > 0xffffffffu || defined(__x86_64__) || defined(__aarch64__) || defined(__wasm__))
typedef uint64_t svconn_word;
#define SVCONN_WORD_BITS 64
#else
typedef uint32_t svconn_word;
#define SVCONN_WORD_BITS 32
#endif

/* Word i of a row of words that is kept in 64-bit words, two in one if they are small. The shifts are
 * by constants: by a variable they would be library calls on ARMv6-M. */
static inline svconn_word svconn_word_get(const uint64_t *row, unsigned i) {
#if SVCONN_WORD_BITS == 64
    return row[i];
#else
    return (svconn_word)(i % 2 ? row[i / 2] >> 32 : row[i / 2]);
#endif
}
static inline void svconn_word_put(uint64_t *row, unsigned i, svconn_word x) {
#if SVCONN_WORD_BITS == 64
    row[i] = x;
#else
    if (i % 2) row[i / 2] = (uint32_t)row[i / 2] | (uint64_t)x << 32;
    else row[i / 2] = x;
#endif
}

#endif
