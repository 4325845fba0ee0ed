/* SPDX-License-Identifier: ISC */
#include "acl.h"

#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <aclapi.h>
#include <lmcons.h>
#include <sddl.h>

typedef struct {
    union {
        TOKEN_USER user;
        char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } u;
} owner;

/* Who runs this program; NULL if the system does not say. */
static PSID own_sid(owner *o) {
    HANDLE token;
    DWORD len;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return NULL;
    BOOL ok = GetTokenInformation(token, TokenUser, &o->u, sizeof o->u, &len);
    (void)CloseHandle(token);
    return ok ? o->u.user.User.Sid : NULL;
}

/* The user, the system (SY) and the administrators (BA), and not what the directory would add (P) */
static PSECURITY_DESCRIPTOR for_us_alone(const char *inherited) {
    owner o;
    char *sid, text[300];
    PSECURITY_DESCRIPTOR d = NULL;
    PSID own = own_sid(&o);
    if (!own || !ConvertSidToStringSidA(own, &sid)) return NULL;
    snprintf(text, sizeof text, "D:P(A;%s;FA;;;%s)(A;%s;FA;;;SY)(A;%s;FA;;;BA)", inherited, sid, inherited, inherited);
    (void)LocalFree(sid);
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &d, NULL) ? d : NULL;
}

PSECURITY_DESCRIPTOR acl_for_us_alone(void) { return for_us_alone(""); }

/* By files (OI) and directories (CI) */
int acl_make_directory(const wchar_t *path) {
    SECURITY_ATTRIBUTES a = {.nLength = sizeof a, .lpSecurityDescriptor = for_us_alone("OICI")};
    BOOL made = a.lpSecurityDescriptor && CreateDirectoryW(path, &a);
    if (!a.lpSecurityDescriptor) errno = EACCES;
    else if (!made) (void)wide_failed();
    (void)LocalFree(a.lpSecurityDescriptor);
    return made ? 0 : -1;
}

HANDLE acl_create(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags) {
    wchar_t name[WIDE_PATH];
    HANDLE h = INVALID_HANDLE_VALUE;
    if (wide_of(name, path) != 0) return h;
    SECURITY_ATTRIBUTES a = {.nLength = sizeof a, .lpSecurityDescriptor = acl_for_us_alone()};
    if (a.lpSecurityDescriptor) h = CreateFileW(name, access, share, &a, how, flags, NULL);
    if (!a.lpSecurityDescriptor) errno = EACCES;
    else if (h == INVALID_HANDLE_VALUE) (void)wide_failed();
    (void)LocalFree(a.lpSecurityDescriptor);
    return h;
}

static int is_trusted(PSID sid, PSID own) {
    return EqualSid(sid, own) || IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid) ||
           IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
}

/* Does this entry let somebody else do it? Entries of kinds that are not known here count as if. */
static int is_open_to_others(const ACE_HEADER *ace, PSID own, DWORD what) {
    const ACCESS_ALLOWED_ACE *allowed = (const ACCESS_ALLOWED_ACE *)(const void *)ace;
    if ((ace->AceFlags & INHERIT_ONLY_ACE) || ace->AceType == ACCESS_DENIED_ACE_TYPE) return 0;
    if (ace->AceType != ACCESS_ALLOWED_ACE_TYPE) return 1;
    union {
        const DWORD *start;
        PSID sid;
    } who;
    who.start = &allowed->SidStart;
    return (allowed->Mask & what) && !is_trusted(who.sid, own);
}

acl_verdict acl_look(HANDLE h, DWORD what) {
    owner o;
    PACL list = NULL;
    PSECURITY_DESCRIPTOR d = NULL;
    PSID own = own_sid(&o), its = NULL;
    const SECURITY_INFORMATION wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    if (!own || GetSecurityInfo(h, SE_FILE_OBJECT, wanted, &its, NULL, &list, NULL, &d) != ERROR_SUCCESS) return ACL_UNKNOWN;
    acl_verdict v = ACL_OURS;
    if (!list || !its) v = ACL_NO_LIST; /* everybody, as on disks that keep none */
    else if (!is_trusted(its, own)) v = ACL_FOREIGN; /* its owner can change the list */
    for (DWORD i = 0; v == ACL_OURS && i < list->AceCount; i++) {
        void *ace;
        if (!GetAce(list, i, &ace) || is_open_to_others(ace, own, what)) v = ACL_OPEN;
    }
    (void)LocalFree(d);
    return v;
}

/* ---- in words ---- */

const char *acl_fault(acl_verdict v, DWORD what) {
    switch (v) {
    case ACL_FOREIGN: return "belongs to somebody else";
    case ACL_NO_LIST: return "is on a disk that keeps no rights (FAT, say), so it can be read and changed by others";
    case ACL_UNKNOWN: return "does not show who may read or change it";
    default: return (what & FILE_READ_DATA) ? "can be read or changed by others" : "can be changed by others";
    }
}

static int is_directory(HANDLE h) {
    BY_HANDLE_FILE_INFORMATION about;
    return GetFileInformationByHandle(h, &about) && (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
}

/* A backslash before a quote would take its meaning; a drive needs it. */
static int length_to_quote(const char *path) {
    size_t len = strlen(path);
    while (len > 3 && (path[len - 1] == '\\' || path[len - 1] == '/')) len--;
    return (int)len;
}

void acl_repair(char next[ACL_REPAIR], acl_verdict v, HANDLE h, const char *path) {
    wchar_t wide[UNLEN + 1];
    char name[3 * UNLEN + 1];
    DWORD len = UNLEN + 1;
    int n = length_to_quote(path);
    if (!GetUserNameW(wide, &len) || wide_to(name, sizeof name, wide) != 0) snprintf(name, sizeof name, "%%USERNAME%%");
    if (v == ACL_OPEN) /* what is in a directory would lose all rights with those that it inherits */
        snprintf(next, ACL_REPAIR, "icacls \"%.*s\" /inheritance:r /grant:r \"%s:%sF\"", n, path, name, is_directory(h) ? "(OI)(CI)" : "");
    else if (v == ACL_FOREIGN) snprintf(next, ACL_REPAIR, "takeown /f \"%.*s\" as an administrator, or name another place", n, path);
    else snprintf(next, ACL_REPAIR, "name a place on a disk of this machine with NTFS");
}

/* ---- changing ---- */

void acl_take(HANDLE h) {
    PSECURITY_DESCRIPTOR d = acl_for_us_alone();
    if (d) (void)SetKernelObjectSecurity(h, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, d);
    (void)LocalFree(d);
}
