/* SPDX-License-Identifier: ISC */
/* One line at the bottom of a terminal that says how far it is. Where standard error is no terminal: nothing. */
#ifndef SVCONN_CMD_PROGRESS_H
#define SVCONN_CMD_PROGRESS_H

#include <stdint.h>

#define PROGRESS_MS 200

typedef struct {
    int on, shown;
    uint64_t next; /* when it is due */
    uint64_t last, last_moved;
    double rate; /* bytes in a second, of late */
} progress;

typedef struct {
    const char *name;
    uint64_t done, total;
    uint64_t moved; /* bytes on the link, for the rate */
    int comparing;  /* nothing moves: what is there is looked at */
} progress_state;

void progress_begin(progress *p, int wanted);
/* A session begins. */
void progress_restart(progress *p, uint64_t moved);
/* Does something only every PROGRESS_MS; due: is it time? */
int progress_is_due(const progress *p);
void progress_show(progress *p, const progress_state *s);
/* Makes room for a line of text. */
void progress_hide(progress *p);

/* "12.3 MB", "45 s", "1:02:03" */
#define AMOUNT_TEXT 32
const char *amount_bytes(char out[AMOUNT_TEXT], double bytes);
const char *amount_time(char out[AMOUNT_TEXT], double seconds);

#endif
