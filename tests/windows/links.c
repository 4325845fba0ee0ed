/* SPDX-License-Identifier: ISC */
/* Links on Windows: svconn_transport.h by Winsock, both ends in this process. Runs on POSIX systems too. */
#include "svconn_posix.h" /* first */
#include "svconn_transport.h"
#include "test.h"

/* Two sockets of the program; strangers may be faster than it is */
static int strangers;
static svconn_link theirs[8];
static int open_behind_strangers(svconn_link *l, const char *address, int timeout_ms, svconn_why *why) {
    for (int i = 0; i < strangers; i++) CHECK(svconn_link_open(&theirs[i], address, timeout_ms, why) == 0);
    return svconn_link_open(l, address, timeout_ms, why);
}
#define svconn_link_open open_behind_strangers
#include "../../cmd/windows/loopback.c"
#undef svconn_link_open

enum { LONGEST = 16384 };

typedef struct {
    svconn s;
    svconn_link l;
    svconn_config config;
    svconn_identity id;
    uint8_t rx[SVCONN_BUFFER_SIZE(LONGEST)], tx[SVCONN_BUFFER_SIZE(LONGEST)];
} end;

static end server, client;
static svconn_why why;

static void begin(end *e, svconn_role role, uint32_t handshake_ms) {
    static const svconn_link none = SVCONN_LINK_NONE;
    uint8_t seed[32];
    memset(e, 0, sizeof *e);
    e->l = none;
    memset(seed, role == SVCONN_SERVER ? 1 : 2, sizeof seed);
    svconn_identity_ed25519(&e->id, seed);
    e->config.role = role;
    e->config.identity = &e->id;
    e->config.handshake_ms = handshake_ms;
    CHECK(svconn_random(seed, sizeof seed) == 0);
    CHECK(svconn_init(&e->s, &e->config, seed, e->rx, sizeof e->rx, e->tx, sizeof e->tx) == SVCONN_OK);
}

static void finish(end *e) {
    svconn_wipe(&e->s);
    svconn_link_close(&e->l);
}

/* Two ends of one connection; its other side as listen has it. 1 if it is there. */
static int join(const char *address) {
    svconn_listener n;
    begin(&server, SVCONN_SERVER, 0);
    begin(&client, SVCONN_CLIENT, 0);
    why.text[0] = 0;
    if (svconn_listen(&n, address, &why) != 0) return 0;
    int ok = svconn_link_open(&client.l, n.address, 2000, &why) == 0 && svconn_listener_accept(&n, &server.l, 2000, &why) == 0;
    svconn_listener_close(&n);
    if (!ok) printf("  %s\n", why.text);
    return ok;
}

/* One turn of a poll loop with both */
static void turn(void) {
    struct pollfd fds[4];
    int wait[2];
    nfds_t n = svconn_pump_want(&server.s, &server.l, fds, &wait[0]), m = svconn_pump_want(&client.s, &client.l, fds + n, &wait[1]);
    int shorter = wait[0] >= 0 && (wait[1] < 0 || wait[0] < wait[1]) ? wait[0] : wait[1];
    CHECK(svconn_poll(fds, n + m, shorter < 0 || shorter > 100 ? 100 : shorter) >= 0);
    (void)!svconn_pump_ready(&server.s, &server.l, fds, n);
    (void)!svconn_pump_ready(&client.s, &client.l, fds + n, m);
}

static int connect_both(void) {
    for (uint64_t until = svconn_now() + 5000; svconn_now() < until;) {
        turn();
        if (svconn_status(&server.s) == SVCONN_NEEDS_VERDICT) CHECK(svconn_accept(&server.s) == SVCONN_OK);
        if (svconn_status(&client.s) == SVCONN_NEEDS_VERDICT) CHECK(svconn_accept(&client.s) == SVCONN_OK);
        if (svconn_status(&server.s) == SVCONN_CONNECTED && svconn_status(&client.s) == SVCONN_CONNECTED) return 1;
    }
    return 0;
}

