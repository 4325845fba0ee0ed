/* SPDX-License-Identifier: ISC */
/* What a process needs before the first command: once, at the start of main. */
#ifndef SVCONN_CMD_STARTUP_H
#define SVCONN_CMD_STARTUP_H

/* The arguments become UTF-8 where they are not. 0, or -1. */
int startup_prepare(int *argc, char ***argv);
/* A file that is larger than files may be is an error of write, with a message, and no signal. */
void startup_writes_files(void);

#endif
