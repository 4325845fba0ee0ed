/* SPDX-License-Identifier: ISC */
/* What is said before a session: to SOCKS5 and HTTP proxies, and to the transit relay of magic-wormhole. The other end
 * is a script in a child process, which wants every byte of ours, answers in pieces, and has the first bytes of the
 * session right behind its last answer: these must still be in the link. */
#include "svconn_transport.h"
#include "test.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 10000 /* ms; far more than anything here takes */
#define GAP 2          /* between two pieces */
#define TAIL "M1 right behind it"

/* ---- the script --------------------------------------------------------------------------------- */

typedef struct {
    const char *want; /* "\xfe" in it is any hexadecimal digit */
    size_t want_len;
    const char *answer;
    size_t answer_len;
} step;
#define STEP(want, answer)                                                                                             \
    { want, sizeof want - 1, answer, sizeof answer - 1 }

typedef struct {
    const char *address, *via; /* PORT in them is that of the child */
    step steps[4];             /* up to one without want */
    svconn_fault fault;        /* of a talk that fails */
} script;

enum { WHOLE, SPLIT, CUT, STOP }; /* what happens behind so many bytes of all answers */

static size_t answers_of(const script *s) {
    size_t sum = 0;
    for (int i = 0; i < 4 && s->steps[i].want; i++) sum += s->steps[i].answer_len;
    return sum;
}

static int wait_for(int fd, short events, int ms) {
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

static int put(int fd, const char *bytes, size_t len) {
    while (len && wait_for(fd, POLLOUT, PATIENCE)) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0) break;
        bytes += n;
        len -= (size_t)n;
    }
    return len == 0;
}

static int at_end(int fd) {
    char c;
    return wait_for(fd, POLLIN, PATIENCE) && recv(fd, &c, 1, 0) <= 0;
}

/* Exactly these bytes, and no more before they are answered */
static int wanted(int fd, const step *s) {
    char got[1200];
    size_t at = 0;
    while (at < s->want_len && wait_for(fd, POLLIN, PATIENCE)) {
        ssize_t n = recv(fd, got + at, s->want_len - at, 0);
        if (n <= 0) break;
        at += (size_t)n;
    }
    int same = at == s->want_len;
    for (size_t i = 0; i < at; i++)
        same &= s->want[i] == '\xfe' ? got[i] && strchr("0123456789abcdef", got[i]) != NULL : got[i] == s->want[i];
    if (!same) {
        test_hex("   got ", (const uint8_t *)got, at);
        test_hex("  want ", (const uint8_t *)s->want, s->want_len);
        return 0;
    }
    char more;
    if (!wait_for(fd, POLLIN, GAP) || recv(fd, &more, 1, MSG_PEEK) == 0) return 1; /* nothing; or the party gave up */
    printf("  more came before the answer\n");
    return 0;
}

/* An exit code; 0: all was as it should be. The tail goes out together with the last piece. */
static int play(int fd, const script *s, int how, size_t where, int succeeds) {
    size_t sent = 0, all = answers_of(s);
    for (int i = 0; i < 4 && s->steps[i].want; i++) {
        const step *t = &s->steps[i];
        char text[10000];
        size_t len = t->answer_len, first = how != WHOLE && where >= sent && where - sent <= len ? where - sent : len;
        if (!wanted(fd, t)) return 1;
        memcpy(text, t->answer, len);
        int here = how != WHOLE && where >= sent && where - sent <= len && (where - sent < len || sent + len == all);
        if (here && !put(fd, text, first)) return 2;
        if (here && how == CUT) return 0;
        if (here && how == STOP) return at_end(fd) ? 0 : 3;
        if (here) (void)poll(NULL, 0, GAP);
        size_t from = here ? first : 0;
        sent += len;
        if (sent == all && succeeds) {
            memcpy(text + len, TAIL, sizeof TAIL - 1);
            len += sizeof TAIL - 1;
        }
        if (!put(fd, text + from, len - from)) return 4;
    }
    return at_end(fd) ? 0 : 5;
}

static pid_t start(const svconn_listener *n, const script *s, int how, size_t where, int succeeds) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0) return pid;
    svconn_listener mine = *n;
    svconn_link l;
    if (svconn_listener_accept(&mine, &l, PATIENCE, NULL) != 0) _exit(9);
    int code = play(l.in, s, how, where, succeeds);
    fflush(stdout);
    _exit(code);
}

/* ---- our side ----------------------------------------------------------------------------------- */

static int says(const svconn_why *why, const char *part) {
    if (strstr(why->text, part)) return 1;
    printf("  said \"%s\", want \"%s\"\n", why->text, part);
    return 0;
}

