/* SPDX-License-Identifier: ISC */
/* Answers are made at once and whole, so that they fit together, and go out as their readers take them. */
#include "control.h"

#include "control_socket.h"
#include "home.h"
#include "svconn_link.h"
#include "talk.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)8 << 20)

typedef struct {
    int fd; /* -1: free */
    size_t place;
    uint64_t until;
    char request[CONTROL_REQUEST + 1];
    size_t got;
    char *answer; /* NULL: the request is not complete */
    size_t len, size, at;
} client;

struct control {
    control_socket *socket;
    char path[HOME_PATH];
    const control_ops *ops;
    int takes; /* there was room for another client when the round began */
    client clients[CONTROL_CLIENTS];
};

/* ---- the place ---------------------------------------------------------------------------------- */

/* 0, or -1 after it said why. */
static int usual_path(char path[HOME_PATH], const char *command) {
    char directory[HOME_PATH - 100];
    if (home_runtime(path) != 0) {
        say("there is no directory for the control socket that is yours alone; set %s to one", home_runtime_from);
        return -1;
    }
    snprintf(directory, sizeof directory, "%s", path); /* if it is cut, it is too long for a socket anyway */
    snprintf(path, HOME_PATH, "%s/%.40s-%ld.sock", directory, command, (long)getpid());
    return 0;
}

control *control_open(const char *command, const char *path, const control_ops *ops) {
    control *c = calloc(1, sizeof *c);
    if (!c) {
        say("%s: out of memory; \"svconn sessions\" will not see this process", command);
        return NULL;
    }
    c->ops = ops;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) c->clients[i].fd = -1;
    if (path) snprintf(c->path, sizeof c->path, "%s", path);
    if (path || usual_path(c->path, command) == 0) {
        c->socket = control_socket_open(c->path);
        if (c->socket) return c;
        say("cannot make the control socket %s: %s; give another place with --control", c->path,
            control_socket_error(errno));
    }
    free(c);
    return NULL;
}

/* ---- answers ------------------------------------------------------------------------------------ */

/* 0, or -1: no memory, or more than anybody needs. */
static int add(client *k, const char *bytes, size_t n) {
    if (k->len + n >= k->size) { /* also the first time, with nothing */
        size_t size = 2 * (k->len + n) + 1000;
        char *more = size > ANSWER_MAX ? NULL : realloc(k->answer, size);
        if (!more) return -1;
        k->answer = more;
        k->size = size;
    }
    memcpy(k->answer + k->len, bytes, n);
    k->len += n;
    return 0;
}

static int add_sessions(const control *c, client *k) {
    char line[CONTROL_LINE + 1];
    size_t n;
    for (size_t i = 0; (n = c->ops->list(c->ops->arg, i, line, CONTROL_LINE)) != 0; i++) {
        if (n >= CONTROL_LINE) continue;
        line[n] = '\n';
        if (add(k, line, n + 1) != 0) return -1;
    }
    return 0;
}

/* 1 if the request is "end N". */
static int is_end(const char *request, unsigned long *n) {
    char *rest;
    if (strncmp(request, "end ", 4) != 0 || request[4] < '0' || request[4] > '9') return 0;
    errno = 0;
    *n = strtoul(request + 4, &rest, 10);
    return !errno && !*rest;
}

/* 0, or -1: there is no memory for it. */
static int make_answer(const control *c, client *k) {
    char line[100];
    unsigned long n;
    if (strcmp(k->request, "list") == 0) {
        if (add_sessions(c, k) == 0) return 0;
        k->len = 0;
        snprintf(line, sizeof line, "{\"error\":\"there is not enough memory for the list; ask again later\"}\n");
    } else if (is_end(k->request, &n)) {
        int ended = c->ops->end(c->ops->arg, n);
        snprintf(line, sizeof line, ended ? "{\"ended\":%lu}\n" : "{\"error\":\"there is no session %lu\"}\n", n);
    } else {
        snprintf(line, sizeof line, "{\"error\":\"a request is list or end N\"}\n");
    }
    return add(k, line, strlen(line));
}

/* ---- clients ------------------------------------------------------------------------------------ */

static void leave(client *k) {
    if (k->fd >= 0) svconn_fd_close(k->fd);
    free(k->answer);
    *k = (client){.fd = -1, .place = (size_t)-1};
}

/* 1 if the request is complete (or will never be); 0: not yet; -1: leave. */
static int read_request(client *k) {
    for (;;) {
        ssize_t n = svconn_fd_read(k->fd, k->request + k->got, CONTROL_REQUEST - k->got);
        if (n < 0 && svconn_is_later(errno)) return 0;
        if (n <= 0) return -1;
        char *end = memchr(k->request + k->got, '\n', (size_t)n);
        k->got += (size_t)n;
        if (end) *end = 0;
        if (end) return 1;
        if (k->got == CONTROL_REQUEST) {
            k->request[0] = 0; /* too long: like any other that we do not know */
            return 1;
        }
    }
}

/* 0: there is more to write; -1: leave. */
static int write_answer(client *k) {
    while (k->at < k->len) {
        ssize_t n = svconn_fd_write(k->fd, k->answer + k->at, k->len - k->at);
        if (n < 0 && svconn_is_later(errno)) return 0;
        if (n <= 0) return -1;
        k->at += (size_t)n;
    }
    return -1;
}

/* An empty list is an answer too, and has memory so that it is not taken for none. */
static void serve(const control *c, client *k) {
    if (!k->answer) {
        int got = read_request(k);
        if (got == 1 && (add(k, "", 0) != 0 || make_answer(c, k) != 0)) got = -1;
        if (got < 0) leave(k);
        if (got != 1) return;
        k->until = svconn_now() + CONTROL_TAKE_MS;
    }
    if (write_answer(k) != 0) leave(k);
}

static client *free_client(control *c) {
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].fd < 0) return &c->clients[i];
    return NULL;
}

static void take_in(control *c, const fdset *set) {
    client *k;
    while ((k = free_client(c)) != NULL) {
        int fd = control_socket_take(c->socket, set);
        if (fd < 0) return;
        k->fd = fd;
        k->until = svconn_now() + CONTROL_ASK_MS;
        serve(c, k); /* mostly the request is there already */
    }
}

/* ---- the loop ----------------------------------------------------------------------------------- */

const char *control_path(const control *c) { return c->path; }

void control_want(control *c, fdset *set) {
    if (!c) return;
    c->takes = free_client(c) != NULL;
    if (c->takes) control_socket_want(c->socket, set);
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        client *k = &c->clients[i];
        if (k->fd < 0) continue;
        k->place = fdset_add(set, k->fd, k->answer ? POLLOUT : POLLIN);
        fdset_within(set, ms_until(k->until));
    }
}

void control_ready(control *c, const fdset *set) {
    if (!c) return;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        client *k = &c->clients[i];
        if (k->fd >= 0 && fdset_got(set, k->place)) serve(c, k);
        if (k->fd >= 0 && svconn_now() >= k->until) leave(k);
    }
    if (c->takes) take_in(c, set);
}

void control_close(control *c) {
    if (!c) return;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) leave(&c->clients[i]);
    control_socket_close(c->socket);
    free(c);
}
