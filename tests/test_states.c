/* SPDX-License-Identifier: ISC */
/*
 * What may be called when: every public call that takes a session, in every situation of pair.h. Each cell of the
 * tables is what the call returns and, behind an arrow, the state that it leads to. docs/states.md has the same tables:
 * `test_states --table` prints them, and a test compares.
 */
#include "pair.h"

/* ---- the calls: each with good arguments -------------------------------------------------------- */

static char text[32]; /* what a call gave, as the table shows it */

static const char *result(svconn_err err) {
    snprintf(text, sizeof text, "%s", svconn_reason_name(err));
    return text;
}

static const char *yes(int is) { return is ? "yes" : "-"; }

static const char *do_init(party *p) {
    uint8_t seed[32];
    make_seed(seed, p);
    return result(svconn_init(p->s, &p->config, seed, p->rx, p->rx_size, p->tx, p->tx_size));
}
static const char *do_wipe(party *p) {
    svconn_wipe(p->s);
    return result(SVCONN_OK);
}
static const char *do_error(party *p) { return result(svconn_error(p->s)); }
static const char *do_peer(party *p) {
    size_t n;
    return yes(svconn_peer(p->s, &n) != NULL && n > 0);
}
static const char *do_key_ids(party *p) {
    unsigned out, in;
    svconn_key_ids(p->s, &out, &in);
    snprintf(text, sizeof text, "%u %u", out, in);
    return text;
}
static const char *do_accept(party *p) { return result(svconn_accept(p->s)); }
static const char *do_accept_known(party *p) {
    return result(svconn_accept_known(p->s, (const uint8_t(*)[32])(other(p)->me.built_in + 1), 1));
}
static const char *do_refuse(party *p) { return result(svconn_refuse(p->s)); }
static const char *do_give_psk(party *p) { return result(svconn_give_psk(p->s, p->peer_psk)); }
static const char *do_proof_message(party *p) {
    uint8_t msg[SVCONN_PROOF_MESSAGE_MAX];
    size_t n;
    return result(svconn_proof_message(p->s, msg, &n));
}
static const char *do_prove(party *p) {
    uint8_t proof[PAIR_PROOF] = {1};
    return result(svconn_prove(p->s, proof, sizeof proof));
}
static const char *do_peer_proof(party *p) {
    uint8_t msg[SVCONN_PROOF_MESSAGE_MAX];
    const uint8_t *proof;
    size_t n, m;
    return result(svconn_peer_proof(p->s, &proof, &n, msg, &m));
}

static const char *do_work(party *p) { return result(svconn_work(p->s, 1)); }

/* A byte that may come next */
static uint8_t next_byte(const party *p) {
    if (p == &server || p->s->rx_tail > p->s->rx_head + p->s->lent) return 0;
    return p->s->flags & FLAG_KEYS ? 0x80 : 1;
}
static const char *do_wire_in(party *p) {
    uint8_t b[1] = {next_byte(p)};
    size_t used;
    svconn_err err = svconn_wire_in(p->s, b, 1, &used, now);
    CHECK(used == (err == SVCONN_OK));
    return result(err);
}
static const char *do_wire_space(party *p) {
    size_t n;
    uint8_t *space = svconn_wire_space(p->s, &n);
    CHECK((space == NULL) == (n == 0));
    return yes(n > 0);
}
static const char *do_wire_filled(party *p) {
    size_t n;
    uint8_t *space = svconn_wire_space(p->s, &n);
    if (n) *space = next_byte(p);
    return result(svconn_wire_filled(p->s, 1, now));
}
static const char *do_wire_eof(party *p) { return result(svconn_wire_eof(p->s)); }
static const char *do_wire_out(party *p) { return yes(queued(p) > 0); }
static const char *do_wire_sent(party *p) { return result(svconn_wire_sent(p->s, queued(p))); }
static const char *do_tick(party *p) { return result(svconn_tick(p->s, now, NULL)); }
static const char *do_late_tick(party *p) { return result(svconn_tick(p->s, now + 1000000, NULL)); }
static const char *do_send(party *p) { return result(svconn_send(p->s, "x", 1, now)); }
static const char *do_seal(party *p) {
    uint8_t b[17] = {0};
    return result(svconn_seal(p->s, b, 1, now));
}
static const char *do_renew(party *p) { return result(svconn_renew(p->s)); }
static const char *do_recv(party *p) {
    const uint8_t *m;
    size_t n;
    svconn_err err = svconn_recv(p->s, &m, &n);
    CHECK(err == SVCONN_OK ? m != NULL : m == NULL && n == 0);
    return result(err);
}
static const char *do_recv_done(party *p) { return result(svconn_recv_done(p->s)); }

