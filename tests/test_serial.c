/* SPDX-License-Identifier: ISC */
/*
 * serial: links over pairs of pseudo-terminals. The test is the wire between them: it passes on, loses, changes, adds
 * and holds back bytes. The listener is in the test too, in a poll loop; the caller is a child process, whose exit code
 * is the number of its failed checks.
 */
#include "svconn_line.h"
#include "svconn_transport.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Of X/Open, which the strict POSIX level of the compiler line does not ask for */
int posix_openpt(int flags);
int grantpt(int fd);
int unlockpt(int fd);
char *ptsname(int fd);

#define PATIENCE 60000 /* ms; far more than anything here takes */
#define SEED 77u       /* of all damage and garbage */
#define MARK SVCONN_LINE_MARK
#define MESSAGE 1000
#define BUFFER SVCONN_BUFFER_SIZE(MESSAGE)
#define LINES 100 /* at the same time */
#define QUEUE 8192

/* ---- the wire ----------------------------------------------------------------------------------- */

enum { CALLER, LISTENER }; /* the two ends; and the direction from that end */
typedef enum { GOOD, LOST, FLIPPED, ADDED } damage;

typedef struct {
    uint8_t bytes[QUEUE];
    uint64_t due[QUEUE];
    size_t len;
    uint64_t passed; /* what came in, since the line was made */
    uint64_t damaged_at;
    damage how; /* of byte damaged_at */
    int was_damaged;
    svconn_line_finder finder;
    int calls, answers, ends; /* marks that came in */
    uint8_t nonce[8];         /* of the last one */
} way;

typedef struct {
    int master[2], held[2]; /* held: the slave, so that the master does not see it closed */
    char device[2][64], address[2][100];
    way from[2];
    int chunk; /* at most so many bytes at a time; 0: any */
    int delay_ms, cut, echo;
    unsigned noise; /* one byte of so many is damaged, from noise_from on; 0: none */
    uint64_t noise_from;

    svconn_listener listener;
    svconn_link link;
    svconn s;
    svconn_config config;
    uint8_t rx[BUFFER], tx[BUFFER];
    int in_session, sessions, over, wrong;
    svconn_err end[8]; /* of the first sessions */
    uint8_t lasts;     /* message that we expect */

    pid_t caller;
    int status;
} line;

static line *lines[LINES];
static int n_lines;
static uint32_t dice_state = SEED;

static uint32_t dice(void) {
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 17;
    dice_state ^= dice_state << 5;
    return dice_state;
}

static void nap(int ms) { (void)poll(NULL, 0, ms); }

static int is(svconn_err got, svconn_err want) {
    if (got == want) return 1;
    printf("  got %s, want %s\n", svconn_reason_name(got), svconn_reason_name(want));
    return 0;
}

static int says(const svconn_why *why, const char *part) {
    if (strstr(why->text, part)) return 1;
    printf("  said \"%s\", want \"%s\"\n", why->text, part);
    return 0;
}

static int open_pty(int *master, int *held, char device[64]) {
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    const char *name = *master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0 ? ptsname(*master) : NULL;
    if (!name || strlen(name) >= 64) return -1;
    memcpy(device, name, strlen(name) + 1);
    *held = open(device, O_RDWR | O_NOCTTY);
    return *held < 0 || fcntl(*master, F_SETFL, O_NONBLOCK) != 0 ? -1 : 0;
}

/* Without it a terminal that nobody has open would echo what is still on its way */
static void make_raw(int fd) {
    struct termios t;
    CHECK(tcgetattr(fd, &t) == 0);
    t.c_iflag = 0;
    t.c_oflag = 0;
    t.c_lflag = 0;
    CHECK(tcsetattr(fd, TCSANOW, &t) == 0);
}

static void set_address(line *w, int end, const char *options) {
    char text[sizeof w->address[0]];
    snprintf(text, sizeof text, "serial:%.63s%s", w->device[end], options);
    memcpy(w->address[end], text, sizeof text);
}

static line *new_line(void) {
    static const svconn_link no_link = SVCONN_LINK_NONE;
    line *w = calloc(1, sizeof *w);
    if (!w || n_lines == LINES) abort();
    for (int i = 0; i < 2; i++) {
        if (open_pty(&w->master[i], &w->held[i], w->device[i]) != 0) {
            printf("FAIL serial: no pseudo-terminals here: %s\n", strerror(errno));
            exit(1);
        }
        make_raw(w->held[i]);
        set_address(w, i, "");
    }
    w->link = no_link;
    w->listener.fd = -1;
    lines[n_lines++] = w;
    return w;
}

static void unplug(line *w, int end) {
    if (w->master[end] >= 0) close(w->master[end]);
    w->master[end] = -1;
}

static void damage_byte(line *w, way *q, uint8_t byte) {
    int is_first =
        w->from[CALLER].calls <= 1; /* a slow machine may end the first session before the place is reached */
    damage how = is_first && q->passed == q->damaged_at ? q->how : GOOD;
    uint64_t due = svconn_now() + (uint64_t)w->delay_ms;
    if (w->noise && w->sessions == 0 && q->passed >= w->noise_from && dice() % w->noise == 0)
        how = (damage)(LOST + dice() % 3);
    q->was_damaged |= how != GOOD;
    q->passed++;
    if (how == FLIPPED) byte ^= (uint8_t)(1 << dice() % 8);
    if (how == ADDED) {
        q->bytes[q->len] = (uint8_t)~byte; /* never as if nothing was there */
        q->due[q->len++] = due;
    }
    if (how == LOST) return;
    q->bytes[q->len] = byte;
    q->due[q->len++] = due;
}

static void count_marks(way *q, const uint8_t *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        int kind;
        at += svconn_line_find(&q->finder, bytes + at, len - at, &kind, q->nonce);
        q->calls += kind == 'C';
        q->answers += kind == 'A';
        q->ends += kind == 'E';
    }
}

static void take_in(line *w, int end) {
    uint8_t bytes[QUEUE / 2];
    way *q = &w->from[end];
    size_t room = (QUEUE - q->len) / 2; /* each byte may become two */
    if (w->chunk && room > (size_t)w->chunk) room = (size_t)w->chunk;
    ssize_t n = room && w->master[end] >= 0 ? read(w->master[end], bytes, room) : 0;
    if (n <= 0) return;
    count_marks(q, bytes, (size_t)n);
    for (ssize_t i = 0; i < n && !w->cut; i++) damage_byte(w, q, bytes[i]);
}

static void give_out(line *w, int end) {
    way *q = &w->from[end];
    size_t n = 0;
    uint64_t now = svconn_now();
    int to = w->master[w->echo ? end : !end];
    while (n < q->len && q->due[n] <= now && (!w->chunk || n < (size_t)w->chunk)) n++;
    if (n == 0 || to < 0) return;
    ssize_t sent = write(to, q->bytes, n);
    if (sent <= 0) return;
    q->len -= (size_t)sent;
    memmove(q->bytes, q->bytes + sent, q->len);
    memmove(q->due, q->due + sent, q->len * sizeof q->due[0]);
}

static void carry(line *w) {
    for (int end = 0; end < 2; end++) {
        take_in(w, end);
        give_out(w, end);
    }
}

/* What somebody on the line says to an end */
static void say_to(line *w, int end, const void *bytes, size_t len) {
    const uint8_t *p = bytes;
    uint64_t limit = svconn_now() + PATIENCE;
    while (len && svconn_now() < limit) {
        ssize_t n = write(w->master[end], p, len);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else nap(1);
    }
}

static void say_mark(line *w, int end, svconn_line_kind kind, const uint8_t nonce[8]) {
    uint8_t mark[MARK];
    svconn_line_mark(mark, kind, nonce);
    say_to(w, end, mark, MARK);
}

