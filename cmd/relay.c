/* SPDX-License-Identifier: ISC */
/*
 * svconn relay: two parties that connect to it are joined, and their bytes are passed on as they are. What they say to
 * the relay before is in transport/relay_wire.h; the inside is in relay_state.h. It never connects to anybody.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "relay_state.h"

#include "cmd.h"
#include "codec.h"
#include "fdset.h"
#include "keyfile.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifndef _WIN32
#include <netinet/tcp.h> /* TCP_USER_TIMEOUT */
#endif

#define EVENTS 256
#define DRINKS 16      /* reads of who leaves, in one round */
#define ACCEPTS 64     /* in one round */
#define REST_MS 100    /* before accept is tried again, when there was no room */
#define HTTP_MS 5000   /* for a request */
#define HTTP_MAX 8     /* readers of the counters at once */
#define PROXY_LINE 107 /* the PROXY protocol, version 1: with its line end (haproxy.org, proxy-protocol.txt, 2.1) */
#define PIPES_MAX 256  /* of PIPE_SIZE: what fs.pipe-user-pages-soft (64 MB) allows one user */
#define LEAST_FILES 128
#define SPARE_FILES 64 /* for listeners, log, captures, the C library */

void relay_defaults(relay_options *o) {
    memset(o, 0, sizeof *o);
    o->source_new = 20;
    o->source_open = 64;
    o->source_joined = 128;
    o->open = 4096;
    o->hello = 10;
    o->token_life = 600;
    o->wait = 15;
    o->idle = 900;
    o->blocked = 60;
    o->drain = 300;
}

/* ---- who comes in ------------------------------------------------------------------------------- */

static int admit_source(relay *r, conn *c, const struct sockaddr *from) {
    const relay_options *o = r->options;
    c->src = source_enter(r->sources, from, r->now);
    if (!c->src) return -1;
    unsigned long long *refused = NULL;
    if (!source_may_connect(r->sources, c->src, r->now)) refused = &r->count.refused_rate;
    else if (!source_has_room(c->src, o->source_open, UINT32_MAX)) refused = &r->count.refused_source;
    if (!refused) return 0;
    ++*refused;
    return -1;
}

static void greet(relay *r, conn *c, const struct sockaddr *from) {
    if (admit_source(r, c, from) != 0 || control_begin(r, c) != 0) conn_drop(r, c);
}

/* "PROXY TCP4 SOURCE DESTINATION PORT PORT", or TCP6. 0, or -1. */
static int parse_proxy_line(const char *line, struct sockaddr_storage *from) {
    char family[8], address[64];
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)from;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)from;
    memset(from, 0, sizeof *from);
    if (sscanf(line, "PROXY %7s %63s", family, address) != 2) return -1;
    from->ss_family = strcmp(family, "TCP4") == 0 ? AF_INET : AF_INET6;
    if (strcmp(family, "TCP4") == 0) return inet_pton(AF_INET, address, &v4->sin_addr) == 1 ? 0 : -1;
    return strcmp(family, "TCP6") == 0 && inet_pton(AF_INET6, address, &v6->sin6_addr) == 1 ? 0 : -1;
}

/* The balancer's line is taken to its end and no further. */
static void read_proxy_line(relay *r, conn *c) {
    struct sockaddr_storage from;
    int got = conn_read_text(c, PROXY_LINE, "\r\n", 1);
    if (got == 0) return;
    int good = got > 0 && parse_proxy_line((char *)c->held, &from) == 0;
    free(c->held);
    c->held = NULL;
    c->held_len = 0;
    if (good) greet(r, c, (struct sockaddr *)&from);
    else conn_drop(r, c);
    conn_run(r, c); /* can_read is still set: nobody else would look at what is, or comes, behind the line */
}

static void welcome(relay *r, int fd, const struct sockaddr *from) {
    r->count.accepted++;
    if (r->n_conns - 2 * r->count.pairs >= r->options->open) {
        r->count.refused_full++;
        svconn_fd_close(fd);
        return;
    }
    conn *c = conn_new(r, fd, r->options->proxy_protocol ? CONN_PROXY : CONN_HELLO);
    if (!c) return;
    if (c->state == CONN_HELLO) {
        greet(r, c, from);
    } else {
        conn_due(r, c, r->now + r->options->hello * 1000);
        c->can_read = 1;
        conn_run(r, c);
    }
}

