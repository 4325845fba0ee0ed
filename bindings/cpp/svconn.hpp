/* SPDX-License-Identifier: ISC */
/*
 * svconn for C++17 and later: svconn.h with destructors, spans and results. This header is all; link the C library.
 *
 * The functions of session are those of svconn.h without their prefix, and so are their contracts, there and in
 * docs/states.md; types and enumerators are used as they are. What differs:
 *  - The namespace is svconnpp, because svconn is the name of the C struct.
 *  - A call returns a result: std::expected where there is one (C++23), else something like it. Its error is a
 *    svconn_err, SVCONN_AGAIN and SVCONN_END among them. Nothing throws.
 *  - Bytes are passed as spans: std::span from C++20 on, before that a view with its most used members.
 *  - A session may be moved. What must stay in place cannot be moved or copied (config, static_buffers), and a program
 *    that destroys one of them before the session that uses it is ended there by std::abort, as by the destructor of
 *    a thread that was not joined. Members and local variables that are declared before the session outlive it.
 *  - Secrets are wiped by destructors, and where something was moved from.
 *
 * Nothing is allocated. Exceptions and run-time type information are not needed.
 */
#ifndef SVCONN_HPP
#define SVCONN_HPP

#include "svconn.h"
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>
#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_span
#include <span>
#endif
#ifdef __cpp_lib_expected
#include <expected>
#endif

/* Files compiled for different standards see different types: what they share of this header is told apart by the
 * linker, and not taken for the same. */
#if defined(__cpp_lib_expected)
#define SVCONN_HPP_NAMESPACE cpp23
#elif defined(__cpp_lib_span)
#define SVCONN_HPP_NAMESPACE cpp20
#else
#define SVCONN_HPP_NAMESPACE cpp17
#endif

namespace svconnpp {
inline namespace SVCONN_HPP_NAMESPACE {

/* ---- spans -------------------------------------------------------------------------------------- */
#ifdef __cpp_lib_span
template <class T> using span = std::span<T>;
#else
template <class T> class span {
    T *data_ = nullptr;
    std::size_t size_ = 0;

    template <class C> using data_of = decltype(std::data(std::declval<C &>()));
    template <class C>
    using viewable = std::enable_if_t<!std::is_same_v<std::decay_t<C>, span> &&
                                      std::is_convertible_v<std::remove_pointer_t<data_of<C>> (*)[], T (*)[]>>;

  public:
    constexpr span() noexcept = default;
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class C, class = viewable<C>>
    constexpr span(C &&c) noexcept : data_(std::data(c)), size_(std::size(c)) {}

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t i) const noexcept { return data_[i]; }
    constexpr span first(std::size_t n) const noexcept { return {data_, n}; }
    constexpr span last(std::size_t n) const noexcept { return {data_ + (size_ - n), n}; }
    constexpr span subspan(std::size_t from) const noexcept { return {data_ + from, size_ - from}; }
    constexpr span subspan(std::size_t from, std::size_t n) const noexcept { return {data_ + from, n}; }
};
#endif

using bytes = span<const std::uint8_t>;
using writable_bytes = span<std::uint8_t>;

inline bytes bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}
inline std::string_view text_of(bytes b) noexcept { return {reinterpret_cast<const char *>(b.data()), b.size()}; }

/* A seed, a psk, a public key */
using key = std::array<std::uint8_t, 32>;
static_assert(sizeof(key) == 32, "an array of keys is one of uint8_t[32]");

/* ---- results ------------------------------------------------------------------------------------ */
#ifdef __cpp_lib_expected
using unexpected = std::unexpected<svconn_err>;
template <class T> using result = std::expected<T, svconn_err>;
#else
class unexpected {
    svconn_err error_;

  public:
    constexpr explicit unexpected(svconn_err e) noexcept : error_(e) {}
    constexpr svconn_err error() const noexcept { return error_; }
};

