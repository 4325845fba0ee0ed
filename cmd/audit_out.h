/* SPDX-License-Identifier: ISC */
/* Where the lines of the audit log go. */
#ifndef SVCONN_CMD_AUDIT_OUT_H
#define SVCONN_CMD_AUDIT_OUT_H

#include <stddef.h>
#include <sys/types.h>

/* A log: made with mode 600, and appended to. A pipe that nobody reads does not stop us, here and in audit_out_write.
 * The descriptor, or -1 and errno. */
int audit_out_file(const char *path);
/* The same of an audit log; -1 after it said why. */
int audit_out_open(const char *path);
/* What can be written without waiting; standard error is shared with others and may block. Bytes, or -1. */
ssize_t audit_out_write(int fd, const char *bytes, size_t n);

/* syslog. 0, or -1 after it said why. */
int audit_out_syslog(void);
void audit_out_syslog_line(const char *line, size_t n);
void audit_out_syslog_end(void);

#endif
