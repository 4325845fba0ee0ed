/* SPDX-License-Identifier: ISC */
#include "peerbook.h"

#include "peerbook_entry.h"
#include "peerbook_file.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ENTRY 66 /* a KEY, a blank, a NAME: so many entries at most are in a text of this length */

typedef struct {
    size_t start, end; /* in the text, with the end of the line */
    unsigned number;
} line_place;

typedef struct {
    book_file file;
    void *peer; /* known_peer[] or authorized_peer[] */
    line_place *at;
    size_t n;
} book;

static int line_is_wrong(const book *b, const line_place *at, const char *wrong) {
    say("%s, line %u: %s", b->file.path, at->number, wrong);
    return -1;
}

/* The next line that is an entry, without its end and the blanks around it. 1; 0: there is none; -1: it is too long,
 * which was said. */
static int next_entry(const book *b, line_place *at, char line[ENTRY_MAX + 1]) {
    while (at->end < b->file.len) {
        at->start = at->end;
        at->number++;
        const char *from = b->file.text + at->start, *all_end = b->file.text + b->file.len;
        const char *end = memchr(from, '\n', (size_t)(all_end - from));
        at->end = end ? (size_t)(end - b->file.text) + 1 : b->file.len;
        if (!end) end = all_end;
        if (end > from && end[-1] == '\r') end--;
        while (end > from && (end[-1] == ' ' || end[-1] == '\t')) end--;
        while (from < end && (*from == ' ' || *from == '\t')) from++;
        if (from == end || *from == '#') continue;
        if (end - from > ENTRY_MAX) return line_is_wrong(b, at, "it is too long: at most 1200 bytes are wanted");
        memcpy(line, from, (size_t)(end - from));
        line[end - from] = 0;
        return 1;
    }
    return 0;
}

/* ---- what the two files have in common ---- */
static int make_room(book *b, size_t size) {
    size_t most = b->file.len / LEAST_ENTRY + 1;
    b->peer = calloc(most, size);
    b->at = calloc(most, sizeof *b->at);
    if (b->peer && b->at) return 0;
    say("there is no memory for %s", b->file.path);
    return -1;
}

static void book_close(book *b) {
    free(b->peer);
    free(b->at);
    book_file_close(&b->file);
    b->peer = NULL;
    b->at = NULL;
}

static int is_twice(const book *b, size_t first, const line_place *at, const char *what) {
    char wrong[WRONG_MAX];
    snprintf(wrong, sizeof wrong, "it has the same %s as line %u; remove the one that is wrong", what,
             b->at[first].number);
    return line_is_wrong(b, at, wrong);
}

static int save(book *b) { return book_file_write(&b->file); }

/* A line in the place of entry i, or at the end */
static int put(book *b, size_t i, const char *line) {
    size_t start = i < b->n ? b->at[i].start : b->file.len, end = i < b->n ? b->at[i].end : b->file.len;
    return book_file_splice(&b->file, start, end, line) == 0 ? save(b) : -1;
}

/* ---- known_peers ---- */
static known_peer *known(const book *b) { return b->peer; }

/* The place of the name or of the key, whichever is given; n: none. */
static size_t find_known(const book *b, const char *name, const uint8_t *key) {
    size_t i = 0;
    while (i < b->n && !(name && strcmp(known(b)[i].name, name) == 0) && !(key && !memcmp(known(b)[i].key, key, 32)))
        i++;
    return i;
}

static int known_load(book *b, const char *file, int change) {
    char line[ENTRY_MAX + 1], wrong[WRONG_MAX];
    line_place at = {0, 0, 0};
    int more = 0;
    *b = (book){.n = 0};
    if (book_file_open(&b->file, file, "known_peers", change) != 0) return -1;
    if (make_room(b, sizeof(known_peer)) != 0) return -1;
    for (; (more = next_entry(b, &at, line)) == 1; b->n++) {
        known_peer *p = &known(b)[b->n];
        if (known_peer_parse(p, line, wrong) != 0) return line_is_wrong(b, &at, wrong);
        size_t first = find_known(b, p->name, NULL);
        if (first < b->n) return is_twice(b, first, &at, "NAME");
        b->at[b->n] = at;
    }
    return more;
}

static int look_up_known(const char *file, const char *name, const uint8_t *key, known_peer *out) {
    book b;
    int found = known_load(&b, file, 0);
    if (found == 0) {
        size_t i = find_known(&b, name, key);
        found = i < b.n;
        if (found) *out = known(&b)[i];
    }
    book_close(&b);
    return found;
}

int known_peers_by_name(const char *file, const char *name, known_peer *out) {
    return look_up_known(file, name, NULL, out);
}

int known_peers_by_key(const char *file, const uint8_t key[32], known_peer *out) {
    return look_up_known(file, NULL, key, out);
}

int known_peers_all(const char *file, known_peer **list, size_t *n) {
    book b;
    *list = NULL;
    *n = 0;
    int code = known_load(&b, file, 0);
    if (code == 0) {
        *list = b.peer;
        *n = b.n;
        b.peer = NULL;
    }
    book_close(&b);
    return code;
}

