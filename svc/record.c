/* SPDX-License-Identifier: ISC */
/*
 * Records: spec/protocol.md section 5.
 *
 * A direction holds one key. The receiver derives the next one only for a record that names it, in a copy, and the copy
 * replaces the direction only after the tag was right: a forged header costs one derivation and changes nothing.
 */
#include "record.h"
#include "ct.h"
#include "keys.h"
#include "parts.h"
#include "wire.h"

typedef char key_words_agree[SVCONN_KEY_WORDS == SVCONN_GCM_WORDS ? 1 : -1];

static uint16_t successor(uint16_t id) { return id == RECORD_ID_MAX ? 1 : (uint16_t)(id + 1); }

static void load_key(svconn_direction *d) {
    uint8_t key_iv[44];
    svconn_key_and_iv(key_iv, d->chain);
    svconn_gcm_init(d->key, key_iv);
    memcpy(d->iv, key_iv + 32, 12);
    ct_wipe(key_iv, sizeof key_iv);
    d->counter = 0;
    d->bytes = 0;
}

void svconn_direction_start(svconn_direction *d) {
    d->id = 1;
    load_key(d);
}

void svconn_direction_step(svconn_direction *d) {
    svconn_derive(d->chain, 32, d->chain, LABEL_NEXT);
    d->id = successor(d->id);
    load_key(d);
}

/* iv XOR (0^4 || u64(counter)); the counter is below 2^21. The first nonce is the iv, which no stack may keep. */
static void make_nonce(uint8_t nonce[12], const svconn_direction *d) {
    memcpy(nonce, d->iv, 12);
    store_be32(nonce + 8, load_be32(nonce + 8) ^ d->counter);
}

static void count(svconn_direction *d, size_t len) {
    d->counter += 1;
    d->bytes += (uint32_t)len;
}

void svconn_record_seal(svconn_direction *d, unsigned control, uint8_t *record, const uint8_t *msg, size_t len) {
    uint8_t nonce[12];
    wire_put16(record, control | d->id);
    wire_put16(record + RECORD_LEN, len);
    make_nonce(nonce, d);
    svconn_gcm_seal(d->key, nonce, record, RECORD_TEXT, record + RECORD_TEXT, msg, len, record + RECORD_TEXT + len,
                    RECORD_TAG);
    ct_wipe(nonce, sizeof nonce);
    count(d, len);
}

svconn_err svconn_record_expected(const svconn_direction *d, const uint8_t header[2]) {
    unsigned id = wire_get16(header) & RECORD_ID_MAX;
    if (id == 0) return SVCONN_E_ABORTED;
    if (id == d->id) {
        int spent = d->counter >= KEY_RECORDS_MAX || d->bytes >= KEY_BYTES_MAX;
        return spent ? SVCONN_E_KEY_LIMIT : SVCONN_OK;
    }
    return id == successor(d->id) && d->counter > 0 ? SVCONN_OK : SVCONN_E_KEY_ID;
}

static int open_with(const svconn_direction *d, uint8_t *record, size_t len) {
    uint8_t nonce[12];
    make_nonce(nonce, d);
    int ok = svconn_gcm_open(d->key, nonce, record, RECORD_TEXT, record + RECORD_TEXT, record + RECORD_TEXT, len,
                             record + RECORD_TEXT + len, RECORD_TAG);
    ct_wipe(nonce, sizeof nonce);
    return ok;
}

/* The same under the next key, which then is the current one */
SVCONN_APART int open_with_next(svconn_direction *d, uint8_t *record, size_t len) {
    svconn_direction next = *d;
    svconn_direction_step(&next);
    int ok = open_with(&next, record, len);
    if (ok) *d = next;
    ct_wipe(&next, sizeof next);
    return ok;
}

svconn_err svconn_record_open(svconn_direction *d, uint8_t *record, size_t record_len, int *stepped) {
    size_t len = record_len - RECORD_OVERHEAD;
    unsigned id = wire_get16(record) & RECORD_ID_MAX;
    *stepped = id != d->id;
    int ok = *stepped ? open_with_next(d, record, len) : open_with(d, record, len);
    if (!ok) return SVCONN_E_TAG;
    count(d, len);
    return SVCONN_OK;
}