/* template with every PORT replaced by that of n */
static const char *fill(char out[600], const char *template, const svconn_listener *n) {
    const char *port = strrchr(n->address, ':') + 1;
    size_t used = 0;
    if (!template) return NULL;
    for (; *template && used < 500; template ++) {
        if (strncmp(template, "PORT", 4) == 0) {
            used += (size_t)snprintf(out + used, 600 - used, "%s", port);
            template += 3;
        } else out[used++] = *template;
    }
    out[used] = 0;
    return out;
}

static int arrives(const svconn_link *l, const char *text) {
    char buffer[100] = {0};
    size_t len = strlen(text), at = 0;
    while (at < len && wait_for(l->in, POLLIN, PATIENCE)) {
        ssize_t n = read(l->in, buffer + at, len - at);
        if (n <= 0) break;
        at += (size_t)n;
    }
    if (strcmp(buffer, text) != 0) printf("  got \"%s\", want \"%s\"\n", buffer, text);
    return strcmp(buffer, text) == 0;
}

/* One talk. part: what is said if it fails; NULL: it succeeds. */
static void talk(const script *s, int how, size_t where, int timeout, const char *part) {
    char address[600], via[600];
    svconn_listener n;
    svconn_link l;
    svconn_why why = {.text = ""};
    int bad = test_bad, status = -1;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    svconn_link_options options = {.via = fill(via, s->via, &n)};
    pid_t pid = start(&n, s, how, where, !part);
    int result = svconn_link_open_with(&l, fill(address, s->address, &n), &options, timeout, &why);
    if (part) {
        CHECK(result == -1 && l.in == -1 && says(&why, part));
        CHECK(why.fault == s->fault && !strstr(why.text, "s3cret"));
    } else {
        CHECK(result == 0 && says(&why, ""));
        if (result == 0) CHECK(arrives(&l, TAIL));
    }
    svconn_link_close(&l);
    svconn_listener_close(&n);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    if (test_bad != bad && test_bad < 10)
        printf("  (%s via %s, how %d where %zu, child %d)\n", s->address, s->via ? s->via : "nothing", how, where,
               WEXITSTATUS(status));
}

static void every_split(const script *s) {
    for (size_t i = 0; i <= answers_of(s) && !test_bad; i++) talk(s, SPLIT, i, PATIENCE, NULL);
}

/* part: what is said of an answer that ends early */
static void every_cut(const script *s, const char *part) {
    for (size_t i = 0; i < answers_of(s) && !test_bad; i++) talk(s, CUT, i, PATIENCE, part);
}

/* ---- HTTP --------------------------------------------------------------------------------------- */

#define ASKED "CONNECT target.invalid:7001 HTTP/1.1\r\nHost: target.invalid:7001\r\n"
#define VIA_HTTP .address = "tcp://target.invalid:7001", .via = "http://127.0.0.1:PORT", .fault = SVCONN_FAULT_PROXY

static const script http = {VIA_HTTP, .steps = {STEP(ASKED "\r\n", "HTTP/1.1 200 Connection established\r\n\r\n")}};

static void http_no_byte_too_many(void) {
    static const script fields = {
        VIA_HTTP, .steps = {STEP(ASKED "\r\n", "HTTP/1.0 200\r\nVia: x\r\nContent-Length: 100\r\n\r\n")}};
    every_split(&http);
    every_split(&fields);
}

static void http_cut(void) { every_cut(&http, "it ended the connection without a whole answer"); }

/* A talk over HTTP whose only answer is text */
static void http_answers(const char *text, const char *part) {
    script s = http;
    s.steps[0].answer = text;
    s.steps[0].answer_len = strlen(text);
    talk(&s, WHOLE, 0, PATIENCE, part);
}

static void http_success(void) {
    http_answers("HTTP/1.1 200 \r\n\r\n", NULL);
    http_answers("HTTP/1.1 204 No Content\r\n\r\n", NULL);
    http_answers("HTTP/1.1 299 x\r\nTransfer-Encoding: chunked\r\n\r\n", NULL);
    http_answers("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", NULL);
}

