/* SPDX-License-Identifier: ISC */
#include "peerbook_entry.h"
#include "place.h"

#include "codec.h"
#include "guard.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t"
#define SESSIONS_MAX 1000000

static int say_wrong(char wrong[WRONG_MAX], const char *format, ...) PRINTF_LIKE(2, 3);
static int say_wrong(char wrong[WRONG_MAX], const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(wrong, WRONG_MAX, format, args);
    va_end(args);
    return -1;
}

/* The same about a piece of the file, which may hold what a terminal would obey */
static int piece_is_wrong(char wrong[WRONG_MAX], const char *piece, const char *what) {
    char shown[161];
    text_escape(shown, sizeof shown, (const uint8_t *)piece, strlen(piece));
    return say_wrong(wrong, "\"%s\" %s", shown, what);
}

/* The next word, which is ended with a NUL; "": there is none. */
static char *next_word(char **at) {
    char *word = *at + strspn(*at, BLANKS), *end = word + strcspn(word, BLANKS);
    *at = end;
    if (*end) *(*at)++ = 0;
    return word;
}

/* Printable ASCII: what else there is could fool who reads it. */
static int is_plain(const char *text) {
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e) return 0;
    return 1;
}

/* ---- the fields that both have ---- */
int peer_name_is_good(const char *name) {
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@[]";
    /* they mean something else where a NAME can stand */
    static const char *const taken[] = {"ssh-ed25519", "authorized", "known", "seen", "ask", "any"};
    uint8_t key[32];
    size_t len = strspn(name, good);
    if (len == 0 || len > PEER_NAME_MAX || name[len] || name[0] == '-') return 0;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(name, taken[i]) == 0) return 0;
    return peer_key_parse(key, name) != 0 && strncmp(name, "pairing:", 8) != 0 &&
           !(strchr(name, '-') && place_is_token(name));
}

static int check_name(const char *name, char wrong[WRONG_MAX]) {
    if (peer_name_is_good(name)) return 0;
    return piece_is_wrong(
        wrong, name,
        "cannot be the NAME of a peer: at most 64 letters, digits and . _ - : / @ [ ] are wanted, and "
        "not a key, a token, or a word of --allow");
}

static int take_name(char name[PEER_NAME_MAX + 1], char **at, char wrong[WRONG_MAX]) {
    const char *word = next_word(at);
    if (!*word) return say_wrong(wrong, "the NAME is missing");
    if (check_name(word, wrong) != 0) return -1;
    strcpy(name, word);
    return 0;
}

static int take_key(uint8_t key[32], char **at, char wrong[WRONG_MAX]) {
    char text[ENTRY_MAX + 2];
    const char *word = next_word(at);
    if (strcmp(word, "ssh-ed25519") == 0) snprintf(text, sizeof text, "%s %s", word, next_word(at));
    else snprintf(text, sizeof text, "%s", word);
    if (!*text) return say_wrong(wrong, "the KEY is missing");
    if (peer_key_parse(key, text) == 0) return 0;
    return piece_is_wrong(wrong, text, "is no KEY: 64 hexadecimal digits are wanted, or ssh-ed25519 AAAA...");
}

/* ---- known_peers ---- */
static int take_address(known_peer *p, const char *text, char wrong[WRONG_MAX]) {
    text += strspn(text, BLANKS);
    size_t len = strlen(text);
    if (len > PEER_ADDRESS_MAX) return say_wrong(wrong, "the ADDRESS is too long: at most %d bytes", PEER_ADDRESS_MAX);
    if (!is_plain(text)) return piece_is_wrong(wrong, text, "is no ADDRESS: printable ASCII characters are wanted");
    strcpy(p->address, text);
    return 0;
}

int known_peer_parse(known_peer *p, char *line, char wrong[WRONG_MAX]) {
    memset(p, 0, sizeof *p);
    if (take_name(p->name, &line, wrong) != 0 || take_key(p->key, &line, wrong) != 0) return -1;
    const char *state = next_word(&line);
    p->verified = strcmp(state, "verified") == 0;
    if (!p->verified && strcmp(state, "seen") != 0)
        return piece_is_wrong(wrong, state, "is there where \"seen\" or \"verified\" is wanted, behind the KEY");
    return take_address(p, line, wrong);
}

/* ---- authorized_peers ---- */
/* Days since 1970-01-01 of a date of the Gregorian calendar. Years begin in March here, so that the day that is
 * sometimes there is the last one. */
static int64_t days_of(int64_t year, int month, int day) {
    year -= month < 3;
    int64_t days_before_month = (153 * (month + (month < 3 ? 9 : -3)) + 2) / 5; /* 31 30 31 30 31, and again */
    return 365 * year + year / 4 - year / 100 + year / 400 + days_before_month + day - 1 - 719468;
}

static int is_date(const char *text) {
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return 0;
    return 1;
}

/* The first second after that day; -1: there is no such day. */
static int64_t end_of_day(const char *text) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month = 0, day = 0;
    if (!is_date(text) || sscanf(text, "%4d-%2d-%2d", &year, &month, &day) != 3) return -1;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1) return -1;
    if (day > days[month - 1] + (month == 2 && leap)) return -1;
    return (days_of(year, month, day) + 1) * 86400;
}

static int is_network(const char *text) {
    network n;
    return network_parse(&n, text) == 0;
}

static int add_word(text_list *list, const char *word, const char *value, int good, const char *what,
                    char wrong[WRONG_MAX]) {
    if (!*value || !good) return piece_is_wrong(wrong, word, what);
    if (list->n == LIST_MAX) return piece_is_wrong(wrong, word, "is one option too many: at most 64 of a kind");
    list->item[list->n++] = value;
    return 0;
}

