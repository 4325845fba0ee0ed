/* SPDX-License-Identifier: ISC */
/* svconn under every mask of backends that is usable here (crypto/cpu.h). */
#include "bench.h"
#include "cpu.h"
#include "crypto.h"
#include "svconn.h"

/* A new backend: a line here and one below, and what it changes. */
static const bench_mode modes[] = {
    {"best", BENCH_ALL_BITS, 0, NULL, NULL},
    {"vaes512", BENCH_GCM_BITS, 0, NULL, NULL},
    {"vaes256", BENCH_GCM_BITS, 0, NULL, NULL},
    {"aesni", BENCH_GCM_BITS, 0, NULL, NULL},
    {"armv8-aes", BENCH_GCM_BITS, 0, NULL, NULL},
    {"vector512", BENCH_GCM_BITS, 0, NULL, NULL},
    {"vector256", BENCH_GCM_BITS, 0, NULL, NULL},
    {"vector128", BENCH_GCM_BITS, 0, NULL, NULL},
    {"avx2", BENCH_CURVE_BITS, 0, NULL, NULL},
    {"ifma", BENCH_CURVE_BITS, 0, NULL, NULL},
    {"sha-ni", BENCH_BIT(BENCH_SHA256), 0, NULL, NULL},
    {"armv8-sha", BENCH_BIT(BENCH_SHA256), 0, NULL, NULL},
    {"portable", BENCH_ALL_BITS & ~BENCH_BIT(BENCH_SHA512), 0, NULL, NULL},
};
static const uint32_t masks[] = {SVCONN_CPU_ALL,
                                 SVCONN_CPU_VAES512,
                                 SVCONN_CPU_VAES256,
                                 SVCONN_CPU_AESNI,
                                 SVCONN_CPU_ARM_AES,
                                 SVCONN_CPU_VECTOR512,
                                 SVCONN_CPU_VECTOR256,
                                 SVCONN_CPU_VECTOR128,
                                 SVCONN_CPU_AVX2,
                                 SVCONN_CPU_IFMA,
                                 SVCONN_CPU_SHA,
                                 SVCONN_CPU_ARM_SHA,
                                 0};
enum { MODES = sizeof modes / sizeof modes[0] };
_Static_assert(MODES == sizeof masks / sizeof masks[0], "one mask for each mode");

typedef struct {
    svconn client, server;
    uint8_t rx[2][SVCONN_BUFFER_SIZE(BENCH_LONGEST)], tx[2][SVCONN_BUFFER_SIZE(BENCH_LONGEST)];
} pair;

static uint64_t keys[MODES][SVCONN_GCM_WORDS];
static pair connections[MODES], fresh;
static int prepared[MODES];
static size_t mode;
static svconn_identity client_id, server_id;
static uint8_t client_key[1][32], server_key[1][32];
static svconn_config client_config, server_config, hidden_config;

static const char *version(void) { return SVCONN_VERSION; }

static void fail(const char *what) { bench_fail("svconn", what); }

/* ---- two sessions, joined by memory ------------------------------------------------------------------------------ */
static void carry(svconn *from, svconn *to) {
    size_t n, used;
    const uint8_t *bytes = svconn_wire_out(from, &n);
    if (n == 0) return;
    if (svconn_wire_in(to, bytes, n, &used, 1) || used != n || svconn_wire_sent(from, n)) fail("the link");
}

static void judge(svconn *s, const uint8_t (*known)[32]) {
    if (svconn_status(s) == SVCONN_NEEDS_VERDICT && svconn_accept_known(s, known, 1)) fail("the verdict");
}

/* The seeds of a handshake come from a counter: a random source would be measured otherwise. */
static void handshake(pair *p, const svconn_config *server, size_t room) {
    static uint64_t count;
    uint8_t seed[2][32] = {{1}, {2}};
    count++;
    for (int i = 0; i < 2; i++) memcpy(seed[i] + 8, &count, sizeof count);
    if (svconn_init(&p->client, &client_config, seed[0], p->rx[0], room, p->tx[0], room) ||
        svconn_init(&p->server, server, seed[1], p->rx[1], room, p->tx[1], room))
        fail("svconn_init");
    for (int i = 0; i < 3; i++) {
        carry(&p->server, &p->client);
        judge(&p->client, (const uint8_t(*)[32])server_key);
        carry(&p->client, &p->server);
        judge(&p->server, (const uint8_t(*)[32])client_key);
    }
    if (svconn_status(&p->client) != SVCONN_CONNECTED || svconn_status(&p->server) != SVCONN_CONNECTED)
        fail("the handshake");
}

