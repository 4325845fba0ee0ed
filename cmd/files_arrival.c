/* SPDX-License-Identifier: ISC */
#include "files_arrival.h"

#include "crypto.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PIECE = 1 << 17, /* read at a time for a hash */
    LINES = 200,     /* of the log for one visitor */
    NUMBERS = 16 /* of "name (2)" and so on are compared with what comes: each costs us a hash, the sender nothing */
};

/* ---- replies ---- */
static uint32_t id_of(const receiver *r, const arrival *e) {
    uint32_t slot = (uint32_t)(e - r->table), last = r->next - 1;
    return last - (last - slot) % FILES_WINDOW;
}

wire_out receiver_reply(receiver *r, uint8_t type, const arrival *e) {
    wire_out w = {r->reply, 0};
    put_number(&w, type, 1);
    if (e) put_number(&w, id_of(r, e), 4);
    return w;
}

void receiver_reply_text(receiver *r, wire_out w, const char *text) {
    size_t n = strlen(text), room = FILES_REPLY_MAX - w.n;
    if (n > FILES_TEXT_MAX) n = FILES_TEXT_MAX;
    put_bytes(&w, text, n < room ? n : room);
    r->reply_len = w.n;
}

static void request(receiver *r, arrival *e, uint8_t type, uint64_t offset) {
    wire_out w = receiver_reply(r, type, e);
    put_number(&w, offset, 8);
    r->reply_len = w.n;
    e->offset = offset;
}

void receiver_broken(receiver *r, const char *what) {
    say("%sthe sender breaks the rules (%s); the session ends", r->v->t->who, what);
    svconn_abort(&r->v->t->s);
}

/* ---- the life of an entry ---- */
static void release(receiver *r, arrival *e) {
    file_store *s = r->store;
    s->bytes -= e->reserved < s->bytes ? e->reserved : s->bytes;
    e->reserved = 0;
}

void receiver_close_current(receiver *r) {
    if (r->current) close(r->fd);
    r->current = NULL;
    r->fd = -1;
}

void receiver_drop_current(receiver *r) {
    store_drop_part(r->store, r->current->path);
    r->at = r->current->offset;
}

void arrival_settle(receiver *r, arrival *e) {
    release(r, e);
    free(e->path);
    memset(e, 0, sizeof *e);
}

/* Prints a path so that a terminal, or a program that reads lines, cannot be fooled. */
void receiver_log(receiver *r, const char *path, const char *what) {
    char shown[4 * FILES_TEXT_MAX];
    if (r->lines > LINES) return;
    if (r->lines++ == LINES) {
        say("%sthere is more to tell of files, which is left out", r->v->t->who);
        return;
    }
    text_escape(shown, sizeof shown, (const uint8_t *)path, strlen(path));
    say("%s%s: %s", r->v->t->who, shown, what);
}

static void audit_path(receiver *r, const char *path, const char *what, uint64_t size) {
    if (r->v->log) r->v->log(r->v, "file", path, what, size, 0);
}

void arrival_skip(receiver *r, arrival *e, uint8_t reason, const char *text) {
    wire_out w = receiver_reply(r, FILES_SKIP, e);
    put_number(&w, reason, 1);
    receiver_reply_text(r, w, text);
    r->skipped++;
    if (reason != SKIP_CANCELLED) receiver_log(r, e->path, text);
    audit_path(r, e->path, reason == SKIP_CANCELLED ? "the sender cannot send it" : text, 0);
    if (r->current == e) {
        e->reserved = e->a.size > r->at ? e->a.size - r->at : 0;
        receiver_close_current(r);
    }
    release(r, e);
    if (e->stage == STAGE_WANTED) e->stage = STAGE_OVER;
    else arrival_settle(r, e);
}

