/* SPDX-License-Identifier: ISC */
/*
 * The functions of POSIX that work below a directory that is open: of NTFS by way of NtCreateFile, which takes a name
 * relative to a handle. The name is one of files_name.c, without separators and streams, and a link is never followed
 * unless that is asked for.
 */
#include "wide.h"

#include "svconn_transport.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h> /* behind windows.h */

#define SHARE (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define NAME 260
#define EPOCH 116444736000000000ull /* 1970 in 100 ns since 1601 */
#define IS_A_DIRECTORY 0xc00000baul  /* of NtCreateFile */
#define SURROGATE 0x20000000ul       /* of a reparse tag: this stands for something else */

#ifndef FILE_OPEN_REPARSE_POINT
#define FILE_OPEN_REPARSE_POINT 0x00200000
#endif
#ifndef FILE_OPEN_FOR_BACKUP_INTENT
#define FILE_OPEN_FOR_BACKUP_INTENT 0x00004000
#endif

typedef char time_has_64_bits[sizeof(time_t) == 8 ? 1 : -1];
typedef char off_has_64_bits[sizeof(off_t) == 8 ? 1 : -1];

static HANDLE handle_of(int fd) { return (HANDLE)_get_osfhandle(fd); }

static int failed_by(NTSTATUS status) {
    if ((unsigned long)status == IS_A_DIRECTORY) {
        errno = EISDIR;
        return -1;
    }
    SetLastError(RtlNtStatusToDosError(status));
    return wide_failed();
}

/* ---- opening ---- */

/* 0, or -1 and errno */
static int nt_open(HANDLE *h, int dir, const char *name, ACCESS_MASK access, ULONG how, ULONG options) {
    wchar_t wide[WIDE_PATH];
    UNICODE_STRING text;
    OBJECT_ATTRIBUTES what;
    IO_STATUS_BLOCK io;
    *h = INVALID_HANDLE_VALUE;
    if (wide_of(wide, name) != 0) return -1;
    if (wcslen(wide) >= NAME) {
        errno = ENAMETOOLONG;
        return -1;
    }
    text.Buffer = wide;
    text.Length = text.MaximumLength = (USHORT)(2 * wcslen(wide));
    InitializeObjectAttributes(&what, &text, OBJ_CASE_INSENSITIVE, handle_of(dir), NULL);
    NTSTATUS status = NtCreateFile(h, access | FILE_READ_ATTRIBUTES | SYNCHRONIZE, &what, &io, NULL, FILE_ATTRIBUTE_NORMAL, SHARE, how,
                                   options | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0);
    if (status == 0) return 0;
    *h = INVALID_HANDLE_VALUE;
    return failed_by(status);
}

/* Symbolic links, junctions. What is only kept in another way (compressed, in a cloud) is a file like others. */
static int is_link(HANDLE h) {
    FILE_ATTRIBUTE_TAG_INFO about;
    return GetFileInformationByHandleEx(h, FileAttributeTagInfo, &about, sizeof about) &&
           (about.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) && (about.ReparseTag & SURROGATE);
}

