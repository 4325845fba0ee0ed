/* SPDX-License-Identifier: ISC */
/*
 * Two ends of a TCP connection that do what few programs do, for tests/tunnel_apps.sh: what is between them has to pass it on.
 *
 *   ends serve                     listens on a port of 127.0.0.1 that the system chooses; says "listening on PORT"
 *   ends call PORT WHAT [BYTES [FILE]]   to it, by way of a tunnel. WHAT, which is the first byte that is sent:
 *
 *   e  echo         BYTES there and back at the same time, compared
 *   c  caller ends  the caller sends BYTES and shuts down its writing side; the server reads to the end and answers with a checksum
 *   s  server ends  the server sends BYTES and shuts down its writing side; the caller reads to the end, sends as much, and gets none back
 *   r  reset        by the server; the caller says whether it saw "reset" or "end"
 *   R  reset        by the caller; the server says whether it saw "reset" or "end"
 *   i  idle         until it is over; the caller says whether it saw "reset" or "end"
 *   l  late         the server reads nothing before FILE is there. The caller sends until it may send no more, says "blocked after N",
 *                   waits for FILE too, sends what is left of BYTES, and goes on as in c. If it is never blocked: "not blocked"
 *   L  late         the same the other way: the server sends BYTES, the caller reads nothing before FILE is there
 *
 * A caller that saw what it should says "fine", or what is named above, and its exit code is 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536, FILE_MAX = 256, BLOCKED_MS = 1500, STILL_MS = 60000, HEAD = 1 + 8 + FILE_MAX };

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "ends: %s: %s\n", what, errno ? strerror(errno) : "the end came early");
    exit(1);
}

static void say(const char *format, unsigned long long number) {
    printf(format, number);
    fflush(stdout);
}

/* What both ends expect: bytes that go on and on, and no two places of which look alike. */
typedef struct {
    uint64_t state, sum, count;
} stream;
static stream stream_new(uint64_t seed) { return (stream){seed, 14695981039346656037u, 0}; }
static uint8_t stream_next(stream *s) {
    s->state = s->state * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(s->state >> 56);
}
static void stream_write(stream *s, uint8_t *to, size_t len) {
    for (size_t i = 0; i < len; i++) to[i] = stream_next(s);
    s->count += len;
}
static void stream_check(stream *s, const uint8_t *from, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (from[i] != stream_next(s)) {
            fprintf(stderr, "ends: byte %llu is not what was sent\n", (unsigned long long)(s->count + i));
            exit(1);
        }
    s->count += len;
}
static void stream_add(stream *s, const uint8_t *from, size_t len) {
    for (size_t i = 0; i < len; i++) s->sum = (s->sum ^ from[i]) * 1099511628211u;
    s->count += len;
}

static void wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do n = poll(&p, 1, STILL_MS);
    while (n < 0 && errno == EINTR);
    errno = n == 0 ? ETIMEDOUT : errno;
    if (n <= 0) fail("waiting");
}

static void send_all(int fd, const uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) fail("sending");
        if (n > 0) bytes += n, len -= (size_t)n;
        else wait_for(fd, POLLOUT);
    }
}

/* 0: the end; -1: reset */
static ssize_t receive(int fd, uint8_t *bytes, size_t len) {
    for (;;) {
        ssize_t n = recv(fd, bytes, len, 0);
        if (n >= 0) return n;
        if (errno == ECONNRESET) return -1;
        if (errno != EAGAIN && errno != EINTR) fail("receiving");
        wait_for(fd, POLLIN);
    }
}

static void receive_all(int fd, uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = receive(fd, bytes, len);
        errno = n < 0 ? errno : 0;
        if (n <= 0) fail("receiving");
        bytes += n, len -= (size_t)n;
    }
}

/* Until the end: the pattern of seed, count bytes of it */
static void receive_stream(int fd, uint64_t seed, uint64_t count) {
    uint8_t piece[PIECE];
    stream s = stream_new(seed);
    for (ssize_t n; (n = receive(fd, piece, sizeof piece)) != 0;) {
        if (n < 0) fail("receiving");
        stream_check(&s, piece, (size_t)n);
    }
    errno = 0;
    if (s.count != count) fail("receiving");
}

