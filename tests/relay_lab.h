/* SPDX-License-Identifier: ISC */
/*
 * What the tests of the relay share. Four kinds of characters:
 *
 *   lab_relay    the real one: `svconn relay` as a child, found beside the tests
 *   hand         one end of a control session that says whatever a test wants: a party, or a relay
 *   lab_hostile  a child that plays the relay by a script of the test
 *   lab_middle   a child that passes bytes on and keeps a copy: the man in the middle; or a balancer, which begins each
 *                connection with a PROXY line, so that each comes from a source of its own
 *
 * and party: an end of the session that is spoken through the relay.
 */
#ifndef SVCONN_TEST_RELAY_LAB_H
#define SVCONN_TEST_RELAY_LAB_H

#include "relay_wire.h"
#include "svconn_transport.h"
#include "test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 20000 /* ms; far more than anything here takes */
#define CHILD_S 100    /* a child that was forgotten ends by itself */

/* ---- small things ------------------------------------------------------------------------------- */

static char lab_program[1000];

/* SVCONN_TEST_RELAY=COMMAND: in place of the program beside the tests, that of Windows (tests/windows/tool.sh). It has no
 * UNIX sockets, and takes longer to start. */
static inline const char *lab_other(void) { return getenv("SVCONN_TEST_RELAY"); }

/* Tests are in BUILD/tests/, the program is BUILD/svconn. */
static inline void lab_begin(const char *argv0) {
    const char *slash = strrchr(argv0, '/');
    for (int fd = 3; fd < 100; fd++) close(fd); /* a launcher's */
    alarm(lab_other() ? 5 * CHILD_S : CHILD_S);
    signal(SIGPIPE, SIG_IGN);
    if (lab_other()) snprintf(lab_program, sizeof lab_program, "%s", lab_other());
    else snprintf(lab_program, sizeof lab_program, "%.*s/../svconn", slash ? (int)(slash - argv0) : 1, slash ? argv0 : ".");
}

static inline int lab_has_program(void) {
    if (access(lab_program, X_OK) == 0) return 1;
    test_skip = "the program svconn is not built here";
    return 0;
}

static inline int lab_says(const svconn_why *why, svconn_fault fault, const char *part) {
    if (why->fault == fault && strstr(why->text, part)) return 1;
    printf("  fault %d, \"%s\"; want %d, \"%s\"\n", (int)why->fault, why->text, (int)fault, part);
    return 0;
}

static inline void lab_random(uint8_t *out, size_t len) {
    if (svconn_random(out, len) != 0) exit(EXIT_FAILURE);
}

static inline void lab_hex(char *out, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static inline void lab_identity(svconn_identity *id, uint8_t seed_number) {
    uint8_t seed[32] = {seed_number, 0x55};
    svconn_identity_ed25519(id, seed);
}

static inline const uint8_t *lab_public(const svconn_identity *id) {
    size_t len;
    return svconn_identity_bytes(id, &len) + 1;
}

/* A blocking socket whose reads end after PATIENCE. */
static inline int lab_patient(int fd) {
    struct timeval t = {.tv_sec = PATIENCE / 1000};
    int on = 1;
    if (fd < 0) return fd;
    (void)fcntl(fd, F_SETFL, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static inline int lab_dial(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = lab_patient(socket(AF_INET, SOCK_STREAM, 0));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static inline int lab_listen(int *port) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        exit(EXIT_FAILURE);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline int lab_put(int fd, const void *bytes, size_t len) {
    const uint8_t *p = bytes;
    for (size_t at = 0; at < len;) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        ssize_t n = send(fd, p + at, len - at, MSG_NOSIGNAL);
        if (n > 0) at += (size_t)n;
        else if (errno != EAGAIN || poll(&writable, 1, PATIENCE) <= 0) return 0;
    }
    return 1;
}

/* How many bytes came, up to len, before the end, a reset or PATIENCE. */
static inline size_t lab_get(int fd, void *bytes, size_t len) {
    uint8_t *p = bytes;
    size_t at = 0;
    while (at < len) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, PATIENCE) <= 0) break;
        ssize_t n = recv(fd, p + at, len - at, 0);
        if (n <= 0) break;
        at += (size_t)n;
    }
    return at;
}

