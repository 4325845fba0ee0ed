/* SPDX-License-Identifier: ISC */
/*
 * Names at a relay. Let A be the owner's Ed25519 key, S its Montgomery form, s the scalar (protocol.md 2.2: S = sB), R
 * the relay's key, and h = SHA-256("svconn relay name" || 00 || R || A). The name is N = X25519(h, S).
 *
 *  - Who knows A computes N. To others N is a point like any other: without A there is no h to undo, and names at two
 *    relays have nothing in common.
 *  - The owner shows that it is the owner: the relay sends E = X25519(e, 9), fresh, and the owner answers
 *    mac = HMAC-SHA-256(Z, "svconn relay owner" || 00 || N || E || binding), Z = X25519(h, X25519(s, E)). The relay
 *    computes Z = X25519(e, N): all scalars are clamped, so multiples of the cofactor, and commute. To make Z without s
 *    is the Diffie-Hellman problem for E and N. The binding (a value exported from the control session) keeps an answer
 *    from being passed on; R in h keeps a relay from asking in the name of another.
 *  - The owner's s meets a point that the relay chose, as it does in es of every session (protocol.md 3.6); here, too,
 *    the result goes through a hash under a label of its own and never leaves as it is.
 */
#include "ct.h"
#include "crypto.h"
#include "relay_wire.h"

static void blind(uint8_t h[32], const uint8_t relay_key[32], const uint8_t owner_key[32]) {
    static const uint8_t label[] = "svconn relay name"; /* and its zero byte */
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, label, sizeof label);
    svconn_sha256_update(&c, relay_key, 32);
    svconn_sha256_update(&c, owner_key, 32);
    svconn_sha256_final(&c, h);
}

int svconn_relay_name(uint8_t name[32], const uint8_t relay_key[32], const uint8_t owner_key[32]) {
    uint8_t h[32], u[32];
    if (!svconn_ed25519_check(owner_key)) return -1;
    blind(h, relay_key, owner_key);
    svconn_ed25519_to_x25519(u, owner_key);
    return svconn_x25519(name, h, u) ? 0 : -1;
}

static void mac_of(uint8_t mac[32], const uint8_t z[32], const uint8_t name[32], const uint8_t challenge[32],
                   const uint8_t binding[32]) {
    static const uint8_t label[] = RELAY_BINDING_LABEL;
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, z, 32);
    svconn_hmac_update(&c, label, sizeof label);
    svconn_hmac_update(&c, name, 32);
    svconn_hmac_update(&c, challenge, 32);
    svconn_hmac_update(&c, binding, 32);
    svconn_hmac_final(&c, mac);
}

int svconn_relay_proof(uint8_t mac[32], const uint8_t owner_seed[32], const uint8_t relay_key[32],
                       const uint8_t owner_key[32], const uint8_t challenge[32], const uint8_t binding[32]) {
    uint8_t s[32], h[32], z[32], name[32];
    if (svconn_relay_name(name, relay_key, owner_key) != 0) return -1;
    blind(h, relay_key, owner_key);
    svconn_ed25519_seed_to_x25519(s, owner_seed);
    int ok = svconn_x25519(z, s, challenge) && svconn_x25519(z, h, z);
    if (ok) mac_of(mac, z, name, challenge, binding);
    ct_wipe(s, sizeof s);
    ct_wipe(z, sizeof z);
    return ok ? 0 : -1;
}

void svconn_relay_challenge(uint8_t challenge[32], const uint8_t secret[32]) {
    svconn_x25519_public(challenge, secret);
}

int svconn_relay_check(const uint8_t mac[32], const uint8_t secret[32], const uint8_t name[32],
                       const uint8_t binding[32]) {
    uint8_t z[32], challenge[32], want[32];
    if (!svconn_x25519(z, secret, name)) return 0; /* no owner can have such a name */
    svconn_x25519_public(challenge, secret);
    mac_of(want, z, name, challenge, binding);
    int ok = (int)ct_eq(mac, want, 32);
    ct_wipe(z, sizeof z);
    ct_wipe(want, sizeof want);
    return ok;
}
