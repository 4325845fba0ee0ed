/* SPDX-License-Identifier: ISC */
/*
 * What operations cost: for each, a line "NAME STACK": the bytes of stack below the call. plugin.c writes the instructions, in the same
 * order. The numbers are those of this image: mem.c, no flash wait states, no cache; cycles of a real chip are more. MEASURE_PRIMITIVES or
 * MEASURE_SESSIONS: primitives are in the image whose library exports them, sessions in the one whose library does not.
 */
#define LAB_MESSAGE 1088
#include "lab.h"

static uint32_t depth(const uint8_t *sp) {
    const uint32_t *limit = board_stack_limit(), *p = limit;
    while ((const uint8_t *)p < sp && *p == STACK_PAINT) p++;
    return (uint32_t)(sp - (const uint8_t *)p);
}

#define COST(name, statement)                                                                                          \
    do {                                                                                                               \
        const uint8_t *sp = board_sp();                                                                                \
        stack_paint();                                                                                           \
        mark_begin();                                                                                                  \
        statement;                                                                                                     \
        mark_end();                                                                                                    \
        uint32_t used = depth(sp);                                                                                     \
        board_text(name " ");                                                                                          \
        board_number(used);                                                                                            \
        board_text("\n");                                                                                              \
    } while (0)

static int bad;
__attribute__((unused)) static uint8_t work[LAB_MESSAGE + SVCONN_OVERHEAD];

__attribute__((unused)) static void must(int ok) { bad |= !ok; }

#ifdef MEASURE_PRIMITIVES
static uint8_t a[64], b[64], c[64];
static uint64_t gcm_key[SVCONN_GCM_WORDS];

static void operations(void) {
    svconn_sha256_ctx h;
    uint8_t digest[32];
    svconn_bytes info = {c, 17};
    int ok = 0;
    fill(a, 64, 1);
    fill(b, 64, 2);
    fill(work, sizeof work, 3);
    COST("x25519", ok = svconn_x25519(c, a, b));
    must(ok);
    COST("x25519_public", svconn_x25519_public(c, a));
    svconn_sha256_init(&h);
    COST("sha256/64", svconn_sha256_update(&h, work, 64));
    COST("sha256/1088", svconn_sha256_update(&h, work, 1088));
    COST("sha256_final", svconn_sha256_final(&h, digest));
    COST("hkdf_expand/32", svconn_hkdf_expand(b, 32, a, &info, 1));
    COST("gcm_init", svconn_gcm_init(gcm_key, a));
    COST("gcm_seal/64", svconn_gcm_seal(gcm_key, b, b, 4, work, work, 64, c, 16));
    COST("gcm_open/64", ok = svconn_gcm_open(gcm_key, b, b, 4, work, work, 64, c, 16));
    must(ok);
    COST("gcm_seal/1088", svconn_gcm_seal(gcm_key, b, b, 4, work, work, 1088, c, 16));
#if HAVE_ED25519
    uint8_t public_key[32];
    COST("ed25519_keygen", svconn_ed25519_public(public_key, a));
    COST("ed25519_sign", svconn_ed25519_sign(c, a, public_key, work, 64));
    COST("ed25519_verify", ok = svconn_ed25519_verify(c, public_key, work, 64));
    must(ok);
#endif
}
#elif HAVE_CLIENT && HAVE_SERVER && SVCONN_MESSAGE_MAX >= 64
/* Bytes of `from` into `to`: what a link does */
static void transfer(party *from, party *to) {
    size_t n, used;
    const uint8_t *bytes = svconn_wire_out(&from->s, &n);
    must(svconn_wire_in(&to->s, bytes, n, &used, LAB_NOW) == SVCONN_OK && used == n);
    if (svconn_status(&to->s) == SVCONN_NEEDS_VERDICT) must(svconn_accept(&to->s) == SVCONN_OK);
}
static void sent(party *p) {
    size_t n;
    (void)svconn_wire_out(&p->s, &n);
    must(svconn_wire_sent(&p->s, n) == SVCONN_OK);
}
static void begin(party *p) {
    static uint8_t seed[32];
    seed[0] = 1;
    must(svconn_init(&p->s, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx) == SVCONN_OK);
}

