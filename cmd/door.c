/* SPDX-License-Identifier: ISC */
#include "door.h"

#include "audit.h"
#include "call.h"
#include "cmd.h"
#include "codec.h"
#include "control.h"
#include "door_state.h"
#include "entrance.h"
#include "guard.h"
#include "pairing.h"
#include "person.h"
#include "place.h"
#include "signals.h"
#include "text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void door_rows(option rows[DOOR_ROWS], door_options *o) {
    o->ban_after = 5;
    o->ban_for = 600;
    o->sessions = 64;
    const option own[DOOR_ROWS - PARTY_BASE_ROWS] = {
        {"relay", "RELAY", "wait at this relay: [KEY@]HOST[:PORT]; default: $SVCONN_RELAY", OPTION_TEXT, &o->relay, 0,
         0},
        {"allow", "WHO",
         "who may come in (may be given several times): authorized\n(the file, the default), known (verified peers of "
         "known_peers;\nseen: the others too), a NAME, a KEY, ask (a person decides\nabout keys that are not known), "
         "any",
         OPTION_LIST, &o->allow, 0, 0},
        {"ask", NULL, "a person at the terminal lets each visitor in, or not", OPTION_FLAG, &o->ask, 0, 0},
        {"ask-program", "COMMAND", "the same by a program: exit code 0 lets the visitor in", OPTION_TEXT,
         &o->ask_program, 0, 0},
        {"confirm", NULL, "a person types the digits that the visitor sees, who calls\nwith --verbose",
         OPTION_FLAG | OPTION_RARE, &o->party.confirm, 0, 0},
        {"pairing", "FILE", "write a link for one visitor, with a key in it, into FILE", OPTION_TEXT, &o->pairing, 0,
         0},
        {"hidden", NULL, "hide our key from those who do not know it (registered at a\nrelay: always)",
         OPTION_FLAG | OPTION_RARE, &o->party.hidden, 0, 0},
        {"from", "NETWORK", "only from there, such as 192.0.2.0/24 (may be given several times)",
         OPTION_LIST | OPTION_RARE, &o->from, 0, 0},
        {"not-from", "NETWORK", "not from there", OPTION_LIST | OPTION_RARE, &o->not_from, 0, 0},
        {"ban-after", "N", "failed attempts after which a source is not served; 0: never; default 5",
         OPTION_NUMBER | OPTION_RARE, &o->ban_after, 0, 1000000},
        {"ban-for", "SECONDS", "how long; default 600", OPTION_NUMBER | OPTION_RARE, &o->ban_for, 1, 1000000},
        {"sessions", "N", "visitors at once; default 64", OPTION_NUMBER | OPTION_RARE, &o->sessions, 1, 1000},
        {"audit", "FILE", "a JSON line for each attempt and session; \"-\", or \"syslog\"", OPTION_TEXT, &o->audit, 0,
         0},
        {"quiet", NULL, "say what goes wrong, and nothing else", OPTION_FLAG, &o->quiet, 0, 0},
        {"known-peers", "FILE", "default ~/.config/svconn/known_peers", OPTION_TEXT | OPTION_RARE, &o->known_peers, 0,
         0},
        {"authorized", "FILE", "default ~/.config/svconn/authorized_peers", OPTION_TEXT | OPTION_RARE, &o->authorized,
         0, 0},
        {"control", "PATH", "the socket of \"svconn sessions\"", OPTION_TEXT | OPTION_RARE, &o->control, 0, 0},
    };
    memcpy(rows, own, sizeof own);
    party_base_rows(rows + DOOR_ROWS - PARTY_BASE_ROWS, &o->party);
}

/* ---- visits ---- */

static int at_relay(const door *d) { return strncmp(d->address, "relay://", 8) == 0; }

