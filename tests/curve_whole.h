/* SPDX-License-Identifier: ISC */
/* Operations on points and numbers that the library has in slices only, as one call. */
#ifndef SVCONN_TEST_CURVE_WHOLE_H
#define SVCONN_TEST_CURVE_WHOLE_H

#include "ge25519.h"

static inline void whole_base(ge *r, const uint8_t n[32]) {
    ge_base_work w;
    uint32_t units = SVCONN_NO_PAUSE;
    svconn_ge_base_begin(&w, n, units);
    (void)svconn_ge_base_more(&w, &units);
    *r = w.r;
}

static inline void whole_double_base(ge *r, const uint8_t a[32], const ge *p, const uint8_t b[32]) {
    ge_double_work w;
    uint32_t units = SVCONN_NO_PAUSE;
    svconn_ge_double_begin(&w, a, p, b, units);
    (void)svconn_ge_double_more(&w, a, b, &units);
    *r = w.r;
}

static inline int whole_decode(ge *p, const uint8_t in[32]) {
    ge_decode_work w;
    uint32_t units = SVCONN_NO_PAUSE;
    if (!svconn_ge_decode_begin(&w, in)) return 0;
    (void)svconn_ge_decode_more(&w, &units);
    return svconn_ge_decode_end(p, &w, in);
}

static inline void whole_encode(uint8_t out[32], const ge *p) {
    fe inverse;
    fe_invert(&inverse, &p->z);
    svconn_ge_encode(out, p, &inverse);
}

static inline void whole_pow2523(fe *h, const fe *f) {
    fe_power p;
    uint32_t units = SVCONN_NO_PAUSE;
    fe_power_begin(&p, f);
    (void)fe_power_more(&p, &units);
    fe_pow2523_end(h, &p);
}

#endif
