/* SPDX-License-Identifier: ISC */
/* Whole sessions; part of test.c. */

/* ---- vectors of SVC-1: one party alone, its peer is the file ------------------------------------------------------- */

static kind kind_of(vec_bytes id, int hidden) {
    if (id.p[0] == SVCONN_TYPE_ED25519) return hidden ? HIDDEN : ED25519;
    return id.p[0] == SVCONN_TYPE_PSK ? PSK : CUSTOM;
}

static void vec_copy(uint8_t to[32], vec_bytes v) { memcpy(to, v.p, v.n < 32 ? v.n : 32); }

static int vec_prepare(const svc_case *c, party *p) {
    int i_serve = p == &server;
    vec_bytes id = i_serve ? c->server_identity : c->client_identity, secret = i_serve ? c->server_secret : c->client_secret;
    memset(p, 0, sizeof *p);
    p->config.role = i_serve ? SVCONN_SERVER : SVCONN_CLIENT;
    p->config.context = c->context.p;
    p->config.context_len = c->context.n;
    p->config.peer_types = (HAVE_ED25519 ? SVCONN_PEER_ED25519 : 0u) | (HAVE_PSK ? SVCONN_PEER_PSK : 0u) | (HAVE_CUSTOM ? SVCONN_PEER_CUSTOM : 0u);
    p->config.hidden = i_serve && c->hidden;
    p->config.pad_to = i_serve ? 0 : c->pad_to;
    p->config.identity = &p->me;
    vec_copy(p->custom_key, secret);
    vec_copy(p->peer_custom_key, i_serve ? c->client_secret : c->server_secret);
    /* the one with the other identity knows the psk too: it is the peer's secret */
    vec_copy(p->psk, i_serve ? c->client_secret : c->server_secret);
#if HAVE_HIDDEN
    if (c->hidden && !i_serve) {
        fill(known_servers[0], 32, 9);
        memcpy(known_servers[1], c->server_identity.p + 1, 32);
        p->config.known_servers = (const uint8_t(*)[32])known_servers;
        p->config.known_servers_count = 2;
    }
#endif
    switch (id.p[0]) {
#if HAVE_ED25519
    case SVCONN_TYPE_ED25519: svconn_identity_ed25519(&p->me, secret.p); break;
#endif
#if HAVE_PSK
    case SVCONN_TYPE_PSK: return svconn_identity_psk(&p->me, secret.p, id.p + 1, id.n - 1) == SVCONN_OK;
#endif
    default:;
#if HAVE_CUSTOM
        return svconn_identity_custom(&p->me, id.p, id.n) == SVCONN_OK;
#endif
    }
    return 1;
}

static int vec_says(party *p, vec_bytes want) {
    size_t n;
    lab_answer(p);
    const uint8_t *b = svconn_wire_out(&p->s, &n);
    return n == want.n && is(b, want) && svconn_wire_sent(&p->s, n) == SVCONN_OK;
}

/* In single bytes, so that every split is tried once */
static int vec_hears(party *p, vec_bytes b) {
    for (size_t i = 0; i < b.n; i++)
        if (lab_hand(p, b.p + i, 1)) return 0;
    return 1;
}

static int vec_handshake(const svc_case *c, party *p) {
    uint8_t seed[32];
    int i_serve = p == &server;
    memcpy(seed, i_serve ? c->server_random.p : c->client_random.p, 32);
    if (!vec_prepare(c, p) || svconn_init(&p->s, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx)) return 0;
    if (i_serve) {
        if (!vec_says(p, c->m1) || !vec_hears(p, c->m2) || !vec_says(p, c->m3)) return 0;
    } else if (!vec_hears(p, c->m1) || !vec_says(p, c->m2) || !vec_hears(p, c->m3)) return 0;
    return svconn_status(&p->s) == SVCONN_CONNECTED;
}

static int vec_takes(party *p, const svc_event *e) {
    const uint8_t *m;
    size_t n;
    if (!vec_hears(p, e->wire)) return 0;
    svconn_err err = svconn_recv(&p->s, &m, &n);
    if (e->what == EVENT_TAKE_CLOSE) return err == SVCONN_END;
    return err == SVCONN_OK && n == e->message.n && is(m, e->message) && svconn_recv_done(&p->s) == SVCONN_OK;
}

