/* SPDX-License-Identifier: ISC */
/*
 * The switches of a build, all in one place. Each is given to the compiler (-DNAME, the same for every file and for whatever includes
 * svconn.h) or left out. What they choose between computes the same; what they leave out is refused with an error that says so.
 *
 *      SVCONN_SMALL          flash and memory before speed: rolled hashes, no tables of points, keys expanded for each record
 *      SVCONN_FAST_AES       with SVCONN_SMALL: the AES-GCM of the other builds after all, for 2 KB and in an eighth of the time
 *      SVCONN_CLIENT_ONLY    only the CLIENT's side of the handshake        SVCONN_SERVER_ONLY    only the SERVER's
 *      SVCONN_PSK_ONLY       no Ed25519: identities of type 02, and custom  SVCONN_NO_PSK         none of type 02
 *      SVCONN_NO_HIDDEN      no hidden SERVER (section 3.5)                 SVCONN_NO_CUSTOM      no identities of the application's own
 *      SVCONN_NO_SLICES      no handshake in slices (svconn_init_sliced)
 *      SVCONN_MESSAGE_LIMIT  longest message in bytes, for sessions whose buffers are fixed (default 65535)
 *      SVCONN_PORTABLE_ONLY  nothing that depends on a CPU: no intrinsics, no detection, no writable variable
 *
 * Chosen by the target; given only in tests and in measurements:
 *
 *      SVCONN_FE             how field elements are kept: 51, 29 or 13 bits a limb (fe25519.h); nothing to SVCONN_SMALL (curve25519_small.c)
 *      SVCONN_NARROW_MUL     32 x 32 -> 64 bits out of four 16 x 16 products (mul32.h)
 *      SVCONN_FORCE_32       32-bit code on a 64-bit machine
 */
#ifndef SVCONN_PROFILE_H
#define SVCONN_PROFILE_H

#if defined(SVCONN_CLIENT_ONLY) && defined(SVCONN_SERVER_ONLY)
#error "SVCONN_CLIENT_ONLY and SVCONN_SERVER_ONLY leave nothing"
#endif
#if defined(SVCONN_PSK_ONLY) && defined(SVCONN_NO_PSK)
#error "SVCONN_PSK_ONLY and SVCONN_NO_PSK leave nothing"
#endif
#ifdef SVCONN_MESSAGE_LIMIT
#if SVCONN_MESSAGE_LIMIT < 1 || SVCONN_MESSAGE_LIMIT > 65535
#error "SVCONN_MESSAGE_LIMIT is a length: 1 to 65535"
#endif
#endif

/* What is small is plain C too. */
#if defined(SVCONN_SMALL) && !defined(SVCONN_PORTABLE_ONLY)
#define SVCONN_PORTABLE_ONLY
#endif

/* aes256_small.c, ghash_small.c and gcm_small.c in place of aes256.c, ghash.c, gcm.c and gcm_portable.c */
#if defined(SVCONN_SMALL) && !defined(SVCONN_FAST_AES)
#define SVCONN_SMALL_AES
#endif

/* Where only pre-shared keys are, X25519 is the whole of the small curve. */
#if defined(SVCONN_SMALL) && defined(SVCONN_PSK_ONLY)
#define SVCONN_SMALL_X25519_ONLY
#endif

/* The constants of SHA-256 are the upper halves of those of SHA-512, where that is in the build anyway (FIPS 180-4, 4.2.2 and 4.2.3). */
#if defined(SVCONN_SMALL) && !defined(SVCONN_PSK_ONLY)
#define SVCONN_SHARED_CONSTANTS
#endif

/* ARMv6-M and ARMv8-M baseline have no 32 x 32 -> 64 bit product, and that of Cortex-M3 (ARMv7-M; its successors are ARMv7E-M)
 * takes a time that depends on the factors. */
#if !defined(SVCONN_NARROW_MUL) && \
    (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__) || defined(__ARM_ARCH_7M__))
#define SVCONN_NARROW_MUL
#endif

#ifndef SVCONN_FE
#if defined(__SIZEOF_INT128__) && !defined(SVCONN_FORCE_32) && !defined(__wasm__) /* there it is a function */
#define SVCONN_FE 51
#elif defined(SVCONN_NARROW_MUL)
#define SVCONN_FE 13
#else
#define SVCONN_FE 29
#endif
#endif
#if SVCONN_FE != 51 && SVCONN_FE != 29 && SVCONN_FE != 13
#error "SVCONN_FE is 51, 29 or 13"
#endif

/* A function of its own: what it has on the stack is gone when the next one calls deep. (Inlined into one, all that a handshake ever holds
 * would lie above every call of a curve.) SVCONN_OWN_FRAME: the same for one that a header declares. */
#ifdef __GNUC__
#define SVCONN_OWN_FRAME __attribute__((noinline))
#else
#define SVCONN_OWN_FRAME
#endif
#define SVCONN_APART SVCONN_OWN_FRAME static

#endif
