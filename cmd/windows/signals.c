/* SPDX-License-Identifier: ISC */
/* Ctrl-C, Ctrl-Break and the end of the console, as bytes in a socket. */
#include "signals.h"

#include "loopback.h"
#include "svconn_link.h"

#include <signal.h>
#include <windows.h>

#define LEAVE_MS 4000 /* the console's end is the program's, when this returns (or 5 s later) */

static int ends[2] = {-1, -1};

static BOOL WINAPI on_event(DWORD event) {
    unsigned char byte = event == CTRL_C_EVENT ? SIGINT : SIGTERM;
    (void)!svconn_fd_write(ends[1], &byte, 1);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(LEAVE_MS);
    return TRUE;
}

int signals_catch(int hangup) {
    (void)hangup;
    return loopback(ends) == 0 && SetConsoleCtrlHandler(on_event, TRUE) ? ends[0] : -1;
}

int signals_next(void) {
    unsigned char byte;
    return svconn_fd_read(ends[0], &byte, 1) == 1 ? byte : 0;
}
