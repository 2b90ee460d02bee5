"""The public pages and what every answer carries."""

import pytest

from tests.support.running import ask, curl


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["Pets", "Prospects", "git clone http", "v2.1.0"]),
        ("/downloads", ["Pets", "Prospects", "v2.1.0"]),
        ("/downloads/pets", ["v2.1.0", "100%25-tame.zip", "release%2F2.1", "pets-v2.1.0.tar.gz"]),
        ("/downloads/prospects", ["v1.3.0"]),
    ],
)
def test_pages(portal, path, words):
    status, headers, body = ask(portal.url + path, Accept="text/html")
    assert status == 200
    assert headers["content-type"] == "text/html; charset=UTF-8"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["server"] == "portal"
    page = body.decode()
    assert all(word in page for word in words)
    assert "<script>" not in page
    assert "style=" not in page
    assert page.count("<h1") == 1


def test_notes_hold_no_markup_of_their_own_and_no_remote_image(portal):
    page = ask(f"{portal.url}/downloads/pets", Accept="text/html")[2].decode()
    assert "<img" not in page
    assert "<marquee" not in page
    assert "<iframe" not in page


def test_a_files_checksum_and_size_stand_on_its_page(portal):
    name = "pets-2.1.0-soak.bin"
    sums = ask(f"{portal.url}/downloads/pets/v2.1.0/SHA256SUMS")[2].decode()
    digest = next(line.split()[0] for line in sums.splitlines() if line.endswith(name))
    page = ask(f"{portal.url}/downloads/pets", Accept="text/html")[2].decode()
    assert digest in page
    assert "8.0 MiB" in page


def test_static_files_are_versioned_and_keep(portal):
    page = ask(portal.url, Accept="text/html")[2].decode()
    path = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    status, headers, _ = ask(portal.url + path)
    assert (status, headers["content-type"]) == (200, "text/css; charset=UTF-8")
    assert "max-age" in headers["cache-control"]
    assert ask(portal.url + path, If_None_Match=headers["etag"])[0] == 304
    assert ask(f"{portal.url}/static/../server.py", Accept="text/html")[0] in (403, 404)
    assert ask(f"{portal.url}/static/..%2fserver.py")[0] in (403, 404)


@pytest.mark.parametrize("path", ["/", "/downloads/pets", "/healthz", "/static/portal.css"])
def test_head_is_the_get_without_its_body(portal, path):
    status, headers, body = ask(portal.url + path, method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == ask(portal.url + path)[1]["content-length"]


def test_no_terminal_obeys_what_a_link_holds(portal):
    body = ask(f"{portal.url}/downloads/%1b%5b2J%0a%c2%9b")[2]
    assert b"\x1b" not in body
    assert b"\xc2\x9b" not in body
    assert len(body.splitlines()) == 2


def test_pages_answer_conditional_requests(portal):
    headers = ask(portal.url + "/")[1]
    assert ask(portal.url + "/", If_None_Match=headers["etag"])[0] == 304


@pytest.mark.parametrize(("path", "body"), [("/healthz", b"ok\n"), ("/robots.txt", b"User-agent")])
def test_for_machines(portal, path, body):
    status, _, answer = ask(portal.url + path)
    assert status == 200
    assert answer.startswith(body)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods(portal, method):
    status, headers, _ = ask(portal.url + "/downloads", method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_a_large_body_is_refused(portal, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(bytes(1 << 20))
    done = curl("-o", "/dev/null", "-w", "%{http_code}", "--data-binary", f"@{body}", portal.url,
                check=False)  # fmt: skip
    assert done.stdout in (b"400", b"405", b"413") or done.returncode != 0
    assert ask(portal.url + "/healthz")[0] == 200
