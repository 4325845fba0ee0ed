/* SPDX-License-Identifier: ISC */
/*
 * serial: links, spec/serial.md. The listener holds the device for as long as it listens, and lends it to one link at a
 * time; a caller's link has a device of its own. The bytes of a session go through as they are; they are looked through
 * for marks, and one that ends the session is the end of the link.
 */
#include "svconn_posix.h" /* first */
#include "svconn_line.h"
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CALL_MS 500       /* from a call to the next: doubles up to */
#define CALL_MAX_MS 8000  /* so that it gets longer than any delay of the serial_line */
#define ROOM_MS 1000      /* for the room that a mark needs in the buffer of the system */
#define GARBAGE_MAX 65536 /* that is read in one go, so that a line of noise cannot hold us for ever */
#define RIVALS 3          /* calls of the other side: fewer may be old ones */
#define MARKS_MAX (GARBAGE_MAX / SVCONN_LINE_MARK)

typedef struct {
    svconn_tty *tty;
    int fd, users; /* the listener, the link */
    int marks;
    int lent;                         /* there is a link */
    int called;                       /* the mark that ended the last link was a call: nonce wants an answer */
    char device[SVCONN_HOST_MAX + 1]; /* for messages */
    uint8_t nonce[SVCONN_LINE_NONCE]; /* of the session; of the last call */
    svconn_line_finder finder;
    /* what was read: bytes[at .. whole) belongs to the session; if it ends there, what follows the mark begins at next
     */
    uint8_t bytes[1024];
    size_t at, whole, next, len;
    int ends;     /* the session ends at whole, or has ended */
    int said_end; /* we have said so */
} serial_line;

/* ---- the device --------------------------------------------------------------------------------- */

static serial_line *open_line(const svconn_address *a, svconn_why *why) {
    serial_line *p = calloc(1, sizeof *p);
    if (!p) {
        svconn_because(why, "cannot open %.150s: %s", a->text, strerror(ENOMEM));
        return NULL;
    }
    p->tty = svconn_tty_open(a, why);
    if (!p->tty) {
        free(p);
        return NULL;
    }
    p->fd = svconn_tty_fd(p->tty);
    p->users = 1;
    p->marks = a->marks;
    memcpy(p->device, a->host, sizeof p->device);
    return p;
}

static void drop_line(serial_line *p) {
    if (--p->users > 0) return;
    svconn_tty_close(p->tty);
    free(p);
}

/* How many; 0: later; -1: the device is gone, errno. */
static int read_more(serial_line *p) {
    ssize_t n;
    do n = read(p->fd, p->bytes, sizeof p->bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0 && svconn_is_later(errno)) return 0;
    if (n == 0) errno = EIO; /* hung up */
    if (n <= 0) return -1;
    p->at = 0;
    p->len = (size_t)n;
    return (int)n;
}

static int device_failed(const serial_line *p, svconn_why *why) {
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.150s: the device is gone (unplugged?): %s", p->device,
                             strerror(errno));
}

/* 0, or -1: no room for it. In pieces: the buffer of the system may have room for a part of it. */
static int put_mark(const serial_line *p, svconn_line_kind kind, const uint8_t nonce[SVCONN_LINE_NONCE], int timeout_ms) {
    uint8_t mark[SVCONN_LINE_MARK];
    svconn_line_mark(mark, kind, nonce);
    return svconn_send_exact(p->fd, mark, sizeof mark, svconn_deadline(timeout_ms));
}

/* ---- a session ---------------------------------------------------------------------------------- */

static const uint8_t no_nonce[SVCONN_LINE_NONCE];

static int is_ours(const serial_line *p, const uint8_t nonce[SVCONN_LINE_NONCE]) {
    return memcmp(nonce, p->nonce, SVCONN_LINE_NONCE) == 0 || memcmp(nonce, no_nonce, sizeof no_nonce) == 0;
}

/* Of bytes[at .. len): how far does the session go? */
static void look_through(serial_line *p) {
    p->whole = p->next = p->len;
    for (size_t from = p->at; p->marks && from < p->len;) {
        int kind;
        uint8_t nonce[SVCONN_LINE_NONCE];
        from += svconn_line_find(&p->finder, p->bytes + from, p->len - from, &kind, nonce);
        if (kind != SVCONN_LINE_CALL && !(kind == SVCONN_LINE_END && is_ours(p, nonce))) continue;
        /* its beginning may have come before, and have gone to the session as if it were a part of it */
        p->whole = from - p->at > SVCONN_LINE_MARK ? from - SVCONN_LINE_MARK : p->at;
        p->next = from;
        p->ends = 1;
        p->called = kind == SVCONN_LINE_CALL;
        if (p->called) memcpy(p->nonce, nonce, sizeof nonce);
        return;
    }
}

