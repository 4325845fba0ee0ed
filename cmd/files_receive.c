/* SPDX-License-Identifier: ISC */
#include "files_receive.h"

#include "cmd.h"
#include "crypto.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROUND = 1 << 20, /* bytes of work between two looks at the link */
    PIECE = 1 << 17,
    LINES = 200 /* of the log for one visitor */
};

/*
 * An entry that is not settled. The sender gets exactly one of STORED, SAME and SKIP for it, and answers every ASK and
 * WANT; it is settled when both is done.
 */
typedef enum {
    STAGE_FREE,
    STAGE_COMPARE, /* a file of this name and size is there: ASK is out */
    STAGE_RESUME,  /* a part is there: ASK is out */
    STAGE_WANTED,  /* WANT is out */
    STAGE_OVER     /* it was skipped, but the answer to WANT is still to come */
} stage;

typedef struct {
    stage stage;
    char *path;
    store_attributes a;
    uint64_t offset;   /* of ASK or WANT */
    uint64_t reserved; /* of the store's bytes */
    struct stat part;  /* as it was when its hash was made */
    int ours, theirs;  /* these are known: */
    uint8_t our_hash[32], their_hash[32];
    svconn_sha256_ctx sha; /* of the first bytes: offset, or all that came */
} arrival;

typedef struct {
    file_store *store;
    visitor *v;
    arrival table[FILES_WINDOW];
    uint32_t next; /* id of the next entry */
    int offered, done, finished;
    uint8_t reply[FILES_REPLY_MAX]; /* to be sent before anything else is done */
    size_t reply_len;
    uint32_t checks; /* entries whose hash we owe */
    arrival *check;  /* the one that is being read */
    int check_fd;
    uint64_t check_at;
    arrival *current; /* whose bytes come */
    int fd;
    uint64_t at;
    uint32_t stored, same, skipped;
    int unsynced;   /* an error of a directory */
    int busy;       /* there is more to do than one round allows */
    unsigned lines; /* of the log */
} receiver;

/* ---- replies ---- */
static uint32_t id_of(const receiver *r, const arrival *e) {
    uint32_t slot = (uint32_t)(e - r->table), last = r->next - 1;
    return last - (last - slot) % FILES_WINDOW;
}

static wire_out reply(receiver *r, uint8_t type, const arrival *e) {
    wire_out w = {r->reply, 0};
    put_number(&w, type, 1);
    if (e) put_number(&w, id_of(r, e), 4);
    return w;
}

static void reply_text(receiver *r, wire_out w, const char *text) {
    size_t n = strlen(text), room = FILES_REPLY_MAX - w.n;
    if (n > FILES_TEXT_MAX) n = FILES_TEXT_MAX;
    put_bytes(&w, text, n < room ? n : room);
    r->reply_len = w.n;
}

static void request(receiver *r, arrival *e, uint8_t type, uint64_t offset) {
    wire_out w = reply(r, type, e);
    put_number(&w, offset, 8);
    r->reply_len = w.n;
    e->offset = offset;
}

/* The peer breaks the rules: nothing that it says is believed any more. */
static void broken(receiver *r, const char *what) {
    say("%sthe sender breaks the rules (%s); the session ends", r->v->t->who, what);
    svconn_abort(&r->v->t->s);
}

/* ---- the life of an entry ---- */
static void release(receiver *r, arrival *e) {
    file_store *s = r->store;
    s->bytes -= e->reserved < s->bytes ? e->reserved : s->bytes;
    e->reserved = 0;
}

static void close_current(receiver *r) {
    if (r->current) close(r->fd);
    r->current = NULL;
    r->fd = -1;
}

/* What came of it is of no use, and counts no more. */
static void drop_current(receiver *r) {
    store_drop_part(r->store, r->current->path);
    r->at = r->current->offset;
}

static void settle(receiver *r, arrival *e) {
    release(r, e);
    free(e->path);
    memset(e, 0, sizeof *e);
}

