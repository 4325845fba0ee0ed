/* SPDX-License-Identifier: ISC */
/*
 * The pump: a session over a link, spec/protocol.md sections 6 and 7.
 *
 * Everything goes through svconn_pump_want, poll and svconn_pump_ready; the blocking calls are loops around the three.
 * A link that is more than two descriptors (ops) takes the place of read, write and of what to poll for, and nothing
 * else. How links end:
 *
 *  - A write that fails is not yet the end. A peer that failed writes its error packet and closes; our next write is
 * refused while the packet waits in our receive queue. So from then on bytes to be sent are swallowed (out_ended), and
 * reading goes on until it meets the end too.
 *  - Any error of a read but "later" is the end of the link, ECONNRESET in particular: systems give out what was
 * received before they report it.
 *  - The session is told the end (svconn_wire_eof) once, by link_is_over, and decides what it means.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <limits.h>

#define OUT_ENDED_MS 2000 /* a peer that takes no more (one of two pipes is closed) may say so long why */
#define ABSENCE_MS 1000   /* away from the pump for longer: read before deadlines are looked at */
#define LAST_WORD_MS 1000 /* for the error packet */
#define LAST_WORD_BYTES 1048576
#define STALL_MS 10000 /* our last bytes, CLOSE among them, may stand still for so long */

static int is_over(const svconn *s) { return svconn_status(s) == SVCONN_CLOSED || svconn_status(s) == SVCONN_FAILED; }

static int is_asking(const svconn *s) {
    svconn_state state = svconn_status(s);
    return state == SVCONN_NEEDS_PROOF || state == SVCONN_NEEDS_PSK || state == SVCONN_NEEDS_VERDICT;
}

/* Who ended the link, or told us of a failure, wants to hear nothing more. */
static int peer_is_gone(const svconn *s) {
    svconn_err err = svconn_error(s);
    return err == SVCONN_E_ABSENT || err == SVCONN_E_TRUNCATED || err == SVCONN_E_ABORTED;
}

/* Of the session, and of a link that frames what it carries. What nobody will take does not count as pending. */
static size_t unsent(const svconn *s, const svconn_link *l) {
    size_t len;
    (void)svconn_wire_out(s, &len);
    if (l->ops && l->ops->pending && !l->out_ended && !peer_is_gone(s)) len += l->ops->pending(l);
    return len;
}

/* ---- bytes -------------------------------------------------------------------------------------- */

static ssize_t write_some(svconn_link *l, const uint8_t *bytes, size_t len) {
    return l->ops ? l->ops->write(l, bytes, len) : svconn_fd_write(l->out, bytes, len);
}

static ssize_t read_some(svconn_link *l, uint8_t *bytes, size_t len) {
    return l->ops ? l->ops->read(l, bytes, len) : svconn_fd_read(l->in, bytes, len);
}

static void end_writing(svconn_link *l) {
    if (l->ops && l->ops->end) l->ops->end(l);
    else svconn_fd_end(l->out);
}

/* As much as the link takes; what it will never take counts as sent. Nothing follows an error packet. */
static void write_out(svconn *s, svconn_link *l) {
    for (;;) {
        size_t len;
        const uint8_t *bytes = svconn_wire_out(s, &len);
        if (len == 0 && svconn_status(s) == SVCONN_FAILED) end_writing(l);
        if (len == 0 && unsent(s, l) == 0) return;
        if (!l->out_ended && !peer_is_gone(s)) {
            ssize_t n = write_some(l, bytes, len);
            if (n == 0 || (n < 0 && svconn_is_later(errno))) return;
            if (n > 0) len = (size_t)n;
            else {
                l->out_ended = 1;
                l->out_ended_at = svconn_now();
            }
        }
        if (svconn_wire_sent(s, len)) return;
    }
}

static void link_is_over(svconn *s, svconn_link *l) {
    l->in_ended = 1;
    (void)!svconn_wire_eof(s); /* svconn_error has it */
}

/* One read; 1 if it found something. More may be there: poll will say so again, and other links get their turn. */
static int read_in(svconn *s, svconn_link *l, uint64_t now) {
    size_t room;
    uint8_t *space = svconn_wire_space(s, &room);
    if (room == 0 || l->in_ended) return 0;
    ssize_t n = read_some(l, space, room);
    if (n < 0 && svconn_is_later(errno)) return 0;
    if (n > 0) (void)!svconn_wire_filled(s, (size_t)n, now);
    else link_is_over(s, l);
    return 1;
}

/* ---- the last word ------------------------------------------------------------------------------ */

/* After a failure the error packet is brought out, and what comes is read and dropped meanwhile: a peer that writes to
 * us before it reads must not be stuck, and a TCP socket closed with bytes unread is reset, which destroys the packet
 * on its way. The peer ends the link when it has the packet, or meets the end of what we send. */
