/* SPDX-License-Identifier: ISC */
/*
 * Operations on several secrets each, between the marks of plugin.c: the addresses that they execute and touch may not differ. One line
 * with the name of the operation for each time. Left out (mark_pause) is what works on public values alone, and takes a time that
 * depends on them: verifying, and the peer's public key (crypto.h says so of each). Names that begin with "leak" are planted.
 * CT_PRIMITIVES, CT_SESSIONS: only those, for svconn.c, whose primitives are static where its sessions are to be tried.
 */
#define LAB_MESSAGE 300
#include "lab.h"

enum { TIMES = 3 };
static unsigned turn; /* number of the secret */
static int bad;
static uint8_t a[64], b[64], c[64], out[128], work[320]; /* a, b and work are secret */

#define TRACE(name, statement)                                                                                         \
    do {                                                                                                               \
        mark_begin();                                                                                                  \
        statement;                                                                                                     \
        mark_end();                                                                                                    \
        board_text(name "\n");                                                                                         \
    } while (0)

static void must(int ok) { bad |= !ok; }

#if HAVE_ED25519 && !defined(CT_PRIMITIVES) && !defined(CT_SESSIONS)
/* The linker puts these around the calls (--wrap). In svconn.c that is ct_pause.h. */
int __real_svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len);
int __wrap_svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len);
int __wrap_svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len) {
    mark_pause();
    int ok = __real_svconn_ed25519_verify_u(u, signature, public_key, msg, len);
    mark_resume();
    return ok;
}
int __real_svconn_ed25519_check(const uint8_t public_key[32]);
int __wrap_svconn_ed25519_check(const uint8_t public_key[32]);
int __wrap_svconn_ed25519_check(const uint8_t public_key[32]) {
    mark_pause();
    int ok = __real_svconn_ed25519_check(public_key);
    mark_resume();
    return ok;
}
void __real_svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]);
void __wrap_svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]);
void __wrap_svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]) {
    mark_pause();
    __real_svconn_ed25519_to_x25519(u, public_key);
    mark_resume();
}
#endif

/* ---- planted ------------------------------------------------------------------------------------------------------- */
static volatile uint8_t secret_byte;
static volatile uint32_t sink;
static const volatile uint8_t table[256] = {1};

static void branch(void) {
    if (secret_byte & 1) /* a loop: one assignment could become an instruction with a condition, which is no branch */
        for (int i = 0; i < 3; i++) sink = sink + 1;
}
static void index_into_table(void) { sink = table[secret_byte]; }

/* ---- primitives ---------------------------------------------------------------------------------------------------- */
static void secrets(void) {
    fill(a, 64, 50 + turn);
    fill(b, 64, 60 + turn);
    fill(work, sizeof work, 70 + turn);
    if (turn == 1) memset(a, 0, 64), memset(b, 0, 64), memset(work, 0, sizeof work); /* what is rare in random ones */
    if (turn == 2) memset(a, 0xff, 64), memset(b, 0xff, 64), memset(work, 0xff, sizeof work);
}

