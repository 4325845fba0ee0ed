/* SPDX-License-Identifier: ISC */
/* svconn keygen, svconn id. */
#include "cmd.h"
#include "codec.h"
#include "crypto.h"
#include "home.h"
#include "keyfile.h"
#include "options.h"
#include "peerbook.h"
#include "randomart.h"
#include "svconn.h"
#include "svconn_transport.h"
#include "text.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- what is shown of a public key ---- */
typedef enum { SHOW_TEXT, SHOW_JSON, SHOW_SSH } show_form;

typedef struct {
    char hex[65], fingerprint[36], ssh[PEER_KEY_SSH], words[WORDS_TEXT], picture[RANDOMART_TEXT];
} key_view;

static void view_key(key_view *v, const uint8_t public_key[32]) {
    uint8_t identity[33] = {SVCONN_TYPE_ED25519}, bits[FINGERPRINT_BITS];
    memcpy(identity + 1, public_key, 32);
    hex_encode(v->hex, public_key, 32);
    svconn_fingerprint(v->fingerprint, identity, sizeof identity);
    peer_key_ssh(v->ssh, public_key);
    fingerprint_bits(bits, identity, sizeof identity);
    words_of(v->words, bits);
    randomart(v->picture, bits);
}

static int print_key(FILE *f, const uint8_t public_key[32], show_form form) {
    key_view v;
    view_key(&v, public_key);
    if (form == SHOW_SSH) fprintf(f, "%s\n", v.ssh);
    else if (form == SHOW_JSON)
        fprintf(f, "{\"public_key\": \"%s\", \"fingerprint\": \"%s\", \"words\": \"%s\", \"ssh\": \"%s\"}\n", v.hex,
                v.fingerprint, v.words, v.ssh);
    else
        fprintf(f, "public key: %s\nfingerprint: %s\nssh: %s\nwords: %s\n%s", v.hex, v.fingerprint, v.ssh, v.words,
                v.picture);
    if (fflush(f) == 0) return EXIT_DONE;
    say("cannot write what was asked for: %s", strerror(errno));
    return EXIT_LOCAL;
}

static int print_key_of(FILE *f, const uint8_t seed[32], show_form form) {
    svconn_identity id;
    size_t len;
    svconn_identity_ed25519(&id, seed);
    int code = print_key(f, svconn_identity_bytes(&id, &len) + 1, form);
    svconn_identity_wipe(&id);
    return code;
}

/* ---- keygen ---- */
/* path "-": standard output. */
static int make_key(const char *path, int hex, int psk) {
    uint8_t secret[32];
    int to_stdout = strcmp(path, "-") == 0;
    keyfile_form form = hex || psk ? KEYFILE_HEX : KEYFILE_PEM;
    if (svconn_random(secret, sizeof secret) != 0) {
        say("the system gives no random bytes, so no key was made");
        return EXIT_LOCAL;
    }
    int code = to_stdout ? keyfile_print(secret, form) : keyfile_write(path, secret, form);
    if (code == EXIT_DONE && psk)
        say("%s holds a new pre-shared key; bring a copy to the other party on a way that nobody else can read",
            to_stdout ? "standard output" : path);
    else if (code == EXIT_DONE) code = print_key_of(to_stdout ? stderr : stdout, secret, SHOW_TEXT);
    wipe(secret, sizeof secret);
    return code;
}

static int make_usual_key(int hex) {
    char path[HOME_PATH];
    if (home_path(path, "key", 1) != 0) {
        say("there is no usual place for a key: $HOME is not set, or nothing can be made there; name one with -o FILE");
        return EXIT_LOCAL;
    }
    int code = make_key(path, hex, 0);
    if (code == EXIT_DONE) say("%s holds the new key; it is the one that is used when no other is named", path);
    return code;
}

int cmd_keygen(int argc, char **argv) {
    const char *path = NULL, *operand[1] = {NULL};
    int hex = 0, psk = 0;
    const option rows[] = {
        {"output", "FILE",
         "the new file (mode 600); default ~/.config/svconn/key; an existing one is\nnever overwritten; - is standard "
         "output: svconn keygen -o - | age -p >key.age",
         OPTION_TEXT, &path, 0, 0},
        {"hex", NULL, "write 64 hexadecimal digits instead of PKCS#8 PEM", OPTION_FLAG, &hex, 0, 0},
        {"psk", NULL, "make a pre-shared key (64 hexadecimal digits) instead of a key pair", OPTION_FLAG, &psk, 0, 0},
    };
    const usage u = {.command = "keygen",
                     .operands = "",
                     .about = "Makes an Ed25519 key from the system's random source and prints what \"svconn id\" "
                              "does.\nUse the key for svconn only.",
                     .rows = rows,
                     .n_rows = sizeof rows / sizeof rows[0]};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (psk && !path) return options_fault("keygen", "--psk goes with -o FILE");
    return path ? make_key(path, hex, psk) : make_usual_key(hex);
}

