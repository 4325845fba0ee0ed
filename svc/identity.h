/* SPDX-License-Identifier: ISC */
/* The built-in proofs of identity (section 2.2), as the handshake sees them. */
#ifndef SVCONN_IDENTITY_H
#define SVCONN_IDENTITY_H

#include "crypto.h"
#include "svconn.h"

/* Type 01 is handshake.c's own: it computes curves. Type 02: */
void svconn_psk_prove(uint8_t proof[32], const uint8_t psk[32], const uint8_t *msg, size_t len);
SVCONN_CHECKED int svconn_psk_verify(const uint8_t proof[32], const uint8_t psk[32], const uint8_t *msg, size_t len);
void svconn_psk_es(uint8_t es[32], const uint8_t psk[32]);

#endif
