/* SPDX-License-Identifier: ISC */
/* The relay against parties that want too much of it, and what its operator has: limits by source and in all, the end
 * in order, counters, the log, a balancer in front. */
#include "relay_lab.h"
#include <sys/un.h>

static char directory[] = "/tmp/svconn-test-XXXXXX";

enum { M1_LEN = 134 };

/* The relay's first words on a connection: it lets us in. */
static int is_greeted(int fd) {
    uint8_t m1[M1_LEN];
    return lab_get(fd, m1, sizeof m1) == sizeof m1;
}

/* Whatever is said there until the end. */
static int ends(int fd) {
    uint8_t bytes[4096];
    size_t n;
    uint64_t begin = svconn_now();
    while ((n = lab_get(fd, bytes, sizeof bytes)) == sizeof bytes) {
    }
    return svconn_now() - begin < PATIENCE; /* lab_get did not give up */
}

/* ---- counters ----------------------------------------------------------------------------------- */

static int dial_counters(const lab_relay *r) {
    struct sockaddr_un u = {.sun_family = AF_UNIX};
    if (strncmp(r->counters, "unix:", 5) != 0) return lab_dial(atoi(strrchr(r->counters, ':') + 1));
    snprintf(u.sun_path, sizeof u.sun_path, "%.100s", r->counters + 5);
    int fd = lab_patient(socket(AF_UNIX, SOCK_STREAM, 0));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&u, sizeof u) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* All that the relay says to the request. */
static size_t http(const lab_relay *r, const char *request, char *out, size_t size) {
    int fd = dial_counters(r);
    if (fd < 0) return 0;
    (void)lab_put(fd, request, strlen(request));
    size_t n = lab_get(fd, out, size - 1);
    out[n] = 0;
    close(fd);
    return n;
}

/* -1: there is no such counter. */
static long counter(const lab_relay *r, const char *name) {
    char text[10000], line[100];
    long value = -1;
    (void)http(r, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text);
    snprintf(line, sizeof line, "\nsvconn_relay_%s ", name);
    const char *at = strstr(text, line);
    if (at) sscanf(at + strlen(line), "%ld", &value);
    return value;
}

static int counts(const lab_relay *r, const char *name, long want) {
    long got = counter(r, name);
    for (uint64_t end = svconn_now() + PATIENCE; got != want && svconn_now() < end; got = counter(r, name))
        (void)poll(NULL, 0, 20);
    if (got != want) printf("  %s is %ld, not %ld\n", name, got, want);
    return got == want;
}

#define METRICS " --metrics tcp://127.0.0.1:0"

static void counters(const char *options) {
    static hand a, b, c;
    lab_relay r;
    uint64_t token;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    CHECK(counts(&r, "accepted_total", 0) && counts(&r, "bytes_total", 0) && counts(&r, "pairs", 0));
    CHECK(hand_pair(&a, &b, &r) && counts(&r, "pairs", 1) && counts(&r, "joined_total", 1));
    CHECK(counts(&r, "tokens_total", 1) && counts(&r, "waiting", 0) && counts(&r, "accepted_total", 2));
    CHECK(lab_linked(a.fd, b.fd) && counts(&r, "bytes_total", 8));
    CHECK(hand_open(&c, &r) && hand_listen(&c, &token) && counts(&r, "waiting", 1));
    CHECK(counts(&r, "connections", 4)); /* and the one that asks */
    hand_close(&c);
    CHECK(counts(&r, "waiting", 0));
    CHECK(hand_open(&c, &r) && hand_call(&c, token) && hand_is_refused(&c, RELAY_NO_TOKEN));
    CHECK(counts(&r, "tokens_wrong_total", 1));
    hand_close(&c);
    hand_close(&a);
    hand_close(&b);
    CHECK(counts(&r, "pairs", 0) && counts(&r, "ended_total", 1));
    CHECK(counts(&r, "connections", 1) && counts(&r, "accepted_total", 4));
    CHECK(counts(&r, "refused_full_total", 0) && counts(&r, "handshake_failures_total", 0));
    int fd = lab_dial(r.port);
    CHECK(is_greeted(fd) && lab_put(fd, "garbage garbage garbage garbage garbage garbage", 47) &&
          shutdown(fd, SHUT_WR) == 0);
    CHECK(ends(fd));
    close(fd);
    relay_stop(&r);
}

