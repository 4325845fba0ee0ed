/* SPDX-License-Identifier: ISC */
/*
 * SHA-512. Source: FIPS 180-4, sections 4.1.3, 4.2.3, 5.1.2, 5.3.5 and 6.4.
 * Time depends on lengths only: the function has no data-dependent step.
 */
#include "backend.h"
#include "crypto.h"
#include "ct.h"

#define U(x) UINT64_C(x)

/* 4.2.3 */
#define K svconn_sha512_k
const uint64_t K[80] = {
    U(0x428a2f98d728ae22), U(0x7137449123ef65cd), U(0xb5c0fbcfec4d3b2f), U(0xe9b5dba58189dbbc),
    U(0x3956c25bf348b538), U(0x59f111f1b605d019), U(0x923f82a4af194f9b), U(0xab1c5ed5da6d8118),
    U(0xd807aa98a3030242), U(0x12835b0145706fbe), U(0x243185be4ee4b28c), U(0x550c7dc3d5ffb4e2),
    U(0x72be5d74f27b896f), U(0x80deb1fe3b1696b1), U(0x9bdc06a725c71235), U(0xc19bf174cf692694),
    U(0xe49b69c19ef14ad2), U(0xefbe4786384f25e3), U(0x0fc19dc68b8cd5b5), U(0x240ca1cc77ac9c65),
    U(0x2de92c6f592b0275), U(0x4a7484aa6ea6e483), U(0x5cb0a9dcbd41fbd4), U(0x76f988da831153b5),
    U(0x983e5152ee66dfab), U(0xa831c66d2db43210), U(0xb00327c898fb213f), U(0xbf597fc7beef0ee4),
    U(0xc6e00bf33da88fc2), U(0xd5a79147930aa725), U(0x06ca6351e003826f), U(0x142929670a0e6e70),
    U(0x27b70a8546d22ffc), U(0x2e1b21385c26c926), U(0x4d2c6dfc5ac42aed), U(0x53380d139d95b3df),
    U(0x650a73548baf63de), U(0x766a0abb3c77b2a8), U(0x81c2c92e47edaee6), U(0x92722c851482353b),
    U(0xa2bfe8a14cf10364), U(0xa81a664bbc423001), U(0xc24b8b70d0f89791), U(0xc76c51a30654be30),
    U(0xd192e819d6ef5218), U(0xd69906245565a910), U(0xf40e35855771202a), U(0x106aa07032bbd1b8),
    U(0x19a4c116b8d2d0c8), U(0x1e376c085141ab53), U(0x2748774cdf8eeb99), U(0x34b0bcb5e19b48a8),
    U(0x391c0cb3c5c95a63), U(0x4ed8aa4ae3418acb), U(0x5b9cca4f7763e373), U(0x682e6ff3d6b2b8a3),
    U(0x748f82ee5defb2fc), U(0x78a5636f43172f60), U(0x84c87814a1f0ab72), U(0x8cc702081a6439ec),
    U(0x90befffa23631e28), U(0xa4506cebde82bde9), U(0xbef9a3f7b2c67915), U(0xc67178f2e372532b),
    U(0xca273eceea26619c), U(0xd186b8c721c0c207), U(0xeada7dd6cde0eb1e), U(0xf57d4f7fee6ed178),
    U(0x06f067aa72176fba), U(0x0a637dc5a2c898a6), U(0x113f9804bef90dae), U(0x1b710b35131c471b),
    U(0x28db77f523047d84), U(0x32caab7b40c72493), U(0x3c9ebe0a15c9bebc), U(0x431d67c49c100d4c),
    U(0x4cc5d4becb3e42b6), U(0x597f299cfc657e2a), U(0x5fcb6fab3ad6faec), U(0x6c44198c4a475817),
};

/* 4.1.3: Ch with one operation less */
static inline uint64_t ch64(uint64_t x, uint64_t y, uint64_t z) { return z ^ (x & (y ^ z)); }

#ifdef SVCONN_SMALL
/* 4.1.3: x turned right by n, by n + m and by n + m + l, added (xor). amounts: n << 16 | m << 8 | l, each 1 to 31; n << 8 | m for two of them.
 * All of it on 32-bit words: Sigma1 is 14, 18, 41, Sigma0 is 28, 34, 39. */
SVCONN_APART uint64_t turns64(uint64_t x, uint32_t amounts) {
    uint32_t low = 0, high = 0;
    for (; amounts > 0; amounts >>= 8) {
        unsigned n = amounts & 31;
        uint32_t l = low ^ (uint32_t)x, h = high ^ (uint32_t)(x >> 32);
        low = l >> n | h << (32 - n);
        high = h >> n | l << (32 - n);
    }
    return low | (uint64_t)high << 32;
}

/* 6.4.2 with 16 words of the schedule. x[1] to x[8] are a to h; behind them are W_(t + 15) to W_t, and before them is room for the next a. So
 * one move takes both a step further. */
static void compress64(uint64_t s[8], const uint8_t *p) {
    uint64_t x[25];
    ct_copy(x + 1, s, 64);
    for (unsigned i = 24; i > 8; i--, p += 8) x[i] = load_be64(p);
    for (unsigned t = 0; t < 80; t++) {
        x[8] += K[t] + x[24];
        x[8] += turns64(x[5], 0x0e0417);
        x[8] += ch64(x[5], x[6], x[7]);
        x[4] += x[8];
        x[0] = x[8] + turns64(x[1], 0x1c0605);
        x[0] += (x[1] & x[2]) | (x[3] & (x[1] | x[2]));
        x[8] = x[24] + x[15]; /* W_(t + 16) */
        x[8] += turns64(x[23], 0x0107) ^ x[23] >> 7;
        uint64_t y = turns64(x[10], 0x1d16); /* with its halves exchanged: 61 is 32 + 29 */
        x[8] += (y >> 32 | y << 32) ^ x[10] >> 6;
        for (unsigned i = 24; i > 0; i--) x[i] = x[i - 1];
    }
    for (unsigned i = 0; i < 8; i++) s[i] += x[i + 1];
    ct_wipe(x, sizeof x);
}
#else
/* 4.1.3. Sigma0 with two copies less: nested, the rotations add up to 28, 34, 39.
 * (Sigma1 stays as it is: the next step waits for it, and nested it takes longer.) */
