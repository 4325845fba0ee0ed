/* SPDX-License-Identifier: ISC */
/* Arithmetic on little-endian byte arrays that is slow and easy to check by eye, for the tests of the curves. */
#ifndef SVCONN_TEST_SLOW25519_H
#define SVCONN_TEST_SLOW25519_H

#include "ct.h"

static const uint8_t P[32] = {
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};
static const uint8_t L[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10,
};

static const uint8_t ZERO[32] = {0}, ONE[32] = {1};

/* r = a mod m, bit by bit: x = 2 x + bit, less m if that is possible. x stays below 2 m < 2^256. */
static inline void slow_mod(uint8_t r[32], const uint8_t *a, size_t n, const uint8_t m[32]) {
    uint32_t x[8] = {0}, t[8], w[8];
    for (int i = 0; i < 8; i++) w[i] = load_le32(m + 4 * i);
    while (n > 0 && a[n - 1] == 0) n--;
    for (size_t bit = 8 * n; bit-- > 0;) {
        uint32_t c = a[bit / 8] >> (bit % 8) & 1;
        uint64_t borrow = 0;
        for (int i = 0; i < 8; i++) {
            uint32_t top = x[i] >> 31;
            x[i] = x[i] << 1 | c;
            c = top;
            borrow = (uint64_t)x[i] - w[i] - borrow;
            t[i] = (uint32_t)borrow;
            borrow = borrow >> 63;
        }
        if (!borrow) memcpy(x, t, sizeof x);
    }
    for (int i = 0; i < 8; i++) store_le32(r + 4 * i, x[i]);
}

/* r = a b + c mod m */
static inline void slow_muladd(uint8_t r[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32],
                        const uint8_t m[32]) {
    uint8_t x[65] = {0};
    memcpy(x, c, 32);
    for (int i = 0; i < 32; i++) {
        unsigned carry = 0;
        for (int j = 0; j < 32 || carry; j++) {
            carry += x[i + j] + (j < 32 ? (unsigned)a[i] * b[j] : 0);
            x[i + j] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    slow_mod(r, x, 65, m);
}

static inline void slow_mul(uint8_t r[32], const uint8_t a[32], const uint8_t b[32]) { slow_muladd(r, a, b, ZERO, P); }

static inline void slow_add(uint8_t r[32], const uint8_t a[32], const uint8_t b[32]) { slow_muladd(r, b, ONE, a, P); }

/* a + (p - 1) b */
static inline void slow_sub(uint8_t r[32], const uint8_t a[32], const uint8_t b[32]) {
    uint8_t minus_one[32];
    memcpy(minus_one, P, 32);
    minus_one[0]--;
    slow_muladd(r, b, minus_one, a, P);
}

/* ---- random numbers: splitmix64, always the same ones ------------------------- */
static uint64_t seed_state = 20250607;

static inline void random_bytes(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint64_t z = seed_state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        p[i] = (uint8_t)(z >> 56);
    }
}

#endif
