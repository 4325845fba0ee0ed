/* SPDX-License-Identifier: ISC */
/* Comes before every file of the program on Windows (-include): the few names of POSIX that MinGW does not have. */
#ifndef SVCONN_CMD_WINDOWS_POSIX_H
#define SVCONN_CMD_WINDOWS_POSIX_H

#include "svconn_posix.h"
#include "svconn_transport.h"
#include <fcntl.h>
#include <io.h>

#define O_CLOEXEC _O_NOINHERIT
#define fsync _commit
#define read(fd, bytes, len) _read(fd, bytes, (unsigned)(len))
#define write(fd, bytes, len) _write(fd, bytes, (unsigned)(len))

#endif