static void sorry(visit *w, service_sorry reason, const char *text) {
    uint8_t msg[2 + SERVICE_TEXT_MAX] = {SERVICE_SORRY, (uint8_t)reason};
    size_t len = strlen(text) < SERVICE_TEXT_MAX ? strlen(text) : SERVICE_TEXT_MAX;
    memcpy(msg + 2, text, len);
    (void)!svconn_send(&w->t.s, msg, 2 + len, svconn_now()); /* no room: then without words */
}

static void end_service(visit *w) {
    if (w->state != VISIT_IN) return;
    w->ops->end(w->service);
    door_log(w, "end", door_why_ended(w));
    w->state = VISIT_LEAVING;
}

/* Says why, and closes; what still comes is dropped. */
void door_dismiss(visit *w, service_sorry reason, const char *text) {
    if (w->state == VISIT_LEAVING) return;
    if (!w->refusal) w->refusal = text;
    sorry(w, reason, text);
    end_service(w);
    w->state = VISIT_LEAVING;
    w->deadline = svconn_now() + LEAVE_MS;
    if (svconn_status(&w->t.s) != SVCONN_CONNECTED || svconn_close(&w->t.s, svconn_now()) != SVCONN_OK)
        svconn_abort(&w->t.s);
}

/* It tried to be let in and may not; who only looked whether the port is open, or was cut off, did no harm. */
static int is_guilty(const visit *w) {
    svconn_err e = svconn_error(&w->t.s);
    if (w->innocent) return 0;
    return w->guilty || exit_of_session(e) == EXIT_PEER || e == SVCONN_E_FORMAT;
}

static void depart(door *d, size_t i) {
    visit *w = d->visits[i];
    svconn_err e = svconn_error(&w->t.s);
    int was_in = w->state == VISIT_IN || w->was_in;
    end_service(w);
    person_forget(&d->person, &w->t);
    door_leave_program(w);
    if (!was_in) {
        door_log(w, "attempt", door_why_ended(w));
        if (is_guilty(w) && guard_failed(d->guard, w->from, w->has_key && w->asked ? w->key : NULL, svconn_now()))
            say("%stoo many failed attempts: %s is not served for %lu seconds", w->t.who,
                at_relay(d) ? "this key" : w->from, d->options->ban_for);
    }
    if (e != SVCONN_OK && !w->refusal) say("%s%s: %s", w->t.who, svconn_reason_name(e), svconn_strerror(e));
    else if (was_in && !d->options->quiet) say("%s%s has gone (%s)", w->t.who, w->v.name, door_why_ended(w));
    if (was_in) d->last = w->v.code ? w->v.code : w->refusal ? EXIT_LINK : exit_of_session(e);
    talk_close(&w->t);
    free(w);
    d->visits[i] = d->visits[--d->n];
}

static int may_be_pushed_out(const visit *w) {
    return w->state == VISIT_ARRIVED && talk_asks(&w->t) == TALK_ASKS_NOTHING;
}

static int end_one_that_leaves(door *d) {
    for (size_t i = 0; i < d->n; i++) {
        if (d->visits[i]->state != VISIT_LEAVING) continue;
        svconn_abort(&d->visits[i]->t.s);
        depart(d, i);
        return 1;
    }
    return 0;
}

/* The visitors who have not yet said what they want, from where this one is. */
static size_t silent_from(const door *d, const char *from) {
    size_t n = 0, host = strcspn(from, " ");
    if (strncmp(d->address, "tcp://", 6) == 0 && strrchr(from, ':')) host = (size_t)(strrchr(from, ':') - from) + 1;
    for (size_t i = 0; i < d->n; i++)
        n += may_be_pushed_out(d->visits[i]) && strncmp(d->visits[i]->from, from, host) == 0;
    return n;
}

/* Without room, one of those who have not shown who they are gives way: the oldest from the place that most come from.
 * So one place cannot push out the others, and nobody pushes out a visitor about whom a person is being asked. 0: there
 * is none. */
