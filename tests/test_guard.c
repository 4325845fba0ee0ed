/* SPDX-License-Identifier: ISC */
/* What the called side relies on against strangers: the audit log, filters and bans; and the owner's control socket. */
#include "audit.h"
#include "cmd.h"
#include "control.h"
#include "guard.h"
#include "sessions.h"
#include "svconn_transport.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/svconn-test-XXXXXX";
static char path[100];

static const char *in_directory(const char *name) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* ---- networks ----------------------------------------------------------------------------------- */

static void networks_good(void) {
    static const struct {
        const char *text;
        unsigned bits;
        const char *in, *out;
    } rows[] = {
        {"10.0.0.0/8", 104, "10.255.1.2:1", "11.0.0.0:1"},
        {"10.1.2.3", 128, "10.1.2.3:9", "10.1.2.2:9"},
        {"10.1.2.3/32", 128, "[::ffff:10.1.2.3]:9", "[::ffff:10.1.2.2]:9"},
        {"192.168.6.0/23", 119, "192.168.7.255:9", "192.168.8.0:9"},
        {"::ffff:10.0.0.0/104", 104, "10.9.9.9:1", "[::a09:909]:1"},
        {"0.0.0.0/0", 96, "255.0.0.1:1", "[::1]:1"},
        {"::/0", 0, "[2001:db8::1]:1", "1.2.3.4:1"},
        {"::/0", 0, "[::1]:1", "[::ffff:1.2.3.4]:1"},
        {"2001:db8::/32", 32, "[2001:db8:ffff::1]:1", "[2001:db9::]:1"},
        {"2001:db8::8/125", 125, "[2001:db8::f]:1", "[2001:db8::10]:1"},
        {"::1/128", 128, "[::1]:1", "[::2]:1"},
        {"fe80::/10", 10, "[fe80::1%eth0]:80", "[fec0::1%eth0]:80"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        network n;
        uint8_t in[16], out[16];
        CHECK(network_parse(&n, rows[i].text) == 0 && n.bits == rows[i].bits);
        CHECK(network_of_peer(in, rows[i].in) == 0 && network_has(&n, in));
        CHECK(network_of_peer(out, rows[i].out) == 0 && !network_has(&n, out));
        if (test_bad) printf("  %s\n", rows[i].text);
    }
}

static void networks_bad(void) {
    static const char *const rows[] = {"",
                                       "x",
                                       "10.0.0.1/8",
                                       "10.0.0.0/",
                                       "10.0.0.0/33",
                                       "10.0.0.0/-1",
                                       "10.0.0.0/8 ",
                                       "10.0.0.0/08",
                                       "10.0.0",
                                       "10.0.0.256",
                                       "::1/129",
                                       "::1/127",
                                       "::ffff:1.2.3.4/90",
                                       "/8",
                                       "10.0.0.0/8/8",
                                       "[::1]",
                                       "1.2.3.4:5",
                                       "fe80::1%eth0",
                                       "10.0.0.0/+8",
                                       "0.0.0.0/4294967296",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
    static const char *const no_peers[] = {"",
                                           "a local process",
                                           "1.2.3.4",
                                           "[::1]",
                                           "::1:80",
                                           "[1.2.3.4]:80",
                                           "[]:80",
                                           "[::1:80",
                                           "1.2.3.4:",
                                           "1.2.3.4:x",
                                           "key by way of relay://1.2.3.4:80"};
    char why[200];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        network n;
        CHECK(network_parse(&n, rows[i]) == -1);
        network_explain(why, sizeof why, rows[i]);
        CHECK(strncmp(why, rows[i], strlen(rows[i])) == 0 && !strstr(why, "is a network"));
        if (test_bad) printf("  %s\n", rows[i]);
    }
    network_explain(why, sizeof why, "10.0.0.1/8");
    CHECK(strcmp(why, "10.0.0.1/8: the address has bits beyond the /8") == 0);
    for (size_t i = 0; i < sizeof no_peers / sizeof no_peers[0]; i++) {
        uint8_t address[16];
        CHECK(network_of_peer(address, no_peers[i]) == -1);
    }
}

/* ---- the guard ---------------------------------------------------------------------------------- */

static guard *new_guard(unsigned long after, unsigned long for_s) {
    static const text_list none;
    guard *g = guard_open("test", &none, &none, after, for_s);
    if (!g) exit(EXIT_FAILURE);
    return g;
}

static void filters(void) {
    static const text_list from = {{"10.0.0.0/8", "2001:db8::/32"}, 2}, not_from = {{"10.6.0.0/16"}, 1},
                           bad = {{"x"}, 1};
    guard *g = guard_open("test", &from, &not_from, 0, 60);
    CHECK(g && guard_source(g, "10.1.1.1:5", 0) == GUARD_WELCOME);
    CHECK(guard_source(g, "[::ffff:10.1.1.1]:5", 0) == GUARD_WELCOME);
    CHECK(guard_source(g, "10.6.1.1:5", 0) == GUARD_FILTERED);
    CHECK(guard_source(g, "11.1.1.1:5", 0) == GUARD_FILTERED);
    CHECK(guard_source(g, "[2001:db8::5]:5", 0) == GUARD_WELCOME);
    CHECK(guard_source(g, "[::1]:5", 0) == GUARD_FILTERED);
    CHECK(guard_source(g, "a local process", 0) == GUARD_WELCOME);
    for (int i = 0; i < 10; i++) CHECK(guard_failed(g, "10.1.1.1:5", NULL, 0) == 0);
    CHECK(guard_source(g, "10.1.1.1:5", 0) == GUARD_WELCOME);
    guard_close(g);
    CHECK(guard_open("test", &from, &bad, 0, 60) == NULL);
}

static void bans(void) {
    guard *g = new_guard(3, 10);
    const char *a = "192.0.2.1:1000";
    CHECK(!guard_failed(g, a, NULL, 1000) && !guard_failed(g, "192.0.2.1:7", NULL, 2000));
    CHECK(guard_source(g, a, 3000) == GUARD_WELCOME);
    CHECK(guard_failed(g, "[::ffff:192.0.2.1]:8", NULL, 5000) ==
          1); /* the port does not count, nor how it is written */
    CHECK(guard_source(g, a, 5000) == GUARD_BANNED && guard_source(g, "192.0.2.2:1000", 5000) == GUARD_WELCOME);
    CHECK(guard_failed(g, a, NULL, 9000) == 0); /* it is banned already, and this makes it no longer */
    CHECK(guard_source(g, a, 14999) == GUARD_BANNED && guard_source(g, a, 15000) == GUARD_WELCOME);
    CHECK(!guard_failed(g, a, NULL, 15000) && !guard_failed(g, a, NULL, 16000));
    CHECK(!guard_failed(g, a, NULL, 25000)); /* the first ones are too long ago */
    CHECK(!guard_failed(g, a, NULL, 25001));
    guard_succeeded(g, a, NULL);
    CHECK(!guard_failed(g, a, NULL, 25002) && !guard_failed(g, a, NULL, 25003) && guard_failed(g, a, NULL, 25004));
    guard_succeeded(g, a, NULL);
    CHECK(guard_source(g, a, 25005) == GUARD_WELCOME);
    CHECK(!guard_failed(g, "a child process", NULL, 1) && !guard_failed(g, NULL, NULL, 1));
    guard_close(g);
}

static void bans_by_64(void) {
    guard *g = new_guard(2, 10);
    CHECK(!guard_failed(g, "[2001:db8:0:1::1]:1", NULL, 0) && guard_failed(g, "[2001:db8:0:1:ffff::2]:1", NULL, 0));
    CHECK(guard_source(g, "[2001:db8:0:1:8000::]:1", 1) == GUARD_BANNED);
    CHECK(guard_source(g, "[2001:db8:0:2::1]:1", 1) == GUARD_WELCOME);
    CHECK(!guard_failed(g, "1.2.3.4:1", NULL, 1) && !guard_failed(g, "1.2.3.5:1", NULL, 1)); /* IPv4 is no /64 */
    guard_close(g);
}

static void bans_by_key(void) {
    guard *g = new_guard(2, 10);
    uint8_t key[32] = {7}, other[32] = {7, 1};
    CHECK(!guard_failed(g, "a local process", key, 0) && guard_failed(g, "192.0.2.9:1", key, 0));
    CHECK(guard_key(g, key, 1) == GUARD_BANNED && guard_key(g, other, 1) == GUARD_WELCOME);
    CHECK(guard_source(g, "192.0.2.9:1", 1) == GUARD_WELCOME);
    CHECK(guard_key(g, key, 10000) == GUARD_WELCOME);
    CHECK(!guard_failed(g, NULL, key, 10000) && guard_failed(g, NULL, key, 10000));
    guard_succeeded(g, NULL, key);
    CHECK(guard_key(g, key, 10001) == GUARD_WELCOME);
    guard_close(g);
}

static const char *source(unsigned i) {
    static char text[40];
    snprintf(text, sizeof text, "10.%u.%u.%u:1", i >> 16 & 255, i >> 8 & 255, i & 255);
    return text;
}

/* As many as a /48 and more: memory is one piece of fixed size, so what is left to see is who is forgotten. */
static void many_sources(void) {
    guard *g = new_guard(2, 1000);
    CHECK(!guard_failed(g, "192.0.2.1:1", NULL, 1) && guard_failed(g, "192.0.2.1:1", NULL, 1));
    for (unsigned i = 0; i < 100000; i++) CHECK(!guard_failed(g, source(i), NULL, 2));
    CHECK(guard_source(g, "192.0.2.1:1", 3) == GUARD_BANNED);
    CHECK(!guard_failed(g, source(100000 - GUARD_COUNTS - 1), NULL, 3)); /* forgotten */
    CHECK(guard_failed(g, source(99999), NULL, 3));
    for (unsigned i = 200000; i < 200000 + GUARD_BANS - 2; i++)
        CHECK(!guard_failed(g, source(i), NULL, 4) && guard_failed(g, source(i), NULL, 4));
    CHECK(guard_source(g, "192.0.2.1:1", 5) == GUARD_BANNED);
    for (unsigned i = 300000; i < 300001; i++)
        CHECK(!guard_failed(g, source(i), NULL, 5) && guard_failed(g, source(i), NULL, 5));
    CHECK(guard_source(g, "192.0.2.1:1", 6) == GUARD_WELCOME); /* the oldest ban of too many */
    CHECK(guard_source(g, source(99999), 6) == GUARD_BANNED && guard_source(g, source(300000), 6) == GUARD_BANNED);
    for (unsigned i = 0; i < 100000; i++) (void)guard_failed(g, source(i % 9000), NULL, 7 + i);
    CHECK(guard_source(g, source(5), 3000000) == GUARD_WELCOME);
    guard_close(g);
}

/* ---- audit -------------------------------------------------------------------------------------- */

static char log_text[200000];

static const char *content(const char *file) {
    int fd = open(file, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, log_text, sizeof log_text - 1);
    if (fd >= 0) close(fd);
    log_text[n > 0 ? n : 0] = 0;
    return log_text;
}

/* Strings are closed, and there is one object in one line of printable ASCII. */
static int is_json_line(const char *s) {
    int quoted = 0;
    size_t n = strlen(s);
    if (n < 3 || s[0] != '{' || s[n - 2] != '}' || s[n - 1] != '\n') return 0;
    for (size_t i = 0; i < n - 1; i++) {
        if (s[i] < 0x20 || s[i] > 0x7e) return 0;
        if (quoted && s[i] == '\\') {
            if (!strchr("\"\\u", s[i + 1])) return 0;
            if (s[i + 1] == 'u' && strspn(s + i + 2, "0123456789abcdef") < 4) return 0;
            i++;
        } else if (s[i] == '"') quoted = !quoted;
    }
    return !quoted;
}

static void audit_escapes(void) {
    audit a;
    audit_line line;
    struct stat st;
    char value[100];
    CHECK(audit_open(&a, in_directory("log")) == 0 && stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    audit_begin(&line, &a, "attempt");
    audit_text(&line, "name", "a\"b\\c\n\r\x01\x7f\xc3\xa4\x1b[31m\"},{\"x\":1}");
    audit_hex(&line, "key", (const uint8_t *)"\x01\xfe", 2);
    audit_number(&line, "in", 18446744073709551615ULL);
    audit_end(&line);
    const char *text = content(path);
    CHECK(is_json_line(text) && strncmp(text, "{\"time\":\"20", 11) == 0 && strstr(text, "Z\",\"pid\":") &&
          strstr(text, ",\"event\":\"attempt\""));
    CHECK(strstr(text,
                 "\"name\":\"a\\\"b\\\\c\\u000a\\u000d\\u0001\\u007f\\u00c3\\u00a4\\u001b[31m\\\"},{\\\"x\\\":1}\""));
    CHECK(strstr(text, ",\"key\":\"01fe\",\"in\":18446744073709551615}\n") && !strstr(text, "cut"));
    CHECK(session_field(text, "name", value, sizeof value) && strstr(value, "a\"b\\c\n\r\x01\x7f\xc3\xa4\x1b["));
    audit_close(&a);
    CHECK(audit_open(&a, directory) == -1 && a.fd < 0);
    CHECK(audit_open(&a, NULL) == 0);
    audit_begin(&line, &a, "nothing");
    audit_end(&line);
    CHECK(a.lost == 0);
    unlink(in_directory("log"));
}

/* At every length, and with escapes at every place, the line stays valid, and short values behind long ones come. */
static void audit_cuts(void) {
    static char value[3000];
    audit a;
    audit_line line;
    for (size_t n = 480; n < 520; n++) {
        CHECK(audit_open(&a, in_directory("log")) == 0);
        memset(value, n % 2 ? '\n' : '"', n);
        memset(value, 'x', n - n % 13);
        value[n] = 0;
        audit_begin(&line, &a, "long");
        for (int i = 0; i < 3; i++) audit_text(&line, "name", value);
        audit_text(&line, "from", "1.2.3.4:5");
        audit_end(&line);
        const char *text = content(path);
        CHECK(is_json_line(text) && strstr(text, "\"from\":\"1.2.3.4:5\""));
        CHECK(n <= AUDIT_VALUE || strstr(text, ",\"cut\":true}\n"));
        audit_close(&a);
        unlink(path);
    }
    CHECK(audit_open(&a, in_directory("log")) == 0);
    for (size_t n = 0; n < 400; n++) {
        value[n] = 0;
        audit_begin(&line, &a, "longer");
        for (int i = 0; i < 20; i++) audit_text(&line, "name", value);
        for (int i = 0; i < 200; i++) audit_number(&line, "number", n);
        audit_hex(&line, "key", (const uint8_t *)value, sizeof value);
        audit_end(&line);
        CHECK(line.len <= sizeof line.text);
        char one[sizeof line.text + 1];
        memcpy(one, line.text, line.len);
        one[line.len] = 0;
        CHECK(is_json_line(one) && strstr(one, ",\"cut\":true}\n"));
        value[n] = 'y';
    }
    audit_close(&a);
    unlink(path);
}

static void write_event(audit *a, unsigned long long i) {
    audit_line line;
    audit_begin(&line, a, "tick");
    audit_number(&line, "i", i);
    audit_end(&line);
}

/* A reader of a FIFO that stops, and comes back. */
static void audit_full_pipe(void) {
    audit a;
    unsigned long long i = 0;
    char want[60];
    CHECK(mkfifo(in_directory("fifo"), 0600) == 0);
    CHECK(audit_open(&a, path) == -1); /* nobody reads it */
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    CHECK(audit_open(&a, path) == 0);
    while (a.lost < 5 && i < 100000) write_event(&a, i++);
    CHECK(a.lost == 5);
    ssize_t n = read(reader, log_text, sizeof log_text - 1);
    CHECK(n > 0 && log_text[n - 1] == '\n');
    write_event(&a, i);
    n = read(reader, log_text, sizeof log_text - 1);
    log_text[n > 0 ? n : 0] = 0;
    snprintf(want, sizeof want, "\"event\":\"tick\",\"i\":%llu}\n", i);
    char *second = strchr(log_text, '\n');
    CHECK(strstr(log_text, "\"event\":\"lost\",\"lines\":5}\n") && second && strstr(second, want) && a.lost == 0);
    close(reader);
    write_event(&a, i); /* the reader has left */
    CHECK(a.lost == 1);
    audit_close(&a);
    unlink(path);
}

static void audit_full_disk(void) {
    audit a;
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) {
        test_skip = "there is no /dev/full here";
        return;
    }
    close(full);
    CHECK(audit_open(&a, "/dev/full") == 0);
    for (unsigned i = 0; i < 7; i++) write_event(&a, i);
    CHECK(a.lost == 7);
    audit_close(&a);
}

/* A socket takes a part of a line; and the next line must be whole. */
static void audit_torn(void) {
    audit a = {.fd = open(in_directory("log"), O_WRONLY | O_CREAT | O_APPEND, 0600), .where = path};
    CHECK(write(a.fd, "{\"half", 6) == 6);
    a.torn = 1;
    a.lost = 1;
    write_event(&a, 1);
    const char *text = content(path);
    CHECK(strncmp(text, "{\"half\n{\"time", 13) == 0 && strstr(text, "\"lines\":1}\n{\"time") && !a.torn && !a.lost);
    audit_close(&a);
    unlink(path);
}

static void audit_rotates(void) {
    audit a;
    char old[100];
    snprintf(old, sizeof old, "%s/log.1", directory);
    CHECK(audit_open(&a, in_directory("log")) == 0);
    write_event(&a, 1);
    CHECK(rename(path, old) == 0);
    write_event(&a, 2);
    audit_reopen(&a);
    write_event(&a, 3);
    CHECK(strstr(content(old), "\"i\":1}\n") && strstr(log_text, "\"i\":2}\n") && !strstr(log_text, "\"i\":3"));
    CHECK(strstr(content(path), "\"i\":3}\n") && !strstr(log_text, "\"i\":2"));
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
    audit_reopen(&a); /* cannot: the old one goes on */
    write_event(&a, 4);
    CHECK(a.lost == 0 && rmdir(path) == 0);
    audit_close(&a);
    unlink(old);
}

/* ---- control ------------------------------------------------------------------------------------ */

static size_t n_sessions, ended;

static size_t list_session(void *arg, size_t i, char *line, size_t size) {
    (void)arg;
    if (i >= n_sessions) return 0;
    return (size_t)snprintf(
        line, size,
        "{\"number\":%zu,\"state\":\"connected\",\"peer\":\"%064zu\",\"name\":\"lap\\u001b\\\"top\","
        "\"service\":\"tunnel\",\"from\":\"127.0.0.1:4000\",\"since\":\"2026-11-21T18:00:00Z\","
        "\"seconds\":%d,\"in\":123,\"out\":4567890}",
        i + 1, i, 3725);
}
static int end_session(void *arg, unsigned long n) {
    (void)arg;
    if (n == 0 || n > n_sessions) return 0;
    ended = n;
    return 1;
}
static const control_ops ops = {NULL, list_session, end_session};
static fdset set;

static void rounds(control *c, int ms) {
    for (uint64_t end = svconn_now() + (uint64_t)ms; svconn_now() < end;) {
        fdset_clear(&set);
        control_want(c, &set);
        fdset_within(&set, 5);
        fdset_wait(&set);
        control_ready(c, &set);
    }
}

static int dial(const char *text) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) return -1;
    if (send(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) return -1;
    return fd;
}

