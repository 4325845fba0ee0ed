/* SPDX-License-Identifier: ISC */
/*
 * A serial device (POSIX.1-2008, chapter 11): taken whole, so that nobody else reads half of what comes, and given back
 * as it was. Three locks, because other programs look at different ones: flock on the device (picocom, minicom),
 * TIOCEXCL (everybody but root), and a file LCK..NAME (Filesystem Hierarchy Standard 3.0, section 5.9; pppd, cu), where
 * we may write that.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define LOCK_DIR "/var/lock"
#define STUCK_MS 1000 /* bytes that do not go out for so long will not */

struct svconn_tty {
    int fd;
    long owner; /* the process that opened it: a child that closes its copy changes nothing */
    struct termios before;
    char lock[64]; /* the lock file; "": none */
};

/* ---- speeds ------------------------------------------------------------------------------------- */

static const struct {
    long speed;
    speed_t code;
} speeds[] = {
    {300, B300},         {600, B600},         {1200, B1200},       {2400, B2400},
    {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},
#ifdef B57600
    {57600, B57600},     {115200, B115200},
#endif
#ifdef B230400
    {230400, B230400},
#endif
#ifdef B460800
    {460800, B460800},
#endif
#ifdef B500000
    {500000, B500000},   {576000, B576000},   {921600, B921600},   {1000000, B1000000},
    {1152000, B1152000}, {1500000, B1500000}, {2000000, B2000000},
#endif
#ifdef B4000000
    {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000},
#endif
};
enum { SPEEDS = sizeof speeds / sizeof speeds[0] };

static int find_speed(speed_t *code, const svconn_address *a, svconn_why *why) {
    long below = speeds[0].speed;
    for (int i = 0; i < SPEEDS; i++) {
        *code = speeds[i].code;
        if (speeds[i].speed == a->speed) return 0;
        if (speeds[i].speed > a->speed && i > 0)
            return svconn_because(why, "%.150s: this system has no speed %ld; the nearest are %ld and %ld", a->text,
                                  a->speed, below, speeds[i].speed);
        below = speeds[i].speed;
    }
    return svconn_because(why, "%.150s: this system has no speed %ld; the nearest is %ld", a->text, a->speed, below);
}

/* ---- the lock file ------------------------------------------------------------------------------ */

