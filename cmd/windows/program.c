/* SPDX-License-Identifier: ISC */
#include "program.h"

#include "carry.h"
#include "child.h"
#include "loopback.h"
#include "svconn_link.h"
#include "wide.h"

#include <errno.h>

#define PROGRAMS 1100

static child programs[PROGRAMS]; /* the number is the place, from 1 */

static long free_place(void) {
    for (long i = 0; i < PROGRAMS; i++)
        if (!programs[i].process) return i + 1;
    errno = EAGAIN;
    return 0;
}

static int start(child *p, const char *command, HANDLE in, HANDLE out) {
    child_ends ends = {.in = in, .out = out, .err = GetStdHandle(STD_ERROR_HANDLE)};
    return child_start_shell(p, command, CREATE_NEW_PROCESS_GROUP, ends);
}

/* Sockets are no good as the input and output of most programs there, so it has pipes, and threads carry. */
static int start_with_end(child *p, const char *command, int *end) {
    HANDLE in = NULL, in_far = NULL, out = NULL, out_far = NULL;
    int pair[2] = {-1, -1}, ok = 0;
    if (!CreatePipe(&in, &in_far, NULL, 0) || !CreatePipe(&out_far, &out, NULL, 0)) (void)wide_failed();
    else if (loopback(pair) == 0) ok = start(p, command, in, out) == 0;
    child_close(in);
    child_close(out);
    if (ok && carry_both(out_far, in_far, pair[1]) == 0) {
        *end = pair[0];
        return 0;
    }
    int why = errno;
    if (ok) child_kill(p);
    child_close(in_far);
    child_close(out_far);
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0) svconn_fd_close(pair[i]);
    errno = why;
    return -1;
}

static int start_without(child *p, const char *command) {
    HANDLE nothing = child_nothing(), out = GetStdHandle(STD_ERROR_HANDLE);
    int code = start(p, command, nothing, out && out != INVALID_HANDLE_VALUE ? out : nothing);
    int why = errno;
    child_close(nothing);
    errno = why;
    return code;
}

long program_start(const char *command, const visitor *v, int *end) {
    long number = free_place();
    if (!number) return 0;
    child *p = &programs[number - 1];
    v->describe(v);
    if ((end ? start_with_end(p, command, end) : start_without(p, command)) == 0) return number;
    int why = errno;
    child_forget(p);
    errno = why;
    return 0;
}

int program_has_ended(long program, int *good) {
    DWORD code = 1;
    child *p = &programs[program - 1];
    if (p->process && WaitForSingleObject(p->process, 0) == WAIT_TIMEOUT) return 0;
    if (good) *good = p->process && GetExitCodeProcess(p->process, &code) && code == 0;
    child_forget(p);
    return 1;
}

/* There is no such signal */
void program_hang_up(long program) { program_kill(program); }

void program_kill(long program) { child_kill(&programs[program - 1]); }
