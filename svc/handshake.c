/* SPDX-License-Identifier: ISC */
/*
 * The handshake: spec/protocol.md section 3.
 *
 *      M1  S->C   01 || Y || LP(wid) || LP(p)
 *      M2  C->S   X || LP(E)
 *      M3  S->C   record: CONFIRM || proof
 *
 * Each role is one table of steps; svconn_handshake_run goes through it. A step returns SVCONN_OK (done, go on),
 * SVCONN_AGAIN (bytes are missing, or a question was put into s->state, or there is more to compute; then the step runs again), a caller
 * fault (an answer that does not fit: ask again), or the failure. A step that waits has changed nothing that it would
 * need unchanged.
 *
 * M1 (at the CLIENT) and M2 (at the SERVER) stay at rx_head until the keys are made: identities and proofs are offsets
 * into them.
 */
#include "ct.h"
#include "identity.h"
#include "keys.h"
#include "parts.h"
#include "record.h"
#include "session.h"
#include "wire.h"

/* ---- small things ------------------------------------------------------------------------------- */

static svconn_bytes my_id(const svconn *s) {
    const svconn_identity *me = s->config->identity;
    return (svconn_bytes){HAS_CUSTOM && me->id ? me->id : me->built_in, me->id_len};
}

static uint8_t my_type(const svconn *s) { return svconn_known_type(my_id(s).data[0]); }

static svconn_bytes my_context(const svconn *s) { return (svconn_bytes){s->config->context, s->config->context_len}; }

/* M1, M2 or M3 as it came */
static uint8_t *message(const svconn *s) { return s->rx + s->rx_head; }

static svconn_bytes in_message(const svconn *s, size_t at, size_t len) { return (svconn_bytes){message(s) + at, len}; }

/* The peer's identity: built-in ones are copied into the session, longer ones stay in the message. */
static svconn_bytes peer_id(const svconn *s) {
    if (s->peer_len) return (svconn_bytes){s->peer, s->peer_len};
    return in_message(s, s->u.hs.peer_at, s->u.hs.peer_len);
}

/* After check_peer */
static uint8_t peer_type(const svconn *s) { return svconn_known_type(peer_id(s).data[0]); }

static void set_peer(svconn *s, const uint8_t *id, size_t len) {
    s->peer_len = 0;
    if (len > sizeof s->peer) return;
    memcpy(s->peer, id, len);
    s->peer_len = (uint8_t)len;
}

/* The CLIENT's M1 in hidden mode, which names nobody. pS was opened into the session, because T2 needs p as it came. */
static int is_hidden(const svconn *s) { return HAS_HIDDEN && !svconn_serves(s) && s->u.hs.peer_len == 0; }

static svconn_bytes peer_proof(const svconn *s) {
    if (HAS_CUSTOM && (s->flags & FLAG_KEYS))
        return in_message(s, RECORD_TEXT + 1, s->lent - RECORD_OVERHEAD - 1); /* in M3 */
    if (is_hidden(s)) return (svconn_bytes){s->u.hs.v.m.opened_proof, sizeof s->u.hs.v.m.opened_proof};
    return in_message(s, s->u.hs.proof_at, s->u.hs.proof_len);
}

static svconn_err ask(svconn *s, svconn_state question) {
    s->state = (uint8_t)question;
    return SVCONN_AGAIN;
}

/* ---- the curves, at once or in slices ----------------------------------------------------------- */

/* A step that computes a curve has one call of these, with arguments that are the same each time that it runs again. Until the result is
 * SVCONN_UNFINISHED no more, the step returns `unfinished` and has changed nothing. */

static svconn_curve_work *work(const svconn *s) { return (svconn_curve_work *)(void *)s->work->words; }
typedef char workspace_fits[sizeof(svconn_curve_work) <= sizeof(svconn_workspace) ? 1 : -1];

static int curve_x25519(const svconn *s, uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    if (HAS_SLICES && s->work) return svconn_x25519_slice(work(s), out, scalar, u);
    return svconn_x25519(out, scalar, u);
}

static int curve_public(const svconn *s, uint8_t out[32], const uint8_t scalar[32]) {
    if (HAS_SLICES && s->work) return svconn_x25519_public_slice(work(s), out, scalar);
    svconn_x25519_public(out, scalar);
    return 1;
}

