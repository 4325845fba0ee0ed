/* SPDX-License-Identifier: ISC */
package io.svconn;

/** What a session is to be like: svconn_config of svconn.h. Set what is needed; 0 and an empty array are defaults. */
public final class SvconnConfig {
    public enum Role {
        CLIENT,
        /** The side that accepted the link. */
        SERVER
    }

    /** For {@link #peers}. */
    public static final int PEER_ED25519 = 1, PEER_PSK = 2, PEER_CUSTOM = 4;

    public static final int MESSAGE_MAX = 65535;
    /** For handshakeMs, keepaliveMs, silenceMs: never. */
    public static final int OFF = -1;

    final Role role;
    final SvconnIdentity identity;
    byte[] context = {};
    byte[] knownServers = {};
    boolean hidden;
    int peers, padTo, renewRecords, renewBytes, renewMs, handshakeMs, keepaliveMs, silenceMs;
    int messageMax = MESSAGE_MAX;
    int closeMs = 5000;

    public SvconnConfig(Role role, SvconnIdentity identity) {
        if (role == null || identity == null) throw new IllegalArgumentException("role and identity are needed");
        this.role = role;
        this.identity = identity;
    }

    /** Both ends have the same; at most 255 bytes. */
    public SvconnConfig context(byte[] bytes) {
        if (bytes.length > 255) throw new IllegalArgumentException("a context has at most 255 bytes");
        context = bytes.clone();
        return this;
    }

    /** SERVER with an Ed25519 key: hide it from those who do not know it. */
    public SvconnConfig hidden(boolean yes) {
        hidden = yes;
        return this;
    }

    /** CLIENT: the Ed25519 public keys that a hidden server may have. */
    public SvconnConfig knownServers(byte[]... publicKeys) {
        if (publicKeys.length > 1024) throw new IllegalArgumentException("at most 1024 keys");
        byte[] all = new byte[32 * publicKeys.length];
        for (int i = 0; i < publicKeys.length; i++) {
            if (publicKeys[i].length != 32) throw new IllegalArgumentException("a public key has 32 bytes");
            System.arraycopy(publicKeys[i], 0, all, 32 * i, 32);
        }
        knownServers = all;
        return this;
    }

    /** Which kinds of peers come into question at all: PEER_ bits, added up; 0: the kind of our own identity. */
    public SvconnConfig peers(int kinds) {
        if (kinds < 0 || kinds > 7) throw new IllegalArgumentException("not PEER_ bits");
        peers = kinds;
        return this;
    }

    /** CLIENT: pad identity and proof to a multiple of so many bytes, at most 4096. */
    public SvconnConfig padTo(int bytes) {
        if (bytes < 0 || bytes > 4096) throw new IllegalArgumentException("0 to 4096");
        padTo = bytes;
        return this;
    }

    /** Renew our key after so many records, bytes, milliseconds; 0: the default, which is the largest. */
    public SvconnConfig renew(int records, int bytes, int ms) {
        renewRecords = notNegative(records);
        renewBytes = notNegative(bytes);
        renewMs = notNegative(ms);
        return this;
    }

    /** The handshake must be over within; default 10 s. */
    public SvconnConfig handshakeMs(int ms) {
        handshakeMs = orOff(ms);
        return this;
    }

    /** Send a sign of life after so long; default 20 s. */
    public SvconnConfig keepaliveMs(int ms) {
        keepaliveMs = orOff(ms);
        return this;
    }

    /** Fail when nothing is heard for so long; default 60 s. */
    public SvconnConfig silenceMs(int ms) {
        silenceMs = orOff(ms);
        return this;
    }

    /** The longest message, 1 to 65535. A session takes about three times as much memory. */
    public SvconnConfig messageMax(int bytes) {
        if (bytes < 1 || bytes > MESSAGE_MAX) throw new IllegalArgumentException("1 to 65535");
        messageMax = bytes;
        return this;
    }

    /** {@link SvconnSocket#close} waits so long for the peer's CLOSE; default 5 s. */
    public SvconnConfig closeMs(int ms) {
        closeMs = notNegative(ms);
        return this;
    }

    private static int notNegative(int n) {
        if (n < 0) throw new IllegalArgumentException("negative");
        return n;
    }

    private static int orOff(int ms) {
        if (ms < OFF) throw new IllegalArgumentException("negative");
        return ms;
    }

    /** As svconn_jni.c takes them. */
    int[] numbers() {
        return new int[] {role == Role.CLIENT ? 1 : 2, hidden ? 1 : 0, peers, padTo, renewRecords, renewBytes, renewMs,
            handshakeMs, keepaliveMs, silenceMs, messageMax};
    }
}
