/* SPDX-License-Identifier: ISC */
/* Identities of types 80 to ff: the application's own, and what all identities share (section 2.1). */
#include "ct.h"
#include "identity.h"
#include "parts.h"
#include "wire.h"

#if HAS_CUSTOM
svconn_err svconn_identity_custom(svconn_identity *id, const uint8_t *identity, size_t len) {
    if (!id || !identity || len == 0 || identity[0] < SVCONN_TYPE_CUSTOM) return SVCONN_E_ARGUMENT;
    if (len > WIRE_FIELD_MAX) return SVCONN_E_SIZE;
    memset(id, 0, sizeof *id);
    id->id = identity;
    id->id_len = len;
    return SVCONN_OK;
}
#endif

const uint8_t *svconn_identity_bytes(const svconn_identity *id, size_t *len) {
    *len = id->id_len;
    return id->id ? id->id : id->built_in;
}

void svconn_identity_wipe(svconn_identity *id) { ct_wipe(id, sizeof *id); }
