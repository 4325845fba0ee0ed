/* SPDX-License-Identifier: ISC */
/*
 * ws: links: a WebSocket client (RFC 6455; "section" below is there). The bytes of the session are the payload of
 * binary messages; where messages begin and end means nothing, because relays cut and join them as they like.
 *
 * Reading goes header by header from the socket and payload straight into the place that the pump gives: what a frame
 * says about its length costs no memory, and no byte is read ahead. Writing must mask, so it copies: one frame at a
 * time lies in the state, and what it holds back is pending for the pump. Control frames go out between two frames of
 * data.
 *
 * The Close frame is sent and not waited for at the end (section 7.1.1 would like that): the session has a close of its
 * own, and after it nothing is on its way.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES 65536 /* of payload in a frame of ours */
#define ANSWER_MAX 8192
#define REQUEST_MAX 4096
#define CONTROL_MAX 125   /* section 5.5 */
#define FRAMES_AT_ONCE 16 /* that carry no payload: then other links get their turn */

enum { CONTINUATION = 0, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };               /* section 5.2 */
enum { CLOSE_NORMAL = 1000, CLOSE_PROTOCOL_ERROR = 1002, CLOSE_UNSUPPORTED = 1003 }; /* section 7.4.1 */

typedef struct {
    /* the frame that is being read */
    uint8_t header[10], control[CONTROL_MAX];
    size_t header_len, control_len;
    uint64_t left;  /* payload of a frame of data that is still to come */
    int in_message; /* a fragment came that was not the last */
    int ended;      /* a Close frame came, or the server broke the protocol */

    /* what goes out: the rest of a frame, then what is due */
    int pong_due, close_due, close_sent;
    uint8_t pong[CONTROL_MAX];
    size_t pong_len;
    size_t out_at, out_len;
    uint8_t out[SVCONN_WEBSOCKET_HEADER_MAX + FRAME_BYTES];
} websocket;

/* ---- writing ------------------------------------------------------------------------------------ */

size_t svconn_websocket_frame(uint8_t *out, unsigned opcode, const uint8_t mask[4], const uint8_t *bytes, size_t len) {
    size_t at = 0, len_bytes = len <= 125 ? 0 : len <= 65535 ? 2 : 8;
    out[at++] = (uint8_t)(0x80 | opcode);
    out[at++] = (uint8_t)(0x80 | (len_bytes == 0 ? len : len_bytes == 2 ? 126 : 127));
    while (len_bytes--) out[at++] = (uint8_t)((uint64_t)len >> 8 * len_bytes);
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++) out[at + i] = bytes[i] ^ mask[i & 3]; /* section 5.3 */
    return at + len;
}

/* The frame before it is out. */
static int put_frame(websocket *w, unsigned opcode, const uint8_t *bytes, size_t len) {
    uint8_t mask[4];
    if (svconn_random(mask, sizeof mask) != 0) {
        errno = EIO;
        return -1;
    }
    w->out_at = 0;
    w->out_len = svconn_websocket_frame(w->out, opcode, mask, bytes, len);
    return 0;
}

static int put_close(websocket *w) {
    uint8_t code[2] = {(uint8_t)(w->close_due >> 8), (uint8_t)w->close_due};
    w->close_due = 0;
    w->close_sent = 1;
    return put_frame(w, CLOSE, code, sizeof code);
}

static int put_pong(websocket *w) {
    w->pong_due = 0;
    return put_frame(w, PONG, w->pong, w->pong_len);
}

static int send_out(svconn_link *l) {
    websocket *w = l->state;
    while (w->out_at < w->out_len) {
        ssize_t n = svconn_fd_write(l->out, w->out + w->out_at, w->out_len - w->out_at);
        if (n > 0) w->out_at += (size_t)n;
        else if (n < 0) return -1;
    }
    return 0;
}

/* 0: all is out; -1: errno. Nothing follows a Close frame (section 5.5.1). */
static int bring_out(svconn_link *l) {
    websocket *w = l->state;
    for (;;) {
        if (send_out(l) != 0) return -1;
        if (w->close_sent || (!w->pong_due && !w->close_due)) return 0;
        if ((w->pong_due ? put_pong(w) : put_close(w)) != 0) return -1;
    }
}

