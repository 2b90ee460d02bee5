"""What is one player's own stays so: headers, logs, other sites, other tabs."""

import json
import os
import re

import pytest

from tests.support.running import ask
from tests.support.saves import mounts_json, prospect_json
from tests.support.tools import events, get, opened, post, tell, upload

MOUNTS = mounts_json({"name": "Unmistakable"})
PRIVATE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
}
BROWSER = {"Accept": "text/html,*/*"}


def is_private(headers):
    return headers.items() >= PRIVATE.items() and "set-cookie" not in headers


def test_all_under_an_upload_is_private(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    rename = [{"edit": "rename", "mount": 1, "name": "Other"}]
    path = f"/pets/{said['id']}"
    assert is_private(upload(portal, "pets", MOUNTS, client)[1])
    again = upload(portal, "pets", b"", client, **BROWSER)[1]
    assert again["referrer-policy"] == "same-origin"  # so that the next try names its origin
    assert is_private(again | {"referrer-policy": "no-referrer"})
    for _ in range(2):
        for what in ("", "result", "download", "nothing", "edit"):
            for headers in ({}, BROWSER):
                _, answered, body = get(portal, said, what, client, **headers)
                assert is_private(answered)
                assert b"<script>" not in body
                assert not re.search(rb"<script src=\"/static/(?!copy|search)", body)
        body = json.dumps({"edits": rename})
        for what in ("preview", "edit", "nothing"):
            answer = post(portal, f"{path}/{what}", "-d", body, client=client,
                          Content_Type="application/json")  # fmt: skip
            assert is_private(answer[1])
    assert is_private(ask(f"{portal.url}/pets/{'0' * 32}")[1])


def test_no_log_has_a_number_or_what_is_in_a_file(start_portal, clients):
    client = clients.new()
    with start_portal() as portal:
        said = opened(portal, "pets", MOUNTS, client, name="Unmistakable.json")
        for what in ("", "result", "download", "download/more", "preview", "%2e"):
            get(portal, said, what, client)
        ask(f"{portal.url}/pets/{said['id']}?x={said['id']}")
        tell(portal, said, "edit", client, edits=[{"edit": "rename", "mount": 1, "name": "Bonny"}])
        tell(portal, said, "edit", client, edits=[{"edit": "Bonny"}])
        upload(portal, "prospects", MOUNTS, client)
        upload(portal, "pets", MOUNTS[:-40], client)
        portal.stop()
        log = portal.log()
        assert "GET /pets/-/download 200" in log
        assert "POST /pets/-/edit 400" in log
        assert "GET /pets/- 200" in log
        for secret in (said["id"], "Unmistakable", "Bonny", "Clover", client):
            assert secret not in log


CROSS_SITE = [
    ({}, True, True),
    ({"Sec_Fetch_Site": "same-origin"}, True, True),
    ({"Sec_Fetch_Site": "none"}, True, True),
    ({"Sec_Fetch_Site": "cross-site"}, False, False),
    ({"Sec_Fetch_Site": "same-site"}, False, False),
    ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, True, True),
    ({"Sec_Fetch_Site": "cross-site", "Origin": "null"}, False, False),
    ({"Origin": "https://evil.example"}, False, False),
    ({"Origin": "{url}"}, True, True),
    ({"Origin": "{url}.evil.example"}, False, False),
    # What a browser calls a page without a referrer: on the page itself it is no other site.
    ({"Origin": "null"}, False, True),
]


@pytest.mark.parametrize(("headers", "taken", "edited"), CROSS_SITE)
def test_another_sites_posts_are_refused(portal, clients, headers, taken, edited):
    client = clients.new()
    headers = {name: value.format(url=portal.url) for name, value in headers.items()}
    status, _, body = upload(portal, "pets", MOUNTS, client, Accept="application/json", **headers)
    assert status == (201 if taken else 403)
    assert taken or "another site" in json.loads(body)["error"]
    assert events(portal, client) == (["upload"] if taken else [])
    said = opened(portal, "pets", MOUNTS, client)
    for what in ("preview", "edit"):
        path = f"/pets/{said['id']}/{what}"
        answer = post(portal, path, "-d", "version=0&m1-name=Other", client=client, **headers)
        assert answer[0] == (403 if not edited else 200 if what == "preview" else 303)


def test_two_tabs_do_not_overwrite_each_other(portal, clients):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    edits = [{"edit": "rename", "mount": 1, "name": "First"}]
    assert tell(portal, said, "edit", client, version=0, edits=edits)[0] == 200
    first = get(portal, said, "download", client)[2]
    for what in ("preview", "edit"):
        status, answer = tell(portal, said, what, client, version=0, edits=edits)
        assert status == 409
        assert "another tab" in answer["error"]
        assert answer["link"] == f"{portal.url}/pets/{said['id']}"
        form = post(portal, f"/pets/{said['id']}/{what}", "-d", "version=0&m1-name=Second",
                    client=client, **BROWSER)  # fmt: skip
        assert form[0] == 409
        assert f'href="/pets/{said["id"]}"' in form[2].decode()
    assert get(portal, said, "download", client)[2] == first


def test_a_file_that_is_not_there(portal, clients):
    client = clients.new()
    said = opened(portal, "prospects", prospect_json(), client)
    for tool, number in (("pets", said["id"]), ("prospects", "f" * 32), ("pets", "x")):
        for what in ("", "/result", "/download"):
            status, _, body = ask(f"{portal.url}/{tool}/{number}{what}", Accept="text/html")
            assert status == 404
            assert f'href="/{tool}"' in body.decode()
        post_status = post(portal, f"/{tool}/{number}/edit", "-d", "version=0", client=client)[0]
        assert post_status == 404


def test_an_expired_file_says_so(start_portal, clients):
    client = clients.new()
    with start_portal() as portal:
        said = opened(portal, "pets", MOUNTS, client)
        (file,) = (portal.data_dir / "uploads").glob(f"{said['id']}*")
        os.utime(file, (0, file.stat().st_mtime - 3700))
        for what in ("", "download"):
            status, _, body = get(portal, said, what, client, Accept="application/json")
            assert status in (404, 410)
            assert "hour" in json.loads(body)["error"]
            assert json.loads(body)["link"] == f"{portal.url}/pets"
