/* SPDX-License-Identifier: ISC */
/*
 * SHA-256. Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5.1.1, 5.3.3 and 6.2.
 * Time depends on lengths only: the function has no data-dependent step.
 */
#include "backend.h"
#include "cpu.h"
#include "crypto.h"
#include "ct.h"

/* 4.2.2, and 5.3.3. These are the upper halves of the first 64 constants of SHA-512 and of its first hash value: both come from the cube
 * roots of the same primes, or from the square roots. */
#ifdef SVCONN_SHARED_CONSTANTS
#define SHA256_K(i) ((uint32_t)(svconn_sha512_k[i] >> 32))
#define SHA256_START(i) ((uint32_t)(svconn_sha512_start[i] >> 32))
#else
#define SHA256_K(i) K[i]
#define K svconn_sha256_k
const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define SHA256_START(i) sha256_start[i]
static const uint32_t sha256_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
#endif

/* 4.1.2. Ch with one operation less. Sigma0 with two copies less: nested, the rotations add up to 2, 13, 22.
 * (Sigma1 stays as it is: the next step waits for it, and nested it takes longer.) */
static inline uint32_t rotr(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }
static inline uint32_t ch(uint32_t x, uint32_t y, uint32_t z) { return z ^ (x & (y ^ z)); }
static inline uint32_t big0(uint32_t x) { return rotr(x ^ rotr(x ^ rotr(x, 9), 11), 2); }
#ifdef __arm__ /* the second operand is rotated for nothing */
static inline uint32_t big1(uint32_t x) { return rotr(x ^ rotr(x ^ rotr(x, 14), 5), 6); }
#else
static inline uint32_t big1(uint32_t x) { return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25); }
#endif
static inline uint32_t small0(uint32_t x) { return rotr(x, 7) ^ rotr(x, 18) ^ x >> 3; }
static inline uint32_t small1(uint32_t x) { return rotr(x, 17) ^ rotr(x, 19) ^ x >> 10; }

#ifdef SVCONN_SMALL
/* 6.2.2 with 16 words of the schedule. v[0] to v[7] are a to h, and behind them are W_(t + 15) to W_t. The next step begins a word before
 * that, so that a is b there and so on; after 16 steps all go back to the end of x. */
void svconn_sha256_portable(uint32_t s[8], const uint8_t *p, size_t n) {
    uint32_t x[40];
    for (; n > 0; n--) {
        ct_copy(x + 16, s, 32);
        for (unsigned i = 40; i > 24; p += 4) x[--i] = load_be32(p);
        uint32_t *v = x + 16;
        for (unsigned t = 0; t < 64; t++) {
            uint32_t t1 = v[7] + big1(v[4]) + ch(v[4], v[5], v[6]) + SHA256_K(t) + v[23];
            v[-1] = t1 + big0(v[0]) + ((v[0] & v[1]) | (v[2] & (v[0] | v[1])));
            v[3] += t1;
            v[7] = v[23] + small0(v[22]) + v[14] + small1(v[9]); /* W_(t + 16) */
            if (--v == x) v = (uint32_t *)memmove(x + 16, x, 96);
        }
        for (unsigned i = 0; i < 8; i++) s[i] += x[i + 16];
    }
    ct_wipe(x, sizeof x);
}
#else
/* One step of 6.2.2.3. The renaming a -> b -> c ... is left to the caller, who rotates the arguments.
 * Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), and the a ^ b of one step is the b ^ c of the next: bc carries it over. */
#define STEP(a, b, c, d, e, f, g, h, i)                                                                      \
    do {                                                                                                     \
        uint32_t t1 = h + big1(e) + ch(e, f, g) + K[i] + w[i], ab = a ^ b;                                   \
        d += t1;                                                                                             \
        h = t1 + big0(a) + (b ^ (ab & bc));                                                                  \
        bc = ab;                                                                                             \
    } while (0)

/* The whole schedule before the steps: with 16 words of it, computed between the steps, compilers run out of registers.
 * That was slower with gcc 12 and clang 14, unless they may use BMI2. Two words at once: nothing is loaded twice, nothing moved. */
static void expand(uint32_t w[64], const uint8_t *p) {
    for (unsigned t = 0; t < 16; t++) w[t] = load_be32(p + 4 * t);
    uint32_t oldest = w[0], x = w[14], y = w[15];
    for (unsigned t = 16; t < 64; t += 2) {
        uint32_t next = w[t - 15];
        w[t] = x = small1(x) + w[t - 7] + small0(next) + oldest;
        oldest = w[t - 14];
        w[t + 1] = y = small1(y) + w[t - 6] + small0(oldest) + next;
    }
}

