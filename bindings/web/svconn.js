// SPDX-License-Identifier: ISC
// svconn for JavaScript: svc/svconn.h, compiled to WebAssembly, and connections with promises around it. For browsers, workers and
// Node.js from 18 on. The types, and what each thing is for, are in svconn.d.ts.
//
// All secrets live in the memory of the WebAssembly module, in blocks of their own, which are zeroed when they are given back.

// ---- the module ----
let wasm // its exports, once load() is done
let loading
let randomSource
let words // address of 64 bytes for what calls return through pointers
let top // nothing was given out from here on
const unused = new Map() // number of pages -> addresses of blocks of that size
const PAGE = 1024

// A module with a function that fills a vector: valid where the engine has vectors
const VECTORS = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11)

function usual() {
    if (WebAssembly.validate(VECTORS)) return new URL('./svconn-simd.wasm', import.meta.url)
    return new URL('./svconn.wasm', import.meta.url)
}

export function load(source = usual()) {
    loading ??= start(source).catch((error) => {
        loading = undefined // the next call tries again
        throw error
    })
    return loading
}

async function start(source) {
    const builtin = (name) => import(/* webpackIgnore: true */ /* @vite-ignore */ name)
    randomSource = globalThis.crypto ?? (await builtin('node:crypto')).webcrypto
    if (source instanceof URL || typeof source === 'string') {
        if (String(source).startsWith('file:') && globalThis.process?.versions?.node) {
            source = await (await builtin('node:fs/promises')).readFile(new URL(source))
        } else {
            const response = await fetch(source)
            if (!response.ok) throw new Error(`${source}: the server answers ${response.status}; it belongs beside svconn.js`)
            source = await response.arrayBuffer()
        }
    }
    const made = await WebAssembly.instantiate(source)
    wasm = (made.instance ?? made).exports
    top = wasm.__heap_base.value
    words = allocate(PAGE)
}

const pages = (size) => Math.ceil(size / PAGE)

function allocate(size) {
    const n = pages(size)
    const block = unused.get(n)?.pop()
    if (block !== undefined) return block
    const at = Math.ceil(top / PAGE) * PAGE
    const missing = at + n * PAGE - wasm.memory.buffer.byteLength
    if (missing > 0) wasm.memory.grow(Math.ceil(missing / 65536)) // RangeError if there is no more
    top = at + n * PAGE
    return at
}

function release(at, size) {
    bytes(at, size).fill(0)
    const n = pages(size)
    if (!unused.has(n)) unused.set(n, [])
    unused.get(n).push(at)
}

// A view of the module's memory. It is good until the next allocation.
const bytes = (at, size) => new Uint8Array(wasm.memory.buffer, at >>> 0, size)
const word = (at) => new DataView(wasm.memory.buffer).getUint32(at, true)
const copy = (at, size) => bytes(at, size).slice()

function text(at) { // up to its NUL, ASCII
    const all = new Uint8Array(wasm.memory.buffer)
    let s = ''
    for (at >>>= 0; all[at]; at++) s += String.fromCharCode(all[at])
    return s
}

// Calls f with addresses of copies of the given bytes, which are erased afterwards.
function lend(parts, f) {
    const size = parts.reduce((sum, part) => sum + part.length, 1)
    const at = allocate(size)
    try {
        let next = at
        const addresses = parts.map((part) => {
            bytes(next, part.length).set(part)
            next += part.length
            return next - part.length
        })
        return f(...addresses)
    } finally {
        release(at, size)
    }
}

// A block that belongs to an object: of an identity, as long as sessions use it, or of a session. It is erased when it was dropped and
// nothing uses it; who forgets to drop has it done by the garbage collector, some day.
class Block {
    at
    size
    uses
    users = 0
    dropped = false
    constructor(size, uses) {
        this.at = allocate(size)
        this.size = size
        this.uses = uses
        if (uses) uses.users++
    }
    drop() {
        if (this.dropped) return
        this.dropped = true
        if (this.users === 0) this.erase()
    }
    erase() {
        release(this.at, this.size)
        if (this.uses && --this.uses.users === 0 && this.uses.dropped) this.uses.erase()
    }
}
const forgotten = new FinalizationRegistry((block) => block.drop())

