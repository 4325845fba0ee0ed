/* SPDX-License-Identifier: ISC */
/*
 * The transit relay of magic-wormhole: both parties dial and send one line with the same token; when both are there
 * each gets "ok", and every byte behind it is the other party's. Who sends more than the line before that is thrown
 * out. (https://github.com/magic-wormhole/magic-wormhole-protocols, transit.md)
 *
 * The side tells a party that dials again from the other one. It is made anew for each connection: a listener that was
 * left by its caller is not kept from meeting the next.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 100

static int send_line(int fd, const svconn_address *a, const uint8_t side[8], uint64_t end) {
    char line[64 + 60];
    snprintf(line, sizeof line, "please relay %s for side %02x%02x%02x%02x%02x%02x%02x%02x\n", a->code, side[0],
             side[1], side[2], side[3], side[4], side[5], side[6], side[7]);
    return svconn_send_exact(fd, line, strlen(line), end);
}

int svconn_wormhole_join(int fd, const svconn_address *a, uint64_t end, svconn_why *why) {
    char answer[ANSWER_MAX];
    uint8_t side[8];
    if (svconn_random(side, sizeof side) != 0) return svconn_because(why, "the system gives no random bytes");
    if (send_line(fd, a, side, end) == 0 && svconn_recv_text(fd, answer, sizeof answer, "\n", end) == 0) {
        if (strcmp(answer, "ok\n") == 0) return 0;
        answer[strlen(answer) - 1] = 0;
        svconn_printable(answer);
        return svconn_because_of(why, SVCONN_FAULT_RELAY_REFUSED,
                                 "%.150s: the relay refused, or is no transit relay: it answered \"%.60s\"", a->text,
                                 answer);
    }
    if (errno == ETIMEDOUT)
        return svconn_because_of(why, SVCONN_FAULT_NOT_THERE,
                                 "%.150s: no partner came in time; is the other party there, with the same token?",
                                 a->text);
    if (errno == 0 || errno == EMSGSIZE)
        return svconn_because_of(why, SVCONN_FAULT_CUT,
                                 "%.150s: the relay ended the connection before a partner came, or is no transit relay",
                                 a->text);
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.150s: lost the relay before a partner came: %s", a->text,
                             svconn_errno_text(errno));
}
