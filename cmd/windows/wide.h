/* SPDX-License-Identifier: ISC */
/* Names in UTF-16, as Windows has them, and in UTF-8, as the program has them. 0, or -1 and errno. */
#ifndef SVCONN_CMD_WINDOWS_WIDE_H
#define SVCONN_CMD_WINDOWS_WIDE_H

#include <stddef.h>

#define WIDE_PATH 4400 /* more than the longest path of the program */

int wide_of(wchar_t out[WIDE_PATH], const char *text);
int wide_to(char *out, size_t size, const wchar_t *text);

/* errno by GetLastError; -1 */
int wide_failed(void);

/* The HANDLE of what is there; INVALID_HANDLE_VALUE: errno */
void *wide_open(const char *path, unsigned long access, unsigned long share, unsigned long flags);

#endif
