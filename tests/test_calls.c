/* SPDX-License-Identifier: ISC */
/*
 * The calls themselves: what svconn_init takes, wrong arguments, full buffers, records in place, a struct that moves,
 * and a fault in place of any one call of a whole conversation. Caller faults leave everything as it was, to the byte.
 */
#include "pair.h"

/* ---- svconn_init -------------------------------------------------------------------------------- */

static uint8_t seed_left[32];

/* svconn_init with the configuration of p as it is now */
static svconn_err try_init(party *p, size_t rx_size, size_t tx_size) {
    make_seed(seed_left, p);
    return svconn_init(p->s, &p->config, seed_left, p->rx, rx_size, p->tx, tx_size);
}

/* It is refused for that reason, and nothing is touched. */
static int refused(party *p, svconn_err why) {
    static party before;
    uint8_t seed[32];
    memset(p->s, 0x77, sizeof *p->s);
    memset(p->rx, 0x78, sizeof p->rx);
    memset(p->tx, 0x79, sizeof p->tx);
    before = *p;
    make_seed(seed, p);
    svconn_err err = try_init(p, PAIR_BUFFER, PAIR_BUFFER);
    return err == why && same_party(p, &before) && memcmp(seed, seed_left, 32) == 0;
}

static void init_refuses_every_bad_field_of_the_config(void) {
    static uint8_t context[256];
#define TRY(role_, type, change, ok)                                                                                   \
    do {                                                                                                               \
        prepare(type, type);                                                                                           \
        party *p = (role_) == SVCONN_SERVER ? &server : &client;                                                       \
        svconn_config *c = &p->config;                                                                                 \
        CHECK(try_init(p, PAIR_BUFFER, PAIR_BUFFER) == SVCONN_OK); /* the control */                                   \
        (void)c;                                                                                                       \
        change;                                                                                                        \
        CHECK((ok) ? try_init(p, PAIR_BUFFER, PAIR_BUFFER) == SVCONN_OK : refused(p, SVCONN_E_ARGUMENT));              \
    } while (0)
#define BAD(role_, type, change) TRY(role_, type, change, 0)
#define GOOD(role_, type, change) TRY(role_, type, change, 1)
    for (int i = 0; i < 2; i++) {
        svconn_role r = i ? SVCONN_SERVER : SVCONN_CLIENT;
        BAD(r, 1, c->role = (svconn_role)0);
        BAD(r, 1, c->role = (svconn_role)3);
        BAD(r, 1, c->identity = NULL);
        BAD(r, 1, memset(&p->me, 0, sizeof p->me));
        BAD(r, 1, p->me.built_in[0] = 3);
        BAD(r, 1, p->me.id_len = 32);
        BAD(r, 1, memset(p->me.secret, 0, 32));
        BAD(r, 2, memset(p->me.secret, 0, 32));
        BAD(r, 2, p->me.id_len = 66);
        BAD(r, 2, p->me.id_len = 0);
        BAD(r, 0x80, p->custom[0] = 0x7f);
        BAD(r, 1, c->context_len = 1);
        BAD(r, 1, (c->context = context, c->context_len = 256));
        GOOD(r, 1, (c->context = context, c->context_len = 255));
        GOOD(r, 1, c->context = context);
        BAD(r, 1, c->peer_types = 8);
        BAD(r, 1, c->peer_types = 0x80000001);
        GOOD(r, 1, c->peer_types = 7);
        BAD(r, 1, c->early = 3);
        BAD(r, 1, c->early = 255);
        GOOD(r, 1, c->early = 2);
        BAD(r, 1, c->renew_records = (1u << 20) + 1);
        GOOD(r, 1, c->renew_records = 1u << 20);
        BAD(r, 1, c->renew_bytes = (1u << 30) + 1);
        GOOD(r, 1, c->renew_bytes = 1u << 30);
        BAD(r, 1, c->renew_ms = 120001);
        GOOD(r, 1, c->renew_ms = 120000);
        BAD(r, 1, (c->known_servers = NULL, c->known_servers_count = 1));
        GOOD(r, 1, (c->known_servers = NULL, c->known_servers_count = 0));
    }
    BAD(SVCONN_CLIENT, 1, c->hidden = 1);
    BAD(SVCONN_SERVER, 1, c->hidden = 2);
    BAD(SVCONN_SERVER, 2, c->hidden = 1);
    BAD(SVCONN_SERVER, 0x80, c->hidden = 1);
    GOOD(SVCONN_SERVER, 1, c->hidden = 1);
#undef TRY
#undef BAD
#undef GOOD
}

