/* SPDX-License-Identifier: ISC */
/*
 * dir: links. In the first part the caller is made by hand, file by file, as transport/spool.c describes them: so it
 * can lay traps. In the second part both sides are real, in two processes.
 */
#include "session_lab.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 20000 /* ms; far more than anything here takes */
#define FILES_MAX 16   /* of transport/spool.c */
#define SESSION "svconn-0123456789abcdef0123456789abcdef"
#define OTHER "svconn-ffffffffffffffffffffffffffffffff"

static char directory[] = "/tmp/svconn-test-XXXXXX"; /* each test empties it */
static char address[100];
static svconn_link here;
static svconn_why why;
static uint8_t data[1100000], got[1100000];

/* ---- vocabulary --------------------------------------------------------------------------------- */

static int says(const char *part) {
    if (strstr(why.text, part)) return 1;
    printf("  said \"%s\", want \"%s\"\n", why.text, part);
    return 0;
}

static const char *path_of(const char *place, const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s%s%s%s%s", directory, *place ? "/" : "", place, *name ? "/" : "", name);
    return path;
}

static int put(const char *place, const char *name, const void *bytes, size_t len) {
    int fd = open(path_of(place, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int ok = fd >= 0 && write(fd, bytes, len) == (ssize_t)len;
    if (fd >= 0) close(fd);
    return ok;
}

static int is_there(const char *place, const char *name) {
    struct stat st;
    return lstat(path_of(place, name), &st) == 0;
}

static int holds(const char *place, const char *name, const char *text) {
    char bytes[300] = {0};
    int fd = open(path_of(place, name), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, bytes, sizeof bytes - 1) : -1;
    if (fd >= 0) close(fd);
    if (n == (ssize_t)strlen(text) && strcmp(bytes, text) == 0) return 1;
    printf("  %s holds \"%s\", not \"%s\"\n", name, n < 0 ? "(none)" : bytes, text);
    return 0;
}

static mode_t mode_of(const char *place, const char *name) {
    struct stat st;
    return lstat(path_of(place, name), &st) == 0 ? st.st_mode & 07777 : 0;
}

/* How many entries */
static int count(const char *place) {
    int n = 0;
    DIR *d = opendir(path_of(place, ""));
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d) closedir(d);
    return d ? n : -1;
}

static void empty(void) {
    char command[100];
    svconn_link_close(&here);
    snprintf(command, sizeof command, "rm -rf %s && mkdir -m 700 %s", directory, directory);
    CHECK(system(command) == 0);
}

/* A caller by hand. */
static void make_caller(const char *place) {
    CHECK(mkdir(path_of(place, ""), 0700) == 0);
    CHECK(put(place, "c2s-ready", "", 0));
}

static int accept_link(int timeout) {
    svconn_listener n;
    why.text[0] = 0;
    int ok = svconn_listen(&n, address, &why) == 0 && svconn_listener_accept(&n, &here, timeout, &why) == 0;
    svconn_listener_close(&n);
    return ok;
}

/* The listener's end of a link to a caller by hand. */
static int open_one(void) {
    empty();
    make_caller(SESSION);
    CHECK(accept_link(PATIENCE));
    return here.ops != NULL;
}

static ssize_t read_here(void *bytes, size_t len) { return here.ops->read(&here, bytes, len); }
static ssize_t write_here(const void *bytes, size_t len) { return here.ops->write(&here, bytes, len); }
static int reads(const char *text) {
    ssize_t n = read_here(got, 300);
    return n == (ssize_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}
static void nap(int ms) { (void)poll(NULL, 0, ms); }
static int later(ssize_t n) { return n == -1 && errno == EAGAIN; }

/* ---- files -------------------------------------------------------------------------------------- */

#define C2S(n) "c2s-0000000000000000000" n
#define S2C(n) "s2c-0000000000000000000" n

/* The names and modes are as described; one file for each write; read files are gone. */
static void files(void) {
    if (!open_one()) return;
    CHECK(is_there(SESSION, "s2c-taken") && mode_of(SESSION, "s2c-taken") == 0600);
    CHECK(later(read_here(got, 10)));
    CHECK(write_here("first", 5) == 5 && write_here("second", 6) == 6 && write_here("", 0) == 0);
    CHECK(holds(SESSION, S2C("1"), "first") && holds(SESSION, S2C("2"), "second") && !is_there(SESSION, S2C("3")));
    CHECK(mode_of(SESSION, S2C("1")) == 0600 && !is_there(SESSION, "s2c-new"));
    CHECK(put(SESSION, C2S("2"), "two", 3));
    CHECK(later(read_here(got, 10))); /* the first one is not there yet */
    CHECK(put(SESSION, C2S("1"), "one", 3));
    CHECK(read_here(got, 2) == 2 && memcmp(got, "on", 2) == 0 && is_there(SESSION, C2S("1")));
    CHECK(reads("e") && !is_there(SESSION, C2S("1")));
    CHECK(reads("two") && !is_there(SESSION, C2S("2")));
    CHECK(later(read_here(got, 10)));
    CHECK(is_there(SESSION, S2C("1"))); /* never our own */
    empty();
}

static void file_sizes(void) {
    if (!open_one()) return;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i + (i >> 8));
    CHECK(write_here(data, sizeof data) == 1048576); /* no file is larger */
    CHECK(put(SESSION, C2S("1"), data, 1048576));
    size_t at = 0;
    for (ssize_t n; (n = read_here(got + at, 70001)) > 0;) at += (size_t)n;
    CHECK(at == 1048576 && memcmp(got, data, at) == 0);
    CHECK(put(SESSION, C2S("2"), "", 0) && put(SESSION, C2S("3"), "x", 1)); /* an empty one is none */
    CHECK(reads("x") && !is_there(SESSION, C2S("2")));
    empty();
}

/* Our end behind our last byte, its end behind its last byte; each once, and neither before its place. */
static void ends(void) {
    if (!open_one()) return;
    CHECK(put(SESSION, C2S("2") "-end", "", 0));
    CHECK(later(read_here(got, 10)));
    CHECK(put(SESSION, C2S("1"), "last", 4));
    CHECK(reads("last") && read_here(got, 10) == 0 && read_here(got, 10) == 0);
    CHECK(write_here("a", 1) == 1); /* the other direction goes on */
    here.ops->end(&here);
    here.ops->end(&here);
    CHECK(is_there(SESSION, S2C("2") "-end") && !is_there(SESSION, S2C("3") "-end"));
    CHECK(write_here("b", 1) == -1 && errno == EPIPE && !is_there(SESSION, S2C("2")));
    empty();
}

/* A writer stops while its files are unread, and goes on when one was read; the peer's end is the end of waiting. */
static void back_pressure(void) {
    char name[40];
    if (!open_one()) return;
    for (int i = 0; i < FILES_MAX; i++) CHECK(write_here("x", 1) == 1);
    CHECK(later(write_here("y", 1)) && later(write_here("y", 1)) && !is_there(SESSION, "s2c-00000000000000000017"));
    CHECK(unlink(path_of(SESSION, S2C("2"))) == 0);
    CHECK(later(write_here("y", 1))); /* out of order is none of ours */
    CHECK(unlink(path_of(SESSION, S2C("1"))) == 0);
    CHECK(write_here("y", 1) == 1 && write_here("y", 1) == 1 && later(write_here("y", 1)));
    CHECK(holds(SESSION, "s2c-00000000000000000018", "y"));
    struct pollfd fds[2];
    uint64_t when = UINT64_MAX;
    CHECK(here.ops->want(&here, POLLOUT, fds, &when) == 0 && when <= svconn_now() + 200);
    CHECK(put(SESSION, "c2s-gone", "", 0));
    CHECK(write_here("y", 1) == -1 && errno == EPIPE);
    for (int i = 3; i <= 18; i++) {
        snprintf(name, sizeof name, "s2c-%020d", i);
        CHECK(is_there(SESSION, name));
    }
    empty();
}

/* The last one out removes the directory, and nothing in it that is not ours. */
static void tidying(void) {
    if (!open_one()) return;
    CHECK(write_here("a", 1) == 1 && put(SESSION, C2S("1"), "unread", 6));
    svconn_link_close(&here);
    CHECK(here.ops == NULL && here.state == NULL);
    CHECK(is_there(SESSION, "s2c-gone") && is_there(SESSION, S2C("2") "-end") && is_there(SESSION, S2C("1")));
    if (!open_one()) return;
    CHECK(write_here("a", 1) == 1 && put(SESSION, "c2s-gone", "", 0));
    svconn_link_close(&here);
    CHECK(!is_there(SESSION, "") && count("") == 0);
    if (!open_one()) return;
    CHECK(put(SESSION, "a letter", "", 0) && put(SESSION, "c2s-gone", "", 0) &&
          mkdir(path_of(SESSION, "c2s-x"), 0700) == 0);
    svconn_link_close(&here);
    CHECK(count(SESSION) == 2 && is_there(SESSION, "a letter") && is_there(SESSION, "c2s-x"));
    empty();
}

/* The session was taken away under us: it has ended, and there is nowhere to write. */
static void removed(void) {
    char command[150];
    if (!open_one()) return;
    snprintf(command, sizeof command, "rm -r %s/" SESSION, directory);
    CHECK(system(command) == 0);
    CHECK(read_here(got, 10) == 0 && write_here("a", 1) == -1);
    svconn_link_close(&here);
    CHECK(count("") == 0);
    empty();
}

/* Seldom when nothing happens, often when something does, never while nothing is wanted. */
static void polling(void) {
    struct pollfd fds[2];
    uint64_t when = UINT64_MAX, now = svconn_now();
    if (!open_one()) return;
    CHECK(here.ops->want(&here, POLLIN, fds, &when) == 0 && when > now && when < now + 100);
    nap(1500);
    now = svconn_now();
    when = UINT64_MAX;
    (void)here.ops->want(&here, POLLIN, fds, &when);
    CHECK(when >= now + 150 && when <= now + 250);
    when = now + 5;
    (void)here.ops->want(&here, POLLIN, fds, &when);
    CHECK(when == now + 5);
    when = UINT64_MAX;
    CHECK(here.ops->want(&here, 0, fds, &when) == 0 && when == UINT64_MAX);
    CHECK(put(SESSION, C2S("1"), "x", 1) && reads("x"));
    now = svconn_now();
    (void)here.ops->want(&here, POLLIN, fds, &when);
    CHECK(when <= now + 50);
    empty();
}

/* ---- traps -------------------------------------------------------------------------------------- */

/* What stands where the next file is expected ends the link, and nothing outside is read, written or removed. */
static void traps_for_the_reader(void) {
    for (int trap = 0; trap < 6; trap++) {
        if (!open_one()) return;
        CHECK(put("", "secret", "secret", 6));
        const char *at = path_of(SESSION, C2S("1"));
        if (trap == 0) CHECK(symlink("../secret", at) == 0);
        if (trap == 1) CHECK(symlink("/dev/zero", at) == 0);
        if (trap == 2) CHECK(mkfifo(at, 0600) == 0); /* must not wait for a writer */
        if (trap == 3) CHECK(mkdir(at, 0700) == 0);
        if (trap == 4) CHECK(put(SESSION, C2S("1"), data, 1048577));
        if (trap == 5) CHECK(symlink(C2S("1"), at) == 0);
        ssize_t n = read_here(got, 100);
        if (n >= 0 || errno == EAGAIN) printf("  trap %d: %d\n", trap, (int)n);
        CHECK(n == -1 && errno != EAGAIN);
        svconn_link_close(&here);
        CHECK(holds("", "secret", "secret"));
    }
    empty();
}

static void traps_for_the_writer(void) {
    if (!open_one()) return;
    CHECK(put("", "secret", "secret", 6));
    CHECK(symlink("../secret", path_of(SESSION, "s2c-new")) == 0);
    CHECK(symlink("../secret", path_of(SESSION, S2C("1"))) == 0);
    CHECK(write_here("ours", 4) == 4 && holds(SESSION, S2C("1"), "ours") && holds("", "secret", "secret"));
    CHECK(mkdir(path_of(SESSION, S2C("2")), 0700) == 0);
    CHECK(write_here("x", 1) == -1 && errno != EAGAIN);
    CHECK(unlink(path_of(SESSION, "s2c-new")) == 0 && mkdir(path_of(SESSION, "s2c-new"), 0700) == 0);
    CHECK(write_here("x", 1) == -1 && errno != EAGAIN);
    CHECK(symlink("../secret", path_of(SESSION, S2C("2") "-end")) == 0);
    CHECK(symlink("../secret", path_of(SESSION, "s2c-gone")) == 0);
    svconn_link_close(&here);
    CHECK(holds("", "secret", "secret"));
    if (!open_one()) return;
    CHECK(symlink("../made", path_of(SESSION, S2C("1") "-end")) == 0);
    CHECK(symlink("../made", path_of(SESSION, "s2c-gone")) == 0);
    svconn_link_close(&here);
    CHECK(!is_there("", "made"));
    empty();
}

/* What is no session of a living caller is not taken, and not touched. */
static void left_overs(void) {
    empty();
    CHECK(mkdir(path_of("elsewhere", ""), 0700) == 0 && put("elsewhere", "c2s-ready", "", 0));
    CHECK(symlink("elsewhere", path_of("svconn-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")) == 0);
    CHECK(put("", "svconn-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "", 0));
    static const char *const odd[] = {"svconn-0123456789abcdef0123456789abcde",
                                      "svconn-0123456789abcdef0123456789abcdef0",
                                      "svconn-0123456789ABCDEF0123456789ABCDEF",
                                      "svconn-",
                                      "svconn-0123456789abcdef0123456789abcd\n",
                                      "-rf",
                                      "\xff\xfe",
                                      "c2s-ready",
                                      SESSION "-and-so-on-and-so-on-and-so-on-and-so-on"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) make_caller(odd[i]);
    make_caller("svconn-cccccccccccccccccccccccccccccccc"); /* somebody else has it */
    CHECK(put("svconn-cccccccccccccccccccccccccccccccc", "s2c-taken", "", 0));
    make_caller("svconn-dddddddddddddddddddddddddddddddd"); /* the caller is gone */
    CHECK(put("svconn-dddddddddddddddddddddddddddddddd", "c2s-gone", "", 0));
    CHECK(mkdir(path_of(OTHER, ""), 0700) == 0); /* it died before it was seen */
    CHECK(put(OTHER, C2S("1"), "old bytes", 9));
    CHECK(!accept_link(400) && says("nobody called on dir:"));
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) CHECK(count(odd[i]) == 1);
    CHECK(count("elsewhere") == 1 && count("svconn-cccccccccccccccccccccccccccccccc") == 2);
    CHECK(count("svconn-dddddddddddddddddddddddddddddddd") == 2);
    CHECK(count(OTHER) == 2 && is_there(OTHER, "s2c-ready")); /* it was asked */
    make_caller(SESSION);
    CHECK(accept_link(PATIENCE) && later(read_here(got, 10)));
    char peer[100];
    svconn_link_peer(&here, peer, sizeof peer);
    CHECK(strcmp(peer, "directory " SESSION) == 0);
    CHECK(put(OTHER, "c2s-ready", "", 0)); /* it lives after all */
    svconn_link_close(&here);
    CHECK(accept_link(PATIENCE) && reads("old bytes"));
    empty();
}

/* ---- opening ------------------------------------------------------------------------------------ */

static void nobody_listens(void) {
    empty();
    uint64_t begin = svconn_now();
    CHECK(svconn_link_open(&here, address, 300, &why) == -1 && says("does a server listen on this directory"));
    CHECK(why.fault == SVCONN_FAULT_UNREACHABLE && svconn_now() - begin >= 290 && svconn_now() - begin < PATIENCE);
    CHECK(count("") == 0); /* nothing is left of it */
    CHECK(svconn_link_open(&here, "dir:/nowhere/at/all", 300, &why) == -1 && says("is it mounted"));
    CHECK(why.fault == SVCONN_FAULT_UNREACHABLE);
    CHECK(svconn_link_open(&here, "dir:/dev/null", 300, &why) == -1 && says("cannot open the directory"));
    CHECK(svconn_link_open(&here, "dir:", 300, &why) == -1 && says("it looks like dir:PATH"));
    svconn_listener n;
    CHECK(svconn_listen(&n, "dir:/dev/null", &why) == -1 && says("cannot open the directory"));
    CHECK(svconn_listen(&n, "dir:/nowhere/at/all", &why) == -1 && says("cannot make the directory"));
    CHECK(svconn_listener_accept(&n, &here, 0, &why) == -1);
}

/* A listener that looks, but is busy: the caller learns that somebody is there. */
static void busy_listener(void) {
    empty();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) { /* asks who comes, takes nobody */
            DIR *d = opendir(directory);
            struct dirent *e;
            while (d && (e = readdir(d)) != NULL)
                if (strncmp(e->d_name, "svconn-", 7) == 0) (void)put(e->d_name, "s2c-ready", "", 0);
            if (d) closedir(d);
            nap(20);
        }
    }
    CHECK(svconn_link_open(&here, address, 500, &why) == -1 && says("did not take the session in time; is it busy?"));
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    empty();
}

