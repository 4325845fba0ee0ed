/* SPDX-License-Identifier: ISC */
#include "call.h"

#include "cmd.h"
#include "codec.h"
#include "pairing.h"
#include "place.h"
#include "terminal.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MS 30000
#define FIRST_WORD_MS 15000
#define WELCOME_MS 30000 /* for the answer to HELLO, if nobody has to be asked */
#define ASKED_MS 150000  /* if somebody is */
#define LEAVE_MS 10000   /* for the peer's CLOSE, after ours */

void call_rows(option rows[CALL_ROWS], call_options *o) {
    const option own[CALL_ROWS - PARTY_BASE_ROWS] = {
        {"relay", "RELAY", "where the peer is found: [KEY@]HOST[:PORT]; default: $SVCONN_RELAY", OPTION_TEXT, &o->relay,
         0, 0},
        {"peer", "WHO", "if PEER is an address: the key, or the name, that must be there", OPTION_TEXT, &o->expect, 0,
         0},
        {"known-peers", "FILE", "names and keys; default ~/.config/svconn/known_peers", OPTION_TEXT | OPTION_RARE,
         &o->known_peers, 0, 0},
        {"quiet", NULL, "say what goes wrong, and nothing else", OPTION_FLAG, &o->quiet, 0, 0},
    };
    memcpy(rows, own, sizeof own);
    party_base_rows(rows + CALL_ROWS - PARTY_BASE_ROWS, &o->party);
}

int exit_of_fault(svconn_fault fault) {
    switch (fault) {
    case SVCONN_FAULT_LOCAL: return EXIT_LOCAL;
    case SVCONN_FAULT_RELAY_KEY:
    case SVCONN_FAULT_TOKEN: return EXIT_PEER;
    case SVCONN_FAULT_CUT: return EXIT_LINK;
    case SVCONN_FAULT_UNREACHABLE:
    case SVCONN_FAULT_PROXY:
    case SVCONN_FAULT_RELAY_REFUSED: /* full, or ending: later perhaps */
    case SVCONN_FAULT_NOT_THERE: break;
    }
    return EXIT_REACH;
}

int exit_of_session(svconn_err e) {
    switch (e) {
    case SVCONN_OK:
    case SVCONN_END: return EXIT_DONE;
    case SVCONN_E_ABSENT: return EXIT_REACH;
    case SVCONN_E_TYPE:
    case SVCONN_E_KEY:
    case SVCONN_E_SELF:
    case SVCONN_E_UNKNOWN:
    case SVCONN_E_PROOF:
    case SVCONN_E_SEAL:
    case SVCONN_E_REFUSED: return EXIT_PEER;
    default: return EXIT_LINK;
    }
}

/* ---- who is PEER, and where ---- */

/* The key that must be there. */
static void pin(call *c, const uint8_t key[32]) {
    memcpy(c->key, key, 32);
    c->pinned = 1;
}

static void name_it(call *c, const known_peer *k) {
    c->known = 1;
    c->verified = k->verified;
    snprintf(c->name, sizeof c->name, "%s", k->name);
}

static int take_known(call *c, const known_peer *k, const char *relay) {
    name_it(c, k);
    pin(c, k->key);
    if (k->address[0] && !relay) return place_of_peer(c->address, sizeof c->address, k->address, k->key, c->command);
    if (place_is_address(k->name)) snprintf(c->address, sizeof c->address, "%s", k->name);
    else return place_at_relay(c->address, sizeof c->address, relay, k->key, NULL, c->command);
    return EXIT_DONE;
}

/* --peer WHO, for an address. */
static int expect(call *c, const char *who) {
    known_peer k;
    uint8_t key[32];
    int found = known_peers_by_name(c->options->known_peers, who, &k);
    if (found < 0) return EXIT_LOCAL;
    if (found) {
        name_it(c, &k);
        pin(c, k.key);
        return EXIT_DONE;
    }
    if (peer_key_parse(key, who) != 0)
        return options_fault(c->command, "--peer %s is neither a name in known_peers nor a public key", who);
    pin(c, key);
    return EXIT_DONE;
}

