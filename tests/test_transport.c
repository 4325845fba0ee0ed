/* SPDX-License-Identifier: ISC */
/* Links of every kind with raw bytes at both ends, addresses good and bad, and what is said when something fails.
 * (Sessions over links: test_pump.c) */
#include "svconn_transport.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 10000 /* ms; far more than anything here takes */

static char directory[] = "/tmp/svconn-test-XXXXXX";

/* ---- vocabulary --------------------------------------------------------------------------------- */

static int wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do n = poll(&p, 1, PATIENCE);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

static int put(const svconn_link *l, const char *text) {
    size_t len = strlen(text);
    return wait_for(l->out, POLLOUT) && write(l->out, text, len) == (ssize_t)len;
}

/* Exactly so many bytes, and they are text. */
static int got(const svconn_link *l, const char *text) {
    char buffer[300] = {0};
    size_t len = strlen(text), at = 0;
    while (at < len && wait_for(l->in, POLLIN)) {
        ssize_t n = read(l->in, buffer + at, len - at);
        if (n <= 0) break;
        at += (size_t)n;
    }
    if (strcmp(buffer, text) != 0) printf("  got \"%s\", want \"%s\"\n", buffer, text);
    return strcmp(buffer, text) == 0;
}

static int at_end(const svconn_link *l) {
    char c;
    return wait_for(l->in, POLLIN) && read(l->in, &c, 1) == 0;
}

static int is_prepared(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) && (fcntl(fd, F_GETFD) & FD_CLOEXEC); }

static int says(const svconn_why *why, const char *part) {
    if (strstr(why->text, part)) return 1;
    printf("  said \"%s\", want \"%s\"\n", why->text, part);
    return 0;
}

/* Bytes both ways between the ends, which are then closed, a first. */
static void both_ways(svconn_link *a, svconn_link *b) {
    CHECK(is_prepared(a->in) && is_prepared(a->out) && is_prepared(b->in) && is_prepared(b->out));
    CHECK(put(a, "from a to b") && got(b, "from a to b"));
    CHECK(put(b, "from b to a") && got(a, "from b to a"));
    CHECK(put(a, "last"));
    svconn_link_close(a);
    CHECK(got(b, "last") && at_end(b));
    svconn_link_close(b);
    CHECK(a->in == -1 && b->out == -1);
    svconn_link_close(b);
}

static void listen_open_accept(const char *address, svconn_listener *n, svconn_link *a, svconn_link *b) {
    svconn_why why = {.text = ""};
    CHECK(svconn_listen(n, address, &why) == 0);
    CHECK(svconn_link_open(a, n->address, PATIENCE, &why) == 0);
    CHECK(svconn_listener_accept(n, b, PATIENCE, &why) == 0);
    if (why.text[0]) printf("  %s\n", why.text);
}

/* ---- addresses ---------------------------------------------------------------------------------- */