static int has_last_word(const svconn *s, const svconn_link *l) {
    int writing = unsent(s, l) && !l->out_ended, reading = (l->in >= 0 || l->ops) && !l->in_ended;
    return svconn_status(s) == SVCONN_FAILED && !peer_is_gone(s) && (writing || reading) &&
           l->dropped < LAST_WORD_BYTES && (!l->told_at || svconn_now() < l->told_at + LAST_WORD_MS);
}

static int read_and_drop(svconn_link *l) {
    uint8_t bytes[4096];
    ssize_t n = read_some(l, bytes, sizeof bytes);
    if (n < 0 && svconn_is_later(errno)) return 0;
    if (n > 0) l->dropped += (size_t)n;
    else l->in_ended = 1;
    return 1;
}

int svconn_pump_is_over(const svconn *s, const svconn_link *l) {
    return svconn_status(s) == SVCONN_FAILED ? !has_last_word(s, l)
                                             : svconn_status(s) == SVCONN_CLOSED && !unsent(s, l);
}

/* ---- for poll loops ----------------------------------------------------------------------------- */

static int wants_bytes(svconn *s, const svconn_link *l) {
    size_t room;
    (void)svconn_wire_space(s, &room);
    return !l->in_ended && (room || has_last_word(s, l));
}

/* What to poll for; may lower *next. A descriptor that we do not wait for must not be in fds at all: poll reports its
 * end even if it is not asked to, again and again. */
static nfds_t poll_fds(struct pollfd fds[2], const svconn_link *l, int reading, int writing, uint64_t *next) {
    nfds_t n = 0;
    if (l->ops && l->ops->want)
        return l->ops->want(l, (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0)), fds, next);
    if (reading) fds[n++] = svconn_pollfd(l->in, POLLIN);
    if (writing && n && l->in == l->out) fds[0].events |= POLLOUT;
    else if (writing) fds[n++] = svconn_pollfd(l->out, POLLOUT);
    return n;
}

/* When svconn_pump_ready is to be called even if nothing happens. */
static uint64_t next_time(svconn *s, const svconn_link *l, int reading, uint64_t now) {
    uint64_t next;
    /* Who was away does not know what the peer has sent since: reading comes first, else a peer that did all it should
     * is found silent. */
    if (now - l->looked_at > ABSENCE_MS) return now;
    svconn_err before = svconn_error(s);
    svconn_err err = svconn_tick(s, now, &next);
    if (err && !before) return now; /* a new failure: the caller must learn of it */
    if (l->out_ended && reading && l->out_ended_at + OUT_ENDED_MS < next) next = l->out_ended_at + OUT_ENDED_MS;
    if (has_last_word(s, l) && l->told_at + LAST_WORD_MS < next) next = l->told_at + LAST_WORD_MS;
    if (unsent(s, l) && (l->out_ended || peer_is_gone(s))) return now; /* to be swallowed */
    return next;
}

nfds_t svconn_pump_want(svconn *s, const svconn_link *l, struct pollfd fds[2], int *timeout_ms) {
    uint64_t now = svconn_now();
    uint64_t next = next_time(s, l, wants_bytes(s, l), now);
    nfds_t n = poll_fds(fds, l, wants_bytes(s, l), unsent(s, l) && !l->out_ended, &next);
    if (next == UINT64_MAX) *timeout_ms = -1;
    else if (next <= now) *timeout_ms = 0;
    else *timeout_ms = next - now < INT_MAX ? (int)(next - now) : INT_MAX;
    return n;
}

/* A link that says itself what to wait for is always tried: it may wait for a time, or hold what it read ahead. */
static int can_read(const svconn_link *l, const struct pollfd *fds, nfds_t n) {
    if (!fds) return 0;
    for (nfds_t i = 0; i < n; i++) /* any error, too, is for read to find out */
        if ((int)fds[i].fd == l->in && (fds[i].revents & ~POLLOUT)) return 1;
    return l->in < 0 || (l->ops && l->ops->want);
}

svconn_err svconn_pump_ready(svconn *s, svconn_link *l, const struct pollfd fds[2], nfds_t n) {
    uint64_t now = svconn_now();
    int heard = can_read(l, fds, n) && (has_last_word(s, l) ? read_and_drop(l) : read_in(s, l, now));
    if (!heard && l->out_ended && now >= l->out_ended_at + OUT_ENDED_MS && wants_bytes(s, l)) link_is_over(s, l);
    (void)!svconn_tick(s, now, NULL);
    l->looked_at = now;
    if (svconn_error(s) && !l->told_at) l->told_at = now;
    write_out(s, l);
    return svconn_error(s);
}

/* ---- blocking ----------------------------------------------------------------------------------- */

/* One turn of a poll loop. until: when to stop waiting, for the caller. */
static svconn_err turn(svconn *s, svconn_link *l, uint64_t until) {
    struct pollfd fds[2];
    int wait;
    nfds_t n = svconn_pump_want(s, l, fds, &wait);
    int left = svconn_time_left(until);
    if (left >= 0 && (wait < 0 || left < wait)) wait = left;
    if (svconn_poll(fds, n, wait) < 0)
        for (nfds_t i = 0; i < n; i++) fds[i].revents = 0; /* a signal: nothing happened */
    return svconn_pump_ready(s, l, fds, n);
}

