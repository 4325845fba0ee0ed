/* SPDX-License-Identifier: ISC */
/*
 * svconn: the Secure Virtual Connector, SVC-1. The only header that an application includes.
 *
 * A session turns bytes on a link that nobody trusts into whole messages between two parties that know each other.
 * It does no input or output: you carry bytes between the link and the session, in pieces of any size, and tell it the
 * time. (For a blocking call on a socket or a pipe, see svconn_transport.h.) The protocol is spec/protocol.md;
 * "section 5.3" below is there.
 *
 *      svconn_init                             one session for one link
 *      svconn_wire_out, _wire_sent             bytes for the link
 *      svconn_wire_in, _wire_eof               bytes from the link
 *      svconn_status                           does it ask something?   svconn_peer, svconn_accept, svconn_refuse ...
 *      svconn_send, _recv, _recv_done          messages, once connected
 *      svconn_close                            in order;   svconn_abort: at once
 *      svconn_tick                             deadlines, keep-alive
 *      svconn_work                             the handshake in slices, if it was begun by svconn_init_sliced
 *      svconn_wipe                             when all is over
 *
 * Rules that hold for every function:
 *  - No memory is allocated, nothing is kept open, nothing calls back. The session, its two buffers, the config and
 *    the identity belong to the caller. They stay in place and unchanged from svconn_init to svconn_wipe, except that
 *    the session struct itself may be moved (never copied).
 *  - Two kinds of error. Caller faults (SVCONN_E_ARGUMENT and the like) leave the session as it was. Failures
 *    (svconn_is_failure) are final: the first one is kept, the keys are wiped at once, and the peer gets 16 zero bytes,
 *    the same for every cause. What is in svconn_wire_out is still to be sent; then close the link.
 *  - Pointers to sessions, identities, keys and results must not be NULL unless it is said; a NULL config, buffer or
 *    message of more than 0 bytes is SVCONN_E_ARGUMENT.
 *  - Time is any monotonic clock in milliseconds, below 2^63. A value below an earlier one counts as the earlier one.
 *  - A library may be built without some of its parts (crypto/profile.h). A config that asks for one of them is
 *    SVCONN_E_UNSUPPORTED; a function that makes no sense without it is declared here and not in the library, so that
 *    who calls it is told when the program is linked. SVCONN_SMALL and SVCONN_MESSAGE_LIMIT change this file: give the
 *    compiler the same switches for the program as for the library.
 *  - One session may be used by one thread at a time. Different sessions have nothing in common but a config that is
 *    only read.
 */
#ifndef SVCONN_H
#define SVCONN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVCONN_VERSION "0.1.0" /* of the library; the protocol has its own version, 1 */

#if defined(__GNUC__) || defined(__clang__)
#define SVCONN_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SVCONN_MUST_CHECK
#endif

