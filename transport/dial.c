/* SPDX-License-Identifier: ISC */
/*
 * A TCP connection by way of proxies: to the first one, which is asked for the second, and so on to the target. Names
 * go to the proxies as they are: who wants a proxy often wants its resolver, and not to tell his own.
 *
 * The list is read as a whole before the first byte goes out. What is wrong in it is not quoted: it may be a password.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include "ct.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the list ----------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decoding (RFC 3986, section 2.1) of n characters to a text; 0, or -1. */
static int decode(char out[SVCONN_USER_MAX + 1], const char *p, size_t n) {
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)p[i];
        if (c == '%') {
            int high = n - i > 2 ? hex_digit(p[i + 1]) : -1, low = n - i > 2 ? hex_digit(p[i + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : 16 * high + low;
            i += 2;
        }
        if (c == 0 || used == SVCONN_USER_MAX) return -1;
        out[used++] = (char)(unsigned char)c;
    }
    out[used] = 0;
    return 0;
}

static const char *parse_user(svconn_hop *h, const char *p, size_t n) {
    const char *colon = memchr(p, ':', n);
    size_t user_len = colon ? (size_t)(colon - p) : n;
    h->has_user = 1;
    if (decode(h->user, p, user_len) != 0 || (colon && decode(h->password, colon + 1, n - user_len - 1) != 0))
        return "user and password have at most 255 bytes each, and %XX in them has two hexadecimal digits";
    /* RFC 1929, section 2; RFC 7617, section 2 */
    if (h->kind == SVCONN_HOP_SOCKS5 && (!h->user[0] || !h->password[0]))
        return "socks5 takes a user and a password that are not empty";
    if (h->kind == SVCONN_HOP_HTTP && strchr(h->user, ':')) return "http takes no user name with a colon in it";
    return NULL;
}

/* It goes into a line of HTTP, where a line end would begin a line of somebody else's. */
static int is_plain_name(const char *host) {
    for (; *host; host++)
        if (*host <= ' ' || *host > '~') return 0;
    return 1;
}

/* HOST:PORT, and the name for messages: nothing of the user is in it. */
static int parse_place(svconn_hop *h, const char *prefix, const char *p, size_t n) {
    char text[SVCONN_HOST_MAX + 20];
    svconn_address a;
    if (n > SVCONN_HOST_MAX + 8) return -1;
    snprintf(text, sizeof text, "tcp://%.*s", (int)n, p);
    if (svconn_address_parse(&a, text, NULL) != 0 || !a.host[0] || !is_plain_name(a.host) || strcmp(a.port, "0") == 0)
        return -1;
    memcpy(h->host, a.host, sizeof h->host);
    memcpy(h->port, a.port, sizeof h->port);
    snprintf(h->name, sizeof h->name, "proxy %d (%s%s)", h->number, prefix, text + 6);
    return 0;
}

