/* SPDX-License-Identifier: ISC */
#include "text.h"

#include <time.h>

void text_time(char out[TEXT_TIME]) {
    struct timespec t;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &utc);
    size_t n = strftime(out, TEXT_TIME, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + n, TEXT_TIME - n, ".%03uZ", (unsigned)(t.tv_nsec / 1000000) % 1000);
}