/* The end came, in order or by a reset, and no byte before it. */
static inline int lab_at_end(int fd) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    uint8_t byte;
    return poll(&readable, 1, PATIENCE) > 0 && recv(fd, &byte, 1, 0) <= 0;
}

/* Both have met: bytes go both ways. */
static inline int lab_linked(int a, int b) {
    char got[8] = {0};
    int ok = lab_put(a, "ping", 4) && lab_get(b, got, 4) == 4 && memcmp(got, "ping", 4) == 0;
    return ok && lab_put(b, "pong", 4) && lab_get(a, got, 4) == 4 && memcmp(got, "pong", 4) == 0;
}

/* ---- the public functions, with the reason when it is another than was wanted ----------------------- */

static inline int opens(svconn_link *l, const char *address, const svconn_link_options *o) {
    svconn_why why = {.text = ""};
    if (svconn_link_open_with(l, address, o, PATIENCE, &why) == 0) return 1;
    printf("  %s\n", why.text);
    return 0;
}

static inline int listens(svconn_listener *n, const char *address, const svconn_link_options *o) {
    svconn_why why = {.text = ""};
    if (svconn_listen_with(n, address, o, &why) == 0) return 1;
    printf("  %s\n", why.text);
    return 0;
}

static inline int accepts(svconn_listener *n, svconn_link *l) {
    svconn_why why = {.text = ""};
    if (svconn_listener_accept(n, l, PATIENCE, &why) == 0) return 1;
    printf("  %s\n", why.text);
    return 0;
}

static inline int open_fails(const char *address, const svconn_link_options *o, svconn_fault fault, const char *part) {
    svconn_why why = {.text = ""};
    svconn_link l;
    if (svconn_link_open_with(&l, address, o, PATIENCE, &why) == 0) {
        svconn_link_close(&l);
        printf("  %s was opened\n", address);
        return 0;
    }
    return l.in == -1 && lab_says(&why, fault, part);
}

static inline int listen_fails(const char *address, const svconn_link_options *o, svconn_fault fault,
                               const char *part) {
    svconn_why why = {.text = ""};
    svconn_listener n;
    if (svconn_listen_with(&n, address, o, &why) == 0) {
        svconn_listener_close(&n);
        printf("  %s was listened on\n", address);
        return 0;
    }
    return n.fd == -1 && lab_says(&why, fault, part);
}

static inline int accept_fails(svconn_listener *n, svconn_fault fault, const char *part) {
    svconn_why why = {.text = ""};
    svconn_link l;
    return svconn_listener_accept(n, &l, PATIENCE, &why) == -1 && lab_says(&why, fault, part);
}

/* Who opens the address comes out at the listener. */
static inline int meets(svconn_listener *n, const char *address) {
    svconn_link a = SVCONN_LINK_NONE, b = SVCONN_LINK_NONE;
    int ok = opens(&a, address, NULL) && accepts(n, &b) && lab_linked(a.in, b.in);
    svconn_link_close(&a);
    svconn_link_close(&b);
    return ok;
}

static inline void key_address(char out[300], const char *relay, const svconn_identity *owner) {
    char hex[65];
    lab_hex(hex, lab_public(owner), 32);
    snprintf(out, 300, "%.200s%s", relay, hex);
}

/* ---- the real relay ----------------------------------------------------------------------------- */

typedef struct {
    pid_t pid;
    int err; /* its standard error */
    char said[8192];
    char address[160]; /* relay://KEY@127.0.0.1:PORT/ */
    char host[40];     /* 127.0.0.1:PORT */
    char counters[300];
    uint8_t key[32];
    int port;
} lab_relay;

static inline int relay_reads(lab_relay *r) {
    struct pollfd p = {.fd = r->err, .events = POLLIN};
    size_t have = strlen(r->said);
    if (poll(&p, 1, PATIENCE) <= 0) return 0;
    ssize_t n = read(r->err, r->said + have, sizeof r->said - 1 - have);
    return n > 0;
}

