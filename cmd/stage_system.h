/* SPDX-License-Identifier: ISC */
/* What each system does in its own way for stage.c: the temporary directory, and processes. */
#ifndef SVCONN_CMD_STAGE_SYSTEM_H
#define SVCONN_CMD_STAGE_SYSTEM_H

#include "stage.h"

extern const char stage_tmp_name[];  /* the variable that says where temporary files are */
extern const int stage_remove_tries; /* of the directory */

/* Makes a new directory for us alone. 0; or -1: errno, and dir is what was tried. */
int stage_make_directory(char *dir, size_t size);

/* See stage_start. The process; or 0: errno. */
long stage_process_start(const stage *s, const char *name, const stage_part *parts, int part, const char *const *words);
/* 1: it has ended, nobody knows it any more, and *code is its exit code, -1 if it did not end by itself; 0: it runs */
int stage_process_has_ended(long process, int *code);
/* It is ended by force, and has ended. */
void stage_process_kill(long process);

#endif
