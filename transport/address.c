/* SPDX-License-Identifier: ISC */
/* The text of an address (svconn_transport.h) taken apart. Nothing is looked up or opened here. */
#include "svconn_posix.h" /* first */
#include "relay_wire.h"
#include "svconn_link.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int bad(const svconn_address *a, svconn_why *why, const char *what) {
    return svconn_because(why, "address \"%.150s\": %s", a->text, what);
}

/* A decimal number up to max behind *p, which then points behind it; -1 if there is none. */
static long take_number(const char **p, long max) {
    long n = 0;
    const char *at = *p;
    if (*at < '0' || *at > '9') return -1;
    for (; *at >= '0' && *at <= '9'; at++) {
        int digit = *at - '0';
        if (n > (max - digit) / 10) return -1; /* before, as long may have 32 bits */
        n = n * 10 + digit;
    }
    *p = at;
    return n;
}

/* HOST:PORT; *end: behind it. default_port: "" if there is none. */
static int parse_host_port(svconn_address *a, const char *p, const char *default_port, const char **end,
                           svconn_why *why) {
    int bracket = *p == '[';
    size_t n = bracket ? strcspn(++p, "]") : strcspn(p, ":/?#");
    if (n > SVCONN_HOST_MAX) return bad(a, why, "the host name is too long");
    memcpy(a->host, p, n);
    a->host[n] = 0;
    p += n;
    if (bracket && (n == 0 || *p++ != ']')) return bad(a, why, "an IPv6 address looks like [::1]");
    snprintf(a->port, sizeof a->port, "%s", default_port);
    *end = p;
    if (*p != ':' && *default_port) return 0;
    if (*p != ':') return bad(a, why, "no port; it looks like tcp://HOST:PORT");
    p++;
    if (!bracket && memchr(p, ':', strcspn(p, "/?#")))
        return bad(a, why, "an IPv6 address goes in brackets: tcp://[::1]:7001");
    long port = take_number(&p, 65535);
    if (port < 0) return bad(a, why, "the port is a number from 0 to 65535");
    snprintf(a->port, sizeof a->port, "%d", (int)port);
    *end = p;
    return 0;
}

static int parse_tcp(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_TCP;
    if (parse_host_port(a, p, "", &p, why) != 0) return -1;
    return *p ? bad(a, why, "nothing may follow the port") : 0;
}

/* HOST:PORT of a relay; *end: behind it */
static int parse_relay_host(svconn_address *a, const char *p, const char *default_port, const char **end,
                            svconn_why *why) {
    if (parse_host_port(a, p, default_port, end, why) != 0) return -1;
    if (!a->host[0]) return bad(a, why, "the relay's host is missing");
    return strcmp(a->port, "0") == 0 ? bad(a, why, "port 0 is no port of a relay") : 0;
}

/* 2 * n hexadecimal digits at p. 0, or -1. Keys are public: no need for constant time. */
static int parse_hex(uint8_t *out, const char *p, int n) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 2 * n; i++) {
        char c = p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] - 'A' + 'a') : p[i];
        const char *at = c ? strchr(digits, c) : NULL;
        if (!at) return -1;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (at - digits));
    }
    return 0;
}

static int parse_key(uint8_t key[32], const char *p) { return parse_hex(key, p, 32); }

/* [KEY@]HOST[:PORT][/[TOKEN or KEY]] */
static int parse_relay(svconn_address *a, const char *p, svconn_why *why) {
    const char *at = strchr(p, '@');
    a->kind = SVCONN_ADDRESS_RELAY;
    if (at && at < p + strcspn(p, "/")) {
        if (at != p + 64 || parse_key(a->relay_key, p) != 0)
            return bad(a, why, "before the @ stands the relay's public key, 64 hexadecimal digits");
        a->relay_known = 1;
        p = at + 1;
    }
    if (parse_relay_host(a, p, RELAY_PORT, &p, why) != 0) return -1;
    if (*p && *p++ != '/') return bad(a, why, "it looks like relay://HOST:PORT/TOKEN");
    snprintf(a->where, sizeof a->where, strchr(a->host, ':') ? "relay [%s]:%s" : "relay %s:%s", a->host, a->port);
    a->meet = *p ? SVCONN_MEET_TOKEN : SVCONN_MEET_NEW;
    if (*p && strlen(p) == 64 && parse_key(a->peer_key, p) == 0) a->meet = SVCONN_MEET_KEY;
    else if (*p && svconn_token_read(&a->token, p) != 0)
        return bad(a, why,
                   "behind the relay stands a token, 8 letters and digits such as 7KQ3-M2XD, or the public key of a "
                   "machine, 64 hexadecimal digits");
    a->text = a->where;
    return 0;
}