/* It has said a whole line with this in it; the line behind it, or NULL. */
static inline const char *relay_said(lab_relay *r, const char *part) {
    for (;;) {
        const char *at = strstr(r->said, part);
        if (at && strchr(at, '\n')) return at + strlen(part);
        if (!relay_reads(r)) return NULL;
    }
}

static inline void relay_exec(const char *options) {
    static char text[2000];
    char *argv[60], *rest = NULL;
    int n = 0;
    snprintf(text, sizeof text, "%s relay tcp://127.0.0.1:0 %s %s %s %s", lab_program,
             strstr(options, "--source-new") ? "" : "--source-new 100000",
             strstr(options, "--source-open") ? "" : "--source-open 4000",
             strstr(options, "--source-joined") ? "" : "--source-joined 4000", options);
    for (char *word = strtok_r(text, " ", &rest); word && n < 59; word = strtok_r(NULL, " ", &rest)) argv[n++] = word;
    argv[n] = NULL;
    execv(lab_program, argv);
    _exit(127);
}

/* Starts it, without waiting for anything. */
static inline void relay_spawn(lab_relay *r, const char *options) {
    int err[2];
    memset(r, 0, sizeof *r);
    if (pipe(err) != 0) exit(EXIT_FAILURE);
    (void)fcntl(err[0], F_SETFD, FD_CLOEXEC);
    fflush(stdout);
    r->pid = fork();
    if (r->pid == 0) {
        (void)dup2(err[1], 2);
        if (err[1] != 2) close(err[1]);
        alarm(CHILD_S); /* stays over exec */
        relay_exec(options);
    }
    close(err[1]);
    r->err = err[0];
}

/* 1 if it is ready. */
static inline int relay_start(lab_relay *r, const char *options) {
    relay_spawn(r, options);
    const char *use = relay_said(r, "parties use relay://"), *on = relay_said(r, "relaying on tcp://");
    const char *counters = use && strstr(options, "--metrics") ? relay_said(r, "counters on ") : NULL;
    char hex[65] = "";
    if (counters) sscanf(counters, "%299[^\n]", r->counters);
    if (!use || !on || sscanf(use, "%64[0-9a-f]@", hex) != 1 || sscanf(on, "%39[^\n]", r->host) != 1) {
        printf("  the relay said \"%s\"\n", r->said);
        return 0;
    }
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        r->key[i] = (uint8_t)byte;
    }
    snprintf(r->address, sizeof r->address, "relay://%s@%s/", hex, r->host);
    r->port = atoi(strrchr(r->host, ':') + 1);
    return 1;
}

/* Its exit code; 128 + the signal that ended it; -1 if it does not end. */
static inline int relay_wait(lab_relay *r) {
    int status = 0;
    for (uint64_t end = svconn_now() + PATIENCE; svconn_now() < end;) {
        if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
            r->pid = 0;
            while (relay_reads(r)) {
            }
            close(r->err);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        (void)poll(NULL, 0, 5);
    }
    return -1;
}

/* Processor time of a process in clock ticks; -1: not known here. */
static inline long process_ticks(long pid) {
    char path[60], line[600] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    const char *at = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    if (f) fclose(f);
    if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) return -1;
    return (long)(user + system);
}

/* Of the relay. (That of Windows is a child of the process that was started.) */
static inline long relay_ticks(const lab_relay *r) {
    char path[60];
    long child, ticks = process_ticks((long)r->pid);
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)r->pid, (long)r->pid);
    FILE *f = fopen(path, "r");
    while (f && fscanf(f, "%ld", &child) == 1) ticks += process_ticks(child);
    if (f) fclose(f);
    return ticks;
}

/* Ends it at once: the first signal asks pairs to come to an end, the second does not ask. */
static inline void relay_stop(lab_relay *r) {
    kill(r->pid, SIGTERM);
    int told = relay_said(r, "ending: ") != NULL;
    kill(r->pid, SIGTERM);
    int code = relay_wait(r);
    CHECK(told && code == 0);
    if (code != 0) printf("  exit code %d; the relay said \"%s\"\n", code, r->said);
}

