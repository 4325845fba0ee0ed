/* SPDX-License-Identifier: ISC */
/* SHA-256, SHA-512, HMAC-SHA-256, HKDF-SHA-256: published vectors, and the promises of crypto.h. */
#include "backend.h"
#include "cpu.h"
#include "crypto.h"
#include "test.h"
#include "vectors.h"

/* Both hashes behind one form, so that each test is written once. */
typedef union {
    svconn_sha256_ctx s256;
    svconn_sha512_ctx s512;
} any_ctx;

typedef struct {
    const char *vectors;
    size_t size;
    size_t ctx_size;
    void (*init)(any_ctx *);
    void (*update)(any_ctx *, const uint8_t *, size_t);
    void (*final)(any_ctx *, uint8_t *);
} hash;

static void init256(any_ctx *c) { svconn_sha256_init(&c->s256); }
static void update256(any_ctx *c, const uint8_t *p, size_t n) { svconn_sha256_update(&c->s256, p, n); }
static void final256(any_ctx *c, uint8_t *d) { svconn_sha256_final(&c->s256, d); }
static void init512(any_ctx *c) { svconn_sha512_init(&c->s512); }
static void update512(any_ctx *c, const uint8_t *p, size_t n) { svconn_sha512_update(&c->s512, p, n); }
static void final512(any_ctx *c, uint8_t *d) { svconn_sha512_final(&c->s512, d); }

static const hash sha256 = {"sha256.txt", 32, sizeof(svconn_sha256_ctx), init256, update256, final256};
static const hash sha512 = {"sha512.txt", 64, sizeof(svconn_sha512_ctx), init512, update512, final512};

/* ---- the backends of SHA-256, each with a hash around it that knows no other ------------------------------ */
static svconn_sha256_blocks *blocks;

static void blocks_update(any_ctx *any, const uint8_t *p, size_t n) {
    svconn_sha256_ctx *c = &any->s256;
    size_t have = (size_t)(c->total % 64), whole;
    c->total += n;
    for (; n > 0 && have > 0; n--, have = (have + 1) % 64) {
        c->block[have] = *p++;
        if (have == 63) blocks(c->h, c->block, 1);
    }
    whole = n / 64;
    blocks(c->h, p, whole);
    if (n % 64 > 0) memcpy(c->block, p + 64 * whole, n % 64);
}

static void blocks_final(any_ctx *any, uint8_t *d) {
    uint64_t bits = any->s256.total * 8;
    uint8_t end[72] = {0x80};
    for (unsigned i = 0; i < 8; i++) end[64 + i] = (uint8_t)(bits >> (56 - 8 * i));
    size_t zeros = (size_t)(119 - any->s256.total % 64) % 64; /* FIPS 180-4, 5.1.1 */
    blocks_update(any, end, 1 + zeros);
    blocks_update(any, end + 64, 8);
    for (unsigned i = 0; i < 32; i++) d[i] = (uint8_t)(any->s256.h[i / 4] >> (24 - 8 * (i % 4)));
    memset(any, 0, sizeof *any);
}

static const hash around_blocks = {"sha256.txt", 32, sizeof(svconn_sha256_ctx), init256, blocks_update, blocks_final};

#ifdef SVCONN_X86
/* The same code on emulated instructions: the name means that from here on. */
static svconn_sha256_blocks *const real_shani = svconn_sha256_shani;
#include "emulate_sha.h"
#define svconn_sha256_shani emulated_shani
svconn_sha256_blocks svconn_sha256_shani;
#include "sha256_shani.c"
#endif

static void digest(const hash *h, uint8_t *out, const uint8_t *p, size_t n) {
    any_ctx c;
    h->init(&c);
    h->update(&c, p, n);
    h->final(&c, out);
}