static void bad_addresses(void) {
    static const struct {
        const char *address, *part;
    } bad[] = {
        {"", "unknown kind; it begins with"},
        {"127.0.0.1:80", "address \"127.0.0.1:80\": unknown kind"},
        {"tcp:127.0.0.1:80", "unknown kind"},
        {"TCP://127.0.0.1:80", "unknown kind"},
        {"tcp://", "no port"},
        {"tcp://host", "no port; it looks like tcp://HOST:PORT"},
        {"tcp://host/x:1", "no port"},
        {"tcp://host:", "the port is a number from 0 to 65535"},
        {"tcp://host:65536", "the port is a number"},
        {"tcp://host:99999999999999999999", "the port is a number"},
        {"tcp://host:-1", "the port is a number"},
        {"tcp://host: 1", "the port is a number"},
        {"tcp://host:http", "the port is a number"},
        {"tcp://host:80x", "nothing may follow the port"},
        {"tcp://host:80/", "nothing may follow the port"},
        {"tcp://::1:80", "an IPv6 address goes in brackets"},
        {"tcp://2001:db8::1:80", "an IPv6 address goes in brackets"},
        {"tcp://[::1:80", "an IPv6 address looks like [::1]"},
        {"tcp://[]:80", "an IPv6 address looks like [::1]"},
        {"tcp://[::1]", "no port"},
        {"tcp://[::1]80", "no port"},
        {"unix:", "no path; it looks like unix:PATH"},
        {"fd:", "it looks like fd:N or fd:IN,OUT"},
        {"fd:x", "it looks like fd:N"},
        {"fd:-1", "it looks like fd:N"},
        {"fd:1,", "it looks like fd:N"},
        {"fd:,1", "it looks like fd:N"},
        {"fd:1,2,3", "it looks like fd:N"},
        {"fd:1 ", "it looks like fd:N"},
        {"fd:4294967296", "it looks like fd:N"},
        {"stdio:x", "nothing may follow stdio:"},
        {"exec:", "no command; it looks like exec:COMMAND"},
        {"relay://host:1/a b", "behind the relay stands a token"},
        {"relay://host:1/0123-456", "behind the relay stands a token"},
        {"relay://host:1/0123-45678", "behind the relay stands a token"},
        {"relay://host:1/0123-456U", "behind the relay stands a token"},
        {"relay://host:1/0123/4567", "behind the relay stands a token"},
        {"relay://host:1/01234567890123456789012345678901234567890123456789012345678901234", "behind the relay stands"},
        {"relay://host:0/", "port 0 is no port of a relay"},
        {"relay://:1/", "the relay's host is missing"},
        {"relay://host:x/", "the port is a number"},
        {"relay://host:1x", "it looks like relay://HOST:PORT/TOKEN"},
        {"relay://0123@host/", "before the @ stands the relay's public key"},
        {"relay://g123456789012345678901234567890123456789012345678901234567890123@host/", "before the @ stands"},
        {"relay+tcp://host:1/t", "unknown kind"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        svconn_why why = {.text = ""};
        svconn_link l;
        svconn_listener n;
        CHECK(svconn_link_open(&l, bad[i].address, 0, &why) == -1 && says(&why, bad[i].part));
        CHECK(l.in == -1 && l.out == -1);
        CHECK(svconn_listen(&n, bad[i].address, &why) == -1 && says(&why, bad[i].part));
        CHECK(n.fd == -1);
        CHECK(svconn_link_open(&l, bad[i].address, 0, NULL) == -1);
    }
}

static void long_addresses(void) {
    char address[700];
    svconn_why why;
    svconn_link l;
    svconn_listener n;
    CHECK(svconn_link_open(&l, NULL, 0, &why) == -1 && says(&why, "no address"));
    snprintf(address, sizeof address, "tcp://%0300d:1", 0);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "the host name is too long"));
    snprintf(address, sizeof address, "unix:/%0110d", 0);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "the path of a UNIX socket has at most 10"));
    snprintf(address, sizeof address, "exec:: %0600d", 0);
    CHECK(svconn_listen(&n, address, &why) == -1 && says(&why, "too long to listen on"));
    CHECK(svconn_link_open(&l, address, 0, &why) == 0);
    svconn_link_close(&l);
    svconn_listener_close(&n);
}

static void open_errors(void) {
    svconn_why why;
    svconn_link l;
    svconn_listener n;
    char address[200];
    CHECK(svconn_link_open(&l, "tcp://127.0.0.1:0", 100, &why) == -1 && says(&why, "a host and a port other than 0"));
    CHECK(svconn_link_open(&l, "tcp://:1", 100, &why) == -1 && says(&why, "a host and a port other than 0"));
    CHECK(svconn_link_open(&l, "tcp://host.invalid:1", PATIENCE, &why) == -1 &&
          says(&why, "cannot find the host \"host.invalid\""));
    snprintf(address, sizeof address, "unix:%s/none", directory);
    CHECK(svconn_link_open(&l, address, 100, &why) == -1 && says(&why, "no such socket; is the server running?"));
    CHECK(svconn_listen(&n, "unix:/nonexistent/x", &why) == -1 && says(&why, "cannot listen on unix:/nonexistent/x"));
    CHECK(svconn_listener_accept(&n, &l, 0, &why) == -1);
    svconn_listener_close(&n);
    CHECK(svconn_listener_accept(&n, &l, 0, &why) == -1 &&
          says(&why, "its only link was given out already, or it is closed"));
}

/* ---- TCP ---------------------------------------------------------------------------------------- */