static void counters_tcp(void) { counters(METRICS); }
static void counters_unix(void) {
    char options[200], path[100];
    if (lab_other()) {
        test_skip = "this relay has no UNIX sockets";
        return;
    }
    snprintf(path, sizeof path, "%s/counters", directory);
    snprintf(options, sizeof options, "--poll --metrics unix:%s", path);
    counters(options);
    CHECK(!lab_has_program() || access(path, F_OK) != 0);
}

static void counters_are_local(void) {
    static const char *const open_ones[] = {"tcp://0.0.0.0:0", "tcp://[::]:0", "tcp://:0"};
    lab_relay r;
    char options[100];
    if (!lab_has_program()) return;
    for (size_t i = 0; i < sizeof open_ones / sizeof open_ones[0]; i++) {
        snprintf(options, sizeof options, "--metrics %s", open_ones[i]);
        relay_spawn(&r, options);
        int code = relay_wait(&r);
        CHECK(code == 2 || (i == 1 && code == 3)); /* 3: there is no IPv6 here */
        CHECK(code != 2 || strstr(r.said, "the counters are for this machine only"));
    }
}

static void counters_hostile_readers(void) {
    static char text[10000], long_one[6000];
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, METRICS));
    memset(long_one, 'a', sizeof long_one - 1);
    CHECK(http(&r, long_one, text, sizeof text) == 0); /* no end of the request in sight */
    CHECK(http(&r, "\r\n\r\n", text, sizeof text) > 1000 && strncmp(text, "HTTP/1.0 200 OK\r\n", 17) == 0);
    int fd = dial_counters(&r);
    for (const char *p = "GET / HTTP/1.0\r\n\r\n"; *p; p++) {
        CHECK(lab_put(fd, p, 1));
        (void)poll(NULL, 0, 2);
    }
    size_t n = lab_get(fd, text, sizeof text - 1);
    text[n] = 0;
    const char *body = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
    CHECK(body && length && strlen(body + 4) == (size_t)atoi(length + 16));
    close(fd);
    relay_stop(&r);
}

/* ---- parties that do not do as they should ------------------------------------------------------ */

static void talks_while_it_waits(const char *options) {
    static hand a, b;
    lab_relay r;
    uint64_t token;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    CHECK(hand_open(&a, &r) && hand_listen(&a, &token) && hand_say(&a, RELAY_LISTEN, NULL, 0));
    CHECK(hand_is_refused(&a, RELAY_NO_REQUEST));
    CHECK(hand_open(&b, &r) && hand_call(&b, token) && hand_is_refused(&b, RELAY_NO_TOKEN));
    hand_close(&a);
    hand_close(&b);
    CHECK(hand_open(&a, &r) && hand_listen(&a, &token) && lab_put(a.fd, "x", 1)); /* less than a record */
    CHECK(hand_is_refused(&a, RELAY_NO_REQUEST));
    hand_close(&a);
    CHECK(hand_open(&a, &r)); /* both in one piece */
    CHECK(svconn_send(&a.s, "\x01", 1, svconn_now()) == SVCONN_OK && hand_say(&a, RELAY_LISTEN, NULL, 0));
    CHECK(hand_hears(&a, RELAY_TOKEN, RELAY_TOKEN_LEN + 2, NULL) && hand_is_refused(&a, RELAY_NO_REQUEST));
    hand_close(&a);
    relay_stop(&r);
}
static void talks_while_it_waits_epoll(void) { talks_while_it_waits(""); }
static void talks_while_it_waits_poll(void) { talks_while_it_waits("--poll"); }

