/* SPDX-License-Identifier: ISC */
/*
 * Windows 7 has no UNIX sockets, and named pipes cannot be polled with sockets. So the path names a file for the user
 * alone, with a port of 127.0.0.1 and a nonce, as libassuan makes them. Who connects says the nonce before anything
 * is read that he asks; who only says nothing waits in a small room, which the next stranger pushes him out of.
 *
 * The process holds the file open for writing, and the system removes it when it is closed, also by the process's end.
 * A file that nobody so holds is what a failure of the machine left behind. The process listens before it makes the
 * file, on a port that it shares with nobody, and until the file has gone: if the file is held after a caller has
 * connected, he is connected to its maker, so nobody else hears the nonce, or is believed. (Each has a nonce of its own,
 * so one that leaked would serve for nothing later.)
 */
#include "control_socket.h"

#include "acl.h"
#include "codec.h"
#include "control.h"
#include "ct.h"
#include "svconn_link.h"
#include "wide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "svconn-control %u "
#define NONCE 32
#define DIGITS ((size_t)2 * NONCE)
#define SHARED_BY_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

enum { TEXT = 120, ROOM = 8, AT_ONCE = 16 };

typedef struct {
    unsigned port;
    char nonce[DIGITS + 1];
} contents;

typedef struct {
    int fd;    /* -1: free */
    int known; /* he said the nonce */
    uint64_t until;
    char said[DIGITS];
    size_t got;
} caller;

struct control_socket {
    HANDLE file;
    int fd;
    size_t place;
    char nonce[DIGITS + 1];
    caller room[ROOM];
};

const char *control_socket_error(int error) {
    switch (error) {
    case EADDRINUSE: return "a process that runs has it";
    case ECONNREFUSED: return "the process that made it has ended, or has only begun";
    case EEXIST: return "there is something else of this name";
    case EPERM: return "others can read or change it, so it is not believed";
    case EBADF: return "it is no control socket";
    case ETIMEDOUT: return "nobody answers";
    default: return strerror(error);
    }
}

static int fail(int error) {
    errno = error;
    return -1;
}

/* ---- the file ----------------------------------------------------------------------------------- */

static HANDLE open_file(const char *path, DWORD access, DWORD share) {
    return wide_open(path, access | GENERIC_READ | READ_CONTROL, share, FILE_ATTRIBUTE_NORMAL);
}

/* EPERM: it is not ours alone; EBADF: it is another file; ECONNREFUSED: nothing is in it yet. */
static int read_file(HANDLE h, contents *c) {
    char text[TEXT];
    DWORD n;
    int end = 0;
    if (GetFileType(h) != FILE_TYPE_DISK) return fail(EBADF);
    if (acl_look(h, ACL_READ | ACL_CHANGE) != ACL_OURS) return fail(EPERM);
    if (!ReadFile(h, text, sizeof text - 1, &n, NULL)) return wide_failed();
    text[n] = 0;
    if (n == 0) return fail(ECONNREFUSED);
    if (sscanf(text, FORMAT "%n", &c->port, &end) != 1 || end == 0) return fail(EBADF);
    size_t digits = strspn(text + end, "0123456789abcdef");
    if (digits != DIGITS || strcmp(text + end + digits, "\n") != 0 || c->port == 0 || c->port > 65535) return fail(EBADF);
    memcpy(c->nonce, text + end, DIGITS);
    c->nonce[DIGITS] = 0;
    return 0;
}

/* Does its maker run? He writes to it, which we would not share. */
static int is_held(HANDLE h) {
    HANDLE again = ReOpenFile(h, GENERIC_READ, FILE_SHARE_READ, 0);
    if (again == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_SHARING_VIOLATION;
    (void)CloseHandle(again);
    return 0;
}

static int remove_opened(HANDLE h) {
    contents c;
    FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};
    if (read_file(h, &c) != 0) return fail(errno == EPERM ? EPERM : EEXIST);
    return SetFileInformationByHandle(h, FileDispositionInfo, &gone, sizeof gone) ? 0 : wide_failed();
}

/* Another file than one of ours stays (EEXIST), as does one that is held (EADDRINUSE). */
static int remove_stale(const char *path) {
    HANDLE h = open_file(path, DELETE, FILE_SHARE_READ);
    if (h == INVALID_HANDLE_VALUE) return fail(errno == EBUSY ? EADDRINUSE : errno);
    int bad = remove_opened(h);
    (void)CloseHandle(h);
    return bad;
}

void control_socket_remove_dead(const char *path) { (void)remove_stale(path); }

/* Flushed, so that what a failure of the machine leaves is known as ours. */
static int write_file(HANDLE h, const contents *c) {
    char text[TEXT];
    DWORD n, len = (DWORD)snprintf(text, sizeof text, FORMAT "%s\n", c->port, c->nonce);
    if (acl_look(h, ACL_READ | ACL_CHANGE) != ACL_OURS) return fail(EPERM); /* a disk that keeps no lists */
    return WriteFile(h, text, len, &n, NULL) && n == len && FlushFileBuffers(h) ? 0 : wide_failed();
}

static HANDLE create_file(const char *path) {
    return acl_create(path, GENERIC_WRITE | READ_CONTROL | DELETE, FILE_SHARE_READ, CREATE_NEW,
                      FILE_ATTRIBUTE_NORMAL | FILE_FLAG_DELETE_ON_CLOSE);
}

