/* SPDX-License-Identifier: ISC */
/* svconn listen: a pipe to the peer that calls; or a command for each one. */
#include "cmd.h"
#include "door.h"
#include "guest.h"
#include "program.h"
#include "stream.h"
#include "text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHILDREN_MAX 1000

typedef struct {
    const char *command; /* NULL: our standard input and output */
    int used;
    long children[CHILDREN_MAX]; /* to be waited for */
    size_t n;
} ears;

/* ---- the two kinds of ends ---- */

static void wait_for_children(ears *e) {
    for (size_t i = e->n; i-- > 0;)
        if (program_has_ended(e->children[i], NULL)) e->children[i] = e->children[--e->n];
}

static int start_command(guest *g, tunnel_end *end) {
    ears *e = g->of;
    int fd;
    wait_for_children(e);
    if (e->n == CHILDREN_MAX) return TUNNEL_TROUBLE;
    g->child = program_start(e->command, g->v, &fd);
    if (g->child) {
        e->children[e->n++] = g->child;
        *end = (tunnel_end){.in = fd, .out = fd, .may_leave = 1};
        return 0;
    }
    say("%scannot start the command: %s", g->v->t->who, strerror(errno));
    return TUNNEL_TROUBLE;
}

static int open_end(void *arg, const char *wanted, tunnel_end *end) {
    guest *g = arg;
    ears *e = g->of;
    if (*wanted || g->opened) return TUNNEL_NOT_ALLOWED;
    g->opened = 1;
    if (e->command) return start_command(g, end);
    if (e->used) return TUNNEL_FULL;
    e->used = 1;
    return tunnel_stdio(end) == 0 ? 0 : TUNNEL_TROUBLE;
}

/* Its number may belong to somebody else afterwards. */
static int is_running(ears *e, long child) {
    wait_for_children(e);
    for (size_t i = 0; i < e->n; i++)
        if (e->children[i] == child) return 1;
    return 0;
}

static void stream_closed(void *arg, uint32_t channel, const char *wanted, unsigned reason, unsigned long long in,
                          unsigned long long out) {
    guest *g = arg;
    ears *e = g->of;
    (void)channel;
    (void)wanted;
    if (!e->command && reason) {
        say("the stream was broken off: what came is not all");
        g->v->code = EXIT_LINK;
    }
    if (reason && is_running(e, g->child))
        program_hang_up(g->child); /* it may not read, and never learn that nobody is there */
    g->v->log(g->v, "stream", e->command ? e->command : "standard input and output", tunnel_reason_text(reason), in,
              out);
}

/* ---- the service ---- */

static void *begin(void *arg, visitor *v, char sorry[SERVICE_TEXT_MAX + 1]) {
    (void)sorry;
    return guest_begin(arg, v, open_end, stream_closed);
}

static void ready(void *state, const fdset *set) {
    guest_ready(state, set);
    wait_for_children(((guest *)state)->of);
}

static void end(void *state) {
    guest *g = state;
    const ears *e = g->of;
    if (!e->command && !g->opened) g->v->code = EXIT_LINK;
    guest_end(g);
}

/* ---- the command ---- */

int cmd_listen(int argc, char **argv) {
    static ears e;
    static door_options o;
    static const service_ops service = {.name = "pipe",
                                        .caller = "connect",
                                        .operands = "",
                                        .begin = begin,
                                        .want = guest_want,
                                        .ready = ready,
                                        .end = end,
                                        .arg = &e};
    int keep = 0;
    const char *operand[2] = {NULL, NULL};
    option rows[DOOR_ROWS + 2] = {
        {"exec", "COMMAND", "each caller is joined to this command instead (by /bin/sh)", OPTION_TEXT, &e.command, 0,
         0},
        {"keep", NULL, "with --exec: any number of callers; at a relay under our key, not by\na token", OPTION_FLAG,
         &keep, 0, 0},
    };
    door_rows(rows + 2, &o);
    const usage u = {
        .command = "listen",
        .operands = "[ADDRESS]",
        .about =
            "Waits for one peer, at the relay (which gives a token for it) or at ADDRESS, and joins standard input\n"
            "and output to those of its \"svconn connect\".",
        .more = "Examples:\n"
                "  svconn listen --relay relay.example.org --allow ask | tar x\n"
                "  svconn listen --relay relay.example.org --keep --exec 'rsync --daemon --config=rsyncd.conf'",
        .rows = rows,
        .n_rows = DOOR_ROWS + 2,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (keep && !e.command)
        return options_fault("listen", "--keep goes with --exec: standard input and output are for one");
    if (operand[0] && strcmp(operand[0], "stdio:") == 0 && !e.command)
        return options_fault("listen", "stdio: is taken by the data; use fd:IN,OUT with other descriptors");
    return door_run(&o, "listen", operand[0], &service, 1, keep);
}
