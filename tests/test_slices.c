/* SPDX-License-Identifier: ISC */
/*
 * A handshake in slices: what can happen between two of them. (That bytes and results are those of a handshake at once:
 * test_sliced_*.c, test_curve.c.)
 */
#include "pair.h"
#include "slices.h"

static int is_zero(const void *b, size_t n) {
    const uint8_t *p = b;
    for (size_t i = 0; i < n; i++)
        if (p[i]) return 0;
    return 1;
}

static svconn_workspace work[2];

static svconn_err begin_sliced(party *p) {
    uint8_t seed[32];
    make_seed(seed, p);
    svconn_workspace *w = &work[p == &server];
    memset(w, 0x5a, sizeof *w);
    return svconn_init_sliced(p->s, w, &p->config, seed, p->rx, p->rx_size, p->tx, p->tx_size);
}

/* One slice of each party that is working, bytes and answers of both, and so on. Returns the slices of both together, up to `most`. */
static unsigned turn(unsigned most, uint32_t units) {
    unsigned slices = 0;
    for (unsigned idle = 0; idle < 2 && slices < most; idle++) {
        for (int i = 0; i < 2 && slices < most; i++) {
            party *p = i ? &client : &server;
            if (state_of(p) != SVCONN_WORKING) continue;
            CHECK(svconn_work(at(p), units) == SVCONN_OK);
            slices++;
            idle = 0;
        }
        if (carry(&server, EVERYTHING) + carry(&client, EVERYTHING)) idle = 0;
    }
    return slices;
}

static void begin_two(uint8_t server_type, uint8_t client_type) {
    prepare(server_type, client_type);
    CHECK(begin_sliced(&server) == SVCONN_OK && begin_sliced(&client) == SVCONN_OK);
}

static const uint8_t kinds[][2] = {{SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519}, {SVCONN_TYPE_PSK, SVCONN_TYPE_PSK},
                                   {SVCONN_TYPE_PSK, SVCONN_TYPE_ED25519},     {SVCONN_TYPE_ED25519, SVCONN_TYPE_PSK},
                                   {0x80, SVCONN_TYPE_ED25519},                {SVCONN_TYPE_ED25519, 0x81}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Two parties in one loop, as in a firmware; the work spaces are free as soon as both are connected. */
static void both_in_slices_connect(void) {
    for (int i = 0; i < KINDS; i++)
        for (int hidden = 0; hidden < 2; hidden++) {
            prepare(kinds[i][0], kinds[i][1]);
            if (hidden && kinds[i][0] != SVCONN_TYPE_ED25519) continue;
            server.config.hidden = (uint8_t)hidden;
            client.wanders = server.wanders = 1;
            CHECK(begin_sliced(&server) == SVCONN_OK && begin_sliced(&client) == SVCONN_OK);
            CHECK(queued(&server) == 0 && state_of(&server) == SVCONN_WORKING && state_of(&client) == SVCONN_WORKING);
            unsigned slices = turn(100000, 1);
            CHECK(slices > 200 && slices < 5000);
            CHECK(both_connected() && pair_works());
            CHECK(is_zero(work, sizeof work));
        }
}

/* The work space comes as it is; wrong calls change nothing. */
static void caller_faults(void) {
    uint8_t seed[32];
    svconn_workspace before;
    static party was;
    prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    make_seed(seed, &client);
    CHECK(svconn_init_sliced(client.s, NULL, &client.config, seed, client.rx, 256, client.tx, 256) == SVCONN_E_ARGUMENT);
    memset(&work[0], 0x77, sizeof work[0]);
    before = work[0];
    CHECK(svconn_init_sliced(client.s, &work[0], &client.config, seed, client.rx, 255, client.tx, 256) == SVCONN_E_SIZE);
    CHECK(memcmp(&before, &work[0], sizeof before) == 0);
    CHECK(begin_sliced(&client) == SVCONN_OK);
    CHECK(svconn_work(client.s, 1) == SVCONN_OK);
    was = client;
    before = work[0];
    CHECK(svconn_work(client.s, 0) == SVCONN_E_ARGUMENT);
    CHECK(same_party(&was, &client) && memcmp(&before, &work[0], sizeof before) == 0);
}

/* Whatever ends it between two slices erases the work space and has the same reason as without slices. */
static void ends_between_any_two_slices(void) {
    static const uint8_t zeros[ERROR_PACKET];
    enum { ABORT, ERROR_CAME, END, LATE, WIPE, HOWS };
    for (int side = 0; side < 2; side++)
        for (int how = 0; how < HOWS; how++)
            for (unsigned n = 1;; n += 1 + n / 4) {
                party *p = side ? &server : &client;
                size_t used;
                begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
                CHECK(svconn_tick(p->s, now, NULL) == SVCONN_OK);
                (void)turn(n, 3);
                if (both_connected()) break;
                if (state_of(p) != SVCONN_WORKING) continue;
                int heard_before = p->s->flags & FLAG_HEARD;
                size_t out = queued(p);
                if (how == ABORT) {
                    svconn_abort(p->s);
                    CHECK(is_failed(p, SVCONN_E_CANCELLED) && queued(p) == out + ERROR_PACKET);
                } else if (how == ERROR_CAME) {
                    CHECK(svconn_wire_in(p->s, zeros, sizeof zeros, &used, now) == SVCONN_E_ABORTED);
                    CHECK(is_failed(p, SVCONN_E_ABORTED) && queued(p) == out);
                } else if (how == END) {
                    svconn_err want = heard_before ? SVCONN_E_TRUNCATED : SVCONN_E_ABSENT;
                    CHECK(svconn_wire_eof(p->s) == want && is_failed(p, want));
                } else if (how == LATE) {
                    uint64_t next;
                    CHECK(svconn_tick(p->s, now + 9999, &next) == SVCONN_OK && next == now + 10000);
                    CHECK(svconn_tick(p->s, next, &next) == SVCONN_E_TIMEOUT && next == UINT64_MAX);
                } else {
                    svconn_wipe(p->s);
                    CHECK(is_zero(p->s, sizeof *p->s));
                }
                CHECK(svconn_work(p->s, 1) == SVCONN_E_STATE);
                CHECK(is_zero(&work[side], sizeof work[side]));
            }
}

/* M1 comes before the CLIENT has its own key, M2 byte by byte, and records behind it while the SERVER computes. */
static void what_comes_meanwhile_waits(void) {
    begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    client.config.early = SVCONN_EARLY_ALWAYS;
    work_to_the_end(&server);
    CHECK(carry(&server, EVERYTHING) > 100 && state_of(&client) == SVCONN_WORKING);
    while (state_of(&client) != SVCONN_CONFIRMING) {
        work_to_the_end(&client);
        answer(&client);
    }
    CHECK(say(&client, 1) == SVCONN_OK && say(&client, 2) == SVCONN_OK);
    CHECK(carry(&client, 1) > 280 && state_of(&server) == SVCONN_WORKING);
    turn(100000, 50);
    collect(&server);
    CHECK(both_connected() && heard(&server, 1, 2));
}

/* The link ends while the CLIENT still computes: what the SERVER had said before is not lost, and the reason is the right one. */
static void the_link_ends_behind_what_waits(void) {
    static const uint8_t zeros[ERROR_PACKET], http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    size_t used;
    begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    work_to_the_end(&server);
    work_to_the_end(&client);
    carry(&server, EVERYTHING);
    while (queued(&client) == 0) {
        if (state_of(&client) == SVCONN_WORKING) CHECK(svconn_work(client.s, 1) == SVCONN_OK);
        answer(&client);
    }
    CHECK(state_of(&client) == SVCONN_WORKING); /* M2 is there before the keys are */
    carry(&client, EVERYTHING);
    while (state_of(&server) != SVCONN_CONNECTED) {
        work_to_the_end(&server);
        answer(&server);
    }
    CHECK(say(&server, 1) == SVCONN_OK && svconn_close(server.s, now) == SVCONN_OK);
    carry(&server, EVERYTHING);
    CHECK(state_of(&client) == SVCONN_WORKING && svconn_wire_eof(client.s) == SVCONN_OK);
    work_to_the_end(&client);
    collect(&client);
    CHECK(state_of(&client) == SVCONN_CONNECTED && heard(&client, 1, 1) && client.ended);

    begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519); /* no SVC */
    CHECK(svconn_wire_in(client.s, http, sizeof http - 1, &used, now) == SVCONN_OK && svconn_wire_eof(client.s) == SVCONN_OK);
    while (state_of(&client) == SVCONN_WORKING) (void)!svconn_work(client.s, 1);
    CHECK(is_failed(&client, SVCONN_E_VERSION));

    begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519); /* M1, then the error packet, before the first slice */
    work_to_the_end(&server);
    carry(&server, EVERYTHING);
    CHECK(svconn_wire_in(client.s, zeros, sizeof zeros, &used, now) == SVCONN_OK && svconn_wire_eof(client.s) == SVCONN_OK);
    client.holds = 1;
    while (state_of(&client) == SVCONN_WORKING) (void)!svconn_work(client.s, 1);
    CHECK(is_failed(&client, SVCONN_E_ABORTED));

    begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519); /* M1, and nothing more */
    work_to_the_end(&server);
    carry(&server, EVERYTHING);
    CHECK(svconn_wire_eof(client.s) == SVCONN_OK);
    while (state_of(&client) == SVCONN_WORKING) (void)!svconn_work(client.s, 1);
    CHECK(is_failed(&client, SVCONN_E_TRUNCATED) && is_zero(&work[0], sizeof work[0]));
}

