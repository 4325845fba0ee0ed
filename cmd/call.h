/* SPDX-License-Identifier: ISC */
/*
 * The calling side of connect, forward and send: who is PEER, how to get there, is it the right one, and HELLO.
 *
 *      call c;  call_options o = {0};
 *      option rows[CALL_ROWS + n] = {...};  call_rows(rows + n, &o);
 *      code = call_open(&c, &o, "forward", "tunnel", peer);
 *      code = call_dial(&c);                              again after a session was lost
 *      loop: fdset_clear, call_want, ..., fdset_wait, call_ready, messages on c.t.s, until talk_is_over(&c.t)
 *      code = call_hang_up(&c);                           ends the session, says how it ended
 *      call_close(&c);
 */
#ifndef SVCONN_CMD_CALL_H
#define SVCONN_CMD_CALL_H

#include "fdset.h"
#include "party.h"
#include "peerbook.h"
#include "service.h"
#include "talk.h"

typedef struct {
    party_options party;
    const char *relay, *known_peers, *expect;
    int quiet;
} call_options;

#define CALL_ROWS (PARTY_BASE_ROWS + 4)
void call_rows(option rows[CALL_ROWS], call_options *o);

typedef struct {
    talk t;
    int open; /* t has a session */
    party party;
    party_options party_options;
    const call_options *options;
    const char *command, *service;
    char address[PEER_ADDRESS_MAX + 200];
    char name[PEER_ADDRESS_MAX + 200]; /* of the peer, for messages: what was typed, or the name of its key */
    uint8_t key[32];                   /* of the peer */
    int pinned;                        /* it must be this one */
    int known, verified;               /* it is in known_peers */
    int reusable;                      /* dialling again can succeed: no token was used up */
    int sorry;                         /* the reason of SORRY, once it came; 0: none */
    int doubtful; /* it broke off before we were connected: our key is not allowed, or it was about to end */
    int greeted, welcome, told_wait;
    uint8_t instance[SERVICE_INSTANCE];
    uint8_t psk[32]; /* of a pairing link */
    fdset set;       /* of call_dial */
} call;

/* Reads keys and files, finds out what PEER means. An exit code, after it said why. c stays where it is. */
int call_open(call *c, const call_options *o, const char *command, const char *service, const char *peer);

/* Connects, checks who is there (asks the person at the terminal about a key that is not known), is let in. Waits. An
 * exit code after it said why: EXIT_REACH, EXIT_PEER, EXIT_LINK, EXIT_LOCAL. */
int call_dial(call *c);

void call_want(call *c, fdset *set);
void call_ready(call *c, const fdset *set);

/* A message of the layer below services: SORRY is said. 1: it was one (give it back with svconn_recv_done). */
int call_takes(call *c, const uint8_t *msg, size_t len);

/* Ends the session, in order if it can, and says how it ended if that was not in order. An exit code. */
int call_hang_up(call *c);
void call_close(call *c);

/* Exit codes by cause. */
int exit_of_fault(svconn_fault fault);
int exit_of_session(svconn_err e);

#endif
