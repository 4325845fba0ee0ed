/* SPDX-License-Identifier: ISC */
/*
 * A UNIX socket, or what is in its place on Windows, by which the owner of a running serve, listen or receive asks who
 * is connected and ends a session ("svconn sessions"). For the owner alone, in the directory of home_runtime, named
 * COMMAND-PID.sock. One request, one answer (of at most CONTROL_REQUEST bytes and CONTROL_CLIENTS at once, others wait;
 * who is slow is left):
 *      list\n     a JSON line for each session, then the end
 *      end N\n    {"ended":N} or {"error":"..."}
 * Only the user that runs the process, and root, get an answer.
 */
#ifndef SVCONN_CMD_CONTROL_H
#define SVCONN_CMD_CONTROL_H

#include "fdset.h"

enum { CONTROL_CLIENTS = 4, CONTROL_REQUEST = 64, CONTROL_LINE = 2000, CONTROL_ASK_MS = 2000, CONTROL_TAKE_MS = 5000 };

typedef struct control control;

typedef struct {
    void *arg;
    /* The i-th session as a JSON object in one line, without the newline; 0: there is no such one. All are asked for
     * at once, so i may be a place in a list. size is CONTROL_LINE; what is longer is left out. */
    size_t (*list)(void *arg, size_t i, char *line, size_t size);
    /* Ends session number n. 1: done; 0: there is none. It is called by control_ready. */
    int (*end)(void *arg, unsigned long n);
} control_ops;

/* path NULL: the usual place. A socket that nobody listens on any more is replaced. NULL after it said why (the command
 * goes on without). ops stays. */
control *control_open(const char *command, const char *path, const control_ops *ops);
/* Harmless with c NULL. */
const char *control_path(const control *c);
void control_want(control *c, fdset *set);
void control_ready(control *c, const fdset *set);
void control_close(control *c); /* removes the socket */

#endif
