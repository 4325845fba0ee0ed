/* SPDX-License-Identifier: ISC */
/*
 * GHASH without tables and without a carry-less multiply instruction. Sources:
 *   NIST SP 800-38D, sections 6.3 and 6.4: the field and the hash;
 *   T. Pornin, "Constant-time crypto" (bearssl.org): carry-less products from integer products with holes;
 *   A. Karatsuba, Y. Ofman (1962): three products instead of four;
 *   S. Gueron, M. Kounavis, "Intel carry-less multiplication instruction and its usage for computing
 *   the GCM mode" (2010): work on the reflected bits, and put the shift by one into the key.
 *
 * Integer products only, of a width that takes constant time: 32 x 32 -> 64 bits on 64-bit
 * machines, and on 32-bit ones that have it; 16 x 16 -> 32 bits on the others (SVCONN_NARROW_MUL),
 * which is a plain 32-bit multiply instruction everywhere.
 */
#include "ghash.h"
#include "backend.h"
#include "ct.h"
#include "profile.h"

#ifndef SVCONN_SMALL_AES

#define word svconn_word
#define NAME(x) svconn_ghash_##x

#define WORD SVCONN_WORD_BITS
#define HALF (WORD / 2)
#define N (128 / WORD)

#if WORD == 32 && !defined(SVCONN_NARROW_MUL)
#define LONG_PRODUCTS 1
#endif

/* ---- the product of two half words ----------------------------------------
 * Each operand is split into classes of bits that lie 4 (or 3) apart. In the integer product of two
 * classes each sum of bits has room for 4 (3) bits before it reaches its neighbour, and there are
 * at most 8 (6) terms to a sum: below 16 (8), so no carry comes across, and the lowest bit of the
 * sum is the carry-less one. Class i times class j lands in class i + j. */
#if WORD == 64
static inline word mul_half(word a, word b) {
    const word m0 = UINT64_C(0x1111111111111111), m1 = m0 << 1, m2 = m0 << 2, m3 = m0 << 3;
    word a0 = a & m0, a1 = a & m1, a2 = a & m2, a3 = a & m3;
    word b0 = b & m0, b1 = b & m1, b2 = b & m2, b3 = b & m3;
    word z0 = a0 * b0 ^ a1 * b3 ^ a2 * b2 ^ a3 * b1;
    word z1 = a0 * b1 ^ a1 * b0 ^ a2 * b3 ^ a3 * b2;
    word z2 = a0 * b2 ^ a1 * b1 ^ a2 * b0 ^ a3 * b3;
    word z3 = a0 * b3 ^ a1 * b2 ^ a2 * b1 ^ a3 * b0;
    return (z0 & m0) | (z1 & m1) | (z2 & m2) | (z3 & m3);
}
#elif !defined(LONG_PRODUCTS)
static inline word mul_half(word a, word b) {
    const word m0 = 0x49249249, m1 = 0x92492492, m2 = 0x24924924;
    word a0 = a & m0, a1 = a & m1, a2 = a & m2;
    word b0 = b & m0, b1 = b & m1, b2 = b & m2;
    word z0 = a0 * b0 ^ a1 * b2 ^ a2 * b1;
    word z1 = a0 * b1 ^ a1 * b0 ^ a2 * b2;
    word z2 = a0 * b2 ^ a1 * b1 ^ a2 * b0;
    return (z0 & m0) | (z1 & m1) | (z2 & m2);
}
#endif

#ifdef LONG_PRODUCTS
/* The same for two whole words of 32 bits: classes of 8 bits, 4 apart. Not inline: nine of them at once would leave no
 * registers. */