/* ---- results ------------------------------------------------------------------------------------ */
typedef enum {
    SVCONN_OK = 0,

    /* nothing happened, nothing is wrong */
    SVCONN_AGAIN, /* not yet: no message there, or no room; go on carrying bytes */
    SVCONN_END,   /* the peer has closed, in order: all that it sent was received */

    /* caller faults: the session is as it was */
    SVCONN_E_ARGUMENT, /* a null pointer, a value out of range, a label that is reserved */
    SVCONN_E_STATE,    /* not in this state */
    SVCONN_E_SIZE,     /* a message or proof that the buffer can never hold, or a buffer that is too small */
    SVCONN_E_SEED,     /* the random source failed: a seed that is all zero, or svconn_seed_check */
    SVCONN_E_UNSUPPORTED, /* the config asks for a part that this build leaves out */

    /* failures: final. The reasons of spec/vectors.md */
    SVCONN_E_ABSENT = 32, /* the link ended before the first byte */
    SVCONN_E_TRUNCATED,   /* the link ended without the peer's CLOSE */
    SVCONN_E_ABORTED,     /* the peer sent the error packet, or somebody on the path did */
    SVCONN_E_VERSION,     /* CLIENT: not SVC-1: another protocol, or another version */
    SVCONN_E_FORMAT,      /* a length that cannot be, a field that does not fit */
    SVCONN_E_LIMIT,       /* a message above the limit, or larger than our receive buffer */
    SVCONN_E_TYPE,        /* an identity of a type that does not exist or that we do not take */
    SVCONN_E_KEY,         /* the peer's public key is not acceptable */
    SVCONN_E_SELF,        /* the peer presents our own identity */
    SVCONN_E_UNKNOWN,     /* a hidden SERVER that is none of those that we know */
    SVCONN_E_PROOF,       /* the peer's proof is wrong: another context, another psk, or an attack */
    SVCONN_E_DH,          /* an X25519 result is zero */
    SVCONN_E_SEAL,        /* the CLIENT's sealed identity does not open */
    SVCONN_E_PADDING,     /* padding that is not zero */
    SVCONN_E_REFUSED,     /* our application refused the peer */
    SVCONN_E_CONFIRM,     /* the SERVER's first record is not its confirmation */
    SVCONN_E_TAG,         /* a record was changed, replayed, dropped or reordered */
    SVCONN_E_KEY_ID,      /* a record under a key that cannot be */
    SVCONN_E_KEY_LIMIT,   /* the peer did not renew its key in time */
    SVCONN_E_CONTROL,     /* a control record that does not exist */
    SVCONN_E_AFTER_CLOSE, /* a record after CLOSE */
    SVCONN_E_TIMEOUT,     /* the handshake did not end within its deadline (as between two CLIENTs) */
    SVCONN_E_SILENT,      /* nothing was heard of the peer for too long */
    SVCONN_E_CANCELLED    /* svconn_abort */
} svconn_err;

#define svconn_is_failure(e) ((int)(e) >= (int)SVCONN_E_ABSENT)

const char *svconn_strerror(svconn_err e);    /* one English sentence: what happened, what to look at. Never NULL. */
const char *svconn_reason_name(svconn_err e); /* the short name of spec/vectors.md, such as "key-limit". Never NULL. */

/* ---- identities (section 2) --------------------------------------------------------------------- */
#define SVCONN_TYPE_ED25519 0x01
#define SVCONN_TYPE_PSK 0x02
#define SVCONN_TYPE_CUSTOM 0x80 /* to 0xff: the application's own */

#define SVCONN_NAME_MAX 64
#define SVCONN_BUILT_IN_MAX 65 /* longest identity of a built-in type */
#define SVCONN_PROOF_MESSAGE_MAX 64

/* Who we are. Fields are private. Holds a secret: wipe it, and each copy, with svconn_identity_wipe. */
typedef struct {
    const uint8_t *id; /* custom: the caller's bytes; else NULL */
    size_t id_len;
    uint8_t built_in[SVCONN_BUILT_IN_MAX]; /* type || body */
    uint8_t secret[32];                    /* seed or psk */
} svconn_identity;

/* An Ed25519 key: seed is the private key of RFC 8032. Use the key for nothing else. */
void svconn_identity_ed25519(svconn_identity *id, const uint8_t seed[32]);

/* A pre-shared key: 32 random bytes, never a password. The names of the two parties differ. name_len is 0 to 64. */
SVCONN_MUST_CHECK svconn_err svconn_identity_psk(svconn_identity *id, const uint8_t psk[32], const uint8_t *name,
                                                 size_t name_len);

/* The application's own: identity[0] (0x80 to 0xff) is the type. The bytes are not copied and must outlive the
 * sessions. The session asks for each proof (SVCONN_NEEDS_PROOF): this is the way to a key in an HSM, or to
 * certificates. */
SVCONN_MUST_CHECK svconn_err svconn_identity_custom(svconn_identity *id, const uint8_t *identity, size_t len);

/* The public part, type and body: what the peer will see. Lives as long as id. */
const uint8_t *svconn_identity_bytes(const svconn_identity *id, size_t *len);
void svconn_identity_wipe(svconn_identity *id);

