/* SPDX-License-Identifier: ISC */
/* Machines that are registered at the real relay by their keys, those who call them, and those who claim to be them.
 * And what the relay makes of requests that make no sense. */
#include "crypto.h"
#include "relay_lab.h"

/* ---- registration: who the owner is ------------------------------------------------------------- */

typedef struct {
    hand h;
    uint8_t challenge[32], binding[32], name[32];
} claim;

/* Up to the challenge. name: NULL for the one of the owner. */
static int claim_begin(claim *c, const lab_relay *r, const svconn_identity *owner, const uint8_t *name) {
    if (name) memcpy(c->name, name, 32);
    else CHECK(svconn_relay_name(c->name, r->key, lab_public(owner)) == 0);
    return hand_open(&c->h, r) && hand_say(&c->h, RELAY_REGISTER, c->name, 32) &&
           hand_hears(&c->h, RELAY_CHALLENGE, 32, c->challenge) &&
           svconn_export(&c->h.s, RELAY_BINDING_LABEL, NULL, 0, c->binding, 32) == SVCONN_OK;
}

static void claim_proof(uint8_t mac[32], const claim *c, const lab_relay *r, const svconn_identity *owner,
                        const uint8_t binding[32]) {
    CHECK(svconn_relay_proof(mac, owner->secret, r->key, lab_public(owner), c->challenge, binding) == 0);
}

static int claim_fails(claim *c, const uint8_t mac[32]) {
    int ok = hand_say(&c->h, RELAY_PROOF, mac, 32) && hand_is_refused(&c->h, RELAY_NO_OWNER);
    hand_close(&c->h);
    return ok;
}

static void wrong_proofs(void) {
    static claim first, second;
    lab_relay r;
    svconn_identity owner, other;
    uint8_t mac[32], again[32], relay_key[32];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    lab_identity(&other, 2);
    CHECK(relay_start(&r, ""));
    CHECK(claim_begin(&first, &r, &owner, NULL));
    claim_proof(mac, &first, &r, &owner, first.binding);
    CHECK(hand_say(&first.h, RELAY_PROOF, mac, 32) && hand_hears(&first.h, RELAY_REGISTERED, 0, NULL));

    CHECK(claim_begin(&second, &r, &owner, NULL)); /* the proof of another session */
    CHECK(memcmp(first.challenge, second.challenge, 32) != 0 && memcmp(first.binding, second.binding, 32) != 0);
    CHECK(claim_fails(&second, mac));
    CHECK(claim_begin(&second, &r, &owner, NULL)); /* this challenge, passed on and answered in another session */
    claim_proof(again, &second, &r, &owner, first.binding);
    CHECK(claim_fails(&second, again));
    CHECK(claim_begin(&second, &r, &owner, NULL)); /* another key */
    claim_proof(again, &second, &r, &other, second.binding);
    CHECK(claim_fails(&second, again));
    CHECK(claim_begin(&second, &r, &owner, NULL)); /* the seed of another key */
    CHECK(svconn_relay_proof(again, other.secret, r.key, lab_public(&owner), second.challenge, second.binding) == 0);
    CHECK(claim_fails(&second, again));
    CHECK(claim_begin(&second, &r, &other, NULL)); /* the owner of another name */
    claim_proof(again, &second, &r, &owner, second.binding);
    CHECK(claim_fails(&second, again));
    CHECK(claim_begin(&second, &r, &owner, NULL)); /* as at another relay */
    memcpy(relay_key, r.key, 32);
    lab_random(relay_key, 32);
    CHECK(svconn_relay_proof(again, owner.secret, relay_key, lab_public(&owner), second.challenge, second.binding) ==
          0);
    CHECK(claim_fails(&second, again));
    for (int bit = 0; bit < 256; bit += 51) {
        CHECK(claim_begin(&second, &r, &owner, NULL));
        claim_proof(again, &second, &r, &owner, second.binding);
        again[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(claim_fails(&second, again));
    }
    /* none of these has put the owner out: its name is still rung */
    CHECK(hand_open(&second.h, &r) && hand_say(&second.h, RELAY_CALL_NAME, first.name, 32));
    CHECK(hand_hears(&first.h, RELAY_RING, RELAY_TICKET_LEN, NULL));
    hand_close(&second.h);
    hand_close(&first.h);
    relay_stop(&r);
}

/* Z would be zero, which everybody can compute. */
static void names_of_small_order(void) {
    static const uint8_t zero[32], label[] = RELAY_BINDING_LABEL;
    static claim c;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, ""));
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++) {
        uint8_t mac[32];
        svconn_hmac_ctx h;
        CHECK(claim_begin(&c, &r, NULL, low_order[i]));
        svconn_hmac_init(&h, zero, 32);
        svconn_hmac_update(&h, label, sizeof label);
        svconn_hmac_update(&h, low_order[i], 32);
        svconn_hmac_update(&h, c.challenge, 32);
        svconn_hmac_update(&h, c.binding, 32);
        svconn_hmac_final(&h, mac);
        CHECK(claim_fails(&c, mac));
    }
    relay_stop(&r);
}

