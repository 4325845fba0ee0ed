/* SPDX-License-Identifier: ISC */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <stdarg.h>
#include <stdio.h>

int svconn_because(svconn_why *why, const char *format, ...) {
    va_list args;
    if (!why) return -1;
    va_start(args, format);
    if (vsnprintf(why->text, sizeof why->text, format, args) < 0) why->text[0] = 0;
    va_end(args);
    return -1;
}