/* What came until now; -1: nothing, and the end has not come either. */
static ssize_t come(int fd) {
    size_t at = 0;
    ssize_t n;
    while ((n = recv(fd, log_text + at, sizeof log_text - 1 - at, MSG_DONTWAIT)) > 0) at += (size_t)n;
    log_text[at] = 0;
    return at || n == 0 ? (ssize_t)at : -1;
}

static const char *answer_to(control *c, const char *request) {
    int fd = dial(request);
    rounds(c, 20);
    if (come(fd) < 0) snprintf(log_text, sizeof log_text, "nothing");
    close(fd);
    return log_text;
}

static void control_answers(void) {
    struct stat st;
    n_sessions = 2;
    control *c = control_open("test", in_directory("c.sock"), &ops);
    CHECK(c && stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(control_open("test", path, &ops) == NULL); /* somebody listens there */
    const char *text = answer_to(c, "list\n"), *second = strchr(text, '\n');
    CHECK(strncmp(text, "{\"number\":1,", 12) == 0 && second && strncmp(second, "\n{\"number\":2,", 13) == 0);
    CHECK(strcmp(answer_to(c, "end 2\n"), "{\"ended\":2}\n") == 0 && ended == 2);
    CHECK(strcmp(answer_to(c, "end 3\n"), "{\"error\":\"there is no session 3\"}\n") == 0);
    static const char *const garbage[] = {"end\n",
                                          "end \n",
                                          "end -1\n",
                                          "end 1x\n",
                                          "end 99999999999999999999999\n",
                                          "list \n",
                                          "\n",
                                          "LIST\n",
                                          "end 1 2\n",
                                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    ended = 0;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        CHECK(strncmp(answer_to(c, garbage[i]), "{\"error\":\"a request is", 22) == 0 && !ended);
    n_sessions = 0;
    CHECK(strcmp(answer_to(c, "list\n"), "") == 0);
    control_close(c);
    CHECK(access(path, F_OK) != 0);
}

static void control_replaces_the_dead(void) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", in_directory("c.sock"));
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    close(fd);
    control *c = control_open("test", path, &ops);
    CHECK(c && strcmp(answer_to(c, "end 7\n"), "{\"error\":\"there is no session 7\"}\n") == 0);
    control_close(c);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(control_open("test", path, &ops) == NULL && access(path, F_OK) == 0); /* a file stays */
    close(fd);
    unlink(path);
}

static void control_is_not_held_up(void) {
    int fds[6];
    n_sessions = 1;
    control *c = control_open("test", in_directory("c.sock"), &ops);
    for (int i = 0; i < 4; i++) fds[i] = dial(i ? "" : "li");
    rounds(c, 50);
    fds[4] = dial("list\n"); /* waits for a place */
    rounds(c, 50);
    CHECK(come(fds[0]) == -1 && come(fds[4]) == -1);
    CHECK(send(fds[0], "st\n", 3, 0) == 3);
    rounds(c, 50);
    CHECK(come(fds[0]) > 0 && come(fds[4]) > 0);
    fds[5] = dial("");
    rounds(c, CONTROL_ASK_MS + 300);
    for (int i = 1; i < 6; i++) CHECK(i == 4 || come(fds[i]) == 0); /* they did not ask */
    for (int i = 0; i < 6; i++) close(fds[i]);
    control_close(c);
}

/* More than a socket's buffer takes: read slowly by one, not at all by another. */
static void control_long_list(void) {
    size_t got = 0, lines = 0;
    ssize_t n;
    n_sessions = 5000;
    control *c = control_open("test", in_directory("c.sock"), &ops);
    int lazy = dial("list\n"), fd = dial("list\n");
    uint64_t begin = svconn_now();
    while (rounds(c, 1), (n = recv(fd, log_text, 60000, MSG_DONTWAIT)) != 0 && svconn_now() < begin + 4000) {
        for (ssize_t i = 0; i < n; i++) lines += log_text[i] == '\n';
        if (n > 0) got += (size_t)n;
    }
    CHECK(n == 0 && lines == 5000 && got > 1000000);
    struct pollfd hangup = {.fd = lazy};
    while (svconn_now() < begin + 60000 && !(poll(&hangup, 1, 0) > 0 && hangup.revents & POLLHUP)) rounds(c, 50);
    for (got = 0; (n = recv(lazy, log_text, 60000, MSG_DONTWAIT)) > 0;) got += (size_t)n;
    CHECK(n == 0 && got > 0 && got < 1000000);
    close(fd);
    close(lazy);
    control_close(c);
}

/* ---- svconn sessions ---------------------------------------------------------------------------- */

static void fields(void) {
    static const char *const broken[] = {"",
                                         "{",
                                         "{}",
                                         "[1]",
                                         "{\"a",
                                         "{\"a\"",
                                         "{\"a\":",
                                         "{\"b\":1",
                                         "{\"b\":\"x",
                                         "{\"b\":\"\\",
                                         "{\"b\":\"\\u00",
                                         "{\"b\":\"\\u00g0\",\"a\":1}",
                                         "{\"b\":{\"a\":1}}",
                                         "{\"b\":[\"a\"],\"a\":1}",
                                         "{\"b\":\"\\x\",\"a\":1}",
                                         "{\"b\":,\"a\":1}"};
    char out[8];
    CHECK(session_field("{\"a\":1,\"b\":\"x\\u0041\\\"\\\\\\n\"}", "b", out, sizeof out) &&
          strcmp(out, "xA\"\\\n") == 0);
    CHECK(session_field(" { \"a\" : 12 , \"b\":true }", "b", out, sizeof out) && strcmp(out, "true") == 0);
    CHECK(session_field("{\"b\":\"a\",\"a\":\"0123456789\"}", "a", out, sizeof out) && strcmp(out, "0123456") == 0);
    CHECK(session_field("{\"a\":\"\\u0000\\u20ac\"}", "a", out, sizeof out) && strcmp(out, "??") == 0);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char *tight = malloc(strlen(broken[i]) + 1); /* so that sanitizers see a step beyond */
        if (!tight) exit(EXIT_FAILURE);
        memcpy(tight, broken[i], strlen(broken[i]) + 1);
        CHECK(!session_field(tight, "a", out, sizeof out) && !*out);
        free(tight);
    }
}

