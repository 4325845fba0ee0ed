/* SPDX-License-Identifier: ISC */
/* test_svc_vectors.c once more, with all handshakes in slices. */
#include "sliced.h"

#include "test_svc_vectors.c"