#ifdef CT_GNU
__attribute__((noinline))
#endif
static void mul1(word z[2], word a, word b) {
    const word m0 = 0x11111111, m1 = m0 << 1, m2 = m0 << 2, m3 = m0 << 3;
    const uint64_t n0 = UINT64_C(0x1111111111111111), n1 = n0 << 1, n2 = n0 << 2, n3 = n0 << 3;
    uint64_t a0 = a & m0, a1 = a & m1, a2 = a & m2, a3 = a & m3;
    word b0 = b & m0, b1 = b & m1, b2 = b & m2, b3 = b & m3;
    uint64_t r = ((a0 * b0 ^ a1 * b3 ^ a2 * b2 ^ a3 * b1) & n0) | ((a0 * b1 ^ a1 * b0 ^ a2 * b3 ^ a3 * b2) & n1) |
                 ((a0 * b2 ^ a1 * b1 ^ a2 * b0 ^ a3 * b3) & n2) | ((a0 * b3 ^ a1 * b2 ^ a2 * b1 ^ a3 * b0) & n3);
    z[0] = (word)r;
    z[1] = (word)(r >> 32);
}
#endif

/* ---- Karatsuba: z = a * b ------------------------------------------------- */
#ifndef LONG_PRODUCTS
static inline void mul1(word z[2], word a, word b) {
    const word low = ((word)1 << HALF) - 1;
    word lo = mul_half(a & low, b & low);
    word hi = mul_half(a >> HALF, b >> HALF);
    word mid = mul_half((a ^ a >> HALF) & low, (b ^ b >> HALF) & low) ^ lo ^ hi;
    z[0] = lo ^ mid << HALF;
    z[1] = hi ^ mid >> HALF;
}
#endif

static inline void mul2(word z[4], const word a[2], const word b[2]) {
    word mid[2];
    mul1(z, a[0], b[0]);
    mul1(z + 2, a[1], b[1]);
    mul1(mid, a[0] ^ a[1], b[0] ^ b[1]);
    mid[0] ^= z[0] ^ z[2];
    mid[1] ^= z[1] ^ z[3];
    z[1] ^= mid[0];
    z[2] ^= mid[1];
}

#if WORD == 64
#define mul128 mul2
#else
static inline void mul4(word z[8], const word a[4], const word b[4]) {
    const word sa[2] = {a[0] ^ a[2], a[1] ^ a[3]}, sb[2] = {b[0] ^ b[2], b[1] ^ b[3]};
    word mid[4];
    mul2(z, a, b);
    mul2(z + 4, a + 2, b + 2);
    mul2(mid, sa, sb);
    for (unsigned i = 0; i < 4; i++) mid[i] ^= z[i] ^ z[i + 4];
    for (unsigned i = 0; i < 4; i++) z[i + 2] ^= mid[i];
}
#define mul128 mul4
#endif

/* ---- the field ------------------------------------------------------------
 * A block is read as a big-endian number, so x^0 is its highest bit, 127, and x^127 is bit 0. The
 * product of two such numbers has x^0 at bit 254 and not 255: one shift to the left is due. It is
 * in the key, which holds H / x. Then x^k is bit 255 - k, and the low half of z is the multiple of
 * x^128 = 1 + x + x^2 + x^7; times x is a shift to the right. From the lowest word on, a word goes
 * to the word 128 bits up, and what is shifted out of that to the next lower one, not yet done. */
static void mul_h(svconn_ghash *g) {
    word *z = g->z;
    mul128(z, g->y, g->h);
    for (unsigned i = 0; i < N; i++) {
        word v = z[i];
        z[i + N] ^= v ^ v >> 1 ^ v >> 2 ^ v >> 7;
        z[i + N - 1] ^= v << (WORD - 1) ^ v << (WORD - 2) ^ v << (WORD - 7);
    }
    memcpy(g->y, z + N, sizeof g->y);
}

static void absorb(svconn_ghash *g, const uint8_t *p) {
#if WORD == 64
    g->y[0] ^= load_be64(p + 8);
    g->y[1] ^= load_be64(p);
#else
    for (unsigned i = 0; i < N; i++) g->y[i] ^= load_be32(p + 12 - 4 * i);
#endif
    mul_h(g);
}