template <class T> class [[nodiscard]] result {
    T value_{};
    svconn_err error_ = SVCONN_OK;

  public:
    using value_type = T;
    using error_type = svconn_err;
    constexpr result() noexcept = default;
    constexpr result(T value) noexcept : value_(std::move(value)) {}
    constexpr result(unexpected e) noexcept : error_(e.error()) {}

    constexpr bool has_value() const noexcept { return error_ == SVCONN_OK; }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    constexpr svconn_err error() const noexcept { return error_; }
    constexpr T &operator*() & noexcept { return value_; }
    constexpr const T &operator*() const & noexcept { return value_; }
    constexpr T &&operator*() && noexcept { return std::move(value_); }
    constexpr T *operator->() noexcept { return &value_; }
    constexpr const T *operator->() const noexcept { return &value_; }
};

template <> class [[nodiscard]] result<void> {
    svconn_err error_ = SVCONN_OK;

  public:
    using value_type = void;
    using error_type = svconn_err;
    constexpr result() noexcept = default;
    constexpr result(unexpected e) noexcept : error_(e.error()) {}

    constexpr bool has_value() const noexcept { return error_ == SVCONN_OK; }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    constexpr svconn_err error() const noexcept { return error_; }
    constexpr void operator*() const noexcept {}
};
#endif

/* The error, or SVCONN_OK */
template <class T> constexpr svconn_err code(const result<T> &r) noexcept { return r ? SVCONN_OK : r.error(); }

/* svconn_is_failure: final, the session is over */
constexpr bool is_failure(svconn_err e) noexcept { return e >= SVCONN_E_ABSENT; }

namespace detail {
inline result<void> done(svconn_err e) noexcept {
    if (e != SVCONN_OK) return unexpected(e);
    return {};
}
template <class T> result<T> done(svconn_err e, T &&value) noexcept {
    if (e != SVCONN_OK) return unexpected(e);
    return std::forward<T>(value);
}
inline const std::uint8_t (*rows(span<const key> keys) noexcept)[32] {
    return reinterpret_cast<const std::uint8_t(*)[32]>(keys.data());
}
inline void zero(void *p, std::size_t n) noexcept {
    for (volatile unsigned char *b = static_cast<unsigned char *>(p); n > 0; n--) *b++ = 0;
}
} // namespace detail

