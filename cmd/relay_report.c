/* SPDX-License-Identifier: ISC */
/* What the operator sees: a log of JSON lines and counters for Prometheus. Neither has a token, a name or a key. */
#include "relay_state.h"

#include "audit_out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_PER_SECOND 200
#define REQUEST_MAX 4096

static int open_log(const relay *r) {
    if (strcmp(r->options->log, "-") == 0) return STDERR_FILENO;
    int fd = audit_out_file(r->options->log);
    if (fd < 0) say("cannot open the log %s: %s", r->options->log, strerror(errno));
    return fd;
}

int report_open(relay *r) {
    r->log = -1;
    if (!r->options->log) return 0;
    r->log = open_log(r);
    return r->log < 0 ? -1 : 0;
}

void report_reopen(relay *r) {
    int fd = r->log > STDERR_FILENO ? open_log(r) : -1;
    if (fd < 0) return; /* the old one goes on */
    close(r->log);
    r->log = fd;
}

/* Strangers cause most lines: so many in a second are enough. */
static int may_write(relay *r) {
    if (r->log_second != r->now / 1000) {
        r->log_second = r->now / 1000;
        r->log_lines = 0;
    }
    return r->log_lines++ < LINES_PER_SECOND;
}

void report(relay *r, const char *event, const char *format, ...) {
    char line[600], when[TEXT_TIME];
    va_list args;
    if (r->log < 0) return;
    text_time(when);
    size_t n = (size_t)snprintf(line, sizeof line, "{\"time\":\"%s\",\"event\":\"%s\"", when, event);
    va_start(args, format);
    n += (size_t)vsnprintf(line + n, sizeof line - n, format, args);
    va_end(args);
    if (n > sizeof line - 3) return; /* no event is so long */
    memcpy(line + n, "}\n", 2);
    if (!may_write(r) || audit_out_write(r->log, line, n + 2) != (ssize_t)(n + 2)) r->count.log_lost++;
}

/* ---- counters ----------------------------------------------------------------------------------- */

static size_t add(char *text, size_t at, size_t size, const char *name, const char *type, const char *help,
                  unsigned long long value) {
    int n =
        snprintf(text + at, size - at, "# HELP svconn_relay_%s %s\n# TYPE svconn_relay_%s %s\nsvconn_relay_%s %llu\n",
                 name, help, name, type, name, value);
    return at + (size_t)n < size ? at + (size_t)n : at;
}

static size_t write_counters(const relay *r, char *text, size_t size) {
    size_t n = 0;
    n = add(text, n, size, "connections", "gauge", "connections open now", r->n_conns);
    n = add(text, n, size, "waiting", "gauge", "parties that wait for another", r->count.waiting);
    n = add(text, n, size, "registered", "gauge", "machines registered now", r->count.registered);
    n = add(text, n, size, "pairs", "gauge", "pairs joined now", r->count.pairs);
#define ADD(name, help) n = add(text, n, size, #name "_total", "counter", help, r->count.name);
    RELAY_COUNTERS(ADD)
#undef ADD
    return n;
}

/* One request of any kind is answered with all there is. */
void report_http(relay *r, conn *c) {
    static const char head[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
    char body[8192], all[sizeof head + sizeof body + 60];
    int got = conn_read_text(c, REQUEST_MAX, "\r\n\r\n", 0);
    if (got < 0) conn_drop(r, c);
    if (got <= 0) return;
    size_t len = write_counters(r, body, sizeof body);
    int all_len = snprintf(all, sizeof all, "%sContent-Length: %zu\r\n\r\n%.*s", head, len, (int)len, body);
    if (svconn_fd_write(c->fd, all, (size_t)all_len) < 0) conn_drop(r, c);
    else conn_leave(r, c);
}