static void not_our_key(void) {
    lab_relay r;
    svconn_identity owner, other;
    svconn_link_options o = {.owner = &owner}, none = {0};
    char address[300];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    lab_identity(&other, 2);
    CHECK(relay_start(&r, ""));
    key_address(address, r.address, &other);
    CHECK(listen_fails(address, &o, SVCONN_FAULT_LOCAL, "it must be our own"));
    CHECK(listen_fails(address, &none, SVCONN_FAULT_LOCAL, "it must be our own"));
    CHECK(listen_fails(address, NULL, SVCONN_FAULT_LOCAL, "it must be our own"));
    relay_stop(&r);
}

/* ---- registration: machines and their callers --------------------------------------------------- */

static void newest_replaces(void) {
    lab_relay r;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener older, newer;
    svconn_link l;
    char address[300];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, ""));
    key_address(address, r.address, &owner);
    CHECK(listens(&older, address, &o) && listens(&newer, address, &o));
    CHECK(accept_fails(&older, SVCONN_FAULT_CUT, "registered there again"));
    pid_t caller = lab_caller(address, NULL, "hello", "well");
    CHECK(accepts(&newer, &l) && lab_put(l.out, "well", 4));
    (void)lab_at_end(l.in);
    CHECK(lab_ended_well(caller));
    svconn_link_close(&l);
    svconn_listener_close(&newer);
    relay_stop(&r);
}

static void nobody_there(void) {
    lab_relay r;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener n;
    char address[300];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, "--wait 1"));
    key_address(address, r.address, &owner);
    CHECK(open_fails(address, NULL, SVCONN_FAULT_NOT_THERE, "no machine with this key"));
    CHECK(listens(&n, address, &o));
    uint64_t begin = svconn_now();
    CHECK(open_fails(address, NULL, SVCONN_FAULT_NOT_THERE, "did not answer in time")); /* n does not accept */
    CHECK(svconn_now() - begin > 900);
    svconn_listener_close(&n);
    CHECK(open_fails(address, NULL, SVCONN_FAULT_NOT_THERE, "no machine with this key"));
    relay_stop(&r);
}

static int ring(hand *caller, claim *machine, const lab_relay *r, uint8_t ticket[RELAY_TICKET_LEN]) {
    return hand_open(caller, r) && hand_say(caller, RELAY_CALL_NAME, machine->name, 32) &&
           hand_hears(&machine->h, RELAY_RING, RELAY_TICKET_LEN, ticket);
}

static int registers(claim *c, const lab_relay *r, const svconn_identity *owner) {
    uint8_t mac[32];
    if (!claim_begin(c, r, owner, NULL)) return 0;
    claim_proof(mac, c, r, owner, c->binding);
    return hand_say(&c->h, RELAY_PROOF, mac, 32) && hand_hears(&c->h, RELAY_REGISTERED, 0, NULL);
}

static int data_is_refused(const lab_relay *r, uint8_t kind, const uint8_t *body, size_t len, svconn_relay_reason no) {
    hand h;
    int ok = hand_open(&h, r) && hand_say(&h, kind, body, len) && hand_is_refused(&h, no);
    hand_close(&h);
    return ok;
}

