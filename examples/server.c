/* SPDX-License-Identifier: ISC */
/* Echoes to one client with the same 32-byte key.   head -c 32 /dev/urandom >psk; ./server psk tcp://127.0.0.1:7001 */
#include "svconn_transport.h"
#include <stdio.h>

static void welcome(svconn *s, void *arg) { /* it has proven that it knows the key: enough for us */
    (void)arg;
    if (svconn_accept(s)) svconn_abort(s);
}

int main(int argc, char **argv) {
    static uint8_t rx[SVCONN_BUFFER_SIZE(4096)], tx[SVCONN_BUFFER_SIZE(4096)];
    uint8_t psk[32], seed[32];
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!f || fread(psk, 1, 32, f) != 32) return fputs("usage: server KEYFILE ADDRESS (32 bytes in KEYFILE)\n", stderr), 2;
    fclose(f);

    svconn_identity me;
    svconn_config config = {.role = SVCONN_SERVER, .identity = &me};
    svconn_listener door;
    svconn_link link;
    svconn_why why;
    svconn s;
    if (svconn_identity_psk(&me, psk, (const uint8_t *)"server", 6) || svconn_random(seed, 32)) return 2;
    if (svconn_listen(&door, argv[2], &why) || svconn_listener_accept(&door, &link, -1, &why))
        return fprintf(stderr, "%s\n", why.text), 1;
    if (svconn_init(&s, &config, seed, rx, sizeof rx, tx, sizeof tx)) return 2;

    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_pump_handshake(&s, &link, welcome, NULL);
    while (!err && !(err = svconn_pump_recv(&s, &link, &msg, &len))) err = svconn_pump_send(&s, &link, msg, len);
    if (err == SVCONN_END) err = svconn_pump_close(&s, &link); /* the peer closed in order; so do we */
    if (err) fprintf(stderr, "%s\n", svconn_strerror(err));
    svconn_link_close(&link);
    svconn_listener_close(&door);
    svconn_wipe(&s);
    svconn_identity_wipe(&me);
    return err ? 1 : 0;
}
