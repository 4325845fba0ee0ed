/* SPDX-License-Identifier: ISC */
/* The kinds of links that are not there on Windows. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"

static int absent(const svconn_address *a, svconn_why *why) {
    return svconn_because(why, "%.150s: not on Windows; there tcp://, relay://, ws:// and wormhole:// can be used",
                          a->text);
}

int svconn_unix_connect(const svconn_address *a, uint64_t end, svconn_why *why) {
    (void)end;
    return absent(a, why);
}

int svconn_unix_listen(const svconn_address *a, long *owner, svconn_why *why) {
    (void)owner;
    return absent(a, why);
}

void svconn_unix_unlink(const svconn_address *a, long owner) {
    (void)a;
    (void)owner;
}

int svconn_given_open(svconn_link *l, const svconn_address *a, svconn_why *why) {
    (void)l;
    return absent(a, why);
}

void svconn_given_close(int fd, int flags) {
    (void)flags;
    svconn_fd_close(fd);
}

int svconn_child_start(svconn_link *l, const svconn_address *a, svconn_why *why) {
    (void)l;
    return absent(a, why);
}

void svconn_child_end(long child) { (void)child; }

int svconn_spool_call(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    (void)l;
    (void)end;
    return absent(a, why);
}

int svconn_spool_accept(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    return svconn_spool_call(l, a, end, why);
}

int svconn_spool_listen(const svconn_address *a, svconn_why *why) { return absent(a, why); }

int svconn_rfcomm_connect(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    (void)l;
    (void)end;
    return absent(a, why);
}

int svconn_rfcomm_listen(svconn_listener *n, const svconn_address *a, svconn_why *why) {
    (void)n;
    return absent(a, why);
}

int svconn_rfcomm_peer(int fd, char *out, size_t size) {
    (void)fd;
    (void)out;
    (void)size;
    return -1;
}

int svconn_serial_call(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    (void)l;
    (void)end;
    return absent(a, why);
}

int svconn_serial_plain(svconn_link *l, const svconn_address *a, svconn_why *why) {
    (void)l;
    return absent(a, why);
}

int svconn_serial_listen(svconn_listener *n, const svconn_address *a, svconn_why *why) {
    (void)n;
    return absent(a, why);
}
