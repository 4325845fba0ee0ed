/* SPDX-License-Identifier: ISC */
/* Who we are, how to get there, and who may be the peer, from the options that the commands have in common. */
#ifndef SVCONN_CMD_PARTY_H
#define SVCONN_CMD_PARTY_H

#include "options.h"
#include "svconn_transport.h"
#include "via.h"

typedef struct {
    const char *command; /* the subcommand, for messages */
    const char *key_command;
    int by_book; /* who is welcome is for party.welcome to say, and our usual key is used if there is no other */
    const char *key, *psk, *name, *context, *relay_key, *known_relays, *via, *via_password;
    text_list peers;
    unsigned long renew_every;
    int hidden, verbose;
    int open, confirm;      /* SERVER only, and not in the common rows */
    const uint8_t *pairing; /* instead of all that: the pre-shared key of a pairing link, 32 bytes */
} party_options;

#define PARTY_ROWS 12
/* Fills PARTY_ROWS rows of an option table. */
void party_rows(option rows[PARTY_ROWS], party_options *o, svconn_role role);
/* The rows of the commands that go by known_peers and authorized_peers (by_book). */
#define PARTY_BASE_ROWS 8
void party_base_rows(option rows[PARTY_BASE_ROWS], party_options *o);

typedef struct {
    svconn_identity identity;
    svconn_config config;
    svconn_identity relay_identity;
    svconn_link_options link;
    const char *known_relays;
    uint8_t psk[32]; /* ours, if we have one */
    uint8_t keys[LIST_MAX][32];
    size_t n_keys;
    const char *names[LIST_MAX];
    size_t n_names;
    int any, ask, confirm, verbose;
    /* Is this peer (type 01) welcome? 1: yes; 0: no, and why was said; -1: not known yet, it will be asked again. NULL:
     * the lists above decide. */
    int (*welcome)(void *arg, svconn *s, const char *who);
    void *welcome_arg;
    int bulk; /* large buffers */
    char via[VIA_MAX];
} party;

/* Reads the key, checks the options. Returns 0, or an exit code after it said why. p stays where it is: config points
 * into it. */
int party_open(party *p, const party_options *o, const char *address, svconn_role role);
void party_close(party *p);

/* Answers what a session asks (SVCONN_NEEDS_...), except what is for a person to say (--peer ask). who is the start of
 * log lines, such as "#1: ". */
void party_answer(const party *p, svconn *s, const char *who);

/* What a person at the terminal decided. */
void party_accept(svconn *s);
void party_refuse(const party *p, svconn *s, const char *who);

/* Log lines for --verbose: both identities, the authenticator. */
void party_say_own(const party *p);
void party_say_peer(const svconn *s, const char *who);
void party_say_digits(const svconn *s, const char *who);

#endif
