/* SPDX-License-Identifier: ISC */
/* handshake.c in C++ */
#include <cstdio>
#include <svconn.hpp>

using namespace svconnpp;

static bool carry(session &from, session &to) {
    auto used = to.wire_in(from.wire_out(), milliseconds(0));
    return used && from.wire_sent(*used) && (to.status() != SVCONN_NEEDS_VERDICT || to.accept());
}

int main() {
    config call{SVCONN_CLIENT, *identity::psk(key{1, 2, 3}, "alice")}, wait{SVCONN_SERVER, *identity::psk(key{1, 2, 3}, "bob")};
    static_buffers<200> buffers[2];
    session client, server;
    key seeds[2] = {key{7}, key{8}};
    if (!client.init(call, seeds[0], buffers[0]) || !server.init(wait, seeds[1], buffers[1])) return 2;
    for (int i = 0; i < 2; i++)
        if (!carry(server, client) || !carry(client, server)) return 1;
    auto digits = client.authenticator();
    if (!digits || *digits != *server.authenticator()) return 1;
    std::printf("svconn %s %s\n", SVCONN_VERSION, digits->data());
}