void svconn_sha256_portable(uint32_t s[8], const uint8_t *p, size_t n) {
    uint32_t w[64];
    for (; n > 0; n--, p += 64) {
        uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7], bc = b ^ c;
        expand(w, p);
        for (unsigned i = 0; i < 64; i += 8) {
            STEP(a, b, c, d, e, f, g, h, i);
            STEP(h, a, b, c, d, e, f, g, i + 1);
            STEP(g, h, a, b, c, d, e, f, i + 2);
            STEP(f, g, h, a, b, c, d, e, i + 3);
            STEP(e, f, g, h, a, b, c, d, i + 4);
            STEP(d, e, f, g, h, a, b, c, i + 5);
            STEP(c, d, e, f, g, h, a, b, i + 6);
            STEP(b, c, d, e, f, g, h, a, i + 7);
        }
        s[0] += a, s[1] += b, s[2] += c, s[3] += d, s[4] += e, s[5] += f, s[6] += g, s[7] += h;
    }
    ct_wipe(w, sizeof w);
}
#endif

static void compress(uint32_t s[8], const uint8_t *p, size_t n) {
    uint32_t cpu = svconn_cpu();
#ifdef SVCONN_X86
    if (cpu & SVCONN_CPU_SHA) {
        svconn_sha256_shani(s, p, n);
        return;
    }
#endif
#ifdef SVCONN_ARM_SHA
    if (cpu & SVCONN_CPU_ARM_SHA) {
        svconn_sha256_armv8(s, p, n);
        return;
    }
#endif
    (void)cpu;
    svconn_sha256_portable(s, p, n);
}

void svconn_sha256_init(svconn_sha256_ctx *c) {
    for (unsigned i = 0; i < 8; i++) c->h[i] = SHA256_START(i);
    c->total = 0;
}

#ifdef SVCONN_SMALL
/* Byte by byte, by which the end needs no code of its own: time is lost, a fifth or so. */
void svconn_sha256_update(svconn_sha256_ctx *c, const uint8_t *data, size_t len) {
    for (; len > 0; len--) {
        c->block[c->total++ % 64] = *data++;
        if (c->total % 64 == 0) compress(c->h, c->block, 1);
    }
}

/* Padding: 5.1.1 */
void svconn_sha256_final(svconn_sha256_ctx *c, uint8_t digest[32]) {
    uint8_t pad = 0x80, bits[8];
    store_be64(bits, c->total << 3);
    do {
        svconn_sha256_update(c, &pad, 1);
        pad = 0;
    } while (c->total % 64 != 56);
    svconn_sha256_update(c, bits, sizeof bits);
    for (unsigned i = 0; i < 8; i++) store_be32(digest + 4 * i, c->h[i]);
    ct_wipe(c, sizeof *c);
}
#else
/* Between calls block holds the total % 64 bytes that fill no block yet: never 64. */
void svconn_sha256_update(svconn_sha256_ctx *c, const uint8_t *data, size_t len) {
    size_t have = (size_t)(c->total & 63);
    if (len == 0) return;
    c->total += len;
    if (have > 0) {
        size_t take = 64 - have;
        if (len < take) take = len;
        memcpy(c->block + have, data, take);
        if (have + take < 64) return;
        compress(c->h, c->block, 1);
        data += take;
        len -= take;
    }
    if (len >= 64) compress(c->h, data, len / 64);
    if (len % 64 > 0) memcpy(c->block, data + len / 64 * 64, len % 64);
}

/* Padding: 5.1.1 */
void svconn_sha256_final(svconn_sha256_ctx *c, uint8_t digest[32]) {
    size_t have = (size_t)(c->total & 63);
    c->block[have++] = 0x80;
    memset(c->block + have, 0, 64 - have);
    if (have > 56) {
        compress(c->h, c->block, 1);
        memset(c->block, 0, 56);
    }
    store_be64(c->block + 56, c->total << 3);
    compress(c->h, c->block, 1);
    for (unsigned i = 0; i < 8; i++) store_be32(digest + 4 * i, c->h[i]);
    ct_wipe(c, sizeof *c);
}
#endif