// ---- errors, and what is given to us ----
const OK = 0, AGAIN = 1, END = 2

export class SvconnError extends Error {
    constructor(code, message, options) {
        super(message, options)
        this.name = 'SvconnError'
        this.code = code
    }
}

const failed = (code) => new SvconnError(text(wasm.svconn_reason_name(code)), text(wasm.svconn_strerror(code)))

function check(code) {
    if (code !== OK) throw failed(code)
}

function toBytes(data, what) {
    if (data instanceof Uint8Array) return data
    if (data instanceof ArrayBuffer) return new Uint8Array(data)
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    throw new TypeError(`${what}: bytes are wanted, as Uint8Array, ArrayBuffer or a view of one`)
}
const toText = (data, what) => (typeof data === 'string' ? new TextEncoder().encode(data) : toBytes(data, what))

function exactly(n, data, what) {
    data = toBytes(data, what)
    if (data.length !== n) throw new RangeError(`${what}: ${n} bytes are wanted, ${data.length} are given`)
    return data
}

function number(options, name, largest) { // 0, the default, if it is not given
    const n = options[name] ?? 0
    if (n === Infinity && name.endsWith('Ms')) return 0xffffffff
    if (!Number.isInteger(n) || n < 0 || n > largest) throw new RangeError(`${name}: a whole number from 0 to ${largest} is wanted`)
    return n
}

function oneOf(value, names, what) {
    const i = names.indexOf(value)
    if (i < 0) throw new TypeError(`${what}: one of ${names.join(', ')} is wanted`)
    return i
}

// ---- identities ----
const blocks = new WeakMap() // of identities

export function fingerprint(identity) {
    identity = toBytes(identity, 'identity')
    return lend([identity], (at) => {
        wasm.svconn_fingerprint(words, at, identity.length)
        return text(words)
    })
}

// What identity bytes say: type, then body
function describe(identity) {
    const [type] = identity, body = identity.slice(1), print = fingerprint(identity)
    if (type === 1) return { type: 'ed25519', identity, publicKey: body, fingerprint: print }
    if (type === 2) return { type: 'psk', identity, name: new TextDecoder().decode(body), fingerprint: print }
    return { type: 'custom', identity, fingerprint: print }
}

export class Identity {
    static async generate() {
        await load()
        return lend([new Uint8Array(32)], (seed) => {
            randomSource.getRandomValues(bytes(seed, 32))
            return make(0, (at) => wasm.svconn_identity_ed25519(at, seed), seed)
        })
    }

    static async fromSeed(seed) {
        seed = exactly(32, seed, 'seed')
        await load()
        return lend([seed], (at) => make(0, (id) => wasm.svconn_identity_ed25519(id, at), at))
    }

    static async psk(key, name) {
        key = exactly(32, key, 'key')
        name = toText(name, 'name')
        await load()
        return lend([key, name], (k, n) => make(0, (id) => check(wasm.svconn_identity_psk(id, k, n, name.length))))
    }

    static async custom(identity) {
        identity = toBytes(identity, 'identity').slice()
        await load()
        return make(identity.length, (id, extra) => {
            bytes(extra, identity.length).set(identity)
            check(wasm.svconn_identity_custom(id, extra, identity.length))
        })
    }

    exportSeed() {
        const block = blocks.get(this)
        if (!block?.seed || block.dropped) throw new SvconnError('state', 'there is no seed: the identity is of another type, or wiped')
        return copy(block.seed, 32)
    }

    wipe() {
        blocks.get(this)?.drop()
    }
}

// fill(address of the identity, address of the extra bytes); seed: where it is, if the identity has one
function make(extra, fill, seed) {
    const size = wasm.web_identity_size()
    const block = new Block(size + 32 + extra)
    try {
        fill(block.at, block.at + size + 32)
    } catch (error) {
        block.drop()
        throw error
    }
    if (seed) {
        block.seed = block.at + size
        bytes(block.seed, 32).set(bytes(seed, 32))
    }
    const at = wasm.svconn_identity_bytes(block.at, words)
    const id = Object.assign(new Identity(), describe(copy(at, word(words))))
    blocks.set(id, block)
    forgotten.register(id, block)
    return id
}

