"""The operator's page: who gets in, and what it shows."""

import pytest

from tests.running import TOKEN, ask, git


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        (f"?token={TOKEN}", {}, 200),
        ("", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("", {"Authorization": f"bearer {TOKEN}"}, 200),
        ("", {"X_Metrics_Token": TOKEN}, 200),
        ("?token=wrong", {"X_Metrics_Token": TOKEN}, 200),
        ("", {}, 401),
        ("?token=", {}, 401),
        ("?token=wrong", {}, 401),
        (f"?token={TOKEN}x", {}, 401),
        ("?token=%ff", {}, 400),
        ("?token=%C3%BC", {}, 401),
        ("", {"Authorization": f"Basic {TOKEN}"}, 401),
        ("", {"Authorization": "Bearer"}, 401),
        ("", {"X_Metrics_Token": TOKEN[:-1]}, 401),
    ],
)
def test_the_door(portal, query, headers, status):
    answer = ask(f"{portal.url}/metrics{query}", **headers)
    assert answer[0] == status
    assert ("www-authenticate" in answer[1]) is (status == 401)
    assert answer[1]["referrer-policy"] == "no-referrer"
    assert answer[1]["cache-control"] == "no-store"
    assert "noindex" in answer[1]["x-robots-tag"]
    assert TOKEN.encode() not in answer[2]


def test_without_a_token_there_is_no_such_page(start_portal):
    with start_portal(environ={"METRICS_TOKEN": ""}) as portal:
        for query in ("", "?token=", "?token=x"):
            status, headers, body = ask(f"{portal.url}/metrics{query}", Authorization="Bearer ")
            other = ask(f"{portal.url}/nothing")
            assert (status, body.replace(b"metrics", b"nothing")) == (404, other[2])
            assert headers.keys() == other[1].keys()


def test_what_was_done_is_shown(start_portal, clients):
    with start_portal() as portal:
        for _ in range(3):
            ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS", clients.new())
        git("ls-remote", f"{portal.url}/prospects.git", client=clients.new())
        page = ask(f"{portal.url}/metrics?token={TOKEN}")[2].decode()
        cells = " ".join(page.replace("<", " <").split())
        three = '<td class="number">3 </td>'
        one = '<td class="number">1 </td>'
        assert f'<th scope="row">pets </th> <th scope="row">v2.1.0 </th> {three} {three}' in cells
        assert f'<th scope="row">pets </th> {three}' in cells
        assert f'<th scope="row">prospects </th> {one} {one} {one}' in cells
        assert f'<th scope="row">counted </th> {three}' in cells
        assert "/metrics" not in page


def test_no_page_leads_there(portal):
    for path in ("/", "/downloads", "/downloads/pets", "/robots.txt"):
        assert b"metrics" not in ask(portal.url + path, Accept="text/html")[2]


def test_the_token_is_in_no_log(portal):
    ask(f"{portal.url}/metrics?token={TOKEN}")
    ask(f"{portal.url}/metrics?token=wrong")
    ask(f"{portal.url}/metrics?token={TOKEN}%ff")
    assert TOKEN not in portal.log()
    assert "token=" not in portal.log()