static void http_refusals(void) {
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\nA: b\r\n\r\n",
         "it wants a user and a password (407 Proxy Auth"},
        {"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy 1 (http://127.0.0.1:"},
        {"HTTP/1.1 403 Forbidden\r\n\r\n", "asked for target.invalid port 7001: not allowed by the rules of the proxy"},
        {"HTTP/1.1 405 Method Not Allowed\r\n\r\n", "it does not do CONNECT; is it a proxy? (405 Method"},
        {"HTTP/1.1 501 Not Implemented\r\n\r\n", "it does not do CONNECT"},
        {"HTTP/1.1 502 Bad Gateway\r\n\r\n", "it could not reach that host (502 Bad Gateway)"},
        {"HTTP/1.1 503 x\r\n\r\n", "it could not reach that host (503 x)"},
        {"HTTP/1.1 504 x\r\n\r\n", "it could not reach that host (504 x)"},
        {"HTTP/1.1 300 Multiple Choices\r\n\r\n", "it would not open a tunnel (300 Multiple Choices)"},
        {"HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", "it would not open a tunnel (302 Found)"},
        {"HTTP/1.1 400 \033[2J\r\n\r\n", "it would not open a tunnel (400 ?[2J)"},
        {"HTTP/1.1 500\r\n\r\n", "it would not open a tunnel (500)"},
        {"HTTP/1.1 999 x\r\n\r\n", "it would not open a tunnel (999 x)"},
        {"HTTP/1.1 000 x\r\n\r\n", "it would not open a tunnel (000 x)"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "it would not open a tunnel (101 Switching"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) http_answers(bad[i].text, bad[i].part);
}

/* Found out at the first line that is not HTTP, and not at the deadline */
static void http_is_something_else(void) {
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/2 200 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 20x OK\r\n",
        "http/1.1 200 OK\r\n",
        " HTTP/1.1 200 OK\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 200 OK\n",
        "HTTP/1.1 200 OK\r\n\n",
        "HTTP/1.1 200 OK\r\nA: b\n",
        "\r\n",
        "\n",
        "HTTP/1.\r\n",
        "HTTP/1.1\r\n",
        "HTTP/1.1 200OK\r\n",
        "HTTP/1.1 +20 OK\r\n",
        "220 ftp.example\r\n",
        "HTTP/1.x 200 OK\r\n",
        "ok\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) http_answers(bad[i], "this is no HTTP proxy: it answered");
    http_answers("\001\002\n", "it answered \"???\"");
}

static void http_sizes(void) {
    static const char start_line[] = "HTTP/1.1 200 OK\r\nA: ";
    char text[9001];
    for (size_t len = 8189; len <= 8193; len++) { /* one line, and the empty line behind it */
        memset(text, 'a', sizeof text);
        memcpy(text, start_line, sizeof start_line - 1);
        memcpy(text + len - 4, "\r\n\r\n", 5);
        http_answers(text, len < 8192 ? NULL : "its answer does not end; is this a proxy?");
    }
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    http_answers(text, "its answer does not end");
    text[0] = 0;
    for (int i = 0; i < 9; i++) strcat(text, "HTTP/1.1 100 Continue\r\n\r\n"); /* it must end some time */
    http_answers(text, "it would not open a tunnel (100 Continue)");
}

/* RFC 7617, sections 2 and 2.1; RFC 9110, section 9.3.6 */
static void http_requests(void) {
    static const script s[] = {
        {"tcp://server.example.com:80",
         "http://Aladdin:open%20sesame@127.0.0.1:PORT",
         {STEP("CONNECT server.example.com:80 HTTP/1.1\r\nHost: server.example.com:80\r\n"
               "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
               "HTTP/1.1 200 OK\r\n\r\n")},
         SVCONN_FAULT_PROXY},
        {"tcp://127.0.0.1:7001",
         "http://test:123%C2%a3@127.0.0.1:PORT",
         {STEP("CONNECT 127.0.0.1:7001 HTTP/1.1\r\nHost: 127.0.0.1:7001\r\n"
               "Proxy-Authorization: Basic dGVzdDoxMjPCow==\r\n\r\n",
               "HTTP/1.1 200 OK\r\n\r\n")},
         SVCONN_FAULT_PROXY},
        {"tcp://[2001:db8::1]:7001",
         "http://a:@127.0.0.1:PORT",
         {STEP("CONNECT [2001:db8::1]:7001 HTTP/1.1\r\nHost: [2001:db8::1]:7001\r\n"
               "Proxy-Authorization: Basic YTo=\r\n\r\n",
               "HTTP/1.1 200 OK\r\n\r\n")},
         SVCONN_FAULT_PROXY},
        {"tcp://x:1",
         "http://ab@127.0.0.1:PORT",
         {STEP("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\nProxy-Authorization: Basic YWI6\r\n\r\n",
               "HTTP/1.1 200 OK\r\n\r\n")},
         SVCONN_FAULT_PROXY},
    };
    static const script refused = {
        "tcp://x:1",
        "http://me:s3cret@127.0.0.1:PORT",
        {STEP("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\nProxy-Authorization: Basic bWU6czNjcmV0\r\n\r\n",
              "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")},
        SVCONN_FAULT_PROXY};
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) talk(&s[i], WHOLE, 0, PATIENCE, NULL);
    talk(&refused, WHOLE, 0, PATIENCE, "it does not take this user and password, or wants another way than Basic (407");
}

