/* SPDX-License-Identifier: ISC */
/* svconn sessions: asks the control sockets of this user's processes. Their lines are ours, and yet not believed. */
#include "sessions.h"

#include "cmd.h"
#include "codec.h"
#include "control_socket.h"
#include "files_name.h"
#include "home.h"
#include "options.h"
#include "svconn.h"
#include "svconn_link.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define ANSWER_MAX ((size_t)16 << 20)
#define PROCESSES_MAX 256
#define CELL 40
#define PEER_WIDTH 16
#define SERVICE_WIDTH 8
#define FROM_WIDTH 21

typedef struct {
    char path[HOME_PATH], label[CELL];
    char *answer; /* lines; NULL: it did not answer */
} process;

typedef struct {
    process *list;
    size_t n;
} processes;

/* ---- a tiny reader of JSON ---------------------------------------------------------------------- */

static const char *skip_blanks(const char *p) { return p + strspn(p, " \t"); }

static void put(char *out, size_t size, size_t *used, char c) {
    if (*used + 1 < size) out[(*used)++] = c;
}

/* Behind the backslash; returns where the escape ends, or NULL. Characters beyond a byte become "?". */
static const char *read_escape(const char *p, char *c) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t unit[2];
    const char *at = *p ? strchr(from, *p) : NULL;
    if (at) {
        *c = to[at - from];
        return p + 1;
    }
    if (*p != 'u' || strspn(p + 1, "0123456789abcdefABCDEF") < 4 || hex_decode(unit, 2, p + 1) != 0) return NULL;
    *c = unit[0] || !unit[1] ? '?' : (char)unit[1];
    return p + 5;
}

/* A string (with or without a place for it); returns what is behind it, or NULL. */
static const char *read_string(const char *p, char *out, size_t size) {
    size_t used = 0;
    if (*p++ != '"') return NULL;
    while (*p != '"') {
        char c = *p;
        if (!c) return NULL;
        p = c == '\\' ? read_escape(p + 1, &c) : p + 1;
        if (!p) return NULL;
        put(out, size, &used, c);
    }
    out[used] = 0;
    return p + 1;
}

static const char *read_value(const char *p, char *out, size_t size) {
    if (*p == '"') return read_string(p, out, size);
    size_t n = strcspn(p, ",} \t"), used = 0;
    if (n == 0 || *p == '{' || *p == '[') return NULL;
    for (size_t i = 0; i < n; i++) put(out, size, &used, p[i]);
    out[used] = 0;
    return p + n;
}

int session_field(const char *line, const char *name, char *out, size_t size) {
    char key[CELL];
    const char *p = skip_blanks(line);
    if (*p++ != '{') p = NULL;
    while (p) {
        p = read_string(skip_blanks(p), key, sizeof key);
        if (!p) break;
        p = skip_blanks(p);
        if (*p != ':') break;
        p = read_value(skip_blanks(p + 1), out, size);
        if (p && strcmp(key, name) == 0) return 1;
        if (p) p = skip_blanks(p);
        p = p && *p == ',' ? p + 1 : NULL;
    }
    *out = 0;
    return 0;
}

/* ---- asking a process --------------------------------------------------------------------------- */

/* The next bytes, or 0 at the end, or -1. */
static ssize_t read_until(int fd, char *to, size_t n, uint64_t end) {
    return svconn_wait(fd, POLLIN, end) == 0 ? svconn_fd_read(fd, to, n) : -1;
}

/* All until the end: malloc'd, with a NUL; NULL: it does not come. */
static char *read_answer(int fd) {
    char *answer = NULL;
    size_t len = 0, size = 0;
    uint64_t end = svconn_now() + PATIENCE_MS;
    for (ssize_t n = 1; n > 0; len += (size_t)n) {
        if (len + 1 >= size) {
            char *more = size >= ANSWER_MAX ? NULL : realloc(answer, size = 2 * size + 4000);
            if (!more) break;
            answer = more;
        }
        n = read_until(fd, answer + len, size - 1 - len, end);
        if (n < 0) break;
        answer[len + (size_t)n] = 0;
        if (n == 0) return answer;
    }
    free(answer);
    return NULL;
}

/* 0, or -1 and errno: nobody is there. An answer that does not come leaves NULL. */
static int ask(process *p, const char *request) {
    int fd = control_socket_connect(p->path, PATIENCE_MS);
    free(p->answer);
    p->answer = NULL;
    if (fd < 0) return -1;
    if (svconn_send_exact(fd, request, strlen(request), svconn_now() + PATIENCE_MS) == 0) p->answer = read_answer(fd);
    svconn_fd_close(fd);
    if (!p->answer) say("%s does not answer; try again, or look at the process", p->label);
    return 0;
}

