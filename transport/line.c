/* SPDX-License-Identifier: ISC */
/* Marks on a line, spec/serial.md section 2. */
#include "svconn_line.h"
#include <string.h>

static const uint8_t magic[8] = {0x16, 0x16, 0x16, 0x16, 'S', 'V', 'C', '1'};
enum { KIND_AT = 8, NONCE_AT = 9, CHECK_AT = 17 };

/* CRC-32 of IEEE 802.3, reflected, as in zlib. Bit by bit: marks are short and seldom, tables are not. */
static void put_check(uint8_t out[4], const uint8_t *bytes, size_t len) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(~crc >> (24 - 8 * i));
}

void svconn_line_mark(uint8_t out[SVCONN_LINE_MARK], svconn_line_kind kind, const uint8_t nonce[SVCONN_LINE_NONCE]) {
    memcpy(out, magic, sizeof magic);
    out[KIND_AT] = (uint8_t)kind;
    memcpy(out + NONCE_AT, nonce, SVCONN_LINE_NONCE);
    put_check(out + CHECK_AT, out, CHECK_AT);
}

static int is_zero(const uint8_t nonce[SVCONN_LINE_NONCE]) {
    static const uint8_t zeros[SVCONN_LINE_NONCE];
    return memcmp(nonce, zeros, sizeof zeros) == 0;
}

/* Can seen[0 .. have) be the beginning of a mark? */
static int may_be_mark(const svconn_line_finder *f) {
    uint8_t check[4];
    size_t n = f->have < sizeof magic ? f->have : sizeof magic;
    if (memcmp(f->seen, magic, n) != 0) return 0;
    if (f->have > KIND_AT && (!f->seen[KIND_AT] || !memchr("CAE", f->seen[KIND_AT], 3))) return 0;
    if (f->have < SVCONN_LINE_MARK) return 1;
    if (f->seen[KIND_AT] != SVCONN_LINE_END && is_zero(f->seen + NONCE_AT)) return 0;
    put_check(check, f->seen, CHECK_AT);
    return memcmp(check, f->seen + CHECK_AT, 4) == 0;
}

size_t svconn_line_find(svconn_line_finder *f, const uint8_t *bytes, size_t len, int *kind,
                        uint8_t nonce[SVCONN_LINE_NONCE]) {
    *kind = 0;
    for (size_t i = 0; i < len; i++) {
        f->seen[f->have++] = bytes[i];
        /* what is no mark may have the beginning of one in it */
        while (f->have && !may_be_mark(f)) memmove(f->seen, f->seen + 1, --f->have);
        if (f->have < SVCONN_LINE_MARK) continue;
        *kind = f->seen[KIND_AT];
        memcpy(nonce, f->seen + NONCE_AT, SVCONN_LINE_NONCE);
        f->have = 0;
        return i + 1;
    }
    return len;
}