/* Calls from a child; it says its number, and leaves when it was answered by the same number. */
static pid_t caller(uint8_t number) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid) return pid;
    uint8_t answer = 0;
    if (svconn_link_open(&here, address, PATIENCE, &why) != 0) _exit(1);
    if (write_here(&number, 1) != 1) _exit(2);
    while (later(read_here(&answer, 1))) nap(1);
    svconn_link_close(&here);
    _exit(answer == number ? 0 : 3);
}

static void two_callers(void) {
    svconn_listener n;
    svconn_link l[2];
    pid_t pid[2];
    uint8_t number[2] = {0, 0};
    int status;
    empty();
    CHECK(svconn_listen(&n, address, &why) == 0 && n.fd == -1 && strcmp(n.address, address) == 0);
    for (int i = 0; i < 2; i++) pid[i] = caller((uint8_t)(i + 1));
    for (int i = 0; i < 2; i++) CHECK(svconn_listener_accept(&n, &l[i], PATIENCE, &why) == 0);
    for (int i = 0; i < 2; i++)
        while (later(l[i].ops->read(&l[i], &number[i], 1))) nap(1);
    CHECK(number[0] + number[1] == 3 && number[0] && number[1]);
    for (int i = 0; i < 2; i++) CHECK(l[i].ops->write(&l[i], &number[i], 1) == 1);
    for (int i = 0; i < 2; i++) CHECK(waitpid(pid[i], &status, 0) == pid[i] && status == 0);
    for (int i = 0; i < 2; i++) svconn_link_close(&l[i]);
    CHECK(count("") == 0);
    svconn_listener_close(&n);
    CHECK(svconn_listener_accept(&n, &here, 0, &why) == -1);
}

