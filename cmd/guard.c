/* SPDX-License-Identifier: ISC */
/*
 * Memory is bounded: sources and keys have GUARD_BANS bans and GUARD_COUNTS accounts of failures each, and the oldest
 * goes first. What an attacker with many sources gets for it (a customer with an IPv6 /48 has 65536 of them):
 *   - Failures of sources that are not banned never touch a ban. To end the ban of somebody else early he must bring
 *     about GUARD_BANS bans of his own within its time, each by as many failures from a new source. Its owner then has
 *     as many attempts again as everybody has.
 *   - With more than GUARD_COUNTS sources that take turns he is forgotten before he is banned. But so many sources
 *     have that many attempts each anyway.
 *   - He cannot fill what is kept about keys by sources, nor the other way round.
 */
#include "guard.h"

#include "crypto.h"
#include "svconn_link.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096
#define ACCOUNTS (GUARD_BANS + GUARD_COUNTS)
#define ID 32
#define MAPPED_BITS 96

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ---- networks ----------------------------------------------------------------------------------- */

static int is_mapped(const uint8_t address[16]) { return memcmp(address, mapped, sizeof mapped) == 0; }

/* Returns 4 or 6, or 0: it is no address. */
static int parse_address(uint8_t out[16], const char *text) {
    if (inet_pton(AF_INET6, text, out) == 1) return 6;
    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, out + sizeof mapped) == 1 ? 4 : 0;
}

/* A number from 0 to most without leading zeros, or -1. */
static int parse_bits(const char *text, int most) {
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 3 || text[n] || (text[0] == '0' && n > 1)) return -1;
    int bits = atoi(text);
    return bits <= most ? bits : -1;
}

static int has_bits_beyond(const network *n) {
    for (unsigned i = n->bits; i < 128; i++)
        if (n->address[i / 8] & 0x80 >> i % 8) return 1;
    return 0;
}

/* NULL, or what is wrong with it. */
static const char *parse_network(network *n, const char *text) {
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    if (len >= sizeof address) return "this is no IPv4 or IPv6 address";
    memcpy(address, text, len);
    address[len] = 0;
    int family = parse_address(n->address, address), bits = family == 4 ? 32 : 128;
    if (!family) return "this is no IPv4 or IPv6 address";
    if (text[len] == '/') bits = parse_bits(text + len + 1, bits);
    if (bits < 0)
        return family == 4 ? "behind the / goes a number from 0 to 32" : "behind the / goes a number from 0 to 128";
    n->bits = (unsigned)bits + (family == 4 ? MAPPED_BITS : 0);
    return has_bits_beyond(n) ? "the address has bits beyond the" : NULL;
}

int network_parse(network *n, const char *text) { return parse_network(n, text) ? -1 : 0; }

void network_explain(char *out, size_t size, const char *text) {
    network n = {{0}, 0};
    const char *why = parse_network(&n, text), *slash = strchr(text, '/');
    int of_bits = why && slash && has_bits_beyond(&n) && strstr(why, "beyond");
    snprintf(out, size, "%s: %s%s%s", text, why ? why : "this is a network", of_bits ? " " : "", of_bits ? slash : "");
}

int network_of_peer(uint8_t address[16], const char *peer) {
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(peer, ':');
    if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")]) return -1;
    size_t len = (size_t)(colon - peer);
    int is_v6 = len > 2 && peer[0] == '[' && colon[-1] == ']';
    if (is_v6) len = strcspn(++peer, "%]"); /* without a zone, such as %eth0 */
    if (len >= sizeof host) return -1;
    memcpy(host, peer, len);
    host[len] = 0;
    return parse_address(address, host) == (is_v6 ? 6 : 4) ? 0 : -1;
}

int network_has(const network *n, const uint8_t address[16]) {
    if (n->bits < MAPPED_BITS && is_mapped(address)) return 0;
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->address, address, whole) != 0) return 0;
    return !rest || !((n->address[whole] ^ address[whole]) >> (8 - rest));
}

