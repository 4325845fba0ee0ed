/* SPDX-License-Identifier: ISC */
/*
 * Questions to the person at the terminal, beside a poll loop: is this new peer welcome (--peer ask)? What are the
 * digits that the caller sees (--confirm)? One at a time; the session goes on meanwhile, with its keep-alives.
 */
#ifndef SVCONN_CMD_PERSON_H
#define SVCONN_CMD_PERSON_H

#include "talk.h"

typedef struct {
    int fd; /* the terminal; -1: no question is open */
    talk *about;
    talk_question question;
    char line[80];
    size_t len;
} person;

#define PERSON_NONE                                                                                                    \
    { .fd = -1 }

/* Opens a question if t has one and no other is open. Without a terminal the answer is no. */
void person_look(person *p, talk *t);
nfds_t person_want(const person *p, struct pollfd *fd);
void person_ready(person *p, const struct pollfd *fd);
/* t is gone; its question too. */
void person_forget(person *p, const talk *t);

#endif
