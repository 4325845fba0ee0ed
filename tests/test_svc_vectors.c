/* SPDX-License-Identifier: ISC */
/*
 * The vectors of SVC-1, test-vectors/svc1.txt, against this implementation; their meaning is in spec/vectors.md. One
 * test for each case:
 *
 *  - positive cases: every value by the functions that make it, one by one, each from the values of the file; then the
 *    whole case by two sessions, byte for byte, with whole messages on the link, with single bytes, and with pieces of
 *    random lengths;
 *  - negative cases: one session gets the input at once, in single bytes, in pieces of random lengths, and cut into two
 *    at every CUT_STEP-th offset, in each case from another one on. Messages, output and reason are the same each time.
 *
 * A line that this program does not know, or that comes once too often, is a failure: no value of the file goes
 * unchecked. The last test proves it: values are spoilt, and their cases must then fail.
 *
 * SVCONN_SLOW=1: all offsets, more random lengths, the case with many rounds in pieces too, and every value of every
 * case spoilt, not only the first of each name.
 */
#include "identity.h"
#include "keys.h"
#include "record.h"
#include "session.h"
#include "test.h"
#include "vectors.h"
#include "wire.h"
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { BUFFER = 65536 + 256, KNOWN_MAX = 8, CUT_STEP = 13 };

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity me;
    vec_bytes secret, peer_secret;
    uint8_t known[KNOWN_MAX][32];
    const char *refused; /* why the application refused: a reason of spec/vectors.md */
    uint8_t rx[BUFFER], tx[BUFFER];
} party;

static vec_file file;
static const vec_case *now; /* the case that is tested */
static party client, server;

static int slow(void) { return getenv("SVCONN_SLOW") != NULL; }
static unsigned random_runs(void) { return slow() ? 20 : 2; }

/* ---- values of the case ------------------------------------------------------------------------- */

static svconn_bytes given(const char *name) {
    vec_bytes v = vec_get(now, name);
    return (svconn_bytes){v.data, v.len};
}

/* The 32 bytes of that name */
static const uint8_t *given32(const char *name) {
    vec_bytes v = vec_get(now, name);
    if (v.len != 32) vec_fail(now->name, name);
    return v.data;
}

static vec_bytes maybe(const char *name) {
    static const uint8_t none[1] = {0};
    return vec_has(now, name) ? vec_get(now, name) : (vec_bytes){none, 0};
}

static int flag(const char *name) {
    return vec_has(now, name) && vec_get(now, name).len == 1 && *vec_get(now, name).data;
}

static void bad(const char *name, const char *what) {
    if (test_bad++ < 10) printf("  %s: %s: %s\n", now->name, name, what);
}

#define STOP(name, what)                                                                                               \
    do {                                                                                                               \
        bad(name, what);                                                                                               \
        return;                                                                                                        \
    } while (0)

static void compare(const char *name, vec_bytes want, const uint8_t *got, size_t len) {
    if (len == want.len && (len == 0 || memcmp(got, want.data, len) == 0)) return;
    bad(name, len == want.len ? "other bytes" : "another length");
    printf("   %zu bytes, want %zu\n", len, want.len);
    test_hex("   got ", got, len);
    test_hex("  want ", want.data, want.len);
}

/* The case says that the value of this name is that. */
static void is(const char *name, const uint8_t *got, size_t len) { compare(name, vec_get(now, name), got, len); }

static vec_bytes id_of(int i_serve) { return vec_get(now, i_serve ? "server_identity" : "client_identity"); }
static uint8_t type_of(int i_serve) { return id_of(i_serve).data[0]; }
static const uint8_t *secret_of(int i_serve) { return given32(i_serve ? "server_secret" : "client_secret"); }

/* ---- positive cases, function by function: each formula from the values of the file ------------- */

/* What the applications of the vectors prove with: HMAC-SHA-256 under their secret */
static void app_mac(uint8_t mac[32], vec_bytes key, const uint8_t *text, size_t len) {
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, key.data, key.len);
    svconn_hmac_update(&c, text, len);
    svconn_hmac_final(&c, mac);
}

static void identity_of(int i_serve, svconn_identity *id) {
    vec_bytes b = id_of(i_serve);
    size_t len = 0;
    svconn_err err = SVCONN_OK;
    if (b.len == 0) bad("identity", "is empty");
    else if (b.data[0] == SVCONN_TYPE_ED25519) svconn_identity_ed25519(id, secret_of(i_serve));
    else if (b.data[0] == SVCONN_TYPE_PSK) err = svconn_identity_psk(id, secret_of(i_serve), b.data + 1, b.len - 1);
    else err = svconn_identity_custom(id, b.data, b.len);
    CHECK(err == SVCONN_OK);
    const uint8_t *mine = svconn_identity_bytes(id, &len);
    compare("identity", b, mine, len);
}