static ssize_t websocket_write(svconn_link *l, const uint8_t *bytes, size_t len) {
    websocket *w = l->state;
    if (bring_out(l) != 0) return len == 0 && svconn_is_later(errno) ? 0 : -1;
    if (len == 0) return 0;
    if (w->close_sent) {
        errno = EPIPE;
        return -1;
    }
    if (len > FRAME_BYTES) len = FRAME_BYTES;
    if (put_frame(w, BINARY, bytes, len) != 0) return -1;
    if (bring_out(l) != 0 && !svconn_is_later(errno)) return -1;
    return (ssize_t)len;
}

static size_t websocket_pending(const svconn_link *l) {
    const websocket *w = l->state;
    size_t len = w->out_len - w->out_at;
    if (w->close_sent) return len;
    return len + (w->pong_due ? 6 + w->pong_len : 0) + (w->close_due ? 8 : 0);
}

static void close_with(websocket *w, int code) {
    if (!w->close_sent && !w->close_due) w->close_due = code;
}

static void websocket_end(svconn_link *l) { close_with(l->state, CLOSE_NORMAL); /* the pump finds it pending */ }

static void websocket_close(svconn_link *l) {
    websocket_end(l);
    (void)bring_out(l);
    free(l->state);
    l->state = NULL;
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* Until *have is want: 1. 0: the end; -1: errno. */
static int fill(int fd, uint8_t *bytes, size_t *have, size_t want) {
    while (*have < want) {
        ssize_t n = svconn_fd_read(fd, bytes + *have, want - *have);
        if (n <= 0) return (int)n;
        *have += (size_t)n;
    }
    return 1;
}

/* The server broke the protocol: we say so, and take nothing more (section 7.1.7). */
static int broken(websocket *w, int code) {
    w->ended = 1;
    close_with(w, code);
    errno = EPROTO;
    return -1;
}

static unsigned opcode_of(const websocket *w) { return w->header[0] & 0x0f; }
static int is_final(const websocket *w) { return w->header[0] >> 7; }
static unsigned short_len(const websocket *w) { return w->header[1] & 0x7f; }

/* What the first two bytes may be: sections 5.1, 5.2, 5.4, 5.5. 0, or the code of our Close frame. */
static int judge(const websocket *w) {
    unsigned opcode = opcode_of(w);
    if (w->header[0] & 0x70 || w->header[1] & 0x80) return CLOSE_PROTOCOL_ERROR; /* no extension; servers do not mask */
    if (opcode == 1) return CLOSE_UNSUPPORTED;                                   /* text */
    if (opcode == BINARY || opcode == CONTINUATION)
        return (opcode == CONTINUATION) == w->in_message ? 0 : CLOSE_PROTOCOL_ERROR;
    if (opcode < CLOSE || opcode > PONG) return CLOSE_PROTOCOL_ERROR;
    return is_final(w) && short_len(w) <= CONTROL_MAX ? 0 : CLOSE_PROTOCOL_ERROR;
}

/* The length in full, which must be in its shortest form and below 2^63 (section 5.2). */
static int read_len(websocket *w, uint64_t *len) {
    uint64_t n = 0;
    *len = short_len(w);
    if (*len < 126) return 0;
    for (size_t i = 2; i < w->header_len; i++) n = n << 8 | w->header[i];
    if (n >> 63 || n <= (*len == 126 ? 125 : 65535)) return -1;
    *len = n;
    return 0;
}

/* 1: the header is whole. Else as fill. */
static int read_header(svconn_link *l) {
    websocket *w = l->state;
    int got = fill(l->in, w->header, &w->header_len, w->header_len > 2 ? w->header_len : 2);
    if (got <= 0) return got;
    int code = judge(w);
    if (code) return broken(w, code);
    return fill(l->in, w->header, &w->header_len, short_len(w) == 127 ? 10 : short_len(w) == 126 ? 4 : 2);
}

static void begin_next(websocket *w) { w->header_len = w->control_len = 0; }

/* 1, or as fill. A Pong may answer only the latest of several Pings (section 5.5.3). */
static int read_control(svconn_link *l) {
    websocket *w = l->state;
    int got = fill(l->in, w->control, &w->control_len, short_len(w));
    if (got <= 0) return got;
    if (opcode_of(w) == PING) {
        memcpy(w->pong, w->control, w->control_len);
        w->pong_len = w->control_len;
        w->pong_due = 1;
    } else if (opcode_of(w) == CLOSE) {
        if (w->control_len == 1) return broken(w, CLOSE_PROTOCOL_ERROR);
        close_with(w, CLOSE_NORMAL);
        w->ended = 1;
    }
    begin_next(w);
    return 1;
}

/* 1, or as fill: one frame of control, or up to the payload of one of data. */
static int read_frame(svconn_link *l) {
    websocket *w = l->state;
    uint64_t len;
    int got = read_header(l);
    if (got <= 0) return got;
    if (opcode_of(w) >= CLOSE) return read_control(l);
    if (read_len(w, &len) != 0) return broken(w, CLOSE_PROTOCOL_ERROR);
    w->in_message = !is_final(w);
    w->left = len;
    begin_next(w);
    return 1;
}

static ssize_t websocket_read(svconn_link *l, uint8_t *bytes, size_t len) {
    websocket *w = l->state;
    for (int i = 0; i < FRAMES_AT_ONCE; i++) {
        if (w->left) {
            ssize_t n = svconn_fd_read(l->in, bytes, len < w->left ? len : (size_t)w->left);
            if (n > 0) w->left -= (uint64_t)n;
            return n;
        }
        int got = w->ended ? 0 : read_frame(l);
        if (got <= 0) return got;
    }
    errno = EAGAIN;
    return -1;
}

static const svconn_link_ops websocket_ops = {.read = websocket_read,
                                              .write = websocket_write,
                                              .pending = websocket_pending,
                                              .end = websocket_end,
                                              .close = websocket_close};

/* ---- the handshake (section 4.1) ---------------------------------------------------------------- */

void svconn_websocket_accept(char out[29], const char key[25]) {
    char text[100];
    uint8_t hash[20];
    snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    svconn_sha1(hash, (const uint8_t *)text, strlen(text));
    svconn_base64(out, hash, sizeof hash);
}

static int send_request(int fd, const svconn_address *a, const char *key, uint64_t end, svconn_why *why) {
    char request[REQUEST_MAX];
    int v6 = strchr(a->host, ':') != NULL, usual = strcmp(a->port, "80") == 0;
    int n = snprintf(request, sizeof request,
                     "GET %s%s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n",
                     a->rest[0] == '/' ? "" : "/", a->rest, v6 ? "[" : "", a->host, v6 ? "]" : "", usual ? "" : ":",
                     usual ? "" : a->port, key);
    if (n < 0 || (size_t)n >= sizeof request) return svconn_because(why, "%.150s...: the path is too long", a->text);
    if (svconn_send_exact(fd, request, (size_t)n, end) == 0) return 0;
    return svconn_because_of(why, SVCONN_FAULT_CUT, "%.150s: cannot send the WebSocket request: %s", a->text,
                             svconn_errno_text(errno));
}

static int read_answer(int fd, const svconn_address *a, char answer[ANSWER_MAX], uint64_t end, svconn_why *why) {
    if (svconn_recv_text(fd, answer, ANSWER_MAX, "\r\n\r\n", end) == 0) return 0;
    const char *what = errno == ETIMEDOUT  ? "no answer to the WebSocket request in time"
                       : errno == 0        ? "the server ended the connection in its answer to the WebSocket request"
                       : errno == EMSGSIZE ? "the answer to the WebSocket request does not end"
                                           : svconn_errno_text(errno);
    return svconn_because_of(why, errno == EMSGSIZE ? SVCONN_FAULT_UNREACHABLE : SVCONN_FAULT_CUT,
                             "%.150s: %s; is it a WebSocket server?", a->text, what);
}

/* The value, if this line is the header of that name; spaces around it are not part of it. */
static char *value_of(char *line, const char *name) {
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0 || line[n] != ':') return NULL;
    char *value = line + n + 1;
    value += strspn(value, " \t");
    for (n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--) value[n - 1] = 0;
    return value;
}

