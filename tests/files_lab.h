/* SPDX-License-Identifier: ISC */
/* A sender and a receiving service, their sessions joined by memory, over two directories made for the test. */
#ifndef SVCONN_FILES_LAB_H
#define SVCONN_FILES_LAB_H

#include "files_receive.h"
#include "files_send.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    svconn_identity me;
    svconn_config config;
    uint8_t rx[SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)], tx[SVCONN_BUFFER_SIZE(SVCONN_MESSAGE_MAX)];
} lab_end;

static lab_end lab_caller, lab_called;
static svconn lab_s;  /* the sender's session */
static talk lab_talk; /* the receiver's */
static visitor lab_visitor = {.t = &lab_talk, .name = "alice"};
static service_ops lab_service;
static void *lab_state;
static file_store lab_store;
static files_sender lab_sender;
static source lab_source[4];
static size_t lab_sources;
static char lab_dir[64], lab_in[80], lab_out[80];
static uint64_t lab_moved;     /* bytes from the sender to the receiver */
static uint64_t lab_cut_after; /* the link ends after so many; 0: never */
static char lab_told[20][80];  /* what the sender told, as "path result" */
static size_t lab_told_n;

/* ---- faults: these stand in front of those of the system ---- */
static long lab_writes, lab_fail_write; /* the n-th one fails, with */
static int lab_fail_error;

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
    if (++lab_writes == lab_fail_write) {
        errno = lab_fail_error;
        return -1;
    }
    return lseek(fd, at, SEEK_SET) < 0 ? -1 : write(fd, bytes, len);
}

int fsync(int fd) { return fd < 0 ? -1 : 0; }

/* ---- directories ---- */
static inline const char *lab_path(const char *dir, const char *name) {
    static char text[4][5000];
    static unsigned n;
    char *out = text[n++ % 4];
    snprintf(out, 5000, "%s/%s", dir, name);
    return out;
}

static inline void lab_clean(void) {
    char command[200];
    if (!lab_dir[0]) return;
    snprintf(command, sizeof command, "chmod -R u+rwx '%s' 2>/dev/null; rm -rf '%s'", lab_dir, lab_dir);
    CHECK(system(command) == 0);
}

