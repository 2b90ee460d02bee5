"""Great Hunts: what a reset takes with it, and that it is refused where nothing says what."""

import pytest

from portal import saves
from portal.saves.errors import EditError
from portal.saves.rules import NO_RULES, Rules, read_rules
from tests.support.saves import prospect_json

HISTORY = {"GH_Ape_A": 1, "GH_Ape_B": 1, "GH_Ape_C": 1, "GH_Ant_A": 1, "Hill_Done": 1}
HUNTS = {"GH_Ape_A": 1, "GH_Ape_B": 1, "GH_Ape_C": 1, "GH_Ant_A": 1}
# B and C follow A; the ants are another chain.
RULES = Rules(
    hunts={name: (name,) for name in HUNTS},
    requires={"GH_Ape_B": ("GH_Ape_A",), "GH_Ape_C": ("GH_Ape_B",), "GH_Ant_A": ()},
)


def reset(name):
    return {"edit": "reset_mission", "mission": name}


def world(missions=HISTORY, hunts=HUNTS, **more):
    return prospect_json(missions=missions, hunts=hunts, active="None", **more)


def without(names, *gone):
    return {name: value for name, value in names.items() if name not in gone}


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("GH_Ape_A", ["GH_Ape_A", "GH_Ape_B", "GH_Ape_C"]),
        ("GH_Ape_B", ["GH_Ape_B", "GH_Ape_C"]),
        ("GH_Ape_C", ["GH_Ape_C"]),
        ("GH_Ant_A", ["GH_Ant_A"]),
    ],
)
def test_a_reset_takes_the_record_and_all_that_requires_it(name, gone):
    written = saves.change("prospects", world(), [reset(name)], RULES)
    assert written.content == world(without(HISTORY, *gone), without(HUNTS, *gone))
    told = {(change["path"][0], change["path"][1]) for change in written.changes}
    assert told == {(kind, each) for kind in ("missions", "hunts") for each in gone}


def test_a_record_without_its_mission_goes_too():
    content = world(without(HISTORY, "GH_Ape_B"))
    after = world(without(HISTORY, "GH_Ape_A", "GH_Ape_B", "GH_Ape_C"), {"GH_Ant_A": 1})
    assert saves.change("prospects", content, [reset("GH_Ape_A")], RULES).content == after


def test_two_resets_of_one_chain_take_each_entry_once():
    asked = [reset("GH_Ape_C"), reset("GH_Ape_A"), reset("GH_Ape_B")]
    written = saves.change("prospects", world(), asked, RULES)
    gone = ("GH_Ape_A", "GH_Ape_B", "GH_Ape_C")
    assert written.content == world(without(HISTORY, *gone), without(HUNTS, *gone))
    assert len(written.changes) == 6


@pytest.mark.parametrize("rules", [NO_RULES, Rules(hunts={"GH_Other": ("GH_Other",)})])
def test_without_the_catalog_a_hunt_is_refused_in_words(rules):
    with pytest.raises(EditError, match=r"is a Great Hunt.*catalog of this site does not"):
        saves.preview("prospects", world(), [reset("GH_Ape_A")], rules)
    saves.preview("prospects", world(), [reset("Hill_Done")], rules)


def test_a_hunt_by_another_name_is_known_by_its_record():
    content = world({"Hunt_Odd": 1}, {"Hunt_Odd": 1})
    with pytest.raises(EditError, match="is a Great Hunt"):
        saves.preview("prospects", content, [reset("Hunt_Odd")])


def test_what_requires_it_and_is_in_progress_keeps_it():
    content = world(HISTORY | {"GH_Ape_C": 0})
    with pytest.raises(EditError, match="GH_Ape_C requires it, and its state is “in progress”"):
        saves.preview("prospects", content, [reset("GH_Ape_A")], RULES)


def test_every_entry_of_a_mission_is_told():
    history = [("Hill_Done", 2), ("Hill_Done", 1), ("Other", 3)]
    content = world(history, {})
    told = saves.preview("prospects", content, [reset("Hill_Done")])
    assert [change["before"] for change in told] == [
        "abandoned, ended at 500",
        "completed, ended at 500",
    ]
    after = saves.change("prospects", content, [reset("Hill_Done")]).content
    assert after == world([("Other", 3)], {})


def test_one_entry_in_progress_protects_all_and_says_why():
    content = world([("Hill_Done", 0), ("Hill_Done", 1)], {})
    missions = saves.describe("prospects", content)["missions"]
    assert [each["obstacle"] for each in missions] == ["its state is “in progress”"] * 2
    with pytest.raises(EditError, match="Hill_Done cannot be reset: its state"):
        saves.preview("prospects", content, [reset("Hill_Done")])


@pytest.mark.parametrize(
    ("plain", "rules"),
    [
        (RULES.plain(), RULES),
        (None, NO_RULES),
        ({"hunts": [], "ranks": 3}, NO_RULES),
        ({"ranks": {"A": 2, "B": "x"}, "requires": {"A": ["B", 1], "C": 2}},
         Rules(ranks={"A": 2}, requires={"A": ("B",)})),
    ],
)  # fmt: skip
def test_rules_come_as_plain_data(plain, rules):
    assert read_rules(plain) == rules
