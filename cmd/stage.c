/* SPDX-License-Identifier: ISC */
#include "stage.h"

#include "cmd.h"
#include "signals.h"
#include "stage_system.h"
#include "svconn_transport.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_MAX (64u << 20)
#define NAP_MS 2
#define REMOVE_NAP_MS 20

static void nap(int ms) { (void)svconn_poll(NULL, 0, ms); }

/* Ctrl-C ends the demo in order, so that the directory goes away. */
static int is_stopped(void) {
    static int stopped;
    while (signals_next() != 0) stopped = 1;
    return stopped;
}

static int time_is_over(const stage *s) { return is_stopped() || svconn_now() >= s->deadline; }

int stage_open(stage *s, unsigned long seconds) {
    memset(s, 0, sizeof *s);
    if (stage_make_directory(s->dir, sizeof s->dir) != 0) {
        say("cannot make a temporary directory %s: %s; %s may name another place", s->dir, strerror(errno),
            stage_tmp_name);
        s->dir[0] = 0;
        return EXIT_LOCAL;
    }
    (void)signals_catch(1);
    s->deadline = svconn_now() + 1000 * (uint64_t)seconds;
    return EXIT_DONE;
}

static int remove_directory(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) (void)unlinkat(fd, entry->d_name, 0);
    if (d) closedir(d);
    else if (fd >= 0) close(fd);
    return rmdir(dir);
}

void stage_close(stage *s) {
    for (int i = 0; i < STAGE_PROCESSES; i++) {
        if (s->process[i]) stage_process_kill(s->process[i]);
        s->process[i] = 0;
    }
    for (int i = 1; s->dir[0] && remove_directory(s->dir) != 0; i++) {
        if (i < stage_remove_tries) {
            nap(REMOVE_NAP_MS);
            continue;
        }
        say("cannot remove %s: %s", s->dir, strerror(errno));
        break;
    }
    s->dir[0] = 0;
}

void stage_path(const stage *s, char out[STAGE_PATH], const char *name, const char *suffix) {
    snprintf(out, STAGE_PATH, "%s/%.40s%.10s", s->dir, name, suffix);
}

/* What an earlier process of this name said must not be taken for the new one's words. */
static void remove_old(const stage *s, const char *name) {
    char path[STAGE_PATH];
    stage_path(s, path, name, ".out");
    unlink(path);
    stage_path(s, path, name, ".log");
    unlink(path);
}

int stage_start(stage *s, const char *name, const stage_part *parts, int part, const char *const *words) {
    int number = 0;
    while (number < STAGE_PROCESSES && s->process[number]) number++;
    if (number == STAGE_PROCESSES) return -1;
    remove_old(s, name);
    s->process[number] = stage_process_start(s, name, parts, part, words);
    if (s->process[number]) return number;
    say("cannot start a process: %s", strerror(errno));
    return -1;
}

int stage_wait(stage *s, int number) {
    int code;
    if (number < 0) return -1;
    while (!stage_process_has_ended(s->process[number], &code)) {
        if (time_is_over(s)) return -1; /* stage_close ends it */
        nap(NAP_MS);
    }
    s->process[number] = 0;
    return code;
}

int stage_await(const stage *s, const char *name, const char *text, char *rest, size_t rest_size) {
    for (; !time_is_over(s); nap(NAP_MS)) {
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
