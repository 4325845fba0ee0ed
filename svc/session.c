/* SPDX-License-Identifier: ISC */
/*
 * The session: what arrives, time, close and failure (spec/protocol.md sections 5 to 7), and the public calls.
 *
 * Everything that arrives goes through run(); everything that fails goes through fail().
 */
#include "session.h"
#include "ct.h"
#include "keys.h"
#include "record.h"
#include "wire.h"

/* ---- failure (7.1) ------------------------------------------------------------------------------ */

/* The peer is told unless it is gone, or told us first (7.2). */
static int peer_wants_to_know(svconn_err err) {
    return err != SVCONN_E_ABSENT && err != SVCONN_E_TRUNCATED && err != SVCONN_E_ABORTED;
}

/* The work space is the caller's again. */
static void end_work(svconn *s) {
    if (!HAS_SLICES || !s->work) return;
    ct_wipe(s->work, sizeof *s->work);
    s->work = NULL;
    ct_wipe(s->tx + s->tx_tail, s->tx_size - s->tx_tail); /* an M2 that is not sealed yet */
}

static svconn_err fail(svconn *s, svconn_err err) {
    ct_wipe(&s->u, sizeof s->u);
    end_work(s);
    s->lent = 0;
    s->state = SVCONN_FAILED;
    s->error = (uint8_t)err;
    if (peer_wants_to_know(err)) {
        memset(s->tx + s->tx_tail, 0, ERROR_PACKET); /* there is room: the reserve, moved to the end by tx_room */
        s->tx_tail += ERROR_PACKET;
    }
    return err;
}

/* ---- records that came -------------------------------------------------------------------------- */

/* Both directions have ended in order. */
static void end_if_closed(svconn *s) {
    unsigned both = FLAG_CLOSE_SENT | FLAG_PEER_CLOSED;
    if ((s->flags & both) != both) return;
    ct_wipe(&s->u, sizeof s->u);
    s->state = SVCONN_CLOSED;
    s->rx_head = s->rx_tail = 0;
}

/* An opened control record of a connected session (5.1). */
static svconn_err control(svconn *s, const uint8_t *text, size_t len) {
    CT_RELEASE(text, len);
    if (len != 1) return SVCONN_E_CONTROL;
    if (text[0] == CONTROL_CLOSE) s->flags |= FLAG_PEER_CLOSED;
    else if (text[0] != CONTROL_KEEPALIVE) return SVCONN_E_CONTROL;
    return SVCONN_OK;
}

/* Goes through the records in rx until one is a message, which is then lent. */
static svconn_err take_records(svconn *s) {
    while (s->state == SVCONN_CONNECTED && !s->lent) {
        size_t len;
        svconn_err err = svconn_rx_open(s, &len);
        if (err) return err;
        s->since = s->now;
        uint8_t *record = s->rx + s->rx_head;
        if (!(record[0] & 0x80)) {
            s->lent = (uint32_t)len;
            break;
        }
        err = control(s, record + RECORD_TEXT, len - RECORD_OVERHEAD);
        if (err) return err;
        svconn_rx_drop(s, len);
        end_if_closed(s);
    }
    return SVCONN_OK;
}

static int is_working(const svconn *s) { return HAS_SLICES && s->state == SVCONN_WORKING; }

/* Waits for a call of the application: what comes from the link waits too. */
static int is_asking(const svconn *s) {
    return (s->state >= SVCONN_NEEDS_PROOF && s->state <= SVCONN_NEEDS_VERDICT) || is_working(s);
}

/* 7.2, while a question is open: behind the message that raised it comes a record, or the error packet. Before a
 * SERVER's M1 it is M2 that comes, at the earliest. (What came together with the message waits for the answer, so that
 * the way in which bytes are split decides nothing.) */
static size_t message_length(const svconn *s) { return s->flags & FLAG_KEYS ? s->lent : s->u.hs.m_len; }
static size_t bytes_behind(const svconn *s) { return s->rx_tail - s->rx_head - message_length(s); }

