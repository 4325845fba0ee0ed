/* SPDX-License-Identifier: ISC */
/*
 * A text file that people and several programs change: read as a whole, changed in memory, replaced as a whole. It is
 * believed only if it and its directory belong to us (or root) and nobody else can write them. Whoever reads needs no
 * lock, since the file is complete at any time; whoever changes it holds one on FILE.lock, which stays there (a lock
 * file that is removed can be locked by two). Behind a symbolic link it is the file that is replaced, not the link.
 */
#ifndef SVCONN_CMD_PEERBOOK_FILE_H
#define SVCONN_CMD_PEERBOOK_FILE_H

#include "home.h"
#include "peerbook_disk.h"

#include <stddef.h>

typedef struct {
    char path[HOME_PATH + 16]; /* behind symbolic links; "": there is no place, and no file */
    char *text;
    size_t len;
    book_disk disk; /* the file that was read */
    int there;      /* it was there */
    int lock;       /* -1: none */
} book_file;

/* file NULL: the file of this name in the usual place. change: under the lock, and directories are made. No file: an
 * empty text. 0, or -1 after it said why; book_file_close in any case. */
int book_file_open(book_file *b, const char *file, const char *usual, int change);
void book_file_close(book_file *b);

/* Puts a line (without its end; NULL: none) in the place of the bytes from start to end. 0, or -1 after it said why. */
int book_file_splice(book_file *b, size_t start, size_t end, const char *line);

/* Replaces the file by the text. 0, or -1 after it said why; then the old file is as it was. */
int book_file_write(book_file *b);

#endif
