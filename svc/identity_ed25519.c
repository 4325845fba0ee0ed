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
    memcpy(id->secret, seed, 32);
    svconn_ed25519_public(id->built_in + 1, seed);
}

int svconn_ed25519_es_client(uint8_t es[32], const uint8_t x[32], const uint8_t server_key[32]) {
    uint8_t S[32];
    svconn_ed25519_to_x25519(S, server_key);
    return svconn_x25519(es, x, S);
}

int svconn_ed25519_es_server(uint8_t es[32], const svconn_identity *me, const uint8_t X[32]) {
    uint8_t scalar[32];
    svconn_ed25519_seed_to_x25519(scalar, me->secret);
    int ok = svconn_x25519(es, scalar, X);
    ct_wipe(scalar, sizeof scalar);
    return ok;
}

#endif
