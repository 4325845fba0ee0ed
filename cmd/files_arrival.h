/* SPDX-License-Identifier: ISC */
/* One visitor of the service "files", and the entries that are not settled: what becomes of each. */
#ifndef SVCONN_CMD_FILES_ARRIVAL_H
#define SVCONN_CMD_FILES_ARRIVAL_H

#include "crypto.h"
#include "files_store.h"
#include "service.h"

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
    uint8_t type; /* FILES_FILE and so on */
    char *path;
    unsigned number; /* what is compared is "path (number)"; 0: path */
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
    uint32_t files_stored, files_same; /* of these, what people call files */
    uint64_t came;                     /* bytes of files */
    int unsynced;                      /* an error of a directory */
    int busy;                          /* there is more to do than one round allows */
    unsigned lines;                    /* of the log */
} receiver;

/* Begins a reply (about e, if it is not NULL); nothing else is done until it is sent. */
wire_out receiver_reply(receiver *r, uint8_t type, const arrival *e);
void receiver_reply_text(receiver *r, wire_out w, const char *text);
/* The peer breaks the rules: nothing that it says is believed any more. */
void receiver_broken(receiver *r, const char *what);
void receiver_log(receiver *r, const char *path, const char *what);
void receiver_close_current(receiver *r);
/* What came of it is of no use, and counts no more. */
void receiver_drop_current(receiver *r);

/* A file was offered; its path is one that we take. */
void arrival_begin(receiver *r, arrival *e);
/* Its hash is known, ours and theirs. */
void arrival_compare(receiver *r, arrival *e);
/* How it ends. path: the one that it has here. */
void arrival_stored(receiver *r, arrival *e, const char *path);
void arrival_same(receiver *r, arrival *e);
void arrival_skip(receiver *r, arrival *e, uint8_t reason, const char *text);
void arrival_skip_error(receiver *r, arrival *e, int error);
/* Nothing more is owed for it: its place is free. */
void arrival_settle(receiver *r, arrival *e);

/* Reads on for a hash that we owe. Returns the work that was done. */
size_t receiver_check(receiver *r);
/* The sender cannot give its hash: ours is not needed. */
void receiver_check_drop(receiver *r, arrival *e);

#endif
