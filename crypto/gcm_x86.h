/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM with the AES and carry-less multiply instructions of x86-64: one text for all vector widths. The file
 * that includes this one says what a vector is; it defines, beside `vec`:
 *
 *   LANES, W     blocks in a vector; vectors in flight
 *   TARGET       what the compiler may use
 *   NAME(x)      the names of this width
 *   v_*          the operations, each on every 128-bit lane
 *
 * Sources:
 *   NIST SP 800-38D;
 *   S. Gueron, "Intel Advanced Encryption Standard instructions set" (2010): many blocks in flight hide the latency of
 *   a round;
 *   S. Gueron, M. Kounavis, "Intel carry-less multiplication instruction and its usage for computing the GCM mode"
 *   (2010): powers of H, one reduction for many blocks;
 *   S. Gueron, "AES-GCM-SIV implementations" and RFC 8452: Montgomery's reduction by two products with 0xc2 << 56;
 *   V. Gopal et al., "Optimized Galois-counter-mode implementation on Intel architecture processors" (2010): the hash
 *   of one batch is computed between the rounds of the next.
 *
 * A block is a big-endian number here (bytes reversed), as in ghash.c; the hash key holds H / x, and Montgomery's
 * reduction divides by x^128 what the powers were multiplied by: power n in the key times a block is the block times
 * H^n.
 *
 * The expanded key: powers H^POWERS, ..., H^2, H^1, then 15 round keys, 16 bytes each. A vector that is loaded at power
 * n holds n, n - 1, ...; the lanes behind power 1 are never multiplied with anything but zero.
 */
#define BATCH (LANES * W)
#define POWERS (BATCH + 1) /* a whole batch, and the lengths */
#define ROUNDS 14
#ifdef __OPTIMIZE_SIZE__ /* several functions instead of one */
#define FRAME 2304
#else
#define FRAME (LANES == 1 ? 640 : 1024)
#endif

#define UNROLL SVCONN_UNROLL
/* Keeps the order of the text: gcc 12 would otherwise compute one block through all rounds, then the next. */
#define HERE(a) __asm__ volatile("" : "+v"(a))
#define INLINE TARGET SVCONN_INLINE

typedef struct { /* a sum of products: hi * x^128 + mid * x^64 + lo */
    vec lo, mid, hi;
} NAME(sum);

static inline const uint8_t *NAME(power)(const uint64_t *key, unsigned n) {
    return (const uint8_t *)key + 16 * (POWERS - n);
}

static inline const uint8_t *NAME(round_key)(const uint64_t *key, unsigned r) {
    return (const uint8_t *)key + 16 * (POWERS + r);
}

INLINE void NAME(add_product)(NAME(sum) *s, vec a, vec h) {
    s->lo = v_xor(s->lo, v_clmul(a, h, 0x00));
    s->mid = v_xor(s->mid, v_xor(v_clmul(a, h, 0x01), v_clmul(a, h, 0x10)));
    s->hi = v_xor(s->hi, v_clmul(a, h, 0x11));
    HERE(s->lo);
    HERE(s->mid);
    HERE(s->hi);
}

/* One lane from all, modulo the polynomial of GCM. */
INLINE __m128i NAME(reduce)(const NAME(sum) *s) {
    const __m128i poly = _mm_set_epi64x(0, (long long)0xc200000000000000);
    __m128i lo = v_fold(s->lo), mid = v_fold(s->mid), hi = v_fold(s->hi);
    mid = _mm_xor_si128(mid, _mm_xor_si128(_mm_shuffle_epi32(lo, 0x4e), _mm_clmulepi64_si128(lo, poly, 0x00)));
    return _mm_xor_si128(hi, _mm_xor_si128(_mm_shuffle_epi32(mid, 0x4e), _mm_clmulepi64_si128(mid, poly, 0x00)));
}

INLINE NAME(sum) NAME(nothing)(void) { return (NAME(sum)){v_zero(), v_zero(), v_zero()}; }

