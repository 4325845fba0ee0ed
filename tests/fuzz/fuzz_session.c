/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes a session with what the network may do. The first byte of the input chooses:
 *   0  raw bytes to a CLIENT            1  raw bytes to a SERVER
 *   2  raw bytes to a connected CLIENT  3  raw bytes to a connected SERVER
 *   4+ an honest exchange, edited on the way: the rest is a list of edits (5 bytes: where, how, with what)
 * The second byte: identity types, hidden, renewal, chunk size. Invariants (abort() if broken): a message that is
 * delivered was sent, in order; a failure is final; the error packet goes out at most once; what is lent lies in the
 * buffer. Built with libFuzzer (make fuzz), or with -DSTANDALONE for AFL++ and plain replays: each argument is a file.
 */
#include "svconn.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                                        \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #x);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

enum { BUFFER = SVCONN_BUFFER_SIZE(1200), MESSAGES = 6 };

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity me;
    uint8_t rx[BUFFER], tx[BUFFER];
    unsigned sent, got;
    int failed;
} party;

static party client, server;
static uint8_t known[1][32];
static const uint8_t custom_ids[2][3] = {{0x80, 'c', 0}, {0x80, 's', 0}};
static uint64_t now;

static void set_up(party *p, svconn_role role, unsigned type, unsigned kind) {
    uint8_t secret[32], seed[32];
    memset(p, 0, sizeof *p);
    memset(secret, type == 1 ? 7 : (int)role, 32);
    memset(seed, 10 + (int)role, 32);
    const uint8_t *name = (const uint8_t *)(role == SVCONN_CLIENT ? "c" : "s");
    if (type == 1) MUST(svconn_identity_psk(&p->me, secret, name, 1) == SVCONN_OK);
    else if (type == 2) MUST(svconn_identity_custom(&p->me, custom_ids[role == SVCONN_SERVER], 3) == SVCONN_OK);
    else svconn_identity_ed25519(&p->me, secret);
    p->config.role = role;
    p->config.identity = &p->me;
    p->config.hidden = (kind & 4) && role == SVCONN_SERVER && type != 1 && type != 2;
    p->config.known_servers = (const uint8_t(*)[32])known;
    p->config.known_servers_count = 1;
    p->config.renew_records = kind & 32 ? 2 : 0;
    p->config.early = SVCONN_EARLY_ALWAYS;
    MUST(svconn_init(&p->s, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx) == SVCONN_OK);
}

static size_t message(unsigned i, const party *from, uint8_t *out) {
    size_t len = i * 37 % 200;
    memset(out, (int)(i + (from == &client ? 1 : 100)), len);
    return len;
}

static void answer(party *p) {
    svconn_err err = SVCONN_OK;
    for (int i = 0; i < 4 && !err; i++) {
        uint8_t msg[SVCONN_PROOF_MESSAGE_MAX];
        size_t n;
        switch (svconn_status(&p->s)) {
        case SVCONN_NEEDS_PROOF:
            MUST(svconn_proof_message(&p->s, msg, &n) == SVCONN_OK);
            err = svconn_prove(&p->s, msg, 32);
            break;
        case SVCONN_NEEDS_PSK: err = svconn_refuse(&p->s); break;
        case SVCONN_NEEDS_VERDICT: err = svconn_accept(&p->s); break;
        default: return;
        }
    }
}

static void take(party *p, const party *from, int honest) {
    const uint8_t *got;
    uint8_t want[256];
    size_t n;
    while (svconn_recv(&p->s, &got, &n) == SVCONN_OK) {
        MUST(got >= p->rx && got + n <= p->rx + sizeof p->rx);
        if (honest) {
            if (p->config.renew_records) /* gap 14.1 of the specification: records may be missing before a renewal */
                while (p->got < from->sent && (n != message(p->got, from, want) || memcmp(got, want, n) != 0)) p->got++;
            MUST(p->got < from->sent);
            MUST(n == message(p->got, from, want) && memcmp(got, want, n) == 0);
        }
        p->got++;
        if (svconn_recv_done(&p->s)) break;
    }
}

static void check_failure(party *p) {
    if (svconn_status(&p->s) != SVCONN_FAILED) return;
    svconn_err err = svconn_error(&p->s);
    MUST(svconn_is_failure(err) && (!p->failed || p->failed == (int)err));
    p->failed = (int)err;
    MUST(svconn_send(&p->s, "x", 1, now) == SVCONN_E_STATE);
}

