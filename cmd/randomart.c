/* SPDX-License-Identifier: ISC */
/*
 * The walk of the drunken bishop, as OpenSSH draws host keys. Source: Loss, Limmer, von Gernler, "The drunken bishop:
 * an analysis of the OpenSSH fingerprint visualization algorithm", 2009. The picture is one of our own hash, so it
 * differs from what ssh-keygen -lv draws for the same key.
 */
#include "randomart.h"

#include <string.h>

#define PLACES (RANDOMART_WIDTH * RANDOMART_HEIGHT)

/* How often a square was visited; then the start and the end. */
static const char values[] = " .o+=*BOX@%&#/^SE";
enum { MOST = sizeof values - 4, START, END };

static int step(int at, unsigned forward, int size) {
    if (forward) return at < size - 1 ? at + 1 : at;
    return at > 0 ? at - 1 : at;
}

/* A move is two bits, the low ones of a byte first: right or left, down or up. Walls stop it. */
static void walk(uint8_t field[PLACES], const uint8_t bits[FINGERPRINT_BITS]) {
    int x = RANDOMART_WIDTH / 2, y = RANDOMART_HEIGHT / 2;
    for (unsigned move = 0; move < 4 * FINGERPRINT_BITS; move++) {
        unsigned way = (unsigned)bits[move / 4] >> (2 * (move % 4));
        x = step(x, way & 1u, RANDOMART_WIDTH);
        y = step(y, way & 2u, RANDOMART_HEIGHT);
        uint8_t *visits = &field[y * RANDOMART_WIDTH + x];
        if (*visits < MOST) ++*visits;
    }
    field[PLACES / 2] = START;
    field[y * RANDOMART_WIDTH + x] = END;
}

void randomart(char out[RANDOMART_TEXT], const uint8_t bits[FINGERPRINT_BITS]) {
    uint8_t field[PLACES] = {0};
    walk(field, bits);
    memcpy(out, "+----[svconn]-----+\n", RANDOMART_WIDTH + 3);
    out += RANDOMART_WIDTH + 3;
    for (size_t i = 0; i < PLACES; i++) {
        if (i % RANDOMART_WIDTH == 0) *out++ = '|';
        *out++ = values[field[i]];
        if (i % RANDOMART_WIDTH != RANDOMART_WIDTH - 1) continue;
        *out++ = '|';
        *out++ = '\n';
    }
    memcpy(out, "+-----------------+\n", RANDOMART_WIDTH + 4);
}
