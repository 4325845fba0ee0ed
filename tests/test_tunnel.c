/* SPDX-License-Identifier: ISC */
/*
 * The tunnel engine over two sessions in memory. The test carries the bytes between them, so it can stop either
 * direction. At each end of each stream is an app: it sends a pattern of its own, and checks that of the other.
 */
#include "fdset.h"
#include "svconn_transport.h"
#include "test.h"
#include "text.h"
#include "tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define APPS 1000
#define GUARD_MS 600000                                     /* against hanging only: emulators are slow */
#define BUFFER (2 * SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)) /* as the program has it */
#define ALL ((size_t)-1)

/* ---- two sides ---------------------------------------------------------------------------------- */

typedef struct {
    svconn s;
    svconn_identity me;
    svconn_config config;
    tunnel *t; /* NULL: the test itself speaks */
    tunnel_ops ops;
    fdset set;
    int blocked; /* what it sends stays where it is */
    unsigned closed;
    unsigned reasons[256]; /* how often a stream was closed for this one */
    unsigned long long moved;
    uint8_t rx[BUFFER], tx[BUFFER];
} side;

typedef struct {
    int fd; /* -1: none, or closed */
    unsigned number;
    unsigned long long may_send; /* bytes of its pattern; then it ends */
    unsigned long long sent, got;
    int ends, shut; /* wants to shut when all is sent; did */
    int stands;     /* does not read */
    int eof, error; /* what read found */
    int cut;        /* it, or the one opposite, was closed in the middle */
} app;

static side caller, called;
static app left[APPS], right[APPS]; /* of the caller, of the called side */
static size_t lefts, rights;
static uint64_t guard;
static size_t tx_size = BUFFER;

static uint8_t pattern(unsigned number, unsigned long long i) {
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + number * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint8_t)((x ^ x >> 29) >> 32);
}

static void tcp_pair(int fds[2]) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fds[0], (struct sockaddr *)&a, sizeof a) == 0);
    fds[1] = accept(listener, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(listener);
}

/* One end goes to the tunnel, the other to the app. "tcp": resets can be seen; "tight": the system keeps little. */
static int make_ends(app *a, const char *kind, int number) {
    int fds[2] = {-1, -1}, little = 4608;
    if (strcmp(kind, "tcp") == 0) tcp_pair(fds);
    else CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    if (strcmp(kind, "tight") == 0) setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    *a = (app){.fd = fds[1], .number = (unsigned)number};
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return fds[0];
}

/* A target is "refuse N", or the kind of end that is wanted, and behind it the number of the app if that matters:
 * streams that were added at the same time come in any order. */
static int open_target(void *arg, const char *target, tunnel_end *end) {
    char kind[20] = "";
    unsigned number = (unsigned)rights;
    (void)arg;
    if (strncmp(target, "refuse ", 7) == 0) return atoi(target + 7);
    sscanf(target, "%19s %u", kind, &number);
    CHECK(number < APPS);
    if (number >= APPS) return TUNNEL_TROUBLE;
    while (rights <= number) right[rights++] = (app){.fd = -1};
    end->in = end->out = make_ends(&right[number], kind, 2 * (int)number + 1);
    return 0;
}

static void count_closed(void *arg, uint32_t channel, const char *target, unsigned reason, unsigned long long in,
                         unsigned long long out) {
    side *x = arg;
    (void)channel;
    (void)target;
    x->closed++;
    x->reasons[reason & 255]++;
    x->moved += in + out;
}

static void add_stream(const char *here, const char *there) {
    tunnel_end end = TUNNEL_NO_END;
    char target[TUNNEL_TARGET_MAX + 1];
    CHECK(lefts < APPS);
    snprintf(target, sizeof target, *there == 'u' || *there == 't' ? "%s %zu" : "%s", there, lefts);
    end.in = end.out = make_ends(&left[lefts], here, 2 * (int)lefts);
    CHECK(tunnel_add(caller.t, &end, target) != 0);
    lefts++;
}

/* ---- the wire ----------------------------------------------------------------------------------- */

static size_t carry(side *from, side *to, size_t most) {
    size_t len, used = 0;
    const uint8_t *out = svconn_wire_out(&from->s, &len);
    if (from->blocked || len == 0) return 0;
    if (len > most) len = most;
    (void)!svconn_wire_in(&to->s, out, len, &used, svconn_now());
    CHECK(svconn_wire_sent(&from->s, used) == SVCONN_OK);
    return used;
}

static void make_side(side *x, svconn_role role) {
    static const uint8_t psk[32] = {7};
    uint8_t seed[32] = {(uint8_t)role};
    memset(x, 0, sizeof *x);
    CHECK(svconn_identity_psk(&x->me, psk, (const uint8_t *)(role == SVCONN_CLIENT ? "a" : "b"), 1) == SVCONN_OK);
    x->config.role = role;
    x->config.identity = &x->me;
    x->config.handshake_ms = x->config.keepalive_ms = x->config.silence_ms = SVCONN_OFF;
    CHECK(svconn_init(&x->s, &x->config, seed, x->rx, sizeof x->rx, x->tx, tx_size) == SVCONN_OK);
    x->ops = (tunnel_ops){.arg = x, .open = role == SVCONN_SERVER ? open_target : NULL, .closed = count_closed};
}

static void answer(side *x) {
    static const uint8_t psk[32] = {7};
    if (svconn_status(&x->s) == SVCONN_NEEDS_PSK) CHECK(svconn_give_psk(&x->s, psk) == SVCONN_OK);
    if (svconn_status(&x->s) == SVCONN_NEEDS_VERDICT) CHECK(svconn_accept(&x->s) == SVCONN_OK);
}

