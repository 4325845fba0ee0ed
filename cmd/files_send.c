/* SPDX-License-Identifier: ISC */
#include "files_send.h"

#include "svconn_transport.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUND = 1 << 20, PIECE = 1 << 17 }; /* bytes of work between two looks at the link; read at a time for a hash */

/* An entry that is not settled: the mirror of arrival in files_receive.c. */
struct departure {
    char *path; /* NULL: this place is free */
    size_t source;
    uint8_t type;
    struct stat st;
    int tries;
    uint8_t request; /* ASK or WANT that is not answered; 0: none */
    uint64_t offset; /* of it */
    int asked;       /* ASK came last: both sides make a hash */
    int ended;       /* WANT was answered */
    int final;       /* STORED, SAME or SKIP came */
    uint8_t cancel;  /* CANCEL went, with this reason */
    int error;       /* errno of ours */
    uint64_t hashed; /* so many bytes are in sha */
    svconn_sha256_ctx sha;
    sent_result result;
    char text[FILES_REPLY_MAX];
};

/* One to be tried once more: it changed while it was read. */
struct again {
    again *next;
    size_t source;
    char path[];
};

int files_sender_open(files_sender *f, const source *sources, size_t n, int follow) {
    memset(f, 0, sizeof *f);
    f->sources = sources;
    f->follow = follow;
    f->walk = (walk){.sources = sources, .n = n, .follow = follow};
    f->fd = -1;
    f->way = (way)WAY_NONE;
    f->way.follow = follow;
    f->table = calloc(FILES_WINDOW, sizeof *f->table);
    return f->table ? 0 : -1;
}

static void forget_session(files_sender *f) {
    for (size_t i = 0; i < FILES_WINDOW && f->table; i++) {
        free(f->table[i].path);
        memset(&f->table[i], 0, sizeof f->table[i]);
    }
    while (f->agains) {
        again *a = f->agains;
        f->agains = a->next;
        free(a);
    }
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
    f->current = NULL;
    way_forget(&f->way);
    if (f->way.base >= 0) close(f->way.base);
    f->way.base = -1;
}

void files_sender_close(files_sender *f) {
    forget_session(f);
    walk_rewind(&f->walk);
    free(f->table);
    free(f->seen);
    f->table = NULL;
    f->seen = NULL;
}

/* ---- what was settled: a session that goes on does not offer it again ---- */
static uint64_t key_of(const char *path) {
    svconn_sha256_ctx c;
    uint8_t hash[32];
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, (const uint8_t *)path, strlen(path));
    svconn_sha256_final(&c, hash);
    wire_in w = {hash, sizeof hash, 0};
    return get_number(&w, 8) | 1; /* 0 is a free place */
}

static uint64_t *place_of(uint64_t *seen, size_t size, uint64_t key) {
    size_t i = (size_t)(key >> 1) % size;
    while (seen[i] && seen[i] != key) i = (i + 1) % size;
    return &seen[i];
}

static int is_seen(const files_sender *f, const char *path) {
    return f->seen_size && *place_of(f->seen, f->seen_size, key_of(path)) != 0;
}

/* Without memory it is not remembered, and offered again. */
static void see(files_sender *f, const char *path) {
    if (2 * f->seen_n >= f->seen_size) {
        size_t size = f->seen_size ? 2 * f->seen_size : 1024;
        uint64_t *more = calloc(size, sizeof *more);
        if (!more) return;
        for (size_t i = 0; i < f->seen_size; i++)
            if (f->seen[i]) *place_of(more, size, f->seen[i]) = f->seen[i];
        free(f->seen);
        f->seen = more;
        f->seen_size = size;
    }
    *place_of(f->seen, f->seen_size, key_of(path)) = key_of(path);
    f->seen_n++;
}

static void report(files_sender *f, const char *path, uint8_t type, sent_result result, uint64_t size, const char *text) {
    if (type == FILES_FILE && result == SENT_STORED) f->stored++;
    if (type == FILES_FILE && result == SENT_SAME) f->same++;
    if (result == SENT_NOT) f->not_taken++;
    if (result == SENT_FAILED || result == SENT_NOTE) f->failed++;
    if (type == FILES_FILE) f->done_bytes += size;
    f->told_type = type;
    if (f->told) f->told(f->told_arg, path, result, size, text);
}

