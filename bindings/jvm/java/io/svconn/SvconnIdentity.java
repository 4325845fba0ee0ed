/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Who we are. Holds a secret outside of Java's heap, where no collector makes copies of it: close it. Sessions have
 * their own copy, so it may be closed before they are.
 */
public final class SvconnIdentity extends Handle {
    public static final byte TYPE_ED25519 = 1;
    public static final byte TYPE_PSK = 2;

    /** The proof of a custom identity, by a key in an HSM or that of a certificate. */
    public interface Prover {
        /**
         * Signs message, at most 64 bytes. Called on the thread that does the handshake: once for a CLIENT, twice for a
         * SERVER. What it throws ends the handshake and comes out of it.
         */
        byte[] prove(byte[] message) throws IOException;
    }

    final Prover prover; // null: not a custom identity

    private SvconnIdentity(long h, Prover prover) {
        if (h == 0) throw new IllegalArgumentException("not an identity: a psk of zeros, an unknown type (or no memory)");
        this.prover = prover;
        own(h);
    }

    private static SvconnIdentity secret(byte[] secret, byte[] name) {
        if (secret.length != 32) throw new IllegalArgumentException("a seed or psk has 32 bytes");
        if (name != null && name.length > 64) throw new IllegalArgumentException("a name has at most 64 bytes");
        return new SvconnIdentity(Native.identityOpen(secret, name), null);
    }

    /** An Ed25519 key: the 32 bytes of RFC 8032. The array stays the caller's, to be filled with zeros. */
    public static SvconnIdentity ed25519(byte[] seed) {
        return secret(seed, null);
    }

    /** A pre-shared key: 32 random bytes, never a password. The names of the two parties differ. */
    public static SvconnIdentity psk(byte[] psk, String name) {
        return secret(psk, name.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * An identity of the application's own kind.
     *
     * @param identity the first byte, 80 to ff (hexadecimal), is the type; the peer sees all of it
     */
    public static SvconnIdentity custom(byte[] identity, Prover prover) {
        if (prover == null) throw new IllegalArgumentException("who proves it?");
        if (identity.length < 1 || identity[0] >= 0) throw new IllegalArgumentException("the type is 80 to ff");
        return new SvconnIdentity(Native.identityCustom(identity), prover);
    }

    /** What the peer will see: the type, and the public key, the name, or what is the application's. */
    public synchronized byte[] bytes() {
        return Native.identityBytes(handle());
    }

    /** The Ed25519 public key. */
    public byte[] publicKey() {
        byte[] id = bytes();
        if (id[0] != TYPE_ED25519) throw new IllegalStateException("not an Ed25519 identity");
        return Arrays.copyOfRange(id, 1, 33);
    }

    @Override
    void free(long h) {
        Native.identityClose(h);
    }
}
