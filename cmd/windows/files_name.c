/* SPDX-License-Identifier: ISC */
#include "files_name.h"

#include "wide.h"

#include <string.h>

/* Devices, whatever stands behind a dot: "Naming Files, Paths, and Namespaces", Microsoft Learn */
static int is_device(const uint8_t *name, size_t len) {
    static const char *const devices[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
    size_t n = 0;
    while (n < len && name[n] != '.' && name[n] != ' ') n++;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (n == strlen(devices[i]) && _strnicmp((const char *)name, devices[i], n) == 0) return 1;
    int numbered = n >= 4 && (_strnicmp((const char *)name, "com", 3) == 0 || _strnicmp((const char *)name, "lpt", 3) == 0);
    if (numbered && n == 4 && name[3] >= '0' && name[3] <= '9') return 1;
    return numbered && n == 5 && name[3] == 0xc2 && (name[4] == 0xb9 || name[4] == 0xb2 || name[4] == 0xb3); /* superscripts */
}

/* NTFS gives what has a long name a second one, such as PROGRA~1, by which it is opened too: ".ssh" by SSH~1 (as in
 * CVE-2014-9390). A file server may put letters behind the "~". At most 12 characters, of which UTF-8 has more bytes. */
static int is_short(const uint8_t *name, size_t len, size_t tilde) {
    size_t characters = 0;
    for (size_t i = 0; i < len; i++) characters += (name[i] & 0xc0) != 0x80;
    return characters <= 12 && tilde + 1 < len && name[tilde + 1] != '.';
}

/* No separators, no streams, nothing that a search would take for more; and no name that changes when it is used. */
int files_name_takes(const uint8_t *name, size_t len, size_t i) {
    if (strchr("<>:\"\\|?*", name[i])) return 0;
    if (name[i] == '~' && is_short(name, len, i)) return 0;
    if (i == len - 1 && (name[i] == '.' || name[i] == ' ')) return 0;
    return i > 0 || !is_device(name, len);
}

int files_name_compare(const char *a, const char *b) { return _stricmp(a, b); }

char *files_name_path(const char *argument) {
    char *path = strdup(argument);
    for (char *p = path; p && *p; p++)
        if (*p == '\\') *p = '/';
    return path;
}

int files_name_give(int dir, const char *name, const char *new_name) { return windows_rename_new(dir, name, new_name); }