/* ---- configuration: plain data, shared by any number of sessions -------------------------------- */
typedef enum { SVCONN_CLIENT = 1, SVCONN_SERVER = 2 } svconn_role; /* SERVER accepted the link (section 1.4) */

typedef enum {
    SVCONN_EARLY_IF_SAFE = 0, /* the CLIENT may send unconfirmed if the SERVER's type contributes es (3.8) */
    SVCONN_EARLY_NEVER,
    SVCONN_EARLY_ALWAYS
} svconn_early;

/* kinds of peers that we take */
#define SVCONN_PEER_ED25519 1u
#define SVCONN_PEER_PSK 2u
#define SVCONN_PEER_CUSTOM 4u

#define SVCONN_OFF UINT32_MAX

/* Start from zeros: a zero is the default everywhere. */
typedef struct {
    svconn_role role;                /* no default */
    const svconn_identity *identity; /* no default */
    const uint8_t *context;          /* section 3.1; both ends agree on it beforehand */
    size_t context_len;              /* 0 to 255 */
    unsigned peer_types;             /* SVCONN_PEER_ bits; 0: the same kind as our own identity */
    uint8_t hidden;                  /* SERVER only: 1 hides our key from those who do not know it (type 01 only) */
    uint8_t early;                   /* CLIENT: svconn_early */
    uint16_t pad_to; /* CLIENT: pad our identity and proof to a multiple of so many bytes; 0: no padding */
    const uint8_t (*known_servers)[32]; /* CLIENT: keys that a hidden SERVER may have; open ones connect as well */
    size_t known_servers_count;
    uint32_t renew_records, renew_bytes; /* renew our key after so many; default and largest 2^20, 2^30 */
    uint32_t renew_ms;                   /* default and largest 120000 */
    uint32_t handshake_ms;               /* default 10000; SVCONN_OFF: never */
    uint32_t keepalive_ms;               /* default 20000; SVCONN_OFF: never */
    uint32_t silence_ms;                 /* default 60000; SVCONN_OFF: never */
} svconn_config;

/* ---- the session -------------------------------------------------------------------------------- */
#ifdef SVCONN_MESSAGE_LIMIT
#define SVCONN_MESSAGE_MAX SVCONN_MESSAGE_LIMIT
#else
#define SVCONN_MESSAGE_MAX 65535
#endif
#define SVCONN_OVERHEAD 16       /* of a record */
#define SVCONN_BUFFER_MIN 256    /* enough for the handshake of the built-in types without padding */
#define SVCONN_BUFFER_RESERVE 33 /* kept free in the send buffer for CLOSE and the error packet */

/* A buffer for messages of up to n bytes. (With pad_to or with custom identities the handshake may want more: 256
 * bytes, plus identity, proof and padding, is always enough.) A larger buffer takes more records at once. */
#define SVCONN_BUFFER_SIZE(n)                                                                                          \
    ((n) + SVCONN_OVERHEAD + SVCONN_BUFFER_RESERVE > SVCONN_BUFFER_MIN ? (n) + SVCONN_OVERHEAD + SVCONN_BUFFER_RESERVE \
                                                                       : SVCONN_BUFFER_MIN)

typedef enum {
    SVCONN_NONE = 0,      /* zeroed or wiped */
    SVCONN_HANDSHAKE,     /* carry bytes */
    SVCONN_NEEDS_PROOF,   /* sign svconn_proof_message, then svconn_prove. (Custom identity of our own.) */
    SVCONN_NEEDS_PSK,     /* which psk belongs to the name svconn_peer? svconn_give_psk or svconn_refuse */
    SVCONN_NEEDS_VERDICT, /* is svconn_peer whom we want? svconn_accept or svconn_refuse */
    SVCONN_CONFIRMING,    /* CLIENT: our part is on its way; early messages may be sent; nothing comes yet */
    SVCONN_CONNECTED,     /* messages flow */
    SVCONN_CLOSED,        /* both directions closed in order: send what is in svconn_wire_out, close the link */
    SVCONN_FAILED,        /* svconn_error says why: send what is in svconn_wire_out, close the link */
    SVCONN_WORKING        /* the handshake has more to compute: svconn_work. (Sessions of svconn_init_sliced.) */
} svconn_state;

