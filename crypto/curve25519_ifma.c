/* SPDX-License-Identifier: ISC */
/* X25519 and edwards25519 on AVX-512 IFMA: curve25519_vector.h over the field of fe25519_ifma.h. */
#include "backend.h"
#ifdef SVCONN_CURVE_X86
#include "fe25519_ifma.h"
#define NAME(x) svconn_##x##_ifma
#include "curve25519_vector.h"
#endif
