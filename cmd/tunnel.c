/* SPDX-License-Identifier: ISC */
#include "tunnel.h"

#include "codec.h"
#include "stream.h"
#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE 4096 /* a pipe or terminal that poll calls writable takes so much (PIPE_BUF) without blocking */
/* With so many bytes waiting for the link no more are read, or a small message would wait long behind them. */
#define OUT_HIGH 65536
#define CONNECT_MS 20000 /* for one address */
#define BUCKETS 1024
#define NOWHERE ((size_t)-1)

typedef struct channel {
    uint32_t id;
    struct channel *next; /* in its bucket */
    tunnel_end end;
    int is_socket, is_quick; /* quick: it never blocks */
    int out_gone;            /* end.out takes no more, and that is no fault */
    int ours;                /* we opened it */
    int in_ended;            /* end.in has no more, or failed */
    int end_due, end_sent;   /* END */
    int peer_ended;
    int shut;           /* end.out was closed behind the peer's last byte */
    int drains;         /* it is being closed, and poll tells when it is */
    int open_due;       /* OPEN, or OPENED, waits for room in the session */
    unsigned reset_due; /* RESET waits, with this reason */
    int over;
    uint64_t connect_until;
    uint32_t may_send;      /* bytes, by the peer's windows */
    uint32_t may_come;      /* bytes that the peer may still send */
    uint32_t window, taken; /* ours; bytes that went out since the last WINDOW */
    uint8_t *wait;          /* bytes for end.out: [wait_at, wait_at + wait_len) */
    size_t wait_at, wait_len, wait_size;
    unsigned long long in, out; /* bytes from the peer, to the peer */
    size_t in_place, out_place; /* in the set */
    char *target;
} channel;

struct tunnel {
    svconn *s;
    const tunnel_ops *ops;
    channel **channels;
    channel *bucket[BUCKETS]; /* by id */
    size_t n, size;
    size_t first; /* whose turn it is to be read first */
    uint32_t next_id;
    int peer_closed, failed;
    int late_reset; /* RESET came for a stream that is over here */
    size_t budget;  /* bytes of windows given out */
    unsigned long long in, out;
    size_t held; /* length of the DATA in msg that the session had no room for; 0: none */
    uint8_t msg[SVCONN_MESSAGE_MAX];
};

const char *tunnel_reason_text(unsigned reason) {
    switch (reason) {
    case 0: return "ended";
    case TUNNEL_CUT: return "broken off";
    case TUNNEL_NOT_ALLOWED: return "the other side does not offer this target, or not to us";
    case TUNNEL_REFUSED: return "nobody listens there";
    case TUNNEL_UNREACHABLE: return "the target cannot be reached from there";
    case TUNNEL_FULL: return "too many connections at once";
    case TUNNEL_TROUBLE: return "the other machine has no room for it";
    default: return "for a reason that this version does not know";
    }
}

static void put32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int tunnel_stdio(tunnel_end *end) {
    *end =
        (tunnel_end){.in = stream_in(STDIN_FILENO), .out = stream_out(STDOUT_FILENO), .patient = isatty(STDIN_FILENO)};
    return end->in < 0 || end->out < 0 ? -1 : 0;
}

/* ---- channels ---- */

tunnel *tunnel_new(svconn *s, const tunnel_ops *ops) {
    tunnel *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->s = s;
    t->ops = ops;
    t->next_id = 1;
    return t;
}

static channel *find(const tunnel *t, uint32_t id) {
    channel *c = t->bucket[id % BUCKETS];
    while (c && c->id != id) c = c->next;
    return c;
}

static channel *make(tunnel *t, uint32_t id, const char *target) {
    if (t->n == t->size) {
        size_t size = t->size ? 2 * t->size : 16;
        channel **more = realloc(t->channels, size * sizeof *more);
        if (!more) return NULL;
        t->channels = more;
        t->size = size;
    }
    channel *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->target = strdup(target);
    if (!c->target) {
        free(c);
        return NULL;
    }
    c->id = id;
    c->end = (tunnel_end)TUNNEL_NO_END;
    c->in_place = c->out_place = NOWHERE;
    c->may_come = c->window = TUNNEL_FIRST_WINDOW;
    c->may_send = TUNNEL_FIRST_WINDOW;
    t->budget += c->window;
    t->channels[t->n++] = c;
    c->next = t->bucket[id % BUCKETS];
    t->bucket[id % BUCKETS] = c;
    return c;
}

static void take_end(channel *c, const tunnel_end *end) {
    c->end = *end;
    c->is_socket = end->in == end->out && stream_is_socket(end->out);
    c->is_quick = stream_is_quick(end->out);
    if (end->connecting) c->connect_until = svconn_now() + CONNECT_MS;
}

