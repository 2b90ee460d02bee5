"""Each class has a name of its own, so that a name that is read anywhere means one thing."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
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
