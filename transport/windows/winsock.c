/* SPDX-License-Identifier: ISC */
/*
 * What the rest of the transport asks of the system (descriptor.c and socket.c), by Winsock. Every descriptor is a
 * socket. A socket is a handle, and of handles 32 bits count, also where they have 64 ("Interprocess Communication
 * Between 32-bit and 64-bit Applications", Microsoft Learn), so an int holds one; one that does not fit is not taken.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <windows.h>

#define ENDS_MS 1000
#define FAULT_MS 10 /* select has nothing to wait for, or fails */

/* As CLOCK_MONOTONIC of Linux: it stands still while the machine sleeps. */
uint64_t svconn_now(void) {
    ULONGLONG t; /* of 100 ns */
    return QueryUnbiasedInterruptTime(&t) ? (uint64_t)t / 10000 : 0; /* it fails for a null pointer only */
}

/* ---- errno -------------------------------------------------------------------------------------- */

static const struct {
    int winsock, error;
    const char *text; /* in English, and ASCII: what Windows says is in the user's language, and its own encoding */
} errors[] = {
    {WSAEWOULDBLOCK, EAGAIN, "nothing there yet"},
    {WSAEINPROGRESS, EINPROGRESS, "still at it"},
    {WSAEINTR, EINTR, "interrupted"},
    {WSAETIMEDOUT, ETIMEDOUT, "timed out"},
    {WSAECONNREFUSED, ECONNREFUSED, "connection refused"},
    {WSAECONNRESET, ECONNRESET, "connection reset"},
    {WSAECONNABORTED, ECONNABORTED, "connection aborted"},
    {WSAENETRESET, ENETRESET, "connection reset by the network"},
    {WSAESHUTDOWN, EPIPE, "the connection takes no more"},
    {WSAENOTCONN, ENOTCONN, "not connected"},
    {WSAENETUNREACH, ENETUNREACH, "network unreachable"},
    {WSAEHOSTUNREACH, EHOSTUNREACH, "host unreachable"},
    {WSAENETDOWN, ENETDOWN, "network down"},
    {WSAEADDRINUSE, EADDRINUSE, "address already in use"},
    {WSAEADDRNOTAVAIL, EADDRNOTAVAIL, "address not available"},
    {WSAEAFNOSUPPORT, EAFNOSUPPORT, "this machine has no addresses of that kind"},
    {WSAEPROTONOSUPPORT, EPROTONOSUPPORT, "protocol not supported"},
    {WSAEACCES, EACCES, "permission denied"},
    {WSAENOTSOCK, ENOTSOCK, "not a socket"},
    {WSAEBADF, EBADF, "not open"},
    {WSAEINVAL, EINVAL, "invalid argument"},
    {WSAEOPNOTSUPP, EOPNOTSUPP, "not supported"},
    {WSAEMSGSIZE, EMSGSIZE, "too long"},
    {WSAEMFILE, EMFILE, "too many open sockets"},
    {WSAENOBUFS, ENOBUFS, "no memory for another connection"},
    {WSA_NOT_ENOUGH_MEMORY, ENOMEM, "out of memory"},
    {0, EPROTO, "protocol error"},
};
enum { ERRORS = sizeof errors / sizeof errors[0] };

static int errno_of(int winsock) {
    for (int i = 0; i < ERRORS; i++)
        if (errors[i].winsock == winsock) return errors[i].error;
    return EIO;
}

static int failed(void) {
    errno = errno_of(WSAGetLastError());
    return -1;
}

static int result(int winsock_result) { return winsock_result == SOCKET_ERROR ? failed() : winsock_result; }

const char *svconn_errno_text(int error) {
    for (int i = 0; i < ERRORS; i++)
        if (errors[i].error == error) return errors[i].text;
    return "an error of the system";
}

/* ---- bytes -------------------------------------------------------------------------------------- */

static int length(size_t len) { return len < INT_MAX ? (int)len : INT_MAX; }

ssize_t svconn_fd_read(int fd, void *bytes, size_t len) { return result(recv((SOCKET)fd, bytes, length(len), 0)); }

ssize_t svconn_fd_write(int fd, const void *bytes, size_t len) {
    return result(send((SOCKET)fd, bytes, length(len), 0));
}

