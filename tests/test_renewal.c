/* SPDX-License-Identifier: ISC */
/* Renewal of keys: spec/protocol.md sections 5.2 to 5.5. The id in each header tells which key sealed a record. */
#include "pair.h"

static void connected(void) {
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    forget_tapes();
}

/* The ids of the records in these bytes must be these, in this order; 0 ends the list. */
static void ids_are(const uint8_t *b, size_t n, const unsigned *want) {
    size_t read = 0;
    while (read + 16 <= n && *want) {
        unsigned id = wire_get16(b + read) & 0x7fffu;
        if (id != *want) printf("  id %u, want %u\n", id, *want);
        CHECK(id == *want++);
        read += 16u + wire_get16(b + read + 2);
    }
    CHECK(read == n && *want == 0);
}

/* p sends n empty messages; all arrive. */
static void send_some(party *p, unsigned n) {
    size_t before = other(p)->messages;
    for (unsigned i = 0; i < n; i++) {
        CHECK(svconn_send(at(p), NULL, 0, now) == SVCONN_OK);
        carry(p, EVERYTHING);
    }
    CHECK(other(p)->messages == before + n);
}

#define IDS(p, ...)                                                                                                    \
    do {                                                                                                               \
        static const unsigned want_[] = {__VA_ARGS__, 0};                                                              \
        ids_are((p).out.b, (p).out.n, want_);                                                                          \
        (p).out.n = 0;                                                                                                 \
    } while (0)

/* (A comparison of whole structs would compare their padding, too.) */
static int same_direction(const svconn_direction *a, const svconn_direction *b) {
    return memcmp(a->key, b->key, sizeof a->key) == 0 && memcmp(a->chain, b->chain, 32) == 0 &&
           memcmp(a->iv, b->iv, 12) == 0 && a->counter == b->counter && a->bytes == b->bytes && a->id == b->id;
}

/* Both directions are in step and hold the same keys at both ends. */
static void in_step(unsigned c2s, unsigned s2c) {
    unsigned a, b, c, d;
    svconn_key_ids(client.s, &a, &b);
    svconn_key_ids(server.s, &c, &d);
    if (a != c2s || b != s2c) printf("  ids %u %u, want %u %u\n", a, b, c2s, s2c);
    CHECK(a == c2s && b == s2c && c == s2c && d == c2s);
    CHECK(same_direction(&client.s->u.on.out, &server.s->u.on.in));
    CHECK(same_direction(&client.s->u.on.in, &server.s->u.on.out));
    CHECK(client.s->behind + server.s->behind == 0);
}

/* ---- causes (5.3 step 1) ------------------------------------------------------------------------ */

static void without_a_cause_nothing_is_renewed(void) {
    connected();
    send_some(&client, 5);
    send_some(&server, 5);
    IDS(client, 1, 1, 1, 1, 1);
    IDS(server, 1, 1, 1, 1, 1);
    in_step(1, 1);
}

static void a_key_is_renewed_after_so_many_records(void) {
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.renew_records = 3;
    begin_both();
    shuttle(EVERYTHING);
    forget_tapes();
    send_some(&client, 8);
    IDS(client, 1, 1, 1, 2, 2, 2, 3, 3);
    send_some(&server, 4); /* follows, one step for a record; M3 was its first one */
    IDS(server, 2, 3, 3, 3);
    in_step(3, 3);

    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    server.config.renew_records = 2;
    begin_both();
    shuttle(EVERYTHING);
    forget_tapes();
    send_some(&server, 4); /* M3 counts */
    IDS(server, 1, 2, 2, 3);

    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.renew_records = 1;
    begin_both();
    shuttle(EVERYTHING);
    forget_tapes();
    send_some(&client, 4);
    IDS(client, 1, 2, 3, 4);
}

static void a_key_is_renewed_after_so_many_bytes(void) {
    uint8_t m[100] = {0};
    static const size_t lengths[] = {50, 49, 1, 0, 100, 0, 99, 0};
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.renew_bytes = 100;
    begin_both();
    shuttle(EVERYTHING);
    forget_tapes();
    for (int i = 0; i < 8; i++) {
        CHECK(svconn_send(client.s, m, lengths[i], now) == SVCONN_OK);
        carry(&client, EVERYTHING);
    }
    IDS(client, 1, 1, 1, 2, 2, 3, 3, 3); /* the record that crosses the limit is allowed */
    CHECK(server.messages == 8);
}

