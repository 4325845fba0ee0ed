/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Who we are. Holds a secret outside of Java's heap, where no collector makes copies of it: close it. Sessions have
 * their own copy, so it may be closed before they are.
 */
public final class SvconnIdentity implements AutoCloseable {
    public static final byte TYPE_ED25519 = 1;
    public static final byte TYPE_PSK = 2;

    private long handle;

    private SvconnIdentity(byte[] secret, byte[] name) {
        if (secret.length != 32) throw new IllegalArgumentException("a seed or psk has 32 bytes");
        if (name != null && name.length > 64) throw new IllegalArgumentException("a name has at most 64 bytes");
        long h = Native.identityOpen(secret, name);
        synchronized (this) { // as all that reads it
            handle = h;
        }
        if (h == 0) throw new IllegalArgumentException("all zero (or no memory)");
    }

    /** An Ed25519 key: the 32 bytes of RFC 8032. The array stays the caller's, to be filled with zeros. */
    public static SvconnIdentity ed25519(byte[] seed) {
        return new SvconnIdentity(seed, null);
    }

    /** A pre-shared key: 32 random bytes, never a password. The names of the two parties differ. */
    public static SvconnIdentity psk(byte[] psk, String name) {
        return new SvconnIdentity(psk, name.getBytes(StandardCharsets.UTF_8));
    }

    /** What the peer will see: the type, and the public key or the name. */
    public synchronized byte[] bytes() {
        return Native.identityBytes(handle());
    }

    /** The Ed25519 public key. */
    public byte[] publicKey() {
        byte[] id = bytes();
        if (id[0] != TYPE_ED25519) throw new IllegalStateException("not an Ed25519 identity");
        return Arrays.copyOfRange(id, 1, 33);
    }

    /** For Svconn, inside synchronized (this). */
    long handle() {
        if (handle == 0) throw new IllegalStateException("the identity is closed");
        return handle;
    }

    /** Erases the secret. May be called again. */
    @Override
    public synchronized void close() {
        if (handle == 0) return;
        long h = handle;
        handle = 0;
        Native.identityClose(h);
    }
}
