/* SPDX-License-Identifier: ISC */
/* There is no mode: a file has an owner, and a list of who may do what with it. */
#ifndef SVCONN_CMD_WINDOWS_ACL_H
#define SVCONN_CMD_WINDOWS_ACL_H

#include "svconn_transport.h"
#include <windows.h> /* behind winsock2.h */

/* For the user, the system and the administrators, who can take every file anyway, and not what the directory would
 * add. NULL: the system does not say who we are. To be given back by LocalFree. */
PSECURITY_DESCRIPTOR acl_for_us_alone(void);

/* A file, with that list if it is made now. INVALID_HANDLE_VALUE: errno. */
HANDLE acl_create(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags);

#define ACL_CHANGE (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)
#define ACL_READ (FILE_READ_DATA | GENERIC_READ)

/* May none but these do that? 1: none; 0: others too; -1: the system does not say. */
int acl_is_ours_alone(HANDLE h, DWORD what);

#endif
