/* SPDX-License-Identifier: ISC */
/* A visitor whose streams a tunnel carries: what the services of serve and listen have in common. */
#ifndef SVCONN_CMD_GUEST_H
#define SVCONN_CMD_GUEST_H

#include "service.h"
#include "tunnel.h"

typedef struct {
    void *of; /* of the service */
    visitor *v;
    tunnel *t;
    tunnel_ops ops;
    long child; /* listen --exec: the command; 0: none */
    int opened; /* listen: it has its stream */
} guest;

typedef int (*guest_opener)(void *guest, const char *target, tunnel_end *end); /* as tunnel_ops.open */
typedef void (*guest_closer)(void *guest, uint32_t channel, const char *target, unsigned reason, unsigned long long in,
                             unsigned long long out);

/* NULL: no memory. */
guest *guest_begin(void *of, visitor *v, guest_opener opener, guest_closer closed);

/* As in service_ops. */
void guest_want(void *state, fdset *set);
void guest_ready(void *state, const fdset *set);
void guest_end(void *state);

#endif