/* ---- time: any monotonic clock; this one if there is no other ----------------------------------- */
using milliseconds = std::chrono::milliseconds;
inline milliseconds now() noexcept {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

/* ---- who we are: move-only ---------------------------------------------------------------------- */
class identity {
    svconn_identity id_{};

  public:
    identity() noexcept = default; /* nobody: session::init refuses it */
    static identity ed25519(const key &seed) noexcept {
        identity i;
        svconn_identity_ed25519(&i.id_, seed.data());
        return i;
    }
    [[nodiscard]] static result<identity> psk(const key &psk, std::string_view name) noexcept {
        identity i;
        svconn_err e = svconn_identity_psk(&i.id_, psk.data(), bytes_of(name).data(), name.size());
        return detail::done(e, std::move(i));
    }
    /* The bytes are not copied: they outlive the identity. */
    [[nodiscard]] static result<identity> custom(bytes type_and_body) noexcept {
        identity i;
        svconn_err e = svconn_identity_custom(&i.id_, type_and_body.data(), type_and_body.size());
        return detail::done(e, std::move(i));
    }

    identity(identity &&other) noexcept : id_(other.id_) { other.wipe(); }
    identity &operator=(identity &&other) noexcept {
        if (this != &other) {
            id_ = other.id_;
            other.wipe();
        }
        return *this;
    }
    ~identity() { wipe(); }
    void wipe() noexcept { svconn_identity_wipe(&id_); }

    /* The public part, type and body; it lives as long as this object does and is not moved. */
    [[nodiscard]] bytes public_bytes() const noexcept {
        std::size_t n = 0;
        const std::uint8_t *p = svconn_identity_bytes(&id_, &n);
        return {p, n};
    }
    /* Ed25519 only: what others put among the keys that they know */
    [[nodiscard]] result<key> public_key() const noexcept {
        bytes b = public_bytes();
        key k{};
        if (b.size() != 1 + k.size() || b[0] != SVCONN_TYPE_ED25519) return unexpected(SVCONN_E_STATE);
        std::memcpy(k.data(), b.data() + 1, k.size());
        return k;
    }
    const svconn_identity *native_handle() const noexcept { return &id_; }
};

/* ---- what stays in place while sessions use it -------------------------------------------------- */
class pinned {
    friend class session;
    /* (ARMv6-M has no atomic counter, and a library for it is not always there.) */
    using counter = std::conditional_t<std::atomic<unsigned>::is_always_lock_free, std::atomic<unsigned>, unsigned>;
    mutable counter users_{0};

  protected:
    pinned() noexcept = default;
    ~pinned() {
        if (users_ != 0) std::abort();
    }

  public:
    pinned(const pinned &) = delete;
    pinned &operator=(const pinned &) = delete;
};

/* The fields of svconn_config, to be set before the first session, and the identity itself. For any number of
 * sessions, in any threads. */
class config : public svconn_config, public pinned {
    svconnpp::identity me_;

  public:
    config(svconn_role role_, svconnpp::identity me) noexcept : svconn_config{}, me_(std::move(me)) {
        role = role_;
        identity = me_.native_handle();
    }
    const svconnpp::identity &me() const noexcept { return me_; }

    /* Neither is copied: they outlive the config. */
    void set_context(bytes b) noexcept {
        context = b.data();
        context_len = b.size();
    }
    void set_known_servers(span<const key> keys) noexcept {
        known_servers = detail::rows(keys);
        known_servers_count = keys.size();
    }
};

/* Both buffers of one session, for messages of up to MessageMax bytes */
template <std::size_t MessageMax> class static_buffers : public pinned {
    static_assert(MessageMax <= SVCONN_MESSAGE_MAX, "no message is so long");
    std::array<std::uint8_t, SVCONN_BUFFER_SIZE(MessageMax)> rx_, tx_; /* bytes are written before they are read */

  public:
    static_buffers() noexcept {} // NOLINT(*-member-init)
    writable_bytes rx() noexcept { return rx_; }
    writable_bytes tx() noexcept { return tx_; }
};

/* The bytes that a proof is made over */
class proof_text {
    friend class session;
    std::array<std::uint8_t, SVCONN_PROOF_MESSAGE_MAX> bytes_{};
    std::size_t size_ = 0;

  public:
    const std::uint8_t *data() const noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return size_; }
    const std::uint8_t *begin() const noexcept { return data(); }
    const std::uint8_t *end() const noexcept { return data() + size_; }
};

struct peer_proof {
    bytes proof; /* lent until the next call that changes the session */
    proof_text text;
};

/* ---- the session: move-only --------------------------------------------------------------------- */
class session {
    svconn s_{};
    const pinned *config_ = nullptr, *buffers_ = nullptr; /* those that count us */

    void release() noexcept {
        if (config_) --config_->users_;
        if (buffers_) --buffers_->users_;
        config_ = buffers_ = nullptr;
    }
    void take(session &other) noexcept {
        std::memcpy(&s_, &other.s_, sizeof s_);
        detail::zero(&other.s_, sizeof other.s_);
        config_ = std::exchange(other.config_, nullptr);
        buffers_ = std::exchange(other.buffers_, nullptr);
    }

  public:
    session() noexcept = default; /* SVCONN_NONE, as after wipe() and when it was moved from */
    session(session &&other) noexcept { take(other); }
    session &operator=(session &&other) noexcept {
        if (this != &other) {
            wipe();
            take(other);
        }
        return *this;
    }
    ~session() { wipe(); }

