/* SPDX-License-Identifier: ISC */
/* What the parts of svconn doctor share. */
#ifndef SVCONN_CMD_DOCTOR_H
#define SVCONN_CMD_DOCTOR_H

#include "call.h"
#include "text.h"

typedef enum { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_FAULT } doctor_state;

typedef struct {
    call_options call;
    const char *authorized, *peer;
    int json;
    unsigned faults, notes;
    int code; /* of the first fault */
} doctor;

/* One line about one check. code: the exit code of a fault. next: what to do; NULL if text says it. */
void doctor_tell(doctor *d, doctor_state state, int code, const char *check, const char *next, const char *format, ...)
    PRINTF_LIKE(6, 7);

/* doctor_way.c: is the relay there, is the peer? */
void doctor_relay(doctor *d);
void doctor_peer(doctor *d);

#endif