static int curve_sign(const svconn *s, uint8_t proof[64], const svconn_identity *me, const uint8_t *msg, size_t len) {
    if (HAS_SLICES && s->work) return svconn_ed25519_sign_slice(work(s), proof, me->secret, me->built_in + 1, msg, len);
    svconn_ed25519_sign(proof, me->secret, me->built_in + 1, msg, len);
    return 1;
}

static int curve_verify(svconn *s, const uint8_t proof[64], const uint8_t *msg, size_t len) {
    uint8_t *u = s->u.hs.v.m.peer_key;
    if (HAS_SLICES && s->work) return svconn_ed25519_verify_u_slice(work(s), u, proof, s->peer + 1, msg, len);
    return svconn_ed25519_verify_u(u, proof, s->peer + 1, msg, len);
}

static int curve_x25519_pair(const svconn *s, uint8_t out[64], const uint8_t scalar[32], const uint8_t u[32],
                             const uint8_t scalar2[32], const uint8_t u2[32]) {
    if (HAS_SLICES && s->work) return svconn_x25519_pair_slice(work(s), out, scalar, u, scalar2, u2);
    return svconn_x25519_pair(out, scalar, u, scalar2, u2);
}

static int is_unfinished(int result) { return HAS_SLICES && result == SVCONN_UNFINISHED; }

static svconn_err unfinished(svconn *s) { return ask(s, SVCONN_WORKING); }

/* Is the slice used up? */
static int is_out(const svconn *s) { return HAS_SLICES && s->work && work(s)->units == 0; }

/* A unit for something else than a curve */
static void take_unit(const svconn *s) {
    if (HAS_SLICES && s->work && work(s)->units && work(s)->units != UINT32_MAX) work(s)->units--;
}

#if HAS_SLICES
void svconn_handshake_allow(svconn *s, uint32_t units) {
    if (s->work) work(s)->units = units;
}
#endif

/* ---- proofs ------------------------------------------------------------------------------------- */

/* What the proofs of this moment cover: mine or the peer's (2.2, 3.3). With keys it is the second one of a custom type. */
static size_t proof_text(const svconn *s, int mine, uint8_t *out) {
    const char *label = svconn_serves(s) == mine ? LABEL_SERVER_HELLO : LABEL_CLIENT_PROOF;
    if (HAS_CUSTOM && (s->flags & FLAG_KEYS)) label = LABEL_SERVER_CONFIRM;
    return svconn_proof_text(out, label, s->t);
}

/* Length of our next proof. A custom one comes as the answer. */
static svconn_err my_proof_length(svconn *s, const svconn_bytes *answer, size_t *len) {
    *len = svconn_proof_length(my_type(s));
    if (!svconn_is_custom(my_type(s))) return SVCONN_OK;
    if (!answer) return ask(s, SVCONN_NEEDS_PROOF);
    *len = answer->len;
    return *len <= WIRE_FIELD_MAX ? SVCONN_OK : SVCONN_E_SIZE;
}

/* Our proof over proof_text */
SVCONN_APART int put_proof(const svconn *s, const svconn_bytes *answer, uint8_t *at) {
    uint8_t msg[SVCONN_PROOF_MESSAGE_MAX];
    const svconn_identity *me = s->config->identity;
    size_t n = proof_text(s, 1, msg);
    if (svconn_is_ed25519(my_type(s))) return curve_sign(s, at, me, msg, n);
    if (svconn_is_psk(my_type(s))) svconn_psk_prove(at, me->secret, msg, n);
    else if (answer->len) memcpy(at, answer->data, answer->len);
    return 1;
}

/* One text under a key of its own, in place or not, and the nonce 0. Erases the key. */
SVCONN_APART void seal_once(uint8_t key[32], const uint8_t *aad, size_t aad_len, uint8_t *text, size_t len) {
    static const uint8_t zero_nonce[12] = {0};
    uint64_t gcm[SVCONN_GCM_WORDS];
    svconn_gcm_init(gcm, key);
    svconn_gcm_seal(gcm, zero_nonce, aad, aad_len, text, text, len, text + len, WIRE_TAG);
    ct_wipe(gcm, sizeof gcm);
    ct_wipe(key, 32);
}

SVCONN_APART int open_once(uint8_t key[32], const uint8_t *aad, size_t aad_len, uint8_t *out, const uint8_t *in, size_t len) {
    static const uint8_t zero_nonce[12] = {0};
    uint64_t gcm[SVCONN_GCM_WORDS];
    svconn_gcm_init(gcm, key);
    int ok = svconn_gcm_open(gcm, zero_nonce, aad, aad_len, out, in, len, in + len, WIRE_TAG);
    ct_wipe(gcm, sizeof gcm);
    ct_wipe(key, 32);
    return ok;
}

