/* SPDX-License-Identifier: ISC */
/*
 * Sessions over links: the pump in its blocking and its poll form, over socket pairs, pipes and TCP. The SERVER is a
 * child process, the CLIENT is the test; the child's exit code is the number of its failed checks.
 */
#include "svconn_transport.h"
#include "test.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 20000 /* ms; far more than anything here takes */
#define BUFFER SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)

static uint8_t rx[BUFFER], tx[BUFFER], data[SVCONN_MESSAGE_MAX];
static svconn_identity me;
static svconn_config config;
static svconn session;
static svconn_link here;

/* ---- vocabulary --------------------------------------------------------------------------------- */

typedef enum { SOCKETPAIR, PIPES, TCP, KINDS } kind;
static kind over; /* what the links of this run of a test are */

static void open_fds(svconn_link *l, int in, int out) {
    char address[50];
    snprintf(address, sizeof address, "fd:%d,%d", in, out);
    CHECK(svconn_link_open(l, address, 0, NULL) == 0);
}

static void make_links(svconn_link *a, svconn_link *b) {
    int p[2], q[2];
    svconn_listener n;
    switch (over) {
    case SOCKETPAIR:
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
        open_fds(a, p[0], p[0]);
        open_fds(b, p[1], p[1]);
        return;
    case PIPES:
        CHECK(pipe(p) == 0 && pipe(q) == 0);
        open_fds(a, p[0], q[1]);
        open_fds(b, q[0], p[1]);
        return;
    default:
        CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
        CHECK(svconn_link_open(a, n.address, PATIENCE, NULL) == 0);
        CHECK(svconn_listener_accept(&n, b, PATIENCE, NULL) == 0);
        svconn_listener_close(&n);
    }
}

/* A psk session: config may have been changed before. */
static void make_session(svconn_role role) {
    static const uint8_t psk[32] = {1, 2, 3};
    uint8_t seed[32];
    const char *name = role == SVCONN_CLIENT ? "client" : "server";
    CHECK(svconn_identity_psk(&me, psk, (const uint8_t *)name, 6) == SVCONN_OK);
    config.role = role;
    config.identity = &me;
    CHECK(svconn_random(seed, 32) == 0);
    CHECK(svconn_init(&session, &config, seed, rx, sizeof rx, tx, sizeof tx) == SVCONN_OK);
}

static void drop_end(svconn_link *l) {
    if (l->in >= 0) close(l->in);
    if (l->out != l->in) close(l->out);
    *l = (svconn_link)SVCONN_LINK_NONE;
}

/* Runs server in a child on one end of a new link; here is the other end. */
static pid_t start(void (*server)(void)) {
    svconn_link there;
    make_links(&here, &there);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        drop_end(&here);
        here = there;
        alarm(100);
        make_session(SVCONN_SERVER);
        server();
        svconn_link_close(&here);
        svconn_wipe(&session);
        fflush(stdout);
        _exit(test_bad < 100 ? test_bad : 100);
    }
    drop_end(&there);
    make_session(SVCONN_CLIENT);
    return pid;
}

static void end(pid_t pid) {
    int status = 0;
    svconn_link_close(&here);
    svconn_wipe(&session);
    memset(&config, 0, sizeof config);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}

static int is(svconn_err got, svconn_err want) {
    if (got == want) return 1;
    printf("  got %s, want %s\n", svconn_reason_name(got), svconn_reason_name(want));
    return 0;
}

static void welcome(svconn *s, void *arg) {
    int *asked = arg;
    if (asked) ++*asked;
    CHECK(svconn_status(s) == SVCONN_NEEDS_VERDICT);
    CHECK(is(svconn_accept(s), SVCONN_OK));
}

static svconn_err shake(void) { return svconn_pump_handshake(&session, &here, welcome, NULL); }
static svconn_err put(size_t len) { return svconn_pump_send(&session, &here, data, len); }
static svconn_err get(const uint8_t **msg, size_t *len) { return svconn_pump_recv(&session, &here, msg, len); }
static svconn_err finish(void) { return svconn_pump_close(&session, &here); }

