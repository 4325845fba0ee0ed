/* SPDX-License-Identifier: ISC */
/*
 * What the network may do to the bytes: cut them anywhere, join them, flip, drop, replay, swap, reflect and splice
 * them. Pieces must not matter at all; everything else is either the same result or a failure with the right reason at
 * the right side, and no wrong message, ever.
 *
 * A run of one party against bytes that were recorded before is repeated from a snapshot, thousands of times.
 */
#include "pair.h"

typedef struct {
    uint8_t server_type, client_type, hidden;
} kind;

static const kind kinds[] = {{SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519, 0},
                             {SVCONN_TYPE_ED25519, SVCONN_TYPE_PSK, 1},
                             {SVCONN_TYPE_PSK, SVCONN_TYPE_PSK, 0},
                             {SVCONN_TYPE_CUSTOM, SVCONN_TYPE_CUSTOM, 0}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- a recorded conversation -------------------------------------------------------------------- */

static tape to_client, to_server;          /* all bytes of it */
static party client_before, server_before; /* before the first byte came; the SERVER's M1 is out */
static size_t m1_len, m2_len, m3_len;

static void start(const kind *k, uint8_t seed_number) {
    prepare(k->server_type, k->client_type);
    server.config.hidden = k->hidden;
    client.config.early = SVCONN_EARLY_ALWAYS;
    server.seed_number = client.seed_number = seed_number;
    begin_both();
    answer(&server);
    server_before = server;
    client_before = client;
}

/* Both send messages of 0 to 19 bytes, renew, keep alive and close; the CLIENT begins early. */
static void speak(party *p, unsigned first, unsigned last) {
    uint8_t m[20];
    for (unsigned i = first; i <= last; i++) {
        fill(m, sizeof m, i);
        CHECK(svconn_send(p->s, m, i * 7 % 20, now) == SVCONN_OK);
    }
}

static void record_conversation(const kind *k) {
    start(k, 0);
    m1_len = carry(&server, EVERYTHING);
    m2_len = queued(&client);
    speak(&client, 1, 2);
    carry(&client, EVERYTHING);
    m3_len = queued(&server);
    speak(&server, 11, 12);
    CHECK(svconn_renew(server.s) == SVCONN_OK);
    speak(&server, 13, 13);
    carry(&server, EVERYTHING);
    speak(&client, 3, 3);
    carry(&client, EVERYTHING);
    now += 30000;
    CHECK(svconn_tick(server.s, now, NULL) == SVCONN_OK && svconn_tick(client.s, now, NULL) == SVCONN_OK);
    speak(&server, 14, 14);
    shuttle(EVERYTHING);
    speak(&client, 4, 5);
    CHECK(svconn_close(server.s, now) == SVCONN_OK && svconn_close(client.s, now) == SVCONN_OK);
    shuttle(EVERYTHING);
    CHECK(state_of(&client) == SVCONN_CLOSED && state_of(&server) == SVCONN_CLOSED);
    CHECK(client.messages == 4 && server.messages == 5);
    to_client = server.out;
    to_server = client.out;
    now = 1000;
}

/* ---- pieces ------------------------------------------------------------------------------------- */

/* Like hand(), by svconn_wire_space and svconn_wire_filled */
static size_t hand_by_space(party *p, const uint8_t *b, size_t n) {
    size_t done = 0, room;
    answer(p);
    while (done < n) {
        uint8_t *space = svconn_wire_space(p->s, &room);
        CHECK(room == 0 || (space >= p->rx && space + room <= p->rx + p->rx_size));
        if (room > n - done) room = n - done;
        if (room == 0) break;
        memcpy(space, b + done, room);
        done += room;
        svconn_err err = svconn_wire_filled(p->s, room, now);
        answer(p);
        collect(p);
        if (err) return n;
    }
    return done;
}

/* Messages are fetched only when no more bytes go in. */
static size_t hand_lazily(party *p, const uint8_t *b, size_t n) {
    size_t done = 0, used;
    int more = 1;
    while (done < n && more) {
        p->leaves = 1;
        answer(p);
        svconn_err err = svconn_wire_in(p->s, b + done, n - done, &used, now);
        done += used;
        more = used > 0;
        p->leaves = 0;
        if (err) return n;
        if (done == n) break;
        size_t before = p->messages;
        const uint8_t *m;
        size_t len;
        if (svconn_recv(p->s, &m, &len) == SVCONN_OK) { /* one at a time */
            uint8_t head[2];
            wire_put16(head, len);
            record_on(&p->in, head, 2);
            record_on(&p->in, m, len);
            p->messages++;
            (void)!svconn_recv_done(p->s);
        }
        more |= p->messages != before;
    }
    return done;
}

typedef size_t (*way)(party *p, const uint8_t *b, size_t n);

/* What came of it: our own last words included, which tell of keys and of who is behind. */
static void finish(party *p) {
    uint8_t b[PAIR_BUFFER];
    answer(p);
    collect(p);
    if (state_of(p) == SVCONN_CONNECTED) {
        CHECK(svconn_send(p->s, "last words", 10, now) == SVCONN_OK);
        CHECK(svconn_close(p->s, now) == SVCONN_OK);
    }
    collect(p);
    drain(p, b);
}

/* All of the bytes in pieces of `first`, then `piece`, by that way */
static void replay(party *p, const party *from, const tape *bytes, size_t first, size_t piece, way how) {
    *p = *from;
    size_t done = 0, stuck = 0;
    while (done < bytes->n && stuck < 2) {
        size_t n = done < first ? first - done : piece, used;
        if (n > bytes->n - done) n = bytes->n - done;
        used = how(p, bytes->b + done, n);
        done += used;
        stuck = used ? 0 : stuck + 1;
    }
    CHECK(done == bytes->n);
    finish(p);
}

static int same_result(const party *a, const party *b) {
    return state_of(a) == state_of(b) && error_of(a) == error_of(b) && a->ended == b->ended &&
           a->messages == b->messages && same_tape(&a->in, &b->in) && same_tape(&a->out, &b->out);
}

/* Both parties against the recorded bytes; small: with the smallest buffers */
static void every_split(const kind *k, int small, int each_offset) {
    static party whole;
    record_conversation(k);
    for (int i = 0; i < 2; i++) {
        party *p = i ? &client : &server, *before = i ? &client_before : &server_before;
        const tape *bytes = i ? &to_client : &to_server;
        if (small) {
            before->rx_size = SVCONN_BUFFER_MIN;
            before->places[0].rx_size = SVCONN_BUFFER_MIN; /* as if it had been made so */
        }
        replay(p, before, bytes, 0, small ? 1 : bytes->n, hand);
        whole = *p;
        CHECK(state_of(p) == SVCONN_CLOSED && p->messages == (i ? 4 : 5) && p->ended);
        for (size_t at_byte = 1; each_offset && at_byte < bytes->n; at_byte++) {
            replay(p, before, bytes, at_byte, bytes->n, at_byte % 3 == 0 ? hand_by_space : hand);
            CHECK(same_result(p, &whole));
        }
        for (size_t piece = 1; piece < bytes->n; piece += piece < 20 ? 1 : 37) {
            replay(p, before, bytes, 0, piece, hand);
            CHECK(same_result(p, &whole));
            replay(p, before, bytes, 0, piece, hand_by_space);
            CHECK(same_result(p, &whole));
            replay(p, before, bytes, 0, piece, hand_lazily);
            CHECK(same_result(p, &whole));
        }
    }
}

static void every_split_gives_the_same_keys(void) { every_split(&kinds[0], 0, 1); }
static void every_split_gives_the_same_hidden(void) { every_split(&kinds[1], 0, 1); }
static void every_split_gives_the_same_psk(void) { every_split(&kinds[2], 0, 1); }
static void every_split_gives_the_same_custom(void) { every_split(&kinds[3], 0, 1); }
static void the_smallest_receive_buffer_gives_the_same(void) {
    for (int i = 0; i < KINDS; i++) every_split(&kinds[i], 1, i == 2);
}

/* Both sides alive, each link cutting in its own way */
static void two_live_sessions_do_not_care_about_pieces(void) {
    static party whole[2];
    static const size_t sizes[] = {EVERYTHING, 1, 2, 3, 5, 16, 17, 100};
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            start(&kinds[k], 0);
            carry(&server, sizes[i]);
            speak(&client, 1, 2);
            shuttle(sizes[i]);
            for (unsigned n = 0; n < 5; n++) {
                speak(&server, 20 + n, 20 + n);
                if (n == 2) CHECK(svconn_renew(client.s) == SVCONN_OK);
                speak(&client, 30 + n, 31 + n);
                carry(&server, sizes[i]);
                carry(&client, sizes[i]);
            }
            CHECK(both_connected() && client.messages == 5 && server.messages == 12);
            if (i == 0) {
                whole[0] = client;
                whole[1] = server;
            }
            CHECK(same_result(&client, &whole[0]) && same_result(&server, &whole[1]));
        }
}