/* ---- steps of both roles: who is the peer? ------------------------------------------------------ */

/* 3.5 steps 4, 5; 3.6 step 5; all but the key */
static svconn_err check_peer(svconn *s) {
    svconn_bytes me = my_id(s), peer = peer_id(s);
    svconn_err err = HAS_SERVER ? svconn_identity_form(peer.data, peer.len) : SVCONN_OK; /* svconn_m1_parse has done it */
    if (err) return err;
    unsigned allowed = s->config->peer_types ? s->config->peer_types : svconn_type_bit(me.data[0]);
    if (HAS_ONE_TYPE) allowed = HAS_TYPES;
    if (!(allowed & svconn_type_bit(peer.data[0]))) return SVCONN_E_TYPE;
    if (peer.len == me.len && ct_eq(peer.data, me.data, me.len)) return SVCONN_E_SELF;
    return SVCONN_OK;
}

/* 2.2, last paragraph */
static svconn_err find_psk(svconn *s, const svconn_bytes *answer) {
    if (!svconn_is_psk(peer_type(s))) return SVCONN_OK;
    const uint8_t *psk = svconn_is_psk(my_type(s)) ? s->config->identity->secret : answer ? answer->data : NULL;
    if (!psk) return ask(s, SVCONN_NEEDS_PSK);
    ct_copy(s->u.hs.v.m.peer_key, psk, 32);
    return SVCONN_OK;
}

/* 3.5 step 6; 3.6 step 6. A custom proof is verified by the application, before its verdict. A key that is not acceptable (3.5 step 5, 3.6
 * step 5) is found by the verification, which looks at it first: so there is one too if the proof has a wrong length, of one with S >= L. */
SVCONN_APART svconn_err verify_peer(svconn *s) {
    uint8_t msg[SVCONN_PROOF_MESSAGE_MAX], type = peer_type(s);
    size_t n = proof_text(s, 0, msg);
    svconn_bytes proof = peer_proof(s);
    int ok = !HAS_SERVER || svconn_is_custom(type) || proof.len == svconn_proof_length(type); /* of a SERVER svconn_m1_parse has seen to it */
    if (svconn_is_ed25519(type)) {
        uint8_t *no_proof = s->u.hs.v.m.opened_proof; /* of a hidden SERVER, whose length is right */
        if (!ok) memset(no_proof, 0xff, 64);
        ok = curve_verify(s, ok ? proof.data : no_proof, msg, n);
    } else if (svconn_is_psk(type) && ok) ok = svconn_psk_verify(proof.data, s->u.hs.v.m.peer_key, msg, n);
    if (is_unfinished(ok)) return unfinished(s);
    if (HAS_ED25519 && ok == SVCONN_BAD_KEY) return SVCONN_E_KEY;
    return ok ? SVCONN_OK : SVCONN_E_PROOF;
}

/* 3.5 step 7; 3.6 step 7 */
static svconn_err await_verdict(svconn *s, const svconn_bytes *answer) {
    return answer ? SVCONN_OK : ask(s, SVCONN_NEEDS_VERDICT);
}

/* ---- steps of both roles: the shared secrets ---------------------------------------------------- */

/* Our ephemeral public key (3.4; 3.5 step 8) */
static svconn_err make_public(svconn *s) {
    uint8_t *public_key = s->u.hs.v.m.public_key;
    if (is_unfinished(curve_public(s, public_key, s->u.hs.secret))) return unfinished(s);
    CT_RELEASE(public_key, 32);
    return SVCONN_OK;
}

/* dh || es (3.3) where es is the SERVER's Ed25519 key (2.2): with the CLIENT's x, or the SERVER's view of X */
SVCONN_APART int dh_and_key(const svconn *s, const uint8_t theirs[32], uint8_t ikm[64]) {
    const uint8_t *own = s->u.hs.secret;
    if (!svconn_serves(s)) return curve_x25519_pair(s, ikm, own, theirs, own, s->u.hs.v.m.peer_key);
    uint8_t scalar[32] = {0};
    if (!HAS_SLICES || !s->work || work(s)->phase == 0) svconn_ed25519_seed_to_x25519(scalar, s->config->identity->secret);
    int result = curve_x25519_pair(s, ikm, own, theirs, scalar, theirs);
    ct_wipe(scalar, sizeof scalar);
    return result;
}

