/* SPDX-License-Identifier: ISC */
/*
 * SHA-1 (RFC 3174), for the one place where WebSocket wants it: the server hashes our key and a fixed text to show that
 * it read a WebSocket request (RFC 6455, section 1.3). It protects nothing here: no secret goes in, anybody can compute
 * what comes out, and collisions of SHA-1 help nobody. So it is in transport/, short rather than fast, and for short
 * inputs only; the session has its own cryptography.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <string.h>

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

/* RFC 3174, section 6.1 */
static void hash_block(uint32_t h[5], const uint8_t block[64]) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
               block[4 * t + 3];
    for (size_t t = 16; t < 80; t++) w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (size_t t = 0; t < 80; t++) {
        uint32_t f = t < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : t < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : t < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotate(a, 5) + f + e + w[t];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void svconn_sha1(uint8_t out[20], const uint8_t *bytes, size_t len) {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t last[128] = {0};
    size_t at = 0;
    for (; len - at >= 64; at += 64) hash_block(h, bytes + at);
    size_t rest = len - at, size = rest < 56 ? 64 : 128;
    if (rest) memcpy(last, bytes + at, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < 8; i++) last[size - 1 - i] = (uint8_t)((uint64_t)len * 8 >> 8 * i);
    for (size_t i = 0; i < size; i += 64) hash_block(h, last + i);
    for (size_t i = 0; i < 20; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
