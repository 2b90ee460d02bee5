"""The configuration: TOML for structure, the environment for secrets.

`load()` reads both and raises `ConfigError` with every fault at once, one line each, naming the
key. `portal.example.toml` explains each setting to its operator.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.config.names import RESERVED_SLUGS, TOOL_NAMES
from portal.config.site import Site
from portal.config.site import read as read_site
from portal.config.toml_table import TomlTable
from portal.http.client import Network

OWN_TABLES = Path(__file__).parent.parent.parent / "catalog"


class ConfigError(Exception):
    """The configuration cannot be used; `faults` holds one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Project:
    """One project: `slug` in the portal's addresses, `path` in GitLab (`group/project`)."""

    slug: str
    path: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class GitLab:
    """Where GitLab is (`url`, without a trailing slash) and where assets may come from.

    `external_url` is the address that GitLab gives itself, where it is another and cannot be found
    out; `proxy` ("" for none) and `ca_file` are for requests to GitLab alone. Of `token` and
    `token_file` one is set at the most.

    `asset_hosts` are `host` or `host:port` as they stand in a link; `asset_networks` are the
    networks that are not public and may still be connected to for an asset.
    """

    url: str
    asset_hosts: frozenset[str]
    asset_networks: tuple[Network, ...]
    refresh_seconds: float
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    ca_file: Path | None = None
    proxy: str = ""
    external_url: str = ""
    webhook_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many transfers run at once, and how long each step of one may take, in seconds."""

    transfers: int
    connect_seconds: float
    first_byte_seconds: float
    upstream_stall_seconds: float
    client_stall_seconds: float
    drain_seconds: float


@dataclass(frozen=True, slots=True)
class UmamiConfig:
    """Where Umami is (`url`, without a trailing slash), and its share page: a path of the portal's
    own address, "" where none is shown.

    Pages carry the tracker where `website`, a UUID, is set: the script named `script`, which posts
    to the portal's own path `collect`.
    """

    url: str
    share: str
    website: str = ""
    collect: str = "/u"
    script: str = "script.js"

    @property
    def share_slug(self) -> str:
        """What names the share page in Umami's API; "" where the path does not show it."""
        _, _, after = self.share.partition("/share/")
        return after.partition("/")[0]

    @property
    def share_frame(self) -> str:
        """The share page over the days that the operator's page shows beside it."""
        return f"{self.share}{'&' if '?' in self.share else '?'}date=30day"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is set."""

    data_dir: Path
    address: str
    port: int
    trusted_proxies: tuple[Network, ...]
    client_header: str
    site: Site
    gitlab: GitLab
    limits: Limits
    umami: UmamiConfig
    projects: tuple[Project, ...]
    catalog_dir: Path
    metrics_token: str = field(default="", repr=False)
    ip_hash_key: str = field(default="", repr=False)

    @property
    def database(self) -> Path:
        """Where the events are."""
        return self.data_dir / "portal.sqlite3"

    @property
    def outbox(self) -> Path | None:
        """Where page events wait for Umami; None where none are taken."""
        return self.data_dir / "outbox.sqlite3" if self.umami.website else None

    @property
    def catalog_index(self) -> Path:
        """What the catalog's tables were made into; it can be deleted."""
        return self.data_dir / "catalog.sqlite3"

    @property
    def umami_dir(self) -> Path:
        """Where Umami's tracker is kept, and the key of the pseudonyms that it is given."""
        return self.data_dir / "umami"

    @property
    def releases_dir(self) -> Path:
        """Where the last lists of releases are kept, for a start while GitLab is away."""
        return self.data_dir / "releases"

    @property
    def spill_dir(self) -> Path:
        """Where events wait while the database cannot be written."""
        return self.data_dir / "spill"

    @property
    def upload_dir(self) -> Path:
        """Where the tools' files are for their hour."""
        return self.data_dir / "uploads"

    def project(self, slug: str) -> Project | None:
        """The project of that slug, or None."""
        return next((p for p in self.projects if p.slug == slug), None)


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the file and the environment; relative paths are relative to the working directory."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    return parse(document, environ)


