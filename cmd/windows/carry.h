/* SPDX-License-Identifier: ISC */
/* A thread that carries bytes between a handle, which cannot be polled, and a socket. */
#ifndef SVCONN_CMD_WINDOWS_CARRY_H
#define SVCONN_CMD_WINDOWS_CARRY_H

#include "svconn_transport.h"
#include <windows.h> /* behind winsock2.h */

typedef enum { CARRY_IN, CARRY_OUT } carry_way; /* from the handle, or to it */

typedef struct carry carry;

/* *here: the program's socket. CARRY_OUT closes the handle behind the last byte. NULL: errno. */
carry *carry_start(HANDLE file, carry_way way, int *here);
/* One thread for each direction between two pipes and this socket of the threads', which they close in the end, and the
 * pipes. 0; or -1: errno, and nothing is closed. */
int carry_both(HANDLE in, HANDLE out, int there);
/* 1: it has ended; 0: not in time */
int carry_wait(carry *c, DWORD ms);
int carry_error(const carry *c); /* after its end: errno of the handle, 0 */
/* Nobody will ask any more. */
void carry_forget(carry *c);

#endif