/* Which of the sides have a tunnel: the other one is played by the test. */
enum { CALLER = 1, CALLED = 2, BOTH = 3 };
static void begin(int tunnels) {
    lefts = rights = 0;
    guard = svconn_now() + GUARD_MS;
    make_side(&caller, SVCONN_CLIENT);
    make_side(&called, SVCONN_SERVER);
    for (int i = 0; i < 10; i++) {
        answer(&caller);
        answer(&called);
        carry(&called, &caller, ALL);
        answer(&caller);
        carry(&caller, &called, ALL);
    }
    CHECK(svconn_status(&caller.s) == SVCONN_CONNECTED && svconn_status(&called.s) == SVCONN_CONNECTED);
    if (tunnels & CALLER) caller.t = tunnel_new(&caller.s, &caller.ops);
    if (tunnels & CALLED) called.t = tunnel_new(&called.s, &called.ops);
}

static void close_app(app *a) {
    if (a->fd >= 0) close(a->fd);
    a->fd = -1;
}

static void end(void) {
    tunnel_free(caller.t);
    tunnel_free(called.t);
    for (size_t i = 0; i < lefts; i++) close_app(&left[i]);
    for (size_t i = 0; i < rights; i++) close_app(&right[i]);
    fdset_free(&caller.set);
    fdset_free(&called.set);
    svconn_wipe(&caller.s);
    svconn_wipe(&called.s);
}

/* ---- rounds ------------------------------------------------------------------------------------- */

static void want(side *x) {
    fdset_clear(&x->set);
    fdset_within(&x->set, 0);
    if (x->t) tunnel_want(x->t, &x->set);
    fdset_wait(&x->set);
}

/* At most so many bytes go each way. */
static void turn(size_t most) {
    want(&caller);
    want(&called);
    carry(&caller, &called, most);
    carry(&called, &caller, most);
    if (caller.t) tunnel_ready(caller.t, &caller.set, NULL, NULL);
    if (called.t) tunnel_ready(called.t, &called.set, NULL, NULL);
}

static void app_writes(app *a, size_t most) {
    uint8_t b[16384];
    unsigned long long left_over = a->may_send - a->sent;
    size_t n = left_over < sizeof b ? (size_t)left_over : sizeof b;
    if (n > most) n = most;
    if (a->fd < 0 || a->shut) return;
    for (size_t i = 0; i < n; i++) b[i] = pattern(a->number, a->sent + i);
    ssize_t wrote = n ? send(a->fd, b, n, MSG_NOSIGNAL) : 0;
    if (wrote > 0) a->sent += (unsigned long long)wrote;
    if (a->ends && a->sent == a->may_send) {
        shutdown(a->fd, SHUT_WR);
        a->shut = 1;
    }
}

static void app_reads(app *a, size_t most) {
    uint8_t b[65536];
    if (a->fd < 0 || a->eof || a->error) return;
    ssize_t n = recv(a->fd, b, most < sizeof b ? most : sizeof b, 0);
    if (n < 0 && errno != EAGAIN) a->error = errno;
    if (n == 0 && most) a->eof = 1;
    for (ssize_t i = 0; i < n; i++) {
        int in_order = b[i] == pattern(a->number ^ 1, a->got + (unsigned long long)i);
        CHECK(in_order);
        if (in_order) continue;
        a->error = -1;
        break;
    }
    if (n > 0) a->got += (unsigned long long)n;
}

static void apps_go(void) {
    for (size_t i = 0; i < lefts + rights; i++) {
        app *a = i < lefts ? &left[i] : &right[i - lefts];
        app_writes(a, ALL);
        if (!a->stands) app_reads(a, ALL);
    }
}

static void round_of_all(void) {
    turn(ALL);
    apps_go();
}

static int is_late(void) {
    if (svconn_now() < guard) return 0;
    CHECK(svconn_now() < guard); /* it ends at all */
    return 1;
}
#define UNTIL(cond)                                                                                                    \
    do {                                                                                                               \
        while (!(cond) && !is_late()) round_of_all();                                                                  \
        CHECK(cond);                                                                                                   \
    } while (0)

/* Nothing can move any more: as many rounds as any message needs, and some. */
static void settle(void) {
    for (int i = 0; i < 60; i++) round_of_all();
}

static int streams(void) { return (int)(tunnel_count(caller.t) + tunnel_count(called.t)); }

static int all_is_there(void) {
    for (size_t i = 0; i < lefts; i++)
        if (left[i].got != right[i].may_send || right[i].got != left[i].may_send) return 0;
    return lefts == rights;
}

/* ---- bytes and ends ----------------------------------------------------------------------------- */

static void many_streams_both_ways(void) {
    begin(BOTH);
    for (size_t i = 0; i < 60; i++) {
        add_stream(i % 3 ? "unix" : "tcp", i % 2 ? "unix" : "tight");
        left[i].may_send = (under_valgrind() ? 100 : 1000) * i * i;
        left[i].ends = 1;
    }
    UNTIL(rights == 60);
    for (size_t i = 0; i < 60; i++) {
        right[i].may_send = 100000 - 1000 * i;
        right[i].ends = 1;
    }
    UNTIL(all_is_there() && streams() == 0);
    CHECK(caller.reasons[0] == 60 && called.reasons[0] == 60);
    unsigned long long in, out, in2, out2;
    tunnel_bytes(caller.t, &in, &out);
    tunnel_bytes(called.t, &in2, &out2);
    CHECK(in == out2 && out == in2 && caller.moved == in + out);
    end();
}

static void half_close(app *first, app *second) {
    first->may_send = 10;
    first->ends = 1;
    UNTIL(second->eof);
    CHECK(second->got == 10 && !first->eof && streams() == 2);
    second->may_send = 200000;
    UNTIL(first->got == 200000);
    CHECK(!first->eof && !first->error && caller.closed + called.closed == 0);
    second->ends = 1;
    UNTIL(first->eof && streams() == 0);
    CHECK(first->got == 200000 && caller.reasons[0] == 1 && called.reasons[0] == 1);
}

static void half_closed_by_the_caller_first(void) {
    begin(BOTH);
    add_stream("tcp", "tcp");
    UNTIL(rights == 1);
    half_close(&left[0], &right[0]);
    end();
}

