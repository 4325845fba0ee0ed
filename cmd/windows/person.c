/* SPDX-License-Identifier: ISC */
/* Nobody is asked at the console of Windows yet: the answer is no. */
#include "person.h"

#include "text.h"

void person_look(person *p, talk *t) {
    (void)p;
    if (talk_asks(t) == TALK_ASKS_NOTHING) return;
    say("%sthere is a question, and on Windows nobody is asked yet; so the answer is no", t->who);
    talk_answer(t, 0);
}

nfds_t person_want(const person *p, struct pollfd *fd) {
    *fd = svconn_pollfd(p->fd, POLLIN);
    return 1;
}

void person_ready(person *p, const struct pollfd *fd) {
    (void)p;
    (void)fd;
}

void person_forget(person *p, const talk *t) {
    (void)p;
    (void)t;
}
