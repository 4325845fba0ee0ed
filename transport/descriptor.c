/* SPDX-License-Identifier: ISC */
/* What the rest asks of the system for descriptors of any kind, and time. (windows/winsock.c is the same for Windows.) */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t svconn_now(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) return 0; /* cannot be: POSIX systems that we know have the clock */
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int svconn_poll(struct pollfd *fds, nfds_t n, int timeout_ms) { return poll(fds, n, timeout_ms); }

struct pollfd svconn_pollfd(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    return p;
}

const char *svconn_errno_text(int error) { return strerror(error); }

/* ---- bytes -------------------------------------------------------------------------------------- */

ssize_t svconn_fd_read(int fd, void *bytes, size_t len) {
    ssize_t n;
    do n = read(fd, bytes, len);
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t svconn_fd_write(int fd, const void *bytes, size_t len) {
    ssize_t n;
    do {
        n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK) n = write(fd, bytes, len); /* a pipe, a device */
    } while (n < 0 && errno == EINTR);
    return n;
}

void svconn_fd_end(int fd) { (void)shutdown(fd, SHUT_WR); /* no socket: no harm */ }

void svconn_fd_drop_unread(int fd) {
    uint8_t bytes[4096];
    for (int i = 0; i < 256; i++)
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0) break; /* a pipe: ENOTSOCK */
}

void svconn_fd_close(int fd) { close(fd); }

/* ---- given descriptors -------------------------------------------------------------------------- */

/* Can fd be one half of a link? Then *flags are its present ones. wrong_mode: O_WRONLY for the input, O_RDONLY for the
 * output. */
static int inspect(int fd, int wrong_mode, int *flags, svconn_why *why) {
    int type;
    socklen_t len = sizeof type;
    *flags = fcntl(fd, F_GETFL);
    if (*flags < 0) return svconn_because(why, "descriptor %d is not open", fd);
    if ((*flags & O_ACCMODE) == wrong_mode)
        return svconn_because(why, "descriptor %d is open for %s only; two one-way descriptors are given as fd:IN,OUT",
                              fd, wrong_mode == O_WRONLY ? "writing" : "reading");
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type != SOCK_STREAM)
        return svconn_because(why, "descriptor %d is a socket, but not a stream", fd);
    return 0;
}

static int take_over(int fd, int flags) {
#ifdef SO_NOSIGPIPE
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (fd > 2) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Both are inspected before one is changed: the two may share one open file, and then its flags. */
int svconn_given_open(svconn_link *l, const svconn_address *a, svconn_why *why) {
    int in_flags, out_flags;
    if (inspect(a->in, O_WRONLY, &in_flags, why) != 0 || inspect(a->out, O_RDONLY, &out_flags, why) != 0) return -1;
    if (take_over(a->in, in_flags) != 0 || take_over(a->out, out_flags) != 0) {
        svconn_because(why, "cannot make descriptor %d or %d non-blocking: %s", a->in, a->out, strerror(errno));
        (void)fcntl(a->in, F_SETFL, in_flags);
        return -1;
    }
    l->in = a->in;
    l->out = a->out;
    l->saved_in_flags = in_flags;
    l->saved_out_flags = out_flags;
    return 0;
}

/* Standard descriptors are not closed but led to /dev/null: else the next open would take their number, and a later
 * printf would write there. */
void svconn_given_close(int fd, int flags) {
    (void)fcntl(fd, F_SETFL, flags);
    int null = fd <= 2 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null < 0 || dup2(null, fd) < 0) close(fd);
    if (null >= 0 && null != fd) close(null);
}
