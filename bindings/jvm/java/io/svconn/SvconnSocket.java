/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A session over a pair of streams: those of a java.net.Socket, of a BluetoothSocket, or any that carry bytes in order.
 * It is used like a javax.net.ssl.SSLSocket, and gives whole messages besides.
 *
 * <pre>
 *      try (SvconnSocket s = new SvconnSocket(config, SvconnTrust.keys(theirs), in, out, socket)) {
 *          s.getOutputStream().write(bytes);          // as a stream ...
 *          s.getInputStream().read(buffer);           // -1: the peer has closed
 *          s.send(message);                           // ... or as messages
 *          byte[] answer = s.receive();               // null: the peer has closed
 *      }
 * </pre>
 *
 * <p><b>The end.</b> -1 and null mean that the peer has closed in order, and that all it sent was received. A link that
 * ends without that is an IOException, always: a {@link SvconnException} whose reason is "truncated". {@link
 * #shutdownOutput} closes our direction and leaves the other open; {@link #close} closes both, and is a must: memory and
 * keys are not Java's, and no collector frees them. A failure closes the streams by itself, but frees only at close().
 *
 * <p><b>Threads.</b> One thread that reads and one that writes at the same time is the normal case, as with sockets. (Any
 * thread may call anything at any time: calls wait for each other, and several readers or writers share the messages out
 * between them.) A single thread that writes much before it reads can wait for ever for a peer that does the same. An
 * interrupt ends a call that waits with an InterruptedIOException, and nothing else; but it ends a handshake.
 *
 * <p><b>Failures</b> are a SvconnException: also of a call that waits, or comes, when another thread closed the socket
 * ("cancelled"). Faults of the caller are IllegalArgumentException and IllegalStateException.
 *
 * <p>How it works: a blocking read cannot be given a time, and a blocking write can take for ever. So there are three
 * threads from the handshake on. One reads, one writes, and one keeps the time and never touches the streams but to close
 * them, which is what ends the other two. All share the session under one lock, which nobody holds while reading or
 * writing. After a failure the error packet is written, what still comes is read and dropped for up to a second (closed
 * with bytes unread, TCP takes the packet back), and then the streams are closed.
 */
public final class SvconnSocket implements Closeable {
    private static final int LAST_WORD_MS = 1000; // for the error packet
    private static final int LAST_WORD_BYTES = 1 << 20;
    private static final int OUT_ENDED_MS = 2000; // a peer that takes no more may say so long why
    private static final int ABSENCE_MS = 1000; // the process slept: read before deadlines are looked at
    private static final int STALL_MS = 10000; // our last bytes may stand still for so long
    private static final int LINGER_MS = 1000; // until the peer, who closed first, ends the link
    private static final long START = System.nanoTime();

    private final InputStream in;
    private final OutputStream out;
    private final Closeable link;
    private final SvconnTrust trust;
    private final SvconnIdentity.Prover prover;
    private final int closeMs, messageMax;
    private final InputStream input = new Input();
    private final OutputStream output = new Output();

    private final ReentrantLock lock = new ReentrantLock(); // for all that follows
    private final Condition changed = lock.newCondition(); // callers wait here
    private final Condition room = lock.newCondition(); // the reader: the session can take more
    private final Condition writable = lock.newCondition(); // the writer
    private final Condition due = lock.newCondition(); // the keeper of time
    private final SvconnEngine session;
    private boolean started, connected, closing, freed;
    private boolean inEnded, outEnded, linkClosing, linkClosed;
    private boolean allWritten; // since the session is over
    private boolean second; // the peer closed before we did: our CLOSE is the last that goes over the link
    private boolean hurry; // close() waits no longer
    private long outEndedAt, wroteAt;
    private long overAt = -1; // when the session was found CLOSED or FAILED
    private long dropped;
    private Thread asking; // the one that does the handshake, while the application answers
    private volatile byte[] peer; // whom the trust accepted: the session keeps no long ones
    private int soTimeout;
    private byte[] part; // a message that the input stream began, from partAt on; null: none
    private int partAt;

    /** Over a socket that is connected: a Role.CLIENT called, a Role.SERVER accepted. */
    public SvconnSocket(SvconnConfig config, SvconnTrust trust, Socket socket) throws IOException {
        this(config, trust, socket.getInputStream(), socket.getOutputStream(), socket);
    }

    /**
     * @param trust who is welcome; null: nobody
     * @param link closed with the streams, before them: the socket; may be null if closing a stream ends a read and a
     *     write that wait, as those of sockets do
     */
    public SvconnSocket(SvconnConfig config, SvconnTrust trust, InputStream in, OutputStream out, Closeable link) {
        if (in == null || out == null) throw new IllegalArgumentException("two streams are needed");
        this.in = in;
        this.out = out;
        this.link = link;
        this.trust = trust;
        this.prover = config.identity.prover;
        this.closeMs = config.closeMs;
        this.messageMax = config.messageMax;
        byte[] seed = new byte[32];
        new SecureRandom().nextBytes(seed);
        session = new SvconnEngine(config, seed); // fills seed with zeros
    }

    private static long now() {
        return (System.nanoTime() - START) / 1000000;
    }

    /* ---- for callers -------------------------------------------------------------------------------------------- */

    /**
     * Until connected. The trust and the prover are asked on this thread. The first call that reads or writes does it too;
     * here failures can be told from later ones, and {@link #peer} and {@link #authenticator} looked at before anything is
     * sent.
     */
    public void startHandshake() throws IOException {
        lock.lock();
        try {
            connect();
        } finally {
            lock.unlock();
        }
    }

    /**
     * What the peer sends, as a stream of bytes: the messages, one behind the other. Reads wait for at least one byte.
     * close() closes the socket.
     */
    public InputStream getInputStream() {
        return input;
    }

    /**
     * Each write is a message (or as many as it takes), and is on its way when it returns: there is nothing to flush. Put
     * a BufferedOutputStream around it for small writes: each message costs 16 bytes. close() closes the socket.
     */
    public OutputStream getOutputStream() {
        return output;
    }

    /** A read or receive() that waits longer throws SocketTimeoutException, and the session goes on. 0: for ever. */
    public void setSoTimeout(int ms) {
        if (ms < 0) throw new IllegalArgumentException("negative");
        lock.lock();
        soTimeout = ms;
        lock.unlock();
    }

    /** Returns when the message is in the send buffer, whole; a thread of ours writes it. 0 to messageMax bytes. */
    public void send(byte[] msg) throws IOException {
        send(msg, 0, msg.length);
    }

    public void send(byte[] msg, int offset, int len) throws IOException {
        lock.lock();
        try {
            for (;;) {
                connect();
                boolean sent = session.send(msg, offset, len, now());
                writable.signal();
                if (sent) return;
                await(Long.MAX_VALUE);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the next message; the array is the caller's. null: the peer has closed, in order, and all that it sent was
     * received. Of a message that the input stream began it gives the rest.
     */
    public byte[] receive() throws IOException {
        lock.lock();
        try {
            if (part == null) return next();
            byte[] rest = Arrays.copyOfRange(part, partAt, part.length);
            forgetPart();
            return rest;
        } finally {
            lock.unlock();
        }
    }

    /** We send nothing more, and the peer learns it; read on until the end. */
    public void shutdownOutput() throws IOException {
        lock.lock();
        try {
            connect();
            finishSession();
        } finally {
            lock.unlock();
        }
    }

    /** Ends it at once: the peer gets the error packet. Calls that wait throw. close() is still needed. */
    public void abort() {
        lock.lock();
        try {
            if (freed) return;
            session.abort();
            look();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends in order: sends what is in the buffer and CLOSE, waits for the peer's CLOSE (messages that still come are
     * dropped), closes the streams, erases and frees. Waits for the peer at most closeMs, and for the streams at most
     * three seconds more. A session that is not connected is aborted. Throws if both were connected and only this call
     * finds that the peer did not close in order: it may not have received all.
     */
    @Override
    public void close() throws IOException {
        SvconnException why = null;
        lock.lock();
        try {
            if (closing) {
                while (!freed) changed.awaitUninterruptibly();
                return;
            }
            closing = true;
            changed.signalAll();
            try {
                boolean failedBefore = session.failure() != null;
                if (started) why = end();
                if (failedBefore || !connected) why = null;
            } finally {
                session.close();
                forgetPart();
                freed = true;
                signalAll();
            }
        } finally {
            lock.unlock();
        }
        closeLink(); // if the keeper of time was never started, or is stuck
        if (why != null) throw why;
    }

    /** The peer's identity, type and body; null if it is not known yet. Until the handshake is over it is a claim. */
    public byte[] peer() {
        byte[] now = session.peer();
        return now == null && peer != null ? peer.clone() : now;
    }

    /** See {@link SvconnEngine#authenticator}. */
    public String authenticator() {
        return session.authenticator();
    }

    /** See {@link SvconnEngine#export}. */
    public byte[] export(String label, byte[] context, int len) throws SvconnException {
        return session.export(label, context, len);
    }

    /** See {@link SvconnEngine#keyIds}. */
    public int[] keyIds() {
        return session.keyIds();
    }

    /** The next record that we send has a new key. */
    public void renew() throws SvconnException {
        session.renew();
    }

    /* ---- with the lock ------------------------------------------------------------------------------------------ */

    private static SvconnException cancelled() {
        return new SvconnException(Native.E_CANCELLED);
    }

    private static void start(String name, Runnable work) {
        Thread t = new Thread(work, name);
        t.setDaemon(true);
        t.start();
    }

    private void await(long until) throws InterruptedIOException {
        try {
            if (until == Long.MAX_VALUE) changed.await();
            else if (now() >= until) throw new SocketTimeoutException("nothing came in time; the session goes on");
            else changed.await(until - now(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted; the session goes on");
        }
    }

    /** The handshake, or until another thread has done it. */
    private void connect() throws IOException {
        if (Thread.currentThread() == asking) throw new IllegalStateException("the handshake is not over");
        if (!started && !closing) {
            started = true;
            start("svconn-read", this::read);
            start("svconn-write", this::write);
            start("svconn-time", this::keepTime);
            try {
                while (!answered()) await(Long.MAX_VALUE);
                connected = true;
                changed.signalAll();
            } catch (InterruptedIOException e) {
                abort();
                throw e;
            }
        }
        for (;;) {
            if (closing) throw cancelled();
            if (connected) return;
            SvconnException why = session.failure();
            if (why != null) throw why;
            await(Long.MAX_VALUE);
        }
    }

    private byte[] next() throws IOException {
        connect();
        long until = soTimeout == 0 ? Long.MAX_VALUE : now() + soTimeout;
        for (;;) {
            connect();
            byte[] msg = session.receive();
            room.signal();
            look();
            if (msg != null) return msg;
            if (session.isEnded()) return null;
            await(until);
        }
    }

    private void forgetPart() {
        if (part != null) Arrays.fill(part, (byte) 0);
        part = null;
    }

    private void signalAll() {
        changed.signalAll();
        room.signalAll();
        writable.signalAll();
        due.signalAll();
    }

    /** After anything that may have changed the state of the session. */
    private void look() {
        changed.signalAll();
        if (overAt < 0 && session.isOver()) {
            overAt = now();
            signalAll();
        }
    }

    private void finishSession() throws SvconnException {
        session.finish(now());
        second = session.status() == SvconnEngine.State.CLOSED;
        writable.signal();
        look();
    }

    /** Goes on with the handshake as far as it is our turn. True: connected. */
    private boolean answered() throws IOException {
        if (closing) throw cancelled();
        switch (session.status()) {
            case CONNECTED:
            case CLOSED:
                due.signal(); // other deadlines than before
                return true;
            case FAILED:
                throw session.failure();
            case NEEDS_VERDICT:
            case NEEDS_PSK:
            case NEEDS_PROOF:
                ask();
                return answered();
            default:
                return false;
        }
    }

    /** What the session wants to know, from the application. The lock is given back meanwhile: it may take long. */
    private void ask() throws IOException {
        SvconnEngine.State question = session.status();
        byte[] known = session.peer(), identity = known == null ? peer : known, answer = null;
        byte[][] proof = question == SvconnEngine.State.NEEDS_VERDICT ? session.peerProof() : null;
        byte[] message = question == SvconnEngine.State.NEEDS_PROOF ? session.proofMessage() : null;
        boolean good = false, done = false;
        asking = Thread.currentThread();
        lock.unlock();
        try {
            if (message != null) answer = prover.prove(message);
            else if (trust != null && proof == null) answer = trust.psk(identity);
            else if (trust != null) good = isWelcome(identity, proof);
        } finally {
            lock.lock();
            asking = null;
            try {
                if (!freed && session.status() == question) {
                    if (good) session.accept();
                    else if (message != null && answer != null) session.prove(answer);
                    else if (message != null) session.abort();
                    else if (answer != null) session.givePsk(answer);
                    else session.refuse();
                }
                done = true;
            } finally {
                if (message == null && answer != null) Arrays.fill(answer, (byte) 0);
                if (!done && !freed) session.abort(); // an answer of the wrong size
                writable.signal();
                room.signal();
                look();
            }
        }
    }

    private boolean isWelcome(byte[] identity, byte[][] proof) throws IOException {
        if (identity[0] < 0 && !trust.isProven(identity.clone(), proof[0], proof[1])) return false;
        if (peer == null && !trust.accepts(identity.clone())) return false;
        peer = identity;
        return true;
    }

    /** The rest of close(): until the keeper of time has closed the link. Says why it was not in order. */
    private SvconnException end() {
        boolean interrupted = false;
        long until = now() + closeMs;
        try {
            if (session.status() == SvconnEngine.State.CONNECTED) finishSession();
            else if (overAt < 0) session.abort();
            while (overAt < 0 && now() < until) {
                drop();
                if (overAt < 0) interrupted |= pause(changed, until);
            }
        } catch (SvconnException e) {
            // failure() has it
        }
        SvconnException why = session.failure();
        if (overAt < 0) why = new SvconnException(Native.E_TRUNCATED); // in time
        session.abort(); // does nothing if it is over
        look();
        for (until = now() + LINGER_MS + LAST_WORD_MS; !linkClosed && now() < until; )
            interrupted |= pause(changed, until);
        hurry = true;
        due.signal();
        for (until = now() + LAST_WORD_MS; !linkClosed && now() < until; ) interrupted |= pause(changed, until);
        if (interrupted) Thread.currentThread().interrupt();
        return why;
    }

    private void drop() throws SvconnException {
        while (session.receive() != null) {}
        room.signal();
        look();
    }

    /** Until signalled or that time. True: somebody interrupted, which ends nothing here. */
    private static boolean pause(Condition c, long until) {
        try {
            if (until == Long.MAX_VALUE) c.await();
            else c.await(Math.max(until - now(), 1), TimeUnit.MILLISECONDS);
            return false;
        } catch (InterruptedException e) {
            return true;
        }
    }

    /* ---- the streams of the caller ------------------------------------------------------------------------------ */

    private static void inside(byte[] b, int off, int len) {
        if (off < 0 || len < 0 || len > b.length - off) throw new IndexOutOfBoundsException(off + " + " + len + " in " + b.length);
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] b, int off, int len) throws IOException {
            inside(b, off, len);
            if (len == 0) return 0;
            lock.lock();
            try {
                while (part == null) { // an empty message is no byte, and not the end
                    byte[] msg = SvconnSocket.this.next();
                    if (msg == null) return -1;
                    if (msg.length > 0) part = msg;
                    partAt = 0;
                }
                int n = Math.min(len, part.length - partAt);
                System.arraycopy(part, partAt, b, off, n);
                partAt += n;
                if (partAt == part.length) forgetPart();
                return n;
            } finally {
                lock.unlock();
            }
        }

        /** Of the message that was begun. */
        @Override
        public int available() {
            lock.lock();
            try {
                return part == null ? 0 : part.length - partAt;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() throws IOException {
            SvconnSocket.this.close();
        }
    }

    private final class Output extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            send(new byte[] {(byte) b});
        }

        @Override
        public void write(byte[] b, int off, int len) throws IOException {
            inside(b, off, len);
            for (int at = 0; at < len; at += messageMax) send(b, off + at, Math.min(messageMax, len - at));
        }

        @Override
        public void close() throws IOException {
            SvconnSocket.this.close();
        }
    }

    /* ---- the reader --------------------------------------------------------------------------------------------- */

    private void read() {
        byte[] bytes = new byte[8192];
        try {
            for (int n; (n = in.read(bytes)) >= 0; )
                if (!take(bytes, n)) break;
        } catch (IOException | RuntimeException e) {
            // a BluetoothSocket says so that the link has ended, others that it was closed here: the session judges
        } finally {
            lock.lock();
            try {
                inEnded = true;
                tellEnd();
                due.signal();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Into the session; waits while it has no room. False: nothing more is wanted. */
    private boolean take(byte[] bytes, int n) {
        lock.lock();
        try {
            for (int at = 0; at < n; ) {
                if (freed) return false;
                if (session.status() == SvconnEngine.State.FAILED) {
                    dropped += n - at;
                    return dropped < LAST_WORD_BYTES;
                }
                int used = feed(bytes, at, n - at);
                if (used == 0 && overAt < 0) room.awaitUninterruptibly();
                at += used;
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private int feed(byte[] bytes, int at, int n) {
        int used = 0;
        try {
            used = session.wireIn(bytes, at, n, now());
        } catch (SvconnException e) {
            // look() finds it
        }
        writable.signal(); // an answer of the handshake
        look();
        return used;
    }

    private void tellEnd() {
        if (freed) return;
        try {
            session.wireEof();
        } catch (SvconnException e) {
            // look() finds it
        }
        look();
    }

    /* ---- the writer --------------------------------------------------------------------------------------------- */

    private void write() {
        byte[] bytes = new byte[8192];
        try {
            for (int n; (n = next(bytes)) > 0; ) {
                out.write(bytes, 0, n);
                out.flush();
            }
        } catch (IOException | RuntimeException e) {
            // the peer takes no more, or the link was closed here. What can still be read is read: it may say why
        } finally {
            swallow(bytes);
        }
    }

    /** Waits for bytes to be written. 0: there will be none. */
    private int next(byte[] bytes) {
        lock.lock();
        try {
            wroteAt = now();
            for (;;) {
                if (freed) return 0;
                int n = session.wireOut(bytes, 0, bytes.length);
                if (n > 0) {
                    changed.signalAll(); // there is room for those who send
                    return n;
                }
                if (overAt >= 0) {
                    allWritten = true;
                    due.signal();
                    return 0;
                }
                writable.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** What nobody takes counts as sent, until the session is over. */
    private void swallow(byte[] bytes) {
        lock.lock();
        try {
            if (allWritten) return;
            outEnded = true;
            outEndedAt = now();
            due.signal();
        } finally {
            lock.unlock();
        }
        while (next(bytes) > 0) {}
    }

    /* ---- the keeper of time ------------------------------------------------------------------------------------- */

    private void keepTime() {
        try {
            lock.lock();
            try {
                while (overAt < 0 && !freed) sleep(tick());
                lastWord();
            } finally {
                lock.unlock();
            }
        } finally {
            closeLink();
        }
    }

    /** When to look again. */
    private long tick() {
        long next = Long.MAX_VALUE;
        try {
            next = session.tick(now());
        } catch (SvconnException e) {
            // look() finds it
        }
        writable.signal(); // a keep-alive, an error packet
        if (outEnded && now() >= outEndedAt + OUT_ENDED_MS) tellEnd();
        else if (outEnded) next = Math.min(next, outEndedAt + OUT_ENDED_MS);
        look();
        return next;
    }

    private void sleep(long next) {
        if (overAt >= 0) return;
        pause(due, next);
        // The whole process was away. The reader must have had its turn before a deadline is looked at, else a peer that
        // did all it should is found silent.
        if (next != Long.MAX_VALUE && now() > next + ABSENCE_MS) pause(due, now() + ABSENCE_MS);
    }

    /** The session is over: until the link can be closed. */
    private void lastWord() {
        if (freed) return;
        SvconnException why = session.failure();
        if (why == null) {
            while (!allWritten && !outEnded && !hurry && now() < wroteAt + STALL_MS) pause(due, wroteAt + STALL_MS);
            long until = now() + LINGER_MS;
            while (second && !inEnded && !hurry && now() < until) pause(due, until);
        } else if (!peerIsGone(why)) {
            long until = overAt + LAST_WORD_MS;
            while (!(inEnded && (allWritten || outEnded)) && !hurry && now() < until) pause(due, until);
        }
    }

    /** Who ended the link, or told us of a failure, wants to hear nothing more: absent, truncated, aborted. */
    private static boolean peerIsGone(SvconnException why) {
        return why.code() >= Native.FAILURES && why.code() <= Native.FAILURES + 2;
    }

    /** Once. Without the lock: it may take its time. The link first: a stream of a kind may wait for its writer. */
    private void closeLink() {
        lock.lock();
        try {
            if (linkClosing) return;
            linkClosing = true;
        } finally {
            lock.unlock();
        }
        close(link);
        close(in);
        close(out);
        lock.lock();
        try {
            linkClosed = true;
            signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static void close(Closeable c) {
        try {
            if (c != null) c.close();
        } catch (IOException | RuntimeException e) {
            // it is closed all the same
        }
    }
}
