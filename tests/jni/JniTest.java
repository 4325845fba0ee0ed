/* SPDX-License-Identifier: ISC */
import io.svconn.SvconnEngine;
import io.svconn.SvconnSocket;
import io.svconn.SvconnConfig;
import io.svconn.SvconnConfig.Role;
import io.svconn.SvconnException;
import io.svconn.SvconnIdentity;
import io.svconn.SvconnTrust;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** bindings/jvm inside one JVM. Usage: JniTest [NAME...]; run by tests/jni.sh. */
public final class JniTest {
    private JniTest() {}

    interface Body {
        void run() throws Exception;
    }

    private static final Map<String, Body> TESTS = new LinkedHashMap<>();
    private static final ExecutorService POOL = Executors.newCachedThreadPool(r -> {
        Thread t = new Thread(r);
        t.setDaemon(true);
        return t;
    });

    private static void check(boolean good, String what) {
        if (!good) throw new AssertionError(what);
    }

    private static <T> Future<T> later(Callable<T> work) {
        return POOL.submit(work);
    }

    private static <T> T get(Future<T> f) throws Exception {
        try {
            return f.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception) throw (Exception) e.getCause();
            throw (Error) e.getCause();
        } catch (TimeoutException e) {
            throw new AssertionError("stuck");
        }
    }

    private static void fails(String reason, Body body) throws Exception {
        try {
            body.run();
        } catch (SvconnException e) {
            check(e.reason().equals(reason), "reason " + e.reason() + ", not " + reason);
            check(e.getMessage().length() > 10, "no sentence");
            return;
        }
        throw new AssertionError("no failure; wanted " + reason);
    }

    private static void refuses(Class<? extends Throwable> type, Body body) throws Exception {
        try {
            body.run();
        } catch (Throwable e) {
            check(type.isInstance(e), "threw " + e);
            return;
        }
        throw new AssertionError("threw nothing; wanted " + type);
    }

    private static byte[] bytes(int len, int start) {
        byte[] b = new byte[len];
        new Random(start).nextBytes(b);
        return b;
    }

    private static long ms() {
        return System.nanoTime() / 1000000;
    }

    /* ---- links -------------------------------------------------------------------------------------------------- */

    /** Two sockets, joined. */
    static final class Wire implements AutoCloseable {
        final Socket a, b;

        Wire() throws IOException {
            try (ServerSocket door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                a = new Socket();
                a.setSendBufferSize(16384);
                a.connect(door.getLocalSocketAddress());
                b = door.accept();
                b.setSendBufferSize(16384);
            }
        }

        @Override
        public void close() throws IOException {
            a.close();
            b.close();
        }
    }

    /** Flips a bit of the byte at a place counted from when it was armed; or swallows everything. */
    static final class BadOut extends FilterOutputStream {
        volatile int flipAt = -1;
        volatile boolean swallow;
        volatile int cutAfter = -1; // from then on nothing is written

        BadOut(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] b, int off, int len) throws IOException {
            if (swallow) return;
            if (cutAfter >= 0) {
                len = Math.min(len, cutAfter);
                cutAfter -= len;
            }
            byte[] copy = Arrays.copyOfRange(b, off, off + len);
            if (flipAt >= 0 && flipAt < len) {
                copy[flipAt] ^= 1;
                flipAt = -1;
            } else if (flipAt >= 0) flipAt -= len;
            out.write(copy, 0, len);
        }
    }

    /** One byte for each read. */
    static final class SlowIn extends FilterInputStream {
        SlowIn(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] b, int off, int len) throws IOException {
            return in.read(b, off, Math.min(len, 1));
        }
    }

    /* ---- pairs of channels -------------------------------------------------------------------------------------- */

    private static SvconnIdentity key(int n) {
        return SvconnIdentity.ed25519(bytes(32, n));
    }

    static final class Pair implements AutoCloseable {
        final Wire wire = new Wire();
        final SvconnIdentity clientId = key(1), serverId = key(2);
        final SvconnConfig cc = new SvconnConfig(Role.CLIENT, clientId), sc = new SvconnConfig(Role.SERVER, serverId);
        SvconnTrust clientTrusts = SvconnTrust.keys(serverId.publicKey()), serverTrusts = SvconnTrust.keys(clientId.publicKey());
        InputStream serverIn = wire.b.getInputStream();
        BadOut clientOut = new BadOut(wire.a.getOutputStream()), serverOut = new BadOut(wire.b.getOutputStream());
        SvconnSocket client, server;

        Pair() throws IOException {}

        Pair make() throws IOException {
            client = new SvconnSocket(cc, clientTrusts, wire.a.getInputStream(), clientOut, wire.a);
            server = new SvconnSocket(sc, serverTrusts, serverIn, serverOut, wire.b);
            return this;
        }

        Pair open() throws Exception {
            make();
            Future<?> f = later(() -> {
                server.startHandshake();
                return null;
            });
            client.startHandshake();
            get(f);
            return this;
        }

        /** Both close, in order, at the same time. */
        void closeBoth() throws Exception {
            Future<?> f = later(() -> {
                server.close();
                return null;
            });
            client.close();
            get(f);
        }

        @Override
        public void close() throws IOException {
            wire.close();
            for (SvconnSocket c : new SvconnSocket[] {client, server}) {
                try {
                    if (c != null) c.close();
                } catch (SvconnException e) {
                    // the wire was cut under it
                }
            }
            clientId.close();
            serverId.close();
        }
    }

    private static void ping(Pair p, int n) throws Exception {
        p.client.send(bytes(n, n));
        check(Arrays.equals(p.server.receive(), bytes(n, n)), "to the server: " + n);
        p.server.send(bytes(n, n + 1));
        check(Arrays.equals(p.client.receive(), bytes(n, n + 1)), "to the client: " + n);
    }

    /* ---- pairs of sessions without a link ----------------------------------------------------------------------- */

    private static final byte[] BUFFER = new byte[200000];

    private static void carry(SvconnEngine from, SvconnEngine to) throws SvconnException {
        for (int n; (n = from.wireOut(BUFFER, 0, BUFFER.length)) > 0; ) to.wireIn(BUFFER, 0, n, 0);
    }

    private static SvconnEngine[] raw(int messageMax) throws SvconnException {
        try (SvconnIdentity a = key(1); SvconnIdentity b = key(2)) {
            SvconnEngine c = new SvconnEngine(new SvconnConfig(Role.CLIENT, a).messageMax(messageMax), bytes(32, 3));
            SvconnEngine s = new SvconnEngine(new SvconnConfig(Role.SERVER, b).messageMax(messageMax), bytes(32, 4));
            carry(s, c);
            c.accept();
            carry(c, s);
            s.accept();
            carry(s, c);
            check(c.status() == SvconnEngine.State.CONNECTED && s.status() == SvconnEngine.State.CONNECTED, "not connected");
            return new SvconnEngine[] {c, s};
        }
    }

    /* ---- what works --------------------------------------------------------------------------------------------- */

    private static void sizes() throws Exception {
        try (Pair p = new Pair().open()) {
            for (int n : new int[] {0, 1, 4095, 4096, 65534, 65535, 0}) ping(p, n);
            refuses(IllegalArgumentException.class, () -> p.client.send(new byte[65536]));
            refuses(IllegalArgumentException.class, () -> p.client.send(new byte[5000000]));
            refuses(IndexOutOfBoundsException.class, () -> p.client.send(new byte[10], 5, 6));
            refuses(IndexOutOfBoundsException.class, () -> p.client.send(new byte[10], Integer.MAX_VALUE, Integer.MAX_VALUE));
            refuses(IndexOutOfBoundsException.class, () -> p.client.send(new byte[10], -1, 2));
            refuses(NullPointerException.class, () -> p.client.send(null));
            ping(p, 9);
            p.closeBoth();
        }
    }

    /** The library must refuse it even where Java does not look. */
    private static void smallMessages() throws Exception {
        try (Pair p = new Pair()) {
            p.cc.messageMax(100);
            p.sc.messageMax(100).padTo(0);
            p.open();
            ping(p, 100);
            for (int n : new int[] {101, 500, 65535, 1 << 20})
                refuses(IllegalArgumentException.class, () -> p.client.send(new byte[n]));
            refuses(IllegalArgumentException.class, () -> p.client.export("x", new byte[5000], 32));
            ping(p, 100);
        }
        for (int pad : new int[] {64, 512, 4096}) {
            try (Pair p = new Pair()) {
                p.cc.messageMax(1).padTo(pad);
                p.sc.messageMax(9000);
                p.open();
                ping(p, 1);
            }
        }
    }

    private static Callable<Void> send(SvconnSocket c, int count, int size) {
        return () -> {
            for (int i = 0; i < count; i++) c.send(bytes(size, i));
            c.shutdownOutput();
            return null;
        };
    }

    private static Callable<Void> receive(SvconnSocket c, int count, int size) {
        return () -> {
            int n = 0;
            for (byte[] msg; (msg = c.receive()) != null; n++) check(Arrays.equals(msg, bytes(size, n)), "message " + n);
            check(n == count, n + " messages");
            return null;
        };
    }

    private static void bothWays() throws Exception {
        for (int size : new int[] {65535, 20000, 200}) {
            try (Pair p = new Pair().open()) {
                int count = 2000000 / size;
                List<Future<Void>> all = new ArrayList<>();
                all.add(later(send(p.client, count, size)));
                all.add(later(send(p.server, count, size)));
                all.add(later(receive(p.client, count, size)));
                all.add(later(receive(p.server, count, size)));
                for (Future<Void> f : all) get(f);
                p.closeBoth();
            }
        }
    }

    private static void byteByByte() throws Exception {
        try (Pair p = new Pair()) {
            p.serverIn = new SlowIn(p.serverIn);
            p.open();
            ping(p, 3000);
            p.closeBoth();
        }
    }

    private static void halfClose() throws Exception {
        try (Pair p = new Pair().open()) {
            p.client.send(new byte[] {1});
            p.client.shutdownOutput();
            p.client.shutdownOutput();
            refuses(IllegalStateException.class, () -> p.client.send(new byte[1]));
            check(p.server.receive().length == 1 && p.server.receive() == null && p.server.receive() == null, "the end");
            for (int i = 0; i < 5; i++) p.server.send(bytes(i, i));
            for (int i = 0; i < 5; i++) check(p.client.receive().length == i, "after finish");
            p.closeBoth();
        }
    }

    /* ---- as streams --------------------------------------------------------------------------------------------- */

    /** All of it, as any reader of streams has it. */
    private static byte[] drain(InputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] b = new byte[3000];
        for (int n; (n = in.read(b, 7, 2000)) >= 0; ) {
            check(n > 0, "nothing, and not the end");
            all.write(b, 7, n);
        }
        return all.toByteArray();
    }

    private static void streams() throws Exception {
        for (int max : new int[] {65535, 700}) {
            try (Pair p = new Pair()) { // the first read and write do the handshake
                p.cc.messageMax(max);
                p.sc.messageMax(max);
                p.make();
                byte[] up = bytes(1500000, 1), down = bytes(1200000, 2);
                List<Future<?>> all = new ArrayList<>();
                for (Object[] side : new Object[][] {{p.client, up, down}, {p.server, down, up}}) {
                    SvconnSocket s = (SvconnSocket) side[0];
                    byte[] mine = (byte[]) side[1], theirs = (byte[]) side[2];
                    all.add(later(() -> { // one thread writes ...
                        OutputStream out = s.getOutputStream();
                        out.write(mine[0]);
                        out.write(mine, 1, 0);
                        for (int at = 1, n = 1; at < mine.length; at += n, n = Math.min(3 * n, mine.length - at)) out.write(mine, at, n);
                        out.flush();
                        s.shutdownOutput();
                        return null;
                    }));
                    all.add(later(() -> { // ... and one reads
                        check(Arrays.equals(drain(s.getInputStream()), theirs), "other bytes");
                        check(s.getInputStream().read() == -1 && s.getInputStream().read(new byte[9]) == -1, "the end stays");
                        return null;
                    }));
                }
                for (Future<?> f : all) get(f);
                p.closeBoth();
            }
        }
        try (Pair p = new Pair().open()) { // bytes and messages
            InputStream in = p.server.getInputStream();
            p.client.send(new byte[0]);
            p.client.send(new byte[] {1, 2, -1});
            p.client.send(new byte[] {4, 5});
            p.client.send(new byte[] {6});
            check(in.read() == 1 && in.available() == 2, "an empty message is no byte");
            check(in.read(new byte[5]) == 2, "no more than the message");
            check(in.read() == 4 && Arrays.equals(p.server.receive(), new byte[] {5}), "the rest of the message");
            check(Arrays.equals(p.server.receive(), new byte[] {6}), "the next one");
            refuses(IndexOutOfBoundsException.class, () -> in.read(new byte[3], 2, 2));
            refuses(IndexOutOfBoundsException.class, () -> p.client.getOutputStream().write(new byte[3], -1, 2));
            check(in.read(new byte[0]) == 0, "no byte asked for");
            OutputStream buffered = new BufferedOutputStream(p.client.getOutputStream());
            for (int i = 0; i < 100; i++) buffered.write(i);
            buffered.flush();
            check(p.server.receive().length == 100, "buffered: one message");
            p.server.setSoTimeout(200);
            long begun = ms();
            refuses(SocketTimeoutException.class, in::read);
            refuses(SocketTimeoutException.class, p.server::receive);
            check(ms() - begun >= 390, "too soon");
            p.server.setSoTimeout(0);
            ping(p, 10);
            Future<?> f = later(() -> {
                p.server.getOutputStream().close();
                return null;
            });
            p.client.getInputStream().close(); // closes all of it, as those of sockets do
            get(f);
            check(p.wire.a.isClosed(), "the link is open");
            fails("cancelled", p.client.getInputStream()::read);
            fails("cancelled", () -> p.client.getOutputStream().write(1));
        }
    }

    /** Only CLOSE is an end. Cut anywhere, a stream throws. */
    private static void truncatedStreams() throws Exception {
        for (int cutAfter : new int[] {0, 1, 15, 16, 17, 116, 117}) {
            try (Pair p = new Pair().open()) {
                p.client.send(bytes(100, 1)); // a record of 116 bytes
                check(p.server.getInputStream().read(new byte[100]) == 100, "before");
                p.clientOut.cutAfter = cutAfter;
                p.client.send(bytes(100, 2));
                p.client.send(bytes(100, 3));
                Thread.sleep(100);
                p.wire.a.shutdownOutput();
                byte[] got = new byte[300];
                fails("truncated", () -> {
                    for (InputStream in = p.server.getInputStream(); in.read(got, 0, 300) >= 0; ) {}
                });
                fails("truncated", p.server.getInputStream()::read); // and stays so
                fails("truncated", p.server::receive);
            }
        }
    }

    /** Over streams that are no sockets. */
    private static void pipes() throws Exception {
        PipedInputStream up = new PipedInputStream(4096), down = new PipedInputStream(4096);
        try (SvconnIdentity a = key(1); SvconnIdentity b = key(2);
             SvconnSocket c = new SvconnSocket(new SvconnConfig(Role.CLIENT, a), SvconnTrust.keys(b.publicKey()), down, new PipedOutputStream(up), null);
             SvconnSocket s = new SvconnSocket(new SvconnConfig(Role.SERVER, b), SvconnTrust.keys(a.publicKey()), up, new PipedOutputStream(down), null)) {
            Future<Void> f = later(() -> {
                for (byte[] msg; (msg = s.receive()) != null; ) s.send(msg);
                s.close();
                return null;
            });
            for (int n : new int[] {0, 1, 65535}) {
                c.send(bytes(n, n));
                check(Arrays.equals(c.receive(), bytes(n, n)), "echo");
            }
            c.close();
            get(f);
        }
    }

    /* ---- the application's own proofs and keys ------------------------------------------------------------------- */

    private static byte[] sign(byte[] key, byte[] message) throws IOException {
        try {
            MessageDigest d = MessageDigest.getInstance("SHA-256");
            d.update(key);
            return d.digest(message);
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }

    /** Accepts who proves by that key; counts what it is asked. */
    static final class Authority implements SvconnTrust {
        final byte[] key;
        int proofs, verdicts;

        Authority(byte[] key) {
            this.key = key;
        }

        @Override
        public boolean accepts(byte[] identity) {
            verdicts++;
            return identity[1] == 'a' || identity[1] == 'b';
        }

        @Override
        public boolean isProven(byte[] identity, byte[] proof, byte[] message) throws IOException {
            proofs++;
            check(message.length > 32 && new String(message, 0, 5, StandardCharsets.US_ASCII).equals("SVC1 "), "the message");
            return Arrays.equals(proof, sign(key, message));
        }
    }

    /** Both have identities of their own, of that length. */
    private static void customWith(byte[] serverKey, int len, String server, String client) throws Exception {
        byte[] key = bytes(20, 1), a = new byte[len], b = new byte[len];
        a[0] = (byte) 0x80;
        b[0] = (byte) 0xff;
        a[1] = 'a';
        b[1] = 'b';
        Authority as = new Authority(key), bs = new Authority(key);
        try (Wire w = new Wire(); SvconnIdentity ai = SvconnIdentity.custom(a, m -> sign(key, m));
             SvconnIdentity bi = SvconnIdentity.custom(b, m -> serverKey == null ? null : sign(serverKey, m));
             SvconnSocket c = new SvconnSocket(new SvconnConfig(Role.CLIENT, ai), as, w.a);
             SvconnSocket s = new SvconnSocket(new SvconnConfig(Role.SERVER, bi), bs, w.b)) {
            ai.close(); // sessions have their own copy
            bi.close();
            Arrays.fill(a, (byte) 1);
            Future<Void> f = later(() -> {
                if (server != null) fails(server, s::startHandshake);
                else check(s.receive().length == 5, "a message");
                if (server == null) s.close();
                return null;
            });
            if (client != null) fails(client, c::startHandshake);
            else {
                c.send(new byte[5]);
                check(as.proofs == 2 && as.verdicts == 1, "the client asked " + as.proofs + ", " + as.verdicts);
                check(bs.proofs == 1 && bs.verdicts == 1, "the server asked " + bs.proofs + ", " + bs.verdicts);
                check(Arrays.equals(c.peer(), b), "peer");
                c.close();
            }
            get(f);
        }
    }

    private static void custom() throws Exception {
        byte[] key = bytes(20, 1);
        customWith(key, 5, null, null);
        customWith(key, 3000, null, null); // longer than what a session keeps
        customWith(bytes(20, 2), 5, "aborted", "refused");
        customWith(null, 5, "cancelled", "aborted");
        refuses(IllegalArgumentException.class, () -> SvconnIdentity.custom(new byte[] {1, 2}, m -> m));
        refuses(IllegalArgumentException.class, () -> SvconnIdentity.custom(new byte[0], m -> m));
        refuses(IllegalArgumentException.class, () -> SvconnIdentity.custom(new byte[] {-1}, null));
        for (Object answer : new Object[] {new byte[70000], new IOException("the HSM is gone"), new ArithmeticException("of the app")}) {
            try (Wire w = new Wire(); SvconnIdentity me = SvconnIdentity.custom(new byte[] {-128, 'b'}, m -> {
                     if (answer instanceof IOException) throw (IOException) answer;
                     if (answer instanceof RuntimeException) throw (RuntimeException) answer;
                     return (byte[]) answer;
                 });
                 SvconnSocket s = new SvconnSocket(new SvconnConfig(Role.SERVER, me), SvconnTrust.psk(), w.b)) {
                refuses(answer instanceof byte[] ? IllegalArgumentException.class : answer.getClass().asSubclass(Exception.class), s::startHandshake);
                fails("cancelled", s::receive);
            }
        }
    }

    /** A server with a key takes callers with keys and callers with a psk, each with its own. */
    private static void mixed() throws Exception {
        byte[] given = bytes(32, 5);
        SvconnTrust trust = new SvconnTrust() {
            @Override
            public boolean accepts(byte[] identity) {
                return true;
            }

            @Override
            public byte[] psk(byte[] identity) {
                return new String(identity, 1, identity.length - 1, StandardCharsets.UTF_8).equals("known") ? given : null;
            }
        };
        for (String name : new String[] {"known", "unknown"}) {
            System.arraycopy(bytes(32, 5), 0, given, 0, 32);
            try (Wire w = new Wire(); SvconnIdentity me = SvconnIdentity.psk(bytes(32, 5), name); SvconnIdentity server = key(2);
                 SvconnSocket c = new SvconnSocket(new SvconnConfig(Role.CLIENT, me).peers(SvconnConfig.PEER_ED25519),
                     SvconnTrust.keys(server.publicKey()), w.a);
                 SvconnSocket s = new SvconnSocket(new SvconnConfig(Role.SERVER, server).peers(SvconnConfig.PEER_ED25519 | SvconnConfig.PEER_PSK), trust, w.b)) {
                boolean good = name.equals("known");
                Future<Void> f = later(() -> {
                    if (good) s.startHandshake();
                    else fails("refused", s::startHandshake);
                    return null;
                });
                if (good) c.startHandshake();
                else fails("aborted", c::startHandshake);
                get(f);
                if (good) check(Arrays.equals(given, new byte[32]), "the psk is still there");
                if (good) check(c.authenticator().equals(s.authenticator()), "authenticator");
                Future<Void> end = later(() -> {
                    s.close();
                    return null;
                });
                c.close();
                get(end);
            }
        }
    }

    /** Two threads begin at once; the trust may not use the socket. */
    private static void handshakes() throws Exception {
        try (Pair p = new Pair()) {
            SvconnTrust keys = p.serverTrusts;
            p.serverTrusts = id -> {
                try {
                    p.server.send(new byte[1]);
                    throw new AssertionError("sent before the handshake was over");
                } catch (IllegalStateException e) {
                    return keys.accepts(id);
                }
            };
            p.make();
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < 3; i++)
                for (SvconnSocket s : new SvconnSocket[] {p.client, p.server})
                    all.add(later(() -> {
                        s.startHandshake();
                        s.startHandshake();
                        s.send(new byte[1]);
                        check(s.receive().length == 1, "a message");
                        return null;
                    }));
            for (Future<Void> f : all) get(f);
        }
    }

    private static void renewal() throws Exception {
        try (Pair p = new Pair()) {
            p.cc.renew(3, 0, 0);
            p.open();
            for (int i = 0; i < 30; i++) ping(p, 50);
            int[] c = p.client.keyIds(), s = p.server.keyIds();
            check(c[0] >= 9 && c[0] == s[1], "client's keys: " + c[0] + ", " + s[1]);
            check(s[0] == c[1], "server's keys: " + s[0] + ", " + c[1]);
            p.server.renew();
            ping(p, 50);
            ping(p, 50);
            check(p.server.keyIds()[0] > s[0] && p.client.keyIds()[1] == p.server.keyIds()[0], "renew()");
        }
    }

    private static void whatItKnows() throws Exception {
        try (Pair p = new Pair()) {
            p.cc.context("same".getBytes(StandardCharsets.UTF_8));
            p.sc.context("same".getBytes(StandardCharsets.UTF_8));
            p.open();
            check(p.client.authenticator().matches("\\d{5} \\d{5} \\d{5} \\d{5}"), "authenticator");
            check(p.client.authenticator().equals(p.server.authenticator()), "authenticators differ");
            byte[] k = p.client.export("label", new byte[] {1}, 8160);
            check(Arrays.equals(k, p.server.export("label", new byte[] {1}, 8160)), "exported keys differ");
            check(!Arrays.equals(k, p.client.export("label", new byte[] {2}, 8160)), "context is nothing");
            check(!Arrays.equals(k, p.client.export("lab", new byte[] {1}, 8160)), "label is nothing");
            refuses(IllegalArgumentException.class, () -> p.client.export("authenticator", new byte[0], 32));
            refuses(IllegalArgumentException.class, () -> p.client.export("a\0b", new byte[0], 32));
            refuses(IllegalArgumentException.class, () -> p.client.export("a", new byte[0], 8161));
            refuses(IllegalArgumentException.class, () -> p.client.export("a", new byte[0], 0));
            check(Arrays.equals(p.client.peer(), p.serverId.bytes()), "peer");
            check(SvconnEngine.fingerprint(p.client.peer()).matches("\\d{5}( \\d{5}){5}"), "fingerprint");
            ping(p, 10);
        }
    }

    private static void hidden() throws Exception {
        try (Pair p = new Pair()) {
            p.sc.hidden(true);
            p.cc.knownServers(bytes(32, 77), p.serverId.publicKey());
            p.open();
            ping(p, 10);
        }
        try (Pair p = new Pair()) {
            p.sc.hidden(true);
            p.cc.knownServers(bytes(32, 77));
            p.make();
            Future<Void> f = later(() -> {
                fails("aborted", p.server::startHandshake);
                return null;
            });
            fails("unknown", p.client::startHandshake);
            get(f);
        }
    }

    /* ---- who is refused ----------------------------------------------------------------------------------------- */

    /** The server's trust says no: the client hears of a failure, and of no reason. */
    private static void refusedBy(SvconnTrust trust) throws Exception {
        try (Pair p = new Pair()) {
            p.serverTrusts = trust;
            p.make();
            Future<Void> f = later(() -> {
                fails("refused", p.server::startHandshake);
                fails("cancelled", () -> {
                    p.server.close();
                    p.server.receive();
                });
                return null;
            });
            fails("aborted", p.client::startHandshake);
            get(f);
        }
    }

    private static void refused() throws Exception {
        refusedBy(SvconnTrust.keys(bytes(32, 9)));
        refusedBy(SvconnTrust.keys());
        refusedBy(SvconnTrust.psk());
        refusedBy(null);
        try (Pair p = new Pair()) { // by the client
            p.clientTrusts = null;
            p.make();
            Future<Void> f = later(() -> {
                fails("aborted", p.server::startHandshake);
                return null;
            });
            fails("refused", p.client::startHandshake);
            get(f);
        }
    }

    private static void slowVerdict() throws Exception {
        try (Pair p = new Pair()) {
            SvconnTrust keys = p.serverTrusts;
            p.serverTrusts = id -> {
                try {
                    Thread.sleep(400);
                } catch (InterruptedException e) {
                    return false;
                }
                return keys.accepts(id);
            };
            p.open();
            ping(p, 10);
        }
        try (Pair p = new Pair()) { // too slow
            p.serverTrusts = id -> {
                try {
                    Thread.sleep(900);
                } catch (InterruptedException e) {
                    return false;
                }
                return true;
            };
            p.sc.handshakeMs(300);
            p.make();
            Future<Void> f = later(() -> {
                fails("timeout", p.server::startHandshake);
                return null;
            });
            fails("aborted", p.client::startHandshake);
            get(f);
        }
        try (Pair p = new Pair()) { // it throws
            p.serverTrusts = id -> {
                throw new ArithmeticException("of the app");
            };
            p.make();
            Future<Void> f = later(() -> {
                refuses(ArithmeticException.class, p.server::startHandshake);
                return null;
            });
            fails("aborted", p.client::startHandshake);
            get(f);
        }
        try (Pair p = new Pair()) { // it closes the channel
            p.serverTrusts = id -> {
                try {
                    p.server.close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                return true;
            };
            p.make();
            Future<Void> f = later(() -> {
                fails("cancelled", p.server::startHandshake);
                return null;
            });
            fails("aborted", p.client::startHandshake);
            get(f);
        }
    }

    private static void psk() throws Exception {
        for (boolean same : new boolean[] {true, false}) {
            try (Wire w = new Wire(); SvconnIdentity a = SvconnIdentity.psk(bytes(32, 5), "a");
                 SvconnIdentity b = SvconnIdentity.psk(bytes(32, same ? 5 : 6), "b");
                 SvconnSocket c = new SvconnSocket(new SvconnConfig(Role.CLIENT, a), SvconnTrust.psk(),
                     w.a.getInputStream(), w.a.getOutputStream(), w.a);
                 SvconnSocket s = new SvconnSocket(new SvconnConfig(Role.SERVER, b), SvconnTrust.psk(),
                     w.b.getInputStream(), w.b.getOutputStream(), w.b)) {
                Future<Void> f = later(() -> {
                    if (same) s.startHandshake();
                    else fails("aborted", s::startHandshake);
                    if (same) check(s.receive() == null, "the end");
                    return null;
                });
                if (same) {
                    c.startHandshake();
                    check(new String(c.peer(), StandardCharsets.UTF_8).equals("\u0002b"), "name");
                    c.shutdownOutput();
                } else fails("proof", c::startHandshake);
                get(f);
            }
        }
    }

    /* ---- what goes wrong ---------------------------------------------------------------------------------------- */

    /** Who finds it says why, the other gets the error packet. */
    private static void tampered() throws Exception {
        for (int at : new int[] {4, 20, 515, 5}) {
            try (Pair p = new Pair().open()) {
                ping(p, 10);
                p.clientOut.flipAt = at;
                p.client.send(new byte[500]);
                fails("tag", p.server::receive);
                fails("tag", p.server::receive);
                fails("tag", () -> p.server.send(new byte[1]));
                fails("aborted", p.client::receive);
                fails("aborted", () -> p.client.send(new byte[1]));
                p.server.close(); // says nothing that was not said
                p.client.close();
            }
        }
    }

    /** Both write all the time, and nobody reads: the packet comes through nevertheless. */
    private static void tamperedInFlood() throws Exception {
        try (Pair p = new Pair().open()) {
            Future<Void> a = later(() -> {
                fails("aborted", () -> {
                    for (;;) p.client.send(new byte[60000]);
                });
                return null;
            });
            Future<Void> b = later(() -> {
                fails("tag", () -> {
                    for (;;) p.server.receive();
                });
                return null;
            });
            Thread.sleep(100);
            p.clientOut.flipAt = 100000;
            get(a);
            get(b);
        }
    }

    private static void cut() throws Exception {
        try (Pair p = new Pair().open()) {
            Future<Void> f = later(() -> {
                fails("truncated", p.server::receive);
                return null;
            });
            Thread.sleep(100);
            p.wire.a.close();
            get(f);
            fails("truncated", p.client::receive);
            fails("truncated", () -> p.server.send(new byte[1]));
        }
        try (Pair p = new Pair().open()) { // what came whole comes first
            p.client.send(bytes(9, 9));
            Thread.sleep(200);
            p.wire.a.close();
            Thread.sleep(200);
            check(Arrays.equals(p.server.receive(), bytes(9, 9)), "message before the cut");
            fails("truncated", p.server::receive);
        }
        try (Pair p = new Pair().make()) {
            p.wire.b.close();
            fails("absent", p.client::startHandshake);
        }
    }

    /** Streams that throw what nobody expects. */
    private static void strangeStreams() throws Exception {
        for (boolean reading : new boolean[] {true, false}) {
            Wire w = new Wire();
            InputStream in = !reading ? w.a.getInputStream() : new InputStream() {
                @Override
                public int read() {
                    throw new NullPointerException("a closed BluetoothSocket");
                }
            };
            OutputStream out = reading ? w.a.getOutputStream() : new OutputStream() {
                @Override
                public void write(int b) {
                    throw new NullPointerException("a closed BluetoothSocket");
                }
            };
            try (SvconnIdentity me = key(1);
                 SvconnSocket c = new SvconnSocket(new SvconnConfig(Role.SERVER, me), null, in, out, null)) {
                long begun = ms();
                fails("absent", c::startHandshake);
                check(ms() - begun < 20000, "it took too long");
            }
            w.close();
        }
    }

    private static void keepAlive() throws Exception {
        try (Pair p = new Pair()) {
            p.cc.keepaliveMs(100).silenceMs(1500);
            p.sc.keepaliveMs(100).silenceMs(1500);
            p.open();
            Thread.sleep(3500);
            ping(p, 10);
        }
    }

    /** The link stays, and nothing comes. */
    private static void silence() throws Exception {
        try (Pair p = new Pair()) {
            p.cc.silenceMs(500);
            p.open();
            p.serverOut.swallow = true;
            long begun = ms();
            fails("silent", p.client::receive);
            check(ms() - begun < 10000, "it took too long");
            fails("aborted", p.server::receive); // the error packet went out
        }
        try (Pair p = new Pair()) { // our writer is stuck in a write, the peer does not read
            p.cc.silenceMs(500);
            p.open();
            p.serverOut.swallow = true;
            long begun = ms();
            fails("silent", () -> {
                for (;;) p.client.send(new byte[65535]);
            });
            p.client.close();
            check(ms() - begun < 20000, "it took too long");
        }
        try (Pair p = new Pair()) {
            p.cc.handshakeMs(400);
            p.make();
            fails("timeout", p.client::startHandshake); // the server never begins
        }
    }

    /** It is the application that is slow, not the peer. */
    private static void slowReceiver() throws Exception {
        try (Pair p = new Pair()) {
            p.sc.silenceMs(1500);
            p.cc.keepaliveMs(100);
            p.open();
            Future<Void> f = later(send(p.client, 20, 65535));
            Thread.sleep(3500);
            get(later(receive(p.server, 20, 65535)));
            get(f);
        }
    }

    private static void interrupted() throws Exception {
        try (Pair p = new Pair().open()) {
            Thread t = Thread.currentThread();
            later(() -> {
                Thread.sleep(200);
                t.interrupt();
                return null;
            });
            refuses(InterruptedIOException.class, p.client::receive);
            check(Thread.interrupted(), "the flag");
            ping(p, 10);
            p.closeBoth();
        }
    }

    /* ---- the end ------------------------------------------------------------------------------------------------ */

    private static void closing() throws Exception {
        try (Pair p = new Pair().open()) { // others wait meanwhile
            Future<Void> waiting = later(() -> {
                fails("cancelled", p.client::receive);
                return null;
            });
            Thread.sleep(100);
            List<Future<Void>> closers = new ArrayList<>();
            for (int i = 0; i < 4; i++)
                closers.add(later(() -> {
                    p.client.close();
                    return null;
                }));
            check(p.server.receive() == null, "the peer sees the end");
            p.server.close();
            for (Future<Void> f : closers) get(f);
            get(waiting);
            fails("cancelled", p.client::receive);
            fails("cancelled", () -> p.client.send(new byte[1]));
            fails("cancelled", p.client::shutdownOutput);
            fails("cancelled", p.client::startHandshake);
            refuses(IllegalStateException.class, p.client::authenticator);
            refuses(IllegalStateException.class, p.client::peer);
            p.client.abort();
        }
        try (Pair p = new Pair()) { // the peer does not close
            p.cc.closeMs(300);
            p.open();
            long begun = ms();
            fails("truncated", p.client::close);
            check(ms() - begun < 12000, "it took too long");
            Thread.sleep(100);
            fails("aborted", p.server::receive); // it may have sent something that nobody will read
        }
        try (Pair p = new Pair()) { // messages that nobody fetched do not keep it open
            p.open();
            for (int i = 0; i < 10; i++) p.server.send(new byte[3000]);
            p.closeBoth();
        }
        try (Pair p = new Pair()) { // what was sent just before close() arrives
            p.open();
            Future<Void> f = later(receive(p.server, 30, 65535));
            for (int i = 0; i < 30; i++) p.client.send(bytes(65535, i));
            Future<Void> g = later(() -> {
                p.client.close();
                return null;
            });
            get(f);
            p.server.close();
            get(g);
        }
        try (Pair p = new Pair().make()) { // never begun
            p.client.close();
            check(p.wire.a.isClosed(), "the link is closed");
            fails("absent", p.server::receive); // which does the handshake first
        }
        try (Pair p = new Pair().make()) { // during the handshake
            Future<Void> f = later(() -> {
                fails("cancelled", p.client::startHandshake);
                return null;
            });
            Thread.sleep(200);
            p.client.close();
            get(f);
        }
        try (Pair p = new Pair().open()) { // a writer that is stuck does not keep close()
            Future<Void> f = later(() -> {
                fails("cancelled", () -> {
                    for (;;) p.client.send(new byte[65535]);
                });
                return null;
            });
            Thread.sleep(300);
            p.client.abort();
            long begun = ms();
            p.client.close();
            check(ms() - begun < 16000, "it took too long");
            get(f);
        }
    }

    /** A failure ends threads and link without close(). */
    private static void threadsEnd() throws Exception {
        try (Pair p = new Pair().open()) {
            p.client.abort();
            fails("aborted", p.server::receive);
            long until = ms() + 15000;
            while ((ourThreads() > 0 || !p.wire.a.isClosed() || !p.wire.b.isClosed()) && ms() < until) Thread.sleep(20);
            check(ourThreads() == 0, ourThreads() + " threads");
            check(p.wire.a.isClosed() && p.wire.b.isClosed(), "the links");
        }
    }

    private static int ourThreads() {
        int n = 0;
        for (Thread t : Thread.getAllStackTraces().keySet()) if (t.getName().startsWith("svconn-")) n++;
        return n;
    }

    /* ---- the native side ---------------------------------------------------------------------------------------- */

    private static Object anything(Class<?> type, Random r) {
        if (type == int.class) return r.nextInt(8) == 0 ? r.nextInt() : r.nextInt(600) - 5;
        if (type == long.class) return r.nextInt(8) == 0 ? r.nextLong() : (long) r.nextInt(1000);
        if (type == byte[].class) return r.nextInt(20) == 0 ? null : bytes(r.nextInt(4) == 0 ? r.nextInt(70000) : r.nextInt(300), r.nextInt());
        if (type == String.class) return r.nextInt(20) == 0 ? null : "label" + r.nextInt(3);
        throw new AssertionError(type);
    }

    private static List<Method> methods() {
        List<Method> all = new ArrayList<>();
        for (Method m : SvconnEngine.class.getDeclaredMethods())
            if (Modifier.isPublic(m.getModifiers()) && !Modifier.isStatic(m.getModifiers())) all.add(m);
        return all;
    }

    /** Calls it with anything; what may be thrown is thrown. */
    private static Throwable call(SvconnEngine s, Method m, Random r) throws IllegalAccessException {
        Class<?>[] types = m.getParameterTypes();
        Object[] args = new Object[types.length];
        for (int i = 0; i < args.length; i++) args[i] = anything(types[i], r);
        try {
            m.invoke(s, args);
            return null;
        } catch (InvocationTargetException e) {
            Throwable t = e.getCause();
            if (t instanceof IllegalStateException || t instanceof IllegalArgumentException ||
                t instanceof IndexOutOfBoundsException || t instanceof NullPointerException || t instanceof SvconnException)
                return t;
            throw new AssertionError(m.getName(), t);
        }
    }

    private static void afterClose() throws Exception {
        SvconnEngine[] pair = raw(1000);
        for (SvconnEngine s : pair) s.close();
        for (SvconnEngine s : pair) {
            for (Method m : methods()) {
                Class<?>[] types = m.getParameterTypes();
                Object[] args = new Object[types.length];
                for (int i = 0; i < args.length; i++)
                    args[i] = types[i] == int.class ? (Object) 1 : types[i] == long.class ? (Object) 1L
                        : types[i] == String.class ? "x" : new byte[100];
                try {
                    m.invoke(s, args);
                    check(m.getName().equals("close"), m.getName() + " works after close");
                } catch (InvocationTargetException e) {
                    check(e.getCause() instanceof IllegalStateException, m.getName() + " threw " + e.getCause());
                }
            }
        }
        SvconnIdentity id = key(1);
        id.close();
        id.close();
        refuses(IllegalStateException.class, id::bytes);
        refuses(IllegalStateException.class, () -> new SvconnEngine(new SvconnConfig(Role.CLIENT, id), bytes(32, 1)));
    }

    /** Any order of calls, any arguments, several threads on the same two sessions, and close in between. */
    private static void anyOrder() throws Exception {
        List<Method> methods = methods();
        long end = ms() + 3000;
        for (int round = 0; ms() < end; round++) {
            SvconnEngine[] pair = raw(1000);
            CountDownLatch go = new CountDownLatch(1);
            List<Future<Void>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                Random r = new Random(round * 4 + t);
                all.add(later(() -> {
                    go.await();
                    for (int i = 0; i < 150; i++) {
                        Method m = methods.get(r.nextInt(methods.size()));
                        boolean rare = m.getName().equals("close") || m.getName().equals("abort") || m.getName().equals("wireEof") ||
                            m.getName().equals("wireIn") || m.getName().equals("tick");
                        if (rare && r.nextInt(30) != 0) continue;
                        call(pair[r.nextInt(2)], m, r);
                    }
                    return null;
                }));
            }
            go.countDown();
            for (Future<Void> f : all) get(f);
            for (SvconnEngine s : pair) s.close();
        }
    }

    /** Two threads send on one session and one carries: without a lock records are lost or mixed. */
    private static void oneSessionManyThreads() throws Exception {
        SvconnEngine[] pair = raw(1000);
        int each = 1000;
        List<Future<Void>> all = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            byte mark = (byte) t;
            all.add(later(() -> {
                byte[] msg = new byte[300];
                Arrays.fill(msg, mark);
                for (int i = 0; i < each; )
                    if (pair[0].send(msg, 0, msg.length, 0)) i++;
                    else Thread.yield();
                return null;
            }));
        }
        int n = 0;
        byte[] buffer = new byte[5000];
        long until = ms() + 60000;
        while (n < 3 * each && ms() < until) {
            int len = pair[0].wireOut(buffer, 0, buffer.length);
            for (int at = 0; at < len; ) {
                at += pair[1].wireIn(buffer, at, len - at, 0);
                for (byte[] msg; (msg = pair[1].receive()) != null; n++) {
                    check(msg.length == 300, "length");
                    for (byte b : msg) check(b == msg[0], "a message is mixed");
                }
            }
        }
        check(n == 3 * each, n + " messages");
        for (Future<Void> f : all) get(f);
        for (SvconnEngine s : pair) s.close();
    }

    private static long residentKb() throws IOException {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status")))
            if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("\\D", ""));
        return 0;
    }

    private static void cycles() throws Exception {
        int before = SvconnEngine.live();
        long kb = 0;
        for (int i = 0; i < 1300; i++) {
            if (i == 300) kb = residentKb();
            SvconnEngine[] pair = raw(65535);
            if (i % 3 == 0) pair[0].abort();
            for (SvconnEngine s : pair) s.close();
        }
        long grown = residentKb() - kb;
        check(SvconnEngine.live() == before, (SvconnEngine.live() - before) + " are still open");
        check(grown < 30000, "grown by " + grown + " kB"); // 2000 sessions that leaked would be 390000
        for (int i = 0; i < 20; i++) {
            try (Pair p = new Pair().open()) {
                ping(p, 10);
                if (i % 2 == 0) p.closeBoth();
            }
        }
        check(SvconnEngine.live() == before, (SvconnEngine.live() - before) + " are still open after channels");
    }

    private static void badArguments() throws Exception {
        int before = SvconnEngine.live();
        refuses(IllegalArgumentException.class, () -> SvconnIdentity.ed25519(new byte[31]));
        refuses(IllegalArgumentException.class, () -> SvconnIdentity.psk(new byte[32], "zero"));
        refuses(IllegalArgumentException.class, () -> SvconnIdentity.psk(bytes(32, 1), new String(new char[65])));
        try (SvconnIdentity me = key(1); SvconnIdentity zero = SvconnIdentity.ed25519(new byte[32])) {
            SvconnConfig c = new SvconnConfig(Role.CLIENT, me);
            byte[] seed = bytes(32, 5);
            new SvconnEngine(c, seed).close();
            check(Arrays.equals(seed, new byte[32]), "the seed is still there");
            refuses(IllegalArgumentException.class, () -> new SvconnEngine(c, new byte[32]));
            refuses(IllegalArgumentException.class, () -> new SvconnEngine(c, new byte[33]));
            refuses(IllegalArgumentException.class, () -> new SvconnEngine(new SvconnConfig(Role.CLIENT, me).hidden(true), bytes(32, 5)));
            refuses(IllegalArgumentException.class, () -> new SvconnEngine(new SvconnConfig(Role.CLIENT, me).renew(1 << 21, 0, 0), bytes(32, 5)));
            refuses(IllegalArgumentException.class, () -> new SvconnEngine(new SvconnConfig(Role.CLIENT, zero), bytes(32, 5)));
            refuses(IllegalArgumentException.class, () -> c.context(new byte[256]));
            refuses(IllegalArgumentException.class, () -> c.messageMax(65536));
            refuses(IllegalArgumentException.class, () -> c.peers(8));
            refuses(IllegalArgumentException.class, () -> c.knownServers(new byte[31]));
            refuses(IllegalArgumentException.class, () -> SvconnEngine.fingerprint(new byte[66]));
        }
        check(SvconnEngine.live() == before, (SvconnEngine.live() - before) + " leaked");
    }

    /**
     * How often it is in our memory. The mask hides this copy; the search reads into a place of its own, which is empty
     * when it looks at that place.
     */
    private static int find(byte[] masked) throws IOException {
        int found = 0;
        ByteBuffer part = ByteBuffer.allocateDirect(1 << 20);
        byte[] bytes = new byte[part.capacity()];
        try (FileChannel mem = FileChannel.open(Paths.get("/proc/self/mem"), StandardOpenOption.READ)) {
            for (String line : Files.readAllLines(Paths.get("/proc/self/maps"))) {
                if (!line.matches("[0-9a-f]+-[0-9a-f]+ rw.*") || line.contains("[v")) continue;
                long at = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
                long to = Long.parseUnsignedLong(line.substring(line.indexOf('-') + 1, line.indexOf(' ')), 16);
                while (at < to) {
                    part.clear();
                    part.limit((int) Math.min(part.capacity(), to - at));
                    int n = read(mem, part, at);
                    if (n < masked.length) break;
                    part.flip();
                    part.get(bytes, 0, n);
                    for (int i = 0; (i = next(bytes, i, n, masked)) >= 0; i++) {
                        found++;
                        if (System.getenv("JNI_WHERE") != null)
                            System.out.println("     at " + Long.toHexString(at + i) + " of " + line);
                    }
                    Arrays.fill(bytes, (byte) 0);
                    part.clear();
                    part.put(bytes);
                    if (at + n >= to) break;
                    at += n - masked.length + 1;
                }
            }
        }
        return found;
    }

    /** From i on; -1: it is not there. */
    private static int next(byte[] bytes, int i, int n, byte[] masked) {
        byte first = (byte) (masked[0] ^ 0x5a);
        for (; i + masked.length <= n; i++) {
            if (bytes[i] != first) continue;
            int k = 1;
            while (k < masked.length && (byte) (bytes[i + k] ^ 0x5a) == masked[k]) k++;
            if (k == masked.length) return i;
        }
        return -1;
    }

    private static int read(FileChannel mem, ByteBuffer part, long at) {
        try {
            return mem.read(part, at);
        } catch (IOException e) {
            return 0; // a page that cannot be read
        }
    }

    private static byte[] unmasked(byte[] masked, int len) {
        byte[] b = new byte[len];
        for (int i = 0; i < len; i++) b[i] = (byte) (masked[i % masked.length] ^ 0x5a ^ (i / masked.length * 7));
        return b;
    }

    /** An identity's secret and the text of messages are nowhere once they are done with, on a heap that is not collected
     * meanwhile: what a collector moved is beyond us. */
    private static void erased() throws Exception {
        byte[] keyMask = new byte[24], msgMask = new byte[24];
        Random r = new Random();
        r.nextBytes(keyMask);
        r.nextBytes(msgMask);
        byte[] seed = unmasked(keyMask, 32);
        SvconnIdentity me = SvconnIdentity.ed25519(seed);
        Arrays.fill(seed, (byte) 0);
        check(find(keyMask) >= 1, "the search does not find what is there");
        SvconnEngine[] pair = new SvconnEngine[2];
        try (SvconnIdentity other = key(2)) {
            pair[0] = new SvconnEngine(new SvconnConfig(Role.CLIENT, me).messageMax(1000), bytes(32, 3));
            pair[1] = new SvconnEngine(new SvconnConfig(Role.SERVER, other).messageMax(1000), bytes(32, 4));
        }
        me.close();
        check(find(keyMask) == 1, "the session's copy of the identity, and no other: " + find(keyMask));
        carry(pair[1], pair[0]);
        pair[0].accept();
        carry(pair[0], pair[1]);
        pair[1].accept();
        carry(pair[1], pair[0]);

        byte[] msg = unmasked(msgMask, 100);
        check(find(msgMask) == 1, "the array");
        pair[0].send(msg, 0, msg.length, 0);
        Arrays.fill(msg, (byte) 0);
        check(find(msgMask) == 0, "plain text is left after send: " + find(msgMask));
        carry(pair[0], pair[1]);
        check(find(msgMask) == 1, "the message that waits");
        Arrays.fill(pair[1].receive(), (byte) 0);
        for (SvconnEngine s : pair) s.close();
        check(find(keyMask) == 0, "the key is left");
        check(find(msgMask) == 0, "a message is left");

        for (int rest : new int[] {40, 0}) { // what a stream began, read to its end or not
            try (Pair p = new Pair().open()) {
                byte[] part = new byte[60];
                msg = unmasked(msgMask, 100);
                p.client.getOutputStream().write(msg);
                Arrays.fill(msg, (byte) 0);
                check(p.server.getInputStream().read(part) == 60, "a part of it");
                Arrays.fill(part, (byte) 0);
                check(find(msgMask) == 2, "the session's buffer, and what is left for the stream");
                if (rest > 0) {
                    check(p.server.getInputStream().read(part) == rest, "the rest");
                    check(find(msgMask) == 1, "the session's buffer alone");
                }
                p.closeBoth();
                check(find(msgMask) == 0, "a message is left behind a stream");
            }
        }
    }

    /* ---- */

    public static void main(String[] args) {
        TESTS.put("messages of every size", JniTest::sizes);
        TESTS.put("small sessions", JniTest::smallMessages);
        TESTS.put("2 MB in both directions at once", JniTest::bothWays);
        TESTS.put("byte by byte", JniTest::byteByByte);
        TESTS.put("one direction ends first", JniTest::halfClose);
        TESTS.put("streams: one thread reads, one writes", JniTest::streams);
        TESTS.put("streams that are cut", JniTest::truncatedStreams);
        TESTS.put("pipes", JniTest::pipes);
        TESTS.put("identities of the application", JniTest::custom);
        TESTS.put("keys and psks at one server", JniTest::mixed);
        TESTS.put("handshakes by several threads", JniTest::handshakes);
        TESTS.put("renewal", JniTest::renewal);
        TESTS.put("authenticator, exporter, fingerprint, context", JniTest::whatItKnows);
        TESTS.put("hidden server", JniTest::hidden);
        TESTS.put("wrong keys are refused", JniTest::refused);
        TESTS.put("the trust is slow, throws, closes", JniTest::slowVerdict);
        TESTS.put("psk, and a wrong one", JniTest::psk);
        TESTS.put("a changed byte", JniTest::tampered);
        TESTS.put("a changed byte in a flood", JniTest::tamperedInFlood);
        TESTS.put("the link is cut", JniTest::cut);
        TESTS.put("streams that throw anything", JniTest::strangeStreams);
        TESTS.put("keep-alives", JniTest::keepAlive);
        TESTS.put("silence", JniTest::silence);
        TESTS.put("a slow receiver is not silence", JniTest::slowReceiver);
        TESTS.put("interrupt", JniTest::interrupted);
        TESTS.put("close", JniTest::closing);
        TESTS.put("threads end after a failure", JniTest::threadsEnd);
        TESTS.put("every call after close", JniTest::afterClose);
        TESTS.put("any order, any arguments, four threads", JniTest::anyOrder);
        TESTS.put("many threads on one session", JniTest::oneSessionManyThreads);
        TESTS.put("bad arguments", JniTest::badArguments);
        TESTS.put("2600 sessions leave nothing", JniTest::cycles);
        TESTS.put("secrets are erased", JniTest::erased);
        List<String> only = Arrays.asList(args);
        boolean leaveOut = only.contains("-"); // all but those named behind it
        int failed = 0;
        for (Map.Entry<String, Body> t : TESTS.entrySet()) {
            if (!only.isEmpty() && only.contains(t.getKey()) == leaveOut) continue;
            long begun = ms();
            try {
                int before = SvconnEngine.live();
                t.getValue().run();
                check(SvconnEngine.live() == before, (SvconnEngine.live() - before) + " sessions or identities were not closed");
                System.out.println("pass jni: " + t.getKey());
            } catch (Throwable e) {
                failed++;
                System.out.println("FAIL jni: " + t.getKey() + ": " + e);
                e.printStackTrace();
            }
            if (System.getenv("JNI_TIMES") != null) System.out.println("     " + (ms() - begun) + " ms");
        }
        System.out.flush();
        System.exit(failed == 0 ? 0 : 1);
    }
}