/* ---- SOCKS5 ------------------------------------------------------------------------------------- */

#define VIA_SOCKS .address = "tcp://target.invalid:7001", .via = "socks5://127.0.0.1:PORT", .fault = SVCONN_FAULT_PROXY
#define HELLO STEP("\5\1\0", "\5\0")
#define NAME_ASKED "\5\1\0\3\16target.invalid\x1b\x59"

static const script socks = {VIA_SOCKS, .steps = {HELLO, STEP(NAME_ASKED, "\5\0\0\1\177\0\0\1\4\70")}};
static const script socks_v6 = {VIA_SOCKS,
                                .steps = {HELLO, STEP(NAME_ASKED, "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\4\70")}};
static const script socks_name = {VIA_SOCKS, .steps = {HELLO, STEP(NAME_ASKED, "\5\0\0\3\5proxy\4\70")}};
static const script socks_user = {.address = "tcp://target.invalid:7001",
                                  .via = "socks5://%75s%40r:s3cret%2C%25@127.0.0.1:PORT",
                                  .steps = {STEP("\5\2\0\2", "\5\2"), STEP("\1\4us@r\10s3cret,%", "\1\0"),
                                            STEP(NAME_ASKED, "\5\0\0\1\177\0\0\1\4\70")},
                                  .fault = SVCONN_FAULT_PROXY};

static void socks_no_byte_too_many(void) {
    every_split(&socks);
    every_split(&socks_v6);
    every_split(&socks_name);
    every_split(&socks_user);
}

static void socks_cut(void) {
    every_cut(&socks, "it ended the connection without a whole answer");
    every_cut(&socks_v6, "it ended the connection without a whole answer");
    every_cut(&socks_name, "it ended the connection without a whole answer");
    every_cut(&socks_user, "it ended the connection without a whole answer");
}

/* The address in the last answer, of every length that it can have */
static void socks_lengths(void) {
    char text[4 + 1 + 255 + 2] = "\5\0\0\3";
    script s = socks;
    s.steps[1].answer = text;
    for (int len = 0; len <= 255; len++) {
        text[4] = (char)(unsigned char)len;
        s.steps[1].answer_len = 4 + 1 + (size_t)len + 2;
        if (len < 3 || len > 253 || len % 16 == 0) talk(&s, WHOLE, 0, PATIENCE, NULL);
    }
}

static void socks_requests(void) {
    static const script s[] = {
        {"tcp://10.1.2.3:65535",
         "socks5://127.0.0.1:PORT",
         {HELLO, STEP("\5\1\0\1\12\1\2\3\377\377", "\5\0\0\1\0\0\0\0\0\0")},
         SVCONN_FAULT_PROXY},
        {"tcp://[2001:db8::1]:256",
         "socks5://127.0.0.1:PORT",
         {HELLO, STEP("\5\1\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\0", "\5\0\0\1\0\0\0\0\0\0")},
         SVCONN_FAULT_PROXY},
        {"tcp://1.2.3:1",
         "socks5://127.0.0.1:PORT", /* no address but a name */
         {HELLO, STEP("\5\1\0\3\5"
                      "1.2.3\0\1",
                      "\5\0\0\1\0\0\0\0\0\0")},
         SVCONN_FAULT_PROXY},
        {"tcp://x:1",
         "socks5://me:s3cret@127.0.0.1:PORT", /* the password is not needed, and not told */
         {STEP("\5\2\0\2", "\5\0"), STEP("\5\1\0\3\1x\0\1", "\5\0\0\1\0\0\0\0\0\0")},
         SVCONN_FAULT_PROXY},
    };
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) talk(&s[i], WHOLE, 0, PATIENCE, NULL);
    /* the longest of all */
    static char address[300], user[256], via[600], proof[3 + 510], request[5 + 255 + 2];
    memset(user, 'u', 255);
    snprintf(address, sizeof address, "tcp://%.255s:1", user);
    snprintf(via, sizeof via, "socks5://%.200s:%.200s@127.0.0.1:PORT", user, user);
    proof[0] = 1;
    proof[1] = proof[202] = (char)(unsigned char)200;
    memset(proof + 2, 'u', 200);
    memset(proof + 203, 'u', 200);
    memcpy(request, "\5\1\0\3\377", 5);
    memset(request + 5, 'u', 255);
    memcpy(request + 260, "\0\1", 2);
    script longest = {address,
                      via,
                      {STEP("\5\2\0\2", "\5\2"), {proof, 403, "\1\0", 2}, {request, 262, "\5\0\0\1\0\0\0\0\0\0", 10}},
                      SVCONN_FAULT_PROXY};
    talk(&longest, WHOLE, 0, PATIENCE, NULL);
}

