/* SPDX-License-Identifier: ISC */
/*
 * What this build has (the switches of profile.h), as constants: code for what is left out stands behind `if (HAS_...)`,
 * is checked by every compiler and kept by none. A function of the API that belongs to a part that is left out is not in
 * the library: a program that calls it does not link. A config that asks for such a part is SVCONN_E_UNSUPPORTED. With
 * every config that a build takes, it does what the full build does with it, failures included (SVCONN_MESSAGE_LIMIT is
 * another matter). tests/profiles/run.sh compares.
 */
#ifndef SVCONN_PARTS_H
#define SVCONN_PARTS_H

#include "profile.h"
#include "svconn.h"

#ifdef SVCONN_SERVER_ONLY
#define HAS_CLIENT 0
#else
#define HAS_CLIENT 1
#endif

#ifdef SVCONN_CLIENT_ONLY
#define HAS_SERVER 0
#else
#define HAS_SERVER 1
#endif

#ifdef SVCONN_PSK_ONLY
#define HAS_ED25519 0
#else
#define HAS_ED25519 1
#endif

#ifdef SVCONN_NO_PSK
#define HAS_PSK 0
#else
#define HAS_PSK 1
#endif

#ifdef SVCONN_NO_CUSTOM
#define HAS_CUSTOM 0
#else
#define HAS_CUSTOM 1
#endif

#ifdef SVCONN_NO_HIDDEN
#define HAS_HIDDEN 0
#else
#define HAS_HIDDEN HAS_ED25519
#endif

#ifdef SVCONN_NO_SLICES
#define HAS_SLICES 0
#else
#define HAS_SLICES 1
#endif

/* The SVCONN_PEER_ bit of a type, and those of the types that are here */
static inline unsigned svconn_type_bit(uint8_t type) {
    if (type == SVCONN_TYPE_ED25519) return SVCONN_PEER_ED25519;
    return type == SVCONN_TYPE_PSK ? SVCONN_PEER_PSK : SVCONN_PEER_CUSTOM;
}
#define HAS_TYPES                                                                                                      \
    ((HAS_ED25519 ? SVCONN_PEER_ED25519 : 0) | (HAS_PSK ? SVCONN_PEER_PSK : 0) | (HAS_CUSTOM ? SVCONN_PEER_CUSTOM : 0))
#define HAS_ONE_TYPE (HAS_ED25519 + HAS_PSK + HAS_CUSTOM == 1)

/* The type of an identity that passed check_peer, or of our own. Where the build has one type alone, it is that one. */
#define svconn_known_type(type) ((uint8_t)(!HAS_ONE_TYPE ? (type) : HAS_ED25519 ? SVCONN_TYPE_ED25519 : SVCONN_TYPE_PSK))

/* What is it? Macros, and what is asked first in a condition: so compilers drop the call behind it even if they were told not to optimise, and it
 * links without what is left out. */
#define svconn_is_ed25519(type) (HAS_ED25519 && (HAS_ONE_TYPE || (type) == SVCONN_TYPE_ED25519))
#define svconn_is_psk(type) (HAS_PSK && (HAS_ONE_TYPE || (type) == SVCONN_TYPE_PSK))
#define svconn_is_custom(type) (HAS_CUSTOM && (type) >= SVCONN_TYPE_CUSTOM)

#endif
