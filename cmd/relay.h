/* SPDX-License-Identifier: ISC */
/* The relay as a function, so that the demo can give it a hostile filter. It knows nothing of sessions. */
#ifndef SVCONN_CMD_RELAY_H
#define SVCONN_CMD_RELAY_H

#include <stddef.h>
#include <stdint.h>

typedef enum { FROM_LISTEN, FROM_CALL } relay_side;

#define LANE_SIZE 65536
#define LANE_SPARE 16384 /* behind it: room for a filter that makes more of what is there */

/* Bytes on their way from one side to the other. */
typedef struct {
    uint8_t bytes[LANE_SIZE + LANE_SPARE];
    size_t head, ready, tail; /* sent up to head; may be sent up to ready; read up to tail */
} relay_lane;

/*
 * Looks at the new bytes [ready, tail) and moves ready over those that may go; may change them, and add LANE_SPARE
 * bytes in all. Returns 0, or -1 to cut both connections once everything up to ready was sent.
 */
typedef int (*relay_filter)(void *arg, relay_side from, relay_lane *lane);

typedef struct {
    const char *address, *capture;
    int once, hexdump;
    relay_filter filter; /* NULL: everything passes */
    void *arg;
} relay_options;

/* Returns an exit code. */
int relay_run(const relay_options *o);

#endif
