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
#include <sys/wait.h>
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
         "who may come in (may be given several times): authorized (the file,\nthe default), known (verified peers of "
         "known_peers), a NAME, a KEY,\nask (a person decides about keys that are not known), any",
         OPTION_LIST, &o->allow, 0, 0},
        {"ask", NULL, "a person at the terminal lets each visitor in, or not", OPTION_FLAG, &o->ask, 0, 0},
        {"ask-program", "COMMAND", "the same by a program: exit code 0 lets the visitor in", OPTION_TEXT,
         &o->ask_program, 0, 0},
        {"confirm", NULL, "a person types the digits that the visitor sees", OPTION_FLAG | OPTION_RARE,
         &o->party.confirm, 0, 0},
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

/* ---- the log ---- */

static void audit_visit(visit *w, const char *event, const char *why) {
    door *d = w->door;
    audit_line line;
    unsigned long long in = w->v.in, out = w->v.out;
    audit_begin(&line, &d->audit, event);
    audit_number(&line, "number", w->number);
    audit_text(&line, "from", w->from);
    if (w->has_key) audit_hex(&line, "peer", w->key, 32);
    if (w->name[0]) audit_text(&line, "name", w->name);
    audit_text(&line, "service", d->service->name);
    if (why) {
        audit_number(&line, "seconds", (svconn_now() - w->began) / 1000);
        audit_number(&line, "in", in);
        audit_number(&line, "out", out);
        audit_text(&line, "why", why);
    }
    audit_end(&line);
}

static void log_part(visitor *v, const char *event, const char *what, const char *why, unsigned long long in,
                     unsigned long long out) {
    const visit *w = v->host;
    audit_line line;
    audit_begin(&line, &w->door->audit, event);
    audit_number(&line, "number", w->number);
    audit_text(&line, "name", w->name);
    audit_text(&line, "what", what);
    audit_number(&line, "in", in);
    audit_number(&line, "out", out);
    audit_text(&line, "why", why);
    audit_end(&line);
}

/* Why a session ended, for the log: our reason, or the one of the session. */
static const char *why_ended(const visit *w) {
    svconn_err e = svconn_error(&w->t.s);
    if (w->refusal) return w->refusal;
    return e == SVCONN_OK ? "closed" : svconn_reason_name(e);
}

/* ---- who may come in ---- */

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

static size_t sessions_of(const door *d, const visit *w) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += d->visits[i]->state == VISIT_IN && d->visits[i]->has_key && memcmp(d->visits[i]->key, w->key, 32) == 0;
    return n;
}

/* What the line in authorized_peers says against it, or NULL. It counts whoever else allows the key. */
static const char *restriction(const door *d, const visit *w) {
    if (!w->listed) return NULL;
    if (!from_fits(w)) return "not from this address";
    if (w->peer.until && (int64_t)time(NULL) >= w->peer.until) return "its time is over";
    if (w->peer.sessions && sessions_of(d, w) >= w->peer.sessions) return "too many sessions of this key";
    return NULL;
}