static int error_packet_waits(const svconn *s) {
    size_t message = message_length(s), have = bytes_behind(s);
    const uint8_t *p = s->rx + s->rx_head + message;
    if ((HAS_SERVER || HAS_SLICES) && !(s->flags & FLAG_KEYS) && message == 0) return svconn_is_error_packet(p, have);
    return have >= RECORD_TEXT && (wire_get16(p) & RECORD_ID_MAX) == 0;
}

/* The link has ended before the handshake has. */
static svconn_err fail_at_end(svconn *s) {
    if (is_asking(s) && error_packet_waits(s)) return fail(s, SVCONN_E_ABORTED);
    return fail(s, s->flags & FLAG_HEARD ? SVCONN_E_TRUNCATED : SVCONN_E_ABSENT);
}

/* The silence of the peer counts from now. An answer or svconn_recv_done tells no time, so "now" is the next time that
 * is told. */
static void listen_anew(svconn *s) { s->since = TIME_TO_COME; }

/* Goes as far as it goes without waiting. The only way in for bytes and answers. */
static svconn_err run(svconn *s, const svconn_bytes *answer) {
    svconn_err err = SVCONN_OK;
    if (s->state != SVCONN_CONNECTED) {
        err = svconn_handshake_run(s, answer);
        if (!err) {
            s->state = SVCONN_CONNECTED;
            listen_anew(s);
            end_work(s);
        }
    }
    if (!err) err = take_records(s);
    if (svconn_is_failure(err)) return fail(s, err);
    if ((s->flags & FLAG_EOF) && s->state == SVCONN_CONNECTED && !s->lent && !(s->flags & FLAG_PEER_CLOSED))
        return fail(s, SVCONN_E_TRUNCATED);
    return err == SVCONN_AGAIN ? SVCONN_OK : err;
}

/* ---- beginning and end -------------------------------------------------------------------------- */

/* A secret of 32 zero bytes: a random source that failed. That much is told. */
static int is_zero(const uint8_t secret[32]) {
    uint32_t zero = ct_all_zero(secret, 32);
    CT_RELEASE(&zero, sizeof zero);
    return (int)zero;
}

static svconn_err check_config(const svconn_config *c) {
    if (!c || !c->identity || (c->role != SVCONN_CLIENT && c->role != SVCONN_SERVER)) return SVCONN_E_ARGUMENT;
    size_t id_len;
    const uint8_t *id = svconn_identity_bytes(c->identity, &id_len);
    unsigned types = SVCONN_PEER_ED25519 | SVCONN_PEER_PSK | SVCONN_PEER_CUSTOM;
    int good = !svconn_identity_form(id, id_len) && (id[0] >= SVCONN_TYPE_CUSTOM || !is_zero(c->identity->secret)) &&
               (!c->hidden || (c->hidden == 1 && c->role == SVCONN_SERVER && id[0] == SVCONN_TYPE_ED25519)) &&
               c->context_len <= WIRE_CONTEXT_MAX && (c->context || !c->context_len) &&
               (c->known_servers || !c->known_servers_count) && c->peer_types <= types &&
               c->early <= SVCONN_EARLY_ALWAYS && c->renew_records <= KEY_RECORDS_MAX &&
               c->renew_bytes <= KEY_BYTES_MAX && c->renew_ms <= KEY_AGE_MAX_MS;
    if (!good) return SVCONN_E_ARGUMENT;
    if (c->role == SVCONN_CLIENT ? !HAS_CLIENT : !HAS_SERVER) return SVCONN_E_UNSUPPORTED;
    if (!HAS_HIDDEN && (c->hidden || c->known_servers_count)) return SVCONN_E_UNSUPPORTED;
    types = c->peer_types | svconn_type_bit(id[0]);
    return types & ~HAS_TYPES ? SVCONN_E_UNSUPPORTED : SVCONN_OK;
}

static int buffers_are_good(const svconn_config *c, size_t rx_size, size_t tx_size) {
    if (rx_size < SVCONN_BUFFER_MIN || tx_size < SVCONN_BUFFER_MIN) return 0;
    size_t first = svconn_first_message_length(c);
    return first && first + SVCONN_BUFFER_RESERVE <= tx_size;
}