static int make_room(door *d) {
    size_t waiting = 0, victim = d->n, most = 0;
    if (d->n == VISITS_MAX) return end_one_that_leaves(d);
    for (size_t i = 0; i < d->n; i++) waiting += d->visits[i]->state == VISIT_ARRIVED;
    if (waiting < WAITING_MAX) return 1;
    for (size_t i = 0; i < d->n; i++) {
        const visit *w = d->visits[i];
        size_t n = may_be_pushed_out(w) ? silent_from(d, w->from) : 0;
        if (n > most || (n == most && n && w->number < d->visits[victim]->number)) {
            most = n;
            victim = i;
        }
    }
    if (victim == d->n) return 0;
    d->visits[victim]->refusal = "others came";
    svconn_abort(&d->visits[victim]->t.s);
    depart(d, victim);
    return 1;
}

static int is_served(door *d, visit *w) {
    guard_verdict verdict = guard_source(d->guard, w->from, svconn_now());
    if (verdict == GUARD_WELCOME) return 1;
    door_log(w, "attempt", verdict == GUARD_BANNED ? "banned" : "filtered");
    if (d->options->party.verbose) say("%s%s: %s", w->t.who, w->from, verdict == GUARD_BANNED ? "banned" : "filtered");
    return 0;
}

/* A relay's own address must not be taken for the visitor's: it would be filtered, or banned, for all of them. */
static void where_from(const door *d, const svconn_link *link, char *out, size_t size) {
    int direct = strncmp(d->address, "tcp://", 6) == 0,
        used = direct ? 0 : snprintf(out, size, at_relay(d) ? "relay " : "link ");
    svconn_link_peer(link, out + used, size - (size_t)used);
}

static void arrive(door *d, svconn_link *link) {
    char who[16];
    visit *w = make_room(d) ? calloc(1, sizeof *w) : NULL;
    if (!w) {
        svconn_link_close(link);
        return;
    }
    snprintf(who, sizeof who, "#%lu: ", ++d->number);
    w->door = d;
    w->number = d->number;
    w->began = svconn_now();
    w->since = time(NULL);
    w->v.t = &w->t;
    w->v.name = w->name;
    w->v.only = &w->peer.forward;
    w->v.log = door_log_part;
    w->v.describe = door_describe;
    w->v.host = w;
    where_from(d, link, w->from, sizeof w->from);
    snprintf(w->t.who, sizeof w->t.who, "%s", who);
    int served = is_served(d, w);
    if (!served) svconn_link_close(link);
    if (!served || talk_open(&w->t, &d->party, link, who) != EXIT_DONE) {
        free(w);
        return;
    }
    w->t.polite = 1;
    d->visits[d->n++] = w;
}

/* ---- HELLO, and the gate ---- */

static size_t sessions_of(const door *d, const visit *w) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += d->visits[i]->state == VISIT_IN && d->visits[i]->has_key && memcmp(d->visits[i]->key, w->key, 32) == 0;
    return n;
}

static void replace_older(door *d, const visit *w) {
    static const uint8_t none[SERVICE_INSTANCE];
    if (!w->has_key || memcmp(w->instance, none, SERVICE_INSTANCE) == 0) return;
    for (size_t i = 0; i < d->n; i++) {
        visit *old = d->visits[i];
        if (old != w && old->state == VISIT_IN && old->has_key && memcmp(old->key, w->key, 32) == 0 &&
            memcmp(old->instance, w->instance, SERVICE_INSTANCE) == 0)
            door_dismiss(old, SORRY_REPLACED, "replaced by a new session of the same caller");
    }
}

