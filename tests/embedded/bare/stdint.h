/* SPDX-License-Identifier: ISC */
/* gcc's own, for images without a C library: where gcc's stdint.h looks for that of a library first, stdint-gcc.h is its own. */
#ifndef SVCONN_BARE_STDINT_H
#define SVCONN_BARE_STDINT_H
#if __has_include(<stdint-gcc.h>)
#include <stdint-gcc.h>
#else
#include_next <stdint.h>
#endif
#endif
