/* SPDX-License-Identifier: ISC */
/*
 * svconn relay: joins two connections that name the same token, and copies bytes. Each connection begins with one line,
 *
 *      svconn-relay 1 listen TOKEN        or        svconn-relay 1 call TOKEN
 *
 * and gets "ok" when the other side is there, or "no REASON". Then every byte is passed on as it is.
 */
#include "relay.h"

#include "cmd.h"
#include "options.h"
#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 128
#define SLOTS (CLIENTS_MAX + 8) /* the rest is for those who are told that there is no room */
#define TOKEN_MAX 64
#define LINE_MAX_BYTES (sizeof "svconn-relay 1 listen " + TOKEN_MAX)
#define LINE_MS 5000
#define WAIT_MS 30000
#define FLUSH_MS 5000 /* for the last bytes when one side has ended */
#define LEAVE_MS 2000 /* for a side to notice that we have ended */
#define REST_MS 100   /* after accept failed */
#define NEVER UINT64_MAX

typedef enum { CLIENT_FREE, CLIENT_LINE, CLIENT_WAITING, CLIENT_JOINED, CLIENT_LEAVING } client_state;

typedef struct client {
    client_state state;
    svconn_link link;
    uint64_t deadline;
    relay_side side;
    char line[LINE_MAX_BYTES]; /* the join line; later the token alone */
    size_t line_len;
    struct client *peer;
    relay_lane *lane; /* what came from here and goes to the peer */
    int ended;        /* nothing more will be read from here */
    int deaf;         /* nothing more can be written to here */
    int spoke_early;  /* bytes came before "ok": they wait in the socket */
    unsigned long pair;
    unsigned long long bytes; /* that came from here */
} client;

typedef struct {
    const relay_options *options;
    svconn_listener listener;
    client clients[SLOTS];
    struct pollfd fds[1 + SLOTS];
    unsigned long pairs;
    uint64_t rest_until;
    int capture[2]; /* descriptors, or -1 */
} relay;

static const char *const side_name[2] = {"listen", "call"};

/* ---- the end of a connection ---- */
static void drop_client(client *c) {
    svconn_link_close(&c->link);
    free(c->lane);
    memset(c, 0, sizeof *c);
}

/* Says goodbye: the end of our bytes, then waits a little for the other's end. A socket closed with unread bytes in it
 * would be reset, and what was sent last could be lost. */
static void leave(client *c) {
    shutdown(c->link.out, SHUT_WR);
    c->state = CLIENT_LEAVING;
    c->deadline = svconn_now() + LEAVE_MS;
}

static void refuse(client *c, const char *reason) {
    char answer[40];
    int n = snprintf(answer, sizeof answer, "no %s\n", reason);
    if (write(c->link.out, answer, (size_t)n) < 0) c->deaf = 1; /* it is gone; leave finds that out */
    leave(c);
}

static void drain(client *c) {
    char sink[4096];
    ssize_t n = read(c->link.in, sink, sizeof sink);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) drop_client(c);
}

/* ---- joining ---- */
static int accept_client(relay *r) {
    svconn_link link = SVCONN_LINK_NONE;
    size_t used = 0, slot = SLOTS;
    for (size_t i = 0; i < SLOTS; i++) {
        used += r->clients[i].state != CLIENT_FREE;
        if (r->clients[i].state == CLIENT_FREE && slot == SLOTS) slot = i;
    }
    if (slot == SLOTS || svconn_listener_accept(&r->listener, &link, 0, NULL) != 0) return -1;
    client *c = &r->clients[slot];
    c->state = CLIENT_LINE;
    c->link = link;
    c->deadline = svconn_now() + LINE_MS;
    if (used >= CLIENTS_MAX) refuse(c, "full");
    return 0;
}