/* dh || es. theirs: the peer's ephemeral. Our own ephemeral secret ends here. */
SVCONN_APART svconn_err agree(svconn *s, const uint8_t theirs[32], svconn_bytes *out, uint8_t ikm[64]) {
    uint8_t type = svconn_serves(s) ? my_type(s) : peer_type(s); /* whose es is: the SERVER's */
    *out = (svconn_bytes){ikm, (size_t)(svconn_is_custom(type) ? 32 : 64)};
    int result = svconn_is_ed25519(type) ? dh_and_key(s, theirs, ikm) : curve_x25519(s, ikm, s->u.hs.secret, theirs);
    if (is_unfinished(result)) return unfinished(s);
    if (svconn_is_psk(type)) svconn_psk_es(ikm + 32, svconn_serves(s) ? s->config->identity->secret : s->u.hs.v.m.peer_key);
    ct_wipe(s->u.hs.secret, sizeof s->u.hs.secret);
    return result ? SVCONN_OK : SVCONN_E_DH;
}

/* T4, K_M, chains and exporter (3.3, 4) from T3 and from E. Everything of the handshake is erased. start_directions comes next. */
SVCONN_APART void start_keys(svconn *s, svconn_bytes E) {
    uint8_t km[32];
    svconn_t4(s->t, s->t, E);
    svconn_master(km, s->u.hs.ck, s->t);

    int i_serve = svconn_serves(s);
    size_t m_len = s->u.hs.m_len;
    ct_wipe(&s->u, sizeof s->u);
    svconn_derive(s->u.on.exporter, 32, km, LABEL_EXPORTER);
    svconn_derive(s->u.on.out.chain, 32, km, i_serve ? LABEL_S2C : LABEL_C2S);
    svconn_derive(s->u.on.in.chain, 32, km, i_serve ? LABEL_C2S : LABEL_S2C);
    ct_wipe(km, sizeof km);
    s->flags |= FLAG_KEYS;
    svconn_rx_drop(s, m_len);
}

/* The first keys of both directions */
static svconn_err start_directions(svconn *s) {
    svconn_direction_start(&s->u.on.out);
    svconn_direction_start(&s->u.on.in);
    s->key_at = s->now;
    return SVCONN_OK;
}

/* The key of E (3.3) */
static void client_key(const svconn *s, uint8_t key[32]) { svconn_derive(key, 32, s->u.hs.ck, LABEL_CLIENT_KEY); }

/* Seals (or, to have E back, seals again) the plaintext of E in place. */
SVCONN_APART void seal_e(const svconn *s, uint8_t *len_and_e, size_t e_len) {
    uint8_t key[32];
    client_key(s, key);
    seal_once(key, len_and_e, 2, len_and_e + 2, e_len - WIRE_TAG);
}

/* Does a message of len bytes fit? Waiting for one that never can would be for nothing. */
static svconn_err await_bytes(const svconn *s, size_t len) { return len > s->rx_size ? SVCONN_E_LIMIT : SVCONN_AGAIN; }

static uint8_t *put_field(uint8_t *at, svconn_bytes z) {
    wire_put16(at, z.len);
    if (z.len) ct_copy(at + 2, z.data, z.len);
    return at + 2 + z.len;
}

/* ---- CLIENT ------------------------------------------------------------------------------------- */

/* 3.5 steps 1, 2 */
SVCONN_APART svconn_err client_read_m1(svconn *s) {
    svconn_m1 m;
    svconn_err err = svconn_m1_parse(&m, message(s), s->rx_tail - s->rx_head);
    if (err) return err == SVCONN_AGAIN ? await_bytes(s, m.len) : err;
    s->u.hs.m_len = (uint16_t)m.len;
    s->u.hs.peer_at = M1_WID;
    s->u.hs.peer_len = (uint16_t)m.wid_len;
    s->u.hs.proof_at = (uint16_t)m.p_at;
    s->u.hs.proof_len = (uint16_t)m.p_len;
    set_peer(s, message(s) + M1_WID, m.wid_len);
    return SVCONN_OK;
}

static svconn_bytes received_p(const svconn *s) { return in_message(s, s->u.hs.proof_at, s->u.hs.proof_len); }

/* Opens p with the key of one server that we know: then it is the peer. */
SVCONN_APART int open_hidden(svconn *s, const uint8_t server_key[32]) {
    uint8_t key[32];
    svconn_bytes p = received_p(s);
    s->peer[0] = SVCONN_TYPE_ED25519;
    ct_copy(s->peer + 1, server_key, 32);
    svconn_hidden_key(key, message(s) + M1_Y, (svconn_bytes){s->peer, 33});
    if (!open_once(key, NULL, 0, s->u.hs.v.m.opened_proof, p.data, p.len - WIRE_TAG)) return 0;
    s->peer_len = 33;
    return 1;
}

