/* SPDX-License-Identifier: ISC */
/*
 * The called side of serve, listen and receive: who may come in is decided here, and every visitor is in the log, in
 * the list of "svconn sessions", and can be thrown out. The order of judgement: address filters and bans; the handshake
 * (a key that is not welcome gets the error packet, and nothing else); which service; the person or the program that is
 * asked; then the service begins.
 */
#ifndef SVCONN_CMD_DOOR_H
#define SVCONN_CMD_DOOR_H

#include "party.h"
#include "service.h"

typedef struct {
    party_options party;
    text_list allow, from, not_from;
    const char *relay, *known_peers, *authorized, *audit, *control, *ask_program, *pairing;
    int ask, quiet;
    unsigned long ban_after, ban_for, sessions;
} door_options;

#define DOOR_ROWS (PARTY_BASE_ROWS + 17)
/* Fills the rows and the defaults. */
void door_rows(option rows[DOOR_ROWS], door_options *o);

/*
 * Serves until a signal comes; or, unless it stays, until its one visitor has gone. address NULL: at the relay
 * (--relay), where who stays is registered by our key, and who does not gets a token. Returns the exit code: of the
 * visitor, if it does not stay.
 */
int door_run(door_options *o, const char *command, const char *address, const service_ops *services, size_t n_services,
             int stays);

#endif