/* ---- flips -------------------------------------------------------------------------------------- */

#define R(e) (UINT64_C(1) << ((int)(e)-32)) /* a set of reasons */

/* What may come of a flipped bit in M1 */
static uint64_t m1_reasons(const kind *k, size_t i) {
    /* a length: too long, too short, too much */
    uint64_t cut = R(SVCONN_E_TRUNCATED) | R(SVCONN_E_FORMAT) | R(SVCONN_E_LIMIT);
    uint64_t wrong = k->hidden ? R(SVCONN_E_UNKNOWN) : k->server_type < 0x80 ? R(SVCONN_E_PROOF) : R(SVCONN_E_REFUSED);
    size_t wid = k->hidden ? 0 : k->server_type == 1 ? 33 : k->server_type == 2 ? 7 : 3;
    if (i == 0) return R(SVCONN_E_VERSION) | R(SVCONN_E_ABORTED);
    if (i < 33) return wrong;
    if (i < 35) return cut | wrong | R(SVCONN_E_TYPE); /* hidden: a part of p becomes the identity */
    if (i < 35 + wid) {
        if (i > 35)
            return wrong | (k->server_type == 1 ? R(SVCONN_E_KEY) : R(SVCONN_E_SELF)); /* 's' to 'c' is one bit */
        return R(SVCONN_E_TYPE) | R(SVCONN_E_FORMAT) | R(SVCONN_E_REFUSED) |
               wrong; /* another type: 81 is a custom one */
    }
    if (i < 37 + wid) return cut | (k->server_type < 0x80 ? 0 : wrong);
    return wrong;
}

