/* SPDX-License-Identifier: ISC */
#include "audit.h"

#include "audit_out.h"
#include "codec.h"
#include "startup.h"
#include "svconn_transport.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char END_CUT[] = ",\"cut\":true}\n";

/* ---- where it goes ------------------------------------------------------------------------------ */

static int is_file(const audit *a) { return a->where && strcmp(a->where, "-") != 0 && !a->syslog; }

int audit_open(audit *a, const char *where) {
    *a = (audit){.fd = -1, .where = where};
    if (!where) return 0;
    if (strcmp(where, "syslog") == 0) {
        a->syslog = 1;
        return audit_out_syslog();
    }
    startup_writes_files();
    a->fd = is_file(a) ? audit_out_open(where) : STDERR_FILENO;
    return a->fd < 0 ? -1 : 0;
}

void audit_reopen(audit *a) {
    int fd = is_file(a) ? audit_out_open(a->where) : -1;
    if (fd < 0) return;
    if (a->fd >= 0) close(a->fd);
    a->fd = fd;
    a->torn = 0;
}

void audit_close(audit *a) {
    if (is_file(a) && a->fd >= 0) close(a->fd);
    if (a->syslog) audit_out_syslog_end();
    *a = (audit){.fd = -1};
}

/* ---- a line is put together --------------------------------------------------------------------- */

/* Room for END_CUT is kept until the end. */
static size_t room(const audit_line *line) { return sizeof line->text - sizeof END_CUT - line->len; }

static void add(audit_line *line, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(audit_line *line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->text + line->len, room(line), format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < room(line)) line->len += (size_t)n;
    else line->cut = 1;
}

void audit_begin(audit_line *line, audit *a, const char *event) {
    char when[TEXT_TIME];
    line->to = a;
    line->len = 0;
    line->cut = line->often = 0;
    text_time(when);
    add(line, "{\"time\":\"%s\",\"pid\":%ld,\"event\":\"%s\"", when, (long)getpid(), event);
}

void audit_text(audit_line *line, const char *name, const char *value) {
    char escaped[AUDIT_VALUE + 1];
    size_t n = strlen(name) + sizeof ",\"\":\"\"", have = room(line);
    if (have <= n) {
        line->cut = 1;
        return;
    }
    size_t fits = have - n + 1 < sizeof escaped ? have - n + 1 : sizeof escaped;
    if (!value) value = "";
    if (text_json(escaped, fits, value, strlen(value)) < strlen(value)) line->cut = 1;
    add(line, ",\"%s\":\"%s\"", name, escaped);
}

void audit_hex(audit_line *line, const char *name, const uint8_t *bytes, size_t n) {
    char digits[AUDIT_VALUE + 1];
    if (n > AUDIT_VALUE / 2) line->cut = 1;
    hex_encode(digits, bytes, n > AUDIT_VALUE / 2 ? AUDIT_VALUE / 2 : n);
    audit_text(line, name, digits);
}

void audit_number(audit_line *line, const char *name, unsigned long long value) {
    add(line, ",\"%s\":%llu", name, value);
}

static void finish(audit_line *line) {
    const char *end = line->cut ? END_CUT : "}\n";
    memcpy(line->text + line->len, end, strlen(end));
    line->len += strlen(end);
}

/* ---- and written -------------------------------------------------------------------------------- */

/* A disk that fills up, or a socket, takes a part. The rest may fit at once; else the reader must not take the next
 * line for its end. */
static int write_whole(audit *a, const char *bytes, size_t n) {
    if (a->torn && audit_out_write(a->fd, "\n", 1) != 1) return -1;
    a->torn = 0;
    for (size_t at = 0; at < n;) {
        ssize_t written = audit_out_write(a->fd, bytes + at, n - at);
        if (written <= 0) {
            a->torn = at > 0;
            return -1;
        }
        at += (size_t)written;
    }
    return 0;
}

static int tell_lost(audit *a) {
    audit_line line;
    audit_begin(&line, a, "lost");
    audit_number(&line, "lines", a->lost);
    finish(&line);
    if (write_whole(a, line.text, line.len) != 0) return -1;
    a->lost = 0;
    return 0;
}

static int too_many(audit *a, int kind) {
    uint64_t now = svconn_now() / 1000;
    if (now != a->second) memset(a->in_second, 0, sizeof a->in_second);
    a->second = now;
    return a->in_second[kind]++ >= AUDIT_OFTEN;
}

void audit_end(audit_line *line) {
    audit *a = line->to;
    finish(line);
    if (line->often && too_many(a, line->often)) {
        a->lost++;
        return;
    }
    if (a->syslog) audit_out_syslog_line(line->text, line->len - 1);
    if (a->fd < 0) return;
    if ((a->lost && tell_lost(a) != 0) || write_whole(a, line->text, line->len) != 0) a->lost++;
}
