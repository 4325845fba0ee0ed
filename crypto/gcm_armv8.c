/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM with the AES and polynomial multiply instructions of Armv8-A: eight blocks in flight. What gcm_x86.h says
 * of powers of H, of the byte order and of the reduction holds here too, and so do its sources; instructions: Arm
 * Architecture Reference Manual for A-profile, A64, AESE, AESMC, PMULL.
 *
 * AESE adds the round key first; so round r adds key r - 1, and the last key is added by itself.
 *
 * The expanded key: powers H^9, ..., H^1, then 15 round keys, 16 bytes each.
 */
#include "backend.h"
#ifdef SVCONN_ARM64_AES
#include "aes256.h"
#include "ct.h"
#include "ghash.h"
#include <arm_neon.h>

#define W 8
#define POWERS (W + 1) /* a whole batch, and the lengths */
#define ROUNDS 14
#define UNROLL SVCONN_UNROLL

typedef uint8x16_t vec;

typedef struct { /* a sum of products: hi * x^128 + mid * x^64 + lo */
    vec lo, mid, hi;
} armv8_sum;

static inline vec power(const uint64_t *key, unsigned n) { return vld1q_u8((const uint8_t *)key + 16 * (POWERS - n)); }
static inline vec round_key(const uint64_t *key, unsigned r) {
    return vld1q_u8((const uint8_t *)key + 16 * (POWERS + r));
}

static inline vec swap_halves(vec a) { return vextq_u8(a, a, 8); }
static inline vec reverse(vec a) { return swap_halves(vrev64q_u8(a)); }

static inline vec mul_low(vec a, vec b) {
    poly64_t low_a = (poly64_t)vgetq_lane_u64(vreinterpretq_u64_u8(a), 0);
    poly64_t low_b = (poly64_t)vgetq_lane_u64(vreinterpretq_u64_u8(b), 0);
    return vreinterpretq_u8_p128(vmull_p64(low_a, low_b));
}
static inline vec mul_high(vec a, vec b) {
    return vreinterpretq_u8_p128(vmull_high_p64(vreinterpretq_p64_u8(a), vreinterpretq_p64_u8(b)));
}

SVCONN_INLINE void armv8_add_product(armv8_sum *s, vec a, vec h) {
    vec crossed = swap_halves(h);
    s->lo = veorq_u8(s->lo, mul_low(a, h));
    s->mid = veorq_u8(s->mid, veorq_u8(mul_low(a, crossed), mul_high(a, crossed)));
    s->hi = veorq_u8(s->hi, mul_high(a, h));
}

static inline armv8_sum nothing(void) { return (armv8_sum){vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)}; }

SVCONN_INLINE vec armv8_reduce(const armv8_sum *s) {
    const vec poly = vreinterpretq_u8_u64(vdupq_n_u64(UINT64_C(0xc200000000000000)));
    vec mid = veorq_u8(s->mid, veorq_u8(swap_halves(s->lo), mul_low(s->lo, poly)));
    return veorq_u8(s->hi, veorq_u8(swap_halves(mid), mul_low(mid, poly)));
}

/* n blocks of key stream, n a constant: nonce with the counters from `counter` on */
SVCONN_INLINE void key_stream(vec x[W], const uint64_t *key, vec nonce, uint32_t counter, unsigned n) {
    UNROLL for (unsigned i = 0; i < n; i++) x[i] =
        vreinterpretq_u8_u32(vsetq_lane_u32(__builtin_bswap32(counter + i), vreinterpretq_u32_u8(nonce), 3));
    UNROLL for (unsigned r = 0; r < ROUNDS - 1; r++) {
        vec k = round_key(key, r);
        UNROLL for (unsigned i = 0; i < n; i++) x[i] = vaesmcq_u8(vaeseq_u8(x[i], k));
    }
    vec k = round_key(key, ROUNDS - 1), last = round_key(key, ROUNDS);
    UNROLL for (unsigned i = 0; i < n; i++) x[i] = veorq_u8(vaeseq_u8(x[i], k), last);
}

/* y and W blocks */
SVCONN_INLINE vec hash_batch(const uint64_t *key, const uint8_t *text, vec y) {
    armv8_sum s = nothing();
    UNROLL for (unsigned i = 0; i < W; i++) {
        vec a = reverse(vld1q_u8(text + 16 * i));
        if (i == 0) a = veorq_u8(a, y);
        armv8_add_product(&s, a, power(key, W - i));
    }
    return armv8_reduce(&s);
}

static vec load_part(const uint8_t *p, size_t n) {
    uint8_t block[16] = {0};
    memcpy(block, p, n);
    vec a = vld1q_u8(block);
    ct_wipe(block, sizeof block);
    return a;
}

/* y and the text, padded with zeros */
static vec armv8_hash(const uint64_t *key, const uint8_t *text, size_t len, vec y) {
    for (; len >= 16 * W; text += 16 * W, len -= 16 * W) y = hash_batch(key, text, y);
    if (len == 0) return y;
    armv8_sum s = nothing(); /* one reduction for the rest */
    unsigned n = (unsigned)((len + 15) / 16);
    for (unsigned i = 0; i < n; i++, text += 16, len -= 16) {
        vec a = reverse(load_part(text, len < 16 ? len : 16));
        if (i == 0) a = veorq_u8(a, y);
        armv8_add_product(&s, a, power(key, n - i));
        if (len < 16) break;
    }
    return armv8_reduce(&s);
}

