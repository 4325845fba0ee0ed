/* SPDX-License-Identifier: ISC */
/*
 * The CONNECT of HTTP proxies (RFC 9110, section 9.3.6), with Basic authorisation (RFC 7617). The answer is read line
 * by line, so that a server of another kind is found out at its first line; right behind the empty line the tunnel
 * begins.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include "ct.h"
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 8192
#define INTERIM_MAX 8 /* answers 1xx before the real one */
#define PAIR_MAX (2 * SVCONN_USER_MAX + 1)
#define BASE64_MAX ((PAIR_MAX + 2) / 3 * 4)
#define TARGET_MAX (SVCONN_HOST_MAX + 10)

/* ---- the request -------------------------------------------------------------------------------- */

/* RFC 4648, section 4 */
void svconn_base64(char *out, const uint8_t *bytes, size_t len) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t n; len; bytes += n, len -= n, out += 4) {
        uint8_t three[3] = {0, 0, 0};
        n = len < 3 ? len : 3;
        memcpy(three, bytes, n);
        uint32_t bits = (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2];
        out[0] = digits[bits >> 18];
        out[1] = digits[bits >> 12 & 63];
        out[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
        out[3] = n > 2 ? digits[bits & 63] : '=';
    }
    *out = 0;
}

static int send_connect(int fd, const svconn_hop *h, uint64_t end) {
    int is_v6 = strchr(h->to_host, ':') != NULL;
    char target[TARGET_MAX], pair[PAIR_MAX + 1], credentials[BASE64_MAX + 1], text[2 * TARGET_MAX + BASE64_MAX + 100];
    snprintf(target, sizeof target, is_v6 ? "[%s]:%s" : "%s:%s", h->to_host, h->to_port);
    snprintf(pair, sizeof pair, "%s:%s", h->user, h->password);
    svconn_base64(credentials, (const uint8_t *)pair, strlen(pair));
    snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", target, target,
             h->has_user ? "Proxy-Authorization: Basic " : "", h->has_user ? credentials : "",
             h->has_user ? "\r\n" : "");
    int result = svconn_send_exact(fd, text, strlen(text), end);
    ct_wipe(pair, sizeof pair);
    ct_wipe(credentials, sizeof credentials);
    ct_wipe(text, sizeof text);
    return result;
}

/* ---- the answer --------------------------------------------------------------------------------- */

/* The code of a status line "HTTP/1.1 200 Reason\r\n" (RFC 9112, section 4), or -1. */
static int status_of(const char *line) {
    if (strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' || line[8] != ' ') return -1;
    int code = 0;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') return -1;
        code = code * 10 + (line[i] - '0');
    }
    return line[12] == ' ' || strcmp(line + 12, "\r\n") == 0 ? code : -1;
}

/* What a code that is no success means here. answer is spoiled. */
static int proxy_refused(const svconn_hop *h, int code, char *answer, svconn_why *why) {
    const char *what = "it would not open a tunnel";
    answer[strcspn(answer, "\r\n")] = 0;
    svconn_printable(answer);
    if (code == 407 && h->has_user) what = "it does not take this user and password, or wants another way than Basic";
    else if (code == 407) what = "it wants a user and a password";
    else if (code == 403) what = "not allowed by the rules of the proxy";
    else if (code == 405 || code == 501) what = "it does not do CONNECT; is it a proxy?";
    else if (code == 502 || code == 503 || code == 504) what = "it could not reach that host";
    return svconn_hop_failed(h, why, "%s (%.40s)", what, answer + 9);
}

/* One answer, to the empty line at its end. The code, or -1 and *why. */
static int read_connect_answer(int fd, const svconn_hop *h, char answer[ANSWER_MAX], uint64_t end, svconn_why *why) {
    char *line = answer;
    int code = 0;
    for (;;) {
        if (svconn_recv_text(fd, line, (size_t)(answer + ANSWER_MAX - line), "\n", end) != 0)
            return svconn_hop_lost(h, why);
        size_t n = strlen(line);
        if (line == answer) code = status_of(line);
        if (code < 0 || n < 2 || line[n - 2] != '\r') {
            svconn_printable(answer);
            return svconn_hop_failed(h, why, "this is no HTTP proxy: it answered \"%.40s\"", answer);
        }
        if (line != answer && n == 2) return code;
        line += n;
    }
}

int svconn_http_connect(int fd, const svconn_hop *h, uint64_t end, svconn_why *why) {
    char answer[ANSWER_MAX];
    int code = 100;
    if (send_connect(fd, h, end) != 0) return svconn_hop_lost(h, why);
    /* 101 would be another protocol, which nobody asked for (RFC 9110, section 15.2) */
    for (int i = 0; i <= INTERIM_MAX && code >= 100 && code < 200 && code != 101; i++)
        if ((code = read_connect_answer(fd, h, answer, end, why)) < 0) return -1;
    return code >= 200 && code < 300 ? 0 : proxy_refused(h, code, answer, why);
}