/* Eight listeners at once, one caller: one of them has it. */
static void many_listeners(void) {
    int took = 0, status;
    empty();
    fflush(stdout);
    for (int i = 0; i < 8; i++)
        if (fork() == 0) _exit(accept_link(1500) ? 1 : 0);
    nap(50);
    make_caller(SESSION);
    for (int i = 0; i < 8; i++) {
        CHECK(wait(&status) > 0 && WIFEXITED(status));
        took += WEXITSTATUS(status);
    }
    CHECK(took == 1);
    empty();
}

/* ---- whole sessions ----------------------------------------------------------------------------- */

#define BULK 1000000
#define BULK_MESSAGE 40000

/* run in a child, behind accept; here is the caller's end. */
static pid_t start(void (*run)(void)) {
    empty();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(100);
        CHECK(accept_link(PATIENCE));
        make_session(SVCONN_SERVER);
        if (!test_bad) run();
        svconn_link_close(&here);
        svconn_wipe(&session);
        fflush(stdout);
        _exit(test_bad < 100 ? test_bad : 100);
    }
    CHECK(svconn_link_open(&here, address, PATIENCE, &why) == 0);
    make_session(SVCONN_CLIENT);
    return pid;
}

static void end_session(pid_t pid) {
    int status;
    svconn_link_close(&here);
    svconn_wipe(&session);
    memset(&config, 0, sizeof config);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void echo_server(void) {
    echo_all(&here);
}

static void session_blocking(void) {
    const uint8_t *msg;
    size_t len;
    char peer[100];
    pid_t pid = start(echo_server);
    svconn_link_peer(&here, peer, sizeof peer);
    CHECK(mode_of(strchr(peer, ' ') + 1, "") == 0700);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    for (size_t at = 0; at < BULK; at += BULK_MESSAGE) {
        CHECK(is(svconn_pump_send(&session, &here, data, BULK_MESSAGE), SVCONN_OK));
        CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_OK) && len == BULK_MESSAGE);
        CHECK(memcmp(msg, data, BULK_MESSAGE) == 0);
    }
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_OK) && svconn_pump_is_over(&session, &here));
    end_session(pid);
    CHECK(count("") == 0);
}

