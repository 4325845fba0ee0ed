/* SPDX-License-Identifier: ISC */
/* A program of somebody who has svconn as a package: two sessions in memory, and the 20 digits that both show. */
#include <stdio.h>
#include <string.h>
#include <svconn.h>

static void carry(svconn *from, svconn *to) {
    size_t len, used;
    const uint8_t *bytes = svconn_wire_out(from, &len);
    if (!len) return;
    (void)!svconn_wire_in(to, bytes, len, &used, 0);
    (void)!svconn_wire_sent(from, used);
    if (svconn_status(to) == SVCONN_NEEDS_VERDICT) (void)!svconn_accept(to);
}

int main(void) {
    static uint8_t buffers[4][SVCONN_BUFFER_SIZE(200)];
    static const uint8_t psk[32] = {1, 2, 3};
    uint8_t seeds[2][32], last[16] = {0}, draws[64];
    char a[24], b[24];
    svconn_identity alice, bob;
    svconn client, server;
    svconn_config call = {.role = SVCONN_CLIENT, .identity = &alice}, wait = {.role = SVCONN_SERVER, .identity = &bob};
    for (size_t i = 0; i < sizeof draws; i++) draws[i] = (uint8_t)(i * i); /* a program takes them from its system */
    memset(seeds, 7, sizeof seeds);
    if (svconn_seed_check(last, draws) || svconn_identity_psk(&alice, psk, (const uint8_t *)"alice", 5) ||
        svconn_identity_psk(&bob, psk, (const uint8_t *)"bob", 3) ||
        svconn_init(&client, &call, seeds[0], buffers[0], sizeof buffers[0], buffers[1], sizeof buffers[1]) ||
        svconn_init(&server, &wait, seeds[1], buffers[2], sizeof buffers[2], buffers[3], sizeof buffers[3]))
        return 2;
    for (int i = 0; i < 3; i++) carry(&server, &client), carry(&client, &server);
    if (svconn_authenticator(&client, a) || svconn_authenticator(&server, b) || strcmp(a, b) != 0) return 1;
#if defined(SVCONN_WANT_PORTABLE_ONLY) && !defined(SVCONN_PORTABLE_ONLY)
#error "the switches of the library did not reach the program"
#endif
    printf("svconn %s %s\n", SVCONN_VERSION, a);
    svconn_wipe(&client);
    svconn_wipe(&server);
    return 0;
}
