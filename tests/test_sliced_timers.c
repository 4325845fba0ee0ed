/* SPDX-License-Identifier: ISC */
/* test_timers.c once more, with all handshakes in slices. */
#include "sliced.h"

#include "test_timers.c"
