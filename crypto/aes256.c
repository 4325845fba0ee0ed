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
#include "ct.h"

typedef svconn_word word;

#define WORD SVCONN_WORD_BITS
#define LANE (WORD / 4)
#define STEP (WORD / 16)
#define BLOCKS SVCONN_AES256_BLOCKS
#define ROUNDS 14

#define ALL ((word)UINT64_C(0xffffffffffffffff))
#define LANE_ONES ((word)(((word)1 << LANE) - 1))
/* x in every lane */
#define LANES(x) ((word)(ALL / LANE_ONES * (word)(x)))
/* bit 0 of every group of BLOCKS bits: block 0 */
#define BLOCK0 ((word)(ALL / (((word)1 << BLOCKS) - 1)))

/* ---- the S-box ------------------------------------------------------------
 * The circuit of 2009/191: 32 and, 83 xor, with four of these negated for the constant 0x63. Bit 0 of
 * input x and output s is the most significant one. A linear layer makes y from x; the inversion in
 * GF(2^8) over GF(2^4) over GF(2^2) is t2 to z17; a linear layer makes s. (The circuit of depth 16 in
 * 2011/332 has 128 gates: depth is no cost in software.) */
static void sub_bytes(word q[8]) {
    word x0 = q[7], x1 = q[6], x2 = q[5], x3 = q[4], x4 = q[3], x5 = q[2], x6 = q[1], x7 = q[0];

    word y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5;
    word t0 = x1 ^ x2, y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14;
    word y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8, t1 = x4 ^ y12;
    word y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0;
    word y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8;
    word y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;

    word t2 = y12 & y15, t3 = y3 & y6, t4 = t3 ^ t2, t5 = y4 & x7, t6 = t5 ^ t2;
    word t7 = y13 & y16, t8 = y5 & y1, t9 = t8 ^ t7, t10 = y2 & y7, t11 = t10 ^ t7;
    word t12 = y9 & y11, t13 = y14 & y17, t14 = t13 ^ t12, t15 = y8 & y10, t16 = t15 ^ t12;
    word t17 = t4 ^ t14, t18 = t6 ^ t16, t19 = t9 ^ t14, t20 = t11 ^ t16;
    word t21 = t17 ^ y20, t22 = t18 ^ y19, t23 = t19 ^ y21, t24 = t20 ^ y18;

    word t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t28 = t25 & t27, t29 = t28 ^ t22;
    word t30 = t23 ^ t24, t31 = t22 ^ t26, t32 = t31 & t30, t33 = t32 ^ t24, t34 = t23 ^ t33;
    word t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34, t38 = t27 ^ t36;
    word t39 = t29 & t38, t40 = t25 ^ t39, t41 = t40 ^ t37;
    word t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37, t45 = t42 ^ t41;

    word z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
    word z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
    word z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

    word t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5;
    word t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53;
    word t58 = z4 ^ t46, t59 = z3 ^ t54, t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58;
    word t64 = z4 ^ t59, t65 = t61 ^ t62, t66 = z1 ^ t63, t67 = t64 ^ t65, s3 = t53 ^ t66;

    q[7] = t59 ^ t63;
    q[6] = ~(t64 ^ s3);
    q[5] = ~(t55 ^ t67);
    q[4] = s3;
    q[3] = t51 ^ t66;
    q[2] = t47 ^ t65;
    q[1] = ~(t56 ^ t62);
    q[0] = ~(t48 ^ t60);
}

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
    for (unsigned j = 0; j < 8; j++) {
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
    for (unsigned j = 0; j < 8; j++) {
        word d = (q[j] ^ q[j] >> LANE / 2) & low;
        q[j] ^= d ^ d << LANE / 2;
    }
}

static inline void add_round_key(word q[8], const word rk[8]) {
    for (unsigned j = 0; j < 8; j++) q[j] ^= rk[j];
}

static void encrypt(word q[8], const word rk[8 * (ROUNDS + 1)]) {
    add_round_key(q, rk);
    for (unsigned i = 1; i < ROUNDS; i++) {
        sub_bytes(q);
        switch (i & 3) {
        case 0: mix_columns(q, 0); break;
        case 1: mix_columns(q, 1); break;
        case 2: mix_columns(q, 2); break;
        default: mix_columns(q, 3); break;
        }
        add_round_key(q, rk + 8 * i);
    }
    sub_bytes(q);
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
    for (unsigned k = 0; k < 8; k += 2) swap_bits(&q[k], &q[k + 1], m1, 1);
    for (unsigned k = 0; k < 8; k += k & 1 ? 3 : 1) swap_bits(&q[k], &q[k + 2], m2, 2);
    for (unsigned k = 0; k < 4; k++) swap_bits(&q[k], &q[k + 4], m4, 4);
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
uint32_t svconn_aes256_sub_word(uint32_t w) {
    word q[8] = {w};
    transpose(q);
    sub_bytes(q);
    transpose(q);
    w = (uint32_t)q[0];
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

/* Round key i, displaced by i: stored (r, c) is true (r, c - r * i). As block 0 alone it fills every
 * BLOCKS-th bit of 8 words; BLOCKS of these words are laid into one another. */
static void compress_round_key(uint64_t key[2], const uint32_t w[4], unsigned i) {
    uint32_t d[4 * BLOCKS] = {0};
    word q[8];
    for (unsigned c = 0; c < 4; c++) {
        for (unsigned r = 0; r < 4; r++) d[c] |= w[(c - r * i) & 3] & (uint32_t)0xff << 8 * r;
    }
    pack(q, d);
    for (unsigned j = 0; j < 8; j += BLOCKS) {
        for (unsigned b = 1; b < BLOCKS; b++) q[j] |= q[j + b] << b;
        svconn_word_put(key, j / BLOCKS, q[j]);
    }
    ct_wipe(d, sizeof d);
    ct_wipe(q, sizeof q);
}

static void expand_round_key(word rk[8], const uint64_t key[2]) {
    for (unsigned j = 0; j < 8; j++) {
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
        for (size_t i = 0; i < n; i++) out[i] = in[i] ^ s[i];
        c->left -= n;
        out += n;
        in += n;
        len -= n;
    }
}
