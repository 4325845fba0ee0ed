/* SPDX-License-Identifier: ISC */
/*
 * What svconn.js cannot do without C: sizes, and a config. All else it calls as svconn.h has it (exported by build.sh), with addresses
 * in the memory of the module for pointers.
 */
#include "svconn.h"

#define EXPORT(type, name, ...)                         \
    __attribute__((export_name(#name))) type name(__VA_ARGS__); \
    type name(__VA_ARGS__)

/* A session, and its config behind it */
typedef struct {
    svconn s;
    svconn_config config;
} web_session;

EXPORT(size_t, web_session_size, void) { return sizeof(web_session); }
EXPORT(size_t, web_identity_size, void) { return sizeof(svconn_identity); }

/* numbers: pad_to, then from renew_records to silence_ms, in the order of svconn_config. */
EXPORT(svconn_err, web_session_begin, web_session *w, svconn_role role, const svconn_identity *identity, const uint8_t *context,
       size_t context_len, unsigned peer_types, unsigned hidden, unsigned early, const uint8_t (*known_servers)[32],
       size_t known_servers_count, const uint32_t numbers[7], uint8_t seed[32], uint8_t *rx, uint8_t *tx, size_t size) {
    w->config = (svconn_config){.role = role,
                                .identity = identity,
                                .context = context,
                                .context_len = context_len,
                                .peer_types = peer_types,
                                .hidden = (uint8_t)hidden,
                                .early = (uint8_t)early,
                                .pad_to = (uint16_t)numbers[0],
                                .known_servers = known_servers,
                                .known_servers_count = known_servers_count,
                                .renew_records = numbers[1],
                                .renew_bytes = numbers[2],
                                .renew_ms = numbers[3],
                                .handshake_ms = numbers[4],
                                .keepalive_ms = numbers[5],
                                .silence_ms = numbers[6]};
    return svconn_init(&w->s, &w->config, seed, rx, size, tx, size);
}