void svconn_fd_end(int fd) { (void)shutdown((SOCKET)fd, SD_SEND); }

void svconn_fd_drop_unread(int fd) {
    char bytes[4096];
    for (int i = 0; i < 256; i++)
        if (recv((SOCKET)fd, bytes, sizeof bytes, 0) <= 0) break;
}

void svconn_fd_close(int fd) { (void)closesocket((SOCKET)fd); }

struct pollfd svconn_pollfd(int fd, short events) {
    struct pollfd p = {.fd = (SOCKET)fd, .events = events};
    return p;
}

/* The other side has ended, and who asked waits to write only: poll(2) would not tell that, WSAPoll does at once. What
 * is over in another way is told. */
static int is_bare_end(const struct pollfd *p) {
    char byte;
    return p->revents == POLLHUP && !(p->events & POLLIN) && recv(p->fd, &byte, 1, MSG_PEEK) >= 0;
}

/* A set of any size: FD_SETSIZE is that of the array in the header only ("Maximum Number of Sockets Supported",
 * Microsoft Learn). */
static fd_set *set_of(const struct pollfd *p, nfds_t n, short events) {
    fd_set *set = malloc(sizeof *set + n * sizeof(SOCKET));
    if (!set) return NULL;
    set->fd_count = 0;
    for (nfds_t i = 0; i < n; i++)
        if (p[i].events & events) set->fd_array[set->fd_count++] = p[i].fd;
    return set;
}

/* Waits by select, to which such an end is nothing to tell. It may be silent about a reset, so not for long. */
static void wait_past_ends(const struct pollfd *p, nfds_t n, int timeout_ms) {
    int ms = timeout_ms < 0 || timeout_ms > ENDS_MS ? ENDS_MS : timeout_ms;
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    fd_set *in = set_of(p, n, POLLIN), *out = set_of(p, n, POLLOUT);
    if (!in || !out || select(0, in, out, NULL, &wait) < 0) Sleep(ms < FAULT_MS ? (DWORD)ms : FAULT_MS);
    free(in);
    free(out);
}

static int without_ends(struct pollfd *p, nfds_t n, int got) {
    for (nfds_t i = 0; i < n && got > 0; i++)
        if (is_bare_end(&p[i])) p[i].revents = 0, got--;
    return got;
}

static int poll_real(struct pollfd *p, nfds_t n, int timeout_ms) {
    uint64_t end = svconn_deadline(timeout_ms);
    for (int left = timeout_ms;; left = svconn_time_left(end)) {
        int all = result(WSAPoll(p, n, left)), got = without_ends(p, n, all);
        if (got != 0 || all == 0 || left == 0) return got;
        wait_past_ends(p, n, left);
    }
}

/* poll(2) passes over negative descriptors; WSAPoll, whatever its documentation says, may call them invalid, and fails if
 * there are no others. So it sees the others only. */
int svconn_poll(struct pollfd *fds, nfds_t n, int timeout_ms) {
    struct pollfd few[32], *real = n <= 32 ? few : malloc(n * sizeof *real);
    nfds_t m = 0;
    int got = 0;
    if (!real) {
        errno = ENOMEM;
        return -1;
    }
    for (nfds_t i = 0; i < n; i++) {
        fds[i].revents = 0;
        if (fds[i].fd != INVALID_SOCKET) real[m++] = fds[i];
    }
    if (m) got = poll_real(real, m, timeout_ms);
    else Sleep(timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);
    m = 0;
    for (nfds_t i = 0; i < n && got > 0; i++)
        if (fds[i].fd != INVALID_SOCKET) fds[i].revents = real[m++].revents;
    if (real != few) free(real);
    return got;
}

/* ---- sockets ------------------------------------------------------------------------------------ */

/* Winsock wants to be asked once in each process; again does no harm. It is never told that we are done: others in the
 * process may use it. */
static BOOL CALLBACK start(INIT_ONCE *once, void *arg, void **context) {
    WSADATA about;
    (void)once;
    (void)arg;
    (void)context;
    return WSAStartup(MAKEWORD(2, 2), &about) == 0;
}

static int started(void) {
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    if (InitOnceExecuteOnce(&once, start, NULL, NULL)) return 0;
    errno = ENETDOWN;
    return -1;
}