/* an AES-256-GCM key (SVCONN_GCM_WORDS), expanded unless memory comes before speed */
#ifdef SVCONN_SMALL
#define SVCONN_KEY_WORDS 4
#elif defined(__x86_64__) || defined(__aarch64__) || defined(_M_X64) || defined(_M_ARM64) || defined(__wasm_simd128__)
#define SVCONN_KEY_WORDS 65
#else
#define SVCONN_KEY_WORDS 33
#endif

/* One direction of section 5.2. Private. */
typedef struct {
    uint64_t key[SVCONN_KEY_WORDS];
    uint8_t chain[32];
    uint8_t iv[12];
    uint32_t counter, bytes; /* on this key; bounded by 2^20 and by 2^30 + 65535 */
    uint16_t id;
} svconn_direction;

/* SVCONN_SMALL changes the struct below, SVCONN_MESSAGE_LIMIT the number above. A program built with another value of
 * these than its library finds no svconn_init: it does not link. */
#define SVCONN_NAME_(name, part, limit) name##part##limit
#define SVCONN_NAME(name, part, limit) SVCONN_NAME_(name, part, limit)
#if defined(SVCONN_SMALL) && defined(SVCONN_MESSAGE_LIMIT)
#define svconn_init SVCONN_NAME(svconn_init, _small_, SVCONN_MESSAGE_LIMIT)
#define svconn_init_sliced SVCONN_NAME(svconn_init_sliced, _small_, SVCONN_MESSAGE_LIMIT)
#elif defined(SVCONN_SMALL)
#define svconn_init svconn_init_small
#define svconn_init_sliced svconn_init_sliced_small
#elif defined(SVCONN_MESSAGE_LIMIT)
#define svconn_init SVCONN_NAME(svconn_init, _limit_, SVCONN_MESSAGE_LIMIT)
#define svconn_init_sliced SVCONN_NAME(svconn_init_sliced, _limit_, SVCONN_MESSAGE_LIMIT)
#endif

/* What a handshake in slices needs until it is over. Private; any bytes to begin with. */
#ifdef SVCONN_SMALL
#define SVCONN_WORKSPACE_WORDS 82
#elif UINTPTR_MAX > 0xffffffff || defined(__x86_64__) || defined(__aarch64__) /* one size for all compilers of a machine */
#define SVCONN_WORKSPACE_WORDS 265
#else
#define SVCONN_WORKSPACE_WORDS 145
#endif
typedef struct {
    uint64_t words[SVCONN_WORKSPACE_WORDS];
} svconn_workspace;

/* Size is public (sizeof), fields are private: they change from release to release. */
typedef struct {
    const svconn_config *config;
    svconn_workspace *work; /* NULL: not in slices */
    uint8_t state, step, error, flags;
    uint32_t lent; /* length of the record at rx_head that is lent to the application; 0: none */
    uint8_t *rx, *tx;
    uint32_t rx_size, rx_head, rx_tail; /* bytes from the link: [head, tail) */
    uint32_t tx_size, tx_head, tx_tail; /* bytes for the link: [head, tail) */
    union { /* here, and what is asked for most often first: instructions have small offsets */
        struct {
            uint16_t m_len;                     /* of M1 or M2, which begins at rx_head */
            uint16_t peer_at, peer_len;         /* the peer's identity, from rx_head */
            uint16_t proof_at, proof_len;       /* the peer's proof, from rx_head */
            uint32_t tried;                     /* CLIENT, hidden mode: of known_servers, in vain */
            uint8_t secret[32];                 /* x or y */
            uint8_t ck[32];
            union {
                struct {
                    uint8_t public_key[32];   /* X or Y; SERVER: until M1 is made */
                    uint8_t peer_key[32];     /* the psk for the peer's name; its Ed25519 key, verified, as X25519 key */
                    uint8_t opened_proof[64]; /* CLIENT, hidden mode: pS */
                } m;
                uint8_t t2_hash[112]; /* SERVER, between M1 and M2: the state of T2's hash behind LP(p) */
            } v;
        } hs;
        struct {
            svconn_direction out, in;
            uint8_t exporter[32];
        } on;
    } u;
    int64_t behind; /* section 5.2 */
    uint64_t now, sent_at, key_at;
    uint64_t since;   /* until connected: the first time that was told; then: when the peer was last heard */
    uint8_t peer_len; /* 0: none, or larger than peer[] */
    uint8_t peer[SVCONN_BUILT_IN_MAX];
    uint8_t t[32]; /* the latest of T1 to T4: no secret */
} svconn;