/* reset: the other end of a socket sees that the stream was broken off. */
static void close_end(channel *c, int reset) {
    if (reset && c->is_socket) stream_reset(c->end.out);
    if (c->end.in >= 0) svconn_fd_close(c->end.in);
    if (c->end.out >= 0 && c->end.out != c->end.in) stream_leave(c->end.out);
    c->end.in = c->end.out = -1;
}

static void forget(tunnel *t, channel *c) {
    channel **at = &t->bucket[c->id % BUCKETS];
    while (*at != c) at = &(*at)->next;
    *at = c->next;
    t->budget -= c->window;
    free(c->wait);
    free(c->target);
    free(c);
}

/* The stream is over here; RESET may still have to be sent. */
static void finish(tunnel *t, channel *c, unsigned reason) {
    if (c->over) return;
    c->over = 1;
    close_end(c, reason != 0);
    if (t->ops->closed) t->ops->closed(t->ops->arg, c->id, c->target, reason, c->in, c->out);
}

static void break_off(tunnel *t, channel *c, unsigned reason) {
    if (!c->over) c->reset_due = reason;
    finish(t, c, reason);
}

size_t tunnel_count(const tunnel *t) { return t->n; }

int tunnel_peer_closed(const tunnel *t) { return t->peer_closed; }

int tunnel_failed_here(const tunnel *t) { return t->failed; }

int tunnel_was_reset_late(const tunnel *t) { return t->late_reset; }

int tunnel_still_delivers(const tunnel *t) {
    for (size_t i = 0; i < t->n; i++) {
        const channel *c = t->channels[i];
        if (c->reset_due || (!c->over && c->peer_ended && !c->shut)) return 1;
    }
    return 0;
}

void tunnel_bytes(const tunnel *t, unsigned long long *in, unsigned long long *out) {
    *in = t->in;
    *out = t->out;
}

void tunnel_free(tunnel *t) {
    if (!t) return;
    for (size_t i = 0; i < t->n; i++) {
        finish(t, t->channels[i], TUNNEL_CUT);
        forget(t, t->channels[i]);
    }
    free(t->channels);
    wipe(t->msg, sizeof t->msg);
    free(t);
}

/* ---- to the end ---- */

/* A socket takes what it takes; of others only so much is asked as cannot block. -1: it takes nothing more. */
static ssize_t write_end(channel *c, const uint8_t *bytes, size_t len) {
    ssize_t n;
    do
        n = c->is_socket ? svconn_fd_write(c->end.out, bytes, len)
                         : stream_write(c->end.out, bytes, c->is_quick || len < SLICE ? len : SLICE);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    return n;
}

/* The connection there is gone. What happens to a file or a pipe of our own, its owner must be told. */
static void end_failed(tunnel *t, channel *c) {
    if (c->end.may_leave) {
        c->out_gone = 1;
        c->taken += (uint32_t)c->wait_len;
        c->wait_len = 0;
        return;
    }
    if (!c->is_socket) {
        say("cannot write to standard output: %s", strerror(errno));
        t->failed = 1;
    }
    break_off(t, c, TUNNEL_CUT);
}

/* Keeps what end.out did not take. There is room: the windows see to it. */
static int keep(channel *c, const uint8_t *bytes, size_t len) {
    if (c->wait_at + c->wait_len + len > c->wait_size) {
        if (c->wait_at) memmove(c->wait, c->wait + c->wait_at, c->wait_len);
        c->wait_at = 0;
    }
    if (c->wait_len + len > c->wait_size) {
        size_t size = c->wait_size ? c->wait_size : 16384;
        while (size < c->wait_len + len) size *= 2;
        uint8_t *more = realloc(c->wait, size);
        if (!more) return -1;
        c->wait = more;
        c->wait_size = size;
    }
    memcpy(c->wait + c->wait_at + c->wait_len, bytes, len);
    c->wait_len += len;
    return 0;
}

static void shut_if_done(tunnel *t, channel *c) {
    if (!c->peer_ended || c->wait_len || c->shut || c->end.connecting) return;
    if (c->is_socket) svconn_fd_end(c->end.out);
    else if (c->end.out != c->end.in && c->end.out >= 0) {
        int out = stream_end(c->end.out);
        c->drains = out == 0;
        if (out < 0) end_failed(t, c);
        if (out <= 0) return;
        c->end.out = -1;
    }
    c->shut = 1;
    if (c->end.patient && !c->in_ended) c->in_ended = c->end_due = 1;
}

