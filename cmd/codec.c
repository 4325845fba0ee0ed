/* SPDX-License-Identifier: ISC */
#include "codec.h"

#include <string.h>

/* All ones if low <= c <= high, else 0, for values below 2^31. */
static unsigned in_range(unsigned c, unsigned low, unsigned high) { return (((c - low) | (high - c)) >> 31) - 1u; }

/* ---- hexadecimal ---- */
static char hex_digit(unsigned v) { return (char)(v + '0' + (in_range(v, 10, 15) & ('a' - '0' - 10))); }

void hex_encode(char *out, const uint8_t *in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex_digit(in[i] >> 4);
        out[2 * i + 1] = hex_digit(in[i] & 15u);
    }
    out[2 * n] = 0;
}

/* The value of a digit, or 0x100 if it is none. */
static unsigned hex_value(char digit) {
    unsigned c = (unsigned char)digit, lower = c | 0x20u;
    unsigned number = in_range(c, '0', '9'), letter = in_range(lower, 'a', 'f');
    return (number & (c - '0')) | (letter & (lower - 'a' + 10)) | (~(number | letter) & 0x100u);
}

int hex_decode(uint8_t *out, size_t n, const char *in) {
    unsigned all = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned high = hex_value(in[2 * i]), low = hex_value(in[2 * i + 1]);
        all |= high | low;
        out[i] = (uint8_t)(high << 4 | low);
    }
    if (all < 0x100) return 0;
    wipe(out, n);
    return -1;
}

/* ---- base64 ---- */
static char base64_char(unsigned v) {
    return (char)((in_range(v, 0, 25) & (v + 'A')) | (in_range(v, 26, 51) & (v - 26 + 'a')) |
                  (in_range(v, 52, 61) & (v - 52 + '0')) | (in_range(v, 62, 62) & '+') | (in_range(v, 63, 63) & '/'));
}

void base64_encode(char *out, const uint8_t *in, size_t n) {
    for (size_t i = 0; i < n; i += 3) {
        unsigned word = (unsigned)in[i] << 16 | (unsigned)in[i + 1] << 8 | in[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = base64_char(word >> shift & 63u);
    }
    *out = 0;
}

/* The value of a character, or 0x100 if it is none of the 64. */
static unsigned base64_value(char character) {
    unsigned c = (unsigned char)character;
    unsigned upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z'), number = in_range(c, '0', '9');
    unsigned plus = in_range(c, '+', '+'), slash = in_range(c, '/', '/');
    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) | (plus & 62u) | (slash & 63u) |
           (~(upper | lower | number | plus | slash) & 0x100u);
}

int base64_decode(uint8_t *out, size_t out_size, const char *in, size_t len) {
    if (len == 0 || len % 4 != 0 || len / 4 * 3 > out_size) return -1;
    size_t padding = in[len - 1] != '=' ? 0 : in[len - 2] != '=' ? 1 : 2;
    unsigned all = 0, word = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned v = i < len - padding ? base64_value(in[i]) : 0;
        all |= v;
        word = word << 6 | (v & 63u);
        if (i % 4 != 3) continue;
        *out++ = (uint8_t)(word >> 16);
        *out++ = (uint8_t)(word >> 8);
        *out++ = (uint8_t)word;
        /* bits behind the last byte would give the same key a second spelling */
        if (i == len - 1) all |= (word & ((1u << 8 * padding) - 1u)) != 0 ? 0x100u : 0;
        word = 0;
    }
    return all < 0x100 ? (int)(len / 4 * 3 - padding) : -1;
}

/* ---- PKCS#8 ---- */
/* SEQUENCE, version 0, AlgorithmIdentifier with OID 1.3.101.112, OCTET STRING with an OCTET STRING in it */
static const uint8_t pkcs8_head[16] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

void pkcs8_write(uint8_t der[PKCS8_SIZE], const uint8_t seed[32]) {
    memcpy(der, pkcs8_head, sizeof pkcs8_head);
    memcpy(der + sizeof pkcs8_head, seed, 32);
}

/* Takes one element with this tag off the front; *body and the result are its content. -1: it is not there. */
static int take(const uint8_t **p, const uint8_t *end, uint8_t tag, const uint8_t **body) {
    if (end - *p < 2 || (*p)[0] != tag) return -1;
    ptrdiff_t len = (*p)[1], head = 2;
    if (len == 0x81) { /* DER: only for what does not fit into the short form */
        if (end - *p < 3 || (*p)[2] < 0x80) return -1;
        len = (*p)[2];
        head = 3;
    } else if (len >= 0x80) {
        return -1;
    }
    if (end - *p - head < len) return -1;
    *body = *p + head;
    *p = *body + len;
    return (int)len;
}

int pkcs8_read(const uint8_t *der, size_t len, const uint8_t **seed, const uint8_t **public_key) {
    static const uint8_t algorithm[5] = {0x06, 0x03, 0x2b, 0x65, 0x70};
    const uint8_t *p = der, *end = der + len, *body, *inner;
    *public_key = NULL;
    int n = take(&p, end, 0x30, &body);
    if (n < 0 || p != end) return -1;
    p = body;
    if (take(&p, end, 0x02, &body) != 1 || body[0] > 1) return -1;
    uint8_t version = body[0];
    if (take(&p, end, 0x30, &body) != sizeof algorithm || memcmp(body, algorithm, sizeof algorithm) != 0) return -1;
    if (take(&p, end, 0x04, &inner) != 34 || take(&inner, inner + 34, 0x04, seed) != 32) return -1;
    if (p < end && *p == 0xa0 && take(&p, end, 0xa0, &body) < 0) return -1; /* attributes: nothing that we need */
    if (version == 1) {
        if (take(&p, end, 0x81, &body) != 33 || body[0] != 0) return -1; /* a BIT STRING without unused bits */
        *public_key = body + 1;
    }
    return p == end ? 0 : -1;
}

/* ---- erasing ---- */
/* Called through a volatile pointer, because a memset of memory that dies may be left out. */
static void *(*const volatile set_memory)(void *, int, size_t) = memset;

void wipe(void *p, size_t n) { set_memory(p, 0, n); }