INLINE __m128i NAME(swap)(__m128i a) {
    return _mm_shuffle_epi8(a, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* Adds vector i of a group of n blocks to the sum; y, what was hashed before, goes into the first block. */
INLINE void NAME(hash)(NAME(sum) *s, const uint64_t *key, vec text, __m128i y, unsigned i, unsigned n) {
    vec a = v_swap(text);
    if (i == 0) a = v_xor(a, v_widen(y));
    NAME(add_product)(s, a, v_load(NAME(power)(key, n) + 16 * LANES * i));
}

/* W vectors of key stream, from counter on; in between, if hashed is not NULL, BATCH blocks there are hashed. */
INLINE void NAME(batch)(vec x[W], const uint64_t *key, vec counter, const uint8_t *hashed, __m128i *y) {
    NAME(sum) s = NAME(nothing)();
    vec k = v_dup(NAME(round_key)(key, 0));
    UNROLL for (unsigned i = 0; i < W; i++) x[i] = v_xor(v_swap(v_add32(counter, LANES * i)), k);
    UNROLL for (unsigned r = 1; r < ROUNDS; r++) {
        k = v_dup(NAME(round_key)(key, r));
        UNROLL for (unsigned i = 0; i < W; i++) x[i] = v_enc(x[i], k);
        UNROLL for (unsigned i = 0; i < W; i++) HERE(x[i]);
        if (hashed && r <= W) NAME(hash)(&s, key, v_load(hashed + 16 * LANES * (r - 1)), *y, r - 1, BATCH);
    }
    k = v_dup(NAME(round_key)(key, ROUNDS));
    UNROLL for (unsigned i = 0; i < W; i++) x[i] = v_enclast(x[i], k);
    if (hashed) *y = NAME(reduce)(&s);
}

INLINE __m128i NAME(hash_batch)(const uint64_t *key, const uint8_t *text, __m128i y) {
    NAME(sum) s = NAME(nothing)();
    UNROLL for (unsigned i = 0; i < W; i++) NAME(hash)(&s, key, v_load(text + 16 * LANES * i), y, i, BATCH);
    return NAME(reduce)(&s);
}

/* The end: len bytes in n vectors, n a constant; then the lengths; then the tag. */
INLINE __m128i NAME(end)(const uint64_t *key, vec counter, __m128i j0, uint8_t *out, const uint8_t *in, size_t len,
                         unsigned n, int seal, __m128i y, __m128i lengths) {
    vec x[W + 1], k = v_dup(NAME(round_key)(key, 0));
    NAME(sum) s = NAME(nothing)();
    unsigned blocks = (unsigned)((len + 15) / 16);
    UNROLL for (unsigned i = 0; i < n; i++) x[i] = v_xor(v_swap(v_add32(counter, LANES * i)), k);
    x[n] = v_xor(v_widen(j0), k);
    UNROLL for (unsigned r = 1; r < ROUNDS; r++) {
        k = v_dup(NAME(round_key)(key, r));
        UNROLL for (unsigned i = 0; i <= n; i++) x[i] = v_enc(x[i], k);
        UNROLL for (unsigned i = 0; i <= n; i++) HERE(x[i]);
    }
    k = v_dup(NAME(round_key)(key, ROUNDS));
    UNROLL for (unsigned i = 0; i <= n; i++) x[i] = v_enclast(x[i], k);

    UNROLL for (unsigned i = 0; i < n; i++) {
        size_t at = 16 * LANES * i, part = len - at;
        vec a, b;
        if (i + 1 < n) {
            a = v_load(in + at);
            b = v_xor(a, x[i]);
            v_store(out + at, b);
        } else {
            a = v_load_part(in + at, part);
            b = v_xor(a, x[i]);
            v_store_part(out + at, b, part);
            if (seal) b = v_cut(b, part);
        }
        NAME(hash)(&s, key, seal ? b : a, y, i, blocks + 1);
    }
    if (n == 0) lengths = _mm_xor_si128(lengths, y);
    NAME(add_product)(&s, v_widen(lengths), v_load(NAME(power)(key, 1)));
    return _mm_xor_si128(NAME(swap)(NAME(reduce)(&s)), v_first(x[n]));
}

/* y and aad, padded with zeros */
INLINE __m128i NAME(hash_aad)(const uint64_t *key, const uint8_t *aad, size_t len) {
    __m128i y = _mm_setzero_si128();
    while (len > 0) {
        size_t n = len < 16 ? len : 16;
        uint8_t block[16] = {0};
        NAME(sum) s = NAME(nothing)();
        memcpy(block, aad, n);
        NAME(hash)(&s, key, v_widen(_mm_loadu_si128((const __m128i *)(const void *)block)), y, 0, 1);
        y = NAME(reduce)(&s);
        aad += n;
        len -= n;
    }
    return y;
}

/* Both directions: seals, or opens without looking at the tag; writes the full tag. */
INLINE void NAME(crypt)(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                        const uint8_t *in, size_t len, uint8_t tag[16], int seal) {
    uint8_t block[16] = {0};
    memcpy(block, nonce, 12);
    block[15] = 1;
    __m128i j0 = _mm_loadu_si128((const __m128i *)(const void *)block);
    __m128i lengths = _mm_set_epi64x((long long)((uint64_t)aad_len << 3), (long long)((uint64_t)len << 3));
    vec counter = v_first_counters(block), x[W];
    ct_wipe(block, sizeof block); /* the first nonce of a record key is secret (spec/protocol.md, section 4) */
    __m128i y = NAME(hash_aad)(key, aad, aad_len);
    const uint8_t *sealed = NULL; /* a batch that is not hashed yet */

    for (; len >= 16 * BATCH; len -= 16 * BATCH, in += 16 * BATCH, out += 16 * BATCH) {
        if (!seal) sealed = in;
        if (sealed) NAME(batch)(x, key, counter, sealed, &y);
        else NAME(batch)(x, key, counter, NULL, &y);
        UNROLL for (unsigned i = 0; i < W; i++) v_store(out + 16 * LANES * i, v_xor(v_load(in + 16 * LANES * i), x[i]));
        counter = v_add32(counter, BATCH);
        sealed = out;
    }
    if (seal && sealed) y = NAME(hash_batch)(key, sealed, y);

    /* clang-format off */
    switch ((len + 16 * LANES - 1) / (16 * LANES)) {
#define CASE(n) case n: y = NAME(end)(key, counter, j0, out, in, len, n < W ? n : W, seal, y, lengths); break;
    CASE(0) CASE(1) CASE(2) CASE(3)
#if W > 4
    CASE(4) CASE(5) CASE(6) CASE(7)
#endif
    default: y = NAME(end)(key, counter, j0, out, in, len, W, seal, y, lengths);
    }
    /* clang-format on */
#undef CASE
    _mm_storeu_si128((__m128i *)(void *)tag, y);
}

/* FIPS 197 5.2 with Nk = 8: two halves, one with RotWord and Rcon, one without. */
INLINE __m128i NAME(key_step)(__m128i a, __m128i t) {
    a = _mm_xor_si128(a, _mm_slli_si128(a, 4));
    a = _mm_xor_si128(a, _mm_slli_si128(a, 8));
    return _mm_xor_si128(a, t);
}

TARGET void NAME(init)(uint64_t *key, const uint8_t k[32]) {
    __m128i *rk = (__m128i *)(void *)(key + 2 * POWERS);
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)k);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(k + 16));
    __m128i h = a;
    _mm_storeu_si128(rk, a);
    h = _mm_aesenc_si128(h, b);
    for (unsigned i = 1; i <= 7; i++) {
        __m128i t;
        switch (i) { /* the constant is part of the instruction */
        case 1: t = _mm_aeskeygenassist_si128(b, 1); break;
        case 2: t = _mm_aeskeygenassist_si128(b, 2); break;
        case 3: t = _mm_aeskeygenassist_si128(b, 4); break;
        case 4: t = _mm_aeskeygenassist_si128(b, 8); break;
        case 5: t = _mm_aeskeygenassist_si128(b, 16); break;
        case 6: t = _mm_aeskeygenassist_si128(b, 32); break;
        default: t = _mm_aeskeygenassist_si128(b, 64); break;
        }
        _mm_storeu_si128(rk + 2 * i - 1, b);
        a = NAME(key_step)(a, _mm_shuffle_epi32(t, 0xff));
        _mm_storeu_si128(rk + 2 * i, a);
        if (i == 7) break;
        b = NAME(key_step)(b, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(a, 0), 0xaa));
        h = _mm_aesenc_si128(_mm_aesenc_si128(h, a), b);
    }
    h = _mm_aesenclast_si128(h, a); /* H = E(0) */

    uint8_t bytes[16];
    _mm_storeu_si128((__m128i *)(void *)bytes, h);
    svconn_ghash_key(key + 2 * (POWERS - 1), bytes); /* H / x, as in ghash.c */
    ct_wipe(bytes, sizeof bytes);
    for (unsigned n = 2; n <= POWERS; n++) { /* log2(POWERS) products deep */
        NAME(sum) s = NAME(nothing)();
        __m128i p = _mm_loadu_si128((const __m128i *)(const void *)NAME(power)(key, n / 2));
        __m128i q = _mm_loadu_si128((const __m128i *)(const void *)NAME(power)(key, n - n / 2));
        NAME(add_product)(&s, v_widen(p), v_widen(q));
        _mm_storeu_si128((__m128i *)(void *)(key + 2 * (POWERS - n)), NAME(reduce)(&s));
    }
}