static void half_closed_by_the_called_side_first(void) {
    begin(BOTH);
    add_stream("tcp", "tcp");
    UNTIL(rights == 1);
    half_close(&right[0], &left[0]);
    end();
}

static void both_end_at_once_with_nothing_sent(void) {
    begin(BOTH);
    add_stream("unix", "unix");
    left[0].ends = 1;
    UNTIL(rights == 1);
    right[0].ends = 1;
    UNTIL(left[0].eof && right[0].eof && streams() == 0);
    CHECK(caller.reasons[0] == 1 && called.reasons[0] == 1);
    end();
}

static void reset_app(app *a) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close_app(a);
}

static void resets(int of_called) {
    begin(BOTH);
    add_stream("tcp", "tcp");
    add_stream("tcp", "tcp");
    left[0].may_send = right[0].may_send = 1000;
    UNTIL(rights == 2 && left[0].got + right[0].got == left[0].may_send + right[0].may_send);
    reset_app(of_called ? &right[0] : &left[0]);
    app *other = of_called ? &left[0] : &right[0];
    UNTIL(other->error || other->eof);
    CHECK(other->error == ECONNRESET);
    UNTIL(streams() == 2);
    CHECK(caller.reasons[TUNNEL_CUT] == 1 && called.reasons[TUNNEL_CUT] == 1);
    left[1].may_send = 5000; /* its neighbour lives */
    UNTIL(right[1].got == 5000);
    end();
}
static void a_reset_of_the_caller_is_one_there(void) { resets(0); }
static void a_reset_there_is_one_of_the_caller(void) { resets(1); }

static void the_end_of_the_tunnel_resets_its_streams(void) {
    begin(BOTH);
    add_stream("tcp", "tcp");
    left[0].may_send = 1000;
    UNTIL(rights == 1 && right[0].got == 1000);
    tunnel_free(called.t);
    called.t = NULL;
    UNTIL(right[0].error || right[0].eof);
    CHECK(right[0].error == ECONNRESET && called.reasons[TUNNEL_CUT] == 1);
    end();
}

/* Else a caller with nothing but a pipe waits for a keep-alive. */
static void an_open_does_not_wait_for_an_event(void) {
    size_t len;
    begin(BOTH);
    add_stream("unix", "unix");
    (void)svconn_wire_out(&caller.s, &len);
    CHECK(len > 0);
    carry(&caller, &called, ALL);
    want(&called);
    tunnel_ready(called.t, &called.set, NULL, NULL);
    CHECK(rights == 1);
    end();
}

static void early_data_before_opened(void) {
    begin(BOTH);
    called.blocked = 1;
    add_stream("unix", "unix");
    left[0].may_send = 50000;
    left[0].ends = 1;
    UNTIL(rights == 1 && right[0].eof);
    CHECK(right[0].got == 50000);
    called.blocked = 0;
    right[0].ends = 1;
    UNTIL(streams() == 0);
    end();
}

static void an_end_waits_for_the_bytes_before_it(void) {
    begin(BOTH);
    add_stream("unix", "tight");
    left[0].may_send = 60000;
    left[0].ends = 1;
    UNTIL(rights == 1);
    right[0].stands = 1;
    settle();
    CHECK(left[0].shut && right[0].got < 60000);
    app_reads(&right[0], ALL);
    CHECK(!right[0].eof);
    right[0].stands = 0;
    UNTIL(right[0].eof);
    CHECK(right[0].got == 60000);
    end();
}

/* ---- windows ------------------------------------------------------------------------------------ */

/* What the tunnel has taken from the session, and the system not from the tunnel. Of stream 0, which is alone. */
static size_t buffered(void) {
    unsigned long long in, out;
    int here = 0;
    tunnel_bytes(called.t, &in, &out);
    CHECK(ioctl(right[0].fd, FIONREAD, &here) == 0);
    return (size_t)(in - right[0].got - (unsigned long long)here);
}

static void a_reader_that_stands_stops_its_own_stream_only(void) {
    begin(BOTH);
    add_stream("unix", "tight");
    left[0].may_send = 3000000;
    left[0].ends = 1;
    UNTIL(rights == 1);
    right[0].stands = 1;
    settle();
    CHECK(buffered() <= TUNNEL_FIRST_WINDOW && buffered() > TUNNEL_FIRST_WINDOW / 2);
    unsigned long long stopped_at = left[0].sent;
    add_stream("unix", "unix");
    left[1].may_send = 1000000;
    UNTIL(rights == 2 && right[1].got == 1000000);
    right[1].may_send = 1000000;
    UNTIL(left[1].got == 1000000);
    CHECK(left[0].sent == stopped_at && stopped_at < 3000000);
    right[0].stands = 0;
    UNTIL(right[0].eof);
    CHECK(right[0].got == 3000000);
    end();
}

static void a_window_grows_for_a_reader_that_keeps_up(void) {
    begin(BOTH);
    add_stream("unix", "unix");
    left[0].may_send = 40000000;
    left[0].ends = 1;
    UNTIL(rights == 1 && right[0].got > 20000000);
    right[0].stands = 1;
    settle();
    CHECK(buffered() > 8 * TUNNEL_FIRST_WINDOW && buffered() <= TUNNEL_WINDOW_MAX);
    right[0].stands = 0;
    UNTIL(right[0].eof);
    CHECK(right[0].got == 40000000);
    end();
}

/* ---- the test speaks ---------------------------------------------------------------------------- */

