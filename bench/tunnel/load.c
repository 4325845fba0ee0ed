/* SPDX-License-Identifier: ISC */
/*
 * The load for bench/tunnel.sh: both the client at the near end of a tunnel and the server behind its far end, in one
 * process with one thread, and what the tunnel's processes cost meanwhile. Linux only: it reads /proc.
 *
 * What is counted is processor time of the tunnel: all threads of the given processes and of all that descend from them.
 * The work that the kernel does for them counts (system calls; on loopback also the receiving half of what they send),
 * that of this program does not. So a machine that is busy elsewhere changes the result little.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE ((size_t)256 * 1024)
#define WAIT_MS 20000 /* for anything that should happen */
#define PIDS_MAX 8
#define PROCESSES_MAX 32768
#define UNANSWERED_MAX 8 /* connections under way at a time: a backlog, which may be as short as 10, should not overflow */

static struct {
    unsigned at, target;
    long pid[PIDS_MAX];
    unsigned pids, connections, rounds;
    size_t bytes, count;
    int down;
} o = {.connections = 1000, .rounds = 5, .bytes = (size_t)1 << 30, .count = 20000};

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

/* ---- what the kernel says about the tunnel ---- */

/* Nanoseconds that the threads which live have run; -1: this kernel does not say. */
static double cpu_of_threads(long pid) {
    char path[96 + sizeof(((struct dirent *)0)->d_name)];
    double sum = -1;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) return -1;
    for (struct dirent *e; (e = readdir(tasks));) {
        unsigned long long ns;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%s/schedstat", pid, e->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%llu", &ns) == 1) sum = (sum < 0 ? 0 : sum) + (double)ns;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

typedef struct {
    long pid, parent;
    double seconds; /* that it ran, by the coarse clock of stat */
    double children;
    int counts;
} process;

/* Returns 0 when there is no such process any more. The name in stat may contain anything, so what is behind it is read. */
static int read_process(const char *name, process *p) {
    char path[64], stat[1024], *rest;
    unsigned long user, system;
    long child_user, child_system;
    double tick = 1 / (double)sysconf(_SC_CLK_TCK);
    p->pid = strtol(name, &rest, 10);
    if (p->pid <= 0 || *rest) return 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", p->pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    size_t n = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[n] = 0;
    rest = strrchr(stat, ')');
    if (!rest || sscanf(rest, ") %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &p->parent, &user, &system,
                        &child_user, &child_system) != 5)
        return 0;
    p->seconds = (double)(user + system) * tick;
    p->children = (double)(child_user + child_system) * tick;
    p->counts = 0;
    return 1;
}

/* Seconds that the tunnel's processes have run, and those children of them which have ended. */
static double tunnel_cpu(void) {
    static process all[PROCESSES_MAX];
    size_t n = 0;
    unsigned seen = 0;
    double sum = 0;
    if (o.pids == 0) return 0;
    DIR *proc = opendir("/proc");
    if (!proc) fail("cannot read /proc: %s", strerror(errno));
    for (struct dirent *e; n < PROCESSES_MAX && (e = readdir(proc));) n += (size_t)read_process(e->d_name, &all[n]);
    closedir(proc);
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < o.pids; k++)
            if (all[i].pid == o.pid[k]) all[i].counts = 1, seen++;
    if (seen != o.pids) fail("a process of the tunnel is gone");
    for (int more = 1; more;) {
        more = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n && !all[i].counts; k++)
                if (all[k].counts && all[k].pid == all[i].parent) more = all[i].counts = 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!all[i].counts) continue;
        double ns = cpu_of_threads(all[i].pid);
        sum += all[i].children + (ns >= 0 ? ns / 1e9 : all[i].seconds);
    }
    return sum;
}

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

typedef struct {
    double seconds, cpu, stolen;
} mark;

static mark mark_now(void) { return (mark){seconds_now(), tunnel_cpu(), stolen_seconds()}; }

static double part_stolen(mark from, mark to) {
    return (to.stolen - from.stolen) / (to.seconds - from.seconds) / (double)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- sockets ---- */

static struct sockaddr_in loopback(unsigned port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int new_socket(void) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("no socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int start_listening(unsigned port) {
    struct sockaddr_in a = loopback(port);
    int one = 1, fd = new_socket();
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

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

/* 1: there is something, 0: not in time */
static int wait_for(int fd, short events, int ms) {
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    if (n < 0) fail("poll: %s", strerror(errno));
    return n > 0;
}

static int is_for_later(void) { return errno == EAGAIN || errno == EINTR; }

static void send_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && !is_for_later()) fail("cannot send: %s", strerror(errno));
        if (n >= 0) bytes += n, len -= (size_t)n;
        else if (!wait_for(fd, POLLOUT, WAIT_MS)) fail("a connection stands still");
    }
}

