/* SPDX-License-Identifier: ISC */
/* svconn peers: the two files about peers, for people. */
#include "cmd.h"
#include "codec.h"
#include "options.h"
#include "peerbook.h"
#include "svconn.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY_FILE_MAX 2000
#define FINGERPRINT_DIGITS 30
#define GO_ON "sessions that are open go on: \"svconn sessions\" lists them, \"svconn sessions --end N\" ends one"

typedef struct {
    const char *known_file, *authorized_file, *fingerprint, *name;
    int json;
    const char *operand[LIST_MAX + 4]; /* of the action: it is not among them */
} peers_line;

static int done(int code) { return code < 0 ? EXIT_LOCAL : EXIT_DONE; }

static void fingerprint_of(char out[36], const uint8_t key[32]) {
    uint8_t identity[33] = {SVCONN_TYPE_ED25519};
    memcpy(identity + 1, key, 32);
    svconn_fingerprint(out, identity, sizeof identity);
}

static void words_of_key(char out[WORDS_TEXT], const uint8_t key[32]) {
    uint8_t identity[33] = {SVCONN_TYPE_ED25519}, bits[FINGERPRINT_BITS];
    memcpy(identity + 1, key, 32);
    fingerprint_bits(bits, identity, sizeof identity);
    words_of(out, bits);
}

/* ---- list ---- */
/* The texts hold printable ASCII alone. */
static void print_json_text(const char *text) {
    putchar('"');
    for (; *text; text++) printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    putchar('"');
}

static void print_json_key(const char *list, const char *name, const uint8_t key[32]) {
    char digits[65], fingerprint[36];
    hex_encode(digits, key, 32);
    fingerprint_of(fingerprint, key);
    printf("{\"list\":\"%s\",\"name\":", list);
    print_json_text(name);
    printf(",\"key\":\"%s\",\"fingerprint\":\"%s\"", digits, fingerprint);
}

static void print_known_json(const known_peer *p) {
    print_json_key("known", p->name, p->key);
    printf(",\"verified\":%s,\"address\":", p->verified ? "true" : "false");
    if (*p->address) print_json_text(p->address);
    else printf("null");
    printf("}\n");
}

static void print_authorized_json(const authorized_peer *p) {
    print_json_key("authorized", p->name, p->key);
    printf(",\"options\":[");
    for (size_t i = 0; i < p->options.n; i++) {
        if (i) putchar(',');
        print_json_text(p->options.item[i]);
    }
    printf("]}\n");
}

static int at_least(int width, const char *text) { return (int)strlen(text) > width ? (int)strlen(text) : width; }

static void print_known(const known_peer *list, size_t n, int json) {
    char fingerprint[36];
    int width = 4;
    for (size_t i = 0; i < n; i++) width = at_least(width, list[i].name);
    if (n && !json)
        printf("known_peers: whom we call\n  %-*s  STATE     %-35s  ADDRESS\n", width, "NAME", "FINGERPRINT");
    for (size_t i = 0; i < n; i++) {
        fingerprint_of(fingerprint, list[i].key);
        if (json) print_known_json(&list[i]);
        else
            printf("  %-*s  %-8s  %s%s%s\n", width, list[i].name, list[i].verified ? "verified" : "seen", fingerprint,
                   *list[i].address ? "  " : "", list[i].address);
    }
}

static void print_options(const authorized_peer *p) {
    for (size_t i = 0; i < p->options.n; i++) printf(" %s%s", i ? "" : " ", p->options.item[i]);
    if (p->until && time(NULL) >= p->until) printf("  (over)");
    putchar('\n');
}

static void print_authorized(const authorized_peer *list, size_t n, int json) {
    char fingerprint[36];
    int width = 4;
    for (size_t i = 0; i < n; i++) width = at_least(width, list[i].name);
    if (n && !json) printf("authorized_peers: who may come\n  %-*s  %-35s  OPTIONS\n", width, "NAME", "FINGERPRINT");
    for (size_t i = 0; i < n; i++) {
        fingerprint_of(fingerprint, list[i].key);
        if (json) print_authorized_json(&list[i]);
        else {
            printf("  %-*s  %s", width, list[i].name, fingerprint);
            print_options(&list[i]);
        }
    }
}

