/* SPDX-License-Identifier: ISC */
/* Targets of serve and forward: PORT (on this machine), HOST:PORT, [IPV6]:PORT, unix:PATH. */
#ifndef SVCONN_CMD_TARGET_H
#define SVCONN_CMD_TARGET_H

#include "tunnel.h"

#define TARGET_TEXT 300

typedef struct {
    char host[256]; /* "": a UNIX socket */
    char port[6];
    char path[108];
    char text[TARGET_TEXT]; /* in full: 127.0.0.1:5900, unix:/run/x */
    /* What the host's name led to, and until when that is believed: the system's look-up makes everybody wait. */
    struct sockaddr_storage address[4];
    socklen_t address_len[4];
    int n_addresses;
    uint64_t fresh_until;
} target;

/* 0, or -1: it is none of them. */
int target_parse(target *t, const char *text);

/* Begins to connect. 0, or a tunnel_reason. */
int target_connect(target *t, tunnel_end *end);

/* Listens there (a port: on 127.0.0.1, unless a host is given). The descriptor, or -1 after it said why. Port 0: the
 * system chooses; t->text and t->port say which. A UNIX socket is for our user alone; one that nobody listens on is
 * replaced. */
int target_listen(target *t);

/* target_unix.c: their parts for a path. */
int target_unix_parse(target *t, const char *path);
int target_unix_connect(const target *t, tunnel_end *end);
int target_unix_listen(const target *t);

#endif
