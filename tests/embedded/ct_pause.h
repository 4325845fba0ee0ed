/* SPDX-License-Identifier: ISC */
/*
 * For svc/ as a part of svconn.c (ct.sh puts it there): around what works on public values alone, where ct.c has it for separate objects. Within one
 * unit there is no call of it that a linker could redirect.
 */
#ifndef SVCONN_TEST_CT_PAUSE_H
#define SVCONN_TEST_CT_PAUSE_H

void mark_pause(void);
void mark_resume(void);
#define svconn_ed25519_verify_u(...)                                                                                   \
    __extension__({                                                                                                    \
        mark_pause();                                                                                                  \
        int ok_ = svconn_ed25519_verify_u(__VA_ARGS__);                                                                \
        mark_resume();                                                                                                 \
        ok_;                                                                                                           \
    })

#endif
