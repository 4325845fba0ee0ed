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

/* Before Windows 8 a console is no handle of the system: those who inherit anything have it, and a list may not. */
static int may_be_listed(HANDLE h) { return h && ((ULONG_PTR)h & 3) == 0; }

/* Our own standard handles, and what our parent left open for us, are nothing for a program that a caller speaks with.
 * 0, or -1 and errno; the list is malloc'd, and has the array until its end. */
static int inherit_alone(STARTUPINFOEXW *how, HANDLE ends[3]) {
    const HANDLE all[3] = {how->StartupInfo.hStdInput, how->StartupInfo.hStdOutput, how->StartupInfo.hStdError};
    SIZE_T n = 0, size = 0;
    for (int i = 0; i < 3; i++)
        if (may_be_listed(all[i])) ends[n++] = all[i];
    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size); /* how large? */
    LPPROC_THREAD_ATTRIBUTE_LIST list = malloc(size);
    if (!list || !InitializeProcThreadAttributeList(list, 1, 0, &size)) {
        free(list);
        errno = ENOMEM;
        return -1;
    }
    how->lpAttributeList = list;
    if (n == 0 || UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, ends, n * sizeof ends[0], NULL, NULL)) return 0;
    return wide_failed();
}

static int create(PROCESS_INFORMATION *p, const wchar_t *program, wchar_t *line, DWORD flags, STARTUPINFOEXW *how) {
    HANDLE ends[3];
    const STARTUPINFOW *s = &how->StartupInfo;
    BOOL any = s->hStdInput || s->hStdOutput || s->hStdError;
    flags |= CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT;
    int bad = inherit_alone(how, ends);
    if (!bad && !CreateProcessW(program, line, NULL, NULL, any, flags, NULL, NULL, &how->StartupInfo, p)) bad = wide_failed();
    if (how->lpAttributeList) DeleteProcThreadAttributeList(how->lpAttributeList);
    free(how->lpAttributeList);
    return bad;
}

int child_start(child *c, const wchar_t *program, wchar_t *line, DWORD flags, child_ends ends) {
    PROCESS_INFORMATION p;
    STARTUPINFOEXW how = {.StartupInfo = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES}};
    how.StartupInfo.hStdInput = inherited(ends.in);
    how.StartupInfo.hStdOutput = inherited(ends.out);
    how.StartupInfo.hStdError = inherited(ends.err);
    int bad = create(&p, program, line, flags, &how), why = errno;
    close_it(&how.StartupInfo.hStdInput);
    close_it(&how.StartupInfo.hStdOutput);
    close_it(&how.StartupInfo.hStdError);
    errno = why;
    if (bad) return -1;
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