static int vec_event(party *p, const svc_event *e) {
    int mine = e->from_server == (p == &server);
    switch (e->what) {
    case EVENT_RENEW: return !mine || svconn_renew(&p->s) == SVCONN_OK;
    case EVENT_SEND: return !mine || (svconn_send(&p->s, e->message.p, e->message.n, LAB_NOW) == SVCONN_OK && vec_says(p, e->wire));
    case EVENT_CLOSE: return !mine || (svconn_close(&p->s, LAB_NOW) == SVCONN_OK && vec_says(p, e->wire));
    default: return mine || vec_takes(p, e);
    }
}

static int vec_knows(const svc_case *c, party *p) {
    static const uint8_t ctx[3] = {1, 2, 3};
    char digits[24];
    if (svconn_export(&p->s, "test label", ctx, sizeof ctx, work, 80) || !is(work, c->exported)) return 0;
    if (svconn_authenticator(&p->s, digits)) return 0;
    for (size_t i = 0, k = 0; digits[i]; i++)
        if (digits[i] != ' ' && (uint8_t)digits[i] != c->authenticator.p[k++]) return 0;
    return 1;
}

static void svc_vectors(party *p) {
    const char *role = p == &server ? "svc1, as SERVER" : "svc1, as CLIENT";
    for (size_t i = 0; i < sizeof svc_cases / sizeof *svc_cases; i++) {
        const svc_case *c = &svc_cases[i];
        if (!kind_is_here[kind_of(c->server_identity, c->hidden)] || !kind_is_here[kind_of(c->client_identity, 0)]) continue;
        int good = vec_handshake(c, p) && vec_knows(c, p);
        verdict(good, role, c->name);
        for (size_t e = 0; e < c->events_count && good; e++) good = vec_event(p, &c->events[e]);
        verdict(good, role, "its records");
        svconn_wipe(&p->s);
    }
}

/* ---- two sessions of ours ------------------------------------------------------------------------------------------ */
#if HAVE_CLIENT && HAVE_SERVER

static const char *pair_name(kind server_kind, kind client_kind) {
    static char name[40];
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        const char *k = kind_name[i ? client_kind : server_kind];
        while (*k) name[n++] = *k++;
        if (!i) name[n++] = ',', name[n++] = ' ';
    }
    name[n] = 0;
    return name;
}

/* One message of n bytes from `from`, on the link in one piece */
static int talk(party *from, size_t n, unsigned number) {
    const uint8_t *got;
    size_t got_n;
    party *to = other(from);
    fill(work, n, number);
    if (svconn_send(&from->s, work, n, LAB_NOW) || lab_carry(from) != n + SVCONN_OVERHEAD) return 0;
    if (svconn_recv(&to->s, &got, &got_n) || got_n != n || memcmp(got, work, n) != 0) return 0;
    return svconn_recv_done(&to->s) == SVCONN_OK;
}

static int ends_in_order(void) {
    const uint8_t *m;
    size_t n;
    if (svconn_close(&client.s, LAB_NOW) || !lab_carry(&client) || svconn_recv(&server.s, &m, &n) != SVCONN_END) return 0;
    if (!talk(&server, 5, 9)) return 0; /* the other direction goes on */
    if (svconn_close(&server.s, LAB_NOW) || !lab_carry(&server)) return 0;
    return svconn_status(&client.s) == SVCONN_CLOSED && svconn_status(&server.s) == SVCONN_CLOSED && !svconn_error(&client.s) &&
           svconn_wire_eof(&client.s) == SVCONN_OK && svconn_wire_eof(&server.s) == SVCONN_OK;
}

static int renews(void) {
    unsigned sending, receiving, theirs;
    for (unsigned i = 0; i < 6; i++) {
        party *p = i % 2 ? &client : &server;
        if (!talk(p, 3, i) || svconn_renew(&p->s) || !talk(p, 20, i) || !talk(other(p), 7, i)) return 0;
    }
    svconn_key_ids(&client.s, &sending, &receiving);
    svconn_key_ids(&server.s, &theirs, &sending);
    return sending > 4 && receiving > 4 && theirs == receiving;
}

static int same_exports(void) {
    static const uint8_t ctx[] = {7};
    uint8_t a[50], b[50];
    char x[24], y[24];
    if (svconn_export(&client.s, "use", ctx, 1, a, 50) || svconn_export(&server.s, "use", ctx, 1, b, 50)) return 0;
    if (svconn_authenticator(&client.s, x) || svconn_authenticator(&server.s, y)) return 0;
    return memcmp(a, b, 50) == 0 && memcmp(x, y, 24) == 0;
}

