/* SPDX-License-Identifier: ISC */
#include "program.h"

#include "svconn_link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child */
static void become(const char *command, const visitor *v, int end) {
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    v->describe(v);
    dup2(end >= 0 ? end : open("/dev/null", O_RDWR), STDIN_FILENO);
    dup2(end >= 0 ? end : STDERR_FILENO, STDOUT_FILENO);
    if (end > STDERR_FILENO) close(end);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* A socket, and no pipes: servers such as "rsync --daemon" look whether their standard input is one. */
static int make_ends(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return -1;
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);
    return 0;
}

long program_start(const char *command, const visitor *v, int *end) {
    int pair[2] = {-1, -1};
    if (end && make_ends(pair) != 0) return 0;
    pid_t child = fork();
    if (child == 0) become(command, v, pair[1]);
    int why = errno;
    if (pair[1] >= 0) close(pair[1]);
    if (child > 0) {
        setpgid(child, child);
        if (end) *end = pair[0];
        return child;
    }
    if (pair[0] >= 0) close(pair[0]);
    errno = why;
    return 0;
}

int program_has_ended(long program, int *good) {
    int status = -1;
    if (waitpid((pid_t)program, &status, WNOHANG) == 0) return 0;
    if (good) *good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return 1;
}

void program_hang_up(long program) { kill(-(pid_t)program, SIGHUP); }

void program_kill(long program) {
    kill(-(pid_t)program, SIGKILL);
    kill((pid_t)program, SIGKILL); /* also if it went out of its group */
}