/* Until the failure. */
static svconn_err get_all(void) {
    const uint8_t *msg;
    size_t len;
    svconn_err err;
    while ((err = get(&msg, &len)) == SVCONN_OK) {
    }
    return err;
}

static void nap(int ms) { (void)poll(NULL, 0, ms); }

/* Until there is something to read, or the end. */
static void await_bytes(void) { CHECK(poll(&(struct pollfd){.fd = here.in, .events = POLLIN}, 1, PATIENCE) == 1); }

/* Until a child has ended; somebody else waits for it. */
static void await_end(pid_t pid) {
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
}

/* Messages of these sizes; byte i of message k is k + i. */
static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 100, 255, 256, 1000, 4096, 16384, 65534, 65535, 3};
#define N_SIZES (sizeof sizes / sizeof sizes[0])

static void pattern(size_t k) {
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(k + i);
}

static void put_sizes(void) {
    for (size_t k = 0; k < N_SIZES; k++) {
        pattern(k);
        CHECK(is(put(sizes[k]), SVCONN_OK));
    }
}

static void get_sizes(void) {
    const uint8_t *msg;
    size_t len;
    for (size_t k = 0; k < N_SIZES; k++) {
        pattern(k);
        CHECK(is(get(&msg, &len), SVCONN_OK));
        CHECK(len == sizes[k] && (len == 0 || memcmp(msg, data, len) == 0));
    }
}

/* ---- messages ----------------------------------------------------------------------------------- */

static void messages_server(void) {
    CHECK(is(shake(), SVCONN_OK));
    get_sizes();
    put_sizes();
    const uint8_t *msg;
    size_t len;
    CHECK(is(get(&msg, &len), SVCONN_END) && is(get(&msg, &len), SVCONN_END));
    CHECK(is(finish(), SVCONN_OK) && svconn_status(&session) == SVCONN_CLOSED);
}

static void messages(void) {
    int asked = 0;
    pid_t pid = start(messages_server);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, &asked), SVCONN_OK) && asked == 1);
    CHECK(is(svconn_pump_handshake(&session, &here, NULL, NULL), SVCONN_OK)); /* once more: nothing to do */
    put_sizes();
    get_sizes();
    CHECK(is(put(SVCONN_MESSAGE_MAX + 1), SVCONN_E_SIZE) && is(svconn_error(&session), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK) && svconn_status(&session) == SVCONN_CLOSED);
    CHECK(is(put(1), SVCONN_E_STATE) && is(finish(), SVCONN_OK));
    end(pid);
}

/* The SERVER closes first, with messages of ours still on their way. */
static void close_server(void) {
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(put(10), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK));
}

static void close_from_server(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(close_server);
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 10);
    CHECK(is(get(&msg, &len), SVCONN_END));
    for (int i = 0; i < 10; i++) CHECK(is(put(60000), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK));
    end(pid);
}

/* Both at once, each with a message that the other one never fetches. */
static void close_at_once(void) {
    pid_t pid = start(close_server);
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(put(20), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK));
    end(pid);
}

/* The message that was lent is sent back as it lies, while more of them come in behind it. */
static void echo_server(void) {
    const uint8_t *msg;
    size_t len;
    svconn_err err;
    CHECK(is(shake(), SVCONN_OK));
    while ((err = get(&msg, &len)) == SVCONN_OK) CHECK(is(svconn_pump_send(&session, &here, msg, len), SVCONN_OK));
    CHECK(is(err, SVCONN_END) && is(finish(), SVCONN_OK));
}

static void echo(void) {
    pid_t pid = start(echo_server);
    CHECK(is(shake(), SVCONN_OK));
    for (size_t k = 0; k < N_SIZES; k++) { /* some at once, as many as surely fit on the way */
        const uint8_t *msg;
        size_t len, n = sizes[k] > 4096 ? 1 : 5;
        pattern(k);
        for (size_t i = 0; i < n; i++) CHECK(is(put(sizes[k]), SVCONN_OK));
        for (size_t i = 0; i < n; i++) {
            CHECK(is(get(&msg, &len), SVCONN_OK) && len == sizes[k]);
            CHECK(len == 0 || memcmp(msg, data, len) == 0);
        }
    }
    CHECK(is(finish(), SVCONN_OK));
    end(pid);
}

