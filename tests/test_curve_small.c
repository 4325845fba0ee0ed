/* SPDX-License-Identifier: ISC */
/*
 * The curves of small builds (curve25519_small.c), in every build: its instructions against slow arithmetic, sums of multiples at the edges
 * against Python's integers (tests/gen/curve_edges.py), and its verdicts against those of the library, which in other builds has other code.
 */
#include "slow25519.h"
#include "test.h"
#ifndef SVCONN_SMALL
#define SVCONN_SMALL
#endif
#include "curve_copy.h"

#define SVCONN_CURVE_WORDS 81
#include "curve25519_small.c"
#undef SVCONN_CURVE_WORDS
#undef SVCONN_SMALL
/* The library's own */
#undef svconn_x25519
#undef svconn_x25519_public
#undef svconn_ed25519_public
#undef svconn_ed25519_sign
#undef svconn_ed25519_verify_u
#undef svconn_ed25519_check
#undef svconn_ed25519_to_x25519
int svconn_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);
void svconn_x25519_public(uint8_t out[32], const uint8_t scalar[32]);
void svconn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]);
void svconn_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t public_key[32], const uint8_t *msg, size_t len);
int svconn_ed25519_verify_u(uint8_t u[32], const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *msg, size_t len);
int svconn_ed25519_check(const uint8_t public_key[32]);
void svconn_ed25519_to_x25519(uint8_t u[32], const uint8_t public_key[32]);

#include "curve_edges.h"
#undef ONE /* a register */

static curve c;

/* ---- instructions --------------------------------------------------------------------------------------------------------------------- */
/* All 256 bits; read_number is without the highest one. */
static void set(limb *h, const uint8_t b[32]) {
    unsigned top = read_number(h, b);
    h[LIMBS - 1] |= (limb)(top << (LIMB - 1));
}

/* Numbers at the edges, then random ones */
static void shape(uint8_t b[32], unsigned which) {
    memset(b, 0, 32);
    switch (which) {
    case 0: break;
    case 1: b[0] = 1; break;
    case 2: memset(b, 255, 32); break;
    case 3: b[31] = 0x80; break;
    case 4: memset(b, 255, 32), b[31] = 127; break;
    case 5: case 6: case 7: memcpy(b, P, 32), b[0] = (uint8_t)(b[0] + which - 6); break; /* p - 1, p, p + 1 */
    case 8: memset(b, 255, 3), b[2] = 15, b[31] = 0x80; break; /* 2^255 + 2^20 - 1 */
    case 9: memset(b, 255, 32), b[0] = 0xda; break; /* 2 p */
    case 10: b[16] = 1; break;
    case 11: memset(b + 8, 255, 8), memset(b + 24, 255, 8); break;
    default: random_bytes(b, 32);
    }
}
enum { SHAPES = 16 };

static int below_result(const uint8_t b[32]) { /* below 2^255 + 2^20 */
    uint32_t rest = (uint32_t)b[2] >> 4;
    for (unsigned i = 3; i < 31; i++) rest |= b[i];
    return b[31] < 0x80 || (b[31] == 0x80 && rest == 0);
}

static void value(uint8_t v[32], const uint8_t b[32]) { slow_mod(v, b, 32, P); }

static void instructions(void) {
    static const uint16_t whats[] = {MUL, ADD, SUB, ADD_2, SUB_2, ADD_14, ADD_8111};
    static const uint16_t factors[] = {0, 1, 1, 2, 2, 14, 8111};
    for (unsigned i = 0; i < SHAPES * SHAPES; i++)
        for (unsigned n = 0; n < sizeof whats / sizeof *whats; n++)
            for (unsigned place = 0; place < 5; place++) { /* h, f, g: different, h = f, h = g, f = g, all the same */
                uint8_t f[32], g[32], got[32], want[32], times_g[32], m[32] = {(uint8_t)factors[n], (uint8_t)(factors[n] >> 8)};
                unsigned rf = place == 1 || place == 4 ? 3 : 8, rg = place == 2 || place == 4 ? 3 : place == 3 ? 8 : 14;
                shape(f, i / SHAPES);
                shape(g, i % SHAPES);
                set(c.r[rf], f);
                set(c.r[rg], g);
                if (rf == rg) memcpy(f, g, 32);
                execute(&c, DO(whats[n], 3, rf, rg));
                write_number(got, c.r[3]);
                CHECK(below_result(got));
                value(f, f);
                value(g, g);
                value(got, got);
                slow_mul(times_g, n ? m : f, g);
                if (n == 0) memcpy(want, times_g, 32);
                else if (whats[n] == SUB || whats[n] == SUB_2) slow_sub(want, f, times_g);
                else slow_add(want, f, times_g);
                CHECK_BYTES(got, want, 32);
            }
}