/* Both directions: seals, or opens without looking at the tag; writes the full tag. */
SVCONN_INLINE void crypt(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                         const uint8_t *in, size_t len, uint8_t tag[16], int seal) {
    const size_t aad_bits = aad_len << 3, bits = len << 3;
    uint32_t counter = 2;
    vec x[W], mask, n = load_part(nonce, 12);
    vec y = armv8_hash(key, aad, aad_len, vdupq_n_u8(0));
    key_stream(x, key, n, 1, 1);
    mask = x[0];
    for (; len >= 16 * W; len -= 16 * W, in += 16 * W, out += 16 * W, counter += W) {
        key_stream(x, key, n, counter, W);
        if (!seal) y = hash_batch(key, in, y); /* beside the rounds: neither waits for the other */
        UNROLL for (unsigned i = 0; i < W; i++) vst1q_u8(out + 16 * i, veorq_u8(vld1q_u8(in + 16 * i), x[i]));
        if (seal) y = hash_batch(key, out, y);
    }
    if (len > 0) {
        uint8_t stream[16 * W];
        key_stream(x, key, n, counter, W);
        UNROLL for (unsigned i = 0; i < W; i++) vst1q_u8(stream + 16 * i, x[i]);
        if (!seal) y = armv8_hash(key, in, len, y);
        for (size_t i = 0; i < len; i++) out[i] = in[i] ^ stream[i];
        if (seal) y = armv8_hash(key, out, len, y);
        ct_wipe(stream, sizeof stream);
    }
    uint64x2_t lengths = vdupq_n_u64((uint64_t)bits);
    lengths = vsetq_lane_u64((uint64_t)aad_bits, lengths, 1);
    armv8_sum s = nothing();
    armv8_add_product(&s, veorq_u8(vreinterpretq_u8_u64(lengths), y), power(key, 1));
    vst1q_u8(tag, veorq_u8(reverse(armv8_reduce(&s)), mask));
}

/* FIPS 197 5.2 with Nk = 8. AESE of a column in all four places, with a key of zeros, is SubWord: ShiftRows moves equal
 * columns. */
static uint32_t sub_word(uint32_t w) {
    vec a = vaeseq_u8(vreinterpretq_u8_u32(vdupq_n_u32(w)), vdupq_n_u8(0));
    return vgetq_lane_u32(vreinterpretq_u32_u8(a), 0);
}

void svconn_gcm_armv8_init(uint64_t *key, const uint8_t k[32]) {
    uint32_t w[4 * (ROUNDS + 1)];
    for (unsigned i = 0; i < 8; i++) w[i] = load_le32(k + 4 * i);
    for (unsigned i = 8; i < 4 * (ROUNDS + 1); i++) {
        uint32_t t = w[i - 1];
        if (i % 8 == 0) t = sub_word(t >> 8 | t << 24) ^ (uint32_t)1 << (i / 8 - 1);
        else if (i % 8 == 4) t = sub_word(t);
        w[i] = w[i - 8] ^ t;
    }
    memcpy(key + 2 * POWERS, w, sizeof w);
    ct_wipe(w, sizeof w);

    vec x[W];
    uint8_t h[16];
    key_stream(x, key, vdupq_n_u8(0), 0, 1);
    vst1q_u8(h, x[0]);
    svconn_ghash_key(key + 2 * (POWERS - 1), h); /* H / x, as in ghash.c */
    ct_wipe(h, sizeof h);
    for (unsigned n = 2; n <= POWERS; n++) {
        armv8_sum s = nothing();
        armv8_add_product(&s, power(key, n / 2), power(key, n - n / 2));
        vst1q_u8((uint8_t *)(key + 2 * (POWERS - n)), armv8_reduce(&s));
    }
}

SVCONN_WIPE_FRAME(wipe_frame, 2048)

__attribute__((noinline)) static void seal_in_frame(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad,
                                                    size_t aad_len, uint8_t *out, const uint8_t *in, size_t len,
                                                    uint8_t tag[16]) {
    crypt(key, nonce, aad, aad_len, out, in, len, tag, 1);
}

void svconn_gcm_armv8_seal(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                           uint8_t *out, const uint8_t *in, size_t len, uint8_t tag[16]) {
    seal_in_frame(key, nonce, aad, aad_len, out, in, len, tag);
    wipe_frame();
    SVCONN_NO_JUMP();
}

__attribute__((noinline)) static void open_in_frame(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad,
                                                    size_t aad_len, uint8_t *out, const uint8_t *in, size_t len,
                                                    uint8_t tag[16]) {
    crypt(key, nonce, aad, aad_len, out, in, len, tag, 0);
}

void svconn_gcm_armv8_open(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
                           uint8_t *out, const uint8_t *in, size_t len, uint8_t tag[16]) {
    open_in_frame(key, nonce, aad, aad_len, out, in, len, tag);
    wipe_frame();
    SVCONN_NO_JUMP();
}
#else
typedef int svconn_no_gcm_armv8;
#endif
