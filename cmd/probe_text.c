/* SPDX-License-Identifier: ISC */
#include "probe.h"

#include <string.h>

#define PREFIX "svconn: " /* of say */

void probe_tidy(char *text) {
    size_t prefix = strlen(PREFIX);
    char *to = text;
    int fresh = 1; /* at the start of a line */
    for (const char *from = text; *from;) {
        if (fresh && strncmp(from, PREFIX, prefix) == 0) from += prefix;
        fresh = *from == '\n';
        int blank = *from == ' ' || fresh;
        if (*from && !(blank && (to == text || to[-1] == ' '))) *to++ = blank ? ' ' : *from;
        if (*from) from++;
    }
    while (to > text && to[-1] == ' ') to--;
    *to = 0;
}
