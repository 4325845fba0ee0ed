/* SPDX-License-Identifier: ISC */
/*
 * A hostile relay and the packets of one conversation: it flips, drops, duplicates, swaps, holds back, cuts, injects
 * and reflects each packet of each direction, for each way in which the two may know each other. After each attack:
 * nothing was delivered but a prefix of what was said, the failure is told with the right reason, the link saw the one
 * error packet, and the relay has seen neither plaintext nor who it is. Attacks with more than one session, and with
 * keys of the relay's own, are in test_hostile_mitm.c.
 */
#include "hostile.h"

/* ---- the conversation --------------------------------------------------------------------------- */

/* The key id of each packet; 0: M1, M2 */
static const unsigned key_ids[2][S2C_PACKETS] = {{0, 1, 1, 1, 2, 2, 3, 3, 3}, {0, 1, 1, 1, 1, 2, 2, 3, 3, 3}};

static unsigned key_of(int from, unsigned k) { return key_ids[is_server(from)][k]; }

/* Section 14.1: the last record under a key, but not the only one, may be lost without notice. */
static int is_in_the_gap(int from, unsigned k) {
    return k > 1 && k + 1 < packets_of(from) && key_of(from, k) == key_of(from, k - 1) &&
           key_of(from, k) != key_of(from, k + 1);
}

static int is_last(int from, unsigned k) { return k + 1 == packets_of(from); }

enum { CONTROL_PACKET = 17, DATA_PACKET = 2 + 2 * PATTERN_LEN + 1 + 2 + 12 };

static void the_script_has_every_kind_of_packet(void) {
    for (int i = 0; i < MODES; i++) {
        STANDS("%s", modes[i].name);
        for (int from = CLIENT_A; from <= SERVER_A; from++) {
            unsigned data = 0, control = 0;
            first_pair(&modes[i], 0);
            for (unsigned k = 0; k < packets_of(from); k++) {
                CHECK(run_to(from, k));
                const uint8_t *p = w.ends[from].out.b + w.ends[from].carried;
                if (k == 0) continue;
                CHECK((get16(p) & 0x7fff) == key_of(from, k));
                data += pending(from) == DATA_PACKET && !(p[0] & 0x80);
                control += pending(from) == CONTROL_PACKET && (p[0] & 0x80);
            }
            run();
            CHECK(w.ends[from].packets == packets_of(from) && w.ends[from].carried == w.ends[from].out.n);
            CHECK(data == 6 && control == (is_server(from) ? 3u : 2u));
        }
        cut_all(); /* after both CLOSEs it harms nobody */
        CHECK(all_is_well(CLIENT_A, SERVER_A));
    }
}

/* ---- every attack on every packet --------------------------------------------------------------- */

/* How a message of the handshake that was damaged is told */
#define BAD_PEER (R(SVCONN_E_PROOF) | R(SVCONN_E_UNKNOWN))
#define WAITS (R(SVCONN_E_TRUNCATED) | R(SVCONN_E_TIMEOUT)) /* for bytes that never come */
#define BAD_LENGTH (R(SVCONN_E_FORMAT) | R(SVCONN_E_LIMIT) | WAITS)

/* ---- flips -------------------------------------------------------------------------------------- */

static size_t wid_length(const mode *m) {
    size_t n;
    (void)svconn_identity_bytes(&w.ends[SERVER_A].me, &n);
    return m->hidden ? 0 : n;
}

static uint64_t reasons_in_m1(const mode *m, size_t i) {
    uint64_t wrong = m->hidden ? R(SVCONN_E_UNKNOWN) : R(SVCONN_E_PROOF);
    size_t wid = wid_length(m);
    if (i == 0) return R(SVCONN_E_VERSION) | R(SVCONN_E_ABORTED);
    if (i < 33) return wrong;
    if (i < 35) return BAD_LENGTH | R(SVCONN_E_TYPE) | wrong;
    if (wid > 0 && i == 35) return R(SVCONN_E_TYPE) | R(SVCONN_E_FORMAT);
    if (i < 35 + wid) return m->server_type == SVCONN_TYPE_ED25519 ? wrong | R(SVCONN_E_KEY) : wrong;
    if (i < 37 + wid) return BAD_LENGTH;
    return wrong;
}

