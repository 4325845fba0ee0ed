/* SPDX-License-Identifier: ISC */
/*
 * A hostile relay with more than one session, or with keys of its own: it joins the wrong ends, splices two sessions
 * together, replays an old one, and plays each party to the other. The logical connection is end to end: what the
 * parties know of each other decides, and that is one of four things: a key that is known before (pinned), a first
 * contact where a person compares fingerprints, the authenticator digits read over the telephone, or a psk. What one
 * relay can do to the packets of one session is in test_hostile.c.
 */
#include "hostile.h"

/* ---- two sessions at once ----------------------------------------------------------------------- */

typedef enum { SAME_PARTIES, OTHER_PARTIES } parties;

static void both_pairs(const mode *m, parties who, const char *token_b) {
    first_pair(m, 0);
    w.joined_b = 1;
    if (who == SAME_PARTIES) {
        make_end(CLIENT_B, m, ALICE, PSK_OF_ALICE_AND_BOB, BOB);
        make_end(SERVER_B, m, BOB, PSK_OF_ALICE_AND_BOB, ALICE);
    } else {
        make_end(CLIENT_B, m, CAROL, PSK_OF_CAROL_AND_DAVE, DAVE);
        make_end(SERVER_B, m, DAVE, PSK_OF_CAROL_AND_DAVE, CAROL);
    }
    use_token(CLIENT_B, token_b);
    use_token(SERVER_B, token_b);
    begin(CLIENT_B, 0);
    begin(SERVER_B, 0);
    attend_all();
}

static void two_honest_pairs_do_not_disturb_each_other(void) {
    for (int i = 0; i < MODES; i++) {
        both_pairs(&modes[i], OTHER_PARTIES, OTHER_TOKEN);
        run();
        CHECK(all_is_well(CLIENT_A, SERVER_A) && all_is_well(CLIENT_B, SERVER_B));
    }
}

/* Where the middle begins to carry the bytes of one session to the ends of the other: before this packet */
static const struct {
    const char *name;
    int from; /* of the pair */
    unsigned packet;
} places[] = {{"before M1", SERVER_A, 0}, {"after M1", CLIENT_A, 0},        {"after M2", SERVER_A, 1},
              {"after M3", SERVER_A, 2},  {"within the data", CLIENT_A, 4}, {"before CLOSE", CLIENT_A, 8}};
enum { PLACES = sizeof places / sizeof *places, BEFORE_M1 = 0, AFTER_M1 = 1 };

/* Brings both sessions to that place, one after the other. */
static void bring_both_to(int place) {
    int from = places[place].from;
    CHECK(run_to(from, places[place].packet));
    w.ends[CLIENT_A].stalled = w.ends[SERVER_A].stalled = 1;
    CHECK(run_to(from + 2, places[place].packet));
    w.ends[CLIENT_A].stalled = w.ends[SERVER_A].stalled = 0;
}

typedef enum { BOTH_WAYS, TO_SERVERS, TO_CLIENTS, WAYS } crossing;

static void cross(crossing how) {
    for (int i = 0; i < ENDS; i++)
        if (how == BOTH_WAYS || (how == TO_SERVERS) == !is_server(i)) w.ends[i].to = (i ^ 1) ^ 2;
}

/* How a client tells that M1 comes from another one than it expects */
static uint64_t not_my_server(const mode *m) {
    if (m->hidden) return R(SVCONN_E_UNKNOWN);
    return m->server_type == SVCONN_TYPE_PSK ? R(SVCONN_E_PROOF) : R(SVCONN_E_REFUSED);
}

typedef struct {
    parties who;
    int other_token; /* the two sessions have different ones */
    int place;
    crossing how;
} splicing;

/* What the end i may say of itself: it sees the crossing, or it is told by the one that does. */
static uint64_t reasons_for_a_splice(const mode *m, const splicing *x, int i) {
    if (x->place > AFTER_M1) return HEARSAY | R(SVCONN_E_TAG) | R(SVCONN_E_KEY_ID);
    if (is_server(i)) return HEARSAY | R(SVCONN_E_SEAL); /* M2 was made for another M1 */
    if (x->place == AFTER_M1) return HEARSAY | R(SVCONN_E_TAG);
    if (x->how == TO_SERVERS) return HEARSAY; /* M1 came from whom it should */
    return HEARSAY | (x->who == OTHER_PARTIES ? not_my_server(m) : 0) | (x->other_token ? R(SVCONN_E_PROOF) : 0);
}

