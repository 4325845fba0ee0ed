/* SPDX-License-Identifier: ISC */
/* The lines of the two files of peerbook.h. */
#ifndef SVCONN_CMD_PEERBOOK_ENTRY_H
#define SVCONN_CMD_PEERBOOK_ENTRY_H

#include "peerbook.h"

#define ENTRY_MAX 1200 /* bytes of a line, without its end */
#define WRONG_MAX 400  /* bytes of a text that says what is wrong */

/* Take a line, which they cut into pieces. 0, or -1 with a text that says what is wrong. */
int known_peer_parse(known_peer *p, char *line, char wrong[WRONG_MAX]);
int authorized_peer_parse(authorized_peer *p, char *line, char wrong[WRONG_MAX]);

/* 0, or -1 with a text: it does not fit into a line. */
int known_peer_format(char line[ENTRY_MAX + 1], const known_peer *p, char wrong[WRONG_MAX]);
int authorized_peer_format(char line[ENTRY_MAX + 1], const uint8_t key[32], const char *name,
                           const char *const *options, char wrong[WRONG_MAX]);

#endif
