/* SPDX-License-Identifier: ISC */
/* The built-in proofs of identity (section 2.2), as the handshake sees them. */
#ifndef SVCONN_IDENTITY_H
#define SVCONN_IDENTITY_H

#include "crypto.h"
#include "svconn.h"

/* Type 01 */
static inline void svconn_ed25519_prove(uint8_t proof[64], const svconn_identity *me, const uint8_t *msg, size_t len) {
    svconn_ed25519_sign(proof, me->secret, me->built_in + 1, msg, len);
}
SVCONN_CHECKED int svconn_ed25519_es_client(uint8_t es[32], const uint8_t x[32], const uint8_t server_key[32]);
SVCONN_CHECKED int svconn_ed25519_es_server(uint8_t es[32], const svconn_identity *me, const uint8_t X[32]);

/* Type 02 */
void svconn_psk_prove(uint8_t proof[32], const uint8_t psk[32], const uint8_t *msg, size_t len);
SVCONN_CHECKED int svconn_psk_verify(const uint8_t proof[32], const uint8_t psk[32], const uint8_t *msg, size_t len);
void svconn_psk_es(uint8_t es[32], const uint8_t psk[32]);

#endif