static void tcp_v4(void) {
    svconn_listener n;
    svconn_link a, b;
    char peer[100], want[100];
    int on = 0;
    socklen_t len = sizeof on;
    listen_open_accept("tcp://127.0.0.1:0", &n, &a, &b);
    CHECK(strncmp(n.address, "tcp://127.0.0.1:", 16) == 0 && strcmp(n.address + 16, "0") != 0);
    CHECK(is_prepared(n.fd));
    svconn_link_peer(&a, peer, sizeof peer);
    CHECK(strcmp(peer, n.address + 6) == 0);
    svconn_link_peer(&b, peer, sizeof peer);
    CHECK(strncmp(peer, "127.0.0.1:", 10) == 0);
    CHECK(getsockopt(a.in, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && on);
    CHECK(getsockopt(b.in, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && on);
    CHECK(a.in == a.out && a.child == 0);
    svconn_listener again;
    svconn_why why;
    CHECK(svconn_listen(&again, n.address, &why) == -1 && says(&why, "somebody listens there already"));
    both_ways(&a, &b);
    svconn_link_peer(&a, peer, sizeof peer);
    CHECK(strcmp(peer, "nobody") == 0);
    snprintf(want, sizeof want, "%.99s", n.address);
    svconn_listener_close(&n);
    CHECK(svconn_link_open(&a, want, PATIENCE, &why) == -1 && says(&why, "nobody listens there") && says(&why, want));
    CHECK(svconn_listen(&n, want, &why) == 0); /* at once, although connections of before linger */
    svconn_listener_close(&n);
}

static int has_v6(void) {
    svconn_listener n;
    int have = svconn_listen(&n, "tcp://[::1]:0", NULL) == 0;
    svconn_listener_close(&n);
    if (!have) test_skip = "this machine has no IPv6";
    return have;
}

static void tcp_v6(void) {
    svconn_listener n;
    svconn_link a, b;
    char peer[100];
    if (!has_v6()) return;
    listen_open_accept("tcp://[::1]:0", &n, &a, &b);
    CHECK(strncmp(n.address, "tcp://[::1]:", 12) == 0 && strcmp(n.address + 12, "0") != 0);
    svconn_link_peer(&b, peer, sizeof peer);
    CHECK(strncmp(peer, "[::1]:", 6) == 0);
    both_ways(&a, &b);
    svconn_listener_close(&n);
}

/* Every address of the machine, both families on one descriptor where there is IPv6. */
static void tcp_without_host(void) {
    svconn_listener n;
    svconn_link a, b;
    char address[100], peer[100];
    CHECK(svconn_listen(&n, "tcp://:0", NULL) == 0);
    snprintf(address, sizeof address, "tcp://127.0.0.1%s", strrchr(n.address, ':'));
    CHECK(svconn_link_open(&a, address, PATIENCE, NULL) == 0);
    CHECK(svconn_listener_accept(&n, &b, PATIENCE, NULL) == 0);
    svconn_link_peer(&b, peer, sizeof peer);
    CHECK(strncmp(peer, "127.0.0.1:", 10) == 0); /* and not [::ffff:127.0.0.1] */
    both_ways(&a, &b);
    svconn_listener_close(&n);
}

/* localhost is ::1 first on most machines; the server is on 127.0.0.1 only */
static void tcp_tries_every_address(void) {
    svconn_listener n;
    svconn_link a, b;
    svconn_why why = {.text = ""};
    char address[100];
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    snprintf(address, sizeof address, "tcp://localhost%s", strrchr(n.address, ':'));
    CHECK(svconn_link_open(&a, address, PATIENCE, &why) == 0);
    CHECK(svconn_listener_accept(&n, &b, PATIENCE, NULL) == 0);
    both_ways(&a, &b);
    svconn_listener_close(&n);
}

/* A listener that nobody serves: once its queue is full connects hang (Linux) or are refused (others). */
static void deadline_of_connect(int tcp) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr *to = tcp ? (struct sockaddr *)(void *)&in : (struct sockaddr *)(void *)&un;
    socklen_t len = tcp ? sizeof in : sizeof un;
    svconn_link l[8];
    svconn_why why = {.text = ""};
    char address[200];
    snprintf(un.sun_path, sizeof un.sun_path, "%s/full", directory);
    int fd = socket(to->sa_family, SOCK_STREAM, 0), failed = 0;
    CHECK(bind(fd, to, len) == 0 && listen(fd, 0) == 0 && getsockname(fd, to, &len) == 0);
    if (tcp) snprintf(address, sizeof address, "tcp://127.0.0.1:%d", ntohs(in.sin_port));
    else snprintf(address, sizeof address, "unix:%s", un.sun_path);
    uint64_t begin = svconn_now();
    for (int i = 0; i < 8; i++) failed += svconn_link_open(&l[i], address, failed ? 0 : 300, &why) != 0;
    CHECK(failed > 0 && svconn_now() - begin >= 290 && svconn_now() - begin < PATIENCE);
    CHECK(says(&why, "no answer") || says(&why, "nobody listens"));
    for (int i = 0; i < 8; i++) svconn_link_close(&l[i]);
    close(fd);
    unlink(un.sun_path);
}
static void tcp_deadline(void) { deadline_of_connect(1); }
static void unix_deadline(void) { deadline_of_connect(0); }

static void accept_waits_as_told(void) {
    svconn_listener n;
    svconn_link l;
    svconn_why why;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    CHECK(svconn_listener_accept(&n, &l, 0, &why) == -1 && says(&why, "nobody connected to tcp://127.0.0.1:"));
    uint64_t begin = svconn_now();
    CHECK(svconn_listener_accept(&n, &l, 200, &why) == -1 && l.in == -1);
    CHECK(svconn_now() - begin >= 190 && svconn_now() - begin < PATIENCE);
    svconn_listener_close(&n);
}

/* A peer that was reset before we accepted it does not disturb the next one. */
static void peer_that_vanishes(void) {
    struct linger at_once = {1, 0};
    svconn_listener n;
    svconn_link a, b;
    char peer[100];
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    CHECK(svconn_link_open(&a, n.address, PATIENCE, NULL) == 0);
    CHECK(setsockopt(a.in, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    svconn_link_close(&a);
    CHECK(svconn_link_open(&a, n.address, PATIENCE, NULL) == 0);
    CHECK(put(&a, "here"));
    CHECK(svconn_listener_accept(&n, &b, PATIENCE, NULL) == 0);
    svconn_link_peer(&b, peer, sizeof peer);
    if (strcmp(peer, "a peer that is gone") == 0) { /* Linux gives it out all the same */
        svconn_link_close(&b);
        CHECK(svconn_listener_accept(&n, &b, PATIENCE, NULL) == 0);
    }
    CHECK(got(&b, "here"));
    both_ways(&a, &b);
    svconn_listener_close(&n);
}

static void out_of_descriptors(void) {
    svconn_listener n;
    svconn_link a, b;
    svconn_why why = {.text = ""};
    struct rlimit old, low;
    int plug[256], plugs = 0;
    if (under_valgrind()) {
        test_skip = "valgrind accepts the connection first and looks at the limit then";
        return;
    }
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0 && svconn_link_open(&a, n.address, PATIENCE, NULL) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    low = old;
    low.rlim_cur = 100;
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    while (plugs < 256 && (plug[plugs] = dup(0)) >= 0) plugs++;
    CHECK(svconn_listener_accept(&n, &b, PATIENCE, &why) == -1 &&
          says(&why, "too many connections at once? see ulimit -n"));
    while (plugs > 0) close(plug[--plugs]);
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
    CHECK(svconn_listener_accept(&n, &b, PATIENCE, &why) == 0); /* it still waits */
    both_ways(&a, &b);
    svconn_listener_close(&n);
}

/* ---- UNIX sockets ------------------------------------------------------------------------------- */

static int exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static void unix_socket(void) {
    svconn_listener n, second;
    svconn_link a, b;
    svconn_why why;
    char address[200], peer[100];
    snprintf(address, sizeof address, "unix:%s/socket", directory);
    listen_open_accept(address, &n, &a, &b);
    CHECK(strcmp(n.address, address) == 0 && exists(address + 5));
    svconn_link_peer(&a, peer, sizeof peer);
    CHECK(strcmp(peer, "a local process") == 0);
    CHECK(svconn_listen(&second, address, &why) == -1 && says(&why, "somebody listens there already"));
    svconn_listener_close(&second);
    both_ways(&a, &b);
    pid_t pid = fork();
    if (pid == 0) {
        svconn_listener_close(&n);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid && exists(address + 5)); /* a child's close leaves the parent's file */
    svconn_listener_close(&n);
    CHECK(!exists(address + 5));
}

static void unix_leftovers(void) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    svconn_listener n;
    svconn_link l;
    svconn_why why;
    char address[200];
    snprintf(address, sizeof address, "unix:%s/left", directory);
    snprintf(at.sun_path, sizeof at.sun_path, "%.100s", address + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)(void *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
    close(fd);
    CHECK(svconn_link_open(&l, address, 100, &why) == -1 && says(&why, "nobody listens there"));
    CHECK(svconn_listen(&n, address, &why) == 0); /* takes the place of a dead one */
    svconn_listener_close(&n);
    fd = open(address + 5, O_CREAT | O_WRONLY, 0600);
    close(fd);
    CHECK(svconn_listen(&n, address, &why) == -1); /* but not of a file */
    CHECK(exists(address + 5) && unlink(address + 5) == 0);
}

/* ---- given descriptors -------------------------------------------------------------------------- */

static void fd_pipes(void) {
    int ab[2], ba[2];
    svconn_link a, b;
    char address[50], peer[100];
    CHECK(pipe(ab) == 0 && pipe(ba) == 0);
    snprintf(address, sizeof address, "fd:%d,%d", ba[0], ab[1]);
    CHECK(svconn_link_open(&a, address, 0, NULL) == 0);
    svconn_link_peer(&a, peer, sizeof peer);
    CHECK(strncmp(peer, "descriptors ", 12) == 0);
    snprintf(address, sizeof address, "fd:%d,%d", ab[0], ba[1]);
    CHECK(svconn_link_open(&b, address, 0, NULL) == 0);
    both_ways(&a, &b);
    CHECK(fcntl(ab[0], F_GETFD) < 0 && fcntl(ba[1], F_GETFD) < 0);
}

static void fd_flags_are_given_back(void) {
    int pair[2];
    svconn_link a, b;
    char address[50];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    int watch = dup(pair[0]), other = dup(pair[0]);
    snprintf(address, sizeof address, "fd:%d,%d", pair[0], other); /* two numbers, one open file */
    CHECK(svconn_link_open(&a, address, 0, NULL) == 0);
    snprintf(address, sizeof address, "fd:%d", pair[1]);
    CHECK(svconn_link_open(&b, address, 0, NULL) == 0 && b.in == b.out);
    CHECK(fcntl(watch, F_GETFL) & O_NONBLOCK);
    CHECK(put(&a, "x") && got(&b, "x") && put(&b, "y") && got(&a, "y"));
    svconn_link_close(&a);
    svconn_link_close(&b);
    CHECK(!(fcntl(watch, F_GETFL) & O_NONBLOCK));
    close(watch);
}

static void fd_unfit(void) {
    int p[2], d[2];
    svconn_link l;
    svconn_why why;
    char address[50];
    CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, d) == 0);
    snprintf(address, sizeof address, "fd:%d", p[0]);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "is open for reading only; two one-way"));
    snprintf(address, sizeof address, "fd:%d", p[1]);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "is open for writing only"));
    snprintf(address, sizeof address, "fd:%d,%d", p[1], p[0]);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "is open for writing only"));
    snprintf(address, sizeof address, "fd:%d", d[0]);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "is a socket, but not a stream"));
    CHECK(!(fcntl(p[0], F_GETFL) & O_NONBLOCK) && !(fcntl(d[0], F_GETFL) & O_NONBLOCK));
    close(p[0]);
    snprintf(address, sizeof address, "fd:%d", p[0]);
    CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "is not open"));
    close(p[1]);
    close(d[0]);
    close(d[1]);
}