/* ---- sessions ----------------------------------------------------------------------------------- */

static svconn_identity client_id, server_id;
static uint32_t handshake_ms, silence_ms; /* of the first session of a line; 0: as usual */

static void make_psk(svconn_identity *id, const char *name) {
    static const uint8_t psk[32] = {1, 2, 3};
    CHECK(svconn_identity_psk(id, psk, (const uint8_t *)name, 6) == SVCONN_OK);
}

static void use_psk(void) {
    make_psk(&client_id, "client");
    make_psk(&server_id, "server");
}

static void use_keys(void) {
    static const uint8_t a[32] = {1}, b[32] = {2};
    svconn_identity_ed25519(&client_id, a);
    svconn_identity_ed25519(&server_id, b);
}

static void begin(svconn *s, svconn_config *c, svconn_role role, int is_first, uint8_t rx[BUFFER], uint8_t tx[BUFFER]) {
    uint8_t seed[32];
    memset(c, 0, sizeof *c);
    c->role = role;
    c->identity = role == SVCONN_CLIENT ? &client_id : &server_id;
    c->handshake_ms = is_first && handshake_ms ? handshake_ms : PATIENCE;
    c->silence_ms = is_first && silence_ms ? silence_ms : PATIENCE;
    CHECK(svconn_random(seed, 32) == 0);
    CHECK(svconn_init(s, c, seed, rx, BUFFER, tx, BUFFER) == SVCONN_OK);
}

/* Messages say which one they are, and are of any size */
static size_t pattern(uint8_t *msg, uint8_t k) {
    size_t len = 1 + k * 37u % MESSAGE;
    for (size_t i = 0; i < len; i++) msg[i] = (uint8_t)(k + i);
    return len;
}

static int is_pattern(const uint8_t *msg, size_t len, uint8_t k) {
    uint8_t want[MESSAGE];
    return pattern(want, k) == len && memcmp(msg, want, len) == 0;
}

/* ---- the listener's side: an echo --------------------------------------------------------------- */

static void serve(line *w) {
    const uint8_t *msg;
    size_t len;
    if (svconn_status(&w->s) == SVCONN_NEEDS_PSK || svconn_status(&w->s) == SVCONN_NEEDS_VERDICT)
        (void)!svconn_accept(&w->s);
    svconn_err err;
    while ((err = svconn_recv(&w->s, &msg, &len)) == SVCONN_OK) {
        if (!is_pattern(msg, len, w->lasts)) w->wrong++;
        err = svconn_send(&w->s, msg, len, svconn_now());
        if (err == SVCONN_AGAIN) return;
        w->lasts++;
        (void)!svconn_recv_done(&w->s);
    }
    if (err == SVCONN_END) (void)!svconn_close(&w->s, svconn_now());
}

static void end_session(line *w) {
    if (w->sessions < 8) w->end[w->sessions] = svconn_error(&w->s);
    w->sessions++;
    svconn_link_close(&w->link);
    svconn_wipe(&w->s);
    w->in_session = 0;
}

static void come_in(line *w) {
    svconn_why why = {.text = ""};
    if (svconn_listener_accept(&w->listener, &w->link, 0, &why) == 0) {
        w->in_session = 1;
        w->lasts = 0;
        begin(&w->s, &w->config, SVCONN_SERVER, w->sessions == 0, w->rx, w->tx);
    } else if (w->listener.fd < 0) {
        w->over = 1;
        CHECK(says(&why, "the device is gone"));
    }
}

/* One turn of the loop around all lines */
static void turn(void) {
    struct pollfd fds[LINES * (2 + SVCONN_LISTENER_FDS)];
    size_t at[LINES];
    nfds_t n = 0, mine[LINES];
    int wait = 20, one;
    for (int i = 0; i < n_lines; i++) {
        line *w = lines[i];
        for (int end = 0; end < 2; end++) {
            if (w->master[end] >= 0) fds[n++] = (struct pollfd){.fd = w->master[end], .events = POLLIN};
            if (w->from[end].len) wait = wait < 1 ? wait : 1;
        }
        at[i] = n;
        one = -1;
        if (w->in_session) n += svconn_pump_want(&w->s, &w->link, fds + n, &one);
        else if (w->listener.fd >= 0) n += svconn_listener_want(&w->listener, fds + n, &one);
        mine[i] = n - at[i];
        if (one >= 0 && one < wait) wait = one;
    }
    (void)poll(fds, n, wait);
    for (int i = 0; i < n_lines; i++) {
        line *w = lines[i];
        carry(w);
        if (!w->in_session && w->listener.fd >= 0) come_in(w);
        else if (w->in_session) {
            (void)!svconn_pump_ready(&w->s, &w->link, fds + at[i], mine[i]);
            serve(w);
            if (svconn_pump_is_over(&w->s, &w->link)) end_session(w);
        }
    }
}

static void run_for(int ms) {
    uint64_t until = svconn_now() + (uint64_t)ms;
    while (svconn_now() < until) turn();
}

/* ---- the caller --------------------------------------------------------------------------------- */

static svconn session;
static svconn_config config;
static uint8_t rx[BUFFER], tx[BUFFER], data[MESSAGE];
static svconn_link here;
static line *mine;
static int n_begun;

static void welcome(svconn *s, void *arg) {
    (void)arg;
    (void)!svconn_accept(s); /* too late, for some that are meant to fail: the session says so itself */
}

static svconn_err shake(void) {
    begin(&session, &config, SVCONN_CLIENT, n_begun++ == 0, rx, tx);
    return svconn_pump_handshake(&session, &here, welcome, NULL);
}

static int call_up(void) {
    svconn_why why = {.text = ""};
    if (svconn_link_open(&here, mine->address[CALLER], PATIENCE, &why) == 0) return 0;
    printf("  %s\n", why.text);
    CHECK(!"called");
    return -1;
}

/* count messages, each of which comes back, while up to ahead of them are on their way. */
static svconn_err talk(int count, int ahead) {
    svconn_err err = shake();
    for (int sent = 0, back = 0; !err && back < count;) {
        const uint8_t *msg;
        size_t len;
        while (!err && sent < count && sent < back + ahead) {
            len = pattern(data, (uint8_t)sent);
            err = svconn_send(&session, data, len, svconn_now());
            sent += err == SVCONN_OK;
        }
        if (err == SVCONN_AGAIN) err = SVCONN_OK;
        struct pollfd fds[2];
        int wait;
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        (void)poll(fds, n, wait);
        (void)!svconn_pump_ready(&session, &here, fds, n);
        svconn_err got;
        while ((got = svconn_recv(&session, &msg, &len)) == SVCONN_OK) {
            CHECK(is_pattern(msg, len, (uint8_t)back));
            back++;
            (void)!svconn_recv_done(&session);
        }
        if (got != SVCONN_AGAIN) err = got;
    }
    return err;
}

static svconn_err finish(void) {
    svconn_err err = svconn_pump_close(&session, &here);
    svconn_link_close(&here);
    svconn_wipe(&session);
    return err;
}

static void one_session(int count, int ahead) {
    if (call_up() != 0) return;
    CHECK(is(talk(count, ahead), SVCONN_OK));
    CHECK(is(finish(), SVCONN_OK));
}

static void start(line *w, void (*caller)(void)) {
    fflush(stdout);
    w->status = -1;
    w->caller = fork();
    if (w->caller != 0) return;
    for (int i = 0; i < n_lines; i++) {
        for (int end = 0; end < 2; end++) {
            if (lines[i]->master[end] >= 0) close(lines[i]->master[end]);
            close(lines[i]->held[end]);
        }
        if (lines[i]->listener.fd >= 0) close(lines[i]->listener.fd);
    }
    mine = w;
    alarm(PATIENCE * 3 / 1000);
    test_bad = 0;
    caller();
    fflush(stdout);
    _exit(test_bad < 100 ? test_bad : 100);
}