/* Is word in a list like "keep-alive, Upgrade"? */
static int is_listed(const char *list, const char *word) {
    size_t n = strlen(word);
    while (*list) {
        list += strspn(list, " \t,");
        size_t len = strcspn(list, " \t,");
        if (len == n && strncasecmp(list, word, n) == 0) return 1;
        list += len;
    }
    return 0;
}

typedef struct {
    int upgrade, connection, accept;
} found;

/* One header. NULL, or what is wrong with it. */
static const char *check_header(char *line, const char *accept, found *f) {
    char *value;
    if (*line == ' ' || *line == '\t')
        return "the server continues a header on the next line, which is not HTTP/1.1 any more";
    if ((value = value_of(line, "Upgrade")) != NULL) f->upgrade |= is_listed(value, "websocket");
    else if ((value = value_of(line, "Connection")) != NULL) f->connection |= is_listed(value, "upgrade");
    else if ((value = value_of(line, "Sec-WebSocket-Accept")) != NULL) {
        if (strcmp(value, accept) != 0)
            return "the server answered to another WebSocket request than ours (a cache in between?)";
        f->accept = 1;
    } else if ((value = value_of(line, "Sec-WebSocket-Extensions")) != NULL) {
        if (*value) return "the server uses a WebSocket extension that was not asked for";
    } else if ((value = value_of(line, "Sec-WebSocket-Protocol")) != NULL) {
        if (strcmp(value, "binary") != 0) return "the server chose another WebSocket subprotocol than \"binary\"";
    }
    return NULL;
}

