/* SPDX-License-Identifier: ISC */
/*
 * The sending side of the service "files", over a session: spec/tool.md, section "Files".
 *
 *      files_sender_open(&f, sources, n, follow);  files_sender_count(&f);
 *      files_sender_connect(&f, &session);                      for every session: it goes on where the last one ended
 *      loop: files_sender_take for messages; files_sender_step; bytes; no waiting if files_sender_can_go_on
 *      until f.finished, or the session is over
 */
#ifndef SVCONN_CMD_FILES_SEND_H
#define SVCONN_CMD_FILES_SEND_H

#include "crypto.h"
#include "files_walk.h"
#include "svconn.h"

typedef enum {
    SENT_STORED,
    SENT_SAME,   /* it was there */
    SENT_NOT,    /* the receiver does not take it; the text is its own */
    SENT_FAILED, /* trouble on this side; for text too */
    SENT_NOTE    /* nothing that can be sent, such as a socket */
} sent_result;

typedef struct departure departure;
typedef struct again again;

typedef struct {
    const source *sources;
    walk walk;
    walk_item item;
    int follow;
    void (*told)(void *arg, const char *path, sent_result result, uint64_t size, const char *text);
    void *told_arg;

    svconn *s;
    departure *table; /* FILES_WINDOW */
    uint32_t next;    /* id */
    int offered, walked, done_sent, finished, broken, busy;
    int full;                                        /* the disk is full there: nothing more is offered */
    uint32_t queue[FILES_WINDOW], queue_at, queue_n; /* requests to be answered, in order */

    departure *current; /* whose request is being answered */
    int fd;
    uint64_t at;
    way way; /* to files that are read */
    size_t way_source;
    again *agains;
    uint64_t *seen; /* what was settled, by a hash of its path; in a table with free places */
    size_t seen_n, seen_size;

    /* for progress and the end */
    uint64_t files, bytes; /* in all, as counted; no directories and links, as in the next ones */
    uint64_t done_bytes;   /* of what was settled */
    uint64_t carried;      /* bytes of files that were sent */
    uint64_t stored, same;
    uint64_t not_taken, failed; /* of all kinds */
    uint8_t told_type;          /* of what is being told; 0: nothing that could be sent */
    char label[FILES_TEXT_MAX + 1];
    char shown[FILES_PATH_MAX + 1]; /* the path of the file last begun, also to be compared */

    uint8_t msg[SVCONN_MESSAGE_MAX];
    size_t msg_len; /* to be sent */
} files_sender;

/* 0, or -1 without memory. sources stay. */
int files_sender_open(files_sender *f, const source *sources, size_t n, int follow);
void files_sender_close(files_sender *f);

/* Looks at everything, for files and bytes. */
void files_sender_count(files_sender *f);

void files_sender_connect(files_sender *f, svconn *s);
/* A message of the receiver. Aborts the session, and sets broken, if it breaks the rules. */
void files_sender_take(files_sender *f, const uint8_t *msg, size_t len);
/* Does what can be done now: as far as the session takes messages. */
void files_sender_step(files_sender *f);
/* 1 if there is something to do without anything happening: work for another step, or a message for which there is room
 * now that bytes went out. */
int files_sender_can_go_on(const files_sender *f);

/* Bytes that are there, and those that went. */
uint64_t files_sender_progress(const files_sender *f);
/* 1 while nothing is sent because hashes are made, here or there. */
int files_sender_compares(const files_sender *f);
/* 1 if all that was named is stored and checked. */
int files_sender_is_complete(const files_sender *f);

#endif
