/* SPDX-License-Identifier: ISC */
/* %APPDATA%\svconn, where the directories of users are theirs alone. */
#include "home.h"

#include "wide.h"

#include <direct.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int home_path(char path[HOME_PATH], const char *name, int make) {
    char base[HOME_PATH];
    wchar_t wide[WIDE_PATH];
    const wchar_t *data = _wgetenv(L"APPDATA");
    if (!data || !*data || wide_to(base, sizeof base, data) != 0) return -1;
    int n = snprintf(path, HOME_PATH, "%s\\svconn", base);
    if (n < 0 || n >= HOME_PATH || wide_of(wide, path) != 0) return -1;
    if (make && _wmkdir(wide) != 0 && errno != EEXIST) return -1;
    n = snprintf(path, HOME_PATH, "%s\\svconn\\%s", base, name);
    return n > 0 && n < HOME_PATH ? 0 : -1;
}
