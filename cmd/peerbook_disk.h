/* SPDX-License-Identifier: ISC */
/* What peerbook_file.c asks of the disk: who may write the file, the lock, the replacement. */
#ifndef SVCONN_CMD_PEERBOOK_DISK_H
#define SVCONN_CMD_PEERBOOK_DISK_H

#include "home.h"

#include <stddef.h>
#include <sys/stat.h>

/* Which file it was, and how it was, when it was opened. */
typedef struct {
    struct stat st;
} book_disk;

/* The file behind symbolic links. 1: its directory is there, and ours alone; 0: it is not there; -1 after it said why.
 */
int book_disk_find(char path[HOME_PATH + 16], const char *file);

/* Waits for the others, 10 seconds. -1 after it said why. */
int book_disk_lock(const char *file);
void book_disk_unlock(int lock);

#define BOOK_NOT_THERE (-2)
/* To read, if nobody but us (or the system) can write it. A descriptor, BOOK_NOT_THERE, or -1 after it said why. */
int book_disk_open(const char *path, book_disk *d);

/* A new file, on the disk, with the rights of *was; NULL: for us alone. 0, or -1 and errno. */
int book_disk_write(const char *path, const char *text, size_t len, const book_disk *was);
int book_disk_replace(const char *from, const char *path);
void book_disk_remove(const char *path);

/* "cannot WHAT PATH: ..." by errno; -1. */
int book_cannot(const char *what, const char *path);

#endif
