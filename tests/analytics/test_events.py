"""Events that the portal reports itself: clones, downloads, and uploads that no page reports."""

import re

import pytest

from portal.http.client import pseudonym
from tests.support.running import git
from tests.support.saves import mounts_json
from tests.support.tools import get, opened, tell, upload
from tests.support.umami.standin import FIREFOX, Umami, amounts, event, eventually, post

KEY = "a-key"
PAGE = {"User_Agent": FIREFOX}


@pytest.fixture(scope="module")
def umami(tmp_path_factory):
    with Umami(tmp_path_factory.mktemp("umami")) as running:
        yield running


@pytest.fixture(scope="module")
def portal(umami, start_portal):
    with start_portal(umami=umami.settings, environ={"IP_HASH_KEY": KEY}) as running:
        yield running


@pytest.fixture
def told(portal, umami, clients):
    """A client, and how to wait for its events by name, url and data: `told(count)`."""
    client = clients.new()

    def events(count):
        address = pseudonym(client, KEY.encode())
        mine = eventually(
            lambda: [e for e in umami.stored() if e["ip"] == address], lambda e: len(e) >= count
        )
        return [(e["name"], e["url"], e["data"]) for e in mine]

    # What is reported after it comes after it; so an event of its own shows that all are there.
    def all_events():
        git("ls-remote", f"{portal.url}/pets.git", client=client)
        eventually(lambda: events(1), lambda e: e[-1][0] == "git_clone")
        return events(1)[:-1]

    events.client, events.all = client, all_events
    return events


def test_a_clone(portal, umami, told, tmp_path):
    """Under a name that Umami stores, and by the pseudonym that a page view of it would have."""
    status, said = git("clone", f"{portal.url}/pets.git", tmp_path / "pets", client=told.client)
    assert status == 0, said
    assert told(1) == [("git_clone", "/pets.git", {"project": "pets"})]
    stored = umami.stored("git_clone")[-1]
    assert re.fullmatch(r"Mozilla/5\.0 \(X11; Linux x86_64\) git/\d[\w.]*", stored["userAgent"])
    assert stored["hostname"] == "127.0.0.1"
    assert stored["created_at"] % 1  # to the millisecond


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"Accept": "text/html"}])
def test_an_upload_by_a_plain_form_or_a_program(portal, told, headers):
    upload(portal, "pets", mounts_json({"name": "Clover"}), told.client, **headers, **PAGE)
    assert told(1) == [("save_uploaded", "/pets", {"tool": "pets"})]


@pytest.mark.parametrize("reporting", ["page", "nobody", "another"])
def test_an_upload_that_page_and_portal_report_counts_once(portal, umami, told, reporting):
    """Whether the page's report arrives before, or never, or under another key."""
    key = f"{reporting}-{'k' * 16}"
    if reporting != "nobody":
        data = {"tool": "pets", "report": key}
        post(portal, event("/pets", name="save_uploaded", data=data), told.client)
    headers = {"X_Report_Key": "other-" + key if reporting == "another" else key, **PAGE}
    opened(portal, "pets", mounts_json({"name": "Clover"}), told.client, **headers)
    expected = 2 if reporting == "another" else 1
    assert told.all() == [("save_uploaded", "/pets", {"tool": "pets"})] * expected
    assert key not in str(umami.asked())


def test_a_refused_file_is_no_event(portal, told):
    assert upload(portal, "pets", b"nonsense", told.client, **PAGE)[0] == 422
    assert told.all() == []


def test_a_download_once_and_never_by_its_address(portal, umami, told):
    said = opened(portal, "pets", mounts_json({"name": "Clover"}), told.client, **PAGE)
    edit = [{"edit": "rename", "mount": 1, "name": "Ivy"}]
    tell(portal, said, "edit", told.client, version=0, edits=edit)
    for page in ("", "result"):
        status, _, body = get(portal, said, page, told.client, Accept="text/html", **PAGE)
        assert (status, b"data-website-id" in body, b"/static/umami" in body) == (200, False, False)
    assert get(portal, said, "download", told.client, **PAGE)[0] == 200
    assert get(portal, said, "download", told.client, Range="bytes=5-9", **PAGE)[0] == 206
    assert [event for event in told.all() if event[0] == "save_downloaded"] == [
        ("save_downloaded", "/pets", {"tool": "pets"})
    ]
    assert said["id"] not in str(umami.asked())


@pytest.mark.parametrize("header", ["DNT", "Sec_GPC"])
def test_who_asks_not_to_be_counted(portal, told, header):
    headers = {header: "1", **PAGE}
    said = opened(portal, "pets", mounts_json({"name": "Clover"}), told.client, **headers)
    get(portal, said, "download", told.client, **headers)
    assert told.all() == []


def test_a_program_that_says_what_it_is_is_a_robot_to_umami(portal, umami, told):
    """That is Umami's to decide, and is counted as ignored."""
    before = amounts(portal).get("ignored", 0)
    opened(portal, "pets", mounts_json({"name": "Clover"}), told.client, User_Agent="curl/8.0")
    eventually(lambda: amounts(portal).get("ignored", 0), lambda ignored: ignored > before)
    assert told.all() == []
