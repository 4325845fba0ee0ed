/* SPDX-License-Identifier: ISC */
/* Included before every file of the constant-time build: what the library releases on purpose becomes "defined" for
 * valgrind. */
#ifndef SVCONN_CT_TEST_RELEASE_H
#define SVCONN_CT_TEST_RELEASE_H
#include <valgrind/memcheck.h>
#define CT_RELEASE(pointer, size) ((void)VALGRIND_MAKE_MEM_DEFINED((pointer), (size)))
#endif