/* proof(label, T) of 2.2. Returns its length. */
static size_t prove(int i_serve, const char *label, const char *t, uint8_t proof[64]) {
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX];
    size_t n = svconn_proof_text(text, label, given32(t));
    if (type_of(i_serve) == SVCONN_TYPE_ED25519) {
        svconn_identity id;
        identity_of(i_serve, &id);
        svconn_ed25519_sign(proof, id.secret, id.built_in + 1, text, n);
        CHECK(svconn_ed25519_verify(proof, id_of(i_serve).data + 1, text, n));
    } else if (type_of(i_serve) == SVCONN_TYPE_PSK) {
        svconn_psk_prove(proof, secret_of(i_serve), text, n);
        CHECK(svconn_psk_verify(proof, secret_of(i_serve), text, n));
    } else app_mac(proof, (vec_bytes){secret_of(i_serve), 32}, text, n);
    size_t len = svconn_proof_length(type_of(i_serve));
    return len ? len : 32;
}

static void check_ephemeral(int i_serve, const char *random, const char *secret, const char *public_key) {
    uint8_t k[32], u[32];
    svconn_bytes own = {secret_of(i_serve), type_of(i_serve) < SVCONN_TYPE_CUSTOM ? 32 : 0};
    svconn_ephemeral(k, given32(random), own, given("context"));
    is(secret, k, 32);
    svconn_x25519_public(u, given32(secret));
    is(public_key, u, 32);
}

static svconn_bytes wid(void) { return flag("hidden") ? (svconn_bytes){NULL, 0} : given("server_identity"); }

static void put(uint8_t *buf, size_t *at, svconn_bytes z) {
    if (z.len) memcpy(buf + *at, z.data, z.len);
    *at += z.len;
}
static void put_lp(uint8_t *buf, size_t *at, svconn_bytes z) {
    wire_put16(buf + *at, z.len);
    *at += 2;
    put(buf, at, z);
}

static void seal_with(const char *key, svconn_bytes aad, svconn_bytes text, uint8_t *out) {
    static const uint8_t zero_nonce[12];
    static uint8_t back[BUFFER];
    uint64_t k[SVCONN_GCM_WORDS];
    svconn_gcm_init(k, given32(key));
    svconn_gcm_seal(k, zero_nonce, aad.data, aad.len, out, text.data, text.len, out + text.len, 16);
    CHECK(svconn_gcm_open(k, zero_nonce, aad.data, aad.len, back, out, text.len, out + text.len, 16));
    CHECK(memcmp(back, text.data, text.len) == 0);
}

static void check_hidden_p(void) {
    uint8_t key[32], p[80];
    svconn_hidden_key(key, given32("Y"), given("server_identity"));
    is("hidden_key", key, 32);
    if (given("pS").len != 64) STOP("pS", "is no Ed25519 signature");
    seal_with("hidden_key", (svconn_bytes){NULL, 0}, given("pS"), p);
    is("p", p, sizeof p);
}

static void check_m1(void) {
    static uint8_t t1[32], proof[64], m1[BUFFER];
    size_t n = 0;
    svconn_m1 m;
    svconn_t1(t1, given("context"), given32("Y"), wid(), given("server_identity"));
    is("T1", t1, 32);
    is("pS", proof, prove(1, LABEL_SERVER_HELLO, "T1", proof));
    if (flag("hidden")) check_hidden_p();
    else is("p", given("pS").data, given("pS").len);
    m1[n++] = WIRE_VERSION;
    put(m1, &n, given("Y"));
    put_lp(m1, &n, wid());
    put_lp(m1, &n, given("p"));
    is("M1", m1, n);
    CHECK(svconn_m1_parse(&m, given("M1").data, given("M1").len) == SVCONN_OK);
    CHECK(m.len == n && m.wid_len == wid().len && m.p_len == given("p").len && m.p_at + m.p_len == n);
}

static void check_es(void) {
    uint8_t es[32], other[32];
    svconn_identity id;
    if (type_of(1) == SVCONN_TYPE_ED25519) {
        identity_of(1, &id);
        svconn_ed25519_seed_to_x25519(other, id.secret);
        CHECK(svconn_x25519(es, other, given32("X")));
        svconn_ed25519_to_x25519(other, id_of(1).data + 1);
        CHECK(svconn_x25519(other, given32("x"), other));
        is("es", other, 32);
    } else if (type_of(1) == SVCONN_TYPE_PSK) svconn_psk_es(es, secret_of(1));
    is("es", es, type_of(1) < SVCONN_TYPE_CUSTOM ? 32 : 0);
}

static void check_agreement(void) {
    uint8_t t2[32], dh[32], ikm[64], ck[32];
    svconn_sha256_ctx c;
    svconn_t2_begin(&c, given32("T1"), given("p"));
    svconn_t2_end(t2, &c, given32("X"));
    is("T2", t2, 32);
    CHECK(svconn_x25519(dh, given32("x"), given32("Y")));
    is("dh", dh, 32);
    CHECK(svconn_x25519(dh, given32("y"), given32("X")));
    is("dh", dh, 32);
    check_es();
    memcpy(ikm, given32("dh"), 32);
    if (given("es").len) memcpy(ikm + 32, given32("es"), 32);
    svconn_ck(ck, given32("T2"), (svconn_bytes){ikm, 32 + given("es").len});
    is("ck", ck, 32);
}

static unsigned number(const vec_line *l) {
    if (l->len != 2) vec_fail(now->name, l->name);
    return wire_get16((const uint8_t *)l->value);
}

static size_t padding(void) { return vec_has(now, "padding") ? number(vec_find(now, "padding", 0)) : 0; }

