# SPDX-License-Identifier: ISC
"""What can go wrong: svconn_err of svconn.h as exceptions."""
from __future__ import annotations

import enum
from typing import Optional, Tuple

from ._core import ffi, lib


class Code(enum.IntEnum):
    """The results of svconn.h."""

    OK = lib.SVCONN_OK
    AGAIN = lib.SVCONN_AGAIN
    END = lib.SVCONN_END
    # caller faults
    ARGUMENT = lib.SVCONN_E_ARGUMENT
    STATE = lib.SVCONN_E_STATE
    SIZE = lib.SVCONN_E_SIZE
    SEED = lib.SVCONN_E_SEED
    UNSUPPORTED = lib.SVCONN_E_UNSUPPORTED
    # failures
    ABSENT = lib.SVCONN_E_ABSENT
    TRUNCATED = lib.SVCONN_E_TRUNCATED
    ABORTED = lib.SVCONN_E_ABORTED
    VERSION = lib.SVCONN_E_VERSION
    FORMAT = lib.SVCONN_E_FORMAT
    LIMIT = lib.SVCONN_E_LIMIT
    TYPE = lib.SVCONN_E_TYPE
    KEY = lib.SVCONN_E_KEY
    SELF = lib.SVCONN_E_SELF
    UNKNOWN = lib.SVCONN_E_UNKNOWN
    PROOF = lib.SVCONN_E_PROOF
    DH = lib.SVCONN_E_DH
    SEAL = lib.SVCONN_E_SEAL
    PADDING = lib.SVCONN_E_PADDING
    REFUSED = lib.SVCONN_E_REFUSED
    CONFIRM = lib.SVCONN_E_CONFIRM
    TAG = lib.SVCONN_E_TAG
    KEY_ID = lib.SVCONN_E_KEY_ID
    KEY_LIMIT = lib.SVCONN_E_KEY_LIMIT
    CONTROL = lib.SVCONN_E_CONTROL
    AFTER_CLOSE = lib.SVCONN_E_AFTER_CLOSE
    TIMEOUT = lib.SVCONN_E_TIMEOUT
    SILENT = lib.SVCONN_E_SILENT
    CANCELLED = lib.SVCONN_E_CANCELLED

    @property
    def reason(self) -> str:
        """The short name of spec/vectors.md, such as "key-limit"."""
        return str(ffi.string(lib.svconn_reason_name(self)), "ascii")


class SvconnError(Exception):
    """All that this package raises about a session. `str()` of it is a sentence that says what to look at."""

    code: Code

    def __init__(self, code: Code, sentence: Optional[str] = None) -> None:
        super().__init__(sentence or str(ffi.string(lib.svconn_strerror(code)), "ascii"))
        self.code = code

    def __reduce__(self) -> Tuple[type, Tuple[Code, str]]:
        return type(self), (self.code, str(self))

    @property
    def reason(self) -> str:
        """The short name of the code, for programs and logs."""
        return self.code.reason


class WouldBlock(SvconnError):
    """There is no room now: take what `Session.wire_out` has, then try again. The session is as it was."""


class UsageError(SvconnError):
    """The caller's fault: a bad argument, or a call that means nothing in this state. The session is as it was."""


class Failure(SvconnError, ConnectionError):
    """The session has failed, for good; its keys are wiped. Also an OSError, as other lost connections are."""


def check(err: int) -> None:
    """Raises what the result of a call says, if it is not OK."""
    if err == Code.OK:
        return
    code = Code(err)
    if code >= Code.ABSENT:
        raise Failure(code)
    raise WouldBlock(code) if code == Code.AGAIN else UsageError(code)