static int is_reparse_point(HANDLE h) {
    FILE_ATTRIBUTE_TAG_INFO about;
    return GetFileInformationByHandleEx(h, FileAttributeTagInfo, &about, sizeof about) && (about.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

/* The handle is closed with it, or now: the C library has 2048 places. */
static int descriptor(HANDLE h, int flags) {
    int fd = _open_osfhandle((intptr_t)h, flags | _O_BINARY);
    if (fd < 0) (void)CloseHandle(h);
    return fd;
}

static int same_directory(int dir) {
    HANDLE copy, own = GetCurrentProcess();
    if (!DuplicateHandle(own, handle_of(dir), own, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) return wide_failed();
    return descriptor(copy, _O_RDONLY);
}

/* What is kept in another way is opened again, as what it is; somebody else may have put a link there meanwhile. */
static int open_through(HANDLE *h, int dir, const char *name, ACCESS_MASK access, ULONG options) {
    BY_HANDLE_FILE_INFORMATION before, after;
    BOOL known = GetFileInformationByHandle(*h, &before);
    (void)CloseHandle(*h);
    if (nt_open(h, dir, name, access, FILE_OPEN, options) != 0) return -1;
    if (known && GetFileInformationByHandle(*h, &after) && before.dwVolumeSerialNumber == after.dwVolumeSerialNumber &&
        before.nFileIndexHigh == after.nFileIndexHigh && before.nFileIndexLow == after.nFileIndexLow)
        return 0;
    (void)CloseHandle(*h);
    errno = ELOOP;
    return -1;
}

/* A file that is new is written, and renamed: for that it gets DELETE later, by a handle of its own */
int windows_openat(int dir, const char *name, int flags, ...) {
    HANDLE h;
    int directory = flags & O_DIRECTORY, writes = flags & (_O_WRONLY | _O_RDWR), stay = flags & O_NOFOLLOW;
    if (directory && strcmp(name, ".") == 0) return same_directory(dir);
    ACCESS_MASK access = directory ? FILE_LIST_DIRECTORY | FILE_TRAVERSE : writes ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ;
    ULONG how = (flags & _O_EXCL) ? FILE_CREATE : (flags & _O_CREAT) ? FILE_OPEN_IF : FILE_OPEN;
    ULONG options = directory ? FILE_DIRECTORY_FILE : FILE_NON_DIRECTORY_FILE;
    if (nt_open(&h, dir, name, access, how, options | (stay ? FILE_OPEN_REPARSE_POINT : 0)) != 0) return -1;
    if (stay && is_link(h)) {
        (void)CloseHandle(h);
        errno = ELOOP;
        return -1;
    }
    if (stay && is_reparse_point(h) && open_through(&h, dir, name, access, options) != 0) return -1;
    return descriptor(h, writes ? _O_RDWR : _O_RDONLY);
}

/* ---- looking ---- */

static int look(HANDLE h, struct windows_stat *st) {
    BY_HANDLE_FILE_INFORMATION about;
    memset(st, 0, sizeof *st);
    if (!GetFileInformationByHandle(h, &about)) return wide_failed();
    uint64_t time = (uint64_t)about.ftLastWriteTime.dwHighDateTime << 32 | about.ftLastWriteTime.dwLowDateTime;
    int64_t since = (int64_t)(time - EPOCH), rest = since % 10000000;
    if (rest < 0) rest += 10000000;
    st->st_dev = about.dwVolumeSerialNumber;
    st->st_ino = (uint64_t)about.nFileIndexHigh << 32 | about.nFileIndexLow;
    st->st_size = (int64_t)((uint64_t)about.nFileSizeHigh << 32 | about.nFileSizeLow);
    st->st_nlink = about.nNumberOfLinks;
    st->st_mtim.tv_sec = (time_t)((since - rest) / 10000000);
    st->st_mtim.tv_nsec = (long)rest * 100;
    if (is_link(h)) st->st_mode = S_IFLNK | 0777;
    else if (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) st->st_mode = _S_IFDIR | 0755;
    else st->st_mode = (about.dwFileAttributes & FILE_ATTRIBUTE_READONLY) ? _S_IFREG | 0444 : _S_IFREG | 0644;
    return 0;
}

int windows_fstat(int fd, struct windows_stat *st) {
    HANDLE h = handle_of(fd);
    memset(st, 0, sizeof *st);
    if (GetFileType(h) == FILE_TYPE_DISK) return look(h, st);
    st->st_mode = GetFileType(h) == FILE_TYPE_PIPE ? _S_IFIFO : _S_IFCHR;
    return 0;
}

static int look_at_path(const char *path, struct windows_stat *st, DWORD flags) {
    HANDLE h = wide_open(path, FILE_READ_ATTRIBUTES, SHARE, FILE_FLAG_BACKUP_SEMANTICS | flags);
    if (h == INVALID_HANDLE_VALUE) return -1;
    int result = look(h, st);
    (void)CloseHandle(h);
    return result;
}

int windows_stat(const char *path, struct windows_stat *st) { return look_at_path(path, st, 0); }

int windows_lstat(const char *path, struct windows_stat *st) { return look_at_path(path, st, FILE_FLAG_OPEN_REPARSE_POINT); }

int windows_fstatat(int dir, const char *name, struct windows_stat *st, int flags) {
    HANDLE h;
    if (nt_open(&h, dir, name, 0, FILE_OPEN, (flags & AT_SYMLINK_NOFOLLOW) ? FILE_OPEN_REPARSE_POINT : 0) != 0) return -1;
    int result = look(h, st);
    (void)CloseHandle(h);
    return result;
}

/* ---- names ---- */

int windows_unlinkat(int dir, const char *name, int flags) {
    HANDLE h;
    FILE_DISPOSITION_INFO gone = {TRUE};
    (void)flags;
    if (nt_open(&h, dir, name, DELETE, FILE_OPEN, FILE_OPEN_REPARSE_POINT | FILE_NON_DIRECTORY_FILE) != 0) return -1;
    int result = SetFileInformationByHandle(h, FileDispositionInfo, &gone, sizeof gone) ? 0 : wide_failed();
    (void)CloseHandle(h);
    return result;
}

int windows_mkdirat(int dir, const char *name, unsigned mode) {
    HANDLE h;
    (void)mode;
    if (nt_open(&h, dir, name, FILE_LIST_DIRECTORY, FILE_CREATE, FILE_DIRECTORY_FILE) != 0) return -1;
    (void)CloseHandle(h);
    return 0;
}

/* As the system defines it, with room for a name */
typedef struct {
    BOOLEAN replace;
    HANDLE root;
    ULONG length;
    WCHAR name[NAME];
} rename_info;

static int rename_to(int from, const char *name, int to, const char *new_name, int replace) {
    HANDLE h;
    IO_STATUS_BLOCK io;
    wchar_t wide[WIDE_PATH];
    rename_info r;
    memset(&r, 0, sizeof r);
    if (wide_of(wide, new_name) != 0) return -1;
    if (wcslen(wide) >= NAME) {
        errno = ENAMETOOLONG;
        return -1;
    }
    r.replace = replace != 0;
    r.root = handle_of(to);
    r.length = (ULONG)(2 * wcslen(wide));
    memcpy(r.name, wide, r.length);
    if (nt_open(&h, from, name, DELETE, FILE_OPEN, FILE_OPEN_REPARSE_POINT | FILE_NON_DIRECTORY_FILE) != 0) return -1;
    NTSTATUS status = NtSetInformationFile(h, &io, &r, sizeof r, FileRenameInformation);
    (void)CloseHandle(h);
    return status == 0 ? 0 : failed_by(status);
}

int windows_renameat(int from, const char *name, int to, const char *new_name) { return rename_to(from, name, to, new_name, 1); }

int windows_rename_new(int dir, const char *name, const char *new_name) { return rename_to(dir, name, dir, new_name, 0); }

/* Few users may make links. */
int windows_symlinkat(const char *target, int dir, const char *name) {
    (void)target;
    (void)dir;
    (void)name;
    errno = EACCES;
    return -1;
}

ssize_t windows_readlinkat(int dir, const char *name, char *target, size_t size) {
    (void)dir;
    (void)name;
    (void)target;
    (void)size;
    errno = EINVAL;
    return -1;
}

char *windows_realpath(const char *path, char *nowhere) {
    wchar_t name[WIDE_PATH], full[WIDE_PATH];
    char *out = malloc(WIDE_PATH);
    (void)nowhere;
    DWORD n = out && wide_of(name, path) == 0 ? GetFullPathNameW(name, WIDE_PATH, full, NULL) : 0;
    if (n == 0 || n >= WIDE_PATH || wide_to(out, WIDE_PATH, full) != 0) {
        free(out);
        errno = ENAMETOOLONG;
        return NULL;
    }
    size_t len = strlen(out);
    for (size_t i = 0; i < len; i++)
        if (out[i] == '\\') out[i] = '/';
    while (len && out[len - 1] == '/') out[--len] = 0;
    if (len <= 2) strcpy(out, "/"); /* the top of a drive has no name */
    return out;
}

/* ---- what is in files ---- */

int windows_fchmod(int fd, unsigned mode) {
    (void)fd;
    (void)mode;
    return 0;
}

#define YEARS 900000000000ll /* seconds since 1970, some 28000 years: less than a FILETIME holds */

int windows_futimens(int fd, const struct timespec times[2]) {
    if ((int64_t)times[1].tv_sec < -(int64_t)(EPOCH / 10000000) || times[1].tv_sec > YEARS) {
        errno = EINVAL; /* a sender can name any time */
        return -1;
    }
    uint64_t t = (uint64_t)((int64_t)times[1].tv_sec * 10000000) + EPOCH + (uint64_t)times[1].tv_nsec / 100;
    FILETIME when;
    when.dwLowDateTime = (DWORD)t;
    when.dwHighDateTime = (DWORD)(t >> 32);
    return SetFileTime(handle_of(fd), NULL, NULL, &when) ? 0 : wide_failed();
}

int windows_ftruncate(int fd, int64_t size) {
    FILE_END_OF_FILE_INFO end;
    end.EndOfFile.QuadPart = size;
    return SetFileInformationByHandle(handle_of(fd), FileEndOfFileInfo, &end, sizeof end) ? 0 : wide_failed();
}

static OVERLAPPED place(int64_t at) {
    OVERLAPPED o;
    memset(&o, 0, sizeof o);
    o.Offset = (DWORD)at;
    o.OffsetHigh = (DWORD)(at >> 32);
    return o;
}

static DWORD most(size_t len) { return len < INT_MAX ? (DWORD)len : INT_MAX; }

ssize_t windows_pread(int fd, void *bytes, size_t len, int64_t at) {
    OVERLAPPED o = place(at);
    DWORD n;
    if (ReadFile(handle_of(fd), bytes, most(len), &n, &o)) return (ssize_t)n;
    return GetLastError() == ERROR_HANDLE_EOF ? 0 : wide_failed();
}

ssize_t windows_pwrite(int fd, const void *bytes, size_t len, int64_t at) {
    OVERLAPPED o = place(at);
    DWORD n;
    return WriteFile(handle_of(fd), bytes, most(len), &n, &o) ? (ssize_t)n : wide_failed();
}

/* Locks keep others from the bytes there, so this one is where no file has any. */
int windows_flock(int fd, int how) {
    OVERLAPPED o = place(INT64_MAX - 1);
    (void)how;
    if (LockFileEx(handle_of(fd), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &o)) return 0;
    errno = EAGAIN;
    return -1;
}

/* A pipe would wait for its reader; a directory is none of ours to write. */
int windows_fsync(int fd) {
    struct windows_stat st;
    if (windows_fstat(fd, &st) != 0) return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return FlushFileBuffers(handle_of(fd)) ? 0 : wide_failed();
}

mode_t windows_umask(unsigned mask) {
    (void)mask;
    return 022;
}

/* ---- directories ---- */

struct windows_dir {
    int fd;
    size_t at;
    int full; /* there is more in the buffer */
    struct windows_dirent entry;
    union {
        uint64_t align;
        unsigned char bytes[16384];
    } buffer;
};

windows_dir *windows_fdopendir(int fd) {
    windows_dir *d = calloc(1, sizeof *d);
    if (d) d->fd = fd;
    else errno = ENOMEM;
    return d;
}

struct windows_dirent *windows_readdir(windows_dir *d) {
    if (!d->full) {
        if (!GetFileInformationByHandleEx(handle_of(d->fd), FileIdBothDirectoryInfo, d->buffer.bytes, sizeof d->buffer.bytes)) return NULL;
        d->at = 0;
        d->full = 1;
    }
    const FILE_ID_BOTH_DIR_INFO *e = (const FILE_ID_BOTH_DIR_INFO *)(const void *)(d->buffer.bytes + d->at);
    wchar_t name[NAME];
    size_t len = e->FileNameLength / sizeof name[0];
    if (len >= NAME) len = NAME - 1;
    memcpy(name, e->FileName, len * sizeof name[0]);
    name[len] = 0;
    d->at += e->NextEntryOffset;
    d->full = e->NextEntryOffset != 0;
    if (wide_to(d->entry.d_name, sizeof d->entry.d_name, name) != 0) strcpy(d->entry.d_name, "?"); /* no such name: it is told */
    return &d->entry;
}

int windows_closedir(windows_dir *d) {
    int result = close(d->fd);
    free(d);
    return result;
}

int windows_dirfd(windows_dir *d) { return d->fd; }