static void garbage(void) {
    static hand a, b;
    uint8_t bytes[3000];
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, METRICS));
    for (size_t len = 1; len <= sizeof bytes; len = 3 * len) {
        int fd = lab_dial(r.port);
        lab_random(bytes, sizeof bytes);
        CHECK(is_greeted(fd) && lab_put(fd, bytes, len));
        (void)shutdown(fd, SHUT_WR); /* may be reset already */
        CHECK(ends(fd));
        close(fd);
    }
    CHECK(counts(&r, "connections", 1));
    CHECK(hand_pair(&a, &b, &r) && lab_linked(a.fd, b.fd));
    hand_close(&a);
    hand_close(&b);
    relay_stop(&r);
}

/* Nothing, a little now and then, a session without a request, a claim without a proof: none outlasts --hello. */
static void slow_loris(void) {
    static hand idle, claims;
    lab_relay r;
    uint8_t name[32] = {9};
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--hello 1" METRICS));
    uint64_t begin = svconn_now();
    int silent = lab_dial(r.port), slow = lab_dial(r.port);
    CHECK(is_greeted(silent) && is_greeted(slow) && hand_open(&idle, &r) && hand_open(&claims, &r));
    CHECK(hand_say(&claims, RELAY_REGISTER, name, 32) && hand_hears(&claims, RELAY_CHALLENGE, 32, NULL));
    CHECK(svconn_now() - begin > 500 || counts(&r, "connections", 5));
    struct pollfd p = {.fd = slow, .events = POLLIN};
    while (poll(&p, 1, 50) == 0 && svconn_now() - begin < PATIENCE) CHECK(lab_put(slow, "\1", 1));
    uint64_t took = svconn_now() - begin;
    CHECK(took > 900 && took < PATIENCE);
    CHECK(ends(slow) && ends(silent) && ends(idle.fd) && ends(claims.fd));
    close(silent);
    close(slow);
    hand_close(&idle);
    hand_close(&claims);
    CHECK(counts(&r, "connections", 1) && counter(&r, "handshake_failures_total") >= 3);
    relay_stop(&r);
}

/* ---- limits ------------------------------------------------------------------------------------- */

static int listen_is_refused(const lab_relay *r, const char *part) {
    svconn_listener n;
    svconn_why why = {.text = ""};
    if (svconn_listen(&n, r->address, &why) != 0) return lab_says(&why, SVCONN_FAULT_RELAY_REFUSED, part);
    svconn_listener_close(&n);
    return 0;
}

/* Tries until the relay has noticed that there is room again. */
static int listens_again(const lab_relay *r) {
    svconn_listener n;
    int ok = 0;
    for (uint64_t end = svconn_now() + PATIENCE; !ok && svconn_now() < end;) {
        ok = svconn_listen(&n, r->address, NULL) == 0;
        if (ok) svconn_listener_close(&n);
        else (void)poll(NULL, 0, 50);
    }
    return ok;
}

/* Four seconds' worth may come at once. */
static void source_new(void) {
    lab_relay r;
    int greeted = 0;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--source-new 2" METRICS));
    uint64_t begin = svconn_now();
    for (int i = 0; i < 30; i++) {
        int fd = lab_dial(r.port);
        greeted += is_greeted(fd);
        close(fd);
    }
    int earned = (int)((svconn_now() - begin) / 500) + 1; /* meanwhile */
    CHECK(greeted >= 8 && greeted <= 8 + earned);
    CHECK(counts(&r, "refused_rate_total", 30 - greeted));
    CHECK(earned > 5 || listen_is_refused(&r, "too many connections"));
    CHECK(listens_again(&r));
    relay_stop(&r);
}

static void source_open(void) {
    svconn_listener n[3];
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--source-open 3" METRICS));
    for (int i = 0; i < 3; i++) CHECK(svconn_listen(&n[i], r.address, NULL) == 0);
    CHECK(listen_is_refused(&r, "too many connections"));
    CHECK(counts(&r, "refused_source_total", 1));
    svconn_listener_close(&n[1]);
    CHECK(listens_again(&r));
    svconn_listener_close(&n[0]);
    svconn_listener_close(&n[2]);
    relay_stop(&r);
}

