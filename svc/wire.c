/* SPDX-License-Identifier: ISC */
/* Parsers of the messages: spec/protocol.md sections 2.1, 3.2, 3.5 (steps 1 and 2), 3.6 (steps 1, 2 and 4). */
#include "wire.h"

enum { ED25519_ID = 33, ED25519_PROOF = 64, PSK_PROOF = 32 };

svconn_err svconn_identity_form(const uint8_t *id, size_t len) {
    if (len == 0) return SVCONN_E_FORMAT;
    if (id[0] == SVCONN_TYPE_ED25519) return len == ED25519_ID ? SVCONN_OK : SVCONN_E_FORMAT;
    if (id[0] == SVCONN_TYPE_PSK) return len <= 1 + SVCONN_NAME_MAX ? SVCONN_OK : SVCONN_E_FORMAT;
    if (id[0] >= SVCONN_TYPE_CUSTOM) return len <= WIRE_FIELD_MAX ? SVCONN_OK : SVCONN_E_LIMIT;
    return SVCONN_E_TYPE;
}

size_t svconn_proof_length(uint8_t type) {
    if (type == SVCONN_TYPE_ED25519) return ED25519_PROOF;
    return type == SVCONN_TYPE_PSK ? PSK_PROOF : 0;
}

/* p has the length that belongs to the identity; an empty wid is hidden mode: a sealed Ed25519 signature */
static int p_len_fits(const uint8_t *wid, size_t wid_len, size_t p_len) {
    size_t want = wid_len ? svconn_proof_length(wid[0]) : ED25519_PROOF + WIRE_TAG;
    return want == 0 || p_len == want;
}

svconn_err svconn_m1_parse(svconn_m1 *m, const uint8_t *b, size_t have) {
    *m = (svconn_m1){.len = M1_WID};
    if (have > 0 && b[0] != WIRE_VERSION) return b[0] == 0 ? SVCONN_E_ABORTED : SVCONN_E_VERSION;
    if (have < m->len) return SVCONN_AGAIN;

    m->wid_len = wire_get16(b + M1_WID_LEN);
    if (m->wid_len > WIRE_FIELD_MAX) return SVCONN_E_LIMIT;
    m->p_at = M1_WID + m->wid_len + 2;
    m->len = m->p_at;
    if (have < m->len) return SVCONN_AGAIN;
    svconn_err err = m->wid_len ? svconn_identity_form(b + M1_WID, m->wid_len) : SVCONN_OK;
    if (err) return err;

    m->p_len = wire_get16(b + m->p_at - 2);
    if (m->p_len > WIRE_FIELD_MAX) return SVCONN_E_LIMIT;
    if (!p_len_fits(b + M1_WID, m->wid_len, m->p_len)) return SVCONN_E_FORMAT;
    m->len = m->p_at + m->p_len;
    return have < m->len ? SVCONN_AGAIN : SVCONN_OK;
}

int svconn_is_error_packet(const uint8_t *b, size_t have) { return have >= ERROR_PACKET && ct_all_zero(b, ERROR_PACKET); }

svconn_err svconn_m2_parse(size_t *len, const uint8_t *b, size_t have) {
    *len = M2_E;
    if (svconn_is_error_packet(b, have)) return SVCONN_E_ABORTED;
    if (have < M2_E) return SVCONN_AGAIN;
    size_t e_len = wire_get16(b + M2_E_LEN);
    if (e_len < WIRE_TAG) return SVCONN_E_FORMAT;
    if (e_len > WIRE_FIELD_MAX) return SVCONN_E_LIMIT;
    *len = M2_E + e_len;
    return have < *len ? SVCONN_AGAIN : SVCONN_OK;
}

/* One LP field at *at: its place, and *at behind it. 0 if it does not fit. */
static int take_field(const uint8_t *b, size_t len, size_t *at, size_t *field_at, size_t *field_len) {
    if (len - *at < 2) return 0;
    *field_len = wire_get16(b + *at);
    *field_at = *at + 2;
    if (*field_len > len - *field_at) return 0;
    *at = *field_at + *field_len;
    return 1;
}

svconn_err svconn_e_parse(svconn_e *e, const uint8_t *b, size_t len) {
    size_t at = 0; /* at <= len always */
    if (!take_field(b, len, &at, &e->id_at, &e->id_len)) return SVCONN_E_FORMAT;
    if (!take_field(b, len, &at, &e->proof_at, &e->proof_len)) return SVCONN_E_FORMAT;
    return ct_all_zero(b + at, len - at) ? SVCONN_OK : SVCONN_E_PADDING;
}