static int take_pairing(call *c, const char *file) {
    int code = pairing_read(file, c->address, c->psk);
    c->party_options.pairing = c->psk;
    c->reusable = 0;
    return code;
}

static int resolve(call *c, const char *peer) {
    const call_options *o = c->options;
    known_peer k;
    uint8_t key[32];
    snprintf(c->name, sizeof c->name, "%s", peer);
    if (strncmp(peer, "pairing:", 8) == 0) return take_pairing(c, peer + 8);
    int found = known_peers_by_name(o->known_peers, peer, &k);
    if (found < 0) return EXIT_LOCAL;
    if (found) return take_known(c, &k, o->relay);
    if (peer_key_parse(key, peer) == 0) {
        pin(c, key);
        found = known_peers_by_key(o->known_peers, key, &k);
        if (found > 0 && !o->relay) return take_known(c, &k, NULL);
        if (found > 0) name_it(c, &k); /* at the relay that was named, wherever it was seen before */
        if (found < 0) return EXIT_LOCAL;
        return place_at_relay(c->address, sizeof c->address, o->relay, key, NULL, c->command);
    }
    if (place_is_address(peer)) {
        snprintf(c->address, sizeof c->address, "%s", peer);
        return o->expect ? expect(c, o->expect) : EXIT_DONE;
    }
    if (place_is_token(peer)) {
        c->reusable = 0;
        int code = place_at_relay(c->address, sizeof c->address, o->relay, NULL, peer, c->command);
        return code == EXIT_DONE && o->expect ? expect(c, o->expect) : code;
    }
    say("%s: \"%s\" is not in known_peers, and it is no key, no token such as 7KQ3-M2XD and no address; \"svconn "
        "peers\" "
        "lists the names, \"svconn peers trust %s KEY\" adds one",
        c->command, peer, peer_name_is_good(peer) ? peer : "NAME");
    return EXIT_PEER;
}

/* A server that hides is found among the keys that we know. */
static int know_keys(call *c) {
    party *p = &c->party;
    known_peer *list;
    size_t n;
    if (c->pinned) {
        memcpy(p->keys[p->n_keys++], c->key, 32);
    } else {
        if (known_peers_all(c->options->known_peers, &list, &n) != 0) return EXIT_LOCAL;
        for (size_t i = 0; i < n && p->n_keys < LIST_MAX; i++) memcpy(p->keys[p->n_keys++], list[i].key, 32);
        free(list);
    }
    p->config.known_servers = p->n_keys ? (const uint8_t(*)[32])p->keys : NULL;
    p->config.known_servers_count = p->n_keys;
    return EXIT_DONE;
}

/* ---- is it the right one? ---- */

static int remember(call *c, const char *name, int verified) {
    known_peer k = {.verified = verified};
    if (!peer_name_is_good(name)) {
        say("\"%s\" cannot be a name, so the peer is not remembered", name);
        return 0;
    }
    snprintf(k.name, sizeof k.name, "%.*s", PEER_NAME_MAX, name);
    memcpy(k.key, c->key, 32);
    if (known_peers_add(c->options->known_peers, &k) == 0)
        say("%s is in known_peers now (%s)", name, verified ? "verified" : "seen, not verified");
    return 1;
}

