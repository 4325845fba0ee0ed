/* SPDX-License-Identifier: ISC */
#include "known.h"

#include "codec.h"
#include "peerbook_file.h"
#include "svconn.h"
#include "terminal.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define USUAL "known_relays"

/* 1: this key; -1: another one; 0: the file does not know the relay, or is not there. */
static int look_up(const book_file *b, const char *relay, const char *hex) {
    size_t len = strlen(relay);
    int found = 0;
    for (const char *line = b->len ? b->text : NULL, *end = line + b->len; line && line < end && found != 1;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        size_t left = (size_t)((next ? next : end) - line);
        if (left > len + 64 && strncasecmp(line, relay, len) == 0 && line[len] == ' ')
            found = strncasecmp(line + len + 1, hex, 64) == 0 ? 1 : -1;
        line = next ? next + 1 : end;
    }
    return found;
}

static void add(const char *file, const char *relay, const char *hex) {
    char line[500];
    book_file b;
    snprintf(line, sizeof line, "%s %s", relay, hex);
    if (book_file_open(&b, file, USUAL, 1) == 0 && book_file_splice(&b, b.len, b.len, line) == 0)
        (void)book_file_write(&b); /* why not was said; this connection goes on */
    book_file_close(&b);
}

/* Asks the terminal, not standard input: that may be data. */
static int ask(const char *relay, const char *hex, const uint8_t key[32]) {
    char fingerprint[36], answer[16] = "";
    uint8_t identity[33] = {SVCONN_TYPE_ED25519};
    int terminal = terminal_open_waiting();
    memcpy(identity + 1, key, 32);
    svconn_fingerprint(fingerprint, identity, sizeof identity);
    if (terminal < 0) {
        say("the relay %s is not known yet, and there is no terminal to ask at; compare its key with what its operator "
            "says, then write it into the address: relay://%s@%s/...",
            relay, hex, relay);
        return 0;
    }
    terminal_tell(
        terminal,
        "The relay %s is not known yet.\n  public key:  %s\n  fingerprint: %s\n"
        "Compare it with what the operator of the relay says. (A wrong relay cannot read what you send to your\n"
        "peer; it sees who connects when, and your tokens.) Is it right? Type yes: ",
        relay, hex, fingerprint);
    terminal_line(terminal, answer, sizeof answer);
    terminal_close(terminal);
    return strcmp(answer, "yes") == 0;
}

static int find(const char *file, const char *relay, const char *hex) {
    book_file b;
    int found = book_file_open(&b, file, USUAL, 0) == 0 ? look_up(&b, relay, hex) : -2;
    book_file_close(&b);
    return found;
}

int known_relays_find(const char *file, const char *relay, const uint8_t key[32]) {
    char hex[65];
    hex_encode(hex, key, 32);
    return find(file, relay, hex);
}

int known_relays_ask(const char *file, const char *relay, const uint8_t key[32]) {
    char hex[65];
    hex_encode(hex, key, 32);
    int found = find(file, relay, hex);
    if (found == -1)
        say("the relay %s shows another key than the one in %s: it was set up anew, or somebody is in between. Ask its "
            "operator; if the new key is right, remove the line of the old one.",
            relay, file ? file : "~/.config/svconn/known_relays");
    if (found != 0) return found == 1;
    if (!ask(relay, hex, key)) return 0;
    add(file, relay, hex);
    return 1;
}