static void init_refuses_null_and_small_buffers(void) {
    uint8_t seed[32], copy[32];
    prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    party *p = &client;
    make_seed(seed, p);
    memcpy(copy, seed, 32);
    CHECK(svconn_init(NULL, &p->config, seed, p->rx, 256, p->tx, 256) == SVCONN_E_ARGUMENT);
    CHECK(svconn_init(p->s, NULL, seed, p->rx, 256, p->tx, 256) == SVCONN_E_ARGUMENT);
    CHECK(svconn_init(p->s, &p->config, NULL, p->rx, 256, p->tx, 256) == SVCONN_E_ARGUMENT);
    CHECK(svconn_init(p->s, &p->config, seed, NULL, 256, p->tx, 256) == SVCONN_E_ARGUMENT);
    CHECK(svconn_init(p->s, &p->config, seed, p->rx, 256, NULL, 256) == SVCONN_E_ARGUMENT);
    CHECK(svconn_init(p->s, &p->config, seed, p->rx, 255, p->tx, 256) == SVCONN_E_SIZE);
    CHECK(svconn_init(p->s, &p->config, seed, p->rx, 256, p->tx, 255) == SVCONN_E_SIZE);
    CHECK_BYTES(seed, copy, 32);
    CHECK(svconn_init(p->s, &p->config, seed, p->rx, 256, p->tx, 256) == SVCONN_OK);
    CHECK(svconn_init(p->s, &p->config, seed, p->rx, 256, p->tx, 256) == SVCONN_E_SEED); /* it was used up */
    CHECK(state_of(p) == SVCONN_HANDSHAKE);
}

/* The first message and the reserve must fit into tx. */
static void init_wants_room_for_the_first_message(void) {
    static uint8_t id[1000] = {0x80};
    static const struct {
        size_t id_len, want; /* 0: our Ed25519 key */
        uint16_t pad_to;
        svconn_role role;
    } cases[] = {{0, 34 + 1000 + 16 + 33, 1000, SVCONN_CLIENT},
                 {0, 34 + 256 + 16 + 33, 256, SVCONN_CLIENT},
                 {600, 34 + 4 + 600 + 16 + 33, 0, SVCONN_CLIENT},
                 {1000, 37 + 1000 + 33, 0, SVCONN_SERVER},
                 {187, 37 + 187 + 33, 0, SVCONN_SERVER}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
        party *p = cases[i].role == SVCONN_CLIENT ? &client : &server;
        p->config.pad_to = cases[i].pad_to;
        if (cases[i].id_len) CHECK(svconn_identity_custom(&p->me, id, cases[i].id_len) == SVCONN_OK);
        CHECK(try_init(p, PAIR_BUFFER, cases[i].want - 1) == SVCONN_E_SIZE);
        CHECK(try_init(p, PAIR_BUFFER, cases[i].want) == SVCONN_OK);
    }
    static uint8_t big[40000];
    prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    client.config.pad_to = 16384 - 16; /* E at its limit */
    make_seed(seed_left, &client);
    CHECK(svconn_init(client.s, &client.config, seed_left, client.rx, 256, big, sizeof big) == SVCONN_OK);
    client.config.pad_to = 16384 - 15; /* above it, in any buffer */
    make_seed(seed_left, &client);
    CHECK(svconn_init(client.s, &client.config, seed_left, client.rx, 256, big, sizeof big) == SVCONN_E_SIZE);
}

static void identities_refuse_bad_arguments(void) {
    svconn_identity id, copy;
    uint8_t psk[32], zero[32] = {0}, name[65] = {0}, custom[3] = {0x80, 1, 2};
    static uint8_t long_one[16385] = {0xff};
    fill(psk, 32, 1);
    memset(&id, 0x33, sizeof id);
    memcpy(&copy, &id, sizeof id);
    CHECK(svconn_identity_psk(NULL, psk, name, 1) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_psk(&id, NULL, name, 1) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_psk(&id, zero, name, 1) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_psk(&id, psk, NULL, 1) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_psk(&id, psk, name, 65) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_custom(NULL, custom, 3) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_custom(&id, NULL, 3) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_custom(&id, custom, 0) == SVCONN_E_ARGUMENT);
    CHECK(svconn_identity_custom(&id, long_one, 16385) == SVCONN_E_SIZE);
    for (unsigned type = 0; type < 0x80; type++) {
        custom[0] = (uint8_t)type;
        CHECK(svconn_identity_custom(&id, custom, 3) == SVCONN_E_ARGUMENT);
    }
    CHECK(memcmp(&id, &copy, sizeof id) == 0);
    CHECK(svconn_identity_psk(&id, psk, NULL, 0) == SVCONN_OK && svconn_identity_psk(&id, psk, name, 64) == SVCONN_OK);
    CHECK(svconn_identity_custom(&id, long_one, 16384) == SVCONN_OK &&
          svconn_identity_custom(&id, long_one, 1) == SVCONN_OK);
    size_t n;
    CHECK(svconn_identity_bytes(&id, &n) == long_one && n == 1);
}

/* ---- caller faults ------------------------------------------------------------------------------ */

static int is_fault(svconn_err err) { return err >= SVCONN_E_ARGUMENT && err <= SVCONN_E_SEED; }

