/* SPDX-License-Identifier: ISC */
/* Names of files as this system has them. */
#ifndef SVCONN_CMD_FILES_NAME_H
#define SVCONN_CMD_FILES_NAME_H

#include <stddef.h>
#include <stdint.h>

/* 1: the byte at i may stand there in a name. (Controls and what is not UTF-8 are looked at elsewhere.) */
int files_name_takes(const uint8_t *name, size_t len, size_t i);
/* 0 if the system takes them for the same name. */
int files_name_compare(const char *a, const char *b);
/* A path as a person gives it, with "/" between names; malloc'd, NULL: no memory. */
char *files_name_path(const char *argument);
/* Gives a file another name in its directory, which nothing has. 0; or -1: errno, EEXIST in particular. */
int files_name_give(int dir, const char *name, const char *new_name);

#endif
