/* SPDX-License-Identifier: ISC */
#include "files_walk.h"

#include "files_name.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- arguments ---- */
static int split(source *s, const char *path) {
    const char *slash = strrchr(path, '/');
    s->name = strdup(slash ? slash + 1 : path);
    s->dir = !slash ? strdup(".") : slash == path ? strdup("/") : strdup(path);
    if (!s->name || !s->dir) {
        say("out of memory");
        return -1;
    }
    if (slash && slash != path) s->dir[slash - path] = 0;
    return 0;
}

static int open_path(source *s, const char *argument) {
    struct stat st;
    const char *slash = strrchr(argument, '/'), *last = slash ? slash + 1 : argument;
    if (lstat(argument, &st) != 0) {
        say("cannot send %s: %s", argument, strerror(errno));
        return -1;
    }
    if (*last && strcmp(last, ".") != 0 && strcmp(last, "..") != 0) return split(s, argument);
    char *real = realpath(argument, NULL); /* "dir/", "." have a name, too */
    if (!real || strcmp(real, "/") == 0) {
        say("cannot send %s: %s", argument, real ? "it has no name; name the directories in it" : strerror(errno));
        free(real);
        return -1;
    }
    int result = split(s, real);
    free(real);
    return result;
}

int source_open(source *s, const char *argument) {
    memset(s, 0, sizeof *s);
    char *path = files_name_path(argument);
    int result = path ? open_path(s, path) : -1;
    if (!path) say("out of memory");
    free(path);
    return result;
}

void source_close(source *s) {
    free(s->dir);
    free(s->name);
    memset(s, 0, sizeof *s);
}

/* ---- the walk ---- */
static void leave(walk *w) { closedir(w->open[--w->depth]); }

void walk_rewind(walk *w) {
    while (w->depth > 0) leave(w);
    w->at = 0;
}

static int left_out(walk *w, const char *why) {
    if (w->note) w->note(w->arg, w->path, why);
    return 0;
}

/* A directory that is inside itself, by a symbolic link that is followed. */
static int is_open(const walk *w, const struct stat *st) {
    struct stat other;
    for (size_t i = 0; w->follow && i < w->depth; i++)
        if (fstat(dirfd(w->open[i]), &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino) return 1;
    return 0;
}

static void enter(walk *w, int dir, const char *name, const struct stat *st) {
    if (w->depth + 1 >= FILES_DEPTH) {
        left_out(w, "its contents are not sent, because it is too deep");
        return;
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (w->follow ? 0 : O_NOFOLLOW));
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d || is_open(w, st)) {
        left_out(w, d ? "its contents are not sent, because it is inside itself" : strerror(errno));
        if (d) closedir(d);
        else if (fd >= 0) close(fd);
        return;
    }
    w->open[w->depth] = d;
    w->end[w->depth++] = strlen(w->path);
}

int walk_look(int dir, const char *name, int follow, walk_item *item) {
    struct stat *st = &item->st;
    if (fstatat(dir, name, st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
        /* a link that leads nowhere is sent as one */
        if (!follow || fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    }
    item->type = S_ISREG(st->st_mode) ? FILES_FILE : S_ISDIR(st->st_mode) ? FILES_DIRECTORY : FILES_SYMLINK;
    if (item->type == FILES_FILE || item->type == FILES_DIRECTORY) return 1;
    errno = EINVAL;
    if (!S_ISLNK(st->st_mode)) return 0;
    ssize_t n = readlinkat(dir, name, item->target, FILES_TARGET_MAX);
    if (n <= 0) return 0;
    item->target[n] = 0;
    st->st_size = n;
    return 1;
}

/* name is in dir, and w->path is its path. 1: it is an item. */
static int visit(walk *w, int dir, const char *name, walk_item *item) {
    item->path = w->path;
    item->source = w->at - 1;
    if (!walk_look(dir, name, w->follow, item))
        return left_out(w, errno == EINVAL ? "it is no file, no directory and no symbolic link" : strerror(errno));
    if (item->type == FILES_DIRECTORY) enter(w, dir, name, &item->st);
    return 1;
}

static int next_argument(walk *w, walk_item *item) {
    const source *s = &w->sources[w->at++];
    size_t n = strlen(s->name);
    memcpy(w->path, s->name, (n < FILES_NAME_MAX ? n : FILES_NAME_MAX) + 1);
    int dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return left_out(w, strerror(errno));
    int is = visit(w, dir, s->name, item);
    close(dir);
    return is;
}

static int next_inside(walk *w, walk_item *item) {
    DIR *d = w->open[w->depth - 1];
    const struct dirent *e = readdir(d);
    if (!e) {
        leave(w);
        return 0;
    }
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) return 0;
    size_t end = w->end[w->depth - 1], n = strlen(e->d_name);
    w->path[end] = 0;
    if (n > FILES_NAME_MAX || end + n + 1 > FILES_PATH_MAX)
        return left_out(w, "something in it is not sent, because its path is too long");
    w->path[end] = '/';
    memcpy(w->path + end + 1, e->d_name, n + 1);
    return visit(w, dirfd(d), e->d_name, item);
}

int walk_next(walk *w, walk_item *item) {
    while (w->depth > 0 || w->at < w->n)
        if (w->depth > 0 ? next_inside(w, item) : next_argument(w, item)) return 1;
    return 0;
}
