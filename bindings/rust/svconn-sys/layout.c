/* SPDX-License-Identifier: ISC */
/* What src/lib.rs says of the types of svconn.h, held against svconn.h: at compile time if memory depends on it, all of it in tests/layout.rs.
 * The table is an object of its own: no program but that test is linked with it. */
#include "svconn.h"

#ifdef SVCONN_SMALL
#define ROOM 416
#elif defined(__x86_64__) || defined(__aarch64__)
#define ROOM 1392
#else
#define ROOM 880
#endif
_Static_assert(sizeof(svconn) <= ROOM && _Alignof(svconn) <= 8, "SESSION_ROOM of src/lib.rs, and ROOM, are too small");

#ifdef SVCONN_SMALL
#define WORKSPACE_WORDS 82
#elif UINTPTR_MAX > 0xffffffff
#define WORKSPACE_WORDS 265
#else
#define WORKSPACE_WORDS 145
#endif
_Static_assert(sizeof(svconn_workspace) == 8 * WORKSPACE_WORDS, "WORKSPACE_WORDS of src/lib.rs, and here");

#define FIELD(name) offsetof(svconn_config, name), sizeof(((svconn_config *)0)->name)
extern const size_t svconn_sys_layout[];
const size_t svconn_sys_layout[] = {
    ROOM, sizeof(svconn), sizeof(svconn_identity), _Alignof(svconn_identity), sizeof(svconn_config), _Alignof(svconn_config),
    sizeof(svconn_err), sizeof(svconn_state),
    FIELD(role), FIELD(identity), FIELD(context), FIELD(context_len), FIELD(peer_types), FIELD(hidden), FIELD(early), FIELD(pad_to),
    FIELD(known_servers), FIELD(known_servers_count), FIELD(renew_records), FIELD(renew_bytes), FIELD(renew_ms), FIELD(handshake_ms),
    FIELD(keepalive_ms), FIELD(silence_ms),
    /* constants, in the order of tests/layout.rs */
    SVCONN_OK, SVCONN_AGAIN, SVCONN_END, SVCONN_E_ARGUMENT, SVCONN_E_STATE, SVCONN_E_SIZE, SVCONN_E_SEED, SVCONN_E_UNSUPPORTED,
    SVCONN_E_ABSENT, SVCONN_E_TRUNCATED, SVCONN_E_ABORTED, SVCONN_E_VERSION, SVCONN_E_FORMAT, SVCONN_E_LIMIT, SVCONN_E_TYPE, SVCONN_E_KEY,
    SVCONN_E_SELF, SVCONN_E_UNKNOWN, SVCONN_E_PROOF, SVCONN_E_DH, SVCONN_E_SEAL, SVCONN_E_PADDING, SVCONN_E_REFUSED, SVCONN_E_CONFIRM,
    SVCONN_E_TAG, SVCONN_E_KEY_ID, SVCONN_E_KEY_LIMIT, SVCONN_E_CONTROL, SVCONN_E_AFTER_CLOSE, SVCONN_E_TIMEOUT, SVCONN_E_SILENT,
    SVCONN_E_CANCELLED,
    SVCONN_TYPE_ED25519, SVCONN_TYPE_PSK, SVCONN_TYPE_CUSTOM, SVCONN_NAME_MAX, SVCONN_BUILT_IN_MAX, SVCONN_PROOF_MESSAGE_MAX,
    SVCONN_CLIENT, SVCONN_SERVER, SVCONN_EARLY_IF_SAFE, SVCONN_EARLY_NEVER, SVCONN_EARLY_ALWAYS,
    SVCONN_PEER_ED25519, SVCONN_PEER_PSK, SVCONN_PEER_CUSTOM, SVCONN_OFF,
    SVCONN_MESSAGE_MAX, SVCONN_OVERHEAD, SVCONN_BUFFER_MIN, SVCONN_BUFFER_RESERVE,
    SVCONN_NONE, SVCONN_HANDSHAKE, SVCONN_NEEDS_PROOF, SVCONN_NEEDS_PSK, SVCONN_NEEDS_VERDICT, SVCONN_CONFIRMING, SVCONN_CONNECTED,
    SVCONN_CLOSED, SVCONN_FAILED, SVCONN_WORKING,
};
extern const size_t svconn_sys_layout_len;
const size_t svconn_sys_layout_len = sizeof svconn_sys_layout / sizeof svconn_sys_layout[0];
