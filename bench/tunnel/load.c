/* SPDX-License-Identifier: ISC */
/*
 * The load for bench/tunnel.sh: both the client at the near end of a tunnel and the server behind its far end, in one
 * process with one thread, and what the tunnel's processes cost meanwhile (see load_common.h).
 */
#include "load_common.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 20000 /* for anything that should happen */
#define UNANSWERED_MAX 8 /* connections under way at a time: a backlog, which may be as short as 10, should not overflow */

static struct {
    unsigned at, target, connections, rounds;
    size_t bytes, count;
    int down;
} o = {.connections = 1000, .rounds = 5, .bytes = (size_t)1 << 30, .count = 20000};

const load_subject subject = {.measured = "tunnel", .carried = "connection", .wait_ms = WAIT_MS};

/* ---- sockets ---- */

static int start_connecting(unsigned port) {
    struct sockaddr_in a = loopback(port);
    int fd = new_socket();
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS) fail("cannot connect: %s", strerror(errno));
    return fd;
}

/* 1: accepted, 0: nobody is there yet */
static int take_one(int listener, int *fd) {
    int one = 1;
    if ((*fd = accept(listener, NULL, NULL)) < 0) return 0;
    fcntl(*fd, F_SETFL, O_NONBLOCK);
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return 1;
}

static int listener; /* behind the tunnel */

typedef struct {
    int a, b; /* at the near end, behind the far end */
} pair;