static void only_one_link(void) {
    int pair[2];
    svconn_listener n;
    svconn_link a, b;
    svconn_why why;
    char address[50];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    snprintf(address, sizeof address, "fd:%d", pair[0]);
    CHECK(svconn_listen(&n, address, NULL) == 0 && n.fd == -1 && strcmp(n.address, address) == 0);
    CHECK(svconn_listener_accept(&n, &a, 0, NULL) == 0 && a.in == pair[0]);
    CHECK(svconn_listener_accept(&n, &b, 0, &why) == -1 && says(&why, "its only link was given out already"));
    svconn_link_close(&a);
    close(pair[1]);
    svconn_listener_close(&n);
}

/* In the child: standard input and output are the link; afterwards they are open and harmless. */
static int stdio_child(void) {
    struct stat st0, st1;
    svconn_link l;
    char peer[100];
    if (svconn_link_open(&l, "stdio:", 0, NULL) != 0) return 1;
    svconn_link_peer(&l, peer, sizeof peer);
    if (strcmp(peer, "a local process") != 0) return 2;
    if (!got(&l, "question") || !put(&l, "answer")) return 3;
    svconn_link_close(&l);
    if (fstat(0, &st0) != 0 || fstat(1, &st1) != 0 || !S_ISCHR(st0.st_mode) || !S_ISCHR(st1.st_mode)) return 4;
    return printf("this goes nowhere\n") < 0 || fflush(stdout) != 0;
}