SVCONN_APART void client_t1(svconn *s) {
    svconn_bytes wid = in_message(s, M1_WID, s->u.hs.peer_len);
    svconn_t1(s->t, my_context(s), message(s) + M1_Y, wid, peer_id(s));
}

/* 3.5 step 3, and T1 */
SVCONN_APART svconn_err client_find_server(svconn *s) {
    if (s->u.hs.peer_len == 0) {
        size_t n = HAS_HIDDEN ? s->config->known_servers_count : 0;
        while (s->u.hs.tried < n && !open_hidden(s, s->config->known_servers[s->u.hs.tried])) {
            s->u.hs.tried++;
            take_unit(s);
            if (is_out(s)) return unfinished(s);
        }
        if (s->u.hs.tried == n) return SVCONN_E_UNKNOWN;
    }
    client_t1(s);
    return SVCONN_OK;
}

/* T2 (3.3) */
SVCONN_APART void client_t2(svconn *s) {
    svconn_sha256_ctx c;
    svconn_t2_begin(&c, s->t, received_p(s));
    svconn_t2_end(s->t, &c, s->u.hs.v.m.public_key);
}

/* 3.5 step 8: T2, ck, T3 */
SVCONN_APART svconn_err client_agree(svconn *s) {
    uint8_t ikm[64];
    svconn_bytes dh_es;
    svconn_err err = agree(s, message(s) + M1_Y, &dh_es, ikm);
    if (!err) {
        client_t2(s);
        svconn_ck(s->u.hs.ck, s->t, dh_es);
        svconn_t3(s->t, s->t, my_id(s));
    }
    ct_wipe(ikm, sizeof ikm);
    return err;
}

/* Length of E for our identity and a proof of proof_len bytes, padding included. */
static size_t sealed_length(const svconn_config *config, size_t proof_len) {
    size_t text = 2 + config->identity->id_len + 2 + proof_len;
    size_t padded = config->pad_to ? 0 : text;
    while (padded < text) padded += config->pad_to; /* a division would be a library call on ARMv6-M */
    return padded + WIRE_TAG;
}

size_t svconn_first_message_length(const svconn_config *config) {
    size_t id_len;
    const uint8_t *id = svconn_identity_bytes(config->identity, &id_len);
    size_t proof_len = svconn_proof_length(svconn_known_type(*id));
    if (config->role == SVCONN_SERVER) return M1_WID + (config->hidden ? WIRE_TAG : id_len) + 2 + proof_len;
    size_t e_len = sealed_length(config, proof_len);
    return e_len <= WIRE_FIELD_MAX ? M2_E + e_len : 0;
}

/* M2 but for the proof, whose place is returned; E is not sealed yet. */
SVCONN_APART uint8_t *put_m2(const svconn *s, uint8_t *m2, size_t e_len, size_t proof_len) {
    memset(m2, 0, M2_E + e_len);
    ct_copy(m2 + M2_X, s->u.hs.v.m.public_key, 32);
    wire_put16(m2 + M2_E_LEN, e_len);
    uint8_t *proof = put_field(m2 + M2_E, my_id(s));
    wire_put16(proof, proof_len);
    return proof + 2;
}

/* 3.5 step 8: M2, not sealed, behind what is in tx */
SVCONN_APART svconn_err client_prove(svconn *s, const svconn_bytes *answer) {
    size_t proof_len;
    svconn_err err = my_proof_length(s, answer, &proof_len);
    if (err) return err;
    size_t e_len = sealed_length(s->config, proof_len);
    uint8_t *m2 = e_len <= WIRE_FIELD_MAX ? svconn_tx_room(s, M2_E + e_len) : NULL;
    if (!m2) return SVCONN_E_SIZE;

    return is_unfinished(put_proof(s, answer, put_m2(s, m2, e_len, proof_len))) ? unfinished(s) : SVCONN_OK;
}

