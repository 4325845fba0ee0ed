/* SPDX-License-Identifier: ISC */
/* Identities of type 02: a name and a pre-shared key (section 2.2). */
#include "ct.h"
#include "identity.h"
#include "keys.h"
#include "parts.h"

#if HAS_PSK
svconn_err svconn_identity_psk(svconn_identity *id, const uint8_t psk[32], const uint8_t *name, size_t name_len) {
    if (!id || !psk || name_len > SVCONN_NAME_MAX || (!name && name_len)) return SVCONN_E_ARGUMENT;
    uint32_t zero = ct_all_zero(psk, 32); /* a random source that failed; that much is told */
    CT_RELEASE(&zero, sizeof zero);
    if (zero) return SVCONN_E_ARGUMENT;
    memset(id, 0, sizeof *id);
    id->id_len = 1 + name_len;
    id->built_in[0] = SVCONN_TYPE_PSK;
    if (name_len) memcpy(id->built_in + 1, name, name_len);
    ct_copy(id->secret, psk, 32);
    return SVCONN_OK;
}
#endif

SVCONN_APART void psk_mac(uint8_t out[32], const uint8_t key[32], const uint8_t *msg, size_t len) {
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, key, 32);
    svconn_hmac_update(&c, msg, len);
    svconn_hmac_final(&c, out);
}

void svconn_psk_prove(uint8_t proof[32], const uint8_t psk[32], const uint8_t *msg, size_t len) {
    uint8_t key[32];
    svconn_derive(key, sizeof key, psk, LABEL_PSK_PROOF);
    psk_mac(proof, key, msg, len);
    ct_wipe(key, sizeof key);
}

int svconn_psk_verify(const uint8_t proof[32], const uint8_t psk[32], const uint8_t *msg, size_t len) {
    uint8_t want[32];
    svconn_psk_prove(want, psk, msg, len);
    uint32_t equal = ct_eq(want, proof, 32);
    CT_RELEASE(&equal, sizeof equal);
    ct_wipe(want, sizeof want);
    return (int)equal;
}

void svconn_psk_es(uint8_t es[32], const uint8_t psk[32]) { svconn_derive(es, 32, psk, LABEL_PSK_MIX); }
