/* SPDX-License-Identifier: ISC */
/*
 * A board on a serial line: waits for calls (spec/serial.md), one after another, and echoes every message of up to 512
 * bytes to a caller that has the same key. One loop, no system, no allocation: a board brings the six functions below
 * (docs/randomness.md has board_random for many); here they are those of a desktop, so that it can be tried.
 *
 *      svconn keygen --psk -o psk; ./board psk /dev/ttyUSB0
 *      echo hello | svconn echo serial:/dev/ttyUSB1 --psk psk --name desk       at the other end of the wires
 *
 * (A file: with --size 512.) A board needs svc/, crypto/, transport/line.c and transport/svconn_line.h; docs/bluetooth.md
 * has the command for a desktop.
 */
#define _XOPEN_SOURCE 700
#include "svconn.h"
#include "svconn_line.h"
#include <stdint.h>
#include <string.h>

/* ---- what the board brings ---------------------------------------------------------------------- */

static size_t uart_read(uint8_t *bytes, size_t len);        /* what has come, 0 to len bytes */
static size_t uart_write(const uint8_t *bytes, size_t len); /* as many as there is room for now */
static uint64_t millis(void);                               /* since the start: it never goes back */
static int board_random(uint8_t out[], size_t len);         /* 0, and bytes of the hardware's generator; or -1 */
static int last_load(uint8_t last[16]);                     /* 16 bytes of flash, zeros if never stored; -1: broken */
static int last_store(const uint8_t last[16]);

/* ---- the line ----------------------------------------------------------------------------------- */

static svconn_line_finder finder;
static uint8_t nonce[SVCONN_LINE_NONCE];
static int called; /* nonce wants an answer */

static void put_mark(svconn_line_kind kind) {
    uint8_t mark[SVCONN_LINE_MARK];
    svconn_line_mark(mark, kind, nonce);
    for (size_t at = 0; at < sizeof mark;) at += uart_write(mark + at, sizeof mark - at);
}

/* Does this byte complete a mark that ends the session? */
static int is_end(uint8_t byte) {
    static const uint8_t nobody[SVCONN_LINE_NONCE];
    uint8_t whose[SVCONN_LINE_NONCE];
    int kind;
    (void)svconn_line_find(&finder, &byte, 1, &kind, whose);
    if (kind == SVCONN_LINE_CALL) {
        memcpy(nonce, whose, sizeof nonce);
        called = 1;
    }
    return called ||
           (kind == SVCONN_LINE_END && (memcmp(whose, nonce, sizeof nonce) == 0 || memcmp(whose, nobody, sizeof nobody) == 0));
}

/* ---- a session ---------------------------------------------------------------------------------- */

static void serve(svconn *s) {
    const uint8_t *msg;
    size_t len;
    if (svconn_status(s) == SVCONN_NEEDS_VERDICT) (void)!svconn_accept(s); /* it has proven that it has the key */
    svconn_err got = svconn_recv(s, &msg, &len);
    if (got == SVCONN_OK && svconn_send(s, msg, len, millis()) == SVCONN_OK) (void)!svconn_recv_done(s);
    if (got == SVCONN_END && svconn_status(s) == SVCONN_CONNECTED) (void)!svconn_close(s, millis());
}

static void session(const svconn_config *config) {
    static uint8_t rx[SVCONN_BUFFER_SIZE(512)], tx[SVCONN_BUFFER_SIZE(512)];
    static svconn_workspace work;
    static svconn s;
    uint8_t seed[32];
    int ended = 0;
    if (board_random(seed, sizeof seed) != 0 ||
        svconn_init_sliced(&s, &work, config, seed, rx, sizeof rx, tx, sizeof tx))
        return;
    for (;;) {
        if (svconn_status(&s) == SVCONN_WORKING) (void)!svconn_work(&s, 10); /* no turn of the loop takes long */
        size_t len, room;
        const uint8_t *out = svconn_wire_out(&s, &len);
        if (len) (void)!svconn_wire_sent(&s, uart_write(out, len));
        else if (svconn_status(&s) == SVCONN_CLOSED || svconn_status(&s) == SVCONN_FAILED) break;
        uint8_t *space = svconn_wire_space(&s, &room); /* no room: the session waits for serve */
        if (!ended && room && uart_read(space, 1)) {
            ended = is_end(*space);
            if (ended) (void)!svconn_wire_eof(&s);
            else (void)!svconn_wire_filled(&s, 1, millis());
        }
        (void)!svconn_tick(&s, millis(), NULL);
        serve(&s);
    }
    svconn_wipe(&s);
    if (!ended) put_mark(SVCONN_LINE_END);
}

