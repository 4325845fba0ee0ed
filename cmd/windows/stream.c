/* SPDX-License-Identifier: ISC */
/* A thread for each direction carries the bytes between a file, a pipe or a console and a socket. A fault of the file
 * becomes a connection that is reset. */
#include "stream.h"

#include "carry.h"
#include "loopback.h"
#include "svconn_link.h"

#include <errno.h>
#include <stdlib.h>
#include <windows.h>

#define LEAVE_MS 2000 /* for what was written and is not out */

/* There is one standard output. */
static carry *output;
static int output_here = -1;

/* The thread frees what it has; or the end of the program ends it. */
int stream_in(int fd) {
    int here;
    carry *c = carry_start((HANDLE)_get_osfhandle(fd), CARRY_IN, &here);
    if (c) carry_forget(c);
    return c ? here : -1;
}

int stream_out(int fd) {
    output = carry_start((HANDLE)_get_osfhandle(fd), CARRY_OUT, &output_here);
    return output ? output_here : -1;
}

ssize_t stream_read(int fd, void *bytes, size_t len) { return svconn_fd_read(fd, bytes, len); }

/* What went wrong is known to the thread. */
static void say_true(int fd) {
    if (output && fd == output_here && errno != EAGAIN) errno = carry_error(output) ? carry_error(output) : EPIPE;
}

ssize_t stream_write(int fd, const void *bytes, size_t len) {
    ssize_t n = svconn_fd_write(fd, bytes, len);
    if (n < 0) say_true(fd);
    return n;
}

int stream_finish(int out) {
    if (!output || output_here != out) return 0;
    svconn_fd_end(out);
    return carry_wait(output, INFINITE) == 1 && carry_error(output) == 0 ? 0 : -1;
}

int stream_end(int out) {
    svconn_fd_end(out);
    int done = carry_wait(output, 0);
    if (done && carry_error(output)) {
        errno = carry_error(output);
        return -1;
    }
    if (done) svconn_fd_close(out);
    return done;
}

void stream_leave(int out) {
    svconn_fd_end(out);
    (void)carry_wait(output, LEAVE_MS);
    svconn_fd_close(out);
}

int stream_is_socket(int fd) {
    (void)fd;
    return 1;
}

int stream_is_quick(int fd) {
    (void)fd;
    return 1;
}

void stream_reset(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt((SOCKET)fd, SOL_SOCKET, SO_LINGER, (const char *)&now, sizeof now);
}
