/* SPDX-License-Identifier: ISC */
/* The inputs of all peers. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>

uint8_t bench_in[BENCH_LONGEST], bench_out[BENCH_LONGEST + 64], bench_sealed[BENCH_LONGEST + 16];
uint8_t bench_point[32], bench_public[32], bench_signature[64];
const uint8_t bench_key[32] = "an AES-256 key, 32 bytes of it.", bench_nonce[12] = "nonce, 12 b", bench_aad[4] = "aad";
const uint8_t bench_seed[32] = "a seed of an Ed25519 key, 32 b.", bench_scalar[32] = "@ scalar of X25519, 32 bytes  C";
const uint8_t bench_message[BENCH_MESSAGE] = "a message of 64 bytes, as long as what a handshake signs";

/* Ours make what the others take: a wrong one would be noticed by all of them. */
void bench_make_inputs(void) {
    for (size_t i = 0; i < sizeof bench_in; i++) bench_in[i] = (uint8_t)(i * 7 + (i >> 8));
    if (!bench_svconn.enter(0)) bench_fail("svconn", "does not start");
    bench_svconn.run[BENCH_ED25519_KEYGEN](0);
    memcpy(bench_public, bench_out, 32);
    bench_svconn.run[BENCH_ED25519_SIGN](0);
    memcpy(bench_signature, bench_out, 64);
    memset(bench_point, 0, 32);
    bench_point[0] = 9;
    bench_svconn.run[BENCH_X25519](0);
    bench_out[0] ^= 0x10, bench_out[31] &= 0x3f; /* any other u will do: on the curve or on its twist */
    memcpy(bench_point, bench_out, 32);
}

void bench_make_sealed(bench_op op, size_t len) {
    if (op != BENCH_GCM_OPEN) return;
    if (!bench_svconn.enter(0)) bench_fail("svconn", "does not start");
    bench_svconn.run[BENCH_GCM_SEAL](len);
    memcpy(bench_sealed, bench_out, len + 16);
}

void bench_fail(const char *who, const char *what) {
    fflush(stdout);
    fprintf(stderr, "bench: %s: %s\n", who, what);
    exit(1);
}