static void feed(party *p, const uint8_t *data, size_t len, size_t chunk) {
    for (size_t at = 0; at < len;) {
        size_t n = len - at < chunk ? len - at : chunk, used;
        answer(p);
        svconn_err err = svconn_wire_in(&p->s, data + at, n, &used, ++now);
        if (err || used == 0) break;
        at += used;
    }
    answer(p);
    check_failure(p);
}

static size_t drain(party *p, uint8_t *out, size_t size) {
    size_t n;
    const uint8_t *b = svconn_wire_out(&p->s, &n);
    MUST(n <= size);
    if (n) memcpy(out, b, n);
    MUST(svconn_wire_sent(&p->s, n) == SVCONN_OK);
    return n;
}

/* One edit of n bytes at b; returns the new length. */
static size_t edit(uint8_t *b, size_t n, size_t size, const uint8_t *e) {
    size_t at = n ? (size_t)(e[0] << 8 | e[1]) % n : 0, len = e[3] & 0x7f;
    if (n == 0) return 0;
    if (at + len > n) len = n - at;
    switch (e[2] & 3) {
    case 0: b[at] ^= e[4]; break;
    case 1: memmove(b + at, b + at + len, n - at - len); return n - len;
    case 2:
        if (n + len > size) return n;
        memmove(b + at + len, b + at, n - at);
        return n + len; /* the bytes at `at` stand twice */
    default: return at;
    }
    return n;
}

static int carry(party *from, party *to, const uint8_t **edits, size_t *left, unsigned *countdown, size_t chunk) {
    uint8_t b[2 * BUFFER];
    answer(from);
    size_t n = drain(from, b, BUFFER);
    int touched = 0;
    if (n && *left >= 6 && (*countdown)-- == 0) {
        n = edit(b, n, sizeof b, *edits + 1);
        *edits += 6;
        *left -= 6;
        *countdown = *left ? (*edits)[0] & 7 : 0;
        touched = 1;
    }
    feed(to, b, n, chunk);
    take(to, from, 1);
    return touched;
}

static void exchange(const uint8_t *edits, size_t left, size_t chunk, int close) {
    unsigned countdown = left ? edits[0] & 7 : 0;
    uint8_t msg[256];
    for (unsigned round = 0; round < 12; round++) {
        party *both[2] = {&server, &client};
        for (int i = 0; i < 2; i++) {
            party *p = both[i];
            size_t n = message(p->sent, p, msg);
            if (p->sent < MESSAGES && svconn_send(&p->s, msg, n, ++now) == SVCONN_OK) p->sent++;
            if (close && round == 9) (void)!svconn_close(&p->s, now);
            carry(p, both[!i], &edits, &left, &countdown, chunk);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t chunks[4] = {1, 7, 100, 100000};
    if (size < 2) return 0;
    unsigned mode = data[0] % 6, kind = data[1];
    size_t chunk = chunks[kind >> 6];
    now = 1;
    set_up(&server, SVCONN_SERVER, kind & 3, kind);
    set_up(&client, SVCONN_CLIENT, kind >> 3 & 3, kind);
    server.config.peer_types = client.config.peer_types = 7;
    size_t id_len;
    memcpy(known[0], svconn_identity_bytes(&server.me, &id_len) + 1, id_len == 33 ? 32 : 1);
    answer(&server);
    data += 2;
    size -= 2;
    if (mode >= 4) exchange(data, size, chunk, 1);
    else {
        if (mode >= 2) exchange(NULL, 0, chunk, 0);
        party *p = mode & 1 ? &server : &client;
        feed(p, data, size, chunk);
        take(p, p, 0);
        feed(p, data, size, chunk);
        (void)!svconn_tick(&p->s, now + 1000000, NULL);
        (void)!svconn_wire_eof(&p->s);
        check_failure(p);
    }
    svconn_wipe(&client.s);
    svconn_wipe(&server.s);
    return 0;
}

#ifdef STANDALONE
int main(int argc, char **argv) {
    static uint8_t b[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) return perror(argv[i]), 1;
        size_t n = fread(b, 1, sizeof b, f);
        fclose(f);
        LLVMFuzzerTestOneInput(b, n);
    }
    return 0;
}
#endif
