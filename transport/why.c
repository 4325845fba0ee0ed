/* SPDX-License-Identifier: ISC */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <stdarg.h>
#include <stdio.h>

static int say_why(svconn_why *why, svconn_fault fault, const char *format, va_list args) {
    if (!why) return -1;
    why->fault = fault;
    if (vsnprintf(why->text, sizeof why->text, format, args) < 0) why->text[0] = 0;
    return -1;
}

int svconn_because(svconn_why *why, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_why(why, SVCONN_FAULT_LOCAL, format, args);
    va_end(args);
    return -1;
}

int svconn_because_of(svconn_why *why, svconn_fault fault, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_why(why, fault, format, args);
    va_end(args);
    return -1;
}

void svconn_printable(char *text) {
    for (; *text; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}
