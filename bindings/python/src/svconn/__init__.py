# SPDX-License-Identifier: ISC
"""svconn: authenticated, encrypted messages and streams over anything that carries bytes.

With asyncio: `open_connection`, `start_server` and `wrap_connection` give asyncio's own streams; `open_messages`,
`start_message_server` and `wrap_messages` give whole messages. Without input and output: `Session`.
"""
from ._errors import Code, Failure, SvconnError, UsageError, WouldBlock
from ._session import (
    CLIENT,
    MESSAGE_MAX,
    SERVER,
    BytesLike,
    Config,
    Early,
    Identity,
    PeerTypes,
    Role,
    Session,
    State,
    __version__,
    fingerprint,
)
from ._streams import (
    Accept,
    MessageStream,
    open_connection,
    open_messages,
    start_message_server,
    start_server,
    wrap_connection,
    wrap_messages,
)

__all__ = [
    "CLIENT", "MESSAGE_MAX", "SERVER", "Accept", "BytesLike", "Code", "Config", "Early", "Failure", "Identity",
    "MessageStream", "PeerTypes", "Role", "Session", "State", "SvconnError", "UsageError", "WouldBlock", "__version__",
    "fingerprint", "open_connection", "open_messages", "start_message_server", "start_server", "wrap_connection",
    "wrap_messages",
]  # fmt: skip
