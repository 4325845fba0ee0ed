/* SPDX-License-Identifier: ISC */
#include "entrance.h"

#include "cmd.h"
#include "text.h"

#include <string.h>

#define RETRY_MS 1000 /* before a relay is asked again; doubles */
#define RETRY_MAX_MS 60000
#define REST_MS 100 /* after accept failed, for want of descriptors perhaps: else poll returns at once for ever */

static int at_relay(const entrance *e) { return strncmp(e->address, "relay://", 8) == 0; }

int entrance_open(entrance *e, const char *address, const svconn_link_options *link) {
    svconn_why why;
    e->address = address;
    e->link = link;
    e->retry_ms = RETRY_MS;
    e->listening_at = svconn_now();
    if (svconn_listen_with(&e->listener, address, link, &why) == 0) return EXIT_DONE;
    say("%s", why.text);
    return why.fault == SVCONN_FAULT_LOCAL ? EXIT_LOCAL : EXIT_LINK;
}

void entrance_close(entrance *e) { svconn_listener_close(&e->listener); }

int entrance_can_poll(const entrance *e) { return e->listener.fd >= 0 || at_relay(e); }

/* A token was used, or the relay lost: another token, or registration. Others who lost the relay at the same time come
 * back too, so each waits longer than the time before, and not all equally long. */
static void return_to_relay(entrance *e) {
    svconn_why why;
    uint8_t dice = 0;
    if (svconn_now() < e->rest_until) return;
    svconn_listener_close(&e->listener);
    if (svconn_listen_with(&e->listener, e->address, e->link, &why) == 0) {
        say("listening on %s", e->listener.address);
        e->listening_at = svconn_now();
    } else {
        say("%s", why.text);
    }
    (void)!svconn_random(&dice, 1);
    if (e->listener.fd < 0) e->rest_until = svconn_now() + e->retry_ms + e->retry_ms * dice / 256;
    e->retry_ms = e->retry_ms * 2 < RETRY_MAX_MS ? e->retry_ms * 2 : RETRY_MAX_MS;
}

void entrance_want(entrance *e, int full, fdset *set) {
    struct pollfd fds[SVCONN_LISTENER_FDS];
    int wait = -1;
    e->n = 0;
    if (e->listener.fd < 0 && at_relay(e) && !e->once) return_to_relay(e);
    if (full && !at_relay(e)) return;
    if (svconn_now() < e->rest_until) {
        fdset_within(set, ms_until(e->rest_until));
        return;
    }
    if (e->listener.fd < 0) return;
    e->n = svconn_listener_want(&e->listener, fds, &wait);
    for (nfds_t i = 0; i < e->n; i++) e->place[i] = fdset_add(set, (int)fds[i].fd, fds[i].events);
    fdset_within(set, wait);
    e->at_once = wait == 0;
}

static void say_why_not(entrance *e, const svconn_why *why) {
    int lost = e->listener.fd < 0;
    if (lost || (e->verbose && why->fault != SVCONN_FAULT_NOT_THERE))
        say("%s", why->text); /* or the caller has gone again */
    if (lost && svconn_now() >= e->listening_at + RETRY_MAX_MS) e->retry_ms = RETRY_MS; /* it had held */
    if (lost || !at_relay(e)) e->rest_until = svconn_now() + (lost ? e->retry_ms : REST_MS);
}

int entrance_ready(entrance *e, const fdset *set, svconn_link *link) {
    svconn_why why;
    int got = at_relay(e) || e->at_once;
    for (nfds_t i = 0; i < e->n; i++) got |= fdset_got(set, e->place[i]) != 0;
    if (e->n == 0 || !got) return 0;
    if (svconn_listener_accept(&e->listener, link, 0, &why) == 0) {
        e->retry_ms = RETRY_MS;
        return 1;
    }
    say_why_not(e, &why);
    e->gone = e->listener.fd < 0 && !at_relay(e);
    return e->listener.fd < 0 && (e->once || e->gone) ? -1 : 0;
}

int entrance_wait(entrance *e, svconn_link *link) {
    svconn_why why;
    int may_retry = strncmp(e->address, "wormhole:", 9) == 0 && !e->once;
    if (e->listener.spent && !may_retry) return e->gone ? -1 : 0;
    while (svconn_listener_accept(&e->listener, link, -1, &why) != 0) {
        say("%s%s", why.text, may_retry ? "; trying again" : "");
        if (!may_retry) return -1;
        (void)svconn_poll(NULL, 0, RETRY_MS);
    }
    return 1;
}
