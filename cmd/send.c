/* SPDX-License-Identifier: ISC */
/* svconn send: files and directories to a peer that does "svconn receive". Comes back when the connection is lost. */
#include "call.h"
#include "cmd.h"
#include "files_send.h"
#include "progress.h"
#include "signals.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000 /* doubles */
#define RETRY_MAX_MS 30000

typedef struct {
    call call;
    files_sender files;
    source *sources;
    size_t n;
    progress progress;
    fdset set;
    int signals, stopped, told_stop, quiet, json;
    unsigned long retry;
    uint64_t began;
    uint64_t lost_at, retry_ms;
    uint64_t came_to; /* how far it was when it was lost */
} sending;

/* ---- what people and programs read ---- */
static void json_text(const char *text) {
    char part[FILES_NAME_MAX + 1];
    putchar('"');
    for (size_t n; *text; text += n) { /* pieces, so that each fits when it is cleaned */
        n = strlen(text) < 64 ? strlen(text) : 64;
        while (n > 60 && n < strlen(text) && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
        name_clean(part, (const uint8_t *)text, n);
        for (const char *p = part; *p; p++) {
            if (*p == '"' || *p == '\\') putchar('\\');
            putchar(*p);
        }
    }
    putchar('"');
}

static const char *const result_names[] = {"stored", "same", "refused", "failed", "left out"};

static void json_file(uint8_t type, const char *path, sent_result result, uint64_t size, const char *text) {
    printf("{\"%s\":", type == FILES_DIRECTORY ? "directory" : type == FILES_SYMLINK ? "link" : "file");
    json_text(path);
    printf(",\"result\":\"%s\",\"bytes\":%llu", result_names[result], (unsigned long long)size);
    if (*text) printf(",\"text\":");
    if (*text) json_text(text);
    printf("}\n");
}

static void told(void *arg, const char *path, sent_result result, uint64_t size, const char *text) {
    sending *s = arg;
    char name[600], what[4 * FILES_TEXT_MAX + 1];
    if (s->json) json_file(s->files.told_type, path, result, size, text);
    if (result == SENT_SAME || (result == SENT_STORED && (*text == 0 || s->quiet))) return;
    if (result == SENT_NOT && s->files.full > 1) return; /* said for the first one */
    if (s->files.full) s->files.full = 2;
    text_escape(name, sizeof name, (const uint8_t *)path, strlen(path));
    text_escape(what, sizeof what, (const uint8_t *)text, strlen(text));
    progress_hide(&s->progress);
    if (result == SENT_STORED) say("%s is stored there as %s", name, what);
    else if (result == SENT_NOT) say("%s was not taken: %s", name, what);
    else say("%s was not sent: %s", name, what);
}

#define JSON_END 400
static void json_end(const sending *s, int code, int stopped, char out[JSON_END]) {
    const files_sender *f = &s->files;
    snprintf(out, JSON_END,
             "{\"done\":%s,\"stopped\":%s,\"files\":%llu,\"stored\":%llu,\"same\":%llu,\"refused\":%llu,"
             "\"failed\":%llu,\"sent\":%llu,\"seconds\":%.3f,\"exit\":%d}\n",
             code == EXIT_DONE ? "true" : "false", stopped ? "true" : "false", (unsigned long long)f->files,
             (unsigned long long)f->stored, (unsigned long long)f->same, (unsigned long long)f->not_taken,
             (unsigned long long)f->failed, (unsigned long long)f->carried, (double)(svconn_now() - s->began) / 1000,
             code);
}

static void say_end(const sending *s) {
    const files_sender *f = &s->files;
    char sent[AMOUNT_TEXT], rate[AMOUNT_TEXT], speed[AMOUNT_TEXT + 8] = "", missing[100] = "";
    double seconds = (double)(svconn_now() - s->began) / 1000;
    if (f->full) say("the disk is full there, so the rest was not sent; make room, and run the same command again");
    if (s->quiet) return;
    uint64_t not_there = f->not_taken + f->failed;
    if (not_there)
        snprintf(missing, sizeof missing, "; not sent or not taken: %llu, see above", (unsigned long long)not_there);
    if (f->carried && seconds > 0.001)
        snprintf(speed, sizeof speed, ", %s/s", amount_bytes(rate, (double)f->carried / seconds));
    say("%s: %llu of %llu %s there, %s sent%s%s", s->call.name, (unsigned long long)(f->stored + f->same),
        (unsigned long long)f->files, f->files == 1 ? "file is" : "files are", amount_bytes(sent, (double)f->carried),
        speed, missing);
}

static void tell_end(const sending *s, int code) {
    char line[JSON_END];
    if (!s->told_stop && (code == EXIT_DONE || code == EXIT_PART || s->files.carried)) say_end(s);
    if (!s->json) return;
    json_end(s, code, s->told_stop, line);
    fputs(line, stdout);
    fflush(stdout);
}

/* ---- signals ---- */
static char last_words[200], last_json[JSON_END]; /* made before: nothing can be made in a handler */

static const char *stop_text(const sending *s) {
    return s->call.reusable ? "stopped; the same command goes on where it was"
                            : "stopped; the same command with a new token goes on where it was";
}

static void take_signals(sending *s) {
    while (signals_next() != 0) s->stopped = 1;
}

/* Until unhurry a signal ends the process at once. */
static void hurry(sending *s) {
    fflush(stdout);
    last_words[0] = last_json[0] = 0;
    if (!s->told_stop) snprintf(last_words, sizeof last_words, "svconn: %s\n", stop_text(s));
    if (s->json) json_end(s, EXIT_LINK, 1, last_json);
    signals_last_words(last_words, last_json);
    signals_urgent(EXIT_LINK);
    take_signals(s); /* what came before */
}

static void unhurry(void) { signals_urgent(-1); }

static void tell_stop(sending *s) {
    if (!s->told_stop) say("%s", stop_text(s));
    s->told_stop = 1;
}

/* ---- a session ---- */
static void take_messages(sending *s) {
    const uint8_t *msg;
    size_t len;
    svconn *session = &s->call.t.s;
    svconn_err e;
    while ((e = svconn_recv(session, &msg, &len)) == SVCONN_OK) {
        if (!call_takes(&s->call, msg, len)) files_sender_take(&s->files, msg, len);
        if (svconn_status(session) == SVCONN_FAILED || svconn_recv_done(session) != SVCONN_OK) return;
    }
    if (e == SVCONN_END && svconn_status(session) == SVCONN_CONNECTED) (void)!svconn_close(session, svconn_now());
}

static void show_progress(sending *s) {
    const files_sender *f = &s->files;
    const progress_state state = {.name = f->shown,
                                  .done = files_sender_progress(f),
                                  .total = f->bytes,
                                  .moved = f->carried,
                                  .comparing = files_sender_compares(f)};
    progress_show(&s->progress, &state);
}

static void round_of_poll(sending *s) {
    fdset *set = &s->set;
    fdset_clear(set);
    size_t signalled = fdset_add(set, s->signals, POLLIN);
    call_want(&s->call, set);
    if (files_sender_can_go_on(&s->files)) fdset_within(set, 0);
    if (s->progress.on) fdset_within(set, PROGRESS_MS);
    fdset_wait(set);
    call_ready(&s->call, set);
    take_messages(s);
    files_sender_step(&s->files);
    talk_flush(&s->call.t);
    if (fdset_got(set, signalled)) take_signals(s);
    if (progress_is_due(&s->progress)) show_progress(s);
}

/* One session, from the welcome to the end. */
static int use_session(sending *s) {
    files_sender_connect(&s->files, &s->call.t.s);
    progress_restart(&s->progress, s->files.carried);
    while (!s->files.finished && !s->stopped && !s->call.sorry && !talk_is_over(&s->call.t)) round_of_poll(s);
    progress_hide(&s->progress);
    if (s->stopped && !s->files.finished) tell_stop(s); /* before the goodbye, which can take a while */
    hurry(s);
    int code = call_hang_up(&s->call);
    unhurry();
    if (s->files.finished) return files_sender_is_complete(&s->files) ? EXIT_DONE : EXIT_PART;
    return code == EXIT_DONE ? EXIT_LINK : code;
}

/* ---- coming back ---- */
static void rest(sending *s) {
    uint8_t dice = 0;
    (void)!svconn_random(&dice, 1);
    uint64_t until = svconn_now() + s->retry_ms + s->retry_ms * dice / 256;
    s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
    if (!s->quiet) say("coming back in %d s", (ms_until(until) + 999) / 1000);
    while (!s->stopped && svconn_now() < until) {
        fdset_clear(&s->set);
        fdset_within(&s->set, ms_until(until));
        size_t signalled = fdset_add(&s->set, s->signals, POLLIN);
        fdset_wait(&s->set);
        if (fdset_got(&s->set, signalled)) take_signals(s);
    }
}

static int may_come_back(sending *s, int code) {
    uint64_t now = svconn_now();
    if (s->files.finished || s->files.broken || !s->call.reusable || s->retry == 0) return 0;
    if (code == EXIT_PEER || code == EXIT_LOCAL || s->call.sorry == SORRY_REPLACED) return 0;
    if (s->lost_at == 0 || s->files.carried + s->files.done_bytes > s->came_to) {
        s->lost_at = now;
        s->retry_ms = RETRY_MS;
    }
    s->came_to = s->files.carried + s->files.done_bytes;
    return now < s->lost_at + 1000 * (uint64_t)s->retry;
}

static int dial(sending *s) {
    hurry(s);
    int code = s->stopped ? EXIT_LINK : call_dial(&s->call);
    unhurry();
    return code;
}

static int give_up(const sending *s, int code) {
    if (code != EXIT_PEER)
        say("not everything is there; what is there is kept: run the same command again%s, and it goes on",
            s->call.reusable ? "" : " with a new token");
    return code;
}

static int stop(sending *s) {
    tell_stop(s);
    return EXIT_LINK;
}

static int send_all(sending *s) {
    int first = 1;
    for (;;) {
        int code = dial(s);
        if (s->stopped && code != EXIT_DONE) return stop(s);
        if (code == EXIT_DONE) code = use_session(s);
        else if (first) return code;
        first = 0;
        if (s->files.finished) return code;
        if (!s->stopped && may_come_back(s, code)) rest(s);
        else if (!s->stopped) return give_up(s, code);
        if (s->stopped) return stop(s);
    }
}

/* ---- the command ---- */
static void make_label(sending *s) {
    const char *name = s->sources[0].name;
    char *label = s->files.label;
    if (s->n == 1) snprintf(label, FILES_TEXT_MAX + 1, "%.*s", FILES_TEXT_MAX, name);
    else snprintf(label, FILES_TEXT_MAX + 1, "%.150s and %zu more", name, s->n - 1);
}

static int open_sources(sending *s, const char **names) {
    while (names[s->n]) s->n++;
    s->sources = calloc(s->n, sizeof *s->sources);
    if (!s->sources) {
        say("out of memory");
        return EXIT_LOCAL;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(names[i], "-") == 0)
            return options_fault("send", "- is no file; to send standard input use \"svconn connect\", and \"svconn "
                                         "listen\" on the other side");
        if (source_open(&s->sources[i], names[i]) != 0) return EXIT_LOCAL;
    }
    return EXIT_DONE;
}

