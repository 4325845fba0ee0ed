/* SPDX-License-Identifier: ISC */
/* Mbed TLS 2.28 or 3: its own choice of AES-NI at run time cannot be switched off from outside. It has no Ed25519. */
#include "bench.h"
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>
#include <mbedtls/version.h>

static mbedtls_gcm_context gcm, fresh;
static mbedtls_ecp_group curve;
static mbedtls_mpi scalar;
static mbedtls_ecp_point point;

static const char *version(void) {
    static char text[18];
    mbedtls_version_get_string(text);
    return text;
}
static void must(int error, const char *what) {
    if (error) bench_fail("mbedtls", what);
}

static void run_gcm_key(size_t len) {
    (void)len, must(mbedtls_gcm_setkey(&fresh, MBEDTLS_CIPHER_ID_AES, bench_key, 256), "key");
}
static void run_gcm_seal(size_t len) {
    must(mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, bench_nonce, sizeof bench_nonce, bench_aad,
                                   sizeof bench_aad, bench_in, bench_out, 16, bench_out + len),
         "seal");
}
static void run_gcm_open(size_t len) {
    must(mbedtls_gcm_auth_decrypt(&gcm, len, bench_nonce, sizeof bench_nonce, bench_aad, sizeof bench_aad,
                                  bench_sealed + len, 16, bench_sealed, bench_out),
         "open");
}
#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define mbedtls_sha256 mbedtls_sha256_ret
#define mbedtls_sha512 mbedtls_sha512_ret
#endif
static void run_sha256(size_t len) { must(mbedtls_sha256(bench_in, len, bench_out, 0), "sha256"); }
static void run_sha512(size_t len) { must(mbedtls_sha512(bench_in, len, bench_out, 0), "sha512"); }

/* It blinds with random numbers; these cost nothing. */
static int numbers(void *state, unsigned char *out, size_t n) {
    static uint32_t x = 1;
    (void)state;
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    return 0;
}
static void multiply(const mbedtls_ecp_point *by) {
    mbedtls_ecp_point r;
    size_t n;
    mbedtls_ecp_point_init(&r);
    must(mbedtls_ecp_mul(&curve, &r, &scalar, by, numbers, NULL) ||
             mbedtls_ecp_point_write_binary(&curve, &r, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, bench_out, 32),
         "x25519");
    mbedtls_ecp_point_free(&r);
}
static void run_x25519(size_t len) { (void)len, multiply(&point); }
static void run_x25519_keygen(size_t len) { (void)len, multiply(&curve.G); }

static int enter(size_t mode) {
    static int begun;
    uint8_t k[32];
    (void)mode;
    if (begun) return 1;
    begun = 1;
    mbedtls_gcm_init(&gcm), mbedtls_gcm_init(&fresh);
    mbedtls_ecp_group_init(&curve), mbedtls_mpi_init(&scalar), mbedtls_ecp_point_init(&point);
    memcpy(k, bench_scalar, 32);
    k[0] &= 0xf8, k[31] = (uint8_t)((k[31] & 0x7f) | 0x40);
    must(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, bench_key, 256), "AES-256-GCM");
    must(mbedtls_ecp_group_load(&curve, MBEDTLS_ECP_DP_CURVE25519) || mbedtls_mpi_read_binary_le(&scalar, k, 32) ||
             mbedtls_ecp_point_read_binary(&curve, &point, bench_point, 32),
         "X25519");
    return 1;
}

static const bench_mode modes[] = {{NULL, BENCH_ALL_BITS, 0, NULL, NULL}};
const bench_peer bench_mbedtls = {"mbedtls",
                                  version,
                                  modes,
                                  1,
                                  enter,
                                  {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                   run_x25519_keygen, NULL, NULL, NULL, NULL, NULL, NULL},
                                  NULL};
