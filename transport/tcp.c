/* SPDX-License-Identifier: ISC */
/* TCP: connect with a deadline, listen. */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#ifndef _WIN32
#include <netdb.h>
#include <netinet/in.h>
#endif

const char *svconn_socket_hint(int error) {
    switch (error) {
    case ECONNREFUSED: return " (nobody listens there)";
    case ETIMEDOUT: return " (no answer: wrong host, or a firewall?)";
    case ENOENT: return " (no such socket; is the server running?)";
    case EADDRINUSE: return " (somebody listens there already)";
    case EADDRNOTAVAIL: return " (that is no address of this machine)";
    case EACCES: return " (not permitted to this user)";
    default: return "";
    }
}

int svconn_socket_close_failed(int fd) {
    int saved = errno;
    svconn_fd_close(fd);
    errno = saved;
    return -1;
}

/* flags: AI_PASSIVE or 0. Numbers and names; NULL and *why if there are none. */
static struct addrinfo *look_up(const svconn_address *a, int flags, svconn_why *why) {
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    int err = svconn_lookup(a->host[0] ? a->host : NULL, a->port, &hints, &list);
    if (err == 0 && list) return list;
    svconn_because_of(why, flags & AI_PASSIVE ? SVCONN_FAULT_LOCAL : SVCONN_FAULT_UNREACHABLE,
                      "%.150s: cannot find the host \"%.80s\": %s", a->text, a->host,
                      svconn_lookup_text(err));
    return NULL;
}

/* When to go on to the next of n addresses: each gets an equal part of the time that is left, so a dead first one
 * leaves some for the others. */
static uint64_t part_of(uint64_t end, int n) {
    if (end == UINT64_MAX) return end;
    return svconn_now() + (uint64_t)svconn_time_left(end) / (uint64_t)n;
}

static int connect_to(const struct sockaddr *to, socklen_t len, uint64_t end) {
    int fd = svconn_socket_new(to->sa_family, 0);
    return fd < 0 ? -1 : svconn_socket_connect(fd, to, len, end);
}

int svconn_tcp_connect(const svconn_address *a, uint64_t end, svconn_why *why) {
    int fd = -1, left = 0, tried = 0, error = 0;
    if (!a->host[0] || strcmp(a->port, "0") == 0)
        return svconn_because(why, "%.150s: a host and a port other than 0 are needed to connect", a->text);
    struct addrinfo *list = look_up(a, 0, why);
    if (!list) return -1;
    for (struct addrinfo *i = list; i; i = i->ai_next) left++;
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next, left--, tried++) {
        fd = connect_to(i->ai_addr, (socklen_t)i->ai_addrlen, part_of(end, left));
        if (fd < 0 && (!error || errno != EAFNOSUPPORT)) error = errno;
    }
    freeaddrinfo(list);
    if (fd < 0 && tried > 1)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "cannot connect to %.150s (%d addresses tried): %s%s",
                                 a->text, tried, svconn_errno_text(error), svconn_socket_hint(error));
    if (fd < 0)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "cannot connect to %.150s: %s%s", a->text,
                                 svconn_errno_text(error), svconn_socket_hint(error));
    svconn_socket_at_once(fd);
    return fd;
}

/* Without a host: every address of the machine, so IPv6 first, because that socket takes IPv4 too. */
int svconn_tcp_listen(const svconn_address *a, svconn_why *why) {
    int fd = -1, error = 0;
    struct addrinfo *list = look_up(a, AI_PASSIVE, why);
    if (!list) return -1;
    for (struct addrinfo *i = list; i && fd < 0 && !a->host[0]; i = i->ai_next)
        if (i->ai_family == AF_INET6) fd = svconn_socket_listen(i->ai_addr, (socklen_t)i->ai_addrlen);
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next) {
        fd = svconn_socket_listen(i->ai_addr, (socklen_t)i->ai_addrlen);
        if (fd < 0 && (!error || errno != EAFNOSUPPORT)) error = errno;
    }
    freeaddrinfo(list);
    if (fd < 0) return svconn_because(why, "cannot listen on %.150s: %s%s", a->text, svconn_errno_text(error), svconn_socket_hint(error));
    return fd;
}

void svconn_socket_name(char *out, size_t size, const void *address, socklen_t len) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct sockaddr_storage s;
    char host[100], port[10];
    memset(&s, 0, sizeof s);
    memcpy(&s, address, (size_t)len < sizeof s ? (size_t)len : sizeof s);
    if (s.ss_family == AF_UNIX) {
        snprintf(out, size, "a local process");
        return;
    }
    if (getnameinfo((struct sockaddr *)&s, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, size, "an unknown address");
        return;
    }
    const uint8_t *v6 = ((struct sockaddr_in6 *)&s)->sin6_addr.s6_addr;
    if (s.ss_family != AF_INET6) snprintf(out, size, "%s:%s", host, port);
    else if (memcmp(v6, mapped, sizeof mapped) == 0)
        snprintf(out, size, "%u.%u.%u.%u:%s", v6[12], v6[13], v6[14], v6[15], port);
    else snprintf(out, size, "[%s]:%s", host, port);
}
