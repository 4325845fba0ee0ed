/* SPDX-License-Identifier: ISC */
/* One connection of echo or echo-server: a session, its buffers, its link, and what is counted and told about it. */
#ifndef SVCONN_CMD_TALK_H
#define SVCONN_CMD_TALK_H

#include "fdset.h"
#include "party.h"
#include "svconn_transport.h"

typedef struct {
    unsigned long long messages, bytes;
    unsigned long renewals;
    unsigned id; /* of the key in use; 0: none yet */
} talk_count;

typedef enum { TALK_ASKS_NOTHING, TALK_ASKS_VERDICT, TALK_ASKS_DIGITS, TALK_ASKS_GATE } talk_question;

/* Gatekeeping: a known peer, and still a person says each time whether it may come in. */
typedef enum { GATE_NONE, GATE_ASKS, GATE_YES, GATE_NO } talk_gate;

typedef struct {
    svconn s;
    svconn_link link;
    const party *party;
    svconn_config config; /* the party's, with the context of this link */
    uint8_t context[255];
    uint8_t *buffers;
    char who[16];         /* the start of log lines, such as "#1: " */
    int told;             /* that it is connected */
    int confirmed;        /* by the person at the terminal; at once if that was not asked for */
    uint64_t flush_until; /* when to give up bringing out the last bytes; 0: not yet over */
    talk_count sent, received;
    talk_gate gate;
    int polite;     /* a wrong answer about the digits goes to the gate: the caller is told */
    char what[200]; /* for the question of the gate: who wants what */
    nfds_t n;       /* its descriptors in the last poll */
    struct pollfd *fds;
    struct pollfd own[2]; /* of talk_add */
    size_t place[2];
} talk;

/* Takes the link over, also when it fails: 0, or an exit code after it said why. */
int talk_open(talk *t, const party *p, svconn_link *link, const char *who);

/* Before poll: adds its descriptors and shortens the time to wait. Returns how many (0 to 2). */
nfds_t talk_want(talk *t, struct pollfd *fds, int *timeout_ms);
/* After poll: carries bytes and answers what the session asks. */
void talk_ready(talk *t);

/* The same for a set that others add to; and bytes that were made since are sent now. */
void talk_add(talk *t, fdset *set);
void talk_go(talk *t, const fdset *set);
void talk_flush(talk *t);

/* What a person has to say before it goes on: is the peer welcome; do the digits agree? */
talk_question talk_asks(const talk *t);
void talk_answer(talk *t, int yes);

/* 1 if there is nothing more to do but talk_report and talk_close. */
int talk_is_over(talk *t);

/* Notes a message that went or came, and new keys. */
void talk_note(talk *t, talk_count *c, size_t len);
void talk_note_keys(talk *t);

/* Says how it ended (a failure always, else with --verbose). Returns EXIT_DONE or EXIT_LINK. */
int talk_report(talk *t);
void talk_close(talk *t);

/* Messages that nobody will take any more, while the session ends. */
void talk_drop_messages(talk *t);

#endif