static int peers_list(const peers_line *l) {
    known_peer *known;
    authorized_peer *authorized;
    size_t n_known, n_authorized;
    int bad = known_peers_all(l->known_file, &known, &n_known);
    bad |= authorized_peers_all(l->authorized_file, &authorized, &n_authorized);
    print_known(known, n_known, l->json);
    if (n_known && n_authorized && !l->json) putchar('\n');
    print_authorized(authorized, n_authorized, l->json);
    free(known);
    free(authorized);
    if (!bad && !n_known && !n_authorized)
        say("nobody is known yet; \"svconn peers trust NAME KEY\" adds the first one");
    if (fflush(stdout) == 0 && !ferror(stdout)) return bad ? EXIT_LOCAL : EXIT_DONE;
    say("cannot write to standard output: %s", strerror(errno));
    return EXIT_LOCAL;
}

/* ---- keys as people give them ---- */
/* The text of a small file. 0, or -1 after it said why. */
static int read_key_file(char text[KEY_FILE_MAX + 1], const char *path) {
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, KEY_FILE_MAX, f) : 0;
    int bad = !f || ferror(f);
    if (bad) say("cannot read %s: %s", path, strerror(errno));
    if (f) fclose(f);
    text[n] = 0;
    if (!bad && strlen(text) == n && n < KEY_FILE_MAX) return 0;
    if (!bad) say("%s holds no public key: one line is wanted, 64 hexadecimal digits or ssh-ed25519 AAAA...", path);
    return -1;
}

/* KEY or @FILE; an exit code after it said why, or -1: it is good. */
static int take_key(uint8_t key[32], const char *word) {
    char text[KEY_FILE_MAX + 1];
    int is_file = word[0] == '@';
    if (is_file && read_key_file(text, word + 1) != 0) return EXIT_LOCAL;
    if (peer_key_parse(key, is_file ? text : word) == 0) return -1;
    if (is_file) {
        say("%s holds no public key: one line is wanted, 64 hexadecimal digits or ssh-ed25519 AAAA...", word + 1);
        return EXIT_LOCAL;
    }
    if (strcmp(word, "ssh-ed25519") == 0)
        return options_fault("peers", "put the line of the key into quotes: \"ssh-ed25519 AAAA...\"");
    return options_fault("peers",
                         "KEY: 64 hexadecimal digits are wanted, or \"ssh-ed25519 AAAA...\" in quotes, or @FILE "
                         "with one of them");
}

/* ---- trust, verify, forget ---- */
static int peers_trust(const peers_line *l) {
    known_peer p = {.verified = 1};
    char fingerprint[36];
    const char *name = l->operand[0], *address = l->operand[2] ? l->operand[2] : "";
    if (!peer_name_is_good(name))
        return options_fault("peers",
                             "NAME: at most %d letters, digits and . _ - : / @ [ ] are wanted, not - first, and "
                             "not a key",
                             PEER_NAME_MAX);
    int code = take_key(p.key, l->operand[1]);
    if (code >= 0) return code;
    if (strlen(address) > PEER_ADDRESS_MAX)
        return options_fault("peers", "ADDRESS: at most %d bytes are wanted", PEER_ADDRESS_MAX);
    strcpy(p.name, name);
    strcpy(p.address, address);
    code = known_peers_add(l->known_file, &p);
    fingerprint_of(fingerprint, p.key);
    if (code == 0) say("%s is known and verified now: %s", p.name, fingerprint);
    return done(code);
}

/* 1: they agree; 0: they do not; -1: these are not the digits of a fingerprint. */
static int fingerprint_agrees(const char *typed, const char *fingerprint) {
    char digits[2][FINGERPRINT_DIGITS + 2] = {"", ""};
    const char *text[2] = {typed, fingerprint};
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        for (const char *at = text[i]; *at; at++) {
            if (strchr(" \t\r\n", *at)) continue;
            if (*at < '0' || *at > '9' || n == FINGERPRINT_DIGITS) return -1;
            digits[i][n++] = *at;
        }
        if (n != FINGERPRINT_DIGITS) return -1;
    }
    return strcmp(digits[0], digits[1]) == 0;
}

/* Asks the terminal, not standard input: that may be data. What was typed before the question is no answer. 1: yes; 0:
 * no; -1: there is no terminal. */
static int ask(const known_peer *p, const char *fingerprint) {
    char answer[16] = "", words[WORDS_TEXT];
    int fd = terminal_open_waiting();
    if (fd < 0) return -1;
    words_of_key(words, p->key);
    terminal_flush(fd);
    terminal_tell(fd,
                  "%s\n  fingerprint: %s\n  words:       %s\n"
                  "Does it agree with what the other side's \"svconn id\" shows? Type yes: ",
                  p->name, fingerprint, words);
    terminal_line(fd, answer, sizeof answer);
    terminal_close(fd);
    return strcmp(answer, "yes") == 0;
}

