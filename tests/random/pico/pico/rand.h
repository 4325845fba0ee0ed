/* SPDX-License-Identifier: ISC */
#include "fake.h"
#define PICO_RP2040 0
typedef struct rng_128 {
    uint64_t r[2];
} rng_128_t;
static void get_rand_128(rng_128_t *rand128) { fake_bytes(rand128->r, 16); }
