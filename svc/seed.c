/* SPDX-License-Identifier: ISC */
/*
 * The check of a random source at start-up. It finds what fails on small chips: a generator that is switched off or
 * stuck (zeros, ones, the same word again and again), one that stops half way, and one that starts from the same state
 * each time. These are total failures, in the sense of NIST SP 800-90B section 4.3; no test of the output can tell a
 * generator that somebody guesses from a good one.
 *
 * A good source is refused with a probability below 2^-127: 2^-247 for a flat half, less than 2^-255 for a period,
 * 2^-128 for the value of the last start.
 */
#include "ct.h"
#include "crypto.h"
#include "svconn.h"

/* With the zero byte at its end, as the labels of keys.h have it; it is none of theirs, and goes over no link. */
static const uint8_t seed_label[] = "SVC1 seed check";

static uint32_t seed_is_flat(const uint8_t half[32]) { return ct_eq(half, half + 1, 31); }

static uint32_t seed_has_period(const uint8_t draws[64]) {
    uint32_t found = 0;
    for (size_t period = 1; period <= 32; period++) found |= ct_eq(draws, draws + period, 64 - period);
    return found;
}

svconn_err svconn_seed_check(uint8_t last[16], uint8_t draws[64]) {
    uint8_t hash[32];
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, seed_label, sizeof seed_label);
    svconn_sha256_update(&c, draws, 64);
    svconn_sha256_final(&c, hash);
    uint32_t bad = seed_is_flat(draws) | seed_is_flat(draws + 32) | seed_has_period(draws) | ct_eq(hash, last, 16);
    ct_wipe(draws, 64);
    CT_RELEASE(&bad, sizeof bad);
    if (!bad) memcpy(last, hash, 16);
    ct_wipe(hash, sizeof hash);
    return bad ? SVCONN_E_SEED : SVCONN_OK;
}
