/* SPDX-License-Identifier: ISC */
#include "search.h"

#include <stdlib.h>
#include <string.h>

int search_open(search *s, size_t pieces) {
    size_t size = 1024;
    while (size < 2 * pieces) size *= 2;
    s->slot = calloc(size, sizeof *s->slot);
    s->mask = size - 1;
    s->has_zero = 0;
    return s->slot ? 0 : -1;
}

void search_close(search *s) {
    free(s->slot);
    s->slot = NULL;
}

static uint64_t piece_at(const uint8_t *p) {
    uint64_t piece;
    memcpy(&piece, p, sizeof piece);
    return piece;
}

/* The slot where a piece is, or where it would be. */
static uint64_t *find(const search *s, uint64_t piece) {
    size_t at = (size_t)(piece * UINT64_C(0x9e3779b97f4a7c15) >> 20) & s->mask;
    while (s->slot[at] && s->slot[at] != piece) at = (at + 1) & s->mask;
    return &s->slot[at];
}

void search_add(search *s, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i + PIECE <= len; i++) {
        uint64_t piece = piece_at(bytes + i);
        if (piece) *find(s, piece) = piece;
        else s->has_zero = 1;
    }
}

size_t search_count(const search *s, const uint8_t *bytes, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i + PIECE <= len; i++) {
        uint64_t piece = piece_at(bytes + i);
        count += piece ? *find(s, piece) == piece : (size_t)s->has_zero;
    }
    return count;
}
