/* SPDX-License-Identifier: ISC */
/* AES-256, GHASH, AES-256-GCM: published vectors, a slow reference, and the promises of crypto.h. */
#include "aes256.h"
#include "crypto.h"
#include "ghash.h"
#include "ref_aes.h"
#include "test.h"
#include "vectors.h"

#define MAX 4200

/* Bytes without a pattern that the code could share: xorshift64*, the same on every run. */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);
static void fill(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        p[i] = (uint8_t)(random_state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
}

static int all_zero(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) return 0;
    }
    return 1;
}

/* A message with its key, and room that ends where the message does, so that a sanitizer sees a step too far. */
typedef struct {
    uint64_t key[SVCONN_GCM_WORDS];
    uint8_t k[32], nonce[12], tag[16];
    size_t aad_len, len;
    uint8_t *aad, *plain, *cipher; /* cipher and tag: from the reference */
} message;

static message make(size_t aad_len, size_t len) {
    message m;
    m.aad_len = aad_len;
    m.len = len;
    m.aad = vec_alloc(aad_len);
    m.plain = vec_alloc(len);
    m.cipher = vec_alloc(len);
    fill(m.k, 32);
    fill(m.nonce, 12);
    fill(m.aad, aad_len);
    fill(m.plain, len);
    svconn_gcm_init(m.key, m.k);
    ref_gcm(m.cipher, m.tag, m.k, m.nonce, m.aad, aad_len, m.plain, len);
    return m;
}

static void drop(message *m) {
    free(m->aad);
    free(m->plain);
    free(m->cipher);
}

static void seal(const message *m, uint8_t *out, const uint8_t *in, uint8_t *tag, size_t tag_len) {
    svconn_gcm_seal(m->key, m->nonce, m->aad, m->aad_len, out, in, m->len, tag, tag_len);
}

static int opens(const message *m, uint8_t *out, const uint8_t *in, const uint8_t *tag, size_t tag_len) {
    return svconn_gcm_open(m->key, m->nonce, m->aad, m->aad_len, out, in, m->len, tag, tag_len);
}

/* ---- AES ------------------------------------------------------------------ */
#ifdef SVCONN_SMALL_AES
static void to_words(uint32_t *w, const uint8_t *p, unsigned n) {
    for (unsigned i = 0; i < 4 * n; i++) w[i / 4] = w[i / 4] << 8 | p[i];
}
static void to_bytes(uint8_t *p, const uint32_t *w, unsigned n) {
    for (unsigned i = 0; i < 4 * n; i++) p[i] = (uint8_t)(w[i / 4] >> (24 - 8 * (i % 4)));
}

/* As the key schedule shows it (FIPS 197 5.2): w[8] = w[0] ^ SubWord(RotWord(w[7])) ^ Rcon[1] */
static uint32_t sub_word(uint32_t w) {
    uint32_t keys[SVCONN_AES256_SMALL_WORDS] = {0};
    keys[7] = w >> 8 | w << 24;
    svconn_aes256_schedule(keys);
    return keys[8] ^ UINT32_C(0x01000000);
}
#else
#define sub_word svconn_aes256_sub_word
#endif

/* FIPS 197 figure 7 in four places, so that the reference's table is not its own judge. */
static void test_sbox(void) {
    CHECK(ref_sbox(0x00) == 0x63 && ref_sbox(0x01) == 0x7c && ref_sbox(0x53) == 0xed && ref_sbox(0xff) == 0x16);
    for (uint32_t x = 0; x < 256; x++) {
        uint32_t y = ref_sbox((uint8_t)x);
        for (unsigned i = 0; i < 32; i += 8) {
            uint32_t others = UINT32_C(0x63636363) & ~(UINT32_C(0xff) << i);
            CHECK(sub_word(x << i) == (others | y << i));
        }
        CHECK(sub_word(x * UINT32_C(0x01010101)) == y * UINT32_C(0x01010101));
    }
}

