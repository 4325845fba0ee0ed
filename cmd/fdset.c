/* SPDX-License-Identifier: ISC */
#include "fdset.h"

#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_MS 100

int sooner(int a, int b) { return a < 0 ? b : b < 0 ? a : a < b ? a : b; }

int ms_until(uint64_t when) {
    uint64_t now = svconn_now();
    return now < when ? (int)(when - now) : 0;
}

void fdset_clear(fdset *set) {
    set->n = 0;
    set->timeout_ms = -1;
}

size_t fdset_add(fdset *set, int fd, short events) {
    if (set->n == set->size) {
        size_t size = set->size ? 2 * set->size : 64;
        struct pollfd *more = realloc(set->fds, size * sizeof *more);
        if (!more) {
            fdset_within(set, SHORT_MS);
            return (size_t)-1;
        }
        set->fds = more;
        set->size = size;
    }
    set->fds[set->n] = svconn_pollfd(fd, events);
    return set->n++;
}

void fdset_within(fdset *set, int ms) { set->timeout_ms = sooner(set->timeout_ms, ms); }

void fdset_nap(fdset *set) { set->tired = 1; }

void fdset_wait(fdset *set) {
    if (set->tired) svconn_poll(NULL, 0, SHORT_MS);
    set->tired = 0;
    if (svconn_poll(set->fds, (nfds_t)set->n, set->timeout_ms) >= 0) return;
    if (errno != EINTR) {
        say("poll: %s", strerror(errno));
        svconn_poll(NULL, 0, SHORT_MS);
    }
    for (size_t i = 0; i < set->n; i++) set->fds[i].revents = 0;
}

short fdset_got(const fdset *set, size_t place) { return place < set->n ? set->fds[place].revents : 0; }

void fdset_free(fdset *set) {
    free(set->fds);
    *set = (fdset){.timeout_ms = -1};
}
