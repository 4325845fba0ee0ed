/* SPDX-License-Identifier: ISC */
/* Standard input, standard output and files in a poll loop beside sockets. On Windows nothing but sockets can be polled: there a thread carries
 * the bytes between them and a socket (windows/stream.c). */
#ifndef SVCONN_CMD_STREAM_H
#define SVCONN_CMD_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#ifdef _WIN32
int stream_in(int fd); /* what can be polled in place of fd; -1: errno */
int stream_out(int fd);
ssize_t stream_read(int fd, void *bytes, size_t len);
ssize_t stream_write(int fd, const void *bytes, size_t len);
int stream_finish(int out); /* until what was written is out; -1: it is not all out */
#else
#include <unistd.h>
static inline int stream_in(int fd) { return fd; }
static inline int stream_out(int fd) { return fd; }
static inline ssize_t stream_read(int fd, void *bytes, size_t len) { return read(fd, bytes, len); }
static inline ssize_t stream_write(int fd, const void *bytes, size_t len) { return write(fd, bytes, len); }
static inline int stream_finish(int out) { return (void)out, 0; }
#endif

#endif