static void check_e(void) {
    static uint8_t proof[64], plain[BUFFER], e[BUFFER];
    uint8_t e_len[2];
    size_t n = 0;
    svconn_e f;
    is("pC", proof, prove(0, LABEL_CLIENT_PROOF, "T3", proof));
    put_lp(plain, &n, given("client_identity"));
    put_lp(plain, &n, given("pC"));
    memset(plain + n, 0, padding());
    n += padding();
    is("E_plain", plain, n);
    CHECK(svconn_e_parse(&f, given("E_plain").data, given("E_plain").len) == SVCONN_OK);
    CHECK(f.id_len == id_of(0).len && f.proof_len == given("pC").len);
    wire_put16(e_len, given("E_plain").len + WIRE_TAG);
    seal_with("client_key", (svconn_bytes){e_len, 2}, given("E_plain"), e);
    is("E", e, given("E_plain").len + WIRE_TAG);
}

static void check_m2(void) {
    static uint8_t t3[32], key[32], m2[BUFFER];
    size_t n = 0, len;
    svconn_t3(t3, given32("T2"), given("client_identity"));
    is("T3", t3, 32);
    svconn_derive(key, 32, given32("ck"), LABEL_CLIENT_KEY);
    is("client_key", key, 32);
    check_e();
    put(m2, &n, given("X"));
    put_lp(m2, &n, given("E"));
    is("M2", m2, n);
    CHECK(svconn_m2_parse(&len, given("M2").data, given("M2").len) == SVCONN_OK && len == n);
}

static void check_keys(void) {
    uint8_t k[32];
    svconn_t4(k, given32("T3"), given("E"));
    is("T4", k, 32);
    svconn_master(k, given32("ck"), given32("T4"));
    is("K_M", k, 32);
    svconn_derive(k, 32, given32("K_M"), LABEL_C2S);
    is("chain_c2s", k, 32);
    svconn_derive(k, 32, given32("K_M"), LABEL_S2C);
    is("chain_s2c", k, 32);
    svconn_derive(k, 32, given32("K_M"), LABEL_EXPORTER);
    is("exporter", k, 32);
}

static void check_m3(void) {
    static uint8_t plain[1 + 64], m3[BUFFER];
    svconn_direction d;
    svconn_bytes want = given("M3_plain");
    int stepped = 1;
    size_t n = 1;
    plain[0] = CONTROL_CONFIRM;
    if (type_of(1) >= SVCONN_TYPE_CUSTOM) n += prove(1, LABEL_SERVER_CONFIRM, "T4", plain + 1);
    is("M3_plain", plain, n);
    memcpy(d.chain, given32("chain_s2c"), 32);
    svconn_direction_start(&d);
    svconn_record_seal(&d, RECORD_CONTROL, m3, want.data, want.len);
    is("M3", m3, want.len + RECORD_OVERHEAD);
    memcpy(d.chain, given32("chain_s2c"), 32);
    svconn_direction_start(&d);
    CHECK(svconn_record_expected(&d, m3) == SVCONN_OK);
    CHECK(svconn_record_open(&d, m3, want.len + RECORD_OVERHEAD, &stepped) == SVCONN_OK && !stepped);
    is("M3_plain", m3 + RECORD_TEXT, want.len);
}

/* n mod 10^20, one byte of n after the other */
static void twenty_digits(char out[20], const uint8_t n[16]) {
    unsigned d[20] = {0}; /* the least first */
    for (int i = 0; i < 16; i++) {
        unsigned carry = n[i];
        for (int k = 0; k < 20; k++) {
            carry += d[k] * 256;
            d[k] = carry % 10;
            carry /= 10;
        }
    }
    for (int k = 0; k < 20; k++) out[19 - k] = (char)('0' + d[k]);
}

static const uint8_t export_ctx[3] = {1, 2, 3};

static void check_exports(void) {
    static const uint8_t number[] = "authenticator", label[] = "test label";
    uint8_t out[80];
    char digits[20];
    svconn_export_key(out, 16, given32("exporter"), (svconn_bytes){number, sizeof number - 1}, (svconn_bytes){NULL, 0});
    twenty_digits(digits, out);
    is("authenticator", (const uint8_t *)digits, sizeof digits);
    svconn_export_key(out, 80, given32("exporter"), (svconn_bytes){label, sizeof label - 1},
                      (svconn_bytes){export_ctx, 3});
    is("export", out, 80);
}

static void check_functions(void) {
    check_ephemeral(1, "server_random", "y", "Y");
    check_ephemeral(0, "client_random", "x", "X");
    check_m1();
    check_agreement();
    check_m2();
    check_keys();
    check_m3();
    check_exports();
}

/* ---- the link: in what pieces bytes arrive ------------------------------------------------------ */

static size_t piece;     /* so many at once; 0: random */
static uint32_t shuffle; /* where random lengths come from: xorshift32 */

/* Random lengths are small or large, and 0 now and then: nothing new arrived. */
static size_t next_piece(size_t left) {
    size_t n = piece;
    if (!piece) {
        shuffle ^= shuffle << 13, shuffle ^= shuffle >> 17, shuffle ^= shuffle << 5;
        n = (shuffle >> 8) % ((size_t)2 << (shuffle & 15));
    }
    return n < left ? n : left;
}

