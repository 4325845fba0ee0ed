/* SPDX-License-Identifier: ISC */
/*
 * Links for svconn on POSIX systems: TCP, UNIX sockets, Bluetooth RFCOMM, serial lines, file descriptors, a child
 * process, WebSocket, a directory, relays, proxies, and kinds that a program makes itself; randomness; and the pump
 * that runs a session over a link, blocking or inside a poll loop. Optional: the library proper needs none of it.
 *
 * Functions that talk to the system return 0, or -1 and one sentence in *why (may be NULL) that says what failed, on
 * what, and what to look at. No signal handler is installed; writes never raise SIGPIPE on sockets; a program that uses
 * pipes ignores SIGPIPE itself.
 */
#ifndef SVCONN_TRANSPORT_H
#define SVCONN_TRANSPORT_H

#include "svconn.h"
#ifdef _WIN32
#include <winsock2.h> /* struct pollfd; so this header stands before <windows.h>, or that is told WIN32_LEAN_AND_MEAN */
typedef unsigned long nfds_t;
#else
#include <poll.h>
#endif
#include <sys/types.h> /* ssize_t */
#if defined(_MSC_VER) && !defined(_SSIZE_T_DEFINED)
#define _SSIZE_T_DEFINED
typedef SSIZE_T ssize_t;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of trouble, for a program that reads. What happens inside a session has reasons of its own (svconn_err). */
typedef enum {
    SVCONN_FAULT_LOCAL = 0,     /* an address that makes no sense, or trouble of this machine */
    SVCONN_FAULT_UNREACHABLE,   /* host or relay cannot be reached: wrong name, nobody listens, a firewall */
    SVCONN_FAULT_PROXY,         /* a proxy on the way refused, or is none */
    SVCONN_FAULT_RELAY_KEY,     /* the relay has another key than the one that we know, or none is known */
    SVCONN_FAULT_RELAY_REFUSED, /* the relay will not serve us: full, ending, not allowed, too many wrong tokens */
    SVCONN_FAULT_TOKEN,         /* token unknown, expired, used or withdrawn */
    SVCONN_FAULT_NOT_THERE,     /* the other party is not at the relay, or did not come in time */
    SVCONN_FAULT_CUT            /* the link ended, or fell silent, before the two were joined */
} svconn_fault;

typedef struct {
    char text[300];
    svconn_fault fault;
} svconn_why;

/* ---- time and randomness ------------------------------------------------------------------------ */
/* Monotonic milliseconds. */
uint64_t svconn_now(void);

/* Bytes from the operating system's generator (getrandom, getentropy, /dev/urandom). On failure returns -1 and out is
 * all zero, which svconn_init refuses: a failure cannot be overlooked. */
SVCONN_MUST_CHECK int svconn_random(uint8_t *out, size_t len);

