/* SPDX-License-Identifier: ISC */
/*
 * Every result as a short name (spec/vectors.md) and as one English sentence that says what to look at (7.4).
 *
 * Names and sentences stand in two pieces of text, each string with a NUL behind it: no table of pointers, which the
 * loader would have to write to, no padding, and who asks for names alone gets no sentences (with -fdata-sections and
 * --gc-sections).
 */
#include "svconn.h"

/* In the order of their numbers: faults of the caller from 0 on, then failures */
#define RESULTS(DO)                                                                                                    \
    DO(OK, "ok", "All is well.")                                                                                       \
    DO(AGAIN, "again", "Not yet: carry more bytes between link and session first.")                                    \
    DO(END, "end", "The peer has closed the connection in order.")                                                     \
    DO(E_ARGUMENT, "argument", "A function was called with an argument that it does not take.")                        \
    DO(E_STATE, "state", "A function was called in a state in which it means nothing.")                                \
    DO(E_SIZE, "size", "A message or proof is larger than the buffer can ever hold, or a buffer is too small.")        \
    DO(E_SEED, "seed",                                                                                                 \
       "The random source has failed: what it gave is all zero, repeats itself, or is the same as at the last start.") \
    DO(E_UNSUPPORTED, "unsupported", "The configuration asks for a part that this build of the library leaves out.")   \
    DO(E_ABSENT, "absent",                                                                                             \
       "The link ended before the first byte: nobody is there, or a relay has no partner for us.")                     \
    DO(E_TRUNCATED, "truncated", "The link ended before the peer closed the connection: data may be missing.")         \
    DO(E_ABORTED, "aborted",                                                                                           \
       "The peer ended the connection because something failed at its side (it may have refused us), or somebody "     \
       "on the way did.")                                                                                              \
    DO(E_VERSION, "version", "The other end does not speak this version of the protocol, or speaks something else.")   \
    DO(E_FORMAT, "format", "A message is malformed.")                                                                  \
    DO(E_LIMIT, "limit",                                                                                               \
       "A message is too large; in the handshake perhaps because the other end speaks something else.")                \
    DO(E_TYPE, "type", "The peer's identity is of a kind that we do not take.")                                        \
    DO(E_KEY, "key", "The peer's public key is not a valid one.")                                                      \
    DO(E_SELF, "self",                                                                                                 \
       "The peer presents our own identity: both ends use the same key or name, or messages are sent back to us.")     \
    DO(E_UNKNOWN, "unknown", "The server hides its identity, and it is none of the servers that we know.")             \
    DO(E_PROOF, "proof",                                                                                               \
       "The peer could not prove its identity: another context or pre-shared key at the two ends, or an attack.")      \
    DO(E_DH, "dh", "The peer sent a key share that gives no secret.")                                                  \
    DO(E_SEAL, "seal",                                                                                                 \
       "The client's sealed identity does not open: another context or pre-shared key, damage, or an attack.")         \
    DO(E_PADDING, "padding", "The padding of the client's identity is not zero.")                                      \
    DO(E_REFUSED, "refused", "We refused the peer: it is not one of those that are accepted here.")                    \
    DO(E_CONFIRM, "confirm", "The server did not confirm the connection as it must.")                                  \
    DO(E_TAG, "tag", "A record was changed, replayed, dropped or reordered on the way.")                               \
    DO(E_KEY_ID, "key-id", "A record came under a key that cannot be in use now.")                                     \
    DO(E_KEY_LIMIT, "key-limit", "The peer used one key longer than allowed.")                                         \
    DO(E_CONTROL, "control", "The peer sent a control record that does not exist.")                                    \
    DO(E_AFTER_CLOSE, "after-close", "The peer sent more after it had closed.")                                        \
    DO(E_TIMEOUT, "timeout", "The handshake was not complete in time: the peer is silent, slow, or not there.")        \
    DO(E_SILENT, "silent", "Nothing was heard of the peer for too long: it is gone, or the link is dead.")             \
    DO(E_CANCELLED, "cancelled", "We ended the connection ourselves.")

#define RESULT_NAME(code, name, sentence) name "\0"
#define RESULT_SENTENCE(code, name, sentence) sentence "\0"
#define RESULT_PLACE(code, name, sentence) RESULT_##code,
#define RESULT_ORDER(code, name, sentence) _Static_assert(RESULT_AT(SVCONN_##code) == (unsigned)RESULT_##code, "order of " #code);
#define FAULTS (SVCONN_E_UNSUPPORTED + 1u)
#define RESULT_AT(e) ((unsigned)(e) < FAULTS ? (unsigned)(e) : (unsigned)(e) - SVCONN_E_ABSENT + FAULTS)

enum { RESULTS(RESULT_PLACE) RESULT_COUNT };
RESULTS(RESULT_ORDER)

static const char result_names[] = RESULTS(RESULT_NAME) "unknown-result";
static const char result_sentences[] = RESULTS(RESULT_SENTENCE) "Unknown result.";

/* The string of e, or the last one */
static const char *find_result(const char *text, svconn_err e) {
    unsigned n = (unsigned)e >= FAULTS && (unsigned)e < SVCONN_E_ABSENT ? RESULT_COUNT : RESULT_AT(e);
    for (n = n < RESULT_COUNT ? n : RESULT_COUNT; n > 0; text++) n -= *text == 0;
    return text;
}

const char *svconn_strerror(svconn_err e) { return find_result(result_sentences, e); }

const char *svconn_reason_name(svconn_err e) { return find_result(result_names, e); }
