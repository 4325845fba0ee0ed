/* SPDX-License-Identifier: ISC */
/* There is no fork: a process is this program once more, "svconn demo WORDS", with the number of its part in its
 * environment. That of the stage is its place in the table, from 1. */
#include "stage_system.h"

#include "acl.h"
#include "child.h"
#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE L"SVCONN_STAGE"
#define END_MS 5000

const char stage_tmp_name[] = "TMP";
const int stage_remove_tries = 50; /* a scanner of files may look at one of them just now */

static child processes[STAGE_PROCESSES];
static child ourselves;

/* ---- the directory ---- */

int stage_make_directory(char *dir, size_t size) {
    wchar_t tmp[MAX_PATH + 2], path[WIDE_PATH];
    char base[3 * MAX_PATH];
    uint64_t any;
    snprintf(dir, size, "svconn-demo");
    DWORD len = GetTempPathW(MAX_PATH + 2, tmp); /* with a backslash at its end */
    if (len == 0 || len > MAX_PATH + 1 || wide_to(base, sizeof base, tmp) != 0 || svconn_random((uint8_t *)&any, sizeof any) != 0) {
        errno = ENOENT;
        return -1;
    }
    int n = snprintf(dir, size, "%ssvconn-demo-%016llx", base, (unsigned long long)any);
    if (n < 0 || (size_t)n >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return wide_of(path, dir) == 0 ? acl_make_directory(path) : -1;
}

/* ---- processes ---- */

static void let_go(void) { child_ends_with_us(&ourselves, 0); }

/* From its first moment on a process is in the job that we are in, and ends with us: one that is not in a job of its own
 * yet would stay. (Windows 7 in a job of somebody else: there it could.) */
static void take_hold(void) {
    if (ourselves.job) return;
    ourselves.job = CreateJobObjectW(NULL, NULL);
    child_ends_with_us(&ourselves, 1);
    if (ourselves.job) (void)AssignProcessToJobObject(ourselves.job, GetCurrentProcess());
    (void)atexit(let_go); /* in order, with our own exit code */
}

/* In quotes, as temporary directories have blanks in their names. 0, or -1. */
static int make_line(wchar_t line[WIDE_PATH], const char *const *words) {
    char text[WIDE_PATH] = "svconn demo";
    size_t used = strlen(text);
    for (; *words; words++) {
        int n = snprintf(text + used, sizeof text - used, " \"%s\"", *words);
        if (n < 0 || (size_t)n >= sizeof text - used) {
            errno = ENAMETOOLONG;
            return -1;
        }
        used += (size_t)n;
    }
    return wide_of(line, text);
}

/* We read it while it is written. */
static HANDLE open_output(const stage *s, const char *name, const char *suffix) {
    char path[STAGE_PATH];
    stage_path(s, path, name, suffix);
    return acl_create(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL);
}

long stage_process_start(const stage *s, const char *name, const stage_part *parts, int part, const char *const *words) {
    wchar_t line[WIDE_PATH];
    long place = 0;
    (void)parts;
    while (place < STAGE_PROCESSES && processes[place].process) place++;
    if (place == STAGE_PROCESSES) errno = EAGAIN;
    if (place == STAGE_PROCESSES || make_line(line, words) != 0) return 0;
    take_hold();
    child_ends ends = {.in = child_nothing(), .out = open_output(s, name, ".out"), .err = open_output(s, name, ".log")};
    int good = ends.out != INVALID_HANDLE_VALUE && ends.err != INVALID_HANDLE_VALUE &&
               child_start_again(&processes[place], VARIABLE, part, line, ends) == 0;
    int why = errno;
    child_close(ends.in);
    child_close(ends.out);
    child_close(ends.err);
    errno = why;
    return good ? place + 1 : 0;
}

int stage_process_has_ended(long process, int *code) {
    child *c = &processes[process - 1];
    if (WaitForSingleObject(c->process, 0) == WAIT_TIMEOUT) return 0;
    *code = child_code(c);
    child_forget(c);
    return 1;
}

void stage_process_kill(long process) {
    child *c = &processes[process - 1];
    child_kill(c);
    (void)WaitForSingleObject(c->process, END_MS); /* until then its files cannot be removed */
    child_forget(c);
}

int stage_child(const stage_part *parts, int n, int argc, char **argv) {
    int part = child_number(VARIABLE, n);
    return part >= 0 && argc > 1 ? parts[part](argc - 1, argv + 1) : -1;
}
