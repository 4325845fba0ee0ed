/* SPDX-License-Identifier: ISC */
#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Standard descriptors that are closed would be given to the next file or socket that is opened, and messages would go
 * there. Now input has ended, and writing fails. */
int startup_prepare(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd) return -1;
    signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of write, with a message */
    return 0;
}

void startup_writes_files(void) { signal(SIGXFSZ, SIG_IGN); }
