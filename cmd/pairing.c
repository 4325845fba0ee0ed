/* SPDX-License-Identifier: ISC */
#include "pairing.h"

#include "cmd.h"
#include "codec.h"
#include "keyfile.h"
#include "secret.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int pairing_write(const char *path, const char *address, const uint8_t psk[32]) {
    char line[PAIRING_ADDRESS + 70], hex[65];
    hex_encode(hex, psk, 32);
    int n = snprintf(line, sizeof line, "%s#%s\n", address, hex), code = EXIT_LOCAL;
    int fd = secret_create(path);
    if (n > PASSWORD_MAX) say("the address is too long for a pairing link: %s", address);
    else if (fd < 0) say("cannot make %s: %s", path, strerror(errno));
    else if (write(fd, line, (size_t)n) != n) say("cannot write %s: %s", path, strerror(errno));
    else code = EXIT_DONE;
    if (fd >= 0) close(fd);
    wipe(line, sizeof line);
    wipe(hex, sizeof hex);
    return code;
}

int pairing_read(const char *path, char address[PAIRING_ADDRESS], uint8_t psk[32]) {
    char line[PASSWORD_MAX + 1];
    int code = keyfile_read_password(path, line);
    if (code != EXIT_DONE) return code;
    char *mark = strchr(line, '#');
    if (mark && strlen(mark + 1) == 64 && hex_decode(psk, 32, mark + 1) == 0) {
        *mark = 0;
        snprintf(address, PAIRING_ADDRESS, "%s", line);
    } else {
        say("%s holds no pairing link: \"svconn listen --relay RELAY --pairing FILE\" makes one", path);
        code = EXIT_LOCAL;
    }
    wipe(line, sizeof line);
    return code;
}
