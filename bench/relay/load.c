/* SPDX-License-Identifier: ISC */
/*
 * The load for bench/relay.sh: makes sessions through a relay, and says what they cost the relay. Linux only: it reads
 * /proc.
 *
 * What is counted is processor time of the relay: all threads of its process, and its children, living or waited for.
 * The work that the kernel does for it counts (system calls; on loopback also the receiving half of what it sends),
 * that of this program does not. So a machine that is busy elsewhere changes the result little.
 */
#include "svconn_transport.h"
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE ((size_t)256 * 1024)
#define WAIT_MS 15000  /* for anything that should happen */
#define WARM_UP_MS 500 /* before the measured time: buffers grow, windows open */
#define WORKERS_MAX 256

static struct {
    const char *relay;
    char target[64];
    long pid;
    unsigned streams, sessions, parallel;
    double seconds;
    size_t bytes;
} o = {.streams = 1, .sessions = 1000, .parallel = 16, .seconds = 3, .bytes = 5000000};

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 1, 2)))
#endif
static _Noreturn void
fail(const char *format, ...) {
    va_list a;
    va_start(a, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, a);
    fputc('\n', stderr);
    va_end(a);
    exit(1);
}

static double seconds_now(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) fail("no clock");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(unsigned ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0) {
    }
}

/* ---- what the kernel says about the relay ---- */

/* Adds up f over the relay's process and its children. f gets the directory in /proc and the line of its file stat
 * behind the name, which may contain anything. */
static double sum_of_relay(double (*f)(const char *dir, const char *stat)) {
    double sum = 0;
    int seen = 0;
    DIR *proc = opendir("/proc");
    if (!proc) fail("cannot read /proc: %s", strerror(errno));
    for (struct dirent *e; (e = readdir(proc));) {
        char dir[64], path[80], stat[1024], *rest;
        long pid = strtol(e->d_name, &rest, 10), parent = 0;
        if (pid <= 0 || *rest) continue;
        snprintf(dir, sizeof dir, "/proc/%ld", pid);
        snprintf(path, sizeof path, "%s/stat", dir);
        FILE *file = fopen(path, "r");
        if (!file) continue; /* it has just ended */
        size_t n = fread(stat, 1, sizeof stat - 1, file);
        fclose(file);
        stat[n] = 0;
        rest = strrchr(stat, ')');
        if (!rest || sscanf(rest, ") %*c %ld", &parent) != 1) continue;
        if (pid != o.pid && parent != o.pid) continue;
        sum += f(dir, rest);
        seen |= pid == o.pid;
    }
    closedir(proc);
    if (!seen) fail("the relay, process %ld, is gone", o.pid);
    return sum;
}

/* Nanoseconds that the threads which live have run; -1: this kernel does not say. */
static double cpu_of_threads(const char *dir) {
    char path[80 + sizeof(((struct dirent *)0)->d_name)];
    double sum = -1;
    snprintf(path, sizeof path, "%s/task", dir);
    DIR *tasks = opendir(path);
    if (!tasks) return -1;
    for (struct dirent *e; (e = readdir(tasks));) {
        unsigned long long ns;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/task/%s/schedstat", dir, e->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%llu", &ns) == 1) sum = (sum < 0 ? 0 : sum) + (double)ns;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

/* Seconds. stat counts in hundredths of a second, cut off: too coarse where a hundred processes do little each, but it
 * has the children that have ended. */
static double cpu_of_process(const char *dir, const char *stat) {
    unsigned long user, system;
    long child_user, child_system;
    if (sscanf(stat, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &user, &system, &child_user,
               &child_system) != 4)
        fail("cannot understand /proc/PID/stat");
    double tick = 1 / (double)sysconf(_SC_CLK_TCK), ns = cpu_of_threads(dir);
    return (double)(child_user + child_system) * tick + (ns >= 0 ? ns / 1e9 : (double)(user + system) * tick);
}

static double relay_cpu(void) { return sum_of_relay(cpu_of_process); }

/* The sum of the lines of a file of /proc that begin with one of these words, in kB; -1: there is no such file. */
static double kilobytes(const char *dir, const char *name, const char *word, const char *word2) {
    char path[80], line[256];
    double sum = 0;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, word, strlen(word)) == 0 || strncmp(line, word2, strlen(word2)) == 0)
            sum += strtod(line + strcspn(line, ":") + 1, NULL);
    fclose(file);
    return sum;
}

/* Anonymous memory. Pages that a child still shares with its parent count once (Pss). */
static double memory_of_process(const char *dir, const char *stat) {
    (void)stat;
    double kb = kilobytes(dir, "smaps_rollup", "Pss_Anon:", "SwapPss:");
    if (kb <= 0) kb = kilobytes(dir, "status", "RssAnon:", "VmSwap:");
    return kb < 0 ? 0 : kb * 1024;
}

static double relay_memory(void) { return sum_of_relay(memory_of_process); }

