/* SPDX-License-Identifier: ISC */
/* How a control socket is made and reached by the means of the system (control.h): a UNIX socket of mode 600.
 * (windows/control_socket.c is the same for Windows.) */
#ifndef SVCONN_CMD_CONTROL_SOCKET_H
#define SVCONN_CMD_CONTROL_SOCKET_H

#include "fdset.h"

typedef struct control_socket control_socket;

/* One that nobody listens on any more is replaced. NULL: errno. */
control_socket *control_socket_open(const char *path);
void control_socket_want(control_socket *s, fdset *set);
/* After control_socket_want and poll: the next caller, who is the user (or root): a descriptor that does not wait, or
 * -1: nobody now. */
int control_socket_take(control_socket *s, const fdset *set);
void control_socket_close(control_socket *s); /* removes it */

/* A connection on which the request comes first; -1: errno, and ECONNREFUSED if nobody listens there (yet). */
int control_socket_connect(const char *path, int patience_ms);
/* Removes one that was refused, if its process is dead. */
void control_socket_remove_dead(const char *path);

/* errno of these functions, in words */
const char *control_socket_error(int error);

#endif