/* ---- early messages ----------------------------------------------------------------------------- */

static void early_server(void) {
    const uint8_t *msg;
    size_t len;
    CHECK(is(shake(), SVCONN_OK));
    for (size_t i = 0; i < 3; i++) CHECK(is(get(&msg, &len), SVCONN_OK) && len == 1000 + i);
    CHECK(is(put(7), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_END) && is(finish(), SVCONN_OK));
}

static void early(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(early_server);
    CHECK(is(svconn_pump_handshake_early(&session, &here, welcome, NULL), SVCONN_OK));
    CHECK(svconn_status(&session) == SVCONN_CONFIRMING);
    for (size_t i = 0; i < 3; i++) CHECK(is(put(1000 + i), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 7 && svconn_status(&session) == SVCONN_CONNECTED);
    CHECK(is(finish(), SVCONN_OK));
    end(pid);

    pid = start(close_server); /* closed before it was confirmed: that comes first */
    CHECK(is(svconn_pump_handshake_early(&session, &here, welcome, NULL), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK));
    end(pid);

    config.early = SVCONN_EARLY_NEVER;
    pid = start(early_server);
    config.early = SVCONN_EARLY_NEVER;
    CHECK(is(svconn_pump_handshake_early(&session, &here, welcome, NULL), SVCONN_OK));
    CHECK(svconn_status(&session) == SVCONN_CONNECTED);
    for (size_t i = 0; i < 3; i++) CHECK(is(put(1000 + i), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && is(finish(), SVCONN_OK));
    end(pid);
}

/* ---- questions ---------------------------------------------------------------------------------- */

static void refused_server(void) {
    CHECK(is(svconn_pump_handshake(&session, &here, NULL, NULL), SVCONN_E_REFUSED)); /* unanswered is refused */
    CHECK(is(finish(), SVCONN_E_REFUSED));
}

static void unanswered(void) {
    pid_t pid = start(refused_server);
    CHECK(is(shake(), SVCONN_E_ABORTED) && is(finish(), SVCONN_E_ABORTED));
    end(pid);
}

static void aborted_server(void) {
    CHECK(is(shake(), SVCONN_E_ABORTED));
    CHECK(is(finish(), SVCONN_E_ABORTED));
}

static void client_refuses(void) {
    pid_t pid = start(aborted_server);
    CHECK(is(svconn_pump_handshake(&session, &here, NULL, NULL), SVCONN_E_REFUSED));
    CHECK(is(finish(), SVCONN_E_REFUSED));
    end(pid);
}

static void client_leaves(void) {
    pid_t pid = start(aborted_server);
    CHECK(is(finish(), SVCONN_E_CANCELLED)); /* closing what is not connected */
    end(pid);
}

static void other_context(void) {
    pid_t pid = start(aborted_server);
    config.context = (const uint8_t *)"x";
    config.context_len = 1;
    CHECK(is(shake(), SVCONN_E_PROOF) && is(finish(), SVCONN_E_PROOF));
    end(pid);
}

/* Custom identities: the application is asked for its proofs, the CLIENT is asked twice for its verdict. */
static int proofs, verdicts, withhold;
static void custom_answer(svconn *s, void *arg) {
    (void)arg;
    if (svconn_status(s) == SVCONN_NEEDS_PROOF) {
        proofs++;
        if (!withhold) CHECK(is(svconn_prove(s, (const uint8_t *)"signed", 6), SVCONN_OK));
    } else {
        verdicts++;
        CHECK(is(svconn_accept(s), SVCONN_OK));
    }
}

static void make_custom(svconn_role role) {
    static const uint8_t id[2][2] = {{0x80, 'c'}, {0x80, 's'}};
    uint8_t seed[32];
    svconn_wipe(&session);
    CHECK(is(svconn_identity_custom(&me, id[role == SVCONN_SERVER], 2), SVCONN_OK));
    config.role = role;
    CHECK(svconn_random(seed, 32) == 0);
    CHECK(is(svconn_init(&session, &config, seed, rx, sizeof rx, tx, sizeof tx), SVCONN_OK));
}

static void custom_server(void) {
    const uint8_t *msg;
    size_t len;
    make_custom(SVCONN_SERVER);
    CHECK(is(svconn_pump_handshake(&session, &here, custom_answer, NULL), SVCONN_OK));
    CHECK(proofs == 2 && verdicts == 1);
    CHECK(is(put(5), SVCONN_OK) && is(get(&msg, &len), SVCONN_END) && is(finish(), SVCONN_OK));
}

static void custom(void) {
    const uint8_t *msg;
    size_t len;
    proofs = verdicts = 0;
    pid_t pid = start(custom_server);
    make_custom(SVCONN_CLIENT);
    CHECK(is(svconn_pump_handshake(&session, &here, custom_answer, NULL), SVCONN_OK));
    CHECK(proofs == 1 && verdicts == 2);
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 5 && is(finish(), SVCONN_OK));
    end(pid);

    proofs = verdicts = 0;
    pid = start(custom_server);
    config.early = SVCONN_EARLY_ALWAYS;
    make_custom(SVCONN_CLIENT);
    CHECK(is(svconn_pump_handshake_early(&session, &here, custom_answer, NULL), SVCONN_OK));
    CHECK(svconn_status(&session) == SVCONN_CONFIRMING && verdicts == 1);
    CHECK(is(get(&msg, &len), SVCONN_AGAIN) && svconn_status(&session) == SVCONN_NEEDS_VERDICT); /* about M3 */
    CHECK(is(svconn_accept(&session), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 5 && is(finish(), SVCONN_OK));
    end(pid);
}

static void custom_server_that_gets_nothing(void) {
    make_custom(SVCONN_SERVER);
    CHECK(is(svconn_pump_handshake(&session, &here, custom_answer, NULL), SVCONN_E_ABORTED));
}

static void proof_withheld(void) {
    pid_t pid = start(custom_server_that_gets_nothing);
    make_custom(SVCONN_CLIENT);
    withhold = 1;
    CHECK(is(svconn_pump_handshake(&session, &here, custom_answer, NULL), SVCONN_E_CANCELLED));
    CHECK(is(finish(), SVCONN_E_CANCELLED));
    withhold = 0;
    end(pid);
}

/* ---- the poll form ------------------------------------------------------------------------------ */

#define BULK 1048576
#define BULK_MESSAGE 40000

/* Sends BULK bytes and receives as many, at once; closes when both are done. A message is held for a while now and
 * then. */
static void bulk(void) {
    size_t sent = 0, received = 0, turns = 0;
    int closing = 0, ended = 0, holding = 0;
    pattern(0);
    while (svconn_status(&session) != SVCONN_CLOSED || turns == 0) {
        struct pollfd fds[2];
        const uint8_t *msg;
        size_t len;
        int wait;
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        CHECK(n <= 2);
        CHECK(poll(fds, n, holding ? 0 : wait) >= 0);
        if (svconn_pump_ready(&session, &here, fds, n) || ++turns > 1000000) break;
        holding = turns % 3 == 0;
        if (svconn_status(&session) == SVCONN_NEEDS_VERDICT) welcome(&session, NULL);
        while (sent < BULK && svconn_send(&session, data, BULK_MESSAGE, svconn_now()) == SVCONN_OK)
            sent += BULK_MESSAGE;
        while (!holding && svconn_recv(&session, &msg, &len) == SVCONN_OK) {
            CHECK(len == BULK_MESSAGE && memcmp(msg, data, len) == 0);
            received += len;
            if (svconn_recv_done(&session)) break;
        }
        if (sent >= BULK && !closing && svconn_status(&session) == SVCONN_CONNECTED)
            closing = svconn_close(&session, svconn_now()) == SVCONN_OK;
        if (svconn_recv(&session, &msg, &len) == SVCONN_END) ended = 1;
    }
    CHECK(is(svconn_error(&session), SVCONN_OK));
    CHECK(ended && sent == received && sent >= BULK);
    CHECK(is(finish(), SVCONN_OK)); /* brings the last bytes out */
}

static void both_send_at_once(void) {
    pid_t pid = start(bulk);
    bulk();
    end(pid);
}

/* The link is full of our messages when the session fails, and the peer goes on sending: the error packet comes through
 * all the same, behind all that was sent. */
static void server_that_forges(void) {
    static const uint8_t forged[16] = {0, 1};
    static const uint8_t zero[15];
    uint8_t bytes[15 + 1000]; /* the last ones of before, and what comes now */
    size_t got = 0;
    ssize_t n;
    CHECK(is(shake(), SVCONN_OK));
    nap(100); /* the link fills */
    CHECK(write(here.out, forged, sizeof forged) == sizeof forged);
    memset(bytes, 1, 15);
    do {
        (void)!write(here.out, data, 50); /* whenever it takes more */
        while ((n = read(here.in, bytes + 15, 1000)) < 0 && errno == EAGAIN) nap(1);
        if (n > 0) memmove(bytes, bytes + n, 15);
        got += n > 0 ? (size_t)n : 0;
    } while (n > 0 && memcmp(bytes, zero, 15) != 0);
    CHECK(n > 0 && got > 50000);
}

static void last_word(void) {
    int wait, turns = 0;
    pid_t pid = start(server_that_forges);
    pattern(1);
    CHECK(is(shake(), SVCONN_OK));
    CHECK(!svconn_pump_is_over(&session, &here));
    do {
        struct pollfd fds[2];
        while (svconn_send(&session, data, BULK_MESSAGE, svconn_now()) == SVCONN_OK) {
        }
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        CHECK(poll(fds, n, wait) >= 0);
        CHECK(svconn_pump_ready(&session, &here, fds, n) == svconn_error(&session));
    } while (!svconn_pump_is_over(&session, &here) && ++turns < 100000);
    CHECK(is(svconn_error(&session), SVCONN_E_TAG) && turns < 100000);
    end(pid);
}

/* A session that takes nothing, on a link that has ended: want must not make poll return at once for ever. */
static void vanishing_server(void) {
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(put(65535), SVCONN_OK));
    data[0] = 1;
    CHECK(is(put(1000), SVCONN_OK));
    _exit(test_bad);
}

static void no_spin(void) {
    struct pollfd fds[2];
    const uint8_t *msg;
    size_t len;
    int wait, busy = 0;
    pid_t pid = start(vanishing_server);
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 65535);
    await_end(pid);
    for (int i = 0; i < 10; i++) {
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        int events = poll(fds, n, wait < 0 || wait > 50 ? 50 : wait);
        CHECK(events >= 0);
        CHECK(is(svconn_pump_ready(&session, &here, fds, n), SVCONN_OK));
        busy += events > 0 || wait == 0;
    }
    CHECK(busy < 5);
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 1000); /* what came before the end is not lost */
    CHECK(is(get(&msg, &len), SVCONN_E_TRUNCATED));
    end(pid);
}