static void splice(const mode *m, const splicing *x) {
    int seen = 0;
    STANDS("splice %s, %s, %s parties, %s token, crossing %d", places[x->place].name, m->name,
           x->who == SAME_PARTIES ? "same" : "other", x->other_token ? "other" : "same", (int)x->how);
    both_pairs(m, x->who, x->other_token ? OTHER_TOKEN : TOKEN);
    bring_both_to(x->place);
    cross(x->how);
    finish();
    const char *text = what_is_wrong();
    if (text) report(text);
    for (int i = 0; i < ENDS; i++) {
        if (state_of(i) == SVCONN_CLOSED) continue; /* it got all, the judge has looked, and its peer knows better */
        if (!failed_with(i, reasons_for_a_splice(m, x, i))) report("not noticed, or not for the right reason");
        seen += failed_with(i, ~HEARSAY);
    }
    if (!seen) report("nobody saw it by himself");
    for (int i = 0; i < ENDS; i += 2)
        if (state_of(i) == SVCONN_CLOSED && state_of(i + 1) == SVCONN_CLOSED) report("a session ended well");
}

/* The one crossing that changes nothing: the same two parties with the same token, from the first byte on. It makes two
 * good sessions; which link of Alice meets which link of Bob was the relay's to choose all along. (A token serves once:
 * two sessions with one token are not what applications make.) */
static void the_same_parties_joined_crosswise_from_the_start_are_just_joined(void) {
    for (int i = 0; i < MODES; i++) {
        both_pairs(&modes[i], SAME_PARTIES, TOKEN);
        cross(BOTH_WAYS);
        for (int k = 0; k < ENDS; k++) w.ends[k].mate = w.ends[k].to;
        run();
        CHECK(all_is_well(CLIENT_A, SERVER_B) && all_is_well(CLIENT_B, SERVER_A));
    }
}

static void two_sessions_spliced_together_are_noticed(void) {
    for (int i = 0; i < MODES; i++)
        for (int k = 0; k < 2 * 2 * PLACES * WAYS; k++) {
            splicing x = {(parties)(k % 2), k / 2 % 2, k / 4 % PLACES, (crossing)(k / 4 / PLACES)};
            int harmless = x.who == SAME_PARTIES && !x.other_token && x.place == BEFORE_M1 && x.how == BOTH_WAYS;
            if (!harmless) splice(&modes[i], &x); /* that one: above */
        }
}

/* A relay which joins the wrong two: the right parties, but not the link that they meant. The context holds the token
 * at both ends, so the client sees it at once, before it sends anything. */
static void the_wrong_token_is_noticed_by_the_client_before_it_speaks(void) {
    for (int i = 0; i < MODES; i++) {
        STANDS("wrong token, %s", modes[i].name);
        first_pair(&modes[i], 0);
        use_token(SERVER_A, OTHER_TOKEN);
        w.ends[SERVER_A].out.n = 0;
        begin(SERVER_A, 0);
        attend_all();
        run();
        expect_noticed(CLIENT_A, R(SVCONN_E_PROOF)); /* hidden too: p opens, the signature does not fit */
        CHECK(failed_with(SERVER_A, R(SVCONN_E_ABORTED)));
        CHECK(w.ends[CLIENT_A].out.n == ERROR_BYTES && w.ends[CLIENT_A].said.n == 0);
    }
}

/* Each takes the other's M1 for M2, whose length is then the last byte of Y and a zero: not a length, too long for the
 * buffer, or not there in time. */
static void two_listeners_joined_are_told(void) {
    uint64_t as_m2 = R(SVCONN_E_FORMAT) | R(SVCONN_E_LIMIT) | R(SVCONN_E_SEAL) | R(SVCONN_E_TIMEOUT);
    for (int i = 0; i < MODES; i++) {
        both_pairs(&modes[i], OTHER_PARTIES, TOKEN);
        w.ends[SERVER_A].to = SERVER_B;
        w.ends[SERVER_B].to = SERVER_A;
        w.ends[CLIENT_A].to = w.ends[CLIENT_B].to = NOWHERE;
        wait_long();
        CHECK(failed_with(SERVER_A, as_m2 | R(SVCONN_E_ABORTED)) && failed_with(SERVER_B, as_m2 | R(SVCONN_E_ABORTED)));
        CHECK(failed_with(SERVER_A, as_m2) || failed_with(SERVER_B, as_m2));
        CHECK(what_is_wrong() == NULL);
    }
}

