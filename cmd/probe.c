/* SPDX-License-Identifier: ISC */
#include "probe.h"

#include "svconn_transport.h"
#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Who ends us ends the child, too: it may hold a device, or somebody's attention. */
static volatile pid_t probed;

static void end_both(int signal_number) {
    kill(probed, SIGKILL);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP};
enum { DEADLY = sizeof deadly / sizeof deadly[0] };

/* Forks with these signals held back, so that none comes between the child and the handlers. */
static pid_t fork_guarded(struct sigaction before[DEADLY], sigset_t *mask) {
    struct sigaction guard = {.sa_handler = end_both};
    sigset_t held;
    sigemptyset(&held);
    for (int i = 0; i < DEADLY; i++) sigaddset(&held, deadly[i]);
    sigprocmask(SIG_BLOCK, &held, mask);
    pid_t child = fork();
    probed = child;
    for (int i = 0; child > 0 && i < DEADLY; i++) {
        sigaction(deadly[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) sigaction(deadly[i], &guard, NULL);
    }
    if (child <= 0) sigprocmask(SIG_SETMASK, mask, NULL);
    return child;
}

int probe_run(const probe_check *checks, int number, void *arg, int patience_ms, char text[PROBE_TEXT]) {
    int ends[2], status = 0;
    struct sigaction before[DEADLY];
    sigset_t mask;
    text[0] = 0;
    if (pipe(ends) != 0) return PROBE_LOST;
    pid_t child = fork_guarded(before, &mask);
    if (child == 0) {
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        _exit(checks[number](arg));
    }
    close(ends[1]);
    if (child > 0) sigprocmask(SIG_SETMASK, &mask, NULL);
    int late = child > 0 && collect(ends[0], text, PROBE_TEXT, svconn_now() + (uint64_t)patience_ms) != 0;
    close(ends[0]);
    probe_tidy(text);
    if (child < 0) return PROBE_LOST;
    if (late) kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    for (int i = 0; i < DEADLY; i++) sigaction(deadly[i], &before[i], NULL);
    if (late) return PROBE_LATE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : PROBE_LOST;
}

int probe_child(const probe_check *checks, int n, void *arg) {
    (void)checks;
    (void)n;
    (void)arg;
    return -1;
}
