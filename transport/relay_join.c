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

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* then SO_NOSIGPIPE was set */
#endif

#define ANSWER_MAX 200

static int send_line(int fd, const char *line, uint64_t end) {
    size_t len = strlen(line), at = 0;
    while (at < len) {
        ssize_t n = send(fd, line + at, len - at, MSG_NOSIGNAL);
        if (n > 0) at += (size_t)n;
        else if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        else if (svconn_wait(fd, POLLOUT, end) != 0) return -1;
    }
    return 0;
}

/* One line without its newline. Byte by byte, because the byte behind the newline belongs to the session. A line that
 * is cut or too long: -1, errno 0. */
static int read_line(int fd, char line[ANSWER_MAX], uint64_t end) {
    size_t at = 0;
    while (at < ANSWER_MAX - 1) {
        ssize_t n = recv(fd, line + at, 1, 0);
        if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        if (n < 0) {
            if (svconn_wait(fd, POLLIN, end) != 0) return -1;
            continue;
        }
        if (n == 0) break;
        if (line[at] == '\n') {
            line[at] = 0;
            return 0;
        }
        at++;
    }
    line[at] = 0;
    errno = 0;
    return -1;
}

/* It goes to logs and terminals, and a stranger wrote it. */
static void make_printable(char *text) {
    for (; *text; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}

int svconn_relay_join(int fd, const svconn_address *a, const char *word, uint64_t end, svconn_why *why) {
    char line[ANSWER_MAX];
    snprintf(line, sizeof line, "svconn-relay 1 %s %s\n", word, a->token);
    if (send_line(fd, line, end) == 0 && read_line(fd, line, end) == 0) {
        if (strcmp(line, "ok") == 0) return 0;
        make_printable(line);
        if (strncmp(line, "no ", 3) == 0)
            return svconn_because(why, "%.150s: the relay refused: %.100s", a->text, line + 3);
        return svconn_because(why, "%.150s: this is no svconn relay: it answered \"%.60s\"", a->text, line);
    }
    if (errno == ETIMEDOUT)
        return svconn_because(why, "%.150s: no partner came in time; is the other party there, with the same token?",
                              a->text);
    if (errno == 0)
        return svconn_because(why, "%.150s: the relay ended the connection without an answer, or is no svconn relay",
                              a->text);
    return svconn_because(why, "%.150s: lost the relay before a partner came: %s", a->text, strerror(errno));
}
