/* SPDX-License-Identifier: ISC */
/* SIGINT, SIGTERM and SIGHUP as bytes in a pipe, for poll loops. */
#ifndef SVCONN_CMD_SIGNALS_H
#define SVCONN_CMD_SIGNALS_H

/* Catches them (SIGHUP only if hangup is 1). Returns the descriptor to poll, or -1: then they end the process as usual.
 */
int signals_catch(int hangup);
/* While we wait for something that no signal interrupts: remove the files and end at once, with this exit code. -1:
 * bytes in the pipe again. */
void signals_urgent(int exit_code);
/* A file to remove then. The text stays. */
void signals_remove(const char *path);
/* The next one that came, or 0. */
int signals_next(void);

#endif
