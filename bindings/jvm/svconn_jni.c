/* SPDX-License-Identifier: ISC */
/*
 * The native half of io.svconn.Native: sessions and identities for Java, one allocation each.
 *
 * Java decides who may call: a handle is used under the monitor of the object that owns it, and is 0 once that object
 * is closed. So nothing here looks after threads, and a handle that is not 0 is good. Lengths are looked at here as
 * well as in Java, because what is wrong here is a fault of memory and not an exception.
 *
 * Bytes go between Java's arrays and the session's own buffers by Get/SetByteArrayRegion, without a copy in between:
 * plain text that is sent is in scratch for the time of the call, keys and seeds are on the stack for the time of the
 * call, and both are erased before it returns. Calls return a count or a svconn_err, a count's svconn_err negated. A
 * Java exception (no memory, an array's bounds) is left pending and nothing more is done.
 */
#include "svconn.h"

#include <jni.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_MAX 255
#define LABEL_MAX 255
#define EXPORT_MAX 8160
#define KNOWN_MAX 1024 /* hidden servers that a client knows */
#define FIELD_MAX 65535 /* an identity, a proof */

/* The constants of Native.java, and the states of Svconn.State */
_Static_assert(SVCONN_AGAIN == 1 && SVCONN_END == 2 && SVCONN_E_ARGUMENT == 3 && SVCONN_E_STATE == 4, "Native.java");
_Static_assert(SVCONN_E_ABSENT == 32 && SVCONN_E_TRUNCATED == 33 && SVCONN_E_CANCELLED == 55, "Native.java");
_Static_assert(SVCONN_NONE == 0 && SVCONN_NEEDS_VERDICT == 4 && SVCONN_FAILED == 8, "SvconnEngine.java");
_Static_assert(SVCONN_PEER_ED25519 == 1 && SVCONN_PEER_PSK == 2 && SVCONN_PEER_CUSTOM == 4, "SvconnConfig.java");

typedef struct {
    svconn s;
    svconn_config config;
    svconn_identity me; /* a copy: the Java identity may be closed before the session */
    uint8_t context[CONTEXT_MAX];
    size_t message_max;
    uint8_t *scratch; /* message_max bytes */
    uint8_t bytes[];  /* rx, tx, scratch, known servers, our identity if it is custom */
} session;

/* A function of Native.java, declared and begun; its first parameters are env and c, the class. */
#define NATIVE(type, name, ...)                                                                                        \
    JNIEXPORT type JNICALL Java_io_svconn_Native_##name(JNIEnv *env, jclass c, __VA_ARGS__);                           \
    JNIEXPORT type JNICALL Java_io_svconn_Native_##name(JNIEnv *env, jclass c, __VA_ARGS__)

static atomic_int live; /* sessions and identities: the tests look for leaks */

/* The compiler may not leave it out: it does not know what is called. */
static void *(*volatile const set_memory)(void *, int, size_t) = memset;
static void wipe(void *p, size_t n) { set_memory(p, 0, n); }

static session *of(jlong handle) { return (session *)(intptr_t)handle; }
static svconn_identity *identity_of(jlong handle) { return (svconn_identity *)(intptr_t)handle; }
static jlong handle_of(void *p) { return (jlong)(intptr_t)p; }

static size_t length(JNIEnv *env, jbyteArray a) { return a ? (size_t)(*env)->GetArrayLength(env, a) : 0; }

/* Is [offset, offset + len) inside the array? */
static int is_inside(JNIEnv *env, jbyteArray a, jint offset, jint len) {
    size_t size = length(env, a);
    return a && offset >= 0 && len >= 0 && (size_t)len <= size && (size_t)offset <= size - (size_t)len;
}

/* All of the array, at most max bytes. 0: an exception, or too long. */
static int get_all(JNIEnv *env, jbyteArray a, void *out, size_t max, size_t *len) {
    *len = length(env, a);
    if (*len > max) return 0;
    if (*len) (*env)->GetByteArrayRegion(env, a, 0, (jsize)*len, (jbyte *)out);
    return !(*env)->ExceptionCheck(env);
}

/* 32 bytes exactly */
static int get_secret(JNIEnv *env, jbyteArray a, uint8_t out[32]) {
    size_t len;
    return length(env, a) == 32 && get_all(env, a, out, 32, &len);
}

