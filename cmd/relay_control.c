/* SPDX-License-Identifier: ISC */
/*
 * The relay's side of relay_wire.h: a session, one request, and then either a refusal or somebody to be joined with.
 *
 * R2, the token: session number N (20 bits, random, free), T the time, K 32 random bytes of this session;
 * tau = HMAC-SHA-256(K, "svconn relay token" || 00 || N || T) cut to 20 bits; token = N || tau. It is good once, for
 * token_life seconds. Guesses cost their source (relay_source.c), and after MISSES_MAX wrong tau for one N that token
 * is withdrawn: so a token is hit with a chance of at most MISSES_MAX in 2^20 over its whole life, by all sources
 * together.
 */
#include "ct.h"
#include "crypto.h"
#include "relay_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MISSES_MAX 5
#define TOKENS_MAX (1u << 18) /* a quarter of the numbers: a free one is found soon */
#define CALLERS_MAX 16        /* that wait for one machine */
#define SILENCE_MS 75000      /* of a machine, which sends a keep-alive every 20 s */
#define TURNS 16              /* reads of one session, before others have their turn */
#define FIRST_LOOK_MS 20000   /* at who waits: its session has keep-alives to send, and says when once it was asked */

/* ---- the session -------------------------------------------------------------------------------- */

static void free_control(conn *c) {
    if (!c->control) return;
    svconn_wipe(&c->control->s);
    ct_wipe(c->control, sizeof *c->control);
    free(c->control);
    c->control = NULL;
}

/* Sends what the session has to say. */
static void flush(relay *r, conn *c) {
    size_t len;
    const uint8_t *bytes = svconn_wire_out(&c->control->s, &len);
    if (len == 0 || !c->can_write) return;
    ssize_t n = svconn_fd_write(c->fd, bytes, len);
    if (n < 0 && errno != EAGAIN) {
        conn_drop(r, c);
        return;
    }
    if (n < (ssize_t)len) c->can_write = 0;
    if (n > 0 && svconn_wire_sent(&c->control->s, (size_t)n)) conn_drop(r, c);
}

static size_t unsent(const conn *c) {
    size_t len;
    (void)svconn_wire_out(&c->control->s, &len);
    return len;
}

static uint64_t seconds(unsigned long n) { return (uint64_t)n * 1000; }

static void enter(relay *r, conn *c, conn_state state, uint64_t ms) {
    c->state = (uint8_t)state;
    c->since = r->now;
    conn_due(r, c, r->now + (ms < FIRST_LOOK_MS ? ms : FIRST_LOOK_MS));
}

int control_begin(relay *r, conn *c) {
    uint8_t seed[32];
    c->control = calloc(1, sizeof *c->control);
    if (!c->control || svconn_random(seed, sizeof seed) != 0) return -1;
    control *k = c->control;
    if (svconn_init(&k->s, &r->config, seed, k->rx, sizeof k->rx, k->tx, sizeof k->tx)) return -1;
    enter(r, c, CONN_HELLO, seconds(r->options->hello));
    flush(r, c);
    return 0;
}

/* A message; sent at the end of the round. */
static void answer(relay *r, conn *c, const uint8_t *msg, size_t len) {
    if (svconn_send(&c->control->s, msg, len, r->now)) conn_drop(r, c);
}

void control_refuse(relay *r, conn *c, svconn_relay_reason reason) {
    uint8_t msg[2] = {RELAY_NO, (uint8_t)reason};
    if (svconn_status(&c->control->s) == SVCONN_CONNECTED) answer(r, c, msg, sizeof msg);
    else svconn_abort(&c->control->s);
    if (c->state != CONN_DEAD) flush(r, c);
    conn_leave(r, c);
}

/* ---- joining ------------------------------------------------------------------------------------ */

/* As if both were joined already. */
static int is_full(const relay *r, conn *listening, conn *calling) {
    source_count(listening->src, 0, 1);
    source_count(calling->src, 0, 1);
    int full = r->count.pairs >= r->options->joined;
    full |= !source_has_room(listening->src, UINT32_MAX, r->options->source_joined);
    full |= !source_has_room(calling->src, UINT32_MAX, r->options->source_joined);
    source_count(listening->src, 0, -1);
    source_count(calling->src, 0, -1);
    return full;
}

