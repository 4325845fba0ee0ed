/* SPDX-License-Identifier: ISC */
/* RV32, machine mode, QEMU's "virt": start-up and semihosting (RISC-V Semihosting, version 0.4: the three instructions may not be
 * compressed, nor lie in two pages). */
#include "board.h"
#include "marks.h"
#include <string.h>

extern uint32_t image_bss[], image_bss_end[];
enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

__asm__(".section .start, \"ax\"\n"
        ".globl board_start\n"
        "board_start:\n"
        "    la sp, image_stack\n"
        "    la t0, board_fault\n"
        "    .option push\n"
        "    .option arch, +zicsr\n"
        "    csrw mtvec, t0\n"
        "    .option pop\n"
        "    j board_reset\n"
        "    .balign 16\n"
        "    .option push\n"
        "    .option norvc\n"
        "board_semihost:\n"
        "    slli x0, x0, 0x1f\n"
        "    ebreak\n"
        "    srai x0, x0, 7\n"
        "    ret\n"
        "    .option pop\n"
        "    .text\n");
int board_semihost(int operation, const void *argument);

void board_text(const char *text) { (void)board_semihost(SYS_WRITE0, text); }
uint32_t *board_stack_limit(void) { return image_bss_end; }

static _Noreturn void leave(int status) {
    uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)status};
    (void)board_semihost(SYS_EXIT_EXTENDED, block);
    for (;;) {}
}

_Noreturn void board_reset(void);
_Noreturn void board_fault(void);

__attribute__((used)) _Noreturn void board_reset(void) {
    memset(image_bss, 0, (size_t)((uint8_t *)image_bss_end - (uint8_t *)image_bss));
    leave(image_main());
}

__attribute__((used, aligned(4))) _Noreturn void board_fault(void) {
    board_text("FAIL the processor reports a fault\n");
    leave(1);
}
