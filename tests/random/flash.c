/* SPDX-License-Identifier: ISC */
/* The recipe of docs/randomness.md for chips without a source: a secret in flash, and power that is lost at each step. */
#include RECIPE
#include <setjmp.h>
#include <stdio.h>

static uint8_t slots[2][SLOT];
static int steps_left, read_only, with_noise; /* flash operations until the power is lost; -1: never */
static jmp_buf power_lost;

int flash_read(int which, uint8_t slot[SLOT]) {
    memcpy(slot, slots[which], SLOT);
    return 0;
}
static void step(void) {
    if (steps_left-- == 0) longjmp(power_lost, 1);
}
int flash_write(int which, const uint8_t slot[SLOT]) {
    step();
    if (read_only) return 0; /* and says that all is well */
    memset(slots[which], 0xff, SLOT);
    step();
    memcpy(slots[which], slot, SLOT / 2); /* half of it */
    step();
    memcpy(slots[which], slot, SLOT);
    step();
    return 0;
}
size_t board_noise(uint8_t out[], size_t max) {
    memset(out, 1, max);
    return with_noise ? max : 0;
}

static uint8_t seen[4000][32];
static size_t count;

/* All that was drawn is new, and is not in flash. */
static int draw(void) {
    for (int i = 0; i < 3; i++, count++) {
        if (board_random(seen[count], 32)) return printf("no bytes\n"), 1;
        for (size_t k = 0; k < count; k++)
            if (memcmp(seen[k], seen[count], 32) == 0) return printf("the same bytes twice\n"), 1;
        if (memcmp(slots[0] + 4, seen[count], 32) == 0 || memcmp(slots[1] + 4, seen[count], 32) == 0) return printf("bytes that are in flash\n"), 1;
    }
    return 0;
}

int main(void) {
    uint8_t out[33] = {1}, old[2][SLOT];
    static const uint8_t secret[32] = {1, 2, 3}, zeros[33];
    volatile int cut, starts;
    if (board_random_start() == 0) return printf("starts from empty flash\n"), 1;
    if (board_random(out, 33) == 0 || memcmp(out, zeros, 33) != 0) return printf("bytes from nothing\n"), 1;
    flash_slot(slots[0], 1, secret);
    static const uint8_t crc[4] = {0x50, 0x97, 0x72, 0x57}; /* of Python's zlib.crc32, as a factory would have it */
    if (memcmp(slots[0] + 36, crc, 4) != 0) return printf("another CRC\n"), 1;
    for (with_noise = 0; with_noise < 2; with_noise++)
        for (cut = -1; cut < 9; cut++)
            for (starts = 0; starts < 4; starts++) {
                steps_left = cut;
                memcpy(old, slots, sizeof old);
                if (setjmp(power_lost) == 0 && (board_random_start() || draw())) return printf("cut %d\n", cut), 1;
                steps_left = -1;
                if (cut < 0 && (memcmp(slots[0], zeros, 32) != 0) == (memcmp(slots[1], zeros, 32) != 0)) return printf("the old secret is still there\n"), 1;
                if (starts % 2 && (board_random_start() || draw())) return printf("after cut %d\n", cut), 1;
            }
    read_only = 1;
    if (board_random_start() == 0) return printf("starts on flash that does not change\n"), 1;
    read_only = 0;
    for (int bit = 0; bit < 8 * SLOT; bit++) { /* damage is found */
        memcpy(old, slots, sizeof old);
        for (int i = 0; i < 2; i++) slots[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (board_random_start() == 0) return printf("starts on damaged flash\n"), 1;
        memcpy(slots, old, sizeof old);
    }
    return board_random_start() || draw();
}