static uint64_t m2_reasons(const kind *k, size_t i) {
    (void)k;
    if (i < 32) return R(SVCONN_E_SEAL);
    if (i < 34) return R(SVCONN_E_TRUNCATED) | R(SVCONN_E_FORMAT) | R(SVCONN_E_LIMIT) | R(SVCONN_E_SEAL);
    return R(SVCONN_E_SEAL);
}

/* The first record under key 1 */
static uint64_t record_reasons(const kind *k, size_t i) {
    (void)k;
    if (i == 0) return R(SVCONN_E_KEY_ID) | R(SVCONN_E_TAG); /* bit 15 is under the tag */
    if (i == 1) return R(SVCONN_E_KEY_ID) | R(SVCONN_E_ABORTED);
    if (i < 4) return R(SVCONN_E_TAG) | R(SVCONN_E_LIMIT) | R(SVCONN_E_TRUNCATED);
    return R(SVCONN_E_TAG);
}

/* p got `bytes` up to `begin` well; the message at [begin, end) comes with one bit flipped; then the link ends. */
static void flip_all(party *p, const tape *bytes, size_t begin_at, size_t end, const kind *k,
                     uint64_t (*reasons)(const kind *, size_t)) {
    static party good;
    static tape bad;
    CHECK(begin_at == 0 || hand(p, bytes->b, begin_at) == begin_at);
    good = *p;
    bad = *bytes;
    for (size_t i = begin_at; i < end; i++) {
        for (unsigned b = 0; b < 8; b++) {
            *p = good;
            bad.b[i] = (uint8_t)(bytes->b[i] ^ 1u << b);
            (void)hand(p, bad.b + begin_at, end - begin_at);
            int failed_at_once = state_of(p) == SVCONN_FAILED;
            if (!failed_at_once) (void)!svconn_wire_eof(p->s);
            svconn_err err = error_of(p);
            if ((!svconn_is_failure(err) || !(reasons(k, i - begin_at) & R(err))) && test_bad < 10)
                printf("  byte %zu bit %u: %s\n", i - begin_at, b, svconn_reason_name(err));
            CHECK(state_of(p) == SVCONN_FAILED && svconn_is_failure(err) && (reasons(k, i - begin_at) & R(err)));
            CHECK(p->messages == good.messages && p->in.n == good.in.n);
            int silent = err == SVCONN_E_ABORTED || err == SVCONN_E_TRUNCATED;
            CHECK(silent ? queued(p) == queued(&good) : queued(p) == queued(&good) + 16);
            CHECK(failed_at_once == (err != SVCONN_E_TRUNCATED));
        }
        bad.b[i] = bytes->b[i];
    }
    *p = good;
    CHECK(hand(p, bad.b + begin_at, end - begin_at) == end - begin_at &&
          state_of(p) != SVCONN_FAILED); /* the control */
}

