/* SPDX-License-Identifier: ISC */
/*
 * The console, whatever standard input and output are. A thread reads the keys while a question is open, and sends the
 * line through a socket. It takes single keys and shows them itself: a wait for a whole line could not be ended when the
 * question is withdrawn.
 */
#include "terminal.h"

#include "loopback.h"
#include "svconn_link.h"
#include "wide.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <windows.h>

enum { LINE = 250 };

/* There is one console, and one question at a time. */
static struct {
    HANDLE in, out, stop, thread;
    int here, there;
    wchar_t line[LINE + 1];
    DWORD len;
} console = {.here = -1};

static void show(const wchar_t *text, DWORD len) {
    DWORD n;
    (void)WriteConsoleW(console.out, text, len, &n, NULL);
}

/* Of a pair of surrogates both. */
static void take_back(void) {
    if (console.len == 0) return;
    console.len--;
    if (console.len && console.line[console.len] >= 0xdc00 && console.line[console.len] < 0xe000) console.len--;
    show(L"\b \b", 3);
}

static void send_line(void) {
    char text[3 * LINE + 3];
    console.line[console.len] = 0;
    show(L"\r\n", 2);
    if (wide_to(text, sizeof text - 1, console.line) != 0) text[0] = 0; /* it is no text */
    size_t len = strlen(text);
    text[len++] = '\n';
    console.len = 0;
    (void)!svconn_fd_write(console.there, text, len);
}

static void take_key(const KEY_EVENT_RECORD *key) {
    wchar_t c = key->uChar.UnicodeChar;
    if (!key->bKeyDown) return;
    if (c == L'\r' || c == L'\n') send_line();
    else if (c == L'\b' || c == 0x7f) take_back();
    else if (c >= L' ' && console.len < LINE) {
        console.line[console.len++] = c;
        show(&c, 1);
    }
}

static DWORD WINAPI read_keys(void *arg) {
    HANDLE both[2] = {console.stop, console.in};
    INPUT_RECORD r;
    DWORD n;
    (void)arg;
    while (WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0 + 1 && ReadConsoleInputW(console.in, &r, 1, &n))
        if (n == 1 && r.EventType == KEY_EVENT) take_key(&r.Event.KeyEvent);
    svconn_fd_end(console.there); /* the console is gone, or nobody asks */
    return 0;
}

static HANDLE open_part(const wchar_t *name) {
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

static void close_part(HANDLE *h) {
    if (*h && *h != INVALID_HANDLE_VALUE) (void)CloseHandle(*h);
    *h = NULL;
}

static int open_console(void) {
    DWORD mode;
    int pair[2];
    console.in = open_part(L"CONIN$");
    console.out = open_part(L"CONOUT$");
    if (console.in == INVALID_HANDLE_VALUE || console.out == INVALID_HANDLE_VALUE || !GetConsoleMode(console.in, &mode)) {
        errno = ENXIO;
        return -1;
    }
    console.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!console.stop || loopback(pair) != 0) return -1;
    console.here = pair[0];
    console.there = pair[1];
    console.len = 0;
    (void)FlushConsoleInputBuffer(console.in); /* before the thread, which would take it for the answer */
    console.thread = CreateThread(NULL, 0, read_keys, NULL, 0, NULL);
    return console.thread ? 0 : -1;
}

static void close_console(void) {
    if (console.thread) {
        (void)SetEvent(console.stop);
        (void)WaitForSingleObject(console.thread, INFINITE);
    }
    close_part(&console.thread);
    close_part(&console.in);
    close_part(&console.out);
    close_part(&console.stop);
    if (console.here >= 0) {
        svconn_fd_close(console.here);
        svconn_fd_close(console.there);
    }
    console.here = -1;
}

int terminal_open(void) {
    if (console.here >= 0) {
        errno = EBUSY;
        return -1;
    }
    if (open_console() == 0) return console.here;
    int why = errno;
    close_console();
    errno = why;
    return -1;
}

int terminal_open_waiting(void) { return terminal_open(); }

void terminal_close(int fd) {
    (void)fd;
    close_console();
}

void terminal_leave(void) { (void)FreeConsole(); }

/* It was done when the console was opened: by now the thread may have read some of it. */
void terminal_flush(int fd) { (void)fd; }

void terminal_tell(int fd, const char *format, ...) {
    char text[1200];
    wchar_t wide[WIDE_PATH];
    va_list args;
    (void)fd;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0 && wide_of(wide, text) == 0) show(wide, (DWORD)wcslen(wide));
}

ssize_t terminal_read(int fd, char *bytes, size_t len) { return svconn_fd_read(fd, bytes, len); }

void terminal_line(int fd, char *line, size_t size) {
    size_t used = 0;
    ssize_t n;
    char *end = NULL;
    while (!end && used < size - 1 && svconn_wait(fd, POLLIN, UINT64_MAX) == 0 &&
           (n = svconn_fd_read(fd, line + used, size - 1 - used)) > 0) {
        end = memchr(line + used, '\n', (size_t)n);
        used += (size_t)n;
    }
    if (!end) end = line;
    *end = 0;
}

/* Since Windows 10 1511, for who asks; older consoles would show them as letters. */
int terminal_colours(int fd) {
    DWORD mode;
    HANDLE h = (HANDLE)_get_osfhandle(fd);
    return GetConsoleMode(h, &mode) && SetConsoleMode(h, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

int terminal_columns(int fd) {
    CONSOLE_SCREEN_BUFFER_INFO about;
    if (!GetConsoleScreenBufferInfo((HANDLE)_get_osfhandle(fd), &about)) return 0;
    return about.srWindow.Right - about.srWindow.Left + 1;
}