/* 3.5 step 8: M2 and K_M, and 3.8: may we send before M3? */
SVCONN_APART svconn_err client_send_m2(svconn *s) {
    uint8_t *m2 = s->tx + s->tx_tail;
    size_t e_len = wire_get16(m2 + M2_E_LEN);
    seal_e(s, m2 + M2_E_LEN, e_len);
    s->tx_tail += (uint32_t)(M2_E + e_len);
    s->sent_at = s->now;

    int has_es = !svconn_is_custom(peer_type(s));
    start_keys(s, (svconn_bytes){m2 + M2_E, e_len});
    if (s->config->early == SVCONN_EARLY_ALWAYS || (s->config->early == SVCONN_EARLY_IF_SAFE && has_es))
        s->flags |= FLAG_EARLY;
    return SVCONN_OK;
}

/* After the keys are made */
static int custom_server(const svconn *s) { return HAS_CUSTOM && (s->peer_len == 0 || svconn_is_custom(s->peer[0])); }

/* 3.7 step 1, and step 2 where es speaks for the SERVER */
SVCONN_APART svconn_err client_read_m3(svconn *s) {
    size_t len;
    svconn_err err = svconn_rx_open(s, &len);
    if (err) return err == SVCONN_AGAIN ? ask(s, SVCONN_CONFIRMING) : err;
    const uint8_t *m3 = message(s);
    CT_RELEASE(m3 + RECORD_TEXT, len - RECORD_OVERHEAD); /* type and proof: public between the two */
    if (len < RECORD_OVERHEAD + 1 || !(m3[0] & 0x80) || m3[RECORD_TEXT] != CONTROL_CONFIRM) return SVCONN_E_CONFIRM;
    if (!custom_server(s) && len != RECORD_OVERHEAD + 1) return SVCONN_E_CONFIRM;
    if (len > RECORD_OVERHEAD + 1 + WIRE_FIELD_MAX) return SVCONN_E_LIMIT;
    s->lent = (uint32_t)len;
    return SVCONN_OK;
}

/* 3.7 step 2 where the application verifies the second proof; step 3 */
static svconn_err client_confirm(svconn *s, const svconn_bytes *answer) {
    if (custom_server(s) && !answer) return ask(s, SVCONN_NEEDS_VERDICT);
    svconn_rx_drop(s, s->lent);
    s->lent = 0;
    return SVCONN_OK;
}

/* ---- SERVER ------------------------------------------------------------------------------------- */

/* T2 as far as it goes without X */
SVCONN_APART void server_t2_begin(svconn *s, svconn_bytes p) {
    svconn_sha256_ctx c;
    svconn_t2_begin(&c, s->t, p);
    ct_copy(s->u.hs.v.t2_hash, &c, sizeof c);
}

SVCONN_APART void server_t2_end(svconn *s, const uint8_t X[32]) {
    svconn_sha256_ctx c;
    ct_copy(&c, s->u.hs.v.t2_hash, sizeof c);
    svconn_t2_end(s->t, &c, X);
}

/* p (3.3) of a hidden SERVER: the proof, sealed in place */
SVCONN_APART void hide_proof(const svconn *s, uint8_t *proof, size_t len) {
    uint8_t key[32];
    svconn_hidden_key(key, s->u.hs.v.m.public_key, my_id(s));
    seal_once(key, NULL, 0, proof, len);
}

/* M1 but for the proof, whose place is returned. p_len counts its seal. */
SVCONN_APART uint8_t *put_m1(const svconn *s, uint8_t *m1, size_t wid_len, size_t p_len) {
    m1[0] = WIRE_VERSION;
    ct_copy(m1 + M1_Y, s->u.hs.v.m.public_key, 32);
    uint8_t *p = put_field(m1 + M1_WID_LEN, (svconn_bytes){my_id(s).data, wid_len});
    wire_put16(p, p_len);
    return p + 2;
}

/* T1 (3.3) of a SERVER whose M1 names it, or not */
SVCONN_APART void server_t1(svconn *s, size_t wid_len) {
    svconn_bytes id = my_id(s);
    svconn_t1(s->t, my_context(s), s->u.hs.v.m.public_key, (svconn_bytes){id.data, wid_len}, id);
}

/* 3.4: Y and T1 */
static svconn_err server_make_public(svconn *s) {
    svconn_err err = make_public(s);
    if (!err) server_t1(s, HAS_HIDDEN && s->config->hidden ? 0 : my_id(s).len);
    return err;
}

