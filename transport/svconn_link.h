/* SPDX-License-Identifier: ISC */
/* What the files of this directory share. Deadlines here are values of svconn_now; UINT64_MAX is never. Functions that
 * return int follow svconn_transport.h (0, or -1 and *why), or return a descriptor, or -1 and *why. */
#ifndef SVCONN_LINK_H
#define SVCONN_LINK_H

#include "svconn_transport.h"
#ifdef _WIN32
#include <ws2tcpip.h>
#define SVCONN_UNIX_PATH_SIZE 108
#else
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#define SVCONN_UNIX_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* then SO_NOSIGPIPE was set */
#endif

#define SVCONN_HOST_MAX 255
#define SVCONN_USER_MAX 255 /* of user and password of a proxy */

typedef enum {
    SVCONN_ADDRESS_TCP,
    SVCONN_ADDRESS_UNIX,
    SVCONN_ADDRESS_FD, /* stdio: too */
    SVCONN_ADDRESS_EXEC,
    SVCONN_ADDRESS_WEBSOCKET,
    SVCONN_ADDRESS_SPOOL,
    SVCONN_ADDRESS_RELAY,
    SVCONN_ADDRESS_WORMHOLE,
    SVCONN_ADDRESS_RFCOMM,
    SVCONN_ADDRESS_SERIAL
} svconn_address_kind;

/* Levels of the Bluetooth Core Specification (vol. 3 part C, 5.2.2.8: level 1 to 3), by the numbers of Linux */
typedef enum {
    SVCONN_BLUETOOTH_LOW = 1,    /* nobody is asked to pair */
    SVCONN_BLUETOOTH_MEDIUM = 2, /* paired, encrypted */
    SVCONN_BLUETOOTH_HIGH = 3    /* paired so that nobody was in the middle */
} svconn_bluetooth_level;

typedef struct {
    svconn_address_kind kind;
    const char *text;                        /* all of it, for messages */
    const char *rest;                        /* path or command, or what follows host and port; points into text */
    char host[SVCONN_HOST_MAX + 1], port[6]; /* serial: the host is the path of the device */
    int in, out;
    /* relay:// */
    enum { SVCONN_MEET_NEW, SVCONN_MEET_TOKEN, SVCONN_MEET_KEY } meet; /* NEW: the relay is to make a token */
    int relay_known;                                                   /* relay_key is set */
    uint8_t relay_key[32], peer_key[32];
    char where[SVCONN_HOST_MAX + 20]; /* text, without the keys: messages have no room for them */
    uint64_t token;
    char code[65]; /* wormhole:// */
    /* rfcomm:// */
    uint8_t device[6], from[6]; /* as they are written, the first byte first; all zero: any adapter */
    int channel, channels;      /* the first and how many; 0: the system chooses one */
    svconn_bluetooth_level level;
    /* serial: */
    long speed;        /* bits a second */
    int rtscts, marks; /* marks: those of svconn_line.h begin and end a session */
} svconn_address;

/* address.c */
int svconn_address_parse(svconn_address *a, const char *text, svconn_why *why);
int svconn_address_is_dialled(const svconn_address *a); /* by host and port */

/* 01:23:45:67:89:AB; 0 or -1. Exactly 17 characters are looked at. */
int svconn_bluetooth_read(uint8_t address[6], const char *text);
#define SVCONN_BLUETOOTH_TEXT 18
const char *svconn_bluetooth_text(char out[SVCONN_BLUETOOTH_TEXT], const uint8_t address[6]);

/* descriptor.c; windows/winsock.c, where every descriptor is a socket, a number that an int holds. As the functions of
 * POSIX, with errno, but never EINTR; sockets raise no signal. */
ssize_t svconn_fd_read(int fd, void *bytes, size_t len);
ssize_t svconn_fd_write(int fd, const void *bytes, size_t len);
void svconn_fd_end(int fd); /* nothing more will be written */
/* A TCP socket that is closed with bytes unread is reset at once, and what we wrote last may never leave. So take them
 * out, without waiting. */
void svconn_fd_drop_unread(int fd);
void svconn_fd_close(int fd);
const char *svconn_errno_text(int error);
/* fd: and stdio: are taken over: changed, and at the end given back their flags, and closed. */
int svconn_given_open(svconn_link *l, const svconn_address *a, svconn_why *why);
void svconn_given_close(int fd, int flags);

