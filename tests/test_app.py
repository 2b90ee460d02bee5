"""The application in this process, over real sockets, while its GitLab changes."""

import asyncio
import contextlib
import tomllib

import pytest

from demo.standin import StandIn
from handlers import make_app
from portal.config.load import parse
from portal.gitlab.hints import Hints
from portal.metrics.access import Guesses
from portal.relay.slots import Transfers
from portal.services import Shared
from portal.startup import make_services
from sql.database import migrate
from tests.support.running import host

CONFIG = """
data_dir = "{data_dir}"
[gitlab]
url = "{gitlab}"
asset_hosts = ["{objects}"]
asset_networks = ["127.0.0.0/8"]
refresh_seconds = 0.1
[[projects]]
slug = "pets"
gitlab = "icarus/pets"
title = "Pets"
"""


@pytest.fixture
def standin(content, io_loop):
    """A stand-in GitLab on this loop, whose content this test may change."""
    standin = StandIn(content)
    io_loop.run_sync(standin.start)
    yield standin
    io_loop.run_sync(standin.stop)


@pytest.fixture
def app(standin, tmp_path, io_loop):
    """The portal before it."""
    text = CONFIG.format(
        data_dir=tmp_path, gitlab=standin.gitlab_url, objects=host(standin.objects_url)
    )
    config = parse(tomllib.loads(text), {"GITLAB_TOKEN": standin.token})
    migrate(config.database)
    stack = contextlib.AsyncExitStack()

    async def make():
        return make_services(stack, config, Shared(Transfers(10), Guesses(), Hints(1)))

    application = make_app(io_loop.run_sync(make))
    yield application
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def page(http_client, base_url):
    """Fetch a page as a browser does; status and text."""

    async def fetch(path):
        answer = await http_client.fetch(
            base_url + path, headers={"Accept": "text/html"}, raise_error=False
        )
        return answer.code, answer.body.decode()

    return fetch


async def until(condition):
    """Ask until it holds; the test's own time limit ends what never does."""
    while not await condition():  # noqa: ASYNC110 - what changes is in another server
        await asyncio.sleep(0.02)


@pytest.mark.gen_test
async def test_the_last_list_is_served_while_gitlab_is_away(standin, page):
    assert "may be out of date" not in (await page("/downloads/pets"))[1]
    standin.site.outage = 503

    async def stale():
        return "may be out of date" in (await page("/downloads/pets"))[1]

    await until(stale)
    status, text = await page("/downloads/pets")
    assert status == 200
    assert "pets-2.1.0-windows.zip" in text
    standin.site.outage = None

    async def fresh():
        return not await stale()

    await until(fresh)


@pytest.mark.gen_test
@pytest.mark.parametrize("answer", [404])
async def test_a_withdrawn_project_is_served_no_longer(standin, page, answer):
    assert (await page("/downloads/pets"))[0] == 200
    standin.site.outage = answer

    async def withdrawn():
        return (await page("/downloads/pets"))[0] == 404

    await until(withdrawn)
    assert (await page("/downloads/pets/v2.1.0/SHA256SUMS"))[0] == 404
    assert (await page("/"))[0] == 200


@pytest.mark.gen_test
async def test_a_new_release_shows_by_itself(standin, page):
    project = standin.project("icarus/pets")
    releases = project.releases()
    assert "v9.9.9" not in (await page("/downloads/pets"))[1]
    new = {**releases[-1], "tag_name": "v9.9.9", "name": "new", "links": []}
    try:
        project.save_releases([new, *releases])

        async def shown():
            return "v9.9.9" in (await page("/downloads/pets"))[1]

        await until(shown)
    finally:
        project.save_releases(releases)


@pytest.mark.gen_test(timeout=30)
async def test_the_catalog_stays_up_where_nothing_can_be_recorded(app, page, caplog):
    """Unlike downloads: it is read more than it is counted."""

    async def there():
        return (await page("/catalog/1.9"))[0] == 200  # which is read last

    await until(there)
    recorder = app.settings["services"].events._recorder
    await asyncio.to_thread(recorder.close)
    for path, event in (
        ("/catalog/2.0/Items", "category_view"),
        ("/catalog/search?q=lamp", "search"),
        ("/catalog/diff?from=1.9&to=2.0", "diff_view"),
    ):
        status, text = await page(path)
        assert status == 200
        assert "<h1>" in text
        assert f"a {event} is not counted" in caplog.text