#ifdef SVCONN_SMALL_AES
/* Of n bytes from this counter block on; n in whole blocks, or the last one in part */
static void blocks(uint8_t *out, const uint8_t key[32], const uint8_t block[16], size_t n) {
    uint32_t keys[SVCONN_AES256_SMALL_WORDS] = {0}, counter[4] = {0}, b[4];
    uint8_t bytes[16];
    to_words(keys, key, 8);
    svconn_aes256_schedule(keys);
    to_words(counter, block, 4);
    for (; n > 0; counter[3]++) {
        size_t part = n < 16 ? n : 16;
        svconn_aes256_block(b, counter, keys);
        to_bytes(bytes, b, 4);
        memcpy(out, bytes, part);
        out += part;
        n -= part;
    }
}
#else
/* The block cipher through the counter mode: any block is nonce | counter. */
static void blocks(uint8_t *out, const uint8_t key[32], const uint8_t block[16], size_t n) {
    uint64_t words[SVCONN_AES256_WORDS];
    svconn_aes256_ctr c;
    uint32_t counter = (uint32_t)block[12] << 24 | (uint32_t)block[13] << 16 | (uint32_t)block[14] << 8 | block[15];
    svconn_aes256_init(words, key);
    svconn_aes256_ctr_init(&c, words, block, counter);
    memset(out, 0, n);
    svconn_aes256_ctr_xor(&c, out, out, n);
}
#endif

static void test_block(void) {
    vec_file f = vec_load("aes256.txt");
    for (const vec_case *v = f.cases; v < f.cases + f.count; v++) {
        uint8_t out[16], w[240];
        vec_bytes key = vec_get(v, "key"), in = vec_get(v, "plaintext"), want = vec_get(v, "ciphertext");
        CHECK(key.len == 32 && in.len == 16 && want.len == 16);
        blocks(out, key.data, in.data, 16);
        CHECK_BYTES(out, want.data, 16);
        ref_expand_key(w, key.data);
        ref_aes256(out, in.data, w);
        CHECK_BYTES(out, want.data, 16);
    }
    vec_free(&f);
}

static void test_blocks_random(void) {
    for (unsigned i = 0; i < 500; i++) {
        uint8_t key[32], block[16], out[112], want[112], zero[112] = {0}, w[240];
        fill(key, 32);
        fill(block, 16);
        blocks(out, key, block, sizeof out);
        ref_expand_key(w, key);
        ref_ctr(want, zero, sizeof want, w, block);
        CHECK_BYTES(out, want, sizeof want);
    }
}

/* inc32: the carry goes through all four bytes, and stays out of the nonce. */
static void test_counter_wrap(void) {
    static const uint32_t starts[] = {0, 0xfe, 0xfffe, 0xfffffe, 0x7ffffffe, 0xfffffff9, 0xfffffffd, 0xfffffffe,
                                      0xffffffff};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        uint8_t key[32], block[16], out[200], want[200], zero[200] = {0}, w[240];
        fill(key, 32);
        memset(block, 0xff, 12);
        for (unsigned k = 0; k < 4; k++) block[12 + k] = (uint8_t)(starts[i] >> (24 - 8 * k));
        blocks(out, key, block, sizeof out);
        ref_expand_key(w, key);
        ref_ctr(want, zero, sizeof want, w, block);
        CHECK_BYTES(out, want, sizeof want);
    }
}

#ifndef SVCONN_SMALL_AES
/* The stream does not depend on how it is cut. */
static void test_stream_cuts(void) {
    uint8_t key[32] = {9}, block[16] = {8}, want[200], out[200] = {0};
    uint64_t words[SVCONN_AES256_WORDS];
    blocks(want, key, block, sizeof want);
    svconn_aes256_init(words, key);
    for (size_t cut = 0; cut <= sizeof out; cut++) {
        svconn_aes256_ctr c;
        memset(out, 0, sizeof out);
        svconn_aes256_ctr_init(&c, words, block, 0);
        svconn_aes256_ctr_xor(&c, out, out, cut);
        svconn_aes256_ctr_xor(&c, out + cut, out + cut, sizeof out - cut);
        CHECK_BYTES(out, want, sizeof out);
    }
}

#endif

/* ---- GHASH ---------------------------------------------------------------- */
static void ghash_one(const uint8_t h[16], const uint8_t x[16]) {
    uint8_t got[16], want[16] = {0}, lengths[16] = {0};
    lengths[7] = lengths[15] = 128;
#ifdef SVCONN_SMALL_AES
    uint32_t hash_key[4] = {0}, y[4] = {0}, last[4] = {0};
    to_words(hash_key, h, 4);
    to_words(y, x, 4);
    to_words(last, lengths, 4);
    svconn_ghash_mul(y, hash_key);
    for (unsigned i = 0; i < 4; i++) y[i] ^= last[i];
    svconn_ghash_mul(y, hash_key);
    to_bytes(got, y, 4);
#else
    uint64_t key[SVCONN_GHASH_WORDS];
    svconn_ghash g;
    svconn_ghash_key(key, h);
    svconn_ghash_init(&g, key);
    svconn_ghash_update(&g, x, 16);
    svconn_ghash_final(&g, 16, 16, got);
#endif
    ref_ghash(want, h, x, 16);
    ref_ghash(want, h, lengths, 16);
    CHECK_BYTES(got, want, 16);
}

