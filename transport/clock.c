/* SPDX-License-Identifier: ISC */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <limits.h>
#include <time.h>

uint64_t svconn_now(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) return 0; /* cannot be: POSIX systems that we know have the clock */
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t svconn_deadline(int timeout_ms) { return timeout_ms < 0 ? UINT64_MAX : svconn_now() + (uint64_t)timeout_ms; }

int svconn_time_left(uint64_t end) {
    if (end == UINT64_MAX) return -1;
    uint64_t now = svconn_now();
    if (now >= end) return 0;
    return end - now < INT_MAX ? (int)(end - now) : INT_MAX;
}

int svconn_wait(int fd, short events, uint64_t end) {
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, svconn_time_left(end));
        if (n > 0) return 0;
        if (n < 0 && errno != EINTR) return -1;
        if (n == 0 && svconn_time_left(end) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

void svconn_nap(int ms) { (void)poll(NULL, 0, ms); /* a signal may shorten it: callers look at the time */ }
