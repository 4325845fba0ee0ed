/* SPDX-License-Identifier: ISC */
/*
 * The load for bench/relay.sh: makes sessions through a relay, and says what they cost the relay (see load_common.h).
 */
#include "svconn_transport.h"
#include "load_common.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 15000  /* for anything that should happen */
#define WARM_UP_MS 500 /* before the measured time: buffers grow, windows open */
#define WORKERS_MAX 256

static struct {
    const char *relay;
    char target[64];
    unsigned streams, sessions, parallel;
    double seconds;
    size_t bytes;
} o = {.streams = 1, .sessions = 1000, .parallel = 16, .seconds = 3, .bytes = 5000000};

const load_subject subject = {.measured = "relay", .carried = "session", .wait_ms = WAIT_MS};

/* ---- memory of the relay ---- */

/* The sum of the lines of a file of /proc that begin with one of these words, in kB; -1: there is no such file. */
static double kilobytes(long pid, const char *name, const char *word, const char *word2) {
    char path[80], line[256];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, word, strlen(word)) == 0 || strncmp(line, word2, strlen(word2)) == 0)
            sum += strtod(line + strcspn(line, ":") + 1, NULL);
    fclose(file);
    return sum;
}

/* Anonymous memory. Pages that a child still shares with its parent count once (Pss). */
static double memory_of_process(const process *p) {
    double kb = kilobytes(p->pid, "smaps_rollup", "Pss_Anon:", "SwapPss:");
    if (kb <= 0) kb = kilobytes(p->pid, "status", "RssAnon:", "VmSwap:");
    return kb < 0 ? 0 : kb * 1024;
}

static double relay_memory(void) { return sum_of_measured(memory_of_process); }

/* ---- sessions: a is one end, b the other; links whose in and out are one socket ---- */
typedef struct {
    svconn_link a, b;
} session;

static svconn_listener target; /* of relays that pass on */
static pthread_mutex_t target_lock = PTHREAD_MUTEX_INITIALIZER;

/* A relay that passes on: it connects to us for every connection that it takes. When several threads do this at once, b
 * need not belong to a, but each b belongs to the a of one of them. */
static void join_passed_on(session *s) {
    svconn_why why;
    if (svconn_link_open(&s->a, o.relay, WAIT_MS, &why) != 0) fail("%s", why.text);
    pthread_mutex_lock(&target_lock);
    int failed = svconn_listener_accept(&target, &s->b, WAIT_MS, &why);
    pthread_mutex_unlock(&target_lock);
    if (failed) fail("the relay does not connect to its target: %s", why.text);
}

typedef struct {
    svconn_link *link;
    const char *address;
    svconn_why why;
    int failed;
} caller;

static void *call(void *arg) {
    caller *c = arg;
    c->failed = svconn_link_open_with(c->link, c->address, NULL, WAIT_MS, &c->why);
    return NULL;
}

/* A relay that both ends dial: one listens there, a thread calls the address that the listener was given. */
static void join_dialled(session *s) {
    svconn_listener n;
    svconn_why why;
    pthread_t thread;
    if (svconn_listen_with(&n, o.relay, NULL, &why) != 0) fail("%s", why.text);
    caller c = {.link = &s->a, .address = n.address};
    if (pthread_create(&thread, NULL, call, &c) != 0) fail("no thread");
    int failed = svconn_listener_accept(&n, &s->b, WAIT_MS, &why);
    pthread_join(thread, NULL);
    if (c.failed) fail("%s", c.why.text);
    if (failed) fail("%s", why.text);
    svconn_listener_close(&n);
}

static void (*join)(session *s);

static void open_kind(void) {
    svconn_why why;
    uint64_t end = svconn_now() + WAIT_MS;
    join = strncmp(o.relay, "tcp://", 6) == 0 ? join_passed_on : join_dialled;
    if (join != join_passed_on) return;
    if (!o.target[0]) fail("a relay that passes on needs --target");
    if (svconn_listen(&target, o.target, &why) != 0) fail("%s", why.text);
    for (;;) { /* it may just be starting */
        session s;
        if (svconn_link_open(&s.a, o.relay, WAIT_MS, &why) == 0) {
            if (svconn_listener_accept(&target, &s.b, WAIT_MS, &why) != 0)
                fail("the relay does not connect to its target: %s", why.text);
            svconn_link_close(&s.a);
            svconn_link_close(&s.b);
            return;
        }
        if (svconn_now() >= end) fail("%s", why.text);
        nap(20);
    }
}

