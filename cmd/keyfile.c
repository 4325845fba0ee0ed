/* SPDX-License-Identifier: ISC */
#include "keyfile.h"

#include "cmd.h"
#include "codec.h"
#include "secret.h"
#include "sshkey.h"
#include "svconn.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A PEM file of RFC 8410 has 119 bytes, an Ed25519 key of OpenSSH 400 and its comment. A large RSA key must fit too: we
 * say what it is. */
#define FILE_MAX 16384

static const char pem_begin[] = "-----BEGIN PRIVATE KEY-----";
static const char pem_end[] = "-----END PRIVATE KEY-----";
static const char openssh_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char openssh_end[] = "-----END OPENSSH PRIVATE KEY-----";

/* ---- writing ---- */
static int write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

static size_t format_secret(char text[160], const uint8_t secret[32], keyfile_form form) {
    uint8_t der[PKCS8_SIZE];
    char digits[65];
    int n;
    if (form == KEYFILE_PEM) {
        pkcs8_write(der, secret);
        base64_encode(digits, der, sizeof der);
        n = snprintf(text, 160, "%s\n%s\n%s\n", pem_begin, digits, pem_end);
    } else {
        hex_encode(digits, secret, 32);
        n = snprintf(text, 160, "%s\n", digits);
    }
    wipe(der, sizeof der);
    wipe(digits, sizeof digits);
    return (size_t)n;
}

/* fsync of a pipe is an error that means nothing. */
static int write_secret(int fd, const uint8_t secret[32], keyfile_form form) {
    char text[160];
    size_t len = format_secret(text, secret, form);
    int bad = write_all(fd, text, len) != 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP);
    wipe(text, sizeof text);
    return bad ? -1 : 0;
}

int keyfile_print(const uint8_t secret[32], keyfile_form form) {
    if (write_secret(STDOUT_FILENO, secret, form) == 0) return EXIT_DONE;
    say("cannot write the key to standard output: %s; it is lost, make another one", strerror(errno));
    return EXIT_LOCAL;
}

int keyfile_write(const char *path, const uint8_t secret[32], keyfile_form form) {
    int fd = secret_create(path);
    if (fd < 0 && errno == EEXIST) {
        say("%s exists, and a key is never overwritten; choose another name, or move the old file away", path);
        return EXIT_LOCAL;
    }
    if (fd < 0) {
        say("cannot make %s: %s", path, strerror(errno));
        return EXIT_LOCAL;
    }
    int bad = write_secret(fd, secret, form) != 0;
    bad |= close(fd) != 0;
    if (!bad) return EXIT_DONE;
    say("cannot write %s: %s; the file was removed again", path, strerror(errno));
    unlink(path);
    return EXIT_LOCAL;
}

