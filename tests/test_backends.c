/* SPDX-License-Identifier: ISC */
/*
 * Every backend computes what the portable code does. The ones for VAES are tested twice: as they are, where the CPU
 * has it; and on emulated instructions, where it has at least the ones below.
 */
#include "backend.h"
#include "cpu.h"
#include "crypto.h"
#include "test.h"

#ifndef SVCONN_SMALL_AES /* there is no backend then */
typedef struct {
    const char *name;
    uint32_t cpu; /* what it needs: a bit of cpu.h */
    void (*init)(uint64_t *, const uint8_t *);
    void (*seal)(const uint64_t *, const uint8_t *, const uint8_t *, size_t, uint8_t *, const uint8_t *, size_t,
                 uint8_t *);
    void (*open)(const uint64_t *, const uint8_t *, const uint8_t *, size_t, uint8_t *, const uint8_t *, size_t,
                 uint8_t *);
} gcm;

#define ROW(name, bit)                                                                                                 \
    {"gcm: " #name, bit, svconn_gcm_##name##_init, svconn_gcm_##name##_seal, svconn_gcm_##name##_open},
static const gcm real[] = {SVCONN_GCM_BACKENDS(ROW){"gcm: portable", 0, svconn_gcm_portable_init,
                                                    svconn_gcm_portable_seal, svconn_gcm_portable_open}};

#ifdef SVCONN_X86
/* From here on the names of the last two mean the same code on emulated instructions. */
#undef SVCONN_INLINE
#undef SVCONN_UNROLL
#define SVCONN_INLINE static __attribute__((noinline)) /* speed is not needed, and compilers take minutes for it */
#define SVCONN_UNROLL
#include "emulate_vaes.h"
#define svconn_gcm_vaes256_init emulated_vaes256_init
#define svconn_gcm_vaes256_seal emulated_vaes256_seal
#define svconn_gcm_vaes256_open emulated_vaes256_open
#define svconn_gcm_vaes512_init emulated_vaes512_init
#define svconn_gcm_vaes512_seal emulated_vaes512_seal
#define svconn_gcm_vaes512_open emulated_vaes512_open
svconn_gcm_backend_init svconn_gcm_vaes256_init, svconn_gcm_vaes512_init;
svconn_gcm_backend_text svconn_gcm_vaes256_seal, svconn_gcm_vaes256_open, svconn_gcm_vaes512_seal, svconn_gcm_vaes512_open;
#include "gcm_vaes256.c"
#include "gcm_vaes512.c"
static const gcm emulated[] = {
    {"gcm: VAES-256, emulated", 0, svconn_gcm_vaes256_init, svconn_gcm_vaes256_seal, svconn_gcm_vaes256_open},
    {"gcm: VAES-512, emulated", 0, svconn_gcm_vaes512_init, svconn_gcm_vaes512_seal, svconn_gcm_vaes512_open},
};
#endif

#endif

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);
static void fill(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        p[i] = (uint8_t)(random_state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
}

#ifndef SVCONN_SMALL_AES
enum { LONGEST = 66000 };
static uint8_t plain[LONGEST + 16], want[LONGEST], room[LONGEST + 34], aad[70];

/* One message, at the given alignments, out of place and in place; nothing outside is written. */
static void same(const gcm *b, size_t aad_len, size_t len, size_t in_at, size_t out_at) {
    uint64_t key[SVCONN_GCM_EXPANDED_WORDS], ref[SVCONN_GCM_EXPANDED_WORDS];
    uint8_t k[32], nonce[12], tag[16], want_tag[16], *out = room + 1 + out_at;
    const uint8_t *in = plain + in_at;
    fill(k, 32);
    fill(nonce, 12);
    fill(aad, aad_len);
    b->init(key, k);
    svconn_gcm_portable_init(ref, k);
    svconn_gcm_portable_seal(ref, nonce, aad, aad_len, want, in, len, want_tag);

    memset(room, 0xee, len + 34);
    b->seal(key, nonce, aad, aad_len, out, in, len, tag);
    CHECK(memcmp(out, want, len) == 0 && memcmp(tag, want_tag, 16) == 0);
    CHECK(out[-1] == 0xee && out[len] == 0xee);
    memset(tag, 0, sizeof tag);
    b->open(key, nonce, aad, aad_len, out, out, len, tag);
    CHECK(memcmp(out, in, len) == 0 && memcmp(tag, want_tag, 16) == 0);
    b->seal(key, nonce, aad, aad_len, out, out, len, tag);
    CHECK(memcmp(out, want, len) == 0 && memcmp(tag, want_tag, 16) == 0);
    CHECK(out[-1] == 0xee && out[len] == 0xee);
    memset(room, 0xee, len + 34);
    b->open(key, nonce, aad, aad_len, out, want, len, tag);
    CHECK(memcmp(out, in, len) == 0 && memcmp(tag, want_tag, 16) == 0);
    CHECK(out[-1] == 0xee && out[len] == 0xee);
}

static const gcm *now;
static int present;

static void differential(void) {
    if (!present) {
        test_skip = "this CPU lacks the instructions";
        return;
    }
    fill(plain, sizeof plain);
    for (size_t n = 0; n <= 1100; n++) same(now, n % 3 ? 4 : n % 67, n, n % 16, n / 16 % 16);
    for (size_t n = 0; n <= 70; n++) same(now, n, 100, 0, 0);
    for (size_t a = 0; a < 256; a++) same(now, 4, 300 + a % 50, a % 16, a / 16);
    for (size_t n = 16384 - 17; n <= 16384 + 17; n += 1 + n % 5) same(now, 4, n, n % 16, 3);
    for (size_t n = 65535 - 17; n <= 65536 + 17; n += 7) same(now, 4, n, 1, n % 16);
}

static void test_gcm(const gcm *b, int here) {
    now = b;
    present = here;
    TEST(b->name, differential);
}
#endif

/* svconn_gcm_init takes the best that is allowed, and a key goes on with its own when that changes. */
static void masks(void) {
    uint64_t keys[SVCONN_CPU_GCM + 1][SVCONN_GCM_WORDS];
    uint8_t k[32], nonce[12], text[200], tag[16], first[16];
    fill(k, 32);
    fill(nonce, 12);
    for (uint32_t m = 0; m <= SVCONN_CPU_GCM; m++) {
        uint32_t got = svconn_cpu_allow(m);
        CHECK((got & ~m) == 0 && svconn_cpu() == got);
        svconn_gcm_init(keys[m], k);
    }
    for (uint32_t m = 0; m <= SVCONN_CPU_GCM; m++) {
        memset(text, 7, sizeof text);
        svconn_gcm_seal(keys[m], nonce, NULL, 0, text, text, sizeof text, tag, 16);
        if (m == 0) memcpy(first, tag, 16);
        CHECK_BYTES(tag, first, 16);
        CHECK(svconn_gcm_open(keys[m], nonce, NULL, 0, text, text, sizeof text, tag, 16) == 1);
        tag[m % 16] ^= 1;
        CHECK(svconn_gcm_open(keys[m], nonce, NULL, 0, text, text, sizeof text, tag, 16) == 0);
        for (size_t i = 0; i < sizeof text; i++) CHECK(text[i] == 0);
    }
    (void)svconn_cpu_allow(SVCONN_CPU_ALL);
}

int main(void) {
    TEST("backends: the mask chooses, keys keep theirs", masks);
#ifndef SVCONN_SMALL_AES
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++)
        test_gcm(&real[i], (svconn_cpu() & real[i].cpu) == real[i].cpu);
#endif
#ifdef SVCONN_X86
    __builtin_cpu_init();
    int aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
    test_gcm(&emulated[0], aes && __builtin_cpu_supports("avx2"));
    test_gcm(&emulated[1], aes && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"));
#endif
    return TEST_EXIT();
}
