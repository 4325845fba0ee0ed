/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.util.Arrays;

/** Answers the one question of a handshake: is this peer whom we want? */
public interface SvconnTrust {
    /**
     * Called once for a handshake, on the thread that called {@link SvconnChannel#handshake}. It may take its time and
     * ask a person, as long as the handshake's deadline is not over. What it throws refuses the peer, and comes out of
     * handshake().
     *
     * @param identity the peer's, type and body: 1 and an Ed25519 public key, or 2 and a name. The peer has proven it.
     */
    boolean accepts(byte[] identity);

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
