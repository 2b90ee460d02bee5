"""Prospects: both copies in step, the packed part whole, missions taken out and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import saves
from portal.saves.errors import EditError, SaveError
from tests.support.largesaves import large_prospect
from tests.support.saves import (
    WORLD,
    closed,
    integer,
    payload,
    prospect_json,
    recorder,
    structures,
    text,
)


def changed(content, *edits):
    return saves.change("prospects", content, list(edits)).content


def difficulty(value):
    return {"edit": "difficulty", "difficulty": value}


def hardcore(value):
    return {"edit": "hardcore", "hardcore": value}


def privacy(value):
    return {"edit": "privacy", "privacy": value}


def reset(name):
    return {"edit": "reset_mission", "mission": name}


def without(*names):
    return {name: status for name, status in WORLD["missions"].items() if name not in names}


def test_a_prospect_is_described():
    description = saves.describe("prospects", prospect_json())
    missions = description.pop("missions")
    assert description == {
        "tool": "prospects",
        "name": "Höhle",
        "lobby": "",
        "prospect": None,
        "mission": None,
        "state": None,
        "difficulty": "Medium",
        "hardcore": False,
        "insurance": None,
        "elapsed": 60,
        "expires": None,
        "cost": None,
        "reward": None,
        "drop_point": None,
        "members": [{"character": "Ada", "account": "ada"}],
        "settings": [{"name": "SettingsVersion", "value": 1}],
        "privacy": "FriendsOnly",
        "map": "Terrain_900",
        "version": 2,
        "saved": "2022-09-28T22:13:20",
        "inside": {"difficulty": "Medium", "hardcore": False},
        "recorders": {
            "total": 5,
            "classes": {
                "StoneRecorderComponent": 2,
                "GameModeStateRecorderComponent": 1,
                "IcarusQuestManagerRecorderComponent": 1,
                "WorldTalentManagerRecorderComponent": 1,
            },
        },
        "hunts": [{"name": "Hunt_Ape", "rank": 2}],
        "animals": [],
        "inventories": [],
        "warnings": [],
    }
    assert [(m["mission"], m["state"], m["active"], m["resettable"]) for m in missions] == [
        ("Hill_Active", "in progress", True, False),
        ("Hill_Done", "completed", False, True),
        ("Hill_Left", "abandoned", False, True),
        ("Hill_Lost", "failed", False, True),
        ("Hill_Odd", "9", False, False),
    ]
    assert "7000" not in json.dumps(description)  # an account is nobody's business


@pytest.mark.parametrize(
    "style",
    [{}, {"newline": "\n", "indent": 2}, {"indent": None}],
    ids=["game", "unix", "one line"],
)
@pytest.mark.parametrize(
    "encoding", [{}, {"mark": b"\xff\xfe", "codec": "utf-16-le"}, {"mark": b"\xef\xbb\xbf"}]
)
@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ([difficulty("Extreme")], {"difficulty": "Extreme"}),
        ([hardcore(True)], {"hardcore": True}),
        ([privacy("Private")], {"privacy": "Private"}),
        ([reset("Hill_Done")], {"missions": without("Hill_Done")}),
        (
            [reset("Hill_Lost"), difficulty("Easy"), reset("Hill_Left")],
            {"missions": without("Hill_Lost", "Hill_Left"), "difficulty": "Easy"},
        ),
    ],
)
def test_an_edit_changes_what_it_says_and_nothing_else(asked, fields, style, encoding):
    before = prospect_json(style=style, **encoding)
    after = prospect_json(style=style, **encoding, **fields)
    assert changed(before, *asked) == after
    assert before != after


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), st.just(1)
    ),
    st.data(),
)
def test_any_missions_are_reset(missions, data):
    missions = {"Running": 0} | missions
    names = data.draw(st.lists(st.sampled_from(sorted(missions)), unique=True))
    fields = {"missions": missions, "active": "Other"}
    before = prospect_json(**fields)
    asked = [reset(name) for name in names if name != "Running"]
    kept = {name: 1 for name in missions if name not in names or name == "Running"}
    expected = prospect_json(**fields | {"missions": {name: missions[name] for name in kept}})
    assert not asked or changed(before, *asked) == expected


@pytest.mark.parametrize(
    "asked", [difficulty("Medium"), hardcore(False), privacy("FriendsOnly")], ids=str
)
def test_what_changes_nothing_gives_the_file_back(asked):
    content = prospect_json(packed={"Hash": "0" * 40})
    written = saves.change("prospects", content, [asked])
    assert (written.content, written.changes) == (content, [])


def test_changes_are_told_before_they_are_made():
    asked = [difficulty("Hard"), reset("Hill_Done")]
    told = saves.preview("prospects", prospect_json(), asked)
    assert [(c["subject"], c["path"], c["before"], c["after"]) for c in told] == [
        ("The prospect", ["difficulty"], "Medium", "Hard"),
        ("The prospect", ["inside", "difficulty"], "Medium", "Hard"),
        ("Mission Hill_Done", ["missions", "Hill_Done"], "completed, ended at 500", None),
    ]
    assert told == saves.change("prospects", prospect_json(), asked).changes


def test_of_two_edits_of_one_field_the_later_counts():
    asked = [hardcore(True), difficulty("Hard"), reset("Hill_Done")]
    again = [difficulty("Easy"), reset("Hill_Done"), hardcore(False)]
    missions = {name: state for name, state in WORLD["missions"].items() if name != "Hill_Done"}
    after = prospect_json(difficulty="Easy", missions=missions)
    assert changed(prospect_json(), *asked, *again) == after


@pytest.mark.parametrize(
    ("fields", "moment"),
    [
        ({"saved": 0}, "0001-01-01T00:00:00"),
        ({"saved": -1}, None),
        ({"saved": 2**63 - 1}, None),
        ({"saved_as": "Guid"}, None),
    ],
)
def test_a_moment_that_is_none(fields, moment):
    assert saves.describe("prospects", prospect_json(**fields))["saved"] == moment


def test_a_copy_that_is_missing_is_no_difference_and_cannot_be_edited():
    content = prospect_json(inside="")
    assert saves.describe("prospects", content)["warnings"] == []
    with pytest.raises(EditError, match="does not stand in both places"):
        changed(content, difficulty("Hard"))


def test_copies_that_differ_are_told_and_brought_in_step():
    content = prospect_json(inside="Hard")
    (warning,) = saves.describe("prospects", content)["warnings"]
    assert warning == {
        "code": "copies",
        "sentence": "The two copies of the difficulty differ: Medium and Hard.",
    }
    for value in ("Medium", "Hard", "Easy"):
        assert changed(content, difficulty(value)) == prospect_json(difficulty=value)
    written = saves.change("prospects", content, [privacy("Private")])
    assert [warning["code"] for warning in written.description["warnings"]] == ["copies"]


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        ({"Hash": "0" * 40}, "hash"),
        ({"Hash": None}, "hash"),
        ({"DataLength": 5}, "length"),
        ({"TotalLength": -1}, "length"),
    ],
)
def test_a_wrong_hash_is_told_and_mended_with_the_next_edit(packed, code):
    content = prospect_json(packed=packed)
    (warning,) = saves.describe("prospects", content)["warnings"]
    assert warning["code"] == code
    assert changed(content, hardcore(True)) == prospect_json(hardcore=True)


@pytest.mark.parametrize(
    ("asked", "fields", "gist"),
    [
        ([reset("Hill_Active")], {}, "it is the active mission"),
        ([reset("Hill_Done")], {"active": "Hill_Done"}, "it is the active mission"),
        ([reset("Hill_Done")], {"faction": "Hill_Done"}, "it is the active mission"),
        ([reset("Hill_Active")], {"active": "None"}, "its state is “in progress”"),
        ([reset("Hill_Odd")], {}, "its state is “9”"),
        ([reset("Hill_Done")], {"active": None}, "does not say which mission is active"),
        ([reset("Nowhere\ud800")], {}, "“Nowhere\ufffd” is not among the missions"),
        ([reset(4)], {}, "mission is a text"),
        ([difficulty("None")], {}, "difficulty is one of Easy, Medium, Hard, Extreme"),
        ([difficulty(["Easy"])], {}, "difficulty is one of"),
        ([privacy("Unknown")], {}, "privacy is one of FriendsOnly, Private"),
        ([hardcore(1)], {}, "hardcore is true or false"),
        (
            [{"edit": "rename", "name": "x"}],
            {},
            "only difficulty, hardcore, privacy, reset_mission",
        ),
        ([{"edit": "privacy", "who": "x"}], {}, "privacy takes privacy, not “who”"),
    ],
)
def test_what_cannot_be_asked_for_has_its_sentence(asked, fields, gist):
    with pytest.raises(EditError, match=gist) as caught:
        saves.preview("prospects", prospect_json(**fields), asked)
    assert caught.value.status == 400


def test_a_mission_that_also_runs_is_not_reset():
    history = [("Twice", 1), ("Twice", 0), ("Hill_Active", 0)]
    content = prospect_json(payload([game_mode(history)]))
    with pytest.raises(EditError, match="its state is “in progress”"):
        changed(content, reset("Twice"))


def test_a_mission_that_stands_twice_goes_twice():
    twice = prospect_json(payload([game_mode([("Hill_Done", 3), ("Else", 1)])]))
    once = prospect_json(payload([game_mode([("Else", 1)])], missions=without("Hill_Done")))
    assert changed(twice, reset("Hill_Done")) == once


def game_mode(history):
    entries = [
        closed(text("Mission", name), integer("Status", status), integer("MissionEndTime", 500))
        for name, status in history
    ]
    return recorder(
        "GameModeStateRecorderComponent", structures("MissionHistory", "History", entries)
    )


def test_a_large_world_is_counted_and_edited():
    content = large_prospect()
    assert saves.describe("prospects", content)["recorders"]["total"] == 1155
    written = saves.change("prospects", content, [hardcore(True)])
    assert written.description["hardcore"] is True


def test_nothing_is_offered_that_does_not_read_back(monkeypatch):
    monkeypatch.setattr("portal.saves.prospects.apply_patches", lambda payload, _: payload)
    with pytest.raises(SaveError, match="does not read back"):
        changed(prospect_json(), hardcore(True))