/* Where the peer belongs: the place of its entry, or n; -1 after it was refused. */
static int place_of(const book *b, const known_peer *peer, size_t *place) {
    size_t same_name = find_known(b, peer->name, NULL), same_key = find_known(b, NULL, peer->key);
    *place = same_name;
    if (same_name < b->n && memcmp(known(b)[same_name].key, peer->key, 32) != 0) {
        say("%s is known with another key (%s, line %u): it was set up anew, or somebody is in between. Ask the other "
            "side "
            "on another way, by telephone say, for the fingerprint that its \"svconn id\" shows; if the new key is "
            "right, "
            "do \"svconn peers forget %s\" first",
            peer->name, b->file.path, b->at[same_name].number, peer->name);
        return -1;
    }
    if (same_name == b->n && same_key < b->n) {
        say("this key is that of %s already (%s, line %u); use that name, or do \"svconn peers forget %s\" first",
            known(b)[same_key].name, b->file.path, b->at[same_key].number, known(b)[same_key].name);
        return -1;
    }
    return 0;
}

static int add_known(book *b, const known_peer *peer) {
    char line[ENTRY_MAX + 1], wrong[WRONG_MAX];
    size_t i;
    if (place_of(b, peer, &i) != 0) return -1;
    known_peer p = i < b->n ? known(b)[i] : *peer;
    if (i < b->n && (p.verified || !peer->verified) && (!*peer->address || !strcmp(p.address, peer->address))) return 0;
    p.verified |= peer->verified;
    if (*peer->address) memcpy(p.address, peer->address, sizeof p.address);
    if (known_peer_format(line, &p, wrong) == 0) return put(b, i, line);
    say("%s", wrong);
    return -1;
}

int known_peers_add(const char *file, const known_peer *peer) {
    book b;
    int code = known_load(&b, file, 1);
    if (code == 0) code = add_known(&b, peer);
    book_close(&b);
    return code;
}

int known_peers_forget(const char *file, const char *name) {
    book b;
    int n = known_load(&b, file, 1);
    if (n == 0) {
        size_t i = find_known(&b, name, NULL);
        n = i < b.n;
        if (n && put(&b, i, NULL) != 0) n = -1;
    }
    book_close(&b);
    return n;
}

/* ---- authorized_peers ---- */
static authorized_peer *authorized(const book *b) { return b->peer; }

static size_t find_authorized(const book *b, const uint8_t key[32]) {
    size_t i = 0;
    while (i < b->n && memcmp(authorized(b)[i].key, key, 32) != 0) i++;
    return i;
}

static int authorized_load(book *b, const char *file, int change) {
    char line[ENTRY_MAX + 1], wrong[WRONG_MAX];
    line_place at = {0, 0, 0};
    int more = 0;
    *b = (book){.n = 0};
    if (book_file_open(&b->file, file, "authorized_peers", change) != 0) return -1;
    if (make_room(b, sizeof(authorized_peer)) != 0) return -1;
    for (; (more = next_entry(b, &at, line)) == 1; b->n++) {
        authorized_peer *p = &authorized(b)[b->n];
        if (authorized_peer_parse(p, line, wrong) != 0) return line_is_wrong(b, &at, wrong);
        size_t first = find_authorized(b, p->key);
        if (first < b->n) return is_twice(b, first, &at, "KEY");
        b->at[b->n] = at;
    }
    return more;
}

/* Parsed once more in its new place: its lists point into itself. */
static int copy_authorized(authorized_peer *out, const book *b, size_t i) {
    char line[ENTRY_MAX + 1], wrong[WRONG_MAX];
    line_place at = {b->at[i].start, b->at[i].start, b->at[i].number - 1};
    if (next_entry(b, &at, line) != 1) return -1;
    return authorized_peer_parse(out, line, wrong) == 0 ? 1 : -1;
}

int authorized_peers_by_key(const char *file, const uint8_t key[32], authorized_peer *out) {
    book b;
    int found = authorized_load(&b, file, 0);
    if (found == 0) {
        size_t i = find_authorized(&b, key);
        if (i < b.n) found = copy_authorized(out, &b, i);
    }
    book_close(&b);
    return found;
}

int authorized_peers_all(const char *file, authorized_peer **list, size_t *n) {
    book b;
    *list = NULL;
    *n = 0;
    int code = authorized_load(&b, file, 0);
    if (code == 0) {
        *list = b.peer;
        *n = b.n;
        b.peer = NULL;
    }
    book_close(&b);
    return code;
}

int authorized_peers_set(const char *file, const uint8_t key[32], const char *name, const char *const *options) {
    char line[ENTRY_MAX + 1], wrong[WRONG_MAX];
    book b;
    if (authorized_peer_format(line, key, name, options, wrong) != 0) {
        say("%s", wrong);
        return -1;
    }
    int code = authorized_load(&b, file, 1);
    if (code == 0) {
        size_t i = find_authorized(&b, key);
        code = put(&b, i, line) == 0 ? i < b.n : -1;
    }
    book_close(&b);
    return code;
}

int authorized_peers_remove(const char *file, const char *name) {
    book b;
    int n = authorized_load(&b, file, 1), removed = 0;
    for (size_t i = n == 0 ? b.n : 0; i-- > 0 && n == 0;) { /* the last one first: the places in front stay right */
        if (strcmp(authorized(&b)[i].name, name) != 0) continue;
        removed++;
        n = book_file_splice(&b.file, b.at[i].start, b.at[i].end, NULL);
    }
    if (n == 0 && removed && save(&b) != 0) n = -1;
    book_close(&b);
    return n == 0 ? removed : -1;
}
