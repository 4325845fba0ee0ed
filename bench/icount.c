/* SPDX-License-Identifier: ISC */
/*
 * Runs one operation of svconn for bench/icount.sh, which counts its instructions with callgrind. A count is the same
 * every time: where the clock is too noisy, it shows whether a change did anything. It is no time: instructions are not
 * equally fast.
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    bench_op op;
    size_t len;
} ops[] = {
    {"aes256gcm-key", BENCH_GCM_KEY, 0},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 64},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 1444},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 16384},
    {"aes256gcm-open", BENCH_GCM_OPEN, 64},
    {"aes256gcm-open", BENCH_GCM_OPEN, 1444},
    {"aes256gcm-open", BENCH_GCM_OPEN, 16384},
    {"sha256", BENCH_SHA256, 64},
    {"sha256", BENCH_SHA256, 16384},
    {"sha512", BENCH_SHA512, 16384},
    {"x25519-dh", BENCH_X25519, 0},
    {"x25519-keygen", BENCH_X25519_KEYGEN, 0},
    {"ed25519-keygen", BENCH_ED25519_KEYGEN, 0},
    {"ed25519-sign", BENCH_ED25519_SIGN, 0},
    {"ed25519-verify", BENCH_ED25519_VERIFY, 0},
    {"handshake", BENCH_HANDSHAKE, 0},
    {"handshake-hidden", BENCH_HANDSHAKE_HIDDEN, 0},
    {"record", BENCH_RECORD, 1444},
    {"record", BENCH_RECORD, 16000},
};
enum { OPS = sizeof ops / sizeof ops[0] };

/* callgrind counts inside of this function. */
void icount_run(void (*run)(size_t), size_t len);
__attribute__((noinline)) void icount_run(void (*run)(size_t), size_t len) { run(len); }

int main(int argc, char **argv) {
    bench_make_inputs();
    if (argc == 2 && !strcmp(argv[1], "--list")) { /* what is usable here: number of the mode, its name, number of the
                                                      operation, its name, length */
        for (size_t i = 0; i < OPS; i++)
            for (size_t m = 0; m < bench_svconn.mode_count; m++)
                if ((bench_svconn.modes[m].ops & BENCH_BIT(ops[i].op)) && bench_svconn.enter(m))
                    printf("%zu %s %zu %s %zu\n", m, bench_svconn.modes[m].name, i, ops[i].name, ops[i].len);
        return 0;
    }
    size_t m = argc == 3 ? (size_t)strtoul(argv[1], NULL, 10) : bench_svconn.mode_count,
           i = argc == 3 ? (size_t)strtoul(argv[2], NULL, 10) : OPS;
    if (m >= bench_svconn.mode_count || i >= OPS)
        return fputs("usage: icount --list | icount MODE OPERATION\n", stderr), 2;
    bench_make_sealed(ops[i].op, ops[i].len);
    if (!bench_svconn.enter(m)) return 3;
    void (*run)(size_t) = bench_svconn.run[ops[i].op];
    run(ops[i].len); /* what happens once only */
    icount_run(run, ops[i].len);
    return 0;
}
