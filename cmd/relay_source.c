/* SPDX-License-Identifier: ISC */
/*
 * Limits by source come before global ones, so that one source cannot use up what is there for all. A source is an IPv4
 * address or the /64 of an IPv6 address, which is what one customer gets. An entry lives as long as it has something to
 * remember: connections, a bucket that is not full, wrong tokens that are not forgotten.
 */
#include "relay_state.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096
#define BURST 4     /* seconds' worth of new connections that may come at once */
#define WRONG_MAX 5 /* wrong tokens in hand; then one in WRONG_FORGET_S seconds */
#define WRONG_FORGET_S 10.0

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

static double burst(const sources *s) { return s->per_second * BURST; }

static void refill(const sources *s, source *src, uint64_t now) {
    src->tokens += (double)(now - src->new_at) / 1000.0 * s->per_second;
    if (src->tokens > burst(s)) src->tokens = burst(s);
    src->new_at = now;
}

static void forget(source *src, uint64_t now) {
    src->wrong -= (double)(now - src->wrong_at) / 1000.0 / WRONG_FORGET_S;
    if (src->wrong < 0) src->wrong = 0;
    src->wrong_at = now;
}

static int has_nothing(const sources *s, source *src, uint64_t now) {
    if (src->open || src->joined) return 0;
    refill(s, src, now);
    forget(src, now);
    return src->tokens >= burst(s) && src->wrong <= 0;
}

source *source_enter(sources *s, const struct sockaddr *from, uint64_t now) {
    uint64_t address = 0;
    int is_v6 = from->sa_family == AF_INET6;
    if (is_v6) {
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        const uint8_t *b = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr.s6_addr;
        is_v6 = memcmp(b, mapped, sizeof mapped) != 0;
        for (int i = is_v6 ? 0 : 12; i < (is_v6 ? 8 : 16); i++) address = address << 8 | b[i];
    } else if (from->sa_family == AF_INET) {
        address = ntohl(((const struct sockaddr_in *)(const void *)from)->sin_addr.s_addr);
    }
    source **at = &s->bucket[bucket_of(s, address)];
    while (*at) {
        source *src = *at;
        if (src->address == address && src->is_v6 == is_v6) {
            src->open++;
            return src;
        }
        if (has_nothing(s, src, now)) {
            *at = src->next;
            free(src);
        } else {
            at = &src->next;
        }
    }
    source *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return NULL;
    *fresh = (source){.address = address, .is_v6 = is_v6, .open = 1, .new_at = now, .wrong_at = now};
    fresh->tokens = burst(s);
    *at = fresh;
    return fresh;
}

int source_may_connect(sources *s, source *src, uint64_t now) {
    refill(s, src, now);
    if (src->tokens < 1) return 0;
    src->tokens -= 1;
    return 1;
}

void source_leave(sources *s, source *src, uint64_t now) {
    if (!has_nothing(s, src, now)) return;
    source **at = &s->bucket[bucket_of(s, src->address)];
    while (*at && *at != src) at = &(*at)->next;
    if (*at) *at = src->next;
    free(src);
}

int source_may_try(source *src, uint64_t now) {
    forget(src, now);
    return src->wrong <= WRONG_MAX - 1;
}

void source_wrong(source *src, uint64_t now) {
    forget(src, now);
    src->wrong += 1;
}

void source_text(const source *src, char out[64]) {
    uint64_t a = src->address;
    if (!src->is_v6)
        snprintf(out, 64, "%u.%u.%u.%u", (unsigned)(a >> 24 & 255), (unsigned)(a >> 16 & 255), (unsigned)(a >> 8 & 255),
                 (unsigned)(a & 255));
    else
        snprintf(out, 64, "%x:%x:%x:%x::/64", (unsigned)(a >> 48 & 0xffff), (unsigned)(a >> 32 & 0xffff),
                 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xffff));
}
