/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A session without input or output: bytes go in and out, messages go in and out, time is told. This is for links that
 * are no streams, such as a GATT characteristic; over streams use {@link SvconnSocket}.
 *
 * <p>Any thread may call anything at any time; calls wait for each other and never for the link. After {@link #close}
 * they throw IllegalStateException. Close it: the memory is not Java's, and no collector frees it.
 *
 * <p>Faults of the caller are unchecked exceptions (IllegalArgumentException, IllegalStateException) and leave the
 * session as it was. A {@link SvconnException} is a failure: final, the keys are gone, and what wireOut still gives is
 * to be sent before the link is closed.
 *
 * <p>Time is any monotonic clock in milliseconds, not negative.
 */
public final class SvconnEngine extends Handle {
    /** In the order of svconn_state. */
    public enum State { NONE, HANDSHAKE, NEEDS_PROOF, NEEDS_PSK, NEEDS_VERDICT, CONFIRMING, CONNECTED, CLOSED, FAILED }

    private static final State[] STATES = State.values();

    private boolean ended; /* receive() met the peer's CLOSE */

    /**
     * @param seed 32 fresh random bytes of a java.security.SecureRandom; filled with zeros here
     */
    public SvconnEngine(SvconnConfig config, byte[] seed) {
        if (seed.length != 32) throw new IllegalArgumentException("a seed has 32 bytes");
        long[] out = new long[1];
        int code;
        try {
            synchronized (config.identity) {
                code = Native.open(
                    config.identity.handle(), seed, config.numbers(), config.context, config.knownServers, out);
            }
        } finally {
            Arrays.fill(seed, (byte) 0);
        }
        if (code < 0) throw new OutOfMemoryError("svconn session");
        if (code != Native.OK) throw new IllegalArgumentException("svconn: " + Native.text(code));
        own(out[0]);
    }

    @Override
    void free(long h) {
        Native.close(h);
    }

    /** Sessions and identities that are open in this process: for tests. */
    public static int live() {
        return Native.live(0);
    }

    /* ---- what it is and knows ---- */

    public synchronized State status() {
        return STATES[Native.status(handle())];
    }

    /** No more messages come, and none can be sent: CLOSED or FAILED. */
    public synchronized boolean isOver() {
        State s = status();
        return s == State.CLOSED || s == State.FAILED;
    }

    /** The failure, or null. */
    public synchronized SvconnException failure() {
        int code = Native.error(handle());
        return code == Native.OK ? null : new SvconnException(code);
    }

    /** The peer's identity, type and body; null if it is not known yet. Until it was accepted it is a claim. */
    public synchronized byte[] peer() {
        return Native.peer(handle());
    }

    /** At NEEDS_VERDICT: the peer is welcome. */
    public synchronized void accept() throws SvconnException {
        Native.check(Native.verdict(handle(), true));
    }

    /** At NEEDS_VERDICT: it is not, and the session fails. */
    public synchronized void refuse() throws SvconnException {
        Native.check(Native.verdict(handle(), false));
    }

    /** At NEEDS_PROOF, with a custom identity of our own: what is to be signed, at most 64 bytes. */
    public synchronized byte[] proofMessage() throws SvconnException {
        byte[] message = Native.proofMessage(handle());
        if (message == null) Native.check(Native.E_STATE);
        return message;
    }

    /** At NEEDS_PROOF: the proof. One that does not fit into the send buffer is an IllegalArgumentException. */
    public synchronized void prove(byte[] proof) throws SvconnException {
        if (proof == null) throw new NullPointerException("proof");
        Native.check(Native.prove(handle(), proof));
    }

    /** At NEEDS_VERDICT, for a custom type: the peer's proof, and in [1] what it must cover. */
    public synchronized byte[][] peerProof() throws SvconnException {
        byte[] proof = Native.peerProof(handle());
        if (proof == null) Native.check(Native.E_STATE);
        return new byte[][] {proof, Native.peerProofMessage(handle())};
    }

    /** At NEEDS_PSK: the 32 bytes that belong to the name in {@link #peer}. The array stays the caller's. */
    public synchronized void givePsk(byte[] psk) throws SvconnException {
        if (psk == null) throw new NullPointerException("psk");
        Native.check(Native.givePsk(handle(), psk));
    }

    /** A key for another purpose, the same at both ends: 1 to 8160 bytes. context: at most messageMax bytes. */
    public synchronized byte[] export(String label, byte[] context, int len) throws SvconnException {
        byte[] name = label.getBytes(StandardCharsets.UTF_8);
        if (name.length > 255 || label.indexOf('\0') >= 0) throw new IllegalArgumentException("not a label");
        if (len < 1 || len > 8160) throw new IllegalArgumentException("1 to 8160 bytes");
        byte[] key = new byte[len];
        Native.check(Native.export(handle(), name, context, key));
        return key;
    }

    /** 20 digits in groups of 5 for two people to compare: equal at both ends of one session, and only there. */
    public synchronized String authenticator() {
        String digits = Native.authenticator(handle());
        if (digits == null) throw new IllegalStateException("not connected");
        return digits;
    }

    /** 30 digits in groups of 5 for an identity: type and body, at most 65 bytes. */
    public static String fingerprint(byte[] identity) {
        if (identity.length < 1 || identity.length > 65) throw new IllegalArgumentException("not an identity");
        return Native.fingerprint(identity);
    }

    /** The numbers of the keys in use, sending and receiving: for logs. */
    public synchronized int[] keyIds() {
        int both = Native.keyIds(handle());
        return new int[] {both >>> 16, both & 0xffff};
    }

    /* ---- the link ---- */

    private static void inside(byte[] bytes, int offset, int len) {
        if (offset < 0 || len < 0 || len > bytes.length - offset)
            throw new IndexOutOfBoundsException(offset + " + " + len + " in " + bytes.length);
    }

    private static long time(long now) {
        if (now < 0) throw new IllegalArgumentException("time is not negative");
        return now;
    }

    private static int count(int n) throws SvconnException {
        if (n < 0) Native.check(-n);
        return n;
    }

    /** Bytes from the link. Says how many it took: fewer only while it waits for accept() or receive(). */
    public synchronized int wireIn(byte[] bytes, int offset, int len, long now) throws SvconnException {
        inside(bytes, offset, len);
        return count(Native.wireIn(handle(), bytes, offset, len, time(now)));
    }

    /** The link has ended. If messages are still here they come first, and the failure behind them. */
    public synchronized void wireEof() throws SvconnException {
        Native.check(Native.wireEof(handle()));
    }

    /** Bytes for the link, which count as sent now; 0: there are none. */
    public synchronized int wireOut(byte[] bytes, int offset, int max) {
        inside(bytes, offset, max);
        int n = Native.wireOut(handle(), bytes, offset, max);
        if (n < 0) throw new IllegalStateException("svconn: " + Native.text(-n));
        return n;
    }

    /** Deadlines and keep-alives. Says when it is to be called again; Long.MAX_VALUE: never. */
    public synchronized long tick(long now) throws SvconnException {
        long next = Native.tick(handle(), time(now));
        if (next < 0) Native.check((int) -next);
        return next;
    }

    /* ---- messages ---- */

    /** True: the message is in the send buffer, all of it. False: there is no room now. */
    public synchronized boolean send(byte[] msg, int offset, int len, long now) throws SvconnException {
        inside(msg, offset, len);
        int code = Native.send(handle(), msg, offset, len, time(now));
        if (code == Native.E_STATE) failIfFailed();
        Native.check(code);
        return code == Native.OK;
    }

    /** The next message; null: none is there, see {@link #isEnded}. What came before a failure comes first. */
    public synchronized byte[] receive() throws SvconnException {
        int len = Native.recvLength(handle());
        if (len < 0) {
            ended = len == -Native.END;
            Native.check(-len);
            return null;
        }
        byte[] msg = new byte[len];
        Native.check(Native.recv(handle(), msg));
        return msg;
    }

    /** The peer has closed in order, and all that it sent was received. */
    public synchronized boolean isEnded() {
        handle();
        return ended;
    }

    /** We send nothing more (CLOSE). The peer may: receive on until isEnded. */
    public synchronized void finish(long now) throws SvconnException {
        Native.check(Native.finish(handle(), time(now)));
    }

    /** Ends it at once; the peer is told. */
    public synchronized void abort() {
        Native.abort(handle());
    }

    /** The next record that we send has a new key. */
    public synchronized void renew() throws SvconnException {
        int code = Native.renew(handle());
        if (code == Native.E_STATE) failIfFailed();
        Native.check(code);
    }

    private void failIfFailed() throws SvconnException {
        SvconnException e = failure();
        if (e != null) throw e;
    }
}
