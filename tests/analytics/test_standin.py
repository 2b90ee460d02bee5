"""The stand-in Umami itself: what the facts about a real one say it refuses, drops and stores."""

import json

import pytest

from tests.support.running import ask, curl
from tests.support.umami.server import SLUG, TOKEN
from tests.support.umami.standin import FIREFOX, Umami, event

PRIVATE = "fd00::1"


@pytest.fixture(scope="module")
def umami(tmp_path_factory):
    with Umami(tmp_path_factory.mktemp("umami")) as running:
        yield running


def tell(umami, path, body, *headers, agent=FIREFOX):
    """Post it directly; the status and the answer."""
    flags = [f"-H{header}" for header in ("Content-Type: application/json", *headers)]
    command = ("-A", agent, *flags, "-d", json.dumps(body), "-w", "\n%{http_code}")
    answer, _, status = curl(*command, umami.url + path).decode().rpartition("\n")
    return int(status), json.loads(answer)


def sent(umami, *headers, agent=FIREFOX, **fields):
    return tell(umami, "/api/send", event(**{"ip": PRIVATE, **fields}), *headers, agent=agent)


@pytest.mark.parametrize(
    "fields",
    [
        {"website": "0" * 36},
        {"name": "n" * 51},
        {"tag": "t" * 51},
        {"hostname": "h" * 101},
        {"data": [1]},
        {"data": "x"},
        {"timestamp": 1.5},
        {"website": "site"},
    ],
)
def test_what_it_refuses(umami, fields):
    before = len(umami.stored())
    assert sent(umami, **fields)[0] == 400
    assert len(umami.stored()) == before


def test_what_is_no_event(umami):
    for body in ([], {}, {"type": "x", "payload": {}}, {"type": "event"}):
        assert tell(umami, "/api/send", body)[0] == 400


@pytest.mark.parametrize(
    "agent",
    [
        *("git/2.39.5", "JGit/6.0", "Tornado/6", "curl/8", "python-requests/2", "Mozilla/5.0"),
        "Mozilla/5.0 (X11) HeadlessChrome/130",
    ],
)
def test_what_it_takes_for_a_robot(umami, agent):
    before = len(umami.stored())
    assert sent(umami, agent=agent) == (200, {"beep": "boop"})
    assert sent(umami, agent=FIREFOX, userAgent=agent) == (200, {"beep": "boop"})
    assert len(umami.stored()) == before
    assert (
        sent(umami, agent=agent, userAgent="Mozilla/5.0 (X11; Linux x86_64) git/2.39.5")[0] == 200
    )
    assert len(umami.stored()) == before + 1


def test_whose_address_it_believes(umami):
    """The payload's, then any of these headers', then the peer's; a public one is not stored."""
    before = len(umami.stored())
    for name in ("True-Client-IP", "CF-Connecting-IP", "X-Real-IP"):
        assert sent(umami, f"{name}: 8.8.8.8", ip="")[0] == 500
    assert sent(umami, ip="")[0] == 500  # the tests' curl says X-Forwarded-For
    assert sent(umami, ip="8.8.8.8")[0] == 500
    assert len(umami.stored()) == before
    assert sent(umami, "X-Real-IP: 8.8.8.8", ip=PRIVATE)[0] == 200
    assert umami.stored()[-1]["ip"] == PRIVATE


def test_what_it_makes_of_long_texts(umami):
    sent(umami, url="/" + "u" * 600, title="t" * 600)
    stored = umami.stored()[-1]
    assert (len(stored["url"]), len(stored["title"])) == (500, 500)
    # As on PostgreSQL: an error, and the event is there all the same.
    for value in ("x" * 501, "nul\0"):
        before = len(umami.stored())
        assert sent(umami, data={"a": {"b": value}})[0] == 500
        assert len(umami.stored()) == before + 1


def test_a_batch(umami):
    before = len(umami.stored())
    fine, wrong = event(ip=PRIVATE, timestamp=1_700_000_000), event(ip=PRIVATE, name="n" * 51)
    robot = event(ip=PRIVATE, userAgent="curl/8")
    status, told = tell(umami, "/api/batch", [fine, wrong, robot])
    assert (status, told["size"], told["processed"], told["errors"]) == (200, 3, 2, 1)
    assert [stored["created_at"] for stored in umami.stored()[before:]] == [1_700_000_000]
    assert tell(umami, "/api/batch", {})[0] == 400


def test_figures_are_for_whoever_has_the_share_page(umami):
    def figures(*headers):
        path = f"{umami.url}/api/websites/{event()['payload']['website']}/stats?startAt=0&endAt=1"
        flags = [f"-H{header}" for header in headers]
        return curl("-o", "/dev/null", "-w", "%{http_code}", *flags, path)

    told = json.loads(ask(f"{umami.url}/api/share/{SLUG}")[2])
    right = (f"x-umami-share-token: {told['token']}", "x-umami-share-context: 1")
    assert told["token"] == TOKEN
    assert figures(*right) == b"200"
    assert figures(right[0]) == figures(right[1]) == figures("x-umami-share-token: x", right[1])
    assert figures() == b"401"
