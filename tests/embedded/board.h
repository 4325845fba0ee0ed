/* SPDX-License-Identifier: ISC */
/*
 * What an image of tests/embedded has below it: board_arm.c (Cortex-M) and board_riscv.c (both without any C library, output and end
 * by semihosting), or board_posix.c (a process under user emulation).
 */
#ifndef SVCONN_TEST_BOARD_H
#define SVCONN_TEST_BOARD_H

#include <stddef.h>
#include <stdint.h>

void board_text(const char *text);

/* The image: what it returns is the exit status of the emulator. */
int image_main(void);

/* Lowest address of the stack: behind all variables. NULL: not known. */
uint32_t *board_stack_limit(void);

/* plugin.c counts, or traces, from the first instruction of mark_begin to the first one of mark_end, without what runs between
 * mark_pause and mark_resume. */
void mark_begin(void);
void mark_end(void);
void mark_pause(void);
void mark_resume(void);

static inline void board_number(uint32_t n) {
    char text[11];
    int at = 10;
    text[at] = 0;
    for (int more = 1; more; more = n != 0) { /* by subtraction: there is no division on ARMv6-M */
        uint32_t tenth = 0, rest = n;
        for (int shift = 28; shift >= 0; shift--) {
            if (rest >> shift >= 10) {
                rest -= (uint32_t)10 << shift;
                tenth |= (uint32_t)1 << shift;
            }
        }
        text[--at] = (char)('0' + rest);
        n = tenth;
    }
    board_text(text + at);
}

/* ---- stack painting: whatever runs below the caller leaves its mark ------------------------------------------------- */
enum { STACK_PAINT = 0x5ac35ac3, STACK_MARGIN = 16 /* words, for the painter itself */ };

#if defined(__arm__) || defined(__riscv)
static inline const uint8_t *board_sp(void) {
    const uint8_t *sp;
#ifdef __arm__
    __asm__ volatile("mov %0, sp" : "=r"(sp));
#else
    __asm__ volatile("mv %0, sp" : "=r"(sp));
#endif
    return sp;
}
#endif

__attribute__((noinline, unused)) static void stack_paint(void) {
    uint32_t *top = (uint32_t *)__builtin_frame_address(0) - STACK_MARGIN;
    for (volatile uint32_t *p = board_stack_limit(); p < top; p++) *p = STACK_PAINT;
}

#endif
