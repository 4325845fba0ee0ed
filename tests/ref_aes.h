/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM as the standards write it down: bytes, tables, loops over bits. Slow, not constant
 * time, and with no thought in common with crypto/: it is what crypto/ is compared with.
 * Sources: FIPS 197, SP 800-38D.
 */
#ifndef SVCONN_REF_AES_H
#define SVCONN_REF_AES_H

#include <stdint.h>
#include <string.h>

/* FIPS 197 4.2: the product modulo x^8 + x^4 + x^3 + x + 1 */
static inline uint8_t ref_mul(uint8_t a, uint8_t b) {
    unsigned x = a, z = 0;
    for (int i = 0; i < 8; i++) {
        if (b >> i & 1) z ^= x;
        x <<= 1;
        if (x & 0x100) x ^= 0x11b;
    }
    return (uint8_t)z;
}

/* FIPS 197 5.1.1: the inverse by search, then the affine map bit by bit */
static inline uint8_t ref_sbox_of(uint8_t a) {
    unsigned inverse = 0, s = 0;
    for (unsigned b = 1; b < 256; b++) {
        if (ref_mul(a, (uint8_t)b) == 1) inverse = b;
    }
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = inverse >> i ^ inverse >> (i + 4) % 8 ^ inverse >> (i + 5) % 8 ^ inverse >> (i + 6) % 8 ^
                       inverse >> (i + 7) % 8 ^ 0x63u >> i;
        s |= (bit & 1) << i;
    }
    return (uint8_t)s;
}

static inline uint8_t ref_sbox(uint8_t a) {
    static uint8_t table[256];
    static int ready;
    if (!ready) {
        for (unsigned i = 0; i < 256; i++) table[i] = ref_sbox_of((uint8_t)i);
        ready = 1;
    }
    return table[a];
}

/* FIPS 197 5.2: w[4 * i + n] is byte n of word i */
static inline void ref_expand_key(uint8_t w[240], const uint8_t key[32]) {
    uint8_t rcon = 1;
    memcpy(w, key, 32);
    for (unsigned i = 8; i < 60; i++) {
        uint8_t t[4];
        memcpy(t, w + 4 * (i - 1), 4);
        if (i % 8 == 0) {
            uint8_t first = t[0];
            for (unsigned n = 0; n < 3; n++) t[n] = ref_sbox(t[n + 1]);
            t[3] = ref_sbox(first);
            t[0] ^= rcon;
            rcon = ref_mul(rcon, 2);
        } else if (i % 8 == 4) {
            for (unsigned n = 0; n < 4; n++) t[n] = ref_sbox(t[n]);
        }
        for (unsigned n = 0; n < 4; n++) w[4 * i + n] = w[4 * (i - 8) + n] ^ t[n];
    }
}

static inline void ref_add_round_key(uint8_t s[4][4], const uint8_t *w) {
    for (unsigned c = 0; c < 4; c++) {
        for (unsigned r = 0; r < 4; r++) s[r][c] ^= w[4 * c + r];
    }
}

static inline void ref_sub_and_shift(uint8_t s[4][4]) {
    uint8_t t[4][4];
    for (unsigned r = 0; r < 4; r++) {
        for (unsigned c = 0; c < 4; c++) t[r][c] = ref_sbox(s[r][(c + r) % 4]);
    }
    memcpy(s, t, 16);
}

static inline void ref_mix_columns(uint8_t s[4][4]) {
    uint8_t t[4][4];
    for (unsigned r = 0; r < 4; r++) {
        for (unsigned c = 0; c < 4; c++) {
            t[r][c] = ref_mul(2, s[r][c]) ^ ref_mul(3, s[(r + 1) % 4][c]) ^ s[(r + 2) % 4][c] ^ s[(r + 3) % 4][c];
        }
    }
    memcpy(s, t, 16);
}

/* FIPS 197 5.1 */
static inline void ref_aes256(uint8_t out[16], const uint8_t in[16], const uint8_t w[240]) {
    uint8_t s[4][4];
    for (unsigned i = 0; i < 16; i++) s[i % 4][i / 4] = in[i];
    ref_add_round_key(s, w);
    for (unsigned round = 1; round <= 14; round++) {
        ref_sub_and_shift(s);
        if (round < 14) ref_mix_columns(s);
        ref_add_round_key(s, w + 16 * round);
    }
    for (unsigned i = 0; i < 16; i++) out[i] = s[i % 4][i / 4];
}

/* SP 800-38D 6.3, algorithm 1: x = x * y; bit 0 is the leftmost */
static inline void ref_gf_mul(uint8_t x[16], const uint8_t y[16]) {
    uint8_t z[16] = {0}, v[16];
    memcpy(v, y, 16);
    for (unsigned i = 0; i < 128; i++) {
        int out = v[15] & 1;
        if (x[i / 8] >> (7 - i % 8) & 1) {
            for (unsigned k = 0; k < 16; k++) z[k] ^= v[k];
        }
        for (unsigned k = 15; k > 0; k--) v[k] = (uint8_t)(v[k] >> 1 | v[k - 1] << 7);
        v[0] >>= 1;
        if (out) v[0] ^= 0xe1;
    }
    memcpy(x, z, 16);
}

/* SP 800-38D 6.4 over data and zeros up to a full block, from the state y */
static inline void ref_ghash(uint8_t y[16], const uint8_t h[16], const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i += 16) {
        for (size_t k = 0; k < 16 && i + k < len; k++) y[k] ^= data[i + k];
        ref_gf_mul(y, h);
    }
}

/* SP 800-38D 6.5 for counter blocks block, inc32(block), ... */
static inline void ref_ctr(uint8_t *out, const uint8_t *in, size_t len, const uint8_t w[240], const uint8_t block[16]) {
    uint8_t cb[16], s[16];
    memcpy(cb, block, 16);
    for (size_t i = 0; i < len; i++) {
        if (i % 16 == 0) {
            ref_aes256(s, cb, w);
            for (unsigned k = 15; k >= 12 && ++cb[k] == 0; k--) {
            }
        }
        out[i] = in[i] ^ s[i % 16];
    }
}

/* SP 800-38D 7.1 for 96-bit nonces */
static inline void ref_gcm(uint8_t *out, uint8_t tag[16], const uint8_t key[32], const uint8_t nonce[12],
                           const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len) {
    uint8_t w[240], h[16] = {0}, j[16] = {0}, y[16] = {0}, lengths[16];
    ref_expand_key(w, key);
    ref_aes256(h, h, w);
    memcpy(j, nonce, 12);
    j[15] = 2;
    ref_ctr(out, in, len, w, j);
    for (unsigned i = 0; i < 8; i++) {
        lengths[i] = (uint8_t)((uint64_t)aad_len * 8 >> (56 - 8 * i));
        lengths[8 + i] = (uint8_t)((uint64_t)len * 8 >> (56 - 8 * i));
    }
    ref_ghash(y, h, aad, aad_len);
    ref_ghash(y, h, out, len);
    ref_ghash(y, h, lengths, 16);
    j[15] = 1;
    ref_ctr(tag, y, 16, w, j);
}

#endif