/* A proof that is wrong is found in the last of its slices, and not before. */
static void a_wrong_proof(void) {
    begin_two(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    work_to_the_end(&server);
    work_to_the_end(&client);
    server.s->tx[server.s->tx_tail - 40] ^= 1; /* in R */
    (void)carry(&server, EVERYTHING);
    svconn_err err = SVCONN_OK;
    unsigned slices = 0;
    while (!err) {
        CHECK(state_of(&client) == SVCONN_WORKING);
        err = svconn_work(client.s, 1);
        slices++;
    }
    CHECK(err == SVCONN_E_PROOF && is_failed(&client, SVCONN_E_PROOF) && slices > 100);
    CHECK(is_zero(&work[0], sizeof work[0]));
}

/* A party in slices and one without: nothing on the link tells. */
static void the_peer_sees_no_difference(void) {
    tape server_out, client_out;
    connect_pair(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    server_out = server.out;
    client_out = client.out;
    for (int side = 0; side < 2; side++) {
        prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
        party *p = side ? &server : &client;
        CHECK(begin_sliced(p) == SVCONN_OK);
        begin(other(p));
        turn(100000, 5);
        CHECK(both_connected());
        CHECK(same_tape(&server.out, &server_out) && same_tape(&client.out, &client_out));
    }
}

int main(void) {
    TEST("both_in_slices_connect", both_in_slices_connect);
    TEST("caller_faults", caller_faults);
    TEST("ends_between_any_two_slices", ends_between_any_two_slices);
    TEST("what_comes_meanwhile_waits", what_comes_meanwhile_waits);
    TEST("the_link_ends_behind_what_waits", the_link_ends_behind_what_waits);
    TEST("a_wrong_proof", a_wrong_proof);
    TEST("the_peer_sees_no_difference", the_peer_sees_no_difference);
    return TEST_EXIT();
}