static void every_bit_of_m1_matters(void) {
    for (int i = 0; i < KINDS; i++) {
        record_conversation(&kinds[i]);
        client = client_before;
        flip_all(&client, &to_client, 0, m1_len, &kinds[i], m1_reasons);
        CHECK(state_of(&client) == SVCONN_CONFIRMING);
    }
}

static void every_bit_of_m2_matters(void) {
    for (int i = 0; i < KINDS; i++) {
        record_conversation(&kinds[i]);
        server = server_before;
        uint8_t b[PAIR_BUFFER];
        drain(&server, b);
        flip_all(&server, &to_server, 0, m2_len, &kinds[i], m2_reasons);
        CHECK(state_of(&server) == SVCONN_CONNECTED);
    }
}

static void every_bit_of_m3_matters(void) {
    for (int i = 0; i < KINDS; i++) {
        record_conversation(&kinds[i]);
        client = client_before;
        flip_all(&client, &to_client, m1_len, m1_len + m3_len, &kinds[i], record_reasons);
        CHECK(state_of(&client) == SVCONN_CONNECTED);
    }
}

/* Data, CLOSE and KEEPALIVE, under key 1 with counter 0: the CLIENT's first record */
static void every_bit_of_a_record_matters(void) {
    for (int what = 0; what < 3; what++) {
        connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
        forget_tapes();
        if (what == 0) CHECK(svconn_send(client.s, "a message of 25 bytes ...", 25, now) == SVCONN_OK);
        if (what == 1) CHECK(svconn_close(client.s, now) == SVCONN_OK);
        if (what == 2) CHECK(svconn_tick(client.s, now + 20000, NULL) == SVCONN_OK);
        uint8_t b[PAIR_BUFFER];
        CHECK(drain(&client, b) > 0);
        flip_all(&server, &client.out, 0, client.out.n, &kinds[2], record_reasons);
        CHECK(state_of(&server) == SVCONN_CONNECTED && server.ended == (what == 1) && server.messages == (what == 0));
    }
}

/* Under a renewed key, where the successor's id would be allowed */
static void every_bit_of_a_record_under_a_later_key_matters(void) {
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(say(&client, i) == SVCONN_OK && svconn_renew(client.s) == SVCONN_OK);
        shuttle(EVERYTHING);
    }
    CHECK(svconn_send(client.s, "x", 1, now) == SVCONN_OK);
    shuttle(EVERYTHING);
    forget_tapes();
    CHECK(svconn_send(client.s, "message", 7, now) == SVCONN_OK);
    uint8_t b[PAIR_BUFFER];
    static party good;
    size_t n = drain(&client, b), used;
    CHECK(wire_get16(b) == 4);
    good = server;
    for (size_t i = 0; i < n * 8; i++) {
        server = good;
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        (void)!svconn_wire_in(server.s, b, n, &used, now);
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        if (state_of(&server) != SVCONN_FAILED) (void)!svconn_wire_eof(server.s);
        svconn_err err = error_of(&server);
        CHECK(state_of(&server) == SVCONN_FAILED);
        unsigned id = (4u ^ (i < 8 ? 1u << (i + 8) : i < 16 ? 1u << (i - 8) : 0)) & 0x7fff;
        if (i < 16) CHECK(err == (id == 4 || id == 5 ? SVCONN_E_TAG : id == 0 ? SVCONN_E_ABORTED : SVCONN_E_KEY_ID));
        else if (i >= 32) CHECK(err == SVCONN_E_TAG);
    }
    server = good;
    wire_put16(b, 5); /* the successor: one derivation, then the tag is wrong, and the direction was not touched */
    CHECK(svconn_wire_in(server.s, b, n, &used, now) == SVCONN_E_TAG);
}