/* Once at start-up, before the first svconn_init: has the random source failed? draws: 64 bytes of it, for nothing
 * else, and wiped here. last: 16 bytes that the application keeps over restarts (flash, a file), zeros at first; only
 * SVCONN_OK changes them, and they are then stored before the first session. SVCONN_E_SEED, and no session may begin:
 * half of the draws is one byte again and again, or all of it repeats itself, or the last start drew the same. This
 * finds a source that is off, stuck, or begins the same each time; it cannot tell one that is guessable from a good
 * one. last is a hash: of a good source it tells nothing. docs/randomness.md has the sources of boards and systems. */
SVCONN_MUST_CHECK svconn_err svconn_seed_check(uint8_t last[16], uint8_t draws[64]);

/* Begins a session in *s. seed: 32 fresh random bytes, wiped here unless a caller fault is returned; all zero is
 * refused. rx and tx: buffers of at least SVCONN_BUFFER_MIN bytes, see SVCONN_BUFFER_SIZE; rx bounds the messages that
 * can be received, tx those that can be sent. A SERVER's first message is ready in svconn_wire_out right away (or asked
 * for by SVCONN_NEEDS_PROOF), so sessions can be prepared before links come. The handshake deadline begins with the
 * first call that tells the time. A caller fault (bad arguments, sizes or seed) leaves *s as it was: zero it before, if
 * svconn_wipe is called on every way out. */
SVCONN_MUST_CHECK svconn_err svconn_init(svconn *s, const svconn_config *config, uint8_t seed[32], uint8_t *rx,
                                         size_t rx_size, uint8_t *tx, size_t tx_size);

/* The same, for those who cannot wait while a curve is computed (an event loop, a watchdog): wherever the handshake would
 * go on computing, the state is SVCONN_WORKING, from the beginning on (a SERVER's first message is not there at once), until svconn_work was called often enough; what
 * comes from the link waits, and messages cannot be sent. The work space is the caller's; it stays in place until the session is connected, over or wiped, and
 * is erased then. Messages and keys are those of svconn_init. */
SVCONN_MUST_CHECK svconn_err svconn_init_sliced(svconn *s, svconn_workspace *work, const svconn_config *config,
                                                uint8_t seed[32], uint8_t *rx, size_t rx_size, uint8_t *tx,
                                                size_t tx_size);

/* SVCONN_WORKING: a slice of so many units, 1 or more. A unit is at most 100 products of field elements, or one of the hashes and
 * seals between them (of all of M1 or M2, if these have long fields or padding). UINT32_MAX: all that can be done now. docs/embedded.md has what the longest slice and the whole handshake take. Returns the failure if there is one; svconn_status says whether there is more. */
SVCONN_MUST_CHECK svconn_err svconn_work(svconn *s, uint32_t units);

/* Ends it in any state: erases the session, both buffers, and the work space. */
void svconn_wipe(svconn *s);

svconn_state svconn_status(const svconn *s);
svconn_err svconn_error(const svconn *s); /* the failure; SVCONN_OK if there is none */

