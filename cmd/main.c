/* SPDX-License-Identifier: ISC */
/* svconn: the subcommand table. */
#include "cmd.h"
#include "startup.h"
#include "svconn.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#define POSIX_DEVICES
#define POSIX_FILES
#else
#define POSIX_DEVICES                                                                                                  \
    "  unix:PATH                       a UNIX socket\n"                                                                \
    "  rfcomm://DEVICE/CHANNEL         Bluetooth, such as rfcomm://01:23:45:67:89:AB/3; rfcomm:///3 listens\n"         \
    "  serial:PATH[?speed=115200]      a serial line; see docs/bluetooth.md\n"                                         \
    "  exec:COMMAND                    a child process, by its standard input and output\n"
#define POSIX_FILES                                                                                                    \
    "  dir:PATH                        a directory that both sides see\n"                                              \
    "  stdio:    fd:N    fd:IN,OUT     what is open already\n"
#endif

static const struct command commands[] = {
    {"keygen", cmd_keygen, "make a key"},
    {"id", cmd_id, "show the public key, the fingerprint, words and a picture of a key"},
    {"peers", cmd_peers, "whom we know, and who may come: list, trust, verify, forget, allow, deny"},
    {"serve", cmd_serve, "offer ports of this machine to peers, and take files from them"},
    {"forward", cmd_forward, "reach a port that a peer offers"},
    {"listen", cmd_listen, "a pipe: wait for a peer, join standard input and output to its"},
    {"connect", cmd_connect, "a pipe: call a peer that listens"},
    {"receive", cmd_receive, "wait for a peer that sends files"},
    {"send", cmd_send, "send files and directories to a peer that receives"},
    {"sessions", cmd_sessions, "who is connected here, and ending a session"},
    {"doctor", cmd_doctor, "find out what a set-up lacks"},
    {"relay", cmd_relay, "run a relay: it joins two parties and cannot read them"},
#ifdef _WIN32
    {"service", cmd_service, "run one of these as a service, in the background"},
#endif
    {"echo-server", cmd_echo_server, "send every message back, to try a link"},
    {"echo", cmd_echo, "send a file to an echo server and check what comes back"},
    {"demo", cmd_demo, "three processes, a relay that nobody trusts, and attacks on them"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int print_help(FILE *f) {
    fprintf(f, "svconn " SVCONN_VERSION ": secure connections over links that nobody trusts (SVC-1)\n\n"
               "Usage: svconn COMMAND ...\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(f, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fprintf(f, "\nOptions:\n"
               "  --help       this text; \"svconn COMMAND --help\" tells more of one command\n"
               "  --version    the version\n\n"
               "Addresses:\n"
               "  tcp://HOST:PORT                 port 0 in a listener: the system chooses\n" POSIX_DEVICES
               "  ws://HOST[:PORT][/PATH]         a WebSocket (of websockify, say), to call only\n" POSIX_FILES
               "  relay://[KEY@]HOST[:PORT]/WHAT  a relay where two parties meet; see docs/relay.md\n"
               "  wormhole://HOST:PORT/TOKEN      a transit relay of magic-wormhole; 64 hexadecimal digits\n"
               "  (to HOST:PORT by way of proxies: --via, see \"svconn echo --help\")\n\n"
               "Exit codes:\n"
               "  0  done\n"
               "  1  the link or the peer failed\n"
               "  2  the command line is wrong\n"
               "  3  trouble on this side, such as a file, a port or an address\n"
               "  4  the peer is not the right one, or does not want us (connect, forward, send)\n"
               "  5  the host, the relay or the peer is not there (the same)\n"
               "  6  some files were not transferred (send, receive)\n");
    return fflush(f) == 0 ? EXIT_DONE : EXIT_LOCAL;
}

const struct command *command_find(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

static int version(void) {
    printf("svconn " SVCONN_VERSION " (protocol SVC-1)\n");
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_LOCAL;
}

int main(int argc, char **argv) {
    if (startup_prepare(&argc, &argv) != 0) return EXIT_LOCAL;
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    int wants_help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (strcmp(name, "--version") == 0) return version();
    if (wants_help && argc == 2) return print_help(stdout);
    const struct command *c = command_find(wants_help ? argv[2] : name);
    if (!c) {
        say("there is no command \"%s\"; see \"svconn --help\"", wants_help ? argv[2] : name);
        return EXIT_USAGE;
    }
    static char help[] = "--help";
    char *for_help[] = {argv[1], help, NULL};
    return wants_help ? c->run(2, for_help) : c->run(argc - 1, argv + 1);
}
