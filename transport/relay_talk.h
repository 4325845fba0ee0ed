/* SPDX-License-Identifier: ISC */
/* A party's session with a relay (relay_wire.h), in steps that do not wait, and the waiting forms on top. Functions
 * return -1 and *why as everywhere here. */
#ifndef SVCONN_RELAY_TALK_H
#define SVCONN_RELAY_TALK_H

#include "relay_wire.h"
#include "svconn_link.h"

#define SVCONN_TALK_PACKET_MAX 600 /* M1 has 134 bytes, our messages far fewer than this */

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity nobody; /* if the caller gave no identity */
    svconn_address a;
    const svconn_link_options *options;
    int fd;
    uint8_t kind;                 /* of the request */
    int connecting, begun, asked; /* TCP is not there yet; M1 has come; the request was sent */
    int slow;                     /* a person was asked, and the relay may have lost its patience */
    uint64_t end;                 /* when to give up; the time that a person takes does not count */
    uint8_t relay_key[32], ticket[RELAY_TICKET_LEN];
    uint8_t name[RELAY_NAME_LEN]; /* of the machine, where one is registered or called */
    uint8_t packet[SVCONN_TALK_PACKET_MAX];
    size_t have;
    uint8_t rx[SVCONN_BUFFER_SIZE(RELAY_MESSAGE_MAX)], tx[SVCONN_BUFFER_SIZE(RELAY_MESSAGE_MAX)];
} svconn_talk;

/* A session on fd, which is taken over, also if this fails (NULL). ticket: of DATA, else NULL. */
svconn_talk *svconn_talk_new(int fd, const svconn_address *a, const svconn_link_options *o, uint8_t kind,
                             const uint8_t *ticket, svconn_why *why);
/* Connects, and gets as far as the request. */
svconn_talk *svconn_talk_open(const svconn_address *a, const svconn_link_options *o, uint8_t kind, uint64_t end,
                              svconn_why *why);
/* NULL is harmless. keep_fd: it is the link now. */
void svconn_talk_end(svconn_talk *t, int keep_fd);

/* What can be done without waiting, one packet at most: 1: something; 0: nothing; -1. *next: when to come again even if
 * nothing happens. */
int svconn_talk_turn(svconn_talk *t, uint64_t *next, svconn_why *why);
/* A message that is there: 1; 0: none; -1: a refusal, or what no relay sends. */
int svconn_talk_message(svconn_talk *t, uint8_t msg[RELAY_MESSAGE_MAX], size_t *len, svconn_why *why);
/* Waits for a message of this kind and at least so long, until t->end. */
int svconn_talk_expect(svconn_talk *t, uint8_t kind, size_t least, uint8_t msg[RELAY_MESSAGE_MAX], size_t *len,
                       svconn_why *why);
/* To wait for, in a poll. */
struct pollfd svconn_talk_poll(const svconn_talk *t);

int svconn_talk_because(const svconn_address *a, svconn_fault fault, const char *what, svconn_why *why);
void svconn_talk_hex(char out[65], const uint8_t key[32]);

/* JOINED has come, in msg: the link. Checks our part. */
int svconn_talk_link(svconn_talk *t, const uint8_t *msg, svconn_role role, svconn_link *l, svconn_why *why);

#endif
