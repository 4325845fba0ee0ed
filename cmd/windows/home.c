/* SPDX-License-Identifier: ISC */
/* %APPDATA%\svconn, where the directories of users are theirs alone. */
#include "home.h"

#include <direct.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int home_path(char path[HOME_PATH], const char *name, int make) {
    const char *base = getenv("APPDATA");
    int n = base && *base ? snprintf(path, HOME_PATH, "%s\\svconn", base) : -1;
    if (n < 0 || n >= HOME_PATH || (make && _mkdir(path) != 0 && errno != EEXIST)) return -1;
    n = snprintf(path, HOME_PATH, "%s\\svconn\\%s", base, name);
    return n > 0 && n < HOME_PATH ? 0 : -1;
}
