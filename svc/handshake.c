/* SPDX-License-Identifier: ISC */
/*
 * The handshake: spec/protocol.md section 3.
 *
 *      M1  S->C   01 || Y || LP(wid) || LP(p)
 *      M2  C->S   X || LP(E)
 *      M3  S->C   record: CONFIRM || proof
 *
 * Each role is one table of steps; svconn_handshake_run goes through it. A step returns SVCONN_OK (done, go on),
 * SVCONN_AGAIN (bytes are missing, or a question was put into s->state; the step runs again when they come), a caller
 * fault (an answer that does not fit: ask again), or the failure. A step that waits has changed nothing that it would
 * need unchanged.
 *
 * M1 (at the CLIENT) and M2 (at the SERVER) stay at rx_head until the keys are made: identities and proofs are offsets
 * into them.
 */
#include "ct.h"
#include "identity.h"
#include "keys.h"
#include "record.h"
#include "session.h"
#include "wire.h"

/* ---- small things ------------------------------------------------------------------------------- */

static svconn_bytes my_id(const svconn *s) {
    svconn_bytes id;
    id.data = svconn_identity_bytes(s->config->identity, &id.len);
    return id;
}

static uint8_t my_type(const svconn *s) { return my_id(s).data[0]; }

static svconn_bytes my_context(const svconn *s) { return (svconn_bytes){s->config->context, s->config->context_len}; }

/* M1, M2 or M3 as it came */
static uint8_t *message(const svconn *s) { return s->rx + s->rx_head; }

static svconn_bytes in_message(const svconn *s, size_t at, size_t len) { return (svconn_bytes){message(s) + at, len}; }

/* The peer's identity: built-in ones are copied into the session, longer ones stay in the message. */
static svconn_bytes peer_id(const svconn *s) {
    if (s->peer_len) return (svconn_bytes){s->peer, s->peer_len};
    return in_message(s, s->u.hs.peer_at, s->u.hs.peer_len);
}

static void set_peer(svconn *s, const uint8_t *id, size_t len) {
    s->peer_len = 0;
    if (len > sizeof s->peer) return;
    memcpy(s->peer, id, len);
    s->peer_len = (uint8_t)len;
}

/* proof_at is 0 in hidden mode: pS was opened into the session, because T2 needs p as it came. */
static svconn_bytes peer_proof(const svconn *s) {
    if (s->flags & FLAG_KEYS) return in_message(s, RECORD_TEXT + 1, s->lent - RECORD_OVERHEAD - 1); /* in M3 */
    if (s->u.hs.proof_at == 0) return (svconn_bytes){s->u.hs.opened_proof, sizeof s->u.hs.opened_proof};
    return in_message(s, s->u.hs.proof_at, s->u.hs.proof_len);
}

static svconn_err ask(svconn *s, svconn_state question) {
    s->state = (uint8_t)question;
    return SVCONN_AGAIN;
}

/* What the proofs of this moment cover: mine or the peer's (2.2, 3.3). */
static size_t proof_text(const svconn *s, int mine, uint8_t *out) {
    if (s->flags & FLAG_KEYS) return svconn_proof_text(out, LABEL_SERVER_CONFIRM, s->u.on.t4);
    int server = (s->config->role == SVCONN_SERVER) == mine;
    return svconn_proof_text(out, server ? LABEL_SERVER_HELLO : LABEL_CLIENT_PROOF, s->u.hs.t);
}

/* Our proof over proof_text: built-in types make it in buf, a custom one comes as the answer. */
static svconn_err my_proof(svconn *s, const svconn_bytes *answer, uint8_t buf[64], svconn_bytes *proof) {
    uint8_t msg[SVCONN_PROOF_MESSAGE_MAX];
    size_t n = proof_text(s, 1, msg);
    if (my_type(s) >= SVCONN_TYPE_CUSTOM) {
        if (!answer) return ask(s, SVCONN_NEEDS_PROOF);
        *proof = *answer;
        return SVCONN_OK;
    }
    *proof = (svconn_bytes){buf, svconn_proof_length(my_type(s))};
    if (my_type(s) == SVCONN_TYPE_ED25519) svconn_ed25519_prove(buf, s->config->identity, msg, n);
    else svconn_psk_prove(buf, s->config->identity->secret, msg, n);
    return SVCONN_OK;
}

/* ---- steps of both roles: who is the peer? ------------------------------------------------------ */

