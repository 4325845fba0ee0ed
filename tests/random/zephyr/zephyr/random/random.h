/* SPDX-License-Identifier: ISC */
#include "fake.h"
#define CONFIG_CSPRNG_ENABLED 1
static int sys_csrand_get(void *dst, size_t len) {
    fake_bytes(dst, fake_fails ? len / 2 : len);
    return fake_fails ? -5 : 0;
}
