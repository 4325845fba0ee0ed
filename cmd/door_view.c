/* SPDX-License-Identifier: ISC */
/* What the owner sees of visitors: the audit log, and "svconn sessions". */
#include "codec.h"
#include "door_state.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

void door_log(visit *w, const char *event, const char *why) {
    door *d = w->door;
    audit_line line;
    unsigned long long in = w->v.in, out = w->v.out;
    audit_begin(&line, &d->audit, event);
    line.often = strcmp(event, "attempt") == 0;
    audit_number(&line, "number", w->number);
    audit_text(&line, "from", w->from);
    if (w->has_key) audit_hex(&line, "peer", w->key, 32);
    if (w->name[0]) audit_text(&line, "name", w->name);
    if (w->ops) audit_text(&line, "service", w->ops->name);
    if (why) {
        audit_number(&line, "seconds", (svconn_now() - w->began) / 1000);
        audit_number(&line, "in", in);
        audit_number(&line, "out", out);
        audit_text(&line, "why", why);
    }
    audit_end(&line);
}

void door_log_part(visitor *v, const char *event, const char *what, const char *why, unsigned long long in,
                   unsigned long long out) {
    const visit *w = v->host;
    audit_line line;
    audit_begin(&line, &w->door->audit, event);
    line.often = in || out ? 2 : 1; /* what was refused leaves room for what was carried */
    audit_number(&line, "number", w->number);
    audit_text(&line, "name", w->name);
    audit_text(&line, "what", what);
    audit_number(&line, "in", in);
    audit_number(&line, "out", out);
    audit_text(&line, "why", why);
    audit_end(&line);
}

/* Why a session ended, for the log: our reason, or the one of the session. */
const char *door_why_ended(const visit *w) {
    svconn_err e = svconn_error(&w->t.s);
    if (w->refusal) return w->refusal;
    return e == SVCONN_OK ? "closed" : svconn_reason_name(e);
}

/* ---- the view for "svconn sessions" ---- */

size_t door_list(void *arg, size_t i, char *line, size_t size) {
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
                 w->number, states[w->state], hex, w->name, w->ops ? w->ops->name : "", w->from, since,
                 (unsigned long long)((svconn_now() - w->began) / 1000), w->v.in, w->v.out);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

int door_throw_out(void *arg, unsigned long number) {
    door *d = arg;
    for (size_t i = 0; i < d->n; i++) {
        if (d->visits[i]->number != number) continue;
        door_dismiss(d->visits[i], SORRY_THROWN, "somebody there ended the session");
        return 1;
    }
    return 0;
}
