/* SPDX-License-Identifier: ISC */
/* Time: spec/protocol.md section 6, and what svconn.h says of the clock. */
#include "pair.h"

#define NEVER UINT64_MAX

/* svconn_tick at that time: what it returns, and the next time that it names */
static int tick(party *p, uint64_t when, svconn_err want, uint64_t want_next) {
    uint64_t next = 12345;
    svconn_err err = svconn_tick(at(p), when, &next);
    if (err != want || next != want_next)
        printf("  tick: %s, next %llu\n", svconn_reason_name(err), (unsigned long long)next);
    return err == want && next == want_next;
}

/* Connected at time 1000, and both were told so. */
static void connected(void) {
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    forget_tapes();
}

/* With these values at the CLIENT; the SERVER keeps silent for ever and waits for ever. (The silence counts from the
 * first time that is told after the session was connected, and after each svconn_recv_done: neither need be told the
 * time.) */
static void client_with(uint32_t keepalive_ms, uint32_t silence_ms) {
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.keepalive_ms = keepalive_ms;
    client.config.silence_ms = silence_ms;
    server.config.keepalive_ms = server.config.silence_ms = SVCONN_OFF;
    begin_both();
    shuttle(EVERYTHING);
    CHECK(both_connected() && svconn_tick(client.s, now, NULL) == SVCONN_OK);
}

/* ---- the handshake deadline --------------------------------------------------------------------- */

static void the_handshake_ends_after_10_seconds_in_every_situation(void) {
    for (situation x = IN_CLIENT_NEW; x < IN_CONNECTED; x++) {
        party *p = bring_to(x);
        size_t waiting = queued(p);
        uint64_t from = p->s->since != TIME_TO_COME ? 1000 : 5000; /* when it was first told the time */
        CHECK(tick(p, from, SVCONN_OK, from + 10000));
        CHECK(tick(p, from + 9999, SVCONN_OK, from + 10000));
        CHECK(state_of(p) == situation_state(x) && queued(p) == waiting); /* no keep-alive before it is connected */
        CHECK(tick(p, from + 10000, SVCONN_E_TIMEOUT, NEVER));
        CHECK(is_failed(p, SVCONN_E_TIMEOUT) && queued(p) == waiting + 16);
        CHECK(tick(p, from + 10001, SVCONN_E_TIMEOUT, NEVER) && queued(p) == waiting + 16);
    }
}

static void the_handshake_deadline_can_be_set_or_off(void) {
    static const uint32_t ms[] = {1, 500, 600000, SVCONN_OFF - 1, SVCONN_OFF};
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
        prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
        client.config.handshake_ms = ms[i];
        begin_both();
        uint64_t end = ms[i] == SVCONN_OFF ? NEVER : 7 + (uint64_t)ms[i];
        CHECK(tick(&client, 7, SVCONN_OK, end));
        if (ms[i] == SVCONN_OFF) CHECK(tick(&client, UINT64_C(1) << 62, SVCONN_OK, NEVER));
        else CHECK(tick(&client, end, SVCONN_E_TIMEOUT, NEVER));
    }
}

/* Prepared long before the link comes: the first call that tells the time starts the clock. */
static void the_handshake_deadline_begins_with_the_first_time_that_is_told(void) {
    static const uint64_t late = 1000000000;
    size_t used, room;
    for (int how = 0; how < 3; how++) {
        prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
        begin_both();
        if (how == 0) CHECK(svconn_wire_in(client.s, (const uint8_t *)"\1", 1, &used, late) == SVCONN_OK);
        if (how == 1) {
            *svconn_wire_space(client.s, &room) = 1;
            CHECK(svconn_wire_filled(client.s, 1, late) == SVCONN_OK);
        }
        if (how == 2) CHECK(tick(&client, late, SVCONN_OK, late + 10000));
        CHECK(tick(&client, late + 9999, SVCONN_OK, late + 10000));
        CHECK(tick(&client, late + 10000, SVCONN_E_TIMEOUT, NEVER));
    }
}

static void drops_of_bytes_do_not_move_the_handshake_deadline(void) {
    uint8_t b[PAIR_BUFFER];
    size_t used;
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    begin_both();
    CHECK(drain(&server, b) > 20);
    for (uint64_t i = 0; i < 10; i++) CHECK(svconn_wire_in(client.s, b + i, 1, &used, 1000 + 999 * i) == SVCONN_OK);
    CHECK(tick(&client, 10999, SVCONN_OK, 11000));
    CHECK(tick(&client, 11000, SVCONN_E_TIMEOUT, NEVER));
}