static int is_service(const char *text) {
    return strcmp(text, "tunnel") == 0 || strcmp(text, "pipe") == 0 || strcmp(text, "files") == 0;
}

static int take_until(authorized_peer *p, const char *word, const char *value, char wrong[WRONG_MAX]) {
    if (p->until) return piece_is_wrong(wrong, word, "is the second until=; one is wanted");
    p->until = end_of_day(value);
    if (p->until > 0) return 0;
    return piece_is_wrong(wrong, word, "is no day of the calendar: until=YYYY-MM-DD is wanted, from 1970 on");
}

static int take_sessions(authorized_peer *p, const char *word, const char *value, char wrong[WRONG_MAX]) {
    size_t digits = strspn(value, "0123456789");
    if (p->sessions) return piece_is_wrong(wrong, word, "is the second sessions=; one is wanted");
    if (digits > 0 && digits <= 7 && !value[digits]) (void)sscanf(value, "%7lu", &p->sessions);
    if (p->sessions >= 1 && p->sessions <= SESSIONS_MAX) return 0;
    return piece_is_wrong(wrong, word, "is no number of sessions from 1 to 1000000");
}

static const char *value_of(const char *word, const char *name) {
    size_t len = strlen(name);
    return strncmp(word, name, len) == 0 ? word + len : NULL;
}

static int take_option(authorized_peer *p, const char *word, char wrong[WRONG_MAX]) {
    const char *value;
    if ((value = value_of(word, "forward=")))
        return add_word(&p->forward, word, value, !strchr(value, ','),
                        "is wrong: forward=TARGET is wanted, once for each target", wrong);
    if ((value = value_of(word, "only=")))
        return add_word(&p->only, word, value, is_service(value),
                        "is wrong: only=tunnel, only=pipe or only=files is wanted, once for each", wrong);
    if ((value = value_of(word, "from=")))
        return add_word(&p->from, word, value, is_network(value),
                        "is wrong: an address or a network of IPv4 or IPv6 is wanted, such as from=10.0.0.0/8, with no "
                        "bits beyond those /8",
                        wrong);
    if ((value = value_of(word, "until="))) return take_until(p, word, value, wrong);
    if ((value = value_of(word, "sessions="))) return take_sessions(p, word, value, wrong);
    if (strcmp(word, "ask") == 0) p->ask = 1;
    else if (strcmp(word, "no-ask") == 0) p->no_ask = 1;
    else
        return piece_is_wrong(wrong, word,
                              "is no OPTION: forward=TARGET, only=SERVICE, from=NETWORK, ask, no-ask, until=YYYY-MM-DD "
                              "or sessions=N is wanted");
    if (p->ask && p->no_ask) return say_wrong(wrong, "ask and no-ask contradict each other; one of them is wanted");
    return 0;
}

int authorized_peer_parse(authorized_peer *p, char *line, char wrong[WRONG_MAX]) {
    memset(p, 0, sizeof *p);
    if (take_key(p->key, &line, wrong) != 0 || take_name(p->name, &line, wrong) != 0) return -1;
    if (strlen(line) >= sizeof p->words)
        return say_wrong(wrong, "the options are too long: at most %d bytes", PEER_OPTIONS_MAX - 1);
    strcpy(p->words, line);
    char *at = p->words;
    for (const char *word; *(word = next_word(&at));) {
        if (!is_plain(word)) return piece_is_wrong(wrong, word, "is no OPTION: printable ASCII characters are wanted");
        if (p->options.n == LIST_MAX) return say_wrong(wrong, "there are too many options: at most %d", LIST_MAX);
        p->options.item[p->options.n++] = word;
        if (take_option(p, word, wrong) != 0) return -1;
    }
    return 0;
}

/* ---- lines of ours ---- */
/* It would be lost when the line is read. */
static int is_blank_at_end(const char *line) { return *line && strchr(BLANKS, line[strlen(line) - 1]) != NULL; }

int known_peer_format(char line[ENTRY_MAX + 1], const known_peer *p, char wrong[WRONG_MAX]) {
    char digits[65], copy[ENTRY_MAX + 1];
    known_peer again;
    if (check_name(p->name, wrong) != 0) return -1;
    hex_encode(digits, p->key, 32);
    snprintf(line, ENTRY_MAX + 1, "%s %s %s%s%s", p->name, digits, p->verified ? "verified" : "seen",
             *p->address ? " " : "", p->address);
    strcpy(copy, line);
    if (known_peer_parse(&again, copy, wrong) != 0) return -1;
    if (strcmp(again.address, p->address) == 0 && !is_blank_at_end(line)) return 0;
    return say_wrong(wrong, "the ADDRESS begins or ends with a blank; write it without");
}

int authorized_peer_format(char line[ENTRY_MAX + 1], const uint8_t key[32], const char *name,
                           const char *const *options, char wrong[WRONG_MAX]) {
    char digits[65], copy[ENTRY_MAX + 1];
    authorized_peer again;
    if (check_name(name, wrong) != 0) return -1;
    hex_encode(digits, key, 32);
    size_t used = (size_t)snprintf(line, ENTRY_MAX + 1, "%s %s", digits, name);
    for (; *options; options++) {
        if (!**options || strpbrk(*options, BLANKS))
            return piece_is_wrong(wrong, *options, "is no OPTION: words without blanks are wanted");
        if (used + 1 + strlen(*options) > ENTRY_MAX) return say_wrong(wrong, "the options are too long for one line");
        used += (size_t)snprintf(line + used, ENTRY_MAX + 1 - used, " %s", *options);
    }
    strcpy(copy, line);
    return authorized_peer_parse(&again, copy, wrong);
}
