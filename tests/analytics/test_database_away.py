"""Umami's database away while its heartbeat answers: nothing lost, nothing doubled, one uncertain a
try."""

import threading
import time

import pytest

from tests.support.umami.standin import Umami, amounts, event, eventually, outbox, post_all

EVENTS = 200


@pytest.fixture
def umami(tmp_path):
    with Umami(tmp_path / "umami") as running:
        yield running


def numbered(clients, first, count):
    return [(clients.new(), event(f"/{number}")) for number in range(first, first + count)]


def all_gone(portal):
    return eventually(
        lambda: outbox(portal), lambda seen: seen["waiting"] + seen["in_flight"] == 0, 60
    )


@pytest.mark.parametrize(
    ("database", "most_uncertain"),
    [("away", 1), pytest.param("read-only", 4, marks=pytest.mark.long)],
)
def test_events_wait_in_order_while_the_database_is_away(
    start_portal, umami, clients, database, most_uncertain
):
    """One that cannot even be read is looked at without risking an event for each look."""
    with start_portal(umami=umami.settings) as portal:
        assert post_all(portal, numbered(clients, 0, 20)) == 20
        umami.until(20)
        umami.behave(database=database)
        assert post_all(portal, numbered(clients, 20, EVENTS)) == EVENTS
        eventually(lambda: amounts(portal), lambda seen: seen.get("uncertain"))
        time.sleep(6)
        umami.behave()
        all_gone(portal)
        seen = amounts(portal)
        assert set(seen) == {"sent", "uncertain"}
        assert seen["sent"] + seen["uncertain"] == 20 + EVENTS
        assert seen["uncertain"] <= most_uncertain
        assert "Server error" in outbox(portal)["outcomes"]["uncertain"]["sample"]
        urls = [stored["url"] for stored in umami.stored()]
        assert len(urls) == len(set(urls)) == seen["sent"]
        numbers = [int(url[1:]) for url in urls]
        assert numbers == sorted(numbers)


@pytest.mark.long
def test_a_database_that_is_away_at_the_start(start_portal, umami, clients):
    umami.behave(database="away")
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 0, EVENTS))
        eventually(lambda: amounts(portal), lambda seen: seen == {"uncertain": 1})
        time.sleep(3)
        assert amounts(portal) == {"uncertain": 1}
        umami.behave()
        all_gone(portal)
        assert amounts(portal) == {"uncertain": 1, "sent": EVENTS - 1}


@pytest.mark.long
def test_a_database_that_comes_and_goes_under_load(start_portal, umami, clients):
    """Ten times, with events at every moment of it."""
    with start_portal(umami=umami.settings) as portal:
        events = numbered(clients, 0, 6000)
        load = threading.Thread(target=post_all, args=(portal, events))
        load.start()
        for _ in range(10):
            time.sleep(0.5)
            umami.behave(database="away")
            time.sleep(0.5)
            umami.behave()
        load.join()
        all_gone(portal)
        seen = amounts(portal)
        assert seen["sent"] + seen.get("uncertain", 0) == len(events)
        assert seen.get("uncertain", 0) <= 10
        urls = [stored["url"] for stored in umami.stored()]
        assert len(urls) == len(set(urls)) == seen["sent"]