/* ---- links -------------------------------------------------------------------------------------- */
/*
 * Addresses:
 *   tcp://HOST:PORT        name, IPv4 or [IPv6]; in a listener, port 0 lets the system choose, and no HOST is every
 *                          address of the machine
 *   unix:PATH              UNIX stream socket; a listener replaces a socket file that nobody listens on, and removes
 *                          its own
 *   fd:N   fd:IN,OUT       descriptors that are open already; they are taken over, and closed with the link
 *   stdio:                 standard input and output; led to /dev/null when the link is closed
 *   exec:COMMAND           a child process: /bin/sh -c COMMAND, its standard input and output
 *   relay://[KEY@]HOST[:PORT]/WHAT    a relay where two parties meet (docs/relay.md). KEY: its public key, 64
 *                          hexadecimal digits; without it svconn_link_options.trust is asked. PORT: 8386.
 *      to call:            WHAT is a token such as 7KQ3-M2XD, or the public key of a machine that is registered there
 *      to listen:          no WHAT: the relay makes a token, for one caller; or the public key of options.owner:
 *                          registered under it, for any number of callers
 *   ws://HOST[:PORT][/PATH]    a WebSocket (RFC 6455), port 80 if none is given; to call only: a server stands behind a
 *                          relay such as websockify
 *   dir:PATH               files in a directory that both see (shared, synchronised): see transport/spool.c. A new file
 *                          must reach the other side within seconds, because a handshake has 10 s and silence 60 s
 *                          (svconn_config)
 *   wormhole://HOST:PORT/TOKEN     a transit relay of magic-wormhole, which does the same: 64 hexadecimal digits that
 *                          nobody can guess. Both parties put them into the context, see svconn_link_context.
 *   rfcomm://DEVICE/CHANNEL    Bluetooth RFCOMM (Linux). DEVICE: an address such as 01:23:45:67:89:AB; in a listener
 *                          that of one adapter, or none for all of them. CHANNEL: 1 to 30, or 3-6 for a few: a
 *                          listener is on all of them, a caller goes on to the next if one is busy, as it is for a
 *                          moment after each connection. In a listener none, or 0, lets the system choose.
 *      ?security=low       (medium, high: the two must be paired)    ?from=DEVICE: the adapter that calls
 *   serial:PATH            a serial line, such as serial:/dev/ttyUSB0?speed=115200: raw, 8 bits, no parity, locked.
 *                          One side listens, for one session after another; the other calls. spec/serial.md says how
 *                          they find the start of a session on a line that has no connections.
 *      ?speed=115200       bits a second    ?flow=rtscts: the wires RTS and CTS say when to stop; default none
 *      ?marks=no           the bytes of one session and nothing else, from the first on
 *                          (several of them: ?speed=9600&flow=rtscts)
 *
 * Proxies on the way to a HOST and PORT (svconn_link_options.via), the nearest first, divided by commas:
 *   socks5://[USER:PASSWORD@]HOST:PORT     RFC 1928 and 1929
 *   http://[USER:PASSWORD@]HOST:PORT       CONNECT (RFC 9110, section 9.3.6), Basic (RFC 7617)
 * In user and password any character may be written %XX, a comma, a colon, a @ and a % must be. They go to the proxy in
 * the clear. Names are resolved by the last proxy.
 */
typedef struct svconn_link svconn_link;
struct svconn_link {
    int in, out;                         /* non-blocking descriptors; equal for sockets; -1: none */
    long child;                          /* process id of exec:, or 0 */
    int saved_in_flags, saved_out_flags; /* of fd: and stdio:, given back at close; -1: nothing saved */

    /* the pump's own */
    int in_ended, out_ended; /* no more bytes come; no more are taken */
    int lent;                /* svconn_pump_recv has given out a message */
    uint64_t out_ended_at;
    uint64_t looked_at; /* when the session last saw what the link has for it */
    uint64_t told_at;   /* when the error packet was on its way; 0: not yet */
    size_t dropped;     /* bytes that came since */

    char context[80]; /* what the way adds to the context of the session, see svconn_link_context; "": nothing */

    const struct svconn_link_ops *ops; /* NULL: what goes through in and out are the bytes of the session */
    void *state;                       /* of ops; the link struct itself may be moved */
};

/* To fill in one's own descriptors start from this; make them non-blocking. */
#define SVCONN_LINK_NONE                                                                                               \
    { -1, -1, 0, -1, -1, 0, 0, 0, 0, 0, 0, 0, "", NULL, NULL }

/*
 * A kind of link of one's own: where descriptors do not carry the plain bytes of the session (frames, a device with an
 * interface of its own), or where there are none. read and write are needed, the others may be NULL. None of them
 * waits, and none returns EINTR.
 *
 *      static ssize_t radio_read(svconn_link *l, uint8_t *bytes, size_t len) { ... }
 *      static ssize_t radio_write(svconn_link *l, const uint8_t *bytes, size_t len) { ... }
 *      static nfds_t radio_want(const svconn_link *l, short events, struct pollfd fds[2], uint64_t *when) {
 *          if (events && svconn_now() + 10 < *when) *when = svconn_now() + 10;      no descriptor: look every 10 ms
 *          return 0;
 *      }
 *      static const svconn_link_ops radio = {.read = radio_read, .write = radio_write, .want = radio_want};
 *
 *      svconn_link l = SVCONN_LINK_NONE;
 *      l.ops = &radio;
 *      l.state = my_radio;
 *      err = svconn_pump_handshake(&s, &l, ...);
 */
