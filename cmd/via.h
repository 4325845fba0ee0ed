/* SPDX-License-Identifier: ISC */
/* The proxies of --via and the password of --via-password as the one list that the library takes. */
#ifndef SVCONN_CMD_VIA_H
#define SVCONN_CMD_VIA_H

#define VIA_MAX 2048

/* list holds USER@ where a password is wanted, and never a password: others can see the command line. It holds the
 * password afterwards: wipe it. Returns 0, or an exit code after it said why. file may be NULL. */
int via_read(char out[VIA_MAX], const char *list, const char *file, const char *command);

#endif