static ssize_t serial_read(svconn_link *l, uint8_t *bytes, size_t len) {
    serial_line *p = l->state;
    if (p->said_end) return 0;
    if (p->at == p->whole && !p->ends) {
        int n = read_more(p);
        if (n <= 0) {
            if (n == 0) errno = EAGAIN;
            return -1;
        }
        look_through(p);
    }
    size_t n = p->whole - p->at < len ? p->whole - p->at : len;
    memcpy(bytes, p->bytes + p->at, n);
    p->at += n;
    return (ssize_t)n; /* 0: it ends here */
}

static ssize_t serial_write(svconn_link *l, const uint8_t *bytes, size_t len) {
    const serial_line *p = l->state;
    ssize_t n;
    if (len == 0) return 0;
    do n = write(p->fd, bytes, len);
    while (n < 0 && errno == EINTR);
    return n;
}

static nfds_t serial_want(const svconn_link *l, short events, struct pollfd fds[2], uint64_t *when) {
    const serial_line *p = l->state;
    if ((events & POLLIN) && (p->at < p->whole || p->ends || p->said_end)) *when = svconn_now();
    fds[0] = (struct pollfd){.fd = p->fd, .events = events};
    return events ? 1 : 0;
}

/* Nothing follows an error packet, and what still comes need not be read: else two that have both failed would each
 * wait for the other's end. */
static void serial_end(svconn_link *l) {
    serial_line *p = l->state;
    if (p->marks && !p->ends && !p->said_end) p->said_end = put_mark(p, SVCONN_LINE_END, p->nonce, 0) == 0;
}

static void serial_close(svconn_link *l) {
    serial_line *p = l->state;
    if (p->marks && !p->ends && !p->said_end) (void)put_mark(p, SVCONN_LINE_END, p->nonce, ROOM_MS);
    p->lent = 0;
    p->at = p->next;
    drop_line(p);
}

static void serial_peer(const svconn_link *l, char *out, size_t size) {
    snprintf(out, size, "%s", ((const serial_line *)l->state)->device);
}

static const svconn_link_ops serial_link_ops = {.read = serial_read,
                                                .write = serial_write,
                                                .want = serial_want,
                                                .end = serial_end,
                                                .close = serial_close,
                                                .peer = serial_peer};

/* What was read behind the mark, bytes[at .. len), is the beginning of the session. (The finder stays as it is: it may
 * hold the first half of a later call.) */
static void lend(svconn_link *l, serial_line *p) {
    p->lent = 1;
    p->ends = p->called = p->said_end = 0;
    look_through(p);
    l->ops = &serial_link_ops;
    l->state = p;
}

int svconn_serial_plain(svconn_link *l, const svconn_address *a, svconn_why *why) {
    serial_line *p = open_line(a, why);
    if (!p) return -1;
    lend(l, p);
    return 0;
}

/* ---- to call ------------------------------------------------------------------------------------ */

/* Up to the end of the next mark of what there is; 0: later, -1: the device is gone. */
static int next_mark(serial_line *p, int *kind, uint8_t nonce[SVCONN_LINE_NONCE]) {
    for (size_t garbage = 0; garbage < GARBAGE_MAX; garbage += p->len) {
        if (p->at == p->len) {
            int n = read_more(p);
            if (n <= 0) return n;
        }
        p->at += svconn_line_find(&p->finder, p->bytes + p->at, p->len - p->at, kind, nonce);
        if (*kind) return 1;
    }
    return 0;
}

/* 1: answered; 0: not until then; -1 and *why */
static int wait_for_answer(serial_line *p, uint64_t until, int *rivals, svconn_why *why) {
    for (;;) {
        int kind;
        uint8_t nonce[SVCONN_LINE_NONCE];
        int found = next_mark(p, &kind, nonce);
        int ours = found > 0 && memcmp(nonce, p->nonce, sizeof nonce) == 0;
        if (found < 0) return device_failed(p, why);
        if (ours && kind == SVCONN_LINE_ANSWER) return 1;
        if (ours && kind == SVCONN_LINE_CALL)
            return svconn_because(why,
                                  "%.150s: what we send comes back: is the other side a terminal with an echo, or are "
                                  "two wires joined?",
                                  p->device);
        if (found > 0 && kind == SVCONN_LINE_CALL && ++*rivals == RIVALS)
            return svconn_because_of(why, SVCONN_FAULT_NOT_THERE,
                                     "%.150s: the other side calls as well: one of the two has to listen", p->device);
        if (svconn_time_left(until) == 0) return 0;
        if (found == 0 && svconn_wait(p->fd, POLLIN, until) != 0 && errno != ETIMEDOUT) return device_failed(p, why);
    }
}