typedef struct svconn_link_ops {
    /* As read(2) and write(2) on a non-blocking descriptor: how many bytes; 0 from read: the end; -1 and errno, EAGAIN
     * if there is nothing, or no room, now. What write takes without bringing it out counts as pending; with len 0 it
     * goes on bringing that out, and returns 0. */
    ssize_t (*read)(svconn_link *l, uint8_t *bytes, size_t len);
    ssize_t (*write)(svconn_link *l, const uint8_t *bytes, size_t len);
    /* Bytes that write took and that are still here, and others that the link itself has to send. NULL: never any. */
    size_t (*pending)(const svconn_link *l);
    /* What to poll for, so that events (POLLIN, POLLOUT, both or 0) can go on: fills fds, returns how many; lowers
     * *when (svconn_now) to the time at which to try again at the latest. read is tried after every poll then, whatever
     * it found. NULL: in and out, as usual. */
    nfds_t (*want)(const svconn_link *l, short events, struct pollfd fds[2], uint64_t *when);
    /* Tell the other end that nothing more will be written. May be called again. NULL: shutdown(2) of out. */
    void (*end)(svconn_link *l);
    /* From svconn_link_close, which closes in and out behind it. Brings out what goes out at once, frees state. */
    void (*close)(svconn_link *l);
    /* For svconn_link_peer. NULL: by in and out. */
    void (*peer)(const svconn_link *l, char *out, size_t size);
} svconn_link_ops;

/* Opens a link; waits at most timeout_ms (-1: no limit) for connect and for the relay's answer. (Not counted: the
 * system's look-up of a name.) */
SVCONN_MUST_CHECK int svconn_link_open(svconn_link *l, const char *address, int timeout_ms, svconn_why *why);

/* How to get there. Start from zeros. It, and what it points to, stays until the link, or the listener, is closed. */
typedef struct {
    const char *via; /* proxies, as above; NULL: none. Not for a listener on tcp:// or unix: */

    /* relay:// only */
    const svconn_identity *identity; /* who we are for the relay, if it serves listed keys only; NULL: nobody */
    const svconn_identity *owner;    /* the Ed25519 key of a machine that registers by its key */
    /* Is key the one of this relay ("HOST:PORT")? Asked if the address does not say. 1: yes. NULL: no. */
    int (*trust)(void *arg, const char *relay, const uint8_t key[32]);
    void *arg;
} svconn_link_options;

/* options may be NULL. The time that trust takes does not count. */
SVCONN_MUST_CHECK int svconn_link_open_with(svconn_link *l, const char *address, const svconn_link_options *options,
                                            int timeout_ms, svconn_why *why);

/* The context for a session over this link: own, and behind it what ties the session to the way that the two parties
 * meant (section 3.1): a zero byte and the token or the name at the relay. A relay that joins the wrong two is found
 * out so. SVCONN_E_SIZE if it is more than 255 bytes: behind a relay own may have 179. */
SVCONN_MUST_CHECK svconn_err svconn_link_context(const svconn_link *l, uint8_t out[255], size_t *out_len,
                                                 const void *own, size_t own_len);

/* Closes it; waits for the child of exec: (a second, then SIGTERM, then SIGKILL). Harmless on a closed link. */
void svconn_link_close(svconn_link *l);

/* The other end as text ("127.0.0.1:4000", "a child process"), for logs. */
void svconn_link_peer(const svconn_link *l, char *out, size_t size);

/* Waiting for links. On addresses that have only one link (fd:, stdio:, exec:), the first accept gives that link and
 * the second fails. At relay:// a token is good for one accept; a registration for any number, and when its connection
 * is lost accept fails: listen again. At dir: each accept takes the next caller; at wormhole:// it joins anew, as the
 * listening side. */
typedef struct {
    int fd; /* to poll for POLLIN; -1 where there is none */
    int kind, spent;
    long owner; /* the process that listened; others do not remove the socket file */
    const svconn_link_options *options;
    const struct svconn_listener_ops *ops; /* private, as are the next two */
    void *state;
    uint64_t next;     /* when accept must be called again, if nobody came */
    char address[512]; /* in full, with what was chosen: the port, the token and the key of the relay */
} svconn_listener;

SVCONN_MUST_CHECK int svconn_listen(svconn_listener *n, const char *address, svconn_why *why);
SVCONN_MUST_CHECK int svconn_listen_with(svconn_listener *n, const char *address, const svconn_link_options *options,
                                         svconn_why *why);
/* timeout_ms as above; 0 after poll: then -1 may also mean that who connected is gone again, or that a caller at a
 * relay was lost on the way. The listener is over if n->fd is -1 now and was not before. */
SVCONN_MUST_CHECK int svconn_listener_accept(svconn_listener *n, svconn_link *l, int timeout_ms, svconn_why *why);
/* For poll loops: fills fds with what to wait for (returns how many) and shortens *timeout_ms (-1: no limit). Then call
 * svconn_listener_accept with timeout 0, also when poll timed out: a registration at a relay has keep-alives to send
 * and calls to answer. 0: there is nothing to poll, or not now (a serial line while a session is on it). */
