"""What of a posted event goes to Umami: fields, lengths, addresses, who it was."""

import ipaddress
import json

import pytest

from portal.analytics.addresses import public_address
from portal.analytics.events import Visitor, client_of, cut
from portal.analytics.payload import VITALS, clean
from portal.errors import Malformed
from portal.http.client import keep_key, pseudonym
from tests.support.umami.rules import WEBSITE
from tests.support.umami.standin import FIREFOX, event

NUMBER = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("/downloads", "/downloads"),
        ("https://x.example/a?b=1&c=2", "https://x.example/a?b=1&c=2"),
        ("/catalog?q=wolf&page=2", "/catalog?q=wolf&page=2"),
        # Secrets of a query, however they are written.
        ("/metrics?token=abc", "/metrics"),
        ("/metrics?a=1&token=abc&b=2", "/metrics?a=1&b=2"),
        ("/metrics?TOKEN=abc", "/metrics"),
        ("/metrics?to%6ben=abc", "/metrics"),
        ("/metrics?to%256ben=abc", "/metrics"),
        ("/metrics?;token=abc;b=2", "/metrics?b=2"),
        ("/?private_token=abc", "/"),
        ("/?access-token=abc&x=1", "/?x=1"),
        ("/?X-Amz-Signature=abc&X-Amz-Credential=d&Expires=9", "/"),
        ("/?key=a&api_key=b&apikey=c&sig=d&code=e&sid=f&password=g&auth=h&jwt=i", "/"),
        ("/?token", "/"),
        ("/?monkey=1&keyboard=2", "/?monkey=1&keyboard=2"),
        # An address within an address.
        ("/login?next=%2Fmetrics%3Ftoken%3Dabc", "/login"),
        ("/login?next=/metrics%3Ftoken=abc", "/login"),
        (f"/login?next=/pets/{NUMBER}", "/login"),
        (f"/login?next=https%3A%2F%2Fx.example%2Fprospects%2F{NUMBER}", "/login"),
        # Fragments and credentials.
        ("/downloads#token=abc", "/downloads"),
        ("https://user:pass@x.example/a", "https://x.example/a"),
        # Who knows the rest has the file.
        (f"/pets/{NUMBER}", "/pets"),
        (f"/pets/{NUMBER}/download?x=1", "/pets?x=1"),
        (f"https://x.example/prospects/{NUMBER}", "https://x.example/prospects"),
        (f"//x.example/pets/{NUMBER}", "//x.example/pets"),
        (f"/PETS/{NUMBER}", "/pets"),
        (f"/%70ets/{NUMBER}", "/pets"),
        (f"/a/../pets/{NUMBER}", "/pets"),
        (f"\\pets\\{NUMBER}", "/pets"),
        ("/pets", "/pets"),
        ("/pets/", "/pets/"),
        ("/downloads/pets/v1/x.zip", "/downloads/pets/v1/x.zip"),
        # None at all.
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("http://[::1", ""),
        ("https://x.example:0/", ""),
        ("https://a b/", ""),
        ("", ""),
        ("android-app://com.example/", "android-app://com.example/"),
    ],
)
def test_addresses_tell_no_secret(given, told):
    assert public_address(given) == told


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 5, "abc"),
        ("abcdef", 5, "abcde"),
        ("a\0b", 5, "ab"),
        ("äöüßé", 3, "äöü"),
        ("🐎🐎🐎", 4, "🐎🐎"),  # two units each
        ("🐎🐎🐎", 3, "🐎"),  # never half of one
        ("a\ud800b", 5, "ab"),
        ("", 5, ""),
    ],
)
def test_texts_are_cut_as_javascript_counts(text, limit, kept):
    assert cut(text, limit) == kept


