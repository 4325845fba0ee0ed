/* SPDX-License-Identifier: ISC */
#include "loopback.h"

#include "svconn_link.h"

#include <errno.h>
#include <string.h>

enum { OPEN_MS = 5000, STRANGERS = 50 };

/* Another process could have been faster to connect to our port: is it us who are at the other end? */
static int is_ours(int one, int other) {
    struct sockaddr_storage a, b;
    socklen_t a_len, b_len;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    return svconn_socket_here(one, &a, &a_len) == 0 && svconn_socket_there(other, &b, &b_len) == 0 && a_len == b_len &&
           memcmp(&a, &b, (size_t)a_len) == 0;
}

/* Strangers who were faster stand before us in the queue. */
static int accept_ours(svconn_listener *n, const svconn_link *one, svconn_link *other) {
    for (int i = 0; i < STRANGERS && svconn_listener_accept(n, other, OPEN_MS, NULL) == 0; i++) {
        if (is_ours(one->in, other->in)) return 1;
        svconn_link_close(other);
    }
    return 0;
}

int loopback(int pair[2]) {
    svconn_listener n;
    svconn_link one, other = SVCONN_LINK_NONE;
    if (svconn_listen(&n, "tcp://127.0.0.1:0", NULL) != 0) return -1;
    int ok = svconn_link_open(&one, n.address, OPEN_MS, NULL) == 0 && accept_ours(&n, &one, &other);
    svconn_listener_close(&n);
    if (ok) {
        pair[0] = one.in;
        pair[1] = other.in;
        return 0;
    }
    svconn_link_close(&one);
    svconn_link_close(&other);
    errno = ENETDOWN;
    return -1;
}
