/* SPDX-License-Identifier: ISC */
package io.svconn;

/** Something that C has allocated: there from its constructor to close(), used under its monitor. */
abstract class Handle implements AutoCloseable {
    private long handle;

    /** By the constructor, once. Synchronized as all that reads it: the object may be published without care. */
    final synchronized void own(long h) {
        handle = h;
    }

    /** Inside synchronized (this). */
    final long handle() {
        if (handle == 0) throw new IllegalStateException("it is closed");
        return handle;
    }

    /** Erases and frees all of it, at once and in any state. May be called again. */
    @Override
    public synchronized void close() {
        if (handle == 0) return;
        long h = handle;
        handle = 0;
        free(h);
    }

    abstract void free(long h);
}