    /* Begins a session. SVCONN_E_STATE if there is one: wipe() it before. seed: 32 fresh random bytes, wiped here unless a
     * caller fault is returned. rx and tx outlive the session, or its wipe(). */
    [[nodiscard]] result<void> init(const config &c, key &seed, writable_bytes rx, writable_bytes tx) noexcept {
        if (status() != SVCONN_NONE) return unexpected(SVCONN_E_STATE);
        release(); /* svconn_wipe by its handle does not */
        svconn_err e = svconn_init(&s_, &c, seed.data(), rx.data(), rx.size(), tx.data(), tx.size());
        if (e != SVCONN_OK) return unexpected(e);
        config_ = &c;
        ++config_->users_;
        return {};
    }
    /* SVCONN_E_ARGUMENT: another session has these buffers. */
    template <std::size_t N> [[nodiscard]] result<void> init(const config &c, key &seed, static_buffers<N> &b) noexcept {
        if (status() != SVCONN_NONE) return unexpected(SVCONN_E_STATE);
        release();
        bool is_first = ++b.users_ == 1;
        result<void> r = is_first ? init(c, seed, b.rx(), b.tx()) : unexpected(SVCONN_E_ARGUMENT);
        if (r) buffers_ = &b;
        else --b.users_;
        return r;
    }
    template <class... Rest> result<void> init(const config &&, Rest &&...) = delete; /* a temporary is gone too soon */

    void wipe() noexcept {
        svconn_wipe(&s_);
        release();
    }

    [[nodiscard]] svconn_state status() const noexcept { return svconn_status(&s_); }
    [[nodiscard]] svconn_err error() const noexcept { return svconn_error(&s_); }
    /* For C functions that take a session, those of svconn_transport.h among them (not for svconn_init) */
    svconn *native_handle() noexcept { return &s_; }
    const svconn *native_handle() const noexcept { return &s_; }

    /* who is there */
    [[nodiscard]] bytes peer() const noexcept {
        std::size_t n = 0;
        const std::uint8_t *p = svconn_peer(&s_, &n);
        return {p, p ? n : 0};
    }
    [[nodiscard]] result<void> accept() noexcept { return detail::done(svconn_accept(&s_)); }
    [[nodiscard]] result<void> refuse() noexcept { return detail::done(svconn_refuse(&s_)); }
    [[nodiscard]] result<void> accept_known(span<const key> public_keys) noexcept {
        return detail::done(svconn_accept_known(&s_, detail::rows(public_keys), public_keys.size()));
    }
    [[nodiscard]] result<void> give_psk(const key &psk) noexcept {
        return detail::done(svconn_give_psk(&s_, psk.data()));
    }
    [[nodiscard]] result<proof_text> proof_message() const noexcept {
        proof_text t;
        svconn_err e = svconn_proof_message(&s_, t.bytes_.data(), &t.size_);
        return detail::done(e, std::move(t));
    }
    [[nodiscard]] result<void> prove(bytes proof) noexcept {
        return detail::done(svconn_prove(&s_, proof.data(), proof.size()));
    }
    [[nodiscard]] result<svconnpp::peer_proof> peer_proof() const noexcept {
        svconnpp::peer_proof p;
        const std::uint8_t *proof = nullptr;
        std::size_t n = 0;
        svconn_err e = svconn_peer_proof(&s_, &proof, &n, p.text.bytes_.data(), &p.text.size_);
        p.proof = {proof, n};
        return detail::done(e, std::move(p));
    }

    /* the link */
    /* How many it took */
    [[nodiscard]] result<std::size_t> wire_in(bytes b, milliseconds now) noexcept {
        std::size_t used = 0;
        svconn_err e = svconn_wire_in(&s_, b.data(), b.size(), &used, time(now));
        return detail::done(e, std::move(used));
    }
    [[nodiscard]] writable_bytes wire_space() noexcept {
        std::size_t n = 0;
        std::uint8_t *p = svconn_wire_space(&s_, &n);
        return {p, n};
    }
    [[nodiscard]] result<void> wire_filled(std::size_t n, milliseconds now) noexcept {
        return detail::done(svconn_wire_filled(&s_, n, time(now)));
    }
    [[nodiscard]] result<void> wire_eof() noexcept { return detail::done(svconn_wire_eof(&s_)); }
    [[nodiscard]] bytes wire_out() const noexcept {
        std::size_t n = 0;
        const std::uint8_t *p = svconn_wire_out(&s_, &n);
        return {p, n};
    }
    [[nodiscard]] result<void> wire_sent(std::size_t n) noexcept { return detail::done(svconn_wire_sent(&s_, n)); }
    /* When to call it again at the latest; milliseconds::max(): never */
    [[nodiscard]] result<milliseconds> tick(milliseconds now) noexcept {
        std::uint64_t next = 0;
        svconn_err e = svconn_tick(&s_, time(now), &next);
        bool never = next > static_cast<std::uint64_t>(std::numeric_limits<milliseconds::rep>::max());
        return detail::done(e, never ? milliseconds::max() : milliseconds(static_cast<milliseconds::rep>(next)));
    }

