"""Folders of versions that are missing, empty, unreadable or strange, and links that lead away."""

import os
from pathlib import Path

import pytest

from tests.support.catalog.portals import CatalogPortal, table, write

SECRET = "the-secret-of-another-folder"


def said(portal):
    """All that the operator is told."""
    return [" ".join(each) for each in portal.problems()]


def missing(path):
    return path / "nowhere"


def a_file(path):
    (path / "file").write_text("no folder")
    return path / "file"


def a_loop(path):
    (path / "loop").symlink_to("loop")
    return path / "loop"


def empty(path):
    (path / "empty").mkdir()
    return path / "empty"


def unreadable(path):
    write(path / "closed", {"1/Cat/D_A.json": table("One")})
    (path / "closed").chmod(0)
    return path / "closed"


def only_bad(path):
    return write(path / "bad", {"1/Cat/D_A.json": b"no JSON", "1/Cat/D_B.json": b"{"})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (missing, "cannot be read: No such file or directory"),
        (a_file, "cannot be read: Not a directory"),
        (a_loop, "cannot be read: "),
        (empty, ""),
        (unreadable, "cannot be read: Permission denied"),
        (only_bad, "is not JSON"),
    ],
)
def test_a_folder_without_versions(tmp_path, make, sentence):
    folder = make(tmp_path)
    with CatalogPortal(tmp_path / "portal", folder, plain=True) as portal:
        portal.until(lambda: not sentence or any(sentence in each for each in said(portal)))
        assert bool(said(portal)) == bool(sentence)
        portal.until(lambda: portal.get("search", q="word")[0] != 503)  # it has been read
        portal.until(lambda: sentence.rpartition(": ")[2] in portal.log())
        assert portal.get()[0] in (200, 404)
        assert portal.get("search", q="word")[0] in (200, 404)
        assert portal.get("diff")[0] in (200, 404)
        assert portal.get("1", "Cat", "D_A")[0] == 404
        assert portal.ask("/catalog/../..")[0] == 404
        assert portal.ask("/catalog/%2e%2e/%2e%2e/x")[0] == 404
        assert "Traceback" not in portal.log()


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """Versions of strange names, links to everywhere, files that cannot be read."""
    path = tmp_path_factory.mktemp("strange")
    outside = write(
        path / "outside",
        {"9/Cat/D_Secret.json": table(SECRET), "9/told.json": b'{"label": "told outside"}'},
    )
    folder = write(
        path / "versions",
        {
            **{
                f"{name}/Cat/D_A.json": table("One")
                for name in (
                    "1",
                    "search",
                    "diff",
                    "history",
                    "compare",
                    "v 2.0 (ünï) 100%",
                    ".hidden",
                )
            },
            "3/data/Cat/D_A.json": table("One"),
            "3/data/version.json": table("One"),
            "3/Other/D_B.json": table("One"),
            "4/data/D_Data.json": table("One"),  # a category of that name
            "5/version.json": b"[1, 2",
            "5/Cat/D_A.json": table("One"),
            "6/version.json": b'{"label": {"a": 1}, "date": "2026-13-45<b>"}',
            "6/Cat/D_A.json": table("One"),
            "7/Cat/D_In.json": Path("../../1/Cat/D_A.json"),
            "7/Cat/D_Out.json": outside / "9/Cat/D_Secret.json",
            "7/Cat/D_OutToo.json": Path("../../../outside/9/Cat/D_Secret.json"),
            "7/Cat/D_Nowhere.json": Path("nowhere.json"),
            "7/Cat/D_Loop.json": Path("D_Loop.json"),
            "7/Cat/D_Null.json": Path("/dev/zero"),
            "7/Out": outside / "9/Cat",
            "7/In": Path("../1/Cat"),
            "7/Cat/Round": Path("../Cat"),
            "7/Cat/Deep/Round": Path("../../Cat"),
            "8": outside / "9",
            "latest": Path("1"),
            "7/Cat/D_Closed.json": table("One"),
            "7/Shut/D_A.json": table("One"),
            "README": b"no version",
            "9/Cat/D_A.json": table("One"),
            "9/Cat/D_a.json": table("Two"),
            "9/Cat/D_A.JSON": table("Three"),
            "9/version.json": outside / "9/told.json",
            "turning": Path("turning"),
            "9/Turning": Path("Turning"),
        },
    )
    os.mkfifo(folder / "7/Cat/D_Pipe.json")
    (folder / "7/Cat/D_Closed.json").chmod(0)
    (folder / "7/Shut").chmod(0)
    bad = os.fsencode(folder) + b"/7/Cat/D_\xff.json"
    with open(bad, "wb") as file:  # noqa: PTH123 - no text can be this name
        file.write(table("One"))
    yield folder
    (folder / "7/Shut").chmod(0o700)


