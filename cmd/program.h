/* SPDX-License-Identifier: ISC */
/* Commands of the user's, for one visitor each, run by the shell in a group of their own. What they may know of the
 * visitor is in the environment (visitor.describe). */
#ifndef SVCONN_CMD_PROGRAM_H
#define SVCONN_CMD_PROGRAM_H

#include "service.h"

/* The number of the program, or 0: errno. end: *end becomes a socket that is its standard input and output. NULL: it
 * has no input, and its output goes to our standard error. */
long program_start(const char *command, const visitor *v, int *end);
/* 1: it has ended (its number may belong to another one now), and *good says whether with exit code 0; or nobody knows
 * it. 0: it runs. good may be NULL. */
int program_has_ended(long program, int *good);
void program_hang_up(long program); /* SIGHUP */
void program_kill(long program);    /* nothing that it can hold up */

#endif