/* All sorts of wrong calls. Each is refused, whatever the state: SVCONN_E_ARGUMENT and the like, or the failure that
 * was. */
static void wrong_calls(party *p) {
    uint8_t out[32], text[SVCONN_PROOF_MESSAGE_MAX], *msg;
    static uint8_t big[SVCONN_MESSAGE_MAX + 17];
    static char long_label[65537];
    const uint8_t *proof;
    size_t n, m;
    svconn *s = p->s;
    svconn_state x = state_of(p);
    int failed = x == SVCONN_FAILED;
#define WRONG(call)                                                                                                    \
    do {                                                                                                               \
        svconn_err err_ = (call);                                                                                      \
        if (!is_fault(err_) && !(failed && err_ == error_of(p)))                                                       \
            printf("  %s: %s\n", #call, svconn_reason_name(err_));                                                     \
        CHECK(is_fault(err_) || (failed && err_ == error_of(p)));                                                      \
    } while (0)
    WRONG(svconn_wire_in(s, NULL, 1, &n, now));
    CHECK(n == 0);
    WRONG(svconn_wire_filled(s, PAIR_BUFFER + 1, now));
    WRONG(svconn_wire_filled(s, SIZE_MAX, now));
    WRONG(svconn_wire_sent(s, queued(p) + 1));
    WRONG(svconn_wire_sent(s, SIZE_MAX));
    WRONG(svconn_send(s, NULL, 1, now));
    WRONG(svconn_send(s, big, SVCONN_MESSAGE_MAX + 1, now));
    WRONG(svconn_send(s, big, SIZE_MAX, now));
    WRONG(svconn_send(s, big, SIZE_MAX - 40, now));
    WRONG(svconn_send(s, big, PAIR_BUFFER - 16 - 33 + 1, now));
    WRONG(svconn_seal(s, NULL, 0, now));
    WRONG(svconn_seal(s, big, SVCONN_MESSAGE_MAX + 1, now));
    WRONG(svconn_seal(s, big, SIZE_MAX, now));
    WRONG(svconn_open(s, NULL, 16, &msg, &n, now));
    WRONG(svconn_open(s, out, 16, NULL, &n, now));
    WRONG(svconn_open(s, out, 16, &msg, NULL, now));
    WRONG(svconn_export(s, NULL, NULL, 0, out, 32));
    WRONG(svconn_export(s, "x", NULL, 1, out, 32));
    WRONG(svconn_export(s, "x", NULL, 0, NULL, 32));
    WRONG(svconn_export(s, "x", NULL, 0, out, 0));
    WRONG(svconn_export(s, "x", NULL, 0, out, 8161));
    WRONG(svconn_export(s, "x", NULL, 0, out, SIZE_MAX));
    WRONG(svconn_export(s, "x", big, 65536, out, 32));
    WRONG(svconn_export(s, "authenticator", NULL, 0, out, 16));
    WRONG(svconn_export(s, "authenticator", big, 3, out, 16));
    memset(long_label, 'a', 65536);
    WRONG(svconn_export(s, long_label, NULL, 0, out, 32));
    WRONG(svconn_give_psk(s, NULL));
    memset(out, 0, 32);
    WRONG(svconn_give_psk(s, out));
    WRONG(svconn_prove(s, NULL, 1));
    WRONG(svconn_prove(s, big, 60000));
    WRONG(svconn_accept_known(s, NULL, 1));
    if (x != SVCONN_NEEDS_VERDICT) {
        WRONG(svconn_accept(s));
        WRONG(svconn_accept_known(s, NULL, 0));
        WRONG(svconn_peer_proof(s, &proof, &n, text, &m));
        if (x != SVCONN_NEEDS_PSK) WRONG(svconn_refuse(s));
    }
    if (x != SVCONN_NEEDS_PSK) WRONG(svconn_give_psk(s, p->peer_psk));
    if (x != SVCONN_NEEDS_PROOF) {
        WRONG(svconn_prove(s, big, 32));
        WRONG(svconn_proof_message(s, text, &n));
    }
    if (x != SVCONN_CONNECTED) {
        WRONG(svconn_export(s, "x", NULL, 0, out, 32));
        WRONG(svconn_authenticator(s, long_label));
        WRONG(svconn_recv_done(s));
        WRONG(svconn_open(s, big, 16, &msg, &n, now));
        if (x != SVCONN_CONFIRMING) {
            WRONG(svconn_send(s, "x", 1, now));
            WRONG(svconn_seal(s, big, 1, now));
            WRONG(svconn_renew(s));
        }
        if (x != SVCONN_CLOSED) WRONG(svconn_close(s, now));
    }
#undef WRONG
}

static void wrong_calls_change_nothing_in_any_situation(void) {
    static party before;
    for (situation x = IN_NONE; x < SITUATIONS; x++) {
        party *p = bring_to(x);
        before = *p;
        wrong_calls(p);
        if (!same_party(p, &before)) printf("  changed in: %s\n", situation_name(x));
        CHECK(same_party(p, &before));
    }
}

/* Questions about a session change nothing, either. */
static void looking_changes_nothing_in_any_situation(void) {
    static party before;
    for (situation x = IN_NONE; x < SITUATIONS; x++) {
        party *p = bring_to(x);
        char digits[24];
        uint8_t text[SVCONN_PROOF_MESSAGE_MAX], out[32];
        const uint8_t *b;
        size_t n, m;
        unsigned i, k;
        before = *p;
        (void)svconn_status(p->s);
        (void)svconn_error(p->s);
        b = svconn_peer(p->s, &n);
        CHECK((b == NULL) == (n == 0));
        (void)svconn_wire_out(p->s, &n);
        (void)!svconn_proof_message(p->s, text, &n);
        (void)!svconn_peer_proof(p->s, &b, &n, text, &m);
        (void)!svconn_export(p->s, "x", NULL, 0, out, 32);
        (void)!svconn_authenticator(p->s, digits);
        svconn_key_ids(p->s, &i, &k);
        (void)!svconn_recv(p->s, &b, &n);
        CHECK(same_party(p, &before));
    }
}

static void export_gives_up_to_8160_bytes(void) {
    static uint8_t a[8160], b[8160];
    static char label[65536];
    static uint8_t ctx[65535];
    (void)bring_to(IN_CONNECTED);
    memset(label, 'x', 65535);
    CHECK(svconn_export(client.s, label, ctx, 65535, a, 32) == SVCONN_OK);
    CHECK(svconn_export(server.s, label, ctx, 65535, b, 32) == SVCONN_OK);
    CHECK_BYTES(a, b, 32);
    CHECK(svconn_export(server.s, label, ctx, 65534, b, 32) == SVCONN_OK && memcmp(a, b, 32) != 0);
    CHECK(svconn_export(client.s, "label", ctx, 1, a, 8160) == SVCONN_OK);
    CHECK(svconn_export(server.s, "label", ctx, 1, b, 8160) == SVCONN_OK);
    CHECK(memcmp(a, b, 8160) == 0 && memcmp(a, a + 4080, 4080) != 0);
    CHECK(svconn_export(client.s, "authenticator2", NULL, 0, a, 1) == SVCONN_OK);
    CHECK(svconn_export(client.s, "authenticatoR", NULL, 0, a, 1) == SVCONN_OK);
}

/* ---- full buffers ------------------------------------------------------------------------------- */

/* The CLIENT's tx, full to the last message that fits: `left` bytes and the reserve are free */
static void fill_tx(size_t left) {
    static uint8_t m[PAIR_BUFFER];
    size_t room = PAIR_BUFFER - SVCONN_BUFFER_RESERVE - left;
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    forget_tapes();
    CHECK(svconn_send(client.s, m, 1000 - 16, now) == SVCONN_OK);
    CHECK(svconn_send(client.s, m, room - 1000 - 16, now) == SVCONN_OK);
    CHECK(queued(&client) == room);
}

static void a_full_send_buffer_gives_again_and_changes_nothing(void) {
    static party before;
    uint8_t m[100] = {0};
    for (size_t left = 0; left < 20; left++) {
        fill_tx(left);
        before = client;
        if (left >= 16) CHECK(svconn_send(client.s, m, left - 16, now) == SVCONN_OK); /* to the last byte */
        client = before;
        CHECK(svconn_send(client.s, m, left < 16 ? 0 : left - 15, now) == SVCONN_AGAIN);
        CHECK(svconn_send(client.s, m, 100, now) == SVCONN_AGAIN);
        CHECK(same_party(&client, &before));
        carry(&client, EVERYTHING);
        CHECK(svconn_send(client.s, m, 100, now) == SVCONN_OK);
        carry(&client, EVERYTHING);
        CHECK(server.messages == 3);
    }
}

static void what_was_sent_makes_room_at_once(void) {
    uint8_t m[100] = {0};
    fill_tx(0);
    CHECK(carry(&client, 500) > 0); /* all, in pieces of 500: back to the start */
    fill_tx(0);
    uint8_t b[PAIR_BUFFER];
    size_t n;
    const uint8_t *out = svconn_wire_out(client.s, &n);
    memcpy(b, out, n);
    CHECK(svconn_wire_sent(client.s, 116) == SVCONN_OK);
    CHECK(svconn_send(client.s, m, 101, now) == SVCONN_AGAIN && svconn_send(client.s, m, 100, now) == SVCONN_OK);
    out = svconn_wire_out(client.s, &n);
    CHECK(n == PAIR_BUFFER - 33 &&
          memcmp(out, b + 116, n - 116) == 0); /* what waited moved, and nothing else happened to it */
    CHECK(hand(&server, b, 116) == 116);
    carry(&client, EVERYTHING);
    CHECK(server.messages == 3 && both_connected());
}

/* The reserve: CLOSE (17) and the error packet (16) fit behind everything. */
static void close_and_the_error_packet_always_fit(void) {
    fill_tx(0);
    size_t n = queued(&client);
    CHECK(svconn_close(client.s, now) == SVCONN_OK && queued(&client) == n + 17);
    svconn_abort(client.s);
    CHECK(queued(&client) == n + 33 && n + 33 == PAIR_BUFFER);
    carry(&client, EVERYTHING);
    CHECK(server.messages == 2 && is_failed(&server, SVCONN_E_ABORTED));

    fill_tx(0);
    CHECK(svconn_wire_sent(client.s, 50) == SVCONN_OK); /* with a head that has moved */
    svconn_abort(client.s);
    CHECK(queued(&client) == PAIR_BUFFER - 33 - 50 + 16);

    fill_tx(0); /* the same after the buffer was compacted */
    CHECK(carry(&client, 1000) > 0 && svconn_close(client.s, now) == SVCONN_OK);
    carry(&client, EVERYTHING);
    CHECK(server.ended);

    fill_tx(0); /* a keep-alive has no such right */
    n = queued(&client);
    CHECK(svconn_tick(client.s, now + 20000, NULL) == SVCONN_OK && queued(&client) == n);
}

/* M2 and M3 find their room as well, in the least buffers: tested with all that early records may fill. */
static void early_records_leave_the_reserve(void) {
    static uint8_t m[PAIR_BUFFER];
    prepare(SVCONN_TYPE_ED25519, SVCONN_TYPE_ED25519);
    client.tx_size = SVCONN_BUFFER_MIN;
    begin_both();
    carry(&server, EVERYTHING);
    CHECK(queued(&client) == 151);
    CHECK(svconn_send(client.s, m, 256 - 33 - 151 - 16 + 1, now) == SVCONN_AGAIN);
    CHECK(svconn_send(client.s, m, 256 - 33 - 151 - 16, now) == SVCONN_OK);
    CHECK(svconn_send(client.s, m, 256 - 33 - 16 + 1, now) == SVCONN_E_SIZE);
    CHECK(svconn_send(client.s, m, 256 - 33 - 16, now) == SVCONN_AGAIN);
    svconn_abort(client.s);
    CHECK(queued(&client) == 256 - 33 + 16);
}

static void a_message_that_fits_the_receive_buffer_exactly_passes(void) {
    static uint8_t m[2000];
    for (size_t size = 256; size < 300; size += 7) {
        prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
        server.rx_size = size;
        begin_both();
        shuttle(EVERYTHING);
        CHECK(both_connected());
        for (int i = 0; i < 3; i++) {
            CHECK(svconn_send(client.s, m, size - 16, now) == SVCONN_OK);
            CHECK(svconn_send(client.s, m, (size_t)i, now) == SVCONN_OK);
            carry(&client, i ? 100 : EVERYTHING);
        }
        CHECK(server.messages == 6 && both_connected());
        /* one byte more: as soon as the header is there */
        uint8_t b[PAIR_BUFFER];
        size_t used;
        CHECK(svconn_send(client.s, m, size - 15, now) == SVCONN_OK);
        drain(&client, b);
        CHECK(svconn_wire_in(server.s, b, 3, &used, now) == SVCONN_OK);
        CHECK(svconn_wire_in(server.s, b + 3, 1, &used, now) == SVCONN_E_LIMIT);
        CHECK(is_failed(&server, SVCONN_E_LIMIT) && only_error_packet(&server));
    }
}

/* rx is full of whole messages that nobody fetches: bytes stay outside, nothing is lost, and the order holds. */
static void a_full_receive_buffer_holds_the_link_back(void) {
    for (int by_space = 0; by_space < 2; by_space++) {
        prepare(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
        server.rx_size = 256;
        begin_both();
        shuttle(EVERYTHING);
        forget_tapes();
        server.leaves = 1;
        for (unsigned i = 1; i <= 12; i++) CHECK(say(&client, i) == SVCONN_OK);
        uint8_t b[PAIR_BUFFER];
        size_t n = drain(&client, b), done = 0, used, rounds = 0;
        while (done < n && rounds++ < 1000) {
            if (by_space) {
                uint8_t *space = svconn_wire_space(server.s, &used);
                if (used > n - done) used = n - done;
                if (used) {
                    memcpy(space, b + done, used);
                    CHECK(svconn_wire_filled(server.s, used, now) == SVCONN_OK);
                }
            } else CHECK(svconn_wire_in(server.s, b + done, n - done, &used, now) == SVCONN_OK);
            done += used;
            if (used) continue;
            const uint8_t *m;
            size_t len;
            static uint8_t copy[256];
            CHECK(svconn_recv(server.s, &m, &len) == SVCONN_OK && len < 256);
            memcpy(copy, m, len);
            CHECK(svconn_wire_in(server.s, b + done, 0, &used, now) == SVCONN_OK);
            CHECK(memcmp(copy, m, len) == 0); /* lent: it stays where it is and what it is */
            uint8_t head[2];
            wire_put16(head, len);
            record_on(&server.in, head, 2);
            record_on(&server.in, m, len);
            CHECK(svconn_recv_done(server.s) == SVCONN_OK);
        }
        server.leaves = 0;
        collect(&server);
        CHECK(done == n && heard(&server, 1, 12));
    }
}

/* ---- records in place --------------------------------------------------------------------------- */

static void seal_makes_the_bytes_that_send_makes(void) {
    static const size_t lengths[] = {0, 1, 5, 16, 100, 1999, 2000};
    static party c;
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t record[PAIR_BUFFER], b[PAIR_BUFFER];
        size_t n = lengths[i];
        if (i % 3 == 2) CHECK(svconn_renew(client.s) == SVCONN_OK);
        c = client;
        fill(record + 4, n, (unsigned)i);
        CHECK(svconn_send(client.s, record + 4, n, now) == SVCONN_OK);
        CHECK(drain(&client, b) == n + 16);
        client = c;
        record[n + 16] = 0xee;
        CHECK(svconn_seal(client.s, record, n, now) == SVCONN_OK);
        CHECK_BYTES(record, b, n + 16);
        CHECK(record[n + 16] == 0xee && queued(&client) == 0);
        (void)hand(&server, record, n + 16); /* and it opens by the ordinary way */
        CHECK(server.messages == i + 1);
    }
}

static void open_gives_the_messages_that_recv_gives(void) {
    uint8_t b[PAIR_BUFFER], *msg;
    size_t n, len;
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    for (unsigned i = 0; i < 10; i++) {
        uint8_t want[120];
        if (i % 4 == 3) CHECK(svconn_renew(client.s) == SVCONN_OK);
        CHECK(say(&client, i) == SVCONN_OK);
        n = drain(&client, b);
        CHECK(svconn_open(server.s, b, n, &msg, &len, now) == SVCONN_OK);
        CHECK(msg == b + 4 && len == n - 16 && len == make_message(&client, i, want) && memcmp(msg, want, len) == 0);
    }
    CHECK(svconn_tick(client.s, now + 20000, NULL) == SVCONN_OK);
    n = drain(&client, b);
    CHECK(svconn_open(server.s, b, n, &msg, &len, now) == SVCONN_AGAIN && msg == NULL && len == 0);
    CHECK(pair_works()); /* both ways mix */
    CHECK(svconn_close(client.s, now) == SVCONN_OK);
    n = drain(&client, b);
    CHECK(svconn_open(server.s, b, n, &msg, &len, now) == SVCONN_END && msg == NULL);
    CHECK(state_of(&server) == SVCONN_CONNECTED && svconn_close(server.s, now) == SVCONN_OK);
    n = drain(&server, b);
    CHECK(svconn_open(client.s, b, n, &msg, &len, now) == SVCONN_END && state_of(&client) == SVCONN_CLOSED);
    CHECK(svconn_open(client.s, b, n, &msg, &len, now) == SVCONN_E_STATE);
}

static void open_fails_like_the_wire(void) {
    static party c, s;
    uint8_t good[PAIR_BUFFER], b[PAIR_BUFFER], *msg;
    size_t n, len;
    connect_pair(SVCONN_TYPE_PSK, SVCONN_TYPE_PSK);
    CHECK(svconn_send(client.s, "message", 7, now) == SVCONN_OK);
    n = drain(&client, good);
    c = client;
    s = server;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        server = s;
        memcpy(b, good, n);
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        svconn_err err = svconn_open(server.s, b, n, &msg, &len, now);
        svconn_err want = bit == 8                ? SVCONN_E_ABORTED
                          : bit < 16 && bit != 7  ? SVCONN_E_KEY_ID
                          : bit >= 16 && bit < 32 ? SVCONN_E_FORMAT
                                                  : SVCONN_E_TAG;
        CHECK(err == want && is_failed(&server, want) && msg == NULL && len == 0);
        CHECK(want == SVCONN_E_ABORTED ? queued(&server) == 0 : only_error_packet(&server));
    }
    for (size_t k = 0; k < n + 20; k++) {
        server = s;
        memcpy(b, good, n);
        svconn_err err = svconn_open(server.s, b, k, &msg, &len, now);
        CHECK(err == (k == n ? SVCONN_OK : SVCONN_E_FORMAT));
    }
    server = s; /* a replay */
    memcpy(b, good, n);
    CHECK(svconn_open(server.s, b, n, &msg, &len, now) == SVCONN_OK);
    memcpy(b, good, n);
    CHECK(svconn_open(server.s, b, n, &msg, &len, now) == SVCONN_E_TAG);
    server = s; /* after CLOSE */
    client = c;
    CHECK(svconn_close(client.s, now) == SVCONN_OK);
    CHECK(drain(&client, b) == 17);
    memcpy(b + 100, good, n);
    forge(&client, 0, (const uint8_t *)"x", 1);
    CHECK(drain(&client, b + 100) == 17);
    server = s;
    memcpy(b + 200, good, n);
    CHECK(svconn_open(server.s, b + 200, n, &msg, &len, now) == SVCONN_OK);
    CHECK(svconn_open(server.s, b, 17, &msg, &len, now) == SVCONN_END);
    CHECK(svconn_open(server.s, b + 100, 17, &msg, &len, now) == SVCONN_E_AFTER_CLOSE);
}

