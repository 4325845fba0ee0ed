/* SPDX-License-Identifier: ISC */
#include "load_common.h"
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX 8
#define PROCESSES_MAX 32768

void fail(const char *format, ...) {
    va_list a;
    va_start(a, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, a);
    fputc('\n', stderr);
    va_end(a);
    exit(1);
}

double seconds_now(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) fail("no clock");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void nap(unsigned ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0) {
    }
}

/* ---- what the kernel says about what is measured ---- */

static long measured[PIDS_MAX];
static unsigned measured_count;

int measure_process(long pid) {
    if (pid <= 0 || measured_count == PIDS_MAX) return -1;
    measured[measured_count++] = pid;
    return 0;
}

unsigned measured_processes(void) { return measured_count; }

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

double sum_of_measured(double (*f)(const process *p)) {
    static process all[PROCESSES_MAX];
    size_t n = 0;
    double sum = 0;
    if (measured_count == 0) return 0;
    DIR *proc = opendir("/proc");
    if (!proc) fail("cannot read /proc: %s", strerror(errno));
    for (struct dirent *e; n < PROCESSES_MAX && (e = readdir(proc));) n += (size_t)read_process(e->d_name, &all[n]);
    closedir(proc);
    for (unsigned k = 0; k < measured_count; k++) {
        size_t i = 0;
        while (i < n && all[i].pid != measured[k]) i++;
        if (i == n) fail("the %s, process %ld, is gone", subject.measured, measured[k]);
        all[i].counts = 1;
    }
    for (int more = 1; more;) {
        more = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n && !all[i].counts; k++)
                if (all[k].counts && all[k].pid == all[i].parent) more = all[i].counts = 1;
    }
    for (size_t i = 0; i < n; i++)
        if (all[i].counts) sum += f(&all[i]);
    return sum;
}

/* stat counts in hundredths of a second, cut off: too coarse where a hundred processes do little each, but it has the
 * children that have ended. */
static double cpu_of_process(const process *p) {
    double ns = cpu_of_threads(p->pid);
    return p->children + (ns >= 0 ? ns / 1e9 : p->seconds);
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

mark mark_now(void) { return (mark){seconds_now(), sum_of_measured(cpu_of_process), stolen_seconds()}; }

double part_stolen(mark from, mark to) {
    return (to.stolen - from.stolen) / (to.seconds - from.seconds) / (double)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- sockets ---- */

struct sockaddr_in loopback(unsigned port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

int new_socket(void) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("no socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int start_listening(unsigned port) {
    struct sockaddr_in a = loopback(port);
    int one = 1, fd = new_socket();
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* From below those that the system gives out by itself: connections that the measurement makes would take one of those. */
void print_free_ports(int count) {
    int found = 0;
    for (unsigned i = 0; i < 10000 && found < count; i++) {
        unsigned port = 20000 + ((unsigned)getpid() * 7 + i) % 10000;
        int fd = start_listening(port);
        if (fd < 0) continue;
        close(fd);
        printf("%u%s", port, ++found == count ? "\n" : " ");
    }
    if (found < count) fail("no free ports");
}

int is_for_later(void) { return errno == EAGAIN || errno == EINTR; }

int wait_for(int fd, short events, int ms) {
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    if (n < 0) fail("poll: %s", strerror(errno));
    return n > 0;
}

static void await(int fd, short events) {
    if (!wait_for(fd, events, subject.wait_ms)) fail("a %s stands still", subject.carried);
}

void send_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && !is_for_later()) fail("cannot send: %s", strerror(errno));
        if (n < 0) await(fd, POLLOUT);
        else bytes += n, len -= (size_t)n;
    }
}

size_t receive_to_end(int fd, char *bytes, size_t len) {
    size_t have = 0;
    while (have < len) {
        ssize_t n = recv(fd, bytes + have, len - have, 0);
        if (n < 0 && !is_for_later()) fail("cannot receive: %s", strerror(errno));
        if (n < 0) await(fd, POLLIN);
        else if (n == 0) break;
        else have += (size_t)n;
    }
    return have;
}

void receive_all(int fd, char *bytes, size_t len) {
    if (receive_to_end(fd, bytes, len) != len) fail("the %s ended a %s", subject.measured, subject.carried);
}

void exchange(int a, int b) {
    static const char hello[8] = "hello \r\n";
    char bytes[sizeof hello];
    send_all(a, hello, sizeof hello);
    receive_all(b, bytes, sizeof bytes);
    send_all(b, bytes, sizeof bytes);
    receive_all(a, bytes, sizeof bytes);
    if (memcmp(bytes, hello, sizeof hello) != 0) fail("the %s changed what it passed on", subject.measured);
}

void fill(char *bytes, size_t len, uint64_t seed) {
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(seed >> 56);
    }
}

static int move(lane *l, size_t bytes) {
    static char came[PIECE];
    int moved = 0;
    if (l->sent < bytes) {
        size_t len = bytes - l->sent, most = 1 + l->sent % 70001; /* pieces of many sizes */
        ssize_t n = send(l->from, l->bytes + l->sent, len < most ? len : most, MSG_NOSIGNAL);
        if (n < 0 && !is_for_later()) fail("cannot send: %s", strerror(errno));
        if (n > 0) l->sent += (size_t)n, moved = 1;
    }
    ssize_t n = l->received < bytes ? recv(l->to, came, sizeof came, 0) : -1;
    if (n == 0) fail("the end came after %zu bytes of %zu", l->received, bytes);
    if (n < 0 && l->received < bytes && !is_for_later()) fail("cannot receive: %s", strerror(errno));
    if (n > 0) {
        if ((size_t)n > bytes - l->received) fail("more bytes came than were sent");
        if (memcmp(came, l->bytes + l->received, (size_t)n) != 0)
            fail("what came is not what was sent, at or behind byte %zu", l->received);
        l->received += (size_t)n, moved = 1;
    }
    return moved;
}

void compare_both_ways(lane l[2], size_t bytes) {
    for (unsigned i = 0; i < 2; i++) {
        if (!(l[i].bytes = malloc(bytes))) fail("no memory");
        fill(l[i].bytes, bytes, i);
    }
    double moved_at = seconds_now();
    while (l[0].received < bytes || l[1].received < bytes) {
        if (move(&l[0], bytes) | move(&l[1], bytes)) moved_at = seconds_now();
        else if (seconds_now() - moved_at > subject.wait_ms / 1000.0) fail("both directions stand still");
        else nap(1);
    }
    free(l[0].bytes), free(l[1].bytes);
}

/* ---- the command line ---- */

const load_mode *read_command_line(int argc, char **argv, const load_mode *modes,
                                   int (*take)(const char *name, const char *value)) {
    if (argc < 2) return NULL;
    while (modes->name && strcmp(modes->name, argv[1]) != 0) modes++;
    for (int i = 2; i < argc; i += 2)
        if (!argv[i + 1] || take(argv[i], argv[i + 1]) != 0) return NULL; /* argv ends with NULL */
    return modes->name ? modes : NULL;
}

void have_all_descriptors(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("cannot have more descriptors: %s", strerror(errno));
}