// ---- a session, without input and output ----
const ROLES = [, 'client', 'server']
const STATES = ['none', 'handshake', 'needs-proof', 'needs-psk', 'needs-verdict', 'confirming', 'connected', 'closed', 'failed']
const TYPES = ['ed25519', 'psk', 'custom']
const EARLY = ['if-safe', 'never', 'always']
const NEVER = 0xffffffffffffffffn

export class Session {
    #block
    #clock

    constructor(options) {
        const identity = blocks.get(options.identity)
        if (!identity || identity.dropped) throw new TypeError('identity: an Identity is wanted, and not one that is wiped')
        const role = oneOf(options.role, ROLES, 'role')
        const context = toText(options.context ?? '', 'context')
        const known = (options.knownServers ?? []).map((key) => exactly(32, key, 'knownServers'))
        const peers = (options.peerTypes ?? []).reduce((bits, type) => bits | (1 << oneOf(type, TYPES, 'peerTypes')), 0)
        const early = oneOf(options.early ?? 'if-safe', EARLY, 'early')
        const numbers = new Uint32Array([number(options, 'padTo', 65535), number(options, 'renewRecords', 2 ** 20),
            number(options, 'renewBytes', 2 ** 30), number(options, 'renewMs', 120000), number(options, 'handshakeMs', 2 ** 32 - 1),
            number(options, 'keepaliveMs', 2 ** 32 - 1), number(options, 'silenceMs', 2 ** 32 - 1)])
        const longest = number(options, 'maxMessage', 65535) || 65535
        const buffer = Math.max(256, longest + 49) // SVCONN_BUFFER_SIZE

        const size = wasm.web_session_size()
        const knownAt = size, contextAt = knownAt + 32 * known.length, rx = contextAt + context.length, tx = rx + buffer
        const block = new Block(tx + buffer, identity)
        known.forEach((key, i) => bytes(block.at + knownAt + 32 * i, 32).set(key))
        bytes(block.at + contextAt, context.length).set(context)
        try {
            lend([toBytes(numbers), new Uint8Array(32)], (n, seed) => {
                randomSource.getRandomValues(bytes(seed, 32))
                check(wasm.web_session_begin(block.at, role, identity.at, block.at + contextAt, context.length, peers,
                    options.hidden ? 1 : 0, early, known.length ? block.at + knownAt : 0, known.length, n, seed, block.at + rx,
                    block.at + tx, buffer))
            })
        } catch (error) {
            block.drop()
            throw error
        }
        this.#block = block
        this.#clock = options.clock ?? (() => performance.now())
        forgotten.register(this, block)
    }