/* ---- cuts --------------------------------------------------------------------------------------- */

static int is_prefix(const tape *a, const tape *whole) { return a->n <= whole->n && memcmp(a->b, whole->b, a->n) == 0; }

static void every_cut(const kind *k) {
    static party whole;
    record_conversation(k);
    for (int i = 0; i < 2; i++) {
        party *p = i ? &client : &server, *before = i ? &client_before : &server_before;
        const tape *bytes = i ? &to_client : &to_server;
        replay(p, before, bytes, 0, bytes->n, hand);
        whole = *p;
        for (size_t n = 0; n <= bytes->n; n++) {
            *p = *before;
            CHECK(hand(p, bytes->b, n) == n);
            svconn_err err = svconn_wire_eof(p->s), want = n == 0 ? SVCONN_E_ABSENT : SVCONN_E_TRUNCATED;
            if (n == bytes->n) want = SVCONN_OK; /* CLOSE was the last record */
            CHECK(err == want && error_of(p) == want && state_of(p) == (want ? SVCONN_FAILED : SVCONN_CONNECTED));
            CHECK(is_prefix(&p->in, &whole.in) && p->ended == (n == bytes->n));
            answer(p);
            drain(p, whole.tx);
            CHECK(want == SVCONN_OK || is_prefix(&p->out, &whole.out)); /* no error packet */
        }
    }
}

static void every_cut_is_told_keys(void) { every_cut(&kinds[0]); }
static void every_cut_is_told_hidden(void) { every_cut(&kinds[1]); }
static void every_cut_is_told_psk(void) { every_cut(&kinds[2]); }
static void every_cut_is_told_custom(void) { every_cut(&kinds[3]); }

/* ---- records out of place ----------------------------------------------------------------------- */

enum { RECORDS = 6 };

static uint8_t records[RECORDS][64];
static size_t record_len[RECORDS];

/* Six records of the SERVER on the link; the CLIENT has seen none. renew_before: 0, or the record that has a new key */
static void six_records(unsigned renew_before) {
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    forget_tapes();
    for (unsigned i = 0; i < RECORDS; i++) {
        uint8_t m[1] = {(uint8_t)('a' + i)}, b[PAIR_BUFFER];
        if (renew_before && i == renew_before) CHECK(svconn_renew(server.s) == SVCONN_OK);
        CHECK(svconn_send(server.s, m, 1, now) == SVCONN_OK);
        record_len[i] = drain(&server, b);
        CHECK(record_len[i] == 17);
        memcpy(records[i], b, 17);
    }
}

/* The CLIENT gets records in this order (letters); it takes these messages and then fails for that reason (or not at
 * all). */
static void order(const char *given, const char *taken, svconn_err why) {
    client.in.n = 0;
    for (const char *c = given; *c; c++) (void)hand(&client, records[*c - 'a'], record_len[*c - 'a']);
    size_t n = 0;
    for (const char *c = taken; *c; c++, n += 3) CHECK(client.in.n >= n + 3 && client.in.b[n + 2] == (uint8_t)*c);
    if (client.in.n != n || error_of(&client) != why)
        printf("  %s: %zu messages, %s\n", given, client.in.n / 3, svconn_reason_name(error_of(&client)));
    CHECK(client.in.n == n && error_of(&client) == why);
    CHECK(!why || only_error_packet(&client));
}

static void a_record_that_is_dropped_replayed_or_swapped_is_noticed(void) {
    static const struct {
        const char *given, *taken;
        svconn_err why;
    } want[] = {{"abcdef", "abcdef", SVCONN_OK},     {"b", "", SVCONN_E_TAG},
                {"acdef", "a", SVCONN_E_TAG},        {"abcdf", "abcd", SVCONN_E_TAG},
                {"aa", "a", SVCONN_E_TAG},           {"abca", "abc", SVCONN_E_TAG},
                {"abcdeff", "abcdef", SVCONN_E_TAG}, {"bacdef", "", SVCONN_E_TAG},
                {"abdcef", "ab", SVCONN_E_TAG},      {"f", "", SVCONN_E_TAG}};
    static party c;
    six_records(0);
    c = client;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        client = c;
        order(want[i].given, want[i].taken, want[i].why);
    }
}