static void open_in_all(void) {
    static hand h[4];
    lab_relay r;
    uint64_t token;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--open 4 --proxy-protocol"));
    CHECK(hand_pair_from(&h[0], &h[1], &r, "10.0.0.1", "10.0.0.2")); /* joined ones do not count */
    for (int i = 2; i < 4; i++) CHECK(hand_open_from(&h[i], &r, i == 2 ? "10.0.0.3" : "10.0.0.4"));
    CHECK(hand_listen(&h[2], &token));
    int fd[3];
    for (int i = 0; i < 3; i++) {
        static const char line[] = "PROXY TCP4 10.0.0.5 10.0.0.6 1 2\r\n";
        fd[i] = lab_dial(r.port);
        CHECK(lab_put(fd[i], line, strlen(line)));
        CHECK(i == 2 ? lab_at_end(fd[i]) : is_greeted(fd[i]));
    }
    CHECK(lab_linked(h[0].fd, h[1].fd) && hand_call(&h[3], token) && hand_is_joined(&h[3], SVCONN_CLIENT));
    for (int i = 0; i < 3; i++) close(fd[i]);
    for (int i = 0; i < 4; i++) hand_close(&h[i]);
    relay_stop(&r);
}

/* A second pair is one too many; its listener goes on waiting, and is served when the first pair has ended. */
static void joined(const char *options, const char *from_a, const char *from_b) {
    static hand a, b, c, d;
    lab_relay r;
    uint64_t token;
    int ok = 0;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    CHECK(hand_pair_from(&a, &b, &r, from_a, from_a));
    CHECK(hand_open_from(&c, &r, from_b) && hand_listen(&c, &token));
    CHECK(hand_open_from(&d, &r, from_b) && hand_call(&d, token) && hand_is_refused(&d, RELAY_NO_ROOM));
    CHECK(lab_linked(a.fd, b.fd));
    hand_close(&d);
    hand_close(&a);
    hand_close(&b);
    for (uint64_t end = svconn_now() + PATIENCE; !ok && svconn_now() < end; (void)poll(NULL, 0, 50)) {
        uint8_t msg[HAND_BUFFER];
        CHECK(hand_open_from(&d, &r, from_b) && hand_call(&d, token) && hand_hear(&d, msg) == 2);
        ok = msg[0] == RELAY_JOINED;
        if (!ok) hand_close(&d);
    }
    CHECK(ok && hand_is_joined(&c, SVCONN_SERVER) && lab_linked(c.fd, d.fd));
    hand_close(&c);
    hand_close(&d);
    relay_stop(&r);
}
static void joined_in_all(void) { joined("--joined 1 --proxy-protocol", "10.0.0.1", "10.0.0.2"); }
static void source_joined(void) { joined("--source-joined 2", NULL, NULL); }

static void source_joined_is_by_source(void) {
    static hand a, b, c, d;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--source-joined 2 --proxy-protocol"));
    CHECK(hand_pair_from(&a, &b, &r, "10.0.0.1", "10.0.0.1") && hand_pair_from(&c, &d, &r, "10.0.0.2", "10.0.0.2"));
    CHECK(lab_linked(a.fd, b.fd) && lab_linked(c.fd, d.fd));
    hand_close(&a);
    hand_close(&b);
    hand_close(&c);
    hand_close(&d);
    relay_stop(&r);
}

/* Both of a pair count: a limit of three leaves no room for a second one. */
static void source_joined_odd(void) {
    static hand a, b, c, d;
    lab_relay r;
    uint64_t token;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--source-joined 3") && hand_pair(&a, &b, &r));
    CHECK(hand_open(&c, &r) && hand_listen(&c, &token) && hand_open(&d, &r) && hand_call(&d, token));
    CHECK(hand_is_refused(&d, RELAY_NO_ROOM));
    hand_close(&a);
    hand_close(&b);
    hand_close(&c);
    hand_close(&d);
    relay_stop(&r);
}