/* ---- links that end ----------------------------------------------------------------------------- */

static void absent_server(void) { svconn_link_close(&here); }

static void absent(void) {
    pid_t pid = start(absent_server);
    CHECK(is(shake(), SVCONN_E_ABSENT) && is(finish(), SVCONN_E_ABSENT));
    end(pid);
    make_session(SVCONN_CLIENT); /* no link at all */
    CHECK(is(shake(), SVCONN_E_ABSENT) && is(finish(), SVCONN_E_ABSENT));
    svconn_wipe(&session);
    CHECK(is(shake(), SVCONN_E_STATE) && is(finish(), SVCONN_E_STATE));
}

/* n bytes of the next record, then the end. */
static size_t cut_at;
static void cutting_server(void) {
    size_t len;
    CHECK(is(shake(), SVCONN_OK) && is(put(10), SVCONN_OK));
    CHECK(is(svconn_send(&session, data, 100, svconn_now()), SVCONN_OK));
    const uint8_t *bytes = svconn_wire_out(&session, &len);
    CHECK(len == 116 && (cut_at == 0 || write(here.out, bytes, cut_at) == (ssize_t)cut_at));
}

static void truncated(void) {
    const uint8_t *msg;
    size_t len;
    for (cut_at = 0; cut_at < 116; cut_at += 23) {
        pid_t pid = start(cutting_server);
        CHECK(is(shake(), SVCONN_OK) && is(get(&msg, &len), SVCONN_OK) && len == 10);
        CHECK(is(get(&msg, &len), SVCONN_E_TRUNCATED) && is(finish(), SVCONN_E_TRUNCATED));
        end(pid);
    }
}