/* ---- accounts of failures ----------------------------------------------------------------------- */

typedef struct account {
    uint8_t id[ID];
    struct account *next;          /* in its bucket, or the next free one */
    struct account *newer, *older; /* in its queue */
    uint64_t since;                /* of the first failure, or of the ban */
    unsigned long failures;
    int banned;
} account;

typedef struct {
    account *oldest, *newest;
    size_t n, most;
} queue;

/* Of sources, or of keys. */
typedef struct {
    account all[ACCOUNTS];
    account *bucket[BUCKETS], *unused;
    queue counting, banned; /* by since */
} book;

struct guard {
    network from[LIST_MAX], not_from[LIST_MAX];
    size_t n_from, n_not_from;
    unsigned long after;
    uint64_t for_ms;
    uint8_t secret[32];
    book *sources, *keys; /* NULL if nobody is ever banned */
};

static book *book_open(void) {
    book *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->counting.most = GUARD_COUNTS;
    b->banned.most = GUARD_BANS;
    for (size_t i = 0; i < ACCOUNTS; i++) {
        b->all[i].next = b->unused;
        b->unused = &b->all[i];
    }
    return b;
}

static void queue_add(queue *q, account *a) {
    a->older = q->newest;
    a->newer = NULL;
    if (q->newest) q->newest->newer = a;
    else q->oldest = a;
    q->newest = a;
    q->n++;
}

static void queue_remove(queue *q, account *a) {
    if (a->older) a->older->newer = a->newer;
    else q->oldest = a->newer;
    if (a->newer) a->newer->older = a->older;
    else q->newest = a->older;
    q->n--;
}

static queue *queue_of(book *b, const account *a) { return a->banned ? &b->banned : &b->counting; }

/* The secret keeps others from choosing ids that share a bucket. */
static account **bucket_of(const guard *g, book *b, const uint8_t id[ID]) {
    svconn_sha256_ctx c;
    uint8_t digest[32];
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, g->secret, sizeof g->secret);
    svconn_sha256_update(&c, id, ID);
    svconn_sha256_final(&c, digest);
    return &b->bucket[((size_t)digest[0] << 8 | digest[1]) % BUCKETS];
}

static void forget(const guard *g, book *b, account *a) {
    account **at = bucket_of(g, b, a->id);
    while (*at != a) at = &(*at)->next;
    *at = a->next;
    queue_remove(queue_of(b, a), a);
    a->next = b->unused;
    b->unused = a;
}

/* Time is over for bans, and for counts, after the same span, so the old ones are at one end. */
static void forget_old(const guard *g, book *b, queue *q, uint64_t now) {
    while (q->oldest && now - q->oldest->since >= g->for_ms) forget(g, b, q->oldest);
}

static account *find(const guard *g, book *b, const uint8_t id[ID], uint64_t now) {
    forget_old(g, b, &b->counting, now);
    forget_old(g, b, &b->banned, now);
    account *a = *bucket_of(g, b, id);
    while (a && memcmp(a->id, id, ID) != 0) a = a->next;
    return a;
}

static void enter(const guard *g, book *b, queue *q, account *a) {
    if (q->n == q->most) forget(g, b, q->oldest);
    queue_add(q, a);
}

/* There is always an unused one: the queues have room for ACCOUNTS together, and the counts make room first. */
static account *begin(const guard *g, book *b, const uint8_t id[ID], uint64_t now) {
    if (b->counting.n == b->counting.most) forget(g, b, b->counting.oldest);
    account *a = b->unused, **at = bucket_of(g, b, id);
    b->unused = a->next;
    *a = (account){.next = *at, .since = now};
    memcpy(a->id, id, ID);
    *at = a;
    enter(g, b, &b->counting, a);
    return a;
}