/* ---- a party: a session and its application ----------------------------------------------------- */

/* The SERVER keys that the CLIENT knows */
static void set_known(party *p) {
    static const uint8_t stranger[32] = {/* RFC 8032, test 2 */
                                         0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
                                         0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
                                         0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    vec_bytes list = maybe("known"), id = maybe("server_identity");
    if (vec_has(now, "known")) {
        if (list.len % 32 || list.len > sizeof p->known) STOP("known", "is no list of up to 8 keys");
        memcpy(p->known, list.data, list.len);
        p->config.known_servers_count = list.len / 32;
    } else if (flag("hidden") && id.len == 33) {
        memcpy(p->known[0], stranger, 32);
        memcpy(p->known[1], id.data + 1, 32);
        p->config.known_servers_count = 2;
    }
    p->config.known_servers = (const uint8_t(*)[32])p->known;
}

/* The multiple that gives the padding of the case: the text and its padding together, or a divisor of that */
static uint16_t pad_to(size_t proof_len) {
    size_t text = 2 + id_of(0).len + 2 + proof_len;
    if (padding() == 0) return 0;
    for (size_t n = 1; n <= 65535; n++)
        if ((n - text % n) % n == padding()) return (uint16_t)n;
    bad("padding", "no pad_to gives it");
    return 0;
}

static void set_config(party *p, int i_serve) {
    size_t proof_len = i_serve ? 0 : svconn_proof_length(type_of(0));
    vec_bytes context = maybe("context");
    memset(p, 0, sizeof *p);
    identity_of(i_serve, &p->me);
    p->config.role = i_serve ? SVCONN_SERVER : SVCONN_CLIENT;
    p->config.identity = &p->me;
    p->config.context = context.data;
    p->config.context_len = context.len;
    p->config.peer_types = SVCONN_PEER_ED25519 | SVCONN_PEER_PSK | SVCONN_PEER_CUSTOM;
    p->config.hidden = (uint8_t)(i_serve && flag("hidden"));
    p->config.early = (uint8_t)(vec_has(now, "early") ? SVCONN_EARLY_ALWAYS : SVCONN_EARLY_IF_SAFE);
    p->secret = maybe(i_serve ? "server_secret" : "client_secret");
    p->peer_secret = maybe(i_serve ? "client_secret" : "server_secret");
    if (i_serve) return;
    set_known(p);
    p->config.pad_to = pad_to(proof_len ? proof_len : 32);
}

static int first_of(const uint8_t *text, const char *label) { return memcmp(text, label, strlen(label) + 1) == 0; }

/* What a proof covers is what 2.2 says: label, zero byte, and the right T of the case (if it is a positive one). */
static void check_text(const uint8_t *text, size_t len) {
    const char *label = LABEL_SERVER_HELLO;
    const char *t = "T1";
    if (first_of(text, LABEL_CLIENT_PROOF)) label = LABEL_CLIENT_PROOF, t = "T3";
    if (first_of(text, LABEL_SERVER_CONFIRM)) label = LABEL_SERVER_CONFIRM, t = "T4";
    CHECK(first_of(text, label) && len == strlen(label) + 1 + 32);
    if (vec_has(now, t)) is(t, text + strlen(label) + 1, 32);
}

static void refuse(party *p, const char *why) {
    p->refused = why;
    CHECK(svconn_refuse(&p->s) == SVCONN_OK);
}

static svconn_err app_verdict(party *p) {
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], mac[32];
    const uint8_t *proof;
    size_t id_len, proof_len, n;
    const uint8_t *id = svconn_peer(&p->s, &id_len); /* NULL at M3 if it is long */
    CHECK(svconn_peer_proof(&p->s, &proof, &proof_len, text, &n) == SVCONN_OK);
    check_text(text, n);
    int m3 = first_of(text, LABEL_SERVER_CONFIRM);
    if (!id || id[0] >= SVCONN_TYPE_CUSTOM) {
        app_mac(mac, p->peer_secret, text, n);
        if (proof_len != 32 || memcmp(mac, proof, 32) != 0) {
            refuse(p, m3 ? "confirm" : "proof");
            return SVCONN_OK;
        }
    }
    if (!vec_has(now, "refuse")) return svconn_accept(&p->s);
    refuse(p, "refused");
    return SVCONN_OK;
}

static svconn_err app_prove(party *p) {
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], mac[32];
    size_t n;
    CHECK(svconn_proof_message(&p->s, text, &n) == SVCONN_OK);
    check_text(text, n);
    app_mac(mac, p->secret, text, n);
    return svconn_prove(&p->s, mac, sizeof mac);
}

static svconn_err app_psk(party *p) {
    if (p->peer_secret.len == 32) return svconn_give_psk(&p->s, p->peer_secret.data);
    refuse(p, "refused");
    return SVCONN_OK;
}

/* Answers every question. */
static void app(party *p) {
    for (int asked = 0; asked < 8; asked++) {
        svconn_err err;
        svconn_state state = svconn_status(&p->s);
        if (state == SVCONN_NEEDS_PROOF) err = app_prove(p);
        else if (state == SVCONN_NEEDS_PSK) err = app_psk(p);
        else if (state == SVCONN_NEEDS_VERDICT) err = app_verdict(p);
        else return;
        CHECK(err == SVCONN_OK || svconn_is_failure(err));
    }
    bad("application", "asked again and again");
}

