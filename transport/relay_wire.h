/* SPDX-License-Identifier: ISC */
/*
 * What a party and a relay say to each other (docs/relay.md): one SVC-1 session on the connection, the relay SERVER and
 * the party CLIENT, both with Ed25519 keys, context RELAY_CONTEXT, each line below one message. Its first byte says
 * what it is.
 *
 *   party                                    relay
 *   LISTEN                                   TOKEN token(8) life(2, seconds) name(0 to 100, HOST:PORT)
 *   CALL token(8)
 *   REGISTER name(32)                        CHALLENGE E(32)
 *   PROOF mac(32)                            REGISTERED, then RING ticket(16) for each caller
 *   DATA ticket(16)
 *   CALL_NAME name(32)
 *                                            JOINED role(1), or NO reason(1)
 *
 * After LISTEN, CALL, DATA and CALL_NAME the party sends nothing, not even a keep-alive, until JOINED. JOINED is the
 * last record of the session, and neither side sends CLOSE: what follows on the connection comes from the other party.
 * After REGISTER the session goes on as long as the machine can be reached, with keep-alives both ways.
 */
#ifndef SVCONN_RELAY_WIRE_H
#define SVCONN_RELAY_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define RELAY_CONTEXT "svconn-relay 1"
#define RELAY_PORT "8386"
/* Who is nobody: an identity of the application's own (protocol.md 2.1), with an empty proof. A key made for one
 * connection would say as little, and cost both sides. */
#define RELAY_NOBODY                                                                                                   \
    "\x80"                                                                                                             \
    "anonymous"

enum {
    RELAY_LISTEN = 0x01,
    RELAY_CALL = 0x02,
    RELAY_REGISTER = 0x03,
    RELAY_PROOF = 0x04,
    RELAY_DATA = 0x05,
    RELAY_CALL_NAME = 0x06,

    RELAY_TOKEN = 0x81,
    RELAY_CHALLENGE = 0x82,
    RELAY_REGISTERED = 0x83,
    RELAY_JOINED = 0x84,
    RELAY_RING = 0x85,
    RELAY_NO = 0x8f
};

enum {
    RELAY_TOKEN_LEN = 8,
    RELAY_NAME_LEN = 32,
    RELAY_TICKET_LEN = 16,
    RELAY_PUBLIC_NAME_MAX = 100, /* HOST:PORT in TOKEN */
    RELAY_MESSAGE_MAX = 1 + RELAY_TOKEN_LEN + 2 + RELAY_PUBLIC_NAME_MAX
};

typedef enum {
    RELAY_NO_REQUEST = 1,   /* it makes no sense */
    RELAY_NO_TOKEN = 2,     /* unknown, expired or used */
    RELAY_NO_SLOWER = 3,    /* too many wrong tokens from this source; this one was not looked at */
    RELAY_NO_ROOM = 4,      /* full, as a whole or for this source */
    RELAY_NO_PEER = 5,      /* no machine of this name is here */
    RELAY_NO_ANSWER = 6,    /* the machine did not open a data link in time */
    RELAY_NO_CALLER = 7,    /* nobody came with the token while it lived */
    RELAY_NO_WITHDRAWN = 8, /* somebody was guessing at this token */
    RELAY_NO_LONGER = 9,    /* the relay is ending */
    RELAY_NO_OWNER = 10,    /* the proof for the name is wrong */
    RELAY_NO_REPLACED = 11  /* the machine has registered anew, on another connection */
} svconn_relay_reason;

/* address.c: can a relay be known by it? HOST or HOST:PORT. */
int svconn_relay_is_public_name(const char *name);

/* relay_token.c: a token is 40 bits, written as 8 of the 32 characters of Crockford's base 32 (no I L O U). */
void svconn_token_write(char text[RELAY_TOKEN_LEN + 1], uint64_t token);
/* Any case, blanks and dashes anywhere, O for 0, I and L for 1. 0, or -1. */
int svconn_token_read(uint64_t *token, const char *text);

/* relay_name.c: the name under which the owner of an Ed25519 key is known at one relay: a point that only who knows the
 * key can compute, and that says nothing of it to others. */
int svconn_relay_name(uint8_t name[32], const uint8_t relay_key[32], const uint8_t owner_key[32]);
/* What the owner answers to a challenge; binding: 32 bytes that only this session has. -1: a challenge of small order.
 */
int svconn_relay_proof(uint8_t mac[32], const uint8_t owner_seed[32], const uint8_t relay_key[32],
                       const uint8_t owner_key[32], const uint8_t challenge[32], const uint8_t binding[32]);
/* The relay's side: a challenge is made of a fresh secret; 1 if mac is the owner's. */
void svconn_relay_challenge(uint8_t challenge[32], const uint8_t secret[32]);
int svconn_relay_check(const uint8_t mac[32], const uint8_t secret[32], const uint8_t name[32],
                       const uint8_t binding[32]);
#define RELAY_BINDING_LABEL "svconn relay owner" /* svconn_export of both ends */

#endif
