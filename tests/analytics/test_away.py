"""Umami away, hanging, failing; the portal killed: what becomes of each event."""

import signal
import threading
import time

import pytest

from portal.analytics.sender import PATIENCE_SECONDS
from portal.http.client import keep_key, pseudonym
from sql.outbox import look
from tests.support.running import TOKEN, ask
from tests.support.umami.standin import Umami, amounts, event, eventually, outbox, post, post_all
from tests.test_anonymity import search

pytestmark = pytest.mark.long


@pytest.fixture
def umami(tmp_path):
    with Umami(tmp_path / "umami", started=False) as away:
        yield away


def numbered(clients, count):
    """So many events of so many visitors, each with its number."""
    return [(clients.new(), event(f"/{number}")) for number in range(count)]


def urls(umami):
    return [stored["url"] for stored in umami.stored()]


def all_gone(portal):
    """Wait until nothing waits; the outcomes."""
    eventually(lambda: outbox(portal), lambda o: not o["waiting"] and not o["in_flight"])
    return amounts(portal)


def test_events_wait_while_it_refuses_and_arrive_in_order_with_their_times(
    start_portal, umami, clients
):
    with start_portal(umami=umami.settings) as portal:
        before = int(time.time())
        assert post(portal, event("/first"), clients.new())[::2] == (200, {})
        assert post_all(portal, numbered(clients, 150)) == 150
        after = int(time.time())
        state = outbox(portal)
        assert (state["waiting"], state["in_flight"], amounts(portal)) == (151, 0, {})
        assert state["oldest"] is not None
        time.sleep(1.2)  # an event that is older than a second carries its time
        umami.start()
        stored = umami.until(151)
        assert all_gone(portal) == {"sent": 151}
        assert urls(umami) == ["/first", *(f"/{number}" for number in range(150))]
        times = [each["timestamp"] for each in stored]
        assert times == sorted(times)
        assert before <= times[0] <= times[-1] <= after < stored[0]["arrived"]
        # From now on Umami's own clock, which has milliseconds, tells the time.
        post(portal, event("/now"), clients.new())
        assert "timestamp" not in umami.until(152)[-1]


@pytest.mark.parametrize("failing", ["hangs", "fails", "closes", "babbles"])
@pytest.mark.parametrize("storing", ["", "stores and "])
def test_what_is_ambiguous_is_never_sent_again(start_portal, umami, clients, storing, failing):
    """No page waits. Nor does libcurl send the event again, as it would over a connection that was
    kept from an event before."""
    umami.start()
    with start_portal(umami=umami.settings) as portal:
        post(portal, event("/before"), clients.new())
        umami.until(1)
        umami.behave(send=storing + failing)
        assert post(portal, event("/first"), clients.new())[::2] == (200, {})
        assert amounts_once(portal, uncertain=1, sent=1)
        assert post(portal, event("/later"), clients.new())[::2] == (200, {})
        assert outbox(portal)["waiting"] == 1
        umami.behave()
        stored = ["/before", *["/first"] * bool(storing)]
        umami.until(len(stored) + 1)
        assert urls(umami) == [*stored, "/later"]


def amounts_once(portal, **expected):
    return eventually(lambda: amounts(portal), lambda seen: seen == expected)


def test_many_pages_at_once_do_not_wait_for_umami(start_portal, umami, clients):
    """It hangs with one event; each page has its answer once its event is committed."""
    umami.start()
    umami.behave(send="hangs")
    with start_portal(umami=umami.settings) as portal:
        began = time.monotonic()
        threads = [
            threading.Thread(target=post_all, args=(portal, numbered(clients, 1)))
            for _ in range(60)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < PATIENCE_SECONDS * 2
        state = outbox(portal)
        assert state["waiting"] + state["in_flight"] == 60 - amounts(portal).get("uncertain", 0)
        assert ask(f"{portal.url}/downloads")[0] == 200


@pytest.mark.parametrize("behaviour", ["fails", "babbles"])
def test_what_fails_is_uncertain_and_the_next_comes_later(start_portal, umami, clients, behaviour):
    """One event at a try, however many wait."""
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 30))
        umami.behave(send=behaviour)
        umami.start()
        amounts_once(portal, uncertain=1)
        umami.behave()
        assert all_gone(portal) == {"uncertain": 1, "sent": 29}
        assert urls(umami) == [f"/{number}" for number in range(1, 30)]


@pytest.mark.parametrize("behaviour", ["throttles", "up"])
def test_what_says_not_now_is_asked_again(start_portal, umami, clients, behaviour):
    """A limit, or another path than Umami's: nothing has looked at the event."""
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 5))
        if behaviour == "up":
            umami.base = "/elsewhere"
        umami.behave(send=behaviour)
        umami.start()
        time.sleep(2.5)
        assert (outbox(portal)["waiting"], amounts(portal)) == (5, {})
        umami.stop()
        umami.base = ""
        umami.behave()
        umami.start()
        assert all_gone(portal) == {"sent": 5}


