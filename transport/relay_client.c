/* SPDX-License-Identifier: ISC */
/* The calling side at a relay. */
#include "svconn_posix.h" /* first */
#include "relay_talk.h"

int svconn_relay_call(svconn_link *l, const svconn_address *a, const svconn_link_options *options, uint64_t end,
                      svconn_why *why) {
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    if (a->meet == SVCONN_MEET_NEW)
        return svconn_talk_because(a, SVCONN_FAULT_LOCAL,
                                   "to call, a token or the public key of a machine is needed behind the /", why);
    uint8_t kind = a->meet == SVCONN_MEET_KEY ? RELAY_CALL_NAME : RELAY_CALL;
    svconn_talk *t = svconn_talk_open(a, options, kind, end, why);
    if (!t) return -1;
    int bad = svconn_talk_expect(t, RELAY_JOINED, 2, msg, &len, why) != 0 ||
              svconn_talk_link(t, msg, SVCONN_CLIENT, l, why) != 0;
    svconn_talk_end(t, !bad);
    return bad ? -1 : 0;
}