static void hash_vectors(const hash *h) {
    vec_file f = vec_load(h->vectors);
    for (const vec_case *c = f.cases; c < f.cases + f.count; c++) {
        unsigned long repeat = vec_has(c, "repeat") ? vec_number(c, "repeat") : 1;
        vec_bytes msg = vec_get(c, "msg"), want = vec_get(c, "digest");
        uint8_t d[64];
        any_ctx ctx;
        h->init(&ctx);
        while (repeat-- > 0) h->update(&ctx, msg.data, msg.len);
        h->final(&ctx, d);
        CHECK(want.len == h->size);
        CHECK_BYTES(d, want.data, h->size);
    }
    vec_free(&f);
}

/* Every split in two, with an empty piece between, and byte by byte. */
static void hash_splits(const hash *h) {
    uint8_t msg[300], want[64], d[64];
    any_ctx c;
    for (size_t i = 0; i < sizeof msg; i++) msg[i] = (uint8_t)(i * 7 + 3);
    for (size_t n = 0; n <= sizeof msg; n += n < 130 ? 1 : 17) {
        digest(h, want, msg, n);
        for (size_t cut = 0; cut <= n; cut++) {
            h->init(&c);
            h->update(&c, msg, cut);
            h->update(&c, NULL, 0);
            h->update(&c, msg + cut, n - cut);
            h->final(&c, d);
            CHECK_BYTES(d, want, h->size);
        }
        h->init(&c);
        for (size_t i = 0; i < n; i++) h->update(&c, msg + i, 1);
        h->final(&c, d);
        CHECK_BYTES(d, want, h->size);
    }
}

static void hash_alignment(const hash *h) {
    uint8_t buffer[16 + 300], msg[300], out[16 + 64], want[64];
    for (size_t i = 0; i < sizeof msg; i++) msg[i] = (uint8_t)(i ^ i >> 3);
    digest(h, want, msg, sizeof msg);
    for (size_t a = 0; a < 16; a++) {
        memcpy(buffer + a, msg, sizeof msg);
        digest(h, out + a, buffer + a, sizeof msg);
        CHECK_BYTES(out + a, want, h->size);
    }
}

static void hash_wipes(const hash *h) {
    static const any_ctx zero;
    any_ctx c;
    uint8_t d[64];
    h->init(&c);
    h->update(&c, (const uint8_t *)"secret", 6);
    h->final(&c, d);
    CHECK(memcmp(&c, &zero, h->ctx_size) == 0);
}

/* n blocks from any state, at any alignment; nothing beside the state is written. */
static void blocks_same(size_t n, size_t at) {
    static uint8_t text[16 + 64 * 9];
    struct {
        uint32_t before, state[8], behind;
    } x = {0xeeeeeeee, {0}, 0xeeeeeeee};
    static uint32_t random = 1;
    uint32_t want[8];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    for (unsigned i = 0; i < 8; i++) x.state[i] = want[i] = random = random * 1664525 + 1013904223;
    svconn_sha256_portable(want, text + at, n);
    blocks(x.state, text + at, n);
    CHECK_BYTES(x.state, want, sizeof want);
    CHECK(x.before == 0xeeeeeeee && x.behind == 0xeeeeeeee);
}

static int present;

static void one_backend(void) {
    if (!present) {
        test_skip = "this CPU, or this build, lacks the instructions";
        return;
    }
    for (unsigned round = 0; round < 50; round++)
        for (size_t n = 0; n <= 9; n++) blocks_same(n, (round + n) % 16);
    hash_vectors(&around_blocks);
    hash_splits(&around_blocks);
    hash_alignment(&around_blocks);
}

static void test_backend(const char *name, svconn_sha256_blocks *b, int here) {
    blocks = b;
    present = here;
    TEST(name, one_backend);
}

/* The public functions with all backends and with the portable one; and a message whose parts went through both. */
static void test_sha256_masks(void) {
    static const uint32_t masks[] = {0, SVCONN_CPU_ALL, SVCONN_CPU_SHA, SVCONN_CPU_ARM_SHA};
    uint8_t msg[1000], d[32], want[32];
    any_ctx c;
    memset(msg, 0x5a, sizeof msg);
    blocks = svconn_sha256_portable;
    digest(&around_blocks, want, msg, sizeof msg);
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        CHECK((svconn_cpu_allow(masks[i]) & ~masks[i]) == 0);
        hash_vectors(&sha256);
        init256(&c);
        update256(&c, msg, 400);
        (void)svconn_cpu_allow(0);
        update256(&c, msg + 400, 300);
        (void)svconn_cpu_allow(SVCONN_CPU_ALL);
        update256(&c, msg + 700, 300);
        final256(&c, d);
        CHECK_BYTES(d, want, 32);
    }
}

