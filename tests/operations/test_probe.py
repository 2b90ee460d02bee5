"""server.py --check-config --probe: what it says of GitLab, and of the folders."""

import asyncio
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from demo.standin import StandIn
from portal.gitlab.probe import _clock
from tests.support.running import ROOT, RunningPortal, host

TODAY = datetime.now(UTC).date()


async def said(content, directory, site=None, environ=None, **options):
    """The exit status and the output, before a stand-in with these attributes."""
    standin = StandIn(content)
    await standin.start()
    for name, value in (site or {}).items():
        setattr(standin.site, name, value)
    try:
        options = {
            "gitlab": standin.gitlab_url,
            "asset_host": host(standin.objects_url),
            "token": standin.token,
            **options,
        }
        portal = RunningPortal(directory, environ=environ, **options)
        portal.write_config()
        done = await asyncio.to_thread(
            subprocess.run,
            [*portal.command, "--check-config", "--probe"],
            cwd=ROOT, env=portal.environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        assert standin.token not in done.stdout
        return done.returncode, done.stdout
    finally:
        await standin.stop()


def test_all_is_well(content, tmp_path):
    status, text = asyncio.run(said(content, tmp_path))
    assert status == 0, text
    assert "FAULT" not in text
    for line in (
        "GitLab answers at http://127.0.0.1:",
        "the clocks of GitLab and of this machine agree",
        'the token is "portal" and has read_api, read_repository',
        "the token expires on 2099-06-30, in ",
        "pets: its releases can be read: ",
        "pets: its git repository can be read",
        "pets: its archive can be read",
        "pets: the token's role is Reporter",
        "prospects: its archive can be read",
        f"files can be written in {tmp_path}",
    ):
        assert f"ok    {line}" in text, text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["portal.toml"]


@pytest.mark.parametrize(
    ("site", "line"),
    [
        ({"scopes": ("api",)}, "the token can do more than read (api): "),
        ({"scopes": ("read_api", "write_repository")}, "more than read (write_repository): "),
        ({"access_level": 40}, "pets: the token's role is Maintainer, which can do more than"),
        ({"access_level": 50}, "the token was made with the role Owner: use Reporter"),
        ({"expires_at": str(TODAY + timedelta(9))}, "the token expires on "),
    ],
)
def test_what_is_warned_of(content, tmp_path, site, line):
    status, text = asyncio.run(said(content, tmp_path, site))
    assert status == 0, text
    assert any(one.startswith("warn ") and line in one for one in text.splitlines()), text


@pytest.mark.parametrize(
    ("site", "lines"),
    [
        ({"outage": "expired"}, ["GitLab refuses the token: Token is expired.", "pets: its git"]),
        ({"outage": 404}, ["pets: its releases cannot be read: ", "pets: its archive cannot be"]),
        ({"outage": 503}, ["pets: its git repository cannot be read: GitLab answers 503"]),
    ],
)
def test_what_is_wrong(content, tmp_path, site, lines):
    status, text = asyncio.run(said(content, tmp_path, site))
    assert status == 1
    for line in lines:
        assert f"FAULT {line}" in text, text


def test_a_host_that_is_not_listed(content, tmp_path):
    status, text = asyncio.run(said(content, tmp_path, asset_host=""))
    assert status == 0, text
    assert "warn  pets: link " in text
    assert " is not in gitlab.asset_hosts\n" in text


def test_nobody_answers(content, tmp_path):
    status, text = asyncio.run(said(content, tmp_path, gitlab="http://127.0.0.1:9"))
    assert status == 1
    assert "FAULT GitLab at http://127.0.0.1:9: no answer: " in text
    assert "pets: " not in text


def test_a_certificate_that_nobody_signed(content, tmp_path):
    """Said in words, with the setting that helps."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=gitlab.test",
         "-out", str(certificate), "-keyout", str(key), "-days", "2"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def asked():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await said(content, tmp_path, gitlab=f"https://127.0.0.1:{port}")

    status, text = asyncio.run(asked())
    assert status == 1
    assert ": its certificate is not accepted: " in text
    assert "(see gitlab.ca_file)" in text


def test_without_a_token(content, tmp_path):
    status, text = asyncio.run(said(content, tmp_path, token=""))
    assert status == 1
    assert "warn  no GITLAB_TOKEN is set: only public projects can be read" in text


@pytest.mark.parametrize(
    ("date", "fine", "sentence"),
    [
        ("Sat, 28 Nov 2026 12:00:00 GMT", False, "agree"),
        ("Sat, 28 Nov 2026 11:58:00 GMT", True, "120 seconds ahead of GitLab's"),
        ("Sat, 28 Nov 2026 12:02:00 GMT", True, "120 seconds behind GitLab's"),
        ("", True, "cannot be compared"),
    ],
)
def test_clocks(date, fine, sentence):
    finding = _clock(date, datetime(2026, 11, 28, 12, tzinfo=UTC))
    assert (finding.fine, finding.warning) == (True, fine)
    assert sentence in finding.sentence


def test_a_folder_of_the_data_that_is_a_file(content, tmp_path):
    tmp_path.joinpath("data").mkdir()
    tmp_path.joinpath("data", "spill").touch()
    status, text = asyncio.run(said(content, tmp_path))
    assert status == 1
    assert f"FAULT no file can be written in {tmp_path}/data/spill: Not a directory" in text
    assert [path.name for path in tmp_path.joinpath("data").iterdir()] == ["spill"]
