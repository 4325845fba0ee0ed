/* SPDX-License-Identifier: ISC */
/* svconn listen: a pipe to the peer that calls; or a command for each one. */
#include "cmd.h"
#include "door.h"
#include "text.h"
#include "tunnel.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 1000

typedef struct {
    const char *command; /* NULL: our standard input and output */
    int used;
    pid_t children[CHILDREN_MAX]; /* to be waited for */
    size_t n;
} ears;

typedef struct {
    ears *of;
    visitor *v;
    tunnel *t;
    tunnel_ops ops;
    pid_t child;
    int opened;
} guest;

/* ---- the two kinds of ends ---- */

static void wait_for_children(ears *e) {
    for (size_t i = e->n; i-- > 0;)
        if (waitpid(e->children[i], NULL, WNOHANG) != 0) e->children[i] = e->children[--e->n];
}

/* A socket, and no pipes: servers such as "rsync --daemon" look whether their standard input is one. */
static int start_command(guest *g, tunnel_end *end) {
    int pair[2];
    ears *e = g->of;
    wait_for_children(e);
    if (e->n == CHILDREN_MAX || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return TUNNEL_TROUBLE;
    tunnel_prepare(pair[0]);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGPIPE, SIG_DFL);
        g->v->describe(g->v);
        dup2(pair[1], STDIN_FILENO);
        dup2(pair[1], STDOUT_FILENO);
        if (pair[1] > STDERR_FILENO) close(pair[1]);
        execl("/bin/sh", "sh", "-c", e->command, (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    *end = (tunnel_end){.in = pair[0], .out = pair[0], .may_leave = 1};
    if (child > 0) {
        setpgid(child, child);
        g->child = e->children[e->n++] = child;
        return 0;
    }
    say("%scannot start the command: %s", g->v->t->who, strerror(errno));
    close(pair[0]);
    return TUNNEL_TROUBLE;
}

static int open_end(void *arg, const char *wanted, tunnel_end *end) {
    guest *g = arg;
    if (*wanted || g->opened) return TUNNEL_NOT_ALLOWED;
    g->opened = 1;
    if (g->of->command) return start_command(g, end);
    if (g->of->used) return TUNNEL_FULL;
    g->of->used = 1;
    *end = (tunnel_end){.in = STDIN_FILENO, .out = STDOUT_FILENO, .patient = isatty(STDIN_FILENO)};
    return 0;
}

/* Its number may belong to somebody else afterwards. */
static int is_running(const guest *g) {
    wait_for_children(g->of);
    for (size_t i = 0; i < g->of->n; i++)
        if (g->of->children[i] == g->child) return 1;
    return 0;
}

static void stream_closed(void *arg, uint32_t channel, const char *wanted, unsigned reason, unsigned long long in,
                          unsigned long long out) {
    guest *g = arg;
    (void)channel;
    (void)wanted;
    if (!g->of->command && reason) {
        say("the stream was broken off: what came is not all");
        g->v->code = EXIT_LINK;
    }
    if (reason && is_running(g)) kill(-g->child, SIGHUP); /* it may not read, and never learn that nobody is there */
    g->v->log(g->v, "stream", g->of->command ? g->of->command : "standard input and output", tunnel_reason_text(reason),
              in, out);
}

/* ---- the service ---- */

static void *begin(void *arg, visitor *v, char sorry[SERVICE_TEXT_MAX + 1]) {
    guest *g = calloc(1, sizeof *g);
    (void)sorry;
    if (!g) return NULL;
    g->of = arg;
    g->v = v;
    g->ops = (tunnel_ops){.arg = g, .open = open_end, .closed = stream_closed};
    g->t = tunnel_new(&v->t->s, &g->ops);
    if (g->t) return g;
    free(g);
    return NULL;
}

static void want(void *state, fdset *set) { tunnel_want(((guest *)state)->t, set); }

static void ready(void *state, const fdset *set) {
    guest *g = state;
    svconn *s = &g->v->t->s;
    tunnel_ready(g->t, set, NULL, NULL);
    tunnel_bytes(g->t, &g->v->in, &g->v->out);
    if (tunnel_failed_here(g->t)) g->v->code = EXIT_LOCAL;
    if (tunnel_peer_closed(g->t) && !tunnel_still_delivers(g->t) && svconn_status(s) == SVCONN_CONNECTED)
        (void)!svconn_close(s, svconn_now());
    wait_for_children(g->of);
}

static void end(void *state) {
    guest *g = state;
    tunnel_free(g->t);
    if (!g->of->command && !g->opened) g->v->code = EXIT_LINK;
    free(g);
}

/* ---- the command ---- */

int cmd_listen(int argc, char **argv) {
    static ears e;
    static door_options o;
    static const service_ops service = {
        .name = "pipe", .caller = "connect", .begin = begin, .want = want, .ready = ready, .end = end, .arg = &e};
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
