/* SPDX-License-Identifier: ISC */
/* Inside crypto/: which backends may run here. */
#ifndef SVCONN_CPU_H
#define SVCONN_CPU_H

#include <stdint.h>

#define SVCONN_CPU_AESNI 1u   /* AES-NI, PCLMULQDQ, AVX */
#define SVCONN_CPU_VAES256 2u /* VAES, VPCLMULQDQ, AVX2 */
#define SVCONN_CPU_VAES512 4u /* VAES, VPCLMULQDQ, AVX-512 F and BW */
#define SVCONN_CPU_VECTOR128 8u  /* SSE2, NEON */
#define SVCONN_CPU_VECTOR256 16u /* AVX2 */
#define SVCONN_CPU_VECTOR512 32u /* AVX-512 F and BW */
#define SVCONN_CPU_ARM_AES 64u   /* AESE, PMULL */
#define SVCONN_CPU_ALL 127u

/* The backends that the CPU and the operating system support, that gave the right answers here, and that are allowed. Found out at the first call, then kept:
 * the one writable variable of the library. Threads may race for it: they find the same. */
uint32_t svconn_cpu(void);

/* For tests and measurements, while nothing else runs: allows these bits alone. Keys that were made before keep their backend. Returns what is usable. */
uint32_t svconn_cpu_allow(uint32_t bits);

#endif