/* A new array; NULL with an exception pending if there is no memory. */
static jbyteArray array_of(JNIEnv *env, const uint8_t *bytes, size_t len) {
    jbyteArray a = (*env)->NewByteArray(env, (jsize)len);
    if (a && len) (*env)->SetByteArrayRegion(env, a, 0, (jsize)len, (const jbyte *)bytes);
    return a;
}

/* ---- identities --------------------------------------------------------------------------------- */

/* 0: no memory, or a fault of the caller; Java has looked at the arguments, and tells which. */
NATIVE(jlong, identityOpen, jbyteArray secret, jbyteArray name) {
    (void)c;
    uint8_t key[32], bytes[SVCONN_NAME_MAX];
    size_t name_len;
    svconn_identity *me = NULL;
    svconn_err err = SVCONN_E_ARGUMENT;
    if (get_secret(env, secret, key) && get_all(env, name, bytes, sizeof bytes, &name_len)) {
        me = calloc(1, sizeof *me);
        if (me && name) err = svconn_identity_psk(me, key, bytes, name_len);
        else if (me) {
            svconn_identity_ed25519(me, key);
            err = SVCONN_OK;
        }
    }
    wipe(key, sizeof key);
    if (!err) {
        atomic_fetch_add(&live, 1);
        return handle_of(me);
    }
    free(me);
    return 0;
}

/* The bytes lie behind the identity. 0: no memory, or not an identity. */
NATIVE(jlong, identityCustom, jbyteArray identity) {
    (void)c;
    size_t len = length(env, identity);
    svconn_identity *me = len <= FIELD_MAX ? calloc(1, sizeof *me + len) : NULL;
    if (!me) return 0;
    uint8_t *bytes = (uint8_t *)(me + 1);
    if (!get_all(env, identity, bytes, len, &len) || svconn_identity_custom(me, bytes, len)) {
        free(me);
        return 0;
    }
    atomic_fetch_add(&live, 1);
    return handle_of(me);
}

NATIVE(jbyteArray, identityBytes, jlong handle) {
    (void)c;
    size_t len;
    const uint8_t *bytes = svconn_identity_bytes(identity_of(handle), &len);
    return array_of(env, bytes, len);
}

NATIVE(void, identityClose, jlong handle) {
    (void)env;
    (void)c;
    svconn_identity_wipe(identity_of(handle));
    free(identity_of(handle));
    atomic_fetch_sub(&live, 1);
}

/* ---- beginning and end of a session ------------------------------------------------------------- */

/* What Java sends in numbers */
enum {
    ROLE,
    HIDDEN,
    PEERS,
    PAD_TO,
    RENEW_RECORDS,
    RENEW_BYTES,
    RENEW_MS,
    HANDSHAKE_MS,
    KEEPALIVE_MS,
    SILENCE_MS,
    MESSAGE_MAX,
    NUMBERS
};

/* Java's -1 becomes SVCONN_OFF. */
static void configure(session *x, const jint n[NUMBERS]) {
    x->config.role = (svconn_role)n[ROLE];
    x->config.identity = &x->me;
    x->config.context = x->context;
    x->config.hidden = (uint8_t)n[HIDDEN];
    x->config.peer_types = (unsigned)n[PEERS];
    x->config.early = SVCONN_EARLY_NEVER;
    x->config.pad_to = (uint16_t)n[PAD_TO];
    x->config.renew_records = (uint32_t)n[RENEW_RECORDS];
    x->config.renew_bytes = (uint32_t)n[RENEW_BYTES];
    x->config.renew_ms = (uint32_t)n[RENEW_MS];
    x->config.handshake_ms = (uint32_t)n[HANDSHAKE_MS];
    x->config.keepalive_ms = (uint32_t)n[KEEPALIVE_MS];
    x->config.silence_ms = (uint32_t)n[SILENCE_MS];
    x->message_max = (size_t)n[MESSAGE_MAX];
}

/* The handshake may want more than a small message: padding comes on top of what it always needs. */
static size_t buffer_size(const jint n[NUMBERS]) {
    return SVCONN_BUFFER_SIZE((size_t)n[MESSAGE_MAX]) + (size_t)n[PAD_TO];
}

static void destroy(session *x) {
    size_t scratch = x->message_max;
    svconn_wipe(&x->s);
    svconn_identity_wipe(&x->me);
    wipe(x->scratch, scratch);
    free(x);
}

