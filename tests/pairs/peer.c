/* SPDX-License-Identifier: ISC */
/*
 * The peer of the pair tests, on svconn_transport.h: for POSIX systems and Windows. The server runs in a poll loop, the client in blocking
 * calls.
 *
 *      peer server KIND            listens on 127.0.0.1, prints "port N", echoes every message of one session
 *      peer client KIND PORT       sends three messages, compares the echoes
 *
 * KIND: key, hidden or psk. Both print "authenticator DIGITS" and end with 0; after a failure with one sentence and 1. The keys are fixed:
 * anybody can know them.
 */
#include "svconn_transport.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32 /* lines end in one byte, so that what reads them need not know who wrote them */
#include <fcntl.h>
#include <io.h>
#define PLAIN_LINES() (void)_setmode(_fileno(stdout), _O_BINARY)
#else
#define PLAIN_LINES() (void)0
#endif

enum { LONGEST = 16384, GIVE_UP_MS = 30000 };

static svconn session;
static svconn_link peer = SVCONN_LINK_NONE;
static uint8_t rx[SVCONN_BUFFER_SIZE(LONGEST)], tx[SVCONN_BUFFER_SIZE(LONGEST)], psk[32];
static svconn_identity own, other; /* other: who must be there */

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    svconn_wipe(&session);
    svconn_link_close(&peer);
    exit(1);
}

static void must(svconn_err err, const char *what) {
    if (err) fail(what, svconn_strerror(err));
}

/* ---- who we are, and who they are --------------------------------------------------------------- */

static void identify(svconn_identity *id, const char *kind, svconn_role role) {
    uint8_t seed[32];
    const char *name = role == SVCONN_SERVER ? "server" : "client";
    memset(seed, role == SVCONN_SERVER ? 0x11 : 0x22, sizeof seed);
    memset(psk, 0x33, sizeof psk);
    if (strcmp(kind, "psk") == 0) must(svconn_identity_psk(id, psk, (const uint8_t *)name, strlen(name)), "identity");
    else svconn_identity_ed25519(id, seed);
}

static int is_expected(const svconn *s) {
    size_t len, want;
    const uint8_t *id = svconn_peer(s, &len), *expected = svconn_identity_bytes(&other, &want);
    return id && len == want && memcmp(id, expected, len) == 0;
}

static void answer(svconn *s, void *arg) {
    (void)arg;
    if (!is_expected(s)) (void)!svconn_refuse(s);
    else if (svconn_status(s) == SVCONN_NEEDS_PSK) (void)!svconn_give_psk(s, psk);
    else (void)!svconn_accept(s);
}

static void begin(const char *kind, svconn_role role) {
    static svconn_config config;
    static uint8_t key[1][32];
    uint8_t seed[32];
    size_t len;
    identify(&own, kind, role);
    identify(&other, kind, role == SVCONN_SERVER ? SVCONN_CLIENT : SVCONN_SERVER);
    config.role = role;
    config.identity = &own;
    config.silence_ms = GIVE_UP_MS;
    if (strcmp(kind, "hidden") == 0 && role == SVCONN_SERVER) config.hidden = 1;
    if (strcmp(kind, "hidden") == 0 && role == SVCONN_CLIENT) {
        memcpy(key[0], svconn_identity_bytes(&other, &len) + 1, 32);
        config.known_servers = (const uint8_t(*)[32])key;
        config.known_servers_count = 1;
    }
    if (svconn_random(seed, sizeof seed) != 0) fail("random", "the system gives no random bytes");
    must(svconn_init(&session, &config, seed, rx, sizeof rx, tx, sizeof tx), "svconn_init");
}

static void show_authenticator(void) {
    char digits[24];
    must(svconn_authenticator(&session, digits), "authenticator");
    printf("authenticator %s\n", digits);
}

/* ---- the server: a poll loop -------------------------------------------------------------------- */