/* One end goes; the relay has to tell the other one. */
static void finish(session *s) {
    char byte;
    svconn_link_close(&s->a);
    if (receive_to_end(s->b.in, &byte, 1) != 0) fail("a byte too many at the end of a session");
    svconn_link_close(&s->b);
}

static session *open_sessions(unsigned count) {
    session *s = calloc(count, sizeof *s);
    if (!s) fail("no memory");
    for (unsigned i = 0; i < count; i++) {
        join(&s[i]);
        exchange(s[i].a.out, s[i].b.in);
    }
    return s;
}

/* ---- what is measured ---- */
/* One line: the result per processor second of the relay and by the clock; the part of the time that the relay had a
 * processor; the part of all processors that was stolen. */
static void print_rate(const char *unit, double count, mark from, mark to) {
    double seconds = to.seconds - from.seconds, cpu = to.cpu - from.cpu;
    if (cpu <= 0) fail("the relay used no processor time: is --pid right?");
    printf("per_cpu=%.6g wall=%.6g share=%.3f stolen=%.3f seconds=%.3f cpu=%.3f unit=%s\n", count / cpu, count / seconds,
           cpu / seconds, part_stolen(from, to), seconds, cpu, unit);
}

/* Every a sends as fast as it can, every b throws away what comes: MSG_TRUNC spares the copy. This program never sleeps
 * meanwhile: to wake it would be the relay's work here, and is not where the ends are on other machines. */
static void run_bulk(void) {
    static char piece[PIECE];
    session *s = open_sessions(o.streams);
    struct epoll_event events[64];
    uint64_t moved_at = svconn_now();
    double bytes = 0, turn = seconds_now() + WARM_UP_MS / 1000.0;
    mark from = {0};
    int queue = epoll_create1(EPOLL_CLOEXEC), measuring = 0;
    for (unsigned i = 0; i < o.streams; i++) {
        struct epoll_event a = {.events = EPOLLOUT, .data = {.u64 = (uint64_t)s[i].a.out * 2 + 1}};
        struct epoll_event b = {.events = EPOLLIN, .data = {.u64 = (uint64_t)s[i].b.in * 2}};
        if (epoll_ctl(queue, EPOLL_CTL_ADD, s[i].a.out, &a) || epoll_ctl(queue, EPOLL_CTL_ADD, s[i].b.in, &b))
            fail("epoll: %s", strerror(errno));
    }
    for (;;) {
        if (seconds_now() >= turn) {
            if (measuring) break;
            measuring = 1;
            bytes = 0;
            from = mark_now();
            turn = from.seconds + o.seconds;
        }
        int n = epoll_wait(queue, events, 64, 0);
        if (n > 0) moved_at = svconn_now();
        else if (svconn_now() - moved_at > WAIT_MS) fail("all streams stand still");
        for (int i = 0; i < n; i++) {
            int fd = (int)(events[i].data.u64 / 2), sends = (int)(events[i].data.u64 % 2);
            ssize_t done = sends ? send(fd, piece, PIECE, MSG_NOSIGNAL) : recv(fd, piece, PIECE, MSG_TRUNC);
            if (done == 0 || (done < 0 && !is_for_later())) fail("a stream ended: %s", done ? strerror(errno) : "end");
            if (!sends && done > 0) bytes += (double)done;
        }
    }
    print_rate("Gbit", bytes * 8 / 1e9, from, mark_now());
    close(queue);
    for (unsigned i = 0; i < o.streams; i++) svconn_link_close(&s[i].a), svconn_link_close(&s[i].b);
    free(s);
}

static void run_both(void) {
    session *s = open_sessions(1);
    lane l[2] = {{.from = s->a.out, .to = s->b.in}, {.from = s->b.out, .to = s->a.in}};
    mark from = mark_now();
    compare_both_ways(l, o.bytes);
    finish(s);
    mark to = mark_now();
    printf("both ways %zu bytes, as they were sent; cpu=%.3f\n", o.bytes, to.cpu - from.cpu);
    free(s);
}