/* With poll, what is there and not taken would wake the relay again and again. */
static void half_lines(void) {
    char path[100], options[200];
    lab_relay r;
    if (!lab_has_program()) return;
    snprintf(path, sizeof path, "%s/counters", directory);
    for (int i = 0; i < (lab_other() ? 1 : 2); i++) {
        if (i) snprintf(options, sizeof options, "--poll --proxy-protocol --metrics unix:%s", path);
        CHECK(relay_start(&r, i ? options : "--poll --proxy-protocol" METRICS));
        int proxy = lab_dial(r.port), http_reader = dial_counters(&r);
        CHECK(lab_put(proxy, "PROXY TCP4", 10) && lab_put(http_reader, "GET /", 5));
        (void)poll(NULL, 0, 50);
        long before = relay_ticks(&r);
        (void)poll(NULL, 0, 500);
        CHECK(relay_ticks(&r) - before < sysconf(_SC_CLK_TCK) / 10);
        close(proxy);
        close(http_reader);
        relay_stop(&r);
    }
}

/* Parties end a session that was silent for a minute. Takes 20 seconds, so only in make check-slow. */
static void keep_alives(void) {
    static hand h;
    lab_relay r;
    uint64_t token;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--hello 600") && hand_open(&h, &r) && hand_listen(&h, &token));
    struct pollfd p = {.fd = h.fd, .events = POLLIN};
    CHECK(poll(&p, 1, 40000) == 1);
    hand_close(&h);
    relay_stop(&r);
}

/* ---- the end ------------------------------------------------------------------------------------ */

static void sigterm(const char *options) {
    static hand a, b, calls;
    lab_relay r;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener waits, machine;
    svconn_link l;
    svconn_why why;
    uint8_t name[32];
    char address[300];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    CHECK(relay_start(&r, options));
    key_address(address, r.address, &owner);
    CHECK(svconn_relay_name(name, r.key, lab_public(&owner)) == 0);
    CHECK(hand_pair(&a, &b, &r) && listens(&waits, r.address, NULL) && listens(&machine, address, &o));
    CHECK(hand_open(&calls, &r) && hand_say(&calls, RELAY_CALL_NAME, name, 32));
    int hello = lab_dial(r.port);
    CHECK(is_greeted(hello));
    (void)poll(NULL, 0, 50);
    kill(r.pid, SIGTERM);
    CHECK(accept_fails(&waits, SVCONN_FAULT_RELAY_REFUSED, "being shut down"));
    CHECK(hand_is_refused(&calls, RELAY_NO_LONGER));
    (void)!svconn_listener_accept(&machine, &l, 0, NULL); /* the ring that it had before, whom nobody waits for */
    CHECK(machine.fd == -1 || accept_fails(&machine, SVCONN_FAULT_RELAY_REFUSED, "being shut down"));
    CHECK(ends(hello));
    CHECK(svconn_link_open(&l, address, PATIENCE, &why) == -1 && strstr(why.text, "cannot connect"));
    CHECK(relay_said(&r, "ending: 1 pair may go on") && lab_linked(a.fd, b.fd));
    hand_close(&calls);
    close(hello);
    hand_close(&a);
    CHECK(lab_at_end(b.fd));
    hand_close(&b);
    CHECK(relay_wait(&r) == 0);
}
static void sigterm_epoll(void) { sigterm(""); }
static void sigterm_poll(void) { sigterm("--poll"); }

static void second_signal(void) {
    static hand a, b;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "") && hand_pair(&a, &b, &r));
    kill(r.pid, SIGINT);
    CHECK(relay_said(&r, "ending: 1 pair") && lab_linked(a.fd, b.fd));
    kill(r.pid, SIGINT);
    CHECK(relay_wait(&r) == 0 && lab_at_end(a.fd) && lab_at_end(b.fd));
    hand_close(&a);
    hand_close(&b);
    CHECK(relay_start(&r, "--drain 1") && hand_pair(&a, &b, &r));
    kill(r.pid, SIGTERM); /* and no second one */
    CHECK(relay_wait(&r) == 0 && lab_at_end(a.fd) && lab_at_end(b.fd));
    hand_close(&a);
    hand_close(&b);
}

