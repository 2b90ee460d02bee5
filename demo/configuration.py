"""The demo's portal.toml."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from demo.projects import projects

TEMPLATE = """\
# Written by `make run` at every start; changes are lost.

data_dir = {data_dir}

[listen]
address = "127.0.0.1"
port = {port}

[site]
title = "Icarus tools"
description = {description}
footer = {footer}
links = [{{ label = "Releases as a feed", url = "/feeds/pets.atom" }}]
security_contact = "mailto:security@example.org"
badges = true

[gitlab]
url = {gitlab}
asset_hosts = [{objects_host}]
asset_networks = ["127.0.0.0/8"]
"""


DESCRIPTION = (
    "Tools for saves of ICARUS, to use here or to take home, "
    "and the game's data to look things up in."
)
FOOTER = (
    "Made by players, for players; not by RocketWerkz, who made ICARUS. "
    "This is a demo: its releases, people and data tables are invented."
)

PROJECT = """
[[projects]]
slug = {slug}
gitlab = {gitlab}
title = {title}
description = {description}
"""


def write(path: Path, port: int, data_dir: Path, origins: Mapping[str, str]) -> None:
    """Write it beside the folder `content`; `origins` holds the stand-in's addresses by name."""
    text = TEMPLATE.format(
        data_dir=_quoted(str(data_dir)),
        port=port,
        description=_quoted(DESCRIPTION),
        footer=_quoted(FOOTER),
        gitlab=_quoted(origins["gitlab"]),
        objects_host=_quoted(urlsplit(origins["objects"]).netloc),
    )
    for project in projects(path.parent / "content"):
        text += PROJECT.format(
            slug=_quoted(project.slug),
            # A former path, where there is one: GitLab leads on from it, and /metrics says so.
            gitlab=_quoted(next(iter(project.old_paths), project.path)),
            title=_quoted(project.name),
            description=_quoted(project.description),
        )
    path.write_text(text, encoding="utf-8")


def _quoted(value: str) -> str:
    """A basic string of TOML. JSON's form is the same, except for escapes above U+FFFF."""
    return json.dumps(value, ensure_ascii=False)
