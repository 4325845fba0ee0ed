/* SPDX-License-Identifier: ISC */
/* Cortex-M: vectors, start-up, semihosting (Arm, "Semihosting for AArch32 and AArch64"). */
#include "board.h"
#include "marks.h"
#include <string.h>

extern uint32_t image_data_load[], image_data[], image_data_end[], image_bss[], image_bss_end[], image_stack[];
enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

static void semihost(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void board_text(const char *text) { semihost(SYS_WRITE0, text); }
uint32_t *board_stack_limit(void) { return image_bss_end; }

static _Noreturn void leave(int status) {
    uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)status};
    semihost(SYS_EXIT_EXTENDED, block);
    for (;;) {}
}

_Noreturn void board_reset(void);
_Noreturn void board_fault(void);

_Noreturn void board_reset(void) {
    memcpy(image_data, image_data_load, (size_t)((uint8_t *)image_data_end - (uint8_t *)image_data));
    memset(image_bss, 0, (size_t)((uint8_t *)image_bss_end - (uint8_t *)image_bss));
    leave(image_main());
}

_Noreturn void board_fault(void) {
    board_text("FAIL the processor reports a fault\n");
    leave(1);
}

/* The table of exceptions: 1 reset, 2 NMI, 3 to 6 faults, 11 SVCall, 12 debug, 14 PendSV, 15 SysTick */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handler[15])(void);
} vectors = {image_stack,
             {board_reset, board_fault, board_fault, board_fault, board_fault, board_fault, 0, 0, 0, 0, board_fault, board_fault, 0,
              board_fault, board_fault}};
