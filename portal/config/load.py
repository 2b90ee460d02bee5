"""Loading the configuration: TOML for structure, the environment for secrets.

`load()` raises `ConfigError` with every fault at once, one line each that names its key.
`portal.example.toml` explains each setting to its operator.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.config.model import Config, GitLab, Limits, Project, UmamiConfig
from portal.config.names import RESERVED_SLUGS, TOOL_NAMES
from portal.config.settings import SettingsTable
from portal.config.site import COLOUR, TITLE, Link, Site

OWN_TABLES = Path(__file__).parent.parent.parent / "catalog"


class ConfigError(Exception):
    """The configuration cannot be used; `faults` holds one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the file and the environment. Relative paths start at the working directory.

    Raises `ConfigError`.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    return parse(document, environ)


def parse(document: dict[str, Any], environ: Mapping[str, str]) -> Config:
    """The configuration in a TOML document that is already decoded. Raises `ConfigError`."""
    root = SettingsTable(document)
    listen, site, gitlab, limits, umami = (
        root.table(name) for name in ("listen", "site", "gitlab", "limits", "umami")
    )
    config = Config(
        data_dir=Path(root.text("data_dir", "var")),
        address=listen.address("address", "127.0.0.1"),
        port=listen.integer("port", 8000, low=0, high=65535),
        trusted_proxies=listen.networks("trusted_proxies"),
        client_header=listen.token("client_header", "X-Forwarded-For"),
        site=_site(site),
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


def _site(table: SettingsTable) -> Site:
    return Site(
        title=table.text("title", TITLE),
        description=table.text("description", ""),
        url=table.origin("url", ""),
        accent=table.colour("accent", COLOUR),
        footer=table.text("footer", ""),
        links=tuple(
            Link(link.text("label", None), link.link("url"))
            for link in table.tables("links", least=0)
        ),
        security_contact=table.contact("security_contact"),
        badges=table.flag("badges"),
    )


def _gitlab(table: SettingsTable, environ: Mapping[str, str]) -> GitLab:
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


def _token_file(table: SettingsTable, environ: Mapping[str, str], token: str) -> Path | None:
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


def _limits(table: SettingsTable) -> Limits:
    return Limits(
        transfers=table.integer("transfers", 500, low=1, high=100_000),
        connect_seconds=table.seconds("connect_seconds", 10),
        first_byte_seconds=table.seconds("first_byte_seconds", 60),
        upstream_stall_seconds=table.seconds("upstream_stall_seconds", 60),
        client_stall_seconds=table.seconds("client_stall_seconds", 60),
        drain_seconds=table.seconds("drain_seconds", 30),
    )


def _umami(table: SettingsTable, projects: tuple[Project, ...]) -> UmamiConfig:
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


def _catalog(table: SettingsTable, environ: Mapping[str, str]) -> Path:
    """The folder of the catalog's versions: of the environment, the file, or the example's."""
    configured = table.text("dir", "")
    return Path(environ.get("CATALOG_DIR") or configured or OWN_TABLES).absolute()


def _projects(root: SettingsTable) -> tuple[Project, ...]:
    projects = []
    for table in root.tables("projects", name="slug"):
        slug = table.slug("slug", reserved=RESERVED_SLUGS)
        path = table.project_path("gitlab")
        title = table.text("title", slug)
        patterns = table.table("release").optional_strings("prerelease")
        projects.append(Project(slug, path, title, table.text("description", ""), patterns))
        if slug and [p.slug for p in projects].count(slug) > 1:
            table.fault("slug", f'"{slug}" is taken by a project above it')
    return tuple(projects)
