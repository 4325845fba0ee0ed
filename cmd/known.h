/* SPDX-License-Identifier: ISC */
/* Relays whose keys were accepted once. A text file: a line for each, HOST:PORT and 64 hexadecimal digits. */
#ifndef SVCONN_CMD_KNOWN_H
#define SVCONN_CMD_KNOWN_H

#include <stdint.h>

/* 1 if key is the one that the file has for this relay; or if it has none, and the person at the terminal says yes: then
 * it is added. Says why not. file: NULL for the usual place. */
int known_relays_ask(const char *file, const char *relay, const uint8_t key[32]);

/* The same without asking: 1: it is the key of this relay; -1: the file has another; 0: none; -2: the file is not to be
 * believed, which was said. */
int known_relays_find(const char *file, const char *relay, const uint8_t key[32]);

#endif