static HANDLE make_file(const char *path, const contents *c) {
    HANDLE h = create_file(path);
    if (h == INVALID_HANDLE_VALUE && errno == EEXIST && remove_stale(path) == 0) h = create_file(path);
    if (h == INVALID_HANDLE_VALUE || write_file(h, c) == 0) return h;
    int because = errno;
    (void)CloseHandle(h);
    errno = because;
    return INVALID_HANDLE_VALUE;
}

/* ---- who listens -------------------------------------------------------------------------------- */

static struct sockaddr_in address_of(unsigned port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

/* The descriptor, or -1 and errno. */
static int listen_anywhere(unsigned *port) {
    struct sockaddr_storage here;
    socklen_t len;
    struct sockaddr_in at = address_of(0);
    int fd = svconn_socket_listen((const struct sockaddr *)&at, sizeof at);
    if (fd < 0) return -1;
    if (svconn_socket_here(fd, &here, &len) != 0) return svconn_socket_close_failed(fd);
    memcpy(&at, &here, sizeof at);
    *port = ntohs(at.sin_port);
    return fd;
}

static int open_at(control_socket *s, const char *path) {
    contents c;
    uint8_t nonce[NONCE];
    if (svconn_random(nonce, NONCE) != 0) return fail(EIO);
    hex_encode(c.nonce, nonce, NONCE);
    memcpy(s->nonce, c.nonce, sizeof s->nonce);
    s->fd = listen_anywhere(&c.port);
    if (s->fd < 0) return -1;
    s->file = make_file(path, &c);
    return s->file == INVALID_HANDLE_VALUE ? svconn_socket_close_failed(s->fd) : 0;
}

control_socket *control_socket_open(const char *path) {
    control_socket *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    for (size_t i = 0; i < ROOM; i++) s->room[i].fd = -1;
    if (open_at(s, path) == 0) return s;
    int because = errno;
    free(s);
    errno = because;
    return NULL;
}

static void leave(caller *k) {
    if (k->fd >= 0) svconn_fd_close(k->fd);
    *k = (caller){.fd = -1};
}

/* A wrong one is told nothing, and not before its last digit. */
static void hear(control_socket *s, caller *k) {
    if (k->fd < 0 || k->known) return;
    ssize_t n = svconn_fd_read(k->fd, k->said + k->got, DIGITS - k->got);
    if (n > 0) k->got += (size_t)n;
    else if (n == 0 || !svconn_is_later(errno)) leave(k);
    if (k->got == DIGITS) k->known = (int)ct_eq((const uint8_t *)k->said, (const uint8_t *)s->nonce, DIGITS);
    if (!k->known && (k->got == DIGITS || svconn_now() >= k->until)) leave(k);
}

/* A free place, or that of the stranger who has waited longest; NULL: all are known. */
static caller *room_for_one(control_socket *s) {
    caller *best = NULL;
    for (size_t i = 0; i < ROOM; i++) {
        caller *k = &s->room[i];
        if (!k->known && (!best || k->until < best->until)) best = k;
    }
    return best;
}

/* So many at once that a crowd does not keep us from our work. */
static void let_in(control_socket *s) {
    caller *k;
    for (int i = 0; i < AT_ONCE && (k = room_for_one(s)) != NULL; i++) {
        int fd = svconn_socket_accept(s->fd);
        if (fd < 0) return;
        leave(k);
        *k = (caller){.fd = fd, .until = svconn_now() + CONTROL_ASK_MS};
        hear(s, k); /* mostly it is there already */
    }
}

void control_socket_want(control_socket *s, fdset *set) {
    s->place = fdset_add(set, s->fd, POLLIN);
    for (size_t i = 0; i < ROOM; i++) {
        caller *k = &s->room[i];
        if (k->fd >= 0 && !k->known) (void)fdset_add(set, k->fd, POLLIN);
        if (k->fd >= 0) fdset_within(set, k->known ? 0 : ms_until(k->until));
    }
}

int control_socket_take(control_socket *s, const fdset *set) {
    for (size_t i = 0; i < ROOM; i++) hear(s, &s->room[i]);
    if (fdset_got(set, s->place)) let_in(s);
    for (size_t i = 0; i < ROOM; i++) {
        caller *k = &s->room[i];
        int fd = k->fd;
        if (!k->known) continue;
        *k = (caller){.fd = -1};
        return fd;
    }
    return -1;
}

void control_socket_close(control_socket *s) {
    (void)CloseHandle(s->file); /* before the port becomes free */
    for (size_t i = 0; i < ROOM; i++) leave(&s->room[i]);
    svconn_fd_close(s->fd);
    wipe(s, sizeof *s);
    free(s);
}

/* ---- who asks ----------------------------------------------------------------------------------- */

static int connect_by(HANDLE h, uint64_t end) {
    contents c;
    if (read_file(h, &c) != 0) return -1;
    if (!is_held(h)) return fail(ECONNREFUSED);
    struct sockaddr_in to = address_of(c.port);
    int fd = svconn_socket_new(AF_INET, 0);
    if (fd < 0 || svconn_socket_connect(fd, (const struct sockaddr *)&to, sizeof to, end) < 0) return -1;
    svconn_socket_at_once(fd);
    if (is_held(h) && svconn_send_exact(fd, c.nonce, DIGITS, end) == 0) return fd;
    errno = ECONNREFUSED;
    return svconn_socket_close_failed(fd);
}

int control_socket_connect(const char *path, int patience_ms) {
    HANDLE h = open_file(path, 0, SHARED_BY_ALL);
    if (h == INVALID_HANDLE_VALUE) return -1;
    int fd = connect_by(h, svconn_now() + (uint64_t)patience_ms);
    (void)CloseHandle(h);
    return fd;
}
