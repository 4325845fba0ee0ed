/* SPDX-License-Identifier: ISC */
/*
 * Every backend for x86-64 (the emulated CPU has them all) against the portable code. There is no C library and no
 * operating system:
 * what memory functions the core needs is below; the report goes to Bochs's port 0xe9.
 */
#include "backend.h"
#include "cpu.h"
#include "crypto.h"
#include "ct.h"

void start(void);

static void put(char c) { __asm__ volatile("outb %0, $0xe9" : : "a"(c)); }
static void say(const char *text) {
    while (*text) put(*text++);
}
static void verdict(int good, const char *name) {
    say(good ? "pass bochs: " : "FAIL bochs: ");
    say(name);
    put('\n');
}

static uint32_t state = 1;
static void fill(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        p[i] = (uint8_t)(state >> 24);
    }
}

typedef void init_fn(uint64_t *, const uint8_t *);
typedef void crypt_fn(const uint64_t *, const uint8_t *, const uint8_t *, size_t, uint8_t *, const uint8_t *, size_t,
                      uint8_t *);

static uint8_t in[1200], out[1200], want[1200];

static void try_gcm(const char *name, init_fn *init, crypt_fn *seal, crypt_fn *open) {
    int good = 1;
    for (size_t len = 0; len < sizeof in; len += len < 300 ? 1 : 37) {
        uint64_t key[SVCONN_GCM_EXPANDED_WORDS], ref[SVCONN_GCM_EXPANDED_WORDS];
        uint8_t k[32], nonce[12], aad[20], tag[16], want_tag[16];
        size_t aad_len = len % 21;
        fill(k, 32);
        fill(nonce, 12);
        fill(aad, 20);
        fill(in, len);
        init(key, k);
        svconn_gcm_portable_init(ref, k);
        seal(key, nonce, aad, aad_len, out, in, len, tag);
        svconn_gcm_portable_seal(ref, nonce, aad, aad_len, want, in, len, want_tag);
        good &= memcmp(out, want, len) == 0 && memcmp(tag, want_tag, 16) == 0;
        open(key, nonce, aad, aad_len, out, out, len, tag);
        good &= memcmp(out, in, len) == 0 && memcmp(tag, want_tag, 16) == 0;
    }
    verdict(good, name);
}

/* What depends on svconn_cpu at each call: the same with these backends as with none */
static void try_mask(const char *name, uint32_t mask) {
    int good = 1;
    if (svconn_cpu_allow(mask) != mask) {
        say("FAIL bochs: not usable: not found, or its known answer was wrong: ");
        say(name);
        put('\n');
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        uint8_t k[32], u[32], key[2][32], shared[2][32], sig[2][64], hash[2][32];
        svconn_sha256_ctx c;
        fill(k, 32);
        fill(u, 32);
        fill(in, sizeof in);
        for (int ours = 0; ours < 2; ours++) {
            (void)svconn_cpu_allow(ours ? mask : 0);
            good &= svconn_x25519(shared[ours], k, u);
            svconn_ed25519_public(key[ours], k);
            svconn_ed25519_sign(sig[ours], k, key[0], in, 100 * i);
            svconn_sha256_init(&c);
            svconn_sha256_update(&c, in, 150 * i);
            svconn_sha256_final(&c, hash[ours]);
        }
        good &= memcmp(shared[0], shared[1], 32) == 0 && memcmp(key[0], key[1], 32) == 0;
        good &= memcmp(sig[0], sig[1], 64) == 0 && memcmp(hash[0], hash[1], 32) == 0;
        good &= svconn_ed25519_verify(sig[0], key[0], in, 100 * i) == 1;
        sig[0][8 * i] ^= 1;
        good &= svconn_ed25519_verify(sig[0], key[0], in, 100 * i) == 0;
    }
    verdict(good, name);
}

__attribute__((section(".text.first"))) void start(void) {
    uint32_t cpu = svconn_cpu();
#define TRY(name, bit)                                                                                                 \
    if (cpu & (bit)) try_gcm(#name, svconn_gcm_##name##_init, svconn_gcm_##name##_seal, svconn_gcm_##name##_open);     \
    else verdict(0, #name " is not usable: not found, or its known answer was wrong");
    SVCONN_GCM_BACKENDS(TRY)
    try_mask("avx2", SVCONN_CPU_AVX2);
    try_mask("ifma", SVCONN_CPU_IFMA);
    try_mask("sha", SVCONN_CPU_SHA);
    say("the end\n");
    __asm__ volatile("outw %w0, %w1" : : "a"(0), "d"(0x8900)); /* Bochs: "Shutdown" would end it; else it is killed */
    for (;;) __asm__ volatile("hlt");
}