static uint32_t clamp_size(size_t n) { return n < UINT32_MAX / 2 ? (uint32_t)n : UINT32_MAX / 2; }

static svconn_err init(svconn *s, svconn_workspace *work, const svconn_config *config, uint8_t seed[32], uint8_t *rx,
                       size_t rx_size, uint8_t *tx, size_t tx_size) {
    if (!s || !seed || !rx || !tx) return SVCONN_E_ARGUMENT;
    svconn_err err = check_config(config);
    if (err) return err;
    if (!buffers_are_good(config, rx_size, tx_size)) return SVCONN_E_SIZE;
    if (is_zero(seed)) return SVCONN_E_SEED;
    memset(s, 0, sizeof *s);
    s->config = config;
    s->work = work;
    if (HAS_SLICES && work) memset(work, 0, sizeof *work);
    s->rx = rx;
    s->rx_size = clamp_size(rx_size);
    s->tx = tx;
    s->tx_size = clamp_size(tx_size);
    s->state = SVCONN_HANDSHAKE;
    s->since = TIME_TO_COME;
    svconn_handshake_begin(s, seed);
    ct_wipe(seed, 32);
    return run(s, NULL);
}

svconn_err svconn_init(svconn *s, const svconn_config *config, uint8_t seed[32], uint8_t *rx, size_t rx_size,
                       uint8_t *tx, size_t tx_size) {
    return init(s, NULL, config, seed, rx, rx_size, tx, tx_size);
}

#if HAS_SLICES
svconn_err svconn_init_sliced(svconn *s, svconn_workspace *work, const svconn_config *config, uint8_t seed[32],
                              uint8_t *rx, size_t rx_size, uint8_t *tx, size_t tx_size) {
    return work ? init(s, work, config, seed, rx, rx_size, tx, tx_size) : SVCONN_E_ARGUMENT;
}

svconn_err svconn_work(svconn *s, uint32_t units) {
    if (s->state != SVCONN_WORKING) return SVCONN_E_STATE;
    if (units == 0) return SVCONN_E_ARGUMENT;
    s->state = SVCONN_HANDSHAKE; /* or what the handshake says next */
    svconn_handshake_allow(s, units);
    svconn_err err = run(s, NULL);
    svconn_handshake_allow(s, 0);
    if (err || !(s->flags & FLAG_EOF) || s->state == SVCONN_WORKING || s->state == SVCONN_CONNECTED || svconn_is_over(s)) return err;
    return fail_at_end(s);
}
#endif

void svconn_wipe(svconn *s) {
    end_work(s);
    if (s->rx) ct_wipe(s->rx, s->rx_size);
    if (s->tx) ct_wipe(s->tx, s->tx_size);
    ct_wipe(s, sizeof *s);
}

svconn_state svconn_status(const svconn *s) { return (svconn_state)s->state; }

svconn_err svconn_error(const svconn *s) { return (svconn_err)s->error; }

void svconn_abort(svconn *s) {
    if (s->state != SVCONN_NONE && !svconn_is_over(s)) (void)fail(s, SVCONN_E_CANCELLED);
}

/* ---- answers ------------------------------------------------------------------------------------ */

static svconn_err answer(svconn *s, svconn_state question, const uint8_t *data, size_t len) {
    svconn_bytes a = {data, len};
    return s->state == question ? run(s, &a) : SVCONN_E_STATE;
}

svconn_err svconn_accept(svconn *s) { return answer(s, SVCONN_NEEDS_VERDICT, NULL, 0); }

#if HAS_CUSTOM
svconn_err svconn_prove(svconn *s, const uint8_t *proof, size_t len) {
    if (!proof && len) return SVCONN_E_ARGUMENT;
    return answer(s, SVCONN_NEEDS_PROOF, proof, len);
}
#endif

#if HAS_PSK
svconn_err svconn_give_psk(svconn *s, const uint8_t psk[32]) {
    if (!psk || is_zero(psk)) return SVCONN_E_ARGUMENT;
    return answer(s, SVCONN_NEEDS_PSK, psk, 32);
}
#endif