static void ask(svconn *s, svconn_answer answer, void *arg) {
    svconn_state question = svconn_status(s);
    if (answer) answer(s, arg);
    if (svconn_status(s) != question) return;
    if (svconn_refuse(s)) svconn_abort(s); /* a proof is not refused but not given */
}

/* Early messages are allowed: the only fault of a message that is too long is its size. */
static int may_send_early(svconn *s) {
    return svconn_status(s) == SVCONN_CONFIRMING && svconn_send(s, "", SVCONN_MESSAGE_MAX + 1, 0) == SVCONN_E_SIZE;
}

static svconn_err handshake(svconn *s, svconn_link *l, svconn_answer answer, void *arg, int early) {
    if (svconn_status(s) == SVCONN_NONE) return SVCONN_E_STATE;
    while (!is_over(s)) {
        while (is_asking(s))
            ask(s, answer, arg); /* one answer may raise the next question: no byte will come in between */
        /* What is ours is brought out: the SERVER's M3 is what the CLIENT waits for. */
        if (unsent(s, l) == 0 && (svconn_status(s) == SVCONN_CONNECTED || (early && may_send_early(s))))
            return SVCONN_OK;
        if (turn(s, l, UINT64_MAX)) break;
    }
    return svconn_error(s);
}

svconn_err svconn_pump_handshake(svconn *s, svconn_link *l, svconn_answer answer, void *arg) {
    return handshake(s, l, answer, arg, 0);
}

svconn_err svconn_pump_handshake_early(svconn *s, svconn_link *l, svconn_answer answer, void *arg) {
    return handshake(s, l, answer, arg, 1);
}

/* A message was swallowed. Learn why, as far as the session takes what is there to read. */
static svconn_err why_it_ended(svconn *s, svconn_link *l) {
    while (!is_over(s) && wants_bytes(s, l))
        if (turn(s, l, UINT64_MAX)) break;
    return svconn_error(s) ? svconn_error(s) : SVCONN_E_TRUNCATED;
}

svconn_err svconn_pump_send(svconn *s, svconn_link *l, const void *msg, size_t len) {
    svconn_err err;
    while ((err = svconn_send(s, msg, len, svconn_now())) == SVCONN_AGAIN)
        if ((err = turn(s, l, UINT64_MAX)) != SVCONN_OK) return err;
    if (err) return svconn_error(s) ? svconn_error(s) : err;
    write_out(s, l);
    while (unsent(s, l))
        if ((err = turn(s, l, UINT64_MAX)) != SVCONN_OK) return err;
    return l->out_ended ? why_it_ended(s, l) : svconn_error(s);
}

svconn_err svconn_pump_recv(svconn *s, svconn_link *l, const uint8_t **msg, size_t *len) {
    if (l->lent) {
        l->lent = 0;
        (void)!svconn_tick(s, svconn_now(), NULL); /* while it was lent the peer was not silent */
        (void)!svconn_recv_done(s);
    }
    for (;;) {
        svconn_err err = svconn_recv(s, msg, len);
        if (err == SVCONN_OK) l->lent = 1;
        if (err != SVCONN_AGAIN || is_asking(s)) return err;
        (void)!turn(s, l, UINT64_MAX); /* svconn_recv has the failure, behind the messages that came before it */
    }
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* Both have closed; our last bytes may still be here. */
static svconn_err finish_close(svconn *s, svconn_link *l) {
    size_t before = unsent(s, l);
    uint64_t end = svconn_deadline(STALL_MS);
    write_out(s, l);
    while (unsent(s, l) && svconn_now() < end) {
        (void)!turn(s, l, end);
        if (unsent(s, l) < before) end = svconn_deadline(STALL_MS);
        before = unsent(s, l);
    }
    return unsent(s, l) || l->out_ended ? SVCONN_E_TRUNCATED : SVCONN_OK;
}

static void drop_messages(svconn *s) {
    const uint8_t *msg;
    size_t len;
    while (svconn_recv(s, &msg, &len) == SVCONN_OK)
        if (svconn_recv_done(s)) return;
}

svconn_err svconn_pump_close(svconn *s, svconn_link *l) {
    if (svconn_status(s) == SVCONN_NONE) return SVCONN_E_STATE;
    l->lent = 0;
    while (svconn_status(s) == SVCONN_CONFIRMING && turn(s, l, UINT64_MAX) == SVCONN_OK) {
    }
    if (!is_over(s) && svconn_close(s, svconn_now())) svconn_abort(s); /* not connected */
    for (;;) {
        drop_messages(s);
        if (is_over(s)) break;
        (void)!turn(s, l, UINT64_MAX);
    }
    if (svconn_status(s) == SVCONN_CLOSED) return finish_close(s, l);
    write_out(s, l);
    l->told_at = svconn_now();
    while (!svconn_pump_is_over(s, l)) (void)!turn(s, l, UINT64_MAX);
    return svconn_error(s);
}