static svconn_err begin(JNIEnv *env, session *x, const jint n[NUMBERS], jbyteArray seed, jbyteArray context,
                        jbyteArray known) {
    uint8_t random[32], *rx = x->bytes, *tx = rx + buffer_size(n), *keys;
    x->scratch = tx + buffer_size(n);
    keys = x->scratch + n[MESSAGE_MAX];
    configure(x, n);
    size_t known_len;
    if (!get_all(env, context, x->context, sizeof x->context, &x->config.context_len)) return SVCONN_E_ARGUMENT;
    if (!get_all(env, known, keys, 32 * KNOWN_MAX, &known_len) || known_len % 32) return SVCONN_E_ARGUMENT;
    x->config.known_servers = (const uint8_t(*)[32])keys;
    x->config.known_servers_count = known_len / 32;
    if (x->me.id) x->me.id = memcpy(keys + known_len, x->me.id, x->me.id_len); /* the Java identity may go first */
    svconn_err err = SVCONN_E_ARGUMENT;
    if (get_secret(env, seed, random))
        err = svconn_init(&x->s, &x->config, random, rx, buffer_size(n), tx, buffer_size(n));
    wipe(random, sizeof random);
    return err;
}

/* In out[0] the handle. -1: no memory. */
NATIVE(jint, open, jlong identity, jbyteArray seed, jintArray numbers, jbyteArray context, jbyteArray known,
       jlongArray out) {
    (void)c;
    jint n[NUMBERS];
    if (!numbers || !out || !identity || (*env)->GetArrayLength(env, numbers) != NUMBERS) return SVCONN_E_ARGUMENT;
    (*env)->GetIntArrayRegion(env, numbers, 0, NUMBERS, n);
    if ((*env)->ExceptionCheck(env)) return SVCONN_E_ARGUMENT;
    if (n[MESSAGE_MAX] < 1 || n[MESSAGE_MAX] > SVCONN_MESSAGE_MAX || n[PAD_TO] < 0 || n[PAD_TO] > 4096 ||
        length(env, known) > 32 * KNOWN_MAX)
        return SVCONN_E_ARGUMENT;
    session *x = calloc(1, sizeof *x + 2 * buffer_size(n) + (size_t)n[MESSAGE_MAX] + length(env, known) +
                               identity_of(identity)->id_len);
    if (!x) return -1;
    x->me = *identity_of(identity);
    svconn_err err = begin(env, x, n, seed, context, known);
    if (err) {
        destroy(x);
        return (jint)err;
    }
    atomic_fetch_add(&live, 1);
    jlong handle = handle_of(x);
    (*env)->SetLongArrayRegion(env, out, 0, 1, &handle);
    return SVCONN_OK;
}

NATIVE(void, close, jlong handle) {
    (void)env;
    (void)c;
    destroy(of(handle));
    atomic_fetch_sub(&live, 1);
}

NATIVE(jint, live, jint zero) {
    (void)env;
    (void)c;
    (void)zero;
    return atomic_load(&live);
}

/* ---- what a session is and knows ---------------------------------------------------------------- */

NATIVE(jint, status, jlong handle) {
    (void)env;
    (void)c;
    return (jint)svconn_status(&of(handle)->s);
}

NATIVE(jint, error, jlong handle) {
    (void)env;
    (void)c;
    return (jint)svconn_error(&of(handle)->s);
}

NATIVE(jbyteArray, peer, jlong handle) {
    (void)c;
    size_t len;
    const uint8_t *peer = svconn_peer(&of(handle)->s, &len);
    return peer ? array_of(env, peer, len) : NULL;
}

NATIVE(jint, verdict, jlong handle, jboolean welcome) {
    (void)env;
    (void)c;
    return (jint)(welcome ? svconn_accept(&of(handle)->s) : svconn_refuse(&of(handle)->s));
}

/* NULL: not in this state, or no memory */
NATIVE(jbyteArray, proofMessage, jlong handle) {
    (void)c;
    uint8_t message[SVCONN_PROOF_MESSAGE_MAX];
    size_t len;
    return svconn_proof_message(&of(handle)->s, message, &len) ? NULL : array_of(env, message, len);
}