static void once(void) {
    static hand a, b;
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--once") && hand_pair(&a, &b, &r) && lab_linked(a.fd, b.fd));
    hand_close(&a);
    hand_close(&b);
    CHECK(relay_wait(&r) == 0);
}

/* ---- the log ------------------------------------------------------------------------------------ */

/* A string without escapes, as all of ours are; behind it, or NULL. */
static const char *json_string(const char *p) {
    if (*p++ != '"') return NULL;
    while (*p && *p != '"' && *p != '\\' && (unsigned char)*p >= ' ') p++;
    return *p == '"' ? p + 1 : NULL;
}

/* {"name":"text","name":number} */
static int is_json(const char *p) {
    if (*p != '{') return 0;
    do {
        p = json_string(p + 1);
        if (!p || *p++ != ':') return 0;
        if (*p == '"') p = json_string(p);
        else if (*p >= '0' && *p <= '9') p += strspn(p, "0123456789");
        else return 0;
    } while (p && *p == ',');
    return p && strcmp(p, "}\n") == 0;
}

/* As text, or as hexadecimal digits. */
static int has_secret(const char *text, const void *secret, size_t len) {
    char hex[2 * 64 + 1], raw[100] = "";
    lab_hex(hex, secret, len);
    memcpy(raw, secret, len);
    return strstr(text, hex) != NULL || strstr(text, raw) != NULL;
}

static void read_log(const char *path, char *text, size_t size) {
    FILE *f = fopen(path, "r");
    char line[1000];
    size_t at = 0, lines = 0;
    CHECK(f != NULL);
    while (f && fgets(line, sizeof line, f)) {
        lines++;
        if (!is_json(line)) printf("  no JSON: %s", line);
        CHECK(is_json(line) && strncmp(line, "{\"time\":\"20", 11) == 0 && strstr(line, "Z\",\"event\":\""));
        at += (size_t)snprintf(text + at, size - at, "%s", line);
    }
    CHECK(lines > 8);
    if (f) fclose(f);
}

static void log_file(void) {
    static const char *const events[] = {"started",   "joined",   "ended",      "wrong-token", "withdrawn",
                                         "not-owner", "draining", "registered", "failed",      "stopped"};
    static char text[20000];
    static hand a, b, c;
    lab_relay r;
    svconn_identity owner;
    svconn_link_options o = {.owner = &owner};
    svconn_listener machine;
    uint8_t name[32], zero[32] = {0};
    uint64_t token;
    char path[100], options[200], address[300], shown[RELAY_TOKEN_LEN + 1];
    if (!lab_has_program()) return;
    lab_identity(&owner, 1);
    snprintf(path, sizeof path, "%s/log", directory);
    snprintf(options, sizeof options, "--log %s", path);
    CHECK(relay_start(&r, options));
    CHECK(hand_pair(&a, &b, &r) && lab_linked(a.fd, b.fd));
    key_address(address, r.address, &owner);
    CHECK(listens(&machine, address, &o) && svconn_relay_name(name, r.key, lab_public(&owner)) == 0);
    CHECK(hand_open(&c, &r) && hand_say(&c, RELAY_REGISTER, name, 32) && hand_hears(&c, RELAY_CHALLENGE, 32, NULL));
    CHECK(hand_say(&c, RELAY_PROOF, zero, 32) && hand_is_refused(&c, RELAY_NO_OWNER));
    hand_close(&c);
    hand_close(&a);
    CHECK(lab_at_end(b.fd));
    hand_close(&b);
    CHECK(hand_open(&a, &r) && hand_listen(&a, &token));
    for (uint64_t i = 1; i <= 5; i++) {
        CHECK(hand_open(&c, &r) && hand_call(&c, token ^ i) && hand_is_refused(&c, RELAY_NO_TOKEN));
        hand_close(&c);
    }
    CHECK(hand_is_refused(&a, RELAY_NO_WITHDRAWN));
    int fd = lab_dial(r.port);
    memset(text, 'x', sizeof text);
    CHECK(is_greeted(fd) && lab_put(fd, text, 300) && ends(fd));
    close(fd);
    relay_stop(&r);
    read_log(path, text, sizeof text);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        char event[60];
        snprintf(event, sizeof event, "\"event\":\"%s\"", events[i]);
        if (!strstr(text, event)) printf("  no event %s\n", events[i]);
        CHECK(strstr(text, event) != NULL);
    }
    svconn_token_write(shown, token);
    CHECK(!has_secret(text, shown, RELAY_TOKEN_LEN) && !has_secret(text, name, 32));
    shown[4] = 0;
    CHECK(!has_secret(text, shown, 4)); /* not even half a token */
    CHECK(!has_secret(text, lab_public(&owner), 32) && !has_secret(text, r.key, 32));
    CHECK(!has_secret(text, lab_public(&a.me), 32));
    hand_close(&a);
    svconn_listener_close(&machine);
    unlink(path);
}

