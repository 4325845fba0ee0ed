/* SPDX-License-Identifier: ISC */
/* Randomness from the operating system: every byte came from its generator, or the answer is -1 and zeros. */
#include "svconn_posix.h" /* first */
#include "svconn_transport.h"
#include <string.h>
#include <windows.h>
#include <bcrypt.h> /* behind windows.h */

int svconn_random(uint8_t *out, size_t len) {
    size_t done = 0;
    while (done < len) {
        ULONG n = len - done < 0x40000000 ? (ULONG)(len - done) : 0x40000000;
        if (BCryptGenRandom(NULL, out + done, n, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) break;
        done += n;
    }
    if (done == len) return 0;
    memset(out, 0, len);
    return -1;
}