static void look_up(door *d, visit *w) {
    known_peer k;
    w->listed = authorized_peers_by_key(d->options->authorized, w->key, &w->peer) > 0;
    if (w->listed) snprintf(w->name, sizeof w->name, "%s", w->peer.name);
    else if (known_peers_by_key(d->options->known_peers, w->key, &k) > 0)
        snprintf(w->name, sizeof w->name, "%s", k.name);
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
static int judge(void *arg, svconn *s, const char *who) {
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
    look_up(d, w);
    const char *against = restriction(d, w);
    if (against) return refuse(w, against);
    if (is_allowed_at_all(d, w)) return 1;
    return d->party.ask ? -1 : refuse(w, "not allowed");
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
    w->door->service->end(w->service);
    audit_visit(w, "end", why_ended(w));
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

static void leave_program(visit *w) {
    if (w->program > 0) {
        kill(-(pid_t)w->program, SIGTERM);
        waitpid((pid_t)w->program, NULL, 0);
    }
    if (w->program_fd >= 0) close(w->program_fd);
    w->program = 0;
    w->program_fd = -1;
}

/* It tried to be let in and may not; who only looked whether the port is open, or was cut off, did no harm. */
static int is_guilty(const visit *w) {
    svconn_err e = svconn_error(&w->t.s);
    return w->guilty || (e != SVCONN_E_REFUSED && exit_of_session(e) == EXIT_PEER) || e == SVCONN_E_FORMAT;
}

static void depart(door *d, size_t i) {
    visit *w = d->visits[i];
    svconn_err e = svconn_error(&w->t.s);
    int was_in = w->state == VISIT_IN || w->was_in;
    end_service(w);
    person_forget(&d->person, &w->t);
    leave_program(w);
    if (!was_in) {
        audit_visit(w, "attempt", why_ended(w));
        if (is_guilty(w) && guard_failed(d->guard, w->from, w->has_key ? w->key : NULL, svconn_now()))
            say("%stoo many failed attempts: %s is not served for %lu seconds", w->t.who, w->from, d->options->ban_for);
    }
    if (e != SVCONN_OK && !w->refusal) say("%s%s: %s", w->t.who, svconn_reason_name(e), svconn_strerror(e));
    else if (was_in && !d->options->quiet) say("%s%s has gone (%s)", w->t.who, w->v.name, why_ended(w));
    if (was_in) d->last = w->v.code ? w->v.code : w->refusal ? EXIT_LINK : exit_of_session(e);
    talk_close(&w->t);
    free(w);
    d->visits[i] = d->visits[--d->n];
}

/* Without room, the oldest of those who have not shown who they are gives way: who is let in comes quickly. */
static void make_room(door *d) {
    size_t oldest = d->n, waiting = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->visits[i]->state != VISIT_ARRIVED) continue;
        waiting++;
        if (oldest == d->n || d->visits[i]->number < d->visits[oldest]->number) oldest = i;
    }
    if (waiting < WAITING_MAX) return;
    svconn_abort(&d->visits[oldest]->t.s);
    d->visits[oldest]->refusal = "others came";
    depart(d, oldest);
}

static int is_served(door *d, visit *w) {
    guard_verdict verdict = guard_source(d->guard, w->from, svconn_now());
    if (verdict == GUARD_WELCOME) return 1;
    audit_visit(w, "attempt", verdict == GUARD_BANNED ? "banned" : "filtered");
    if (d->options->party.verbose) say("%s%s: %s", w->t.who, w->from, verdict == GUARD_BANNED ? "banned" : "filtered");
    return 0;
}

/* A relay's own address must not be taken for the visitor's: it would be filtered, or banned, for all of them. */
static void where_from(const door *d, const svconn_link *link, char *out, size_t size) {
    int direct = strncmp(d->address, "tcp://", 6) == 0,
        used = direct ? 0 : snprintf(out, size, "the relay or link at ");
    svconn_link_peer(link, out + used, size - (size_t)used);
}

static void arrive(door *d, svconn_link *link) {
    char who[16];
    make_room(d);
    visit *w = calloc(1, sizeof *w);
    if (!w) {
        svconn_link_close(link);
        return;
    }
    snprintf(who, sizeof who, "#%lu: ", ++d->number);
    w->door = d;
    w->number = d->number;
    w->began = svconn_now();
    w->since = time(NULL);
    w->program_fd = -1;
    w->v.t = &w->t;
    w->v.name = w->name;
    w->v.only = &w->peer.forward;
    w->v.log = log_part;
    w->v.host = w;
    where_from(d, link, w->from, sizeof w->from);
    snprintf(w->t.who, sizeof w->t.who, "%s", who);
    int served = is_served(d, w);
    if (!served) svconn_link_close(link);
    if (!served || talk_open(&w->t, &d->party, link, who) != EXIT_DONE) {
        free(w);
        return;
    }
    d->visits[d->n++] = w;
}

/* ---- HELLO, and the gate ---- */

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
    w->service = d->service->begin(d->service->arg, &w->v, text);
    if (!w->service) {
        snprintf(w->text, sizeof w->text, "%s", text);
        door_dismiss(w, SORRY_FAILED, w->text);
        return;
    }
    w->state = VISIT_IN;
    w->was_in = d->visited = 1;
    guard_succeeded(d->guard, w->from, w->has_key ? w->key : NULL);
    audit_visit(w, "begin", NULL);
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