static inline void lab_begin(void) {
    const char *tmp = getenv("TMPDIR");
    lab_clean();
    snprintf(lab_dir, sizeof lab_dir, "%.40s/files.XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(lab_dir) != NULL);
    snprintf(lab_in, sizeof lab_in, "%s/in", lab_dir);
    snprintf(lab_out, sizeof lab_out, "%s/out", lab_dir);
    CHECK(mkdir(lab_in, 0700) == 0 && mkdir(lab_out, 0700) == 0);
    lab_store = (file_store){.quiet = 1};
    lab_sources = 0;
    lab_told_n = 0;
    lab_cut_after = 0;
    lab_writes = lab_fail_write = 0;
}

static inline void lab_file(const char *dir, const char *name, size_t size, unsigned number) {
    int fd = open(lab_path(dir, name), O_WRONLY | O_CREAT | O_TRUNC, 0640);
    uint32_t x = number * UINT32_C(2654435761) + 1;
    uint8_t b[4096];
    CHECK(fd >= 0);
    for (size_t done = 0; done < size && fd >= 0;) {
        size_t n = size - done < sizeof b ? size - done : sizeof b;
        for (size_t i = 0; i < n; i++) b[i] = (uint8_t)((x = x * UINT32_C(1664525) + UINT32_C(1013904223)) >> 24);
        CHECK(write(fd, b, n) == (ssize_t)n);
        done += n;
    }
    close(fd);
}

static inline int lab_same(const char *a, const char *b) {
    char command[12000];
    snprintf(command, sizeof command,
             "diff -r --no-dereference '%s' '%s' >'%s/diff' 2>&1 || { head -n 5 '%s/diff'; exit 1; }", a, b, lab_dir,
             lab_dir);
    return system(command) == 0;
}

/* Removes what was received. */
static inline void lab_clear(void) {
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir -m 700 '%s'", lab_out, lab_out);
    CHECK(system(command) == 0);
}

/* 1 if there are unfinished files, at any depth. */
static inline int lab_parts(void) {
    char command[300];
    snprintf(command, sizeof command, "test -z \"$(find '%s' -name '*.svconn-part')\"", lab_out);
    return system(command) != 0;
}

static inline int lab_exists(const char *name) {
    struct stat st;
    return lstat(lab_path(lab_out, name), &st) == 0;
}

static inline uint64_t lab_size(const char *name) {
    struct stat st;
    return lstat(lab_path(lab_out, name), &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}

/* ---- sessions ---- */
static inline void lab_session(svconn *s, lab_end *e, svconn_role role) {
    static const uint8_t psk[32] = {1, 2, 3};
    uint8_t seed[32];
    CHECK(svconn_identity_psk(&e->me, psk, (const uint8_t *)(role == SVCONN_CLIENT ? "client" : "server"), 6) ==
          SVCONN_OK);
    e->config = (svconn_config){.role = role, .identity = &e->me};
    CHECK(svconn_random(seed, 32) == 0);
    CHECK(svconn_init(s, &e->config, seed, e->rx, sizeof e->rx, e->tx, sizeof e->tx) == SVCONN_OK);
}

/* Carries what can be carried one way; returns how many bytes. */
static inline size_t lab_carry(svconn *from, svconn *to, int counts) {
    size_t n, used = 0;
    const uint8_t *b = svconn_wire_out(from, &n);
    if (counts && lab_cut_after && lab_moved + n > lab_cut_after) n = (size_t)(lab_cut_after - lab_moved);
    if (n == 0) return 0;
    svconn_state state = svconn_status(to);
    if (state == SVCONN_FAILED || state == SVCONN_CLOSED) used = n;
    else (void)!svconn_wire_in(to, b, n, &used, svconn_now());
    CHECK(svconn_wire_sent(from, used) == SVCONN_OK);
    if (svconn_status(to) == SVCONN_NEEDS_VERDICT) CHECK(svconn_accept(to) == SVCONN_OK);
    if (counts) lab_moved += used;
    return used;
}

static size_t lab_both_ways(void) { return lab_carry(&lab_s, &lab_talk.s, 1) + lab_carry(&lab_talk.s, &lab_s, 0); }

/* Two connected sessions, and a receiver. */
static inline void lab_connect(void) {
    char sorry[SERVICE_TEXT_MAX + 1];
    uint64_t cut = lab_cut_after;
    lab_cut_after = 0;
    lab_session(&lab_s, &lab_caller, SVCONN_CLIENT);
    lab_session(&lab_talk.s, &lab_called, SVCONN_SERVER);
    while (lab_both_ways()) {
    }
    CHECK(svconn_status(&lab_s) == SVCONN_CONNECTED && svconn_status(&lab_talk.s) == SVCONN_CONNECTED);
    if (lab_store.at.base <= 0) CHECK(store_open(&lab_store, lab_out) == 0);
    lab_service = files_service(&lab_store);
    lab_state = lab_service.begin(lab_service.arg, &lab_visitor, sorry);
    CHECK(lab_state != NULL);
    lab_moved = 0;
    lab_cut_after = cut;
}

static inline void lab_end_session(void) {
    fdset none = {.timeout_ms = -1};
    lab_service.want(lab_state, &none);
    lab_service.end(lab_state);
    svconn_wipe(&lab_s);
    svconn_wipe(&lab_talk.s);
}

static inline int lab_waits(const svconn *s) {
    size_t n;
    (void)svconn_wire_out(s, &n);
    return n > 0;
}

static int lab_sender_wakes, lab_receiver_wakes; /* bytes came or went since its last turn */

/* One turn of both ends, each only if poll would have woken it; returns 0 if nothing moved. */
static inline size_t lab_turn(int sends) {
    const uint8_t *msg;
    size_t len;
    fdset none = {.timeout_ms = -1};
    int sender_wakes = sends && (lab_sender_wakes || files_sender_can_go_on(&lab_sender));
    if (sender_wakes && svconn_status(&lab_s) == SVCONN_CONNECTED) files_sender_step(&lab_sender);
    size_t moved = lab_carry(&lab_s, &lab_talk.s, 1);
    lab_service.want(lab_state, &none);
    int busy = none.timeout_ms == 0;
    if (busy || moved || lab_receiver_wakes) lab_service.ready(lab_state, &none);
    size_t back = lab_carry(&lab_talk.s, &lab_s, 0);
    /* What went out at once is no reason to wake up; what waits for the link is. */
    lab_sender_wakes = back > 0 || lab_waits(&lab_s);
    lab_receiver_wakes = lab_waits(&lab_talk.s);
    moved += back;
    while (sends && svconn_recv(&lab_s, &msg, &len) == SVCONN_OK) {
        files_sender_take(&lab_sender, msg, len);
        if (svconn_status(&lab_s) != SVCONN_CONNECTED || svconn_recv_done(&lab_s) != SVCONN_OK) break;
    }
    return moved + (size_t)busy + (size_t)(sends && files_sender_can_go_on(&lab_sender));
}

static inline void lab_note_result(void *arg, const char *path, sent_result result, uint64_t size, const char *text) {
    static const char *const names[] = {"stored", "same", "not", "failed", "note"};
    (void)arg;
    (void)size;
    (void)text;
    if (lab_told_n < 20) snprintf(lab_told[lab_told_n++], 80, "%.60s %s", path, names[result]);
}

static inline int lab_was_told(const char *line) {
    for (size_t i = 0; i < lab_told_n; i++)
        if (strcmp(lab_told[i], line) == 0) return 1;
    return 0;
}

static void lab_add(const char *name) { CHECK(source_open(&lab_source[lab_sources++], lab_path(lab_in, name)) == 0); }

/* A sender of what was added. */
static inline void lab_prepare(int follow) {
    CHECK(files_sender_open(&lab_sender, lab_source, lab_sources, follow) == 0);
    lab_sender.told = lab_note_result;
    snprintf(lab_sender.label, sizeof lab_sender.label, "a test");
    files_sender_count(&lab_sender);
}

/* One session. 1: everything is there. */
static inline int lab_run(void) {
    lab_connect();
    files_sender_connect(&lab_sender, &lab_s);
    while (!lab_sender.finished && lab_turn(1)) {
    }
    int complete = files_sender_is_complete(&lab_sender);
    lab_end_session();
    return complete;
}

static inline void lab_finish(void) {
    files_sender_close(&lab_sender);
    for (size_t i = 0; i < lab_sources; i++) source_close(&lab_source[i]);
    store_close(&lab_store);
    lab_store.at.base = 0;
}

/* All of that, for one name. */
static inline int lab_send(const char *name) {
    lab_sources = 0;
    lab_told_n = 0;
    lab_add(name);
    lab_prepare(0);
    int complete = lab_run();
    lab_finish();
    return complete;
}

#endif