/* As much on its way as goes: more than FILES_MAX files of it; small messages, which then travel together. */
static void session_polling(void) {
    size_t sent = 0, received = 0, turns = 0;
    int closing = 0;
    pid_t pid = start(echo_server);
    while (!svconn_pump_is_over(&session, &here)) {
        struct pollfd fds[2];
        const uint8_t *msg;
        size_t len;
        int wait;
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        CHECK(n == 0 && wait >= 0 && wait <= 200);
        (void)poll(fds, n, wait);
        turns++;
        if (svconn_pump_ready(&session, &here, fds, n)) break;
        if (svconn_status(&session) == SVCONN_NEEDS_VERDICT) welcome(&session, NULL);
        while (sent < 500 * 1000 && svconn_send(&session, data, 1000, svconn_now()) == SVCONN_OK) sent += 1000;
        while (svconn_recv(&session, &msg, &len) == SVCONN_OK) {
            CHECK(len == 1000 && memcmp(msg, data, len) == 0);
            received += len;
            if (svconn_recv_done(&session)) break;
        }
        if (received >= 500 * 1000 && !closing) closing = svconn_close(&session, svconn_now()) == SVCONN_OK;
    }
    CHECK(is(svconn_error(&session), SVCONN_OK) && svconn_status(&session) == SVCONN_CLOSED);
    CHECK(sent == received && sent == 500 * 1000);
    CHECK(turns < 20000);
    end_session(pid);
    CHECK(count("") == 0);
}

