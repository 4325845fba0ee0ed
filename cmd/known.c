/* SPDX-License-Identifier: ISC */
#include "known.h"

#include "codec.h"
#include "home.h"
#include "svconn.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* 1: this key; -1: another one; 0: the file does not know the relay, or is not there. */
static int look_up(const char *path, const char *relay, const char *hex) {
    char line[500];
    int found = 0;
    size_t len = strlen(relay);
    FILE *f = fopen(path, "re");
    while (f && found != 1 && fgets(line, sizeof line, f)) {
        if (strncasecmp(line, relay, len) != 0 || line[len] != ' ') continue;
        found = strncasecmp(line + len + 1, hex, 64) == 0 ? 1 : -1;
    }
    if (f) fclose(f);
    return found;
}

/* One write of a whole line at the end: two programs at once do not mix theirs. */
static void add(const char *path, const char *relay, const char *hex) {
    char line[500];
    char last = '\n'; /* of the file: an editor may have left the last line open */
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0 && lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) != 1) last = '\n';
    int n = snprintf(line, sizeof line, "%s%s %s\n", last == '\n' ? "" : "\n", relay, hex);
    if (fd < 0 || write(fd, line, (size_t)n) != n) say("cannot remember the relay in %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
}

/* Asks the terminal, not standard input: that may be data. */
static int ask(const char *relay, const char *hex, const uint8_t key[32]) {
    char fingerprint[36], answer[16] = "";
    uint8_t identity[33] = {SVCONN_TYPE_ED25519};
    FILE *terminal = fopen("/dev/tty", "r+e");
    memcpy(identity + 1, key, 32);
    svconn_fingerprint(fingerprint, identity, sizeof identity);
    if (!terminal) {
        say("the relay %s is not known yet, and there is no terminal to ask at; compare its key with what its operator "
            "says, then write it into the address: relay://%s@%s/...",
            relay, hex, relay);
        return 0;
    }
    fprintf(terminal,
            "The relay %s is not known yet.\n  public key:  %s\n  fingerprint: %s\n"
            "Compare it with what the operator of the relay says. (A wrong relay cannot read what you send to your\n"
            "peer; it sees who connects when, and your tokens.) Is it right? Type yes: ",
            relay, hex, fingerprint);
    fflush(terminal);
    if (!fgets(answer, sizeof answer, terminal)) answer[0] = 0;
    fclose(terminal);
    return strcmp(answer, "yes\n") == 0;
}

int known_relays_find(const char *file, const char *relay, const uint8_t key[32]) {
    char path[HOME_PATH], hex[65];
    hex_encode(hex, key, 32);
    if (!file && home_path(path, "known_relays", 0) != 0) return 0;
    return look_up(file ? file : path, relay, hex);
}

int known_relays_ask(const char *file, const char *relay, const uint8_t key[32]) {
    char path[HOME_PATH], hex[65];
    hex_encode(hex, key, 32);
    if (file) snprintf(path, sizeof path, "%s", file);
    int has_place = file || home_path(path, "known_relays", 0) == 0;
    int found = has_place ? look_up(path, relay, hex) : 0;
    if (found == 1) return 1;
    if (found == -1) {
        say("the relay %s shows another key than the one in %s: it was set up anew, or somebody is in between. Ask its "
            "operator; if the new key is right, remove the line of the old one.",
            relay, path);
        return 0;
    }
    if (!ask(relay, hex, key)) return 0;
    if (file || (has_place && home_path(path, "known_relays", 1) == 0)) add(path, relay, hex);
    return 1;
}