static void join(relay *r, client *a, client *b) {
    client *both[2] = {a, b};
    a->lane = calloc(1, sizeof(relay_lane));
    b->lane = calloc(1, sizeof(relay_lane));
    if (!a->lane || !b->lane) {
        refuse(a, "memory");
        refuse(b, "memory");
        return;
    }
    r->pairs++;
    for (int i = 0; i < 2; i++) {
        client *c = both[i];
        c->peer = both[1 - i];
        c->pair = r->pairs;
        c->state = CLIENT_JOINED;
        c->deadline = NEVER;
        if (write(c->link.out, "ok\n", 3) != 3) c->deaf = 1;
    }
    say("pair %lu: joined", r->pairs);
}

/* The token of a join line, or NULL. */
static const char *parse_line(char *line, relay_side *side) {
    static const char listen_line[] = "svconn-relay 1 listen ", call_line[] = "svconn-relay 1 call ";
    const char *token = NULL;
    if (strncmp(line, listen_line, sizeof listen_line - 1) == 0) {
        *side = FROM_LISTEN;
        token = line + sizeof listen_line - 1;
    } else if (strncmp(line, call_line, sizeof call_line - 1) == 0) {
        *side = FROM_CALL;
        token = line + sizeof call_line - 1;
    }
    if (!token) return NULL;
    size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    return len >= 1 && len <= TOKEN_MAX && token[len] == 0 ? token : NULL;
}

static void take_line(relay *r, client *c) {
    const char *token = parse_line(c->line, &c->side);
    if (!token) {
        refuse(c, "bad-line");
        return;
    }
    memmove(c->line, token, strlen(token) + 1);
    for (size_t i = 0; i < SLOTS; i++) {
        client *other = &r->clients[i];
        if (other->state != CLIENT_WAITING || strcmp(other->line, c->line) != 0) continue;
        if (other->side == c->side) refuse(c, "token-in-use");
        else join(r, other, c);
        return;
    }
    c->state = CLIENT_WAITING;
    c->deadline = svconn_now() + WAIT_MS;
}

/* One byte at a time: what follows the line belongs to the other side and stays in the socket. */
static void read_line(relay *r, client *c) {
    while (c->state == CLIENT_LINE) {
        char byte;
        ssize_t n = read(c->link.in, &byte, 1);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) {
            drop_client(c);
        } else if (byte == '\n') {
            c->line[c->line_len] = 0;
            take_line(r, c);
        } else if (byte == 0 || c->line_len + 1 >= sizeof c->line) {
            refuse(c, "bad-line");
        } else {
            c->line[c->line_len++] = byte;
        }
    }
}

/* A party that hangs up while it waits must free its token. */
static void look_at_waiting(client *c) {
    char byte;
    ssize_t n = recv(c->link.in, &byte, 1, MSG_PEEK);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) drop_client(c);
    else if (n > 0) c->spoke_early = 1;
}

/* ---- copying ---- */
static void dump(const relay *r, const client *c, const uint8_t *bytes, size_t len) {
    char hex[3 * 16 + 1] = "";
    int fd = r->capture[c->side];
    for (size_t i = 0; i < len && i < 16; i++) snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
    if (r->options->hexdump)
        say("pair %lu: %-6s -> %-6s %6zu bytes:%s%s", c->pair, side_name[c->side], side_name[1 - c->side], len, hex,
            len > 16 ? " ..." : "");
    if (fd >= 0 && write(fd, bytes, len) != (ssize_t)len) say("cannot write the capture: %s", strerror(errno));
}

static size_t lane_room(relay_lane *l) {
    if (l->head == l->tail) l->head = l->ready = l->tail = 0;
    if (l->tail >= LANE_SIZE && l->head > 0) {
        memmove(l->bytes, l->bytes + l->head, l->tail - l->head);
        l->ready -= l->head;
        l->tail -= l->head;
        l->head = 0;
    }
    return l->tail < LANE_SIZE ? LANE_SIZE - l->tail : 0;
}

