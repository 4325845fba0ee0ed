/* SPDX-License-Identifier: ISC */
#include "place.h"

#include "cmd.h"
#include "codec.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELAY "relay://"

int place_is_address(const char *text) {
    static const char *const kinds[] = {"tcp://", "unix:", "rfcomm://", "serial:",  "fd:",        "stdio:",
                                        "exec:",  "ws://", "dir:",      "relay://", "wormhole://"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(text, kinds[i], strlen(kinds[i])) == 0) return 1;
    return 0;
}

int place_is_token(const char *text) {
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (strlen(text) == 8) return strspn(text, letters) == 8 && strpbrk(text, "0123456789");
    return strlen(text) == 9 && text[4] == '-' && strspn(text, letters) == 4 && strspn(text + 5, letters) == 4;
}

int place_at_relay(char *out, size_t size, const char *relay, const uint8_t *key, const char *token,
                   const char *command) {
    char hex[65] = "";
    if (!relay) relay = getenv("SVCONN_RELAY");
    if (!relay || !*relay)
        return options_fault(command,
                             "--relay is missing: where do the two meet? [KEY@]HOST[:PORT] of a relay, here or "
                             "in SVCONN_RELAY");
    if (strncmp(relay, RELAY, strlen(RELAY)) == 0) relay += strlen(RELAY);
    size_t len = strcspn(relay, "/");
    if (relay[len] && relay[len + 1]) return options_fault(command, "--relay %s: nothing may follow HOST:PORT", relay);
    if (key) hex_encode(hex, key, 32);
    int n = snprintf(out, size, RELAY "%.*s/%s", (int)len, relay, key ? hex : token ? token : "");
    return n > 0 && (size_t)n < size ? EXIT_DONE : options_fault(command, "--relay: this is too long");
}

int place_of_peer(char *out, size_t size, const char *address, const uint8_t key[32], const char *command) {
    const char *slash = strncmp(address, RELAY, strlen(RELAY)) == 0 ? strchr(address + strlen(RELAY), '/') : "/-";
    if (!slash || !slash[1]) return place_at_relay(out, size, address, key, NULL, command);
    snprintf(out, size, "%s", address);
    return EXIT_DONE;
}
