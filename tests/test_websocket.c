/* SPDX-License-Identifier: ISC */
/*
 * ws: links. The server is the test: a child answers the request and hands the connection over, so that both ends are
 * here and every byte of the server is chosen. Whole sessions run against a server whose links are of a kind of its own
 * (svconn_link_ops), which is also the test of that.
 */
#include "svconn_link.h" /* the parts that RFC 6455 has examples for */
#include "session_lab.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 20000 /* ms; far more than anything here takes */
#define HEAD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define GOOD HEAD "Sec-WebSocket-Accept: $\r\n\r\n"

static uint8_t data[200000], got[400000];
static svconn_link here; /* our end, under test */
static int there = -1;   /* the server's end: a plain socket */
static svconn_why why;

/* ---- vocabulary --------------------------------------------------------------------------------- */

static int says(const char *part) {
    if (strstr(why.text, part)) return 1;
    printf("  said \"%s\", want \"%s\"\n", why.text, part);
    return 0;
}

static int put_all(int fd, const void *bytes, size_t len) {
    return svconn_send_exact(fd, bytes, len, svconn_deadline(PATIENCE)) == 0;
}

static int find(const char *text, const char *part) {
    if (strstr(text, part)) return 1;
    printf("  request \"%s\" lacks \"%s\"\n", text, part);
    return 0;
}

/* What a request must hold; the key goes out. */
static int read_request(int fd, const char *first_lines, char key[25]) {
    char request[3000];
    if (svconn_recv_text(fd, request, sizeof request, "\r\n\r\n", svconn_deadline(PATIENCE)) != 0) return 0;
    char *k = strstr(request, "\r\nSec-WebSocket-Key: ");
    if (!k || k[21 + 24] != '\r') return 0;
    snprintf(key, 25, "%s", k + 21);
    return strncmp(request, first_lines, strlen(first_lines)) == 0 && find(request, "\r\nUpgrade: websocket\r\n") &&
           find(request, "\r\nConnection: Upgrade\r\n") && find(request, "\r\nSec-WebSocket-Version: 13\r\n") &&
           find(request, "\r\nSec-WebSocket-Protocol: binary\r\n");
}

/* $: the right Sec-WebSocket-Accept */
static size_t make_answer(char *out, const char *model, const char *key) {
    char *at = out, accept[29];
    svconn_websocket_accept(accept, key);
    for (; *model; model++)
        if (*model == '$') at += sprintf(at, "%s", accept);
        else *at++ = *model;
    return (size_t)(at - out);
}

static void pass_on(int to, int fd) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec one = {.iov_base = &(char){0}, .iov_len = 1};
    struct msghdr m = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
    memset(&control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    (void)!sendmsg(to, &m, 0);
}

static int receive(int from) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    int fd = -1;
    char c;
    struct iovec one = {.iov_base = &c, .iov_len = 1};
    struct msghdr m = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
    if (recvmsg(from, &m, 0) == 1 && CMSG_FIRSTHDR(&m)) memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

/* How the server of the next call answers. */
static struct {
    const char *model;  /* see make_answer */
    size_t split;       /* send so many bytes, rest, send the others; 0: at once */
    int cut;            /* send no others, and end */
    const void *behind; /* at once behind the answer */
    size_t behind_len;
    const char *path, *request; /* what is asked for, and how that looks; NULL: the usual */
    char address[100];
} server;

static void answer_request(svconn_listener *n, int hand_over) {
    svconn_link l;
    char key[25], bytes[20000], usual[100];
    if (svconn_listener_accept(n, &l, PATIENCE, NULL) != 0) _exit(9);
    snprintf(usual, sizeof usual, "GET / HTTP/1.1\r\nHost: %s\r\n", n->address + 6);
    if (!read_request(l.in, server.request ? server.request : usual, key)) {
        fflush(stdout);
        _exit(8);
    }
    size_t len = make_answer(bytes, server.model ? server.model : GOOD, key);
    if (server.behind_len) memcpy(bytes + len, server.behind, server.behind_len);
    len += server.behind_len;
    size_t first = server.split || server.cut ? server.split : len;
    if (first > len) _exit(7);
    if (!put_all(l.out, bytes, first)) _exit(6);
    if (server.cut) _exit(0);
    if (server.split) svconn_nap(2);
    if (!put_all(l.out, bytes + first, len - first)) _exit(0); /* it was refused already */
    pass_on(hand_over, l.in);
    _exit(0);
}

/* Opens here; 0 if it fails. */
static int call(void) {
    svconn_listener n;
    int pair[2], status = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) answer_request(&n, pair[1]);
    close(pair[1]);
    snprintf(server.address, sizeof server.address, "ws%.60s%s", n.address + 3, server.path ? server.path : "");
    svconn_listener_close(&n);
    why.text[0] = 0;
    int ok = svconn_link_open(&here, server.address, PATIENCE, &why) == 0;
    there = receive(pair[0]);
    close(pair[0]);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    if (!ok && there >= 0) close(there);
    if (!ok) there = -1;
    return ok;
}

static void hang_up(void) {
    svconn_link_close(&here);
    if (there >= 0) close(there);
    there = -1;
    memset(&server, 0, sizeof server);
}

static int must_call(void) {
    int ok = call();
    CHECK(ok && there >= 0);
    if (!ok) printf("  %s\n", why.text);
    if (there >= 0) (void)fcntl(there, F_SETFL, O_NONBLOCK);
    return ok && there >= 0;
}

static ssize_t read_here(void *bytes, size_t len) { return here.ops->read(&here, bytes, len); }
static ssize_t write_here(const void *bytes, size_t len) { return here.ops->write(&here, bytes, len); }