static void a_key_is_renewed_when_it_is_older_than_allowed(void) {
    static const uint32_t limits[2] = {0, 5000};
    for (int i = 0; i < 2; i++) {
        uint32_t limit = limits[i] ? limits[i] : 120000;
        prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
        client.config.renew_ms = limits[i];
        begin_both();
        shuttle(EVERYTHING);
        forget_tapes();
        send_some(&client, 1);
        now += limit;
        send_some(&client, 1);
        now += 1;
        send_some(&client, 2);
        now += limit; /* the age counts from the derivation of the key */
        send_some(&client, 1);
        now += 1;
        send_some(&client, 2);
        IDS(client, 1, 1, 2, 2, 2, 3, 3);
        send_some(&server, 4);
        if (limits[i]) IDS(server, 2, 3, 3, 3); /* its own limit is the default */
    }
}

/* The age counts from M2 at the CLIENT, where its key was derived, not from M3. */
static void the_age_of_the_first_key_counts_from_its_derivation(void) {
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.renew_ms = server.config.renew_ms = 5000;
    begin_both();
    carry(&server, EVERYTHING);
    now += 3000;
    carry(&client, EVERYTHING);
    now += 1000;
    carry(&server, EVERYTHING);
    CHECK(both_connected());
    forget_tapes();
    CHECK(svconn_send(client.s, NULL, 0, now) == SVCONN_OK); /* a key that has sealed nothing is not renewed */
    now += 1001;
    CHECK(svconn_send(client.s, NULL, 0, now) == SVCONN_OK);
    CHECK(svconn_send(server.s, NULL, 0, now) == SVCONN_OK);
    now += 3000;
    CHECK(svconn_send(server.s, NULL, 0, now) == SVCONN_OK);
    uint8_t b[PAIR_BUFFER];
    drain(&client, b);
    drain(&server, b);
    IDS(client, 1, 2);
    IDS(server, 1, 2);
}

static void a_key_is_renewed_on_request(void) {
    connected();
    send_some(&client, 1);
    CHECK(svconn_renew(client.s) == SVCONN_OK && svconn_renew(client.s) == SVCONN_OK); /* twice is once */
    CHECK(queued(&client) == 0);
    send_some(&client, 2);
    IDS(client, 1, 2, 2);
    in_step(2, 1);
    CHECK(server.s->behind == 1 && client.s->behind == -1);
    send_some(&server, 2);
    IDS(server, 2, 2);
    in_step(2, 2);
    CHECK(server.s->behind == 0 && client.s->behind == 0);
}

/* 5.3: only if counter > 0. The request stays until it can be served. */
static void a_request_before_the_first_record_of_a_key_waits(void) {
    connected();
    CHECK(svconn_renew(client.s) == SVCONN_OK);
    send_some(&client, 3);
    IDS(client, 1, 2, 2);
    CHECK(svconn_renew(server.s) == SVCONN_OK); /* its key has sealed M3 */
    send_some(&server, 2);
    IDS(server, 2, 2); /* follows and renews in one: the two causes make one step */
    in_step(2, 2);
}

static void keepalive_and_close_renew_like_any_record(void) {
    connected();
    send_some(&client, 1);
    CHECK(svconn_renew(client.s) == SVCONN_OK);
    now += 20000;
    CHECK(svconn_tick(client.s, now, NULL) == SVCONN_OK);
    carry(&client, EVERYTHING);
    IDS(client, 1, 2);
    CHECK(svconn_renew(client.s) == SVCONN_OK && svconn_close(client.s, now) == SVCONN_OK);
    carry(&client, EVERYTHING);
    IDS(client, 3);
    CHECK(server.ended);
    send_some(&server, 3); /* it is two behind, and follows to one who has closed */
    IDS(server, 2, 3, 3);
    CHECK(svconn_close(server.s, now) == SVCONN_OK);
    shuttle(EVERYTHING);
    CHECK(state_of(&client) == SVCONN_CLOSED && state_of(&server) == SVCONN_CLOSED);
}