static void in_place_calls_wait_for_their_turn(void) {
    uint8_t b[PAIR_BUFFER] = {0}, *msg;
    size_t n, len;
    static party before;
    (void)bring_to(IN_SENDING); /* order on the link: what waits goes first */
    before = client;
    CHECK(svconn_seal(client.s, b, 5, now) == SVCONN_AGAIN && same_party(&client, &before));
    CHECK(drain(&client, b) > 0 && svconn_seal(client.s, b, 5, now) == SVCONN_OK);

    static const situation busy[] = {IN_PART_RECORD, IN_LENT, IN_LENT_LAST};
    for (int i = 0; i < 3; i++) {
        (void)bring_to(busy[i]);
        CHECK(say(&server, 1) == (busy[i] == IN_LENT_LAST ? SVCONN_E_STATE : SVCONN_OK));
        n = drain(&server, b);
        before = client;
        CHECK(svconn_open(client.s, b, n ? n : 16, &msg, &len, now) == SVCONN_E_STATE && same_party(&client, &before));
    }
    (void)bring_to(IN_CLIENT_EARLY); /* early records too */
    CHECK(svconn_seal(client.s, b, 5, now) == SVCONN_OK);
    (void)hand(&server, b, 21);
    server.holds = 0;
    answer(&server);
    collect(&server);
    CHECK(server.messages == 1);
}