/* Every message back, as far as there is room; CLOSE behind the last. */
static void echo(void) {
    const uint8_t *msg;
    size_t len;
    svconn_err got;
    while ((got = svconn_recv(&session, &msg, &len)) == SVCONN_OK) {
        svconn_err sent = svconn_send(&session, msg, len, svconn_now());
        if (sent == SVCONN_AGAIN) return;
        must(sent, "svconn_send");
        must(svconn_recv_done(&session), "svconn_recv_done");
    }
    if (got == SVCONN_END && svconn_status(&session) == SVCONN_CONNECTED) {
        show_authenticator();
        must(svconn_close(&session, svconn_now()), "svconn_close");
    }
}

static void server(const char *kind) {
    svconn_listener n;
    svconn_why why;
    if (svconn_listen(&n, "tcp://127.0.0.1:0", &why) != 0) fail("listen", why.text);
    printf("port %s\n", strrchr(n.address, ':') + 1);
    fflush(stdout);
    if (svconn_listener_accept(&n, &peer, GIVE_UP_MS, &why) != 0) fail("accept", why.text);
    svconn_listener_close(&n);
    begin(kind, SVCONN_SERVER);
    uint64_t end = svconn_now() + GIVE_UP_MS;
    while (!svconn_pump_is_over(&session, &peer)) {
        struct pollfd fds[2];
        int wait;
        nfds_t count = svconn_pump_want(&session, &peer, fds, &wait);
        if (wait < 0 || wait > 1000) wait = 1000;
        if (svconn_poll(fds, count, wait) < 0) fail("poll", "failed");
        (void)!svconn_pump_ready(&session, &peer, fds, count); /* svconn_error has it */
        svconn_state state = svconn_status(&session);
        if (state == SVCONN_NEEDS_VERDICT || state == SVCONN_NEEDS_PSK) answer(&session, NULL);
        echo();
        if (svconn_now() > end) fail("server", "30 seconds are over");
    }
    must(svconn_error(&session), "session");
}

/* ---- the client: blocking calls ----------------------------------------------------------------- */

static void ask(const uint8_t *msg, size_t len) {
    const uint8_t *back;
    size_t back_len;
    must(svconn_pump_send(&session, &peer, msg, len), "send");
    must(svconn_pump_recv(&session, &peer, &back, &back_len), "recv");
    if (back_len != len || (len && memcmp(back, msg, len) != 0)) fail("echo", "it is another message");
}

static void client(const char *kind, const char *port) {
    char address[40];
    svconn_why why;
    static uint8_t bytes[5000];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(7 * i);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%.5s", port);
    if (svconn_link_open(&peer, address, GIVE_UP_MS, &why) != 0) fail("connect", why.text);
    begin(kind, SVCONN_CLIENT);
    must(svconn_pump_handshake(&session, &peer, answer, NULL), "handshake");
    ask(bytes, 0);
    ask((const uint8_t *)"hello", 5);
    must(svconn_renew(&session), "renew");
    ask(bytes, sizeof bytes);
    show_authenticator();
    must(svconn_pump_close(&session, &peer), "close");
}

int main(int argc, char **argv) {
    int is_server = argc == 3 && strcmp(argv[1], "server") == 0, is_client = argc == 4 && strcmp(argv[1], "client") == 0;
    if ((!is_server && !is_client) || (strcmp(argv[2], "key") != 0 && strcmp(argv[2], "hidden") != 0 && strcmp(argv[2], "psk") != 0)) {
        fprintf(stderr, "usage: peer server KIND, or peer client KIND PORT; KIND: key, hidden or psk\n");
        return 1;
    }
    PLAIN_LINES();
    if (is_server) server(argv[2]);
    else client(argv[2], argv[3]);
    svconn_wipe(&session);
    svconn_identity_wipe(&own);
    svconn_identity_wipe(&other);
    svconn_link_close(&peer);
    return 0;
}
