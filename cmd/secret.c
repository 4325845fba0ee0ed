/* SPDX-License-Identifier: ISC */
#include "secret.h"

#include "cmd.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int secret_create(const char *path) { return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); }

/* Opens a file that must be the owner's alone. Looks at the opened file, not at its name, which may change. A pipe
 * keeps nothing, so its mode does not matter: "--key <(age -d key.age)". what: "key" or "password". */
int secret_open(const char *path, const char *what) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        say("cannot open the %s file %s: %s%s", what, path, strerror(errno),
            errno == ENOENT && strcmp(what, "key") == 0 ? "; \"svconn keygen\" makes one" : "");
        return -1;
    }
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        say("%s is not a %s file", path, what);
    } else if (!S_ISFIFO(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO))) {
        say("%s can be read or changed by others (mode %03o), so the %s in it is not safe; do \"chmod 600 %s\"", path,
            (unsigned)(st.st_mode & 0777), what, path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

const char secret_encrypted[] =
    "it is encrypted with a password; decrypt it with \"openssl pkey -in FILE -out NEWFILE\", then chmod 600; or use "
    "--key-command \"openssl pkey -in FILE\"";

/* The standard input stays as it is, for a passphrase. */
int secret_command(const char *command, long *child) {
    int ends[2];
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    signal(SIGCHLD, SIG_DFL); /* if it came to us as "ignore", nobody could learn how the command ended */
    *child = (long)fork();
    if (*child == 0) {
        signal(SIGPIPE, SIG_DFL);
        dup2(ends[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (*child > 0) return ends[0];
    close(ends[0]);
    return -1;
}

static int wait_for(pid_t pid, int *status) {
    pid_t got;
    while ((got = waitpid(pid, status, 0)) < 0 && errno == EINTR) {
    }
    return got == pid ? 0 : -1;
}

/* The words of the command may be secret, so they are not repeated. */
int secret_command_end(long child, int aloud) {
    int status, lost = wait_for((pid_t)child, &status) != 0;
    if (!aloud) return EXIT_LOCAL;
    if (lost) {
        say("--key-command: cannot learn how the command ended: %s", strerror(errno));
        return EXIT_LOCAL;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return EXIT_DONE;
    if (WIFEXITED(status))
        say("--key-command: the command ended with exit status %d%s; try it alone, it must print a private key",
            WEXITSTATUS(status), WEXITSTATUS(status) == 127 ? " (not found)" : "");
    else say("--key-command: signal %d ended the command; try it alone, it must print a private key", WTERMSIG(status));
    return EXIT_LOCAL;
}