/* Would not block? */
static int takes_more(const channel *c) {
    struct pollfd p = svconn_pollfd(c->end.out, POLLOUT);
    return c->is_quick || (svconn_poll(&p, 1, 0) == 1 && (p.revents & POLLOUT));
}

static void write_waiting(tunnel *t, channel *c) {
    while (c->wait_len) {
        ssize_t n = write_end(c, c->wait + c->wait_at, c->wait_len);
        if (n < 0) {
            end_failed(t, c);
            break;
        }
        c->wait_at += (size_t)n;
        c->wait_len -= (size_t)n;
        c->taken += (uint32_t)n;
        if (n == 0 || !takes_more(c)) break;
    }
    if (!c->wait_len) {
        free(c->wait); /* a stream that is quick again costs nothing */
        c->wait = NULL;
        c->wait_at = c->wait_size = 0;
    }
}

static void deliver(tunnel *t, channel *c, const uint8_t *bytes, size_t len) {
    size_t done = 0;
    c->in += len;
    t->in += len;
    c->may_come -= (uint32_t)len;
    if (c->out_gone) {
        c->taken += (uint32_t)len;
        return;
    }
    if (c->is_quick && !c->wait_len && !c->end.connecting) {
        ssize_t n = write_end(c, bytes, len);
        if (n < 0) {
            end_failed(t, c);
            n = c->out_gone ? (ssize_t)len : 0;
        }
        if (c->over) return;
        done = (size_t)n;
        c->taken += (uint32_t)done;
    }
    if (done == len) return;
    if (keep(c, bytes + done, len - done) != 0) break_off(t, c, TUNNEL_TROUBLE);
}

/* ---- connect ---- */

int tunnel_connect(tunnel_end *end) {
    int why = TUNNEL_UNREACHABLE;
    while (end->n_more > 0) {
        int i = --end->n_more;
        int fd = svconn_socket_new(end->more[i].ss_family, 0);
        if (fd < 0 || !fdset_leaves_enough(fd)) {
            if (fd >= 0) svconn_fd_close(fd);
            why = TUNNEL_TROUBLE;
            continue;
        }
        svconn_socket_at_once(fd);
        if (svconn_socket_begin(fd, (const struct sockaddr *)&end->more[i], end->more_len[i]) == 0) {
            if (end->out >= 0) svconn_fd_close(end->out);
            end->in = end->out = fd;
            end->connecting = 1;
            return 0;
        }
        why = errno == ECONNREFUSED ? TUNNEL_REFUSED : TUNNEL_UNREACHABLE;
        svconn_fd_close(fd);
    }
    return why;
}

static void connected(tunnel *t, channel *c, short events) {
    int error = 0;
    int late = svconn_now() >= c->connect_until;
    if (!events && !late) return;
    if (!late) error = svconn_socket_error(c->end.out);
    if (!late && !error) {
        c->end.connecting = 0;
        c->open_due = 1;
    } else if (tunnel_connect(&c->end) == 0) {
        c->connect_until = svconn_now() + CONNECT_MS;
    } else {
        break_off(t, c, error == ECONNREFUSED ? TUNNEL_REFUSED : TUNNEL_UNREACHABLE);
    }
}

/* ---- to the peer ---- */

static int send_message(tunnel *t, const uint8_t *msg, size_t len) {
    return svconn_send(t->s, msg, len, svconn_now()) == SVCONN_OK ? 0 : -1;
}

static int send_short(tunnel *t, unsigned type, const channel *c, uint32_t value, size_t value_len) {
    uint8_t msg[TUNNEL_HEAD + 4] = {(uint8_t)type};
    put32(msg + 1, c->id);
    if (value_len == 4) put32(msg + TUNNEL_HEAD, value);
    else msg[TUNNEL_HEAD] = (uint8_t)value;
    return send_message(t, msg, TUNNEL_HEAD + value_len);
}

static int send_open(tunnel *t, const channel *c) {
    uint8_t msg[TUNNEL_HEAD + 4 + TUNNEL_TARGET_MAX] = {TUNNEL_OPEN};
    size_t len = strlen(c->target);
    if (!c->ours) return send_short(t, TUNNEL_OPENED, c, 0, 4);
    put32(msg + 1, c->id);
    memcpy(msg + TUNNEL_HEAD + 4, c->target, len);
    return send_message(t, msg, TUNNEL_HEAD + 4 + len);
}

/* A reader that has taken all there is gets a larger window, as long as the budget lasts for the first windows of all
 * streams that may still be opened. */