static uint64_t reasons_for_a_flip(const mode *m, int from, unsigned k, size_t i) {
    if (k == 0 && is_server(from)) return reasons_in_m1(m, i);
    if (k == 0) return i == 32 || i == 33 ? BAD_LENGTH | R(SVCONN_E_SEAL) : R(SVCONN_E_SEAL);
    if (i == 0) return R(SVCONN_E_KEY_ID) | R(SVCONN_E_TAG); /* the control bit is under the tag */
    if (i == 1) return R(SVCONN_E_KEY_ID) | R(SVCONN_E_TAG) | R(SVCONN_E_ABORTED);
    if (i < 4) return R(SVCONN_E_TAG) | R(SVCONN_E_LIMIT) | (k == 1 ? WAITS : R(SVCONN_E_TRUNCATED));
    return R(SVCONN_E_TAG);
}

/* Version, lengths, type, key id: here all 8 bits are tried. */
static int is_header(const mode *m, int from, unsigned k, size_t i) {
    size_t wid = wid_length(m);
    if (k > 0) return i < 4;
    if (!is_server(from)) return i == 32 || i == 33;
    return i == 0 || (i >= 33 && i < 36) || (i >= 35 + wid && i < 37 + wid);
}

static void flip(const mode *m, int from, unsigned k) {
    uint8_t b[TAPE];
    size_t n = pending(from);
    for (size_t i = 0; i < 8 * n; i++) {
        size_t byte = i / 8, bit = i % 8;
        if (bit != byte % 8 && !is_header(m, from, k, byte)) continue;
        w = saved;
        (void)take(from, b);
        b[byte] ^= (uint8_t)(1u << bit);
        give(w.ends[from].to, b, n);
        finish();
        expect_noticed(w.ends[from].to, reasons_for_a_flip(m, from, k, byte));
    }
}
static void a_flipped_bit_in_every_byte_is_noticed(void) { on_every_packet("flip", 0, flip); }

/* ---- drops, duplicates, swaps ------------------------------------------------------------------- */

/* When the link ends, or when nothing but time comes */
static uint64_t reasons_for_a_drop(int from, unsigned k, int then_time) {
    if (k == 0 && is_server(from)) return R(SVCONN_E_TIMEOUT);
    if (k == 0) return BAD_LENGTH | R(SVCONN_E_SEAL); /* the early record comes in place of M2 */
    if (is_last(from, k)) return then_time ? R(SVCONN_E_SILENT) : R(SVCONN_E_TRUNCATED);
    return R(SVCONN_E_TAG); /* the next record has the wrong counter */
}

static void drop(const mode *m, int from, unsigned k) {
    uint8_t b[TAPE];
    (void)m;
    if (is_in_the_gap(from, k)) return; /* gap_14_1, below */
    for (int then_time = 0; then_time < 2; then_time++) {
        w = saved;
        (void)take(from, b);
        if (then_time) wait_long();
        else finish();
        expect_noticed(w.ends[from].to, reasons_for_a_drop(from, k, then_time));
    }
}
static void a_dropped_packet_is_noticed(void) { on_every_packet("drop", 0, drop); }

static void duplicate(const mode *m, int from, unsigned k) {
    uint8_t b[TAPE];
    (void)m;
    int to = w.ends[from].to;
    size_t n = take(from, b);
    give(to, b, n);
    give(to, b, n);
    finish();
    if (is_server(from) && is_last(from, k)) { /* both have closed: nobody reads it, and nothing is missing */
        if (!all_is_well(CLIENT_A, SERVER_A)) report("the second last CLOSE does harm");
    } else if (k == 0) { /* read as a record, whose key id is a part of Y or X */
        expect_noticed(to, R(SVCONN_E_KEY_ID) | R(SVCONN_E_ABORTED) | R(SVCONN_E_TAG));
    } else {
        expect_noticed(to, is_last(from, k) ? R(SVCONN_E_AFTER_CLOSE) : R(SVCONN_E_TAG));
    }
}
static void a_duplicated_packet_is_noticed(void) { on_every_packet("duplicate", 0, duplicate); }

/* Packets k and k + 1 in the other order */
static int swap(int from, unsigned k) {
    uint8_t first[TAPE], second[TAPE];
    int to = w.ends[from].to;
    size_t n = take(from, first);
    if (!run_to(from, k + 1)) return 0;
    size_t next = take(from, second);
    give(to, second, next);
    give(to, first, n);
    finish();
    return 1;
}

