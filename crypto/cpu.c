/* SPDX-License-Identifier: ISC */
/*
 * What the CPU can do, and whether it does it right. Source: Intel 64 and IA-32 Architectures Software Developer's
 * Manual, volume 1, chapters 14 and 15 (detection of AVX and AVX-512), volume 2, CPUID.
 */
#include "cpu.h"
#include "backend.h"
#include "crypto.h"
#include "ct.h"

#if defined(SVCONN_X86) || defined(SVCONN_ARM64) || defined(SVCONN_WASM)

/* ---- what is there ------------------------------------------------------------------------------ */

#ifdef SVCONN_X86
#include <cpuid.h>
#include <immintrin.h>

enum { XCR0_AVX = 0x06, XCR0_AVX512 = 0xe6 }; /* the registers that the operating system saves */

__attribute__((target("xsave"))) static uint32_t saved_registers(void) { return (uint32_t)_xgetbv(0); }

static uint32_t detect(void) {
    const unsigned avx = bit_AVX | bit_OSXSAVE, aes = bit_AES | bit_PCLMUL, sse = bit_SSE4_1 | bit_SSSE3;
    const unsigned vaes = bit_VAES | bit_VPCLMULQDQ, avx512 = bit_AVX512F | bit_AVX512BW;
    const unsigned ifma = bit_AVX512F | bit_AVX512VL | bit_AVX512IFMA;
    uint32_t a, b, c, d, b7 = 0, c7 = 0, found = SVCONN_CPU_VECTOR128;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
    (void)__get_cpuid_count(7, 0, &a, &b7, &c7, &d);
    if ((c & sse) == sse && (b7 & bit_SHA)) found |= SVCONN_CPU_SHA;

    uint32_t saved = (c & avx) == avx ? saved_registers() : 0;
    if ((saved & XCR0_AVX) != XCR0_AVX) return found;
    if ((c & aes) == aes) found |= SVCONN_CPU_AESNI;
    if (!(b7 & bit_AVX2)) return found;
    found |= SVCONN_CPU_VECTOR256 | SVCONN_CPU_AVX2;
    int has_vaes = (c & aes) == aes && (c7 & vaes) == vaes;
    if (has_vaes) found |= SVCONN_CPU_VAES256;
    if ((saved & XCR0_AVX512) != XCR0_AVX512) return found;
    if ((b7 & ifma) == ifma) found |= SVCONN_CPU_IFMA;
    if ((b7 & avx512) != avx512) return found;
    return found | SVCONN_CPU_VECTOR512 | (has_vaes ? SVCONN_CPU_VAES512 : 0);
}
#else
static uint32_t detect(void) {
    uint32_t found = SVCONN_CPU_VECTOR128;
#ifdef SVCONN_ARM64_AES
    found |= SVCONN_CPU_ARM_AES;
#endif
#ifdef SVCONN_ARM_SHA
    found |= SVCONN_CPU_ARM_SHA;
#endif
    return found;
}
#endif

/* ---- known answers ------------------------------------------------------------------------------ */

/* AES-256-GCM: the tag of 605 zero bytes (two batches of the widest backend, and an end with a part of a block) under
 * the key 00 01 02 ... 1f, the nonce 20 ... 2b and the additional data 2c 2d 2e 2f. The tag covers the ciphertext, so
 * it covers all. tests/test_backends.c computes it with the portable code. */
static const uint8_t known_tag[16] = {0x93, 0x88, 0x16, 0x22, 0x1b, 0x63, 0x73, 0x0f,
                                      0xb4, 0xef, 0x3b, 0x51, 0x9a, 0x04, 0xbc, 0xe1};
enum { KNOWN = 605 };

typedef void init_fn(uint64_t *, const uint8_t *);
typedef void crypt_fn(const uint64_t *, const uint8_t *, const uint8_t *, size_t, uint8_t *, const uint8_t *, size_t,
                      uint8_t *);