static void open_gate(visit *w) {
    static const uint8_t wait[1] = {SERVICE_WAIT};
    if (!gate_is_wanted(w)) {
        let_in(w);
        return;
    }
    (void)!svconn_send(&w->t.s, wait, sizeof wait, svconn_now());
    w->state = VISIT_ASKED;
    w->deadline = svconn_now() + ASK_MS;
    snprintf(w->t.what, sizeof w->t.what, "%s wants to come in (%s), from %s.", w->v.name, w->door->service->name,
             w->from);
    if (w->door->options->ask_program) door_ask_program(w, w->door->options->ask_program);
    else w->t.gate = GATE_ASKS;
}

static int is_only(const text_list *only, const char *service) {
    for (size_t i = 0; i < only->n; i++)
        if (strcmp(only->item[i], service) == 0) return 1;
    return only->n == 0;
}

static void take_hello(visit *w, const uint8_t *msg, size_t len) {
    const service_ops *here = w->door->service;
    size_t head = 2 + SERVICE_INSTANCE;
    if (!w->name[0]) {
        if (w->has_key) hex_encode(w->name, w->key, 8);
        else snprintf(w->name, sizeof w->name, "the holder of the pairing link");
    }
    if (len < head || len > SERVICE_HELLO_MAX || msg[0] != SERVICE_HELLO || msg[1] != SERVICE_VERSION) {
        w->refusal = "no hello";
        svconn_abort(&w->t.s);
        return;
    }
    memcpy(w->instance, msg + 2, SERVICE_INSTANCE);
    if (len - head != strlen(here->name) || memcmp(msg + head, here->name, len - head) != 0) {
        snprintf(w->text, sizeof w->text, "another service is here: call it with \"svconn %s\"", here->caller);
        door_dismiss(w, SORRY_NO_SERVICE, w->text);
    } else if (!is_only(&w->peer.only, here->name)) {
        door_dismiss(w, SORRY_NOT_ALLOWED, "this key may not use this service");
    } else {
        open_gate(w);
    }
}

static void look_for_hello(visit *w) {
    const uint8_t *msg;
    size_t len;
    if (svconn_status(&w->t.s) != SVCONN_CONNECTED || !w->t.confirmed) return;
    if (!w->deadline) w->deadline = svconn_now() + HELLO_MS;
    svconn_err e = svconn_recv(&w->t.s, &msg, &len);
    if (e == SVCONN_OK) {
        take_hello(w, msg, len);
        (void)!svconn_recv_done(&w->t.s);
    } else if (e == SVCONN_END || svconn_now() >= w->deadline) {
        w->refusal = "no hello";
        svconn_abort(&w->t.s);
    }
}

static void look_at_gate(visit *w, const fdset *set) {
    const uint8_t *msg;
    size_t len;
    if (w->program_fd >= 0 && fdset_got(set, w->place)) door_program_ended(w);
    if (w->t.gate == GATE_YES) let_in(w);
    else if (w->t.gate == GATE_NO) {
        w->guilty = 1;
        door_dismiss(w, SORRY_REFUSED, "refused by who was asked");
    } else if (svconn_now() >= w->deadline) door_dismiss(w, SORRY_REFUSED, "nobody answered the question");
    else if (svconn_recv(&w->t.s, &msg, &len) == SVCONN_END) svconn_abort(&w->t.s); /* it does not wait any longer */
}

/* ---- rounds ---- */

static void want(visit *w, fdset *set) {
    talk_add(&w->t, set);
    if (w->program_fd >= 0) w->place = fdset_add(set, w->program_fd, POLLIN);
    if (w->state == VISIT_IN) w->door->service->want(w->service, set);
    else if (w->deadline) fdset_within(set, ms_until(w->deadline));
}

static void go(visit *w, const fdset *set) {
    talk_go(&w->t, set);
    person_look(&w->door->person, &w->t);
    if (w->state == VISIT_ARRIVED) look_for_hello(w);
    if (w->state == VISIT_ASKED) look_at_gate(w, set);
    person_look(&w->door->person, &w->t); /* the gate may have a question now */
    if (w->state == VISIT_IN) w->door->service->ready(w->service, set);
    if (w->state == VISIT_LEAVING) {
        talk_drop_messages(&w->t);
        if (svconn_now() >= w->deadline) svconn_abort(&w->t.s);
    }
    talk_flush(&w->t);
}

static void stop(door *d) {
    int number = signals_next();
    if (number == SIGHUP) {
        audit_reopen(&d->audit);
        return;
    }
    if (!number) return;
    d->stop_at = svconn_now() + (d->stop_at ? 0 : LEAVE_MS);
    for (size_t i = 0; i < d->n; i++) door_dismiss(d->visits[i], SORRY_ENDING, "the other side ends");
}