/* Prints a path so that a terminal, or a program that reads lines, cannot be fooled. */
static void log_path(receiver *r, const char *path, const char *what) {
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

static void skip(receiver *r, arrival *e, uint8_t reason, const char *text) {
    wire_out w = reply(r, FILES_SKIP, e);
    put_number(&w, reason, 1);
    reply_text(r, w, text);
    r->skipped++;
    if (reason != SKIP_CANCELLED) log_path(r, e->path, text);
    audit_path(r, e->path, reason == SKIP_CANCELLED ? "the sender cannot send it" : text, 0);
    if (r->current == e) {
        e->reserved = e->a.size > r->at ? e->a.size - r->at : 0;
        close_current(r);
    }
    release(r, e);
    if (e->stage == STAGE_WANTED) e->stage = STAGE_OVER;
    else settle(r, e);
}

static void skip_error(receiver *r, arrival *e, int error) {
    uint8_t reason = error == EEXIST                      ? SKIP_EXISTS
                     : error == EBUSY                     ? SKIP_BUSY
                     : error == ENOSPC || error == EDQUOT ? SKIP_FULL
                     : error == ENAMETOOLONG              ? SKIP_NAME
                                                          : SKIP_LOCAL;
    skip(r, e, reason, store_why(error));
}

static void list_path(const receiver *r, const char *path) {
    if (r->store->list) printf("%s\n", path);
    if (r->store->list) fflush(stdout);
}

/* renamed: the path that it has here, if that is not what the sender meant */
static void stored(receiver *r, arrival *e, const char *path) {
    reply_text(r, reply(r, FILES_STORED, e), strcmp(path, e->path) == 0 ? "" : path);
    if (strcmp(path, e->path) != 0)
        log_path(r, path, "this is the name that a file got, because another one was there");
    list_path(r, path);
    audit_path(r, path, "stored", e->a.size);
    e->reserved = 0;
    r->stored++;
    settle(r, e);
}

static void same(receiver *r, arrival *e) {
    r->reply_len = reply(r, FILES_SAME, e).n;
    r->same++;
    settle(r, e);
}

static int has_room(const file_store *s, uint64_t bytes) {
    return s->max_bytes == 0 || (s->bytes <= s->max_bytes && bytes <= s->max_bytes - s->bytes);
}

static void want(receiver *r, arrival *e, uint64_t offset) {
    uint64_t bytes = e->a.size - offset;
    if (!has_room(r->store, bytes)) {
        skip(r, e, SKIP_LIMIT, "it is more than is taken here in all");
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

static void look_for_part(receiver *r, arrival *e) {
    struct stat st;
    int there = store_look_part(r->store, e->path, &st);
    int usable = there > 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size > 0;
    if (there < 0) skip_error(r, e, errno);
    else if (usable && (uint64_t)st.st_size <= e->a.size) ask(r, e, STAGE_RESUME, (uint64_t)st.st_size);
    else want(r, e, 0);
}

/* Something of this name is there, and it is not the same. */
static void conflict(receiver *r, arrival *e, const struct stat *st) {
    int replaceable = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);
    int keeps = r->store->policy == STORE_KEEP || (r->store->policy == STORE_OVERWRITE && !replaceable);
    if (!keeps) look_for_part(r, e);
    else {
        if (S_ISREG(st->st_mode)) (void)store_drop_stale(r->store, e->path);
        skip_error(r, e, EEXIST);
    }
}

static void arrive_file(receiver *r, arrival *e) {
    struct stat st;
    int there = store_look(r->store, e->path, &st);
    if (there < 0) skip_error(r, e, errno);
    else if (there == 0) look_for_part(r, e);
    else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->a.size) conflict(r, e, &st);
    else if (e->a.size > 0) ask(r, e, STAGE_COMPARE, e->a.size);
    else same(r, e);
}

/* Our hash and theirs are there. */
static void compare(receiver *r, arrival *e) {
    struct stat st;
    int equal = memcmp(e->our_hash, e->their_hash, 32) == 0 && e->ours > 0;
    if (e->stage == STAGE_RESUME) {
        want(r, e, equal ? e->offset : 0);
    } else if (equal) {
        (void)store_drop_stale(r->store, e->path);
        same(r, e);
    } else {
        int there = store_look(r->store, e->path, &st);
        if (there > 0) conflict(r, e, &st);
        else if (there < 0) skip_error(r, e, errno);
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
    if (e->theirs) compare(r, e);
}

static int check_begins(receiver *r) {
    struct stat st;
    arrival *e = r->check = next_check(r);
    if (!e) {
        r->checks = 0;
        return 0;
    }
    r->check_at = 0;
    svconn_sha256_init(&e->sha);
    r->check_fd =
        e->stage == STAGE_COMPARE ? store_open_file(r->store, e->path, &st) : store_open_part(r->store, e->path, &st);
    e->part = st;
    if (r->check_fd >= 0 && (uint64_t)st.st_size == e->offset) return 1;
    check_ends(r, -1);
    return 0;
}

/* Returns the work that was done. */
static size_t check_step(receiver *r) {
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

/* The sender cannot give its hash: ours is not needed. */
static void check_drop(receiver *r, arrival *e) {
    if (r->check == e) {
        close(r->check_fd);
        r->check_fd = -1;
        r->check = NULL;
    }
    if (!e->ours) r->checks--;
}

/* ---- messages ---- */
static arrival *known(receiver *r, wire_in *w) {
    uint32_t id = (uint32_t)get_number(w, 4);
    arrival *e = &r->table[id % FILES_WINDOW];
    int is = !w->bad && r->next - id - 1 < FILES_WINDOW && id < r->next && e->stage != STAGE_FREE;
    if (is) return e;
    broken(r, "an entry that does not exist");
    return NULL;
}

static void take_offer(receiver *r, wire_in *w) {
    char text[4 * FILES_TEXT_MAX];
    uint64_t top = get_number(w, 4), files = get_number(w, 8), bytes = get_number(w, 8);
    if (w->bad || r->offered || w->left > FILES_TEXT_MAX) {
        broken(r, "a wrong offer");
        return;
    }
    text_escape(text, sizeof text, w->at, w->left);
    r->offered = 1;
    (void)top;
    if (r->store->quiet) return;
    say("%s%s%soffers %s: %llu files, %.1f MB", r->v->t->who, r->v->name, *r->v->name ? " " : "", text,
        (unsigned long long)files, (double)bytes / 1e6);
}

/* The path; 0 if the sender breaks the rules. *taken: its names are such as we take. */
static int read_path(receiver *r, wire_in *w, char path[FILES_PATH_MAX + 1], int *taken) {
    uint64_t n = get_number(w, 1), first_dot = 0;
    path[0] = 0;
    *taken = n <= FILES_DEPTH;
    for (uint64_t i = 0; i < n; i++) {
        size_t len = (size_t)get_number(w, 1);
        const uint8_t *name = get_bytes(w, len);
        if (w->bad || !name_is_proper(name, len)) return 0;
        if (i == 0) first_dot = name[0] == '.';
        *taken = *taken && store_add_name(r->store, path, name, len);
    }
    if (first_dot && n == 1 && *taken && !r->store->keep_dots)
        log_path(r, path, "the name began with a dot, which hides it; --keep-dots keeps such names");
    return n > 0;
}

static void arrive_other(receiver *r, arrival *e, uint64_t type, const wire_in *rest) {
    int result = type == FILES_DIRECTORY ? store_directory(r->store, e->path, e->a.mode)
                                         : store_symlink(r->store, e->path, rest->at, rest->left);
    if (result > 0) same(r, e);
    else if (result == 0) stored(r, e, e->path);
    else if (type == FILES_SYMLINK && errno == EPERM)
        skip(r, e, SKIP_NAME, "a symbolic link that leads out of what is received");
    else skip_error(r, e, errno);
}

static void arrive(receiver *r, arrival *e, uint64_t type, int taken, const wire_in *rest) {
    file_store *s = r->store;
    e->stage = STAGE_COMPARE; /* no more than: in use */
    e->ours = 1;
    if (!taken) skip(r, e, SKIP_NAME, "a name that is not taken here: too long, too deep, or one of unfinished files");
    else if (s->max_files && s->files >= s->max_files) skip(r, e, SKIP_LIMIT, "it is more than is taken here in all");
    else if (type != FILES_FILE) arrive_other(r, e, type, rest);
    else arrive_file(r, e);
    s->files++;
}

static void take_entry(receiver *r, wire_in *w) {
    static char path[FILES_PATH_MAX + 1];
    uint32_t id = (uint32_t)get_number(w, 4);
    uint64_t type = get_number(w, 1), mode = get_number(w, 2), seconds = get_number(w, 8), ns = get_number(w, 4);
    uint64_t size = get_number(w, 8);
    arrival *e = &r->table[id % FILES_WINDOW];
    int taken, proper = read_path(r, w, path, &taken);
    int fits = type == FILES_SYMLINK ? w->left == size && size <= FILES_TARGET_MAX : w->left == 0;
    if (!proper || w->bad || !fits || type < FILES_FILE || type > FILES_SYMLINK || ns >= 1000000000 ||
        size > INT64_MAX || mode > 07777) {
        broken(r, "a wrong entry");
        return;
    }
    if (!r->offered || r->done || id != r->next || id == UINT32_MAX || e->stage != STAGE_FREE) {
        broken(r, "an entry out of turn");
        return;
    }
    r->next++;
    e->path = strdup(path);
    if (!e->path) {
        say("%sout of memory", r->v->t->who);
        svconn_abort(&r->v->t->s);
        return;
    }
    e->a = (store_attributes){size, (unsigned)mode, {(time_t)(int64_t)seconds, (long)ns}};
    arrive(r, e, type, taken, w);
}

/* The bytes of e begin. 0: it was skipped, or the rules are broken. */
static int begin_file(receiver *r, arrival *e) {
    if (r->current == e) return 1;
    if (r->current) {
        broken(r, "two files at a time");
        return 0;
    }
    int fd = store_write_part(r->store, e->path, e->offset, &e->part);
    if (fd < 0) {
        skip_error(r, e, errno);
        return 0;
    }
    r->current = e;
    r->fd = fd;
    r->at = e->offset;
    return 1;
}

static void take_data(receiver *r, wire_in *w) {
    arrival *e = known(r, w);
    if (!e || e->stage == STAGE_OVER) return;
    if (e->stage != STAGE_WANTED || w->left == 0) {
        broken(r, "bytes that nobody wanted");
        return;
    }
    if (!begin_file(r, e)) return;
    if (w->left > e->a.size - r->at) {
        broken(r, "more bytes than announced");
        return;
    }
    svconn_sha256_update(&e->sha, w->at, w->left);
    if (store_write(r->fd, w->at, w->left, r->at) != 0) skip_error(r, e, errno);
    else r->at += w->left;
}

static void finish_file(receiver *r, arrival *e) {
    char got[FILES_PATH_MAX + 1];
    int result = store_finish(r->store, e->path, r->fd, &e->a, got), why = errno;
    if (result != 0 && why == EEXIST) drop_current(r);
    if (result != 0) {
        e->stage = STAGE_COMPARE; /* nothing more is to come for it */
        skip_error(r, e, why);
    } else {
        close_current(r);
        stored(r, e, got);
    }
}

static void take_end(receiver *r, wire_in *w) {
    uint8_t hash[32];
    arrival *e = known(r, w);
    if (!e) return;
    const uint8_t *theirs = get_bytes(w, 32);
    int over = e->stage == STAGE_OVER;
    if (w->bad || w->left || (!over && e->stage != STAGE_WANTED)) {
        broken(r, "a wrong end");
        return;
    }
    if (over) {
        settle(r, e);
        return;
    }
    if (!begin_file(r, e)) {
        if (r->reply_len) settle(r, e); /* it was skipped, and this was the answer */
        return;
    }
    if (r->at != e->a.size) {
        broken(r, "fewer bytes than announced");
        return;
    }
    svconn_sha256_final(&e->sha, hash);
    if (memcmp(hash, theirs, 32) == 0) {
        finish_file(r, e);
        return;
    }
    drop_current(r);
    e->stage = STAGE_COMPARE;
    skip(r, e, SKIP_DAMAGED, "it did not come as it was sent");
}

static void take_hash(receiver *r, wire_in *w) {
    arrival *e = known(r, w);
    if (!e) return;
    memcpy(e->their_hash, get_bytes(w, 32), 32);
    if (w->bad || w->left || (e->stage != STAGE_COMPARE && e->stage != STAGE_RESUME) || e->theirs) {
        broken(r, "a hash that nobody asked for");
        return;
    }
    e->theirs = 1;
    if (e->ours) compare(r, e);
}

static void take_cancel(receiver *r, wire_in *w) {
    arrival *e = known(r, w);
    uint64_t reason = get_number(w, 1);
    if (!e) return;
    if (w->bad || w->left || reason < CANCEL_CHANGED || reason > CANCEL_UNWANTED || e->theirs) {
        broken(r, "a wrong message that it cannot send a file");
        return;
    }
    if (e->stage == STAGE_OVER) {
        settle(r, e);
        return;
    }
    if (r->current == e) drop_current(r);
    if (e->stage != STAGE_WANTED) check_drop(r, e);
    e->stage = STAGE_COMPARE;
    skip(r, e, SKIP_CANCELLED, "");
}

static int is_settled(const receiver *r) {
    for (size_t i = 0; i < FILES_WINDOW; i++)
        if (r->table[i].stage != STAGE_FREE) return 0;
    return 1;
}

static void take_done(receiver *r, wire_in *w) {
    uint64_t entries = get_number(w, 4);
    if (w->bad || w->left || r->done || !r->offered || entries != r->next || !is_settled(r)) {
        broken(r, "an end before the end");
        return;
    }
    r->done = 1;
    if (r->skipped) r->v->code = EXIT_PART;
    if (store_sync(r->store) != 0) {
        r->unsynced = errno;
        r->v->code = EXIT_LOCAL;
    }
    wire_out out = reply(r, FILES_RESULT, NULL);
    put_number(&out, r->unsynced != 0, 1);
    put_number(&out, r->stored, 4);
    put_number(&out, r->same, 4);
    put_number(&out, r->skipped, 4);
    reply_text(r, out, r->unsynced ? store_why(r->unsynced) : "");
}

static void take(receiver *r, const uint8_t *msg, size_t len) {
    wire_in w = {msg, len, 0};
    if (r->done) {
        broken(r, "a message behind the end");
        return;
    }
    switch (get_number(&w, 1)) {
    case FILES_OFFER: take_offer(r, &w); break;
    case FILES_ENTRY: take_entry(r, &w); break;
    case FILES_DATA: take_data(r, &w); break;
    case FILES_END: take_end(r, &w); break;
    case FILES_HASH: take_hash(r, &w); break;
    case FILES_CANCEL: take_cancel(r, &w); break;
    case FILES_DONE: take_done(r, &w); break;
    default: broken(r, "a message that does not exist"); break;
    }
}

/* ---- the service ---- */
static void *files_begin(void *arg, visitor *v, char sorry[SERVICE_TEXT_MAX + 1]) {
    receiver *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(sorry, SERVICE_TEXT_MAX + 1, "out of memory");
        return NULL;
    }
    r->store = arg;
    r->v = v;
    r->fd = r->check_fd = -1;
    return r;
}

/* 1 if nothing waits to be sent. */
static int flush_reply(receiver *r) {
    if (r->reply_len == 0) return 1;
    if (svconn_send(&r->v->t->s, r->reply, r->reply_len, svconn_now()) != SVCONN_OK) return 0;
    r->v->out += r->reply_len;
    r->reply_len = 0;
    if (r->done) r->finished = 1;
    return 1;
}

static void files_want(void *state, fdset *set) {
    const receiver *r = state;
    size_t queued;
    if (svconn_status(&r->v->t->s) != SVCONN_CONNECTED) return;
    (void)svconn_wire_out(&r->v->t->s, &queued);
    if (r->busy || (r->reply_len > 0 && queued == 0)) fdset_within(set, 0); /* room came after the last turn */
}

static size_t take_next(receiver *r) {
    const uint8_t *msg;
    size_t len;
    svconn *s = &r->v->t->s;
    svconn_err e = svconn_recv(s, &msg, &len);
    if (e == SVCONN_END && svconn_status(s) == SVCONN_CONNECTED) e = svconn_close(s, svconn_now());
    else if (e == SVCONN_OK) {
        r->v->in += len;
        take(r, msg, len);
        if (svconn_status(s) == SVCONN_CONNECTED) e = svconn_recv_done(s);
        return len + 1;
    }
    return 0; /* a failure stays in the session */
}

static void files_ready(void *state, const fdset *set) {
    receiver *r = state;
    (void)set;
    r->busy = 0;
    for (size_t work = 0; work < ROUND && svconn_status(&r->v->t->s) == SVCONN_CONNECTED;) {
        if (!flush_reply(r)) return;
        size_t done = check_step(r);
        if (r->reply_len == 0) done += take_next(r);
        if (done == 0) return;
        work += done;
    }
    r->busy = flush_reply(r);
}

static void report(const receiver *r) {
    int complete = r->finished && r->skipped == 0 && !r->unsynced;
    if (r->store->quiet && complete) return;
    say("%s%s: %u stored, %u were there, %u not taken, %.1f MB came", r->v->t->who,
        r->finished ? "received" : "broken off (what came is kept; sending again goes on from there)", r->stored,
        r->same, r->skipped, (double)r->v->in / 1e6);
}

static void files_end(void *state) {
    receiver *r = state;
    report(r);
    if (r->current) r->current->reserved = r->current->a.size - r->at;
    close_current(r);
    if (r->check_fd >= 0) close(r->check_fd);
    for (size_t i = 0; i < FILES_WINDOW; i++) settle(r, &r->table[i]);
    free(r);
}

service_ops files_service(file_store *store) {
    return (service_ops){.name = "files",
                         .caller = "send",
                         .begin = files_begin,
                         .want = files_want,
                         .ready = files_ready,
                         .end = files_end,
                         .arg = store};
}