static void a_lent_message_may_be_sent(void) {
    (void)bring_to(IN_LENT);
    const uint8_t *m;
    size_t n;
    CHECK(svconn_recv(client.s, &m, &n) == SVCONN_OK && svconn_send(client.s, m, n, now) == SVCONN_OK);
    CHECK(svconn_recv_done(client.s) == SVCONN_OK);
    carry(&client, EVERYTHING);
    CHECK(server.messages == 1 && server.in.n == 9 && memcmp(server.in.b + 2, "message", 7) == 0);
}

/* ---- the struct moves --------------------------------------------------------------------------- */

static const uint8_t move_types[3] = {SVCONN_TYPE_ED25519, SVCONN_TYPE_PSK, SVCONN_TYPE_CUSTOM};

static void talk(void) {
    for (unsigned i = 0; i < 6; i++) {
        CHECK(say(&client, i) == SVCONN_OK && say(&server, i) == SVCONN_OK);
        if (i == 2) CHECK(svconn_renew(at(&client)) == SVCONN_OK);
        shuttle(i % 2 ? 10 : EVERYTHING);
    }
    CHECK(svconn_close(at(&client), now) == SVCONN_OK && svconn_close(at(&server), now) == SVCONN_OK);
    shuttle(3);
    CHECK(state_of(&client) == SVCONN_CLOSED && state_of(&server) == SVCONN_CLOSED);
}