/* 1: a person compared the fingerprint; else an exit code below 0, after it said why. */
static int compare(const peers_line *l, const known_peer *p) {
    char fingerprint[36];
    fingerprint_of(fingerprint, p->key);
    if (l->fingerprint) {
        int agrees = fingerprint_agrees(l->fingerprint, fingerprint);
        if (agrees < 0)
            return -options_fault("peers", "--fingerprint: %d digits are wanted, as \"svconn id\" shows them",
                                  FINGERPRINT_DIGITS);
        if (agrees) return 1;
        say("the fingerprint of %s is %s, not the one that was given: the key that we have is not that of the other "
            "side; "
            "do not use it, and ask the other side for its key",
            p->name, fingerprint);
        return -EXIT_PEER;
    }
    int yes = ask(p, fingerprint);
    if (yes == 1) return 1;
    if (yes == 0) {
        say("%s is not verified: the answer was not yes", p->name);
        return -EXIT_PEER;
    }
    say("there is no terminal to ask at; compare %s with what the other side's \"svconn id\" shows, and give what it "
        "shows: "
        "svconn peers verify %s --fingerprint \"DIGITS\"",
        fingerprint, p->name);
    return -EXIT_LOCAL;
}

static int not_known(const char *name) {
    char shown[300];
    text_escape(shown, sizeof shown, (const uint8_t *)name, strlen(name));
    say("nobody of the name \"%s\" is known; \"svconn peers\" lists all, \"svconn peers trust NAME KEY\" adds one",
        shown);
    return EXIT_LOCAL;
}

static int peers_verify(const peers_line *l) {
    known_peer p;
    int found = known_peers_by_name(l->known_file, l->operand[0], &p);
    if (found != 1) return found < 0 ? EXIT_LOCAL : not_known(l->operand[0]);
    if (p.verified && !l->fingerprint) {
        say("%s is verified already", p.name);
        return EXIT_DONE;
    }
    int code = compare(l, &p);
    if (code != 1) return -code;
    p.verified = 1;
    code = known_peers_add(l->known_file, &p);
    if (code == 0) say("%s is verified now", p.name);
    return done(code);
}

static int peers_forget(const peers_line *l) {
    int n = known_peers_forget(l->known_file, l->operand[0]);
    if (n == 0) return not_known(l->operand[0]);
    if (n > 0)
        say("%s is forgotten; whether it may come to us is another matter: \"svconn peers deny %s\"; " GO_ON,
            l->operand[0], l->operand[0]);
    return done(n);
}

/* ---- allow, deny ---- */
static int is_over(const peers_line *l, const uint8_t key[32]) {
    authorized_peer p;
    return authorized_peers_by_key(l->authorized_file, key, &p) == 1 && p.until && time(NULL) >= p.until;
}

static int allow_key(const peers_line *l, const uint8_t key[32], const char *name) {
    int replaced = authorized_peers_set(l->authorized_file, key, name, l->operand + 1);
    const char *old_line = replaced == 1 ? "; the line that was there for this key is replaced" : "";
    if (replaced < 0) return EXIT_LOCAL;
    if (is_over(l, key))
        say("%s is written down, but may NOT come: the day of until= is over (UTC); give a later one%s", name,
            old_line);
    else say("%s may come now%s%s", name, l->operand[1] ? ", with these options" : "", old_line);
    return EXIT_DONE;
}

static int peers_allow(const peers_line *l) {
    known_peer p;
    uint8_t key[32];
    const char *who = l->operand[0];
    if (l->name) {
        int code = take_key(key, who);
        return code >= 0 ? code : allow_key(l, key, l->name);
    }
    if (peer_key_parse(key, who) == 0)
        return options_fault("peers", "a KEY needs a name here: svconn peers allow KEY --name NAME");
    int found = known_peers_by_name(l->known_file, who, &p);
    if (found != 1) return found < 0 ? EXIT_LOCAL : not_known(who);
    if (p.verified) return allow_key(l, p.key, p.name);
    say("the key of %s was seen, but nobody has compared it; do \"svconn peers verify %s\" first", p.name, p.name);
    return EXIT_LOCAL;
}

static int peers_deny(const peers_line *l) {
    char shown[300];
    int n = authorized_peers_remove(l->authorized_file, l->operand[0]);
    text_escape(shown, sizeof shown, (const uint8_t *)l->operand[0], strlen(l->operand[0]));
    if (n > 0) say("%s may not come any more%s; " GO_ON, shown, n == 1 ? "" : "; all its keys are removed");
    if (n != 0) return done(n);
    say("nobody of the name \"%s\" may come, so there is nothing to take away; \"svconn peers\" lists all", shown);
    return EXIT_LOCAL;
}