static void listen_on(line *w) {
    svconn_why why = {.text = ""};
    CHECK(svconn_listen(&w->listener, w->address[LISTENER], &why) == 0);
    if (why.text[0]) printf("  %s\n", why.text);
    uint64_t limit = svconn_now() + PATIENCE;
    while (!w->from[LISTENER].ends && svconn_now() < limit) carry(w); /* "I have no session" */
    w->from[LISTENER].passed = 0;
}

static int callers_are_done(void) {
    int done = 1;
    for (int i = 0; i < n_lines; i++) {
        line *w = lines[i];
        if (w->caller && waitpid(w->caller, &w->status, WNOHANG) == w->caller) w->caller = 0;
        done &= !w->caller && !w->in_session;
    }
    return done;
}

/* Until all callers have ended, and their sessions at this side too */
static void run(void) {
    uint64_t limit = svconn_now() + 3 * PATIENCE;
    while (!callers_are_done() && svconn_now() < limit) turn();
    for (int i = 0; i < n_lines; i++) {
        line *w = lines[i];
        CHECK(!w->caller && !w->in_session && w->wrong == 0);
        if (w->caller) {
            kill(w->caller, SIGKILL);
            (void)waitpid(w->caller, &w->status, 0);
        }
        w->caller = 0;
    }
}

static void drop_lines(void) {
    for (int i = 0; i < n_lines; i++) {
        line *w = lines[i];
        if (w->in_session) end_session(w);
        svconn_listener_close(&w->listener);
        for (int end = 0; end < 2; end++) {
            unplug(w, end);
            close(w->held[end]);
        }
        free(w);
    }
    n_lines = 0;
    handshake_ms = silence_ms = 0;
    use_psk();
}

static line *new_served_line(void) {
    line *w = new_line();
    listen_on(w);
    return w;
}

/* The whole of a caller's story on one line; all its checks held */
static void story(line *w, void (*caller)(void)) {
    start(w, caller);
    run();
    CHECK(w->status == 0);
}

/* ---- a device ----------------------------------------------------------------------------------- */

static void bad_addresses(void) {
    static const struct {
        const char *address, *part;
    } bad[] = {
        {"serial:", "no device; it looks like serial:/dev/ttyUSB0?speed=115200"},
        {"serial:?speed=9600", "no device"},
        {"serial:/dev/null?", "behind the device stand ?speed= with bits a second"},
        {"serial:/dev/null?speed", "behind the device stand"},
        {"serial:/dev/null?speed=", "behind the device stand"},
        {"serial:/dev/null?speed=0", "behind the device stand"},
        {"serial:/dev/null?speed=-1", "behind the device stand"},
        {"serial:/dev/null?speed=+9600", "behind the device stand"},
        {"serial:/dev/null?speed= 9600", "behind the device stand"},
        {"serial:/dev/null?speed=9600x", "behind the device stand"},
        {"serial:/dev/null?speed=100000001", "behind the device stand"},
        {"serial:/dev/null?speed=99999999999999999999999", "behind the device stand"},
        {"serial:/dev/null?speed=000000000000000000000000009600", "behind the device stand"},
        {"serial:/dev/null?Speed=9600", "behind the device stand"},
        {"serial:/dev/null?baud=9600", "behind the device stand"},
        {"serial:/dev/null?flow=xonxoff", "behind the device stand"},
        {"serial:/dev/null?flow=", "behind the device stand"},
        {"serial:/dev/null?marks=maybe", "behind the device stand"},
        {"serial:/dev/null?marks=rtscts", "behind the device stand"},
        {"serial:/dev/null?flow=yes", "behind the device stand"},
        {"serial:/dev/null?speed=9600&", "behind the device stand"},
        {"serial:/dev/null?&speed=9600", "behind the device stand"},
        {"serial:/dev/null?speed=9600?flow=none", "behind the device stand"},
        {"serial:/dev/null?=", "behind the device stand"},
        {"serial:/dev/null?a-name-that-is-too-long=1", "behind the device stand"},
        {"serial:/dev/null?speed=12345", "no speed 12345; the nearest are 9600 and 19200"},
        {"serial:/dev/null?speed=100", "no speed 100; the nearest"},
        {"serial:/dev/null?speed=100000000", "no speed 100000000; the nearest is "},
        {"serial:/nonexistent", "there is no such device (is it plugged in?)"},
        {"serial:nonexistent/x", "there is no such device"},
        {"serial:/", "cannot open serial:/"},
    };
    svconn_listener n;
    svconn_link l;
    svconn_why why;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(svconn_link_open(&l, bad[i].address, 0, &why) == -1 && says(&why, bad[i].part) && l.in == -1 && !l.ops);
        CHECK(svconn_listen(&n, bad[i].address, &why) == -1 && says(&why, bad[i].part) && n.fd == -1 && !n.ops);
        CHECK(svconn_listen(&n, bad[i].address, NULL) == -1);
    }
    /* a file of our own: /dev/null would be locked for who runs this test at the same time */
    static const char *const good[] = {"", "?speed=9600&flow=rtscts&marks=no", "?marks=yes&flow=none&speed=300"};
    char file[] = "/tmp/svconn-test-XXXXXX", address[100];
    int fd = mkstemp(file);
    CHECK(fd >= 0);
    for (size_t i = 0; i < 3; i++) {
        snprintf(address, sizeof address, "serial:%s%s", file, good[i]);
        CHECK(svconn_link_open(&l, address, 0, &why) == -1 && says(&why, "this is no serial device") && !l.ops);
        if (i != 1) CHECK(svconn_listen(&n, address, &why) == -1 && says(&why, "this is no serial device"));
    }
    close(fd);
    (void)unlink(file);
    char longest[400] = "serial:/";
    memset(longest + 8, 'x', 300);
    CHECK(svconn_link_open(&l, longest, 0, &why) == -1 && says(&why, "the path of the device is too long"));
    longest[7 + 255] = 0;
    CHECK(svconn_link_open(&l, longest, 0, &why) == -1 && says(&why, "cannot open serial:/xxx"));
}

static int are_equal(const struct termios *a, const struct termios *b) {
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag &&
           a->c_cflag == b->c_cflag && cfgetispeed(a) == cfgetispeed(b) && cfgetospeed(a) == cfgetospeed(b) &&
           a->c_cc[VMIN] == b->c_cc[VMIN] && a->c_cc[VTIME] == b->c_cc[VTIME];
}

static int is_raw(int fd, speed_t speed) {
    struct termios t;
    return tcgetattr(fd, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) && !(t.c_oflag & OPOST) &&
           !(t.c_iflag & (ICRNL | INLCR | IGNCR | ISTRIP | IXON | IXOFF | PARMRK | BRKINT)) &&
           (t.c_cflag & CSIZE) == CS8 && !(t.c_cflag & (PARENB | CSTOPB | HUPCL)) && (t.c_cflag & CREAD) &&
           t.c_cc[VMIN] == 1 && t.c_cc[VTIME] == 0 && cfgetospeed(&t) == speed && cfgetispeed(&t) == speed;
}

