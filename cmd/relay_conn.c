/* SPDX-License-Identifier: ISC */
/* Connections of the relay: their lists, their deadlines, the index by which they find each other. */
#include "relay_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAVE_MS                                                                                                       \
    2000 /* for the other side to notice that we have ended: closed with bytes unread, a socket is reset,              \
            and what was sent last could be lost */

/* ---- deadlines: a wheel of WHEEL_MS, one place for each connection ---- */
/* A time is looked at not before it came and at most WHEEL_MS later. What is farther away than one turn of the wheel
 * comes up early and is put back by whoever looks. */
static void wheel_remove(conn *c) {
    if (!c->t_prev) return;
    *c->t_prev = c->t_next;
    if (c->t_next) c->t_next->t_prev = c->t_prev;
    c->t_prev = NULL;
}

void conn_due(relay *r, conn *c, uint64_t when) {
    if (c->state == CONN_DEAD || (c->t_prev && c->due <= when)) return;
    wheel_remove(c);
    c->due = when;
    uint64_t slot = when / WHEEL_MS + 1, least = r->now / WHEEL_MS + 1;
    if (slot < least) slot = least;
    if (slot > r->wheel_at + WHEEL_SLOTS - 1) slot = r->wheel_at + WHEEL_SLOTS - 1;
    slot %= WHEEL_SLOTS;
    conn **head = &r->wheel[slot];
    c->t_next = *head;
    c->t_prev = head;
    if (*head) (*head)->t_prev = &c->t_next;
    *head = c;
    r->wheel_bits[slot / 64] |= (uint64_t)1 << slot % 64;
}

/* The first slot at or behind wheel_at in which there is somebody; in units of WHEEL_MS. */
static uint64_t wheel_first(relay *r) {
    for (uint64_t i = 0; i < WHEEL_SLOTS;) {
        uint64_t slot = (r->wheel_at + i) % WHEEL_SLOTS;
        uint64_t *bits = &r->wheel_bits[slot / 64], bit = (uint64_t)1 << slot % 64;
        if ((*bits & bit) && r->wheel[slot]) return r->wheel_at + i;
        *bits &= ~bit;
        i += *bits >> slot % 64 ? 1 : 64 - slot % 64;
    }
    return UINT64_MAX;
}

conn *wheel_take(relay *r) {
    uint64_t first = wheel_first(r), now = r->now / WHEEL_MS;
    r->wheel_at = first <= now ? first : now + 1;
    if (first > now) return NULL;
    conn *c = r->wheel[first % WHEEL_SLOTS];
    wheel_remove(c);
    return c;
}

uint64_t wheel_next(relay *r) {
    uint64_t first = wheel_first(r);
    return first == UINT64_MAX ? first : first * WHEEL_MS;
}

/* ---- the index: a hash table with chains ---- */
static size_t index_slot(const relay *r, uint64_t key) {
    return (size_t)(((key ^ r->index_secret[0]) * (r->index_secret[1] | 1)) >> (64 - r->index_bits));
}

static void index_link(relay *r, conn *c) {
    conn **head = &r->index[index_slot(r, c->key)];
    c->i_next = *head;
    c->i_prev = head;
    if (*head) (*head)->i_prev = &c->i_next;
    *head = c;
}

static void index_grow(relay *r) {
    size_t old_size = (size_t)1 << r->index_bits;
    conn **old = r->index, **larger = calloc(2 * old_size, sizeof(conn *));
    if (!larger) return; /* slower, and right */
    r->index = larger;
    r->index_bits++;
    for (size_t i = 0; i < old_size; i++) {
        for (conn *c = old[i], *next; c; c = next) {
            next = c->i_next;
            index_link(r, c);
        }
    }
    free(old);
}

void index_put(relay *r, conn *c, uint64_t key) {
    index_remove(r, c);
    if (r->index_used++ >> r->index_bits) index_grow(r);
    c->key = key;
    index_link(r, c);
}

void index_remove(relay *r, conn *c) {
    if (!c->i_prev) return;
    *c->i_prev = c->i_next;
    if (c->i_next) c->i_next->i_prev = c->i_prev;
    c->i_prev = NULL;
    r->index_used--;
}

