"""What the operator's catalog gives to the tools: names and rules, from tables of any name."""

import json

import pytest

from tests.saves.test_inhabitants import CHEST, HORSE
from tests.support.catalog.tables import TableSet, document, link, text
from tests.support.running import ask
from tests.support.saves import mounts_json, payload, prospect_json
from tests.support.tools import opened, tell

HUNTS = {"GH_A": 1, "GH_B": 1, "GH_C": 1}
TABLES = {
    # The names of tables are nobody's business: these are none of the game's.
    "Odd__T_Skills": document(
        ("Swift_Heron", {"DisplayName": text("s", "Swift as wind"), "Rewards": [{}, {}, {}, {}]}),
        ("Calm_Heron", {"DisplayName": text("c", "Calm"), "Rewards": [{}]}),
        ("GH_A", {"Rewards": [{}], "DisplayName": text("a", "First hunt")}),
        ("GH_B", {"Rewards": [{}], "RequiredTalents": [link("T_Skills", "GH_A")]}),
        # Only the row, since the table stands in Defaults.
        ("GH_C", {"Rewards": [{}], "RequiredTalents": [{"RowName": "GH_B"}]}),
        Defaults={"RequiredTalents": [], "Rewards": []},
    ),
    "Odd__T_Tasks": document(
        *((name, {"GreatHuntReward": [link("T_Skills", name)]}) for name in HUNTS),
        ("Hill_Done", {"DisplayName": text("h", "Up the hill")}),
    ),
    "Odd__T_Animals": document(("Mount_Heron", {"Look": {"RowName": "Heron"}}),
                               Defaults={"Look": {"RowName": "None", "DataTableName": "T_Looks"}}),
    "Odd__T_Looks": document(("Heron", {"DisplayName": text("m", "Great heron")})),
    "Odd__T_Things": document(("Rope", {"Itemable": {"RowName": "Item_Rope"}}),
                              Defaults={"Itemable": {"RowName": "None", "DataTableName": "T_It"}}),
    "Odd__T_It": document(("Item_Rope", {"DisplayName": text("r", "A good rope")})),
}  # fmt: skip


@pytest.fixture(scope="module")
def portal(start_portal, tmp_path_factory):
    """A portal with a catalog, as operators have it."""
    tables = TableSet(tmp_path_factory.mktemp("tables")).put("1.0", **TABLES)
    with tables.served(start_portal, "1.0") as running:
        yield running


def page(said, client):
    return ask(said["page"], client, Accept="text/html")[2].decode()


def test_mounts_have_names_and_talents_their_ranks(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", mounts_json({}), client)
    shown = page(said, client)
    for words in ("Swift as wind", "Calm", "Great heron", "0 to 4."):
        assert words in shown
    asked = {"edit": "talents", "mount": 1, "ranks": {"Swift_Heron": 4}}
    status, done = tell(portal, said, "edit", client, edits=[asked])
    assert (status, done["description"]["mounts"][0]["talents"]["Swift_Heron"]) == (200, 4)
    asked["ranks"] = {"Calm_Heron": 2}
    status, answer = tell(portal, said, "edit", client, edits=[asked])
    assert (status, answer["error"]) == (400, "The talent Calm_Heron has a rank of at most 1.")


def test_a_hunt_is_reset_with_all_that_requires_it(portal, clients):
    client = clients.new()
    world = {"active": "None", "missions": {**HUNTS, "Hill_Done": 1}}
    said = opened(portal, "prospects", prospect_json(hunts=HUNTS, **world), client)
    shown = page(said, client)
    assert "Up the hill" in shown
    assert "with it: GH_B, GH_C" in shown
    reset = {"edit": "reset_mission", "mission": "GH_B"}
    status, done = tell(portal, said, "edit", client, edits=[reset])
    assert status == 200
    world["missions"] = {"GH_A": 1, "Hill_Done": 1}
    assert ask(done["download"], client)[2] == prospect_json(hunts={"GH_A": 1}, **world)
    result = ask(f"{said['page']}/result", client, Accept="text/html")[2].decode()
    assert "Great Hunt GH_C" in result


def test_things_in_a_world_have_their_names(portal, clients):
    client = clients.new()
    said = opened(portal, "prospects", prospect_json(payload([HORSE, CHEST])), client)
    shown = page(said, client)
    for words in ("1 animal in the world", "Clover", "A good rope", "2 slots", "Metal_Ore"):
        assert words in shown


def test_without_the_catalog_a_hunt_cannot_be_reset_and_the_page_says_so(start_portal, clients):
    client = clients.new()
    with start_portal() as portal:
        save = prospect_json(hunts=HUNTS, active="None", missions=HUNTS)
        said = opened(portal, "prospects", save, client)
        shown = page(said, client)
        assert "no: it is a Great Hunt, and the catalog of this site does not say" in shown
        assert 'type="checkbox" id="mission' not in shown
        reset = {"edit": "reset_mission", "mission": "GH_A"}
        for what in ("preview", "edit"):
            status, answer = tell(portal, said, what, client, edits=[reset])
            assert (status, "is a Great Hunt" in answer["error"]) == (400, True)
        assert json.loads(ask(said["page"], client, Accept="application/json")[2])["version"] == 0