/* ---- keep-alive --------------------------------------------------------------------------------- */

static void keepalive_goes_out_when_nothing_was_sent_for_20_seconds(void) {
    connected();
    CHECK(tick(&client, 1000, SVCONN_OK, 21000));
    CHECK(tick(&client, 20999, SVCONN_OK, 21000) && queued(&client) == 0);
    CHECK(tick(&client, 21000, SVCONN_OK, 41000) && queued(&client) == 17);
    CHECK(client.s->tx[0] == 0x80 && client.s->tx[1] == 1 && client.s->tx[3] == 1);
    now = 21000;
    carry(&client, EVERYTHING);
    CHECK(server.messages == 0 && both_connected());
    now = 30000;
    CHECK(say(&client, 1) == SVCONN_OK); /* counts as sent */
    carry(&client, EVERYTHING);
    CHECK(tick(&client, 41000, SVCONN_OK, 50000) && queued(&client) == 0);
    CHECK(tick(&client, 50000, SVCONN_OK, 61000) && queued(&client) == 17); /* the silence of the peer is next */
}

static void keepalive_is_not_queued_behind_bytes_that_wait(void) {
    connected();
    CHECK(say(&client, 1) == SVCONN_OK);
    size_t n = queued(&client);
    for (uint64_t t = 21000; t < 60000; t += 20000)
        CHECK(tick(&client, t, SVCONN_OK, t + 20000 < 61000 ? t + 20000 : 61000));
    CHECK(queued(&client) == n);
}

static void keepalive_can_be_set_or_off(void) {
    client_with(300, SVCONN_OFF);
    CHECK(tick(&client, 1299, SVCONN_OK, 1300) && queued(&client) == 0);
    CHECK(tick(&client, 1300, SVCONN_OK, 1600) && queued(&client) == 17);
    client_with(SVCONN_OFF, SVCONN_OFF);
    CHECK(tick(&client, UINT64_C(1) << 62, SVCONN_OK, NEVER) && queued(&client) == 0);
    client_with(SVCONN_OFF, 5000);
    CHECK(tick(&client, 5999, SVCONN_OK, 6000) && queued(&client) == 0);
}

static void keepalive_ends_with_our_close(void) {
    connected();
    CHECK(svconn_close(client.s, now) == SVCONN_OK);
    carry(&client, EVERYTHING);
    CHECK(tick(&client, 21000, SVCONN_OK, 61000) && queued(&client) == 0);
    CHECK(tick(&client, 60999, SVCONN_OK, 61000) && queued(&client) == 0);
    CHECK(tick(&client, 61000, SVCONN_E_SILENT, NEVER)); /* the peer's direction is still watched */
}

static void keepalive_does_not_end_with_the_peers_close(void) {
    connected();
    CHECK(svconn_close(server.s, now) == SVCONN_OK);
    carry(&server, EVERYTHING);
    CHECK(tick(&client, 21000, SVCONN_OK, 41000) && queued(&client) == 17);
}

/* ---- silence ------------------------------------------------------------------------------------ */

static void a_peer_that_is_silent_for_60_seconds_is_gone(void) {
    client_with(SVCONN_OFF, 0);
    CHECK(tick(&client, 1000, SVCONN_OK, 61000));
    CHECK(tick(&client, 60999, SVCONN_OK, 61000));
    CHECK(tick(&client, 61000, SVCONN_E_SILENT, NEVER));
    CHECK(is_failed(&client, SVCONN_E_SILENT) && only_error_packet(&client));

    client_with(SVCONN_OFF, 700);
    CHECK(tick(&client, 1699, SVCONN_OK, 1700) && tick(&client, 1700, SVCONN_E_SILENT, NEVER));
    client_with(SVCONN_OFF, SVCONN_OFF);
    CHECK(tick(&client, UINT64_C(1) << 62, SVCONN_OK, NEVER));
}

static void records_of_any_kind_break_the_silence(void) {
    client_with(SVCONN_OFF, 0);
    now = 50000;
    CHECK(say(&server, 1) == SVCONN_OK);
    carry(&server, EVERYTHING);
    CHECK(tick(&client, 50000, SVCONN_OK, 110000) && tick(&client, 61000, SVCONN_OK, 110000));
    server.config.keepalive_ms = 1000;
    now = 100000;
    CHECK(svconn_tick(server.s, now, NULL) == SVCONN_OK && queued(&server) == 17);
    carry(&server, EVERYTHING);
    CHECK(tick(&client, 159999, SVCONN_OK, 160000));
    CHECK(tick(&client, 160000, SVCONN_E_SILENT, NEVER));
}

