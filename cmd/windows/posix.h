/* SPDX-License-Identifier: ISC */
/*
 * Comes before every file of the program on Windows (-include): the names of POSIX that the C library there does not
 * have, or has with file names that are not UTF-8, or in text mode. The headers that declare its own come first, so the
 * macros do not touch them.
 */
#ifndef SVCONN_CMD_WINDOWS_POSIX_H
#define SVCONN_CMD_WINDOWS_POSIX_H

#include "svconn_posix.h"
#include "svconn_transport.h"
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#ifndef SIGHUP
#define SIGHUP 1 /* never comes */
#endif

#define O_CLOEXEC _O_NOINHERIT

/* posix.c: names of files are UTF-8, and what is in them is bytes */
int windows_open(const char *path, int flags, ...);
FILE *windows_fopen(const char *path, const char *mode);
int windows_access(const char *path, int mode);
int windows_unlink(const char *path);
ssize_t windows_read(int fd, void *bytes, size_t len);
ssize_t windows_write(int fd, const void *bytes, size_t len);
int windows_isatty(int fd); /* a console, and not NUL */
int windows_setenv(const char *name, const char *value, int replace);
#undef open
#undef fopen
#undef access
#undef unlink
#undef read
#undef write
#undef close
#undef isatty
#undef fsync
#define open windows_open
#define fopen windows_fopen
#define access windows_access
#define unlink windows_unlink
#define read windows_read
#define write windows_write
#define close _close
#define isatty windows_isatty
#define setenv windows_setenv
#define fsync _commit
#undef strdup
#define strdup _strdup
#undef fileno
#define fileno _fileno
#undef getpid
#define getpid _getpid

#endif