/* The command as a child, while we serve; what it wrote is in log_text. Returns its exit code. */
static int sessions(control *const *c, size_t n, const char *a, const char *b, const char *more) {
    static char name[] = "sessions";
    char *argv[] = {name, (char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)more, NULL};
    char out[200];
    int status, argc = 1;
    while (argv[argc]) argc++;
    snprintf(out, sizeof out, "%s/out", directory);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(99);
        int code = cmd_sessions(argc, argv);
        fflush(stdout);
        _exit(code);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        for (size_t i = 0; i < n || i == 0; i++) rounds(n ? c[i] : NULL, 5);
    (void)content(out);
    unlink(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void sessions_command(void) {
    control *c[2];
    char dead[200], other[200];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CHECK(setenv("XDG_RUNTIME_DIR", directory, 1) == 0);
    CHECK(sessions(NULL, 0, NULL, NULL, NULL) == EXIT_LOCAL && strstr(log_text, "nothing of yours"));
    snprintf(dead, sizeof dead, "%s/svconn/serve-999999999.sock", directory);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%.100s", dead);
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    close(fd);
    n_sessions = 1;
    c[0] = control_open("serve", NULL, &ops);
    CHECK(c[0] && sessions(c, 1, NULL, NULL, NULL) == EXIT_DONE && access(dead, F_OK) != 0);
    CHECK(strstr(log_text, "NUMBER") && strstr(log_text, "lap\\x1b\"top") && strstr(log_text, "1h02m"));
    CHECK(strstr(log_text, "123 B") && strstr(log_text, "4.6 MB") && !strstr(log_text, "serve-"));
    c[1] = control_open("listen", NULL, &ops);
    CHECK(c[1] && sessions(c, 2, NULL, NULL, NULL) == EXIT_DONE && strstr(log_text, "serve-") &&
          strstr(log_text, "listen-"));
    CHECK(sessions(c, 2, "--json", NULL, NULL) == EXIT_DONE && strncmp(log_text, "{\"process\":\"listen-", 19) == 0);
    CHECK(strstr(log_text, "\n{\"process\":\"serve-") && strstr(log_text, "\"name\":\"lap\\u001b\\\"top\""));
    ended = 0;
    CHECK(sessions(c, 2, "--end", "1", NULL) == EXIT_LOCAL &&
          strstr(log_text, "more than one process has a session 1") && !ended);
    CHECK(sessions(c, 2, "--end=7", NULL, NULL) == EXIT_LOCAL && strstr(log_text, "there is no session 7"));
    snprintf(other, sizeof other, "--control=%s/svconn/listen-%ld.sock", directory, (long)getpid());
    CHECK(sessions(c, 2, other, "--end", "1") == EXIT_DONE && ended == 1 && strstr(log_text, "was ended"));
    CHECK(sessions(c, 2, other, "--end", "5") == EXIT_LOCAL && strstr(log_text, "there is no session 5"));
    control_close(c[0]);
    control_close(c[1]);
    snprintf(other, sizeof other, "%s/svconn", directory);
    CHECK(rmdir(other) == 0);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    alarm(100);
    if (!mkdtemp(directory)) return EXIT_FAILURE;
    TEST("networks: what is in them", networks_good);
    TEST("networks: what is none", networks_bad);
    TEST("guard: filters", filters);
    TEST("guard: bans come by count, end by time and by success", bans);
    TEST("guard: a /64 is one source", bans_by_64);
    TEST("guard: bans of keys", bans_by_key);
    TEST("guard: 100,000 sources push out no ban", many_sources);
    TEST("audit: strangers forge no line", audit_escapes);
    TEST("audit: what is cut stays JSON", audit_cuts);
    TEST("audit: a pipe that nobody reads", audit_full_pipe);
    TEST("audit: a full disk", audit_full_disk);
    TEST("audit: a line in part is closed off", audit_torn);
    TEST("audit: rotation", audit_rotates);
    TEST("control: requests, and what is none", control_answers);
    TEST("control: a dead process's socket is replaced", control_replaces_the_dead);
    TEST("control: slow and many clients", control_is_not_held_up);
    TEST("control: a long list, a reader that does not read", control_long_list);
    TEST("sessions: fields of a line", fields);
    TEST("sessions: table, JSON, ending", sessions_command);
    fdset_free(&set);
    return rmdir(directory) == 0 ? TEST_EXIT() : EXIT_FAILURE;
}
