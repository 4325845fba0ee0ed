/* SPDX-License-Identifier: ISC */
/*
 * A serial line for tests/serial.sh: two pseudo-terminals, to which the links A and B are made. Usage: wire A B [SEED].
 * Commands, one a line, on standard input; at its end, and at a signal, the line is unplugged.
 *
 *      noise N     about one byte of N is lost, changed, or followed by one more; 0: none (so it begins)
 *      hold        nothing is passed on      go
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Of X/Open, which the strict POSIX level of the compiler line does not ask for */
int posix_openpt(int flags);
int grantpt(int fd);
int unlockpt(int fd);
char *ptsname(int fd);

static int master[2], held;
static unsigned long noise, damaged;
static uint32_t dice_state = 1;

static uint32_t dice(void) {
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 17;
    dice_state ^= dice_state << 5;
    return dice_state;
}

static void fail(const char *what) {
    fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The slave stays open: so the master does not see its end when a program closes it, and a terminal that nobody has
 * open does not echo. */
static int plug(const char *link) {
    struct termios t;
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    const char *name = fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 ? ptsname(fd) : NULL;
    int slave = name ? open(name, O_RDWR | O_NOCTTY) : -1;
    if (slave < 0 || tcgetattr(slave, &t) != 0) fail("no pseudo-terminal");
    t.c_iflag = 0;
    t.c_oflag = 0;
    t.c_lflag = 0;
    if (tcsetattr(slave, TCSANOW, &t) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || symlink(name, link) != 0)
        fail(link);
    return fd;
}

static void pass_on(int from) {
    uint8_t in[256], out[512];
    size_t n = 0;
    ssize_t got = read(master[from], in, sizeof in);
    for (ssize_t i = 0; i < got; i++) {
        uint32_t how = noise && dice() % noise == 0 ? 1 + dice() % 3 : 0;
        damaged += how != 0;
        if (how == 1) continue;
        out[n++] = how == 2 ? (uint8_t)(in[i] ^ 1 << dice() % 8) : in[i];
        if (how == 3) out[n++] = (uint8_t)~in[i];
    }
    for (size_t at = 0; at < n;) {
        ssize_t sent = write(master[!from], out + at, n - at);
        if (sent > 0) at += (size_t)sent;
        else if (poll(&(struct pollfd){.fd = master[!from], .events = POLLOUT}, 1, 5000) != 1)
            return; /* as a UART: lost */
    }
}

/* 0: the end */
static int command(void) {
    static char text[100];
    static size_t len;
    ssize_t n = read(0, text + len, sizeof text - 1 - len);
    if (n <= 0) return 0;
    len += (size_t)n;
    text[len] = 0;
    for (char *end; (end = strchr(text, '\n')); len = strlen(text)) {
        *end = 0;
        if (strncmp(text, "noise ", 6) == 0) noise = strtoul(text + 6, NULL, 10);
        held = strcmp(text, "hold") == 0 ? 1 : strcmp(text, "go") == 0 ? 0 : held;
        fprintf(stderr, "%s, %lu damaged\n", text, damaged);
        memmove(text, end + 1, strlen(end + 1) + 1);
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    if (argc > 3) dice_state = (uint32_t)strtoul(argv[3], NULL, 10) | 1;
    for (int i = 0; i < 2; i++) master[i] = plug(argv[1 + i]);
    fprintf(stderr, "ready\n");
    for (;;) {
        struct pollfd fds[3] = {{.fd = 0, .events = POLLIN}};
        for (int i = 0; i < 2; i++) fds[1 + i] = (struct pollfd){.fd = held ? -1 : master[i], .events = POLLIN};
        if (poll(fds, 3, -1) < 0) continue;
        if (fds[0].revents && !command()) return 0;
        for (int i = 0; i < 2; i++)
            if (fds[1 + i].revents & POLLIN) pass_on(i);
    }
}
