/* SPDX-License-Identifier: ISC */
/*
 * Bytes from one side to the other, as they are. There is no queue but a fixed one for each direction: what was read
 * and not yet taken waits in a pipe of the kernel (splice), or in at most one read's worth of memory; until it is gone
 * nothing more is read, and TCP slows the sender down. Idle pairs hold neither.
 *
 * Small pieces are copied: read, write, done. After a large one splice takes over, which moves pages from socket to
 * socket without a copy. Its pipes come from a pool, because the kernel gives a user only so much memory for large ones
 * (fs.pipe-user-pages-soft), and go back as soon as they are empty.
 *
 * The end of one direction is passed on when everything before it has left. A side that takes nothing any more (deaf)
 * may still have something to say: it is read to its end.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* splice, pipe2 */
#endif
#include "relay_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h> /* SIOCOUTQ */
#include <sys/ioctl.h>
#define HAVE_SPLICE 1
#endif

#define BULK 16384       /* a read of so much: more will come */
#define PIPE_SIZE 262144 /* asked for; a user who has many pipes gets less */
#define SPLICE_MAX (1u << 20)
#define TURNS 16     /* for one direction, before others have theirs */
#define LAST_MS 5000 /* for the last words of a side that takes nothing more */

static const char *const side_name[2] = {"listen", "call"};

/* ---- the pool ----------------------------------------------------------------------------------- */