/* ---- id ---- */
/* The text of a file with a public key: one line. */
static int read_public_file(const char *path, char *text, size_t size) {
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, size - 1, f) : 0;
    int bad = !f || ferror(f);
    if (bad) say("cannot read %s: %s", path, strerror(errno));
    if (f) fclose(f);
    text[n] = 0;
    return bad ? EXIT_LOCAL : EXIT_DONE;
}

/* svconn_ed25519_check is what a session asks of its peer's key. */
static int read_public(const char *text, uint8_t key[32]) {
    char content[4096];
    const char *file = *text == '@' ? text + 1 : NULL, *fault = NULL;
    if (file && read_public_file(file, content, sizeof content) != EXIT_DONE) return EXIT_LOCAL;
    if (peer_key_parse(key, file ? content : text) != 0)
        fault = "64 hexadecimal digits are wanted, or a line \"ssh-ed25519 AAAA...\", or @FILE with one of them";
    else if (!svconn_ed25519_check(key))
        fault = "no session accepts this key, because it is not a sound Ed25519 public key; ask its owner for what "
                "\"svconn id\" shows there";
    if (!fault) return EXIT_DONE;
    if (!file) return options_fault("id", "--public: %s", fault);
    say("%s: %s", file, fault);
    return EXIT_LOCAL;
}

static int read_usual(uint8_t seed[32]) {
    char path[HOME_PATH];
    if (home_path(path, "key", 0) == 0) return keyfile_read_seed(path, seed);
    say("there is no usual place for a key, because $HOME is not set; name a FILE");
    return EXIT_LOCAL;
}

static int show_private(const char *file, const char *command, show_form form) {
    uint8_t seed[32];
    int code = command ? keyfile_read_seed_of(command, seed) : file ? keyfile_read_seed(file, seed) : read_usual(seed);
    if (code == EXIT_DONE) code = print_key_of(stdout, seed, form);
    wipe(seed, sizeof seed);
    return code;
}

int cmd_id(int argc, char **argv) {
    const char *public_text = NULL, *command = NULL, *operand[2] = {NULL, NULL};
    int json = 0, ssh = 0;
    uint8_t key[32];
    const option rows[] = {
        {"key-command", "COMMAND", "the private key is what this prints, such as \"age -d key.age\"", OPTION_TEXT,
         &command, 0, 0},
        {"public", "KEY",
         "a public key instead: 64 hexadecimal digits, \"ssh-ed25519 AAAA...\",\nor @FILE with one of them, such as "
         "id_ed25519.pub",
         OPTION_TEXT, &public_text, 0, 0},
        {"json", NULL, "one JSON object", OPTION_FLAG, &json, 0, 0},
        {"ssh", NULL, "only the line \"ssh-ed25519 AAAA...\"", OPTION_FLAG, &ssh, 0, 0},
    };
    const usage u = {.command = "id",
                     .operands = "[FILE]",
                     .about = "Prints the public key and the fingerprint of a private key: PKCS#8 PEM, OpenSSH "
                              "(without a\npassphrase) or 64 hexadecimal digits; default ~/.config/svconn/key. "
                              "People compare all the digits\nor all the words; the picture is only a first look.",
                     .rows = rows,
                     .n_rows = sizeof rows / sizeof rows[0],
                     .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    if (code >= 0) return code;
    if (!!public_text + !!command + !!operand[0] > 1)
        return options_fault("id", "FILE, --key-command and --public: one of the three");
    if (json && ssh) return options_fault("id", "--json and --ssh: one of the two");
    show_form form = json ? SHOW_JSON : ssh ? SHOW_SSH : SHOW_TEXT;
    if (!public_text) return show_private(operand[0], command, form);
    code = read_public(public_text, key);
    return code == EXIT_DONE ? print_key(stdout, key, form) : code;
}
