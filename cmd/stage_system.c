/* SPDX-License-Identifier: ISC */
/* A process is its number. */
#include "stage_system.h"

#include "cmd.h"
#include "svconn_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 20

const char stage_tmp_name[] = "TMPDIR";
const int stage_remove_tries = 1;

int stage_make_directory(char *dir, size_t size) {
    const char *tmp = getenv(stage_tmp_name);
    int n = snprintf(dir, size, "%s/svconn-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return n < 0 || (size_t)n >= size || !mkdtemp(dir) ? -1 : 0;
}

/* The new process: never returns. */
static void become(const stage *s, const char *name, stage_part part, const char *const *words) {
    static const char *const suffixes[3] = {"", ".out", ".log"};
    char path[STAGE_PATH], *argv[WORDS] = {NULL};
    int argc = 0;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    for (int i = 0; i < 3; i++) {
        stage_path(s, path, name, suffixes[i]);
        int fd = i == 0 ? open("/dev/null", O_RDONLY) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        if (fd < 0 || dup2(fd, i) != i) _exit(EXIT_LOCAL);
        if (fd != i) close(fd);
    }
    /* should the demo be killed, nothing of it stays behind for long */
    uint64_t now = svconn_now();
    alarm(now < s->deadline ? (unsigned)((s->deadline - now) / 1000) + 2 : 1);
    for (; words[argc] && argc < WORDS - 1; argc++) argv[argc] = strdup(words[argc]);
    int code = part(argc, argv);
    fflush(NULL);
    _exit(code);
}

long stage_process_start(const stage *s, const char *name, const stage_part *parts, int part, const char *const *words) {
    fflush(NULL); /* or the child would print what waits in our buffers once more */
    pid_t pid = fork();
    if (pid == 0) become(s, name, parts[part], words);
    return pid < 0 ? 0 : (long)pid;
}

int stage_process_has_ended(long process, int *code) {
    int status = 0;
    pid_t got = waitpid((pid_t)process, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return 0;
    *code = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return 1;
}

void stage_process_kill(long process) {
    kill((pid_t)process, SIGKILL);
    while (waitpid((pid_t)process, NULL, 0) < 0 && errno == EINTR) {
    }
}

int stage_child(const stage_part *parts, int n, int argc, char **argv) {
    (void)parts;
    (void)n;
    (void)argc;
    (void)argv;
    return -1;
}
