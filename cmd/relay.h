/* SPDX-License-Identifier: ISC */
/* The relay as a function, so that the demo can give it a hostile filter. */
#ifndef SVCONN_CMD_RELAY_H
#define SVCONN_CMD_RELAY_H

#include "options.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { FROM_LISTEN, FROM_CALL } relay_side;

#define LANE_SIZE 65536
#define LANE_SPARE 16384 /* behind it: room for a filter that makes more of what is there */

/* Bytes on their way from one side to the other, when somebody looks at them. */
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
    const char *address, *key, *name, *allow, *metrics, *log, *capture;
    int once, hexdump, poll, proxy_protocol;
    /* limits; see relay_defaults */
    unsigned long source_new, source_open, source_joined, open, joined;
    /* seconds */
    unsigned long hello, token_life, wait, idle, blocked, drain;
    relay_filter filter; /* NULL: everything passes */
    void *arg;
} relay_options;

void relay_defaults(relay_options *o);

/* Returns an exit code. */
int relay_run(const relay_options *o);

#endif
