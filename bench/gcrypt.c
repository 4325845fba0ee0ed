/* SPDX-License-Identifier: ISC */
/* Libgcrypt. GCRYCTL_DISABLE_HWF (its manual, "Controlling the library") counts before the first use and for the whole
 * process. Key generation only with its own random source: not measured. */
#include "bench.h"
#include <gcrypt.h>

static gcry_cipher_hd_t gcm, fresh;
static gcry_md_hd_t sha256, sha512;
static gcry_sexp_t secret, public_key, data, signature;

static const char *version(void) { return gcry_check_version(NULL); }
static void must(gcry_error_t error, const char *what) {
    if (error) bench_fail("gcrypt", what);
}

static void run_gcm_key(size_t len) { (void)len, must(gcry_cipher_setkey(fresh, bench_key, 32), "key"); }
static void run_gcm_seal(size_t len) {
    must(gcry_cipher_reset(gcm), "seal");
    must(gcry_cipher_setiv(gcm, bench_nonce, sizeof bench_nonce), "seal");
    must(gcry_cipher_authenticate(gcm, bench_aad, sizeof bench_aad), "seal");
    must(gcry_cipher_final(gcm), "seal");
    must(gcry_cipher_encrypt(gcm, bench_out, len, bench_in, len), "seal");
    must(gcry_cipher_gettag(gcm, bench_out + len, 16), "seal");
}
static void run_gcm_open(size_t len) {
    must(gcry_cipher_reset(gcm), "open");
    must(gcry_cipher_setiv(gcm, bench_nonce, sizeof bench_nonce), "open");
    must(gcry_cipher_authenticate(gcm, bench_aad, sizeof bench_aad), "open");
    must(gcry_cipher_final(gcm), "open");
    must(gcry_cipher_decrypt(gcm, bench_out, len, bench_sealed, len), "open");
    must(gcry_cipher_checktag(gcm, bench_sealed + len, 16), "open");
}
static void run_hash(gcry_md_hd_t h, size_t len, size_t out_len) {
    gcry_md_reset(h);
    gcry_md_write(h, bench_in, len);
    memcpy(bench_out, gcry_md_read(h, 0), out_len);
}
static void run_sha256(size_t len) { run_hash(sha256, len, 32); }
static void run_sha512(size_t len) { run_hash(sha512, len, 64); }
#if GCRYPT_VERSION_NUMBER >= 0x010900
static void run_x25519(size_t len) {
    (void)len;
    must(gcry_ecc_mul_point(GCRY_ECC_CURVE25519, bench_out, bench_scalar, bench_point), "x25519");
}
static void run_x25519_keygen(size_t len) {
    (void)len, must(gcry_ecc_mul_point(GCRY_ECC_CURVE25519, bench_out, bench_scalar, NULL), "x25519");
}
#else
#define run_x25519 NULL
#define run_x25519_keygen NULL
#endif
static void run_ed25519_sign(size_t len) {
    gcry_sexp_t s;
    gcry_buffer_t r = {.size = 32, .data = bench_out}, half = {.size = 32, .data = bench_out + 32};
    (void)len;
    must(gcry_pk_sign(&s, data, secret), "sign");
    must(gcry_sexp_extract_param(s, NULL, "&rs", &r, &half, NULL), "sign");
    gcry_sexp_release(s);
}
static void run_ed25519_verify(size_t len) { (void)len, must(gcry_pk_verify(signature, data, public_key), "verify"); }

static void begin(size_t mode) {
    if (mode == 1) must(gcry_control(GCRYCTL_DISABLE_HWF, "all", NULL), "GCRYCTL_DISABLE_HWF");
    if (!gcry_check_version(GCRYPT_VERSION)) bench_fail("gcrypt", "version");
    must(gcry_control(GCRYCTL_DISABLE_SECMEM, 0), "start");
    must(gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0), "start");
    must(gcry_cipher_open(&gcm, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0), "AES-256-GCM");
    must(gcry_cipher_open(&fresh, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0), "AES-256-GCM");
    must(gcry_cipher_setkey(gcm, bench_key, 32), "AES-256-GCM");
    must(gcry_md_open(&sha256, GCRY_MD_SHA256, 0), "SHA-256");
    must(gcry_md_open(&sha512, GCRY_MD_SHA512, 0), "SHA-512");
    must(gcry_sexp_build(&secret, NULL, "(private-key (ecc (curve Ed25519)(flags eddsa)(q %b)(d %b)))", 32,
                         bench_public, 32, bench_seed),
         "key");
    must(gcry_sexp_build(&public_key, NULL, "(public-key (ecc (curve Ed25519)(flags eddsa)(q %b)))", 32, bench_public),
         "key");
    must(gcry_sexp_build(&data, NULL, "(data (flags eddsa)(hash-algo sha512)(value %b))", BENCH_MESSAGE, bench_message),
         "data");
    must(gcry_sexp_build(&signature, NULL, "(sig-val (eddsa (r %b)(s %b)))", 32, bench_signature, 32,
                         bench_signature + 32),
         "signature");
}

static int enter(size_t mode) {
    static int begun;
    if (!begun) begin(mode);
    begun = 1;
    return 1;
}

static const bench_mode modes[] = {{NULL, BENCH_ALL_BITS, 0, NULL, NULL}, {"portable", BENCH_ALL_BITS, 1, NULL, NULL}};
const bench_peer bench_gcrypt = {"gcrypt",
                                 version,
                                 modes,
                                 2,
                                 enter,
                                 {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                  run_x25519_keygen, NULL, run_ed25519_sign, run_ed25519_verify, NULL, NULL, NULL},
                                 NULL};
