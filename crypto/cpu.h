/* SPDX-License-Identifier: ISC */
/* Inside crypto/: which backends may run here. */
#ifndef SVCONN_CPU_H
#define SVCONN_CPU_H

#include <stdint.h>

/* AES-256-GCM */
#define SVCONN_CPU_AESNI 0x01u     /* AES-NI, PCLMULQDQ, AVX */
#define SVCONN_CPU_VAES256 0x02u   /* VAES, VPCLMULQDQ, AVX2 */
#define SVCONN_CPU_VAES512 0x04u   /* VAES, VPCLMULQDQ, AVX-512 F and BW */
#define SVCONN_CPU_ARM_AES 0x08u   /* AESE, PMULL */
#define SVCONN_CPU_VECTOR128 0x10u /* SSE2, NEON */
#define SVCONN_CPU_VECTOR256 0x20u /* AVX2 */
#define SVCONN_CPU_VECTOR512 0x40u /* AVX-512 F and BW */
#define SVCONN_CPU_GCM 0x7fu
/* X25519, Ed25519 */
#define SVCONN_CPU_AVX2 0x80u
#define SVCONN_CPU_IFMA 0x400u /* AVX-512 F, VL and IFMA */
/* SHA-256 */
#define SVCONN_CPU_SHA 0x100u     /* x86: SHA, SSE4.1, SSSE3 */
#define SVCONN_CPU_ARM_SHA 0x200u /* SHA-256 of Armv8-A */

#define SVCONN_CPU_ALL 0x7ffu

/* The backends that the CPU and the operating system support, that gave the right answers here, and that are allowed.
 * Found out at the first call, then kept: the one writable variable of the library. Threads may race for it: they find
 * the same. */
uint32_t svconn_cpu(void);

/* For tests and measurements, while nothing else runs: allows these bits alone. Keys that were made before keep their
 * backend. Returns what is usable. */
uint32_t svconn_cpu_allow(uint32_t bits);

#endif
