/* SPDX-License-Identifier: ISC */
/*
 * The directory that files are received into. Everything happens below it, without following symbolic links. A file
 * grows under the name of name_of_part, is checked, and then gets its name; what was there is kept, or replaced at
 * once. Functions return -1 and errno; paths are those of store_path.
 */
#ifndef SVCONN_CMD_FILES_STORE_H
#define SVCONN_CMD_FILES_STORE_H

#include "files_path.h"

#include <sys/stat.h>
#include <time.h>

typedef enum { STORE_KEEP, STORE_OVERWRITE, STORE_RENAME } store_policy;

typedef struct {
    way at;
    mode_t mask;
    store_policy policy;
    int keep_dots;
    int quiet, list;                         /* list: what was stored goes to standard output */
    unsigned long long max_bytes, max_files; /* 0: any number */
    unsigned long long bytes, files;         /* taken, or promised to a sender */
} file_store;

/* Opens the directory; the rest of s is the caller's to set, from zeros. */
int store_open(file_store *s, const char *directory);
void store_close(file_store *s);

/* Adds a name to a path. 0: not a name that is taken (too long, kept for unfinished files). */
int store_add_name(const file_store *s, char path[FILES_PATH_MAX + 1], const uint8_t *name, size_t len);

/* What is there: 1 and *st, 0 if nothing, -1. */
int store_look(file_store *s, const char *path, struct stat *st);
int store_look_part(file_store *s, const char *path, struct stat *st);
/* To read. *st: what was opened, a regular file. */
int store_open_file(file_store *s, const char *path, struct stat *st);
int store_open_part(file_store *s, const char *path, struct stat *st);

/* To write from offset on; what is behind is cut off. With offset > 0 it must still be what it was when it was *known.
 * EBUSY: it is in use, or is another one now. */
int store_write_part(file_store *s, const char *path, uint64_t offset, const struct stat *known);
/* The one that we are writing; and one that nobody is writing, if there is one. */
void store_drop_part(file_store *s, const char *path);
int store_drop_stale(file_store *s, const char *path);

/* Bytes at a place; zeros at the end of a file become a hole. */
int store_write(int fd, const uint8_t *bytes, size_t len, uint64_t at);

/* The file is complete and right: it gets size, mode, time and name, and is on the disk. got: the path that it has now,
 * another one under STORE_RENAME. EEXIST: something is there, and stays. */
typedef struct {
    uint64_t size;
    unsigned mode;
    struct timespec mtime;
} store_attributes;
int store_finish(file_store *s, const char *path, int fd, const store_attributes *a, char got[FILES_PATH_MAX + 1]);

/* A directory: a new one, or 1 if it was there. Its owner can always use it. */
int store_directory(file_store *s, const char *path, unsigned mode);
/* EPERM: not such a target. 1: the same one was there. */
int store_symlink(file_store *s, const char *path, const uint8_t *target, size_t len);
/* Brings the last directory to the disk. */
int store_sync(file_store *s);

/* What went wrong, for the sender. */
const char *store_why(int error);

#endif
