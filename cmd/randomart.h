/* SPDX-License-Identifier: ISC */
/* The fingerprint of an identity as a picture, for the eye: spec/tool.md, "Words and picture". */
#ifndef SVCONN_CMD_RANDOMART_H
#define SVCONN_CMD_RANDOMART_H

#include "words.h"

#define RANDOMART_WIDTH 17
#define RANDOMART_HEIGHT 9
#define RANDOMART_TEXT ((RANDOMART_WIDTH + 3) * (RANDOMART_HEIGHT + 2) + 1)

/* Eleven lines in a frame; each ends with a newline. */
void randomart(char out[RANDOMART_TEXT], const uint8_t bits[FINGERPRINT_BITS]);

#endif
