/* SPDX-License-Identifier: ISC */
/*
 * Whom the called side does not even talk to: addresses that are filtered, and sources that failed to authenticate too
 * often. A source is an IPv4 address or the /64 of an IPv6 address, as a link gives it (svconn_link_peer); callers at a
 * relay, pipes and UNIX sockets have none, and are let through here. Keys that were refused too often are remembered too,
 * so that a person is not asked about them again and again.
 */
#ifndef SVCONN_CMD_GUARD_H
#define SVCONN_CMD_GUARD_H

#include "options.h"

#include <stdint.h>

/* An IPv4 or IPv6 network as text: "10.0.0.0/8", "2001:db8::/32", or one address. IPv4 in IPv6 (::ffff:1.2.3.4) counts
 * as IPv4. */
typedef struct {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of 128 */
} network;
int network_parse(network *n, const char *text); /* 0, or -1 */
/* An address as svconn_link_peer gives it ("127.0.0.1:4000", "[::1]:80"). 0, or -1: it is none. */
int network_of_peer(uint8_t address[16], const char *peer);
int network_has(const network *n, const uint8_t address[16]);

typedef struct guard guard;

/* from: only these networks (empty: all); not_from: none of these. after failures in a row within for_s seconds a source,
 * or a key, is not served for for_s seconds; after 0: never. NULL after it said why (options_fault of this command). */
guard *guard_open(const char *command, const text_list *from, const text_list *not_from, unsigned long after,
                  unsigned long for_s);
void guard_close(guard *g);

typedef enum { GUARD_WELCOME, GUARD_FILTERED, GUARD_BANNED } guard_verdict;
guard_verdict guard_source(guard *g, const char *peer, uint64_t now);
guard_verdict guard_key(guard *g, const uint8_t key[32], uint64_t now);

/* An attempt failed, or went well, which clears the account. key NULL: not known. Returns 1 if this one brought the ban. */
int guard_failed(guard *g, const char *peer, const uint8_t *key, uint64_t now);
void guard_succeeded(guard *g, const char *peer, const uint8_t *key);

#endif
