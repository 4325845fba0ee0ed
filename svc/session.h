/* SPDX-License-Identifier: ISC */
/*
 * Inside a session. Three files, each seeing only those before it:
 *   channel.c     the two buffers, and records in and out of them
 *   handshake.c   the steps until the session is connected
 *   session.c     the state machine: what arrives, time, close, failure; the public calls
 */
#ifndef SVCONN_SESSION_H
#define SVCONN_SESSION_H

#include "crypto.h"
#include "parts.h"
#include "svconn.h"

/* svconn.flags */
enum {
    FLAG_HEARD = 1, /* at least one byte came from the link */
    FLAG_KEYS = 2,  /* u.on holds, not u.hs */
    FLAG_EARLY = 4, /* CLIENT: may send before M3 */
    FLAG_RENEW = 8, /* the application asked for a new key */
    FLAG_CLOSE_SENT = 16,
    FLAG_PEER_CLOSED = 32,
    FLAG_EOF = 64 /* the link has ended; whole messages may still be in rx */
};

/* svconn.since: the next time that is told */
#define TIME_TO_COME UINT64_MAX

static inline int svconn_serves(const svconn *s) {
    return HAS_SERVER && (!HAS_CLIENT || s->config->role == SVCONN_SERVER);
}

static inline int svconn_is_over(const svconn *s) { return s->state == SVCONN_CLOSED || s->state == SVCONN_FAILED; }

/* A limit of the config: 0 is the default. */
static inline uint32_t svconn_or_default(uint32_t value, uint32_t otherwise) { return value ? value : otherwise; }

/* ---- channel.c ---------------------------------------------------------------------------------- */

/* Room for n bytes at the end of tx with SVCONN_BUFFER_RESERVE to spare; NULL if there is none. They count once tx_tail
 * is moved. */
uint8_t *svconn_tx_room(svconn *s, size_t n);

/* Seals a record of len bytes of msg, renewing the key first if that is due (5.3). record and control: as in
 * svconn_record_seal. */
void svconn_channel_seal(svconn *s, unsigned control, uint8_t *record, const uint8_t *msg, size_t len);

/* Seals and queues a control record: type, then rest. spare: bytes that must stay free behind it. SVCONN_AGAIN if there
 * is no room; there always is for CLOSE (the reserve), and for the others if tx is empty and they have no rest.
 * rest_len is at most WIRE_FIELD_MAX. */
svconn_err svconn_control_send(svconn *s, uint8_t type, const uint8_t *rest, size_t rest_len, size_t spare);

/* May the record whose first RECORD_TEXT bytes are these come now (5.4)? *record_len: of the whole record. */
SVCONN_CHECKED svconn_err svconn_channel_expected(const svconn *s, const uint8_t *header, size_t *record_len);

/* Opens an expected record in place (5.4). */
SVCONN_CHECKED svconn_err svconn_channel_open(svconn *s, uint8_t *record, size_t record_len);

/* Both for the record at rx_head, if it is there in full: SVCONN_OK and its length; SVCONN_AGAIN; or the failure. */
SVCONN_CHECKED svconn_err svconn_rx_open(svconn *s, size_t *record_len);

/* The n bytes at rx_head are done with. */
void svconn_rx_drop(svconn *s, size_t n);

/* ---- handshake.c -------------------------------------------------------------------------------- */

/* Length of our first message, M1 or M2, with a custom proof counted as empty. 0: it has a field above the limit. */
size_t svconn_first_message_length(const svconn_config *config);

/* Ephemeral keys, from seed: the part of the handshake that needs nothing of the peer. */
SVCONN_OWN_FRAME void svconn_handshake_begin(svconn *s, const uint8_t seed[32]);

#if HAS_SLICES
/* What the runs of the handshake may compute from now on. Nothing after it is over. */
void svconn_handshake_allow(svconn *s, uint32_t units);
#endif

/* One run of the handshake: as many steps as go without waiting. answer: what a question waited for, else NULL.
 * SVCONN_OK: connected. SVCONN_AGAIN: waits for bytes or for an answer (state says which). A caller fault: asks again.
 * Else the failure. */
SVCONN_CHECKED svconn_err svconn_handshake_run(svconn *s, const svconn_bytes *answer);

#endif
