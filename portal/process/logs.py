"""Logging to standard error: no client address in it, and no line that a stranger could write."""

import logging
import re
import sys

# What looks like an IPv4 or IPv6 address. Tornado and asyncio name peers in some messages and in
# the reprs of sockets; over-redacting one of theirs (a time, say) costs nothing.
_ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-fA-F:]*:[0-9a-fA-F:]*:)[0-9a-fA-F:.]{2,45})(?!\w)"
)
# Control characters (C0, C1), line separators, marks of direction, other characters without width,
# tags, and halves of surrogate pairs.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


class Formatter(logging.Formatter):
    """One line a record; in what libraries write, addresses are replaced by "-"."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The record's line, its message redacted unless the portal itself wrote it."""
        if not record.name.startswith("portal"):
            record.message = redact(record.message)
        record.message = escape(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """The traceback, redacted; its lines are indented, so that none passes for a record."""
        text = redact(super().formatException(ei))  # type: ignore[arg-type]
        return "\n".join(f"  {escape(line)}" for line in text.split("\n"))


def escape(text: str) -> str:
    """The text in one line, without characters that a terminal obeys or a reader does not see."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def redact(text: str) -> str:
    """The text with every address replaced."""
    return _ADDRESS.sub("-", text)


def setup(level: int = logging.INFO) -> None:
    """Log to standard error; systemd and make both keep it from there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Tornado's access log carries the client's address and the query; `log_request` is our own.
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    # At DEBUG, Tornado's curl client would log GitLab's token.
    logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)
