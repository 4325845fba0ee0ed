/* SPDX-License-Identifier: ISC */
/* Opening and closing links of every kind. Descriptors that were given (fd:, stdio:) are taken over: changed, given
 * back their flags, closed. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- given descriptors -------------------------------------------------------------------------- */

/* Can fd be one half of a link? Then *flags are its present ones. wrong_mode: O_WRONLY for the input, O_RDONLY for the
 * output. */
static int inspect(int fd, int wrong_mode, int *flags, svconn_why *why) {
    int type;
    socklen_t len = sizeof type;
    *flags = fcntl(fd, F_GETFL);
    if (*flags < 0) return svconn_because(why, "descriptor %d is not open", fd);
    if ((*flags & O_ACCMODE) == wrong_mode)
        return svconn_because(why, "descriptor %d is open for %s only; two one-way descriptors are given as fd:IN,OUT",
                              fd, wrong_mode == O_WRONLY ? "writing" : "reading");
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type != SOCK_STREAM)
        return svconn_because(why, "descriptor %d is a socket, but not a stream", fd);
    return 0;
}

static int take_over(int fd, int flags) {
#ifdef SO_NOSIGPIPE
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (fd > 2) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Both are inspected before one is changed: the two may share one open file, and then its flags. */
static int open_given(svconn_link *l, const svconn_address *a, svconn_why *why) {
    int in_flags, out_flags;
    if (inspect(a->in, O_WRONLY, &in_flags, why) != 0 || inspect(a->out, O_RDONLY, &out_flags, why) != 0) return -1;
    if (take_over(a->in, in_flags) != 0 || take_over(a->out, out_flags) != 0) {
        svconn_because(why, "cannot make descriptor %d or %d non-blocking: %s", a->in, a->out, strerror(errno));
        (void)fcntl(a->in, F_SETFL, in_flags);
        return -1;
    }
    l->in = a->in;
    l->out = a->out;
    l->saved_in_flags = in_flags;
    l->saved_out_flags = out_flags;
    return 0;
}

/* Standard descriptors are not closed but led to /dev/null: else the next open would take their number, and a later
 * printf would write there. */
static void close_given(int fd, int flags) {
    (void)fcntl(fd, F_SETFL, flags);
    int null = fd <= 2 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null < 0 || dup2(null, fd) < 0) close(fd);
    if (null >= 0 && null != fd) close(null);
}

/* ---- open, close -------------------------------------------------------------------------------- */

static int open_socket(svconn_link *l, int fd) {
    if (fd < 0) return -1;
    l->in = l->out = fd;
    return 0;
}

int svconn_link_open_as(svconn_link *l, const svconn_address *a, const svconn_link_options *options, int listening,
                        uint64_t end, svconn_why *why) {
    static const svconn_link none = SVCONN_LINK_NONE;
    const char *via = options ? options->via : NULL;
    *l = none;
    if (via && !svconn_address_is_dialled(a))
        return svconn_because(why, "%.150s: proxies lead to a host and a port only", a->text);
    switch (a->kind) {
    case SVCONN_ADDRESS_TCP: return open_socket(l, svconn_dial(a, via, end, why));
    case SVCONN_ADDRESS_UNIX: return open_socket(l, svconn_unix_connect(a, end, why));
    case SVCONN_ADDRESS_FD: return open_given(l, a, why);
    case SVCONN_ADDRESS_EXEC: return svconn_child_start(l, a, why);
    case SVCONN_ADDRESS_WEBSOCKET:
        return listening ? svconn_websocket_listen(a, why) : svconn_websocket_open(l, a, via, end, why);
    case SVCONN_ADDRESS_SPOOL:
        return listening ? svconn_spool_accept(l, a, end, why) : svconn_spool_call(l, a, end, why);
    case SVCONN_ADDRESS_RELAY: return svconn_relay_call(l, a, options, end, why);
    case SVCONN_ADDRESS_RFCOMM: return svconn_rfcomm_connect(l, a, end, why);
    case SVCONN_ADDRESS_SERIAL: return a->marks ? svconn_serial_call(l, a, end, why) : svconn_serial_plain(l, a, why);
    case SVCONN_ADDRESS_WORMHOLE: break;
    }
    int fd = svconn_dial(a, via, end, why);
    if (fd < 0) return -1;
    if (svconn_wormhole_join(fd, a, end, why) != 0) {
        close(fd);
        return -1;
    }
    snprintf(l->context, sizeof l->context, "wormhole %s", a->code);
    return open_socket(l, fd);
}

int svconn_link_open_with(svconn_link *l, const char *address, const svconn_link_options *options, int timeout_ms,
                          svconn_why *why) {
    static const svconn_link none = SVCONN_LINK_NONE;
    svconn_address a;
    *l = none;
    if (svconn_address_parse(&a, address, why) != 0) return -1;
    return svconn_link_open_as(l, &a, options, 0, svconn_deadline(timeout_ms), why);
}

int svconn_link_open(svconn_link *l, const char *address, int timeout_ms, svconn_why *why) {
    return svconn_link_open_with(l, address, NULL, timeout_ms, why);
}

svconn_err svconn_link_context(const svconn_link *l, uint8_t out[255], size_t *out_len, const void *own,
                               size_t own_len) {
    size_t more = l->context[0] ? strlen(l->context) + 1 : 0;
    if (own_len > 255 || own_len + more > 255) return SVCONN_E_SIZE;
    if (own_len) memcpy(out, own, own_len);
    if (more) {
        out[own_len] = 0;
        memcpy(out + own_len + 1, l->context, more - 1);
    }
    *out_len = own_len + more;
    return SVCONN_OK;
}

/* A TCP socket that is closed with bytes unread is reset at once, and what we wrote last may never leave. So take them
 * out, without waiting. */
static void drop_unread(int fd) {
    uint8_t bytes[4096];
    for (int i = 0; i < 256; i++)
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0) break; /* a pipe: ENOTSOCK */
}

static void close_end(int fd, int saved_flags) {
    if (fd < 0) return;
    if (saved_flags >= 0) close_given(fd, saved_flags);
    else close(fd);
}

void svconn_link_close(svconn_link *l) {
    static const svconn_link none = SVCONN_LINK_NONE;
    if (l->ops && l->ops->close) l->ops->close(l);
    if (l->in >= 0) drop_unread(l->in);
    close_end(l->in, l->saved_in_flags);
    if (l->out != l->in) close_end(l->out, l->saved_out_flags);
    svconn_child_end(l->child);
    *l = none;
}

void svconn_link_peer(const svconn_link *l, char *out, size_t size) {
    struct sockaddr_storage s;
    socklen_t len = sizeof s;
    if (l->ops && l->ops->peer) l->ops->peer(l, out, size);
    else if (l->in < 0 || l->out < 0) snprintf(out, size, "nobody");
    else if (l->child) snprintf(out, size, "a child process");
    else if (svconn_rfcomm_peer(l->in, out, size) == 0) return;
    else if (getpeername(l->in, (struct sockaddr *)&s, &len) == 0) svconn_socket_name(out, size, &s, len);
    else if (errno == ENOTCONN || errno == EINVAL) snprintf(out, size, "a peer that is gone");
    else if (l->in == 0 && l->out == 1) snprintf(out, size, "standard input and output");
    else if (l->in == l->out) snprintf(out, size, "descriptor %d", l->in);
    else snprintf(out, size, "descriptors %d and %d", l->in, l->out);
}