static void let_in(visit *w) {
    door *d = w->door;
    char text[SERVICE_TEXT_MAX + 1] = "there is no room for it";
    static const uint8_t welcome[1] = {SERVICE_WELCOME};
    size_t inside = 0;
    replace_older(d, w);
    for (size_t i = 0; i < d->n; i++) inside += d->visits[i]->state == VISIT_IN;
    if (inside >= d->options->sessions || (!d->stays && d->visited)) {
        door_dismiss(w, SORRY_FULL, "no more visitors are taken");
        return;
    }
    size_t most = w->listed && w->peer.sessions ? w->peer.sessions : (d->options->sessions + 1) / 2;
    if (sessions_of(d, w) >= most) { /* here: who comes back replaces one */
        door_dismiss(w, SORRY_FULL, "too many sessions of this key");
        return;
    }
    w->service = w->ops->begin(w->ops->arg, &w->v, text);
    if (!w->service) {
        snprintf(w->text, sizeof w->text, "%s", text);
        door_dismiss(w, SORRY_FAILED, w->text);
        return;
    }
    w->state = VISIT_IN;
    w->was_in = d->visited = 1;
    guard_succeeded(d->guard, w->from, w->has_key ? w->key : NULL);
    door_log(w, "begin", NULL);
    if (!d->options->quiet)
        say("%s%s is here, from %s%s", w->t.who, w->v.name, w->from,
            w->listed || !w->has_key ? "" : " (not in authorized_peers)");
    if (svconn_send(&w->t.s, welcome, sizeof welcome, svconn_now()) != SVCONN_OK) svconn_abort(&w->t.s);
}

static int gate_is_wanted(const visit *w) {
    const door_options *o = w->door->options;
    if (w->peer.no_ask) return 0;
    return o->ask || o->ask_program || w->peer.ask;
}

/* About whom somebody is asked; like: only those with the key of this one. */
static size_t count_asked(const door *d, const visit *like) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        const visit *w = d->visits[i];
        n += w->state == VISIT_ASKED && (!like || (w->has_key == like->has_key && memcmp(w->key, like->key, 32) == 0));
    }
    return n;
}

static void send_wait(visit *w) {
    static const uint8_t wait[1] = {SERVICE_WAIT};
    (void)!svconn_send(&w->t.s, wait, sizeof wait, svconn_now());
}

static void open_gate(visit *w) {
    if (!gate_is_wanted(w)) {
        let_in(w);
        return;
    }
    if (count_asked(w->door, NULL) >= ASKED_MAX || count_asked(w->door, w) >= ASKED_OF_KEY) {
        door_dismiss(w, SORRY_FULL, "too many visitors wait for an answer");
        return;
    }
    send_wait(w);
    w->state = VISIT_ASKED;
    w->asked = 1;
    w->deadline = svconn_now() + ASK_MS;
    snprintf(w->t.what, sizeof w->t.what, "%s wants to come in (%s), from %s.", w->v.name, w->ops->name, w->from);
    if (w->door->options->ask_program) door_ask_program(w, w->door->options->ask_program);
    else w->t.gate = GATE_ASKS;
}

/* forward= says what a key may have; so it may not have anything else, unless only= says so. */
static int is_only(const authorized_peer *peer, const char *service) {
    for (size_t i = 0; i < peer->only.n; i++)
        if (strcmp(peer->only.item[i], service) == 0) return 1;
    return peer->only.n == 0 && (peer->forward.n == 0 || strcmp(service, "tunnel") == 0);
}

static void take_hello(visit *w, const uint8_t *msg, size_t len) {
    const service_ops *here = NULL;
    size_t head = 2 + SERVICE_INSTANCE;
    if (!w->name[0]) {
        if (w->has_key) hex_encode(w->name, w->key, 8);
        else snprintf(w->name, sizeof w->name, "the holder of the pairing link");
    }
    if (len < 2 || len > SERVICE_HELLO_MAX || msg[0] != SERVICE_HELLO || (msg[1] == SERVICE_VERSION && len < head)) {
        w->refusal = "no hello";
        svconn_abort(&w->t.s);
        return;
    }
    if (msg[1] != SERVICE_VERSION) {
        door_dismiss(w, SORRY_NO_SERVICE, "the program there is of another version: it speaks version 1 of services");
        return;
    }
    memcpy(w->instance, msg + 2, SERVICE_INSTANCE);
    for (size_t i = 0; i < w->door->n_services; i++) {
        const service_ops *o = &w->door->services[i];
        if (strlen(o->name) == len - head && memcmp(msg + head, o->name, len - head) == 0) here = w->ops = o;
    }
    if (!here) {
        snprintf(w->text, sizeof w->text, "another service is here: call it with \"svconn %s\"",
                 w->door->services[0].caller);
        door_dismiss(w, SORRY_NO_SERVICE, w->text);
    } else if (!is_only(&w->peer, here->name)) {
        door_dismiss(w, SORRY_NOT_ALLOWED, "this key may not use this service");
    } else {
        open_gate(w);
    }
}

