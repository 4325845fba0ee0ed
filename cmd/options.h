/* SPDX-License-Identifier: ISC */
/* Options of a subcommand, from one table that also makes its help text. */
#ifndef SVCONN_CMD_OPTIONS_H
#define SVCONN_CMD_OPTIONS_H

#include "text.h"
#include <stddef.h>

#define LIST_MAX 64

typedef struct {
    const char *item[LIST_MAX];
    size_t n;
} text_list;

/* OPTION_RARE is added to one of the others: told by --help-all only. */
typedef enum { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST, OPTION_RARE = 8 } option_kind;

typedef struct {
    const char *name;  /* without the dashes */
    const char *value; /* what the help text calls the value; NULL: it has none */
    const char *help;  /* lines are divided by \n */
    unsigned kind;     /* option_kind */
    void *to;                  /* int *, const char **, unsigned long *, text_list * */
    unsigned long least, most; /* of a number */
} option;

typedef struct {
    const char *command;  /* "echo" */
    const char *operands; /* "ADDRESS [FILE]" */
    const char *about;    /* what it does; lines are divided by \n */
    const char *more;     /* after the options; may be NULL */
    const option *rows;
    size_t n_rows;
    size_t least_operands, most_operands;
} usage;

/*
 * Reads argv[1..]. Operands go to operand[], which has room for most_operands + 1; the rest stays NULL. Returns -1 to
 * go on, else the exit code: help was printed (0), or a fault was said (2). "-o" is understood for "--output".
 */
int options_read(const usage *u, int argc, char **argv, const char **operand);

/* Says what is wrong with the command line and where help is; returns EXIT_USAGE. */
int options_fault(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
