/* SPDX-License-Identifier: ISC */
#include "peerbook_disk.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 500 /* of 20 ms */

/* ---- where it is, and whether it is to be believed ---- */
static int is_ours_alone(const char *path, const struct stat *st) {
    if (st->st_uid != geteuid() && st->st_uid != 0) {
        say("%s belongs to somebody else (user %lu), so what it says is not believed; take it over with \"chown\", or "
            "name another file",
            path, (unsigned long)st->st_uid);
        return 0;
    }
    if (!(st->st_mode & (S_IWGRP | S_IWOTH))) return 1;
    say("%s can be changed by others (mode %03o), so what it says is not believed; look whether it is right, then do "
        "\"chmod go-w %s\"",
        path, (unsigned)(st->st_mode & 0777), path);
    return 0;
}

static void directory_of(char *dir, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) strcpy(dir, ".");
    else sprintf(dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* 1: it is ours alone; 0: it is not there; -1: trouble, which was said. */
static int check_directory(const char *path) {
    char dir[HOME_PATH + 16];
    struct stat st;
    directory_of(dir, path);
    if (stat(dir, &st) != 0) return errno == ENOENT ? 0 : book_cannot("look at the directory", dir);
    return is_ours_alone(dir, &st) ? 1 : -1;
}

/* The place of the file: 1: its directory is there; 0: not; -1: trouble, which was said. */
int book_disk_find(char path[HOME_PATH + 16], const char *file) {
    struct stat st;
    if (strlen(file) >= HOME_PATH) {
        say("the name of the file is too long: %.100s...", file);
        return -1;
    }
    strcpy(path, file);
    int there = check_directory(file); /* who can write the directory can put another link there */
    if (there != 1 || lstat(file, &st) != 0 || !S_ISLNK(st.st_mode)) return there;
    char *real = realpath(file, NULL);
    if (!real && errno == ENOENT) {
        say("%s is a symbolic link to a file that is not there; make an empty file there, or remove the link", file);
        return -1;
    }
    if (!real || strlen(real) >= HOME_PATH) there = book_cannot("follow the symbolic link", file);
    else strcpy(path, real);
    free(real);
    return there < 0 ? -1 : check_directory(path);
}

/* ---- the lock ---- */
int book_disk_lock(const char *file) {
    char path[HOME_PATH + 32];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct timespec pause = {.tv_nsec = 20000000};
    snprintf(path, sizeof path, "%s.lock", file);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd < 0) return book_cannot("make the lock", path);
    for (int i = 0; fcntl(fd, F_SETLK, &whole) != 0; i++) {
        int later = errno == EACCES || errno == EAGAIN || errno == EINTR;
        if (later && i < LOCK_TRIES) {
            nanosleep(&pause, NULL);
            continue;
        }
        if (!later) (void)book_cannot("lock", path);
        else
            say("another program has been changing %s for %d seconds, so nothing was done; try again when it is done",
                file, LOCK_TRIES / 50);
        close(fd);
        return -1;
    }
    return fd;
}

void book_disk_unlock(int lock) { close(lock); }

/* ---- reading ---- */

/* Looks at the opened file, not at its name, which may change. */
int book_disk_open(const char *path, book_disk *d) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return errno == ENOENT ? BOOK_NOT_THERE : book_cannot("open", path);
    if (fstat(fd, &d->st) != 0) (void)book_cannot("look at", path);
    else if (!S_ISREG(d->st.st_mode)) say("%s is not a file; name a text file", path);
    else if (is_ours_alone(path, &d->st)) return fd;
    close(fd);
    return -1;
}

/* ---- changing ---- */

/* A file keeps its mode and its group: others may have to read it. */
static int fill(int fd, const char *text, size_t len, const book_disk *was) {
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, text + at, len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        at += (size_t)n;
    }
    if (was && was->st.st_gid != getegid() && fchown(fd, (uid_t)-1, was->st.st_gid) != 0 && errno != EPERM) return -1;
    if (was && fchmod(fd, was->st.st_mode & 0755) != 0) return -1;
    return fsync(fd);
}

int book_disk_write(const char *path, const char *text, size_t len, const book_disk *was) {
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int bad = fd < 0 || fill(fd, text, len, was) != 0, why = errno;
    if (fd >= 0 && close(fd) != 0 && !bad) bad = 1, why = errno;
    errno = why;
    return bad ? -1 : 0;
}

/* Not every file system can do it; the file is complete either way. */
static void sync_directory(const char *path) {
    char dir[HOME_PATH + 16];
    directory_of(dir, path);
    int fd = open(dir, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

int book_disk_replace(const char *from, const char *path) {
    if (rename(from, path) != 0) return -1;
    sync_directory(path);
    return 0;
}

void book_disk_remove(const char *path) { unlink(path); }
