/* SPDX-License-Identifier: ISC */
#include "files_store.h"

#include "files_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define NUMBERS 1000 /* how many names STORE_RENAME tries */

int store_open(file_store *s, const char *directory) {
    int follow = s->at.follow;
    s->at = (way)WAY_NONE;
    s->at.follow = follow;
    s->at.base = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->mask = umask(077);
    umask(s->mask);
    return s->at.base < 0 ? -1 : 0;
}

/* The way to a path; a directory that is left is brought to the disk first: names in it are new. */
static int go_to(file_store *s, const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    int leaves = s->at.fd >= 0 && (strlen(s->at.path) != len || memcmp(s->at.path, path, len) != 0);
    if (leaves && store_sync(s) != 0) return -1;
    return way_to(&s->at, path, name);
}

int store_sync(file_store *s) {
    if (s->at.fd < 0 || fsync(s->at.fd) == 0) return 0;
    return errno == EINVAL || errno == EROFS ? 0 : -1; /* not every file system can do it with directories */
}

void store_close(file_store *s) {
    (void)store_sync(s);
    way_forget(&s->at);
    if (s->at.base >= 0) close(s->at.base);
    s->at.base = -1;
}

int store_add_name(const file_store *s, char path[FILES_PATH_MAX + 1], const uint8_t *name, size_t len) {
    char clean[FILES_NAME_MAX + 1];
    size_t n = name_to_store(clean, name, len), used = strlen(path);
    int marks = used == 0 && clean[0] == '.' && !s->keep_dots;
    if (n == 0 || (marks && n == FILES_NAME_MAX) || used + n + 2 > FILES_PATH_MAX) return 0;
    if (name_is_part(clean) && !marks) return 0;
    snprintf(path + used, FILES_PATH_MAX + 1 - used, "%s%s%s", used ? "/" : "", marks ? "_" : "", clean);
    return 1;
}

/* ---- looking ---- */
static int go_to_part(file_store *s, const char *path, char part[FILES_NAME_MAX + 1]) {
    const char *name;
    int dir = go_to(s, path, &name);
    if (dir >= 0) name_of_part(part, name);
    return dir;
}

static int look(int dir, const char *name, struct stat *st) {
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0) return 1;
    return errno == ENOENT ? 0 : -1;
}

int store_look(file_store *s, const char *path, struct stat *st) {
    const char *name;
    int dir = go_to(s, path, &name);
    return dir < 0 ? -1 : look(dir, name, st);
}

int store_look_part(file_store *s, const char *path, struct stat *st) {
    char part[FILES_NAME_MAX + 1];
    int dir = go_to_part(s, path, part);
    return dir < 0 ? -1 : look(dir, part, st);
}

static int open_to_read(int dir, const char *name, struct stat *st) {
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode)) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

int store_open_file(file_store *s, const char *path, struct stat *st) {
    const char *name;
    int dir = go_to(s, path, &name);
    return dir < 0 ? -1 : open_to_read(dir, name, st);
}

int store_open_part(file_store *s, const char *path, struct stat *st) {
    char part[FILES_NAME_MAX + 1];
    int dir = go_to_part(s, path, part);
    return dir < 0 ? -1 : open_to_read(dir, part, st);
}

/* ---- unfinished files ---- */
static int is_as_known(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Who had the lock before may have given the file its name meanwhile. */
static int is_named(int dir, const char *part, int fd, struct stat *st) {
    struct stat named;
    return fstat(fd, st) == 0 && look(dir, part, &named) > 0 && named.st_dev == st->st_dev &&
           named.st_ino == st->st_ino;
}

/* One that is ours alone, locked. Another link to it would be a finished file, from just before we were killed; what
 * cannot be opened is finished but for its name, and goes too. */
static int open_part(int dir, const char *part, struct stat *st) {
    for (int tries = 0; tries < 2; tries++) {
        int fd = openat(dir, part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EACCES && errno != ELOOP) return -1;
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            errno = EBUSY;
            return -1;
        }
        if (fd >= 0 && is_named(dir, part, fd, st) && S_ISREG(st->st_mode) && st->st_nlink == 1) return fd;
        if (fd >= 0) close(fd);
        if (unlinkat(dir, part, 0) != 0 && errno != ENOENT) return -1;
    }
    errno = EBUSY;
    return -1;
}

int store_write_part(file_store *s, const char *path, uint64_t offset, const struct stat *known) {
    const char *name;
    char part[FILES_NAME_MAX + 1];
    struct stat st;
    int dir = go_to(s, path, &name);
    if (dir < 0) return -1;
    name_of_part(part, name);
    int fd = open_part(dir, part, &st);
    if (fd < 0) return -1;
    int why = offset > 0 && !is_as_known(&st, known) ? EBUSY : ftruncate(fd, (off_t)offset) != 0 ? errno : 0;
    if (why == 0) return fd;
    close(fd);
    errno = why;
    return -1;
}

void store_drop_part(file_store *s, const char *path) {
    char part[FILES_NAME_MAX + 1];
    int why = errno, dir = go_to_part(s, path, part);
    if (dir >= 0) (void)unlinkat(dir, part, 0);
    errno = why;
}