/* First contact: the person says whether it is the right one. */
static int ask(call *c) {
    char hex[65], fingerprint[36], answer[100], name[100];
    uint8_t id[33] = {SVCONN_TYPE_ED25519};
    memcpy(id + 1, c->key, 32);
    hex_encode(hex, c->key, 32);
    svconn_fingerprint(fingerprint, id, sizeof id);
    int terminal = terminal_open_waiting();
    if (terminal < 0) {
        say("%s is not known yet, and there is no terminal to ask at. Its key: %s (fingerprint %s). Compare it with "
            "what \"svconn id\" shows there, then do \"svconn peers trust NAME %s\"",
            c->name, hex, fingerprint, hex);
        return 0;
    }
    terminal_tell(terminal,
                  "%s is not known yet.\n  public key:  %s\n  fingerprint: %s\n"
                  "Somebody in between could show a key of their own. To be sure, compare the fingerprint with what\n"
                  "\"svconn id\" shows on the other machine (by telephone, say).\n"
                  "Type \"verified\" if you compared it, \"yes\" to go on without; anything else ends: ",
                  c->name, hex, fingerprint);
    terminal_line(terminal, answer, sizeof answer);
    int verified = strcmp(answer, "verified") == 0, yes = verified || strcmp(answer, "yes") == 0;
    if (yes) {
        name[0] = 0;
        if (place_is_address(c->name) && peer_name_is_good(c->name)) snprintf(name, sizeof name, "%.64s", c->name);
        else {
            terminal_tell(terminal, "A name to remember it by (nothing: it is not remembered): ");
            terminal_line(terminal, name, sizeof name);
        }
        if (name[0] && remember(c, name, verified)) snprintf(c->name, sizeof c->name, "%s", name);
    }
    terminal_close(terminal);
    return yes;
}

/* Whoever answers at an address, or knows the token, may be one whom we know and not the one whom we mean. */
static int ask_known(call *c, const known_peer *k) {
    char answer[100];
    const char *how = k->verified ? "verified" : "seen, not verified";
    int terminal = terminal_open_waiting();
    if (terminal < 0) {
        say("it is %s (%s) who answers at %s, and there is no terminal to ask whether that is right: say --peer %s",
            k->name, how, c->name, k->name);
        return 0;
    }
    terminal_tell(terminal, "It is %s (%s) who answers at %s. Is that right? Type yes: ", k->name, how, c->name);
    terminal_line(terminal, answer, sizeof answer);
    terminal_close(terminal);
    return strcmp(answer, "yes") == 0;
}

static void say_changed(const call *c, const uint8_t key[32]) {
    char expected[36], seen[36];
    const char *name = c->known ? c->name : "NAME";
    uint8_t id[33] = {SVCONN_TYPE_ED25519};
    memcpy(id + 1, c->key, 32);
    svconn_fingerprint(expected, id, sizeof id);
    memcpy(id + 1, key, 32);
    svconn_fingerprint(seen, id, sizeof id);
    say("%s has ANOTHER KEY than the one that we know. Either it was set up anew, or somebody is in between; nothing "
        "was "
        "sent.\n        fingerprint that is known:  %s\n        fingerprint of this one:    %s\n"
        "        Ask there what \"svconn id\" shows. If it is the new one: \"svconn peers forget %s\", then \"svconn "
        "peers "
        "trust %s KEY\" with the key from there.",
        c->name, expected, seen, name, name);
}

/* Answers NEEDS_VERDICT, as party.welcome. */
static int judge(void *arg, svconn *s, const char *who) {
    call *c = arg;
    known_peer k;
    size_t len;
    const uint8_t *key = svconn_peer(s, &len) + 1;
    (void)who;
    if (c->pinned) {
        if (memcmp(c->key, key, 32) == 0) return 1;
        say_changed(c, key);
        return 0;
    }
    memcpy(c->key, key, 32);
    int found = known_peers_by_key(c->options->known_peers, key, &k);
    if (found < 0) return 0;
    if (found) {
        if (!ask_known(c, &k)) return 0;
        name_it(c, &k);
    } else if (!ask(c)) {
        say("%s: not accepted, so nothing was sent", c->name);
        return 0;
    }
    c->pinned = 1; /* the next session of this call must have the same */
    return 1;
}

/* ---- opening ---- */

