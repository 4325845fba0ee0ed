/* SPDX-License-Identifier: ISC */
/* What the arguments of "svconn send" name: files, directories with all that is in them, symbolic links. */
#ifndef SVCONN_CMD_FILES_WALK_H
#define SVCONN_CMD_FILES_WALK_H

#include "files_path.h"

#include <dirent.h>
#include <sys/stat.h>

/* An argument: name is in the directory dir, and is its name for the receiver too. */
typedef struct {
    char *dir, *name;
} source;

/* 0, or -1 after it said why. */
int source_open(source *s, const char *argument);
void source_close(source *s);

typedef struct {
    const source *sources;
    size_t n;
    int follow;
    /* What is left out, and why. May be NULL. */
    void (*note)(void *arg, const char *path, const char *why);
    void *arg;

    size_t at; /* the next argument */
    DIR *open[FILES_DEPTH];
    size_t end[FILES_DEPTH]; /* of the path of each */
    size_t depth;
    char path[FILES_PATH_MAX + 1];
} walk;

typedef struct {
    size_t source;
    const char *path; /* from the argument's directory on; until the next step */
    uint8_t type;     /* FILES_FILE and so on */
    struct stat st;
    char target[FILES_TARGET_MAX + 1];
} walk_item;

/* Goes back to the start; also ends it. */
void walk_rewind(walk *w);
/* The next one, a directory before what is in it. 0: that was all. */
int walk_next(walk *w, walk_item *item);
/* An item by its path, as it is now. 0: it is not there, or is nothing to be sent. */
int walk_look(int dir, const char *name, int follow, walk_item *item);

#endif
