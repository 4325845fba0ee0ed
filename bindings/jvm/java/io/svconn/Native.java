/* SPDX-License-Identifier: ISC */
package io.svconn;

/**
 * The functions of svconn_jni.c. A handle that is 0, or that was closed, must never come here: {@link Handle} sees to
 * that, under its monitor. Names and types of this class are known to the C side: see android/consumer-rules.pro.
 */
final class Native {
    static {
        System.loadLibrary("svconn_jni");
    }

    private Native() {}

    /* Codes of svconn.h that Java looks at; svconn_jni.c does not compile if they change */
    static final int OK = 0;
    static final int AGAIN = 1;
    static final int END = 2;
    static final int E_ARGUMENT = 3;
    static final int E_STATE = 4;
    static final int E_SIZE = 5;
    static final int FAILURES = 32; /* from here on */
    static final int E_TRUNCATED = 33;
    static final int E_CANCELLED = 55;

    /** 0 if the arguments are wrong. name null: Ed25519. */
    static native long identityOpen(byte[] secret, byte[] name);

    static native long identityCustom(byte[] identity);

    static native byte[] identityBytes(long identity);

    static native void identityClose(long identity);

    static native int open(long identity, byte[] seed, int[] numbers, byte[] context, byte[] known, long[] out);

    static native void close(long session);

    static native int live(int zero);

    static native int status(long session);

    static native int error(long session);

    static native byte[] peer(long session);

    static native int verdict(long session, boolean welcome);

    /** null: not in this state */
    static native byte[] proofMessage(long session);

    /** -1: no memory */
    static native int prove(long session, byte[] proof);

    /** null: not in this state */
    static native byte[] peerProof(long session);

    static native byte[] peerProofMessage(long session);

    static native int givePsk(long session, byte[] psk);

    static native int export(long session, byte[] label, byte[] context, byte[] out);

    static native String authenticator(long session);

    static native String fingerprint(byte[] identity);

    static native int keyIds(long session);

    static native String text(int code);

    static native String name(int code);

    static native int wireIn(long session, byte[] bytes, int offset, int len, long now);

    static native int wireEof(long session);

    static native int wireOut(long session, byte[] bytes, int offset, int max);

    static native long tick(long session, long now);

    static native int send(long session, byte[] msg, int offset, int len, long now);

    static native int recvLength(long session);

    static native int recv(long session, byte[] out);

    static native int finish(long session, long now);

    static native void abort(long session);

    static native int renew(long session);

    /** Faults of the caller become unchecked exceptions, failures a SvconnException. AGAIN and END are for the caller. */
    static void check(int code) throws SvconnException {
        switch (code) {
            case OK:
            case AGAIN:
            case END:
                return;
            case E_STATE:
                throw new IllegalStateException("svconn: not in this state");
            default:
                if (code < 0) throw new OutOfMemoryError("svconn");
                if (code >= FAILURES) throw new SvconnException(code);
                throw new IllegalArgumentException("svconn: " + text(code));
        }
    }
}
