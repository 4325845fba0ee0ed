/* SPDX-License-Identifier: ISC */
/* The four functions that the library needs from outside, for images without a C library (mem.c). */
#ifndef SVCONN_BARE_STRING_H
#define SVCONN_BARE_STRING_H
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#endif
