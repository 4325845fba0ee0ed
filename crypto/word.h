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

#if !defined(SVCONN_FORCE_32) && (UINTPTR_MAX > 0xffffffffu || defined(__x86_64__) || defined(__aarch64__))
typedef uint64_t svconn_word;
#define SVCONN_WORD_BITS 64
#else
typedef uint32_t svconn_word;
#define SVCONN_WORD_BITS 32
#endif

#endif
