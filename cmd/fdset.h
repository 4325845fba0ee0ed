/* SPDX-License-Identifier: ISC */
/* What one round of poll waits for: any number of descriptors, filled anew each round. */
#ifndef SVCONN_CMD_FDSET_H
#define SVCONN_CMD_FDSET_H

#include "svconn_transport.h"
#include <stddef.h>
#include <stdint.h>

typedef struct {
    struct pollfd *fds;
    size_t n, size;
    int timeout_ms; /* -1: for ever */
    int tired;
} fdset;

/* Forgets what was added; timeout -1. */
void fdset_clear(fdset *set);
/* Adds a descriptor; returns its place for fdset_got. Without memory the place is one that never has events, and the
 * round is short. */
size_t fdset_add(fdset *set, int fd, short events);
/* Wakes up after so many ms at the latest (-1: no limit), or at a value of svconn_now. */
void fdset_within(fdset *set, int ms);
/* There are no descriptors, and poll would return at once for ever: the next round waits a moment first. */
void fdset_nap(fdset *set);
/* poll. A signal counts as: nothing happened. */
void fdset_wait(fdset *set);
short fdset_got(const fdset *set, size_t place);
/* The smaller of two poll timeouts, where -1 is for ever. */
int sooner(int a, int b);

/* Milliseconds until a value of svconn_now, for poll: 0 if it is past. */
int ms_until(uint64_t when);

/* As many descriptors as the system lets us have: how many they are. */
unsigned long fdset_raise_limit(void);
/* One to give up when there are no others, for a moment; -1: there is none, or no such limit. */
int fdset_reserve(void);
/* 1: this one leaves enough for handshakes, files and programs. Streams do without if it does not. */
int fdset_leaves_enough(int fd);

void fdset_free(fdset *set);

#endif
