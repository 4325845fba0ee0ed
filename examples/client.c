/* SPDX-License-Identifier: ISC */
/* Sends one message to the server and prints the answer.   ./client psk tcp://127.0.0.1:7001 "hello" */
#include "svconn_transport.h"
#include <stdio.h>
#include <string.h>

static void welcome(svconn *s, void *arg) { /* it has proven that it knows the key: enough for us */
    (void)arg;
    if (svconn_accept(s)) svconn_abort(s);
}

int main(int argc, char **argv) {
    static uint8_t rx[SVCONN_BUFFER_SIZE(4096)], tx[SVCONN_BUFFER_SIZE(4096)];
    uint8_t psk[32], seed[32];
    FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!f || fread(psk, 1, 32, f) != 32) return fputs("usage: client KEYFILE ADDRESS MESSAGE (32 bytes in KEYFILE)\n", stderr), 2;
    fclose(f);

    svconn_identity me;
    svconn_config config = {.role = SVCONN_CLIENT, .identity = &me};
    svconn_link link;
    svconn_why why;
    svconn s;
    if (svconn_identity_psk(&me, psk, (const uint8_t *)"client", 6) || svconn_random(seed, 32)) return 2;
    if (svconn_link_open(&link, argv[2], 5000, &why)) return fprintf(stderr, "%s\n", why.text), 1;
    if (svconn_init(&s, &config, seed, rx, sizeof rx, tx, sizeof tx)) return 2;

    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_pump_handshake(&s, &link, welcome, NULL);
    if (!err) err = svconn_pump_send(&s, &link, argv[3], strlen(argv[3]));
    if (!err) err = svconn_pump_recv(&s, &link, &msg, &len);
    if (!err) printf("%.*s\n", (int)len, (const char *)msg);
    if (!err) err = svconn_pump_close(&s, &link);
    if (err) fprintf(stderr, "%s\n", svconn_strerror(err));
    svconn_link_close(&link);
    svconn_wipe(&s);
    svconn_identity_wipe(&me);
    return err ? 1 : 0;
}
