"""Checks of a configuration that need the file system and no network."""

from urllib.parse import urlsplit

from portal.config.model import Config
from portal.operations.folders import existing, write_fault

EXAMPLE = "gitlab.example.com"  # of portal.example.toml


def faults(config: Config) -> list[str]:
    """One line for each fault, as those of `ConfigError`."""
    found = []
    if urlsplit(config.gitlab.url).hostname == EXAMPLE:
        found.append(f"gitlab.url: {EXAMPLE} is that of the example: write your own GitLab's")
    if why := write_fault(existing(config.data_dir)):
        found.append(f"data_dir: {why}")
    if not config.catalog_dir.is_dir():
        found.append(f"catalog.dir: {config.catalog_dir} is no folder (CATALOG_DIR goes before it)")
    return found
