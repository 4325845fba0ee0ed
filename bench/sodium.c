/* SPDX-License-Identifier: ISC */
/* libsodium. Its AES-256-GCM exists only on CPUs with the instructions; nothing switches it to other code. */
#include "bench.h"
#include <sodium.h>

static crypto_aead_aes256gcm_state state;
static uint8_t secret_key[64];
static int has_gcm;

static const char *version(void) { return sodium_version_string(); }
static void fail(const char *what) { bench_fail("libsodium", what); }

static void run_gcm_key(size_t len) { (void)len, crypto_aead_aes256gcm_beforenm(&state, bench_key); }
static void run_gcm_seal(size_t len) {
    unsigned long long n;
    if (crypto_aead_aes256gcm_encrypt_afternm(bench_out, &n, bench_in, len, bench_aad, sizeof bench_aad, NULL,
                                              bench_nonce, (const crypto_aead_aes256gcm_state *)&state))
        fail("seal");
}
static void run_gcm_open(size_t len) {
    unsigned long long n;
    if (crypto_aead_aes256gcm_decrypt_afternm(bench_out, &n, NULL, bench_sealed, len + 16, bench_aad, sizeof bench_aad,
                                              bench_nonce, (const crypto_aead_aes256gcm_state *)&state))
        fail("open");
}
static void run_sha256(size_t len) { crypto_hash_sha256(bench_out, bench_in, len); }
static void run_sha512(size_t len) { crypto_hash_sha512(bench_out, bench_in, len); }
static void run_x25519(size_t len) {
    (void)len;
    if (crypto_scalarmult_curve25519(bench_out, bench_scalar, bench_point)) fail("x25519");
}
static void run_x25519_keygen(size_t len) { (void)len, crypto_scalarmult_curve25519_base(bench_out, bench_scalar); }
static void run_ed25519_keygen(size_t len) {
    (void)len, crypto_sign_ed25519_seed_keypair(bench_out, secret_key, bench_seed);
}
static void run_ed25519_sign(size_t len) {
    (void)len;
    crypto_sign_ed25519_detached(bench_out, NULL, bench_message, BENCH_MESSAGE, secret_key);
}
static void run_ed25519_verify(size_t len) {
    (void)len;
    if (crypto_sign_ed25519_verify_detached(bench_signature, bench_message, BENCH_MESSAGE, bench_public))
        fail("verify");
}

static int enter(size_t mode) {
    static int begun;
    uint8_t pk[32];
    (void)mode;
    if (begun) return 1;
    begun = 1;
    if (sodium_init() < 0) return 0;
    has_gcm = crypto_aead_aes256gcm_is_available();
    if (has_gcm) crypto_aead_aes256gcm_beforenm(&state, bench_key);
    return crypto_sign_ed25519_seed_keypair(pk, secret_key, bench_seed) == 0;
}

static unsigned lacks(void) { return has_gcm ? 0 : BENCH_GCM_BITS; }

static const bench_mode modes[] = {{NULL, BENCH_ALL_BITS, 0, NULL, NULL}};
const bench_peer bench_sodium = {"libsodium",
                                 version,
                                 modes,
                                 1,
                                 enter,
                                 {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                  run_x25519_keygen, run_ed25519_keygen, run_ed25519_sign, run_ed25519_verify, NULL,
                                  NULL, NULL},
                                 lacks};