static void send_stream(int fd, stream *s, uint64_t until) {
    uint8_t piece[PIECE];
    while (s->count < until) {
        size_t len = until - s->count < PIECE ? (size_t)(until - s->count) : PIECE;
        stream_write(s, piece, len);
        send_all(fd, piece, len);
    }
}

static void put_answer(int fd) { /* reads to the end, answers with what came */
    uint8_t piece[PIECE];
    char line[64];
    stream s = stream_new(0);
    for (ssize_t n; (n = receive(fd, piece, sizeof piece)) != 0;) {
        if (n < 0) fail("receiving");
        stream_add(&s, piece, (size_t)n);
    }
    int n = snprintf(line, sizeof line, "%llu %016llx\n", (unsigned long long)s.count, (unsigned long long)s.sum);
    send_all(fd, (uint8_t *)line, (size_t)n);
}

static void check_answer(int fd, uint64_t seed, uint64_t count) {
    uint8_t piece[PIECE];
    char line[64], came[64] = "";
    stream s = stream_new(seed), sum = stream_new(0);
    while (s.count < count) {
        size_t len = count - s.count < PIECE ? (size_t)(count - s.count) : PIECE;
        stream_write(&s, piece, len);
        stream_add(&sum, piece, len);
    }
    snprintf(line, sizeof line, "%llu %016llx\n", (unsigned long long)count, (unsigned long long)sum.sum);
    receive_all(fd, (uint8_t *)came, strlen(line));
    if (strcmp(came, line) != 0) {
        fprintf(stderr, "ends: the server has %s, not %s", came, line);
        exit(1);
    }
    if (receive(fd, piece, 1) != 0) fail("more than an answer");
}

static void wait_for_file(const char *file) {
    struct timespec t = {.tv_nsec = 50000000};
    for (int i = 0; i < STILL_MS / 50 && access(file, F_OK) != 0; i++) nanosleep(&t, NULL);
}

static void reset(int fd) {
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

/* ---- the server ---- */
static void echo(int fd) {
    uint8_t piece[PIECE];
    for (ssize_t n; (n = receive(fd, piece, sizeof piece)) != 0;) {
        if (n < 0) fail("receiving");
        send_all(fd, piece, (size_t)n);
    }
}

static void serve_one(int fd) {
    uint8_t head[HEAD], byte;
    uint64_t count = 0;
    stream s = stream_new(2);
    ssize_t n;
    receive_all(fd, head, HEAD);
    for (int i = 1; i <= 8; i++) count = count << 8 | head[i];
    const char *file = (const char *)head + 9;
    switch (head[0]) {
    case 'e': echo(fd); break;
    case 'c': put_answer(fd); break;
    case 's':
        send_stream(fd, &s, count);
        shutdown(fd, SHUT_WR);
        receive_stream(fd, 1, count);
        say("got %llu behind our end\n", count);
        break;
    case 'r':
        receive_all(fd, &byte, 1);
        reset(fd);
        return;
    case 'R':
    case 'i':
        while ((n = receive(fd, &byte, 1)) > 0) send_all(fd, &byte, 1);
        puts(n < 0 ? "reset" : "end");
        fflush(stdout);
        break;
    case 'l':
        wait_for_file(file);
        put_answer(fd);
        break;
    case 'L': send_stream(fd, &s, count); break;
    }
    close(fd);
}

static void serve(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;
    int door = socket(AF_INET, SOCK_STREAM, 0);
    if (door < 0 || bind(door, (struct sockaddr *)&a, size) || listen(door, 128) || getsockname(door, (struct sockaddr *)&a, &size))
        fail("listening");
    signal(SIGCHLD, SIG_IGN);
    say("listening on %llu\n", ntohs(a.sin_port));
    for (;;) {
        int fd = accept(door, NULL, NULL);
        if (fd < 0) continue;
        if (fork() == 0) {
            close(door);
            fcntl(fd, F_SETFL, O_NONBLOCK);
            serve_one(fd);
            exit(0);
        }
        close(fd);
    }
}

/* ---- the caller ---- */
static void call_echo(int fd, uint64_t count) {
    uint8_t out[PIECE], in[PIECE];
    size_t have = 0, gone = 0;
    stream sent = stream_new(1), came = stream_new(1);
    while (came.count < count) {
        if (gone == have && sent.count < count) {
            have = count - sent.count < PIECE ? (size_t)(count - sent.count) : PIECE, gone = 0;
            stream_write(&sent, out, have);
        }
        struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (gone < have ? POLLOUT : 0))};
        int ready = poll(&p, 1, STILL_MS);
        errno = ready == 0 ? ETIMEDOUT : errno;
        if (ready <= 0) fail("waiting");
        if (p.revents & POLLOUT) {
            ssize_t n = send(fd, out + gone, have - gone, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) fail("sending");
            if (n > 0) gone += (size_t)n;
        }
        if (p.revents & ~POLLOUT) {
            ssize_t n = recv(fd, in, sizeof in, 0);
            errno = n == 0 ? 0 : errno;
            if (n == 0 || (n < 0 && errno != EAGAIN)) fail("receiving");
            if (n > 0) stream_check(&came, in, (size_t)n);
        }
    }
    shutdown(fd, SHUT_WR);
    if (receive(fd, in, 1) != 0) fail("no end came back");
}