/* ---- the system ---------------------------------------------------------------------------------- */

static void randomness(void) {
    uint8_t a[1000] = {0}, b[1000] = {0}, zeros[32] = {0};
    CHECK(svconn_random(a, sizeof a) == 0 && svconn_random(b, sizeof b) == 0);
    CHECK(memcmp(a, b, 32) != 0 && memcmp(a + 968, b + 968, 32) != 0);
    CHECK(memcmp(a, zeros, 32) != 0 && memcmp(a + 968, zeros, 32) != 0);
    CHECK(svconn_random(a, 0) == 0);
}

static void time_goes_on(void) {
    uint64_t before = svconn_now();
    CHECK(before > 0);
    CHECK(svconn_poll(NULL, 0, 100) == 0);
    uint64_t took = svconn_now() - before;
    CHECK(took >= 80 && took < 5000);
}

/* As poll(2): a negative descriptor is passed over, beside others and alone */
static void nothing_is_passed_over(void) {
    svconn_listener n;
    struct pollfd fds[40];
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", &why) == 0);
    for (int i = 0; i < 40; i++) fds[i] = svconn_pollfd(i == 38 ? n.fd : -1, POLLIN);
    for (nfds_t count = 1; count <= 40; count += 39) {
        uint64_t before = svconn_now();
        CHECK(svconn_poll(fds, count, 100) == 0);
        CHECK(svconn_now() - before >= 80 && fds[0].revents == 0);
    }
    svconn_link l;
    CHECK(svconn_link_open(&l, n.address, 2000, &why) == 0);
    CHECK(svconn_poll(fds, 40, 2000) == 1 && (fds[38].revents & POLLIN) && fds[37].revents == 0);
    svconn_link_close(&l);
    svconn_listener_close(&n);
}

/* ---- connecting ---------------------------------------------------------------------------------- */

static void says(const char *address, svconn_fault fault, const char *words) {
    svconn_link l;
    uint64_t before = svconn_now();
    memset(&why, 0, sizeof why);
    CHECK(svconn_link_open(&l, address, 5000, &why) == -1);
    CHECK(why.fault == fault);
    CHECK(strstr(why.text, words) != NULL);
    if (!strstr(why.text, words)) printf("  it said: %s\n", why.text);
    CHECK(svconn_now() - before < 4500);
    CHECK(l.in == -1 && l.out == -1);
}

static void failures_are_named(void) {
    svconn_listener n;
    char address[sizeof n.address];
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", &why) == 0);
    memcpy(address, n.address, sizeof address);
    svconn_listener_close(&n);
    says(address, SVCONN_FAULT_UNREACHABLE, "refused (nobody listens there)");
    says("tcp://no-such-host.invalid:7001", SVCONN_FAULT_UNREACHABLE, "cannot find the host");
    says("tcp://127.0.0.1:0", SVCONN_FAULT_LOCAL, "a port other than 0");
    says("telnet://127.0.0.1:1", SVCONN_FAULT_LOCAL, "unknown kind");
#ifdef _WIN32
    says("unix:x", SVCONN_FAULT_LOCAL, "not on Windows");
    says("exec:cmd", SVCONN_FAULT_LOCAL, "not on Windows");
    says("stdio:", SVCONN_FAULT_LOCAL, "not on Windows");
    says("serial:COM1", SVCONN_FAULT_LOCAL, "not on Windows");
    says("dir:x", SVCONN_FAULT_LOCAL, "not on Windows");
    says("rfcomm://01:23:45:67:89:AB/3", SVCONN_FAULT_LOCAL, "not on Windows");
#endif
}

static void one_listener_has_the_port(void) {
    svconn_listener n, m;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", &why) == 0);
    CHECK(svconn_listen(&m, n.address, &why) == -1);
    CHECK(strstr(why.text, "somebody listens there already") != NULL);
    svconn_listener_close(&n);
}

