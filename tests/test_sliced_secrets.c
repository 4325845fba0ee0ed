/* SPDX-License-Identifier: ISC */
/* test_secrets.c once more, with all handshakes in slices. */
#include "sliced.h"

#include "test_secrets.c"
