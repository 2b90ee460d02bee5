"""The values of the configuration, as dataclasses; `portal.config.load` reads and checks them."""

from dataclasses import dataclass, field
from pathlib import Path

from portal.config.site import Site
from portal.http.client import Network


@dataclass(frozen=True, slots=True)
class Project:
    """One project: `slug` in the portal's addresses, `path` in GitLab (`group/project`).

    `prerelease` are patterns of the tags that are pre-releases, None where the tags are to say.
    """

    slug: str
    path: str
    title: str
    description: str
    prerelease: tuple[str, ...] | None = None


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
    """Where Umami is (`url`, without a trailing slash), and `share`, the path of its share page
    below the portal's own address ("" for no share page).

    Pages have the tracker where `website`, a UUID, is set: the script named `script`, which posts
    to the portal's own path `collect`.
    """

    url: str
    share: str
    website: str = ""
    collect: str = "/u"
    script: str = "script.js"

    @property
    def share_slug(self) -> str:
        """The id of the share page in Umami's API; "" where `share` does not contain it."""
        _, _, after = self.share.partition("/share/")
        return after.partition("/")[0]

    @property
    def share_frame(self) -> str:
        """The share page over the days that the operator's page shows beside it."""
        return f"{self.share}{'&' if '?' in self.share else '?'}date=30day"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, and the paths below `data_dir`."""

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
        """The database of events."""
        return self.data_dir / "portal.sqlite3"

    @property
    def outbox(self) -> Path | None:
        """The database of page events that wait for Umami; None without `umami.website`."""
        return self.data_dir / "outbox.sqlite3" if self.umami.website else None

    @property
    def catalog_index(self) -> Path:
        """The index of the catalog. It may be deleted: it is made again from the tables."""
        return self.data_dir / "catalog.sqlite3"

    @property
    def umami_dir(self) -> Path:
        """The folder of Umami's tracker script and of the key for clients' pseudonyms."""
        return self.data_dir / "umami"

    @property
    def releases_dir(self) -> Path:
        """The folder of the latest release lists, for a start while GitLab cannot be reached."""
        return self.data_dir / "releases"

    @property
    def spill_dir(self) -> Path:
        """The folder of spill files: events that wait while the database cannot be written."""
        return self.data_dir / "spill"

    @property
    def upload_dir(self) -> Path:
        """The folder of uploaded save files, which are deleted after an hour."""
        return self.data_dir / "uploads"

    def project(self, slug: str) -> Project | None:
        """The project of that slug, or None."""
        return next((p for p in self.projects if p.slug == slug), None)