static void two_callers_joined_are_told(void) {
    for (int then_time = 0; then_time < 2; then_time++) {
        both_pairs(&modes[OPEN_KEYS], OTHER_PARTIES, TOKEN);
        w.ends[CLIENT_A].to = CLIENT_B;
        w.ends[CLIENT_B].to = CLIENT_A;
        w.ends[SERVER_A].to = w.ends[SERVER_B].to = NOWHERE;
        if (then_time) wait_long();
        else cut_all();
        uint64_t want = then_time ? R(SVCONN_E_TIMEOUT) : R(SVCONN_E_ABSENT);
        CHECK(failed_with(CLIENT_A, want) && failed_with(CLIENT_B, want) && what_is_wrong() == NULL);
    }
}

/* ---- an old session ----------------------------------------------------------------------------- */

static tape old[2]; /* what the client sent, what the server sent */

static void record_an_old_session(const mode *m) {
    first_pair(m, 0);
    run();
    CHECK(all_is_well(CLIENT_A, SERVER_A));
    old[0] = w.ends[CLIENT_A].out;
    old[1] = w.ends[SERVER_A].out;
}

static const uint8_t *old_packet(int from, unsigned k, size_t *n) {
    const tape *t = &old[is_server(from)];
    size_t at = 0;
    for (unsigned i = 0; i <= k; i++, at += *n) *n = packet_length(is_server(from), i, t->b + at, t->n - at);
    CHECK(*n > 0 && at <= t->n);
    return t->b + at - *n;
}

/* All of the old session to one party, while the other one is not there */
static void an_old_session_to_either_party_is_noticed(void) {
    for (int i = 0; i < MODES; i++) {
        STANDS("replay, %s", modes[i].name);
        record_an_old_session(&modes[i]);
        first_pair(&modes[i], 1);
        give(CLIENT_A, old[1].b, old[1].n); /* it answers M1, as section 10 says; M3 is then the wrong one */
        cut_all();
        expect_noticed(CLIENT_A, R(SVCONN_E_TAG));
        CHECK(w.ends[CLIENT_A].heard.n == 0);
        first_pair(&modes[i], 1);
        give(SERVER_A, old[0].b, old[0].n);
        cut_all();
        expect_noticed(SERVER_A, R(SVCONN_E_SEAL));
        CHECK(w.ends[SERVER_A].heard.n == 0);
    }
}

/* An old packet in place of the new one with the same number, or before it */
static void old_packet_instead(const mode *m, int from, unsigned k) {
    record_an_old_session(m);
    for (int before = 0; before < 2; before++) {
        uint8_t b[TAPE];
        size_t n;
        const uint8_t *p = old_packet(from, k, &n);
        if (before && k == 0) continue; /* the new one then comes as a record: the same as a duplicate */
        w = saved;
        CHECK(n == pending(from));
        if (!before) (void)take(from, b);
        give(w.ends[from].to, p, n);
        finish();
        if (k > 0) expect_noticed(w.ends[from].to, R(SVCONN_E_TAG));
        else expect_noticed(SERVER_A, R(SVCONN_E_SEAL)); /* an old M1 is found out by M2 */
    }
}
static void an_old_packet_in_a_new_session_is_noticed(void) { on_every_packet("old packet", 1, old_packet_instead); }

/* The first bytes of a packet from one session, the rest from the other, joined at each byte. (Where the two are equal,
 * in version, lengths, names and key ids, this makes a whole one.) */
static void mix(const mode *m, int from, unsigned k) {
    uint64_t want = is_server(from) ? R(SVCONN_E_PROOF) | R(SVCONN_E_UNKNOWN) : R(SVCONN_E_SEAL);
    uint8_t fresh[TAPE], b[TAPE];
    size_t n;
    record_an_old_session(m);
    const uint8_t *p = old_packet(from, k, &n);
    for (size_t i = 2; i < 2 * n; i++) {
        size_t joint = i / 2;
        w = saved;
        CHECK(take(from, fresh) == n);
        memcpy(b, i % 2 ? p : fresh, joint);
        memcpy(b + joint, (i % 2 ? fresh : p) + joint, n - joint);
        if (memcmp(b, fresh, n) == 0 || memcmp(b, p, n) == 0) continue;
        give(w.ends[from].to, b, n);
        finish();
        expect_noticed(w.ends[from].to, k == 0 ? want : R(SVCONN_E_TAG));
    }
}
static void a_packet_made_of_two_is_noticed(void) { on_every_packet("mix", 1, mix); }

