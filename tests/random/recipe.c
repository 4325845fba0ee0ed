/* SPDX-License-Identifier: ISC */
/* One recipe of docs/randomness.md (RECIPE) on a stand-in for its system: it fills what it shall and nothing else, and says so when the source fails. */
#include "fake.h"
#include RECIPE
#include <stdio.h>
#include <string.h>

int fake_fails, fake_on;
unsigned fake_calls;
void fake_bytes(void *out, size_t len) {
    static uint8_t n;
    for (size_t i = 0; i < len; i++) ((uint8_t *)out)[i] = n = n % 250 + 1; /* never 0, and each differs from the one before */
}

int main(void) {
    static const uint8_t zeros[80];
    uint8_t out[80];
    for (size_t len = 0; len <= 70; len++) {
        memset(out, 0, sizeof out);
        fake_calls = 0;
        fake_on = FAKE_ON;
        if (board_random(out, len)) return printf("fails for %zu bytes\n", len), 1;
        if (memcmp(out + len, zeros, sizeof out - len) != 0) return printf("more than %zu bytes\n", len), 1;
#ifdef HASHED /* any byte may be zero, or as the one before */
        if (len >= 16 && memcmp(out, zeros, 16) == 0) return printf("%zu bytes were not drawn\n", len), 1;
        if (len >= 32 && memcmp(out, out + 16, 16) == 0) return printf("the same bytes twice\n"), 1;
#else
        uint8_t before = 0;
        for (size_t i = 0; i < len; i++, before = out[i - 1])
            if (!out[i] || out[i] == before) return printf("byte %zu of %zu was not drawn\n", i, len), 1;
#endif
    }
    for (fake_fails = 1; fake_fails <= FAILURES; fake_fails++) {
        memset(out, 0xa5, sizeof out);
        fake_calls = 0;
#ifdef FAKE_RESET
        FAKE_RESET;
#endif
        if (board_random(out, 40) == 0) return printf("failure %d is not told\n", fake_fails), 1;
        if (memcmp(out, zeros, 40) != 0 || out[40] != 0xa5) return printf("failure %d leaves bytes\n", fake_fails), 1;
    }
    return 0;
}