static int call(serial_line *p, const svconn_address *a, uint64_t end, svconn_why *why) {
    int rivals = 0;
    uint64_t pause = CALL_MS + 2 * SVCONN_LINE_MARK * 10 * 1000 / (uint64_t)a->speed;
    do {
        if (svconn_random(p->nonce, sizeof p->nonce) != 0)
            return svconn_because(why, "%.150s: no random numbers", p->device);
        uint64_t until = svconn_now() + pause;
        if (put_mark(p, SVCONN_LINE_CALL, p->nonce, ROOM_MS) != 0 && errno != ETIMEDOUT) return device_failed(p, why);
        int answered = wait_for_answer(p, until < end ? until : end, &rivals, why);
        if (answered != 0) return answered < 0 ? -1 : 0;
        pause = pause * 2 < CALL_MAX_MS ? pause * 2 : CALL_MAX_MS;
    } while (svconn_now() < end);
    return svconn_because_of(
        why, SVCONN_FAULT_NOT_THERE,
        "%.150s: no answer: does the other side listen, at the same speed, and are the wires crossed (TX to RX)?",
        p->device);
}

int svconn_serial_call(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    serial_line *p = open_line(a, why);
    if (!p) return -1;
    if (call(p, a, end, why) != 0) {
        drop_line(p);
        return -1;
    }
    lend(l, p);
    return 0;
}

/* ---- to listen ---------------------------------------------------------------------------------- */

/* All that there is, as only the last call is still waited for; but a flood of them does not hold us for ever either.
 * -1: the device is gone. */
static int take_calls(serial_line *p) {
    int kind, found = 0;
    uint8_t nonce[SVCONN_LINE_NONCE];
    for (int i = 0; i < MARKS_MAX && (found = next_mark(p, &kind, nonce)) > 0; i++) {
        if (kind != SVCONN_LINE_CALL) continue;
        memcpy(p->nonce, nonce, sizeof nonce);
        p->called = 1;
    }
    return found;
}

static int serial_accept(svconn_listener *n, svconn_link *l, uint64_t end, svconn_why *why) {
    serial_line *p = n->state;
    if (p->lent) return svconn_because(why, "%.150s: a session is on the line", p->device);
    for (;;) {
        if (take_calls(p) < 0) {
            int error = errno;
            svconn_listener_close(n);
            errno = error;
            return svconn_because_of(why, SVCONN_FAULT_CUT, "%.150s: the device is gone (unplugged?): %s", n->address,
                                     strerror(error));
        }
        if (p->called) {
            p->called = 0;
            (void)tcflush(p->fd, TCOFLUSH); /* of a session before */
            if (put_mark(p, SVCONN_LINE_ANSWER, p->nonce, ROOM_MS) == 0) {
                p->users++;
                lend(l, p);
                return 0;
            }
        }
        if (svconn_time_left(end) == 0 || (svconn_wait(p->fd, POLLIN, end) != 0 && errno == ETIMEDOUT))
            return svconn_because_of(why, SVCONN_FAULT_NOT_THERE, "nobody called on %.150s in time", p->device);
    }
}

static nfds_t listener_want(const svconn_listener *n, struct pollfd fds[SVCONN_LISTENER_FDS], int *timeout_ms) {
    const serial_line *p = n->state;
    if (p->lent) return 0;
    if (p->called || p->at < p->len) *timeout_ms = 0; /* what was read with the end of the last session */
    fds[0] = (struct pollfd){.fd = p->fd, .events = POLLIN};
    return 1;
}

static void listener_close(svconn_listener *n) { drop_line(n->state); }

static const svconn_listener_ops serial_listener_ops = {
    .accept = serial_accept, .want = listener_want, .close = listener_close};

int svconn_serial_listen(svconn_listener *n, const svconn_address *a, svconn_why *why) {
    serial_line *p = open_line(a, why);
    if (!p) return -1;
    (void)put_mark(p, SVCONN_LINE_END, no_nonce, ROOM_MS); /* to who still thinks that it has a session with us */
    n->ops = &serial_listener_ops;
    n->state = p;
    n->fd = p->fd;
    return 0;
}
