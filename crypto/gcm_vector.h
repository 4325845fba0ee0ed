/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM in bitsliced form on vectors, for CPUs without AES instructions: constant time by construction, one text
 * for all vector widths. The file that includes this one says what a vector is; it defines, beside the type `word`, a
 * vector of 64-bit integers:
 *
 *   LANES            128-bit lanes in a vector
 *   TARGET           what the compiler may use
 *   NAME(x)          the names of this width
 *   w_load, w_store  any alignment
 *   w_spread(p)      the 16 bytes at p in every lane
 *   w_shuffle(x, m)  in every lane: byte i is byte m[i] of x; m is w_indexes(16 bytes). Or, without it,
 *   w_move(x, r, c)  in every lane of x, seen as a state of FIPS 197: each byte takes the value from r rows further
 *                    down and c columns further right
 *   w_swap(x)        the bytes of each 64-bit integer in reverse
 *   w_even, w_odd    of two vectors: in each lane the low (high) integers of both
 *   w_mul32          see ghash_sum.h
 *
 * Sources:
 *   NIST SP 800-38D; FIPS 197;
 *   E. Kaesper, P. Schwabe, "Faster and timing-attack resistant AES-GCM", CHES 2009, IACR ePrint 2009/129: eight blocks
 *   in eight vectors, bit j of every byte in vector j;
 *   A. Adomnicai, T. Peyrin, "Fixslicing AES-like ciphers", IACR ePrint 2020/1123: ShiftRows by renaming.
 *
 * A lane of vector j holds, at its byte 4 c + r, bit j of the byte in row r and column c of eight blocks. ShiftRows is
 * never carried out in the rounds: after round i row r of the stored state still lacks i rotations by r: stored (r, c)
 * is true (r, c - r * i). MixColumns in round i then finds the row below i columns to the right, whatever the row is,
 * as columns count mod 4; round keys are stored displaced in the same way; and after 14 rounds, 14 mod 4 = 2, rows 1
 * and 3 are displaced by 2.
 *
 * The key: 15 round keys of 16 bytes, displaced, with SBOX_CONSTANT; then H^16 / x, ..., H^1 / x as pairs of words, the
 * low one first.
 */
#define INLINE TARGET SVCONN_INLINE
#define UNROLL SVCONN_UNROLL

#define ROUNDS 14
#define BATCH (8 * LANES)              /* blocks that are encrypted together */
#define GROUP SVCONN_GCM_VECTOR_POWERS /* blocks whose products are summed */
#define TERMS (GROUP / (2 * LANES))
#define POWERS 30 /* where they begin in the key */

#ifdef w_shuffle
#ifndef w_indexes
#define w_indexes(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#endif
#define FROM(i, r, c) (uint8_t)(((i) & 12) + 4 * (c)) % 16 + ((i) + (r)) % 4
#define FOUR(i, r, c) FROM(i, r, c), FROM(i + 1, r, c), FROM(i + 2, r, c), FROM(i + 3, r, c)
#define SIXTEEN(r, c)                                                                                                  \
    { FOUR(0, r, c), FOUR(4, r, c), FOUR(8, r, c), FOUR(12, r, c) }
static const uint8_t NAME(moves)[3][4][16] = {{SIXTEEN(0, 0), SIXTEEN(0, 1), SIXTEEN(0, 2), SIXTEEN(0, 3)},
                                              {SIXTEEN(1, 0), SIXTEEN(1, 1), SIXTEEN(1, 2), SIXTEEN(1, 3)},
                                              {SIXTEEN(2, 0), SIXTEEN(2, 1), SIXTEEN(2, 2), SIXTEEN(2, 3)}};
#define w_move(x, r, c) w_shuffle(x, w_indexes(NAME(moves)[r][c]))
#endif
#ifndef w_swap
static const uint8_t NAME(reversed)[16] = {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8};
#define w_swap(x) w_shuffle(x, w_indexes(NAME(reversed)))
#endif

