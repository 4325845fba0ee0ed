/* SPDX-License-Identifier: ISC */
/* The places that plugin.c knows by name. They differ, so that no compiler makes one of them out of four. */
#ifndef SVCONN_TEST_MARKS_H
#define SVCONN_TEST_MARKS_H
#define MARK(name, n)                                                                                                  \
    __attribute__((noipa, used)) void name(void) { __asm__ volatile("nop\n\t.rept " #n "\n\tnop\n\t.endr" : : : "memory"); }
MARK(mark_begin, 1)
MARK(mark_end, 2)
MARK(mark_pause, 3)
MARK(mark_resume, 4)
#endif
