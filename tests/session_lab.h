/* SPDX-License-Identifier: ISC */
/* One end of a session with a psk, for tests of links: the other end is another process with the same. */
#ifndef SVCONN_SESSION_LAB_H
#define SVCONN_SESSION_LAB_H

#include "svconn_transport.h"
#include "test.h"

static uint8_t rx[SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)], tx[SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)];
static svconn_identity me;
static svconn_config config;
static svconn session;

static int is(svconn_err e, svconn_err want) {
    if (e == want) return 1;
    printf("  got %s, want %s\n", svconn_reason_name(e), svconn_reason_name(want));
    return 0;
}

static void welcome(svconn *s, void *arg) {
    (void)arg;
    CHECK(is(svconn_accept(s), SVCONN_OK));
}

static void make_session(svconn_role role) {
    static const uint8_t psk[32] = {1, 2, 3};
    uint8_t seed[32];
    CHECK(svconn_identity_psk(&me, psk, (const uint8_t *)(role == SVCONN_CLIENT ? "client" : "server"), 6) ==
          SVCONN_OK);
    config.role = role;
    config.identity = &me;
    CHECK(svconn_random(seed, 32) == 0);
    CHECK(svconn_init(&session, &config, seed, rx, sizeof rx, tx, sizeof tx) == SVCONN_OK);
}

/* Sends everything back over the link until the peer closes. */
static void echo_all(svconn_link *link) {
    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_pump_handshake(&session, link, welcome, NULL);
    while (!err && !(err = svconn_pump_recv(&session, link, &msg, &len)))
        err = svconn_pump_send(&session, link, msg, len);
    CHECK(is(err, SVCONN_END) && is(svconn_pump_close(&session, link), SVCONN_OK));
}

/* Takes one message and breaks off. */
static void abort_after_one(svconn_link *link) {
    const uint8_t *msg;
    size_t len;
    CHECK(is(svconn_pump_handshake(&session, link, welcome, NULL), SVCONN_OK));
    CHECK(is(svconn_pump_recv(&session, link, &msg, &len), SVCONN_OK));
    svconn_abort(&session);
    CHECK(is(svconn_pump_close(&session, link), SVCONN_E_CANCELLED));
}

#endif