static void begin(party *p) {
    uint8_t seed[32];
    memcpy(seed, given32(p->config.role == SVCONN_SERVER ? "server_random" : "client_random"), 32);
    CHECK(svconn_init(&p->s, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx) == SVCONN_OK);
    app(p);
}

/* ---- positive cases, by two sessions ------------------------------------------------------------ */

static size_t sent[2], taken[2]; /* records that entered and left the queue of c2s, s2c */

static party *sender(int s2c) { return s2c ? &server : &client; }
static party *receiver(int s2c) { return s2c ? &client : &server; }

static void carry(party *to, vec_bytes b) {
    for (size_t at = 0, used; at < b.len; at += used) {
        size_t n = next_piece(b.len - at);
        svconn_err err = svconn_wire_in(&to->s, b.data + at, n, &used, 0);
        app(to);
        if (err == SVCONN_OK && (used > 0 || n == 0)) continue;
        printf("  (%s)\n", svconn_reason_name(err));
        STOP("link", "not taken");
    }
}

/* All that waits for the link is this. */
static void sends(party *p, const char *name, vec_bytes want) {
    size_t len;
    const uint8_t *out = svconn_wire_out(&p->s, &len);
    compare(name, want, out, len);
    CHECK(svconn_wire_sent(&p->s, len) == SVCONN_OK);
}

static void check_connected(party *p) {
    uint8_t out[80];
    char text[24], digits[20];
    vec_bytes peer = id_of(p == &client);
    size_t len, n = 0;
    CHECK(svconn_status(&p->s) == SVCONN_CONNECTED);
    const uint8_t *id = svconn_peer(&p->s, &len);
    if (peer.len <= SVCONN_BUILT_IN_MAX) compare("peer", peer, id, len);
    CHECK(svconn_authenticator(&p->s, text) == SVCONN_OK);
    for (int i = 0; i < 23; i++)
        if (i % 6 != 5) digits[n++] = text[i];
    is("authenticator", (const uint8_t *)digits, n);
    CHECK(svconn_export(&p->s, "test label", export_ctx, 3, out, 80) == SVCONN_OK);
    is("export", out, 80);
    is("exporter", p->s.u.on.exporter, 32);
    is("T4", p->s.t, 32);
}

static void deliver_m3(void) {
    CHECK(svconn_status(&client.s) == SVCONN_CONFIRMING);
    carry(&client, vec_get(now, "M3"));
    check_connected(&client);
}

static void handshake(void) {
    set_config(&server, 1);
    set_config(&client, 0);
    begin(&server);
    begin(&client);
    sends(&server, "M1", vec_get(now, "M1"));
    carry(&client, vec_get(now, "M1"));
    sends(&client, "M2", vec_get(now, "M2"));
    is("chain_c2s", client.s.u.on.out.chain, 32);
    is("chain_s2c", client.s.u.on.in.chain, 32);
    carry(&server, vec_get(now, "M2"));
    sends(&server, "M3", vec_get(now, "M3"));
    is("chain_s2c", server.s.u.on.out.chain, 32);
    is("chain_c2s", server.s.u.on.in.chain, 32);
    check_connected(&server);
    if (!vec_has(now, "early")) deliver_m3();
}

static uint8_t last_chain[32]; /* of the sender, before it sealed the record at hand */

/* D_key = chain || key || iv: what follows from the chain before, and the sender's direction as it is now */
static void check_key(const party *p, const vec_line *l) {
    const svconn_direction *out = &p->s.u.on.out;
    uint8_t want[32 + 32 + 12];
    uint64_t key[SVCONN_GCM_WORDS];
    svconn_derive(want, 32, last_chain, LABEL_NEXT);
    svconn_key_and_iv(want + 32, want);
    compare(l->name, (vec_bytes){(const uint8_t *)l->value, l->len}, want, sizeof want);
    if (svconn_status(&p->s) == SVCONN_CLOSED) return; /* it is wiped */
    svconn_gcm_init(key, want + 32);
    CHECK_BYTES(out->chain, want, 32);
    CHECK_BYTES(out->key, key, sizeof key);
    CHECK_BYTES(out->iv, want + 64, 12);
}

/* Two ends that use the same key id of a direction use the same chain. */
static void check_same_chain(int s2c) {
    const svconn *a = &sender(s2c)->s, *b = &receiver(s2c)->s;
    if (svconn_status(a) == SVCONN_CLOSED || svconn_status(b) == SVCONN_CLOSED) return;
    if (a->u.on.out.id == b->u.on.in.id) CHECK_BYTES(a->u.on.out.chain, b->u.on.in.chain, 32);
}

/* The message in the session is this; it is given back. */
static void takes(party *p, vec_bytes want) {
    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_recv(&p->s, &msg, &len);
    if (err != SVCONN_OK) STOP("take", svconn_reason_name(err));
    compare("message", want, msg, len);
    CHECK(svconn_recv_done(&p->s) == SVCONN_OK);
}

