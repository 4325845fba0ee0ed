/* SPDX-License-Identifier: ISC */
/* The way to the peer: the relay, and the peer itself. */
#include "cmd.h"
#include "codec.h"
#include "doctor.h"
#include "keyfile.h"
#include "known.h"
#include "place.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MS 15000
#define RELAY_MS 40000
#define PEER_MS 90000

/* What a child tells besides the exit codes of cmd.h */
enum { FIRST_CONTACT = 20, GOOD_ONCE = 21 };

static const char *relay_of(const doctor *d) {
    const char *relay = d->call.relay ? d->call.relay : getenv("SVCONN_RELAY");
    return relay && *relay ? relay : NULL;
}

/* ---- the relay ---- */

typedef struct {
    const doctor *d;
    int unknown; /* its key is in no file */
} relay_view;

/* As the question at the terminal, without the question: nothing is sent that is secret. */
static int trust(void *arg, const char *relay, const uint8_t key[32]) {
    relay_view *v = arg;
    char hex[65];
    int found = known_relays_find(v->d->call.party.known_relays, relay, key);
    v->unknown = found == 0;
    hex_encode(hex, key, 32);
    if (v->unknown) say("the key of %s is %s, and it is not in known_relays", relay, hex);
    if (found < 0)
        say("%s has ANOTHER KEY than the one in known_relays: %s. It was set up anew, or somebody is in between; ask "
            "its operator, and remove the old line if the new key is right",
            relay, hex);
    return found >= 0;
}

/* Calls a key that nobody has: a relay that says so is one, and is well. (A wrong token would go on our account.) */
static int address_of_nobody(char *out, size_t size, const char *relay) {
    uint8_t seed[32];
    svconn_identity nobody;
    size_t len;
    if (svconn_random(seed, sizeof seed) != 0) return EXIT_LOCAL;
    svconn_identity_ed25519(&nobody, seed);
    return place_at_relay(out, size, relay, svconn_identity_bytes(&nobody, &len) + 1, NULL, "doctor");
}

static int open_to_relay(const party_options *o, relay_view *v, const char *address) {
    static char via[VIA_MAX];
    static svconn_identity ours;
    svconn_link link;
    svconn_why why;
    uint8_t seed[32];
    svconn_link_options way = {.trust = trust, .arg = v};
    int code = o->via ? via_read(via, o->via, o->via_password, "doctor") : EXIT_DONE;
    if (code == EXIT_DONE && o->relay_key) code = keyfile_read_seed(o->relay_key, seed);
    if (code != EXIT_DONE) return code;
    if (o->via) way.via = via;
    if (o->relay_key) svconn_identity_ed25519(&ours, seed);
    if (o->relay_key) way.identity = &ours;
    if (svconn_link_open_with(&link, address, &way, OPEN_MS, &why) == 0) svconn_link_close(&link);
    else if (why.fault != SVCONN_FAULT_NOT_THERE && why.fault != SVCONN_FAULT_TOKEN) {
        say("%s", why.text);
        return why.fault == SVCONN_FAULT_CUT ? EXIT_REACH : exit_of_fault(why.fault);
    }
    return v->unknown ? FIRST_CONTACT : EXIT_DONE;
}

int doctor_try_relay(void *arg) {
    relay_view v = {.d = arg};
    char address[PEER_ADDRESS_MAX + 200];
    int code = address_of_nobody(address, sizeof address, relay_of(v.d));
    return code == EXIT_DONE ? open_to_relay(&v.d->call.party, &v, address) : code;
}

static const char *next_for(int code) {
    switch (code) {
    case PROBE_LATE:
    case EXIT_REACH:
        return "is the address right, does the relay run, and may this network connect to it? --via goes through a "
               "proxy";
    case EXIT_PEER: return "ask the operator of the relay";
    default: return NULL;
    }
}