static inline uint64_t rotr64(uint64_t x, unsigned n) { return x >> n | x << (64 - n); }
static inline uint64_t big0_64(uint64_t x) { return rotr64(x ^ rotr64(x ^ rotr64(x, 5), 6), 28); }
static inline uint64_t big1_64(uint64_t x) { return rotr64(x, 14) ^ rotr64(x, 18) ^ rotr64(x, 41); }
static inline uint64_t small0_64(uint64_t x) { return rotr64(x, 1) ^ rotr64(x, 8) ^ x >> 7; }
static inline uint64_t small1_64(uint64_t x) { return rotr64(x, 19) ^ rotr64(x, 61) ^ x >> 6; }

/* One step of 6.4.2.3. The renaming a -> b -> c ... is left to the caller, who rotates the arguments.
 * Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), and the a ^ b of one step is the b ^ c of the next: bc carries it over. */
#define STEP(a, b, c, d, e, f, g, h, i)                                                                      \
    do {                                                                                                     \
        uint64_t t1 = h + big1_64(e) + ch64(e, f, g) + K[i] + w[i], ab = a ^ b;                              \
        d += t1;                                                                                             \
        h = t1 + big0_64(a) + (b ^ (ab & bc));                                                               \
        bc = ab;                                                                                             \
    } while (0)

/* The whole schedule before the steps: with 16 words of it, computed between the steps, compilers run out of registers.
 * That was slower with gcc 12 and clang 14, unless they may use BMI2. */
static void expand64(uint64_t w[80], const uint8_t *p) {
    for (unsigned t = 0; t < 16; t++) w[t] = load_be64(p + 8 * t);
    for (unsigned t = 16; t < 80; t++) w[t] = small1_64(w[t - 2]) + w[t - 7] + small0_64(w[t - 15]) + w[t - 16];
}

/* 6.4.2 for n blocks */
static void compress64(uint64_t s[8], const uint8_t *p, size_t n) {
    uint64_t w[80];
    for (; n > 0; n--, p += 128) {
        uint64_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7], bc = b ^ c;
        expand64(w, p);
        for (unsigned i = 0; i < 80; i += 8) {
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

/* 5.3.5 */
const uint64_t svconn_sha512_start[8] = {
    U(0x6a09e667f3bcc908), U(0xbb67ae8584caa73b), U(0x3c6ef372fe94f82b), U(0xa54ff53a5f1d36f1),
    U(0x510e527fade682d1), U(0x9b05688c2b3e6c1f), U(0x1f83d9abfb41bd6b), U(0x5be0cd19137e2179),
};

void svconn_sha512_init(svconn_sha512_ctx *c) {
    ct_copy(c->h, svconn_sha512_start, sizeof c->h);
    c->total = 0;
}

#ifdef SVCONN_SMALL
/* As in sha256.c */
void svconn_sha512_update(svconn_sha512_ctx *c, const uint8_t *data, size_t len) {
    for (; len > 0; len--) {
        c->block[c->total++ % 128] = *data++;
        if (c->total % 128 == 0) compress64(c->h, c->block);
    }
}

/* Padding: 5.1.2. The bit length has 128 bits there; below 2^61 bytes the upper 64 are zero. */
void svconn_sha512_final(svconn_sha512_ctx *c, uint8_t digest[64]) {
    uint8_t pad = 0x80, bits[16] = {0};
    store_be64(bits + 8, c->total << 3);
    do {
        svconn_sha512_update(c, &pad, 1);
        pad = 0;
    } while (c->total % 128 != 112);
    svconn_sha512_update(c, bits, sizeof bits);
    for (unsigned i = 0; i < 8; i++) store_be64(digest + 8 * i, c->h[i]);
    ct_wipe(c, sizeof *c);
}
#else
/* Between calls block holds the total % 128 bytes that fill no block yet: never 128. */
void svconn_sha512_update(svconn_sha512_ctx *c, const uint8_t *data, size_t len) {
    size_t have = (size_t)(c->total & 127);
    if (len == 0) return;
    c->total += len;
    if (have > 0) {
        size_t take = 128 - have;
        if (len < take) take = len;
        memcpy(c->block + have, data, take);
        if (have + take < 128) return;
        compress64(c->h, c->block, 1);
        data += take;
        len -= take;
    }
    compress64(c->h, data, len / 128);
    if (len % 128 > 0) memcpy(c->block, data + len / 128 * 128, len % 128);
}

/* Padding: 5.1.2. The bit length has 128 bits there; below 2^61 bytes the upper 64 are zero. */
void svconn_sha512_final(svconn_sha512_ctx *c, uint8_t digest[64]) {
    size_t have = (size_t)(c->total & 127);
    c->block[have++] = 0x80;
    memset(c->block + have, 0, 128 - have);
    if (have > 112) {
        compress64(c->h, c->block, 1);
        memset(c->block, 0, 120);
    }
    store_be64(c->block + 120, c->total << 3);
    compress64(c->h, c->block, 1);
    for (unsigned i = 0; i < 8; i++) store_be64(digest + 8 * i, c->h[i]);
    ct_wipe(c, sizeof *c);
}
#endif
