/* SPDX-License-Identifier: ISC */
/*
 * Marks: how two parties on a line that has no connections (a serial line) find the start and the end of a session
 * (spec/serial.md). Plain C without a system, for boards too: line.c and this header are all that is needed.
 */
#ifndef SVCONN_LINE_H
#define SVCONN_LINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVCONN_LINE_MARK 21 /* bytes of a mark: SYN x 4, "SVC1", kind, nonce, check */
#define SVCONN_LINE_NONCE 8

typedef enum {
    SVCONN_LINE_CALL = 'C',   /* the CLIENT: begin a session under my nonce, forget any other */
    SVCONN_LINE_ANSWER = 'A', /* the SERVER: it begins behind this mark */
    SVCONN_LINE_END = 'E'     /* either: the session of this nonce is over; nonce 0: I have none */
} svconn_line_kind;

void svconn_line_mark(uint8_t out[SVCONN_LINE_MARK], svconn_line_kind kind, const uint8_t nonce[SVCONN_LINE_NONCE]);

/* Looks for marks in what comes, in pieces of any size. Start from zeros. */
typedef struct {
    uint8_t seen[SVCONN_LINE_MARK]; /* the last bytes, as far as they may be the beginning of a mark */
    uint8_t have;
} svconn_line_finder;

/* Takes bytes up to the end of the first mark in them; returns how many, and *kind and nonce. Without a mark it takes
 * all of them, returns len, and *kind is 0. */
size_t svconn_line_find(svconn_line_finder *f, const uint8_t *bytes, size_t len, int *kind,
                        uint8_t nonce[SVCONN_LINE_NONCE]);

#ifdef __cplusplus
}
#endif
#endif
