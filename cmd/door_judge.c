/* SPDX-License-Identifier: ISC */
/* Who may come in: --allow, and what authorized_peers says. */
#include "codec.h"
#include "door_state.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static int is_allowed(door *d, visit *w, const char *who) {
    known_peer k;
    uint8_t key[32];
    if (strcmp(who, "authorized") == 0) return w->listed;
    if (strcmp(who, "any") == 0) return 1;
    if (strcmp(who, "known") == 0 || strcmp(who, "seen") == 0) {
        int found = known_peers_by_key(d->options->known_peers, w->key, &k);
        return found > 0 && (k.verified || *who == 's');
    }
    if (known_peers_by_name(d->options->known_peers, who, &k) > 0) return memcmp(k.key, w->key, 32) == 0;
    return peer_key_parse(key, who) == 0 && memcmp(key, w->key, 32) == 0;
}

static int is_allowed_at_all(door *d, visit *w) {
    const text_list *allow = &d->options->allow;
    if (allow->n == 0) return w->listed;
    for (size_t i = 0; i < allow->n; i++)
        if (strcmp(allow->item[i], "ask") != 0 && is_allowed(d, w, allow->item[i])) return 1;
    return 0;
}

static int from_fits(const visit *w) {
    uint8_t address[16];
    network n;
    if (w->peer.from.n == 0) return 1;
    if (network_of_peer(address, w->from) != 0) return 0;
    for (size_t i = 0; i < w->peer.from.n; i++)
        if (network_parse(&n, w->peer.from.item[i]) == 0 && network_has(&n, address)) return 1;
    return 0;
}

/* What the line in authorized_peers says against it, or NULL. It counts whoever else allows the key. */
static const char *restriction(const visit *w) {
    if (!w->listed) return NULL;
    if (!from_fits(w)) return "not from this address";
    if (w->peer.until && (int64_t)time(NULL) >= w->peer.until) return "its time is over";
    return NULL;
}

/* -1: the file cannot be read, so nobody knows what it says against this key. */
static int look_up(door *d, visit *w) {
    known_peer k;
    int found = authorized_peers_by_key(d->options->authorized, w->key, &w->peer);
    w->listed = found > 0;
    if (w->listed) snprintf(w->name, sizeof w->name, "%s", w->peer.name);
    else if (known_peers_by_key(d->options->known_peers, w->key, &k) > 0)
        snprintf(w->name, sizeof w->name, "%s", k.name);
    return found < 0 ? -1 : 0;
}

/* For no fault of the visitor: it is not counted against it. */
static int not_now(visit *w, const char *why) {
    w->refusal = why;
    w->innocent = 1;
    say("%srefused: %s", w->t.who, why);
    return 0;
}

/* Others of this key who have not said what they want; and all about whom a person is asked. */
static size_t arrived_of_key(const door *d, const visit *w) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        const visit *o = d->visits[i];
        n += o != w && o->state == VISIT_ARRIVED && o->has_key && memcmp(o->key, w->key, 32) == 0;
    }
    return n;
}

static size_t strangers_asked_about(const door *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) n += talk_asks(&d->visits[i]->t) == TALK_ASKS_VERDICT;
    return n;
}

static int refuse(visit *w, const char *why) {
    char hex[65], fingerprint[36];
    uint8_t id[33] = {SVCONN_TYPE_ED25519};
    memcpy(id + 1, w->key, 32);
    svconn_fingerprint(fingerprint, id, sizeof id);
    hex_encode(hex, w->key, 32);
    w->refusal = why;
    w->guilty = 1;
    if (strcmp(why, "not allowed") != 0) say("%srefused: %s: %s", w->t.who, w->name[0] ? w->name : hex, why);
    else
        say("%srefused: a key that is not allowed\n        public key:  %s\n        fingerprint: %s\n"
            "        to allow it:  svconn peers trust NAME %s && svconn peers allow NAME",
            w->t.who, hex, fingerprint, hex);
    return 0;
}

/* Answers NEEDS_VERDICT, as party.welcome. */
int door_judge(void *arg, svconn *s, const char *who) {
    door *d = arg;
    visit *w = NULL;
    size_t len;
    (void)who;
    for (size_t i = 0; i < d->n; i++)
        if (&d->visits[i]->t.s == s) w = d->visits[i];
    if (!w) return 0;
    if (w->judged) return -1; /* the person is being asked */
    w->judged = w->has_key = 1;
    memcpy(w->key, svconn_peer(s, &len) + 1, 32);
    if (guard_key(d->guard, w->key, svconn_now()) != GUARD_WELCOME) return refuse(w, "banned");
    if (look_up(d, w) != 0) return not_now(w, "authorized_peers cannot be read");
    const char *against = restriction(w);
    if (against) return refuse(w, against);
    if (arrived_of_key(d, w) >= ARRIVED_OF_KEY) return not_now(w, "too many connections of this key at once");
    if (is_allowed_at_all(d, w)) return 1;
    if (!d->party.ask) return refuse(w, "not allowed");
    if (strangers_asked_about(d) > ASKED_MAX) return not_now(w, "too many others are asked about");
    w->asked = 1;
    return -1;
}