/* The walk leaves something out. Of a directory whose contents cannot be read this comes before the entry itself, so
 * the two are remembered under different names. */
static void left_out(void *arg, const char *path, const char *why) {
    files_sender *f = arg;
    char name[FILES_PATH_MAX + 3];
    snprintf(name, sizeof name, "//%s", path);
    if (is_seen(f, name)) return;
    see(f, name);
    report(f, path, 0, SENT_NOTE, 0, why);
}

void files_sender_count(files_sender *f) {
    f->walk.note = NULL;
    f->files = f->bytes = 0;
    walk_rewind(&f->walk);
    while (walk_next(&f->walk, &f->item)) {
        if (f->item.type != FILES_FILE) continue;
        f->files++;
        f->bytes += (uint64_t)f->item.st.st_size;
    }
    walk_rewind(&f->walk);
}

void files_sender_connect(files_sender *f, svconn *s) {
    forget_session(f);
    walk_rewind(&f->walk);
    f->walk.note = left_out;
    f->walk.arg = f;
    f->s = s;
    f->next = 0;
    f->queue_n = f->queue_at = 0;
    f->offered = f->walked = f->done_sent = f->finished = 0;
    f->busy = 1;
    f->msg_len = 0;
}

/* What went counts until the receiver says what became of it, which takes a while. */
uint64_t files_sender_progress(const files_sender *f) {
    uint64_t n = f->done_bytes;
    for (size_t i = 0; i < FILES_WINDOW; i++) {
        const departure *d = &f->table[i];
        if (d->path && d->type == FILES_FILE && d->ended && !d->cancel) n += (uint64_t)d->st.st_size;
    }
    return f->current && f->current->request == FILES_WANT ? n + f->at : n;
}

int files_sender_compares(const files_sender *f) {
    if (f->current) return f->current->request == FILES_ASK;
    for (size_t i = 0; i < FILES_WINDOW; i++)
        if (f->table[i].path && f->table[i].asked && !f->table[i].final) return 1;
    return 0;
}

int files_sender_is_complete(const files_sender *f) {
    return f->finished && f->not_taken == 0 && f->failed == 0 && !f->full;
}

static int flush(files_sender *f) {
    if (f->msg_len == 0) return 1;
    if (svconn_send(f->s, f->msg, f->msg_len, svconn_now()) != SVCONN_OK) return 0;
    f->msg_len = 0;
    return 1;
}

/* ---- offering ---- */
static wire_out message(files_sender *f, uint8_t type, const departure *d) {
    wire_out w = {f->msg, 0};
    put_number(&w, type, 1);
    if (!d) return w;
    uint32_t slot = (uint32_t)(d - f->table), last = f->next - 1;
    put_number(&w, last - (last - slot) % FILES_WINDOW, 4);
    return w;
}

static void make_offer(files_sender *f) {
    wire_out w = message(f, FILES_OFFER, NULL);
    put_number(&w, f->walk.n, 4);
    put_number(&w, f->files, 8);
    put_number(&w, f->bytes, 8);
    put_bytes(&w, f->label, strlen(f->label));
    f->msg_len = w.n;
    f->offered = 1;
}

static void put_path(wire_out *w, const char *path) {
    size_t count = w->n, n = 1;
    put_number(w, 0, 1);
    for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1, n++) {
        put_number(w, (uint64_t)(slash - path), 1);
        put_bytes(w, path, (size_t)(slash - path));
    }
    put_number(w, strlen(path), 1);
    put_bytes(w, path, strlen(path));
    w->b[count] = (uint8_t)n;
}