NATIVE(jint, prove, jlong handle, jbyteArray proof) {
    (void)c;
    size_t len = length(env, proof);
    if (len > FIELD_MAX) return SVCONN_E_SIZE;
    uint8_t *bytes = malloc(len + 1);
    if (!bytes) return -1;
    svconn_err err = SVCONN_E_ARGUMENT;
    if (get_all(env, proof, bytes, len, &len)) err = svconn_prove(&of(handle)->s, bytes, len);
    free(bytes);
    return (jint)err;
}

/* NULL as above, these two */
static jbyteArray proof_or_message(JNIEnv *env, jlong handle, int want_proof) {
    const uint8_t *proof;
    uint8_t message[SVCONN_PROOF_MESSAGE_MAX];
    size_t proof_len, len;
    if (svconn_peer_proof(&of(handle)->s, &proof, &proof_len, message, &len)) return NULL;
    return want_proof ? array_of(env, proof, proof_len) : array_of(env, message, len);
}

NATIVE(jbyteArray, peerProof, jlong handle) {
    (void)c;
    return proof_or_message(env, handle, 1);
}

NATIVE(jbyteArray, peerProofMessage, jlong handle) {
    (void)c;
    return proof_or_message(env, handle, 0);
}

NATIVE(jint, givePsk, jlong handle, jbyteArray psk) {
    (void)c;
    uint8_t key[32];
    svconn_err err = get_secret(env, psk, key) ? svconn_give_psk(&of(handle)->s, key) : SVCONN_E_ARGUMENT;
    wipe(key, sizeof key);
    return (jint)err;
}

NATIVE(jint, export, jlong handle, jbyteArray label, jbyteArray context, jbyteArray out) {
    (void)c;
    session *x = of(handle);
    char name[LABEL_MAX + 1] = {0}; /* Java has seen to it that no byte of the label is 0 */
    uint8_t key[EXPORT_MAX];
    size_t label_len, context_len, out_len = length(env, out);
    if (!label || out_len < 1 || out_len > sizeof key) return SVCONN_E_ARGUMENT;
    if (!get_all(env, label, name, LABEL_MAX, &label_len)) return SVCONN_E_ARGUMENT;
    if (!get_all(env, context, x->scratch, x->message_max, &context_len)) return SVCONN_E_ARGUMENT;
    svconn_err err = svconn_export(&x->s, name, x->scratch, context_len, key, out_len);
    if (!err) (*env)->SetByteArrayRegion(env, out, 0, (jsize)out_len, (const jbyte *)key);
    wipe(key, sizeof key);
    wipe(x->scratch, context_len);
    return (jint)err;
}

/* NULL: not connected */
NATIVE(jstring, authenticator, jlong handle) {
    (void)c;
    char digits[24];
    return svconn_authenticator(&of(handle)->s, digits) ? NULL : (*env)->NewStringUTF(env, digits);
}

NATIVE(jstring, fingerprint, jbyteArray identity) {
    (void)c;
    char digits[36];
    uint8_t bytes[SVCONN_BUILT_IN_MAX];
    size_t len;
    if (!identity || !get_all(env, identity, bytes, sizeof bytes, &len)) return NULL;
    svconn_fingerprint(digits, bytes, len);
    return (*env)->NewStringUTF(env, digits);
}

/* Sending in the upper half, receiving in the lower */
NATIVE(jint, keyIds, jlong handle) {
    (void)env;
    (void)c;
    unsigned sending, receiving;
    svconn_key_ids(&of(handle)->s, &sending, &receiving);
    return (jint)(sending << 16 | receiving);
}

NATIVE(jstring, text, jint err) {
    (void)c;
    return (*env)->NewStringUTF(env, svconn_strerror((svconn_err)err));
}

NATIVE(jstring, name, jint err) {
    (void)c;
    return (*env)->NewStringUTF(env, svconn_reason_name((svconn_err)err));
}

/* ---- the link ----------------------------------------------------------------------------------- */

