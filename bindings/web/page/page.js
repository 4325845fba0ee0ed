// SPDX-License-Identifier: ISC
// The page: echo, or a chat of two, over a WebSocket; see README.md of this package for what stands behind it.
import { connect, Identity, SvconnError } from './svconn.js'

const $ = (id) => document.getElementById(id)
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16))
const decoder = new TextDecoder(), encoder = new TextEncoder()

const state = (text) => ($('status').textContent = text)
const trouble = (text) => ($('error').textContent = text)

// ---- what this browser keeps, and only if asked to ----
const KEY = 'svconn key', KNOWN = 'svconn known keys'
const kept = {
    get(name) {
        try { return localStorage.getItem(name) } catch { return null } // a browser may forbid it
    },
    set(name, value) {
        try {
            if (value === null) localStorage.removeItem(name)
            else localStorage.setItem(name, value)
            return true
        } catch {
            trouble('This browser does not let the page keep anything. It works without, until the page is closed.')
            return false
        }
    },
}
const known = new Set((kept.get(KNOWN) ?? '').split(' ').filter(Boolean)) // public keys, also those for this visit

let identity
async function useKey(seed) {
    identity?.wipe()
    identity = seed ? await Identity.fromSeed(seed) : await Identity.generate()
    $('my-fingerprint').textContent = identity.fingerprint
    $('my-key').textContent = hex(identity.publicKey)
    showKept()
}
function showKept() {
    const is = kept.get(KEY) !== null
    $('key-kept').textContent = is ? 'It is kept in this browser: whoever can use this browser can use it.' : 'It is gone when the page is closed.'
    $('keep').textContent = is ? 'Do not keep it any longer' : 'Keep it in this browser'
}
$('keep').addEventListener('click', () => {
    kept.set(KEY, kept.get(KEY) === null ? hex(identity.exportSeed()) : null)
    showKept()
})
$('new-key').addEventListener('click', async () => {
    kept.set(KEY, null)
    await useKey()
    state('You have a new key. The others do not know it yet.')
})

// ---- the form ----
const mode = () => $('form').elements.mode.value
const showMode = () => ($('for-chat').hidden = mode() !== 'chat')
$('form').addEventListener('change', showMode)

$('new-room').addEventListener('click', () => {
    $('room').value = hex(crypto.getRandomValues(new Uint8Array(32)))
    $('form').elements.role.value = 'server'
    state('A new room is made. Send the link to the other person, then press Connect.')
})
$('copy-link').addEventListener('click', async () => {
    const link = new URL(location.href)
    link.hash = new URLSearchParams({ address: $('address').value, room: $('room').value })
    try {
        await navigator.clipboard.writeText(link.href)
        state('The link is copied. Send it to the other person, by a way that you trust to reach nobody else.')
    } catch {
        location.hash = link.hash
        state('The link is in the address line of the browser: copy it from there.')
    }
})
function readLink() { // who opens the link of another one calls
    const given = new URLSearchParams(location.hash.slice(1))
    if (!given.has('room')) return
    $('address').value = given.get('address') ?? ''
    $('room').value = given.get('room')
    $('form').elements.mode.value = 'chat'
    $('form').elements.role.value = 'client'
}

