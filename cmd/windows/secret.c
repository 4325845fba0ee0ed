/* SPDX-License-Identifier: ISC */
/*
 * Files with secrets on Windows. There is no mode: a file has a list of who may do what with it. A new one is for the user, the system and the
 * administrators, who can take every file anyway; one that somebody else may read or change is refused, as OpenSSH for Windows does.
 */
#include "secret.h"

#include "cmd.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <aclapi.h> /* behind windows.h */
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

static int set_errno(void) {
    switch (GetLastError()) {
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS: errno = EEXIST; break;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: errno = ENOENT; break;
    case ERROR_ACCESS_DENIED: errno = EACCES; break;
    default: errno = EIO;
    }
    return -1;
}

/* ---- writing ---- */

/* For the user, the system (SY) and the administrators (BA), and not what the directory would add (P) */
static PSECURITY_DESCRIPTOR for_us_alone(void) {
    owner o;
    char *sid, text[300];
    PSECURITY_DESCRIPTOR d = NULL;
    PSID own = own_sid(&o);
    if (!own || !ConvertSidToStringSidA(own, &sid)) return NULL;
    snprintf(text, sizeof text, "D:P(A;;FA;;;%s)(A;;FA;;;SY)(A;;FA;;;BA)", sid);
    (void)LocalFree(sid);
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &d, NULL) ? d : NULL;
}

int secret_create(const char *path) {
    SECURITY_ATTRIBUTES a = {.nLength = sizeof a, .lpSecurityDescriptor = for_us_alone()};
    if (!a.lpSecurityDescriptor) {
        errno = EACCES;
        return -1;
    }
    HANDLE h = CreateFileA(path, GENERIC_WRITE, 0, &a, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE) (void)set_errno();
    (void)LocalFree(a.lpSecurityDescriptor);
    return h == INVALID_HANDLE_VALUE ? -1 : _open_osfhandle((intptr_t)h, _O_WRONLY | _O_BINARY);
}

/* ---- reading ---- */

static int is_trusted(PSID sid, PSID own) {
    return EqualSid(sid, own) || IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid) ||
           IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
}

/* Does this entry let somebody else read or change the file? Entries of kinds that are not known here count as if. */
static int is_open_to_others(const ACE_HEADER *ace, PSID own) {
    const DWORD matters = FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | WRITE_DAC | WRITE_OWNER | GENERIC_READ | GENERIC_WRITE | GENERIC_ALL;
    const ACCESS_ALLOWED_ACE *allowed = (const ACCESS_ALLOWED_ACE *)(const void *)ace;
    if ((ace->AceFlags & INHERIT_ONLY_ACE) || ace->AceType == ACCESS_DENIED_ACE_TYPE) return 0;
    if (ace->AceType != ACCESS_ALLOWED_ACE_TYPE) return 1;
    union {
        const DWORD *start;
        PSID sid;
    } who = {.start = &allowed->SidStart};
    return (allowed->Mask & matters) && !is_trusted(who.sid, own);
}

/* 1: nobody else; 0: others too; -1: the system does not say */
static int is_ours_alone(HANDLE h) {
    owner o;
    PACL list = NULL;
    PSECURITY_DESCRIPTOR d = NULL;
    PSID own = own_sid(&o);
    if (!own || GetSecurityInfo(h, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL, &d) != ERROR_SUCCESS) return -1;
    int alone = list != NULL; /* without a list: everybody, as on disks that keep none */
    for (DWORD i = 0; alone && i < list->AceCount; i++) {
        void *ace;
        if (!GetAce(list, i, &ace) || is_open_to_others(ace, own)) alone = 0;
    }
    (void)LocalFree(d);
    return alone;
}

/* Looks at the opened file, not at its name, which may change. A pipe keeps nothing. */
int secret_open(const char *path, const char *what) {
    HANDLE h = CreateFileA(path, GENERIC_READ | READ_CONTROL, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE) {
        (void)set_errno();
        say("cannot open the %s file %s: %s%s", what, path, strerror(errno),
            errno == ENOENT && strcmp(what, "key") == 0 ? "; \"svconn keygen\" makes one" : "");
        return -1;
    }
    int alone = GetFileType(h) == FILE_TYPE_PIPE ? 1 : is_ours_alone(h);
    if (alone > 0) return _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY);
    if (alone < 0) say("%s: the system does not say who may read it, so the %s in it is not safe", path, what);
    else
        say("%s can be read or changed by others, so the %s in it is not safe; do \"icacls %s /inheritance:r /grant:r %%USERNAME%%:F\"", path,
            what, path);
    (void)CloseHandle(h);
    return -1;
}

/* ---- the key command ---- */

static FILE *command_output;

int secret_command(const char *command, long *child) {
    *child = 0;
    command_output = _popen(command, "rb");
    return command_output ? _dup(_fileno(command_output)) : -1;
}

/* The words of the command may be secret, so they are not repeated. */
int secret_command_end(long child, int aloud) {
    (void)child;
    int status = _pclose(command_output);
    if (status == 0) return EXIT_DONE;
    if (aloud) say("--key-command: the command ended with exit status %d; try it alone, it must print a private key", status);
    return EXIT_LOCAL;
}
