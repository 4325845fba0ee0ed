/* SPDX-License-Identifier: ISC */
/* What the relay does with the bytes of a pair: all of them, in order, both ways, to the end; and no more of them in
 * hand than it must have. Everything with epoll and splice, and with poll and copies. */
#include "relay_lab.h"

#define BULK 5000000

static uint8_t pattern(int side, size_t at) {
    return (uint8_t)(at * 7 + (at >> 8) * 13 + (at >> 16) * 29 + (size_t)side * 101);
}

static void fill(uint8_t *bytes, size_t len, int side, size_t at) {
    for (size_t i = 0; i < len; i++) bytes[i] = pattern(side, at + i);
}

static int is_pattern(const uint8_t *bytes, size_t len, int side, size_t at) {
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != pattern(side, at + i)) return 0;
    return 1;
}

static void set_blocking(int fd, int blocking) { (void)fcntl(fd, F_SETFL, blocking ? 0 : O_NONBLOCK); }

/* One piece out of fd; how many bytes were taken. */
static size_t pour(int fd, int side, size_t at, size_t piece) {
    uint8_t bytes[65536];
    fill(bytes, piece, side, at);
    ssize_t n = send(fd, bytes, piece, MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

/* Of what the other side pours. -1: that is something else, or the end. */
static int drink(int fd, int from, size_t *at) {
    uint8_t bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0 || !is_pattern(bytes, (size_t)n, from, *at)) return -1;
    *at += (size_t)n;
    return 0;
}

/* len bytes each way at once, in pieces of all sizes. */
static int pour_both(int a, int b, size_t len) {
    int fd[2] = {a, b}, ok = 1;
    size_t sent[2] = {0, 0}, come[2] = {0, 0};
    set_blocking(a, 0);
    set_blocking(b, 0);
    while (ok && (come[0] < len || come[1] < len)) {
        struct pollfd p[2];
        for (int i = 0; i < 2; i++)
            p[i] = (struct pollfd){.fd = fd[i], .events = (short)(POLLIN | (sent[i] < len ? POLLOUT : 0))};
        ok = poll(p, 2, PATIENCE) > 0;
        for (int i = 0; i < 2 && ok; i++) {
            size_t piece = 1 + (sent[i] * 31 + 7) % 65536;
            if (piece > len - sent[i]) piece = len - sent[i];
            if (p[i].revents & POLLOUT) sent[i] += pour(fd[i], i, sent[i], piece);
            if (p[i].revents & ~POLLOUT) ok = drink(fd[i], 1 - i, &come[i]) == 0;
        }
    }
    set_blocking(a, 1);
    set_blocking(b, 1);
    return ok && come[0] == len && come[1] == len;
}

/* All at once, until nothing was taken for a while. */
static void pour_until_full(hand *h, size_t *sent, nfds_t n) {
    struct pollfd p[10];
    for (nfds_t i = 0; i < n; i++) {
        p[i] = (struct pollfd){.fd = h[i].fd, .events = POLLOUT};
        sent[i] = 0;
        set_blocking(h[i].fd, 0);
    }
    while (poll(p, n, 300) > 0) {
        for (nfds_t i = 0; i < n; i++) {
            if (p[i].revents & POLLOUT) sent[i] += pour(h[i].fd, 0, sent[i], 65536);
            if ((p[i].revents & (POLLERR | POLLHUP)) || sent[i] > (size_t)100 << 20) p[i].fd = -1;
        }
    }
    for (nfds_t i = 0; i < n; i++) set_blocking(h[i].fd, 1);
}

/* Its resident memory in KB; 0: not known here. */
static long memory_of(const lab_relay *r) {
    char path[60], line[200];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)r->pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1) break;
    if (f) fclose(f);
    return kb;
}

static void close_pair(hand *a, hand *b) {
    hand_close(a);
    hand_close(b);
}

/* ---- tests, for a relay with these options ------------------------------------------------------ */

static void bulk(const char *options) {
    static hand a, b;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options) && hand_pair(&a, &b, &r));
    CHECK(lab_linked(a.fd, b.fd));
    CHECK(pour_both(a.fd, b.fd, BULK));
    CHECK(lab_linked(b.fd, a.fd)); /* small pieces again, behind large ones */
    CHECK(pour_both(b.fd, a.fd, 100000) && lab_linked(a.fd, b.fd));
    close_pair(&a, &b);
    relay_stop(&r);
}
static void bulk_splice(void) { bulk(""); }
static void bulk_poll(void) { bulk("--poll"); }

