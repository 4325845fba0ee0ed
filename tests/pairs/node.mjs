// SPDX-License-Identifier: ISC
// The peer of the pair tests on bindings/web, over sockets of Node.js: node node.mjs PACKAGE server KIND | client KIND PORT
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [directory, role, kind, port] = process.argv.slice(2)
const { connect, Identity } = await import(pathToFileURL(path.resolve(directory, 'svconn.js')))

const fill = (value) => new Uint8Array(32).fill(value)
const seeds = { server: fill(0x11), client: fill(0x22) }
const other = { server: 'client', client: 'server' }[role]
const identity = kind === 'psk' ? await Identity.psk(fill(0x33), role) : await Identity.fromSeed(seeds[role])
const publicKey = (await Identity.fromSeed(seeds[other])).publicKey
const options = {
    role, identity, maxMessage: 16384, hidden: kind === 'hidden' && role === 'server',
    knownServers: kind === 'hidden' && role === 'client' ? [publicKey] : [],
    accept: kind === 'psk' ? (peer) => peer.name === other : [publicKey],
}

async function serve() {
    const listener = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => listener.on('listening', resolve))
    console.log(`port ${listener.address().port}`)
    const socket = await new Promise((resolve) => listener.on('connection', resolve))
    listener.close()
    const connection = await connect(socket, options), digits = connection.authenticator()
    for await (const message of connection) await connection.send(message)
    await connection.close()
    return digits
}

async function call() {
    const connection = await connect(net.connect(Number(port), '127.0.0.1'), options), digits = connection.authenticator()
    const same = async (message) => {
        await connection.send(message)
        const back = await connection.receive()
        if (!back || !Buffer.from(message).equals(back)) throw new Error(`a message of ${message.length} bytes came back changed`)
    }
    await same(new Uint8Array(0))
    await same(new TextEncoder().encode('hello'))
    connection.renew()
    await same(Uint8Array.from({ length: 5000 }, (_, i) => 7 * i))
    await connection.end()
    if ((await connection.receive()) !== null) throw new Error('a message came that nobody sent')
    await connection.close()
    return digits
}

function fail(error) {
    console.error(`${error.message}${error.cause ? ` (${error.cause.message ?? error.cause})` : ''}`)
    process.exit(1)
}
setTimeout(() => fail(new Error('30 s have passed')), 30000).unref()
const work = role === 'server' ? serve() : call()
work.then((digits) => console.log(`authenticator ${digits}`), fail)
