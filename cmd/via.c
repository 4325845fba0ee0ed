/* SPDX-License-Identifier: ISC */
#include "via.h"

#include "cmd.h"
#include "codec.h"
#include "keyfile.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

/* Of one proxy, n characters: where its "@" is, and with *colon whether a password stands before it. NULL: no user. */
static const char *find_user_end(const char *proxy, size_t n, int *colon) {
    size_t at = n;
    while (at > 0 && proxy[at - 1] != '@') at--;
    *colon = 0;
    if (at == 0) return NULL;
    for (size_t i = 0; i + 1 < at; i++) /* the first colon is that of "http://" */
        if (proxy[i] == ':' && !(i + 2 < at && proxy[i + 1] == '/' && proxy[i + 2] == '/')) *colon = 1;
    return proxy + at - 1;
}

/* Looks at all proxies: *user_end is that of the only user, or NULL. */
static int check(const char *list, const char *file, const char **user_end, const char *command) {
    *user_end = NULL;
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        int colon;
        const char *end = find_user_end(p, strcspn(p, ","), &colon);
        if (colon)
            return options_fault(command, "--via: others can see a password on the command line; write USER@HOST:PORT, "
                                          "and the password into a file for --via-password FILE");
        if (end && *user_end)
            return options_fault(command, "--via: one of the proxies may have a USER@, because --via-password has one "
                                          "password");
        if (end) *user_end = end;
    }
    if (*user_end && !file) return options_fault(command, "--via with USER@ wants --via-password FILE");
    if (!*user_end && file) return options_fault(command, "--via-password goes with a USER@ in --via");
    return EXIT_DONE;
}

/* Everything but letters and digits as %XX */
static size_t encode(char *out, const char *text) {
    size_t used = 0;
    for (; *text; text++) {
        int plain = (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
        used += (size_t)sprintf(out + used, plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
    return used;
}

int via_read(char out[VIA_MAX], const char *list, const char *file, const char *command) {
    char password[PASSWORD_MAX + 1];
    const char *user_end;
    int code = check(list, file, &user_end, command);
    if (code != EXIT_DONE) return code;
    if (strlen(list) + 1 + 3 * PASSWORD_MAX >= VIA_MAX) return options_fault(command, "--via: the list is too long");
    if (!user_end) {
        memcpy(out, list, strlen(list) + 1);
        return EXIT_DONE;
    }
    code = keyfile_read_password(file, password);
    if (code != EXIT_DONE) return code;
    size_t used = (size_t)(user_end - list);
    memcpy(out, list, used);
    out[used++] = ':';
    used += encode(out + used, password);
    memcpy(out + used, user_end, strlen(user_end) + 1);
    wipe(password, sizeof password);
    return EXIT_DONE;
}
