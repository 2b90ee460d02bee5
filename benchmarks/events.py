"""Load generator for page events, in a process of its own.

    python -m benchmarks.events PORT PATH PAGES SECONDS

Each page posts one event after the other, for the address /<page>/<number>, with its own connection
and its own visitor. One JSON object says how many events of each page were answered (`answered`),
in how many `seconds`, and the time of one event (`p50`, `p99`, milliseconds). A page ends when its
connection breaks. Plain sockets are used: an HTTP library would cost more than what is measured.
"""

import json
import selectors
import sys
import time

from benchmarks.client import Answer, AnswerError, connect, readable, receive
from tests.support.umami.rules import WEBSITE

BODY = (
    '{{"type":"event","payload":{{"website":"{website}","hostname":"127.0.0.1",'
    '"screen":"1920x1080","language":"en-GB","title":"Downloads","url":"/{page}/{number}",'
    '"referrer":""}}}}'
)
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "X-Forwarded-For: 198.51.{high}.{low}\r\nContent-Length: {length}\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\r\n"
)


class Page:
    """One page with its connection."""

    def __init__(self, port: int, path: str, number: int) -> None:
        self.connection = connect(port)
        self.answered = 0
        self.answer = Answer()
        self.sent_at = 0.0
        self._path, self._number = path, number

    def send(self) -> None:
        """Send the next event."""
        body = BODY.format(website=WEBSITE, page=self._number, number=self.answered)
        high, low = divmod(self._number, 256)
        head = HEAD.format(path=self._path, high=high, low=low, length=len(body))
        self.answer, self.sent_at = Answer(), time.perf_counter()
        self.connection.sendall((head + body).encode())


def report(port: int, path: str, pages: int, seconds: float) -> dict[str, object]:
    """Post events for so many seconds; the JSON object."""
    all_pages = [Page(port, path, number) for number in range(pages)]
    waits: list[float] = []
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for page in all_pages:
            page.send()
            selector.register(page.connection, selectors.EVENT_READ, page)
        for key in readable(selector):
            if not _goes_on(key.data, waits, began + seconds):
                selector.unregister(key.fileobj)
                key.data.connection.close()
    waits.sort()
    return {
        "answered": [page.answered for page in all_pages],
        "seconds": time.perf_counter() - began,
        "p50": 1000 * waits[len(waits) // 2],
        "p99": 1000 * waits[len(waits) * 99 // 100],
    }


def _goes_on(page: Page, waits: list[float], until: float) -> bool:
    """Read for one page and send its next event; whether the page goes on."""
    try:
        if not receive(page.connection, page.answer):
            return True
        now = time.perf_counter()
        waits.append(now - page.sent_at)
        page.answered += 1
        if now >= until:
            return False
        page.send()
    except (AnswerError, OSError):
        return False
    return True


if __name__ == "__main__":
    given = sys.argv
    print(json.dumps(report(int(given[1]), given[2], int(given[3]), float(given[4]))))