/* Reads what is there, at_once bytes at a time; waits until at least want bytes came, or the end (in *end: 0, or errno;
 * else -1). */
static size_t read_until(uint8_t *out, size_t want, size_t at_once, int *end) {
    size_t at = 0;
    *end = -1;
    for (;;) {
        ssize_t n = read_here(out + at, at_once);
        if (n > 0) at += (size_t)n;
        else if (n == 0 || errno != EAGAIN) {
            *end = n == 0 ? 0 : errno;
            return at;
        } else if (at >= want) return at;
        else if (svconn_wait(here.in, POLLIN, svconn_deadline(PATIENCE)) != 0) return at;
    }
}

/* A frame of the server: not masked. */
static size_t frame(uint8_t *out, unsigned first, const void *bytes, size_t len) {
    size_t at = 0;
    out[at++] = (uint8_t)first;
    if (len < 126) out[at++] = (uint8_t)len;
    else if (len < 65536) {
        out[at++] = 126;
        out[at++] = (uint8_t)(len >> 8);
        out[at++] = (uint8_t)len;
    } else {
        out[at++] = 127;
        for (unsigned i = 8; i--;) out[at++] = (uint8_t)((uint64_t)len >> 8 * i);
    }
    if (len) memcpy(out + at, bytes, len);
    return at + len;
}

/* Brings out what our end holds back, and reads n bytes there, at most at_once at a time. */
static int carry(uint8_t *out, size_t n, size_t at_once) {
    uint64_t deadline = svconn_deadline(PATIENCE);
    for (size_t at = 0; at < n;) {
        if (write_here(NULL, 0) != 0) return 0;
        ssize_t took = read(there, out + at, n - at < at_once ? n - at : at_once);
        if (took > 0) at += (size_t)took;
        else if (took == 0 || errno != EAGAIN || svconn_wait(there, POLLIN, deadline) != 0) return 0;
    }
    return 1;
}

/* One masked frame at the server's end, unmasked into bytes; its first byte, or -1. */
static int frame_there(uint8_t *bytes, size_t *len, uint8_t mask[4]) {
    uint8_t h[2], more[8];
    if (!carry(h, 2, 2) || !(h[1] & 0x80)) return -1;
    size_t n = h[1] & 0x7f, more_len = n == 126 ? 2 : n == 127 ? 8 : 0;
    if (!carry(more, more_len, 8)) return -1;
    if (more_len) n = 0;
    for (size_t i = 0; i < more_len; i++) n = n << 8 | more[i];
    if (more_len && n < (more_len == 2 ? 126u : 65536u)) return -1; /* not its shortest form */
    if (!carry(mask, 4, 4) || !carry(bytes, n, n)) return -1;
    for (size_t i = 0; i < n; i++) bytes[i] ^= mask[i % 4];
    *len = n;
    return h[0];
}

/* The next frame there is a Close with this code. */
static int close_there(unsigned code) {
    uint8_t mask[4];
    size_t len = 0;
    int first = frame_there(got, &len, mask);
    unsigned said = len >= 2 ? (unsigned)got[0] << 8 | got[1] : 0;
    if (first == 0x88 && len == 2 && said == code) return 1;
    printf("  first byte %02x, code %u instead of %u\n", (unsigned)first, said, code);
    return 0;
}

static int ended_there(void) {
    char c;
    return svconn_recv_exact(there, &c, 1, svconn_deadline(PATIENCE)) != 0 && errno != ETIMEDOUT;
}

/* ---- values of the RFCs ------------------------------------------------------------------------- */

static int hash_is(const char *text, size_t repeat, const char *hex) {
    char out[41];
    uint8_t hash[20];
    for (size_t i = 0; i < repeat; i++) memcpy(got + i * strlen(text), text, strlen(text));
    svconn_sha1(hash, got, strlen(text) * repeat);
    for (size_t i = 0; i < 20; i++) snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return strcmp(out, hex) == 0;
}

