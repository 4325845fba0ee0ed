/* SPDX-License-Identifier: ISC */
#include "files_receive.h"

#include "cmd.h"
#include "files_arrival.h"
#include "progress.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUND = 1 << 20 }; /* bytes of work between two looks at the link */

/* ---- messages ---- */
static arrival *known(receiver *r, wire_in *w) {
    uint32_t id = (uint32_t)get_number(w, 4);
    arrival *e = &r->table[id % FILES_WINDOW];
    int is = !w->bad && r->next - id - 1 < FILES_WINDOW && id < r->next && e->stage != STAGE_FREE;
    if (is) return e;
    receiver_broken(r, "an entry that does not exist");
    return NULL;
}

static void take_offer(receiver *r, wire_in *w) {
    char text[4 * FILES_TEXT_MAX], amount[AMOUNT_TEXT];
    uint64_t top = get_number(w, 4), files = get_number(w, 8), bytes = get_number(w, 8);
    if (w->bad || r->offered || w->left > FILES_TEXT_MAX) {
        receiver_broken(r, "a wrong offer");
        return;
    }
    text_escape(text, sizeof text, w->at, w->left);
    r->offered = 1;
    (void)top;
    if (r->store->quiet) return;
    say("%s%s%soffers %s: %llu %s, %s", r->v->t->who, r->v->name, *r->v->name ? " " : "", text,
        (unsigned long long)files, files == 1 ? "file" : "files", amount_bytes(amount, (double)bytes));
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
        receiver_log(r, path, "the name began with a dot, which hides it; --keep-dots keeps such names");
    return n > 0;
}

static void arrive_other(receiver *r, arrival *e, uint64_t type, const wire_in *rest) {
    int result = type == FILES_DIRECTORY ? store_directory(r->store, e->path, e->a.mode)
                                         : store_symlink(r->store, e->path, rest->at, rest->left);
    if (result > 0) arrival_same(r, e);
    else if (result == 0) arrival_stored(r, e, e->path);
    else if (type == FILES_SYMLINK && errno == EPERM)
        arrival_skip(r, e, SKIP_NAME, "a symbolic link that leads out of what is received");
    else arrival_skip_error(r, e, errno);
}

static void arrive(receiver *r, arrival *e, uint64_t type, int taken, const wire_in *rest) {
    file_store *s = r->store;
    e->stage = STAGE_COMPARE; /* no more than: in use */
    e->ours = 1;
    if (!taken)
        arrival_skip(r, e, SKIP_NAME, "a name that is not taken here: too long, too deep, or one of unfinished files");
    else if (s->max_files && s->files >= s->max_files)
        arrival_skip(r, e, SKIP_LIMIT, "it is more than is taken here in all");
    else if (type != FILES_FILE) arrive_other(r, e, type, rest);
    else arrival_begin(r, e);
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
        receiver_broken(r, "a wrong entry");
        return;
    }
    if (!r->offered || r->done || id != r->next || id == UINT32_MAX || e->stage != STAGE_FREE) {
        receiver_broken(r, "an entry out of turn");
        return;
    }
    r->next++;
    e->type = (uint8_t)type;
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
        receiver_broken(r, "two files at a time");
        return 0;
    }
    int fd = store_write_part(r->store, e->path, e->offset, &e->part);
    if (fd < 0) {
        arrival_skip_error(r, e, errno);
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
        receiver_broken(r, "bytes that nobody wanted");
        return;
    }
    if (!begin_file(r, e)) return;
    if (w->left > e->a.size - r->at) {
        receiver_broken(r, "more bytes than announced");
        return;
    }
    svconn_sha256_update(&e->sha, w->at, w->left);
    r->came += w->left;
    if (store_write(r->fd, w->at, w->left, r->at) != 0) arrival_skip_error(r, e, errno);
    else r->at += w->left;
}

static void finish_file(receiver *r, arrival *e) {
    char got[FILES_PATH_MAX + 1];
    int result = store_finish(r->store, e->path, r->fd, &e->a, got), why = errno;
    if (result != 0 && why == EEXIST) receiver_drop_current(r);
    if (result != 0) {
        e->stage = STAGE_COMPARE; /* nothing more is to come for it */
        arrival_skip_error(r, e, why);
    } else {
        receiver_close_current(r);
        arrival_stored(r, e, got);
    }
}