static void put32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}
static uint32_t get32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* body of len bytes; NULL: zeros */
static void speak(side *x, unsigned type, uint32_t id, const void *body, size_t len) {
    static uint8_t msg[SVCONN_MESSAGE_MAX];
    memset(msg, 0, TUNNEL_HEAD + len);
    msg[0] = (uint8_t)type;
    put32(msg + 1, id);
    if (body) memcpy(msg + TUNNEL_HEAD, body, len);
    CHECK(svconn_send(&x->s, msg, TUNNEL_HEAD + len, svconn_now()) == SVCONN_OK);
}
static void speak_open(uint32_t id, const char *target) {
    uint8_t body[1000] = {0};
    memcpy(body + 4, target, strlen(target));
    speak(&caller, TUNNEL_OPEN, id, body, 4 + strlen(target));
}
static void speak_number(side *x, unsigned type, uint32_t id, uint32_t n) {
    uint8_t body[4];
    put32(body, n);
    speak(x, type, id, body, 4);
}

/* The next message for x, which the test plays; copied to msg. Returns its length; 0: none. */
static size_t hear(side *x, uint8_t *msg) {
    const uint8_t *m;
    size_t len;
    if (svconn_recv(&x->s, &m, &len) != SVCONN_OK) return 0;
    memcpy(msg, m, len);
    CHECK(svconn_recv_done(&x->s) == SVCONN_OK);
    return len;
}

/* Brings out what was spoken, in any number of messages. */
static void deliver_all(void) {
    for (int i = 0; i < 10; i++) round_of_all();
}

static void beyond_the_window(side *x) {
    speak(x, TUNNEL_DATA, 1, NULL, 65530);
    speak(x, TUNNEL_DATA, 1, NULL, 7);
}
static void after_end(side *x) {
    speak(x, TUNNEL_END, 1, NULL, 0);
    speak(x, TUNNEL_DATA, 1, NULL, 1);
}
static void end_twice(side *x) {
    speak(x, TUNNEL_END, 1, NULL, 0);
    speak(x, TUNNEL_END, 1, NULL, 0);
}
static void end_with_bytes(side *x) { speak(x, TUNNEL_END, 1, NULL, 1); }
static void reset_without_reason(side *x) { speak(x, TUNNEL_RESET, 1, NULL, 0); }
static void reset_with_two(side *x) { speak(x, TUNNEL_RESET, 1, NULL, 2); }
static void window_of_three_bytes(side *x) { speak(x, TUNNEL_WINDOW, 1, NULL, 3); }
static void window_of_five_bytes(side *x) { speak(x, TUNNEL_WINDOW, 1, NULL, 5); }
static void window_too_large(side *x) { speak_number(x, TUNNEL_WINDOW, 1, UINT32_C(0x80000000)); }
static void windows_that_overflow(side *x) {
    for (int i = 0; i < 3; i++) speak_number(x, TUNNEL_WINDOW, 1, UINT32_C(0x7fffffff));
}
static void type_unknown(side *x) { speak(x, TUNNEL_RESET + 1, 1, NULL, 4); }
static void type_unknown_without_stream(side *x) { speak(x, 0xff, 77, NULL, 4); }
static void message_of_the_layer_below(side *x) { speak(x, 0x01, 1, NULL, 30); }
static void message_empty(side *x) { CHECK(svconn_send(&x->s, NULL, 0, svconn_now()) == SVCONN_OK); }
static void message_short(side *x) { CHECK(svconn_send(&x->s, "\x12\0\0\0", 4, svconn_now()) == SVCONN_OK); }

static void open_in_use(side *x) {
    (void)x;
    speak_open(1, "unix");
}
static void open_of_id_0(side *x) {
    (void)x;
    speak_open(0, "unix");
}
static void open_without_window(side *x) { speak(x, TUNNEL_OPEN, 2, NULL, 3); }
static void open_with_nul(side *x) { speak(x, TUNNEL_OPEN, 2, "\0\0\0\0un\0x", 8); }
static void open_with_nul_at_the_end(side *x) { speak(x, TUNNEL_OPEN, 2, "\0\0\0\0unix\0", 9); }
static void open_too_long(side *x) {
    uint8_t body[4 + TUNNEL_TARGET_MAX + 1];
    memset(body, 'x', sizeof body);
    speak(x, TUNNEL_OPEN, 2, body, sizeof body);
}
static void opened_for_its_own(side *x) { speak_number(x, TUNNEL_OPENED, 1, 0); }

static void open_to_a_caller(side *x) { speak(x, TUNNEL_OPEN, 2, "\0\0\0\0unix", 8); }
static void opened_too_large(side *x) { speak_number(x, TUNNEL_OPENED, 1, UINT32_C(0x80000000)); }

typedef struct {
    const char *name;
    void (*say)(side *x);
} wrong;

static const wrong wrong_to_both[] = {
    {"DATA beyond the window", beyond_the_window},
    {"DATA after END", after_end},
    {"END twice", end_twice},
    {"END with bytes", end_with_bytes},
    {"RESET without a reason", reset_without_reason},
    {"RESET of two bytes", reset_with_two},
    {"WINDOW of 3 bytes", window_of_three_bytes},
    {"WINDOW of 5 bytes", window_of_five_bytes},
    {"WINDOW of 2^31", window_too_large},
    {"windows that overflow", windows_that_overflow},
    {"an unknown type", type_unknown},
    {"an unknown type without a stream", type_unknown_without_stream},
    {"a message of the layer below", message_of_the_layer_below},
    {"an empty message", message_empty},
    {"a message of 4 bytes", message_short},
};
static const wrong wrong_to_called[] = {
    {"OPEN of an id in use", open_in_use},
    {"OPEN of id 0", open_of_id_0},
    {"OPEN without a window", open_without_window},
    {"OPEN with a NUL", open_with_nul},
    {"OPEN with a NUL at the end", open_with_nul_at_the_end},
    {"OPEN of 256 bytes", open_too_long},
    {"OPENED by the caller", opened_for_its_own},
};
static const wrong wrong_to_caller[] = {
    {"OPEN to a side that takes none", open_to_a_caller},
    {"OPENED of 2^31", opened_too_large},
};

static int was_aborted(const side *x) {
    return svconn_status(&x->s) == SVCONN_FAILED && svconn_error(&x->s) == SVCONN_E_CANCELLED;
}