/* The error packet is found, in both directions, and nobody waits out his second for it. */
static void failing_server(void) {
    abort_after_one(&here);
}

static void session_failing(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(failing_server);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    CHECK(is(svconn_pump_send(&session, &here, data, 60000), SVCONN_OK));
    CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_E_ABORTED));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_ABORTED));
    end_session(pid);
}

static int gate[2]; /* what is read there lets the server look at what has come */

static void refused_server(void) {
    char c;
    CHECK(is(svconn_pump_ready(&session, &here, NULL, 0), SVCONN_OK)); /* M1 */
    CHECK(read(gate[0], &c, 1) == 1);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_E_ABORTED));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_ABORTED));
}

static void session_refused(void) {
    CHECK(pipe(gate) == 0);
    pid_t pid = start(refused_server);
    CHECK(is(svconn_pump_handshake(&session, &here, NULL, NULL), SVCONN_E_REFUSED));
    struct pollfd fds[2];
    CHECK(is(svconn_pump_ready(&session, &here, fds, 0), SVCONN_E_REFUSED));
    CHECK(!svconn_pump_is_over(&session, &here)); /* what still comes is read, for up to a second */
    CHECK(write(gate[1], "", 1) == 1);
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_REFUSED));
    end_session(pid);
    CHECK(count("") == 0);
    close(gate[0]);
    close(gate[1]);
}