#include "aes_sbox.h"
#include "ghash_sum.h"

/* ---- AES ------------------------------------------------------------------------------------------ */
/* FIPS 197 5.1.3 by rows: with a' = the row below a, and t = a + a', the new row is
 * 2a + 3a' + a'' + a''' = 2t + a' + t''. Doubling is mod x^8 + x^4 + x^3 + x + 1: t[7] comes back in
 * at bits 0, 1, 3, 4. i is the round number mod 4, a constant. */
#define MIX_COLUMNS(q, i)                                                                                              \
    do {                                                                                                               \
        word t[8];                                                                                                     \
        UNROLL for (unsigned j = 0; j < 8; j++) {                                                                      \
            word a = w_move(q[j], 1, i);                                                                               \
            t[j] = q[j] ^ a;                                                                                           \
            q[j] = a ^ w_move(t[j], 2, (2 * i) & 3);                                                                   \
        }                                                                                                              \
        q[0] ^= t[7];                                                                                                  \
        q[1] ^= t[0] ^ t[7];                                                                                           \
        q[2] ^= t[1];                                                                                                  \
        q[3] ^= t[2] ^ t[7];                                                                                           \
        q[4] ^= t[3] ^ t[7];                                                                                           \
        q[5] ^= t[4];                                                                                                  \
        q[6] ^= t[5];                                                                                                  \
        q[7] ^= t[6];                                                                                                  \
    } while (0)

INLINE void NAME(add_round_key)(word q[8], const word rk[8]) { UNROLL for (unsigned j = 0; j < 8; j++) q[j] ^= rk[j]; }

#define ROUND(q, i, k)                                                                                                 \
    do {                                                                                                               \
        NAME(sub_bytes)(q);                                                                                            \
        MIX_COLUMNS(q, i);                                                                                             \
        NAME(add_round_key)(q, k);                                                                                     \
    } while (0)

/* Bits of a under mask << n change places with bits of b under mask. */
INLINE void NAME(swap_bits)(word *a, word *b, uint64_t mask, unsigned n) {
    word t = (*a >> n ^ *b) & ((word){0} + mask);
    *b ^= t;
    *a ^= t << n;
}

/* Bit i of each byte of q[k] changes places with bit k of that byte of q[i]: its own inverse. */
INLINE void NAME(transpose)(word q[8]) {
    const uint64_t m1 = UINT64_MAX / 3, m2 = UINT64_MAX / 5, m4 = UINT64_MAX / 17;
    UNROLL for (unsigned k = 0; k < 8; k += 2) NAME(swap_bits)(&q[k], &q[k + 1], m1, 1);
    UNROLL for (unsigned k = 0; k < 4; k++) NAME(swap_bits)(&q[k / 2 * 4 + k % 2], &q[k / 2 * 4 + k % 2 + 2], m2, 2);
    UNROLL for (unsigned k = 0; k < 4; k++) NAME(swap_bits)(&q[k], &q[k + 4], m4, 4);
}

/* Each bit of a round key fills a byte, for eight blocks. */
TARGET static void NAME(expand)(word rk[8 * (ROUNDS + 1)], const uint64_t *key) {
    typedef uint8_t bytes __attribute__((vector_size(16 * LANES)));
    const word ones = (word){0} + UINT64_C(0x0101010101010101);
    for (unsigned i = 0; i <= ROUNDS; i++) {
        word k = w_spread((const uint8_t *)(key + 2 * i));
        UNROLL for (unsigned j = 0; j < 8; j++) rk[8 * i + j] = (word)((bytes){0} - (bytes)(k >> j & ones));
    }
}

