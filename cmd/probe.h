/* SPDX-License-Identifier: ISC */
/* Functions that say what is wrong on standard error, run in a child so that their words can be shown elsewhere, and so
 * that none of them takes longer than it may. */
#ifndef SVCONN_CMD_PROBE_H
#define SVCONN_CMD_PROBE_H

#include <stddef.h>

#define PROBE_TEXT 1600
#define PROBE_LATE (-1) /* time was over */
#define PROBE_LOST (-2) /* there was no child, or it ended by a signal */

/* Returns the exit code of check, or one of the above. What it said goes to text, on one line. */
int probe_run(int (*check)(void *arg), void *arg, int patience_ms, char text[PROBE_TEXT]);

#endif
