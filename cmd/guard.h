/* SPDX-License-Identifier: ISC */
/*
 * Whom the called side does not even talk to: addresses that are filtered, and sources that failed to authenticate too
 * often. A source is an IPv4 address or the /64 of an IPv6 address, as a link gives it (svconn_link_peer); callers at a
 * relay, pipes and UNIX sockets have none, and are let through here, also if only some networks are welcome. Keys that
 * were refused too often are remembered too, so that a person is not asked about them again and again.
 */
#ifndef SVCONN_CMD_GUARD_H
#define SVCONN_CMD_GUARD_H

#include "options.h"

#include <stdint.h>

/* An IPv4 or IPv6 network as text: "10.0.0.0/8", "2001:db8::/32", or one address. IPv4 in IPv6 (::ffff:1.2.3.4) counts
 * as IPv4, and as nothing else: ::/0 is every IPv6 address, 0.0.0.0/0 every IPv4 address. */
typedef struct {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of 128 */
} network;
int network_parse(network *n, const char *text); /* 0, or -1 */
/* Why network_parse refused it: "10.0.0.1/8: the address has bits beyond the /8". */
void network_explain(char *out, size_t size, const char *text);
/* An address as svconn_link_peer gives it ("127.0.0.1:4000", "[::1]:80"). 0, or -1: it is none. */
int network_of_peer(uint8_t address[16], const char *peer);
int network_has(const network *n, const uint8_t address[16]);

typedef struct guard guard;

/* The number of sources, and of keys, that are remembered; see guard.c for what happens beyond. */
#define GUARD_BANS 3072
#define GUARD_COUNTS 1024

/* from ("--from"): only these networks (empty: all); not_from ("--not-from"): none of these, whatever from says. after
 * failures in a row within for_s seconds of the first one a source, or a key, is not served for for_s seconds; after 0:
 * never. NULL after it said why (options_fault of this command). The texts are not needed any more then. */
guard *guard_open(const char *command, const text_list *from, const text_list *not_from, unsigned long after,
                  unsigned long for_s);
void guard_close(guard *g);

typedef enum { GUARD_WELCOME, GUARD_FILTERED, GUARD_BANNED } guard_verdict;
guard_verdict guard_source(guard *g, const char *peer, uint64_t now);
guard_verdict guard_key(guard *g, const uint8_t key[32], uint64_t now);

/* An attempt failed, or went well, which clears the accounts, and ends their bans. key NULL: not known. It must be one
 * that the peer proved to have: else strangers could ban the keys of others. Returns 1 if this one brought a ban.
 * Failures during a ban do not make it longer. */
int guard_failed(guard *g, const char *peer, const uint8_t *key, uint64_t now);
void guard_succeeded(guard *g, const char *peer, const uint8_t *key);

#endif
