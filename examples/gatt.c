/* SPDX-License-Identifier: ISC */
/*
 * SVC-1 over messages, for systems that have Bluetooth Low Energy only: each value that is written or notified carries one
 * record. A central and a peripheral in one program; value_of stands for the two characteristics, one written by the
 * central, one notified by the peripheral, and VALUE for ATT_MTU - 3, which the two have negotiated (here 247: a record of
 * 228 bytes of the application's). Both kinds of transfer keep the order and lose nothing while the connection lives, if
 * the stack's "no room" is not ignored; what is lost all the same is found out by the next record, which ends the session.
 *
 *      gatt        prints what the two say to each other
 */
#include "svconn.h"
#include <stdio.h>
#include <string.h>

#define VALUE 244

typedef struct {
    const char *name;
    svconn s;
    uint8_t rx[SVCONN_BUFFER_SIZE(VALUE)], tx[SVCONN_BUFFER_SIZE(VALUE)];
    uint8_t value[VALUE]; /* the characteristic that this side writes */
    size_t len;           /* 0: the other side has taken it */
} side;

/* The handshake, keep-alives and CLOSE come from the session itself. M1 and M2 with psk or Ed25519 identities have up to
 * 151 bytes: a larger one, or a smaller VALUE, is cut into pieces here, and put together by the other session. */
static void write_out(side *me) {
    size_t len;
    const uint8_t *bytes = svconn_wire_out(&me->s, &len);
    if (me->len || !len) return;
    me->len = len < VALUE ? len : VALUE;
    memcpy(me->value, bytes, me->len);
    (void)!svconn_wire_sent(&me->s, me->len);
}

/* One message, one record, one value: sealed in place. */
static int say(side *me, const char *text, uint64_t now) {
    size_t len = strlen(text);
    if (me->len || len + SVCONN_OVERHEAD > VALUE) return -1; /* not now; too long */
    memcpy(me->value + 4, text, len);
    if (svconn_seal(&me->s, me->value, len, now)) return -1;
    me->len = len + SVCONN_OVERHEAD;
    return 0;
}

/* A value has come. */
static void take(side *me, side *from, uint64_t now) {
    uint8_t *msg;
    size_t len, used;
    if (!from->len) return;
    if (svconn_status(&me->s) != SVCONN_CONNECTED) (void)!svconn_wire_in(&me->s, from->value, from->len, &used, now);
    else if (svconn_open(&me->s, from->value, from->len, &msg, &len, now) == SVCONN_OK)
        printf("%s hears: %.*s\n", me->name, (int)len, (const char *)msg);
    from->len = 0;
    if (svconn_status(&me->s) == SVCONN_NEEDS_VERDICT) (void)!svconn_accept(&me->s); /* it has proven that it has the key */
}

static int start(side *me, const char *name, const svconn_config *config, uint8_t dice) {
    uint8_t seed[32];
    memset(seed, dice, sizeof seed); /* for this demonstration: a device takes 32 bytes of its random generator */
    me->name = name;
    me->len = 0;
    return svconn_init(&me->s, config, seed, me->rx, sizeof me->rx, me->tx, sizeof me->tx) ? -1 : 0;
}

int main(void) {
    static side central, peripheral;
    static const uint8_t psk[32] = {1, 2, 3}; /* in truth: 32 random bytes that both were given */
    svconn_identity phone, board;
    svconn_config for_phone = {.role = SVCONN_CLIENT, .identity = &phone}; /* who connected is the CLIENT */
    svconn_config for_board = {.role = SVCONN_SERVER, .identity = &board};
    uint64_t now = 0;
    if (svconn_identity_psk(&phone, psk, (const uint8_t *)"phone", 5) ||
        svconn_identity_psk(&board, psk, (const uint8_t *)"board", 5) || start(&central, "phone", &for_phone, 1) ||
        start(&peripheral, "board", &for_board, 2))
        return 2;
    while (svconn_status(&central.s) != SVCONN_CONNECTED || svconn_status(&peripheral.s) != SVCONN_CONNECTED) {
        if (svconn_error(&central.s) || svconn_error(&peripheral.s) || ++now > 1000) return 1;
        write_out(&peripheral); /* the SERVER begins */
        take(&central, &peripheral, now);
        write_out(&central);
        take(&peripheral, &central, now);
    }
    if (say(&central, "open the door", now)) return 1;
    take(&peripheral, &central, now);
    if (say(&peripheral, "it is open", now)) return 1;
    take(&central, &peripheral, now);
    svconn_wipe(&central.s);
    svconn_wipe(&peripheral.s);
    svconn_identity_wipe(&phone);
    svconn_identity_wipe(&board);
    return 0;
}
