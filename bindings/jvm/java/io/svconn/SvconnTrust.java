/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.io.IOException;
import java.util.Arrays;

/**
 * Answers the question of a handshake: is this peer whom we want? All of it is called on the thread that does the
 * handshake. It may take its time and ask a person, as long as the handshake's deadline is not over. What it throws
 * refuses the peer, and comes out of the handshake.
 */
public interface SvconnTrust {
    /**
     * Called once for a handshake.
     *
     * @param identity the peer's, type and body: 1 and an Ed25519 public key, 2 and a name, or a type of the
     *     application's own. The peer has proven it.
     */
    boolean accepts(byte[] identity) throws IOException;

    /**
     * For a peer of a custom type ({@link SvconnConfig#peers}): does this proof cover this message? Called before
     * {@link #accepts}, and a second time on a CLIENT. As it is, no proof is good.
     */
    default boolean isProven(byte[] identity, byte[] proof, byte[] message) throws IOException {
        return false;
    }

    /**
     * For a peer with a pre-shared key where our own identity is none: the 32 bytes that belong to the name (the
     * identity without its first byte); null refuses. The array is filled with zeros.
     */
    default byte[] psk(byte[] identity) throws IOException {
        return null;
    }

    /** One of these Ed25519 public keys, 32 bytes each. */
    static SvconnTrust keys(byte[]... publicKeys) {
        final byte[][] known = new byte[publicKeys.length][];
        for (int i = 0; i < known.length; i++) {
            if (publicKeys[i].length != 32) throw new IllegalArgumentException("a public key has 32 bytes");
            known[i] = publicKeys[i].clone();
        }
        return identity -> {
            if (identity.length != 33 || identity[0] != SvconnIdentity.TYPE_ED25519) return false;
            byte[] key = Arrays.copyOfRange(identity, 1, 33);
            for (byte[] k : known) if (Arrays.equals(k, key)) return true;
            return false;
        };
    }

    /** Whoever has proven that it knows our pre-shared key, under any name. */
    static SvconnTrust psk() {
        return identity -> identity.length > 0 && identity[0] == SvconnIdentity.TYPE_PSK;
    }
}
