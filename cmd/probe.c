/* SPDX-License-Identifier: ISC */
#include "probe.h"

#include "svconn_transport.h"
#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "svconn: " /* of say */

/* Collects until the other end is closed. 0, or -1: time was over. */
static int collect(int fd, char *text, size_t size, uint64_t until) {
    char scrap[256];
    size_t used = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int there = poll(&p, 1, ms_until(until));
        if (there < 0 && errno == EINTR) continue;
        if (there <= 0) return -1;
        int full = used == size - 1;
        ssize_t n = read(fd, full ? scrap : text + used, full ? sizeof scrap : size - 1 - used);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        if (!full) used += (size_t)n;
        text[used] = 0;
    }
}

/* Lines become one, without the prefix of say and without runs of blanks. */
static void tidy(char *text) {
    size_t prefix = strlen(PREFIX);
    char *to = text;
    int fresh = 1; /* at the start of a line */
    for (const char *from = text; *from;) {
        if (fresh && strncmp(from, PREFIX, prefix) == 0) from += prefix;
        fresh = *from == '\n';
        int blank = *from == ' ' || fresh;
        if (*from && !(blank && (to == text || to[-1] == ' '))) *to++ = blank ? ' ' : *from;
        if (*from) from++;
    }
    while (to > text && to[-1] == ' ') to--;
    *to = 0;
}

int probe_run(int (*check)(void *arg), void *arg, int patience_ms, char text[PROBE_TEXT]) {
    int ends[2], status = 0;
    text[0] = 0;
    if (pipe(ends) != 0) return PROBE_LOST;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        _exit(check(arg));
    }
    close(ends[1]);
    int late = child > 0 && collect(ends[0], text, PROBE_TEXT, svconn_now() + (uint64_t)patience_ms) != 0;
    close(ends[0]);
    tidy(text);
    if (child < 0) return PROBE_LOST;
    if (late) kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (late) return PROBE_LATE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : PROBE_LOST;
}
