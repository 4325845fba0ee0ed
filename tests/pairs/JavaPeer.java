/* SPDX-License-Identifier: ISC */
import io.svconn.SvconnConfig;
import io.svconn.SvconnConfig.Role;
import io.svconn.SvconnIdentity;
import io.svconn.SvconnSocket;
import io.svconn.SvconnTrust;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** See java.sh. */
public final class JavaPeer {
    private JavaPeer() {}

    private static byte[] filled(int value) {
        byte[] b = new byte[32];
        Arrays.fill(b, (byte) value);
        return b;
    }

    private static byte[] publicKey(int seed) {
        try (SvconnIdentity id = SvconnIdentity.ed25519(filled(seed))) {
            return id.publicKey();
        }
    }

    /** Only this name, by our psk. */
    private static SvconnTrust named(String name) {
        byte[] want = ("\u0002" + name).getBytes(StandardCharsets.UTF_8);
        return identity -> Arrays.equals(identity, want);
    }

    private static SvconnSocket open(Role role, String kind, Socket socket) throws IOException {
        boolean server = role == Role.SERVER, psk = kind.equals("psk"), hidden = kind.equals("hidden");
        if (!psk && !hidden && !kind.equals("key")) throw new IOException("KIND is key, hidden or psk");
        try (SvconnIdentity me = psk ? SvconnIdentity.psk(filled(0x33), server ? "server" : "client")
                                     : SvconnIdentity.ed25519(filled(server ? 0x11 : 0x22))) {
            SvconnConfig config = new SvconnConfig(role, me).messageMax(16384).hidden(hidden && server);
            if (hidden && !server) config.knownServers(publicKey(0x11));
            SvconnTrust trust = psk ? named(server ? "client" : "server") : SvconnTrust.keys(publicKey(server ? 0x22 : 0x11));
            return new SvconnSocket(config, trust, socket);
        }
    }

    private static void server(String kind) throws IOException {
        try (ServerSocket door = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            System.out.println("port " + door.getLocalPort());
            try (SvconnSocket s = open(Role.SERVER, kind, door.accept())) {
                s.startHandshake();
                String digits = s.authenticator();
                for (byte[] msg; (msg = s.receive()) != null; ) s.send(msg);
                s.close();
                System.out.println("authenticator " + digits);
            }
        }
    }

    private static void echo(SvconnSocket s, byte[] msg) throws IOException {
        s.send(msg);
        if (!Arrays.equals(s.receive(), msg)) throw new IOException("another message came back");
    }

    private static void client(String kind, int port) throws IOException {
        try (SvconnSocket s = open(Role.CLIENT, kind, new Socket(InetAddress.getByName("127.0.0.1"), port))) {
            s.startHandshake();
            String digits = s.authenticator();
            byte[] last = new byte[5000];
            for (int i = 0; i < last.length; i++) last[i] = (byte) (7 * i);
            echo(s, new byte[0]);
            echo(s, "hello".getBytes(StandardCharsets.UTF_8));
            s.renew();
            echo(s, last);
            s.shutdownOutput();
            if (s.receive() != null) throw new IOException("a message that nobody sent");
            s.close();
            System.out.println("authenticator " + digits);
        }
    }

    private static void giveUp() {
        try {
            Thread.sleep(30000);
        } catch (InterruptedException e) {
            // as if it were time
        }
        System.err.println("gave up after 30 s");
        Runtime.getRuntime().halt(1);
    }

    public static void main(String[] args) {
        Thread watch = new Thread(JavaPeer::giveUp);
        watch.setDaemon(true);
        watch.start();
        try {
            if (args[0].equals("server") && args.length == 2) server(args[1]);
            else if (args[0].equals("client") && args.length == 3) client(args[1], Integer.parseInt(args[2]));
            else throw new IOException("usage: server KIND | client KIND PORT");
        } catch (IOException | RuntimeException e) {
            System.err.println(e.getMessage() == null ? e.toString() : e.getMessage());
            System.exit(1);
        }
    }
}
