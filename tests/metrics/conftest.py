"""A portal whose operator's page has something of everything."""

import pytest

from sql.database import migrate
from tests.support.metrics import condition_when, fill


@pytest.fixture(scope="package")
def filled_portal(start_portal):
    """One that has seen something of everything."""
    running = start_portal(processes=2)
    migrate(running.data_dir / "portal.sqlite3")
    fill(running)
    with running:
        condition_when(running, lambda house: not house["clients_behind_seconds"])
        yield running