static void swap_neighbours(const mode *m, int from, unsigned k) {
    (void)m;
    if (is_last(from, k)) return;
    if (k == 0 && is_server(from)) return; /* a SERVER waits for M2: M1 has no neighbour as long as it is held back */
    int moves = is_in_the_gap(from, k);
    if (moves && pending(from) == DATA_PACKET) return; /* gap_14_1, below */
    if (!swap(from, k)) report("no neighbour");
    if (k == 0) expect_noticed(w.ends[from].to, BAD_LENGTH | R(SVCONN_E_SEAL));
    else expect_noticed(w.ends[from].to, moves ? R(SVCONN_E_KEY_ID) : R(SVCONN_E_TAG)); /* the old key is gone */
}
static void swapped_neighbours_are_noticed(void) { on_every_packet("swap", 0, swap_neighbours); }

/*
 * The known gap (spec/protocol.md 14.1): the last record under a key, if it was not the only one, can be dropped, or
 * held back until the next key is in use. A keep-alive is no loss. A message is: it is missing, both ends tell an
 * orderly end, and the judge sees what the parties do not. With the repair of 14.1 these become R(SVCONN_E_TAG) at the
 * receiver.
 */
static unsigned lost;

static void drop_in_the_gap(const mode *m, int from, unsigned k) {
    uint8_t b[TAPE];
    (void)m;
    if (!is_in_the_gap(from, k)) return;
    int carries_data = take(from, b) == DATA_PACKET, to = w.ends[from].to;
    finish();
    CHECK(state_of(from) == SVCONN_CLOSED && state_of(to) == SVCONN_CLOSED && w.ends[to].saw_end);
    CHECK(all_is_well(CLIENT_A, SERVER_A) == !carries_data);
    size_t missing = w.ends[from].said.n - w.ends[to].heard.n;
    CHECK(missing == (carries_data ? 2u + 2 * PATTERN_LEN + 1 : 0));
    lost += carries_data > 0;
    if (!carries_data) return;
    w = saved; /* held back: the message of the new key is delivered in its place; then it is noticed */
    CHECK(swap(from, k) && what_is_wrong() != NULL && failed_with(to, R(SVCONN_E_KEY_ID)));
}

static void gap_14_1_the_last_record_under_a_key_is_lost_without_notice(void) {
    lost = 0;
    on_every_packet("gap", 0, drop_in_the_gap);
    CHECK(lost == 2 * MODES);
}

/* ---- cuts and stalls ---------------------------------------------------------------------------- */

static void cut_at_each_byte(const mode *m, int from, unsigned k) {
    uint8_t b[TAPE];
    (void)m;
    int to = w.ends[from].to;
    for (size_t i = 0, n = pending(from); i < n; i++) {
        w = saved;
        (void)take(from, b);
        give(to, b, i);
        cut_all();
        int nothing_came = i == 0 && k == 0;
        expect_noticed(to, nothing_came ? R(SVCONN_E_ABSENT) : R(SVCONN_E_TRUNCATED));
    }
}
static void a_cut_at_every_byte_is_noticed(void) { on_every_packet("cut", 0, cut_at_each_byte); }

static int is_connected_before(int from, unsigned k) { return k > (is_server(from) ? 1u : 0u); }

/* Nothing of this direction arrives any more, or nothing of either; time passes. */
static void stall(const mode *m, int from, unsigned k) {
    (void)m;
    int to = w.ends[from].to;
    uint64_t began = w.now, limit = 20000 + TICK_MS;
    uint64_t want = R(SVCONN_E_TIMEOUT);
    if (is_connected_before(from, k)) {
        want = R(SVCONN_E_SILENT);
        limit += 60000;
    }
    for (int both = 0; both < 2; both++) {
        w = saved;
        w.ends[from].stalled = 1;
        w.ends[to].stalled = both;
        run();
        wait_long();
        expect_noticed(to, want);
        if (w.ends[to].failed_at - began > limit) report("noticed too late");
    }
}
static void a_stalled_direction_is_noticed(void) { on_every_packet("stall", 0, stall); }

/* ---- bytes of the middle's own ------------------------------------------------------------------ */