/* See SVCONN_WIPE_FRAME; written out, because here it takes a part of the time that counts. */
TARGET __attribute__((noinline)) static void NAME(wipe_frame)(void) {
    vec frame[(FRAME + SVCONN_FRAME_MORE) / sizeof(vec)];
    UNROLL for (unsigned i = 0; i < sizeof frame / sizeof frame[0]; i++) v_store(&frame[i], v_zero());
    __asm__ volatile("# wipes %c1 bytes" : : "r"(frame), "i"(sizeof frame) : "memory");
}

TARGET __attribute__((noinline)) static void NAME(seal_in_frame)(const uint64_t *key, const uint8_t nonce[12],
                                                                 const uint8_t *aad, size_t aad_len, uint8_t *out,
                                                                 const uint8_t *in, size_t len, uint8_t tag[16]) {
    NAME(crypt)(key, nonce, aad, aad_len, out, in, len, tag, 1);
}

TARGET void NAME(seal)(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                       const uint8_t *in, size_t len, uint8_t tag[16]) {
    NAME(seal_in_frame)(key, nonce, aad, aad_len, out, in, len, tag);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}

TARGET __attribute__((noinline)) static void NAME(open_in_frame)(const uint64_t *key, const uint8_t nonce[12],
                                                                 const uint8_t *aad, size_t aad_len, uint8_t *out,
                                                                 const uint8_t *in, size_t len, uint8_t tag[16]) {
    NAME(crypt)(key, nonce, aad, aad_len, out, in, len, tag, 0);
}

TARGET void NAME(open)(const uint64_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_len, uint8_t *out,
                       const uint8_t *in, size_t len, uint8_t tag[16]) {
    NAME(open_in_frame)(key, nonce, aad, aad_len, out, in, len, tag);
    NAME(wipe_frame)();
    SVCONN_NO_JUMP();
}

#undef FRAME
#undef BATCH
#undef POWERS
#undef ROUNDS
#undef UNROLL
#undef HERE
#undef INLINE
#undef TARGET
#undef NAME
#undef LANES
#undef W
#undef vec
#undef v_zero
#undef v_xor
#undef v_enc
#undef v_enclast
#undef v_clmul
#undef v_load
#undef v_store
#undef v_dup
#undef v_swap
#undef v_add32
#undef v_fold
#undef v_widen
#undef v_first
#undef v_first_counters
#undef v_load_part
#undef v_store_part
#undef v_cut