/* clock.c */
uint64_t svconn_deadline(int timeout_ms);
int svconn_time_left(uint64_t end);                  /* for poll */
int svconn_wait(int fd, short events, uint64_t end); /* 0: something happened; -1: errno, ETIMEDOUT in particular */
/* Which one of up to SVCONN_LISTENER_FDS it happened to, or -1. */
int svconn_wait_any(const int *fd, int count, short events, uint64_t end);
int svconn_is_later(int error); /* errno of a non-blocking descriptor: nothing now */
void svconn_nap(int ms);

/* why.c: always -1 */
#if defined(__MINGW32__)
#define SVCONN_LIKE_PRINTF(a, b) __attribute__((format(gnu_printf, a, b)))
#elif defined(__GNUC__) || defined(__clang__)
#define SVCONN_LIKE_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define SVCONN_LIKE_PRINTF(a, b)
#endif
SVCONN_LIKE_PRINTF(2, 3) int svconn_because(svconn_why *why, const char *format, ...); /* SVCONN_FAULT_LOCAL */
SVCONN_LIKE_PRINTF(3, 4) int svconn_because_of(svconn_why *why, svconn_fault fault, const char *format, ...);
void svconn_printable(char *text); /* it goes to logs and terminals, and a stranger wrote it */

/* exact.c: talks before the session, on non-blocking descriptors: what was asked for and not a byte more, because what
 * follows belongs to somebody else. 0; or -1 and errno: ETIMEDOUT, 0 if the stream ended, EMSGSIZE. */
int svconn_send_exact(int fd, const void *bytes, size_t len, uint64_t end);
int svconn_recv_exact(int fd, void *bytes, size_t len, uint64_t end);
/* Up to and with the end mark ("\n", "\r\n\r\n"), at most size - 1 bytes, and a NUL. EMSGSIZE: no mark in them. */
int svconn_recv_text(int fd, char *text, size_t size, const char *mark, uint64_t end);

/* dial.c: a TCP connection to a->host and a->port, by way of the proxies in via (NULL: none) */
int svconn_dial(const svconn_address *a, const char *via, uint64_t end, svconn_why *why);
int svconn_via_check(const char *via, svconn_why *why); /* can the list be read? */

/* One proxy on the way, and what it is asked for */
typedef enum { SVCONN_HOP_SOCKS5, SVCONN_HOP_HTTP } svconn_hop_kind;
typedef struct {
    svconn_hop_kind kind;
    int number;
    char name[SVCONN_HOST_MAX + 50]; /* "proxy 1 (http://HOST:PORT)", for messages */
    char host[SVCONN_HOST_MAX + 1], port[6];
    int has_user;
    char user[SVCONN_USER_MAX + 1], password[SVCONN_USER_MAX + 1];
    const char *to_host, *to_port;
} svconn_hop;

/* *why for a proxy that refused; for one that went silent or away, by errno as exact.c left it. Always -1. */
SVCONN_LIKE_PRINTF(3, 4) int svconn_hop_failed(const svconn_hop *h, svconn_why *why, const char *format, ...);
int svconn_hop_lost(const svconn_hop *h, svconn_why *why);

/* http_connect.c, socks5.c: on a connection to the proxy; after it the bytes are those of h->to_host and h->to_port. */
int svconn_http_connect(int fd, const svconn_hop *h, uint64_t end, svconn_why *why);
int svconn_socks5_connect(int fd, const svconn_hop *h, uint64_t end, svconn_why *why);

/* tcp.c */
int svconn_tcp_connect(const svconn_address *a, uint64_t end, svconn_why *why);
int svconn_tcp_listen(const svconn_address *a, svconn_why *why);
void svconn_socket_name(char *out, size_t size, const void *address, socklen_t len);
const char *svconn_socket_hint(int error); /* behind the text of errno: what to look at, or "" */

/* socket.c, windows/winsock.c: descriptors or -1, 0 or -1, and errno */
int svconn_socket_new(int family, int protocol);
int svconn_socket_connect(int fd, const struct sockaddr *to, socklen_t len,
                          uint64_t end); /* fd; or -1 and it is closed */
int svconn_socket_begin(int fd, const struct sockaddr *to, socklen_t len); /* 0: it is there, or will be */
int svconn_socket_again(int fd);         /* another connection to where fd leads, begun but not waited for; -1: errno */
int svconn_socket_listen(const struct sockaddr *at, socklen_t len);
int svconn_socket_accept(int listener);
int svconn_socket_close_failed(int fd); /* closes it, keeps errno; -1 */
void svconn_socket_at_once(int fd);     /* what is written goes out without waiting for more */
int svconn_socket_error(int fd);        /* errno of a connection that was begun; 0: it is there */
int svconn_socket_here(int fd, struct sockaddr_storage *address, socklen_t *len);
int svconn_socket_there(int fd, struct sockaddr_storage *address, socklen_t *len);
struct addrinfo;
int svconn_lookup(const char *host, const char *port, const struct addrinfo *hints,
                  struct addrinfo **list); /* getaddrinfo(3) */
