/* SPDX-License-Identifier: ISC */
#include "codec.h"
#include "door_state.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: what a program may know of the visitor. */
void door_describe(const visitor *v) {
    const visit *w = v->host;
    char hex[65] = "", fingerprint[36] = "", digits[24] = "";
    uint8_t id[33] = {SVCONN_TYPE_ED25519};
    memcpy(id + 1, w->key, 32);
    if (w->has_key) {
        hex_encode(hex, w->key, 32);
        svconn_fingerprint(fingerprint, id, sizeof id);
    }
    if (svconn_authenticator(&w->t.s, digits) != SVCONN_OK) digits[0] = 0;
    setenv("SVCONN_NAME", w->name, 1);
    setenv("SVCONN_KEY", hex, 1);
    setenv("SVCONN_FINGERPRINT", fingerprint, 1);
    setenv("SVCONN_SERVICE", w->ops ? w->ops->name : "", 1);
    setenv("SVCONN_FROM", w->from, 1);
    setenv("SVCONN_DIGITS", digits, 1);
}

void door_ask_program(visit *w, const char *command) {
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_RDWR);
        setpgid(0, 0);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        door_describe(&w->v);
        dup2(nothing, STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (child > 0) setpgid(child, child);
    else {
        say("%scannot ask the program: %s", w->t.who, strerror(errno));
        w->t.gate = GATE_NO;
    }
    w->program = child > 0 ? child : 0;
}

void door_look_at_program(visit *w) {
    int status = -1;
    if (waitpid((pid_t)w->program, &status, WNOHANG) == 0) return;
    w->program = 0;
    w->t.gate = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? GATE_YES : GATE_NO;
}

void door_leave_program(visit *w) {
    if (!w->program) return;
    kill(-(pid_t)w->program, SIGKILL); /* nothing that it can hold up */
    kill((pid_t)w->program, SIGKILL);  /* also if it went out of its group */
    if (w->door->n_leftovers < LEFTOVERS_MAX) w->door->leftovers[w->door->n_leftovers++] = w->program;
    w->program = 0;
    door_wait_for_leftovers(w->door);
}

void door_wait_for_leftovers(door *d) {
    for (size_t i = d->n_leftovers; i-- > 0;)
        if (waitpid((pid_t)d->leftovers[i], NULL, WNOHANG) != 0) d->leftovers[i] = d->leftovers[--d->n_leftovers];
}
