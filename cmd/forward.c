/* SPDX-License-Identifier: ISC */
/* svconn forward: ports here that lead to what a peer offers. Stays up: comes back when the session is lost. */
#include "call.h"
#include "cmd.h"
#include "signals.h"
#include "stream.h"
#include "target.h"
#include "text.h"
#include "tunnel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LANES_MAX 64
#define RETRY_MS 1000 /* doubles */
#define RETRY_MAX_MS 60000
#define HELD_MS 60000 /* a session that lasted so long was a good one */
#define HOPE_MS 30000 /* connections wait so long for the session to come back; then they are reset */
#define ACCEPT_MAX 64 /* in one round */

typedef struct {
    target at;
    const char *to; /* as the peer calls it */
    int fd;         /* -1: standard input and output */
    int is_stdio;
    uint32_t channel; /* of standard input and output */
    size_t place;
} lane;

typedef struct {
    call call;
    tunnel *tunnel;
    tunnel_ops ops;
    lane lanes[LANES_MAX];
    size_t n;
    fdset set;
    int signals, stopped, quiet, was_there;
    unsigned stdio_reason;
    uint64_t down_since, retry_ms;
} forward;

/* ---- lanes ---- */

static int add_lane(forward *f, const char *text) {
    lane *l = &f->lanes[f->n];
    char at[TARGET_TEXT];
    target to;
    const char *sign = strchr(text, '=');
    *l = (lane){.fd = -1, .to = sign ? sign + 1 : text};
    if (f->n == LANES_MAX - 1) return options_fault("forward", "at most %d targets", LANES_MAX - 1);
    if (*l->to == 0 || strlen(l->to) > TUNNEL_TARGET_MAX) return options_fault("forward", "\"%s\" is no target", text);
    f->n++;
    if (sign && sign == text + 1 && *text == '-') {
        l->is_stdio = 1;
        return EXIT_DONE;
    }
    if (sign) {
        if ((size_t)(sign - text) >= sizeof at) return options_fault("forward", "%s: this is too long", text);
        memcpy(at, text, (size_t)(sign - text));
        at[sign - text] = 0;
    } else { /* the same port here; a name or a UNIX socket has none */
        int has_port = target_parse(&to, text) == 0 && to.host[0];
        memcpy(at, has_port ? to.port : "0", has_port ? strlen(to.port) + 1 : 2);
    }
    if (target_parse(&l->at, at) == 0) return EXIT_DONE;
    return options_fault("forward", "%s: in front of the = PORT, HOST:PORT, unix:PATH or - is wanted", text);
}

static int open_lanes(forward *f) {
    for (size_t i = 0; i < f->n; i++) {
        lane *l = &f->lanes[i];
        if (l->is_stdio) continue;
        l->fd = target_listen(&l->at);
        if (l->fd < 0) return EXIT_LOCAL;
        if (l->at.path[0]) signals_remove(l->at.path);
    }
    return EXIT_DONE;
}

static void say_lanes(const forward *f) {
    for (size_t i = 0; i < f->n; i++)
        if (!f->lanes[i].is_stdio) say("forwarding %s to %s at %s", f->lanes[i].at.text, f->lanes[i].to, f->call.name);
}

static void close_lanes(forward *f) {
    for (size_t i = 0; i < f->n; i++) {
        if (f->lanes[i].fd < 0) continue;
        svconn_fd_close(f->lanes[i].fd);
        if (f->lanes[i].at.path[0]) unlink(f->lanes[i].at.path);
    }
}

static void want_lanes(forward *f) {
    for (size_t i = 0; i < f->n; i++) f->lanes[i].place = fdset_add(&f->set, f->lanes[i].fd, POLLIN);
}

static void forget_lanes(forward *f) {
    for (size_t i = 0; i < f->n; i++) f->lanes[i].place = (size_t)-1;
}

static void accept_some(forward *f, lane *l) {
    for (int i = 0; i < ACCEPT_MAX; i++) {
        int fd = svconn_socket_accept(l->fd);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) fdset_nap(&f->set);
        if (fd < 0) return;
        tunnel_end end = {.in = fd, .out = fd};
        if (!tunnel_add(f->tunnel, &end, l->to)) say("%s: too many connections at once", l->at.text);
    }
}

static void accept_all(forward *f) {
    for (size_t i = 0; i < f->n; i++)
        if (fdset_got(&f->set, f->lanes[i].place)) accept_some(f, &f->lanes[i]);
}

/* Standard input and output are one stream, for one session. */
static void open_stdio(forward *f) {
    for (size_t i = 0; i < f->n; i++) {
        lane *l = &f->lanes[i];
        if (!l->is_stdio) continue;
        tunnel_end end;
        if (tunnel_stdio(&end) != 0) say("cannot use standard input and output: %s", strerror(errno));
        else l->channel = tunnel_add(f->tunnel, &end, l->to);
    }
}

static int has_stdio(const forward *f) {
    for (size_t i = 0; i < f->n; i++)
        if (f->lanes[i].is_stdio) return 1;
    return 0;
}