/* The next record of the peer, a good one */
static const char *do_open(party *p) {
    static uint8_t b[3 * PAIR_BUFFER];
    uint8_t *msg;
    size_t len, old = queued(other(p));
    svconn_err sent = svconn_send(other(p)->s, "x", 1, now);
    size_t n = sent ? 0 : drain(other(p), b);
    return result(svconn_open(p->s, b + old, sent ? 17 : n - old, &msg, &len, now));
}
static const char *do_close(party *p) { return result(svconn_close(p->s, now)); }
static const char *do_abort(party *p) {
    svconn_abort(p->s);
    return result(SVCONN_OK);
}
static const char *do_export(party *p) {
    uint8_t out[32];
    return result(svconn_export(p->s, "label", NULL, 0, out, sizeof out));
}
static const char *do_authenticator(party *p) {
    char digits[24];
    return result(svconn_authenticator(p->s, digits));
}

/* ---- the tables --------------------------------------------------------------------------------- */

enum { COLUMNS = 7 };

typedef struct {
    const char *title;
    struct {
        const char *name;
        const char *(*call)(party *p);
    } columns[COLUMNS];
    const char *cells[SITUATIONS][COLUMNS];
} table;

static const char *const rows[SITUATIONS] = {
    "NONE: zeroed or wiped",
    "HANDSHAKE, CLIENT: nothing came yet",
    "HANDSHAKE, CLIENT: part of M1 came",
    "NEEDS_VERDICT, CLIENT",
    "NEEDS_PSK, CLIENT",
    "NEEDS_PROOF, CLIENT: for M2",
    "CONFIRMING, early records not allowed",
    "CONFIRMING, early records allowed",
    "CONFIRMING, part of M3 came",
    "NEEDS_VERDICT, CLIENT: M3 of a custom SERVER",
    "NEEDS_PROOF, SERVER: for M1",
    "HANDSHAKE, SERVER: M1 is ready",
    "HANDSHAKE, SERVER: part of M2 came",
    "NEEDS_PSK, SERVER",
    "NEEDS_VERDICT, SERVER",
    "NEEDS_PROOF, SERVER: for M3",
    "CONNECTED",
    "CONNECTED, bytes wait for the link",
    "CONNECTED, part of a record came",
    "CONNECTED, a message is lent",
    "CONNECTED, a message is lent, the link has ended",
    "CONNECTED, we closed",
    "CONNECTED, the peer closed",
    "CONNECTED, the peer closed, the link has ended",
    "CONNECTED, a message is lent, the peer closed behind it",
    "CLOSED, our CLOSE waits for the link",
    "FAILED: svconn_abort",
    "FAILED: the peer's error packet came",
    "WORKING, CLIENT: on its own key, nothing came",
    "WORKING, CLIENT: on M1",
    "WORKING, CLIENT: behind the verdict",
    "WORKING, SERVER: on its own key",
    "WORKING, SERVER: on M2",
};

