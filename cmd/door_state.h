/* SPDX-License-Identifier: ISC */
/* What door.c and door_ask.c share. */
#ifndef SVCONN_CMD_DOOR_STATE_H
#define SVCONN_CMD_DOOR_STATE_H

#include "audit.h"
#include "control.h"
#include "door.h"
#include "entrance.h"
#include "guard.h"
#include "peerbook.h"
#include "person.h"

#include <time.h>

#define WAITING_MAX 64 /* visitors who have not said what they want */
#define ASKED_MAX 16   /* visitors about whom a person, or a program, is asked */
#define ASKED_OF_KEY 2
#define ARRIVED_OF_KEY 4 /* that have not said what they want */
#define LEFTOVERS_MAX 64
#define VISITS_MAX 1100 /* with those who are in, and who leave */
#define HELLO_MS 10000
#define ASK_MS 120000
#define LEAVE_MS 2000
#define PROGRAM_MS 100 /* to look whether it has ended */

typedef enum { VISIT_ARRIVED, VISIT_ASKED, VISIT_IN, VISIT_LEAVING } visit_state;

typedef struct door door;

typedef struct {
    door *door;
    talk t;
    visitor v;
    visit_state state;
    unsigned long number;
    uint64_t began, deadline;
    time_t since;
    char from[100];
    char name[PEER_NAME_MAX + 1];
    uint8_t key[32];
    int has_key, judged, listed, was_in, guilty, innocent;
    int asked; /* somebody was asked about it: only their no counts against the key itself */
    authorized_peer peer;
    uint8_t instance[SERVICE_INSTANCE];
    const service_ops *ops; /* NULL: not said yet */
    void *service;          /* its state */
    const char *refusal;
    char text[SERVICE_TEXT_MAX + 1];
    long program; /* that was asked; 0: none */
} visit;

struct door {
    door_options *options;
    const char *command;
    const service_ops *services;
    size_t n_services;
    int stays, visited, signals, last;
    party party;
    uint8_t psk[32];
    char address[PEER_ADDRESS_MAX + 200];
    entrance entrance;
    guard *guard;
    audit audit;
    control *control;
    person person;
    fdset set;
    visit *visits[VISITS_MAX];
    size_t n;
    unsigned long number;
    uint64_t stop_at;              /* 0: no signal came */
    long leftovers[LEFTOVERS_MAX]; /* programs that were killed, and are to be waited for */
    size_t n_leftovers;
};

void door_dismiss(visit *w, service_sorry reason, const char *text);

/* door_judge.c: answers NEEDS_VERDICT, as party.welcome; arg is the door. */
int door_judge(void *arg, svconn *s, const char *who);

/* door_view.c */
void door_log(visit *w, const char *event, const char *why); /* why NULL: it begins */
void door_log_part(visitor *v, const char *event, const char *what, const char *why, unsigned long long in,
                   unsigned long long out);
const char *door_why_ended(const visit *w); /* our reason, or the one of the session */
size_t door_list(void *arg, size_t i, char *line, size_t size);
int door_throw_out(void *arg, unsigned long number);

/* door_ask.c: a program decides; its exit code goes to the gate. */
void door_ask_program(visit *w, const char *command);
void door_look_at_program(visit *w);
void door_leave_program(visit *w);
void door_wait_for_leftovers(door *d);
void door_describe(const visitor *v);

#endif
