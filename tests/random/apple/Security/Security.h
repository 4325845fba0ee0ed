/* SPDX-License-Identifier: ISC */
#include "fake.h"
#define kSecRandomDefault NULL
#define errSecSuccess 0
static int SecRandomCopyBytes(const void *source, size_t count, void *bytes) {
    if (source || fake_fails) return -50;
    fake_bytes(bytes, count);
    return 0;
}
