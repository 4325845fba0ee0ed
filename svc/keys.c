/* SPDX-License-Identifier: ISC */
/* Transcript and key schedule: spec/protocol.md sections 2.2, 3.1, 3.3 and 4, formula for formula. */
#include "keys.h"
#include "ct.h"

/* l || 00 if zero is 1, else l. (Without a bound gcc 12 makes a call of strlen of the loop: the core does not have it.) */
static svconn_bytes label_bytes(const char *label, size_t zero) {
    size_t n = 0;
    while (n < 32 && label[n]) n++;
    return (svconn_bytes){(const uint8_t *)label, n + zero};
}

/* ---- H(l; ...) ---------------------------------------------------------------------------------- */

static void hash_begin(svconn_sha256_ctx *c, const char *label) {
    svconn_bytes l = label_bytes(label, 1);
    svconn_sha256_init(c);
    svconn_sha256_update(c, l.data, l.len);
}

static void hash_lp(svconn_sha256_ctx *c, const uint8_t *z, size_t len) {
    uint8_t n[2];
    store_be16(n, (uint16_t)len);
    svconn_sha256_update(c, n, 2);
    svconn_sha256_update(c, z, len);
}

void svconn_t1(uint8_t t1[32], svconn_bytes context, const uint8_t Y[32], svconn_bytes wid, svconn_bytes idS) {
    static const uint8_t version[1] = {0x01};
    svconn_sha256_ctx c;
    hash_begin(&c, LABEL_SERVER_HELLO);
    hash_lp(&c, context.data, context.len);
    svconn_sha256_update(&c, version, 1);
    svconn_sha256_update(&c, Y, 32);
    hash_lp(&c, wid.data, wid.len);
    hash_lp(&c, idS.data, idS.len);
    svconn_sha256_final(&c, t1);
}

/* H(l; T, LP(z)), all but its end */
static void chain_begin(svconn_sha256_ctx *c, const char *label, const uint8_t t[32], const uint8_t *z, size_t len) {
    hash_begin(c, label);
    svconn_sha256_update(c, t, 32);
    hash_lp(c, z, len);
}

void svconn_t2_begin(svconn_sha256_ctx *c, const uint8_t t1[32], svconn_bytes p) {
    chain_begin(c, LABEL_CLIENT_HELLO, t1, p.data, p.len);
}

void svconn_t2_end(uint8_t t2[32], svconn_sha256_ctx *c, const uint8_t X[32]) {
    svconn_sha256_update(c, X, 32);
    svconn_sha256_final(c, t2);
}

void svconn_t3(uint8_t t3[32], const uint8_t t2[32], svconn_bytes idC) {
    svconn_sha256_ctx c;
    chain_begin(&c, LABEL_CLIENT_PROOF, t2, idC.data, idC.len);
    svconn_sha256_final(&c, t3);
}

void svconn_t4(uint8_t t4[32], const uint8_t t3[32], svconn_bytes E) {
    svconn_sha256_ctx c;
    chain_begin(&c, LABEL_SESSION, t3, E.data, E.len);
    svconn_sha256_final(&c, t4);
}

void svconn_fingerprint_hash(uint8_t out[32], svconn_bytes id) {
    svconn_sha256_ctx c;
    hash_begin(&c, LABEL_FINGERPRINT);
    svconn_sha256_update(&c, id.data, id.len);
    svconn_sha256_final(&c, out);
}

/* ---- HKDF --------------------------------------------------------------------------------------- */

void svconn_derive(uint8_t *out, size_t n, const uint8_t prk[32], const char *label) {
    svconn_bytes info = label_bytes(label, 0);
    svconn_hkdf_expand(out, n, prk, &info, 1);
}

void svconn_ephemeral(uint8_t out[32], const uint8_t seed[32], svconn_bytes secret, svconn_bytes context) {
    svconn_bytes salt = label_bytes(LABEL_EPHEMERAL, 0);
    svconn_hmac_ctx c; /* Extract: HMAC of the salt, and here of two pieces */
    uint8_t prk[32];
    svconn_hmac_init(&c, salt.data, salt.len);
    svconn_hmac_update(&c, seed, 32);
    svconn_hmac_update(&c, secret.data, secret.len);
    svconn_hmac_final(&c, prk);
    svconn_hkdf_expand(out, 32, prk, &context, 1);
    ct_wipe(prk, sizeof prk);
}

void svconn_hidden_key(uint8_t out[32], const uint8_t Y[32], svconn_bytes idS) {
    uint8_t prk[32];
    svconn_hkdf_extract(prk, Y, 32, idS.data, idS.len);
    svconn_derive(out, 32, prk, LABEL_HIDDEN);
    ct_wipe(prk, sizeof prk);
}

void svconn_ck(uint8_t ck[32], const uint8_t t2[32], svconn_bytes ikm) {
    svconn_hkdf_extract(ck, t2, 32, ikm.data, ikm.len);
}

void svconn_master(uint8_t km[32], const uint8_t ck[32], const uint8_t t4[32]) {
    svconn_bytes info[2] = {label_bytes(LABEL_MASTER, 1), {t4, 32}};
    svconn_hkdf_expand(km, 32, ck, info, 2);
}

void svconn_key_and_iv(uint8_t key_iv[44], const uint8_t chain[32]) { svconn_derive(key_iv, 44, chain, LABEL_KEY); }

void svconn_export_key(uint8_t *out, size_t n, const uint8_t ex[32], svconn_bytes label, svconn_bytes ctx) {
    uint8_t l[2] = {(uint8_t)(label.len >> 8), (uint8_t)label.len};
    uint8_t c[2] = {(uint8_t)(ctx.len >> 8), (uint8_t)ctx.len};
    svconn_bytes info[5] = {label_bytes(LABEL_EXPORT, 1), {l, 2}, label, {c, 2}, ctx};
    svconn_hkdf_expand(out, n, ex, info, 5);
}

size_t svconn_proof_text(uint8_t *out, const char *label, const uint8_t t[32]) {
    svconn_bytes l = label_bytes(label, 1);
    memcpy(out, l.data, l.len);
    ct_copy(out + l.len, t, 32);
    return l.len + 32;
}
