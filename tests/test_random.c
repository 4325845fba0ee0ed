/* SPDX-License-Identifier: ISC */
/* transport/random.c: the real source, and the same code with every call to the system failing as it can. */
#include "svconn_transport.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>

static int no_call, no_device, device_is_file, interrupts, short_reads;

static ssize_t fake_getrandom(void *out, size_t len, unsigned flags) {
    if (no_call || flags != 0) {
        errno = ENOSYS;
        return -1;
    }
    if (interrupts-- > 0) {
        errno = EINTR;
        return -1;
    }
    if (short_reads && len > 3) len = 3;
    memset(out, 0xa5, len);
    return (ssize_t)len;
}

static int fake_open(const char *path, int flags) {
    if (no_device) {
        errno = ENOENT;
        return -1;
    }
    return open(device_is_file ? "/proc/self/status" : path, flags);
}

static ssize_t fake_read(int fd, void *out, size_t len) {
    if (interrupts-- > 0) {
        errno = EINTR;
        return -1;
    }
    return read(fd, out, short_reads && len > 3 ? 3 : len);
}

/* the file under test, once more, under another name and with these in place of the system */
#define svconn_random random_under_test
#define getrandom fake_getrandom
#define open(path, flags) fake_open(path, flags)
#define read fake_read
static int random_under_test(uint8_t *out, size_t len);
#include "random.c"
#undef svconn_random
#undef open
#undef read

static int all_are(const uint8_t *p, size_t n, uint8_t value) {
    for (size_t i = 0; i < n; i++)
        if (p[i] != value) return 0;
    return 1;
}

static void interrupted_and_in_parts(void) {
    uint8_t out[100] = {0};
    interrupts = 3;
    short_reads = 1;
    errno = 0;
    CHECK(random_under_test(out, sizeof out) == 0);
    CHECK(all_are(out, sizeof out, 0xa5) && errno == 0);
    short_reads = 0;
}

static void device_when_the_call_is_missing(void) {
    uint8_t a[100] = {0}, b[100] = {0};
    no_call = short_reads = 1;
    interrupts = 3;
    CHECK(random_under_test(a, sizeof a) == 0 && random_under_test(b, sizeof b) == 0);
    CHECK(memcmp(a, b, sizeof a) != 0 && !all_are(a + 90, 10, 0));
    no_call = short_reads = 0;
}

static void nothing_works(void) {
    uint8_t out[32];
    memset(out, 7, sizeof out);
    no_call = no_device = 1;
    CHECK(random_under_test(out, sizeof out) == -1 && all_are(out, sizeof out, 0));
    no_device = 0;
    device_is_file = 1;
    memset(out, 7, sizeof out);
    CHECK(random_under_test(out, sizeof out) == -1 && all_are(out, sizeof out, 0));
    no_call = device_is_file = 0;
}

static void descriptors_do_not_leak(void) {
    uint8_t out[8];
    int before = dup(0);
    close(before);
    no_call = 1;
    CHECK(random_under_test(out, sizeof out) == 0);
    device_is_file = 1;
    CHECK(random_under_test(out, sizeof out) == -1);
    no_call = device_is_file = 0;
    int after = dup(0);
    close(after);
    CHECK(before == after);
}
#endif

static void differs_each_time(void) {
    static uint8_t r[64][32], big[100000];
    for (size_t i = 0; i < 64; i++) CHECK(svconn_random(r[i], 32) == 0);
    for (size_t i = 0; i < 64; i++)
        for (size_t j = 0; j < i; j++) CHECK(memcmp(r[i], r[j], 32) != 0);
    CHECK(svconn_random(big, sizeof big) == 0);
    size_t ones = 0, count[256] = {0};
    for (size_t i = 0; i < sizeof big; i++) count[big[i]]++;
    for (size_t i = 0; i < 256; i++) {
        CHECK(count[i] > 200 && count[i] < 600); /* 390 expected, deviation 20 */
        for (size_t bit = i; bit; bit >>= 1) ones += (bit & 1) * count[i];
    }
    CHECK(ones > 395000 && ones < 405000); /* 400000 expected, deviation 450 */
    CHECK(svconn_random(big, 0) == 0);
}

int main(void) {
    TEST("random_differs_each_time", differs_each_time);
#if defined(__linux__)
    TEST("random_interrupted_and_in_parts", interrupted_and_in_parts);
    TEST("random_device_when_the_call_is_missing", device_when_the_call_is_missing);
    TEST("random_fails_hard_and_with_zeros", nothing_works);
    TEST("random_descriptors_do_not_leak", descriptors_do_not_leak);
#endif
    return TEST_EXIT();
}
