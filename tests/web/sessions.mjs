// SPDX-License-Identifier: ISC
// bindings/web without a link: node --expose-gc tests/web/sessions.mjs DIRECTORY-OF-THE-PACKAGE
import fs from 'node:fs'
import { webcrypto } from 'node:crypto'
import path from 'node:path'
import { connect, module_, directory, Identity, Session, SvconnError, fingerprint, load } from './lab.mjs'
import { test, done, ok, same, throws, rejects, sessions, carry, exchange, pattern, sleep, utf8 } from './lab.mjs'

const bytes = (n, value) => new Uint8Array(n).fill(value)
const serverSeed = bytes(32, 0x11), clientSeed = bytes(32, 0x22), psk = bytes(32, 0x33)
const server = await Identity.fromSeed(serverSeed), client = await Identity.fromSeed(clientSeed)
const pskServer = await Identity.psk(psk, 'server'), pskClient = await Identity.psk(psk, 'client')
const kinds = {
    key: [{ identity: client }, { identity: server }],
    hidden: [{ identity: client, knownServers: [bytes(32, 9), server.publicKey] }, { identity: server, hidden: true }],
    psk: [{ identity: pskClient, context: 'tie' }, { identity: pskServer, context: 'tie' }],
}
function connected(kind, more = {}) {
    const [c, s] = sessions({ ...kinds[kind][0], ...more }, { ...kinds[kind][1], ...more })
    carry(c, s)
    same(c.state, 'connected')
    same(s.state, 'connected')
    return [c, s]
}
const wipe = (...all) => all.forEach((s) => s.wipe())

await test('the module imports nothing, and exports what svconn.js calls and no more', () => {
    const module = new WebAssembly.Module(fs.readFileSync(path.join(directory, process.env.SVCONN_WASM ?? 'svconn-simd.wasm')))
    same(WebAssembly.Module.imports(module).length, 0)
    const given = WebAssembly.Module.exports(module).map((e) => e.name).sort().join(' ')
    const source = fs.readFileSync(path.join(directory, 'svconn.js'), 'utf8')
    same(given, [...new Set(source.match(/(?<=wasm\.)\w+/g))].sort().join(' '))
})

await test('identities', async () => {
    same(server.type, 'ed25519')
    same(server.identity, Uint8Array.of(1, ...server.publicKey))
    same(fingerprint(server.identity), server.fingerprint)
    // spec/tool.md has these
    const known = await Identity.fromSeed(pattern(32, 1))
    same(Buffer.from(known.publicKey).toString('hex'), '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8')
    same(known.fingerprint, '69922 06035 35914 93203 52915 18129')
    same(known.exportSeed(), pattern(32, 1))
    const a = await Identity.generate(), b = await Identity.generate()
    ok(a.fingerprint !== b.fingerprint)
    same((await Identity.fromSeed(a.exportSeed())).fingerprint, a.fingerprint)
    same(pskServer.name, 'server')
    throws('state', () => pskServer.exportSeed())
    a.wipe()
    throws('state', () => a.exportSeed())
    await rejects('RangeError', Identity.fromSeed(bytes(31, 1)))
    await rejects('TypeError', Identity.fromSeed('secret'))
    await rejects('argument', Identity.psk(psk, 'x'.repeat(65)))
    await rejects('argument', Identity.custom(Uint8Array.of(1, 2, 3)))
})