static void early_records_renew_and_m3_does_not(void) {
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.renew_records = 1;
    begin_both();
    carry(&server, EVERYTHING);
    for (unsigned i = 1; i <= 4; i++) CHECK(say(&client, i) == SVCONN_OK);
    carry(&client, EVERYTHING);
    CHECK(heard(&server, 1, 4) && server.s->behind == 3);
    CHECK(wire_get16(server.s->tx) == 0x8001); /* M3 stands under key 1 */
    carry(&server, EVERYTHING);
    CHECK(both_connected());
    forget_tapes();
    send_some(&server, 5);
    IDS(server, 2, 3, 4, 4, 4);
    in_step(4, 4);
}

/* ---- following (5.5) ---------------------------------------------------------------------------- */

static void the_other_side_follows_with_its_next_record(void) {
    party *both[2] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        party *p = both[i], *q = both[!i];
        connected();
        send_some(p, 1);
        send_some(q, 1);
        CHECK(svconn_renew(p->s) == SVCONN_OK);
        send_some(p, 1);
        CHECK(p->s->behind == -1 && q->s->behind == 1 && queued(q) == 0); /* nothing extra is sent */
        send_some(q, 2);
        CHECK(p->s->behind == 0 && q->s->behind == 0);
        send_some(p, 2);
        in_step(2, 2);
    }
}

static void if_both_renew_at_once_neither_follows(void) {
    connected();
    send_some(&client, 1);
    send_some(&server, 1);
    CHECK(svconn_renew(client.s) == SVCONN_OK && svconn_renew(server.s) == SVCONN_OK);
    CHECK(svconn_send(client.s, NULL, 0, now) == SVCONN_OK && svconn_send(server.s, NULL, 0, now) == SVCONN_OK);
    shuttle(EVERYTHING);
    CHECK(client.s->behind == 0 && server.s->behind == 0);
    send_some(&client, 2);
    send_some(&server, 2);
    in_step(2, 2);
}

static void one_who_is_far_behind_makes_one_step_for_a_record(void) {
    connected();
    for (unsigned i = 0; i < 5; i++) {
        CHECK(svconn_renew(server.s) == SVCONN_OK);
        send_some(&server, 1);
    }
    IDS(server, 2, 3, 4, 5, 6);
    CHECK(client.s->behind == 5 && server.s->behind == -5);
    send_some(&client, 8); /* its first key has sealed nothing: the first record stays with it */
    IDS(client, 1, 2, 3, 4, 5, 6, 6, 6);
    in_step(6, 6);
}

/* Records that are on their way under the old key arrive first and open. */
static void records_on_their_way_under_the_old_key_open(void) {
    uint8_t b[PAIR_BUFFER];
    connected();
    for (unsigned i = 1; i <= 3; i++) CHECK(say(&server, i) == SVCONN_OK);
    size_t n = drain(&server, b); /* under way */
    send_some(&client, 1);
    CHECK(svconn_renew(client.s) == SVCONN_OK);
    send_some(&client, 1);
    CHECK(say(&server, 4) == SVCONN_OK); /* follows already */
    CHECK(hand(&client, b, n) == n);
    shuttle(EVERYTHING);
    CHECK(heard(&client, 1, 4));
    send_some(&client, 1);
    in_step(2, 2);
}

/* ---- ids (5.1) ---------------------------------------------------------------------------------- */

/* The directions of this side and that of the other, as if there had been many renewals */
static void set_id(party *p, uint16_t id) { p->s->u.on.out.id = other(p)->s->u.on.in.id = id; }

static void after_32767_comes_1(void) {
    connected();
    send_some(&client, 1);
    set_id(&client, 32765);
    set_id(&server, 32767);
    client.out.n = server.out.n = 0;
    for (unsigned i = 0; i < 5; i++) {
        CHECK(svconn_renew(client.s) == SVCONN_OK);
        send_some(&client, 1);
    }
    IDS(client, 32766, 32767, 1, 2, 3);
    send_some(&server, 6); /* from 32767 on */
    IDS(server, 1, 2, 3, 4, 5, 5);
    in_step(3, 5);
    CHECK(pair_works());
}

