// SPDX-License-Identifier: ISC
// bindings/web against the program and the examples in C: node tests/web/program.mjs DIRECTORY-OF-THE-PACKAGE BUILD
// The program behind websockify and before a WebSocket server (Debian: websockify, node-ws); the examples over TCP.
import { spawn, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { connect, Identity } from './lab.mjs'
import { test, done, ok, same, rejects, pattern, sleep, utf8 } from './lab.mjs'

const build = path.resolve(process.argv[3]), svconn = path.join(build, 'svconn')
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'svconn-web-'))
const children = new Set()
process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
    fs.rmSync(tmp, { recursive: true, force: true })
})

function run(program, args, options = {}) { // { said, ended (status), until(regular expression) }
    const child = spawn(program, args, { cwd: tmp, stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
    children.add(child)
    const it = { child, said: '', out: [], ended: new Promise((resolve) => child.on('close', (status) => (children.delete(child), resolve(status)))) }
    child.on('error', (error) => (it.said += error.message))
    child.stdout.on('data', (data) => it.out.push(data))
    child.stderr.on('data', (data) => (it.said += data))
    it.until = async (what) => {
        for (let i = 0; i < 500; i++, await sleep(20)) {
            const found = what.exec(it.said + Buffer.concat(it.out))
            if (found) return found[1]
        }
        throw new Error(`${path.basename(program)} never said ${what}: ${it.said}`)
    }
    return it
}
async function freePort() {
    const server = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.on('listening', resolve))
    const { port } = server.address()
    await new Promise((resolve) => server.close(resolve))
    return port
}

// ---- what is here ----
function skip(why) {
    console.log(`skip web: ${why}`)
    return null
}
const have = (program) => process.env.PATH.split(':').some((dir) => fs.existsSync(path.join(dir, program)))
const ws = await import(pathToFileURL('/usr/share/nodejs/ws/wrapper.mjs')).catch(() => skip('the program over WebSocket: no ws for Node.js here (Debian: node-ws)'))
const canListen = ws && (have('websockify') || skip('svconn echo-server: no websockify here (Debian: websockify)'))

// ---- keys: the program's in files, ours in seeds ----
const seed = randomBytes(32), mine = await Identity.fromSeed(seed), hex = (bytes) => Buffer.from(bytes).toString('hex')
const keyFile = path.join(tmp, 'program.key'), pskFile = path.join(tmp, 'psk'), rawPskFile = path.join(tmp, 'psk.raw'), psk = randomBytes(32), data = randomBytes(1_000_000)
execFileSync(svconn, ['keygen', '--hex', '-o', keyFile], { stdio: 'ignore' })
const theirs = Buffer.from(/public key: (\w+)/.exec(execFileSync(svconn, ['id', keyFile]))[1], 'hex')
fs.writeFileSync(pskFile, hex(psk), { mode: 0o600 })
fs.writeFileSync(rawPskFile, psk)
fs.writeFileSync(path.join(tmp, 'data'), data)
const pskIdentity = await Identity.psk(psk, 'browser'), otherPsk = await Identity.psk(randomBytes(32), 'browser')
const peer = ['--peer', hex(mine.publicKey)]

// ---- we call the program, behind websockify ----
async function echoServer(...options) {
    const server = run(svconn, ['echo-server', 'tcp://127.0.0.1:0', '--once', '--verbose', ...options])
    const port = await freePort(), behind = await server.until(/listening on .*:(\d+)/)
    const relay = run('websockify', [`127.0.0.1:${port}`, `127.0.0.1:${behind}`])
    await relay.until(/(proxying)/)
    for (let i = 0; i < 250; i++, await sleep(20)) {
        if (await new Promise((resolve) => net.connect(port, '127.0.0.1', function () { this.destroy(), resolve(true) }).on('error', () => resolve(false)))) break
    }
    return { server, relay, call: (options) => connect(new ws.WebSocket(`ws://127.0.0.1:${port}/`, 'binary'), options), stop: () => relay.child.kill() }
}
async function through(connection, sizes) {
    const sending = (async () => {
        for (const n of sizes) await connection.send(pattern(n))
        await connection.end()
    })()
    let i = 0
    for await (const message of connection) same(message, pattern(sizes[i++]))
    same(i, sizes.length)
    await sending
    await connection.close()
}

if (canListen) {
    for (const [name, programs, ours] of [
        ['key', ['--key', keyFile, ...peer], { identity: mine, accept: [theirs] }],
        ['hidden', ['--key', keyFile, '--hidden', ...peer], { identity: mine, knownServers: [theirs], accept: [theirs] }],
        ['psk, context, renewal', ['--psk', pskFile, '--name', 'program', '--context', 'tie', '--renew-every', '4'],
            { identity: pskIdentity, context: 'tie', renewRecords: 3, accept: (peer) => peer.name === 'program' }],
    ]) {
        await test(`we call svconn echo-server behind websockify: ${name}`, async () => {
            const { server, call, stop } = await echoServer(...programs)
            const connection = await call(ours)
            same(await server.until(/authenticator:? ([\d ]+\d)/), connection.authenticator())
            await through(connection, [0, 1, 5000, 65535, ...Array(30).fill(20000)])
            same(await server.ended, 0, `echo-server: ${server.said}; status`)
            stop()
        })
    }
    await test('a wrong psk: proof, at our end', async () => {
        const { server, call, stop } = await echoServer('--psk', pskFile, '--name', 'program')
        await rejects('proof', call({ identity: otherPsk, accept: () => true }))
        same(await server.ended, 1)
        stop()
    })
    await test('svconn echo-server refuses our key: aborted', async () => {
        const { server, call, stop } = await echoServer('--key', keyFile, '--peer', hex(theirs))
        await rejects('aborted', call({ identity: mine, accept: [theirs] }))
        same(await server.ended, 1)
        stop()
    })
    await test('we refuse the key of svconn echo-server: refused', async () => {
        const { server, call, stop } = await echoServer('--key', keyFile, ...peer)
        await rejects('refused', call({ identity: mine, accept: () => false }))
        same(await server.ended, 1)
        stop()
    })
    await test('svconn echo-server is killed: truncated', async () => {
        const { server, call, stop } = await echoServer('--key', keyFile, ...peer)
        const connection = await call({ identity: mine, accept: [theirs] })
        server.child.kill('SIGKILL')
        const error = await rejects('truncated', connection.receive())
        ok(/WebSocket was closed/.test(error.cause.message))
        stop()
    })
}

// ---- the program calls us: a WebSocket server, or a relay that changes what it carries ----
async function serveWebSocket(options, spoil) {
    const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1' })
    await new Promise((resolve) => server.on('listening', resolve))
    const result = new Promise((resolve, reject) => server.on('connection', async (socket) => {
        if (spoil) spoil(socket)
        try {
            const connection = await connect(socket, { role: 'server', ...options }), digits = connection.authenticator()
            for await (const message of connection) await connection.send(message)
            await connection.close()
            resolve(digits)
        } catch (error) {
            reject(error)
        }
    }))
    result.catch(() => {})
    return { address: `ws://127.0.0.1:${server.address().port}/`, result, stop: () => server.close() }
}

if (ws) {
    for (const [name, programs, ours] of [
        ['key', ['--key', keyFile, ...peer], { identity: mine, accept: [theirs] }],
        ['hidden', ['--key', keyFile, '--hidden', '--size', '65535', ...peer], { identity: mine, hidden: true, accept: [theirs] }],
        ['psk, early messages, renewal', ['--early', '--psk', pskFile, '--name', 'program', '--renew-every', '7'],
            { identity: pskIdentity, renewRecords: 5, accept: (peer) => peer.name === 'program' }],
    ]) {
        await test(`svconn echo calls our WebSocket server: ${name}`, async () => {
            const { address, result, stop } = await serveWebSocket(ours)
            const client = run(svconn, ['echo', address, 'data', '--verbose', ...programs])
            same(await client.ended, 0, `echo: ${client.said}; status`)
            ok(Buffer.concat(client.out).equals(data), 'other bytes came back')
            ok(client.said.includes(await result), 'other digits')
            stop()
        })
    }
    await test('what is changed on its way from the program: tag here, aborted there', async () => {
        let seen = 0
        const { address, result, stop } = await serveWebSocket({ identity: mine, accept: [theirs] }, (socket) => {
            const listen = socket.addEventListener.bind(socket)
            socket.addEventListener = (type, f) => listen(type, (event) => {
                if (type === 'message' && seen < 400000 && (seen += event.data.byteLength) >= 400000) new Uint8Array(event.data)[10] ^= 4
                f(event)
            })
        })
        const client = run(svconn, ['echo', address, 'data', '--key', keyFile, ...peer])
        const error = await result.then(() => ({ code: 'no error' }), (error) => error)
        ok(['tag', 'key-id', 'limit'].includes(error.code), error.code)
        same(await client.ended, 1)
        ok(/error packet|peer ended|gave up|refused/i.test(client.said), client.said)
        stop()
    })
    await test('we refuse svconn echo', async () => {
        const { address, result, stop } = await serveWebSocket({ identity: mine, accept: [mine.publicKey] })
        const client = run(svconn, ['echo', address, 'data', '--key', keyFile, ...peer])
        await rejects('refused', result)
        same(await client.ended, 1)
        stop()
    })
}

// ---- the examples, with a pre-shared key over TCP ----
await test('we call examples/server', async () => {
    const port = await freePort()
    const server = run(path.join(build, 'examples/server'), [rawPskFile, `tcp://127.0.0.1:${port}`])
    let connection
    for (let i = 0; !connection; i++) {
        try {
            connection = await connect(net.connect(port, '127.0.0.1'), { identity: await Identity.psk(psk, 'client'), maxMessage: 4096, accept: (peer) => peer.name === 'server' })
        } catch (error) {
            if (i === 100 || error.cause?.code !== 'ECONNREFUSED') throw error
            await sleep(50)
        }
    }
    await through(connection, [0, 1, 4096])
    same(await server.ended, 0, 'status')
})
await test('examples/client calls us', async () => {
    const listener = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => listener.on('listening', resolve))
    const client = run(path.join(build, 'examples/client'), [rawPskFile, `tcp://127.0.0.1:${listener.address().port}`, 'hello'])
    const socket = await new Promise((resolve) => listener.on('connection', resolve))
    const connection = await connect(socket, { role: 'server', identity: await Identity.psk(psk, 'server'), accept: (peer) => peer.name === 'client' })
    await connection.send(await connection.receive())
    same(await connection.receive(), null)
    await connection.close()
    same(await client.ended, 0, 'status')
    same(Buffer.concat(client.out).toString(), 'hello\n')
    listener.close()
})

done()