/* 3.4 */
SVCONN_APART svconn_err server_send_m1(svconn *s, const svconn_bytes *answer) {
    int hidden = HAS_HIDDEN && s->config->hidden;
    size_t wid_len = hidden ? 0 : my_id(s).len, proof_len;
    svconn_err err = my_proof_length(s, answer, &proof_len);
    if (err) return err;
    size_t p_len = proof_len + (hidden ? WIRE_TAG : 0), m1_len = M1_WID + wid_len + 2 + p_len;
    uint8_t *m1 = svconn_tx_room(s, m1_len);
    if (!m1) return SVCONN_E_SIZE;

    uint8_t *p = put_m1(s, m1, wid_len, p_len);
    if (is_unfinished(put_proof(s, answer, p))) return unfinished(s);
    if (hidden) hide_proof(s, p, proof_len);
    s->tx_tail += (uint32_t)m1_len;
    CT_RELEASE(m1, m1_len); /* the world sees it now */
    server_t2_begin(s, (svconn_bytes){p, p_len});
    return SVCONN_OK;
}

typedef char t2_hash_fits[sizeof(svconn_sha256_ctx) <= sizeof(((svconn *)0)->u.hs.v.t2_hash) ? 1 : -1];

/* 3.6 steps 1, 2 */
static svconn_err server_read_m2(svconn *s) {
    size_t len;
    svconn_err err = svconn_m2_parse(&len, message(s), s->rx_tail - s->rx_head);
    if (err) return err == SVCONN_AGAIN ? await_bytes(s, len) : err;
    s->u.hs.m_len = (uint16_t)len;
    return SVCONN_OK;
}

/* T2, ck (3.6 step 3) */
SVCONN_APART svconn_err server_agree(svconn *s) {
    uint8_t ikm[64];
    svconn_bytes dh_es;
    svconn_err err = agree(s, message(s) + M2_X, &dh_es, ikm);
    if (!err) {
        server_t2_end(s, message(s) + M2_X);
        svconn_ck(s->u.hs.ck, s->t, dh_es);
    }
    ct_wipe(ikm, sizeof ikm);
    return err;
}

/* 3.6 step 4, and T3 */
SVCONN_APART svconn_err server_open_m2(svconn *s) {
    uint8_t key[32], *e = message(s) + M2_E;
    size_t text_len = s->u.hs.m_len - M2_E - WIRE_TAG;
    client_key(s, key);
    if (!open_once(key, message(s) + M2_E_LEN, 2, e, e, text_len)) return SVCONN_E_SEAL;

    CT_RELEASE(e, text_len); /* identity and proof: public between the two */
    svconn_e f;
    svconn_err err = svconn_e_parse(&f, e, text_len);
    if (err) return err;
    s->u.hs.peer_at = (uint16_t)(M2_E + f.id_at);
    s->u.hs.peer_len = (uint16_t)f.id_len;
    s->u.hs.proof_at = (uint16_t)(M2_E + f.proof_at);
    s->u.hs.proof_len = (uint16_t)f.proof_len;
    set_peer(s, e + f.id_at, f.id_len);
    svconn_t3(s->t, s->t, peer_id(s));
    return SVCONN_OK;
}

/* 3.6 step 8: T4 wants E as it came; it was opened in place, so it is sealed again: same key, nonce and text, so the
 * same bytes. */
static svconn_err server_seal_again(svconn *s) {
    seal_e(s, message(s) + M2_E_LEN, s->u.hs.m_len - M2_E);
    return SVCONN_OK;
}

static svconn_err server_start_keys(svconn *s) {
    start_keys(s, in_message(s, M2_E, s->u.hs.m_len - M2_E));
    return SVCONN_OK;
}

/* 3.6 step 8: M3. Its proof is empty where es speaks for us. */
static svconn_err server_send_m3(svconn *s, const svconn_bytes *answer) {
    svconn_bytes proof = {NULL, 0};
    if (svconn_is_custom(my_type(s))) {
        svconn_err err = my_proof_length(s, answer, &proof.len);
        if (err) return err;
        proof.data = answer->data;
    }
    svconn_err err = svconn_control_send(s, CONTROL_CONFIRM, proof.data, proof.len, SVCONN_BUFFER_RESERVE);
    return err == SVCONN_AGAIN ? SVCONN_E_SIZE : err;
}

/* ---- the tables --------------------------------------------------------------------------------- */

/* Not tables of function pointers: those are writable data in position-independent code, and hide the stack depth. */
enum { STEPS = 13 };