static void key_ids_tell_both_directions(void) {
    unsigned a = 9, b = 9;
    for (situation x = IN_NONE; x < SITUATIONS; x++) {
        party *p = bring_to(x);
        svconn_key_ids(p->s, &a, &b);
        int keys = state_of(p) == SVCONN_CONFIRMING || state_of(p) == SVCONN_CONNECTED || x == IN_CLIENT_VERDICT_2 ||
                   x == IN_SERVER_PROOF_2;
        CHECK(a == (unsigned)keys && b == (unsigned)keys);
    }
    connected();
    send_some(&client, 1);
    CHECK(svconn_renew(client.s) == SVCONN_OK);
    send_some(&client, 1);
    svconn_key_ids(client.s, &a, &b);
    CHECK(a == 2 && b == 1);
    svconn_key_ids(server.s, &a, &b);
    CHECK(a == 1 && b == 2);
}

/* 5.2: traffic in one direction, renewed for each record, makes the other fall behind without end. */
static void behind_has_no_end_in_sight(void) {
    connected();
    send_some(&client, 1);
    client.s->u.on.out.id = server.s->u.on.in.id = 9;
    client.s->behind = INT32_MIN;
    server.s->behind = INT32_MAX;
    CHECK(svconn_renew(client.s) == SVCONN_OK);
    send_some(&client, 1);
    CHECK(client.s->behind == (int64_t)INT32_MIN - 1 && server.s->behind == (int64_t)INT32_MAX + 1);
    CHECK(pair_works());
}

/* ---- limits (5.3, 5.4) -------------------------------------------------------------------------- */

/* As if the key of p had sealed so much */
static void spend(party *p, uint32_t counter, uint32_t bytes) {
    svconn_direction *out = &p->s->u.on.out, *in = &other(p)->s->u.on.in;
    out->counter = in->counter = counter;
    out->bytes = in->bytes = bytes;
}

static void an_honest_sender_keeps_the_limits(void) {
    connected();
    spend(&client, (1u << 20) - 2, 0);
    send_some(&client, 4);
    IDS(client, 1, 1, 2, 2);
    connected();
    spend(&client, 5, (1u << 30) - 1);
    uint8_t m[2] = {0};
    for (int i = 0; i < 4; i++) {
        CHECK(svconn_send(client.s, m, (size_t)i % 3, now) == SVCONN_OK); /* 0, 1, 2, 0 bytes */
        carry(&client, EVERYTHING);
    }
    IDS(client, 1, 1, 2, 2);
    CHECK(server.messages == 4);
}

static void a_peer_that_does_not_renew_is_stopped_at_the_header(void) {
    uint8_t b[PAIR_BUFFER];
    for (int what = 0; what < 6; what++) {
        connected();
        int too_far = what % 3; /* 0: the last that is allowed; 1: one too many; 2: far too many */
        if (what < 3) spend(&client, (1u << 20) - 1 + (uint32_t)too_far, 0);
        else spend(&client, 3, (1u << 30) - 1 + (uint32_t)too_far);
        forge(&client, 0, (const uint8_t *)"message", 7);
        size_t n = drain(&client, b), used;
        CHECK(wire_get16(b) == 1);
        svconn_err err = svconn_wire_in(server.s, b, 4, &used, now);
        CHECK(err == (too_far ? SVCONN_E_KEY_LIMIT : SVCONN_OK));
        if (too_far) {
            CHECK(is_failed(&server, SVCONN_E_KEY_LIMIT) && only_error_packet(&server));
            continue;
        }
        CHECK(hand(&server, b + 4, n - 4) == n - 4 && server.messages == 1);
        forge(&client, 0, (const uint8_t *)"message", 7); /* bytes: the one that crossed was allowed, this is not */
        carry(&client, EVERYTHING);
        CHECK(is_failed(&server, SVCONN_E_KEY_LIMIT) && server.messages == 1);
    }
}

static void a_spent_key_may_still_be_renewed(void) {
    connected();
    spend(&client, 1u << 20, 0);
    send_some(&client, 2);
    IDS(client, 2, 2);
    connected();
    spend(&client, 7, (1u << 30) + 65534);
    send_some(&client, 2);
    IDS(client, 2, 2);
}