static void try_wrong(const wrong *w, int to_called) {
    side *speaker = to_called ? &caller : &called, *hearer = to_called ? &called : &caller;
    uint8_t msg[SVCONN_MESSAGE_MAX];
    begin(to_called ? CALLED : CALLER);
    if (to_called) speak_open(1, "tight");
    else add_stream("tight", "x");
    size_t heard = 0;
    while (rights + heard == 0 && !is_late()) {
        round_of_all();
        if (!to_called) heard = hear(&called, msg);
    }
    (to_called ? right : left)[0].stands = 1;
    CHECK(svconn_status(&hearer->s) == SVCONN_CONNECTED);
    w->say(speaker);
    deliver_all();
    if (!was_aborted(hearer)) printf("  %s was taken by the %s\n", w->name, to_called ? "called side" : "caller");
    CHECK(was_aborted(hearer));
    end();
}

static void rules_of_the_called_side(void) {
    for (size_t i = 0; i < sizeof wrong_to_both / sizeof *wrong_to_both; i++) try_wrong(&wrong_to_both[i], 1);
    for (size_t i = 0; i < sizeof wrong_to_called / sizeof *wrong_to_called; i++) try_wrong(&wrong_to_called[i], 1);
}

static void rules_of_the_caller(void) {
    for (size_t i = 0; i < sizeof wrong_to_both / sizeof *wrong_to_both; i++) try_wrong(&wrong_to_both[i], 0);
    for (size_t i = 0; i < sizeof wrong_to_caller / sizeof *wrong_to_caller; i++) try_wrong(&wrong_to_caller[i], 0);
}

static void good_limits(void) {
    char target[TUNNEL_TARGET_MAX + 1];
    uint8_t msg[SVCONN_MESSAGE_MAX];
    begin(CALLED);
    speak_open(UINT32_MAX, "tight");
    memset(target, 'x', TUNNEL_TARGET_MAX);
    target[TUNNEL_TARGET_MAX] = 0;
    speak_open(7, target);
    speak_number(&caller, TUNNEL_WINDOW, UINT32_MAX, INT32_MAX);
    UNTIL(rights == 2);
    right[0].stands = right[1].stands = 1;
    speak(&caller, TUNNEL_DATA, UINT32_MAX, NULL, 65530);
    speak(&caller, TUNNEL_DATA, UINT32_MAX, NULL, 6);
    speak(&caller, TUNNEL_END, UINT32_MAX, NULL, 0);
    speak(&caller, TUNNEL_DATA, 7, NULL, 0);
    deliver_all();
    CHECK(svconn_status(&called.s) == SVCONN_CONNECTED && tunnel_count(called.t) == 2);
    CHECK(hear(&caller, msg) == 9 && msg[0] == TUNNEL_OPENED);
    end();
}

/* Our RESET crosses them on the way. */
static void messages_for_streams_that_are_gone(void) {
    begin(CALLED);
    speak_open(1, "unix");
    speak(&caller, TUNNEL_RESET, 1, "\1", 1);
    for (uint32_t id = 0; id <= 2; id++) {
        speak(&caller, TUNNEL_DATA, id, NULL, 60000);
        speak(&caller, TUNNEL_END, id, NULL, 0);
        speak(&caller, TUNNEL_DATA, id, NULL, 60000);
        speak_number(&caller, TUNNEL_WINDOW, id, UINT32_MAX);
        speak_number(&caller, TUNNEL_OPENED, id, 0);
        speak(&caller, TUNNEL_RESET, id, "\1", 1);
        deliver_all();
    }
    CHECK(svconn_status(&called.s) == SVCONN_CONNECTED && tunnel_count(called.t) == 0);
    CHECK(called.reasons[TUNNEL_CUT] == 1);
    speak_open(1, "unix"); /* the number is free again */
    UNTIL(rights == 2 && tunnel_count(called.t) == 1);
    end();
}

static void every_refusal_reaches_the_caller(void) {
    char target[20];
    for (int why = TUNNEL_CUT; why <= TUNNEL_TROUBLE; why++) {
        begin(BOTH);
        snprintf(target, sizeof target, "refuse %d", why);
        add_stream("tcp", target);
        left[0].may_send = 1000; /* early bytes are lost, and harm nobody */
        UNTIL(left[0].eof || left[0].error);
        CHECK(left[0].error == ECONNRESET && streams() == 0);
        CHECK(caller.reasons[why] == 1 && called.reasons[why] == 1 && caller.closed == 1);
        CHECK(tunnel_reason_text((unsigned)why)[0]);
        end();
    }
}

/* 4096 refusals that the peer does not take: it is thrown out, before that costs more. */
static void refusals_that_nobody_reads_are_bounded(void) {
    begin(CALLED);
    called.blocked = 1;
    for (uint32_t id = 1; id < 40000 && svconn_status(&called.s) == SVCONN_CONNECTED && !is_late(); id++) {
        speak_open(id, "refuse 3");
        turn(ALL);
        CHECK(tunnel_count(called.t) <= 2 * TUNNEL_CHANNELS_MAX);
        if (tunnel_count(called.t) > 2 * TUNNEL_CHANNELS_MAX) break;
    }
    CHECK(was_aborted(&called));
    end();
}

