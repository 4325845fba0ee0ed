/* SPDX-License-Identifier: ISC */
/*
 * The audit log of the called side: a JSON line for every attempt, session and forwarded connection, in a file, on
 * standard error ("-"), or in syslog ("syslog"). Nothing secret goes into it. Strings of strangers are escaped.
 */
#ifndef SVCONN_CMD_AUDIT_H
#define SVCONN_CMD_AUDIT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int fd; /* -1: none */
    int syslog;
    const char *where;
    uint64_t second; /* in which so many lines were written that others can cause at will: of each kind */
    unsigned in_second[3];
    unsigned long long lost; /* lines that nobody took, or that there was no room for; told before the next line */
    int torn;                /* the last line went out in part: a newline must come before the next one */
} audit;

/* where NULL: no log. 0, or -1 after it said why. A file is made with mode 600 and appended to; where stays. */
int audit_open(audit *a, const char *where);
/* After a rotation (SIGHUP): the file by this name again. If that fails it says so, and the old one goes on. */
void audit_reopen(audit *a);
void audit_close(audit *a);

/* One line under construction: {"time":"2026-11-21T18:00:00.123Z","event":"...", ...}. Never fails: what does not fit
 * is cut, and "cut":true says so. One value gets AUDIT_VALUE characters at most, as escaped, so that a stranger who
 * chooses one of them cannot push out the others. Names and events are ours, and need no escape. */
#define AUDIT_VALUE 500
typedef struct {
    audit *to;
    char text[2000];
    size_t len;
    int cut;
    int often; /* others can cause such lines at will: at most AUDIT_OFTEN of each kind (1, 2) go out in a second */
} audit_line;
#define AUDIT_OFTEN 200
void audit_begin(audit_line *line, audit *a, const char *event);
void audit_text(audit_line *line, const char *name, const char *value);
void audit_hex(audit_line *line, const char *name, const uint8_t *bytes, size_t n);
void audit_number(audit_line *line, const char *name, unsigned long long value);
/* Writes it whole, or counts it as lost. A full disk or a reader that stops does not stop us. (The C library's syslog
 * may wait for its daemon.) */
void audit_end(audit_line *line);

#endif
