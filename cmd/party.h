/* SPDX-License-Identifier: ISC */
/* Who we are and who may be the peer, from the options that echo and echo-server have in common. */
#ifndef SVCONN_CMD_PARTY_H
#define SVCONN_CMD_PARTY_H

#include "options.h"
#include "svconn_transport.h"
#include "via.h"

typedef struct {
    const char *key, *psk, *name, *context, *via, *via_password;
    text_list peers;
    unsigned long renew_every;
    int hidden, verbose;
} party_options;

#define PARTY_ROWS 10
/* Fills PARTY_ROWS rows of an option table. */
void party_rows(option rows[PARTY_ROWS], party_options *o, svconn_role role);

typedef struct {
    svconn_identity identity;
    svconn_config config;
    uint8_t psk[32]; /* ours, if we have one */
    uint8_t keys[LIST_MAX][32];
    size_t n_keys;
    const char *names[LIST_MAX];
    size_t n_names;
    int any, verbose;
    svconn_link_options way; /* for links that we open */
    char via[VIA_MAX];
} party;

/* Reads the key, checks the options. Returns 0, or an exit code after it said why. p stays where it is: config points
 * into it. */
int party_open(party *p, const party_options *o, svconn_role role);
void party_close(party *p);

/* Answers what a session asks (SVCONN_NEEDS_...). who is the start of log lines, such as "#1: ". */
void party_answer(const party *p, svconn *s, const char *who);

/* Log lines for --verbose: both identities, the authenticator. */
void party_say_own(const party *p);
void party_say_peer(const svconn *s, const char *who);

#endif
