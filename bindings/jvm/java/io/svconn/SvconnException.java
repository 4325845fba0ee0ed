/* SPDX-License-Identifier: ISC */
package io.svconn;

import java.io.IOException;

/** The session failed, for good: why, and what to look at. The peer was told that there was a failure, not which. */
public final class SvconnException extends IOException {
    private static final long serialVersionUID = 1;

    private final int code;
    private final String reason;

    SvconnException(int code) {
        super(Native.text(code));
        this.code = code;
        this.reason = Native.name(code);
    }

    /** The short name of spec/vectors.md, such as "truncated", "tag", "refused", "silent". */
    public String reason() {
        return reason;
    }

    /** The svconn_err of svconn.h. */
    public int code() {
        return code;
    }
}
