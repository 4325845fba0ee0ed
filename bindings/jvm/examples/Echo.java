/* SPDX-License-Identifier: ISC */
import io.svconn.SvconnEngine;
import io.svconn.SvconnSocket;
import io.svconn.SvconnConfig;
import io.svconn.SvconnException;
import io.svconn.SvconnIdentity;
import io.svconn.SvconnTrust;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * The example over TCP, against "svconn echo-server", "svconn echo" and itself.
 *
 * <pre>
 *      java -Djava.library.path=DIR -cp DIR Echo server PORT who=...      one connection, on the loopback interface
 *      java -Djava.library.path=DIR -cp DIR Echo client PORT who=... count=N size=N pause=MS
 *
 *      key=FILE peer=HEX       64 hexadecimal digits in the file; the peer's public key ("svconn id")
 *      psk=FILE name=NAME      instead
 *      hidden=1 context=TEXT renew=RECORDS keepalive=MS silence=MS
 * </pre>
 */
public final class Echo {
    private Echo() {}

    private static byte[] unhex(String s) {
        byte[] out = new byte[s.length() / 2];
        for (int i = 0; i < out.length; i++) out[i] = (byte) Integer.parseInt(s.substring(2 * i, 2 * i + 2), 16);
        return out;
    }

    private static byte[] secret(String file) throws IOException {
        return unhex(new String(Files.readAllBytes(Paths.get(file)), StandardCharsets.US_ASCII).trim());
    }

    private static SvconnIdentity identity(Map<String, String> o) throws IOException {
        byte[] secret = secret(o.containsKey("psk") ? o.get("psk") : o.get("key"));
        try {
            return o.containsKey("psk") ? SvconnIdentity.psk(secret, o.get("name")) : SvconnIdentity.ed25519(secret);
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }

    private static int number(Map<String, String> o, String name, int otherwise) {
        return o.containsKey(name) ? Integer.parseInt(o.get(name)) : otherwise;
    }

    private static SvconnConfig config(SvconnConfig.Role role, SvconnIdentity me, Map<String, String> o) {
        SvconnConfig c = new SvconnConfig(role, me)
            .context(o.getOrDefault("context", "").getBytes(StandardCharsets.UTF_8))
            .renew(number(o, "renew", 0), 0, 0)
            .keepaliveMs(number(o, "keepalive", 0))
            .silenceMs(number(o, "silence", 0));
        if (o.containsKey("hidden") && role == SvconnConfig.Role.SERVER) c.hidden(true);
        if (o.containsKey("hidden") && role == SvconnConfig.Role.CLIENT) c.knownServers(unhex(o.get("peer")));
        return c;
    }

    private static void show(SvconnSocket c) {
        System.out.println("peer " + SvconnEngine.fingerprint(c.peer()));
        System.out.println("authenticator " + c.authenticator());
    }

    private static void serve(SvconnSocket c) throws IOException {
        for (byte[] msg; (msg = c.receive()) != null; ) c.send(msg);
    }

    /** The sending half; the receiving one checks against the same pseudo-random bytes. */
    private static void sendAll(SvconnSocket c, int count, int size, int pause) {
        try {
            Random r = new Random(size);
            byte[] msg = new byte[size];
            for (int i = 0; i < count; i++) {
                if (pause > 0) Thread.sleep(pause);
                r.nextBytes(msg);
                c.send(msg);
            }
            c.shutdownOutput();
        } catch (IOException | InterruptedException e) {
            // receive() says the same
        }
    }

    private static void call(SvconnSocket c, int count, int size, int pause) throws Exception {
        Thread sender = new Thread(() -> sendAll(c, count, size, pause));
        sender.start();
        Random r = new Random(size);
        byte[] want = new byte[size];
        int n = 0;
        int[] keys = c.keyIds();
        for (byte[] msg; (msg = c.receive()) != null; n++) {
            if (c.keyIds()[0] > 0) keys = c.keyIds(); // none are left behind the end
            r.nextBytes(want);
            if (!Arrays.equals(msg, want)) throw new IOException("another message came back");
        }
        sender.join();
        if (n != count) throw new IOException(n + " messages came back");
        System.out.println("back " + n + " messages; keys " + keys[0] + " " + keys[1]);
    }

    private static void run(boolean server, Socket s, Map<String, String> o) throws Exception {
        SvconnTrust trust = o.containsKey("psk") ? SvconnTrust.psk() : SvconnTrust.keys(unhex(o.get("peer")));
        SvconnConfig.Role role = server ? SvconnConfig.Role.SERVER : SvconnConfig.Role.CLIENT;
        try (SvconnIdentity me = identity(o);
             SvconnSocket c =
                 new SvconnSocket(config(role, me, o), trust, s.getInputStream(), s.getOutputStream(), s)) {
            c.startHandshake();
            show(c);
            if (server) serve(c);
            else call(c, number(o, "count", 1), number(o, "size", 1000), number(o, "pause", 0));
        }
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> o = new HashMap<>();
        for (int i = 2; i < args.length; i++)
            o.put(args[i].substring(0, args[i].indexOf('=')), args[i].substring(args[i].indexOf('=') + 1));
        boolean server = args[0].equals("server");
        try {
            if (server) {
                try (ServerSocket door = new ServerSocket(Integer.parseInt(args[1]), 1, InetAddress.getLoopbackAddress())) {
                    System.out.println("listening on " + door.getLocalPort());
                    try (Socket s = door.accept()) {
                        run(true, s, o);
                    }
                }
            } else {
                try (Socket s = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]))) {
                    run(false, s, o);
                }
            }
            System.out.println("closed in order; live " + SvconnEngine.live());
        } catch (SvconnException e) {
            System.out.println("failed: " + e.reason() + ": " + e.getMessage() + "; live " + SvconnEngine.live());
            System.exit(1);
        }
    }
}
