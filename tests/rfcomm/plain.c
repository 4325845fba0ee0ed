/* SPDX-License-Identifier: ISC */
/*
 * RFCOMM without svconn: what its speed is compared with, and what its trace is searched against.
 *
 *   plain serve ADDRESS CHANNEL             echoes to one caller after another; says "listening on ..."
 *   plain call FROM ADDRESS CHANNEL FILE    sends FILE, compares what comes back
 *   plain hold FROM ADDRESS CHANNEL         is both ends of a connection, says "held", and keeps it
 */
#include "bt.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 65536, STILL_MS = 20000, TRIES = 200 };

static struct bt_rfcomm_name name_of(const char *address, int channel) {
    return (struct bt_rfcomm_name){AF_BLUETOOTH, bt_read_address(address), (uint8_t)channel};
}

static int listen_on(const char *address, const char *channel) {
    struct bt_rfcomm_name name = name_of(address, atoi(channel));
    int fd = bt_socket(BT_RFCOMM, SOCK_STREAM);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) || listen(fd, 4)) bt_fail("plain: listen");
    return fd;
}

/* The channel stays busy for some milliseconds after an earlier connection */
static int call(const char *from, const char *address, const char *channel) {
    struct bt_rfcomm_name here = name_of(from, 0), there = name_of(address, atoi(channel));
    for (int tries = 0; tries < TRIES; tries++) {
        int fd = bt_socket(BT_RFCOMM, SOCK_STREAM);
        if (bind(fd, (struct sockaddr *)&here, sizeof here)) bt_fail("plain: bind");
        if (!connect(fd, (struct sockaddr *)&there, sizeof there)) return fd;
        if (errno != EBUSY && errno != ECONNRESET) break;
        close(fd);
        usleep(20000);
    }
    bt_fail("plain: connect");
}

static void do_not_block(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }
static int may_wait(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EINTR); }

static short wait_for(int fd, short events) {
    struct pollfd p = {fd, events, 0};
    int n = poll(&p, 1, STILL_MS);
    if (n == 0) fprintf(stderr, "plain: nothing moves\n");
    return n == 1 ? p.revents : POLLERR;
}

static void echo(int fd) {
    static uint8_t buffer[PIECE];
    size_t from = 0, to = 0;
    do_not_block(fd);
    for (;;) {
        short ready = wait_for(fd, (short)((to < PIECE ? POLLIN : 0) | (from < to ? POLLOUT : 0)));
        if (to < PIECE) {
            ssize_t n = read(fd, buffer + to, PIECE - to);
            if (n > 0) to += (size_t)n;
            else if (!may_wait(n)) break;
        }
        if (from < to) {
            ssize_t n = write(fd, buffer + from, to - from);
            if (n > 0) from += (size_t)n;
            else if (!may_wait(n)) break;
        }
        if (from == to) from = to = 0;
        if (ready & (POLLERR | POLLHUP)) break;
    }
}

static uint8_t *contents(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) bt_fail(path);
    *len = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*len + 1);
    if (!bytes || fread(bytes, 1, *len, f) != *len) bt_fail(path);
    fclose(f);
    return bytes;
}

static int there_and_back(int fd, const char *path) {
    static uint8_t buffer[PIECE];
    size_t len, sent = 0, got = 0;
    uint8_t *bytes = contents(path, &len);
    do_not_block(fd);
    while (got < len) {
        short ready = wait_for(fd, (short)(POLLIN | (sent < len ? POLLOUT : 0)));
        if (sent < len) {
            ssize_t n = write(fd, bytes + sent, len - sent > PIECE ? PIECE : len - sent);
            if (n > 0) sent += (size_t)n;
            else if (!may_wait(n)) bt_fail("plain: write");
        }
        ssize_t n = read(fd, buffer, PIECE);
        if (n > 0) {
            if ((size_t)n > len - got || memcmp(buffer, bytes + got, (size_t)n)) {
                fprintf(stderr, "plain: other bytes came back\n");
                return 1;
            }
            got += (size_t)n;
        } else if (!may_wait(n)) bt_fail("plain: read");
        else if (ready & (POLLERR | POLLHUP)) bt_fail("plain: the connection is gone");
    }
    return 0;
}

static _Noreturn void say_and_stay(const char *text) {
    puts(text);
    fflush(stdout);
    for (;;) pause();
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && !strcmp(argv[1], "serve")) {
        int door = listen_on(argv[2], argv[3]);
        puts("listening on it");
        fflush(stdout);
        for (;;) {
            int fd = accept(door, NULL, NULL);
            if (fd < 0) bt_fail("plain: accept");
            echo(fd);
            close(fd);
        }
    }
    if (argc == 6 && !strcmp(argv[1], "call")) return there_and_back(call(argv[2], argv[3], argv[4]), argv[5]);
    if (argc == 5 && !strcmp(argv[1], "hold")) {
        int door = listen_on(argv[3], argv[4]);
        call(argv[2], argv[3], argv[4]);
        if (accept(door, NULL, NULL) < 0) bt_fail("plain: accept");
        say_and_stay("held");
    }
    fputs("usage: see plain.c\n", stderr);
    return 2;
}