static void stream_closed(void *arg, uint32_t channel, const char *wanted, unsigned reason, unsigned long long in,
                          unsigned long long out) {
    forward *f = arg;
    (void)in;
    (void)out;
    for (size_t i = 0; i < f->n; i++)
        if (f->lanes[i].is_stdio && f->lanes[i].channel == channel) f->stdio_reason = reason;
    if (reason > TUNNEL_CUT)
        say("%s at %s: %s", *wanted ? wanted : "the pipe", f->call.name, tunnel_reason_text(reason));
}

/* ---- a session ---- */

static int other_message(void *arg, const uint8_t *msg, size_t len) { return call_takes(arg, msg, len); }

static void take_signals(forward *f) {
    int number;
    while ((number = signals_next()) != 0) f->stopped |= 1;
}

static void round_of_poll(forward *f) {
    fdset *set = &f->set;
    fdset_clear(set);
    size_t signalled = fdset_add(set, f->signals, POLLIN);
    call_want(&f->call, set);
    if (tunnel_count(f->tunnel) < TUNNEL_CHANNELS_MAX) want_lanes(f);
    else forget_lanes(f);
    tunnel_want(f->tunnel, set);
    fdset_wait(set);
    call_ready(&f->call, set);
    accept_all(f);
    tunnel_ready(f->tunnel, set, other_message, &f->call);
    talk_flush(&f->call.t);
    if (fdset_got(set, signalled)) take_signals(f);
}

/* Until it is over, or nothing is left to do. */
static void run_session(forward *f) {
    open_stdio(f);
    for (;;) {
        round_of_poll(f);
        if (f->stopped || tunnel_peer_closed(f->tunnel) || f->call.sorry || talk_is_over(&f->call.t)) return;
        if (has_stdio(f) && f->n == 1 && tunnel_count(f->tunnel) == 0) return;
    }
}

/* A pipe that ended in order: the CLOSE of the peer says that it has written out all of it, however slow its reader is.
 */
static void await_delivery(forward *f) {
    svconn *s = &f->call.t.s;
    if (svconn_status(s) == SVCONN_CONNECTED) (void)!svconn_close(s, svconn_now());
    while (!f->stopped && !tunnel_peer_closed(f->tunnel) && !f->call.sorry && !talk_is_over(&f->call.t))
        round_of_poll(f);
    if (f->stopped) svconn_abort(s);
}

/* ---- staying up ---- */

/* Nobody is to be told "later" by a peer that does not want us: these end the program. */
static int is_final(const forward *f, int code) {
    if (!f->call.reusable || has_stdio(f)) return 1;
    if (f->call.doubtful) return !f->was_there;
    return code == EXIT_PEER || code == EXIT_LOCAL || f->call.sorry == SORRY_REPLACED;
}

static void reset_those_who_wait(forward *f) {
    for (size_t i = 0; i < f->n; i++) {
        int fd = fdset_got(&f->set, f->lanes[i].place) ? svconn_socket_accept(f->lanes[i].fd) : -1;
        if (fd < 0) continue;
        stream_reset(fd);
        svconn_fd_close(fd);
    }
}

/* Waits before the next try, not equally long for all who lost the relay at the same time. */
static void rest(forward *f) {
    uint8_t dice = 0;
    (void)!svconn_random(&dice, 1);
    uint64_t until = svconn_now() + f->retry_ms + f->retry_ms * dice / 256;
    f->retry_ms = f->retry_ms * 2 < RETRY_MAX_MS ? f->retry_ms * 2 : RETRY_MAX_MS;
    if (!f->quiet) say("coming back in %d s", (ms_until(until) + 999) / 1000);
    while (!f->stopped && svconn_now() < until) {
        int hopeless = svconn_now() > f->down_since + HOPE_MS;
        fdset_clear(&f->set);
        fdset_within(&f->set, ms_until(until));
        size_t signalled = fdset_add(&f->set, f->signals, POLLIN);
        if (hopeless) want_lanes(f);
        fdset_wait(&f->set);
        if (hopeless) reset_those_who_wait(f);
        if (fdset_got(&f->set, signalled)) take_signals(f);
    }
}

/* The exit code after Ctrl-C: a pipe was not carried to its end, or nothing was reached yet. */
static int interrupted(const forward *f) { return has_stdio(f) || !f->was_there ? EXIT_LINK : EXIT_DONE; }

static int dial(forward *f) {
    signals_urgent(interrupted(f));
    take_signals(f); /* what came before */
    int code = f->stopped ? EXIT_LINK : call_dial(&f->call);
    signals_urgent(-1);
    return code;
}

