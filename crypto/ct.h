/* SPDX-License-Identifier: ISC */
/*
 * The constant-time vocabulary: the only place that turns secrets into choices,
 * and the loads and stores that work on any alignment and any byte order.
 *
 * Rules: a secret never reaches if, ?:, &&, ||, switch, [], / or %. A mask is
 * all ones or all zeros. Compilers do turn plain masks back into branches
 * (clang 19 at -Os did), so every mask passes through a value barrier.
 */
#ifndef SVCONN_CT_H
#define SVCONN_CT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define CT_GNU 1
#endif

#ifdef __cplusplus /* the joined sources may be included in a C++ program */
#define _Static_assert static_assert
#endif

/* Limbs are ints, and carries of negative ones shift them right: all compilers for these machines do it so (C11 leaves it to them). */
_Static_assert(sizeof(int) >= 4 && (-1 >> 1) == -1 && (int32_t)UINT32_C(0xffffffff) == -1, "int, and how it shifts");

/* ---- deliberate releases ------------------------------------------------
 * A verdict (tag, all-zero, signature) becomes public through CT_RELEASE and
 * in no other way. The constant-time check defines it to mark the value as
 * public; everywhere else it is nothing. */
#ifndef CT_RELEASE
#define CT_RELEASE(pointer, size) ((void)0)
#endif

/* ---- value barrier: the compiler may not know what it is ---------------- */
static inline uint32_t ct_barrier32(uint32_t x) {
#ifdef CT_GNU
    __asm__("" : "+r"(x));
    return x;
#else
    volatile uint32_t v = x;
    return v;
#endif
}

static inline uint64_t ct_barrier64(uint64_t x) {
#ifdef CT_GNU
    __asm__("" : "+r"(x));
    return x;
#else
    volatile uint64_t v = x;
    return v;
#endif
}

/* ---- masks: bit is 0 or 1 ------------------------------------------------ */
static inline uint32_t ct_mask32(uint32_t bit) { return ct_barrier32(0u - bit); }
static inline uint64_t ct_mask64(uint64_t bit) { return ct_barrier64((uint64_t)0 - bit); }

/* 1 if x == 0, else 0 */
static inline uint32_t ct_is_zero32(uint32_t x) { return ct_barrier32(~(x | (0u - x)) >> 31); }

/* mask ? a : b */
static inline uint32_t ct_select32(uint32_t mask, uint32_t a, uint32_t b) { return b ^ (mask & (a ^ b)); }
static inline uint64_t ct_select64(uint64_t mask, uint64_t a, uint64_t b) { return b ^ (mask & (a ^ b)); }

/* 1 if the n bytes are equal, else 0. n is public. */
static inline uint32_t ct_eq(const uint8_t *a, const uint8_t *b, size_t n) {
    uint32_t d = 0;
    for (size_t i = 0; i < n; i++) d |= (uint32_t)(a[i] ^ b[i]);
    return ct_is_zero32(d);
}

/* 1 if the n bytes are all zero, else 0. n is public. */
static inline uint32_t ct_all_zero(const uint8_t *a, size_t n) {
    uint32_t d = 0;
    for (size_t i = 0; i < n; i++) d |= a[i];
    return ct_is_zero32(d);
}

/* ---- wiping: the compiler may not leave it out --------------------------- */
/* The memset of chips goes byte by byte, which made wiping a sixteenth of a handshake on a Cortex-M4. A loop over words, where it is known
 * that there are only whole ones and that they may be stored there, takes hardly more room than the call. (The barrier in it: no compiler
 * makes memset of it.) */
#if defined(CT_GNU) && !defined(SVCONN_SMALL)
#if defined(__ARM_FEATURE_UNALIGNED) && __ARM_ARCH_PROFILE == 'M'
#define CT_WORDS_AT(p) 1
#define CT_WORDS_MIN 4
typedef uint32_t __attribute__((may_alias, aligned(1))) ct_any_word;
#elif defined(__ARM_ARCH_6M__) || (defined(__riscv) && __riscv_xlen == 32)
#define CT_WORDS_AT(p) (__builtin_constant_p((uintptr_t)(p) % 4) && (uintptr_t)(p) % 4 == 0)
#ifdef __riscv
#define CT_WORDS_MIN 64 /* what is shorter gcc does inline */
#else
#define CT_WORDS_MIN 4
#endif
typedef uint32_t __attribute__((may_alias)) ct_any_word;
#endif
#endif

static inline void ct_wipe(void *p, size_t n) {
#ifdef CT_WORDS_AT
    if (__builtin_constant_p(n) && n >= CT_WORDS_MIN && n % 4 == 0 && CT_WORDS_AT(p)) {
        ct_any_word *w = (ct_any_word *)p;
        size_t left = n / 4;
        do {
            *w++ = 0;
            __asm__ __volatile__("" : "+r"(w) : : "memory");
        } while (--left);
        return;
    }
#endif
#ifdef CT_GNU
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
#else
    volatile uint8_t *v = (volatile uint8_t *)p;
    while (n--) *v++ = 0;
#endif
}

/* ---- a copy by a call: of up to 64 bytes gcc makes a loop at every place, even at -Os ---- */
static inline void ct_copy(void *to, const void *from, size_t n) {
#if defined(CT_GNU) && defined(SVCONN_SMALL)
    __asm__("" : "+r"(n));
#endif
    memcpy(to, from, n);
}

/* ---- loads and stores: any alignment, any byte order --------------------- */
static inline uint32_t load_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t load_le64(const uint8_t *p) { return load_le32(p) | (uint64_t)load_le32(p + 4) << 32; }
static inline void store_le32(uint8_t *p, uint32_t x) {
#if defined(CT_GNU) && defined(__ARM_FEATURE_UNALIGNED) && !defined(__ARM_BIG_ENDIAN) /* gcc 12 does not see it there */
    memcpy(p, &x, sizeof x);
#else
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
#endif
}
static inline void store_le64(uint8_t *p, uint64_t x) {
    store_le32(p, (uint32_t)x);
    store_le32(p + 4, (uint32_t)(x >> 32));
}
static inline uint32_t load_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
static inline uint64_t load_be64(const uint8_t *p) { return (uint64_t)load_be32(p) << 32 | load_be32(p + 4); }
static inline void store_be32(uint8_t *p, uint32_t x) {
#if defined(CT_GNU) && defined(__ARM_FEATURE_UNALIGNED) && !defined(__ARM_BIG_ENDIAN) /* gcc 12 does not see it there */
    x = __builtin_bswap32(x);
    memcpy(p, &x, sizeof x);
#else
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
#endif
}
static inline void store_be16(uint8_t *p, uint16_t x) {
#if defined(CT_GNU) && defined(__ARM_FEATURE_UNALIGNED) && !defined(__ARM_BIG_ENDIAN) /* gcc 12 does not see it there */
    x = __builtin_bswap16(x);
    memcpy(p, &x, sizeof x);
#else
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
#endif
}
static inline void store_be64(uint8_t *p, uint64_t x) {
    store_be32(p, (uint32_t)(x >> 32));
    store_be32(p + 4, (uint32_t)x);
}

#endif