static void tell_joined(relay *r, conn *c, svconn_role role) {
    uint8_t msg[2] = {RELAY_JOINED, (uint8_t)role};
    answer(r, c, msg, sizeof msg);
    if (c->state != CONN_DEAD) flush(r, c);
}

/* Both have been silent since their request, so the socket takes the few bytes at once, or is no good. */
static void join(relay *r, conn *listening, conn *calling) {
    if (is_full(r, listening, calling)) {
        r->count.refused_full++;
        control_refuse(r, calling, RELAY_NO_ROOM);
        if (listening->state != CONN_TOKEN) control_refuse(r, listening, RELAY_NO_ROOM);
        return;
    }
    tell_joined(r, listening, SVCONN_SERVER);
    tell_joined(r, calling, SVCONN_CLIENT);
    conn *both[2] = {listening, calling};
    int good = 1;
    for (int i = 0; i < 2; i++) good &= both[i]->state != CONN_DEAD && unsent(both[i]) == 0;
    for (int i = 0; i < 2; i++) {
        conn *c = both[i];
        if (!good) {
            conn_drop(r, c);
            continue;
        }
        control_gone(r, c);
        index_remove(r, c);
        source_count(c->src, -1, 1);
    }
    if (good) forward_begin(r, listening, calling);
}

/* ---- R2: tokens --------------------------------------------------------------------------------- */

static uint32_t token_mac(const uint8_t secret[32], uint32_t number, uint64_t born) {
    static const uint8_t label[] = "svconn relay token";
    uint8_t fields[12], mac[32];
    svconn_hmac_ctx h;
    for (int i = 0; i < 4; i++) fields[i] = (uint8_t)(number >> (24 - 8 * i));
    for (int i = 0; i < 8; i++) fields[4 + i] = (uint8_t)(born >> (56 - 8 * i));
    svconn_hmac_init(&h, secret, 32);
    svconn_hmac_update(&h, label, sizeof label);
    svconn_hmac_update(&h, fields, sizeof fields);
    svconn_hmac_final(&h, mac);
    return (uint32_t)mac[0] << 12 | (uint32_t)mac[1] << 4 | mac[2] >> 4;
}

static conn *find_token(const relay *r, uint32_t number) {
    conn *c = NULL;
    while ((c = index_find(r, number, c)) != NULL)
        if (c->state == CONN_TOKEN) return c;
    return NULL;
}

/* A number that no session has. 0, or -1. */
static int free_number(const relay *r, uint32_t *number) {
    uint8_t bytes[4];
    if (r->count.waiting >= TOKENS_MAX) return -1;
    do {
        if (svconn_random(bytes, sizeof bytes) != 0) return -1;
        *number = ((uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]) & 0xfffff;
    } while (find_token(r, *number));
    return 0;
}

/* Those who wait may take three quarters of what is not joined: the rest is for those who come to be joined. */
static int may_wait(const relay *r) {
    return r->count.waiting + r->count.registered < r->options->open / 4 * 3 + r->options->open % 4 * 3 / 4;
}

static void request_listen(relay *r, conn *c) {
    uint8_t msg[RELAY_MESSAGE_MAX] = {RELAY_TOKEN};
    char text[RELAY_TOKEN_LEN + 1];
    uint32_t number;
    control *k = c->control;
    if (!may_wait(r) || free_number(r, &number) != 0 || svconn_random(k->secret, 32) != 0) {
        control_refuse(r, c, RELAY_NO_ROOM);
        return;
    }
    k->born = r->now;
    svconn_token_write(text, (uint64_t)number << 20 | token_mac(k->secret, number, k->born));
    unsigned long life = r->options->token_life;
    size_t name = r->options->name ? strlen(r->options->name) : 0;
    memcpy(msg + 1, text, RELAY_TOKEN_LEN);
    msg[1 + RELAY_TOKEN_LEN] = (uint8_t)(life >> 8);
    msg[2 + RELAY_TOKEN_LEN] = (uint8_t)life;
    if (name) memcpy(msg + 3 + RELAY_TOKEN_LEN, r->options->name, name);
    enter(r, c, CONN_TOKEN, seconds(life));
    index_put(r, c, number);
    r->count.waiting++;
    r->count.tokens++;
    answer(r, c, msg, 3 + RELAY_TOKEN_LEN + name);
}

