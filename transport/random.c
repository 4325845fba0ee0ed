/* SPDX-License-Identifier: ISC */
/*
 * Randomness from the operating system. Either every byte came from its generator, or the answer is -1 and zeros: there
 * is no weaker source behind it. The device is for kernels without the call (Linux before 3.17) and sandboxes that
 * forbid it.
 */
#include "svconn_posix.h" /* first */
#include "svconn_transport.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__) || defined(__APPLE__) || defined(__FreeBSD__)
#include <sys/random.h>
#endif

/* 0: all of it; -1: the system call does not exist or fails */
static int from_system_call(uint8_t *out, size_t len) {
#if defined(__linux__)
    while (len) { /* without flags it waits until the generator was seeded; more than 256 bytes may come in parts */
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        out += n;
        len -= (size_t)n;
    }
    return 0;
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
    while (len) { /* at most 256 bytes in one call, all or nothing */
        size_t n = len < 256 ? len : 256;
        if (getentropy(out, n) != 0) return -1;
        out += n;
        len -= n;
    }
    return 0;
#else
    (void)out;
    (void)len;
    return -1;
#endif
}

/* A character device, open for reading, or -1. A plain file in its place (a broken chroot) would be the same bytes each
 * time. */
static int open_device(const char *path) {
    struct stat st;
    int fd;
    do fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Linux: /dev/urandom gives bytes even before it was seeded; /dev/random becomes readable when it was. Elsewhere the
 * two are the same. */
static int wait_until_seeded(void) {
    int fd = open_device("/dev/random");
    if (fd < 0) return -1;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    do n = poll(&p, 1, -1);
    while (n < 0 && (errno == EINTR || errno == EAGAIN));
    close(fd);
    return n == 1 && (p.revents & POLLIN) ? 0 : -1;
}

static int from_device(uint8_t *out, size_t len) {
    if (wait_until_seeded() != 0) return -1;
    int fd = open_device("/dev/urandom");
    if (fd < 0) return -1;
    while (len) {
        ssize_t n = read(fd, out, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        out += n;
        len -= (size_t)n;
    }
    close(fd);
    return len ? -1 : 0;
}

int svconn_random(uint8_t *out, size_t len) {
    int saved = errno;
    if (from_system_call(out, len) == 0 || from_device(out, len) == 0) {
        errno = saved;
        return 0;
    }
    memset(out, 0, len);
    return -1;
}