/* A header with the successor's id, from a stranger: one derivation, one failure; and the direction is as it was. */
static void a_forged_successor_changes_nothing(void) {
    uint8_t b[40] = {0, 2, 0, 24};
    svconn_direction d, before;
    int stepped;
    connected();
    send_some(&client, 1);
    d = server.s->u.on.in;
    before = d;
    CHECK(svconn_record_expected(&d, b) == SVCONN_OK);
    CHECK(svconn_record_open(&d, b, sizeof b, &stepped) == SVCONN_E_TAG);
    CHECK(same_direction(&before, &d));
    b[1] = 1;
    CHECK(svconn_record_open(&d, b, sizeof b, &stepped) == SVCONN_E_TAG && !stepped);
    CHECK(same_direction(&before, &d));
}

static void ids_that_cannot_be_are_refused(void) {
    static const unsigned bad[] = {3, 4, 100, 32767, 32766};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        connected();
        send_some(&client, 1);
        client.s->u.on.out.id = (uint16_t)bad[i];
        forge(&client, 0, NULL, 0);
        carry(&client, EVERYTHING);
        CHECK(is_failed(&server, SVCONN_E_KEY_ID) && only_error_packet(&server));
    }
    connected(); /* the one before the current one */
    send_some(&client, 1);
    CHECK(svconn_renew(client.s) == SVCONN_OK);
    send_some(&client, 1);
    client.s->u.on.out.id = 1;
    forge(&client, 0, NULL, 0);
    carry(&client, EVERYTHING);
    CHECK(is_failed(&server, SVCONN_E_KEY_ID));
}

static void every_renewal_makes_other_keys(void) {
    svconn_direction seen[6];
    connected();
    send_some(&client, 1);
    for (int i = 0; i < 6; i++) {
        seen[i] = client.s->u.on.out;
        for (int k = 0; k < i; k++) {
            CHECK(memcmp(seen[i].key, seen[k].key, sizeof seen->key) != 0);
            CHECK(memcmp(seen[i].chain, seen[k].chain, 32) != 0 && memcmp(seen[i].iv, seen[k].iv, 12) != 0);
        }
        CHECK(svconn_renew(client.s) == SVCONN_OK);
        send_some(&client, 1);
        uint8_t next[32];
        svconn_derive(next, 32, seen[i].chain, LABEL_NEXT);
        CHECK_BYTES(client.s->u.on.out.chain, next, 32);
    }
    CHECK(memcmp(client.s->u.on.out.chain, client.s->u.on.in.chain, 32) != 0); /* the directions differ */
}

/* ---- much traffic ------------------------------------------------------------------------------- */

static uint32_t dice_state;
static unsigned dice(unsigned n) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % n;
}

/* Messages carry their number; whatever is under way crosses renewals in the other direction. */
static unsigned sent[2], taken[2];

static void store_number(uint8_t *b, unsigned n) {
    wire_put16(b, n >> 16);
    wire_put16(b + 2, n & 0xffff);
}
static unsigned load_number(const uint8_t *b) { return (unsigned)wire_get16(b) << 16 | wire_get16(b + 2); }

static void take_numbered(party *p) {
    const uint8_t *m;
    size_t n;
    int i = p == &server;
    while (svconn_recv(p->s, &m, &n) == SVCONN_OK) {
        CHECK(n >= 4 && load_number(m) == taken[!i]);
        taken[!i]++;
        CHECK(svconn_recv_done(p->s) == SVCONN_OK);
    }
}

static void move_some(party *from, size_t most) {
    size_t n, used;
    const uint8_t *b = svconn_wire_out(from->s, &n);
    if (n > most) n = most;
    if (n == 0) return;
    CHECK(svconn_wire_in(other(from)->s, b, n, &used, now) == SVCONN_OK && used == n);
    CHECK(svconn_wire_sent(from->s, n) == SVCONN_OK);
    take_numbered(other(from));
}

static unsigned steps_of(const party *p, unsigned *last) {
    unsigned out, in, n;
    svconn_key_ids(p->s, &out, &in);
    n = (out + 32767 - *last) % 32767;
    *last = out;
    return n;
}

