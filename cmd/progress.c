/* SPDX-License-Identifier: ISC */
#include "progress.h"

#include "svconn_transport.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 79
#define NAME_WIDTH 32

void progress_begin(progress *p, int wanted) {
    *p = (progress){0};
    p->on = wanted && isatty(STDERR_FILENO);
}

void progress_restart(progress *p, uint64_t done) {
    p->last = svconn_now();
    p->last_done = done;
}

const char *amount_bytes(char out[AMOUNT_TEXT], double bytes) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    size_t i = 0;
    for (; bytes >= 999.5 && i < 4; i++) bytes /= 1000;
    snprintf(out, AMOUNT_TEXT, i == 0 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
    return out;
}

const char *amount_time(char out[AMOUNT_TEXT], double seconds) {
    unsigned long s = seconds < 360000 ? (unsigned long)(seconds + 0.5) : 360000;
    if (s < 60) snprintf(out, AMOUNT_TEXT, "%lu s", s);
    else if (s < 3600) snprintf(out, AMOUNT_TEXT, "%lu:%02lu", s / 60, s % 60);
    else snprintf(out, AMOUNT_TEXT, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    return out;
}

static void measure(progress *p, uint64_t now, uint64_t done) {
    double passed = (double)(now - p->last) / 1000, moved = done > p->last_done ? (double)(done - p->last_done) : 0;
    if (passed <= 0) return;
    double weight = p->rate > 0 ? 0.1 : 1;
    p->rate += weight * (moved / passed - p->rate);
    p->last = now;
    p->last_done = done;
}

void progress_show(progress *p, const char *name, uint64_t done, uint64_t total) {
    char line[4 * WIDTH], plain[4 * 64], have[AMOUNT_TEXT], rate[AMOUNT_TEXT], left[AMOUNT_TEXT] = "";
    uint64_t now = svconn_now();
    if (!p->on || now < p->next) return;
    p->next = now + PROGRESS_MS;
    measure(p, now, done);
    size_t len = strlen(name), from = len > NAME_WIDTH ? len - NAME_WIDTH : 0;
    text_escape(plain, sizeof plain, (const uint8_t *)name + from, len - from);
    if (p->rate >= 1 && total > done) amount_time(left, (double)(total - done) / p->rate);
    double percent = total ? 100 * (double)done / (double)total : 100;
    snprintf(line, sizeof line, "%3.0f%%  %s  %s/s  %s%s  %.*s", percent > 100 ? 100 : percent,
             amount_bytes(have, (double)done), amount_bytes(rate, p->rate), left, *left ? " left" : "", NAME_WIDTH,
             plain);
    fprintf(stderr, "\r%-*.*s", WIDTH, WIDTH, line);
    fflush(stderr);
    p->shown = 1;
}

void progress_hide(progress *p) {
    if (p->shown) fprintf(stderr, "\r%*s\r", WIDTH, "");
    fflush(stderr);
    p->shown = 0;
}
