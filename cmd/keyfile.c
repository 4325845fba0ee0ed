/* SPDX-License-Identifier: ISC */
#include "keyfile.h"

#include "cmd.h"
#include "codec.h"
#include "svconn.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 2048 /* a PEM file of RFC 8410 has 119 bytes; attributes may add some */

static const char pem_begin[] = "-----BEGIN PRIVATE KEY-----";
static const char pem_end[] = "-----END PRIVATE KEY-----";

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

int keyfile_write(const char *path, const uint8_t secret[32], keyfile_form form) {
    char text[160];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        say("%s exists, and a key is never overwritten; choose another name, or move the old file away", path);
        return EXIT_LOCAL;
    }
    if (fd < 0) {
        say("cannot make %s: %s", path, strerror(errno));
        return EXIT_LOCAL;
    }
    size_t len = format_secret(text, secret, form);
    int bad = write_all(fd, text, len) != 0 || fsync(fd) != 0;
    bad |= close(fd) != 0;
    wipe(text, sizeof text);
    if (!bad) return EXIT_DONE;
    say("cannot write %s: %s; the file was removed again", path, strerror(errno));
    unlink(path);
    return EXIT_LOCAL;
}

/* ---- reading ---- */
/* Opens a file that must be the owner's alone. Looks at the opened file, not at its name, which may change. what: "key"
 * or "password". */
static int open_secret(const char *path, const char *what) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        say("cannot open the %s file %s: %s%s", what, path, strerror(errno),
            errno == ENOENT && strcmp(what, "key") == 0 ? "; \"svconn keygen -o FILE\" makes one" : "");
        return -1;
    }
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        say("%s is not a %s file", path, what);
    } else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        say("%s can be read or changed by others (mode %03o), so the %s in it is not safe; do \"chmod 600 %s\"", path,
            (unsigned)(st.st_mode & 0777), what, path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

/* Reads the whole file into text. Returns the length, or -1. */
static int read_file(const char *path, const char *what, char text[FILE_MAX + 1]) {
    size_t used = 0;
    ssize_t n = 1;
    int fd = open_secret(path, what);
    if (fd < 0) return -1;
    while (used < FILE_MAX && (n = read(fd, text + used, FILE_MAX - used)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        used += (size_t)n;
    }
    if (n < 0) say("cannot read %s: %s", path, strerror(errno));
    close(fd);
    if (n < 0) return -1;
    if (used == FILE_MAX) {
        say("%s is too large for a %s file", path, what);
        return -1;
    }
    text[used] = 0;
    return (int)used;
}

/* The same without the white space at its end */
static int read_secret(const char *path, char text[FILE_MAX + 1]) {
    int len = read_file(path, "key", text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1])) len--;
    if (len >= 0) text[len] = 0;
    return len;
}

/* The base64 text between the two lines of a PEM file, without its line ends, in place. Returns its length, or -1. */
static int pem_body(char *text, size_t len) {
    size_t begin = sizeof pem_begin - 1, end = sizeof pem_end - 1, used = 0;
    if (len < begin + end + 2 || memcmp(text, pem_begin, begin) != 0 || memcmp(text + len - end, pem_end, end) != 0)
        return -1;
    if (!strchr("\r\n", text[begin]) || text[len - end - 1] != '\n') return -1;
    for (size_t i = begin; i < len - end; i++)
        if (!strchr("\r\n", text[i])) text[used++] = text[i];
    return (int)used;
}

/* Why a file that holds something else is no use to us. */
static const char *other_format(const char *text) {
    if (strstr(text, "BEGIN ENCRYPTED PRIVATE KEY"))
        return "it is encrypted with a password; decrypt it with \"openssl pkey -in FILE -out NEWFILE\", then chmod "
               "600";
    if (strstr(text, "BEGIN OPENSSH PRIVATE KEY"))
        return "it is a key of OpenSSH; make one for svconn with \"svconn keygen\"";
    if (strstr(text, "BEGIN PUBLIC KEY")) return "it is a public key; the private key is wanted here";
    if (strstr(text, "BEGIN PRIVATE KEY")) return "it is not a well-formed PKCS#8 file of an Ed25519 key";
    if (strstr(text, "-----BEGIN")) return "it is a PEM file of another kind; an Ed25519 key in PKCS#8 is wanted";
    return "it holds neither a PEM private key nor 64 hexadecimal digits";
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

static int parse_pem(const char *path, char *text, size_t len, uint8_t seed[32]) {
    uint8_t der[FILE_MAX];
    const uint8_t *key = NULL, *public_key = NULL;
    const char *what = other_format(text);
    int body = pem_body(text, len);
    int der_len = body > 0 ? base64_decode(der, sizeof der, text, (size_t)body) : -1;
    if (der_len > 0 && pkcs8_read(der, (size_t)der_len, &key, &public_key) == 0) {
        memcpy(seed, key, 32);
        what = public_key && !public_key_fits(seed, public_key) ? "its public key does not belong to its private key"
                                                                : NULL;
    }
    wipe(der, sizeof der);
    if (what) say("%s: %s", path, what);
    return what ? EXIT_LOCAL : EXIT_DONE;
}

int keyfile_read_seed(const char *path, uint8_t seed[32]) {
    char text[FILE_MAX + 1];
    int code = EXIT_LOCAL;
    int len = read_secret(path, text);
    if (len == 64 && hex_decode(seed, 32, text) == 0) code = EXIT_DONE;
    else if (len >= 0) code = parse_pem(path, text, (size_t)len, seed);
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

int keyfile_read_seed_of(const char *command, uint8_t seed[32]) {
    (void)seed;
    say("%s: not yet", command);
    return EXIT_LOCAL;
}
