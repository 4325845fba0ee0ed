// SPDX-License-Identifier: ISC
import SvconnKit
import XCTest
import svconn

final class SessionTests: XCTestCase {
    /// What waits in one session goes to the other.
    private func carry(_ from: Session, _ to: Session) throws {
        let used = try to.wireIn(from.wireOut, now: 0)
        try from.wireSent(used)
        if to.status == SVCONN_NEEDS_VERDICT { try to.accept() }
    }

    func testMessages() throws {
        let psk = [UInt8](repeating: 3, count: 32)
        let wait = Configuration(role: SVCONN_SERVER, identity: try Identity(psk: psk, name: "server"))
        let call = Configuration(role: SVCONN_CLIENT, identity: try Identity(psk: psk, name: "client"))
        let server = try Session(wait), client = try Session(call)
        for _ in 0..<2 {
            try carry(server, client)
            try carry(client, server)
        }
        XCTAssertEqual(client.status, SVCONN_CONNECTED)
        XCTAssertEqual(try client.authenticator(), try server.authenticator())
        for message in [[], Array("hello".utf8), [UInt8](repeating: 7, count: 5000)] {
            try client.renew()
            XCTAssertTrue(try client.send(message, now: 1))
            try carry(client, server)
            XCTAssertEqual(try server.receive(), message)
            XCTAssertNil(try server.receive())
        }
        XCTAssertEqual(try client.export(label: "label", count: 40), try server.export(label: "label", count: 40))
        try client.close(now: 2)
        try server.close(now: 2)
        try carry(client, server)
        try carry(server, client)
        XCTAssertThrowsError(try server.receive()) { XCTAssertEqual($0 as? SvconnError, SvconnError(SVCONN_END)) }
        XCTAssertEqual(client.status, SVCONN_CLOSED)
    }

    func testHiddenServer() throws {
        let server = try Identity(ed25519: [UInt8](repeating: 0x11, count: 32))
        var wait = Configuration(role: SVCONN_SERVER, identity: server)
        wait.hidden = true
        var call = Configuration(role: SVCONN_CLIENT, identity: try Identity(ed25519: [UInt8](repeating: 0x22, count: 32)))
        call.knownServers = [[UInt8](repeating: 9, count: 32), Array(server.publicBytes.dropFirst())]
        let s = try Session(wait), c = try Session(call)
        for _ in 0..<2 {
            try carry(s, c)
            try carry(c, s)
        }
        XCTAssertEqual(c.status, SVCONN_CONNECTED)
        XCTAssertEqual(c.peer, server.publicBytes)
    }

    func testFailures() throws {
        XCTAssertThrowsError(try Identity(ed25519: [1, 2, 3]))
        let psk = [UInt8](repeating: 3, count: 32)
        let c = try Session(Configuration(role: SVCONN_CLIENT, identity: try Identity(psk: psk, name: "client")))
        XCTAssertThrowsError(try c.wireIn(Array("GET ".utf8), now: 0)) {
            XCTAssertEqual($0 as? SvconnError, SvconnError(SVCONN_E_VERSION))
        }
        XCTAssertEqual(c.error?.reason, "version")
        XCTAssertEqual(c.wireOut, [UInt8](repeating: 0, count: 16))
    }
}