int call_open(call *c, const call_options *o, const char *command, const char *service, const char *peer) {
    memset(c, 0, sizeof *c);
    c->options = o;
    c->command = command;
    c->service = service;
    c->reusable = 1;
    c->party_options = o->party;
    c->party_options.command = command;
    c->party_options.by_book = 1;
    int code = svconn_random(c->instance, sizeof c->instance) == 0 ? resolve(c, peer) : EXIT_LOCAL;
    if (code == EXIT_DONE) code = party_open(&c->party, &c->party_options, c->address, SVCONN_CLIENT);
    if (code == EXIT_DONE && !c->party_options.pairing) code = know_keys(c);
    if (code != EXIT_DONE) {
        call_close(c);
        return code;
    }
    c->party.bulk = 1;
    c->party.config.early = SVCONN_EARLY_IF_SAFE;
    c->party.welcome = judge;
    c->party.welcome_arg = c;
    if (c->known && !c->verified && !o->quiet)
        say("%s was seen, but never verified: compare what \"svconn id\" shows there, then \"svconn peers verify %s\"",
            c->name, c->name);
    return EXIT_DONE;
}

void call_close(call *c) {
    if (c->open) talk_close(&c->t);
    fdset_free(&c->set);
    party_close(&c->party);
    wipe(c->psk, sizeof c->psk);
    c->open = 0;
}

/* ---- dialling ---- */

/* As soon as messages may go. */
static void greet(call *c) {
    uint8_t msg[SERVICE_HELLO_MAX] = {SERVICE_HELLO, SERVICE_VERSION};
    size_t len = strlen(c->service);
    memcpy(msg + 2, c->instance, SERVICE_INSTANCE);
    memcpy(msg + 2 + SERVICE_INSTANCE, c->service, len);
    c->greeted = svconn_send(&c->t.s, msg, 2 + SERVICE_INSTANCE + len, svconn_now()) == SVCONN_OK;
}

static void say_wait(call *c) {
    char digits[24];
    if (c->told_wait || svconn_authenticator(&c->t.s, digits) != SVCONN_OK) return;
    c->told_wait = 1;
    say("somebody is asked over there; who asks may want to know the digits that are seen here: %s", digits);
}

int call_takes(call *c, const uint8_t *msg, size_t len) {
    char text[4 * SERVICE_TEXT_MAX + 1];
    if (len == 0 || msg[0] >= SERVICE_FIRST) return 0;
    if (c->sorry) return 1; /* one is enough */
    if (msg[0] == SERVICE_WELCOME) c->welcome = 1;
    else if (msg[0] == SERVICE_WAIT) say_wait(c);
    else if (msg[0] == SERVICE_SORRY && len >= 2) {
        c->sorry = msg[1] ? msg[1] : SORRY_FAILED;
        text_escape(text, sizeof text, msg + 2, len - 2 < SERVICE_TEXT_MAX ? len - 2 : SERVICE_TEXT_MAX);
        say("%s says: %s", c->name, text);
    }
    return 1;
}

static void take_answers(call *c) {
    const uint8_t *msg;
    size_t len;
    svconn_err e = SVCONN_AGAIN;
    while (!c->welcome && (e = svconn_recv(&c->t.s, &msg, &len)) == SVCONN_OK) {
        if (!call_takes(c, msg, len)) svconn_abort(&c->t.s); /* a service that begins before its welcome */
        if (svconn_recv_done(&c->t.s) != SVCONN_OK) return;
    }
    if (e == SVCONN_END && svconn_status(&c->t.s) == SVCONN_CONNECTED) (void)!svconn_close(&c->t.s, svconn_now());
}

static int exit_of_sorry(const call *c) {
    switch (c->sorry) {
    case SORRY_NOT_ALLOWED:
    case SORRY_NO_SERVICE:
    case SORRY_REFUSED:
    case SORRY_THROWN: return EXIT_PEER;
    default: return EXIT_LINK;
    }
}

/* A peer that does not want us says nothing on the wire; help the newcomer here. */
static void say_how_to_be_allowed(const call *c) {
    size_t len;
    char hex[65];
    const uint8_t *id = svconn_identity_bytes(&c->party.identity, &len);
    if (id[0] != SVCONN_TYPE_ED25519) return;
    hex_encode(hex, id + 1, 32);
    say("perhaps our key is not allowed there (or not now, or not from here); whoever rules that machine can do there: "
        "svconn peers trust NAME %s && svconn peers allow NAME",
        hex);
}

