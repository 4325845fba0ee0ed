/* SPDX-License-Identifier: ISC */
/* Where a peer is, from what people write: a relay as [relay://][KEY@]HOST[:PORT][/], a token, an address. */
#ifndef SVCONN_CMD_PLACE_H
#define SVCONN_CMD_PLACE_H

#include <stddef.h>
#include <stdint.h>

/* tcp://..., unix:... and the like, for transport/ to parse. */
int place_is_address(const char *text);
/* Two groups of four letters and digits: 7KQ3-M2XD; or without the dash, if there is a digit in it: no common word. */
int place_is_token(const char *text);

/* relay://RELAY/WHAT, where WHAT is the key, or the token, or nothing (both NULL). relay NULL: $SVCONN_RELAY. An exit
 * code, after it said why. */
int place_at_relay(char *out, size_t size, const char *relay, const uint8_t *key, const char *token,
                   const char *command);
/* The address of known_peers: one of a relay without WHAT is completed by the peer's key. */
int place_of_peer(char *out, size_t size, const char *address, const uint8_t key[32], const char *command);

#endif
