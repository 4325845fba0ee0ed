/* SPDX-License-Identifier: ISC */
/* What the rest asks of the system for stream sockets, and UNIX sockets. Every descriptor is non-blocking and closed on
 * exec. (windows/winsock.c is the same for Windows.) */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

void svconn_socket_at_once(int fd) { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* a UNIX socket refuses, no harm */ }

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
    if (fd >= 0) svconn_socket_at_once(fd);
    return fd;
}

int svconn_socket_error(int fd) {
    int error;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int svconn_socket_here(int fd, struct sockaddr_storage *address, socklen_t *len) {
    *len = sizeof *address;
    return getsockname(fd, (struct sockaddr *)address, len);
}

int svconn_socket_there(int fd, struct sockaddr_storage *address, socklen_t *len) {
    *len = sizeof *address;
    return getpeername(fd, (struct sockaddr *)address, len);
}

int svconn_socket_connect(int fd, const struct sockaddr *to, socklen_t len, uint64_t end) {
    if (connect(fd, to, len) == 0) return fd;
    if (errno != EINPROGRESS && errno != EINTR) return svconn_socket_close_failed(fd);
    if (svconn_wait(fd, POLLOUT, end) != 0) return svconn_socket_close_failed(fd);
    int error = svconn_socket_error(fd);
    if (error == 0) return fd;
    errno = error;
    return svconn_socket_close_failed(fd);
}

int svconn_socket_begin(int fd, const struct sockaddr *to, socklen_t len) {
    return connect(fd, to, len) == 0 || errno == EINPROGRESS ? 0 : -1;
}

int svconn_socket_again(int fd) {
    struct sockaddr_storage to;
    socklen_t len;
    if (svconn_socket_there(fd, &to, &len) != 0) return -1;
    int again = svconn_socket_new(to.ss_family, 0);
    if (again < 0) return -1;
    svconn_socket_at_once(again);
    return svconn_socket_begin(again, (struct sockaddr *)&to, len) == 0 ? again : svconn_socket_close_failed(again);
}

int svconn_socket_listen(const struct sockaddr *at, socklen_t len) {
    int fd = svconn_socket_new(at->sa_family, 0);
    if (fd < 0) return -1;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (at->sa_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] takes IPv4 too */
    if (bind(fd, at, len) != 0 || listen(fd, SOMAXCONN) != 0) return svconn_socket_close_failed(fd);
    return fd;
}

int svconn_lookup(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list) {
    return getaddrinfo(host, port, hints, list);
}

const char *svconn_lookup_text(int error) { return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error); }

/* ---- UNIX sockets ------------------------------------------------------------------------------- */

static void unix_address(struct sockaddr_un *to, const svconn_address *a) {
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, a->rest, strlen(a->rest) + 1); /* address.c saw that it fits */
}

static int unix_connect_once(const struct sockaddr_un *to, uint64_t end) {
    int fd = svconn_socket_new(AF_UNIX, 0);
    return fd < 0 ? -1 : svconn_socket_connect(fd, (const struct sockaddr *)to, sizeof *to, end);
}

/* A full queue of the listener is EAGAIN here, not a wait: try until the deadline. */
static int unix_connect(const struct sockaddr_un *to, uint64_t end) {
    for (;;) {
        int fd = unix_connect_once(to, end);
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
                             svconn_socket_hint(errno));
}

/* A socket file that nobody listens on: left behind by a process that died. */
static int is_stale(const struct sockaddr_un *at) {
    struct stat st;
    if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return 0;
    int fd = unix_connect_once(at, svconn_now());
    if (fd >= 0) close(fd);
    return fd < 0 && errno == ECONNREFUSED;
}

int svconn_unix_listen(const svconn_address *a, long *owner, svconn_why *why) {
    struct sockaddr_un at;
    unix_address(&at, a);
    *owner = (long)getpid();
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
    return svconn_because(why, "cannot listen on %.150s: %s%s", a->text, strerror(errno), svconn_socket_hint(errno));
}

/* A child of a server that forks closes its copy, but the socket file is the parent's. */
void svconn_unix_unlink(const svconn_address *a, long owner) {
    struct stat st;
    if (owner == (long)getpid() && lstat(a->rest, &st) == 0 && S_ISSOCK(st.st_mode)) (void)unlink(a->rest);
}