/* The CLIENT goes on sending to a peer that is gone without a word. */
static void truncated_sender(void) {
    svconn_err err = SVCONN_OK;
    cut_at = 50;
    pid_t pid = start(cutting_server);
    CHECK(is(shake(), SVCONN_OK));
    for (int i = 0; i < 1000 && !err; i++) err = put(60000);
    CHECK(is(err, SVCONN_E_TRUNCATED));
    CHECK(is(get_all(), SVCONN_E_TRUNCATED) && is(finish(), SVCONN_E_TRUNCATED));
    end(pid);
}

/* A peer that fails while we are sending much: its error packet is found although our writes are refused. */
static void failing_server(void) {
    CHECK(is(shake(), SVCONN_OK));
    await_bytes(); /* else the CLIENT may find the packet right behind M3 */
    svconn_abort(&session);
    CHECK(is(finish(), SVCONN_E_CANCELLED));
}

static void aborted_while_sending(void) {
    svconn_err err = SVCONN_OK;
    pid_t pid = start(failing_server);
    CHECK(is(shake(), SVCONN_OK));
    for (int i = 0; i < 1000 && !err; i++) err = put(60000);
    CHECK(is(err, SVCONN_E_ABORTED) && is(finish(), SVCONN_E_ABORTED));
    end(pid);
}

