/* SPDX-License-Identifier: ISC */
/* All of a C library that the core and line.c ask for, for compilers that come without one. */
#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
void *memchr(const void *, int, size_t);
