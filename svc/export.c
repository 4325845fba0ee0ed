/* SPDX-License-Identifier: ISC */
/* What a connected session is good for besides messages: spec/protocol.md section 4, last part. */
#include "ct.h"
#include "keys.h"
#include "session.h"

svconn_err svconn_export(const svconn *s, const char *label, const uint8_t *ctx, size_t ctx_len, uint8_t *out,
                         size_t out_len) {
    static const char reserved[] = "authenticator";
    if (!label || (!ctx && ctx_len) || !out || out_len == 0 || out_len > 255 * 32) return SVCONN_E_ARGUMENT;
    size_t n = 0;
    while (n <= 65535 && label[n]) n++;
    if (n > 65535 || ctx_len > 65535) return SVCONN_E_ARGUMENT;
    if (n == sizeof reserved - 1 && ct_eq((const uint8_t *)label, (const uint8_t *)reserved, n))
        return SVCONN_E_ARGUMENT;
    if (s->state != SVCONN_CONNECTED) return SVCONN_E_STATE;
    svconn_export_key(out, out_len, s->u.on.exporter, (svconn_bytes){(const uint8_t *)label, n},
                      (svconn_bytes){ctx, ctx_len});
    return SVCONN_OK;
}

/* The big-endian integer in n (which it destroys) modulo 10^(5 groups), in decimal, groups of 5 with a space between
 * them. */
static void digits(char *out, int groups, uint8_t n[16]) {
    char *at = out + 6 * groups;
    for (int group = groups; group > 0; group--) {
        *--at = group == groups ? 0 : ' ';
        for (int digit = 0; digit < 5; digit++) {
            uint32_t rest = 0;
            for (int i = 0; i < 16; i++) {
                rest = rest << 8 | n[i];                /* below 2560 */
                n[i] = (uint8_t)(rest * 6554 >> 16);    /* rest / 10 (so up to 16388), which would be a library call on ARMv6-M */
                rest -= 10u * n[i];
            }
            *--at = (char)('0' + rest);
        }
    }
}

svconn_err svconn_authenticator(const svconn *s, char out[24]) {
    static const uint8_t label[] = "authenticator";
    uint8_t n[16];
    if (s->state != SVCONN_CONNECTED) return SVCONN_E_STATE;
    svconn_export_key(n, sizeof n, s->u.on.exporter, (svconn_bytes){label, sizeof label - 1}, (svconn_bytes){NULL, 0});
    CT_RELEASE(n, sizeof n); /* it is shown and read aloud */
    digits(out, 4, n);
    return SVCONN_OK;
}

void svconn_fingerprint(char out[36], const uint8_t *identity, size_t len) {
    uint8_t hash[32];
    svconn_fingerprint_hash(hash, (svconn_bytes){identity, len});
    digits(out, 6, hash);
}

void svconn_key_ids(const svconn *s, unsigned *sending, unsigned *receiving) {
    int on = (s->flags & FLAG_KEYS) && !svconn_is_over(s);
    *sending = on ? s->u.on.out.id : 0;
    *receiving = on ? s->u.on.in.id : 0;
}
