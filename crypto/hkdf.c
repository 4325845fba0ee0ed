/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 and HKDF-SHA-256. Sources: RFC 2104 section 2, RFC 5869 section 2.
 * Lengths are public; keys and data only go through SHA-256 and xor.
 */
#include "crypto.h"
#include "ct.h"

/* Both hashes have taken in their padded key block: a copy of a fresh context saves that work. */
void svconn_hmac_init(svconn_hmac_ctx *c, const uint8_t *key, size_t key_len) {
    uint8_t pad[64] = {0};
    if (key_len > sizeof pad) {
        svconn_sha256_init(&c->inner);
        svconn_sha256_update(&c->inner, key, key_len);
        svconn_sha256_final(&c->inner, pad);
    } else if (key_len > 0) {
        memcpy(pad, key, key_len);
    }
    for (unsigned i = 0; i < sizeof pad; i++) pad[i] ^= 0x36;
    svconn_sha256_init(&c->inner);
    svconn_sha256_update(&c->inner, pad, sizeof pad);
    for (unsigned i = 0; i < sizeof pad; i++) pad[i] ^= 0x36 ^ 0x5c;
    svconn_sha256_init(&c->outer);
    svconn_sha256_update(&c->outer, pad, sizeof pad);
    ct_wipe(pad, sizeof pad);
}

void svconn_hmac_update(svconn_hmac_ctx *c, const uint8_t *data, size_t len) {
    svconn_sha256_update(&c->inner, data, len);
}

void svconn_hmac_final(svconn_hmac_ctx *c, uint8_t mac[32]) {
    uint8_t digest[32];
    svconn_sha256_final(&c->inner, digest);
    svconn_sha256_update(&c->outer, digest, sizeof digest);
    svconn_sha256_final(&c->outer, mac);
    ct_wipe(digest, sizeof digest);
}

/* RFC 5869 2.2. No salt means 32 zero bytes there: as an HMAC key that is the same as none.
 * prk is written last, so it may overlap the inputs. */
void svconn_hkdf_extract(uint8_t prk[32], const uint8_t *salt, size_t salt_len, const uint8_t *ikm, size_t ikm_len) {
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, salt, salt_len);
    svconn_hmac_update(&c, ikm, ikm_len);
    svconn_hmac_final(&c, prk);
}

/* RFC 5869 2.3: T(i) = HMAC(prk, T(i - 1) | info | i), T(0) empty. prk is not read after the
 * first write to out, so they may overlap. */
void svconn_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[32], const svconn_bytes *info, size_t parts) {
    svconn_hmac_ctx keyed, c;
    uint8_t t[32], i = 0;
    svconn_hmac_init(&keyed, prk, 32);
    while (out_len > 0) {
        size_t take = out_len < sizeof t ? out_len : sizeof t;
        svconn_hmac_ctx *h = &c;
#ifndef SVCONN_SMALL
        if (out_len <= sizeof t) h = &keyed; /* the last block needs no copy */
        else
#endif
            c = keyed;
        if (i > 0) svconn_hmac_update(h, t, sizeof t);
        for (size_t k = 0; k < parts; k++) svconn_hmac_update(h, info[k].data, info[k].len);
        i++;
        svconn_hmac_update(h, &i, 1);
        svconn_hmac_final(h, t);
        memcpy(out, t, take);
        out += take;
        out_len -= take;
    }
    ct_wipe(t, sizeof t);
    ct_wipe(&keyed, sizeof keyed);
}