/* Of all that an instruction can have as its result */
static void canonical(void) {
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t f[32] = {0}, got[32], want[32];
        if (i < SHAPES) shape(f, i);
        else if (i < 300) memcpy(f, P, 32), f[0] = (uint8_t)(i & 255); /* p - 237 to p + 18 */
        else if (i < 600) f[0] = (uint8_t)i, f[31] = 0x80;
        else if (i < 900) memset(f, 255, 2), f[0] = (uint8_t)i, f[2] = 15, f[31] = 0x80;
        else if (i < 1200) f[0] = (uint8_t)i;
        else random_bytes(f, 32), f[31] &= 127;
        if (!below_result(f)) continue;
        value(want, f);
        set(c.r[7], f);
        execute(&c, DO(FREEZE, 7, 7, 7));
        write_number(got, c.r[7]);
        CHECK_BYTES(got, want, 32);
        set(c.r[7], f);
        execute(&c, DO(FREEZE, 9, 7, 7));
        write_number(got, c.r[9]);
        CHECK_BYTES(got, want, 32);
    }
}

/* ---- scalars -------------------------------------------------------------------------------------------------------------------------- */
static void reductions(void) {
    static const uint8_t TWO_255[32] = {[31] = 0x80};
    for (unsigned i = 0; i < 800; i++) {
        uint8_t a[64] = {0}, b[32] = {1}, high[32], low[32], want[32], got[32], two_256[32] = {0};
        number n;
        if (i == 0) memset(a, 255, 64);
        else if (i < 40) memcpy(a, L, 32), a[0] = (uint8_t)(a[0] + i - 20); /* next to L, at whichever place */
        else if (i < 100) memcpy(a + i % 33, L, 32), a[0] = (uint8_t)(a[0] + i % 3);
        else random_bytes(a, 64);
        if (i % 4 == 1) memset(b, 255, 32), b[31] = 127;
        if (i % 4 == 2) memcpy(b, L, 32), b[0]--;
        if (i % 4 == 3) random_bytes(b, 32), b[31] &= 127;
        memcpy(c.product, a, 64);
        (void)read_number(n, b);
        reduce(c.k, digest_of(&c), n);
        write_number(got, c.k);
        slow_mod(two_256, TWO_255, 32, L);
        slow_muladd(two_256, two_256, ONE, two_256, L); /* 2^256 mod L */
        slow_mod(high, a + 32, 32, L);
        slow_mod(low, a, 32, L);
        slow_muladd(low, high, two_256, low, L);
        slow_muladd(want, low, b, ZERO, L);
        CHECK_BYTES(got, want, 32);
        random_bytes(a, 32);
        a[31] &= 127;
        (void)read_number(n, a);
        accumulate(c.k, 0, 1, n);
        write_number(got, c.k);
        slow_muladd(want, want, ONE, a, L);
        CHECK_BYTES(got, want, 32);
    }
}

/* ---- points --------------------------------------------------------------------------------------------------------------------------- */
static void sums_at_the_edges(void) {
    enum { SCALARS = sizeof edge_scalars / sizeof *edge_scalars, POINTS = sizeof edge_points / sizeof *edge_points };
    for (unsigned p = 0; p < POINTS; p++) {
        svconn_sha256_ctx h;
        uint8_t got[32];
        uint32_t units = SVCONN_NO_PAUSE;
        svconn_sha256_init(&h);
        CHECK(decode_begin(&c, edge_points[p].point) == 1);
        CHECK(more(&c, 3, &units) == 1);
        CHECK(decode_end(&c, edge_points[p].point) == edge_points[p].accepted);
        swap_points(c.r[P1], c.r[P2], UINT32_MAX);
        if (memcmp(edge_points[p].point, ONE, 32) == 0) continue; /* it has no u, and so no way to the end */
        curve was = c;
        for (unsigned k = 0; k < SCALARS; k++)
            for (unsigned s = 0; s < SCALARS; s++) {
                c = was;
                begin_points(&c, SECOND);
                CHECK(read_number(c.s, edge_scalars[s]) == 0 && read_number(c.k, edge_scalars[k]) == 0);
                CHECK(more(&c, 0, &units) == 1);
                encode(&c, got);
                svconn_sha256_update(&h, got, 32);
            }
        svconn_sha256_final(&h, got);
        CHECK_BYTES(got, edge_points[p].sha256, 32);
    }
}

