/* SPDX-License-Identifier: ISC */
/* svconn serve: ports and UNIX sockets that this machine can reach, for peers who may. */
#include "cmd.h"
#include "door.h"
#include "files_receive.h"
#include "guest.h"
#include "startup.h"
#include "target.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
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
    serve *s = g->of;
    for (size_t i = 0; i < s->n; i++) {
        offer *o = &s->offers[i];
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

static void *begin(void *arg, visitor *v, char sorry[SERVICE_TEXT_MAX + 1]) {
    (void)sorry;
    return guest_begin(arg, v, open_target, stream_closed);
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

/* How a caller would ask for the first target. */
static void say_first(char *out, size_t size, const serve *s) {
    const offer *o = &s->offers[0];
    if (s->n == 0) return;
    if (o->name_len) snprintf(out, size, " 0=%.*s", (int)(o->name_len < 200 ? o->name_len : 200), o->name);
    else snprintf(out, size, " 0=%s", o->to.host[0] ? o->to.port : o->to.text);
}

int cmd_serve(int argc, char **argv) {
    static serve s;
    static door_options o;
    static file_store store;
    static char first[TARGET_TEXT + 8] = "";
    service_ops services[2] = {{.name = "tunnel",
                                .caller = "forward",
                                .operands = first,
                                .begin = begin,
                                .want = guest_want,
                                .ready = guest_ready,
                                .end = guest_end,
                                .arg = &s}};
    size_t n = 1;
    text_list forward = {.n = 0};
    const char *inbox = NULL;
    unsigned long max_bytes = 0, max_files = 0;
    int token = 0;
    const char *operand[2] = {NULL, NULL};
    option rows[DOOR_ROWS + 5] = {
        {"forward", "TARGET",
         "[NAME=]TARGET that callers may reach: PORT of this machine, HOST:PORT,\n[IPV6]:PORT, unix:PATH (may be given "
         "several times)",
         OPTION_LIST, &forward, 0, 0},
        {"inbox", "DIRECTORY", "also take files that callers send there (\"svconn send\"); nothing is\noverwritten",
         OPTION_TEXT, &inbox, 0, 0},
        {"max-bytes", "N", "with --inbox: take no more than so many bytes in all", OPTION_NUMBER | OPTION_RARE,
         &max_bytes, 1, LONG_MAX},
        {"max-files", "N", "with --inbox: take no more than so many files in all", OPTION_NUMBER | OPTION_RARE,
         &max_files, 1, LONG_MAX},
        {"token", NULL, "at the relay: for one caller, who is told a token", OPTION_FLAG, &token, 0, 0},
    };
    door_rows(rows + 5, &o);
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
        .n_rows = DOOR_ROWS + 5,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (forward.n == 0 && !inbox)
        return options_fault("serve", "--forward is missing (what may callers reach?), or --inbox");
    for (size_t i = 0; i < forward.n; i++)
        if ((code = add_offer(&s, forward.item[i])) != EXIT_DONE) return code;
    if (inbox) {
        if (store_open(&store, inbox) != 0) {
            say("cannot open the directory %s: %s", inbox, strerror(errno));
            return EXIT_LOCAL;
        }
        store.quiet = o.quiet;
        store.max_bytes = max_bytes;
        store.max_files = max_files;
        startup_writes_files();
        services[n++] = files_service(&store);
    }
    say_first(first, sizeof first, &s);
    code = door_run(&o, "serve", operand[0], services, n, !token);
    if (inbox) store_close(&store);
    return code;
}
