// SPDX-License-Identifier: ISC
// svconn: authenticated, encrypted messages over any link that carries bytes. README.md has examples.

/** Bytes: they are copied, and may be changed when the call, or its promise, is done. */
export type Bytes = Uint8Array | ArrayBuffer | ArrayBufferView;

/**
 * Loads svconn-simd.wasm from beside svconn.js, or svconn.wasm where the engine has no vectors; or one of the two from somewhere else, or
 * as it is given. Every function that makes an identity does this first; so it is needed only to say where, or to be early.
 */
export function load(source?: URL | string | ArrayBuffer | ArrayBufferView | WebAssembly.Module): Promise<void>;

/**
 * What went wrong in a session. The code is a short name, the message a sentence that says what to look at.
 * Failures end the session: absent truncated aborted version format limit type key self unknown proof dh seal padding refused confirm tag
 * key-id key-limit control after-close timeout silent cancelled (spec/vectors.md; svc/svconn.h). Mistakes of the caller leave it as it was:
 * argument state size seed unsupported. In a connection, cause is what the link had to say, if it had.
 */
export class SvconnError extends Error {
    readonly name: 'SvconnError';
    readonly code: string;
}

// ---- identities ----

/** What is known of a party: who it says it is, which is proven when accept is called (custom: by you, there). */
export type Peer =
    | { type: 'ed25519'; identity: Uint8Array; publicKey: Uint8Array; fingerprint: string }
    | { type: 'psk'; identity: Uint8Array; name: string; fingerprint: string }
    | { type: 'custom'; identity: Uint8Array; fingerprint: string };

/** The same, when it is to be accepted. custom: proof is to be verified over message, by the rules of that type. */
export type Candidate = Exclude<Peer, { type: 'custom' }> | (Extract<Peer, { type: 'custom' }> & { proof: Uint8Array; message: Uint8Array });

/** Who we are. Its secret lies in the memory of the WebAssembly module and nowhere else. */
export class Identity {
    private constructor();
    /** A new Ed25519 key. */
    static generate(): Promise<Identity>;
    /** An Ed25519 key from its seed, the 32 bytes of exportSeed(). */
    static fromSeed(seed: Bytes): Promise<Identity>;
    /** A pre-shared key: 32 random bytes, never a password. The names of the two parties differ; at most 64 bytes. */
    static psk(key: Bytes, name: string | Bytes): Promise<Identity>;
    /** The application's own kind: the first byte is its type, 0x80 to 0xff. Connections call prove for each proof. */
    static custom(identity: Bytes): Promise<Identity>;

    readonly type: 'ed25519' | 'psk' | 'custom';
    /** Type and body: what the peer will see. */
    readonly identity: Uint8Array;
    /** 30 digits in groups of 5, for people. */
    readonly fingerprint: string;
    /** of an Ed25519 key */
    readonly publicKey?: Uint8Array;
    /** of a pre-shared key */
    readonly name?: string;

    /** The seed of an Ed25519 key, to be kept in a safe place. The copy is yours to erase. */
    exportSeed(): Uint8Array;
    /** Erases the secret; if sessions still use it, as soon as the last of them is wiped. */
    wipe(): void;
}

/** The fingerprint of identity bytes, as Peer and Identity have it. */
export function fingerprint(identity: Bytes): string;

// ---- connections ----

/**
 * What carries the bytes; connect takes it over, and closes it. A WebSocket (also of the package ws, and one that is not open yet); two
 * streams of bytes, such as those of WebTransport and WebSocketStream; or a Duplex of Node.js, such as a net.Socket. Hand it over at once:
 * what it receives before is lost.
 */
export type Link = WebSocketLike | { readable: ReadableStream<any>; writable: WritableStream<any> } | DuplexLike;

export interface WebSocketLike {
    binaryType: string;
    readonly readyState: number;
    readonly bufferedAmount: number;
    addEventListener(type: any, listener: (event: any) => void): void;
    send(data: Uint8Array): void;
    close(code?: number): void;
}
export interface DuplexLike {
    readonly destroyed: boolean;
    readonly readableEnded: boolean;
    on(event: string, listener: (...args: any[]) => void): unknown;
    read(): any;
    write(data: Uint8Array, callback: (error?: Error | null) => void): boolean;
    end(callback: () => void): unknown;
    destroy(): unknown;
}