static int is_full(const door *d) { return d->n >= VISITS_MAX || (!d->stays && d->visited); }

static void round_of_poll(door *d) {
    svconn_link link = SVCONN_LINK_NONE;
    struct pollfd asked;
    fdset *set = &d->set;
    fdset_clear(set);
    if (d->stop_at) fdset_within(set, ms_until(d->stop_at));
    size_t signalled = fdset_add(set, d->signals, POLLIN);
    person_want(&d->person, &asked);
    size_t at_person = fdset_add(set, asked.fd, asked.events);
    if (d->control) control_want(d->control, set);
    d->entrance.n = 0;
    d->entrance.once = !d->stays && d->n > 0; /* no new token while the one caller may be here */
    if (!d->stop_at) entrance_want(&d->entrance, is_full(d), set);
    for (size_t i = 0; i < d->n; i++) want(d->visits[i], set);
    fdset_wait(set);
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
            int came = entrance_wait(&d->entrance, &link);
            if (came <= 0) return came < 0 ? EXIT_LINK : d->last;
            arrive(d, &link);
        }
        round_of_poll(d);
    }
    return d->stop_at && d->stays ? EXIT_DONE : d->last;
}

/* ---- the view for "svconn sessions" ---- */

static size_t list(void *arg, size_t i, char *line, size_t size) {
    static const char *const states[] = {"handshake", "waiting", "connected", "leaving"};
    door *d = arg;
    char hex[65] = "", since[24] = "";
    struct tm utc;
    if (i >= d->n) return 0;
    const visit *w = d->visits[i];
    if (w->has_key) hex_encode(hex, w->key, 32);
    if (gmtime_r(&w->since, &utc)) strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", &utc);
    int n =
        snprintf(line, size,
                 "{\"number\":%lu,\"state\":\"%s\",\"peer\":\"%s\",\"name\":\"%s\",\"service\":\"%s\",\"from\":\"%s\","
                 "\"since\":\"%s\",\"seconds\":%llu,\"in\":%llu,\"out\":%llu}",
                 w->number, states[w->state], hex, w->name, d->service->name, w->from, since,
                 (unsigned long long)((svconn_now() - w->began) / 1000), w->v.in, w->v.out);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static int throw_out(void *arg, unsigned long number) {
    door *d = arg;
    for (size_t i = 0; i < d->n; i++) {
        if (d->visits[i]->number != number) continue;
        door_dismiss(d->visits[i], SORRY_THROWN, "somebody there ended the session");
        return 1;
    }
    return 0;
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
    d->party.welcome = judge;
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
    if (o->pairing && d->stays) return options_fault(d->command, "--pairing is for one visitor: without staying");
    if (o->ask && o->ask_program) return options_fault(d->command, "--ask and --ask-program: one of the two");
    return check_allow(o, d->command);
}

static void open_desk(door *d) {
    static control_ops ops = {.list = list, .end = throw_out};
    ops.arg = d;
    d->control = control_open(d->command, d->options->control, &ops);
}

/* The command for the other side, as it is typed. A token that changes is in the next line of "listening on". */
static void say_how_to_call(const door *d) {
    const char *full = d->entrance.listener.address, *slash = strrchr(full, '/');
    if (d->options->quiet) return;
    if (d->options->pairing)
        say("the other side does: svconn %s pairing:FILE ...   (with a copy of %s)", d->service->caller,
            d->options->pairing);
    else if (at_relay(d) && slash)
        say("the other side does: svconn %s --relay %.*s %s ...", d->service->caller, (int)(slash - full) - 8, full + 8,
            slash + 1);
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
        d->signals = signals_catch(1);
    }
    open_desk(d);
    return EXIT_DONE;
}

int door_run(door_options *o, const char *command, const char *address, const service_ops *service, int stays) {
    static door d; /* one in a process */
    (void)fdset_raise_limit();
    d.options = o;
    d.command = command;
    d.service = service;
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
    if (d.control) control_close(d.control);
    if (d.guard) guard_close(d.guard);
    audit_close(&d.audit);
    entrance_close(&d.entrance);
    fdset_free(&d.set);
    party_close(&d.party);
    wipe(d.psk, sizeof d.psk);
    return code;
}
