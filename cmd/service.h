/* SPDX-License-Identifier: ISC */
/*
 * What happens inside a session of the tool, spec/tool.md. The caller's first message names a service; the called side
 * lets it in, or says why not. Messages whose first byte is below SERVICE_FIRST belong to this layer, the others to the
 * service.
 *
 *   caller                                              called
 *   HELLO version(1)=1 instance(16) service
 *                                                       WAIT                  a person is asked; comes before
 *                                                       WELCOME               or
 *                                                       SORRY reason(1) text  then it closes; also later, at any time
 *
 * instance is chosen at random by a caller that stays, once for all its sessions: a new session with the key and the
 * instance of another one replaces that. All zero: no such wish.
 */
#ifndef SVCONN_CMD_SERVICE_H
#define SVCONN_CMD_SERVICE_H

#include "fdset.h"
#include "talk.h"

enum { SERVICE_HELLO = 0x01, SERVICE_WELCOME = 0x02, SERVICE_WAIT = 0x03, SERVICE_SORRY = 0x04, SERVICE_FIRST = 0x10 };

enum {
    SERVICE_VERSION = 1,
    SERVICE_INSTANCE = 16,
    SERVICE_NAME_MAX = 32,
    SERVICE_TEXT_MAX = 200,
    SERVICE_HELLO_MAX = 2 + SERVICE_INSTANCE + SERVICE_NAME_MAX
};

typedef enum {
    SORRY_NOT_ALLOWED = 1, /* this key may not use this service */
    SORRY_NO_SERVICE = 2,  /* another service is here; the text says which */
    SORRY_FULL = 3,
    SORRY_REFUSED = 4,  /* by the person, or the program, who was asked */
    SORRY_ENDING = 5,   /* the called side ends */
    SORRY_THROWN = 6,   /* somebody there ended the session */
    SORRY_REPLACED = 7, /* by a new session of the same caller */
    SORRY_FAILED = 8    /* trouble there; the text says which */
} service_sorry;

/* One visitor of the called side, as far as a service may see it. */
typedef struct visitor visitor;
struct visitor {
    talk *t;
    const char *name;           /* how our files call the peer; "" if they do not */
    const text_list *only;      /* targets that this peer may have; NULL or empty: all */
    unsigned long long in, out; /* bytes that the service took from the peer, and gave to it; it counts them */
    int code;                   /* exit code of what went wrong here, if the service knows better than the session; 0 */
    void *host;                 /* the door's own */
    /* A line for the audit log, about a part of the session: a forwarded connection, a file. why: how it ended. */
    void (*log)(visitor *v, const char *event, const char *what, const char *why, unsigned long long in,
                unsigned long long out);
    /* In a child that is about to become a command: who it is, in SVCONN_NAME, _KEY, _FINGERPRINT, _SERVICE, _FROM and
     * _DIGITS. */
    void (*describe)(const visitor *v);
};

/* A service on the called side. One of each runs in a process, for any number of visitors. */
typedef struct {
    const char *name;     /* as in HELLO */
    const char *caller;   /* the command that calls it, for people: "send" */
    const char *operands; /* what follows the PEER there, with a blank in front: " FILE"; or "" */
    /* The visitor was let in. Returns the state for the calls below, or NULL with a sentence for the peer in sorry. */
    void *(*begin)(void *arg, visitor *v, char sorry[SERVICE_TEXT_MAX + 1]);
    /* Before poll: its own descriptors (not those of the link), and time. */
    void (*want)(void *state, fdset *set);
    /* After poll, and after the link was served: takes messages (svconn_recv, svconn_recv_done on v->t->s), sends some,
     * closes (svconn_close) when it is done, aborts if the peer breaks the rules. */
    void (*ready)(void *state, const fdset *set);
    /* The session is over, for whatever reason; svconn_error(&v->t->s) has it. Frees the state. */
    void (*end)(void *state);
    void *arg; /* of begin */
} service_ops;

#endif