static int accept_one(int listener, struct sockaddr_storage *from) {
    socklen_t len = sizeof *from;
    memset(from, 0, sizeof *from);
#ifdef SOCK_CLOEXEC
    return accept4(listener, (struct sockaddr *)from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    int fd = svconn_socket_accept(listener);
    return fd < 0 || svconn_socket_there(fd, from, &len) == 0 ? fd : svconn_socket_close_failed(fd);
#endif
}

/* Out of descriptors: whoever waits is let in by the reserve and out again. 0; or -1 if nobody was there: Linux looks
 * for a free descriptor before it looks for somebody. */
static int turn_away(relay *r, int listener) {
    struct sockaddr_storage from;
    if (r->reserve >= 0) close(r->reserve);
    int fd = accept_one(listener, &from);
    if (fd >= 0) svconn_fd_close(fd);
    r->reserve = fdset_reserve();
    r->count.out_of_descriptors += fd >= 0;
    return fd >= 0 ? 0 : -1;
}

/* After a failed accept: 1 to try the next one. */
static int goes_on(relay *r, conn *door, int error) {
    int shortage = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    if (error != EAGAIN && !shortage) return 1; /* that connection is gone already */
    if (shortage && turn_away(r, door->fd) == 0) return 1;
    door->can_read = 0;
    if (shortage) conn_due(r, door, r->now + REST_MS); /* who came meanwhile would not be told again */
    return 0;
}

static void accept_parties(relay *r) {
    conn *door = &r->door[0];
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from;
        int fd = accept_one(door->fd, &from);
        if (fd >= 0) welcome(r, fd, (struct sockaddr *)&from);
        else if (!goes_on(r, door, errno)) return;
    }
}