void doctor_relay(doctor *d) {
    char text[PROBE_TEXT];
    const char *relay = relay_of(d);
    if (!relay) {
        doctor_tell(d, DOCTOR_NOTE, 0, "relay",
                    "if you want one, name it with --relay [KEY@]HOST[:PORT], or in SVCONN_RELAY", "none is named");
        return;
    }
    int code = probe_run(doctor_probes, PROBE_RELAY, d, RELAY_MS, text);
    if (strchr(relay, '@')) relay = strchr(relay, '@') + 1; /* without the key: people look at the name */
    if (code == EXIT_DONE) {
        doctor_tell(d, DOCTOR_OK, 0, "relay", NULL, "%s answers, and its key is the known one", relay);
    } else if (code == FIRST_CONTACT) {
        doctor_tell(d, DOCTOR_NOTE, 0, "relay",
                    "compare the key with what its operator says; the next command asks at the terminal and remembers "
                    "it, or write KEY@ in front of the address",
                    "%s answers; %s", relay, text);
    } else {
        int kind = code < 0 ? EXIT_REACH : code == EXIT_USAGE ? EXIT_LOCAL : code;
        doctor_tell(d, DOCTOR_FAULT, kind, "relay", next_for(code), "%s: %s", relay,
                    code < 0 ? "it did not answer in time" : text);
    }
}

/* ---- the peer ---- */

/* Of a peer whose key is not known only the link is tried: a session would need a person's yes. */
static int try_link(call *c) {
    svconn_link link;
    svconn_why why;
    if (svconn_link_open_with(&link, c->address, &c->party.link, OPEN_MS, &why) != 0) {
        say("%s", why.text);
        return exit_of_fault(why.fault);
    }
    svconn_link_close(&link);
    return FIRST_CONTACT;
}

/* No side has a service of this name, so who lets us in says which one is there. */
int doctor_try_peer(void *arg) {
    static call c;
    const doctor *d = arg;
    int code = call_open(&c, &d->call, "doctor", "doctor", d->peer);
    if (code != EXIT_DONE) return code;
    terminal_leave();
    if (!c.reusable) code = GOOD_ONCE;
    else if (!c.pinned) code = try_link(&c);
    else code = call_dial(&c);
    if (c.sorry == SORRY_NO_SERVICE) code = EXIT_DONE;
    call_close(&c);
    return code;
}

/* It refused a service that nobody has, in the words of door.c, or because it is of another version. */
static void tell_good(doctor *d, const char *text) {
    static const char hint[] = "call it with \"svconn ";
    const char *at = strstr(text, hint), *command = at ? at + strlen(hint) : "";
    int n = (int)strspn(command, "abcdefghijklmnopqrstuvwxyz-");
    if (n) doctor_tell(d, DOCTOR_OK, 0, "peer", NULL, "it is there and lets us in, for \"svconn %.*s\"", n, command);
    else
        doctor_tell(d, DOCTOR_NOTE, 0, "peer", "use the same version of svconn on both machines",
                    "it is there and knows us, but: %s", text);
}

static void tell_peer(doctor *d, int code, const char *text) {
    switch (code) {
    case EXIT_DONE: tell_good(d, text); break;
    case GOOD_ONCE:
        doctor_tell(d, DOCTOR_NOTE, 0, "peer", "use it with forward, connect or send",
                    "%s is good once, so it was not tried", d->peer);
        break;
    case FIRST_CONTACT:
        doctor_tell(d, DOCTOR_NOTE, 0, "peer",
                    "first contact has to be made with forward, connect or send, which show the key and ask",
                    "something answers at %s, and no key is known for it", d->peer);
        break;
    case PROBE_LATE:
    case PROBE_LOST:
        doctor_tell(d, DOCTOR_FAULT, EXIT_REACH, "peer", "look at the program that runs there",
                    "%s did not answer in time", d->peer);
        break;
    default: doctor_tell(d, DOCTOR_FAULT, code == EXIT_USAGE ? EXIT_LOCAL : code, "peer", NULL, "%s", text);
    }
}

void doctor_peer(doctor *d) {
    char text[PROBE_TEXT];
    if (!d->peer) return;
    int code = probe_run(doctor_probes, PROBE_PEER, d, PEER_MS, text);
    tell_peer(d, code, text);
}
