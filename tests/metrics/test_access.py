"""Who gets in at /metrics, and what it gives away."""

import ast
import inspect
import re
import statistics
import time
from contextlib import closing
from html import unescape
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from portal.metrics.access import Authenticator, Credentials, Guesses
from tests.support.running import TOKEN, ask


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        (f"?token={TOKEN}", {}, 200),
        ("", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("", {"Authorization": f"bearer {TOKEN}"}, 200),
        ("", {"X_Metrics_Token": TOKEN}, 200),
        ("?token=wrong", {"X_Metrics_Token": TOKEN}, 200),
        (f"?token={TOKEN}&expires=never", {}, 200),
        (f"?token={TOKEN}&expires=&signature=%00", {}, 200),
        ("", {}, 401),
        ("?token=", {}, 401),
        ("?token=wrong", {}, 401),
        (f"?token={TOKEN}x", {}, 401),
        ("?token=%ff", {}, 400),
        ("?token=%C3%BC", {}, 401),
        ("?expires=99999999999&signature=00", {}, 401),
        ("?expires=&signature=", {}, 401),
        ("", {"Authorization": f"Basic {TOKEN}"}, 401),
        ("", {"Authorization": "Bearer"}, 401),
        ("", {"X_Metrics_Token": TOKEN[:-1]}, 401),
    ],
)
def test_the_door(portal, clients, query, headers, status):
    answer = ask(f"{portal.url}/metrics{query}", clients.new(), **headers)
    assert answer[0] == status
    assert ("www-authenticate" in answer[1]) is (status == 401)
    assert answer[1]["referrer-policy"] == "no-referrer"
    assert answer[1]["cache-control"] == "no-store"
    assert "noindex" in answer[1]["x-robots-tag"]
    assert TOKEN.encode() not in answer[2]


def test_without_a_token_there_is_no_such_page(start_portal):
    with start_portal(environ={"METRICS_TOKEN": ""}) as portal:
        for query in ("", "?token=", "?token=x", "?expires=9&signature=x"):
            status, headers, body = ask(f"{portal.url}/metrics{query}", Authorization="Bearer ")
            other = ask(f"{portal.url}/nothing")
            assert (status, body.replace(b"metrics", b"nothing")) == (404, other[2])
            assert headers.keys() == other[1].keys()


def test_who_goes_on_guessing_is_slowed_and_the_right_token_never(start_portal, clients):
    guesser, other = clients.new(), clients.new()
    with start_portal(processes=3) as portal:
        answers = [ask(f"{portal.url}/metrics?token=x{n}", guesser) for n in range(14)]
        assert [status for status, _, _ in answers] == 10 * [401] + 4 * [429]
        assert 1 <= int(answers[-1][1]["retry-after"]) <= 12
        assert ask(f"{portal.url}/metrics?token={TOKEN}", guesser)[0] == 200
        assert ask(f"{portal.url}/metrics?token=x", other)[0] == 401
        assert ask(f"{portal.url}/metrics", guesser)[0] == 401
        assert guesser not in portal.log()


def links(portal, path):
    """The page's own addresses, by what they are of."""
    status, _, body = ask(portal.url + path, Accept="text/html")
    assert status == 200
    found = re.findall(r'href="(/metrics[^"]+)"', body.decode())
    return [unescape(link) for link in found], body.decode()


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {TOKEN}"}])
def test_the_pages_links_work_without_the_token(start_portal, headers):
    query = "" if headers else f"?token={TOKEN}"
    with start_portal(processes=2) as portal:
        body = ask(f"{portal.url}/metrics{query}", Accept="text/html", **headers)[2].decode()
        found = [unescape(link) for link in re.findall(r'href="(/metrics\?[^"]+)"', body)]
        assert {parse_qs(urlsplit(link).query).get("format", ["html"])[0] for link in found} == {
            *("html", "json", "csv")
        }
        for link in found:
            assert TOKEN not in link
            assert ask(portal.url + link)[0] == 200


def test_a_signed_link_opens_that_one_thing_and_lasts_no_longer(portal):
    found, _ = links(portal, f"/metrics?token={TOKEN}")
    link = next(link for link in found if "window=90" in link)
    again, body = links(portal, link)
    first, second = (parse_qs(urlsplit(each).query) for each in (link, again[0]))
    assert first["expires"] == second["expires"]
    assert TOKEN not in body
    for name in ("window", "expires"):
        changed = {key: value[0] for key, value in first.items()}
        changed[name] = {"window": "all", "expires": str(int(changed["expires"]) + 1)}[name]
        assert ask(f"{portal.url}/metrics?{urlencode(changed)}", "203.0.113.77")[0] == 401
    assert ask(f"{portal.url}{link}&format=json", "203.0.113.77")[0] == 401