/* x: BATCH blocks of key stream, from the counter on; vector n holds the blocks n * LANES and the following. */
TARGET static void NAME(key_stream)(word x[8], const word rk[8 * (ROUNDS + 1)], const uint8_t nonce[12],
                                    uint32_t counter) {
    uint8_t blocks[16 * BATCH];
    for (unsigned n = 0; n < BATCH; n++) {
        memcpy(blocks + 16 * n, nonce, 12);
        store_be32(blocks + 16 * n + 12, counter + n);
    }
    word q[8];
    UNROLL for (unsigned n = 0; n < 8; n++) q[n] = w_load(blocks + 16 * LANES * n);
    NAME(transpose)(q);
    NAME(add_round_key)(q, rk);
    rk += 8;
    for (unsigned i = 1; i < 13; i += 4, rk += 32) {
        ROUND(q, 1, rk);
        ROUND(q, 2, rk + 8);
        ROUND(q, 3, rk + 16);
        ROUND(q, 0, rk + 24);
    }
    ROUND(q, 1, rk);
    NAME(sub_bytes)(q);
    NAME(add_round_key)(q, rk + 8);
    const word odd_rows = (word){0} + UINT64_C(0xff00ff00ff00ff00);
    UNROLL for (unsigned j = 0; j < 8; j++) q[j] ^= (q[j] ^ w_move(q[j], 0, 2)) & odd_rows;
    NAME(transpose)(q);
    UNROLL for (unsigned n = 0; n < 8; n++) x[n] = q[n];
    ct_wipe(blocks, sizeof blocks); /* the first nonce of a record key is secret */
}

/* ---- GHASH ---------------------------------------------------------------------------------------- */
/* Block 2 n LANES + l and block (2 n + 1) LANES + l of a group are the two integers of lane l in term n: what two loads
 * and w_even, w_odd give. The power of block b of the group is GROUP - b. */
TARGET static void NAME(powers)(word f[TERMS * PARTS * CLASSES], const uint64_t *key) {
    for (unsigned n = 0; n < TERMS; n++) {
        const uint8_t *p = (const uint8_t *)(key + POWERS + 2 * 2 * LANES * n);
        word a = w_load(p), b = w_load(p + 16 * LANES);
        NAME(factor)(f + PARTS * CLASSES * n, w_odd(a, b), w_even(a, b));
    }
}

/* y = (y + block 0) H^GROUP + block 1 H^(GROUP - 1) + ... */
TARGET static void NAME(hash_group)(uint64_t y[2], const word f[TERMS * PARTS * CLASSES], const uint8_t *text) {
    word hi[TERMS], lo[TERMS], z[4];
    UNROLL for (unsigned n = 0; n < TERMS; n++) {
        word a = w_load(text + 16 * 2 * LANES * n), b = w_load(text + 16 * (2 * LANES * n + LANES));
        hi[n] = w_swap(w_even(a, b));
        lo[n] = w_swap(w_odd(a, b));
    }
    hi[0] ^= (word){y[1]};
    lo[0] ^= (word){y[0]};
    NAME(sum_of_products)(z, hi, lo, f);
    uint64_t sum[4];
    UNROLL for (unsigned i = 0; i < 4; i++) {
        sum[i] = z[i][0];
        UNROLL for (unsigned l = 1; l < 2 * LANES; l++) sum[i] ^= z[i][l];
    }
    svconn_ghash_reduce(y, sum);
}

/* y and the text, padded with zeros; the groups of it by sums */
TARGET __attribute__((noinline)) static void NAME(hash)(svconn_ghash *g, const uint64_t *key, const uint8_t *text,
                                                        size_t len) {
    word f[TERMS * PARTS * CLASSES];
    if (len >= 16 * GROUP) {
        NAME(powers)(f, key);
        for (; len >= 16 * GROUP; text += 16 * GROUP, len -= 16 * GROUP) NAME(hash_group)(g->y, f, text);
        ct_wipe(f, sizeof f);
    }
    svconn_ghash_update(g, text, len);
}