/* The same, and the peer is gone for good before the first write; messages of it wait before the packet. */
static void failing_server_with_messages(void) {
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(put(100), SVCONN_OK) && is(put(200), SVCONN_OK));
    svconn_abort(&session);
    struct pollfd fds[2];
    CHECK(is(svconn_pump_ready(&session, &here, fds, 0), SVCONN_E_CANCELLED)); /* writes it; no lingering */
}

static void aborted_before_sending(void) {
    const uint8_t *msg;
    size_t len;
    svconn_err err = SVCONN_OK;
    pid_t pid = start(failing_server_with_messages);
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 100);
    await_end(pid);
    for (int i = 0; i < 10 && !err; i++)
        err = svconn_pump_send(&session, &here, msg, len); /* one is not enough over TCP */
    CHECK(is(err, SVCONN_E_TRUNCATED));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 200);
    CHECK(is(get(&msg, &len), SVCONN_E_ABORTED) && is(finish(), SVCONN_E_ABORTED));
    end(pid);
}

/* The same in a poll loop, where nobody lingers: svconn_link_close alone takes care of the bytes that nobody read. */
static void failing_server_in_a_poll_loop(void) {
    struct pollfd fds[2];
    CHECK(is(shake(), SVCONN_OK));
    await_bytes(); /* of the CLIENT; they stay unread */
    svconn_abort(&session);
    CHECK(is(svconn_pump_ready(&session, &here, fds, 0), SVCONN_E_CANCELLED));
}

static void aborted_in_a_poll_loop(void) {
    pid_t pid = start(failing_server_in_a_poll_loop);
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(put(30000), SVCONN_OK));
    CHECK(is(get_all(), SVCONN_E_ABORTED));
    end(pid);
}

/* A peer that neither reads nor leaves cannot hold a failed session for long. */
static void sleeping_server(void) {
    CHECK(is(shake(), SVCONN_OK));
    nap(5 * PATIENCE); /* it is killed */
}