/* Where the library has other code: the same bytes, the same verdicts. */
static void as_the_library(void) {
    for (unsigned i = 0; i < 256; i++) {
        uint8_t seed[32], key[32], sig[64], u[32], got[64], want[64], msg[50];
        random_bytes(seed, 32);
        random_bytes(msg, 50);
        random_bytes(u, 32);
        if (i < 20) memset(u, 0, 32), u[0] = (uint8_t)(i / 2), u[31] = (uint8_t)(i % 2 << 7);
        if (i < 3) memset(seed, i == 1 ? 255 : 0, 32);
        CHECK(copy_x25519(got, seed, u) == svconn_x25519(want, seed, u));
        CHECK_BYTES(got, want, 32);
        copy_x25519_public(got, seed);
        svconn_x25519_public(want, seed);
        CHECK_BYTES(got, want, 32);
        copy_ed25519_public(key, seed);
        svconn_ed25519_public(want, seed);
        CHECK_BYTES(key, want, 32);
        copy_ed25519_sign(sig, seed, key, msg, i % 50);
        svconn_ed25519_sign(want, seed, key, msg, i % 50);
        CHECK_BYTES(sig, want, 64);
        copy_ed25519_to_x25519(got, key);
        svconn_ed25519_to_x25519(want, key);
        CHECK_BYTES(got, want, 32);
        CHECK(copy_ed25519_verify_u(got, sig, key, msg, i % 50) == 1);
        CHECK_BYTES(got, want, 32);
        random_bytes(got, 1);
        if (i & 1) key[got[0] % 32] ^= (uint8_t)(1 << got[0] / 32);
        else sig[got[0] % 64] ^= (uint8_t)(1 << i % 8);
        CHECK(copy_ed25519_verify_u(got, sig, key, msg, i % 50) == svconn_ed25519_verify_u(want, sig, key, msg, i % 50));
        CHECK(copy_ed25519_check(key) == svconn_ed25519_check(key));
        { /* y next to 0 and to p, each sign */
            memcpy(key, i & 128 ? P : ZERO, 32);
            key[0] = (uint8_t)(key[0] + i % 64 - (i & 128 ? 32 : 0));
            key[31] |= (uint8_t)((i & 64) << 1);
            CHECK(copy_ed25519_check(key) == svconn_ed25519_check(key));
            CHECK(copy_ed25519_verify_u(got, sig, key, msg, 3) == svconn_ed25519_verify_u(want, sig, key, msg, 3));
        }
    }
}

/* Keys with a part of small order, and R of all kinds: for each a signature that the rule without the cofactor accepts or not */
static void keys_of_other_orders(void) {
    for (unsigned p = 0; p < sizeof edge_points / sizeof *edge_points; p++)
        for (unsigned q = 0; q < sizeof edge_points / sizeof *edge_points; q++)
            for (unsigned s = 0; s < 3; s++) {
                uint8_t sig[64], got[32], want[32], msg[1] = {(uint8_t)(p + q)};
                memcpy(sig, q == p ? ZERO : edge_points[q].point, 32);
                memcpy(sig + 32, edge_scalars[s == 2 ? 5 : s], 32);
                CHECK(copy_ed25519_verify_u(got, sig, edge_points[p].point, msg, 1) ==
                      svconn_ed25519_verify_u(want, sig, edge_points[p].point, msg, 1));
            }
}

int main(void) {
    printf("  limbs of %d bits\n", LIMB);
    TEST("instructions: products and sums of any numbers", instructions);
    TEST("instructions: the canonical form", canonical);
    TEST("scalars: reduction mod L", reductions);
    TEST("points: [S]B - [k]A for all orders and scalars at the edges", sums_at_the_edges);
    TEST("operations: as those of the library", as_the_library);
    TEST("ed25519: keys and signatures of all orders", keys_of_other_orders);
    return TEST_EXIT();
}