/* One session, from the welcome to the end. */
static int use_session(forward *f) {
    uint64_t since = svconn_now();
    f->stdio_reason = TUNNEL_CUT; /* until it ended in order */
    f->tunnel = tunnel_new(&f->call.t.s, &f->ops);
    if (f->tunnel) run_session(f);
    if (f->tunnel && has_stdio(f) && f->stdio_reason == 0 && !f->stopped) await_delivery(f);
    if (f->tunnel && f->stdio_reason == 0 && tunnel_was_reset_late(f->tunnel)) {
        say("the pipe at %s: broken off: not all of it was taken there", f->call.name);
        f->stdio_reason = TUNNEL_CUT;
    }
    int failed = f->tunnel && tunnel_failed_here(f->tunnel);
    tunnel_free(f->tunnel);
    f->tunnel = NULL;
    signals_urgent(interrupted(f));
    int code = call_hang_up(&f->call);
    signals_urgent(-1);
    f->down_since = svconn_now();
    if (f->down_since > since + HELD_MS) f->retry_ms = RETRY_MS;
    if (code == EXIT_DONE && has_stdio(f) && f->stdio_reason) code = EXIT_LINK;
    return failed ? EXIT_LOCAL : code;
}

static int stay(forward *f, int patient) {
    int code, first = 1;
    f->retry_ms = RETRY_MS;
    f->down_since = svconn_now();
    for (;;) {
        code = dial(f);
        if (f->stopped) return interrupted(f);
        if (code == EXIT_DONE) {
            f->was_there = 1;
            if (!f->quiet && !first) say("back at %s", f->call.name);
            if (first) say_lanes(f);
            first = 0;
            code = use_session(f);
            if (f->stopped) return interrupted(f);
            if (has_stdio(f)) return code;
        }
        if ((first && !patient) || is_final(f, code)) return code;
        rest(f);
        if (f->stopped) return interrupted(f);
    }
}

static int run(forward *f, const call_options *o, const char *service, const char *peer, int patient) {
    (void)fdset_raise_limit();
    f->quiet = o->quiet;
    f->ops = (tunnel_ops){.arg = f, .closed = stream_closed};
    int code = call_open(&f->call, o, service[0] == 't' ? "forward" : "connect", service, peer);
    if (code != EXIT_DONE) return code;
    f->signals = signals_catch(1);
    code = open_lanes(f);
    if (code == EXIT_DONE) code = stay(f, patient);
    close_lanes(f);
    call_close(&f->call);
    fdset_free(&f->set);
    return code;
}

int cmd_forward(int argc, char **argv) {
    static forward f;
    static call_options o;
    int patient = 0;
    const char *operand[LANES_MAX + 1] = {NULL};
    option rows[CALL_ROWS + 1] = {
        {"wait", NULL, "try again also if the peer cannot be reached the first time", OPTION_FLAG, &patient, 0, 0},
    };
    call_rows(rows + 1, &o);
    const usage u = {
        .command = "forward",
        .operands = "PEER [HERE=]TARGET ...",
        .about = "Listens on ports here; what connects to them comes out at TARGET, which the peer offers (\"svconn\n"
                 "serve\"). PEER is a name of known_peers, a key, a token, pairing:FILE or an address. TARGET is what\n"
                 "the peer calls it: a port, HOST:PORT, a name. HERE is PORT (of 127.0.0.1), HOST:PORT, unix:PATH, or\n"
                 "- for standard input and output; without it the port of TARGET, or any.",
        .more = "Examples:\n"
                "  svconn forward --relay relay.example.org home 5900        then: vncviewer 127.0.0.1::5900\n"
                "  svconn forward home 8080=web 5432=unix:/run/postgresql/.s.PGSQL.5432\n"
                "  ssh -o ProxyCommand='svconn forward home -=22' user@home\n"
                "Comes back by itself when the connection is lost, unless the peer says no.",
        .rows = rows,
        .n_rows = CALL_ROWS + 1,
        .least_operands = 2,
        .most_operands = LANES_MAX};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    for (size_t i = 1; i < LANES_MAX && operand[i]; i++)
        if ((code = add_lane(&f, operand[i])) != EXIT_DONE) return code;
    if (has_stdio(&f) && f.n > 1) return options_fault("forward", "- goes alone: give no other target");
    return run(&f, &o, "tunnel", operand[0], patient);
}

int cmd_connect(int argc, char **argv) {
    static forward f;
    static call_options o;
    const char *operand[2] = {NULL};
    option rows[CALL_ROWS];
    call_rows(rows, &o);
    const usage u = {
        .command = "connect",
        .operands = "PEER",
        .about =
            "Calls a peer that does \"svconn listen\", and joins standard input and output to its. PEER is a name of\n"
            "known_peers, a key, a token, pairing:FILE or an address. The end of the input reaches the other side\n"
            "as the end of its input; what it still sends is written out.",
        .more = "Examples:\n"
                "  tar c . | svconn connect --relay relay.example.org 7KQ3-M2XD\n"
                "  git -c protocol.ext.allow=always clone ext::'svconn connect home'\n"
                "  RSYNC_CONNECT_PROG='svconn connect home' rsync -a dir/ rsync://home/module/",
        .rows = rows,
        .n_rows = CALL_ROWS,
        .least_operands = 1,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    f.lanes[f.n++] = (lane){.fd = -1, .is_stdio = 1, .to = ""};
    return run(&f, &o, "pipe", operand[0], 0);
}