static void look_for_hello(visit *w) {
    const uint8_t *msg;
    size_t len;
    if (svconn_status(&w->t.s) != SVCONN_CONNECTED) return;
    if (!w->deadline) {
        w->deadline = svconn_now() + (w->t.confirmed ? HELLO_MS : ASK_MS);
        if (!w->t.confirmed) send_wait(w); /* it shows its digits now */
    }
    if (w->t.gate == GATE_NO) {
        w->guilty = 1;
        door_dismiss(w, SORRY_REFUSED, "the digits that were typed are not those that are seen here");
        return;
    }
    if (!w->t.confirmed && svconn_now() < w->deadline) return;
    svconn_err e = svconn_recv(&w->t.s, &msg, &len);
    if (e == SVCONN_OK) {
        take_hello(w, msg, len);
        (void)!svconn_recv_done(&w->t.s);
    } else if (e == SVCONN_END || svconn_now() >= w->deadline) {
        w->refusal = "no hello";
        svconn_abort(&w->t.s);
    }
}

static void look_at_gate(visit *w) {
    const uint8_t *msg;
    size_t len;
    if (w->program) door_look_at_program(w);
    if (w->t.gate == GATE_YES) let_in(w);
    else if (w->t.gate == GATE_NO) {
        w->guilty = 1;
        door_dismiss(w, SORRY_REFUSED, "refused by who was asked");
    } else if (svconn_now() >= w->deadline) door_dismiss(w, SORRY_REFUSED, "nobody answered the question");
    else if (svconn_recv(&w->t.s, &msg, &len) != SVCONN_AGAIN) svconn_abort(&w->t.s); /* it does not wait any longer */
}

/* ---- rounds ---- */

static int is_over(const visit *w) {
    svconn_state state = svconn_status(&w->t.s);
    return state == SVCONN_FAILED || state == SVCONN_CLOSED;
}

static void want(visit *w, fdset *set) {
    talk_add(&w->t, set);
    if (w->program) fdset_within(set, PROGRAM_MS);
    if (w->state == VISIT_IN) w->ops->want(w->service, set);
    else if (w->deadline && !is_over(w)) fdset_within(set, ms_until(w->deadline));
}

static void go(visit *w, const fdset *set) {
    talk_go(&w->t, set);
    person_look(&w->door->person, &w->t);
    if (w->state == VISIT_ARRIVED) look_for_hello(w);
    if (w->state == VISIT_ASKED) look_at_gate(w);
    person_look(&w->door->person, &w->t); /* the gate may have a question now */
    if (w->state == VISIT_IN) w->ops->ready(w->service, set);
    if (w->state == VISIT_LEAVING) {
        talk_drop_messages(&w->t);
        if (svconn_now() >= w->deadline) svconn_abort(&w->t.s);
    }
    talk_flush(&w->t);
}

static void stop(door *d) {
    int number = signals_next();
    if (number == SIGHUP && d->options->audit) {
        audit_reopen(&d->audit);
        return;
    }
    if (!number) return;
    d->stop_at = svconn_now() + (d->stop_at ? 0 : LEAVE_MS);
    for (size_t i = 0; i < d->n; i++) door_dismiss(d->visits[i], SORRY_ENDING, "the other side ends");
}

static int is_full(const door *d) { return !d->stays && d->visited; }

