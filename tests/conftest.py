"""What many tests stand on: the demo's content, a stand-in GitLab, a portal before it."""

import asyncio
import os
import signal

import pytest
from tornado.ioloop import IOLoop

from demo.content import fill
from tests.support.catalog.tables import OLD, SMALL, small_catalog
from tests.support.programs import skip_instead, summary
from tests.support.running import Clients, RunningPortal, host, standing_in

# A shell that starts this in the background has it ignore Ctrl-C, and so would every program here.
signal.signal(signal.SIGINT, signal.default_int_handler)

GITLAB_TOKEN = "glpat-test"
LARGE = 8 << 20


@pytest.fixture(scope="session")
def content(tmp_path_factory):
    """The demo's content, with a smaller large asset."""
    directory = tmp_path_factory.mktemp("demo") / "content"
    fill(directory, large_bytes=LARGE)
    return directory


@pytest.fixture(scope="session")
def standin(content):
    """The addresses of a stand-in GitLab in a process of its own."""
    with standing_in(content, GITLAB_TOKEN) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def start_portal(standin, tmp_path_factory):
    """A portal before the stand-in, not yet started: `with start_portal(processes=2) as portal`."""

    def make(**options):
        options.setdefault("gitlab", standin["gitlab"])
        options.setdefault("asset_host", host(standin["objects"]))
        directory = tmp_path_factory.mktemp("portal")
        return RunningPortal(directory, token=GITLAB_TOKEN, **options)

    return make


@pytest.fixture(scope="session")
def portal(start_portal):
    """One portal for all tests that only ask."""
    with start_portal() as running:
        yield running


@pytest.fixture(scope="session")
def catalog_portal(start_portal, tmp_path_factory):
    """Two processes over a small catalog, for all tests that only look at it."""
    directory, first = tmp_path_factory.mktemp("tables"), {**SMALL, "Old__D_Old": OLD}
    with small_catalog(start_portal, directory, first, processes=2) as running:
        yield running


@pytest.fixture(scope="session")
def clients():
    """Fresh client addresses."""
    return Clients()


@pytest.fixture
def io_loop():
    """A loop for each test; pytest-tornado's own calls what Tornado has deprecated."""
    loop = IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close(all_fds=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Skip a test whose fixtures start a program that is not installed."""
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test that starts a program that is not installed."""
    return (yield from _skipping())


def _skipping():
    try:
        return (yield)
    except FileNotFoundError as error:
        if skip := skip_instead(error):
            raise skip from error
        raise


def pytest_terminal_summary(terminalreporter):
    """Name the packages without which tests were skipped, in one line."""
    skipped = terminalreporter.stats.get("skipped", [])
    if line := summary(str(report.longrepr[-1]) for report in skipped):
        terminalreporter.write_line(line)


def pytest_sessionfinish(session):
    """In CI every program is there, so a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