/* 1 if this failure brought the ban. */
static int count(const guard *g, book *b, const uint8_t id[ID], uint64_t now) {
    account *a = find(g, b, id, now);
    if (!a) a = begin(g, b, id, now);
    if (a->banned || ++a->failures < g->after) return 0;
    queue_remove(&b->counting, a);
    a->banned = 1;
    a->since = now;
    enter(g, b, &b->banned, a);
    return 1;
}

static void clear(const guard *g, book *b, const uint8_t id[ID]) {
    account *a = *bucket_of(g, b, id);
    while (a && memcmp(a->id, id, ID) != 0) a = a->next;
    if (a) forget(g, b, a);
}

/* ---- the guard ---------------------------------------------------------------------------------- */

/* The id of the source: an IPv4 address, or a /64. 0, or -1: it has none. */
static int source_id(uint8_t id[ID], const char *peer) {
    memset(id, 0, ID);
    if (!peer || network_of_peer(id, peer) != 0) return -1;
    if (!is_mapped(id)) memset(id + 8, 0, 8);
    return 0;
}

static int parse_list(const char *command, const char *name, network *to, const text_list *list) {
    char why[200];
    for (size_t i = 0; i < list->n; i++) {
        if (network_parse(&to[i], list->item[i]) == 0) continue;
        network_explain(why, sizeof why, list->item[i]);
        options_fault(command, "--%s %s", name, why);
        return -1;
    }
    return 0;
}

guard *guard_open(const char *command, const text_list *from, const text_list *not_from, unsigned long after,
                  unsigned long for_s) {
    guard *g = calloc(1, sizeof *g);
    int ok = g && svconn_random(g->secret, sizeof g->secret) == 0;
    if (ok && after) ok = (g->sources = book_open()) != NULL && (g->keys = book_open()) != NULL;
    if (!ok) {
        say("%s: there is not enough memory, or the system gives no random bytes; end other programs and start again",
            command);
        guard_close(g);
        return NULL;
    }
    g->after = after;
    g->for_ms = (uint64_t)for_s * 1000;
    g->n_from = from->n;
    g->n_not_from = not_from->n;
    if (parse_list(command, "from", g->from, from) == 0 && parse_list(command, "not-from", g->not_from, not_from) == 0)
        return g;
    guard_close(g);
    return NULL;
}

void guard_close(guard *g) {
    if (!g) return;
    free(g->sources);
    free(g->keys);
    free(g);
}

static int is_in(const network *list, size_t n, const uint8_t address[16]) {
    for (size_t i = 0; i < n; i++)
        if (network_has(&list[i], address)) return 1;
    return 0;
}

static int is_banned(const guard *g, book *b, const uint8_t id[ID], uint64_t now) {
    const account *a = b ? find(g, b, id, now) : NULL;
    return a && a->banned;
}

guard_verdict guard_source(guard *g, const char *peer, uint64_t now) {
    uint8_t address[16], id[ID];
    if (network_of_peer(address, peer) != 0) return GUARD_WELCOME;
    if (g->n_from && !is_in(g->from, g->n_from, address)) return GUARD_FILTERED;
    if (is_in(g->not_from, g->n_not_from, address)) return GUARD_FILTERED;
    return source_id(id, peer) == 0 && is_banned(g, g->sources, id, now) ? GUARD_BANNED : GUARD_WELCOME;
}

guard_verdict guard_key(guard *g, const uint8_t key[32], uint64_t now) {
    return is_banned(g, g->keys, key, now) ? GUARD_BANNED : GUARD_WELCOME;
}

int guard_failed(guard *g, const char *peer, const uint8_t *key, uint64_t now) {
    uint8_t id[ID];
    int banned = 0;
    if (g->sources && source_id(id, peer) == 0) banned |= count(g, g->sources, id, now);
    if (g->keys && key) banned |= count(g, g->keys, key, now);
    return banned;
}

void guard_succeeded(guard *g, const char *peer, const uint8_t *key) {
    uint8_t id[ID];
    if (g->sources && source_id(id, peer) == 0) clear(g, g->sources, id);
    if (g->keys && key) clear(g, g->keys, key);
}
