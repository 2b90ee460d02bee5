"""The documents against the tree: links, paths, commands, options, settings, and their length."""

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from benchmarks.__main__ import ALONE, LONG, PROXIED

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MOST_LINES = {"README.md": 150, "ARCHITECTURE.md": 150}
FOLDERS = sorted(
    path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")
)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
NAMED = re.compile(rf"(?<![\w/.<>-])(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w*/]")
ROOT_FILE = re.compile(r"(?<![\w/.-])(?:server|conftest)\.py\b")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
FOREIGN_OPTIONS = {"--unshallow", "--retry"}  # git's and curl's

every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def slug(heading):
    """The anchor that GitLab and GitHub give a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def anchors(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def broken_links(path, text):
    """Relative links that lead to no file, or to no heading of it."""
    for match in LINK.finditer(text):
        link = match[1] or match[2]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def missing_paths(text):
    """Paths of the repository that are named and are not there; a pattern must match something."""
    text = re.sub(r"[a-z]+://\S+", "", text)
    for named in {*NAMED.findall(text), *ROOT_FILE.findall(text)}:
        if not any(ROOT.glob(named.rstrip("/"))):
            yield named


def code(text):
    """What stands in code, with continued lines joined."""
    return [part.strip("`").replace("\\\n", " ") for part in CODE.findall(text)]


@cache
def server_options():
    done = subprocess.run(
        [sys.executable, ROOT / "server.py", "--help"], capture_output=True, check=True, timeout=30
    )
    return frozenset(OPTION.findall(done.stdout.decode()))


def wrong_options(text):
    """Options that server.py is given and does not have; an option alone in code is server.py's."""
    for part in code(text):
        for line in part.splitlines():
            before, found, given = line.partition("server.py")
            given = re.split(r"&&|\||;", given)[0] if found else before * line.startswith("--")
            for option in OPTION.findall(given):
                if option not in server_options() | FOREIGN_OPTIONS:
                    yield option


def wrong_commands(text):
    """Targets that the Makefile does not have, and benchmarks that are not there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for part in code(text):
        for target in re.findall(r"(?:^|&& |=\S+ )make ([a-z]+)", part, re.MULTILINE):
            if target not in targets:
                yield f"make {target}"
        for arguments in re.findall(r'make bench ARGS="([^"]*)"', part):
            names = re.sub(r"--\w+ \d+", "", arguments).split()
            yield from set(names) - {*ALONE, *LONG, *PROXIED}


def wrong_settings(text):
    """Settings written as `section.key` or as `key` under `[section]` that the example has not."""
    example = (ROOT / "portal.example.toml").read_text(encoding="utf-8")
    whole = tomllib.loads(re.sub(r"^#(?=[a-z_]+ = )", "", example, flags=re.MULTILINE))
    sections = "|".join(name for name, value in whole.items() if isinstance(value, dict))
    for section, key in re.findall(rf"`({sections})\.(\w+)`", text):
        if key not in whole[section]:
            yield f"{section}.{key}"
    for key, section in re.findall(rf"`(\w+)`[^`.]* under `\[({sections})\]`", text):
        if key not in whole[section]:
            yield f"[{section}] {key}"


@every_document
def test_links_lead_somewhere(path):
    assert list(broken_links(path, path.read_text(encoding="utf-8"))) == []


@every_document
def test_named_paths_are_there(path):
    assert list(missing_paths(path.read_text(encoding="utf-8"))) == []


@every_document
def test_commands_options_and_settings_are_there(path):
    text = path.read_text(encoding="utf-8")
    assert [*wrong_options(text), *wrong_commands(text), *wrong_settings(text)] == []


@pytest.mark.parametrize(("name", "most"), sorted(MOST_LINES.items()))
def test_what_everybody_reads_is_short(name, most):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_a_document_says_for_whom_it_is_and_what_it_answers(path):
    title, empty, *rest = path.read_text(encoding="utf-8").splitlines()
    assert title.startswith("# ")
    assert empty == ""
    assert re.match(r"\*For [a-z ,]+: [^*]+\?\*", "\n".join(rest)), path.name


def test_every_document_is_named_in_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    unnamed = [str(path.relative_to(ROOT)) for path in DOCUMENTS if path.name != "README.md"]
    assert [name for name in unnamed if f"]({name})" not in text] == []


def tree_entries(text):
    """The files and folders in ARCHITECTURE.md's tree, as paths from the root.

    A line's own name stands in its first column; names with `.py` further on lie beside or in it.
    """
    room = sub = ""
    for line in re.search(r"```\n(.*?)```", text, re.DOTALL)[1].splitlines():
        indent = len(line) - len(line.lstrip())
        names = [name.strip(",:;.()") for name in line.split()]
        names = [name for name in names if re.fullmatch(r"[\w.]+(?:/|\.py|\.toml)", name)]
        if indent == 0 and names:
            room = sub = names[0] if names[0].endswith("/") else ""
        elif indent == 2:
            sub = f"{room}{names[0]}" if names and names[0].endswith("/") else room
        for name in names:
            places = [f"{name}", f"{room}{name}", f"{sub}{name}"]
            yield name, [place for place in places if (ROOT / place).exists()]


def test_the_tree_in_architecture_is_the_tree():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    entries = list(tree_entries(text))
    assert [name for name, places in entries if not places and name != "portal.toml"] == []
    named = {name for name, _ in entries}
    for room in ("portal", "handlers"):
        packages = {f"{path.parent.name}/" for path in (ROOT / room).glob("*/__init__.py")}
        assert packages - named == set()


@pytest.mark.parametrize(
    ("check", "text", "found"),
    [
        (missing_paths, "see `portal/nothing.py`", ["portal/nothing.py"]),
        (missing_paths, "make test ARGS=tests/no/test_such.py", ["tests/no/test_such.py"]),
        (missing_paths, "`sql/queries/*.sql`, `portal/`, https://example.com/docs/api.md", []),
        (wrong_options, "`server.py --config a --gone`", ["--gone"]),
        (wrong_options, "`--backup FILE`, `curl --retry`, `git clone --depth 1`", []),
        (wrong_options, "```\na server.py \\\n --nothing && curl --silent\n```", ["--nothing"]),
        (wrong_commands, '`make nothing`, `make bench ARGS="walk --rounds 3"`',
         ["make nothing", "walk"]),
        (wrong_commands, '`make run`, `make bench ARGS="transfer saves --rounds 3"`', []),
        (wrong_settings, "`limits.nothing`, `share` under `[umami]`", ["limits.nothing"]),
        (wrong_settings, "`sharing` under `[umami]`, `limits.transfers`", ["[umami] sharing"]),
    ],
)  # fmt: skip
def test_the_checks_find_what_is_wrong(check, text, found):
    assert list(check(text)) == found


def test_the_check_of_links_finds_what_is_wrong():
    text = '[a](nothing.md) [b](README.md#nothing) [c](README.md#two-commands) <img src="no.png">'
    wrong = ["nothing.md", "README.md#nothing", "no.png"]
    assert list(broken_links(ROOT / "README.md", text)) == wrong