static int check_answer(char *answer, const char *accept, const svconn_address *a, svconn_why *why) {
    found f = {0, 0, 0};
    char *line = answer, *next = strstr(answer, "\r\n");
    const char *fault = NULL;
    if (next) *next = 0;
    if (strncmp(line, "HTTP/1.1 101", 12) != 0 || (line[12] != ' ' && line[12] != 0)) {
        svconn_printable(line);
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE,
                                 "%.120s: the server answered \"%.60s\" and did not switch to WebSocket; are host, "
                                 "port and path right?",
                                 a->text, line);
    }
    while (next && !fault) {
        line = next + 2;
        next = strstr(line, "\r\n");
        if (next) *next = 0;
        fault = check_header(line, accept, &f);
    }
    if (!fault && (!f.upgrade || !f.connection || !f.accept))
        fault = "the server switched protocols, but not to WebSocket as we asked";
    return fault ? svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "%.120s: %s; what stands there?", a->text, fault)
                 : 0;
}

static int shake(int fd, const svconn_address *a, uint64_t end, svconn_why *why) {
    uint8_t nonce[16];
    char key[25], accept[29], answer[ANSWER_MAX];
    if (svconn_random(nonce, sizeof nonce) != 0)
        return svconn_because(why, "%.150s: the system gives no random bytes for the WebSocket request", a->text);
    svconn_base64(key, nonce, sizeof nonce);
    svconn_websocket_accept(accept, key);
    if (send_request(fd, a, key, end, why) != 0 || read_answer(fd, a, answer, end, why) != 0) return -1;
    return check_answer(answer, accept, a, why);
}

int svconn_websocket_listen(const svconn_address *a, svconn_why *why) {
    return svconn_because(why,
                          "%.150s: a WebSocket can only be called; to serve, listen on tcp:// or unix: behind a "
                          "WebSocket relay such as websockify",
                          a->text);
}

int svconn_websocket_open(svconn_link *l, const svconn_address *a, const char *via, uint64_t end, svconn_why *why) {
    websocket *w = calloc(1, sizeof *w);
    int fd = w ? svconn_dial(a, via, end, why) : svconn_because(why, "%.150s: out of memory", a->text);
    if (fd < 0 || shake(fd, a, end, why) != 0) {
        if (fd >= 0) svconn_fd_close(fd);
        free(w);
        return -1;
    }
    l->in = l->out = fd;
    l->ops = &websocket_ops;
    l->state = w;
    return 0;
}
