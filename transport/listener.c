/* SPDX-License-Identifier: ISC */
/* Waiting for links. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RELAY_MS 10000  /* for a relay to give a token, or to take a name */
#define SHORTAGE_MS 100 /* before a shortage is reported: a caller who tries again at once must not spin */

/* ---- listen ------------------------------------------------------------------------------------- */

static void full_tcp_address(svconn_listener *n) {
    struct sockaddr_storage s;
    socklen_t len;
    char name[120];
    if (svconn_socket_here(n->fd, &s, &len) != 0) return;
    svconn_socket_name(name, sizeof name, &s, len);
    snprintf(n->address, sizeof n->address, "tcp://%s", name);
}

int svconn_listen(svconn_listener *n, const char *address, svconn_why *why) {
    return svconn_listen_with(n, address, NULL, why);
}

int svconn_listen_with(svconn_listener *n, const char *address, const svconn_link_options *options, svconn_why *why) {
    svconn_address a;
    memset(n, 0, sizeof *n);
    n->fd = -1;
    n->spent = 1;
    if (svconn_address_parse(&a, address, why) != 0) return -1;
    if (strlen(address) >= sizeof n->address)
        return svconn_because(why, "address \"%.100s...\": too long to listen on, %zu bytes are the most", address,
                              sizeof n->address - 1);
    if (options && options->via && svconn_via_check(options->via, why) != 0) return -1;
    if (options && options->via && (a.kind == SVCONN_ADDRESS_TCP || !svconn_address_is_dialled(&a)))
        return svconn_because(why, "%.150s: cannot listen there through a proxy", address);
    memcpy(n->address, address, strlen(address) + 1);
    n->kind = (int)a.kind;
    if (a.kind == SVCONN_ADDRESS_WEBSOCKET) return svconn_websocket_listen(&a, why);
    if (a.kind == SVCONN_ADDRESS_SPOOL && svconn_spool_listen(&a, why) != 0) return -1;
    n->options = options;
    n->spent = 0;
    switch (a.kind) {
    case SVCONN_ADDRESS_TCP: n->fd = svconn_tcp_listen(&a, why); break;
    case SVCONN_ADDRESS_UNIX: n->fd = svconn_unix_listen(&a, &n->owner, why); break;
    case SVCONN_ADDRESS_RELAY: (void)svconn_relay_listen(n, &a, svconn_deadline(RELAY_MS), why); break;
    case SVCONN_ADDRESS_RFCOMM: (void)svconn_rfcomm_listen(n, &a, why); break;
    case SVCONN_ADDRESS_SERIAL:
        if (!a.marks) return 0;
        (void)svconn_serial_listen(n, &a, why);
        break;
    default: return 0; /* nothing to do before the first accept */
    }
    n->spent = n->fd < 0;
    if (n->fd < 0) return -1;
    if (a.kind == SVCONN_ADDRESS_TCP) full_tcp_address(n);
    return 0;
}

void svconn_listener_close(svconn_listener *n) {
    svconn_address a;
    if (n->ops) n->ops->close(n);
    else if (n->fd >= 0) {
        if (n->kind == SVCONN_ADDRESS_UNIX && svconn_address_parse(&a, n->address, NULL) == 0)
            svconn_unix_unlink(&a, n->owner);
        svconn_fd_close(n->fd);
    }
    n->ops = NULL;
    n->fd = -1;
    n->spent = 1;
}

/* ---- accept ------------------------------------------------------------------------------------- */

/* The connection that was waiting has a fault of its own or is gone (accept(2) of Linux passes on network errors of the
 * new socket; accept of Windows says that it was reset): wait for the next. */
static int is_transient(int error) {
    switch (error) {
    case EINTR:
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case ECONNABORTED:
    case ECONNRESET:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ETIMEDOUT: return 1;
    default: return 0;
    }
}

static int is_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

int svconn_socket_accept_one(const int *fd, int count, const char *address, uint64_t end, svconn_why *why) {
    do {
        int ready = svconn_wait_any(fd, count, POLLIN, end);
        if (ready < 0) {
            if (errno != ETIMEDOUT) break;
            return svconn_because(why, "nobody connected to %.200s in time", address);
        }
        int one = svconn_socket_accept(fd[ready]);
        if (one >= 0) return one;
    } while (is_transient(errno) && svconn_time_left(end) != 0);
    int error = errno;
    if (is_transient(error)) return svconn_because(why, "who connected to %.200s is gone again", address);
    if (!is_shortage(error)) return svconn_because(why, "cannot accept on %.200s: %s", address, svconn_errno_text(error));
    int left = svconn_time_left(end);
    svconn_nap(left < 0 || left > SHORTAGE_MS ? SHORTAGE_MS : left);
    return svconn_because(why, "cannot accept on %.150s: %s (too many connections at once? see ulimit -n)", address,
                          svconn_errno_text(error));
}

static int accept_socket(svconn_listener *n, svconn_link *l, uint64_t end, svconn_why *why) {
    int fd = svconn_socket_accept_one(&n->fd, 1, n->address, end, why);
    if (fd < 0) return -1;
    l->in = l->out = fd;
    return 0;
}

int svconn_listener_accept(svconn_listener *n, svconn_link *l, int timeout_ms, svconn_why *why) {
    static const svconn_link none = SVCONN_LINK_NONE;
    svconn_address a;
    uint64_t end = svconn_deadline(timeout_ms);
    *l = none;
    if (n->ops) return n->ops->accept(n, l, end, why);
    if (n->fd >= 0) return accept_socket(n, l, end, why);
    if (n->spent && n->address[0])
        return svconn_because(why, "%.200s: its only link was given out already, or it is closed", n->address);
    if (n->spent) return svconn_because(why, "not listening");
    if (svconn_address_parse(&a, n->address, why) != 0) return -1;
    if (a.kind != SVCONN_ADDRESS_SPOOL && a.kind != SVCONN_ADDRESS_WORMHOLE) n->spent = 1;
    return svconn_link_open_as(l, &a, n->options, 1, end, why);
}

nfds_t svconn_listener_want(const svconn_listener *n, struct pollfd fds[SVCONN_LISTENER_FDS], int *timeout_ms) {
    if (n->ops) return n->ops->want(n, fds, timeout_ms);
    if (n->fd < 0) return 0;
    fds[0] = svconn_pollfd(n->fd, POLLIN);
    return 1;
}
