"""The forms over saves: rendered whole and inert, and what comes back of them."""

import re

import pytest

from handlers.tools import pets, prospects
from handlers.tools.changes import AppliedEdit, ChangeRow, rows
from handlers.tools.gamedata import NO_GAME, GameData
from portal import saves
from portal.errors import Malformed, TooMany, Unavailable
from portal.http.forms import posted_fields, posted_file
from portal.http.ranges import requested_part
from portal.saves.errors import EditError
from portal.uploads.form import as_typed, check_count, fill, number
from portal.uploads.quota import MOST_AT_ONCE, Holding
from portal.uploads.store import Upload
from tests.releases.test_pages import EVIL
from tests.support.browser.rendering import render
from tests.support.saves import fstring, mount_record, mounts_json, payload, prospect_json

UPLOAD = Upload("0" * 32, "pets", EVIL, 5, 1_700_000_000, 2, "Mounts.json")
HARD = prospect_json(inside="Hard")


def lengthened(buffer, text):
    """A buffer in which the size before a text is one more than the text has."""
    at = buffer.index(fstring(text)) - 9
    return buffer[:at] + bytes([buffer[at] + 1]) + buffer[at + 1 :]


BROKEN = lengthened(mount_record(), "Ada")
BROKEN_WORLD = lengthened(payload(), "Terrain_900")


def bare(description):
    """A description in which everything is unknown that may be."""
    kept = {"number", "edits", "genetics", "talents", "wrong_lengths"}
    return [
        {k: v if k in kept else None for k, v in mount.items()} for mount in description["mounts"]
    ]


def mounts(**fields):
    return saves.describe("pets", mounts_json(fields, {"name": "Ivy", "guid": 7, "number": 9}))


HOSTILE = mounts(name=EVIL, owner=EVIL, genetics={EVIL: 3, "x y": 9}, talents={EVIL: 1})
DESCRIPTIONS = {
    "mounts": (pets, mounts()),
    "one-mount": (pets, {**mounts(), "mounts": mounts()["mounts"][:1]}),
    "no-mounts": (pets, {**mounts(), "mounts": []}),
    "bare-mounts": (pets, {**mounts(), "mounts": bare({"mounts": HOSTILE["mounts"]})}),
    "hostile-mounts": (pets, HOSTILE),
    "prospect": (prospects, saves.describe("prospects", prospect_json())),
    "hostile-prospect": (
        prospects,
        saves.describe("prospects", prospect_json(name=EVIL, missions={EVIL: 1}, active=EVIL * 2)),
    ),
    "twins": (pets, saves.describe("pets", mounts_json({}, {"name": EVIL}, {}))),
    "broken": (pets, saves.describe("pets", mounts_json({"record": BROKEN}))),
    "broken-world": (prospects, saves.describe("prospects", prospect_json(BROKEN_WORLD))),
    "hunts": (
        prospects,
        saves.describe("prospects", prospect_json(missions={"GH_A": 1, "DYN_1": 1, "DYN_2": 2})),
    ),
    "copies-differ": (prospects, saves.describe("prospects", HARD)),
}


GAME = GameData({"talents": {"Swift_Heron": EVIL}, "species": {"Mount_Heron": EVIL}})


def page_of(tool, description, posted=None, error=None):
    pages = tool.PAGES
    form = fill(pages.fields(description, GAME), posted or {})
    return render(
        "tools/broken.html" if "broken" in description else pages.template,
        pages=pages,
        upload=UPLOAD,
        save=description,
        form=form,
        error=error,
        game=GAME,
        **pages.context(description, GAME, {} if posted else {"q": "clover"}),
    )