static void records_out_of_place_around_a_renewal_are_noticed(void) {
    static const struct {
        const char *given, *taken;
        svconn_err why;
    } want[] = {{"abcdef", "abcdef", SVCONN_OK},    {"abcda", "abcd", SVCONN_E_KEY_ID},
                {"abcdc", "abcd", SVCONN_E_KEY_ID}, {"abce", "abc", SVCONN_E_TAG},
                {"abcdd", "abcd", SVCONN_E_TAG},    {"abcdf", "abcd", SVCONN_E_TAG},
                {"bcdef", "", SVCONN_E_TAG},        {"abcdec", "abcde", SVCONN_E_KEY_ID},
                {"acdef", "a", SVCONN_E_TAG},       {"abdef", "abdef", SVCONN_OK} /* 14.1 */};
    static party c;
    six_records(3);
    c = client;
    CHECK(wire_get16(records[2]) == 1 && wire_get16(records[3]) == 2);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        client = c;
        order(want[i].given, want[i].taken, want[i].why);
    }
}

/* The first key must have opened something before the second may come (5.4 step 3), or M3 itself could be lost. */
static void a_successor_of_an_unused_key_is_refused(void) {
    six_records(1);
    static party c;
    c = client;
    order("b", "b", SVCONN_OK); /* M3 has used the SERVER's first key */
    client = c;
    order("bac", "b", SVCONN_E_KEY_ID);

    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    CHECK(say(&client, 1) == SVCONN_OK && svconn_renew(client.s) == SVCONN_OK && say(&client, 2) == SVCONN_OK);
    uint8_t b[PAIR_BUFFER];
    size_t n = drain(&client, b), first = (size_t)16 + 37;
    CHECK(wire_get16(b + first) == 2);
    (void)hand(&server, b + first, n - first);
    CHECK(is_failed(&server, SVCONN_E_KEY_ID));
}

static void our_own_bytes_back_are_noticed(void) {
    uint8_t b[PAIR_BUFFER];
    connect_pair(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    party *both[2] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        CHECK(say(both[i], 2) == SVCONN_OK);
        size_t n = drain(both[i], b);
        (void)hand(both[i], b, n);
        CHECK(is_failed(both[i], SVCONN_E_TAG) && both[i]->messages == 0);
    }
    /* M1 to the SERVER, M2 to the CLIENT, M3 to the SERVER */
    for (int i = 0; i < KINDS; i++) {
        record_conversation(&kinds[i]);
        server = server_before;
        (void)hand(&server, to_client.b, m1_len);
        if (state_of(&server) != SVCONN_FAILED) (void)!svconn_wire_eof(server.s);
        CHECK(state_of(&server) == SVCONN_FAILED && server.verdicts == 0);
        client = client_before;
        (void)hand(&client, to_server.b, m2_len);
        CHECK(state_of(&client) == SVCONN_FAILED && client.verdicts == 0);
        client = client_before;
        (void)hand(&client, to_client.b, m1_len);
        (void)hand(&client, to_server.b, m2_len);
        if (state_of(&client) != SVCONN_FAILED) (void)!svconn_wire_eof(client.s);
        CHECK(state_of(&client) == SVCONN_FAILED && client.messages == 0);
        server = server_before;
        (void)hand(&server, to_server.b, m2_len);
        CHECK(state_of(&server) == SVCONN_CONNECTED);
        (void)hand(&server, to_client.b + m1_len, m3_len);
        CHECK(is_failed(&server, SVCONN_E_TAG));
    }
}

/* Two sessions of the same parties: nothing of the first one serves in the second. */
static void bytes_of_another_session_are_noticed(void) {
    static tape old_to_client, old_to_server;
    for (int i = 0; i < KINDS; i++) {
        record_conversation(&kinds[i]);
        old_to_client = to_client;
        old_to_server = to_server;
        start(&kinds[i], 1);
        uint8_t b[PAIR_BUFFER];
        size_t n = drain(&server, b);
        CHECK(n == m1_len && memcmp(b, old_to_client.b, n) != 0);

        (void)hand(&server, old_to_server.b, m2_len); /* M2 replayed: another y */
        CHECK(is_failed(&server, SVCONN_E_SEAL) && server.verdicts == 0 && only_error_packet(&server));

        (void)hand(&client, old_to_client.b, m1_len); /* M1 replayed: the CLIENT answers, as section 10 says, */
        CHECK(state_of(&client) == SVCONN_CONFIRMING);
        (void)hand(&client, old_to_client.b + m1_len, m3_len); /* but M3 replayed does not open */
        CHECK(is_failed(&client, SVCONN_E_TAG));

        start(&kinds[i], 1); /* the honest handshake, then M3 of the other session */
        carry(&server, EVERYTHING);
        carry(&client, EVERYTHING);
        CHECK(state_of(&server) == SVCONN_CONNECTED);
        (void)hand(&client, old_to_client.b + m1_len, m3_len);
        CHECK(is_failed(&client, SVCONN_E_TAG) && client.messages == 0);
        (void)hand(&server, old_to_server.b + m2_len, old_to_server.n - m2_len); /* and its records */
        CHECK(is_failed(&server, SVCONN_E_TAG) && server.messages == 0);
    }
}