for (const kind of Object.keys(kinds)) {
    await test(`${kind}: messages of many sizes, both ways`, () => {
        const [c, s] = connected(kind)
        for (const n of [0, 1, 15, 16, 17, 255, 5000, 65535]) exchange(c, s, pattern(n)), exchange(s, c, pattern(n, 3))
        throws('size', () => c.send(pattern(65536)))
        same(c.authenticator(), s.authenticator())
        ok(/^\d{5}( \d{5}){3}$/.test(c.authenticator()))
        same(c.exportKey('test', 'ctx', 8160), s.exportKey('test', utf8('ctx'), 8160))
        ok(c.exportKey('test', 'other', 32).join() !== s.exportKey('test', 'ctx', 32).join())
        throws('argument', () => c.exportKey('authenticator', '', 32))
        same(c.peer.fingerprint, s.peer && (kind === 'psk' ? pskServer : server).fingerprint)
        same(s.peer.identity, kinds[kind][0].identity.identity)
        wipe(c, s)
    })
    await test(`${kind}: renewal`, () => {
        const [c, s] = connected(kind, { renewRecords: 3 })
        for (let i = 0; i < 10; i++) exchange(c, s, pattern(i)), exchange(s, c, pattern(i))
        ok(c.keyIds.sending >= 4 && s.keyIds.receiving === c.keyIds.sending, `ids ${c.keyIds.sending}`)
        const before = s.keyIds.sending
        s.renew()
        exchange(s, c, pattern(9))
        exchange(s, c, pattern(9))
        ok(s.keyIds.sending > before && c.keyIds.receiving === s.keyIds.sending)
        wipe(c, s)
    })
    await test(`${kind}: one byte at a time, and closing in order`, () => {
        const [c, s] = sessions(...kinds[kind])
        carry(c, s, (out, from) => {
            const to = from === c ? s : c
            for (const byte of out) {
                to.wireIn(Uint8Array.of(byte))
                if (to.state === 'needs-verdict') to.accept()
            }
            return new Uint8Array(0)
        })
        exchange(c, s, pattern(300))
        c.close()
        carry(c, s)
        same(s.receive(), null)
        exchange(s, c, pattern(10))
        s.close()
        carry(c, s)
        same(c.receive(), null)
        same(c.state, 'closed')
        same(s.state, 'closed')
        c.wireEnd()
        same(c.error, null)
        wipe(c, s)
    })
    await test(`${kind}: a byte that is changed on its way ends both`, () => {
        // A quarter of all bytes of the negotiation, each in another session
        let total = 0
        const [a, b] = sessions(...kinds[kind])
        carry(a, b, (out) => ((total += out.length), out))
        wipe(a, b)
        for (let at = 0; at < total; at += 4) {
            const [c, s] = sessions(...kinds[kind])
            let seen = 0, by
            carry(c, s, (out, from) => {
                if (seen <= at && at < seen + out.length) (out[at - seen] ^= 1), (by = from === c ? s : c)
                seen += out.length
                return out
            })
            ok(!(c.state === 'connected' && s.state === 'connected'), `byte ${at}: both are connected`)
            if (by.state !== 'failed') throws('truncated', () => by.wireEnd()) // it waits for bytes that do not exist
            wipe(c, s)
        }
        for (const at of [0, 4, 9, 24]) {
            const [c, s] = connected(kind)
            c.send(pattern(9))
            carry(c, s, (out) => (at < out.length && (out[at] ^= 0x80), out))
            if (s.state !== 'failed') throws('truncated', () => s.wireEnd()) // the same: a length that grew
            throws(s.error.code, () => s.receive())
            wipe(c, s)
        }
    })
}
await test('a record that is changed: its receiver says tag, its sender aborted', () => {
    const [c, s] = connected('key')
    c.send(utf8('hello'))
    carry(c, s, (out, from) => (from === c && (out[6] ^= 1), out))
    same(s.error.code, 'tag')
    ok(s.error.message.length > 20 && s.error instanceof SvconnError)
    throws('tag', () => s.receive())
    same(c.error.code, 'aborted')
    throws('state', () => c.send(utf8('more')))
    wipe(c, s)
})

await test('a link that ends early: absent, truncated', () => {
    const [c, s] = sessions(...kinds.key)
    throws('absent', () => c.wireEnd())
    c.wipe()
    const [c2, s2] = connected('key')
    s2.send(utf8('last'))
    c2.wireIn(s2.wireOut())
    c2.wireEnd() // a whole message is still in it
    same(c2.receive(), utf8('last'))
    throws('truncated', () => c2.receive())
    wipe(s, c2, s2)
})

await test('custom identities, both sides', async () => {
    const a = await Identity.custom(Uint8Array.of(0x80)), b = await Identity.custom(Uint8Array.of(0x81, 1, 2, 3))
    const proofOf = (message) => utf8(`signed ${Buffer.from(message).toString('hex')}`)
    const [c, s] = sessions({ identity: a }, { identity: b })
    let asked = 0
    for (let i = 0; i < 40 && !(c.state === 'connected' && s.state === 'connected'); i++) {
        for (const [x, y] of [[c, s], [s, c]]) {
            if (x.state === 'needs-proof') x.prove(proofOf(x.proofMessage()))
            if (x.state === 'needs-verdict') {
                const { proof, message } = x.peerProof()
                same(proof, proofOf(message), 'proof')
                asked++
                x.accept()
            }
            y.wireIn(x.wireOut())
        }
    }
    same(c.state, 'connected')
    same(s.state, 'connected')
    same(asked, 3)
    same(c.peer.identity, b.identity)
    exchange(c, s, pattern(100))
    wipe(c, s, a, b)
})

await test('a server that looks up the psk for a name', () => {
    for (const known of [true, false]) {
        const [c, s] = sessions({ identity: pskClient, peerTypes: ['ed25519'] }, { identity: server, peerTypes: ['ed25519', 'psk'] })
        for (let i = 0; i < 20; i++) {
            for (const [x, y] of [[c, s], [s, c]]) {
                if (x.state === 'needs-verdict') x.accept()
                if (x.state === 'needs-psk') {
                    same(x.peer.name, 'client')
                    known ? x.givePsk(psk) : x.refuse()
                }
                const out = x.wireOut()
                if (y.state !== 'failed') try { y.wireIn(out) } catch {}
            }
        }
        same(s.state, known ? 'connected' : 'failed')
        if (known) exchange(s, c, pattern(33))
        else same(s.error.code, 'refused')
        wipe(c, s)
    }
})