static unsigned peer_type_bit(uint8_t type) {
    if (type == SVCONN_TYPE_ED25519) return SVCONN_PEER_ED25519;
    return type == SVCONN_TYPE_PSK ? SVCONN_PEER_PSK : SVCONN_PEER_CUSTOM;
}

/* 3.5 steps 4, 5; 3.6 step 5 */
static svconn_err check_peer(svconn *s) {
    svconn_bytes me = my_id(s), peer = peer_id(s);
    svconn_err err = svconn_identity_form(peer.data, peer.len);
    if (err) return err;
    unsigned allowed = s->config->peer_types ? s->config->peer_types : peer_type_bit(me.data[0]);
    if (!(allowed & peer_type_bit(peer.data[0]))) return SVCONN_E_TYPE;
    if (peer.len == me.len && ct_eq(peer.data, me.data, me.len)) return SVCONN_E_SELF;
    if (peer.data[0] == SVCONN_TYPE_ED25519 && !svconn_ed25519_check(peer.data + 1)) return SVCONN_E_KEY;
    return SVCONN_OK;
}

/* 2.2, last paragraph */
static svconn_err find_psk(svconn *s, const svconn_bytes *answer) {
    if (peer_id(s).data[0] != SVCONN_TYPE_PSK) return SVCONN_OK;
    const uint8_t *psk = my_type(s) == SVCONN_TYPE_PSK ? s->config->identity->secret : answer ? answer->data : NULL;
    if (!psk) return ask(s, SVCONN_NEEDS_PSK);
    memcpy(s->u.hs.psk, psk, 32);
    return SVCONN_OK;
}

/* 3.5 step 6; 3.6 step 6. A custom proof is verified by the application, before its verdict. */
static svconn_err verify_peer(svconn *s) {
    uint8_t msg[SVCONN_PROOF_MESSAGE_MAX], type = peer_id(s).data[0];
    size_t n = proof_text(s, 0, msg);
    svconn_bytes proof = peer_proof(s);
    int ok = 1;
    if (type < SVCONN_TYPE_CUSTOM && proof.len != svconn_proof_length(type)) return SVCONN_E_PROOF;
    if (type == SVCONN_TYPE_ED25519) ok = svconn_ed25519_verify(proof.data, s->peer + 1, msg, n);
    else if (type == SVCONN_TYPE_PSK) ok = svconn_psk_verify(proof.data, s->u.hs.psk, msg, n);
    return ok ? SVCONN_OK : SVCONN_E_PROOF;
}

/* 3.5 step 7; 3.6 step 7 */
static svconn_err await_verdict(svconn *s, const svconn_bytes *answer) {
    return answer ? SVCONN_OK : ask(s, SVCONN_NEEDS_VERDICT);
}

/* ---- steps of both roles: the shared secrets ---------------------------------------------------- */

/* The SERVER's contribution es (2.2), 0 or 32 bytes, with the CLIENT's x or the SERVER's view of X. 0 if an X25519
 * result is zero. */
static int contribution(svconn *s, const uint8_t X[32], uint8_t es[32], size_t *es_len) {
    int i_serve = s->config->role == SVCONN_SERVER;
    uint8_t type = i_serve ? my_type(s) : peer_id(s).data[0];
    *es_len = type < SVCONN_TYPE_CUSTOM ? 32 : 0;
    if (type == SVCONN_TYPE_ED25519) {
        return i_serve ? svconn_ed25519_es_server(es, s->config->identity, X)
                       : svconn_ed25519_es_client(es, s->u.hs.secret, s->peer + 1);
    }
    if (type == SVCONN_TYPE_PSK) svconn_psk_es(es, i_serve ? s->config->identity->secret : s->u.hs.psk);
    return 1;
}

/* ck (3.3) from T2 in hs.t. theirs: the peer's ephemeral. Our own ephemeral secret ends here. */
static svconn_err agree(svconn *s, const uint8_t theirs[32], const uint8_t X[32]) {
    uint8_t dh[32], es[32];
    size_t es_len;
    int ok = svconn_x25519(dh, s->u.hs.secret, theirs);
    ok &= contribution(s, X, es, &es_len);
    svconn_ck(s->u.hs.ck, s->u.hs.t, dh, (svconn_bytes){es, es_len});
    ct_wipe(dh, sizeof dh);
    ct_wipe(es, sizeof es);
    ct_wipe(s->u.hs.secret, sizeof s->u.hs.secret);
    return ok ? SVCONN_OK : SVCONN_E_DH;
}

