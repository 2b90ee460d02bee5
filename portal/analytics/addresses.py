"""Addresses as Umami may see them: without what only their visitor may know."""

import posixpath
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from portal.config.names import TOOL_NAMES

# In the name of a query's field: anywhere, or as a word of it.
_SECRET_PARTS = ("token", "secret", "passw", "signature", "credential", "apikey", "session")
_SECRET_WORDS = frozenset({"key", "sig", "expires", "pwd", "pass", "auth", "code", "jwt", "sid"})
_NAME = re.compile(r"([^?&;#/=]+)=")
_WORD = re.compile(r"[a-z0-9]+")
_TOOL = "|".join(sorted(TOOL_NAMES))
# Who knows the rest of such an address has the file.
_UPLOAD = re.compile(rf"/*({_TOOL})/+[^/]", re.IGNORECASE)
_UPLOAD_WITHIN = re.compile(rf"=(?:\w+:)?(?://[^/]*)?/+(?:{_TOOL})/+[^/]", re.IGNORECASE)
_HOST = re.compile(r"[^\s<>^|#?/@\\\"`{}]*")
_SCHEMES = ("", "http", "https", "android-app")
_DECODINGS = 3  # an address in an address in an address


def public_address(text: str) -> str:
    """The address without credentials, secret fields of its query and its fragment; "" for what is
    none. An upload's address becomes its tool's."""
    try:
        # Browsers take a backslash for a slash.
        parts = urlsplit(text.strip().replace("\\", "/"))
        host = parts.netloc.rpartition("@")[2]
        fine = parts.scheme in _SCHEMES and _HOST.fullmatch(host) and parts.port != 0
    except ValueError:
        return ""
    if not fine:
        return ""
    query = "&".join(
        pair for pair in re.split("[&;]", parts.query) if pair and not _is_secret(pair)
    )
    return urlunsplit((parts.scheme, host, _public_path(parts.path), query, ""))


def _public_path(path: str) -> str:
    seen = _decoded(path)
    upload = _UPLOAD.match(seen) or _UPLOAD.match(posixpath.normpath(seen))
    return f"/{upload[1].lower()}" if upload else path


def _is_secret(pair: str) -> bool:
    """Whether a field of a query is one, or holds an address that has one."""
    seen = _decoded(pair)
    names = _NAME.findall(seen if "=" in seen else f"{seen}=")
    return any(map(_names_a_secret, names)) or bool(_UPLOAD_WITHIN.search(seen))


def _names_a_secret(name: str) -> bool:
    name = name.lower()
    return any(part in name for part in _SECRET_PARTS) or not _SECRET_WORDS.isdisjoint(
        _WORD.findall(name)
    )


def _decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        text = unquote(text)
    return text
