/* SPDX-License-Identifier: ISC */
/*
 * A UNIX socket by which the owner of a running serve, listen or receive asks who is connected and ends a session
 * ("svconn sessions"). Mode 600, in the directory of home_runtime, named COMMAND-PID.sock. One request, one answer:
 *      list\n     a JSON line for each session, then the end
 *      end N\n    {"ended":N} or {"error":"..."}
 */
#ifndef SVCONN_CMD_CONTROL_H
#define SVCONN_CMD_CONTROL_H

#include "fdset.h"

typedef struct control control;

typedef struct {
    void *arg;
    /* The i-th session as a JSON object in one line, without the newline; 0: there is no such one. */
    size_t (*list)(void *arg, size_t i, char *line, size_t size);
    /* Ends session number n. 1: done; 0: there is none. */
    int (*end)(void *arg, unsigned long n);
} control_ops;

/* path NULL: the usual place. NULL after it said why (the command goes on without). ops stays. */
control *control_open(const char *command, const char *path, const control_ops *ops);
void control_want(control *c, fdset *set);
void control_ready(control *c, const fdset *set);
void control_close(control *c); /* removes the socket */

#endif