static void last_words_are_bounded(void) {
    struct pollfd fds[2];
    pid_t pid = start(sleeping_server);
    CHECK(is(shake(), SVCONN_OK));
    uint64_t begin = svconn_now();
    for (int i = 0; i < 1000; i++) { /* until the link takes no more */
        if (svconn_send(&session, data, 60000, svconn_now()) != SVCONN_OK) break;
        CHECK(is(svconn_pump_ready(&session, &here, fds, 0), SVCONN_OK));
    }
    svconn_abort(&session);
    CHECK(is(finish(), SVCONN_E_CANCELLED));
    CHECK(svconn_now() - begin < PATIENCE);
    kill(pid, SIGKILL);
    svconn_link_close(&here);
    svconn_wipe(&session);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

/* ---- time --------------------------------------------------------------------------------------- */

static void silent_server(void) { await_bytes(); /* the error packet in place of M2, or the end */ }

static void handshake_deadline(void) {
    pid_t pid = start(silent_server);
    config.handshake_ms = 300;
    uint64_t begin = svconn_now();
    CHECK(is(shake(), SVCONN_E_TIMEOUT));
    CHECK(svconn_now() - begin >= 290 && svconn_now() - begin < PATIENCE);
    CHECK(is(finish(), SVCONN_E_TIMEOUT));
    end(pid);
}

static void mute_server(void) {
    config.keepalive_ms = SVCONN_OFF;
    CHECK(is(shake(), SVCONN_OK));
    const uint8_t *msg;
    size_t len;
    CHECK(is(get(&msg, &len), SVCONN_E_ABORTED)); /* it hears of the CLIENT's failure */
}

static void silence(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(mute_server);
    config.silence_ms = 300;
    CHECK(is(shake(), SVCONN_OK));
    uint64_t begin = svconn_now();
    CHECK(is(get(&msg, &len), SVCONN_E_SILENT) && is(finish(), SVCONN_E_SILENT));
    CHECK(svconn_now() - begin >= 290 && svconn_now() - begin < PATIENCE);
    end(pid);
}

/* Both wait for messages, for longer than either would stand silence. */
static void alive_server(void) {
    const uint8_t *msg;
    size_t len;
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 1);
    CHECK(is(get(&msg, &len), SVCONN_END) && is(finish(), SVCONN_OK));
}

static void keep_alive(void) {
    config.keepalive_ms = 50;
    config.silence_ms = 2000;
    pid_t pid = start(alive_server);
    config.keepalive_ms = 50;
    config.silence_ms = 2000;
    CHECK(is(shake(), SVCONN_OK));
    uint64_t begin = svconn_now();
    while (svconn_now() < begin + 2500) {
        struct pollfd fds[2];
        int wait;
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        CHECK(poll(fds, n, wait) >= 0);
        CHECK(is(svconn_pump_ready(&session, &here, fds, n), SVCONN_OK));
    }
    CHECK(is(put(1), SVCONN_OK) && is(finish(), SVCONN_OK));
    end(pid);
}

/* We stay away from the pump for longer than the silence that we stand. The peer did all it should: what it sent waits
 * in the link. */
static void talking_server(void) {
    const uint8_t *msg;
    size_t len;
    config.keepalive_ms = 200;
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(put(10), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 3);
    CHECK(is(put(20), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_END) && is(finish(), SVCONN_OK));
}

