"""Pkt-lines, the framing of git's protocol.

https://git-scm.com/docs/protocol-common#_pkt_line_format
"""


def encode(payload: bytes) -> bytes:
    """One pkt-line; at most 65,516 bytes of payload."""
    return b"%04x%s" % (len(payload) + 4, payload)


def error(message: str) -> bytes:
    """An ERR line: git prints it as `fatal: remote error: message` and stops."""
    return encode(f"ERR {message}\n".encode())
