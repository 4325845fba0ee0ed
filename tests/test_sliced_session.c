/* SPDX-License-Identifier: ISC */
/* test_session.c once more, with all handshakes in slices. */
#include "sliced.h"

#include "test_session.c"
