/* SPDX-License-Identifier: ISC */
/* Exact reads and writes with a deadline, for what is said before the session (svconn_link.h). */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <string.h>

int svconn_send_exact(int fd, const void *bytes, size_t len, uint64_t end) {
    const uint8_t *p = bytes;
    for (size_t at = 0; at < len;) {
        ssize_t n = svconn_fd_write(fd, p + at, len - at);
        if (n > 0) at += (size_t)n;
        else if (n < 0 && !svconn_is_later(errno)) return -1;
        else if (svconn_wait(fd, POLLOUT, end) != 0) return -1;
    }
    return 0;
}

int svconn_recv_exact(int fd, void *bytes, size_t len, uint64_t end) {
    uint8_t *p = bytes;
    for (size_t at = 0; at < len;) {
        ssize_t n = svconn_fd_read(fd, p + at, len - at);
        if (n == 0) {
            errno = 0;
            return -1;
        }
        if (n > 0) at += (size_t)n;
        else if (!svconn_is_later(errno)) return -1;
        else if (svconn_wait(fd, POLLIN, end) != 0) return -1;
    }
    return 0;
}

int svconn_recv_text(int fd, char *text, size_t size, const char *mark, uint64_t end) {
    size_t n = strlen(mark);
    text[0] = 0;
    for (size_t at = 0; at + 1 < size;) {
        if (svconn_recv_exact(fd, text + at, 1, end) != 0) return -1;
        text[++at] = 0;
        if (at >= n && memcmp(text + at - n, mark, n) == 0) return 0;
    }
    errno = EMSGSIZE;
    return -1;
}