static void stdio(void) {
    int pair[2], status;
    svconn_link l;
    char address[50];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        if (dup2(pair[1], 0) < 0 || dup2(pair[1], 1) < 0) _exit(9);
        close(pair[1]);
        _exit(stdio_child());
    }
    snprintf(address, sizeof address, "fd:%d", pair[0]);
    CHECK(svconn_link_open(&l, address, 0, NULL) == 0);
    CHECK(put(&l, "question") && got(&l, "answer"));
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(!(fcntl(pair[1], F_GETFL) & O_NONBLOCK)); /* the child gave the shared flags back */
    close(pair[1]);
    CHECK(at_end(&l));
    svconn_link_close(&l);
}

/* ---- child processes ---------------------------------------------------------------------------- */

static void exec_cat(void) {
    svconn_link l;
    svconn_listener n;
    char peer[100];
    CHECK(svconn_link_open(&l, "exec:cat", 0, NULL) == 0 && l.child > 0);
    CHECK(is_prepared(l.in) && is_prepared(l.out));
    svconn_link_peer(&l, peer, sizeof peer);
    CHECK(strcmp(peer, "a child process") == 0);
    CHECK(put(&l, "there and back") && got(&l, "there and back"));
    pid_t pid = (pid_t)l.child;
    uint64_t begin = svconn_now();
    svconn_link_close(&l);
    CHECK(svconn_now() - begin < PATIENCE && l.child == 0);
    CHECK(waitpid(pid, NULL, WNOHANG) < 0 && errno == ECHILD); /* it was waited for */
    CHECK(svconn_listen(&n, "exec:tr a-z A-Z | cat", NULL) == 0);
    CHECK(svconn_listener_accept(&n, &l, 0, NULL) == 0);
    CHECK(put(&l, "quiet"));
    shutdown(l.out, SHUT_WR);
    CHECK(got(&l, "QUIET") && at_end(&l));
    svconn_link_close(&l);
    svconn_listener_close(&n);
}

