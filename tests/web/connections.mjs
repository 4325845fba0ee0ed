// SPDX-License-Identifier: ISC
// connect() over streams without a network: node tests/web/connections.mjs DIRECTORY-OF-THE-PACKAGE
import net from 'node:net'
import { Duplex } from 'node:stream'
import { connect, module_, Identity } from './lab.mjs'
import { test, done, ok, same, rejects, duplexPair, pattern, sleep, utf8 } from './lab.mjs'

const a = await Identity.generate(), b = await Identity.generate()
const yes = () => true
const asClient = { identity: a, accept: [b.publicKey] }, asServer = { role: 'server', identity: b, accept: [a.publicKey] }
function pair(clientOptions = {}, serverOptions = {}, ends = duplexPair()) {
    return Promise.all([connect(ends[0], { ...asClient, ...clientOptions }), connect(ends[1], { ...asServer, ...serverOptions })])
}
async function echo(connection) {
    for await (const message of connection) await connection.send(message)
    await connection.close()
}
async function roundTrip(ends) {
    const [c, s] = await pair({}, {}, ends), served = echo(s)
    same(c.authenticator(), s.authenticator())
    same(c.peer.fingerprint, b.fingerprint)
    const sizes = [0, 1, 5000, 65535, 65535, 3], sending = (async () => {
        for (const n of sizes) await c.send(pattern(n))
        await c.end()
    })()
    let i = 0
    for await (const message of c) same(message, pattern(sizes[i++]))
    same(i, sizes.length)
    await Promise.all([sending, c.close(), served, c.closed, s.closed])
    same(await c.receive(), null)
    await rejects('state', c.send(utf8('late')))
}

await test('Duplex streams of Node.js', () => roundTrip())
await test('Duplex streams that take little at a time', () => roundTrip(duplexPair(10)))
await test('web streams', () => roundTrip(duplexPair().map((end) => Duplex.toWeb(end))))
await test('TCP sockets', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.on('listening', resolve))
    const accepted = new Promise((resolve) => server.on('connection', resolve))
    const socket = net.connect(server.address().port, '127.0.0.1')
    await roundTrip([socket, await accepted])
    server.close()
})

await test('nothing is taken or sent before accept has said yes', async () => {
    const ends = duplexPair()
    let answer
    const asked = new Promise((resolve) => {
        answer = () => new Promise((say) => resolve(say))
    })
    const opening = pair({}, { accept: (peer) => (same(peer.publicKey, a.publicKey), answer()) }, ends)
    const say = await asked
    await sleep(50)
    const carried = ends[1].carried
    let open = false
    opening.then(() => (open = true))
    await sleep(100)
    ok(!open)
    same(ends[1].carried, carried, 'bytes of the server')
    say(true)
    const [c, s] = await opening
    await Promise.all([c.close(), s.close()])
})

for (const [name, answer, code] of [['false', () => false, 'refused'], ['nothing', () => {}, 'refused'], ['1', async () => 1, 'refused'],
    ['an error', () => { throw new RangeError('no') }, 'RangeError']]) {
    await test(`accept that gives ${name} lets nobody in`, async () => {
        const ends = duplexPair()
        const server = rejects(code, connect(ends[1], { ...asServer, accept: answer }))
        await rejects('aborted', connect(ends[0], asClient))
        await server
        await sleep(20)
        ok(ends[0].destroyed && ends[1].destroyed, 'the links are open')
    })
}

await test('a list of public keys without the peer\'s', async () => {
    const ends = duplexPair()
    const server = rejects('aborted', connect(ends[1], asServer))
    await rejects('refused', connect(ends[0], { ...asClient, accept: [a.publicKey] }))
    await server
})

await test('psk looked up, custom identity that signs later', async () => {
    const key = pattern(32), caller = await Identity.psk(key, 'caller'), box = await Identity.custom(Uint8Array.of(0x90, 5))
    const ends = duplexPair()
    const [c, s] = await Promise.all([
        connect(ends[0], { identity: caller, peerTypes: ['custom'],
            accept: (peer) => peer.type === 'custom' && Buffer.from(peer.proof).equals(Buffer.from(peer.message).reverse()) }),
        connect(ends[1], { role: 'server', identity: box, peerTypes: ['psk'], accept: yes, prove: async (m) => (await sleep(5), m.slice().reverse()),
            psk: async (peer) => (await sleep(5), peer.name === 'caller' ? key : null) })])
    await c.send(utf8('hello'))
    same(await s.receive(), utf8('hello'))
    await Promise.all([c.close(), s.close()])
    const [d, e] = duplexPair()
    const refused = rejects('refused', connect(e, { role: 'server', identity: box, peerTypes: ['psk'], accept: yes, prove: (m) => m.slice().reverse() }))
    await rejects('aborted', connect(d, { identity: caller, peerTypes: ['custom'], accept: yes }))
    await refused
    caller.wipe()
    box.wipe()
})

await test('who does not read slows the other down', async () => {
    const [c, s] = await pair()
    let sent = 0
    const sending = (async () => {
        for (; sent < 100; sent++) await c.send(pattern(60000))
        await c.close()
    })()
    await sleep(200)
    const before = sent
    ok(before < 10, `${before} messages of 60000 bytes are on their way`)
    await sleep(200)
    same(sent, before)
    let got = 0
    for await (const message of s) same(message.length, 60000), got++
    same(got, 100)
    await Promise.all([sending, s.close()])
})

