/* SPDX-License-Identifier: ISC */
/* Every result as a short name (spec/vectors.md) and as one English sentence that says what to look at (7.4). */
#include "svconn.h"

/* Arrays, not pointers: so the table is constant in position-independent code too. */
typedef struct {
    uint8_t err;
    char name[12], sentence[123];
} entry;

static const entry entries[] = {
    {SVCONN_OK, "ok", "All is well."},
    {SVCONN_AGAIN, "again", "Not yet: carry more bytes between link and session first."},
    {SVCONN_END, "end", "The peer has closed the connection in order."},
    {SVCONN_E_ARGUMENT, "argument", "A function was called with an argument that it does not take."},
    {SVCONN_E_STATE, "state", "A function was called in a state in which it means nothing."},
    {SVCONN_E_SIZE, "size", "A message or proof is larger than the buffer can ever hold, or a buffer is too small."},
    {SVCONN_E_SEED, "seed",
     "The random source has failed: what it gave is all zero, repeats itself, or is the same as at the last start."},
    {SVCONN_E_ABSENT, "absent",
     "The link ended before the first byte: nobody is there, or a relay has no partner for us."},
    {SVCONN_E_TRUNCATED, "truncated", "The link ended before the peer closed the connection: data may be missing."},
    {SVCONN_E_ABORTED, "aborted",
     "The peer ended the connection because something failed at its side (it may have refused us), or somebody on the "
     "way did."},
    {SVCONN_E_VERSION, "version",
     "The other end does not speak this version of the protocol, or speaks something else."},
    {SVCONN_E_FORMAT, "format", "A message is malformed."},
    {SVCONN_E_LIMIT, "limit",
     "A message is too large; in the handshake perhaps because the other end speaks something else."},
    {SVCONN_E_TYPE, "type", "The peer's identity is of a kind that we do not take."},
    {SVCONN_E_KEY, "key", "The peer's public key is not a valid one."},
    {SVCONN_E_SELF, "self",
     "The peer presents our own identity: both ends use the same key or name, or messages are sent back to us."},
    {SVCONN_E_UNKNOWN, "unknown", "The server hides its identity, and it is none of the servers that we know."},
    {SVCONN_E_PROOF, "proof",
     "The peer could not prove its identity: another context or pre-shared key at the two ends, or an attack."},
    {SVCONN_E_DH, "dh", "The peer sent a key share that gives no secret."},
    {SVCONN_E_SEAL, "seal",
     "The client's sealed identity does not open: another context or pre-shared key, damage, or an attack."},
    {SVCONN_E_PADDING, "padding", "The padding of the client's identity is not zero."},
    {SVCONN_E_REFUSED, "refused", "We refused the peer: it is not one of those that are accepted here."},
    {SVCONN_E_CONFIRM, "confirm", "The server did not confirm the connection as it must."},
    {SVCONN_E_TAG, "tag", "A record was changed, replayed, dropped or reordered on the way."},
    {SVCONN_E_KEY_ID, "key-id", "A record came under a key that cannot be in use now."},
    {SVCONN_E_KEY_LIMIT, "key-limit", "The peer used one key longer than allowed."},
    {SVCONN_E_CONTROL, "control", "The peer sent a control record that does not exist."},
    {SVCONN_E_AFTER_CLOSE, "after-close", "The peer sent more after it had closed."},
    {SVCONN_E_TIMEOUT, "timeout", "The handshake was not complete in time: the peer is silent, slow, or not there."},
    {SVCONN_E_SILENT, "silent", "Nothing was heard of the peer for too long: it is gone, or the link is dead."},
    {SVCONN_E_CANCELLED, "cancelled", "We ended the connection ourselves."},
};

static const entry *find(svconn_err e) {
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (entries[i].err == e) return &entries[i];
    return NULL;
}

const char *svconn_strerror(svconn_err e) {
    const entry *x = find(e);
    return x ? x->sentence : "Unknown result.";
}

const char *svconn_reason_name(svconn_err e) {
    const entry *x = find(e);
    return x ? x->name : "unknown-result";
}
