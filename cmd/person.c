/* SPDX-License-Identifier: ISC */
#include "person.h"

#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void close_question(person *p) {
    if (p->fd >= 0) terminal_close(p->fd);
    *p = (person)PERSON_NONE;
}

static void answer(person *p, int yes) {
    talk *t = p->about;
    close_question(p);
    talk_answer(t, yes);
}

static void ask(person *p) {
    char text[700], id[IDENTITY_TEXT], fingerprint[36], digits[24];
    size_t len;
    const uint8_t *peer = svconn_peer(&p->about->s, &len);
    const char *who = p->about->who;
    text_identity(id, peer, len);
    svconn_fingerprint(fingerprint, peer, len);
    if (p->question == TALK_ASKS_DIGITS)
        snprintf(text, sizeof text,
                 "%sconnected with %s.\nAsk the caller, by telephone say, for the 20 digits of the authenticator that "
                 "the caller\nsees, and type them here: ",
                 who, id);
    else if (p->question == TALK_ASKS_GATE)
        snprintf(text, sizeof text, "%s%s\nThe digits that it sees: %s\nLet it in? Type yes: ", who, p->about->what,
                 svconn_authenticator(&p->about->s, digits) == SVCONN_OK ? digits : "none");
    else
        snprintf(text, sizeof text,
                 "%sa peer that is not known yet.\n  public key:  %s\n  fingerprint: %s\n"
                 "Compare one of them with what the other person sees there. Is it right? Type yes: ",
                 who, id, fingerprint);
    terminal_tell(p->fd, "%s", text);
}

void person_look(person *p, talk *t) {
    talk_question question = talk_asks(t);
    if (question == TALK_ASKS_NOTHING || p->about) return;
    p->about = t;
    p->question = question;
    p->len = 0;
    p->fd = terminal_open();
    if (p->fd >= 0) {
        terminal_flush(p->fd); /* what was typed for somebody else is no answer */
        ask(p);
        return;
    }
    say("%sthere is a question, and no terminal to ask at (%s); so the answer is no", t->who, strerror(errno));
    answer(p, 0);
}

nfds_t person_want(const person *p, struct pollfd *fd) {
    *fd = svconn_pollfd(p->fd, POLLIN);
    return 1;
}

/* 1 if the digits of line are those of the authenticator, whatever is between them. */
static int digits_fit(const char *line, const char *digits) {
    for (;;) {
        line += strspn(line, " -.\t");
        digits += strspn(digits, " ");
        if (*line != *digits) return 0;
        if (!*line) return 1;
        line++;
        digits++;
    }
}

static void take_line(person *p) {
    char digits[24];
    if (p->question != TALK_ASKS_DIGITS) {
        answer(p, strcmp(p->line, "yes") == 0);
        return;
    }
    int fit = svconn_authenticator(&p->about->s, digits) == SVCONN_OK && digits_fit(p->line, digits);
    if (!fit) say("%sthe digits are not the same: nothing was given to this caller", p->about->who);
    answer(p, fit);
}

void person_ready(person *p, const struct pollfd *fd) {
    if (p->fd < 0 || (int)fd->fd != p->fd || !fd->revents) return;
    ssize_t n = terminal_read(p->fd, p->line + p->len, sizeof p->line - 1 - p->len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) p->len += (size_t)n;
    p->line[p->len] = 0;
    char *end = strpbrk(p->line, "\r\n");
    if (!end && n > 0 && p->len < sizeof p->line - 1) return;
    if (end) *end = 0;
    else p->line[0] = 0; /* the terminal is gone, or far too much was typed: no answer of ours */
    take_line(p);
}

void person_forget(person *p, const talk *t) {
    if (p->about != t) return;
    if (p->fd >= 0) terminal_tell(p->fd, "\n(It has gone.)\n");
    close_question(p);
}
