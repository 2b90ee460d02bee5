"""The collector before a stand-in Umami that is up: what Umami is told, what the page gets."""

import ipaddress
import json
import re
import time

import pytest

from portal.http.client import pseudonym
from tests.support.running import ask, curl
from tests.support.umami.rules import WEBSITE
from tests.support.umami.standin import (
    FIREFOX,
    PHONE,
    Umami,
    amounts,
    event,
    eventually,
    outbox,
    post,
)

KEY = "a-key"


@pytest.fixture(scope="module")
def umami(tmp_path_factory):
    with Umami(tmp_path_factory.mktemp("umami"), "/umami") as running:
        yield running


@pytest.fixture(scope="module")
def portal(umami, start_portal):
    with start_portal(umami=umami.settings, environ={"IP_HASH_KEY": KEY}) as running:
        yield running


def sent(umami, address, count=1):
    """What Umami was told of that visitor, in order, once these are so many."""
    return eventually(
        lambda: [e for e in umami.stored() if e["ip"] == pseudonym(address, KEY.encode())],
        lambda events: len(events) >= count,
    )


def test_a_page_view_arrives(portal, umami, clients):
    client = clients.new()
    before = time.time()
    status, headers, told = post(portal, event("/downloads?token=x"), client)
    (stored,) = sent(umami, client)
    assert (status, told) == (200, {})
    # By Umami's own clock, which has milliseconds, and at once.
    assert before <= stored["created_at"] < before + 15
    assert stored["created_at"] % 1
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers
    assert stored["url"] == "/downloads"
    assert stored["userAgent"] == FIREFOX
    assert ipaddress.ip_address(stored["ip"]) in ipaddress.ip_network("fd00::/8")
    assert "timestamp" not in stored


def test_a_session_brings_back_its_own_token_and_never_one_that_a_page_names(
    portal, umami, clients
):
    """With it an event after the full hour is of the same visit."""
    one, other = clients.new(), clients.new()
    for client in (one, other, one):
        post(portal, event(), client, x_umami_cache="eyJ.somebody.else.1")
    sent(umami, one, 2)
    sent(umami, other)
    told = [
        {name.lower(): value for name, value in headers.items()}.get("x-umami-cache")
        for _, _, headers, _ in umami.asked("/api/send")[-3:]
    ]
    session = sent(umami, one)[0]["session"]
    assert told[:2] == [None, None]
    assert told[2].split(".")[1] == session


def test_who_the_client_says_it_is_does_not_matter(portal, umami, clients):
    """Neither in the event nor in a header; the visitor's own headers do not get there at all."""
    client = clients.new()
    claims = {"ip": "8.8.8.8", "userAgent": "curl/8", "timestamp": 1}
    names = ("X_Real_IP", "CF_Connecting_IP", "True_Client_IP", "Forwarded", "Cookie")
    assert post(portal, event(**claims), client, **dict.fromkeys(names, "8.8.8.8"))[0] == 200
    (stored,) = sent(umami, client)
    assert stored["created_at"] == pytest.approx(time.time(), abs=60)
    *_, (_, _, headers, body) = umami.asked("/api/send")
    assert "8.8.8.8" not in body + json.dumps(headers)
    assert client not in body + json.dumps(headers)


def test_visitors_are_told_apart_and_known_again(portal, umami, clients):
    one, other = clients.new(), clients.new()
    for client, agent in ((one, FIREFOX), (one, FIREFOX), (one, PHONE), (other, FIREFOX)):
        post(portal, event(), client, agent=agent)
    sessions = [e["session"] for e in sent(umami, one, 3) + sent(umami, other)]
    assert [sessions.index(session) for session in sessions] == [0, 0, 2, 3]


def test_identify_and_events_with_data(portal, umami, clients):
    client = clients.new()
    post(portal, {**event(id="me"), "type": "identify"}, client)
    post(portal, event(name="catalog_search", data={"query": "wolf", "result_count": 3}), client)
    identified, searched = sent(umami, client, 2)
    assert (identified["type"], identified["id"]) == ("identify", "me")
    assert searched["data"] == {"query": "wolf", "result_count": 3}