/* D_take, D_take_keepalive, D_take_close: the oldest record of the queue */
static void take(int s2c, const char *what, vec_bytes message) {
    const uint8_t *msg;
    size_t len;
    party *p = receiver(s2c);
    if (taken[s2c] == sent[s2c]) STOP("take", "the queue is empty");
    vec_bytes record = vec_nth(now, s2c ? "s2c_wire" : "c2s_wire", taken[s2c]++);
    int is_data = strcmp(what, "take") == 0;
    CHECK(record.len >= RECORD_OVERHEAD && (record.data[0] & 0x80 ? 1 : 0) != is_data);
    carry(p, record);
    if (is_data) takes(p, message);
    else CHECK(svconn_recv(&p->s, &msg, &len) == (strcmp(what, "take_close") == 0 ? SVCONN_END : SVCONN_AGAIN));
    check_same_chain(s2c);
}

/* D_send, D_keepalive, D_close. The step that the next line tells is made, and no other. */
static void seal(int s2c, const char *what, const vec_line *l, int has_key) {
    svconn *s = &sender(s2c)->s;
    unsigned before = s->u.on.out.id;
    size_t len;
    svconn_err err;
    memcpy(last_chain, s->u.on.out.chain, 32);
    if (strcmp(what, "send") == 0) err = svconn_send(s, l->value, l->len, 0);
    else if (strcmp(what, "close") == 0) err = svconn_close(s, 0);
    else err = svconn_control_send(s, CONTROL_KEEPALIVE, NULL, 0, SVCONN_BUFFER_RESERVE); /* no time passes here */
    if (err != SVCONN_OK) STOP(l->name, svconn_reason_name(err));
    const uint8_t *record = svconn_wire_out(s, &len);
    if (len < RECORD_OVERHEAD) STOP(l->name, "made no record");
    int stepped = (wire_get16(record) & 0x7fff) != before;
    if (stepped != has_key) bad(l->name, has_key ? "made no step" : "made a step");
}

/* One empty message from here to there, without the file */
static void empty_message(int s2c) {
    static const uint8_t none[1] = {0};
    uint8_t record[RECORD_OVERHEAD];
    size_t len;
    CHECK(svconn_send(&sender(s2c)->s, none, 0, 0) == SVCONN_OK);
    const uint8_t *out = svconn_wire_out(&sender(s2c)->s, &len);
    if (len != sizeof record) STOP("rounds", "no empty record");
    memcpy(record, out, len);
    CHECK(svconn_wire_sent(&sender(s2c)->s, len) == SVCONN_OK);
    carry(receiver(s2c), (vec_bytes){record, len});
    takes(receiver(s2c), (vec_bytes){none, 0});
}

static void rounds(unsigned n) {
    for (; n > 0 && !test_bad; n--) {
        CHECK(svconn_renew(&client.s) == SVCONN_OK);
        empty_message(0);
        empty_message(1);
        check_same_chain(0);
        check_same_chain(1);
    }
}

static int is_value(const char *name) {
    static const char *const values[] = {"context",
                                         "hidden",
                                         "server_identity",
                                         "client_identity",
                                         "server_secret",
                                         "client_secret",
                                         "server_random",
                                         "client_random",
                                         "padding",
                                         "known",
                                         "about",
                                         "y",
                                         "Y",
                                         "x",
                                         "X",
                                         "T1",
                                         "pS",
                                         "hidden_key",
                                         "p",
                                         "M1",
                                         "T2",
                                         "dh",
                                         "es",
                                         "ck",
                                         "T3",
                                         "client_key",
                                         "pC",
                                         "E_plain",
                                         "E",
                                         "M2",
                                         "T4",
                                         "K_M",
                                         "chain_c2s",
                                         "chain_s2c",
                                         "exporter",
                                         "M3_plain",
                                         "M3",
                                         "authenticator",
                                         "export"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strcmp(values[i], name) == 0) return 1;
    return 0;
}

/* A line whose name begins with D_ */
static void direction_event(const vec_line *l, const char *next) {
    int s2c = l->name[0] == 's';
    const char *what = l->name + 4;
    vec_bytes value = {(const uint8_t *)l->value, l->len};
    if (strcmp(what, "renew") == 0) CHECK(svconn_renew(&sender(s2c)->s) == SVCONN_OK);
    else if (strcmp(what, "key") == 0) check_key(sender(s2c), l);
    else if (strcmp(what, "wire") == 0) sends(sender(s2c), l->name, value), sent[s2c]++;
    else if (strncmp(what, "take", 4) == 0) take(s2c, what, value);
    else if (strcmp(what, "send") == 0 || strcmp(what, "close") == 0 || strcmp(what, "keepalive") == 0)
        seal(s2c, what, l, strcmp(next, s2c ? "s2c_key" : "c2s_key") == 0);
    else bad(l->name, "unknown event");
}

static void script(void) {
    for (size_t i = 0; i < now->count && !test_bad; i++) {
        const vec_line *l = &now->lines[i];
        const char *next = i + 1 < now->count ? l[1].name : "";
        if (is_value(l->name)) continue;
        if (strncmp(l->name, "c2s_", 4) == 0 || strncmp(l->name, "s2c_", 4) == 0) direction_event(l, next);
        else if (strcmp(l->name, "confirmed") == 0) deliver_m3();
        else if (strcmp(l->name, "rounds") == 0) rounds(number(l));
        else if (strcmp(l->name, "early") != 0) bad(l->name, "unknown line");
    }
}

