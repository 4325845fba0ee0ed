/* SPDX-License-Identifier: ISC */
/* The peer of tests/pairs in C++: sockets of its own, sessions by svconn.hpp. Usage: peer server KIND | peer client KIND PORT */
#include "svconn.hpp"
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace svconnpp;

namespace {

[[noreturn]] void fail(const std::string &why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}
void must(const result<void> &r) {
    if (!r) fail(svconn_strerror(r.error()));
}

key filled(std::uint8_t byte) {
    key k;
    k.fill(byte);
    return k;
}
key random_key() {
    std::random_device source;
    key k;
    for (auto &byte : k) byte = static_cast<std::uint8_t>(source());
    return k;
}

sockaddr_in loopback(int port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<std::uint16_t>(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}
int listen_and_accept() {
    sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;
    auto *at = reinterpret_cast<sockaddr *>(&a);
    int door = socket(AF_INET, SOCK_STREAM, 0);
    if (door < 0 || bind(door, at, size) || listen(door, 1) || getsockname(door, at, &size)) fail("cannot listen");
    std::printf("port %d\n", ntohs(a.sin_port));
    std::fflush(stdout);
    int fd = accept(door, nullptr, nullptr);
    if (fd < 0) fail("cannot accept");
    ::close(door);
    return fd;
}
int call(int port) {
    sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr *>(&a), sizeof a)) fail("cannot connect");
    return fd;
}

/* A session and its socket, which blocks */
class channel {
    int fd_;
    config cfg_;
    std::vector<key> servers_; /* those that a CLIENT knows */
    bytes peer_;
    static_buffers<16384> buffers_;
    session s_;

    void flush() {
        for (bytes out; !(out = s_.wire_out()).empty();) {
            ssize_t n = ::send(fd_, out.data(), out.size(), MSG_NOSIGNAL);
            if (n <= 0) fail("cannot send");
            must(s_.wire_sent(static_cast<std::size_t>(n)));
        }
    }
    /* Sends what there is, and brings the next bytes into the session. A failure is told to the peer. */
    void step() {
        flush();
        auto next = s_.tick(now());
        if (next) {
            pollfd p{fd_, POLLIN, 0};
            milliseconds wait = *next == milliseconds::max() ? milliseconds(30000) : *next - now();
            if (wait < milliseconds(0)) wait = milliseconds(0);
            if (poll(&p, 1, static_cast<int>(wait.count())) == 0) return;
            writable_bytes room = s_.wire_space();
            ssize_t n = ::recv(fd_, room.data(), room.size(), 0);
            if (n < 0) fail("cannot receive");
            (void)(n > 0 ? s_.wire_filled(static_cast<std::size_t>(n), now()) : s_.wire_eof()); /* s_.error() has it */
        }
        flush();
        if (s_.error()) fail(svconn_strerror(s_.error()));
    }

  public:
    channel(int fd, svconn_role role, identity me, bytes peer) : fd_(fd), cfg_(role, std::move(me)), peer_(peer) {}
    ~channel() { ::close(fd_); }
    channel(const channel &) = delete;
    channel &operator=(const channel &) = delete;

    void hide(const key &server) {
        if (cfg_.role == SVCONN_SERVER) cfg_.hidden = 1;
        else {
            servers_ = {server};
            cfg_.set_known_servers(servers_);
        }
    }
    void handshake() {
        key seed = random_key();
        must(s_.init(cfg_, seed, buffers_));
        while (s_.status() != SVCONN_CONNECTED) {
            step();
            if (s_.status() != SVCONN_NEEDS_VERDICT) continue;
            bytes shown = s_.peer();
            bool is_expected = shown.size() == peer_.size() && std::memcmp(shown.data(), peer_.data(), shown.size()) == 0;
            must(is_expected ? s_.accept() : s_.refuse());
        }
        flush();
    }
    void send(bytes message) {
        result<void> r;
        while (!(r = s_.send(message, now())) && r.error() == SVCONN_AGAIN) step();
        must(r);
        flush();
    }
    /* Lent until done(); SVCONN_END: there will be none */
    result<bytes> recv() {
        for (;;) {
            auto message = s_.recv();
            if (message || message.error() == SVCONN_END) return message;
            if (message.error() != SVCONN_AGAIN) fail(svconn_strerror(message.error()));
            step();
        }
    }
    void done() { must(s_.recv_done()); }
    void renew() { must(s_.renew()); }
    void close() {
        must(s_.close(now()));
        flush();
    }
    std::string authenticator() { return s_.authenticator()->data(); }
};

void serve(channel &c) {
    while (auto message = c.recv()) {
        c.send(*message);
        c.done();
    }
    c.close();
}

void ask(channel &c) {
    std::vector<std::uint8_t> large(5000);
    for (std::size_t i = 0; i < large.size(); i++) large[i] = static_cast<std::uint8_t>(7 * i);
    for (bytes m : {bytes{}, bytes_of("hello"), bytes(large)}) {
        if (m.size() == large.size()) c.renew();
        c.send(m);
        auto echo = c.recv();
        if (!echo || text_of(*echo) != text_of(m)) fail("another message came back");
        c.done();
    }
    c.close();
    if (c.recv()) fail("a message that nobody sent");
}

} // namespace

int main(int argc, char **argv) {
    const std::string what = argc > 2 ? argv[1] : "", kind = argc > 2 ? argv[2] : "";
    const bool serves = what == "server", is_psk = kind == "psk";
    if ((!serves && (what != "client" || argc < 4)) || (!is_psk && kind != "key" && kind != "hidden"))
        fail("usage: peer server KIND | peer client KIND PORT (KIND: key, hidden, psk)");
    alarm(30);

    auto of = [&](bool server) {
        if (is_psk) return *identity::psk(filled(0x33), server ? "server" : "client");
        return identity::ed25519(filled(server ? 0x11 : 0x22));
    };
    const identity peer = of(!serves);
    channel c(serves ? listen_and_accept() : call(std::atoi(argv[3])), serves ? SVCONN_SERVER : SVCONN_CLIENT, of(serves),
              peer.public_bytes());
    if (kind == "hidden") c.hide(*of(true).public_key());
    c.handshake();
    const std::string digits = c.authenticator();
    if (serves) serve(c);
    else ask(c);
    std::printf("authenticator %s\n", digits.c_str());
}