await test('sends keep their order', async () => {
    const [c, s] = await pair()
    const all = []
    for (let i = 0; i < 50; i++) all.push(c.send(pattern(i % 3 ? 10 : 65535, i)))
    all.push(c.end())
    for (let i = 0; i < 50; i++) same(await s.receive(), pattern(i % 3 ? 10 : 65535, i))
    await Promise.all([...all, s.close(), c.close()])
})

await test('leaving the loop closes; close drops what still comes', async () => {
    const [c, s] = await pair()
    const sending = (async () => {
        for (let i = 0; i < 20; i++) await s.send(pattern(50000))
        await s.close()
    })()
    for await (const message of c) {
        same(message.length, 50000)
        break
    }
    await Promise.all([c.closed, sending])
})

await test('the signal ends the negotiation, or the connection', async () => {
    const stop = new AbortController(), [one] = duplexPair()
    const waiting = rejects('stopped', connect(one, { ...asClient, signal: stop.signal }))
    stop.abort(Object.assign(new Error('enough'), { code: 'stopped' }))
    await waiting
    await sleep(1100) // nobody ends it at the other side
    ok(one.destroyed)
    await rejects('stopped', connect(duplexPair()[0], { ...asClient, signal: stop.signal }))
    const later = new AbortController(), [c, s] = await pair({ signal: later.signal })
    const reading = rejects('stopped', c.receive()), told = rejects('aborted', s.receive())
    later.abort(Object.assign(new Error('enough'), { code: 'stopped' }))
    await Promise.all([reading, told, rejects('stopped', c.closed), rejects('aborted', s.closed)])
    await rejects('stopped', c.send(utf8('x')))
    await rejects('stopped', c.close())
})

await test('abort without a reason', async () => {
    const [c, s] = await pair()
    c.abort()
    await Promise.all([rejects('cancelled', c.receive()), rejects('aborted', s.receive())])
})

await test('a link that is cut: truncated, with what the link says', async () => {
    const ends = duplexPair(), [c, s] = await pair({}, {}, ends)
    ends[0].destroy(new Error('the cable'))
    const [error] = await Promise.all([rejects('truncated', c.receive()), rejects('truncated', s.receive())])
    same(error.cause.message, 'the cable')
})

await test('a link that cannot be opened: absent, with what the link says', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.on('listening', resolve))
    const { port } = server.address()
    await new Promise((resolve) => server.close(resolve))
    const error = await rejects('absent', connect(net.connect(port, '127.0.0.1'), asClient))
    same(error.cause.code, 'ECONNREFUSED')
})

await test('a message that came before the failure is delivered', async () => {
    const ends = duplexPair(), [c, s] = await pair({}, {}, ends)
    await c.send(utf8('one'))
    await sleep(20)
    ends[0].spoil = (bytes) => ((bytes[5] ^= 1), bytes)
    await c.send(utf8('two'))
    same(await s.receive(), utf8('one'))
    await Promise.all([rejects('tag', s.receive()), rejects('aborted', c.receive())])
})

await test('another protocol', async () => {
    const [x, y] = duplexPair()
    y.write('HTTP/1.1 400 Bad Request\r\n\r\n'.padEnd(300, '.'))
    await rejects('version', connect(x, asClient))
})

await test('nobody answers: timeout; silence: silent; keep-alive keeps it', async () => {
    await rejects('timeout', connect(duplexPair()[0], { ...asClient, handshakeMs: 200 }))
    const [c, s] = await pair({ silenceMs: 400, keepaliveMs: Infinity }, { keepaliveMs: 100, silenceMs: Infinity })
    let over = false
    c.closed.catch(() => (over = true))
    await sleep(1000)
    ok(!over, 'it ended though the other end is there')
    await Promise.all([c.close(), s.close()])
    const [d, e] = await pair({ silenceMs: 300 }, { keepaliveMs: Infinity })
    await Promise.all([rejects('silent', d.closed), rejects('aborted', e.closed)])
})

await test('after a sleep of the machine what came meanwhile counts first', async () => {
    let ahead = 0
    const clock = () => performance.now() + ahead
    const [c, s] = await pair({ clock, keepaliveMs: 300, silenceMs: 2000 })
    let over = false
    c.closed.catch(() => (over = true))
    ahead += 100000
    c.send(utf8('I am back')).catch(() => {}) // looks at the time before it reads
    await s.send(utf8('still here'))
    same(await c.receive(), utf8('still here'))
    await sleep(1200)
    ok(!over, 'it ended')
    ahead += 100000 // and nobody there
    await rejects('silent', c.closed)
    same(await s.receive(), utf8('I am back'))
    await rejects('aborted', s.closed)
})

await test('mistakes are told at once', async () => {
    await rejects('TypeError', connect(duplexPair()[0], { identity: a }))
    await rejects('TypeError', connect({}, asClient))
    await rejects('TypeError', connect(duplexPair()[0], { ...asClient, identity: 'me' }))
    await rejects('TypeError', connect(duplexPair()[0]))
    const [c, s] = await pair()
    try {
        c.send('text')
        ok(false, 'no error')
    } catch (error) {
        same(error.name, 'TypeError')
    }
    await rejects('size', c.send(pattern(70000)))
    c.renew()
    await Promise.all([c.close(), s.close()])
})

await test('nothing is left in memory', async () => {
    a.wipe()
    b.wipe()
    await sleep(1200) // the last of them says its last word
    const { memory, __heap_base } = module_.exports
    ok(Buffer.from(memory.buffer).subarray(Math.ceil(__heap_base.value / 1024) * 1024 + 1024).every((byte) => byte === 0), 'something is left')
})

done()
