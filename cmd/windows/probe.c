/* SPDX-License-Identifier: ISC */
/* There is no fork: the child is this program once more, with the same arguments, and the number of the check in its
 * environment. */
#include "probe.h"

#include "child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE L"SVCONN_PROBE"
#define TURN_MS 20 /* a pipe cannot be waited for */

static int start(child *c, int number, HANDLE err) {
    wchar_t *line = _wcsdup(GetCommandLineW());
    child_ends ends = {.in = GetStdHandle(STD_INPUT_HANDLE), .out = GetStdHandle(STD_OUTPUT_HANDLE), .err = err};
    int result = line ? child_start_again(c, VARIABLE, number, line, ends) : -1;
    free(line);
    return result;
}

/* What is there already */
static void take(HANDLE from, char *text, size_t *used) {
    char bytes[512];
    DWORD n;
    while (PeekNamedPipe(from, NULL, 0, NULL, &n, NULL) && n > 0 && ReadFile(from, bytes, sizeof bytes, &n, NULL)) {
        for (DWORD i = 0; i < n && *used < PROBE_TEXT - 1; i++)
            if (bytes[i] != '\r') text[(*used)++] = bytes[i];
        text[*used] = 0;
    }
}

/* To the end of the child: what it started may live on, and have the pipe. 1: it has ended. */
static int listen_to(const child *c, HANDLE from, char *text, int patience_ms) {
    uint64_t until = svconn_now() + (uint64_t)patience_ms;
    size_t used = 0;
    DWORD got;
    do {
        got = WaitForSingleObject(c->process, TURN_MS);
        take(from, text, &used);
    } while (got == WAIT_TIMEOUT && svconn_now() < until);
    return got == WAIT_OBJECT_0;
}

int probe_run(const probe_check *checks, int number, void *arg, int patience_ms, char text[PROBE_TEXT]) {
    HANDLE from, to;
    child c = {NULL, NULL};
    (void)checks;
    (void)arg;
    text[0] = 0;
    if (!CreatePipe(&from, &to, NULL, 0)) return PROBE_LOST;
    int started = start(&c, number, to) == 0;
    if (!started) snprintf(text, PROBE_TEXT, "svconn cannot be started once more: %s", strerror(errno));
    (void)CloseHandle(to);
    int ended = started && listen_to(&c, from, text, patience_ms);
    (void)CloseHandle(from);
    probe_tidy(text);
    int code = ended ? child_code(&c) : -1;
    if (ended) child_ends_with_us(&c, 0); /* such as the agent of a key command */
    else if (started) child_kill(&c);
    child_forget(&c);
    if (started && !ended) return PROBE_LATE;
    return code >= 0 ? code : PROBE_LOST;
}

int probe_child(const probe_check *checks, int n, void *arg) {
    int number = child_number(VARIABLE, n);
    return number >= 0 ? checks[number](arg) : -1;
}
