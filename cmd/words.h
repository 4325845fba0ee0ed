/* SPDX-License-Identifier: ISC */
/* The fingerprint of an identity as words, for the telephone: spec/tool.md, "Words and picture". */
#ifndef SVCONN_CMD_WORDS_H
#define SVCONN_CMD_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* The hash that the digits of svconn_fingerprint, the words and the picture come from. */
#define FINGERPRINT_BITS 16
void fingerprint_bits(uint8_t bits[FINGERPRINT_BITS], const uint8_t *identity, size_t len);

/* The first 100 bits as words with a blank between them. */
#define WORDS 10
#define WORDS_TEXT (8 * WORDS)
void words_of(char out[WORDS_TEXT], const uint8_t bits[FINGERPRINT_BITS]);

#endif
