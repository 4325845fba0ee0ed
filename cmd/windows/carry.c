/* SPDX-License-Identifier: ISC */
#include "carry.h"

#include "loopback.h"
#include "stream.h"
#include "svconn_link.h"
#include "wide.h"

#include <errno.h>
#include <stdlib.h>

enum { PIECE = 65536 };

struct carry {
    HANDLE file, thread;
    int is_in;
    int there; /* the thread's socket, which waits */
    int error;
    LONG *halves; /* how many threads still have the socket; NULL: this one alone */
    volatile LONG holders; /* the thread, and who started it */
    char bytes[PIECE];
};

static void leave(carry *c) {
    if (InterlockedDecrement(&c->holders) > 0) return;
    if (c->thread) (void)CloseHandle(c->thread);
    free(c);
}

static int send_all(carry *c, DWORD len) {
    for (DWORD at = 0; at < len;) {
        ssize_t n = svconn_fd_write(c->there, c->bytes + at, len - at);
        if (n <= 0) return -1;
        at += (DWORD)n;
    }
    return 0;
}

/* What was carried ends; the socket stays for the other direction, if that has not ended. */
static void close_there(carry *c) {
    if (!c->halves) {
        if (c->error) stream_reset(c->there);
        svconn_fd_close(c->there);
    } else if (InterlockedDecrement(c->halves) == 0) {
        svconn_fd_close(c->there);
        free(c->halves);
    } else if (c->is_in) {
        svconn_fd_end(c->there);
    }
}

/* A pipe tells of who wrote nothing into it by a read of no bytes, and of its end by an error ("ReadFile function",
 * Microsoft Learn). Of a file, a console or a socket such a read is the end. */
static DWORD WINAPI carry_in(void *arg) {
    carry *c = arg;
    DWORD n;
    BOOL is_pipe = GetNamedPipeInfo(c->file, NULL, NULL, NULL, NULL);
    for (;;) {
        if (!ReadFile(c->file, c->bytes, PIECE, &n, NULL)) {
            DWORD error = GetLastError();
            if (error != ERROR_BROKEN_PIPE && error != ERROR_HANDLE_EOF) (void)wide_failed(), c->error = errno;
            break;
        }
        if ((n == 0 && !is_pipe) || send_all(c, n) != 0) break;
    }
    if (c->halves) (void)CloseHandle(c->file);
    close_there(c);
    leave(c);
    return 0;
}

static int write_all(carry *c, DWORD len) {
    for (DWORD at = 0, n; at < len; at += n) {
        if (WriteFile(c->file, c->bytes + at, len - at, &n, NULL) && n) continue;
        (void)wide_failed();
        return -1;
    }
    return 0;
}

/* Whoever reads sees the end when the last byte was there. The error is known before the socket tells. */
static DWORD WINAPI carry_out(void *arg) {
    carry *c = arg;
    ssize_t n;
    while ((n = svconn_fd_read(c->there, c->bytes, PIECE)) > 0)
        if (write_all(c, (DWORD)n) != 0) {
            c->error = errno;
            break;
        }
    while (c->halves && n > 0) n = svconn_fd_read(c->there, c->bytes, PIECE); /* a program need not read all */
    if (n < 0) c->error = EIO;
    if (c->file != GetStdHandle(STD_ERROR_HANDLE)) (void)CloseHandle(c->file); /* it may be both */
    close_there(c);
    leave(c);
    return 0;
}

/* It waits for begin. */
static carry *make(HANDLE file, carry_way way, int there, LONG *halves) {
    u_long off = 0;
    carry *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->file = file;
    c->there = there;
    c->is_in = way == CARRY_IN;
    c->halves = halves;
    c->holders = 2;
    if (ioctlsocket((SOCKET)there, (long)FIONBIO, &off) == 0)
        c->thread = CreateThread(NULL, 0, way == CARRY_IN ? carry_in : carry_out, c, CREATE_SUSPENDED, NULL);
    if (c->thread) return c;
    free(c);
    errno = ENOMEM;
    return NULL;
}

static void begin(carry *c) { (void)ResumeThread(c->thread); }

/* Of one that did not begin */
static void unmake(carry *c) {
    if (!c) return;
    (void)TerminateThread(c->thread, 0);
    (void)CloseHandle(c->thread);
    free(c);
}

carry *carry_start(HANDLE file, carry_way way, int *here) {
    int pair[2];
    *here = -1;
    if (loopback(pair) != 0) return NULL;
    carry *c = make(file, way, pair[1], NULL);
    if (c) {
        *here = pair[0];
        begin(c);
        return c;
    }
    svconn_fd_close(pair[0]);
    svconn_fd_close(pair[1]);
    errno = ENOMEM;
    return NULL;
}

int carry_both(HANDLE in, HANDLE out, int there) {
    LONG *halves = malloc(sizeof *halves);
    carry *one = halves ? make(in, CARRY_IN, there, halves) : NULL, *other = one ? make(out, CARRY_OUT, there, halves) : NULL;
    if (!other) {
        unmake(one);
        free(halves);
        errno = ENOMEM;
        return -1;
    }
    *halves = 2;
    begin(one);
    begin(other);
    carry_forget(one);
    carry_forget(other);
    return 0;
}

int carry_wait(carry *c, DWORD ms) { return WaitForSingleObject(c->thread, ms) == WAIT_OBJECT_0; }

int carry_error(const carry *c) { return c->error; }

void carry_forget(carry *c) { leave(c); }
