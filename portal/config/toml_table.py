"""Reading one TOML table: each value checked, each fault kept, no key left unread.

A `TomlTable` never raises: a value that cannot be used leaves a fault and gives a stand-in, so that
one pass finds everything that is wrong.
"""

import os
import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from portal.http.client import Network

T = TypeVar("T")

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
# GitLab's own rule for paths. Not the project's number: git has no address by number.
_SEGMENT = r"(?!\.{1,2}(?:/|$))[\w.][\w.-]*"
_PROJECT_PATH = re.compile(rf"{_SEGMENT}(/{_SEGMENT})+", re.ASCII)
# No second slash in front, which would name a host; no query, in which secrets travel.
_OWN_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/%-]*")
_SHARE_SLUG = re.compile(r"[A-Za-z0-9_-]{4,64}")
# Segments that need no encoding in any part of an address.
_PLAIN_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_SCRIPT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}\.js")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LINK = re.compile(r"/(?!/)[!-~]*|https?://[!-~]+|mailto:[!-~]+")
_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+|tel:[0-9+-]+")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")


class TomlTable:
    """One table of the document, and the faults of the whole document (shared by all of it)."""

    def __init__(self, table: dict[str, Any], prefix: str = "", faults: list[str] | None = None):
        self._table = table
        self._prefix = prefix
        self._faults: list[str] = [] if faults is None else faults
        self._read: set[str] = set()
        self._children: list[TomlTable] = []

    def fault(self, key: str, what: str) -> None:
        """Note that the value of `key` cannot be used."""
        self._faults.append(f"{self._prefix}{key}: {what}")

    def environment_fault(self, name: str, what: str) -> None:
        """Note that a variable of the environment cannot be used."""
        self._faults.append(f"{name}: {what}")

    def faults(self) -> list[str]:
        """Every fault found so far, then every key that nobody read."""
        return self._faults + self._unknown()

    def _unknown(self) -> list[str]:
        own = [f"{self._prefix}{key}: unknown key" for key in self._table if key not in self._read]
        return own + [line for child in self._children for line in child._unknown()]

    def _take(self, key: str, kind: type[T], default: T | None, what: str) -> T | None:
        self._read.add(key)
        if key not in self._table:
            if default is None:
                self.fault(key, "must be set")
            return default
        value = self._table[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"must be {what}")
            return default
        return value

    def _child(self, table: dict[str, Any], prefix: str) -> "TomlTable":
        child = TomlTable(table, prefix, self._faults)
        self._children.append(child)
        return child

    def table(self, key: str) -> "TomlTable":
        """The table of that name; an empty one where it is missing."""
        return self._child(self._take(key, dict, {}, "a table") or {}, f"{self._prefix}{key}.")

    def tables(self, key: str, least: int = 1) -> list["TomlTable"]:
        """The tables of an array of tables, which may be missing only where `least` is 0."""
        entries = self._take(key, list, None if least else [], "an array of tables") or []
        if any(not isinstance(entry, dict) for entry in entries):
            self.fault(key, "must be an array of tables")
            return []
        return [self._child(e, f"{self._prefix}{key}[{i}].") for i, e in enumerate(entries)]

    def text(self, key: str, default: str | None) -> str:
        """A string without control characters."""
        value = self._take(key, str, default, "a string") or ""
        if any(ord(c) < 32 for c in value):
            self.fault(key, "must not hold control characters")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where it is missing."""
        return bool(self._take(key, bool, False, "true or false"))

    def colour(self, key: str, default: str) -> str:
        """A colour, in lower case."""
        value = self.text(key, default).lower()
        if not _COLOUR.fullmatch(value):
            self.fault(key, f'"{value}" must be a colour like #0b5c8a')
            return default
        return value

    def link(self, key: str) -> str:
        """Where a link leads: a path of the portal's own, or another address."""
        value = self.text(key, None)
        if value and not _LINK.fullmatch(value):
            self.fault(key, f'"{value}" must be a path like /privacy or an address with https://')
        return value

    def contact(self, key: str) -> str:
        """How to reach somebody (RFC 9116, 2.5.3); "" where it is missing."""
        value = self.text(key, "")
        if value and not _CONTACT.fullmatch(value):
            self.fault(key, f'"{value}" must begin with mailto:, https:// or tel:')
        return value

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._take(key, int, default, "a whole number") or 0
        if not low <= value <= high:
            self.fault(key, f"must be from {low} to {high}")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A length of time above zero and at most a day."""
        value = self._take(key, (int, float), default, "a number of seconds")  # type: ignore[arg-type]
        if value is not None and not 0 < value <= 86_400:
            self.fault(key, "must be above 0 and at most 86400 seconds")
        return float(value or default)

    def token(self, key: str, default: str) -> str:
        """The name of a header."""
        value = self.text(key, default)
        if not _TOKEN.fullmatch(value):
            self.fault(key, "must be the name of a header")
        return value

    def slug(self, key: str, *, reserved: Collection[str]) -> str:
        """A name that can stand in an address and is not one of the portal's own paths."""
        value = self.text(key, None)
        if value in reserved:
            self.fault(key, f'"{value}" is one of the portal\'s own paths')
        elif value and (not _SLUG.fullmatch(value) or value.endswith(".git")):
            self.fault(key, f'"{value}" must be lower-case letters, digits, ".", "_", "-"')
        return value

    def project_path(self, key: str) -> str:
        """A project of GitLab: its path with namespace."""
        value = self.text(key, None)
        if value and not _PROJECT_PATH.fullmatch(value):
            self.fault(key, f'"{value}" must be a path like group/project')
        return value

    def origin(self, key: str, default: str | None, *, path: bool = False) -> str:
        """An http or https address without query, with a path only where `path`; no slash after."""
        value = self.text(key, default).rstrip("/")
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            fine = fine and not (parts.query or parts.fragment or parts.username)
        except ValueError:
            fine = False
        if value and not (fine and (path or not parts.path)):
            self.fault(key, f'"{value}" must be an address like https://gitlab.example.com')
        return value

    def file(self, key: str) -> Path | None:
        """A file that is there and can be read; None where the key is missing."""
        value = self.text(key, "")
        if value and not os.access(value, os.R_OK):
            self.fault(key, f'"{value}" is no file that can be read')
        return Path(value).absolute() if value else None

    def share(self, key: str, base: str) -> str:
        """A path of the portal's own address; a bare slug stands for a share page below `base`."""
        value = self.text(key, "")
        if _SHARE_SLUG.fullmatch(value):
            return f"{base}/share/{value}"
        if value and not _OWN_PATH.fullmatch(value):
            self.fault(
                key, f'"{value}" must be a path of the portal\'s own address, like /umami/share/x'
            )
        return value

    def plain_path(self, key: str, default: str) -> str:
        """A path of plain segments, without a slash at its end."""
        value = self.text(key, default).rstrip("/")
        if not _PLAIN_PATH.fullmatch(value):
            self.fault(key, f'"{value}" must be a path like /u, of letters, digits, ".", "_", "-"')
        return value

    def script(self, key: str, default: str) -> str:
        """The name of a script."""
        value = self.text(key, default)
        if not _SCRIPT.fullmatch(value):
            self.fault(key, f'"{value}" must be a name like script.js')
        return value

    def uuid(self, key: str) -> str:
        """A UUID in lower case; "" where none is set."""
        value = self.text(key, "").lower()
        if value and not _UUID.fullmatch(value):
            self.fault(key, f'"{value}" must be a UUID')
        return value

    def _list(self, key: str) -> list[str]:
        entries = self._take(key, list, [], "an array of strings") or []
        if any(not isinstance(entry, str) for entry in entries):
            self.fault(key, "must be an array of strings")
            return []
        return entries

    def hosts(self, key: str) -> list[str]:
        """Hosts, each with or without a port, in lower case."""
        entries = self._list(key)
        for entry in entries:
            if not _HOST.fullmatch(entry):
                self.fault(key, f'"{entry}" must be a host or host:port')
        return [entry.lower() for entry in entries]

    def networks(self, key: str) -> tuple[Network, ...]:
        """Addresses and networks (CIDR)."""
        networks = []
        for entry in self._list(key):
            try:
                networks.append(ip_network(entry))
            except ValueError:
                self.fault(key, f'"{entry}" is not an address or a network like 10.0.0.0/8')
        return tuple(networks)

    def address(self, key: str, default: str) -> str:
        """An IP address to listen on."""
        value = self.text(key, default)
        try:
            ip_address(value)
        except ValueError:
            self.fault(key, f'"{value}" is not an IP address')
        return value

    def secret(self, environ: Mapping[str, str], name: str) -> str:
        """A secret from the environment; "" where it is not set. Never in the file."""
        value = environ.get(name, "")
        if value != value.strip() or any(not 32 < ord(c) < 127 for c in value):
            self._faults.append(f"{name}: must be printable ASCII without spaces")
        return value
