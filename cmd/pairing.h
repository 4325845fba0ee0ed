/* SPDX-License-Identifier: ISC */
/*
 * A pairing link: the address of a listener at a relay, a # and a pre-shared key made for it, in a file that only its
 * owner can read. Who is given the file (by a channel that nobody reads) is the caller; nothing else has to be known or
 * compared. These functions say what is wrong and return an exit code.
 */
#ifndef SVCONN_CMD_PAIRING_H
#define SVCONN_CMD_PAIRING_H

#include <stdint.h>

#define PAIRING_ADDRESS 256

/* Makes the file; never overwrites one. */
int pairing_write(const char *path, const char *address, const uint8_t psk[32]);
int pairing_read(const char *path, char address[PAIRING_ADDRESS], uint8_t psk[32]);

#endif