/* Both ends put the token into the context of the session: so in one spelling. */
static int parse_wormhole(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_WORMHOLE;
    if (parse_relay_host(a, p, "", &p, why) != 0) return -1;
    if (*p++ != '/' || strlen(p) != 64 || strspn(p, "0123456789abcdefABCDEF") != 64)
        return bad(a, why, "no token; it looks like wormhole://HOST:PORT/ and 64 hexadecimal digits");
    for (size_t i = 0; i <= 64; i++) a->code[i] = p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] - 'A' + 'a') : p[i];
    return 0;
}

/* RFC 6455, section 3: no fragment; what is no URI character must be percent-encoded already. */
static int parse_ws(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_WEBSOCKET;
    if (parse_host_port(a, p, "80", &p, why) != 0) return -1;
    if (*p && !strchr("/?#", *p)) return bad(a, why, "only a path may follow the port");
    a->rest = p;
    if (!a->host[0]) return bad(a, why, "the host is missing; it looks like ws://HOST[:PORT][/PATH]");
    for (p = a->rest; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '#')
            return bad(a, why, "the path holds a character that must be percent-encoded");
    return 0;
}

static int parse_wss(svconn_address *a, const char *p, svconn_why *why) {
    static const char advice[] = "TLS is not built in: use ws://, as the session is encrypted anyway, or exec: with a "
                                 "program that speaks TLS and WebSocket";
    (void)p;
    return bad(a, why, advice);
}

static int parse_dir(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_SPOOL;
    a->rest = p;
    return *p ? 0 : bad(a, why, "no path; it looks like dir:PATH");
}

/* ---- devices ---- */

int svconn_bluetooth_read(uint8_t address[6], const char *text) {
    for (int i = 0; i < 6; i++, text += 3)
        if (parse_hex(address + i, text, 1) != 0 || (i < 5 && text[2] != ':')) return -1;
    return 0;
}

const char *svconn_bluetooth_text(char out[SVCONN_BLUETOOTH_TEXT], const uint8_t address[6]) {
    snprintf(out, SVCONN_BLUETOOTH_TEXT, "%02X:%02X:%02X:%02X:%02X:%02X", address[0], address[1], address[2],
             address[3], address[4], address[5]);
    return out;
}

/* The options at the end of an address, ?NAME=VALUE&NAME=VALUE: set is called for each. */
static int parse_options(svconn_address *a, const char *p, int (*set)(svconn_address *, const char *, const char *),
                         const char *advice, svconn_why *why) {
    char name[12], value[24];
    if (!*p) return 0;
    do {
        size_t n = strcspn(++p, "=&"), m = p[n] == '=' ? strcspn(p + n + 1, "&") : 0;
        if (p[n] != '=' || n >= sizeof name || m >= sizeof value) return bad(a, why, advice);
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        snprintf(value, sizeof value, "%.*s", (int)m, p + n + 1);
        if (set(a, name, value) != 0) return bad(a, why, advice);
        p += n + 1 + m;
    } while (*p);
    return 0;
}

static int set_rfcomm(svconn_address *a, const char *name, const char *value) {
    static const char *const levels[] = {"low", "medium", "high"};
    if (strcmp(name, "from") == 0) return strlen(value) == 17 ? svconn_bluetooth_read(a->from, value) : -1;
    if (strcmp(name, "security") != 0) return -1;
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, levels[i]) != 0) continue;
        a->level = (svconn_bluetooth_level)(SVCONN_BLUETOOTH_LOW + i);
        return 0;
    }
    return -1;
}

/* [DEVICE]/[CHANNEL[-CHANNEL]] */
static int parse_rfcomm(svconn_address *a, const char *p, svconn_why *why) {
    static const char form[] = "it looks like rfcomm://01:23:45:67:89:AB/3, or /3-6 for a few channels";
    long first = 0, last;
    a->kind = SVCONN_ADDRESS_RFCOMM;
    a->level = SVCONN_BLUETOOTH_LOW;
    size_t n = strcspn(p, "/?");
    if (n && (n != 17 || svconn_bluetooth_read(a->device, p) != 0)) return bad(a, why, form);
    p += n;
    if (*p == '/' && *++p >= '0' && *p <= '9') first = take_number(&p, 30);
    last = first;
    if (*p == '-' && first > 0) {
        p++;
        last = take_number(&p, 30);
    }
    if (first < 0 || last < first)
        return bad(a, why, "a channel is a number from 1 to 30, and of two the smaller stands first");
    if (last - first >= SVCONN_LISTENER_FDS) return bad(a, why, "these are too many channels");
    if (*p && *p != '?') return bad(a, why, form);
    a->channel = (int)first;
    a->channels = (int)(last - first) + 1;
    return parse_options(a, p, set_rfcomm,
                         "behind the channel stand ?security=low, medium or high, and ?from= with the address of the "
                         "adapter that calls, joined by &",
                         why);
}