static void sessions(size_t bytes_at_once) {
    static const vec_bytes nothing = {(const uint8_t *)"", 0};
    piece = bytes_at_once;
    taken[0] = taken[1] = 0;
    sent[0] = sent[1] = 0;
    handshake();
    if (!test_bad) script();
    sends(&client, "the end of c2s", nothing);
    sends(&server, "the end of s2c", nothing);
    CHECK(svconn_error(&client.s) == SVCONN_OK && svconn_error(&server.s) == SVCONN_OK);
    CHECK(vec_count(now, "early") == vec_count(now, "confirmed"));
    svconn_wipe(&client.s);
    svconn_wipe(&server.s);
}

/* A value that comes twice would be checked once. */
static void check_once(const char *const *others) {
    for (size_t i = 0; i < now->count; i++) {
        const char *name = now->lines[i].name;
        int one = is_value(name);
        for (size_t k = 0; others[k]; k++) one |= strcmp(others[k], name) == 0;
        if (one && vec_count(now, name) != 1) bad(name, "more than once");
    }
}

/* Each value; the sessions; and, if that is wanted, them again with the link in pieces. */
static void positive_case(int in_pieces) {
    static const char *const others[] = {"early", "confirmed", NULL};
    check_once(others);
    if (vec_has(now, "hidden_key") != flag("hidden")) bad("hidden_key", "goes with hidden");
    check_functions();
    sessions(SIZE_MAX);
    if (test_bad || !in_pieces || (vec_has(now, "rounds") && !slow())) return;
    sessions(1);
    if (test_bad) printf("  (the link carried single bytes)\n");
    for (unsigned run = 1; run <= random_runs() && !test_bad; run++) {
        shuffle = run;
        sessions(0);
        if (test_bad) printf("  (pieces of random lengths, run %u)\n", run);
    }
}

/* ---- negative cases ----------------------------------------------------------------------------- */

static uint8_t output[2 * BUFFER];
static size_t output_len, messages;

/* Takes what the session has for the link and for the application. */
static void collect(party *p) {
    size_t len;
    const uint8_t *out = svconn_wire_out(&p->s, &len), *msg;
    if (output_len + len > sizeof output) STOP("output", "is endless");
    if (len) memcpy(output + output_len, out, len);
    output_len += len;
    CHECK(svconn_wire_sent(&p->s, len) == SVCONN_OK);
    while (svconn_recv(&p->s, &msg, &len) == SVCONN_OK && messages < 100000) {
        if (messages >= vec_count(now, "message")) bad("message", "one too many");
        else compare("message", vec_nth(now, "message", messages), msg, len);
        messages++;
        svconn_err err = svconn_recv_done(&p->s);
        CHECK(err == SVCONN_OK || svconn_is_failure(err));
    }
    svconn_wire_out(&p->s, &len);
    if (len) collect(p);
}

/* One piece of the link, at once as far as the session takes it */
static void feed(party *p, const uint8_t *in, size_t len) {
    while (len > 0 && svconn_status(&p->s) != SVCONN_FAILED) {
        size_t used;
        svconn_err err = svconn_wire_in(&p->s, in, len, &used, 0);
        CHECK(err == SVCONN_OK || svconn_is_failure(err));
        svconn_state before = svconn_status(&p->s);
        size_t had = messages;
        app(p);
        collect(p);
        in += used;
        len -= used;
        if (used == 0 && messages == had && svconn_status(&p->s) == before && err == SVCONN_OK)
            STOP("input", "the session is stuck");
    }
}

/* Deadlines are the only reasons that no byte brings. */
static void pass_time(party *p, const char *reason) {
    svconn_err err = SVCONN_OK;
    if (strcmp(reason, "timeout") == 0) err = svconn_tick(&p->s, 10000, NULL);
    if (strcmp(reason, "silent") == 0) err = svconn_tick(&p->s, 60000, NULL);
    CHECK(err == SVCONN_OK || svconn_is_failure(err));
}

static void check_failure(party *p) {
    const char *want = vec_text(now, "reason"), *got = svconn_reason_name(svconn_error(&p->s));
    if (strcmp(got, "refused") == 0 && p->refused) got = p->refused;
    if (strcmp(got, want) != 0) {
        bad("reason", want);
        printf("   got  %s\n", got);
    }
    CHECK(svconn_status(&p->s) == SVCONN_FAILED);
    compare("output", vec_get(now, "output"), output, output_len);
    if (messages != vec_count(now, "message")) bad("message", "one is missing");
    for (size_t i = 0; i < sizeof p->s.u; i++)
        if (((const uint8_t *)&p->s.u)[i] != 0) STOP("secrets", "are not wiped");
}

/* One session; the input in pieces of `bytes` (0: random) behind the first `cut` bytes. */
static void one_run(party *p, size_t bytes, size_t cut) {
    vec_bytes in = vec_get(now, "input");
    piece = bytes;
    output_len = messages = 0;
    p->refused = NULL;
    begin(p);
    collect(p);
    if (cut) feed(p, in.data, cut);
    for (size_t at = cut, n; at < in.len; at += n) {
        n = next_piece(in.len - at);
        feed(p, in.data + at, n);
    }
    pass_time(p, vec_text(now, "reason"));
    if (vec_has(now, "eof")) {
        svconn_err err = svconn_wire_eof(&p->s);
        CHECK(err == SVCONN_OK || svconn_is_failure(err));
        collect(p);
    }
    collect(p);
    check_failure(p);
    svconn_wipe(&p->s);
    if (test_bad) printf("  (pieces of %zu bytes, cut at %zu)\n", bytes, cut);
}

