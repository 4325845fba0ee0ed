/* SPDX-License-Identifier: ISC */
#include "progress.h"

#include "svconn_transport.h"
#include "terminal.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 79 /* of a terminal that does not tell */
#define WIDTH_MAX 120
#define NAME_LEAST 6

void progress_begin(progress *p, int wanted) {
    *p = (progress){0};
    p->on = wanted && isatty(STDERR_FILENO);
}

void progress_restart(progress *p, uint64_t moved) {
    p->last = svconn_now();
    p->last_moved = moved;
}

const char *amount_bytes(char out[AMOUNT_TEXT], double bytes) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    size_t i = 0;
    for (; bytes >= 999.5 && i < 4; i++) bytes /= 1000;
    snprintf(out, AMOUNT_TEXT, i == 0 ? "%.0f %s" : "%.1f %s", bytes,
             i == 0 && bytes >= 0.5 && bytes < 1.5 ? "byte" : units[i]);
    return out;
}

const char *amount_time(char out[AMOUNT_TEXT], double seconds) {
    unsigned long s = seconds < 360000 ? (unsigned long)(seconds + 0.5) : 360000;
    if (s < 60) snprintf(out, AMOUNT_TEXT, "%lu s", s);
    else if (s < 3600) snprintf(out, AMOUNT_TEXT, "%lu:%02lu", s / 60, s % 60);
    else snprintf(out, AMOUNT_TEXT, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    return out;
}

static void measure(progress *p, uint64_t now, const progress_state *s) {
    double passed = (double)(now - p->last) / 1000;
    double moved = s->moved > p->last_moved ? (double)(s->moved - p->last_moved) : 0;
    if (passed <= 0) return;
    double weight = p->rate > 0 ? 0.1 : 1;
    if (!s->comparing) p->rate += weight * (moved / passed - p->rate);
    p->last = now;
    p->last_moved = s->moved;
}

/* What fits without a line break, which some terminals make when the last column is used. */
static size_t line_width(void) {
    int columns = terminal_columns(STDERR_FILENO);
    if (columns < 2) return WIDTH;
    return columns - 1 < WIDTH_MAX ? (size_t)columns - 1 : WIDTH_MAX;
}

/* The end of a name says more than its start. */
static void add_name(char *line, size_t width, const char *name) {
    char plain[4 * WIDTH_MAX + 1];
    size_t used = strlen(line), len = strlen(name), from = len > WIDTH_MAX ? len - WIDTH_MAX : 0;
    if (used + 2 + NAME_LEAST > width) return;
    size_t room = width - used - 2;
    text_escape(plain, sizeof plain, (const uint8_t *)name + from, len - from);
    len = strlen(plain);
    if (len <= room && from == 0) snprintf(line + used, width + 1 - used, "  %s", plain);
    else snprintf(line + used, width + 1 - used, "  ...%s", plain + (len > room - 3 ? len - (room - 3) : 0));
}

static void add(char *line, size_t width, const char *text, const char *unit) {
    size_t used = strlen(line);
    snprintf(line + used, width + 1 - used, "  %s%s", text, unit);
}

/* A narrow terminal gets less. */
static void make_line(const progress *p, const progress_state *s, char line[WIDTH_MAX + 1], size_t width) {
    char amount[AMOUNT_TEXT];
    double percent = s->total ? 100 * (double)s->done / (double)s->total : 100;
    int moves = p->rate >= 1, more = s->total > s->done;
    if (s->comparing) {
        snprintf(line, width + 1, "comparing");
    } else {
        snprintf(line, width + 1, "%3.0f%%", percent > 100 ? 100 : percent);
        if (width >= 60) add(line, width, amount_bytes(amount, (double)s->done), "");
        if (width >= 50 && moves) add(line, width, amount_bytes(amount, p->rate), "/s");
        if (width >= 24 && moves && more)
            add(line, width, amount_time(amount, (double)(s->total - s->done) / p->rate), " left");
    }
    add_name(line, width, s->name);
}

int progress_is_due(const progress *p) { return p->on && svconn_now() >= p->next; }

void progress_show(progress *p, const progress_state *s) {
    char line[WIDTH_MAX + 1];
    uint64_t now = svconn_now();
    size_t width = line_width();
    if (!progress_is_due(p)) return;
    p->next = now + PROGRESS_MS;
    measure(p, now, s);
    make_line(p, s, line, width);
    fprintf(stderr, "\r%-*s", (int)width, line);
    fflush(stderr);
    p->shown = 1;
}

void progress_hide(progress *p) {
    if (p->shown) fprintf(stderr, "\r%*s\r", (int)line_width(), "");
    fflush(stderr);
    p->shown = 0;
}