static void test_sha256_vectors(void) { hash_vectors(&sha256); }
static void test_sha512_vectors(void) { hash_vectors(&sha512); }
static void test_sha256_splits(void) { hash_splits(&sha256); }
static void test_sha512_splits(void) { hash_splits(&sha512); }
static void test_alignment(void) { hash_alignment(&sha256), hash_alignment(&sha512); }
static void test_wipe(void) { hash_wipes(&sha256), hash_wipes(&sha512); }

/* ---- HMAC ----------------------------------------------------------------- */
static void test_hmac_vectors(void) {
    vec_file f = vec_load("hmac_sha256.txt");
    static const svconn_hmac_ctx zero;
    for (const vec_case *v = f.cases; v < f.cases + f.count; v++) {
        vec_bytes key = vec_get(v, "key"), data = vec_get(v, "data"), want = vec_get(v, "mac");
        for (size_t cut = 0; cut <= data.len; cut++) {
            svconn_hmac_ctx c;
            uint8_t mac[32];
            svconn_hmac_init(&c, key.len > 0 ? key.data : NULL, key.len);
            svconn_hmac_update(&c, data.data, cut);
            svconn_hmac_update(&c, data.data + cut, data.len - cut);
            svconn_hmac_final(&c, mac);
            CHECK(want.len == 32 || want.len == 16);
            CHECK_BYTES(mac, want.data, want.len);
            CHECK(memcmp(&c, &zero, sizeof c) == 0);
        }
    }
    vec_free(&f);
}

/* RFC 2104 word by word: H(K ^ opad | H(K ^ ipad | text)) */
static void test_hmac_definition(void) {
    uint8_t key[200], text[100], padded[64], inner[64 + 100], outer[64 + 32], want[32], mac[32];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(i * 13 + 1);
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 5 + 9);
    for (size_t n = 0; n <= sizeof key; n++) {
        svconn_hmac_ctx c;
        memset(padded, 0, sizeof padded);
        if (n > 64) digest(&sha256, padded, key, n);
        else memcpy(padded, key, n);
        for (size_t i = 0; i < 64; i++) inner[i] = padded[i] ^ 0x36, outer[i] = padded[i] ^ 0x5c;
        memcpy(inner + 64, text, n / 2);
        digest(&sha256, outer + 64, inner, 64 + n / 2);
        digest(&sha256, want, outer, sizeof outer);
        svconn_hmac_init(&c, key, n);
        svconn_hmac_update(&c, text, n / 2);
        svconn_hmac_final(&c, mac);
        CHECK_BYTES(mac, want, 32);
    }
}

/* ---- HKDF ----------------------------------------------------------------- */
static void test_hkdf_vectors(void) {
    static uint8_t okm[255 * 32];
    vec_file f = vec_load("hkdf_sha256.txt");
    for (const vec_case *v = f.cases; v < f.cases + f.count; v++) {
        vec_bytes ikm = vec_get(v, "ikm"), salt = vec_get(v, "salt"), info = vec_get(v, "info");
        vec_bytes want_prk = vec_get(v, "prk"), want = vec_get(v, "okm");
        uint8_t prk[32];
        svconn_hkdf_extract(prk, salt.len > 0 ? salt.data : NULL, salt.len, ikm.data, ikm.len);
        CHECK(want_prk.len == 32 && want.len <= sizeof okm);
        CHECK_BYTES(prk, want_prk.data, 32);
        svconn_bytes whole = {info.data, info.len};
        svconn_hkdf_expand(okm, want.len, prk, &whole, 1);
        CHECK_BYTES(okm, want.data, want.len);
        for (size_t cut = 0; cut <= info.len; cut += 1 + info.len / 16) {
            svconn_bytes parts[4] = {{info.data, cut}, {NULL, 0}, {info.data + cut, info.len - cut}, {NULL, 0}};
            memset(okm, 0, sizeof okm);
            svconn_hkdf_expand(okm, want.len, prk, parts, 4);
            CHECK_BYTES(okm, want.data, want.len);
        }
        if (info.len == 0) {
            memset(okm, 0, sizeof okm);
            svconn_hkdf_expand(okm, want.len, prk, NULL, 0);
            CHECK_BYTES(okm, want.data, want.len);
        }
    }
    vec_free(&f);
}

