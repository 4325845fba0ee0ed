/* SPDX-License-Identifier: ISC */
#include "cmd.h"
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FEW_DESCRIPTORS 1024

const char doctor_no_random[] = "see that /dev/urandom is there and readable";
const char doctor_no_clock[] = "look at the virtual machine, or at the kernel's clock source";
const int doctor_nap_ms = 20;
const char doctor_home_name[] = "HOME";
const char doctor_home_next[] = "set HOME to your home directory";

/* ---- places and modes ---- */

int doctor_look(doctor *d, const char *check, const char *path, const char *if_missing) {
    struct stat st;
    char next[HOME_PATH + 40];
    if (stat(path, &st) != 0) {
        doctor_state state = errno == ENOENT ? DOCTOR_NOTE : DOCTOR_FAULT;
        doctor_tell(d, state, EXIT_LOCAL, check, state == DOCTOR_NOTE ? if_missing : "look at its mode and its owner",
                    "%s: %s", path, errno == ENOENT ? "this is not there yet" : strerror(errno));
        return 0;
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, check, "take it over with chown, or name another place",
                    "%s belongs to somebody else (user %lu)", path, (unsigned long)st.st_uid);
        return 0;
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        snprintf(next, sizeof next, "chmod go-w %s", path);
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, check, next, "%s can be changed by others (mode %03o)", path,
                    (unsigned)(st.st_mode & 0777));
        return 0;
    }
    return 1;
}

void doctor_home(doctor *d) {
    const char *home = getenv("HOME");
    if (home && *home && doctor_look(d, "home", home, "make it, or set HOME"))
        doctor_tell(d, DOCTOR_OK, 0, "home", NULL, "%s", home);
}

/* ---- limits ---- */

static void check_descriptors(doctor *d) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    unsigned long n = limit.rlim_cur > 1000000 ? 1000000 : (unsigned long)limit.rlim_cur;
    if (n >= FEW_DESCRIPTORS)
        doctor_tell(d, DOCTOR_OK, 0, "descriptors", NULL, "%lu open files; a forwarded connection takes one", n);
    else
        doctor_tell(d, DOCTOR_NOTE, 0, "descriptors", "\"ulimit -n 4096\" in the shell that starts svconn",
                    "only %lu open files at once; a forwarded connection takes one", n);
}

static void check_runtime(doctor *d) {
    char path[HOME_PATH];
    if (home_runtime(path) == 0) doctor_tell(d, DOCTOR_OK, 0, "runtime", NULL, "%s", path);
    else
        doctor_tell(d, DOCTOR_FAULT, EXIT_LOCAL, "runtime",
                    "set XDG_RUNTIME_DIR to a directory that is yours alone (mode 700)",
                    "there is no directory for the sockets of \"svconn sessions\"");
}

void doctor_limits(doctor *d) {
    check_descriptors(d);
    check_runtime(d);
}
