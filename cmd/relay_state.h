/* SPDX-License-Identifier: ISC */
/*
 * The inside of the relay. One process, one thread. A connection begins with a control session (relay_control.c), finds
 * its other half, gives the session up and then is two descriptors and two counters (relay_forward.c).
 *
 * Who may touch what: every file works on the conn that it is given and calls conn_drop for any that is at its end.
 * conn_drop takes the conn out of every list and frees nothing: the memory is freed by conn_bury, between two rounds of
 * the loop, so a pointer that was good at the beginning of a round is good until its end.
 */
#ifndef SVCONN_CMD_RELAY_STATE_H
#define SVCONN_CMD_RELAY_STATE_H

#include "relay.h"
#include "relay_wire.h"
#include "svconn_link.h"
#include "text.h"

#ifndef _WIN32 /* there it is in ws2tcpip.h, which svconn_link.h has */
#include <netinet/in.h>
#endif

typedef enum {
    CONN_DOOR,       /* a listener, or the pipe of the signals */
    CONN_PROXY,      /* the PROXY line of a balancer is to come */
    CONN_HELLO,      /* session, then the request */
    CONN_TOKEN,      /* has a token, waits for the caller */
    CONN_PROVING,    /* a machine that has a challenge */
    CONN_REGISTERED, /* a machine that waits for callers */
    CONN_CALLING,    /* a caller whose machine was rung */
    CONN_JOINED,
    CONN_LEAVING, /* said all we had to say; waits for the end from there */
    CONN_HTTP,    /* somebody who reads the counters */
    CONN_DEAD
} conn_state;

typedef struct source source;
typedef struct conn conn;
typedef struct relay relay;

/* A control session; freed when the two are joined. */
typedef struct {
    svconn s;
    uint8_t rx[SVCONN_BUFFER_SIZE(RELAY_MESSAGE_MAX)], tx[2 * SVCONN_BUFFER_SIZE(RELAY_MESSAGE_MAX)];
    uint8_t secret[32];           /* of a token (K), or of a challenge */
    uint8_t name[RELAY_NAME_LEN]; /* of a machine */
    uint8_t ticket[RELAY_TICKET_LEN];
    uint64_t born;    /* T of a token */
    unsigned misses;  /* wrong tokens for this session number */
    conn *machine;    /* of a caller: whom it waits for */
    unsigned callers; /* of a machine: who wait for it */
} control;

struct conn {
    int fd;
    uint8_t state;
    uint8_t side;     /* relay_side, of a joined one */
    uint8_t can_read; /* the loop has said so, and no read has said otherwise since */
    uint8_t can_write;
    uint8_t ending;    /* the loop has said that the end is near: a short read does not mean that nothing follows */
    uint8_t ended;     /* nothing more comes from here */
    uint8_t shut;      /* we have ended our side: shutdown was done */
    uint8_t deaf;      /* nothing more is taken here */
    uint8_t bulk;      /* much came at once: splice pays */
    uint8_t running;   /* in the queue of this round */
    int pipe[2];       /* what came from here and is on its way to the peer: in the kernel, */
    uint32_t piped;    /* so many bytes, */
    uint32_t held_len; /* or here */
    uint8_t *held;
    relay_lane *lane; /* instead of both, when somebody looks */
    conn *peer;
    control *control;
    source *src;
    uint32_t unsent;              /* in the socket of the peer when this direction was found to stand still */
    uint64_t pair;                /* its number */
    uint64_t id, since, moved_at; /* moved_at: the last time that bytes came from here and went */
    uint64_t heard_at;
    unsigned long long bytes; /* that came from here */
    /* timers: one place in the wheel */
    conn *t_next, **t_prev;
    uint64_t due;
    /* the index: by session number, name or ticket */
    conn *i_next, **i_prev;
    uint64_t key;
    /* the queue of a round, and the list of the dead */
    conn *q_next;
    /* all of them */
    conn *a_next, **a_prev;
};

/* ---- relay_loop.c: readiness ---- */
typedef struct loop loop;
typedef struct {
    void *who;
    int readable, writable; /* an end or an error counts as both */
    int ending;             /* the end is there, behind what can be read */
} loop_event;
/* wants: which of POLLIN, POLLOUT matter for who now (poll only: epoll tells each change once) */
loop *loop_open(int use_poll, short (*wants)(void *who));
void loop_close(loop *l);
int loop_add(loop *l, int fd, void *who); /* 0, or -1 and errno */
void loop_remove(loop *l, int fd);        /* before close */
int loop_wait(loop *l, loop_event *events, int max, int timeout_ms);

/* ---- relay_source.c: limits by source ---- */
typedef struct sources sources;
struct source {
    uint64_t address; /* IPv4, or the first bits of IPv6 */
    int bits;         /* how many: 32; 64, or 48 of the prefix around it */
    unsigned scale;   /* so many times the limits of one source */
    source *around;   /* of a /64: its /48; else NULL */
    source *next;
    uint32_t open, joined; /* connections now; of a /48: those of all /64 in it */
    uint32_t inside;       /* entries that point here */
    uint32_t rung;         /* connections that the relay itself has asked for, and that have not come */
    uint64_t new_at, wrong_at;
    double tokens; /* for new connections: a bucket */
    double wrong;  /* wrong tokens, forgotten at one in WRONG_FORGET_S */
};
sources *sources_open(double per_second);
void sources_close(sources *s);
/* The entry for an address; NULL: no memory. Counts as one more open connection. */
source *source_enter(sources *s, const struct sockaddr *address, uint64_t now);
int source_may_connect(sources *s, source *src, uint64_t now);                    /* takes one from the bucket */
int source_has_room(const source *src, unsigned long open, unsigned long joined); /* within these limits? */
void source_leave(sources *s, source *src, int joined, uint64_t now);             /* the entry may be gone afterwards */
void source_count(source *src, int open, int joined);                             /* differences */
int source_may_try(source *src, uint64_t now);                                    /* a token */
void source_wrong(source *src, uint64_t now);
void source_ring(source *src);               /* asked for a connection */
void source_answer(sources *s, source *src); /* here it is: it costs nothing */
void source_text(const source *src, char out[64]);