def parse(document: dict[str, Any], environ: Mapping[str, str]) -> Config:
    """The same from a document that is already read."""
    root = TomlTable(document)
    listen, site, gitlab, limits, umami = (
        root.table(name) for name in ("listen", "site", "gitlab", "limits", "umami")
    )
    config = Config(
        data_dir=Path(root.text("data_dir", "var")),
        address=listen.address("address", "127.0.0.1"),
        port=listen.integer("port", 8000, low=0, high=65535),
        trusted_proxies=listen.networks("trusted_proxies"),
        client_header=listen.token("client_header", "X-Forwarded-For"),
        site=read_site(site),
        gitlab=_gitlab(gitlab, environ),
        limits=_limits(limits),
        projects=(projects := _projects(root)),
        umami=_umami(umami, projects),
        catalog_dir=_catalog(root.table("catalog"), environ),
        metrics_token=root.secret(environ, "METRICS_TOKEN"),
        ip_hash_key=root.secret(environ, "IP_HASH_KEY"),
    )
    if faults := root.faults():
        raise ConfigError(faults)
    return config


def _gitlab(table: TomlTable, environ: Mapping[str, str]) -> GitLab:
    token = table.secret(environ, "GITLAB_TOKEN")
    token_file = _token_file(table, environ, token)
    return GitLab(
        url=table.origin("url", None, path=True),
        asset_hosts=frozenset(table.hosts("asset_hosts")),
        asset_networks=table.networks("asset_networks"),
        refresh_seconds=table.seconds("refresh_seconds", 30),
        token="" if token_file else token,
        token_file=token_file,
        ca_file=table.file("ca_file"),
        proxy=table.origin("proxy", "", path=False),
        external_url=table.origin("external_url", "", path=True),
        webhook_token=table.secret(environ, "GITLAB_WEBHOOK_TOKEN"),
    )


def _token_file(table: TomlTable, environ: Mapping[str, str], token: str) -> Path | None:
    """The file that GITLAB_TOKEN_FILE names, or the credential that systemd hands over."""
    name = environ.get("GITLAB_TOKEN_FILE", "")
    if name and token:
        table.environment_fault("GITLAB_TOKEN_FILE", "GITLAB_TOKEN is set too; set one of them")
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    if not name and not token and credentials:
        handed_over = Path(credentials, "gitlab_token")
        return handed_over if handed_over.exists() else None
    if name and not Path(name).is_file():
        table.environment_fault("GITLAB_TOKEN_FILE", f"{name} is no file")
    return Path(name).absolute() if name else None


def _limits(table: TomlTable) -> Limits:
    return Limits(
        transfers=table.integer("transfers", 500, low=1, high=100_000),
        connect_seconds=table.seconds("connect_seconds", 10),
        first_byte_seconds=table.seconds("first_byte_seconds", 60),
        upstream_stall_seconds=table.seconds("upstream_stall_seconds", 60),
        client_stall_seconds=table.seconds("client_stall_seconds", 60),
        drain_seconds=table.seconds("drain_seconds", 30),
    )


def _umami(table: TomlTable, projects: tuple[Project, ...]) -> UmamiConfig:
    url = table.origin("url", "http://127.0.0.1:3001", path=True)
    collect = table.plain_path("collect", "/u")
    first = collect.strip("/").partition("/")[0]
    own = (RESERVED_SLUGS - {"u"}) | TOOL_NAMES | {p.slug for p in projects}
    if first in own or first.endswith(".git"):
        table.fault("collect", f'"{collect}" is one of the portal\'s own paths')
    return UmamiConfig(
        url=url,
        share=table.share("share", urlsplit(url).path),
        website=table.uuid("website"),
        collect=collect,
        script=table.script("script", "script.js"),
    )


def _catalog(table: TomlTable, environ: Mapping[str, str]) -> Path:
    """The folder of versions: the environment's, the file's, or the project's own tables."""
    configured = table.text("dir", "")
    return Path(environ.get("CATALOG_DIR") or configured or OWN_TABLES).absolute()


def _projects(root: TomlTable) -> tuple[Project, ...]:
    projects = []
    for table in root.tables("projects"):
        slug = table.slug("slug", reserved=RESERVED_SLUGS)
        path = table.project_path("gitlab")
        title = table.text("title", slug)
        projects.append(Project(slug, path, title, table.text("description", "")))
        if slug and [p.slug for p in projects].count(slug) > 1:
            table.fault("slug", f'"{slug}" is taken by a project above it')
    return tuple(projects)
