"""Each class has a name of its own, and each file is short enough to be read at once."""

import ast
import subprocess
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_LINES = 300
ENDINGS = (".py", ".sql", ".html", ".js", ".css")
ROOMS = ("handlers", "portal", "sql", "demo")


def test_no_class_name_stands_in_two_files():
    found = defaultdict(set)
    files = [ROOT / "server.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].add(str(path.relative_to(ROOT)))
    assert len(found) > 200
    assert {name: sorted(places) for name, places in found.items() if len(places) > 1} == {}


def test_no_file_is_long():
    """Of all that git knows, and of what is new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    lines = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in names
        if name.endswith(ENDINGS) and (ROOT / name).exists()
    }
    assert len(lines) > 500
    long = {name: count for name, count in lines.items() if count > MOST_LINES}
    assert long == {}