/* H / x: a shift to the left; the x^0 that leaves at the top comes back as 1 / x = 1 + x + x^6 + x^127. */
void svconn_ghash_key(uint64_t key[SVCONN_GHASH_WORDS], const uint8_t h[16]) {
    uint64_t hi = load_be64(h), lo = load_be64(h + 8);
    uint64_t carry = ct_mask64(hi >> 63);
    key[0] = lo << 1 ^ (carry & 1);
    key[1] = (hi << 1 | lo >> 63) ^ (carry & UINT64_C(0xc200000000000000));
}

#if WORD == 64
void svconn_ghash_powers(uint64_t *powers, unsigned n) {
    svconn_ghash g;
    svconn_ghash_init(&g, powers + 2 * (n - 1));
    memcpy(g.y, g.h, sizeof g.y);
    while (n-- > 1) {
        mul_h(&g); /* H^k / x times H */
        memcpy(powers + 2 * (n - 1), g.y, sizeof g.y);
    }
    ct_wipe(&g, sizeof g);
}
#endif

void svconn_ghash_init(svconn_ghash *g, const uint64_t key[SVCONN_GHASH_WORDS]) {
    memset(g->y, 0, sizeof g->y);
    for (unsigned i = 0; i < N; i++) g->h[i] = svconn_word_get(key, i);
}

#if WORD == 64 && !defined(__OPTIMIZE_SIZE__)
/* Four blocks with one reduction, by ghash_sum.h: worth its table from about this many bytes on. */
#define LONG_TEXT 512
#define TERMS 4
#define INLINE SVCONN_INLINE
#define UNROLL SVCONN_UNROLL
static inline word w_mul32(word a, word b) { return (uint64_t)(uint32_t)a * (uint32_t)b; }
#include "ghash_sum.h"

/* As many groups as there are; returns the bytes that were taken. */
static size_t hash_groups(svconn_ghash *g, const uint8_t *data, size_t len) {
    word f[TERMS * PARTS * CLASSES], hi[TERMS], lo[TERMS], z[4];
    uint64_t powers[2 * TERMS];
    size_t done = 0;
    memcpy(powers + 2 * (TERMS - 1), g->h, sizeof g->h);
    svconn_ghash_powers(powers, TERMS);
    for (unsigned i = 0; i < TERMS; i++) NAME(factor)(f + PARTS * CLASSES * i, powers[2 * i + 1], powers[2 * i]);
    for (; len - done >= 16 * TERMS; done += 16 * TERMS) {
        for (unsigned i = 0; i < TERMS; i++) {
            hi[i] = load_be64(data + done + 16 * i);
            lo[i] = load_be64(data + done + 16 * i + 8);
        }
        hi[0] ^= g->y[1];
        lo[0] ^= g->y[0];
        NAME(sum_of_products)(z, hi, lo, f);
        svconn_ghash_reduce(g->y, z);
    }
    ct_wipe(f, sizeof f);
    ct_wipe(powers, sizeof powers);
    ct_wipe(hi, sizeof hi);
    ct_wipe(lo, sizeof lo);
    ct_wipe(z, sizeof z);
    return done;
}
#endif

void svconn_ghash_update(svconn_ghash *g, const uint8_t *data, size_t len) {
#ifdef LONG_TEXT
    if (len >= LONG_TEXT) {
        size_t done = hash_groups(g, data, len);
        data += done;
        len -= done;
    }
#endif
    for (; len >= 16; data += 16, len -= 16) absorb(g, data);
    if (len > 0) {
        uint8_t last[16] = {0};
        memcpy(last, data, len);
        absorb(g, last);
    }
}

void svconn_ghash_final(svconn_ghash *g, uint64_t aad_len, uint64_t len, uint8_t hash[16]) {
    uint8_t lengths[16];
    store_be64(lengths, aad_len << 3);
    store_be64(lengths + 8, len << 3);
    absorb(g, lengths);
    for (unsigned i = 0; i < N; i++) {
#if WORD == 64
        store_be64(hash + 8 - 8 * i, g->y[i]);
#else
        store_be32(hash + 12 - 4 * i, g->y[i]);
#endif
    }
}
#endif
