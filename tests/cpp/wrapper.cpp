/* SPDX-License-Identifier: ISC */
/* svconn.hpp: what it adds to the C library. */
#include "test.hpp"
#include <cstdlib>
#include <memory>
#include <string>
#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace test;

static_assert(!std::is_copy_constructible_v<session> && !std::is_copy_assignable_v<session>);
static_assert(std::is_nothrow_move_constructible_v<session> && std::is_nothrow_move_assignable_v<session>);
static_assert(!std::is_copy_constructible_v<identity> && !std::is_copy_assignable_v<identity>);
static_assert(std::is_nothrow_move_constructible_v<identity> && std::is_nothrow_move_assignable_v<identity>);
static_assert(!std::is_move_constructible_v<config> && !std::is_move_assignable_v<config>);
static_assert(!std::is_move_constructible_v<static_buffers<100>> && !std::is_move_assignable_v<static_buffers<100>>);
static_assert(sizeof(static_buffers<100>) < 2 * SVCONN_BUFFER_SIZE(100) + 16);
static_assert(sizeof(session) <= sizeof(svconn) + 2 * sizeof(void *));
static_assert(std::is_convertible_v<writable_bytes, bytes> && !std::is_convertible_v<bytes, writable_bytes>);
static_assert(std::is_convertible_v<blob &, writable_bytes> && std::is_convertible_v<const blob &, bytes>);
static_assert(!std::is_convertible_v<const blob &, writable_bytes> && !std::is_convertible_v<std::string &, bytes>);
#ifdef EXPECT_STD_EXPECTED
static_assert(std::is_same_v<result<int>, std::expected<int, svconn_err>>);
#endif
#ifdef EXPECT_STD_SPAN
static_assert(std::is_same_v<bytes, std::span<const std::uint8_t>>);
#endif