/* ---- counters ---- */
#define RELAY_COUNTERS(X)                                                                                              \
    X(accepted, "connections that came in")                                                                            \
    X(refused_rate, "connections closed at once: too many new ones from their source")                                 \
    X(refused_source, "connections closed at once, or refused: too many open ones from their source")                  \
    X(refused_full, "connections closed at once, or refused: the relay is full")                                       \
    X(handshake_failures, "control sessions that did not come about")                                                  \
    X(tokens, "tokens given out")                                                                                      \
    X(tokens_wrong, "requests with a token that is not, or no longer, good")                                           \
    X(tokens_slowed, "tokens not looked at: too many wrong ones from their source")                                    \
    X(tokens_withdrawn, "tokens withdrawn: somebody was guessing at them")                                             \
    X(tokens_expired, "tokens that nobody came with")                                                                  \
    X(registrations, "machines registered")                                                                            \
    X(calls, "calls to a machine")                                                                                     \
    X(calls_unanswered, "calls that the machine did not answer, or is not there for")                                  \
    X(joined, "pairs joined")                                                                                          \
    X(ended, "pairs ended")                                                                                            \
    X(ended_idle, "pairs ended: idle for too long")                                                                    \
    X(ended_blocked, "pairs ended: one side took nothing for too long")                                                \
    X(bytes, "bytes passed on")                                                                                        \
    X(out_of_descriptors, "connections closed at once: no descriptors left")                                           \
    X(log_lost, "log lines that were not written: too many, or nobody takes them")
typedef struct {
#define FIELD(name, help) unsigned long long name;
    RELAY_COUNTERS(FIELD)
#undef FIELD
    unsigned long long waiting, registered, pairs; /* now */
} relay_counters;

#define WHEEL_SLOTS 8192
#define WHEEL_MS 100

struct relay {
    const relay_options *options;
    svconn_identity identity;
    svconn_config config; /* of control sessions */
    uint8_t (*allowed)[32];
    size_t n_allowed;
    svconn_listener listener, metrics;
    int reserve; /* a descriptor to give up when there are no others */
    loop *loop;
    sources *sources;
    uint64_t now, next_id;
    conn door[3]; /* relay, counters, signals */
    int signals;
    size_t n_conns, n_readers;
    uint64_t log_second;
    unsigned log_lines; /* in that second */
    conn *all, *queue, **queue_end, *dead;
    conn *wheel[WHEEL_SLOTS];
    uint64_t wheel_bits[WHEEL_SLOTS / 64]; /* 1: there may be somebody in the slot */
    uint64_t wheel_at;                     /* in units of WHEEL_MS: everything before was looked at */
    conn **index;
    size_t index_bits, index_used;
    uint64_t index_secret[2];
    int (*pool)[2]; /* empty pipes */
    size_t pool_len, pool_made, pool_max;
    relay_counters count;
    int log, draining;
    uint64_t stop_at;
    int capture[2];
    uint8_t shared[65536]; /* for one read and its write */
};

/* ---- relay_conn.c ---- */
conn *conn_new(relay *r, int fd, conn_state state); /* takes fd over, also if this fails */
void conn_drop(relay *r, conn *c);                  /* closes; c is CONN_DEAD from now on */
int conn_read_text(conn *c, size_t most, const char *end, int exact);
void conn_leave(relay *r, conn *c); /* ends our side, waits a little for the end of the other */
void conn_bury(relay *r);
void conn_run(relay *r, conn *c); /* look at it in this round */
void conn_due(relay *r, conn *c,
              uint64_t when); /* look at it then at the latest; earlier if it was to be looked at earlier */
uint64_t wheel_next(relay *r);
conn *wheel_take(relay *r); /* one whose time has come, or NULL */
void index_put(relay *r, conn *c, uint64_t key);
void index_remove(relay *r, conn *c);
conn *index_find(const relay *r, uint64_t key, conn *after); /* the first one, or the next one behind it */
short conn_wants(void *c);

/* ---- relay_control.c ---- */
int control_begin(relay *r, conn *c); /* the session; -1: no memory, no randomness */
void control_serve(relay *r, conn *c);
void control_timer(relay *r, conn *c);
void control_refuse(relay *r, conn *c, svconn_relay_reason reason);
void control_gone(relay *r, conn *c); /* it is about to be dropped: whoever waits for it must know */

/* ---- relay_forward.c ---- */
void forward_begin(relay *r, conn *listening, conn *calling);
void forward_ready(relay *r, conn *c);
void forward_timer(relay *r, conn *c);
void forward_drop(relay *r, conn *c); /* gives back what it holds */
void forward_close(relay *r);

/* ---- relay_report.c ---- */
int report_open(relay *r);
/* A JSON line; format makes the fields behind time and event, each with a comma before it. */
void report(relay *r, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
void report_http(relay *r, conn *c);
void report_reopen(relay *r); /* after a rotation */

#endif