#ifndef CT_SESSIONS
static void primitives(void) {
    uint64_t key[SVCONN_GCM_WORDS];
    svconn_sha256_ctx h;
    svconn_hmac_ctx m;
    svconn_bytes info = {c, 20};
    int ok = 0;
    secrets();
    fill(c, 64, 5);
    c[31] &= 0x7f;
    TRACE("x25519", ok = svconn_x25519(out, a, c));
    must(ok);
    TRACE("x25519_public", svconn_x25519_public(out, a));
    svconn_sha256_init(&h);
    TRACE("sha256", (svconn_sha256_update(&h, work, 200), svconn_sha256_final(&h, out)));
    TRACE("hmac", (svconn_hmac_init(&m, a, 32), svconn_hmac_update(&m, work, 100), svconn_hmac_final(&m, out)));
    TRACE("hkdf", (svconn_hkdf_extract(out, c, 32, a, 32), svconn_hkdf_expand(out, 100, b, &info, 1)));
    TRACE("gcm init", svconn_gcm_init(key, a));
    TRACE("gcm seal", svconn_gcm_seal(key, c, c, 20, work, work, 213, out, 16));
    TRACE("gcm open", ok = svconn_gcm_open(key, c, c, 20, work, work, 213, out, 16));
    must(ok);
    out[3] ^= 1;
    TRACE("gcm open, wrong tag", ok = svconn_gcm_open(key, c, c, 20, work, work, 213, out, 16));
    must(!ok);
#if HAVE_ED25519
    svconn_sha512_ctx g;
    svconn_sha512_init(&g);
    TRACE("sha512", (svconn_sha512_update(&g, work, 200), svconn_sha512_final(&g, out)));
    TRACE("ed25519 keygen", svconn_ed25519_public(out, a));
    TRACE("ed25519 sign", svconn_ed25519_sign(out + 64, a, out, c, 64));
    TRACE("ed25519 to x25519, seed", svconn_ed25519_seed_to_x25519(out, a));
#endif
}

#endif

/* ---- sessions ------------------------------------------------------------------------------------------------------ */
#if HAVE_CLIENT && HAVE_SERVER && !defined(CT_PRIMITIVES)
static void pass_on(party *from) {
    size_t n, used;
    const uint8_t *bytes = svconn_wire_out(&from->s, &n);
    must(svconn_wire_in(&other(from)->s, bytes, n, &used, LAB_NOW) == SVCONN_OK && used == n);
    lab_answer(other(from));
    must(svconn_wire_sent(&from->s, n) == SVCONN_OK);
}
static void begin(party *p) { must(lab_begin(p, 80 + 2 * turn + (p == &server)) == SVCONN_OK); }
static void one_message(party *from, int renew) {
    const uint8_t *got;
    size_t n;
    must(!renew || svconn_renew(&from->s) == SVCONN_OK);
    must(svconn_send(&from->s, work, 130, LAB_NOW) == SVCONN_OK);
    pass_on(from);
    must(svconn_recv(&other(from)->s, &got, &n) == SVCONN_OK && n == 130 && svconn_recv_done(&other(from)->s) == SVCONN_OK);
}

#define SESSION(name, kind)                                                                                            \
    do {                                                                                                               \
        lab_prepare(kind, kind == HIDDEN ? ED25519 : kind);                                                            \
        secrets();                                                                                                     \
        TRACE(name ": M1", begin(&server));                                                                            \
        TRACE(name ": X", begin(&client));                                                                             \
        TRACE(name ": M1 to M2", pass_on(&server));                                                                    \
        TRACE(name ": M2 to M3", pass_on(&client));                                                                    \
        TRACE(name ": M3", pass_on(&server));                                                                          \
        must(lab_both_connected());                                                                                    \
        TRACE(name ": a message", one_message(&client, 0));                                                            \
        TRACE(name ": a message under a new key", one_message(&server, 1));                                            \
        TRACE(name ": export", must(svconn_export(&client.s, "label", c, 9, out, 70) == SVCONN_OK));                   \
        TRACE(name ": wipe", (svconn_wipe(&client.s), svconn_wipe(&server.s), svconn_identity_wipe(&client.me)));      \
    } while (0)

static void sessions(void) {
    lab_secrets = turn;
#if HAVE_PSK
    SESSION("psk", PSK);
#endif
#if HAVE_ED25519
    SESSION("key", ED25519);
#endif
#if HAVE_HIDDEN
    SESSION("hidden key", HIDDEN);
#endif
}
#endif

int image_main(void) {
    for (turn = 0; turn < TIMES; turn++) {
        secret_byte = (uint8_t)(turn * 0x35);
        TRACE("leak: a branch", branch());
        TRACE("leak: an index", index_into_table());
#ifndef CT_SESSIONS
        primitives();
#endif
#if HAVE_CLIENT && HAVE_SERVER && !defined(CT_PRIMITIVES)
        sessions();
#endif
    }
    if (bad) board_text("FAIL: an operation did not do what it should\n");
    return bad;
}
