/* SPDX-License-Identifier: ISC */
/* Included before anything else by the files of this directory: what they take from POSIX.1-2008 and, as extras of the
 * system where it has them, sockets' and generators' functions of Linux and BSD. So they compile with -std=c11. */
#ifndef SVCONN_POSIX_H
#define SVCONN_POSIX_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* accept4 */
#endif
#ifndef _DARWIN_C_SOURCE
#define _DARWIN_C_SOURCE 1
#endif

#endif
