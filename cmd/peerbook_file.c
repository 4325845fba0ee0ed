/* SPDX-License-Identifier: ISC */
#include "peerbook_file.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOK_MAX (1 << 20)

int book_cannot(const char *what, const char *path) {
    say("cannot %s %s: %s", what, path, strerror(errno));
    return -1;
}

/* ---- reading ---- */
static int read_all(book_file *b, int fd) {
    ssize_t n = 1;
    b->text = malloc(BOOK_MAX + 1);
    if (!b->text) return book_cannot("read", b->path);
    while (b->len <= BOOK_MAX && (n = read(fd, b->text + b->len, BOOK_MAX + 1 - b->len)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return book_cannot("read", b->path);
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

static int read_file(book_file *b) {
    int fd = book_disk_open(b->path, &b->disk);
    if (fd == BOOK_NOT_THERE) return 0;
    if (fd < 0) return -1;
    int code = read_all(b, fd);
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
    int there = book_disk_find(b->path, file ? file : path);
    if (there < 0 || (there == 0 && !change)) return there;
    if (change && (b->lock = book_disk_lock(b->path)) < 0) return -1;
    return read_file(b);
}

void book_file_close(book_file *b) {
    free(b->text);
    if (b->lock >= 0) book_disk_unlock(b->lock);
    *b = (book_file){.lock = -1};
}

/* ---- changing ---- */
int book_file_splice(book_file *b, size_t start, size_t end, const char *line) {
    size_t add = line ? strlen(line) : 0;
    int open_line = line && start > 0 && b->text[start - 1] != '\n';
    char *text = malloc(b->len + add + 3), *at = text;
    if (!text) return book_cannot("change", b->path);
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

/* Is it still the same? Editors do not know of the lock. d NULL: there was none. */
static int is_as_read(const char *path, const book_disk *d) {
    struct stat st;
    if (stat(path, &st) != 0) return errno == ENOENT && !d;
    return d && st.st_ino == d->st.st_ino && st.st_dev == d->st.st_dev && st.st_size == d->st.st_size &&
           st.st_mtim.tv_sec == d->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == d->st.st_mtim.tv_nsec;
}

/* The name of the new file is always the same: only who has the lock uses it, and so the next one tidies up after a
 * crash. */
int book_file_write(book_file *b) {
    char path[HOME_PATH + 32];
    const book_disk *was = b->there ? &b->disk : NULL;
    if (b->len > BOOK_MAX) {
        say("%s would become too large (%d bytes at most), so nothing was written", b->path, BOOK_MAX);
        return -1;
    }
    snprintf(path, sizeof path, "%s.new", b->path);
    int bad = book_disk_write(path, b->text, b->len, was) != 0, why = errno;
    int as_read = bad || is_as_read(b->path, was);
    if (!bad && !as_read) say("%s was changed by somebody else meanwhile, so nothing was written; try again", b->path);
    if (!bad && as_read && book_disk_replace(path, b->path) != 0) bad = 1, why = errno;
    if (bad) say("cannot write %s: %s; nothing was changed", b->path, strerror(why));
    if (!bad && as_read) return 0;
    book_disk_remove(path);
    return -1;
}
