/* SPDX-License-Identifier: ISC */
/*
 * The primitives of the library, by text: each line of standard input names a function and its arguments in hex (- is
 * no byte), and one line of hex answers. "bad" answers what the function refuses. It is linked with the library as it
 * was built; tests/cavp/suites.py and random_curve.py talk to it.
 */
#include "aes256.h"
#include "cpu.h"
#include "crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS = 5 };
typedef struct {
    uint8_t *data;
    size_t len;
} bytes;

static _Noreturn void stop(const char *why) {
    fprintf(stderr, "driver: %s\n", why);
    exit(2);
}

static uint8_t *room(size_t n) {
    uint8_t *p = malloc(n ? n : 1);
    if (!p) stop("no memory");
    return p;
}

static uint8_t nibble(char c) {
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    if (!at) stop("not hex");
    return (uint8_t)(at - digits);
}

/* Each argument has memory of its own, so that a sanitizer sees what is read beyond it. */
static bytes decode(const char *hex) {
    bytes b = {NULL, strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2};
    b.data = room(b.len);
    for (size_t i = 0; i < b.len; i++) b.data[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return b;
}

static void answer(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) printf("%02x", p[i]);
    printf(n ? "\n" : "-\n");
    fflush(stdout);
}

static void verdict(int good) {
    puts(good ? "good" : "bad");
    fflush(stdout);
}

static void need(bytes b, size_t len) {
    if (b.len != len) stop("an argument of the wrong length");
}

static void hash256(uint8_t out[32], const uint8_t *msg, size_t len) {
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, msg, len);
    svconn_sha256_final(&c, out);
}

static void hash512(uint8_t out[64], const uint8_t *msg, size_t len) {
    svconn_sha512_ctx c;
    svconn_sha512_init(&c);
    svconn_sha512_update(&c, msg, len);
    svconn_sha512_final(&c, out);
}

/* SHAVS 6.4: one COUNT of the Monte Carlo test; the answer is the next seed. */
static void monte(uint8_t *seed, size_t n) {
    uint8_t m[3 * 64];
    for (int i = 0; i < 3; i++) memcpy(m + (size_t)i * n, seed, n);
    for (int i = 3; i < 1003; i++) {
        if (n == 32) hash256(seed, m, 3 * n);
        else hash512(seed, m, 3 * n);
        memmove(m, m + n, 2 * n);
        memcpy(m + 2 * n, seed, n);
    }
    answer(seed, n);
}

static void hmac(bytes key, bytes msg) {
    uint8_t mac[32];
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, key.data, key.len);
    svconn_hmac_update(&c, msg.data, msg.len);
    svconn_hmac_final(&c, mac);
    answer(mac, sizeof mac);
}

static void expand(bytes prk, bytes info, bytes n) {
    need(prk, 32);
    need(n, 2);
    size_t len = (size_t)(n.data[0] << 8 | n.data[1]);
    uint8_t *out = room(len);
    svconn_bytes part = {info.data, info.len};
    svconn_hkdf_expand(out, len, prk.data, &part, 1);
    answer(out, len);
    free(out);
}

/* seal KEY NONCE AAD TEXT TAG-LENGTH: ciphertext and tag, once to another place and once in place */
static void seal(const bytes *a) {
    uint64_t key[SVCONN_GCM_WORDS];
    need(a[0], 32);
    need(a[1], 12);
    need(a[4], 1);
    size_t len = a[3].len, tag = a[4].data[0];
    uint8_t *out = room(len + tag), *same = room(len + tag);
    svconn_gcm_init(key, a[0].data);
    svconn_gcm_seal(key, a[1].data, a[2].data, a[2].len, out, a[3].data, len, out + len, tag);
    memcpy(same, a[3].data, len);
    svconn_gcm_seal(key, a[1].data, a[2].data, a[2].len, same, same, len, same + len, tag);
    if (memcmp(out, same, len + tag) != 0) stop("seal in place differs");
    answer(out, len + tag);
    free(out);
    free(same);
}

/* open KEY NONCE AAD CIPHERTEXT TAG: the text, or bad; both ways too */
static void open_(const bytes *a) {
    uint64_t key[SVCONN_GCM_WORDS];
    need(a[0], 32);
    need(a[1], 12);
    size_t len = a[3].len;
    uint8_t *out = room(len), *same = room(len);
    svconn_gcm_init(key, a[0].data);
    int ok = svconn_gcm_open(key, a[1].data, a[2].data, a[2].len, out, a[3].data, len, a[4].data, a[4].len);
    memcpy(same, a[3].data, len);
    int ok2 = svconn_gcm_open(key, a[1].data, a[2].data, a[2].len, same, same, len, a[4].data, a[4].len);
    if (ok != ok2 || memcmp(out, same, len) != 0) stop("open in place differs");
    for (size_t i = 0; i < len && !ok; i++)
        if (out[i]) stop("a refused text is not erased");
    if (ok) answer(out, len);
    else verdict(0);
    free(out);
    free(same);
}