/* Offers f->item. */
static void make_entry(files_sender *f, int tries) {
    const walk_item *item = &f->item;
    const struct stat *st = &item->st;
    departure *d = &f->table[f->next % FILES_WINDOW];
    uint64_t size = item->type == FILES_DIRECTORY ? 0 : (uint64_t)st->st_size;
    char *path = strdup(item->path);
    if (!path) {
        report(f, item->path, item->type, SENT_FAILED, 0, "out of memory");
        return;
    }
    memset(d, 0, sizeof *d);
    *d = (departure){.path = path, .source = item->source, .type = item->type, .st = *st, .tries = tries};
    d->st.st_size = (off_t)size;
    f->next++;
    wire_out w = message(f, FILES_ENTRY, d);
    put_number(&w, d->type, 1);
    put_number(&w, st->st_mode & 07777, 2);
    put_number(&w, (uint64_t)(int64_t)st->st_mtim.tv_sec, 8);
    put_number(&w, (uint64_t)st->st_mtim.tv_nsec, 4);
    put_number(&w, size, 8);
    put_path(&w, path);
    if (d->type == FILES_SYMLINK) put_bytes(&w, item->target, (size_t)size);
    f->msg_len = w.n;
}

/* The directory of a path, and its name there. */
static int dir_of(files_sender *f, size_t n, const char *path, const char **name) {
    if (f->way.base < 0 || f->way_source != n) {
        way_forget(&f->way);
        if (f->way.base >= 0) close(f->way.base);
        f->way.base = open(f->sources[n].dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->way_source = n;
        if (f->way.base < 0) return -1;
    }
    return way_to(&f->way, path, name);
}

static void offer_again(files_sender *f) {
    again *a = f->agains;
    const char *name;
    f->agains = a->next;
    f->item.path = a->path;
    f->item.source = a->source;
    int dir = dir_of(f, a->source, a->path, &name);
    if (dir >= 0 && walk_look(dir, name, f->follow, &f->item) && f->item.type == FILES_FILE) make_entry(f, 1);
    else report(f, a->path, FILES_FILE, SENT_FAILED, 0, "it is gone");
    free(a);
}

/* 0: nothing can be offered now. */
static int offer_next(files_sender *f) {
    if (f->table[f->next % FILES_WINDOW].path) return 0;
    if (f->full) f->walked = 1;
    if (f->agains) {
        offer_again(f);
        return 1;
    }
    if (f->walked) return 0;
    if (!walk_next(&f->walk, &f->item)) f->walked = 1;
    else if (!is_seen(f, f->item.path)) make_entry(f, 0);
    return 1;
}

/* ---- the end of an entry ---- */
static void close_current(files_sender *f) {
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
    f->current = NULL;
}

static int try_again(files_sender *f, const departure *d) {
    size_t n = strlen(d->path) + 1;
    if (d->cancel != CANCEL_CHANGED || d->tries > 0) return 0;
    again *a = malloc(sizeof *a + n);
    if (!a) return 0;
    memcpy(a->path, d->path, n);
    a->source = d->source;
    a->next = f->agains;
    f->agains = a;
    return 1;
}

static void settle(files_sender *f, departure *d) {
    if (!d->final || d->request) return;
    if (!try_again(f, d)) {
        see(f, d->path);
        if (d->cancel == CANCEL_CHANGED) report(f, d->path, d->type, SENT_FAILED, 0, "it changes while it is being sent");
        else if (d->cancel == CANCEL_UNREADABLE) report(f, d->path, d->type, SENT_FAILED, 0, strerror(d->error));
        else report(f, d->path, d->type, d->result, (uint64_t)d->st.st_size, d->text);
    }
    free(d->path);
    memset(d, 0, sizeof *d);
}

/* ---- answers ---- */
static void make_cancel(files_sender *f, departure *d, uint8_t reason, int error) {
    wire_out w = message(f, FILES_CANCEL, d);
    put_number(&w, reason, 1);
    f->msg_len = w.n;
    d->cancel = reason;
    d->error = error;
    d->request = 0;
    d->ended = 1;
    close_current(f);
    settle(f, d);
}

static void make_digest(files_sender *f, departure *d, uint8_t type) {
    svconn_sha256_ctx c = d->sha;
    uint8_t hash[32];
    svconn_sha256_final(&c, hash);
    wire_out w = message(f, type, d);
    put_bytes(&w, hash, 32);
    f->msg_len = w.n;
    d->request = 0;
    d->ended = type == FILES_END;
    close_current(f);
    settle(f, d);
}

static int is_unchanged(const files_sender *f, const departure *d) {
    struct stat st;
    return fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == d->st.st_dev && st.st_ino == d->st.st_ino &&
           st.st_size == d->st.st_size && st.st_mtim.tv_sec == d->st.st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == d->st.st_mtim.tv_nsec;
}

/* Takes the next request. 0: there is none. */
static int begin_answer(files_sender *f) {
    const char *name;
    if (f->queue_n == 0) return 0;
    departure *d = &f->table[f->queue[f->queue_at]];
    f->queue_at = (f->queue_at + 1) % FILES_WINDOW;
    f->queue_n--;
    if (d->final) {
        make_cancel(f, d, CANCEL_UNWANTED, 0);
        return 1;
    }
    int dir = dir_of(f, d->source, d->path, &name);
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (f->follow ? 0 : O_NOFOLLOW);
    f->fd = dir < 0 ? -1 : openat(dir, name, flags);
    if (f->fd < 0 || !is_unchanged(f, d)) {
        int gone = f->fd >= 0 || errno == ENOENT || errno == ELOOP || errno == ENOTDIR;
        make_cancel(f, d, gone ? CANCEL_CHANGED : CANCEL_UNREADABLE, errno);
        return 1;
    }
    f->current = d;
    f->at = d->request == FILES_WANT ? d->offset : 0;
    if (f->at == 0) svconn_sha256_init(&d->sha);
    snprintf(f->shown, sizeof f->shown, "%s", d->path);
    return 1;
}

/* Reads the next piece of the current file. 0: it ended, or cannot be read, and that was answered. */
static size_t read_piece(files_sender *f, uint8_t *piece, size_t most, uint64_t end) {
    uint64_t left = end - f->at;
    ssize_t n;
    do n = pread(f->fd, piece, left < most ? (size_t)left : most, (off_t)f->at);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        svconn_sha256_update(&f->current->sha, piece, (size_t)n);
        f->at += (uint64_t)n;
        return (size_t)n;
    }
    make_cancel(f, f->current, n == 0 ? CANCEL_CHANGED : CANCEL_UNREADABLE, errno);
    return 0;
}