static const table tables[] = {
    {"Beginning, end, and looking",
     {{"init", do_init},
      {"wipe", do_wipe},
      {"error", do_error},
      {"peer", do_peer},
      {"key_ids", do_key_ids},
      {"abort", do_abort},
      {"work", do_work}},
     {
         {"ok > HANDSHAKE", "ok", "ok", "-", "0 0", "ok", "state"},
         {"ok", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "state"},
         {"ok", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "state"},
         {"ok", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "state"},
         {"ok", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "state"},
         {"ok", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "1 1", "ok > FAILED", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "cancelled", "yes", "0 0", "ok", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "aborted", "yes", "0 0", "ok", "state"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "ok"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "ok"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "yes", "0 0", "ok > FAILED", "ok"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "ok"},
         {"ok > HANDSHAKE", "ok > NONE", "ok", "-", "0 0", "ok > FAILED", "ok"},
     }},
    {"Questions and answers",
     {{"accept", do_accept},
      {"accept_known", do_accept_known},
      {"refuse", do_refuse},
      {"give_psk", do_give_psk},
      {"proof_message", do_proof_message},
      {"prove", do_prove},
      {"peer_proof", do_peer_proof}},
     {
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"ok > CONFIRMING", "ok > CONFIRMING", "ok > FAILED", "state", "state", "state", "ok"},
         {"state", "state", "ok > FAILED", "ok > NEEDS_VERDICT", "state", "state", "state"},
         {"state", "state", "state", "state", "ok", "ok > CONFIRMING", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"ok > CONNECTED", "ok > FAILED", "ok > FAILED", "state", "state", "state", "ok"},
         {"state", "state", "state", "state", "ok", "ok > HANDSHAKE", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "ok > FAILED", "ok > NEEDS_VERDICT", "state", "state", "state"},
         {"ok > CONNECTED", "ok > CONNECTED", "ok > FAILED", "state", "state", "state", "ok"},
         {"state", "state", "state", "state", "ok", "ok > CONNECTED", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
         {"state", "state", "state", "state", "state", "state", "state"},
     }},
    {"Bytes",
     {{"wire_in", do_wire_in},
      {"wire_space", do_wire_space},
      {"wire_filled", do_wire_filled},
      {"wire_eof", do_wire_eof},
      {"wire_out", do_wire_out},
      {"wire_sent", do_wire_sent}},
     {
         {"state", "-", "state", "state", "-", "ok"},
         {"ok", "yes", "ok", "absent > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "absent > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "absent > FAILED", "yes", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "yes", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "ok", "-", "ok"},
         {"state", "-", "state", "ok", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "ok", "-", "ok"},
         {"state", "-", "state", "ok", "-", "ok"},
         {"ok", "yes", "ok", "ok", "-", "ok"},
         {"ok", "-", "state", "ok", "yes", "ok"},
         {"cancelled", "-", "cancelled", "cancelled", "yes", "ok"},
         {"aborted", "-", "aborted", "aborted", "-", "ok"},
         {"ok", "yes", "ok", "absent > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "absent > FAILED", "-", "ok"},
         {"ok", "yes", "ok", "truncated > FAILED", "-", "ok"},
     }},
    {"Time",
     {{"tick", do_tick}, {"tick, 1000 s later", do_late_tick}},
     {
         {"state", "state"},
         {"ok", "ok"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "ok"},
         {"ok", "ok"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "silent > FAILED"},
         {"ok", "silent > FAILED"},
         {"ok", "silent > FAILED"},
         {"ok", "ok"},
         {"ok", "ok"},
         {"ok", "silent > FAILED"},
         {"ok", "ok"},
         {"ok", "ok"},
         {"ok", "ok"},
         {"ok", "ok"},
         {"cancelled", "cancelled"},
         {"aborted", "aborted"},
         {"ok", "ok"},
         {"ok", "timeout > FAILED"},
         {"ok", "timeout > FAILED"},
         {"ok", "ok"},
         {"ok", "timeout > FAILED"},
     }},
    {"Messages",
     {{"send", do_send}, {"recv", do_recv}, {"recv_done", do_recv_done}, {"close", do_close}, {"renew", do_renew}},
     {
         {"state", "state", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"ok", "again", "state", "state", "ok"},
         {"ok", "again", "state", "state", "ok"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"ok", "again", "state", "ok", "ok"},
         {"ok", "again", "state", "ok", "ok"},
         {"ok", "again", "state", "ok", "ok"},
         {"ok", "ok", "ok", "ok", "ok"},
         {"ok", "ok", "truncated > FAILED", "ok", "ok"},
         {"state", "again", "state", "ok", "state"},
         {"ok", "end", "state", "ok > CLOSED", "ok"},
         {"ok", "end", "state", "ok > CLOSED", "ok"},
         {"ok", "ok", "ok", "ok", "ok"},
         {"state", "end", "state", "ok", "state"},
         {"state", "cancelled", "cancelled", "cancelled", "state"},
         {"state", "aborted", "aborted", "aborted", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
         {"state", "again", "state", "state", "state"},
     }},
    {"Records in place, keys for other purposes",
     {{"seal", do_seal}, {"open", do_open}, {"export", do_export}, {"authenticator", do_authenticator}},
     {
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"ok", "state", "state", "state"},
         {"ok", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"ok", "ok", "ok", "ok"},
         {"again", "ok", "ok", "ok"},
         {"ok", "state", "ok", "ok"},
         {"ok", "state", "ok", "ok"},
         {"ok", "state", "ok", "ok"},
         {"state", "ok", "ok", "ok"},
         {"ok", "after-close > FAILED", "ok", "ok"},
         {"ok", "after-close > FAILED", "ok", "ok"},
         {"ok", "state", "ok", "ok"},
         {"state", "state", "state", "state"},
         {"state", "cancelled", "state", "state"},
         {"state", "aborted", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
         {"state", "state", "state", "state"},
     }},
};

enum { TABLES = sizeof tables / sizeof *tables };

static const char *state_name(svconn_state s) {
    static const char *const names[] = {"NONE",       "HANDSHAKE", "NEEDS_PROOF", "NEEDS_PSK", "NEEDS_VERDICT",
                                        "CONFIRMING", "CONNECTED", "CLOSED",      "FAILED",    "WORKING"};
    return names[s];
}

/* What really happens */
static const char *happens(situation x, const char *(*call)(party *p)) {
    static char cell[64];
    party *p = bring_to(x);
    svconn_state before = state_of(p);
    int n = snprintf(cell, sizeof cell, "%s", call(p));
    if (state_of(p) != before) snprintf(cell + n, sizeof cell - (size_t)n, " > %s", state_name(state_of(p)));
    return cell;
}

static void check_table(const table *t) {
    for (situation x = IN_NONE; x < SITUATIONS; x++)
        for (int c = 0; c < COLUMNS && t->columns[c].name; c++) {
            const char *is = happens(x, t->columns[c].call);
            if (strcmp(is, t->cells[x][c]) != 0)
                printf("  %s in \"%s\": %s, the table says %s\n", t->columns[c].name, rows[x], is, t->cells[x][c]);
            CHECK(strcmp(is, t->cells[x][c]) == 0);
        }
}

static void the_names_of_the_situations_are_their_states(void) {
    for (situation x = IN_NONE; x < SITUATIONS; x++) {
        party *p = bring_to(x);
        const char *name = state_name(situation_state(x));
        CHECK(state_of(p) == situation_state(x));
        CHECK(strncmp(rows[x], name, strlen(name)) == 0);
    }
}

/* ---- docs/states.md ----------------------------------------------------------------------------- */

static void write_tables(FILE *f) {
    for (size_t i = 0; i < TABLES; i++) {
        fprintf(f, "## %s\n\n| situation |", tables[i].title);
        for (int c = 0; c < COLUMNS && tables[i].columns[c].name; c++) fprintf(f, " %s |", tables[i].columns[c].name);
        fprintf(f, "\n|---|");
        for (int c = 0; c < COLUMNS && tables[i].columns[c].name; c++) fprintf(f, "---|");
        fprintf(f, "\n");
        for (situation x = IN_NONE; x < SITUATIONS; x++) {
            fprintf(f, "| %s |", rows[x]);
            for (int c = 0; c < COLUMNS && tables[i].columns[c].name; c++) fprintf(f, " %s |", tables[i].cells[x][c]);
            fprintf(f, "\n");
        }
        if (i + 1 < TABLES) fprintf(f, "\n");
    }
}

/* The file ends with what write_tables writes. */
static void the_document_has_these_tables(void) {
    static char doc[100000], want[100000];
    FILE *f = fopen("docs/states.md", "rb"), *t = tmpfile();
    if (!f || !t) {
        CHECK(f != NULL); /* run it from the top of the source tree */
        CHECK(t != NULL);
        if (f) fclose(f);
        if (t) fclose(t);
        return;
    }
    write_tables(t);
    rewind(t);
    size_t n = fread(doc, 1, sizeof doc, f), m = fread(want, 1, sizeof want, t);
    CHECK(n > m && m > 5000 && m < sizeof want);
    if (n > m) CHECK(memcmp(doc + n - m, want, m) == 0); /* else: build/tests/test_states --table */
    if (n > m) CHECK(doc[n - m - 1] == '\n' && doc[n - m - 2] == '\n');
    fclose(f);
    fclose(t);
}

static int index_of_table;
static void check_this_table(void) { check_table(&tables[index_of_table]); }

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        write_tables(stdout);
        return EXIT_SUCCESS;
    }
    TEST("the_names_of_the_situations_are_their_states", the_names_of_the_situations_are_their_states);
    for (size_t i = 0; i < TABLES; i++) {
        char name[80];
        snprintf(name, sizeof name, "every cell: %s", tables[i].title);
        index_of_table = (int)i;
        TEST(name, check_this_table);
    }
    TEST("the_document_has_these_tables", the_document_has_these_tables);
    return TEST_EXIT();
}
