/* SPDX-License-Identifier: ISC */
/*
 * What the images of tests/embedded share: two sessions in one memory, all from small numbers, and what this build of the library has
 * (crypto/profile.h).
 */
#ifndef SVCONN_TEST_LAB_H
#define SVCONN_TEST_LAB_H

#include "board.h"
#include "crypto.h"
#include "profile.h"
#include "svconn.h"
#include <string.h>

#ifdef SVCONN_CLIENT_ONLY
#define HAVE_SERVER 0
#else
#define HAVE_SERVER 1
#endif
#ifdef SVCONN_SERVER_ONLY
#define HAVE_CLIENT 0
#else
#define HAVE_CLIENT 1
#endif
#ifdef SVCONN_PSK_ONLY
#define HAVE_ED25519 0
#else
#define HAVE_ED25519 1
#endif
#ifdef SVCONN_NO_PSK
#define HAVE_PSK 0
#else
#define HAVE_PSK 1
#endif
#if defined(SVCONN_NO_CUSTOM) || defined(SVCONN_PSK_ONLY) || defined(CT_SESSIONS) /* which calls no primitives */
#define HAVE_CUSTOM 0
#else
#define HAVE_CUSTOM 1
#endif
#if defined(SVCONN_NO_HIDDEN) || defined(SVCONN_PSK_ONLY)
#define HAVE_HIDDEN 0
#else
#define HAVE_HIDDEN 1
#endif

#ifndef LAB_MESSAGE
#define LAB_MESSAGE 1500 /* longest message; all of it fits into 16 KB of RAM */
#endif
enum { LAB_BUFFER = SVCONN_BUFFER_SIZE(LAB_MESSAGE), LAB_NOW = 1000 };
typedef enum { ED25519, HIDDEN, PSK, CUSTOM } kind; /* of an identity; HIDDEN: a hidden SERVER with an Ed25519 key */

static const char *const kind_name[] = {"key", "hidden key", "psk", "custom"};
static const int kind_is_here[] = {HAVE_ED25519, HAVE_HIDDEN, HAVE_PSK, HAVE_CUSTOM};

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity me;
    uint8_t custom[3];                  /* the custom identity */
    uint8_t custom_key[32];             /* what we prove with */
    uint8_t peer_custom_key[32];        /* what the peer proves with */
    uint8_t psk[32];                    /* what we hold for the peer's name */
    uint8_t refuses, holds;             /* refuses the peer; leaves questions open */
    uint8_t rx[LAB_BUFFER], tx[LAB_BUFFER];
} party;

static party client, server;
static uint8_t known_servers[2][32]; /* the second one is right */
static unsigned lab_secrets;         /* another number: other secrets */

__attribute__((unused)) static party *other(const party *p) { return p == &client ? &server : &client; }

__attribute__((unused)) static void fill(uint8_t *b, size_t n, unsigned number) {
    uint32_t x = number * UINT32_C(2654435761) + 1;
    for (size_t i = 0; i < n; i++) {
        x = x * UINT32_C(1664525) + UINT32_C(1013904223);
        b[i] = (uint8_t)(x >> 24);
    }
}

__attribute__((unused)) static void no_identity(svconn_identity *id) { memset(id, 0, sizeof *id); }

__attribute__((unused)) static void lab_identity(party *p, kind k) {
    uint8_t bytes[32];
    int i_serve = p == &server;
    unsigned mine = (i_serve ? 2u : 3u) + 10 * lab_secrets, theirs = (i_serve ? 3u : 2u) + 10 * lab_secrets;
    fill(bytes, 32, mine);
    fill(p->custom_key, 32, mine);
    fill(p->peer_custom_key, 32, theirs);
    fill(p->psk, 32, 1 + 10 * lab_secrets);
    p->custom[0] = 0x80;
    p->custom[1] = i_serve ? 's' : 'c';
    no_identity(&p->me);
#if HAVE_ED25519
    if (k == ED25519 || k == HIDDEN) svconn_identity_ed25519(&p->me, bytes);
#endif
#if HAVE_PSK
    if (k == PSK && svconn_identity_psk(&p->me, p->psk, (const uint8_t *)(i_serve ? "server" : "client"), 6)) no_identity(&p->me);
#endif
#if HAVE_CUSTOM
    if (k == CUSTOM && svconn_identity_custom(&p->me, p->custom, sizeof p->custom)) no_identity(&p->me);
#endif
    p->config.identity = &p->me;
}