/* The tunnel may just be starting: the near end need not listen yet, or have a far end */
static pair open_pair(void) {
    double end = seconds_now() + WAIT_MS / 1000.0;
    for (;;) {
        int failed = 0;
        socklen_t size = sizeof failed;
        pair p = {.a = start_connecting(o.at)};
        wait_for(p.a, POLLOUT, WAIT_MS);
        if (getsockopt(p.a, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && !failed && wait_for(listener, POLLIN, 1000) &&
            take_one(listener, &p.b)) {
            exchange(p.a, p.b);
            return p;
        }
        close(p.a);
        if (seconds_now() >= end) fail("nothing comes out of the tunnel");
        nap(50);
    }
}

/* ---- what is measured ---- */

/* One end sends as fast as it can, the other throws away what comes: MSG_TRUNC spares the copy. */
static void run_bulk(void) {
    static char piece[PIECE];
    pair p = open_pair();
    struct pollfd f[2] = {{.fd = o.down ? p.b : p.a, .events = POLLOUT}, {.fd = o.down ? p.a : p.b, .events = POLLIN}};
    size_t sent = 0, received = 0;
    mark from = mark_now();
    while (received < o.bytes) {
        size_t left = o.bytes - sent;
        int n = poll(f, 2, WAIT_MS);
        if (n == 0) fail("the stream stands still after %zu bytes", received);
        if (n < 0 && errno != EINTR) fail("poll: %s", strerror(errno));
        if (f[0].revents) {
            ssize_t done = send(f[0].fd, piece, left < PIECE ? left : PIECE, MSG_NOSIGNAL);
            if (done < 0 && !is_for_later()) fail("cannot send: %s", strerror(errno));
            if (done > 0 && (sent += (size_t)done) == o.bytes) f[0].fd = -1;
        }
        if (f[1].revents) {
            ssize_t done = recv(f[1].fd, piece, PIECE, MSG_TRUNC);
            if (done == 0 || (done < 0 && !is_for_later())) fail("the stream ended after %zu bytes", received);
            if (done > 0) received += (size_t)done;
        }
    }
    mark to = mark_now();
    double gigabytes = (double)o.bytes / 1e9;
    printf("first=%.5g second=%.5g third=%.3f\n", (to.cpu - from.cpu) / gigabytes, gigabytes * 8 / (to.seconds - from.seconds),
           part_stolen(from, to));
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 64 bytes there and back, one after the other. This one thread sleeps until they are behind the tunnel, then until they
 * are back, like two programs would. */
static void run_trip(void) {
    char there[64], back[64];
    double *took = calloc(o.count, sizeof *took);
    pair p = open_pair();
    if (!took) fail("no memory");
    for (unsigned i = 0; i < 200; i++) exchange(p.a, p.b);
    mark from = mark_now();
    for (size_t i = 0; i < o.count; i++) {
        double start = seconds_now();
        memset(there, (int)(i % 251), sizeof there);
        memcpy(there, &i, sizeof i);
        send_all(p.a, there, sizeof there);
        receive_all(p.b, back, sizeof back);
        send_all(p.b, back, sizeof back);
        receive_all(p.a, back, sizeof back);
        took[i] = seconds_now() - start;
        if (memcmp(there, back, sizeof there) != 0) fail("the tunnel changed what it passed on");
    }
    mark to = mark_now();
    qsort(took, o.count, sizeof *took, by_size);
    printf("first=%.5g second=%.5g third=%.4g\n", took[o.count / 2] * 1e6, took[o.count - 1 - o.count / 100] * 1e6,
           (to.cpu - from.cpu) * 1e6 / (double)o.count);
    free(took);
}

static void run_both(void) {
    pair p = open_pair();
    lane l[2] = {{.from = p.a, .to = p.b}, {.from = p.b, .to = p.a}};
    compare_both_ways(l, o.bytes);
    printf("both ways %zu bytes, as they were sent\n", o.bytes);
}

/* Many connections at once: all are open before any ends, each gets an echo of 1 KB some times, and each its own. */
enum { ECHO = 1024 };
typedef struct {
    char bytes[ECHO];
    int fd, is_echo;
    size_t have, sent; /* a client: came back, sent; an echo: taken, given back */
    unsigned rounds;
} end;

static void watch(int queue, end *e, uint32_t events, int how) {
    struct epoll_event event = {.events = events, .data = {.ptr = e}};
    if (epoll_ctl(queue, how, e->fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

static void begin_round(end *e, unsigned i) {
    fill(e->bytes, ECHO, (uint64_t)i * 1000 + e->rounds + 1);
    e->have = e->sent = 0;
    send_all(e->fd, e->bytes, ECHO); /* fits into the buffer of the socket */
}

static void run_many(void) {
    end *client = calloc(o.connections, sizeof *client), *echo = calloc(o.connections, sizeof *echo), door = {.fd = listener};
    unsigned called = 0, taken = 0, done = 0;
    int queue = epoll_create1(EPOLL_CLOEXEC), begun = 0;
    struct epoll_event events[64];
    if (!client || !echo) fail("no memory");
    pair first = open_pair(); /* it is up */
    close(first.a), close(first.b);
    watch(queue, &door, EPOLLIN, EPOLL_CTL_ADD);
    mark from = mark_now(), opened = from;
    while (done < o.connections) {
        while (called < o.connections && called - taken < UNANSWERED_MAX) {
            client[called].fd = start_connecting(o.at);
            watch(queue, &client[called++], EPOLLIN, EPOLL_CTL_ADD);
        }
        if (!begun && taken == o.connections) {
            opened = mark_now();
            begun = 1;
            for (unsigned i = 0; i < called; i++) begin_round(&client[i], i);
        }
        int n = epoll_wait(queue, events, 64, WAIT_MS);
        if (n == 0) fail("%u of %u connections came out of the tunnel, %u are complete", taken, o.connections, done);
        for (int k = 0; k < n; k++) {
            end *e = events[k].data.ptr;
            char came[ECHO];
            if (e == &door) {
                while (taken < o.connections && take_one(listener, &echo[taken].fd)) {
                    echo[taken].is_echo = 1;
                    watch(queue, &echo[taken++], EPOLLIN, EPOLL_CTL_ADD);
                }
                continue;
            }
            ssize_t len = recv(e->fd, came, e->is_echo ? sizeof came : ECHO - e->have, 0);
            if (len < 0 && is_for_later()) continue;
            if (len <= 0)
                fail("the tunnel ended a connection; %u of %u had come out, %u are complete", taken, o.connections, done);
            if (e->is_echo) {
                send_all(e->fd, came, (size_t)len);
                continue;
            }
            if (memcmp(came, e->bytes + e->have, (size_t)len) != 0) fail("a connection got what was not sent on it");
            if ((e->have += (size_t)len) < ECHO) continue;
            if (++e->rounds < o.rounds) begin_round(e, (unsigned)(e - client));
            else done++, watch(queue, e, 0, EPOLL_CTL_MOD);
        }
    }
    mark to = mark_now();
    printf("first=%.4g second=%.4g third=%.4g\n", to.cpu - from.cpu, opened.seconds - from.seconds, to.seconds - opened.seconds);
    free(client), free(echo);
}

static void run_ports(void) { print_free_ports(4); }

/* ---- the command line ---- */
static const load_mode modes[] = {
    {"bulk", run_bulk, 1}, {"trip", run_trip, 1}, {"many", run_many, 1}, {"both", run_both, 1}, {"ports", run_ports, 0}, {0},
};

static const char usage[] =
    "usage: load MODE --at PORT --target PORT [--pid PID]... [OPTIONS]\n"
    "  --at       where the tunnel begins, on 127.0.0.1\n"
    "  --target   where it ends: this program listens there\n"
    "  --pid      its processes, with all that descend from them\n"
    "modes:\n"
    "  bulk       --bytes N on one connection, from the near end to the far one, or with --down 1 the other way; prints\n"
    "             processor seconds for each GB, Gbit per second by the clock, the part of the processors that was stolen\n"
    "  trip       64 bytes there and back, --count N times; prints the median and the 99th percentile, in microseconds,\n"
    "             and microseconds of processor time\n"
    "  many       --connections N at once, each gets 1 KB back --rounds N times; prints processor seconds, seconds until\n"
    "             all were open, seconds until all were done\n"
    "  both       --bytes N in both directions at once, compared byte for byte\n"
    "  ports      prints four free ports\n";

static int take_option(const char *name, const char *value) {
    unsigned long number = strtoul(value, NULL, 10);
    if (!strcmp(name, "--at")) o.at = (unsigned)number;
    else if (!strcmp(name, "--target")) o.target = (unsigned)number;
    else if (!strcmp(name, "--pid")) return measure_process((long)number);
    else if (!strcmp(name, "--connections")) o.connections = (unsigned)number;
    else if (!strcmp(name, "--rounds")) o.rounds = (unsigned)number;
    else if (!strcmp(name, "--bytes")) o.bytes = number;
    else if (!strcmp(name, "--count")) o.count = number;
    else if (!strcmp(name, "--down")) o.down = number != 0;
    else return -1;
    return 0;
}

int main(int argc, char **argv) {
    const load_mode *mode = read_command_line(argc, argv, modes, take_option);
    if (!mode || !o.connections || !o.rounds || !o.bytes || !o.count || (mode->measures && (!o.at || !o.target)))
        return fputs(usage, stderr), 2;
    have_all_descriptors();
    if (mode->measures && (listener = start_listening(o.target)) < 0) fail("cannot listen: %s", strerror(errno));
    mode->run();
    return 0;
}