/* A peer that dies without a word is found silent. */
static void dying_server(void) {
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    fflush(stdout);
    _exit(test_bad);
}

static void peer_dies(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(dying_server);
    config.silence_ms = 500;
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    uint64_t begin = svconn_now();
    CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_E_SILENT));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_SILENT));
    CHECK(svconn_now() - begin >= 490 && svconn_now() - begin < PATIENCE);
    end_session(pid);
    CHECK(count("") == 1); /* it may still come: only who closes last tidies up */
    empty();
}

/* A peer that closes its link while we write against unread files: no hang. */
static void leaving_server(void) { CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK)); }

static void peer_leaves(void) {
    svconn_err err = SVCONN_OK;
    pid_t pid = start(leaving_server);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    uint64_t begin = svconn_now();
    for (int i = 0; i < 100 && !err; i++) err = svconn_pump_send(&session, &here, data, 60000);
    CHECK(is(err, SVCONN_E_TRUNCATED) && is(svconn_pump_close(&session, &here), SVCONN_E_TRUNCATED));
    CHECK(svconn_now() - begin < PATIENCE);
    end_session(pid);
    CHECK(count("") == 0);
}

/* A peer that reads no more, and has not ended what it writes: two seconds for what it may have to say. */
static void half_gone_server(void) {
    char peer[100];
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    svconn_link_peer(&here, peer, sizeof peer);
    CHECK(put(strchr(peer, ' ') + 1, "s2c-gone", "", 0));
    fflush(stdout);
    _exit(test_bad);
}

