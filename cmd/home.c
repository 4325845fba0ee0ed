/* SPDX-License-Identifier: ISC */
#include "home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_directory(const char *path) { return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1; }

/* 1 if the text fitted. */
static int fits(int n, size_t size) { return n >= 0 && (size_t)n < size; }

int home_path(char path[HOME_PATH], const char *name, int make) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char base[HOME_PATH];
    int n = config && *config ? snprintf(base, sizeof base, "%s", config)
            : home && *home   ? snprintf(base, sizeof base, "%s/.config", home)
                              : -1;
    if (!fits(n, sizeof base)) return -1;
    if (!fits(snprintf(path, HOME_PATH, "%s/svconn", base), HOME_PATH)) return -1;
    if (make && (make_directory(base) != 0 || make_directory(path) != 0)) return -1;
    return fits(snprintf(path, HOME_PATH, "%s/svconn/%s", base, name), HOME_PATH) ? 0 : -1;
}

const char home_runtime_from[] = "XDG_RUNTIME_DIR or HOME";

int home_runtime(char path[HOME_PATH]) {
    struct stat st;
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (base && *base) {
        if (!fits(snprintf(path, HOME_PATH, "%s/svconn", base), HOME_PATH)) return -1;
    } else if (home_path(path, "run", 1) != 0) {
        return -1;
    }
    if (make_directory(path) != 0 || lstat(path, &st) != 0) return -1;
    return S_ISDIR(st.st_mode) && st.st_uid == getuid() && !(st.st_mode & (S_IRWXG | S_IRWXO)) ? 0 : -1;
}