/* The process that a lock file names: 0 if that cannot be read. */
static long lock_holder(const char *path) {
    char text[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    long pid = strtol(text, NULL, 10);
    return pid > 0 && pid <= INT_MAX ? pid : 0;
}

/* 1: made; 0: there is one; -1: it cannot be made. */
static int write_lock(const char *path) {
    char text[24];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return errno == EEXIST ? 0 : -1;
    int n = snprintf(text, sizeof text, "%10ld\n", (long)getpid()), whole = write(fd, text, (size_t)n) == n;
    close(fd);
    if (!whole) (void)unlink(path); /* the disk is full */
    return whole ? 1 : -1;
}

/* The file for a device right in /dev; -1: the standard has no name for it (/dev/pts/3). */
static int name_lock(char *out, size_t size, const char *device) {
    char real[PATH_MAX];
    if (!realpath(device, real) || strncmp(real, "/dev/", 5) != 0 || strchr(real + 5, '/')) return -1;
    int n = snprintf(out, size, LOCK_DIR "/LCK..%s", real + 5);
    return n > 0 && (size_t)n < size ? 0 : -1;
}

/* 0, also where lock files cannot be made; -1: somebody has it, *holder. */
static int take_lock_file(svconn_tty *t, const char *device, long *holder) {
    char path[sizeof t->lock];
    if (name_lock(path, sizeof path, device) != 0) return 0;
    for (int tries = 0; tries < 2; tries++) {
        int made = write_lock(path);
        if (made > 0) memcpy(t->lock, path, sizeof path);
        if (made != 0) return 0;
        *holder = lock_holder(path);
        if (*holder && (kill((pid_t)*holder, 0) == 0 || errno != ESRCH)) return -1;
        (void)unlink(path); /* left behind by a process that is gone; who of ours does the same has flock first */
    }
    return 0;
}

/* ---- open, close -------------------------------------------------------------------------------- */

static int tty_failed(const svconn_address *a, const char *what, svconn_why *why) {
    return svconn_because(why, "cannot open %.150s: %s", a->text, what);
}

static const char *tty_hint(int error) {
    switch (error) {
    case ENOENT: return "there is no such device (is it plugged in?)";
    case EACCES: return "not permitted to this user (on Debian: a member of the group dialout may)";
    case EBUSY: return "another program uses it";
    case ENXIO:
    case ENODEV: return "the device is not there";
    case EIO: return "nothing is connected to the device";
    case ENOTTY: return "this is no serial device";
    default: return strerror(error);
    }
}

/* Raw as cfmakeraw makes it, 8 bits, no parity, one stop bit; modem lines say nothing, and closing hangs nobody up. */
static void make_raw(struct termios *to, const svconn_address *a, speed_t speed) {
    to->c_iflag &=
        (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF | IXANY);
    to->c_oflag &= (tcflag_t)~OPOST;
    to->c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    to->c_cflag &= (tcflag_t) ~(CSIZE | PARENB | CSTOPB | HUPCL);
    to->c_cflag |= CS8 | CLOCAL | CREAD;
#ifdef CRTSCTS
    to->c_cflag &= (tcflag_t)~CRTSCTS;
    if (a->rtscts) to->c_cflag |= CRTSCTS;
#endif
    to->c_cc[VMIN] = 1; /* with 0, read would return 0 where it should say "later" */
    to->c_cc[VTIME] = 0;
    (void)cfsetispeed(to, speed);
    (void)cfsetospeed(to, speed);
}

/* tcsetattr is content if it could do a part of it. */
static int set_up(svconn_tty *t, const svconn_address *a, speed_t speed, svconn_why *why) {
    struct termios now;
    if (tcgetattr(t->fd, &t->before) != 0) return tty_failed(a, tty_hint(errno), why);
    struct termios raw = t->before;
    make_raw(&raw, a, speed);
#ifndef CRTSCTS
    if (a->rtscts) return tty_failed(a, "this system has no flow=rtscts", why);
#endif
    if (tcsetattr(t->fd, TCSANOW, &raw) != 0) return tty_failed(a, tty_hint(errno), why);
    if (tcgetattr(t->fd, &now) != 0 || cfgetospeed(&now) != speed || cfgetispeed(&now) != speed ||
        now.c_cflag != raw.c_cflag || now.c_iflag != raw.c_iflag || now.c_lflag != raw.c_lflag ||
        now.c_oflag != raw.c_oflag) {
        (void)tcsetattr(t->fd, TCSANOW, &t->before);
        return tty_failed(a, "the device does not take this speed or flow control", why);
    }
    (void)tcflush(t->fd, TCIOFLUSH); /* what was sent to whoever had it before */
    return 0;
}

static int lock(svconn_tty *t, const svconn_address *a, svconn_why *why) {
    long holder = 0;
    char who[40];
    if (flock(t->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return tty_failed(a, tty_hint(EBUSY), why);
    if (take_lock_file(t, a->host, &holder) != 0) {
        snprintf(who, sizeof who, "process %ld uses it", holder);
        return tty_failed(a, who, why);
    }
#ifdef TIOCEXCL
    (void)ioctl(t->fd, TIOCEXCL);
#endif
    return 0;
}

static void unlock(svconn_tty *t) {
#ifdef TIOCNXCL
    (void)ioctl(t->fd, TIOCNXCL);
#endif
    if (t->lock[0]) (void)unlink(t->lock);
}

svconn_tty *svconn_tty_open(const svconn_address *a, svconn_why *why) {
    speed_t speed;
    if (find_speed(&speed, a, why) != 0) return NULL;
    svconn_tty *t = calloc(1, sizeof *t);
    if (!t) {
        tty_failed(a, tty_hint(ENOMEM), why);
        return NULL;
    }
    t->owner = (long)getpid();
    t->fd = open(a->host, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0 || !isatty(t->fd)) {
        tty_failed(a, tty_hint(errno), why);
    } else if (lock(t, a, why) == 0) {
        if (set_up(t, a, speed, why) == 0) return t;
        unlock(t);
    }
    if (t->fd >= 0) close(t->fd);
    free(t);
    return NULL;
}

int svconn_tty_fd(const svconn_tty *t) { return t->fd; }

/* close alone would wait for the last bytes as long as the driver likes, half a minute for a line that is stopped. */
static void drain(int fd) {
#ifdef TIOCOUTQ
    int left = 0, before = INT_MAX;
    uint64_t end = svconn_deadline(STUCK_MS);
    while (ioctl(fd, TIOCOUTQ, &left) == 0 && left > 0 && svconn_now() < end) {
        if (left < before) end = svconn_deadline(STUCK_MS);
        before = left;
        svconn_nap(10);
    }
    if (left > 0) (void)tcflush(fd, TCOFLUSH);
#else
    (void)fd;
#endif
}

void svconn_tty_close(svconn_tty *t) {
    if (t->owner == (long)getpid()) {
        drain(t->fd);
        (void)tcsetattr(t->fd, TCSANOW, &t->before);
        unlock(t);
    }
    close(t->fd);
    free(t);
}
