/* SPDX-License-Identifier: ISC */
/* Functions that say what is wrong on standard error, run in a child so that their words can be shown elsewhere, and so
 * that none of them takes longer than it may. */
#ifndef SVCONN_CMD_PROBE_H
#define SVCONN_CMD_PROBE_H

#define PROBE_TEXT 1600
#define PROBE_LATE (-1) /* time was over */
#define PROBE_LOST (-2) /* there was no child, or it ended by a signal */

typedef int (*probe_check)(void *arg);

/* Returns the exit code of the check of this number, or one of the above. What it said goes to text, on one line. */
int probe_run(const probe_check *checks, int number, void *arg, int patience_ms, char text[PROBE_TEXT]);

/* A system without fork starts the program once more, with the same arguments. To be called when arg is as it was there:
 * the exit code of the check that this process is for; -1: it is for none. */
int probe_child(const probe_check *checks, int n, void *arg);

/* Lines become one, without the prefix of say and without runs of blanks. */
void probe_tidy(char *text);

#endif
