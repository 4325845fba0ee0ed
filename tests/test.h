/* SPDX-License-Identifier: ISC */
/*
 * The test vocabulary. A test program is a main() that calls TEST(name, function); each prints one line,
 * "pass NAME", "FAIL NAME" (with the failed lines above) or "skip NAME: why". tests/run.sh adds them up.
 * The name says what the test protects.
 */
#ifndef SVCONN_TEST_H
#define SVCONN_TEST_H

#include "backend.h"
#include "cpu.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * SVCONN_TEST_CPU=MASK runs any test with these backends alone (crypto/cpu.h); exit status 77 if one is missing.
 * SVCONN_TEST_WITHOUT=MASK: with what this CPU has, but not these.
 */
#if defined(__GNUC__)
static inline uint32_t test_mask_of(const char *name) {
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
}
#ifdef __ELF__
#pragma weak svconn_cpu_allow /* in svconn.c it is static: a test that calls it itself is linked with one where it is not */
#define TEST_HAS_CPU_ALLOW (svconn_cpu_allow != NULL)
#else
#define TEST_HAS_CPU_ALLOW 1
#endif
__attribute__((constructor)) static void test_mask(void) {
    uint32_t only = test_mask_of("SVCONN_TEST_CPU"), without = test_mask_of("SVCONN_TEST_WITHOUT");
    if (getenv("SVCONN_TEST_CPU") && !TEST_HAS_CPU_ALLOW) exit(78);
    if (without && TEST_HAS_CPU_ALLOW) (void)svconn_cpu_allow(SVCONN_CPU_ALL & ~without); /* a test may have no cryptography */
    if (getenv("SVCONN_TEST_CPU") && svconn_cpu_allow(only) != only) exit(77);
}
#endif

#define TEST_UNDER_ASAN (!SVCONN_ONE_PIECE)

static int test_bad, test_failed, test_count;
static const char *test_skip;

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            if (test_bad++ < 10) printf("  %s:%d: not true: %s\n", __FILE__, __LINE__, #cond);                         \
        }                                                                                                              \
    } while (0)

#define CHECK_BYTES(got, want, n)                                                                                      \
    do {                                                                                                               \
        if (memcmp((got), (want), (n)) != 0 && test_bad++ < 10) {                                                      \
            printf("  %s:%d: %s is not %s\n", __FILE__, __LINE__, #got, #want);                                        \
            test_hex("   got ", (const uint8_t *)(got), (n));                                                          \
            test_hex("  want ", (const uint8_t *)(want), (n));                                                         \
        }                                                                                                              \
    } while (0)

/* valgrind preloads its own library into what it runs */
static inline int under_valgrind(void) {
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

static inline void test_hex(const char *what, const uint8_t *p, size_t n) {
    printf("%s ", what);
    for (size_t i = 0; i < n && i < 80; i++) printf("%02x", p[i]);
    printf(n > 80 ? "...\n" : "\n");
}

static inline void test_run(const char *name, void (*f)(void)) {
    test_bad = 0;
    test_skip = NULL;
    f();
    if (test_bad) printf("FAIL %s\n", name);
    else if (test_skip) printf("skip %s: %s\n", name, test_skip);
    else printf("pass %s\n", name);
    if (test_bad) test_failed = 1;
    test_count++;
    fflush(stdout);
}

/* The end was reached: with SVCONN_TEST_COUNT set it says how many results there were, so that a program which ends early
 * with exit status 0 is seen. */
static inline int test_end(void) {
    if (getenv("SVCONN_TEST_COUNT")) printf("count %d\n", test_count);
    return fflush(stdout) == 0 && !test_failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
#define TEST(name, f) test_run(name, f)
#define TEST_EXIT() test_end()

#endif