/* A terminal as it is for people, with a speed of its own */
static void raw_and_given_back(void) {
    static const struct {
        const char *options;
        speed_t speed;
    } kinds[] = {{"", B115200}, {"?speed=9600", B9600}, {"?speed=300&flow=none", B300}, {"?marks=no", B115200}};
    struct termios before, after;
    int master, held;
    char device[64], address[120];
    svconn_why why = {.text = ""};
    CHECK(open_pty(&master, &held, device) == 0 && tcgetattr(held, &before) == 0);
    before.c_lflag |= ICANON | ECHO | ISIG;
    before.c_iflag |= ICRNL | IXON;
    before.c_oflag |= OPOST;
    before.c_cc[VMIN] = 7;
    before.c_cc[VTIME] = 3;
    cfsetispeed(&before, B2400);
    cfsetospeed(&before, B2400);
    CHECK(tcsetattr(held, TCSANOW, &before) == 0 && tcgetattr(held, &before) == 0);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        svconn_listener n;
        svconn_link l = SVCONN_LINK_NONE;
        snprintf(address, sizeof address, "serial:%s%s", device, kinds[i].options);
        CHECK(svconn_listen(&n, address, &why) == 0);
        if (n.fd < 0) CHECK(svconn_listener_accept(&n, &l, 0, &why) == 0); /* without marks */
        CHECK(is_raw(held, kinds[i].speed) && says(&why, ""));
        svconn_link_close(&l);
        svconn_listener_close(&n);
        CHECK(tcgetattr(held, &after) == 0 && are_equal(&before, &after));
        CHECK(svconn_link_open(&l, address, 0, NULL) ==
              (strcmp(kinds[i].options, "?marks=no") == 0 ? 0 : -1)); /* nobody answers */
        svconn_link_close(&l);
        CHECK(tcgetattr(held, &after) == 0 && are_equal(&before, &after));
    }
    close(held);
    close(master);
}

static void one_at_a_time(void) {
    line *w = new_line();
    svconn_listener second;
    svconn_link l;
    svconn_why why;
    listen_on(w);
    CHECK(svconn_listen(&second, w->address[LISTENER], &why) == -1 && says(&why, "another program uses it"));
    CHECK(svconn_link_open(&l, w->address[LISTENER], 0, &why) == -1 && says(&why, "another program uses it"));
    CHECK(is_raw(w->held[LISTENER], B115200)); /* who was refused has changed nothing */
    static const uint8_t nonce[8] = {1};
    say_mark(w, LISTENER, SVCONN_LINE_CALL, nonce);
    CHECK(svconn_listener_accept(&w->listener, &l, PATIENCE, &why) == 0);
    svconn_listener_close(&w->listener); /* the link has the device for itself now */
    CHECK(svconn_listen(&second, w->address[LISTENER], &why) == -1 && says(&why, "another program uses it"));
    svconn_link_close(&l);
    CHECK(svconn_listen(&second, w->address[LISTENER], &why) == 0);
    CHECK(flock(w->held[LISTENER], LOCK_EX | LOCK_NB) == -1);
    svconn_listener_close(&second);
    CHECK(flock(w->held[LISTENER], LOCK_EX | LOCK_NB) == 0); /* picocom, minicom */
    CHECK(svconn_listen(&second, w->address[LISTENER], &why) == -1 && says(&why, "another program uses it"));
    drop_lines();
}

/* In a child: its controlling terminal, /dev/tty, is a pseudo-terminal right in /dev. */
#define LOCK_FILE "/var/lock/LCK..tty"
static int write_file(const char *text) {
    FILE *f = fopen(LOCK_FILE, "w");
    return f && fputs(text, f) >= 0 && fclose(f) == 0;
}
static void lock_files_of_child(const char *device) {
    svconn_listener n;
    svconn_why why = {.text = ""};
    char text[40] = "", mine_is[40];
    CHECK(setsid() >= 0);
    int fd = open(device, O_RDWR);
    CHECK(fd >= 0);
#ifdef TIOCSCTTY
    (void)ioctl(fd, TIOCSCTTY, 0);
#endif
    if (svconn_listen(&n, "serial:/dev/tty", &why) != 0) {
        printf("  %s\n", why.text);
        _exit(77);
    }
    snprintf(mine_is, sizeof mine_is, "%10ld\n", (long)getpid());
    FILE *f = fopen(LOCK_FILE, "r");
    CHECK(f && fgets(text, sizeof text, f) && strcmp(text, mine_is) == 0);
    if (f) fclose(f);
    pid_t pid = fork(); /* a child that closes its copy changes nothing */
    if (pid == 0) {
        svconn_listener_close(&n);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid && access(LOCK_FILE, F_OK) == 0 && is_raw(fd, B115200));
    svconn_listener_close(&n);
    CHECK(access(LOCK_FILE, F_OK) != 0);
    snprintf(text, sizeof text, "%10ld\n", (long)getppid());
    CHECK(write_file(text));
    snprintf(mine_is, sizeof mine_is, "process %ld uses it", (long)getppid());
    CHECK(svconn_listen(&n, "serial:/dev/tty", &why) == -1 && says(&why, mine_is));
    CHECK(access(LOCK_FILE, F_OK) == 0 && !is_raw(fd, B115200));
    snprintf(text, sizeof text, "%10ld\n", (long)pid); /* which has ended */
    CHECK(write_file(text));
    CHECK(svconn_listen(&n, "serial:/dev/tty", &why) == 0);
    svconn_listener_close(&n);
    CHECK(access(LOCK_FILE, F_OK) != 0);
    _exit(test_bad < 70 ? test_bad : 70);
}
static void lock_files(void) {
    int status = -1, master, held, dir = open("/var/lock", O_RDONLY);
    char device[64];
    if (dir < 0 || access("/var/lock", W_OK) != 0 || access("/dev/tty", F_OK) != 0) {
        test_skip = "no lock files can be written to /var/lock here";
        return;
    }
    CHECK(flock(dir, LOCK_EX) == 0); /* this test may run twice at the same time */
    if (access(LOCK_FILE, F_OK) == 0) test_skip = LOCK_FILE " is in use";
    else {
        CHECK(open_pty(&master, &held, device) == 0);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) lock_files_of_child(device);
        CHECK(waitpid(pid, &status, 0) == pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) test_skip = "/dev/tty cannot be opened or locked here";
        else CHECK(status == 0);
        (void)unlink(LOCK_FILE);
        close(held);
        close(master);
    }
    close(dir);
}

/* ---- bytes of a link ---------------------------------------------------------------------------- */

static const uint8_t first[8] = {1, 1}, second[8] = {2, 2}, third[8] = {3, 3}, zeros[8];

/* All that a link gives, to the end (-1: it goes on) */
static int read_link(svconn_link *l, uint8_t *out, int size) {
    int at = 0;
    for (int idle = 0; at < size && idle < 3;) {
        ssize_t n = l->ops->read(l, out + at, (size_t)(size - at));
        if (n == 0) return at;
        if (n > 0) at += (int)n;
        else {
            CHECK(errno == EAGAIN);
            idle++;
            nap(1);
        }
    }
    return -1;
}

static int accept_call(line *w, const uint8_t nonce[8], svconn_link *l) {
    svconn_why why = {.text = ""};
    say_mark(w, LISTENER, SVCONN_LINE_CALL, nonce);
    int result = svconn_listener_accept(&w->listener, l, PATIENCE, &why);
    CHECK(says(&why, ""));
    return result;
}

