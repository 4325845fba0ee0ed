/* SPDX-License-Identifier: ISC */
#include "sshkey.h"

#include <string.h>

#define BLOCK 8 /* what "none" pads to */

/* What is left to read. */
typedef struct {
    const uint8_t *p;
    size_t len;
} span;

static int take(span *from, size_t n, span *out) {
    if (from->len < n) return -1;
    *out = (span){from->p, n};
    from->p += n;
    from->len -= n;
    return 0;
}

static int take_number(span *from, uint32_t *out) {
    span s;
    if (take(from, 4, &s) != 0) return -1;
    *out = (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3];
    return 0;
}

/* A string of RFC 4251 section 5: its length in 4 bytes, and its bytes. */
static int take_string(span *from, span *out) {
    uint32_t n;
    return take_number(from, &n) == 0 ? take(from, n, out) : -1;
}

/* Names and public keys only: time may depend on them. */
static int is(span s, const char *text) { return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0; }
static int same(span a, span b) { return a.len == b.len && memcmp(a.p, b.p, a.len) == 0; }

/* RFC 8709 section 4. */
static sshkey_kind read_public(span blob, span *key) {
    span type;
    if (take_string(&blob, &type) != 0) return SSHKEY_DAMAGED;
    if (!is(type, "ssh-ed25519")) return SSHKEY_OTHER;
    return take_string(&blob, key) == 0 && key->len == 32 && blob.len == 0 ? SSHKEY_GOOD : SSHKEY_DAMAGED;
}

static int is_padding(span s) {
    if (s.len >= BLOCK) return 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != i + 1) return 0;
    return 1;
}

/* Type, public key, seed with the public key behind it, comment. */
static int read_private(span in, span public_key, const uint8_t **seed) {
    uint32_t check1, check2;
    span type, key, pair, comment;
    if (in.len % BLOCK != 0) return -1;
    if (take_number(&in, &check1) != 0 || take_number(&in, &check2) != 0 || check1 != check2) return -1;
    if (take_string(&in, &type) != 0 || !is(type, "ssh-ed25519")) return -1;
    if (take_string(&in, &key) != 0 || !same(key, public_key)) return -1;
    if (take_string(&in, &pair) != 0 || pair.len != 64 || !same((span){pair.p + 32, 32}, public_key)) return -1;
    if (take_string(&in, &comment) != 0 || !is_padding(in)) return -1;
    *seed = pair.p;
    return 0;
}

sshkey_kind sshkey_read(const uint8_t *data, size_t len, const uint8_t **seed, const uint8_t **public_key) {
    static const char magic[] = "openssh-key-v1"; /* its zero byte belongs to it */
    span in = {data, len}, head, cipher, kdf, kdf_options, blob, key, secret;
    uint32_t keys;
    if (take(&in, sizeof magic, &head) != 0 || memcmp(head.p, magic, sizeof magic) != 0) return SSHKEY_DAMAGED;
    if (take_string(&in, &cipher) != 0 || take_string(&in, &kdf) != 0 || take_string(&in, &kdf_options) != 0 ||
        take_number(&in, &keys) != 0)
        return SSHKEY_DAMAGED;
    if (keys != 1 || take_string(&in, &blob) != 0) return SSHKEY_DAMAGED;
    sshkey_kind kind = read_public(blob, &key);
    if (kind != SSHKEY_GOOD) return kind;
    if (!is(cipher, "none")) return SSHKEY_ENCRYPTED;
    if (!is(kdf, "none") || kdf_options.len != 0) return SSHKEY_DAMAGED;
    if (take_string(&in, &secret) != 0 || in.len != 0) return SSHKEY_DAMAGED;
    *public_key = key.p;
    return read_private(secret, key, seed) == 0 ? SSHKEY_GOOD : SSHKEY_DAMAGED;
}
