/* SPDX-License-Identifier: ISC */
/* Included before anything else by the files of this directory: what they take from POSIX.1-2008 and, as extras of the
 * system where it has them, sockets' and generators' functions of Linux and BSD. So they compile with -std=c11. */
#ifndef SVCONN_POSIX_H
#define SVCONN_POSIX_H

#ifdef _WIN32 /* Windows 7 and newer. What it has in place of POSIX is in windows/. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef _CRT_SECURE_NO_WARNINGS /* MSVC warns of strerror and its like; sizes are looked after here */
#define _CRT_SECURE_NO_WARNINGS
#endif
#ifndef __USE_MINGW_ANSI_STDIO /* %zu, and the end of a text that was cut, as C11 has them */
#define __USE_MINGW_ANSI_STDIO 1
#endif
#include <string.h> /* first: that of MinGW has a strncasecmp of its own, which calls _strnicmp */
#define strncasecmp _strnicmp
#endif

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