static void round_of_poll(door *d) {
    svconn_link link = SVCONN_LINK_NONE;
    struct pollfd asked;
    fdset *set = &d->set;
    fdset_clear(set);
    if (d->stop_at) fdset_within(set, ms_until(d->stop_at));
    if (d->n_leftovers) fdset_within(set, PROGRAM_MS);
    size_t signalled = fdset_add(set, d->signals, POLLIN);
    person_want(&d->person, &asked);
    size_t at_person = fdset_add(set, (int)asked.fd, asked.events);
    if (d->control) control_want(d->control, set);
    d->entrance.n = 0;
    d->entrance.once = !d->stays && d->n > 0; /* no new token while the one caller may be here */
    if (!d->stop_at) entrance_want(&d->entrance, is_full(d), set);
    for (size_t i = 0; i < d->n; i++) want(d->visits[i], set);
    fdset_wait(set);
    door_wait_for_leftovers(d);
    asked.revents = fdset_got(set, at_person);
    person_ready(&d->person, &asked);
    for (size_t i = d->n; i-- > 0;) {
        go(d->visits[i], set);
        if (talk_is_over(&d->visits[i]->t)) depart(d, i);
    }
    if (d->control) control_ready(d->control, set);
    if (entrance_ready(&d->entrance, set, &link) > 0) {
        if (is_full(d)) svconn_link_close(&link);
        else arrive(d, &link);
    }
    if (fdset_got(set, signalled)) stop(d);
}

/* A visitor that does not stay used up the only link, or token. */
static int is_done(const door *d) {
    if (d->stop_at) return d->n == 0 || svconn_now() >= d->stop_at;
    return !d->stays && d->visited && d->n == 0;
}

static int serve(door *d) {
    svconn_link link = SVCONN_LINK_NONE;
    while (!is_done(d)) {
        if (d->n == 0 && !entrance_can_poll(&d->entrance)) {
            signals_urgent(d->stays ? EXIT_DONE : EXIT_LINK);
            int came = entrance_wait(&d->entrance, &link);
            signals_urgent(-1);
            if (came <= 0) return came < 0 ? EXIT_LINK : d->last;
            arrive(d, &link);
        }
        round_of_poll(d);
    }
    return d->stop_at && d->stays ? EXIT_DONE : d->last;
}

/* ---- opening ---- */

static int check_allow(const door_options *o, const char *command) {
    uint8_t key[32];
    known_peer k;
    static const char *const words[] = {"authorized", "known", "seen", "ask", "any"};
    for (size_t i = 0; i < o->allow.n; i++) {
        const char *who = o->allow.item[i];
        int good = peer_key_parse(key, who) == 0;
        for (size_t j = 0; j < sizeof words / sizeof words[0]; j++) good |= strcmp(who, words[j]) == 0;
        if (!good && known_peers_by_name(o->known_peers, who, &k) <= 0)
            return options_fault(command,
                                 "--allow %s: this is no key, no name in known_peers, and not authorized, known, "
                                 "ask or any",
                                 who);
    }
    return EXIT_DONE;
}

static int asks_strangers(const door_options *o) {
    for (size_t i = 0; i < o->allow.n; i++)
        if (strcmp(o->allow.item[i], "ask") == 0) return 1;
    return 0;
}

static int open_party(door *d, const char *command, const char *address) {
    door_options *o = d->options;
    size_t len;
    o->party.command = command;
    o->party.by_book = 1;
    if (o->pairing) {
        if (svconn_random(d->psk, sizeof d->psk) != 0) return EXIT_LOCAL;
        o->party.pairing = d->psk;
    } else if (!d->stays && !o->party.hidden) {
        o->party.open = 1; /* who has the token does not know our key yet */
    }
    int code = party_open(&d->party, &o->party, address ? address : "relay://", SVCONN_SERVER);
    if (code != EXIT_DONE) return code;
    d->party.bulk = 1;
    d->party.ask = asks_strangers(o);
    d->party.welcome = door_judge;
    d->party.welcome_arg = d;
    if (address) {
        snprintf(d->address, sizeof d->address, "%s", address);
        return EXIT_DONE;
    }
    const uint8_t *key = d->stays ? svconn_identity_bytes(&d->party.identity, &len) + 1 : NULL;
    return place_at_relay(d->address, sizeof d->address, o->relay, key, NULL, command);
}

