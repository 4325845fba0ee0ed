/* SPDX-License-Identifier: ISC */
/*
 * Links for svconn on POSIX systems: TCP, UNIX sockets, file descriptors, a child process, the join line of a relay; randomness; and the pump that
 * runs a session over a link, blocking or inside a poll loop. Optional: the library proper needs none of it.
 *
 * Functions that talk to the system return 0, or -1 and one sentence in *why (may be NULL) that says what failed, on what, and what to look at.
 * No signal handler is installed; writes never raise SIGPIPE on sockets; a program that uses pipes ignores SIGPIPE itself.
 */
#ifndef SVCONN_TRANSPORT_H
#define SVCONN_TRANSPORT_H

#include "svconn.h"
#include <poll.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    char text[300];
} svconn_why;

/* ---- time and randomness --------------------------------------------------------------------------------- */
/* Monotonic milliseconds. */
uint64_t svconn_now(void);

/* Bytes from the operating system's generator (getrandom, getentropy, /dev/urandom). On failure returns -1 and out is all zero, which svconn_init
 * refuses: a failure cannot be overlooked. */
SVCONN_MUST_CHECK int svconn_random(uint8_t *out, size_t len);

/* ---- links -------------------------------------------------------------------------------------------------- */
/*
 * Addresses:
 *   tcp://HOST:PORT        name, IPv4 or [IPv6]; port 0 in a listener lets the system choose
 *   unix:PATH              UNIX stream socket
 *   fd:N   fd:IN,OUT       descriptors that are open already
 *   stdio:                 standard input and output
 *   exec:COMMAND           a child process: /bin/sh -c COMMAND, its standard input and output
 *   relay+tcp://HOST:PORT/TOKEN    a relay that joins two inbound connections which name the same token: 1 to 64 of A-Z a-z 0-9 - _
 */
typedef struct {
    int in, out; /* non-blocking descriptors; equal for sockets; -1: none */
    long child;  /* process id of exec:, or 0 */
    int saved_in_flags, saved_out_flags; /* of descriptors that were open before (fd:, stdio:), given back at close; -1: nothing saved */
} svconn_link;

#define SVCONN_LINK_NONE {-1, -1, 0, -1, -1}

/* Opens a link; waits at most timeout_ms (-1: no limit) for connect and for the relay's answer. */
SVCONN_MUST_CHECK int svconn_link_open(svconn_link *l, const char *address, int timeout_ms, svconn_why *why);

/* Closes it; waits for the child of exec: (a second, then SIGTERM, then SIGKILL). Harmless on a closed link. */
void svconn_link_close(svconn_link *l);

/* The other end as text ("127.0.0.1:4000", "a child process"), for logs. */
void svconn_link_peer(const svconn_link *l, char *out, size_t size);

/* Waiting for links. On addresses that have only one link (fd:, stdio:, exec:), the first accept gives that link and the second fails. With relay+tcp each
 * accept joins the relay anew, as the listening side. */
typedef struct {
    int fd;             /* to poll for POLLIN; -1 where there is none */
    int kind, spent;
    char address[300];  /* in full, the port that was chosen included */
} svconn_listener;

SVCONN_MUST_CHECK int svconn_listen(svconn_listener *n, const char *address, svconn_why *why);
SVCONN_MUST_CHECK int svconn_listener_accept(svconn_listener *n, svconn_link *l, int timeout_ms, svconn_why *why);
void svconn_listener_close(svconn_listener *n);

/* ---- the pump, blocking ---------------------------------------------------------------------------------------- */
/* Asked when svconn_status is one of SVCONN_NEEDS_...: answer with svconn_accept, svconn_refuse, svconn_prove or svconn_give_psk. What it leaves unanswered is
 * refused. */
typedef void (*svconn_answer)(svconn *s, void *arg);

/* Until connected, or failed. A CLIENT may stop sooner to send early messages: see svconn_pump_handshake_early. */
SVCONN_MUST_CHECK svconn_err svconn_pump_handshake(svconn *s, svconn_link *l, svconn_answer answer, void *arg);
/* The same, but a CLIENT that may send early messages returns as soon as it may (SVCONN_CONFIRMING). The next svconn_pump_recv completes the handshake. */
SVCONN_MUST_CHECK svconn_err svconn_pump_handshake_early(svconn *s, svconn_link *l, svconn_answer answer, void *arg);

/* Sends one message and writes it out. Messages that arrive meanwhile wait in the session; if it is full they wait in the link (so two ends that both
 * send without receiving can wait for each other: use the poll form for that). */
SVCONN_MUST_CHECK svconn_err svconn_pump_send(svconn *s, svconn_link *l, const void *msg, size_t len);

/* Gives back the message lent before and waits for the next one. SVCONN_END: the peer closed. */
SVCONN_MUST_CHECK svconn_err svconn_pump_recv(svconn *s, svconn_link *l, const uint8_t **msg, size_t *len);

/* CLOSE, then reads until the peer's CLOSE; messages that still come are dropped. Then the link may be closed. Also after a failure: brings the error
 * packet out. Returns SVCONN_OK if both closed in order. */
SVCONN_MUST_CHECK svconn_err svconn_pump_close(svconn *s, svconn_link *l);

/* ---- the pump, for poll loops ------------------------------------------------------------------------------------ */
/* What to wait for: fills fds (1 or 2, returns how many) and the longest time to wait in ms (-1: no limit). */
nfds_t svconn_pump_want(svconn *s, const svconn_link *l, struct pollfd fds[2], int *timeout_ms);

/* Carries what can be carried without waiting; does deadlines. Call after poll, also when it timed out. Look then at svconn_status, svconn_recv. Returns the
 * session's failure. */
SVCONN_MUST_CHECK svconn_err svconn_pump_ready(svconn *s, svconn_link *l, const struct pollfd fds[2], nfds_t n);

#ifdef __cplusplus
}
#endif
#endif
