/* SPDX-License-Identifier: ISC */
/* Two sessions joined by memory, and the words of a test: each check prints "pass NAME" or "FAIL NAME". */
#ifndef SVCONN_TEST_CPP_HPP
#define SVCONN_TEST_CPP_HPP

#include "svconn.hpp"
#include <cstdio>
#include <vector>

namespace test {
using namespace svconnpp;
using blob = std::vector<std::uint8_t>;

inline int failed = 0, bad = 0;

inline void check(bool is_true, const char *what, int line) {
    if (!is_true && bad++ < 10) std::printf("  line %d: not true: %s\n", line, what);
}
#define CHECK(condition) ::test::check(static_cast<bool>(condition), #condition, __LINE__)

inline void end(const char *name) {
    std::printf("%s %s\n", bad ? "FAIL" : "pass", name);
    failed += bad != 0;
    bad = 0;
}

inline key key_of(std::uint8_t byte) {
    key k{};
    k.fill(byte);
    return k;
}
inline key seed() { /* (never twice the same; a program takes 32 bytes from its system) */
    static std::uint8_t n = 100;
    return key_of(++n);
}
inline bool same(bytes a, bytes b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/* What waits in one session goes to the other, in pieces of that size. Returns how many bytes were taken. */
inline std::size_t carry(session &from, session &to, std::size_t piece = 1000000) {
    std::size_t moved = 0;
    for (;;) {
        bytes out = from.wire_out();
        if (out.empty()) return moved;
        auto used = to.wire_in(out.size() < piece ? out : out.first(piece), milliseconds(0));
        if (!used || *used == 0) return moved;
        moved += *used;
        if (!from.wire_sent(*used)) return moved;
        if (to.status() == SVCONN_NEEDS_VERDICT && !to.accept()) return moved;
    }
}
inline void shuttle(session &a, session &b, std::size_t piece = 1000000) {
    while (carry(a, b, piece) + carry(b, a, piece) > 0) {}
}
} // namespace test

#endif