static void set_option(SOCKET s, int level, int name, int value) {
    (void)setsockopt(s, level, name, (const char *)&value, sizeof value); /* improvements, not conditions */
}

/* Non-blocking, and not inherited by child processes */
static int prepare(SOCKET s) {
    u_long on = 1;
    if (s == INVALID_SOCKET) return failed();
    if (s > INT_MAX || ioctlsocket(s, (long)FIONBIO, &on) != 0) {
        (void)closesocket(s);
        errno = EMFILE;
        return -1;
    }
    (void)SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
    return (int)s;
}

int svconn_socket_new(int family, int protocol) {
    if (started() != 0) return -1;
    return prepare(socket(family, SOCK_STREAM, protocol));
}

int svconn_socket_accept(int listener) {
    int fd = prepare(accept((SOCKET)listener, NULL, NULL));
    if (fd >= 0) svconn_socket_at_once(fd);
    return fd;
}

void svconn_socket_at_once(int fd) { set_option((SOCKET)fd, IPPROTO_TCP, TCP_NODELAY, 1); }

int svconn_socket_error(int fd) {
    int error, size = sizeof error;
    if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_ERROR, (char *)&error, &size) != 0) return errno_of(WSAGetLastError());
    return error ? errno_of(error) : 0;
}

/* Until it is connected or refused. By select: WSAPoll does not tell of a refusal before Windows 10 version 2004. */
static int wait_connected(int fd, uint64_t end) {
    int left = svconn_time_left(end);
    struct timeval wait = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    fd_set done = {.fd_count = 1, .fd_array = {(SOCKET)fd}}, refused = done;
    int n = select(0, NULL, &done, &refused, left < 0 ? NULL : &wait);
    if (n < 0) return failed();
    if (n > 0) return 0;
    errno = ETIMEDOUT;
    return -1;
}

/* Begun, or there already: 0 */
int svconn_socket_begin(int fd, const struct sockaddr *to, socklen_t len) {
    if (connect((SOCKET)fd, to, len) == 0 || WSAGetLastError() == WSAEWOULDBLOCK) return 0;
    return failed();
}

int svconn_socket_connect(int fd, const struct sockaddr *to, socklen_t len, uint64_t end) {
    if (svconn_socket_begin(fd, to, len) != 0 || wait_connected(fd, end) != 0) return svconn_socket_close_failed(fd);
    int error = svconn_socket_error(fd);
    if (error == 0) return fd;
    errno = error;
    return svconn_socket_close_failed(fd);
}

int svconn_socket_here(int fd, struct sockaddr_storage *address, socklen_t *len) {
    *len = sizeof *address;
    return result(getsockname((SOCKET)fd, (struct sockaddr *)address, len));
}

int svconn_socket_there(int fd, struct sockaddr_storage *address, socklen_t *len) {
    *len = sizeof *address;
    return result(getpeername((SOCKET)fd, (struct sockaddr *)address, len));
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

/* SO_REUSEADDR is another thing here than elsewhere: it lets a second program take the port of the first. What keeps
 * others away is SO_EXCLUSIVEADDRUSE; and a port whose last connections are still ending can be had without either. */
int svconn_socket_listen(const struct sockaddr *at, socklen_t len) {
    int fd = svconn_socket_new(at->sa_family, 0);
    if (fd < 0) return -1;
    set_option((SOCKET)fd, SOL_SOCKET, (int)SO_EXCLUSIVEADDRUSE, 1);
    if (at->sa_family == AF_INET6) set_option((SOCKET)fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] takes IPv4 too */
    if (bind((SOCKET)fd, at, len) == 0 && listen((SOCKET)fd, SOMAXCONN) == 0) return fd;
    (void)failed();
    return svconn_socket_close_failed(fd);
}

int svconn_lookup(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list) {
    return started() == 0 ? getaddrinfo(host, port, hints, list) : EAI_FAIL;
}

const char *svconn_lookup_text(int error) {
    switch (error) {
    case EAI_NONAME: return "no such host is known";
    case EAI_AGAIN: return "the name servers do not answer; try again";
    case EAI_FAMILY: return "this machine has no addresses of that kind";
    case EAI_MEMORY: return "out of memory";
    default: return "the look-up failed";
    }
}
