/* SPDX-License-Identifier: ISC */
/* wolfSSL's wolfCrypt, as the package builds it: whether it has assembly is decided there, and cannot be changed here.
 */
#include "bench.h"
#include <wolfssl/options.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>

static Aes aes, fresh;
#ifdef HAVE_CURVE25519
static curve25519_key own, peer;
#endif
#ifdef HAVE_ED25519
static ed25519_key signer;
#endif

static const char *version(void) { return LIBWOLFSSL_VERSION_STRING; }
static void must(int error, const char *what) {
    if (error) bench_fail("wolfssl", what);
}

static void run_gcm_key(size_t len) { (void)len, must(wc_AesGcmSetKey(&fresh, bench_key, 32), "key"); }
static void run_gcm_seal(size_t len) {
    must(wc_AesGcmEncrypt(&aes, bench_out, bench_in, (word32)len, bench_nonce, sizeof bench_nonce, bench_out + len, 16,
                          bench_aad, sizeof bench_aad),
         "seal");
}
static void run_gcm_open(size_t len) {
    must(wc_AesGcmDecrypt(&aes, bench_out, bench_sealed, (word32)len, bench_nonce, sizeof bench_nonce,
                          bench_sealed + len, 16, bench_aad, sizeof bench_aad),
         "open");
}
static void run_sha256(size_t len) {
    wc_Sha256 c;
    must(wc_InitSha256(&c) || wc_Sha256Update(&c, bench_in, (word32)len) || wc_Sha256Final(&c, bench_out), "sha256");
}
static void run_sha512(size_t len) {
    wc_Sha512 c;
    must(wc_InitSha512(&c) || wc_Sha512Update(&c, bench_in, (word32)len) || wc_Sha512Final(&c, bench_out), "sha512");
}
#ifdef HAVE_CURVE25519
static void run_x25519(size_t len) {
    word32 n = 32;
    (void)len;
    must(wc_curve25519_shared_secret_ex(&own, &peer, bench_out, &n, EC25519_LITTLE_ENDIAN), "x25519");
}
static void run_x25519_keygen(size_t len) {
    uint8_t k[32]; /* it wants clamped scalars */
    (void)len;
    memcpy(k, bench_scalar, 32);
    k[0] &= 0xf8, k[31] = (uint8_t)((k[31] & 0x7f) | 0x40);
    must(wc_curve25519_make_pub(32, bench_out, 32, k), "x25519 keygen");
}
#else
#define run_x25519 NULL
#define run_x25519_keygen NULL
#endif
#ifdef HAVE_ED25519
static void run_ed25519_keygen(size_t len) {
    ed25519_key k;
    (void)len;
    must(wc_ed25519_init(&k) || wc_ed25519_import_private_only(bench_seed, 32, &k) ||
             wc_ed25519_make_public(&k, bench_out, 32),
         "ed25519 keygen");
    wc_ed25519_free(&k);
}
static void run_ed25519_sign(size_t len) {
    word32 n = 64;
    (void)len;
    must(wc_ed25519_sign_msg(bench_message, BENCH_MESSAGE, bench_out, &n, &signer), "sign");
}
static void run_ed25519_verify(size_t len) {
    int good = 0;
    (void)len;
    must(wc_ed25519_verify_msg(bench_signature, 64, bench_message, BENCH_MESSAGE, &good, &signer) || !good, "verify");
}
#else
#define run_ed25519_keygen NULL
#define run_ed25519_sign NULL
#define run_ed25519_verify NULL
#endif

static int enter(size_t mode) {
    static int begun;
    (void)mode;
    if (begun) return 1;
    begun = 1;
    must(wc_AesInit(&aes, NULL, INVALID_DEVID) || wc_AesInit(&fresh, NULL, INVALID_DEVID) ||
             wc_AesGcmSetKey(&aes, bench_key, 32),
         "AES-256-GCM");
#ifdef HAVE_CURVE25519
    must(wc_curve25519_init(&own) || wc_curve25519_init(&peer) ||
             wc_curve25519_import_private_ex(bench_scalar, 32, &own, EC25519_LITTLE_ENDIAN) ||
             wc_curve25519_import_public_ex(bench_point, 32, &peer, EC25519_LITTLE_ENDIAN),
         "X25519");
#endif
#ifdef HAVE_ED25519
    must(wc_ed25519_init(&signer) || wc_ed25519_import_private_key(bench_seed, 32, bench_public, 32, &signer),
         "Ed25519");
#endif
    return 1;
}

static const bench_mode modes[] = {{NULL, BENCH_ALL_BITS, 0, NULL, NULL}};
const bench_peer bench_wolfssl = {"wolfssl",
                                  version,
                                  modes,
                                  1,
                                  enter,
                                  {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                   run_x25519_keygen, run_ed25519_keygen, run_ed25519_sign, run_ed25519_verify, NULL,
                                   NULL, NULL},
                                  NULL};
