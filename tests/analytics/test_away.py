"""Umami away, hanging, failing; the portal killed: what becomes of each event."""

import signal
import threading
import time

import pytest

from portal.analytics.circuit import MOST_AT_ONCE
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
        time.sleep(max(0, after + 1.1 - time.time()))
        umami.start()
        stored = umami.until(151)
        assert all_gone(portal) == {"sent": 151}
        assert urls(umami) == ["/first", *(f"/{number}" for number in range(150))]
        times = [each["timestamp"] for each in stored]
        assert times == sorted(times)
        assert before <= times[0] <= times[-1] <= after < stored[0]["arrived"]
        assert {each["via"] for each in stored} == {"batch"}
        # From now on they go straight there.
        eventually(lambda: post(portal, event("/now"), clients.new())[2], bool)
        assert umami.stored()[-1]["via"] == "send"


@pytest.mark.parametrize("failing", ["hangs", "fails", "closes", "babbles"])
@pytest.mark.parametrize("storing", ["", "stores and "])
def test_what_is_ambiguous_is_never_sent_again(start_portal, umami, clients, storing, failing):
    """The page waits two seconds at most. Nor does libcurl send it again, as it would over a
    connection that was kept from an event before."""
    umami.start()
    with start_portal(umami=umami.settings) as portal:
        eventually(lambda: post(portal, event("/before"), clients.new())[2], bool)
        before = len(umami.stored())
        umami.behave(send=storing + failing, heartbeat="fails")
        began = time.monotonic()
        assert post(portal, event("/first"), clients.new())[::2] == (200, {})
        assert time.monotonic() - began < 15  # or an hour: that is how long it hangs
        assert amounts_once(portal, uncertain=1)
        assert post(portal, event("/later"), clients.new())[::2] == (200, {})
        assert outbox(portal)["waiting"] == 1
        umami.behave()
        stored = ["/first"] * bool(storing)
        umami.until(before + len(stored) + 1)
        assert urls(umami)[before:] == [*stored, "/later"]


def amounts_once(portal, **expected):
    return eventually(lambda: amounts(portal), lambda seen: seen == expected)


def test_many_pages_at_once_do_not_wait_for_each_other(start_portal, umami, clients):
    """It hangs: those that are with it wait two seconds, all others are kept at once."""
    umami.start()
    umami.behave(send="hangs", heartbeat="fails")
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
        assert time.monotonic() - began < 30  # one after the other: two minutes
        state = eventually(
            lambda: outbox(portal),
            lambda seen: seen["waiting"] + seen["outcomes"]["uncertain"]["amount"] == 60,
        )
        assert state["waiting"] >= 60 - MOST_AT_ONCE
        assert ask(f"{portal.url}/downloads")[0] == 200


@pytest.mark.parametrize("behaviour", ["fails", "babbles"])
def test_a_batch_that_fails_is_uncertain_and_the_next_comes_later(
    start_portal, umami, clients, behaviour
):
    """After a failure one event is tried, not a hundred."""
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 30))
        umami.behave(batch=behaviour)
        umami.start()
        amounts_once(portal, uncertain=1)
        umami.behave()
        assert all_gone(portal) == {"uncertain": 1, "sent": 29}
        assert urls(umami) == [f"/{number}" for number in range(1, 30)]


@pytest.mark.parametrize("behaviour", ["throttles", "up"])
def test_what_says_not_now_is_asked_again(start_portal, umami, clients, behaviour):
    """A limit, or another path than Umami's: nothing of the batch was taken."""
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 5))
        if behaviour == "up":
            umami.base = "/elsewhere"
        umami.behave(batch=behaviour)
        umami.start()
        time.sleep(2.5)
        assert (outbox(portal)["waiting"], amounts(portal)) == (5, {})
        umami.stop()
        umami.base = ""
        umami.behave()
        umami.start()
        assert all_gone(portal) == {"sent": 5}


def test_what_umami_refuses_of_a_batch_is_counted(start_portal, umami, clients):
    with start_portal(
        umami=umami.settings | {"website": "0" * 8 + umami.settings["website"][8:]}
    ) as portal:
        body = event()
        body["payload"]["website"] = "0" * 8 + umami.settings["website"][8:]
        post_all(portal, [(clients.new(), body)] * 3)
        umami.start()
        assert all_gone(portal) == {"refused": 3}
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


def test_a_batch_in_flight_at_a_kill_is_uncertain_and_never_sent_again(
    start_portal, umami, clients
):
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 250))
        umami.behave(batch=2)
        umami.start()
        eventually(lambda: outbox(portal)["in_flight"], lambda count: count > 1)
        portal.stop(signal.SIGKILL)
        flying, before = look(portal.data_dir / "outbox.sqlite3").in_flight, amounts_of(portal)
        assert flying
        umami.behave()
        portal.start()
        ended = all_gone(portal)
        assert ended["uncertain"] == flying
        assert ended["sent"] == 250 - flying
        assert before.get("sent", 0) < 250
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
        seen = urls(umami)
        assert len(seen) == len(set(seen)) >= ended["sent"]


def test_a_stop_waits_for_the_answer_to_a_batch(start_portal, umami, clients):
    with start_portal(umami=umami.settings) as portal:
        post_all(portal, numbered(clients, 3))
        umami.behave(batch=1.0)
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
