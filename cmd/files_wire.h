/* SPDX-License-Identifier: ISC */
/* The messages of the service "files", byte by byte: spec/tool.md, section "Files". */
#ifndef SVCONN_CMD_FILES_WIRE_H
#define SVCONN_CMD_FILES_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    /* from the sender */
    FILES_OFFER = 0x10, /* top(4) files(8) bytes(8) text */
    FILES_ENTRY =
        0x11, /* id(4) type(1) mode(2) mtime(8) ns(4) size(8) n(1) n names, each behind its length(1); target */
    FILES_DATA = 0x12,   /* id(4) bytes */
    FILES_END = 0x13,    /* id(4) SHA-256 of the whole file (32) */
    FILES_HASH = 0x14,   /* id(4) SHA-256 of the bytes that ASK asked for (32) */
    FILES_CANCEL = 0x15, /* id(4) reason(1) */
    FILES_DONE = 0x16,   /* entries(4) */
    /* from the receiver */
    FILES_ASK = 0x20,    /* id(4) offset(8) */
    FILES_WANT = 0x21,   /* id(4) offset(8) */
    FILES_STORED = 0x22, /* id(4) text: its path there, if that is another one */
    FILES_SAME = 0x23,   /* id(4) */
    FILES_SKIP = 0x24,   /* id(4) reason(1) text */
    FILES_RESULT = 0x25  /* status(1) stored(4) same(4) skipped(4) text */
};

enum { FILES_FILE = 1, FILES_DIRECTORY = 2, FILES_SYMLINK = 3 };

enum { CANCEL_CHANGED = 1, CANCEL_UNREADABLE = 2, CANCEL_UNWANTED = 3 };

enum {
    SKIP_EXISTS = 1, /* another one with this name is there */
    SKIP_NAME = 2,   /* a name, a depth or a link that is not taken */
    SKIP_LIMIT = 3,  /* more than the receiver takes in all */
    SKIP_FULL = 4,   /* the disk is full: nothing more will be stored */
    SKIP_LOCAL = 5,  /* other trouble there */
    SKIP_BUSY = 6,   /* it is just being received from somebody else */
    SKIP_DAMAGED = 7,
    SKIP_CANCELLED = 8 /* the answer to CANCEL */
};

enum {
    FILES_WINDOW = 256, /* entries that are not settled */
    FILES_DEPTH = 64,   /* names in a path */
    FILES_PATH_MAX = 4096,
    FILES_TARGET_MAX = 4095,
    FILES_TEXT_MAX = 200,
    FILES_DATA_MAX = 60000, /* what we send at a time; taken is what fits into a message */
    FILES_REPLY_MAX = 512   /* the longest message of a receiver */
};

/* ---- reading: past the end everything is zero, and bad is set ---- */
typedef struct {
    const uint8_t *at;
    size_t left;
    int bad;
} wire_in;

static inline const uint8_t *get_bytes(wire_in *w, size_t n) {
    static const uint8_t nothing[32];
    if (w->left < n) {
        w->bad = 1;
        w->left = 0;
        return nothing;
    }
    const uint8_t *p = w->at;
    w->at += n;
    w->left -= n;
    return p;
}

/* n is at most 8 */
static inline uint64_t get_number(wire_in *w, size_t n) {
    const uint8_t *p = get_bytes(w, n);
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++) x = x << 8 | p[i];
    return x;
}

/* ---- writing: the caller sees to the room ---- */
typedef struct {
    uint8_t *b;
    size_t n;
} wire_out;

static inline void put_number(wire_out *w, uint64_t x, size_t n) {
    for (size_t i = 0; i < n; i++) w->b[w->n++] = (uint8_t)(x >> 8 * (n - 1 - i));
}

static inline void put_bytes(wire_out *w, const void *bytes, size_t n) {
    if (n) memcpy(w->b + w->n, bytes, n);
    w->n += n;
}

#endif
