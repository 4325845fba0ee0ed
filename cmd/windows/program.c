/* SPDX-License-Identifier: ISC */
/* The shell is cmd.exe. A job holds the program and all that it starts. */
#include "program.h"

#include "carry.h"
#include "loopback.h"
#include "svconn_link.h"
#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAMS 1100

typedef struct {
    HANDLE process, job;
} running;

static running programs[PROGRAMS]; /* the number is the place, from 1 */

static long free_place(void) {
    for (long i = 0; i < PROGRAMS; i++)
        if (!programs[i].process) return i + 1;
    errno = EAGAIN;
    return 0;
}

/* For a child alone; -1: errno */
static HANDLE inherited(HANDLE h) {
    HANDLE copy;
    HANDLE own = GetCurrentProcess();
    return h && h != INVALID_HANDLE_VALUE && DuplicateHandle(own, h, own, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS) ? copy : NULL;
}

static HANDLE open_nothing(void) {
    SECURITY_ATTRIBUTES a = {.nLength = sizeof a, .bInheritHandle = TRUE};
    return CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &a, OPEN_EXISTING, 0, NULL);
}

static void close_it(HANDLE h) {
    if (h && h != INVALID_HANDLE_VALUE) (void)CloseHandle(h);
}

/* What stands between the outer quotes is the command, as it is (/s) */
static wchar_t *command_line(const char *command) {
    size_t size = strlen(command) + 40;
    char *text = malloc(size);
    wchar_t *line = malloc(WIDE_PATH * sizeof *line);
    if (text) snprintf(text, size, "cmd.exe /d /s /c \"%s\"", command);
    int bad = !text || !line || wide_of(line, text) != 0;
    free(text);
    if (!bad) return line;
    free(line);
    return NULL;
}

/* By its whole path: a name alone is looked for in the current directory, too, where files of others may have been
 * received. */
static int find_shell(wchar_t shell[MAX_PATH + 10]) {
    UINT n = GetSystemDirectoryW(shell, MAX_PATH);
    if (n == 0 || n >= MAX_PATH) return -1;
    wcscpy(shell + n, L"\\cmd.exe");
    return 0;
}

static int start(running *p, const char *command, HANDLE in, HANDLE out) {
    STARTUPINFOW how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = in, .hStdOutput = out};
    PROCESS_INFORMATION child;
    wchar_t shell[MAX_PATH + 10], *line = command_line(command);
    how.hStdError = inherited(GetStdHandle(STD_ERROR_HANDLE));
    BOOL ok = line && find_shell(shell) == 0 &&
              CreateProcessW(shell, line, NULL, NULL, TRUE, CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP, NULL, NULL, &how, &child);
    if (!ok) (void)wide_failed();
    int why = errno;
    close_it(how.hStdError);
    free(line);
    errno = why;
    if (!ok) return -1;
    p->process = child.hProcess;
    p->job = CreateJobObjectW(NULL, NULL);
    if (p->job && !AssignProcessToJobObject(p->job, child.hProcess)) { /* in a job already, on Windows 7 */
        close_it(p->job);
        p->job = NULL;
    }
    (void)ResumeThread(child.hThread);
    (void)CloseHandle(child.hThread);
    return 0;
}

/* Sockets are no good as the input and output of most programs there, so it has pipes, and threads carry. */
static int start_with_end(running *p, const char *command, int *end) {
    HANDLE in = NULL, in_far = NULL, out = NULL, out_far = NULL;
    int pair[2] = {-1, -1}, ok = 0;
    if (CreatePipe(&in, &in_far, NULL, 0) && CreatePipe(&out_far, &out, NULL, 0) && loopback(pair) == 0) {
        HANDLE child_in = inherited(in), child_out = inherited(out);
        ok = child_in && child_out && start(p, command, child_in, child_out) == 0;
        close_it(child_in);
        close_it(child_out);
    }
    close_it(in);
    close_it(out);
    if (ok && carry_both(out_far, in_far, pair[1]) == 0) {
        *end = pair[0];
        return 0;
    }
    int why = errno;
    if (ok) (void)TerminateProcess(p->process, 1);
    close_it(in_far);
    close_it(out_far);
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0) svconn_fd_close(pair[i]);
    errno = why;
    return -1;
}

static int start_without(running *p, const char *command) {
    HANDLE nothing = open_nothing(), out = inherited(GetStdHandle(STD_ERROR_HANDLE));
    int code = start(p, command, nothing, out ? out : nothing);
    close_it(nothing);
    close_it(out);
    return code;
}

static void forget(running *p) {
    close_it(p->process);
    close_it(p->job);
    p->process = p->job = NULL;
}

long program_start(const char *command, const visitor *v, int *end) {
    long number = free_place();
    if (!number) return 0;
    running *p = &programs[number - 1];
    v->describe(v);
    if ((end ? start_with_end(p, command, end) : start_without(p, command)) == 0) return number;
    int why = errno;
    forget(p);
    errno = why;
    return 0;
}

int program_has_ended(long program, int *good) {
    DWORD code = 1;
    running *p = &programs[program - 1];
    if (p->process && WaitForSingleObject(p->process, 0) == WAIT_TIMEOUT) return 0;
    if (good) *good = p->process && GetExitCodeProcess(p->process, &code) && code == 0;
    forget(p);
    return 1;
}

/* There is no such signal */
void program_hang_up(long program) { program_kill(program); }

void program_kill(long program) {
    running *p = &programs[program - 1];
    if (!p->job || !TerminateJobObject(p->job, 1)) (void)TerminateProcess(p->process, 1);
}