static void a_struct_that_moves_before_every_call_works(void) {
    static party still[2];
    for (unsigned i = 0; i < 9; i++)
        for (int moves = 0; moves < 2; moves++) {
            prepare(move_types[i / 3], move_types[i % 3]);
            begin_both();
            client.wanders = server.wanders = moves;
            shuttle(i % 2 ? 7 : EVERYTHING);
            talk();
            if (moves) CHECK(same_tape(&still[0].out, &client.out) && same_tape(&still[0].in, &client.in));
            if (moves) CHECK(same_tape(&still[1].out, &server.out) && same_tape(&still[1].in, &server.in));
            still[0] = client;
            still[1] = server;
        }
}

static void a_struct_that_moves_in_any_situation_goes_on(void) {
    for (situation x = IN_CLIENT_NEW; x < IN_CLOSE_SENT; x++) {
        if (x == IN_LENT_EOF) continue;
        party *p = bring_to(x);
        move_struct(p);
        client.holds = server.holds = client.leaves = server.leaves = 0;
        answer(p);
        collect(p);
        /* the rest of what came in part: the peer's tape has it */
        if (x == IN_CLIENT_PART_M1) (void)hand(p, server.out.b + 40, server.out.n - 40);
        if (x == IN_SERVER_PART_M2) (void)hand(p, client.out.b + 20, client.out.n - 20);
        if (x == IN_CLIENT_PART_M3) (void)hand(p, server.out.b + 134 + 10, server.out.n - 134 - 10);
        if (x == IN_PART_RECORD) (void)hand(p, server.out.b + server.out.n - 21, 21);
        shuttle(EVERYTHING);
        CHECK(pair_works());
    }
}