/* Seconds that a hypervisor gave to others although a processor of this machine had work. No process is charged with
 * them, but much of it means that the clock says little. */
static double stolen_seconds(void) {
    unsigned long ticks = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file) return 0;
    if (fscanf(file, "cpu %*u %*u %*u %*u %*u %*u %*u %lu", &ticks) != 1) ticks = 0;
    fclose(file);
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

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

static void wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do n = poll(&p, 1, WAIT_MS);
    while (n < 0 && errno == EINTR);
    if (n == 0) fail("a session stands still");
    if (n < 0) fail("poll: %s", strerror(errno));
}

static int is_for_later(void) { return errno == EAGAIN || errno == EINTR; }

static void send_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && !is_for_later()) fail("cannot send: %s", strerror(errno));
        if (n < 0) wait_for(fd, POLLOUT);
        else bytes += n, len -= (size_t)n;
    }
}

/* Returns how many came before the end. */
static size_t receive_all(int fd, char *bytes, size_t len) {
    size_t have = 0;
    while (have < len) {
        ssize_t n = recv(fd, bytes + have, len - have, 0);
        if (n < 0 && !is_for_later()) fail("cannot receive: %s", strerror(errno));
        if (n < 0) wait_for(fd, POLLIN);
        else if (n == 0) break;
        else have += (size_t)n;
    }
    return have;
}

/* A few bytes there and back */
static void exchange(session *s) {
    static const char hello[8] = "hello \r\n";
    char bytes[sizeof hello];
    send_all(s->a.out, hello, sizeof hello);
    if (receive_all(s->b.in, bytes, sizeof bytes) != sizeof bytes) fail("the relay ended a session");
    send_all(s->b.out, bytes, sizeof bytes);
    if (receive_all(s->a.in, bytes, sizeof bytes) != sizeof bytes) fail("the relay ended a session");
    if (memcmp(bytes, hello, sizeof hello) != 0) fail("the relay changed what it passed on");
}

/* One end goes; the relay has to tell the other one. */
static void finish(session *s) {
    char byte;
    svconn_link_close(&s->a);
    if (receive_all(s->b.in, &byte, 1) != 0) fail("a byte too many at the end of a session");
    svconn_link_close(&s->b);
}

static session *open_sessions(unsigned count) {
    session *s = calloc(count, sizeof *s);
    if (!s) fail("no memory");
    for (unsigned i = 0; i < count; i++) {
        join(&s[i]);
        exchange(&s[i]);
    }
    return s;
}

/* ---- what is measured ---- */
typedef struct {
    double seconds, cpu, stolen, count;
} mark;

static mark mark_now(double count) { return (mark){seconds_now(), relay_cpu(), stolen_seconds(), count}; }

/* One line: the result per processor second of the relay and by the clock; the part of the time that the relay had a
 * processor; the part of all processors that was stolen. */
static void print_rate(const char *unit, double per_unit, mark from, mark to) {
    double seconds = to.seconds - from.seconds, cpu = to.cpu - from.cpu, count = (to.count - from.count) / per_unit;
    if (cpu <= 0) fail("the relay used no processor time: is --pid right?");
    printf("per_cpu=%.6g wall=%.6g share=%.3f stolen=%.3f seconds=%.3f cpu=%.3f unit=%s\n", count / cpu,
           count / seconds, cpu / seconds, (to.stolen - from.stolen) / seconds / (double)sysconf(_SC_NPROCESSORS_ONLN),
           seconds, cpu, unit);
}

/* Every a sends as fast as it can, every b throws away what comes: MSG_TRUNC spares the copy. This program never sleeps
 * meanwhile: to wake it would be the relay's work here, and is not where the ends are on other machines. */
static void run_bulk(void) {
    static char piece[PIECE];
    session *s = open_sessions(o.streams);
    struct epoll_event events[64];
    uint64_t moved_at = svconn_now();
    double bytes = 0, turn = seconds_now() + WARM_UP_MS / 1000.0;
    mark from = {0, 0, 0, 0};
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
            from = mark_now(bytes);
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
    print_rate("Gbit", 1e9 / 8, from, mark_now(bytes));
    close(queue);
    for (unsigned i = 0; i < o.streams; i++) svconn_link_close(&s[i].a), svconn_link_close(&s[i].b);
    free(s);
}

/* One direction of a session */
typedef struct {
    int from, to;
    char *bytes;
    size_t sent, received;
} lane;

static int move(lane *l) {
    static char came[PIECE];
    int moved = 0;
    if (l->sent < o.bytes) {
        size_t len = o.bytes - l->sent, most = 1 + l->sent % 70001; /* pieces of many sizes */
        ssize_t n = send(l->from, l->bytes + l->sent, len < most ? len : most, MSG_NOSIGNAL);
        if (n < 0 && !is_for_later()) fail("cannot send: %s", strerror(errno));
        if (n > 0) l->sent += (size_t)n, moved = 1;
    }
    ssize_t n = l->received < o.bytes ? recv(l->to, came, sizeof came, 0) : -1;
    if (n == 0) fail("the end came after %zu bytes of %zu", l->received, o.bytes);
    if (n < 0 && l->received < o.bytes && !is_for_later()) fail("cannot receive: %s", strerror(errno));
    if (n > 0) {
        if ((size_t)n > o.bytes - l->received) fail("more bytes came than were sent");
        if (memcmp(came, l->bytes + l->received, (size_t)n) != 0)
            fail("what came is not what was sent, at or behind byte %zu", l->received);
        l->received += (size_t)n, moved = 1;
    }
    return moved;
}