/* A shorter output is the beginning of a longer one, and nothing behind it is written. */
static void test_hkdf_length(void) {
    uint8_t prk[32] = {1, 2, 3}, all[200], out[201];
    const svconn_bytes info = {(const uint8_t *)"label", 5};
    svconn_hkdf_expand(all, sizeof all, prk, &info, 1);
    for (size_t n = 0; n <= sizeof all; n++) {
        memset(out, 0xee, sizeof out);
        svconn_hkdf_expand(out, n, prk, &info, 1);
        CHECK_BYTES(out, all, n);
        CHECK(out[n] == 0xee);
    }
}

static void test_hkdf_overlap(void) {
    uint8_t salt[40], ikm[40], prk[32], want[100], b[160];
    const svconn_bytes info = {(const uint8_t *)"label", 5};
    for (size_t i = 0; i < 40; i++) salt[i] = (uint8_t)(i + 1), ikm[i] = (uint8_t)(200 - i);
    svconn_hkdf_extract(prk, salt, sizeof salt, ikm, sizeof ikm);
    svconn_hkdf_expand(want, sizeof want, prk, &info, 1);
    for (size_t at = 0; at <= 64; at++) { /* prk over salt, over ikm, over parts of both */
        memcpy(b, salt, 40);
        memcpy(b + 40, ikm, 40);
        svconn_hkdf_extract(b + at, b, 40, b + 40, 40);
        CHECK_BYTES(b + at, prk, 32);
    }
    for (size_t at = 0; at <= 60; at++) { /* prk before, in and behind the beginning of out */
        memcpy(b + at, prk, 32);
        svconn_hkdf_expand(b + 30, sizeof want, b + at, &info, 1);
        CHECK_BYTES(b + 30, want, sizeof want);
    }
}

int main(void) {
    TEST("sha256: FIPS 180-4 examples and pattern lengths", test_sha256_vectors);
    TEST("sha512: FIPS 180-4 examples and pattern lengths", test_sha512_vectors);
    TEST("sha256: the mask chooses, parts of one message may go different ways", test_sha256_masks);
    test_backend("sha256: portable", svconn_sha256_portable, 1);
#ifdef SVCONN_X86
    __builtin_cpu_init();
    test_backend("sha256: SHA-NI", real_shani, (svconn_cpu() & SVCONN_CPU_SHA) != 0);
    test_backend("sha256: SHA-NI, emulated", svconn_sha256_shani,
                 __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3"));
#endif
#ifdef SVCONN_ARM_SHA
    test_backend("sha256: Armv8", svconn_sha256_armv8, (svconn_cpu() & SVCONN_CPU_ARM_SHA) != 0);
#endif
    TEST("sha256: every split of update gives the same digest", test_sha256_splits);
    TEST("sha512: every split of update gives the same digest", test_sha512_splits);
    TEST("sha256, sha512: every alignment", test_alignment);
    TEST("sha256, sha512: final wipes the context", test_wipe);
    TEST("hmac: RFC 4231 and key lengths, every split", test_hmac_vectors);
    TEST("hmac: is RFC 2104's definition for every key length", test_hmac_definition);
    TEST("hkdf: RFC 5869 and lengths, info in parts", test_hkdf_vectors);
    TEST("hkdf: every length is a prefix, no write behind it", test_hkdf_length);
    TEST("hkdf: promised overlaps", test_hkdf_overlap);
    return TEST_EXIT();
}
