/* SPDX-License-Identifier: ISC */
/* The few values that "svconn sessions" needs of a JSON line of ours (control.h). */
#ifndef SVCONN_CMD_SESSIONS_H
#define SVCONN_CMD_SESSIONS_H

#include <stddef.h>

/* The value of a member of a flat object: a string without its escapes, or a number, true, false or null as it stands.
 * What does not fit is cut. 1, or 0: there is none, or the line is not such an object; then out is "". */
int session_field(const char *line, const char *name, char *out, size_t size);

#endif
