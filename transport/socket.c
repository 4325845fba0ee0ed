/* SPDX-License-Identifier: ISC */
/* TCP and UNIX stream sockets: connect with a deadline, listen, accept. Every descriptor is non-blocking and closed on
 * exec. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void set_option(int fd, int level, int name, int value) {
    (void)setsockopt(fd, level, name, &value, sizeof value); /* all of them are improvements, not conditions */
}

static int prepare(int fd) {
    if (fd < 0) return -1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
#ifdef SO_NOSIGPIPE
    set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    return fd;
}

int svconn_socket_new(int family, int protocol) {
#ifdef SOCK_CLOEXEC
    /* no moment in which a fork elsewhere inherits it */
    return prepare(socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol));
#else
    return prepare(socket(family, SOCK_STREAM, protocol));
#endif
}

int svconn_socket_accept(int listener) {
#ifdef SOCK_CLOEXEC
    int fd = prepare(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
#else
    int fd = prepare(accept(listener, NULL, NULL));
#endif
    if (fd >= 0) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* a UNIX socket refuses it, which is all right */
    return fd;
}

int svconn_socket_close_failed(int fd) {
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int svconn_socket_connect(int fd, const struct sockaddr *to, socklen_t len, uint64_t end) {
    int error;
    socklen_t size = sizeof error;
    if (connect(fd, to, len) == 0) return fd;
    if (errno != EINPROGRESS && errno != EINTR) return svconn_socket_close_failed(fd);
    if (svconn_wait(fd, POLLOUT, end) != 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return svconn_socket_close_failed(fd);
    if (error == 0) return fd;
    errno = error;
    return svconn_socket_close_failed(fd);
}

static int connect_to(int family, const struct sockaddr *to, socklen_t len, uint64_t end) {
    int fd = svconn_socket_new(family, 0);
    return fd < 0 ? -1 : svconn_socket_connect(fd, to, len, end);
}

int svconn_socket_again(int fd) {
    struct sockaddr_storage to;
    socklen_t len = sizeof to;
    if (getpeername(fd, (struct sockaddr *)&to, &len) != 0) return -1;
    int again = svconn_socket_new(to.ss_family, 0);
    if (again < 0) return -1;
    set_option(again, IPPROTO_TCP, TCP_NODELAY, 1);
    if (connect(again, (struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS) return again;
    return svconn_socket_close_failed(again);
}

static const char *socket_hint(int error) {
    switch (error) {
    case ECONNREFUSED: return " (nobody listens there)";
    case ETIMEDOUT: return " (no answer: wrong host, or a firewall?)";
    case ENOENT: return " (no such socket; is the server running?)";
    case EADDRINUSE: return " (somebody listens there already)";
    case EADDRNOTAVAIL: return " (that is no address of this machine)";
    case EACCES: return " (not permitted to this user)";
    default: return "";
    }
}

/* ---- TCP ---------------------------------------------------------------------------------------- */

/* flags: AI_PASSIVE or 0. Numbers and names; NULL and *why if there are none. */
static struct addrinfo *look_up(const svconn_address *a, int flags, svconn_why *why) {
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    int err = getaddrinfo(a->host[0] ? a->host : NULL, a->port, &hints, &list);
    if (err == 0 && list) return list;
    svconn_because_of(why, flags & AI_PASSIVE ? SVCONN_FAULT_LOCAL : SVCONN_FAULT_UNREACHABLE,
                      "%.150s: cannot find the host \"%.80s\": %s", a->text, a->host,
                      err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
    return NULL;
}

/* When to go on to the next of n addresses: each gets an equal part of the time that is left, so a dead first one
 * leaves some for the others. */
static uint64_t part_of(uint64_t end, int n) {
    if (end == UINT64_MAX) return end;
    return svconn_now() + (uint64_t)svconn_time_left(end) / (uint64_t)n;
}

int svconn_tcp_connect(const svconn_address *a, uint64_t end, svconn_why *why) {
    int fd = -1, left = 0, tried = 0, error = 0;
    if (!a->host[0] || strcmp(a->port, "0") == 0)
        return svconn_because(why, "%.150s: a host and a port other than 0 are needed to connect", a->text);
    struct addrinfo *list = look_up(a, 0, why);
    if (!list) return -1;
    for (struct addrinfo *i = list; i; i = i->ai_next) left++;
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next, left--, tried++) {
        fd = connect_to(i->ai_family, i->ai_addr, i->ai_addrlen, part_of(end, left));
        if (fd < 0 && (!error || errno != EAFNOSUPPORT)) error = errno;
    }
    freeaddrinfo(list);
    if (fd < 0 && tried > 1)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "cannot connect to %.150s (%d addresses tried): %s%s",
                                 a->text, tried, strerror(error), socket_hint(error));
    if (fd < 0)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "cannot connect to %.150s: %s%s", a->text,
                                 strerror(error), socket_hint(error));
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

static int listen_on(const struct addrinfo *i) {
    int fd = svconn_socket_new(i->ai_family, 0);
    if (fd < 0) return -1;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (i->ai_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] takes IPv4 too */
    if (bind(fd, i->ai_addr, i->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) return svconn_socket_close_failed(fd);
    return fd;
}

/* Without a host: every address of the machine, so IPv6 first, because that socket takes IPv4 too. */
int svconn_tcp_listen(const svconn_address *a, svconn_why *why) {
    int fd = -1, error = 0;
    struct addrinfo *list = look_up(a, AI_PASSIVE, why);
    if (!list) return -1;
    for (struct addrinfo *i = list; i && fd < 0 && !a->host[0]; i = i->ai_next)
        if (i->ai_family == AF_INET6) fd = listen_on(i);
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next) {
        fd = listen_on(i);
        if (fd < 0 && (!error || errno != EAFNOSUPPORT)) error = errno;
    }
    freeaddrinfo(list);
    if (fd < 0) return svconn_because(why, "cannot listen on %.150s: %s%s", a->text, strerror(error), socket_hint(error));
    return fd;
}

void svconn_socket_name(char *out, size_t size, const void *address, socklen_t len) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct sockaddr_storage s;
    char host[100], port[10];
    memset(&s, 0, sizeof s);
    memcpy(&s, address, len < sizeof s ? len : sizeof s);
    if (s.ss_family == AF_UNIX) {
        snprintf(out, size, "a local process");
        return;
    }
    if (getnameinfo((struct sockaddr *)&s, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, size, "an unknown address");
        return;
    }
    const uint8_t *v6 = ((struct sockaddr_in6 *)&s)->sin6_addr.s6_addr;
    if (s.ss_family != AF_INET6) snprintf(out, size, "%s:%s", host, port);
    else if (memcmp(v6, mapped, sizeof mapped) == 0)
        snprintf(out, size, "%u.%u.%u.%u:%s", v6[12], v6[13], v6[14], v6[15], port);
    else snprintf(out, size, "[%s]:%s", host, port);
}

/* ---- UNIX sockets ------------------------------------------------------------------------------- */

static void unix_address(struct sockaddr_un *to, const svconn_address *a) {
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, a->rest, strlen(a->rest) + 1); /* address.c saw that it fits */
}

/* A full queue of the listener is EAGAIN here, not a wait: try until the deadline. */
static int unix_connect(const struct sockaddr_un *to, uint64_t end) {
    for (;;) {
        int fd = connect_to(AF_UNIX, (const struct sockaddr *)to, sizeof *to, end);
        if (fd >= 0 || errno != EAGAIN) return fd;
        if (svconn_now() >= end) {
            errno = ETIMEDOUT;
            return -1;
        }
        svconn_nap(10);
    }
}

int svconn_unix_connect(const svconn_address *a, uint64_t end, svconn_why *why) {
    struct sockaddr_un to;
    unix_address(&to, a);
    int fd = unix_connect(&to, end);
    if (fd >= 0) return fd;
    return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "cannot connect to %.150s: %s%s", a->text, strerror(errno),
                             socket_hint(errno));
}

/* A socket file that nobody listens on: left behind by a process that died. */
static int is_stale(const struct sockaddr_un *at) {
    struct stat st;
    if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return 0;
    int fd = connect_to(AF_UNIX, (const struct sockaddr *)at, sizeof *at, svconn_now());
    if (fd >= 0) close(fd);
    return fd < 0 && errno == ECONNREFUSED;
}

int svconn_unix_listen(const svconn_address *a, svconn_why *why) {
    struct sockaddr_un at;
    unix_address(&at, a);
    int fd = svconn_socket_new(AF_UNIX, 0);
    if (fd >= 0) {
        int ok = bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
        if (!ok && errno == EADDRINUSE) {
            if (is_stale(&at) && unlink(at.sun_path) == 0) ok = bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
            else errno = EADDRINUSE;
        }
        if (ok && listen(fd, SOMAXCONN) == 0) return fd;
        svconn_socket_close_failed(fd);
    }
    return svconn_because(why, "cannot listen on %.150s: %s%s", a->text, strerror(errno), socket_hint(errno));
}
