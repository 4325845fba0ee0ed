/* SPDX-License-Identifier: ISC */
/* Standard input, standard output and files in a poll loop beside sockets. On Windows nothing but sockets can be
 * polled: there a thread carries the bytes between them and a socket (windows/stream.c). */
#ifndef SVCONN_CMD_STREAM_H
#define SVCONN_CMD_STREAM_H

#include <stddef.h>
#include <sys/types.h>

/* Standard input or a file, standard output: what can be polled in its place; -1: errno */
int stream_in(int fd);
int stream_out(int fd);
ssize_t stream_read(int fd, void *bytes, size_t len);
ssize_t stream_write(int fd, const void *bytes, size_t len);
/* Until what was written is out; -1: it is not all out */
int stream_finish(int out);
/* The same without waiting, and it is closed: 1: done; 0: ask again when it can be read; -1: it is not all out, errno
 */
int stream_end(int out);
/* Nothing more is written, and nobody waits for what was */
void stream_leave(int out);

int stream_is_socket(int fd);
int stream_is_quick(int fd); /* writing never blocks */
/* Whoever is at the other end of this socket shall see that it was broken off, when it is closed. */
void stream_reset(int fd);

#endif