static void check_negative_lines(void) {
    static const char *const once[] = {"to", "input", "eof", "refuse", "output", "reason", NULL};
    check_once(once);
    for (size_t i = 0; i < now->count; i++) {
        const char *name = now->lines[i].name;
        int known = is_value(name) || strcmp(name, "message") == 0;
        for (size_t k = 0; once[k]; k++) known |= strcmp(once[k], name) == 0;
        if (!known) bad(name, "unknown line");
    }
}

static void negative_case(int in_pieces) {
    int i_serve = strcmp(vec_text(now, "to"), "server") == 0;
    if (!i_serve && strcmp(vec_text(now, "to"), "client") != 0) STOP("to", "is no role");
    party *p = i_serve ? &server : &client;
    size_t len = vec_get(now, "input").len;
    check_negative_lines();
    set_config(p, i_serve);
    one_run(p, len, 0);
    if (!in_pieces) return;
    if (!test_bad) one_run(p, 1, 0);
    for (unsigned run = 1; run <= random_runs() && !test_bad; run++) {
        shuffle = run;
        one_run(p, 0, 0);
    }
    size_t step = slow() ? 1 : len < 1000 ? CUT_STEP : len / 100;
    for (size_t cut = 1 + (size_t)(now - file.cases) % step; cut < len && !test_bad; cut += step) one_run(p, len, cut);
}

static void case_of(int is_negative, int in_pieces) {
    if (is_negative) negative_case(in_pieces);
    else positive_case(in_pieces);
}
static void positive(void) { case_of(0, 1); }
static void negative(void) { case_of(1, 1); }

/* ---- each value can fail ------------------------------------------------------------------------ */

#ifdef _WIN32
static void spoilt(void) { test_skip = "fork is needed"; }
#else
/* What may be otherwise and nobody notices: text for people; the first key of a list, as no message shows it; how often
 * something is repeated; and, of a negative case, all but what must come of it. */
static int may_differ(const vec_line *l, int is_negative) {
    static const char *const results[] = {"to", "message", "output", "reason"};
    if (!is_negative)
        return strcmp(l->name, "about") == 0 || strcmp(l->name, "known") == 0 || strcmp(l->name, "rounds") == 0;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (strcmp(results[i], l->name) == 0) return 0;
    return 1;
}

/* In a process of its own, as a spoilt file may end the program: does the case of now fail? One run of it is enough. */
static int fails(int is_negative) {
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout)) _exit(0);
        test_bad = 0;
        case_of(is_negative, 0);
        _exit(test_bad ? 1 : 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) vec_fail("fork", "does not work");
    if (WIFSIGNALED(status)) bad("spoilt", "crashes");
    return status != 0;
}

/* One bit is changed, in the first byte, the last, and one between; and the last byte is cut off. */
static void spoil(vec_line *l, int is_negative) {
    char *last = &l->value[l->len - 1], byte = *last;
    char *const at[3] = {l->value, &l->value[l->len / 2], last};
    for (int i = 0; i < 3; i++) {
        *at[i] ^= 1;
        if (!fails(is_negative)) bad(l->name, "a changed bit is not seen");
        *at[i] ^= 1;
    }
    l->len--;
    if (l->is_text) *last = 0;
    if (!fails(is_negative)) bad(l->name, "a missing byte is not seen");
    *last = byte;
    l->len++;
}

/* The first value of its name among the cases of this kind */
static int is_first(const vec_line *l, int is_negative) {
    for (const vec_case *c = file.cases; c < now; c++)
        if (vec_has(c, "input") == is_negative && !vec_has(c, "rounds") && vec_has(c, l->name)) return 0;
    return vec_find(now, l->name, 0) == l && !vec_has(now, "rounds");
}

static void spoilt(void) {
    size_t values = 0;
    for (now = file.cases; now < file.cases + file.count; now++) {
        vec_line *l = file.lines + (now->lines - file.lines), *end = l + now->count;
        int is_negative = vec_has(now, "input");
        for (; l < end; l++) {
            if (l->len == 0 || may_differ(l, is_negative) || (!slow() && !is_first(l, is_negative))) continue;
            spoil(l, is_negative);
            values++;
        }
    }
    CHECK(values >= 40); /* there are so many names */
}
#endif

int main(void) {
    file = vec_load("svc1.txt");
    for (now = file.cases; now < file.cases + file.count; now++) {
        char name[256];
        const char *about = vec_has(now, "about") ? vec_text(now, "about") : "every value and record";
        snprintf(name, sizeof name, "svc1.txt %s (%s)", now->name, about);
        TEST(name, vec_has(now, "input") ? negative : positive);
    }
    TEST("svc1.txt: a changed bit or a missing byte in any value is seen", spoilt);
    vec_free(&file);
    return TEST_EXIT();
}
