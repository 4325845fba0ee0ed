/* SPDX-License-Identifier: ISC */
#include "codec.h"
#include "door_state.h"
#include "program.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In a child: what a program may know of the visitor. */
void door_describe(const visitor *v) {
    const visit *w = v->host;
    char hex[65] = "", fingerprint[36] = "", digits[24] = "";
    uint8_t id[33] = {SVCONN_TYPE_ED25519};
    memcpy(id + 1, w->key, 32);
    if (w->has_key) {
        hex_encode(hex, w->key, 32);
        svconn_fingerprint(fingerprint, id, sizeof id);
    }
    if (svconn_authenticator(&w->t.s, digits) != SVCONN_OK) digits[0] = 0;
    setenv("SVCONN_NAME", w->name, 1);
    setenv("SVCONN_KEY", hex, 1);
    setenv("SVCONN_FINGERPRINT", fingerprint, 1);
    setenv("SVCONN_SERVICE", w->ops ? w->ops->name : "", 1);
    setenv("SVCONN_FROM", w->from, 1);
    setenv("SVCONN_DIGITS", digits, 1);
}

void door_ask_program(visit *w, const char *command) {
    w->program = program_start(command, &w->v, NULL);
    if (w->program) return;
    say("%scannot ask the program: %s", w->t.who, strerror(errno));
    w->t.gate = GATE_NO;
}

void door_look_at_program(visit *w) {
    int good;
    if (!program_has_ended(w->program, &good)) return;
    w->program = 0;
    w->t.gate = good ? GATE_YES : GATE_NO;
}

void door_leave_program(visit *w) {
    if (!w->program) return;
    program_kill(w->program);
    if (w->door->n_leftovers < LEFTOVERS_MAX) w->door->leftovers[w->door->n_leftovers++] = w->program;
    w->program = 0;
    door_wait_for_leftovers(w->door);
}

void door_wait_for_leftovers(door *d) {
    for (size_t i = d->n_leftovers; i-- > 0;)
        if (program_has_ended(d->leftovers[i], NULL)) d->leftovers[i] = d->leftovers[--d->n_leftovers];
}
