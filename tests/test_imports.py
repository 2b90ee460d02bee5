"""Imports go one way: server -> handlers -> portal -> sql, and down the layers of `portal`."""

import ast
import subprocess
import sys
from functools import cache
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

# The packages and modules of portal/, the lowest layer first. A layer imports from those above it
# in this list, never from those below it, and the members of one layer not from each other.
LAYERS = (
    ("counting", "findings", "jsontypes", "suggestions"),
    ("errors", "events"),
    ("http", "process", "saves"),
    ("config",),
    ("relay", "releases", "uploads", "workers"),
    ("analytics", "catalog", "gitlab"),
    ("metrics", "operations"),
    ("site",),
    ("services",),
    ("startup",),
)
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}

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
        *("portal.relay.head", "portal.relay.request_body"),
        *("portal.relay.stall", "portal.relay.buffer", "portal.relay.transfer"),
    },
    "portal/relay/transfer.py": {"portal.errors", "portal.relay.curl", "portal.relay.stall"},
}


def imported(path):
    """Every module that a file imports, by its full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is a relative import"
            if node.module in FOLDERS:  # the names may be modules
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def member(module):
    """The name in LAYERS that a module of portal/ belongs to."""
    return module.split(".")[1] if "." in module else ""


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
            free = ("portal.errors", "portal.jsontypes")
            assert module in free or module.startswith("portal.saves")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "portal").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_package_of_portal_imports_only_from_lower_layers(path):
    own = member(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imported(path):
        other = member(module)
        if not module.startswith("portal.") or other in (own, "__version__"):
            continue
        assert HEIGHT[other] < HEIGHT[own], f"{own} imports {module}"


def test_the_layers_are_what_is_in_portal():
    found = {path.stem for path in (ROOT / "portal").iterdir() if path.suffix == ".py"}
    found |= {path.parent.name for path in (ROOT / "portal").glob("*/__init__.py")}
    assert found - {"__init__"} == set(HEIGHT)


@cache
def loaded_by(module):
    """The modules of the project that an import of one brings into a fresh interpreter."""
    program = f"import sys, {module}; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name for name in found.stdout.split() if name.partition(".")[0] in FOLDERS}


RELAY = sorted(f"portal.relay.{path.stem}" for path in (ROOT / "portal/relay").glob("[!_]*.py"))


@pytest.mark.parametrize("module", ["portal.relay", *RELAY])
def test_the_relay_loads_nothing_of_what_it_does_not_need(module):
    packages = {f"portal.{name}" for name in ("relay", "config", "http", "errors", "suggestions")}
    allowed = {"portal", *packages}
    for name in loaded_by(module):
        assert name in allowed or ".".join(name.split(".")[:2]) in allowed, name
