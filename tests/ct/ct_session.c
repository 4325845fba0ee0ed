/* SPDX-License-Identifier: ISC */
/*
 * Constant time of whole sessions, by valgrind: every secret (seeds, keys, psk, messages) is marked as undefined
 * memory, so that any branch or address that depends on one is reported. Public is: what goes over the wire, public
 * keys, and what the library hands to CT_RELEASE. ct_session            handshakes of every built-in kind, records,
 * renewal, export: must be clean ct_session branch|index    a planted leak: must be reported, or the check is worth
 * nothing
 */
#include "cpu.h"
#include "svconn.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#define SECRET(p, n) ((void)VALGRIND_MAKE_MEM_UNDEFINED((p), (n)))
#define PUBLIC(p, n) ((void)VALGRIND_MAKE_MEM_DEFINED((p), (n)))

enum { KEY_PAIR, HIDDEN, PSK };
static uint8_t buffers[4][8192];

static void must(int ok) {
    if (!ok) abort();
}

static void identity(svconn_identity *id, int kind, uint8_t which) {
    uint8_t secret[32];
    memset(secret, kind == PSK ? 9 : which, 32);
    SECRET(secret, 32);
    if (kind == PSK) must(svconn_identity_psk(id, secret, &which, 1) == SVCONN_OK);
    else {
        svconn_identity_ed25519(id, secret);
        PUBLIC(id->built_in, sizeof id->built_in);
    }
}

static void carry(svconn *from, svconn *to) {
    size_t n, used;
    const uint8_t *b = svconn_wire_out(from, &n);
    if (n == 0) return;
    PUBLIC(b, n);
    must(svconn_wire_in(to, b, n, &used, 1) == SVCONN_OK && used == n);
    must(svconn_wire_sent(from, n) == SVCONN_OK);
    if (svconn_status(to) == SVCONN_NEEDS_VERDICT) must(svconn_accept(to) == SVCONN_OK);
}

static void pass_message(svconn *from, svconn *to, size_t len) {
    static uint8_t text[2000];
    const uint8_t *got;
    size_t n;
    SECRET(text, sizeof text);
    must(svconn_renew(from) == SVCONN_OK && svconn_send(from, text, len, 2) == SVCONN_OK);
    carry(from, to);
    must(svconn_recv(to, &got, &n) == SVCONN_OK && n == len);
    must(svconn_recv_done(to) == SVCONN_OK);
}

static void session(int kind) {
    svconn_identity me[2];
    uint8_t known[1][32], seed[2][32];
    identity(&me[0], kind, 1);
    identity(&me[1], kind, 2);
    memcpy(known[0], me[1].built_in + 1, 32);
    svconn_config c = {.role = SVCONN_CLIENT,
                       .identity = &me[0],
                       .known_servers = (const uint8_t(*)[32])known,
                       .known_servers_count = 1};
    svconn_config s = {.role = SVCONN_SERVER, .identity = &me[1], .hidden = kind == HIDDEN};
    svconn client, server;
    memset(seed, 5, sizeof seed);
    SECRET(seed, sizeof seed);
    must(svconn_init(&client, &c, seed[0], buffers[0], 8192, buffers[1], 8192) == SVCONN_OK);
    must(svconn_init(&server, &s, seed[1], buffers[2], 8192, buffers[3], 8192) == SVCONN_OK);
    carry(&server, &client);
    carry(&client, &server);
    carry(&server, &client);
    must(svconn_status(&client) == SVCONN_CONNECTED && svconn_status(&server) == SVCONN_CONNECTED);
    for (size_t i = 0; i < 5; i++) {
        pass_message(&client, &server, i * 333);
        pass_message(&server, &client, i * 17);
    }
    uint8_t key[100];
    char digits[24];
    must(svconn_export(&client, "x", key, 0, key, sizeof key) == SVCONN_OK &&
         svconn_authenticator(&server, digits) == SVCONN_OK);
    must(svconn_close(&client, 3) == SVCONN_OK);
    carry(&client, &server);
    svconn_wipe(&client);
    svconn_wipe(&server);
}

static void start_up(void) {
    uint8_t last[16] = {0}, draws[64];
    for (size_t i = 0; i < 64; i++) draws[i] = (uint8_t)(i * i);
    SECRET(draws, sizeof draws);
    must(svconn_seed_check(last, draws) == SVCONN_OK);
}

static volatile int sink;
static volatile const int table[256] = {1, 2, 3};

int main(int argc, char **argv) {
    volatile uint8_t secret[1] = {1}; /* volatile: the compiler may not know the value that valgrind shall not know */
    SECRET((void *)(uintptr_t)secret, 1);
    if (argc > 1 && strcmp(argv[1], "branch") == 0) {
        if (secret[0] & 1) sink = 1;
    } else if (argc > 1 && strcmp(argv[1], "index") == 0) sink = table[secret[0]];
    else if (argc > 1) { /* the backends of this mask: 3 if one of them is not usable here */
        uint32_t mask = (uint32_t)strtoul(argv[1], NULL, 0);
        if (svconn_cpu_allow(mask) != mask) return 3;
        start_up();
        for (int kind = KEY_PAIR; kind <= PSK; kind++) session(kind);
    }
    return 0;
}