static void sha1(void) {
    CHECK(hash_is("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d")); /* RFC 3174, section 7.3 */
    CHECK(hash_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                  "84983e441c3bd26ebaae4aa1f95129e5e54670f1"));
    CHECK(hash_is("01234567", 80, "dea356a2cddd90c7a7ecedc5ebb563934f460452"));
    CHECK(hash_is("a", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"));
    CHECK(hash_is("a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"));
    CHECK(hash_is("a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"));
    CHECK(hash_is("a", 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"));
    CHECK(hash_is("a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"));
    CHECK(hash_is("a", 65, "11655326c708d70319be2610e8a57d9a5b959d3b"));
    CHECK(hash_is("a", 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"));
    CHECK(hash_is("a", 120, "f34c1488385346a55709ba056ddd08280dd4c6d6"));
    CHECK(hash_is("a", 128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"));
}

static void accept_value(void) { /* section 1.3 */
    char out[29];
    svconn_websocket_accept(out, "dGhlIHNhbXBsZSBub25jZQ==");
    CHECK(strcmp(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0);
}

static void masking(void) { /* section 5.7: a masked text frame that says Hello */
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    static const uint8_t want[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint8_t out[SVCONN_WEBSOCKET_HEADER_MAX + 5];
    CHECK(svconn_websocket_frame(out, 1, mask, (const uint8_t *)"Hello", 5) == sizeof want);
    CHECK_BYTES(out, want, sizeof want);
}

/* ---- the handshake ------------------------------------------------------------------------------ */

static void requests(void) {
    static const char *const answers[] = {
        GOOD,
        "HTTP/1.1 101\r\nSEC-WEBSOCKET-ACCEPT:$\r\nconnection:  keep-alive , upgrade \r\nupgrade:\tWebSocket\r\n\r\n",
        HEAD
        "Server: y\r\nSec-WebSocket-Protocol: binary\r\nSec-WebSocket-Extensions:\r\nSec-WebSocket-Accept: $ \r\n\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        server.model = answers[i];
        if (must_call()) CHECK(write_here("x", 1) == 1);
        hang_up();
    }
    server.path = "/chat/%20?token=1&x=/";
    server.request = "GET /chat/%20?token=1&x=/ HTTP/1.1\r\nHost: 127.0.0.1:";
    must_call();
    hang_up();
    server.path = "?x";
    server.request = "GET /?x HTTP/1.1\r\nHost: 127.0.0.1:";
    must_call();
    hang_up();
}

static void wrong_answers(void) {
    static const struct {
        const char *answer, *part;
        svconn_fault fault;
    } wrong[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", "answered \"HTTP/1.1 200 OK\" and did not switch", SVCONN_FAULT_UNREACHABLE},
        {"HTTP/1.1 404 Not\x1b[31m Found\r\n\r\n", "\"HTTP/1.1 404 Not?[31m Found\"", SVCONN_FAULT_UNREACHABLE},
        {"HTTP/1.0 101 x\r\n\r\n", "did not switch", SVCONN_FAULT_UNREACHABLE},
        {"HTTP/1.1 1010 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $\r\n\r\n",
         "did not switch", SVCONN_FAULT_UNREACHABLE},
        {"SSH-2.0-x\r\n\r\n", "\"SSH-2.0-x\"", SVCONN_FAULT_UNREACHABLE},
        {"\r\n\r\n", "did not switch", SVCONN_FAULT_UNREACHABLE},
        {HEAD "\r\n", "but not to WebSocket as we asked", SVCONN_FAULT_UNREACHABLE},
        {HEAD "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", "another WebSocket request than ours",
         SVCONN_FAULT_UNREACHABLE},
        {HEAD "Sec-WebSocket-Accept: \r\n\r\n", "another WebSocket request than ours", SVCONN_FAULT_UNREACHABLE},
        {HEAD "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Accept: x\r\n\r\n", "another WebSocket request than ours",
         SVCONN_FAULT_UNREACHABLE},
        {HEAD "XSec-WebSocket-Accept: $\r\n\r\n", "not to WebSocket as we asked", SVCONN_FAULT_UNREACHABLE},
        {HEAD "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extension",
         SVCONN_FAULT_UNREACHABLE},
        {HEAD "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Extensions:\r\n permessage-deflate\r\n\r\n", "on the next line",
         SVCONN_FAULT_UNREACHABLE},
        {HEAD "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Protocol: base64\r\n\r\n", "subprotocol",
         SVCONN_FAULT_UNREACHABLE},
        {"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $\r\n\r\n", "not to WebSocket as we asked",
         SVCONN_FAULT_UNREACHABLE},
        {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $\r\n\r\n",
         "not to WebSocket as we asked", SVCONN_FAULT_UNREACHABLE},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close, upgrades\r\nSec-WebSocket-Accept: $\r\n\r\n",
         "not to WebSocket as we asked", SVCONN_FAULT_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        server.model = wrong[i].answer;
        CHECK(!call() && says(wrong[i].part) && why.fault == wrong[i].fault);
        CHECK(here.in == -1 && here.ops == NULL && here.state == NULL);
        hang_up();
    }
}

static void answer_without_end(void) {
    static char endless[9000];
    memset(endless, 'x', sizeof endless - 1);
    server.model = endless;
    CHECK(!call() && says("does not end") && why.fault == SVCONN_FAULT_UNREACHABLE);
    hang_up();
}

static void answer_cut(void) {
    char bytes[300];
    size_t len = make_answer(bytes, GOOD, "dGhlIHNhbXBsZSBub25jZQ==");
    for (size_t k = 0; k < len; k++) {
        server.split = k;
        server.cut = 1;
        CHECK(!call() && why.fault == SVCONN_FAULT_CUT && says("is it a WebSocket server?"));
        hang_up();
    }
}

/* Frames that come with the answer belong to the session; the answer itself comes in any two pieces. */
static void bytes_behind_the_answer(void) {
    static const uint8_t behind[] = {0x82, 3, 'a', 'b', 'c', 0x89, 1, 'p', 0x82, 1, 'd'};
    char bytes[300];
    size_t len = make_answer(bytes, GOOD, "dGhlIHNhbXBsZSBub25jZQ==");
    int end;
    for (size_t k = 0; k <= len + sizeof behind; k++) {
        server.split = k;
        server.behind = behind;
        server.behind_len = sizeof behind;
        if (must_call()) CHECK(read_until(got, 4, 100, &end) == 4 && memcmp(got, "abcd", 4) == 0 && end == -1);
        hang_up();
    }
}

/* A server that does not answer; a request that is too long to be sent; nobody there. */
static void deadline(void) {
    svconn_listener n;
    CHECK(svconn_listen(&n, "tcp://127.0.0.1:0", NULL) == 0);
    snprintf(server.address, sizeof server.address, "ws%.60s", n.address + 3);
    uint64_t begin = svconn_now();
    CHECK(svconn_link_open(&here, server.address, 200, &why) == -1 &&
          says("no answer to the WebSocket request in time"));
    CHECK(svconn_now() - begin >= 190 && svconn_now() - begin < PATIENCE);
    int head = snprintf((char *)data, 100, "%s/", server.address);
    memset(data + head, 'x', 5000);
    data[head + 5000] = 0;
    CHECK(svconn_link_open(&here, (char *)data, 200, &why) == -1 && says("the path is too long"));
    svconn_listener_close(&n);
    CHECK(svconn_link_open(&here, server.address, 200, &why) == -1 && says("cannot connect to ws://127.0.0.1"));
    memset(&server, 0, sizeof server);
}

static void addresses(void) {
    static const struct {
        const char *address, *part;
    } bad[] = {
        {"ws://", "the host is missing"},
        {"ws:///path", "the host is missing"},
        {"ws://:80/", "the host is missing"},
        {"ws://host:", "the port is a number"},
        {"ws://host:65536/", "the port is a number"},
        {"ws://host:80x/", "only a path may follow the port"},
        {"ws://::1/", "an IPv6 address goes in brackets"},
        {"ws://[::1/", "an IPv6 address looks like"},
        {"ws://host/a b", "percent-encoded"},
        {"ws://host/a\r\nX: y", "percent-encoded"},
        {"ws://host/\xc3\xa4", "percent-encoded"},
        {"ws://host/#x", "percent-encoded"},
        {"ws://host#x", "percent-encoded"},
        {"wss://host/", "use ws://, as the session is encrypted anyway, or exec:"},
        {"ws:host", "unknown kind"},
    };
    svconn_listener n;
    svconn_address a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(svconn_link_open(&here, bad[i].address, 0, &why) == -1 && says(bad[i].part));
    CHECK(svconn_address_parse(&a, "ws://h", NULL) == 0 && strcmp(a.host, "h") == 0 && strcmp(a.port, "80") == 0);
    CHECK(svconn_address_parse(&a, "ws://[::1]:81/p:1", NULL) == 0 && strcmp(a.host, "::1") == 0);
    CHECK(strcmp(a.port, "81") == 0 && strcmp(a.rest, "/p:1") == 0);
    CHECK(svconn_address_parse(&a, "ws://[::1]/p:1", NULL) == 0 && strcmp(a.port, "80") == 0);
    CHECK(svconn_listen(&n, "ws://127.0.0.1:0/", &why) == -1 && says("listen on tcp:// or unix: behind a WebSocket"));
    svconn_listener_close(&n);
}

/* ---- frames ------------------------------------------------------------------------------------- */

static void pattern(size_t k) {
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(k + i + (i >> 8));
}

/* A child puts bytes into the link's other end while we read. */
static pid_t put_aside(const uint8_t *bytes, size_t len) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(put_all(there, bytes, len) ? 0 : 1);
    return pid;
}

static void sizes(void) {
    static const size_t size[] = {0, 1, 125, 126, 127, 65535, 65536, 65537, 150000};
    static uint8_t bytes[160000];
    if (!must_call()) return;
    for (size_t k = 0; k < sizeof size / sizeof size[0]; k++) {
        uint8_t mask[4];
        size_t len = 0, sent = 0;
        int end, status;
        pattern(k);
        size_t n = frame(bytes, 0x82, data, size[k]);
        n += frame(bytes + n, 0x82, "!", 1);
        pid_t pid = put_aside(bytes, n);
        CHECK(read_until(got, size[k] + 1, 70000, &end) == size[k] + 1 && memcmp(got, data, size[k]) == 0);
        CHECK(got[size[k]] == '!' && end == -1);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        while (sent < size[k]) { /* ours: in frames of at most 65536 */
            ssize_t took = write_here(data + sent, size[k] - sent);
            CHECK(took > 0);
            if (took <= 0) break;
            CHECK(frame_there(got, &len, mask) == 0x82 && len == (size_t)took);
            CHECK(memcmp(got, data + sent, len) == 0 && here.ops->pending(&here) == 0);
            sent += (size_t)took;
        }
    }
    hang_up();
}

static void masks_are_fresh(void) {
    uint8_t masks[8][4];
    size_t len;
    int same = 0;
    if (!must_call()) return;
    for (size_t i = 0; i < 8; i++) {
        CHECK(write_here("x", 1) == 1 && frame_there(got, &len, masks[i]) == 0x82 && len == 1 && got[0] == 'x');
        for (size_t k = 0; k < i; k++) same += memcmp(masks[i], masks[k], 4) == 0;
    }
    CHECK(same == 0);
    hang_up();
}

/* Fragments, an empty one among them, control frames between them, each kind of length: cut in two at every byte, read
 * in pieces of several sizes; and at last byte by byte. The latest ping is answered. */
static void splits(void) {
    uint8_t bytes[1000], mask[4];
    size_t n = 0, len;
    int end, first;
    pattern(3);
    n += frame(bytes + n, 0x02, data, 5);
    n += frame(bytes + n, 0x89, "one", 3);
    n += frame(bytes + n, 0x00, data, 0);
    n += frame(bytes + n, 0x8a, "unasked", 7);
    n += frame(bytes + n, 0x00, data + 5, 126);
    n += frame(bytes + n, 0x80, data + 131, 1);
    n += frame(bytes + n, 0x82, data, 0);
    n += frame(bytes + n, 0x89, data, 125);
    n += frame(bytes + n, 0x82, data + 132, 20);
    for (size_t k = 0; k <= n; k++) {
        if (!must_call()) return;
        size_t at = 0, whole = k < n ? k : 0;
        CHECK(put_all(there, bytes, whole));
        (void)svconn_wait(here.in, POLLIN, svconn_deadline(whole ? 10 : 0));
        at += read_until(got, 0, 1 + k % 7, &end);
        CHECK(end == -1);
        for (size_t i = 0; k == n && i < n; i++) {
            CHECK(put_all(there, bytes + i, 1));
            at += read_until(got + at, 0, 100, &end);
            CHECK(end == -1);
        }
        if (k < n) CHECK(put_all(there, bytes + k, n - k));
        at += read_until(got + at, 152 - at, 1 + k % 50, &end);
        CHECK(at == 152 && end == -1 && memcmp(got, data, 152) == 0);
        do first = frame_there(got, &len, mask);
        while (first == 0x8a && len == 3 && memcmp(got, "one", 3) == 0);
        CHECK(first == 0x8a && len == 125 && memcmp(got, data, 125) == 0);
        CHECK(here.ops->pending(&here) == 0);
        hang_up();
    }
}

/* A length of 2^63 - 1 costs nothing before its bytes come. */
static void long_frame(void) {
    static const uint8_t bytes[] = {0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'a', 'b'};
    int end;
    if (!must_call()) return;
    CHECK(put_all(there, bytes, sizeof bytes));
    CHECK(read_until(got, 2, 100, &end) == 2 && end == -1 && memcmp(got, "ab", 2) == 0);
    CHECK(put_all(there, "cd", 2) && read_until(got, 2, 1, &end) == 2 && end == -1);
    hang_up();
}

/* What a server must not send. It is told so, and nothing behind it is taken. */
static void breaches(void) {
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t len;
        unsigned code;
    } breach[] = {
        {"masked", {0x82, 0x81, 1, 2, 3, 4, 5}, 7, 1002},
        {"masked ping", {0x89, 0x80, 1, 2, 3, 4}, 6, 1002},
        {"text", {0x81, 1, 'a'}, 3, 1003},
        {"first fragment of a text", {0x01, 1, 'a'}, 3, 1003},
        {"reserved bit 1", {0xc2, 1, 'a'}, 3, 1002},
        {"reserved bit 2", {0xa2, 1, 'a'}, 3, 1002},
        {"reserved bit 3", {0x92, 1, 'a'}, 3, 1002},
        {"opcode 3", {0x83, 0}, 2, 1002},
        {"opcode 7", {0x87, 0}, 2, 1002},
        {"opcode 11", {0x8b, 0}, 2, 1002},
        {"opcode 15", {0x8f, 0}, 2, 1002},
        {"ping of 126", {0x89, 126, 0, 126}, 4, 1002},
        {"close of 2^16", {0x88, 127, 0, 0, 0, 0, 0, 1, 0, 0}, 10, 1002},
        {"fragmented ping", {0x09, 1, 'a'}, 3, 1002},
        {"fragmented close", {0x08, 0}, 2, 1002},
        {"close of 1 byte", {0x88, 1, 3}, 3, 1002},
        {"continuation of nothing", {0x80, 1, 'a'}, 3, 1002},
        {"continuation of a message that is complete", {0x82, 0, 0x80, 0}, 4, 1002},
        {"new message within another", {0x02, 0, 0x82, 1, 'a'}, 5, 1002},
        {"125 in two bytes", {0x82, 126, 0, 125}, 4, 1002},
        {"65535 in eight bytes", {0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 10, 1002},
        {"length 2^63", {0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, 10, 1002},
    };
    for (size_t i = 0; i < sizeof breach / sizeof breach[0]; i++) {
        int end, bad = test_bad;
        if (!must_call()) return;
        CHECK(put_all(there, "\x82\2ok", 4) && put_all(there, breach[i].bytes, breach[i].len));
        CHECK(put_all(there, "\x82\5never", 7));
        CHECK(read_until(got, 1000, 100, &end) == 2 && end == EPROTO);
        CHECK(read_here(got, 100) == 0);
        here.ops->end(&here); /* the first reason counts */
        CHECK(close_there(breach[i].code));
        CHECK(write_here("x", 1) == -1 && errno == EPIPE);
        svconn_link_close(&here);
        CHECK(ended_there());
        if (test_bad != bad) printf("  %s\n", breach[i].what);
        hang_up();
    }
}

/* ---- control frames ----------------------------------------------------------------------------- */

/* Our end is full, half a frame is out; pings come; the server reads slowly. Every byte arrives, and the pong stands
 * between two frames. */
static void slow_reader(void) {
    static uint8_t big[65536];
    uint8_t mask[4];
    size_t len, frames = 0, pongs = 0, bytes = 0;
    int small = 4096, end;
    if (!must_call()) return;
    (void)setsockopt(here.out, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    (void)setsockopt(there, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    pattern(9);
    memcpy(big, data, sizeof big);
    ssize_t n;
    while ((n = write_here(big, sizeof big)) > 0) frames++, bytes += (size_t)n;
    CHECK(n == -1 && errno == EAGAIN && frames > 0 && here.ops->pending(&here) > 0);
    CHECK(write_here(NULL, 0) == 0); /* not an error: it is only not out yet */
    size_t pending = here.ops->pending(&here);
    CHECK(put_all(there, "\x89\1a\x89\1b", 6) && read_until(got, 0, 10, &end) == 0);
    CHECK(svconn_wait(here.in, POLLIN, svconn_deadline(100)) != 0 || read_until(got, 0, 10, &end) == 0);
    CHECK(here.ops->pending(&here) == pending + 7);
    for (size_t i = 0; i < frames + 1; i++) {
        int first = frame_there(got, &len, mask);
        if (first == 0x8a) CHECK(len == 1 && got[0] == 'b' && ++pongs == 1);
        else CHECK(first == 0x82 && len == sizeof big && memcmp(got, big, len) == 0);
    }
    CHECK(pongs == 1 && here.ops->pending(&here) == 0);
    hang_up();
}

/* Many frames without payload: the link gives others their turn, and comes to the payload all the same. */
static void many_pings(void) {
    static uint8_t bytes[3000];
    int end;
    ssize_t n;
    if (!must_call()) return;
    for (size_t i = 0; i < 2000; i += 2) memcpy(bytes + i, i % 4 ? "\x89" : "\x82", 2);
    CHECK(put_all(there, bytes, 2000) && put_all(there, "\x82\1x", 3));
    CHECK(svconn_wait(here.in, POLLIN, svconn_deadline(PATIENCE)) == 0);
    n = read_here(got, 10);
    CHECK(n == -1 && errno == EAGAIN);
    CHECK(read_until(got, 1, 10, &end) == 1 && got[0] == 'x');
    hang_up();
}

/* The server's Close is the end, and is answered with one of ours, once. */
static void server_closes(void) {
    int end;
    for (size_t reason = 0; reason < 3; reason++) {
        if (!must_call()) return;
        CHECK(put_all(there, "\x82\2ok", 4));
        CHECK(put_all(there,
                      reason == 0   ? "\x88"
                      : reason == 1 ? "\x88\2\x03\xe9"
                                    : "\x88\5\x03\xe8"
                                      "bye",
                      reason == 0   ? 2
                      : reason == 1 ? 4
                                    : 7));
        CHECK(put_all(there, "\x82\5never", 7));
        CHECK(read_until(got, 1000, 100, &end) == 2 && end == 0);
        CHECK(read_here(got, 10) == 0 && close_there(1000));
        CHECK(write_here("x", 1) == -1 && errno == EPIPE && here.ops->pending(&here) == 0);
        svconn_link_close(&here);
        CHECK(ended_there());
        hang_up();
    }
}

/* We close: behind all that was written, once. */
static void we_close(void) {
    uint8_t mask[4];
    size_t len;
    for (int ended_before = 0; ended_before < 2; ended_before++) {
        if (!must_call()) return;
        CHECK(write_here("last", 4) == 4);
        if (ended_before) {
            here.ops->end(&here);
            CHECK(here.ops->pending(&here) == 8 && write_here(NULL, 0) == 0 && here.ops->pending(&here) == 0);
            here.ops->end(&here);
            CHECK(here.ops->pending(&here) == 0);
            CHECK(write_here("x", 1) == -1 && errno == EPIPE);
            CHECK(put_all(there, "\x89\0\x82\2ok", 6)); /* the server may still send, but is not answered */
            int end;
            CHECK(read_until(got, 2, 10, &end) == 2 && end == -1 && here.ops->pending(&here) == 0);
        }
        CHECK(frame_there(got, &len, mask) == 0x82 && len == 4);
        if (ended_before) CHECK(close_there(1000));
        svconn_link_close(&here);
        if (!ended_before) {
            uint8_t close_frame[8];
            uint64_t by = svconn_deadline(PATIENCE);
            CHECK(svconn_recv_exact(there, close_frame, 8, by) == 0 && close_frame[0] == 0x88 &&
                  close_frame[1] == 0x82);
        }
        CHECK(ended_there());
        CHECK(here.ops == NULL && here.state == NULL && here.in == -1);
        hang_up();
    }
}

/* The connection ends without a Close: in a header, a length, a payload, a control frame. */
static void cut(void) {
    static const uint8_t bytes[] = {0x82, 1, 'a', 0x82, 126, 0, 200, 'b', 'c'};
    static const size_t payload[] = {0, 0, 0, 1, 1, 1, 1, 1, 2, 3};
    int end;
    for (size_t k = 0; k <= sizeof bytes; k++) {
        if (!must_call()) return;
        CHECK(put_all(there, bytes, k));
        shutdown(there, SHUT_WR);
        CHECK(read_until(got, 1000, 100, &end) == payload[k] && end == 0);
        hang_up();
    }
}

/* ---- whole sessions ----------------------------------------------------------------------------- */

#define BULK 1000000
#define BULK_MESSAGE 40000


/* The server's kind of link: takes masked frames; sends frames of changing sizes, in fragments, with pings between. */
static struct {
    uint8_t in[70000], out[70000];
    size_t in_len, out_at, out_len, count, pongs, payload_at, payload_end;
    int closed, forge;
} peer;

static ssize_t peer_flush(const svconn_link *l) {
    while (peer.out_at < peer.out_len) {
        ssize_t n = send(l->out, peer.out + peer.out_at, peer.out_len - peer.out_at, MSG_NOSIGNAL);
        if (n < 0) return -1;
        peer.out_at += (size_t)n;
    }
    return 0;
}

static ssize_t peer_write(svconn_link *l, const uint8_t *bytes, size_t len) {
    if (peer_flush(l) != 0) return len == 0 && errno == EAGAIN ? 0 : -1;
    if (len == 0) return 0;
    size_t c = peer.count++, n = len < 1 + c * 997 % 66000 ? len : 1 + c * 997 % 66000;
    int first = c % 3 == 0, last = c % 3 == 2; /* messages of three fragments */
    peer.out_at = 0;
    peer.out_len = frame(peer.out, (first ? 2u : 0u) | (last ? 0x80u : 0u), bytes, n);
    if (c % 5 == 0) peer.out_len += frame(peer.out + peer.out_len, 0x89, "are you there", 13);
    (void)peer_flush(l);
    return (ssize_t)n;
}

static size_t peer_pending(const svconn_link *l) {
    (void)l;
    return peer.out_len - peer.out_at;
}

static void peer_drop(size_t n) {
    memmove(peer.in, peer.in + n, peer.in_len - n);
    peer.in_len -= n;
}

/* Payload is unmasked in place; 0: no whole frame there */
static int peer_parse(void) {
    const uint8_t *p = peer.in;
    size_t h = 2, n = p[1] & 0x7f;
    if (peer.in_len < 14 && (peer.in_len < 2 || n > 125)) return 0;
    if (n == 126) n = (size_t)p[2] << 8 | p[3], h = 4;
    else if (n == 127) n = (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9], h = 10;
    if (peer.in_len < h + 4 + n) return 0;
    CHECK(p[1] & 0x80);
    for (size_t i = 0; i < n; i++) peer.in[h + 4 + i] ^= p[h + i % 4];
    if (p[0] == 0x82) {
        peer.payload_at = h + 4;
        peer.payload_end = h + 4 + n;
        return 1;
    }
    if (p[0] == 0x8a) peer.pongs++;
    if (p[0] == 0x88) peer.closed = 1;
    peer_drop(h + 4 + n);
    return 1;
}

static ssize_t peer_read(svconn_link *l, uint8_t *bytes, size_t len) {
    for (;;) {
        size_t n = peer.payload_end - peer.payload_at;
        if (n) {
            n = n < len ? n : len;
            memcpy(bytes, peer.in + peer.payload_at, n);
            peer.payload_at += n;
            if (peer.payload_at == peer.payload_end) peer_drop(peer.payload_end);
            if (peer.payload_at == peer.payload_end) peer.payload_at = peer.payload_end = 0;
            return (ssize_t)n;
        }
        if (peer_parse()) continue;
        if (peer.closed) return 0;
        ssize_t got_now = read(l->in, peer.in + peer.in_len, sizeof peer.in - peer.in_len);
        if (got_now <= 0) return got_now;
        peer.in_len += (size_t)got_now;
    }
}

/* What was read ahead is seen by no poll: look at once. */
static nfds_t peer_want(const svconn_link *l, short events, struct pollfd fds[2], uint64_t *when) {
    fds[0] = (struct pollfd){.fd = l->in, .events = events};
    if ((events & POLLIN) && peer.in_len) *when = svconn_now() + 1;
    return events ? 1 : 0;
}

static const svconn_link_ops peer_ops = {
    .read = peer_read, .write = peer_write, .pending = peer_pending, .want = peer_want};

static void echo_server(void) {
    echo_all(&here);
    while (peer_parse()) {
    }
    CHECK(peer.pongs > 0);
}

/* Half a record, then its end. */
static void failing_server(void) {
    abort_after_one(&here);
}

static int small; /* socket buffers, bytes; 0: as usual */

static pid_t start(void (*run)(void)) {
    if (!must_call()) return -1;
    if (small) (void)setsockopt(here.out, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    if (small) (void)setsockopt(there, SOL_SOCKET, SO_RCVBUF, &(int){8 * small}, sizeof small);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        svconn_link l = SVCONN_LINK_NONE;
        close(here.in);
        free(here.state);
        l.in = l.out = there;
        l.ops = &peer_ops;
        here = l;
        alarm(100);
        make_session(SVCONN_SERVER);
        run();
        svconn_link_close(&here);
        svconn_wipe(&session);
        fflush(stdout);
        _exit(test_bad < 100 ? test_bad : 100);
    }
    close(there);
    there = -1;
    make_session(SVCONN_CLIENT);
    return pid;
}

static void end_session(pid_t pid) {
    int status;
    hang_up();
    svconn_wipe(&session);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* A megabyte there and back, and the end in order: by blocking calls. */
static void session_blocking(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(echo_server);
    if (pid < 0) return;
    pattern(1);
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    for (size_t at = 0; at < BULK; at += BULK_MESSAGE) {
        CHECK(is(svconn_pump_send(&session, &here, data, BULK_MESSAGE), SVCONN_OK));
        CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_OK) && len == BULK_MESSAGE);
        CHECK(memcmp(msg, data, BULK_MESSAGE) == 0);
    }
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_OK));
    CHECK(svconn_pump_is_over(&session, &here));
    end_session(pid);
}

/* The same in a poll loop, as much on its way as goes. */
static void session_polling(void) {
    size_t sent = 0, received = 0;
    int closing = 0;
    pid_t pid = start(echo_server);
    if (pid < 0) return;
    pattern(2);
    while (!svconn_pump_is_over(&session, &here)) {
        struct pollfd fds[2];
        const uint8_t *msg;
        size_t len;
        int wait;
        nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
        CHECK(poll(fds, n, wait) >= 0);
        if (svconn_pump_ready(&session, &here, fds, n)) break;
        if (svconn_status(&session) == SVCONN_NEEDS_VERDICT) welcome(&session, NULL);
        while (sent < BULK && sent < received + 200000 &&
               svconn_send(&session, data, BULK_MESSAGE, svconn_now()) == SVCONN_OK)
            sent += BULK_MESSAGE;
        while (svconn_recv(&session, &msg, &len) == SVCONN_OK) {
            CHECK(len == BULK_MESSAGE && memcmp(msg, data, len) == 0);
            received += len;
            if (svconn_recv_done(&session)) break;
        }
        if (received >= BULK && !closing) closing = svconn_close(&session, svconn_now()) == SVCONN_OK;
    }
    CHECK(is(svconn_error(&session), SVCONN_OK) && svconn_status(&session) == SVCONN_CLOSED);
    CHECK(sent == received && sent >= BULK);
    end_session(pid);
}

/* A frame that is half out counts as not sent: a blocking call brings it out before it returns, and a session that
 * closed is not over before. */
static void slow_server(void) {
    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_pump_handshake(&session, &here, welcome, NULL);
    while (!err) {
        svconn_nap(200);
        err = svconn_pump_recv(&session, &here, &msg, &len);
    }
    CHECK(is(err, SVCONN_END) && is(svconn_pump_close(&session, &here), SVCONN_OK));
}

static void session_slow(void) {
    small = 4096;
    pid_t pid = start(slow_server);
    small = 0;
    if (pid < 0) return;
    uint64_t begin = svconn_now();
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    for (int i = 0; i < 3; i++) {
        CHECK(is(svconn_pump_send(&session, &here, data, 60000), SVCONN_OK));
        CHECK(here.ops->pending(&here) == 0);
    }
    while (svconn_send(&session, data, 30000, svconn_now()) == SVCONN_OK) {
    }
    struct pollfd fds[2];
    int wait;
    CHECK(is(svconn_pump_ready(&session, &here, fds, 0), SVCONN_OK)); /* all of it is in frames, and some of it out */
    CHECK(here.ops->pending(&here) > 0);
    nfds_t n = svconn_pump_want(&session, &here, fds, &wait);
    CHECK(n == 1 && fds[0].events == (POLLIN | POLLOUT));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_OK) && here.ops->pending(&here) == 0);
    CHECK(svconn_now() - begin < PATIENCE); /* what the server's link read ahead does not wait for a keep-alive */
    end_session(pid);
}

/* The error packet comes through frames too, in both directions. */
static void session_failing(void) {
    const uint8_t *msg;
    size_t len;
    pid_t pid = start(failing_server);
    if (pid < 0) return;
    CHECK(is(svconn_pump_handshake(&session, &here, welcome, NULL), SVCONN_OK));
    CHECK(is(svconn_pump_send(&session, &here, data, 60000), SVCONN_OK));
    CHECK(is(svconn_pump_recv(&session, &here, &msg, &len), SVCONN_E_ABORTED));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_ABORTED));
    end_session(pid);
}

static void refused_server(void) {
    svconn_err e = svconn_pump_handshake(&session, &here, welcome, NULL);
    CHECK(is(e, SVCONN_E_ABORTED));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_ABORTED));
}

static void session_refused(void) {
    pid_t pid = start(refused_server);
    if (pid < 0) return;
    CHECK(is(svconn_pump_handshake(&session, &here, NULL, NULL), SVCONN_E_REFUSED));
    uint64_t begin = svconn_now();
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_REFUSED));
    CHECK(svconn_now() - begin < 900); /* the server's end is seen: no waiting for the whole second */
    end_session(pid);
}

