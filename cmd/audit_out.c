/* SPDX-License-Identifier: ISC */
#include "audit_out.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Without O_NONBLOCK a FIFO that nobody reads would stop us here. */
int audit_out_file(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
}

int audit_out_open(const char *path) {
    int fd = audit_out_file(path);
    if (fd >= 0) return fd;
    if (errno == EISDIR) say("the audit log %s is a directory; give the name of a file", path);
    else if (errno == ENXIO) say("nobody reads the audit log %s; start its reader first", path);
    else say("cannot open the audit log %s: %s; give a file that you may write, or \"syslog\"", path, strerror(errno));
    return -1;
}

/* Where poll sees room in a pipe, a line of ours fits. */
ssize_t audit_out_write(int fd, const char *bytes, size_t n) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) return -1;
    ssize_t written;
    do written = write(fd, bytes, n);
    while (written < 0 && errno == EINTR);
    return written;
}

int audit_out_syslog(void) {
    openlog("svconn", LOG_PID, LOG_AUTH);
    return 0;
}

void audit_out_syslog_line(const char *line, size_t n) { syslog(LOG_AUTH | LOG_INFO, "%.*s", (int)n, line); }

void audit_out_syslog_end(void) { closelog(); }
