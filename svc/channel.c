/* SPDX-License-Identifier: ISC */
/*
 * The two buffers of a session, and the records that go out of one and come into the other: spec/protocol.md
 * sections 5.2 to 5.4.
 *
 * rx holds bytes from the link in [rx_head, rx_tail). In front is what is looked at now: M1 or M2, or a record. An
 * opened data record stays there, lent to the application, until svconn_recv_done; meanwhile bytes may still be added
 * behind it, but nothing moves. tx holds bytes for the link in [tx_head, tx_tail) and keeps SVCONN_BUFFER_RESERVE bytes
 * free, so that CLOSE and the error packet always fit.
 */
#include "record.h"
#include "session.h"
#include "wire.h"
#include <string.h>

/* ---- tx ----------------------------------------------------------------------------------------- */

/* Room for n bytes and spare more behind the last one; what is queued moves to the front if that helps. */
static uint8_t *tx_room(svconn *s, size_t n, size_t spare) {
    if (s->tx_tail + n + spare > s->tx_size && s->tx_head) {
        memmove(s->tx, s->tx + s->tx_head, s->tx_tail - s->tx_head);
        s->tx_tail -= s->tx_head;
        s->tx_head = 0;
    }
    return s->tx_tail + n + spare <= s->tx_size ? s->tx + s->tx_tail : NULL;
}

uint8_t *svconn_tx_room(svconn *s, size_t n) { return tx_room(s, n, SVCONN_BUFFER_RESERVE); }

/* 5.3 step 1 */
static void renew_if_due(svconn *s) {
    const svconn_config *c = s->config;
    svconn_direction *out = &s->u.on.out;
    if (out->counter == 0) return;
    int due = s->behind > 0 || (s->flags & FLAG_RENEW) ||
              out->counter >= svconn_or_default(c->renew_records, KEY_RECORDS_MAX) ||
              out->bytes >= svconn_or_default(c->renew_bytes, KEY_BYTES_MAX) ||
              s->now - s->key_at > svconn_or_default(c->renew_ms, KEY_AGE_MAX_MS);
    if (!due) return;
    svconn_direction_step(out);
    s->behind--;
    s->key_at = s->now;
    s->flags &= (uint8_t)~FLAG_RENEW;
}

/* 5.3 */
void svconn_channel_seal(svconn *s, unsigned control, uint8_t *record, const uint8_t *msg, size_t len) {
    renew_if_due(s);
    svconn_record_seal(&s->u.on.out, control, record, msg, len);
    s->sent_at = s->now;
}

svconn_err svconn_control_send(svconn *s, uint8_t type, const uint8_t *rest, size_t rest_len, size_t spare) {
    size_t len = 1 + rest_len;
    uint8_t *record = tx_room(s, len + RECORD_OVERHEAD, spare);
    if (!record) return SVCONN_AGAIN;
    record[RECORD_TEXT] = type;
    if (rest_len) memcpy(record + RECORD_TEXT + 1, rest, rest_len);
    svconn_channel_seal(s, RECORD_CONTROL, record, record + RECORD_TEXT, len);
    s->tx_tail += (uint32_t)(len + RECORD_OVERHEAD);
    return SVCONN_OK;
}

/* ---- rx ----------------------------------------------------------------------------------------- */

void svconn_rx_drop(svconn *s, size_t n) {
    s->rx_head += (uint32_t)n;
    if (s->rx_head == s->rx_tail) s->rx_head = s->rx_tail = 0;
}

svconn_err svconn_channel_expected(const svconn *s, const uint8_t *p, size_t *len) {
    *len = RECORD_OVERHEAD + (size_t)wire_get16(p + RECORD_LEN);
    svconn_err err = svconn_record_expected(&s->u.on.in, p);
    if (err == SVCONN_E_ABORTED) return err;
    if (s->flags & FLAG_PEER_CLOSED) return SVCONN_E_AFTER_CLOSE;
    if (!err && !(p[0] & 0x80) && *len > RECORD_OVERHEAD + SVCONN_MESSAGE_MAX) return SVCONN_E_LIMIT;
    return err;
}

svconn_err svconn_channel_open(svconn *s, uint8_t *record, size_t len) {
    int stepped;
    svconn_err err = svconn_record_open(&s->u.on.in, record, len, &stepped);
    if (err) return err;
    s->behind += stepped;
    return SVCONN_OK;
}

svconn_err svconn_rx_open(svconn *s, size_t *len) {
    uint8_t *record = s->rx + s->rx_head;
    size_t have = s->rx_tail - s->rx_head;
    if (have < RECORD_TEXT) return SVCONN_AGAIN;
    svconn_err err = svconn_channel_expected(s, record, len);
    if (err) return err;
    if (*len > s->rx_size) return SVCONN_E_LIMIT;
    return have < *len ? SVCONN_AGAIN : svconn_channel_open(s, record, *len);
}
