/* SPDX-License-Identifier: ISC */
#include "guest.h"

#include "cmd.h"

#include <stdlib.h>

guest *guest_begin(void *of, visitor *v, guest_opener opener, guest_closer closed) {
    guest *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->of = of;
    g->v = v;
    g->ops = (tunnel_ops){.arg = g, .open = opener, .closed = closed};
    g->t = tunnel_new(&v->t->s, &g->ops);
    if (g->t) return g;
    free(g);
    return NULL;
}

void guest_want(void *state, fdset *set) { tunnel_want(((guest *)state)->t, set); }

void guest_ready(void *state, const fdset *set) {
    guest *g = state;
    svconn *s = &g->v->t->s;
    tunnel_ready(g->t, set, NULL, NULL);
    tunnel_bytes(g->t, &g->v->in, &g->v->out);
    if (tunnel_failed_here(g->t)) g->v->code = EXIT_LOCAL;
    if (tunnel_peer_closed(g->t) && !tunnel_still_delivers(g->t) && svconn_status(s) == SVCONN_CONNECTED)
        (void)!svconn_close(s, svconn_now()); /* which says that all was taken */
}

void guest_end(void *state) {
    guest *g = state;
    tunnel_free(g->t);
    free(g);
}
