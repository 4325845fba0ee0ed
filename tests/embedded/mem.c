/* SPDX-License-Identifier: ISC */
/* The four functions, byte by byte, as the small C libraries of chips have them. (Compiled with -fno-tree-loop-distribute-patterns:
 * else gcc makes each a call of itself.) */
#include <stdint.h>
#include <string.h>

void *memset(void *to, int value, size_t n) {
    for (uint8_t *p = to; n > 0; n--) *p++ = (uint8_t)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    const uint8_t *q = from;
    for (uint8_t *p = to; n > 0; n--) *p++ = *q++;
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    uint8_t *p = to;
    const uint8_t *q = from;
    if ((uintptr_t)p - (uintptr_t)q >= n) {
        for (; n > 0; n--) *p++ = *q++;
    } else {
        while (n-- > 0) p[n] = q[n];
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *p = a, *q = b;
    for (; n > 0; n--, p++, q++)
        if (*p != *q) return *p - *q;
    return 0;
}