static void copy_in(const relay *r, client *c) {
    relay_lane *l = c->lane;
    size_t room = lane_room(l);
    ssize_t n = room > 0 ? read(c->link.in, l->bytes + l->tail, room) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (room > 0 && n <= 0) c->ended = 1;
    if (n <= 0) return;
    dump(r, c, l->bytes + l->tail, (size_t)n);
    c->bytes += (size_t)n;
    l->tail += (size_t)n;
    if (!r->options->filter) l->ready = l->tail;
    else if (r->options->filter(r->options->arg, c->side, l) != 0) c->ended = c->peer->ended = 1;
}

static void copy_out(client *to) {
    relay_lane *l = to->peer->lane;
    while (l->head < l->ready && !to->deaf) {
        ssize_t n = write(to->link.out, l->bytes + l->head, l->ready - l->head);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) to->deaf = 1;
        else l->head += (size_t)n;
    }
    if (to->deaf) l->head = l->ready; /* nobody takes it; but what that side has said last is still read */
}

/* When one side has ended: the end of both, as soon as what is there was passed on. */
static void look_for_end(client *c) {
    client *p = c->peer;
    if (!c->ended && !p->ended) return;
    uint64_t now = svconn_now();
    if (c->deadline == NEVER) c->deadline = p->deadline = now + FLUSH_MS;
    int flushed = c->lane->head == c->lane->ready && p->lane->head == p->lane->ready;
    if (!flushed && now < c->deadline) return;
    const client *listening = c->side == FROM_LISTEN ? c : p, *calling = c->side == FROM_CALL ? c : p;
    say("pair %lu: ended; %llu bytes from the listening side, %llu bytes from the calling side", c->pair,
        listening->bytes, calling->bytes);
    leave(c);
    leave(p);
}

static void copy(const relay *r, client *c, short revents) {
    if (!c->ended && (revents & (POLLIN | POLLHUP | POLLERR))) copy_in(r, c);
    copy_out(c->peer);
    copy_out(c);
    look_for_end(c);
}

/* ---- the loop ---- */
static short wanted_events(client *c) {
    switch (c->state) {
    case CLIENT_LINE:
    case CLIENT_LEAVING: return POLLIN;
    case CLIENT_WAITING: return c->spoke_early ? 0 : POLLIN;
    case CLIENT_JOINED: break;
    case CLIENT_FREE: return 0;
    }
    short events = 0;
    const relay_lane *in = c->peer->lane;
    if (in->head < in->ready && !c->deaf) events |= POLLOUT;
    if (!c->ended && !c->peer->ended && lane_room(c->lane) > 0) events |= POLLIN;
    return events;
}

/* Fills r->fds; returns the time to wait. A client that wants nothing is left out: poll would report its hang-up for
 * ever. */
static int fill_fds(relay *r) {
    uint64_t now = svconn_now(), next = NEVER;
    int room = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        client *c = &r->clients[i];
        short events = wanted_events(c);
        r->fds[1 + i] = (struct pollfd){.fd = events ? c->link.in : -1, .events = events};
        room |= c->state == CLIENT_FREE;
        if (c->state != CLIENT_FREE && c->deadline < next) next = c->deadline;
    }
    int resting = now < r->rest_until;
    if (resting && r->rest_until < next) next = r->rest_until;
    r->fds[0] = (struct pollfd){.fd = room && !resting ? r->listener.fd : -1, .events = POLLIN};
    return next == NEVER ? -1 : next > now ? (int)(next - now) : 0;
}

static void serve_client(relay *r, client *c, short revents) {
    int late = svconn_now() >= c->deadline;
    switch (c->state) {
    case CLIENT_FREE: break;
    case CLIENT_LINE:
        if (revents) read_line(r, c);
        else if (late) refuse(c, "timeout");
        break;
    case CLIENT_WAITING:
        if (late) refuse(c, "timeout");
        else if (revents) look_at_waiting(c);
        break;
    case CLIENT_JOINED:
        if (revents || late) copy(r, c, revents);
        break;
    case CLIENT_LEAVING:
        if (late) drop_client(c);
        else if (revents) drain(c);
        break;
    }
}

