/* SPDX-License-Identifier: ISC */
#define BCRYPT_USE_SYSTEM_PREFERRED_RNG 2
static NTSTATUS BCryptGenRandom(void *algorithm, unsigned char *buffer, ULONG len, ULONG flags) {
    if (algorithm || flags != BCRYPT_USE_SYSTEM_PREFERRED_RNG || fake_fails) return -1;
    fake_bytes(buffer, len);
    return 0;
}
