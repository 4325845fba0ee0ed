/* SPDX-License-Identifier: ISC */
/* Private keys of OpenSSH: what base64 hides between the two lines of such a file. */
#ifndef SVCONN_CMD_SSHKEY_H
#define SVCONN_CMD_SSHKEY_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    SSHKEY_GOOD,
    SSHKEY_DAMAGED,
    SSHKEY_ENCRYPTED, /* under a passphrase */
    SSHKEY_OTHER      /* another type than Ed25519 */
} sshkey_kind;

/*
 * Format "openssh-key-v1" (PROTOCOL.key of OpenSSH), cipher none. If it is good, *seed and *public_key point into data,
 * and all the public keys in it are the same; whether they belong to the seed is the caller's question.
 */
sshkey_kind sshkey_read(const uint8_t *data, size_t len, const uint8_t **seed, const uint8_t **public_key);

#endif
