/* SPDX-License-Identifier: ISC */
/* test_bytes.c once more, with all handshakes in slices. */
#include "sliced.h"

#include "test_bytes.c"