/* Everything that was sent before the end arrives, then the end; then as much the other way. */
static int half_close(int from, int to, size_t len) {
    static uint8_t bytes[3000000];
    int ok = 1;
    size_t at = 0;
    pid_t pid = lab_fork(); /* writes, while this one reads */
    if (pid == 0) {
        fill(bytes, len, 0, 0);
        CHECK(lab_put(from, bytes, len) && shutdown(from, SHUT_WR) == 0);
        lab_exit();
    }
    at = lab_get(to, bytes, len);
    ok = at == len && is_pattern(bytes, len, 0, 0) && lab_at_end(to);
    return lab_ended_well(pid) && ok;
}

static void half_closes(const char *options) {
    static const size_t lengths[] = {0, 1, 1000, 70000, 3000000};
    static hand a, b;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int turn = 0; turn < 2; turn++) { /* who ends first */
            CHECK(hand_pair(&a, &b, &r));
            int first = turn ? a.fd : b.fd, second = turn ? b.fd : a.fd;
            CHECK(half_close(first, second, lengths[i]));
            CHECK(half_close(second, first, lengths[i]));
            close_pair(&a, &b);
        }
    }
    relay_stop(&r);
}
static void half_closes_splice(void) { half_closes(""); }
static void half_closes_poll(void) { half_closes("--poll"); }

static void reset(hand *h) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(h->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    hand_close(h);
}

static void resets(const char *options) {
    static uint8_t bytes[100000];
    static hand a, b;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    for (int turn = 0; turn < 2; turn++) {
        CHECK(hand_pair(&a, &b, &r));
        reset(turn ? &a : &b);
        CHECK(lab_at_end(turn ? b.fd : a.fd));
        close_pair(&a, &b);
        /* in the middle of bytes that nobody reads any more */
        CHECK(hand_pair(&a, &b, &r));
        hand *goes = turn ? &a : &b, *stays = turn ? &b : &a;
        fill(bytes, sizeof bytes, 0, 0);
        CHECK(lab_put(stays->fd, bytes, sizeof bytes));
        CHECK(lab_put(goes->fd, "last", 4) && lab_get(stays->fd, bytes, 4) == 4);
        reset(goes);
        (void)lab_get(stays->fd, bytes, sizeof bytes); /* to the end, whatever kind it is */
        CHECK(lab_at_end(stays->fd));
        close_pair(&a, &b);
    }
    CHECK(hand_pair(&a, &b, &r) && lab_linked(a.fd, b.fd)); /* the relay lives on */
    close_pair(&a, &b);
    relay_stop(&r);
}
static void resets_splice(void) { resets(""); }
static void resets_poll(void) { resets("--poll"); }

enum { STUCK = 4 };

/* The sender is stopped, the relay holds no more than it said, and all arrives once somebody reads again. */
static void back_pressure(const char *options) {
    static uint8_t bytes[65536];
    static hand a[STUCK], b[STUCK];
    static size_t sent[STUCK];
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    for (int i = 0; i < STUCK; i++) {
        int small = 65536; /* or the system takes megabytes for each */
        CHECK(hand_pair(&a[i], &b[i], &r));
        (void)setsockopt(a[i].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    long before = memory_of(&r);
    pour_until_full(a, sent, STUCK);
    long after = memory_of(&r);
    for (int i = 0; i < STUCK; i++) CHECK(sent[i] > 65536 && sent[i] < (size_t)32 << 20);
    if (before > 0 && !TEST_UNDER_ASAN) CHECK(after - before < 200 * STUCK);
    for (int i = 0; i < STUCK; i++) {
        size_t at = 0;
        CHECK(shutdown(a[i].fd, SHUT_WR) == 0);
        while (at < sent[i]) {
            size_t n = lab_get(b[i].fd, bytes, sizeof bytes < sent[i] - at ? sizeof bytes : sent[i] - at);
            if (n == 0 || !is_pattern(bytes, n, 0, at)) break;
            at += n;
        }
        CHECK(at == sent[i] && lab_at_end(b[i].fd));
        close_pair(&a[i], &b[i]);
    }
    relay_stop(&r);
}
static void back_pressure_splice(void) { back_pressure(""); }
static void back_pressure_poll(void) { back_pressure("--poll"); }

/* One side has ended, and takes nothing of what the other has to say: its end must not wake the relay again and again. */
static void end_is_told_once(const char *options) {
    static hand a, b;
    size_t sent;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options) && hand_pair(&a, &b, &r));
    CHECK(shutdown(b.fd, SHUT_WR) == 0 && lab_at_end(a.fd));
    pour_until_full(&a, &sent, 1);
    long before = relay_ticks(&r);
    (void)poll(NULL, 0, 500);
    CHECK(relay_ticks(&r) - before < sysconf(_SC_CLK_TCK) / 10);
    close_pair(&a, &b);
    relay_stop(&r);
}
static void end_is_told_once_splice(void) { end_is_told_once(""); }
static void end_is_told_once_poll(void) { end_is_told_once("--poll"); }