/* One proxy, n characters. NULL, or what is wrong. */
static const char *parse_hop(svconn_hop *h, const char *p, size_t n) {
    static const char form[] = "it looks like socks5://HOST:PORT or http://HOST:PORT, with USER:PASSWORD@ before HOST "
                               "if the proxy wants it";
    static const struct {
        const char *prefix;
        svconn_hop_kind kind;
    } kinds[] = {{"socks5://", SVCONN_HOP_SOCKS5}, {"http://", SVCONN_HOP_HTTP}};
    size_t i = 0;
    while (i < 2 && (n < strlen(kinds[i].prefix) || strncmp(p, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)) i++;
    if (i == 2) return form;
    h->kind = kinds[i].kind;
    p += strlen(kinds[i].prefix);
    n -= strlen(kinds[i].prefix);
    size_t at = n; /* behind the last @: one before that stands in a password, which must not be shown as a host */
    while (at > 0 && p[at - 1] != '@') at--;
    const char *wrong = at ? parse_user(h, p, at - 1) : NULL;
    if (wrong) return wrong;
    return parse_place(h, kinds[i].prefix, p + at, n - at) == 0 ? NULL : form;
}

/* The next proxy of *via, which is moved behind it: NULL if it was the last. */
static int next_hop(svconn_hop *h, const char **via, int number, svconn_why *why) {
    size_t n = strcspn(*via, ",");
    memset(h, 0, sizeof *h);
    h->number = number;
    const char *wrong = parse_hop(h, *via, n);
    *via = (*via)[n] ? *via + n + 1 : NULL;
    return wrong ? svconn_because(why, "proxy %d in the list: %s", number, wrong) : 0;
}

int svconn_via_check(const char *via, svconn_why *why) {
    svconn_hop h;
    int number = 1, ok = 1;
    while (via && ok) ok = next_hop(&h, &via, number++, why) == 0;
    ct_wipe(&h, sizeof h);
    return ok ? 0 : -1;
}

/* ---- what is said of a proxy -------------------------------------------------------------------- */

int svconn_hop_failed(const svconn_hop *h, svconn_why *why, const char *format, ...) {
    char what[150];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return svconn_because_of(why, SVCONN_FAULT_PROXY, "%.80s, asked for %.50s port %s: %s", h->name, h->to_host,
                             h->to_port, n < 0 ? "" : what);
}

int svconn_hop_lost(const svconn_hop *h, svconn_why *why) {
    if (errno == ETIMEDOUT) return svconn_hop_failed(h, why, "no answer in time; can it reach that host?");
    if (errno == EMSGSIZE) return svconn_hop_failed(h, why, "its answer does not end; is this a proxy?");
    if (errno == 0)
        return svconn_hop_failed(h, why, "it ended the connection without a whole answer; is it a proxy of this kind?");
    return svconn_hop_failed(h, why, "lost it before its answer: %s", svconn_errno_text(errno));
}

/* ---- the way ------------------------------------------------------------------------------------ */

static int connect_first(const svconn_hop *h, uint64_t end, svconn_why *why) {
    svconn_address a;
    memset(&a, 0, sizeof a);
    a.text = h->name;
    memcpy(a.host, h->host, sizeof a.host);
    memcpy(a.port, h->port, sizeof a.port);
    return svconn_tcp_connect(&a, end, why);
}

static int ask_proxy(int fd, const svconn_hop *h, uint64_t end, svconn_why *why) {
    return h->kind == SVCONN_HOP_HTTP ? svconn_http_connect(fd, h, end, why) : svconn_socks5_connect(fd, h, end, why);
}

/* hop[0] is asked for hop[1], then that for the next, the last one for a. */
static int go(int fd, svconn_hop hop[2], const svconn_address *a, const char *via, uint64_t end, svconn_why *why) {
    for (int number = 2; via; number++) {
        if (next_hop(&hop[1], &via, number, why) != 0) return -1;
        hop[0].to_host = hop[1].host;
        hop[0].to_port = hop[1].port;
        if (ask_proxy(fd, &hop[0], end, why) != 0) return -1;
        hop[0] = hop[1];
    }
    hop[0].to_host = a->host;
    hop[0].to_port = a->port;
    return ask_proxy(fd, &hop[0], end, why);
}

int svconn_dial(const svconn_address *a, const char *via, uint64_t end, svconn_why *why) {
    svconn_hop hop[2];
    if (!via) return svconn_tcp_connect(a, end, why);
    if (svconn_via_check(via, why) != 0) return -1;
    if (!a->host[0] || strcmp(a->port, "0") == 0 || !is_plain_name(a->host))
        return svconn_because(why, "%.150s: a proxy is asked for a host of plain ASCII and a port other than 0",
                              a->text);
    int fd = next_hop(&hop[0], &via, 1, why) == 0 ? connect_first(&hop[0], end, why) : -1;
    if (fd >= 0 && go(fd, hop, a, via, end, why) != 0) {
        svconn_fd_close(fd);
        fd = -1;
    }
    ct_wipe(hop, sizeof hop);
    return fd;
}