/* ---- the command ---- */
static const struct {
    const char *name, *operands;
    size_t least, most;
    int (*run)(const peers_line *l);
} actions[] = {
    {"list", "", 0, 0, peers_list},
    {"trust", " NAME KEY [ADDRESS]", 2, 3, peers_trust},
    {"verify", " NAME", 1, 1, peers_verify},
    {"forget", " NAME", 1, 1, peers_forget},
    {"allow", " NAME [OPTION ...]", 1, LIST_MAX + 1, peers_allow},
    {"deny", " NAME", 1, 1, peers_deny},
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static int wants_other_options(const char *action, const peers_line *l) {
    if (l->json && strcmp(action, "list") != 0) return options_fault("peers", "--json belongs to list");
    if (l->fingerprint && strcmp(action, "verify") != 0)
        return options_fault("peers", "--fingerprint belongs to verify");
    if (l->name && strcmp(action, "allow") != 0) return options_fault("peers", "--name belongs to allow");
    return -1;
}

static int run_action(const char *name, const peers_line *l) {
    size_t n = 0;
    while (l->operand[n]) n++;
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(actions[i].name, name) != 0) continue;
        int code = wants_other_options(name, l);
        if (code >= 0) return code;
        if (n >= actions[i].least && n <= actions[i].most) return actions[i].run(l);
        return options_fault("peers", "this is wanted: svconn peers %s%s", name, actions[i].operands);
    }
    return options_fault("peers", "there is no action \"%s\": list, trust, verify, forget, allow or deny is wanted",
                         name);
}

static const char about[] =
    "Whom we know, and who may come to us: two text files in ~/.config/svconn.\n\n"
    "  list                         everybody (also without the word)\n"
    "  trust NAME KEY [ADDRESS]     know a peer by a key that you have from a trusted place\n"
    "  verify NAME                  compare the fingerprint of a key that was only seen\n"
    "  forget NAME                  do not know it any more (needed before it can get another key)\n"
    "  allow NAME [OPTION ...]      let a verified peer come, or KEY --name NAME; replaces its options\n"
    "  deny NAME                    let it come no more\n\n"
    "KEY is 64 hexadecimal digits, \"ssh-ed25519 AAAA...\" or @FILE with one of them. OPTION is\n"
    "ask, no-ask, until=YYYY-MM-DD (UTC) or sessions=N; and, as often as you like,\n"
    "only=tunnel|pipe|files, forward=TARGET or from=ADDRESS[/BITS].";

static const char more[] =
    "Examples:\n"
    "  svconn peers trust bob @bob.pub tcp://bob.example:4000\n"
    "  svconn peers allow bob only=files until=2030-12-31\n"
    "  svconn peers verify carol --fingerprint \"01234 56789 01234 56789 01234 56789\"\n\n"
    "Exit codes: 0 done; 2 the command line is wrong; 3 there is no such NAME, the key or the line is\n"
    "refused, or a file is in trouble; 4 verify: the answer was no, or the digits differ.";

int cmd_peers(int argc, char **argv) {
    peers_line l = {.json = 0};
    const char *operand[LIST_MAX + 4] = {NULL};
    const option rows[] = {
        {"known-peers", "FILE", "instead of ~/.config/svconn/known_peers", OPTION_TEXT, &l.known_file, 0, 0},
        {"authorized", "FILE", "instead of ~/.config/svconn/authorized_peers", OPTION_TEXT, &l.authorized_file, 0, 0},
        {"json", NULL, "list: an object in each line, \"list\":\"known\" or \"authorized\"", OPTION_FLAG, &l.json, 0,
         0},
        {"fingerprint", "DIGITS", "verify: compare with these instead of asking", OPTION_TEXT, &l.fingerprint, 0, 0},
        {"name", "NAME", "allow: the name of the peer whose KEY is given", OPTION_TEXT, &l.name, 0, 0},
    };
    const usage u = {.command = "peers",
                     .operands = "[ACTION ...]",
                     .about = about,
                     .more = more,
                     .rows = rows,
                     .n_rows = sizeof rows / sizeof rows[0],
                     .most_operands = LIST_MAX + 3};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (operand[0]) memcpy(l.operand, operand + 1, sizeof operand - sizeof operand[0]);
    return run_action(operand[0] ? operand[0] : "list", &l);
}