static uint64_t reasons_for_zeros_inside(int from, unsigned k) {
    if (k > 0) return R(SVCONN_E_TAG) | R(SVCONN_E_ABORTED);
    if (!is_server(from)) return BAD_LENGTH | R(SVCONN_E_SEAL);
    return BAD_LENGTH | BAD_PEER | R(SVCONN_E_TYPE) | R(SVCONN_E_KEY);
}

/* 16 zero bytes, the error packet, before the packet and inside */
static void inject_zeros(const mode *m, int from, unsigned k) {
    static const uint8_t zeros[ERROR_BYTES];
    uint8_t b[TAPE];
    (void)m;
    int to = w.ends[from].to;
    for (size_t i = 0, n = pending(from); i < n; i++) {
        w = saved;
        (void)take(from, b);
        give(to, b, i);
        give(to, zeros, sizeof zeros);
        give(to, b + i, n - i);
        finish();
        expect_noticed(to, i == 0 ? R(SVCONN_E_ABORTED) : reasons_for_zeros_inside(from, k));
    }
}
static void a_forged_error_packet_ends_it_and_does_no_more(void) { on_every_packet("zeros", 0, inject_zeros); }

static uint64_t reasons_for_junk(int from, unsigned k, uint8_t first) {
    if (k > 0)
        return R(SVCONN_E_KEY_ID) | R(SVCONN_E_TAG) | R(SVCONN_E_LIMIT) | R(SVCONN_E_ABORTED) | R(SVCONN_E_TRUNCATED);
    if (!is_server(from)) return BAD_LENGTH | R(SVCONN_E_SEAL);
    if (first == 0) return R(SVCONN_E_ABORTED);
    if (first == 1) return BAD_LENGTH | BAD_PEER | R(SVCONN_E_TYPE);
    return R(SVCONN_E_VERSION);
}

static void junk(const mode *m, int from, unsigned k) {
    uint8_t good[TAPE], b[300];
    (void)m;
    for (unsigned i = 0; i<256; i += k> 0 ? 15 : 1) {
        w = saved;
        (void)take(from, good);
        fill(b, sizeof b, 7000 + i);
        b[0] = (uint8_t)i;
        give(w.ends[from].to, b, sizeof b);
        finish();
        expect_noticed(w.ends[from].to, reasons_for_junk(from, k, b[0]));
    }
}
static void junk_in_place_of_any_packet_is_noticed(void) { on_every_packet("junk", 0, junk); }

/* What an end sends comes back to it. */
static void reflect(const mode *m, int from, unsigned k) {
    (void)m;
    int has_closed = state_of(from) == SVCONN_CLOSED;
    w.ends[from].to = from;
    finish();
    if (has_closed) { /* it takes nothing any more; its mate waits for CLOSE */
        expect_noticed(w.ends[from].mate, R(SVCONN_E_TRUNCATED));
        return;
    }
    uint64_t as_record = R(SVCONN_E_KEY_ID) | R(SVCONN_E_TAG) | R(SVCONN_E_LIMIT);
    expect_noticed(from, k == 0 && is_server(from) ? BAD_LENGTH | R(SVCONN_E_SEAL) : as_record);
}
static void an_ends_own_bytes_back_are_noticed(void) { on_every_packet("reflect", 0, reflect); }

/* Nobody reads it, and nothing is missing: the one place where the middle may send what it likes. */
static void bytes_behind_both_closes_do_no_harm(void) {
    static const uint8_t zeros[ERROR_BYTES];
    for (int i = 0; i < MODES; i++) {
        uint8_t b[300];
        STANDS("%s", modes[i].name);
        first_pair(&modes[i], 0);
        run();
        fill(b, sizeof b, 7000);
        for (int to = CLIENT_A; to <= SERVER_A; to++) {
            give(to, zeros, sizeof zeros);
            give(to, b, sizeof b);
            give(to, w.ends[CLIENT_A].out.b, w.ends[CLIENT_A].out.n);
            give(to, w.ends[SERVER_A].out.b, w.ends[SERVER_A].out.n);
        }
        wait_long();
        cut_all();
        CHECK(all_is_well(CLIENT_A, SERVER_A));
    }
}

/* ---- what the relay saw ------------------------------------------------------------------------- */

/* A run of n equal bytes at two places behind the first packets; the records of several sessions are in one tape. */
static int repeats(const tape *t, size_t n) {
    for (size_t i = 0; i + n <= t->n; i++)
        for (size_t k = i + 1; k + n <= t->n; k++)
            if (t->b[i] == t->b[k] && memcmp(t->b + i, t->b + k, n) == 0) return 1;
    return 0;
}