/* How many bytes it took, or the failure. */
NATIVE(jint, wireIn, jlong handle, jbyteArray bytes, jint offset, jint len, jlong now) {
    (void)c;
    svconn *s = &of(handle)->s;
    jint used = 0;
    if (!is_inside(env, bytes, offset, len)) return -(jint)SVCONN_E_ARGUMENT;
    if (svconn_status(s) == SVCONN_CLOSED) return len; /* it ignores everything */
    while (used < len) {
        size_t room;
        uint8_t *space = svconn_wire_space(s, &room);
        jint n = room < (size_t)(len - used) ? (jint)room : len - used;
        if (n == 0) break;
        (*env)->GetByteArrayRegion(env, bytes, offset + used, n, (jbyte *)space);
        if ((*env)->ExceptionCheck(env)) break;
        svconn_err err = svconn_wire_filled(s, (size_t)n, (uint64_t)now);
        if (err) return -(jint)err;
        used += n;
        if (svconn_status(s) == SVCONN_CLOSED) return len;
    }
    return svconn_error(s) ? -(jint)svconn_error(s) : used;
}

NATIVE(jint, wireEof, jlong handle) {
    (void)env;
    (void)c;
    return (jint)svconn_wire_eof(&of(handle)->s);
}

/* How many bytes were put into the array: they count as sent. */
NATIVE(jint, wireOut, jlong handle, jbyteArray bytes, jint offset, jint max) {
    (void)c;
    svconn *s = &of(handle)->s;
    size_t len;
    if (!is_inside(env, bytes, offset, max)) return -(jint)SVCONN_E_ARGUMENT;
    const uint8_t *out = svconn_wire_out(s, &len);
    if (len > (size_t)max) len = (size_t)max;
    if (len == 0) return 0;
    (*env)->SetByteArrayRegion(env, bytes, offset, (jsize)len, (const jbyte *)out);
    if ((*env)->ExceptionCheck(env)) return 0;
    svconn_err err = svconn_wire_sent(s, len);
    return err ? -(jint)err : (jint)len;
}

/* When it is to be called again, or the failure negated. */
NATIVE(jlong, tick, jlong handle, jlong now) {
    (void)env;
    (void)c;
    uint64_t next;
    svconn_err err = svconn_tick(&of(handle)->s, (uint64_t)now, &next);
    if (err) return -(jlong)err;
    return next > INT64_MAX ? INT64_MAX : (jlong)next;
}

/* ---- messages ----------------------------------------------------------------------------------- */

NATIVE(jint, send, jlong handle, jbyteArray msg, jint offset, jint len, jlong now) {
    (void)c;
    session *x = of(handle);
    if (!is_inside(env, msg, offset, len)) return (jint)SVCONN_E_ARGUMENT;
    if ((size_t)len > x->message_max) return (jint)SVCONN_E_SIZE;
    (*env)->GetByteArrayRegion(env, msg, offset, len, (jbyte *)x->scratch);
    svconn_err err = SVCONN_E_ARGUMENT;
    if (!(*env)->ExceptionCheck(env)) err = svconn_send(&x->s, x->scratch, (size_t)len, (uint64_t)now);
    wipe(x->scratch, (size_t)len);
    return (jint)err;
}

/* The length of the message that can be taken, or what svconn_recv says, negated. */
NATIVE(jint, recvLength, jlong handle) {
    (void)env;
    (void)c;
    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_recv(&of(handle)->s, &msg, &len);
    return err ? -(jint)err : (jint)len;
}

/* Takes it. A failure that lies behind it comes with the next call. */
NATIVE(jint, recv, jlong handle, jbyteArray out) {
    (void)c;
    svconn *s = &of(handle)->s;
    const uint8_t *msg;
    size_t len;
    svconn_err err = svconn_recv(s, &msg, &len);
    if (err) return (jint)err;
    if (!out || length(env, out) != len) return (jint)SVCONN_E_ARGUMENT;
    if (len) (*env)->SetByteArrayRegion(env, out, 0, (jsize)len, (const jbyte *)msg);
    if ((*env)->ExceptionCheck(env)) return (jint)SVCONN_E_ARGUMENT;
    err = svconn_recv_done(s);
    return svconn_is_failure(err) ? SVCONN_OK : (jint)err;
}

NATIVE(jint, finish, jlong handle, jlong now) {
    (void)env;
    (void)c;
    return (jint)svconn_close(&of(handle)->s, (uint64_t)now);
}

NATIVE(void, abort, jlong handle) {
    (void)env;
    (void)c;
    svconn_abort(&of(handle)->s);
}

NATIVE(jint, renew, jlong handle) {
    (void)env;
    (void)c;
    return (jint)svconn_renew(&of(handle)->s);
}
