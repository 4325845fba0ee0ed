/* SPDX-License-Identifier: ISC */
/* Tokens that people read to each other: Crockford's base 32 (crockford.com/base32.html), which leaves out I, L, O and
 * U, reads the first three as the digits that they look like, and knows no case. */
#include "relay_wire.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void svconn_token_write(char text[RELAY_TOKEN_LEN + 1], uint64_t token) {
    for (int i = 0; i < RELAY_TOKEN_LEN; i++) text[i] = alphabet[token >> (35 - 5 * i) & 31];
    text[RELAY_TOKEN_LEN] = 0;
}

static int value_of_digit(char c) {
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    for (int i = 0; i < 32; i++)
        if (alphabet[i] == c) return i;
    return -1;
}

int svconn_token_read(uint64_t *token, const char *text) {
    int n = 0;
    *token = 0;
    for (; *text; text++) {
        if (*text == '-' || *text == ' ') continue;
        int value = value_of_digit(*text);
        if (value < 0 || n++ == RELAY_TOKEN_LEN) return -1;
        *token = *token << 5 | (uint64_t)value;
    }
    return n == RELAY_TOKEN_LEN ? 0 : -1;
}
