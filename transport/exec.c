/* SPDX-License-Identifier: ISC */
/*
 * exec: links. The child's standard input and output are two socket pairs and not pipes: so a child that died is an
 * error of send and no SIGPIPE, and still the end of its output is seen even if something goes on holding its input.
 *
 * It stays in our process group, so that it may ask for a password on the terminal (a background group would be stopped
 * for it) and so that an interrupt key reaches it too. Its signal mask is empty and SIGPIPE is at its default, whatever
 * we have.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 1000 /* for each step of the end */
#define NAP_MAX_MS 50

extern char **environ;

/* A pair of sockets with close-on-exec, both above 2: else dup2 onto 0 and 1 in the child could overwrite one. */
static int make_pair(int pair[2]) {
#ifdef SOCK_CLOEXEC
    int type = SOCK_STREAM | SOCK_CLOEXEC;
#else
    int type = SOCK_STREAM;
#endif
    if (socketpair(AF_UNIX, type, 0, pair) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        int fd = fcntl(pair[i], F_DUPFD_CLOEXEC, 3);
        close(pair[i]);
        pair[i] = fd;
    }
    if (pair[0] >= 0 && pair[1] >= 0) return 0;
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0) close(pair[i]);
    return -1;
}

/* posix_spawn with what the child needs; an error number. */
static int spawn(pid_t *pid, const char *command, int child_in, int child_out) {
    static char shell[] = "/bin/sh", flag[] = "-c";
    char *text = strdup(command);
    char *argv[] = {shell, flag, text, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, pipe_only;
    if (!text) return ENOMEM;
    sigemptyset(&none);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    int err = posix_spawn_file_actions_adddup2(&files, child_in, 0);
    if (!err) err = posix_spawn_file_actions_adddup2(&files, child_out, 1);
    if (!err) err = posix_spawnattr_setsigmask(&attr, &none);
    if (!err) err = posix_spawnattr_setsigdefault(&attr, &pipe_only);
    if (!err) err = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!err) err = posix_spawn(pid, shell, &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    free(text);
    return err;
}

int svconn_child_start(svconn_link *l, const svconn_address *a, svconn_why *why) {
    int to[2], from[2];
    pid_t pid;
    if (make_pair(to) != 0) return svconn_because(why, "cannot start \"%.150s\": %s", a->rest, strerror(errno));
    if (make_pair(from) != 0) {
        svconn_because(why, "cannot start \"%.150s\": %s", a->rest, strerror(errno));
        close(to[0]);
        close(to[1]);
        return -1;
    }
    int err = spawn(&pid, a->rest, to[1], from[1]);
    close(to[1]);
    close(from[1]);
    if (err) {
        close(to[0]);
        close(from[0]);
        return svconn_because(why, "cannot start \"%.150s\": %s", a->rest, strerror(err));
    }
    fcntl(to[0], F_SETFL, O_NONBLOCK);
    fcntl(from[0], F_SETFL, O_NONBLOCK);
    l->out = to[0];
    l->in = from[0];
    l->child = (long)pid;
    return 0;
}

/* 1: it is gone, or not ours to wait for. */
static int has_ended(pid_t pid, uint64_t end) {
    for (int nap = 1;; nap = nap < NAP_MAX_MS ? nap * 2 : NAP_MAX_MS) {
        pid_t got = waitpid(pid, NULL, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR)) return 1;
        if (svconn_now() >= end) return 0;
        svconn_nap(nap);
    }
}

void svconn_child_end(long child) {
    pid_t pid = (pid_t)child;
    if (child <= 0 || has_ended(pid, svconn_deadline(PATIENCE_MS))) return;
    kill(pid, SIGTERM);
    if (has_ended(pid, svconn_deadline(PATIENCE_MS))) return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
