/* SPDX-License-Identifier: ISC */
#include "hostile.h"

#include <stdio.h>
#include <string.h>

void hostile_write(char text[HOSTILE_TEXT], const hostile *h) {
    snprintf(text, HOSTILE_TEXT, "%u %u %u", (unsigned)h->kind, (unsigned)h->from, h->at);
}

int hostile_read(hostile *h, const char *text) {
    unsigned kind, from;
    memset(h, 0, sizeof *h);
    if (sscanf(text, "%u %u %u", &kind, &from, &h->at) != 3 || kind > ATTACK_CUT || from > FROM_CALL) return -1;
    h->kind = (attack_kind)kind;
    h->from = (relay_side)from;
    return 0;
}

static size_t get16(const uint8_t *p) { return (size_t)p[0] << 8 | p[1]; }

/* Adds a field of two bytes of length and so many bytes to *len. 0: not even its length is there yet. */
static int add_field(size_t *len, const uint8_t *p, size_t have) {
    if (have < *len + 2) return 0;
    *len += 2 + get16(p + *len);
    return 1;
}

size_t packet_length(relay_side from, unsigned number, const uint8_t *p, size_t have) {
    size_t len = 0;
    if (number > 0) len = have < 4 ? 0 : 4 + get16(p + 2) + 12;
    else if (from == FROM_LISTEN) len = 33;
    else len = 32;
    if (number == 0 && !add_field(&len, p, have)) return 0;
    if (number == 0 && from == FROM_LISTEN && !add_field(&len, p, have)) return 0;
    return len <= have ? len : 0;
}

static void swap_packets(uint8_t *p, size_t first, size_t second) {
    static uint8_t copy[LANE_SIZE];
    memcpy(copy, p, first);
    memmove(p, p + first, second);
    memcpy(p + second, copy, first);
}

static void drop_packet(relay_lane *l, size_t len) {
    memmove(l->bytes + l->ready, l->bytes + l->ready + len, l->tail - l->ready - len);
    l->tail -= len;
}

/* Attacks the packet of len bytes at ready. Returns 1 if more bytes must come first, -1 to cut, else 0. */
static int attack(hostile *h, relay_lane *l, size_t len) {
    uint8_t *p = l->bytes + l->ready;
    size_t next = packet_length(h->from, h->seen[h->from] + 1, p + len, l->tail - l->ready - len);
    h->done = 1;
    switch (h->kind) {
    case ATTACK_FLIP: p[len / 2] ^= 1; break;
    case ATTACK_REPLAY:
        if (sizeof l->bytes - l->tail < len)
            break; /* larger than the spare room: the demo will find that nothing was attacked */
        memmove(p + len, p, l->tail - l->ready);
        l->tail += len;
        l->ready += len;
        break;
    case ATTACK_DROP: drop_packet(l, len); return 0;
    case ATTACK_REORDER:
        h->done = next > 0;
        if (next == 0) return 1;
        swap_packets(p, len, next);
        len += next;
        h->seen[h->from]++;
        break;
    case ATTACK_DROP_LAST:
        h->done = next > 0 && get16(p) != get16(p + len);
        if (next == 0) return 1;
        if (h->done) {
            drop_packet(l, len);
            return 0;
        }
        break;
    case ATTACK_CUT: l->ready += len / 2; return -1;
    }
    l->ready += len;
    h->seen[h->from]++;
    return 0;
}

int hostile_filter(void *arg, relay_side from, relay_lane *lane) {
    hostile *h = arg;
    size_t len;
    while ((len = packet_length(from, h->seen[from], lane->bytes + lane->ready, lane->tail - lane->ready)) > 0) {
        if (from == h->from && !h->done && h->seen[from] >= h->at) {
            int result = attack(h, lane, len);
            if (result != 0) return result < 0 ? -1 : 0;
        } else {
            lane->ready += len;
            h->seen[from]++;
        }
    }
    if (h->done) lane->ready = lane->tail; /* the rest passes, an error packet in place of M2 for example */
    return 0;
}