def test_what_a_door_takes():
    authenticator = Authenticator("secret")
    query = {
        name: values[0] for name, values in parse_qs(authenticator.sign({"a": "ü"}, 100)).items()
    }
    assert authenticator.check([], query, 99) is Credentials.RIGHT
    assert authenticator.check([], query, 100) is Credentials.EXPIRED
    assert authenticator.check([], {**query, "a": "u"}, 99) is Credentials.WRONG
    assert Authenticator("other").check([], query, 99) is Credentials.WRONG
    assert authenticator.check(["", "secret"], {}, 0) is Credentials.RIGHT
    assert authenticator.check(["", "secre"], {}, 0) is Credentials.WRONG
    assert authenticator.check(["", ""], {}, 0) is Credentials.MISSING


# Guesses that share nothing with the token, most of it, or its length alone.
OFFERS = (
    "x",
    "secre",
    "secret-token-of-some-lengtx",
    "y" * 27,
    "secret-token-of-some-length-and-more",
)


def test_a_guess_takes_as_long_however_near_it_is():
    """A ratio of medians over many turns in one run, interleaved, so that noise meets all alike."""
    authenticator = Authenticator("secret-token-of-some-length")
    turns = {offer: [] for offer in OFFERS}
    for _ in range(4000):
        for offer, spent in turns.items():
            begun = time.perf_counter_ns()
            authenticator.is_token(offer)
            spent.append(time.perf_counter_ns() - begun)
    medians = [statistics.median(spent) for spent in turns.values()]
    assert max(medians) / min(medians) < 1.5, dict(zip(turns, medians, strict=True))


def test_the_same_over_the_wire(portal, clients):
    offers = ("x", TOKEN[:-1], TOKEN[:-1] + "x", "y" * len(TOKEN), TOKEN + "x")
    turns = {offer: [] for offer in offers}
    with closing(HTTPConnection("127.0.0.1", portal.port, timeout=20)) as connection:
        for _ in range(150):
            for offer, spent in turns.items():
                headers = {"X-Metrics-Token": offer, "X-Forwarded-For": clients.new()}
                begun = time.perf_counter_ns()
                connection.request("GET", "/metrics", headers=headers)
                answer = connection.getresponse()
                answer.read()
                spent.append(time.perf_counter_ns() - begun)
                assert answer.status == 401
    medians = [statistics.median(spent) for spent in turns.values()]
    assert max(medians) / min(medians) < 2, dict(zip(turns, medians, strict=True))


def test_tokens_and_signatures_meet_in_constant_time_only():
    """No comparison in the code but the library's own, which looks at every byte."""
    source = inspect.getsource(Authenticator)
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    assert "compare_digest" in names
    compared = [
        ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Compare)
    ]
    secret = [text for text in compared if re.search(r"_token|right|signature'\]|offer\b", text)]
    assert secret == []


def test_guesses_drain():
    guesses = Guesses(entries=64)
    assert [guesses.wrong("192.0.2.1", now=0.0) for _ in range(12)] == [0] * 10 + [6, 6]
    assert guesses.wrong("192.0.2.1", now=5.9) == 1
    assert guesses.wrong("192.0.2.1", now=6.1) == 0
    assert guesses.wrong("192.0.2.2", now=6.1) == 0
    assert [guesses.wrong("192.0.2.1", now=1000.0) for _ in range(11)] == [0] * 10 + [6]


def test_a_whole_network_of_version_6_is_one_guesser():
    guesses = Guesses()
    answers = [guesses.wrong(f"2001:db8::{n:x}", now=0.0) for n in range(11)]
    assert answers == [0] * 10 + [6]
    assert guesses.wrong("2001:db8:0:1::1", now=0.0) == 0


def test_many_guessers_push_out_those_who_guessed_least():
    guesses = Guesses(entries=8)
    for _ in range(10):
        guesses.wrong("192.0.2.1", now=0.0)
    for number in range(100):
        guesses.wrong(f"198.51.100.{number}", now=0.0)
    assert guesses.wrong("192.0.2.1", now=0.0) == 6


def test_the_token_is_in_no_log(portal):
    ask(f"{portal.url}/metrics?token={TOKEN}")
    ask(f"{portal.url}/metrics?token=wrong")
    ask(f"{portal.url}/metrics?token={TOKEN}%ff")
    links(portal, f"/metrics?token={TOKEN}")
    assert TOKEN not in portal.log()
    assert "token=" not in portal.log()
    assert "signature" not in portal.log()