/* Which mark ends a session, and what belongs to it; the mark cut at each place */
static void marks_in_a_session(void) {
    static const struct {
        svconn_line_kind kind;
        const uint8_t *nonce;
        int ends;
    } cases[] = {{SVCONN_LINE_END, first, 1},   {SVCONN_LINE_END, zeros, 1},  {SVCONN_LINE_CALL, second, 1},
                 {SVCONN_LINE_CALL, first, 1},  {SVCONN_LINE_END, second, 0}, {SVCONN_LINE_ANSWER, first, 0},
                 {SVCONN_LINE_ANSWER, zeros, 0}};
    line *w = new_served_line();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t cut = 0; cut <= 5 + MARK; cut++) {
            uint8_t bytes[5 + MARK] = "hello", got[100];
            svconn_link l;
            svconn_line_mark(bytes + 5, cases[i].kind, cases[i].nonce);
            if (accept_call(w, first, &l) != 0) return;
            say_to(w, LISTENER, bytes, cut);
            int before = cut == 0 || cut == 5 + MARK ? 0 : (int)l.ops->read(&l, got, sizeof got);
            for (int tries = 0; before < 0 && tries < 1000; tries++) { /* a terminal takes its time */
                nap(1);
                before = (int)l.ops->read(&l, got, sizeof got);
            }
            say_to(w, LISTENER, bytes + cut, sizeof bytes - cut);
            struct pollfd fd = {.fd = w->listener.fd, .events = POLLIN};
            if (cut < sizeof bytes) CHECK(poll(&fd, 1, PATIENCE) == 1);
            nap(cases[i].ends ? 0 : 1);
            int after = -1;
            for (int tries = 0; before >= 0 && after < 0 && tries < (cases[i].ends ? 1000 : 2); tries++)
                after = read_link(&l, got + before, (int)sizeof got - before);
            CHECK((after >= 0) == cases[i].ends);
            CHECK(memcmp(got, "hello", 5) == 0);
            if (cases[i].ends && (cut == 0 || cut > 5 + MARK)) CHECK(before + after == 5);
            if (cases[i].ends) CHECK(before + after <= (cut > 5 ? (int)cut : 5));
            svconn_link_close(&l);
        }
    drop_lines();
}

/* M1 begins right behind the ANSWER, which may come in any pieces */
static void first_bytes_caller(void) {
    uint8_t got[100] = {0};
    int at = 0;
    if (call_up() != 0) return;
    uint64_t limit = svconn_now() + PATIENCE;
    while (at < 9 && svconn_now() < limit) {
        ssize_t n = here.ops->read(&here, got + at, sizeof got - (size_t)at);
        if (n > 0) at += (int)n;
        else nap(1);
    }
    CHECK(at == 9 && memcmp(got, "M1 begins", 9) == 0);
    svconn_link_close(&here);
}
static void first_bytes(void) {
    for (size_t cut = 0; cut <= MARK + 9; cut += 3) {
        uint8_t bytes[MARK + 9];
        line *w = new_line();
        start(w, first_bytes_caller);
        uint64_t limit = svconn_now() + PATIENCE;
        for (int answered = 0; !callers_are_done() && svconn_now() < limit; nap(1)) {
            take_in(w, CALLER);
            if (w->from[CALLER].ends || w->from[CALLER].calls == answered) continue;
            answered = w->from[CALLER].calls; /* a slow machine calls again */
            svconn_line_mark(bytes, SVCONN_LINE_ANSWER, w->from[CALLER].nonce);
            memcpy(bytes + MARK, "M1 begins", 9);
            say_to(w, CALLER, bytes, cut);
            if (cut) nap(3);
            say_to(w, CALLER, bytes + cut, sizeof bytes - cut);
        }
        run();
        CHECK(w->status == 0);
        drop_lines();
    }
}

static int answers_to(line *w, const uint8_t nonce[8], int count) {
    uint64_t limit = svconn_now() + PATIENCE;
    while (w->from[LISTENER].answers < count && svconn_now() < limit) take_in(w, LISTENER);
    return w->from[LISTENER].answers == count && memcmp(w->from[LISTENER].nonce, nonce, 8) == 0;
}

/* Of a hundred calls that are there, the last one is answered; and then a later one of which half had come */
static void only_the_last_call(void) {
    line *w = new_served_line();
    svconn_link l;
    uint8_t call[MARK], got[10], nonce[8] = {9};
    for (nonce[1] = 0; nonce[1] < 100; nonce[1]++) say_mark(w, LISTENER, SVCONN_LINE_CALL, nonce);
    nap(20);
    CHECK(accept_call(w, second, &l) == 0 && answers_to(w, second, 1));
    svconn_link_close(&l);
    svconn_line_mark(call, SVCONN_LINE_CALL, third);
    say_mark(w, LISTENER, SVCONN_LINE_CALL, first);
    say_to(w, LISTENER, call, 11);
    nap(20);
    CHECK(svconn_listener_accept(&w->listener, &l, PATIENCE, NULL) == 0 && answers_to(w, first, 2));
    CHECK(l.ops->read(&l, got, sizeof got) == -1 && errno == EAGAIN);
    say_to(w, LISTENER, call + 11, MARK - 11);
    int end = -1;
    for (int tries = 0; end < 0 && tries < 100; tries++) end = read_link(&l, got, sizeof got);
    CHECK(end >= 0);
    svconn_link_close(&l);
    CHECK(svconn_listener_accept(&w->listener, &l, 0, NULL) == 0 && answers_to(w, third, 3)); /* at once */
    svconn_link_close(&l);
    uint8_t two[2 * MARK]; /* the one that ends a session, and behind it the one to be answered, in one read */
    svconn_line_mark(two, SVCONN_LINE_CALL, first);
    svconn_line_mark(two + MARK, SVCONN_LINE_CALL, second);
    CHECK(accept_call(w, third, &l) == 0 && answers_to(w, third, 4));
    say_to(w, LISTENER, two, sizeof two);
    nap(20);
    CHECK(l.ops->read(&l, got, sizeof got) == 0);
    svconn_link_close(&l);
    CHECK(svconn_listener_accept(&w->listener, &l, 0, NULL) == 0 && answers_to(w, second, 5));
    svconn_link_close(&l);
    drop_lines();
}

/* END says that a session is over, with its nonce; not if the other side said it */
static void last_words(void) {
    line *w = new_served_line();
    svconn_link l;
    uint8_t got[100];
    way *q = &w->from[LISTENER];
    CHECK(q->ends == 1 && memcmp(q->nonce, zeros, 8) == 0);
    CHECK(accept_call(w, first, &l) == 0);
    svconn_link_close(&l);
    uint64_t limit = svconn_now() + PATIENCE;
    while (q->ends < 2 && svconn_now() < limit) take_in(w, LISTENER);
    CHECK(q->ends == 2 && memcmp(q->nonce, first, 8) == 0);
    CHECK(accept_call(w, first, &l) == 0);
    say_mark(w, LISTENER, SVCONN_LINE_END, first);
    int end = -1;
    for (int tries = 0; end < 0 && tries < 100; tries++) end = read_link(&l, got, sizeof got);
    svconn_link_close(&l);
    CHECK(accept_call(w, second, &l) == 0);
    say_mark(w, LISTENER, SVCONN_LINE_CALL, third);
    for (int tries = 0, more = -1; more < 0 && tries < 100; tries++) more = read_link(&l, got, sizeof got);
    svconn_link_close(&l);
    CHECK(svconn_listener_accept(&w->listener, &l, 0, NULL) == 0 && answers_to(w, third, 4) && q->ends == 2);
    svconn_link_close(&l);
    drop_lines();
}

/* ---- sessions ----------------------------------------------------------------------------------- */

static void three_sessions(void) {
    char peer[100];
    for (int i = 0; i < 3; i++) {
        one_session(20, 1);
        if (i == 0 && call_up() == 0) { /* the link says where it leads; a caller may go away at once */
            svconn_link_peer(&here, peer, sizeof peer);
            CHECK(strcmp(peer, mine->device[CALLER]) == 0);
            svconn_link_close(&here);
        }
    }
}
static int slow; /* an emulator, valgrind: fewer of what is many */
static void plain(void) {
    uint64_t began = svconn_now();
    line *w = new_served_line();
    story(w, three_sessions);
    CHECK(w->sessions >= 4 && w->end[w->sessions < 8 ? w->sessions - 1 : 7] == SVCONN_OK);
    slow = under_valgrind() || svconn_now() - began > 1500;
    drop_lines();
    use_keys();
    w = new_served_line();
    story(w, three_sessions);
    CHECK(w->sessions >= 4 && w->end[w->sessions < 8 ? w->sessions - 1 : 7] == SVCONN_OK);
    drop_lines();
}