/* A server that breaks the protocol of the frames within a session: the link has ended. */
static void session_broken(void) {
    if (!must_call()) return;
    make_session(SVCONN_CLIENT);
    CHECK(put_all(there, "\x82\1", 2) && put_all(there, "\1", 1) && put_all(there, "\x81\1x", 3));
    svconn_err e = svconn_pump_handshake(&session, &here, welcome, NULL);
    CHECK(is(e, SVCONN_E_TRUNCATED));
    CHECK(is(svconn_pump_close(&session, &here), SVCONN_E_TRUNCATED) && svconn_pump_is_over(&session, &here));
    svconn_link_close(&here);
    uint8_t frame_bytes[8];
    CHECK(svconn_recv_exact(there, frame_bytes, 8, svconn_deadline(PATIENCE)) == 0 && frame_bytes[0] == 0x88);
    hang_up();
    svconn_wipe(&session);
}

static void nothing_leaks(void) {
    for (int fd = 3; fd < 200; fd++) CHECK(fcntl(fd, F_GETFD) < 0);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

int main(void) {
    for (int fd = 3; fd < 200; fd++) close(fd); /* a launcher's */
    alarm(200);
    TEST("sha1_of_published_values", sha1);
    TEST("websocket_accept_value_of_the_rfc", accept_value);
    TEST("websocket_masking_example_of_the_rfc", masking);
    TEST("websocket_addresses", addresses);
    TEST("websocket_request_and_good_answers", requests);
    TEST("websocket_wrong_answers_are_explained", wrong_answers);
    TEST("websocket_answer_without_end", answer_without_end);
    TEST("websocket_answer_cut_at_every_byte", answer_cut);
    TEST("websocket_bytes_behind_the_answer_are_not_lost", bytes_behind_the_answer);
    TEST("websocket_answer_has_a_deadline", deadline);
    TEST("websocket_frames_of_all_lengths", sizes);
    TEST("websocket_masks_are_fresh", masks_are_fresh);
    TEST("websocket_fragments_and_control_frames_in_every_split", splits);
    TEST("websocket_long_frame_is_streamed", long_frame);
    TEST("websocket_breaches_end_the_link", breaches);
    TEST("websocket_pong_waits_for_the_rest_of_a_frame", slow_reader);
    TEST("websocket_frames_without_payload_take_turns", many_pings);
    TEST("websocket_close_of_the_server", server_closes);
    TEST("websocket_close_of_ours", we_close);
    TEST("websocket_cut_at_every_byte", cut);
    TEST("websocket_session_by_blocking_calls", session_blocking);
    TEST("websocket_session_in_a_poll_loop", session_polling);
    TEST("websocket_session_with_a_slow_server", session_slow);
    TEST("websocket_error_packet_arrives", session_failing);
    TEST("websocket_error_packet_leaves", session_refused);
    TEST("websocket_breach_ends_the_session", session_broken);
    TEST("websocket_descriptors_and_children_do_not_leak", nothing_leaks);
    return TEST_EXIT();
}