/* Somebody named this session with a wrong tau. */
static void count_miss(relay *r, conn *c) {
    if (++c->control->misses < MISSES_MAX) return;
    r->count.tokens_withdrawn++;
    report(r, "withdrawn", ",\"conn\":%llu", (unsigned long long)c->id);
    control_refuse(r, c, RELAY_NO_WITHDRAWN);
}

static void wrong_token(relay *r, conn *c) {
    char from[64] = "";
    r->count.tokens_wrong++;
    if (c->src) {
        source_wrong(c->src, r->now);
        source_text(c->src, from);
    }
    report(r, "wrong-token", ",\"conn\":%llu,\"source\":\"%s\"", (unsigned long long)c->id, from);
    control_refuse(r, c, RELAY_NO_TOKEN);
}

static void request_call(relay *r, conn *c, const uint8_t *body) {
    static const uint8_t nobody[32];
    char text[RELAY_TOKEN_LEN + 1];
    uint64_t token;
    memcpy(text, body, RELAY_TOKEN_LEN);
    text[RELAY_TOKEN_LEN] = 0;
    if (svconn_token_read(&token, text) != 0) {
        control_refuse(r, c, RELAY_NO_REQUEST);
        return;
    }
    if (c->src && !source_may_try(c->src, r->now)) {
        r->count.tokens_slowed++;
        control_refuse(r, c, RELAY_NO_SLOWER);
        return;
    }
    uint32_t number = (uint32_t)(token >> 20), tau = (uint32_t)token & 0xfffff;
    conn *waiting = find_token(r, number);
    uint32_t want =
        token_mac(waiting ? waiting->control->secret : nobody, number, waiting ? waiting->control->born : 0);
    int fresh = waiting && r->now - waiting->control->born <= seconds(r->options->token_life);
    if (fresh && ct_is_zero32(tau ^ want)) {
        join(r, waiting, c);
        return;
    }
    if (waiting) count_miss(r, waiting);
    wrong_token(r, c);
}

/* ---- machines that stay ------------------------------------------------------------------------- */

static uint64_t key_of(const uint8_t *bytes) {
    uint64_t key;
    memcpy(&key, bytes, sizeof key);
    return key;
}

static conn *find_machine(const relay *r, const uint8_t name[RELAY_NAME_LEN]) {
    conn *c = NULL;
    while ((c = index_find(r, key_of(name), c)) != NULL)
        if (c->state == CONN_REGISTERED && memcmp(c->control->name, name, RELAY_NAME_LEN) == 0) return c;
    return NULL;
}

static conn *find_ticket(const relay *r, const uint8_t ticket[RELAY_TICKET_LEN]) {
    conn *c = NULL;
    while ((c = index_find(r, key_of(ticket), c)) != NULL)
        if (c->state == CONN_CALLING && ct_eq(c->control->ticket, ticket, RELAY_TICKET_LEN)) return c;
    return NULL;
}

static void request_register(relay *r, conn *c, const uint8_t *name) {
    uint8_t msg[33] = {RELAY_CHALLENGE};
    if (!may_wait(r) || svconn_random(c->control->secret, 32) != 0) {
        control_refuse(r, c, RELAY_NO_ROOM);
        return;
    }
    memcpy(c->control->name, name, RELAY_NAME_LEN);
    svconn_relay_challenge(msg + 1, c->control->secret);
    enter(r, c, CONN_PROVING, seconds(r->options->hello));
    answer(r, c, msg, sizeof msg);
}

/* The owner is who can prove it, so the newest registration is the right one: the older may be on a dead connection. */
static void request_proof(relay *r, conn *c, const uint8_t *mac) {
    static const uint8_t registered = RELAY_REGISTERED;
    uint8_t binding[32];
    control *k = c->control;
    if (svconn_export(&k->s, RELAY_BINDING_LABEL, NULL, 0, binding, 32) ||
        !svconn_relay_check(mac, k->secret, k->name, binding)) {
        report(r, "not-owner", ",\"conn\":%llu", (unsigned long long)c->id);
        control_refuse(r, c, RELAY_NO_OWNER);
        return;
    }
    ct_wipe(k->secret, sizeof k->secret);
    conn *older = find_machine(r, k->name);
    if (older) control_refuse(r, older, RELAY_NO_REPLACED);
    enter(r, c, CONN_REGISTERED, SILENCE_MS);
    index_put(r, c, key_of(k->name));
    r->count.registered++;
    r->count.registrations++;
    report(r, "registered", ",\"conn\":%llu", (unsigned long long)c->id);
    answer(r, c, &registered, 1);
}

