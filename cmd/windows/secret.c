/* SPDX-License-Identifier: ISC */
/* Files with secrets on Windows. One that somebody else may read or change is refused, as OpenSSH for Windows does. */
#include "secret.h"

#include "acl.h"
#include "child.h"
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
    char next[ACL_REPAIR];
    HANDLE h = wide_open(path, GENERIC_READ | READ_CONTROL, FILE_SHARE_READ, FILE_ATTRIBUTE_NORMAL);
    if (h == INVALID_HANDLE_VALUE) {
        say("cannot open the %s file %s: %s%s", what, path, strerror(errno),
            errno == ENOENT && strcmp(what, "key") == 0 ? "; \"svconn keygen\" makes one" : "");
        return -1;
    }
    acl_verdict v = GetFileType(h) == FILE_TYPE_PIPE ? ACL_OURS : acl_look(h, ACL_READ | ACL_CHANGE);
    if (v == ACL_OURS) return _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY);
    acl_repair(next, v, h, path);
    say("%s %s, so the %s in it is not safe; do: %s", path, acl_fault(v, ACL_READ), what, next);
    (void)CloseHandle(h);
    return -1;
}

const char secret_encrypted[] = "it is encrypted with a password; decrypt it with \"openssl pkey -in FILE -out NEWFILE\" (if others may read "
                                "the new file, it is told how to change that); or use --key-command \"openssl pkey -in FILE\"";

/* ---- the key command ---- */

static child of_key;

/* The console and the standard input stay as they are, for a passphrase. */
int secret_command(const char *command, long *number) {
    HANDLE from, to;
    *number = 0;
    if (!CreatePipe(&from, &to, NULL, 0)) return wide_failed();
    child_ends ends = {.in = GetStdHandle(STD_INPUT_HANDLE), .out = to, .err = GetStdHandle(STD_ERROR_HANDLE)};
    int started = child_start_shell(&of_key, command, 0, ends) == 0, why = errno;
    (void)CloseHandle(to);
    if (started) return _open_osfhandle((intptr_t)from, _O_RDONLY | _O_BINARY);
    (void)CloseHandle(from);
    errno = why;
    return -1;
}

/* The words of the command may be secret, so they are not repeated. */
int secret_command_end(long number, int aloud) {
    DWORD status = 1;
    (void)number;
    (void)WaitForSingleObject(of_key.process, INFINITE);
    (void)GetExitCodeProcess(of_key.process, &status);
    child_forget(&of_key);
    if (status == 0) return EXIT_DONE;
    if (aloud) say("--key-command: the command ended with exit status %ld; try it alone, it must print a private key", (long)status);
    return EXIT_LOCAL;
}