/* ---- one end of a control session --------------------------------------------------------------- */

enum { HAND_BUFFER = SVCONN_BUFFER_SIZE(2000) };

typedef struct {
    int fd;
    long budget; /* bytes that may still be sent, then the connection is cut; -1: any number */
    svconn s;
    svconn_config config;
    svconn_identity me;
    uint8_t rx[HAND_BUFFER], tx[HAND_BUFFER];
} hand;

static inline void hand_close(hand *h) {
    if (h->fd >= 0) close(h->fd);
    h->fd = -1;
}

/* me: NULL for a key made for this one. */
static inline void hand_init(hand *h, int fd, svconn_role role, const svconn_identity *me) {
    uint8_t seed[32], key[32];
    memset(h, 0, sizeof *h);
    h->fd = lab_patient(fd);
    h->budget = -1;
    lab_random(seed, 32);
    lab_random(key, 32);
    if (me) h->me = *me;
    else svconn_identity_ed25519(&h->me, key);
    h->config = (svconn_config){.role = role, .identity = &h->me, .context = (const uint8_t *)RELAY_CONTEXT};
    h->config.context_len = sizeof RELAY_CONTEXT - 1;
    h->config.peer_types = SVCONN_PEER_ED25519 | SVCONN_PEER_CUSTOM; /* RELAY_NOBODY */
    CHECK(svconn_init(&h->s, &h->config, seed, h->rx, sizeof h->rx, h->tx, sizeof h->tx) == SVCONN_OK);
}

static inline int hand_flush(hand *h) {
    size_t len;
    const uint8_t *bytes = svconn_wire_out(&h->s, &len);
    if (h->budget >= 0 && (long)len > h->budget) {
        (void)lab_put(h->fd, bytes, (size_t)h->budget);
        hand_close(h);
        return 0;
    }
    if (h->budget >= 0) h->budget -= (long)len;
    return len == 0 || (lab_put(h->fd, bytes, len) && svconn_wire_sent(&h->s, len) == SVCONN_OK);
}

/* One byte: nothing behind the last record is ever taken. */
static inline int hand_carry(hand *h) {
    uint8_t byte;
    size_t used;
    if (h->fd < 0 || !hand_flush(h) || recv(h->fd, &byte, 1, 0) != 1) return 0;
    return svconn_wire_in(&h->s, &byte, 1, &used, svconn_now()) == SVCONN_OK;
}

static inline int hand_connect(hand *h) {
    while (svconn_status(&h->s) != SVCONN_CONNECTED) {
        if (svconn_status(&h->s) == SVCONN_NEEDS_VERDICT) CHECK(svconn_accept(&h->s) == SVCONN_OK);
        else if (!hand_carry(h)) return 0;
    }
    return hand_flush(h);
}

/* The length of a message in msg; -1: none came. */
static inline int hand_hear(hand *h, uint8_t msg[HAND_BUFFER]) {
    const uint8_t *lent;
    size_t len;
    svconn_err err;
    while ((err = svconn_recv(&h->s, &lent, &len)) == SVCONN_AGAIN)
        if (!hand_carry(h)) return -1;
    if (err != SVCONN_OK) return -1;
    memcpy(msg, lent, len);
    return svconn_recv_done(&h->s) == SVCONN_OK ? (int)len : -1;
}

static inline int hand_say(hand *h, uint8_t kind, const void *body, size_t len) {
    uint8_t msg[HAND_BUFFER] = {kind};
    if (len) memcpy(msg + 1, body, len);
    return svconn_send(&h->s, msg, 1 + len, svconn_now()) == SVCONN_OK && hand_flush(h);
}

/* A message of this kind and length, its body in body (may be NULL). */
static inline int hand_hears(hand *h, uint8_t kind, size_t len, uint8_t *body) {
    uint8_t msg[HAND_BUFFER];
    int n = hand_hear(h, msg);
    if (n == (int)len + 1 && msg[0] == kind) {
        if (body && len) memcpy(body, msg + 1, len);
        return 1;
    }
    if (n > 0) printf("  heard %d bytes, %02x %02x; want kind %02x\n", n, msg[0], n > 1 ? msg[1] : 0, kind);
    else printf("  heard nothing (%s); want kind %02x\n", svconn_reason_name(svconn_error(&h->s)), kind);
    return 0;
}