@pytest.fixture(scope="module")
def portal(strange, tmp_path_factory):
    """A portal over them."""
    with CatalogPortal(tmp_path_factory.mktemp("portal"), strange, plain=True) as running:
        yield running.ready("1", "5", "6", "7")


@pytest.mark.parametrize(
    ("segments", "rows"),
    [
        (("1", "Cat", "D_A"), ["One"]),
        (("v 2.0 (ünï) 100%", "Cat", "D_A"), ["One"]),
        (("latest", "Cat", "D_A"), ["One"]),
        (("3", "Cat", "D_A"), ["One"]),
        (("3", "Other", "D_B"), None),
        (("4", "data", "D_Data"), ["One"]),
        (("5", "Cat", "D_A"), ["One"]),
        (("6", "Cat", "D_A"), ["One"]),
        (("7", "Cat", "D_In"), ["One"]),
        (("7", "In", "D_A"), ["One"]),
        (("7", "Cat/Round", "D_In"), None),
        (("7", "Cat", "D_Out"), None),
        (("7", "Cat", "D_OutToo"), None),
        (("7", "Cat", "D_Nowhere"), None),
        (("7", "Cat", "D_Loop"), None),
        (("7", "Cat", "D_Null"), None),
        (("7", "Cat", "D_Pipe"), None),
        (("7", "Cat", "D_Closed"), None),
        (("7", "Shut", "D_A"), None),
        (("7", "Out", "D_Secret"), None),
        (("8", "Cat", "D_Secret"), None),
        (("9", "Cat", "D_a"), ["Two"]),
        (("9", "Turning", "D_A"), None),
        (("turning", "Cat", "D_A"), None),
        ((".hidden", "Cat", "D_A"), None),
        (("README",), None),
        (("..", "outside", "9"), None),
        (("1", "Cat", "../../../outside/9/Cat/D_Secret"), None),
        (("1", "../../outside/9/Cat", "D_Secret"), None),
        (("../outside/9", "Cat", "D_Secret"), None),
    ],
)
def test_what_is_shown(portal, segments, rows):
    assert portal.names(*segments) == rows


@pytest.mark.parametrize(
    "start",
    [
        "search cannot be the name of a version",
        "diff cannot be the name of a version",
        "history cannot be the name of a version",
        "5/version.json ",
        "7/Cat/D_Out.json ",
        "7/Cat/D_OutToo.json ",
        "7/Cat/D_Nowhere.json ",
        "7/Cat/D_Loop.json ",
        "7/Cat/D_Null.json ",
        "7/Cat/D_Pipe.json ",
        "7/Cat/D_Closed.json cannot be read: Permission denied",
        "7/Shut cannot be read: Permission denied",
        "7/Cat/D_? has a name that is not UTF-8",
        "7/Out leads out",
        "7/Cat/Round leads to a folder that it is in",
        "7/Cat/Deep/Round leads to a folder that it is in",
        "8 leads out",
        "9/Cat/D_A.json is there in another spelling",
        "9/version.json is no JSON object",
        "9/Turning cannot be read: ",
        "turning cannot be read: ",
    ],
)
def test_what_the_operator_is_told(portal, start):
    told = [each.replace("D_\ufffd", "D_?").replace("D_?.json", "D_?") for each in said(portal)]
    assert [each for each in told if each.startswith(start)], told


def test_no_page_has_anything_from_outside(portal):
    pages = [portal.get()[1], portal.get("7")[1], portal.get("search", q=SECRET, version="7")[1]]
    assert all(f"{SECRET}</a>" not in page and "told outside" not in page for page in pages)
    total = portal.json("search", q=SECRET, version="7")["total"]
    assert total == 0


def test_a_date_that_is_none_is_only_text(portal):
    status, page = portal.get()
    assert status == 200
    assert "<b>" not in page