/* Without a random source that works there are no sessions. */
static int source_is_alive(void) {
    uint8_t draws[64], last[16];
    return board_random(draws, sizeof draws) == 0 && last_load(last) == 0 &&
           svconn_seed_check(last, draws) == SVCONN_OK && last_store(last) == 0;
}

static void run(const svconn_config *config) {
    put_mark(SVCONN_LINE_END); /* the nonce is still zero: we have no session */
    for (;;) {
        uint8_t byte;
        while (!called)
            if (uart_read(&byte, 1)) (void)is_end(byte);
        called = 0;
        put_mark(SVCONN_LINE_ANSWER);
        session(config);
    }
}

/* ---- a desktop in place of the board ------------------------------------------------------------ */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int uart = -1;

static size_t uart_read(uint8_t *bytes, size_t len) {
    struct pollfd p = {.fd = uart, .events = POLLIN};
    (void)poll(&p, 1, 5); /* a board would sleep until the next interrupt */
    ssize_t n = read(uart, bytes, len);
    if (p.revents & POLLHUP) _exit(0); /* unplugged */
    return n > 0 ? (size_t)n : 0;
}

static size_t uart_write(const uint8_t *bytes, size_t len) {
    ssize_t n = write(uart, bytes, len);
    return n > 0 ? (size_t)n : 0;
}

static uint64_t millis(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *source = "/dev/urandom";
static char last_path[256]; /* beside the key */

static int board_random(uint8_t out[], size_t len) {
    FILE *f = fopen(source, "rb");
    size_t n = f ? fread(out, 1, len, f) : 0;
    if (f) fclose(f);
    return n == len ? 0 : -1;
}

static int last_load(uint8_t last[16]) {
    FILE *f = fopen(last_path, "rb");
    memset(last, 0, 16);
    if (!f) return 0;
    size_t n = fread(last, 1, 16, f);
    fclose(f);
    return n == 16 ? 0 : -1;
}

static int last_store(const uint8_t last[16]) {
    FILE *f = fopen(last_path, "wb");
    size_t n = f ? fwrite(last, 1, 16, f) : 0;
    return f && fclose(f) == 0 && n == 16 ? 0 : -1;
}

static int read_psk(uint8_t psk[32], const char *path) {
    FILE *f = fopen(path, "r");
    int n = 0;
    unsigned byte;
    while (f && n < 32 && fscanf(f, "%2x", &byte) == 1) psk[n++] = (uint8_t)byte;
    if (f) fclose(f);
    return n == 32 ? 0 : -1;
}

int main(int argc, char **argv) {
    uint8_t psk[32];
    struct termios raw;
    svconn_identity me;
    svconn_config config = {.role = SVCONN_SERVER, .identity = &me};
    if (argc < 3 || argc > 4 || read_psk(psk, argv[1]) || svconn_identity_psk(&me, psk, (const uint8_t *)"board", 5))
        return fputs("usage: board KEYFILE DEVICE [RANDOM-SOURCE] (64 hexadecimal digits in KEYFILE)\n", stderr), 2;
    if (argc == 4) source = argv[3];
    if (snprintf(last_path, sizeof last_path, "%s.last", argv[1]) >= (int)sizeof last_path) return 2;
    if (!source_is_alive()) return fprintf(stderr, "%s\n", svconn_strerror(SVCONN_E_SEED)), 1;
    uart = open(argv[2], O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (uart < 0 || tcgetattr(uart, &raw)) return perror(argv[2]), 1;
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
    raw.c_cflag = CS8 | CREAD | CLOCAL;
    cfsetispeed(&raw, B115200);
    cfsetospeed(&raw, B115200);
    if (tcsetattr(uart, TCSANOW, &raw)) return perror(argv[2]), 1;
    run(&config);
}