static inline int hand_hears_byte(hand *h, uint8_t kind, uint8_t byte) {
    uint8_t body[1] = {0};
    if (hand_hears(h, kind, 1, body) && body[0] == byte) return 1;
    printf("  heard byte %u, want %u\n", body[0], byte);
    return 0;
}
static inline int hand_is_refused(hand *h, svconn_relay_reason reason) {
    return hand_hears_byte(h, RELAY_NO, (uint8_t)reason);
}
static inline int hand_is_joined(hand *h, svconn_role role) { return hand_hears_byte(h, RELAY_JOINED, (uint8_t)role); }

/* A party at the real relay. from: a source for the PROXY line; NULL: no such line. */
static inline int hand_open_from(hand *h, const lab_relay *r, const char *from) {
    char line[120];
    int fd = lab_dial(r->port);
    if (fd >= 0 && from) {
        snprintf(line, sizeof line, "PROXY TCP4 %s 127.0.0.1 1000 8386\r\n", from);
        (void)lab_put(fd, line, strlen(line));
    }
    hand_init(h, fd, SVCONN_CLIENT, NULL);
    return fd >= 0 && hand_connect(h);
}
static inline int hand_open(hand *h, const lab_relay *r) { return hand_open_from(h, r, NULL); }

/* LISTEN: the token as a number. */
static inline int hand_listen(hand *h, uint64_t *token) {
    uint8_t msg[HAND_BUFFER];
    char text[RELAY_TOKEN_LEN + 1] = "";
    if (!hand_say(h, RELAY_LISTEN, NULL, 0) || hand_hear(h, msg) < 3 + RELAY_TOKEN_LEN || msg[0] != RELAY_TOKEN)
        return 0;
    memcpy(text, msg + 1, RELAY_TOKEN_LEN);
    return svconn_token_read(token, text) == 0;
}

static inline int hand_call(hand *h, uint64_t token) {
    char text[RELAY_TOKEN_LEN + 1];
    svconn_token_write(text, token);
    return hand_say(h, RELAY_CALL, text, RELAY_TOKEN_LEN);
}

/* Two parties at the real relay, joined; a listened. */
static inline int hand_pair_from(hand *a, hand *b, const lab_relay *r, const char *from_a, const char *from_b) {
    uint64_t token;
    a->fd = b->fd = -1;
    if (!hand_open_from(a, r, from_a) || !hand_listen(a, &token)) return 0;
    if (!hand_open_from(b, r, from_b) || !hand_call(b, token)) return 0;
    return hand_is_joined(a, SVCONN_SERVER) && hand_is_joined(b, SVCONN_CLIENT);
}
static inline int hand_pair(hand *a, hand *b, const lab_relay *r) { return hand_pair_from(a, b, r, NULL, NULL); }

/* ---- children ----------------------------------------------------------------------------------- */

/* 1 if it said that all was well. */
static inline int lab_ended_well(pid_t pid) {
    int status;
    pid_t got;
    do got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* In a child: the CHECKs since the fork are its result. */
static inline void lab_exit(void) {
    fflush(stdout);
    _exit(test_bad ? 1 : 0);
}

/* 0 in the child. */
static inline pid_t lab_fork(void) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) exit(EXIT_FAILURE);
    if (pid == 0) {
        alarm(CHILD_S);
        test_bad = 0;
    }
    return pid;
}

