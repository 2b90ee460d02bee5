"""Mounts.json: every edit gives the bytes that the game would have written with the other value."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import saves
from portal.saves.edits import MAX_EDITS
from portal.saves.errors import EditError
from portal.saves.experience import MOUNTS
from tests.support.saves import MOUNT, mount_record, mounts_json

OTHER = {"name": "Zoë", "guid": 4200, "number": 2147399000, "species": "Tamed_Dog", "sex": 2}
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]),
    min_size=1,
    max_size=20,
)
STYLES = [
    {},
    {"newline": "\n", "indent": 2, "comma": ",", "blank": ""},
    {"newline": "", "indent": None},
    {"comma": ",\r\n\t\t\t", "blank": "\r\n\t\t\t"},
]
ENCODINGS = [{}, {"mark": b"\xef\xbb\xbf"}, {"mark": b"\xff\xfe", "codec": "utf-16-le"}]


def changed(content, *edits):
    return saves.change("pets", content, list(edits)).content


def edit(kind, /, mount=1, **fields):
    return {"edit": kind, "mount": mount, **fields}


def test_a_mount_is_described():
    description = saves.describe("pets", mounts_json({}, OTHER))
    first, second = description["mounts"]
    assert first == {
        "number": 1,
        "name": "Clover",
        "type": "Heron",
        "species": "Mount_Heron",
        "level": 12,
        "last_level": 12,
        "experience": 20_000,
        "health": 77,
        "sex": 1,
        "variation": 0,
        "lineage": "Wild",
        "mother": "",
        "father": "Ölwin",
        "owner": "Ada",
        "genetics": {"Vitality": 3, "Agility": 5},
        "talents": {"Swift_Heron": 2, "Calm_Heron": 1},
        "icon": "4100",
        "guid": 4100,
        "object": "BP_Mount_Heron_C_2147400000",
        "path": "/Game/Maps/Hill.Hill:PersistentLevel.BP_Mount_Heron_C_2147400000",
        "inside": {"name": "Clover"},
        "wrong_lengths": [],
        "edits": [
            *("rename", "sex", "variation", "genetics", "level", "lineage", "talents"),
            *("reset_talents", "clone", "delete"),
        ],
    }
    assert (second["name"], second["number"]) == ("Zoë", 2)
    assert "level" in second["edits"]
    assert description["warnings"] == []
    assert json.loads(json.dumps(description)) == description


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (edit("rename", name="Bo"), {"name": "Bo"}),
        (edit("rename", name='Ö "q" \\ 🐎'), {"name": 'Ö "q" \\ 🐎'}),
        (edit("sex", sex=2), {"sex": 2}),
        (edit("variation", variation=3), {"variation": 3}),
        (edit("genetics", values={"Agility": 7}), {"genetics": {"Vitality": 3, "Agility": 7}}),
        (edit("level", level=30), {"level": 30, "experience": 140_000}),
        (edit("lineage", lineage="Bred_2"), {"lineage": "Bred_2"}),
        (
            edit("talents", ranks={"Swift_Heron": 1}),
            {"talents": {"Swift_Heron": 1, "Calm_Heron": 1}},
        ),
        (edit("talents", ranks={"Swift_Heron": 0}), {"talents": {"Calm_Heron": 1}}),
        (edit("reset_talents"), {"talents": {}}),
    ],
)
def test_an_edit_changes_what_it_says_and_nothing_else(asked, fields, style, encoding):
    before = mounts_json(OTHER, {}, OTHER, style=style, **encoding)
    after = mounts_json(OTHER, fields, OTHER, style=style, **encoding)
    assert changed(before, asked | {"mount": 2}) == after


@settings(max_examples=60)
@given(
    name=NAMES, sex=st.integers(1, 2), genes=st.integers(1, 7), level=st.sampled_from(MOUNTS.levels)
)
def test_edits_of_all_kinds_together(name, sex, genes, level):
    asked = [
        edit("rename", name=name),
        edit("sex", sex=sex),
        edit("genetics", values={"Vitality": genes, "Agility": genes}),
        edit("level", level=level, lower=True),
        edit("reset_talents"),
    ]
    experience = (
        max(MOUNTS.experience(level), 20_000 * (level > 12))
        if level != MOUNT["level"]
        else MOUNT["experience"]
    )
    after = mounts_json(
        {
            "name": name,
            "sex": sex,
            "genetics": {"Vitality": genes, "Agility": genes},
            "level": level,
            "experience": experience,
            "talents": {},
        }
    )
    assert changed(mounts_json({}), *asked) == after


@pytest.mark.parametrize("style", [STYLES[0], STYLES[1], STYLES[3]])
def test_a_clone_is_its_own_and_a_deleted_one_leaves_no_trace(style):
    before = mounts_json({}, OTHER, style=style)
    clone = {"guid": 4201, "number": 2147399999}
    assert changed(before, edit("clone")) == mounts_json({}, OTHER, clone, style=style)
    again = {"guid": 4202, "number": 2147399998, "name": "Clem"}
    assert changed(before, edit("clone"), edit("clone", mount=3, name="Clem")) == mounts_json(
        {}, OTHER, clone, again, style=style
    )
    assert changed(before, edit("delete")) == mounts_json(OTHER, style=style)
    assert changed(before, edit("delete", mount=2)) == mounts_json({}, style=style)
    # numbers stay those of the file as it was read
    asked = [edit("delete"), edit("rename", mount=2, name="Z"), edit("clone", mount=2)]
    other, copy = OTHER | {"name": "Z"}, {"guid": 4201, "number": 2147398999}
    assert changed(before, *asked) == mounts_json(other, other | copy, style=style)


def test_all_can_be_deleted():
    content = changed(mounts_json({}, OTHER), edit("delete"), edit("delete", mount=2))
    assert json.loads(content) == {"SavedMounts": []}
    assert saves.describe("pets", content)["mounts"] == []


@pytest.mark.parametrize(
    "asked",
    [
        edit("rename", name="Clover"),
        edit("sex", sex=1),
        edit("level", level=12),
        edit("genetics", values={"Vitality": 3}),
    ],
)
def test_what_changes_nothing_gives_the_file_back(asked):
    content = mounts_json({}) + b"\r\n\r\n"
    written = saves.change("pets", content, [asked])
    assert (written.content, written.changes) == (content, [])


def test_changes_are_told_before_they_are_made():
    content = mounts_json({})
    asked = [edit("level", level=20), edit("rename", name="Bo"), edit("delete")]
    told = saves.preview("pets", content, asked)
    assert [(c["subject"], c["path"], c["before"], c["after"]) for c in told[:5]] == [
        ("Mount 1 (Clover)", ["level"], 12, 20),
        ("Mount 1 (Clover)", ["experience"], 20_000, MOUNTS.experience(20)),
        ("Mount 1 (Clover)", ["last_level"], 12, 20),
        ("Mount 1 (Clover)", ["name"], "Clover", "Bo"),
        ("Mount 1 (Clover)", ["inside", "name"], "Clover", "Bo"),
    ]
    assert {each["edit"] for each in told[:3]} == {1}
    assert told[5]["before"]["name"] == "Bo"
    assert (told[5]["path"], told[5]["after"]) == ([], None)
    assert told == saves.change("pets", content, asked).changes


def test_two_names_are_told_and_brought_in_step():
    content = mounts_json({"inside": "Klee"})
    (warning,) = saves.describe("pets", content)["warnings"]
    assert warning["code"] == "copies"
    assert changed(content, edit("rename", name="Clover")) == mounts_json({})


def test_a_name_that_stays_keeps_its_spelling():
    content = mounts_json({"wide": True})
    asked = [edit("rename", name="Clover"), edit("sex", sex=2)]
    assert changed(content, *asked) == mounts_json({"wide": True, "sex": 2})


def test_clones_stop_where_the_file_could_not_be_uploaded_again(monkeypatch):
    content = mounts_json({})
    monkeypatch.setattr("portal.saves.herd.FILE_BYTES", 3 * len(content))
    changed(content, edit("clone"))
    with pytest.raises(EditError, match="would be larger than"):
        changed(content, *[edit("clone")] * 3)


def test_a_clone_needs_a_path_that_ends_with_its_name():
    with pytest.raises(EditError, match="its path does not end with its name"):
        changed(mounts_json({"body": "Elsewhere"}), edit("clone"))


def test_numbers_start_anew_where_an_int32_ends():
    content = mounts_json({"guid": 2**31 - 1, "number": 1}, {"guid": 1})
    clones = saves.change("pets", content, [edit("clone")] * 2).description["mounts"][2:]
    assert [clone["guid"] for clone in clones] == [2, 3]
    assert [clone["object"] for clone in clones] == ["BP_Mount_Heron_C_2", "BP_Mount_Heron_C_3"]


OLD = mount_record()[-9 - 4 :]  # a record with nothing in it


@pytest.mark.parametrize(
    ("asked", "gist"),
    [
        (edit("sex", sex=1), "has no sex in this save"),
        (edit("variation", variation=1), "has no variation in this save"),
        (edit("genetics", values={"Vitality": 1}), "has no genetics in this save"),
        (edit("level", level=20), "cannot be given a level"),
        (edit("reset_talents"), "has no talents"),
        (edit("clone"), "has no guid in this save"),
    ],
)
def test_older_saves_lack_fields_and_say_so(asked, gist):
    content = mounts_json({"record": OLD})
    (mount,) = saves.describe("pets", content)["mounts"]
    assert mount["edits"] == ["rename", "delete"]
    with pytest.raises(EditError, match=gist):
        changed(content, asked)
    assert b'"Bo"' in changed(content, edit("rename", name="Bo"))


@pytest.mark.parametrize(
    ("asked", "gist"),
    [
        (None, "a list of 1 to 500"),
        ([], "a list of 1 to 500"),
        ([edit("delete")] * (MAX_EDITS + 1), "a list of 1 to 500"),
        ([3], "an object with its name"),
        ([{"mount": 1}], "an object with its name"),
        ([edit("fly")], "no edit “fly”, only rename, sex"),
        ([edit("fly\ud800" * 99)], "no edit “fly\ufffdfly"),
        ([edit("rename", name="a", nose=1)], "rename takes mount, name, not “nose”"),
        ([edit("rename", mount=3, name="a")], "mount is a whole number from 1 to 2"),
        ([edit("rename", mount=0, name="a")], "mount is a whole number from 1 to 2"),
        ([edit("rename", mount=True, name="a")], "mount is a whole number"),
        ([edit("rename", mount="1", name="a")], "mount is a whole number"),
        ([edit("rename", mount=1.0, name="a")], "mount is a whole number"),
        ([{"edit": "delete"}], "mount is a whole number"),
        ([edit("rename")], "name is a text"),
        ([edit("rename", name="")], "1 to 64 characters"),
        ([edit("rename", name="x" * 65)], "1 to 64 characters"),
        ([edit("rename", name="a\nb")], "cannot be shown"),
        ([edit("rename", name="a\ud800")], "cannot be shown"),
        ([edit("sex", sex=3)], "sex is a whole number from 1 to 2"),
        ([edit("variation", variation=-1)], "variation is a whole number from 0 to 9"),
        ([edit("genetics", values={})], "values is an object of Vitality, Agility"),
        ([edit("genetics", values={"Charm": 2})], "no “Charm”, only Vitality, Agility"),
        ([edit("genetics", values={"Agility": 8})], "Agility is a whole number from 1 to 7"),
        ([edit("level", level=0)], "level is a whole number from 1 to 50"),
        ([edit("level", mount=2, level=26)], "level is a whole number from 1 to 25"),
        ([edit("lineage", lineage="not a name")], "lineage has 1 to 64 letters"),
        (
            [edit("talents", ranks={"Swift_Heron": 3})],
            "Swift_Heron has a rank of at most 2: no cat",
        ),
        ([edit("talents", ranks={"Other": 1})], "no “Other”, only Swift_Heron"),
        ([edit("own_guid")], "already has an IcarusActorGUID of its own"),
        ([edit("reset_talents"), edit("reset_talents")], "has no talents to reset"),
        ([edit("delete"), edit("sex", sex=1)], "Mount 1 .Clover. is deleted"),
    ],
)
def test_what_cannot_be_asked_for_has_its_sentence(asked, gist):
    with pytest.raises(EditError, match=gist) as caught:
        saves.preview("pets", mounts_json({}, OTHER), asked)
    assert caught.value.status == 400
    assert caught.value.advice == "Nothing was changed."
    caught.value.sentence.encode()