/* Section 6: a record whose tag verified. Bytes alone are nothing. */
static void bytes_that_are_no_record_do_not_break_the_silence(void) {
    client_with(SVCONN_OFF, 0);
    uint8_t b[PAIR_BUFFER];
    CHECK(say(&server, 3) == SVCONN_OK);
    size_t n = drain(&server, b), used;
    for (size_t i = 0; i < n - 1; i++) CHECK(svconn_wire_in(client.s, b + i, 1, &used, 2000 + i) == SVCONN_OK);
    CHECK(tick(&client, 60999, SVCONN_OK, 61000));
    CHECK(tick(&client, 61000, SVCONN_E_SILENT, NEVER));
}

static void silence_after_the_peers_close_is_right(void) {
    connected();
    CHECK(svconn_close(server.s, now) == SVCONN_OK);
    carry(&server, EVERYTHING);
    client.config.keepalive_ms = SVCONN_OFF;
    CHECK(tick(&client, UINT64_C(1) << 62, SVCONN_OK, NEVER));
    CHECK(state_of(&client) == SVCONN_CONNECTED && pair_works() == 0 && svconn_close(client.s, now) == SVCONN_OK);
}

static void silence_is_not_counted_while_a_message_waits_for_us(void) {
    client_with(SVCONN_OFF, 0);
    client.leaves = 1;
    CHECK(say(&server, 1) == SVCONN_OK);
    carry(&server, EVERYTHING);
    CHECK(tick(&client, 61000, SVCONN_OK, 121000));
    CHECK(tick(&client, 500000, SVCONN_OK, 560000)); /* it is ours to fetch it */
    CHECK(svconn_recv_done(client.s) == SVCONN_OK);
    CHECK(tick(&client, 500100, SVCONN_OK, 560100)); /* counts from the next time that is told */
    CHECK(tick(&client, 560099, SVCONN_OK, 560100) && tick(&client, 560100, SVCONN_E_SILENT, NEVER));
}

/* Nobody told the time while the application worked for an hour: it was not the peer who was silent. */
static void long_work_without_a_tick_is_not_the_peers_silence(void) {
    static const uint64_t hour = 3600000;
    for (int how = 0; how < 4; how++) {
        client_with(SVCONN_OFF, 0);
        client.leaves = 1;
        CHECK(say(&server, 1) == SVCONN_OK);
        carry(&server, EVERYTHING);
        CHECK(svconn_recv_done(client.s) == SVCONN_OK);
        size_t used;
        if (how == 1) CHECK(svconn_send(client.s, "x", 1, hour) == SVCONN_OK);
        if (how == 2) CHECK(svconn_wire_in(client.s, (const uint8_t *)"\0\1", 2, &used, hour) == SVCONN_OK);
        if (how == 3) CHECK(svconn_close(client.s, hour) == SVCONN_OK);
        CHECK(tick(&client, hour, SVCONN_OK, hour + 60000));
    }
}

/* A person thinks for an hour. The clock of the silence begins when it is connected. */
static void a_verdict_that_comes_late_is_not_the_peers_silence(void) {
    static const uint64_t hour = 3600000;
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    server.config.handshake_ms = client.config.handshake_ms = SVCONN_OFF;
    server.config.keepalive_ms = client.config.keepalive_ms = SVCONN_OFF;
    begin_both();
    carry(&server, EVERYTHING);
    server.holds = 1;
    carry(&client, EVERYTHING);
    CHECK(state_of(&server) == SVCONN_NEEDS_VERDICT);
    CHECK(svconn_accept(server.s) == SVCONN_OK && state_of(&server) == SVCONN_CONNECTED); /* the time is not told */
    CHECK(tick(&server, hour, SVCONN_OK, hour + 60000));
    now = hour + 5;
    carry(&server, EVERYTHING);
    CHECK(state_of(&client) == SVCONN_CONNECTED);
    CHECK(tick(&client, hour + 10, SVCONN_OK, hour + 60010));
    CHECK(tick(&server, hour + 59999, SVCONN_OK, hour + 60000) && tick(&server, hour + 60000, SVCONN_E_SILENT, NEVER));
}

/* ---- the clock ---------------------------------------------------------------------------------- */