static int lost(call *c, int before) {
    svconn_err e = svconn_error(&c->t.s);
    int code = c->sorry ? exit_of_sorry(c) : e == SVCONN_OK ? EXIT_LINK : exit_of_session(e);
    if (e != SVCONN_OK && !c->sorry && e != SVCONN_E_REFUSED)
        say("%s: %s: %s", c->name, svconn_reason_name(e), svconn_strerror(e));
    if (e == SVCONN_OK && !c->sorry) say("%s closed the session", c->name);
    c->doubtful = before && e == SVCONN_E_ABORTED;
    if (c->doubtful) {
        say_how_to_be_allowed(c);
        code = EXIT_PEER;
    }
    return code;
}

/* Whoever is called speaks first. */
static int nobody_there(const call *c) {
    say("%s: something answers there, but it is no svconn, or it does not speak", c->name);
    return EXIT_REACH;
}

static int dial_session(call *c) {
    int connected = 0;
    uint64_t end = UINT64_MAX, first_word = svconn_now() + FIRST_WORD_MS;
    while (!c->welcome) {
        if (connected && end == UINT64_MAX) end = svconn_now() + WELCOME_MS;
        if (c->told_wait == 1) {
            end = svconn_now() + ASKED_MS;
            c->told_wait = 2;
        }
        if (svconn_status(&c->t.s) == SVCONN_HANDSHAKE && svconn_now() >= first_word) return nobody_there(c);
        if (svconn_now() >= end) svconn_abort(&c->t.s);
        fdset_clear(&c->set);
        if (end != UINT64_MAX) fdset_within(&c->set, ms_until(end));
        if (svconn_status(&c->t.s) == SVCONN_HANDSHAKE) fdset_within(&c->set, ms_until(first_word));
        call_want(c, &c->set);
        fdset_wait(&c->set);
        call_ready(c, &c->set);
        connected |= svconn_status(&c->t.s) == SVCONN_CONNECTED;
        take_answers(c);
        talk_flush(&c->t);
        if (!c->welcome && (c->sorry || talk_is_over(&c->t))) return lost(c, !connected);
    }
    return EXIT_DONE;
}

int call_dial(call *c) {
    svconn_link link;
    svconn_why why;
    c->sorry = c->greeted = c->welcome = c->told_wait = c->doubtful = 0;
    if (svconn_link_open_with(&link, c->address, &c->party.link, OPEN_MS, &why) != 0) {
        say("%s", why.text);
        return exit_of_fault(why.fault);
    }
    int code = talk_open(&c->t, &c->party, &link, "");
    if (code != EXIT_DONE) return code;
    c->open = 1;
    code = dial_session(c);
    if (code != EXIT_DONE) {
        talk_close(&c->t);
        c->open = 0;
    }
    return code;
}

void call_want(call *c, fdset *set) { talk_add(&c->t, set); }

void call_ready(call *c, const fdset *set) {
    talk_go(&c->t, set);
    if (!c->greeted) {
        greet(c);
        talk_flush(&c->t);
    }
}

/* ---- the end ---- */

int call_hang_up(call *c) {
    uint64_t end = svconn_now() + LEAVE_MS;
    if (!c->open) return EXIT_LINK;
    svconn_state state = svconn_status(&c->t.s);
    if (state == SVCONN_CONNECTED) (void)!svconn_close(&c->t.s, svconn_now());
    while (!talk_is_over(&c->t)) {
        if (svconn_now() >= end) svconn_abort(&c->t.s);
        fdset_clear(&c->set);
        call_want(c, &c->set);
        fdset_within(&c->set, ms_until(end));
        fdset_wait(&c->set);
        call_ready(c, &c->set);
        talk_drop_messages(&c->t);
    }
    svconn_err e = svconn_error(&c->t.s);
    if (e != SVCONN_OK && !c->sorry) say("%s: %s: %s", c->name, svconn_reason_name(e), svconn_strerror(e));
    talk_close(&c->t);
    c->open = 0;
    return c->sorry ? exit_of_sorry(c) : exit_of_session(e);
}