@pytest.mark.parametrize("header", ["DNT", "Sec_GPC"])
def test_who_asks_not_to_be_counted_is_not(portal, umami, clients, header):
    client = clients.new()
    assert post(portal, event(), client, **{header: "1"})[::2] == (200, {"disabled": True})
    assert post(portal, event("/asked"), client, **{header: "0"})[0] == 200
    assert [stored["url"] for stored in sent(umami, client)] == ["/asked"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("", {}, 400),
        ("{", {}, 400),
        ("[]", {}, 400),
        ('{"type": "event", "type": "event"}', {}, 400),
        (b"\xff".decode("latin1") + "{}", {}, 400),
        ("[" * 5000, {}, 400),
        (event(website="0" * 8), {}, 400),
        (event(data=[1]), {}, 400),
        (event(title="x" * 20_000), {}, 413),
        (event(), {"Sec_Fetch_Site": "cross-site"}, 403),
        (event(), {"Sec_Fetch_Site": "same-site"}, 403),
        (event(), {"Origin": "https://elsewhere.example"}, 403),
        (event(), {"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
def test_what_is_taken_and_what_is_not(portal, umami, clients, body, headers, status):
    before, client = len(umami.stored()), clients.new()
    answered, _, told = post(portal, body, client, **headers)
    assert answered == status
    if status != 200:
        assert told["error"].endswith(".")
        post(portal, event("/next"), client)
    assert len(sent(umami, client)) == 1
    assert len(umami.stored()) == before + 1


def test_a_chunked_body_is_bounded_too(portal, clients):
    large = json.dumps(event(title="x" * 20_000))
    flags = ("-d", large, "-H", "Transfer-Encoding: chunked", "-o", "/dev/null")
    told = curl(*flags, "-w", "%{http_code}", f"{portal.url}/u/api/send", client=clients.new())
    assert told == b"413"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_other_methods(portal, method):
    status, headers, _ = ask(f"{portal.url}/u/api/send", method=method)
    assert (status, headers["allow"]) == (405, "POST")


def test_what_umami_takes_for_a_robot_is_counted_apart(portal, umami, clients):
    before = amounts(portal).get("ignored", 0)
    assert post(portal, event(), clients.new(), agent="curl/8")[::2] == (200, {})
    eventually(lambda: amounts(portal).get("ignored", 0), lambda n: n == before + 1)
    assert outbox(portal)["waiting"] == 0
    assert outbox(portal)["outcomes"]["ignored"]["sample"] == '{"beep": "boop"}'


def test_pages_carry_the_tracker(portal):
    _, _, home = ask(f"{portal.url}/", Accept="text/html")
    (tag,) = re.findall(r"<script [^>]*data-website-id[^>]*>", home.decode())
    assert f'data-website-id="{WEBSITE}"' in tag
    assert 'data-host-url="/u"' in tag
    assert 'src="/static/umami/script.js?v=' in tag


@pytest.mark.parametrize(
    "path", ["/", "/downloads", "/downloads/pets", "/pets", "/prospects", "/?token=x"]
)
def test_every_public_page_does(portal, path):
    assert b"data-website-id" in ask(portal.url + path, Accept="text/html")[2]


@pytest.mark.parametrize(
    "path",
    [
        "/metrics?token=metrics-token",
        "/metrics",
        "/nothing",
        "/downloads/none",
        f"/pets/{'0' * 32}",
    ],
)
def test_private_pages_and_errors_do_not(portal, path):
    _, _, body = ask(portal.url + path, Accept="text/html")
    assert b"<html" in body
    assert b"data-website-id" not in body
    assert b"/static/umami" not in body
    assert b"events.js" not in body


def test_unconfigured_there_is_no_trace_of_it(start_portal, clients):
    with start_portal() as portal:
        for path in ("/", "/downloads", "/pets"):
            _, _, body = ask(portal.url + path, Accept="text/html")
            assert b"umami" not in body.replace(b"window.umami", b"")
        for body in (event(), "nonsense"):
            assert post(portal, body, clients.new())[::2] == (200, {"disabled": True})
        assert not list(portal.data_dir.glob("outbox*"))
        assert not (portal.data_dir / "umami").exists()
        assert outbox(portal) is None


def test_another_path_and_name(umami, start_portal, clients):
    """What blockers match can be named otherwise; under the old path there is nothing then."""
    names = {"collect": "/a/b.c", "script": "site.js"}
    with start_portal(umami={**umami.settings, **names}) as portal:
        _, _, home = ask(f"{portal.url}/", Accept="text/html")
        assert b'data-host-url="/a/b.c"' in home
        (address,) = re.findall(rb'src="(/static/umami/site\.js\?v=\w+)"', home)
        assert ask(portal.url + address.decode())[0] == 200
        assert post(portal, event(), clients.new(), path="/a/b.c/api/send")[0] == 200
        assert ask(f"{portal.url}/u/api/send", method="POST")[0] == 404
        assert ask(f"{portal.url}/a/bxc/api/send", method="POST")[0] == 404
