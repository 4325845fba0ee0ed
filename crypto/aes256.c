/* SPDX-License-Identifier: ISC */
/*
 * AES-256 encryption, bitsliced, without tables. Sources:
 *   FIPS 197, sections 4 and 5: the cipher;
 *   J. Boyar, R. Peralta, "A new combinational logic minimization technique with applications to
 *   cryptology", SEA 2010, IACR ePrint 2009/191: the S-box as a circuit of 115 gates;
 *   A. Adomnicai, T. Peyrin, "Fixslicing AES-like ciphers", IACR ePrint 2020/1123: ShiftRows by renaming.
 *
 * The state of all blocks of a batch is 8 words: q[j] holds bit j (1 << j) of every byte. Within a
 * word the bit of row r, column c, block b has the index
 *
 *   LANE * r + STEP * c + b,    LANE = WORD / 4, STEP = WORD / 16 = number of blocks,
 *
 * so with 64-bit words there are 4 blocks, with 32-bit words 2, and the same text serves both.
 *
 * ShiftRows is never carried out in the rounds. After round i row r of the stored state still lacks
 * i rotations by r: stored (r, c) is true (r, c - r * i). MixColumns in round i then finds the row
 * below i columns to the right, whatever the row is, as columns count mod 4; round keys are stored
 * displaced in the same way; and after 14 rounds, 14 mod 4 = 2, one displacement by 2 * r is undone.
 *
 * Everything is and, xor, not, shift by constants: constant time.
 */
#include "aes256.h"
#include "backend.h"
#include "ct.h"

#ifndef SVCONN_SMALL_AES

#define word svconn_word
#define NAME(x) svconn_aes256_##x

#define WORD SVCONN_WORD_BITS
#define LANE (WORD / 4)
#define STEP (WORD / 16)
#define BLOCKS SVCONN_AES256_BLOCKS
#define ROUNDS 14
#define UNROLL SVCONN_UNROLL

#define ALL ((word)UINT64_C(0xffffffffffffffff))
#define LANE_ONES ((word)(((word)1 << LANE) - 1))
/* x in every lane */
#define LANES(x) ((word)(ALL / LANE_ONES * (word)(x)))
/* bit 0 of every group of BLOCKS bits: block 0 */
#define BLOCK0 ((word)(ALL / (((word)1 << BLOCKS) - 1)))

#define INLINE static
#include "aes_sbox.h"

/* ---- MixColumns ----------------------------------------------------------- */
/* Every bit takes the value of the one `rows` rows further down and `columns` columns further right. */
static inline word neighbour(word x, unsigned rows, unsigned columns) {
    unsigned s = STEP * columns;
    x = x >> LANE * rows | x << (WORD - LANE * rows);
    if (s == 0) return x;
    return (x >> s & LANES(LANE_ONES >> s)) | (x << (LANE - s) & (word)~LANES(LANE_ONES >> s));
}

/* FIPS 197 5.1.3 by rows: with a' = the row below a, and t = a + a', the new row is
 * 2a + 3a' + a'' + a''' = 2t + a' + t''. Doubling is mod x^8 + x^4 + x^3 + x + 1: t[7] comes back in
 * at bits 0, 1, 3, 4. `shift` is the round number mod 4. */
static inline void mix_columns(word q[8], unsigned shift) {
    word t[8];
    UNROLL for (unsigned j = 0; j < 8; j++) {
        word a = neighbour(q[j], 1, shift);
        t[j] = q[j] ^ a;
        q[j] = a ^ neighbour(t[j], 2, (2 * shift) & 3);
    }
    q[0] ^= t[7];
    q[1] ^= t[0] ^ t[7];
    q[2] ^= t[1];
    q[3] ^= t[2] ^ t[7];
    q[4] ^= t[3] ^ t[7];
    q[5] ^= t[4];
    q[6] ^= t[5];
    q[7] ^= t[6];
}

/* The displacement that is left at the end: rows 1 and 3 move by 2 columns, half a lane. */
static inline void shift_rows_twice(word q[8]) {
    const word low = (word)((((word)1 << LANE / 2) - 1) << LANE) | (word)((((word)1 << LANE / 2) - 1) << 3 * LANE);
    UNROLL for (unsigned j = 0; j < 8; j++) {
        word d = (q[j] ^ q[j] >> LANE / 2) & low;
        q[j] ^= d ^ d << LANE / 2;
    }
}

static inline void add_round_key(word q[8], const word rk[8]) {
    UNROLL for (unsigned j = 0; j < 8; j++) q[j] ^= rk[j];
}