static size_t answer_ask(files_sender *f, departure *d) {
    static uint8_t piece[PIECE];
    if (f->at == d->offset) {
        d->hashed = d->offset;
        make_digest(f, d, FILES_HASH);
        return 1;
    }
    return read_piece(f, piece, sizeof piece, d->offset) + 1;
}

static size_t answer_want(files_sender *f, departure *d) {
    if (d->final) {
        make_cancel(f, d, CANCEL_UNWANTED, 0);
        return 1;
    }
    if (f->at == (uint64_t)d->st.st_size) {
        if (is_unchanged(f, d)) make_digest(f, d, FILES_END);
        else make_cancel(f, d, CANCEL_CHANGED, 0);
        return 1;
    }
    wire_out w = message(f, FILES_DATA, d);
    size_t n = read_piece(f, f->msg + w.n, FILES_DATA_MAX, (uint64_t)d->st.st_size);
    if (n == 0) return 1;
    f->msg_len = w.n + n;
    f->carried += n;
    return n;
}

static int is_settled(const files_sender *f) {
    for (size_t i = 0; i < FILES_WINDOW; i++)
        if (f->table[i].path) return 0;
    return 1;
}

/* Returns the work that was done; at most one message is made. 0: nothing can be done now. */
static size_t work(files_sender *f) {
    if (!f->offered) {
        make_offer(f);
        return 1;
    }
    if (offer_next(f)) return 64;
    if (f->current && f->current->request == FILES_ASK) return answer_ask(f, f->current);
    if (f->current) return answer_want(f, f->current);
    if (begin_answer(f)) return 64;
    if (f->done_sent || !f->walked || f->agains || !is_settled(f)) return 0;
    wire_out w = message(f, FILES_DONE, NULL);
    put_number(&w, f->next, 4);
    f->msg_len = w.n;
    f->done_sent = 1;
    return 1;
}

