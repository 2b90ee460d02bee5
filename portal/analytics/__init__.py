"""Page analytics: events sent to Umami, and figures read from it for the operator."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tornado.httpclient import AsyncHTTPClient

from portal.analytics.client import UmamiClient
from portal.analytics.collector import Collector
from portal.analytics.events import Visitor
from portal.analytics.sender import Sender
from portal.analytics.share import Share
from portal.analytics.tracker import Tracker, TrackerFetch
from portal.config.model import Config
from portal.http.client import keep_key
from portal.jsontypes import JSON
from sql.database import migrate
from sql.errors import SqlError
from sql.outbox import SCHEMA
from sql.outbox.sending import Sending
from sql.outbox.writing import Outbox

log = logging.getLogger("portal.analytics")

MOST_CONNECTIONS = 64  # to Umami: one event, and what the operator's page asks


@dataclass(frozen=True, slots=True)
class TrackerTag:
    """What a page says of the tracker: its address, the website's id, the path it posts to."""

    address: str
    website: str
    collect: str


class Analytics:
    """One process's part in it; belongs to its event loop. `client` may be asked at Umami only.

    Without a website in the configuration there is no tracker, no collector and no outbox; the
    share page is read all the same.
    """

    def __init__(self, config: Config, client: AsyncHTTPClient) -> None:
        self._config = config
        self._umami = UmamiClient(config.umami.url, client)
        self.tracker = Tracker(config.umami.script, config.umami_dir / "script.js")
        self.share = Share(config.umami, self._umami)
        self.collector: Collector | None = None

    def start(self, stack: AsyncExitStack, slot: int) -> None:
        """Begin; the stack ends it. Slot 0 sends what waits, and fetches the tracker.

        Without its files there is no analytics in this process, and everything else.
        """
        config = self._config
        stack.push_async_callback(self.share.stop)
        if config.outbox is None:
            return
        try:
            key = config.ip_hash_key.encode() or keep_key(config.umami_dir / "key")
            migrate(config.outbox, SCHEMA)
        except (OSError, ValueError, SqlError) as error:
            log.error("no page events are taken: %s", error)  # noqa: TRY400 - no fault of the code
            return
        outbox = Outbox(config.outbox)
        outbox.start()
        stack.push_async_callback(asyncio.to_thread, outbox.close)
        self.collector = Collector(config.umami.website, key, outbox)
        if slot == 0:
            # No other process has this slot: the recorder's spill file is locked.
            sender = Sender(Sending(config.outbox), self._umami)
            fetch = TrackerFetch(self._umami, self.tracker.kept)
            for task in (sender, fetch):
                task.start()
                stack.push_async_callback(task.stop)

    @property
    def tag(self) -> TrackerTag | None:
        """For a public page; None where no page events are taken."""
        umami = self._config.umami
        return (
            TrackerTag(self.tracker.address, umami.website, umami.collect)
            if self.collector
            else None
        )

    def note(
        self,
        name: str,
        values: Mapping[str, JSON],
        url: str,
        host: str,
        visitor: Visitor,
        report: str = "",
    ) -> None:
        """Report what no page can, or what it reports under the same key; waits for nothing."""
        if self.collector:
            self.collector.note(name, values, url, host, visitor, report)
