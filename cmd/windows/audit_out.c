/* SPDX-License-Identifier: ISC */
#include "audit_out.h"

#include "acl.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* With the right to append alone, so that what somebody else wrote meanwhile stays. (With _O_APPEND the C library would
 * look for the end of the file before each write.) */
int audit_out_file(const char *path) {
    HANDLE h = acl_create(path, FILE_APPEND_DATA | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, OPEN_ALWAYS,
                          FILE_ATTRIBUTE_NORMAL);
    return h != INVALID_HANDLE_VALUE ? _open_osfhandle((intptr_t)h, _O_WRONLY | _O_BINARY) : -1;
}

int audit_out_open(const char *path) {
    int fd = audit_out_file(path);
    if (fd >= 0) return fd;
    say("cannot open the audit log %s: %s; give a file that you may write", path, strerror(errno));
    return -1;
}

/* Only a pipe can be told not to wait; its other holders are not to notice. */
static BOOL set_waiting(HANDLE h, DWORD mode) { return SetNamedPipeHandleState(h, &mode, NULL, NULL); }

ssize_t audit_out_write(int fd, const char *bytes, size_t n) {
    HANDLE h = (HANDLE)_get_osfhandle(fd);
    DWORD written;
    BOOL is_pipe = set_waiting(h, PIPE_READMODE_BYTE | PIPE_NOWAIT), good = WriteFile(h, bytes, (DWORD)n, &written, NULL);
    if (is_pipe) (void)set_waiting(h, PIPE_READMODE_BYTE | PIPE_WAIT);
    return good ? (ssize_t)written : -1;
}

int audit_out_syslog(void) {
    say("there is no syslog on Windows; give --audit a file, or \"-\" for standard error");
    return -1;
}

void audit_out_syslog_line(const char *line, size_t n) {
    (void)line;
    (void)n;
}

void audit_out_syslog_end(void) {}
