/* SPDX-License-Identifier: ISC */
/* Identities of type 01: an Ed25519 key that signs, and that as X25519 key adds es when it is the SERVER's
 * (section 2.2). */
#include "ct.h"
#include "identity.h"
#include "parts.h"

#if HAS_ED25519
void svconn_identity_ed25519(svconn_identity *id, const uint8_t seed[32]) {
    memset(id, 0, sizeof *id);
    id->id_len = 33;
    id->built_in[0] = SVCONN_TYPE_ED25519;
    ct_copy(id->secret, seed, 32);
    svconn_ed25519_public(id->built_in + 1, seed);
}
#endif