// ---- the link ----
// Opens the WebSocket; with a room, says to the transit relay which one it is, and waits for the other party. (The protocol is that of
// magic-wormhole: both send one line, and get "ok" when both are there.)
function openSocket(address) {
    let socket
    try {
        socket = new WebSocket(address)
    } catch (error) {
        throw new Error(error.name === 'SecurityError' ? 'This page came by https, so the address must begin with wss://.' : 'This is no address of a WebSocket. It looks like ws://host:port/ or wss://host/path.')
    }
    socket.binaryType = 'arraybuffer'
    return socket
}
function enterRoom(socket, room, signal) {
    const side = hex(crypto.getRandomValues(new Uint8Array(8)))
    let line = ''
    return new Promise((resolve, reject) => {
        const ended = (event) => reject(new SvconnError('absent', '', { cause: new Error(`code ${event.code}`) }))
        const refused = () => {
            socket.close()
            reject(new Error('The relay refused, or it is no transit relay. Is the address right?'))
        }
        const joined = (rest) => {
            socket.removeEventListener('message', first)
            socket.removeEventListener('close', ended)
            const readable = new ReadableStream({
                start(out) {
                    if (rest.length) out.enqueue(rest)
                    socket.addEventListener('message', ({ data }) => out.enqueue(new Uint8Array(data)))
                    socket.addEventListener('close', () => out.close())
                },
            })
            const writable = new WritableStream({ write: (bytes) => socket.send(bytes), close: () => socket.close(), abort: () => socket.close() })
            resolve({ readable, writable })
        }
        const first = ({ data }) => {
            const bytes = new Uint8Array(data), end = bytes.indexOf(10)
            line += decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
            if (end < 0 && line.length < 100) return
            if (line === 'ok') joined(bytes.slice(end + 1))
            else refused()
        }
        signal.addEventListener('abort', () => (socket.close(), reject(signal.reason)))
        socket.addEventListener('open', () => {
            socket.send(encoder.encode(`please relay ${room} for side ${side}\n`))
            state('The relay is there. Waiting for the other side to come into the room …')
        })
        socket.addEventListener('message', first)
        socket.addEventListener('close', ended)
    })
}

// ---- the question about a key ----
function ask(peer, signal) {
    const dialog = $('question')
    $('question-fingerprint').textContent = peer.fingerprint
    $('remember').checked = false
    state('Somebody is there. Is it the right one?')
    return new Promise((resolve) => {
        const answer = (yes) => {
            for (const [target, name, f] of listeners) target.removeEventListener(name, f)
            dialog.close()
            if (yes) {
                known.add(hex(peer.publicKey))
                if ($('remember').checked) kept.set(KNOWN, [...new Set([...(kept.get(KNOWN) ?? '').split(' ').filter(Boolean), hex(peer.publicKey)])].join(' '))
            }
            resolve(yes)
        }
        const listeners = [[$('yes'), 'click', () => answer(true)], [$('no'), 'click', () => answer(false)],
            [dialog, 'cancel', () => answer(false)], [signal, 'abort', () => answer(false)]] // Escape is a No
        for (const [target, name, f] of listeners) target.addEventListener(name, f)
        dialog.showModal()
    })
}

// ---- one connection ----
let connection, stop // stop: ends what goes on
const QUESTION_MS = 120000 // people compare digits slowly

$('form').addEventListener('submit', (event) => {
    event.preventDefault()
    run().catch((error) => trouble(advice(error)))
})
$('disconnect').addEventListener('click', () => {
    const now = connection, enough = () => stop?.abort(new DOMException('', 'AbortError'))
    if (!now) return enough()
    now.close().catch(() => {}) // run() tells what happened
    setTimeout(() => now === connection && enough(), 3000)
})

// Who leaves says so. Firefox takes the socket away before it says that the page goes; others do not say before that it will.
for (const leaving of ['beforeunload', 'pagehide'])
    addEventListener(leaving, () => (connection ? connection.end().catch(() => {}) : stop?.abort(new DOMException('', 'AbortError'))))

function busy(is) {
    $('connect').disabled = $('new-key').disabled = is
    $('disconnect').disabled = !is
}