    /* messages */
    [[nodiscard]] result<void> send(bytes message, milliseconds now) noexcept {
        return detail::done(svconn_send(&s_, message.data(), message.size(), time(now)));
    }
    [[nodiscard]] result<bytes> recv() noexcept {
        const std::uint8_t *p = nullptr;
        std::size_t n = 0;
        svconn_err e = svconn_recv(&s_, &p, &n);
        return detail::done(e, bytes{p, n});
    }
    [[nodiscard]] result<void> recv_done() noexcept { return detail::done(svconn_recv_done(&s_)); }
    [[nodiscard]] result<void> close(milliseconds now) noexcept { return detail::done(svconn_close(&s_, time(now))); }
    void abort() noexcept { svconn_abort(&s_); }
    [[nodiscard]] result<void> renew() noexcept { return detail::done(svconn_renew(&s_)); }

    /* records without copies */
    /* record: 4 bytes of room, the message, 12 bytes of room. All of it becomes the record. */
    [[nodiscard]] result<void> seal(writable_bytes record, milliseconds now) noexcept {
        if (record.size() < SVCONN_OVERHEAD) return unexpected(SVCONN_E_ARGUMENT);
        return detail::done(svconn_seal(&s_, record.data(), record.size() - SVCONN_OVERHEAD, time(now)));
    }
    [[nodiscard]] result<writable_bytes> open(writable_bytes record, milliseconds now) noexcept {
        std::uint8_t *p = nullptr;
        std::size_t n = 0;
        svconn_err e = svconn_open(&s_, record.data(), record.size(), &p, &n, time(now));
        return detail::done(e, writable_bytes{p, n});
    }

    /* what else a session knows */
    /* svconn_export (export is a word of the language) */
    [[nodiscard]] result<void> export_key(const char *label, bytes context, writable_bytes out) const noexcept {
        return detail::done(svconn_export(&s_, label, context.data(), context.size(), out.data(), out.size()));
    }
    /* With a NUL at the end, as fingerprint */
    [[nodiscard]] result<std::array<char, 24>> authenticator() const noexcept {
        std::array<char, 24> digits{};
        svconn_err e = svconn_authenticator(&s_, digits.data());
        return detail::done(e, std::move(digits));
    }
    [[nodiscard]] std::pair<unsigned, unsigned> key_ids() const noexcept { /* sending, receiving */
        unsigned sending = 0, receiving = 0;
        svconn_key_ids(&s_, &sending, &receiving);
        return {sending, receiving};
    }

  private:
    static std::uint64_t time(milliseconds t) noexcept { return static_cast<std::uint64_t>(t.count()); }
};

inline std::array<char, 36> fingerprint(bytes identity) noexcept {
    std::array<char, 36> digits{};
    svconn_fingerprint(digits.data(), identity.data(), identity.size());
    return digits;
}

inline result<void> seed_check(std::array<std::uint8_t, 16> &last, std::array<std::uint8_t, 64> &draws) noexcept {
    return detail::done(svconn_seed_check(last.data(), draws.data()));
}

} // namespace SVCONN_HPP_NAMESPACE
} // namespace svconnpp

#undef SVCONN_HPP_NAMESPACE
#endif
