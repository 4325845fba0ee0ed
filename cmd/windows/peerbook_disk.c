/* SPDX-License-Identifier: ISC */
#include "peerbook_disk.h"

#include "acl.h"
#include "text.h"
#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOCK_TRIES 500 /* of 20 ms */

/* ---- where it is, and whether it is to be believed ---- */

static int is_ours_alone(const char *path, HANDLE h) {
    char next[ACL_REPAIR];
    acl_verdict v = acl_look(h, ACL_CHANGE);
    if (v == ACL_OURS) return 1;
    acl_repair(next, v, h, path);
    say("%s %s, so what it says is not believed; look whether it is right, then do: %s", path, acl_fault(v, ACL_CHANGE), next);
    return 0;
}

static void directory_of(char *dir, size_t size, const char *path) {
    size_t len = strlen(path);
    while (len && path[len - 1] != '/' && path[len - 1] != '\\' && path[len - 1] != ':') len--;
    if (len == 0) snprintf(dir, size, ".");
    else snprintf(dir, size, "%.*s", (int)len, path);
}

/* 1: it is ours alone; 0: it is not there; -1: trouble, which was said. */
static int check_directory(const char *path) {
    char dir[HOME_PATH + 16];
    directory_of(dir, sizeof dir, path);
    HANDLE h = wide_open(dir, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_FLAG_BACKUP_SEMANTICS);
    if (h == INVALID_HANDLE_VALUE) return errno == ENOENT ? 0 : book_cannot("look at the directory", dir);
    int ours = is_ours_alone(dir, h);
    (void)CloseHandle(h);
    return ours ? 1 : -1;
}

/* A link is not followed: few have the right to make one. */
int book_disk_find(char path[HOME_PATH + 16], const char *file) {
    wchar_t name[WIDE_PATH];
    if (strlen(file) >= HOME_PATH) {
        say("the name of the file is too long: %.100s...", file);
        return -1;
    }
    strcpy(path, file);
    int there = check_directory(file);
    if (there != 1 || wide_of(name, file) != 0) return there;
    DWORD kind = GetFileAttributesW(name);
    if (kind == INVALID_FILE_ATTRIBUTES || !(kind & FILE_ATTRIBUTE_REPARSE_POINT)) return 1;
    say("%s is a symbolic link; name the file itself", file);
    return -1;
}

/* ---- the lock ---- */

/* With the rights that keep others from opening it. One that somebody else made us may lack the right to change them. */
static HANDLE open_lock(const char *path) {
    HANDLE h = acl_create(path, GENERIC_WRITE | WRITE_DAC, 0, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL);
    if (h == INVALID_HANDLE_VALUE && errno == EACCES) return acl_create(path, GENERIC_WRITE, 0, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL);
    if (h != INVALID_HANDLE_VALUE) acl_take(h); /* it may have been there, with others */
    return h;
}

/* Whoever has it open shares it with nobody. */
int book_disk_lock(const char *file) {
    char path[HOME_PATH + 32];
    snprintf(path, sizeof path, "%s.lock", file);
    for (int i = 0;; i++) {
        HANDLE h = open_lock(path);
        if (h != INVALID_HANDLE_VALUE) return _open_osfhandle((intptr_t)h, _O_WRONLY | _O_BINARY);
        if (errno != EBUSY) return book_cannot("make the lock", path);
        if (i == LOCK_TRIES) break;
        Sleep(20);
    }
    say("another program has been changing %s for %d seconds, so nothing was done; try again when it is done", file, LOCK_TRIES / 50);
    return -1;
}

void book_disk_unlock(int lock) { _close(lock); }

/* ---- reading ---- */

int book_disk_open(const char *path, book_disk *d) {
    HANDLE h = wide_open(path, GENERIC_READ | READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_ATTRIBUTE_NORMAL);
    if (h == INVALID_HANDLE_VALUE) return errno == ENOENT ? BOOK_NOT_THERE : book_cannot("open", path);
    int fd = _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY);
    if (fd < 0 || fstat(fd, &d->st) != 0) (void)book_cannot("look at", path);
    else if (!S_ISREG(d->st.st_mode)) say("%s is not a file; name a text file", path);
    else if (is_ours_alone(path, h)) return fd;
    if (fd >= 0) (void)close(fd);
    return -1;
}

/* ---- changing ---- */

static int fill(HANDLE h, const char *text, size_t len) {
    DWORD n;
    for (size_t at = 0; at < len; at += n)
        if (!WriteFile(h, text + at, (DWORD)(len - at), &n, NULL) || n == 0) return wide_failed();
    return FlushFileBuffers(h) ? 0 : wide_failed();
}

/* Nobody else may write what was there, so nothing is lost if its reader, too, is we alone. */
int book_disk_write(const char *path, const char *text, size_t len, const book_disk *was) {
    (void)was;
    (void)unlink(path);
    HANDLE h = acl_create(path, GENERIC_WRITE, 0, CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
    if (h == INVALID_HANDLE_VALUE) return -1;
    int bad = fill(h, text, len);
    (void)CloseHandle(h);
    return bad;
}

/* Somebody may read the old one just now: then it cannot be replaced for a moment. */
int book_disk_replace(const char *from, const char *path) {
    wchar_t old_name[WIDE_PATH], name[WIDE_PATH];
    if (wide_of(old_name, from) != 0 || wide_of(name, path) != 0) return -1;
    for (int i = 0; i < 50; i++) {
        if (MoveFileExW(old_name, name, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) return 0;
        if (GetLastError() != ERROR_SHARING_VIOLATION && GetLastError() != ERROR_ACCESS_DENIED) break;
        Sleep(20);
    }
    return wide_failed();
}

void book_disk_remove(const char *path) { (void)unlink(path); }
