/* SPDX-License-Identifier: ISC */
/*
 * Records of one direction (section 5): seal, open, and the one-way ratchet of keys. What is above one direction (who
 * is behind, when to renew) is channel.c's; what a control record means, session.c's.
 */
#ifndef SVCONN_RECORD_H
#define SVCONN_RECORD_H

#include "crypto.h"
#include "svconn.h"

/* Key number 1 of d's chain (section 4). */
void svconn_direction_start(svconn_direction *d);

/* One step (5.2): the old chain, key and iv are gone. */
void svconn_direction_step(svconn_direction *d);

/* Writes header, len, ciphertext and tag: len + 16 bytes. control: 0 or RECORD_CONTROL. msg may be record + 4. The
 * caller keeps the limits of 5.3. */
void svconn_record_seal(svconn_direction *d, unsigned control, uint8_t *record, const uint8_t *msg, size_t len);

/* May a record with this header come now? (5.4 steps 1, 2, 4; no cryptography.) */
SVCONN_CHECKED svconn_err svconn_record_expected(const svconn_direction *d, const uint8_t header[2]);

/* Opens an expected record of record_len bytes in place; *stepped tells whether it came under the next key, which then
 * is the current one (5.4). If the tag is wrong, d is as it was. */
SVCONN_CHECKED svconn_err svconn_record_open(svconn_direction *d, uint8_t *record, size_t record_len, int *stepped);

#endif