/* Bytes that the peer may still send, with those that wait: what it can make us keep. */
static void windows_of_all_streams_keep_to_the_budget(void) {
    static uint32_t may[TUNNEL_CHANNELS_MAX + 1];
    static uint8_t msg[SVCONN_MESSAGE_MAX];
    const uint32_t quick = 80; /* streams that would grow to 4 MiB each */
    unsigned long long given = 0;
    size_t len;
    begin(CALLED);
    for (uint32_t id = 1; id <= quick; id++) {
        speak_open(id, "unix");
        may[id] = TUNNEL_FIRST_WINDOW;
        given += TUNNEL_FIRST_WINDOW;
        uint32_t last = 0, most = TUNNEL_FIRST_WINDOW;
        while (may[id] > last && !is_late()) {
            last = may[id]; /* a full window goes out, and comes back, or more */
            if (last > most) most = last;
            for (uint32_t rest = may[id]; rest;) {
                uint32_t n = rest < TUNNEL_DATA_MAX ? rest : TUNNEL_DATA_MAX;
                speak(&caller, TUNNEL_DATA, id, NULL, n);
                rest -= n;
                may[id] -= n;
                turn(ALL);
                uint8_t b[65536];
                while (recv(right[id - 1].fd, b, sizeof b, 0) > 0) turn(ALL);
                while ((len = hear(&caller, msg)) > 0)
                    if (msg[0] == TUNNEL_WINDOW) may[get32(msg + 1)] += get32(msg + 5);
            }
            for (int i = 0; i < 3; i++) turn(ALL);
            while ((len = hear(&caller, msg)) > 0)
                if (msg[0] == TUNNEL_WINDOW) may[get32(msg + 1)] += get32(msg + 5);
        }
        given += most - TUNNEL_FIRST_WINDOW;
        if (most == TUNNEL_FIRST_WINDOW) break; /* nothing grows any more */
    }
    CHECK(svconn_status(&called.s) == SVCONN_CONNECTED);
    CHECK(given > TUNNEL_BUDGET / 4);
    given += (unsigned long long)(TUNNEL_CHANNELS_MAX - rights) * TUNNEL_FIRST_WINDOW; /* it may open so many more */
    if (given > TUNNEL_BUDGET) printf("  %llu MiB\n", given >> 20);
    CHECK(given <= TUNNEL_BUDGET);
    end();
}

/* ---- connecting --------------------------------------------------------------------------------- */

static int listener = -1;
static struct sockaddr_in good_place, bad_place;
static int good_ones;

static void bind_to(int fd, struct sockaddr_in *a) {
    socklen_t len = sizeof *a;
    *a = (struct sockaddr_in){.sin_family = AF_INET};
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)a, sizeof *a) == 0 && getsockname(fd, (struct sockaddr *)a, &len) == 0);
}

static int open_by_addresses(void *arg, const char *target, tunnel_end *e) {
    (void)arg;
    (void)target;
    e->n_more = 3;
    for (int i = 0; i < 3; i++) {
        memcpy(&e->more[i], i == 0 && good_ones ? &good_place : &bad_place, sizeof good_place);
        e->more_len[i] = sizeof good_place;
    }
    return tunnel_connect(e);
}

static void connects(int good) {
    int closed_port = socket(AF_INET, SOCK_STREAM, 0);
    begin(BOTH);
    good_ones = good;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind_to(listener, &good_place);
    bind_to(closed_port, &bad_place); /* nobody listens on it, and nobody else can */
    CHECK(listen(listener, 1) == 0);
    called.ops.open = open_by_addresses;
    add_stream("tcp", "");
    left[0].may_send = 1000;
    left[0].ends = 1;
    if (good) {
        fcntl(listener, F_SETFL, O_NONBLOCK);
        int fd = -1;
        while ((fd = accept(listener, NULL, NULL)) < 0 && !is_late()) round_of_all();
        fcntl(fd, F_SETFL, O_NONBLOCK);
        right[rights++] = (app){.fd = fd, .number = 1, .may_send = 500, .ends = 1};
        UNTIL(all_is_there() && streams() == 0);
        CHECK(caller.reasons[0] == 1 && called.reasons[0] == 1);
    } else {
        UNTIL(streams() == 0);
        CHECK(caller.reasons[TUNNEL_REFUSED] == 1 && called.reasons[TUNNEL_REFUSED] == 1);
        CHECK(left[0].error == ECONNRESET);
    }
    end();
    close(listener);
    close(closed_port);
}
static void the_third_address_answers(void) { connects(1); }
static void no_address_answers(void) { connects(0); }

/* ---- many, and full ----------------------------------------------------------------------------- */

static int can_have_files(rlim_t n) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
    if (files.rlim_cur >= n) return 1;
    files.rlim_cur = files.rlim_max < n ? files.rlim_max : n;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur >= n;
}

static void a_thousand_streams_at_once(void) {
    if (!can_have_files(4 * APPS + 100)) {
        test_skip = "it needs 4100 open files";
        return;
    }
    begin(BOTH);
    for (size_t i = 0; i < APPS; i++) {
        add_stream("unix", "unix");
        left[i].may_send = 3000;
    }
    UNTIL(rights == APPS);
    for (size_t i = 0; i < APPS; i++) right[i].may_send = 3000;
    UNTIL(all_is_there());
    CHECK(streams() == 2 * APPS && caller.closed == 0);
    for (size_t i = 0; i < APPS; i++) left[i].ends = right[i].ends = 1;
    UNTIL(streams() == 0);
    CHECK(caller.reasons[0] == APPS && called.reasons[0] == APPS);
    end();
}

/* More than it may have at once: the rest is refused at the caller, and nothing leaks. */
static void streams_are_bounded(void) {
    if (!can_have_files(TUNNEL_CHANNELS_MAX + 100)) {
        test_skip = "it needs 2200 open files";
        return;
    }
    begin(CALLER);
    for (int i = 0; i < TUNNEL_CHANNELS_MAX; i++) {
        int fd = open("/dev/null", O_RDONLY);
        CHECK(fd >= 0);
        tunnel_end e = {.in = fd, .out = fd};
        CHECK(tunnel_add(caller.t, &e, "x") == (uint32_t)i + 1);
    }
    int fd = open("/dev/null", O_RDONLY);
    tunnel_end e = {.in = fd, .out = fd};
    CHECK(tunnel_add(caller.t, &e, "x") == 0 && fcntl(fd, F_GETFD) < 0);
    CHECK(tunnel_count(caller.t) == TUNNEL_CHANNELS_MAX);
    end();
}

