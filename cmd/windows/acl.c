/* SPDX-License-Identifier: ISC */
#include "acl.h"

#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <aclapi.h>
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
PSECURITY_DESCRIPTOR acl_for_us_alone(void) {
    owner o;
    char *sid, text[300];
    PSECURITY_DESCRIPTOR d = NULL;
    PSID own = own_sid(&o);
    if (!own || !ConvertSidToStringSidA(own, &sid)) return NULL;
    snprintf(text, sizeof text, "D:P(A;;FA;;;%s)(A;;FA;;;SY)(A;;FA;;;BA)", sid);
    (void)LocalFree(sid);
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &d, NULL) ? d : NULL;
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

int acl_is_ours_alone(HANDLE h, DWORD what) {
    owner o;
    PACL list = NULL;
    PSECURITY_DESCRIPTOR d = NULL;
    PSID own = own_sid(&o), its = NULL;
    const SECURITY_INFORMATION wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    if (!own || GetSecurityInfo(h, SE_FILE_OBJECT, wanted, &its, NULL, &list, NULL, &d) != ERROR_SUCCESS) return -1;
    int alone = list && its && is_trusted(its, own); /* its owner can change the list; without one: everybody, as on disks that keep none */
    for (DWORD i = 0; alone && i < list->AceCount; i++) {
        void *ace;
        if (!GetAce(list, i, &ace) || is_open_to_others(ace, own, what)) alone = 0;
    }
    (void)LocalFree(d);
    return alone;
}