/* The party that dials, in a child: opens a link, says hello, and wants this answer (NULL: no answer). */
static inline pid_t lab_caller(const char *address, const svconn_link_options *options, const char *hello,
                               const char *want) {
    svconn_link l;
    svconn_why why = {.text = ""};
    char got[100] = "";
    pid_t pid = lab_fork();
    if (pid) return pid;
    CHECK(svconn_link_open_with(&l, address, options, PATIENCE, &why) == 0);
    if (why.text[0]) printf("  %s\n", why.text);
    CHECK(lab_put(l.out, hello, strlen(hello)));
    if (want) CHECK(lab_get(l.in, got, strlen(want)) == strlen(want) && strcmp(got, want) == 0);
    svconn_link_close(&l);
    lab_exit();
    return 0;
}

typedef void (*lab_script)(int fd, int turn);
typedef struct {
    pid_t pid;
    int port;
    char address[160], bare[60]; /* with its key, and without */
    uint8_t key[32];
} lab_hostile;

#define HOSTILE_SEED 7

/* For each connection in turn: the script, which closes it. */
static inline void hostile_start(lab_hostile *h, lab_script script, int turns) {
    svconn_identity id;
    char hex[65];
    int listener = lab_listen(&h->port);
    lab_identity(&id, HOSTILE_SEED);
    memcpy(h->key, lab_public(&id), 32);
    lab_hex(hex, h->key, 32);
    snprintf(h->bare, sizeof h->bare, "relay://127.0.0.1:%d/", h->port);
    snprintf(h->address, sizeof h->address, "relay://%s@127.0.0.1:%d/", hex, h->port);
    h->pid = lab_fork();
    if (h->pid == 0) {
        for (int turn = 0; turn < turns; turn++) {
            int fd = accept(listener, NULL, NULL);
            if (fd < 0) _exit(1);
            script(lab_patient(fd), turn);
        }
        lab_exit();
    }
    close(listener);
}
static inline void hostile_end(lab_hostile *h) { CHECK(lab_ended_well(h->pid)); }
static inline void hostile_kill(lab_hostile *h) {
    kill(h->pid, SIGKILL);
    (void)waitpid(h->pid, NULL, 0);
}

/* The relay's end of a control session, with the hostile one's key. */
static inline void hand_relay(hand *h, int fd) {
    svconn_identity id;
    lab_identity(&id, HOSTILE_SEED);
    hand_init(h, fd, SVCONN_SERVER, &id);
}

/* ---- in the middle ------------------------------------------------------------------------------ */

typedef struct {
    pid_t pid;
    int port;
    char address[160]; /* like the relay's, by way of the middle */
} lab_middle;

static inline int middle_move(int from, int to, int record) {
    uint8_t bytes[65536];
    ssize_t n = recv(from, bytes, sizeof bytes, 0);
    if (n <= 0) {
        (void)shutdown(to, SHUT_WR);
        return 0;
    }
    if (record >= 0 && write(record, bytes, (size_t)n) != n) _exit(1);
    return lab_put(to, bytes, (size_t)n);
}

