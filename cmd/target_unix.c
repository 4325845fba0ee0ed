/* SPDX-License-Identifier: ISC */
/* Targets that are UNIX sockets. */
#include "target.h"

#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

int target_unix_parse(target *t, const char *path) {
    if (!*path || strlen(path) >= sizeof t->path) return -1;
    snprintf(t->path, sizeof t->path, "%s", path);
    return 0;
}

int target_unix_connect(const target *t, tunnel_end *end) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, t->path, sizeof t->path);
    int fd = svconn_socket_new(AF_UNIX, 0);
    if (fd < 0 || !fdset_leaves_enough(fd)) {
        if (fd >= 0) close(fd);
        return TUNNEL_TROUBLE;
    }
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) { /* EAGAIN: its queue is full */
        int why = errno == ECONNREFUSED || errno == ENOENT ? TUNNEL_REFUSED : TUNNEL_UNREACHABLE;
        close(fd);
        return why;
    }
    end->in = end->out = fd;
    return 0;
}

static int nobody_listens(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int refused = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) != 0 && errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    return refused;
}

int target_unix_listen(const target *t) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, t->path, sizeof t->path);
    if (nobody_listens(t->path)) unlink(t->path);
    int fd = svconn_socket_new(AF_UNIX, 0);
    mode_t before = umask(0177);
    int bad = fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0;
    umask(before);
    if (!bad && listen(fd, BACKLOG) == 0) return fd;
    say("cannot listen on %s: %s", t->text, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}