void arrival_skip_error(receiver *r, arrival *e, int error) {
    uint8_t reason = error == EEXIST                      ? SKIP_EXISTS
                     : error == EBUSY                     ? SKIP_BUSY
                     : error == ENOSPC || error == EDQUOT ? SKIP_FULL
                     : error == ENAMETOOLONG              ? SKIP_NAME
                                                          : SKIP_LOCAL;
    arrival_skip(r, e, reason, store_why(error));
}

static void list_path(const receiver *r, const char *path) {
    if (r->store->list) printf("%s\n", path);
    if (r->store->list) fflush(stdout);
}

/* renamed: the path that it has here, if that is not what the sender meant */
void arrival_stored(receiver *r, arrival *e, const char *path) {
    receiver_reply_text(r, receiver_reply(r, FILES_STORED, e), strcmp(path, e->path) == 0 ? "" : path);
    if (strcmp(path, e->path) != 0)
        receiver_log(r, path, "this is the name that a file got, because another one was there");
    list_path(r, path);
    audit_path(r, path, "stored", e->a.size);
    e->reserved = 0;
    r->stored++;
    if (e->type == FILES_FILE) r->files_stored++;
    arrival_settle(r, e);
}

void arrival_same(receiver *r, arrival *e) {
    r->reply_len = receiver_reply(r, FILES_SAME, e).n;
    r->same++;
    if (e->type == FILES_FILE) r->files_same++;
    arrival_settle(r, e);
}

static int has_room(const file_store *s, uint64_t bytes) {
    return s->max_bytes == 0 || (s->bytes <= s->max_bytes && bytes <= s->max_bytes - s->bytes);
}

static void want(receiver *r, arrival *e, uint64_t offset) {
    uint64_t bytes = e->a.size - offset;
    if (!has_room(r->store, bytes)) {
        arrival_skip(r, e, SKIP_LIMIT, "it is more than is taken here in all");
        return;
    }
    r->store->bytes += bytes;
    e->reserved = bytes;
    if (offset == 0) svconn_sha256_init(&e->sha);
    e->stage = STAGE_WANTED;
    e->theirs = 0;
    request(r, e, FILES_WANT, offset);
}

static void ask(receiver *r, arrival *e, stage what, uint64_t offset) {
    e->stage = what;
    e->ours = e->theirs = 0;
    r->checks++;
    request(r, e, FILES_ASK, offset);
}

/* The next "name (2)" of this size, which may be what came of the same file before. 0: there is none. */
static int ask_numbered(receiver *r, arrival *e) {
    struct stat st;
    char path[FILES_PATH_MAX + 1];
    for (unsigned n = e->number ? e->number + 1 : 2; n < NUMBERS; n++) {
        if (path_numbered(path, e->path, n) != 0 || store_look(r->store, path, &st) <= 0) return 0;
        if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->a.size) continue;
        int known = e->theirs; /* of all of it: its hash is not asked for twice */
        e->number = n;
        if (e->a.size == 0) arrival_same(r, e);
        else if (!known) ask(r, e, STAGE_COMPARE, e->a.size);
        else {
            e->ours = 0;
            r->checks++;
        }
        return 1;
    }
    return 0;
}

static void look_for_part(receiver *r, arrival *e) {
    struct stat st;
    int there = store_look_part(r->store, e->path, &st);
    int usable = there > 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size > 0;
    if (there < 0) arrival_skip_error(r, e, errno);
    else if (usable && (uint64_t)st.st_size <= e->a.size) ask(r, e, STAGE_RESUME, (uint64_t)st.st_size);
    else want(r, e, 0);
}

/* Something of this name is there, and it is not the same. */
static void conflict(receiver *r, arrival *e, const struct stat *st) {
    int replaceable = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);
    int keeps = r->store->policy == STORE_KEEP || (r->store->policy == STORE_OVERWRITE && !replaceable);
    if (r->store->policy == STORE_RENAME && ask_numbered(r, e)) return;
    if (!keeps) look_for_part(r, e);
    else {
        if (S_ISREG(st->st_mode)) (void)store_drop_stale(r->store, e->path);
        arrival_skip_error(r, e, EEXIST);
    }
}

