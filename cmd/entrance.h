/* SPDX-License-Identifier: ISC */
/*
 * Where callers come in: a listener in a poll loop that stays. At a relay it gets another token when one was used, and
 * comes back when the relay was lost, each time later, so that a relay that starts again is not overrun.
 */
#ifndef SVCONN_CMD_ENTRANCE_H
#define SVCONN_CMD_ENTRANCE_H

#include "fdset.h"
#include "svconn_transport.h"

typedef struct {
    svconn_listener listener;
    const svconn_link_options *link;
    const char *address;
    int once; /* one link is wanted, and nothing is tried again after it */
    int verbose;
    uint64_t rest_until, retry_ms, listening_at;
    size_t place[SVCONN_LISTENER_FDS];
    nfds_t n;
    int gone;    /* the device was unplugged */
    int at_once; /* there is somebody, whatever poll says */
} entrance;

/* Listens. An exit code, after it said why. */
int entrance_open(entrance *e, const char *address, const svconn_link_options *link);
void entrance_close(entrance *e);

/* 1 if it has something to poll; 0: entrance_wait is the only way (a directory, standard input), or it is spent. */
int entrance_can_poll(const entrance *e);
/* full: no room for another connection; a registration is looked after all the same. */
void entrance_want(entrance *e, int full, fdset *set);
/* After poll: 1: a link; 0: none; -1: there will be no more, after it said why. */
int entrance_ready(entrance *e, const fdset *set, svconn_link *link);
/* Waits for the next link. 1, or 0: there are no more; or -1 after it said why. */
int entrance_wait(entrance *e, svconn_link *link);

#endif