#define HANDSHAKE(kind_name, kind)                                                                                     \
    do {                                                                                                               \
        lab_prepare(kind, kind);                                                                                       \
        COST(kind_name "_server_1", begin(&server));                                                                   \
        COST(kind_name "_client_1", begin(&client));                                                                   \
        COST(kind_name "_client_2", transfer(&server, &client));                                \
        sent(&server);                                                                                                 \
        COST(kind_name "_server_2", transfer(&client, &server));                                \
        sent(&client);                                                                                                 \
        COST(kind_name "_client_3", transfer(&server, &client));                                \
        sent(&server);                                                                                                 \
        must(lab_both_connected());                                                                                    \
    } while (0)

#ifndef SVCONN_NO_SLICES
/* A handshake with keys, both sides in slices of one unit: a row "slice 0" for each call that can compute. */
#define SLICE(statement)                                                                                               \
    do {                                                                                                               \
        mark_begin();                                                                                                  \
        statement;                                                                                                     \
        mark_end();                                                                                                    \
        board_text("slice 0\n");                                                                                       \
    } while (0)

static void begin_sliced(party *p, svconn_workspace *w) {
    static uint8_t seed[32];
    svconn_err err;
    seed[0] = 1;
    SLICE(err = svconn_init_sliced(&p->s, w, &p->config, seed, p->rx, sizeof p->rx, p->tx, sizeof p->tx));
    must(err == SVCONN_OK);
}
static void work_to_the_end(party *p) {
    svconn_err err = SVCONN_OK;
    while (err == SVCONN_OK && svconn_status(&p->s) == SVCONN_WORKING) SLICE(err = svconn_work(&p->s, 1));
    must(err == SVCONN_OK);
}
static void hand_over(party *from, party *to) {
    svconn_err err = SVCONN_OK;
    SLICE(transfer(from, to));
    sent(from);
    work_to_the_end(to);
    if (svconn_status(&to->s) == SVCONN_NEEDS_VERDICT) SLICE(err = svconn_accept(&to->s));
    must(err == SVCONN_OK);
    work_to_the_end(to);
}
static void slices(void) {
    static svconn_workspace space[2];
    lab_prepare(HAVE_ED25519 ? ED25519 : PSK, HAVE_ED25519 ? ED25519 : PSK);
    begin_sliced(&server, &space[0]);
    begin_sliced(&client, &space[1]);
    work_to_the_end(&server);
    work_to_the_end(&client);
    hand_over(&server, &client);
    hand_over(&client, &server);
    hand_over(&server, &client);
    must(lab_both_connected());
}
#endif

static void operations(void) {
    const uint8_t *m;
    uint8_t *text;
    size_t n;
    svconn_err err;
#if HAVE_PSK
    HANDSHAKE("psk", PSK);
#endif
#if HAVE_ED25519
    HANDSHAKE("key", ED25519);
#endif
    fill(work, sizeof work, 3);
    COST("seal/64", err = svconn_seal(&client.s, work, 64, LAB_NOW));
    must(err == SVCONN_OK);
    COST("open/64", err = svconn_open(&server.s, work, 80, &text, &n, LAB_NOW));
    must(err == SVCONN_OK && n == 64);
#if SVCONN_MESSAGE_MAX >= 1088
    COST("seal/1088", err = svconn_seal(&client.s, work, 1088, LAB_NOW));
    must(err == SVCONN_OK);
    COST("open/1088", err = svconn_open(&server.s, work, 1104, &text, &n, LAB_NOW));
    must(err == SVCONN_OK && n == 1088);
#endif
    COST("send/64", err = svconn_send(&client.s, work, 64, LAB_NOW));
    must(err == SVCONN_OK);
    COST("receive/64", (transfer(&client, &server), err = svconn_recv(&server.s, &m, &n), (void)!svconn_recv_done(&server.s)));
    sent(&client);
    must(err == SVCONN_OK && n == 64);
    must(svconn_renew(&client.s) == SVCONN_OK);
    COST("renew+seal/64", err = svconn_seal(&client.s, work, 64, LAB_NOW));
    must(err == SVCONN_OK);
#ifndef SVCONN_NO_SLICES
    slices();
#endif
}
#else
static void operations(void) {}
#endif

int image_main(void) {
    COST("nothing", (void)0);
    operations();
    if (bad) board_text("FAIL measure: an operation failed\n");
    return bad;
}
