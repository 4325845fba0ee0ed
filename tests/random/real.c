/* SPDX-License-Identifier: ISC */
/* A recipe of docs/randomness.md on this system. */
#include RECIPE
#include <stdio.h>
#include <string.h>

int main(void) {
    uint8_t a[300] = {0}, b[300] = {0};
    if (board_random(a, sizeof a) || board_random(b, sizeof b)) return 1;
    return memcmp(a, b, sizeof a) == 0 || memcmp(a + 284, b + 284, 16) == 0;
}