svconn_err svconn_refuse(svconn *s) {
    if (s->state != SVCONN_NEEDS_VERDICT && s->state != SVCONN_NEEDS_PSK) return SVCONN_E_STATE;
    (void)fail(s, SVCONN_E_REFUSED);
    return SVCONN_OK;
}

#if HAS_ED25519
svconn_err svconn_accept_known(svconn *s, const uint8_t (*public_keys)[32], size_t n) {
    if (s->state != SVCONN_NEEDS_VERDICT) return SVCONN_E_STATE;
    if (!public_keys && n) return SVCONN_E_ARGUMENT;
    if (s->peer_len == 0 || !svconn_is_ed25519(s->peer[0])) return svconn_refuse(s);
    for (size_t i = 0; i < n; i++)
        if (ct_eq(public_keys[i], s->peer + 1, 32)) return svconn_accept(s);
    return svconn_refuse(s);
}
#endif

/* ---- time (6) ----------------------------------------------------------------------------------- */

static void tell_time(svconn *s, uint64_t now) {
    if (now > s->now) s->now = now;
    if (s->since == TIME_TO_COME) s->since = s->now;
}

/* Milliseconds until *since + ms, or 0 if that has come. ms: a limit of the config. SVCONN_OFF: never. */
SVCONN_APART uint32_t time_left(const svconn *s, const uint64_t *since, uint32_t ms, uint32_t otherwise) {
    uint64_t passed = s->now - *since;
    ms = svconn_or_default(ms, otherwise);
    if (ms == SVCONN_OFF) return SVCONN_OFF;
    return passed < ms ? ms - (uint32_t)passed : 0;
}

static uint32_t tick_keepalive(svconn *s) {
    if (s->flags & FLAG_CLOSE_SENT) return SVCONN_OFF;
    uint32_t ms = svconn_or_default(s->config->keepalive_ms, 20000), left = time_left(s, &s->sent_at, ms, 0);
    if (left > 0) return left;
    s->sent_at = s->now; /* bytes that still wait for the link are sign of life enough */
    if (s->tx_head == s->tx_tail) (void)svconn_control_send(s, CONTROL_KEEPALIVE, NULL, 0, SVCONN_BUFFER_RESERVE);
    return ms;
}

static uint32_t tick_silence(svconn *s) {
    if (s->lent) s->since = s->now; /* it is the application that is slow */
    if (s->flags & FLAG_PEER_CLOSED) return SVCONN_OFF;
    return time_left(s, &s->since, s->config->silence_ms, 60000);
}

svconn_err svconn_tick(svconn *s, uint64_t now, uint64_t *next_ms) {
    uint32_t left = SVCONN_OFF;
    if (s->state == SVCONN_NONE) return SVCONN_E_STATE;
    tell_time(s, now);
    if (s->state == SVCONN_CONNECTED) {
        left = tick_silence(s);
        uint32_t alive = left > 0 ? tick_keepalive(s) : 0;
        if (alive < left) left = alive;
        if (left == 0) (void)fail(s, SVCONN_E_SILENT);
    } else if (!svconn_is_over(s)) {
        left = time_left(s, &s->since, s->config->handshake_ms, 10000);
        if (left == 0) (void)fail(s, SVCONN_E_TIMEOUT);
    }
    if (next_ms) *next_ms = left == 0 || left == SVCONN_OFF ? UINT64_MAX : s->now + left;
    return svconn_error(s);
}

/* ---- the link ----------------------------------------------------------------------------------- */

/* Does the link no longer matter? */
static int is_deaf(const svconn *s) { return s->state == SVCONN_NONE || svconn_is_over(s) || (s->flags & FLAG_EOF); }

/* The place for bytes of a link that matters, and its length */
static uint8_t *space(svconn *s, size_t *len) {
    if (s->rx_head && !s->lent) { /* only part of a record can be there, or what waits behind a question */
        memmove(s->rx, s->rx + s->rx_head, s->rx_tail - s->rx_head);
        s->rx_tail -= s->rx_head;
        s->rx_head = 0;
    }
    *len = s->rx_size - s->rx_tail;
    return s->rx + s->rx_tail;
}