static uint32_t grow(tunnel *t, channel *c) {
    uint32_t more = c->window;
    size_t kept = t->n < TUNNEL_CHANNELS_MAX ? (TUNNEL_CHANNELS_MAX - t->n) * TUNNEL_FIRST_WINDOW : 0;
    if (c->wait_len || 2 * more > TUNNEL_WINDOW_MAX || t->budget + more + kept > TUNNEL_BUDGET) return 0;
    c->window += more;
    t->budget += more;
    return more;
}

static void send_window(tunnel *t, channel *c) {
    if (c->taken < c->window / 2 || c->peer_ended) return;
    uint32_t before = c->window, more = c->taken + grow(t, c);
    if (send_short(t, TUNNEL_WINDOW, c, more, 4) == 0) {
        c->may_come += more;
        c->taken = 0;
    } else {
        t->budget -= c->window - before;
        c->window = before;
    }
}

/* What waits for room in the session, in the order in which it must go. */
static void send_due(tunnel *t, channel *c) {
    if (t->held) return;
    if (c->open_due && send_open(t, c) == 0) c->open_due = 0;
    if (c->open_due && c->ours) return;
    if (c->reset_due && send_short(t, TUNNEL_RESET, c, c->reset_due, 1) == 0) c->reset_due = 0;
    if (c->over) return;
    send_window(t, c);
    if (c->end_due && send_short(t, TUNNEL_END, c, 0, 0) == 0) {
        c->end_due = 0;
        c->end_sent = 1;
    }
}

uint32_t tunnel_add(tunnel *t, const tunnel_end *end, const char *target) {
    channel *c = t->n < TUNNEL_CHANNELS_MAX ? make(t, t->next_id, target) : NULL;
    if (!c) {
        channel gone = {.end = *end};
        close_end(&gone, 0);
        return 0;
    }
    if (++t->next_id == 0) t->next_id = 1; /* after 2^32 of them; the early ones are long gone */
    take_end(c, end);
    c->ours = 1;
    c->open_due = 1;
    send_due(t, c); /* at once: nothing else may wake up the one who polls */
    return c->id;
}

static size_t room(const tunnel *t) {
    size_t len;
    (void)svconn_wire_out(t->s, &len);
    return !t->held && len < OUT_HIGH ? OUT_HIGH - len : 0;
}

/* Nothing else is sent before it: what follows may be the END of the same stream. */
static void send_held(tunnel *t) {
    if (t->held && send_message(t, t->msg, t->held) == 0) t->held = 0;
}

static int may_read(const channel *c) {
    return !c->over && !c->in_ended && !c->end.connecting && c->may_send && !(c->open_due && c->ours);
}

static void read_end(tunnel *t, channel *c) {
    size_t len = c->may_send < TUNNEL_DATA_MAX ? c->may_send : TUNNEL_DATA_MAX;
    ssize_t n;
    do n = stream_read(c->end.in, t->msg + TUNNEL_HEAD, len);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < 0 && !c->end.may_leave) {
        break_off(t, c, TUNNEL_CUT);
        return;
    }
    if (n <= 0) {
        c->in_ended = c->end_due = 1;
        return;
    }
    t->msg[0] = TUNNEL_DATA;
    put32(t->msg + 1, c->id);
    if (send_message(t, t->msg, TUNNEL_HEAD + (size_t)n) != 0) t->held = TUNNEL_HEAD + (size_t)n;
    c->may_send -= (uint32_t)n;
    c->out += (unsigned long long)n;
    t->out += (unsigned long long)n;
}

/* ---- messages ---- */

static int take_open(tunnel *t, uint32_t id, const uint8_t *body, size_t len) {
    char target[TUNNEL_TARGET_MAX + 1];
    tunnel_end end = TUNNEL_NO_END;
    if (!t->ops->open || id == 0 || len < 4 || len - 4 > TUNNEL_TARGET_MAX || find(t, id)) return -1;
    if (t->n >= 2 * TUNNEL_CHANNELS_MAX) return -1; /* refusals that it does not read */
    memcpy(target, body + 4, len - 4);
    target[len - 4] = 0;
    if (strlen(target) != len - 4) return -1;
    channel *c = make(t, id, target);
    if (!c) return -1;
    c->may_send += get32(body) <= INT32_MAX ? get32(body) : 0;
    unsigned why = t->n > TUNNEL_CHANNELS_MAX ? TUNNEL_FULL : (unsigned)t->ops->open(t->ops->arg, target, &end);
    if (why) {
        break_off(t, c, why);
        return 0;
    }
    take_end(c, &end);
    c->open_due = !end.connecting;
    return 0;
}

static int take_window(channel *c, const uint8_t *body, size_t len) {
    if (len != 4) return -1;
    uint32_t more = get32(body);
    if (more > INT32_MAX || c->may_send > INT32_MAX) return -1;
    c->may_send += more;
    return 0;
}

