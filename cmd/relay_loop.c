/* SPDX-License-Identifier: ISC */
/*
 * Readiness of many descriptors: epoll, each change told once (so that a connection that waits costs nothing), or poll.
 * With epoll a descriptor is registered once and for all, and who reads or writes must go on until EAGAIN, or remember
 * that it has not. poll asks for what matters at the moment.
 */
#include "relay_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#define HAVE_EPOLL 1
#endif

#define BATCH 256

struct loop {
    int epoll; /* -1: poll */
    short (*wants)(void *who);
    int *fd;
    void **who;
    struct pollfd *fds; /* of one round */
    size_t n, size, first; /* first: to be looked at, or those behind a full batch would never be */
};

loop *loop_open(int use_poll, short (*wants)(void *who)) {
    loop *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->wants = wants;
    l->epoll = -1;
#ifdef HAVE_EPOLL
    if (!use_poll) l->epoll = epoll_create1(EPOLL_CLOEXEC);
#else
    (void)use_poll;
#endif
    return l;
}

void loop_close(loop *l) {
    if (!l) return;
    if (l->epoll >= 0) close(l->epoll);
    free(l->fd);
    free(l->who);
    free(l->fds);
    free(l);
}

static int grow(loop *l) {
    size_t size = l->size ? 2 * l->size : 64;
    int *fd = realloc(l->fd, size * sizeof *fd);
    if (fd) l->fd = fd;
    void **who = realloc(l->who, size * sizeof *who);
    if (who) l->who = who;
    struct pollfd *fds = realloc(l->fds, size * sizeof *fds);
    if (fds) l->fds = fds;
    if (!fd || !who || !fds) {
        errno = ENOMEM;
        return -1;
    }
    l->size = size;
    return 0;
}

int loop_add(loop *l, int fd, void *who) {
#ifdef HAVE_EPOLL
    if (l->epoll >= 0) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = who}};
        return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e);
    }
#endif
    if (l->n == l->size && grow(l) != 0) return -1;
    l->fd[l->n] = fd;
    l->who[l->n++] = who;
    return 0;
}

void loop_remove(loop *l, int fd) {
    if (l->epoll >= 0) return; /* close does it: no descriptor of ours has a second copy */
    for (size_t i = 0; i < l->n; i++) {
        if (l->fd[i] != fd) continue;
        l->n--;
        l->fd[i] = l->fd[l->n];
        l->who[i] = l->who[l->n];
        return;
    }
}

#ifdef HAVE_EPOLL
static int wait_epoll(loop *l, loop_event *events, int max, int timeout_ms) {
    struct epoll_event got[BATCH];
    int n = epoll_wait(l->epoll, got, max < BATCH ? max : BATCH, timeout_ms);
    for (int i = 0; i < n; i++) {
        uint32_t e = got[i].events;
        events[i].who = got[i].data.ptr;
        events[i].readable = (e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        events[i].writable = (e & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
        events[i].ending = (e & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    }
    return n;
}
#endif

/* poll reports an end even if it is not asked to, again and again: whoever wants nothing is left out. */
static int wait_poll(loop *l, loop_event *events, int max, int timeout_ms) {
    int n = 0;
    for (size_t i = 0; i < l->n; i++) {
        short wants = l->wants(l->who[i]);
        l->fds[i] = svconn_pollfd(wants ? l->fd[i] : -1, wants);
    }
    int got = svconn_poll(l->fds, (nfds_t)l->n, timeout_ms);
    size_t seen = 0;
    for (; got > 0 && seen < l->n && n < max; seen++) {
        size_t i = (l->first + seen) % l->n;
        short e = l->fds[i].revents;
        if (e) events[n++] = (loop_event){l->who[i], (e & ~POLLOUT) != 0, (e & ~POLLIN) != 0, 0};
    }
    if (l->n) l->first = (l->first + seen) % l->n;
    return got < 0 ? -1 : n;
}

int loop_wait(loop *l, loop_event *events, int max, int timeout_ms) {
#ifdef HAVE_EPOLL
    if (l->epoll >= 0) return wait_epoll(l, events, max, timeout_ms);
#endif
    return wait_poll(l, events, max, timeout_ms);
}
