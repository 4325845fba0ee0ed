/* SPDX-License-Identifier: ISC */
/* Included before a test of sessions: all handshakes of the test are then in slices of ever other sizes. A call that leaves something to compute
 * is followed by svconn_work until there is nothing more, so the test must see no difference. One work space is enough: no
 * session keeps anything in it between two calls. */
#ifndef SVCONN_TEST_SLICED_H
#define SVCONN_TEST_SLICED_H

#include "svconn.h"

static svconn_workspace sliced_workspace;
static unsigned long sliced_calls; /* of svconn_work */

static svconn_err sliced_go_on(svconn *s, svconn_err err) {
    static const uint32_t sizes[] = {1, 3, 40, 7, 300, 2, 1000};
    while (!err && svconn_status(s) == SVCONN_WORKING) err = svconn_work(s, sizes[sliced_calls++ % 7]);
    return err;
}

static svconn_err sliced_init(svconn *s, const svconn_config *config, uint8_t seed[32], uint8_t *rx, size_t rx_size, uint8_t *tx,
                              size_t tx_size) {
    svconn_err err = svconn_init_sliced(s, &sliced_workspace, config, seed, rx, rx_size, tx, tx_size);
    return err ? err : sliced_go_on(s, err);
}

__attribute__((unused)) static svconn_err sliced_wire_in(svconn *s, const uint8_t *bytes, size_t len, size_t *used, uint64_t now_ms) {
    size_t n;
    svconn_err err = svconn_wire_in(s, bytes, len, used, now_ms);
    while (!err && svconn_status(s) == SVCONN_WORKING) {
        err = sliced_go_on(s, err);
        if (err || *used == len) break;
        err = svconn_wire_in(s, bytes + *used, len - *used, &n, now_ms);
        *used += n;
    }
    return err;
}

__attribute__((unused)) static svconn_err sliced_wire_filled(svconn *s, size_t len, uint64_t now_ms) {
    return sliced_go_on(s, svconn_wire_filled(s, len, now_ms));
}

__attribute__((unused)) static svconn_err sliced_accept(svconn *s) { return sliced_go_on(s, svconn_accept(s)); }

__attribute__((unused)) static svconn_err sliced_accept_known(svconn *s, const uint8_t (*public_keys)[32], size_t n) {
    return sliced_go_on(s, svconn_accept_known(s, public_keys, n));
}

__attribute__((unused)) static svconn_err sliced_give_psk(svconn *s, const uint8_t psk[32]) {
    return sliced_go_on(s, svconn_give_psk(s, psk));
}

__attribute__((unused)) static svconn_err sliced_prove(svconn *s, const uint8_t *proof, size_t len) {
    return sliced_go_on(s, svconn_prove(s, proof, len));
}

#undef svconn_init
#define svconn_init sliced_init
#define svconn_wire_in sliced_wire_in
#define svconn_wire_filled sliced_wire_filled
#define svconn_accept sliced_accept
#define svconn_accept_known sliced_accept_known
#define svconn_give_psk sliced_give_psk
#define svconn_prove sliced_prove

#endif
