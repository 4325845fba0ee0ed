/* SPDX-License-Identifier: ISC */
/* There is no mode: a file has an owner, and a list of who may do what with it. */
#ifndef SVCONN_CMD_WINDOWS_ACL_H
#define SVCONN_CMD_WINDOWS_ACL_H

#include "svconn_transport.h"
#include <windows.h> /* behind winsock2.h */

/* For the user, the system and the administrators, who can take every file anyway, and not what the directory would
 * add. NULL: the system does not say who we are. To be given back by LocalFree. */
PSECURITY_DESCRIPTOR acl_for_us_alone(void);

/* A directory, where that is the list of all that is made in it, too. 0; or -1: errno. */
int acl_make_directory(const wchar_t *path);

/* A file, with that list if it is made now. INVALID_HANDLE_VALUE: errno. */
HANDLE acl_create(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags);

#define ACL_CHANGE (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)
#define ACL_READ (FILE_READ_DATA | GENERIC_READ)

typedef enum { ACL_OURS, ACL_OPEN, ACL_FOREIGN, ACL_NO_LIST, ACL_UNKNOWN } acl_verdict;

/* May none but these do that? ACL_OURS: none. */
acl_verdict acl_look(HANDLE h, DWORD what);
/* Why not, as the rest of a sentence that begins with the path */
const char *acl_fault(acl_verdict v, DWORD what);
/* What to do then, for cmd.exe and for PowerShell */
#define ACL_REPAIR 1600
void acl_repair(char next[ACL_REPAIR], acl_verdict v, HANDLE h, const char *path);

/* From now on none but these can open it, if we may say so. (Whoever has it open keeps it.) */
void acl_take(HANDLE h);

#endif