static void absence(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(talking_server);
    config.silence_ms = 2000;
    CHECK(is(shake(), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 10);
    nap(2500); /* with a message in hand */
    CHECK(is(put(3), SVCONN_OK));
    CHECK(is(get(&msg, &len), SVCONN_OK) && len == 20);
    CHECK(is(svconn_recv_done(&session), SVCONN_OK));
    here.lent = 0;
    nap(2500); /* with none */
    struct pollfd fds[2];
    int wait;
    nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
    CHECK(wait == 0 && poll(fds, n, wait) == 1);
    CHECK(is(svconn_pump_ready(&session, &here, fds, n), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK));
    end(pid);
}

/* ---- signals, children -------------------------------------------------------------------------- */

/* A child process that dies: no SIGPIPE, although it is at its default here. */
static void no_sigpipe(void) {
    void (*before)(int) = signal(SIGPIPE, SIG_DFL);
    CHECK(svconn_link_open(&here, "exec:exit 0", 0, NULL) == 0);
    make_session(SVCONN_SERVER);
    await_end((pid_t)here.child);
    CHECK(is(shake(), SVCONN_E_ABSENT) && is(finish(), SVCONN_E_ABSENT));
    svconn_link_close(&here);
    svconn_wipe(&session);
    signal(SIGPIPE, before);
}

static volatile sig_atomic_t signals;
static void on_signal(int number) {
    (void)number;
    signals = signals + 1;
}

/* Signals all the time, on both sides, change nothing. */
static void interrupted(void) {
    struct sigaction action = {.sa_handler = on_signal}, old;
    sigaction(SIGUSR1, &action, &old);
    pid_t pid = start(echo_server), client = getpid();
    fflush(stdout);
    pid_t pest = fork();
    if (pest == 0) {
        for (;;) {
            if (kill(client, SIGUSR1) || kill(pid, SIGUSR1)) _exit(0);
            nap(1);
        }
    }
    CHECK(is(shake(), SVCONN_OK));
    for (int i = 0; i < 60 || (signals == 0 && i < 60000); i++) { /* on a busy machine the pest begins late */
        const uint8_t *msg;
        size_t len;
        CHECK(is(put(30000), SVCONN_OK));
        CHECK(is(get(&msg, &len), SVCONN_OK) && len == 30000);
    }
    CHECK(is(finish(), SVCONN_OK));
    kill(pest, SIGKILL);
    while (waitpid(pest, NULL, 0) < 0 && errno == EINTR) {
    }
    CHECK(signals > 0);
    sigaction(SIGUSR1, &old, NULL);
    end(pid);
}

static void nothing_leaks(void) {
    int free_now = dup(0);
    close(free_now);
    CHECK(free_now <= 3);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

/* ---- everything, over every kind of link -------------------------------------------------------- */

static void run(const char *name, void (*test)(void)) {
    static const char *const kinds[KINDS] = {"socketpair", "pipes", "tcp"};
    for (int i = 0; i < KINDS; i++) {
        char full[100];
        over = (kind)i;
        snprintf(full, sizeof full, "pump_%s_%s", name, kinds[i]);
        TEST(full, test);
    }
}

int main(void) {
    for (int fd = 3; fd < 100; fd++) close(fd); /* a launcher's */
    signal(SIGPIPE, SIG_IGN);                   /* for the pipes */
    alarm(300);
    run("messages_of_many_sizes", messages);
    run("close_from_the_server", close_from_server);
    run("close_from_both_at_once", close_at_once);
    run("echo_of_the_lent_message", echo);
    run("early_messages", early);
    run("question_unanswered_is_refused", unanswered);
    run("client_refuses", client_refuses);
    run("close_before_connected_aborts", client_leaves);
    run("other_context", other_context);
    run("custom_identities", custom);
    run("proof_withheld", proof_withheld);
    run("poll_both_send_at_once", both_send_at_once);
    run("poll_brings_out_the_error_packet", last_word);
    run("poll_does_not_spin", no_spin);
    run("absent_peer", absent);
    run("truncated", truncated);
    run("truncated_while_sending", truncated_sender);
    run("aborted_is_found_while_sending", aborted_while_sending);
    run("aborted_is_found_before_sending", aborted_before_sending);
    run("aborted_is_found_in_a_poll_loop", aborted_in_a_poll_loop);
    run("last_words_are_bounded", last_words_are_bounded);
    over = SOCKETPAIR;
    TEST("pump_handshake_deadline", handshake_deadline);
    TEST("pump_silence", silence);
    TEST("pump_keep_alive", keep_alive);
    TEST("pump_absence_is_not_silence", absence);
    TEST("pump_child_that_died_is_no_sigpipe", no_sigpipe);
    run("signals_change_nothing", interrupted);
    TEST("pump_descriptors_and_children_do_not_leak", nothing_leaks);
    return TEST_EXIT();
}
