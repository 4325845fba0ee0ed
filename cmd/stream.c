/* SPDX-License-Identifier: ISC */
#include "stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int stream_in(int fd) { return fd; }

int stream_out(int fd) { return fd; }

ssize_t stream_read(int fd, void *bytes, size_t len) { return read(fd, bytes, len); }

ssize_t stream_write(int fd, const void *bytes, size_t len) { return write(fd, bytes, len); }

int stream_finish(int out) {
    (void)out;
    return 0;
}

int stream_end(int out) {
    close(out);
    return 1;
}

void stream_leave(int out) { close(out); }

int stream_is_socket(int fd) {
    int type;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

int stream_is_quick(int fd) {
    struct stat st;
    return (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) || (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

void stream_reset(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}