static void peer_reads_no_more(void) {
    svconn_err err = SVCONN_OK;
    pid_t pid = start(half_gone_server);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    for (int i = 0; i < 100 && !err; i++) err = svconn_pump_send(&session, &here, data, 60000);
    CHECK(is(err, SVCONN_E_TRUNCATED));
    end_session(pid);
    CHECK(count("") == 0);
}

/* A path with anything in it, also one that begins where we stand. */
static void odd_paths(void) {
    static const char *const names[] = {"with space", "new\nline", "\xc3\xa4\xff", "trailing/",
                                        "-x",         "$(x);'\"",  "a/../b"};
    char usual[100];
    int before = open(".", O_RDONLY);
    memcpy(usual, address, sizeof usual);
    empty();
    CHECK(chdir(directory) == 0 && mkdir("a", 0700) == 0);
    for (size_t i = 0; i < 2 * sizeof names / sizeof names[0]; i++) {
        int status;
        uint8_t number = 0;
        snprintf(address, sizeof address, "dir:%s%s%s", i % 2 ? directory : ".", "/", names[i / 2]);
        pid_t pid;
        svconn_listener n;
        CHECK(svconn_listen(&n, address, &why) == 0); /* makes it */
        pid = caller(7);
        CHECK(svconn_listener_accept(&n, &here, PATIENCE, &why) == 0);
        while (here.ops && later(read_here(&number, 1))) nap(1);
        CHECK(number == 7 && write_here(&number, 1) == 1);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        svconn_link_close(&here);
        svconn_listener_close(&n);
    }
    CHECK(mode_of("with space", "") == 0700 && count("with space") == 0);
    CHECK(before >= 0 && fchdir(before) == 0);
    close(before);
    memcpy(address, usual, sizeof usual);
    empty();
}

static void nothing_leaks(void) {
    for (int fd = 3; fd < 200; fd++) CHECK(fcntl(fd, F_GETFD) < 0);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

int main(void) {
    for (int fd = 3; fd < 200; fd++) close(fd); /* a launcher's */
    alarm(200);
    umask(022); /* modes must not rest on it */
    if (!mkdtemp(directory)) return EXIT_FAILURE;
    here = (svconn_link)SVCONN_LINK_NONE;
    snprintf(address, sizeof address, "dir:%s", directory);
    TEST("spool_files_are_as_described", files);
    TEST("spool_file_sizes", file_sizes);
    TEST("spool_ends", ends);
    TEST("spool_back_pressure", back_pressure);
    TEST("spool_last_one_tidies_up", tidying);
    TEST("spool_directory_removed_under_us", removed);
    TEST("spool_looks_often_only_when_something_happens", polling);
    TEST("spool_traps_for_the_reader", traps_for_the_reader);
    TEST("spool_traps_for_the_writer", traps_for_the_writer);
    TEST("spool_left_overs_and_odd_names", left_overs);
    TEST("spool_open_errors_are_explained", nobody_listens);
    TEST("spool_busy_listener_is_explained", busy_listener);
    TEST("spool_two_callers_at_once", two_callers);
    TEST("spool_one_of_many_listeners_takes_a_caller", many_listeners);
    TEST("spool_odd_paths", odd_paths);
    TEST("spool_session_by_blocking_calls", session_blocking);
    TEST("spool_session_in_a_poll_loop", session_polling);
    TEST("spool_error_packet_arrives", session_failing);
    TEST("spool_error_packet_leaves", session_refused);
    TEST("spool_peer_that_dies_is_found_silent", peer_dies);
    TEST("spool_peer_that_leaves_ends_a_blocked_writer", peer_leaves);
    TEST("spool_peer_that_reads_no_more", peer_reads_no_more);
    TEST("spool_descriptors_and_children_do_not_leak", nothing_leaks);
    empty();
    rmdir(directory);
    return TEST_EXIT();
}