static void request_call_name(relay *r, conn *c, const uint8_t *name) {
    uint8_t msg[1 + RELAY_TICKET_LEN] = {RELAY_RING};
    conn *machine = find_machine(r, name);
    r->count.calls++;
    if (!machine || machine->control->callers >= CALLERS_MAX ||
        svconn_random(c->control->ticket, RELAY_TICKET_LEN) != 0) {
        r->count.calls_unanswered++;
        control_refuse(r, c, machine ? RELAY_NO_ROOM : RELAY_NO_PEER);
        return;
    }
    memcpy(msg + 1, c->control->ticket, RELAY_TICKET_LEN);
    c->control->machine = machine;
    machine->control->callers++;
    enter(r, c, CONN_CALLING, seconds(r->options->wait));
    index_put(r, c, key_of(c->control->ticket));
    r->count.waiting++;
    source_ring(machine->src);
    answer(r, machine, msg, sizeof msg);
    if (machine->state != CONN_DEAD) flush(r, machine);
}

static void request_data(relay *r, conn *c, const uint8_t *ticket) {
    conn *caller = find_ticket(r, ticket);
    source_answer(r->sources, c->src);
    if (caller) join(r, c, caller);
    else control_refuse(r, c, RELAY_NO_PEER);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void handle(relay *r, conn *c, const uint8_t *msg, size_t len) {
    size_t body = len - 1;
    int first = c->state == CONN_HELLO;
    if (first && msg[0] == RELAY_LISTEN && body == 0) request_listen(r, c);
    else if (first && msg[0] == RELAY_CALL && body == RELAY_TOKEN_LEN) request_call(r, c, msg + 1);
    else if (first && msg[0] == RELAY_REGISTER && body == RELAY_NAME_LEN) request_register(r, c, msg + 1);
    else if (first && msg[0] == RELAY_CALL_NAME && body == RELAY_NAME_LEN) request_call_name(r, c, msg + 1);
    else if (first && msg[0] == RELAY_DATA && body == RELAY_TICKET_LEN) request_data(r, c, msg + 1);
    else if (c->state == CONN_PROVING && msg[0] == RELAY_PROOF && body == 32) request_proof(r, c, msg + 1);
    else control_refuse(r, c, RELAY_NO_REQUEST);
}

/* R5: everybody, RELAY_NOBODY too; or those on the list. */
static int is_allowed(const relay *r, const svconn *s) {
    size_t len;
    const uint8_t *id = svconn_peer(s, &len);
    if (!r->options->allow) return 1;
    for (size_t i = 0; i < r->n_allowed; i++)
        if (id && len == 33 && memcmp(r->allowed[i], id + 1, 32) == 0) return 1;
    return 0;
}

static void answer_question(relay *r, conn *c) {
    svconn *s = &c->control->s;
    svconn_err err = is_allowed(r, s) ? svconn_accept(s) : svconn_refuse(s);
    if (err && !svconn_is_failure(err)) svconn_abort(s);
}

/* What the session has for us. */
static void look(relay *r, conn *c) {
    svconn *s = &c->control->s;
    const uint8_t *lent;
    uint8_t msg[RELAY_MESSAGE_MAX];
    size_t len;
    if (svconn_status(s) == SVCONN_NEEDS_VERDICT) answer_question(r, c);
    while (c->control && svconn_recv(s, &lent, &len) == SVCONN_OK) {
        if (len == 0 || len > sizeof msg) {
            control_refuse(r, c, RELAY_NO_REQUEST);
            return;
        }
        memcpy(msg, lent, len);
        if (svconn_recv_done(s)) break;
        handle(r, c, msg, len);
    }
}

/* A session that failed says so once, and that is all; what the peer's own end means depends on who it is. */
static void end_failed(relay *r, conn *c, svconn_err err) {
    char from[64] = "";
    if (c->src) source_text(c->src, from);
    if (c->state == CONN_HELLO) r->count.handshake_failures++;
    report(r, "failed", ",\"conn\":%llu,\"source\":\"%s\",\"why\":\"%s\"", (unsigned long long)c->id, from,
           svconn_reason_name(err));
    flush(r, c);
    conn_leave(r, c);
}

/* 1: it may speak. Who waits to be joined may not: what comes then is not for us. */
static int may_speak(const conn *c) {
    return c->state == CONN_HELLO || c->state == CONN_PROVING || c->state == CONN_REGISTERED;
}

static void read_session(relay *r, conn *c) {
    for (int turn = 0; c->can_read && may_speak(c); turn++) {
        size_t room;
        if (turn == TURNS) {
            conn_run(r, c);
            return;
        }
        uint8_t *space = svconn_wire_space(&c->control->s, &room);
        if (room == 0) return;
        ssize_t n = svconn_fd_read(c->fd, space, room);
        if (n < 0 && errno == EAGAIN) {
            c->can_read = 0;
            return;
        }
        if (n <= 0) {
            conn_drop(r, c);
            return;
        }
        if ((size_t)n < room && !c->ending) c->can_read = 0;
        c->heard_at = r->now;
        (void)!svconn_wire_filled(&c->control->s, (size_t)n, r->now);
        look(r, c);
        if (c->control && svconn_status(&c->control->s) == SVCONN_CLOSED) conn_drop(r, c);
        else if (c->control && svconn_error(&c->control->s)) end_failed(r, c, svconn_error(&c->control->s));
    }
}

/* A party that waits says nothing. Its end frees its place. */
static void look_at_silent(relay *r, conn *c) {
    uint8_t byte;
    ssize_t n = svconn_fd_read(c->fd, &byte, 1);
    if (n > 0) control_refuse(r, c, RELAY_NO_REQUEST);
    else if (n == 0 || errno != EAGAIN) conn_drop(r, c);
    else c->can_read = 0;
}

void control_serve(relay *r, conn *c) {
    if (may_speak(c)) read_session(r, c);
    if (c->can_read && (c->state == CONN_TOKEN || c->state == CONN_CALLING)) look_at_silent(r, c);
    if (c->control && c->state != CONN_LEAVING) flush(r, c);
}

/* ---- time --------------------------------------------------------------------------------------- */

static void keep_alive(relay *r, conn *c, uint64_t deadline) {
    uint64_t next;
    if (svconn_tick(&c->control->s, r->now, &next)) {
        end_failed(r, c, svconn_error(&c->control->s));
        return;
    }
    flush(r, c);
    conn_due(r, c, next < deadline ? next : deadline);
}

void control_timer(relay *r, conn *c) {
    const relay_options *o = r->options;
    uint64_t deadline = 0;
    switch (c->state) {
    case CONN_HELLO:
    case CONN_PROVING: deadline = c->since + seconds(o->hello); break;
    case CONN_TOKEN: deadline = c->since + seconds(o->token_life); break;
    case CONN_CALLING: deadline = c->since + seconds(o->wait); break;
    case CONN_REGISTERED: deadline = c->heard_at + SILENCE_MS; break;
    default: return;
    }
    if (r->now < deadline) {
        keep_alive(r, c, deadline);
        return;
    }
    switch (c->state) {
    case CONN_TOKEN:
        r->count.tokens_expired++;
        control_refuse(r, c, RELAY_NO_CALLER);
        break;
    case CONN_CALLING:
        r->count.calls_unanswered++;
        report(r, "unanswered", ",\"conn\":%llu", (unsigned long long)c->id);
        control_refuse(r, c, RELAY_NO_ANSWER);
        break;
    case CONN_REGISTERED: conn_drop(r, c); break;
    default: svconn_abort(&c->control->s); end_failed(r, c, SVCONN_E_TIMEOUT);
    }
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* Whoever waits for a machine that is gone waits in vain. */
static void release_callers(relay *r, conn *machine) {
    for (conn *c = r->all, *next; c; c = next) {
        next = c->a_next;
        if (c->state != CONN_CALLING || c->control->machine != machine) continue;
        c->control->machine = NULL;
        r->count.calls_unanswered++;
        control_refuse(r, c, RELAY_NO_ANSWER);
    }
}

void control_gone(relay *r, conn *c) {
    if (!c->control) return;
    if (c->state == CONN_TOKEN || c->state == CONN_CALLING) r->count.waiting--;
    if (c->state == CONN_REGISTERED) {
        r->count.registered--;
        report(r, "unregistered", ",\"conn\":%llu", (unsigned long long)c->id);
    }
    if (c->control->machine) c->control->machine->control->callers--;
    c->control->machine = NULL;
    if (c->control->callers) release_callers(r, c);
    free_control(c);
}