static void exec_ends(void) {
    svconn_link l;
    CHECK(svconn_link_open(&l, "exec:echo bye", 0, NULL) == 0);
    CHECK(got(&l, "bye\n") && at_end(&l));
    svconn_link_close(&l);
    CHECK(svconn_link_open(&l, "exec:nonexistent-command 2>/dev/null", 0, NULL) == 0);
    CHECK(at_end(&l));
    svconn_link_close(&l);
}

static void exec_that_does_not_end(void) {
    svconn_link l;
    uint64_t begin = svconn_now();
    CHECK(svconn_link_open(&l, "exec:trap '' TERM; echo up; while :; do sleep 0.2; done", 0, NULL) == 0);
    CHECK(got(&l, "up\n"));
    pid_t pid = (pid_t)l.child;
    svconn_link_close(&l);
    CHECK(svconn_now() - begin < 2 * PATIENCE);
    CHECK(waitpid(pid, NULL, WNOHANG) < 0 && errno == ECHILD);
}

/* Blocked and ignored here; both must end the child. */
static void exec_signals(void) {
    sigset_t term, old;
    svconn_link l;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &old);
    CHECK(svconn_link_open(&l, "exec:kill -TERM $$; echo alive", 0, NULL) == 0);
    CHECK(at_end(&l));
    svconn_link_close(&l);
    sigprocmask(SIG_SETMASK, &old, NULL);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    CHECK(svconn_link_open(&l, "exec:kill -PIPE $$; echo alive", 0, NULL) == 0);
    CHECK(at_end(&l));
    svconn_link_close(&l);
    signal(SIGPIPE, before);
}