static svconn_err client_step(svconn *s, const svconn_bytes *answer) {
    switch (s->step) {
    case 0: return make_public(s);             /* 3.5 8      X; needs nothing of the SERVER */
    case 1: return client_read_m1(s);          /* 3.5 1, 2   M1 */
    case 2: return client_find_server(s);      /* 3.5 3      whose is it? T1 */
    case 3: return check_peer(s);              /* 3.5 4, 5 */
    case 4: return find_psk(s, answer);        /* 2.2        may ask: NEEDS_PSK */
    case 5: return verify_peer(s);             /* 3.5 6 */
    case 6: return await_verdict(s, answer);   /* 3.5 7      asks: NEEDS_VERDICT */
    case 7: return client_agree(s);            /* 3.5 8      T2, ck, T3 */
    case 8: return client_prove(s, answer);    /* 3.5 8      may ask: NEEDS_PROOF */
    case 9: return client_send_m2(s);          /* 3.5 8      M2, T4, K_M */
    case 10: return start_directions(s);       /* 4 */
    case 11: return client_read_m3(s);         /* 3.7 1, 2   M3 */
    default: return client_confirm(s, answer); /* 3.7 2, 3   may ask: NEEDS_VERDICT */
    }
}

static svconn_err server_step(svconn *s, const svconn_bytes *answer) {
    switch (s->step) {
    case 0: return server_make_public(s);      /* 3.4        Y, T1 */
    case 1: return server_send_m1(s, answer);  /* 3.4        M1; may ask: NEEDS_PROOF */
    case 2: return server_read_m2(s);          /* 3.6 1, 2   M2 */
    case 3: return server_agree(s);            /* 3.6 3      T2, ck */
    case 4: return server_open_m2(s);          /* 3.6 4      T3 */
    case 5: return check_peer(s);              /* 3.6 5 */
    case 6: return find_psk(s, answer);        /* 2.2        may ask: NEEDS_PSK */
    case 7: return verify_peer(s);             /* 3.6 6 */
    case 8: return await_verdict(s, answer);   /* 3.6 7      asks: NEEDS_VERDICT */
    case 9: return server_seal_again(s);       /* 3.6 8 */
    case 10: return server_start_keys(s);      /* 3.6 8      T4, K_M */
    case 11: return start_directions(s);       /* 4 */
    default: return server_send_m3(s, answer); /* 3.6 8      M3; may ask: NEEDS_PROOF */
    }
}

void svconn_handshake_begin(svconn *s, const uint8_t seed[32]) {
    const svconn_identity *me = s->config->identity;
    svconn_bytes secret = {me->secret, (size_t)(svconn_is_custom(my_type(s)) ? 0 : 32)};
    svconn_ephemeral(s->u.hs.secret, seed, secret, my_context(s));
}

svconn_err svconn_handshake_run(svconn *s, const svconn_bytes *answer) {
    while (s->step < STEPS) {
        svconn_err err = svconn_serves(s) ? server_step(s, answer) : client_step(s, answer);
        if (err) return err;
        answer = NULL; /* it was for this step alone */
        s->state = SVCONN_HANDSHAKE;
        s->step++;
        take_unit(s);
        if (s->step < STEPS && is_out(s)) return unfinished(s);
    }
    return SVCONN_OK;
}

/* ---- what the application sees of it ------------------------------------------------------------ */

const uint8_t *svconn_peer(const svconn *s, size_t *len) {
    int asked = HAS_CUSTOM && (s->state == SVCONN_NEEDS_PSK || s->state == SVCONN_NEEDS_VERDICT); /* for one that is longer than peer[] */
    svconn_bytes id = {NULL, 0};
    if (s->peer_len) id = (svconn_bytes){s->peer, s->peer_len};
    else if (asked && !(s->flags & FLAG_KEYS)) id = peer_id(s);
    *len = id.len;
    return id.data;
}

#if HAS_CUSTOM
svconn_err svconn_proof_message(const svconn *s, uint8_t msg[SVCONN_PROOF_MESSAGE_MAX], size_t *len) {
    if (s->state != SVCONN_NEEDS_PROOF) return SVCONN_E_STATE;
    *len = proof_text(s, 1, msg);
    return SVCONN_OK;
}

svconn_err svconn_peer_proof(const svconn *s, const uint8_t **proof, size_t *proof_len,
                             uint8_t msg[SVCONN_PROOF_MESSAGE_MAX], size_t *msg_len) {
    if (s->state != SVCONN_NEEDS_VERDICT) return SVCONN_E_STATE;
    svconn_bytes p = peer_proof(s);
    *proof = p.data;
    *proof_len = p.len;
    *msg_len = proof_text(s, 0, msg);
    return SVCONN_OK;
}
#endif