/* Both ends send at once; all of it is compared. */
static void run_both(void) {
    session *s = open_sessions(1);
    lane l[2] = {{.from = s->a.out, .to = s->b.in}, {.from = s->b.out, .to = s->a.in}};
    mark from = mark_now(0);
    for (int i = 0; i < 2; i++)
        if (!(l[i].bytes = malloc(o.bytes)) || svconn_random((uint8_t *)l[i].bytes, o.bytes) != 0) fail("no memory");
    uint64_t moved_at = svconn_now();
    while (l[0].received < o.bytes || l[1].received < o.bytes) {
        int moved = move(&l[0]) | move(&l[1]);
        if (moved) moved_at = svconn_now();
        else if (svconn_now() - moved_at > WAIT_MS) fail("both directions stand still");
        else nap(1);
    }
    finish(s);
    mark to = mark_now(0);
    printf("both ways %zu bytes, as they were sent; cpu=%.3f\n", o.bytes, to.cpu - from.cpu);
    free(l[0].bytes), free(l[1].bytes), free(s);
}

static void run_idle(void) {
    double before = relay_memory();
    session *s = open_sessions(o.sessions);
    nap(1000); /* it may give back what joining took */
    double grown = relay_memory() - before;
    for (unsigned i = 0; i < o.sessions; i++) exchange(&s[i]); /* they were there all the time */
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
        exchange(&s);
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
    mark from = mark_now((double)atomic_load(&finished));
    nap((unsigned)(o.seconds * 1000));
    mark to = mark_now((double)atomic_load(&finished));
    atomic_store(&stop, 1);
    for (unsigned i = 0; i < o.parallel; i++) pthread_join(worker[i], NULL);
    print_rate("sessions", 1, from, to);
}

/* Prints two ports that nobody has now, from below those that the system gives out by itself: connections that the
 * measurement makes would take one of those. */
static void run_ports(void) {
    int found = 0;
    for (unsigned i = 0; i < 10000 && found < 2; i++) {
        svconn_listener n;
        char address[64];
        unsigned port = 20000 + ((unsigned)getpid() * 7 + i) % 10000;
        snprintf(address, sizeof address, "tcp://127.0.0.1:%u", port);
        if (svconn_listen(&n, address, NULL) != 0) continue;
        svconn_listener_close(&n);
        printf("%u%s", port, found++ ? "\n" : " ");
    }
    if (found < 2) fail("no free ports");
}

/* ---- the command line ---- */
static const struct {
    const char *name;
    void (*run)(void);
    int needs_relay;
} modes[] = {
    {"bulk", run_bulk, 1}, {"both", run_both, 1}, {"idle", run_idle, 1}, {"rate", run_rate, 1}, {"ports", run_ports, 0},
};
enum { MODES = sizeof modes / sizeof modes[0] };

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

static int read_options(int argc, char **argv) {
    for (int i = 2; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!value) return -1; /* the last one of argv */
        unsigned long number = strtoul(value, NULL, 10);
        if (!strcmp(name, "--relay")) o.relay = value;
        else if (!strcmp(name, "--pid")) o.pid = (long)number;
        else if (!strcmp(name, "--target")) snprintf(o.target, sizeof o.target, "tcp://127.0.0.1:%lu", number);
        else if (!strcmp(name, "--streams")) o.streams = (unsigned)number;
        else if (!strcmp(name, "--sessions")) o.sessions = (unsigned)number;
        else if (!strcmp(name, "--parallel")) o.parallel = (unsigned)number;
        else if (!strcmp(name, "--seconds")) o.seconds = strtod(value, NULL);
        else if (!strcmp(name, "--bytes")) o.bytes = number;
        else return -1;
    }
    return o.streams > 0 && o.sessions > 0 && o.parallel > 0 && o.parallel <= WORKERS_MAX && o.seconds > 0 &&
                   o.seconds < 1000
               ? 0
               : -1;
}

int main(int argc, char **argv) {
    struct rlimit files;
    size_t m = 0;
    while (argc > 1 && m < MODES && strcmp(modes[m].name, argv[1]) != 0) m++;
    if (argc < 2 || m == MODES || read_options(argc, argv) != 0 || (modes[m].needs_relay && (!o.relay || o.pid <= 0)))
        return fputs(usage, stderr), 2;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("cannot have more descriptors: %s", strerror(errno));
    }
    if (modes[m].needs_relay) open_kind();
    modes[m].run();
    return 0;
}