/* ---- the PROXY protocol ------------------------------------------------------------------------- */

/* line, in pieces: it is let in. */
static int proxy_greets(const lab_relay *r, const char *line, size_t piece) {
    int fd = lab_dial(r->port);
    for (size_t at = 0, len = strlen(line); at < len; at += piece) {
        if (at) (void)poll(NULL, 0, 10);
        (void)lab_put(fd, line + at, piece < len - at ? piece : len - at);
    }
    int ok = is_greeted(fd);
    close(fd);
    return ok;
}

static int proxy_refuses(const lab_relay *r, const char *line) {
    int fd = lab_dial(r->port);
    int ok = lab_put(fd, line, strlen(line)) && lab_at_end(fd);
    close(fd);
    return ok;
}

static void proxy_lines(const char *options) {
    static hand a, b;
    lab_relay r;
    char line[300];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, options));
    CHECK(proxy_greets(&r, "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", 100));
    CHECK(proxy_greets(&r, "PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n", 100));
    CHECK(proxy_greets(&r, "PROXY TCP6 ffff:f...f:ffff 1 2 3\r\n", 100) == 0);
    CHECK(proxy_greets(&r, "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", 9));
    CHECK(proxy_greets(&r, "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", 1));
    snprintf(line, sizeof line, "PROXY TCP6 %s %s 65535 65535\r\n", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"); /* the longest that it may be */
    CHECK(strlen(line) == 104 && proxy_greets(&r, line, 100));
    CHECK(hand_pair_from(&a, &b, &r, "192.0.2.1", "192.0.2.2") && lab_linked(a.fd, b.fd)); /* to the end */
    hand_close(&a);
    hand_close(&b);
    relay_stop(&r);
}
static void proxy_lines_epoll(void) { proxy_lines("--proxy-protocol"); }
static void proxy_lines_poll(void) { proxy_lines("--proxy-protocol --poll"); }

static void bad_proxy_lines(void) {
    static const char *const bad[] = {
        "\r\n",
        "GET / HTTP/1.1\r\n",
        "PROXY\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 \r\n",
        "PROXY TCP4 1.2.3\r\n",
        "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n",
        "PROXY TCP6 :::: :: 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.5 1 2\r\n",
        "proxy tcp4 1.2.3.4 1.2.3.5 1 2\r\n",
        "PROXY TCP4444444 1.2.3.4 1.2.3.5 1 2\r\n",
    };
    lab_relay r;
    char line[300];
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--hello 1 --proxy-protocol" METRICS));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(proxy_refuses(&r, bad[i]));
    snprintf(line, sizeof line, "PROXY TCP4 1.2.3.4 1.2.3.5 1 2%0150d\r\n", 0);
    CHECK(proxy_refuses(&r, line));
    CHECK(proxy_refuses(&r, "PROXY TCP4 1.2.3.4 1.2.3.5 1 2")); /* and nothing more: --hello */
    CHECK(proxy_refuses(&r, ""));
    CHECK(counts(&r, "connections", 1));
    relay_stop(&r);
}

