/* SPDX-License-Identifier: ISC */
#include "child.h"

#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void child_close(HANDLE h) {
    if (h && h != INVALID_HANDLE_VALUE) (void)CloseHandle(h);
}

static void close_it(HANDLE *h) {
    child_close(*h);
    *h = NULL;
}

HANDLE child_nothing(void) {
    return CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

/* For a child alone */
static HANDLE inherited(HANDLE h) {
    HANDLE copy;
    HANDLE own = GetCurrentProcess();
    return h && h != INVALID_HANDLE_VALUE && DuplicateHandle(own, h, own, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS) ? copy : NULL;
}

int child_start(child *c, const wchar_t *program, wchar_t *line, DWORD flags, child_ends ends) {
    PROCESS_INFORMATION p;
    STARTUPINFOW how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES};
    how.hStdInput = inherited(ends.in);
    how.hStdOutput = inherited(ends.out);
    how.hStdError = inherited(ends.err);
    BOOL ok = CreateProcessW(program, line, NULL, NULL, TRUE, CREATE_SUSPENDED | flags, NULL, NULL, &how, &p);
    if (!ok) (void)wide_failed();
    int why = errno;
    close_it(&how.hStdInput);
    close_it(&how.hStdOutput);
    close_it(&how.hStdError);
    errno = why;
    if (!ok) return -1;
    c->process = p.hProcess;
    c->job = CreateJobObjectW(NULL, NULL);
    if (c->job && !AssignProcessToJobObject(c->job, p.hProcess)) close_it(&c->job);
    (void)ResumeThread(p.hThread);
    (void)CloseHandle(p.hThread);
    return 0;
}

/* ---- this program once more ---- */

int child_start_again(child *c, const wchar_t *variable, int number, wchar_t *line, child_ends ends) {
    wchar_t program[WIDE_PATH], digit[2] = {(wchar_t)(L'0' + number), 0};
    DWORD n = GetModuleFileNameW(NULL, program, WIDE_PATH);
    int good = n > 0 && n < WIDE_PATH && SetEnvironmentVariableW(variable, digit) && child_start(c, program, line, 0, ends) == 0;
    (void)SetEnvironmentVariableW(variable, NULL);
    if (good) child_ends_with_us(c, 1);
    return good ? 0 : -1;
}

int child_number(const wchar_t *variable, int n) {
    wchar_t digit[4];
    DWORD len = GetEnvironmentVariableW(variable, digit, 4);
    (void)SetEnvironmentVariableW(variable, NULL);
    int number = len == 1 ? digit[0] - L'0' : -1;
    return number >= 0 && number < n ? number : -1;
}

/* ---- the shell ---- */

/* What stands between the outer quotes is the command, as it is (/s), whatever quotes it begins or ends with */
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
    if (n == 0 || n >= MAX_PATH) return wide_failed();
    wcscpy(shell + n, L"\\cmd.exe");
    return 0;
}

int child_start_shell(child *c, const char *command, DWORD flags, child_ends ends) {
    wchar_t shell[MAX_PATH + 10], *line = command_line(command);
    int result = line && find_shell(shell) == 0 ? child_start(c, shell, line, flags, ends) : -1;
    free(line);
    return result;
}

/* ---- its end ---- */

void child_ends_with_us(child *c, int yes) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;
    memset(&limit, 0, sizeof limit);
    limit.BasicLimitInformation.LimitFlags = yes ? JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE : 0;
    if (c->job) (void)SetInformationJobObject(c->job, JobObjectExtendedLimitInformation, &limit, sizeof limit);
}

void child_kill(child *c) {
    if (!c->job || !TerminateJobObject(c->job, 1)) (void)TerminateProcess(c->process, 1);
}

/* The codes of faults, and of Ctrl-C, are above those of programs. */
int child_code(const child *c) {
    DWORD code;
    return GetExitCodeProcess(c->process, &code) && code <= 255 ? (int)code : -1;
}

void child_forget(child *c) {
    close_it(&c->process);
    close_it(&c->job);
}
