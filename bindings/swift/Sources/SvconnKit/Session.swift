// SPDX-License-Identifier: ISC
// svconn for Swift: the sessions of the C module svconn with their memory looked after. The calls are those of svconn.h, whose contract holds.
import svconn

/// A `svconn_err` other than `SVCONN_OK`.
public struct SvconnError: Error, Equatable, CustomStringConvertible {
    public let code: svconn_err

    public init(_ code: svconn_err) { self.code = code }

    /// Final: the session is over, and its keys are gone.
    public var isFailure: Bool { code.rawValue >= SVCONN_E_ABSENT.rawValue }
    /// The short name, such as "key-limit".
    public var reason: String { String(cString: svconn_reason_name(code)) }
    public var description: String { String(cString: svconn_strerror(code)) }
}

private func check(_ code: svconn_err) throws {
    if code != SVCONN_OK { throw SvconnError(code) }
}

/// `false` for SVCONN_AGAIN: not now.
private func happened(_ code: svconn_err) throws -> Bool {
    if code == SVCONN_AGAIN { return false }
    try check(code)
    return true
}

private func bytes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    [UInt8](UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
}

private func text(_ digits: [CChar]) -> String {
    digits.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}

/// uint8_t[32], as it is imported
private typealias Key = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
)

/// Who we are. The secret is wiped when nobody needs the object any more; the array that it came from is the caller's.
public final class Identity {
    let raw = UnsafeMutablePointer<svconn_identity>.allocate(capacity: 1)

    /// An Ed25519 key: `seed` is the private key of RFC 8032, 32 bytes. Use the key for nothing else.
    public init(ed25519 seed: [UInt8]) throws {
        raw.initialize(to: svconn_identity())
        guard seed.count == 32 else { throw SvconnError(SVCONN_E_ARGUMENT) }
        svconn_identity_ed25519(raw, seed)
    }

    /// A pre-shared key: 32 random bytes, never a password. The names of the two parties differ; they are 0 to 64 bytes long.
    public init(psk: [UInt8], name: String) throws {
        raw.initialize(to: svconn_identity())
        guard psk.count == 32 else { throw SvconnError(SVCONN_E_ARGUMENT) }
        let name = Array(name.utf8)
        try check(svconn_identity_psk(raw, psk, name, name.count))
    }

    deinit {
        svconn_identity_wipe(raw)
        raw.deallocate()
    }

    /// The public part, type and body: what the peer will see. Behind the first byte of an Ed25519 identity is the public key.
    public var publicBytes: [UInt8] {
        var count = 0
        let start = svconn_identity_bytes(raw, &count)
        return bytes(start, count)
    }

    /// 30 digits for an identity (type and body).
    public static func fingerprint(_ identity: [UInt8]) -> String {
        var digits = [CChar](repeating: 0, count: 36)
        svconn_fingerprint(&digits, identity, identity.count)
        return text(digits)
    }
}

/// How a session is to be. What is not set has its default.
public struct Configuration {
    public var role: svconn_role
    public var identity: Identity
    /// 0 to 255 bytes that both sides agree on beforehand.
    public var context: [UInt8] = []
    /// SVCONN_PEER_ bits; 0: the same kind as our own identity.
    public var peerTypes: UInt32 = 0
    /// Server: hides our key from those who do not know it (Ed25519 only).
    public var hidden = false
    /// Client: keys that a hidden server may have, 32 bytes each.
    public var knownServers: [[UInt8]] = []
    /// In milliseconds; 0: the default. nil: never.
    public var handshake: UInt32? = 0, keepalive: UInt32? = 0, silence: UInt32? = 0

    public init(role: svconn_role, identity: Identity) {
        self.role = role
        self.identity = identity
    }
}

/// One session for one link. It owns all that the C library wants to stay in place, and erases it when nobody needs the object any more.
/// Not for several threads at a time. Time is any monotonic clock in milliseconds.
public final class Session {
    private let raw = UnsafeMutablePointer<svconn>.allocate(capacity: 1)
    private let config = UnsafeMutablePointer<svconn_config>.allocate(capacity: 1)
    private let identity: Identity
    private let context: UnsafeMutableBufferPointer<UInt8>
    private let knownServers: UnsafeMutableBufferPointer<UInt8>
    private let rx: UnsafeMutableBufferPointer<UInt8>
    private let tx: UnsafeMutableBufferPointer<UInt8>