static void pairs(void) {
    for (kind k = ED25519; k <= CUSTOM; k++) {
        for (kind q = ED25519; q <= CUSTOM; q++) {
            if (q == HIDDEN || !kind_is_here[k] || !kind_is_here[q]) continue;
            const char *name = pair_name(k, q);
            int good = lab_connect(k, q);
            verdict(good && same_exports(), "connects", name);
            verdict(good && talk(&client, 64, 1) && talk(&server, 64, 2) && renews(), "messages, renewal", name);
            verdict(good && ends_in_order(), "ends in order", name);
        }
    }
}

/* Without Ed25519 these are tried with a psk. */
static const kind any_kind = HAVE_ED25519 ? ED25519 : HAVE_PSK ? PSK : CUSTOM;

static void records(void) {
    static const uint16_t sizes[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 127, 128, 129, 255, 256, 257, 1000, LAB_MESSAGE};
    int good = lab_connect(any_kind, any_kind);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) good &= talk(&client, sizes[i], 1) && talk(&server, sizes[i], 2);
    verdict(good, "records", "of many sizes");
    good = svconn_send(&client.s, work, LAB_MESSAGE + 1, LAB_NOW) == SVCONN_E_SIZE && talk(&client, 3, 1);
    verdict(good, "records", "too long: refused, and it goes on");

    uint8_t record[80], *m;
    size_t n;
    fill(record, sizeof record, 5);
    good = svconn_seal(&client.s, record, 64, LAB_NOW) == SVCONN_OK &&
           svconn_open(&server.s, record, 80, &m, &n, LAB_NOW) == SVCONN_OK && n == 64 && m == record + 4;
    fill(work, sizeof record, 5);
    verdict(good && memcmp(m, work + 4, 64) == 0, "records", "sealed and opened in place");

    good = 1; /* many in one piece, each taken in its turn */
    for (unsigned i = 0; i < 10; i++) {
        fill(work, 100, i);
        good &= svconn_send(&server.s, work, 100, LAB_NOW) == SVCONN_OK;
    }
    good &= lab_carry(&server) == 1160;
    for (unsigned i = 0; i < 10; i++) {
        const uint8_t *got;
        fill(work, 100, i);
        good &= svconn_recv(&client.s, &got, &n) == SVCONN_OK && n == 100 && memcmp(got, work, 100) == 0 &&
                svconn_recv_done(&client.s) == SVCONN_OK;
    }
    verdict(good, "records", "ten in one piece");
}

/* ---- what must fail, with the right reason ------------------------------------------------------------------------- */

/* p failed so; its peer, told of it, knows no more than that. */
static int failed_so(party *p, svconn_err why) {
    party *q = other(p);
    size_t n;
    if (svconn_status(&p->s) != SVCONN_FAILED || svconn_error(&p->s) != why) return 0;
    const uint8_t *b = svconn_wire_out(&p->s, &n);
    if (why == SVCONN_E_ABSENT || why == SVCONN_E_TRUNCATED || why == SVCONN_E_ABORTED) return n == 0 || !all_zero(b, n);
    if (n < 16 || !all_zero(b + n - 16, 16)) return 0;
    if (svconn_status(&q->s) == SVCONN_NONE) return 1;
    (void)lab_carry(p);
    return svconn_error(&q->s) == SVCONN_E_ABORTED;
}

typedef enum { M1, M2, M3, RECORD } which;

/* A session up to this message, and the message with one byte changed */
static party *spoil(kind server_kind, kind client_kind, which m, size_t offset, uint8_t change) {
    size_t n = 0;
    lab_prepare(server_kind, client_kind);
    if (lab_begin(&server, 101) || lab_begin(&client, 100)) return NULL;
    party *from = &server;
    for (which i = M1; i < m; i++) {
        if (i == M3) { /* the record is the client's */
            (void)lab_carry(&server);
            if (svconn_send(&client.s, "sixteen byte msg", 16, LAB_NOW)) return NULL;
            from = &client;
        } else {
            (void)lab_carry(from);
            from = other(from);
        }
    }
    lab_answer(from);
    const uint8_t *b = svconn_wire_out(&from->s, &n);
    if (n > sizeof work || offset >= n) return NULL;
    memcpy(work, b, n);
    work[offset] ^= change;
    if (svconn_wire_sent(&from->s, n)) return NULL;
    (void)lab_hand(other(from), work, n);
    return other(from);
}