/* Ended because one side takes nothing, although the other has more to say. */
static void blocked(const char *options) {
    static hand a, b;
    lab_relay r;
    size_t sent;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options) && hand_pair(&a, &b, &r));
    pour_until_full(&a, &sent, 1);
    CHECK(sent > 0);
    uint64_t begin = svconn_now();
    CHECK(lab_at_end(a.fd));
    CHECK(svconn_now() - begin < PATIENCE);
    close_pair(&a, &b);
    CHECK(hand_pair(&a, &b, &r) && lab_linked(a.fd, b.fd));
    close_pair(&a, &b);
    relay_stop(&r);
}
static void blocked_splice(void) { blocked("--blocked 1"); }
static void blocked_poll(void) { blocked("--blocked 1 --poll"); }

/* One byte now and then, in one direction, keeps a pair; silence ends it. */
static void idle(const char *options) {
    static hand a, b, c, d;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options) && hand_pair(&a, &b, &r) && hand_pair(&c, &d, &r));
    uint64_t begin = svconn_now(), last = begin;
    for (int i = 0; i < 8 && svconn_now() - last < 800; i++) { /* later than that: this machine is busy */
        uint8_t byte = (uint8_t)i, got = 0xff;
        (void)poll(NULL, 0, 200);
        if (svconn_now() - last >= 800) break;
        last = svconn_now();
        CHECK(lab_put(c.fd, &byte, 1) && lab_get(d.fd, &got, 1) == 1 && got == byte);
    }
    CHECK(lab_at_end(a.fd) && lab_at_end(b.fd));
    CHECK(lab_at_end(c.fd) && lab_at_end(d.fd));
    CHECK(svconn_now() - last > 800); /* c and d were the last */
    close_pair(&a, &b);
    close_pair(&c, &d);
    relay_stop(&r);
}
static void idle_splice(void) { idle("--idle 1"); }

/* What a party says behind its request, before the two are joined, is an offence; right behind JOINED it is not. */
static void first_bytes(const char *options) {
    static hand a, b;
    lab_relay r;
    uint64_t token;
    char got[6] = "";
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    CHECK(hand_open(&a, &r) && hand_listen(&a, &token) && hand_open(&b, &r) && hand_call(&b, token));
    CHECK(hand_is_joined(&b, SVCONN_CLIENT) && lab_put(b.fd, "early", 5)); /* a has not looked at its JOINED yet */
    (void)poll(NULL, 0, 50);
    CHECK(hand_is_joined(&a, SVCONN_SERVER) && lab_get(a.fd, got, 5) == 5 && strcmp(got, "early") == 0);
    close_pair(&a, &b);
    relay_stop(&r);
}
static void first_bytes_splice(void) { first_bytes(""); }
static void first_bytes_poll(void) { first_bytes("--poll"); }

int main(int argc, char **argv) {
    (void)argc;
    lab_begin(argv[0]);
    TEST("forward_all_bytes_both_ways_splice", bulk_splice);
    TEST("forward_all_bytes_both_ways_poll", bulk_poll);
    TEST("forward_each_end_and_all_before_it_splice", half_closes_splice);
    TEST("forward_each_end_and_all_before_it_poll", half_closes_poll);
    TEST("forward_a_reset_reaches_the_other_side_splice", resets_splice);
    TEST("forward_a_reset_reaches_the_other_side_poll", resets_poll);
    TEST("forward_bounded_memory_and_nothing_lost_splice", back_pressure_splice);
    TEST("forward_bounded_memory_and_nothing_lost_poll", back_pressure_poll);
    TEST("forward_an_end_does_not_keep_the_relay_busy_splice", end_is_told_once_splice);
    TEST("forward_an_end_does_not_keep_the_relay_busy_poll", end_is_told_once_poll);
    TEST("forward_a_blocked_pair_is_ended_splice", blocked_splice);
    TEST("forward_a_blocked_pair_is_ended_poll", blocked_poll);
    TEST("forward_an_idle_pair_is_ended", idle_splice);
    TEST("forward_bytes_right_behind_joined_splice", first_bytes_splice);
    TEST("forward_bytes_right_behind_joined_poll", first_bytes_poll);
    return TEST_EXIT();
}
