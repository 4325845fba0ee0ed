/* SPDX-License-Identifier: ISC */
/* Processes of the demo: each has its own output files in one temporary directory, and all of them end in time. */
#ifndef SVCONN_CMD_STAGE_H
#define SVCONN_CMD_STAGE_H

#include <stddef.h>
#include <stdint.h>

#define STAGE_PROCESSES 4
#define STAGE_PATH 300

/* What a process does: a function as that of a command. */
typedef int (*stage_part)(int argc, char **argv);

typedef struct {
    char dir[STAGE_PATH - 60];
    uint64_t deadline;
    long process[STAGE_PROCESSES]; /* of stage_system.h; 0: none */
} stage;

/* Returns 0, or an exit code after it said why. */
int stage_open(stage *s, unsigned long seconds);
/* Ends what still runs and removes the directory. */
void stage_close(stage *s);

/* Full name of a file of the stage. */
void stage_path(const stage *s, char out[STAGE_PATH], const char *name, const char *suffix);

/* Runs the part of this number with these words, of which the last is NULL, in a new process; its standard output goes
 * to NAME.out, its standard error to NAME.log. No word has a quote in it or a backslash at its end. Returns its number,
 * or -1. */
int stage_start(stage *s, const char *name, const stage_part *parts, int part, const char *const *words);

/* A system without fork starts "svconn demo WORDS". To be called first there: the exit code of the part that this
 * process is; -1: it is none. */
int stage_child(const stage_part *parts, int n, int argc, char **argv);

/* Waits for its end. Returns its exit code, or -1 if it did not end in time or died of a signal. */
int stage_wait(stage *s, int number);

/* Waits until a line of NAME.log has this text; copies the rest of that line. Returns 0, or -1 if it does not come in
 * time. */
int stage_await(const stage *s, const char *name, const char *text, char *rest, size_t rest_size);

/* Reads a whole file of the stage into new memory, with a NUL behind it; NULL if that fails. At most 64 MiB. */
uint8_t *stage_read(const stage *s, const char *name, const char *suffix, size_t *len);

#endif