void files_sender_step(files_sender *f) {
    f->busy = 0;
    for (size_t n = 0; n < ROUND && svconn_status(f->s) == SVCONN_CONNECTED;) {
        size_t done = flush(f) ? work(f) : 0;
        if (done == 0) return;
        n += done;
    }
    f->busy = flush(f);
}

int files_sender_can_go_on(const files_sender *f) {
    size_t n;
    if (svconn_status(f->s) != SVCONN_CONNECTED) return 0;
    (void)svconn_wire_out(f->s, &n);
    return f->busy || (f->msg_len > 0 && n == 0);
}

/* ---- messages ---- */
static void broken(files_sender *f, const char *what) {
    say("the receiver breaks the rules (%s); the session ends", what);
    f->broken = 1;
    svconn_abort(f->s);
}

static void take_request(files_sender *f, departure *d, uint8_t type, wire_in *w) {
    uint64_t offset = get_number(w, 8);
    int possible = type == FILES_ASK ? offset > 0 && offset <= (uint64_t)d->st.st_size
                                     : offset == 0 || (offset == d->hashed && d->hashed > 0);
    if (w->bad || w->left || d->type != FILES_FILE || d->request || d->ended || d->final || !possible) {
        broken(f, "a request that cannot be");
        return;
    }
    d->request = type;
    d->asked = type == FILES_ASK;
    d->offset = offset;
    f->queue[(f->queue_at + f->queue_n++) % FILES_WINDOW] = (uint32_t)(d - f->table);
}

static void take_final(files_sender *f, departure *d, uint8_t type, wire_in *w) {
    uint8_t reason = type == FILES_SKIP ? (uint8_t)get_number(w, 1) : 0;
    int file = d->type == FILES_FILE;
    int possible = type == FILES_STORED ? !file || (d->ended && !d->cancel)
                   : type == FILES_SAME ? w->left == 0 && !d->request && !d->ended
                                        : reason > 0 && d->request != FILES_ASK;
    if (w->bad || d->final || !possible || w->left > FILES_TEXT_MAX) {
        broken(f, "a result that cannot be");
        return;
    }
    d->final = 1;
    d->result = type == FILES_STORED ? SENT_STORED : type == FILES_SAME ? SENT_SAME : SENT_NOT;
    memcpy(d->text, w->at, w->left);
    if (reason == SKIP_FULL) f->full = 1;
    settle(f, d);
}

static void take_result(files_sender *f, wire_in *w) {
    uint64_t status = get_number(w, 1);
    (void)get_bytes(w, 12); /* its own count */
    if (w->bad || w->left > FILES_TEXT_MAX || !f->done_sent || f->finished) {
        broken(f, "an end before the end");
        return;
    }
    f->finished = 1;
    if (status == 0) return;
    char text[4 * FILES_TEXT_MAX];
    text_escape(text, sizeof text, w->at, w->left);
    report(f, ".", 0, SENT_FAILED, 0, text);
}

void files_sender_take(files_sender *f, const uint8_t *msg, size_t len) {
    wire_in w = {msg, len, 0};
    uint8_t type = (uint8_t)get_number(&w, 1);
    if (type == FILES_RESULT) {
        take_result(f, &w);
        return;
    }
    uint32_t id = (uint32_t)get_number(&w, 4);
    departure *d = &f->table[id % FILES_WINDOW];
    if (w.bad || id >= f->next || f->next - id > FILES_WINDOW || !d->path) {
        broken(f, "an entry that does not exist");
        return;
    }
    if (type == FILES_ASK || type == FILES_WANT) take_request(f, d, type, &w);
    else if (type == FILES_STORED || type == FILES_SAME || type == FILES_SKIP) take_final(f, d, type, &w);
    else broken(f, "a message that does not exist");
}