static void take_end(receiver *r, wire_in *w) {
    uint8_t hash[32];
    arrival *e = known(r, w);
    if (!e) return;
    const uint8_t *theirs = get_bytes(w, 32);
    int over = e->stage == STAGE_OVER;
    if (w->bad || w->left || (!over && e->stage != STAGE_WANTED)) {
        receiver_broken(r, "a wrong end");
        return;
    }
    if (over) {
        arrival_settle(r, e);
        return;
    }
    if (!begin_file(r, e)) {
        if (r->reply_len) arrival_settle(r, e); /* it was skipped, and this was the answer */
        return;
    }
    if (r->at != e->a.size) {
        receiver_broken(r, "fewer bytes than announced");
        return;
    }
    svconn_sha256_final(&e->sha, hash);
    if (memcmp(hash, theirs, 32) == 0) {
        finish_file(r, e);
        return;
    }
    receiver_drop_current(r);
    e->stage = STAGE_COMPARE;
    arrival_skip(r, e, SKIP_DAMAGED, "it did not come as it was sent");
}

static void take_hash(receiver *r, wire_in *w) {
    arrival *e = known(r, w);
    if (!e) return;
    memcpy(e->their_hash, get_bytes(w, 32), 32);
    if (w->bad || w->left || (e->stage != STAGE_COMPARE && e->stage != STAGE_RESUME) || e->theirs) {
        receiver_broken(r, "a hash that nobody asked for");
        return;
    }
    e->theirs = 1;
    if (e->ours) arrival_compare(r, e);
}

static void take_cancel(receiver *r, wire_in *w) {
    arrival *e = known(r, w);
    uint64_t reason = get_number(w, 1);
    if (!e) return;
    if (w->bad || w->left || reason < CANCEL_CHANGED || reason > CANCEL_UNWANTED || e->theirs) {
        receiver_broken(r, "a wrong message that it cannot send a file");
        return;
    }
    if (e->stage == STAGE_OVER) {
        arrival_settle(r, e);
        return;
    }
    if (r->current == e) receiver_drop_current(r);
    if (e->stage != STAGE_WANTED) receiver_check_drop(r, e);
    e->stage = STAGE_COMPARE;
    arrival_skip(r, e, SKIP_CANCELLED, "");
}

static int is_settled(const receiver *r) {
    for (size_t i = 0; i < FILES_WINDOW; i++)
        if (r->table[i].stage != STAGE_FREE) return 0;
    return 1;
}

static void take_done(receiver *r, wire_in *w) {
    uint64_t entries = get_number(w, 4);
    if (w->bad || w->left || r->done || !r->offered || entries != r->next || !is_settled(r)) {
        receiver_broken(r, "an end before the end");
        return;
    }
    r->done = 1;
    if (r->skipped) r->v->code = EXIT_PART;
    if (store_sync(r->store) != 0) {
        r->unsynced = errno;
        r->v->code = EXIT_LOCAL;
    }
    wire_out out = receiver_reply(r, FILES_RESULT, NULL);
    put_number(&out, r->unsynced != 0, 1);
    put_number(&out, r->stored, 4);
    put_number(&out, r->same, 4);
    put_number(&out, r->skipped, 4);
    receiver_reply_text(r, out, r->unsynced ? store_why(r->unsynced) : "");
}

static void take(receiver *r, const uint8_t *msg, size_t len) {
    wire_in w = {msg, len, 0};
    if (r->done) {
        receiver_broken(r, "a message behind the end");
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
    default: receiver_broken(r, "a message that does not exist"); break;
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
        size_t done = receiver_check(r);
        if (r->reply_len == 0) done += take_next(r);
        if (done == 0) return;
        work += done;
    }
    r->busy = flush_reply(r);
}

/* Files alone, as the sender counts them; of what is not taken all kinds: each has a line. */
static void report(const receiver *r) {
    char there[40] = "", not_taken[40] = "", came[AMOUNT_TEXT];
    int complete = r->finished && r->skipped == 0 && !r->unsynced;
    if (r->store->quiet && complete) return;
    if (r->files_same)
        snprintf(there, sizeof there, ", %u %s there", r->files_same, r->files_same == 1 ? "was" : "were");
    if (r->skipped) snprintf(not_taken, sizeof not_taken, ", %u not taken", r->skipped);
    say("%s%s: %u %s stored%s%s, %s came", r->v->t->who,
        r->finished ? "received" : "broken off (what came is kept; sending again goes on from there)", r->files_stored,
        r->files_stored == 1 ? "file" : "files", there, not_taken, amount_bytes(came, (double)r->came));
}

static void files_end(void *state) {
    receiver *r = state;
    report(r);
    if (!r->finished && r->v->code == EXIT_DONE) r->v->code = EXIT_LINK; /* also if it was closed in order */
    if (r->current) r->current->reserved = r->current->a.size - r->at;
    receiver_close_current(r);
    if (r->check_fd >= 0) close(r->check_fd);
    for (size_t i = 0; i < FILES_WINDOW; i++) arrival_settle(r, &r->table[i]);
    free(r);
}

service_ops files_service(file_store *store) {
    return (service_ops){.name = "files",
                         .caller = "send",
                         .operands = " FILE",
                         .begin = files_begin,
                         .want = files_want,
                         .ready = files_ready,
                         .end = files_end,
                         .arg = store};
}
