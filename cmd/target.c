/* SPDX-License-Identifier: ISC */
#include "target.h"

#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define FRESH_MS 60000

static int take_port(char port[6], const char *text) {
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len || atol(text) > 65535) return -1;
    snprintf(port, 6, "%hu", (unsigned short)atol(text));
    return 0;
}

static int take_host(target *t, const char *from, size_t len) {
    if (len == 0 || len >= sizeof t->host) return -1;
    memcpy(t->host, from, len);
    t->host[len] = 0;
    return strcspn(t->host, " \t\r\n") == len ? 0 : -1;
}

int target_parse(target *t, const char *text) {
    memset(t, 0, sizeof *t);
    if (strncmp(text, "unix:", 5) == 0) {
        if (strlen(text) <= 5 || strlen(text + 5) >= sizeof t->path) return -1;
        snprintf(t->path, sizeof t->path, "%s", text + 5);
        snprintf(t->text, sizeof t->text, "%s", text);
        return 0;
    }
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    if (take_port(t->port, port) != 0) return -1;
    int six = text[0] == '[';
    if (!colon) snprintf(t->host, sizeof t->host, "127.0.0.1");
    else if (six && (colon[-1] != ']' || take_host(t, text + 1, (size_t)(colon - text) - 2) != 0)) return -1;
    else if (!six && (take_host(t, text, (size_t)(colon - text)) != 0 || strchr(t->host, ':'))) return -1;
    snprintf(t->text, sizeof t->text, six ? "[%s]:%s" : "%s:%s", t->host, t->port);
    return 0;
}

/* ---- connecting ---- */

static int connect_unix(const target *t, tunnel_end *end) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, t->path, sizeof t->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || !fdset_leaves_enough(fd)) {
        if (fd >= 0) close(fd);
        return TUNNEL_TROUBLE;
    }
    tunnel_prepare(fd);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) { /* EAGAIN: its queue is full */
        int why = errno == ECONNREFUSED || errno == ENOENT ? TUNNEL_REFUSED : TUNNEL_UNREACHABLE;
        close(fd);
        return why;
    }
    end->in = end->out = fd;
    return 0;
}

static void look_up(target *t) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *list = NULL;
    int max = (int)(sizeof t->address / sizeof t->address[0]);
    if (svconn_now() < t->fresh_until) return;
    t->fresh_until = svconn_now() + FRESH_MS;
    if (getaddrinfo(t->host, t->port, &hints, &list) != 0) return; /* what was known is better than nothing */
    t->n_addresses = 0;
    for (const struct addrinfo *a = list; a && t->n_addresses < max; a = a->ai_next) {
        memcpy(&t->address[t->n_addresses], a->ai_addr, a->ai_addrlen);
        t->address_len[t->n_addresses++] = a->ai_addrlen;
    }
    freeaddrinfo(list);
}

static int connect_tcp(target *t, tunnel_end *end) {
    look_up(t);
    end->n_more = t->n_addresses;
    for (int i = 0; i < t->n_addresses; i++) { /* tried from the last to the first */
        end->more[t->n_addresses - 1 - i] = t->address[i];
        end->more_len[t->n_addresses - 1 - i] = t->address_len[i];
    }
    return tunnel_connect(end);
}

int target_connect(target *t, tunnel_end *end) { return t->path[0] ? connect_unix(t, end) : connect_tcp(t, end); }

/* ---- listening ---- */

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

static int listen_unix(const target *t) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, t->path, sizeof t->path);
    if (nobody_listens(t->path)) unlink(t->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    mode_t before = umask(0177);
    int bad = fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0;
    umask(before);
    if (!bad && listen(fd, BACKLOG) == 0) return fd;
    say("cannot listen on %s: %s", t->text, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

static int listen_at(const struct addrinfo *a) {
    int one = 1, fd = socket(a->ai_family, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    close(fd);
    return -1;
}

static void learn_port(target *t, int fd) {
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0) return;
    getnameinfo((struct sockaddr *)&name, len, NULL, 0, t->port, sizeof t->port, NI_NUMERICSERV);
    snprintf(t->text, sizeof t->text, strchr(t->host, ':') ? "[%s]:%s" : "%s:%s", t->host, t->port);
}

static int listen_tcp(target *t) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_flags = AI_PASSIVE}, *list = NULL;
    int wrong = getaddrinfo(t->host, t->port, &hints, &list);
    int fd = wrong ? -1 : listen_at(list);
    if (fd >= 0) learn_port(t, fd);
    else
        say("cannot listen on %s: %s%s", t->text, wrong ? gai_strerror(wrong) : strerror(errno),
            !wrong && errno == EADDRINUSE ? "; put another port in front, such as 0=TARGET (the system chooses)"
            : !wrong && errno == EACCES ? "; ports below 1024 are not for everybody: put another one in front, such as "
                                          "8080=TARGET"
                                        : "");
    if (!wrong) freeaddrinfo(list);
    return fd;
}

int target_listen(target *t) {
    int fd = t->path[0] ? listen_unix(t) : listen_tcp(t);
    if (fd < 0) return -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}