static void tickets(void) {
    static claim machine;
    static hand caller, data;
    lab_relay r;
    svconn_identity owner;
    uint8_t ticket[32] = {0}, later[32];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, ""));
    CHECK(registers(&machine, &r, &owner) && ring(&caller, &machine, &r, ticket));
    for (int bit = 0; bit < 128; bit += 9) {
        ticket[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(data_is_refused(&r, RELAY_DATA, ticket, RELAY_TICKET_LEN, RELAY_NO_PEER));
        ticket[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(data_is_refused(&r, RELAY_CALL, ticket, RELAY_TICKET_LEN, RELAY_NO_REQUEST));
    CHECK(data_is_refused(&r, RELAY_CALL_NAME, ticket, 32, RELAY_NO_PEER));
    CHECK(data_is_refused(&r, RELAY_DATA, machine.name, RELAY_TICKET_LEN, RELAY_NO_PEER));
    CHECK(hand_open(&data, &r) && hand_say(&data, RELAY_DATA, ticket, RELAY_TICKET_LEN));
    CHECK(hand_is_joined(&data, SVCONN_SERVER) && hand_is_joined(&caller, SVCONN_CLIENT));
    CHECK(lab_linked(caller.fd, data.fd));
    CHECK(data_is_refused(&r, RELAY_DATA, ticket, RELAY_TICKET_LEN, RELAY_NO_PEER)); /* used */
    CHECK(lab_linked(caller.fd, data.fd));
    hand_close(&caller);
    hand_close(&data);
    CHECK(ring(&caller, &machine, &r, later) && memcmp(ticket, later, RELAY_TICKET_LEN) != 0);
    CHECK(hand_open(&data, &r));
    hand_close(&caller); /* who rang is gone: so is the ticket */
    CHECK(data_is_refused(&r, RELAY_DATA, later, RELAY_TICKET_LEN, RELAY_NO_PEER));
    hand_close(&data);
    hand_close(&machine.h);
    relay_stop(&r);
}

enum { CALLS = 16 };

/* As many as may wait for one machine; one more is refused; each gets a link of its own. */
static void many_calls(void) {
    static hand caller[CALLS];
    lab_relay r;
    hand one_more;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener n;
    svconn_link l[CALLS];
    uint8_t name[32];
    int seen[CALLS] = {0};
    char address[300];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, ""));
    key_address(address, r.address, &owner);
    CHECK(listens(&n, address, &o) && svconn_relay_name(name, r.key, lab_public(&owner)) == 0);
    for (int i = 0; i < CALLS; i++) CHECK(hand_open(&caller[i], &r) && hand_say(&caller[i], RELAY_CALL_NAME, name, 32));
    (void)poll(NULL, 0, 50); /* all have been heard */
    CHECK(hand_open(&one_more, &r) && hand_say(&one_more, RELAY_CALL_NAME, name, 32));
    CHECK(hand_is_refused(&one_more, RELAY_NO_ROOM));
    hand_close(&one_more);
    for (int i = 0; i < CALLS; i++) CHECK(accepts(&n, &l[i])); /* in any order */
    for (uint8_t i = 0; i < CALLS; i++)
        CHECK(hand_is_joined(&caller[i], SVCONN_CLIENT) && lab_put(caller[i].fd, &i, 1));
    for (int i = 0; i < CALLS; i++) {
        uint8_t mark = 0;
        CHECK(lab_get(l[i].in, &mark, 1) == 1 && mark < CALLS && !seen[mark]);
        if (mark < CALLS) seen[mark] = 1;
        svconn_link_close(&l[i]);
    }
    for (int i = 0; i < CALLS; i++) hand_close(&caller[i]);
    svconn_listener_close(&n);
    relay_stop(&r);
}