static const struct {
    const char *name;
    uint8_t server_kind, client_kind, message, offset, change, why;
} spoilt[] = {
    {"M1: version", ED25519, ED25519, M1, 0, 2, SVCONN_E_VERSION},
    {"M1: first byte 0", ED25519, ED25519, M1, 0, 1, SVCONN_E_ABORTED},
    {"M1: Y", ED25519, ED25519, M1, 5, 1, SVCONN_E_PROOF},
    {"M1: length of the identity, high", ED25519, ED25519, M1, 33, 0x80, SVCONN_E_LIMIT},
    {"M1: length of the identity, low", ED25519, ED25519, M1, 34, 1, SVCONN_E_FORMAT},
    {"M1: type", ED25519, ED25519, M1, 35, 0x11, SVCONN_E_TYPE},
    {"M1: length of the proof", ED25519, ED25519, M1, 69, 1, SVCONN_E_FORMAT},
    {"M1: R", ED25519, ED25519, M1, 75, 4, SVCONN_E_PROOF},
    {"M1: S", ED25519, ED25519, M1, 105, 4, SVCONN_E_PROOF},
    {"M1, hidden: Y", HIDDEN, ED25519, M1, 5, 1, SVCONN_E_UNKNOWN},
    {"M1, hidden: sealed proof", HIDDEN, ED25519, M1, 60, 1, SVCONN_E_UNKNOWN},
    {"M1, hidden: tag", HIDDEN, ED25519, M1, 116, 1, SVCONN_E_UNKNOWN},
    {"M1, psk: Y", PSK, PSK, M1, 5, 1, SVCONN_E_PROOF},
    {"M1, psk: name", PSK, PSK, M1, 37, 1, SVCONN_E_PROOF},
    {"M1, psk: proof", PSK, PSK, M1, 50, 1, SVCONN_E_PROOF},
    {"M1, custom: Y", CUSTOM, CUSTOM, M1, 5, 1, SVCONN_E_REFUSED},
    {"M1, custom: proof", CUSTOM, CUSTOM, M1, 45, 1, SVCONN_E_REFUSED},
    {"M2: X", ED25519, ED25519, M2, 3, 1, SVCONN_E_SEAL},
    {"M2: length, high", ED25519, ED25519, M2, 32, 0x80, SVCONN_E_LIMIT},
    {"M2: length, low", ED25519, ED25519, M2, 33, 1, SVCONN_E_SEAL},
    {"M2: identity", ED25519, ED25519, M2, 40, 1, SVCONN_E_SEAL},
    {"M2: tag", ED25519, ED25519, M2, 150, 1, SVCONN_E_SEAL},
    {"M2, hidden", HIDDEN, ED25519, M2, 70, 1, SVCONN_E_SEAL},
    {"M2, psk", PSK, PSK, M2, 50, 1, SVCONN_E_SEAL},
    {"M2, custom", CUSTOM, CUSTOM, M2, 50, 1, SVCONN_E_SEAL},
    {"M3: key id", ED25519, ED25519, M3, 1, 2, SVCONN_E_KEY_ID},
    {"M3: not a control record", ED25519, ED25519, M3, 0, 0x80, SVCONN_E_TAG},
    {"M3: length", ED25519, ED25519, M3, 3, 1, SVCONN_E_TAG},
    {"M3: text", ED25519, ED25519, M3, 4, 1, SVCONN_E_TAG},
    {"M3: tag", ED25519, ED25519, M3, 16, 1, SVCONN_E_TAG},
    {"M3, psk", PSK, PSK, M3, 10, 1, SVCONN_E_TAG},
    {"M3, custom: proof", CUSTOM, CUSTOM, M3, 20, 1, SVCONN_E_TAG},
    {"record: key id 0", ED25519, ED25519, RECORD, 1, 1, SVCONN_E_ABORTED},
    {"record: key id 3", ED25519, ED25519, RECORD, 1, 2, SVCONN_E_KEY_ID},
    {"record: control bit", ED25519, ED25519, RECORD, 0, 0x80, SVCONN_E_TAG},
    {"record: length", ED25519, ED25519, RECORD, 3, 1, SVCONN_E_TAG},
    {"record: text", ED25519, ED25519, RECORD, 11, 0x40, SVCONN_E_TAG},
    {"record: tag", ED25519, ED25519, RECORD, 31, 1, SVCONN_E_TAG},
    {"record, psk", PSK, PSK, RECORD, 20, 1, SVCONN_E_TAG},
    {"record, custom", CUSTOM, CUSTOM, RECORD, 20, 1, SVCONN_E_TAG},
};

