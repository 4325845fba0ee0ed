/* SPDX-License-Identifier: ISC */
#include "options.h"

#include "cmd.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int options_fault(const char *command, const char *format, ...) {
    char what[500];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    say("%s: %s; see \"svconn %s --help\"", command, what, command);
    return EXIT_USAGE;
}

/* Prints lines, the second and later ones with an indent. */
static void print_lines(const char *text, int indent) {
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        printf("%.*s\n%*s", (int)(end - text), text, indent, "");
    printf("%s\n", text);
}

static int print_help(const usage *u, int all) {
    int left_out = 0;
    printf("Usage: svconn %s%s%s%s\n\n", u->command, u->n_rows ? " [OPTIONS]" : "", *u->operands ? " " : "",
           u->operands);
    print_lines(u->about, 0);
    printf("\nOptions:\n");
    for (size_t i = 0; i < u->n_rows; i++) {
        const option *o = &u->rows[i];
        char left[40];
        if ((o->kind & OPTION_RARE) && !all) {
            left_out = 1;
            continue;
        }
        snprintf(left, sizeof left, "%s--%s%s%s", strcmp(o->name, "output") == 0 ? "-o, " : "", o->name,
                 o->value ? " " : "", o->value ? o->value : "");
        printf("  %-20s ", left);
        if (strlen(left) > 20) printf("\n%23s", "");
        print_lines(o->help, 23);
    }
    printf("  %-20s this text\n", "--help");
    if (left_out) printf("  %-20s this text, with all options\n", "--help-all");
    if (u->more) printf("\n%s\n", u->more);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_LOCAL;
}

static unsigned kind_of(const option *o) { return o->kind & ~(unsigned)OPTION_RARE; }

static int store_number(const usage *u, const option *o, const char *value) {
    char *end;
    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno || n < o->least || n > o->most)
        return options_fault(u->command, "--%s %s: this must be a number from %lu to %lu", o->name, value, o->least,
                             o->most);
    *(unsigned long *)o->to = n;
    return -1;
}

static int store(const usage *u, const option *o, const char *value) {
    text_list *list = o->to;
    switch (kind_of(o)) {
    case OPTION_FLAG: *(int *)o->to = 1; return -1;
    case OPTION_TEXT: *(const char **)o->to = value; return -1;
    case OPTION_NUMBER: return store_number(u, o, value);
    case OPTION_LIST:
        if (list->n == LIST_MAX) return options_fault(u->command, "--%s: at most %d of them", o->name, LIST_MAX);
        list->item[list->n++] = value;
        return -1;
    }
    return EXIT_USAGE;
}

/* The row of an argument such as "--size", "--size=3" or "-o"; *value is what follows the "=", or NULL. */
static const option *find_row(const usage *u, const char *arg, const char **value) {
    *value = NULL;
    const char *name = strcmp(arg, "-o") == 0 ? "output" : arg + 2;
    if (name == arg + 2 && strncmp(arg, "--", 2) != 0) return NULL;
    size_t len = strcspn(name, "=");
    if (name[len] == '=') *value = name + len + 1;
    for (size_t i = 0; i < u->n_rows; i++)
        if (strlen(u->rows[i].name) == len && memcmp(u->rows[i].name, name, len) == 0) return &u->rows[i];
    return NULL;
}

/* One option at argv[*at]; moves *at over its value. */
static int read_option(const usage *u, int argc, char **argv, int *at, uint64_t *seen) {
    const char *value;
    const option *o = find_row(u, argv[*at], &value);
    if (!o) return options_fault(u->command, "there is no option %s", argv[*at]);
    uint64_t bit = (uint64_t)1 << (o - u->rows);
    if ((*seen & bit) && kind_of(o) != OPTION_LIST) return options_fault(u->command, "--%s is there twice", o->name);
    *seen |= bit;
    if (kind_of(o) == OPTION_FLAG && value) return options_fault(u->command, "--%s takes no value", o->name);
    if (kind_of(o) != OPTION_FLAG && !value) {
        if (++*at >= argc) return options_fault(u->command, "--%s needs a value: --%s %s", o->name, o->name, o->value);
        value = argv[*at];
    }
    return store(u, o, value);
}

int options_read(const usage *u, int argc, char **argv, const char **operand) {
    uint64_t seen = 0;
    size_t n = 0;
    int only_operands = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_operands && strncmp(argv[i], "--help", 6) == 0 && (!argv[i][6] || strcmp(argv[i] + 6, "-all") == 0))
            return print_help(u, argv[i][6] != 0);
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = 1;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] &&
                   argv[i][1] != '=') { /* "-=TARGET" is an operand */
            int code = read_option(u, argc, argv, &i, &seen);
            if (code >= 0) return code;
        } else {
            if (n == u->most_operands) return options_fault(u->command, "\"%s\" is too much", argv[i]);
            operand[n++] = argv[i];
        }
    }
    if (n < u->least_operands)
        return options_fault(u->command, "something is missing: svconn %s %s", u->command, u->operands);
    return -1;
}