/* len bytes are there now. */
static svconn_err filled(svconn *s, size_t len, uint64_t now) {
    tell_time(s, now);
    if (len) s->flags |= FLAG_HEARD;
    s->rx_tail += (uint32_t)len;
    if (is_asking(s)) return error_packet_waits(s) ? fail(s, SVCONN_E_ABORTED) : SVCONN_OK;
    return s->lent ? SVCONN_OK : run(s, NULL);
}

uint8_t *svconn_wire_space(svconn *s, size_t *len) {
    *len = 0;
    return is_deaf(s) ? NULL : space(s, len);
}

svconn_err svconn_wire_filled(svconn *s, size_t len, uint64_t now) {
    if (s->state == SVCONN_FAILED) return svconn_error(s);
    if (is_deaf(s)) return SVCONN_E_STATE;
    return len > s->rx_size - s->rx_tail ? SVCONN_E_ARGUMENT : filled(s, len, now);
}

svconn_err svconn_wire_in(svconn *s, const uint8_t *bytes, size_t len, size_t *used, uint64_t now) {
    svconn_err err = SVCONN_OK;
    *used = 0;
    if (s->state == SVCONN_FAILED) return svconn_error(s);
    if (s->state == SVCONN_NONE || (s->flags & FLAG_EOF)) return SVCONN_E_STATE;
    if (!bytes && len) return SVCONN_E_ARGUMENT;
    while (!err && *used < len && s->state != SVCONN_CLOSED) {
        size_t room;
        uint8_t *to = space(s, &room);
        if (room > len - *used) room = len - *used;
        if (room == 0) break;
        memcpy(to, bytes + *used, room);
        *used += room;
        err = filled(s, room, now);
    }
    if (s->state == SVCONN_CLOSED) *used = len;
    return err;
}

svconn_err svconn_wire_eof(svconn *s) {
    if (s->state == SVCONN_NONE) return SVCONN_E_STATE;
    if (svconn_is_over(s)) return svconn_error(s);
    s->flags |= FLAG_EOF;
    if (s->state == SVCONN_CONNECTED) return run(s, NULL); /* whole messages come first */
    if (is_working(s) && bytes_behind(s) && !error_packet_waits(s)) return SVCONN_OK; /* svconn_work comes to them first */
    return fail_at_end(s);
}

const uint8_t *svconn_wire_out(const svconn *s, size_t *len) {
    *len = s->tx_tail - s->tx_head;
    return *len ? s->tx + s->tx_head : NULL;
}

svconn_err svconn_wire_sent(svconn *s, size_t len) {
    if (len > s->tx_tail - s->tx_head) return SVCONN_E_ARGUMENT;
    s->tx_head += (uint32_t)len;
    if (s->tx_head == s->tx_tail) s->tx_head = s->tx_tail = 0;
    return SVCONN_OK;
}

/* ---- messages ----------------------------------------------------------------------------------- */

static int may_send(const svconn *s) {
    if (s->flags & FLAG_CLOSE_SENT) return 0;
    return s->state == SVCONN_CONNECTED || (s->state == SVCONN_CONFIRMING && (s->flags & FLAG_EARLY));
}

svconn_err svconn_send(svconn *s, const void *msg, size_t len, uint64_t now) {
    if (!msg && len) return SVCONN_E_ARGUMENT;
    if (!may_send(s)) return SVCONN_E_STATE;
    if (len > SVCONN_MESSAGE_MAX || len + RECORD_OVERHEAD + SVCONN_BUFFER_RESERVE > s->tx_size) return SVCONN_E_SIZE;
    tell_time(s, now);
    uint8_t *record = svconn_tx_room(s, len + RECORD_OVERHEAD);
    if (!record) return SVCONN_AGAIN;
    svconn_channel_seal(s, 0, record, (const uint8_t *)msg, len);
    s->tx_tail += (uint32_t)(len + RECORD_OVERHEAD);
    return SVCONN_OK;
}

