/* SPDX-License-Identifier: ISC */
#include "target.h"

#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#ifndef _WIN32 /* there it is in ws2tcpip.h, which svconn_link.h has */
#include <netdb.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MS 60000

static int take_port(char port[6], const char *text) {
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len || atol(text) > 65535) return -1;
    snprintf(port, 6, "%hu", (unsigned short)atol(text));
    return 0;
}

static int take_host(target *t, const char *from, size_t len) {
    if (len == 0 || len >= sizeof t->host) return -1;
    memcpy(t->host, from, len);
    t->host[len] = 0;
    return strcspn(t->host, " \t\r\n") == len ? 0 : -1;
}

int target_parse(target *t, const char *text) {
    memset(t, 0, sizeof *t);
    if (strncmp(text, "unix:", 5) == 0) {
        if (target_unix_parse(t, text + 5) != 0) return -1;
        snprintf(t->text, sizeof t->text, "%s", text);
        return 0;
    }
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    if (take_port(t->port, port) != 0) return -1;
    int six = text[0] == '[';
    if (!colon) snprintf(t->host, sizeof t->host, "127.0.0.1");
    else if (six && (colon[-1] != ']' || take_host(t, text + 1, (size_t)(colon - text) - 2) != 0)) return -1;
    else if (!six && (take_host(t, text, (size_t)(colon - text)) != 0 || strchr(t->host, ':'))) return -1;
    snprintf(t->text, sizeof t->text, six ? "[%s]:%s" : "%s:%s", t->host, t->port);
    return 0;
}

/* ---- connecting ---- */

static void look_up(target *t) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *list = NULL;
    int max = (int)(sizeof t->address / sizeof t->address[0]);
    if (svconn_now() < t->fresh_until) return;
    t->fresh_until = svconn_now() + FRESH_MS;
    if (svconn_lookup(t->host, t->port, &hints, &list) != 0) return; /* what was known is better than nothing */
    t->n_addresses = 0;
    for (const struct addrinfo *a = list; a && t->n_addresses < max; a = a->ai_next) {
        memcpy(&t->address[t->n_addresses], a->ai_addr, a->ai_addrlen);
        t->address_len[t->n_addresses++] = (socklen_t)a->ai_addrlen;
    }
    freeaddrinfo(list);
}

static int connect_tcp(target *t, tunnel_end *end) {
    look_up(t);
    end->n_more = t->n_addresses;
    for (int i = 0; i < t->n_addresses; i++) { /* tried from the last to the first */
        end->more[t->n_addresses - 1 - i] = t->address[i];
        end->more_len[t->n_addresses - 1 - i] = t->address_len[i];
    }
    return tunnel_connect(end);
}

int target_connect(target *t, tunnel_end *end) {
    return t->path[0] ? target_unix_connect(t, end) : connect_tcp(t, end);
}

/* ---- listening ---- */

static void learn_port(target *t, int fd) {
    struct sockaddr_storage name;
    socklen_t len;
    if (svconn_socket_here(fd, &name, &len) != 0) return;
    (void)getnameinfo((struct sockaddr *)&name, len, NULL, 0, t->port, sizeof t->port, NI_NUMERICSERV);
    snprintf(t->text, sizeof t->text, strchr(t->host, ':') ? "[%s]:%s" : "%s:%s", t->host, t->port);
}

static int listen_tcp(target *t) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_flags = AI_PASSIVE}, *list = NULL;
    int wrong = svconn_lookup(t->host, t->port, &hints, &list);
    int fd = wrong ? -1 : svconn_socket_listen(list->ai_addr, (socklen_t)list->ai_addrlen);
    if (fd >= 0) learn_port(t, fd);
    else
        say("cannot listen on %s: %s%s", t->text, wrong ? svconn_lookup_text(wrong) : svconn_errno_text(errno),
            !wrong && errno == EADDRINUSE ? "; put another port in front, such as 0=TARGET (the system chooses)"
            : !wrong && errno == EACCES ? "; ports below 1024 are not for everybody: put another one in front, such as "
                                          "8080=TARGET"
                                        : "");
    if (!wrong) freeaddrinfo(list);
    return fd;
}

int target_listen(target *t) { return t->path[0] ? target_unix_listen(t) : listen_tcp(t); }