#define SVCONN_LISTENER_FDS 17
nfds_t svconn_listener_want(const svconn_listener *n, struct pollfd fds[SVCONN_LISTENER_FDS], int *timeout_ms);
void svconn_listener_close(svconn_listener *n);

/* ---- the pump ----------------------------------------------------------------------------------- */
/*
 * A link that takes no more bytes (the peer is gone) swallows what is still to be sent; what can still be read is read
 * first, because it may hold messages, and the error packet. Deadlines and keep-alives need calls: a program that stays
 * away from the pump for long falls silent.
 */

/* ---- blocking ----------------------------------------------------------------------------------- */
/* Asked when svconn_status is one of SVCONN_NEEDS_...: answer with svconn_accept, svconn_refuse, svconn_prove or
 * svconn_give_psk. What it leaves unanswered is refused. */
typedef void (*svconn_answer)(svconn *s, void *arg);

/* Until connected, or failed. A CLIENT may stop sooner to send early messages: see svconn_pump_handshake_early. */
SVCONN_MUST_CHECK svconn_err svconn_pump_handshake(svconn *s, svconn_link *l, svconn_answer answer, void *arg);
/* The same, but a CLIENT that may send early messages returns as soon as it may (SVCONN_CONFIRMING). The next
 * svconn_pump_recv completes the handshake. */
SVCONN_MUST_CHECK svconn_err svconn_pump_handshake_early(svconn *s, svconn_link *l, svconn_answer answer, void *arg);

/* Sends one message and writes it out. Messages that arrive meanwhile wait in the session; if it is full they wait in
 * the link (so two ends that both send without receiving can wait for each other: use the poll form for that). msg may
 * be the message that svconn_pump_recv lent. If the link takes no more: the failure; or SVCONN_E_TRUNCATED, if the
 * session holds messages to be fetched before the failure can be known. */
SVCONN_MUST_CHECK svconn_err svconn_pump_send(svconn *s, svconn_link *l, const void *msg, size_t len);

/* Gives back the message lent before (do not call svconn_recv_done for it) and waits for the next one. SVCONN_END: the
 * peer closed. SVCONN_AGAIN: the session asks something (a CLIENT after svconn_pump_handshake_early, a SERVER of a
 * custom type): answer and call again. */
SVCONN_MUST_CHECK svconn_err svconn_pump_recv(svconn *s, svconn_link *l, const uint8_t **msg, size_t *len);

/* CLOSE, then reads until the peer's CLOSE; messages that still come are dropped. Then the link may be closed. Also
 * after a failure: brings the error packet out, within a second. A session that is not connected is aborted. Returns
 * SVCONN_OK if both closed in order. */
SVCONN_MUST_CHECK svconn_err svconn_pump_close(svconn *s, svconn_link *l);

/* ---- for poll loops ----------------------------------------------------------------------------- */
/* poll(2). On Windows WSAPoll, which waits here too when there is nothing to wait for, and sets errno. */
int svconn_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
/* One to wait for. (On Windows fd of struct pollfd has another type.) */
struct pollfd svconn_pollfd(int fd, short events);

/* What to wait for: fills fds (0 to 2, returns how many) and the longest time to wait in ms (-1: no limit). */
nfds_t svconn_pump_want(svconn *s, const svconn_link *l, struct pollfd fds[2], int *timeout_ms);

/* Carries what can be carried without waiting; does deadlines. Call after poll, also when it timed out. Look then at
 * svconn_status, svconn_recv. fds NULL: nothing is read, for who sends more and will not look again before poll.
 * Returns the session's failure. */
SVCONN_MUST_CHECK svconn_err svconn_pump_ready(svconn *s, svconn_link *l, const struct pollfd fds[2], nfds_t n);

/* 1 if the session is over and its last bytes are out: the link may be closed. Go on polling until then: after a
 * failure, for up to a second, the error packet is brought out and what still comes is read and dropped, because the
 * system takes the packet back when a TCP socket is closed with bytes unread. (How long the last bytes of a session
 * that closed in order may take is for the caller to say.) */
int svconn_pump_is_over(const svconn *s, const svconn_link *l);

#ifdef __cplusplus
}
#endif
#endif