static int set_serial(svconn_address *a, const char *name, const char *value) {
    if (strcmp(name, "speed") == 0) {
        a->speed = take_number(&value, 100000000);
        return a->speed > 0 && !*value ? 0 : -1;
    }
    int *flag = strcmp(name, "flow") == 0 ? &a->rtscts : strcmp(name, "marks") == 0 ? &a->marks : NULL;
    if (!flag) return -1;
    *flag = strcmp(value, flag == &a->rtscts ? "rtscts" : "yes") == 0;
    return *flag || strcmp(value, flag == &a->rtscts ? "none" : "no") == 0 ? 0 : -1;
}

static int parse_serial(svconn_address *a, const char *p, svconn_why *why) {
    size_t n = strcspn(p, "?");
    a->kind = SVCONN_ADDRESS_SERIAL;
    a->speed = 115200;
    a->marks = 1;
    if (n == 0) return bad(a, why, "no device; it looks like serial:/dev/ttyUSB0?speed=115200");
    if (n >= sizeof a->host) return bad(a, why, "the path of the device is too long");
    memcpy(a->host, p, n);
    return parse_options(a, p + n, set_serial,
                         "behind the device stand ?speed= with bits a second, ?flow=rtscts or none, ?marks=yes or no, "
                         "joined by &",
                         why);
}

static int parse_unix(svconn_address *a, const char *p, svconn_why *why) {
    char what[80];
    a->kind = SVCONN_ADDRESS_UNIX;
    a->rest = p;
    if (!*p) return bad(a, why, "no path; it looks like unix:PATH");
    if (strlen(p) < SVCONN_UNIX_PATH_SIZE) return 0;
    snprintf(what, sizeof what, "the path of a UNIX socket has at most %d bytes", (int)SVCONN_UNIX_PATH_SIZE - 1);
    return bad(a, why, what);
}

static int parse_fd(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_FD;
    long in = take_number(&p, INT_MAX / 2), out = in;
    if (*p == ',' && in >= 0) {
        p++;
        out = take_number(&p, INT_MAX / 2);
    }
    if (in < 0 || out < 0 || *p)
        return bad(a, why, "it looks like fd:N or fd:IN,OUT, with numbers of open descriptors");
    a->in = (int)in;
    a->out = (int)out;
    return 0;
}

static int parse_stdio(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_FD;
    a->in = 0;
    a->out = 1;
    return *p ? bad(a, why, "nothing may follow stdio:") : 0;
}

static int parse_exec(svconn_address *a, const char *p, svconn_why *why) {
    a->kind = SVCONN_ADDRESS_EXEC;
    a->rest = p;
    return *p ? 0 : bad(a, why, "no command; it looks like exec:COMMAND");
}

int svconn_address_parse(svconn_address *a, const char *text, svconn_why *why) {
    static const struct {
        const char *prefix;
        int (*parse)(svconn_address *, const char *, svconn_why *);
    } kinds[] = {{"tcp://", parse_tcp},           {"unix:", parse_unix},       {"fd:", parse_fd},
                 {"stdio:", parse_stdio},         {"exec:", parse_exec},       {"ws://", parse_ws},
                 {"wss://", parse_wss},           {"dir:", parse_dir},         {"relay://", parse_relay},
                 {"wormhole://", parse_wormhole}, {"rfcomm://", parse_rfcomm}, {"serial:", parse_serial}};
    memset(a, 0, sizeof *a);
    a->text = text;
    a->in = a->out = -1;
    if (!text) return svconn_because(why, "no address was given");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, n) == 0) return kinds[i].parse(a, text + n, why);
    }
    return bad(a, why,
               "unknown kind; it begins with tcp:// unix: rfcomm:// serial: fd: stdio: exec: ws:// dir: "
               "relay:// or wormhole://");
}

int svconn_relay_is_public_name(const char *name) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]";
    char text[RELAY_PUBLIC_NAME_MAX + 20];
    svconn_address a;
    if (strlen(name) > RELAY_PUBLIC_NAME_MAX || strspn(name, allowed) != strlen(name)) return 0;
    snprintf(text, sizeof text, "relay://%s/", name);
    return svconn_address_parse(&a, text, NULL) == 0;
}

int svconn_address_is_dialled(const svconn_address *a) {
    return a->kind == SVCONN_ADDRESS_TCP || a->kind == SVCONN_ADDRESS_WEBSOCKET || a->kind == SVCONN_ADDRESS_RELAY ||
           a->kind == SVCONN_ADDRESS_WORMHOLE;
}
