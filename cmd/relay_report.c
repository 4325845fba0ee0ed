/* SPDX-License-Identifier: ISC */
/* What the operator sees: a log of JSON lines and counters for Prometheus. Neither has a token, a name or a key. */
#include "relay_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HTTP_MS 5000
#define REQUEST_MAX 4096

int report_open(relay *r) {
    r->log = -1;
    if (!r->options->log) return 0;
    if (strcmp(r->options->log, "-") == 0) {
        r->log = STDERR_FILENO;
        return 0;
    }
    r->log = open(r->options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (r->log >= 0) return 0;
    say("cannot open the log %s: %s", r->options->log, strerror(errno));
    return -1;
}

void report(relay *r, const char *event, const char *format, ...) {
    char line[600];
    struct timespec t;
    struct tm utc;
    va_list args;
    if (r->log < 0) return;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &utc);
    size_t n = strftime(line, sizeof line, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ\",\"event\":\"%s\"", t.tv_nsec / 1000000, event);
    va_start(args, format);
    n += (size_t)vsnprintf(line + n, sizeof line - n, format, args);
    va_end(args);
    if (n > sizeof line - 3) return; /* no event is so long */
    memcpy(line + n, "}\n", 2);
    if (write(r->log, line, n + 2) < 0) return; /* a full disk must not stop the relay; the counters go on */
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
    if (!conn_read_text(r, c, "\r\n\r\n", REQUEST_MAX)) return;
    size_t len = write_counters(r, body, sizeof body);
    int all_len = snprintf(all, sizeof all, "%sContent-Length: %zu\r\n\r\n%.*s", head, len, (int)len, body);
    if (send(c->fd, all, (size_t)all_len, MSG_NOSIGNAL) < 0) conn_drop(r, c);
    else conn_leave(r, c);
}