svconn_err svconn_recv(svconn *s, const uint8_t **msg, size_t *len) {
    *msg = NULL;
    *len = 0;
    if (s->state == SVCONN_NONE) return SVCONN_E_STATE;
    if (s->state == SVCONN_FAILED) return svconn_error(s);
    if (s->state == SVCONN_CLOSED) return SVCONN_END;
    if (s->state != SVCONN_CONNECTED) return SVCONN_AGAIN;
    if (!s->lent) return s->flags & FLAG_PEER_CLOSED ? SVCONN_END : SVCONN_AGAIN;
    *msg = s->rx + s->rx_head + RECORD_TEXT;
    *len = s->lent - RECORD_OVERHEAD;
    return SVCONN_OK;
}

svconn_err svconn_recv_done(svconn *s) {
    if (s->state == SVCONN_FAILED) return svconn_error(s);
    if (s->state != SVCONN_CONNECTED || !s->lent) return SVCONN_E_STATE;
    svconn_rx_drop(s, s->lent);
    s->lent = 0;
    svconn_err err = run(s, NULL);
    if (!err) listen_anew(s);
    return err;
}

svconn_err svconn_close(svconn *s, uint64_t now) {
    if (s->state == SVCONN_FAILED) return svconn_error(s);
    if (s->state == SVCONN_CLOSED || (s->flags & FLAG_CLOSE_SENT)) return SVCONN_OK;
    if (s->state != SVCONN_CONNECTED) return SVCONN_E_STATE;
    tell_time(s, now);
    (void)svconn_control_send(s, CONTROL_CLOSE, NULL, 0, ERROR_PACKET); /* the reserve has room for it */
    s->flags |= FLAG_CLOSE_SENT;
    end_if_closed(s);
    return SVCONN_OK;
}

svconn_err svconn_renew(svconn *s) {
    if (!may_send(s)) return SVCONN_E_STATE;
    s->flags |= FLAG_RENEW;
    return SVCONN_OK;
}

/* ---- records without copies --------------------------------------------------------------------- */

svconn_err svconn_seal(svconn *s, uint8_t *record, size_t len, uint64_t now) {
    if (!record) return SVCONN_E_ARGUMENT;
    if (len > SVCONN_MESSAGE_MAX) return SVCONN_E_SIZE;
    if (!may_send(s)) return SVCONN_E_STATE;
    if (s->tx_head != s->tx_tail) return SVCONN_AGAIN;
    tell_time(s, now);
    svconn_channel_seal(s, 0, record, record + RECORD_TEXT, len);
    return SVCONN_OK;
}

svconn_err svconn_open(svconn *s, uint8_t *record, size_t record_len, uint8_t **msg, size_t *len, uint64_t now) {
    if (!msg || !len) return SVCONN_E_ARGUMENT;
    *msg = NULL;
    *len = 0;
    if (s->state == SVCONN_FAILED) return svconn_error(s);
    if (!record) return SVCONN_E_ARGUMENT;
    if (s->state != SVCONN_CONNECTED || s->rx_head != s->rx_tail) return SVCONN_E_STATE;
    tell_time(s, now);
    s->flags |= FLAG_HEARD;

    size_t want;
    svconn_err err = record_len < RECORD_TEXT ? SVCONN_E_FORMAT : svconn_channel_expected(s, record, &want);
    if (!err && want != record_len) err = SVCONN_E_FORMAT;
    if (!err) err = svconn_channel_open(s, record, record_len);
    if (!err) s->since = s->now;
    int is_control = !err && (record[0] & 0x80);
    if (is_control) err = control(s, record + RECORD_TEXT, record_len - RECORD_OVERHEAD);
    if (err) return fail(s, err);
    if (is_control) {
        end_if_closed(s);
        return s->flags & FLAG_PEER_CLOSED ? SVCONN_END : SVCONN_AGAIN;
    }
    *msg = record + RECORD_TEXT;
    *len = record_len - RECORD_OVERHEAD;
    return SVCONN_OK;
}