/* Who sends, and then waits: a message that was read on the way would lie there until something else happens */
static void flushing_caller(void) {
    const uint8_t *msg;
    size_t len;
    struct pollfd fds[2];
    int wait;
    if (call_up() != 0) return;
    CHECK(is(talk(0, 1), SVCONN_OK));
    len = pattern(data, 0);
    CHECK(is(svconn_pump_send(&session, &here, data, len), SVCONN_OK));
    nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
    CHECK(n == 1 && poll(fds, n, PATIENCE) == 1);
    nap(20);
    CHECK(is(svconn_pump_ready(&session, &here, NULL, 0), SVCONN_OK));
    CHECK(is(svconn_recv(&session, &msg, &len), SVCONN_AGAIN));
    CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_OK) && is_pattern(msg, len, 0));
    CHECK(is(finish(), SVCONN_OK));
}
static void flushing(void) {
    line *w = new_served_line();
    story(w, flushing_caller);
    drop_lines();
}

static void many_messages(void) { one_session(30, 10); }
static void thin_wires(void) {
    static const int chunks[] = {1, 3, 7, 64};
    for (size_t i = 0; i < 4; i++) new_served_line()->chunk = chunks[i];
    for (int i = 0; i < n_lines; i++) start(lines[i], many_messages);
    run();
    for (int i = 0; i < n_lines; i++) CHECK(lines[i]->status == 0 && lines[i]->end[0] == SVCONN_OK);
    drop_lines();
}

static void no_marks_caller(void) {
    svconn_why why = {.text = ""};
    CHECK(svconn_link_open(&here, mine->address[CALLER], 0, &why) == 0 && says(&why, ""));
    CHECK(is(talk(20, 3), SVCONN_OK) && is(finish(), SVCONN_OK));
}
static void without_marks(void) {
    line *w = new_line();
    for (int i = 0; i < 2; i++) set_address(w, i, "?marks=no");
    CHECK(svconn_listen(&w->listener, w->address[LISTENER], NULL) == 0 && w->listener.fd == -1);
    CHECK(svconn_listener_accept(&w->listener, &w->link, 0, NULL) == 0);
    begin(&w->s, &w->config, SVCONN_SERVER, w->sessions == 0, w->rx, w->tx);
    w->in_session = 1;
    nap(1);
    start(w, no_marks_caller);
    while (w->from[LISTENER].passed == 0 && !callers_are_done()) { /* M1 was sent before the caller came: held back */
        nap(200);
        break;
    }
    run();
    CHECK(w->status == 0 && w->end[0] == SVCONN_OK && w->from[0].calls + w->from[1].answers + w->from[1].ends == 0);
    svconn_link l;
    CHECK(svconn_listener_accept(&w->listener, &l, 0, NULL) == -1);
    drop_lines();
}

/* ---- noise -------------------------------------------------------------------------------------- */

#define IN_ORDER 0x40 /* of an exit code: the first session was */
#define LAST_RECORD 24

static uint32_t first_limit; /* for a session that will fail */

static void after_a_failure(void) {
    if (call_up() != 0) return;
    svconn_err err = talk(2, 1), end = finish();
    one_session(3, 1);
    if (test_bad == 0) test_bad = !err && !end ? IN_ORDER : 0;
}

typedef struct {
    int from;
    uint64_t at;
    damage how;
} place;

static int first_in_order(const line *w) { return WIFEXITED(w->status) && WEXITSTATUS(w->status) == IN_ORDER; }

/* Each on a line of its own, at the same time */
static int try_places(const place *p, int count, const uint64_t length[2]) {
    int sure = 0;
    for (int i = 0; i < count; i++) {
        line *w = new_served_line();
        w->from[p[i].from].damaged_at = p[i].at;
        w->from[p[i].from].how = p[i].how;
    }
    handshake_ms = silence_ms = p[0].at < MARK ? 0 : first_limit;
    for (int i = 0; i < count; i++) start(lines[i], after_a_failure);
    run();
    for (int i = 0; i < count; i++) {
        line *w = lines[i];
        int bad = test_bad, is_mark = p[i].at < MARK || p[i].at >= MARK + length[p[i].from];
        int in_last = p[i].at + LAST_RECORD >= MARK + length[p[i].from];
        CHECK(w->status == 0 || first_in_order(w));
        if (p[i].at < MARK) CHECK(first_in_order(w)); /* called again; it had all the time it wanted */
        /* who called more often than twice was slow */
        if (!is_mark && w->from[CALLER].calls == 2 && w->from[p[i].from].was_damaged) {
            sure++;
            int caller_failed = w->status == 0, listener_failed = w->end[0] != SVCONN_OK;
            CHECK(p[i].from == CALLER ? listener_failed : caller_failed);
            if (!in_last) CHECK(caller_failed && listener_failed);
        }
        CHECK(w->end[w->sessions < 8 ? w->sessions - 1 : 7] == SVCONN_OK);
        if (test_bad != bad)
            printf("  (damage %d at %d of %d from %d, %d sessions, first %s, status %x, %d calls)\n", (int)p[i].how,
                   (int)p[i].at, MARK + (int)length[p[i].from], p[i].from, w->sessions, svconn_reason_name(w->end[0]),
                   (unsigned)w->status, w->from[CALLER].calls);
    }
    drop_lines();
    return sure;
}

static void one_short_session(void) {
    if (call_up() != 0) return;
    CHECK(is(talk(2, 1), SVCONN_OK) && is(finish(), SVCONN_OK));
}

static void every_byte(void) {
    uint64_t length[2];
    static place places[4000];
    int n = 0, sure = 0, in_session = 0, step = slow ? 29 : 1;
    line *w = new_served_line();
    story(w, one_short_session);
    run_for(50);
    for (int i = 0; i < 2; i++)
        length[i] = w->from[i].passed - MARK - (uint64_t)(MARK * (w->from[i].ends - (i == LISTENER)));
    printf("  %d and %d bytes of a session\n", (int)length[0], (int)length[1]);
    CHECK(w->status == 0 && length[0] > 150 && length[1] > 100);
    drop_lines();
    if (test_bad) return;
    for (int from = 0; from < 2; from++)
        for (int how = LOST; how <= ADDED; how++)
            for (uint64_t at = 0; at < MARK + length[from]; at += (uint64_t)step) {
                /* its last byte lost: that of the mark behind it is as good, once in 256 times */
                if (how == LOST && at + 1 == MARK + length[from]) continue;
                places[n++] = (place){from, at, (damage)how};
                in_session += at >= MARK;
            }
    first_limit = slow ? 3000 : 200;
    /* those of marks wait for half a second: together, and with more time for the session */
    for (int marks = 1; marks >= 0; marks--) {
        place group[LINES];
        int k = 0, at_once = slow ? 4 : LINES;
        for (int i = 0; i < n && test_bad < 10; i++) {
            if ((places[i].at < MARK) == marks) group[k++] = places[i];
            if (k < at_once && !(k && i == n - 1)) continue;
            int got = try_places(group, k, length);
            if (!marks && got * 4 < k * 3 && at_once > 8) at_once /= 2; /* too much for this machine */
            sure += got;
            k = 0;
        }
    }
    printf("  %d places, %d of them in sessions, %d sure\n", n, in_session, sure);
    CHECK(sure * 10 > in_session);
}

