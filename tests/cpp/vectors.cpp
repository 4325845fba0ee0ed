/* SPDX-License-Identifier: ISC */
/* The vectors of SVC-1 (spec/vectors.md) through svconn.hpp: what goes to the link and to the application, byte for byte. The values inside of
 * a session are for tests/test_svc_vectors.c. */
#include "test.hpp"
#include <cstdlib>
#include <fstream>
#include <string>
extern "C" {
#include "crypto.h" /* HMAC, for the proofs of the applications */
}

using namespace test;

namespace {

struct line {
    std::string name, text;
    blob value;
};
using vector_case = std::vector<line>;

const vector_case *now_tested;
const line *find(const char *name) {
    for (const line &l : *now_tested)
        if (l.name == name) return &l;
    return nullptr;
}
bool has(const char *name) { return find(name) != nullptr; }
const blob &get(const char *name) {
    static const blob none;
    const line *l = find(name);
    return l ? l->value : none;
}
key key32(const char *name) {
    key k{};
    if (get(name).size() == k.size()) std::memcpy(k.data(), get(name).data(), k.size());
    CHECK(get(name).size() == k.size());
    return k;
}
bool flag(const char *name) { return get(name) == blob{1}; }

int digit(char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

std::vector<vector_case> load(const char *file) {
    std::vector<vector_case> cases;
    std::ifstream in(file);
    for (std::string l; std::getline(in, l);) {
        std::size_t at = l.find(" =");
        if (l.empty() || l[0] == '#' || at == std::string::npos) continue;
        std::string name = l.substr(0, at), rest = at + 3 < l.size() ? l.substr(at + 3) : "";
        if (name == "case") cases.push_back({{"case", rest, {}}});
        else if (!rest.empty() && rest[0] == '"') cases.back().push_back({name, rest.substr(1, rest.size() - 2), {}});
        else {
            blob b;
            for (std::size_t i = 0; i + 1 < rest.size(); i += 2)
                b.push_back(static_cast<std::uint8_t>(digit(rest[i]) * 16 + digit(rest[i + 1])));
            cases.back().push_back({name, "", b});
        }
    }
    return cases;
}

/* ---- a party ------------------------------------------------------------------------------------ */

identity identity_of(bool serves) {
    const blob &id = get(serves ? "server_identity" : "client_identity");
    key secret = key32(serves ? "server_secret" : "client_secret");
    if (id[0] == SVCONN_TYPE_ED25519) return identity::ed25519(secret);
    if (id[0] == SVCONN_TYPE_PSK) return *identity::psk(secret, text_of(bytes(id).subspan(1)));
    return *identity::custom(id);
}

/* The pad_to that gives the padding of the case */
std::uint16_t pad_to() {
    const blob &p = get("padding"), &id = get("client_identity");
    std::size_t padding = p.empty() ? 0 : p[0] * 256u + p[1];
    std::size_t text = 2 + id.size() + 2 + (id[0] == SVCONN_TYPE_ED25519 ? 64 : 32);
    for (std::size_t n = 1; padding > 0 && n <= 65535; n++)
        if ((n - text % n) % n == padding) return static_cast<std::uint16_t>(n);
    return 0;
}

struct party {
    config cfg;
    static_buffers<65535> buffers{};
    std::vector<key> known{};
    blob secret, peer_secret;
    const char *refused = nullptr; /* a reason of spec/vectors.md */
    milliseconds clock{0};
    session s{};

    explicit party(bool serves)
        : cfg(serves ? SVCONN_SERVER : SVCONN_CLIENT, identity_of(serves)),
          secret(get(serves ? "server_secret" : "client_secret")),
          peer_secret(get(serves ? "client_secret" : "server_secret")) {
        cfg.set_context(get("context"));
        cfg.peer_types = SVCONN_PEER_ED25519 | SVCONN_PEER_PSK | SVCONN_PEER_CUSTOM;
        if (serves) cfg.hidden = flag("hidden");
        else set_client();
    }
    void set_client() {
        /* RFC 8032, test 2 */
        static const key stranger = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
                                     0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
                                     0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
        const blob &list = get("known"), &id = get("server_identity");
        for (std::size_t i = 0; i + 32 <= list.size(); i += 32) {
            known.emplace_back();
            std::memcpy(known.back().data(), &list[i], 32);
        }
        if (!has("known") && flag("hidden") && id.size() == 33) {
            known = {stranger, key{}};
            std::memcpy(known[1].data(), &id[1], 32);
        }
        cfg.set_known_servers(known);
        cfg.early = has("early") ? SVCONN_EARLY_ALWAYS : SVCONN_EARLY_IF_SAFE;
        cfg.pad_to = pad_to();
    }
    void begin() {
        key random = key32(cfg.role == SVCONN_SERVER ? "server_random" : "client_random");
        CHECK(s.init(cfg, random, buffers));
        answer();
    }

    static blob mac(const blob &k, bytes text) {
        blob out(32);
        svconn_hmac_ctx c;
        svconn_hmac_init(&c, k.data(), k.size());
        svconn_hmac_update(&c, text.data(), text.size());
        svconn_hmac_final(&c, out.data());
        return out;
    }
    result<void> refuse(const char *why) {
        refused = why;
        return s.refuse();
    }
    result<void> verdict() {
        auto p = s.peer_proof();
        bool is_m3 = text_of(p->text).rfind("SVC1 server confirm", 0) == 0;
        if ((s.peer().empty() || s.peer()[0] >= SVCONN_TYPE_CUSTOM) && !same(p->proof, mac(peer_secret, p->text)))
            return refuse(is_m3 ? "confirm" : "proof");
        return has("refuse") ? refuse("refused") : s.accept();
    }
    void answer() {
        for (int asked = 0; asked < 8; asked++) {
            result<void> r;
            switch (s.status()) {
            case SVCONN_NEEDS_PROOF: r = s.prove(mac(secret, *s.proof_message())); break;
            case SVCONN_NEEDS_PSK: r = peer_secret.size() == 32 ? give_psk() : refuse("refused"); break;
            case SVCONN_NEEDS_VERDICT: r = verdict(); break;
            default: return;
            }
            CHECK(r || is_failure(r.error()));
        }
        CHECK(s.status() == SVCONN_FAILED); /* it asks again and again */
    }
    result<void> give_psk() {
        key k{};
        std::memcpy(k.data(), peer_secret.data(), k.size());
        return s.give_psk(k);
    }
};

/* ---- positive cases ----------------------------------------------------------------------------- */

void give(party &to, bytes b, std::size_t piece) {
    while (!b.empty()) {
        auto used = to.s.wire_in(b.size() < piece ? b : b.first(piece), to.clock);
        to.answer();
        CHECK(used && *used > 0);
        if (!used || *used == 0) return;
        b = b.subspan(*used);
    }
}
void sends(party &p, const blob &want) {
    bytes out = p.s.wire_out();
    CHECK(same(out, want));
    CHECK(p.s.wire_sent(out.size()));
}
void connected(party &p) {
    static const std::uint8_t context[] = {1, 2, 3};
    CHECK(p.s.status() == SVCONN_CONNECTED);
    auto digits = p.s.authenticator();
    std::string text;
    for (char c : *digits)
        if (c >= '0') text += c;
    CHECK(digits && text == find("authenticator")->text);
    blob out(80);
    CHECK(p.s.export_key("test label", context, out) && out == get("export"));
}

struct play {
    party client{false}, server{true};
    std::size_t piece;
    std::vector<blob> queue[2]; /* c2s, s2c */
    std::size_t taken[2] = {0, 0};

    party &from(bool s2c) { return s2c ? server : client; }
    party &to(bool s2c) { return s2c ? client : server; }

    void take(bool s2c, const std::string &what, const blob &message) {
        CHECK(taken[s2c] < queue[s2c].size());
        if (taken[s2c] == queue[s2c].size()) return;
        session &s = to(s2c).s;
        give(to(s2c), queue[s2c][taken[s2c]++], piece);
        auto m = s.recv();
        if (what == "take") CHECK(m && same(*m, message) && s.recv_done());
        else CHECK(code(m) == (what == "take_close" ? SVCONN_END : SVCONN_AGAIN));
    }
    void event(bool s2c, const std::string &what, const line &l) {
        party &p = from(s2c);
        if (what == "renew") CHECK(p.s.renew());
        else if (what == "send") CHECK(p.s.send(l.value, p.clock));
        else if (what == "close") CHECK(p.s.close(p.clock));
        else if (what == "keepalive") CHECK(p.s.tick(p.clock += milliseconds(20000)));
        else if (what == "wire") sends(p, l.value), queue[s2c].push_back(l.value);
        else if (what != "key") take(s2c, what, l.value);
    }
    void empty(bool s2c) {
        CHECK(from(s2c).s.send({}, from(s2c).clock));
        bytes out = from(s2c).s.wire_out();
        give(to(s2c), out, piece);
        CHECK(from(s2c).s.wire_sent(out.size()));
        CHECK(to(s2c).s.recv()->empty() && to(s2c).s.recv_done());
    }
    explicit play(std::size_t piece_) : piece(piece_) {
        for (party *p : {&server, &client}) {
            p->cfg.silence_ms = p->cfg.handshake_ms = SVCONN_OFF; /* time passes only for keep-alives */
            p->begin();
        }
        sends(server, get("M1"));
        give(client, get("M1"), piece);
        sends(client, get("M2"));
        give(server, get("M2"), piece);
        sends(server, get("M3"));
        connected(server);
        if (!has("early")) confirm();
        for (const line &l : *now_tested) {
            if (l.name.rfind("c2s_", 0) == 0) event(false, l.name.substr(4), l);
            else if (l.name.rfind("s2c_", 0) == 0) event(true, l.name.substr(4), l);
            else if (l.name == "confirmed") confirm();
            else if (l.name == "rounds")
                for (unsigned n = l.value[0] * 256u + l.value[1]; n > 0 && !bad; n--) {
                    CHECK(client.s.renew());
                    empty(false);
                    empty(true);
                }
        }
        CHECK(client.s.wire_out().empty() && server.s.wire_out().empty());
        CHECK(client.s.error() == SVCONN_OK && server.s.error() == SVCONN_OK);
    }
    void confirm() {
        CHECK(client.s.status() == SVCONN_CONFIRMING);
        give(client, get("M3"), piece);
        connected(client);
    }
};

/* ---- negative cases ----------------------------------------------------------------------------- */

void negative(std::size_t piece) {
    party p(find("to")->text == "server");
    blob output;
    std::vector<blob> messages, wanted;
    auto collect = [&] {
        for (bytes out; !(out = p.s.wire_out()).empty();) {
            output.insert(output.end(), out.begin(), out.end());
            CHECK(p.s.wire_sent(out.size()));
        }
        while (auto m = p.s.recv()) {
            messages.emplace_back(m->begin(), m->end());
            if (!p.s.recv_done()) return;
        }
    };
    p.begin();
    collect();
    bytes in(get("input"));
    while (!in.empty() && p.s.status() != SVCONN_FAILED) {
        auto used = p.s.wire_in(in.size() < piece ? in : in.first(piece), p.clock);
        if (used) in = in.subspan(*used);
        p.answer();
        collect();
    }
    const std::string &reason = find("reason")->text;
    if (reason == "timeout" || reason == "silent") CHECK(!p.s.tick(milliseconds(60000)));
    if (has("eof")) CHECK(p.s.wire_eof() || p.s.error() != SVCONN_OK);
    collect();
    collect(); /* the error packet of a failure that came with a message */
    for (const line &l : *now_tested)
        if (l.name == "message") wanted.push_back(l.value);
    std::string got = svconn_reason_name(p.s.error());
    if (got == "refused" && p.refused) got = p.refused;
    CHECK(p.s.status() == SVCONN_FAILED && got == reason);
    CHECK(output == get("output") && messages == wanted);
}

} // namespace

int main(int argc, char **argv) {
    std::vector<vector_case> cases = load(argc > 1 ? argv[1] : "test-vectors/svc1.txt");
    std::size_t positive = 0, passed = 0, step = 1;
    if (const char *n = std::getenv("EVERY")) step = static_cast<std::size_t>(std::atoi(n));
    for (std::size_t i = 0; i < cases.size(); i += step) {
        now_tested = &cases[i];
        bool is_negative = has("input");
        if (has("early") && has("c2s_keepalive")) continue; /* a CLIENT that waits sends none of its own accord */
        positive += !is_negative;
        for (std::size_t piece : {std::size_t(1000000), std::size_t(1)}) {
            if (bad || (piece == 1 && has("rounds"))) continue;
            if (is_negative) negative(piece);
            else play{piece};
        }
        if (bad) end(("svc1.txt: " + cases[i][0].text).c_str());
        else passed++;
    }
    CHECK(step > 1 || (positive >= 30 && passed >= 500));
    std::printf("  %zu cases of svc1.txt\n", passed);
    end("svc1.txt: every byte on the link, every message, every reason");
    return failed != 0;
}
