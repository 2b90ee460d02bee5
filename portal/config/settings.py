"""The kinds of values that settings have: addresses, paths, names, secrets."""

import os
import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from portal.config.toml_table import TomlTable
from portal.http.client import Network

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
# GitLab's own rule for paths. Not the project's number: git has no address by number.
_SEGMENT = r"(?!\.{1,2}(?:/|$))[\w.][\w.-]*"
_PROJECT_PATH = re.compile(rf"{_SEGMENT}(/{_SEGMENT})+", re.ASCII)
# A second slash in front would name a host, and a query could hold a secret.
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


class SettingsTable(TomlTable):
    """A table of the configuration; each method reads one kind of value, as `TomlTable` does."""

    def colour(self, key: str, default: str) -> str:
        """A colour, in lower case."""
        value = self.text(key, default).lower()
        if not _COLOUR.fullmatch(value):
            self.fault(key, f'"{value}" must be a colour like #0b5c8a')
            return default
        return value

    def link(self, key: str) -> str:
        """The target of a link: a path of the portal or another address."""
        value = self.text(key, None)
        if value and not _LINK.fullmatch(value):
            self.fault(key, f'"{value}" must be a path like /privacy or an address with https://')
        return value

    def contact(self, key: str) -> str:
        """The address of a contact (RFC 9116, 2.5.3); "" where it is missing."""
        value = self.text(key, "")
        if value and not _CONTACT.fullmatch(value):
            self.fault(key, f'"{value}" must begin with mailto:, https:// or tel:')
        return value

    def token(self, key: str, default: str) -> str:
        """The name of a header field."""
        value = self.text(key, default)
        if not _TOKEN.fullmatch(value):
            self.fault(key, "must be the name of a header")
        return value

    def slug(self, key: str, *, reserved: Collection[str]) -> str:
        """A name that can be a path segment and is not in `reserved`."""
        value = self.text(key, None)
        if value in reserved:
            self.fault(key, f'"{value}" is one of the portal\'s own paths')
        elif value and (not _SLUG.fullmatch(value) or value.endswith(".git")):
            self.fault(key, f'"{value}" must be lower-case letters, digits, ".", "_", "-"')
        return value

    def project_path(self, key: str) -> str:
        """The path of a GitLab project, with its namespace."""
        value = self.text(key, None)
        if value and not _PROJECT_PATH.fullmatch(value):
            self.fault(key, f'"{value}" must be a path like group/project')
        return value

    def origin(self, key: str, default: str | None, *, path: bool = False) -> str:
        """An http or https address without query or trailing slash; a path only where `path`."""
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

    def file(self, key: str) -> Path | None:
        """A file that is there and can be read; None where the key is missing."""
        value = self.text(key, "")
        if value and not os.access(value, os.R_OK):
            self.fault(key, f'"{value}" is no file that can be read')
        return Path(value).absolute() if value else None

    def hosts(self, key: str) -> list[str]:
        """Hosts, each with or without a port, in lower case."""
        entries = self.strings(key)
        for entry in entries:
            if not _HOST.fullmatch(entry):
                self.fault(key, f'"{entry}" must be a host or host:port')
        return [entry.lower() for entry in entries]

    def networks(self, key: str) -> tuple[Network, ...]:
        """Addresses and networks (CIDR)."""
        networks = []
        for entry in self.strings(key):
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
