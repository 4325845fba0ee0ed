/* SPDX-License-Identifier: ISC */
#include "terminal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int terminal_open(void) { return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); }

int terminal_open_waiting(void) { return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY); }

void terminal_close(int fd) { close(fd); }

void terminal_leave(void) { (void)setsid(); }

void terminal_flush(int fd) { (void)tcflush(fd, TCIFLUSH); }

void terminal_tell(int fd, const char *format, ...) {
    char text[1200];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0 && write(fd, text, strlen(text)) < 0) return; /* the read will find that the terminal is gone */
}

ssize_t terminal_read(int fd, char *bytes, size_t len) { return read(fd, bytes, len); }

/* A terminal gives a line at a time. A signal counts as: no answer. */
void terminal_line(int fd, char *line, size_t size) {
    size_t used = 0;
    ssize_t n;
    char *end = NULL;
    while (!end && used < size - 1 && (n = read(fd, line + used, size - 1 - used)) > 0) {
        end = memchr(line + used, '\n', (size_t)n);
        used += (size_t)n;
    }
    if (!end) end = line;
    *end = 0;
    if (end > line && end[-1] == '\r') end[-1] = 0;
}

int terminal_colours(int fd) { return isatty(fd); }

int terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