static void changed_bytes(void) {
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        if (!kind_is_here[spoilt[i].server_kind] || !kind_is_here[spoilt[i].client_kind]) continue;
        party *p = spoil(spoilt[i].server_kind, spoilt[i].client_kind, spoilt[i].message, spoilt[i].offset, spoilt[i].change);
        svconn_err why = spoilt[i].why;
        if (spoilt[i].message == M2 && spoilt[i].offset == 33) { /* one byte longer: comes with the next one, which is not there */
            if (p && svconn_status(&p->s) == SVCONN_HANDSHAKE) (void)lab_hand(p, work, 1);
        }
        if (spoilt[i].message >= M3 && spoilt[i].offset == 3) { /* the same */
            if (p && !svconn_error(&p->s)) (void)lab_hand(p, work, 1);
        }
        verdict(p && failed_so(p, why), "changed", spoilt[i].name);
    }
}

/* The link ends after n bytes of what comes to p. */
static int cut(party *p, size_t n, svconn_err why) {
    lab_prepare(any_kind, any_kind);
    if (lab_begin(&server, 101) || lab_begin(&client, 100)) return 0;
    if (p == &server) (void)lab_carry(&server);
    size_t all;
    const uint8_t *b = svconn_wire_out(&other(p)->s, &all);
    if (n >= all) return 0;
    if (n) (void)lab_hand(p, b, n);
    return svconn_wire_eof(&p->s) == why && failed_so(p, why);
}

static void ends_too_early(void) {
    verdict(cut(&client, 0, SVCONN_E_ABSENT), "cut", "no byte for the CLIENT");
    verdict(cut(&server, 0, SVCONN_E_ABSENT), "cut", "no byte for the SERVER");
    verdict(cut(&client, 1, SVCONN_E_TRUNCATED), "cut", "M1 after 1 byte");
    verdict(cut(&client, 60, SVCONN_E_TRUNCATED), "cut", "M1 after 60 bytes");
    verdict(cut(&server, 33, SVCONN_E_TRUNCATED), "cut", "M2 after 33 bytes");
    verdict(cut(&server, 90, SVCONN_E_TRUNCATED), "cut", "M2 after 90 bytes");
    int good = lab_connect(any_kind, any_kind);
    verdict(good && svconn_wire_eof(&client.s) == SVCONN_E_TRUNCATED && failed_so(&client, SVCONN_E_TRUNCATED), "cut", "no CLOSE, CLIENT");
    good = lab_connect(any_kind, any_kind) && svconn_send(&client.s, work, 9, LAB_NOW) == SVCONN_OK && lab_carry(&client) &&
           svconn_wire_eof(&server.s) == SVCONN_OK && svconn_recv_done(&server.s) == SVCONN_E_TRUNCATED;
    verdict(good, "cut", "no CLOSE, SERVER: the message before comes first");
}

/* Everything goes where it can. */
static void run_both(void) {
    if (lab_begin(&server, 101) || lab_begin(&client, 100)) return;
    while (lab_carry(&server) + lab_carry(&client) > 0) {}
}

static int both_failed(party *p, svconn_err why) {
    return svconn_error(&p->s) == why && svconn_error(&other(p)->s) == SVCONN_E_ABORTED;
}

