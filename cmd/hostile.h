/* SPDX-License-Identifier: ISC */
/* A relay's filter that attacks. It knows the framing of protocol.md, sections 3.2 and 5.1, as any stranger does, and
 * no key. */
#ifndef SVCONN_CMD_HOSTILE_H
#define SVCONN_CMD_HOSTILE_H

#include "relay.h"

typedef enum {
    ATTACK_FLIP,      /* one bit */
    ATTACK_REPLAY,    /* the packet comes twice */
    ATTACK_DROP,      /* it does not come */
    ATTACK_REORDER,   /* it comes after the next one */
    ATTACK_DROP_LAST, /* the last record before a new key does not come */
    ATTACK_CUT        /* half of it comes, then nothing */
} attack_kind;

typedef struct {
    attack_kind kind;
    relay_side from; /* whose packets are attacked */
    unsigned at;     /* which one: 0 is M1 or M2, then come the records; ATTACK_DROP_LAST: the earliest one */
    unsigned seen[2];
    int done;
} hostile;

/* kind, from and at as text. read: 0, or -1. */
#define HOSTILE_TEXT 40
void hostile_write(char text[HOSTILE_TEXT], const hostile *h);
int hostile_read(hostile *h, const char *text);

/* The length of the packet at p, or 0 if it is not there in full. number counts the packets of that side: 0 is M1 or
 * M2, then come the records. */
size_t packet_length(relay_side from, unsigned number, const uint8_t *p, size_t have);

/* A relay_filter; arg is a hostile. */
int hostile_filter(void *arg, relay_side from, relay_lane *lane);

#endif