/* Every pair of single bits proves the product, as it is linear in both; dense operands prove that
 * no carry crosses, as they make the largest sums. */
static void test_ghash(void) {
    uint8_t h[16], x[16];
    for (unsigned i = 0; i < 128; i++) {
        for (unsigned k = 0; k < 128; k++) {
            memset(h, 0, 16);
            memset(x, 0, 16);
            h[i / 8] = (uint8_t)(0x80 >> i % 8);
            x[k / 8] = (uint8_t)(0x80 >> k % 8);
            ghash_one(h, x);
        }
    }
    for (unsigned i = 0; i < 2000; i++) {
        fill(h, 16);
        fill(x, 16);
        for (unsigned k = 0; k < 16; k++) {
            if (i & 1) h[k] |= (uint8_t)(random_state >> k);
            if (i & 2) x[k] |= (uint8_t)(random_state >> 2 * k);
        }
        if (i % 16 == 0) memset(h, 0xff, 16);
        if (i % 32 == 0) memset(x, 0xff, 16);
        ghash_one(h, x);
    }
}

/* ---- GCM ------------------------------------------------------------------ */
static void gcm_case(const vec_case *v) {
    vec_bytes key = vec_get(v, "key"), nonce = vec_get(v, "nonce"), aad = vec_get(v, "aad");
    vec_bytes plain = vec_get(v, "plaintext"), cipher = vec_get(v, "ciphertext"), want = vec_get(v, "tag");
    uint64_t words[SVCONN_GCM_WORDS];
    uint8_t *b = vec_alloc(plain.len), tag[16];
    CHECK(key.len == 32 && nonce.len == 12 && plain.len == cipher.len && want.len <= 16);
    svconn_gcm_init(words, key.data);
    svconn_gcm_seal(words, nonce.data, aad.data, aad.len, b, plain.data, plain.len, tag, want.len);
    CHECK_BYTES(b, cipher.data, plain.len);
    CHECK_BYTES(tag, want.data, want.len);
    CHECK(svconn_gcm_open(words, nonce.data, aad.data, aad.len, b, cipher.data, plain.len, want.data, want.len) == 1);
    CHECK_BYTES(b, plain.data, plain.len);
    svconn_gcm_seal(words, nonce.data, aad.data, aad.len, b, b, plain.len, tag, want.len);
    CHECK_BYTES(b, cipher.data, plain.len);
    CHECK_BYTES(tag, want.data, want.len);
    CHECK(svconn_gcm_open(words, nonce.data, aad.data, aad.len, b, b, plain.len, tag, want.len) == 1);
    CHECK_BYTES(b, plain.data, plain.len);
    tag[0] ^= 1;
    CHECK(svconn_gcm_open(words, nonce.data, aad.data, aad.len, b, cipher.data, plain.len, tag, want.len) == 0);
    CHECK(all_zero(b, plain.len));
    free(b);
}

static void test_gcm_vectors(void) {
    vec_file f = vec_load("aes256_gcm.txt");
    for (const vec_case *v = f.cases; v < f.cases + f.count; v++) gcm_case(v);
    vec_free(&f);
}

static void against_reference(size_t aad_len, size_t len) {
    message m = make(aad_len, len);
    uint8_t *b = vec_alloc(len), tag[16];
    seal(&m, b, m.plain, tag, 16);
    CHECK_BYTES(b, m.cipher, len);
    CHECK_BYTES(tag, m.tag, 16);
    memset(b, 0xee, len);
    CHECK(opens(&m, b, m.cipher, m.tag, 16) == 1);
    CHECK_BYTES(b, m.plain, len);
    seal(&m, b, b, tag, 16);
    CHECK_BYTES(b, m.cipher, len);
    CHECK_BYTES(tag, m.tag, 16);
    CHECK(opens(&m, b, b, tag, 16) == 1);
    CHECK_BYTES(b, m.plain, len);
    free(b);
    drop(&m);
}

