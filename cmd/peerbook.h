/* SPDX-License-Identifier: ISC */
/*
 * Two text files about peers, in ~/.config/svconn unless another place is named. Lines end with \n or \r\n; blank lines
 * and lines that begin with # are kept; fields are divided by blanks. KEY is what peer_key_parse takes, without a
 * comment: 64 hexadecimal digits, or "ssh-ed25519 AAAA..." as OpenSSH writes public keys.
 *
 *   known_peers        NAME KEY seen|verified [ADDRESS]
 *       whom we call, and by which name. seen: the key that was there the first time. verified: a person compared it.
 *       ADDRESS is the rest of the line: that of a child process has blanks. No NAME may be there twice.
 *   authorized_peers   KEY NAME [OPTION ...]
 *       who may come to us, and what for. No KEY may be there twice; one NAME may have several keys.
 *         forward=TARGET     only to this target of "serve --forward" (may be repeated)
 *         only=SERVICE       tunnel, pipe or files (may be repeated)
 *         from=ADDRESS[/N]   only from there (may be repeated; an IPv4 or IPv6 network). Behind a relay nobody has an
 *                            address.
 *         ask    no-ask      a person is asked each time; or is not, whatever --ask says
 *         until=YYYY-MM-DD   to the end of this day (UTC)
 *         sessions=N         at most so many at once
 *
 * Files are changed under a lock and replaced as a whole (written beside, synced, renamed), so reading needs no lock.
 * They are believed only if they and their directory belong to us or root, and nobody else can write them. One line
 * that makes no sense, and the whole file counts as trouble: nobody is let in by what is left of it. Functions say what
 * is wrong with a file, with the number of the line.
 */
#ifndef SVCONN_CMD_PEERBOOK_H
#define SVCONN_CMD_PEERBOOK_H

#include "options.h"

#include <stddef.h>
#include <stdint.h>

#define PEER_NAME_MAX 64 /* letters, digits and . _ - : / @ [ ], not - first, no blank, not what may be a key */
#define PEER_ADDRESS_MAX 500
#define PEER_OPTIONS_MAX 1000

typedef struct {
    char name[PEER_NAME_MAX + 1];
    uint8_t key[32];
    int verified;
    char address[PEER_ADDRESS_MAX + 1]; /* "": none */
} known_peer;

/* Not to be copied: the lists point into words. */
typedef struct {
    char name[PEER_NAME_MAX + 1];
    uint8_t key[32];
    text_list forward, only, from;
    int ask, no_ask;
    int64_t until;          /* the first second after that day, seconds since 1970; 0: no end */
    unsigned long sessions; /* 0: no limit of its own */
    text_list options;      /* all of them as they are written */
    char words[PEER_OPTIONS_MAX];
} authorized_peer;

/* file NULL: the usual place; without a home directory there is no such file. They return 1: found; 0: not there (also
 * if there is no file); -1: trouble, which was said. */
int known_peers_by_name(const char *file, const char *name, known_peer *out);
int known_peers_by_key(const char *file, const uint8_t key[32], known_peer *out);
int authorized_peers_by_key(const char *file, const uint8_t key[32], authorized_peer *out);

/* All of them, in the order of the file: malloc'd, *n of them. 0, or -1 after it said why. No file: 0 and none. */
int known_peers_all(const char *file, known_peer **list, size_t *n);
int authorized_peers_all(const char *file, authorized_peer **list, size_t *n);

/* Adds a peer, or makes the entry of the same name and key verified or gives it another address. A name that has
 * another key, and a key under another name, are refused, in words that say what to do. 0, or -1 after it said why. */
int known_peers_add(const char *file, const known_peer *peer);
/* How many entries were removed (0 or 1), or -1 after it said why. */
int known_peers_forget(const char *file, const char *name);

/* The entry of this key is replaced, or a new one is added. 0: added, 1: replaced, -1 after it said why. */
int authorized_peers_set(const char *file, const uint8_t key[32], const char *name, const char *const *options);
/* Removes every key of that name. How many there were, or -1 after it said why. */
int authorized_peers_remove(const char *file, const char *name);

/* 1 if the text may be the name of a peer. */
int peer_name_is_good(const char *name);

/* A public key as people give it: 64 hexadecimal digits, or the base64 part of an ssh-ed25519 line, or the whole line.
 * 0, or -1: it is none. */
int peer_key_parse(uint8_t key[32], const char *text);

/* The first two words of that line: "ssh-ed25519 AAAA...". */
#define PEER_KEY_SSH 81
void peer_key_ssh(char out[PEER_KEY_SSH], const uint8_t key[32]);

#endif