static char json_buffer[1 << 15]; /* more than a line: each goes out whole, and at once */

static int run(sending *s, const call_options *o, const char **operand, int follow) {
    int code = open_sources(s, operand + 1);
    if (code != EXIT_DONE) return code;
    if (files_sender_open(&s->files, s->sources, s->n, follow) != 0) {
        say("out of memory");
        return EXIT_LOCAL;
    }
    s->quiet = o->quiet;
    if (s->json) setvbuf(stdout, json_buffer, _IOLBF, sizeof json_buffer);
    s->files.told = told;
    s->files.told_arg = s;
    make_label(s);
    code = call_open(&s->call, o, "send", "files", operand[0]);
    if (code != EXIT_DONE) return code;
    s->signals = signals_catch(signals_hangup_counts());
    s->retry_ms = RETRY_MS;
    s->began = svconn_now();
    hurry(s);
    files_sender_count(&s->files);
    unhurry();
    progress_begin(&s->progress, !s->quiet);
    code = send_all(s);
    tell_end(s, code);
    call_close(&s->call);
    return code;
}

static int read_and_run(sending *s, const usage *u, const call_options *o, const int *follow, int argc, char **argv) {
    const char **operand = calloc((size_t)argc + 2, sizeof *operand);
    if (!operand) {
        say("out of memory");
        return EXIT_LOCAL;
    }
    int code = options_read(u, argc, argv, operand);
    if (code < 0) code = run(s, o, operand, *follow);
    files_sender_close(&s->files);
    for (size_t i = 0; i < s->n && s->sources; i++) source_close(&s->sources[i]);
    free(s->sources);
    fdset_free(&s->set);
    free(operand);
    return code;
}

