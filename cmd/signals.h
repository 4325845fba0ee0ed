/* SPDX-License-Identifier: ISC */
/* SIGINT, SIGTERM and SIGHUP as bytes in a pipe, for poll loops. On Windows Ctrl-C is SIGINT; Ctrl-Break, and the end
 * of the console, of the user's session or of the system are SIGTERM. */
#ifndef SVCONN_CMD_SIGNALS_H
#define SVCONN_CMD_SIGNALS_H

/* Catches them (SIGHUP only if hangup is 1). Returns the descriptor to poll, or -1: then they end the process as usual.
 */
int signals_catch(int hangup);
int signals_hangup_counts(void); /* 0: it is ignored (nohup), and is to stay so */
/* While we wait for something that no signal interrupts: remove the files and end at once, with this exit code. -1:
 * bytes in the pipe again. */
void signals_urgent(int exit_code);
/* What is said then, on standard error and standard output; they stay, and change only while urgent is -1. */
void signals_last_words(const char *err, const char *out);
/* A file to remove then. The text stays. */
void signals_remove(const char *path);
/* The next one that came, or 0. */
int signals_next(void);

#endif