static void exec_without_standard_descriptors(void) {
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        svconn_link l;
        close(0);
        close(1);
        int ok = svconn_link_open(&l, "exec:cat", 0, NULL) == 0 && l.in > 2 && put(&l, "x") && got(&l, "x");
        svconn_link_close(&l);
        _exit(!ok);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* ---- signals ------------------------------------------------------------------------------------ */

static void on_alarm(int number) { (void)number; }

/* Waiting goes on after a signal, and to the same deadline. */
static void interrupted(void) {
    struct sigaction action = {.sa_handler = on_alarm}, old;
    svconn_listener n;
    svconn_link l;
    sigaction(SIGUSR1, &action, &old);
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 40 && kill(parent, SIGUSR1) == 0; i++) (void)poll(NULL, 0, 10);
        _exit(0);
    }
    uint64_t begin = svconn_now();
    CHECK(svconn_listener_accept(&n, &l, 300, NULL) == -1);
    CHECK(svconn_now() - begin >= 290 && svconn_now() - begin < PATIENCE);
    pid_t ended;
    do ended = waitpid(pid, NULL, 0);
    while (ended < 0 && errno == EINTR);
    CHECK(ended == pid);
    sigaction(SIGUSR1, &old, NULL);
    svconn_listener_close(&n);
}

static void clock_runs(void) {
    uint64_t a = svconn_now();
    (void)poll(NULL, 0, 30);
    uint64_t b = svconn_now();
    CHECK(b >= a + 29 && b < a + PATIENCE);
}

/* What every test above has opened is closed. */
static void nothing_leaks(void) {
    int free_now = dup(0);
    close(free_now);
    CHECK(free_now <= 4);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

int main(void) {
    for (int fd = 3; fd < 100; fd++) close(fd); /* a launcher's */
    alarm(120);
    if (!mkdtemp(directory)) return EXIT_FAILURE;
    TEST("clock_runs", clock_runs);
    TEST("address_bad_ones_are_explained", bad_addresses);
    TEST("address_long_ones", long_addresses);
    TEST("open_errors_are_explained", open_errors);
    TEST("tcp_v4_both_ways", tcp_v4);
    TEST("tcp_v6_both_ways", tcp_v6);
    TEST("tcp_listener_without_host", tcp_without_host);
    TEST("tcp_tries_every_address", tcp_tries_every_address);
    TEST("tcp_connect_has_a_deadline", tcp_deadline);
    TEST("tcp_accept_waits_as_told", accept_waits_as_told);
    TEST("tcp_peer_that_vanishes_before_accept", peer_that_vanishes);
    TEST("tcp_accept_out_of_descriptors", out_of_descriptors);
    TEST("unix_both_ways", unix_socket);
    TEST("unix_leftover_socket_files", unix_leftovers);
    TEST("unix_connect_has_a_deadline", unix_deadline);
    TEST("fd_pair_of_pipes", fd_pipes);
    TEST("fd_flags_are_given_back", fd_flags_are_given_back);
    TEST("fd_unfit_descriptors_are_explained", fd_unfit);
    TEST("fd_listener_has_one_link", only_one_link);
    TEST("stdio_both_ways", stdio);
    TEST("exec_cat", exec_cat);
    TEST("exec_child_that_ends", exec_ends);
    TEST("exec_child_that_does_not_end_is_killed", exec_that_does_not_end);
    TEST("exec_child_has_clean_signals", exec_signals);
    TEST("exec_without_standard_descriptors", exec_without_standard_descriptors);
    TEST("signals_do_not_end_waits", interrupted);
    TEST("descriptors_and_children_do_not_leak", nothing_leaks);
    rmdir(directory);
    return TEST_EXIT();
}