/* The records that an end sent, without M1 or M2 and without their headers */
static void add_ciphertexts(tape *all, const end *e, int from_server) {
    size_t at = 0, n;
    for (unsigned k = 0; (n = packet_length(from_server, k, e->out.b + at, e->out.n - at)) > 0; k++, at += n)
        if (k > 0) record_on(all, e->out.b + at + 4, n - 4);
}

static tape ciphertexts;

static void a_relay_sees_neither_plaintext_nor_who_it_is(void) {
    for (int i = 0; i < MODES; i++) {
        STANDS("%s", modes[i].name);
        first_pair(&modes[i], 0);
        finish();
        CHECK(all_is_well(CLIENT_A, SERVER_A));
        CHECK(leak_in(&w.ends[CLIENT_A].out) == NULL && leak_in(&w.ends[SERVER_A].out) == NULL);
        /* the name or key of a server that does not hide is there: the search can find it */
        CHECK(shows_identity(&w.ends[SERVER_A].out, &w.ends[SERVER_A].me) == !modes[i].hidden);
        CHECK(!shows_identity(&w.ends[CLIENT_A].out, &w.ends[SERVER_A].me));
    }
}

static void equal_plaintexts_never_look_equal(void) {
    for (int i = 0; i < MODES; i++) {
        STANDS("%s", modes[i].name);
        ciphertexts.n = 0;
        for (unsigned session = 0; session < 2; session++) { /* the same words in both */
            first_pair(&modes[i], session);
            finish();
            CHECK(all_is_well(CLIENT_A, SERVER_A));
            add_ciphertexts(&ciphertexts, &w.ends[CLIENT_A], 0);
            add_ciphertexts(&ciphertexts, &w.ends[SERVER_A], 1);
        }
        CHECK(ciphertexts.n == 2 * (12 * (DATA_PACKET - 4) + 5 * (CONTROL_PACKET - 4)));
        CHECK(!repeats(&ciphertexts, 8));
    }
}

/* ---- the checks themselves ---------------------------------------------------------------------- */

/* Does the judge see it? Its lines are not printed, its verdicts do not count. */
static int is_seen(void (*check)(void)) {
    int before = test_bad;
    test_bad = 10;
    check();
    int seen = test_bad > 10;
    test_bad = before;
    return seen;
}

static void a_good_run(int i) {
    first_pair(&modes[i], 0);
    finish();
    CHECK(all_is_well(CLIENT_A, SERVER_A));
}

static int says(const char *what) {
    const char *text = what_is_wrong();
    return text && strcmp(text, what) == 0;
}

/* Each kind of leak, planted in what a relay saw */
static void a_planted_leak_is_found(void) {
    for (int what = 0; what < 8; what++) {
        a_good_run(HIDDEN_KEY);
        end *c = &w.ends[CLIENT_A], *s = &w.ends[SERVER_A];
        size_t n;
        const uint8_t *client = svconn_identity_bytes(&c->me, &n) + 1, *server = svconn_identity_bytes(&s->me, &n) + 1;
        const struct {
            const void *bytes;
            size_t n;
            const char *text;
        } planted[] = {{PATTERN, PATTERN_LEN, "the relay saw plaintext"},
                       {TOKEN, 8, "the relay saw a token"},
                       {OWN_CONTEXT, strlen(OWN_CONTEXT), "the relay saw the context"},
                       {client, 32, "the relay saw who the client is"},
                       {server, 32, "the relay saw who the hidden server is"},
                       {c->psk, 32, "the relay saw a psk"},
                       {s->secret, 32, "the relay saw a private key"},
                       {s->seed, 32, "the relay saw a seed"}};
        uint8_t *record = s->out.b + 117 + 17 + 4; /* behind M1, M3 and a header: the first data */
        memcpy(record, planted[what].bytes, planted[what].n);
        CHECK(says(planted[what].text));
        memset(record, 1, planted[what].n - 1); /* all but its last byte is gone */
        CHECK(what_is_wrong() == NULL);
    }
    a_good_run(HIDDEN_KEY);
    memcpy(w.ends[CLIENT_A].out.b + w.ends[CLIENT_A].out.n - PATTERN_LEN, PATTERN, PATTERN_LEN); /* at the very end */
    CHECK(leak_in(&w.ends[CLIENT_A].out) != NULL);
}

