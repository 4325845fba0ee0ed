/* SPDX-License-Identifier: ISC */
/*
 * The bytes of SVC-1: every offset, size and limit of the protocol, and the parsers of its messages. Nothing here knows
 * a key. Parsers check each length as soon as it is there, before any cryptography, and never read beyond what they
 * were given.
 */
#ifndef SVCONN_WIRE_H
#define SVCONN_WIRE_H

#include "crypto.h"
#include "ct.h"
#include "svconn.h"

enum {
    WIRE_VERSION = 0x01,
    WIRE_FIELD_MAX = 16384, /* wid, p, E (section 3.9) */
    WIRE_CONTEXT_MAX = 255,
    WIRE_TAG = 16, /* of E and of a sealed p */

    /* M1 = version || Y || LP(wid) || LP(p) */
    M1_Y = 1,
    M1_WID_LEN = 33,
    M1_WID = 35,

    /* M2 = X || LP(E) */
    M2_X = 0,
    M2_E_LEN = 32,
    M2_E = 34,

    /* record = header || len || ciphertext || tag (section 5.1) */
    RECORD_LEN = 2,
    RECORD_TEXT = 4,
    RECORD_TAG = 12,
    RECORD_OVERHEAD = RECORD_TEXT + RECORD_TAG,
    RECORD_CONTROL = 0x8000,
    RECORD_ID_MAX = 0x7fff,

    CONTROL_CONFIRM = 0,
    CONTROL_CLOSE = 1,
    CONTROL_KEEPALIVE = 2,

    ERROR_PACKET = 16 /* zero bytes */
};

#define KEY_RECORDS_MAX (UINT32_C(1) << 20) /* under one key (5.3) */
#define KEY_BYTES_MAX (UINT32_C(1) << 30)
#define KEY_AGE_MAX_MS 120000u

static inline uint16_t wire_get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline void wire_put16(uint8_t *p, size_t n) { store_be16(p, (uint16_t)n); }

/* Offsets of fields, counted from the start of the message. len: of the whole message, or of what is known yet. */
typedef struct {
    size_t len, wid_len, p_at, p_len;
} svconn_m1;

typedef struct {
    size_t id_at, id_len, proof_at, proof_len;
} svconn_e;

/* The error packet, where M2 could be (7.2) */
int svconn_is_error_packet(const uint8_t *b, size_t have);

/* SVCONN_OK if b holds a whole M1; SVCONN_AGAIN if it may become one with more bytes; else the failure (3.5 steps 1,
 * 2). */
SVCONN_CHECKED svconn_err svconn_m1_parse(svconn_m1 *m, const uint8_t *b, size_t have);

/* The same for M2: *len as above (3.6 steps 1, 2). */
SVCONN_CHECKED svconn_err svconn_m2_parse(size_t *len, const uint8_t *b, size_t have);

/* The plaintext of E, complete (3.6 step 4). */
SVCONN_CHECKED svconn_err svconn_e_parse(svconn_e *e, const uint8_t *b, size_t len);

/* Type and length of an identity (2.1). */
SVCONN_CHECKED svconn_err svconn_identity_form(const uint8_t *id, size_t len);

/* Length of a proof of this type (2.2); 0: any. */
size_t svconn_proof_length(uint8_t type);

#endif
