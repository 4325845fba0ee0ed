/* SPDX-License-Identifier: ISC */
/*
 * dir: links: files in a directory that both sides see (a shared folder, a disk that is synchronised, a medium that is
 * carried fast). No descriptor tells that something happened, so both look again and again: often while something
 * happens, then ever more seldom, at last every 200 ms. For directories that show a new file within seconds: a
 * handshake has 10 s (svconn_config).
 *
 *      PATH/svconn-<32 digits>/            one session: made by the caller, under a random name, with mode 0700
 *          s2c-ready                       the listener: I see you. (Also put to callers that died long ago.)
 *          c2s-ready                       the caller: I am alive
 *          s2c-taken                       the listener: this session is mine (made exclusively; others may listen too)
 *          c2s-00000000000000000001 ...    the bytes of the caller, of the listener (s2c-), up to FILE_BYTES each;
 * removed s2c-00000000000000000001 ...    by the reader when they are read c2s-00000000000000000009-end    nothing more
 * follows in this direction; stands where the next file would c2s-gone, s2c-gone              this side has closed its
 * link and reads no more
 *
 * So what an old session left behind cannot be met by a new one: it has a directory of its own. No file is ever changed
 * once it has its name (it is written as c2s-new, made durable, then renamed), and each name is written by one side
 * only, which is what synchronisers can bear. A writer stops while FILES_MAX of its files are unread. The side that
 * closes last removes the directory; if one died without a word the directory stays, taken or unanswered, and does no
 * harm.
 *
 * Directories and files are made for their user alone: both sides run as the same one, or the file system makes no
 * difference.
 *
 * Both sides can write there, so nothing in it is believed: directories and files are opened relative to the one above
 * and never through a symbolic link, only plain files of bounded size are read, and only names of ours are looked at.
 * (Bytes that somebody changed are for the session to find.)
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES 1048576
#define FILES_MAX 16
#define LOOK_MAX_MS 200
#define NAME_SIZE 48      /* "svconn-" and 32 digits; "c2s-", 20 digits and "-end" */
#define CALLERS_MAX 10000 /* that are looked at in one go, so that a full directory cannot hold us for ever */
#define FILES_AT_ONCE 16  /* that hold no bytes: then other links get their turn */

typedef struct {
    int root, dir;
    char name[NAME_SIZE];
    const char *own, *their; /* "c2s" or "s2c" */
    uint64_t write_next;     /* number of our next file */
    uint64_t unread;         /* of our oldest file that the other side may not have read */
    uint64_t read_next;      /* of the file that is read, or awaited */
    int file;                /* the one that is read; -1: none */
    uint64_t left;           /* of it */
    int in_ended, out_ended;
    uint64_t busy_at; /* when something happened last */
} spool;

/* ---- names, files ------------------------------------------------------------------------------- */

static const char *numbered(char out[NAME_SIZE], const char *direction, uint64_t number, const char *suffix) {
    snprintf(out, NAME_SIZE, "%s-%020llu%s", direction, (unsigned long long)number, suffix);
    return out;
}

static const char *named(char out[NAME_SIZE], const char *direction, const char *word) {
    snprintf(out, NAME_SIZE, "%s-%s", direction, word);
    return out;
}