/* ---- reading ---- */
/* Reads to the end. Returns the length, or -1. */
static int read_all(int fd, const char *name, const char *what, char text[FILE_MAX + 1]) {
    size_t used = 0;
    ssize_t n = 1;
    while (used < FILE_MAX && (n = read(fd, text + used, FILE_MAX - used)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        used += (size_t)n;
    }
    text[used] = 0;
    if (n < 0) say("cannot read %s: %s", name, strerror(errno));
    else if (used == FILE_MAX) say("%s is too large for a %s file", name, what);
    else return (int)used;
    wipe(text, FILE_MAX);
    return -1;
}

/* Reads the whole file into text. Returns the length, or -1. */
static int read_file(const char *path, const char *what, char text[FILE_MAX + 1]) {
    int fd = secret_open(path, what);
    if (fd < 0) return -1;
    int len = read_all(fd, path, what, text);
    close(fd);
    return len;
}

static int trim(char *text, int len) {
    while (len > 0 && strchr(" \t\r\n", text[len - 1])) len--;
    if (len >= 0) text[len] = 0;
    return len;
}

/* The same without the white space at its end */
static int read_secret(const char *path, char text[FILE_MAX + 1]) { return trim(text, read_file(path, "key", text)); }

/* The base64 text between the two lines of a PEM file, without its line ends, in place. Returns its length, or -1. */
static int pem_body(char *text, size_t len, const char *first, const char *last) {
    size_t begin = strlen(first), end = strlen(last), used = 0;
    if (len < begin + end + 2 || memcmp(text, first, begin) != 0 || memcmp(text + len - end, last, end) != 0) return -1;
    if (!strchr("\r\n", text[begin]) || text[len - end - 1] != '\n') return -1;
    for (size_t i = begin; i < len - end; i++)
        if (!strchr("\r\n", text[i])) text[used++] = text[i];
    return (int)used;
}

/* Why a file that holds something else is no use to us. */
static const char *other_format(const char *text) {
    if (strstr(text, "BEGIN ENCRYPTED PRIVATE KEY"))
        return secret_encrypted;
    if (strstr(text, "BEGIN PUBLIC KEY")) return "it is a public key; the private key is wanted here";
    if (strncmp(text, "ssh-", 4) == 0)
        return "it is a public key of OpenSSH; the private key is wanted here (the file without .pub)";
    if (strstr(text, "BEGIN PRIVATE KEY")) return "it is not a well-formed PKCS#8 file of an Ed25519 key";
    if (strstr(text, "BEGIN AGE ENCRYPTED") || strncmp(text, "age-encryption.org/", 19) == 0)
        return "it is encrypted with age; use --key-command \"age -d FILE\"";
    if (strstr(text, "BEGIN PGP MESSAGE")) return "it is encrypted with OpenPGP; use --key-command \"gpg -d FILE\"";
    if (strstr(text, "-----BEGIN"))
        return "it is a PEM file of another kind; an Ed25519 key in PKCS#8 or of OpenSSH is wanted: \"svconn keygen\" "
               "makes one";
    return "it holds neither a PEM private key nor 64 hexadecimal digits";
}

/* The same for a file of OpenSSH. */
static const char *openssh_fault(sshkey_kind kind) {
    if (kind == SSHKEY_ENCRYPTED)
        return "this OpenSSH key is under a passphrase; take it off a copy with \"ssh-keygen -p -f COPY\"; to keep "
               "one, "
               "encrypt that copy with age or gpg and use --key-command \"age -d COPY.age\"";
    if (kind == SSHKEY_OTHER)
        return "this OpenSSH key is not an Ed25519 key; \"ssh-keygen -t ed25519\" or \"svconn keygen\" makes one";
    return "this OpenSSH key is damaged; take it from where it was copied once more, or make a new one with \"svconn "
           "keygen\"";
}

/* A key pair whose halves do not belong together was damaged, or made to mislead. */
static int public_key_fits(const uint8_t seed[32], const uint8_t *public_key) {
    svconn_identity id;
    size_t len;
    svconn_identity_ed25519(&id, seed);
    int fits = memcmp(svconn_identity_bytes(&id, &len) + 1, public_key, 32) == 0;
    svconn_identity_wipe(&id);
    return fits;
}

/* der is room to decode, which the caller wipes. NULL, or what is wrong. */
static const char *parse_pem(char *text, size_t len, uint8_t der[FILE_MAX], uint8_t seed[32]) {
    const uint8_t *key = NULL, *public_key = NULL;
    int openssh = strncmp(text, openssh_begin, sizeof openssh_begin - 1) == 0;
    const char *fault = openssh ? openssh_fault(SSHKEY_DAMAGED) : other_format(text);
    int body = openssh ? pem_body(text, len, openssh_begin, openssh_end) : pem_body(text, len, pem_begin, pem_end);
    int n = body > 0 ? base64_decode(der, FILE_MAX, text, (size_t)body) : -1;
    if (n < 0) return fault;
    if (openssh) {
        sshkey_kind kind = sshkey_read(der, (size_t)n, &key, &public_key);
        if (kind != SSHKEY_GOOD) return openssh_fault(kind);
    } else if (pkcs8_read(der, (size_t)n, &key, &public_key) != 0) {
        return fault;
    }
    memcpy(seed, key, 32);
    return public_key && !public_key_fits(seed, public_key) ? "its public key does not belong to its private key"
                                                            : NULL;
}

/* Any of the forms. Returns the exit code; if it is not 0, seed holds nothing of the key. */
static int parse_seed(const char *name, char *text, size_t len, uint8_t seed[32]) {
    uint8_t der[FILE_MAX];
    if (len == 64 && hex_decode(seed, 32, text) == 0) return EXIT_DONE;
    const char *fault = parse_pem(text, len, der, seed);
    wipe(der, sizeof der);
    if (!fault) return EXIT_DONE;
    wipe(seed, 32);
    say("%s: %s", name, fault);
    return EXIT_LOCAL;
}

int keyfile_read_seed(const char *path, uint8_t seed[32]) {
    char text[FILE_MAX + 1];
    int len = read_secret(path, text);
    int code = len >= 0 ? parse_seed(path, text, (size_t)len, seed) : EXIT_LOCAL;
    wipe(text, sizeof text);
    return code;
}

int keyfile_read_psk(const char *path, uint8_t psk[32]) {
    char text[FILE_MAX + 1];
    int code = EXIT_LOCAL;
    int len = read_secret(path, text);
    if (len == 64 && hex_decode(psk, 32, text) == 0) code = EXIT_DONE;
    else if (len >= 0)
        say("%s is not a pre-shared key: 64 hexadecimal digits are wanted; \"svconn keygen --psk -o FILE\" makes one",
            path);
    wipe(text, sizeof text);
    return code;
}

int keyfile_read_password(const char *path, char password[PASSWORD_MAX + 1]) {
    char text[FILE_MAX + 1];
    int len = read_file(path, "password", text);
    if (len < 0) return EXIT_LOCAL;
    if (len > 0 && text[len - 1] == '\n') len--;
    if (len > 0 && text[len - 1] == '\r') len--;
    text[len] = 0;
    int good = len > 0 && len <= PASSWORD_MAX && strlen(text) == (size_t)len && !strchr(text, '\n');
    if (good) memcpy(password, text, (size_t)len + 1);
    else say("%s is no password file: one line of 1 to %d bytes is wanted", path, PASSWORD_MAX);
    wipe(text, sizeof text);
    return good ? EXIT_DONE : EXIT_LOCAL;
}

/* ---- the key command ---- */
int keyfile_read_seed_of(const char *command, uint8_t seed[32]) {
    static const char name[] = "what --key-command prints";
    char text[FILE_MAX + 1];
    long child;
    int from = secret_command(command, &child);
    if (from < 0) {
        say("cannot start the command of --key-command: %s", strerror(errno));
        return EXIT_LOCAL;
    }
    int len = trim(text, read_all(from, name, "key", text));
    close(from); /* a command that goes on printing ends by SIGPIPE */
    int code = secret_command_end(child, len >= 0);
    if (len < 0) code = EXIT_LOCAL;
    if (code == EXIT_DONE) code = parse_seed(name, text, (size_t)len, seed);
    wipe(text, sizeof text);
    return code;
}