/* A talk whose answer number n is another one, at which it ends */
static void socks_answers(const script *base, int n, const char *answer, size_t len, const char *part) {
    script s = *base;
    s.steps[n].answer = answer;
    s.steps[n].answer_len = len;
    for (int i = n + 1; i < 4; i++) s.steps[i].want = NULL;
    talk(&s, WHOLE, 0, PATIENCE, part);
}

static void socks_refusals(void) {
    static const char *const words[] = {
        "the proxy failed (SOCKS reply 1)",
        "not allowed by the rules of the proxy (SOCKS reply 2)",
        "the network cannot be reached from the proxy (SOCKS reply 3)",
        "the host cannot be reached from the proxy (SOCKS reply 4)",
        "refused by the host (nobody listens there) (SOCKS reply 5)",
        "no answer from that host in time (SOCKS reply 6)",
        "the proxy does not do CONNECT (SOCKS reply 7)",
        "the proxy does not do this kind of address (SOCKS reply 8)",
    };
    char answer[10] = "\5\0\0\1";
    for (int i = 1; i < 256; i += i < 20 ? 1 : 47) {
        answer[1] = (char)(unsigned char)i;
        socks_answers(&socks, 1, answer, 10, i <= 8 ? words[i - 1] : "refused, with the unknown SOCKS reply ");
        socks_answers(&socks, 1, answer, 4, i <= 8 ? words[i - 1] : "refused, with the unknown SOCKS reply ");
    }
    socks_answers(&socks, 1, "\5\2\0\1\0\0\0\0\0\0", 10, "proxy 1 (socks5://127.0.0.1:");
    socks_answers(&socks, 1, "\5\2\0\1\0\0\0\0\0\0", 10, "asked for target.invalid port 7001: ");
    socks_answers(&socks, 0, "\5\377", 2, "it wants a user and a password");
    socks_answers(&socks_user, 0, "\5\377", 2, "it takes neither nobody nor a user with a password");
    socks_answers(&socks_user, 1, "\1\1", 2, "it does not take this user and password");
    socks_answers(&socks_user, 1, "\1\377", 2, "it does not take this user and password");
    socks_answers(&socks_user, 2, "\5\1\0\1\0\0\0\0\0\0", 10, "the proxy failed");
}

static void socks_is_something_else(void) {
    socks_answers(&socks, 0, "\4\0", 2, "this is no SOCKS5 proxy: its answer begins with the bytes 04 00");
    socks_answers(&socks, 0, "\0\0", 2, "this is no SOCKS5 proxy");
    socks_answers(&socks, 0, "HTTP/1.1 400 Bad Request\r\n", 26, "this is no SOCKS5 proxy");
    socks_answers(&socks, 0, "\5\2", 2, "it chose a way of proof that was not offered (2)");
    socks_answers(&socks, 0, "\5\1", 2, "it chose a way of proof that was not offered (1)");
    socks_answers(&socks_user, 0, "\5\1", 2, "it chose a way of proof that was not offered (1)");
    socks_answers(&socks_user, 1, "\5\0", 2, "this is no SOCKS5 proxy: its answer begins with the bytes 05 00");
    socks_answers(&socks_user, 1, "\0\0", 2, "this is no SOCKS5 proxy");
    socks_answers(&socks, 1, "\4\0\0\1\0\0\0\0\0\0", 10,
                  "this is no SOCKS5 proxy: its answer begins with the bytes 04 00");
    socks_answers(&socks, 1, "\0\132\0\1\0\0\0\0", 8, "this is no SOCKS5 proxy");
    for (int kind = 0; kind < 256; kind += kind < 6 ? 1 : 83) {
        char answer[10] = "\5\0\0";
        answer[3] = (char)(unsigned char)kind;
        if (kind == 1 || kind == 3 || kind == 4) continue;
        socks_answers(&socks, 1, answer, 10, "this is no SOCKS5 proxy: it answered with an address of kind ");
    }
}

/* ---- lists -------------------------------------------------------------------------------------- */

