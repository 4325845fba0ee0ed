/* SPDX-License-Identifier: ISC */
/* The terminal of the person who started the program. Not standard input: that may be data. */
#ifndef SVCONN_CMD_TERMINAL_H
#define SVCONN_CMD_TERMINAL_H

#include "text.h"

#include <sys/types.h>

/* What can be polled for what is typed, and is never blocked by reading. -1: there is none, and errno. */
int terminal_open(void);
/* To be asked with terminal_line, which waits. */
int terminal_open_waiting(void);
void terminal_close(int fd);
/* This process has none any more, so a question is answered with no. */
void terminal_leave(void);

/* What was typed before is no answer. */
void terminal_flush(int fd);
void terminal_tell(int fd, const char *format, ...) PRINTF_LIKE(2, 3);
/* As read(2). */
ssize_t terminal_read(int fd, char *bytes, size_t len);
/* Waits for a line; it comes without its end. "" also if there was none. */
void terminal_line(int fd, char *line, size_t size);

/* Is it a terminal that takes the sequences for colours? */
int terminal_colours(int fd);
/* How wide a terminal at this descriptor is; 0: it does not tell. */
int terminal_columns(int fd);

#endif