/* T4, K_M, chains and exporter (3.3, 4) from T3 in hs.t and from E. Everything of the handshake is erased. */
static void start_keys(svconn *s, svconn_bytes E) {
    uint8_t t4[32], km[32], c2s[32], s2c[32];
    svconn_t4(t4, s->u.hs.t, E);
    svconn_master(km, s->u.hs.ck, t4);
    svconn_derive(c2s, 32, km, LABEL_C2S);
    svconn_derive(s2c, 32, km, LABEL_S2C);

    int i_serve = s->config->role == SVCONN_SERVER;
    size_t m_len = s->u.hs.m_len;
    ct_wipe(&s->u, sizeof s->u);
    memcpy(s->u.on.t4, t4, 32);
    svconn_derive(s->u.on.exporter, 32, km, LABEL_EXPORTER);
    svconn_direction_start(&s->u.on.out, i_serve ? s2c : c2s);
    svconn_direction_start(&s->u.on.in, i_serve ? c2s : s2c);
    s->key_at = s->now;
    s->flags |= FLAG_KEYS;
    svconn_rx_drop(s, m_len);
    ct_wipe(km, sizeof km);
    ct_wipe(c2s, sizeof c2s);
    ct_wipe(s2c, sizeof s2c);
}

/* ---- CLIENT ------------------------------------------------------------------------------------- */

/* M1, once it is there in full */
static svconn_m1 parsed_m1(const svconn *s) {
    svconn_m1 m;
    if (svconn_m1_parse(&m, message(s), s->rx_tail - s->rx_head)) m = (svconn_m1){0}; /* it parsed before */
    return m;
}

/* Does a message of len bytes fit? Waiting for one that never can would be for nothing. */
static svconn_err await_bytes(const svconn *s, size_t len) { return len > s->rx_size ? SVCONN_E_LIMIT : SVCONN_AGAIN; }

/* 3.5 steps 1, 2 */
static svconn_err client_read_m1(svconn *s) {
    svconn_m1 m;
    svconn_err err = svconn_m1_parse(&m, message(s), s->rx_tail - s->rx_head);
    if (err) return err == SVCONN_AGAIN ? await_bytes(s, m.len) : err;
    s->u.hs.m_len = (uint32_t)m.len;
    if (m.wid_len) {
        s->u.hs.peer_at = M1_WID;
        s->u.hs.peer_len = (uint32_t)m.wid_len;
        s->u.hs.proof_at = (uint32_t)m.p_at;
        s->u.hs.proof_len = (uint32_t)m.p_len;
        set_peer(s, message(s) + M1_WID, m.wid_len);
    }
    return SVCONN_OK;
}

/* Opens p with the key of one server that we know. */
static int open_hidden(svconn *s, svconn_bytes p, const uint8_t server_key[32]) {
    static const uint8_t zero_nonce[12] = {0};
    uint64_t gcm[SVCONN_GCM_WORDS];
    uint8_t id[33], key[32];
    id[0] = SVCONN_TYPE_ED25519;
    memcpy(id + 1, server_key, 32);
    svconn_hidden_key(key, message(s) + M1_Y, (svconn_bytes){id, sizeof id});
    svconn_gcm_init(gcm, key);
    int ok = svconn_gcm_open(gcm, zero_nonce, NULL, 0, s->u.hs.opened_proof, p.data, p.len - WIRE_TAG,
                             p.data + p.len - WIRE_TAG, WIRE_TAG);
    if (ok) set_peer(s, id, sizeof id);
    ct_wipe(gcm, sizeof gcm);
    ct_wipe(key, sizeof key);
    return ok;
}

/* 3.5 step 3, and T1 */
static svconn_err client_find_server(svconn *s) {
    svconn_m1 m = parsed_m1(s);
    if (m.wid_len == 0) {
        svconn_bytes p = in_message(s, m.p_at, m.p_len);
        size_t i = 0, n = s->config->known_servers_count;
        while (i < n && !open_hidden(s, p, s->config->known_servers[i])) i++;
        if (i == n) return SVCONN_E_UNKNOWN;
    }
    svconn_t1(s->u.hs.t, my_context(s), message(s) + M1_Y, in_message(s, M1_WID, m.wid_len), peer_id(s));
    return SVCONN_OK;
}

/* 3.5 step 8: T2, ck, T3 */
static svconn_err client_agree(svconn *s) {
    svconn_m1 m = parsed_m1(s);
    svconn_sha256_ctx c;
    svconn_t2_begin(&c, s->u.hs.t, in_message(s, m.p_at, m.p_len));
    svconn_t2_end(s->u.hs.t, &c, s->u.hs.public_key);
    svconn_err err = agree(s, message(s) + M1_Y, s->u.hs.public_key);
    svconn_t3(s->u.hs.t, s->u.hs.t, my_id(s));
    return err;
}

