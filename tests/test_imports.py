"""Imports go one way: server -> handlers -> portal -> sql."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("handlers", "portal", "sql", "demo")

# What each folder may import of the project besides itself; the demo is a world of its own.
ALLOWED = {
    "handlers": {"portal"},
    "portal": {"sql"},
    "sql": set(),
    "demo": set(),
}
# These know nothing of the rest, so that each can be read, tested and trusted alone.
ALONE = {
    "portal/counting.py": set(),
    "portal/http/pktline.py": set(),
    "portal/relay/request_body.py": set(),
    "portal/relay/stall.py": set(),
    "portal/relay/buffer.py": set(),
    "portal/relay/head.py": set(),
    "portal/relay/relay.py": {
        "portal.errors",
        "portal.config.model",
        *(
            "portal.relay.head",
            "portal.relay.request_body",
            "portal.relay.stall",
            "portal.relay.buffer",
        ),
    },
}


def imported(path):
    """Every module that a file imports, by its full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
    name = str(path.relative_to(ROOT))
    folder = name.partition("/")[0]
    for module in imported(path):
        top = module.partition(".")[0]
        assert top not in ({*FOLDERS, "server", "tests", "benchmarks"} - ALLOWED[folder] - {folder})
        assert top != "sqlite3" or folder == "sql"
        if name in ALONE and top in FOLDERS:
            assert module in ALONE[name]
        if name.startswith("portal/saves/") and top in FOLDERS:
            assert module == "portal.errors" or module.startswith("portal.saves")