/* Takes the first line off; NULL: there is none. */
static char *next_line(char **lines) {
    char *line = *lines;
    if (!line || !*line) return NULL;
    char *end = strchr(line, '\n');
    *lines = end ? end + 1 : line + strlen(line);
    if (end) *end = 0;
    return line;
}

/* ---- which processes there are ------------------------------------------------------------------ */

static void set_label(process *p) {
    char *path = files_name_path(p->path);
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? p->path + (slash + 1 - path) : p->path;
    size_t n = strlen(name), end = n > 5 && strcmp(name + n - 5, ".sock") == 0 ? n - 5 : n;
    text_escape(p->label, sizeof p->label, (const uint8_t *)name, end);
    free(path);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* What is in a directory, in order, as far as there is memory. */
static char **names_in(const char *directory, size_t *n) {
    char **names = NULL;
    const struct dirent *e;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    *n = 0;
    if (!d && fd >= 0) close(fd);
    while (d && (e = readdir(d)) != NULL) {
        char **more = realloc(names, (*n + 1) * sizeof *names), *name = more ? strdup(e->d_name) : NULL;
        if (more) names = more;
        if (name) names[(*n)++] = name;
    }
    if (d) closedir(d);
    if (*n) qsort(names, *n, sizeof *names, by_name);
    return names;
}

static void look_at(processes *all, const char *directory, const char *name) {
    process *p = &all->list[all->n];
    size_t n = strlen(name);
    if (n < 6 || strcmp(name + n - 5, ".sock") != 0 || all->n == PROCESSES_MAX) return;
    *p = (process){.answer = NULL};
    if ((size_t)snprintf(p->path, sizeof p->path, "%s/%s", directory, name) >= sizeof p->path) return;
    set_label(p);
    if (ask(p, "list\n") == 0) all->n++;
    else if (errno == ECONNREFUSED) control_socket_remove_dead(p->path);
}

/* 0, or an exit code after it said why. */
static int find_all(processes *all) {
    char directory[HOME_PATH];
    size_t n;
    if (home_runtime(directory) != 0) {
        say("sessions: there is no directory for control sockets that is yours alone; set %s", home_runtime_from);
        return EXIT_LOCAL;
    }
    char **names = names_in(directory, &n);
    for (size_t i = 0; i < n; i++) {
        look_at(all, directory, names[i]);
        free(names[i]);
    }
    free(names);
    if (all->n) return EXIT_DONE;
    say("nothing of yours that takes sessions runs here; if its socket is elsewhere, name that with --control PATH");
    return EXIT_LOCAL;
}

static int find_one(processes *all, const char *path) {
    process *p = &all->list[0];
    *p = (process){.answer = NULL};
    snprintf(p->path, sizeof p->path, "%s", path);
    set_label(p);
    if (ask(p, "list\n") != 0) {
        say("sessions: nobody listens on %s: %s; give the path of the control socket of a running process", path,
            control_socket_error(errno));
        return EXIT_LOCAL;
    }
    all->n = 1;
    return EXIT_DONE;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static void text_field(const char *line, const char *name, char cell[CELL]) {
    char raw[CELL];
    (void)session_field(line, name, raw, sizeof raw);
    text_escape(cell, CELL, (const uint8_t *)raw, strlen(raw));
    if (!*cell) snprintf(cell, CELL, "-");
}

static unsigned long long number_field(const char *line, const char *name) {
    char raw[CELL];
    (void)session_field(line, name, raw, sizeof raw);
    return strtoull(raw, NULL, 10);
}

/* What our files call the peer, or else the first digits of the fingerprint. */
static void peer_cell(const char *line, char cell[CELL]) {
    char digits[65], fingerprint[36];
    uint8_t identity[33] = {SVCONN_TYPE_ED25519};
    text_field(line, "name", cell);
    if (strcmp(cell, "-") != 0 || !session_field(line, "peer", digits, sizeof digits)) return;
    if (strlen(digits) != 64 || hex_decode(identity + 1, 32, digits) != 0) return;
    svconn_fingerprint(fingerprint, identity, sizeof identity);
    snprintf(cell, CELL, "%.11s ...", fingerprint);
}

static void bytes_cell(unsigned long long n, char cell[CELL]) {
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)n;
    size_t i = 0;
    for (; value >= 999.5; i++) value /= 1000;
    snprintf(cell, CELL, i && value < 9.95 ? "%.1f %s" : "%.0f %s", value, unit[i]);
}

static void duration_cell(unsigned long long s, char cell[CELL]) {
    if (s < 60) snprintf(cell, CELL, "%llus", s);
    else if (s < 3600) snprintf(cell, CELL, "%llum%02llus", s / 60, s % 60);
    else if (s < 86400) snprintf(cell, CELL, "%lluh%02llum", s / 3600, s / 60 % 60);
    else snprintf(cell, CELL, "%llud%02lluh", s / 86400, s / 3600 % 24);
}

/* What is longer than its column would push the others aside; --json has it whole. */
static void cut_cell(char cell[CELL], size_t width) {
    if (strlen(cell) > width) memcpy(cell + width - 3, "...", 4);
}

static void print_row(const char *line) {
    char number[CELL], peer[CELL], service[CELL], from[CELL], since[CELL], in[CELL], out[CELL], state[CELL];
    text_field(line, "number", number);
    peer_cell(line, peer);
    cut_cell(peer, PEER_WIDTH);
    text_field(line, "service", service);
    cut_cell(service, SERVICE_WIDTH);
    text_field(line, "from", from);
    cut_cell(from, FROM_WIDTH);
    duration_cell(number_field(line, "seconds"), since);
    bytes_cell(number_field(line, "in"), in);
    bytes_cell(number_field(line, "out"), out);
    text_field(line, "state", state);
    printf("%6s  %-*s %-*s %-*s %7s %7s %7s  %s\n", number, PEER_WIDTH, peer, SERVICE_WIDTH, service, FROM_WIDTH, from,
           since, in, out, state);
}

/* What came instead of the answer that we wanted. */
static void say_error(const process *p, const char *line) {
    char raw[CELL * 4], text[CELL * 8];
    (void)session_field(line, "error", raw, sizeof raw);
    text_escape(text, sizeof text, (const uint8_t *)raw, strlen(raw));
    say("%s: %s", p->label, *text ? text : "the answer is none that this version knows; use the same version there");
}

/* 0, or an exit code: there was something else than sessions. */
static int print_table(process *p) {
    char *lines = p->answer, *line, raw[CELL];
    int code = p->answer ? EXIT_DONE : EXIT_LOCAL, rows = 0;
    while ((line = next_line(&lines)) != NULL) {
        if (!session_field(line, "number", raw, sizeof raw)) {
            say_error(p, line);
            code = EXIT_LOCAL;
            continue;
        }
        if (rows++ == 0)
            printf("%6s  %-*s %-*s %-*s %7s %7s %7s  %s\n", "NUMBER", PEER_WIDTH, "PEER", SERVICE_WIDTH, "SERVICE",
                   FROM_WIDTH, "FROM", "SINCE", "IN", "OUT", "STATE");
        print_row(line);
    }
    if (rows == 0 && code == EXIT_DONE) say("%s: nobody is connected", p->label);
    return code;
}

/* The line as it is, but ASCII, and with the name of the process. */
static int print_json(const process *p, const char *line) {
    char raw[CELL], label[6 * CELL];
    if (!session_field(line, "number", raw, sizeof raw) && !session_field(line, "ended", raw, sizeof raw)) {
        say_error(p, line);
        return EXIT_LOCAL;
    }
    text_json(label, sizeof label, p->label, strlen(p->label));
    printf("{\"process\":\"%s\",", label);
    for (const char *c = skip_blanks(line) + 1; *c; c++)
        printf(*c >= 0x20 && *c < 0x7f ? "%c" : "\\u%04x", (unsigned char)*c);
    printf("\n");
    return EXIT_DONE;
}

static int print_all(processes *all, int json) {
    int code = EXIT_DONE;
    for (size_t i = 0; i < all->n; i++) {
        process *p = &all->list[i];
        char *lines = p->answer, *line;
        int here = p->answer ? EXIT_DONE : EXIT_LOCAL;
        if (!json && all->n > 1) printf("%s%s:\n", i ? "\n" : "", p->label);
        if (!json) here = print_table(p);
        else
            while ((line = next_line(&lines)) != NULL)
                if (print_json(p, line) != EXIT_DONE) here = EXIT_LOCAL;
        if (here != EXIT_DONE) code = here;
    }
    return code;
}

/* ---- ending a session --------------------------------------------------------------------------- */

static int has_session(process *p, unsigned long number) {
    char *lines = p->answer, *line, raw[CELL];
    int has = 0;
    while ((line = next_line(&lines)) != NULL)
        if (session_field(line, "number", raw, sizeof raw) && strtoul(raw, NULL, 10) == number) has = 1;
    return has;
}

static int end_at(process *p, unsigned long number, int json) {
    char request[CELL], raw[CELL];
    snprintf(request, sizeof request, "end %lu\n", number);
    if (ask(p, request) != 0) say("%s is gone, and its sessions are over", p->label);
    char *lines = p->answer, *line = next_line(&lines);
    if (!line) return EXIT_LOCAL;
    if (json) return print_json(p, line);
    if (!session_field(line, "ended", raw, sizeof raw)) {
        say_error(p, line);
        return EXIT_LOCAL;
    }
    say("session %lu of %s was ended", number, p->label);
    return EXIT_DONE;
}

/* [PROCESS/]N, as it was given. */
typedef struct {
    const char *process; /* of length bytes; 0: any */
    size_t length;
    unsigned long number; /* 0: none is to be ended */
} wanted_session;

static int is_of(const process *p, const wanted_session *w) {
    return w->length == 0 || (strlen(p->label) == w->length && memcmp(p->label, w->process, w->length) == 0);
}

static int end_session(processes *all, const wanted_session *w, int json) {
    process *found = NULL;
    for (size_t i = 0; i < all->n; i++) {
        process *p = &all->list[i];
        if (!is_of(p, w) || !has_session(p, w->number)) continue;
        if (found) {
            say("sessions: more than one process has a session %lu; say which: --end %s/%lu or --end %s/%lu", w->number,
                found->label, w->number, p->label, w->number);
            return EXIT_LOCAL;
        }
        found = p;
    }
    if (found) return end_at(found, w->number, json);
    say("sessions: there is no session %lu%s; \"svconn sessions\" shows those that are there", w->number,
        w->length ? " of a process of this name" : "");
    return EXIT_LOCAL;
}

/* -1: go on; else an exit code after it said why. */
static int read_wanted(wanted_session *w, const char *text) {
    *w = (wanted_session){.process = text};
    if (!text) return -1;
    const char *slash = strrchr(text, '/'), *digits = slash ? slash + 1 : text;
    char *end;
    errno = 0;
    unsigned long number = strtoul(digits, &end, 10);
    w->length = slash ? (size_t)(slash - text) : 0;
    w->number = number;
    if (*digits >= '0' && *digits <= '9' && !*end && !errno && number && slash != text) return -1;
    return options_fault("sessions", "--end: N is wanted, or PROCESS/N, such as serve-1234/3, as the list shows them");
}

static int run(const char *path, const wanted_session *end, int json) {
    processes all = {calloc(PROCESSES_MAX + 1, sizeof(process)), 0};
    if (!all.list) {
        say("sessions: out of memory; end other programs and try again");
        return EXIT_LOCAL;
    }
    int code = path ? find_one(&all, path) : find_all(&all);
    if (code == EXIT_DONE) code = end->number ? end_session(&all, end, json) : print_all(&all, json);
    for (size_t i = 0; i < all.n; i++) free(all.list[i].answer);
    free(all.list);
    if (fflush(stdout) == 0) return code;
    say("sessions: cannot write to standard output");
    return EXIT_LOCAL;
}

int cmd_sessions(int argc, char **argv) {
    int json = 0;
    wanted_session wanted;
    const char *path = NULL, *end = NULL, *operand[1];
    const option rows[] = {
        {"json", NULL, "a JSON object in a line for each session, for programs", OPTION_FLAG, &json, 0, 0},
        {"end", "N", "end session number N; PROCESS/N if several processes have one of this\nnumber", OPTION_TEXT, &end,
         0, 0},
        {"control", "PATH", "ask the process with this control socket only", OPTION_TEXT, &path, 0, 0},
    };
    const usage u = {.command = "sessions",
                     .operands = "",
                     .about = "Shows who is connected to the processes of yours that run here and take sessions, and\n"
                              "ends a session. Bytes are counted as seen from here: IN came from the peer.",
                     .more =
                         "Examples:\n"
                         "  svconn sessions\n"
                         "  svconn sessions --end serve-1234/3     (the list has the name of each process above its "
                         "table)\n\n"
                         "The exit code is 3 if no such process runs, or if there is no such session.",
                     .rows = rows,
                     .n_rows = sizeof rows / sizeof rows[0]};
    int code = options_read(&u, argc, argv, operand);
    if (code < 0) code = read_wanted(&wanted, end);
    return code >= 0 ? code : run(path, &wanted, json);
}
