/* SPDX-License-Identifier: ISC */
/*
 * Key files: an Ed25519 seed as PKCS#8 PEM, as a private key of OpenSSH or as 64 hexadecimal digits, or a pre-shared
 * key as 64 digits; and files that hold a password. Nobody but the owner may be able to read them. These functions say
 * what is wrong and return an exit code; 0 is success.
 */
#ifndef SVCONN_CMD_KEYFILE_H
#define SVCONN_CMD_KEYFILE_H

#include <stdint.h>

typedef enum { KEYFILE_PEM, KEYFILE_HEX } keyfile_form;

/* Makes the file; never overwrites one. */
int keyfile_write(const char *path, const uint8_t secret[32], keyfile_form form);
/* The same to standard output, for a command that encrypts it. */
int keyfile_print(const uint8_t secret[32], keyfile_form form);

int keyfile_read_seed(const char *path, uint8_t seed[32]);
/* The same from what a command prints (/bin/sh -c): the way to keys under a passphrase, such as "age -d key.age". */
int keyfile_read_seed_of(const char *command, uint8_t seed[32]);
int keyfile_read_psk(const char *path, uint8_t psk[32]);

#define PASSWORD_MAX 255
/* One line, 1 to 255 bytes; its end does not belong to it. */
int keyfile_read_password(const char *path, char password[PASSWORD_MAX + 1]);

#endif