/* ---- a fault in place of the n-th call ---------------------------------------------------------- */

enum { WRONG_CALLS, ABORT, LINK_ENDS, TIME_ENDS, GARBAGE, FAULTS };

static unsigned calls, fault_at;
static int fault;

static void strike(party *p) {
    if (++calls != fault_at) return;
    uint8_t garbage[40];
    size_t used;
    fill(garbage, sizeof garbage, 99);
    switch (fault) {
    case WRONG_CALLS: wrong_calls(p); break;
    case ABORT: svconn_abort(p->s); break;
    case LINK_ENDS: (void)!svconn_wire_eof(p->s); break;
    case TIME_ENDS: (void)!svconn_tick(p->s, now + 1000000, NULL); break;
    default: (void)!svconn_wire_in(p->s, garbage, sizeof garbage, &used, now);
    }
}

/* As an application does it that gives up at the first failure */
static void conversation(uint8_t server_type, uint8_t client_type) {
    calls = 0;
    prepare(server_type, client_type);
    begin_both();
    before_call = strike;
    shuttle(EVERYTHING);
    for (unsigned i = 0; i < 3; i++) {
        (void)!say(&client, i);
        (void)!say(&server, i);
        if (i == 1) (void)!svconn_renew(at(&server));
        shuttle(i == 2 ? 20 : EVERYTHING);
    }
    (void)!svconn_close(at(&client), now);
    shuttle(EVERYTHING);
    (void)!say(&server, 3);
    (void)!svconn_close(at(&server), now);
    shuttle(EVERYTHING);
    before_call = NULL;
}

