/* SPDX-License-Identifier: ISC */
/* Finds whether any 8 bytes in a row of what is secret occur in what a stranger saw. */
#ifndef SVCONN_CMD_SEARCH_H
#define SVCONN_CMD_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#define PIECE 8

typedef struct {
    uint64_t *slot; /* an open hash table of pieces; 0 is an empty slot */
    size_t mask;
    int has_zero; /* the piece of 8 zero bytes is in it */
} search;

/* Room for so many pieces. Returns 0, or -1 for want of memory. */
int search_open(search *s, size_t pieces);
void search_close(search *s);

void search_add(search *s, const uint8_t *bytes, size_t len);
/* How many places of bytes hold one of the pieces. */
size_t search_count(const search *s, const uint8_t *bytes, size_t len);

#endif