static void accept_ends_in_time(void) {
    svconn_listener n;
    svconn_link l;
    uint64_t before = svconn_now();
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", &why) == 0);
    CHECK(svconn_listener_accept(&n, &l, 200, &why) == -1);
    CHECK(strstr(why.text, "in time") != NULL && svconn_now() - before >= 150 && svconn_now() - before < 4000);
    svconn_listener_close(&n);
}

static void a_peer_has_a_name(void) {
    char name[100];
    CHECK(join("tcp://127.0.0.1:0"));
    svconn_link_peer(&client.l, name, sizeof name);
    CHECK(strncmp(name, "127.0.0.1:", 10) == 0);
    finish(&client);
    finish(&server);
}

static void ipv6(void) {
    if (join("tcp://[::1]:0")) CHECK(connect_both());
    else test_skip = "no IPv6 here";
    finish(&client);
    finish(&server);
}

/* A listener without a host takes both */
static void every_address(void) {
    svconn_listener n;
    svconn_link a, b;
    char address[40];
    CHECK(svconn_listen(&n, "tcp://:0", &why) == 0);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%s", strrchr(n.address, ':') + 1);
    CHECK(svconn_link_open(&a, address, 2000, &why) == 0);
    CHECK(svconn_listener_accept(&n, &b, 2000, &why) == 0);
    svconn_link_close(&a);
    svconn_link_close(&b);
    svconn_listener_close(&n);
}

/* ---- sessions ------------------------------------------------------------------------------------ */

/* 10 MB each way at once, in order, and both close */
static void much_both_ways(void) {
    static uint8_t msg[LONGEST];
    const unsigned all = 640;
    unsigned sent[2] = {0, 0}, got[2] = {0, 0}, ended = 0;
    end *e[2] = {&server, &client};
    CHECK(join("tcp://localhost:0"));
    CHECK(connect_both());
    for (uint64_t until = svconn_now() + 60000; svconn_now() < until && ended != 3;) {
        turn();
        for (int i = 0; i < 2; i++) {
            const uint8_t *m;
            size_t len;
            svconn_err err;
            memset(msg, (int)(sent[i] % 251), sizeof msg);
            while (sent[i] < all && svconn_send(&e[i]->s, msg, sizeof msg, svconn_now()) == SVCONN_OK) memset(msg, (int)(++sent[i] % 251), sizeof msg);
            if (sent[i] == all && svconn_close(&e[i]->s, svconn_now()) == SVCONN_OK) sent[i]++;
            while ((err = svconn_recv(&e[i]->s, &m, &len)) == SVCONN_OK) {
                CHECK(len == LONGEST && m[0] == got[i] % 251 && m[LONGEST - 1] == got[i] % 251);
                got[i]++;
                CHECK(svconn_recv_done(&e[i]->s) == SVCONN_OK);
            }
            if (err == SVCONN_END) ended |= 1u << i;
        }
    }
    CHECK(got[0] == all && got[1] == all && ended == 3);
    CHECK(svconn_status(&server.s) == SVCONN_CLOSED && svconn_status(&client.s) == SVCONN_CLOSED);
    finish(&client);
    finish(&server);
}

/* The error packet arrives, although bytes wait unread at its sender */
static void a_refusal_is_heard(void) {
    CHECK(join("tcp://127.0.0.1:0"));
    for (uint64_t until = svconn_now() + 5000; svconn_now() < until && !(svconn_error(&server.s) && svconn_error(&client.s));) {
        turn();
        if (svconn_status(&client.s) == SVCONN_NEEDS_VERDICT) CHECK(svconn_accept(&client.s) == SVCONN_OK);
        if (svconn_status(&server.s) == SVCONN_NEEDS_VERDICT) CHECK(svconn_refuse(&server.s) == SVCONN_OK);
    }
    CHECK(svconn_error(&server.s) == SVCONN_E_REFUSED);
    CHECK(svconn_error(&client.s) == SVCONN_E_ABORTED);
    finish(&client);
    finish(&server);
}