conn *index_find(const relay *r, uint64_t key, conn *after) {
    conn *c = after ? after->i_next : r->index[index_slot(r, key)];
    while (c && c->key != key) c = c->i_next;
    return c;
}

/* ---- life and death ---- */
conn *conn_new(relay *r, int fd, conn_state state) {
    conn *c = calloc(1, sizeof *c);
    if (!c || loop_add(r->loop, fd, c) != 0) {
        free(c);
        svconn_fd_close(fd);
        return NULL;
    }
    c->fd = fd;
    c->state = (uint8_t)state;
    c->id = ++r->next_id;
    c->since = c->heard_at = c->moved_at = r->now;
    c->can_write = 1;
    c->pipe[0] = c->pipe[1] = -1;
    c->a_next = r->all;
    c->a_prev = &r->all;
    if (r->all) r->all->a_prev = &c->a_next;
    r->all = c;
    r->n_conns++;
    return c;
}

/* A short text of a stranger, up to end, into c->held with a NUL behind it. exact: not a byte more is taken. 1: it is
 * there; 0: not yet; -1: it is too long, or over. */
int conn_read_text(conn *c, size_t most, const char *end, int exact) {
    if (!c->held) c->held = calloc(1, most + 1);
    if (!c->held) return -1;
    for (;;) {
        if (strstr((char *)c->held, end)) return 1;
        if (c->held_len == most) return -1;
        ssize_t n = svconn_fd_read(c->fd, c->held + c->held_len, exact ? 1 : most - c->held_len);
        if (n < 0 && errno == EAGAIN) {
            c->can_read = 0;
            return 0;
        }
        if (n <= 0 || c->held[c->held_len] == 0) return -1;
        c->held_len += (uint32_t)n;
        c->held[c->held_len] = 0;
    }
}

void conn_run(relay *r, conn *c) {
    if (c->running || c->state == CONN_DEAD) return;
    c->running = 1;
    c->q_next = NULL;
    *r->queue_end = c;
    r->queue_end = &c->q_next;
}

static void leave_source(relay *r, conn *c) {
    if (!c->src) return;
    source_leave(r->sources, c->src, c->state == CONN_JOINED, r->now);
    c->src = NULL;
}

void conn_drop(relay *r, conn *c) {
    if (c->state == CONN_DEAD) return;
    control_gone(r, c);
    forward_drop(r, c);
    leave_source(r, c);
    if (c->state == CONN_HTTP) r->n_readers--;
    index_remove(r, c);
    wheel_remove(c);
    loop_remove(r->loop, c->fd);
    svconn_fd_close(c->fd);
    *c->a_prev = c->a_next;
    if (c->a_next) c->a_next->a_prev = c->a_prev;
    r->n_conns--;
    c->state = CONN_DEAD;
    c->a_next = r->dead;
    r->dead = c;
}

void conn_leave(relay *r, conn *c) {
    if (c->state == CONN_DEAD || c->state == CONN_LEAVING) return;
    control_gone(r, c);
    forward_drop(r, c);
    index_remove(r, c);
    if (c->state == CONN_JOINED && c->src) source_count(c->src, 1, -1);
    if (c->state == CONN_HTTP) r->n_readers--;
    svconn_fd_end(c->fd);
    c->state = CONN_LEAVING;
    c->since = r->now;
    wheel_remove(c);
    conn_due(r, c, r->now + LEAVE_MS);
    conn_run(r, c); /* its end may be there already */
}

void conn_bury(relay *r) {
    conn *kept = NULL;
    while (r->dead) {
        conn *c = r->dead;
        r->dead = c->a_next;
        if (c->running) { /* still in the queue of a round */
            c->a_next = kept;
            kept = c;
        } else {
            free(c);
        }
    }
    r->dead = kept;
}

/* For poll: what would make this one go on. */
short conn_wants(void *who) {
    conn *c = who;
    switch (c->state) {
    case CONN_JOINED: break;
    case CONN_DEAD: return 0;
    default: return (short)((c->can_read ? 0 : POLLIN) | (c->control && !c->can_write ? POLLOUT : 0));
    }
    short events = 0;
    if (!c->can_read && !c->ended) events |= POLLIN;
    if (!c->can_write && !c->deaf) events |= POLLOUT;
    return events;
}
