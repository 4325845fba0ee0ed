/* SPDX-License-Identifier: ISC */
/* The subcommands and what they share. Data goes to standard output, everything else to standard error. */
#ifndef SVCONN_CMD_H
#define SVCONN_CMD_H

#include <stddef.h>

/* Exit codes; they are part of the documented interface. */
enum {
    EXIT_DONE = 0,
    EXIT_LINK = 1,  /* the link failed, or the peer did */
    EXIT_USAGE = 2, /* the command line is wrong */
    EXIT_LOCAL = 3, /* trouble on this side: a file, memory, a port that is taken */
    /* the commands that look for a PEER tell more */
    EXIT_PEER = 4,  /* not the right one, or we are not the right one for it: a key, a permission, a "no" */
    EXIT_REACH = 5, /* host, proxy, relay or peer is not there */
    EXIT_PART = 6   /* some files were not transferred */
};

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
    const char *summary;
};

/* NULL: there is none of this name. */
const struct command *command_find(const char *name);

int cmd_keygen(int argc, char **argv);
int cmd_id(int argc, char **argv);
int cmd_echo_server(int argc, char **argv);
int cmd_echo(int argc, char **argv);
int cmd_relay(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_forward(int argc, char **argv);
int cmd_listen(int argc, char **argv);
int cmd_connect(int argc, char **argv);
int cmd_receive(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_sessions(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_peers(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_service(int argc, char **argv); /* on Windows alone */

#endif