static void an_old_m1_of_another_token_is_noticed(void) {
    for (int i = 0; i < MODES; i++) {
        size_t n;
        STANDS("old M1, %s", modes[i].name);
        record_an_old_session(&modes[i]);
        first_pair(&modes[i], 1);
        use_token(CLIENT_A, OTHER_TOKEN);
        begin(CLIENT_A, 1);
        const uint8_t *m1 = old_packet(SERVER_A, 0, &n);
        give(CLIENT_A, m1, n);
        CHECK(failed_with(CLIENT_A, R(SVCONN_E_PROOF)) && what_is_wrong() == NULL);
    }
}

/* ---- keys of the middle's own ------------------------------------------------------------------- */

/* The middle has sessions with both: SERVER_B faces the client, CLIENT_B the server. Its keys are its own; where a psk
 * is asked for it takes the name of whom it plays, and a psk of its own because it does not know theirs. It knows the
 * key of the hidden server, as a friend may. shows_itself: it plays a hidden server with an open key, which a client
 * takes as well. */
static void mallory_between(const mode *m, trust at_client, trust at_server, int shows_itself) {
    first_pair(m, 0);
    w.joined_b = w.relays = 1;
    make_end(CLIENT_B, m, m->client_type == SVCONN_TYPE_PSK ? ALICE : MALLORYS_OTHER_KEY, PSK_OF_MALLORY, BOB);
    make_end(SERVER_B, m, m->server_type == SVCONN_TYPE_PSK ? BOB : MALLORY, PSK_OF_MALLORY, ALICE);
    w.ends[SERVER_B].config.hidden = m->hidden && !shows_itself;
    for (int i = 0; i < ENDS; i++) {
        w.ends[i].to = ENDS - 1 - i; /* Alice to the false Bob, Bob to the false Alice, and back */
        w.ends[i].trusts = i >= CLIENT_B ? ANYBODY : is_server(i) ? at_server : at_client;
        w.ends[i].mate = i >= CLIENT_B ? ENDS - 1 - i : i ^ 1;
    }
    w.ends[CLIENT_A].config.early = SVCONN_EARLY_NEVER; /* so that it can hand on all that is said */
    w.ends[CLIENT_B].config.early = SVCONN_EARLY_NEVER;
    begin(CLIENT_B, 0);
    begin(SERVER_B, 0);
    attend_all();
}

static int nothing_was_said_or_heard(int i) { return w.ends[i].heard.n == 0 && w.ends[i].said.n == 0; }

/* How the real server sees the false client */
static uint64_t not_my_client(const mode *m) {
    if (m->server_type == SVCONN_TYPE_PSK) return R(SVCONN_E_ABORTED); /* it could not even read M1 as a client does */
    return m->client_type == SVCONN_TYPE_PSK ? R(SVCONN_E_PROOF) : R(SVCONN_E_REFUSED);
}

static void the_middles_own_key_is_noticed_by_who_knows_whom_he_expects(void) {
    for (int i = 0; i < 2 * MODES; i++) {
        const mode *m = &modes[i / 2];
        int open = i % 2;
        mallory_between(m, ONLY_WHOM_I_EXPECT, ONLY_WHOM_I_EXPECT, open);
        finish();
        CHECK(failed_with(CLIENT_A, open && m->hidden ? R(SVCONN_E_REFUSED) : not_my_server(m)));
        CHECK(failed_with(SERVER_A, not_my_client(m)));
        CHECK(nothing_was_said_or_heard(CLIENT_A) && nothing_was_said_or_heard(SERVER_A));
        CHECK(w.ends[CLIENT_A].out.n == ERROR_BYTES); /* it did not even say who it is */
        CHECK(what_is_wrong() == NULL);
    }
}

/* One careful party is enough: nothing gets through to the careless one's true mate. */
static void one_party_that_knows_the_key_is_enough(void) {
    for (int careful = CLIENT_A; careful <= SERVER_A; careful++) {
        trust at_client = careful == CLIENT_A ? ONLY_WHOM_I_EXPECT : ANYBODY;
        mallory_between(&modes[OPEN_KEYS], at_client, careful == CLIENT_A ? ANYBODY : ONLY_WHOM_I_EXPECT, 0);
        finish();
        CHECK(failed_with(careful, R(SVCONN_E_REFUSED)) && nothing_was_said_or_heard(careful));
        CHECK(w.ends[careful ^ 1].heard.n == 0 && what_is_wrong() == NULL);
    }
}