/* Buffers for messages of 1444 bytes: svconn_wipe erases them. */
static void run_handshake_with(const svconn_config *server) {
    handshake(&fresh, server, SVCONN_BUFFER_SIZE(1444));
    svconn_wipe(&fresh.client);
    svconn_wipe(&fresh.server);
}
static void run_handshake(size_t len) { (void)len, run_handshake_with(&server_config); }
static void run_handshake_hidden(size_t len) { (void)len, run_handshake_with(&hidden_config); }

static void run_record(size_t len) {
    pair *p = &connections[mode];
    const uint8_t *got;
    size_t n;
    if (svconn_send(&p->client, bench_in, len, 1)) fail("svconn_send");
    carry(&p->client, &p->server);
    if (svconn_recv(&p->server, &got, &n) || n != len || got[len - 1] != bench_in[len - 1] ||
        svconn_recv_done(&p->server))
        fail("svconn_recv");
}

/* ---- primitives ----------------------------------------------------------------------------------------------------
 */
static void run_gcm_key(size_t len) {
    static uint64_t key[SVCONN_GCM_WORDS];
    (void)len;
    svconn_gcm_init(key, bench_key);
}
static void run_gcm_seal(size_t len) {
    svconn_gcm_seal(keys[mode], bench_nonce, bench_aad, sizeof bench_aad, bench_out, bench_in, len, bench_out + len,
                    16);
}
static void run_gcm_open(size_t len) {
    if (!svconn_gcm_open(keys[mode], bench_nonce, bench_aad, sizeof bench_aad, bench_out, bench_sealed, len,
                         bench_sealed + len, 16))
        fail("svconn_gcm_open");
}
static void run_sha256(size_t len) {
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, bench_in, len);
    svconn_sha256_final(&c, bench_out);
}
static void run_sha512(size_t len) {
    svconn_sha512_ctx c;
    svconn_sha512_init(&c);
    svconn_sha512_update(&c, bench_in, len);
    svconn_sha512_final(&c, bench_out);
}
static void run_x25519(size_t len) {
    (void)len;
    if (!svconn_x25519(bench_out, bench_scalar, bench_point)) fail("svconn_x25519");
}
static void run_x25519_keygen(size_t len) { (void)len, svconn_x25519_public(bench_out, bench_scalar); }
static void run_ed25519_keygen(size_t len) { (void)len, svconn_ed25519_public(bench_out, bench_seed); }
static void run_ed25519_sign(size_t len) {
    (void)len;
    svconn_ed25519_sign(bench_out, bench_seed, bench_public, bench_message, BENCH_MESSAGE);
}
static void run_ed25519_verify(size_t len) {
    (void)len;
    if (!svconn_ed25519_verify(bench_signature, bench_public, bench_message, BENCH_MESSAGE))
        fail("svconn_ed25519_verify");
}

/* ---- modes ---------------------------------------------------------------------------------------------------------
 */
static void identity(svconn_identity *id, uint8_t key[32], uint8_t number) {
    uint8_t seed[32];
    size_t n;
    memset(seed, number, sizeof seed);
    svconn_identity_ed25519(id, seed);
    memcpy(key, svconn_identity_bytes(id, &n) + 1, 32);
}

static void begin(void) {
    identity(&client_id, client_key[0], 3);
    identity(&server_id, server_key[0], 4);
    client_config = (svconn_config){.role = SVCONN_CLIENT, .identity = &client_id};
    client_config.known_servers = (const uint8_t(*)[32])server_key;
    client_config.known_servers_count = 1;
    server_config = (svconn_config){.role = SVCONN_SERVER, .identity = &server_id};
    hidden_config = server_config;
    hidden_config.hidden = 1;
}

static int enter(size_t m) {
    static int begun;
    if (!begun) begin();
    begun = 1;
    uint32_t usable = svconn_cpu_allow(masks[m]);
    if (m > 0 && usable != masks[m]) return 0;
    mode = m;
    if (!prepared[m]) {
        svconn_gcm_init(keys[m], bench_key);
        handshake(&connections[m], &server_config, sizeof fresh.rx[0]);
    }
    prepared[m] = 1;
    return 1;
}

const bench_peer bench_svconn = {"svconn",
                                 version,
                                 modes,
                                 MODES,
                                 enter,
                                 {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                  run_x25519_keygen, run_ed25519_keygen, run_ed25519_sign, run_ed25519_verify,
                                  run_handshake, run_handshake_hidden, run_record},
                                 NULL};