export interface SessionOptions {
    /** The client called, the server was called. */
    role: 'client' | 'server';
    identity: Identity;
    /** Both ends agree on it beforehand; at most 255 bytes. */
    context?: string | Bytes;
    /** Kinds of peers that are taken; default: the same kind as our own identity. */
    peerTypes?: Array<'ed25519' | 'psk' | 'custom'>;
    /** Server: hide our key from those who do not know it (Ed25519 only). */
    hidden?: boolean;
    /** Client: public keys that a hidden server may have; servers that are not hidden connect as well. */
    knownServers?: Bytes[];
    /** Client: may it send before the server has confirmed? spec/protocol.md, section 3.8. */
    early?: 'if-safe' | 'never' | 'always';
    /** Client: pad our identity and proof to a multiple of so many bytes. */
    padTo?: number;
    /** Longest message in bytes, in both directions; default and largest 65535. A session takes twice as much memory. */
    maxMessage?: number;
    /** Renew our key after so many; default and largest 2^20, 2^30, 120000. */
    renewRecords?: number;
    renewBytes?: number;
    renewMs?: number;
    /** Deadlines in milliseconds, Infinity for none; default 10000, 20000, 60000. */
    handshakeMs?: number;
    keepaliveMs?: number;
    silenceMs?: number;
    /** A monotonic clock in milliseconds; default performance.now. */
    clock?: () => number;
}

export interface ConnectOptions extends Omit<SessionOptions, 'role' | 'early'> {
    /** default: client */
    role?: 'client' | 'server';
    /**
     * Is the peer welcome? Either the public keys that are, or a function; only true lets it in. It may take its time, as far as handshakeMs
     * goes. No message goes either way before. A client whose server has a custom identity is asked twice: each time there is another
     * proof.
     */
    accept: Bytes[] | ((peer: Candidate) => boolean | Promise<boolean>);
    /** The pre-shared key for the name that a peer says it has; null refuses it. For those whose own identity is of another kind. */
    psk?: (peer: Peer) => Bytes | null | Promise<Bytes | null>;
    /** Signs for our custom identity. */
    prove?: (message: Uint8Array) => Bytes | Promise<Bytes>;
    /** Ends the connection at once, at any time; its reason is what the promises are rejected with. */
    signal?: AbortSignal;
}

/**
 * Negotiates, and asks accept. Rejects with a SvconnError, or with what accept, psk or prove threw; the link is closed within a second
 * then. Options that make no sense leave it open.
 */
export function connect(link: Link, options: ConnectOptions): Promise<Connection>;

export interface Connection extends AsyncIterable<Uint8Array> {
    readonly peer: Peer;
    /** Done when the session has taken the message; the next one waits as long as the link is full. */
    send(message: Bytes): Promise<void>;
    /** The next message; null when the peer has closed in order. As long as nobody asks for messages, the peer is slowed down. */
    receive(): Promise<Uint8Array | null>;
    /** The same as a loop: for await (const message of connection). Leaving the loop early closes. */
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined>;
    /** We send nothing more; the peer may. */
    end(): Promise<void>;
    /** end(), and what the peer still sends is dropped. Done when both have closed; rejects if it did not end in order. */
    close(): Promise<void>;
    /** Ends it at once. The promises that wait are rejected with the reason. */
    abort(reason?: unknown): void;
    /** How it ended: resolves when both have closed in order, rejects with the failure. */
    readonly closed: Promise<void>;
    /** 20 digits in groups of 5 that both ends see: people who compare them know that nobody is between them. */
    authenticator(): string;
    /** A key for another purpose, equal at both ends; 1 to 8160 bytes. */
    exportKey(label: string, context: string | Bytes, length: number): Uint8Array;
    /** The next message that we send has a new key. */
    renew(): void;
    /** For logs */
    readonly keyIds: { sending: number; receiving: number };
}

// ---- a session without input and output: you carry the bytes, and tell it when time has passed ----

export type State = 'none' | 'handshake' | 'needs-proof' | 'needs-psk' | 'needs-verdict' | 'confirming' | 'connected' | 'closed' | 'failed';

/**
 * svc/svconn.h as it is; docs/states.md says what may be called when. Every method throws a SvconnError: a mistake of the caller, or the
 * failure of the session, which is then over. What is in wireOut() is still to be sent.
 */
export class Session {
    constructor(options: SessionOptions);
    readonly state: State;
    readonly error: SvconnError | null;
    readonly peer: Peer | null;

    /** Takes bytes from the link; fewer than there are only if the session waits for you. */
    wireIn(data: Bytes): number;
    /** The link has ended. */
    wireEnd(): void;
    /** Bytes for the link; none: length 0. They count as sent. */
    wireOut(): Uint8Array;
    /** Call when the time that it returns has come (by the clock), or more often. */
    tick(): number;

    accept(): void;
    refuse(): void;
    givePsk(key: Bytes): void;
    proofMessage(): Uint8Array;
    prove(proof: Bytes): void;
    peerProof(): { proof: Uint8Array; message: Uint8Array };

    /** false: no room now, carry what is in wireOut(). */
    send(message: Bytes): boolean;
    /** undefined: none is there; null: the peer has closed. */
    receive(): Uint8Array | null | undefined;
    close(): void;
    abort(): void;
    renew(): void;

    authenticator(): string;
    exportKey(label: string, context: string | Bytes, length: number): Uint8Array;
    readonly keyIds: { sending: number; receiving: number };

    /** Erases it, in any state. */
    wipe(): void;
}