static void traffic(unsigned rounds, unsigned seed) {
    unsigned last[2] = {1, 1}, renewals = 0;
    dice_state = seed;
    prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    client.config.renew_records = 7;
    server.config.renew_bytes = 300;
    begin_both();
    shuttle(EVERYTHING);
    CHECK(both_connected());
    memset(sent, 0, sizeof sent);
    memset(taken, 0, sizeof taken);
    for (unsigned r = 0; r < rounds; r++) {
        int i = (int)dice(2);
        party *p = i ? &server : &client;
        uint8_t m[60] = {0};
        now += dice(50);
        switch (dice(4)) {
        case 0: CHECK(svconn_renew(p->s) == SVCONN_OK); break;
        case 1: move_some(p, dice(2) ? 1 + dice(80) : 4000); break;
        default: {
            store_number(m, sent[i]);
            svconn_err err = svconn_send(p->s, m, 4 + dice(40), now);
            CHECK(err == SVCONN_OK || err == SVCONN_AGAIN);
            if (err == SVCONN_OK) sent[i]++;
            renewals += steps_of(p, &last[i]);
        }
        }
        if (test_bad) return;
    }
    for (int k = 0; k < 400; k++) { /* quiet again: all arrives, and who is behind follows */
        uint8_t m[4];
        party *p = k % 2 ? &server : &client;
        move_some(p, 4000);
        if (client.s->behind <= 0 && server.s->behind <= 0 && k > 20) continue;
        store_number(m, sent[k % 2]++);
        CHECK(svconn_send(p->s, m, 4, now) == SVCONN_OK);
        renewals += steps_of(p, &last[k % 2]);
    }
    CHECK(taken[0] == sent[0] && taken[1] == sent[1] && sent[0] + sent[1] > rounds / 4);
    CHECK(client.s->behind == 0 && server.s->behind == 0);
    in_step(last[0], last[1]);
    CHECK(last[0] == last[1]);
    CHECK(renewals > rounds / 5);
}

static void thousands_of_renewals_with_traffic_under_way(void) {
    traffic(6000, 1);
    traffic(3000, 2);
}

static void all_ids_are_used_and_used_again(void) {
    if (!getenv("SVCONN_SLOW")) {
        test_skip = "SVCONN_SLOW=1 makes 70000 real renewals";
        return;
    }
    connected();
    client.silent = server.silent = 1;
    for (unsigned i = 0; i < 70000; i++) {
        CHECK(svconn_renew(i % 2 ? client.s : server.s) == SVCONN_OK);
        send_some(&client, 1);
        send_some(&server, 1);
    }
    CHECK(client.s->behind + server.s->behind == 0 && pair_works());
}

static void a_million_records_under_one_key(void) {
    if (!getenv("SVCONN_SLOW")) {
        test_skip = "SVCONN_SLOW=1 sends 2^20 records";
        return;
    }
    connected();
    client.silent = server.silent = 1;
    unsigned a, b;
    send_some(&client, 1u << 20);
    svconn_key_ids(client.s, &a, &b);
    CHECK(a == 1);
    send_some(&client, 1);
    svconn_key_ids(client.s, &a, &b);
    CHECK(a == 2);
}

#define T(f) TEST(#f, f)

int main(void) {
    T(without_a_cause_nothing_is_renewed);
    T(a_key_is_renewed_after_so_many_records);
    T(a_key_is_renewed_after_so_many_bytes);
    T(a_key_is_renewed_when_it_is_older_than_allowed);
    T(the_age_of_the_first_key_counts_from_its_derivation);
    T(a_key_is_renewed_on_request);
    T(a_request_before_the_first_record_of_a_key_waits);
    T(keepalive_and_close_renew_like_any_record);
    T(early_records_renew_and_m3_does_not);
    T(the_other_side_follows_with_its_next_record);
    T(if_both_renew_at_once_neither_follows);
    T(one_who_is_far_behind_makes_one_step_for_a_record);
    T(records_on_their_way_under_the_old_key_open);
    T(after_32767_comes_1);
    T(key_ids_tell_both_directions);
    T(behind_has_no_end_in_sight);
    T(an_honest_sender_keeps_the_limits);
    T(a_peer_that_does_not_renew_is_stopped_at_the_header);
    T(a_spent_key_may_still_be_renewed);
    T(a_forged_successor_changes_nothing);
    T(ids_that_cannot_be_are_refused);
    T(every_renewal_makes_other_keys);
    T(thousands_of_renewals_with_traffic_under_way);
    T(all_ids_are_used_and_used_again);
    T(a_million_records_under_one_key);
    return TEST_EXIT();
}
