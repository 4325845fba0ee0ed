/* SPDX-License-Identifier: ISC */
#include "text.h"

#include "codec.h"
#include "svconn.h"
#include "terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int with_time;

void say_with_time(void) { with_time = 1; }

void say(const char *format, ...) {
    char line[1200], now[TEXT_TIME] = "";
    va_list args;
    if (with_time) text_time(now);
    size_t used = (size_t)snprintf(line, sizeof line, "%s%ssvconn: ", now, with_time ? " " : "");
    va_start(args, format);
    int n = vsnprintf(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    if (n < 0) return;
    used += (size_t)n < sizeof line - used - 2 ? (size_t)n : sizeof line - used - 2;
    line[used++] = '\n';
    for (size_t at = 0; at < used;) {
        ssize_t written = write(STDERR_FILENO, line + at, used - at);
        if (written <= 0) return; /* nobody listens; there is no other place to complain */
        at += (size_t)written;
    }
}

void text_escape(char *out, size_t out_size, const uint8_t *in, size_t n) {
    size_t used = 0;
    for (size_t i = 0; i < n && used + 5 <= out_size; i++) {
        int plain = in[i] >= 0x20 && in[i] < 0x7f && in[i] != '\\' && in[i] != '\'';
        used += (size_t)snprintf(out + used, out_size - used, plain ? "%c" : "\\x%02x", in[i]);
    }
    out[used] = 0;
}

size_t text_json(char *out, size_t out_size, const char *in, size_t n) {
    size_t used = 0, i = 0;
    for (; i < n; i++) {
        unsigned char c = (unsigned char)in[i];
        int quoted = c == '"' || c == '\\', plain = c >= 0x20 && c < 0x7f && !quoted;
        size_t need = plain ? 1 : quoted ? 2 : 6;
        if (used + need + 1 > out_size) break;
        snprintf(out + used, out_size - used, plain ? "%c" : quoted ? "\\%c" : "\\u%04x", c);
        used += need;
    }
    out[used] = 0;
    return i;
}

void text_identity(char out[IDENTITY_TEXT], const uint8_t *identity, size_t len) {
    char name[4 * SVCONN_NAME_MAX + 5];
    if (!identity || len == 0) {
        snprintf(out, IDENTITY_TEXT, "unknown");
    } else if (identity[0] == SVCONN_TYPE_ED25519 && len == 33) {
        hex_encode(out, identity + 1, 32);
    } else {
        text_escape(name, sizeof name, identity + 1, len - 1);
        snprintf(out, IDENTITY_TEXT, "'%s'", name);
    }
}

int text_colour(FILE *f) {
    const char *no = getenv("NO_COLOR");
    return !(no && *no) && terminal_colours(fileno(f));
}