def test_what_umami_refuses_is_counted_with_a_sample_of_why(start_portal, umami, clients):
    with start_portal(
        umami=umami.settings | {"website": "0" * 8 + umami.settings["website"][8:]}
    ) as portal:
        body = event()
        body["payload"]["website"] = "0" * 8 + umami.settings["website"][8:]
        post_all(portal, [(clients.new(), body)] * 3)
        umami.start()
        assert all_gone(portal) == {"refused": 3}
        sample = outbox(portal)["outcomes"]["refused"]["sample"]
        assert sample.startswith("400: ")
        assert "Website not found." in sample
        status, _, page = ask(f"{portal.url}/metrics?token={TOKEN}", Accept="text/html")
        assert (status, b"Website not found." in page) == (200, True)
        assert umami.stored() == []


def test_a_kill_of_the_portal_loses_nothing_that_was_answered(start_portal, umami, clients):
    events = numbered(clients, 10_000)
    with start_portal(umami=umami.settings) as portal:
        killing = threading.Timer(1.5, portal.process.kill)
        killing.start()
        answered = post_all(portal, events)
        killing.join()
        portal.process.wait()
        assert 0 < answered < len(events)
        portal.start()
        assert answered <= outbox(portal)["waiting"] <= answered + 1
        umami.start()
        all_gone(portal)
        assert urls(umami)[:answered] == [f"/{number}" for number in range(answered)]
        assert len(urls(umami)) in (answered, answered + 1)


def test_an_event_in_flight_at_a_kill_is_uncertain_and_never_sent_again(
    start_portal, umami, clients
):
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 250))
        umami.behave(send="stores and hangs")
        umami.start()
        eventually(lambda: outbox(portal)["in_flight"], lambda count: count == 1)
        umami.until(1)
        portal.stop(signal.SIGKILL)
        flying, before = look(portal.data_dir / "outbox.sqlite3").in_flight, amounts_of(portal)
        assert (flying, before) == (1, {})
        umami.behave()
        portal.start()
        assert all_gone(portal) == {"uncertain": 1, "sent": 249}
        umami.until(250)
        assert sorted(urls(umami)) == sorted(f"/{number}" for number in range(250))


def amounts_of(portal):
    """The outcomes while nobody serves."""
    state = look(portal.data_dir / "outbox.sqlite3")
    return {name: outcome.amount for name, outcome in state.outcomes.items()}


def test_a_kill_of_umami_in_between(start_portal, umami, clients):
    """What it has taken is there, what it had not taken comes again, what nobody knows does not."""
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 300))
        umami.start()
        umami.until(1)
        umami.stop()
        time.sleep(1.2)
        umami.start()
        ended = all_gone(portal)
        assert ended.get("uncertain", 0) + ended["sent"] == 300
        assert ended.get("uncertain", 0) <= 1
        seen = urls(umami)
        assert len(seen) == len(set(seen)) >= ended["sent"]


def test_a_stop_waits_for_the_answer_to_an_event(start_portal, umami, clients):
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 3))
        umami.behave(send=1.0)
        umami.start()
        eventually(lambda: outbox(portal)["in_flight"], bool)
        assert portal.stop() == 0
        ended = amounts_of(portal)
        assert "uncertain" not in ended
        assert ended["sent"] == len(umami.stored())


@pytest.mark.parametrize("key", ["", "a-key"])
def test_no_raw_address_is_in_the_outbox_nor_reaches_umami(start_portal, umami, key):
    addresses = [f"198.51.100.{n}" for n in range(100, 120)] + ["2001:db8:85a3::8a2e:370:7334"]
    with start_portal(umami=umami.settings, environ={"IP_HASH_KEY": key}) as portal:
        post_all(portal, [(address, event()) for address in addresses])
        assert outbox(portal)["waiting"] == len(addresses)
        written = [path for path in portal.data_dir.rglob("*") if path.is_file()]
        assert any(path.name.startswith("outbox.sqlite3") for path in written)
        umami.start()
        stored = umami.until(len(addresses))
        post_all(portal, [(address, event()) for address in addresses])
        written += list(umami.directory.iterdir())
        assert search(written, portal) == []
        secret = key.encode() or keep_key(portal.data_dir / "umami" / "key")
        assert [each["ip"] for each in stored] == [pseudonym(a, secret) for a in addresses]


def test_an_outbox_that_cannot_be_opened_keeps_nothing_else_from_working(
    start_portal, umami, clients
):
    umami.start()
    portal = start_portal(umami=umami.settings)
    portal.data_dir.mkdir()
    (portal.data_dir / "outbox.sqlite3").write_bytes(b"no database" * 1000)
    with portal:
        assert b"data-website-id" not in ask(f"{portal.url}/", Accept="text/html")[2]
        assert post(portal, event(), clients.new())[::2] == (200, {"disabled": True})
        assert "no page events are taken" in portal.log()
        status, _, page = ask(f"{portal.url}/metrics?token={TOKEN}", Accept="text/html")
        assert (status, b"They cannot be read right now" in page) == (200, True)
        assert outbox(portal) is None