/* The grammar of each stream, as the other side sees it: OPEN, then DATA, then END, and RESET at the end. */
static unsigned listen_to_all(unsigned long long bytes[], unsigned last[], unsigned n) {
    uint8_t msg[SVCONN_MESSAGE_MAX];
    unsigned ended = 0;
    size_t len;
    while ((len = hear(&called, msg)) > 0) {
        uint32_t id = get32(msg + 1);
        CHECK(id >= 1 && id <= n);
        if (id < 1 || id > n) break;
        if (msg[0] == TUNNEL_OPEN) CHECK(last[id] == 0);
        else if (msg[0] == TUNNEL_RESET) CHECK(last[id] && last[id] != TUNNEL_RESET);
        else CHECK(last[id] == TUNNEL_OPEN || last[id] == TUNNEL_DATA);
        for (size_t i = TUNNEL_HEAD; msg[0] == TUNNEL_DATA && i < len; i++, bytes[id]++)
            CHECK(msg[i] == pattern(2 * (id - 1), bytes[id]));
        ended += msg[0] == TUNNEL_END || msg[0] == TUNNEL_RESET;
        last[id] = msg[0];
    }
    return ended;
}

/* With long targets 500 OPENs fill what is left of the send buffer. */
static void nothing_is_lost_or_swapped_when_the_session_is_full(void) {
    static unsigned long long bytes[701];
    static unsigned last[701];
    char target[TUNNEL_TARGET_MAX + 1];
    memset(bytes, 0, sizeof bytes);
    memset(last, 0, sizeof last);
    memset(target, 'x', TUNNEL_TARGET_MAX);
    target[TUNNEL_TARGET_MAX] = 0;
    if (!can_have_files(1500)) {
        test_skip = "it needs 1500 open files";
        return;
    }
    begin(CALLER);
    caller.blocked = 1;
    for (unsigned i = 0; i < 10; i++) {
        add_stream("unix", target);
        left[i].may_send = 60000;
        left[i].ends = 1;
    }
    settle();
    for (unsigned i = 10; i < 700; i++) {
        add_stream("unix", target);
        left[i].may_send = i;
        left[i].ends = 1;
    }
    settle();
    for (unsigned i = 20; i < 700; i += 7) close_app(&left[i]); /* no more than an end, for one that sends nothing */
    settle();
    size_t out;
    (void)svconn_wire_out(&caller.s, &out);
    CHECK(out > BUFFER - 1000); /* it is full, as it was meant to be */
    CHECK(svconn_status(&caller.s) == SVCONN_CONNECTED);
    caller.blocked = 0;
    unsigned ended = 0;
    while (ended < 700 && !is_late()) {
        round_of_all();
        ended += listen_to_all(bytes, last, 700);
    }
    for (unsigned i = 1; i <= 700; i++) {
        CHECK(last[i] == TUNNEL_END && bytes[i] == left[i - 1].may_send);
    }
    end();
}

/* A message that was read for and has no room: a send buffer for one message, of which a part is still to go. */
static void what_has_no_room_is_held(void) {
    tx_size = SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX);
    begin(BOTH);
    for (size_t i = 0; i < 3; i++) {
        add_stream("unix", "unix");
        left[i].may_send = 3000000 + i;
        left[i].ends = 1;
    }
    UNTIL(rights == 3);
    for (size_t i = 0; i < 3; i++) {
        right[i].may_send = 2000000 + i;
        right[i].ends = 1;
    }
    while (!(all_is_there() && streams() == 0) && !is_late()) {
        turn(20011);
        apps_go();
    }
    CHECK(all_is_there() && caller.reasons[0] == 3 && called.reasons[0] == 3);
    end();
    tx_size = BUFFER;
}

/* A stream is broken off before its OPEN found room: the OPEN goes first all the same. */
static void a_reset_comes_behind_its_open(void) {
    static unsigned long long bytes[701];
    static unsigned last[701];
    char target[TUNNEL_TARGET_MAX + 1];
    memset(bytes, 0, sizeof bytes);
    memset(last, 0, sizeof last);
    memset(target, 'x', TUNNEL_TARGET_MAX);
    target[TUNNEL_TARGET_MAX] = 0;
    if (under_valgrind()) {
        test_skip = "700 streams in steps of 200 bytes take too long under valgrind";
        return;
    }
    if (!can_have_files(2000)) {
        test_skip = "it needs 2000 open files";
        return;
    }
    begin(CALLER);
    caller.blocked = 1;
    for (unsigned i = 0; i < 700; i++) {
        add_stream("unix", target);
        left[i].may_send = i < 3 ? 60000 : 1000;
        round_of_all();
    }
    for (unsigned i = 0; i < 700; i++) speak(&called, TUNNEL_DATA, i + 1, NULL, 10);
    for (unsigned i = 0; i < 700; i++) left[i].stands = 1;
    settle();
    for (unsigned i = 0; i < 700; i++) close_app(&left[i]); /* with bytes unread: that is a reset */
    speak(&called, TUNNEL_DATA, 1, NULL, 10);
    for (unsigned i = 0; i < 700; i++) speak(&called, TUNNEL_DATA, i + 1, NULL, 10);
    settle();
    CHECK(caller.reasons[TUNNEL_CUT] == 700 && tunnel_count(caller.t) > 0);
    caller.blocked = 0;
    for (unsigned ended = 0; ended < 700 && !is_late();) {
        turn(200); /* there is room for a RESET before there is room for an OPEN */
        ended += listen_to_all(bytes, last, 700);
    }
    for (unsigned i = 1; i <= 700; i++) CHECK(last[i] == TUNNEL_RESET);
    UNTIL(tunnel_count(caller.t) == 0);
    end();
}

/* ---- any order ---------------------------------------------------------------------------------- */

static uint64_t dice_state;
static unsigned dice(unsigned n) {
    dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice_state >> 33) % n;
}

