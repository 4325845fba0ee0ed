/* SPDX-License-Identifier: ISC */
/*
 * Many byte streams through one session: the engine of serve, forward, listen and connect. spec/tool.md, "Tunnel".
 *
 *   OPEN   channel(4) window(4) target     the caller opens a stream; it may send at once, up to TUNNEL_FIRST_WINDOW
 *   OPENED channel(4) window(4)            so many more bytes may be sent
 *   DATA   channel(4) bytes
 *   WINDOW channel(4) more(4)              so many more
 *   END    channel(4)                      nothing more comes from this side: half of the stream is closed
 *   RESET  channel(4) reason(1)            the stream is broken off, in both directions
 *
 * Each direction of each stream has a window of its own, so a reader that stands still stops its own stream and no
 * other. Windows begin at TUNNEL_FIRST_WINDOW and double for readers that have taken all there is, as long as all
 * windows of a session together stay below TUNNEL_BUDGET: that bounds the memory that a peer can make us use.
 */
#ifndef SVCONN_CMD_TUNNEL_H
#define SVCONN_CMD_TUNNEL_H

#include "fdset.h"
#include "svconn.h"
#include "svconn_link.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TUNNEL_OPEN = 0x10,
    TUNNEL_OPENED = 0x11,
    TUNNEL_DATA = 0x12,
    TUNNEL_WINDOW = 0x13,
    TUNNEL_END = 0x14,
    TUNNEL_RESET = 0x15
};

enum {
    TUNNEL_HEAD = 5, /* type and channel */
    TUNNEL_DATA_MAX = SVCONN_MESSAGE_MAX - TUNNEL_HEAD,
    TUNNEL_TARGET_MAX = 255,
    TUNNEL_FIRST_WINDOW = 65536,
    TUNNEL_WINDOW_MAX = 4 << 20,
    TUNNEL_BUDGET = 112 << 20, /* 75 MiB of it are the first windows */
    TUNNEL_CHANNELS_MAX = 1200
};

/* Why a stream was broken off. */
typedef enum {
    TUNNEL_CUT = 1,         /* the connection behind it was reset, or our process ends */
    TUNNEL_NOT_ALLOWED = 2, /* this target is not offered, or not to us */
    TUNNEL_REFUSED = 3,     /* nobody listens there */
    TUNNEL_UNREACHABLE = 4, /* no way to it, or no answer in time */
    TUNNEL_FULL = 5,        /* too many streams */
    TUNNEL_TROUBLE = 6      /* of the other machine: descriptors, memory */
} tunnel_reason;
const char *tunnel_reason_text(unsigned reason);

/* The end of a stream in our own machine: in and out are equal for sockets; -1: none. */
typedef struct {
    int in, out;
    int connecting; /* connect is under way on out */
    int patient;    /* in stays open for ever (a terminal): it counts as ended when the peer has ended */
    int may_leave;  /* a command: it may end before it has read all; what still comes is dropped */
    /* other addresses of the same target, to be tried if connect fails, from the last to the first */
    struct sockaddr_storage more[4];
    socklen_t more_len[4];
    int n_more;
} tunnel_end;
#define TUNNEL_NO_END                                                                                                  \
    { .in = -1, .out = -1 }

typedef struct {
    void *arg;
    /* The called side: where does a stream to target go? Fills end, returns 0; or a tunnel_reason. NULL: the other side
     * may open nothing. */
    int (*open)(void *arg, const char *target, tunnel_end *end);
    /* A stream is over: reason 0 if both directions ended. For logs. May be NULL. */
    void (*closed)(void *arg, uint32_t channel, const char *target, unsigned reason, unsigned long long in,
                   unsigned long long out);
} tunnel_ops;

typedef struct tunnel tunnel;

/* s and ops stay as long as the tunnel. NULL: no memory. */
tunnel *tunnel_new(svconn *s, const tunnel_ops *ops);

/* The calling side: a new stream to target; the descriptors are taken over. Returns its number; 0 if there is no room,
 * and then they are closed. */
uint32_t tunnel_add(tunnel *t, const tunnel_end *end, const char *target);

/* Before poll. */
void tunnel_want(tunnel *t, fdset *set);
/* After poll, and after the link was served: takes the messages of the session and moves what can be moved. A peer that
 * breaks the rules: the session is aborted. other: takes messages of the layer below (SERVICE_...), 1 if it knows them;
 * NULL: there are none. */
void tunnel_ready(tunnel *t, const fdset *set, int (*other)(void *arg, const uint8_t *msg, size_t len), void *arg);
int tunnel_peer_closed(const tunnel *t); /* its CLOSE came: no more messages */

int tunnel_failed_here(const tunnel *t); /* standard output took no more */

/* Streams that the peer has ended are still written out, or a RESET waits: CLOSE must wait too, for it says to the peer
 * that all was taken. */
int tunnel_still_delivers(const tunnel *t);

/* The peer broke off a stream that had ended here: what it had of it was not taken. */
int tunnel_was_reset_late(const tunnel *t);

size_t tunnel_count(const tunnel *t); /* of streams that have something left to do */
void tunnel_bytes(const tunnel *t, unsigned long long *in, unsigned long long *out);

/* Breaks off all streams here (a socket sees a reset), without a word to the peer. */
void tunnel_free(tunnel *t);

/* Begins to connect to the addresses in end, from the last of them to the first. 0, or a tunnel_reason. */
int tunnel_connect(tunnel_end *end);

/* Standard input and output. 0, or -1: errno. */
int tunnel_stdio(tunnel_end *end);

#endif
