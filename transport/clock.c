/* SPDX-License-Identifier: ISC */
/* Deadlines, and waiting for descriptors until then. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <limits.h>

uint64_t svconn_deadline(int timeout_ms) { return timeout_ms < 0 ? UINT64_MAX : svconn_now() + (uint64_t)timeout_ms; }

int svconn_time_left(uint64_t end) {
    if (end == UINT64_MAX) return -1;
    uint64_t now = svconn_now();
    if (now >= end) return 0;
    return end - now < INT_MAX ? (int)(end - now) : INT_MAX;
}

int svconn_is_later(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

int svconn_wait_any(const int *fd, int count, short events, uint64_t end) {
    struct pollfd p[SVCONN_LISTENER_FDS];
    for (int i = 0; i < count; i++) p[i] = svconn_pollfd(fd[i], events);
    for (;;) {
        int n = svconn_poll(p, (nfds_t)count, svconn_time_left(end));
        for (int i = 0; n > 0 && i < count; i++)
            if (p[i].revents) return i;
        if (n < 0 && errno != EINTR) return -1;
        if (n == 0 && svconn_time_left(end) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

int svconn_wait(int fd, short events, uint64_t end) { return svconn_wait_any(&fd, 1, events, end) < 0 ? -1 : 0; }

void svconn_nap(int ms) { (void)svconn_poll(NULL, 0, ms); /* a signal may shorten it: callers look at the time */ }
