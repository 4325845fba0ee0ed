/* SPDX-License-Identifier: ISC */
/* What must not compile: each case by itself, and the file without any must compile. -Werror=unused-result. */
#include "svconn.hpp"
#include <utility>

using namespace svconnpp;

/* CASES 15 */
void f(session &s, const session &other, identity &me, config &cfg, static_buffers<100> &buffers, key &seed, bytes text) {
    const milliseconds now(0);
#if CASE == 1
    session copy(other);
#elif CASE == 2
    s = other;
#elif CASE == 3
    identity copy(static_cast<const identity &>(me));
#elif CASE == 4
    config moved(std::move(cfg));
#elif CASE == 5
    static_buffers<100> moved(std::move(buffers));
#elif CASE == 6
    (void)s.init(config{SVCONN_CLIENT, std::move(me)}, seed, buffers);
#elif CASE == 7
    (void)s.init(cfg, key{}, buffers);
#elif CASE == 8
    s.send(text, now);
#elif CASE == 9
    s.accept();
#elif CASE == 10
    s.init(cfg, seed, buffers);
#elif CASE == 11
    (void)s.give_psk(std::array<std::uint8_t, 31>{});
#elif CASE == 12
    (void)s.seal(text, now);
#elif CASE == 13
    static_buffers<SVCONN_MESSAGE_MAX + 1> large;
#elif CASE == 14
    (void)s.send("text", now);
#elif CASE == 15
    if (s.recv() == SVCONN_AGAIN) s.abort();
#endif
    (void)s, (void)other, (void)me, (void)cfg, (void)buffers, (void)seed, (void)text, (void)now;
}

int main() { return 0; }