static void encrypt(word q[8], const word rk[8 * (ROUNDS + 1)]) {
    add_round_key(q, rk);
    for (unsigned i = 1; i < ROUNDS; i++) {
        NAME(sub_bytes)(q);
#ifdef SVCONN_SMALL
        mix_columns(q, i & 3);
#else
        switch (i & 3) {
        case 0: mix_columns(q, 0); break;
        case 1: mix_columns(q, 1); break;
        case 2: mix_columns(q, 2); break;
        default: mix_columns(q, 3); break;
        }
#endif
        add_round_key(q, rk + 8 * i);
    }
    NAME(sub_bytes)(q);
    add_round_key(q, rk + 8 * ROUNDS);
    shift_rows_twice(q);
}

/* ---- into and out of the bitsliced form ----------------------------------- */
/* Bits of a under mask << n change places with bits of b under mask. */
static inline void swap_bits(word *a, word *b, word mask, unsigned n) {
    word t = (*a >> n ^ *b) & mask;
    *b ^= t;
    *a ^= t << n;
}

/* Bit i of each byte of q[k] changes places with bit k of that byte of q[i]: its own inverse. */
static inline void transpose(word q[8]) {
    const word m1 = ALL / 3, m2 = ALL / 5, m4 = ALL / 17;
    UNROLL for (unsigned k = 0; k < 8; k += 2) swap_bits(&q[k], &q[k + 1], m1, 1);
    UNROLL for (unsigned k = 0; k < 4; k++) swap_bits(&q[k / 2 * 4 + k % 2], &q[k / 2 * 4 + k % 2 + 2], m2, 2);
    UNROLL for (unsigned k = 0; k < 4; k++) swap_bits(&q[k], &q[k + 4], m4, 4);
}

/* w: column c of block b is w[4 * b + c], its row r the byte at bits 8 * r. Byte p of q[k] becomes
 * the bits 8 * p + k; solve that for the index above. */