async function run() {
    const address = $('address').value.trim(), room = $('room').value.trim().toLowerCase(), chat = mode() === 'chat'
    const role = chat ? $('form').elements.role.value : 'client'
    trouble('')
    if (room ? !/^[0-9a-f]{64}$/.test(room) : chat) {
        $('room').focus()
        return trouble(room ? 'A room is 64 hexadecimal digits. Copy all of them.' : 'A chat needs a room: make a new one, or open the link that you got.')
    }
    busy(true)
    stop = new AbortController()
    let unknown // the answer about a key that is new here: it may come after the other side has given up
    try {
        state(`Calling ${address} …`)
        const socket = openSocket(address)
        const link = room ? await enterRoom(socket, room, stop.signal) : socket
        state('Negotiating keys …')
        connection = await connect(link, {
            role, identity, maxMessage: 16384, handshakeMs: QUESTION_MS, signal: stop.signal,
            context: room ? `\0wormhole ${room}` : '', // as the program has it for wormhole:// links
            accept: (peer) => known.has(hex(peer.publicKey)) || (unknown = ask(peer, stop.signal)),
        })
        await talk(chat)
        state('Disconnected. Both sides have ended it in order.')
    } catch (error) {
        if ($('question').open && !stop.signal.aborted) {
            state('The other side has not waited for your answer.')
            if (await unknown) return state('Now you know this key. Press Connect again: you will not be asked about it.')
        }
        state('Not connected.')
        trouble(connection && error.code === 'aborted' ? 'The other side broke it off.' : advice(error))
    } finally {
        connection = stop = undefined
        busy(false)
        $('say').hidden = true
        $('connect').focus()
    }
}

function say(who, text) {
    const item = document.createElement('p'), name = document.createElement('b')
    name.textContent = `${who}: `
    item.append(name, text)
    $('log').append(item)
    $('log').scrollTop = $('log').scrollHeight
}

async function talk(chat) {
    $('peer').textContent = connection.peer.fingerprint
    $('digits').textContent = connection.authenticator()
    $('log').replaceChildren()
    $('talk').hidden = $('say').hidden = false
    state(chat ? 'Connected. What you write goes to the other person, and to nobody else.' : 'Connected. The server sends back what you write.')
    $('text').focus()
    for await (const message of connection) say(chat ? 'Other' : 'Echo', decoder.decode(message))
    await connection.close()
}

$('say').addEventListener('submit', async (event) => {
    event.preventDefault()
    const text = $('text').value
    if (!text || !connection) return
    $('text').value = ''
    try {
        await connection.send(encoder.encode(text))
        say('You', text)
    } catch {
        $('text').value = text // run() tells what happened
    }
})

// ---- what went wrong, and what to do ----
const ADVICE = {
    absent: 'Nobody answers there. Is the address right, does the relay run, and is somebody behind it?',
    truncated: 'The link broke. What was shown has arrived; the rest may be lost. Connect again.',
    aborted: 'The other side ended it. Does it know your key? Give it your public key, or your fingerprint, and connect again.',
    version: 'What answers there is something else than svconn. Is the address right? Does the other side wait, and not call too?',
    self: 'The other side has your own key. Perhaps this is the same browser: press “Make a new key” at one of the two.',
    proof: 'The other side could not prove its key for this room. Do both have the same room? If they do, somebody is in between.',
    refused: 'You said that you do not know this key, so nothing was sent. Ask the other side for its fingerprint.',
    timeout: 'It took too long. At one side the question about the key may still be open. If both wait, or both call, one must choose the other way.',
    silent: 'Nothing was heard of the other side for a minute. Is one of the two offline? Connect again.',
    tag: 'What came was changed on its way, so the connection was ended. If this happens again, do not trust the relay.',
}
function advice(error) {
    if (error?.name === 'AbortError') return 'You stopped it.'
    if (!(error instanceof SvconnError)) return error?.message || String(error)
    return ADVICE[error.code] ?? `${error.message} (${error.code})`
}

// ---- here it begins ----
try {
    readLink()
    showMode()
    busy(false)
    const seed = kept.get(KEY)
    await useKey(seed && /^[0-9a-f]{64}$/.test(seed) ? unhex(seed) : null)
    state('Not connected.')
} catch (error) {
    state('The page cannot work.')
    trouble(`${error.message}. Are all files of the page there, and is the browser up to date?`)
}