const char *svconn_lookup_text(int error);
int svconn_unix_connect(const svconn_address *a, uint64_t end, svconn_why *why);
int svconn_unix_listen(const svconn_address *a, long *owner, svconn_why *why);
void svconn_unix_unlink(const svconn_address *a, long owner); /* removes the socket file, if owner is this process */

/* exec.c */
int svconn_child_start(svconn_link *l, const svconn_address *a, svconn_why *why);
void svconn_child_end(long child);

/* relay_client.c: the calling side */
int svconn_relay_call(svconn_link *l, const svconn_address *a, const svconn_link_options *options, uint64_t end,
                      svconn_why *why);
/* relay_listener.c: fills n->fd, n->address, n->ops */
int svconn_relay_listen(svconn_listener *n, const svconn_address *a, uint64_t end, svconn_why *why);

/* websocket.c */
int svconn_websocket_open(svconn_link *l, const svconn_address *a, const char *via, uint64_t end, svconn_why *why);
int svconn_websocket_listen(const svconn_address *a, svconn_why *why); /* refuses */
/* The parts that RFC 6455 has examples for. The answer to a Sec-WebSocket-Key; a frame of our side: out has room for
 * SVCONN_WEBSOCKET_HEADER_MAX + len; returns how long it is. */
#define SVCONN_WEBSOCKET_HEADER_MAX 14
void svconn_websocket_accept(char out[29], const char key[25]);
size_t svconn_websocket_frame(uint8_t *out, unsigned opcode, const uint8_t mask[4], const uint8_t *bytes, size_t len);

/* http_connect.c. RFC 4648, section 4, and a zero byte: 4 characters for every 3 bytes begun */
void svconn_base64(char *out, const uint8_t *bytes, size_t len);

/* sha1.c */
void svconn_sha1(uint8_t out[20], const uint8_t *bytes, size_t len);

/* spool.c: the caller's side, and the listener's */
int svconn_spool_call(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why);
int svconn_spool_listen(const svconn_address *a, svconn_why *why);
int svconn_spool_accept(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why);

/* wormhole.c: on a connection to the transit relay */
int svconn_wormhole_join(int fd, const svconn_address *a, uint64_t end, svconn_why *why);

/* rfcomm.c */
int svconn_rfcomm_connect(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why);
int svconn_rfcomm_listen(svconn_listener *n, const svconn_address *a, svconn_why *why);
/* The peer at the other end of fd; -1 if fd is no RFCOMM socket */
int svconn_rfcomm_peer(int fd, char *out, size_t size);

/* serial.c: the caller's side, the listener's; and either of them, if there are no marks */
int svconn_serial_call(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why);
int svconn_serial_listen(svconn_listener *n, const svconn_address *a, svconn_why *why);
int svconn_serial_plain(svconn_link *l, const svconn_address *a, svconn_why *why);

/* tty.c: a serial device, locked, raw, and as it was before when it is closed */
typedef struct svconn_tty svconn_tty;
svconn_tty *svconn_tty_open(const svconn_address *a, svconn_why *why);
int svconn_tty_fd(const svconn_tty *t);
/* Waits for what was written to go out, as long as it does. */
void svconn_tty_close(svconn_tty *t);

/* What the kinds of listeners do that are more than one socket; they have n->state. */
typedef struct svconn_listener_ops {
    int (*accept)(svconn_listener *n, svconn_link *l, uint64_t end, svconn_why *why);
    nfds_t (*want)(const svconn_listener *n, struct pollfd fds[SVCONN_LISTENER_FDS], int *timeout_ms);
    void (*close)(svconn_listener *n); /* frees n->state, closes n->fd */
} svconn_listener_ops;

/* listener.c: who comes first to one of the sockets fd; -1 and *why, also when the time is over */
int svconn_socket_accept_one(const int *fd, int count, const char *address, uint64_t end, svconn_why *why);

/* link.c: listening: this side would be the one that waits, where both dial */
int svconn_link_open_as(svconn_link *l, const svconn_address *a, const svconn_link_options *options, int listening,
                        uint64_t end, svconn_why *why);

#endif