/* ---- who is there ------------------------------------------------------------------------------- */
/* The peer's identity, type and body; NULL if it is not known (yet). During SVCONN_NEEDS_PSK and _VERDICT, and _WORKING before that, it is a
 * claim, proven by the built-in types at _VERDICT, and lent until the next call that changes the session. After it was
 * accepted: identities of up to SVCONN_BUILT_IN_MAX bytes stay until svconn_wipe; of longer ones the application keeps
 * what it wants. After a failure it is what was claimed: proven only if SVCONN_NEEDS_VERDICT had been reached. */
const uint8_t *svconn_peer(const svconn *s, size_t *len);

/* SVCONN_NEEDS_VERDICT. svconn_accept says: this peer is welcome. For a custom type it also says: I have verified
 * svconn_peer_proof. It comes twice on a CLIENT whose SERVER has a custom type: for M1 and for M3 (section 3.7). May
 * come late. */
SVCONN_MUST_CHECK svconn_err svconn_accept(svconn *s);
/* Also at _NEEDS_PSK. A failure for this session; the call itself returns SVCONN_OK. */
SVCONN_MUST_CHECK svconn_err svconn_refuse(svconn *s);

/* svconn_accept if the peer is one of n Ed25519 keys, else svconn_refuse. */
SVCONN_MUST_CHECK svconn_err svconn_accept_known(svconn *s, const uint8_t (*public_keys)[32], size_t n);

/* SVCONN_NEEDS_PSK: the key for the name in svconn_peer. */
SVCONN_MUST_CHECK svconn_err svconn_give_psk(svconn *s, const uint8_t psk[32]);

/* SVCONN_NEEDS_PROOF: the bytes to be signed (label, zero byte, hash), then the proof over them. May come late. If the
 * proof does not fit into the send buffer: SVCONN_E_SIZE, and the session goes on asking. */
SVCONN_MUST_CHECK svconn_err svconn_proof_message(const svconn *s, uint8_t msg[SVCONN_PROOF_MESSAGE_MAX], size_t *len);
SVCONN_MUST_CHECK svconn_err svconn_prove(svconn *s, const uint8_t *proof, size_t len);

/* SVCONN_NEEDS_VERDICT, custom types: the peer's proof (lent until the next call) and the bytes that it must cover. */
SVCONN_MUST_CHECK svconn_err svconn_peer_proof(const svconn *s, const uint8_t **proof, size_t *proof_len,
                                               uint8_t msg[SVCONN_PROOF_MESSAGE_MAX], size_t *msg_len);

/* ---- the link ----------------------------------------------------------------------------------- */
/* Takes bytes from the link, any number at any split. *used says how many it took; fewer than len only if the session
 * waits for the application (a message to fetch, a question to answer) or failed. Returns the failure if there is one.
 * After svconn_wire_eof: SVCONN_E_STATE. A session that is SVCONN_CLOSED takes and ignores everything, at any time. */
SVCONN_MUST_CHECK svconn_err svconn_wire_in(svconn *s, const uint8_t *bytes, size_t len, size_t *used, uint64_t now_ms);

/* The same without a copy: read up to *len bytes into the returned place, then tell how many. *len is 0 while the
 * session waits. */
uint8_t *svconn_wire_space(svconn *s, size_t *len);
SVCONN_MUST_CHECK svconn_err svconn_wire_filled(svconn *s, size_t len, uint64_t now_ms);

/* The link has ended. SVCONN_OK if the peer closed before; else a failure. If whole messages are still in the session,
 * they come first: SVCONN_OK now, and svconn_recv_done of the last one returns the failure; or, while the session is
 * SVCONN_WORKING and bytes wait, svconn_work. */
SVCONN_MUST_CHECK svconn_err svconn_wire_eof(svconn *s);

/* Bytes for the link; *len is 0 if there are none. Lent until the next call that changes the session. Then tell how
 * many were sent. */
const uint8_t *svconn_wire_out(const svconn *s, size_t *len);
SVCONN_MUST_CHECK svconn_err svconn_wire_sent(svconn *s, size_t len);