static void noisy_caller(void) {
    if (call_up() != 0) return;
    (void)talk(250, 3);
    (void)finish();
    one_session(3, 1);
}
static void bulk(void) {
    int failed = 0;
    handshake_ms = PATIENCE;
    silence_ms = slow ? 3000 : 400;
    for (int i = 0; i < 8; i++) {
        line *w = new_served_line();
        w->noise = 10000u + 3000u * (unsigned)i;
        w->noise_from = 2000;
    }
    for (int i = 0; i < n_lines; i++) start(lines[i], noisy_caller);
    run();
    for (int i = 0; i < n_lines; i++) {
        line *w = lines[i];
        CHECK(w->status == 0 && w->sessions >= 2 && w->end[w->sessions < 8 ? w->sessions - 1 : 7] == SVCONN_OK);
        failed += w->end[0] != SVCONN_OK;
    }
    CHECK(failed >= 5);
    drop_lines();
}

/* ---- what stood on the line before -------------------------------------------------------------- */

static void random_garbage(line *w, int end, size_t len) {
    uint8_t bytes[1000];
    while (len) {
        size_t n = len < sizeof bytes ? len : sizeof bytes;
        for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)dice();
        say_to(w, end, bytes, n);
        len -= n;
        if (end == LISTENER) turn();
    }
}

static void after_garbage_at_listener(void) {
    static const char boot[] = "\r\nU-Boot 2023.01\r\n\r\nHit any key to stop autoboot:  0\r\n\x16\x16\x16\x16SVC";
    line *w = new_served_line();
    say_to(w, LISTENER, boot, sizeof boot - 1);
    story(w, three_sessions);
    random_garbage(w, LISTENER, 100000);
    story(w, three_sessions);
    say_mark(w, LISTENER, SVCONN_LINE_END, third);
    say_mark(w, LISTENER, SVCONN_LINE_ANSWER, third);
    say_mark(w, LISTENER, SVCONN_LINE_END, zeros);
    story(w, three_sessions);
    for (uint8_t i = 0; i < 20; i++) { /* calls of before begin sessions, the new one ends them */
        uint8_t nonce[8] = {i};
        say_mark(w, LISTENER, SVCONN_LINE_CALL, nonce);
        for (int k = i % 4; k; k--) turn();
    }
    story(w, three_sessions);
    CHECK(w->end[0] == SVCONN_OK);
    drop_lines();
}

/* Between the call and its answer; what came before was dropped when the device was opened */
static void calls_amid_garbage(void) { one_session(5, 1); }
static void after_garbage_at_caller(void) {
    line *w = new_served_line();
    w->delay_ms = 20;
    start(w, calls_amid_garbage);
    uint64_t limit = svconn_now() + PATIENCE;
    while (!w->from[CALLER].calls && svconn_now() < limit) carry(w);
    random_garbage(w, CALLER, 20000);
    say_mark(w, CALLER, SVCONN_LINE_ANSWER, third);
    say_mark(w, CALLER, SVCONN_LINE_ANSWER, zeros);
    say_mark(w, CALLER, SVCONN_LINE_END, w->from[CALLER].nonce);
    say_mark(w, CALLER, SVCONN_LINE_END, zeros);
    say_to(w, CALLER, "\x16\x16\x16\x16SVC1A", 9);
    run();
    CHECK(w->status == 0);
    drop_lines();
}

/* ---- one side goes and comes back --------------------------------------------------------------- */

static void waits_for_ever(void) {
    if (call_up() != 0) return;
    CHECK(is(talk(3, 1), SVCONN_OK));
    for (;;) nap(1000);
}
static void run_until_messages(line *w, int count) {
    uint64_t limit = svconn_now() + PATIENCE;
    while (!(w->in_session && w->lasts >= count) && svconn_now() < limit) turn();
    CHECK(w->lasts >= count);
}
static void caller_killed(void) {
    line *w = new_served_line();
    start(w, waits_for_ever);
    run_until_messages(w, 3);
    int ends = w->from[LISTENER].ends;
    kill(w->caller, SIGKILL);
    CHECK(waitpid(w->caller, NULL, 0) == w->caller);
    w->caller = 0;
    run_for(30);
    CHECK(w->in_session && w->sessions == 0); /* nobody has said a word */
    start(w, three_sessions);
    uint64_t limit = svconn_now() + PATIENCE;
    while (w->sessions == 0 && svconn_now() < limit) turn();
    CHECK(is(w->end[0], SVCONN_E_TRUNCATED));
    carry(w);
    CHECK(w->from[LISTENER].ends == ends); /* END would belong to nobody's session */
    run();
    CHECK(w->status == 0);
    drop_lines();
}

static void *volatile graves[4]; /* what a killed process had; seen by leak checkers */
static int n_graves;

static void kill_listener(line *w) {
    static const svconn_link no_link = SVCONN_LINK_NONE;
    graves[n_graves++] = w->listener.state;
    close(w->listener.fd);
    w->listener.fd = -1;
    w->listener.ops = NULL;
    w->link = no_link;
    svconn_wipe(&w->s);
    w->in_session = 0;
}
static void stays_until_cut(void) {
    const uint8_t *msg;
    size_t len;
    if (call_up() != 0) return;
    CHECK(is(talk(3, 1), SVCONN_OK));
    CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_E_TRUNCATED));
    CHECK(is(finish(), SVCONN_E_TRUNCATED));
}
static void stays_until_the_end(void) {
    stays_until_cut();
    one_session(3, 1);
}
static void listener_killed(void) {
    line *w = new_served_line();
    start(w, stays_until_the_end);
    run_until_messages(w, 3);
    run_for(20);
    kill_listener(w);
    listen_on(w);
    run();
    CHECK(w->status == 0);
    drop_lines();
}

static void delayed_caller(void) {
    if (call_up() != 0) return;
    CHECK(is(talk(0, 1), SVCONN_OK) && is(finish(), SVCONN_OK));
}
/* ---- nobody, or the wrong one ------------------------------------------------------------------- */

static int calls_in_vain(const char *part, svconn_fault fault, int timeout_ms) {
    svconn_why why = {.text = ""};
    uint64_t began = svconn_now();
    int result = svconn_link_open(&here, mine->address[CALLER], timeout_ms, &why);
    CHECK(result == -1 && says(&why, part) && why.fault == fault && here.in == -1 && !here.ops);
    CHECK(svconn_now() - began < PATIENCE / 4);
    return result == -1;
}
static void finds_nobody(void) {
    (void)calls_in_vain("no answer: does the other side listen", SVCONN_FAULT_NOT_THERE, 700);
}
static void finds_rival(void) { (void)calls_in_vain("calls as well", SVCONN_FAULT_NOT_THERE, 10000); }
static void finds_echo(void) { (void)calls_in_vain("what we send comes back", SVCONN_FAULT_LOCAL, 10000); }
static void finds_nothing(void) { (void)calls_in_vain("the device is gone (unplugged?)", SVCONN_FAULT_CUT, 10000); }
static void meetings(void) {
    line *late = new_served_line(), *nobody = new_line(), *echo = new_line(), *rival = new_line();
    late->delay_ms = getenv("SVCONN_SLOW") ? 1500 : 600; /* each way: together much more than the first pause */
    nobody->cut = echo->echo = rival->cut = 1;
    start(late, delayed_caller);
    start(nobody, finds_nobody);
    start(echo, finds_echo);
    start(rival, finds_rival);
    uint64_t limit = svconn_now() + PATIENCE;
    while (!rival->from[CALLER].calls && svconn_now() < limit) turn();
    for (int i = 0; i < 3; i++) say_mark(rival, CALLER, SVCONN_LINE_CALL, third); /* fewer may be old ones */
    run();
    CHECK(late->status == 0 && late->from[CALLER].calls >= 2);
    CHECK(nobody->status == 0 && nobody->from[CALLER].calls >= 2);
    CHECK(echo->status == 0 && rival->status == 0);
    drop_lines();
}