/* Both parties, with their configuration but without a session */
__attribute__((unused)) static void lab_prepare(kind server_kind, kind client_kind) {
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    server.config.role = SVCONN_SERVER;
    client.config.role = SVCONN_CLIENT;
    server.config.hidden = server_kind == HIDDEN;
    server.config.peer_types = client.config.peer_types = (HAVE_ED25519 ? SVCONN_PEER_ED25519 : 0u) | (HAVE_PSK ? SVCONN_PEER_PSK : 0u) |
                                                          (HAVE_CUSTOM ? SVCONN_PEER_CUSTOM : 0u);
    lab_identity(&server, server_kind);
    lab_identity(&client, client_kind);
    if (server_kind != ED25519 && server_kind != HIDDEN) return;
    size_t len;
    fill(known_servers[0], 32, 9);
    memcpy(known_servers[1], svconn_identity_bytes(&server.me, &len) + 1, 32);
#if HAVE_HIDDEN
    client.config.known_servers = (const uint8_t(*)[32])known_servers;
    client.config.known_servers_count = 2;
#endif
}

__attribute__((unused)) static svconn_err lab_begin(party *p, unsigned seed_number) {
    uint8_t seed[32];
    fill(seed, 32, seed_number);
    return svconn_init(&p->s, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx);
}

#if HAVE_CUSTOM
/* A custom proof: HMAC-SHA-256 */
static void custom_proof(uint8_t proof[32], const uint8_t key[32], const uint8_t *text, size_t len) {
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, key, 32);
    svconn_hmac_update(&c, text, len);
    svconn_hmac_final(&c, proof);
}
#endif

static int peer_is_right(party *p) {
    size_t id_len;
    const uint8_t *id = svconn_peer(&p->s, &id_len);
    if (p->refuses) return 0;
    if (id && id[0] < SVCONN_TYPE_CUSTOM) return 1; /* the session has verified it */
#if HAVE_CUSTOM
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], want[32];
    const uint8_t *proof;
    size_t proof_len, n;
    if (svconn_peer_proof(&p->s, &proof, &proof_len, text, &n)) return 0;
    custom_proof(want, p->peer_custom_key, text, n);
    return proof_len == 32 && memcmp(proof, want, 32) == 0;
#else
    return 0;
#endif
}

/* Answers what the session asks. */
__attribute__((unused)) static void lab_answer(party *p) {
    for (int i = 0; i < 5 && !p->holds; i++) {
        svconn_state state = svconn_status(&p->s);
        if (state == SVCONN_NEEDS_VERDICT) (void)!(peer_is_right(p) ? svconn_accept(&p->s) : svconn_refuse(&p->s));
#if HAVE_PSK
        else if (state == SVCONN_NEEDS_PSK) (void)!svconn_give_psk(&p->s, p->psk);
#endif
#if HAVE_CUSTOM
        else if (state == SVCONN_NEEDS_PROOF) {
            uint8_t text[SVCONN_PROOF_MESSAGE_MAX], proof[32];
            size_t n;
            if (svconn_proof_message(&p->s, text, &n)) return;
            custom_proof(proof, p->custom_key, text, n);
            (void)!svconn_prove(&p->s, proof, 32);
        }
#endif
        else return;
    }
}

/* Hands n bytes to p, which answers what comes of it. */
__attribute__((unused)) static svconn_err lab_hand(party *p, const uint8_t *b, size_t n) {
    size_t done = 0, used;
    svconn_err err = SVCONN_OK;
    while (done < n && !err) {
        err = svconn_wire_in(&p->s, b + done, n - done, &used, LAB_NOW);
        done += used;
        lab_answer(p);
        if (used == 0) break;
    }
    return svconn_error(&p->s);
}

/* All that p has for the link goes to the other. Returns how many bytes. */
__attribute__((unused)) static size_t lab_carry(party *p) {
    size_t n;
    lab_answer(p);
    const uint8_t *b = svconn_wire_out(&p->s, &n);
    if (n) (void)lab_hand(other(p), b, n);
    return svconn_wire_sent(&p->s, n) ? 0 : n;
}

__attribute__((unused)) static int lab_both_connected(void) {
    return svconn_status(&client.s) == SVCONN_CONNECTED && svconn_status(&server.s) == SVCONN_CONNECTED;
}

/* The whole handshake */
__attribute__((unused)) static int lab_connect(kind server_kind, kind client_kind) {
    lab_prepare(server_kind, client_kind);
    if (lab_begin(&server, 101) || lab_begin(&client, 100)) return 0;
    while (lab_carry(&server) + lab_carry(&client) > 0) {}
    return lab_both_connected();
}

#endif