/* As much as goes before the other end reads */
static void fill_up(int fd, stream *s, uint64_t count) {
    uint8_t piece[PIECE];
    while (s->count < count) {
        size_t len = count - s->count < PIECE ? (size_t)(count - s->count) : PIECE;
        stream_write(s, piece, len);
        for (size_t done = 0; done < len;) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            if (poll(&p, 1, BLOCKED_MS) == 0) {
                say("blocked after %llu\n", s->count - (len - done));
                send_all(fd, piece + done, len - done);
                return;
            }
            ssize_t n = send(fd, piece + done, len - done, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) fail("sending");
            if (n > 0) done += (size_t)n;
        }
    }
    say("not blocked, all %llu bytes were taken\n", count);
    exit(1);
}

static void call(unsigned port, char what, uint64_t count, const char *file) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    uint8_t head[HEAD] = {(uint8_t)what}, byte = '!';
    stream s = stream_new(1);
    ssize_t n;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) fail("connecting");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 8; i++) head[1 + i] = (uint8_t)(count >> (56 - 8 * i));
    snprintf((char *)head + 9, FILE_MAX, "%s", file);
    send_all(fd, head, HEAD);
    switch (what) {
    case 'e': call_echo(fd, count); break;
    case 'c':
        send_stream(fd, &s, count);
        shutdown(fd, SHUT_WR);
        check_answer(fd, 1, count);
        break;
    case 's':
        receive_stream(fd, 2, count);
        send_stream(fd, &s, count);
        shutdown(fd, SHUT_WR);
        break;
    case 'R': /* it must be there first, or nobody can see how it ends */
        send_all(fd, &byte, 1);
        receive_all(fd, &byte, 1);
        reset(fd);
        break;
    case 'r':
    case 'i':
        send_all(fd, &byte, 1);
        if (what == 'i') receive_all(fd, &byte, 1), puts("open"), fflush(stdout);
        do {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            poll(&p, 1, -1);
        } while ((n = receive(fd, &byte, 1)) > 0);
        puts(n < 0 ? "reset" : "end");
        return;
    case 'l':
        fill_up(fd, &s, count);
        send_stream(fd, &s, count);
        shutdown(fd, SHUT_WR);
        check_answer(fd, 1, count);
        break;
    case 'L':
        wait_for_file(file);
        receive_stream(fd, 2, count);
        break;
    }
    puts("fine");
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "serve")) serve();
    if (argc < 4 || argc > 6 || strcmp(argv[1], "call") || !strchr("ecsrRilL", argv[3][0]))
        return fputs("usage: ends serve\n       ends call PORT e|c|s|r|R|i|l|L [BYTES [FILE]]\n", stderr), 2;
    call((unsigned)strtoul(argv[2], NULL, 10), argv[3][0], argc > 4 ? strtoull(argv[4], NULL, 10) : 0, argc > 5 ? argv[5] : "");
    return 0;
}