def payload(**fields):
    return clean(event(**fields), WEBSITE).payload


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # With these a page could pretend to be another.
        ({"ip": "8.8.8.8"}, {"ip": None}),
        ({"userAgent": "curl/8"}, {"userAgent": None}),
        ({"timestamp": 1}, {"timestamp": None}),
        ({"extra": "x"}, {"extra": None}),
        ({"name": "n" * 60}, {"name": "n" * 50}),
        ({"tag": "t" * 60}, {"tag": "t" * 50}),
        ({"id": "i" * 60}, {"id": "i" * 50}),
        ({"hostname": "h" * 120}, {"hostname": "h" * 100}),
        ({"title": "t\0" * 600}, {"title": "t" * 500}),
        ({"url": "/" + "u" * 600}, {"url": "/" + "u" * 499}),
        ({"url": ""}, {"url": "/"}),
        ({"url": "javascript:x"}, {"url": "/"}),
        ({"referrer": "https://x.example/?token=a"}, {"referrer": "https://x.example/"}),
        ({"name": None}, {"name": None}),
        ({"data": {"query": "w" * 600}}, {"data": {"query": "w" * 500}}),
        ({"data": {"a\0": "b\0"}}, {"data": {"a": "b"}}),
        ({"data": {"k" * 100: 1}}, {"data": {"k" * 90: 1}}),
        ({"data": {"n": 12, "f": 0.5, "b": True}}, {"data": {"n": 12, "f": 0.5, "b": True}}),
        ({"data": {"n": 10**15}}, {"data": {"n": "1" + "0" * 15}}),
        ({"data": {"l": [1, "x"]}}, {"data": {"l": [1, "x"]}}),
        ({"data": {"l": ["x" * 400, "y" * 400]}}, {"data": {"l": f'["{"x" * 400}","{"y" * 95}'}}),
    ],
)
def test_fields_are_made_to_fit(fields, expected):
    made = payload(**fields)
    assert {name: made.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "type"),
        ({"type": "nonsense", "payload": {}}, "type"),
        ({"type": ["event"], "payload": {}}, "type"),
        ({"type": "event"}, "payload"),
        ({"type": "event", "payload": []}, "payload"),
        ({"type": "event", "payload": {}}, "website"),
        (event(website="0" * 8), "website"),
        (event(title=5), "title"),
        (event(url=["x"]), "url"),
        (event(data="x"), "data"),
        (event(data={"n": float("nan")}), "number"),
        (event(data={"a": {"b": {"c": {"d": {"e": {}}}}}}), "deep"),
    ],
)
def test_what_is_no_event(document, sentence):
    with pytest.raises(Malformed, match=sentence):
        clean(document, WEBSITE)


def test_an_event_with_its_visitor():
    visitor = Visitor("198.51.100.7", FIREFOX)
    made = clean(event(name="x"), WEBSITE.upper().lower()).by(visitor, b"key").json()
    payload = json.loads(made)["payload"]
    assert "timestamp" not in payload
    assert payload["userAgent"] == FIREFOX
    assert "198.51" not in made


def performance(**vitals):
    return {**event(**vitals), "type": "performance"}


@pytest.mark.parametrize(
    ("vitals", "told"),
    [
        ({"lcp": 812.5, "inp": 40, "cls": 0.02, "fcp": 300, "ttfb": 12.25}, None),
        ({"lcp": 0}, None),
        ({"lcp": 1e9, "cls": -1}, {"lcp": 60_000, "cls": 0}),
        ({"lcp": 5, "duration": 9000, "data": {"a": 1}, "path": "x"}, {"lcp": 5}),
    ],
)
def test_web_vitals(vitals, told):
    cleaned = clean(performance(**vitals), WEBSITE)
    kept = {name: value for name, value in cleaned.payload.items() if name in VITALS}
    assert (cleaned.kind, kept) == ("performance", told or vitals)
    assert "data" not in cleaned.payload


@pytest.mark.parametrize("vitals", [{}, {"lcp": "5"}, {"cls": True}, {"fcp": float("nan")}])
def test_what_is_no_web_vital(vitals):
    with pytest.raises(Malformed):
        clean(performance(**vitals), WEBSITE)


@pytest.mark.parametrize(
    ("report", "key"),
    [("a1-B2_" * 4, "a1-B2_" * 4), ("short", ""), ("x" * 65, ""), (5, ""), ("with space " * 2, "")],
)
def test_a_report_key_is_taken_out_of_the_data(report, key):
    made = clean(event(name="save_uploaded", data={"tool": "pets", "report": report}), WEBSITE)
    assert (made.report, made.payload["data"]) == (key, {"tool": "pets"})


def test_the_client_of_an_event_is_its_network():
    def client(address):
        return client_of(Visitor(address, FIREFOX), b"key")

    assert client("2001:db8:1:2::1") == client("2001:db8:1:2:ffff::2") != client("2001:db8:1:3::1")
    assert client("198.51.100.1") != client("198.51.100.2")
    assert "198.51" not in client("198.51.100.1")


def test_pseudonyms():
    """Private addresses, the same for the same visitor, and of nobody's making but the key's."""
    addresses = ["198.51.100.1", "198.51.100.2", "2001:db8::1", "127.0.0.1"]
    made = [pseudonym(address, b"key") for address in addresses]
    assert len({*made, *(pseudonym(address, b"other") for address in addresses)}) == 8
    assert made == [pseudonym(address, b"key") for address in addresses]
    for address in map(ipaddress.ip_address, made):
        assert address in ipaddress.ip_network("fd00::/8")
        assert address.is_private


def test_the_key_of_pseudonyms_is_kept(tmp_path):
    kept = tmp_path / "umami" / "key"
    key = keep_key(kept)
    assert len(key) == 32
    assert keep_key(kept) == key
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["key"]
    kept.write_bytes(b"short")
    with pytest.raises(ValueError, match="no key"):
        keep_key(kept)