/* What comes without end does not hold up the deadline, nor a poll loop */
static void flood(int fd, int kind) {
    static uint8_t bytes[MARK * 100];
    for (int i = 0; i < 100; i++) {
        uint8_t nonce[8] = {1, (uint8_t)i};
        svconn_line_mark(bytes + MARK * i, (svconn_line_kind)kind, nonce);
    }
    for (;;) {
        for (size_t i = 0; kind == 0 && i < sizeof bytes; i++) bytes[i] = (uint8_t)dice();
        if (write(fd, bytes, sizeof bytes) < 0) (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 100);
    }
}
static pid_t start_flood(line *w, int end, int kind) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    alarm(PATIENCE / 1000);
    flood(w->master[end], kind);
    _exit(0);
}
static void stop_flood(pid_t pid) {
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
}
static void calls_in_a_flood(void) { (void)calls_in_vain("no answer", SVCONN_FAULT_NOT_THERE, 200); }
static void calls_against_a_flood(void) { (void)calls_in_vain("calls as well", SVCONN_FAULT_NOT_THERE, 200); }
static void floods(void) {
    static const int kinds[] = {0, SVCONN_LINE_CALL, SVCONN_LINE_ANSWER, SVCONN_LINE_END};
    for (size_t i = 0; i < 4; i++) {
        line *w = new_line();
        svconn_link l;
        w->cut = 1;
        pid_t pid = start_flood(w, CALLER, kinds[i]);
        nap(5);
        start(w, kinds[i] == SVCONN_LINE_CALL ? calls_against_a_flood : calls_in_a_flood);
        run();
        CHECK(w->status == 0);
        stop_flood(pid);
        CHECK(svconn_listen(&w->listener, w->address[LISTENER], NULL) == 0);
        pid = start_flood(w, LISTENER, kinds[i]);
        nap(5);
        uint64_t began = svconn_now();
        for (int k = 0; k < 30; k++) {
            int got = svconn_listener_accept(&w->listener, &l, 0, NULL);
            CHECK(kinds[i] == SVCONN_LINE_CALL || got == -1);
            if (got == 0) svconn_link_close(&l);
            take_in(w, LISTENER);
        }
        CHECK(svconn_now() - began < PATIENCE / 2);
        stop_flood(pid);
        drop_lines();
    }
}

/* ---- unplugged ---------------------------------------------------------------------------------- */

static void unplugged(void) {
    svconn_why why = {.text = ""};
    svconn_link l;
    line *w = new_served_line(); /* while listening */
    unplug(w, LISTENER);
    CHECK(svconn_listener_accept(&w->listener, &l, PATIENCE, &why) == -1 && w->listener.fd == -1);
    CHECK(says(&why, "the device is gone (unplugged?)") && why.fault == SVCONN_FAULT_CUT);
    CHECK(svconn_listener_accept(&w->listener, &l, PATIENCE, &why) == -1);
    drop_lines();

    w = new_line(); /* while calling */
    start(w, finds_nothing);
    uint64_t limit = svconn_now() + PATIENCE;
    while (!w->from[CALLER].calls && svconn_now() < limit) take_in(w, CALLER);
    unplug(w, CALLER);
    run();
    CHECK(w->status == 0);
    drop_lines();

    w = new_served_line(); /* in a session, both ends */
    start(w, stays_until_cut);
    run_until_messages(w, 3);
    run_for(20);
    unplug(w, CALLER);
    unplug(w, LISTENER);
    run();
    CHECK(w->status == 0 && w->sessions == 1 && is(w->end[0], SVCONN_E_TRUNCATED));
    for (int i = 0; i < 100 && !w->over; i++) turn();
    CHECK(w->over && w->listener.fd == -1);
    drop_lines();
}

/* ---- a loop that must not spin, an end that must not wait for ever ------------------------------ */

static int turns_in(int ms) {
    int n = 0;
    uint64_t until = svconn_now() + (uint64_t)ms;
    for (; svconn_now() < until; n++) turn();
    return n;
}
static void no_spinning(void) {
    line *w = new_served_line();
    svconn_link l;
    struct pollfd fds[SVCONN_LISTENER_FDS];
    int wait = -1;
    CHECK(turns_in(200) < 40);
    say_to(w, LISTENER, "\x16\x16\x16\x16SV", 6);
    CHECK(turns_in(200) < 40);
    start(w, waits_for_ever);
    run_until_messages(w, 3);
    CHECK(svconn_listener_want(&w->listener, fds, &wait) == 0 && wait == -1); /* lent */
    CHECK(svconn_listener_accept(&w->listener, &l, PATIENCE, NULL) == -1);    /* at once */
    CHECK(turns_in(200) < 40);
    say_mark(w, LISTENER, SVCONN_LINE_END, w->from[CALLER].nonce);
    CHECK(turns_in(200) < 50 && w->sessions == 1);
    kill(w->caller, SIGKILL);
    CHECK(waitpid(w->caller, NULL, 0) == w->caller);
    w->caller = 0;
    clock_t used = clock();
    CHECK(svconn_listener_accept(&w->listener, &l, 300, NULL) == -1);
    CHECK((clock() - used) * 1000 / CLOCKS_PER_SEC < 200);
    unplug(w, LISTENER);
    CHECK(turns_in(100) < 30 && w->over);
    drop_lines();
}

/* The other end reads nothing, and the buffers of the system are full: nothing goes out */
static void stuck(void) {
    uint8_t bytes[1000] = {0};
    line *w = new_served_line();
    svconn_link l;
    CHECK(accept_call(w, first, &l) == 0);
    for (size_t size = sizeof bytes; size; size = size > 1 ? 1 : 0) /* to the last byte */
        for (int full = 0; full < 5;) {
            if (l.ops->write(&l, bytes, size) > 0) full = 0;
            else {
                CHECK(errno == EAGAIN);
                full++;
                nap(2);
            }
        }
    uint64_t began = svconn_now();
    svconn_link_close(&l);
    CHECK(svconn_now() - began < PATIENCE / 4);
    CHECK(accept_call(w, second, &l) == 0); /* what is still to be sent is dropped */
    CHECK(svconn_now() - began < PATIENCE / 4 && answers_to(w, second, 2));
    svconn_link_close(&l);
    drop_lines();
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    printf("  (seed %u)\n", SEED);
    use_psk();
    TEST("serial: bad addresses, speeds that do not exist, devices that are none", bad_addresses);
    TEST("serial: raw while it is open, as it was when it is closed", raw_and_given_back);
    TEST("serial: one program at a time", one_at_a_time);
    TEST("serial: lock files, of the living and of the dead", lock_files);
    TEST("serial: which marks end a session, and what belongs to it", marks_in_a_session);
    TEST("serial: the byte behind the answer is the first one", first_bytes);
    TEST("serial: only the last call is answered", only_the_last_call);
    TEST("serial: END is said once, of the right session", last_words);
    TEST("serial: sessions one after another, both kinds of identity", plain);
    TEST("serial: to send reads nothing", flushing);
    TEST("serial: both directions at once over wires that take a few bytes", thin_wires);
    TEST("serial: a session without marks", without_marks);
    TEST("serial: a byte lost, changed, added at every place of a session: it fails, the next call succeeds",
         every_byte);
    TEST("serial: noise in bulk: no wrong byte, and the next call succeeds", bulk);
    TEST("serial: garbage on the line before a call", after_garbage_at_listener);
    TEST("serial: garbage between a call and its answer", after_garbage_at_caller);
    TEST("serial: a caller that was killed, and the next one", caller_killed);
    TEST("serial: a listener that was killed, and its next start", listener_killed);
    TEST("serial: a line slower than the first pause; nobody answers, an echo, another caller", meetings);
    TEST("serial: floods hold up nobody", floods);
    TEST("serial: unplugged", unplugged);
    TEST("serial: no loop spins", no_spinning);
    TEST("serial: an end while nothing goes out", stuck);
    return TEST_EXIT();
}