static void test_lengths(void) {
    for (size_t n = 0; n <= 300; n++) {
        against_reference(n % 37, n);
        against_reference(n, n % 41);
    }
    for (size_t n = 4096 - 20; n <= 4096 + 20; n++) against_reference(n % 29, n);
    against_reference(4097, 4095);
    against_reference(0, 0);
}

/* Every pointer at every alignment, and not a byte outside the outputs changes. */
static void test_alignment(void) {
    static uint8_t in[MAX], out[MAX], aad[64], nonce[32], tag[40];
    message m = make(29, 131);
    for (size_t a = 0; a < 16; a++) {
        for (size_t b = 0; b < 16; b++) {
            memset(out, 0xee, sizeof out);
            memset(tag, 0xee, sizeof tag);
            memcpy(in + a, m.plain, m.len);
            memcpy(aad + b, m.aad, m.aad_len);
            memcpy(nonce + (a ^ b), m.nonce, 12);
            svconn_gcm_seal(m.key, nonce + (a ^ b), aad + b, m.aad_len, out + b + 1, in + a, m.len, tag + a + 1, 16);
            CHECK_BYTES(out + b + 1, m.cipher, m.len);
            CHECK_BYTES(tag + a + 1, m.tag, 16);
            CHECK(out[b] == 0xee && out[b + 1 + m.len] == 0xee && tag[a] == 0xee && tag[a + 17] == 0xee);
            memset(in, 0xee, sizeof in);
            CHECK(svconn_gcm_open(m.key, nonce + (a ^ b), aad + b, m.aad_len, in + a + 1, out + b + 1, m.len,
                                  tag + a + 1, 16) == 1);
            CHECK_BYTES(in + a + 1, m.plain, m.len);
            CHECK(in[a] == 0xee && in[a + 1 + m.len] == 0xee);
        }
    }
    drop(&m);
}

/* crypto.h: in place; the tag directly behind the text. */
static void test_packet_in_place(void) {
    static uint8_t packet[MAX + 16];
    for (size_t n = 0; n <= 200; n++) {
        message m = make(16, n);
        memcpy(packet, m.plain, n);
        packet[n + 16] = 0xee;
        seal(&m, packet, packet, packet + n, 16);
        CHECK_BYTES(packet, m.cipher, n);
        CHECK_BYTES(packet + n, m.tag, 16);
        CHECK(packet[n + 16] == 0xee);
        CHECK(opens(&m, packet, packet, packet + n, 16) == 1);
        CHECK_BYTES(packet, m.plain, n);
        CHECK_BYTES(packet + n, m.tag, 16);
        CHECK(opens(&m, packet, packet, packet + n, 16) == (n == 0));
        CHECK(all_zero(packet, n));
        CHECK_BYTES(packet + n, m.tag, 16);
        drop(&m);
    }
}

static void test_tag_lengths(void) {
    message m = make(21, 50);
    uint8_t b[50], tag[17];
    for (size_t t = 12; t <= 16; t++) {
        memset(tag, 0xee, sizeof tag);
        seal(&m, b, m.plain, tag, t);
        CHECK_BYTES(b, m.cipher, m.len);
        CHECK_BYTES(tag, m.tag, t);
        CHECK(tag[t] == 0xee);
        CHECK(opens(&m, b, m.cipher, tag, t) == 1);
        CHECK_BYTES(b, m.plain, m.len);
        for (size_t i = 0; i < 8 * t; i++) {
            tag[i / 8] ^= (uint8_t)(1 << i % 8);
            memset(b, 0xee, sizeof b);
            CHECK(opens(&m, b, m.cipher, tag, t) == 0);
            CHECK(all_zero(b, m.len));
            tag[i / 8] ^= (uint8_t)(1 << i % 8);
        }
    }
    for (size_t t = 0; t < 40; t += t == 11 ? 6 : 1) { /* all but 12 to 16 */
        memset(b, 0xee, sizeof b);
        CHECK(opens(&m, b, m.cipher, m.tag, t) == 0);
        CHECK(all_zero(b, m.len));
    }
    drop(&m);
}

