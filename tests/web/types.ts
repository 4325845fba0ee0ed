// SPDX-License-Identifier: ISC
// What a program in TypeScript may write with svconn.d.ts; tsc looks at it and does not run it.
import { connect, load, fingerprint, Identity, Session, SvconnError, type Connection, type Candidate, type DuplexLike, type Peer } from 'svconn'

export async function browser(socket: WebSocket, trusted: Uint8Array): Promise<string> {
    const connection: Connection = await connect(socket, { identity: await Identity.generate(), accept: [trusted] })
    await connection.send(new Uint8Array(3))
    for await (const message of connection) console.log(message.length)
    await connection.close()
    return connection.authenticator()
}

export async function server(socket: DuplexLike): Promise<void> {
    await load(new URL('https://example.org/svconn.wasm'))
    const identity = await Identity.psk(new Uint8Array(32), 'server')
    const accept = async (peer: Candidate) =>
        peer.type === 'custom' ? peer.proof.length > 0 : peer.type === 'psk' ? peer.name === 'client' : peer.publicKey.length === 32
    const connection = await connect(socket, { role: 'server', identity, accept, keepaliveMs: Infinity, signal: new AbortController().signal })
    const message: Uint8Array | null = await connection.receive()
    if (message) await connection.send(message)
    connection.closed.catch((error: unknown) => error instanceof SvconnError && console.log(error.code))
}

export function session(identity: Identity): void {
    const s = new Session({ role: 'client', identity, context: 'tie', peerTypes: ['psk'] })
    const message: Uint8Array | null | undefined = s.receive()
    const peer: Peer | null = s.peer
    if (peer) console.log(fingerprint(peer.identity), message)
    if (s.tick() < Infinity) s.wireIn(s.wireOut())
    // @ts-expect-error: bytes are wanted
    s.send('text')
    // @ts-expect-error: there is no such role
    new Session({ role: 'both', identity })
    // @ts-expect-error: it is made by its functions
    new Identity()
    // @ts-expect-error: accept is wanted
    connect(null as any, { identity })
}
