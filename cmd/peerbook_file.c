/* SPDX-License-Identifier: ISC */
#include "peerbook_file.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BOOK_MAX (1 << 20)
#define LOCK_TRIES 500 /* of 20 ms */

static int cannot(const char *what, const char *path) {
    say("cannot %s %s: %s", what, path, strerror(errno));
    return -1;
}

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
    if (stat(dir, &st) != 0) return errno == ENOENT ? 0 : cannot("look at the directory", dir);
    return is_ours_alone(dir, &st) ? 1 : -1;
}

/* The place of the file: 1: its directory is there; 0: not; -1: trouble, which was said. */
static int find_place(book_file *b, const char *file) {
    struct stat st;
    if (strlen(file) >= HOME_PATH) {
        say("the name of the file is too long: %.100s...", file);
        return -1;
    }
    strcpy(b->path, file);
    int there = check_directory(file); /* who can write the directory can put another link there */
    if (there != 1 || lstat(file, &st) != 0 || !S_ISLNK(st.st_mode)) return there;
    char *real = realpath(file, NULL);
    if (!real && errno == ENOENT) {
        say("%s is a symbolic link to a file that is not there; make an empty file there, or remove the link", file);
        return -1;
    }
    if (!real || strlen(real) >= HOME_PATH) there = cannot("follow the symbolic link", file);
    else strcpy(b->path, real);
    free(real);
    return there < 0 ? -1 : check_directory(b->path);
}

/* ---- the lock ---- */
static int take_lock(book_file *b) {
    char path[HOME_PATH + 32];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct timespec pause = {.tv_nsec = 20000000};
    snprintf(path, sizeof path, "%s.lock", b->path);
    b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (b->lock < 0) return cannot("make the lock", path);
    for (int i = 0; fcntl(b->lock, F_SETLK, &whole) != 0; i++) {
        if (errno != EACCES && errno != EAGAIN && errno != EINTR) return cannot("lock", path);
        if (i == LOCK_TRIES) {
            say("another program has been changing %s for %d seconds, so nothing was done; try again when it is done",
                b->path, LOCK_TRIES / 50);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* ---- reading ---- */
static int read_all(book_file *b, int fd) {
    ssize_t n = 1;
    b->text = malloc(BOOK_MAX + 1);
    if (!b->text) return cannot("read", b->path);
    while (b->len <= BOOK_MAX && (n = read(fd, b->text + b->len, BOOK_MAX + 1 - b->len)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("read", b->path);
        b->len += (size_t)n;
    }
    if (b->len <= BOOK_MAX) return 0;
    say("%s is too large: at most %d bytes are read", b->path, BOOK_MAX);
    return -1;
}

static int has_no_nul(const book_file *b) {
    unsigned line = 1;
    for (size_t i = 0; i < b->len; i++) {
        if (b->text[i] == '\n') line++;
        if (b->text[i]) continue;
        say("%s, line %u: there is a NUL byte, so this is no text file; repair it, or move it away", b->path, line);
        return 0;
    }
    return 1;
}

/* Looks at the opened file, not at its name, which may change. */
static int read_file(book_file *b) {
    int fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return errno == ENOENT ? 0 : cannot("open", b->path);
    int code = -1;
    if (fstat(fd, &b->st) != 0) cannot("look at", b->path);
    else if (!S_ISREG(b->st.st_mode)) say("%s is not a file; name a text file", b->path);
    else if (is_ours_alone(b->path, &b->st)) code = read_all(b, fd);
    close(fd);
    b->there = 1;
    return code == 0 && has_no_nul(b) ? 0 : -1;
}

int book_file_open(book_file *b, const char *file, const char *usual, int change) {
    char path[HOME_PATH];
    *b = (book_file){.lock = -1};
    if (!file && home_path(path, usual, change) != 0) {
        if (!change) return 0;
        say("there is no place for %s: HOME is not set, or its directory .config/svconn cannot be made", usual);
        return -1;
    }
    int there = find_place(b, file ? file : path);
    if (there < 0 || (there == 0 && !change)) return there;
    if (change && take_lock(b) != 0) return -1;
    return read_file(b);
}

void book_file_close(book_file *b) {
    free(b->text);
    if (b->lock >= 0) close(b->lock);
    *b = (book_file){.lock = -1};
}

/* ---- changing ---- */
int book_file_splice(book_file *b, size_t start, size_t end, const char *line) {
    size_t add = line ? strlen(line) : 0;
    int open_line = line && start > 0 && b->text[start - 1] != '\n';
    char *text = malloc(b->len + add + 3), *at = text;
    if (!text) return cannot("change", b->path);
    if (start) memcpy(text, b->text, start);
    at += start;
    if (open_line) *at++ = '\n';
    if (line) memcpy(at, line, add);
    at += add;
    if (line) *at++ = '\n';
    if (end < b->len) memcpy(at, b->text + end, b->len - end);
    b->len = (size_t)(at - text) + b->len - end;
    free(b->text);
    b->text = text;
    return 0;
}

/* Editors do not know of the lock. */
static int is_as_read(const book_file *b) {
    struct stat st;
    int same = stat(b->path, &st) != 0 ? errno == ENOENT && !b->there
                                       : b->there && st.st_ino == b->st.st_ino && st.st_dev == b->st.st_dev &&
                                             st.st_size == b->st.st_size && st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
                                             st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec;
    if (!same) say("%s was changed by somebody else meanwhile, so nothing was written; try again", b->path);
    return same;
}

/* A file keeps its mode and its group: others may have to read it. */
static int fill(const book_file *b, int fd) {
    for (size_t at = 0; at < b->len;) {
        ssize_t n = write(fd, b->text + at, b->len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        at += (size_t)n;
    }
    if (b->there && b->st.st_gid != getegid() && fchown(fd, (uid_t)-1, b->st.st_gid) != 0 && errno != EPERM) return -1;
    if (b->there && fchmod(fd, b->st.st_mode & 0755) != 0) return -1;
    return fsync(fd);
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

/* The name of the new file is always the same: only who has the lock uses it, and so the next one tidies up after a
 * crash. */
int book_file_write(book_file *b) {
    char path[HOME_PATH + 32];
    if (b->len > BOOK_MAX) {
        say("%s would become too large (%d bytes at most), so nothing was written", b->path, BOOK_MAX);
        return -1;
    }
    snprintf(path, sizeof path, "%s.new", b->path);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int bad = fd < 0 || fill(b, fd) != 0;
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && !bad) bad = 1, why = errno;
    int as_read = bad || is_as_read(b);
    if (!bad && as_read && rename(path, b->path) != 0) bad = 1, why = errno;
    if (bad) say("cannot write %s: %s; nothing was changed", b->path, strerror(why));
    if (!bad && as_read) {
        sync_directory(b->path);
        return 0;
    }
    unlink(path);
    return -1;
}