/* The same ephemeral pair at the SERVER: only p, the identity and the CLIENT differ. Each party has another T1. */
static void a_message_spliced_from_two_is_noticed(void) {
    static tape other_m1;
    start(&kinds[0], 0);
    carry(&server, EVERYTHING);
    other_m1 = server.out;
    start(&kinds[0], 1);
    uint8_t b[PAIR_BUFFER];
    size_t n = drain(&server, b);
    static party c;
    c = client;
    for (int part = 0; part < 2; part++) { /* Y of the other, p of the other */
        client = c;
        uint8_t m[PAIR_BUFFER];
        memcpy(m, b, n);
        memcpy(m + (part ? 70 : 1), other_m1.b + (part ? 70 : 1), part ? 64 : 32);
        (void)hand(&client, m, n);
        CHECK(is_failed(&client, SVCONN_E_PROOF));
    }
}

static void a_second_m2_is_no_record(void) {
    for (int i = 0; i < KINDS; i++) {
        record_conversation(&kinds[i]);
        server = server_before;
        (void)hand(&server, to_server.b, m2_len);
        CHECK(state_of(&server) == SVCONN_CONNECTED);
        (void)hand(&server, to_server.b, m2_len);
        CHECK(state_of(&server) == SVCONN_FAILED && server.messages == 0);
    }
}

/* ---- public keys that give no secret, or another encoding of one that does ---------------------- */