/* ---- GCM ------------------------------------------------------------------------------------------ */
typedef struct {
    word rk[8 * (ROUNDS + 1)], x[8]; /* the key; a batch of key stream */
    uint32_t counter;                /* of the next batch */
    size_t used;                     /* bytes of x */
} NAME(stream);

TARGET static void NAME(xor)(NAME(stream) *s, const uint8_t nonce[12], uint8_t *out, const uint8_t *in, size_t len) {
    while (len > 0) {
        if (s->used == sizeof s->x) {
            NAME(key_stream)(s->x, s->rk, nonce, s->counter);
            s->counter += BATCH;
            s->used = 0;
        }
        size_t n = sizeof s->x - s->used;
        if (n > len) n = len;
        const uint8_t *x = (const uint8_t *)s->x + s->used;
        size_t i = 0;
        for (; i + 16 * LANES <= n; i += 16 * LANES) w_store(out + i, w_load(in + i) ^ w_load(x + i));
        for (; i < n; i++) out[i] = in[i] ^ x[i];
        s->used += n;
        out += n;
        in += n;
        len -= n;
    }
}

SVCONN_WIPE_FRAME(NAME(wipe_hash), 16384)
SVCONN_WIPE_FRAME(NAME(wipe_frame), 2048 + sizeof(NAME(stream)) + 2048 * LANES / (LANES < 4 ? 1 : 2))

/* Both directions: seals, or opens without looking at the tag; writes the full tag. */
TARGET __attribute__((noinline)) static void NAME(crypt)(const uint64_t *key, const uint8_t nonce[12],
                                                         const uint8_t *aad, size_t aad_len, uint8_t *out,
                                                         const uint8_t *in, size_t len, uint8_t tag[16], int seal) {
    NAME(stream) s;
    svconn_ghash g;
    static const uint8_t zero[16] = {0};
    uint8_t hash[16];
    NAME(expand)(s.rk, key);
    s.counter = 1; /* J0, which masks the tag; the text uses what follows */
    s.used = sizeof s.x;
    NAME(xor)(&s, nonce, tag, zero, 16);
    svconn_ghash_init(&g, key + POWERS + 2 * (GROUP - 1));
    svconn_ghash_update(&g, aad, aad_len);
    if (seal) NAME(xor)(&s, nonce, out, in, len);
    NAME(hash)(&g, key, seal ? out : in, len);
    if (len >= 16 * GROUP) NAME(wipe_hash)();
    if (!seal) NAME(xor)(&s, nonce, out, in, len);
    svconn_ghash_final(&g, aad_len, len, hash);
    for (unsigned i = 0; i < 16; i++) tag[i] ^= hash[i];
    ct_wipe(hash, sizeof hash);
    ct_wipe(&g, sizeof g);
    ct_wipe(&s, sizeof s);
}

TARGET __attribute__((noinline)) static void NAME(init_in_frame)(uint64_t *key, const uint8_t k[32]) {
    word rk[8 * (ROUNDS + 1)], x[8];
    static const uint8_t zero[12] = {0};
    svconn_aes256_displaced_keys((uint8_t *)key, k);
    NAME(expand)(rk, key);
    NAME(key_stream)(x, rk, zero, 0);
    svconn_ghash_key(key + POWERS + 2 * (GROUP - 1), (const uint8_t *)x); /* H = E(0) */
    svconn_ghash_powers(key + POWERS, GROUP);
    ct_wipe(x, sizeof x);
    ct_wipe(rk, sizeof rk);
}

TARGET void NAME(init)(uint64_t *key, const uint8_t k[32]) {
    NAME(init_in_frame)(key, k);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}

TARGET void NAME(seal)(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                       const uint8_t *in, size_t len, uint8_t tag[16]) {
    NAME(crypt)(key, nonce, aad, aad_len, out, in, len, tag, 1);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}

TARGET void NAME(open)(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                       const uint8_t *in, size_t len, uint8_t tag[16]) {
    NAME(crypt)(key, nonce, aad, aad_len, out, in, len, tag, 0);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}