/* Call when *next_ms has come (UINT64_MAX: never), or more often; it also tells a new session the time. Sends
 * keep-alives, ends what is overdue (and then returns the failure). next_ms may be NULL. */
SVCONN_MUST_CHECK svconn_err svconn_tick(svconn *s, uint64_t now_ms, uint64_t *next_ms);

/* ---- messages ----------------------------------------------------------------------------------- */
/* Seals one message, 0 to SVCONN_MESSAGE_MAX bytes, into the send buffer: all or nothing. SVCONN_AGAIN: no room now.
 * SVCONN_E_SIZE: never enough room. SVCONN_E_STATE: not connected, early messages not allowed, or closed. msg may be a
 * message that svconn_recv lent, but may not lie in the send buffer. */
SVCONN_MUST_CHECK svconn_err svconn_send(svconn *s, const void *msg, size_t len, uint64_t now_ms);

/* Lends one received message until svconn_recv_done; the same one as long as that was not called. SVCONN_AGAIN: none
 * there. SVCONN_END: there will be none. A message that came whole before a failure is still delivered; then the
 * failure is returned. */
SVCONN_MUST_CHECK svconn_err svconn_recv(svconn *s, const uint8_t **msg, size_t *len);
/* Gives it back; looks at what else has come. Returns the failure if that causes one. */
SVCONN_MUST_CHECK svconn_err svconn_recv_done(svconn *s);

/* Sends CLOSE: we send nothing more. The peer may; go on receiving until SVCONN_END, then close the link. */
SVCONN_MUST_CHECK svconn_err svconn_close(svconn *s, uint64_t now_ms);

/* Ends at once with the error packet; the reason is SVCONN_E_CANCELLED. Does nothing in NONE, CLOSED and FAILED. */
void svconn_abort(svconn *s);

/* The next record that we send has a new key (5.3), or the one after it if the current key has sealed nothing yet; the
 * peer follows. */
SVCONN_MUST_CHECK svconn_err svconn_renew(svconn *s);

/* ---- records without copies: message transports, bulk data -------------------------------------- */
/* Seals one message in place: record[4 .. 4 + len) is the message; record[0 .. len + 16) becomes the record. The same
 * states as svconn_send; SVCONN_AGAIN while svconn_wire_out is not empty, because order matters on the link. */
SVCONN_MUST_CHECK svconn_err svconn_seal(svconn *s, uint8_t *record, size_t len, uint64_t now_ms);

/* Opens one whole record in place; *msg points into it. SVCONN_AGAIN: a control record that carries no message.
 * SVCONN_END: CLOSE. Connected sessions only, and only while no part of a record is in the session (SVCONN_E_STATE).
 * What is not exactly one record is a fault of the wire: it ends the session. Handshake messages go through
 * svconn_wire_in. */
SVCONN_MUST_CHECK svconn_err svconn_open(svconn *s, uint8_t *record, size_t record_len, uint8_t **msg, size_t *len,
                                         uint64_t now_ms);

/* ---- what else a session knows ------------------------------------------------------------------ */
/* A key for another purpose (section 4), equal at both ends. label is not "authenticator"; label and ctx are at most
 * 65535 bytes, out_len 1 to 8160. Connected sessions only: not before the CLIENT was confirmed. */
SVCONN_MUST_CHECK svconn_err svconn_export(const svconn *s, const char *label, const uint8_t *ctx, size_t ctx_len,
                                           uint8_t *out, size_t out_len);

/* 20 digits in groups of 5, for two people to compare over another channel: "12345 12345 12345 12345" and a NUL. */
SVCONN_MUST_CHECK svconn_err svconn_authenticator(const svconn *s, char out[24]);

/* 30 digits in groups of 5 for an identity (type and body), and a NUL. */
void svconn_fingerprint(char out[36], const uint8_t *identity, size_t len);

/* The key ids in use (5.1); 0 if there are none. For logs. */
void svconn_key_ids(const svconn *s, unsigned *sending, unsigned *receiving);

#ifdef __cplusplus
}
#endif
#endif
