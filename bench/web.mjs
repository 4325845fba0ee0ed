// SPDX-License-Identifier: ISC
// Size and speed of bindings/web here: node bench/web.mjs PACKAGE [svconn.wasm: without vectors]
// One thread does the work of both ends. The best of several rounds: others use the machine too.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { pathToFileURL } from 'node:url'

const directory = path.resolve(process.argv[2])
const wasm = process.argv[3] ?? 'svconn-simd.wasm'
for (const file of [wasm, 'svconn.js']) {
    const bytes = fs.readFileSync(path.join(directory, file))
    console.log(`${file}: ${bytes.length} bytes, ${zlib.gzipSync(bytes, { level: 9 }).length} with gzip`)
}
const began = performance.now()
const { load, Identity, Session } = await import(pathToFileURL(path.join(directory, 'svconn.js')))
await load(pathToFileURL(path.join(directory, wasm)))
console.log(`loaded in ${(performance.now() - began).toFixed(0)} ms, Node.js ${process.version}, V8 ${process.versions.v8}`)

const ROUNDS = 15, ROUND_MS = 60
function best(f) { // milliseconds of one call
    let least = Infinity
    for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now()
        let n = 0
        do f(), n++
        while (performance.now() - start < ROUND_MS)
        least = Math.min(least, (performance.now() - start) / n)
    }
    return least
}

function negotiate(a, b) {
    const c = new Session({ role: 'client', identity: a, maxMessage: 16384 }), s = new Session({ role: 'server', identity: b, maxMessage: 16384 })
    for (const [from, to] of [[s, c], [c, s], [s, c]]) {
        to.wireIn(from.wireOut())
        if (to.state === 'needs-verdict') to.accept()
    }
    if (c.state !== 'connected' || s.state !== 'connected') throw new Error(`${c.state} and ${s.state}`)
    return [c, s]
}
const wipe = (both) => both.forEach((s) => s.wipe())

const seed = new Uint8Array(32).fill(1), key = new Uint8Array(32).fill(2)
const keys = [await Identity.generate(), await Identity.fromSeed(seed)], psks = [await Identity.psk(key, 'a'), await Identity.psk(key, 'b')]
console.log(`negotiation, both ends: ${best(() => wipe(negotiate(...keys))).toFixed(2)} ms with keys, ${best(() => wipe(negotiate(...psks))).toFixed(2)} ms with a psk`)

const [c, s] = negotiate(...keys)
for (const size of [64, 1024, 16384]) {
    const message = new Uint8Array(size), ms = best(() => {
        c.send(message)
        s.wireIn(c.wireOut())
        if (s.receive()?.length !== size) throw new Error('no message')
    })
    console.log(`message of ${size} bytes, sealed and opened: ${(ms * 1000).toFixed(1)} us, ${(size / ms / 1000).toFixed(1)} MB/s`)
}
wipe([c, s])
