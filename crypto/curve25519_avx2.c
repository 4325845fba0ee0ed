/* SPDX-License-Identifier: ISC */
/* X25519 and edwards25519 on AVX2: curve25519_vector.h over the field of fe25519_avx2.h. */
#include "backend.h"
#ifdef SVCONN_CURVE_X86
#include "fe25519_avx2.h"
#define NAME(x) svconn_##x##_avx2
#include "curve25519_vector.h"
#endif
