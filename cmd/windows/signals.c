/* SPDX-License-Identifier: ISC */
/* Ctrl-C, Ctrl-Break and the end of the console, or what the service manager wants, as bytes in a socket. They come in
 * another thread. */
#include "signals.h"

#include "cmd.h"
#include "loopback.h"
#include "manager.h"
#include "svconn_link.h"
#include "wide.h"

#include <string.h>
#include <windows.h>

#define REMOVE_MAX 64
#define LEAVE_MS 4000 /* the console's end is the program's, when this returns (or 5 s later) */

static int ends[2] = {-1, -1};
static int by_manager;

static volatile LONG urgent_code = -1;
static const char *last_words[2] = {"", ""};
static const char *remove_at_end[REMOVE_MAX]; /* filled before urgent_code is set */
static int n_remove;

static void write_to(DWORD handle, const char *text) {
    DWORD n;
    (void)!WriteFile(GetStdHandle(handle), text, (DWORD)strlen(text), &n, NULL); /* nobody listens */
}

/* -1; or the exit code with which the process is to end now. */
static int take(unsigned char byte) {
    LONG code = urgent_code;
    if (code >= 0) {
        write_to(STD_ERROR_HANDLE, last_words[0]);
        write_to(STD_OUTPUT_HANDLE, last_words[1]);
        for (int i = 0; i < n_remove; i++) (void)unlink(remove_at_end[i]);
    } else (void)!svconn_fd_write(ends[1], &byte, 1);
    return (int)code;
}

void signals_by_manager(void) { by_manager = 1; }

int signals_stop(void) { return ends[1] < 0 ? EXIT_DONE : take(SIGTERM); }

static BOOL WINAPI on_event(DWORD event) {
    if (by_manager) return TRUE;
    int code = take(event == CTRL_C_EVENT ? SIGINT : SIGTERM);
    if (code >= 0) ExitProcess((UINT)code);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(LEAVE_MS);
    return TRUE;
}

int signals_catch(int hangup) {
    (void)hangup;
    return loopback(ends) == 0 && SetConsoleCtrlHandler(on_event, TRUE) ? ends[0] : -1;
}

void signals_urgent(int exit_code) { urgent_code = exit_code; }

void signals_last_words(const char *err, const char *out) {
    last_words[0] = err;
    last_words[1] = out;
}

int signals_hangup_counts(void) { return 1; }

void signals_remove(const char *path) {
    if (n_remove < REMOVE_MAX) remove_at_end[n_remove++] = path;
}

int signals_next(void) {
    unsigned char byte;
    return ends[0] >= 0 && svconn_fd_read(ends[0], &byte, 1) == 1 ? byte : 0;
}
