/* SPDX-License-Identifier: ISC */
/*
 * The join of the first relay. A party sends one line, "svconn-relay 1 listen TOKEN" (it will be the SERVER) or
 * "svconn-relay 1 call TOKEN" (the CLIENT). When both are there each gets the line "ok", and every byte behind it is
 * the other party's. Or "no REASON", and the end.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 200

int svconn_relay_join(int fd, const svconn_address *a, const char *word, uint64_t end, svconn_why *why) {
    char line[ANSWER_MAX];
    snprintf(line, sizeof line, "svconn-relay 1 %s %s\n", word, a->token);
    if (svconn_send_exact(fd, line, strlen(line), end) == 0 &&
        svconn_recv_text(fd, line, sizeof line, "\n", end) == 0) {
        line[strlen(line) - 1] = 0;
        if (strcmp(line, "ok") == 0) return 0;
        svconn_printable(line);
        if (strncmp(line, "no ", 3) == 0)
            return svconn_because(why, "%.150s: the relay refused: %.100s", a->text, line + 3);
        return svconn_because(why, "%.150s: this is no svconn relay: it answered \"%.60s\"", a->text, line);
    }
    if (errno == ETIMEDOUT)
        return svconn_because(why, "%.150s: no partner came in time; is the other party there, with the same token?",
                              a->text);
    if (errno == 0 || errno == EMSGSIZE)
        return svconn_because(why, "%.150s: the relay ended the connection without an answer, or is no svconn relay",
                              a->text);
    return svconn_because(why, "%.150s: lost the relay before a partner came: %s", a->text, strerror(errno));
}