def check(page):
    """Whole, inert, and every field has a name that is read out."""
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == tags.count("main") == 1
    assert not {"style", "iframe", "img"} & set(tags)
    assert "7006652" not in page.text
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert not any(re.search(r"\s", i) for i in ids)
    labels = {a["for"] for a in page.all("label")}
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for target in attributes.get("aria-describedby", "").split():
            assert target in ids
        if tag in ("input", "select") and attributes.get("type") != "hidden":
            assert attributes["id"] in labels or attributes.get("aria-label")
    for target in (a["href"] for a in page.all("a") if a["href"].startswith("#")):
        assert target[1:] in ids


@pytest.mark.parametrize(("tool", "description"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_what_is_in_a_file(tool, description):
    check(page_of(tool, description))
    wrong = dict.fromkeys(("m1-level", "m1-gene0", "difficulty", "m2-name"), "no")
    check(page_of(tool, description, wrong, EditError("Not <b>right</b>.")))


@pytest.mark.parametrize("tool", [pets, prospects])
def test_the_other_pages(tool):
    pages, form = tool.PAGES, fill(pets.fields(HOSTILE, NO_GAME), {"m1-name": EVIL + "!"})
    error = EditError(EVIL, EVIL)
    row = ChangeRow(EVIL, EVIL, EVIL, EVIL, EVIL)
    check(render("tools/drop.html", pages=pages, error=None, way_on=None, limit=5))
    check(render("tools/drop.html", pages=pages, error=error, way_on=("/x", EVIL), limit=5))
    check(render("tools/refused.html", pages=pages, error=error, way_on=("/x", EVIL)))
    steps = [AppliedEdit(2, [row, row]), AppliedEdit(1, [])]
    check(render("tools/done.html", pages=pages, upload=UPLOAD, size=5, steps=steps))
    preview = {"pages": pages, "upload": UPLOAD, "changes": [row], "form": form}
    for confirm in (True, False):
        check(render("tools/preview.html", confirm=confirm, **preview))


def test_a_form_that_comes_back_as_it_went_is_no_edit():
    for tool, description in DESCRIPTIONS.values():
        form = fill(tool.PAGES.fields(description, NO_GAME), {})
        again = fill(tool.PAGES.fields(description, NO_GAME), form.values)
        assert again.edits == again.changed() == []


def test_a_name_that_no_browser_sends_back_is_not_renamed():
    description = {**mounts(), "mounts": [{**mounts()["mounts"][0], "name": "a\r\n\0\ud800b"}]}
    assert as_typed("a\r\n\0\ud800b") == "ab"
    assert fill(pets.fields(description, NO_GAME), {"m1-name": "ab"}).edits == []
    assert fill(pets.fields(description, NO_GAME), {"m1-name": "abc"}).edits == [
        {"edit": "rename", "mount": 1, "name": "abc"}
    ]


def test_values_beyond_the_choice_may_stay():
    description = mounts(genetics={"Vitality": 12}, variation=77, level=60, sex=9)
    form = fill(pets.fields(description, NO_GAME), {"m1-name": "New"})
    assert [edit["edit"] for edit in form.edits] == ["rename"]
    page = page_of(pets, description)
    assert page.all("input", id="m1-gene0", max="12", value="12")
    assert page.all("input", id="m1-level", max="60", value="60")
    assert page.all("option", value="9", selected=None)


def test_copies_that_differ_can_be_brought_in_step():
    description = saves.describe("prospects", HARD)
    assert "The two copies of the difficulty differ" in page_of(prospects, description).text
    form = fill(prospects.fields(description, NO_GAME), {"difficulty": "Medium"})
    assert form.edits == [{"edit": "difficulty", "difficulty": "Medium"}]
    assert saves.change("prospects", HARD, form.edits).description["warnings"] == []


def test_edits_are_arranged():
    typed = {"m1-name": "A", "m1-gene0": "1", "m1-gene1": "2", "m2-gene0": "4", "m2-name": "B"}
    typed |= {"m2-clone": "C", "m2-delete": "1"}
    edits = pets.arrange(fill(pets.fields(mounts(), NO_GAME), typed).edits)
    assert edits == [
        {"edit": "rename", "mount": 1, "name": "A"},
        {"edit": "genetics", "mount": 1, "values": {"Vitality": 1, "Agility": 2}},
        {"edit": "clone", "mount": 2, "name": "C"},
        {"edit": "delete", "mount": 2},
    ]
    check_count(edits * 125)
    with pytest.raises(EditError, match="504 changes; 500 go at once"):
        check_count(edits * 126)


@pytest.mark.parametrize(
    "typed", ["", "x", "1.5", "1e1", "٣", "0", "8", "-1", "9" * 5000, " ", "--1"]
)
def test_numbers_that_are_none(typed):
    with pytest.raises(EditError, match="Vitality is a whole number from 1 to 7"):
        number("Vitality", typed, range(1, 8))
    assert number("Vitality", " 7 ", range(1, 8)) == 7


def test_changes_in_words():
    found = saves.preview(
        "pets",
        mounts_json({}),
        [{"edit": "rename", "mount": 1, "name": "X"}, {"edit": "delete", "mount": 1}],
    )
    assert rows(found) == [
        ChangeRow("Mount 1 (Clover)", "Name", "Clover", "X", "In both copies."),
        ChangeRow("Mount 1 (X)", "The whole mount", "in the file", "deleted", ""),
    ]
    reset = [{"edit": "reset_mission", "mission": "Hill_Done"}]
    (row,) = rows(saves.preview("prospects", prospect_json(), reset))
    assert row == ChangeRow(
        "Mission Hill_Done", "In the history", "completed, ended at 500", "taken out", ""
    )


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (None, range(100)),
        ("bytes=0-", range(100)),
        ("bytes=10-19", range(10, 20)),
        ("bytes=90-500", range(90, 100)),
        ("bytes=-7", range(93, 100)),
        ("bytes=-700", range(100)),
        ("bytes=5-4", range(100)),
        ("bytes=0-1,5-6", range(100)),
        ("bytes=-", range(100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
    ],
)
def test_parts(asked, part):
    assert requested_part(asked, 100) == part


def test_a_process_holds_so_much_and_no_more():
    holding = Holding(100)
    first = holding.hold("a")
    first.add(60)
    second = holding.hold("b")
    with pytest.raises(Unavailable):
        second.add(41)
    second.add(40)
    first.release()
    first.release()
    second.add(60)
    more = [holding.hold("b") for _ in range(MOST_AT_ONCE - 1)]
    with pytest.raises(TooMany):
        holding.hold("b")
    more[0].release()
    holding.hold("b")


def form_of(*parts):
    body = b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return "multipart/form-data; boundary=x", body + b"--x--\r\n"


def test_the_file_of_a_form():
    named = b'name="file"; filename="H\xc3\xb6hle.json"\r\n\r\n{}'
    other = b'name="other"\r\n\r\n1'
    unnamed = b'name="file"\r\n\r\n{}'
    assert posted_file(*form_of(other, named), "file", "Save.json") == ("Höhle.json", b"{}")
    assert posted_file(*form_of(unnamed), "file", "Save.json") == ("Save.json", b"{}")
    for parts in ([other], [b'name="file"; filename="\xff"\r\n\r\n{}'], [b"\r\n\r\n"]):
        with pytest.raises(Malformed):
            posted_file(*form_of(*parts), "file", "Save.json")


def test_the_fields_of_a_form():
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    assert posted_fields(kind, b"a=1&a=%C3%B6&b=&c=%ff") == {"a": "ö", "b": "", "c": "\ufffd"}
    with pytest.raises(Malformed):
        posted_fields(kind, b"&".join([b"a=1"] * 30_001))


def test_play_time():
    shown = [prospects.duration(seconds) for seconds in (None, -1, 5, 61, 90_061, 10**9)]
    assert shown == ["–", "–", "under a minute", "1 min", "1 d 1 h 1 min", "11,574 d 1 h 46 min"]
