/* SPDX-License-Identifier: ISC */
/*
 * X25519 and Ed25519 on AVX-512 IFMA, the instructions emulated: on any CPU with AVX2. The tests of test_curve.c are
 * repeated on a copy of the code in which this is the only backend; and each of the three loops is compared with its
 * scalar form. Where the CPU has the instructions, test_curve and test_session run on the real ones.
 */
#include "backend.h"
#include "test.h"
#ifdef SVCONN_CURVE_X86
#include "emulate_ifma.h"

/* From here on these names mean that copy. */
#define svconn_cpu() SVCONN_CPU_IFMA
#include "curve_copy.h"
#define svconn_ge_base_ifma emulated_ge_base
#define svconn_ge_double_base_ifma emulated_ge_double_base
#define svconn_x25519_ladder_ifma emulated_x25519_ladder
#define svconn_curve25519_is_right_ifma emulated_curve25519_is_right
#include "crypto.h"
#include "ge25519.h"
int svconn_curve25519_is_right_ifma(void);

#include "ed25519.c"
#include "ge25519.c"
#include "x25519.c"
#include "curve25519_ifma.c"

#define TEST_CURVE_IFMA
#include "test_curve.c"

/* The real ones */
#undef svconn_ge_base_begin
#undef svconn_ge_base_more
#undef svconn_ge_double_begin
#undef svconn_ge_double_more
#undef svconn_x25519
void svconn_ge_base_begin(ge_base_work *w, const uint8_t n[32], uint32_t units);
int svconn_ge_base_more(ge_base_work *w, uint32_t *units);
void svconn_ge_double_begin(ge_double_work *w, const uint8_t a[32], const ge *p, const uint8_t b[32], uint32_t units);
int svconn_ge_double_more(ge_double_work *w, const uint8_t a[32], const uint8_t b[32], uint32_t *units);
int svconn_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);

static void known_answers(void) { CHECK(svconn_curve25519_is_right_ifma() == 1); }

/* Bytes with long runs, and random ones */
static void odd_bytes(uint8_t p[32], unsigned i) {
    random_bytes(p, 32);
    if (i % 8 == 1) memset(p, 0, 32), p[i / 8 % 32] = (uint8_t)(1 << i / 256 % 8);
    if (i % 8 == 2) memset(p, 255, 32), p[i / 8 % 32] = (uint8_t)i;
    if (i % 8 == 3) memset(p + i / 8 % 32, i & 16 ? 255 : 0, 32 - i / 8 % 32);
    if (i % 8 == 4) memcpy(p, L, 32), p[0] = (uint8_t)(p[0] + i / 8 % 8 - 4);
    if (i % 8 == 5) memcpy(p, P, 32), p[0] = (uint8_t)(p[0] + i / 8 % 16 - 8);
}

static void same_point(const ge *a, const ge *b) {
    uint8_t x[32], y[32];
    whole_encode(x, a);
    whole_encode(y, b);
    CHECK_BYTES(x, y, 32);
}

/* Against the scalar form, which is all that is allowed in the real library here. */
static void loops(void) {
    ge p, q, a;
    ge_base_work base;
    ge_double_work twice;
    for (unsigned i = 0; i < (TEST_UNDER_ASAN ? 48 : 400); i++) {
        uint8_t k[32], n[32], x[32], y[32];
        odd_bytes(k, i);
        odd_bytes(n, i / 8 + i % 3);
        CHECK(copy_x25519(x, k, n) == svconn_x25519(y, k, n));
        CHECK_BYTES(x, y, 32);
        k[31] &= 127;
        n[31] &= 127;
        uint32_t all = SVCONN_NO_PAUSE;
        svconn_ge_base_begin(&base, k, all);
        CHECK(svconn_ge_base_more(&base, &all) == 1);
        whole_base(&q, k);
        same_point(&base.r, &q);
        whole_encode(x, &q);
        CHECK(whole_decode(&a, x) == 1);
        whole_double_base(&p, n, &a, k);
        svconn_ge_double_begin(&twice, n, &a, k, all);
        CHECK(svconn_ge_double_more(&twice, n, k, &all) == 1);
        same_point(&p, &twice.r);
    }
}

FE4_TARGET static void lost(void) {
    CHECK(ifma_lost == 0);
    const __m256i zero = _mm256_setzero_si256(), big = _mm256_set1_epi64x((int64_t)1 << 52);
    const __m256i x = _mm256_madd52lo_epu64(zero, _mm256_set1_epi64x(1), big);
    CHECK(ifma_lost == 4 && _mm256_testz_si256(x, x)); /* a loss is seen */
}

int main(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) {
        printf("skip IFMA, emulated: this CPU has no AVX2\n");
        return 0;
    }
    (void)svconn_cpu_allow(0);
    printf("  IFMA, emulated\n");
    TEST("known answers", known_answers);
    test_lanes();
    /* What a sanitizer can find does not depend on the numbers: nearly all of it is constant time. */
    if (!TEST_UNDER_ASAN) forms();
    TEST("ladder, comb and double-base against their scalar forms", loops);
    TEST("no factor had more than 52 bits, no sum more than 64", lost);
    return TEST_EXIT();
}
#else
int main(void) {
    printf("skip IFMA, emulated: not for this CPU\n");
    return 0;
}
#endif
