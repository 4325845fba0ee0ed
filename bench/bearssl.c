/* SPDX-License-Identifier: ISC */
/* BearSSL. The caller chooses among its classes: "best" the ones for AES-NI and PCLMULQDQ, "portable" aes_ct64 and
 * ghash_ctmul64. It has no Ed25519. */
#include "bench.h"
#include <bearssl.h>

typedef union {
    br_aes_ct64_ctr_keys ct64;
    br_aes_x86ni_ctr_keys x86ni;
} ctr_keys;

static ctr_keys keys[2];
static br_gcm_context gcm[2];
static const br_block_ctr_class *ctr[2];
static br_ghash ghash[2];
static const br_ec_impl *curve;
static size_t mode;

static const char *version(void) { return "0.6 or near: it does not say"; }

static void run_gcm_key(size_t len) {
    (void)len;
    ctr[mode]->init((const br_block_ctr_class **)(void *)&keys[mode], bench_key, 32);
    br_gcm_init(&gcm[mode], (const br_block_ctr_class **)(void *)&keys[mode], ghash[mode]);
}
static void start(void) {
    br_gcm_reset(&gcm[mode], bench_nonce, sizeof bench_nonce);
    br_gcm_aad_inject(&gcm[mode], bench_aad, sizeof bench_aad);
    br_gcm_flip(&gcm[mode]);
}
static void run_gcm_seal(size_t len) {
    memcpy(bench_out, bench_in, len); /* it works in place only */
    start();
    br_gcm_run(&gcm[mode], 1, bench_out, len);
    br_gcm_get_tag(&gcm[mode], bench_out + len);
}
static void run_gcm_open(size_t len) {
    memcpy(bench_out, bench_sealed, len);
    start();
    br_gcm_run(&gcm[mode], 0, bench_out, len);
    if (!br_gcm_check_tag(&gcm[mode], bench_sealed + len)) bench_fail("bearssl", "open");
}
static void run_sha256(size_t len) {
    br_sha256_context c;
    br_sha256_init(&c);
    br_sha256_update(&c, bench_in, len);
    br_sha256_out(&c, bench_out);
}
static void run_sha512(size_t len) {
    br_sha512_context c;
    br_sha512_init(&c);
    br_sha512_update(&c, bench_in, len);
    br_sha512_out(&c, bench_out);
}
static void run_x25519(size_t len) {
    (void)len;
    memcpy(bench_out, bench_point, 32);
    if (!curve->mul(bench_out, 32, bench_scalar, 32, BR_EC_curve25519)) bench_fail("bearssl", "x25519");
}
static void run_x25519_keygen(size_t len) {
    (void)len;
    if (curve->mulgen(bench_out, bench_scalar, 32, BR_EC_curve25519) != 32) bench_fail("bearssl", "x25519");
}

static int enter(size_t m) {
    mode = m;
    if (ctr[m]) return 1;
    ghash[m] = m == 0 ? br_ghash_pclmul_get() : br_ghash_ctmul64;
    ctr[m] = m == 0 ? br_aes_x86ni_ctr_get_vtable() : &br_aes_ct64_ctr_vtable;
    if (!ghash[m]) ghash[m] = br_ghash_ctmul64;
    if (!ctr[m]) ctr[m] = &br_aes_ct64_ctr_vtable;
    curve = br_ec_get_default();
    run_gcm_key(0);
    return 1;
}

static const bench_mode modes[] = {{NULL, BENCH_ALL_BITS, 0, NULL, NULL}, {"portable", BENCH_GCM_BITS, 0, NULL, NULL}};
const bench_peer bench_bearssl = {"bearssl",
                                  version,
                                  modes,
                                  2,
                                  enter,
                                  {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                   run_x25519_keygen, NULL, NULL, NULL, NULL, NULL, NULL},
                                  NULL};