static size_t put_field(uint8_t *at, svconn_bytes z) {
    wire_put16(at, z.len);
    if (z.len) memcpy(at + 2, z.data, z.len);
    return 2 + z.len;
}

/* Length of E for our identity and a proof of proof_len bytes, padding included. */
static size_t sealed_length(const svconn_config *config, size_t proof_len) {
    size_t text = 2 + config->identity->id_len + 2 + proof_len;
    size_t pad = config->pad_to ? (config->pad_to - text % config->pad_to) % config->pad_to : 0;
    return text + pad + WIRE_TAG;
}

size_t svconn_first_message_length(const svconn_config *config) {
    size_t id_len;
    size_t proof_len = svconn_proof_length(*svconn_identity_bytes(config->identity, &id_len));
    if (config->role == SVCONN_SERVER) return M1_WID + (config->hidden ? WIRE_TAG : id_len) + 2 + proof_len;
    size_t e_len = sealed_length(config, proof_len);
    return e_len <= WIRE_FIELD_MAX ? M2_E + e_len : 0;
}

/* Seals (or, to have E back, seals again) the plaintext of E in place. */
static void seal_e(const svconn *s, uint8_t *len_and_e, size_t e_len) {
    static const uint8_t zero_nonce[12] = {0};
    uint64_t gcm[SVCONN_GCM_WORDS];
    uint8_t key[32], *e = len_and_e + 2;
    svconn_derive(key, sizeof key, s->u.hs.ck, LABEL_CLIENT_KEY);
    svconn_gcm_init(gcm, key);
    svconn_gcm_seal(gcm, zero_nonce, len_and_e, 2, e, e, e_len - WIRE_TAG, e + e_len - WIRE_TAG, WIRE_TAG);
    ct_wipe(gcm, sizeof gcm);
    ct_wipe(key, sizeof key);
}

/* 3.5 step 8: M2, and 3.8: may we send before M3? */
static svconn_err client_send_m2(svconn *s, const svconn_bytes *answer) {
    uint8_t buf[64];
    svconn_bytes proof;
    svconn_err err = my_proof(s, answer, buf, &proof);
    if (err) return err;
    if (proof.len > WIRE_FIELD_MAX) return SVCONN_E_SIZE;
    size_t e_len = sealed_length(s->config, proof.len);
    uint8_t *m2 = e_len <= WIRE_FIELD_MAX ? svconn_tx_room(s, M2_E + e_len) : NULL;
    if (!m2) return SVCONN_E_SIZE;

    memset(m2, 0, M2_E + e_len);
    memcpy(m2 + M2_X, s->u.hs.public_key, 32);
    wire_put16(m2 + M2_E_LEN, e_len);
    size_t at = M2_E + put_field(m2 + M2_E, my_id(s));
    put_field(m2 + at, proof);
    seal_e(s, m2 + M2_E_LEN, e_len);
    s->tx_tail += (uint32_t)(M2_E + e_len);
    s->sent_at = s->now;

    int has_es = peer_id(s).data[0] < SVCONN_TYPE_CUSTOM;
    start_keys(s, (svconn_bytes){m2 + M2_E, e_len});
    if (s->config->early == SVCONN_EARLY_ALWAYS || (s->config->early == SVCONN_EARLY_IF_SAFE && has_es))
        s->flags |= FLAG_EARLY;
    return SVCONN_OK;
}

static int custom_server(const svconn *s) { return s->peer_len == 0 || s->peer[0] >= SVCONN_TYPE_CUSTOM; }