int cmd_send(int argc, char **argv) {
    static sending s;
    static call_options o;
    int follow = 0;
    s.retry = 600;
    option rows[CALL_ROWS + 3] = {
        {"follow", NULL, "send what symbolic links point to, and not the links", OPTION_FLAG | OPTION_RARE, &follow, 0,
         0},
        {"retry", "SECONDS",
         "when the connection is lost, try so long to come back; 0: do not;\ndefault 600 since it last got further",
         OPTION_NUMBER, &s.retry, 0, 10000000},
        {"json", NULL, "a JSON line for each file, and one at the end, on standard output", OPTION_FLAG, &s.json, 0, 0},
    };
    call_rows(rows + 3, &o);
    const usage u = {
        .command = "send",
        .operands = "PEER FILE...",
        .about =
            "Sends files, and directories with all that is in them, to a peer that does \"svconn receive\". PEER\n"
            "is a name of known_peers, a key, a token, pairing:FILE or an address. What was cut off goes on where\n"
            "it ended: by itself, or when the same command is run again. Every file is compared by SHA-256.",
        .more = "Examples:\n"
                "  svconn send --relay relay.example.org 7KQ3-M2XD photos/ notes.txt\n"
                "  svconn send home backup.tar --retry 86400\n"
                "Exit code 6: some files are not there; standard error says which, and why.",
        .rows = rows,
        .n_rows = CALL_ROWS + 3,
        .least_operands = 2,
        .most_operands = (size_t)argc};
    return read_and_run(&s, &u, &o, &follow, argc, argv);
}