static void machine_that_is_lost(void) {
    static claim machine;
    static hand caller[3];
    lab_relay r;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener n;
    uint8_t ticket[RELAY_TICKET_LEN];
    char address[300];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, ""));
    key_address(address, r.address, &owner);
    CHECK(registers(&machine, &r, &owner));
    for (int i = 0; i < 3; i++) CHECK(ring(&caller[i], &machine, &r, ticket));
    hand_close(&machine.h);
    for (int i = 0; i < 3; i++) CHECK(hand_is_refused(&caller[i], RELAY_NO_ANSWER));
    for (int i = 0; i < 3; i++) hand_close(&caller[i]);
    CHECK(data_is_refused(&r, RELAY_DATA, ticket, RELAY_TICKET_LEN, RELAY_NO_PEER));
    CHECK(open_fails(address, NULL, SVCONN_FAULT_NOT_THERE, "no machine with this key"));
    CHECK(listens(&n, address, &o)); /* it comes again, and now the relay dies */
    kill(r.pid, SIGKILL);
    CHECK(relay_wait(&r) == 128 + SIGKILL);
    CHECK(accept_fails(&n, SVCONN_FAULT_CUT, "lost the relay"));
    svconn_why why;
    CHECK(svconn_listen_with(&n, address, &o, &why) == -1 && strstr(why.text, "cannot connect"));
}

/* Who waits for something and asks for something else. */
static void requests_out_of_order(void) {
    static const uint8_t kinds[] = {0x00, RELAY_PROOF, RELAY_TOKEN, RELAY_JOINED, RELAY_RING, RELAY_NO, 0x77, 0xff};
    static claim machine;
    static hand h;
    uint8_t body[300] = {0}, msg[HAND_BUFFER];
    lab_relay r;
    svconn_identity owner;
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, ""));
    for (size_t i = 0; i < sizeof kinds; i++)
        for (size_t len = 0; len <= 32; len += 8) CHECK(data_is_refused(&r, kinds[i], body, len, RELAY_NO_REQUEST));
    for (uint8_t kind = RELAY_LISTEN; kind <= RELAY_CALL_NAME; kind++) /* lengths that none of them has */
        for (size_t len = 1; len <= 111; len += 10) CHECK(data_is_refused(&r, kind, body, len, RELAY_NO_REQUEST));
    CHECK(data_is_refused(&r, RELAY_CALL, (const uint8_t *)"0000000U", RELAY_TOKEN_LEN, RELAY_NO_REQUEST));
    CHECK(hand_open(&h, &r) && svconn_send(&h.s, "", 0, svconn_now()) == SVCONN_OK && hand_flush(&h));
    CHECK(hand_is_refused(&h, RELAY_NO_REQUEST)); /* an empty one */
    hand_close(&h);
    CHECK(hand_open(&h, &r) && hand_say(&h, RELAY_LISTEN, body, 299));
    CHECK(hand_hear(&h, msg) == -1 && svconn_error(&h.s) == SVCONN_E_ABORTED); /* more than the relay can hold */
    hand_close(&h);
    CHECK(claim_begin(&machine, &r, &owner, NULL) && hand_say(&machine.h, RELAY_LISTEN, NULL, 0));
    CHECK(hand_is_refused(&machine.h, RELAY_NO_REQUEST));
    hand_close(&machine.h);
    CHECK(registers(&machine, &r, &owner) && hand_say(&machine.h, RELAY_REGISTER, machine.name, 32));
    CHECK(hand_is_refused(&machine.h, RELAY_NO_REQUEST));
    hand_close(&machine.h);
    relay_stop(&r);
}

int main(int argc, char **argv) {
    (void)argc;
    lab_begin(argv[0]);
    TEST("register_wrong_proofs_are_refused", wrong_proofs);
    TEST("register_names_of_small_order_are_refused", names_of_small_order);
    TEST("register_a_key_that_is_not_ours_is_not_tried", not_our_key);
    TEST("register_the_newest_replaces_the_older", newest_replaces);
    TEST("call_nobody_there_or_no_answer", nobody_there);
    TEST("call_a_ticket_is_good_once_and_for_its_purpose", tickets);
    TEST("call_many_at_once_to_one_machine", many_calls);
    TEST("call_a_machine_that_is_lost", machine_that_is_lost);
    TEST("requests_that_make_no_sense_are_refused", requests_out_of_order);
    return TEST_EXIT();
}