/* 3.7 step 1, and step 2 where es speaks for the SERVER */
static svconn_err client_read_m3(svconn *s) {
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

/* p (3.3): the proof, sealed in hidden mode. Returns its end. */
static uint8_t *put_p(const svconn *s, uint8_t *p, svconn_bytes proof) {
    static const uint8_t zero_nonce[12] = {0};
    if (!s->config->hidden) {
        if (proof.len) memcpy(p, proof.data, proof.len);
        return p + proof.len;
    }
    uint64_t gcm[SVCONN_GCM_WORDS];
    uint8_t key[32];
    svconn_hidden_key(key, s->u.hs.public_key, my_id(s));
    svconn_gcm_init(gcm, key);
    svconn_gcm_seal(gcm, zero_nonce, NULL, 0, p, proof.data, proof.len, p + proof.len, WIRE_TAG);
    ct_wipe(gcm, sizeof gcm);
    ct_wipe(key, sizeof key);
    return p + proof.len + WIRE_TAG;
}

/* 3.4 */
static svconn_err server_send_m1(svconn *s, const svconn_bytes *answer) {
    uint8_t buf[64];
    svconn_bytes id = my_id(s), wid = {id.data, s->config->hidden ? 0 : id.len}, proof;
    svconn_t1(s->u.hs.t, my_context(s), s->u.hs.public_key, wid, id);
    svconn_err err = my_proof(s, answer, buf, &proof);
    if (err) return err;
    size_t p_len = proof.len + (s->config->hidden ? WIRE_TAG : 0), p_at = M1_WID + wid.len + 2;
    uint8_t *m1 = p_len <= WIRE_FIELD_MAX ? svconn_tx_room(s, p_at + p_len) : NULL;
    if (!m1) return SVCONN_E_SIZE;

    m1[0] = WIRE_VERSION;
    memcpy(m1 + M1_Y, s->u.hs.public_key, 32);
    put_field(m1 + M1_WID_LEN, wid);
    wire_put16(m1 + p_at - 2, p_len);
    uint8_t *end = put_p(s, m1 + p_at, proof);
    s->tx_tail += (uint32_t)(end - m1);
    CT_RELEASE(m1, (size_t)(end - m1)); /* the world sees it now */

    svconn_sha256_ctx c;
    svconn_t2_begin(&c, s->u.hs.t, (svconn_bytes){m1 + p_at, p_len});
    memcpy(s->u.hs.t2_hash, &c, sizeof c);
    return SVCONN_OK;
}

typedef char t2_hash_fits[sizeof(svconn_sha256_ctx) <= sizeof(((svconn *)0)->u.hs.t2_hash) ? 1 : -1];

/* 3.6 steps 1, 2 */
static svconn_err server_read_m2(svconn *s) {
    size_t len;
    svconn_err err = svconn_m2_parse(&len, message(s), s->rx_tail - s->rx_head);
    if (err) return err == SVCONN_AGAIN ? await_bytes(s, len) : err;
    s->u.hs.m_len = (uint32_t)len;
    return SVCONN_OK;
}

/* T2, ck (3.6 step 3) */
static svconn_err server_agree(svconn *s) {
    svconn_sha256_ctx c;
    const uint8_t *X = message(s) + M2_X;
    memcpy(&c, s->u.hs.t2_hash, sizeof c);
    svconn_t2_end(s->u.hs.t, &c, X);
    return agree(s, X, X);
}

/* 3.6 step 4, and T3 */
static svconn_err server_open_m2(svconn *s) {
    static const uint8_t zero_nonce[12] = {0};
    uint64_t gcm[SVCONN_GCM_WORDS];
    uint8_t key[32], *e = message(s) + M2_E;
    size_t text_len = s->u.hs.m_len - M2_E - WIRE_TAG;
    svconn_derive(key, sizeof key, s->u.hs.ck, LABEL_CLIENT_KEY);
    svconn_gcm_init(gcm, key);
    int ok = svconn_gcm_open(gcm, zero_nonce, message(s) + M2_E_LEN, 2, e, e, text_len, e + text_len, WIRE_TAG);
    ct_wipe(gcm, sizeof gcm);
    ct_wipe(key, sizeof key);
    if (!ok) return SVCONN_E_SEAL;

    CT_RELEASE(e, text_len); /* identity and proof: public between the two */
    svconn_e f;
    svconn_err err = svconn_e_parse(&f, e, text_len);
    if (err) return err;
    s->u.hs.peer_at = (uint32_t)(M2_E + f.id_at);
    s->u.hs.peer_len = (uint32_t)f.id_len;
    s->u.hs.proof_at = (uint32_t)(M2_E + f.proof_at);
    s->u.hs.proof_len = (uint32_t)f.proof_len;
    set_peer(s, e + f.id_at, f.id_len);
    svconn_t3(s->u.hs.t, s->u.hs.t, peer_id(s));
    return SVCONN_OK;
}

/* 3.6 step 8: the keys. T4 wants E as it came; it was opened in place, so it is sealed again: same key, nonce and text,
 * so the same bytes. */
static svconn_err server_start_keys(svconn *s) {
    size_t e_len = s->u.hs.m_len - M2_E;
    seal_e(s, message(s) + M2_E_LEN, e_len);
    start_keys(s, in_message(s, M2_E, e_len));
    return SVCONN_OK;
}

/* 3.6 step 8: M3. Its proof is empty where es speaks for us. */
static svconn_err server_send_m3(svconn *s, const svconn_bytes *answer) {
    uint8_t buf[64];
    svconn_bytes proof = {NULL, 0};
    if (my_type(s) >= SVCONN_TYPE_CUSTOM) {
        svconn_err err = my_proof(s, answer, buf, &proof);
        if (err) return err;
    }
    if (proof.len > WIRE_FIELD_MAX) return SVCONN_E_SIZE;
    svconn_err err = svconn_control_send(s, CONTROL_CONFIRM, proof.data, proof.len, SVCONN_BUFFER_RESERVE);
    return err == SVCONN_AGAIN ? SVCONN_E_SIZE : err;
}

/* ---- the tables --------------------------------------------------------------------------------- */

/* Not tables of function pointers: those are writable data in position-independent code, and hide the stack depth. */
enum { STEPS = 10 };

static svconn_err client_step(svconn *s, const svconn_bytes *answer) {
    switch (s->step) {
    case 0: return client_read_m1(s);          /* 3.5 1, 2   M1 */
    case 1: return client_find_server(s);      /* 3.5 3      whose is it? T1 */
    case 2: return check_peer(s);              /* 3.5 4, 5 */
    case 3: return find_psk(s, answer);        /* 2.2        may ask: NEEDS_PSK */
    case 4: return verify_peer(s);             /* 3.5 6 */
    case 5: return await_verdict(s, answer);   /* 3.5 7      asks: NEEDS_VERDICT */
    case 6: return client_agree(s);            /* 3.5 8      T2, ck, T3 */
    case 7: return client_send_m2(s, answer);  /* 3.5 8      M2, T4, K_M; may ask: NEEDS_PROOF */
    case 8: return client_read_m3(s);          /* 3.7 1, 2   M3 */
    default: return client_confirm(s, answer); /* 3.7 2, 3   may ask: NEEDS_VERDICT */
    }
}

static svconn_err server_step(svconn *s, const svconn_bytes *answer) {
    switch (s->step) {
    case 0: return server_send_m1(s, answer);  /* 3.4        M1; may ask: NEEDS_PROOF */
    case 1: return server_read_m2(s);          /* 3.6 1, 2   M2 */
    case 2: return server_agree(s);            /* 3.6 3      T2, ck */
    case 3: return server_open_m2(s);          /* 3.6 4      T3 */
    case 4: return check_peer(s);              /* 3.6 5 */
    case 5: return find_psk(s, answer);        /* 2.2        may ask: NEEDS_PSK */
    case 6: return verify_peer(s);             /* 3.6 6 */
    case 7: return await_verdict(s, answer);   /* 3.6 7      asks: NEEDS_VERDICT */
    case 8: return server_start_keys(s);       /* 3.6 8      T4, K_M */
    default: return server_send_m3(s, answer); /* 3.6 8      M3; may ask: NEEDS_PROOF */
    }
}

void svconn_handshake_begin(svconn *s, const uint8_t seed[32]) {
    const svconn_identity *me = s->config->identity;
    svconn_bytes secret = {me->secret, (size_t)(my_type(s) < SVCONN_TYPE_CUSTOM ? 32 : 0)};
    svconn_ephemeral(s->u.hs.secret, seed, secret, my_context(s));
    svconn_x25519_public(s->u.hs.public_key, s->u.hs.secret);
    CT_RELEASE(s->u.hs.public_key, 32);
}

svconn_err svconn_handshake_run(svconn *s, const svconn_bytes *answer) {
    while (s->step < STEPS) {
        svconn_err err = s->config->role == SVCONN_SERVER ? server_step(s, answer) : client_step(s, answer);
        if (err) return err;
        answer = NULL; /* it was for this step alone */
        s->state = SVCONN_HANDSHAKE;
        s->step++;
    }
    return SVCONN_OK;
}

/* ---- what the application sees of it ------------------------------------------------------------ */

const uint8_t *svconn_peer(const svconn *s, size_t *len) {
    int asked = s->state == SVCONN_NEEDS_PSK || s->state == SVCONN_NEEDS_VERDICT;
    svconn_bytes id = {NULL, 0};
    if (s->peer_len) id = (svconn_bytes){s->peer, s->peer_len};
    else if (asked && !(s->flags & FLAG_KEYS)) id = peer_id(s);
    *len = id.len;
    return id.data;
}

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