/* The second proxy is asked by way of the first, for the target; which one failed is said. */
static void chains(void) {
    static const script both = {
        "tcp://target.invalid:7001",
        "http://127.0.0.1:PORT,socks5://second.invalid:1080",
        {STEP("CONNECT second.invalid:1080 HTTP/1.1\r\nHost: second.invalid:1080\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
         HELLO, STEP(NAME_ASKED, "\5\0\0\1\177\0\0\1\4\70")},
        SVCONN_FAULT_PROXY};
    static const script other = {
        "tcp://target.invalid:7001",
        "socks5://127.0.0.1:PORT,http://u:s3cret@[::1]:3128",
        {HELLO, STEP("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x0c\x38", "\5\0\0\3\1x\0\0"),
         STEP(ASKED "Proxy-Authorization: Basic dTpzM2NyZXQ=\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n")},
        SVCONN_FAULT_PROXY};
    every_split(&both);
    every_split(&other);
    socks_answers(&both, 0, "HTTP/1.1 403 x\r\n\r\n", 18, "proxy 1 (http://127.0.0.1:");
    socks_answers(&both, 0, "HTTP/1.1 403 x\r\n\r\n", 18, "asked for second.invalid port 1080: not allowed");
    socks_answers(&both, 1, "HTTP/1.1 ", 9,
                  "proxy 2 (socks5://second.invalid:1080), asked for target.invalid port 7001");
    socks_answers(&both, 2, "\5\5\0\1\0\0\0\0\0\0", 10, "proxy 2 (socks5://second.invalid:1080), asked for target");
    socks_answers(&other, 2, "HTTP/1.1 407 x\r\n\r\n", 18, "proxy 2 (http://[::1]:3128), asked for target.invalid");
    every_cut(&both, "it ended the connection without a whole answer");
}

/* All of it is read before anything is sent, and none of it is shown. */
static void bad_lists(void) {
    static const char *const bad[] = {
        "",
        ",",
        "http://127.0.0.1:PORT,",
        ",http://127.0.0.1:PORT",
        "http://127.0.0.1:PORT,,http://127.0.0.1:PORT",
        "127.0.0.1:PORT",
        "https://127.0.0.1:PORT",
        "socks4://127.0.0.1:PORT",
        "socks5h://127.0.0.1:PORT",
        "HTTP://127.0.0.1:PORT",
        "http://",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT ",
        " http://127.0.0.1:PORT",
        "http://:PORT",
        "http://::1:PORT",
        "http://127.0.0.1:PORT,http://a b:1",
        "http://127.0.0.1:PORT,http://a\r\nb:1",
        "http://127.0.0.1:PORT,http://s3cret",
        "http://me:s3cret@",
        "http://me:s3cret@127.0.0.1",
        "http://127.0.0.1:PORT,me:s3cret@127.0.0.1:1",
        "http://me:s3cret,x@127.0.0.1:PORT", /* its comma divides the list */
        "http://me:s3cret%@127.0.0.1:PORT",
        "http://me:s3cret%4@127.0.0.1:PORT",
        "http://me:s3cret%0g@127.0.0.1:PORT",
        "http://me:s3cret%00@127.0.0.1:PORT",
        "http://m%3Ae:s3cret@127.0.0.1:PORT",
        "socks5://:s3cret@127.0.0.1:PORT",
        "socks5://me:@127.0.0.1:PORT",
        "socks5://me@127.0.0.1:PORT",
    };
    char via[600], listener[600];
    svconn_listener n, other;
    svconn_link l;
    svconn_why why;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        svconn_link_options options = {.via = fill(via, bad[i], &n)};
        why.fault = SVCONN_FAULT_PROXY;
        CHECK(svconn_link_open_with(&l, "tcp://target.invalid:7001", &options, PATIENCE, &why) == -1 && l.in == -1);
        CHECK(why.fault == SVCONN_FAULT_LOCAL && says(&why, " in the list: ") && !strstr(why.text, "s3cret"));
        CHECK(svconn_listener_accept(&n, &l, 0, NULL) == -1);
        fill(listener, "relay://127.0.0.1:PORT/", &n);
        CHECK(svconn_listen_with(&other, listener, &options, &why) == -1 && says(&why, " in the list: "));
    }
    /* a password with an @ is none of the host's business */
    svconn_link_options at = {.via = "http://me:x@s3cret@host.invalid:1"};
    CHECK(svconn_link_open_with(&l, "tcp://x:1", &at, PATIENCE, &why) == -1 && why.fault == SVCONN_FAULT_UNREACHABLE);
    CHECK(says(&why, "proxy 1 (http://host.invalid:1): cannot find the host") && !strstr(why.text, "s3cret"));
    char user[300], text[700];
    memset(user, 'u', sizeof user);
    snprintf(text, sizeof text, "http://%.256s:x@127.0.0.1:1", user);
    at.via = text;
    CHECK(svconn_link_open_with(&l, "tcp://x:1", &at, PATIENCE, &why) == -1 && says(&why, "at most 255 bytes each"));
    snprintf(text, sizeof text, "http://%.256s:1", user);
    CHECK(svconn_link_open_with(&l, "tcp://x:1", &at, PATIENCE, &why) == -1 && says(&why, "it looks like socks5://"));
    svconn_listener_close(&n);
}

