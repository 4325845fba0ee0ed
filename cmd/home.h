/* SPDX-License-Identifier: ISC */
/* Where the program keeps what it remembers: ~/.config/svconn, or below XDG_CONFIG_HOME; sockets in XDG_RUNTIME_DIR. */
#ifndef SVCONN_CMD_HOME_H
#define SVCONN_CMD_HOME_H

#define HOME_PATH 1000

/* The path of a file there. make: its directories too (mode 700). Returns 0, or -1 if there is no home. */
int home_path(char path[HOME_PATH], const char *name, int make);

/* The directory for sockets: $XDG_RUNTIME_DIR/svconn, else ~/.config/svconn/run. It is made, and must be ours alone.
 * Returns 0, or -1. */
int home_runtime(char path[HOME_PATH]);
extern const char home_runtime_from[]; /* what says where it is, for messages */

#endif