static void a_lost_peer_is_noticed(void) {
    CHECK(join("tcp://127.0.0.1:0"));
    CHECK(connect_both());
    finish(&server);
    const uint8_t *m;
    size_t len;
    CHECK(svconn_pump_recv(&client.s, &client.l, &m, &len) == SVCONN_E_TRUNCATED);
    finish(&client);
}

static void a_silent_server_is_left(void) {
    svconn_listener n;
    begin(&client, SVCONN_CLIENT, 300);
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", &why) == 0);
    CHECK(svconn_link_open(&client.l, n.address, 2000, &why) == 0);
    uint64_t before = svconn_now();
    CHECK(svconn_pump_handshake(&client.s, &client.l, NULL, NULL) == SVCONN_E_TIMEOUT);
    CHECK(svconn_now() - before >= 250 && svconn_now() - before < 4000);
    (void)!svconn_pump_close(&client.s, &client.l);
    finish(&client);
    svconn_listener_close(&n);
}

static void strangers_are_passed_over(void) {
    for (strangers = 0; strangers <= 8; strangers += 4) {
        int pair[2];
        char got[6] = "";
        CHECK(loopback(pair) == 0);
        CHECK(svconn_fd_write(pair[0], "hello", 5) == 5);
        CHECK(svconn_wait(pair[1], POLLIN, svconn_now() + 2000) == 0);
        CHECK(svconn_fd_read(pair[1], got, 5) == 5 && strcmp(got, "hello") == 0);
        svconn_fd_close(pair[0]);
        svconn_fd_close(pair[1]);
        for (int i = 0; i < strangers; i++) svconn_link_close(&theirs[i]);
    }
    strangers = 0;
}

/* Who has ended and reads nothing is nothing to write to: a wait for that ends in time, and goes on when he reads */
static void an_end_is_no_room(void) {
    static char bytes[65536];
    int pair[2];
    CHECK(loopback(pair) == 0);
    svconn_fd_end(pair[1]);
    while (svconn_fd_write(pair[0], bytes, sizeof bytes) > 0 || svconn_wait(pair[0], POLLOUT, svconn_now() + 200) == 0) continue;
    uint64_t before = svconn_now();
    struct pollfd p = svconn_pollfd(pair[0], POLLOUT);
    CHECK(svconn_poll(&p, 1, 0) == 0 && p.revents == 0);
    CHECK(svconn_poll(&p, 1, 1500) == 0 && p.revents == 0);
    CHECK(svconn_wait(pair[0], POLLOUT, svconn_now() + 500) == -1 && errno == ETIMEDOUT);
    CHECK(svconn_now() - before >= 1900);
    while (svconn_fd_read(pair[1], bytes, sizeof bytes) > 0) continue;
    CHECK(svconn_wait(pair[0], POLLOUT, svconn_now() + 2000) == 0);
    svconn_fd_close(pair[0]);
    svconn_fd_close(pair[1]);
}

int main(void) {
    TEST("windows: two sockets of ours, whoever is faster", strangers_are_passed_over);
    TEST("windows: the system's randomness", randomness);
    TEST("windows: time goes on, and waiting for nothing waits", time_goes_on);
    TEST("windows: no descriptor is passed over", nothing_is_passed_over);
    TEST("windows: what cannot be opened is named", failures_are_named);
    TEST("windows: one listener has the port", one_listener_has_the_port);
    TEST("windows: accept ends in time", accept_ends_in_time);
    TEST("windows: a peer has a name", a_peer_has_a_name);
    TEST("windows: IPv6", ipv6);
    TEST("windows: a listener on every address", every_address);
    TEST("windows: much both ways at once", much_both_ways);
    TEST("windows: a refusal is heard", a_refusal_is_heard);
    TEST("windows: a lost peer is noticed", a_lost_peer_is_noticed);
    TEST("windows: a silent server is left", a_silent_server_is_left);
    TEST("windows: an end is no room to write", an_end_is_no_room);
    return TEST_EXIT();
}