void arrival_begin(receiver *r, arrival *e) {
    struct stat st;
    int there = store_look(r->store, e->path, &st);
    if (there < 0) arrival_skip_error(r, e, errno);
    else if (there == 0) look_for_part(r, e);
    else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->a.size) conflict(r, e, &st);
    else if (e->a.size > 0) ask(r, e, STAGE_COMPARE, e->a.size);
    else arrival_same(r, e);
}

void arrival_compare(receiver *r, arrival *e) {
    struct stat st;
    int equal = memcmp(e->our_hash, e->their_hash, 32) == 0 && e->ours > 0;
    if (e->stage == STAGE_RESUME) {
        want(r, e, equal ? e->offset : 0);
    } else if (equal) {
        (void)store_drop_stale(r->store, e->path);
        arrival_same(r, e);
    } else {
        int there = store_look(r->store, e->path, &st);
        if (there > 0) conflict(r, e, &st);
        else if (there < 0) arrival_skip_error(r, e, errno);
        else look_for_part(r, e);
    }
}

/* ---- our hashes, a piece at a time ---- */
static arrival *next_check(receiver *r) {
    uint32_t first = r->next > FILES_WINDOW ? r->next - FILES_WINDOW : 0;
    for (uint32_t id = first; id != r->next; id++) {
        arrival *e = &r->table[id % FILES_WINDOW];
        if ((e->stage == STAGE_COMPARE || e->stage == STAGE_RESUME) && !e->ours) return e;
    }
    return NULL;
}

/* result: 1 if our_hash is right, -1 if there is none. */
static void check_ends(receiver *r, int result) {
    arrival *e = r->check;
    svconn_sha256_ctx c = e->sha;
    svconn_sha256_final(&c, e->our_hash);
    if (r->check_fd >= 0) close(r->check_fd);
    r->check_fd = -1;
    r->check = NULL;
    r->checks--;
    e->ours = result;
    if (e->theirs) arrival_compare(r, e);
}

static int open_compared(receiver *r, const arrival *e, struct stat *st) {
    char path[FILES_PATH_MAX + 1];
    if (e->number == 0) return store_open_file(r->store, e->path, st);
    return path_numbered(path, e->path, e->number) != 0 ? -1 : store_open_file(r->store, path, st);
}

static int check_begins(receiver *r) {
    struct stat st = {0};
    arrival *e = r->check = next_check(r);
    if (!e) {
        r->checks = 0;
        return 0;
    }
    r->check_at = 0;
    svconn_sha256_init(&e->sha);
    r->check_fd = e->stage == STAGE_COMPARE ? open_compared(r, e, &st) : store_open_part(r->store, e->path, &st);
    e->part = st;
    if (r->check_fd >= 0 && (uint64_t)st.st_size == e->offset) return 1;
    check_ends(r, -1);
    return 0;
}

size_t receiver_check(receiver *r) {
    static uint8_t piece[PIECE];
    if (r->checks == 0) return 0;
    if (!r->check && !check_begins(r)) return 1;
    uint64_t left = r->check->offset - r->check_at;
    ssize_t n = read(r->check_fd, piece, left < PIECE ? (size_t)left : PIECE);
    if (n < 0 && errno == EINTR) return 1;
    if (n <= 0) {
        check_ends(r, -1);
        return 1;
    }
    svconn_sha256_update(&r->check->sha, piece, (size_t)n);
    r->check_at += (uint64_t)n;
    if (r->check_at == r->check->offset) check_ends(r, 1);
    return (size_t)n;
}

void receiver_check_drop(receiver *r, arrival *e) {
    if (r->check == e) {
        close(r->check_fd);
        r->check_fd = -1;
        r->check = NULL;
    }
    if (!e->ours) r->checks--;
}