static int exists(int dir, const char *name) {
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An empty file that was not there. */
static int put_marker(int dir, const char *name) {
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    close(fd);
    return 0;
}

static int open_dir(int at, const char *name) {
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Everything of ours, then the directory if nothing else is in it. A peer that goes on making files meanwhile keeps
 * them. */
static void remove_session(int root, int dir, const char *name) {
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the stream closes its descriptor */
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *e;
    if (!list && again >= 0) close(again);
    for (int i = 0; list && i < CALLERS_MAX && (e = readdir(list)) != NULL; i++)
        if (strncmp(e->d_name, "c2s-", 4) == 0 || strncmp(e->d_name, "s2c-", 4) == 0) (void)unlinkat(dir, e->d_name, 0);
    if (list) closedir(list);
    (void)unlinkat(root, name, AT_REMOVEDIR);
}

/* ---- when to look again ------------------------------------------------------------------------- */

/* After a quarter of the time in which nothing happened: so waiting costs little, and no answer is found later than a
 * quarter of the time that it took. */
static int look_after(uint64_t busy_at) {
    uint64_t quiet = (svconn_now() - busy_at) / 4;
    return quiet < 1 ? 1 : quiet < LOOK_MAX_MS ? (int)quiet : LOOK_MAX_MS;
}

/* 0; or -1 if the time is over */
static int nap_until(uint64_t end, uint64_t busy_at) {
    int left = svconn_time_left(end), nap = look_after(busy_at);
    if (left == 0) return -1;
    svconn_nap(left > 0 && left < nap ? left : nap);
    return 0;
}

static nfds_t spool_want(const svconn_link *l, short events, struct pollfd fds[2], uint64_t *when) {
    const spool *p = l->state;
    uint64_t next = svconn_now() + (uint64_t)look_after(p->busy_at);
    (void)fds;
    if (events && next < *when) *when = next;
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static int write_file(int fd, const uint8_t *bytes, size_t len) {
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* The name before it is complete. One that is there already is left over: of us, or a trap. */
static int create_new(const spool *p, const char *name) {
    (void)unlinkat(p->dir, name, 0);
    return openat(p->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int put_file(spool *p, const uint8_t *bytes, size_t len) {
    char temporary[NAME_SIZE], name[NAME_SIZE];
    int fd = create_new(p, named(temporary, p->own, "new"));
    if (fd < 0) return -1;
    int bad = write_file(fd, bytes, len), error = errno;
    close(fd);
    if (bad) (void)unlinkat(p->dir, temporary, 0);
    if (bad) errno = error;
    return bad ? -1 : renameat(p->dir, temporary, p->dir, numbered(name, p->own, p->write_next, ""));
}

static int has_room(spool *p) {
    char name[NAME_SIZE];
    while (p->unread < p->write_next && !exists(p->dir, numbered(name, p->own, p->unread, ""))) p->unread++;
    return p->write_next - p->unread < FILES_MAX;
}

/* All or nothing: what comes together in the session's buffer makes one file. */
static ssize_t spool_write(svconn_link *l, const uint8_t *bytes, size_t len) {
    spool *p = l->state;
    char name[NAME_SIZE];
    if (len == 0) return 0;
    if (p->out_ended || exists(p->dir, named(name, p->their, "gone"))) {
        errno = EPIPE;
        return -1;
    }
    if (!has_room(p)) {
        errno = EAGAIN;
        return -1;
    }
    if (len > FILE_BYTES) len = FILE_BYTES;
    if (put_file(p, bytes, len) != 0) return -1;
    p->write_next++;
    p->busy_at = svconn_now();
    return (ssize_t)len;
}

static void spool_end(svconn_link *l) {
    spool *p = l->state;
    char name[NAME_SIZE];
    if (p->out_ended) return;
    p->out_ended = 1;
    (void)put_marker(p->dir, numbered(name, p->own, p->write_next, "-end"));
}

/* ---- reading ------------------------------------------------------------------------------------ */

static int refuse(int fd) {
    close(fd);
    errno = EPROTO;
    return -1;
}

/* O_NONBLOCK: a FIFO in its place would hold us. */
static int open_file(spool *p, const char *name) {
    struct stat st;
    int fd = openat(p->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || st.st_size > FILE_BYTES) return refuse(fd);
    p->left = (uint64_t)st.st_size;
    return fd;
}

/* 1: a file is open; 0: the end; -1: errno. */
static int open_next(spool *p) {
    char name[NAME_SIZE];
    struct stat st;
    if (p->file >= 0) return 1;
    p->file = open_file(p, numbered(name, p->their, p->read_next, ""));
    if (p->file >= 0) return 1;
    if (errno != ENOENT) return -1;
    /* that it has an end; or all of it was removed */
    if (exists(p->dir, numbered(name, p->their, p->read_next, "-end")) || fstat(p->dir, &st) != 0 || st.st_nlink == 0) {
        p->in_ended = 1;
        return 0;
    }
    errno = EAGAIN;
    return -1;
}

static void finish_file(spool *p) {
    char name[NAME_SIZE];
    close(p->file);
    p->file = -1;
    /* else the other side would wait for ever for us to read it */
    if (unlinkat(p->dir, numbered(name, p->their, p->read_next, ""), 0) != 0 && errno != ENOENT) p->in_ended = 1;
    p->read_next++;
}

static ssize_t read_file(spool *p, uint8_t *bytes, size_t len) {
    ssize_t n;
    do n = read(p->file, bytes, len < p->left ? len : (size_t)p->left);
    while (n < 0 && errno == EINTR);
    if (n > 0) p->left -= (uint64_t)n;
    if (n > 0) p->busy_at = svconn_now();
    if (n == 0 || p->left == 0) finish_file(p);
    return n;
}

static ssize_t spool_read(svconn_link *l, uint8_t *bytes, size_t len) {
    spool *p = l->state;
    for (int i = 0; i < FILES_AT_ONCE; i++) {
        int got = p->in_ended ? 0 : open_next(p);
        if (got <= 0) return got;
        ssize_t n = read_file(p, bytes, len);
        if (n) return n;
    }
    errno = EAGAIN;
    return -1;
}

/* ---- the link ----------------------------------------------------------------------------------- */

static void spool_close(svconn_link *l) {
    spool *p = l->state;
    char name[NAME_SIZE];
    spool_end(l);
    if (p->file >= 0) close(p->file);
    (void)put_marker(p->dir, named(name, p->own, "gone"));
    if (exists(p->dir, named(name, p->their, "gone"))) remove_session(p->root, p->dir, p->name);
    close(p->dir);
    close(p->root);
    free(p);
    l->state = NULL;
}

static void spool_peer(const svconn_link *l, char *out, size_t size) {
    const spool *p = l->state;
    snprintf(out, size, "directory %s", p->name);
}

static const svconn_link_ops spool_ops = {.read = spool_read,
                                          .write = spool_write,
                                          .want = spool_want,
                                          .end = spool_end,
                                          .close = spool_close,
                                          .peer = spool_peer};

/* Takes both descriptors over, also if it fails. */
static int make_link(svconn_link *l, const svconn_address *a, int root, int dir, const char *name, int listening,
                     svconn_why *why) {
    spool *p = calloc(1, sizeof *p);
    if (!p) {
        close(dir);
        close(root);
        return svconn_because(why, "%.150s: out of memory", a->text);
    }
    *p = (spool){.root = root, .dir = dir, .write_next = 1, .unread = 1, .read_next = 1, .file = -1};
    snprintf(p->name, sizeof p->name, "%s", name);
    p->own = listening ? "s2c" : "c2s";
    p->their = listening ? "c2s" : "s2c";
    p->busy_at = svconn_now();
    l->ops = &spool_ops;
    l->state = p;
    return 0;
}

static int open_root(const svconn_address *a, svconn_why *why) {
    int fd = open(a->rest, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the path is the user's: links in it are meant */
    if (fd >= 0) return fd;
    return svconn_because_of(why, errno == ENOENT ? SVCONN_FAULT_UNREACHABLE : SVCONN_FAULT_LOCAL,
                             "%.150s: cannot open the directory: %s%s", a->text, strerror(errno),
                             errno == ENOENT ? " (is it mounted, and does the server listen on it?)" : "");
}

/* ---- the caller --------------------------------------------------------------------------------- */

static int make_session(int root, char name[NAME_SIZE]) {
    uint8_t random[16];
    if (svconn_random(random, sizeof random) != 0) {
        errno = EIO;
        return -1;
    }
    size_t at = (size_t)snprintf(name, NAME_SIZE, "svconn-");
    for (size_t i = 0; i < sizeof random; i++) at += (size_t)snprintf(name + at, NAME_SIZE - at, "%02x", random[i]);
    if (mkdirat(root, name, 0700) != 0) return -1;
    int dir = open_dir(root, name);
    if (dir < 0) (void)unlinkat(root, name, AT_REMOVEDIR);
    return dir;
}

/* 0 when the listener has taken the session. */
static int await_listener(int dir, uint64_t end) {
    uint64_t begun = svconn_now();
    int told = 0;
    for (;;) {
        if (exists(dir, "s2c-taken")) return 0;
        if (!told && exists(dir, "s2c-ready")) {
            if (put_marker(dir, "c2s-ready") != 0) return -1;
            told = 1;
            begun = svconn_now();
        }
        if (nap_until(end, begun) != 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

int svconn_spool_call(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    char name[NAME_SIZE];
    int root = open_root(a, why);
    if (root < 0) return -1;
    int dir = make_session(root, name);
    if (dir >= 0 && await_listener(dir, end) == 0) return make_link(l, a, root, dir, name, 0, why);
    int error = errno, seen = dir >= 0 && exists(dir, "s2c-ready");
    if (dir >= 0) remove_session(root, dir, name);
    if (dir >= 0) close(dir);
    close(root);
    if (error == ETIMEDOUT)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "%.150s: %s", a->text,
                                 seen ? "the server saw us, but did not take the session in time; is it busy?"
                                      : "nobody answered in time; does a server listen on this directory, and does it "
                                        "see the same files?");
    return svconn_because(why, "%.150s: cannot make a session in the directory: %s", a->text, strerror(error));
}

/* ---- the listener ------------------------------------------------------------------------------- */

static int is_session(const char *name) {
    return strncmp(name, "svconn-", 7) == 0 && strlen(name) == 39 && strspn(name + 7, "0123456789abcdef") == 32;
}

/* 1 if the session in this directory is ours now. Who is not known to live is asked, and will answer soon. */
static int take_session(int dir, uint64_t *busy_at) {
    if (exists(dir, "s2c-taken") || exists(dir, "c2s-gone")) return 0;
    if (exists(dir, "c2s-ready")) return put_marker(dir, "s2c-taken") == 0;
    if (put_marker(dir, "s2c-ready") == 0) *busy_at = svconn_now();
    return 0;
}

/* Looks at all of them once: the directory of a session, its name too; -1: none. */
static int find_caller(int root, char name[NAME_SIZE], uint64_t *busy_at) {
    int again = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -1;
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *e;
    if (!list && again >= 0) close(again);
    for (int i = 0; list && found < 0 && i < CALLERS_MAX && (e = readdir(list)) != NULL; i++) {
        int dir = is_session(e->d_name) ? open_dir(root, e->d_name) : -1;
        if (dir >= 0 && take_session(dir, busy_at)) {
            found = dir;
            memcpy(name, e->d_name, strlen(e->d_name) + 1);
        } else if (dir >= 0) close(dir);
    }
    if (list) closedir(list);
    return found;
}

int svconn_spool_listen(const svconn_address *a, svconn_why *why) {
    if (mkdir(a->rest, 0700) != 0 && errno != EEXIST)
        return svconn_because(why, "%.150s: cannot make the directory: %s", a->text, strerror(errno));
    int root = open_root(a, why);
    if (root < 0) return -1;
    close(root);
    return 0;
}

int svconn_spool_accept(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    char name[NAME_SIZE];
    uint64_t busy_at = svconn_now();
    int root = open_root(a, why), dir;
    if (root < 0) return -1;
    while ((dir = find_caller(root, name, &busy_at)) < 0)
        if (nap_until(end, busy_at) != 0) {
            close(root);
            return svconn_because(why, "nobody called on %.150s in time", a->text);
        }
    return make_link(l, a, root, dir, name, 1, why);
}
