/* SPDX-License-Identifier: ISC */
/* What the parts of svconn doctor share. */
#ifndef SVCONN_CMD_DOCTOR_H
#define SVCONN_CMD_DOCTOR_H

#include "call.h"
#include "home.h"
#include "probe.h"
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

/* What is done in a child (probe.h); arg is the doctor */
enum { PROBE_KEY, PROBE_KNOWN, PROBE_AUTHORIZED, PROBE_RELAYS, PROBE_RELAY, PROBE_PEER, PROBES };
extern const probe_check doctor_probes[PROBES];

/* doctor_way.c: is the relay there, is the peer? */
void doctor_relay(doctor *d);
void doctor_peer(doctor *d);
int doctor_try_relay(void *arg);
int doctor_try_peer(void *arg);

/* doctor_system.c: what Windows has in another way */
extern const char doctor_no_random[], doctor_no_clock[], doctor_home_next[]; /* what to do */
extern const char doctor_home_name[];                                        /* of a variable */
extern const int doctor_nap_ms;                                              /* much longer than the clock's tick */
/* A file or directory of ours that others can change is no place for keys. 1: it is there and good. */
int doctor_look(doctor *d, const char *check, const char *path, const char *if_missing);
void doctor_home(doctor *d);
void doctor_limits(doctor *d);

#endif