/* The psk of a pairing link: nobody was known before, every name is welcome, and the middle takes the right ones. A
 * client that meets a psk at the server sees it before it speaks; a server that meets one at the client, before access.
 * (Of a server with a key a client that welcomes anybody knows nothing: that is what the psk at the server is for.) */
static void a_psk_keeps_the_middle_out_where_every_name_is_welcome(void) {
    for (int i = 0; i < MODES; i++) {
        const mode *m = &modes[i];
        int at_server = m->server_type == SVCONN_TYPE_PSK;
        if (!at_server && m->client_type != SVCONN_TYPE_PSK) continue;
        mallory_between(m, ANYBODY, ANYBODY, 1);
        finish();
        CHECK(state_of(SERVER_A) == SVCONN_FAILED && nothing_was_said_or_heard(SERVER_A));
        if (at_server) CHECK(failed_with(CLIENT_A, R(SVCONN_E_PROOF)) && nothing_was_said_or_heard(CLIENT_A));
        else CHECK(failed_with(SERVER_A, R(SVCONN_E_PROOF)));
        CHECK(what_is_wrong() == NULL);
    }
}

/* ---- nobody knows a key: the digits ------------------------------------------------------------- */

static const char *digits_of(int i, char out[24]) {
    CHECK(svconn_authenticator(&w.ends[i].s, out) == SVCONN_OK);
    return out;
}

/* The person at the accessed side has the other one on the telephone: who reads out other digits is refused. */
static int digits_are_confirmed(void) {
    char a[24], b[24];
    if (strcmp(digits_of(CLIENT_A, a), digits_of(SERVER_A, b)) == 0) {
        w.ends[SERVER_A].waits = 0;
        attend(SERVER_A);
        return 1;
    }
    svconn_abort(&w.ends[SERVER_A].s);
    attend(SERVER_A);
    return 0;
}

static void until_both_are_connected(void) {
    carry_all();
    CHECK(state_of(CLIENT_A) == SVCONN_CONNECTED && state_of(SERVER_A) == SVCONN_CONNECTED);
}

static void honest_digits_are_equal_and_give_access(void) {
    for (int i = 0; i < MODES; i++) {
        first_pair(&modes[i], 0);
        w.ends[CLIENT_A].trusts = w.ends[SERVER_A].trusts = ANYBODY;
        w.ends[SERVER_A].waits = 1;
        until_both_are_connected();
        CHECK(w.ends[CLIENT_A].said.n > 0 && w.ends[SERVER_A].heard.n == 0); /* it came, and nobody touched it */
        CHECK(digits_are_confirmed());
        CHECK(w.ends[SERVER_A].heard.n == w.ends[CLIENT_A].said.n);
        run();
        CHECK(all_is_well(CLIENT_A, SERVER_A));
    }
}

static void the_digits_betray_the_middle_where_everybody_is_welcome(void) {
    for (int i = 0; i < MODES; i++) {
        char alice[24], bob[24], false_bob[24], false_alice[24];
        if (modes[i].server_type == SVCONN_TYPE_PSK || modes[i].client_type == SVCONN_TYPE_PSK)
            continue; /* the middle fails before: it has not the psk */
        mallory_between(&modes[i], ANYBODY, ANYBODY, 1);
        w.ends[SERVER_A].waits = 1;
        until_both_are_connected();
        CHECK(strcmp(digits_of(CLIENT_A, alice), digits_of(SERVER_A, bob)) != 0);
        CHECK(strcmp(alice, digits_of(SERVER_B, false_bob)) == 0);
        CHECK(strcmp(bob, digits_of(CLIENT_B, false_alice)) == 0);
        speak(CLIENT_A, 2); /* she wants in, before anybody has compared */
        attend(CLIENT_A);
        carry_all();
        CHECK(w.ends[SERVER_B].heard.n > 0); /* the middle reads it: whoever does not compare is lost */
        CHECK(!digits_are_confirmed());
        finish();
        CHECK(failed_with(SERVER_A, R(SVCONN_E_CANCELLED)) && failed_with(CLIENT_B, R(SVCONN_E_ABORTED)));
        CHECK(w.ends[SERVER_A].heard.n == 0 && w.ends[SERVER_A].said.n == 0 && what_is_wrong() == NULL);
    }
}

