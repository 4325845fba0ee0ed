/* SPDX-License-Identifier: ISC */
/* Nettle. NETTLE_FAT_OVERRIDE (its manual, "Installation") names the features that its functions may use; "none" is
 * none of them. It still takes its assembly for any x86-64. */
#include "bench.h"
#include <nettle/curve25519.h>
#include <nettle/eddsa.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <stdio.h>

static struct gcm_aes256_ctx key;
static uint8_t public_key[32];

static const char *version(void) {
    static char text[24];
    snprintf(text, sizeof text, "%d.%d", nettle_version_major(), nettle_version_minor());
    return text;
}

static void run_gcm_key(size_t len) { (void)len, gcm_aes256_set_key(&key, bench_key); }
static void run_gcm_seal(size_t len) {
    gcm_aes256_set_iv(&key, sizeof bench_nonce, bench_nonce);
    gcm_aes256_update(&key, sizeof bench_aad, bench_aad);
    gcm_aes256_encrypt(&key, len, bench_out, bench_in);
    gcm_aes256_digest(&key, 16, bench_out + len);
}
static void run_gcm_open(size_t len) {
    uint8_t tag[16];
    gcm_aes256_set_iv(&key, sizeof bench_nonce, bench_nonce);
    gcm_aes256_update(&key, sizeof bench_aad, bench_aad);
    gcm_aes256_decrypt(&key, len, bench_out, bench_sealed);
    gcm_aes256_digest(&key, 16, tag);
    if (!memeql_sec(tag, bench_sealed + len, 16)) bench_fail("nettle", "open");
}
static void run_sha256(size_t len) {
    struct sha256_ctx c;
    sha256_init(&c);
    sha256_update(&c, len, bench_in);
    sha256_digest(&c, 32, bench_out);
}
static void run_sha512(size_t len) {
    struct sha512_ctx c;
    sha512_init(&c);
    sha512_update(&c, len, bench_in);
    sha512_digest(&c, 64, bench_out);
}
static void run_x25519(size_t len) { (void)len, curve25519_mul(bench_out, bench_scalar, bench_point); }
static void run_x25519_keygen(size_t len) { (void)len, curve25519_mul_g(bench_out, bench_scalar); }
static void run_ed25519_keygen(size_t len) { (void)len, ed25519_sha512_public_key(bench_out, bench_seed); }
static void run_ed25519_sign(size_t len) {
    (void)len;
    ed25519_sha512_sign(public_key, bench_seed, BENCH_MESSAGE, bench_message, bench_out);
}
static void run_ed25519_verify(size_t len) {
    (void)len;
    if (!ed25519_sha512_verify(public_key, BENCH_MESSAGE, bench_message, bench_signature))
        bench_fail("nettle", "verify");
}

static int enter(size_t mode) {
    static int begun;
    (void)mode;
    if (!begun) gcm_aes256_set_key(&key, bench_key), ed25519_sha512_public_key(public_key, bench_seed);
    begun = 1;
    return 1;
}

static const bench_mode modes[] = {{NULL, BENCH_ALL_BITS, 0, NULL, NULL},
                                   {"portable", BENCH_GCM_BITS | BENCH_SHA_BITS, 1, "NETTLE_FAT_OVERRIDE", "none"}};
const bench_peer bench_nettle = {"nettle",
                                 version,
                                 modes,
                                 2,
                                 enter,
                                 {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                  run_x25519_keygen, run_ed25519_keygen, run_ed25519_sign, run_ed25519_verify, NULL,
                                  NULL, NULL},
                                 NULL};