static void small_order_shares_are_refused(void) {
    static const uint8_t order8[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                                       0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                                       0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    for (int what = 0; what < 4; what++) {
        for (int i = 0; i < KINDS; i++) {
            record_conversation(&kinds[i]);
            server = server_before;
            memset(to_server.b, 0, 32);
            if (what == 0) to_server.b[0] = 1; /* 1 */
            if (what == 1) memcpy(to_server.b, order8, 32);
            if (what == 2)
                memset(to_server.b, 0xff, 32); /* 2^256 - 1: 2^255 - 1 with the bit that is ignored: 18, a good one */
            if (what == 3) {                   /* p, which is 0 */
                memset(to_server.b, 0xff, 32);
                to_server.b[0] = 0xed;
                to_server.b[31] = 0x7f;
            }
            (void)hand(&server, to_server.b, m2_len);
            CHECK(is_failed(&server, what == 2 ? SVCONN_E_SEAL : SVCONN_E_DH) && only_error_packet(&server) == 0);
            CHECK(queued(&server) == m1_len + 16);
        }
    }
}

/* ---- lengths at their limits -------------------------------------------------------------------- */

/* One party gets the bytes, and nothing more; how does it end? */
static svconn_err verdict_on(party *p, const party *before, const uint8_t *b, size_t n) {
    *p = *before;
    (void)hand(p, b, n);
    return error_of(p);
}

static void lengths_are_checked_as_soon_as_they_are_there(void) {
    uint8_t b[300];
    record_conversation(&kinds[0]);
    memcpy(b, to_client.b, m1_len);
    static const struct {
        size_t wid;
        svconn_err after_two, after_all;
    } wids[] = {{16385, SVCONN_E_LIMIT, SVCONN_E_LIMIT},
                {65535, SVCONN_E_LIMIT, SVCONN_E_LIMIT},
                {34, SVCONN_OK, SVCONN_E_FORMAT},
                {32, SVCONN_OK, SVCONN_E_FORMAT},
                {1, SVCONN_OK, SVCONN_E_FORMAT},
                {2000, SVCONN_OK, SVCONN_OK},
                {2064 - 37, SVCONN_E_LIMIT, SVCONN_E_LIMIT},
                {16384, SVCONN_E_LIMIT, SVCONN_E_LIMIT}};
    for (size_t i = 0; i < sizeof wids / sizeof *wids; i++) {
        wire_put16(b + 33, wids[i].wid);
        svconn_err early = wids[i].wid + 37 > PAIR_BUFFER ? SVCONN_E_LIMIT : wids[i].after_two;
        if (wids[i].wid == 2064 - 37 && wids[i].wid + 37 <= PAIR_BUFFER) continue;
        CHECK(verdict_on(&client, &client_before, b, 35) == early);
        CHECK(verdict_on(&client, &client_before, b, m1_len) == wids[i].after_all);
    }
    memcpy(b, to_client.b, m1_len);
    static const size_t bad_p[] = {0, 63, 65, 80, 16384};
    for (size_t i = 0; i < sizeof bad_p / sizeof *bad_p; i++) {
        wire_put16(b + 68, bad_p[i]);
        CHECK(verdict_on(&client, &client_before, b, 70) == SVCONN_E_FORMAT);
    }
    wire_put16(b + 68, 16385);
    CHECK(verdict_on(&client, &client_before, b, 70) == SVCONN_E_LIMIT);

    memcpy(b, to_server.b, m2_len);
    static const struct {
        size_t e;
        svconn_err want;
    } es[] = {{0, SVCONN_E_FORMAT},
              {15, SVCONN_E_FORMAT},
              {16, SVCONN_E_SEAL},
              {PAIR_BUFFER - 34, SVCONN_OK},
              {PAIR_BUFFER - 33, SVCONN_E_LIMIT},
              {16384, SVCONN_E_LIMIT},
              {16385, SVCONN_E_LIMIT},
              {65535, SVCONN_E_LIMIT}};
    for (size_t i = 0; i < sizeof es / sizeof *es; i++) {
        wire_put16(b + 32, es[i].e);
        CHECK(verdict_on(&server, &server_before, b, 34) == (es[i].e == 16 ? SVCONN_OK : es[i].want));
        CHECK(verdict_on(&server, &server_before, b, 34 + 16) == es[i].want);
    }
}

static void types_that_do_not_exist_are_refused(void) {
    uint8_t b[300];
    record_conversation(&kinds[0]);
    memcpy(b, to_client.b, m1_len);
    for (unsigned type = 0; type < 256; type++) {
        b[35] = (uint8_t)type;
        svconn_err err = verdict_on(&client, &client_before, b, m1_len);
        CHECK(err == (type == 0 || (type > 2 && type < 0x80) ? SVCONN_E_TYPE
                      : type == 1                            ? SVCONN_OK
                      : type == 2                            ? SVCONN_E_FORMAT /* its proof has 32 bytes */
                                                             : SVCONN_E_REFUSED));
    }
}

#define T(f) TEST(#f, f)

int main(void) {
    T(every_split_gives_the_same_keys);
    T(every_split_gives_the_same_hidden);
    T(every_split_gives_the_same_psk);
    T(every_split_gives_the_same_custom);
    T(the_smallest_receive_buffer_gives_the_same);
    T(two_live_sessions_do_not_care_about_pieces);
    T(every_bit_of_m1_matters);
    T(every_bit_of_m2_matters);
    T(every_bit_of_m3_matters);
    T(every_bit_of_a_record_matters);
    T(every_bit_of_a_record_under_a_later_key_matters);
    T(every_cut_is_told_keys);
    T(every_cut_is_told_hidden);
    T(every_cut_is_told_psk);
    T(every_cut_is_told_custom);
    T(a_record_that_is_dropped_replayed_or_swapped_is_noticed);
    T(records_out_of_place_around_a_renewal_are_noticed);
    T(a_successor_of_an_unused_key_is_refused);
    T(our_own_bytes_back_are_noticed);
    T(bytes_of_another_session_are_noticed);
    T(a_message_spliced_from_two_is_noticed);
    T(a_second_m2_is_no_record);
    T(small_order_shares_are_refused);
    T(lengths_are_checked_as_soon_as_they_are_there);
    T(types_that_do_not_exist_are_refused);
    return TEST_EXIT();
}
