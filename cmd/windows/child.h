/* SPDX-License-Identifier: ISC */
/* Processes that this one starts. A job holds each with all that it starts. */
#ifndef SVCONN_CMD_WINDOWS_CHILD_H
#define SVCONN_CMD_WINDOWS_CHILD_H

#include "svconn_transport.h"
#include <windows.h> /* behind winsock2.h */

typedef struct {
    HANDLE process, job; /* no job: on Windows 7, if we are in one */
} child;

/* Its standard input, output and error; it gets copies, and no other handle */
typedef struct {
    HANDLE in, out, err;
} child_ends;

/* 0; or -1: errno. line: the arguments, from the name of the program on; flags: of CreateProcess */
int child_start(child *c, const wchar_t *program, wchar_t *line, DWORD flags, child_ends ends);
/* This program once more, with a number in its environment, which nothing that it starts has; it ends with us. */
int child_start_again(child *c, const wchar_t *variable, int number, wchar_t *line, child_ends ends);
/* There: the number, below n; -1: there is none */
int child_number(const wchar_t *variable, int n);
/* A command of cmd.exe */
int child_start_shell(child *c, const char *command, DWORD flags, child_ends ends);
/* 1: when we end, in whatever way, it ends; 0: not any more */
void child_ends_with_us(child *c, int yes);
void child_kill(child *c);
/* After its end: its exit code; -1: it did not end by itself */
int child_code(const child *c);
void child_forget(child *c);

HANDLE child_nothing(void); /* NUL, for its standard handles */
void child_close(HANDLE h); /* if there is one */

#endif
