/* SPDX-License-Identifier: ISC */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define REMOVE_MAX 64

static int signal_pipe[2] = {-1, -1};

static volatile sig_atomic_t urgent_code = -1;
static const char *last_words[2] = {"", ""};
static const char *remove_at_end[REMOVE_MAX]; /* filled before urgent_code is set */
static int n_remove;

static void on_signal(int number) {
    if (urgent_code >= 0) {
        ssize_t said = write(STDERR_FILENO, last_words[0], strlen(last_words[0]));
        said = write(STDOUT_FILENO, last_words[1], strlen(last_words[1]));
        (void)said; /* nobody listens */
        for (int i = 0; i < n_remove; i++) unlink(remove_at_end[i]);
        _exit(urgent_code);
    }
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    if (write(signal_pipe[1], &byte, 1) < 0) { /* full: poll wakes up anyway */
    }
    errno = saved;
}

int signals_catch(int hangup) {
    struct sigaction action;
    if (pipe(signal_pipe) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigfillset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (hangup) sigaction(SIGHUP, &action, NULL);
    return signal_pipe[0];
}

void signals_urgent(int exit_code) { urgent_code = exit_code; }

void signals_last_words(const char *err, const char *out) {
    last_words[0] = err;
    last_words[1] = out;
}

int signals_hangup_counts(void) {
    struct sigaction hangup;
    return sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN;
}

void signals_remove(const char *path) {
    if (n_remove < REMOVE_MAX) remove_at_end[n_remove++] = path;
}

int signals_next(void) {
    unsigned char byte;
    return read(signal_pipe[0], &byte, 1) == 1 ? byte : 0;
}
