/* SPDX-License-Identifier: ISC */
#include "stage.h"

#include "cmd.h"
#include "svconn_transport.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_MAX (64u << 20)
#define NAP_MS 2

/* Ctrl-C ends the demo in order, so that the directory goes away. */
static volatile sig_atomic_t stopped;

static void on_signal(int number) {
    (void)number;
    stopped = 1;
}

static void nap(void) { poll(NULL, 0, NAP_MS); }

static int time_is_over(const stage *s) { return stopped || svconn_now() >= s->deadline; }

int stage_open(stage *s, unsigned long seconds) {
    const char *tmp = getenv("TMPDIR");
    struct sigaction action;
    memset(s, 0, sizeof *s);
    int n = snprintf(s->dir, sizeof s->dir, "%s/svconn-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof s->dir || !mkdtemp(s->dir)) {
        say("cannot make a temporary directory %s: %s; TMPDIR may name another place", s->dir, strerror(errno));
        s->dir[0] = 0;
        return EXIT_LOCAL;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    s->deadline = svconn_now() + 1000 * (uint64_t)seconds;
    return EXIT_DONE;
}

static void remove_directory(const char *dir) {
    char path[STAGE_PATH];
    DIR *d = opendir(dir);
    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int n = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (n > 0 && (size_t)n < sizeof path) unlink(path);
    }
    if (d) closedir(d);
    if (rmdir(dir) != 0) say("cannot remove %s: %s", dir, strerror(errno));
}

void stage_close(stage *s) {
    for (int i = 0; i < STAGE_PROCESSES; i++) {
        if (!s->pid[i]) continue;
        kill(s->pid[i], SIGKILL);
        while (waitpid(s->pid[i], NULL, 0) < 0 && errno == EINTR) {
        }
        s->pid[i] = 0;
    }
    if (s->dir[0]) remove_directory(s->dir);
    s->dir[0] = 0;
}

void stage_path(const stage *s, char out[STAGE_PATH], const char *name, const char *suffix) {
    snprintf(out, STAGE_PATH, "%s/%.40s%.10s", s->dir, name, suffix);
}

/* The new process: never returns. */
static void become(const stage *s, const char *name, int (*part)(void *arg), void *arg) {
    static const char *const suffixes[3] = {"", ".out", ".log"};
    char path[STAGE_PATH];
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
    int code = part(arg);
    fflush(NULL);
    _exit(code);
}

/* What an earlier process of this name said must not be taken for the new one's words. */
static void remove_old(const stage *s, const char *name) {
    char path[STAGE_PATH];
    stage_path(s, path, name, ".out");
    unlink(path);
    stage_path(s, path, name, ".log");
    unlink(path);
}

int stage_start(stage *s, const char *name, int (*part)(void *arg), void *arg) {
    int number = 0;
    while (number < STAGE_PROCESSES && s->pid[number]) number++;
    if (number == STAGE_PROCESSES) return -1;
    remove_old(s, name);
    fflush(NULL); /* or the child would print what waits in our buffers once more */
    pid_t pid = fork();
    if (pid == 0) become(s, name, part, arg);
    if (pid < 0) {
        say("cannot start a process: %s", strerror(errno));
        return -1;
    }
    s->pid[number] = pid;
    return number;
}

int stage_wait(stage *s, int number) {
    int status = 0;
    pid_t got = 0;
    if (number < 0) return -1;
    while ((got = waitpid(s->pid[number], &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (time_is_over(s)) return -1; /* stage_close ends it */
        nap();
    }
    s->pid[number] = 0;
    return got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int stage_await(const stage *s, const char *name, const char *text, char *rest, size_t rest_size) {
    for (; !time_is_over(s); nap()) {
        uint8_t *log = stage_read(s, name, ".log", NULL);
        char *at = log ? strstr((char *)log, text) : NULL;
        char *end = at ? strchr(at, '\n') : NULL;
        if (end) snprintf(rest, rest_size, "%.*s", (int)(end - at - (ptrdiff_t)strlen(text)), at + strlen(text));
        free(log);
        if (end) return 0;
    }
    return -1;
}

uint8_t *stage_read(const stage *s, const char *name, const char *suffix, size_t *len) {
    char path[STAGE_PATH];
    struct stat st;
    size_t used = 0;
    stage_path(s, path, name, suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    uint8_t *bytes = fstat(fd, &st) == 0 && st.st_size <= (off_t)READ_MAX ? malloc((size_t)st.st_size + 1) : NULL;
    while (bytes && used < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + used, (size_t)st.st_size - used);
        if (n <= 0) break;
        used += (size_t)n;
    }
    close(fd);
    if (bytes) bytes[used] = 0;
    if (len) *len = used;
    return bytes;
}
