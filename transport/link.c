/* SPDX-License-Identifier: ISC */
/* Opening and closing links of every kind. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

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
    case SVCONN_ADDRESS_FD: return svconn_given_open(l, a, why);
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
        svconn_fd_close(fd);
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

static void close_end(int fd, int saved_flags) {
    if (fd < 0) return;
    if (saved_flags >= 0) svconn_given_close(fd, saved_flags);
    else svconn_fd_close(fd);
}

void svconn_link_close(svconn_link *l) {
    static const svconn_link none = SVCONN_LINK_NONE;
    if (l->ops && l->ops->close) l->ops->close(l);
    if (l->in >= 0) svconn_fd_drop_unread(l->in);
    close_end(l->in, l->saved_in_flags);
    if (l->out != l->in) close_end(l->out, l->saved_out_flags);
    svconn_child_end(l->child);
    *l = none;
}

void svconn_link_peer(const svconn_link *l, char *out, size_t size) {
    struct sockaddr_storage s;
    socklen_t len;
    if (l->ops && l->ops->peer) l->ops->peer(l, out, size);
    else if (l->in < 0 || l->out < 0) snprintf(out, size, "nobody");
    else if (l->child) snprintf(out, size, "a child process");
    else if (svconn_rfcomm_peer(l->in, out, size) == 0) return;
    else if (svconn_socket_there(l->in, &s, &len) == 0) svconn_socket_name(out, size, &s, len);
    else if (errno == ENOTCONN || errno == EINVAL) snprintf(out, size, "a peer that is gone");
    else if (l->in == 0 && l->out == 1) snprintf(out, size, "standard input and output");
    else if (l->in == l->out) snprintf(out, size, "descriptor %d", l->in);
    else snprintf(out, size, "descriptors %d and %d", l->in, l->out);
}
