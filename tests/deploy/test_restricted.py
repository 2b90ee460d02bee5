"""Umami's interface behind Caddy: who may come, what it is told, what its pages may do."""

import asyncio
import contextlib

import pytest

from tests.support.browser.chromium import browsing
from tests.support.deploy.caddy import (
    COOKIE,
    OPERATOR,
    PASSWORD,
    VISITOR,
    RunningCaddy,
    Upstream,
    needs_caddy,
)
from tests.support.programs import needs
from tests.support.running import TOKEN
from tests.support.umami.standin import eventually

pytestmark = [pytest.mark.long, needs_caddy]

WITH_PASSWORD = ("-u", PASSWORD)
WITH_COOKIE = ("-b", f"__Secure-umami={COOKIE}")
BEARER = ("-H", "Authorization: Bearer umami")


@pytest.fixture(scope="module")
def umami():
    """What stands where Umami would."""
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def caddy(umami, portal, tmp_path_factory):
    directory = tmp_path_factory.mktemp("caddy")
    with RunningCaddy(directory, f"127.0.0.1:{portal.port}", umami.address) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "address", "flags", "status"),
    [
        # Nobody else may even try a password.
        ("/umami/dashboard", VISITOR, (), 403),
        ("/umami/dashboard", VISITOR, WITH_PASSWORD, 403),
        ("/umami/dashboard", VISITOR, WITH_COOKIE, 403),
        ("/umami", VISITOR, (), 403),
        ("/UMAMI/dashboard", VISITOR, (), 403),
        ("/%75mami/dashboard", VISITOR, (), 403),
        ("/umami/dashboard", VISITOR, ("-H", f"X-Forwarded-For: {OPERATOR}"), 403),
        ("/umami/api/send", VISITOR, ("-d", "{}"), 403),
        # The operator, asked for the password.
        ("/umami/dashboard", OPERATOR, (), 401),
        ("/umami/dashboard", OPERATOR, ("-u", "operator:wrong"), 401),
        ("/umami/dashboard", OPERATOR, ("-u", "other:geheim"), 401),
        ("/umami/dashboard", OPERATOR, BEARER, 401),
        ("/umami/dashboard", OPERATOR, ("-b", "__Secure-umami="), 401),
        ("/umami/dashboard", OPERATOR, ("-b", f"__Secure-umami={COOKIE[:-1]}"), 401),
        # Nothing is stored from here, whoever asks.
        ("/umami/api/send", OPERATOR, (*WITH_PASSWORD, "-d", "{}"), 404),
        ("/umami/api/batch", OPERATOR, (*WITH_COOKIE, "-d", "[]"), 404),
        # Not under that path: the portal's answer.
        ("/umamis", OPERATOR, WITH_PASSWORD, 404),
        ("/api/websites", OPERATOR, WITH_PASSWORD, 404),
        ("/share/AbC", OPERATOR, WITH_PASSWORD, 404),
    ],
)
def test_who_stays_out(caddy, umami, path, address, flags, status):
    before = len(umami.asked)
    answered, headers, _ = caddy.ask(path, "--path-as-is", *flags, address=address)
    assert answered == status
    assert len(umami.asked) == before
    assert "set-cookie" not in headers
    if status == 401:
        assert headers["www-authenticate"].startswith("Basic ")
    if "umami/" in path.lower():
        assert headers["x-robots-tag"] == "noindex, nofollow"


@pytest.mark.parametrize("flags", [WITH_PASSWORD, WITH_COOKIE, (*WITH_COOKIE, *BEARER)])
def test_who_comes_in(caddy, umami, flags):
    """By password, or by the cookie that it gives; then Umami's own Authorization is passed on."""
    more = ("-b", f"theme=dark; __Secure-umami={COOKIE}; lang=en") if "-b" in flags else ()
    fields = [f"-H{name}: 1.2.3.4" for name in ("X-Real-IP", "CF-Connecting-IP", "Forwarded")]
    status, headers, _ = caddy.ask("/umami/share/AbC", *flags, *more, *fields, address=OPERATOR)
    assert status == 200
    given = f"__Secure-umami={COOKIE}; Path=/umami; Secure; HttpOnly; SameSite=Strict"
    assert headers.get("set-cookie") == (given if flags is WITH_PASSWORD else None)
    sent = umami.headers("Authorization")
    assert sent == (["Bearer umami"] if BEARER[1] in flags else [])
    assert COOKIE not in "".join(umami.headers("Cookie"))
    assert OPERATOR not in str(umami.asked[-1])
    assert "1.2.3.4" not in str(umami.asked[-1])