static void run_idle(void) {
    double before = relay_memory();
    session *s = open_sessions(o.sessions);
    nap(1000); /* it may give back what joining took */
    double grown = relay_memory() - before;
    for (unsigned i = 0; i < o.sessions; i++) exchange(s[i].a.out, s[i].b.in); /* they were there all the time */
    printf("bytes=%.0f sessions=%u before=%.0f\n", grown / o.sessions, o.sessions, before);
    for (unsigned i = 0; i < o.sessions; i++) svconn_link_close(&s[i].a), svconn_link_close(&s[i].b);
    free(s);
}

static atomic_ulong finished;
static atomic_int stop;

static void *make_sessions(void *arg) {
    session s;
    (void)arg;
    while (!atomic_load(&stop)) {
        join(&s);
        exchange(s.a.out, s.b.in);
        finish(&s);
        atomic_fetch_add(&finished, 1);
    }
    return NULL;
}

static void run_rate(void) {
    pthread_t worker[WORKERS_MAX];
    for (unsigned i = 0; i < o.parallel; i++)
        if (pthread_create(&worker[i], NULL, make_sessions, NULL) != 0) fail("no thread");
    nap(WARM_UP_MS);
    unsigned long before = atomic_load(&finished);
    mark from = mark_now();
    nap((unsigned)(o.seconds * 1000));
    unsigned long after = atomic_load(&finished);
    mark to = mark_now();
    atomic_store(&stop, 1);
    for (unsigned i = 0; i < o.parallel; i++) pthread_join(worker[i], NULL);
    print_rate("sessions", (double)(after - before), from, to);
}

static void run_ports(void) { print_free_ports(2); }

/* ---- the command line ---- */
static const load_mode modes[] = {
    {"bulk", run_bulk, 1}, {"both", run_both, 1}, {"idle", run_idle, 1}, {"rate", run_rate, 1}, {"ports", run_ports, 0}, {0},
};

static const char usage[] =
    "usage: load MODE --relay ADDRESS --pid PID [--target PORT] [OPTIONS]\n"
    "  --relay    tcp://HOST:PORT of a relay that passes everything on to --target (on 127.0.0.1, where this program\n"
    "             listens), or relay://... of one that both ends dial\n"
    "  --pid      its process\n"
    "modes:\n"
    "  bulk       --streams N at full speed in one direction, for --seconds S\n"
    "  both       --bytes N in both directions at once, compared byte for byte\n"
    "  idle       --sessions N that do nothing: memory of the relay for each\n"
    "  rate       new sessions, --parallel N at a time, for --seconds S\n"
    "  ports      prints two free ports\n";

static int take_option(const char *name, const char *value) {
    unsigned long number = strtoul(value, NULL, 10);
    if (!strcmp(name, "--relay")) o.relay = value;
    else if (!strcmp(name, "--pid")) return measure_process((long)number);
    else if (!strcmp(name, "--target")) snprintf(o.target, sizeof o.target, "tcp://127.0.0.1:%lu", number);
    else if (!strcmp(name, "--streams")) o.streams = (unsigned)number;
    else if (!strcmp(name, "--sessions")) o.sessions = (unsigned)number;
    else if (!strcmp(name, "--parallel")) o.parallel = (unsigned)number;
    else if (!strcmp(name, "--seconds")) o.seconds = strtod(value, NULL);
    else if (!strcmp(name, "--bytes")) o.bytes = number;
    else return -1;
    return 0;
}

static int options_fit(void) {
    return o.streams > 0 && o.sessions > 0 && o.parallel > 0 && o.parallel <= WORKERS_MAX && o.seconds > 0 && o.seconds < 1000;
}

int main(int argc, char **argv) {
    const load_mode *mode = read_command_line(argc, argv, modes, take_option);
    if (!mode || !options_fit() || (mode->measures && (!o.relay || !measured_processes()))) return fputs(usage, stderr), 2;
    have_all_descriptors();
    if (mode->measures) open_kind();
    mode->run();
    return 0;
}