await test('wrong psk, wrong context, own key, unknown hidden server', async () => {
    const other = await Identity.psk(bytes(32, 0x34), 'client')
    const cases = [
        ['proof', { identity: other, context: 'tie' }, kinds.psk[1]],
        ['proof', { identity: pskClient, context: 'tea' }, kinds.psk[1]],
        ['self', { identity: server }, { identity: server }],
        ['unknown', { identity: client, knownServers: [bytes(32, 9)] }, kinds.hidden[1]],
        ['type', { identity: client }, kinds.psk[1]],
    ]
    for (const [code, a, b] of cases) {
        const [c, s] = sessions(a, b)
        carry(c, s)
        same(c.error?.code, code)
        wipe(c, s)
    }
    other.wipe()
})

await test('time: a deadline, keep-alive, silence', () => {
    let now = 1000
    const clock = () => now
    const [late, silent] = sessions({ ...kinds.key[0], clock, handshakeMs: 500 }, { ...kinds.key[1], clock })
    same(late.tick(), 1500)
    now = 1500
    throws('timeout', () => late.tick())
    wipe(late, silent)
    const [c, s] = connected('key', { clock, keepaliveMs: 100, silenceMs: 1000 })
    now += 100
    c.tick()
    const alive = c.wireOut()
    ok(alive.length > 0, 'no keep-alive')
    s.wireIn(alive)
    same(s.receive(), undefined)
    now += 950
    s.tick()
    now += 60
    throws('silent', () => s.tick())
    wipe(c, s)
    const [never] = sessions({ ...kinds.key[0], clock, handshakeMs: Infinity }, kinds.key[1])
    same(never.tick(), Infinity)
    never.wipe()
})

await test('mistakes of the caller leave the session as it was', () => {
    const [c, s] = connected('key')
    throws('state', () => c.accept())
    throws('state', () => c.givePsk(psk))
    throws('TypeError', () => c.send('text'))
    throws('TypeError', () => new Session({ role: 'client' }))
    throws('TypeError', () => new Session({ role: 'both', identity: client }))
    throws('RangeError', () => new Session({ role: 'client', identity: client, padTo: 70000 }))
    throws('RangeError', () => new Session({ role: 'client', identity: client, renewMs: -1 }))
    throws('argument', () => new Session({ role: 'client', identity: client, context: 'x'.repeat(256) }))
    throws('argument', () => new Session({ role: 'client', identity: client, hidden: true }))
    exchange(c, s, utf8('still fine'))
    c.wipe()
    c.wipe()
    same(c.state, 'none')
    throws('state', () => c.send(utf8('x')))
    s.wipe()
})

await test('a random source that gives zeros is refused', () => {
    const real = webcrypto.getRandomValues
    webcrypto.getRandomValues = (a) => a.fill(0)
    try {
        throws('seed', () => new Session({ role: 'client', identity: client }))
    } finally {
        webcrypto.getRandomValues = real
    }
})

// ---- memory ----
const memory = () => Buffer.from(module_.exports.memory.buffer)
const heap = () => memory().subarray(Math.ceil(module_.exports.__heap_base.value / 1024) * 1024 + 1024) // behind what calls return through
const isClean = () => heap().every((byte) => byte === 0)

await test('an identity that a session uses is erased with the session', async () => {
    const seed = pattern(32, 11), id = await Identity.fromSeed(seed)
    ok(memory().includes(Buffer.from(seed)), 'the seed is not where it was expected')
    const c = new Session({ role: 'client', identity: id })
    id.wipe()
    throws('TypeError', () => new Session({ role: 'client', identity: id }))
    ok(memory().includes(Buffer.from(seed)))
    c.wipe()
    ok(!memory().includes(Buffer.from(seed)), 'the seed is still in memory')
})

await test('what is forgotten is erased by the garbage collector', async () => {
    ok(globalThis.gc, 'run node with --expose-gc')
    const seed = pattern(32, 13)
    await (async () => void new Session({ role: 'client', identity: await Identity.fromSeed(seed) }))()
    ok(memory().includes(Buffer.from(seed)))
    for (let i = 0; i < 100 && memory().includes(Buffer.from(seed)); i++) await sleep(20), gc()
    ok(!memory().includes(Buffer.from(seed)))
})

await test('nothing is left in memory, and it does not grow', () => {
    wipe(server, client, pskServer, pskClient)
    ok(isClean(), 'something is left')
    for (const secret of [serverSeed, clientSeed, psk]) ok(!memory().includes(Buffer.from(secret)), 'a secret is left')
})

await test('many sessions, one after the other and at once', async () => {
    const a = await Identity.generate(), b = await Identity.generate()
    const pairs = []
    for (let i = 0; i < 20; i++) {
        const [c, s] = sessions({ identity: a, maxMessage: 1000 }, { identity: b, maxMessage: 1000 })
        carry(c, s)
        exchange(c, s, pattern(1000))
        pairs.push(c, s)
    }
    const size = memory().length
    wipe(...pairs)
    for (let i = 0; i < 30; i++) {
        const [c, s] = sessions({ identity: a, maxMessage: 1000 }, { identity: b, maxMessage: 1000 })
        carry(c, s)
        exchange(s, c, pattern(1000))
        wipe(c, s)
    }
    same(memory().length, size, 'size of memory')
    wipe(a, b)
    ok(isClean(), 'something is left')
})

done()
