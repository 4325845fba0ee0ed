/* SPDX-License-Identifier: ISC */
/*
 * Hexadecimal, base64 and DER as far as key files need them. Secrets pass here, so no branch and no place in a table
 * depends on the data; only its length and its validity show.
 */
#ifndef SVCONN_CMD_CODEC_H
#define SVCONN_CMD_CODEC_H

#include <stddef.h>
#include <stdint.h>

/* 2n lower-case digits and a NUL. */
void hex_encode(char *out, const uint8_t *in, size_t n);
/* Reads n bytes from 2n digits. Returns 0, or -1 if one is not a digit; then out is all zero. */
int hex_decode(uint8_t *out, size_t n, const char *in);

/* 4 characters for 3 bytes, n divisible by 3, and a NUL. */
void base64_encode(char *out, const uint8_t *in, size_t n);
/* Reads len characters with padding, no blanks; refuses unused bits that are set. The number of bytes, or -1. */
int base64_decode(uint8_t *out, size_t out_size, const char *in, size_t len);

/* PKCS#8 of an Ed25519 key (RFC 8410), version 1, as OpenSSL writes it. */
#define PKCS8_SIZE 48
void pkcs8_write(uint8_t der[PKCS8_SIZE], const uint8_t seed[32]);
/*
 * Reads version 1, or version 2 with the public key appended (*public_key points to it, else it is NULL), with or
 * without attributes. Returns 0, or -1 if it is anything else.
 */
int pkcs8_read(const uint8_t *der, size_t len, const uint8_t **seed, const uint8_t **public_key);

/* Erases; the compiler cannot leave it out. */
void wipe(void *p, size_t n);

#endif
