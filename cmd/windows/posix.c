/* SPDX-License-Identifier: ISC */
#include "acl.h"
#include "wide.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <windows.h>

/* A drive without a path is the place there where we are; its top is meant. */
static int open_directory(const char *path) {
    wchar_t name[WIDE_PATH];
    if (wide_of(name, path) != 0) return -1;
    if (name[0] && name[1] == L':' && !name[2]) wcscpy(name + 2, L"\\");
    HANDLE h = CreateFileW(name, FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                           FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    BY_HANDLE_FILE_INFORMATION about;
    if (h == INVALID_HANDLE_VALUE) return wide_failed();
    int is = GetFileInformationByHandle(h, &about) && (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
    int fd = is ? _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY) : -1;
    if (fd < 0) (void)CloseHandle(h);
    if (!is) errno = ENOTDIR;
    return fd;
}

/* Whoever gives a mode gives 0600. A file that is there keeps its rights, as elsewhere. */
static int open_or_create(const char *path, int flags) {
    DWORD how = (flags & O_EXCL) ? CREATE_NEW : (flags & O_TRUNC) ? CREATE_ALWAYS : OPEN_ALWAYS;
    DWORD access = (flags & O_RDWR) ? GENERIC_READ | GENERIC_WRITE : GENERIC_WRITE;
    HANDLE h = acl_create(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, how, FILE_ATTRIBUTE_NORMAL);
    int fd = h == INVALID_HANDLE_VALUE ? -1 : _open_osfhandle((intptr_t)h, (flags & O_APPEND) | _O_BINARY);
    if (fd < 0 && h != INVALID_HANDLE_VALUE) (void)CloseHandle(h);
    return fd;
}

int windows_open(const char *path, int flags, ...) {
    wchar_t name[WIDE_PATH];
    if (flags & O_DIRECTORY) return open_directory(path);
    if (flags & O_CREAT) return open_or_create(path, flags);
    return wide_of(name, path) != 0 ? -1 : _wopen(name, flags | _O_BINARY);
}

/* The mode is one of POSIX: "re" and so on. */
FILE *windows_fopen(const char *path, const char *mode) {
    wchar_t name[WIDE_PATH], how[3] = {(wchar_t)mode[0], L'b', 0};
    return wide_of(name, path) != 0 ? NULL : _wfopen(name, how);
}

int windows_access(const char *path, int mode) {
    wchar_t name[WIDE_PATH];
    return wide_of(name, path) != 0 ? -1 : _waccess(name, mode);
}

int windows_unlink(const char *path) {
    wchar_t name[WIDE_PATH];
    return wide_of(name, path) != 0 ? -1 : _wunlink(name);
}

int windows_rmdir(const char *path) {
    wchar_t name[WIDE_PATH];
    return wide_of(name, path) != 0 ? -1 : _wrmdir(name);
}

static unsigned most(size_t len) { return len < INT_MAX ? (unsigned)len : INT_MAX; }

ssize_t windows_read(int fd, void *bytes, size_t len) { return _read(fd, bytes, most(len)); }

ssize_t windows_write(int fd, const void *bytes, size_t len) { return _write(fd, bytes, most(len)); }

int windows_isatty(int fd) {
    DWORD mode;
    intptr_t h = _get_osfhandle(fd);
    return h != -1 && GetConsoleMode((HANDLE)h, &mode);
}

int windows_setenv(const char *name, const char *value, int replace) {
    wchar_t wide_name[WIDE_PATH], wide_value[WIDE_PATH];
    (void)replace;
    if (wide_of(wide_name, name) != 0 || wide_of(wide_value, value) != 0) return -1;
    return SetEnvironmentVariableW(wide_name, wide_value) ? 0 : -1;
}