/* Limits count for the address in the line; of IPv6 its first 64 bits. */
static void proxy_sources(void) {
    static const struct {
        const char *line;
        int is_in;
    } lines[] = {{"PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n", 1},      {"PROXY TCP4 192.0.2.1 192.0.2.9 3 2\r\n", 0},
                 {"PROXY TCP4 192.0.2.2 192.0.2.9 1 2\r\n", 1},      {"PROXY TCP6 2001:db8:0:1::1 ::1 1 2\r\n", 1},
                 {"PROXY TCP6 2001:db8:0:1:ffff::1 ::1 1 2\r\n", 0}, {"PROXY TCP6 2001:db8:0:2::1 ::1 1 2\r\n", 1},
                 {"PROXY TCP6 ::ffff:192.0.2.2 ::1 1 2\r\n", 0},     {"PROXY TCP6 ::ffff:192.0.2.3 ::1 1 2\r\n", 1}};
    enum { N = sizeof lines / sizeof lines[0] };
    int fd[N];
    lab_relay r;
    if (!lab_has_program()) return;
    CHECK(relay_start(&r, "--source-open 1 --proxy-protocol"));
    for (int i = 0; i < N; i++) {
        fd[i] = lab_dial(r.port);
        CHECK(lab_put(fd[i], lines[i].line, strlen(lines[i].line)));
        CHECK(lines[i].is_in ? is_greeted(fd[i]) : lab_at_end(fd[i]));
    }
    for (int i = 0; i < N; i++) close(fd[i]);
    relay_stop(&r);
}

int main(int argc, char **argv) {
    (void)argc;
    lab_begin(argv[0]);
    if (!mkdtemp(directory)) return EXIT_FAILURE;
    TEST("counters_change_as_they_should_tcp", counters_tcp);
    TEST("counters_change_as_they_should_unix_poll", counters_unix);
    TEST("counters_are_for_this_machine_only", counters_are_local);
    TEST("counters_and_hostile_readers", counters_hostile_readers);
    TEST("party_that_talks_while_it_waits_is_cut", talks_while_it_waits_epoll);
    TEST("party_that_talks_while_it_waits_is_cut_poll", talks_while_it_waits_poll);
    TEST("party_that_sends_garbage_is_cut", garbage);
    TEST("party_that_is_slow_does_not_outlast_hello", slow_loris);
    TEST("limit_new_connections_of_a_source", source_new);
    TEST("limit_open_connections_of_a_source", source_open);
    TEST("limit_open_connections_in_all", open_in_all);
    TEST("limit_joined_connections_of_a_source", source_joined);
    TEST("limit_joined_connections_are_counted_by_source", source_joined_is_by_source);
    TEST("limit_joined_connections_both_of_a_pair_count", source_joined_odd);
    TEST("limit_pairs_in_all", joined_in_all);
    TEST("poll_half_a_line_does_not_keep_the_relay_busy", half_lines);
    TEST("end_those_who_wait_are_told_and_pairs_go_on", sigterm_epoll);
    TEST("end_those_who_wait_are_told_and_pairs_go_on_poll", sigterm_poll);
    TEST("end_at_the_second_signal_or_after_drain", second_signal);
    TEST("end_after_one_pair_with_once", once);
    TEST("log_is_json_without_secrets", log_file);
    TEST("proxy_protocol_good_lines", proxy_lines_epoll);
    TEST("proxy_protocol_good_lines_poll", proxy_lines_poll);
    TEST("proxy_protocol_bad_lines", bad_proxy_lines);
    TEST("proxy_protocol_limits_count_for_the_source_in_the_line", proxy_sources);
    if (getenv("SVCONN_SLOW")) TEST("wait_keep_alives_come_however_long_hello_is", keep_alives);
    rmdir(directory);
    return TEST_EXIT();
}