static int sane(const party *p) {
    svconn_err e = error_of(p);
    return state_of(p) == SVCONN_FAILED ? svconn_is_failure(e) : e == SVCONN_OK;
}

static void a_fault_in_place_of_any_call_ends_sanely(void) {
    static party good[2];
    for (int type = 0; type < 2; type++) {
        uint8_t t = type ? SVCONN_TYPE_CUSTOM : SVCONN_TYPE_PSK;
        fault_at = 0;
        conversation(t, t);
        unsigned all = calls;
        CHECK(state_of(&client) == SVCONN_CLOSED && state_of(&server) == SVCONN_CLOSED);
        CHECK(all > 100 && heard(&client, 0, 3) && heard(&server, 0, 2));
        good[0] = client;
        good[1] = server;
        unsigned step = getenv("SVCONN_SLOW") ? 1 : 3;
        for (fault = 0; fault < FAULTS; fault++)
            for (fault_at = 1 + (unsigned)fault % step; fault_at <= all; fault_at += step) {
                conversation(t, t);
                CHECK(sane(&client) && sane(&server));
                int same = same_tape(&client.in, &good[0].in) && same_tape(&server.in, &good[1].in);
                if (fault == WRONG_CALLS) /* as if nothing had been */
                    CHECK(same && same_tape(&client.out, &good[0].out) && same_tape(&server.out, &good[1].out));
                CHECK(client.in.n <= good[0].in.n && memcmp(client.in.b, good[0].in.b, client.in.n) == 0);
                CHECK(server.in.n <= good[1].in.n && memcmp(server.in.b, good[1].in.b, server.in.n) == 0);
                int over = svconn_is_over(client.s) && svconn_is_over(server.s);
                int failed = state_of(&client) == SVCONN_FAILED || state_of(&server) == SVCONN_FAILED;
                CHECK(over || failed || fault == LINK_ENDS); /* who failed told the other, if the link was there */
                if (fault == ABORT && failed)
                    CHECK(over || is_failed(&client, SVCONN_E_CANCELLED) || is_failed(&server, SVCONN_E_CANCELLED));
                wipe_both();
                if (test_bad) return;
            }
    }
}

#define T(f) TEST(#f, f)

int main(void) {
    T(init_refuses_every_bad_field_of_the_config);
    T(init_refuses_null_and_small_buffers);
    T(init_wants_room_for_the_first_message);
    T(identities_refuse_bad_arguments);
    T(wrong_calls_change_nothing_in_any_situation);
    T(looking_changes_nothing_in_any_situation);
    T(export_gives_up_to_8160_bytes);
    T(a_full_send_buffer_gives_again_and_changes_nothing);
    T(what_was_sent_makes_room_at_once);
    T(close_and_the_error_packet_always_fit);
    T(early_records_leave_the_reserve);
    T(a_message_that_fits_the_receive_buffer_exactly_passes);
    T(a_full_receive_buffer_holds_the_link_back);
    T(seal_makes_the_bytes_that_send_makes);
    T(open_gives_the_messages_that_recv_gives);
    T(open_fails_like_the_wire);
    T(in_place_calls_wait_for_their_turn);
    T(a_lent_message_may_be_sent);
    T(a_struct_that_moves_before_every_call_works);
    T(a_struct_that_moves_in_any_situation_goes_on);
    T(a_fault_in_place_of_any_call_ends_sanely);
    return TEST_EXIT();
}
