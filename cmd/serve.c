/* SPDX-License-Identifier: ISC */
/* svconn serve: ports and UNIX sockets that this machine can reach, for peers who may. */
#include "cmd.h"
#include "door.h"
#include "files_receive.h"
#include "target.h"
#include "text.h"
#include "tunnel.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name; /* by which callers may ask for it; its length is name_len */
    size_t name_len;
    target to;
} offer;

typedef struct {
    offer offers[LIST_MAX];
    size_t n;
} serve;

typedef struct {
    serve *of;
    visitor *v;
    tunnel *t;
    tunnel_ops ops;
} guest;

/* ---- which target ---- */

/* The name, the whole address, or the port alone. */
static int is_called(const offer *o, const char *wanted) {
    if (o->name_len && strlen(wanted) == o->name_len && memcmp(wanted, o->name, o->name_len) == 0) return 1;
    return strcmp(wanted, o->to.text) == 0 || (o->to.host[0] && strcmp(wanted, o->to.port) == 0);
}

static int may_have(const visitor *v, const offer *o) {
    if (!v->only || v->only->n == 0) return 1;
    for (size_t i = 0; i < v->only->n; i++)
        if (is_called(o, v->only->item[i])) return 1;
    return 0;
}

static int open_target(void *arg, const char *wanted, tunnel_end *end) {
    guest *g = arg;
    for (size_t i = 0; i < g->of->n; i++) {
        offer *o = &g->of->offers[i];
        if (is_called(o, wanted) && may_have(g->v, o)) return target_connect(&o->to, end);
    }
    return TUNNEL_NOT_ALLOWED;
}

static void stream_closed(void *arg, uint32_t channel, const char *wanted, unsigned reason, unsigned long long in,
                          unsigned long long out) {
    guest *g = arg;
    (void)channel;
    g->v->log(g->v, "stream", wanted, tunnel_reason_text(reason), in, out);
}

/* ---- the service ---- */

static void *begin(void *arg, visitor *v, char sorry[SERVICE_TEXT_MAX + 1]) {
    guest *g = calloc(1, sizeof *g);
    (void)sorry;
    if (!g) return NULL;
    g->of = arg;
    g->v = v;
    g->ops = (tunnel_ops){.arg = g, .open = open_target, .closed = stream_closed};
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
    if (tunnel_peer_closed(g->t) && !tunnel_still_delivers(g->t) && svconn_status(s) == SVCONN_CONNECTED)
        (void)!svconn_close(s, svconn_now());
}

static void end(void *state) {
    guest *g = state;
    tunnel_free(g->t);
    free(g);
}

/* ---- the command ---- */

static int add_offer(serve *s, const char *text) {
    offer *o = &s->offers[s->n];
    const char *sign = strchr(text, '=');
    o->name = text;
    o->name_len = sign ? (size_t)(sign - text) : 0;
    if (target_parse(&o->to, sign ? sign + 1 : text) != 0 || (o->to.host[0] && strcmp(o->to.port, "0") == 0))
        return options_fault("serve",
                             "--forward %s: PORT, HOST:PORT, [IPV6]:PORT or unix:PATH is wanted, with NAME= in "
                             "front if you like",
                             text);
    if (sign && strcspn(text, " ,") < o->name_len)
        return options_fault("serve", "--forward %s: a name has no blank and no comma", text);
    s->n++;
    return EXIT_DONE;
}

int cmd_serve(int argc, char **argv) {
    static serve s;
    static door_options o;
    static file_store store;
    service_ops services[2] = {
        {.name = "tunnel", .caller = "forward", .begin = begin, .want = want, .ready = ready, .end = end, .arg = &s}};
    size_t n = 1;
    text_list forward = {.n = 0};
    const char *inbox = NULL;
    int token = 0;
    const char *operand[2] = {NULL, NULL};
    option rows[DOOR_ROWS + 3] = {
        {"forward", "TARGET",
         "[NAME=]TARGET that callers may reach: PORT of this machine, HOST:PORT,\n[IPV6]:PORT, unix:PATH (may be given "
         "several times)",
         OPTION_LIST, &forward, 0, 0},
        {"inbox", "DIRECTORY", "also take files that callers send there (\"svconn send\"); nothing is\noverwritten",
         OPTION_TEXT, &inbox, 0, 0},
        {"token", NULL, "at the relay: for one caller, who is told a token", OPTION_FLAG, &token, 0, 0},
    };
    door_rows(rows + 3, &o);
    const usage u = {
        .command = "serve",
        .operands = "[ADDRESS]",
        .about = "Waits for peers, at the relay under our key or at ADDRESS, and lets those who may reach the targets\n"
                 "of --forward, and nothing else. They use \"svconn forward\".",
        .more = "Examples:\n"
                "  svconn serve --relay relay.example.org --allow known --forward 127.0.0.1:5900\n"
                "  svconn serve --relay relay.example.org --token --allow ask --forward vnc=5900   (help, once)\n"
                "  svconn serve tcp://0.0.0.0:8387 --forward web=127.0.0.1:80 --audit syslog\n"
                "SIGINT and SIGTERM end it in order; SIGHUP opens the audit log again.",
        .rows = rows,
        .n_rows = DOOR_ROWS + 3,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (forward.n == 0 && !inbox) return options_fault("serve", "--forward is missing: what may callers reach?");
    for (size_t i = 0; i < forward.n; i++)
        if ((code = add_offer(&s, forward.item[i])) != EXIT_DONE) return code;
    if (inbox) {
        if (store_open(&store, inbox) != 0) {
            say("cannot open the directory %s: %s", inbox, strerror(errno));
            return EXIT_LOCAL;
        }
        store.quiet = o.quiet;
        signal(SIGXFSZ, SIG_IGN); /* a file that is too large is an error of write, with a message */
        services[n++] = files_service(&store);
    }
    code = door_run(&o, "serve", operand[0], services, n, !token);
    if (inbox) store_close(&store);
    return code;
}
