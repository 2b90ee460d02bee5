"""GitLab's token expires, lacks a scope, is replaced: what is served meanwhile, and who is told."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.config.model import GitLab
from portal.relay import credential as module
from portal.relay.credential import Credential, TokenInfo, read_tokens
from tests.support.gitlab.inside import Inside, replace_token
from tests.support.running import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
FILE = "/downloads/pets/v2.1.0/pets-2.1.0-windows.zip"


def run(content, tmp_path, steps, **options):
    """`await steps(inside)` with a portal and a GitLab on a loop of their own."""

    async def main():
        async with Inside(content, tmp_path, **options) as inside:
            await inside.until("/downloads/pets", lambda status, *_: status == 200)
            await steps(inside)

    asyncio.run(main())


def stale(_status, _headers, text):
    return "may be out of date" in text


def refused(status, _, text):
    return status == 503 and "refuses the token" in text


@pytest.mark.parametrize(
    ("outage", "why"),
    [
        ("expired", "Token is expired."),
        ("revoked", "Token was revoked."),
        ("insufficient_scope", "higher privileges"),
    ],
)
def test_every_list_stays_while_the_token_is_refused(content, tmp_path, caplog, outage, why):
    async def steps(inside):
        inside.standin.site.outage = outage
        _, _, ready = await inside.until("/readyz", refused)
        assert f"gitlab: refuses the token: {why}" in ready or why in ready
        # Each project learns of it with its own next request.
        status, _, page = await inside.until("/downloads/pets", stale)
        assert status == 200
        assert "pets-2.1.0-windows.zip" in page
        status, headers, text = await inside.ask(FILE)
        assert status == 503
        assert "The operator has been told." in text
        assert headers["Retry-After"]
        status, _, text = await inside.ask("/pets.git/info/refs?service=git-upload-pack")
        assert status == 503
        assert "The operator has been told." in text
        _, _, text = await inside.ask("/metrics?format=json", **BEARER)
        assert why in json.loads(text)["house"]["gitlab"]["token_refused"]
        _, _, text = await inside.ask("/metrics", **BEARER)
        assert "GitLab refuses the token:" in text
        _, _, text = await inside.ask("/metrics", Accept="text/plain", **BEARER)
        assert "portal_gitlab_token_refused 1.0" in text
        assert 'portal_gitlab_project_state{project="pets",state="stale"} 1.0' in text
        inside.standin.site.outage = None
        await inside.until("/readyz", lambda status, *_: status == 200)
        assert (await inside.ask(FILE))[0] in (200, 302)
        assert "may be out of date" not in (await inside.ask("/downloads/pets"))[2]

    run(content, tmp_path, steps)
    assert "GitLab refuses the token" in caplog.text
    assert "GitLab takes the token again" in caplog.text


def test_a_ban_of_the_address_withdraws_nothing(content, tmp_path):
    async def steps(inside):
        inside.standin.site.outage = "banned"
        _, _, ready = await inside.until("/readyz", lambda status, *_: status == 503)
        assert "banned this address" in ready
        assert (await inside.ask("/downloads/pets"))[0] == 200

    run(content, tmp_path, steps)


def test_a_withdrawn_project_is_named(content, tmp_path):
    async def steps(inside):
        inside.standin.site.outage = 404
        _, _, ready = await inside.until("/readyz", lambda _, __, text: "withdrawn" in text)
        assert "pets (withdrawn): withdrawn: " in ready
        assert "refuses" not in ready

    run(content, tmp_path, steps)


def test_the_tokens_file_is_read_anew(content, tmp_path):
    """The old token goes, the new one comes, and no restart between."""
    file = tmp_path / "token"
    replace_token(file, "glpat-old")

    async def steps(inside):
        inside.standin.site.token = "glpat-new"
        await inside.until("/readyz", refused)
        replace_token(file, "glpat-new")
        await inside.until("/readyz", lambda status, *_: status == 200)
        assert (await inside.ask(FILE))[0] in (200, 302)

    async def main():
        inside = Inside(content, tmp_path, environ={"GITLAB_TOKEN_FILE": str(file)})
        inside.standin.site.token = "glpat-old"
        async with inside:
            await inside.until("/readyz", lambda status, *_: status == 200)
            await steps(inside)

    asyncio.run(main())


def test_two_tokens_overlap(content, tmp_path):
    """The first ends, and the second, which is in the file already, is used by itself."""
    file = tmp_path / "token"
    replace_token(file, "glpat-old", "glpat-new")

    async def main():
        inside = Inside(content, tmp_path, environ={"GITLAB_TOKEN_FILE": str(file)})
        inside.standin.site.token = "glpat-old"
        async with inside:
            await inside.until("/readyz", lambda status, *_: status == 200)
            inside.standin.site.token = "glpat-new"
            await asyncio.sleep(0.5)
            await inside.until("/readyz", lambda status, *_: status == 200)
            assert (await inside.ask(FILE))[0] in (200, 302)
            assert inside.services.upstream.credential.token == "glpat-new"

    asyncio.run(main())


def test_the_expiry_is_asked_and_told(content, tmp_path, caplog):
    ends = datetime.now(UTC).date() + timedelta(days=12)

    async def main():
        inside = Inside(content, tmp_path)
        inside.standin.site.expires_at = str(ends)
        async with inside:
            _, _, text = await inside.until(
                "/metrics", lambda _, __, text: "expires on" in text, **BEARER
            )
            assert str(ends) in text
            _, _, text = await inside.ask("/metrics", Accept="text/plain", **BEARER)
            lines = [x for x in text.splitlines() if x.startswith("portal_gitlab_token_expires")]
            (line,) = lines
            assert 11 * 86_400 <= float(line.split()[1]) <= 12 * 86_400

    asyncio.run(main())
    assert "GitLab's token expires in 11 days" in caplog.text


def gitlab(**settings):
    return GitLab("http://127.0.0.1:9", frozenset(), (), 30, **settings)


def test_the_operator_is_reminded_each_hour(caplog, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    credential = Credential(gitlab(token="one"))
    for seconds in (1, 60, 3000, 3602, 3700):
        clock[0] = seconds
        credential.refused("one", "expired")
    assert caplog.text.count("GitLab refuses the token: expired") == 2
    credential.refused("another", "expired")
    assert credential.trouble == "expired"
    credential.accepted("one")
    assert credential.trouble == ""


@pytest.mark.parametrize("text", ["", "\n \n", "two words\n", "glpät\n"])
def test_a_file_that_holds_no_token(tmp_path, text):
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r".+"):
        read_tokens(file)


def test_a_file_that_is_gone_for_a_while_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0)
    file = tmp_path / "token"
    replace_token(file, "one")
    credential = Credential(gitlab(token_file=file))
    assert credential.token == "one"
    file.unlink()
    assert credential.token == "one"
    replace_token(file, "two")
    assert credential.token == "two"


@pytest.mark.parametrize(("days", "soon"), [(31, None), (29, 28), (0, 0), (-5, 0)])
def test_when_a_token_expires_soon(days, soon):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    credential = Credential(gitlab(token="one"))
    credential.info = TokenInfo("portal", (), date(2026, 3, 1) + timedelta(days=days))
    assert credential.expires_soon(now) == soon
    credential.info = TokenInfo("portal", (), None)
    assert credential.expires_soon(now) is None
