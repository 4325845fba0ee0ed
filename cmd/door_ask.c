/* SPDX-License-Identifier: ISC */
#include "codec.h"
#include "door_state.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: what the program may know. */
static void describe(const visit *w) {
    char hex[65] = "", fingerprint[36] = "", digits[24] = "";
    uint8_t id[33] = {SVCONN_TYPE_ED25519};
    memcpy(id + 1, w->key, 32);
    if (w->has_key) {
        hex_encode(hex, w->key, 32);
        svconn_fingerprint(fingerprint, id, sizeof id);
    }
    if (svconn_authenticator(&w->t.s, digits) != SVCONN_OK) digits[0] = 0;
    setenv("SVCONN_NAME", w->v.name, 1);
    setenv("SVCONN_KEY", hex, 1);
    setenv("SVCONN_FINGERPRINT", fingerprint, 1);
    setenv("SVCONN_SERVICE", w->door->service->name, 1);
    setenv("SVCONN_FROM", w->from, 1);
    setenv("SVCONN_DIGITS", digits, 1);
}

/* The program holds the writing end of the pipe; its end is seen when that is closed. */
void door_ask_program(visit *w, const char *command) {
    int pipe_fds[2];
    w->t.gate = GATE_NO; /* unless it says yes */
    if (pipe(pipe_fds) != 0) {
        say("%scannot ask the program: %s", w->t.who, strerror(errno));
        return;
    }
    fcntl(pipe_fds[0], F_SETFD, FD_CLOEXEC);
    w->program = fork();
    if (w->program == 0) {
        int nothing = open("/dev/null", O_RDWR);
        setpgid(0, 0);
        describe(w);
        dup2(nothing, STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(pipe_fds[1]);
    if (w->program < 0) {
        say("%scannot ask the program: %s", w->t.who, strerror(errno));
        w->program = 0;
        close(pipe_fds[0]);
        return;
    }
    setpgid((pid_t)w->program, (pid_t)w->program);
    w->program_fd = pipe_fds[0];
    w->t.gate = GATE_NONE; /* nobody else is asked */
}

void door_program_ended(visit *w) {
    int status = -1;
    waitpid((pid_t)w->program, &status, 0);
    close(w->program_fd);
    w->program = 0;
    w->program_fd = -1;
    w->t.gate = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? GATE_YES : GATE_NO;
}
