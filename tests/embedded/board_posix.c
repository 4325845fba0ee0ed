/* SPDX-License-Identifier: ISC */
/* A process of user emulation. */
#include "board.h"
#include "marks.h"
#include <stdio.h>

void board_text(const char *text) {
    fputs(text, stdout);
    fflush(stdout);
}
uint32_t *board_stack_limit(void) { return NULL; }
int main(void) { return image_main(); }
