/* SPDX-License-Identifier: ISC */
/* svconn_seed_check: sources that fail in the ways of small chips are refused, others pass, nothing is left behind. */
#include "svconn.h"
#include "test.h"

/* A generator that is good enough here: xorshift64 (Marsaglia 2003), so that each run is the same. */
static uint64_t state;
static void source_starts(uint64_t seed) { state = seed; }
static void source(uint8_t *out, size_t len) {
    while (len--) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *out++ = (uint8_t)(state >> 56);
    }
}

static uint8_t last[16], last_before[16], draws[64];
static const uint8_t zeros[64];

/* The result; and what holds for any: draws are wiped, and last changes if, and only if, all is well. */
static svconn_err check(void) {
    memcpy(last_before, last, 16);
    svconn_err err = svconn_seed_check(last, draws);
    CHECK_BYTES(draws, zeros, 64);
    CHECK(err == SVCONN_OK || err == SVCONN_E_SEED);
    CHECK((memcmp(last, last_before, 16) == 0) == (err == SVCONN_E_SEED));
    return err;
}

/* SHA-256("SVC1 seed check" || 00 || draws), first 16 bytes, by Python's hashlib. Devices keep it: it may not change. */
static void known_answer(void) {
    static const uint8_t want[16] = {0x8a, 0xa1, 0x86, 0xc8, 0xf8, 0xcf, 0xca,
                                     0xe5, 0xef, 0xc9, 0xb8, 0xe8, 0xd6, 0xe1, 0x87, 0x98};
    memset(last, 0, 16);
    for (size_t i = 0; i < 64; i++) draws[i] = (uint8_t)i;
    CHECK(check() == SVCONN_OK);
    CHECK_BYTES(last, want, 16);
}

static void good_sources_pass(void) {
    memset(last, 0, 16);
    source_starts(88172645463325252u);
    for (int start = 0; start < 2000; start++) {
        source(draws, 64);
        CHECK(check() == SVCONN_OK);
    }
}

static void off_or_stuck(void) {
    memset(last, 7, 16);
    for (unsigned value = 0; value < 256; value++) {
        for (int half = 0; half < 3; half++) { /* the first, the second, both */
            source(draws, 64);
            if (half != 1) memset(draws, (int)value, 32);
            if (half != 0) memset(draws + 32, (int)value, 32);
            CHECK(check() == SVCONN_E_SEED);
        }
    }
}

static void repeats_itself(void) {
    memset(last, 7, 16);
    for (size_t period = 1; period <= 32; period++) {
        source(draws, period);
        for (size_t i = period; i < 64; i++) draws[i] = draws[i - period];
        CHECK(check() == SVCONN_E_SEED);
    }
}

/* One bit makes the difference: nothing else is refused. */
static void not_more_than_that(void) {
    for (size_t bit = 0; bit < 512; bit++) {
        source(draws, 32);
        memcpy(draws + 32, draws, 32);
        draws[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(check() == SVCONN_OK);
    }
    for (size_t bit = 0; bit < 512; bit++) { /* both halves flat, but for one bit: the other one is */
        memset(draws, 1, 32);
        memset(draws + 32, 2, 32);
        draws[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(check() == SVCONN_E_SEED);
        source(draws, 64);
        memset(draws + (bit < 256 ? 0 : 32), 3, 32);
        draws[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(check() == SVCONN_OK);
    }
}

static void same_at_each_start(void) {
    memset(last, 0, 16);
    for (int start = 0; start < 3; start++) {
        source_starts(1); /* a generator that nobody seeded */
        source(draws, 64);
        CHECK(check() == (start ? SVCONN_E_SEED : SVCONN_OK));
    }
    for (size_t bit = 0; bit < 128; bit++) { /* all of last is looked at */
        last[bit / 8] ^= (uint8_t)(1 << bit % 8);
        source_starts(1);
        source(draws, 64);
        CHECK(check() == SVCONN_OK);
    }
}

int main(void) {
    TEST("seed check: its value, as devices keep it", known_answer);
    TEST("seed check: good sources pass", good_sources_pass);
    TEST("seed check: a source that is off or stuck, from the start or half way", off_or_stuck);
    TEST("seed check: a source that repeats itself", repeats_itself);
    TEST("seed check: nothing more is refused", not_more_than_that);
    TEST("seed check: a source that begins the same at each start", same_at_each_start);
    return TEST_EXIT();
}
