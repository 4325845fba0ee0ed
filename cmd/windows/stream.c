/* SPDX-License-Identifier: ISC */
/* A thread for each direction carries the bytes between a file, a pipe or a console and a socket. A fault of the file becomes a connection that
 * is reset. */
#include "stream.h"

#include "loopback.h"
#include "svconn_link.h"

#include <errno.h>
#include <stdlib.h>
#include <windows.h>

enum { PIECE = 65536 };

typedef struct {
    HANDLE file;
    int there; /* the thread's socket, which waits */
    int failed;
    char bytes[PIECE];
} stream;

/* There is one standard output. */
static stream *output;
static int output_here = -1;
static HANDLE output_thread;

static void reset(stream *s) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    s->failed = 1;
    (void)setsockopt((SOCKET)s->there, SOL_SOCKET, SO_LINGER, (const char *)&now, sizeof now);
}

static int send_all(stream *s, DWORD len) {
    for (DWORD at = 0; at < len;) {
        ssize_t n = svconn_fd_write(s->there, s->bytes + at, len - at);
        if (n <= 0) return -1;
        at += (DWORD)n;
    }
    return 0;
}

static DWORD WINAPI carry_in(void *arg) {
    stream *s = arg;
    DWORD n;
    for (;;) {
        if (!ReadFile(s->file, s->bytes, PIECE, &n, NULL)) {
            DWORD error = GetLastError();
            if (error != ERROR_BROKEN_PIPE && error != ERROR_HANDLE_EOF) reset(s);
            break;
        }
        if (n == 0 || send_all(s, n) != 0) break;
    }
    svconn_fd_close(s->there);
    free(s);
    return 0;
}

static int write_all(stream *s, DWORD len) {
    for (DWORD at = 0, n; at < len; at += n)
        if (!WriteFile(s->file, s->bytes + at, len - at, &n, NULL) || n == 0) return -1;
    return 0;
}

static DWORD WINAPI carry_out(void *arg) {
    stream *s = arg;
    ssize_t n;
    while ((n = svconn_fd_read(s->there, s->bytes, PIECE)) > 0)
        if (write_all(s, (DWORD)n) != 0) {
            reset(s);
            break;
        }
    if (n < 0) s->failed = 1;
    svconn_fd_close(s->there);
    return 0;
}

/* *here: the program's socket. (The thread may have freed the rest already.) */
static stream *begin(int fd, LPTHREAD_START_ROUTINE carry, int *here, HANDLE *thread) {
    int pair[2];
    u_long off = 0;
    *here = -1;
    stream *s = calloc(1, sizeof *s);
    if (!s || loopback(pair) != 0) {
        free(s);
        return NULL;
    }
    s->file = (HANDLE)_get_osfhandle(fd);
    s->there = pair[1];
    *thread = NULL;
    if (ioctlsocket((SOCKET)pair[1], (long)FIONBIO, &off) == 0) *thread = CreateThread(NULL, 0, carry, s, 0, NULL);
    if (*thread) {
        *here = pair[0];
        return s;
    }
    svconn_fd_close(pair[0]);
    svconn_fd_close(pair[1]);
    free(s);
    errno = ENOMEM;
    return NULL;
}

/* The thread frees what it has; or the end of the program ends it. */
int stream_in(int fd) {
    int here;
    HANDLE thread;
    if (begin(fd, carry_in, &here, &thread)) (void)CloseHandle(thread);
    return here;
}

int stream_out(int fd) {
    output = begin(fd, carry_out, &output_here, &output_thread);
    return output_here;
}

ssize_t stream_read(int fd, void *bytes, size_t len) { return svconn_fd_read(fd, bytes, len); }

ssize_t stream_write(int fd, const void *bytes, size_t len) { return svconn_fd_write(fd, bytes, len); }

int stream_finish(int out) {
    if (!output || output_here != out) return 0;
    svconn_fd_end(out);
    (void)WaitForSingleObject(output_thread, INFINITE);
    return output->failed ? -1 : 0;
}