/* Each flipped bit of p must make open fail, with an output of zeros, in place or not. */
static void flip_all(const message *m, uint8_t *p, size_t n) {
    uint8_t b[300];
    for (size_t i = 0; i < 8 * n; i++) {
        p[i / 8] ^= (uint8_t)(1 << i % 8);
        memset(b, 0xee, sizeof b);
        CHECK(opens(m, b, m->cipher, m->tag, 16) == 0);
        CHECK(all_zero(b, m->len) && b[m->len] == 0xee);
        memcpy(b, m->cipher, m->len);
        CHECK(opens(m, b, b, m->tag, 16) == 0);
        CHECK(all_zero(b, m->len));
        p[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void test_flips(void) {
    static const size_t lengths[][2] = {{0, 0}, {0, 1}, {1, 0}, {13, 16}, {16, 17}, {20, 47}, {33, 64}, {5, 130}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        message m = make(lengths[i][0], lengths[i][1]);
        uint8_t b[300];
        flip_all(&m, m.nonce, 12);
        flip_all(&m, m.aad, m.aad_len);
        flip_all(&m, m.cipher, m.len);
        flip_all(&m, m.tag, 16);
        CHECK(opens(&m, b, m.cipher, m.tag, 16) == 1);
        CHECK_BYTES(b, m.plain, m.len);
        drop(&m);
    }
}

/* Bytes that move over the bound between aad and text must not keep the tag. */
static void test_bound_of_aad(void) {
    message m = make(16, 32);
    uint8_t joined[48], b[48];
    memcpy(joined, m.aad, 16);
    memcpy(joined + 16, m.cipher, 32);
    for (size_t cut = 0; cut <= 48; cut++) {
        int ok = svconn_gcm_open(m.key, m.nonce, joined, cut, b, joined + cut, 48 - cut, m.tag, 16);
        CHECK(ok == (cut == 16));
        CHECK(ok || all_zero(b, 48 - cut));
    }
    drop(&m);
}

/* A tag that is asked for too long: 16 bytes, and nothing from behind them */
static void test_long_tag(void) {
    message m = make(3, 20);
    uint8_t b[20], tag[48];
    for (size_t t = 17; t < sizeof tag; t++) {
        memset(tag, 0xee, sizeof tag);
        seal(&m, b, m.plain, tag, t);
        CHECK_BYTES(tag, m.tag, 16);
        for (size_t i = 16; i < sizeof tag; i++) CHECK(tag[i] == 0xee);
    }
    drop(&m);
}

/* crypto.h: the key holds no pointer and may be moved; NULL goes with a length of 0. */
static void test_key_moves(void) {
    message m = make(0, 0);
    uint64_t other[SVCONN_GCM_WORDS];
    uint8_t tag[16];
    memcpy(other, m.key, sizeof other);
    memset(m.key, 0xee, sizeof m.key);
    svconn_gcm_seal(other, m.nonce, NULL, 0, NULL, NULL, 0, tag, 16);
    CHECK_BYTES(tag, m.tag, 16);
    CHECK(svconn_gcm_open(other, m.nonce, NULL, 0, NULL, NULL, 0, tag, 16) == 1);
    tag[3] ^= 4;
    CHECK(svconn_gcm_open(other, m.nonce, NULL, 0, NULL, NULL, 0, tag, 16) == 0);
    drop(&m);
}

int main(void) {
    TEST("aes256: the S-box circuit is FIPS 197's for all 256 inputs", test_sbox);
    TEST("aes256: FIPS 197 C.3", test_block);
    TEST("aes256: random keys and blocks against the reference", test_blocks_random);
    TEST("aes256: the counter wraps at 32 bits", test_counter_wrap);
#ifndef SVCONN_SMALL_AES
    TEST("aes256: the stream is the same however it is cut", test_stream_cuts);
#endif
    TEST("ghash: every pair of single bits, and dense operands", test_ghash);
    TEST("gcm: published vectors and edge lengths", test_gcm_vectors);
    TEST("gcm: lengths against the reference, in place and not", test_lengths);
    TEST("gcm: every alignment, no write outside", test_alignment);
    TEST("gcm: a packet in place with its tag behind it", test_packet_in_place);
    TEST("gcm: tags of 12 to 16 bytes, no others", test_tag_lengths);
    TEST("gcm: a tag too long is one of 16 bytes", test_long_tag);
    TEST("gcm: open refuses every flipped bit and gives zeros", test_flips);
    TEST("gcm: the bound between aad and text is authenticated", test_bound_of_aad);
    TEST("gcm: a key may move, NULL goes with 0", test_key_moves);
    return TEST_EXIT();
}
