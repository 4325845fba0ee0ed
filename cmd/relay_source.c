/* SPDX-License-Identifier: ISC */
/*
 * Limits by source come before global ones, so that one source cannot use up what is there for all. A source is an IPv4
 * address or the /64 of an IPv6 address. Many customers have a /56 or a /48, so the /64 of one /48 have together
 * PREFIX_SCALE times what one has. An entry lives as long as it has something to remember: connections, a bucket that
 * is not full, wrong tokens that are not forgotten.
 */
#include "relay_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096
#define BURST 4     /* seconds' worth of new connections that may come at once */
#define WRONG_MAX 5 /* wrong tokens in hand; then one in WRONG_FORGET_S seconds */
#define WRONG_FORGET_S 10.0
#define RUNG_MAX 64 /* calls to the machines of a source that may be unanswered */
#define PREFIX_BITS 48
#define PREFIX_SCALE 4

struct sources {
    source *bucket[BUCKETS];
    double per_second;
    uint64_t secret;
};

sources *sources_open(double per_second) {
    sources *s = calloc(1, sizeof *s);
    if (s && svconn_random((uint8_t *)&s->secret, sizeof s->secret) != 0) {
        free(s);
        return NULL;
    }
    if (s) s->per_second = per_second;
    return s;
}

void sources_close(sources *s) {
    for (size_t i = 0; s && i < BUCKETS; i++) {
        while (s->bucket[i]) {
            source *gone = s->bucket[i];
            s->bucket[i] = gone->next;
            free(gone);
        }
    }
    free(s);
}

/* Multiplication by a secret odd number: nobody outside can choose addresses that share a bucket. */
static size_t bucket_of(const sources *s, uint64_t address) {
    return (size_t)((address ^ s->secret >> 7) * (s->secret | 1) >> 52);
}

static double burst(const sources *s, const source *src) { return s->per_second * BURST * src->scale; }

static void refill(const sources *s, source *src, uint64_t now) {
    src->tokens += (double)(now - src->new_at) / 1000.0 * s->per_second * src->scale;
    if (src->tokens > burst(s, src)) src->tokens = burst(s, src);
    src->new_at = now;
}

static void forget(source *src, uint64_t now) {
    src->wrong -= (double)(now - src->wrong_at) / 1000.0 / WRONG_FORGET_S * src->scale;
    if (src->wrong < 0) src->wrong = 0;
    src->wrong_at = now;
}

static int has_nothing(const sources *s, source *src, uint64_t now) {
    if (src->open || src->joined || src->inside) return 0;
    refill(s, src, now);
    forget(src, now);
    return src->tokens >= burst(s, src) && src->wrong <= 0;
}

static void take_out(source **at) {
    source *gone = *at;
    *at = gone->next;
    if (gone->around) gone->around->inside--;
    free(gone);
}

static source **find(sources *s, uint64_t address, int bits, uint64_t now) {
    source **at = &s->bucket[bucket_of(s, address)];
    while (*at) {
        if ((*at)->address == address && (*at)->bits == bits) break;
        if (has_nothing(s, *at, now)) take_out(at);
        else at = &(*at)->next;
    }
    return at;
}

static source *enter(sources *s, uint64_t address, int bits, source *around, uint64_t now) {
    source **at = find(s, address, bits, now);
    if (*at) return *at;
    source *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return NULL;
    *fresh = (source){.address = address, .bits = bits, .around = around, .new_at = now, .wrong_at = now};
    fresh->scale = bits == PREFIX_BITS ? PREFIX_SCALE : 1;
    fresh->tokens = burst(s, fresh);
    if (around) around->inside++;
    *at = fresh;
    return fresh;
}

source *source_enter(sources *s, const struct sockaddr *from, uint64_t now) {
    uint64_t address = 0;
    source *around = NULL;
    int is_v6 = from->sa_family == AF_INET6;
    if (is_v6) {
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        const uint8_t *b = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr.s6_addr;
        is_v6 = memcmp(b, mapped, sizeof mapped) != 0;
        for (int i = is_v6 ? 0 : 12; i < (is_v6 ? 8 : 16); i++) address = address << 8 | b[i];
    } else if (from->sa_family == AF_INET) {
        address = ntohl(((const struct sockaddr_in *)(const void *)from)->sin_addr.s_addr);
    }
    if (is_v6) {
        around = enter(s, address >> (64 - PREFIX_BITS), PREFIX_BITS, NULL, now);
        if (!around) return NULL;
        around->open++; /* held while the next entry is looked for, which tidies up */
    }
    source *src = enter(s, address, is_v6 ? 64 : 32, around, now);
    if (around) around->open--;
    if (src) source_count(src, 1, 0);
    return src;
}

void source_count(source *src, int open, int joined) {
    for (; src; src = src->around) {
        src->open = (uint32_t)((int)src->open + open);
        src->joined = (uint32_t)((int)src->joined + joined);
    }
}

int source_may_connect(sources *s, source *src, uint64_t now) {
    for (source *one = src; one; one = one->around) {
        refill(s, one, now);
        if (one->tokens < 1) return 0;
    }
    for (source *one = src; one; one = one->around) one->tokens -= 1;
    return 1;
}

int source_has_room(const source *src, unsigned long open, unsigned long joined) {
    for (; src; src = src->around)
        if (src->open > open * src->scale || src->joined > joined * src->scale) return 0;
    return 1;
}

void source_leave(sources *s, source *src, int joined, uint64_t now) {
    source_count(src, joined ? 0 : -1, joined ? -1 : 0);
    if (!has_nothing(s, src, now)) return;
    source **at = &s->bucket[bucket_of(s, src->address)];
    while (*at != src) at = &(*at)->next;
    take_out(at); /* the /48 around it goes when somebody looks at its bucket */
}

int source_may_try(source *src, uint64_t now) {
    for (; src; src = src->around) {
        forget(src, now);
        if (src->wrong > WRONG_MAX * src->scale - 1) return 0;
    }
    return 1;
}

void source_wrong(source *src, uint64_t now) {
    for (; src; src = src->around) {
        forget(src, now);
        src->wrong += 1;
    }
}

/* Callers pay for their own connection. If the machine paid for its answers, a few of them could use up what it has,
 * and nobody would reach it any more. Who answers was let in before, so this gives nobody more than there were calls.
 */
void source_ring(source *src) {
    for (; src; src = src->around)
        if (src->rung < RUNG_MAX) src->rung++;
}

void source_answer(sources *s, source *src) {
    for (; src; src = src->around) {
        if (src->rung == 0) continue;
        src->rung--;
        src->tokens += 1;
        if (src->tokens > burst(s, src)) src->tokens = burst(s, src);
    }
}

void source_text(const source *src, char out[64]) {
    uint64_t a = src->address;
    if (src->bits == 32)
        snprintf(out, 64, "%u.%u.%u.%u", (unsigned)(a >> 24 & 255), (unsigned)(a >> 16 & 255), (unsigned)(a >> 8 & 255),
                 (unsigned)(a & 255));
    else
        snprintf(out, 64, "%x:%x:%x:%x::/64", (unsigned)(a >> 48 & 0xffff), (unsigned)(a >> 32 & 0xffff),
                 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xffff));
}