static app *some_app(void) {
    if (lefts + rights == 0) return NULL;
    size_t i = dice((unsigned)(lefts + rights));
    return i < lefts ? &left[i] : &right[i - lefts];
}

static app *opposite(const app *a) {
    size_t i = a >= left && a < left + APPS ? (size_t)(a - left) : (size_t)(a - right);
    return a >= left && a < left + APPS ? &right[i] : &left[i];
}

static void some_step(void) {
    static const char *const kinds[] = {"unix", "tight", "tcp"};
    app *a = some_app();
    switch (dice(16)) {
    case 0:
        if (lefts < 40) add_stream(kinds[dice(3)], kinds[dice(3)]);
        break;
    case 1:
    case 2:
    case 3:
        if (a && !a->ends) a->may_send += dice(4) ? dice(3000) : dice(300000);
        if (a) app_writes(a, ALL);
        break;
    case 4:
    case 5:
    case 6:
        if (a) app_reads(a, 1 + dice(100000));
        break;
    case 7:
        if (a && dice(3) == 0) a->ends = 1;
        break;
    case 8:
        if (!a || a->fd < 0 || dice(4)) break;
        a->cut = opposite(a)->cut = 1;
        if (dice(2)) reset_app(a);
        else close_app(a);
        break;
    case 9: caller.blocked = !dice(3); break;
    case 10: called.blocked = !dice(3); break;
    default: turn(dice(3) ? ALL : dice(5000));
    }
}

/* What the apps may have seen, at any time. */
static void check_model(void) {
    for (size_t i = 0; i < lefts && i < rights; i++) {
        const app *pair[2] = {&left[i], &right[i]};
        for (int j = 0; j < 2; j++) {
            const app *a = pair[j], *b = pair[1 - j];
            CHECK(a->got <= b->sent);
            if (a->cut || b->cut) continue;
            CHECK(!a->error);
            if (a->eof) CHECK(b->shut && a->got == b->sent);
        }
    }
}

static void random_run(unsigned seed) {
    dice_state = seed;
    begin(BOTH);
    for (int i = 0; i < 1500; i++) {
        some_step();
        check_model();
        if (test_bad) break;
    }
    caller.blocked = called.blocked = 0;
    settle();
    CHECK(lefts == rights);
    for (size_t i = 0; i < lefts; i++) {
        left[i].ends = right[i].ends = 1;
        if (left[i].cut) { /* a reader that is gone may not be noticed by one who has nothing to say */
            close_app(&left[i]);
            close_app(&right[i]);
        }
    }
    UNTIL(streams() == 0);
    check_model();
    for (size_t i = 0; i < lefts; i++)
        if (!left[i].cut) CHECK(left[i].got == right[i].may_send && right[i].got == left[i].may_send);
    CHECK(caller.closed == lefts && called.closed == lefts);
    if (test_bad) printf("  with seed %u\n", seed);
    end();
}

static void random_schedules(void) {
    unsigned runs = getenv("SVCONN_SLOW") ? 500 : 20;
    for (unsigned seed = 1; seed <= runs && !test_bad; seed++) random_run(seed);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    TEST("tunnel: 60 streams at once carry every byte, in order, both ways", many_streams_both_ways);
    TEST("tunnel: half-closed by the caller, the other half goes on", half_closed_by_the_caller_first);
    TEST("tunnel: half-closed by the called side, the other half goes on", half_closed_by_the_called_side_first);
    TEST("tunnel: a stream without bytes ends in order", both_end_at_once_with_nothing_sent);
    TEST("tunnel: a reset of the caller is a reset at the target, and of this stream only",
         a_reset_of_the_caller_is_one_there);
    TEST("tunnel: a reset of the target is a reset at the caller, and of this stream only",
         a_reset_there_is_one_of_the_caller);
    TEST("tunnel: a session that is lost resets its streams", the_end_of_the_tunnel_resets_its_streams);
    TEST("tunnel: OPEN goes out at once", an_open_does_not_wait_for_an_event);
    TEST("tunnel: bytes may go before OPENED", early_data_before_opened);
    TEST("tunnel: an end is not seen before the bytes that wait", an_end_waits_for_the_bytes_before_it);
    TEST("tunnel: a reader that stands still stops its own stream, and costs a window at most",
         a_reader_that_stands_stops_its_own_stream_only);
    TEST("tunnel: windows grow for a reader that keeps up, to 4 MiB at most",
         a_window_grows_for_a_reader_that_keeps_up);
    TEST("tunnel: all windows together keep to the budget", windows_of_all_streams_keep_to_the_budget);
    TEST("tunnel: the called side ends a session that breaks the rules", rules_of_the_called_side);
    TEST("tunnel: the caller ends a session that breaks the rules", rules_of_the_caller);
    TEST("tunnel: what is just allowed is taken", good_limits);
    TEST("tunnel: messages for streams that are gone are ignored", messages_for_streams_that_are_gone);
    TEST("tunnel: each reason of a refusal reaches the caller, who sees a reset", every_refusal_reaches_the_caller);
    TEST("tunnel: refusals that the peer does not read are bounded", refusals_that_nobody_reads_are_bounded);
    TEST("tunnel: where two addresses refuse, the third one is tried", the_third_address_answers);
    TEST("tunnel: where all addresses refuse, the caller hears so", no_address_answers);
    TEST("tunnel: 1,000 streams at once", a_thousand_streams_at_once);
    TEST("tunnel: streams are bounded, and what is too much is closed", streams_are_bounded);
    TEST("tunnel: a session that is full loses nothing and swaps nothing",
         nothing_is_lost_or_swapped_when_the_session_is_full);
    TEST("tunnel: a message that has no room is held, and comes", what_has_no_room_is_held);
    TEST("tunnel: a RESET comes behind its OPEN, in a session that is full", a_reset_comes_behind_its_open);
    TEST("tunnel: any order of events: the bytes of each stream come complete and in order", random_schedules);
    return TEST_EXIT();
}