#if WORD == 64
static inline word spread(uint32_t x) {
    word y = x;
    y = (y | y << 16) & UINT64_C(0x0000ffff0000ffff);
    return (y | y << 8) & UINT64_C(0x00ff00ff00ff00ff);
}
static inline uint32_t unspread(word y) {
    y &= UINT64_C(0x00ff00ff00ff00ff);
    y = (y | y >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(y | y >> 16);
}
static void pack(word q[8], const uint32_t w[4 * BLOCKS]) {
    for (unsigned b = 0; b < 4; b++) {
        q[b] = spread(w[4 * b]) | spread(w[4 * b + 2]) << 8;
        q[4 + b] = spread(w[4 * b + 1]) | spread(w[4 * b + 3]) << 8;
    }
    transpose(q);
}
static void unpack(uint32_t w[4 * BLOCKS], word q[8]) {
    transpose(q);
    for (unsigned b = 0; b < 4; b++) {
        w[4 * b] = unspread(q[b]);
        w[4 * b + 1] = unspread(q[4 + b]);
        w[4 * b + 2] = unspread(q[b] >> 8);
        w[4 * b + 3] = unspread(q[4 + b] >> 8);
    }
}
#else
static void pack(word q[8], const uint32_t w[4 * BLOCKS]) {
    for (unsigned k = 0; k < 8; k++) q[k] = w[4 * (k & 1) + k / 2];
    transpose(q);
}
static void unpack(uint32_t w[4 * BLOCKS], word q[8]) {
    transpose(q);
    for (unsigned k = 0; k < 8; k++) w[4 * (k & 1) + k / 2] = q[k];
}
#endif

/* ---- the key -------------------------------------------------------------- */
#define BYTES 0x01010101u /* bit 0 of each byte */

uint32_t svconn_aes256_sub_word(uint32_t w) {
    word q[8]; /* transposed: nothing but w is in it */
    UNROLL for (unsigned j = 0; j < 8; j++) q[j] = w >> j & BYTES;
    NAME(sub_bytes)(q);
    w = SBOX_CONSTANT * BYTES;
    UNROLL for (unsigned j = 0; j < 8; j++) w ^= ((uint32_t)q[j] & BYTES) << j;
    ct_wipe(q, sizeof q);
    return w;
}

/* FIPS 197 5.2 with Nk = 8; bytes are little-endian in words here, so RotWord is a rotation to the right. */
static void schedule(uint32_t w[4 * (ROUNDS + 1)], const uint8_t k[32]) {
    for (unsigned i = 0; i < 8; i++) w[i] = load_le32(k + 4 * i);
    for (unsigned i = 8; i < 4 * (ROUNDS + 1); i++) {
        uint32_t t = w[i - 1];
        if (i % 8 == 0) t = svconn_aes256_sub_word(t >> 8 | t << 24) ^ (uint32_t)1 << (i / 8 - 1);
        else if (i % 8 == 4) t = svconn_aes256_sub_word(t);
        w[i] = w[i - 8] ^ t;
    }
}

/* Round key i with what the rounds leave out: displaced by i, stored (r, c) is true (r, c - r * i); and with the
 * constant of the S-box. */
static void displaced(uint32_t d[4], const uint32_t w[4], unsigned i) {
    for (unsigned c = 0; c < 4; c++) {
        d[c] = i > 0 ? SBOX_CONSTANT * BYTES : 0;
        UNROLL for (unsigned r = 0; r < 4; r++) d[c] ^= w[(c - r * i) & 3] & (uint32_t)0xff << 8 * r;
    }
}

/* As block 0 alone a round key fills every BLOCKS-th bit of 8 words; BLOCKS of these are laid into one another. That
 * takes back what transpose does among BLOCKS neighbours: the other swaps are left. */
static void compress_round_key(uint64_t key[2], const uint32_t w[4], unsigned i) {
    uint32_t d[4];
    word q[8 / BLOCKS];
    displaced(d, w, i);
#if WORD == 64
    for (unsigned k = 0; k < 2; k++) q[k] = spread(d[k]) | spread(d[k + 2]) << 8;
#else
    for (unsigned k = 0; k < 4; k++) q[k] = d[k];
    UNROLL for (unsigned k = 0; k < 4; k += 2) swap_bits(&q[k], &q[k + 1], ALL / 5, 2);
#endif
    UNROLL for (unsigned k = 0; k < 4 / BLOCKS; k++) swap_bits(&q[k], &q[k + 4 / BLOCKS], ALL / 17, 4);
    for (unsigned k = 0; k < 8 / BLOCKS; k++) svconn_word_put(key, k, q[k]);
    ct_wipe(d, sizeof d);
    ct_wipe(q, sizeof q);
}

static void expand_round_key(word rk[8], const uint64_t key[2]) {
    UNROLL for (unsigned j = 0; j < 8; j++) {
        word k = svconn_word_get(key, j / BLOCKS) >> j % BLOCKS & BLOCK0;
        rk[j] = (word)(k << BLOCKS) - k; /* bit 0 of each group to all bits of the group */
    }
}

void svconn_aes256_init(uint64_t key[SVCONN_AES256_WORDS], const uint8_t k[32]) {
    uint32_t w[4 * (ROUNDS + 1)];
    schedule(w, k);
    for (unsigned i = 0; i <= ROUNDS; i++) compress_round_key(key + 2 * i, w + 4 * i, i);
    ct_wipe(w, sizeof w);
}

void svconn_aes256_displaced_keys(uint8_t key[16 * (ROUNDS + 1)], const uint8_t k[32]) {
    uint32_t w[4 * (ROUNDS + 1)], d[4];
    schedule(w, k);
    for (unsigned i = 0; i <= ROUNDS; i++) {
        displaced(d, w + 4 * i, i);
        for (unsigned c = 0; c < 4; c++) store_le32(key + 16 * i + 4 * c, d[c]);
    }
    ct_wipe(w, sizeof w);
    ct_wipe(d, sizeof d);
}

/* ---- counter mode --------------------------------------------------------- */
void svconn_aes256_ctr_init(svconn_aes256_ctr *c, const uint64_t key[SVCONN_AES256_WORDS], const uint8_t nonce[12],
                            uint32_t counter) {
    for (unsigned i = 0; i <= ROUNDS; i++) expand_round_key(c->rk + 8 * i, key + 2 * i);
    for (unsigned i = 0; i < 3; i++) c->nonce[i] = load_le32(nonce + 4 * i);
    c->counter = counter;
    c->left = 0;
}

static void next_batch(svconn_aes256_ctr *c) {
    uint32_t w[4 * BLOCKS];
    word q[8];
    for (unsigned b = 0; b < BLOCKS; b++) {
        uint8_t n[4];
        store_be32(n, c->counter + b);
        memcpy(w + 4 * b, c->nonce, sizeof c->nonce);
        w[4 * b + 3] = load_le32(n);
    }
    c->counter += BLOCKS;
    pack(q, w);
    encrypt(q, c->rk);
    unpack(w, q);
    for (unsigned i = 0; i < 4 * BLOCKS; i++) store_le32(c->stream + 4 * i, w[i]);
    c->left = sizeof c->stream;
    ct_wipe(q, sizeof q);
    ct_wipe(w, sizeof w);
}

void svconn_aes256_ctr_xor(svconn_aes256_ctr *c, uint8_t *out, const uint8_t *in, size_t len) {
    while (len > 0) {
        if (c->left == 0) next_batch(c);
        size_t n = len < c->left ? len : c->left;
        const uint8_t *s = c->stream + (sizeof c->stream - c->left);
        size_t i = 0;
#ifndef SVCONN_SMALL
        for (; i + sizeof(word) <= n; i += sizeof(word)) { /* memcpy: any alignment, any byte order */
            word a, b;
            memcpy(&a, in + i, sizeof a);
            memcpy(&b, s + i, sizeof b);
            a ^= b;
            memcpy(out + i, &a, sizeof a);
        }
#endif
        for (; i < n; i++) out[i] = in[i] ^ s[i];
        c->left -= n;
        out += n;
        in += n;
        len -= n;
    }
}
#endif
