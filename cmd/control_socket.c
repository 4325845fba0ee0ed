/* SPDX-License-Identifier: ISC */
#ifdef __linux__
#define _GNU_SOURCE 1 /* struct ucred */
#endif
#include "control_socket.h"

#include "control.h"
#include "home.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct control_socket {
    int fd;
    size_t place;
    long owner; /* a child does not remove the socket */
    char path[HOME_PATH];
};

const char *control_socket_error(int error) { return strerror(error); }

/* 0, or -1 and errno. */
static int address_of(struct sockaddr_un *at, const char *path) {
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof at->sun_path) {
        memcpy(at->sun_path, path, strlen(path) + 1);
        return 0;
    }
    errno = ENAMETOOLONG;
    return -1;
}

/* ---- who listens -------------------------------------------------------------------------------- */

static int set_up(int fd) {
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : -1;
}

/* Nobody can connect before listen, so a process that is about to listen looks dead for a moment: names have a process
 * id so that it is not somebody else's. */
static int is_stale(const struct sockaddr_un *at) {
    struct stat st;
    if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int dead = set_up(fd) == 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    return dead;
}

static int bind_private(int fd, const struct sockaddr_un *at) {
    mode_t before = umask(0177);
    int bound = bind(fd, (const struct sockaddr *)at, sizeof *at);
    int because = errno;
    (void)umask(before);
    errno = because;
    return bound;
}

/* The descriptor, or -1 and errno. */
static int listen_at(const char *path) {
    struct sockaddr_un at;
    if (address_of(&at, path) != 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int ok = set_up(fd) == 0 && bind_private(fd, &at) == 0;
    if (!ok && fd >= 0 && errno == EADDRINUSE) {
        ok = is_stale(&at) && unlink(path) == 0 && bind_private(fd, &at) == 0;
        if (!ok) errno = EADDRINUSE;
    }
    if (ok && listen(fd, 2 * CONTROL_CLIENTS) == 0) return fd;
    int because = errno;
    if (fd >= 0) close(fd);
    errno = because;
    return -1;
}

control_socket *control_socket_open(const char *path) {
    control_socket *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->owner = (long)getpid();
    snprintf(s->path, sizeof s->path, "%s", path);
    s->fd = listen_at(s->path);
    if (s->fd >= 0) return s;
    int because = errno;
    free(s);
    errno = because;
    return NULL;
}

void control_socket_want(control_socket *s, fdset *set) { s->place = fdset_add(set, s->fd, POLLIN); }

/* The modes of the directory and of the socket say the same; some systems do not look at the latter. */
static int is_ours(int fd) {
#if defined(__linux__) && defined(SO_PEERCRED)
    struct ucred who;
    socklen_t len = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == geteuid() || who.uid == 0);
#else
    (void)fd;
    return 1;
#endif
}

int control_socket_take(control_socket *s, const fdset *set) {
    int fd;
    if (!fdset_got(set, s->place)) return -1;
    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        if (set_up(fd) == 0 && is_ours(fd)) return fd;
        close(fd);
    }
    return -1;
}

void control_socket_close(control_socket *s) {
    close(s->fd);
    if (s->owner == (long)getpid()) (void)unlink(s->path);
    free(s);
}

/* ---- who asks ----------------------------------------------------------------------------------- */

int control_socket_connect(const char *path, int patience_ms) {
    struct sockaddr_un at;
    struct timeval patience = {.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
    if (address_of(&at, path) != 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    int because = errno;
    close(fd);
    errno = because;
    return -1;
}

/* The process id in COMMAND-PID.sock, or 0. */
static long pid_of(const char *name) {
    const char *dash = strrchr(name, '-');
    char *end;
    long pid = dash && dash[1] > '0' && dash[1] <= '9' ? strtol(dash + 1, &end, 10) : 0;
    return pid > 0 && strcmp(end, ".sock") == 0 ? pid : 0;
}

/* A socket that refuses may be about to listen: it is dead if its process is. */
void control_socket_remove_dead(const char *path) {
    const char *slash = strrchr(path, '/');
    long pid = pid_of(slash ? slash + 1 : path);
    if (pid && kill((pid_t)pid, 0) != 0 && errno == ESRCH) (void)unlink(path);
}