static void refusals(void) {
    for (kind k = ED25519; k <= CUSTOM; k++) {
        if (!kind_is_here[k]) continue;
        kind c = k == HIDDEN ? ED25519 : k;
        lab_prepare(k, c);
        client.refuses = 1;
        run_both();
        verdict(both_failed(&client, SVCONN_E_REFUSED), "the CLIENT refuses", kind_name[k]);
        lab_prepare(k, c);
        server.refuses = 1;
        run_both();
        verdict(both_failed(&server, SVCONN_E_REFUSED), "the SERVER refuses", kind_name[k]);
        lab_prepare(k, c);
        client.config.context = known_servers[0];
        client.config.context_len = 1;
        run_both();
        verdict(both_failed(&client, k == CUSTOM ? SVCONN_E_REFUSED : SVCONN_E_PROOF), "another context", kind_name[k]);
    }
#if HAVE_PSK
    static const uint8_t psk[32] = {1}; /* not ours */
    lab_prepare(PSK, PSK);
    if (svconn_identity_psk(&client.me, psk, psk, 1)) return;
    run_both();
    verdict(both_failed(&client, SVCONN_E_PROOF), "wrong", "psk on one side");
#if HAVE_ED25519
    lab_prepare(PSK, ED25519);
    client.psk[31] ^= 1;
    run_both();
    verdict(both_failed(&client, SVCONN_E_PROOF), "wrong", "psk, given by the CLIENT");
    lab_prepare(ED25519, PSK);
    server.psk[0] ^= 1;
    run_both();
    verdict(both_failed(&server, SVCONN_E_PROOF), "wrong", "psk, given by the SERVER");
#endif
    lab_prepare(PSK, PSK);
    client.me = server.me;
    run_both();
    verdict(both_failed(&client, SVCONN_E_SELF), "wrong", "the same name on both sides");
    lab_prepare(PSK, PSK);
    memset(client.me.secret, 0, 32);
    verdict(lab_begin(&client, 100) == SVCONN_E_ARGUMENT, "wrong", "psk of zeros");
#endif
#if HAVE_ED25519
    lab_prepare(ED25519, ED25519);
    client.me = server.me;
    run_both();
    verdict(both_failed(&client, SVCONN_E_SELF), "wrong", "the same key on both sides");
    lab_prepare(ED25519, ED25519);
    server.config.peer_types = HAVE_PSK ? SVCONN_PEER_PSK : SVCONN_PEER_CUSTOM;
    if (HAVE_PSK || HAVE_CUSTOM) run_both();
    verdict(!(HAVE_PSK || HAVE_CUSTOM) || both_failed(&server, SVCONN_E_TYPE), "wrong", "a key where another type is wanted");
#endif
#if HAVE_HIDDEN
    lab_prepare(HIDDEN, ED25519);
    client.config.known_servers_count = 1;
    run_both();
    verdict(both_failed(&client, SVCONN_E_UNKNOWN), "wrong", "a hidden SERVER that is not known");
#endif
}

static void calls(void) {
    uint64_t next;
    uint8_t seed[32] = {0};
    size_t n;
    lab_prepare(any_kind, any_kind);
    verdict(svconn_init(&client.s, &client.config, seed, client.rx, LAB_BUFFER, client.tx, LAB_BUFFER) == SVCONN_E_SEED, "call", "seed of zeros");
    seed[0] = 1;
    verdict(svconn_init(&client.s, &client.config, seed, client.rx, 255, client.tx, LAB_BUFFER) == SVCONN_E_SIZE, "call", "small buffer");
    client.config.role = (svconn_role)3;
    verdict(svconn_init(&client.s, &client.config, seed, client.rx, LAB_BUFFER, client.tx, LAB_BUFFER) == SVCONN_E_ARGUMENT, "call", "no role");
    client.config.role = SVCONN_CLIENT;
    int good = lab_begin(&client, 100) == SVCONN_OK && svconn_send(&client.s, seed, 1, LAB_NOW) == SVCONN_E_STATE;
    verdict(good, "call", "a message before the handshake");
    good = svconn_tick(&client.s, LAB_NOW, &next) == SVCONN_OK && next == LAB_NOW + 10000 &&
           svconn_tick(&client.s, next, NULL) == SVCONN_E_TIMEOUT && svconn_error(&client.s) == SVCONN_E_TIMEOUT;
    verdict(good, "time", "of the handshake");
    good = lab_connect(any_kind, any_kind) && svconn_tick(&client.s, LAB_NOW, &next) == SVCONN_OK &&
           svconn_tick(&client.s, next, &next) == SVCONN_OK && lab_carry(&client) == 17;
    verdict(good, "time", "keep-alive");
    verdict(svconn_tick(&client.s, LAB_NOW + 60000, NULL) == SVCONN_E_SILENT && failed_so(&client, SVCONN_E_SILENT), "time", "silence");
    good = lab_connect(any_kind, any_kind);
    svconn_abort(&server.s);
    verdict(good && failed_so(&server, SVCONN_E_CANCELLED), "call", "abort");
    svconn_wipe(&client.s);
    svconn_wipe(&server.s);
    good = all_zero((const uint8_t *)&client.s, sizeof client.s) && all_zero(client.rx, LAB_BUFFER) && all_zero(client.tx, LAB_BUFFER);
    verdict(good && !svconn_wire_out(&client.s, &n) && n == 0, "call", "wipe");
}
#endif

static void sessions(void) {
    if (HAVE_CLIENT) svc_vectors(&client);
    if (HAVE_SERVER) svc_vectors(&server);
#if HAVE_CLIENT && HAVE_SERVER
    pairs();
    records();
    changed_bytes();
    ends_too_early();
    refusals();
    calls();
#endif
}