int store_drop_stale(file_store *s, const char *path) {
    char part[FILES_NAME_MAX + 1];
    struct stat st;
    int dir = go_to_part(s, path, part);
    if (dir < 0) return -1;
    if (look(dir, part, &st) == 0) return 0;
    int fd = open_part(dir, part, &st);
    if (fd < 0) return -1;
    int result = unlinkat(dir, part, 0);
    close(fd);
    return result;
}

int store_write(int fd, const uint8_t *bytes, size_t len, uint64_t at) {
    /* a hole; it counts at once, or a session that is cut off in a long one would begin it anew */
    if (len >= 4096 && bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0) return ftruncate(fd, (off_t)(at + len));
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, bytes + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            if (n == 0) errno = ENOSPC;
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

/* ---- a name for what is finished ---- */
static int give_other_name(int dir, const char *part, const char *name, char got[FILES_NAME_MAX + 1]) {
    for (unsigned i = 2; i < NUMBERS; i++) {
        if (name_numbered(got, name, i) != 0) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (files_name_give(dir, part, got) == 0) return 0;
        if (errno != EEXIST) return -1;
    }
    return -1;
}

/* Only a file or a link is replaced. */
static int replace(int dir, const char *part, const char *name) {
    struct stat st;
    int there = look(dir, name, &st);
    if (there > 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    return there < 0 ? -1 : renameat(dir, part, dir, name);
}

static int place(file_store *s, int dir, const char *part, const char *path, const char *name, char *got) {
    char other[FILES_NAME_MAX + 1];
    snprintf(got, FILES_PATH_MAX + 1, "%s", path);
    if (s->policy == STORE_OVERWRITE) return replace(dir, part, name);
    if (files_name_give(dir, part, name) == 0) return 0;
    if (errno != EEXIST || s->policy != STORE_RENAME) return -1;
    if (give_other_name(dir, part, name, other) != 0) return -1;
    snprintf(got + (name - path), FILES_PATH_MAX + 1 - (size_t)(name - path), "%s", other);
    return 0;
}

int store_finish(file_store *s, const char *path, int fd, const store_attributes *a, char got[FILES_PATH_MAX + 1]) {
    const char *name;
    char part[FILES_NAME_MAX + 1];
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, a->mtime};
    int dir = go_to(s, path, &name);
    if (dir < 0) return -1;
    name_of_part(part, name);
    if (ftruncate(fd, (off_t)a->size) != 0) return -1; /* a hole at the end */
    if (fchmod(fd, (mode_t)(a->mode & 0777) & ~s->mask) != 0 && errno != EPERM) return -1;
    (void)futimens(fd, times); /* a time that this file system cannot hold is not worth a failure */
    if (fsync(fd) != 0) return -1;
    return place(s, dir, part, path, name, got);
}

/* ---- directories and links ---- */
int store_directory(file_store *s, const char *path, unsigned mode) {
    const char *name;
    int dir = go_to(s, path, &name);
    if (dir < 0) return -1;
    if (mkdirat(dir, name, (mode_t)(mode & 0777) | 0700) == 0) return 0; /* the system applies the mask */
    if (errno != EEXIST) return -1;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        errno = EEXIST;
        return -1;
    }
    close(fd);
    return 1;
}

static int is_same_link(int dir, const char *name, const char *target) {
    char there[FILES_TARGET_MAX + 1];
    ssize_t n = readlinkat(dir, name, there, sizeof there);
    return n >= 0 && (size_t)n == strlen(target) && memcmp(there, target, (size_t)n) == 0;
}

int store_symlink(file_store *s, const char *path, const uint8_t *target, size_t len) {
    const char *name;
    char clean[FILES_TARGET_MAX + 1], part[FILES_NAME_MAX + 1];
    unsigned depth = 0;
    for (const char *p = path; *p; p++) depth += *p == '/';
    if (!target_clean(clean, target, len, depth, s->keep_dots)) {
        errno = EPERM;
        return -1;
    }
    int dir = go_to(s, path, &name);
    if (dir < 0) return -1;
    if (symlinkat(clean, dir, name) == 0) return 0;
    if (errno != EEXIST) return -1;
    if (is_same_link(dir, name, clean)) return 1;
    if (s->policy != STORE_OVERWRITE) {
        errno = EEXIST;
        return -1;
    }
    name_of_part(part, name);
    if (store_drop_stale(s, path) != 0 || symlinkat(clean, dir, part) != 0) return -1;
    if (replace(dir, part, name) == 0) return 0;
    store_drop_part(s, path);
    return -1;
}

const char *store_why(int error) {
    switch (error) {
    case ENOSPC: return "the disk is full there";
    case EDQUOT: return "the quota is used up there";
    case EFBIG: return "it is larger than a file may be there";
    case EACCES:
    case EPERM:
    case EROFS: return "there is no permission to write it there";
    case ENAMETOOLONG: return "its name is too long there";
    case ELOOP:
    case ENOTDIR: return "what would be its directory is something else there";
    case ENOENT: return "its directory is not there";
    case EEXIST: return "something with this name is there already";
    case EBUSY: return "it is just being received from somebody else, or was changed there; try again later";
    default: return strerror(error);
    }
}