static void receive_all(int fd, char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = recv(fd, bytes, len, 0);
        if (n == 0) fail("the tunnel ended a connection");
        if (n < 0 && !is_for_later()) fail("cannot receive: %s", strerror(errno));
        if (n > 0) bytes += n, len -= (size_t)n;
        else if (!wait_for(fd, POLLIN, WAIT_MS)) fail("a connection stands still");
    }
}

static int listener; /* behind the tunnel */

typedef struct {
    int a, b; /* at the near end, behind the far end */
} pair;

static void exchange(pair p) {
    static const char hello[8] = "hello \r\n";
    char bytes[sizeof hello];
    send_all(p.a, hello, sizeof hello);
    receive_all(p.b, bytes, sizeof bytes);
    send_all(p.b, bytes, sizeof bytes);
    receive_all(p.a, bytes, sizeof bytes);
    if (memcmp(bytes, hello, sizeof hello) != 0) fail("the tunnel changed what it passed on");
}

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
            exchange(p);
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
    for (unsigned i = 0; i < 200; i++) exchange(p);
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

/* One direction of a connection */
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

static void fill(char *bytes, size_t len, uint64_t seed) { /* not to be guessed by a tunnel; it need not be random */
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(seed >> 56);
    }
}

/* Both ends send at once; all of it is compared. */
static void run_both(void) {
    pair p = open_pair();
    lane l[2] = {{.from = p.a, .to = p.b}, {.from = p.b, .to = p.a}};
    for (unsigned i = 0; i < 2; i++) {
        if (!(l[i].bytes = malloc(o.bytes))) fail("no memory");
        fill(l[i].bytes, o.bytes, i);
    }
    double moved_at = seconds_now();
    while (l[0].received < o.bytes || l[1].received < o.bytes) {
        if (move(&l[0]) | move(&l[1])) moved_at = seconds_now();
        else if (seconds_now() - moved_at > WAIT_MS / 1000.0) fail("both directions stand still");
        else nap(1);
    }
    printf("both ways %zu bytes, as they were sent\n", o.bytes);
    free(l[0].bytes), free(l[1].bytes);
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

/* Prints ports that nobody has now, from below those that the system gives out by itself: connections that the
 * measurement makes would take one of those. */
static void run_ports(void) {
    int found = 0;
    for (unsigned i = 0; i < 10000 && found < 4; i++) {
        unsigned port = 20000 + ((unsigned)getpid() * 7 + i) % 10000;
        int fd = start_listening(port);
        if (fd < 0) continue;
        close(fd);
        printf("%u%s", port, found++ == 3 ? "\n" : " ");
    }
    if (found < 4) fail("no free ports");
}

/* ---- the command line ---- */
static const struct {
    const char *name;
    void (*run)(void);
    int needs_tunnel;
} modes[] = {
    {"bulk", run_bulk, 1}, {"trip", run_trip, 1}, {"many", run_many, 1}, {"both", run_both, 1}, {"ports", run_ports, 0},
};
enum { MODES = sizeof modes / sizeof modes[0] };

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

static int read_options(int argc, char **argv) {
    for (int i = 2; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!value) return -1; /* the last one of argv */
        unsigned long number = strtoul(value, NULL, 10);
        if (!strcmp(name, "--at")) o.at = (unsigned)number;
        else if (!strcmp(name, "--target")) o.target = (unsigned)number;
        else if (!strcmp(name, "--pid") && o.pids < PIDS_MAX) o.pid[o.pids++] = (long)number;
        else if (!strcmp(name, "--connections")) o.connections = (unsigned)number;
        else if (!strcmp(name, "--rounds")) o.rounds = (unsigned)number;
        else if (!strcmp(name, "--bytes")) o.bytes = number;
        else if (!strcmp(name, "--count")) o.count = number;
        else if (!strcmp(name, "--down")) o.down = number != 0;
        else return -1;
    }
    return o.connections > 0 && o.rounds > 0 && o.bytes > 0 && o.count > 0 ? 0 : -1;
}

int main(int argc, char **argv) {
    struct rlimit files;
    size_t m = 0;
    while (argc > 1 && m < MODES && strcmp(modes[m].name, argv[1]) != 0) m++;
    if (argc < 2 || m == MODES || read_options(argc, argv) != 0 || (modes[m].needs_tunnel && (!o.at || !o.target)))
        return fputs(usage, stderr), 2;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("cannot have more descriptors: %s", strerror(errno));
    }
    if (modes[m].needs_tunnel && (listener = start_listening(o.target)) < 0) fail("cannot listen: %s", strerror(errno));
    modes[m].run();
    return 0;
}
