/* SPDX-License-Identifier: ISC */
/*
 * Measurements of svconn and of other libraries ("peers") on the same work: the contract between the harness (bench.c)
 * and one adapter per peer.
 *
 * All adapters get the same inputs and must leave the same bytes in bench_out: the harness compares them, so nobody
 * measures less work. A peer is measured in its ready state: keys expanded, algorithms fetched, contexts allocated.
 * Signatures and key pairs come from given seeds, without a random source.
 */
#ifndef SVCONN_BENCH_H
#define SVCONN_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum {
    BENCH_GCM_KEY,  /* a key made ready for BENCH_GCM_SEAL; leaves nothing in bench_out */
    BENCH_GCM_SEAL, /* bench_out: ciphertext, tag */
    BENCH_GCM_OPEN, /* of bench_sealed, with the tag compared; bench_out: plaintext */
    BENCH_SHA256,
    BENCH_SHA512,
    BENCH_X25519,           /* bench_scalar, bench_point */
    BENCH_X25519_KEYGEN,    /* the public key of bench_scalar */
    BENCH_ED25519_KEYGEN,   /* the public key of bench_seed */
    BENCH_ED25519_SIGN,     /* bench_message */
    BENCH_ED25519_VERIFY,   /* bench_signature */
    BENCH_HANDSHAKE,        /* both sides, each with an Ed25519 identity, through memory */
    BENCH_HANDSHAKE_HIDDEN, /* the same; the server's identity is not shown to strangers */
    BENCH_RECORD,           /* a message from one end of a connection to the other, through memory */
    BENCH_OPS
} bench_op;

enum { BENCH_LONGEST = 16384, BENCH_MESSAGE = 64 };

extern uint8_t bench_in[BENCH_LONGEST], bench_out[BENCH_LONGEST + 64];
extern const uint8_t bench_key[32], bench_nonce[12], bench_aad[4];
extern const uint8_t bench_seed[32], bench_scalar[32], bench_message[BENCH_MESSAGE];
extern uint8_t bench_point[32], bench_public[32], bench_signature[64];
extern uint8_t bench_sealed[BENCH_LONGEST + 16]; /* bench_in, sealed at the length that is measured now */

typedef struct {
    const char *name; /* NULL: the only mode */
    unsigned ops;     /* bits 1 << bench_op that differ from mode 0; others are not measured in this mode */
    int process;      /* the choice is for a whole process: it gets one of its own, with this in its environment: */
    const char *variable, *value;
} bench_mode;

typedef struct {
    const char *name;
    const char *(*version)(void);
    const bench_mode *modes; /* the first one is the best that the peer has here */
    size_t mode_count;
    /* Before each sample, untimed; the first time for a mode it also prepares. 0: not usable here */
    int (*enter)(size_t mode);
    void (*run[BENCH_OPS])(size_t len); /* one operation. NULL: the peer does not have it */
    unsigned (*lacks)(void);            /* bits 1 << bench_op that it does not have on this CPU; NULL: none */
} bench_peer;

#define BENCH_BIT(op) (1u << (op))
#define BENCH_GCM_BITS (BENCH_BIT(BENCH_GCM_KEY) | BENCH_BIT(BENCH_GCM_SEAL) | BENCH_BIT(BENCH_GCM_OPEN))
#define BENCH_SHA_BITS (BENCH_BIT(BENCH_SHA256) | BENCH_BIT(BENCH_SHA512))
#define BENCH_CURVE_BITS                                                                                               \
    (BENCH_BIT(BENCH_X25519) | BENCH_BIT(BENCH_X25519_KEYGEN) | BENCH_BIT(BENCH_ED25519_KEYGEN) |                      \
     BENCH_BIT(BENCH_ED25519_SIGN) | BENCH_BIT(BENCH_ED25519_VERIFY))
#define BENCH_WHOLE_BITS (BENCH_BIT(BENCH_HANDSHAKE) | BENCH_BIT(BENCH_HANDSHAKE_HIDDEN) | BENCH_BIT(BENCH_RECORD))
#define BENCH_ALL_BITS (BENCH_BIT(BENCH_OPS) - 1)

void bench_make_inputs(void);                    /* first of all */
void bench_make_sealed(bench_op op, size_t len); /* before an operation or a length that is new */

/* Ends the program: a peer did not do its work. */
_Noreturn void bench_fail(const char *who, const char *what);

extern const bench_peer bench_svconn, bench_openssl, bench_sodium, bench_nettle, bench_wolfssl, bench_mbedtls,
    bench_bearssl, bench_gcrypt;

#endif
