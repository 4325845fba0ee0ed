# SPDX-License-Identifier: ISC
"""The extension module svconn._core: what Python needs of svconn.h, by cffi in API mode.

The compiler fills in each "...": sizes of structs, values of constants. What does not fit svconn.h does not compile.
"""
import sys

from cffi import FFI

ffi = FFI()
ffi.cdef(
    """
    static char *const SVCONN_VERSION;

    typedef enum {
        SVCONN_OK, SVCONN_AGAIN, SVCONN_END,
        SVCONN_E_ARGUMENT, SVCONN_E_STATE, SVCONN_E_SIZE, SVCONN_E_SEED, SVCONN_E_UNSUPPORTED,
        SVCONN_E_ABSENT, SVCONN_E_TRUNCATED, SVCONN_E_ABORTED, SVCONN_E_VERSION, SVCONN_E_FORMAT, SVCONN_E_LIMIT,
        SVCONN_E_TYPE, SVCONN_E_KEY, SVCONN_E_SELF, SVCONN_E_UNKNOWN, SVCONN_E_PROOF, SVCONN_E_DH, SVCONN_E_SEAL,
        SVCONN_E_PADDING, SVCONN_E_REFUSED, SVCONN_E_CONFIRM, SVCONN_E_TAG, SVCONN_E_KEY_ID, SVCONN_E_KEY_LIMIT,
        SVCONN_E_CONTROL, SVCONN_E_AFTER_CLOSE, SVCONN_E_TIMEOUT, SVCONN_E_SILENT, SVCONN_E_CANCELLED, ...
    } svconn_err;
    const char *svconn_strerror(svconn_err e);
    const char *svconn_reason_name(svconn_err e);

    #define SVCONN_TYPE_ED25519 ...
    #define SVCONN_TYPE_PSK ...
    #define SVCONN_TYPE_CUSTOM ...
    #define SVCONN_NAME_MAX ...
    #define SVCONN_PROOF_MESSAGE_MAX ...
    typedef struct { ...; } svconn_identity;
    void svconn_identity_ed25519(svconn_identity *id, const uint8_t *seed);
    svconn_err svconn_identity_psk(svconn_identity *id, const uint8_t *psk, const uint8_t *name, size_t name_len);
    svconn_err svconn_identity_custom(svconn_identity *id, const uint8_t *identity, size_t len);
    const uint8_t *svconn_identity_bytes(const svconn_identity *id, size_t *len);
    void svconn_identity_wipe(svconn_identity *id);

    typedef enum { SVCONN_CLIENT, SVCONN_SERVER, ... } svconn_role;
    typedef enum { SVCONN_EARLY_IF_SAFE, SVCONN_EARLY_NEVER, SVCONN_EARLY_ALWAYS, ... } svconn_early;
    typedef ... public_key; /* cffi writes pointers to const arrays wrongly */
    #define SVCONN_PEER_ED25519 ...
    #define SVCONN_PEER_PSK ...
    #define SVCONN_PEER_CUSTOM ...
    #define SVCONN_OFF ...
    typedef struct {
        svconn_role role;
        const svconn_identity *identity;
        const uint8_t *context;
        size_t context_len;
        unsigned peer_types;
        uint8_t hidden;
        uint8_t early;
        uint16_t pad_to;
        const public_key *known_servers;
        size_t known_servers_count;
        uint32_t renew_records, renew_bytes, renew_ms;
        uint32_t handshake_ms, keepalive_ms, silence_ms;
        ...;
    } svconn_config;

    #define SVCONN_MESSAGE_MAX ...
    #define SVCONN_OVERHEAD ...
    #define SVCONN_BUFFER_MIN ...
    #define SVCONN_BUFFER_RESERVE ...
    typedef enum {
        SVCONN_NONE, SVCONN_HANDSHAKE, SVCONN_NEEDS_PROOF, SVCONN_NEEDS_PSK, SVCONN_NEEDS_VERDICT, SVCONN_CONFIRMING,
        SVCONN_CONNECTED, SVCONN_CLOSED, SVCONN_FAILED, ...
    } svconn_state;
    typedef struct { ...; } svconn;

    svconn_err svconn_init(svconn *s, const svconn_config *config, uint8_t *seed, uint8_t *rx, size_t rx_size,
                           uint8_t *tx, size_t tx_size);
    void svconn_wipe(svconn *s);
    svconn_state svconn_status(const svconn *s);
    svconn_err svconn_error(const svconn *s);

    const uint8_t *svconn_peer(const svconn *s, size_t *len);
    svconn_err svconn_accept(svconn *s);
    svconn_err svconn_refuse(svconn *s);
    svconn_err svconn_accept_known(svconn *s, const public_key *public_keys, size_t n);
    svconn_err svconn_give_psk(svconn *s, const uint8_t *psk);
    svconn_err svconn_proof_message(const svconn *s, uint8_t *msg, size_t *len);
    svconn_err svconn_prove(svconn *s, const uint8_t *proof, size_t len);
    svconn_err svconn_peer_proof(const svconn *s, const uint8_t **proof, size_t *proof_len, uint8_t *msg,
                                 size_t *msg_len);

    svconn_err svconn_wire_in(svconn *s, const uint8_t *bytes, size_t len, size_t *used, uint64_t now_ms);
    svconn_err svconn_wire_eof(svconn *s);
    const uint8_t *svconn_wire_out(const svconn *s, size_t *len);
    svconn_err svconn_wire_sent(svconn *s, size_t len);
    svconn_err svconn_tick(svconn *s, uint64_t now_ms, uint64_t *next_ms);

    svconn_err svconn_send(svconn *s, const void *msg, size_t len, uint64_t now_ms);
    svconn_err svconn_recv(svconn *s, const uint8_t **msg, size_t *len);
    svconn_err svconn_recv_done(svconn *s);
    svconn_err svconn_close(svconn *s, uint64_t now_ms);
    void svconn_abort(svconn *s);
    svconn_err svconn_renew(svconn *s);

    svconn_err svconn_export(const svconn *s, const char *label, const uint8_t *ctx, size_t ctx_len, uint8_t *out,
                             size_t out_len);
    svconn_err svconn_authenticator(const svconn *s, char *out);
    void svconn_fingerprint(char *out, const uint8_t *identity, size_t len);
    void svconn_key_ids(const svconn *s, unsigned *sending, unsigned *receiving);
    """
)
ffi.set_source(
    "svconn._core",
    '#include "svconn.h"\ntypedef uint8_t public_key[32];\n',
    include_dirs=["csrc"],
    sources=["csrc/svconn.c"],
    depends=["csrc/svconn.c", "csrc/svconn.h"],
    # the module gives out its entry alone: no other svconn of the process takes the place of this one
    extra_compile_args=[] if sys.platform == "win32" else ["-fvisibility=hidden"],
)