static int all_gone(const relay *r) {
    for (size_t i = 0; i < SLOTS; i++)
        if (r->clients[i].state == CLIENT_JOINED || r->clients[i].state == CLIENT_LEAVING) return 0;
    return 1;
}

static void run(relay *r) {
    while (!(r->options->once && r->pairs > 0 && all_gone(r))) {
        int timeout = fill_fds(r);
        if (poll(r->fds, 1 + SLOTS, timeout) < 0) {
            if (errno != EINTR) say("poll: %s", strerror(errno));
            continue;
        }
        for (size_t i = 0; i < SLOTS; i++) serve_client(r, &r->clients[i], r->fds[1 + i].revents);
        if (r->fds[0].revents && accept_client(r) != 0) r->rest_until = svconn_now() + REST_MS;
    }
}

static int open_capture(relay *r) {
    for (int i = 0; i < 2; i++) {
        char path[1000];
        r->capture[i] = -1;
        if (!r->options->capture) continue;
        snprintf(path, sizeof path, "%s.%s", r->options->capture, side_name[i]);
        r->capture[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (r->capture[i] >= 0) continue;
        say("cannot open %s: %s", path, strerror(errno));
        return EXIT_LOCAL;
    }
    return EXIT_DONE;
}

static int open_relay(relay *r) {
    svconn_why why;
    int code = open_capture(r);
    if (code != EXIT_DONE) return code;
    if (svconn_listen(&r->listener, r->options->address, &why) != 0) {
        say("%s", why.text);
        return EXIT_LOCAL;
    }
    if (strncmp(r->listener.address, "tcp://", 6) == 0) return EXIT_DONE;
    svconn_listener_close(&r->listener);
    return options_fault("relay", "a relay listens on tcp://HOST:PORT");
}

int relay_run(const relay_options *o) {
    relay *r = calloc(1, sizeof *r);
    if (!r) {
        say("out of memory");
        return EXIT_LOCAL;
    }
    r->options = o;
    int code = open_relay(r);
    if (code == EXIT_DONE) {
        say("relaying on %s", r->listener.address);
        run(r);
        for (size_t i = 0; i < SLOTS; i++)
            if (r->clients[i].state != CLIENT_FREE) drop_client(&r->clients[i]);
        svconn_listener_close(&r->listener);
    }
    for (int i = 0; i < 2; i++)
        if (o->capture && r->capture[i] >= 0) close(r->capture[i]);
    free(r);
    return code;
}

int cmd_relay(int argc, char **argv) {
    relay_options o = {0};
    const char *operand[2] = {NULL, NULL};
    const option rows[] = {
        {"once", NULL, "end after the first pair", OPTION_FLAG, &o.once, 0, 0},
        {"hexdump", NULL, "show what a relay sees: direction, size and first bytes of each piece", OPTION_FLAG,
         &o.hexdump, 0, 0},
        {"capture", "PREFIX",
         "write all that passes to PREFIX.listen and PREFIX.call, one for each\nside that it comes from", OPTION_TEXT,
         &o.capture, 0, 0},
    };
    const usage u = {
        .command = "relay",
        .operands = "ADDRESS",
        .about =
            "Joins two connections that name the same token, and passes their bytes on. It cannot read them.\n"
            "The parties use relay+tcp://HOST:PORT/TOKEN as their address. At most 128 connections; a party waits\n"
            "30 seconds for the other.",
        .more = "ADDRESS is tcp://HOST:PORT. A party sends \"svconn-relay 1 listen TOKEN\" or \"svconn-relay 1 call\n"
                "TOKEN\" and a line feed; \"ok\" comes when both are there, or \"no REASON\"; what follows comes from\n"
                "the other party.",
        .rows = rows,
        .n_rows = sizeof rows / sizeof rows[0],
        .least_operands = 1,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    o.address = operand[0];
    return relay_run(&o);
}