static void a_clock_that_goes_back_stands_still(void) {
    client_with(SVCONN_OFF, 0);
    CHECK(tick(&client, 50000, SVCONN_OK, 61000));
    CHECK(tick(&client, 0, SVCONN_OK, 61000));
    now = 10;
    CHECK(say(&server, 1) == SVCONN_OK);
    carry(&server, EVERYTHING);                  /* the CLIENT hears it at its 50000 */
    CHECK(tick(&client, 20, SVCONN_OK, 110000)); /* and nothing of it is in the past */
    CHECK(tick(&client, 109999, SVCONN_OK, 110000) && tick(&client, 110000, SVCONN_E_SILENT, NEVER));
}

static void times_up_to_2_to_the_63_do(void) {
    static const uint64_t last = (UINT64_C(1) << 63) - 1;
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    begin_both();
    CHECK(tick(&client, last, SVCONN_OK, last + 10000));
    now = last;
    shuttle(EVERYTHING);
    CHECK(both_connected() && tick(&client, last, SVCONN_OK, last + 20000) && pair_works());
}

static void the_clock_may_begin_at_zero(void) {
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    begin_both();
    CHECK(tick(&client, 0, SVCONN_OK, 10000));
    now = 0;
    shuttle(EVERYTHING);
    CHECK(both_connected() && tick(&client, 0, SVCONN_OK, 20000) && tick(&server, 0, SVCONN_OK, 20000) && pair_works());
    CHECK(tick(&client, 9999, SVCONN_OK, 20000));
}

static void the_next_time_is_never_once_it_is_over(void) {
    (void)bring_to(IN_CLOSED);
    CHECK(tick(&client, now + 1000000, SVCONN_OK, NEVER));
    (void)bring_to(IN_FAILED);
    CHECK(tick(&client, now + 1000000, SVCONN_E_CANCELLED, NEVER));
    CHECK(svconn_tick(client.s, now, NULL) == SVCONN_E_CANCELLED);
    (void)bring_to(IN_CONNECTED);
    CHECK(svconn_tick(client.s, now, NULL) == SVCONN_OK);
}

/* A day of nothing: both live by the times that they name, and only by them. */
static void idle_sessions_live_by_the_times_that_they_name(void) {
    connected();
    uint64_t next[2] = {0, 0}, end = now + 24 * 3600000u;
    unsigned ticks = 0, ids[2];
    client.silent = server.silent = 1;
    while (now < end) {
        CHECK(svconn_tick(client.s, now, &next[0]) == SVCONN_OK && svconn_tick(server.s, now, &next[1]) == SVCONN_OK);
        shuttle(EVERYTHING);
        uint64_t soon = next[0] < next[1] ? next[0] : next[1];
        CHECK(soon > now);
        if (soon <= now || !both_connected()) return;
        now = soon;
        ticks++;
    }
    CHECK(ticks >= 4319 && ticks < 2 * 4330); /* every 20 s, perhaps not both at once */
    CHECK(pair_works());
    svconn_key_ids(client.s, &ids[0], &ids[1]);
    CHECK(ids[0] > 550 && ids[0] < 720); /* a key lives 120 s and then until the next record */
}

#define T(f) TEST(#f, f)

int main(void) {
    T(the_handshake_ends_after_10_seconds_in_every_situation);
    T(the_handshake_deadline_can_be_set_or_off);
    T(the_handshake_deadline_begins_with_the_first_time_that_is_told);
    T(drops_of_bytes_do_not_move_the_handshake_deadline);
    T(keepalive_goes_out_when_nothing_was_sent_for_20_seconds);
    T(keepalive_is_not_queued_behind_bytes_that_wait);
    T(keepalive_can_be_set_or_off);
    T(keepalive_ends_with_our_close);
    T(keepalive_does_not_end_with_the_peers_close);
    T(a_peer_that_is_silent_for_60_seconds_is_gone);
    T(records_of_any_kind_break_the_silence);
    T(bytes_that_are_no_record_do_not_break_the_silence);
    T(silence_after_the_peers_close_is_right);
    T(silence_is_not_counted_while_a_message_waits_for_us);
    T(long_work_without_a_tick_is_not_the_peers_silence);
    T(a_verdict_that_comes_late_is_not_the_peers_silence);
    T(a_clock_that_goes_back_stands_still);
    T(times_up_to_2_to_the_63_do);
    T(the_clock_may_begin_at_zero);
    T(the_next_time_is_never_once_it_is_over);
    T(idle_sessions_live_by_the_times_that_they_name);
    return TEST_EXIT();
}