/* ---- first contact that asks -------------------------------------------------------------------- */

static void a_first_contact_shows_the_fingerprint_of_who_is_there(void) {
    char mallory[36], truth[36];
    size_t n;
    for (int asker = CLIENT_A; asker <= SERVER_A; asker++) {
        trust at_client = asker == CLIENT_A ? A_PERSON_COMPARES : ANYBODY;
        trust at_server = asker == SERVER_A ? A_PERSON_COMPARES : ANYBODY;
        STANDS("first contact at %s", asker == CLIENT_A ? "the client" : "the server");
        mallory_between(&modes[OPEN_KEYS], at_client, at_server, 0);
        finish();
        const uint8_t *id = svconn_identity_bytes(&w.ends[ENDS - 1 - asker].me, &n);
        svconn_fingerprint(mallory, id, n);
        CHECK(strcmp(w.ends[asker].shown, mallory) == 0); /* so a person who compares refuses */
        CHECK(failed_with(asker, R(SVCONN_E_REFUSED)) && nothing_was_said_or_heard(asker));
        CHECK(what_is_wrong() == NULL);

        first_pair(&modes[OPEN_KEYS], 0);
        w.ends[CLIENT_A].trusts = at_client;
        w.ends[SERVER_A].trusts = at_server;
        run();
        id = svconn_identity_bytes(&w.ends[asker].expected, &n);
        svconn_fingerprint(truth, id, n);
        CHECK(strcmp(w.ends[asker].shown, truth) == 0 && strcmp(truth, mallory) != 0);
        CHECK(all_is_well(CLIENT_A, SERVER_A));
    }
}

/* ---- the checks themselves ---------------------------------------------------------------------- */

/* Both ends accept anybody, nobody compares digits: the middle hears all, and both think that all is well. The checks
 * above would see it: no end failed, and the middle has heard. */
static void a_pair_that_accepts_anybody_is_seen(void) {
    mallory_between(&modes[OPEN_KEYS], ANYBODY, ANYBODY, 0);
    carry_all();
    speak(CLIENT_A, 2);
    speak(SERVER_A, 2);
    attend_all();
    carry_all();
    CHECK(w.ends[SERVER_A].heard.n == w.ends[CLIENT_A].said.n && w.ends[SERVER_A].heard.n > 0);
    CHECK(w.ends[CLIENT_A].heard.n == w.ends[SERVER_A].said.n && w.ends[CLIENT_A].heard.n > 0);
    CHECK(contains(&w.ends[SERVER_B].heard, PATTERN, PATTERN_LEN)); /* the plaintext, in the middle's hands */
    CHECK(!failed_with(CLIENT_A, ~UINT64_C(0)) && !failed_with(SERVER_A, ~UINT64_C(0)));
    CHECK(!nothing_was_said_or_heard(CLIENT_A) && !nothing_was_said_or_heard(SERVER_A));
    char a[24], b[24];
    CHECK(strcmp(digits_of(CLIENT_A, a), digits_of(SERVER_A, b)) != 0); /* only these would tell */
}

#define T(f) TEST(#f, f)

int main(void) {
    T(a_pair_that_accepts_anybody_is_seen);
    T(two_honest_pairs_do_not_disturb_each_other);
    T(the_same_parties_joined_crosswise_from_the_start_are_just_joined);
    T(two_sessions_spliced_together_are_noticed);
    T(the_wrong_token_is_noticed_by_the_client_before_it_speaks);
    T(two_listeners_joined_are_told);
    T(two_callers_joined_are_told);
    T(an_old_session_to_either_party_is_noticed);
    T(an_old_packet_in_a_new_session_is_noticed);
    T(a_packet_made_of_two_is_noticed);
    T(an_old_m1_of_another_token_is_noticed);
    T(the_middles_own_key_is_noticed_by_who_knows_whom_he_expects);
    T(one_party_that_knows_the_key_is_enough);
    T(a_psk_keeps_the_middle_out_where_every_name_is_welcome);
    T(honest_digits_are_equal_and_give_access);
    T(the_digits_betray_the_middle_where_everybody_is_welcome);
    T(a_first_contact_shows_the_fingerprint_of_who_is_there);
    return TEST_EXIT();
}
