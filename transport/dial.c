/* SPDX-License-Identifier: ISC */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"

int svconn_dial(const svconn_address *a, const char *via, uint64_t end, svconn_why *why) {
    if (via) return svconn_because(why, "%.150s: no proxies yet", a->text);
    return svconn_tcp_connect(a, end, why);
}