namespace {

struct side {
    config cfg;
    static_buffers<5000> buffers{};
    session s{};
    side(svconn_role role, identity me) : cfg(role, std::move(me)) {}
    bool begin() {
        key r = seed();
        return s.init(cfg, r, buffers) && r == key{};
    }
};

identity named(const char *name) { return *identity::psk(key_of(0x33), name); }

struct pair {
    side server{SVCONN_SERVER, named("server")}, client{SVCONN_CLIENT, named("client")};
    void connect(std::size_t piece = 1000000) {
        CHECK(server.begin() && client.begin());
        shuttle(server.s, client.s, piece);
        CHECK(server.s.status() == SVCONN_CONNECTED && client.s.status() == SVCONN_CONNECTED);
    }
};

bool is_zero(const void *p, std::size_t n) {
    const auto *b = static_cast<const unsigned char *>(p);
    for (; n > 0; n--)
        if (*b++) return false;
    return true;
}
bool is_zero(bytes b) { return is_zero(b.data(), b.size()); }

void identities() {
    identity a = identity::ed25519(key_of(0x11)), b;
    CHECK(a.public_bytes().size() == 33 && a.public_key() && b.public_bytes().size() <= 1);
    CHECK(same(a.public_bytes().subspan(1), *a.public_key()));
    b = std::move(a);
    CHECK(b.public_key() && is_zero(a.native_handle(), sizeof(svconn_identity))); // NOLINT: moved from, on purpose
    CHECK(!a.public_key() && a.public_key().error() == SVCONN_E_STATE);           // NOLINT
    CHECK(identity::psk(key_of(1), std::string(64, 'n')));
    CHECK(code(identity::psk(key_of(1), std::string(65, 'n'))) == SVCONN_E_ARGUMENT);
    CHECK(text_of(named("me").public_bytes().subspan(1)) == "me");
    const std::uint8_t own[] = {0x80, 1, 2}, wrong[] = {2, 1, 2};
    CHECK(same(identity::custom(own)->public_bytes(), own) && !identity::custom(wrong));

    alignas(identity) unsigned char place[sizeof(identity)];
    (new (place) identity(named("me")))->~identity();
    CHECK(is_zero(place, sizeof place));

    key r = seed(), kept = r;
    config nobody{SVCONN_CLIENT, std::move(a)}; // NOLINT
    static_buffers<100> buffers;
    session s;
    CHECK(code(s.init(nobody, r, buffers)) == SVCONN_E_ARGUMENT && r == kept && s.status() == SVCONN_NONE);
    end("identities are moved and wiped; one that was moved from is nobody");
}

void lifetimes() {
    pair p;
    p.connect();
    session &a = p.client.s;
    CHECK(a.send(bytes_of("before"), milliseconds(1)));

    session b(std::move(a));
    CHECK(a.status() == SVCONN_NONE && is_zero(a.native_handle(), sizeof(svconn))); // NOLINT: moved from, on purpose
    CHECK(code(a.send({}, milliseconds(1))) == SVCONN_E_STATE);                     // NOLINT
    CHECK(b.status() == SVCONN_CONNECTED && !b.wire_out().empty());
    session c;
    c = std::move(b);
    std::vector<session> many(3);
    many[1] = std::move(c);
    many.reserve(100);
    CHECK(many[1].send(bytes_of("behind"), milliseconds(2)));
    shuttle(many[1], p.server.s);
    CHECK(text_of(*p.server.s.recv()) == "before");
    session d = std::move(p.server.s); /* with a message that is lent */
    CHECK(text_of(*d.recv()) == "before" && d.recv_done());
    shuttle(many[1], d);
    CHECK(text_of(*d.recv()) == "behind" && d.recv_done());
    session &self = d;
    d = std::move(self);
    CHECK(d.status() == SVCONN_CONNECTED);

    CHECK(!is_zero(p.client.buffers.rx()) && !is_zero(p.client.buffers.tx()));
    many.clear();
    CHECK(is_zero(p.client.buffers.rx()) && is_zero(p.client.buffers.tx()));
    d = session(); /* what was there is wiped */
    CHECK(is_zero(p.server.buffers.rx()) && is_zero(d.native_handle(), sizeof(svconn)));
    CHECK(p.client.begin()); /* and all can be used again */
    key r = seed();
    CHECK(code(p.client.s.init(p.client.cfg, r, p.server.buffers)) == SVCONN_E_STATE);
    CHECK(code(d.init(p.client.cfg, r, p.client.buffers)) == SVCONN_E_ARGUMENT);
    CHECK(p.server.begin());
    svconn_wipe(p.client.s.native_handle()); /* not by us: it is noticed */
    CHECK(p.client.s.status() == SVCONN_NONE);
    CHECK(p.client.begin());
    end("sessions are moved, wiped and begun again; what they used is erased");
}

#if defined(__unix__)
template <class F> bool aborts(F f) {
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!std::freopen("/dev/null", "w", stderr)) _exit(1);
        f();
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

void order() {
    session s;
    key r = seed();
    static_buffers<100> buffers;
    config cfg{SVCONN_CLIENT, named("me")};
    CHECK(aborts([&] {
        config gone{SVCONN_CLIENT, named("me")};
        CHECK(s.init(gone, r, buffers));
    }));
    CHECK(aborts([&] {
        static_buffers<100> gone;
        CHECK(s.init(cfg, r, gone));
    }));
    CHECK(!aborts([&] {
        {
            static_buffers<100> gone;
            session t;
            CHECK(t.init(cfg, r, gone));
            s = std::move(t);
            s.wipe();
        }
        _exit(0);
    }));
    {
        config used{SVCONN_CLIENT, named("me")};
        static_buffers<100> more;
        session one, two;
        CHECK(one.init(used, r, buffers));
        r = seed();
        CHECK(two.init(used, r, more));
        one = std::move(two);
    }
    end("a config or buffers that are destroyed before their session end the program");
}
#else
void order() { std::printf("skip the order of destruction: no fork here\n"); }
#endif

void messages() {
    pair p;
    for (std::size_t piece : {std::size_t(1000000), std::size_t(1)}) {
        p.connect(piece);
        session &c = p.client.s, &s = p.server.s;
        milliseconds t(5);
        CHECK(code(s.recv()) == SVCONN_AGAIN);
        blob big(5000);
        for (std::size_t i = 0; i < big.size(); i++) big[i] = static_cast<std::uint8_t>(7 * i);
        CHECK(code(c.send(blob(5001), t)) == SVCONN_E_SIZE);
        for (bytes m : {bytes{}, bytes_of("hello"), bytes(big)}) {
            CHECK(c.renew() && c.send(m, t));
            shuttle(c, s, piece);
            auto got = s.recv();
            CHECK(got && same(*got, m) && s.recv_done());
        }
        CHECK(c.key_ids().first >= 3);

        blob record(100 + SVCONN_OVERHEAD, 0x5a);
        CHECK(c.seal(record, t) && !is_zero(record));
        auto opened = s.open(record, t);
        CHECK(opened && same(*opened, blob(100, 0x5a)));
        writable_bytes small(record.data(), SVCONN_OVERHEAD - 1);
        CHECK(code(c.seal(small, t)) == SVCONN_E_ARGUMENT);

        CHECK(c.send(big, t));
        bytes out = c.wire_out();
        while (!out.empty()) { /* without a copy of ours */
            writable_bytes room = s.wire_space();
            std::size_t n = room.size() < out.size() ? room.size() : out.size();
            std::memcpy(room.data(), out.data(), n);
            CHECK(n > 0 && s.wire_filled(n, t) && c.wire_sent(n));
            out = c.wire_out();
        }
        CHECK(same(*s.recv(), big) && s.recv_done());

        key ka, kb;
        CHECK(c.export_key("label", bytes_of("ctx"), ka) && s.export_key("label", bytes_of("ctx"), kb) && ka == kb);
        CHECK(code(s.export_key("authenticator", {}, kb)) == SVCONN_E_ARGUMENT);
        auto da = c.authenticator(), db = s.authenticator();
        CHECK(da && db && *da == *db && std::strlen(da->data()) == 23);
        CHECK(text_of(s.peer().subspan(1)) == "client");

        CHECK(c.close(t) && s.close(t));
        shuttle(c, s);
        CHECK(code(c.recv()) == SVCONN_END && c.status() == SVCONN_CLOSED && c.wire_eof());
        CHECK(s.status() == SVCONN_CLOSED && s.error() == SVCONN_OK);
        c.wipe();
        s.wipe();
    }
    end("messages, records in place, renewal, keys, close");
}

void questions() {
    const key server_seed = key_of(0x11), client_seed = key_of(0x22);
    const key server_key = *identity::ed25519(server_seed).public_key();
    const key known[] = {key_of(9), *identity::ed25519(client_seed).public_key()};
    for (bool hidden : {false, true}) {
        side server(SVCONN_SERVER, identity::ed25519(server_seed)), client(SVCONN_CLIENT, identity::ed25519(client_seed));
        const key servers[] = {key_of(9), server_key};
        server.cfg.hidden = hidden;
        server.cfg.set_context(bytes_of("test"));
        client.cfg.set_context(bytes_of("test"));
        if (hidden) client.cfg.set_known_servers(servers);
        CHECK(server.begin() && client.begin());
        auto used = client.s.wire_in(server.s.wire_out(), milliseconds(0));
        CHECK(used && server.s.wire_sent(*used));
        CHECK(client.s.status() == SVCONN_NEEDS_VERDICT && same(client.s.peer().subspan(1), server_key));
        CHECK(client.s.accept_known(servers));
        used = server.s.wire_in(client.s.wire_out(), milliseconds(0));
        CHECK(used && client.s.wire_sent(*used) && server.s.accept_known(known));
        shuttle(server.s, client.s);
        CHECK(client.s.status() == SVCONN_CONNECTED && server.s.status() == SVCONN_CONNECTED);
    }

    const std::uint8_t us[] = {0x80, 's'};
    side server(SVCONN_SERVER, *identity::custom(us)), client(SVCONN_CLIENT, named("client"));
    server.cfg.peer_types = SVCONN_PEER_PSK;
    client.cfg.peer_types = SVCONN_PEER_CUSTOM;
    CHECK(server.begin() && client.begin() && server.s.status() == SVCONN_NEEDS_PROOF);
    std::string first, second;
    bytes proof = bytes_of("proof");
    auto text = server.s.proof_message();
    CHECK(text && text->size() > 32 && server.s.prove(proof));
    first = text_of(*text);
    auto used = client.s.wire_in(server.s.wire_out(), milliseconds(0));
    CHECK(used && server.s.wire_sent(*used) && client.s.status() == SVCONN_NEEDS_VERDICT);
    auto shown = client.s.peer_proof();
    CHECK(shown && same(shown->proof, proof) && text_of(shown->text) == first);
    CHECK(client.s.accept());
    used = server.s.wire_in(client.s.wire_out(), milliseconds(0));
    CHECK(used && client.s.wire_sent(*used) && server.s.status() == SVCONN_NEEDS_PSK);
    CHECK(text_of(server.s.peer().subspan(1)) == "client" && server.s.give_psk(key_of(0x33)) && server.s.accept());
    CHECK(server.s.status() == SVCONN_NEEDS_PROOF && server.s.prove(proof));
    shuttle(server.s, client.s);
    CHECK(client.s.status() == SVCONN_CONNECTED && server.s.status() == SVCONN_CONNECTED);
    CHECK(std::strlen(fingerprint(server.cfg.me().public_bytes()).data()) == 35);
    end("who is there: known keys, a hidden server, proofs and psks of the application");
}

void failures() {
    pair p;
    CHECK(p.server.begin() && p.client.begin());
    auto used = p.client.s.wire_in(p.server.s.wire_out(), milliseconds(0));
    CHECK(used && p.client.s.refuse() && p.client.s.error() == SVCONN_E_REFUSED && p.client.s.status() == SVCONN_FAILED);
    p.client.s.wipe();

    CHECK(p.client.begin());
    const std::uint8_t noise[] = {'G', 'E', 'T', ' '};
    used = p.client.s.wire_in(noise, milliseconds(0));
    CHECK(!used && used.error() == SVCONN_E_VERSION && is_failure(used.error()) && !is_failure(SVCONN_AGAIN));
    CHECK(code(p.client.s.recv()) == SVCONN_E_VERSION);
    CHECK(is_zero(p.client.s.wire_out()) && p.client.s.wire_out().size() == 16);
    p.server.s.abort();
    CHECK(p.server.s.error() == SVCONN_E_CANCELLED);
    p.client.s.wipe();
    p.server.s.wipe();

    p.connect();
    auto next = p.client.s.tick(milliseconds(10));
    CHECK(next && *next > milliseconds(10) && *next <= milliseconds(20010));
    CHECK(p.server.s.tick(milliseconds(25000))); /* a keep-alive; heard at 50 s: silent 60 s later */
    used = p.client.s.wire_in(p.server.s.wire_out(), milliseconds(50000));
    CHECK(used && *used > 0 && p.client.s.tick(milliseconds(109000)));
    CHECK(code(p.client.s.tick(milliseconds(111000))) == SVCONN_E_SILENT);
    p.client.s.wipe();
    p.client.cfg.handshake_ms = p.client.cfg.keepalive_ms = p.client.cfg.silence_ms = SVCONN_OFF;
    CHECK(p.client.begin());
    next = p.client.s.tick(milliseconds(10));
    CHECK(next && *next == milliseconds::max());
    CHECK(code(p.server.s.wire_eof()) == SVCONN_E_TRUNCATED);

    std::array<std::uint8_t, 16> last{};
    std::array<std::uint8_t, 64> draws{};
    CHECK(code(seed_check(last, draws)) == SVCONN_E_SEED);
    for (std::size_t i = 0; i < draws.size(); i++) draws[i] = static_cast<std::uint8_t>(i * i);
    CHECK(seed_check(last, draws) && now() > milliseconds(0));
    side other(SVCONN_CLIENT, named("client"));
    key zero{};
    CHECK(code(other.s.init(other.cfg, zero, other.buffers)) == SVCONN_E_SEED);
    end("failures, deadlines, seeds");
}

} // namespace

int main() {
    identities();
    lifetimes();
    order();
    messages();
    questions();
    failures();
    return failed != 0;
}
