/* SPDX-License-Identifier: ISC */
/* Files with secrets, by the means of the system: what nobody but the owner may read. (windows/secret.c is the same for Windows.) */
#ifndef SVCONN_CMD_SECRET_H
#define SVCONN_CMD_SECRET_H

/* A new file, open for writing; never one that is there (EEXIST). -1: errno. */
int secret_create(const char *path);
/* Open for reading, if others can neither read nor change it; -1, and why was said. what: "key" or "password". */
int secret_open(const char *path, const char *what);

/* Of a key file that is encrypted with a password, and what to do */
extern const char secret_encrypted[];

/* Starts a command of the user's shell. Returns where to read what it prints, or -1: errno. */
int secret_command(const char *command, long *child);
/* Waits for its end: EXIT_DONE if it was in order, else EXIT_LOCAL; aloud: and why was said. */
int secret_command_end(long child, int aloud);

#endif