static void planted_repetitions_are_found(void) {
    tape t;
    fill(t.b, sizeof t.b, 3);
    t.n = 500;
    CHECK(!repeats(&t, 8));
    memcpy(t.b + 492, t.b + 100, 8);
    CHECK(repeats(&t, 8) && !repeats(&t, 9));
}

static void planted_wrongs_are_found(void) {
    end *c = &w.ends[CLIENT_A], *s = &w.ends[SERVER_A];
    a_good_run(OPEN_KEYS);
    s->heard.b[s->heard.n - 1] ^= 1;
    CHECK(says("a message was delivered that was not sent, or not in its place"));
    a_good_run(OPEN_KEYS);
    record_message(&c->heard, (const uint8_t *)PATTERN, PATTERN_LEN); /* one more than was said */
    CHECK(says("a message was delivered that was not sent, or not in its place"));
    a_good_run(OPEN_KEYS);
    s->heard.n -= 2 + 2 * PATTERN_LEN + 1;
    CHECK(says("an orderly end was told, and data is missing") && !all_is_well(CLIENT_A, SERVER_A));
    s->saw_end = 0;
    CHECK(what_is_wrong() == NULL && !all_is_well(CLIENT_A, SERVER_A));

    first_pair(&modes[OPEN_KEYS], 0);
    (void)run_to(CLIENT_A, 3);
    svconn_abort(&s->s);
    attend(SERVER_A);
    CHECK(what_is_wrong() == NULL);
    s->out.b[s->out.n - 1] = SVCONN_E_CANCELLED; /* an error packet that tells why */
    CHECK(says("not the one error packet"));
    s->out.b[s->out.n - 1] = 0;
    record_on(&s->out, s->out.b + s->out.n - ERROR_BYTES, ERROR_BYTES); /* two of them */
    CHECK(says("not the one error packet"));
    s->out.n -= 2 * ERROR_BYTES; /* none */
    CHECK(says("not the one error packet"));
}

static void check_a_flip_that_did_not_happen(void) {
    first_pair(&modes[PSK], 0);
    finish();
    expect_noticed(SERVER_A, ~UINT64_C(0));
}
static void check_the_wrong_reason(void) {
    first_pair(&modes[PSK], 0);
    (void)run_to(SERVER_A, 3);
    cut_all();
    expect_noticed(CLIENT_A, R(SVCONN_E_TAG));
}
static void check_the_right_reason(void) {
    first_pair(&modes[PSK], 0);
    (void)run_to(SERVER_A, 3);
    cut_all();
    expect_noticed(CLIENT_A, R(SVCONN_E_TRUNCATED));
}
static void check_an_end_that_does_not_know(void) {
    first_pair(&modes[PSK], 0);
    (void)run_to(SERVER_A, 3);
    cut(CLIENT_A);
    expect_noticed(CLIENT_A, R(SVCONN_E_TRUNCATED));
}

static void the_checks_can_fail(void) {
    CHECK(is_seen(check_a_flip_that_did_not_happen));
    CHECK(is_seen(check_the_wrong_reason));
    CHECK(is_seen(check_an_end_that_does_not_know));
    CHECK(!is_seen(check_the_right_reason));
}

#define T(f) TEST(#f, f)

int main(void) {
    T(the_script_has_every_kind_of_packet);
    T(a_planted_leak_is_found);
    T(planted_repetitions_are_found);
    T(planted_wrongs_are_found);
    T(the_checks_can_fail);
    T(a_flipped_bit_in_every_byte_is_noticed);
    T(a_dropped_packet_is_noticed);
    T(a_duplicated_packet_is_noticed);
    T(swapped_neighbours_are_noticed);
    T(gap_14_1_the_last_record_under_a_key_is_lost_without_notice);
    T(a_cut_at_every_byte_is_noticed);
    T(a_stalled_direction_is_noticed);
    T(a_forged_error_packet_ends_it_and_does_no_more);
    T(junk_in_place_of_any_packet_is_noticed);
    T(an_ends_own_bytes_back_are_noticed);
    T(bytes_behind_both_closes_do_no_harm);
    T(a_relay_sees_neither_plaintext_nor_who_it_is);
    T(equal_plaintexts_never_look_equal);
    return TEST_EXIT();
}
