/* SPDX-License-Identifier: ISC */
/*
 * SOCKS version 5 (RFC 1928), with user and password (RFC 1929). Nothing is sent before the answer to what was sent
 * before; the last answer has a length of its own, and right behind it the tunnel begins.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include "ct.h"
#include <stdlib.h>
#include <string.h>

enum { NO_PROOF = 0, USER_PASSWORD = 2, NO_METHOD = 0xff }; /* RFC 1928, section 3 */
enum { IS_IPV4 = 1, IS_NAME = 3, IS_IPV6 = 4 };             /* section 5 */

static int wrong_version(const svconn_hop *h, const uint8_t *bytes, svconn_why *why) {
    return svconn_hop_failed(h, why, "this is no SOCKS5 proxy: its answer begins with the bytes %02x %02x", bytes[0],
                             bytes[1]);
}

static int exchange(int fd, const svconn_hop *h, const uint8_t *question, size_t len, uint8_t *answer,
                    size_t answer_len, uint64_t end, svconn_why *why) {
    if (svconn_send_exact(fd, question, len, end) != 0 || svconn_recv_exact(fd, answer, answer_len, end) != 0)
        return svconn_hop_lost(h, why);
    return 0;
}

/* RFC 1929, section 2; dial.c saw that both fit and are not empty. */
static int prove(int fd, const svconn_hop *h, uint64_t end, svconn_why *why) {
    uint8_t text[3 + 2 * SVCONN_USER_MAX], answer[2];
    size_t user_len = strlen(h->user), password_len = strlen(h->password);
    text[0] = 1;
    text[1] = (uint8_t)user_len;
    memcpy(text + 2, h->user, user_len);
    text[2 + user_len] = (uint8_t)password_len;
    memcpy(text + 3 + user_len, h->password, password_len);
    int result = exchange(fd, h, text, 3 + user_len + password_len, answer, 2, end, why);
    ct_wipe(text, sizeof text);
    if (result != 0) return -1;
    if (answer[0] != 1) return wrong_version(h, answer, why);
    return answer[1] == 0 ? 0 : svconn_hop_failed(h, why, "it does not take this user and password");
}

/* RFC 1928, section 3 */
static int agree(int fd, const svconn_hop *h, uint64_t end, svconn_why *why) {
    static const uint8_t without[3] = {5, 1, NO_PROOF}, with[4] = {5, 2, NO_PROOF, USER_PASSWORD};
    uint8_t answer[2];
    if (exchange(fd, h, h->has_user ? with : without, h->has_user ? 4 : 3, answer, 2, end, why) != 0) return -1;
    if (answer[0] != 5) return wrong_version(h, answer, why);
    if (answer[1] == NO_PROOF) return 0;
    if (answer[1] == USER_PASSWORD && h->has_user) return prove(fd, h, end, why);
    if (answer[1] == NO_METHOD && !h->has_user) return svconn_hop_failed(h, why, "it wants a user and a password");
    if (answer[1] == NO_METHOD) return svconn_hop_failed(h, why, "it takes neither nobody nor a user with a password");
    return svconn_hop_failed(h, why, "it chose a way of proof that was not offered (%d)", answer[1]);
}

/* The target as section 5 writes it; returns its length. */
static size_t write_target(uint8_t out[2 + SVCONN_HOST_MAX + 2], const svconn_hop *h) {
    size_t len = strlen(h->to_host), used;
    if (inet_pton(AF_INET, h->to_host, out + 1) == 1) {
        out[0] = IS_IPV4;
        used = 1 + 4;
    } else if (inet_pton(AF_INET6, h->to_host, out + 1) == 1) {
        out[0] = IS_IPV6;
        used = 1 + 16;
    } else {
        out[0] = IS_NAME;
        out[1] = (uint8_t)len;
        memcpy(out + 2, h->to_host, len);
        used = 2 + len;
    }
    unsigned long port = strtoul(h->to_port, NULL, 10);
    out[used] = (uint8_t)(port >> 8);
    out[used + 1] = (uint8_t)port;
    return used + 2;
}

/* Section 6 */
static int socks_refused(const svconn_hop *h, uint8_t code, svconn_why *why) {
    static const char *const words[] = {
        "",
        "the proxy failed",
        "not allowed by the rules of the proxy",
        "the network cannot be reached from the proxy",
        "the host cannot be reached from the proxy",
        "refused by the host (nobody listens there)",
        "no answer from that host in time",
        "the proxy does not do CONNECT",
        "the proxy does not do this kind of address",
    };
    if (code < sizeof words / sizeof words[0])
        return svconn_hop_failed(h, why, "%s (SOCKS reply %d)", words[code], code);
    return svconn_hop_failed(h, why, "refused, with the unknown SOCKS reply %d", code);
}

/* The rest of the last answer: an address, which tells nothing that we need, and a port. */
static int skip_address(int fd, const svconn_hop *h, uint8_t type, uint64_t end, svconn_why *why) {
    uint8_t rest[255 + 2], len;
    switch (type) {
    case IS_IPV4: len = 4; break;
    case IS_IPV6: len = 16; break;
    case IS_NAME:
        if (svconn_recv_exact(fd, &len, 1, end) != 0) return svconn_hop_lost(h, why);
        break;
    default: return svconn_hop_failed(h, why, "this is no SOCKS5 proxy: it answered with an address of kind %d", type);
    }
    return svconn_recv_exact(fd, rest, (size_t)len + 2, end) == 0 ? 0 : svconn_hop_lost(h, why);
}

int svconn_socks5_connect(int fd, const svconn_hop *h, uint64_t end, svconn_why *why) {
    uint8_t request[3 + 2 + SVCONN_HOST_MAX + 2] = {5, 1, 0}, answer[4];
    if (agree(fd, h, end, why) != 0) return -1;
    size_t len = 3 + write_target(request + 3, h);
    if (exchange(fd, h, request, len, answer, sizeof answer, end, why) != 0) return -1;
    if (answer[0] != 5) return wrong_version(h, answer, why);
    if (answer[1] != 0) return socks_refused(h, answer[1], why);
    return skip_address(fd, h, answer[3], end, why);
}