static int check_options(const door *d) {
    const door_options *o = d->options;
    if (o->pairing && d->stays)
        return options_fault(d->command, "--pairing is for one visitor: with --token (serve), or without --keep");
    if (o->ask && o->ask_program) return options_fault(d->command, "--ask and --ask-program: one of the two");
    return check_allow(o, d->command);
}

static void open_desk(door *d) {
    static control_ops ops = {.list = door_list, .end = door_throw_out};
    ops.arg = d;
    d->control = control_open(d->command, d->options->control, &ops);
    if (d->control) signals_remove(control_path(d->control));
}

/* The command for the other side, as it is typed. A token that changes is in the next line of "listening on". */
static void say_how_to_call(const door *d) {
    const char *full = d->entrance.listener.address, *slash = strrchr(full, '/');
    if (d->options->quiet) return;
    if (d->options->pairing)
        say("the other side does: svconn %s pairing:FILE%s   (with a copy of %s)", d->services[0].caller,
            d->services[0].operands, d->options->pairing);
    else if (at_relay(d) && slash)
        say("the other side does: svconn %s --relay %.*s %s%s", d->services[0].caller, (int)(slash - full) - 8,
            full + 8, slash + 1, d->services[0].operands);
}

static void log_event(door *d, const char *event) {
    audit_line line;
    audit_begin(&line, &d->audit, event);
    audit_text(&line, "command", d->command);
    audit_end(&line);
}

static int open_all(door *d, const char *address) {
    const door_options *o = d->options;
    int code = check_options(d);
    if (code == EXIT_DONE) code = open_party(d, d->command, address);
    if (code != EXIT_DONE) return code;
    d->guard = guard_open(d->command, &o->from, &o->not_from, o->ban_after, o->ban_for);
    if (!d->guard) return EXIT_USAGE;
    if (audit_open(&d->audit, o->audit) != 0) return EXIT_LOCAL;
    d->entrance.verbose = o->party.verbose;
    code = entrance_open(&d->entrance, d->address, &d->party.link);
    if (code == EXIT_DONE && o->pairing) code = pairing_write(o->pairing, d->entrance.listener.address, d->psk);
    if (code != EXIT_DONE) return code;
    if (d->entrance.listener.fd >= 0) {
        say("listening on %s", d->entrance.listener.address);
        say_how_to_call(d);
    }
    d->signals = signals_catch(1);
    open_desk(d);
    log_event(d, "started");
    return EXIT_DONE;
}

int door_run(door_options *o, const char *command, const char *address, const service_ops *services, size_t n_services,
             int stays) {
    static door d; /* one in a process */
    (void)fdset_raise_limit();
    d.options = o;
    d.command = command;
    d.services = services;
    d.n_services = n_services;
    d.stays = stays;
    d.last = EXIT_LINK;
    d.signals = -1;
    d.person = (person)PERSON_NONE;
    d.audit.fd = -1;
    int code = open_all(&d, address);
    if (code == EXIT_DONE) code = serve(&d);
    while (d.n > 0) {
        svconn_abort(&d.visits[d.n - 1]->t.s);
        depart(&d, d.n - 1);
    }
    if (code == EXIT_DONE || d.number) log_event(&d, "stopped");
    if (d.control) control_close(d.control);
    if (d.guard) guard_close(d.guard);
    audit_close(&d.audit);
    entrance_close(&d.entrance);
    fdset_free(&d.set);
    party_close(&d.party);
    wipe(d.psk, sizeof d.psk);
    return code;
}