static void unfit_targets(void) {
    svconn_link_options options = {.via = "http://127.0.0.1:1"};
    svconn_listener n;
    svconn_link l;
    svconn_why why;
    static const char *const hosts[] = {"tcp://a\r\nX:1",   "tcp://a b:1", "tcp://a\tb:1",
                                        "tcp://\xc3\xa4:1", "tcp://:1",    "tcp://a:0"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        CHECK(svconn_link_open_with(&l, hosts[i], &options, PATIENCE, &why) == -1 && l.in == -1 &&
              why.fault == SVCONN_FAULT_LOCAL && (says(&why, "plain ASCII") || says(&why, "the port is")));
    static const char *const others[] = {"unix:/tmp/x", "exec:cat", "stdio:", "fd:0"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        CHECK(svconn_link_open_with(&l, others[i], &options, PATIENCE, &why) == -1 && l.in == -1 &&
              why.fault == SVCONN_FAULT_LOCAL && says(&why, "proxies lead to a host and a port only"));
        CHECK(svconn_listen_with(&n, others[i], &options, &why) == -1 && says(&why, "through a proxy"));
    }
    CHECK(svconn_listen_with(&n, "tcp://127.0.0.1:0", &options, &why) == -1 && n.fd == -1 &&
          says(&why, "tcp://127.0.0.1:0: cannot listen there through a proxy"));
}

/* ---- the transit relay -------------------------------------------------------------------------- */

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SIDE "\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe"
#define PLEASE "please relay " TOKEN " for side " SIDE "\n"

#define AT_WORMHOLE "wormhole://127.0.0.1:PORT/" TOKEN

static const script wormhole = {.address = AT_WORMHOLE, .steps = {STEP(PLEASE, "ok\n")}};

static void wormhole_answers(const char *text, svconn_fault fault, const char *part) {
    script s = wormhole;
    s.fault = fault;
    s.steps[0].answer = text;
    s.steps[0].answer_len = strlen(text);
    talk(&s, CUT, strlen(text), PATIENCE, part);
}

static void wormhole_joins(void) {
    static const script upper = {
        .address = "wormhole://127.0.0.1:PORT/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
        .steps = {STEP(PLEASE, "ok\n")}};
    static const script behind_proxy = {.address = "wormhole://target.invalid:7001/" TOKEN,
                                        .via = "http://127.0.0.1:PORT",
                                        .steps = {STEP(ASKED "\r\n", "HTTP/1.1 200 OK\r\n\r\n"), STEP(PLEASE, "ok\n")}};
    every_split(&wormhole);
    every_split(&behind_proxy);
    talk(&upper, WHOLE, 0, PATIENCE, NULL);
}

static void wormhole_refusals(void) {
    wormhole_answers("", SVCONN_FAULT_CUT, "the relay ended the connection before a partner came");
    wormhole_answers("o", SVCONN_FAULT_CUT, "the relay ended the connection before a partner came");
    wormhole_answers("ok", SVCONN_FAULT_CUT, "the relay ended the connection before a partner came");
    wormhole_answers("bad handshake\n", SVCONN_FAULT_RELAY_REFUSED, "it answered \"bad handshake\"");
    wormhole_answers("impatient\n", SVCONN_FAULT_RELAY_REFUSED, "it answered \"impatient\"");
    wormhole_answers("ok\r\n", SVCONN_FAULT_RELAY_REFUSED, "it answered \"ok?\"");
    wormhole_answers("OK\n", SVCONN_FAULT_RELAY_REFUSED, "it answered");
    wormhole_answers(" ok\n", SVCONN_FAULT_RELAY_REFUSED, "it answered");
    wormhole_answers("ok \n", SVCONN_FAULT_RELAY_REFUSED, "it answered");
    wormhole_answers("\n", SVCONN_FAULT_RELAY_REFUSED, "it answered");
    wormhole_answers("\033[2J\n", SVCONN_FAULT_RELAY_REFUSED, "it answered \"?[2J\"");
    wormhole_answers(
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        SVCONN_FAULT_CUT, "or is no transit relay");
    static const char *const bad[] = {
        "wormhole://h:1", "wormhole://h:1/", ("wormhole://h:1/" TOKEN "0"),
        "wormhole://h:1/x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    svconn_link l;
    svconn_why why;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(svconn_link_open(&l, bad[i], 0, &why) == -1 && says(&why, "no token; it looks like wormhole://"));
    CHECK(svconn_link_open(&l, "wormhole://h:0/" TOKEN, 0, &why) == -1 && says(&why, "port 0 is no port of a relay"));
}

/* The listening side does the same; the context has the token. */
static void wormhole_listens(void) {
    char address[600];
    uint8_t context[255];
    size_t len;
    svconn_listener n, door;
    svconn_link l;
    script s = wormhole;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    fill(address, AT_WORMHOLE, &n);
    CHECK(svconn_listen(&door, address, NULL) == 0 && door.fd == -1);
    for (int i = 0; i < 2; i++) { /* more than once */
        int status = -1;
        pid_t pid = start(&n, &s, WHOLE, 0, 1);
        CHECK(svconn_listener_accept(&door, &l, PATIENCE, NULL) == 0 && arrives(&l, TAIL));
        CHECK(svconn_link_context(&l, context, &len, "mine", 4) == SVCONN_OK);
        CHECK(len == 4 + 1 + 9 + 64 && memcmp(context, "mine\0wormhole " TOKEN, len) == 0);
        svconn_link_close(&l);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    svconn_listener_close(&door);
    svconn_listener_close(&n);
}

/* ---- time, and nobody there --------------------------------------------------------------------- */

static void deadlines(void) {
    uint64_t begin = svconn_now();
    script w = wormhole;
    talk(&http, STOP, 0, 150, "no answer in time; can it reach that host?");
    talk(&http, STOP, answers_of(&http) - 1, 150, "no answer in time");
    talk(&socks, STOP, 1, 150, "no answer in time");
    talk(&socks, STOP, 2 + 5, 150, "no answer in time");
    talk(&socks_user, STOP, 3, 150, "no answer in time");
    w.fault = SVCONN_FAULT_NOT_THERE;
    talk(&w, STOP, 0, 150, "no partner came in time; is the other party there, with the same token?");
    talk(&w, STOP, 2, 150, "no partner came in time");
    CHECK(svconn_now() - begin >= 7 * 140 && svconn_now() - begin < PATIENCE);
}

static void nobody_there(void) {
    static const char *const addresses[] = {"tcp://127.0.0.1:PORT", "relay://127.0.0.1:PORT/0000-0000", AT_WORMHOLE,
                                            "tcp://host.invalid:PORT", "unix:/nonexistent/socket"};
    char text[600];
    svconn_listener n;
    svconn_link l;
    svconn_why why;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    svconn_listener_close(&n);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        CHECK(svconn_link_open(&l, fill(text, addresses[i], &n), PATIENCE, &why) == -1);
        CHECK(why.fault == SVCONN_FAULT_UNREACHABLE);
    }
    svconn_link_options options = {.via = fill(text, "http://me:s3cret@127.0.0.1:PORT,http://127.0.0.1:1", &n)};
    CHECK(svconn_link_open_with(&l, "tcp://x:1", &options, PATIENCE, &why) == -1);
    CHECK(why.fault == SVCONN_FAULT_UNREACHABLE && says(&why, "cannot connect to proxy 1 (http://127.0.0.1:"));
    CHECK(says(&why, "nobody listens there") && !strstr(why.text, "s3cret"));
    CHECK(svconn_listen(&n, "tcp://host.invalid:0", &why) == -1 && why.fault == SVCONN_FAULT_LOCAL);
}

static void nothing_leaks(void) {
    int free_now = dup(0);
    close(free_now);
    CHECK(free_now <= 4);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

int main(void) {
    for (int fd = 3; fd < 100; fd++) close(fd); /* a launcher's */
    alarm(300); /* valgrind takes a minute */
    TEST("http_takes_no_byte_too_many", http_no_byte_too_many);
    TEST("http_answer_cut_at_every_byte", http_cut);
    TEST("http_every_2xx_is_success", http_success);
    TEST("http_refusals_are_explained", http_refusals);
    TEST("http_other_servers_are_found_out", http_is_something_else);
    TEST("http_answers_have_a_limit", http_sizes);
    TEST("http_requests_byte_by_byte", http_requests);
    TEST("socks_takes_no_byte_too_many", socks_no_byte_too_many);
    TEST("socks_answer_cut_at_every_byte", socks_cut);
    TEST("socks_answers_of_every_length", socks_lengths);
    TEST("socks_requests_byte_by_byte", socks_requests);
    TEST("socks_refusals_are_explained", socks_refusals);
    TEST("socks_other_servers_are_found_out", socks_is_something_else);
    TEST("via_proxies_ask_each_other", chains);
    TEST("via_bad_lists_send_nothing_and_show_nothing", bad_lists);
    TEST("via_unfit_targets", unfit_targets);
    TEST("wormhole_takes_no_byte_too_many", wormhole_joins);
    TEST("wormhole_refusals_are_explained", wormhole_refusals);
    TEST("wormhole_listens_with_the_same_context", wormhole_listens);
    TEST("proxies_and_relay_have_a_deadline", deadlines);
    TEST("what_cannot_be_reached_is_a_fault_of_its_own", nobody_there);
    TEST("descriptors_and_children_do_not_leak", nothing_leaks);
    return TEST_EXIT();
}