static void accept_readers(relay *r) {
    struct sockaddr_storage from;
    conn *door = &r->door[1];
    int fd = accept_one(door->fd, &from);
    if (fd < 0) {
        (void)goes_on(r, door, errno);
        return;
    }
    conn *c = r->n_readers < HTTP_MAX ? conn_new(r, fd, CONN_HTTP) : NULL;
    if (!c) {
        if (r->n_readers >= HTTP_MAX) svconn_fd_close(fd);
        return;
    }
    r->n_readers++;
    c->can_read = 1;
    conn_due(r, c, r->now + HTTP_MS);
    conn_run(r, c);
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* Those who wait for something that will not come any more. Refusing one may take others out of the list. */
static void refuse_all(relay *r) {
    for (conn *c = r->all, *next; c; c = next) {
        next = c->a_next;
        if (c->control) control_refuse(r, c, RELAY_NO_LONGER);
        else if (c->state == CONN_PROXY) conn_drop(r, c);
        if (next && next->state == CONN_DEAD) next = r->all;
    }
}

/* The first signal: nobody new, those who wait are told, the joined ones go on. The second: now. */
static void stop(relay *r) {
    r->stop_at = r->draining ? r->now : r->now + r->options->drain * 1000;
    if (r->draining) return;
    r->draining = 1;
    loop_remove(r->loop, r->listener.fd);
    svconn_listener_close(&r->listener);
    r->door[0].fd = -1;
    report(r, "draining", ",\"pairs\":%llu", r->count.pairs);
    if (r->count.pairs)
        say("ending: %llu pair%s may go on for %lu seconds; a second signal ends at once", r->count.pairs,
            r->count.pairs == 1 ? "" : "s", r->options->drain);
    else say("ending: nobody is joined");
    refuse_all(r);
}

static void take_signals(relay *r) {
    for (int signal; (signal = signals_next()) != 0;) {
        if (signal == SIGHUP) report_reopen(r);
        else stop(r);
    }
    r->door[2].can_read = 0;
}

static int is_over(const relay *r) {
    if (r->draining && r->now >= r->stop_at) return 1;
    if (!r->draining && !(r->options->once && r->count.joined > 0)) return 0;
    for (const conn *c = r->all; c; c = c->a_next)
        if (c->state == CONN_JOINED || c->state == CONN_LEAVING) return 0;
    return 1;
}

/* ---- the loop ----------------------------------------------------------------------------------- */

static void drink_up(relay *r, conn *c) {
    for (int turn = 0; c->can_read; turn++) {
        if (turn == DRINKS) {
            conn_run(r, c);
            return;
        }
        ssize_t n = svconn_fd_read(c->fd, r->shared, sizeof r->shared);
        if (n < 0 && errno == EAGAIN) c->can_read = 0;
        else if (n <= 0) {
            conn_drop(r, c);
            return;
        }
    }
}

static void serve(relay *r, conn *c) {
    switch ((conn_state)c->state) {
    case CONN_DEAD: break;
    case CONN_DOOR:
        if (c->can_read && c == &r->door[2]) take_signals(r);
        else if (c->can_read && c == &r->door[1]) accept_readers(r);
        else if (c->can_read && !r->draining) accept_parties(r);
        if (c->can_read && !(c == &r->door[0] && r->draining)) conn_run(r, c);
        break;
    case CONN_PROXY: read_proxy_line(r, c); break;
    case CONN_HELLO:
    case CONN_TOKEN:
    case CONN_PROVING:
    case CONN_REGISTERED:
    case CONN_CALLING: control_serve(r, c); break;
    case CONN_JOINED: forward_ready(r, c); break;
    case CONN_LEAVING: drink_up(r, c); break;
    case CONN_HTTP: report_http(r, c); break;
    }
}

static void serve_time(relay *r, conn *c) {
    switch ((conn_state)c->state) {
    case CONN_DOOR:
        c->can_read = 1;
        conn_run(r, c);
        break;
    case CONN_JOINED: forward_timer(r, c); break;
    case CONN_PROXY:
    case CONN_HTTP:
    case CONN_LEAVING: conn_drop(r, c); break;
    default:
        if (c->control) control_timer(r, c);
    }
}

static int time_to_wait(relay *r) {
    if (r->queue) return 0;
    uint64_t next = wheel_next(r);
    if (r->draining && r->stop_at < next) next = r->stop_at;
    if (next == UINT64_MAX) return -1;
    return next <= r->now ? 0 : next - r->now > 60000 ? 60000 : (int)(next - r->now);
}

static void run_round(relay *r) {
    loop_event events[EVENTS];
    int n = loop_wait(r->loop, events, EVENTS, time_to_wait(r));
    r->now = svconn_now();
    for (int i = 0; i < n; i++) {
        conn *c = events[i].who;
        c->can_read |= (uint8_t)events[i].readable;
        c->can_write |= (uint8_t)events[i].writable;
        c->ending |= (uint8_t)events[i].ending;
        conn_run(r, c);
    }
    conn *queue = r->queue;
    r->queue = NULL;
    r->queue_end = &r->queue;
    while (queue) {
        conn *c = queue;
        queue = c->q_next;
        c->running = 0;
        serve(r, c);
    }
    for (conn *c; (c = wheel_take(r)) != NULL;) serve_time(r, c);
    conn_bury(r);
}

/* ---- setting up --------------------------------------------------------------------------------- */

static int local(const char *what) {
    say("%s: %s", what, strerror(errno));
    return EXIT_LOCAL;
}

static int open_key(relay *r) {
    uint8_t seed[32];
    if (r->options->key) {
        int code = keyfile_read_seed(r->options->key, seed);
        if (code != EXIT_DONE) return code;
    } else {
        if (svconn_random(seed, sizeof seed) != 0) return local("the system gives no random bytes");
        say("no --key: a new key is made, and forgotten at the end; parties that remember the relay will not know it "
            "again");
    }
    svconn_identity_ed25519(&r->identity, seed);
    wipe(seed, sizeof seed);
    r->config.role = SVCONN_SERVER;
    r->config.identity = &r->identity;
    r->config.peer_types = r->options->allow ? SVCONN_PEER_ED25519 : SVCONN_PEER_ED25519 | SVCONN_PEER_CUSTOM;
    r->config.context = (const uint8_t *)RELAY_CONTEXT;
    r->config.context_len = sizeof RELAY_CONTEXT - 1;
    r->config.handshake_ms = r->config.silence_ms = SVCONN_OFF; /* relay_control.c has the deadlines */
    return EXIT_DONE;
}

/* One key a line: 64 hexadecimal digits; what follows them, and lines that begin with #, are comments. */
static int read_allowed(relay *r) {
    char line[300];
    FILE *f = fopen(r->options->allow, "re");
    if (!f) return local(r->options->allow);
    int code = EXIT_DONE;
    for (int number = 1; code == EXIT_DONE && fgets(line, sizeof line, f); number++) {
        size_t digits = strcspn(line, " \t\r\n");
        if (line[0] == '#' || digits == 0) continue;
        line[digits] = 0;
        uint8_t(*more)[32] = realloc(r->allowed, (r->n_allowed + 1) * sizeof *more);
        if (more) r->allowed = more;
        if (more && digits == 64 && hex_decode(more[r->n_allowed], 32, line) == 0) {
            r->n_allowed++;
        } else {
            say("%s, line %d: a public key has 64 hexadecimal digits", r->options->allow, number);
            code = EXIT_LOCAL;
        }
    }
    fclose(f);
    return code;
}

static int open_capture(relay *r) {
    static const char *const suffix[2] = {"listen", "call"};
    r->capture[0] = r->capture[1] = -1;
    for (int i = 0; i < 2 && r->options->capture; i++) {
        char path[1000];
        snprintf(path, sizeof path, "%s.%s", r->options->capture, suffix[i]);
        r->capture[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (r->capture[i] < 0) return local(path);
    }
    return EXIT_DONE;
}

static int open_door(relay *r, int i, int fd) {
    r->door[i].state = CONN_DOOR;
    r->door[i].fd = fd;
    return loop_add(r->loop, fd, &r->door[i]);
}

static int is_loopback(const char *address) {
    const char *host = address + 6;
    if (strncmp(address, "unix:", 5) == 0 || strncmp(address, "tcp://[::1]:", 12) == 0) return 1;
    return strncmp(address, "tcp://127.", 10) == 0 && host[strspn(host, "0123456789.")] == ':';
}

static int open_listeners(relay *r) {
    svconn_why why;
    if (svconn_listen(&r->listener, r->options->address, &why) != 0 ||
        (r->options->metrics && svconn_listen(&r->metrics, r->options->metrics, &why) != 0)) {
        say("%s", why.text);
        return EXIT_LOCAL;
    }
    svconn_socket_at_once(r->listener.fd); /* Linux: inherited */
#ifdef TCP_USER_TIMEOUT /* inherited: what lies in the kernel for a link that is dead is not seen as blocked */
    unsigned blocked_ms = (unsigned)r->options->blocked * 1000;
    (void)setsockopt(r->listener.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &blocked_ms, sizeof blocked_ms);
#endif
    if (open_door(r, 0, r->listener.fd) != 0 || open_door(r, 2, r->signals) != 0) return local("epoll");
    if (r->options->metrics && open_door(r, 1, r->metrics.fd) != 0) return local("epoll");
    return EXIT_DONE;
}

static int open_tables(relay *r, relay_options *o) {
    unsigned long have = fdset_raise_limit(); /* a pair takes two, and up to a sixteenth is for pipes */
    if (have < LEAST_FILES) {
        say("the system gives this process only %lu descriptors; a relay wants %d and two for each pair (ulimit -n)",
            have, LEAST_FILES);
        return EXIT_LOCAL;
    }
    unsigned long pipes = have / 32 < PIPES_MAX ? have / 32 : PIPES_MAX;
    unsigned long rest = have - 2 * pipes - SPARE_FILES;
    r->pool_max = pipes;
    if (o->open > rest / 2) o->open = rest / 2;
    if (o->joined == 0 || o->joined > (rest - o->open) / 2) o->joined = (rest - o->open) / 2;
    r->index_bits = 6;
    r->index = calloc((size_t)1 << r->index_bits, sizeof *r->index);
    r->sources = sources_open((double)o->source_new);
    r->loop = loop_open(o->poll, conn_wants);
    r->reserve = fdset_reserve();
    if (r->index && r->sources && r->loop && svconn_random((uint8_t *)r->index_secret, sizeof r->index_secret) == 0)
        return EXIT_DONE;
    say("out of memory");
    return EXIT_LOCAL;
}

static int open_relay(relay *r, relay_options *o) {
    if (strncmp(o->address, "tcp://", 6) != 0) return options_fault("relay", "a relay listens on tcp://HOST:PORT");
    if (o->name && !svconn_relay_is_public_name(o->name))
        return options_fault("relay", "--name %s: HOST or HOST:PORT is wanted, at most %d bytes", o->name,
                             RELAY_PUBLIC_NAME_MAX);
    if (o->metrics && !is_loopback(o->metrics))
        return options_fault("relay",
                             "--metrics %s: the counters are for this machine only: tcp://127.0.0.1:PORT, "
                             "tcp://[::1]:PORT or unix:PATH",
                             o->metrics);
    int code = open_key(r);
    if (code == EXIT_DONE && o->allow) code = read_allowed(r);
    if (code == EXIT_DONE) code = open_capture(r);
    if (code == EXIT_DONE && report_open(r) != 0) code = EXIT_LOCAL;
    if (code == EXIT_DONE && (r->signals = signals_catch(1)) < 0) code = local("pipe");
    if (code == EXIT_DONE) code = open_tables(r, o);
    if (code == EXIT_DONE) code = open_listeners(r);
    return code;
}

static void close_relay(relay *r) {
    while (r->all) conn_drop(r, r->all);
    for (conn *c = r->dead; c; c = c->a_next) c->running = 0;
    conn_bury(r);
    if (r->loop) forward_close(r);
    loop_close(r->loop);
    sources_close(r->sources);
    svconn_listener_close(&r->listener);
    svconn_listener_close(&r->metrics);
    for (int i = 0; i < 2; i++)
        if (r->capture[i] >= 0) close(r->capture[i]);
    if (r->log > STDERR_FILENO) close(r->log);
    if (r->reserve >= 0) close(r->reserve);
    svconn_identity_wipe(&r->identity);
    free(r->allowed);
    free(r->index);
    free(r);
}

static void say_ready(const relay *r) {
    char key[65];
    size_t len;
    hex_encode(key, svconn_identity_bytes(&r->identity, &len) + 1, 32);
    say("relaying on %s", r->listener.address);
    say("public key: %s", key);
    const char *host = r->listener.address + 6;
    if (!r->options->name && (strncmp(host, "[::]", 4) == 0 || strncmp(host, "0.0.0.0", 7) == 0))
        say("parties use relay://%s@HOST%s/, with a name of this machine for HOST", key, strrchr(host, ':'));
    else say("parties use relay://%s@%s/", key, r->options->name ? r->options->name : host);
    if (r->options->metrics) say("counters on %s", r->metrics.address);
}

int relay_run(const relay_options *given) {
    relay_options o = *given;
    relay *r = calloc(1, sizeof *r);
    if (!r) {
        say("out of memory");
        return EXIT_LOCAL;
    }
    r->options = &o;
    r->listener.fd = r->metrics.fd = r->reserve = r->log = r->capture[0] = r->capture[1] = -1;
    r->queue_end = &r->queue;
    r->now = svconn_now();
    r->wheel_at = r->now / WHEEL_MS;
    int code = open_relay(r, &o);
    if (code == EXIT_DONE) {
        say_ready(r);
        report(r, "started", ",\"open\":%lu,\"joined\":%lu", o.open, o.joined);
        while (!is_over(r)) run_round(r);
        report(r, "stopped", ",\"pairs\":%llu", r->count.pairs);
    }
    close_relay(r);
    return code;
}

int cmd_relay(int argc, char **argv) {
    relay_options o;
    const char *operand[2] = {NULL, NULL};
    relay_defaults(&o);
    const option rows[] = {
        {"key", "FILE", "the relay's Ed25519 key, by which parties know it again", OPTION_TEXT, &o.key, 0, 0},
        {"name", "HOST:PORT", "how parties reach this relay, if not as they did: part of new addresses", OPTION_TEXT,
         &o.name, 0, 0},
        {"allow", "FILE", "serve only parties whose public keys are in FILE, one a line", OPTION_TEXT, &o.allow, 0, 0},
        {"proxy-protocol", NULL, "each connection begins with the PROXY line (version 1) of a balancer", OPTION_FLAG,
         &o.proxy_protocol, 0, 0},
        {"log", "FILE", "a JSON line for each event; - is standard error", OPTION_TEXT, &o.log, 0, 0},
        {"metrics", "ADDRESS", "counters for Prometheus, on tcp://127.0.0.1:PORT or unix:PATH", OPTION_TEXT, &o.metrics,
         0, 0},
        {"source-new", "N", "new connections a second from one source (IPv4 address, IPv6 /64);\ndefault 20",
         OPTION_NUMBER, &o.source_new, 1, 1000000},
        {"source-open", "N", "connections from one source that are not joined; default 64", OPTION_NUMBER,
         &o.source_open, 1, 1000000},
        {"source-joined", "N", "joined connections from one source; default 128", OPTION_NUMBER, &o.source_joined, 1,
         1000000},
        {"open", "N", "connections in all that are not joined; default 4096", OPTION_NUMBER, &o.open, 1, 1000000},
        {"joined", "N", "pairs in all; default: as many as descriptors allow", OPTION_NUMBER, &o.joined, 1, 1000000},
        {"hello", "S", "seconds for the control session; default 10", OPTION_NUMBER, &o.hello, 1, 600},
        {"token-life", "S", "seconds that a token is good for; default 600", OPTION_NUMBER, &o.token_life, 1, 65535},
        {"wait", "S", "seconds for a machine to answer a call; default 15", OPTION_NUMBER, &o.wait, 1, 600},
        {"idle", "S", "seconds without a byte that a pair may stay; default 900", OPTION_NUMBER, &o.idle, 1, 86400},
        {"blocked", "S",
         "seconds that a party may take nothing of what is there for it;\ndefault 60 (it may take twice as long to be "
         "noticed)",
         OPTION_NUMBER, &o.blocked, 1, 86400},
        {"drain", "S", "seconds that pairs may go on after SIGTERM; default 300", OPTION_NUMBER, &o.drain, 0, 86400},
        {"poll", NULL, "use poll and copies, as on systems without epoll and splice", OPTION_FLAG, &o.poll, 0, 0},
        {"once", NULL, "end after the first pair", OPTION_FLAG, &o.once, 0, 0},
        {"hexdump", NULL, "show what a relay sees: direction, size and first bytes of each piece", OPTION_FLAG,
         &o.hexdump, 0, 0},
        {"capture", "PREFIX",
         "write all that passes to PREFIX.listen and PREFIX.call, one for each\nside that it comes from", OPTION_TEXT,
         &o.capture, 0, 0},
    };
    const usage u = {
        .command = "relay",
        .operands = "ADDRESS",
        .about = "Joins parties that both connect to it, and passes their bytes on. It cannot read or change them.\n"
                 "A party that listens on relay://HOST:PORT/ gets a token for one caller, who uses\n"
                 "relay://HOST:PORT/TOKEN; a machine that listens on relay://HOST:PORT/KEY, with its own public key,\n"
                 "is found by every caller who knows that key. See docs/relay.md.",
        .more = "ADDRESS is tcp://HOST:PORT. SIGTERM and SIGINT take in nobody new and let pairs go on (--drain); a\n"
                "second one ends at once.",
        .rows = rows,
        .n_rows = sizeof rows / sizeof rows[0],
        .least_operands = 1,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    o.address = operand[0];
    return relay_run(&o);
}
