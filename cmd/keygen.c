/* SPDX-License-Identifier: ISC */
/* svconn keygen, svconn id. */
#include "cmd.h"
#include "codec.h"
#include "keyfile.h"
#include "options.h"
#include "svconn.h"
#include "svconn_transport.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static int print_identity(const uint8_t public_key[32]) {
    uint8_t identity[33] = {SVCONN_TYPE_ED25519};
    char digits[65], fingerprint[36];
    memcpy(identity + 1, public_key, 32);
    hex_encode(digits, public_key, 32);
    svconn_fingerprint(fingerprint, identity, sizeof identity);
    printf("public key: %s\nfingerprint: %s\n", digits, fingerprint);
    if (fflush(stdout) == 0) return EXIT_DONE;
    say("cannot write to standard output");
    return EXIT_LOCAL;
}

static int print_identity_of(const uint8_t seed[32]) {
    svconn_identity id;
    size_t len;
    svconn_identity_ed25519(&id, seed);
    int code = print_identity(svconn_identity_bytes(&id, &len) + 1);
    svconn_identity_wipe(&id);
    return code;
}

static int make_key(const char *path, int hex, int psk) {
    uint8_t secret[32];
    if (svconn_random(secret, sizeof secret) != 0) {
        say("the system gives no random bytes, so no key was made");
        return EXIT_LOCAL;
    }
    int code = keyfile_write(path, secret, hex || psk ? KEYFILE_HEX : KEYFILE_PEM);
    if (code == EXIT_DONE && psk)
        say("%s holds a new pre-shared key; bring a copy to the other party on a way that nobody else can read", path);
    else if (code == EXIT_DONE) code = print_identity_of(secret);
    wipe(secret, sizeof secret);
    return code;
}

int cmd_keygen(int argc, char **argv) {
    const char *path = NULL, *operand[1] = {NULL};
    int hex = 0, psk = 0;
    const option rows[] = {
        {"output", "FILE", "the new file (mode 600); an existing one is never overwritten", OPTION_TEXT, &path, 0, 0},
        {"hex", NULL, "write 64 hexadecimal digits instead of PKCS#8 PEM", OPTION_FLAG, &hex, 0, 0},
        {"psk", NULL, "make a pre-shared key (64 hexadecimal digits) instead of a key pair", OPTION_FLAG, &psk, 0, 0},
    };
    const usage u = {.command = "keygen",
                     .operands = "",
                     .about = "Makes an Ed25519 key from the system's random source and prints its public key "
                              "and\nfingerprint. Use the key for svconn only.",
                     .rows = rows,
                     .n_rows = sizeof rows / sizeof rows[0]};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (!path) return options_fault("keygen", "-o FILE is missing");
    return make_key(path, hex, psk);
}

int cmd_id(int argc, char **argv) {
    const char *public_hex = NULL, *operand[2] = {NULL, NULL};
    uint8_t key[32];
    const option rows[] = {
        {"public", "HEX", "a public key (64 hexadecimal digits) instead of a file", OPTION_TEXT, &public_hex, 0, 0},
    };
    const usage u = {.command = "id",
                     .operands = "FILE",
                     .about = "Prints the public key and the fingerprint of a private key (PKCS#8 PEM or "
                              "64\nhexadecimal digits). The fingerprint is for people to compare.",
                     .rows = rows,
                     .n_rows = sizeof rows / sizeof rows[0],
                     .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (!public_hex == !operand[0]) return options_fault("id", "one FILE is wanted, or --public HEX");
    if (public_hex) {
        if (strlen(public_hex) != 64 || hex_decode(key, 32, public_hex) != 0)
            return options_fault("id", "--public: 64 hexadecimal digits are wanted");
        return print_identity(key);
    }
    code = keyfile_read_seed(operand[0], key);
    if (code == EXIT_DONE) code = print_identity_of(key);
    wipe(key, sizeof key);
    return code;
}
