/* SPDX-License-Identifier: ISC */
/* Paths below a directory: names of strangers, and the way down without following a symbolic link. */
#ifndef SVCONN_CMD_FILES_PATH_H
#define SVCONN_CMD_FILES_PATH_H

#include "files_wire.h"

#define FILES_NAME_MAX 255
#define PART_SUFFIX ".svconn-part"

/* 1 if it could be a name at all: not empty, not "." or "..", without "/" and zero bytes. */
int name_is_proper(const uint8_t *name, size_t len);

/* As it is shown: control bytes, and what is not UTF-8, become %XX. Returns the length, 0 if that is more than 255. */
size_t name_clean(char out[FILES_NAME_MAX + 1], const uint8_t *name, size_t len);
/* As it is stored: so does what is no part of a name here (files_name.h). */
size_t name_to_store(char out[FILES_NAME_MAX + 1], const uint8_t *name, size_t len);

/* 1 if it is the name of an unfinished file. */
int name_is_part(const char *name);
/* The name of the unfinished file of this name. */
void name_of_part(char out[FILES_NAME_MAX + 1], const char *name);
/* "name (2).txt". 0, or -1 if that is too long. */
int name_numbered(char out[FILES_NAME_MAX + 1], const char *name, unsigned number);

/* The same for the last name of a path. */
int path_numbered(char out[FILES_PATH_MAX + 1], const char *path, unsigned number);

/* May a symbolic link in a directory that is so deep (0: the one that is the root) have this target? Then 1, and in out
 * what it becomes. It has to be relative; ".." comes only in front, so that no other link on the way can lead further
 * up than is counted here; the root itself, and (without keep_dots) a name that begins with a dot, are no targets. */
int target_clean(char out[FILES_TARGET_MAX + 1], const uint8_t *target, size_t len, unsigned depth, int keep_dots);

/* The directory last used below a base. */
typedef struct {
    int base;   /* descriptor; belongs to the user of this */
    int follow; /* symbolic links on the way are followed */
    int fd;     /* of path; -1: none */
    char path[FILES_PATH_MAX + 1];
} way;

#define WAY_NONE                                                                                                       \
    { -1, 0, -1, "" }

/* Opens the directory that "a/b/c" is in; *name is "c" then, within path. -1 and errno. The descriptor belongs to w. */
int way_to(way *w, const char *path, const char **name);
/* Forgets the directory. */
void way_forget(way *w);

#endif