    /// Begins a session. Seeds come from the system.
    public init(_ configuration: Configuration, messageMax: Int = 16384) throws {
        let size = max(messageMax + Int(SVCONN_OVERHEAD) + Int(SVCONN_BUFFER_RESERVE), Int(SVCONN_BUFFER_MIN))
        identity = configuration.identity
        context = Session.copy(configuration.context)
        knownServers = Session.copy(configuration.knownServers.flatMap { $0 })
        rx = Session.copy([UInt8](repeating: 0, count: size))
        tx = Session.copy([UInt8](repeating: 0, count: size))
        raw.initialize(to: svconn())
        config.initialize(to: svconn_config()) // zeros: the default everywhere
        guard configuration.knownServers.allSatisfy({ $0.count == 32 }) else { throw SvconnError(SVCONN_E_ARGUMENT) }
        config.pointee.role = configuration.role
        config.pointee.identity = UnsafePointer(identity.raw)
        config.pointee.context = UnsafePointer(context.baseAddress)
        config.pointee.context_len = context.count
        config.pointee.peer_types = configuration.peerTypes
        config.pointee.hidden = configuration.hidden ? 1 : 0
        if let start = knownServers.baseAddress {
            config.pointee.known_servers = UnsafeRawPointer(start).assumingMemoryBound(to: Key.self)
            config.pointee.known_servers_count = configuration.knownServers.count
        }
        config.pointee.handshake_ms = configuration.handshake ?? UInt32.max // SVCONN_OFF
        config.pointee.keepalive_ms = configuration.keepalive ?? UInt32.max
        config.pointee.silence_ms = configuration.silence ?? UInt32.max

        var random = SystemRandomNumberGenerator()
        var seed = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        try check(svconn_init(raw, config, &seed, rx.baseAddress, rx.count, tx.baseAddress, tx.count))
    }

    deinit { // also of a session that init did not begin: it is SVCONN_NONE then
        svconn_wipe(raw)
        raw.deallocate()
        config.deallocate()
        for memory in [context, knownServers, rx, tx] { memory.deallocate() }
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafeMutableBufferPointer<UInt8> {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = memory.initialize(from: bytes)
        return memory
    }

    // MARK: what it is doing, and who is there

    public var status: svconn_state { svconn_status(raw) }
    public var error: SvconnError? {
        let code = svconn_error(raw)
        return code == SVCONN_OK ? nil : SvconnError(code)
    }
    /// The peer's identity, type and body. A claim until it was accepted.
    public var peer: [UInt8]? {
        var count = 0
        return svconn_peer(raw, &count).map { bytes($0, count) }
    }

    /// SVCONN_NEEDS_VERDICT: this peer is welcome.
    public func accept() throws { try check(svconn_accept(raw)) }
    /// This peer is not.
    public func refuse() throws { try check(svconn_refuse(raw)) }
    /// SVCONN_NEEDS_PSK: the key for the name in `peer`.
    public func give(psk: [UInt8]) throws {
        guard psk.count == 32 else { throw SvconnError(SVCONN_E_ARGUMENT) }
        try check(svconn_give_psk(raw, psk))
    }

    // MARK: the link

    /// Takes bytes from the link; says how many. Fewer than all only if the session waits for the application.
    public func wireIn(_ bytes: [UInt8], now: UInt64) throws -> Int {
        var used = 0
        try check(svconn_wire_in(raw, bytes, bytes.count, &used, now))
        return used
    }
    /// The link has ended.
    public func wireEnd() throws { try check(svconn_wire_eof(raw)) }
    /// Bytes for the link; then tell how many were sent.
    public var wireOut: [UInt8] {
        var count = 0
        let start = svconn_wire_out(raw, &count)
        return bytes(start, count)
    }
    public func wireSent(_ count: Int) throws { try check(svconn_wire_sent(raw, count)) }
    /// Deadlines and keep-alives. When to call it again at the latest; UInt64.max: never.
    public func tick(now: UInt64) throws -> UInt64 {
        var next: UInt64 = 0
        try check(svconn_tick(raw, now, &next))
        return next
    }

    // MARK: messages

    /// `false`: no room now.
    public func send(_ message: [UInt8], now: UInt64) throws -> Bool { try happened(svconn_send(raw, message, message.count, now)) }
    /// A message that came; nil: none there. Throws SVCONN_END when there will be none.
    public func receive() throws -> [UInt8]? {
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard try happened(svconn_recv(raw, &start, &count)) else { return nil }
        let message = bytes(start, count)
        _ = svconn_recv_done(raw) // if that is a failure, the next call tells it
        return message
    }
    /// We send nothing more. Go on receiving until SVCONN_END.
    public func close(now: UInt64) throws { try check(svconn_close(raw, now)) }
    public func abort() { svconn_abort(raw) }
    /// The next record that we send has a new key.
    public func renew() throws { try check(svconn_renew(raw)) }

    // MARK: what else it knows

    /// A key for another purpose, equal at both ends.
    public func export(label: String, context: [UInt8] = [], count: Int) throws -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        try check(svconn_export(raw, label, context, context.count, &out, count))
        return out
    }
    /// 20 digits for two people to compare over another channel.
    public func authenticator() throws -> String {
        var digits = [CChar](repeating: 0, count: 24)
        try check(svconn_authenticator(raw, &digits))
        return text(digits)
    }
}
