/* SPDX-License-Identifier: ISC */
/*
 * Operations in slices. A loop asks before each turn, by svconn_unit, and if it may not go on its function returns 0 or
 * SVCONN_UNFINISHED. What it needs to go on is in a work space, a struct of its own for each operation; which part of the operation
 * it is at, in a phase. The whole operations are the same code, with a work space and a phase on the stack and SVCONN_NO_PAUSE.
 * SVCONN_NO_SLICES: only those; all of this is then nothing.
 */
#ifndef SVCONN_SLICES_H
#define SVCONN_SLICES_H

#include "crypto.h"

#define SVCONN_NO_PAUSE UINT32_MAX /* all at once, and on all that the CPU has */

/* One unit less; 0 if there is none. */
static inline int svconn_unit(uint32_t *units) {
#ifdef SVCONN_NO_SLICES
    (void)units;
    return 1;
#else
    if (*units == 0) return 0;
    if (*units != SVCONN_NO_PAUSE) --*units;
    return 1;
#endif
}

/* The words of a workspace are read and written as what they are for, and as nothing else. */
#ifdef __GNUC__
#define SVCONN_MAY_ALIAS __attribute__((may_alias))
#else
#define SVCONN_MAY_ALIAS
#endif

#endif