#ifdef HAVE_SPLICE
static int take_pipe(relay *r, conn *c) {
    if (r->pool_len > 0) {
        r->pool_len--;
        c->pipe[0] = r->pool[r->pool_len][0];
        c->pipe[1] = r->pool[r->pool_len][1];
        return 0;
    }
    if (!r->pool) r->pool = calloc(r->pool_max, sizeof *r->pool);
    if (!r->pool || r->pool_made == r->pool_max || pipe2(c->pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
        c->pipe[0] = c->pipe[1] = -1;
        return -1;
    }
    r->pool_made++;
    (void)fcntl(c->pipe[0], F_SETPIPE_SZ, PIPE_SIZE);
    return 0;
}
#endif

static void give_pipe(relay *r, conn *c) {
    if (c->pipe[0] < 0) return;
    if (c->piped == 0) {
        r->pool[r->pool_len][0] = c->pipe[0];
        r->pool[r->pool_len][1] = c->pipe[1];
        r->pool_len++;
    } else { /* with somebody's bytes in it, it is nothing for the next one */
        close(c->pipe[0]);
        close(c->pipe[1]);
        r->pool_made--;
    }
    c->pipe[0] = c->pipe[1] = -1;
    c->piped = 0;
}

void forward_close(relay *r) {
    while (r->pool_len > 0) {
        r->pool_len--;
        close(r->pool[r->pool_len][0]);
        close(r->pool[r->pool_len][1]);
    }
    free(r->pool);
}

/* ---- when somebody looks: a hostile filter, a capture, a hex dump ------------------------------- */

static int is_watched(const relay *r) { return r->options->filter || r->options->capture || r->options->hexdump; }

static void dump(const relay *r, const conn *c, const uint8_t *bytes, size_t len) {
    char hex[3 * 16 + 1] = "";
    int fd = r->capture[c->side];
    for (size_t i = 0; i < len && i < 16; i++) snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
    if (r->options->hexdump)
        say("pair %llu: %-6s -> %-6s %6zu bytes:%s%s", (unsigned long long)c->pair, side_name[c->side],
            side_name[1 - c->side], len, hex, len > 16 ? " ..." : "");
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

static void watch(relay *r, conn *c, size_t n) {
    relay_lane *l = c->lane;
    dump(r, c, l->bytes + l->tail, n);
    l->tail += n;
    if (!r->options->filter) l->ready = l->tail;
    else if (r->options->filter(r->options->arg, (relay_side)c->side, l) != 0) c->ended = c->peer->ended = 1;
}

/* ---- in ----------------------------------------------------------------------------------------- */

static int has_pending(const conn *c) {
    return c->piped > 0 || c->held_len > 0 || (c->lane && c->lane->head < c->lane->ready);
}

static void count_in(relay *r, conn *c, size_t n) {
    c->bytes += n;
    c->moved_at = r->now;
    c->unsent = UINT32_MAX;
    r->count.bytes += n;
}

/* What a read or splice came to. 1: bytes. */
static int judge_in(conn *c, ssize_t n) {
    if (n > 0) return 1;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (errno == EAGAIN) c->can_read = 0;
        return 0;
    }
    c->ended = 1;
    if (n < 0) c->deaf = 1;
    return 0;
}

static ssize_t send_some(conn *to, const uint8_t *bytes, size_t len) {
    ssize_t n = to->can_write ? svconn_fd_write(to->fd, bytes, len) : 0;
    if (n >= 0) return n;
    if (errno == EAGAIN) to->can_write = 0;
    else to->deaf = 1;
    return 0;
}

/* Keeps what the peer does not take now. Memory is one read's worth at most. */
static void hold(conn *c, const uint8_t *bytes, size_t len) {
    c->held = malloc(len);
    if (!c->held) {
        c->ended = c->peer->deaf = 1; /* the bytes are lost, so this direction is over */
        return;
    }
    memcpy(c->held, bytes, len);
    c->held_len = (uint32_t)len;
}

static int copy_in(relay *r, conn *c) {
    conn *to = c->peer;
    ssize_t n = svconn_fd_read(c->fd, r->shared, sizeof r->shared);
    if (!judge_in(c, n)) return 0;
    if ((size_t)n < sizeof r->shared && !c->ending) c->can_read = 0;
    count_in(r, c, (size_t)n);
    c->bulk = n >= BULK;
    size_t sent = (size_t)send_some(to, r->shared, (size_t)n);
    if (sent < (size_t)n && !to->deaf) hold(c, r->shared + sent, (size_t)n - sent);
    return 1;
}

static int watched_in(relay *r, conn *c) {
    relay_lane *l = c->lane;
    size_t room = lane_room(l);
    if (room == 0) return 0;
    ssize_t n = svconn_fd_read(c->fd, l->bytes + l->tail, room);
    if (!judge_in(c, n)) return 0;
    count_in(r, c, (size_t)n);
    watch(r, c, (size_t)n);
    return 1;
}

#ifdef HAVE_SPLICE
/* EAGAIN says that the socket is empty, or that the pipe is full: only of an empty pipe it tells which. */
static int splice_in(relay *r, conn *c) {
    ssize_t n = splice(c->fd, NULL, c->pipe[1], NULL, SPLICE_MAX, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n < 0 && errno == EAGAIN && c->piped > 0) return 0;
    if (!judge_in(c, n)) return 0; /* empty for now: still bulk */
    if (c->piped == 0) c->bulk = n >= BULK;
    c->piped += (uint32_t)n;
    count_in(r, c, (size_t)n);
    return 1;
}

static int splice_out(relay *r, conn *c) {
    conn *to = c->peer;
    ssize_t n = splice(c->pipe[0], NULL, to->fd, NULL, c->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n < 0 && errno == EAGAIN) to->can_write = 0;
    else if (n < 0 && errno != EINTR) to->deaf = 1;
    if (n <= 0) return 0;
    c->piped -= (uint32_t)n;
    c->unsent = UINT32_MAX;
    c->moved_at = r->now;
    return 1;
}
#endif

/* Nobody takes it; but that side may still be heard to its end. */
static int drop_in(relay *r, conn *c) { return judge_in(c, svconn_fd_read(c->fd, r->shared, sizeof r->shared)); }

static int move_in(relay *r, conn *c) {
    if (c->peer->deaf) return drop_in(r, c);
    if (c->lane) return watched_in(r, c);
    if (c->held_len > 0) return 0;
#ifdef HAVE_SPLICE
    if (c->pipe[0] >= 0 || (c->bulk && !r->options->poll && take_pipe(r, c) == 0)) return splice_in(r, c);
#endif
    return copy_in(r, c);
}

/* ---- out ---------------------------------------------------------------------------------------- */

static int held_out(relay *r, conn *c) {
    ssize_t n = send_some(c->peer, c->held, c->held_len);
    if (n <= 0) return 0;
    c->held_len -= (uint32_t)n;
    c->unsent = UINT32_MAX;
    c->moved_at = r->now;
    if (c->held_len > 0) {
        memmove(c->held, c->held + n, c->held_len);
    } else {
        free(c->held);
        c->held = NULL;
    }
    return 1;
}

static int watched_out(relay *r, conn *c) {
    relay_lane *l = c->lane;
    ssize_t n = send_some(c->peer, l->bytes + l->head, l->ready - l->head);
    if (n <= 0) return 0;
    l->head += (size_t)n;
    c->moved_at = r->now;
    return 1;
}

static void drop_pending(relay *r, conn *c) {
    give_pipe(r, c);
    free(c->held);
    c->held = NULL;
    c->held_len = 0;
    if (c->lane) c->lane->head = c->lane->ready;
}

static int move_out(relay *r, conn *c) {
    if (c->peer->deaf) {
        drop_pending(r, c);
        return 0;
    }
    if (!c->peer->can_write) return 0;
    if (c->held_len > 0) return held_out(r, c);
#ifdef HAVE_SPLICE
    if (c->piped > 0) return splice_out(r, c);
#endif
    return watched_out(r, c);
}

/* ---- both --------------------------------------------------------------------------------------- */

/* As far as it goes, or TURNS. */
static void move(relay *r, conn *c) {
    for (int turn = 0;; turn++) {
        int moved = 0;
        if (turn == TURNS) {
            conn_run(r, c);
            break;
        }
        if (c->can_read && !c->ended) moved |= move_in(r, c);
        if (has_pending(c)) moved |= move_out(r, c);
        if (!moved) break;
    }
    if (c->pipe[0] >= 0 && c->piped == 0) give_pipe(r, c);
}

static int is_said(const conn *c) { return c->ended && !has_pending(c); }

static void finish(relay *r, conn *c, const char *why) {
    conn *p = c->peer;
    const conn *listening = c->side == FROM_LISTEN ? c : p, *calling = c->side == FROM_CALL ? c : p;
    report(r, "ended",
           ",\"conn\":%llu,\"peer\":%llu,\"why\":\"%s\",\"seconds\":%llu,\"from_listen\":%llu,\"from_call\":%llu",
           (unsigned long long)listening->id, (unsigned long long)calling->id, why,
           (unsigned long long)((r->now - c->since) / 1000), listening->bytes, calling->bytes);
    r->count.ended++;
    r->count.pairs--;
    conn *both[2] = {c, p};
    int done = is_said(c) && is_said(p) && !c->deaf && !p->deaf;
    c->peer = p->peer = NULL;
    for (int i = 0; i < 2; i++) {
        conn *one = both[i];
        forward_drop(r, one);
        if (done) conn_drop(r, one); /* both directions are: nothing can be lost */
        else conn_leave(r, one);
    }
}

/* The end of c's bytes goes on to the peer; if the peer has ended too, with the close that follows. */
static void pass_end(conn *c) {
    if (!c->ended || has_pending(c) || c->peer->shut || is_said(c->peer)) return;
    c->peer->shut = 1;
    svconn_fd_end(c->peer->fd);
}

void forward_ready(relay *r, conn *c) {
    conn *p = c->peer;
    move(r, c);
    move(r, p);
    if (has_pending(c) && p->deaf) drop_pending(r, c);
    if (has_pending(p) && c->deaf) drop_pending(r, p);
    pass_end(c);
    pass_end(p);
    if ((is_said(c) && is_said(p)) || (c->deaf && is_said(c)) || (p->deaf && is_said(p))) {
        finish(r, c, c->deaf || p->deaf ? "reset" : "closed");
        return;
    }
    if (c->deaf || p->deaf) conn_due(r, c, r->now + LAST_MS);
    else if (has_pending(c) || has_pending(p)) conn_due(r, c, r->now + r->options->blocked * 1000);
}

/* A peer that reads slowly takes bytes from its socket long before the socket takes more from us. */
static int takes_something(conn *c) {
#ifdef SIOCOUTQ
    int unsent;
    if (ioctl(c->peer->fd, SIOCOUTQ, &unsent) == 0 && unsent >= 0 && (uint32_t)unsent < c->unsent) {
        c->unsent = (uint32_t)unsent;
        return 1;
    }
#else
    (void)c;
#endif
    return 0;
}

/* Called when one of the limits may have been reached; finds out which. */
void forward_timer(relay *r, conn *c) {
    conn *p = c->peer, *both[2] = {c, p};
    uint64_t last = c->moved_at > p->moved_at ? c->moved_at : p->moved_at;
    uint64_t due = last + r->options->idle * 1000;
    const char *why = "idle";
    if (c->deaf || p->deaf) {
        due = last + LAST_MS;
        why = "reset";
    }
    for (int i = 0; i < 2; i++) {
        conn *from = both[i];
        uint64_t blocked = from->moved_at + r->options->blocked * 1000;
        if (!has_pending(from) || from->peer->deaf || blocked >= due) continue;
        if (r->now >= blocked && takes_something(from)) {
            from->moved_at = r->now;
            blocked = r->now + r->options->blocked * 1000;
        }
        if (blocked >= due) continue;
        due = blocked;
        why = "blocked";
    }
    if (r->now < due) {
        conn_due(r, c, due);
        return;
    }
    r->count.ended_blocked += why[0] == 'b';
    r->count.ended_idle += why[0] == 'i';
    finish(r, c, why);
}

/* ---- life --------------------------------------------------------------------------------------- */

static void begin(relay *r, conn *c, conn *peer, relay_side side) {
    c->state = CONN_JOINED;
    c->peer = peer;
    c->side = (uint8_t)side;
    c->since = c->moved_at = r->now;
    c->unsent = UINT32_MAX;
    c->pair = r->count.joined;
    if (is_watched(r)) c->lane = calloc(1, sizeof *c->lane);
    c->can_read = 1; /* perhaps: what came behind the request is the peer's, and was not looked at */
    conn_run(r, c);
}

void forward_begin(relay *r, conn *listening, conn *calling) {
    r->count.joined++;
    r->count.pairs++;
    begin(r, listening, calling, FROM_LISTEN);
    begin(r, calling, listening, FROM_CALL);
    if (is_watched(r)) say("pair %llu: joined", r->count.joined);
    report(r, "joined", ",\"conn\":%llu,\"peer\":%llu", (unsigned long long)listening->id,
           (unsigned long long)calling->id);
    conn_due(r, listening, r->now + r->options->idle * 1000);
}

void forward_drop(relay *r, conn *c) {
    if (c->peer) { /* one of the two is dropped by force */
        conn *p = c->peer;
        c->peer = p->peer = NULL;
        r->count.pairs--;
        r->count.ended++;
        conn_leave(r, p);
    }
    give_pipe(r, c);
    free(c->held);
    free(c->lane);
    c->held = NULL;
    c->held_len = 0;
    c->lane = NULL;
}
