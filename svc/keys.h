/* SPDX-License-Identifier: ISC */
/*
 * Labels, transcript hashes and key derivations of SVC-1 (sections 2.2, 3.1, 3.3, 4): one function for each formula,
 * and no state. Names are those of the specification.
 */
#ifndef SVCONN_KEYS_H
#define SVCONN_KEYS_H

#include "crypto.h"

/* Every label of the protocol (section 9) */
#define LABEL_SERVER_HELLO "SVC1 server hello"
#define LABEL_CLIENT_HELLO "SVC1 client hello"
#define LABEL_CLIENT_PROOF "SVC1 client proof"
#define LABEL_SESSION "SVC1 session"
#define LABEL_SERVER_CONFIRM "SVC1 server confirm"
#define LABEL_HIDDEN "SVC1 hidden"
#define LABEL_CLIENT_KEY "SVC1 client key"
#define LABEL_MASTER "SVC1 master"
#define LABEL_C2S "SVC1 c2s"
#define LABEL_S2C "SVC1 s2c"
#define LABEL_EXPORTER "SVC1 exporter"
#define LABEL_KEY "SVC1 key"
#define LABEL_NEXT "SVC1 next"
#define LABEL_EXPORT "SVC1 export"
#define LABEL_PSK_PROOF "SVC1 psk proof"
#define LABEL_PSK_MIX "SVC1 psk mix"
#define LABEL_EPHEMERAL "SVC1 ephemeral"
#define LABEL_FINGERPRINT "SVC1 fingerprint"

/* Expand(prk, label, n). out may be prk. */
void svconn_derive(uint8_t *out, size_t n, const uint8_t prk[32], const char *label);

/* The private ephemeral key (3.1). */
void svconn_ephemeral(uint8_t out[32], const uint8_t seed[32], svconn_bytes secret, svconn_bytes context);

/* The hashes of 3.3. T2 comes in two halves, because a SERVER has sent p long before X comes. */
void svconn_t1(uint8_t t1[32], svconn_bytes context, const uint8_t Y[32], svconn_bytes wid, svconn_bytes idS);
void svconn_t2_begin(svconn_sha256_ctx *c, const uint8_t t1[32], svconn_bytes p);
void svconn_t2_end(uint8_t t2[32], svconn_sha256_ctx *c, const uint8_t X[32]);
void svconn_t3(uint8_t t3[32], const uint8_t t2[32], svconn_bytes idC); /* t3 may be t2 */
void svconn_t4(uint8_t t4[32], const uint8_t t3[32], svconn_bytes E);   /* t4 may be t3 */
void svconn_fingerprint_hash(uint8_t out[32], svconn_bytes id);

/* The keys of 3.3. ikm: dh || es. */
void svconn_hidden_key(uint8_t out[32], const uint8_t Y[32], svconn_bytes idS);
void svconn_ck(uint8_t ck[32], const uint8_t t2[32], svconn_bytes ikm);
void svconn_master(uint8_t km[32], const uint8_t ck[32], const uint8_t t4[32]);

/* The ratchet and the exporter of section 4. */
void svconn_key_and_iv(uint8_t key_iv[44], const uint8_t chain[32]); /* key || iv */
void svconn_export_key(uint8_t *out, size_t n, const uint8_t ex[32], svconn_bytes label, svconn_bytes ctx);

/* label || 00 || T: what a proof covers (2.2). Returns its length, at most SVCONN_PROOF_MESSAGE_MAX. */
size_t svconn_proof_text(uint8_t *out, const char *label, const uint8_t t[32]);

#endif