static inline void middle_carry(int party, int port, const char *directory, int n) {
    char path[300], line[100];
    int relay = lab_dial(port), record[2] = {-1, -1}, open_ends = 2;
    for (int i = 0; i < 2 && directory; i++) {
        snprintf(path, sizeof path, "%s/%s.%d", directory, i ? "down" : "up", n);
        record[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    snprintf(line, sizeof line, "PROXY TCP4 10.0.%d.%d 127.0.0.1 1000 8386\r\n", n / 250, n % 250 + 1);
    if (!directory) (void)lab_put(relay, line, strlen(line));
    struct pollfd p[2] = {{.fd = party, .events = POLLIN}, {.fd = relay, .events = POLLIN}};
    while (open_ends > 0 && poll(p, 2, -1) > 0) {
        for (int i = 0; i < 2; i++) {
            if (p[i].fd < 0 || !p[i].revents || middle_move(p[i].fd, i ? party : relay, record[i])) continue;
            p[i].fd = -1;
            open_ends--;
        }
    }
    _exit(0);
}

/* directory: where copies go, up.N and down.N for connection N; NULL: be a balancer instead. */
static inline void middle_start(lab_middle *m, const lab_relay *r, const char *directory) {
    char hex[65];
    int listener = lab_listen(&m->port);
    lab_hex(hex, r->key, 32);
    snprintf(m->address, sizeof m->address, "relay://%s@127.0.0.1:%d/", hex, m->port);
    m->pid = lab_fork();
    if (m->pid == 0) {
        (void)setpgid(0, 0);
        signal(SIGCHLD, SIG_IGN);
        for (int n = 0;; n++) {
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0 && lab_fork() == 0) {
                close(listener);
                middle_carry(lab_patient(fd), r->port, directory, n);
            }
            if (fd >= 0) close(fd);
        }
    }
    (void)setpgid(m->pid, m->pid);
    close(listener);
}

static inline void middle_stop(lab_middle *m) {
    kill(-m->pid, SIGKILL); /* it and those it has made */
    (void)waitpid(m->pid, NULL, 0);
}

/* ---- the session through the relay -------------------------------------------------------------- */

typedef struct {
    svconn_link link;
    svconn s;
    svconn_config config;
    svconn_identity me;
    uint8_t psk[32], peer[32], context[255];
    int has_psk;
    uint8_t rx[SVCONN_BUFFER_SIZE(1000)], tx[SVCONN_BUFFER_SIZE(1000)];
} party;

/* The context is own, with what the link adds if it is to count. */
static inline void party_context(party *p, svconn_role role, const char *own, int link_counts) {
    size_t len = strlen(own);
    memcpy(p->context, own, len);
    if (link_counts) CHECK(svconn_link_context(&p->link, p->context, &len, own, strlen(own)) == SVCONN_OK);
    p->config = (svconn_config){.role = role, .identity = &p->me, .context = p->context, .context_len = len};
}

static inline void party_init(party *p) {
    uint8_t seed[32];
    lab_random(seed, 32);
    CHECK(svconn_init(&p->s, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx) == SVCONN_OK);
}

static inline int party_step(party *p, int wait_ms) {
    struct pollfd fds[2];
    int timeout;
    nfds_t n = svconn_pump_want(&p->s, &p->link, fds, &timeout);
    (void)poll(fds, n, timeout >= 0 && timeout < wait_ms ? timeout : wait_ms);
    (void)!svconn_pump_ready(&p->s, &p->link, fds, n);
    if (svconn_status(&p->s) == SVCONN_NEEDS_PSK) CHECK(svconn_give_psk(&p->s, p->psk) == SVCONN_OK);
    if (svconn_status(&p->s) == SVCONN_NEEDS_VERDICT && p->has_psk) CHECK(svconn_accept(&p->s) == SVCONN_OK);
    else if (svconn_status(&p->s) == SVCONN_NEEDS_VERDICT)
        (void)!svconn_accept_known(&p->s, (const uint8_t(*)[32]) & p->peer, 1);
    return svconn_status(&p->s) == SVCONN_CONNECTED || svconn_status(&p->s) == SVCONN_FAILED;
}

/* Until both are connected, or have failed. */
static inline int party_meet(party *a, party *b) {
    uint64_t end = svconn_now() + PATIENCE;
    int done = 0;
    while (done < 2 && svconn_now() < end) done = party_step(a, 5) + party_step(b, 5);
    return svconn_status(&a->s) == SVCONN_CONNECTED && svconn_status(&b->s) == SVCONN_CONNECTED;
}

static inline int party_tells(party *a, party *b, const char *text) {
    const uint8_t *msg;
    size_t len;
    svconn_err err = SVCONN_AGAIN;
    if (svconn_send(&a->s, text, strlen(text), svconn_now())) return 0;
    for (uint64_t end = svconn_now() + PATIENCE; err == SVCONN_AGAIN && svconn_now() < end;) {
        (void)party_step(a, 5);
        (void)party_step(b, 5);
        err = svconn_recv(&b->s, &msg, &len);
    }
    return err == SVCONN_OK && len == strlen(text) && memcmp(msg, text, len) == 0 && !svconn_recv_done(&b->s);
}

static inline void party_end(party *p) {
    svconn_wipe(&p->s);
    svconn_link_close(&p->link);
}

/* u of small order, canonical or not (RFC 7748, section 6.1): X25519 of them is zero. */
static const uint8_t low_order[][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

#endif