    get #at() {
        if (this.#block.dropped) throw new SvconnError('state', 'the session is wiped')
        return this.#block.at
    }
    get #now() {
        return BigInt(Math.floor(this.#clock()))
    }

    get state() {
        return this.#block.dropped ? 'none' : STATES[wasm.svconn_status(this.#at)]
    }

    get error() {
        const code = wasm.svconn_error(this.#at)
        return code === OK ? null : failed(code)
    }

    // -- who is there --
    get peer() {
        const at = wasm.svconn_peer(this.#at, words)
        return at ? describe(copy(at, word(words))) : null
    }

    accept() {
        check(wasm.svconn_accept(this.#at))
    }

    refuse() {
        check(wasm.svconn_refuse(this.#at))
    }

    givePsk(key) {
        lend([exactly(32, key, 'key')], (at) => check(wasm.svconn_give_psk(this.#at, at)))
    }

    proofMessage() {
        return lend([new Uint8Array(64)], (at) => {
            check(wasm.svconn_proof_message(this.#at, at, words))
            return copy(at, word(words))
        })
    }

    prove(proof) {
        proof = toBytes(proof, 'proof')
        lend([proof], (at) => check(wasm.svconn_prove(this.#at, at, proof.length)))
    }

    peerProof() {
        return lend([new Uint8Array(64)], (at) => {
            check(wasm.svconn_peer_proof(this.#at, words, words + 4, at, words + 8))
            return { proof: copy(word(words), word(words + 4)), message: copy(at, word(words + 8)) }
        })
    }

    // -- the link --
    wireIn(data) {
        data = toBytes(data, 'data')
        let used = 0
        while (used < data.length) {
            const part = data.subarray(used, used + 65536)
            const n = lend([part], (at) => {
                check(wasm.svconn_wire_in(this.#at, at, part.length, words, this.#now))
                return word(words)
            })
            used += n
            if (n < part.length) break
        }
        return used
    }

    wireEnd() {
        check(wasm.svconn_wire_eof(this.#at))
    }

    wireOut() {
        const at = wasm.svconn_wire_out(this.#at, words), out = copy(at, word(words))
        check(wasm.svconn_wire_sent(this.#at, out.length))
        return out
    }

    tick() {
        check(wasm.svconn_tick(this.#at, this.#now, words))
        const next = new DataView(wasm.memory.buffer).getBigUint64(words, true)
        return next === NEVER ? Infinity : Number(next)
    }

    // -- messages --
    send(data) {
        data = toBytes(data, 'data')
        const code = lend([data], (at) => wasm.svconn_send(this.#at, at, data.length, this.#now))
        if (code === AGAIN) return false
        check(code)
        return true
    }

    receive() {
        const code = wasm.svconn_recv(this.#at, words, words + 4)
        if (code === AGAIN) return undefined
        if (code === END) return null
        check(code)
        const message = copy(word(words), word(words + 4))
        wasm.svconn_recv_done(this.#at) // what it finds wrong behind this message, the next call says
        return message
    }

    close() {
        check(wasm.svconn_close(this.#at, this.#now))
    }

    abort() {
        wasm.svconn_abort(this.#at)
    }

    renew() {
        check(wasm.svconn_renew(this.#at))
    }

    // -- what else it knows --
    authenticator() {
        check(wasm.svconn_authenticator(this.#at, words))
        return text(words)
    }

    exportKey(label, context, length) {
        label = toText(label, 'label')
        if (label.includes(0)) throw new TypeError('label: it may not have a zero in it')
        context = toText(context, 'context')
        const out = new Uint8Array(length)
        return lend([label, new Uint8Array(1), context, out], (l, _, c, o) => {
            check(wasm.svconn_export(this.#at, l, c, context.length, o, length))
            return copy(o, length)
        })
    }

    get keyIds() {
        wasm.svconn_key_ids(this.#at, words, words + 4)
        return { sending: word(words), receiving: word(words + 4) }
    }

    wipe() {
        this.#block.drop()
    }
}

// ---- links: { read() -> bytes or null at the end, write(bytes), end(), destroy(), cause } ----
const BACKLOG = 16 << 20 // a WebSocket cannot be told to wait: so many bytes may lie here unread
const IN_FLIGHT = 1 << 20 // and so many of ours may lie in it

const equal = (a, b) => a.length === b?.length && a.every((x, i) => x === b[i]) // of public things
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function webSocketLink(socket) {
    const queue = []
    let waiting = 0, ended = false, wake = () => {}
    const link = { read, write, end, destroy, cause: undefined }
    const over = (cause) => {
        link.cause ??= cause
        ended = true
        wake()
    }
    socket.binaryType = 'arraybuffer'
    const opened = new Promise((resolve) => {
        if (socket.readyState !== 0) resolve()
        socket.addEventListener('open', resolve)
        socket.addEventListener('close', resolve)
    })
    const closed = new Promise((resolve) => {
        if (socket.readyState === 3) resolve()
        socket.addEventListener('close', resolve)
    })
    socket.addEventListener('message', ({ data }) => {
        if (ended) return
        if (typeof data === 'string') over(new Error('a text message came; the bytes of a session are binary ones'))
        else if ((waiting += data.byteLength) > BACKLOG) over(new Error('the other end sends faster than this one reads'))
        else queue.push(new Uint8Array(data))
        wake()
    })
    socket.addEventListener('close', ({ code, reason }) => over(new Error(`the WebSocket was closed, code ${code}${reason ? `: ${reason}` : ''}`)))
    socket.addEventListener('error', () => {}) // a close event follows
    if (socket.readyState >= 2) ended = true

    async function read() {
        while (!queue.length && !ended) await new Promise((resolve) => (wake = resolve))
        const chunk = queue.shift()
        if (chunk) waiting -= chunk.length
        return chunk ?? null
    }
    async function write(data) {
        if (socket.readyState === 0) await opened // else at once: a page that is being left has no later
        socket.send(data)
        while (socket.bufferedAmount > IN_FLIGHT && socket.readyState === 1) await sleep(10)
    }
    async function end() {
        socket.close(1000) // behind what was sent
        await closed
    }
    function destroy() {
        socket.close()
    }
    return link
}

function streamsLink({ readable, writable }) {
    const reader = readable.getReader(), writer = writable.getWriter()
    const link = { read, write, end, destroy, cause: undefined }
    async function read() {
        try {
            const { value, done } = await reader.read()
            return done ? null : toBytes(value, 'readable')
        } catch (error) {
            link.cause ??= error
            return null
        }
    }
    async function write(data) {
        if (!(writer.desiredSize > 0)) await writer.ready
        await writer.write(data)
    }
    function end() {
        return writer.close()
    }
    function destroy() {
        reader.cancel().catch(() => {})
        writer.abort().catch(() => {})
    }
    return link
}

function duplexLink(stream) {
    let ended = false, wake = () => {}
    const link = { read, write, end, destroy, cause: undefined }
    const over = (error) => {
        if (error instanceof Error) link.cause ??= error
        ended = true
        wake()
    }
    stream.on('readable', () => wake())
    stream.on('end', over)
    stream.on('close', over)
    stream.on('error', over)

    async function read() {
        for (;;) {
            const chunk = stream.read()
            if (chunk) return chunk
            if (ended || stream.destroyed || stream.readableEnded) return null
            await new Promise((resolve) => (wake = resolve))
        }
    }
    function write(data) {
        return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())))
    }
    function end() {
        return new Promise((resolve) => stream.end(resolve))
    }
    function destroy() {
        stream.destroy()
    }
    return link
}

function toLink(link) {
    if (typeof link?.readable?.getReader === 'function' && typeof link.writable?.getWriter === 'function') return streamsLink(link)
    if (typeof link?.send === 'function' && typeof link.addEventListener === 'function') return webSocketLink(link)
    if (typeof link?.write === 'function' && typeof link.on === 'function') return duplexLink(link)
    throw new TypeError('link: a WebSocket, { readable, writable } of two streams of bytes, or a Duplex of Node.js is wanted')
}

// ---- connections ----
const ABSENCE_MS = 1000 // who was away for longer (a sleeping machine, a frozen page) first takes in what came meanwhile,
const READ_FIRST_MS = 500 // for so long, before deadlines count
const LAST_WORD_MS = 1000 // for the error packet to go out, and for the peer to end the link then
const LINGER_MS = 500 // of these
const STALL_MS = 10000 // for our last bytes, CLOSE among them

class Connection {
    #session
    #link
    #options
    #clock
    #peer = null
    #asking = false
    #senders = [] // functions that try once more, and return whether they are done
    #receivers = []
    #left = [] // messages that were there when the session ended
    #reading
    #writing = null
    #cannotWrite = false
    #timer
    #due = Infinity // when the timer is to ring
    #readFirst = 0 // until then no deadline counts
    #dropping = false
    #answered = false // the peer's CLOSE came before ours
    #over = false
    #failure = null
    #reason // of abort, or what the application's answer threw
    #wake = () => {}
    #opened
    #settleOpened
    #settleClosed
    closed

    static async begin(link, options) {
        if (!options || !(Array.isArray(options.accept) || typeof options.accept === 'function')) {
            throw new TypeError('accept: a function that says whether the peer is welcome, or a list of public keys is wanted')
        }
        options.signal?.throwIfAborted()
        const connection = new Connection()
        connection.#options = options
        connection.#clock = options.clock ?? (() => performance.now())
        connection.#session = new Session({ role: 'client', ...options, clock: connection.#clock })
        try {
            connection.#link = toLink(link)
        } catch (error) {
            connection.#session.wipe()
            throw error
        }
        connection.#opened = new Promise((resolve, reject) => (connection.#settleOpened = { resolve, reject }))
        connection.closed = new Promise((resolve, reject) => (connection.#settleClosed = { resolve, reject }))
        connection.closed.catch(() => {}) // nobody has to look
        const stop = () => connection.abort(options.signal.reason)
        options.signal?.addEventListener('abort', stop)
        connection.closed.catch(() => {}).then(() => options.signal?.removeEventListener('abort', stop))
        connection.#reading = connection.#read()
        connection.#step()
        return connection.#opened
    }

    get peer() {
        return this.#peer
    }

    // -- messages --
    send(data) {
        data = toBytes(data, 'data')
        return this.#queue(() => this.#session.send(data))
    }

    receive() {
        return new Promise((resolve, reject) => {
            this.#receivers.push(() => {
                if (this.#left.length) resolve(this.#left.shift())
                else if (this.#over) this.#failure ? reject(this.#failure) : resolve(null)
                else {
                    const message = attempt(() => this.#session.receive())
                    if (message === undefined) return false
                    resolve(message)
                }
                return true
            })
            this.#step()
        })
    }

    [Symbol.asyncIterator]() {
        return {
            next: async () => {
                const value = await this.receive()
                return value === null ? { value: undefined, done: true } : { value, done: false }
            },
            return: async () => {
                await this.close()
                return { value: undefined, done: true }
            },
        }
    }

    end() {
        return this.#queue(() => {
            this.#session.close()
            this.#answered = this.#session.state === 'closed'
            return true
        })
    }

    async close() {
        if (!this.#over) await this.end()
        this.#dropping = true
        this.#step()
        return this.closed
    }

    abort(reason) {
        if (this.#over) return
        this.#reason = reason
        this.#session.abort()
        this.#step()
    }

    renew() {
        this.#session.renew()
    }

    // -- what else is known --
    authenticator() {
        return this.#session.authenticator()
    }

    exportKey(label, context, length) {
        return this.#session.exportKey(label, context, length)
    }

    get keyIds() {
        return this.#session.keyIds
    }

    // -- inside --
    // One thing after the other goes to the session: each is tried until it has room for it.
    #queue(attemptIt) {
        return new Promise((resolve, reject) => {
            this.#senders.push(() => {
                try {
                    if (this.#over) throw this.#failure ?? new SvconnError('state', 'the connection is closed')
                    if (!attemptIt()) return false
                    resolve()
                } catch (error) {
                    reject(error)
                }
                return true
            })
            this.#step()
        })
    }

    // Whatever happened, this looks at all that may be due.
    #step() {
        this.#wake()
        serve(this.#receivers)
        serve(this.#senders)
        if (this.#over) return
        const session = this.#session
        while (this.#dropping && attempt(() => session.receive()));
        this.#ask()
        this.#tick()
        this.#write()
        if (session.state === 'connected' && !this.#peer) {
            this.#peer = session.peer
            this.#settleOpened.resolve(this)
        }
        if (session.state === 'closed' || session.state === 'failed') this.#finish()
    }

    // To the end of the link, also when nobody wants it any more: what stays unread can make a system throw away our last bytes.
    async #read() {
        for (let chunk; (chunk = await this.#link.read()); ) {
            while (!this.#over && chunk.length) {
                const used = attempt(() => this.#session.wireIn(chunk)) ?? 0
                chunk = chunk.subarray(used)
                this.#step()
                // None: the session waits for an answer, or for messages to be fetched.
                if (used === 0 && !this.#over) await new Promise((resolve) => (this.#wake = resolve))
            }
        }
        if (this.#over) return
        attempt(() => this.#session.wireEnd())
        this.#step()
    }

    // One piece at a time. A link that takes no more may still have something for us, so it is read to its end.
    #write() {
        if (this.#writing) return
        const out = this.#session.wireOut()
        if (out.length === 0) return
        this.#writing = (this.#cannotWrite ? Promise.resolve() : this.#link.write(out))
            .catch(() => (this.#cannotWrite = true))
            .then(() => {
                this.#writing = null
                this.#step()
            })
    }

    #tick() {
        const now = this.#clock()
        if (now > this.#due + ABSENCE_MS) this.#readFirst = now + READ_FIRST_MS
        if (now >= this.#due) this.#due = Infinity
        const next = now < this.#readFirst ? this.#readFirst : attempt(() => this.#session.tick())
        if (next === undefined || (this.#timer !== undefined && next >= this.#due)) return
        clearTimeout(this.#timer)
        this.#due = next
        this.#timer = next === Infinity ? undefined : setTimeout(() => this.#ring(), Math.min(next - now + 1, 2 ** 31 - 1))
    }

    #ring() {
        this.#timer = undefined
        this.#step()
    }

    // A question of the session goes to the application, whose answer may take its time.
    async #ask() {
        const session = this.#session, question = session.state
        if (this.#asking || !question.startsWith('needs-')) return
        this.#asking = true
        try {
            const answer = await this.#answer(question)
            if (session.state !== question) return // it is over meanwhile
            if (question === 'needs-verdict' ? answer !== true : !answer) session.refuse()
            else if (question === 'needs-verdict') session.accept()
            else if (question === 'needs-psk') session.givePsk(answer)
            else session.prove(answer)
        } catch (error) {
            this.abort(error)
        } finally {
            this.#asking = false
            this.#step()
        }
    }

    #answer(question) {
        const session = this.#session, { accept, psk, prove } = this.#options
        if (question === 'needs-psk') return psk?.(session.peer)
        if (question === 'needs-proof') {
            if (!prove) throw new TypeError('prove: a function is wanted that signs for our custom identity')
            return prove(session.proofMessage())
        }
        const peer = session.peer
        if (Array.isArray(accept)) return accept.some((key) => equal(toBytes(key, 'accept'), peer.publicKey))
        return accept(peer.type === 'custom' ? { ...peer, ...session.peerProof() } : peer)
    }

    #finish() {
        clearTimeout(this.#timer)
        for (let message; (message = attempt(() => this.#session.receive())); ) if (!this.#dropping) this.#left.push(message)
        this.#over = true
        this.#failure = this.#session.error
        if (this.#failure && this.#link.cause) this.#failure.cause = this.#link.cause
        if (this.#failure?.code === 'cancelled' && this.#reason !== undefined) this.#failure = this.#reason
        this.#step()
        if (this.#failure) this.#settleOpened.reject(this.#failure)
        this.#leave()
    }

    async #leave() {
        let timer
        const limit = new Promise((resolve) => (timer = setTimeout(resolve, this.#failure ? LAST_WORD_MS : STALL_MS)))
        await Promise.race([limit, this.#sayLastWord()]).catch(() => {})
        clearTimeout(timer)
        this.#link.destroy()
        this.#session.wipe()
        if (this.#failure) this.#settleClosed.reject(this.#failure)
        else this.#settleClosed.resolve()
    }

    async #sayLastWord() {
        const gone = ['absent', 'truncated', 'aborted'].includes(this.#session.error?.code) // and wants to hear nothing
        if (gone) return
        do await this.#writing
        while ((this.#write(), this.#writing))
        // Relays drop what lies before the end of a WebSocket, so whoever spoke last leaves the end to the other, who does not wait.
        if (this.#answered || this.#session.error) await Promise.race([this.#reading, sleep(LINGER_MS)])
        await this.#link.end()
        if (this.#session.error) await this.#reading
    }
}

function serve(waiting) {
    while (waiting.length && waiting[0]()) waiting.shift()
}

// What goes wrong inside a session is found in its state: one place looks at that.
function attempt(f) {
    try {
        return f()
    } catch (error) {
        if (!(error instanceof SvconnError)) throw error
        return undefined
    }
}

export const connect = (link, options) => Connection.begin(link, options)