def test_what_its_pages_may_do(caddy):
    """Only what this origin serves, framed only by it; Umami's own headers say otherwise."""
    _, headers, _ = caddy.ask("/umami/share/AbC", *WITH_PASSWORD, address=OPERATOR)
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in headers["content-security-policy"].split(";")
    )
    assert policy["frame-ancestors"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert "connect-src" not in policy  # as default-src
    assert policy["default-src"] == "'self'"
    assert "http" not in headers["content-security-policy"]
    assert "x-frame-options" not in headers
    assert "access-control-allow-origin" not in headers


@contextlib.asynccontextmanager
async def password_asked(page):
    """Answer each request for a password; a list of them."""
    asked = []
    await page.call("Fetch.enable", handleAuthRequests=True)

    async def answer(name, params):
        number = {"requestId": params["requestId"]}
        if name == "Fetch.requestPaused":
            # One that the browser has given up meanwhile is not there any more.
            with contextlib.suppress(AssertionError):
                await page.call("Fetch.continueRequest", **number)
        elif name == "Fetch.authRequired":
            asked.append(params["request"]["url"])
            user, _, password = PASSWORD.partition(":")
            given = {"response": "ProvideCredentials", "username": user, "password": password}
            await page.call("Fetch.continueWithAuth", **number, authChallengeResponse=given)

    async def answer_all():
        seen = 0
        while True:
            events, seen = page.events[seen:], len(page.events)
            for name, params in events:
                if name.startswith("Fetch."):
                    await answer(name, params)
            await asyncio.sleep(0.01)

    answering = asyncio.create_task(answer_all())
    try:
        yield asked
    finally:
        answering.cancel()


@needs("chromium")
def test_the_frame_on_metrics(start_portal, umami, tmp_path):
    """A browser shows the share page on /metrics, asks for the password once, and Umami's calls
    with their own Authorization come through; its picture from another host is not fetched."""
    share = {"url": f"http://{umami.address}/umami", "share": "/umami/share/AbC/site"}
    with start_portal(umami=share) as portal:
        caddy = RunningCaddy(tmp_path, f"127.0.0.1:{portal.port}", umami.address)
        caddy.environ["UMAMI_ALLOWED"] = "127.0.0.1 ::1"
        with caddy:
            # The page waits for Umami half a second at most; what comes later is for the next page.
            path = f"/metrics?token={TOKEN}"
            html = ("-H", "Accept: text/html")
            eventually(lambda: caddy.ask(path, *html)[2], lambda body: b"<iframe" in body)
            asyncio.run(look_at_metrics(caddy, tmp_path))
    called = [headers for _, path, headers in umami.asked if path == "/umami/api/websites"]
    assert len(called) == 1
    assert ("authorization", "Bearer null") in [(k.lower(), v) for k, v in called[0]]


async def look_at_metrics(caddy, directory):
    """Open the page, wait for what stands in the frame."""
    async with browsing(directory) as page, password_asked(page) as asked:
        await page.call("Security.setIgnoreCertificateErrors", ignore=True)
        await page.go(f"{caddy.url}/metrics?token={TOKEN}")

        await page.evaluate("document.querySelector('iframe').scrollIntoView()")
        inside = "document.querySelector('iframe').contentDocument"
        await page.until(f"{inside}.querySelector('p')?.textContent == 'called 200'")
        assert asked == [f"{caddy.url}/umami/share/AbC/site?date=30day"]
        requests = [p["request"]["url"] for name, p in page.events if name == "Fetch.requestPaused"]
        assert all(url.startswith(caddy.url) for url in requests), requests
        blocked = [p["entry"]["text"] for name, p in page.events if name == "Log.entryAdded"]
        assert any("icons.example" in text and "img-src" in text for text in blocked), blocked
        token = "document.querySelector('iframe').contentDocument.referrer"
        assert await page.evaluate(token) == ""


def test_nobody_comes_in_unless_it_is_set_up(portal, umami, tmp_path):
    """Without names, passwords and a cookie, not even from the list; nor with an empty cookie."""
    caddy = RunningCaddy(tmp_path, f"127.0.0.1:{portal.port}", umami.address)
    for name in ("UMAMI_USER", "UMAMI_PASSWORD_HASH", "UMAMI_COOKIE"):
        del caddy.environ[name]
    before = len(umami.asked)
    with caddy:
        for flags in (WITH_PASSWORD, ("-b", "__Secure-umami="), ()):
            assert caddy.ask("/umami/x", *flags, address=OPERATOR)[0] == 401
        assert caddy.ask("/", address=OPERATOR)[0] == 200
    assert len(umami.asked) == before
