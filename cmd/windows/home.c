/* SPDX-License-Identifier: ISC */
/* %APPDATA%\svconn, where the directories of users are theirs alone; control sockets in %LOCALAPPDATA%\svconn\run, as
 * APPDATA may be that of several machines. */
#include "home.h"

#include "acl.h"
#include "wide.h"

#include <direct.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The directory svconn below what a variable names, in UTF-8 and UTF-16. */
static int find_base(char path[HOME_PATH], wchar_t wide[WIDE_PATH], const wchar_t *variable) {
    char base[HOME_PATH];
    const wchar_t *data = _wgetenv(variable);
    if (!data || !*data || wide_to(base, sizeof base, data) != 0) return -1;
    int n = snprintf(path, HOME_PATH, "%s\\svconn", base);
    return n < 0 || n >= HOME_PATH ? -1 : wide_of(wide, path);
}

static int make_directory(const wchar_t *path) { return _wmkdir(path) == 0 || errno == EEXIST ? 0 : -1; }

static int append(char path[HOME_PATH], const char *name) {
    size_t len = strlen(path);
    int n = snprintf(path + len, HOME_PATH - len, "\\%s", name);
    return n > 0 && (size_t)n < HOME_PATH - len ? 0 : -1;
}

int home_path(char path[HOME_PATH], const char *name, int make) {
    wchar_t wide[WIDE_PATH];
    if (find_base(path, wide, L"APPDATA") != 0) return -1;
    if (make && make_directory(wide) != 0) return -1;
    return append(path, name);
}

const char home_runtime_from[] = "LOCALAPPDATA";

static int make_directory_for_us_alone(const wchar_t *path) { return acl_make_directory(path) == 0 || errno == EEXIST ? 0 : -1; }

/* A link is not followed. */
static int is_ours_alone(const wchar_t *path) {
    BY_HANDLE_FILE_INFORMATION about;
    HANDLE h = CreateFileW(path, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (h == INVALID_HANDLE_VALUE) return 0;
    int ours = GetFileInformationByHandle(h, &about) && (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) &&
               !(about.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) && acl_look(h, ACL_CHANGE) == ACL_OURS;
    (void)CloseHandle(h);
    return ours;
}

int home_runtime(char path[HOME_PATH]) {
    wchar_t wide[WIDE_PATH];
    if (find_base(path, wide, L"LOCALAPPDATA") != 0 || make_directory(wide) != 0) return -1;
    if (append(path, "run") != 0 || wide_of(wide, path) != 0) return -1;
    return make_directory_for_us_alone(wide) == 0 && is_ours_alone(wide) ? 0 : -1;
}