#ifdef SVCONN_SMALL_AES
/* aes KEY BLOCK: E(key, block) */
static void aes(bytes k, bytes block) {
    uint32_t keys[SVCONN_AES256_SMALL_WORDS] = {0}, b[4] = {0};
    uint8_t out[16];
    need(k, 32);
    need(block, 16);
    for (int i = 0; i < 32; i++) keys[i / 4] = keys[i / 4] << 8 | k.data[i];
    svconn_aes256_schedule(keys);
    for (int i = 0; i < 16; i++) b[i / 4] = b[i / 4] << 8 | block.data[i];
    svconn_aes256_block(b, b, keys);
    for (int i = 0; i < 16; i++) out[i] = (uint8_t)(b[i / 4] >> 8 * (~i & 3));
    answer(out, 16);
}
#else
/* aes KEY BLOCK: E(key, block), by the counter mode that begins at this block */
static void aes(bytes k, bytes block) {
    static const uint8_t zero[16];
    uint64_t key[SVCONN_AES256_WORDS];
    uint8_t out[16];
    svconn_aes256_ctr c;
    need(k, 32);
    need(block, 16);
    uint32_t n = 0;
    for (int i = 12; i < 16; i++) n = n << 8 | block.data[i];
    svconn_aes256_init(key, k.data);
    svconn_aes256_ctr_init(&c, key, block.data, n);
    svconn_aes256_ctr_xor(&c, out, zero, 16);
    answer(out, 16);
}
#endif

static void x25519(bytes k, bytes u) {
    uint8_t out[32];
    need(k, 32);
    need(u, 32);
    int ok = svconn_x25519(out, k.data, u.data);
    if (ok) answer(out, 32);
    else verdict(0);
}

static void edsign(bytes seed, bytes msg) {
    uint8_t key[32], sig[64];
    need(seed, 32);
    svconn_ed25519_public(key, seed.data);
    svconn_ed25519_sign(sig, seed.data, key, msg.data, msg.len);
    answer(sig, sizeof sig);
}

static void edverify(bytes sig, bytes key, bytes msg) {
    need(sig, 64);
    need(key, 32);
    verdict(svconn_ed25519_verify(sig.data, key.data, msg.data, msg.len));
}

/* A key that svconn_ed25519_check refuses has no Montgomery form. */
static void edmontgomery(bytes key) {
    uint8_t u[32];
    need(key, 32);
    if (!svconn_ed25519_check(key.data)) {
        verdict(0);
        return;
    }
    svconn_ed25519_to_x25519(u, key.data);
    answer(u, 32);
}

static void run(const char *f, const bytes *a) {
    uint8_t out[64];
    if (!strcmp(f, "sha256")) hash256(out, a[0].data, a[0].len), answer(out, 32);
    else if (!strcmp(f, "sha512")) hash512(out, a[0].data, a[0].len), answer(out, 64);
    else if (!strcmp(f, "monte256")) need(a[0], 32), monte(a[0].data, 32);
    else if (!strcmp(f, "monte512")) need(a[0], 64), monte(a[0].data, 64);
    else if (!strcmp(f, "hmac")) hmac(a[0], a[1]);
    else if (!strcmp(f, "extract"))
        svconn_hkdf_extract(out, a[0].data, a[0].len, a[1].data, a[1].len), answer(out, 32);
    else if (!strcmp(f, "expand")) expand(a[0], a[1], a[2]);
    else if (!strcmp(f, "seal")) seal(a);
    else if (!strcmp(f, "open")) open_(a);
    else if (!strcmp(f, "aes")) aes(a[0], a[1]);
    else if (!strcmp(f, "x25519")) x25519(a[0], a[1]);
    else if (!strcmp(f, "edpublic")) need(a[0], 32), svconn_ed25519_public(out, a[0].data), answer(out, 32);
    else if (!strcmp(f, "edsign")) edsign(a[0], a[1]);
    else if (!strcmp(f, "edverify")) edverify(a[0], a[1], a[2]);
    else if (!strcmp(f, "edmontgomery")) edmontgomery(a[0]);
    else if (!strcmp(f, "x25519public")) need(a[0], 32), svconn_x25519_public(out, a[0].data), answer(out, 32);
    else stop("unknown function");
}

int main(void) {
    static char line[1 << 18];
    const char *mask = getenv("SVCONN_TEST_CPU"); /* these backends alone (crypto/cpu.h); 77: they are not all here */
    if (mask && svconn_cpu_allow((uint32_t)strtoul(mask, NULL, 0)) != strtoul(mask, NULL, 0)) return 77;
    while (fgets(line, sizeof line, stdin)) {
        bytes a[ARGS];
        if (!strchr(line, '\n')) stop("a line too long");
        char *f = strtok(line, " \n");
        for (int i = 0; i < ARGS; i++) {
            const char *word = f ? strtok(NULL, " \n") : NULL;
            a[i] = decode(word ? word : "-");
        }
        if (f) run(f, a);
        for (int i = 0; i < ARGS; i++) free(a[i].data);
    }
    return 0;
}