static int take_data(tunnel *t, channel *c, const uint8_t *body, size_t len) {
    if (len > c->may_come || c->peer_ended) return -1;
    deliver(t, c, body, len);
    return 0;
}

static int take_end_of_peer(channel *c, size_t len) {
    if (len || c->peer_ended) return -1;
    c->peer_ended = 1;
    return 0;
}

static int take_message(tunnel *t, const uint8_t *msg, size_t len) {
    if (len < TUNNEL_HEAD) return -1;
    uint32_t id = get32(msg + 1);
    const uint8_t *body = msg + TUNNEL_HEAD;
    len -= TUNNEL_HEAD;
    if (msg[0] == TUNNEL_OPEN) return take_open(t, id, body, len);
    channel *c = find(t, id);
    if (!c || c->over) {
        t->late_reset |= msg[0] == TUNNEL_RESET;
        return msg[0] <= TUNNEL_RESET && msg[0] > TUNNEL_OPEN ? 0 : -1; /* our RESET crosses it */
    }
    switch (msg[0]) {
    case TUNNEL_OPENED: return c->ours ? take_window(c, body, len) : -1;
    case TUNNEL_WINDOW: return take_window(c, body, len);
    case TUNNEL_DATA: return take_data(t, c, body, len);
    case TUNNEL_END: return take_end_of_peer(c, len);
    case TUNNEL_RESET:
        if (len != 1) return -1;
        finish(t, c, body[0] ? body[0] : TUNNEL_CUT);
        return 0;
    default: return -1;
    }
}

/* ---- rounds ---- */

static void want_channel(channel *c, int can_send, fdset *set) {
    if (can_send && (c->open_due || c->end_due || c->reset_due)) fdset_within(set, 0);
    if (c->over) return;
    short in = c->end.in >= 0 && can_send && may_read(c) ? POLLIN : 0;
    short out = c->end.out >= 0 && (c->wait_len || c->end.connecting) ? POLLOUT : 0;
    c->in_place = c->out_place = NOWHERE;
    if (c->end.connecting) fdset_within(set, ms_until(c->connect_until));
    if (c->end.in == c->end.out) {
        if (in | out) c->in_place = c->out_place = fdset_add(set, c->end.out, (short)(in | out));
        return;
    }
    if (in) c->in_place = fdset_add(set, c->end.in, in);
    if (out || c->drains) c->out_place = fdset_add(set, c->end.out, out ? out : POLLIN);
}

void tunnel_want(tunnel *t, fdset *set) {
    int can_send = room(t) > 0 && svconn_status(t->s) == SVCONN_CONNECTED;
    for (size_t i = 0; i < t->n; i++) want_channel(t->channels[i], can_send, set);
}

static void run_channel(tunnel *t, channel *c, const fdset *set) {
    short in = fdset_got(set, c->in_place), out = fdset_got(set, c->out_place);
    if (!c->over && c->end.connecting) connected(t, c, out);
    if (!c->over && c->wait_len && !c->end.connecting && (out & ~POLLIN)) write_waiting(t, c);
    if (!c->over) shut_if_done(t, c);
    send_due(t, c);
    if ((in & ~POLLOUT) && may_read(c) && room(t)) read_end(t, c);
    if (c->end_due || c->reset_due) send_due(t, c);
    if (!c->over && c->end_sent && c->shut) finish(t, c, 0);
}

static void sweep(tunnel *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        channel *c = t->channels[i];
        if (c->over && !c->reset_due) forget(t, c);
        else t->channels[kept++] = c;
    }
    t->n = kept;
}

static void take_messages(tunnel *t, int (*other)(void *arg, const uint8_t *msg, size_t len), void *arg) {
    const uint8_t *msg;
    size_t len;
    svconn_err e;
    while ((e = svconn_recv(t->s, &msg, &len)) == SVCONN_OK) {
        int good = other && len && msg[0] < TUNNEL_OPEN ? other(arg, msg, len) : take_message(t, msg, len) == 0;
        if (!good) {
            svconn_abort(t->s);
            return;
        }
        if (svconn_recv_done(t->s) != SVCONN_OK) return;
    }
    if (e == SVCONN_END) t->peer_closed = 1;
}

void tunnel_ready(tunnel *t, const fdset *set, int (*other)(void *arg, const uint8_t *msg, size_t len), void *arg) {
    take_messages(t, other, arg);
    send_held(t);
    for (size_t i = 0; i < t->n; i++) run_channel(t, t->channels[(t->first + i) % t->n], set);
    t->first++;
    sweep(t);
}
