/* SPDX-License-Identifier: ISC */
/* Files with secrets on Windows. One that somebody else may read or change is refused, as OpenSSH for Windows does. */
#include "secret.h"

#include "acl.h"
#include "cmd.h"
#include "text.h"
#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- writing ---- */

int secret_create(const char *path) {
    HANDLE h = acl_create(path, GENERIC_WRITE, 0, CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
    return h == INVALID_HANDLE_VALUE ? -1 : _open_osfhandle((intptr_t)h, _O_WRONLY | _O_BINARY);
}

/* ---- reading ---- */

/* Looks at the opened file, not at its name, which may change. A pipe keeps nothing. */
int secret_open(const char *path, const char *what) {
    wchar_t name[WIDE_PATH];
    HANDLE h = INVALID_HANDLE_VALUE;
    if (wide_of(name, path) == 0) {
        h = CreateFileW(name, GENERIC_READ | READ_CONTROL, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
        if (h == INVALID_HANDLE_VALUE) (void)wide_failed();
    }
    if (h == INVALID_HANDLE_VALUE) {
        say("cannot open the %s file %s: %s%s", what, path, strerror(errno),
            errno == ENOENT && strcmp(what, "key") == 0 ? "; \"svconn keygen\" makes one" : "");
        return -1;
    }
    int alone = GetFileType(h) == FILE_TYPE_PIPE ? 1 : acl_is_ours_alone(h, ACL_READ | ACL_CHANGE);
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
    wchar_t wide[WIDE_PATH];
    command_output = wide_of(wide, command) == 0 ? _wpopen(wide, L"rb") : NULL;
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
