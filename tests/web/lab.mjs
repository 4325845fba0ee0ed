// SPDX-License-Identifier: ISC
// What the tests of bindings/web share: the package under test, checks, and links without a network.
import { pathToFileURL } from 'node:url'
import { Duplex } from 'node:stream'
import path from 'node:path'

const instantiate = WebAssembly.instantiate
export const module_ = {} // the instance of the package: the tests look into its memory
WebAssembly.instantiate = async (...args) => {
    const made = await instantiate(...args)
    module_.exports = (made.instance ?? made).exports
    return made
}
export const directory = path.resolve(process.argv[2])
export const { connect, load, Identity, Session, SvconnError, fingerprint } = await import(pathToFileURL(path.join(directory, 'svconn.js')))
if (process.env.SVCONN_WASM) await load(pathToFileURL(path.join(directory, process.env.SVCONN_WASM)))

let failures = 0
export async function test(name, f) {
    let timer
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('it takes longer than 30 s')), 30000)))
    try {
        await Promise.race([f(), late])
        console.log(`pass web: ${name}`)
    } catch (error) {
        failures++
        console.log(`FAIL web: ${name}: ${error?.stack ?? error}`)
    }
    clearTimeout(timer)
}
export const done = () => process.exit(failures ? 1 : 0)

export function ok(condition, what) {
    if (!condition) throw new Error(what ?? 'not as expected')
}
export function same(a, b, what = 'values') {
    const show = (x) => (x instanceof Uint8Array ? `bytes ${Buffer.from(x).toString('hex').slice(0, 80)}` : String(x))
    if (show(a) !== show(b) || a?.length !== b?.length) throw new Error(`${what}: ${show(a)} is not ${show(b)}`)
}
export function throws(code, f) {
    try {
        f()
    } catch (error) {
        return same(error.code ?? error.name, code, 'error')
    }
    throw new Error(`no error, not ${code}`)
}
export async function rejects(code, promise) {
    try {
        await promise
    } catch (error) {
        same(error.code ?? error.name, code, 'error')
        return error
    }
    throw new Error(`no error, not ${code}`)
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export const utf8 = (s) => new TextEncoder().encode(s)
export const pattern = (n, k = 7) => Uint8Array.from({ length: n }, (_, i) => k * i)

// Two ends of a link: Duplex streams that hold at most so many bytes
export function duplexPair(room = 65536) {
    const ends = [0, 1].map((i) => new Duplex({
        highWaterMark: room,
        read() {
            const callback = this.waiting
            this.waiting = null
            callback?.()
        },
        write(chunk, _, callback) {
            const other = ends[1 - i]
            this.carried = (this.carried ?? 0) + chunk.length
            if (this.spoil) chunk = this.spoil(Uint8Array.from(chunk))
            if (other.push(chunk)) callback()
            else other.waiting = callback
        },
        final(callback) {
            ends[1 - i].push(null)
            callback()
        },
        destroy(error, callback) {
            setImmediate(() => ends[1 - i].destroyed || ends[1 - i].push(null))
            callback(error)
        },
    }))
    return ends
}

// Two sessions, and what carries bytes between them until neither has any. change(bytes, from): what arrives in their place
export function sessions(clientOptions, serverOptions) {
    return [new Session({ role: 'client', ...clientOptions }), new Session({ role: 'server', ...serverOptions })]
}
export function carry(client, server, change = (bytes) => bytes) {
    for (let moved = true; moved; ) {
        moved = false
        for (const [from, to] of [[server, client], [client, server]]) {
            const out = from.wireOut()
            if (!out.length) continue
            moved = true
            const bytes = change(out, from)
            try {
                to.wireIn(bytes)
            } catch (error) {
                ok(error instanceof SvconnError, error)
            }
        }
        for (const s of [client, server]) if (s.state === 'needs-verdict') s.accept(), (moved = true)
    }
}
export function exchange(a, b, message) {
    ok(a.send(message), 'no room')
    carry(a, b)
    const got = b.receive()
    same(got, message, 'message')
}