static int gcm_is_right(init_fn *init, crypt_fn *seal, crypt_fn *open) {
    uint64_t key[SVCONN_GCM_EXPANDED_WORDS];
    uint8_t text[KNOWN] = {0}, in[48], t1[16], t2[16];
    for (uint8_t i = 0; i < sizeof in; i++) in[i] = i;
    init(key, in);
    seal(key, in + 32, in + 44, 4, text, text, KNOWN, t1);
    open(key, in + 32, in + 44, 4, text, text, KNOWN, t2);
    return ct_eq(t1, known_tag, 16) && ct_eq(t2, known_tag, 16) && ct_all_zero(text, KNOWN);
}

#if defined(SVCONN_X86) || defined(SVCONN_ARM_SHA)
/* SHA-256: the example of two blocks in FIPS 180-4's companion (NIST, "Examples with Intermediate Values", SHA-256),
 * the 56 bytes "abcdbcdecdef...nopq": 4 letters from a on, 4 from b on, and so forth to n. */
static int sha256_is_right(svconn_sha256_blocks *blocks) {
    static const uint8_t known[32] = {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26,
                                      0x93, 0x0c, 0x3e, 0x60, 0x39, 0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff,
                                      0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1};
    svconn_sha256_ctx c;
    uint8_t text[128] = {0}, digest[32];
    svconn_sha256_init(&c);
    for (unsigned i = 0; i < 56; i++) text[i] = (uint8_t)('a' + i / 4 + i % 4);
    text[56] = 0x80;
    store_be64(text + 120, 56 * 8);
    blocks(c.h, text, 2);
    for (unsigned i = 0; i < 8; i++) store_be32(digest + 4 * i, c.h[i]);
    return (int)ct_eq(digest, known, 32);
}
#endif

static uint32_t right(uint32_t found) {
    uint32_t wrong = 0;
#define TRY(name, bit)                                                                                                 \
    if ((found & bit) && !gcm_is_right(svconn_gcm_##name##_init, svconn_gcm_##name##_seal, svconn_gcm_##name##_open))  \
        wrong |= bit;
    SVCONN_GCM_BACKENDS(TRY)
#ifdef SVCONN_CURVE_X86
    if ((found & SVCONN_CPU_AVX2) && !svconn_curve25519_is_right_avx2()) wrong |= SVCONN_CPU_AVX2;
    if ((found & SVCONN_CPU_IFMA) && !svconn_curve25519_is_right_ifma()) wrong |= SVCONN_CPU_IFMA;
#else
    wrong |= SVCONN_CPU_AVX2 | SVCONN_CPU_IFMA; /* there is none of it */
#endif
#ifdef SVCONN_X86
    if ((found & SVCONN_CPU_SHA) && !sha256_is_right(svconn_sha256_shani)) wrong |= SVCONN_CPU_SHA;
#endif
#ifdef SVCONN_ARM_SHA
    if ((found & SVCONN_CPU_ARM_SHA) && !sha256_is_right(svconn_sha256_armv8)) wrong |= SVCONN_CPU_ARM_SHA;
#endif
    return found & ~wrong;
}

/* ---- kept --------------------------------------------------------------------------------------- */

#define KNOWN_NOW 0x80000000u /* the rest holds */
static uint32_t cpu_bits;

uint32_t svconn_cpu(void) {
    uint32_t bits = __atomic_load_n(&cpu_bits, __ATOMIC_RELAXED);
    if (bits == 0) {
        bits = right(detect()) | KNOWN_NOW;
        __atomic_store_n(&cpu_bits, bits, __ATOMIC_RELAXED);
    }
    return bits & ~KNOWN_NOW;
}

uint32_t svconn_cpu_allow(uint32_t bits) {
    bits &= right(detect());
    __atomic_store_n(&cpu_bits, bits | KNOWN_NOW, __ATOMIC_RELAXED);
    return bits;
}

#else

uint32_t svconn_cpu(void) { return 0; }

uint32_t svconn_cpu_allow(uint32_t bits) {
    (void)bits;
    return 0;
}

#endif
